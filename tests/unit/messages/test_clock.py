"""Instants from cyclic counters."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.messages.coding.wire import BEYOND, UNAVAILABLE
from v2x.messages.csae.bsm import UtcTime
from v2x.messages.csae.clock import (
    AHEAD_US,
    DAY_US,
    HOUR_US,
    LEAP_YEAR_MINUTES,
    MINUTE_US,
    YEAR_MINUTES,
    age_us,
    generated_us,
    latest_instant_us,
    mark_us,
    messages_since,
    minute_began_us,
    next_count,
    since_us,
    utc_time,
)

INSTANTS = st.integers(0, 3 * DAY_US).map(lambda us: us - us % 1000)


@given(INSTANTS, st.integers(-AHEAD_US + 1000, MINUTE_US - AHEAD_US - 1000))
@settings(derandomize=True)
def test_what_was_made_within_a_minute_is_dated_exactly(made_us: int, age: int) -> None:
    second_ms = made_us % MINUTE_US // 1000
    assert generated_us(second_ms, made_us + age) == made_us
    assert age_us(second_ms, made_us + age) == age


@given(INSTANTS, st.integers(-AHEAD_US + 1000, 3600_000_000))
@settings(derandomize=True)
def test_times_of_day_are_dated_exactly(made_us: int, age: int) -> None:
    assert since_us(utc_time(made_us), made_us + age) == age


@given(st.integers(0, 10**12), st.integers(-AHEAD_US, HOUR_US - AHEAD_US - 1))
@settings(derandomize=True)
def test_time_marks_are_dated_within_the_coming_hour(now_us: int, ahead_us: int) -> None:
    at_us = (now_us + ahead_us) // 100_000 * 100_000
    if at_us < now_us - AHEAD_US:
        at_us += 100_000
    assert mark_us(at_us % HOUR_US / 1e6, now_us) == at_us


@pytest.mark.parametrize("minutes", [YEAR_MINUTES, LEAP_YEAR_MINUTES])
def test_minutes_of_the_year(minutes: int) -> None:
    last = minutes - 1
    assert minute_began_us(last, 30_000_000, year_minutes=minutes) == -MINUTE_US
    assert minute_began_us(0, 30_000_000, year_minutes=minutes) == 0
    assert minute_began_us(100, 101 * MINUTE_US + 5, year_minutes=minutes) == 100 * MINUTE_US


def test_what_is_not_said_is_not_known() -> None:
    assert generated_us(UNAVAILABLE, 0) is None
    assert age_us(UNAVAILABLE, 0) is None
    assert minute_began_us(UNAVAILABLE, 0) is None
    assert mark_us(BEYOND, 0) is None
    assert since_us(UtcTime(hour=1, minute=2), 0) is None
    assert since_us(UtcTime(hour=1, minute=2, second_ms=UNAVAILABLE), 0) is None


def test_counts() -> None:
    counts = [120]
    for _ in range(200):
        counts.append(next_count(counts[-1]))
    assert all(0 <= count < 128 for count in counts)
    assert all(messages_since(a, b) == 1 for a, b in pairwise(counts))
    assert messages_since(127, 0) == 1
    assert messages_since(5, 5) == 0


def test_a_clock_that_runs_ahead_is_not_a_cycle_behind() -> None:
    assert latest_instant_us(100, 1_000_000, 50, ahead_us=100) == 100
    assert latest_instant_us(200, 1_000_000, 50, ahead_us=100) == 200 - 1_000_000
