"""Wheels against printed figures: stopping, crawling, braking power, runaway, escape ramps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.mobility.dynamics import (
    LEAST_BRAKING_MPS2,
    BrakeParams,
    EngineParams,
    available_braking_mps2,
    brake_fade,
    brake_heating_k_per_s,
    crawl_speed_mps,
    escape_ramp_m,
    friction_braking_mps2,
    on_slope_mps2,
    retarding_power_w,
    runaway,
    sight_speed_mps,
    steady_brake_temperature_c,
    stopping_distance_m,
)

#: The vehicle of the printed figures for long descents.
HEAVY = EngineParams(power_w=300e3, mass_kg=49e3, drag_area_m2=6.0)
ENDLESS = EngineParams(power_w=math.inf, mass_kg=1500.0, drag_area_m2=0.7)


# Pull --------------------------------------------------------------------------------------


def test_slope_takes_what_the_driver_does_not_make_up_for() -> None:
    a = on_slope_mps2(0.5, 20.0, np.array([0.05, -0.05]), ENDLESS, 0.5)
    assert a == pytest.approx([0.5 - 0.5 * 9.81 * 0.05, 0.5 + 0.5 * 9.81 * 0.05])


def test_power_bounds_acceleration_uphill() -> None:
    speed = crawl_speed_mps(0.05, HEAVY)
    assert on_slope_mps2(1.0, speed, 0.05, HEAVY, 1.0) == pytest.approx(0.0, abs=1e-9)
    assert on_slope_mps2(1.0, speed + 1.0, 0.05, HEAVY, 1.0) < 0.0


def test_driven_wheels_bound_acceleration_on_ice() -> None:
    """0.6 of the weight at friction 0.1 pulls 0.589 m/s²; gravity and rolling take 0.461 at 4 %."""
    assert float(on_slope_mps2(1.0, 0.0, 0.0, ENDLESS, 1.0, grip=1.0)) == 1.0
    a = float(on_slope_mps2(1.0, 0.0, 0.04, ENDLESS, 1.0, grip=0.1 / 0.75))
    assert a == pytest.approx(0.6 * 0.1 * 9.81 - 0.047 * 9.81)
    assert float(on_slope_mps2(1.0, 0.0, 0.06, ENDLESS, 1.0, grip=0.1 / 0.75)) < 0.0


# Braking -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("speed_kmh", "distances_m"),
    [
        (40, (25.7, 26.5, 32.4, 35.2, 49.8, 79.6)),
        (60, (45.2, 47.1, 60.4, 66.6, 99.5, 166.6)),
        (80, (69.3, 72.7, 96.3, 107.4, 165.8, 285.0)),
        (100, (97.8, 103.1, 140.0, 157.3, 248.7, 434.9)),
    ],
)
def test_stopping_distances(speed_kmh: int, distances_m: tuple[float, ...]) -> None:
    """Tabulated for a reaction of 1.5 s; friction 0.7, 0.4, 0.25 and 0.1, level and -6 %."""
    friction = np.array([0.7, 0.7, 0.4, 0.4, 0.25, 0.1])
    grade = np.array([0.0, -0.06, 0.0, -0.06, -0.06, 0.0])
    stop = stopping_distance_m(speed_kmh / 3.6, 1.5, friction_braking_mps2(friction, grade))
    assert stop == pytest.approx(distances_m, abs=0.05 + 1e-9)


def test_stopping_sight_distances_of_the_design_rule() -> None:
    """Running speeds, friction and 2.5 s of JTG D20 give 211.9 to 38.4 m."""
    speed = np.array([102, 85, 68, 54, 36]) / 3.6
    friction = np.array([0.29, 0.30, 0.31, 0.33, 0.38])
    stop = stopping_distance_m(speed, 2.5, friction_braking_mps2(friction))
    assert stop == pytest.approx([211.9, 153.7, 105.9, 72.3, 38.4], abs=0.05 + 1e-9)


@pytest.mark.parametrize(
    ("sight_m", "speeds_kmh"),
    [(30, (34, 30, 29)), (50, (51, 44, 43)), (100, (85, 72, 68)), (200, (137, 112, 106))],
)
def test_sight_speeds(sight_m: int, speeds_kmh: tuple[int, ...]) -> None:
    """Tabulated in whole km/h for 2.5 s; dry 0.7, wet 0.4, wet downhill by 5 %."""
    braking = friction_braking_mps2(np.array([0.7, 0.4, 0.4]), np.array([0.0, 0.0, -0.05]))
    speed = 3.6 * sight_speed_mps(sight_m, 2.5, braking)
    assert speed == pytest.approx(speeds_kmh, abs=0.55)


@given(st.floats(1.0, 1e4), st.floats(0.0, 5.0), st.floats(0.1, 10.0))
def test_sight_speed_inverts_the_stopping_distance(sight: float, time: float, b: float) -> None:
    speed = sight_speed_mps(sight, time, b)
    assert float(stopping_distance_m(speed, time, b)) == pytest.approx(sight, rel=1e-9)


def test_brakes_scale_with_friction_and_slope() -> None:
    wet = 0.4 / 0.75
    assert available_braking_mps2(8.0) == 8.0
    assert available_braking_mps2(8.0, -0.06, wet) == pytest.approx(8.0 * wet - 0.06 * 9.81)
    assert available_braking_mps2(5.0, 0.08) == pytest.approx(5.0 + 0.08 * 9.81)
    # The lower of grip and fade decides, and something is always left.
    assert available_braking_mps2(5.0, 0.0, 0.2, 0.5) == pytest.approx(1.0)
    assert available_braking_mps2(5.0, 0.0, 0.5, 0.3) == pytest.approx(1.5)
    assert available_braking_mps2(5.0, -0.1, 0.1) == LEAST_BRAKING_MPS2


# Long descents -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "speed_kmh", "power_kw"),
    [(-4, 60, 248), (-5, 40, 225), (-5, 60, 328), (-6, 40, 278)],
)
def test_steady_braking_power(percent: int, speed_kmh: int, power_kw: int) -> None:
    power = float(retarding_power_w(speed_kmh / 3.6, percent / 100, HEAVY))
    assert power / 1e3 == pytest.approx(power_kw, abs=0.5)


def test_braking_power_is_the_loss_of_energy() -> None:
    """Level, without air and rolling: m b v; uphill nothing is left for the brakes."""
    power = float(retarding_power_w(20.0, 0.0, HEAVY, braking_mps2=2.0))
    drag = 0.5 * 1.2 * 6.0 * 400.0
    assert power == pytest.approx((49e3 * (2.0 - 9.81 * 0.007) - drag) * 20.0)
    assert retarding_power_w(20.0, 0.05, HEAVY) == 0.0


@pytest.mark.parametrize(("distance_m", "kmh", "seconds"), [(500, 92.8, 23.5), (1000, 115, 40.7)])
def test_runaway(distance_m: int, kmh: float, seconds: float) -> None:
    """From 60 km/h down 5 % without brakes, printed as 92.8 and 115 km/h."""
    speed, time = runaway(60 / 3.6, -0.05, HEAVY, distance_m)
    assert speed * 3.6 == pytest.approx(kmh, abs=0.05 if distance_m == 500 else 0.5)
    assert time == pytest.approx(seconds, abs=0.1)


def test_runaway_is_the_solution_of_its_equation() -> None:
    speed, way, time, dt = 60 / 3.6, 0.0, 0.0, 1e-3
    while way < 500.0:
        a = 9.81 * (0.05 - 0.007) - 0.5 * 1.2 * 6.0 / 49e3 * speed * speed
        way += (speed + 0.5 * a * dt) * dt
        speed += a * dt
        time += dt
    assert runaway(60 / 3.6, -0.05, HEAVY, 500.0) == pytest.approx((speed, time), rel=1e-3)
    with pytest.raises(ValueError, match="the final speed"):
        runaway(100.0, -0.05, HEAVY, 500.0)


@pytest.mark.parametrize(
    ("resistance", "speed_kmh", "length_m"),
    [(0.25, 100, 112), (0.25, 120, 162), (0.15, 100, 157), (0.15, 120, 227)],
)
def test_escape_ramps(resistance: float, speed_kmh: int, length_m: int) -> None:
    assert escape_ramp_m(speed_kmh / 3.6, resistance, 0.10) == pytest.approx(length_m, abs=0.55)


def test_fade_begins_at_260_and_ends_at_400_degrees() -> None:
    share = brake_fade(np.array([20.0, 260.0, 330.0, 400.0, 900.0]), BrakeParams())
    assert share == pytest.approx([1.0, 1.0, 0.65, 0.3, 0.3])


def test_drums_reach_their_steady_temperature() -> None:
    """-4 % at 60 km/h without a retarder: 247.7 kW over 966.7 W/K is 256.3 K above the air."""
    bare = BrakeParams(heat_capacity_j_per_k=4e5)
    power = float(retarding_power_w(60 / 3.6, -0.04, HEAVY))
    steady = steady_brake_temperature_c(power, 60 / 3.6, bare)
    assert steady == pytest.approx(20.0 + 256.25, abs=0.1)
    assert brake_heating_k_per_s(steady, 60 / 3.6, power, bare) == pytest.approx(0.0, abs=1e-12)
    # From cold: all power heats, 247.7 kW/4e5 J/K.
    assert brake_heating_k_per_s(20.0, 60 / 3.6, power, bare) == pytest.approx(power / 4e5)
    helped = BrakeParams(heat_capacity_j_per_k=4e5, retarder_w=150e3)
    assert steady_brake_temperature_c(power, 60 / 3.6, helped) == pytest.approx(121.1, abs=0.1)
    assert brake_heating_k_per_s(500.0, 20.0, 1e6, BrakeParams()) == 0.0


# Parameters --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (EngineParams, {"mass_kg": 0}, "mass_kg must be > 0, got 0"),
        (EngineParams, {"driven_share": 1.5}, "driven_share must be at most 1"),
        (BrakeParams, {"heat_capacity_j_per_k": 0.0}, "heat_capacity_j_per_k must be >= 1000"),
        (BrakeParams, {"retarder_w": -1.0}, "retarder_w must be >= 0"),
        (BrakeParams, {"fade_from_c": 500.0}, "must rise in this order"),
        (BrakeParams, {"fade_least": 0.0}, "fade_least must be in"),
    ],
)
def test_bad_parameters_are_named(cls: Any, change: dict[str, float], message: str) -> None:
    engine = {"power_w": 1.0, "mass_kg": 1.0, "drag_area_m2": 1.0} if cls is EngineParams else {}
    with pytest.raises(ValueError, match=message):
        cls(**(engine | change))
