"""Means, shares and quantiles of the rows of a table, with intervals over clusters.

No value is ever negative, so no limit is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import (
    Clusters,
    FloatArray,
    Interval,
    clusters,
    proportion_interval,
    ratio_interval,
)
from v2x.records.tables import RunRecords, Table


class Rows:
    """Rows of a table and the clusters that they belong to.

    Parameters
    ----------
    records
        Uses the fact ``block_s``.
    table
        With a column ``replication``.
    time
        Name of the column with the time of each row [s].
    """

    def __init__(self, records: RunRecords, table: Table, time: str) -> None:
        self.table = table
        block_s = float(records.facts["block_s"])
        self.clusters: Clusters = clusters(table["replication"], table[time], block_s)

    def mean(self, values: FloatArray, which: NDArray[np.bool_] | None = None) -> Interval:
        """Return the mean of values, NaN left out, of all rows or those `which`."""
        counts = ~np.isnan(values)
        if which is not None:
            counts &= which
        above = self.clusters.sums(np.where(counts, values, 0.0))
        return not_negative(
            ratio_interval(above, self.clusters.sums(counts), over=self.clusters.over)
        )

    def share(self, hits: NDArray[np.bool_], which: NDArray[np.bool_] | None = None) -> Interval:
        """Return the share of rows, or of those `which`, that are hits."""
        of = np.ones(len(hits), dtype=np.bool_) if which is None else which
        return proportion_interval(
            self.clusters.sums(hits & of), self.clusters.sums(of), over=self.clusters.over
        )

    def quantile(self, values: FloatArray, q: float) -> Interval:
        """Return a quantile over all rows, with limits by those of the replications.

        One replication gives no limits: values of neighbouring times are alike.
        """
        kept = ~np.isnan(values)
        if not kept.any():
            return ratio_interval(np.zeros(0), np.zeros(0), over="replications")
        run = self.table["replication"][kept]
        value = float(np.quantile(values[kept], q))
        each = np.array([np.quantile(values[kept][run == k], q) for k in np.unique(run)])
        spread = ratio_interval(each, np.ones(len(each)), over="replications")
        half = spread.high - spread.value
        return not_negative(
            Interval(value, value - half, value + half, int(kept.sum()), spread.method)
        )


def not_negative(interval: Interval) -> Interval:
    """Return an interval of what is never negative."""
    return replace(interval, low=float(np.maximum(interval.low, 0.0)))
