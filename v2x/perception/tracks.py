"""What sensors found of late: tracks, confirmed after some hits and lost after some misses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, FloatArray
from v2x.perception.states import RowArray
from v2x.units import US_PER_S

#: Bits of the last twelve ticks.
_REMEMBERED = (1 << 12) - 1
#: Columns of a measurement.
MEASURED = ("range_m", "bearing_rad", "x_m", "y_m", "z_m", "heading_rad", "speed_mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """Who sees whom, and where: pairs in ascending order of host and object.

    Attributes
    ----------
    time_us : int
        Now [µs].
    host, object : (n,) intp
        Rows of who sees and of who is seen.
    range_m, bearing_rad : (n,) float64
        Measured distance of the middles in plan [m]; direction, counter-clockwise from the
        heading of the host [rad].
    x_m, y_m, z_m : (n,) float64
        Measured middle at road height [m], by the true place and heading of the host.
    heading_rad, speed_mps : (n,) float64
        Measured direction of travel [rad] and speed [m/s].
    measured_us : (n,) int64
        When that was measured [µs]; before now while a track is not found.
    confidence : (n,) float64
        Share of the last ticks in which it was found, 0 to 1.
    """

    time_us: int
    host: RowArray
    object: RowArray
    range_m: FloatArray
    bearing_rad: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    measured_us: NDArray[np.int64]
    confidence: FloatArray

    def __len__(self) -> int:
        return len(self.host)

    @property
    def age_s(self) -> FloatArray:
        """Age of the measurements [s], (n,)."""
        return np.asarray((self.time_us - self.measured_us) / US_PER_S)


class Tracks:
    """Remembers the newest measurement of every pair of a host and an object.

    Each update is a tick of all sensors. A pair that was not known before needs `confirm_hits`
    hits within `confirm_of` ticks to be reported; after `lose_after` ticks in a row without a hit
    it is forgotten, and at once when host or object leave their rows.

    Parameters
    ----------
    confirm_hits, confirm_of, lose_after
        See above; at most 12 ticks.
    """

    def __init__(self, confirm_hits: int, confirm_of: int, lose_after: int) -> None:
        self._confirm_hits, self._confirm_of, self._lose_after = (
            confirm_hits,
            confirm_of,
            lose_after,
        )
        window = np.arange(1 << confirm_of)
        self._hits: NDArray[np.int64] = sum(
            (window >> bit & 1 for bit in range(confirm_of)), np.zeros_like(window)
        )
        self._memory: dict[str, NDArray[Any]] = {
            name: np.zeros(0) for name in (*MEASURED, "confirmed")
        } | {
            name: np.zeros(0, dtype=np.int64)
            for name in ("key", "host_id", "object_id", "measured_us", "history")
        }

    def __len__(self) -> int:
        """Return how many pairs are remembered, confirmed or not."""
        return len(self._memory["key"])

    def update(
        self, fleet: FleetState, host: RowArray, found: RowArray, measured: dict[str, FloatArray]
    ) -> Detections:
        """Add what was found at the time of `fleet`, and return the confirmed tracks.

        Parameters
        ----------
        fleet
            Ids of all rows.
        host, found : (n,) intp
            Rows of who found whom, each pair once, in ascending order.
        measured
            Columns :data:`MEASURED`, (n,) each.
        """
        n_rows, old = fleet.n_rows, self._memory
        same = fleet.id[old["key"] // n_rows] == old["host_id"]
        same &= fleet.id[old["key"] % n_rows] == old["object_id"]
        kept = np.flatnonzero(same)
        new_key = host * n_rows + found
        key = np.sort(np.concatenate([old["key"][kept], new_key]), kind="stable")
        key = key[np.append(True, key[1:] != key[:-1])[: len(key)]]
        before, now = np.searchsorted(key, old["key"][kept]), np.searchsorted(key, new_key)
        columns: dict[str, NDArray[Any]] = {
            name: np.zeros(len(key), dtype=values.dtype) for name, values in old.items()
        }
        for name in (*MEASURED, "measured_us", "confirmed"):
            columns[name][before] = old[name][kept]
        columns["history"][before] = (old["history"][kept] << 1) & _REMEMBERED
        columns["history"][now] |= 1
        columns["measured_us"][now] = fleet.time_us
        for name in MEASURED:
            columns[name][now] = measured[name]
        hits = self._hits[columns["history"] & (len(self._hits) - 1)]
        columns["confirmed"] = np.maximum(columns["confirmed"], hits >= self._confirm_hits)
        columns["key"] = key
        columns["host_id"], columns["object_id"] = fleet.id[key // n_rows], fleet.id[key % n_rows]
        alive = (columns["history"] & ((1 << self._lose_after) - 1)) != 0
        self._memory = {name: values[alive] for name, values in columns.items()}
        return self._confirmed(fleet.time_us, n_rows, hits[alive])

    def _confirmed(self, time_us: int, n_rows: int, hits: NDArray[np.int64]) -> Detections:
        rows = np.flatnonzero(self._memory["confirmed"])
        key = self._memory["key"][rows]
        return Detections(
            time_us=time_us,
            host=key // n_rows,
            object=key % n_rows,
            measured_us=self._memory["measured_us"][rows],
            confidence=hits[rows] / self._confirm_of,
            **{name: self._memory[name][rows] for name in MEASURED},
        )
