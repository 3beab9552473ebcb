"""Messages that a gate spaces out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.congestion.base import CongestionContext
from v2x.access.congestion.interval import IntervalControl
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import PacketBatch
from v2x.applications.rate_control import RateControlled
from v2x.mobility.fleet import FleetState

from ...simulation_parts import FrozenFleet, ScheduledPackets, every, fleet_state

TICK_US = 100_000


def gate(n_nodes: int, interval_ms: int, period_ms: int = 100) -> IntervalControl:
    control = IntervalControl(
        CongestionContext(
            n_nodes=n_nodes,
            slot_us=1000,
            n_subchannels=5,
            grant_subchannels=1,
            period_ms=period_ms,
            seed=1,
        )
    )
    control.interval_us[:] = interval_ms * 1000
    return control


def run(application: RateControlled, fleets: list[FleetState]) -> list[PacketBatch]:
    return [application.packets(f.time_us, f.time_us + TICK_US, f) for f in fleets]


def fleets(n_ticks: int, mobility: FrozenFleet) -> list[FleetState]:
    return [mobility.advance(tick * TICK_US) for tick in range(n_ticks)]


def times(batches: list[PacketBatch], row: int = 0) -> list[int]:
    return [int(t) for batch in batches for t in batch.generated_us[batch.tx_row == row].tolist()]


ONE = FrozenFleet(x_m=[0.0])


def test_an_open_gate_changes_nothing() -> None:
    mobility = FrozenFleet(x_m=np.arange(30) * 10.0)
    params = AwarenessParams(rate_hz=50.0, size_bytes=(300, 190, 190))
    bare = Awareness(params, 3)
    wrapped = RateControlled(Awareness(params, 3), gate(30, 0, period_ms=20))
    assert (wrapped.sizes_bytes, wrapped.period_ms) == (bare.sizes_bytes, bare.period_ms)
    for fleet in fleets(5, mobility):
        a = bare.packets(fleet.time_us, fleet.time_us + TICK_US, fleet)
        b = wrapped.packets(fleet.time_us, fleet.time_us + TICK_US, fleet)
        for name in ("generated_us", "tx_row", "size_bytes", "deadline_us", "priority"):
            assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
            assert getattr(a, name).dtype == getattr(b, name).dtype


def test_a_message_waits_for_a_gate_that_opens_before_the_next() -> None:
    """Every 100 ms from 30 ms on, a gate of 250 ms: 30, 280 (for 230), 530, 780 (for 730)."""
    plan = ScheduledPackets(every(100_000, 10, 30_000, 0), budget_us=100_000)
    batches = run(RateControlled(plan, gate(1, 250)), fleets(11, ONE))
    assert times(batches) == [30_000, 280_000, 530_000, 780_000]
    for batch, fleet in zip(batches, fleets(11, ONE), strict=True):
        assert np.all(batch.generated_us >= fleet.time_us)
        assert np.all(batch.generated_us < fleet.time_us + TICK_US)
        assert np.all(batch.deadline_us - batch.generated_us == 100_000)


def test_a_message_put_off_beyond_the_tick_comes_in_the_next() -> None:
    plan = ScheduledPackets([(0, 0), (90_000, 0)])
    batches = run(RateControlled(plan, gate(1, 150)), fleets(3, ONE))
    assert [times([batch]) for batch in batches] == [[0], [150_000], []]


@pytest.mark.parametrize("newcomer", [-1, 7])
def test_a_message_put_off_dies_with_its_sender(newcomer: int) -> None:
    plan = ScheduledPackets([(0, 0), (90_000, 0)])
    states = [fleet_state(0, [0.0]), fleet_state(TICK_US, [0.0], id=[newcomer])]
    batches = run(RateControlled(plan, gate(1, 150)), states)
    assert [len(batch) for batch in batches] == [1, 0]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 999_999), st.integers(0, 2)), max_size=60),
    st.sampled_from((0, 25, 100, 140, 300)),
)
def test_messages_keep_their_distance(plan: list[tuple[int, int]], interval_ms: int) -> None:
    """Whatever comes when: in order, spaced, never early, counted, and from who wanted to speak."""
    control = gate(3, interval_ms)
    mobility = FrozenFleet(x_m=[0.0, 10.0, 20.0])
    batches = run(RateControlled(ScheduledPackets(plan), control), fleets(12, mobility))
    for row in range(3):
        wanted = sorted(t for t, who in plan if who == row)
        sent = times(batches, row)
        assert sent == sorted(sent)
        assert all(b - a >= interval_ms * 1000 for a, b in pairwise(sent))
        assert sent[:1] == wanted[:1]
        for time in sent:  # for some message that came no more than a period before
            assert any(0 <= time - t < 100_000 for t in wanted)
        assert len(wanted) - len(sent) == control._n_suppressed[row]
    for batch in batches:
        assert np.all(np.diff(batch.generated_us) >= 0)
