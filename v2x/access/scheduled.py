"""Scheduled resource allocation (LTE-V2X mode 3): a base station or RSU gives every grant."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import TRANSMISSION, AccessContext, SlotTransmissions
from v2x.phy.resource_pool import ResourcePool
from v2x.units import US_PER_MS

#: A vehicle on a shared resource gets another if its nearest sharer is then this much farther.
_WORTH_A_CHANGE = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledParams:
    """Resource pool, delays and spatial reuse of a central scheduler.

    Parameters
    ----------
    n_subchannels, subchannel_rb, adjacent
        As for LTE-V2X mode 4.
    reuse_distance_m
        Vehicles at least this far apart may have the same resource [m].
    request_ms
        From the arrival of a packet without a grant until the scheduler knows of it [ms]
        (scheduling request and buffer status; with the grant 2 to 12 ms are typical, medium
        confidence).
    grant_ms
        From the decision to the first slot a vehicle can use [ms]; 4 subframes from the DCI to the
        sidelink in LTE (TS 36.213 14.2.1; low confidence).
    review_ms
        Time between reviews, which part vehicles that have come too close to those they share
        a resource with [ms].
    """

    n_subchannels: int = 10
    subchannel_rb: int = 10
    adjacent: bool = True
    reuse_distance_m: float = 1000.0
    request_ms: float = 4.0
    grant_ms: float = 4.0
    review_ms: float = 500.0

    def __post_init__(self) -> None:
        """Reject impossible delays and distances."""
        self.resource_pool()
        for name in ("reuse_distance_m", "review_ms"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        for name in ("request_ms", "grant_ms"):
            if not 0.0 <= getattr(self, name) <= 1000.0:
                raise ValueError(f"{name} must be within 0 and 1000, got {getattr(self, name)}")

    @property
    def sensing_window_ms(self) -> int:
        """No sensing; the busy ratio still needs the last 100 ms."""
        return 100

    def resource_pool(self) -> ResourcePool:
        """Return the pool that the parameters describe."""
        return ResourcePool(
            n_subchannels=self.n_subchannels,
            subchannel_rb=self.subchannel_rb,
            adjacent=self.adjacent,
        )


class Scheduled:
    """A scheduler that sees everybody gives each vehicle a semi-persistent grant of its own.

    The upper bound for the autonomous modes: nobody is out of coverage, requests and grants are
    never lost, positions are exact. A resource is a slot of the period and a block of
    subchannels. Among those that nobody within the reuse distance holds, the scheduler takes
    one in whose slot the fewest neighbours transmit (they would not hear each other), then
    the one that comes soonest. If all are held within that distance, it takes the one whose
    nearest holder is farthest away. Grants end when vehicles leave.
    """

    Params = ScheduledParams

    def __init__(self, params: ScheduledParams, context: AccessContext) -> None:
        n, slot_us = context.n_nodes, context.pool.slot_us
        self._params = params
        self._length = context.grant_subchannels
        self._period = context.period_ms * US_PER_MS // slot_us
        self._n_blocks = context.pool.n_subchannels // self._length
        self._wrap_m = context.wrap_length_m
        self._grant_slots = math.ceil(params.grant_ms * US_PER_MS / slot_us)
        self._delay_slots = self._grant_slots + math.ceil(params.request_ms * US_PER_MS / slot_us)
        self._review_slots = math.ceil(params.review_ms * US_PER_MS / slot_us)
        self._next_review = 0
        self._now = 0
        self._phase = np.repeat(np.arange(self._period), self._n_blocks)
        self._position = np.zeros((2, n))
        self._resource = np.full(n, -1, dtype=np.int64)
        self._from_slot = np.zeros(n, dtype=np.int64)
        self._arrival = np.zeros(n, dtype=np.int64)
        self._packet = np.full(n, -1, dtype=np.int64)
        self._deadline = np.zeros(n, dtype=np.int64)
        self._priority = np.zeros(n, dtype=np.int64)
        self._due_slot = np.full(n, -1, dtype=np.int64)
        self._due: dict[int, set[int]] = {}
        self._due_order: list[int] = []

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity; nothing here is random."""

    def locate(self, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> None:
        """Take the positions of all nodes [m], and part those who have come too close."""
        self._position[0], self._position[1] = x_m, y_m
        if self._now >= self._next_review:
            self._next_review = self._now + self._review_slots
            self._review()

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Accept a packet; see :meth:`AccessTechnology.enqueue`."""
        replaced = int(self._packet[node])
        self._now = slot
        self._arrival[node] = slot
        self._packet[node] = packet
        self._deadline[node] = deadline_slot
        self._priority[node] = priority
        granted = self._resource[node] >= 0
        usable = slot + self._delay_slots
        if not granted or (self._opportunity(node, slot) > deadline_slot >= usable):
            self._resource[node] = self._choose(node, usable, deadline_slot)
            self._from_slot[node] = usable
        self._set_due(node, self._opportunity(node, slot))
        return replaced

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        self._now = slot
        sent: list[int] = []
        dropped: list[int] = []
        for node in sorted(self._due.pop(slot, ())):
            if self._due_slot[node] == slot:
                (sent if slot <= self._deadline[node] else dropped).append(node)
        lost = self._packet[np.array(dropped, dtype=np.intp)].astype(np.int32)
        out = self._transport_blocks(np.array(sent, dtype=np.intp))
        done = np.array([*sent, *dropped], dtype=np.intp)
        self._packet[done] = self._due_slot[done] = -1
        return out, lost

    def _transport_blocks(self, node: NDArray[np.intp]) -> SlotTransmissions:
        """Return the waiting packets of nodes on their resources; they reserve nothing."""
        out = np.zeros(len(node), dtype=TRANSMISSION)
        out["node"] = node
        out["packet"] = self._packet[node]
        out["first_subchannel"] = self._resource[node] % self._n_blocks * self._length
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
        self._packet[node] = self._due_slot[node] = self._resource[node] = -1
        return packet

    def _opportunity(self, node: int, slot: int) -> int:
        """Return the first slot from `slot` on in which the grant of a node lets it send."""
        first = max(slot, int(self._from_slot[node]))
        phase = int(self._resource[node]) // self._n_blocks
        return first + (phase - first) % self._period

    def _set_due(self, node: int, slot: int) -> None:
        self._due_slot[node] = slot
        if slot not in self._due:
            self._due[slot] = set()
            heapq.heappush(self._due_order, slot)
        self._due[slot].add(node)

    def _choose(self, node: int, usable: int, deadline: int) -> int:
        """Return the best resource from slot `usable` on, in time for `deadline` if one is."""
        nearest_m, n_holders, n_in_slot = self._neighbourhood(node)
        wait = (self._phase - usable) % self._period
        in_time = usable + wait <= deadline
        if not in_time.any():
            in_time[:] = True
        late = (self._phase - self._arrival[node]) % self._period
        free = in_time & (nearest_m >= self._params.reuse_distance_m)
        if free.any():
            order = np.lexsort((late, n_in_slot, ~free))
        else:
            order = np.lexsort((late, n_in_slot, n_holders, -nearest_m, ~in_time))
        return int(order[0])

    def _neighbourhood(
        self, node: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Return how the others use each resource, as `node` sees it.

        Returns
        -------
        nearest_m : (n_resources,) float64
            Distance to the nearest holder [m], infinite without one.
        n_holders : (n_resources,) int64
            Holders at any distance.
        n_in_slot : (n_resources,) int64
            Holders of anything in the same slot within the reuse distance.
        """
        n_resources = len(self._phase)
        held = self._resource >= 0
        held[node] = False
        resource = self._resource[held]
        distance_m = self._distance_m(node)[held]
        nearest_m = np.full(n_resources, np.inf)
        np.minimum.at(nearest_m, resource, distance_m)
        close = resource[distance_m < self._params.reuse_distance_m]
        in_slot = np.bincount(close // self._n_blocks, minlength=self._period)
        return nearest_m, np.bincount(resource, minlength=n_resources), in_slot[self._phase]

    def _distance_m(self, node: int) -> NDArray[np.float64]:
        """Return the distance of every node from one [m], shape (n_nodes,)."""
        dx, dy = np.abs(self._position - self._position[:, [node]])
        if self._wrap_m > 0.0:
            dx = np.minimum(dx, self._wrap_m - dx)
        return np.asarray(np.hypot(dx, dy))

    def _review(self) -> None:
        """Move vehicles that are too close to others on their resource, if that helps them."""
        shared = np.bincount(self._resource[self._resource >= 0], minlength=len(self._phase)) > 1
        sharers = np.flatnonzero((self._resource >= 0) & shared[self._resource])
        usable = self._now + self._grant_slots
        for node in sharers.tolist():
            nearest_m = self._neighbourhood(node)[0]
            own_m = nearest_m[self._resource[node]]
            if own_m >= self._params.reuse_distance_m:
                continue
            waits = self._packet[node] >= 0
            deadline = int(self._deadline[node]) if waits else usable + self._period
            better = self._choose(node, usable, deadline)
            if nearest_m[better] < _WORTH_A_CHANGE * own_m:
                continue
            self._move(node, better, usable, deadline)

    def _move(self, node: int, resource: int, usable: int, deadline: int) -> None:
        """Give a node another resource, unless a waiting packet would then come too late."""
        former = int(self._resource[node]), int(self._from_slot[node])
        self._resource[node], self._from_slot[node] = resource, usable
        if self._packet[node] < 0:
            return
        slot = self._opportunity(node, usable)
        if slot > deadline:
            self._resource[node], self._from_slot[node] = former
        else:
            self._set_due(node, slot)
