"""How full the channel is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import CONFIDENCE, FloatArray, Interval, clusters, ratio_interval
from v2x.records.tables import FIRST_ROADSIDE_ID, RunRecords

_MAX_POINTS = 100


@dataclass(frozen=True, slots=True)
class LoadSeries:
    """Channel busy ratio (CBR) over time, across nodes and replications.

    Attributes
    ----------
    time_s : (n_points,) float64
        End of the last measurement window in the point [s].
    mean, p10, p90 : (n_points,) float64
        Mean and percentiles of the nodes' CBR.
    """

    time_s: FloatArray
    mean: FloatArray
    p10: FloatArray
    p90: FloatArray


def cbr_quantile(records: RunRecords, quantile: float) -> float:
    """Return a quantile of the CBR over all road users and windows, NaN without measurements."""
    cbr = _after_warmup(records)[2]
    return float(np.quantile(cbr, quantile)) if len(cbr) else np.nan


def mean_cbr(
    records: RunRecords, *, roadside: bool = False, confidence: float = CONFIDENCE
) -> Interval:
    """Return the mean CBR over all road users and windows after the warm-up, with its limits.

    With `roadside` it is that of the roadside units instead.
    """
    replication, time_s, cbr = _after_warmup(records, roadside=roadside)
    cluster = clusters(replication, time_s, float(records.facts["block_s"]))
    return ratio_interval(
        cluster.sums(cbr),
        cluster.sums(np.ones_like(cbr)),
        over=cluster.over,
        confidence=confidence,
    )


def cbr_over_time(records: RunRecords) -> LoadSeries:
    """Return the CBR of the nodes over time after the warm-up.

    Each time of measurement is a point; more than a hundred are merged with their neighbours
    to a hundred.
    """
    _, time_s, cbr = _after_warmup(records)
    times_s, rank = np.unique(time_s, return_inverse=True)
    n_points = min(len(times_s), _MAX_POINTS)
    last = (np.arange(1, n_points + 1) * len(times_s) + n_points - 1) // max(n_points, 1) - 1
    groups = [cbr[rank_group] for rank_group in _groups(rank, last)]
    return LoadSeries(
        time_s=times_s[last],
        mean=np.array([group.mean() for group in groups]),
        p10=np.array([np.quantile(group, 0.1) for group in groups]),
        p90=np.array([np.quantile(group, 0.9) for group in groups]),
    )


def _groups(rank: NDArray[np.intp], last: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the rows of each group of consecutive ranks; group i ends with rank ``last[i]``."""
    order = np.argsort(rank, kind="stable")
    ends = np.searchsorted(rank[order], last, side="right")
    return np.split(order, ends[:-1]) if len(last) else []


def _after_warmup(
    records: RunRecords, *, roadside: bool = False
) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
    """Return replication, time and CBR of the windows that end after the warm-up."""
    load = records.tables["load"]
    kept = load["time_s"] > records.facts["warmup_s"]
    kept &= (load["node_id"] >= FIRST_ROADSIDE_ID) == roadside
    return load["replication"][kept], load["time_s"][kept], load["cbr"][kept]
