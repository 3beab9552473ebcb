"""Vehicles driven from afar, and one that is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.services.means import Rows, not_negative
from v2x.metrics.statistics import FloatArray, Interval, clusters, ratio_interval
from v2x.records.tables import RunRecords, Table

_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True)
class RemoteFigures:
    """Remote driving; intervals are 95 %.

    Attributes
    ----------
    n_vehicles
        Vehicles driven from afar.
    covered
        Share of the time in coverage.
    command_age_p99_s, video_age_p99_s
        99 % quantile of the ages of command and picture [s].
    delay_s
        Mean time from light to what the vehicle does about it [s].
    deviation_p95_m
        95 % quantile of the deviation from the path, by the model of the service [m].
    throughput_p5_mbit_s
        5 % quantile of the video that came up, over seconds and vehicles [Mbit/s].
    n_stops
        Stops of vehicles by themselves.
    stops_per_h
        Stops per hour of driving.
    stop_m
        Mean way of those that came to stand [m].
    stopped
        Share of the time in which a vehicle stopped or stood by itself.
    """

    n_vehicles: int
    covered: Interval
    command_age_p99_s: Interval
    video_age_p99_s: Interval
    delay_s: Interval
    deviation_p95_m: Interval
    throughput_p5_mbit_s: Interval
    n_stops: int
    stops_per_h: Interval
    stop_m: Interval
    stopped: Interval


def remote_figures(records: RunRecords) -> RemoteFigures:
    """Return the figures of tables ``remote_driving`` and ``remote_stops``.

    Uses the fact ``mobility_period_s``.
    """
    table, stops = records.tables["remote_driving"], records.tables["remote_stops"]
    rows = Rows(records, table, "time_s")
    ended = Rows(records, stops, "begin_s")
    seconds, mbit_s = _mbit_by_second(table)
    return RemoteFigures(
        n_vehicles=len(np.unique(np.stack([table["replication"], table["vehicle_id"]]), axis=1).T),
        covered=rows.share(table["covered"]),
        command_age_p99_s=rows.quantile(table["command_age_s"], 0.99),
        video_age_p99_s=rows.quantile(table["video_age_s"], 0.99),
        delay_s=rows.mean(table["delay_s"]),
        deviation_p95_m=rows.quantile(table["deviation_m"], 0.95),
        throughput_p5_mbit_s=Rows(records, seconds, "time_s").quantile(mbit_s, 0.05),
        n_stops=len(stops["cause"]),
        stops_per_h=_per_hour(records, table, stops),
        stop_m=ended.mean(np.where(np.isnan(stops["stood_s"]), np.nan, stops["distance_m"])),
        stopped=rows.share(table["stopping"]),
    )


def _per_hour(records: RunRecords, table: Table, stops: Table) -> Interval:
    """Return the stops per hour of driving, with limits over replications or time blocks."""
    n = len(table["time_s"])
    both = clusters(
        np.concatenate([table["replication"], stops["replication"]]),
        np.concatenate([table["time_s"], stops["begin_s"]]),
        float(records.facts["block_s"]),
    )
    is_stop = np.arange(len(both.index)) >= n
    hours = both.sums(~is_stop) * float(records.facts["mobility_period_s"]) / _S_PER_H
    return not_negative(ratio_interval(both.sums(is_stop), hours, over=both.over))


def _mbit_by_second(table: Table) -> tuple[dict[str, NDArray[Any]], FloatArray]:
    """Return each whole second of each vehicle, and the video that came up in it [Mbit/s]."""
    second = np.floor(table["time_s"] + 1e-6).astype(np.int64)
    key = np.stack([table["replication"].astype(np.int64), table["vehicle_id"], second])
    each, of, n = np.unique(key, axis=1, return_inverse=True, return_counts=True)
    total = np.bincount(of.ravel(), weights=table["video_bytes"], minlength=each.shape[1])
    whole = n == n.max() if len(n) else np.zeros(0, dtype=np.bool_)
    seconds = {
        "replication": each[0][whole].astype(np.int32),
        "time_s": each[2][whole].astype(np.float64),
    }
    return seconds, np.asarray(total[whole] * 8e-6, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class TrackingFigures:
    """How a stolen vehicle was followed; intervals are 95 %.

    Attributes
    ----------
    time_to_locate_s
        Mean time from the report to the first place that is right [s], over replications in
        which there was one.
    n_never
        Replications in which there was none.
    continuity
        Share of the time from the report on in which the vehicle was located, and rightly.
    error_m, error_p95_m
        Mean and 95 % quantile of the error of a right place [m].
    false_track
        Share of the time located that was of another vehicle.
    tunnel_dead_s
        Time in tunnels in which it was not located [s].
    linkable
        Share of changes of pseudonyms of anybody that an eavesdropper at the units links rightly.
    n_changes
        Changes that could be linked.
    """

    time_to_locate_s: Interval
    n_never: int
    continuity: Interval
    error_m: Interval
    error_p95_m: Interval
    false_track: Interval
    tunnel_dead_s: float
    linkable: Interval
    n_changes: int


def tracking_figures(records: RunRecords) -> TrackingFigures:
    """Return the figures of tables ``tracking`` and ``pseudonym_links``; a row is a second."""
    table, links = records.tables["tracking"], records.tables["pseudonym_links"]
    rows = Rows(records, table, "time_s")
    right = table["located"] & ~table["false_track"]
    error_m = np.where(right, table["error_m"], np.nan)
    runs = np.unique(table["replication"])
    first_s = [
        table["since_report_s"][right & (table["replication"] == run)].min(initial=np.inf)
        for run in runs
    ]
    found_s = np.array([value for value in first_s if np.isfinite(value)])
    every = Rows(records, {**links, "time_s": np.zeros(len(links["n_changes"]))}, "time_s")
    return TrackingFigures(
        time_to_locate_s=ratio_interval(found_s, np.ones(len(found_s)), over="replications"),
        n_never=len(runs) - len(found_s),
        continuity=rows.share(right),
        error_m=rows.mean(error_m),
        error_p95_m=rows.quantile(error_m, 0.95),
        false_track=rows.share(table["false_track"], table["located"]),
        tunnel_dead_s=float((table["in_tunnel"] & ~right).sum()),
        linkable=ratio_interval(
            every.clusters.sums(links["n_linked"]),
            every.clusters.sums(links["n_changes"]),
            over=every.clusters.over,
        ),
        n_changes=int(links["n_changes"].sum()),
    )
