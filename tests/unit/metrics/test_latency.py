"""Latency of deliveries counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.metrics.latency import PARTS, deliveries


@pytest.fixture
def packets(make_table):
    """One packet sent once, one sent twice, one that nobody got, one never sent."""
    return make_table(
        "packets",
        packet=[0, 1, 2, 3],
        generated_us=[1_000_500, 2_000_000, 3_000_000, 4_000_000],
        first_slot_us=[1_005_000, 2_030_000, 3_001_000, -1],
        last_slot_us=[1_005_000, 2_037_000, 3_001_000, -1],
        n_attempts=[1, 2, 1, 0],
        n_intended=[4, 5, 5, 5],
        n_received=[3, 4, 0, 0],
        n_received_first=[3, 1, 0, 0],
    )


def test_by_hand(make_records, packets):
    delivered = deliveries(make_records({"packets": packets}))
    # 4.5 ms three times, 30 ms once and 37 ms three times, each plus 1 ms and 2.5 ms.
    repeated = np.sort(np.repeat(delivered.total_ms, delivered.n))
    np.testing.assert_allclose(repeated, [8.0, 8.0, 8.0, 33.5, 40.5, 40.5, 40.5])
    assert delivered.mean().value == pytest.approx(repeated.mean())
    assert [delivered.quantile_ms(q) for q in (0.4, 0.5, 0.99)] == [8.0, 33.5, 40.5]


def test_parts_add_up_to_the_mean(make_records, packets):
    delivered = deliveries(make_records({"packets": packets}))
    parts = delivered.part_means_ms()
    assert tuple(parts) == PARTS
    assert parts["wait_for_resource"] == pytest.approx((3 * 4.5 + 4 * 30) / 7)
    assert parts["retransmission"] == pytest.approx(3 * 7 / 7)
    assert (parts["air"], parts["decode"]) == (1.0, 2.5)
    assert sum(parts.values()) == pytest.approx(delivered.mean().value)


def test_warm_up_does_not_count(make_records, packets):
    delivered = deliveries(make_records({"packets": packets}, warmup_s=2.0))
    assert delivered.n.sum() == 4
    assert delivered.wait_ms.min() == 30.0


def test_limits_come_from_time(make_records, packets, plausible_records):
    few = deliveries(make_records({"packets": packets})).mean()
    assert few.method == "ratio-t over time batches"
    many = deliveries(plausible_records).mean()
    # Waits are uniform on [4, 99] ms, then rounded up to a slot: mean 52; repeats add 0.6.
    assert many.low < 51.5 + 0.5 + 0.6 + 3.5 < many.high
    assert many.high - many.low < 5.0


def test_no_deliveries(make_records):
    delivered = deliveries(make_records({}))
    assert delivered.n.sum() == 0
    assert math.isnan(delivered.mean().value)
    assert math.isnan(delivered.quantile_ms(0.5))
    assert all(math.isnan(value) for value in delivered.part_means_ms().values())
