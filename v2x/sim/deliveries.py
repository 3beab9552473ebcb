"""Receptions that are handed over one by one: of all packets but those that tell of states."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.sim.packet_log import PacketLog


class DeliveringKernel(Protocol):
    """What a kernel that receives has for this."""

    @property
    def n_deliveries(self) -> int:
        """Rows filled so far."""

    def bind_topics(self, topic: NDArray[np.int32], deliveries: NDArray[np.int64]) -> None:
        """Take the topics of packets, and the place for deliveries, (n, 3)."""

    def clear_deliveries(self) -> None:
        """Fill from the first row on again."""


class Deliveries:
    """Keeps a place for what a kernel delivers, as long as any packet has a topic.

    Parameters
    ----------
    kernel
        Fills the place.
    packets
        Knows the topics.
    """

    def __init__(self, kernel: DeliveringKernel, packets: PacketLog) -> None:
        self._kernel, self._packets = kernel, packets
        self._version = -1
        self._rows = np.zeros((256, 3), dtype=np.int64)

    def follow(self) -> None:
        """Follow the packet log after packets have been added."""
        packets = self._packets
        if packets.has_topics and packets.version != self._version:
            self._bind()

    def make_room(self, n_more: int) -> None:
        """See to it that there is room for so many more deliveries."""
        n = self._kernel.n_deliveries
        if n + n_more > len(self._rows):
            grown = np.zeros((2 * (n + n_more), 3), dtype=np.int64)
            grown[:n] = self._rows[:n]
            self._rows = grown
            self._bind()

    def _bind(self) -> None:
        self._kernel.bind_topics(self._packets["topic"], self._rows)
        self._version = self._packets.version

    def take(self) -> NDArray[np.int64]:
        """Return packet, receiver and slot of what was delivered since the last call, (n, 3)."""
        taken = self._rows[: self._kernel.n_deliveries].copy()
        self._kernel.clear_deliveries()
        return taken
