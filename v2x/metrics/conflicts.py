"""How often, and how badly, did road users come near each other? Rates of surrogate measures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.rates import M_PER_1000_KM, ExposureRates
from v2x.metrics.statistics import FloatArray, Interval
from v2x.records.tables import CONFLICT_KIND_NAMES, RunRecords, Table

#: Least TTC of a conflict that is serious, and critical [s].
SERIOUS_TTC_S, CRITICAL_TTC_S = 1.0, 1.5
#: Least post-encroachment time of a conflict that is serious, and critical [s].
SERIOUS_PET_S, CRITICAL_PET_S = 1.0, 1.5
#: Severities of conflicts, the worst first.
SEVERITIES = ("collision", "serious", "critical", "caution")


@dataclass(frozen=True, slots=True)
class ConflictFigures:
    """Conflicts of a run after its warm-up; intervals are 95 %.

    Attributes
    ----------
    n_by_kind, n_by_severity
        Conflicts by kind, and by severity (:data:`SEVERITIES`).
    per_1000_km
        Conflicts per 1000 km driven.
    serious_per_1000_km
        Of these, collisions and serious ones.
    min_ttc_s, min_mttc_s, min_pet_s
        Smallest of all; infinite or NaN if there is none.
    max_drac_mps2, max_drac_share
        Largest of all [m/s²], and over the deceleration that was available; NaN if there is none.
    tet_share
        Share of the vehicle time spent below the threshold of TTC (TET).
    tit_s2_per_h
        TIT per hour of vehicle time [s²/h].
    cpi
        Crash potential index: probability that brakes do not suffice, per vehicle time.
    rss_share
        Share of the time behind a leader that was closer than RSS allows.
    rss_opposite_s, rss_lateral_s
        Time of pairs in opposite directions, and beside each other, closer than RSS allows [s].
    hard_brakes_per_1000_km, jerks_per_1000_km
        How often vehicles began to brake hard, and to jerk.
    vehicle_km
        Distance driven [km].
    """

    n_by_kind: dict[str, int]
    n_by_severity: dict[str, int]
    per_1000_km: Interval
    serious_per_1000_km: Interval
    min_ttc_s: float
    min_mttc_s: float
    min_pet_s: float
    max_drac_mps2: float
    max_drac_share: float
    tet_share: Interval
    tit_s2_per_h: Interval
    cpi: Interval
    rss_share: Interval
    rss_opposite_s: float
    rss_lateral_s: float
    hard_brakes_per_1000_km: Interval
    jerks_per_1000_km: Interval
    vehicle_km: float


def severity(conflicts: Table) -> NDArray[np.int32]:
    """Return the severity of each row of table ``conflicts``, an index into :data:`SEVERITIES`.

    A collision; TTC or PET below 1 s is serious, below 1.5 s critical; the rest calls for caution.
    """
    ttc_s = conflicts["min_ttc_s"]
    pet_s = np.nan_to_num(conflicts["pet_s"], nan=np.inf)
    level = np.full(len(ttc_s), 3, dtype=np.int32)
    level[(ttc_s < CRITICAL_TTC_S) | (pet_s < CRITICAL_PET_S)] = 2
    level[(ttc_s < SERIOUS_TTC_S) | (pet_s < SERIOUS_PET_S)] = 1
    level[conflicts["collision"]] = 0
    return level


def conflict_figures(records: RunRecords) -> ConflictFigures | None:
    """Return the conflicts of a run; None if nobody watched for any.

    Parameters
    ----------
    records
        Uses tables ``conflicts`` and ``exposure`` and the fact ``block_s``.
    """
    exposure, conflicts = records.tables["exposure"], records.tables["conflicts"]
    if not len(exposure["vehicle_s"]):
        return None
    level = severity(conflicts)
    count = ExposureRates(records)
    km = exposure["distance_m"] / M_PER_1000_KM
    hours = exposure["vehicle_s"] / 3600.0
    kind = np.bincount(conflicts["kind"], minlength=len(CONFLICT_KIND_NAMES))
    by_severity = np.bincount(level, minlength=len(SEVERITIES))
    return ConflictFigures(
        n_by_kind=dict(zip(CONFLICT_KIND_NAMES, kind.tolist(), strict=True)),
        n_by_severity=dict(zip(SEVERITIES, by_severity.tolist(), strict=True)),
        per_1000_km=count.ratio(count.began(conflicts), km),
        serious_per_1000_km=count.ratio(count.began(conflicts, level <= 1), km),
        min_ttc_s=float(conflicts["min_ttc_s"].min(initial=np.inf)),
        min_mttc_s=float(conflicts["min_mttc_s"].min(initial=np.inf)),
        min_pet_s=_extreme(-conflicts["pet_s"], -1.0),
        max_drac_mps2=_extreme(conflicts["max_drac_mps2"]),
        max_drac_share=_extreme(conflicts["max_drac_share"]),
        tet_share=count.ratio(exposure["tet_s"], exposure["vehicle_s"]),
        tit_s2_per_h=count.ratio(exposure["tit_s2"], hours),
        cpi=count.ratio(exposure["cpi_s"], exposure["vehicle_s"]),
        rss_share=count.ratio(exposure["rss_s"], exposure["following_s"]),
        rss_opposite_s=float(exposure["rss_opposite_s"].sum()),
        rss_lateral_s=float(exposure["rss_lateral_s"].sum()),
        hard_brakes_per_1000_km=count.ratio(exposure["n_hard_brakes"], km),
        jerks_per_1000_km=count.ratio(exposure["n_jerks"], km),
        vehicle_km=float(exposure["distance_m"].sum()) / 1000.0,
    )


@dataclass(frozen=True, slots=True)
class Exceedance:
    """How many conflicts per 1000 km were at least so near.

    Attributes
    ----------
    value_s : (n,) float64
        Thresholds [s].
    per_1000_km, low, high : (n,) float64
        Conflicts with a smaller value, and limits of the 95 % interval (NaN without).
    over
        What the interval is over: "replications" or "time batches".
    n
        Conflicts below the largest threshold.
    """

    value_s: FloatArray
    per_1000_km: FloatArray
    low: FloatArray
    high: FloatArray
    over: str
    n: int


def exceedance(records: RunRecords, column: str, value_s: FloatArray) -> Exceedance:
    """Return how often conflicts had a value below thresholds.

    Parameters
    ----------
    records
        As for :func:`conflict_figures`.
    column
        ``min_ttc_s`` or ``pet_s``.
    value_s : (n,) float64
        Thresholds [s].
    """
    count = ExposureRates(records)
    km = records.tables["exposure"]["distance_m"] / M_PER_1000_KM
    conflicts = records.tables["conflicts"]
    values = conflicts[column]
    found = [count.ratio(count.began(conflicts, values < limit), km) for limit in value_s.tolist()]
    return Exceedance(
        value_s,
        np.array([one.value for one in found]),
        np.array([one.low for one in found]),
        np.array([one.high for one in found]),
        count.clusters.over,
        int(np.count_nonzero(values < value_s[-1])) if len(value_s) else 0,
    )


def _extreme(values: FloatArray, sign: float = 1.0) -> float:
    known = values[~np.isnan(values)]
    return sign * float(known.max()) if len(known) else float("nan")
