"""Sensor sharing (T/CSAE 157-2020, Msg_SSM); the byte layout is our own.

Attitudes and rates of turn of detected vehicles, and what is said of detected pedestrians beyond
their kind, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record, layout
from v2x.messages.coding.symbols import Enumerated
from v2x.messages.coding.wire import UNAVAILABLE, Integer, Quantity, Scaled, Steps
from v2x.messages.csae.bsm import PathHistory
from v2x.messages.csae.day2.elements import (
    AccelerationConfidence,
    Behaviour,
    PlannedPath,
    TimeOffset,
)
from v2x.messages.csae.elements import (
    Acceleration4Way,
    Confidence,
    Heading,
    HeadingAccuracy,
    Identity,
    MessageCount,
    MillisecondInMinute,
    Position3D,
    PositionConfidence,
    Speed,
    SpeedAccuracy,
)
from v2x.messages.csae.offsets import PositionOffset
from v2x.messages.csae.rsi import TrafficEvent
from v2x.messages.csae.rsm import DetectionSource, Participant


class Equipment(IntEnum):
    """EquipmentType: who perceived; kinds of later versions are read as unknown."""

    UNKNOWN = 0
    RSU = 1
    OBU = 2
    VRU = 3


class DetectedKind(IntEnum):
    """DetectedPTCType; kinds of later versions are read as unknown."""

    UNKNOWN = 0
    UNKNOWN_MOVABLE = 1
    UNKNOWN_UNMOVABLE = 2
    CAR = 3
    VAN = 4
    TRUCK = 5
    BUS = 6
    CYCLIST = 7
    MOTORCYCLIST = 8
    TRICYCLIST = 9
    PEDESTRIAN = 10


class ObstacleKind(IntEnum):
    """ObstacleType; kinds of later versions are read as unknown."""

    UNKNOWN = 0
    ROCKFALL = 1
    LANDSLIDE = 2
    ANIMAL = 3
    SPILL = 4
    GOODS = 5
    CONE = 6
    SAFETY_TRIANGLE = 7
    ROADBLOCK = 8
    OPEN_SHAFT = 9
    FRAGMENTS = 10
    HARD_OBJECT = 11
    SOFT_OBJECT = 12


_SIZE_M = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
#: SizeValueConfidence: better than this [m].
SizeAccuracy = Annotated[Quantity, Steps((UNAVAILABLE, *_SIZE_M))]
#: SizeValue [m] in steps of 1 cm.
SizeValue = Annotated[Quantity, Scaled(0, 1023, (1, 100), codes={0: UNAVAILABLE})]
#: DF_Polygon: 4 to 32 corners, relative to the position of the message.
Polygon = Annotated[tuple[PositionOffset, ...], ListOf(PositionOffset, 4, 32)]
_POLYGON = ListOf(PositionOffset, 4, 32)
#: How long an object has been followed, in periods of the sensor.
Tracking = Annotated[int, Integer(1, 65_535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSize(Record):
    """Size of an object (DF_ObjectSize).

    Attributes
    ----------
    width_m, length_m, height_m
        In steps of 1 cm.
    """

    width_m: SizeValue
    length_m: SizeValue
    height_m: SizeValue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSizeConfidence(Record):
    """95 % accuracy of a size (DF_ObjectSizeConfidence).

    Attributes
    ----------
    width_m, length_m, height_m
        One of the figures that the standard lists.
    """

    width_m: SizeAccuracy
    length_m: SizeAccuracy
    height_m: SizeAccuracy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Record):
    """What an object is expected to do (DF_Planning).

    Attributes
    ----------
    duration_s
        For how long, in steps of 0.1 s.
    confidence
        That it will be so, 0 to 1.
    behaviour, path
        What it will do, and the places to come.
    """

    EXTENSIBLE: ClassVar[bool] = True
    duration_s: Annotated[float, Scaled(0, 600, (1, 10))] | None = None
    confidence: Confidence | None = None
    behaviour: Behaviour | None = None
    path: PlannedPath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedParticipant(Record):
    """A road user that was perceived (DF_DetectedPTCData).

    Attributes
    ----------
    participant
        What RSM says of it.
    size_confidence, kind, kind_confidence, acceleration_confidence
        What it is, more closely, and how well that is known.
    standing_s
        How long it has been in its state, in steps of 0.01 s.
    path_history, plans
        Where it came from, and 1 to 8 things it may do.
    tracking, polygon
        How long it has been followed, and its outline.
    """

    EXTENSIBLE: ClassVar[bool] = True
    participant: Participant
    size_confidence: ObjectSizeConfidence | None = None
    kind: Annotated[DetectedKind, Enumerated(DetectedKind, later=DetectedKind.UNKNOWN)] | None = (
        None
    )
    kind_confidence: Confidence | None = None
    acceleration_confidence: AccelerationConfidence | None = None
    standing_s: TimeOffset | None = None
    path_history: PathHistory | None = None
    plans: Annotated[tuple[Plan, ...], ListOf(Plan, 1, 8)] | None = None
    tracking: Tracking | None = None
    polygon: Polygon | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectedObstacle(Record):
    """A thing on the road that was perceived (DF_DetectedObstacleData).

    Attributes
    ----------
    kind, kind_confidence
        What it is, and that it is so, 0 to 1.
    obstacle_id
        Number that the sender uses for it alone.
    source
        How it was found; sources of later versions are read as unknown.
    second_ms
        When, within the minute.
    offset, position_confidence
        Where, relative to the position of the message.
    speed_mps, speed_accuracy_mps, heading_deg, heading_accuracy_deg
        Its motion.
    vertical_speed_mps, vertical_speed_accuracy_mps, acceleration
        Its motion, more closely.
    size, size_confidence
        How large it is.
    tracking, polygon
        How long it has been followed, and its outline.
    """

    EXTENSIBLE: ClassVar[bool] = True
    kind: Annotated[ObstacleKind, Enumerated(ObstacleKind, later=ObstacleKind.UNKNOWN)]
    kind_confidence: Confidence | None = None
    obstacle_id: Annotated[int, Integer(0, 65_535)]
    source: Annotated[DetectionSource, Enumerated(DetectionSource, later=DetectionSource.UNKNOWN)]
    second_ms: MillisecondInMinute
    offset: PositionOffset
    position_confidence: PositionConfidence
    speed_mps: Speed
    speed_accuracy_mps: SpeedAccuracy | None = None
    heading_deg: Heading
    heading_accuracy_deg: HeadingAccuracy | None = None
    vertical_speed_mps: Speed | None = None
    vertical_speed_accuracy_mps: SpeedAccuracy | None = None
    acceleration: Acceleration4Way | None = None
    size: ObjectSize
    size_confidence: ObjectSizeConfidence | None = None
    tracking: Tracking | None = None
    polygon: Polygon | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSharing(Record):
    """What a vehicle or RSU perceives, every 100 ms.

    Attributes
    ----------
    count
        Running number of the sender's SSM, 0 to 127.
    sender_id, equipment, second_ms
        Who, what it is, and when within the minute.
    sensor_position
        What all offsets count from.
    regions
        1 to 8 outlines of what the sensors can see: what is not told inside is not there.
    participants
        1 to 512 road users.
    obstacles
        1 to 64 things.
    events
        1 to 8 events, as in RSI.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    equipment: Annotated[Equipment, Enumerated(Equipment, later=Equipment.UNKNOWN)]
    second_ms: MillisecondInMinute
    sensor_position: Position3D
    regions: Annotated[tuple[Polygon, ...], ListOf(_POLYGON, 1, 8)] | None = None
    participants: (
        Annotated[tuple[DetectedParticipant, ...], ListOf(DetectedParticipant, 1, 512)] | None
    ) = None
    obstacles: Annotated[tuple[DetectedObstacle, ...], ListOf(DetectedObstacle, 1, 64)] | None = (
        None
    )
    events: Annotated[tuple[TrafficEvent, ...], ListOf(layout(TrafficEvent), 1, 8)] | None = None
