"""The phases of one node in turn: green, yellow, red for all, next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.signals.base import Answer, PhaseOutlook, Span
from v2x.mobility.signals.lights import Light
from v2x.units import US_PER_S

#: A vehicle with priority wants green this much longer than until its arrival [µs].
MARGIN_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityParams:
    """What vehicles with priority may ask of the lights.

    Parameters
    ----------
    granted
        Whether requests are heard at all.
    extend_s
        Most that a green is made longer [s]; 10 in the usual rules.
    recovery_cycles
        Within so many cycles a fixed plan is back at its clock; meanwhile, and for as long with
        lights that have no clock, further requests are refused.
    """

    granted: bool = False
    extend_s: float = 10.0
    recovery_cycles: int = 2

    def __post_init__(self) -> None:
        """Reject values without a meaning."""
        if self.extend_s < 0:
            raise ValueError(f"extend_s must be >= 0, got {self.extend_s}")
        if self.recovery_cycles < 1:
            raise ValueError(f"recovery_cycles must be at least 1, got {self.recovery_cycles}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTimes:
    """How long a phase shows what.

    Attributes
    ----------
    light
        The green it shows.
    green_us
        Its green; with lights that watch the traffic the longest [µs].
    least_us
        Shortest green [µs].
    yellow_us, clear_us
        Yellow, and red for all behind it [µs].
    """

    light: Light
    green_us: int
    least_us: int
    yellow_us: int
    clear_us: int

    def __post_init__(self) -> None:
        """Reject phases that never let anybody go."""
        if not 0 < self.least_us <= self.green_us or min(self.yellow_us, self.clear_us) < 0:
            raise ValueError(f"times of a phase must be 0 < least <= green and >= 0, got {self}")

    @property
    def between_us(self) -> int:
        """Time from the end of its green to the next one [µs]."""
        return self.yellow_us + self.clear_us

    @property
    def turn_us(self) -> int:
        """Its part of a cycle [µs]."""
        return self.green_us + self.between_us


class NodeSequence(Protocol):
    """The lights of one node."""

    @property
    def going(self) -> int:
        """Index of the phase that has green at the last time, -1 if none has."""

    def advance(
        self, time_us: int, waits: NDArray[np.bool_] | None, passes: NDArray[np.bool_] | None
    ) -> None:
        """Go on to `time_us` [µs] in view of what the detectors of each phase see."""

    def outlook(self) -> tuple[PhaseOutlook, ...]:
        """Return what each phase shows and will show."""

    def request(self, phase: int, eta_us: int, requester: int) -> Answer:
        """Ask for green of a phase (index) in `eta_us` [µs]."""


@dataclass(frozen=True, slots=True)
class Ends:
    """When a green ends [µs], at the earliest, probably, at the latest; None if unknown."""

    least_us: int | None
    likely_us: int | None
    most_us: int | None

    @classmethod
    def at(cls, time_us: int) -> Ends:
        """Return an end that is certain."""
        return cls(time_us, time_us, time_us)

    def later(self, by_us: int) -> Ends:
        """Return the ends of what ends so much later."""

        def moved(at_us: int | None) -> int | None:
            return None if at_us is None else at_us + by_us

        return Ends(moved(self.least_us), moved(self.likely_us), moved(self.most_us))


def span(light: Light, start_us: int, ends: Ends) -> Span:
    """Return a span with uncertain ends."""
    return Span(
        light=light,
        start_us=start_us,
        min_end_us=ends.least_us,
        likely_end_us=ends.likely_us,
        max_end_us=ends.most_us,
    )


def phase_index(members: Sequence[Sequence[int]], movement: int) -> int:
    """Return the index of the phase of a movement.

    Raises
    ------
    KeyError
        If it has none.
    """
    for k, movements in enumerate(members):
        if movement in movements:
            return k
    raise KeyError(movement)


def to_us(duration_s: float) -> int:
    """Return a duration to tenths of a second, as SPAT tells it [µs]."""
    tenth_us = US_PER_S // 10
    return round(duration_s * 10.0) * tenth_us
