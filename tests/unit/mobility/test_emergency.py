"""Emergency vehicles: what they may, what they tell, and who leaves their way."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.emergency_params import EmergencyParams
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.routed import RoutedParams, RoutedTraffic
from v2x.mobility.signals.approaches import approaching
from v2x.mobility.signals.base import movement_lights
from v2x.mobility.signals.fixed import FixedControl, FixedParams
from v2x.mobility.signals.lights import Light
from v2x.mobility.vehicle_classes import Mix
from v2x.world import synthetic
from v2x.world.road_map import RoadMap

CARS = Mix(car=1, truck=0, bus=0)


def traffic(road_map: RoadMap, n: int, **params: Any) -> RoutedTraffic:
    context = MobilityContext(
        road_map,
        1,
        10**10,
        ".",
        signals=partial(FixedControl, FixedParams()),
        emergency=EmergencyParams(**params),
    )
    return RoutedTraffic(RoutedParams(n_vehicles=n, mix=CARS), context)


def red_passages(model: RoutedTraffic, seconds: int) -> dict[int, int]:
    """Return how often each row passed a stop line at red."""
    found: dict[int, int] = {}
    before: dict[int, tuple[int, float]] = {}
    for k in range(10 * seconds):
        model.advance(k * 100_000)
        there = approaching(model.network, model._book, model.vehicles)
        light = movement_lights(model.lights.control, model.network).light
        now = {
            row: (int(model.vehicles.stop[row]), distance)
            for row, distance in zip(there.row.tolist(), there.distance_m.tolist(), strict=True)
        }
        for row, m in zip(there.row.tolist(), there.movement.tolist(), strict=True):
            was = before.get(row)
            passed = was and was[0] == now[row][0] and was[1] > 0.0 >= now[row][1]
            if passed and light[m] == Light.RED:
                found[row] = found.get(row, 0) + 1
        before = now
    return found


def test_the_siren_is_on_while_on_duty() -> None:
    model = traffic(
        synthetic.build("junction"), 10, n_vehicles=2, from_s=3.0, until_s=6.0, passes_red=False
    )
    for k in range(100):
        state = model.advance(k * 100_000)
        sirens = int((state.flags & KeyEvent.SIREN != 0).sum())
        assert sirens == (2 if 30 <= k < 60 and k > 0 else 0)
    assert (model.vehicles.speed_factor != 1.3).all()


def test_only_they_pass_red_lights_and_with_care() -> None:
    model = traffic(synthetic.build("junction"), 25, n_vehicles=8)
    found = red_passages(model, 300)
    assert model._emergency is not None
    assert set(found) <= set(model._emergency.rows.tolist())
    assert sum(found.values()) > 3
    obeys = traffic(synthetic.build("junction"), 25, n_vehicles=2, passes_red=False)
    assert red_passages(obeys, 300) == {}


def test_they_take_limits_as_their_own() -> None:
    road_map = synthetic.build("highway", limit_kmh=60.0, wrap=True)
    model = traffic(road_map, 6, n_vehicles=1, hearing_m=0.0)
    for k in range(900):
        state = model.advance(k * 100_000)
    assert model._emergency is not None
    (row,) = model._emergency.rows.tolist()
    assert state.speed_mps[row] == pytest.approx(1.3 * 60.0 / 3.6, rel=0.03)
    others = np.delete(state.speed_mps, row)
    assert others.max() < 1.11 * 60.0 / 3.6


def place(model: RoutedTraffic, row: int, lane: int, offset_m: float) -> None:
    """Put a vehicle onto the edge of the emergency vehicle."""
    vehicles = model.vehicles
    assert model._emergency is not None
    vehicles.stop[row] = vehicles.stop[model._emergency.rows[0]]
    vehicles.lane[row] = lane
    vehicles.offset_m[row] = offset_m


@pytest.mark.parametrize(
    ("lane", "other_lane", "ahead_m", "wish", "keep"),
    [
        (1, 1, 49.0, -1, 0),  # in its lane: to the right
        (1, 1, 51.0, 0, 0),  # does not hear it
        (1, 1, -5.0, 0, 0),  # behind
        (0, 0, 30.0, 1, 0),  # nothing on the right: to the left
        (1, 0, 30.0, 0, 1),  # beside its lane: stays there
    ],
)
def test_whoever_hears_the_siren_leaves_its_lane(
    lane: int, other_lane: int, ahead_m: float, wish: int, keep: int
) -> None:
    model = traffic(synthetic.build("highway", wrap=True), 2, n_vehicles=1)
    model.advance(0)
    emergency = model._emergency
    assert emergency is not None
    (row,) = emergency.rows.tolist()
    other = 1 - row
    place(model, row, lane, 500.0)
    place(model, other, other_lane, 500.0 + ahead_m)
    emergency.step(100_000)
    controls = model.controls
    assert (controls.lane_wish[other], controls.keep_lane[other]) == (wish, keep)
    assert (controls.lane_wish[row], controls.keep_lane[row]) == (0, 0)
    # What was asked is taken back when it has passed.
    place(model, other, other_lane, 400.0)
    emergency.step(200_000)
    assert (controls.lane_wish[other], controls.keep_lane[other]) == (0, 0)


def test_wishes_of_others_are_left_alone() -> None:
    model = traffic(synthetic.build("highway", wrap=True), 2, n_vehicles=1)
    model.advance(0)
    emergency = model._emergency
    assert emergency is not None
    (row,) = emergency.rows.tolist()
    place(model, row, 1, 500.0)
    place(model, 1 - row, 1, 530.0)
    model.controls.lane_wish[1 - row] = 1
    emergency.step(100_000)
    assert model.controls.lane_wish[1 - row] == 1


@pytest.mark.parametrize(
    ("name", "value"), [("n_vehicles", -1), ("speed_factor", 3.0), ("hearing_m", -1.0)]
)
def test_impossible_duties_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        EmergencyParams(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="until_s"):
        EmergencyParams(from_s=5.0, until_s=5.0)
