"""Gaps and ages under independent loss, whose distribution is known.

With period T and loss p the gap is k T with probability (1 - p) p^(k - 1), so its mean is
T / (1 - p) and P(gap > k T) = p^k; the mean age is T (1 + p) / (2 (1 - p)) plus the delay.
The histograms here hold exactly these shares, for p = 1/2 and T = 100 ms, cut after 14 losses.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.metrics.freshness import Quantity, freshness, mean_freshness

PERIOD_MS, LOSS, MOST = 100, 0.5, 14
DELAY_MS = 20


@pytest.fixture
def lossy(make_table):
    k = np.arange(1, MOST + 1)
    gaps = 2 ** (MOST - k)
    # The age passes each millisecond from the delay to the delay plus the gap once per gap.
    age_ms = np.arange(DELAY_MS, DELAY_MS + MOST * PERIOD_MS)
    n_age = [gaps[k * PERIOD_MS > age - DELAY_MS].sum() for age in age_ms]
    return make_table(
        "freshness",
        quantity=np.r_[np.full(MOST, Quantity.IPG), np.full(len(age_ms), Quantity.AOI)],
        value_ms=np.r_[k * PERIOD_MS, age_ms],
        n=np.r_[gaps, n_age],
    )


def test_gap(make_records, lossy):
    gap = freshness(make_records({"freshness": lossy}), Quantity.IPG)
    # The cut leaves out a share of 2^-14 whose mean is that of the rest plus 14 periods.
    assert gap.mean() == pytest.approx(PERIOD_MS / (1 - LOSS), abs=0.1)
    value_ms, above = gap.ccdf()
    assert value_ms.tolist() == [PERIOD_MS * k for k in range(1, MOST + 1)]
    np.testing.assert_allclose(above, LOSS ** np.arange(1.0, MOST + 1), atol=1e-4)
    assert [gap.quantile(q) for q in (0.4, 0.6, 0.95, 0.99)] == [100, 200, 500, 700]


def test_age(make_records, lossy):
    age = freshness(make_records({"freshness": lossy}), Quantity.AOI)
    expected_ms = DELAY_MS + PERIOD_MS * (1 + LOSS) / (2 * (1 - LOSS))
    assert age.mean() == pytest.approx(expected_ms, abs=0.5)


def test_gaps_of_half_slots_lie_between(make_records, lossy):
    gap = freshness(make_records({"freshness": lossy}, slot_us=500), Quantity.IPG)
    assert gap.mean() == pytest.approx(PERIOD_MS / (1 - LOSS) + 0.25, abs=0.1)


def test_limits_of_the_mean_come_from_replications(make_records, make_table):
    table = make_table(
        "freshness", replication=[0, 1, 2], value_ms=[100.0, 200.0, 300.0], n=[5, 5, 5]
    )
    result = mean_freshness(make_records({"freshness": table}), Quantity.IPG)
    assert (result.value, result.method) == (200.0, "ratio-t over replications")
    # t(2) = 4.3027, standard error 100 / sqrt(3).
    assert result.high - result.value == pytest.approx(4.3027 * 100 / math.sqrt(3), rel=1e-4)


def test_a_single_replication_has_no_limits(make_records, lossy):
    result = mean_freshness(make_records({"freshness": lossy}), Quantity.IPG)
    assert result.method == "none"
    assert result.value == pytest.approx(200.0, abs=0.1)


def test_open_bin(make_records, make_table):
    table = make_table("freshness", value_ms=[100.0, 1000.0], n=[98, 2])
    gap = freshness(make_records({"freshness": table}, freshness_open_ms=1000.0), Quantity.IPG)
    assert (gap.share_open, gap.quantile(0.98), gap.quantile(0.99)) == (0.02, 100.0, math.inf)


@pytest.mark.parametrize("quantity", Quantity)
def test_no_samples(make_records, quantity):
    records = make_records({})
    assert freshness(records, quantity).n_samples == 0
    assert math.isnan(mean_freshness(records, quantity).value)
