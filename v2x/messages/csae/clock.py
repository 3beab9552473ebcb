"""Instants from the cyclic counters of messages: what wraps on the wire does not wrap here.

Messages tell the millisecond of the minute, the minute of the year, the tenth of the hour and a
count of 128. An instant is a tick in µs since some beginning of a year, an hour and a minute; the
receiver knows the present one well enough to tell cycles apart.
"""

from __future__ import annotations

from v2x.messages.coding.wire import Code, Quantity
from v2x.messages.csae.bsm import UtcTime

#: Cycle of MsgCount.
COUNTS = 128
#: Cycles of secMark, TimeMark and times of day [µs].
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
#: Minutes of a year without and with a leap day.
YEAR_MINUTES, LEAP_YEAR_MINUTES = 525_600, 527_040
#: Clocks differ: what seems to come from this little after now does not come from a cycle ago [µs].
AHEAD_US = 1_000_000


def next_count(count: int) -> int:
    """Return the number of the next message.

    Examples
    --------
    >>> next_count(126), next_count(127)
    (127, 0)
    """
    return (count + 1) % COUNTS


def messages_since(earlier: int, later: int) -> int:
    """Return how many messages after another one a message is, 0 to 127.

    Examples
    --------
    >>> messages_since(126, 1)
    3
    """
    return (later - earlier) % COUNTS


def latest_instant_us(
    within_us: int, cycle_us: int, now_us: int, *, ahead_us: int = AHEAD_US
) -> int:
    """Return the last instant at which a cyclic clock showed something.

    Parameters
    ----------
    within_us
        What it showed, from 0 to the cycle [µs].
    cycle_us
        When it begins again [µs].
    now_us
        The present instant [µs].
    ahead_us
        The instant may be later than now by less than this, as clocks differ [µs].

    Examples
    --------
    >>> latest_instant_us(59_990_000, MINUTE_US, 60_040_000)
    59990000
    """
    end_us = now_us + ahead_us
    return end_us - (end_us - within_us) % cycle_us


def generated_us(second_ms: Quantity, now_us: int) -> int | None:
    """Return when a message was made, None if it does not say.

    Parameters
    ----------
    second_ms
        Its millisecond of the minute (``secMark``).
    now_us
        When it was received, less than a minute later [µs].
    """
    if isinstance(second_ms, Code):
        return None
    return latest_instant_us(round(1000.0 * second_ms), MINUTE_US, now_us)


def age_us(second_ms: Quantity, now_us: int) -> int | None:
    """Return the age of the content of a message, None if it does not say when it was made.

    Examples
    --------
    >>> age_us(59_950.0, 60_040_000), age_us(20.0, 60_040_000)
    (90000, 20000)
    """
    made_us = generated_us(second_ms, now_us)
    return None if made_us is None else now_us - made_us


def minute_began_us(
    minute: Quantity, now_us: int, *, year_minutes: int = YEAR_MINUTES
) -> int | None:
    """Return when the last minute of a number in its year began, None if it is not known.

    Parameters
    ----------
    minute
        Minute of the year.
    now_us
        The present instant, counted from the beginning of a year [µs].
    year_minutes
        Length of the year before the present one.
    """
    if isinstance(minute, Code):
        return None
    cycle_us = year_minutes * MINUTE_US
    return latest_instant_us(round(minute) * MINUTE_US, cycle_us, now_us, ahead_us=MINUTE_US)


def mark_us(mark_s: Quantity, now_us: int) -> int | None:
    """Return the instant of a time mark of SPAT in UTC, None if it is beyond or not known.

    Parameters
    ----------
    mark_s
        Time within the hour [s]; what has just passed is not an hour ahead.
    now_us
        The present instant, counted from the beginning of an hour [µs].

    Examples
    --------
    >>> mark_us(5.0, 3_590_000_000) - 3_590_000_000
    15000000
    """
    if isinstance(mark_s, Code):
        return None
    begin_us = now_us - AHEAD_US
    return begin_us + (round(1e6 * mark_s) - begin_us) % HOUR_US


def utc_time(now_us: int) -> UtcTime:
    """Return the time of day of an instant, counted from the beginning of a day.

    Examples
    --------
    >>> time = utc_time(3_723_004_000)
    >>> time.hour, time.minute, time.second_ms
    (1, 2, 3004)
    """
    minutes, rest_us = divmod(now_us % DAY_US, MINUTE_US)
    return UtcTime(hour=minutes // 60, minute=minutes % 60, second_ms=rest_us // 1000)


def since_us(time: UtcTime, now_us: int) -> int | None:
    """Return how long ago a time of day was, None if it is not complete.

    Examples
    --------
    >>> since_us(utc_time(DAY_US - 1000), DAY_US + 1000)
    2000
    """
    hour, minute, second_ms = time.hour, time.minute, time.second_ms
    if hour is None or minute is None or second_ms is None or isinstance(second_ms, Code):
        return None
    within_us = (60 * hour + minute) * MINUTE_US + round(1000.0 * second_ms)
    return now_us - latest_instant_us(within_us, DAY_US, now_us)
