"""Which cell serves whom, and when a handover interrupts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.cellular.coverage import RoadCoverage
from v2x.cellular.params import SchedulingParams
from v2x.units import US_PER_MS

_NEVER = np.int64(2**62)
IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Who is served by which cell in a tick. All arrays have the shape (n_rows,).

    Attributes
    ----------
    cell : int32
        Serving cell, -1 without coverage.
    loss_db : float64
        Loss to it [dB], infinite without coverage.
    available_us : int64
        Until when a handover interrupts [µs]; in the past without one.
    handed_over : bool
        Whether the cell changed, or coverage came back, in this tick.
    """

    cell: IntArray
    loss_db: FloatArray
    available_us: NDArray[np.int64]
    handed_over: NDArray[np.bool_]


class Attachment:
    """Follows the serving cell of every row of the fleet, tick by tick.

    The strongest candidate takes over when a candidate has beaten the serving cell by the
    hysteresis for the time to trigger (TS 38.331 5.5.4.4, event A3), or at once when that one is
    out of reach. A handover, or finding coverage again, interrupts for a time drawn by vehicle and
    tick; whoever is new on the map is taken for attached already.

    Parameters
    ----------
    coverage
        Loss from the roads to base stations.
    params
        Hysteresis, time to trigger and gap.
    max_loss_db
        Largest loss at which both directions work [dB].
    n_rows
        Rows of the fleet.
    seed
        Of the run.
    """

    def __init__(
        self,
        coverage: RoadCoverage,
        params: SchedulingParams,
        *,
        max_loss_db: float,
        n_rows: int,
        seed: int,
    ) -> None:
        self._coverage, self._params, self._max_loss_db = coverage, params, max_loss_db
        self._id = np.full(n_rows, -1, dtype=np.int64)
        self._cell: IntArray = np.full(n_rows, -1, dtype=np.int32)
        self._available_us = np.zeros(n_rows, dtype=np.int64)
        # Since when a candidate has beaten the serving cell, or the latest time if none does.
        self._beaten_since_us = np.full(n_rows, _NEVER)
        self._key = rng.key32(seed, "cellular", "handover")

    def move(
        self,
        time_us: int,
        identity: NDArray[np.int64],
        edge: IntArray,
        offset_m: FloatArray,
        user: NDArray[np.bool_],
    ) -> Attached:
        """Return who is served by which cell at `time_us`; rows that are no `user` by none."""
        place = self._coverage.samples.at(edge, offset_m)
        looking = user & (place >= 0)
        known = np.where(looking, place, 0)
        candidate = self._coverage.cell[known]
        loss = np.where(looking[:, None], self._coverage.loss_db[known], np.inf)
        loss = np.where(loss <= self._max_loss_db, loss, np.inf)
        rows = np.arange(len(identity))
        best = loss.argmin(axis=1)
        best_db = loss[rows, best]
        old = np.where(identity == self._id, self._cell, -1)
        old_db = np.where(candidate == old[:, None], loss, np.inf).min(axis=1)
        served = np.isfinite(old_db)
        beaten = served & (best_db < old_db - self._params.handover_hysteresis_db)
        since_us = np.minimum(self._beaten_since_us, time_us)
        long = time_us - since_us >= self._params.time_to_trigger_ms * US_PER_MS
        stays = served & ~(beaten & long)
        self._beaten_since_us = np.where(beaten & stays, since_us, _NEVER)
        cell = np.where(stays, old, np.where(np.isfinite(best_db), candidate[rows, best], -1))
        newcomer = identity != self._id
        changed = ~newcomer & (cell != self._cell) & (cell >= 0)
        self._available_us[newcomer] = 0
        low, high = self._params.handover_gap_ms
        share = rng.uniform_by_id(self._key, identity[changed], time_us)
        gap_us = ((low + (high - low) * share) * US_PER_MS).astype(np.int64)
        self._available_us[changed] = time_us + gap_us
        self._id, self._cell = identity.copy(), cell.astype(np.int32)
        return Attached(
            cell=self._cell.copy(),
            loss_db=np.where(stays, old_db, best_db),
            available_us=self._available_us.copy(),
            handed_over=changed,
        )
