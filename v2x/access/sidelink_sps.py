"""Semi-persistent scheduling shared by the autonomous sidelink technologies.

A technology differs in how it chooses a resource; how grants run, count down, repeat and end
is the same and lives in the compiled grant book.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.grants import GrantBook
from v2x.access.base import TRANSMISSION, AccessContext, SlotTransmissions

#: Rows of the grant book's state array.
_N_STATE = 20


def reselection_counter_range(period_ms: int) -> tuple[int, int]:
    """Return the range of SL_RESOURCE_RESELECTION_COUNTER (TS 36.321 5.14.1.1).

    Examples
    --------
    >>> reselection_counter_range(100), reselection_counter_range(50)
    ((5, 15), (10, 30))
    >>> reselection_counter_range(20)
    (25, 75)
    """
    if period_ms >= 100:
        return 5, 15
    if period_ms >= 50:
        return 10, 30
    return 25, 75


class SidelinkSps(ABC):
    """Grants, their calendar and the packets that wait for them.

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
    ) -> None:
        n = context.n_nodes
        self._slot_us = context.pool.slot_us
        self._period = period_ms * 1000 // self._slot_us
        self._n_subchannels = context.grant_subchannels
        horizon = horizon_ms * 1000 // self._slot_us + 64
        self._book = GrantBook(
            n_nodes=n,
            horizon=horizon,
            keep_probability=keep_probability,
            counter_low=counter_range[0],
            counter_high=counter_range[1],
            reselect_after=reselect_after,
            key=rng.key32(context.seed, "access", "counters"),
            slot_us=self._slot_us,
            state=np.zeros((_N_STATE, n), dtype=np.int32),
            head=np.zeros(horizon, dtype=np.int32),
            after=np.zeros(2 * n, dtype=np.int32),
            due=np.zeros(2 * n, dtype=np.int32),
        )
        self._identity: NDArray[np.uint32] = np.zeros(n, dtype=np.uint32)
        self._out = np.zeros(2 * n, dtype=TRANSMISSION)
        self._dropped = np.zeros(2 * n, dtype=np.int32)
        self._chosen = np.zeros(4, dtype=np.int32)

    @abstractmethod
    def _choose(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        """Put slot and first subchannel of a resource and of its repetition into `_chosen`."""

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity, shape (n_nodes,)."""
        self._identity = identity
        self._book.bind_nodes(identity)

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        """Accept a packet; see :meth:`AccessTechnology.enqueue`."""
        replaced, needs_grant = self._book.offer(node, packet, slot, deadline_slot, priority)
        if needs_grant and deadline_slot >= slot:
            self._choose(node, slot, deadline_slot, priority)
            first_slot, first, other_slot, other = self._chosen.tolist()
            if first_slot >= 0:
                self._book.grant(
                    node, first_slot, first, self._n_subchannels, self._period, other_slot, other
                )
        return replaced

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        n_out, n_dropped = self._book.transmissions(slot, self._out, self._dropped)
        return self._out[:n_out], self._dropped[:n_dropped]

    def next_active(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) in which something is due, or `limit`."""
        return int(self._book.next_due(slot, limit))

    def forget(self, node: int) -> int:
        """Clear all state of a node that left; returns its waiting packet, or -1."""
        return int(self._book.forget(node))
