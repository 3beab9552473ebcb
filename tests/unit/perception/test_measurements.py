"""What is measured: moments of the noise, chance by ids alone, detection by probability."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from v2x.perception.sensor_params import NoSensors, OnboardParams, SensorParams
from v2x.perception.sensors import Sensors
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

from ...simulation_parts import fleet_state
from .looking import OPEN, SURE, look, params

#: Pairs 30 m apart that see each other's rear, far from all others.
N_PAIRS = 3000
HEADING = 0.4
NOISY = SensorParams(
    detection=1.0,
    range_sigma_m=0.7,
    bearing_sigma_deg=0.6,
    elevation_sigma_deg=1.2,
    speed_sigma_mps=0.9,
    heading_sigma_deg=5.0,
)


def many(time_us: int = 0, order: np.ndarray | None = None):
    """Return pairs (2 k, 2 k + 1) that drive in one direction, rows in any order."""
    k = np.arange(2 * N_PAIRS)
    x = (k // 2) * 1000.0 + (k % 2) * 30.0 * math.cos(HEADING)
    columns = {
        "y_m": (k % 2) * 30.0 * math.sin(HEADING),
        "z_m": np.full(len(k), 5.0),
        "id": 10 + k,
        "speed_mps": np.full(len(k), 20.0),
        "heading_rad": np.full(len(k), HEADING),
    }
    order = k if order is None else order
    return fleet_state(time_us, x[order], **{key: v[order] for key, v in columns.items()})


def measured(sensors: Sensors, fleet):
    """Return errors of range, bearing, height, speed and heading, and the positions."""
    found = sensors.see(fleet)
    error = np.stack(
        [
            found.range_m - 30.0,
            found.bearing_rad,
            found.z_m - 5.0,
            found.speed_mps - 20.0,
            found.heading_rad - HEADING,
        ]
    )
    return found, error


def test_errors_have_the_moments_that_are_asked_for_and_do_not_depend_on_each_other() -> None:
    found, error = measured(Sensors(params(NOISY), OPEN, WeatherParams(), 5), many())
    n = len(found)
    assert n == N_PAIRS
    sigma = np.array([0.7, math.radians(0.6), 30.0 * math.radians(1.2), 0.9, math.radians(5.0)])
    # Within 3 sigma of the mean and of the standard deviation of n normal numbers.
    assert (np.abs(error.mean(axis=1)) < 3.0 * sigma / math.sqrt(n)).all()
    assert (np.abs(error.std(axis=1) / sigma - 1.0) < 3.0 / math.sqrt(2 * n)).all()
    off_diagonal = np.corrcoef(error)[~np.eye(5, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.0 / math.sqrt(n)


def test_the_next_tick_errs_anew() -> None:
    sensors = Sensors(params(NOISY), OPEN, WeatherParams(), 5)
    _, first = measured(sensors, many(0))
    _, second = measured(sensors, many(100_000))
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(first, second, strict=True)]
    assert np.abs(correlation).max() < 4.0 / math.sqrt(N_PAIRS)


def test_positions_follow_from_range_and_bearing() -> None:
    fleet = many()
    found, _ = measured(Sensors(params(NOISY), OPEN, WeatherParams(), 5), fleet)
    direction = fleet.heading_rad[found.host] + found.bearing_rad
    np.testing.assert_allclose(
        found.x_m, fleet.x_m[found.host] + found.range_m * np.cos(direction), rtol=1e-12
    )
    np.testing.assert_allclose(
        found.y_m, fleet.y_m[found.host] + found.range_m * np.sin(direction), atol=1e-9
    )
    assert (found.measured_us == 0).all()


def test_two_sensors_measure_better_by_their_variances() -> None:
    both = replace(params(NOISY), kinds=("front_radar", "camera"), camera=NOISY)
    _, one = measured(Sensors(params(NOISY), OPEN, WeatherParams(), 5), many())
    _, two = measured(Sensors(both, OPEN, WeatherParams(), 5), many())
    np.testing.assert_allclose(two[[0, 1, 3, 4]], one[[0, 1, 3, 4]] / math.sqrt(2.0), atol=1e-7)


def test_chance_belongs_to_ids_and_not_to_rows_or_others() -> None:
    some = replace(NOISY, detection=0.5)
    fleet = many()
    found, error = measured(Sensors(params(some), OPEN, WeatherParams(), 5), fleet)
    order = np.random.default_rng(2).permutation(fleet.n_rows)
    other = many(order=order)
    shuffled, other_error = measured(Sensors(params(some), OPEN, WeatherParams(), 5), other)
    by_id = np.argsort(other.id[shuffled.host])
    np.testing.assert_array_equal(fleet.id[found.host], other.id[shuffled.host][by_id])
    np.testing.assert_array_equal(error, other_error[:, by_id])
    # Half of them, within 4 sigma of a binomial; another seed finds others.
    assert abs(len(found) - 0.5 * N_PAIRS) < 4.0 * math.sqrt(0.25 * N_PAIRS)
    again, _ = measured(Sensors(params(some), OPEN, WeatherParams(), 6), fleet)
    assert not np.array_equal(again.host, found.host)


def test_sensors_of_two_kinds_miss_together_with_the_product() -> None:
    some = replace(NOISY, detection=0.6)
    both = replace(params(some), kinds=("front_radar", "camera"), camera=some)
    found, _ = measured(Sensors(both, OPEN, WeatherParams(), 5), many())
    share = 1.0 - 0.4 * 0.4
    assert abs(len(found) - share * N_PAIRS) < 4.0 * math.sqrt(share * (1 - share) * N_PAIRS)


def test_a_run_is_the_same_again_and_tracks_take_three_ticks() -> None:
    runs = []
    for _ in range(2):
        sensors = Sensors(OnboardParams(), OPEN, WeatherParams(), 9)
        runs.append([sensors.see(many(tick * 100_000)) for tick in range(4)])
    assert [len(report) for report in runs[0][:2]] == [0, 0]
    # To the rear there is one sensor, of 0.9: three of four hits have a chance of 0.948.
    assert len(runs[0][3]) > 0.96 * 2 * N_PAIRS
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one.x_m, other.x_m)
        np.testing.assert_array_equal(one.host, other.host)


def test_on_a_ring_road_the_view_goes_on_over_its_end() -> None:
    ring = highway(length_m=1000.0, wrap=True)
    period = ring.wrap_length_m
    assert period > 0.0
    west = float(ring.point_x_m.min())
    sensors = Sensors(
        params(replace(SURE, range_sigma_m=1e-3, bearing_sigma_deg=1e-3)), ring, WeatherParams(), 1
    )
    fleet = fleet_state(0, [west + period - 10.0, west + 30.0, west + 70.0], edge=-1)
    found = sensors.see(fleet)
    assert list(zip(found.host, found.object, strict=True)) == [(0, 1), (1, 2)]
    assert found.range_m[0] == pytest.approx(40.0, abs=0.01)
    assert found.x_m[0] == pytest.approx(west + 30.0, abs=0.01)


def test_without_kinds_or_hosts_nobody_sees_anybody() -> None:
    assert look([0.0, 30.0], onboard={"kinds": ()}) == set()
    assert look(np.zeros(0)) == set()
    assert look([0.0, 30.0], id=[-1, 3]) == set()
    assert NoSensors() == NoSensors()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": ("sonar",)},
        {"roadside_kinds": ("camera",)},
        {"share": 1.1},
        {"confirm_hits": 6},
        {"confirm_of": 13},
        {"lose_after": 0},
        {"visible_share": 0.0},
    ],
)
def test_what_cannot_be_is_refused_by_name(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OnboardParams(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"azimuth_deg": ()},
        {"azimuth_deg": (181.0,)},
        {"half_angle_deg": 0.0},
        {"range_m": 0.0},
        {"detection": 1.1},
        {"height_m": 0.0},
        {"range_sigma_m": 0.0},
        {"fog_share": -0.1},
    ],
)
def test_sensors_that_cannot_be_are_refused_by_name(wrong) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SensorParams(**wrong)
