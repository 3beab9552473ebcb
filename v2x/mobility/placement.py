"""Where vehicles are at the start."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from v2x.errors import V2XError
from v2x.mobility.demand import Trips
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import LANE_VIEW_M, RouteBook, Router
from v2x.mobility.vehicles import ClassTable
from v2x.world.road_map import FloatArray, IntArray

#: Random points that are tried for a vehicle before it is squeezed in somewhere.
TRIES = 30


class Spacing(StrEnum):
    """How vehicles are spread at the start."""

    RANDOM = "random"
    UNIFORM = "uniform"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where each vehicle starts, one row each.

    Attributes
    ----------
    stop, lane : (n,) int32
        Stop of a route and lane.
    offset_m : (n,) float64
        Front along the edge [m].
    """

    stop: IntArray
    lane: IntArray
    offset_m: FloatArray


def place_vehicles(
    network: LaneNetwork,
    book: RouteBook,
    trips: Trips,
    router: Router,
    spacing: Spacing,
    kind: IntArray,
    length_m: FloatArray,
    classes: ClassTable,
    draw: np.random.Generator,
) -> Placement:
    """Spread vehicles over the routes as if traffic had been flowing for long.

    A route holds vehicles in proportion to its trips times the time they take, so each lies
    at a random (or, ``uniform``, an equally spaced) point of time on all trips together.
    Nobody starts on a node or closer to another than the gap of a queue; who would is put at
    another random point and, on crowded roads, into any space that is left.

    Raises
    ------
    V2XError
        If the roads cannot hold so many.
    """
    n = len(kind)
    stop_weight = np.repeat(trips.weight, np.diff(np.append(trips.first, book.n_stops)))
    clock_s = np.cumsum(stop_weight * router.time_s[book.edge])
    even = (np.arange(n) + 0.5) / n
    start = even if spacing is Spacing.UNIFORM else np.sort(draw.random(n))
    lanes = _Lanes(network, book)
    stop, lane = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    offset_m = np.empty(n)
    for k in range(n):
        share = float(start[k])
        size_m, queue_m = float(length_m[k]), float(classes.min_gap_m[kind[k]])
        for _ in range(TRIES):
            at = min(int(np.searchsorted(clock_s, share * clock_s[-1], "right")), book.n_stops - 1)
            before = clock_s[at - 1] if at else 0.0
            part = (share * clock_s[-1] - before) / (clock_s[at] - before)
            offset = float(part * network.road_map.edge_length_m[book.edge[at]])
            if spacing is Spacing.UNIFORM:
                offset = lanes.clear_of_nodes(at, offset, size_m)
            found = lanes.take(k, at, offset, size_m, queue_m)
            if found >= 0:
                stop[k], lane[k], offset_m[k] = at, found, offset
                break
            share = float(draw.random())
        else:
            space = lanes.squeeze_in(k, size_m, queue_m)
            if space is None:
                raise V2XError(
                    f"the roads in use hold {k} vehicles, not {n}",
                    key="traffic.n_vehicles",
                    remedy="ask for fewer vehicles or a lower density, or use a larger map",
                )
            stop[k], offset_m[k], lane[k] = space
    return Placement(stop, lane, offset_m)


class _Lanes:
    """Who stands where while vehicles are placed."""

    def __init__(self, network: LaneNetwork, book: RouteBook) -> None:
        self._network = network
        self._book = book
        self._length_m: list[float] = network.road_map.edge_length_m.tolist()
        self._n_lanes: list[int] = network.road_map.edge_lanes.tolist()
        controlled = (network.crosses | network.merges) > 0
        controlled |= network.signal >= 0
        # Room kept before a node, so that everybody can wait there.
        self._room_m: list[float] = np.where(controlled, network.radius_m + 3.0, 1.0).tolist()
        past_m = np.full(network.road_map.n_edges, 1.0)
        np.maximum.at(past_m, network.to_edge, network.radius_m + 1.0)
        self._past_m: list[float] = past_m.tolist()
        self._taken: dict[tuple[int, int], list[tuple[float, float, float]]] = {}

    def clear_of_nodes(self, stop: int, offset_m: float, length_m: float) -> float:
        """Return the nearest offset at which the vehicle does not lie on a node."""
        edge, movement = int(self._book.edge[stop]), int(self._book.movement[stop])
        room_m = self._room_m[movement] if movement >= 0 else 0.0
        offset_m = max(offset_m, length_m + self._past_m[edge])
        return min(offset_m, self._length_m[edge] - room_m)

    def take(self, row: int, stop: int, offset_m: float, length_m: float, queue_m: float) -> int:
        """Return a lane in which the vehicle fits, now taken, or -1.

        Lanes are tried in turn from one that depends on the row, so they fill evenly.
        """
        book = self._book
        edge, movement = int(book.edge[stop]), int(book.movement[stop])
        rest_m = self._length_m[edge] - offset_m
        low, high = 0, self._n_lanes[edge] - 1
        if rest_m + book.lane_view_m[stop] < LANE_VIEW_M:
            low, high = int(book.lane_low[stop]), int(book.lane_high[stop])
        if offset_m < length_m + self._past_m[edge] or (
            movement >= 0 and rest_m < self._room_m[movement]
        ):
            return -1
        n_lanes = high - low + 1
        for lane in (low + (row + k) % n_lanes for k in range(n_lanes)):
            others = self._taken.setdefault((edge, lane), [])
            at = bisect_left(others, (offset_m,))
            fits = True
            if at < len(others):
                front, size, _ = others[at]
                fits = front - size - offset_m >= queue_m
            if at and fits:
                front, _, queue = others[at - 1]
                fits = offset_m - length_m - front >= queue
            if fits:
                insort(others, (offset_m, length_m, queue_m))
                return lane
        return -1

    def squeeze_in(
        self, row: int, length_m: float, queue_m: float
    ) -> tuple[int, float, int] | None:
        """Return stop, offset and lane of the first space that fits, now taken, or None."""
        edges, stops = np.unique(self._book.edge, return_index=True)
        for edge, stop in zip(edges.tolist(), stops.tolist(), strict=True):
            movement = int(self._book.movement[stop])
            end_m = self._length_m[edge] - (self._room_m[movement] if movement >= 0 else 0.0)
            for lane in range(self._n_lanes[edge]):
                # Just behind somebody or, with nobody ahead, at the end.
                others = self._taken.get((edge, lane), [])
                fronts = [front - size - queue_m - 1e-6 for front, size, _ in others] + [end_m]
                for offset_m in fronts:
                    found = self.take(row, stop, offset_m, length_m, queue_m)
                    if found >= 0:
                        return stop, offset_m, found
        return None
