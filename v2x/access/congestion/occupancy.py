"""The channel occupancy ratio: what a node itself has put on air of late (TS 36.214 5.1.31)."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import SlotTransmissions

#: Columns of the counter: PPPP 1 to 8; column 0 stays empty.
_N_PRIORITIES = 9


class ChannelOccupancy:
    """Rolling count of the subchannels that every node occupied, by priority.

    Parameters
    ----------
    n_nodes
        Rows of the fleet.
    window
        Slots of the window, a + b + 1: 1000 ms.
    n_subchannels
        Subchannels of the pool.

    Attributes
    ----------
    used : (n_nodes, 9) int64
        Subchannels occupied within the window by PPPP.

    Notes
    -----
    TS 36.214 5.1.31 lets the window reach from n - a to n + b with a >= 500. Here b is 0 for what
    is recorded; what is granted ahead is added where a limit is enforced
    (:mod:`v2x.access.congestion.ts103574`), which is never less strict.
    """

    def __init__(self, n_nodes: int, window: int, n_subchannels: int) -> None:
        self.window = window
        self.total = window * n_subchannels
        self.used = np.zeros((n_nodes, _N_PRIORITIES), dtype=np.int64)
        self._log: deque[tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = (
            deque()
        )

    def advance(self, slot: int) -> None:
        """Let everything before the window that ends with `slot` expire."""
        while self._log and self._log[0][0] <= slot - self.window:
            _, node, priority, amount = self._log.popleft()
            self.used[node, priority] -= amount

    def add(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Count the transmissions of `slot`, at most one per node."""
        self.advance(slot)
        if len(transmissions) == 0:
            return
        node, priority, amount = (
            transmissions[name].astype(np.int64) for name in ("node", "priority", "n_subchannels")
        )
        self.used[node, priority] += amount
        self._log.append((slot, node, priority, amount))

    def forget(self, node: int) -> None:
        """Clear the count of a node that left."""
        self.used[node] = 0
        for _, nodes, _, amount in self._log:
            amount[nodes == node] = 0

    def ratio(self, slot: int) -> NDArray[np.float64]:
        """Return the CR of every node over the window that ends before `slot`, (n_nodes,)."""
        self.advance(slot - 1)
        return np.asarray(self.used.sum(axis=1) / self.total)
