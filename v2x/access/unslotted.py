"""The unslotted side of access: stations that listen before they talk, in microseconds.

A slotted technology (:class:`v2x.access.base.AccessTechnology`) is asked slot by slot. Here
contention and reception are one thing, because who transmits depends on who hears whom at this
very microsecond; a kernel plays both at once (:mod:`v2x.sim.unslotted`). A technology therefore is
its rules: a class with a ``Params`` attribute whose instances are :class:`UnslottedParams`.

Where other parts of a run count in slots and subchannels, such as congestion control, a slot of
this side is a millisecond and a subchannel a microsecond of it (:data:`MEMORY_US`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from v2x.phy.ofdm.frame_reception import FrameReceiver
from v2x.phy.radio import PhyParams, RadioParams

#: The unit in which links remember when they last carried something [µs].
MEMORY_US = 1000
#: Queues of a station; the first is served first.
N_QUEUES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Contention:
    """How stations share the channel.

    Attributes
    ----------
    slot_us
        Unit of the backoff [µs].
    interframe_us
        Idle time before each of the :data:`N_QUEUES` queues may count or send [µs].
    contention_window
        Largest backoff that each queue draws [slots].
    queue_of_priority
        Queue of the packets of priority 1 to 8.
    queue_packets
        Packets that a queue holds; the oldest makes room for a new one.
    sensing_us
        Until a transmission has made the channel busy for others [µs].
    preamble_mw, energy_mw
        Power at which a frame that is being received, and any energy, make the channel busy.
    busy_mw
        Power above which the busy ratio counts [mW].
    """

    slot_us: int
    interframe_us: tuple[int, ...]
    contention_window: tuple[int, ...]
    queue_of_priority: tuple[int, ...]
    queue_packets: int
    sensing_us: int
    preamble_mw: float
    energy_mw: float
    busy_mw: float

    def __post_init__(self) -> None:
        """Reject what the kernel cannot play."""
        for name, length in (
            ("interframe_us", N_QUEUES),
            ("contention_window", N_QUEUES),
            ("queue_of_priority", 8),
        ):
            if len(getattr(self, name)) != length:
                raise ValueError(f"{name} must have {length} values, got {getattr(self, name)}")
        if not all(0 <= queue < N_QUEUES for queue in self.queue_of_priority):
            raise ValueError(f"queue_of_priority must name queues, got {self.queue_of_priority}")
        if not self.slot_us > self.sensing_us >= 0:
            raise ValueError(
                f"slot_us ({self.slot_us}) must be longer than sensing_us ({self.sensing_us})"
            )
        if min(self.interframe_us) < 0 or min(self.contention_window) < 0:
            raise ValueError("interframe_us and contention_window must be 0 or more")
        if self.queue_packets < 1:
            raise ValueError(f"queue_packets must be at least 1, got {self.queue_packets}")


class Waveform(Protocol):
    """How packets become frames, and what of them can be decoded."""

    def air_us(self, size_bytes: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the time that packets of `size_bytes` are on air [µs].

        Raises
        ------
        ValueError
            If one is too large for a frame.
        """

    def data_bits(self, size_bytes: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the bits of packets that must be decoded."""

    def receiver(self, radio: RadioParams, phy: PhyParams) -> FrameReceiver:
        """Return what a receiver can decode."""


@runtime_checkable
class UnslottedParams(Protocol):
    """Parameters of an unslotted technology, a frozen dataclass."""

    def contention(self) -> Contention:
        """Return how stations share the channel."""

    def waveform(self) -> Waveform:
        """Return how packets become frames."""


class UnslottedTechnology(Protocol):
    """A technology without slots: its parameters say everything."""

    Params: type[UnslottedParams]
