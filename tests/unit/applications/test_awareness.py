"""Periodic awareness: rates, phases, jitter, sizes; the same packets however time is cut."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import PacketBatch
from v2x.messages.sizes import signed_bsm_cycle

from ...simulation_parts import fleet_state


def fleet(n: int = 1, time_us: int = 0, **columns: Any) -> Any:
    return fleet_state(time_us, np.zeros(n), **columns)


def rows(batch: PacketBatch) -> list[tuple[int, ...]]:
    columns = (
        batch.generated_us,
        batch.tx_row,
        batch.size_bytes,
        batch.deadline_us,
        batch.priority,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("rate_hz", [0.5, 1.0, 3.0, 7.0, 10.0, 20.0, 33.3, 50.0])
def test_one_message_per_period(rate_hz: float) -> None:
    period_us = round(1e6 / rate_hz)
    application = Awareness(AwarenessParams(rate_hz=rate_hz), 1)
    batch = application.packets(0, 20 * period_us, fleet(30))
    for row in range(30):
        times = batch.generated_us[batch.tx_row == row]
        assert len(times) == 20
        assert 0 <= times[0] < period_us
        assert (np.diff(times) == period_us).all()


def test_phases_are_uniform() -> None:
    """Chi square of 20,000 phases in 100 classes within four standard deviations."""
    n = 20_000
    batch = Awareness(AwarenessParams(), 3).packets(0, 100_000, fleet(n))
    assert len(batch) == n
    counts = np.bincount(batch.generated_us // 1000, minlength=100)
    chi_square = float(((counts - n / 100) ** 2 / (n / 100)).sum())
    assert chi_square < 99 + 4.0 * math.sqrt(2 * 99)


def test_phases_belong_to_the_vehicle() -> None:
    """Neither the row, nor who else is there, nor when it came changes the phase."""
    application = Awareness(AwarenessParams(jitter_ms=20.0), 3)
    everybody = application.packets(0, 1_000_000, fleet(50))
    mine = everybody.generated_us[everybody.tx_row == 17].tolist()
    alone = application.packets(0, 1_000_000, fleet(3, id=[-1, -1, 17]))
    assert alone.generated_us.tolist() == mine
    assert (alone.tx_row == 2).all()
    late = application.packets(500_000, 1_000_000, fleet(1, id=[17], time_us=500_000))
    assert late.generated_us.tolist() == [t for t in mine if t >= 500_000]


def test_empty_rows_are_silent() -> None:
    batch = Awareness(AwarenessParams(), 1).packets(0, 10**6, fleet(4, id=[3, -1, 5, -1]))
    assert set(batch.tx_row.tolist()) == {0, 2}
    assert len(Awareness(AwarenessParams(), 1).packets(0, 10**6, fleet(0))) == 0


def test_seeds_move_the_phases() -> None:
    first, second = (
        Awareness(AwarenessParams(), seed).packets(0, 100_000, fleet(50)) for seed in (1, 2)
    )
    assert first.generated_us.tolist() != second.generated_us.tolist()


@pytest.mark.parametrize("jitter_ms", [0.5, 20.0, 99.0])
def test_jitter_makes_late_by_a_uniform_time(jitter_ms: float) -> None:
    """Late by 0 ... jitter after the start of its period; mean and spread within four deviations.

    The spread of a uniform number has the relative standard error sqrt(0.2 / n).
    """
    n, n_periods, period_us = 200, 100, 100_000
    plain = Awareness(AwarenessParams(), 2).packets(0, period_us, fleet(n))
    phase = np.empty(n, dtype=np.int64)
    phase[plain.tx_row] = plain.generated_us
    jittered = Awareness(AwarenessParams(jitter_ms=jitter_ms), 2)
    batch = jittered.packets(0, n_periods * period_us, fleet(n))
    assert abs(len(batch) - n * n_periods) <= n
    late = (batch.generated_us - phase[batch.tx_row]) % period_us
    span = jitter_ms * 1000.0
    assert late.max() < span
    assert abs(late.mean() - span / 2.0 + 0.5) < 4.0 * span / math.sqrt(12.0 * len(late))
    spread = span / math.sqrt(12.0)
    assert abs(late.std() - spread) < 4.0 * spread * math.sqrt(0.2 / len(late))


def test_jitter_is_drawn_for_each_message() -> None:
    batch = Awareness(AwarenessParams(jitter_ms=50.0), 2).packets(0, 10**7, fleet(1))
    gaps = np.diff(batch.generated_us)
    assert len(np.unique(gaps)) > 90
    assert (gaps > 50_000).all()
    assert (gaps < 150_000).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.floats(0.5, 50.0),
    st.floats(0.0, 0.999),
    st.lists(st.integers(1, 400_000), min_size=1, max_size=12),
    st.integers(0, 2**31),
)
def test_any_partition_of_time_gives_the_same_packets(
    rate_hz: float, jitter_share: float, steps_us: list[int], seed: int
) -> None:
    """No message is lost or doubled on a border, and order and contents stay."""
    jitter_ms = jitter_share * 1000.0 / rate_hz
    params = AwarenessParams(rate_hz=rate_hz, jitter_ms=jitter_ms, size_bytes=(300, 190, 190))
    ends = np.cumsum([0, *steps_us]).tolist()
    here = fleet(4, id=[0, 7, -1, 123456789])
    whole = rows(Awareness(params, seed).packets(0, ends[-1], here))
    parts = Awareness(params, seed)
    pieces = [
        row
        for start, end in itertools.pairwise(ends)
        for row in rows(parts.packets(start, end, here))
    ]
    assert pieces == whole


def test_intervals_are_closed_below_and_open_above() -> None:
    """Cut at the very microsecond of a message, it belongs to the later part alone."""
    application = Awareness(AwarenessParams(jitter_ms=50.0), 6)
    for time_us in application.packets(0, 500_000, fleet(10)).generated_us.tolist():
        assert time_us not in application.packets(0, time_us, fleet(10)).generated_us
        assert time_us in application.packets(time_us, time_us + 1, fleet(10)).generated_us


def test_batches_are_in_order_and_typed() -> None:
    batch = Awareness(AwarenessParams(jitter_ms=30.0), 1).packets(0, 10**6, fleet(40))
    keys = list(zip(batch.generated_us.tolist(), batch.tx_row.tolist(), strict=True))
    assert keys == sorted(keys)
    assert [c.dtype for c in (batch.generated_us, batch.deadline_us)] == [np.int64] * 2
    assert [c.dtype for c in (batch.tx_row, batch.size_bytes, batch.priority)] == [np.int32] * 3


@pytest.mark.parametrize("budget_ms", [1.0, 20.0, 100.0])
def test_budget_and_priority(budget_ms: float) -> None:
    params = AwarenessParams(latency_budget_ms=budget_ms, priority=2)
    batch = Awareness(params, 1).packets(0, 10**6, fleet(5))
    assert (batch.deadline_us - batch.generated_us == budget_ms * 1000).all()
    assert (batch.priority == 2).all()


@pytest.mark.parametrize(
    ("rate_hz", "budget_us"),
    [(1.0, 100_000), (9.0, 100_000), (10.0, 99_999), (20.0, 49_999), (50.0, 19_999)],
)
def test_the_budget_ends_before_the_next_message(rate_hz: float, budget_us: int) -> None:
    """By default 100 ms, less where the next message would replace one that still waits."""
    batch = Awareness(AwarenessParams(rate_hz=rate_hz), 1).packets(0, 10**6, fleet(5))
    assert (batch.deadline_us - batch.generated_us == budget_us).all()


def test_sizes_cycle_from_a_place_of_the_vehicles_own() -> None:
    """300, 190, 190, 190, 190 of TR 36.885 A.1.5, each vehicle somewhere else in it."""
    cycle = (300, 190, 190, 190, 190)
    application = Awareness(AwarenessParams(size_bytes=cycle), 1)
    batch = application.packets(0, 5_000_000, fleet(500))
    assert application.sizes_bytes == (190, 300)
    firsts = []
    for row in range(500):
        sizes = batch.size_bytes[batch.tx_row == row]
        large = np.flatnonzero(sizes == 300)
        assert (np.diff(large) == 5).all()
        firsts.append(int(large[0]))
    counts = np.bincount(firsts, minlength=5)
    assert (abs(counts - 100) < 4.0 * math.sqrt(500 * 0.2 * 0.8)).all()


@pytest.mark.parametrize("rate_hz", [1.0, 10.0, 20.0])
def test_sizes_default_to_the_signed_bsm(rate_hz: float) -> None:
    application = Awareness(AwarenessParams(rate_hz=rate_hz), 1)
    cycle = signed_bsm_cycle(1000.0 / rate_hz)
    assert application.sizes_bytes == tuple(sorted(set(cycle)))
    batch = application.packets(0, 20_000_000, fleet(1))
    share = float((batch.size_bytes == max(cycle)).mean())
    assert share == pytest.approx(1 / len(cycle), abs=0.05)


@pytest.mark.parametrize(
    ("rate_hz", "period_ms"), [(10.0, 100), (20.0, 50), (50.0, 20), (1.0, 1000)]
)
def test_the_nominal_period(rate_hz: float, period_ms: int) -> None:
    assert Awareness(AwarenessParams(rate_hz=rate_hz), 1).period_ms == period_ms


def test_packets_depend_on_nothing_asked_before() -> None:
    """A second question about the same interval gets the same answer."""
    application = Awareness(AwarenessParams(jitter_ms=10.0), 5)
    first = rows(application.packets(300_000, 400_000, fleet(9)))
    application.packets(0, 10**6, fleet(20))
    assert rows(application.packets(300_000, 400_000, fleet(9))) == first


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rate_hz", 0.0),
        ("rate_hz", 50.1),
        ("rate_hz", float("nan")),
        ("size_bytes", 0),
        ("size_bytes", (190, 10_001)),
        ("jitter_ms", -1.0),
        ("jitter_ms", 100.0),
        ("latency_budget_ms", 0.5),
        ("latency_budget_ms", 10_001.0),
        ("priority", 0),
        ("priority", 9),
    ],
)
def test_impossible_parameters(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{key} must be"):
        AwarenessParams(**{key: value})


def test_an_empty_cycle_of_sizes_is_rejected() -> None:
    with pytest.raises(ValueError, match="size_bytes"):
        AwarenessParams(size_bytes=())
