"""Sizes from the content, against the measured tables of applications.md 1.5 and 1.8.

These were encoded by two independent libraries; contents are rebuilt from their descriptions.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from v2x.messages.coding.wire import STRAIGHT
from v2x.messages.csae.bsm import (
    AuxiliaryBrake,
    BasicSafetyMessage,
    BrakeStatus,
    Control,
    EmergencyExtension,
    ExteriorLight,
    LightBar,
    PathHistory,
    PathPoint,
    PathPrediction,
    ResponseType,
    SafetyExtension,
    Siren,
    Switch,
    VehicleEvent,
    WheelBrake,
)
from v2x.messages.csae.elements import (
    Acceleration4Way,
    MotionConfidence,
    PositionalAccuracy,
    PositionConfidence,
)
from v2x.messages.csae.frame import decode, encode, size_bits, size_bytes
from v2x.messages.csae.offsets import HorizontalOffset, PositionOffset, VerticalOffset

from .samples import GOLDEN


def bsm(name: str) -> BasicSafetyMessage:
    message = decode(bytes.fromhex(GOLDEN[name]))
    assert isinstance(message, BasicSafetyMessage)
    return message


def size(message: BasicSafetyMessage) -> int:
    assert size_bytes(message) == len(encode(message))
    return size_bytes(message)


FULL = replace(
    bsm("G1"),
    time_accuracy_s=0.001,
    position_accuracy=PositionalAccuracy(semi_major_m=1.0, semi_minor_m=1.0, orientation_deg=0.0),
    position_confidence=PositionConfidence(horizontal_m=1.0, elevation_m=1.0),
    steering_angle_deg=0.0,
    motion_confidence=MotionConfidence(speed_mps=0.1, heading_deg=1.0, steering_deg=1.0),
    brakes=BrakeStatus(
        pedal=Switch.OFF,
        wheels=WheelBrake(0),
        traction=Control.ON,
        abs=Control.ON,
        stability=Control.ON,
        boost=Switch.OFF,
        auxiliary=AuxiliaryBrake.OFF,
    ),
)
PREDICTION = PathPrediction(radius_m=STRAIGHT, confidence=1.0)
SIGNALS = SafetyExtension(events=VehicleEvent(0), lights=ExteriorLight(0))


def history(n_points: int, vertical: VerticalOffset | None = None) -> PathHistory:
    """Return a history with offsets of 16 bits."""
    offset = PositionOffset(horizontal=HorizontalOffset(0.0, 0.0, 16), vertical=vertical)
    return PathHistory(points=(PathPoint(offset=offset, age_s=1.0),) * n_points)


def test_part_1() -> None:
    assert size(bsm("G1")) == 39
    assert size(FULL) == 49
    assert size(replace(FULL, safety=SIGNALS)) == 53
    mission = EmergencyExtension(
        response=ResponseType.EMERGENCY, siren=Siren.IN_USE, light_bar=LightBar.IN_USE
    )
    assert size(replace(FULL, emergency=mission)) == 51


@pytest.mark.parametrize(("n_points", "n_bytes"), [(5, 99), (10, 141), (15, 183), (23, 250)])
def test_path_histories_with_heights(n_points: int, n_bytes: int) -> None:
    """8-bit heights: 67 bits a point. What else was in is not said to the bit, hence the byte."""
    told = history(n_points, VerticalOffset(0.0, 8))
    safety = replace(SIGNALS, path_history=told, path_prediction=PREDICTION)
    assert abs(size(replace(FULL, safety=safety)) - n_bytes) <= 1
    more = replace(safety, path_history=history(n_points - 1, VerticalOffset(0.0, 8)))
    assert size_bits(replace(FULL, safety=safety)) - size_bits(replace(FULL, safety=more)) == 67


@pytest.mark.parametrize(
    ("n_points", "n_bytes"), [(0, 46), (1, 54), (3, 68), (5, 82), (10, 117), (15, 152)]
)
def test_bsm_of_the_on_board_standard(n_points: int, n_bytes: int) -> None:
    """GB/T 45315: no heights, 7 bytes a point."""
    told = history(n_points) if n_points else None
    safety = SafetyExtension(path_history=told, path_prediction=PREDICTION)
    assert size(replace(bsm("G6"), safety=safety)) == n_bytes


def test_a_key_event_adds_a_byte() -> None:
    safety = SafetyExtension(events=VehicleEvent.HARD_BRAKING, path_prediction=PREDICTION)
    assert size(replace(bsm("G6"), safety=safety)) == 47


def test_values_do_not_change_the_size() -> None:
    """Only what is present counts, so a sender may keep the size while its content is the same."""
    other = Acceleration4Way(
        longitudinal_mps2=-20.0, lateral_mps2=20.0, vertical_mps2=1.0, yaw_rate_degps=90.0
    )
    assert size(replace(FULL, speed_mps=0.0, heading_deg=359.9, acceleration=other)) == size(FULL)
