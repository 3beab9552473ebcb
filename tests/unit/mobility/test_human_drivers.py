"""People at the wheel: surprises, reaction times, sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.drivers.params import CrashParams, HumanParams
from v2x.mobility.drivers.sight import bend_sight_m
from v2x.mobility.fleet import FleetState
from v2x.mobility.reaction_time import lognormal_times_s
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import Mix
from v2x.rng import key32
from v2x.world.road_map import RoadMap, Structure
from v2x.world.weather import WeatherParams

MapOf = Callable[..., RoadMap]
Maps = dict[str, MapOf]
CARS = Mix(car=1, truck=0, bus=0)


def traffic(
    road: RoadMap,
    drivers: HumanParams | None,
    seed: int = 1,
    weather: WeatherParams | None = None,
    **params: Any,
) -> RoutedTraffic:
    kind = {} if drivers is None else {"drivers": drivers}
    context = MobilityContext(road, seed, 10**10, ".", weather=weather or WeatherParams(), **kind)
    return RoutedTraffic(RoutedTraffic.Params(**params), context)


def look(model: RoutedTraffic) -> None:
    """Let everybody look around where they have been put."""
    model._kernel.arrange()
    model._look(model.lights.at(0, model._id))


def straight(map_of: MapOf, **options: Any) -> RoadMap:
    given = {"lanes": 1, "limit_mps": 25.0, "road_class": 0} | options
    return map_of([(0, 1, [(0.0, 0.0), (3000.0, 0.0)], given)])


def before_a_wall(
    road: RoadMap, drivers: HumanParams, gap_m: float, mix: Mix = CARS, seed: int = 1
) -> tuple[RoutedTraffic, Callable[[int], FleetState]]:
    """Return a vehicle at 20 m/s behind which another one stands from 0.1 s on."""
    model = traffic(road, drivers, seed, n_vehicles=2, mix=mix, speed_factor_spread=0.0)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[:], vehicles.lane[:], vehicles.cleared[:] = 0, 0, 0
    vehicles.speed_mps[:] = [20.0, 0.0]
    vehicles.offset_m[:] = [500.0, 500.0 + gap_m + float(vehicles.length_m[1])]

    def advance(time_us: int) -> FleetState:
        vehicles.speed_mps[1] = 0.0
        return model.advance(time_us)

    return model, advance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_surprise_is_answered_after_the_reaction_time_drawn(map_of: MapOf, seed: int) -> None:
    """A vehicle that stands 60 m ahead is there all at once."""
    _, advance = before_a_wall(straight(map_of), HumanParams(), 60.0, seed=seed)
    expected_s = float(
        lognormal_times_s(key32(seed, "mobility", "surprise"), [0], [0], 1.31, 0.61)[0]
    )
    hard_us = None
    for k in range(1, 60):
        state = advance(k * 100_000)
        if hard_us is None and state.acceleration_mps2[0] < -3.0 - 1e-9:
            hard_us = k * 100_000
            break
        # Until then it goes on as before, at most gently accelerating or braking.
        assert state.acceleration_mps2[0] > -1.0
    assert hard_us is not None
    # Surprised at 0.1 s; braking is in the state a step after the wish.
    assert hard_us * 1e-6 == pytest.approx(0.1 + expected_s + 0.1, abs=0.1)


def test_who_was_told_reacts_sooner(map_of: MapOf) -> None:
    begin = {}
    for told in (False, True):
        model, advance = before_a_wall(straight(map_of), HumanParams(), 60.0)
        model.controls.alerted[0] = told
        for k in range(1, 60):
            if advance(k * 100_000).acceleration_mps2[0] < -3.1:
                begin[told] = k
                break
    draw = {
        told: float(lognormal_times_s(key32(1, "mobility", "surprise"), [0], [0], *shape)[0])
        for told, shape in ((False, (1.31, 0.61)), (True, (1.0, 0.35)))
    }
    assert begin[False] - begin[True] == pytest.approx(10 * (draw[False] - draw[True]), abs=1.0)


def test_trucks_react_later_by_the_build_up(map_of: MapOf) -> None:
    begin = []
    for mix in (CARS, Mix(car=0, truck=1, bus=0)):
        _, advance = before_a_wall(straight(map_of), HumanParams(), 60.0, mix)
        for k in range(1, 60):
            if advance(k * 100_000).acceleration_mps2[0] < -3.1:
                begin.append(k)
                break
    assert begin[1] - begin[0] == 3


def test_drivers_who_look_away_react_after_looking_back(map_of: MapOf) -> None:
    """Once a second for two seconds: two thirds of the time."""
    often = HumanParams(lapses_per_h=3599.0, lapse_s=2.0)
    begin: dict[HumanParams, list[int]] = {HumanParams(): [], often: []}
    for drivers, steps in begin.items():
        for seed in range(12):
            model, advance = before_a_wall(straight(map_of), drivers, 2000.0, seed=seed)
            for k in range(1, 150):
                if advance(k * 100_000).acceleration_mps2[0] < -3.1:
                    steps.append(k)
                    break
                if k == 30:
                    model.vehicles.offset_m[1] = model.vehicles.offset_m[0] + 65.0
    later = np.array(begin[often]) - np.array(begin[HumanParams()])
    assert (later >= 0).all()
    assert (later > 0).sum() >= 4


def test_routine_is_no_surprise(map_of: MapOf) -> None:
    """Far enough away, nobody has to brake hard, and nobody waits for a reaction time."""
    states = []
    for drivers in (HumanParams(), HumanParams(reaction_s=10.0)):
        _, advance = before_a_wall(straight(map_of), drivers, 400.0)
        states.append([advance(k * 100_000).speed_mps[0] for k in range(1, 300)])
    assert states[0] == states[1]
    assert states[0][-1] < 0.1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("name", "args", "n"),
    [
        ("ring", (1000.0, 3), 150),
        ("on-ramp", (2, 2, 1), 90),
        ("off-ramp", (3, 2, 1), 90),
        ("roundabout", (), 45),
        ("grid", (2, 2, 200.0, 150.0, 2), 120),
        ("junction", (), 30),
    ],
)
def test_people_do_not_crash_without_a_cause(
    maps: Maps, name: str, args: tuple[Any, ...], n: int, seed: int
) -> None:
    """In clear air and without a hazard, for a minute of dense traffic."""
    model = traffic(maps[name](*args), HumanParams(), seed, n_vehicles=n)
    for k in range(600):
        model.advance(k * 100_000)
    assert model.collisions == ()


# Sight -------------------------------------------------------------------------------------


def test_sight_in_bends_is_the_tabulated_one() -> None:
    """Reference 8.1: radius and clearance to sight distance [m]."""
    for radius, clear, sight in ((60, 3, 38), (60, 5, 49), (125, 3, 55), (250, 4, 90)):
        assert round(float(bend_sight_m(np.array([radius]), clear)[0])) == sight
    assert bend_sight_m(np.array([10.0]), np.inf)[0] == pytest.approx(20.0 * np.pi)


@pytest.mark.parametrize(("distance_m", "seen"), [(59.0, True), (61.0, False)])
def test_people_do_not_see_through_fog(map_of: MapOf, distance_m: float, seen: bool) -> None:
    drivers = HumanParams(sight_trust=10.0)
    weather = WeatherParams(visibility_m=60.0)
    model = traffic(straight(map_of), drivers, weather=weather, n_vehicles=2, mix=CARS)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[:], vehicles.lane[:], vehicles.speed_mps[:] = 0, 0, [24.0, 0.0]
    vehicles.offset_m[:] = [500.0, 500.0 + distance_m + 5.0]
    look(model)
    assert (vehicles.leader[0] == 1) == seen


def test_overdriving_sight_is_faster_in_fog_only(map_of: MapOf) -> None:
    fog = WeatherParams(visibility_m=60.0)
    fastest = {}
    for weather in (fog, WeatherParams()):
        for trust in (1.0, 2.0):
            model = traffic(
                straight(map_of), HumanParams(sight_trust=trust), weather=weather, n_vehicles=1
            )
            fastest[weather.visibility_m, trust] = model._kernel.fastest_mps(0, 1.0, 0, 100.0)
    assert fastest[60.0, 2.0] > 1.3 * fastest[60.0, 1.0]
    assert fastest[10_000.0, 2.0] == fastest[10_000.0, 1.0]


def test_sight_ends_behind_the_mouth_of_a_dark_tunnel(map_of: MapOf) -> None:
    options = {"lanes": 1, "limit_mps": 20.0, "road_class": 0}
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (1000.0, 0.0)], options),
            (1, 2, [(1000.0, 0.0), (2000.0, 0.0)], options | {"structure": Structure.TUNNEL}),
        ]
    )
    model = traffic(road, HumanParams(), n_vehicles=1)
    vehicles = model.vehicles
    first = model._book.first[0]
    vehicles.stop[0], vehicles.offset_m[0] = first, 900.0
    look(model)
    assert vehicles.sight_m[0] == pytest.approx(100.0 + 60.0)
    vehicles.stop[0], vehicles.offset_m[0], vehicles.adapting_s[0] = first + 1, 30.0, 3.0
    look(model)
    assert vehicles.sight_m[0] == pytest.approx(60.0)
    vehicles.adapting_s[0] = 0.0
    look(model)
    assert vehicles.sight_m[0] > 1000.0


def test_sight_in_a_long_bend_is_short(maps: Maps) -> None:
    """A ring of 1 km has a radius of 159 m: 72 m with a wall 4 m beside the lane."""
    seen = {}
    for clear_m in (4.0, np.inf):
        model = traffic(maps["ring"](), HumanParams(bend_clear_m=clear_m), n_vehicles=1)
        model.advance(0)
        model.vehicles.offset_m[0] = 100.0
        look(model)
        seen[clear_m] = float(model.vehicles.sight_m[0])
    expected_m = float(bend_sight_m(np.array([1000.0 / (2.0 * np.pi)]), 4.0)[0])
    assert seen[4.0] == pytest.approx(expected_m, rel=0.02)
    assert seen[np.inf] > 1000.0


def test_before_a_bend_one_sees_its_beginning(map_of: MapOf) -> None:
    """200 m straight, then a quarter of a circle of 100 m: 57 m beyond its beginning."""
    angle = np.linspace(0.0, np.pi / 2.0, 19)
    arc = [(200.0 + 100.0 * np.sin(a), 100.0 - 100.0 * np.cos(a)) for a in angle]
    line = [(0.0, 0.0), *arc, (300.0, 400.0)]
    road = map_of([(0, 1, line, {"lanes": 1, "limit_mps": 14.0, "road_class": 0})])
    model = traffic(road, HumanParams(), n_vehicles=1)
    model.advance(0)
    for offset_m, ahead_m in ((50.0, 150.0), (150.0, 50.0), (250.0, 0.0)):
        model.vehicles.stop[0], model.vehicles.offset_m[0] = 0, offset_m
        look(model)
        expected_m = ahead_m + float(bend_sight_m(np.array([100.0]), 4.0)[0])
        assert model.vehicles.sight_m[0] == pytest.approx(expected_m, abs=5.0), offset_m
    # Near its end one sees out of it.
    model.vehicles.offset_m[0] = 340.0
    look(model)
    assert model.vehicles.sight_m[0] > 1000.0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("surprise_mps2", 0.1),
        ("reaction_s", 0.0),
        ("sight_trust", 0.9),
        ("bend_clear_m", 0.0),
        ("lapses_per_h", -1.0),
    ],
)
def test_impossible_drivers_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        HumanParams(**{name: value})


def test_impossible_crashes_are_refused() -> None:
    for name, value in (("deceleration_mps2", 0.1), ("airbag_delta_v_mps", 0.0)):
        with pytest.raises(ValueError, match=name):
            CrashParams(**{name: value})
    with pytest.raises(ValueError, match="clear_after_s"):
        CrashParams(clear_after_s=0.0)
