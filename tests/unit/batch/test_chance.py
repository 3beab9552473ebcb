from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from v2x.batch.chance import Sample, difference, mean_interval, more_than_chance
from v2x.metrics.statistics import FloatArray


def sample(
    value: list[float] | FloatArray, seed: range | None = None, half: float = math.nan
) -> Sample:
    n = len(value)
    seeds = np.array(range(n) if seed is None else seed)
    return Sample(seeds, np.array(value, dtype=float), np.full(n, half))


def test_mean_interval_is_that_of_student() -> None:
    value = np.random.default_rng(1).normal(size=7)
    mean, low, high, n = mean_interval(value)

    expected = stats.t.interval(0.95, 6, loc=value.mean(), scale=stats.sem(value))
    assert (low, high) == pytest.approx(expected)
    assert (mean, n) == (pytest.approx(value.mean()), 7)


def test_shared_seeds_are_paired() -> None:
    generator = np.random.default_rng(2)
    common = generator.normal(scale=10, size=8)
    a, b = common, common + 1 + generator.normal(scale=0.1, size=8)
    found = difference(sample(a), sample(b))

    test = stats.ttest_rel(b, a)
    interval = test.confidence_interval(0.95)
    assert found.method == "paired t"
    assert found.p == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.difference == pytest.approx(np.mean(b - a))
    # What the pairs have in common drops out: without it the difference drowns.
    assert difference(sample(a), sample(b, range(50, 58))).p > 0.5 > found.p


def test_pairs_are_found_by_seed_whatever_their_order() -> None:
    found = difference(sample([1, 2, 3]), sample([13, 12, 11, 99], range(2, -2, -1)))

    assert (found.n, found.difference, found.p) == (3, 10.0, 0.0)


def test_other_seeds_are_compared_by_welch() -> None:
    generator = np.random.default_rng(3)
    a, b = generator.normal(size=6), generator.normal(1, 3, size=9)
    found = difference(sample(a), sample(b, range(100, 109)))

    test = stats.ttest_ind(b, a, equal_var=False)
    assert found.method == "Welch t"
    assert found.p == pytest.approx(test.pvalue)


def test_two_runs_have_only_their_own_intervals() -> None:
    found = difference(sample([1], half=0.3), sample([2], half=0.4))

    assert found.method == "intervals of the runs"
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(1.5))
    assert found.p < 0.05


@pytest.mark.parametrize("half", [math.nan, 0.0])
def test_without_any_interval_nothing_is_said_of_chance(half: float) -> None:
    found = difference(sample([1], half=half), sample([2], half=half))

    assert found.difference == 1
    assert math.isnan(found.p)
    assert math.isnan(found.low)


def test_equal_figures_do_not_differ() -> None:
    assert difference(sample([0.1, 0.1, 0.1]), sample([0.1, 0.1, 0.1])).p == 1.0


def test_of_many_figures_that_do_not_differ_few_are_named() -> None:
    p = np.random.default_rng(4).random(1000)

    assert np.count_nonzero(p < 0.05) > 30
    assert more_than_chance(p).sum() == 0
    expected = stats.false_discovery_control(p**4) <= 0.05
    assert 0 < expected.sum() < 1000
    assert more_than_chance(p**4).tolist() == expected.tolist()
