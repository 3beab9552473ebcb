"""How close did vehicles come? Surrogate safety measures of following vehicles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import FloatArray
from v2x.records.tables import RunRecords

#: TTC below which a situation counts as critical [s], the usual threshold for rear-end conflicts.
CRITICAL_TTC_S = 1.5


@dataclass(frozen=True, slots=True)
class SafetyFigures:
    """The worst of a run; NaN where no vehicle followed another.

    Attributes
    ----------
    min_ttc_s
        Smallest time to collision [s]; infinite if no follower was ever faster.
    n_critical
        Episodes with TTC below :data:`CRITICAL_TTC_S`: uninterrupted spells of one pair.
    max_drac_mps2
        Largest deceleration a follower needed to avoid a crash [m/s²], overlaps left out.
    min_gap_m
        Smallest bumper-to-bumper distance [m].
    n_collisions
        Pairs of vehicles that overlapped, each counted once per replication.
    """

    min_ttc_s: float
    n_critical: int
    max_drac_mps2: float
    min_gap_m: float
    n_collisions: int


def time_to_collision_s(
    gap_m: FloatArray, follower_speed_mps: FloatArray, leader_speed_mps: FloatArray
) -> FloatArray:
    """Return the time until the follower reaches the leader if both keep their speeds.

    Parameters
    ----------
    gap_m : (n_rows,) float64
        Bumper-to-bumper distance [m].
    follower_speed_mps, leader_speed_mps : (n_rows,) float64
        Speeds [m/s].

    Returns
    -------
    (n_rows,) float64
        TTC [s]: 0 on overlap, infinite if the follower is not faster.

    Examples
    --------
    >>> time_to_collision_s(np.array([30.0]), np.array([25.0]), np.array([10.0]))
    array([2.])
    """
    closing_mps = follower_speed_mps - leader_speed_mps
    faster = closing_mps > 0
    ttc_s = np.full(gap_m.shape, np.inf)
    np.divide(gap_m, closing_mps, out=ttc_s, where=faster)
    return np.where(gap_m <= 0, 0.0, ttc_s)


def deceleration_to_avoid_crash_mps2(
    gap_m: FloatArray, follower_speed_mps: FloatArray, leader_speed_mps: FloatArray
) -> FloatArray:
    """Return the constant deceleration with which the follower just does not touch the leader.

    ``(v_f - v_l)² / (2 gap)`` for a leader that keeps its speed (DRAC); 0 if the follower is not
    faster, NaN on overlap, where none is enough. Parameters as for
    :func:`time_to_collision_s`; result (n_rows,) float64 [m/s²].

    Examples
    --------
    >>> deceleration_to_avoid_crash_mps2(np.array([30.0]), np.array([25.0]), np.array([10.0]))
    array([3.75])
    """
    closing_mps = np.maximum(follower_speed_mps - leader_speed_mps, 0.0)
    drac_mps2 = np.full(gap_m.shape, np.nan)
    np.divide(closing_mps**2, 2.0 * gap_m, out=drac_mps2, where=gap_m > 0)
    return drac_mps2


def ttc_s(records: RunRecords) -> FloatArray:
    """Return the TTC [s] of every follower at every instant of table ``safety`` after warm-up."""
    rows = _after_warmup(records)
    return time_to_collision_s(rows["gap_m"], rows["follower_speed_mps"], rows["leader_speed_mps"])


def safety(records: RunRecords) -> SafetyFigures:
    """Return the worst situations of a run after its warm-up.

    Parameters
    ----------
    records
        Uses table ``safety`` and the facts ``warmup_s`` and ``mobility_period_s``.
    """
    rows = _after_warmup(records)
    gap_m = rows["gap_m"]
    motion = (gap_m, rows["follower_speed_mps"], rows["leader_speed_mps"])
    ttc = time_to_collision_s(*motion)
    drac_mps2 = deceleration_to_avoid_crash_mps2(*motion)
    apart = ~np.isnan(drac_mps2)
    return SafetyFigures(
        min_ttc_s=float(ttc.min()) if len(ttc) else np.nan,
        n_critical=_n_episodes(
            rows, ttc < CRITICAL_TTC_S, period_s=float(records.facts["mobility_period_s"])
        ),
        max_drac_mps2=float(drac_mps2[apart].max()) if apart.any() else np.nan,
        min_gap_m=float(gap_m.min()) if len(gap_m) else np.nan,
        n_collisions=_n_pairs(rows, gap_m < 0),
    )


def _after_warmup(records: RunRecords) -> dict[str, NDArray[np.float64]]:
    table = records.tables["safety"]
    kept = table["time_s"] >= records.facts["warmup_s"]
    return {key: values[kept] for key, values in table.items()}


def _n_episodes(
    rows: dict[str, NDArray[np.float64]], inside: NDArray[np.bool_], *, period_s: float
) -> int:
    """Return the number of uninterrupted spells of `inside`, each of one pair."""
    keys = (rows["time_s"], rows["leader_id"], rows["follower_id"], rows["replication"])
    order = np.lexsort(keys)
    order = order[inside[order]]
    time_s = keys[0][order]
    same_pair = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys[1:]:
        same_pair &= np.diff(key[order]) == 0
    # One missed period ends a spell; half a period absorbs rounding of the times.
    continues = same_pair & (np.diff(time_s) < 1.5 * period_s)
    return len(order) - int(np.count_nonzero(continues))


def _n_pairs(rows: dict[str, NDArray[np.float64]], where: NDArray[np.bool_]) -> int:
    """Return the number of distinct pairs in the rows, whoever of them follows."""
    a, b = rows["follower_id"][where], rows["leader_id"][where]
    pairs = np.column_stack([rows["replication"][where], np.minimum(a, b), np.maximum(a, b)])
    return len(np.unique(pairs, axis=0))
