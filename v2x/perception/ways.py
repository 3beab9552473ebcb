"""Along the road: how far ahead another road user is, and in which lane, by the map."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.junctions import LaneNetwork
from v2x.world.road_map import FloatArray, IntArray, RoadMap


@dataclass(frozen=True, slots=True)
class Onward:
    """Edges ahead of pairs of edges.

    Attributes
    ----------
    ahead_m : (n,) float64
        From the beginning of the first edge to that of the second along the road [m], NaN where
        the second cannot be reached within the reach.
    lane_shift : (n,) int32
        Lane on the second edge minus lane on the first, of a driver who changes no lane.
    likely : (n,) bool
        Whether the second lies on the straightest way on from the first.
    """

    ahead_m: FloatArray
    lane_shift: IntArray
    likely: NDArray[np.bool_]


class _PairTable:
    """Columns of numbers by pair of edges, which grows as pairs are asked for."""

    def __init__(self, n_edges: int, n_columns: int) -> None:
        self._n_edges = n_edges
        self._key = np.zeros(0, dtype=np.int64)
        self._value = np.zeros((n_columns, 0))

    def key(self, edge: IntArray, other: IntArray) -> NDArray[np.int64]:
        """Return the key of pairs, -1 where one is off the road."""
        key = edge.astype(np.int64) * self._n_edges + other
        return np.where((edge >= 0) & (other >= 0), key, -1)

    def add(self, key: Sequence[int], value: Sequence[Sequence[float]]) -> None:
        """Add pairs, each with a value for each column."""
        keys = np.concatenate([self._key, np.array(key, dtype=np.int64)])
        order = np.argsort(keys, kind="stable")
        added = np.array(value, dtype=np.float64).reshape(len(key), len(self._value)).T
        self._key = keys[order]
        self._value = np.concatenate([self._value, added], axis=1)[:, order]

    def find(self, key: NDArray[np.int64]) -> tuple[NDArray[np.bool_], FloatArray]:
        """Return which pairs are in the table, and the columns of all, NaN for the others."""
        if len(self._key) == 0:
            nothing = np.full((len(self._value), len(key)), np.nan)
            return np.zeros(len(key), dtype=np.bool_), nothing
        at = np.minimum(np.searchsorted(self._key, key), len(self._key) - 1)
        found = self._key.take(at) == key
        value = self._value.take(at, axis=1)
        if not found.all():
            value[:, ~found] = np.nan
        return found, value


class Ways:
    """Looks up what lies ahead along the road.

    Ways from an edge are sought when somebody is on it for the first time.

    Parameters
    ----------
    network
        Lanes and movements of the map.
    reach_m
        Farther ahead of the end of an edge nothing is known [m].
    """

    def __init__(self, network: LaneNetwork, reach_m: float) -> None:
        self._network, self._reach_m = network, reach_m
        self._straight = _straightest(network)
        n = network.road_map.n_edges
        self._learnt = np.zeros(n, dtype=np.bool_)
        self._onward = _PairTable(n, 3)
        self._meeting = _PairTable(n, 2)
        self._nodes: dict[int, dict[int, float]] = {}

    def between(self, edge: IntArray, other: IntArray) -> Onward:
        """Return how `other` edges lie ahead of edges, -1 being off the road; (n,) each."""
        self._learn(edge[edge >= 0])
        found, value = self._onward.find(self._onward.key(edge, other))
        value[1:, ~found] = 0.0
        return Onward(value[0], value[1].astype(np.int32), value[2] > 0.0)

    def meeting(self, edge: IntArray, other: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return where two roads come together.

        Parameters
        ----------
        edge, other : (n,) int32
            Edges, -1 off the road.

        Returns
        -------
        to_meet_m, other_to_meet_m : (n,) float64
            From the beginning of each edge to the nearest node that both lead to [m]; NaN if
            there is none within the reach, as where one passes above the other.
        """
        key = self._meeting.key(edge, other)
        found, _ = self._meeting.find(key)
        new = np.unique(key[~found & (key >= 0)])
        if len(new):
            first, second = np.divmod(new, len(self._learnt))
            self._learn(np.concatenate([first, second]))
            rows = [self._meet(*pair) for pair in zip(first.tolist(), second.tolist(), strict=True)]
            self._meeting.add(new.tolist(), rows)
        to_meet, other_to_meet = self._meeting.find(key)[1]
        return to_meet, other_to_meet

    def _learn(self, edges: NDArray[np.integer]) -> None:
        """Seek the ways on from edges, unless that has been done."""
        new = np.unique(edges[~self._learnt[edges]]).tolist()
        if not new:
            return
        n = len(self._learnt)
        keys: list[int] = []
        rows: list[tuple[float, float, float]] = []
        for edge in new:
            ends: dict[int, float] = {}
            for at, row in self._onward_of(edge):
                keys.append(edge * n + at)
                rows.append(row)
                node = int(self._network.road_map.edge_to[at])
                way = row[0] + float(self._network.road_map.edge_length_m[at])
                ends[node] = min(ends.get(node, np.inf), way)
            self._nodes[edge] = ends
        self._onward.add(keys, rows)
        self._learnt[new] = True

    def _onward_of(self, edge: int) -> Iterator[tuple[int, tuple[float, float, float]]]:
        """Yield edges ahead of one: distance, change of lane, and whether it is likely.

        Of ways of the same length the likely one comes first.
        """
        network = self._network
        length = network.road_map.edge_length_m
        reach_m = self._reach_m + float(length[edge])
        seen: set[int] = set()
        heap = [(0.0, 0, edge, 0)]
        while heap:
            ahead, aside, at, shift = heapq.heappop(heap)
            if at in seen:
                continue
            seen.add(at)
            yield at, (ahead, float(shift), float(not aside))
            further = ahead + float(length[at])
            if further > reach_m:
                continue
            for m in range(*network.first_movement[at : at + 2].tolist()):
                turns = int(aside or m != self._straight[at])
                onto, moved = int(network.to_edge[m]), shift + int(network.lane_shift[m])
                heapq.heappush(heap, (further, turns, onto, moved))

    def _meet(self, edge: int, other: int) -> tuple[float, float]:
        """Return the distances to the nearest common node, NaN without one."""
        mine, theirs = self._nodes[edge], self._nodes[other]
        common = mine.keys() & theirs.keys()
        if not common:
            return np.nan, np.nan
        node = min(common, key=lambda item: (mine[item] + theirs[item], item))
        return mine[node], theirs[node]


def _straightest(network: LaneNetwork) -> IntArray:
    """Return for each edge the movement that turns least, -1 at ends; (n_edges,)."""
    road_map = network.road_map
    leave, arrive = end_headings(road_map)
    turn = leave[network.from_edge] - arrive[network.to_edge]
    sharpness = np.abs(np.angle(np.exp(1j * turn)))
    order = np.lexsort((sharpness, network.from_edge))
    edge, first = np.unique(network.from_edge[order], return_index=True)
    straight = np.full(road_map.n_edges, -1, dtype=np.int32)
    straight[edge] = order[first]
    return straight


def end_headings(road_map: RoadMap) -> tuple[FloatArray, FloatArray]:
    """Return the headings at the end and at the beginning of each edge [rad], (n_edges,)."""
    first, last = road_map.first_point[:-1], road_map.first_point[1:] - 1
    x, y = road_map.point_x_m, road_map.point_y_m
    leave = np.arctan2(y[last] - y[last - 1], x[last] - x[last - 1])
    arrive = np.arctan2(y[first + 1] - y[first], x[first + 1] - x[first])
    return leave, arrive


class Projection:
    """Finds the place of positions on edges that are already known.

    Parameters
    ----------
    road_map
        The map.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self._map = road_map

    def onto(self, edge: IntArray, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, ...]:
        """Return where positions are on edges.

        Parameters
        ----------
        edge : (n,) int32
            Edges, none of them -1.
        x_m, y_m : (n,) float64
            Positions [m].

        Returns
        -------
        offset_m, right_m : (n,) float64
            Distance along the edge, and to the right of its polyline [m].
        """
        road_map = self._map
        first = road_map.first_point[edge]
        n_pieces = road_map.first_point[edge + 1] - first - 1
        owner = np.repeat(np.arange(len(edge)), n_pieces)
        within = np.arange(len(owner)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
        piece = first[owner] + within
        dx, dy = self._difference(road_map.point_x_m), self._difference(road_map.point_y_m)
        step_x, step_y = dx[piece], dy[piece]
        from_x = self._nearest(x_m[owner] - road_map.point_x_m[piece])
        from_y = y_m[owner] - road_map.point_y_m[piece]
        squared = np.maximum(step_x**2 + step_y**2, 1e-12)
        share = np.clip((from_x * step_x + from_y * step_y) / squared, 0.0, 1.0)
        away = np.hypot(from_x - share * step_x, from_y - share * step_y)
        order = np.lexsort((away, owner))
        best = order[np.searchsorted(owner[order], np.arange(len(edge)))]
        at = piece[best]
        run = road_map.point_offset_m[at + 1] - road_map.point_offset_m[at]
        right = from_x[best] * step_y[best] - from_y[best] * step_x[best]
        return road_map.point_offset_m[at] + share[best] * run, right / np.sqrt(squared[best])

    @staticmethod
    def _difference(values: FloatArray) -> FloatArray:
        return np.append(np.diff(values), 0.0)

    def _nearest(self, dx: FloatArray) -> FloatArray:
        """Return differences in x to the nearest copy on a wrap-around map [m]."""
        period = self._map.wrap_length_m
        return dx - period * np.round(dx / period) if period else dx
