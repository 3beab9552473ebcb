"""Drivers who are told of the road ahead: what they do about it, through reactions and brakes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.telling import event
from tests.unit.mobility.conftest import build_model, make_map
from tests.unit.perception.roads import outlook_of
from v2x import registry
from v2x.applications.warnings.base import WarningContext
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.junctions import lane_network
from v2x.mobility.reactions import Action, ReactionParams, Reactions
from v2x.mobility.vehicle_classes import Mix
from v2x.perception.board import Board
from v2x.perception.contents import RoadNotices
from v2x.perception.ldm import Heard, LocalDynamicMap
from v2x.perception.own_state import OwnStates
from v2x.perception.scene import Scene
from v2x.perception.seen import nothing_seen
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario
from v2x.sim.services.alerts import AlertBook
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

TICK_US = 100_000
#: Drivers who do at once what they are told, and those who do as in the section ``reactions``.
AT_ONCE = ReactionParams(automated_share=1.0)
HUMAN = ReactionParams(compliance=1.0)


@dataclass(frozen=True)
class Drive:
    """A drive of one car: its states tick by tick, and the table of its alerts."""

    states: list[FleetState]
    alerts: dict[str, Any]

    def of(self, name: str) -> np.ndarray:
        return np.array([getattr(state, name)[0] for state in self.states])


def straight() -> RoadMap:
    """Return a road of 2 km with two lanes and 90 km/h."""
    line = [(0.0, 0.0), (2000.0, 0.0)]
    return make_map([(0, 1, line, {"lanes": 2, "limit_mps": 25.0, "road_class": 0})])


def detour() -> RoadMap:
    """Return a road of 1.2 km and, from 400 m to 800 m, a way round its middle."""
    wide = {"lanes": 1, "limit_mps": 25.0, "road_class": 0}
    return make_map(
        [
            (0, 1, [(0.0, 0.0), (400.0, 0.0)], wide),
            (1, 2, [(400.0, 0.0), (800.0, 0.0)], wide),
            (1, 2, [(400.0, 0.0), (600.0, -80.0), (800.0, 0.0)], wide),
            (2, 3, [(800.0, 0.0), (1200.0, 0.0)], wide),
        ]
    )


def drive(
    warning: str,
    content: RoadNotices,
    reactions: ReactionParams,
    seconds: float,
    *,
    road: RoadMap | None = None,
    params: dict[str, Any] | None = None,
) -> Drive:
    """Let a car drive at 25 m/s from 100 m on, and have a message of the roadside all the time."""
    road = straight() if road is None else road
    model = build_model(road, n_vehicles=1, mix=Mix(car=1, truck=0, bus=0), speed_factor_spread=0.0)
    model.advance(0)
    vehicles = model.vehicles
    # On the first edge, on its way to the end of the last one.
    vehicles.stop[0] = np.flatnonzero(model._book.edge == 0)[0]
    vehicles.offset_m[0], vehicles.speed_mps[0], vehicles.lane[0] = 100.0, 25.0, 0
    kind = registry.load("v2x.warnings", warning)
    judge = kind(
        kind.Params(**(params or {})), WarningContext(lane_network(road), WeatherParams(), 1)
    ).judge
    acts, alerts = Reactions(reactions, 1, model.reroute), AlertBook(1, 0)
    own_states, outlook = OwnStates(road, by_height=False), outlook_of(road)
    board, states = Board(model.n_rows, 1_000_000), []
    nobody = Heard(*(np.zeros(0, dtype=dtype) for dtype in (np.int32, np.int32, np.int64)))
    everybody = np.arange(model.n_rows, dtype=np.intp)
    for now_us in range(TICK_US, round(seconds * 1e6) + 1, TICK_US):
        fleet = model.advance(now_us)
        states.append(fleet)
        board.begin(now_us, np.zeros(model.n_rows, dtype=np.bool_))
        board.take(Topic.RSI, 0, 0, now_us - TICK_US, content, everybody)
        own = own_states.of(fleet, None)
        ldm = LocalDynamicMap(model.n_rows, 1_000_000, TICK_US)
        ldm.tell(fleet, own)
        known, seen = ldm.known(fleet, nobody), nothing_seen(now_us)
        scene = Scene(fleet, own, known, seen, board, fleet.active, outlook)
        alerts.observe(0, scene, judge(scene))
        acts.apply(now_us, fleet, alerts.demands(model.n_rows), model.controls)
    return Drive(states, alerts.table(round(seconds * 1e6)))


def test_a_driver_is_as_slow_as_advised_where_the_hazard_begins() -> None:
    """Fog from 600 m on, 40 km/h: at comfort, without braking hard, and no faster up to its end."""
    told = drive("hlw", event(10_018, 0, 600.0, 300.0, speed_mps=40 / 3.6), AT_ONCE, 60.0)
    place, speed = told.of("offset_m"), told.of("speed_mps")
    inside = (place > 600.0) & (place < 900.0)
    assert inside.any()
    assert speed[inside].max() < 40 / 3.6 + 0.5
    assert told.of("acceleration_mps2").min() > -1.5
    assert speed[place > 950.0].max() > 15.0  # and then it goes on
    assert told.alerts["action"].tolist() == [Action.SLOW]
    assert told.alerts["distance_m"] == pytest.approx(300.0, abs=2.5)


def test_a_human_driver_slows_down_a_second_later() -> None:
    """Told 200 m before, where it is time to slow down: 0.15 s of display, and its reaction."""
    zone = event(10_018, 0, 300.0, 300.0, speed_mps=40 / 3.6)
    at_once, human = (drive("hlw", zone, params, 25.0) for params in (AT_ONCE, HUMAN))
    slower = [int(np.argmax(run.of("speed_mps") < 24.0)) for run in (at_once, human)]
    assert 4 <= slower[1] - slower[0] <= 30
    assert human.of("speed_mps")[-1] < 11.5


def test_who_does_not_comply_goes_on() -> None:
    zone = event(10_018, 0, 600.0, 300.0, speed_mps=40 / 3.6)
    speed = drive("hlw", zone, ReactionParams(compliance=0.0), 25.0).of("speed_mps")
    assert speed.min() > 23.0


def test_a_driver_leaves_a_blocked_lane_and_does_not_slow_down() -> None:
    """Works in the right lane, 300 m from 500 m on; it would return to the right by itself."""
    told = drive("hlw", event(501, 0, 500.0, 300.0, lanes=frozenset({0})), AT_ONCE, 20.0)
    place, lane = told.of("offset_m"), told.of("lane")
    assert lane[place < 150.0].tolist() == [0] * int((place < 150.0).sum())
    assert set(lane[(place > 350.0) & (place < 500.0)].tolist()) == {1}
    assert told.of("speed_mps").min() > 23.0


def test_a_driver_stops_before_a_road_on_which_all_lanes_are_blocked() -> None:
    told = drive("hlw", event(501, 0, 500.0, 50.0, lanes=frozenset({0, 1})), AT_ONCE, 60.0)
    assert told.of("speed_mps")[-1] == 0.0
    assert told.of("offset_m")[-1] == pytest.approx(498.0, abs=0.5)
    assert told.of("acceleration_mps2").min() > -1.5


def test_who_is_told_late_brakes() -> None:
    """50 m before, from 25 m/s: 625 / (2 (50 - 2)) m/s² would be needed; 75 % of 0.7 g is asked."""
    told = drive("hlw", event(501, 0, 150.0, 50.0, lanes=frozenset({0, 1})), AT_ONCE, 2.0)
    assert told.alerts["action"].tolist() == [Action.BRAKE]
    assert told.of("acceleration_mps2")[2:10] == pytest.approx(-0.75 * 0.7 * 9.80665, abs=0.05)


@pytest.mark.parametrize(("reroute", "edge"), [(True, 2), (False, 1)])
def test_a_driver_goes_round_a_jam(reroute: bool, edge: int) -> None:
    zone = event(707, 1, 250.0, 50.0, speed_mps=10.0)
    told = drive("tjw", zone, AT_ONCE, 20.0, road=detour(), params={"reroute": reroute})
    assert list(dict.fromkeys(told.of("edge").tolist())) == [0, edge]


# Through the air ---------------------------------------------------------------------------

HIGHWAY = (
    ("duration_s", "12"),
    ("warmup_s", "0"),
    ("world.length_m", "2000"),
    ("world.wrap", "false"),
    ("world.directions", "1"),
    ("world.lanes_per_direction", "2"),
    ("world.limit_kmh", "100"),
    ("traffic.type", "routed"),
    ("traffic.density_per_km", "null"),
    ("traffic.n_vehicles", "20"),
    ("roadside.placement", "spacing"),
    ("roadside.spacing_m", "500"),
    ("services.roadside", "{}"),
    ("warnings.slw", "{}"),
    ("reactions.compliance", "1"),
)


@cache
def on_highway(knowledge: str) -> RunRecords:
    return simulate(load_scenario("highway_3gpp", [*HIGHWAY, ("information.knowledge", knowledge)]))


def fastest_kmh(records: RunRecords) -> float:
    """Return the highest speed of a car in the last 4 s [km/h]."""
    table = records.tables["trajectories"]
    late = (table["time_s"] > 8.0) & (table["kind"] == NodeKind.CAR)
    return float(3.6 * table["speed_mps"][late].max())


@pytest.mark.filterwarnings("ignore:.*traffic.speed_kmh")
def test_signs_of_the_roadside_slow_down_who_is_too_fast() -> None:
    """Speed limit 100 km/h: 109.6 without, 103.2 with what was received."""
    assert fastest_kmh(on_highway("none")) > 106.0
    assert fastest_kmh(on_highway("messages")) < 104.0


@pytest.mark.filterwarnings("ignore:.*traffic.speed_kmh")
def test_who_was_too_fast_stands_in_the_table_of_warnings() -> None:
    table = on_highway("messages").tables["warnings"]
    assert len(table["warning"]) == 4
    assert (table["speed_mps"] > 1.05 * 100 / 3.6).all()
    assert set(table["subject"] >> 32) == {85}
    assert set(table["action"]) == {Action.SLOW}
    assert len(on_highway("none").tables["warnings"]["warning"]) == 0
