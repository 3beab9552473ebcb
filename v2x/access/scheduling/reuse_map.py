"""Who holds which resource where, and how much holders of the same or near ones disturb."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: What a transmission leaks into other subchannels of its slot, as a share of its own density:
#: the general limit of TS 36.101 6.5.2.3 far from the allocation.
_LEAKAGE = 1e-3
#: Nearer holders disturb no more than at this distance [m].
_NEAR_M = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The places of a period: a slot and the first of `length` adjacent subchannels.

    Attributes
    ----------
    n_slots
        Slots of the period.
    n_subchannels
        Subchannels that are given out.
    length
        Subchannels of a grant.
    """

    n_slots: int
    n_subchannels: int
    length: int

    @property
    def n_starts(self) -> int:
        """First subchannels that a grant may have; places overlap if they are close."""
        return self.n_subchannels - self.length + 1

    @property
    def n_places(self) -> int:
        """Places of the period; place p has slot p // n_starts and start p % n_starts."""
        return self.n_slots * self.n_starts

    @property
    def n_disjoint(self) -> int:
        """Most holders that can do without sharing."""
        return self.n_slots * (self.n_subchannels // self.length)

    def coupling(self) -> NDArray[np.float64]:
        """Return what part of a grant another of the same slot meets, (n_starts, n_starts).

        Examples
        --------
        >>> Grid(n_slots=1, n_subchannels=5, length=3).coupling().round(2)
        array([[1.  , 0.67, 0.33],
               [0.67, 1.  , 0.67],
               [0.33, 0.67, 1.  ]])
        """
        start = np.arange(self.n_starts)
        shared = self.length - np.abs(start[:, None] - start)
        return np.asarray(np.maximum(shared / self.length, _LEAKAGE))

    def lap_starts(self) -> list[int]:
        """Return the starts of grants that fill slot after slot, lap by lap over the period.

        Disjoint blocks from the bottom, then from the top, so that whoever shares a slot with the
        next ones before and behind overlaps them as little as the pool allows.

        Examples
        --------
        >>> Grid(n_slots=1, n_subchannels=5, length=2).lap_starts()
        [0, 2, 1, 3]
        """
        bottom = list(range(0, self.n_starts, self.length))
        spare = self.n_starts - 1 - bottom[-1]
        return bottom + [start + spare for start in bottom] if spare else bottom


class ReuseMap:
    """Places held by nodes, and the pressure on them.

    The pressure on a place is the sum over the other holders of its slot of the part of it that
    they cover, divided by their distance to the fourth power, which is how power falls over
    flat ground. A lone holder of the whole place at the reuse distance gives the limit under
    which a place counts as free.

    Parameters
    ----------
    n_nodes
        Rows of the fleet.
    grid
        The places.
    reuse_distance_m
        See above [m].
    wrap_length_m
        Period of the map in x [m], 0 without.

    Attributes
    ----------
    place : (n_nodes,) int64
        Place of each node, -1 for none.
    position, step : (2, n_nodes) float64
        Where nodes are, and how far they came since the last call of :meth:`move` [m].
    limit : float
        Pressure under which a place is free [m^-4].
    """

    def __init__(
        self, n_nodes: int, grid: Grid, *, reuse_distance_m: float, wrap_length_m: float
    ) -> None:
        self.grid = grid
        self.place = np.full(n_nodes, -1, dtype=np.int64)
        self.position = np.zeros((2, n_nodes))
        self.step = np.zeros((2, n_nodes))
        self.limit = reuse_distance_m**-4.0 * (1.0 + 1e-9)
        self._reuse_m = reuse_distance_m
        self._wrap_m = wrap_length_m
        self._coupling = grid.coupling()
        self._known = np.zeros(n_nodes, dtype=np.bool_)

    def move(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> None:
        """Take the positions of all nodes [m]."""
        after = np.array((x_m, y_m), dtype=np.float64)
        self.step = np.where(self._known, self._shortest(after - self.position), 0.0)
        self.position = after
        self._known[:] = True

    def forget(self, node: int) -> None:
        """Release the place of a node that left; its row goes to somebody else."""
        self.place[node] = -1
        self._known[node] = False

    def around(self, node: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return how the others use each place, as `node` sees it.

        Returns
        -------
        pressure : (n_slots, n_starts) float64
            Pressure on each place [m^-4].
        n_neighbours : (n_slots,) int64
            Holders of anything in the slot within the reuse distance.
        """
        grid = self.grid
        others = np.flatnonzero(self.place >= 0)
        others = others[others != node]
        square = self._square_m2(self.position[:, others] - self.position[:, [node]])
        place = self.place[others]
        held = np.bincount(place, weights=1.0 / (square * square), minlength=grid.n_places)
        held = held.reshape(grid.n_slots, grid.n_starts)
        pressure = np.zeros((grid.n_slots, grid.n_starts))
        for start in range(grid.n_starts):  # no matrix product: its bits depend on the machine
            pressure += held[:, [start]] * self._coupling[start]
        close = place[square < self._reuse_m**2] // grid.n_starts
        return pressure, np.bincount(close, minlength=grid.n_slots)

    def best(
        self,
        pressure: NDArray[np.float64],
        n_neighbours: NDArray[np.int64],
        in_time: NDArray[np.bool_],
        wait: NDArray[np.int64],
    ) -> int:
        """Return the place to take.

        Of the free ones, in a slot with the fewest neighbours (who would not hear each other),
        then the soonest; if none is free, the one under the least pressure.

        Parameters
        ----------
        pressure, n_neighbours
            From :meth:`around`.
        in_time, wait : (n_slots,) bool, int64
            Slots that may be used, and how long a packet waits for each.
        """
        slots = in_time if in_time.any() else np.ones_like(in_time)
        allowed = np.broadcast_to(slots[:, None], pressure.shape)
        free = allowed & (pressure <= self.limit)
        fewest = np.broadcast_to(n_neighbours[:, None], pressure.shape)
        soonest = np.broadcast_to(wait[:, None], pressure.shape)
        chosen = free if free.any() else _least(allowed, pressure)
        return int(np.argmax(_least(_least(chosen, fewest), soonest)))

    def pressures(self, place: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the pressure on each node if all had the places given, (n_nodes,) [m^-4]."""
        result = np.zeros(len(place))
        slot, start = np.divmod(place, self.grid.n_starts)
        holders = np.flatnonzero(place >= 0)
        by_slot = holders[np.argsort(slot[holders], kind="stable")]
        for apart in range(1, len(by_slot)):
            one, other = by_slot[:-apart], by_slot[apart:]
            same = slot[one] == slot[other]
            if not same.any():
                break
            one, other = one[same], other[same]
            square = self._square_m2(self.position[:, one] - self.position[:, other])
            weight = self._coupling[start[one], start[other]] / (square * square)
            result += np.bincount(one, weights=weight, minlength=len(place))
            result += np.bincount(other, weights=weight, minlength=len(place))
        return result

    def in_road_order(self) -> NDArray[np.int64]:
        """Return places that are as far as they can be from their own kind on a straight road.

        Each direction of travel gets a part of the slots, so that nobody drives towards those
        with whom they share, and in it consecutive vehicles consecutive slots, lap by lap over
        the period. "Along" is the axis in which the holders spread most; on a
        network of roads the result is no more than a proposal.

        Returns
        -------
        (n_nodes,) int64
            Places; -1 where a node has none now.
        """
        place = np.full_like(self.place, -1)
        holders = np.flatnonzero(self.place >= 0)
        axis = self._axis(holders)
        forwards = axis @ self.step[:, holders] >= 0.0
        along = axis @ self.position[:, holders]
        lap_starts = np.array(self.grid.lap_starts())
        first = 0
        for group, n_slots in self._shares(holders, forwards):
            member = holders[group]
            order = member[np.argsort(along[group], kind="stable")]
            turn = np.arange(len(order))
            if self._wrap_m > 0.0:  # the last meets the first: close the ring evenly
                turn = turn * (n_slots * -(-len(order) // n_slots)) // len(order)
            lap, slot = np.divmod(turn, n_slots)
            starts = lap_starts[lap % len(lap_starts)]
            place[order] = (first + slot) * self.grid.n_starts + starts
            first += n_slots
        return place

    def _shares(
        self, holders: NDArray[np.intp], forwards: NDArray[np.bool_]
    ) -> list[tuple[NDArray[np.bool_], int]]:
        """Return each direction that somebody takes, and how many slots it gets."""
        n_slots, n = self.grid.n_slots, len(holders)
        n_forwards = int(forwards.sum())
        if n_forwards in (0, n) or n_slots < 2:
            return [(np.ones(n, dtype=np.bool_), n_slots)]
        share = min(max(round(n_slots * n_forwards / n), 1), n_slots - 1)
        return [(forwards, share), (~forwards, n_slots - share)]

    def _axis(self, nodes: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the unit vector along which nodes spread most; x on a map without ends."""
        if self._wrap_m > 0.0 or not len(nodes):
            return np.array((1.0, 0.0))
        dx, dy = self.position[:, nodes] - self.position[:, nodes].mean(axis=1, keepdims=True)
        angle = 0.5 * math.atan2(2.0 * float(np.sum(dx * dy)), float(np.sum(dx * dx - dy * dy)))
        return np.array((math.cos(angle), math.sin(angle)))

    def _shortest(self, delta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return differences of positions [m], (2, n), the short way round."""
        if self._wrap_m > 0.0:
            delta[0] -= self._wrap_m * np.round(delta[0] / self._wrap_m)
        return delta

    def _square_m2(self, delta: NDArray[np.float64]) -> NDArray[np.float64]:
        dx, dy = self._shortest(delta)
        return np.asarray(np.maximum(dx * dx + dy * dy, _NEAR_M**2))


def _least(chosen: NDArray[np.bool_], value: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return which of the chosen have the least value."""
    least: NDArray[np.bool_] = chosen & (value == value[chosen].min())
    return least
