"""What is asked of vehicles from outside, and what they do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.constant_speed import ConstantSpeed
from v2x.mobility.control import ControlledMobility, Controls, controlled
from v2x.mobility.fleet import FleetState, KeyEvent
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.pedestrians import PedestrianParams, Pedestrians
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import Mix
from v2x.world import synthetic

MapOf = Callable[..., Any]
ModelOn = Callable[..., RoutedTraffic]
CARS = Mix(car=1, truck=0, bus=0)


def alone(map_of: MapOf, model_on: ModelOn, grade: float = 0.0, lanes: int = 2) -> RoutedTraffic:
    """Return a car at 20 m/s, 100 m along a straight road of 3 km."""
    line = [(0.0, 0.0, 0.0), (3000.0, 0.0, 3000.0 * grade)]
    road = map_of([(0, 1, line, {"lanes": lanes, "limit_mps": 25.0, "road_class": 0})])
    model = model_on(road, n_vehicles=1, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 100.0, 20.0
    vehicles.lane[0] = 0
    model.advance(100_000)
    return model


def drive(model: RoutedTraffic, seconds: float, begin_s: float = 0.1) -> list[FleetState]:
    begin, n = round(begin_s * 10), round(seconds * 10)
    return [model.advance((begin + k) * 100_000) for k in range(1, n + 1)]


@pytest.mark.parametrize("grade", [0.0, -0.05, 0.05])
def test_a_ceiling_is_the_acceleration_whatever_the_slope(
    map_of: MapOf, model_on: ModelOn, grade: float
) -> None:
    model = alone(map_of, model_on, grade)
    model.controls.ceiling_mps2[0] = -2.0
    states = drive(model, 3.0)
    assert [state.acceleration_mps2[0] for state in states] == pytest.approx([-2.0] * 30)
    model.controls.ceiling_mps2[0] = np.inf
    assert drive(model, 0.1, 3.1)[0].acceleration_mps2[0] > 0.0


def test_nobody_brakes_harder_than_brakes_can(map_of: MapOf, model_on: ModelOn) -> None:
    model = alone(map_of, model_on)
    model.controls.ceiling_mps2[0] = -50.0
    state = drive(model, 0.1)[0]
    assert state.acceleration_mps2[0] == pytest.approx(-8.0)
    assert state.flags[0] == KeyEvent.HARD_BRAKING | KeyEvent.ABS


def test_an_advised_speed_is_approached_at_comfort(map_of: MapOf, model_on: ModelOn) -> None:
    """Comfort is 1.5 m/s²; the last metres per second fade out as with any limit."""
    model = alone(map_of, model_on)
    model.controls.speed_mps[0] = 15.0
    speed = np.array([state.speed_mps[0] for state in drive(model, 12.0)])
    assert (np.diff(speed) >= -0.15 - 1e-9).all()
    assert speed[0] - speed[10] == pytest.approx(1.5)
    assert speed[-1] == pytest.approx(15.0, abs=0.1)


def test_an_advised_speed_of_zero_stops(map_of: MapOf, model_on: ModelOn) -> None:
    model = alone(map_of, model_on)
    model.controls.speed_mps[0] = 0.0
    assert drive(model, 16.0)[-1].speed_mps[0] == 0.0


@pytest.mark.parametrize("grade", [0.0, -0.04])
def test_a_controller_replaces_the_driver(map_of: MapOf, model_on: ModelOn, grade: float) -> None:
    model = alone(map_of, model_on, grade)
    model.controls.cacc_mps2[0] = 0.25
    states = drive(model, 2.0)
    assert [state.acceleration_mps2[0] for state in states] == pytest.approx([0.25] * 20)


def test_a_controller_does_not_run_into_others(map_of: MapOf, model_on: ModelOn) -> None:
    model = alone(map_of, model_on)
    model.controls.cacc_mps2[0] = 1.0
    vehicles = model.vehicles
    for k in range(2, 200):
        # A wall 300 m ahead.
        vehicles.available_m[0] = 400.0 - vehicles.offset_m[0]
        state = model.advance(k * 100_000)
    assert state.speed_mps[0] == 0.0
    assert 399.0 < state.offset_m[0] <= 400.0


def test_a_lane_wish_is_fulfilled_and_shown(map_of: MapOf, model_on: ModelOn) -> None:
    model = alone(map_of, model_on)
    model.controls.lane_wish[0] = 1
    state = drive(model, 0.1)[0]
    assert (state.lane[0], state.turn[0]) == (1, 1)
    model.controls.lane_wish[0] = 0
    model.controls.keep_lane[0] = 1
    states = drive(model, 30.0, 0.2)
    # Nothing is gained in the left lane, and the right one is only left for that.
    assert {int(state.lane[0]) for state in states} == {1}
    assert states[-1].turn[0] == 0
    model.controls.keep_lane[0] = 0
    assert drive(model, 8.0, 30.2)[-1].lane[0] == 0


def test_a_lane_that_is_not_there_is_not_wished_for(map_of: MapOf, model_on: ModelOn) -> None:
    model = alone(map_of, model_on)
    model.controls.lane_wish[0] = -1
    assert {int(state.lane[0]) for state in drive(model, 3.0)} == {0}


def test_without_wishes_the_motion_is_that_without_controls(
    maps: dict[str, MapOf], model_on: ModelOn
) -> None:
    """Writing what asks for nothing changes no byte."""
    one, other = (model_on(maps["on-ramp"](), n_vehicles=60) for _ in range(2))
    for k in range(200):
        a, b = one.advance(k * 100_000), other.advance(k * 100_000)
        other.controls.release()
        other.controls.clear(np.arange(60))
    for name in FleetState.__slots__:
        assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_who_enters_is_asked_for_nothing(maps: dict[str, MapOf], model_on: ModelOn) -> None:
    model = model_on(maps["off-ramp"](), n_vehicles=20)
    first = model.advance(0)
    model.controls.speed_mps[:] = 14.0
    model.controls.alerted[:] = 1
    for k in range(1, 1200):
        state = model.advance(k * 100_000)
    new = state.active & (state.id != first.id)
    assert new.any()
    assert (model.controls.speed_mps[new] == np.inf).all()
    assert (model.controls.alerted[new] == 0).all()
    assert (model.controls.speed_mps[state.id == first.id] == 14.0).all()


def test_controls_of_a_joined_fleet_are_those_of_its_vehicles(
    maps: dict[str, MapOf], model_on: ModelOn
) -> None:
    road = maps["junction"]()
    model = model_on(road, n_vehicles=5)
    walkers = Pedestrians(PedestrianParams(n_pedestrians=4), road, 1)
    joined = JoinedFleet(model, walkers)
    assert controlled(joined) is model
    assert isinstance(model, ControlledMobility)
    assert joined.advance(0).n_rows == 9
    assert model.controls.n_rows == 5


def test_vehicles_that_move_as_they_are_told_have_no_controls() -> None:
    context = MobilityContext(synthetic.highway(), 1, 10**9, ".")
    model = ConstantSpeed(ConstantSpeed.Params(n_vehicles=10), context)
    assert controlled(model) is None


def test_controls_that_ask_for_nothing() -> None:
    controls = Controls.none(3)
    controls.cacc_mps2[1] = 1.0
    controls.ceiling_mps2[:] = -1.0
    controls.release(np.array([0]))
    assert controls.ceiling_mps2.tolist() == [np.inf, -1.0, -1.0]
    controls.clear(np.array([1]))
    assert np.isnan(controls.cacc_mps2).all()
