"""How long it takes until a road user knows of another one over roadside units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from v2x.metrics.statistics import (
    CONFIDENCE,
    Histogram,
    Interval,
    clusters,
    proportion_interval,
    ratio_interval,
)
from v2x.records.tables import RELAY_OPEN_MS, RELAY_PARTS, RunRecords

#: Times are whole microseconds [ms].
_GRAIN_MS = 1e-3


@dataclass(frozen=True, slots=True)
class RelayFigures:
    """States of road users that roadside units told, each counted once for each receiver.

    Attributes
    ----------
    mean
        Mean delay from the generation by the road user until the receiver has decoded it, with
        its limits [ms].
    delay
        The delays [ms], by millisecond.
    part_means_ms
        Mean of each of :data:`~v2x.records.tables.RELAY_PARTS` [ms]; they add up to the mean.
    newer
        Share that was newer than all that the receiver had heard of the road user itself.
    """

    mean: Interval
    delay: Histogram
    part_means_ms: Mapping[str, float]
    newer: Interval


def relay_figures(records: RunRecords, *, confidence: float = CONFIDENCE) -> RelayFigures | None:
    """Return the figures of what was relayed, None for a run in which nothing was.

    Parameters
    ----------
    records
        Uses tables ``relay`` and ``relay_latency`` and the fact ``block_s``.
    confidence
        Of the limits.
    """
    table, latency = records.tables["relay"], records.tables["relay_latency"]
    n = float(table["n"].sum())
    if n == 0:
        return None
    of = clusters(table["replication"], table["block_start_s"], float(records.facts["block_s"]))
    parts_ms = {part: table[f"{part}_ms"] for part in RELAY_PARTS}
    told = of.sums(table["n"])
    value_ms, index = np.unique(latency["value_ms"], return_inverse=True)
    counts = np.bincount(index, weights=latency["n"], minlength=len(value_ms))
    return RelayFigures(
        mean=ratio_interval(
            of.sums(np.sum(list(parts_ms.values()), axis=0)),
            told,
            over=of.over,
            confidence=confidence,
        ),
        delay=Histogram(value_ms, counts.astype(np.int64), 1.0, _GRAIN_MS, float(RELAY_OPEN_MS)),
        part_means_ms={part: float(sums.sum()) / n for part, sums in parts_ms.items()},
        newer=proportion_interval(
            of.sums(table["n_newer"]), told, over=of.over, confidence=confidence
        ),
    )
