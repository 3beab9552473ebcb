"""Counts what roadside units told, bounded however long the run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.records.tables import RELAY_OPEN_MS, RELAY_PARTS
from v2x.units import US_PER_MS, US_PER_S


class RelayTally:
    """Sums by time block, and a histogram of the delay by millisecond.

    Parameters
    ----------
    block_us
        Length of the time blocks [µs].
    """

    def __init__(self, block_us: int) -> None:
        self._block_us = block_us
        self._counts: dict[int, NDArray[np.int64]] = {}
        self._sums_us: dict[int, NDArray[np.int64]] = {}
        self._histogram = np.zeros(RELAY_OPEN_MS + 1, dtype=np.int64)

    def count(
        self,
        generated_us: NDArray[np.int64],
        parts_us: NDArray[np.int64],
        newer: NDArray[np.bool_],
    ) -> None:
        """Count deliveries of states.

        Parameters
        ----------
        generated_us : (n,) int64
            When the state was generated [µs].
        parts_us : (n, n_parts) int64
            Parts of its delay [µs], those of ``RELAY_PARTS``.
        newer : (n,) bool
            Whether the receiver had heard nothing as new from the sender itself.
        """
        block = generated_us // self._block_us
        for number in np.unique(block).tolist():
            mine = block == number
            counts = self._counts.setdefault(number, np.zeros(2, dtype=np.int64))
            counts += (int(mine.sum()), int(newer[mine].sum()))
            sums = self._sums_us.setdefault(number, np.zeros(len(RELAY_PARTS), dtype=np.int64))
            sums += parts_us[mine].sum(axis=0)
        at = np.minimum(parts_us.sum(axis=1) // US_PER_MS, RELAY_OPEN_MS)
        self._histogram += np.bincount(at, minlength=RELAY_OPEN_MS + 1)

    def tables(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return the columns of the tables ``relay`` and ``relay_latency`` if they have rows."""
        if not self._counts:
            return {}
        blocks = sorted(self._counts)
        counts = np.stack([self._counts[block] for block in blocks])
        sums_ms = np.stack([self._sums_us[block] for block in blocks]) / US_PER_MS
        value = np.flatnonzero(self._histogram)
        return {
            "relay": {
                "block_start_s": np.array(blocks) * (self._block_us / US_PER_S),
                "n": counts[:, 0],
                "n_newer": counts[:, 1],
                **{f"{part}_ms": sums_ms[:, k] for k, part in enumerate(RELAY_PARTS)},
            },
            "relay_latency": {"value_ms": value.astype(np.float64), "n": self._histogram[value]},
        }
