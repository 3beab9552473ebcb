"""Who received what, at which distance, and why not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.metrics.statistics import CONFIDENCE, FloatArray, clusters, proportion_interval
from v2x.records.tables import N_OUTCOMES, Direction, Outcome, RunRecords


@dataclass(frozen=True, slots=True)
class ReliabilityCurve:
    """Packet reception ratio (PRR) and the share of each outcome against distance.

    Attributes
    ----------
    bin_upper_m : (n_bins,) float64
        Upper ends of the distance bins (lower, upper] [m].
    bin_width_m
        Width of a bin [m].
    n_outcome : (n_outcomes, n_bins) int64
        Packet-receiver pairs by :class:`~v2x.records.tables.Outcome`.
    prr_low, prr_high : (n_bins,) float64
        Confidence limits of the PRR, NaN in bins without pairs.
    method : tuple of str, one per bin
        How the limits were found (:class:`~v2x.metrics.statistics.Interval`).
    """

    bin_upper_m: FloatArray
    bin_width_m: float
    n_outcome: NDArray[np.int64]
    prr_low: FloatArray
    prr_high: FloatArray
    method: tuple[str, ...]

    @property
    def n(self) -> NDArray[np.int64]:
        """Pairs of a packet and an intended receiver, (n_bins,)."""
        return np.asarray(self.n_outcome.sum(axis=0))

    @property
    def share(self) -> FloatArray:
        """Share of each outcome, (n_outcomes, n_bins); sums to 1, NaN in bins without pairs."""
        return _ratio(self.n_outcome, self.n)

    @property
    def prr(self) -> FloatArray:
        """Pairs received over all pairs, (n_bins,): the PRR of TR 36.885 Annex A, pooled."""
        return _ratio(self.n_outcome[Outcome.RECEIVED], self.n)

    @property
    def pdr(self) -> FloatArray:
        """Packet delivery ratio, (n_bins,): pairs received over pairs whose packet was sent.

        It differs from the PRR by the packets the access layer dropped before sending.
        """
        sent = self.n - self.n_outcome[Outcome.OUT_OF_BUDGET]
        return _ratio(self.n_outcome[Outcome.RECEIVED], sent)


def reliability(
    records: RunRecords,
    *,
    direction: Direction = Direction.V2V,
    bin_width_m: float | None = None,
    confidence: float = CONFIDENCE,
) -> ReliabilityCurve:
    r"""Return PRR and outcome shares per distance bin.

    Parameters
    ----------
    records
        Uses table ``links`` and the facts ``bin_width_m``, ``max_distance_m`` and ``block_s``.
    direction
        Between road users, or between them and roadside units.
    bin_width_m
        Width of the bins [m], a whole multiple of the recorded one; None for that one.
    confidence
        Of the limits.

    Notes
    -----
    For each packet and bin (a, b] let Y be the vehicles in it and X those that decoded. The PRR
    is :math:`\sum X / \sum Y` over all packets [1]_. It is not the mean of the ratios of the
    packets or of the pairs of vehicles, which weigh sparse situations more.

    References
    ----------
    .. [1] 3GPP TR 36.885, Annex A (evaluation assumptions).
    """
    facts = records.facts
    of_direction = records.tables["links"]["direction"] == direction
    links = {key: values[of_direction] for key, values in records.tables["links"].items()}
    recorded_m = float(facts["bin_width_m"])
    merge = _merged_bins(recorded_m, bin_width_m)
    width_m = recorded_m * merge
    recorded_bin = np.rint(links["bin_upper_m"] / recorded_m).astype(np.int64) - 1
    in_bin = recorded_bin // merge
    n_bins = max(
        int(np.ceil(facts["max_distance_m"] / width_m - 1e-9)), int(in_bin.max(initial=-1)) + 1
    )

    cluster = clusters(links["replication"], links["block_start_s"], float(facts["block_s"]))
    n = np.zeros((N_OUTCOMES, n_bins, max(cluster.n_clusters, 1)), dtype=np.int64)
    np.add.at(n, (links["outcome"], in_bin, cluster.index), links["n"])

    intervals = [
        proportion_interval(received, intended, over=cluster.over, confidence=confidence)
        for received, intended in zip(
            n[Outcome.RECEIVED].astype(np.float64), n.sum(axis=0).astype(np.float64), strict=True
        )
    ]
    return ReliabilityCurve(
        bin_upper_m=width_m * np.arange(1, n_bins + 1, dtype=np.float64),
        bin_width_m=width_m,
        n_outcome=n.sum(axis=2),
        prr_low=np.array([interval.low for interval in intervals]),
        prr_high=np.array([interval.high for interval in intervals]),
        method=tuple(interval.method for interval in intervals),
    )


def _merged_bins(recorded_m: float, wanted_m: float | None) -> int:
    """Return how many recorded bins make one wanted bin."""
    if wanted_m is None:
        return 1
    merge = round(wanted_m / recorded_m)
    if merge < 1 or abs(merge * recorded_m - wanted_m) > 1e-6 * recorded_m:
        raise V2XError(
            f"cannot make bins of {wanted_m:g} m from bins of {recorded_m:g} m",
            key="bin_width_m",
            remedy=f"choose a whole multiple of {recorded_m:g} m",
        )
    return merge


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> FloatArray:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
