"""Signal phase and timing: what the lights show and how long (T/CSAE 53-2020, Msg_SPAT)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, ListOf, Record, layout
from v2x.messages.coding.symbols import Enumerated, Flags
from v2x.messages.csae.elements import (
    Confidence,
    DescriptiveName,
    MessageCount,
    MillisecondInMinute,
    MinuteOfYear,
    NodeReference,
    PhaseId,
    TimeAccuracy,
    TimeMark,
)
from v2x.mobility.signals.lights import Light

__all__ = [
    "ControllerStatus",
    "Countdown",
    "IntersectionState",
    "Light",
    "Phase",
    "PhaseState",
    "SignalPhaseAndTiming",
    "UtcTiming",
]


class ControllerStatus(IntFlag):
    """IntersectionStatusObject; bits 14 and 15 are reserved."""

    MANUAL_CONTROL = 1 << 0
    TIME_STOPPED = 1 << 1
    FAILURE_FLASH = 1 << 2
    PREEMPTION = 1 << 3
    SIGNAL_PRIORITY = 1 << 4
    FIXED_TIME = 1 << 5
    TRAFFIC_DEPENDENT = 1 << 6
    STANDBY = 1 << 7
    FAILURE = 1 << 8
    OFF = 1 << 9
    RECENT_MAP_UPDATE = 1 << 10
    RECENT_LANE_CHANGE = 1 << 11
    NO_VALID_MAP = 1 << 12
    NO_VALID_SPAT = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Countdown(Record):
    """Times counted from now (DF_TimeCountingDown).

    Attributes
    ----------
    start_s
        Until the state begins; 0 if it has begun.
    min_end_s, max_end_s, likely_end_s
        Until it ends.
    confidence
        Of the likely end, 0 to 1.
    next_start_s, next_duration_s
        Until it begins again, and for how long then.
    """

    start_s: TimeMark
    min_end_s: TimeMark | None = None
    max_end_s: TimeMark | None = None
    likely_end_s: TimeMark
    confidence: Confidence | None = None
    next_start_s: TimeMark | None = None
    next_duration_s: TimeMark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UtcTiming(Record):
    """Times within the hour, UTC (DF_UTCTiming).

    Attributes
    ----------
    start_s
        When the state began or begins.
    min_end_s, max_end_s, likely_end_s
        When it ends.
    confidence
        Of the likely end, 0 to 1.
    next_start_s, next_end_s
        When it begins and ends again.
    """

    start_s: TimeMark
    min_end_s: TimeMark | None = None
    max_end_s: TimeMark | None = None
    likely_end_s: TimeMark
    confidence: Confidence | None = None
    next_start_s: TimeMark | None = None
    next_end_s: TimeMark | None = None


_TIMING = Choice(
    {"countdown": layout(Countdown), "utc": layout(UtcTiming)},
    (Countdown, UtcTiming),
    extensible=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseState(Record):
    """What a phase shows, now or later (DF_PhaseState).

    Attributes
    ----------
    light
        Colour; those of later versions are read as unavailable.
    timing
        From when until when.
    """

    EXTENSIBLE: ClassVar[bool] = True
    light: Annotated[Light, Enumerated(Light, later=Light.UNAVAILABLE)]
    timing: Annotated[Countdown | UtcTiming, _TIMING] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase(Record):
    """Lights that change together (DF_Phase).

    Attributes
    ----------
    phase_id
        What MAP calls it.
    states
        1 to 16, the present one first.
    """

    phase_id: PhaseId
    states: Annotated[tuple[PhaseState, ...], ListOf(PhaseState, 1, 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntersectionState(Record):
    """Lights of one junction (DF_IntersectionState).

    Attributes
    ----------
    node
        The node of MAP.
    status
        State of the controller.
    minute_of_year, second_ms, time_accuracy_s
        When this was so, and how well that is known.
    phases
        1 to 16.
    """

    EXTENSIBLE: ClassVar[bool] = True
    node: NodeReference
    status: Annotated[ControllerStatus, Flags(ControllerStatus, 16)]
    minute_of_year: MinuteOfYear | None = None
    second_ms: MillisecondInMinute | None = None
    time_accuracy_s: TimeAccuracy | None = None
    phases: Annotated[tuple[Phase, ...], ListOf(Phase, 1, 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPhaseAndTiming(Record):
    """Lights of junctions, at least every 500 ms.

    Attributes
    ----------
    count
        Running number of the sender's SPAT, 0 to 127.
    minute_of_year, second_ms
        When the message was made.
    name
        For people.
    intersections
        1 to 32.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    minute_of_year: MinuteOfYear | None = None
    second_ms: MillisecondInMinute | None = None
    name: DescriptiveName | None = None
    intersections: Annotated[tuple[IntersectionState, ...], ListOf(IntersectionState, 1, 32)]
