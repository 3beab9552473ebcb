"""Which lane leads where, and who must wait for whom: the map as a driver sees it.

A road map knows nodes and edges. A driver at a node sees *movements*: from one edge to
another, out of certain lanes, into certain lanes, across or into the way of other movements.
None of this is drawn in OpenStreetMap as a rule, so it is derived from the geometry, for
right-hand traffic:

- Exits to the right use the rightmost lanes, exits to the left the leftmost, the continuation
  the rest; lanes are shared where there are too few, and movements out of the same edge never
  cross. Lanes that lead nowhere end: a driver must leave them before the node.
- Movements of different edges into the same lanes of an edge merge. Movements whose ways
  interleave around the node cross.
- The continuation of the most important road has the highest rank, a ramp, a minor road or a
  left turn a lower one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Length of the stretch at an edge's end whose chord counts as its direction [m].
LEG_M = 8.0
#: Turns sharper than this are slowed down for; cosine of 40 degrees.
TURN_COSINE = 0.766
#: Lateral acceleration in a turn [m/s²], and radius of a turn by 90 degrees [m] (assumptions).
TURN_LATERAL_MPS2 = 3.0
TURN_RADIUS_M = 12.0
#: Turning back, cosine of 155 degrees; no movement if there is another one.
BACK_COSINE = -0.906
#: Movements of a node that are told apart; the rest of a larger node share the last bit.
N_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNetwork:
    """Edges, lanes and movements in the arrays of the kernels.

    Movement `m` leads from edge ``from_edge[m]`` to ``to_edge[m]``; those out of edge `e` are
    ``first_movement[e]`` to ``first_movement[e + 1]`` (exclusive), the rightmost first.

    Attributes
    ----------
    road_map
        The map it was derived from.
    lane_base : (n_edges + 1,) int32
        Running number of lane 0 of each edge; the last is the number of lanes.
    point_grade : (n_points,) float64
        Rise over horizontal run of the piece that begins at the point; 0 at an edge's last.
    first_movement : (n_edges + 1,) int32
        First movement out of each edge.
    from_edge, to_edge, node : (n_movements,) int32
        What the movement joins, and where.
    lane_low, lane_high : (n_movements,) int32
        Lanes of the first edge out of which it leads, both included.
    lane_shift : (n_movements,) int32
        Lane on the second edge minus lane on the first.
    speed_mps : (n_movements,) float64
        Fastest way round the turn [m/s]; infinite if it is no turn.
    bit : (n_movements,) uint64
        The movement's bit in the masks of its node.
    crosses, merges : (n_movements,) uint64
        Bits of the movements whose way it crosses, and whose lanes it enters.
    rank : (n_movements,) int32
        0 to 3; the lower waits for the higher.
    signal : (n_movements,) int32
        -1 without traffic lights, else 0 on the east-west and 1 on the north-south axis.
    radius_m : (n_movements,) float64
        Half the extent of the node's crossing area [m]; 0 where nothing crosses.
    """

    road_map: RoadMap
    lane_base: IntArray
    point_grade: FloatArray
    first_movement: IntArray
    from_edge: IntArray
    to_edge: IntArray
    node: IntArray
    lane_low: IntArray
    lane_high: IntArray
    lane_shift: IntArray
    speed_mps: FloatArray
    bit: NDArray[np.uint64]
    crosses: NDArray[np.uint64]
    merges: NDArray[np.uint64]
    rank: IntArray
    signal: IntArray
    radius_m: FloatArray

    @property
    def n_movements(self) -> int:
        """Number of movements."""
        return len(self.from_edge)

    def movement(self, edge: int, onto: int) -> int:
        """Return the movement from `edge` to `onto`.

        Raises
        ------
        KeyError
            If no lane leads from the one to the other.
        """
        first, end = self.first_movement[edge : edge + 2].tolist()
        for m in range(first, end):
            if self.to_edge[m] == onto:
                return m
        raise KeyError((edge, onto))


def lane_network(road_map: RoadMap) -> LaneNetwork:
    """Derive lanes and movements from a map."""
    legs = _Legs(road_map)
    rows: list[_Movement] = []
    for node in range(road_map.n_nodes):
        rows += _node_movements(node, legs)
    rows.sort(key=lambda row: (row.from_edge, row.turn_rad, row.to_edge))
    from_edge = np.array([row.from_edge for row in rows], dtype=np.int32)
    first_movement = np.searchsorted(from_edge, np.arange(road_map.n_edges + 1))
    return LaneNetwork(
        road_map=road_map,
        lane_base=np.concatenate([[0], np.cumsum(road_map.edge_lanes)]).astype(np.int32),
        point_grade=_piece_grade(road_map),
        first_movement=first_movement.astype(np.int32),
        from_edge=from_edge,
        to_edge=_int32([row.to_edge for row in rows]),
        node=_int32([row.node for row in rows]),
        lane_low=_int32([row.lane_low for row in rows]),
        lane_high=_int32([row.lane_high for row in rows]),
        lane_shift=_int32([row.lane_shift for row in rows]),
        speed_mps=np.array([row.speed_mps for row in rows], dtype=np.float64),
        bit=np.array([row.bit for row in rows], dtype=np.uint64),
        crosses=np.array([row.crosses for row in rows], dtype=np.uint64),
        merges=np.array([row.merges for row in rows], dtype=np.uint64),
        rank=_int32([row.rank for row in rows]),
        signal=_int32([row.signal for row in rows]),
        radius_m=np.array([row.radius_m for row in rows], dtype=np.float64),
    )


def _int32(values: Sequence[int]) -> IntArray:
    return np.array(values, dtype=np.int32)


def _piece_grade(road_map: RoadMap) -> FloatArray:
    grade = np.zeros(len(road_map.point_x_m))
    run = np.sqrt(np.diff(road_map.point_x_m) ** 2 + np.diff(road_map.point_y_m) ** 2)
    rise = np.diff(road_map.point_z_m)
    np.divide(rise, run, out=grade[:-1], where=run > 0)
    grade[road_map.first_point[1:] - 1] = 0.0
    return grade


@dataclass(slots=True, kw_only=True)
class _Movement:
    """A row of the network while it is being made."""

    from_edge: int
    to_edge: int
    node: int
    turn_rad: float
    cosine: float
    lane_low: int = 0
    lane_high: int = 0
    lane_shift: int = 0
    speed_mps: float = math.inf
    bit: int = 0
    crosses: int = 0
    merges: int = 0
    rank: int = 0
    signal: int = -1
    radius_m: float = 0.0
    into_right: bool = False


class _Legs:
    """The map in plain lists, with the directions of edges at their ends."""

    def __init__(self, road_map: RoadMap) -> None:
        self.lanes: list[int] = road_map.edge_lanes.tolist()
        self.twin: list[int] = twin_edges(road_map).tolist()
        self.way: list[int] = road_map.edge_osm_way.tolist()
        self.road_class: list[int] = road_map.edge_class.tolist()
        self.name = road_map.edge_name
        self.signal: list[bool] = road_map.node_signal.tolist()
        self.lane_width_m = road_map.lane_width_m
        ramp = np.array([0.5 if name.endswith("_link") else 1.0 for name in road_map.class_names])
        weight = road_map.edge_limit_mps * (1.0 + 0.1 * road_map.edge_lanes)
        self.importance: list[float] = (weight * ramp[road_map.edge_class]).tolist()
        self.out_rad: list[float]
        self.in_rad: list[float]
        self.out_rad, self.in_rad = directions_rad(road_map)
        self.arriving: list[list[int]] = [[] for _ in range(road_map.n_nodes)]
        self.leaving: list[list[int]] = [[] for _ in range(road_map.n_nodes)]
        for edge, (begin, end) in enumerate(
            zip(road_map.edge_from.tolist(), road_map.edge_to.tolist(), strict=True)
        ):
            self.leaving[begin].append(edge)
            self.arriving[end].append(edge)

    def half_width_m(self, edge: int) -> float:
        """Return how far the edge's lanes reach from its polyline."""
        share = 1.0 if self.twin[edge] >= 0 else 0.5
        return share * self.lanes[edge] * self.lane_width_m

    def likeness(self, arriving: int, leaving: int, cosine: float) -> float:
        """Return how much one edge looks like the continuation of another."""
        same_way = self.way[arriving] == self.way[leaving] and self.way[arriving] >= 0
        same_name = self.name[arriving] == self.name[leaving] and self.name[arriving] != ""
        same_class = self.road_class[arriving] == self.road_class[leaving]
        lanes = min(self.lanes[arriving], self.lanes[leaving])
        return 2.0 * same_way + same_name + same_class + cosine + 0.1 * lanes


def directions_rad(road_map: RoadMap) -> tuple[list[float], list[float]]:
    """Return the direction of each edge at its beginning and at its end."""
    first, last = road_map.first_point[:-1], road_map.first_point[1:] - 1
    x, y, offset = road_map.point_x_m, road_map.point_y_m, road_map.point_offset_m
    out_rad, in_rad = [], []
    for a, b, length in zip(
        first.tolist(), last.tolist(), road_map.edge_length_m.tolist(), strict=True
    ):
        at = slice(a, b + 1)
        leg = min(LEG_M, length)
        xs = np.interp([leg, length - leg], offset[at], x[at])
        ys = np.interp([leg, length - leg], offset[at], y[at])
        out_rad.append(math.atan2(ys[0] - y[a], xs[0] - x[a]))
        in_rad.append(math.atan2(y[b] - ys[1], x[b] - xs[1]))
    return out_rad, in_rad


def _node_movements(node: int, legs: _Legs) -> list[_Movement]:
    """Return all movements over one node."""
    rows: list[_Movement] = []
    for edge in legs.arriving[node]:
        options = []
        for onto in legs.leaving[node]:
            if onto == legs.twin[edge]:
                continue
            turn = math.remainder(legs.out_rad[onto] - legs.in_rad[edge], 2.0 * math.pi)
            # Rounded, so that ties are ties on machines with other libraries.
            cosine = round(math.cos(turn), 9)
            options.append(
                _Movement(
                    from_edge=edge,
                    to_edge=onto,
                    node=node,
                    turn_rad=round(turn, 9),
                    cosine=cosine,
                )
            )
        onward = [row for row in options if row.cosine > BACK_COSINE]
        rows += onward or options
    if rows:
        _assign_lanes(rows, legs)
        _find_conflicts(rows, legs)
        _rank(rows, legs)
    return rows


def _assign_lanes(rows: list[_Movement], legs: _Legs) -> None:
    """Set the lanes of the movements of one node."""
    incoming: dict[tuple[int, int], tuple[int, int, bool]] = {}
    for onto in {row.to_edge for row in rows}:
        group = sorted(
            (row for row in rows if row.to_edge == onto),
            key=lambda row: (row.turn_rad, row.from_edge),
        )
        lanes = [legs.lanes[row.from_edge] for row in group]
        main = _continuation(group, legs)
        windows = lane_windows(legs.lanes[onto], lanes, main)
        for k, (row, (low, high)) in enumerate(zip(group, windows, strict=True)):
            incoming[row.from_edge, onto] = low, high, k < main
    for edge in {row.from_edge for row in rows}:
        group = sorted(
            (row for row in rows if row.from_edge == edge),
            key=lambda row: (row.turn_rad, row.to_edge),
        )
        lanes = [legs.lanes[row.to_edge] for row in group]
        main = _continuation(group, legs)
        windows = lane_windows(legs.lanes[edge], lanes, main)
        for k, (row, (low, high)) in enumerate(zip(group, windows, strict=True)):
            into_low, into_high, from_right = incoming[edge, row.to_edge]
            n = min(high - low, into_high - into_low) + 1
            if k < main or from_right:
                row.lane_low, row.lane_high = low, low + n - 1
                row.lane_shift = into_low - low
            else:
                row.lane_low, row.lane_high = high - n + 1, high
                row.lane_shift = into_high - high
            if row.cosine < TURN_COSINE:
                tangent = math.sqrt((1.0 - row.cosine) / max(1.0 + row.cosine, 1e-3))
                row.speed_mps = math.sqrt(TURN_LATERAL_MPS2 * TURN_RADIUS_M / tangent)
            row.signal = _signal_axis(row, legs)


def _signal_axis(row: _Movement, legs: _Legs) -> int:
    if not legs.signal[row.node]:
        return -1
    heading = legs.in_rad[row.from_edge]
    return 0 if abs(math.cos(heading)) >= abs(math.sin(heading)) - 1e-9 else 1


def _continuation(group: list[_Movement], legs: _Legs) -> int:
    """Return the index of the movement that is the straight on of a group."""
    likeness = [legs.likeness(row.from_edge, row.to_edge, row.cosine) for row in group]
    return likeness.index(max(likeness))


def lane_windows(n_lanes: int, wanted: Sequence[int], main: int) -> list[tuple[int, int]]:
    """Share the lanes of a road among branches.

    Parameters
    ----------
    n_lanes
        Lanes of the road.
    wanted
        Lanes of each branch, the rightmost branch first.
    main
        Index of the branch that continues the road.

    Returns
    -------
    list of (low, high)
        Lanes of the road for each branch, both included. Windows rise from right to left and
        neighbours share at most one lane, so branches never cross.

    Examples
    --------
    A three-lane road with an exit lane on the right, then one that loses a lane to the exit:

    >>> lane_windows(3, [1, 3], main=1), lane_windows(3, [1, 2], main=1)
    ([(0, 0), (0, 2)], [(0, 0), (1, 2)])
    """
    n_right, n_left = sum(wanted[:main]), sum(wanted[main + 1 :])
    spare = n_lanes - min(wanted[main], n_lanes)
    own_right = min(n_right, spare)
    own_left = min(n_left, spare - own_right)
    right = min(n_right, own_right + 1, n_lanes)
    left = min(n_left, own_left + 1, n_lanes)
    return [
        *_split(0, right, main),
        (own_right, n_lanes - 1 - own_left),
        *_split(n_lanes - left, left, len(wanted) - main - 1),
    ]


def _split(first: int, n_lanes: int, n_branches: int) -> list[tuple[int, int]]:
    """Share lanes evenly among branches; with too few, neighbours share one."""
    windows = []
    for k in range(n_branches):
        low = min(k * n_lanes // n_branches, n_lanes - 1)
        high = max(low, (k + 1) * n_lanes // n_branches - 1)
        windows.append((first + low, first + high))
    return windows


def _find_conflicts(rows: list[_Movement], legs: _Legs) -> None:
    """Set which movements of a node merge and cross."""
    radius_m = max(3.0, *(legs.half_width_m(e) for r in rows for e in (r.from_edge, r.to_edge)))
    for k, row in enumerate(rows):
        row.bit = 1 << min(k, N_BITS - 1)
    for row in rows:
        low, high = row.lane_low + row.lane_shift, row.lane_high + row.lane_shift
        for other in rows:
            if row.from_edge == other.from_edge:
                continue
            if row.to_edge == other.to_edge:
                other_low = other.lane_low + other.lane_shift
                other_high = other.lane_high + other.lane_shift
                if low <= other_high and other_low <= high:
                    row.merges |= other.bit
            elif _ways_cross(row, other, legs):
                row.crosses |= other.bit
    if any(row.crosses for row in rows):
        for row in rows:
            row.radius_m = radius_m


def _ways_cross(one: _Movement, other: _Movement, legs: _Legs) -> bool:
    """Return whether two movements interleave around their node.

    Seen from the node, traffic that arrives on a leg keeps to the left side of it and traffic
    that leaves to the right.
    """
    a, b = _ports_rad(one, legs)
    c, d = _ports_rad(other, legs)
    turn = 2.0 * math.pi
    end, first, second = (b - a) % turn, (c - a) % turn, (d - a) % turn
    return (first < end) != (second < end)


def _ports_rad(row: _Movement, legs: _Legs) -> tuple[float, float]:
    side = 1e-3
    return (
        round(legs.in_rad[row.from_edge] + math.pi + side, 9),
        round(legs.out_rad[row.to_edge] - side, 9),
    )


def _rank(rows: list[_Movement], legs: _Legs) -> None:
    """Set who waits for whom at a node.

    Where ways only merge, as on ramps and roundabouts, the continuation goes first. Where
    they cross, the more important road does, and straight on goes before turning left.
    """
    crossing = any(row.crosses for row in rows)
    greatest = max(legs.importance[row.from_edge] for row in rows)
    for onto in {row.to_edge for row in rows}:
        group = [row for row in rows if row.to_edge == onto]
        main = group[_continuation(group, legs)]
        for row in group:
            if crossing:
                important = legs.importance[row.from_edge] >= 0.9 * greatest
                left_turn = row.turn_rad > 0 and row.cosine < TURN_COSINE
                row.rank = 2 * important + (row is main and not left_turn)
            else:
                row.rank = 3 * (row is main)
