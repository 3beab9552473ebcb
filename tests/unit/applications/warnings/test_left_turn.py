"""LTA: both sides of each threshold, and everybody of whom nobody is warned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from tests.unit.applications.warnings.judging import Alert, alert, judge
from tests.unit.applications.warnings.junction_scenes import (
    EAST,
    NOW_US,
    SOUTH,
    WEST,
    before,
    crossroads,
    lights,
)
from tests.unit.mobility.conftest import make_map
from tests.unit.perception import roads
from v2x.applications.warnings.base import Stage
from v2x.applications.warnings.left_turn import LtaParams
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.mobility.signals.lights import Light
from v2x.perception.scene import LevelCheck
from v2x.world.road_map import RoadMap

ROAD = crossroads()


def lta(
    to_node_m: tuple[float, float] = (20.0, 60.0),
    speeds_mps: tuple[float, float] = (10.0, 10.0),
    *,
    edges: tuple[int, int] = (WEST, EAST),
    turn: tuple[int, int] = (1, 0),
    road_map: RoadMap = ROAD,
    params: dict[str, Any] | None = None,
    **given: Any,
) -> Alert | None:
    """Return what a driver from the west, who turns left, is told of a car from the east."""
    scene = before(road_map, edges, to_node_m, speeds_mps, turn=list(turn), **given)
    return alert(judge("lta", scene, road_map, **(params or {})))


def test_the_alert_is_about_the_oncoming_lanes() -> None:
    found = lta()
    assert found is not None
    assert found.raised
    assert found.action == Action.BRAKE
    # 2 m before the middle; 100 / (2 · 18).
    assert found.distance_m == pytest.approx(18.0)
    assert found.value == pytest.approx(100 / 36)
    assert found.stage == Stage.IMMINENT  # 2.8 m are left after the reaction


@pytest.mark.parametrize(
    ("to_node_m", "raised"),
    [
        ((20.0, 64.9), True),  # 4.5 s later
        ((20.0, 65.1), False),
        ((20.0, 10.1), True),  # 1 s earlier
        ((20.0, 9.9), None),
        ((49.9, 60.0), True),  # within 5 s
        ((50.1, 60.0), False),
        ((20.0, 73.9), False),  # 1.2 times 4.5 s: a standing alert goes on
        ((20.0, 74.1), None),
    ],
)
def test_each_side_of_the_thresholds(to_node_m: tuple[float, float], raised: bool | None) -> None:
    found = lta(to_node_m)
    assert (None if found is None else found.raised) == raised


@pytest.mark.parametrize(("remote_m", "raised"), [(70.7, True), (70.9, False)])
def test_who_pulls_away_needs_time(remote_m: float, raised: bool) -> None:
    # 5 m take 2.58 s at 1.5 m/s²; 10 m/s over 4.5 s and these: 70.8 m.
    found = lta((5.0, remote_m), (0.6, 10.0))
    assert found is not None
    assert found.raised == raised
    assert found.stage == Stage.WARN


@pytest.mark.parametrize(
    "columns",
    [
        {"turn": (0, 0)},  # goes straight on
        {"turn": (-1, 0)},
        {"turn": (1, 1)},  # both turn left, past each other
        {"speeds_mps": (0.4, 10.0)},  # waits
        {"speeds_mps": (10.0, 0.4)},  # the other waits
        {"edges": (WEST, SOUTH)},  # from the side: ICW
        {"kind": [0, NodeKind.VRU], "lane": [0, -1]},
        {"kind": [NodeKind.VRU, 0], "lane": [-1, 0]},
        {"ages_us": 1_100_000},
    ],
)
def test_nobody_is_warned(columns: dict[str, Any]) -> None:
    assert lta() is not None
    assert lta(**columns) is None


def test_who_turns_right_into_the_same_street_counts() -> None:
    assert lta(turn=(1, -1)) is not None


def test_who_begins_to_pull_away_is_warned() -> None:
    assert lta((5.0, 40.0), (0.3, 10.0), acceleration_mps2=[1.0, 0.0]) is not None


@pytest.mark.parametrize(("braking", "raised"), [(2.4, True), (2.6, False)])
def test_no_alert_begins_while_the_host_brakes_as_it_needs(braking: float, raised: bool) -> None:
    # 100 / (2 · 20) = 2.5.
    found = lta(acceleration_mps2=[-braking, 0.0])
    assert found is not None
    assert found.raised == raised


def test_a_lane_that_only_leads_left_is_enough() -> None:
    two = {"lanes": 2}
    road = make_map(
        [
            (1, 0, [(-200.0, 0.0), (0.0, 0.0)], two),
            (0, 2, [(0.0, 0.0), (0.0, 200.0)], {}),
            (0, 3, [(0.0, 0.0), (200.0, 0.0)], {}),
            (3, 0, [(200.0, 0.0), (0.0, 0.0)], {}),
            (0, 1, [(0.0, 0.0), (-200.0, 0.0)], {}),
        ]
    )
    for lane, there in ((1, True), (0, False)):
        found = lta(edges=(0, 3), turn=(0, 0), road_map=road, lane=[lane, 0])
        assert (found is not None) == there, lane


def test_other_decks_are_left_out() -> None:
    road = roads.fork_map()

    def judged(check: LevelCheck, height_m: float) -> Alert | None:
        fleet = fleet_state(
            NOW_US,
            [0.0, 40.0],
            y_m=[0.0, 4.0],
            z_m=[0.0, height_m],
            heading_rad=[0.0, np.pi],
            speed_mps=8.0,
            turn=[1, 0],
            edge=-1,
        )
        return alert(judge("lta", roads.scene_of(fleet, road, check), road))

    assert judged(LevelCheck.NONE, 8.0) is not None
    assert judged(LevelCheck.GATE, 3.4) is not None
    assert judged(LevelCheck.GATE, 3.5) is None


@pytest.mark.parametrize(
    ("left_m", "turned_deg", "there"),
    [
        (4.0, 180.0, True),
        (-4.0, 180.0, False),  # not on the side it turns to
        (14.0, 180.0, True),
        (16.0, 180.0, False),  # too far aside
        (4.0, 151.0, True),
        (4.0, 149.0, False),
    ],
)
def test_without_a_map_the_host_turns_where_it_is(
    left_m: float, turned_deg: float, there: bool
) -> None:
    fleet = fleet_state(
        NOW_US,
        [0.0, 40.0],
        y_m=[0.0, left_m],
        heading_rad=[0.0, np.deg2rad(turned_deg)],
        speed_mps=8.0,
        turn=[1, 0],
        edge=-1,
    )
    found = alert(judge("lta", roads.scene_of(fleet, ROAD, LevelCheck.NONE), ROAD))
    assert (found is not None) == there


def test_a_green_of_its_own_needs_no_gap() -> None:
    shown = {WEST: Light.PROTECTED_GREEN, EAST: Light.RED}
    assert lta((20.0, 60.0), board=lights(ROAD, shown)) is None
    # 100 / (2 · 16.5) = 3: it will hardly stop.
    assert lta((20.0, 20.0), board=lights(ROAD, shown)) is not None
    # Nobody turns at red; RLVW cares for who does.
    assert lta((20.0, 60.0), board=lights(ROAD, {WEST: Light.RED})) is None
    assert lta((20.0, 60.0), board=lights(ROAD, {WEST: Light.RED}, hosts=(1,))) is not None
    both = {WEST: Light.PERMISSIVE_GREEN, EAST: Light.PERMISSIVE_GREEN}
    assert lta((20.0, 60.0), board=lights(ROAD, both)) is not None


@pytest.mark.parametrize(
    "params", [{"critical_s": 0.0}, {"passed_s": -1.0}, {"least_angle_deg": 60.0}, {"release": 0.5}]
)
def test_impossible_thresholds_are_rejected(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(params))):
        LtaParams(**params)
