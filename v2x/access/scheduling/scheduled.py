"""Scheduled resource allocation (LTE-V2X mode 3, NR-V2X mode 1): somebody gives every grant."""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.base import TRANSMISSION, AccessContext, SlotTransmissions
from v2x.access.scheduling.out_of_coverage import Coverage, ExceptionalPool
from v2x.access.scheduling.params import ScheduledParams
from v2x.access.scheduling.reuse_map import Grid, ReuseMap
from v2x.units import US_PER_MS

#: A vehicle gets another place if that takes the pressure on it down by this factor ...
_WORTH_A_CHANGE = 1.2
#: ... and all get new ones if that takes the sum down by this.
_WORTH_A_NEW_ORDER = 1.5


class Scheduled:
    """A scheduler that knows where everybody is gives each vehicle a resource.

    The upper bound for the autonomous modes: requests and grants are never lost, positions are
    exact and, unless the scenario says otherwise, nobody is out of coverage. Which place of the
    period a vehicle gets is found by :class:`ReuseMap`; here are requests, grants, packets and
    reviews. See ``docs/scheduled.md``.
    """

    Params = ScheduledParams

    def __init__(self, params: ScheduledParams, context: AccessContext) -> None:
        n = context.n_nodes
        self._slot_us = context.pool.slot_us
        self._length = max(context.grant_subchannels, context.event_subchannels or 0)
        self._coverage = Coverage(params, context)
        self._exceptional = ExceptionalPool(params, context, self._length)
        self._map = ReuseMap(
            n,
            Grid(
                n_slots=context.period_ms * US_PER_MS // self._slot_us,
                n_subchannels=context.pool.n_subchannels - params.exceptional_subchannels,
                length=self._length,
            ),
            reuse_distance_m=params.reuse_distance_m,
            wrap_length_m=context.wrap_length_m,
        )
        self._covered: NDArray[np.bool_] = np.ones(n, dtype=np.bool_)
        self._persistent = params.grant != "dynamic"
        by_rrc = params.grant == "configured-1"
        request_ms, grant_ms = params.delays_ms()
        self._grant_slots = self._slots(params.rrc_ms if by_rrc else grant_ms)
        self._again_slots = self._slots(request_ms) + self._grant_slots
        self._first_slots = 0 if by_rrc else self._again_slots
        self._sr_period = 0 if by_rrc else self._slots(params.sr_period_ms)
        self._sr_key = rng.key32(context.seed, "access", "scheduling request")
        self._sr_phase = np.zeros(n, dtype=np.int64)
        self._review_slots = self._slots(params.review_ms)
        self._next_review = self._now = 0
        self._from_slot = np.zeros(n, dtype=np.int64)
        self._packet = np.full(n, -1, dtype=np.int64)
        self._arrival = np.zeros(n, dtype=np.int64)
        self._deadline = np.zeros(n, dtype=np.int64)
        self._priority = np.zeros(n, dtype=np.int64)
        self._start = np.zeros(n, dtype=np.int64)
        self._due_slot = np.full(n, -1, dtype=np.int64)
        self._due: dict[int, set[int]] = {}
        self._due_order: list[int] = []

    def _slots(self, time_ms: float) -> int:
        return math.ceil(time_ms * US_PER_MS / self._slot_us - 1e-9)

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity, shape (n_nodes,)."""
        self._exceptional.identity = identity
        if self._sr_period > 1:
            share = rng.uniform_by_id(self._sr_key, identity, 0)
            self._sr_phase = (share * self._sr_period).astype(np.int64)

    def locate(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> None:
        """Take the positions of all nodes [m], and part those who have come too close."""
        self._map.move(x_m, y_m)
        self._covered = self._coverage.of(self._map.position)
        if self._persistent and self._now >= self._next_review:
            self._next_review = self._now + self._review_slots
            self._review()

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Accept a packet; see :meth:`AccessTechnology.enqueue`."""
        replaced = int(self._packet[node])
        self._now = slot
        self._packet[node], self._arrival[node] = packet, slot
        self._deadline[node], self._priority[node] = deadline_slot, priority
        if self._covered[node]:
            self._schedule(node, slot, deadline_slot)
        else:
            self._go_without(node, slot, deadline_slot)
        return replaced

    def _schedule(self, node: int, slot: int, deadline_slot: int) -> None:
        """Let a packet wait for the grant of its node, or for one that is asked for."""
        granted = bool(self._map.place[node] >= 0)
        usable = slot + (self._again_slots if granted else self._first_slots)
        if self._sr_period > 1:
            usable += int((self._sr_phase[node] - slot) % self._sr_period)
        if not granted or self._opportunity(node, slot) > deadline_slot >= usable:
            self._map.place[node] = self._choose(node, usable, deadline_slot)
            self._from_slot[node] = usable
        self._await_grant(node, slot)

    def _go_without(self, node: int, slot: int, deadline_slot: int) -> None:
        """Send a packet by chance, or not at all, where nobody gives grants."""
        self._map.place[node] = -1
        attempt = self._exceptional.draw(node, slot, deadline_slot)
        if attempt is None:
            self._deadline[node] = slot - 1
            self._set_due(node, slot, 0)
        else:
            self._set_due(node, *attempt)

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        self._now = slot
        due = np.array(sorted(self._due.pop(slot, ())), dtype=np.intp)
        due = due[self._due_slot[due] == slot]
        in_time = slot <= self._deadline[due]
        lost = self._packet[due[~in_time]].astype(np.int32)
        out = self._transport_blocks(due[in_time])
        self._packet[due] = self._due_slot[due] = -1
        if not self._persistent:
            self._map.place[due] = -1
        return out, lost

    def _transport_blocks(self, node: NDArray[np.intp]) -> SlotTransmissions:
        """Return the waiting packets of nodes on their resources; they reserve nothing."""
        out = np.zeros(len(node), dtype=TRANSMISSION)
        out["node"] = node
        out["packet"] = self._packet[node]
        out["first_subchannel"] = self._start[node]
        out["n_subchannels"] = self._length
        out["n_attempts"] = 1
        out["priority"] = self._priority[node]
        return out

    def next_active(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) in which something is due, or `limit`."""
        order = self._due_order
        while order and order[0] < slot:
            heapq.heappop(order)
        return min(order[0], limit) if order else limit

    def forget(self, node: int) -> int:
        """Release the grant of a node that left; returns its waiting packet, or -1."""
        packet = int(self._packet[node])
        self._packet[node] = self._due_slot[node] = -1
        self._map.forget(node)
        return packet

    def _opportunity(self, node: int, slot: int) -> int:
        """Return the first slot from `slot` on in which the grant of a node lets it send."""
        grid = self._map.grid
        first = max(slot, int(self._from_slot[node]))
        return first + (int(self._map.place[node]) // grid.n_starts - first) % grid.n_slots

    def _await_grant(self, node: int, slot: int) -> None:
        start = int(self._map.place[node]) % self._map.grid.n_starts
        self._set_due(node, self._opportunity(node, slot), start)

    def _set_due(self, node: int, slot: int, start: int) -> None:
        self._due_slot[node], self._start[node] = slot, start
        if slot not in self._due:
            self._due[slot] = set()
            heapq.heappush(self._due_order, slot)
        self._due[slot].add(node)

    def _choose(self, node: int, usable: int, deadline: int) -> int:
        """Return the best place from slot `usable` on, in time for `deadline` if one is."""
        return self._map.best(
            *self._map.around(node), *self._waits(usable, deadline, int(self._arrival[node]))
        )

    def _waits(
        self, usable: int, deadline: int, since: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which slots of the period, from `usable` on, are in time, and their waits."""
        n_slots = self._map.grid.n_slots
        slot = np.arange(n_slots)
        return usable + (slot - usable) % n_slots <= deadline, (slot - since) % n_slots

    def _review(self) -> None:
        """Give new places where vehicles have come too close to those they share with."""
        places = self._map
        pressure = places.pressures(places.place)
        if not np.any(pressure > places.limit):
            return
        if np.sum(places.place >= 0) > places.grid.n_disjoint:
            ordered = places.in_road_order()
            if math.fsum(places.pressures(ordered)) * _WORTH_A_NEW_ORDER < math.fsum(pressure):
                for node in np.flatnonzero(ordered != places.place).tolist():
                    self._move(node, int(ordered[node]))
                pressure = places.pressures(places.place)
        crowded = np.flatnonzero(pressure > places.limit)
        for node in crowded[np.argsort(-pressure[crowded], kind="stable")].tolist():
            self._relieve(node)

    def _relieve(self, node: int) -> None:
        """Give a node another place if much less presses on it there."""
        places = self._map
        around, n_neighbours = places.around(node)
        usable = self._now + self._grant_slots
        waiting = self._packet[node] >= 0
        deadline = int(self._deadline[node]) if waiting else usable + places.grid.n_slots
        best = places.best(
            around, n_neighbours, *self._waits(usable, deadline, int(self._arrival[node]))
        )
        if around.flat[best] * _WORTH_A_CHANGE < around.flat[places.place[node]]:
            self._move(node, best)

    def _move(self, node: int, place: int) -> None:
        """Give a node another place; a waiting packet that is then too late goes as it was to."""
        usable = self._now + self._grant_slots
        self._map.place[node], self._from_slot[node] = place, usable
        waits = self._packet[node] >= 0
        if waits and self._opportunity(node, usable) <= self._deadline[node]:
            self._await_grant(node, usable)
