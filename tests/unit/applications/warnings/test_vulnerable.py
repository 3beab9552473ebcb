"""VRUCW: both sides of each threshold, and everybody of whom nobody is warned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from tests.unit.applications.warnings.judging import Alert, alert, judge
from tests.unit.applications.warnings.junction_scenes import (
    ARM_M,
    NOW_US,
    SOUTH_OUT,
    WEST,
    crossroads,
)
from tests.unit.perception import roads
from v2x.applications.warnings.base import Stage
from v2x.applications.warnings.vulnerable import VrucwParams
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck

ROAD = crossroads()
#: Where the host's front is, 200 m before the junction, and its lateral place in its lane.
FRONT_M, RIGHT_M = 100.0, 1.75


def walker(
    ahead_m: float = 35.0,
    right_m: float = 5.0,
    *,
    walk_mps: float = 1.4,
    turned_deg: float = 90.0,
    speed_mps: float = 14.0,
    length_m: float = 0.5,
    check: LevelCheck = LevelCheck.MAP,
    ages_us: int = 0,
    edge: int = WEST,
    params: dict[str, Any] | None = None,
    **columns: Any,
) -> Alert | None:
    """Return what a driver on the western arm is told of somebody before the front.

    The other is so far ahead of the front and to the right of the middle of the host.
    """
    values: dict[str, Any] = {
        "kind": [NodeKind.CAR, NodeKind.VRU],
        "edge": [WEST, edge],
        "lane": [0, -1],
        "length_m": [5.0, length_m],
        "width_m": [2.0, 0.5],
        "speed_mps": [speed_mps, walk_mps],
        "heading_rad": [0.0, np.deg2rad(turned_deg)],
        "offset_m": [FRONT_M, FRONT_M + ahead_m],
        "y_m": [-RIGHT_M, -RIGHT_M - right_m],
    }
    x = -ARM_M + FRONT_M + np.array([-2.5, ahead_m])
    fleet = fleet_state(NOW_US, x, **(values | columns))
    scene = roads.scene_of(fleet, ROAD, check, ages_us=ages_us)
    return alert(judge("vrucw", scene, ROAD, **(params or {})))


def test_the_alert_is_about_the_place_before_the_other() -> None:
    found = walker()
    assert found is not None
    assert found.raised
    assert found.action == Action.BRAKE
    assert found.distance_m == pytest.approx(33.0)
    assert found.value == pytest.approx(14.0**2 / 66)
    assert found.stage == Stage.IMMINENT


@pytest.mark.parametrize(
    ("given", "raised"),
    [
        # It gets into the way 1.75 m (half of both, and 0.5 m) before the middle line; 2.5 s for
        # the car, then 2 s and a spread of 1 s: 5.5 s.
        ({"right_m": 1.75 + 1.4 * 5.4}, True),
        ({"right_m": 1.75 + 1.4 * 5.6}, False),
        ({"right_m": 1.75 + 1.4 * 6.4}, False),  # 1.5 times 2 s: a standing alert goes on
        ({"right_m": 1.75 + 1.4 * 6.6}, None),
        # Need: 14² / (2 · 49) = 2.
        ({"ahead_m": 50.9}, True),
        ({"ahead_m": 51.1}, False),
        # The first within 4.5 s: the car at 5 s, the other at 5.4 s less 1 s.
        ({"ahead_m": 125.0, "speed_mps": 25.0, "right_m": 1.75 + 1.4 * 5.4}, True),
        ({"ahead_m": 125.0, "speed_mps": 25.0, "right_m": 1.75 + 1.4 * 5.6}, False),
    ],
)
def test_each_side_of_the_thresholds(given: dict[str, Any], raised: bool | None) -> None:
    found = walker(**given)
    assert (None if found is None else found.raised) == raised


@pytest.mark.parametrize(
    "given",
    [
        {"walk_mps": 0.0},  # stands beside the lane
        {"turned_deg": -90.0},  # walks away
        {"turned_deg": 0.0},  # walks along, beside the lane
        {"right_m": -2.0},  # has left the way
        {"ahead_m": -10.0},  # behind
        {"kind": [NodeKind.CAR, NodeKind.CAR]},
        {"kind": [NodeKind.VRU, NodeKind.VRU], "lane": -1},
        {"speed_mps": 0.4},
        {"ages_us": 1_100_000},
        {"heading_rad": [0.0, np.nan]},
    ],
)
def test_nobody_is_warned(given: dict[str, Any]) -> None:
    assert walker() is not None
    assert walker(**given) is None


@pytest.mark.parametrize("turned_deg", [0.0, 180.0, 90.0])
@pytest.mark.parametrize(("right_m", "there"), [(1.7, True), (1.8, False)])
def test_who_stands_in_the_way_counts_whatever_the_direction(
    turned_deg: float, right_m: float, there: bool
) -> None:
    # Half of both widths and 0.5 m.
    assert (walker(right_m=right_m, turned_deg=turned_deg, walk_mps=0.0) is not None) == there


@pytest.mark.parametrize(
    ("turned_deg", "right_m", "there"),
    [
        (29.0, 3.0, False),  # along the street, on the pavement
        (31.0, 3.0, True),  # onto the street
        (29.0, 1.6, True),  # along, but on the lane: its outer edge is 1.75 m to the right
        (151.0, 3.0, False),  # towards the host
    ],
)
def test_walking_along_the_pavement_is_no_crossing(
    turned_deg: float, right_m: float, there: bool
) -> None:
    found = walker(20.0, right_m, turned_deg=turned_deg, speed_mps=10.0, walk_mps=2.0)
    assert (found is not None) == there


def test_without_a_map_pavements_are_not_known() -> None:
    given = {"turned_deg": 29.0, "speed_mps": 10.0, "walk_mps": 2.0}
    assert walker(20.0, 3.0, **given) is None
    assert walker(20.0, 3.0, **given, check=LevelCheck.NONE) is not None


def test_two_wheelers_come_from_farther_away() -> None:
    assert walker(right_m=15.0) is None
    assert walker(right_m=15.0, walk_mps=4.0, length_m=1.8) is not None


@pytest.mark.parametrize(("braking", "raised"), [(2.7, True), (2.9, False)])
def test_no_alert_begins_while_the_host_brakes_as_it_needs(braking: float, raised: bool) -> None:
    # 14² / (2 · 35) = 2.8.
    found = walker(acceleration_mps2=[-braking, 0.0])
    assert found is not None
    assert found.raised == raised


@pytest.mark.parametrize(("turn", "there"), [(-1, True), (0, False), (1, False)])
def test_who_turns_is_followed_into_the_next_street(turn: int, there: bool) -> None:
    """Somebody walks over the southern arm, 10 m behind the middle, from the east."""
    fleet = fleet_state(
        NOW_US,
        [-20.0 - 2.5, 3.0],
        y_m=[-1.75, -10.0],
        kind=[NodeKind.CAR, NodeKind.VRU],
        edge=[WEST, SOUTH_OUT],
        lane=[0, -1],
        offset_m=[ARM_M - 20.0, 10.0],
        speed_mps=[12.0, 1.4],
        heading_rad=[0.0, np.pi],
        length_m=[5.0, 0.5],
        width_m=[2.0, 0.5],
        turn=[turn, 0],
    )
    found = alert(judge("vrucw", roads.scene_of(fleet, ROAD), ROAD))
    assert (found is not None) == there
    if found is not None:
        assert found.distance_m == pytest.approx(20.0 + 10.0 - 2.0)


def test_other_decks_are_left_out() -> None:
    road = roads.fork_map()

    def judged(check: LevelCheck, height_m: float) -> Alert | None:
        fleet = fleet_state(
            NOW_US,
            [60.0, 100.0],
            y_m=[0.0, -4.0],
            z_m=[0.0, height_m],
            heading_rad=[0.0, np.pi / 2],
            speed_mps=[14.0, 1.4],
            kind=[NodeKind.CAR, NodeKind.VRU],
            edge=[roads.WEST, roads.BRIDGE],
            level=[0, 1],
            lane=[0, -1],
            offset_m=[62.5, 96.0],
        )
        return alert(judge("vrucw", roads.scene_of(fleet, road, check), road))

    assert judged(LevelCheck.NONE, 8.0) is not None
    assert judged(LevelCheck.GATE, 3.4) is not None
    assert judged(LevelCheck.GATE, 3.5) is None
    assert judged(LevelCheck.MAP, 0.0) is None


@pytest.mark.parametrize(
    "params", [{"apart_s": 0.0}, {"spread_s": -1.0}, {"margin_m": 9.0}, {"release": 0.5}]
)
def test_impossible_thresholds_are_rejected(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(params))):
        VrucwParams(**params)
