"""Topics of messages, and how urgent each of them is on the air.

The number of a topic stands in the column `topic` of packets. What is sent within a topic shares
its priority and delay budget (applications.md 1.6); where that section names no value, the row
says whose estimate it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

from v2x.messages.envelope import ETSI, ROADSIDE, VEHICLE, Envelope


class Topic(IntEnum):
    """What a message is about.

    State messages are never delivered one by one: the latest one of each sender is what is known
    of it. All other topics are delivered message by message.
    """

    STATE = 0
    """BSM, CAM, PSM and VAM: what a road user says of itself."""
    MAP = 1
    SPAT = 2
    RSI = 3
    RSM = 4
    """RSM, CPM and SSM: what somebody perceived of others."""
    DENM = 5
    VIR = 6
    RSC = 7
    CLPMM = 8
    PAM = 9
    VPM = 10
    PROBE = 11
    """Probe data, on their way to a network."""
    RTCM = 12
    """Corrections for satellite navigation."""


#: Width of a band of the network priority, and the least urgent PPPP.
PRIORITY_BAND, LOWEST_PPPP = 32, 8


def pppp(network_priority: int) -> int:
    """Return the PPPP of a priority of the network layer, 1 the most urgent.

    Parameters
    ----------
    network_priority
        0 to 255, the highest the most urgent (T/CSAE 159-2020, GB/T 45315-2025).

    Notes
    -----
    Eight bands of 32. The table of YD/T 3755 was not read; this rule fits all values that the
    two standards give (confidence C).

    Examples
    --------
    >>> [pppp(priority) for priority in (112, 208, 16, 176)]
    [5, 2, 8, 3]
    """
    if not 0 <= network_priority <= 255:
        raise ValueError(f"network_priority must be within 0 and 255, got {network_priority}")
    return LOWEST_PPPP - network_priority // PRIORITY_BAND


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """How messages of one kind are treated on the air.

    Attributes
    ----------
    pppp
        ProSe per-packet priority, 1 (highest) to 8.
    delay_budget_ms
        A message that waited for longer is of no use [ms].
    aid
        Application identity that certificate and network layer name; None where it is not
        known (the Day-2 set) or another scheme is used (DENM).
    envelope
        What signing adds: under the pseudonym of a road user, the application certificate of an
        RSU, or as ETSI has it. What both may send (SSM, VPM) counts as sent by a road user.
    source
        Where PPPP and budget are from.
    confidence
        A read in the standard, B public implementations, C recalled or derived, D estimate; the
        lower one of PPPP and budget.
    """

    pppp: int
    delay_budget_ms: int
    aid: int | None
    envelope: Envelope
    source: str
    confidence: str

    def __post_init__(self) -> None:
        """Reject what the air does not know."""
        if not 1 <= self.pppp <= LOWEST_PPPP:
            raise ValueError(f"pppp must be within 1 and {LOWEST_PPPP}, got {self.pppp}")
        if self.delay_budget_ms < 1:
            raise ValueError(f"delay_budget_ms must be >= 1, got {self.delay_budget_ms}")
        if self.aid is not None and self.aid < 0:
            raise ValueError(f"aid must be >= 0, got {self.aid}")
        if self.confidence not in ("A", "B", "C", "D"):
            raise ValueError(f"confidence must be A, B, C or D, got {self.confidence!r}")


_BANDS = "applications.md 1.6, network priority in bands of 32"
_DAY_2 = "PPPP: applications.md 1.6, estimate; budget: applications.md 1.3, recalled"
_OURS = "PPPP: our estimate; budget: applications.md 1.3, recalled"


def _roadside(network_priority: int, period_ms: int, aid: int) -> Urgency:
    """Return the urgency of a Day-1 roadside message, whose budget is its sending period."""
    return Urgency(
        pppp=pppp(network_priority),
        delay_budget_ms=period_ms,
        aid=aid,
        envelope=ROADSIDE,
        source=_BANDS,
        confidence="C",
    )


def _day_2(
    priority: int, delay_budget_ms: int, *, envelope: Envelope = VEHICLE, source: str = _DAY_2
) -> Urgency:
    return Urgency(
        pppp=priority,
        delay_budget_ms=delay_budget_ms,
        aid=None,
        envelope=envelope,
        source=source,
        confidence="D",
    )


#: One row a topic. RSI is that of dynamic events; STATE is a regular BSM of an ordinary vehicle.
URGENCY: Mapping[Topic, Urgency] = MappingProxyType(
    {
        Topic.STATE: Urgency(
            pppp=pppp(112),
            delay_budget_ms=100,
            aid=111,
            envelope=VEHICLE,
            source=_BANDS,
            confidence="C",
        ),
        Topic.MAP: _roadside(16, 1000, 3618),
        Topic.SPAT: _roadside(176, 500, 3619),
        Topic.RSI: _roadside(112, 100, 3622),
        Topic.RSM: _roadside(208, 100, 3623),
        Topic.DENM: _day_2(
            2,
            100,
            envelope=ETSI,
            source="PPPP: our estimate, as key events; budget: TS 22.185, recalled",
        ),
        Topic.VIR: _day_2(3, 50),
        Topic.RSC: _day_2(3, 50, envelope=ROADSIDE),
        Topic.CLPMM: _day_2(3, 50),
        Topic.PAM: _day_2(7, 500, envelope=ROADSIDE, source=_OURS),
        Topic.VPM: _day_2(5, 500, source=_OURS),
        Topic.PROBE: _day_2(7, 500, source=_OURS),
        Topic.RTCM: _day_2(7, 500, envelope=ROADSIDE),
    }
)
#: A BSM of an ordinary vehicle while a key event lasts.
KEY_EVENT = Urgency(
    pppp=pppp(208), delay_budget_ms=50, aid=112, envelope=VEHICLE, source=_BANDS, confidence="C"
)
#: RSI of the two classes that are not dynamic.
RSI_STATIC, RSI_SEMI_STATIC = _roadside(48, 1000, 3620), _roadside(80, 500, 3621)
#: An SSM tells perceived objects as RSM does, but belongs to the Day-2 set.
SENSOR_SHARING = _day_2(4, 100)
#: AIDs of BSMs of emergency vehicles on duty, regular and with a key event (GB/T 45315-2025).
EMERGENCY_AID, EMERGENCY_EVENT_AID = 113, 114
