"""Rows of table ``platoons``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.records.tables import SCHEMAS
from v2x.units import US_PER_S

#: Time between two rows of the same vehicle [µs].
EVERY_US = 500_000


class PlatoonTable:
    """Samples platoons every half second, and remembers the peaks in between.

    Parameters
    ----------
    n_rows
        Rows of the fleet.
    counted_from_us
        Nothing earlier is recorded [µs].
    """

    def __init__(self, n_rows: int, counted_from_us: int) -> None:
        self._counted_from_us = counted_from_us
        self._peak_mps2 = np.zeros(n_rows)
        self._rows: list[dict[str, Any]] = []

    def watch(self, acceleration_mps2: NDArray[np.float64], changed: NDArray[np.bool_]) -> None:
        """Note accelerations of this tick; rows that `changed` hold somebody else."""
        self._peak_mps2[changed] = 0.0
        np.maximum(self._peak_mps2, np.abs(acceleration_mps2), out=self._peak_mps2)

    def put(self, now_us: int, rows: dict[int, dict[str, Any]]) -> None:
        """Take what there is to say of each row of the fleet, if it is time to."""
        if now_us % EVERY_US:
            return
        if now_us >= self._counted_from_us:
            for row in sorted(rows):
                peak = float(self._peak_mps2[row])
                self._rows.append({"time_s": now_us / US_PER_S, "peak_mps2": peak} | rows[row])
        self._peak_mps2[:] = 0.0

    def table(self) -> dict[str, NDArray[Any]]:
        """Return the table without ``replication``."""
        schema = SCHEMAS["platoons"]
        return {
            name: np.array([row[name] for row in self._rows], dtype=schema[name].dtype)
            for name in schema
            if name != "replication"
        }
