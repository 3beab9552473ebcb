"""Data elements and frames that several Day-2 messages share.

The ASN.1 text of T/CSAE 157-2020 was not found. Names, order and ranges follow the interface
headers of a public implementation; extension markers and steps are our reading. What Day-1 has
already (places, offsets, speeds, sizes, paths) is the Day-1 element itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Flags
from v2x.messages.coding.wire import UNAVAILABLE, Integer, Quantity, Scaled
from v2x.messages.csae.elements import (
    Acceleration4Way,
    Confidence,
    Heading,
    HeadingAccuracy,
    PositionConfidence,
    Speed,
    SpeedAccuracy,
)
from v2x.messages.csae.offsets import PositionOffset
from v2x.messages.csae.rsi import ReferenceLink

#: TimeOffset [s] in steps of 10 ms; how long, or until when.
TimeOffset = Annotated[Quantity, Scaled(1, 65_535, (1, 100), codes={65_535: UNAVAILABLE})]
#: Longest time that a TimeOffset can name [s].
LONGEST_OFFSET_S = 655.34
#: Number that a sender gives its request.
RequestId = Annotated[int, Integer(0, 255)]
#: Number of a lane in its link, from the left from 1; 0 if it is not known.
LaneNumber = Annotated[int, Integer(0, 255)]


class DriveBehaviour(IntFlag):
    """DriveBehavior: what a vehicle does, or is asked to do."""

    GO_STRAIGHT = 1 << 0
    CHANGE_LANE_LEFT = 1 << 1
    CHANGE_LANE_RIGHT = 1 << 2
    RAMP_IN = 1 << 3
    RAMP_OUT = 1 << 4
    CROSS_STRAIGHT = 1 << 5
    CROSS_LEFT = 1 << 6
    CROSS_RIGHT = 1 << 7
    CROSS_U_TURN = 1 << 8
    STOP_AND_GO = 1 << 9
    STOP = 1 << 10
    SLOW_DOWN = 1 << 11
    SPEED_UP = 1 << 12
    PARK = 1 << 13


class CoordinationInfo(IntFlag):
    """CoordinationInfo: which service coordinates."""

    LANE_CHANGE = 1 << 0
    MERGING = 1 << 1
    LANE_CHANGE_AT_INTERSECTION = 1 << 2
    UNSIGNALLED_INTERSECTION = 1 << 3
    DYNAMIC_LANES = 1 << 4
    LANE_RESERVATION = 1 << 5
    LANE_RESTRICTION = 1 << 6
    SIGNAL_PRIORITY = 1 << 7


Behaviour = Annotated[DriveBehaviour, Flags(DriveBehaviour, 14, extensible=True)]
Coordination = Annotated[CoordinationInfo, Flags(CoordinationInfo, 8, extensible=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccelerationConfidence(Record):
    """95 % accuracy of an acceleration (DF_AccSet4WayConfidence).

    Attributes
    ----------
    longitudinal_mps2, lateral_mps2, vertical_mps2, yaw_rate_degps
        One of the figures that the standard lists.
    """

    longitudinal_mps2: SpeedAccuracy
    lateral_mps2: SpeedAccuracy
    vertical_mps2: SpeedAccuracy
    yaw_rate_degps: SpeedAccuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPoint(Record):
    """A place where a road user will be (DF_PathPlanningPoint).

    Attributes
    ----------
    link
        The place by the names of MAP.
    offset, position_confidence
        Relative to the position of the message, and how well that is known.
    speed_mps, speed_accuracy_mps, heading_deg, heading_accuracy_deg
        Motion there.
    acceleration, acceleration_confidence
        Acceleration there.
    after_s
        When, counted from the message, in steps of 0.01 s.
    confidence
        That it will be so, 0 to 1.
    """

    EXTENSIBLE: ClassVar[bool] = True
    link: ReferenceLink | None = None
    offset: PositionOffset
    position_confidence: PositionConfidence | None = None
    speed_mps: Speed | None = None
    speed_accuracy_mps: SpeedAccuracy | None = None
    heading_deg: Heading | None = None
    heading_accuracy_deg: HeadingAccuracy | None = None
    acceleration: Acceleration4Way | None = None
    acceleration_confidence: AccelerationConfidence | None = None
    after_s: TimeOffset | None = None
    confidence: Confidence | None = None


#: DF_PathPlanning: 1 to 100 points, the nearest first.
PlannedPath = Annotated[tuple[PlannedPoint, ...], ListOf(PlannedPoint, 1, 100)]
