"""Seconds become ticks here and nowhere else."""

from __future__ import annotations

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from v2x.sim.clock import UrgentTimeout, first_slot_from, last_slot_until, to_us


@pytest.mark.parametrize(
    ("seconds", "microseconds"),
    [
        (0.0, 0),
        (0.1, 100_000),
        (0.3, 300_000),
        (1e-6, 1),
        (1.9999999, 2_000_000),
        (86400.0, 864 * 10**8),
    ],
)
def test_seconds_to_microseconds(seconds: float, microseconds: int) -> None:
    assert to_us(seconds) == microseconds


@given(st.integers(0, 10**12), st.sampled_from([1000, 500, 250, 125]))
def test_slots_around_a_time(time_us: int, slot_us: int) -> None:
    first, last = first_slot_from(time_us, slot_us), last_slot_until(time_us, slot_us)
    assert (first - 1) * slot_us < time_us <= first * slot_us
    assert last * slot_us <= time_us < (last + 1) * slot_us
    assert (first == last) == (time_us % slot_us == 0)


def test_urgent_events_come_first() -> None:
    """Whatever order the processes were started in."""
    env = simpy.Environment()
    order: list[str] = []

    def ordinary() -> object:
        yield env.timeout(10)
        order.append("ordinary")

    def urgent() -> object:
        yield UrgentTimeout(env, 10)
        order.append("urgent")

    env.process(ordinary())
    env.process(urgent())
    env.process(ordinary())
    env.run()
    assert order == ["urgent", "ordinary", "ordinary"]
