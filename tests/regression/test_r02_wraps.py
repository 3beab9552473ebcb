"""R2 (applications.md 8.12): counters that wrap do not make age of information jump.

A sender with one message in 100 ms is received 30 to 50 ms later, across the ends of a minute, an
hour, a day and a year; every fifth message is lost. What the receiver makes of msgCnt, secMark,
minute of the year and TimeMark must be what really happened.
"""

from __future__ import annotations

import pytest

from v2x.messages.csae.clock import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    YEAR_MINUTES,
    age_us,
    generated_us,
    mark_us,
    messages_since,
    minute_began_us,
)

PERIOD_US = 100_000
ENDS_US = (MINUTE_US, HOUR_US, DAY_US, YEAR_MINUTES * MINUTE_US)


@pytest.mark.parametrize("end_us", ENDS_US)
def test_age_of_information_is_continuous(end_us: int) -> None:
    begin_us = end_us - 10 * PERIOD_US
    last_made_us, last_count = begin_us - PERIOD_US, 119
    for k in range(20):
        if k % 5 == 4:
            continue
        made_us = begin_us + k * PERIOD_US
        count, second_ms = (120 + k) % 128, made_us % MINUTE_US // 1000
        received_us = made_us + 30_000 + 1000 * k
        assert age_us(second_ms, received_us) == 30_000 + 1000 * k
        found_us = generated_us(second_ms, received_us)
        assert found_us == made_us
        assert messages_since(last_count, count) == (made_us - last_made_us) // PERIOD_US
        last_made_us, last_count = found_us, count


def test_second_59999_is_followed_by_0() -> None:
    assert generated_us(59_999, MINUTE_US + 1000) == MINUTE_US - 1000
    assert generated_us(0, MINUTE_US + 1000) == MINUTE_US
    assert messages_since(127, 0) == 1


def test_the_minute_of_the_year_begins_anew() -> None:
    """Counted from the new year: its last minute was the one before."""
    last = YEAR_MINUTES - 1
    began = [minute_began_us(minute, 90_000_000) for minute in (last, 0, 1)]
    assert began == [-MINUTE_US, 0, MINUTE_US]


def test_a_time_mark_of_the_next_hour_lies_ahead() -> None:
    """A green that ends 20 s after the hour, told from 30 s before it until it ends."""
    end_us = HOUR_US + 20_000_000
    left_us = []
    for now_us in range(HOUR_US - 30_000_000, end_us + 500_000, 500_000):
        instant_us = mark_us(20.0, now_us)
        assert instant_us is not None
        left_us.append(instant_us - now_us)
    assert left_us == list(range(50_000_000, -500_000, -500_000))
