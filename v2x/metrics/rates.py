"""Rates per distance and time driven, with their intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import Clusters, FloatArray, Interval, clusters, ratio_interval
from v2x.records.tables import RunRecords, Table

M_PER_1000_KM = 1e6


class ExposureRates:
    """Rates over the rows of table ``exposure``, with intervals over their clusters.

    Parameters
    ----------
    records
        Uses table ``exposure`` and the fact ``block_s``.

    Attributes
    ----------
    clusters
        Clusters of the rows.
    """

    def __init__(self, records: RunRecords) -> None:
        exposure = records.tables["exposure"]
        self._block_s = float(records.facts["block_s"])
        self.clusters: Clusters = clusters(
            exposure["replication"], exposure["block_start_s"], self._block_s
        )
        self._replication = exposure["replication"]
        self._block = _keys(exposure["replication"], exposure["block_start_s"], self._block_s)

    def began(self, table: Table, which: NDArray[np.bool_] | None = None) -> FloatArray:
        """Return how many rows of a table, or those `which`, began in each block.

        Parameters
        ----------
        table
            With columns ``replication`` and ``begin_s``.
        which : (n,) bool
            Rows that count; None for all.
        """
        row = self._rows(table)
        counts = np.bincount(row if which is None else row[which], minlength=len(self._block))
        return np.asarray(counts, dtype=np.float64)

    def ratio(self, numerator: NDArray[np.generic], denominator: FloatArray) -> Interval:
        """Return the ratio of two sums over the blocks, none of which is ever negative."""
        above, below = self.clusters.sums(numerator), self.clusters.sums(denominator)
        found = ratio_interval(above, below, over=self.clusters.over)
        return replace(found, low=float(np.maximum(found.low, 0.0)))

    def _rows(self, table: Table) -> NDArray[np.intp]:
        """Return the row of ``exposure`` in which each row of a table began.

        One that began before the first block, with a crossing that ended in it, counts there.
        """
        began = _keys(table["replication"], table["begin_s"], self._block_s)
        order = np.argsort(self._block, kind="stable")
        at = np.searchsorted(self._block[order], began, side="right") - 1
        first = np.searchsorted(self._replication[order], table["replication"])
        return order[np.maximum(at, first)]


def _keys(replication: NDArray[np.int32], time_s: FloatArray, block_s: float) -> FloatArray:
    """Return numbers that order replications, and blocks of time within them."""
    return np.asarray(replication * 1e9 + np.floor(time_s / block_s + 1e-6), dtype=np.float64)
