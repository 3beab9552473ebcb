"""The minimal-risk stop of a vehicle that lost its operator."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from v2x.applications.services.remote.params import StopRule
from v2x.units import US_PER_MS, US_PER_S

#: Slower than this is standing [m/s].
STANDS_MPS = 0.1


class StopCause(IntEnum):
    """What was too old."""

    COMMAND = 0
    VIDEO = 1


def too_old(rule: StopRule, command_age_us: int, video_age_us: int) -> StopCause | None:
    """Return what is too old, None if neither is.

    Examples
    --------
    >>> too_old(StopRule(), 300_000, 500_000) is None
    True
    >>> too_old(StopRule(), 300_001, 500_001), too_old(StopRule(), 300_000, 500_001)
    (<StopCause.COMMAND: 0>, <StopCause.VIDEO: 1>)
    """
    if command_age_us > rule.command_age_ms * US_PER_MS:
        return StopCause.COMMAND
    if video_age_us > rule.video_age_ms * US_PER_MS:
        return StopCause.VIDEO
    return None


@dataclass(slots=True)
class _Stop:
    """A stop that goes on."""

    row: dict[str, Any]
    stands: bool = False


class StopKeeper:
    """Whether one vehicle stops, from tick to tick, and what is recorded of it.

    Parameters
    ----------
    rule
        When it stops and goes on.
    """

    def __init__(self, rule: StopRule) -> None:
        self._rule = rule
        self._stop: _Stop | None = None
        self._good_since_us: int | None = None
        #: Rows of table ``remote_stops`` without the vehicle.
        self.rows: list[dict[str, Any]] = []

    @property
    def stops(self) -> bool:
        """Whether it is stopping, or stands."""
        return self._stop is not None

    def tick(self, now_us: int, speed_mps: float, cause: StopCause | None, moved_m: float) -> None:
        """Begin, go on with or end a stop.

        Parameters
        ----------
        now_us
            The tick [µs].
        speed_mps
            Speed now.
        cause
            What is too old now, if anything.
        moved_m
            Way since the last tick [m].
        """
        if cause is not None:
            self._good_since_us = None
        elif self._good_since_us is None:
            self._good_since_us = now_us
        if self._stop is None:
            if cause is not None:
                self._begin(now_us, speed_mps, cause)
            return
        stop = self._stop
        if not stop.stands:
            stop.row["distance_m"] += moved_m
            if speed_mps < STANDS_MPS:
                stop.stands, stop.row["stood_s"] = True, now_us / US_PER_S
        good_us = -1 if self._good_since_us is None else now_us - self._good_since_us
        if stop.stands and good_us >= self._rule.resume_s * US_PER_S:
            stop.row["end_s"] = now_us / US_PER_S
            self._stop = None

    def _begin(self, now_us: int, speed_mps: float, cause: StopCause) -> None:
        stands = speed_mps < STANDS_MPS
        row = {
            "begin_s": now_us / US_PER_S,
            "cause": int(cause),
            "speed_mps": speed_mps,
            "stood_s": now_us / US_PER_S if stands else math.nan,
            "distance_m": 0.0,
            "end_s": math.nan,
        }
        self.rows.append(row)
        self._stop = _Stop(row, stands)
