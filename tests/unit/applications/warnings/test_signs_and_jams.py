"""SLW, IVS, TJW: limits, signs and jams on the way, on both sides of each threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import (
    ABOVE,
    BACK,
    THERE,
    Alert,
    judge,
    street,
)
from tests.unit.applications.warnings.telling import (
    Content,
    board_with,
    drive,
    event,
    sign,
    tells,
    told,
)
from tests.unit.perception.roads import BACK as FORK_BACK
from tests.unit.perception.roads import RIGHT, SOUTH, STRAIGHT, WEST, fork_map
from v2x.applications.warnings.base import Stage
from v2x.messages.topics import Topic
from v2x.mobility.reactions import Action
from v2x.perception.contents import JunctionMap
from v2x.perception.scene import LevelCheck

ROAD = street(limit_mps=20.0)
LIMIT = 85

# Speed limits ------------------------------------------------------------------------------


def slw(content: Content, offset_m: float, speed_mps: float, **given: Any) -> Alert | None:
    """Return what a driver on the street is told of limits."""
    return tells("slw", ROAD, content, THERE, offset_m, speed_mps, **given)


@pytest.mark.parametrize(
    ("speed_mps", "raised", "stage"),
    [
        (15.76, True, Stage.INFORM),  # 5 % above
        (15.74, False, Stage.INFORM),  # one that stands goes on, none begins
        (14.86, False, Stage.INFORM),
        (14.84, None, None),
        (18.1, True, Stage.WARN),  # 20 % above
        (17.9, True, Stage.INFORM),
    ],
)
def test_who_is_too_fast(speed_mps: float, raised: bool | None, stage: Stage | None) -> None:
    """A sign for 15 m/s that holds here."""
    found = slw(sign(LIMIT, THERE, 100.0, 200.0, value=15.0), 150.0, speed_mps)
    if found is None:
        assert raised is None
        return
    assert (found.raised, found.stage, found.action) == (raised, stage, Action.SLOW)
    assert found.value == 15.0


@pytest.mark.parametrize(
    ("ahead_m", "there"),
    [
        # From 20 to 10 m/s with 1.5 m/s² 100 m, and 20 m/s for 1.52 s.
        (130.3, True),
        (130.5, False),
        (-199.9, True),
        (-200.1, False),
    ],
)
def test_lead_distance(ahead_m: float, there: bool) -> None:
    content = sign(LIMIT, THERE, 300.0 + ahead_m, 200.0, value=10.0)
    found = slw(content, 300.0, 20.0)
    assert (found is not None) == there
    if found is not None:
        assert found.raised
        assert found.needed_m == pytest.approx(130.4)
        assert found.value == pytest.approx(np.sqrt(100.0 + 3.0 * max(ahead_m, 0.0)))


def test_far_limits_are_of_no_interest() -> None:
    """From 40 to 5 m/s takes 586 m, but signs count within 300."""
    content = sign(LIMIT, THERE, 401.0, 200.0, value=5.0)
    assert slw(content, 100.0, 40.0) is None
    assert slw(content, 102.0, 40.0) is not None


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, True),
        ({"code": 2}, False),  # not a limit
        ({"value": np.nan}, False),
        ({"edge": ABOVE}, False),
        ({"edge": BACK}, False),
    ],
)
def test_which_signs_count(given: dict[str, Any], there: bool) -> None:
    values: dict[str, Any] = {"code": LIMIT, "edge": THERE, "offset_m": 100.0, "value": 15.0}
    found = slw(sign(length_m=200.0, **(values | given)), 150.0, 20.0)
    assert (found is not None) == there


def test_an_old_sign_does_not_count() -> None:
    content = sign(LIMIT, THERE, 100.0, 200.0, value=15.0)
    assert slw(content, 150.0, 20.0, ago_us=1_010_000) is None


@pytest.mark.parametrize(
    ("nodes", "edge", "there"),
    [
        ((1,), WEST, True),  # its own road leads to the node
        ((2,), WEST, True),  # the road ahead does
        ((0,), WEST, False),  # that of the oncoming does
        ((0,), FORK_BACK, True),
        ((3,), WEST, False),  # the turning road does
        ((6,), WEST, False),  # the bridge above does
    ],
)
def test_limits_of_the_map_count_on_roads_that_lead_to_its_nodes(
    nodes: tuple[int, ...], edge: int, there: bool
) -> None:
    """All limits are 20 m/s."""
    content = JunctionMap(nodes=nodes)
    found = tells("slw", fork_map(), content, edge, 190.0, 22.0, topic=Topic.MAP)
    assert (found is not None) == there
    if found is not None:
        assert found.raised
        assert tells("slw", fork_map(), content, edge, 190.0, 19.0, topic=Topic.MAP) is None


def test_a_sign_and_the_map_are_two_subjects() -> None:
    board = board_with(sign(LIMIT, THERE, 0.0, 1000.0, value=15.0))
    nothing = np.array([0], dtype=np.intp)
    board.take(Topic.MAP, 2, 0, 1_950_000, JunctionMap(nodes=(1,)), nothing)
    judgement = judge("slw", drive(ROAD, board, THERE, 500.0, 25.0), ROAD)
    mine = judgement.host == 0
    assert sorted(judgement.value[mine].tolist()) == [15.0, 20.0]
    assert len(set(judgement.subject[mine].tolist())) == 2


# Signs -------------------------------------------------------------------------------------


def ivs(ahead_m: float, code: int = 2, **given: Any) -> Alert | None:
    """Return what a driver is shown of a sign that holds for 100 m."""
    return tells("ivs", ROAD, sign(code, THERE, 300.0 + ahead_m), THERE, 300.0, 20.0, **given)


@pytest.mark.parametrize(
    ("ahead_m", "raised"),
    [
        (149.9, True),
        (150.1, False),
        (179.9, False),
        (180.1, None),
        (0.1, True),
        (-0.1, None),
    ],
)
def test_signs_are_shown_within_their_distance(ahead_m: float, raised: bool | None) -> None:
    found = ivs(ahead_m)
    assert (None if found is None else found.raised) == raised
    if found is not None:
        assert (found.stage, found.action) == (Stage.INFORM, Action.INFORM)


@pytest.mark.parametrize(("ahead_m", "there"), [(-99.9, True), (-100.1, False)])
def test_signs_may_be_shown_as_long_as_they_hold(ahead_m: float, there: bool) -> None:
    found = ivs(ahead_m, params={"as_long_as_it_holds": True})
    assert (found is not None) == there


def test_signs_can_be_chosen() -> None:
    assert ivs(50.0, code=LIMIT) is None  # SLW
    assert ivs(50.0, code=LIMIT, params={"codes": (LIMIT,)}) is not None
    assert ivs(50.0, params={"codes": (2, 17)}) is not None
    assert ivs(50.0, params={"codes": (17,)}) is None


@pytest.mark.parametrize("given", [{"ago_us": 1_010_000}, {"topic": Topic.DENM}])
def test_signs_that_do_not_count(given: dict[str, Any]) -> None:
    assert ivs(50.0, **given) is None


def test_without_levels_the_sign_of_the_bridge_is_shown_below_it() -> None:
    content = sign(2, ABOVE, 350.0)
    shown = {
        check: tells("ivs", ROAD, content, THERE, 300.0, 20.0, check=check) is not None
        for check in (LevelCheck.NONE, LevelCheck.GATE, LevelCheck.MAP)
    }
    assert shown == {LevelCheck.NONE: True, LevelCheck.GATE: False, LevelCheck.MAP: False}


# Jams --------------------------------------------------------------------------------------


def tjw(ahead_m: float, speed_mps: float = 10.0, code: int = 707, **given: Any) -> Alert | None:
    """Return what a driver is told of a jam of 100 m."""
    params = given.pop("params", None)
    zone = event(code, THERE, 300.0 + ahead_m, **given)
    return tells("tjw", ROAD, zone, THERE, 300.0, speed_mps, params=params)


@pytest.mark.parametrize(
    ("ahead_m", "speed_mps", "raised"),
    [
        (149.9, 10.0, True),
        (150.1, 10.0, False),
        (180.1, 10.0, None),
        (239.9, 30.0, True),  # 8 s
        (240.1, 30.0, False),
        (-100.1, 10.0, None),
    ],
)
def test_jams_are_told_by_way_or_time(
    ahead_m: float, speed_mps: float, raised: bool | None
) -> None:
    found = tjw(ahead_m, speed_mps)
    assert (None if found is None else found.raised) == raised


@pytest.mark.parametrize(("code", "there"), [(707, True), (10_001, True), (408, False)])
def test_only_jams_count(code: int, there: bool) -> None:
    assert (tjw(100.0, code=code) is not None) == there


@pytest.mark.parametrize(("speed_mps", "target_mps"), [(np.nan, 5.0), (8.0, 8.0), (0.0, 0.0)])
def test_drivers_get_as_slow_as_the_jam(speed_mps: float, target_mps: float) -> None:
    zone = event(707, THERE, 400.0, speed_mps=speed_mps)
    found = tells("tjw", ROAD, zone, THERE, 300.0, 15.0)
    assert found is not None
    assert (found.stage, found.action) == (Stage.WARN, Action.SLOW)
    way_m = 100.0 if target_mps else 98.0  # a stop ends 2 m before it
    assert found.value == pytest.approx(np.sqrt(target_mps**2 + 3.0 * way_m))


def test_who_is_told_of_a_jam_late_brakes() -> None:
    """20 to 5 m/s: 375 / (2 (d - 30.4)) is 3 m/s² at 92.9 m."""
    late, early = tjw(92.8, 20.0), tjw(93.0, 20.0)
    assert late is not None
    assert early is not None
    assert (late.action, early.action) == (Action.BRAKE, Action.SLOW)


@pytest.mark.parametrize(("lane", "there"), [(0, True), (1, False)])
def test_a_jam_of_one_lane_is_for_that_lane(lane: int, there: bool) -> None:
    zone = event(707, THERE, 400.0, lanes=frozenset({0}))
    assert (tells("tjw", ROAD, zone, THERE, 300.0, 15.0, lane=lane) is not None) == there


@pytest.mark.parametrize(
    ("at", "zone", "reroute", "action"),
    [
        ((WEST, 20.0), (STRAIGHT, 60.0), True, Action.REROUTE),  # 240 m
        ((WEST, 20.0), (STRAIGHT, 60.0), False, None),  # beyond the range
        ((WEST, 190.0), (STRAIGHT, 20.0), True, Action.BRAKE),  # too near to go elsewhere
        ((STRAIGHT, 5.0), (STRAIGHT, 95.0), True, Action.SLOW),  # on that edge
        ((WEST, 150.0), (RIGHT, 20.0), True, None),  # not on the likely way
        ((SOUTH, 100.0), (STRAIGHT, 60.0), True, None),
    ],
)
def test_another_way(
    at: tuple[int, float], zone: tuple[int, float], reroute: bool, action: Action | None
) -> None:
    found = tells(
        "tjw", fork_map(), event(707, *zone, 40.0), *at, 15.0, params={"reroute": reroute}
    )
    assert (None if found is None else found.action) == action
    if action == Action.REROUTE:
        assert found is not None
        assert (found.value, found.raised, found.stage) == (STRAIGHT, True, Stage.INFORM)


def test_other_jams_are_not_merged() -> None:
    board = board_with(event(707, THERE, 400.0), event(707, THERE, 420.0, number=5))
    judgement = judge("tjw", drive(ROAD, board, THERE, 300.0, 10.0), ROAD)
    assert (judgement.host == 0).sum() == 2
    single = board_with(event(707, THERE, 400.0))
    assert told(judge("tjw", drive(ROAD, single, THERE, 300.0, 10.0), ROAD)) is not None
