"""When a BSM is sent and what it flags, by the rules of GB/T 45315-2025."""

from __future__ import annotations

import doctest
import math
from typing import Any

import pytest

from v2x.messages.coding.wire import STRAIGHT
from v2x.messages.csae import bsm_rules
from v2x.messages.csae.bsm import VehicleEvent
from v2x.messages.csae.bsm_rules import (
    KEY_EVENTS,
    NO_EVENTS,
    BsmSchedule,
    EventParams,
    VehicleCondition,
    bsm_due,
    event_flags,
    path_prediction,
)

MS = 1000


def test_doctests() -> None:
    assert doctest.testmod(bsm_rules).failed == 0


@pytest.mark.parametrize(
    ("quiet", "loud", "flag"),
    [
        ({"acceleration_mps2": -4.0}, {"acceleration_mps2": -4.01}, VehicleEvent.HARD_BRAKING),
        ({"abs_s": 0.1}, {"abs_s": 0.101}, VehicleEvent.ABS_ACTIVATED),
        ({"traction_s": 0.1}, {"traction_s": 0.101}, VehicleEvent.TRACTION_CONTROL_LOSS),
        ({"stability_s": 0.1}, {"stability_s": 0.101}, VehicleEvent.STABILITY_CONTROL_ACTIVATED),
        ({}, {"hazard_lights": True}, VehicleEvent.HAZARD_LIGHTS),
        ({}, {"tire_alarm": True}, VehicleEvent.FLAT_TIRE),
        ({}, {"disabled": True}, VehicleEvent.DISABLED_VEHICLE),
        ({"since_air_bag_s": 600.0}, {"since_air_bag_s": 599.9}, VehicleEvent.AIR_BAG_DEPLOYMENT),
    ],
)
def test_each_flag_on_both_sides_of_its_threshold(
    quiet: dict[str, Any], loud: dict[str, Any], flag: VehicleEvent
) -> None:
    params = EventParams()
    assert event_flags(VehicleCondition(**quiet), params) == NO_EVENTS
    assert event_flags(VehicleCondition(**loud), params) == flag
    assert flag in KEY_EVENTS


def test_all_flags_that_hold_are_carried() -> None:
    flags = event_flags(VehicleCondition(acceleration_mps2=-6.0, abs_s=0.5), EventParams())
    assert flags == VehicleEvent.HARD_BRAKING | VehicleEvent.ABS_ACTIVATED


def test_accelerating_is_no_braking() -> None:
    assert event_flags(VehicleCondition(acceleration_mps2=6.0), EventParams()) == NO_EVENTS


@pytest.mark.parametrize("name", ["hard_braking_mps2", "control_s", "air_bag_s"])
def test_negative_thresholds_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        EventParams(**{name: -1.0})


def sent(flags_at: dict[int, VehicleEvent], first_ms: int, until_ms: int) -> list[int]:
    """Return when BSM are sent [ms]; flags change at the given times."""
    schedule, flags, times = BsmSchedule(due_us=first_ms * MS), NO_EVENTS, []
    for now_ms in range(0, until_ms, 10):
        flags = flags_at.get(now_ms, flags)
        due, schedule = bsm_due(schedule, now_ms * MS, flags, 100 * MS)
        if due:
            times.append(now_ms)
    return times


def test_an_event_restarts_the_phase() -> None:
    """The example of the standard: regular at 30 ms, brake event at 70: 70, 170, 270 ms."""
    events = {70: VehicleEvent.HARD_BRAKING}
    assert sent({}, 30, 340) == [30, 130, 230, 330]
    assert sent(events, 30, 340) == [30, 70, 170, 270]


def test_a_second_event_does_so_again_and_its_end_does_not() -> None:
    both = VehicleEvent.HARD_BRAKING | VehicleEvent.ABS_ACTIVATED
    events = {70: VehicleEvent.HARD_BRAKING, 200: both, 250: VehicleEvent.ABS_ACTIVATED}
    assert sent(events, 30, 420) == [30, 70, 170, 200, 300, 400]


def test_other_flags_wait_for_their_turn() -> None:
    assert sent({70: VehicleEvent.LIGHTS_CHANGED}, 30, 240) == [30, 130, 230]


def test_key_events_come_every_100_ms_whatever_congestion_control_says() -> None:
    schedule = BsmSchedule(due_us=0)
    due, schedule = bsm_due(schedule, 0, NO_EVENTS, 600 * MS)
    assert due
    assert schedule.due_us == 600 * MS
    due, schedule = bsm_due(schedule, 50 * MS, VehicleEvent.FLAT_TIRE, 600 * MS)
    assert due
    assert schedule.due_us == 150 * MS


def test_a_late_look_sends_once_and_keeps_the_phase() -> None:
    due, schedule = bsm_due(BsmSchedule(due_us=30 * MS), 250 * MS, NO_EVENTS, 100 * MS)
    assert due
    assert schedule.due_us == 330 * MS


@pytest.mark.parametrize(
    ("speed", "radius", "straight", "confidence"),
    [
        (20.0, 2501.0, True, 1.0),
        (20.0, 2499.0, False, 0.8),
        (20.0, 100.1, False, 0.8),
        (20.0, 99.9, False, 0.0),
        (0.99, 50.0, True, 1.0),
        (1.01, 50.0, False, 0.0),
    ],
)
def test_path_prediction(speed: float, radius: float, straight: bool, confidence: float) -> None:
    for sign in (1.0, -1.0):
        found = path_prediction(speed, sign * math.degrees(speed / radius), 0.8)
        assert found.confidence == confidence
        if straight:
            assert found.radius_m is STRAIGHT
        else:
            assert found.radius_m == pytest.approx(sign * radius)


def test_a_still_vehicle_goes_straight() -> None:
    assert path_prediction(0.0, 0.0, 0.5).radius_m is STRAIGHT
