"""How fresh is what a vehicle knows of its neighbours: gaps and ages."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import (
    CONFIDENCE,
    FloatArray,
    Histogram,
    Interval,
    ratio_interval,
)
from v2x.records.tables import RunRecords
from v2x.units import US_PER_MS

_BIN_MS = 1.0
#: Step of a quantity measured in whole microseconds [ms].
_MICROSECOND_MS = 1.0 / US_PER_MS


class Quantity(IntEnum):
    """Values of the column ``quantity`` of table ``freshness``."""

    #: Inter-packet gap: time between successive receptions from the same sender.
    IPG = 0
    #: Age of information: time since the generation of the newest packet held of a sender.
    AOI = 1


def freshness(records: RunRecords, quantity: Quantity) -> Histogram:
    """Return the distribution of a freshness quantity [ms] over pairs within awareness range.

    Parameters
    ----------
    records
        Uses table ``freshness`` and the fact ``slot_us``; if the fact ``freshness_open_ms`` is
        there, the bin that begins at this value is the open one.
    quantity
        Which one.

    Notes
    -----
    Receptions end with a slot, so gaps are whole numbers of slots, whereas ages run in
    microseconds. A bin of 1 ms thus holds gaps of one exact value if the slot is 1 ms long, and
    no half bin must be added to their mean.
    """
    everything = np.ones(len(records.tables["freshness"]["n"]), dtype=np.bool_)
    return _histogram(records, quantity, everything)


def mean_freshness(
    records: RunRecords, quantity: Quantity, *, confidence: float = CONFIDENCE
) -> Interval:
    """Return the mean of a freshness quantity [ms] with limits over replications.

    The histograms hold no time, so a single replication gets no limits.
    """
    replication = records.tables["freshness"]["replication"]
    parts = [_histogram(records, quantity, replication == run) for run in np.unique(replication)]
    totals: FloatArray = np.array([part.total() for part in parts], dtype=np.float64)
    counts: FloatArray = np.array([part.n_samples for part in parts], dtype=np.float64)
    return ratio_interval(totals, counts, over="replications", confidence=confidence)


def _histogram(
    records: RunRecords,
    quantity: Quantity,
    rows: NDArray[np.bool_],
) -> Histogram:
    table, facts = records.tables["freshness"], records.facts
    kept = rows & (table["quantity"] == quantity)
    lower_ms, index = np.unique(table["value_ms"][kept], return_inverse=True)
    n = np.zeros(len(lower_ms), dtype=np.int64)
    np.add.at(n, index, table["n"][kept])
    slot_ms = min(float(facts["slot_us"]) / US_PER_MS, _BIN_MS)
    return Histogram(
        lower=lower_ms,
        n=n,
        width=_BIN_MS,
        grain=slot_ms if quantity == Quantity.IPG else _MICROSECOND_MS,
        open_from=float(facts.get("freshness_open_ms", np.inf)),
    )
