"""Day-2 messages of ordinary content, and the one real frame that was found."""

from __future__ import annotations

from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.csae.bsm import UtcTime
from v2x.messages.csae.day2.clpmm import (
    Member,
    MemberManagement,
    PlatoonManagement,
    PlatoonRole,
    PlatoonStatus,
)
from v2x.messages.csae.day2.elements import CoordinationInfo, DriveBehaviour, PlannedPoint
from v2x.messages.csae.day2.frame import Day2Message
from v2x.messages.csae.day2.pam import (
    ParkingArea,
    ParkingDrive,
    ParkingGuide,
    ParkingLot,
    ParkingNode,
    ParkingSlot,
    SlotAngle,
    SlotLock,
    SlotStatus,
)
from v2x.messages.csae.day2.psm import HumanPropulsion, PersonalSafety, RoadUser, UserKind
from v2x.messages.csae.day2.rsc import DriveSuggestion, RoadsideCoordination, VehicleCoordination
from v2x.messages.csae.day2.rtcm import CorrectionBlock, RtcmCorrections
from v2x.messages.csae.day2.ssm import (
    DetectedKind,
    DetectedParticipant,
    Equipment,
    ObjectSizeConfidence,
    SensorSharing,
)
from v2x.messages.csae.day2.vir import (
    DriveRequest,
    LaneChangeRequest,
    ParkingKind,
    RequestStatus,
    VehicleIntention,
)
from v2x.messages.csae.day2.vpm import Charge, PaymentEntity, VehiclePayment
from v2x.messages.csae.elements import (
    Acceleration4Way,
    BodySize,
    NodeReference,
    Position3D,
    PositionalAccuracy,
    PositionConfidence,
    Transmission,
    VehicleClassification,
)
from v2x.messages.csae.offsets import HorizontalOffset, PositionOffset
from v2x.messages.csae.rsi import ReferenceLink, ReferencePath
from v2x.messages.csae.rsm import DetectionSource, Participant, ParticipantKind

#: Published with a simulator that reads it with the standard's own modules (message 16).
REAL_CLPMM = (
    "802a0010274c1919999998181819c9f4991999999818181980000000100000000c80001919999998181819a6"
)
VEHICLE, OTHER, RSU = b"VEHICLE1", b"VEHICLE2", b"RSU00001"
PLACE = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=260.0)
NODES = NodeReference(region=1, node=301), NodeReference(region=1, node=302)
LANE = LaneChangeRequest(upstream_node=NODES[0], downstream_node=NODES[1], target_lane=2)
STILL = Acceleration4Way(
    longitudinal_mps2=0.0, lateral_mps2=0.0, vertical_mps2=0.0, yaw_rate_degps=0.0
)


def offset(bits: int = 16) -> PositionOffset:
    return PositionOffset(horizontal=HorizontalOffset(1e-5, -1e-5, bits))


def points(n: int) -> tuple[PlannedPoint, ...]:
    return (PlannedPoint(offset=offset(), speed_mps=20.0, heading_deg=90.0, after_s=1.0),) * n


def seen(number: int) -> DetectedParticipant:
    """A car as a roadside unit with cameras and lidar tells it."""
    return DetectedParticipant(
        participant=Participant(
            kind=ParticipantKind.MOTOR,
            participant_id=number,
            source=DetectionSource.FUSED,
            second_ms=1000,
            offset=offset(),
            position_confidence=PositionConfidence(horizontal_m=0.5),
            transmission=Transmission.UNAVAILABLE,
            speed_mps=20.0,
            heading_deg=90.0,
            acceleration=STILL,
            size=BodySize(width_m=1.8, length_m=4.5, height_m=1.5),
            vehicle_class=VehicleClassification(basic=10),
        ),
        size_confidence=ObjectSizeConfidence(width_m=0.5, length_m=0.5),
        kind=DetectedKind.CAR,
        kind_confidence=0.9,
        tracking=20,
    )


def sensor_sharing(n: int) -> SensorSharing:
    return SensorSharing(
        count=1,
        sender_id=RSU,
        equipment=Equipment.RSU,
        second_ms=1000,
        sensor_position=PLACE,
        participants=tuple(seen(k) for k in range(n)) or None,
    )


def intention(*requests: DriveRequest, n_points: int = 0) -> VehicleIntention:
    return VehicleIntention(
        count=1,
        sender_id=VEHICLE,
        second_ms=1000,
        position=PLACE,
        path=points(n_points) or None,
        behaviour=DriveBehaviour.CHANGE_LANE_LEFT,
        requests=requests or None,
    )


LANE_CHANGE = DriveRequest(
    request_id=1,
    status=RequestStatus.REQUEST,
    target_vehicle=OTHER,
    info=LANE,
    life_time_s=5.0,
)


def coordination(n: int, *, with_path: bool = False) -> RoadsideCoordination:
    return RoadsideCoordination(
        count=1,
        sender_id=RSU,
        second_ms=1000,
        position=PLACE,
        vehicles=tuple(
            VehicleCoordination(
                vehicle_id=VEHICLE,
                suggestion=DriveSuggestion(
                    behaviour=DriveBehaviour.RAMP_IN,
                    life_time_s=5.0,
                    link=ReferenceLink(upstream_node=NODES[0], downstream_node=NODES[1]),
                    path=ReferencePath(points=(offset(),) * 2, radius_m=2.0) if with_path else None,
                ),
                guidance=points(4) if with_path else None,
                info=CoordinationInfo.MERGING,
                request_id=k,
            )
            for k in range(n)
        ),
    )


def platoon(n_members: int) -> PlatoonManagement:
    return PlatoonManagement(
        count=24,
        sender_id=VEHICLE,
        second_ms=37_865,
        platoon_id=VEHICLE + bytes(9),
        role=PlatoonRole.LEADER,
        status=PlatoonStatus.NAVIGATING,
        management=MemberManagement(
            members=(Member(vehicle_id=VEHICLE),) * n_members, capacity=10, open_to_join=True
        ),
    )


def parking_area(n_slots: int) -> ParkingArea:
    slots = tuple(
        ParkingSlot(
            slot_id=k,
            kind=ParkingKind.ORDINARY,
            status=SlotStatus.AVAILABLE,
            angle=SlotAngle.VERTICAL,
            lock=SlotLock.NO_LOCK,
        )
        for k in range(n_slots)
    )
    drive = ParkingDrive(upstream_node=1, slots=slots or None)
    return ParkingArea(
        count=1,
        minute_of_year=1000,
        lot=ParkingLot(lot_id=7, name="P7", n_slots=n_slots, n_levels=3),
        nodes=(ParkingNode(node_id=2, position=PLACE, floor=-1, drives=(drive,)),),
        guidance=(ParkingGuide(vehicle_id=VEHICLE, nodes=(1, 2), slot=3, request_id=1),),
    )


PERSON = PersonalSafety(
    count=1,
    sender_id=OTHER,
    second_ms=1000,
    position=PLACE,
    position_accuracy=PositionalAccuracy(
        semi_major_m=1.0, semi_minor_m=1.0, orientation_deg=UNAVAILABLE
    ),
    speed_mps=1.4,
    heading_deg=90.0,
    radius_m=0.5,
    user=RoadUser(kind=UserKind.PEDESTRIAN, propulsion=HumanPropulsion.ON_FOOT),
)
CHARGE = VehiclePayment(
    count=1,
    step=Charge(
        time=UtcTime(hour=8, minute=30, second_ms=1000),
        rsu_id=RSU,
        obu_id=VEHICLE,
        entity=PaymentEntity.FREE_FLOW,
        nonce=b"passage1",
        transaction=1,
        amount=1500,
    ),
)
CORRECTIONS = RtcmCorrections(count=1, blocks=(CorrectionBlock(rtcm_id=1074, payload=bytes(180)),))
MESSAGES: dict[str, Day2Message] = {
    "rtcm": CORRECTIONS,
    "rsc": coordination(2),
    "ssm": sensor_sharing(3),
    "vir": intention(LANE_CHANGE),
    "pam": parking_area(4),
    "psm": PERSON,
    "clpmm": platoon(1),
    "vpm": CHARGE,
}
