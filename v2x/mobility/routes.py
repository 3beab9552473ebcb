"""Ways through the network: fastest paths over movements, and what a driver knows ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.conditions import RoadConditions
from v2x.mobility.junctions import LaneNetwork
from v2x.world.road_map import FloatArray, IntArray

#: How far ahead a driver knows which lanes the route needs [m].
LANE_VIEW_M = 800.0


_COLUMNS = (
    "edge",
    "movement",
    "after",
    "before",
    "goal",
    "exit_speed_mps",
    "hold_mps",
    "lane_low",
    "lane_high",
    "lane_view_m",
)


class Router:
    """Fastest paths from edge to edge.

    Movements, not nodes, are the steps of a path, so nobody turns back on the spot or turns
    where no lane leads. The path from an edge to a destination depends on nothing else, so two
    vehicles with one destination that are on one edge stay together; the car-following kernel
    relies on it.

    Parameters
    ----------
    network
        Lanes and movements.
    """

    def __init__(self, network: LaneNetwork) -> None:
        self._network = network
        road_map = network.road_map
        self.time_s: FloatArray = road_map.edge_length_m / road_map.edge_limit_mps
        self._onward: dict[int, IntArray] = {}

    def onward(self, destination: int) -> IntArray:
        """Return the next edge on the way from each edge to `destination`.

        Returns
        -------
        (n_edges,) int32
            -1 where there is no way, and at the destination.
        """
        if destination not in self._onward:
            from scipy.sparse import csr_array
            from scipy.sparse.csgraph import dijkstra

            network = self._network
            n = network.road_map.n_edges
            cost_s = self.time_s[network.to_edge]
            graph = csr_array((cost_s, (network.to_edge, network.from_edge)), shape=(n, n))
            start = np.array([destination])
            _, after = dijkstra(graph, indices=start, return_predecessors=True)
            # Unreached edges are far below -1 there.
            self._onward[destination] = np.maximum(after[0], -1).astype(np.int32)
        return self._onward[destination]

    def path_without(
        self, origin: int, destination: int, avoid: frozenset[int]
    ) -> list[int] | None:
        """Return the edges from `origin` to `destination`, both included, without some edges.

        The edge of the origin itself may be one of them. None without a way.
        """
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import dijkstra

        if destination in avoid:
            return None
        network = self._network
        kept = ~np.isin(network.to_edge, list(avoid))
        onto, start = network.to_edge[kept], network.from_edge[kept]
        n = network.road_map.n_edges
        graph = csr_array((self.time_s[onto], (start, onto)), shape=(n, n))
        _, before = dijkstra(graph, indices=np.array([origin]), return_predecessors=True)
        path = [destination]
        while path[-1] != origin:
            path.append(int(before[0, path[-1]]))
            if path[-1] < 0:
                return None
        return path[::-1]

    def path(self, origin: int, destination: int) -> list[int] | None:
        """Return the edges from `origin` to `destination`, both included; None without a way."""
        onward = self.onward(destination)
        path = [origin]
        while path[-1] != destination:
            after = int(onward[path[-1]])
            if after < 0:
                return None
            path.append(after)
        return path


class RouteBook:
    """All routes in use, one after the other in flat arrays.

    A vehicle holds a *stop*: an index into these arrays. Routes may be added during a run;
    the arrays are then replaced by longer ones and earlier stops stay valid.

    Attributes
    ----------
    edge : (n_stops,) int32
        Edge.
    movement : (n_stops,) int32
        Movement to the next edge, -1 at the end of a route.
    after, before : (n_stops,) int32
        Next and previous stop, -1 at the ends; a circular route has none.
    goal : (n_stops,) int32
        Destination: the last edge, or of a circular route any number no other has.
    exit_speed_mps : (n_stops,) float64
        Fastest speed at the end of the edge in view of the limits and turns beyond [m/s].
    hold_mps : (n_stops * n_classes,) float64
        The same in view of what friction, sight and bends allow beyond, class by class for one
        stop after the other [m/s]; infinite where they do not matter.
    lane_low, lane_high : (n_stops,) int32
        Lanes at the end of the edge from which the route can be continued, both included.
    lane_view_m : (n_stops,) float64
        How far beyond the end of the edge these lanes become compulsory [m].
    first : list of int
        First stop of each route.
    """

    def __init__(self, network: LaneNetwork, conditions: RoadConditions) -> None:
        self._network = network
        self._turn_mps: list[float] = conditions.turn_mps.tolist()
        self._turn_cap_mps: list[float] = conditions.turn_cap_mps.tolist()
        self._approach_mps2: list[float] = conditions.approach_mps2.tolist()
        self._n_classes = conditions.n_classes
        road_map = network.road_map
        self._entry_mps = [conditions.entry_mps(edge) for edge in range(road_map.n_edges)]
        self._length_m: list[float] = road_map.edge_length_m.tolist()
        self._limit_mps: list[float] = road_map.edge_limit_mps.tolist()
        self._lanes: list[int] = road_map.edge_lanes.tolist()
        self.first: list[int] = []
        self.edge: IntArray = np.empty(0, dtype=np.int32)
        self.movement: IntArray = np.empty(0, dtype=np.int32)
        self.after: IntArray = np.empty(0, dtype=np.int32)
        self.before: IntArray = np.empty(0, dtype=np.int32)
        self.goal: IntArray = np.empty(0, dtype=np.int32)
        self.exit_speed_mps: FloatArray = np.empty(0)
        self.hold_mps: FloatArray = np.empty(0)
        self.lane_low: IntArray = np.empty(0, dtype=np.int32)
        self.lane_high: IntArray = np.empty(0, dtype=np.int32)
        self.lane_view_m: FloatArray = np.empty(0)

    @property
    def n_stops(self) -> int:
        """Number of stops of all routes."""
        return len(self.edge)

    def add(self, paths: Sequence[Sequence[int]], *, circular: bool = False) -> list[int]:
        """Append routes and return the first stop of each.

        Parameters
        ----------
        paths
            Edges of each route, each joined to the next by a movement.
        circular
            Whether the last edge of each is followed by its first.
        """
        first = []
        columns: list[list[NDArray[np.generic]]] = []
        stop = self.n_stops
        for path in paths:
            n = len(path)
            here = np.arange(stop, stop + n)
            after, before = here + 1, here - 1
            after[-1] = stop if circular else -1
            before[0] = stop + n - 1 if circular else -1
            movement = [self._network.movement(*step) for step in pairwise(path)]
            movement.append(self._network.movement(path[-1], path[0]) if circular else -1)
            # Edges number from 0, so circular routes take negative goals.
            goal = np.full(n, -1 - stop if circular else path[-1])
            lanes = self._lanes_ahead(path, movement, circular)
            speeds = self._speed_ahead(path, movement, circular)
            columns.append(
                [np.array(path), np.array(movement), after, before, goal, *speeds, *lanes]
            )
            first.append(stop)
            stop += n
        for k, name in enumerate(_COLUMNS):
            old = getattr(self, name)
            joined = np.concatenate([old, *(column[k] for column in columns)])
            setattr(self, name, joined.astype(old.dtype))
        self.first += first
        return first

    def renew(self, conditions: RoadConditions) -> None:
        """Take what holds on edges anew, in place, after speeds in `conditions` have changed."""
        self._entry_mps = [conditions.entry_mps(edge) for edge in range(len(self._length_m))]
        ends = [*self.first[1:], self.n_stops]
        for first, end in zip(self.first, ends, strict=True):
            path, movement = self.edge[first:end].tolist(), self.movement[first:end].tolist()
            circular = int(self.after[end - 1]) == first
            _, hold = self._speed_ahead(path, movement, circular)
            self.hold_mps[first * self._n_classes : end * self._n_classes] = hold

    def _speed_ahead(
        self, path: Sequence[int], movement: Sequence[int], circular: bool
    ) -> tuple[FloatArray, FloatArray]:
        """Return exit speed of each stop of a route, and what it holds for each class."""
        n = len(path)
        speed = [self._limit_mps[edge] for edge in path]
        hold = [[math.inf] * self._n_classes for _ in path]
        for k in _backwards(n, circular):
            m = movement[k]
            if m < 0:
                continue
            after = (k + 1) % n
            onto = path[after]
            slow = 2.0 * self._approach_mps2[onto] * self._length_m[onto]
            reachable = math.sqrt(speed[after] ** 2 + slow)
            limit = min(self._limit_mps[onto], self._turn_mps[m])
            speed[k] = min(limit, reachable)
            cap = self._turn_cap_mps[m]
            hold[k] = [min(cap, math.sqrt(later * later + slow)) for later in hold[after]]
            entry = self._entry_mps[onto]
            if entry is not None:
                hold[k] = [min(one, other) for one, other in zip(hold[k], entry, strict=True)]
        return np.array(speed), np.array(hold).ravel()

    def _lanes_ahead(
        self, path: Sequence[int], movement: Sequence[int], circular: bool
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return lowest and highest lane and lane view of each stop of a route."""
        n = len(path)
        low, high = [0] * n, [self._lanes[edge] - 1 for edge in path]
        view = [math.inf] * n
        network = self._network
        for k in _backwards(n, circular):
            m = movement[k]
            if m < 0:
                continue
            after = (k + 1) % n
            lowest, highest = int(network.lane_low[m]), int(network.lane_high[m])
            shift = int(network.lane_shift[m])
            narrow = (lowest, highest) != (0, self._lanes[path[k]] - 1)
            low[k], high[k], view[k] = lowest, highest, 0.0 if narrow else math.inf
            onward_view = view[after] + self._length_m[path[after]]
            lowest = max(lowest, low[after] - shift)
            highest = min(highest, high[after] - shift)
            if onward_view < LANE_VIEW_M and lowest <= highest:
                low[k], high[k] = lowest, highest
                view[k] = 0.0 if narrow else onward_view
        return np.array(low), np.array(high), np.array(view)


def _backwards(n: int, circular: bool) -> list[int]:
    """Return stops from the last to the first; a circular route's twice, to know its seam."""
    return list(range(n - 1, -1, -1)) * (2 if circular else 1)
