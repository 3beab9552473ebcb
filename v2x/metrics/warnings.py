"""Whether drivers were warned in time, of what was dangerous, and of nothing else.

An alert about another road user *concerns* a conflict of the two, whichever of them was told, that
goes on or begins between its beginning and 5 s after its end. It is *confirmed* if there is one and
*false* otherwise. A conflict with TTC below 1.5 s or a collision is a *danger*; it was *warned of
in time* if an alert that concerns it began before its worst instant with at least the way that a
warned driver needs (applications 5.5: margin >= 0). Others were *missed*.

Drivers who follow an alert in time have no conflict, so that good warnings count as false. What of
them is true can only be seen in runs in which nobody follows (``reactions.compliance=0``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.conflicts import CRITICAL_TTC_S
from v2x.metrics.rates import M_PER_1000_KM, ExposureRates
from v2x.metrics.statistics import FloatArray, Interval, clusters, proportion_interval
from v2x.records.tables import RunRecords, Table

#: An alert is confirmed by a conflict that begins up to this time after its end [s]; our choice.
CONFIRMED_WITHIN_S = 5.0
_BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """Alerts of one sort; intervals are 95 %.

    Attributes
    ----------
    n, n_about_others
        Alerts, and those about another road user, of which alone what follows can be said.
    per_1000_km, false_per_1000_km
        Alerts, and false ones, per 1000 km driven by anybody; NaN if nobody watched conflicts.
    timely
        Share that left the driver the way needed, of alerts that know it.
    confirmed
        Share that concerned a conflict of the two.
    other_deck
        Share about somebody on a deck that does not meet the own one.
    margin_m
        Median way left beyond the one needed [m], NaN without any.
    lead_s
        Median time to the danger [s].
    age_s
        Mean age of the information at the decision [s].
    """

    n: int
    n_about_others: int
    per_1000_km: Interval
    false_per_1000_km: Interval
    timely: Interval
    confirmed: Interval
    other_deck: Interval
    margin_m: float
    lead_s: float
    age_s: float


@dataclass(frozen=True, slots=True)
class DangerFigures:
    """Dangers, and whether drivers were warned of them; intervals are 95 %.

    Attributes
    ----------
    n, n_both_equipped
        Dangers, and those between two with devices.
    warned, in_time
        Share of the latter with any alert before the worst instant, and with one in time.
    in_time_of_all
        The same over all dangers: what the share of devices leaves of it.
    """

    n: int
    n_both_equipped: int
    warned: Interval
    in_time: Interval
    in_time_of_all: Interval


@dataclass(frozen=True, slots=True)
class WarningFigures:
    """Alerts by sort, and dangers.

    Attributes
    ----------
    by_application
        Sort of warning to its figures, in the order of the scenario.
    dangers
        None if nobody watched conflicts.
    """

    by_application: dict[str, AlertFigures]
    dangers: DangerFigures | None


def warning_figures(records: RunRecords) -> WarningFigures | None:
    """Return how well a run warned; None if nobody was to be warned of anything.

    Parameters
    ----------
    records
        Uses tables ``warnings``, ``devices``, ``conflicts`` and ``exposure`` and the facts
        ``warnings`` and ``block_s``.
    """
    names = records.facts.get("warnings") or []
    if not names:
        return None
    watched = len(records.tables["exposure"]["vehicle_s"]) > 0
    confirmed = confirmed_alerts(records.tables["warnings"], records.tables["conflicts"])
    return WarningFigures(
        {name: _alert_figures(records, k, confirmed, watched) for k, name in enumerate(names)},
        _danger_figures(records) if watched else None,
    )


def concerned(warnings: Table, conflicts: Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs of an alert and a conflict that it concerns, (n_pairs,) rows of each."""
    alert, conflict = _same_pairs(warnings, conflicts)
    near = conflicts["begin_s"][conflict] <= warnings["end_s"][alert] + CONFIRMED_WITHIN_S
    near &= conflicts["end_s"][conflict] >= warnings["begin_s"][alert]
    return alert[near], conflict[near]


def confirmed_alerts(warnings: Table, conflicts: Table) -> _BoolArray:
    """Return which alerts were followed by a conflict of the two, (n_alerts,)."""
    alert, _ = concerned(warnings, conflicts)
    found = np.zeros(len(warnings["warning"]), dtype=np.bool_)
    found[alert] = True
    return found


def warned_dangers(warnings: Table, conflicts: Table) -> tuple[_BoolArray, _BoolArray]:
    """Return which conflicts had an alert about the two before their worst, and one in time.

    Returns
    -------
    warned, in_time : (n_conflicts,) bool
        An alert that does not know the way needed is never in time.
    """
    alert, conflict = concerned(warnings, conflicts)
    before = warnings["begin_s"][alert] < conflicts["worst_s"][conflict]
    margin_m = warnings["distance_m"] - warnings["needed_m"]
    warned = np.zeros(len(conflicts["event"]), dtype=np.bool_)
    in_time = warned.copy()
    warned[conflict[before]] = True
    in_time[conflict[before & (margin_m[alert] >= 0.0)]] = True
    return warned, in_time


def _same_pairs(warnings: Table, conflicts: Table) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return all pairs of an alert and a conflict of the same two in the same replication."""
    alert_key, conflict_key = (
        np.stack(
            [
                table["replication"].astype(np.int64),
                np.minimum(table["vehicle_id"], table["other_id"]),
                np.maximum(table["vehicle_id"], table["other_id"]),
            ],
            axis=1,
        )
        for table in (warnings, conflicts)
    )
    n_alerts = len(alert_key)
    _, number = np.unique(np.concatenate([alert_key, conflict_key]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    order = np.argsort(number[:n_alerts], kind="stable")
    low = np.searchsorted(number[:n_alerts][order], number[n_alerts:], side="left")
    high = np.searchsorted(number[:n_alerts][order], number[n_alerts:], side="right")
    conflict = np.repeat(np.arange(len(conflict_key)), high - low)
    within = np.arange(len(conflict)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
    return order[np.repeat(low, high - low) + within], conflict


def _alert_figures(
    records: RunRecords, application: int, confirmed: _BoolArray, watched: bool
) -> AlertFigures:
    table = records.tables["warnings"]
    mine = table["application"] == application
    about = mine & (table["other_id"] >= 0)
    margin_m = table["distance_m"] - table["needed_m"]
    known = mine & ~np.isnan(margin_m)
    lead_s = table["lead_s"][mine & ~np.isnan(table["lead_s"])]
    return AlertFigures(
        n=int(mine.sum()),
        n_about_others=int(about.sum()),
        per_1000_km=_per_1000_km(records, mine, watched),
        false_per_1000_km=_per_1000_km(records, about & ~confirmed, watched),
        timely=_share(records, known, margin_m >= 0.0),
        confirmed=_share(records, about & watched, confirmed),
        other_deck=_share(records, about, table["other_deck"]),
        margin_m=_median(margin_m[known]),
        lead_s=_median(lead_s),
        age_s=float(table["age_s"][mine].mean()) if mine.any() else float("nan"),
    )


def _danger_figures(records: RunRecords) -> DangerFigures:
    conflicts, devices = records.tables["conflicts"], records.tables["devices"]
    danger = (conflicts["min_ttc_s"] < CRITICAL_TTC_S) | conflicts["collision"]
    warned, in_time = warned_dangers(records.tables["warnings"], conflicts)
    with_device = _with_device(devices, conflicts, "vehicle_id")
    both = danger & with_device & _with_device(devices, conflicts, "other_id")
    return DangerFigures(
        n=int(danger.sum()),
        n_both_equipped=int(both.sum()),
        warned=_share(records, both, warned, "conflicts"),
        in_time=_share(records, both, in_time, "conflicts"),
        in_time_of_all=_share(records, danger, in_time, "conflicts"),
    )


def _with_device(devices: Table, conflicts: Table, column: str) -> _BoolArray:
    """Return whether one side of each conflict has a device."""
    has = set(
        zip(
            devices["replication"][devices["equipped"]].tolist(),
            devices["id"][devices["equipped"]].tolist(),
            strict=True,
        )
    )
    keys = zip(conflicts["replication"].tolist(), conflicts[column].tolist(), strict=True)
    return np.array([key in has for key in keys], dtype=np.bool_)


def _share(
    records: RunRecords, which: _BoolArray, counts: _BoolArray, table: str = "warnings"
) -> Interval:
    """Return the share of rows `which` of a table that count."""
    rows = records.tables[table]
    replication, begin_s = rows["replication"][which], rows["begin_s"][which]
    groups = clusters(replication, begin_s, float(records.facts["block_s"]))
    ones = np.ones(len(begin_s))
    return proportion_interval(groups.sums(counts[which]), groups.sums(ones), over=groups.over)


def _per_1000_km(records: RunRecords, which: _BoolArray, watched: bool) -> Interval:
    if not watched:
        return Interval(float("nan"), float("nan"), float("nan"), 0, "none")
    rates = ExposureRates(records)
    km = records.tables["exposure"]["distance_m"] / M_PER_1000_KM
    return rates.ratio(rates.began(records.tables["warnings"], which), km)


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if len(values) else float("nan")
