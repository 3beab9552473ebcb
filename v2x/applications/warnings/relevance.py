"""When a place ahead concerns a driver: by the way and by the time to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.applications.warnings.base import BoolArray
from v2x.mobility.fleet import FloatArray
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class RelevanceParams:
    """How near a place has to be to concern a driver.

    Parameters
    ----------
    range_m
        Way along the road below which it does [m]; the range of the application in the table of
        T/CSAE 53 (confidence low).
    time_s
        Time to it below which it does, and below which the alert is a warning to those who are
        too fast [s] (proposal).
    release
        An alert stands until both are above this many times these limits (proposal).
    """

    range_m: float = 300.0
    time_s: float = 8.0
    release: float = 1.2

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("range_m", 0.0, 5000.0),
            ("time_s", 0.0, 60.0),
            ("release", 1.0, 100.0),
        )

    def soon(self, way_m: FloatArray, speed_mps: FloatArray) -> BoolArray:
        """Return whether drivers are there within `time_s`, (n,)."""
        return np.asarray(way_m < self.time_s * speed_mps)

    def raised(self, way_m: FloatArray, speed_mps: FloatArray) -> BoolArray:
        """Return where an alert may begin, (n,)."""
        return (way_m < self.range_m) | self.soon(way_m, speed_mps)

    def kept(self, way_m: FloatArray, speed_mps: FloatArray) -> BoolArray:
        """Return where an alert goes on, (n,)."""
        return self.raised(way_m / self.release, speed_mps)
