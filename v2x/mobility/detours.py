"""New ways for vehicles that are under way: past a missed turn, or round closed edges."""

from __future__ import annotations

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook, Router
from v2x.mobility.vehicles import Vehicles

#: Way that a driver needs besides its stopping distance to take up another lane or turn [m].
_READY_M = 40.0
#: Goals of ways that avoid something count down from here: nobody else has them, as the kernel
#: takes vehicles with one goal on one edge to stay together.
_FIRST_GOAL = -1_000_000_000


class Detours:
    """Finds new ways, enters them in the book of routes and puts vehicles on them.

    Parameters
    ----------
    network, router, book, vehicles
        Parts of the traffic model.

    Attributes
    ----------
    n_missed : int
        Turns so far that a vehicle missed.
    """

    def __init__(
        self, network: LaneNetwork, router: Router, book: RouteBook, vehicles: Vehicles
    ) -> None:
        self._network = network
        self._router = router
        self._book = book
        self._vehicles = vehicles
        self._stops: dict[tuple[int, int, int], int] = {}
        self._around: dict[tuple[int, tuple[int, ...], int, frozenset[int]], int | None] = {}
        self._goals: dict[tuple[int, frozenset[int]], int] = {}
        self._edge_of: dict[int, int] = {}
        self.n_missed = 0

    def out_of_lane(self, row: int, stop: int, lane: int) -> bool:
        """Give a vehicle that missed its turn a new route out of the lane it is in.

        Returns
        -------
        bool
            Whether the book of routes has grown.
        """
        network, book = self._network, self._book
        edge = int(book.edge[stop])
        first, end = network.first_movement[edge : edge + 2].tolist()
        goals = [self._goal(stop)]
        goals += sorted({int(goal) for goal in book.goal if goal >= 0} - set(goals))
        for movement in range(first, end):
            if not network.lane_low[movement] <= lane <= network.lane_high[movement]:
                continue
            onto = int(network.to_edge[movement])
            for goal in goals:
                path = self._router.path(onto, goal) if goal >= 0 else None
                if path is None:
                    continue
                key = (edge, onto, goal)
                grows = key not in self._stops
                if grows:
                    # What the vehicle may still lie on stays part of its way.
                    past = _past_edges(book, stop)
                    self._stops[key] = book.add([[*past, edge, *path]])[0] + len(past)
                self._vehicles.stop[row] = self._stops[key]
                self._vehicles.cleared[row] = 0
                self.n_missed += 1
                return grows
        return False

    def around(self, row: int, avoid: frozenset[int]) -> tuple[bool, bool]:
        """Give a vehicle a way to its goal without some edges.

        It keeps the movements that have been cleared for it and those that it could not give up
        any more without braking hard.

        Returns
        -------
        bool
            Whether its way now leads past none of these edges.
        bool
            Whether the book of routes has grown.
        """
        vehicles = self._vehicles
        stop = int(vehicles.stop[row])
        if stop < 0:
            return False, False
        if not avoid & set(self._ahead(stop)):
            return True, False
        goal = self._goal(stop)
        new, grows = None, False
        # At once if its lane leads there, else where there is time to take another one.
        for ready_m in (0.0, _READY_M):
            kept = self._kept(row, stop, ready_m)
            if goal < 0 or kept is None or avoid & set(kept[1:]):
                return False, grows
            past = _past_edges(self._book, stop)
            key = (len(past), (*past, *kept), goal, avoid)
            if key not in self._around:
                self._around[key] = self._added(past, kept, goal, avoid)
                grows |= self._around[key] is not None
            new = self._around[key]
            if new is None:
                return False, grows
            if ready_m > 0.0 or self._leads_there(row, new, len(kept)):
                break
        assert new is not None
        vehicles.stop[row] = new
        return True, grows

    def _added(
        self, past: list[int], kept: list[int], goal: int, avoid: frozenset[int]
    ) -> int | None:
        """Enter a way round some edges in the book; return the stop of its present edge."""
        book = self._book
        path = self._router.path_without(kept[-1], goal, avoid)
        if path is None:
            return None
        first = book.add([[*past, *kept[:-1], *path]])[0]
        number = self._goals.setdefault((goal, avoid), _FIRST_GOAL - len(self._goals))
        self._edge_of[number] = goal
        book.goal[first:] = number
        return first + len(past)

    def _kept(self, row: int, stop: int, ready_m: float) -> list[int] | None:
        """Return the edges that the vehicle drives on in any case; None if to the end."""
        vehicles, book = self._vehicles, self._book
        length_m = self._network.road_map.edge_length_m
        kept = [int(book.edge[stop])]
        rest_m = float(length_m[kept[0]] - vehicles.offset_m[row])
        need_m = float(vehicles.stopping_m[row]) + ready_m
        cleared = int(vehicles.cleared[row])
        while cleared > 0 or rest_m < need_m:
            stop = int(book.after[stop])
            if stop < 0:
                return None
            kept.append(int(book.edge[stop]))
            rest_m += float(length_m[kept[-1]])
            cleared -= 1
        return kept

    def _leads_there(self, row: int, stop: int, n_kept: int) -> bool:
        """Return whether the lane of a vehicle leads to the first new edge of a way."""
        network, book = self._network, self._book
        lane = int(self._vehicles.lane[row])
        for _ in range(n_kept - 1):
            lane += int(network.lane_shift[book.movement[stop]])
            stop = int(book.after[stop])
        movement = int(book.movement[stop])
        low, high = int(network.lane_low[movement]), int(network.lane_high[movement])
        return movement < 0 or low <= lane <= high

    def _ahead(self, stop: int) -> list[int]:
        """Return the edges of a way from a stop on, without its own."""
        book, first = self._book, stop
        edges = []
        while book.after[stop] >= 0 and book.after[stop] != first:
            stop = int(book.after[stop])
            edges.append(int(book.edge[stop]))
        return edges

    def _goal(self, stop: int) -> int:
        """Return the edge to which a way leads; negative for one that leads nowhere."""
        goal = int(self._book.goal[stop])
        return self._edge_of.get(goal, goal)


def _past_edges(book: RouteBook, stop: int) -> list[int]:
    """Return up to sixteen edges travelled before a stop, the oldest first."""
    past: list[int] = []
    at = int(book.before[stop])
    while at >= 0 and len(past) < 16:
        past.append(int(book.edge[at]))
        at = int(book.before[at])
    return past[::-1]
