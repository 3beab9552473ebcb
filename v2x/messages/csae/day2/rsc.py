"""Roadside coordination (T/CSAE 157-2020, Msg_RSC); the byte layout is our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.csae.bsm import UtcTime
from v2x.messages.csae.day2.elements import (
    Behaviour,
    Coordination,
    PlannedPath,
    RequestId,
    TimeOffset,
)
from v2x.messages.csae.elements import (
    Identity,
    MessageCount,
    MillisecondInMinute,
    Position3D,
    Speed,
)
from v2x.messages.csae.rsi import Description, ReferenceLink, ReferencePath


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveSuggestion(Record):
    """What a vehicle is advised to do (DF_DriveSuggestion).

    Attributes
    ----------
    behaviour
        What to do.
    life_time_s
        For how long the advice holds.
    link, path
        Where.
    """

    EXTENSIBLE: ClassVar[bool] = True
    behaviour: Behaviour
    life_time_s: TimeOffset | None = None
    link: ReferenceLink | None = None
    path: ReferencePath | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleCoordination(Record):
    """What is said to one vehicle (DF_VehicleCoordination).

    Attributes
    ----------
    vehicle_id
        The vehicle.
    suggestion, guidance
        What it should do, and the way it should take.
    info
        Services that this is about.
    request_id
        Request of the vehicle that this answers; an addition of ours, without which an answer
        that comes late could be taken for that to a later request.
    """

    EXTENSIBLE: ClassVar[bool] = True
    vehicle_id: Identity
    suggestion: DriveSuggestion | None = None
    guidance: PlannedPath | None = None
    info: Coordination | None = None
    request_id: RequestId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCoordination(Record):
    """What is said to all on a lane (DF_LaneCoordination).

    Attributes
    ----------
    link, path
        Where.
    begin, end
        When.
    speed_mps, behaviour
        How fast they should drive, and what they should do.
    info
        Services that this is about.
    description
        Text.
    """

    EXTENSIBLE: ClassVar[bool] = True
    link: ReferenceLink
    path: ReferencePath | None = None
    begin: UtcTime | None = None
    end: UtcTime | None = None
    speed_mps: Speed | None = None
    behaviour: Behaviour | None = None
    info: Coordination | None = None
    description: Description | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsideCoordination(Record):
    """How an RSU coordinates vehicles, every 100 to 500 ms while it matters.

    Attributes
    ----------
    count
        Running number of the sender's RSC, 0 to 127.
    sender_id, second_ms, position
        Which RSU, when within the minute, and where; what all offsets count from.
    vehicles
        1 to 16 vehicles.
    lanes
        1 to 8 lanes.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    second_ms: MillisecondInMinute
    position: Position3D
    vehicles: (
        Annotated[tuple[VehicleCoordination, ...], ListOf(VehicleCoordination, 1, 16)] | None
    ) = None
    lanes: Annotated[tuple[LaneCoordination, ...], ListOf(LaneCoordination, 1, 8)] | None = None
