"""Personal safety (T/CSAE 157-2020, Msg_PSM); the byte layout is our own.

What is said of the use of a device, of impairments and of road works is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, Record
from v2x.messages.coding.symbols import Enumerated
from v2x.messages.coding.wire import Scaled
from v2x.messages.csae.bsm import PathHistory
from v2x.messages.csae.day2.elements import PlannedPath
from v2x.messages.csae.elements import (
    Acceleration4Way,
    Heading,
    Identity,
    MessageCount,
    MillisecondInMinute,
    Position3D,
    PositionalAccuracy,
    Speed,
    TimeAccuracy,
)


class UserKind(IntEnum):
    """PersonalDeviceUserType; kinds of later versions are read as unavailable."""

    UNAVAILABLE = 0
    PEDESTRIAN = 1
    PEDAL_CYCLIST = 2
    ROAD_WORKER = 3
    ANIMAL = 4


class HumanPropulsion(IntEnum):
    """HumanPropelledType."""

    UNAVAILABLE = 0
    OTHER = 1
    ON_FOOT = 2
    SKATEBOARD = 3
    PUSH_SCOOTER = 4
    WHEELCHAIR = 5


class AnimalPropulsion(IntEnum):
    """AnimalPropelledType."""

    UNAVAILABLE = 0
    OTHER = 1
    MOUNTED = 2
    CARRIAGE = 3


class MotorPropulsion(IntEnum):
    """MotorizedPropelledType."""

    UNAVAILABLE = 0
    OTHER = 1
    WHEELCHAIR = 2
    BICYCLE = 3
    SCOOTER = 4
    SELF_BALANCING = 5


class ClusterSize(IntEnum):
    """NumberOfParticipantsInCluster."""

    UNAVAILABLE = 0
    SMALL = 1
    MEDIUM = 2
    LARGE = 3


class Attachment(IntEnum):
    """What a person has along."""

    UNAVAILABLE = 0
    STROLLER = 1
    BICYCLE_TRAILER = 2
    CART = 3
    WHEELCHAIR = 4
    OTHER_AID = 5
    PET = 6


class Crossing(IntEnum):
    """PersonalCrossing: a person wants to cross the road, or does."""

    UNAVAILABLE = 0
    REQUEST = 1
    CROSSING = 2
    FINISHED = 3


Propulsion = HumanPropulsion | AnimalPropulsion | MotorPropulsion
_PROPULSION = Choice(
    {
        "human": Enumerated(HumanPropulsion, later=HumanPropulsion.UNAVAILABLE),
        "animal": Enumerated(AnimalPropulsion, later=AnimalPropulsion.UNAVAILABLE),
        "motor": Enumerated(MotorPropulsion, later=MotorPropulsion.UNAVAILABLE),
    },
    (HumanPropulsion, AnimalPropulsion, MotorPropulsion),
    extensible=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadUser(Record):
    """Who it is (DF_Non-motorData).

    Attributes
    ----------
    kind, propulsion
        What moves, and by what.
    cluster_size
        Whether it speaks for several.
    attachment
        What it has along.
    crossing
        Whether it wants to cross.
    """

    EXTENSIBLE: ClassVar[bool] = True
    kind: Annotated[UserKind, Enumerated(UserKind, later=UserKind.UNAVAILABLE)]
    propulsion: Annotated[Propulsion, _PROPULSION] | None = None
    cluster_size: (
        Annotated[ClusterSize, Enumerated(ClusterSize, later=ClusterSize.UNAVAILABLE)] | None
    ) = None
    attachment: (
        Annotated[Attachment, Enumerated(Attachment, later=Attachment.UNAVAILABLE)] | None
    ) = None
    crossing: Annotated[Crossing, Enumerated(Crossing, later=Crossing.UNAVAILABLE)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalSafety(Record):
    """State of a vulnerable road user, every 100 ms to 1 s.

    Attributes
    ----------
    count
        Running number of the sender's PSM, 0 to 127.
    sender_id
        Temporary identity of the sender.
    second_ms, time_accuracy_s
        When within the minute, and how well that is known.
    position, position_accuracy
        Where, and how well that is known.
    speed_mps, heading_deg, acceleration
        Its motion.
    path_history, path
        Where it came from, and where it is going to.
    radius_m
        How much room it takes, in steps of 0.1 m.
    user
        Who it is.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    second_ms: MillisecondInMinute
    time_accuracy_s: TimeAccuracy | None = None
    position: Position3D
    position_accuracy: PositionalAccuracy
    speed_mps: Speed
    heading_deg: Heading
    acceleration: Acceleration4Way | None = None
    path_history: PathHistory | None = None
    path: PlannedPath | None = None
    radius_m: Annotated[float, Scaled(0, 200, (1, 10))]
    user: RoadUser
