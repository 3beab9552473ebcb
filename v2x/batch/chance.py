"""Whether a difference is more than chance.

Runs with the same seed share their random numbers, so that the difference of such a pair varies
less than the runs do; then the interval is that of the mean of the differences, with Student's t.
Without shared seeds it is Welch's. Two single runs have only their own intervals, taken for
independent; their half width over 1.96 is at least the standard error, as the intervals are t
intervals, so that chance is overrated rather than underrated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import CONFIDENCE, NO_INTERVAL, FloatArray

PAIRED, WELCH, OWN_INTERVALS = "paired t", "Welch t", "intervals of the runs"
_NORMAL_QUANTILE = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Sample:
    """A figure in the runs of one variant.

    Attributes
    ----------
    seed : (n_runs,) int64
        Seed of each run.
    value : (n_runs,) float64
        The figure; NaN where a run had nothing to measure it from.
    half : (n_runs,) float64
        Half width of its own interval in that run, NaN if it has none.
    """

    seed: NDArray[np.int64]
    value: FloatArray
    half: FloatArray


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more a figure is in one variant than in another.

    Attributes
    ----------
    reference, value
        Means of the figure over the runs that count.
    difference
        Mean of `value` less `reference`.
    low, high
        Its 95 % limits, NaN if there are none.
    n
        Pairs of runs behind it, or runs of the variant with fewer.
    p
        Probability of a difference as large if there is none, NaN if that is not known.
    method
        How it was found.
    """

    reference: float
    value: float
    difference: float
    low: float
    high: float
    n: int
    p: float
    method: str


def mean_interval(value: FloatArray) -> tuple[float, float, float, int]:
    """Return mean, 95 % limits by Student's t, and n of the values that are not NaN.

    Examples
    --------
    >>> [round(x, 3) for x in mean_interval(np.array([1.0, 2.0, 3.0, np.nan]))]
    [2.0, -0.484, 4.484, 3]
    """
    known = value[~np.isnan(value)]
    n = len(known)
    if n == 0:
        return math.nan, math.nan, math.nan, 0
    mean = float(known.mean())
    if n == 1:
        return mean, math.nan, math.nan, 1
    half = t_quantile(n - 1) * float(known.std(ddof=1)) / math.sqrt(n)
    return mean, mean - half, mean + half, n


def difference(reference: Sample, value: Sample) -> Difference:
    """Return how much more a figure is in `value` than in `reference`."""
    reference, value = _known(reference), _known(value)
    shared, at, of = np.intersect1d(reference.seed, value.seed, return_indices=True)
    if len(shared) >= 2:
        return _paired(reference.value[at], value.value[of])
    if min(len(reference.value), len(value.value)) >= 2:
        return _welch(reference.value, value.value)
    if len(reference.value) == len(value.value) == 1:
        return _by_own_intervals(reference, value)
    n = min(len(reference.value), len(value.value))
    a, b = (float(np.mean(s.value)) if len(s.value) else math.nan for s in (reference, value))
    return Difference(a, b, b - a, math.nan, math.nan, n, math.nan, NO_INTERVAL)


def _known(sample: Sample) -> Sample:
    known = ~np.isnan(sample.value)
    return Sample(sample.seed[known], sample.value[known], sample.half[known])


def _paired(a: FloatArray, b: FloatArray) -> Difference:
    n = len(a)
    error = float(np.std(b - a, ddof=1)) / math.sqrt(n)
    return _by_t(float(a.mean()), float(b.mean()), error, n - 1, n, PAIRED)


def _welch(a: FloatArray, b: FloatArray) -> Difference:
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    spread = va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)
    freedom = (va + vb) ** 2 / spread if spread else len(a) + len(b) - 2
    n = min(len(a), len(b))
    return _by_t(float(a.mean()), float(b.mean()), math.sqrt(va + vb), freedom, n, WELCH)


def _by_own_intervals(a: Sample, b: Sample) -> Difference:
    half = math.hypot(float(a.half[0]), float(b.half[0]))
    x, y = float(a.value[0]), float(b.value[0])
    # An interval without width says that its run saw too little to tell, not that it is sure.
    if not half > 0:
        return Difference(x, y, y - x, math.nan, math.nan, 1, math.nan, NO_INTERVAL)
    return _by_t(x, y, half / _NORMAL_QUANTILE, math.inf, 1, OWN_INTERVALS)


def _by_t(a: float, b: float, error: float, freedom: float, n: int, method: str) -> Difference:
    from scipy.special import stdtr

    d = b - a
    # Rounding leaves a spread of some 1e-17 where all differences are equal.
    error = 0.0 if error <= 1e-12 * max(abs(a), abs(b)) else error
    if error == 0.0:
        p = 1.0 if abs(d) <= 1e-12 * max(abs(a), abs(b)) else 0.0
        return Difference(a, b, d, d, d, n, p, method)
    half = t_quantile(freedom) * error
    p = 2 * float(stdtr(freedom, -abs(d) / error))
    return Difference(a, b, d, d - half, d + half, n, p, method)


def t_quantile(freedom: float) -> float:
    """Return the quantile of Student's t that bounds a 95 % interval on both sides."""
    from scipy.special import ndtri, stdtrit

    share = 0.5 + CONFIDENCE / 2
    return float(ndtri(share) if math.isinf(freedom) else stdtrit(freedom, share))


def more_than_chance(p: FloatArray) -> NDArray[np.bool_]:
    """Return which of many differences are more than chance.

    Notes
    -----
    Of hundreds of figures a twentieth has p < 0.05 by chance alone. The procedure of Benjamini
    and Hochberg (Journal of the Royal Statistical Society B 57 (1), 1995) keeps the expected
    share of false ones among those it names below 5 %.

    Examples
    --------
    >>> more_than_chance(np.array([0.001, 0.04, 0.9, np.nan])).tolist()
    [True, False, False, False]
    """
    known = np.flatnonzero(~np.isnan(p))
    named = np.zeros(len(p), dtype=np.bool_)
    order = known[np.argsort(p[known], kind="stable")]
    rank = np.arange(1, len(order) + 1)
    below = np.flatnonzero(p[order] <= rank / max(len(order), 1) * (1 - CONFIDENCE))
    if len(below):
        named[order[: below[-1] + 1]] = True
    return named
