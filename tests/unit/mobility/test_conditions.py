"""Grip, sight and speeds of edges, and what drivers make of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from v2x.mobility.conditions import AQUAPLANING_MPS, RoadConditions, road_conditions
from v2x.mobility.driver import EyesParams, fog_rule_mps, road_sight_m
from v2x.mobility.dynamics import sight_speed_mps
from v2x.mobility.junctions import lane_network
from v2x.world import synthetic
from v2x.world.road_map import RoadMap, Structure
from v2x.world.weather import ROAD_FRICTION, WeatherParams

EMERGENCY = np.array([8.0, 5.0])
TUNNEL = {"structure": int(Structure.TUNNEL)}


def conditions_of(
    road_map: RoadMap, /, eyes: EyesParams | None = None, **weather: Any
) -> RoadConditions:
    return road_conditions(lane_network(road_map), WeatherParams(**weather), EMERGENCY, eyes)


@pytest.fixture
def tunnel(map_of: Callable[..., RoadMap]) -> RoadMap:
    """Return open road, a tunnel in two edges, and open road that falls by 5 %."""
    fast = {"limit_mps": 25.0, "road_class": 0}
    return map_of(
        [
            (0, 1, [(0.0, 0.0, 0.0), (500.0, 0.0, 0.0)], fast),
            (1, 2, [(500.0, 0.0, 0.0), (900.0, 0.0, 0.0)], fast | TUNNEL),
            (2, 3, [(900.0, 0.0, 0.0), (1300.0, 0.0, 0.0)], fast | TUNNEL),
            (3, 4, [(1300.0, 0.0, 0.0), (1800.0, 0.0, -25.0)], fast),
        ]
    )


# Weather -----------------------------------------------------------------------------------


def test_friction_by_road_and_rain() -> None:
    assert [WeatherParams(road=road).open_friction for road in ROAD_FRICTION] == list(
        ROAD_FRICTION.values()
    )
    rates = {0.0: 0.75, 2.5: 0.55, 2.6: 0.45, 8.0: 0.45, 16.0: 0.38, 16.1: 0.30}
    for rate, friction in rates.items():
        assert WeatherParams(rain_mm_h=rate).open_friction == friction
    assert WeatherParams(road="ice", rain_mm_h=5.0).open_friction == 0.10
    assert WeatherParams(road="ice", friction=0.2).open_friction == 0.2
    assert WeatherParams(rain_mm_h=20.0).flooded
    assert not WeatherParams(road="wet").flooded


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"road": "damp"}, "road must be one of dry, moist"),
        ({"friction": 0.0}, "friction must be within 0.03 and 1"),
        ({"visibility_m": 1.0}, "visibility_m must be within"),
        ({"rain_mm_h": -1.0}, "rain_mm_h must be within"),
    ],
)
def test_impossible_weather(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WeatherParams(**change)


def test_dry_and_clear_is_nothing_special() -> None:
    for road in (synthetic.highway(), synthetic.manhattan(2, 2), synthetic.junction()):
        here = conditions_of(road)
        network = lane_network(road)
        assert here.level
        assert len(here.station_m) == 0
        assert (here.edge_grip == 1.0).all()
        assert (here.edge_delay_s == 0.0).all()
        assert (here.approach_mps2 == 1.5).all()
        assert np.array_equal(here.turn_mps, network.speed_mps)
        assert np.isinf(here.turn_cap_mps).all()


def test_tunnels_are_dry_and_clear(tunnel: RoadMap) -> None:
    here = conditions_of(tunnel, road="wet", visibility_m=80.0)
    assert here.edge_grip == pytest.approx([0.6, 1.0, 1.0, 0.6])
    assert here.edge_sight_m.tolist() == [80.0, 10_000.0, 10_000.0, 80.0]
    assert here.edge_delay_s.tolist() == [0.5, 0.0, 0.0, 0.5]
    assert not here.level


# Speeds ------------------------------------------------------------------------------------


def test_fog_sets_the_speed_from_which_each_class_can_stop(tunnel: RoadMap) -> None:
    """Cars use the friction, trucks their brakes, both less 5 % of gravity downhill."""
    here = conditions_of(tunnel, visibility_m=50.0, road="moist")
    grip, fall = 0.55 / 0.75, 0.05 * 9.81
    level = [float(sight_speed_mps(50.0, 2.5, b)) for b in (0.55 * 9.81, 5.0 * grip)]
    downhill = [
        float(sight_speed_mps(50.0, 2.5, b)) for b in (0.55 * 9.81 - fall, 5.0 * grip - fall)
    ]
    assert here.entry_mps(0) == pytest.approx(level)
    assert here.entry_mps(3) == pytest.approx(downhill)
    assert here.entry_mps(2) is None


def test_slippery_roads_are_driven_as_far_as_one_sees() -> None:
    """At a limit of 60 km/h the road shows 75 m: enough when wet, too little on snow and ice."""
    road = synthetic.junction(limit_mps=60 / 3.6)
    speeds = {
        state: 3.6 * conditions_of(road, road=state).entry_mps(0)[0]  # type: ignore[index]
        for state in ("moist", "wet", "flooded", "snow", "ice")
    }
    assert {state: round(speed) for state, speed in speeds.items()} == {
        "moist": 65,
        "wet": 61,
        "flooded": 54,
        "snow": 50,
        "ice": 36,
    }


def test_nobody_floats_on_water() -> None:
    road = synthetic.highway(limit_mps=120 / 3.6)
    flooded, wet = (conditions_of(road, road=state).entry_mps(0) for state in ("flooded", "wet"))
    assert flooded is not None
    assert flooded[0] == AQUAPLANING_MPS
    assert wet is not None
    assert wet[0] > 1.3 * AQUAPLANING_MPS


def test_fog_rule_holds_on_motorways(map_of: Callable[..., RoadMap]) -> None:
    line = [(0.0, 0.0), (500.0, 0.0)]
    motorway, street = ({"limit_mps": 30.0, "road_class": k} for k in (0, 6))
    road = map_of([(0, 1, line, motorway), (1, 2, [(500.0, 0.0), (900.0, 0.0)], street)])
    here = conditions_of(road, EyesParams(fog_rule_share=0.85), visibility_m=150.0)
    assert here.entry_mps(0) == pytest.approx([0.85 * 60 / 3.6] * 2)
    assert here.entry_mps(1) != here.entry_mps(0)
    assert [fog_rule_mps(sight) * 3.6 for sight in (49, 50, 99, 100, 199)] == pytest.approx(
        [20, 40, 40, 60, 60]
    )
    assert math.isinf(fog_rule_mps(200.0))


def test_road_sight_is_that_of_the_design_rule() -> None:
    limit = np.array([40.0, 60.0, 80.0, 100.0, 120.0]) / 3.6
    assert road_sight_m(limit) == pytest.approx([40, 75, 110, 160, 210])


def test_the_mouth_of_a_tunnel_is_dark(tunnel: RoadMap) -> None:
    """Who comes in sees 60 m; with 1.75 s that is 70 km/h in a car, until 6 s later."""
    here = conditions_of(tunnel)
    speed = [float(sight_speed_mps(60.0, 1.75, b)) for b in (0.75 * 9.81, 5.0)]
    assert [round(3.6 * v) for v in speed] == [70, 62]
    assert here.edge_dark.tolist() == [0, 1, 1, 0]
    assert here.entry_mps(1) == pytest.approx(speed)
    assert here.entry_mps(2) is None
    assert here.station_m.tolist() == pytest.approx([0.0, 6.0 * speed[0]])
    assert np.isinf(here.cap_mps[1::2]).all()
    for eyes in (EyesParams(portal_shortest_m=801.0), EyesParams(portal_shortest_m=math.inf)):
        assert conditions_of(tunnel, eyes).entry_mps(1) is None


def test_reach_looks_ahead_along_the_edge(map_of: Callable[..., RoadMap]) -> None:
    """Before a corner 1.5 m/s² must do, so v² = v_bend² + 2 · 1.5 · distance."""
    road = map_of([(0, 1, [(0.0, 0.0), (100.0, 0.0), (150.0, 60.0)], {"limit_mps": 20.0})])
    here = conditions_of(road)
    begin, end = here.station_m[1:]
    bend = float(here.cap_mps[1])
    assert here.cap_mps.tolist() == [math.inf, bend, math.inf] * 2
    assert here.reach_mps[:3].tolist() == pytest.approx(
        [math.sqrt(bend**2 + 3.0 * begin), bend, math.inf]
    )
    assert begin < 100.0 < end


def test_slippery_turns_and_approaches_are_gentle() -> None:
    """Half of the friction is claimed: 0.05 g in a turn and for stopping, not 3 and 1.5 m/s²."""
    road = synthetic.junction()
    network = lane_network(road)
    ice = conditions_of(road, road="ice")
    turn = np.isfinite(network.speed_mps)
    ratio = math.sqrt(0.5 * 0.1 * 9.81 / 3.0)
    assert ice.turn_mps[turn] == pytest.approx(ratio * network.speed_mps[turn])
    assert ice.approach_mps2 == pytest.approx(np.full(road.n_edges, 0.5 * 5.0 * 0.1 / 0.75))


def test_bends_at_nodes_count_too(map_of: Callable[..., RoadMap]) -> None:
    """A ramp in two edges that turns by 36 degrees at the node between them."""
    bent = (80.0 + 80.0 * math.cos(math.radians(36)), 80.0 * math.sin(math.radians(36)))
    ramp = {"limit_mps": 20.0}
    road = map_of([(0, 1, [(0.0, 0.0), (80.0, 0.0)], ramp), (1, 2, [(80.0, 0.0), bent], ramp)])
    here = conditions_of(road)
    radius_m = 4.0 / (1.0 / math.cos(math.radians(18)) - 1.0)
    assert here.turn_cap_mps == pytest.approx([math.sqrt(radius_m * 9.81 * 0.21)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"comfort_share": 0.0}, "comfort_share must be in"),
        ({"reaction_s": -1.0}, "reaction_s must be >= 0"),
        ({"portal_sight_m": 1.0}, "portal_sight_m must be >= 5"),
        ({"fog_rule_share": 0.0}, "fog_rule_share must be in"),
    ],
)
def test_impossible_eyes(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EyesParams(**change)
