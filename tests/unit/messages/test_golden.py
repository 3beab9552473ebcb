"""Messages equal, byte for byte, to what other encoders made of them (R1 of the reference)."""

from __future__ import annotations

import pytest

from v2x.messages.coding.uper import BitReader
from v2x.messages.coding.wire import STRAIGHT, UNAVAILABLE
from v2x.messages.csae.bsm import (
    BasicSafetyMessage,
    BrakeStatus,
    Control,
    PathPrediction,
    SafetyExtension,
    Switch,
    VehicleEvent,
    WheelBrake,
)
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
from v2x.messages.csae.frame import (
    Message,
    decode,
    encode,
    from_json,
    read_message,
    size_bytes,
    to_json,
)
from v2x.messages.csae.map_data import MapData
from v2x.messages.csae.offsets import HorizontalOffset, PositionOffset
from v2x.messages.csae.rsi import ReferencePath, RoadsideInformation, TrafficSign
from v2x.messages.csae.rsm import (
    DetectionSource,
    Participant,
    ParticipantKind,
    RoadsideSafetyMessage,
)
from v2x.messages.csae.spat import (
    ControllerStatus,
    Countdown,
    IntersectionState,
    Light,
    Phase,
    PhaseState,
    SignalPhaseAndTiming,
)

from .samples import GOLDEN, REAL_MAP, REAL_RSI, REAL_RSM, REAL_SPAT

PLACE = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=260.0)


def bsm(
    *,
    with_heights: bool = True,
    safety: SafetyExtension | None = None,
    position_accuracy: PositionalAccuracy | None = None,
    steering_angle_deg: float | None = None,
    brakes: BrakeStatus | None = None,
) -> BasicSafetyMessage:
    """Return G1 with changes."""
    elevation_m, height_m = (260.0, 1.5) if with_heights else (None, None)
    return BasicSafetyMessage(
        count=1,
        sender_id=b"12345678",
        second_ms=100,
        position=Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=elevation_m),
        position_accuracy=position_accuracy,
        transmission=Transmission.FORWARD,
        speed_mps=16.0,
        heading_deg=90.0,
        steering_angle_deg=steering_angle_deg,
        acceleration=Acceleration4Way(
            longitudinal_mps2=0.1, lateral_mps2=0.0, vertical_mps2=0.0, yaw_rate_degps=0.0
        ),
        brakes=brakes or BrakeStatus(),
        size=BodySize(width_m=1.8, length_m=4.5, height_m=height_m),
        vehicle_class=VehicleClassification(basic=10),
        safety=safety,
    )


def offset(longitude: int, latitude: int, bits: int) -> PositionOffset:
    """Return an offset of whole numbers on the wire."""
    return PositionOffset(horizontal=HorizontalOffset(longitude / 1e7, latitude / 1e7, bits))


MESSAGES: dict[str, Message] = {
    "G1": bsm(),
    "G2": bsm(safety=SafetyExtension(events=VehicleEvent.HARD_BRAKING)),
    "G3": RoadsideSafetyMessage(
        count=1,
        sender_id=b"RSU00001",
        position=PLACE,
        participants=(
            Participant(
                kind=ParticipantKind.PEDESTRIAN,
                participant_id=7,
                source=DetectionSource.VIDEO,
                second_ms=1000,
                offset=offset(1000, -1000, 16),
                position_confidence=PositionConfidence(horizontal_m=0.5),
                speed_mps=1.5,
                heading_deg=12.5,
                size=BodySize(width_m=0.5, length_m=0.5),
            ),
        ),
    ),
    "G4": RoadsideInformation(
        count=1,
        minute_of_year=1000,
        sender_id=b"RSU00001",
        position=PLACE,
        signs=(
            TrafficSign(
                sign_id=1,
                sign_type=17,
                paths=(
                    ReferencePath(points=(offset(0, 0, 18), offset(5000, 5000, 18)), radius_m=10.0),
                ),
            ),
        ),
    ),
    "G5": SignalPhaseAndTiming(
        count=1,
        intersections=(
            IntersectionState(
                node=NodeReference(region=500, node=20),
                status=ControllerStatus.FIXED_TIME,
                phases=(
                    Phase(
                        phase_id=1,
                        states=(
                            PhaseState(
                                light=Light.PROTECTED_GREEN,
                                timing=Countdown(start_s=0.0, likely_end_s=30.0),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    "G6": bsm(
        with_heights=False,
        position_accuracy=PositionalAccuracy(
            semi_major_m=1.0, semi_minor_m=1.0, orientation_deg=0.0
        ),
        steering_angle_deg=0.0,
        brakes=BrakeStatus(pedal=Switch.OFF, wheels=WheelBrake(0), traction=Control.ON),
        safety=SafetyExtension(path_prediction=PathPrediction(radius_m=STRAIGHT, confidence=1.0)),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_vectors_both_ways(name: str) -> None:
    octets = bytes.fromhex(GOLDEN[name])
    assert encode(MESSAGES[name]).hex() == GOLDEN[name]
    assert decode(octets) == MESSAGES[name]
    assert size_bytes(MESSAGES[name]) == len(octets)
    assert from_json(to_json(MESSAGES[name])) == MESSAGES[name]


@pytest.mark.parametrize("octets", [REAL_RSM, REAL_MAP, REAL_SPAT])
def test_real_frames_of_another_encoder(octets: str) -> None:
    message = decode(bytes.fromhex(octets))
    assert encode(message).hex() == octets
    assert from_json(to_json(message)) == message


def test_content_of_the_real_map() -> None:
    """As its publisher lists it; the minute of the year alone is that of another moment there."""
    message = decode(bytes.fromhex(REAL_MAP))
    assert isinstance(message, MapData)
    (node,) = message.nodes
    assert node.node == NodeReference(region=1, node=149)
    assert node.links is not None
    link = node.links[0]
    assert link.upstream_node.node == 148
    assert link.width_m == 22.0
    assert link.speed_limits is not None
    assert link.speed_limits[0].speed_mps == 834 * 0.02
    assert link.movements is not None
    assert [movement.remote_node.node for movement in link.movements] == [1091, 150, 1095]


def test_reserved_bits_of_a_real_frame_are_passed_over() -> None:
    """Its priority octet is 01, whose lower five bits the standard wants to be zero."""
    reader = BitReader(bytes.fromhex(REAL_RSI))
    message = read_message(reader)
    assert reader.lossy
    assert isinstance(message, RoadsideInformation)
    assert message.events is not None
    assert message.events[0].priority == 0
    assert message.events[0].event_type == 9902
    again = encode(message)
    assert len(again) == len(REAL_RSI) // 2
    assert decode(again) == message
    assert sum(a != b for a, b in zip(again, bytes.fromhex(REAL_RSI), strict=True)) == 1


def test_unavailable_codes_of_the_real_participant() -> None:
    message = decode(bytes.fromhex(REAL_RSM))
    assert isinstance(message, RoadsideSafetyMessage)
    (participant,) = message.participants
    assert participant.size == BodySize(width_m=UNAVAILABLE, length_m=UNAVAILABLE)
    assert participant.position_confidence.horizontal_m is UNAVAILABLE
    assert participant.offset.horizontal == HorizontalOffset(107.4134465, 29.7241937, 32)
    assert participant.speed_mps == 258 / 50
