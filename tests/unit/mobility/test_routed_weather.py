"""What weather, slopes, bends and hot brakes make of traffic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.driver import EyesParams
from v2x.mobility.dynamics import (
    BrakeParams,
    EngineParams,
    available_braking_mps2,
    crawl_speed_mps,
    retarding_power_w,
    sight_speed_mps,
    steady_brake_temperature_c,
)
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.routed import RoutedParams, RoutedTraffic
from v2x.mobility.vehicle_classes import TRUCK, Mix, VehicleClasses
from v2x.world import synthetic
from v2x.world.road_map import RoadMap, Structure
from v2x.world.weather import WeatherParams

MapOf = Callable[..., RoadMap]
CARS, TRUCKS = Mix(car=1, truck=0, bus=0), Mix(car=0, truck=1, bus=0)
TUNNEL = {"structure": int(Structure.TUNNEL)}


def traffic(
    road: RoadMap, weather: WeatherParams | None = None, seed: int = 1, **params: Any
) -> RoutedTraffic:
    context = MobilityContext(road, seed, 10**10, ".", weather=weather or WeatherParams())
    return RoutedTraffic(RoutedParams(**({"speed_factor_spread": 0.0} | params)), context)


def put(model: RoutedTraffic, offset_m: float, speed_mps: float, edge: int = 0) -> None:
    """Start the only vehicle anew on an edge."""
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[0] = int(np.flatnonzero(model._book.edge == edge)[0])
    vehicles.offset_m[0], vehicles.speed_mps[0] = offset_m, speed_mps
    vehicles.lane[0] = vehicles.cleared[0] = 0
    model._kernel.arrange()
    model._kernel.look(0, model.lights.control.green)


def slope(
    map_of: MapOf, grade: float, length_m: float = 6000.0, limit_mps: float = 25.0
) -> RoadMap:
    run = length_m / math.hypot(1.0, grade)
    line = [(0.0, 0.0, 0.0), (run, 0.0, grade * run)]
    return map_of([(0, 1, line, {"limit_mps": limit_mps})])


def local_braking_mps2(model: RoutedTraffic) -> Any:
    """Return what the brakes of everybody can do where it is, from the map [m/s²]."""
    vehicles, road = model.vehicles, model.network.road_map
    found = np.zeros(vehicles.n_rows)
    for row in np.flatnonzero(vehicles.stop >= 0).tolist():
        edge = int(model._book.edge[vehicles.stop[row]])
        at = slice(int(road.first_point[edge]), int(road.first_point[edge + 1]))
        k = int(np.searchsorted(road.point_offset_m[at], vehicles.offset_m[row], "right")) - 1
        k = min(k, at.stop - at.start - 2)
        x, y, z = (values[at] for values in (road.point_x_m, road.point_y_m, road.point_z_m))
        grade = (z[k + 1] - z[k]) / math.hypot(x[k + 1] - x[k], y[k + 1] - y[k])
        grip = float(model.conditions.edge_grip[edge])
        emergency = (8.0, 5.0, 5.0)[int(vehicles.kind[row])]
        found[row] = available_braking_mps2(emergency, grade, grip)
    return found


# Slopes ------------------------------------------------------------------------------------


def test_a_truck_slows_to_its_crawl_speed_on_6_percent(map_of: MapOf) -> None:
    """25 t with 260 kW: 47 km/h as tabulated; it loses half of its speed within a kilometre."""
    model = traffic(slope(map_of, 0.06), n_vehicles=1, mix=TRUCKS)
    put(model, 20.0, 25.0)
    speed = [float(model.advance(k * 100_000).speed_mps[0]) for k in range(1, 1500)]
    assert speed[-1] * 3.6 == pytest.approx(47.0, abs=0.5)
    assert speed[-1] == pytest.approx(crawl_speed_mps(0.06, TRUCK.engine), rel=1e-3)
    assert (np.diff(speed) <= 1e-9).all()
    assert model.vehicles.offset_m[0] < 2500.0
    assert np.interp(-16.0, -np.array(speed), np.arange(1499.0)) * 0.1 == pytest.approx(40, abs=15)


def test_a_heavy_truck_crawls(map_of: MapOf) -> None:
    """49 t with 300 kW climb 6 % at 28 km/h, as tabulated."""
    engine = EngineParams(power_w=300e3, mass_kg=49e3, drag_area_m2=6.0, driven_share=0.4)
    classes = VehicleClasses(truck=replace(TRUCK, engine=engine))
    model = traffic(slope(map_of, 0.06), n_vehicles=1, mix=TRUCKS, classes=classes)
    put(model, 20.0, 22.0)
    for k in range(1, 1500):
        state = model.advance(k * 100_000)
    assert 3.6 * state.speed_mps[0] == pytest.approx(28.0, abs=0.5)


def test_nobody_climbs_ice(map_of: MapOf) -> None:
    """Friction 0.1 on 60 % of the weight pulls less than 8 % takes; the car comes to a stand."""
    model = traffic(slope(map_of, 0.08), WeatherParams(road="ice"), n_vehicles=1, mix=CARS)
    put(model, 20.0, 6.0)
    for k in range(1, 400):
        state = model.advance(k * 100_000)
    assert state.speed_mps[0] == 0.0
    assert state.offset_m[0] < 200.0


# Stopping ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("road", "friction", "grade"),
    [("dry", 0.75, 0.0), ("wet", 0.45, 0.0), ("wet", 0.45, -0.06), ("ice", 0.10, 0.0)],
)
def test_an_emergency_stop_takes_the_braking_distance(
    map_of: MapOf, road: str, friction: float, grade: float
) -> None:
    """v²/(2 b) with b = 8 μ/0.75 + g i, and not a metre less is enough."""
    braking = 8.0 * friction / 0.75 + 9.81 * grade
    model = traffic(slope(map_of, grade), WeatherParams(road=road), n_vehicles=2, mix=CARS)
    model.advance(0)
    vehicles, speed = model.vehicles, 12.0
    way_m = speed**2 / (2.0 * braking)
    wall_m = 100.0 + way_m + 0.3 + 5.0
    vehicles.stop[:], vehicles.lane[:] = 0, 0
    vehicles.offset_m[:], vehicles.speed_mps[:] = [100.0, wall_m], [speed, 0.0]
    model._kernel.arrange()
    model._kernel.look(0, model.lights.control.green)
    assert vehicles.stopping_m[0] == pytest.approx(way_m)
    k = 0
    while vehicles.speed_mps[0] > 0.0:
        k += 1
        state = model.advance(k * 100_000)
        vehicles.offset_m[1], vehicles.speed_mps[1] = wall_m, 0.0
        assert state.acceleration_mps2[0] >= -braking - 1e-6
    assert state.offset_m[0] == pytest.approx(100.0 + way_m, abs=0.05)
    assert 0.1 * k == pytest.approx(speed / braking, abs=0.15)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("road", ["dry", "wet", "ice"])
def test_slippery_hills_are_possible(
    map_of: MapOf, auditor: type[Any], road: str, seed: int
) -> None:
    """Ups, downs, a tunnel and a merge: nobody overlaps or brakes harder than tyres can."""
    wide, ramp = {"lanes": 2, "limit_mps": 22.0}, {"limit_mps": 12.0, "road_class": 1}
    x = np.linspace(-900.0, 0.0, 19)
    hills = [(float(a), 0.0, 6.0 * math.sin(a / 70.0)) for a in x]
    hills[-1] = (0.0, 0.0, 0.0)
    model = traffic(
        map_of(
            [
                (0, 1, hills, wide),
                (2, 1, [(-300.0, -60.0, 15.0), (-60.0, -6.0, 3.0), (0.0, 0.0, 0.0)], ramp),
                (1, 3, [(0.0, 0.0, 0.0), (250.0, 0.0, -10.0)], wide),
                (3, 4, [(250.0, 0.0, -10.0), (500.0, 0.0, -12.0)], wide | TUNNEL),
                (4, 5, [(500.0, 0.0, -12.0), (900.0, 0.0, 4.0)], wide),
            ]
        ),
        WeatherParams(road=road, visibility_m=300.0),
        seed,
        n_vehicles=45,
        speed_factor_spread=0.1,
    )
    audit = auditor(model)
    last, ids = local_braking_mps2(model), None
    for k in range(500):
        state = model.advance(k * 100_000)
        audit.look(state)
        here = local_braking_mps2(model)
        stayed = state.active if ids is None else state.active & (state.id == ids)
        excess = -state.acceleration_mps2 - np.maximum(here, last)
        assert (excess[stayed] <= 1e-6).all()
        last, ids = here, state.id
    assert model.n_given_up == 0
    assert model.n_arrived > (15 if road != "ice" else 3)


def test_equilibrium_is_that_of_a_dry_road() -> None:
    """Braking has no part in it: a wet ring keeps the speed and the gaps of a dry one."""
    ring = synthetic.highway(1000.0, lanes_per_direction=1, directions=1, limit_mps=25.0, wrap=True)
    states = []
    for road in ("dry", "wet"):
        model = traffic(ring, WeatherParams(road=road), n_vehicles=30, mix=CARS, spacing="uniform")
        for k in range(300):
            state = model.advance(k * 100_000)
        states.append(state)
    assert states[1].speed_mps == pytest.approx(states[0].speed_mps, abs=1e-6)
    assert states[1].gap_m == pytest.approx(states[0].gap_m, abs=1e-6)


# Eyes --------------------------------------------------------------------------------------


def test_nobody_outdrives_the_fog(map_of: MapOf) -> None:
    """50 m of sight: 52 km/h in a car, 47 in a truck, also for those who come out of a tunnel."""
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (600.0, 0.0)], {"lanes": 2, "limit_mps": 30.0} | TUNNEL),
            (1, 2, [(600.0, 0.0), (1600.0, 0.0)], {"lanes": 2, "limit_mps": 30.0}),
        ]
    )
    weather = WeatherParams(visibility_m=50.0)
    model = traffic(road, weather, n_vehicles=30, speed_factor_spread=0.2)
    by_kind = sight_speed_mps(50.0, 2.5, np.array([0.75 * 9.81, 5.0, 5.0]))
    assert (3.6 * by_kind).round(1).tolist() == [51.8, 47.2, 47.2]
    fastest_inside = np.zeros(3)
    fastest = np.zeros(3)
    for k in range(900):
        state = model.advance(k * 100_000)
        outside = state.edge == 1
        assert (state.speed_mps <= by_kind[state.kind] + 1e-9)[outside].all()
        assert (state.gap_m[outside & (state.leader >= 0)] <= 50.0 + 13.0).all()
        for kind in NodeKind.CAR, NodeKind.TRUCK:
            rows = state.kind == kind
            fastest[kind] = max(fastest[kind], state.speed_mps[rows & outside].max(initial=0.0))
            inside = state.speed_mps[rows & (state.edge == 0)].max(initial=0.0)
            fastest_inside[kind] = max(fastest_inside[kind], inside)
    assert fastest[:2] == pytest.approx(by_kind[:2], rel=0.02)
    assert (fastest_inside[:2] > by_kind[:2] + 5.0).all()


def test_fog_makes_drivers_keep_longer_gaps() -> None:
    """0.5 s are added to the time gap, 2 s instead of 1.5, at a speed below that of sight."""
    ring = synthetic.highway(1000.0, lanes_per_direction=1, directions=1, limit_mps=25.0, wrap=True)
    speed = []
    for visibility_m in (10_000.0, 150.0):
        weather = WeatherParams(visibility_m=visibility_m)
        model = traffic(ring, weather, n_vehicles=40, mix=CARS, spacing="uniform")
        for k in range(900):
            state = model.advance(k * 100_000)
        speed.append(float(state.speed_mps.mean()))
    # 20 m of gap are s0 + v T to within a percent at these speeds.
    assert speed == pytest.approx([(20 - 2) / 1.5, (20 - 2) / 2.0], rel=0.05)


def test_the_mouth_of_a_tunnel_slows_down_for_six_seconds(map_of: MapOf) -> None:
    fast = {"limit_mps": 25.0}
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (600.0, 0.0)], fast),
            (1, 2, [(600.0, 0.0), (1600.0, 0.0)], fast | TUNNEL),
            (2, 3, [(1600.0, 0.0), (2200.0, 0.0)], fast),
        ]
    )
    mouth = float(sight_speed_mps(60.0, 1.75, 0.75 * 9.81))
    for eyes, slow in ((EyesParams(), True), (EyesParams(portal_shortest_m=math.inf), False)):
        model = traffic(road, n_vehicles=1, mix=CARS, eyes=eyes)
        put(model, 100.0, 25.0)
        entered: float | None = None
        late = 0
        for k in range(1, 800):
            state = model.advance(k * 100_000)
            if state.edge[0] != 0 and entered is None:
                entered = float(state.speed_mps[0])
            late += bool(model.vehicles.delay_s[0] > 0.0)
            assert state.acceleration_mps2[0] > -1.6
            if state.edge[0] == 2:
                break
        assert state.speed_mps[0] > 24.0
        assert entered == pytest.approx(mouth if slow else 25.0, rel=0.02)
        assert late == (60 if slow else 0)


# Bends -------------------------------------------------------------------------------------


def hairpin(map_of: MapOf, radius_m: float, grade: float = 0.0) -> tuple[RoadMap, float]:
    """Return a road that turns back by an arc, and where the middle of the arc lies."""
    angle = np.linspace(-math.pi / 2, math.pi / 2, max(9, round(radius_m)))
    plan = [(0.0, 0.0)]
    plan += [(300 + radius_m * math.cos(a), radius_m * (1 + math.sin(a))) for a in angle.tolist()]
    plan += [(0.0, 2.0 * radius_m)]
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(np.array(plan), axis=0).T))])
    line = [(x, y, grade * s) for (x, y), s in zip(plan, way.tolist(), strict=True)]
    road = map_of([(0, 1, line, {"limit_mps": 16.7})])
    return road, 300.0 + 0.5 * math.pi * radius_m


@pytest.mark.parametrize("radius_m", [15.0, 30.0, 60.0])
def test_vehicles_slow_down_for_a_hairpin(map_of: MapOf, radius_m: float) -> None:
    """v² = R g (0.15 + 0.06) in the arc; gently before it, and off again after it."""
    road, middle_m = hairpin(map_of, radius_m)
    model = traffic(road, n_vehicles=1, mix=CARS)
    put(model, 20.0, 16.0)
    speed, offset = [16.0], [20.0]
    for k in range(1, 900):
        state = model.advance(k * 100_000)
        if state.id[0] != 0:
            break
        speed.append(float(state.speed_mps[0]))
        offset.append(float(state.offset_m[0]))
        assert state.acceleration_mps2[0] > -1.6
    bend = min(math.sqrt(radius_m * 9.81 * 0.21), 16.7)
    assert np.interp(middle_m, offset, speed) == pytest.approx(bend, rel=0.08)
    assert np.interp(100.0, offset, speed) > 15.0
    assert speed[-1] > 14.0


def test_a_wet_hairpin_is_taken_as_on_ice_only_by_ice(map_of: MapOf) -> None:
    """Wet roads still carry 0.15; ice carries half of 0.1."""
    road, middle_m = hairpin(map_of, 30.0)
    taken = {}
    for state_of_road in ("wet", "ice"):
        model = traffic(road, WeatherParams(road=state_of_road), n_vehicles=1, mix=CARS)
        put(model, 20.0, 5.0)
        for k in range(1, 900):
            state = model.advance(k * 100_000)
            if state.offset_m[0] > middle_m or state.id[0] != 0:
                break
        taken[state_of_road] = float(state.speed_mps[0])
    assert taken["wet"] == pytest.approx(math.sqrt(30.0 * 9.81 * 0.21), rel=0.08)
    assert taken["ice"] == pytest.approx(math.sqrt(30.0 * 9.81 * 0.11), rel=0.08)


# Hot brakes --------------------------------------------------------------------------------


def test_drums_heat_up_on_a_long_descent(map_of: MapOf) -> None:
    """49 t at 60 km/h down 4 % without a retarder: 256 K with a time constant of 414 s."""
    engine = EngineParams(power_w=300e3, mass_kg=49e3, drag_area_m2=6.0)
    road = slope(map_of, -0.04, 20_000.0, 60 / 3.6)
    temperature = {}
    for retarder_w in (0.0, 150e3):
        brakes = BrakeParams(heat_capacity_j_per_k=4e5, retarder_w=retarder_w)
        classes = VehicleClasses(truck=replace(TRUCK, engine=engine, brakes=brakes))
        model = traffic(road, n_vehicles=1, mix=TRUCKS, classes=classes)
        put(model, 50.0, 60 / 3.6)
        for k in range(1, 3000):
            state = model.advance(k * 100_000)
        assert state.speed_mps[0] == pytest.approx(60 / 3.6)
        temperature[retarder_w] = float(model.brake_temperature_c[0])
        power = float(retarding_power_w(60 / 3.6, -0.04, engine))
        steady = steady_brake_temperature_c(power, 60 / 3.6, brakes)
        rise = 1.0 - math.exp(-299.9 * (300.0 + 40.0 * 60 / 3.6) / 4e5)
        assert temperature[retarder_w] == pytest.approx(20.0 + (steady - 20.0) * rise, rel=2e-3)
    assert temperature[0.0] > temperature[150e3] + 50.0


def test_hot_brakes_fade_and_cool_down(map_of: MapOf) -> None:
    """At 400 °C 30 % is left: the way to a stop is 3.3 times as long."""
    model = traffic(slope(map_of, 0.0), n_vehicles=1, mix=TRUCKS)
    put(model, 50.0, 20.0)
    vehicles = model.vehicles
    assert vehicles.stopping_m[0] == pytest.approx(40.0)
    vehicles.brake_rise_k[0] = 380.0
    model._kernel.arrange()
    assert vehicles.stopping_m[0] == pytest.approx(20.0**2 / (2 * 0.3 * 5.0))
    assert vehicles.ease_mps2[0] == pytest.approx(0.5 * 0.3 * 5.0)
    for k in range(1, 600):
        model.advance(k * 100_000)
    assert 20.0 < model.brake_temperature_c[0] < 400.0


def test_cars_stay_cold_and_newcomers_begin_cold(map_of: MapOf) -> None:
    model = traffic(slope(map_of, -0.08, 700.0), n_vehicles=8, mix=Mix(car=1, truck=1, bus=0))
    model.advance(0)
    heavy = model.vehicles.kind == NodeKind.TRUCK
    seen: dict[int, float] = {}
    hottest = 0.0
    for k in range(1, 900):
        state = model.advance(k * 100_000)
        celsius = model.brake_temperature_c
        assert np.array_equal(np.isnan(celsius), ~state.active)
        for row in np.flatnonzero(state.active).tolist():
            seen.setdefault(int(state.id[row]), float(celsius[row]))
        assert (celsius[~heavy & state.active] == 20.0).all()
        hottest = max(hottest, float(celsius[heavy & state.active].max(initial=0.0)))
    assert hottest > 21.0
    born = {celsius for ident, celsius in seen.items() if ident >= model.n_rows}
    assert len(seen) > 20
    assert born == {20.0}


# Reproducibility ---------------------------------------------------------------------------


def test_weather_that_changes_nothing_changes_nothing(map_of: MapOf) -> None:
    """The default weather, and one that says the same, give the same bytes; rain does not."""

    def last(weather: WeatherParams | None) -> FleetState:
        model = traffic(slope(map_of, -0.05), weather, 3, n_vehicles=40, speed_factor_spread=0.1)
        for k in range(200):
            state = model.advance(k * 100_000)
        return state

    plain = last(None)
    for weather, same in (
        (WeatherParams(road="dry", friction=0.75), True),
        (WeatherParams(rain_mm_h=20.0), False),
    ):
        other = last(weather)
        equal = [
            np.array_equal(getattr(plain, name), getattr(other, name))
            for name in ("x_m", "speed_mps", "lane", "gap_m")
        ]
        assert all(equal) == same
