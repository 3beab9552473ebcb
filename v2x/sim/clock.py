"""Time: integer microseconds, and the only place where seconds become ticks."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import simpy
from numpy.typing import NDArray
from simpy.events import URGENT, Event

from v2x.units import US_PER_S

#: One time or an array of them, integer microseconds.
Time = TypeVar("Time", int, NDArray[np.int64])


def to_us(seconds: float) -> int:
    """Return a time in microseconds, rounded to the nearest.

    Examples
    --------
    >>> to_us(0.1)
    100000
    """
    return round(seconds * US_PER_S)


def first_slot_from(time_us: Time, slot_us: int) -> Time:
    """Return the first slot that starts at `time_us` or later."""
    return -(-time_us // slot_us)


def last_slot_until(time_us: Time, slot_us: int) -> Time:
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
