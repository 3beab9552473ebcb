r"""How sure is a figure? Confidence intervals, histograms and weighted quantiles.

Samples of a simulation are not independent: a semi-persistent sender keeps its resource, and
with it the same collisions, for seconds, and shadowing lives as long as a vehicle drives its
decorrelation distance. Intervals are therefore taken over *clusters* of samples that are
(nearly) independent of each other:

* the replications, if the run has at least two;
* else batches of time. The blocks of the run are merged into at most :data:`N_BATCHES` batches
  of consecutive blocks. Ten is the low end of the 10 to 30 that Schmeiser recommends [1]_: the
  quantile of Student's t costs 15 % of width against the normal one, and the batches are as
  long, hence as little correlated, as the run allows. A run shorter than some hundred
  message periods still has correlated batches and gets an interval that is too narrow.

Within the clusters a figure is a ratio of two sums, such as packets received over packets
intended, and its interval is that of the ratio estimator of cluster sampling [2]_.

References
----------
.. [1] B. Schmeiser, "Batch size effects in the analysis of simulation output", Operations
   Research 30 (3), 1982.
.. [2] W. G. Cochran, "Sampling Techniques", 3rd ed., Wiley 1977: ratio estimators.
.. [3] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
   Journal of the American Statistical Association 22 (158), 1927.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

N_BATCHES = 10
CONFIDENCE = 0.95
WILSON = "wilson"
NO_INTERVAL = "none"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its confidence interval.

    Attributes
    ----------
    value
        The estimate, NaN if there was nothing to estimate it from.
    low, high
        Ends of the interval, NaN if there is none.
    n
        Samples behind the estimate.
    method
        How the interval was found: "ratio-t over replications", "ratio-t over time batches",
        "wilson" or "none".
    """

    value: float
    low: float
    high: float
    n: int
    method: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which cluster each row of a table belongs to.

    Attributes
    ----------
    index : (n_rows,) int64
        Cluster, from 0.
    n_clusters
        Number of clusters.
    over
        What the clusters are: "replications" or "time batches".
    """

    index: IndexArray
    n_clusters: int
    over: str

    def sums(self, values: NDArray[Any]) -> FloatArray:
        """Return the sum of `values`, one per row, in each cluster; shape (n_clusters,)."""
        weights = np.asarray(values, dtype=np.float64)
        return np.asarray(np.bincount(self.index, weights, self.n_clusters), dtype=np.float64)


def clusters(replication: NDArray[np.int32], time_s: FloatArray, block_s: float) -> Clusters:
    """Return the clusters over which the rows of a table give an interval.

    Parameters
    ----------
    replication : (n_rows,) int32
        Replication of each row.
    time_s : (n_rows,) float64
        Time of each row [s].
    block_s
        Length of the blocks that are never split between batches [s].
    """
    runs, run = np.unique(replication, return_inverse=True)
    if len(runs) > 1:
        return Clusters(run.astype(np.int64), len(runs), "replications")
    # A row stamped a rounding error before the start of its block belongs to that block.
    blocks, block = np.unique(np.floor(time_s / block_s + 1e-6), return_inverse=True)
    n_batches = min(N_BATCHES, len(blocks))
    batch = block.astype(np.int64) * n_batches // max(len(blocks), 1)
    return Clusters(batch, n_batches, "time batches")


def ratio_interval(
    numerator: FloatArray, denominator: FloatArray, *, over: str, confidence: float = CONFIDENCE
) -> Interval:
    r"""Return the ratio of two sums with Student-t limits over clusters.

    Parameters
    ----------
    numerator, denominator : (n_clusters,) float64
        Sums of each cluster; clusters with denominator 0 saw nothing and are left out.
    over
        What the clusters are, for the name of the method.
    confidence
        Probability that such an interval holds the true ratio.

    Notes
    -----
    With *k* clusters, sums :math:`y_i, x_i` and :math:`R = \sum y / \sum x`,

    .. math:: s^2(R) = \frac{k}{k - 1} \frac{\sum (y_i - R x_i)^2}{(\sum x_i)^2}

    and the limits are :math:`R \pm t_{k-1} s(R)` [2]_. If all denominators are equal this is
    exactly the interval of the mean of the ratios of the clusters. One cluster gives no limits.

    Examples
    --------
    >>> r = ratio_interval(np.array([1.0, 2.0, 3.0]), np.ones(3), over="replications")
    >>> r.value, round(r.low, 3), round(r.high, 3)
    (2.0, -0.484, 4.484)
    """
    seen = denominator > 0
    y, x = numerator[seen], denominator[seen]
    total = float(x.sum())
    n = round(total)
    if len(x) == 0:
        return Interval(math.nan, math.nan, math.nan, 0, NO_INTERVAL)
    ratio = float(y.sum()) / total
    k = len(x)
    if k == 1:
        return Interval(ratio, math.nan, math.nan, n, NO_INTERVAL)
    variance = k / (k - 1) * float(np.sum((y - ratio * x) ** 2)) / total**2
    half = _student_t_quantile(k - 1, confidence) * math.sqrt(variance)
    return Interval(ratio, ratio - half, ratio + half, n, f"ratio-t over {over}")


def proportion_interval(
    successes: FloatArray, trials: FloatArray, *, over: str, confidence: float = CONFIDENCE
) -> Interval:
    """Return the share of successes with limits over clusters.

    As :func:`ratio_interval`, cut to [0, 1]. Where clusters cannot say anything, because only
    one saw a trial or because all trials ended alike and the spread is zero, the limits are
    Wilson's (:func:`wilson_interval`), which take the trials for independent.

    Parameters
    ----------
    successes, trials : (n_clusters,) float64
        Counts of each cluster.
    over, confidence
        As for :func:`ratio_interval`.
    """
    n_successes, n_trials = round(float(successes.sum())), round(float(trials.sum()))
    if n_trials and (np.count_nonzero(trials) < 2 or n_successes in (0, n_trials)):
        return wilson_interval(n_successes, n_trials, confidence=confidence)
    r = ratio_interval(successes, trials, over=over, confidence=confidence)
    return Interval(r.value, max(r.low, 0.0), min(r.high, 1.0), r.n, r.method)


def wilson_interval(n_successes: int, n_trials: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the share of successes among independent trials with Wilson's limits [3]_.

    Examples
    --------
    >>> r = wilson_interval(8, 10)
    >>> round(r.low, 3), round(r.high, 3)
    (0.49, 0.943)
    """
    if n_trials < 1:
        raise ValueError(f"n_trials must be >= 1, got {n_trials}")
    from scipy.special import ndtri

    z = float(ndtri(0.5 + confidence / 2))
    p = n_successes / n_trials
    centre = (p + z * z / (2 * n_trials)) / (1 + z * z / n_trials)
    half = z / (1 + z * z / n_trials) * math.sqrt(p * (1 - p) / n_trials + (z / n_trials / 2) ** 2)
    # At p = 0 and p = 1 one limit equals p; rounding must not push it past p.
    return Interval(
        p, min(max(centre - half, 0.0), p), max(min(centre + half, 1.0), p), n_trials, WILSON
    )


def _student_t_quantile(degrees_of_freedom: int, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, 0.5 + confidence / 2))


def weighted_quantile(values: FloatArray, weight: NDArray[Any], quantile: float) -> float:
    """Return the smallest value at or below which lies the share `quantile` of the weight.

    Parameters
    ----------
    values : (n_samples,) float64
        Samples in any order.
    weight : (n_samples,) any number
        Weight of each, not negative; all zero gives NaN.
    quantile
        In [0, 1].

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([1, 1, 2]), 0.5)
    2.0
    """
    kept = weight > 0
    if not kept.any():
        return math.nan
    order = np.argsort(values[kept], kind="stable")
    cumulative = np.cumsum(weight[kept][order], dtype=np.float64)
    # The margin keeps q * total from passing an integer weight by a rounding error.
    at = int(np.searchsorted(cumulative, quantile * cumulative[-1] * (1 - 1e-12)))
    return float(values[kept][order][at])


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of a quantity in equally wide bins.

    Attributes
    ----------
    lower : (n_bins,) float64
        Lower ends of the bins that hold samples, ascending.
    n : (n_bins,) int64
        Samples in each.
    width
        Width of a bin.
    grain
        Step of the quantity: samples lie at ``lower + i * grain``, and are taken for spread
        evenly over these points of their bin. A quantity in whole bins has the grain of the
        width; one without steps has a grain much smaller.
    open_from
        Samples of the bin that begins here may be anywhere above; infinite if there is none.
    """

    lower: FloatArray
    n: IndexArray
    width: float
    grain: float
    open_from: float = math.inf

    @property
    def n_samples(self) -> int:
        """Samples in all bins."""
        return int(self.n.sum())

    @property
    def share_open(self) -> float:
        """Share of the samples in the open bin, NaN without samples."""
        if not self.n_samples:
            return math.nan
        return int(self.n[self.lower >= self.open_from].sum()) / self.n_samples

    def total(self) -> float:
        """Return the sum of the samples; those of the open bin count with its lower end."""
        closed = self.lower < self.open_from
        centre = self.lower + np.where(closed, (self.width - self.grain) / 2, 0.0)
        return float(np.sum(self.n * centre))

    def mean(self) -> float:
        """Return the mean, NaN without samples; a lower bound if the open bin holds any."""
        return self.total() / self.n_samples if self.n_samples else math.nan

    def quantile(self, quantile: float) -> float:
        """Return the quantile, NaN without samples and infinite if it is in the open bin."""
        if not self.n_samples:
            return math.nan
        cumulative = np.cumsum(self.n, dtype=np.float64)
        target = quantile * cumulative[-1] * (1 - 1e-12)
        at = int(np.searchsorted(cumulative, target))
        if self.lower[at] >= self.open_from:
            return math.inf
        share = 1.0 - float(cumulative[at] - target) / float(self.n[at])
        steps = math.ceil(share * self.width / self.grain - 1e-9) - 1
        return float(self.lower[at]) + max(steps, 0) * self.grain

    def ccdf(self) -> tuple[FloatArray, FloatArray]:
        """Return points x and the share of samples above x, both (n_bins,) float64.

        Each x is the largest value of its bin. The open bin has none and is left out.
        """
        if not self.n_samples:
            return np.empty(0), np.empty(0)
        above = 1.0 - np.cumsum(self.n) / self.n_samples
        closed = self.lower < self.open_from
        return (self.lower + self.width - self.grain)[closed], np.maximum(above[closed], 0.0)
