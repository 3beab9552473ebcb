"""What vehicles and roadside units say when they cooperate, and how large that is.

Receivers share Python objects. Sizes are those of the Day-2 messages with the same content, as
encoded by :mod:`v2x.messages.csae.day2.frame`, behind a signature and the network header. Road
users sign with a digest, since their state messages carry the certificate; a roadside unit says
nothing else, so its messages carry theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from v2x.applications.services.air_sizes import roadside_bytes, vehicle_bytes
from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae.day2.clpmm import (
    Member,
    MemberManagement,
    PlatoonManagement,
    PlatoonRole,
    PlatoonStatus,
)
from v2x.messages.csae.day2.dialogues.requests import Answer
from v2x.messages.csae.day2.elements import CoordinationInfo, DriveBehaviour, PlannedPoint
from v2x.messages.csae.day2.frame import size_bytes
from v2x.messages.csae.day2.rsc import (
    DriveSuggestion,
    RoadsideCoordination,
    VehicleCoordination,
)
from v2x.messages.csae.day2.vir import (
    DriveRequest,
    DriveResponse,
    LaneChangeRequest,
    Movement,
    RequestStatus,
    SignalPriorityRequest,
    Turn,
    VehicleIntention,
)
from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.offsets import HorizontalOffset, PositionOffset

#: Acceleration (12 bits) and speed (13 bits) beside a CLPMM, which has no place for them [byte].
_MOTION_BYTES = 4
#: Requests and responses of which one VIR has room.
MOST_REQUESTS = MOST_RESPONSES = 8
#: Vehicles that one RSC can advise.
MOST_ADVISED = 16
#: Bits of each coordinate of a place within 800 m, in the offsets of a message.
_OFFSET_BITS = 18
_SOMEBODY = bytes(8)
_NOWHERE = Position3D(latitude_deg=UNAVAILABLE, longitude_deg=UNAVAILABLE)


def node_of(node: int) -> NodeReference:
    """Return how messages name a node of the map."""
    return NodeReference(node=node & 0xFFFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intention:
    """Content of a VIR: what a vehicle asks for and answers.

    Attributes
    ----------
    sender_id
        Temporary identity.
    requests, responses
        To others.
    movement
        Movement that it is going to make; -1 where it does not matter.
    """

    sender_id: bytes
    requests: tuple[DriveRequest, ...] = ()
    responses: tuple[DriveResponse, ...] = ()
    movement: int = -1


def answers_in(intention: Intention, me: bytes) -> tuple[Answer, ...]:
    """Return what a vehicle answers to requests of `me`."""
    return tuple(
        Answer(request_id=item.request_id, accepted=item.accepted)
        for item in intention.responses
        if item.requester_id == me
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a roadside unit advises one vehicle to do.

    Attributes
    ----------
    vehicle_id
        The vehicle.
    speed_mps
        How fast it should approach the node [m/s]; None if that is up to it.
    arrive_us
        When its front should be there [µs].
    request_id, accepted
        Request of the vehicle that this answers, if any, and whether it is granted.
    """

    vehicle_id: bytes
    speed_mps: float | None
    arrive_us: int
    request_id: int | None = None
    accepted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """Content of an RSC: who coordinates where, and what it advises.

    Attributes
    ----------
    info
        Service.
    nodes
        Nodes of the map whose traffic it coordinates.
    advices
        At most 16 vehicles.
    """

    info: CoordinationInfo
    nodes: tuple[int, ...]
    advices: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatoonWord:
    """Content of a CLPMM, and the motion of its sender.

    Attributes
    ----------
    management
        The message.
    speed_mps, acceleration_mps2
        Motion of the sender.
    measured_us
        When it moved so [µs].
    """

    management: PlatoonManagement
    speed_mps: float
    acceleration_mps2: float
    measured_us: int


@cache
def intention_bytes(n_requests: int, n_responses: int) -> int:
    """Return the size on the air of a VIR [byte]; every request is of the largest kind used."""
    crossing = SignalPriorityRequest(
        intersection=node_of(0),
        movement=Movement(remote_node=node_of(0), turn=Turn.STRAIGHT),
        arrival_s=1.0,
        distance_m=1.0,
    )
    change = LaneChangeRequest(upstream_node=node_of(0), downstream_node=node_of(0), target_lane=1)

    def said(info: SignalPriorityRequest | LaneChangeRequest) -> int:
        request = DriveRequest(
            request_id=0,
            status=RequestStatus.REQUEST,
            target_vehicle=_SOMEBODY,
            info=info,
            life_time_s=1.0,
        )
        response = DriveResponse(requester_id=_SOMEBODY, request_id=0, accepted=True)
        return size_bytes(
            VehicleIntention(
                count=0,
                sender_id=_SOMEBODY,
                second_ms=0.0,
                position=_NOWHERE,
                behaviour=DriveBehaviour.GO_STRAIGHT,
                requests=(request,) * n_requests or None,
                responses=(response,) * n_responses or None,
            )
        )

    largest = max(said(crossing), said(change))
    return vehicle_bytes(largest)


@cache
def coordination_bytes(n_advised: int) -> int:
    """Return the size on the air of an RSC that advises so many vehicles [byte]."""
    place = PositionOffset(
        horizontal=HorizontalOffset(bits=_OFFSET_BITS, longitude_deg=0.0, latitude_deg=0.0)
    )
    advice = VehicleCoordination(
        vehicle_id=_SOMEBODY,
        suggestion=DriveSuggestion(behaviour=DriveBehaviour.SLOW_DOWN, life_time_s=1.0),
        guidance=(PlannedPoint(offset=place, speed_mps=1.0, after_s=1.0),),
        info=CoordinationInfo.MERGING,
        request_id=0,
    )
    message = RoadsideCoordination(
        count=0,
        sender_id=_SOMEBODY,
        second_ms=0.0,
        position=_NOWHERE,
        vehicles=(advice,) * n_advised or None,
    )
    return roadside_bytes(size_bytes(message), with_certificate=True)


@cache
def platoon_bytes(n_listed: int) -> int:
    """Return the size on the air of a CLPMM [byte].

    Parameters
    ----------
    n_listed
        Vehicles that the leader lists, those that join and leave counted again; 0 for a follower,
        who lists nobody.
    """
    members = (Member(vehicle_id=_SOMEBODY),)
    management = MemberManagement(members=members, capacity=2, open_to_join=True)
    message = PlatoonManagement(
        count=0,
        sender_id=_SOMEBODY,
        second_ms=0.0,
        platoon_id=bytes(17),
        role=PlatoonRole.LEADER,
        status=PlatoonStatus.NAVIGATING,
        management=management if n_listed else None,
    )
    # Each further name takes its eight octets and an extension bit.
    more = -(-max(n_listed - 1, 0) * 65 // 8)
    content = size_bytes(message) + more + _MOTION_BYTES
    return vehicle_bytes(content)
