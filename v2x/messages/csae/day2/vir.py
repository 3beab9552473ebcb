"""Vehicle intention and request (T/CSAE 157-2020, Msg_VIR); the byte layout is our own.

One message carries what a vehicle is going to do, what it asks others for, and what it answers
to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, ListOf, Record, layout
from v2x.messages.coding.symbols import Boolean, Enumerated, Flags
from v2x.messages.coding.wire import Integer, Scaled
from v2x.messages.csae.bsm import UtcTime
from v2x.messages.csae.day2.elements import (
    Behaviour,
    LaneNumber,
    PlannedPath,
    PlannedPoint,
    RequestId,
    TimeOffset,
)
from v2x.messages.csae.elements import (
    Identity,
    MessageCount,
    MillisecondInMinute,
    NodeReference,
    PhaseId,
    Position3D,
    VehicleClassification,
)
from v2x.messages.csae.rsi import Priority, ReferencePath, ReferencePaths


class RequestStatus(IntEnum):
    """ReqStatus: how far a request has come; states of later versions are read as unknown."""

    UNKNOWN = 0
    REQUEST = 1
    CONFIRMED = 2
    CANCEL = 3
    COMPLETE = 4


class Turn(IntEnum):
    """Maneuver at an intersection."""

    STRAIGHT = 0
    LEFT = 1
    RIGHT = 2
    U_TURN = 3


class ParkingWish(IntFlag):
    """ParkingRequest: what a vehicle wants in a parking area; bits 8 to 11 are reserved."""

    ENTER = 1 << 0
    EXIT = 1 << 1
    PARK = 1 << 2
    PAY = 1 << 3
    UNLOAD_PASSENGER = 1 << 4
    PICK_UP_PASSENGER = 1 << 5
    UNLOAD_CARGO = 1 << 6
    LOAD_CARGO = 1 << 7


class ParkingKind(IntFlag):
    """ParkingType: kinds of parking slots; bit 9 is reserved."""

    ORDINARY = 1 << 0
    DISABLED = 1 << 1
    MINI = 1 << 2
    ATTACHED = 1 << 3
    CHARGING = 1 << 4
    STEREO = 1 << 5
    LADY = 1 << 6
    EXTENDED = 1 << 7
    PRIVATE = 1 << 8


ParkingKinds = Annotated[ParkingKind, Flags(ParkingKind, 10, extensible=True)]
SlotNumber = Annotated[int, Integer(0, 65_535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChangeRequest(Record):
    """Let me into a lane (DF_Req-LaneChange); merging asks for the lane it ends in.

    Attributes
    ----------
    upstream_node, downstream_node
        Ends of the link.
    target_lane
        Number of the lane.
    """

    upstream_node: NodeReference
    downstream_node: NodeReference
    target_lane: LaneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTheWayRequest(Record):
    """Leave a lane to me (DF_Req-ClearTheWay).

    Attributes
    ----------
    upstream_node, downstream_node, target_lane
        The lane.
    path
        Where, more closely.
    begin, end
        When.
    """

    upstream_node: NodeReference
    downstream_node: NodeReference
    target_lane: LaneNumber
    path: ReferencePath | None = None
    begin: UtcTime | None = None
    end: UtcTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement(Record):
    """A way through an intersection (DF_MovementEx).

    Attributes
    ----------
    remote_node
        Node that the way leads to.
    phase_id
        Phase of the signal that lets it go.
    turn
        Direction; those of later versions are read as straight on.
    """

    EXTENSIBLE: ClassVar[bool] = True
    remote_node: NodeReference
    phase_id: PhaseId | None = None
    turn: Annotated[Turn, Enumerated(Turn, later=Turn.STRAIGHT)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPriorityRequest(Record):
    """Give me green (DF_Req-SignalPriority).

    Attributes
    ----------
    intersection, movement
        Where, and which way through.
    arrival_s
        When the vehicle will be there, counted from the message.
    distance_m
        How far it has to go, in steps of 0.1 m.
    """

    intersection: NodeReference
    movement: Movement
    arrival_s: TimeOffset | None = None
    distance_m: Annotated[float, Scaled(0, 10_000, (1, 10))] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSharingRequest(Record):
    """Tell me what you see (DF_Req-SensorSharing).

    Attributes
    ----------
    areas
        1 to 8 paths along which the sender wants to know.
    """

    areas: ReferencePaths


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingRequest(Record):
    """Give me a place to park (DF_Req-ParkingArea).

    Attributes
    ----------
    vehicle_class
        What has to fit.
    wishes
        What the vehicle wants to do.
    kinds
        Kinds of slots that would do; any if left out.
    slot
        Slot that it would like best.
    """

    vehicle_class: VehicleClassification
    wishes: Annotated[ParkingWish, Flags(ParkingWish, 12)]
    kinds: ParkingKinds | None = None
    slot: SlotNumber | None = None


RequestInfo = (
    LaneChangeRequest
    | ClearTheWayRequest
    | SignalPriorityRequest
    | SensorSharingRequest
    | ParkingRequest
)
_INFO = Choice(
    {
        "lane_change": layout(LaneChangeRequest),
        "clear_the_way": layout(ClearTheWayRequest),
        "signal_priority": layout(SignalPriorityRequest),
        "sensor_sharing": layout(SensorSharingRequest),
        "parking": layout(ParkingRequest),
    },
    (
        LaneChangeRequest,
        ClearTheWayRequest,
        SignalPriorityRequest,
        SensorSharingRequest,
        ParkingRequest,
    ),
    extensible=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveRequest(Record):
    """A request to others (DF_DriveRequest).

    Attributes
    ----------
    request_id
        Number that the sender gave it, the same until it ends.
    status
        How far it has come.
    priority
        0 to 7, the highest the most urgent.
    target_vehicle, target_rsu
        Whom it is for; everybody if both are left out.
    info
        What is asked for.
    life_time_s
        How long the sender needs what it asks for, counted from this message.
    """

    EXTENSIBLE: ClassVar[bool] = True
    request_id: RequestId
    status: Annotated[RequestStatus, Enumerated(RequestStatus, later=RequestStatus.UNKNOWN)]
    priority: Priority | None = None
    target_vehicle: Identity | None = None
    target_rsu: Identity | None = None
    info: Annotated[RequestInfo, _INFO] | None = None
    life_time_s: TimeOffset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveResponse(Record):
    """An answer to the request of another; public stacks have it, its fields were not read.

    Attributes
    ----------
    requester_id, request_id
        The request.
    accepted
        Whether the sender will do what it is asked for.
    """

    EXTENSIBLE: ClassVar[bool] = True
    requester_id: Identity
    request_id: RequestId
    accepted: Annotated[bool, Boolean()]


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleIntention(Record):
    """What a vehicle is going to do and asks for, every 100 to 500 ms while it matters.

    Attributes
    ----------
    count
        Running number of the sender's VIR, 0 to 127.
    sender_id, second_ms, position
        Who, when within the minute, and where; what all offsets count from.
    place
        Present state by the names of MAP.
    path
        1 to 100 places to come.
    behaviour
        What it is doing.
    requests, responses
        1 to 8 requests to others, and 1 to 8 answers to requests of others.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    second_ms: MillisecondInMinute
    position: Position3D
    place: PlannedPoint | None = None
    path: PlannedPath | None = None
    behaviour: Behaviour | None = None
    requests: Annotated[tuple[DriveRequest, ...], ListOf(DriveRequest, 1, 8)] | None = None
    responses: Annotated[tuple[DriveResponse, ...], ListOf(DriveResponse, 1, 8)] | None = None
