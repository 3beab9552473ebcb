from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from v2x.mobility.lane_change import LaneChangeParams, mobil_gain_mps2
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import Mix
from v2x.world.road_map import RoadMap

CARS = Mix(car=1, truck=0, bus=0)


def test_gain_weighs_the_follower() -> None:
    params = LaneChangeParams(politeness=0.5, right_bias_mps2=0.3)
    gain = mobil_gain_mps2((-1.0, 0.5), (0.2, -0.8), to_right=False, params=params)
    assert gain == pytest.approx(1.5 - 0.5 - 0.3)
    gain = mobil_gain_mps2((-1.0, 0.5), (0.0, 0.4), to_right=True, params=params)
    assert gain == pytest.approx(1.5 + 0.2 + 0.3)


@pytest.mark.parametrize(
    ("field", "value"),
    [("politeness", 1.5), ("threshold_mps2", -0.1), ("duration_s", 0.0)],
)
def test_bad_parameters(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        LaneChangeParams(**{field: value})


def place(model: RoutedTraffic, lane: list[int], offset: list[float], speed: list[float]) -> None:
    """Put the vehicles of a one-edge model somewhere, settled for long."""
    vehicles = model.vehicles
    vehicles.stop[:] = 0
    vehicles.lane[:] = lane
    vehicles.offset_m[:] = offset
    vehicles.speed_mps[:] = speed
    vehicles.from_side[:] = 0
    vehicles.settled_s[:] = 1e3


def drive(model: RoutedTraffic, seconds: float) -> None:
    for k in range(round(seconds * 10) + 1):
        model.advance(k * 100_000)


@pytest.fixture
def road(map_of: Callable[..., RoadMap]) -> RoadMap:
    line = [(0.0, 0.0), (3000.0, 0.0)]
    return map_of([(0, 1, line, {"lanes": 2, "limit_mps": 30.0})])


def test_fast_overtakes_slow_on_the_left_and_comes_back(
    road: RoadMap, model_on: Callable[..., RoutedTraffic]
) -> None:
    model = model_on(road, n_vehicles=2, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    place(model, [0, 0], [100.0, 160.0], [28.0, 14.0])
    model.vehicles.speed_factor[1] = 0.5
    lanes = set()
    for k in range(1, 500):
        state = model.advance(k * 100_000)
        lanes.add((int(state.lane[0]), bool(state.offset_m[0] > state.offset_m[1])))
        if state.offset_m[0] > state.offset_m[1] + 200:
            break
    assert (1, False) in lanes
    assert int(state.lane[0]) == 0
    assert int(state.lane[1]) == 0


def test_no_change_into_a_gap_that_is_too_small(
    road: RoadMap, model_on: Callable[..., RoutedTraffic]
) -> None:
    """The new follower is 20 m behind and 14 m/s faster: it would have to brake too hard."""
    model = model_on(road, n_vehicles=3, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    place(model, [0, 0, 1], [100.0, 125.0, 75.0], [14.0, 13.0, 28.0])
    model.vehicles.speed_factor[1] = 0.45
    for k in range(1, 11):
        state = model.advance(k * 100_000)
        assert state.lane[0] == 0


def test_both_lanes_are_taken_while_changing(
    road: RoadMap, model_on: Callable[..., RoutedTraffic]
) -> None:
    model = model_on(road, n_vehicles=3, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    # Row 0 is between lanes; both followers have it as their leader.
    place(model, [1, 0, 1], [300.0, 250.0, 240.0], [20.0, 20.0, 20.0])
    model.vehicles.from_side[0] = -1
    state = model.advance(100_000)
    assert state.leader.tolist() == [-1, 0, 0]
    assert state.gap_m[1:] == pytest.approx([45.0, 55.0], abs=0.1)
    for k in range(2, 40):
        state = model.advance(k * 100_000)
    assert model.vehicles.from_side[0] == 0
    assert state.leader.tolist() == [-1, -1, 0]


def test_vehicles_slide_sideways_at_most_a_lane_in_three_seconds(
    road: RoadMap, model_on: Callable[..., RoutedTraffic]
) -> None:
    model = model_on(road, n_vehicles=1, mix=CARS)
    model.advance(0)
    place(model, [0], [300.0], [20.0])
    y = [model.advance(100_000).y_m[0]]
    model.vehicles.lane[0], model.vehicles.from_side[0] = 1, -1
    y += [model.advance(k * 100_000).y_m[0] for k in range(2, 40)]
    assert y[0] == pytest.approx(-1.75)
    assert y[-1] == pytest.approx(1.75)
    assert np.abs(np.diff(y)).max() == pytest.approx(3.5 / 30)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everybody_takes_the_lane_of_the_route(
    seed: int,
    maps: dict[str, Callable[..., RoadMap]],
    model_on: Callable[..., RoutedTraffic],
) -> None:
    """On a road whose right lane becomes the exit, nobody misses it or drives on in it."""
    model = model_on(maps["off-ramp"](3, 2, 1), seed, n_vehicles=40)
    drive(model, 100.0)
    assert model.n_arrived > 40
    assert model._detours.n_missed == 0
    assert model.n_given_up == 0


def test_the_end_of_a_lane_is_left_in_time(
    maps: dict[str, Callable[..., RoadMap]], model_on: Callable[..., RoutedTraffic]
) -> None:
    model = model_on(maps["on-ramp"](3, 2, 1), n_vehicles=40)
    drive(model, 100.0)
    assert model.n_arrived > 40
    assert model.n_given_up == 0
