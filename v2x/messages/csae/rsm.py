"""Roadside safety message: what an RSU sees on the road (T/CSAE 53-2020, Msg_RSM)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Enumerated
from v2x.messages.coding.wire import (
    Integer,
)
from v2x.messages.csae.elements import (
    Acceleration4Way,
    BodySize,
    Gear,
    Heading,
    Identity,
    MessageCount,
    MillisecondInMinute,
    MotionConfidence,
    Position3D,
    PositionConfidence,
    Speed,
    SteeringAngle,
    VehicleClassification,
)
from v2x.messages.csae.offsets import PositionOffset


class ParticipantKind(IntEnum):
    """ParticipantType."""

    UNKNOWN = 0
    MOTOR = 1
    NON_MOTOR = 2
    PEDESTRIAN = 3
    RSU = 4


class DetectionSource(IntEnum):
    """SourceType: how a participant was found."""

    UNKNOWN = 0
    SELF = 1
    V2X = 2
    VIDEO = 3
    MICROWAVE_RADAR = 4
    LOOP = 5
    LIDAR = 6
    FUSED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant(Record):
    """A road user or the RSU itself (DF_ParticipantData).

    Attributes
    ----------
    kind
        Kinds of later versions are read as unknown.
    participant_id
        0 for the RSU itself, else a number that the RSU uses for it alone.
    source
        How it was found; sources of later versions are read as unknown.
    sender_id
        Its temporary identity, if it was found by its BSM.
    second_ms
        When, within the minute.
    offset
        Where, relative to the position of the message.
    position_confidence, motion_confidence
        How well that is known.
    transmission, speed_mps, heading_deg, steering_angle_deg, acceleration
        Its motion.
    size, vehicle_class
        What it is.
    """

    EXTENSIBLE: ClassVar[bool] = True
    kind: Annotated[ParticipantKind, Enumerated(ParticipantKind, later=ParticipantKind.UNKNOWN)]
    participant_id: Annotated[int, Integer(0, 65_535)]
    source: Annotated[DetectionSource, Enumerated(DetectionSource, later=DetectionSource.UNKNOWN)]
    sender_id: Identity | None = None
    second_ms: MillisecondInMinute
    offset: PositionOffset
    position_confidence: PositionConfidence
    transmission: Gear | None = None
    speed_mps: Speed
    heading_deg: Heading
    steering_angle_deg: SteeringAngle | None = None
    motion_confidence: MotionConfidence | None = None
    acceleration: Acceleration4Way | None = None
    size: BodySize
    vehicle_class: VehicleClassification | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsideSafetyMessage(Record):
    """Participants that an RSU knows, every 100 ms.

    Attributes
    ----------
    count
        Running number of the sender's RSM, 0 to 127.
    sender_id
        Identity of the RSU.
    position
        What the offsets count from.
    participants
        1 to 16.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    position: Position3D
    participants: Annotated[tuple[Participant, ...], ListOf(Participant, 1, 16)]
