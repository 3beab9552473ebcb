"""Time: integer microseconds, and the only place where seconds become ticks."""

from __future__ import annotations

import simpy
from simpy.events import URGENT, Event

from v2x.units import US_PER_S


def to_us(seconds: float) -> int:
    """Return a time in microseconds, rounded to the nearest.

    Examples
    --------
    >>> to_us(0.1)
    100000
    """
    return round(seconds * US_PER_S)


def first_slot_from(time_us: int, slot_us: int) -> int:
    """Return the first slot that starts at `time_us` or later."""
    return -(-time_us // slot_us)


def last_slot_until(time_us: int, slot_us: int) -> int:
    """Return the last slot that starts at `time_us` or earlier."""
    return time_us // slot_us


class UrgentTimeout(Event):
    """A timeout that comes before every ordinary event of the same time.

    Motion uses it, so that at a common instant vehicles move before anybody transmits,
    whatever order the processes were started in.
    """

    def __init__(self, env: simpy.Environment, delay_us: int) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, URGENT, delay_us)
