"""What vehicles show: indicators and key events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from v2x.messages.csae.bsm import VehicleEvent
from v2x.mobility.fleet import FleetState, KeyEvent
from v2x.mobility.joined import without_last
from v2x.mobility.junctions import lane_network
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.signs import INDICATE_M, turning
from v2x.mobility.vehicle_classes import Mix
from v2x.world.road_map import RoadMap

Maps = dict[str, Callable[..., RoadMap]]
MapOf = Callable[..., RoadMap]
ModelOn = Callable[..., RoutedTraffic]
CARS = Mix(car=1, truck=0, bus=0)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (KeyEvent.HAZARD_LIGHTS, VehicleEvent.HAZARD_LIGHTS),
        (KeyEvent.STOP_LINE_VIOLATION, VehicleEvent.STOP_LINE_VIOLATION),
        (KeyEvent.ABS, VehicleEvent.ABS_ACTIVATED),
        (KeyEvent.TRACTION_LOSS, VehicleEvent.TRACTION_CONTROL_LOSS),
        (KeyEvent.STABILITY_CONTROL, VehicleEvent.STABILITY_CONTROL_ACTIVATED),
        (KeyEvent.HARD_BRAKING, VehicleEvent.HARD_BRAKING),
        (KeyEvent.DISABLED_VEHICLE, VehicleEvent.DISABLED_VEHICLE),
        (KeyEvent.AIR_BAG, VehicleEvent.AIR_BAG_DEPLOYMENT),
    ],
)
def test_events_have_their_places_on_the_wire(here: KeyEvent, there: VehicleEvent) -> None:
    """GB/T 45315-2025: the low 13 bits are those of VehicleEventFlags."""
    assert int(here) == int(there)
    assert int(KeyEvent.SIREN) >= 1 << 13


def test_columns_that_a_model_does_not_know_are_zero() -> None:
    fleet = fleet_state(0, [0.0, 1.0])
    columns = {name: getattr(fleet, name).copy() for name in FleetState.__slots__[1:]}
    del columns["turn"], columns["flags"]
    plain = FleetState(time_us=0, **columns)
    for values in (plain.turn, plain.flags):
        assert values.tolist() == [0, 0]
        assert (values.dtype, values.flags.writeable) == (np.int32, False)
    assert without_last(plain, 2).flags.tolist() == []


# Indicators --------------------------------------------------------------------------------


def test_exits_are_indicated_and_straight_ways_are_not(maps: Maps) -> None:
    network = lane_network(maps["off-ramp"]())
    turns = turning(network)
    assert turns[network.movement(0, 1)] == 0
    assert turns[network.movement(0, 2)] == -1


def test_turns_at_a_junction_are_indicated(maps: Maps) -> None:
    """From the north, bound south: left is east, right is west."""
    network = lane_network(maps["junction"]())
    turns = turning(network)
    first, end = network.first_movement[2:4]
    assert sorted(turns[first:end].tolist()) == [-1, 0, 1]
    assert turns[network.movement(2, 7)] == 0


@pytest.mark.parametrize(("before_m", "on"), [(INDICATE_M + 1, False), (INDICATE_M - 1, True)])
def test_turns_are_indicated_shortly_before(
    maps: Maps, model_on: ModelOn, before_m: float, on: bool
) -> None:
    model = model_on(maps["off-ramp"](), n_vehicles=1, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    exits = next(f for f in book.first if book.edge[f + 1] == 2)
    vehicles.stop[0], vehicles.lane[0] = exits, 0
    vehicles.offset_m[0] = 1200.0 - before_m
    assert model._state(0).turn[0] == (-1 if on else 0)


def test_a_lane_change_is_indicated_while_it_lasts(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["off-ramp"](), n_vehicles=40)
    left = right = 0
    for k in range(600):
        state = model.advance(k * 100_000)
        side = model.vehicles.from_side
        on = state.active & (side != 0)
        # The old lane less the new one: to the left it is negative.
        assert (state.turn[on] == -side[on]).all()
        left += int((on & (side < 0)).sum())
        right += int((on & (side > 0)).sum())
    assert left > 0
    assert right > 0


def test_who_has_to_leave_its_lane_indicates(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["off-ramp"](), n_vehicles=1, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    exits = next(f for f in book.first if book.edge[f + 1] == 2)
    vehicles.stop[0], vehicles.lane[0], vehicles.offset_m[0] = exits, 2, 1050.0
    assert model._state(0).turn[0] == -1
    vehicles.offset_m[0] = 900.0
    assert model._state(0).turn[0] == 0


# Key events --------------------------------------------------------------------------------


def stopping(map_of: MapOf, model_on: ModelOn, deceleration_mps2: float) -> list[FleetState]:
    """Return the states of a lone car that stops from 20 m/s."""
    options = {"lanes": 1, "limit_mps": 25.0, "road_class": 0}
    road = map_of([(0, 1, [(0.0, 0.0), (3000.0, 0.0)], options)])
    model = model_on(road, n_vehicles=1, mix=CARS)
    model.advance(0)
    model.vehicles.offset_m[0], model.vehicles.speed_mps[0] = 100.0, 20.0
    model.controls.ceiling_mps2[0] = -deceleration_mps2
    return [model.advance(k * 100_000) for k in range(1, 120)]


@pytest.mark.parametrize(("deceleration_mps2", "hard"), [(3.99, False), (4.01, True)])
def test_braking_is_hard_beyond_four(
    map_of: MapOf, model_on: ModelOn, deceleration_mps2: float, hard: bool
) -> None:
    states = stopping(map_of, model_on, deceleration_mps2)
    assert bool(states[10].flags[0] & KeyEvent.HARD_BRAKING) == hard
    assert not states[10].flags[0] & KeyEvent.ABS


def test_a_rapid_stop_warns_those_behind(map_of: MapOf, model_on: ModelOn) -> None:
    """Hazard lights from the last metres of hard braking on; not after a usual stop."""
    hard = stopping(map_of, model_on, 6.0)
    assert not hard[5].flags[0] & KeyEvent.HAZARD_LIGHTS
    assert hard[-1].flags[0] == KeyEvent.HAZARD_LIGHTS
    assert stopping(map_of, model_on, 3.0)[-1].flags[0] == 0


def test_warning_ends_when_somebody_stands_behind(map_of: MapOf, model_on: ModelOn) -> None:
    options = {"lanes": 1, "limit_mps": 25.0, "road_class": 0}
    road = map_of([(0, 1, [(0.0, 0.0), (3000.0, 0.0)], options)])
    model = model_on(road, n_vehicles=2, mix=CARS)
    model.advance(0)
    model.vehicles.stop[:], model.vehicles.lane[:] = 0, 0
    model.vehicles.offset_m[:], model.vehicles.speed_mps[:] = [100.0, 600.0], 20.0
    model.controls.ceiling_mps2[1] = -6.0
    lights = []
    for k in range(1, 700):
        state = model.advance(k * 100_000)
        lights.append(bool(state.flags[1] & KeyEvent.HAZARD_LIGHTS))
    assert any(lights)
    assert state.gap_m[0] < 15.0
    assert not lights[-1]


def test_usual_traffic_has_no_events(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["ring"](1000.0, 2), n_vehicles=30)
    for k in range(300):
        state = model.advance(k * 100_000)
        assert not (state.flags & ~KeyEvent.HARD_BRAKING & ~KeyEvent.HAZARD_LIGHTS).any()
