"""Intervals and quantiles against closed forms, other libraries and published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from v2x import rng
from v2x.metrics.statistics import (
    N_BATCHES,
    Histogram,
    clusters,
    proportion_interval,
    ratio_interval,
    weighted_quantile,
    wilson_interval,
)


class TestRatioInterval:
    def test_equal_clusters_give_the_interval_of_their_mean(self):
        means = np.array([0.91, 0.87, 0.93, 0.90, 0.88])
        result = ratio_interval(50 * means, np.full(5, 50.0), over="replications")
        low, high = stats.t.interval(0.95, 4, loc=means.mean(), scale=stats.sem(means))
        assert (result.low, result.high) == pytest.approx((low, high))
        assert result.value == pytest.approx(means.mean())
        assert (result.n, result.method) == (250, "ratio-t over replications")

    def test_unequal_clusters_are_pooled(self):
        result = ratio_interval(np.array([9.0, 0.0]), np.array([9.0, 1.0]), over="time batches")
        assert result.value == 0.9

    def test_clusters_that_saw_nothing_do_not_count(self):
        some = ratio_interval(np.array([1.0, 2.0]), np.array([2.0, 2.0]), over="x")
        more = ratio_interval(np.array([1.0, 0, 2, 0]), np.array([2.0, 0, 2, 0]), over="x")
        assert some == more

    def test_one_cluster_has_no_limits(self):
        result = ratio_interval(np.array([3.0]), np.array([4.0]), over="x")
        assert (result.value, result.method) == (0.75, "none")
        assert math.isnan(result.low)
        assert math.isnan(result.high)

    def test_nothing_has_no_value(self):
        result = ratio_interval(np.zeros(3), np.zeros(3), over="x")
        assert math.isnan(result.value)
        assert (result.n, result.method) == (0, "none")

    def test_covers_the_truth_as_often_as_it_says(self):
        """Ten clusters of unequal size whose own ratio varies, as with persistent collisions.

        In 2000 trials the share of intervals that hold the truth has a standard deviation of
        0.005; the ratio estimator itself is known to lose a point with ten clusters. Wilson's
        interval on the same counts takes the trials for independent and fails by far.
        """
        draw = rng.stream(1, "coverage")
        truth, n_trials = 0.8, 2000
        hit = naive = 0
        for _ in range(n_trials):
            trials = draw.integers(100, 300, 10)
            successes = draw.binomial(trials, draw.beta(40 * truth, 40 * (1 - truth), 10))
            r = proportion_interval(successes.astype(float), trials.astype(float), over="x")
            w = wilson_interval(int(successes.sum()), int(trials.sum()))
            hit += r.low <= truth <= r.high
            naive += w.low <= truth <= w.high
        assert 0.925 < hit / n_trials < 0.97
        assert naive / n_trials < 0.75


class TestProportionInterval:
    def test_one_cluster_falls_back_to_wilson(self):
        result = proportion_interval(np.array([8.0, 0.0]), np.array([10.0, 0.0]), over="x")
        assert result == wilson_interval(8, 10)

    @pytest.mark.parametrize("successes", [0.0, 10.0])
    def test_without_spread_falls_back_to_wilson(self, successes):
        result = proportion_interval(np.full(5, successes), np.full(5, 10.0), over="x")
        assert result == wilson_interval(round(5 * successes), 50)
        assert result.high - result.low > 0.05

    def test_is_cut_to_shares(self):
        result = proportion_interval(np.array([10.0, 7.0]), np.array([10.0, 10.0]), over="x")
        assert (result.value, result.high) == (0.85, 1.0)
        assert result.method == "ratio-t over x"

    def test_nothing(self):
        result = proportion_interval(np.zeros(2), np.zeros(2), over="x")
        assert (result.n, result.method) == (0, "none")
        assert math.isnan(result.value)
        assert math.isnan(result.low)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_limits_are_those_of_newcombe_1998_table_1(successes, trials, low, high):
    result = wilson_interval(successes, trials)
    assert (result.low, result.high) == pytest.approx((low, high), abs=5e-5)


def test_wilson_needs_trials():
    with pytest.raises(ValueError, match="n_trials"):
        wilson_interval(0, 0)


class TestClusters:
    def test_replications_come_first(self):
        result = clusters(np.array([4, 7, 4], dtype=np.int32), np.arange(3.0), 1.0)
        assert (result.over, result.n_clusters) == ("replications", 2)
        assert result.index.tolist() == [0, 1, 0]

    def test_blocks_are_merged_to_batches_of_consecutive_blocks(self):
        time_s = np.arange(0, 25.0, 0.5)
        result = clusters(np.zeros(50, dtype=np.int32), time_s, 1.0)
        assert (result.over, result.n_clusters) == ("time batches", N_BATCHES)
        assert np.all(np.diff(result.index) >= 0)
        # Rows of one block stay together, and no batch is more than a block longer.
        assert np.array_equal(result.index[::2], result.index[1::2])
        assert set(np.bincount(result.index)) == {4, 6}

    def test_few_blocks_are_batches(self):
        result = clusters(np.zeros(4, dtype=np.int32), np.array([0.0, 2.0, 4.0, 4.0]), 2.0)
        assert result.index.tolist() == [0, 1, 2, 2]

    def test_rounding_does_not_move_a_block(self):
        starts = np.cumsum(np.full(7, 0.1))
        result = clusters(np.zeros(7, dtype=np.int32), starts, 0.1)
        assert result.index.tolist() == list(range(7))

    def test_no_rows(self):
        result = clusters(np.empty(0, dtype=np.int32), np.empty(0), 1.0)
        assert result.n_clusters == 0
        assert result.sums(np.empty(0)).shape == (0,)


counts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=30)


class TestWeightedQuantile:
    @given(counts, st.floats(0, 1))
    def test_is_the_quantile_of_the_repeated_samples(self, samples, quantile):
        values = np.array([value for value, _ in samples], dtype=float)
        weight = np.array([n for _, n in samples], dtype=int)
        result = weighted_quantile(values, weight, quantile)
        repeated = np.repeat(values, weight)
        if len(repeated) == 0:
            assert math.isnan(result)
            return
        # Just beside a step both neighbours are right within rounding.
        allowed = {
            float(np.quantile(repeated, np.clip(quantile + eps, 0, 1), method="inverted_cdf"))
            for eps in (-1e-9, 0.0, 1e-9)
        }
        assert result in allowed


class TestHistogram:
    def test_whole_bins_keep_exact_values(self):
        histogram = Histogram(np.array([100.0, 200.0]), np.array([3, 1]), 1.0, grain=1.0)
        assert histogram.mean() == 125.0
        assert [histogram.quantile(q) for q in (0.5, 0.75, 0.76)] == [100.0, 100.0, 200.0]
        value, above = histogram.ccdf()
        assert (value.tolist(), above.tolist()) == ([100.0, 200.0], [0.25, 0.0])

    def test_half_slots(self):
        histogram = Histogram(np.array([10.0]), np.array([8]), 1.0, grain=0.5)
        assert histogram.mean() == 10.25
        assert [histogram.quantile(q) for q in (0.5, 0.51)] == [10.0, 10.5]

    def test_agrees_with_the_samples_it_was_made_of(self):
        samples = rng.stream(1, "histogram").gamma(2.0, 40.0, 50_000)
        lower, n = np.unique(np.floor(samples), return_counts=True)
        histogram = Histogram(lower, n, 1.0, grain=0.001)
        # Within a bin samples are all but uniform: the error is far below the width.
        assert histogram.mean() == pytest.approx(samples.mean(), abs=0.02)
        for q in (0.05, 0.5, 0.95, 0.99):
            assert histogram.quantile(q) == pytest.approx(np.quantile(samples, q), abs=1.0)
        value, above = histogram.ccdf()
        at = np.searchsorted(value, 100.0)
        assert above[at] == pytest.approx(np.mean(samples > value[at]), abs=1e-3)

    def test_open_bin(self):
        histogram = Histogram(np.array([0.0, 9.0]), np.array([3, 1]), 1.0, 1.0, open_from=9.0)
        assert histogram.share_open == 0.25
        assert histogram.quantile(0.75) == 0.0
        assert histogram.quantile(0.76) == math.inf
        assert histogram.mean() == 9.0 / 4
        assert histogram.ccdf()[0].tolist() == [0.0]

    def test_empty(self):
        histogram = Histogram(np.empty(0), np.empty(0, dtype=np.int64), 1.0, 1.0)
        assert math.isnan(histogram.mean())
        assert math.isnan(histogram.quantile(0.5))
        assert math.isnan(histogram.share_open)
        assert histogram.ccdf()[0].shape == (0,)
