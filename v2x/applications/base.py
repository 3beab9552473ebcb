"""What an application promises: packets, in batches ahead of time."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketBatch:
    """Packets in the order of their generation.

    Attributes
    ----------
    generated_us : (n,) int64
        Generation time [µs], ascending.
    tx_row : (n,) int32
        Sending row of the fleet.
    size_bytes : (n,) int32
        Size handed to the access layer [byte].
    deadline_us : (n,) int64
        Latest start of the first transmission [µs].
    priority : (n,) int32
        ProSe per-packet priority (PPPP), 1 (highest) to 8.
    event : (n,) bool
        Whether the packet tells of an event and goes once, beside the periodic ones; none does
        where this is not given.
    topic : (n,) int32
        What it is about (:class:`~v2x.messages.topics.Topic`); the state of its sender where this
        is not given. All others are delivered one by one.
    digest : (n,) bool
        Whether it is signed with a digest of the certificate only; with the certificate itself
        where this is not given.
    """

    generated_us: NDArray[np.int64]
    tx_row: NDArray[np.int32]
    size_bytes: NDArray[np.int32]
    deadline_us: NDArray[np.int64]
    priority: NDArray[np.int32]
    event: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    topic: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    digest: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        """Fill in that packets tell of no event, of states, and with certificates."""
        for name in ("event", "topic", "digest"):
            given = getattr(self, name)
            if len(given) == len(self.generated_us):
                continue
            if len(given):
                raise ValueError(f"{name} must have one value per packet")
            zeros = np.zeros(len(self.generated_us), dtype=given.dtype)
            object.__setattr__(self, name, zeros)

    def __len__(self) -> int:
        return len(self.generated_us)


def merged(first: PacketBatch, second: PacketBatch) -> PacketBatch:
    """Return the packets of two batches in the order of their generation, then of rows."""
    columns = {
        item.name: np.concatenate([getattr(first, item.name), getattr(second, item.name)])
        for item in fields(PacketBatch)
    }
    order = np.lexsort((columns["tx_row"], columns["generated_us"]))
    return PacketBatch(**{name: column[order] for name, column in columns.items()})


class Application(Protocol):
    """Generates packets; never knows which access technology carries them.

    An application is a class with a ``Params`` attribute and is built by
    ``Application(params, seed)``.
    """

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size it may send [byte], so that grants can be dimensioned."""

    @property
    def period_ms(self) -> int:
        """Nominal period of its packets [ms], the reservation period that suits it."""

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""


class ApplicationFilter:
    """An application that holds back, marks or adds to what another one says.

    Sizes and period stay those of the other; ``packets`` is what a filter writes.

    Parameters
    ----------
    application
        The other.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        """Every size the other may send [byte]."""
        return self._application.sizes_bytes

    @property
    def period_ms(self) -> int:
        """Nominal period of the packets of the other [ms]."""
        return self._application.period_ms
