"""Whom does a vehicle know? Shares of the neighbours heard of late, directly or by relay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.metrics.statistics import (
    CONFIDENCE,
    FloatArray,
    IndexArray,
    Interval,
    clusters,
    proportion_interval,
)
from v2x.records.tables import RunRecords


@dataclass(frozen=True, slots=True)
class AwarenessCurve:
    """Neighbours known against distance.

    A neighbour is an ordered pair of road users: one within the awareness range of the other,
    both far enough from the ends of the map, at one instant.

    Attributes
    ----------
    bin_upper_m : (n_bins,) float64
        Upper ends of the distance bins (lower, upper] [m].
    n_pairs, n_direct, n_with_relay : (n_bins,) int64
        Neighbours; those heard within ``known_within_s``; those heard so or told by roadside
        units.
    direct, with_relay
        Shares of the known neighbours over all distances, with their limits.
    n_other_level, n_other_level_known
        Neighbours on decks or in tubes whose road does not meet the own one; of these, those
        heard directly. A receiver without heights takes them for neighbours on its own level.
    """

    bin_upper_m: FloatArray
    n_pairs: IndexArray
    n_direct: IndexArray
    n_with_relay: IndexArray
    direct: Interval
    with_relay: Interval
    n_other_level: int
    n_other_level_known: int

    @property
    def share_direct(self) -> FloatArray:
        """Share known directly, (n_bins,); NaN in bins without pairs."""
        return _ratio(self.n_direct, self.n_pairs)

    @property
    def share_with_relay(self) -> FloatArray:
        """Share known directly or by relay, (n_bins,); NaN in bins without pairs."""
        return _ratio(self.n_with_relay, self.n_pairs)

    @property
    def false_same_level(self) -> float:
        """Share of the neighbours known that are on another level, NaN if none is known."""
        known = int(self.n_direct.sum())
        return self.n_other_level_known / known if known else np.nan


def awareness(records: RunRecords, *, confidence: float = CONFIDENCE) -> AwarenessCurve:
    """Return which neighbours were known, over all samples after the warm-up.

    Parameters
    ----------
    records
        Uses table ``awareness`` and the fact ``block_s``.
    confidence
        Of the limits.

    Notes
    -----
    By relay means that a roadside unit heard the neighbour and was itself heard, each within
    ``known_within_s``. Units are taken to tell all that they hear, which overstates those that
    hear more road users than their messages have room for; the news may be two such times old.
    """
    table = records.tables["awareness"]
    cluster = clusters(table["replication"], table["time_s"], float(records.facts["block_s"]))
    upper_m, in_bin = np.unique(table["bin_upper_m"], return_inverse=True)

    def by_bin(name: str) -> IndexArray:
        total = np.zeros(len(upper_m), dtype=np.int64)
        np.add.at(total, in_bin, table[name])
        return total

    def share(name: str) -> Interval:
        return proportion_interval(
            cluster.sums(table[name]),
            cluster.sums(table["n_pairs"]),
            over=cluster.over,
            confidence=confidence,
        )

    return AwarenessCurve(
        bin_upper_m=upper_m,
        n_pairs=by_bin("n_pairs"),
        n_direct=by_bin("n_direct"),
        n_with_relay=by_bin("n_with_relay"),
        direct=share("n_direct"),
        with_relay=share("n_with_relay"),
        n_other_level=int(table["n_other_level"].sum()),
        n_other_level_known=int(table["n_other_level_known"].sum()),
    )


def _ratio(part: IndexArray, whole: IndexArray) -> FloatArray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
