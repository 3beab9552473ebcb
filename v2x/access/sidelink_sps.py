"""Semi-persistent scheduling shared by the autonomous sidelink technologies.

A technology differs in how it chooses a resource; how grants run, count down, repeat and end
is the same and lives in the compiled grant book.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.grants import N_ENTRIES, N_PLACES, N_STATE, GrantBook
from v2x.access.base import TRANSMISSION, AccessContext, SlotTransmissions

#: Stands for the period of what goes once: beyond everything that can be reserved.
ONCE_SLOTS = 1 << 20


class SidelinkProcess(NamedTuple):
    """What a row of the grant book stands for.

    Attributes
    ----------
    node
        Whose it is.
    recurs
        Whether its grants recur, or are for one packet.
    n_subchannels
        Width of its transmissions.
    period
        Slots after which it recurs, as a selection sees it.
    """

    node: int
    recurs: bool
    n_subchannels: int
    period: int


def reselection_counter_range(period_ms: int) -> tuple[int, int]:
    """Return the range of SL_RESOURCE_RESELECTION_COUNTER (TS 36.321 5.14.1.1, TS 38.321 5.22.1.1).

    Examples
    --------
    >>> reselection_counter_range(100), reselection_counter_range(50)
    ((5, 15), (10, 30))
    >>> reselection_counter_range(20), reselection_counter_range(30)
    ((25, 75), (20, 60))
    """
    scale = -(-100 // min(max(20, period_ms), 100))
    return 5 * scale, 15 * scale


class SidelinkSps(ABC):
    """Grants, their calendar and the packets that wait for them.

    A node has a sidelink process for what recurs and, where there are events, one for packets
    that go once (TS 36.321 5.14.1.1, TS 38.321 5.22.1.1: a configured sidelink grant, and a grant
    for a single MAC PDU). Each is a row of the grant book, ``_n_processes`` rows a node. Neither
    chooses a slot in which the other will transmit, so a node never has two in one.

    Parameters
    ----------
    context
        See :class:`AccessContext`.
    period_ms
        Reservation period [ms].
    counter_range
        Range of the reselection counter; (1, 1) for grants that serve one packet.
    keep_probability
        probResourceKeep.
    reselect_after
        sl-ReselectAfter.
    horizon_ms
        Longest way ahead that anything is scheduled [ms].
    max_attempts
        Most transmissions of a packet.
    max_reserve, look_back
        What control information announces: how many transmissions, its own included, and whether
        that of the second of two names the first (LTE).
    review_slots
        Slots before a transmission in which its resource is reviewed; 0 for never.
    """

    def __init__(
        self,
        context: AccessContext,
        *,
        period_ms: int,
        counter_range: tuple[int, int],
        keep_probability: float,
        reselect_after: int,
        horizon_ms: int,
        max_attempts: int = 2,
        max_reserve: int = 2,
        look_back: bool = True,
        review_slots: int = 0,
    ) -> None:
        self._slot_us = context.pool.slot_us
        self._period = period_ms * 1000 // self._slot_us
        self._n_subchannels = (context.grant_subchannels, context.event_subchannels or 0)
        self._n_processes = 1 if context.event_subchannels is None else 2
        n = context.n_nodes * self._n_processes
        horizon = horizon_ms * 1000 // self._slot_us + 64
        self._book = GrantBook(
            n_nodes=context.n_nodes,
            n_processes=self._n_processes,
            horizon=horizon,
            keep_probability=keep_probability,
            counter_low=counter_range[0],
            counter_high=counter_range[1],
            reselect_after=reselect_after,
            key=rng.key32(context.seed, "access", "counters"),
            slot_us=self._slot_us,
            state=np.zeros((N_STATE, n), dtype=np.int32),
            places=np.zeros((N_PLACES, n, max_attempts), dtype=np.int32),
            head=np.zeros(horizon, dtype=np.int32),
            calendar=np.zeros((3, N_ENTRIES * n), dtype=np.int32),
            max_reserve=max_reserve,
            look_back=look_back,
            review_slots=review_slots,
        )
        self._identity: NDArray[np.uint32] = np.zeros(context.n_nodes, dtype=np.uint32)
        self._out = np.zeros(N_ENTRIES * n, dtype=TRANSMISSION)
        self._dropped = np.zeros(N_ENTRIES * n, dtype=np.int32)
        self._chosen = np.zeros(2 * max_attempts, dtype=np.int32)
        # own repetitions, and all that the other process does within the horizon
        n_others = 2 * max_attempts * (horizon // self._period + 2)
        n_busy = max_attempts + (self._n_processes - 1) * n_others
        self._busy = np.zeros(n_busy, dtype=np.int32)

    @abstractmethod
    def _choose(self, row: int, slot: int, deadline_slot: int, priority: int) -> None:
        """Put slot and first subchannel of each attempt into `_chosen`, ascending, then -1.

        `row` is that of the grant book; :meth:`_process` tells what it means.
        """

    def _process(self, row: int) -> SidelinkProcess:
        """Return what a row of the grant book stands for."""
        node, process = divmod(row, self._n_processes)
        recurs = process == 0
        period = self._period if recurs else ONCE_SLOTS
        return SidelinkProcess(node, recurs, self._n_subchannels[process], period)

    def _find_busy(self, row: int, until_slot: int, *, repeating: bool = False) -> None:
        """Put the slots up to `until_slot` that a row must not choose into `_busy`, then -1."""
        period = self._period if row % self._n_processes == 0 else 0
        self._book.busy_slots(row, repeating, self._busy, until_slot, period)

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity, shape (n_nodes,)."""
        self._identity = identity
        self._book.bind_nodes(identity)

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Accept a packet; see :meth:`AccessTechnology.enqueue`."""
        return self._accept(node * self._n_processes, slot, packet, deadline_slot, priority)

    def enqueue_once(
        self, slot: int, node: int, packet: int, deadline_slot: int, priority: int
    ) -> int:
        """Accept the packet of an event; see :meth:`EventAccess.enqueue_once`."""
        row = (node + 1) * self._n_processes - 1
        return self._accept(row, slot, packet, deadline_slot, priority)

    def _accept(self, row: int, slot: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Take a packet for a process, and choose its resource if it has none in time."""
        replaced, needs_grant = self._book.offer(row, packet, slot, deadline_slot, priority)
        if needs_grant and deadline_slot >= slot:
            self._choose(row, slot, deadline_slot, priority)
            self._grant_chosen(row)
        return replaced

    def _grant_chosen(self, row: int) -> None:
        """Give a row what stands in `_chosen`, if anything does."""
        n_chosen = int((self._chosen[::2] >= 0).sum())
        if n_chosen:
            process = self._process(row)
            period = process.period if process.recurs else 0
            self._book.grant(row, self._chosen, n_chosen, process.n_subchannels, period)

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        n_out, n_dropped = self._book.transmissions(slot, self._out, self._dropped)
        return self._out[:n_out], self._dropped[:n_dropped]

    def next_active(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) in which something is due, or `limit`."""
        return int(self._book.next_due(slot, limit))

    def forget(self, node: int) -> int:
        """Clear the state of a node that left; see :meth:`AccessTechnology.forget`."""
        first = node * self._n_processes
        packets = (self._book.forget(row) for row in range(first, first + self._n_processes))
        return next((int(packet) for packet in packets if packet >= 0), -1)
