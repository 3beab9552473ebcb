"""Traffic against closed forms: equilibrium, stopping, slopes, and what is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.car_following import (
    IdmParams,
    equilibrium_gap_m,
    equilibrium_speed_mps,
    idm_acceleration_mps2,
    safe_speed_mps,
)
from v2x.mobility.constant_speed import ConstantSpeed
from v2x.mobility.dynamics import EngineParams, crawl_speed_mps
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import CAR, TRUCK, Mix
from v2x.world import synthetic
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap

CARS, TRUCKS = Mix(car=1, truck=0, bus=0), Mix(car=0, truck=1, bus=0)


def routed(road_map: RoadMap, seed: int = 1, **params: Any) -> RoutedTraffic:
    context = MobilityContext(road_map, seed, 10**10, ".")
    return RoutedTraffic(RoutedTraffic.Params(**params), context)


def slope(grade: float, length_m: float = 6000.0, limit_mps: float = 25.0) -> RoadMap:
    """Return a straight one-lane road with a constant grade."""
    x = length_m / math.hypot(1.0, grade)
    return road_map_of(
        name="slope",
        edge_from=[0],
        edge_to=[1],
        edge_lanes=[1],
        edge_limit_mps=[limit_mps],
        edge_class=[0],
        class_names=DRIVE_CLASSES,
        edge_name=[""],
        polylines=Polylines(
            np.array([0, 2]), np.array([0.0, x]), np.zeros(2), np.array([0.0, grade * x])
        ),
    )


def drive(model: RoutedTraffic, seconds: float) -> Any:
    state = model.advance(0)
    for k in range(1, round(seconds * 10) + 1):
        state = model.advance(k * 100_000)
    return state


# Car following -----------------------------------------------------------------------------


def test_published_equilibrium() -> None:
    """v 20, v0 33.33, T 1.5, s0 2: (2 + 30)/sqrt(1 - (20/33.33)^4) = 34.301 m."""
    driver = IdmParams(acceleration_mps2=1.0, deceleration_mps2=1.5, headway_s=1.5, min_gap_m=2.0)
    gap = float(equilibrium_gap_m(20.0, 33.33, driver))
    assert gap == pytest.approx(34.301, abs=5e-4)
    assert idm_acceleration_mps2(20.0, gap, 0.0, 33.33, driver) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("n", [16, 40])
def test_ring_of_equal_cars_is_in_equilibrium(n: int) -> None:
    """On a wrap-around lane of 1 km all gaps are 1000/n - 5 m and fix the speed for good."""
    road = synthetic.highway(1000.0, lanes_per_direction=1, directions=1, limit_mps=25.0, wrap=True)
    model = routed(road, n_vehicles=n, mix=CARS, spacing="uniform", speed_factor_spread=0.0)
    expected = float(equilibrium_speed_mps(1000.0 / n - 5.0, 25.0, CAR.driver))
    for state in (model.advance(0), drive(model, 60.0)):
        assert state.speed_mps == pytest.approx(np.full(n, expected), abs=1e-6)
        assert state.gap_m == pytest.approx(np.full(n, 1000.0 / n - 5.0), abs=1e-6)


def test_disturbed_ring_returns_to_equilibrium() -> None:
    """From random gaps a sparse ring relaxes to the equilibrium of its density."""
    road = synthetic.highway(1000.0, lanes_per_direction=1, directions=1, limit_mps=25.0, wrap=True)
    model = routed(road, n_vehicles=16, mix=CARS, speed_factor_spread=0.0)
    start = model.advance(0)
    assert start.gap_m.std() > 10.0
    state = drive(model, 600.0)
    expected = float(equilibrium_speed_mps(1000.0 / 16 - 5.0, 25.0, CAR.driver))
    assert state.speed_mps == pytest.approx(np.full(16, expected), abs=0.2)


def test_emergency_stop_takes_the_braking_distance() -> None:
    """Along the safe speed a vehicle at 30 m/s stops after 30²/(2·8) = 56.25 m exactly."""
    speed, left = 30.0, 30.0**2 / 16.0
    while speed > 0.0:
        after = float(safe_speed_mps(speed, left, 8.0, 0.1))
        left -= 0.5 * (speed + after) * 0.1 if after > 0.0 else left
        speed = after
    assert left == pytest.approx(0.0, abs=1e-9)


def test_stop_behind_a_wall_is_comfortable() -> None:
    """A car that sees a standing queue from afar brakes with about b and stops at s0."""
    model = routed(slope(0.0), n_vehicles=2, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[:], vehicles.lane[:] = 0, 0
    vehicles.offset_m[:], vehicles.speed_mps[:] = [100.0, 600.0], [24.0, 0.0]
    hardest = 0.0
    for k in range(1, 900):
        vehicles.offset_m[1], vehicles.speed_mps[1] = 600.0, 0.0
        state = model.advance(k * 100_000)
        hardest = min(hardest, float(state.acceleration_mps2[0]))
    assert state.speed_mps[0] == pytest.approx(0.0, abs=0.05)
    assert state.gap_m[0] == pytest.approx(CAR.driver.min_gap_m, abs=0.3)
    assert -1.5 * CAR.driver.deceleration_mps2 < hardest < -0.5 * CAR.driver.deceleration_mps2


# Slopes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power_kw", "mass_t", "speeds_kmh"),
    [(300, 49, (65, 50, 40, 33, 28, 25)), (260, 25, (90, 75, 63, 54, 47, 41))],
)
def test_crawl_speeds(power_kw: float, mass_t: float, speeds_kmh: tuple[int, ...]) -> None:
    """Tabulated for grades of 2 to 7 %, whole km/h."""
    engine = EngineParams(power_w=power_kw * 1e3, mass_kg=mass_t * 1e3, drag_area_m2=6.0)
    speed = [3.6 * crawl_speed_mps(grade / 100, engine) for grade in range(2, 8)]
    assert speed == pytest.approx(speeds_kmh, abs=0.75)


@pytest.mark.parametrize("grade", [0.04, 0.06])
def test_truck_climbs_at_its_crawl_speed(grade: float) -> None:
    """After 3 km of slope power alone decides, if gravity is made up for by the driver."""
    model = routed(
        slope(grade), n_vehicles=1, mix=TRUCKS, speed_factor_spread=0.0, grade_compensation=1.0
    )
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 100.0, 22.0
    for k in range(1, 2400):
        state = model.advance(k * 100_000)
    assert state.offset_m[0] < 5900.0
    assert state.speed_mps[0] == pytest.approx(crawl_speed_mps(grade, TRUCK.engine), rel=0.002)


@pytest.mark.parametrize("grade", [0.03, 0.06])
def test_car_slows_down_as_far_as_it_is_not_made_up_for(grade: float) -> None:
    """a (1 - (v/v0)^4) = (1 - k) g i, so v = v0 (1 - (1 - k) g i/a)^(1/4)."""
    model = routed(slope(grade), n_vehicles=1, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 100.0, 20.0
    for k in range(1, 1500):
        state = model.advance(k * 100_000)
    expected = 25.0 * (1.0 - 0.5 * 9.81 * grade / CAR.driver.acceleration_mps2) ** 0.25
    assert state.speed_mps[0] == pytest.approx(expected, rel=1e-3)


def test_downhill_the_limit_holds() -> None:
    model = routed(slope(-0.08), n_vehicles=10, speed_factor_spread=0.0)
    for k in range(600):
        state = model.advance(k * 100_000)
        assert (state.speed_mps <= 25.0).all()
    assert state.speed_mps.max() > 24.0


# What is drawn -----------------------------------------------------------------------------


def test_random_gaps_of_the_drop_are_exponential() -> None:
    """Mean and variance of gaps raised to 2 m and rescaled to the lane, 4 sigma.

    For gaps E of mean m, max(E, 2) has mean 2 + m q and second central moment
    2 m² q - (m q)² above 2 m, with q = exp(-2/m); rescaling the part above 2 m to a mean of m - 2
    multiplies its standard deviation by (m - 2)/(m q).
    """
    n, length_m, car_m = 4000, 120_000.0, 5.0
    road = synthetic.highway(length_m, lanes_per_direction=1, directions=1, wrap=True)
    params = ConstantSpeed.Params(n_vehicles=n)
    state = ConstantSpeed(params, MobilityContext(road, 1, 10**9, ".")).advance(0)
    mean = length_m / n - car_m
    q = math.exp(-2.0 / mean)
    above = state.gap_m - 2.0
    assert above.min() >= -1e-9
    assert state.gap_m.mean() == pytest.approx(mean, rel=1e-9)
    variance = (2 * mean**2 * q - (mean * q) ** 2) * ((mean - 2.0) / (mean * q)) ** 2
    # The variance of a sample variance of exponentials is 8 sigma^4/n.
    assert abs(above.var() - variance) < 4 * variance * math.sqrt(8 / n)
    at_least = float((above < 1e-9).mean())
    assert abs(at_least - (1 - q)) < 4 * math.sqrt(q * (1 - q) / n)


def test_density_stays_where_the_demand_puts_it() -> None:
    """The start is stationary: after five minutes as many are on each road as before.

    Vehicles are spread in proportion to the time trips spend; the share on the ramp at the end
    of a run must be that of the start within 4 sigma of a binomial of the mean occupancy.
    """
    street = {"edge_lanes": [2, 2, 1], "edge_limit_mps": [25.0, 25.0, 12.0]}
    x = [-2000.0, 0.0, 0.0, 1500.0, 0.0, 700.0]
    y = [0.0, 0.0, 0.0, 0.0, 0.0, -90.0]
    road = road_map_of(
        name="fork",
        edge_from=[0, 1, 1],
        edge_to=[1, 2, 3],
        edge_class=[0, 0, 1],
        class_names=DRIVE_CLASSES,
        edge_name=["", "", ""],
        polylines=Polylines(np.array([0, 2, 4, 6]), np.array(x), np.array(y), np.zeros(6)),
        **street,
    )
    n = 60
    start, end = np.zeros(3), np.zeros(3)
    for seed in range(1, 5):
        model = routed(road, seed, n_vehicles=n, mix=CARS)
        start += np.bincount(model.advance(0).edge, minlength=3)
        state = drive(model, 300.0)
        end += np.bincount(state.edge[state.active], minlength=3)
    share = start / start.sum()
    assert end.sum() > 0.98 * 4 * n
    assert (np.abs(end - 4 * n * share) < 4 * np.sqrt(4 * n * share * (1 - share))).all()
