"""EVW: who is told of an emergency vehicle, from how far, and which way it clears."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import (
    ABOVE,
    BACK,
    BEYOND,
    THERE,
    Alert,
    alert,
    judge,
    street,
)
from tests.unit.perception.roads import (
    BRIDGE,
    RIGHT,
    SOUTH,
    STRAIGHT,
    WEST,
    fork_map,
    on_roads,
    scene_of,
)
from v2x.applications.warnings.base import Stage
from v2x.applications.warnings.emergency_vehicle import EvwParams
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck
from v2x.world.road_map import RoadMap

SIREN = KeyEvent.SIREN


def evw(
    gap_m: float,
    speeds_mps: tuple[float, float] = (10.0, 20.0),
    *,
    road_map: RoadMap | None = None,
    check: LevelCheck = LevelCheck.MAP,
    ages_us: int = 0,
    **columns: Any,
) -> Alert | None:
    """Return what a car is told of an emergency vehicle behind it."""
    road = road_map or street()
    given = {
        "edge": [THERE, THERE],
        "offset_m": [500.0, 495.0 - gap_m],
        "flags": [0, SIREN],
        "time_us": 2_000_000,
    } | columns
    fleet = on_roads(
        road, given.pop("edge"), given.pop("offset_m"), speed_mps=list(speeds_mps), **given
    )
    scene = scene_of(fleet, road, check, ages_us=ages_us)
    return alert(judge("evw", scene, road))


@pytest.mark.parametrize(
    ("gap_m", "raised"), [(299.0, True), (301.0, False), (359.0, False), (361.0, None)]
)
def test_it_counts_from_300_m(gap_m: float, raised: bool | None) -> None:
    found = evw(gap_m, (5.0, 25.0))
    assert (None if found is None else found.raised) == raised


@pytest.mark.parametrize(
    ("closing_mps", "raised"), [(6.72, True), (6.64, False), (5.57, False), (5.53, None)]
)
def test_it_counts_from_30_s(closing_mps: float, raised: bool | None) -> None:
    """200 m behind: 30 s at 6.67 m/s, 36 s at 5.56 m/s."""
    found = evw(200.0, (10.0, 10.0 + closing_mps))
    assert (None if found is None else found.raised) == raised


@pytest.mark.parametrize(("gap_m", "there"), [(49.0, True), (51.0, False)])
def test_one_that_is_held_up_close_behind_counts_too(gap_m: float, there: bool) -> None:
    assert (evw(gap_m, (10.0, 10.0)) is not None) == there


@pytest.mark.parametrize(("gap_m", "stage"), [(101.0, Stage.INFORM), (99.0, Stage.WARN)])
def test_it_is_near_from_10_s(gap_m: float, stage: Stage) -> None:
    found = evw(gap_m)
    assert found is not None
    assert found.stage == stage
    assert found.distance_m == pytest.approx(gap_m)
    assert found.closing_mps == pytest.approx(10.0)
    assert found.needed_m == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("lanes", "n_lanes", "action", "side"),
    [
        ((2, 2), 3, Action.CHANGE_LANE, -1.0),
        ((1, 1), 3, Action.CHANGE_LANE, -1.0),
        ((0, 0), 3, Action.CHANGE_LANE, 1.0),
        ((0, 1), 3, Action.KEEP_LANE, None),
        ((2, 1), 3, Action.KEEP_LANE, None),
        ((0, 0), 1, Action.INFORM, None),
    ],
)
def test_its_lane_is_cleared_to_the_right_where_there_is_a_lane(
    lanes: tuple[int, int], n_lanes: int, action: Action, side: float | None
) -> None:
    found = evw(100.0, lane=list(lanes), road_map=street(n_lanes))
    assert found is not None
    assert found.action == action
    if side is not None:
        assert found.value == side


@pytest.mark.parametrize(
    "given",
    [
        {"flags": [0, KeyEvent.HAZARD_LIGHTS]},  # the siren is off
        {"flags": [SIREN, SIREN]},  # on duty as well
        {"offset_m": [500.0, 605.0]},  # has passed
        {"edge": [THERE, BACK], "offset_m": [500.0, 400.0]},  # comes towards
        {"edge": [THERE, BEYOND], "offset_m": [500.0, 400.0]},  # another carriageway
        {"edge": [THERE, ABOVE]},  # another deck
        {"ages_us": 1_100_000},
        {"check": LevelCheck.GATE, "z_m": [0.0, 8.0]},
    ],
)
def test_others_are_left_out(given: dict[str, Any]) -> None:
    assert evw(100.0) is not None
    assert evw(100.0, **given) is None


@pytest.mark.parametrize(("aside_m", "there"), [(12.9, True), (13.1, False)])
def test_without_a_map_it_is_within_three_lanes(aside_m: float, there: bool) -> None:
    """Half widths 2 m, 0.5 m and three lanes of 3.5 m."""
    found = evw(100.0, y_m=[0.0, aside_m], check=LevelCheck.NONE, lane=[1, 1])
    assert (found is not None) == there
    if found is not None:
        assert found.action == Action.KEEP_LANE
    same = evw(100.0, y_m=[0.0, 2.4], check=LevelCheck.NONE, lane=[1, 1])
    assert same is not None
    assert same.action == Action.CHANGE_LANE


def test_upstream_counts_as_the_same_road() -> None:
    found = on_fork([STRAIGHT, WEST], [50.0, 120.0], (5.0, 15.0))
    assert found is not None
    assert found.distance_m == pytest.approx(125.0)


def on_fork(
    edge: list[int], offset_m: list[float], speeds_mps: tuple[float, float]
) -> Alert | None:
    road = fork_map()
    fleet = on_roads(road, edge, offset_m, speed_mps=list(speeds_mps), flags=[0, SIREN])
    return alert(judge("evw", scene_of(fleet, road), road))


@pytest.mark.parametrize(
    ("offset_m", "there"),
    [
        (76.0, True),  # 7.4 s from the joint; the host 5 s
        (10.0, False),  # 14 s: not near
        (149.9, True),
    ],
)
def test_where_roads_join_others_arrive_later(offset_m: float, there: bool) -> None:
    host_m = 50.0 if offset_m < 100.0 else 90.0
    found = on_fork([STRAIGHT, SOUTH], [host_m, offset_m], (10.0, 10.0))
    assert (found is not None) == there
    if found is not None:
        assert found.action == Action.SLOW
        arrival_s = (150.0 - offset_m) / 10.0
        assert found.value == pytest.approx((100.0 - host_m) / (arrival_s + 5.0))


def test_those_who_arrive_much_later_or_elsewhere_need_not_wait() -> None:
    assert on_fork([WEST, SOUTH], [100.0, 140.0], (10.0, 10.0)) is None
    assert on_fork([RIGHT, SOUTH], [50.0, 100.0], (10.0, 10.0)) is None
    # It goes straight on where the host has turned off.
    assert on_fork([RIGHT, WEST], [50.0, 150.0], (10.0, 20.0)) is None
    assert on_fork([WEST, BRIDGE], [80.0, 90.0], (10.0, 10.0)) is None


@pytest.mark.parametrize("wrong", [{"range_m": 0.0}, {"release": 0.9}, {"clear_s": -1.0}])
def test_impossible_parameters_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EvwParams(**wrong)


def test_nobody_is_told_twice() -> None:
    road = street()
    fleet = on_roads(
        road,
        [THERE] * 4,
        [100.0, 150.0, 200.0, 250.0],
        speed_mps=[20, 10, 10, 10],
        flags=[SIREN, 0, 0, 0],
    )
    judgement = judge("evw", scene_of(fleet, road), road)
    assert sorted(judgement.host.tolist()) == [1, 2, 3]
    assert np.all(judgement.remote == 0)
