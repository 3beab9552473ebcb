"""What goes wrong on the road: where, when, and what traffic makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.dynamics import runaway
from v2x.mobility.fleet import FleetState, KeyEvent, NodeKind
from v2x.mobility.hazards.params import (
    HAZARDS,
    BrakeFailureParams,
    ClosedRoadParams,
    FogBankParams,
    HazardParams,
    RockfallParams,
    SlipperyParams,
    SlowVehicleParams,
    StoppedVehicleParams,
)
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.vehicle_classes import TRUCK, Mix
from v2x.mobility.vehicles import Mode
from v2x.world.road_map import RoadMap, Structure

MapOf = Callable[..., RoadMap]
CARS = Mix(car=1, truck=0, bus=0)
TRUCKS = Mix(car=0, truck=1, bus=0)


def traffic(road: RoadMap, hazard: HazardParams, n: int = 20, **params: Any) -> RoutedTraffic:
    context = MobilityContext(road, 1, 10**10, ".", hazard=hazard)
    return RoutedTraffic(RoutedTraffic.Params(n_vehicles=n, **params), context)


def steps(model: RoutedTraffic, until_s: float, begin_s: float = 0.0) -> Iterator[FleetState]:
    """Move a model on, state by state."""
    for k in range(round(begin_s * 10), round(until_s * 10) + 1):
        yield model.advance(k * 100_000)


def run(model: RoutedTraffic, until_s: float, begin_s: float = 0.0) -> list[FleetState]:
    return list(steps(model, until_s, begin_s))


def straight(map_of: MapOf, grade: float = 0.0, lanes: int = 2, pieces: int = 3) -> RoadMap:
    """Return a road of some kilometres, the second of which is a tunnel."""
    options = {"lanes": lanes, "limit_mps": 22.0, "road_class": 0}
    return map_of(
        [
            (
                k,
                k + 1,
                [(x, 0.0, x * grade) for x in (1000.0 * k, 1000.0 * (k + 1))],
                options | ({"structure": Structure.TUNNEL} if k == 1 else {}),
            )
            for k in range(pieces)
        ]
    )


# Where -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "edge", "offset_m", "lane"),
    [
        ({"structure": "tunnel", "into_m": 300.0, "lane": 1}, 1, 300.0, 1),
        ({"structure": "tunnel"}, 1, 500.0, 0),
        ({"structure": "tunnel", "into_m": 5000.0}, 1, 1000.0, 0),
        ({"structure": "road", "into_m": 10.0, "lane": 9}, 0, 10.0, 1),
        # To the left of the middle of two lanes of 3.5 m each lies the left one.
        ({"x_m": 2400.0, "y_m": 1.9}, 2, 400.0, 1),
        ({"x_m": 2400.0, "y_m": -1.9}, 2, 400.0, 0),
    ],
)
def test_a_place_is_found(
    map_of: MapOf, place: dict[str, Any], edge: int, offset_m: float, lane: int
) -> None:
    model = traffic(straight(map_of), StoppedVehicleParams(**place))
    assert model.hazard is not None
    found = model.hazard.place
    assert (found.edge, found.lane) == (edge, lane)
    assert found.offset_m == pytest.approx(offset_m)


def test_the_tightest_bend_is_found(maps: dict[str, MapOf]) -> None:
    model = traffic(maps["off-ramp"](), StoppedVehicleParams(structure="bend"))
    assert model.hazard is not None
    assert model.hazard.place.edge == 2


@pytest.mark.parametrize("place", [{"structure": "bridge"}, {"x_m": 0.0, "y_m": 900.0}])
def test_a_place_without_traffic_is_refused(map_of: MapOf, place: dict[str, Any]) -> None:
    with pytest.raises(V2XError, match=r"no traffic|no lane"):
        traffic(straight(map_of), StoppedVehicleParams(**place))


# Vehicles ----------------------------------------------------------------------------------


def test_a_vehicle_stops_at_its_place_and_warns(map_of: MapOf) -> None:
    hazard = StoppedVehicleParams(structure="tunnel", into_m=500.0, from_s=5.0, until_s=100.0)
    model = traffic(straight(map_of), hazard)
    states = run(model, 90.0)
    assert model.hazard is not None
    (known,) = model.hazard.known(90_000_000)
    assert (known.kind, known.edge, known.lane) == ("stopped-vehicle", 1, 0)
    assert known.x_m == pytest.approx(1500.0, abs=5.0)
    assert 5_000_000 <= known.from_us < 90_000_000
    last = states[-1]
    stands = np.flatnonzero(last.flags & KeyEvent.DISABLED_VEHICLE)
    assert len(stands) == 1
    row = stands[0]
    assert last.flags[row] == KeyEvent.DISABLED_VEHICLE | KeyEvent.HAZARD_LIGHTS
    assert (last.edge[row], last.lane[row], last.speed_mps[row]) == (1, 0, 0.0)
    # It braked as it was told, and nobody ran into it.
    assert min(state.acceleration_mps2[row] for state in states) == pytest.approx(-2.0)
    assert model.collisions == ()
    after = run(model, 130.0, 90.1)[-1]
    assert model.hazard.known(130_000_000) == []
    assert not (after.flags & KeyEvent.DISABLED_VEHICLE).any()


def test_a_vehicle_of_a_kind_stops(map_of: MapOf) -> None:
    hazard = StoppedVehicleParams(structure="tunnel", kind="truck")
    model = traffic(straight(map_of), hazard, mix=Mix(car=3, truck=1, bus=0))
    last = run(model, 120.0)[-1]
    assert last.kind[last.flags & KeyEvent.DISABLED_VEHICLE != 0].tolist() == [NodeKind.TRUCK]


def test_a_slow_vehicle_stays_slow(map_of: MapOf) -> None:
    hazard = SlowVehicleParams(structure="tunnel", into_m=0.0, kind="car", speed_mps=6.0)
    model = traffic(straight(map_of), hazard, n=10, mix=CARS)
    slow = []
    for state in steps(model, 120.0):
        # Reactions begin every tick by releasing what they asked.
        model.controls.release()
        assert model.hazard is not None
        if model.hazard.since_us is not None and state.time_us > model.hazard.since_us + 20e6:
            slow.append(float(state.speed_mps[model.hazard.row]))  # type: ignore[attr-defined]
    assert len(slow) > 100
    assert max(slow) == pytest.approx(6.0, abs=0.1)


def test_brakes_that_fail_let_a_truck_run_away(map_of: MapOf) -> None:
    """Down 5 % it gains speed as the closed form of reference 6.4 says."""
    hazard = BrakeFailureParams(structure="road", into_m=200.0)
    model = traffic(straight(map_of, grade=-0.05, pieces=1), hazard, n=1, mix=TRUCKS)
    model.advance(0)
    vehicles = model.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 195.0, 14.0
    at: dict[str, tuple[float, float]] = {}
    for k in range(1, 400):
        state = model.advance(k * 100_000)
        if vehicles.mode[0] == Mode.BRAKELESS and state.id[0] == 0:
            at.setdefault("begin", (float(state.offset_m[0]), float(state.speed_mps[0])))
            at["end"] = (float(state.offset_m[0]), float(state.speed_mps[0]))
    way = at["end"][0] - at["begin"][0]
    assert way > 500.0
    # Along the road the slope is 5 % of the way in plan.
    expected, _ = runaway(at["begin"][1], -0.05, TRUCK.engine, way)
    assert at["end"][1] == pytest.approx(expected, rel=0.01)


def test_hot_brakes_fail_wherever_the_truck_is(map_of: MapOf) -> None:
    hazard = BrakeFailureParams(structure="road", temperature_c=350.0)
    model = traffic(straight(map_of, grade=-0.01), hazard, n=3, mix=TRUCKS)
    run(model, 2.0)
    assert model.hazard is not None
    assert model.hazard.since_us is None
    model.vehicles.brake_rise_k[1] = 340.0
    run(model, 2.5, 2.1)
    assert model.hazard.since_us is not None
    assert model.vehicles.mode.tolist() == [Mode.DRIVEN, Mode.BRAKELESS, Mode.DRIVEN]


# Obstacles ---------------------------------------------------------------------------------


def test_rocks_bar_a_lane_and_are_no_road_users(map_of: MapOf) -> None:
    hazard = RockfallParams(structure="tunnel", into_m=500.0, from_s=10.0, until_s=80.0)
    model = traffic(straight(map_of), hazard, n=30)
    assert model.n_rows == 30
    passed_lanes = set()
    for state in steps(model, 79.0):
        assert state.n_rows == 30
        assert (state.leader < 30).all()
        on = state.active & (state.edge == 1)
        near = on & (state.offset_m > 497.0) & (state.offset_m - state.length_m < 503.0)
        assert model.hazard is not None
        if model.hazard.since_us is not None and state.time_us > model.hazard.since_us:
            passed_lanes |= set(state.lane[near].tolist())
            in_lane = near & (state.lane == 0) & (model.vehicles.from_side[:30] == 0)
            # Before the rocks, or beyond them.
            assert not (in_lane & (state.offset_m > 500.0 + 1e-6)).any()
    assert 1 in passed_lanes
    assert [known.lane for known in model.hazard.known(0)] == [0]
    assert model.collisions == ()
    run(model, 85.0, 79.1)
    assert model.hazard.known(0) == []


def test_rocks_on_all_lanes_stop_everybody(map_of: MapOf) -> None:
    hazard = RockfallParams(structure="tunnel", into_m=500.0, from_s=5.0, n_lanes=5)
    model = traffic(straight(map_of), hazard, n=30)
    last = run(model, 120.0)[-1]
    assert model.hazard is not None
    assert [known.lane for known in model.hazard.known(0)] == [0, 1]
    behind = (last.edge == 0) | ((last.edge == 1) & (last.offset_m <= 500.0))
    assert (last.speed_mps[last.active & behind] < 10.0).sum() > 5
    assert model.collisions == ()
    assert model.n_given_up == 0


def test_a_closed_road_is_gone_round_where_there_is_a_way(map_of: MapOf) -> None:
    """Two ways from 1 to 2: the short one is closed, and those who see it take the long one."""
    options = {"lanes": 1, "limit_mps": 15.0}
    road = map_of(
        [
            (0, 1, [(-800.0, 0.0), (0.0, 0.0)], options),
            (1, 2, [(0.0, 0.0), (600.0, 0.0)], options),
            (1, 2, [(0.0, 0.0), (300.0, -200.0), (600.0, 0.0)], options),
            (2, 3, [(600.0, 0.0), (1200.0, 0.0)], options),
        ]
    )
    hazard = ClosedRoadParams(x_m=300.0, y_m=0.0, from_s=20.0, notice_m=200.0)
    model = traffic(road, hazard, n=12, mix=CARS)
    before, after = set(), set()
    for state in steps(model, 240.0):
        assert model.hazard is not None
        late = model.hazard.since_us is not None and state.time_us > model.hazard.since_us + 60e6
        (after if late else before).update(state.edge[state.active].tolist())
    assert model.hazard.since_us is not None
    assert before == {0, 1, 3} or before == {0, 1, 2, 3}
    assert after == {0, 2, 3}
    assert model.collisions == ()


def test_a_closed_road_without_another_way_is_queued_for(map_of: MapOf) -> None:
    hazard = ClosedRoadParams(structure="tunnel", from_s=10.0)
    model = traffic(straight(map_of), hazard, n=30)
    last = run(model, 150.0)[-1]
    assert not (last.edge == 1).any()
    assert (last.speed_mps[last.edge == 0] < 1.0).sum() > 5
    assert model.collisions == ()


# The road itself ---------------------------------------------------------------------------


def test_a_slippery_stretch_is_slippery_for_its_time(map_of: MapOf) -> None:
    hazard = SlipperyParams(
        x_m=100.0, y_m=0.0, friction=0.15, length_m=950.0, from_s=5.0, until_s=10.0
    )
    model = traffic(straight(map_of), hazard)
    grips = {}
    for state in steps(model, 11.0):
        grips[state.time_us] = model.conditions.edge_grip.tolist()
    assert grips[4_000_000] == grips[10_500_000] == [1.0, 1.0, 1.0]
    # The next edge begins 900 m on, the last one 1900 m.
    assert grips[6_000_000] == pytest.approx([0.2, 0.2, 1.0])


def test_brakes_hold_less_where_it_is_slippery(map_of: MapOf) -> None:
    hazard = SlipperyParams(structure="road", friction=0.15, length_m=1.0)
    model = traffic(straight(map_of), hazard, n=1, mix=CARS)
    run(model, 1.0)
    vehicles = model.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 200.0, 20.0
    model.controls.ceiling_mps2[0] = -9.0
    run(model, 1.2, 1.1)
    state = model.advance(1_300_000)
    assert state.acceleration_mps2[0] == pytest.approx(-8.0 * 0.2)
    assert state.flags[0] == KeyEvent.ABS


def test_skidding_in_a_bend_is_told(maps: dict[str, MapOf]) -> None:
    """159 m of radius: 15 m/s ask for 1.41 m/s²; with μ 0.05 there are 1.08, dry 7.9."""
    flags = {}
    for friction in (0.05, 0.75):
        hazard = SlipperyParams(structure="road", friction=friction, length_m=1e4)
        model = traffic(maps["ring"](), hazard, n=1, mix=CARS)
        run(model, 0.5)
        model.vehicles.speed_mps[0], model.vehicles.offset_m[0] = 15.0, 100.0
        flags[friction] = int(model.advance(600_000).flags[0])
    assert flags[0.05] & KeyEvent.STABILITY_CONTROL
    assert not flags[0.75] & KeyEvent.STABILITY_CONTROL


def test_fog_shortens_sight_and_slows_within_its_disc(map_of: MapOf) -> None:
    """500 m around 3000 m: those inside see 50 m, those before it as far into it."""
    options = {"lanes": 1, "limit_mps": 25.0, "road_class": 0}
    road = map_of([(0, 1, [(0.0, 0.0), (5000.0, 0.0)], options)])
    hazard = FogBankParams(x_m=3000.0, y_m=0.0, visibility_m=50.0, radius_m=500.0)
    model = traffic(road, hazard, n=1, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    vehicles = model.vehicles
    for offset_m, sight_m in ((1000.0, 1550.0), (2400.0, 150.0), (2900.0, 50.0)):
        vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, offset_m, 5.0
        model._kernel.arrange()
        model._look(model.lights.at(0, model._id))
        assert vehicles.sight_m[0] == pytest.approx(sight_m, abs=1.0)
    vehicles.offset_m[0] = 3600.0
    model._kernel.arrange()
    model._look(model.lights.at(0, model._id))
    assert vehicles.sight_m[0] > 5000.0
    # Sight of 50 m on a dry road: 51 km/h (reference 5.4), with a reaction time of 2.5 s.
    fastest = [model._kernel.fastest_mps(0, 1.0, 0, x) * 3.6 for x in (1000.0, 3000.0, 3600.0)]
    assert fastest == pytest.approx([90.0, 51.0, 90.0], abs=1.0)


def test_fog_comes_up_and_goes_away(map_of: MapOf) -> None:
    options = {"lanes": 1, "limit_mps": 25.0, "road_class": 0}
    road = map_of(
        [(k, k + 1, [(2500.0 * k, 0.0), (2500.0 * (k + 1), 0.0)], options) for k in range(2)]
    )
    hazard = FogBankParams(
        x_m=2700.0, y_m=0.0, visibility_m=50.0, radius_m=300.0, from_s=5.0, until_s=40.0
    )
    model = traffic(road, hazard, n=1, mix=CARS)
    speed, hold = {}, {}
    for state in steps(model, 62.0):
        t = state.time_us / 1e6
        speed[t] = model._kernel.fastest_mps(0, 1.0, 0, 2450.0)
        hold[t] = float(model._book.hold_mps[0])
        assert model.hazard is not None
    assert speed[4.0] == speed[61.0] == pytest.approx(25.0)
    assert speed[30.0] * 3.6 == pytest.approx(51.0, abs=1.0)
    # By and by, and known before the node.
    assert speed[30.0] < speed[21.0] < speed[4.0]
    assert hold[30.0] < 15.0 < hold[4.0]
    assert model.hazard.since_us is None


def test_fog_does_not_change_who_is_far_from_it(map_of: MapOf) -> None:
    """With a bank beside the road the motion is that without one."""
    road = straight(map_of)
    hazards = (
        FogBankParams(structure="road", into_m=0.0, radius_m=1.0, from_s=1e5),
        SlipperyParams(structure="road", from_s=1e5),
    )
    last = [run(traffic(road, hazard), 60.0)[-1] for hazard in hazards]
    plain = RoutedTraffic(
        RoutedTraffic.Params(n_vehicles=20), MobilityContext(road, 1, 10**10, ".")
    )
    expected = run(plain, 60.0)[-1]
    for state in last:
        assert state.x_m == pytest.approx(expected.x_m, abs=1e-6)


@pytest.mark.parametrize(
    ("params", "name", "value"),
    [
        (StoppedVehicleParams, "structure", "ferry"),
        (StoppedVehicleParams, "x_m", 1.0),
        (StoppedVehicleParams, "until_s", 0.0),
        (StoppedVehicleParams, "lane", -1),
        (StoppedVehicleParams, "kind", "tram"),
        (StoppedVehicleParams, "deceleration_mps2", 0.0),
        (SlowVehicleParams, "speed_mps", 0.0),
        (BrakeFailureParams, "temperature_c", 10.0),
        (RockfallParams, "n_lanes", 0),
        (ClosedRoadParams, "notice_m", 1.0),
        (SlipperyParams, "friction", 0.0),
        (FogBankParams, "visibility_m", 1.0),
    ],
)
def test_impossible_hazards_are_refused(params: type, name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        params(**{name: value})


def test_every_hazard_has_its_place_in_the_scenario() -> None:
    assert sorted(HAZARDS) == [
        "brake-failure",
        "closed-road",
        "fog-bank",
        "none",
        "rockfall",
        "slippery",
        "slow-vehicle",
        "stopped-vehicle",
    ]
