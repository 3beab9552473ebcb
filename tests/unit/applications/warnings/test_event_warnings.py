"""EBW, AVW, CLW: flags and slow vehicles ahead, on both sides of each threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import (
    ABOVE,
    BACK,
    BEYOND,
    THERE,
    alert,
    follows,
    judge,
    street,
)
from tests.unit.perception.roads import on_roads, scene_of
from v2x import registry
from v2x.applications.warnings.base import Stage
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck

BRAKES, ABS, BROKEN = KeyEvent.HARD_BRAKING, KeyEvent.ABS, KeyEvent.DISABLED_VEHICLE
#: A situation in which each of them has something to say.
CASES = {
    "ebw": {"gap_m": 60.0, "speeds_mps": (20.0, 15.0), "flags": [0, BRAKES]},
    "avw": {"gap_m": 80.0, "speeds_mps": (20.0, 0.0)},
    "clw": {"gap_m": 60.0, "speeds_mps": (20.0, 15.0), "flags": [0, ABS]},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, True),
        ({"lane": [0, 1]}, True),  # beside
        ({"lane": [0, 2]}, False),  # two lanes away
        ({"edge": [THERE, BEYOND], "offset_m": [100.0, 835.0]}, False),  # behind a median
        ({"edge": [THERE, ABOVE]}, False),  # another deck
        ({"offset_m": [100.0, 35.0]}, False),  # behind
        ({"ages_us": 1_100_000}, False),  # too old
        ({"kind": [0, NodeKind.RSU]}, False),
        ({"check": LevelCheck.NONE}, True),
        ({"check": LevelCheck.NONE, "y_m": [0.0, -5.9]}, True),  # 2 + 0.5 + a lane of 3.5
        ({"check": LevelCheck.NONE, "y_m": [0.0, -6.1]}, False),
        ({"check": LevelCheck.GATE, "z_m": [0.0, 3.6]}, False),
    ],
)
def test_who_counts(name: str, given: dict[str, Any], there: bool) -> None:
    assert (follows(name, **(CASES[name] | given)) is not None) == there


@pytest.mark.parametrize("name", ["ebw", "clw"])
@pytest.mark.parametrize(
    ("gap_m", "raised"), [(99.0, True), (101.0, False), (149.0, False), (151.0, None)]
)
def test_events_count_within_five_seconds(name: str, gap_m: float, raised: bool | None) -> None:
    """At 20 m/s behind somebody who is as fast: 100 m, and half as much again to go on."""
    found = follows(name, gap_m, (20.0, 20.0), flags=CASES[name]["flags"])
    assert (None if found is None else found.raised) == raised


@pytest.mark.parametrize(
    ("name", "flags", "there"),
    [
        ("ebw", 0, False),
        ("ebw", BRAKES, True),
        ("ebw", ABS, False),
        ("clw", ABS, True),
        ("clw", KeyEvent.TRACTION_LOSS, True),
        ("clw", KeyEvent.STABILITY_CONTROL, True),
        ("clw", BRAKES, False),
        ("clw", 0, False),
        ("avw", 0, False),
        ("avw", BROKEN, True),
        ("avw", KeyEvent.HAZARD_LIGHTS, True),
        ("avw", BRAKES, False),
    ],
)
def test_which_flags_count(name: str, flags: int, there: bool) -> None:
    assert (follows(name, 40.0, (20.0, 12.0), flags=[0, flags]) is not None) == there


@pytest.mark.parametrize(
    ("gap_m", "stage"),
    [(90.0, Stage.WARN), (49.2, Stage.WARN), (48.9, Stage.IMMINENT), (20.0, Stage.IMMINENT)],
)
def test_hard_braking_ahead_asks_for_what_stops_behind_it(gap_m: float, stage: Stage) -> None:
    """Both at 20 m/s, the one ahead brakes with 4 m/s² and stands after 50 m.

    A driver who reacts after 1.52 s needs 400/(2 (gap - 2 - 30.4 + 50)) m/s², which is comfort,
    3 m/s², at 49.07 m; one who brakes at once needs less.
    """
    found = follows("ebw", gap_m, (20.0, 20.0), acceleration_mps2=[0, -4], flags=[0, BRAKES])
    assert found is not None
    assert (found.stage, found.action) == (stage, Action.BRAKE)
    assert found.value == pytest.approx(400 / (2 * (gap_m - 2.0 + 50.0)))


def test_nobody_is_asked_to_brake_for_what_is_solved_by_itself() -> None:
    """At 10 m/s 45 m behind somebody who needs 50 m to stop: 0.55 m/s², less than 0.1 g."""
    found = follows("ebw", 45.0, (10.0, 20.0), acceleration_mps2=[0, -4], flags=[0, BRAKES])
    assert found is not None
    assert (found.stage, found.action) == (Stage.INFORM, Action.INFORM)


def test_braking_beside_is_only_told() -> None:
    found = follows(
        "ebw", 20.0, (20.0, 20.0), lane=[0, 1], acceleration_mps2=[0, -4], flags=[0, BRAKES]
    )
    assert found is not None
    assert (found.stage, found.action) == (Stage.INFORM, Action.INFORM)


def test_room_for_those_between_is_left() -> None:
    """Two cars of 5 m stand between in the end: 14 m less room for the last one."""
    road = street()
    fleet = on_roads(
        road,
        [THERE] * 5,
        [100.0, 130.0, 150.0, 185.0, 140.0],
        speed_mps=20.0,
        acceleration_mps2=[0, 0, 0, -4, 0],
        flags=[0, 0, 0, BRAKES, 0],
        lane=[0, 0, 0, 0, 1],
    )
    judgement = judge("ebw", scene_of(fleet, road), road)
    for host, n_between, gap_m in ((0, 2, 80.0), (1, 1, 50.0), (2, 0, 30.0)):
        found = alert(judgement, host, 3)
        assert found is not None
        assert found.distance_m == pytest.approx(gap_m)
        assert found.value == pytest.approx(400 / (2 * (gap_m - 2.0 - 7.0 * n_between + 50.0)))
    beside = alert(judgement, 4, 3)
    assert beside is not None
    assert beside.action == Action.INFORM


@pytest.mark.parametrize(
    ("gap_m", "raised", "stage", "action", "value"),
    [
        (241.0, None, None, None, None),
        (239.0, False, Stage.INFORM, Action.SLOW, np.sqrt(3.0 * 237.0)),
        (161.0, False, Stage.INFORM, Action.SLOW, np.sqrt(3.0 * 159.0)),
        (159.0, True, Stage.INFORM, Action.SLOW, np.sqrt(3.0 * 157.0)),
        (121.0, True, Stage.INFORM, Action.SLOW, np.sqrt(3.0 * 119.0)),
        (119.0, True, Stage.WARN, Action.BRAKE, 400 / (2 * 117.0)),
        # Comfort is left where 400/(2 (gap - 2 - 30.4)) is 3.
        (99.2, True, Stage.WARN, Action.BRAKE, 400 / (2 * 97.2)),
        (98.9, True, Stage.IMMINENT, Action.BRAKE, 400 / (2 * 96.9)),
    ],
)
def test_somebody_who_stands_is_told_of_in_time(
    gap_m: float, raised: bool | None, stage: Stage, action: Action, value: float
) -> None:
    """At 20 m/s: 8 s, 6 s, and half as much again as 8 s to go on."""
    found = follows("avw", gap_m, (20.0, 0.0))
    if raised is None:
        assert found is None
        return
    assert found is not None
    assert (found.raised, found.stage, found.action) == (raised, stage, action)
    assert found.value == pytest.approx(value)


@pytest.mark.parametrize(("speed_mps", "there"), [(3.9, True), (4.1, False)])
def test_slow_is_below_a_fifth_of_the_limit_where_few_are_known(
    speed_mps: float, there: bool
) -> None:
    assert (follows("avw", 60.0, (15.0, speed_mps)) is not None) == there


@pytest.mark.parametrize(
    ("others_mps", "there"),
    [
        ((20.0, 14.0), True),  # with the host's 14: mean 16, a fifth 3.2
        ((14.0, 14.0), False),  # mean 14, a fifth 2.8
        ((3.0, 3.0), False),
    ],
)
def test_slow_is_below_a_fifth_of_the_mean(others_mps: tuple[float, float], there: bool) -> None:
    road = street()
    fleet = on_roads(
        road,
        [THERE] * 4,
        [100.0, 160.0, 300.0, 350.0],
        speed_mps=[14.0, 3.0, *others_mps],
        lane=[0, 0, 1, 1],
    )
    found = alert(judge("avw", scene_of(fleet, road), road))
    assert (found is not None) == there


@pytest.mark.parametrize(("own_mps", "there"), [(14.0, False), (16.0, True)])
def test_where_all_are_slow_only_breakdowns_are_abnormal(own_mps: float, there: bool) -> None:
    """The host and two who stand: a mean of 4.7 or 5.3 m/s, and a road that flows above 5."""
    road = street()
    for flags, expected in ((0, there), (BROKEN, True)):
        fleet = on_roads(
            road,
            [THERE] * 4,
            [100.0, 160.0, 300.0, 350.0],
            speed_mps=[own_mps, 0.0, 0.0, 0.0],
            flags=[0, flags, 0, 0],
            lane=[0, 0, 1, 1],
        )
        scene = scene_of(fleet, road)
        found = alert(judge("avw", scene, road, flowing_mps=5.0))
        assert (found is not None) == expected


@pytest.mark.parametrize(
    ("rest_m", "turn", "flags", "there"),
    [
        (51.0, 0, 0, True),
        (49.0, 0, 0, False),
        (49.0, 0, BROKEN, True),
        (300.0, 1, 0, False),  # waits to turn
    ],
)
def test_who_waits_at_a_signal_or_to_turn_is_not_abnormal(
    rest_m: float, turn: int, flags: int, there: bool
) -> None:
    road = replace(street(), node_signal=np.array([False, True, False, False, False, False]))
    found = follows(
        "avw",
        60.0,
        (20.0, 0.0),
        road_map=road,
        offset_m=[1000.0 - rest_m - 65.0, 1000.0 - rest_m],
        turn=[0, turn],
        flags=[0, flags],
    )
    assert (found is not None) == there


@pytest.mark.parametrize(
    ("given", "action"),
    [
        ({"flags": [0, BROKEN], "lane": [0, 0]}, Action.SLOW),
        ({"flags": [0, BROKEN], "lane": [0, 1]}, Action.INFORM),
    ],
)
def test_a_breakdown_beside_is_only_told(given: dict[str, Any], action: Action) -> None:
    found = follows("avw", 150.0, (20.0, 0.0), **given)
    assert found is not None
    assert found.action == action


def test_who_loses_grip_ahead_is_approached_gently() -> None:
    told = follows("clw", 60.0, (20.0, 18.0), flags=[0, ABS])
    assert told is not None
    assert (told.stage, told.action) == (Stage.INFORM, Action.SLOW)
    assert told.value == pytest.approx(18.0 + np.sqrt(3.0 * 58.0))
    near = follows("clw", 60.0, (20.0, 0.0), flags=[0, ABS])
    assert near is not None
    assert (near.stage, near.action) == (Stage.IMMINENT, Action.BRAKE)
    beside = follows("clw", 60.0, (20.0, 18.0), flags=[0, ABS], lane=[0, 1])
    assert beside is not None
    assert beside.action == Action.KEEP_LANE


@pytest.mark.parametrize(
    ("edge", "gap_m", "raised"),
    [
        (BACK, 174.0, True),  # 35 m/s together, 5 s
        (BACK, 176.0, False),
        (BACK, 263.0, None),
        (BEYOND, 100.0, None),  # another carriageway
        (ABOVE, 100.0, None),
    ],
)
def test_oncoming_vehicles_that_lose_grip(edge: int, gap_m: float, raised: bool | None) -> None:
    offset_m = 100.0 + gap_m if edge == ABOVE else 1000.0 - 100.0 - gap_m
    given = {"edge": [THERE, edge], "offset_m": [100.0, offset_m], "flags": [0, ABS]}
    found = follows("clw", gap_m, (20.0, 15.0), **given)
    assert (None if found is None else found.raised) == raised
    if found is not None:
        assert found.distance_m == pytest.approx(gap_m)
        assert found.closing_mps == pytest.approx(35.0)
        assert found.action == Action.KEEP_LANE
    assert follows("clw", gap_m, (20.0, 15.0), params={"oncoming": False}, **given) is None


def test_oncoming_without_a_map_is_by_direction() -> None:
    given = {"flags": [0, ABS], "check": LevelCheck.NONE, "heading_rad": [0.0, np.pi]}
    found = follows("clw", 100.0, (20.0, 15.0), y_m=[0.0, 5.0], **given)
    assert found is not None
    assert found.distance_m == pytest.approx(100.0)
    assert follows("clw", 100.0, (20.0, 15.0), y_m=[0.0, 6.1], **given) is None
    above = given | {"check": LevelCheck.GATE, "z_m": [0.0, 8.0]}
    assert follows("clw", 100.0, (20.0, 15.0), **above) is None
    slanted = given | {"heading_rad": [0.0, np.deg2rad(149.0)]}
    assert follows("clw", 100.0, (20.0, 15.0), **slanted) is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("ebw", {"relevance_s": 0.0}),
        ("ebw", {"release": 0.9}),
        ("ebw", {"lanes_aside": -1}),
        ("clw", {"relevance_s": 0.0}),
        ("clw", {"release": 0.9}),
        ("clw", {"lanes_aside": 11}),
        ("avw", {"warn_s": 9.0}),
        ("avw", {"speed_share": 1.1}),
        ("avw", {"least_known": 0}),
        ("avw", {"signal_m": -1.0}),
    ],
)
def test_impossible_parameters_are_refused(name: str, wrong: dict[str, Any]) -> None:
    kind = registry.load("v2x.warnings", name)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind.Params(**wrong)
