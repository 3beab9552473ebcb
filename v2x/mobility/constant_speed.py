"""Vehicles that keep lane and speed: the traffic of the 3GPP highway evaluations."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.demand import Spacing, check_amount, vehicle_count
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.vehicle_classes import SIZES, Mix
from v2x.units import US_PER_S, kmh_to_mps
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Least bumper-to-bumper distance of the drop [m] (TR 37.885 6.1.2).
LEAST_GAP_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantSpeedParams:
    """Amount, speed and spacing of vehicles on a straight highway.

    Parameters
    ----------
    n_vehicles
        Number of vehicles. Set this or `density_per_km`.
    density_per_km
        Vehicles per kilometre of road, both directions together [1/km].
    speed_kmh
        Speed of every vehicle [km/h]; 0 freezes the drop, None takes the speed limit.
    spacing
        ``random``: gaps in a lane are exponential above 2 m, as in the drop of TR 37.885 6.1.2,
        scaled so that the number of vehicles is met exactly. ``uniform``: equal distances in
        a lane; lanes of one direction are staggered evenly.
    mix
        Shares of cars, trucks and buses; cars only by default (TR 37.885 option A).
    """

    n_vehicles: int | None = None
    density_per_km: float | None = None
    speed_kmh: float | None = None
    spacing: Spacing = Spacing.RANDOM
    mix: Mix = field(default_factory=lambda: Mix(car=1.0, truck=0.0, bus=0.0))

    def __post_init__(self) -> None:
        """Reject impossible values and combinations."""
        check_amount(self.n_vehicles, self.density_per_km)
        Spacing(self.spacing)
        if self.speed_kmh is not None and not 0 <= self.speed_kmh <= 500:
            raise ValueError(f"speed_kmh must be within 0 and 500, got {self.speed_kmh}")


class ConstantSpeed:
    """Each vehicle stays in its lane and, at the end of the road, begins again.

    On a wrap-around highway the end is the beginning; on a straight one the vehicle returns at
    the other end with its identity, so the number of vehicles stays the same.

    Parameters
    ----------
    params
        Amount and speed.
    context
        Map and seed; streams ``"mobility", "mix"`` and ``"mobility", "start"``.

    Raises
    ------
    V2XError
        If the map has junctions, or is too short for the vehicles.
    """

    Params = ConstantSpeedParams

    def __init__(self, params: ConstantSpeedParams, context: MobilityContext) -> None:
        road_map = context.road_map
        self._geometry = RoadGeometry(road_map)
        self._roads = _roads(road_map)
        self._is_ring = road_map.wrap_length_m > 0
        n = vehicle_count(road_map, params.n_vehicles, params.density_per_km)
        self._kind = params.mix.kinds(n, rng.stream(context.seed, "mobility", "mix"))
        sizes = [SIZES[NodeKind(kind)] for kind in range(NodeKind.BUS + 1)]
        self._size = {
            name: np.array([getattr(size, name) for size in sizes])[self._kind]
            for name in ("length_m", "width_m", "height_m", "antenna_height_m")
        }
        self._place(road_map, params, rng.stream(context.seed, "mobility", "start"))
        first_edge = np.array([road.edges[0] for road in self._roads])[self._road]
        if params.speed_kmh is None:
            self._speed: FloatArray = road_map.edge_limit_mps[first_edge]
        else:
            self._speed = np.full(n, kmh_to_mps(params.speed_kmh))

    @property
    def n_rows(self) -> int:
        """Rows of every state: one per vehicle."""
        return len(self._kind)

    def _place(
        self, road_map: RoadMap, params: ConstantSpeedParams, draw: np.random.Generator
    ) -> None:
        """Deal the vehicles out to the lanes in turn, and space them in each lane."""
        n = self.n_rows
        lanes = [
            (k, lane)
            for k, road in enumerate(self._roads)
            for lane in range(int(road_map.edge_lanes[road.edges[0]]))
        ]
        which = np.arange(n) % len(lanes)
        self._road: IntArray = np.array([road for road, _ in lanes], dtype=np.int32)[which]
        self._lane: IntArray = np.array([lane for _, lane in lanes], dtype=np.int32)[which]
        self._road_m: FloatArray = np.array([road.length_m for road in self._roads])[self._road]
        self._start_m: FloatArray = np.zeros(n)
        for k, (road, lane) in enumerate(lanes):
            rows = np.flatnonzero(which == k)
            if len(rows) == 0:
                continue
            road_m = self._roads[road].length_m
            least_m = 0.0 if params.spacing == Spacing.UNIFORM else LEAST_GAP_M
            self._check_fit(rows, road_m, least_m)
            if params.spacing == Spacing.UNIFORM:
                stagger = lane / int(road_map.edge_lanes[self._roads[road].edges[0]])
                middle = (np.arange(len(rows)) + stagger) * (road_m / len(rows))
                self._start_m[rows] = middle + 0.5 * self._size["length_m"][rows]
            else:
                self._start_m[rows] = self._random_fronts(rows, road_m, draw)

    def _random_fronts(
        self, rows: NDArray[np.int64], road_m: float, draw: np.random.Generator
    ) -> FloatArray:
        """Return front bumpers with exponential gaps that together fill the lane [m]."""
        length = self._size["length_m"][rows]
        free = road_m - float((length + LEAST_GAP_M).sum())
        gap = draw.exponential(size=len(rows))
        gap = LEAST_GAP_M + gap * (free / gap.sum())
        front = np.cumsum(gap + length)
        return np.asarray(front + draw.uniform(0.0, road_m))

    def _check_fit(self, rows: NDArray[np.int64], road_m: float, least_gap_m: float) -> None:
        needed = float((self._size["length_m"][rows] + least_gap_m).sum())
        if needed > road_m:
            raise V2XError(
                f"{len(rows)} vehicles need {needed:.0f} m of a lane that has {road_m:.0f} m",
                key="traffic",
                remedy="ask for fewer vehicles, more lanes or a longer road",
            )

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us`."""
        moved = self._start_m + self._speed * (time_us / US_PER_S)
        front = moved - np.floor(moved / self._road_m) * self._road_m
        edge, offset = self._on_edges(front)
        lateral = self._geometry.lane_lateral_m(edge, self._lane)
        middle = offset - 0.5 * self._size["length_m"]
        x, y, z, heading = self._geometry.position(edge, middle, lateral)
        leader, gap = self._leaders(front)
        n = self.n_rows
        return FleetState(
            time_us=time_us,
            id=np.arange(n, dtype=np.int64),
            kind=self._kind.copy(),
            x_m=x,
            y_m=y,
            z_m=z,
            heading_rad=heading,
            speed_mps=self._speed.copy(),
            acceleration_mps2=np.zeros(n),
            edge=edge,
            lane=self._lane.copy(),
            offset_m=offset,
            level=self._geometry.level(edge),
            tunnel=self._geometry.tunnel(edge),
            leader=leader,
            gap_m=gap,
            **{name: values.copy() for name, values in self._size.items()},
        )

    def _on_edges(self, front: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return edge and offset of front bumpers given along their roads."""
        edge = np.zeros(self.n_rows, dtype=np.int32)
        offset = np.zeros(self.n_rows)
        for k, road in enumerate(self._roads):
            rows = self._road == k
            piece = np.searchsorted(road.begin_m, front[rows], side="right") - 1
            edge[rows] = road.edges[piece]
            offset[rows] = front[rows] - road.begin_m[piece]
        return edge, offset

    def _leaders(self, front: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the next vehicle in each lane and the distance to its rear bumper [m]."""
        n = self.n_rows
        order = np.lexsort((front, self._lane, self._road))
        lane = self._road[order].astype(np.int64) * (int(self._lane.max(initial=0)) + 1)
        lane += self._lane[order]
        begins = np.r_[True, lane[1:] != lane[:-1]]
        first = np.flatnonzero(begins)
        last = np.r_[first[1:] - 1, n - 1]
        ahead = np.roll(order, -1)
        ahead[last] = order[first]
        distance = front[ahead] - front[order]
        distance[last] += self._road_m[order[last]]
        follows = np.ones(n, dtype=np.bool_)
        follows[last] = self._is_ring & (last > first)
        leader = np.full(n, -1, dtype=np.int32)
        gap = np.full(n, np.inf)
        leader[order[follows]] = ahead[follows]
        gap[order[follows]] = (distance - self._size["length_m"][ahead])[follows]
        return leader, gap


@dataclass(frozen=True, slots=True)
class _Road:
    """Edges that follow each other without a choice.

    Attributes
    ----------
    edges : (n,) int32
        The edges in the order of travel.
    begin_m : (n,) float64
        Where each begins along the road [m].
    length_m
        Length of all [m].
    """

    edges: IntArray
    begin_m: FloatArray
    length_m: float


def _roads(road_map: RoadMap) -> list[_Road]:
    """Cut a map into roads.

    Raises
    ------
    V2XError
        If a vehicle would have to choose its way somewhere.
    """
    after: dict[int, list[int]] = {}
    for edge, node in enumerate(road_map.edge_from.tolist()):
        after.setdefault(node, []).append(edge)
    onward = [after.get(node, []) for node in road_map.edge_to.tolist()]
    entered = np.bincount(
        [edge for edges in onward for edge in edges], minlength=road_map.n_edges
    )
    if road_map.n_edges == 0 or any(len(edges) > 1 for edges in onward) or entered.max() > 1:
        raise V2XError(
            f"constant-speed traffic needs roads without junctions, but map {road_map.name!r} "
            "has some",
            key="traffic.type",
            remedy="use type: routed, or world.synthetic: highway",
        )
    roads, seen = [], set[int]()
    # Open roads begin at an edge that none leads to; what is left are rings.
    for start in [*np.flatnonzero(entered == 0).tolist(), *range(road_map.n_edges)]:
        chain: list[int] = []
        edge: int | None = start
        while edge is not None and edge not in seen:
            seen.add(edge)
            chain.append(edge)
            edge = onward[edge][0] if onward[edge] else None
        if chain:
            length = road_map.edge_length_m[chain]
            begin = np.cumsum(length) - length
            roads.append(_Road(np.array(chain, dtype=np.int32), begin, float(length.sum())))
    return roads
