"""R1 (applications.md 8.12): golden vectors G1 to G6 of section 1.5, both ways.

Two independent libraries made the bytes with the public modules of 2019-07-24.
"""

from __future__ import annotations

import pytest

from v2x.messages.coding.wire import STRAIGHT
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
    size_bytes,
)
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

GOLDEN = {
    "G1": "00002626466686a6c6e7000c98e87bb6155981ebe345086407081f69f41fdfffc04b41c23c0500",
    "G2": "00202626466686a6c6e7000c98e87bb6155981ebe345086407081f69f41fdfffc04b41c23c05200200",
    "G3": "2015253553030303031c743ddb0aacc0f5f1a280006000e607d0507d0f830a02583e80640640",
    "G4": "4502007d0a4a6aa60606060638e87bb6155981ebe345000804004404e000080000e138884e200190",
    "G5": "30020080fa000a02000008260000000258",
    "G6": (
        "02a02626466686a6c6e7000c88e87bb6155981ebe2828000086407081f9f69f41fdffff82085a0e1"
        "01427fff6400"
    ),
}
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
    assert encode(MESSAGES[name]) == octets
    assert decode(octets) == MESSAGES[name]
    assert size_bytes(MESSAGES[name]) == len(octets)
