"""Events: a Poisson process for each vehicle, and what it says of them."""

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
from v2x.applications.events import EventParams, Events, WithEvents
from v2x.applications.rate_control import RateControlled
from v2x.mobility.fleet import NodeKind

from ...simulation_parts import fleet_state

SINGLE = EventParams(rate_hz=2.0, repetitions=0)


def fleet(n: int = 1, **columns: Any) -> Any:
    return fleet_state(0, np.zeros(n), **columns)


def times(batch: PacketBatch, row: int) -> list[int]:
    return list(batch.generated_us[batch.tx_row == row].tolist())


def test_numbers_and_gaps_are_those_of_a_poisson_process() -> None:
    """Mean and variance of 2 Hz over 5 s: 10 each; gaps are exponential: variance mean squared.

    Bounds are four standard deviations: of a mean sqrt(10 / n), of a variance of Poisson numbers
    sqrt((10 + 2 * 100) / n), of the coefficient of variation of m gaps about 1 / sqrt(m).
    """
    n = 4000
    batch = Events(SINGLE, 1).packets(0, 5_000_000, fleet(n))
    count = np.bincount(batch.tx_row, minlength=n)
    assert abs(count.mean() - 10.0) < 4 * math.sqrt(10.0 / n)
    assert abs(count.var() - 10.0) < 4 * math.sqrt(210.0 / n)
    # Gaps that end within the 5 s miss the longest; those of one long process do not.
    one = Events(SINGLE, 1).packets(0, 3_000_000_000, fleet(1))
    gaps = np.diff(one.generated_us) / 1e6
    assert abs(gaps.mean() - 0.5) < 4 * 0.5 / math.sqrt(len(gaps))
    assert abs(gaps.std() / gaps.mean() - 1.0) < 4 / math.sqrt(len(gaps))


def test_events_of_vehicles_are_independent() -> None:
    batch = Events(SINGLE, 1).packets(0, 50_000_000, fleet(2))
    a, b = (np.bincount(np.array(times(batch, r)) // 1_000_000, minlength=50) for r in range(2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / math.sqrt(50)


def test_an_event_is_told_again_until_its_flag_falls() -> None:
    params = EventParams(rate_hz=0.01, repetitions=4, repetition_interval_ms=70.0)
    events = Events(params, 3)
    batch = events.packets(0, 200_000_000, fleet(1))
    struck = Events(EventParams(rate_hz=0.01, repetitions=0), 3).packets(0, 200_000_000, fleet(1))
    expected = [t + 70_000 * k for t in times(struck, 0) for k in range(5)]
    assert len(struck) >= 1
    assert times(batch, 0) == expected
    assert (batch.deadline_us - batch.generated_us == 50_000).all()
    assert (batch.priority == 2).all()
    assert (batch.size_bytes == 304).all()
    assert batch.event.all()


def test_a_new_event_ends_the_messages_of_the_one_before() -> None:
    """GB/T 45315-2025: it cancels what is pending and begins its own at once."""
    params = EventParams(rate_hz=3.0, repetitions=9)
    told = times(Events(params, 5).packets(0, 60_000_000, fleet(1)), 0)
    struck = times(
        Events(EventParams(rate_hz=3.0, repetitions=0), 5).packets(0, 60_000_000, fleet(1)), 0
    )
    expected = []
    for k, (start, end) in enumerate(zip(struck, [*struck[1:], 2**62], strict=True)):
        assert k == 0 or start > struck[k - 1]
        expected += [t for t in range(start, start + 1_000_000, 100_000) if t < end]
    assert told == [t for t in expected if t < 60_000_000]
    assert any(b - a < 1_000_000 for a, b in itertools.pairwise(struck))


@settings(max_examples=30, derandomize=True, deadline=None)
@given(cuts=st.lists(st.integers(1, 5_999), max_size=6), seed=st.integers(0, 100))
def test_the_same_packets_however_time_is_cut(cuts: list[int], seed: int) -> None:
    events = Events(EventParams(rate_hz=1.5, repetitions=5), seed)
    whole = events.packets(0, 6_000_000, fleet(4))
    edges = sorted({0, 6_000_000, *(1000 * cut for cut in cuts)})
    parts = [events.packets(a, b, fleet(4)) for a, b in itertools.pairwise(edges)]
    for name in ("generated_us", "tx_row"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name))


def test_events_belong_to_the_vehicle_not_to_its_row() -> None:
    events = Events(SINGLE, 2)
    alone = events.packets(0, 9_000_000, fleet(1, id=np.array([7])))
    among = events.packets(0, 9_000_000, fleet(3, id=np.array([5, 7, 6])))
    assert times(alone, 0) == times(among, 1) != times(among, 0)


def test_only_vehicles_meet_events() -> None:
    kinds = np.array([NodeKind.CAR, NodeKind.TRUCK, NodeKind.BUS, NodeKind.VRU, NodeKind.RSU])
    batch = Events(SINGLE, 1).packets(0, 20_000_000, fleet(5, kind=kinds))
    assert set(batch.tx_row.tolist()) == {0, 1, 2}


def test_no_events_no_messages() -> None:
    assert len(Events(EventParams(rate_hz=0.0), 1).packets(0, 10**8, fleet(9))) == 0


def test_beside_periodic_messages_in_the_order_of_time() -> None:
    awareness = Awareness(AwarenessParams(), 1)
    both = WithEvents(awareness, Events(SINGLE, 1))
    batch = both.packets(0, 1_000_000, fleet(20))
    assert (np.diff(batch.generated_us) >= 0).all()
    periodic = awareness.packets(0, 1_000_000, fleet(20))
    assert np.array_equal(batch.generated_us[~batch.event], periodic.generated_us)
    assert not periodic.event.any()
    assert np.count_nonzero(batch.event) == len(Events(SINGLE, 1).packets(0, 10**6, fleet(20)))
    assert (both.period_ms, both.sizes_bytes) == (awareness.period_ms, awareness.sizes_bytes)


def test_rate_control_does_not_hold_events_back() -> None:
    """SAE J2945/1: a critical event is sent at once; controls are put around the rest."""

    class Closed:
        def release(self, generated_us: Any, row: Any, fleet: Any) -> Any:
            return np.full(len(generated_us), -1)

    quiet = RateControlled(Awareness(AwarenessParams(), 1), Closed())
    batch = WithEvents(quiet, Events(SINGLE, 1)).packets(0, 1_000_000, fleet(20))
    assert len(batch) > 0
    assert batch.event.all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate_hz": -0.1}, "rate_hz must be within 0 and 10"),
        ({"rate_hz": 11.0}, "rate_hz must be within 0 and 10"),
        ({"size_bytes": 0}, "size_bytes must be within 1"),
        ({"priority": 9}, "priority must be within 1 and 8"),
        ({"latency_budget_ms": 0.5}, "latency_budget_ms must be within 1"),
        ({"repetitions": -1}, "repetitions must be within 0"),
        ({"repetition_interval_ms": 0.0}, "repetition_interval_ms must be within 1"),
    ],
)
def test_what_cannot_be_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EventParams(**changes)


def test_a_batch_needs_one_mark_per_packet() -> None:
    columns = {
        "generated_us": np.zeros(2, dtype=np.int64),
        "tx_row": np.zeros(2, dtype=np.int32),
        "size_bytes": np.zeros(2, dtype=np.int32),
        "deadline_us": np.zeros(2, dtype=np.int64),
        "priority": np.zeros(2, dtype=np.int32),
    }
    assert PacketBatch(**columns).event.tolist() == [False, False]
    assert PacketBatch(**columns).topic.tolist() == [0, 0]
    with pytest.raises(ValueError, match="topic must have one value per packet"):
        PacketBatch(**columns, topic=np.ones(3, dtype=np.int32))
    with pytest.raises(ValueError, match="one value per packet"):
        PacketBatch(**columns, event=np.ones(1, dtype=np.bool_))
