"""Regression R11: printed vectors of driving and warning, each within 1 %.

FCW, RSS, stopping distances, long descents, IDM, CACC and energy, from the project's reference
sheet. They stand here once more and alone, whatever the tests of the modules look like.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.mobility.car_following import IdmParams, equilibrium_gap_m, idm_acceleration_mps2
from v2x.mobility.collision_warning import (
    CampParams,
    braking_range_m,
    camp_acceleration_mps2,
    camp_range_m,
)
from v2x.mobility.cooperative.gap_laws import PloegParams
from v2x.mobility.cooperative.string_stability import VehicleLag, least_headway_s
from v2x.mobility.dynamics import (
    EngineParams,
    crawl_speed_mps,
    escape_ramp_m,
    friction_braking_mps2,
    retarding_power_w,
    runaway,
    stopping_distance_m,
)
from v2x.mobility.energy import CAR_ENERGY, electric_power_w, tractive_force_n
from v2x.mobility.surrogates import RssParams, rss_longitudinal_m

ONE_PERCENT = 0.01
STOPPING_COLUMNS = ((0.7, 0.0), (0.7, -0.06), (0.4, 0.0), (0.4, -0.06), (0.25, -0.06), (0.1, 0.0))
STOPPING_M = {
    40: (25.7, 26.5, 32.4, 35.2, 49.8, 79.6),
    60: (45.2, 47.1, 60.4, 66.6, 99.5, 166.6),
    80: (69.3, 72.7, 96.3, 107.4, 165.8, 285.0),
    100: (97.8, 103.1, 140.0, 157.3, 248.7, 434.9),
}
RADIO_DELAYS_S = (0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 0.50, None)
HEADWAYS_S = {
    (0.1, 0.2): (0.25, 0.40, 0.57, 0.70, 0.81, 1.00, 1.31, 3.13),
    (0.5, 0.0): (0.27, 0.43, 0.61, 0.75, 0.87, 1.07, 1.41, 3.14),
}


@pytest.mark.parametrize(
    ("follower", "leader", "leader_mps2", "required", "onset_m", "range_m"),
    [
        (20.0, 20.0, -4.0, -3.575, 33.1, 38.3),
        (20.0, 10.0, 0.0, -1.695, 29.5, 45.7),
        (20.0, 0.0, 0.0, -3.338, 59.9, 92.3),
        (27.8, 27.8, -3.0, -2.890, 46.0, 49.9),
    ],
)
def test_r11_fcw(
    follower: float,
    leader: float,
    leader_mps2: float,
    required: float,
    onset_m: float,
    range_m: float,
) -> None:
    """CAMP: required deceleration, range at the onset of braking, range of the warning."""
    motion = (follower, leader, leader_mps2)
    params = CampParams()
    wanted = float(camp_acceleration_mps2(*motion, params))
    assert wanted == pytest.approx(required, rel=ONE_PERCENT)
    later = leader + leader_mps2 * 1.62
    onset = braking_range_m(follower, later, leader_mps2, -wanted, 0.0)
    assert float(onset) == pytest.approx(onset_m, rel=ONE_PERCENT)
    warning = camp_range_m(*motion, params, system_delay_s=0.1)
    assert float(warning) == pytest.approx(range_m, rel=ONE_PERCENT)


@pytest.mark.parametrize(
    ("rear_kmh", "front_kmh", "grade", "safe_m"),
    [(80, 80, 0.0, 75.81), (100, 60, 0.0, 134.45), (80, 80, -0.06, 92.41), (80, 80, 0.06, 63.76)],
)
def test_r11_rss(rear_kmh: float, front_kmh: float, grade: float, safe_m: float) -> None:
    found = rss_longitudinal_m(rear_kmh / 3.6, front_kmh / 3.6, RssParams(), grade=grade)
    assert float(found) == pytest.approx(safe_m, rel=ONE_PERCENT)


@pytest.mark.parametrize("speed_kmh", STOPPING_M)
def test_r11_stopping_distances(speed_kmh: int) -> None:
    friction, grade = np.array(STOPPING_COLUMNS).T
    found = stopping_distance_m(speed_kmh / 3.6, 1.5, friction_braking_mps2(friction, grade))
    assert found == pytest.approx(STOPPING_M[speed_kmh], rel=ONE_PERCENT)


def test_r11_idm_equilibrium() -> None:
    driver = IdmParams(desired_speed_mps=33.33, acceleration_mps2=1.0, deceleration_mps2=1.5)
    gap = float(equilibrium_gap_m(20.0, 33.33, driver))
    assert gap == pytest.approx(34.301, rel=ONE_PERCENT)
    assert abs(float(idm_acceleration_mps2(20.0, gap, 0.0, 33.33, driver))) < 1e-9


@pytest.mark.parametrize(("lag_s", "delay_s"), HEADWAYS_S)
def test_r11_cacc_headways(lag_s: float, delay_s: float) -> None:
    """Within 0.01 s, the step of the printed values, or 1 %."""
    lag = VehicleLag(lag_s=lag_s, delay_s=delay_s)
    found = [least_headway_s(radio, PloegParams(), lag) for radio in RADIO_DELAYS_S]
    for value, printed in zip(found, HEADWAYS_S[lag_s, delay_s], strict=True):
        assert value == pytest.approx(printed, rel=ONE_PERCENT, abs=0.01)


@pytest.mark.parametrize(
    ("percent", "wh_per_km"), [(-6, -126), (-3, -31), (0, 103), (3, 267), (6, 430)]
)
def test_r11_electric_car(percent: int, wh_per_km: float) -> None:
    """60 km/h, constant; the battery alone and with its auxiliaries."""
    v = 60.0 / 3.6
    force = tractive_force_n(v, 0.0, percent / 100.0, CAR_ENERGY.load)
    drawn, returned = electric_power_w(v, force, CAR_ENERGY.electric)
    watts = float(drawn - returned) + CAR_ENERGY.electric.auxiliary_w
    assert watts / 60.0 == pytest.approx(wh_per_km, rel=ONE_PERCENT)


def test_r11_long_descents() -> None:
    """49 t: braking power, runaway, escape ramps, crawl speeds."""
    truck = EngineParams(power_w=300e3, mass_kg=49e3, drag_area_m2=6.0)
    speed_kmh = np.array([60.0, 40.0, 60.0, 40.0])
    power = retarding_power_w(speed_kmh / 3.6, np.array([-0.04, -0.05, -0.05, -0.06]), truck)
    assert power / 1e3 == pytest.approx([248.0, 225.0, 328.0, 278.0], rel=ONE_PERCENT)
    for distance_m, kmh, seconds in ((500.0, 92.8, 23.5), (1000.0, 115.0, 40.7)):
        speed, time = runaway(60.0 / 3.6, -0.05, truck, distance_m)
        assert speed * 3.6 == pytest.approx(kmh, rel=ONE_PERCENT)
        assert time == pytest.approx(seconds, rel=ONE_PERCENT)
    ramps = [
        escape_ramp_m(kmh / 3.6, rolling, 0.10) for rolling in (0.25, 0.15) for kmh in (100, 120)
    ]
    assert ramps == pytest.approx([112.0, 162.0, 157.0, 227.0], rel=ONE_PERCENT)
    crawl = [math.floor(crawl_speed_mps(i / 100, truck) * 3.6 + 0.5) for i in range(2, 8)]
    assert crawl == [65, 50, 40, 33, 28, 25]
