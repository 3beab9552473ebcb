"""RLVW: red on arrival, the room to stop, the dilemma, and what a host has to know for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import judge
from tests.unit.applications.warnings.junction_scenes import (
    NOW_US,
    RADIUS_M,
    SOUTH,
    WEST,
    WEST_OUT,
    before,
    crossroads,
    lights,
)
from tests.unit.mobility.conftest import make_map
from v2x.applications.warnings.base import Judgement, Stage
from v2x.applications.warnings.red_light import RlvwParams
from v2x.messages.topics import Topic
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.mobility.signals.lights import Light
from v2x.perception.contents import SignalForecast

ROAD = crossroads()
#: 14 m/s, 1.52 s and 3 m/s² stop in 53.95 m, 3.5 m before the line.
LAST_M = 14.0 * 1.52 + 14.0**2 / 6.0 + 3.5


def rlvw(
    line_m: float = 45.0,
    light: Light = Light.RED,
    *,
    speed_mps: float = 14.0,
    edge: int = WEST,
    params: dict[str, Any] | None = None,
    columns: dict[str, Any] | None = None,
    **told: Any,
) -> Judgement:
    """Return what a driver is told who is so far before the stop line."""
    board = lights(ROAD, {WEST: light, WEST_OUT: light}, **told)
    scene = before(
        ROAD,
        [edge, SOUTH],
        [line_m + RADIUS_M, 200.0],
        [speed_mps, 0.0],
        board=board,
        **(columns or {}),
    )
    return judge("rlvw", scene, ROAD, **(params or {}))


def raised(judgement: Judgement) -> bool | None:
    """Return whether row 0 gets an alert, None if there is nothing to be told."""
    if 0 not in judgement.host.tolist():
        return None
    return bool(judgement.raised[judgement.host.tolist().index(0)])


def test_the_alert_is_about_the_stop_line_of_the_node() -> None:
    found = rlvw(ages_us=300_000)
    assert found.host.tolist() == [0]
    assert found.subject.tolist() == [0]
    assert found.remote.tolist() == [-1]
    assert found.raised.tolist() == [True]
    assert found.action.tolist() == [Action.BRAKE]
    assert found.stage.tolist() == [Stage.IMMINENT]
    assert found.value == pytest.approx([14.0**2 / 83.0])
    assert found.distance_m == pytest.approx([45.0])
    assert found.generated_us.tolist() == [NOW_US - 300_000]


@pytest.mark.parametrize(
    ("line_m", "expected"),
    [
        (LAST_M - 0.1, True),
        (LAST_M + 0.1, False),
        # Below 2 m/s², a standing alert ends.
        (14.0 * 1.52 + 14.0**2 / 4.0 + 3.4, False),
        (14.0 * 1.52 + 14.0**2 / 4.0 + 3.6, None),
    ],
)
def test_red_where_stopping_takes_more_than_comfort(line_m: float, expected: bool | None) -> None:
    assert raised(rlvw(line_m)) == expected


@pytest.mark.parametrize(
    ("light", "told", "expected"),
    [
        # 42 m take 3 s.
        (Light.RED, {}, True),  # nobody knows until when
        (Light.RED, {"changes_s": 2.9}, None),
        (Light.RED, {"changes_s": 3.1}, True),
        (Light.RED, {"changes_s": 9.0, "green_s": (2.9, 20.0)}, None),
        (Light.RED, {"changes_s": 9.0, "green_s": (3.1, 20.0)}, True),
        (Light.YELLOW, {"changes_s": 2.9}, True),
        (Light.YELLOW, {"changes_s": 2.9, "green_s": (2.95, 9.0)}, None),
        (Light.PROTECTED_GREEN, {"green_s": (-5.0, 20.0)}, None),
        (Light.PROTECTED_GREEN, {}, None),  # nobody knows until when
        (Light.PERMISSIVE_GREEN, {"green_s": (-5.0, -0.1)}, True),  # 3 s of yellow
        (Light.PERMISSIVE_GREEN, {"changes_s": -0.1}, True),
        (Light.DARK, {}, None),
        (Light.FLASHING_YELLOW, {"changes_s": 0.0}, None),
        (Light.UNAVAILABLE, {}, None),
    ],
)
def test_the_light_on_arrival(light: Light, told: dict[str, Any], expected: bool | None) -> None:
    assert raised(rlvw(42.0, light, **told)) == expected


def test_who_gets_over_the_line_but_not_out_of_the_junction_is_told() -> None:
    # The line is 2 s away; its rear leaves the junction after 28 + 7 + 5 = 40 m: 2.86 s.
    for red_s, expected in ((2.8, True), (2.9, None)):
        told = rlvw(28.0, Light.YELLOW, changes_s=red_s)
        assert raised(told) == expected
        if expected:
            assert told.action.tolist() == [Action.INFORM]
            assert told.stage.tolist() == [Stage.INFORM]
    assert raised(rlvw(28.0, Light.YELLOW, changes_s=2.8, params={"clears": False})) is None
    # Who can stop with comfort has none.
    assert raised(rlvw(LAST_M - 1.0, Light.YELLOW, changes_s=4.5)) is True
    assert raised(rlvw(LAST_M + 1.0, Light.YELLOW, changes_s=4.5)) is False


def test_to_stand_in_the_junction_helps_nobody() -> None:
    # With 0.7 g, 14 m/s need 14.27 m; 2 m behind the line are borne.
    for line_m, action in ((12.5, Action.BRAKE), (12.0, Action.INFORM)):
        found = rlvw(line_m)
        assert raised(found)
        assert found.action.tolist() == [action]


@pytest.mark.parametrize(
    "given",
    [
        {"map_known": False},
        {"hosts": (1,)},  # only the other has the messages
        {"ages_us": 1_100_000},  # older than the memory of 1 s
        {"edge": WEST_OUT},  # leads away
        {"line_m": -1.0},  # behind the line
        {"speed_mps": 0.4},
        {"columns": {"kind": [NodeKind.RSU, 0]}},
        {"columns": {"kind": [NodeKind.VRU, 0]}},
        {"columns": {"turn": [-1, 0]}},  # turns right
    ],
)
def test_nobody_is_warned(given: dict[str, Any]) -> None:
    assert raised(rlvw()) is True
    assert raised(rlvw(**given)) is None


def test_the_memory_of_a_second_counts() -> None:
    assert raised(rlvw(ages_us=900_000)) is True


def test_turning_right_at_red_may_be_forbidden() -> None:
    turns = {"columns": {"turn": [-1, 0]}}
    assert raised(rlvw(**turns, params={"right_on_red": False})) is True


@pytest.mark.parametrize(("speed_mps", "expected"), [(32.0, None), (31.0, True)])
def test_farther_away_nobody_is_warned(speed_mps: float, expected: bool | None) -> None:
    line_m = 151.0 if expected is None else 149.0
    assert raised(rlvw(line_m, speed_mps=speed_mps)) == expected


@pytest.mark.parametrize(("braking", "expected"), [(2.0, True), (2.1, False)])
def test_no_alert_begins_while_the_driver_stops_at_the_line(braking: float, expected: bool) -> None:
    # 14² / (2 · 47) = 2.085.
    assert raised(rlvw(columns={"acceleration_mps2": [-braking, 0.0]})) == expected


def test_the_newest_forecast_counts() -> None:
    board = lights(ROAD, {WEST: Light.RED}, ages_us=400_000)
    green = next(iter(lights(ROAD, {WEST: Light.PROTECTED_GREEN}).notices(Topic.SPAT)))
    assert isinstance(green.content, SignalForecast)
    for sender, ago_us, expected in ((1, 500_000, True), (2, 100_000, None)):
        board.take(Topic.SPAT, sender % 2, sender, NOW_US - ago_us, green.content, np.array([0]))
        scene = before(ROAD, [WEST, SOUTH], [45.0, 200.0], [14.0, 0.0], board=board)
        assert raised(judge("rlvw", scene, ROAD)) == expected


def test_lights_behind_a_bend_that_splits_the_road_are_those_of_the_host() -> None:
    """The road to the lights consists of two edges, of which the host is on the first."""
    road = make_map(
        [
            (1, 4, [(-100.0, 0.0), (-30.0, 0.0)], {}),
            (4, 0, [(-30.0, 0.0), (0.0, 0.0)], {}),
            (0, 2, [(0.0, 0.0), (100.0, 0.0)], {}),
            (3, 0, [(0.0, -100.0), (0.0, 0.0)], {}),
            (0, 5, [(0.0, 0.0), (0.0, 100.0)], {}),
        ],
        node_signal=[True, False, False, False, False, False],
    )
    board = lights(road, {1: Light.RED})
    scene = before(road, [0, 3], [10.0, 50.0], [14.0, 0.0], board=board)
    found = judge("rlvw", scene, road)
    assert found.host.tolist() == [0]
    assert found.distance_m == pytest.approx([40.0 - 3.0])


@pytest.mark.parametrize(
    "params", [{"farthest_m": 1.0}, {"yellow_s": -1.0}, {"overshoot_m": 99.0}, {"release": 0.5}]
)
def test_impossible_thresholds_are_rejected(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(params))):
        RlvwParams(**params)
