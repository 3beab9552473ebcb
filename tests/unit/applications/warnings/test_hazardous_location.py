"""HLW: how near, how fast, in which lane; the numbers are worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import (
    ABOVE,
    BACK,
    THERE,
    Alert,
    context,
    street,
)
from tests.unit.applications.warnings.telling import (
    board_with,
    drive,
    event,
    tells,
    told,
)
from tests.unit.mobility.conftest import MOTORWAY, STREET, make_map
from tests.unit.perception.roads import RIGHT, STRAIGHT, WEST, fork_map
from v2x.applications.warnings.base import Stage, WarningContext
from v2x.applications.warnings.hazardous_location import (
    HazardousLocationWarning,
    HlwParams,
)
from v2x.messages.topics import Topic
from v2x.mobility.junctions import lane_network
from v2x.mobility.reactions import Action
from v2x.perception.contents import RoadNotices
from v2x.perception.scene import LevelCheck
from v2x.world.weather import WeatherParams

ROAD = street()
SLIPPERY, WORKS, ACCIDENT, CLOSED, FOG = 408, 501, 10_002, 10_005, 10_018
#: Speed from which one stops within the 96 m that a road with 72 km/h shows, with 0.3 g and 2.5 s.
WET_MPS = 17.53


def hlw(
    ahead_m: float,
    driven_mps: float = 10.0,
    code: int = SLIPPERY,
    *,
    params: dict[str, Any] | None = None,
    ago_us: int = 60_000,
    topic: Topic = Topic.RSI,
    check: LevelCheck = LevelCheck.MAP,
    columns: dict[str, Any] | None = None,
    edge: int = THERE,
    **given: Any,
) -> Alert | None:
    """Return what a driver is told of an event of 100 m that begins some way ahead."""
    zone = event(code, edge, 200.0 + ahead_m, **given)
    return tells(
        "hlw",
        ROAD,
        zone,
        THERE,
        200.0,
        driven_mps,
        topic=topic,
        ago_us=ago_us,
        check=check,
        params=params,
        **(columns or {}),
    )


@pytest.mark.parametrize(
    ("ahead_m", "speed_mps", "raised"),
    [
        (299.9, 10.0, True),
        (300.1, 10.0, False),  # a standing alert goes on, none begins
        (359.9, 10.0, False),
        (360.1, 10.0, None),
        (319.9, 40.0, True),  # 8 s
        (320.1, 40.0, False),
        (-99.9, 10.0, True),  # still in it
        (-100.1, 10.0, None),  # behind
    ],
)
def test_it_is_due_by_way_or_time(ahead_m: float, speed_mps: float, raised: bool | None) -> None:
    found = hlw(ahead_m, speed_mps)
    assert (None if found is None else found.raised) == raised
    if found is not None:
        assert found.distance_m == pytest.approx(max(ahead_m, 0.0))
        assert found.closing_mps == speed_mps


@pytest.mark.parametrize("topic", [Topic.RSI, Topic.DENM])
def test_both_sorts_of_messages_count(topic: Topic) -> None:
    assert hlw(100.0, topic=topic) is not None


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({"ago_us": 1_010_000}, False),
        ({"topic": Topic.SPAT}, False),
        ({"edge": ABOVE}, False),
        ({"edge": ABOVE, "check": LevelCheck.NONE}, True),
        ({"edge": ABOVE, "check": LevelCheck.GATE}, False),
        ({"edge": BACK}, False),
        ({"code": 707}, False),  # TJW
        ({"code": 10_027}, False),
    ],
)
def test_what_counts(given: dict[str, Any], there: bool) -> None:
    assert (hlw(100.0, **given) is not None) == there


@pytest.mark.parametrize(
    ("code", "speed_mps", "target_mps"),
    [
        (SLIPPERY, np.nan, WET_MPS),
        (SLIPPERY, 12.0, 12.0),  # the advised speed counts
        (ACCIDENT, np.nan, 20.0),  # a dry road shows enough for its limit
        (103, 7.0, 7.0),
    ],
)
def test_the_speed_in_the_zone_and_before_it(
    code: int, speed_mps: float, target_mps: float
) -> None:
    """Gentle braking, 1.5 m/s², reaches the target where the zone begins."""
    inside = hlw(-10.0, 10.0, code, speed_mps=speed_mps)
    before = hlw(100.0, 10.0, code, speed_mps=speed_mps)
    assert inside is not None
    assert before is not None
    assert (inside.action, before.action) == (Action.SLOW, Action.SLOW)
    assert inside.value == pytest.approx(target_mps, abs=0.01)
    assert before.value == pytest.approx(np.sqrt(target_mps**2 + 300.0), abs=0.01)


@pytest.mark.parametrize(
    ("road_class", "visibility_m", "fog_m", "kmh"),
    [
        # Stop within 100, 50, 30 m on a dry road (reference 5.4).
        ("street", 10_000.0, 100.0, 85.0),
        ("street", 50.0, 100.0, 51.0),
        ("street", 30.0, 100.0, 34.0),
        # On expressways the law allows 60 below 200 m, 40 below 100, 20 below 50.
        ("motorway", 10_000.0, 150.0, 60.0),
        ("motorway", 80.0, 100.0, 40.0),
        ("motorway", 40.0, 100.0, 20.0),
    ],
)
def test_speeds_in_fog(road_class: str, visibility_m: float, fog_m: float, kmh: float) -> None:
    kind = MOTORWAY if road_class == "motorway" else STREET
    road = make_map([(0, 1, [(0.0, 0.0), (1000.0, 0.0)], {"limit_mps": 33.0, "road_class": kind})])
    given = WarningContext(lane_network(road), WeatherParams(visibility_m=visibility_m), 1)
    warning = HazardousLocationWarning(HlwParams(fog_m=fog_m), given)
    scene = drive(road, board_with(event(FOG, 0, 190.0)), 0, 200.0, 30.0)
    found = told(warning.judge(scene))
    assert found is not None
    assert 3.6 * found.value == pytest.approx(kmh, abs=0.5)


@pytest.mark.parametrize(
    ("ahead_m", "stage", "action", "value"),
    [
        # From 20 to 10 m/s with 3 m/s² after 1.52 s: 30.4 + 50 m.
        # It is time to slow down: a speed for which drivers do so at once.
        (80.5, Stage.WARN, Action.SLOW, 20.0 / 1.6),
        (99.9, Stage.WARN, Action.SLOW, 20.0 / 1.6),  # 1.5 m/s²
        (300.0 / 2.7, Stage.WARN, Action.SLOW, 20.0 * (1.0 - 0.375 / 2)),  # 0.9 of that
        (125.1, Stage.WARN, Action.SLOW, np.sqrt(100.0 + 3.0 * 125.1)),  # 0.8 of that
        (80.3, Stage.IMMINENT, Action.BRAKE, 300.0 / (2 * 80.3)),
        (40.0, Stage.IMMINENT, Action.BRAKE, 3.0),  # comfort at most
        (-1.0, Stage.WARN, Action.SLOW, 10.0),  # in it nobody brakes hard
        (159.9, Stage.WARN, Action.SLOW, np.sqrt(100.0 + 3.0 * 159.9)),  # 8 s
        (160.1, Stage.INFORM, Action.SLOW, np.sqrt(100.0 + 3.0 * 160.1)),
    ],
)
def test_who_is_late_brakes(ahead_m: float, stage: Stage, action: Action, value: float) -> None:
    found = hlw(ahead_m, 20.0, speed_mps=10.0)
    assert found is not None
    assert (found.stage, found.action) == (stage, action)
    assert found.value == pytest.approx(value)
    assert found.needed_m == pytest.approx(30.4 + 300.0 / (1.5 * 0.7 * 9.80665), abs=0.01)


def test_who_is_slow_enough_is_only_told_the_speed() -> None:
    found = hlw(5.0, 10.0, speed_mps=10.0)
    assert found is not None
    assert (found.stage, found.action, found.needed_m) == (Stage.INFORM, Action.SLOW, 0.0)


@pytest.mark.parametrize(
    ("lanes", "lane", "action", "value"),
    [
        ({1}, 1, Action.CHANGE_LANE, 1.0),  # both are as near: to the left
        ({1, 2}, 1, Action.CHANGE_LANE, -1.0),
        ({2}, 2, Action.CHANGE_LANE, -1.0),
        ({0, 1}, 0, Action.CHANGE_LANE, 1.0),
        ({1}, 0, Action.KEEP_LANE, np.nan),  # the next one
        ({2}, 0, Action.INFORM, np.nan),  # two lanes away
        ({0, 1, 2}, 1, Action.SLOW, np.sqrt(3.0 * (150.0 - 2.0))),  # stop 2 m before it
    ],
)
def test_blocked_lanes(lanes: set[int], lane: int, action: Action, value: float) -> None:
    found = hlw(150.0, 15.0, WORKS, lanes=frozenset(lanes), columns={"lane": lane})
    assert found is not None
    assert found.action == action
    assert found.value == pytest.approx(value, nan_ok=True)


def test_who_is_told_of_a_blocked_lane_late_brakes_as_hard_as_needed() -> None:
    """20 m/s, 50 m: 400 / 96 = 4.17 m/s², more than comfort."""
    found = hlw(50.0, 20.0, WORKS, lanes=frozenset({0}))
    assert found is not None
    assert (found.stage, found.action) == (Stage.IMMINENT, Action.BRAKE)
    assert found.value == pytest.approx(400.0 / 96.0)


def test_lanes_need_not_be_changed() -> None:
    zone = {"lanes": frozenset({0}), "params": {"change_lane": False}}
    found = hlw(150.0, 15.0, WORKS, **zone)
    beside = hlw(150.0, 15.0, WORKS, columns={"lane": 1}, **zone)
    assert found is not None
    assert beside is not None
    assert (found.action, beside.action) == (Action.SLOW, Action.INFORM)


def test_who_indicates_beside_a_blocked_lane_may_leave() -> None:
    given = {"lanes": frozenset({1})}
    found = hlw(150.0, 15.0, WORKS, columns={"lane": 0, "turn": -1}, **given)
    assert found is not None
    assert found.action == Action.INFORM


@pytest.mark.parametrize(
    ("mps2", "ahead_m", "action"),
    [
        # From 20 to 10 m/s: who does not brake yet needs 30.4 m more than who does.
        (0.0, 60.0, Action.BRAKE),
        (-1.5, 60.0, Action.SLOW),  # 2.5 m/s² are less than comfort
        (-1.5, 49.9, Action.BRAKE),  # 3.0 m/s²
        (-2.5, 60.0, Action.BRAKE),  # who has begun to brake goes on ...
        (-2.5, 84.0, Action.SLOW),  # ... until 1.8 m/s² will do
    ],
)
def test_who_brakes_already_need_not_react(mps2: float, ahead_m: float, action: Action) -> None:
    found = hlw(ahead_m, 20.0, speed_mps=10.0, columns={"acceleration_mps2": mps2})
    assert found is not None
    assert found.action == action


def test_without_a_map_nobody_knows_its_lane() -> None:
    """Lanes are not told apart, so it is for everybody, and nobody changes lanes for it."""
    found = hlw(150.0, 15.0, WORKS, lanes=frozenset({2}), check=LevelCheck.NONE)
    assert found is not None
    assert found.action == Action.SLOW


def test_lanes_count_where_the_event_is() -> None:
    """From two lanes on one to the right: the right lane leads there, see the lane network."""
    road = fork_map()
    network = lane_network(road)
    (m,) = [
        k
        for k in range(network.n_movements)
        if (network.from_edge[k], network.to_edge[k]) == (WEST, RIGHT)
    ]
    lane = -int(network.lane_shift[m])
    zone = event(WORKS, RIGHT, 50.0, lanes=frozenset({0}))
    found = tells("hlw", road, zone, WEST, 180.0, 10.0, lane=lane, turn=-1)
    other = tells("hlw", road, zone, WEST, 180.0, 10.0, lane=lane + 1, turn=-1)
    assert found is not None
    assert other is not None
    assert (found.action, other.action) == (Action.SLOW, Action.INFORM)


def test_other_events_are_told_and_no_more() -> None:
    for code in (904, 9999):  # wrong-way vehicle; a code that nobody knows
        found = hlw(100.0, 20.0, code)
        assert found is not None
        assert (found.stage, found.action) == (Stage.INFORM, Action.INFORM)
        assert np.isnan(found.value)


@pytest.mark.parametrize(
    ("edge", "offset_m", "reroute", "action"),
    [
        (WEST, 100.0, True, Action.REROUTE),
        (WEST, 100.0, False, Action.SLOW),
        (WEST, 195.0, True, Action.SLOW),  # too near: sqrt(3 · 63) m/s is less than 15
        (STRAIGHT, 5.0, True, Action.BRAKE),  # already on that edge
    ],
)
def test_a_closed_road(edge: int, offset_m: float, reroute: bool, action: Action) -> None:
    zone = event(CLOSED, STRAIGHT, 60.0)
    found = tells("hlw", fork_map(), zone, edge, offset_m, 15.0, params={"reroute": reroute})
    assert found is not None
    assert found.action == action
    if action == Action.REROUTE:
        assert found.value == STRAIGHT


def test_an_event_without_a_host_is_no_trouble() -> None:
    warning = HazardousLocationWarning(HlwParams(), context(ROAD))
    scene = drive(ROAD, board_with(RoadNotices()), THERE, 100.0, 10.0)
    assert len(warning.judge(scene)) == 0
