"""Every packet of a run, as growing columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.base import PacketBatch

_COLUMNS: dict[str, Any] = {
    "tx_id": np.int64,
    "generated_us": np.int64,
    "first_slot_us": np.int64,
    "last_slot_us": np.int64,
    "n_attempts": np.int32,
    "size_bytes": np.int32,
    "n_subchannels": np.int32,
    "n_intended": np.int32,
    "n_received": np.int32,
    "n_received_first": np.int32,
    "priority": np.int32,
    "event": np.bool_,
    "topic": np.int32,
    "resolved": np.bool_,
}


class PacketLog:
    """Columns of packets; row numbers are the packets' names inside a run.

    Attributes
    ----------
    n_packets : int
        Rows in use.
    version : int
        Grows whenever the columns have moved in memory.
    has_topics : bool
        Whether any packet tells of something else than a state.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._columns = {name: np.zeros(capacity, dtype=d) for name, d in _COLUMNS.items()}
        self.n_packets = 0
        self.version = 0
        self.has_topics = False

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column with its spare rows, to be written in place."""
        return self._columns[name]

    def append(self, batch: PacketBatch, tx_id: NDArray[np.int64]) -> int:
        """Add the packets of `batch`; returns the row of the first."""
        first, n = self.n_packets, len(batch)
        capacity = len(self._columns["tx_id"])
        if first + n > capacity:
            self._grow(max(2 * capacity, first + n))
        rows = slice(first, first + n)
        self._columns["tx_id"][rows] = tx_id
        self._columns["generated_us"][rows] = batch.generated_us
        self._columns["size_bytes"][rows] = batch.size_bytes
        self._columns["priority"][rows] = batch.priority
        self._columns["event"][rows] = batch.event
        self._columns["topic"][rows] = batch.topic
        self.has_topics = self.has_topics or bool(batch.topic.any())
        self._columns["first_slot_us"][rows] = -1
        self._columns["last_slot_us"][rows] = -1
        self.n_packets += n
        return first

    def _grow(self, capacity: int) -> None:
        for name, column in self._columns.items():
            grown = np.zeros(capacity, dtype=column.dtype)
            grown[: self.n_packets] = column[: self.n_packets]
            self._columns[name] = grown
        self.version += 1

    def table(self, counted_from_us: int) -> dict[str, NDArray[Any]]:
        """Return the packets generated from `counted_from_us` on whose fate is known."""
        n = self.n_packets
        rows = np.flatnonzero(
            self._columns["resolved"][:n] & (self._columns["generated_us"][:n] >= counted_from_us)
        )
        table: dict[str, NDArray[Any]] = {
            name: column[:n][rows] for name, column in self._columns.items() if name != "resolved"
        }
        table["packet"] = rows.astype(np.int64)
        return table
