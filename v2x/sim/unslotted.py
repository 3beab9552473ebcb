"""A run without slots: each mobility tick is played as a whole.

What :mod:`v2x.sim.simulation` says of the order of things holds, but for the last three points:
after the motion of a tick the packets of the whole tick are known, and the medium plays arrivals,
contention, air and reception until the next motion in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from v2x.access.base import TRANSMISSION
from v2x.access.congestion.base import CongestionControl
from v2x.access.unslotted import MEMORY_US
from v2x.applications.base import PacketBatch
from v2x.sim.contention import UnslottedMedium
from v2x.sim.simulation import Simulation, SimulationParts


class UnslottedSimulation(Simulation):
    """Runs its parts against each other; stations contend for the channel at any time.

    Parameters
    ----------
    parts, on_tick
        See :class:`Simulation`; there is neither access technology nor sensing history.
    medium
        The medium of `parts`.
    """

    def __init__(
        self,
        parts: SimulationParts,
        medium: UnslottedMedium,
        on_tick: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(parts, on_tick)
        self._medium = medium
        self._coming: tuple[PacketBatch, int] | None = None

    def _forget(self, node: int) -> None:
        """Clear what station and congestion control hold of a vehicle that left."""
        if self._parts.congestion is not None:
            self._parts.congestion.forget(node)
        self._medium.forget(node, self.now_us)

    def _accept(self, batch: PacketBatch, first_packet: int) -> None:
        self._coming = batch, first_packet

    def _slots(self) -> Generator[simpy.Event, Any, None]:
        """Play each tick right after its motion."""
        parts = self._parts
        while True:
            assert self._coming is not None
            batch, first_packet = self._coming
            offered = np.arange(len(batch))
            if parts.congestion is not None:
                offered = self._admitted(parts.congestion, batch, first_packet)
            until_us = min(self._next_tick_us, parts.duration_us)
            self._medium.play(batch, first_packet, offered, until_us)
            yield self._env.timeout(self._next_tick_us - self.now_us)

    def _admitted(
        self, control: CongestionControl, batch: PacketBatch, first_packet: int
    ) -> NDArray[np.intp]:
        """Return which packets congestion control lets into the queues; it is their gatekeeper.

        A millisecond is its slot and a microsecond on air its subchannel.
        """
        air_us = self._medium.air_us(batch.size_bytes)
        rows = np.zeros(len(batch), dtype=TRANSMISSION)
        rows["node"], rows["packet"] = batch.tx_row, first_packet + np.arange(len(batch))
        rows["n_subchannels"], rows["n_attempts"] = air_us, 1
        rows["priority"] = batch.priority
        admitted = np.zeros(len(batch), dtype=np.bool_)
        for row, slot in zip(rows, (batch.generated_us // MEMORY_US).tolist(), strict=True):
            sent, dropped = control.admit(slot, row.reshape(1), np.zeros(0, dtype=np.int32))
            admitted[sent["packet"] - first_packet] = True
            for packet in dropped.tolist():
                self._drop(int(batch.tx_row[packet - first_packet]), packet)
        return np.flatnonzero(admitted)
