"""What becomes of vehicles that meet on a lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.mobility.base import MobilityContext
from v2x.mobility.collisions import _speeds_after_impact, common_speed_mps
from v2x.mobility.drivers.params import CrashParams, HumanParams
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import Mix
from v2x.mobility.vehicles import Mode
from v2x.sim.safety.conflicts import ConflictWatch
from v2x.sim.safety.params import SafetyParams
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

MapOf = Callable[..., RoadMap]
CARS = Mix(car=1, truck=0, bus=0)
WRECK = KeyEvent.HAZARD_LIGHTS | KeyEvent.DISABLED_VEHICLE


def crash(map_of: MapOf, mix: Mix, closing_mps: float = 15.0, **params: Any) -> RoutedTraffic:
    """Return two vehicles 0.5 m apart on a level road, the one behind faster."""
    road = map_of(
        [(0, 1, [(0.0, 0.0), (2000.0, 0.0)], {"lanes": 1, "limit_mps": 30.0, "road_class": 0})]
    )
    drivers = HumanParams(reaction_s=50.0, reaction_sd_s=0.1, crash=CrashParams(**params))
    context = MobilityContext(road, 1, 10**10, ".", drivers=drivers)
    model = RoutedTraffic(RoutedTraffic.Params(n_vehicles=2, mix=mix), context)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[:], vehicles.lane[:], vehicles.cleared[:] = 0, 0, 0
    vehicles.speed_mps[:] = [5.0 + closing_mps, 5.0]
    vehicles.offset_m[:] = [500.0, 500.5 + float(vehicles.length_m[1])]
    # What they do next is what they would have done with this leader for long.
    model._kernel.arrange()
    model._look(model.lights.at(0, model._id))
    vehicles.wish_mps2[:], vehicles.available_m[:] = 0.0, np.inf
    return model


def test_a_rear_end_collision_keeps_the_momentum(map_of: MapOf) -> None:
    """A car of 1.5 t at 20 m/s into another at 5 m/s: both at 12.5 m/s, then 6 m/s² less."""
    model = crash(map_of, CARS)
    touch = model.advance(100_000)
    # The state shows the overlap and what the speeds were.
    assert touch.gap_m[0] == pytest.approx(0.5 - 1.5, abs=0.02)
    assert touch.speed_mps.tolist() == pytest.approx([20.0, 5.0], abs=0.1)
    state = model.advance(200_000)
    assert len(model.collisions) == 1
    found = model.collisions[0]
    assert (found.striking, found.struck) == (0, 1)
    assert found.closing_mps == pytest.approx(15.0, abs=0.2)
    assert found.striking_delta_v_mps == pytest.approx(7.5, abs=0.1)
    assert found.struck_delta_v_mps == pytest.approx(7.5, abs=0.1)
    # 0.5 m at 15 m/s take 33 ms.
    assert found.time_us == pytest.approx(33_000, abs=3000)
    assert state.speed_mps.tolist() == pytest.approx([12.5 - 0.6] * 2, abs=0.1)
    assert state.flags.tolist() == [WRECK | KeyEvent.AIR_BAG | KeyEvent.HARD_BRAKING] * 2
    later = model.advance(300_000)
    assert later.acceleration_mps2.tolist() == pytest.approx([-6.0, -6.0])
    assert later.gap_m[0] == pytest.approx(0.0, abs=0.01)


def test_wrecks_stand_in_contact_and_stay(map_of: MapOf) -> None:
    """12.5 m/s at 6 m/s²: 13 m, and there for the rest of the run."""
    model = crash(map_of, CARS)
    for k in range(1, 100):
        state = model.advance(k * 100_000)
        if k > 40:
            model.controls.cacc_mps2[:] = 1.0
    assert state.speed_mps.tolist() == [0.0, 0.0]
    assert (model.vehicles.mode == Mode.STOPPING).all()
    assert state.offset_m[0] == pytest.approx(500.67 + 12.5**2 / 12.0, abs=0.5)
    assert abs(state.offset_m[1] - 5.0 - state.offset_m[0]) < 0.01
    assert len(model.collisions) == 1


def test_a_bump_opens_no_air_bag(map_of: MapOf) -> None:
    model = crash(map_of, CARS, closing_mps=8.0)
    model.advance(100_000)
    flags = model.advance(200_000).flags
    assert (flags & WRECK == WRECK).all()
    assert (flags & KeyEvent.AIR_BAG == 0).all()


def test_a_wreck_is_cleared_if_that_is_asked(map_of: MapOf) -> None:
    model = crash(map_of, CARS, clear_after_s=5.0)
    there = []
    for k in range(1, 70):
        state = model.advance(k * 100_000)
        there.append({0, 1} <= set(state.id.tolist()))
    assert there.index(False) == 50
    assert model.n_given_up == 0
    assert model.n_cleared == 2


def test_conflict_watch_sees_the_contact_with_its_speed(map_of: MapOf) -> None:
    """The surrogate measures find by geometry what the traffic did: contact at 15 m/s."""
    model = crash(map_of, CARS)
    watch = ConflictWatch(
        SafetyParams(),
        model.network.road_map,
        WeatherParams(),
        n_rows=2,
        period_us=100_000,
        block_s=10.0,
    )
    for k in range(1, 60):
        watch.observe(model.advance(k * 100_000))
    conflicts = watch.tables()["conflicts"]
    assert conflicts["collision"].tolist() == [True]
    assert (conflicts["vehicle_id"][0], conflicts["other_id"][0]) == (0, 1)
    assert conflicts["collision_speed_mps"][0] == pytest.approx(15.0, abs=0.1)
    assert conflicts["collision_speed_mps"][0] == pytest.approx(model.collisions[0].closing_mps)


def test_heavier_wins() -> None:
    assert common_speed_mps(1500.0, 20.0, 25_000.0, 0.0) == pytest.approx(1.132, abs=1e-3)
    assert common_speed_mps(25_000.0, 20.0, 1500.0, 0.0) == pytest.approx(18.868, abs=1e-3)
    assert common_speed_mps(25_000.0, 20.0, np.inf, 0.0) == 0.0


@given(st.lists(st.tuples(st.floats(1e3, 5e4), st.floats(0.0, 40.0)), min_size=2, max_size=8))
def test_a_pile_keeps_its_momentum_and_loses_energy(bodies: list[tuple[float, float]]) -> None:
    """Bodies that touch one after the other, the first in front."""
    mass, speed = np.array(bodies).T
    pairs = [(k, k - 1) for k in range(1, len(bodies))]
    after = _speeds_after_impact(pairs, mass, speed)
    new = np.array([after[k] for k in range(len(bodies))])
    assert (mass * new).sum() == pytest.approx((mass * speed).sum(), rel=1e-9, abs=1e-6)
    assert (mass * new**2).sum() <= (mass * speed**2).sum() * (1.0 + 1e-9) + 1e-6
    # Nobody pushes any more.
    assert (np.diff(new) <= 1e-9).all()
    assert new.min() >= speed.min() - 1e-9
    assert new.max() <= speed.max() + 1e-9
