"""What congestion control did to those who spoke."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.metrics.statistics import CONFIDENCE, Interval, clusters, ratio_interval
from v2x.records.tables import FIRST_ROADSIDE_ID, RunRecords


@dataclass(frozen=True, slots=True)
class CongestionFigures:
    """Congestion control of the road users, over nodes and time after the warm-up.

    Attributes
    ----------
    cr
        Mean channel occupancy ratio of a node.
    cr_p95, cr_max : float
        95th percentile and largest value of the same.
    share_suppressed
        Share of the messages that were held back.
    interval_ms : float
        Mean of the least time between messages [ms]; NaN if the control sets none.
    n_offered, n_suppressed, n_adapted : int
        Messages the control was asked about, those it held back, and those it sent with another
        MCS and width.
    tx_power_dbm : float
        Mean of the transmit power [dBm]; NaN if the control sets none.
    """

    cr: Interval
    cr_p95: float
    cr_max: float
    share_suppressed: Interval
    interval_ms: float
    n_offered: int
    n_suppressed: int
    n_adapted: int
    tx_power_dbm: float


def congestion_figures(
    records: RunRecords, *, confidence: float = CONFIDENCE
) -> CongestionFigures | None:
    """Return what congestion control did, None in runs without it."""
    table = records.tables["congestion"]
    kept = table["time_s"] > records.facts["warmup_s"]
    kept &= table["node_id"] < FIRST_ROADSIDE_ID
    if not kept.any():
        return None
    cr, offered, suppressed = (table[name][kept] for name in ("cr", "n_offered", "n_suppressed"))
    cluster = clusters(
        table["replication"][kept], table["time_s"][kept], float(records.facts["block_s"])
    )

    def ratio(above: np.ndarray, below: np.ndarray) -> Interval:
        return ratio_interval(
            cluster.sums(above), cluster.sums(below), over=cluster.over, confidence=confidence
        )

    def mean_of_set(name: str) -> float:
        values = table[name][kept]
        is_set = values[np.isfinite(values)]
        return float(is_set.mean()) if len(is_set) else np.nan

    return CongestionFigures(
        cr=ratio(cr, np.ones_like(cr)),
        cr_p95=float(np.quantile(cr, 0.95)),
        cr_max=float(cr.max()),
        share_suppressed=ratio(suppressed.astype(np.float64), offered.astype(np.float64)),
        interval_ms=mean_of_set("interval_ms"),
        n_offered=int(offered.sum()),
        n_suppressed=int(suppressed.sum()),
        n_adapted=int(table["n_adapted"][kept].sum()),
        tx_power_dbm=mean_of_set("tx_power_dbm"),
    )
