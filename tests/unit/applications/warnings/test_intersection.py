"""ICW: both sides of each threshold, and everybody of whom nobody is warned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from tests.unit.applications.warnings.judging import Alert, alert, judge
from tests.unit.applications.warnings.junction_scenes import (
    EAST,
    NORTH,
    NOW_US,
    RADIUS_M,
    SOUTH,
    SOUTH_OUT,
    WEST,
    before,
    crossroads,
    lights,
    priority_road,
)
from tests.unit.perception import roads
from v2x.applications.warnings.base import Stage
from v2x.applications.warnings.intersection import IcwParams
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.mobility.signals.lights import Light
from v2x.perception.scene import LevelCheck

ROAD = crossroads()


def icw(
    to_node_m: tuple[float, float],
    speeds_mps: tuple[float, float] = (14.0, 14.0),
    *,
    edges: tuple[int, int] = (WEST, SOUTH),
    params: dict[str, Any] | None = None,
    **given: Any,
) -> Alert | None:
    """Return what a driver from the west is told of a car from the south."""
    road = given.pop("road_map", ROAD)
    scene = before(road, edges, to_node_m, speeds_mps, **given)
    return alert(judge("icw", scene, road, **(params or {})))


def straight(
    turned_deg: float = 90.0,
    *,
    check: LevelCheck = LevelCheck.NONE,
    way_m: float = 40.0,
    **given: Any,
) -> Alert | None:
    """Return what a driver is told of a car that crosses its line 40 m ahead, without a map."""
    angle = np.deg2rad(turned_deg)
    fleet = fleet_state(
        NOW_US,
        [0.0, 40.0 - way_m * np.cos(angle)],
        y_m=[0.0, -way_m * np.sin(angle)],
        heading_rad=[0.0, angle],
        speed_mps=14.0,
        edge=-1,
        **given,
    )
    return alert(judge("icw", roads.scene_of(fleet, ROAD, check), ROAD))


def test_the_alert_is_about_the_stop_line() -> None:
    found = icw((40.0, 40.0))
    assert found is not None
    assert found.raised
    assert found.action == Action.BRAKE
    room = 40.0 - RADIUS_M
    assert found.distance_m == pytest.approx(room)
    assert found.closing_mps == 14.0
    assert found.value == pytest.approx(14.0**2 / (2 * room))
    # 0.75 of 0.7 g, after 1.52 s.
    assert found.needed_m == pytest.approx(14.0 * 1.52 + 14.0**2 / (1.5 * 0.7 * 9.81))


@pytest.mark.parametrize(
    ("to_node_m", "speeds_mps", "raised"),
    [
        # Need: 14² / (2 · 49) = 2.
        ((48.9 + RADIUS_M, 50.0), (14.0, 14.0), True),
        ((49.1 + RADIUS_M, 50.0), (14.0, 14.0), False),
        # 2 s apart.
        ((50.0, 77.9), (14.0, 14.0), True),
        ((50.0, 78.1), (14.0, 14.0), False),
        ((50.0, 22.1), (14.0, 14.0), True),
        ((50.0, 21.9), (14.0, 14.0), False),
        # The first within 4.5 s.
        ((112.0, 112.0), (25.0, 25.0), True),
        ((113.0, 113.0), (25.0, 25.0), False),
    ],
)
def test_each_side_of_the_thresholds(
    to_node_m: tuple[float, float], speeds_mps: tuple[float, float], raised: bool
) -> None:
    found = icw(to_node_m, speeds_mps)
    assert found is not None
    assert found.raised == raised


@pytest.mark.parametrize(("remote_m", "there"), [(91.9, True), (92.1, False)])
def test_a_standing_alert_goes_on_for_longer(remote_m: float, there: bool) -> None:
    assert (icw((50.0, remote_m)) is not None) == there


def test_where_comfort_is_not_enough_it_is_imminent() -> None:
    # After 1.52 s: 14² / (2 · (52.5 - 21.3)) = 3.1, with 54.5 - 21.3: 2.95.
    far, near = icw((54.5 + RADIUS_M, 54.0), params={"need_mps2": 1.0}), icw((50.0, 50.0))
    assert far is not None
    assert near is not None
    assert (far.stage, near.stage) == (Stage.WARN, Stage.IMMINENT)


@pytest.mark.parametrize(
    ("turned_deg", "there"), [(29.0, False), (31.0, True), (149.0, True), (151.0, False)]
)
def test_directions_that_cross(turned_deg: float, there: bool) -> None:
    assert (straight(turned_deg) is not None) == there
    assert (straight(-turned_deg) is not None) == there


@pytest.mark.parametrize(
    "columns",
    [
        {"speeds_mps": (14.0, 0.4)},  # the other stands
        {"speeds_mps": (0.4, 14.0)},  # the host stands
        {"acceleration_mps2": [0.0, -3.0]},  # the other stops before the line
        {"turn": [-1, 0]},  # the host turns right, out of the other's way
        {"edges": (WEST, EAST)},  # oncoming
        {"edges": (WEST, NORTH), "turn": [0, -1]},  # turns right, into the other half
        {"edges": (WEST, SOUTH_OUT)},  # leads away from the junction
        {"kind": [0, NodeKind.VRU], "lane": [0, -1]},
        {"kind": [NodeKind.VRU, 0], "lane": [-1, 0]},
        {"speeds_mps": (14.0, np.nan)},  # does not tell its speed
        {"ages_us": 1_100_000},  # said too long ago
    ],
)
def test_nobody_is_warned(columns: dict[str, Any]) -> None:
    assert icw((40.0, 40.0)) is not None
    assert icw((40.0, 40.0), **columns) is None


@pytest.mark.parametrize("turn", [0, 1, -1])
def test_who_merges_into_the_way_of_the_host_counts(turn: int) -> None:
    # From the south: straight on and left cross, right merges.
    assert icw((40.0, 40.0), turn=[0, turn]) is not None


def test_who_brakes_too_little_counts() -> None:
    assert icw((40.0, 40.0), acceleration_mps2=[0.0, -2.0]) is not None


def test_no_alert_begins_while_the_host_brakes_as_it_needs() -> None:
    # 14² / (2 · (36.5 + 2)) = 2.55.
    for braking, raised in ((2.5, True), (2.6, False)):
        found = icw((40.0, 40.0), acceleration_mps2=[-braking, 0.0])
        assert found is not None
        assert found.raised == raised


@pytest.mark.parametrize(("beyond_m", "there"), [(2.0, True), (3.0, False)])
def test_who_has_passed_is_no_danger(beyond_m: float, there: bool) -> None:
    # Its front is half of 5 m farther on than its middle.
    assert (straight(way_m=-beyond_m) is not None) == there


def test_it_is_too_late_to_stop_in_the_way_of_the_other() -> None:
    # Behind the line there is room up to half of 2 m before the middle.
    assert icw((1.1, 5.0)) is not None
    assert icw((0.9, 5.0)) is None


def test_bridges_are_no_junctions() -> None:
    road = roads.fork_map()
    edges, offsets = [roads.WEST, roads.BRIDGE], [60.0, 60.0]

    def judged(check: LevelCheck, height_m: float) -> Alert | None:
        fleet = roads.on_roads(
            road, edges, offsets, speed_mps=14.0, z_m=[0.0, height_m], time_us=NOW_US
        )
        return alert(judge("icw", roads.scene_of(fleet, road, check), road))

    assert judged(LevelCheck.NONE, 8.0) is not None
    assert judged(LevelCheck.GATE, 3.4) is not None
    assert judged(LevelCheck.GATE, 3.5) is None
    assert judged(LevelCheck.MAP, 0.0) is None


@pytest.mark.parametrize(
    ("edges", "remote_m", "there"),
    [
        ((WEST, SOUTH), 45.0, False),  # can wait still: 14² / (2 · 41.5) = 2.4
        ((WEST, SOUTH), 40.0, True),  # 2.7
        ((SOUTH, WEST), 45.0, True),  # nobody waits for the minor road
    ],
)
def test_the_more_important_road_goes_first(
    edges: tuple[int, int], remote_m: float, there: bool
) -> None:
    found = icw((40.0, remote_m), edges=edges, road_map=priority_road())
    assert (found is not None) == there


@pytest.mark.parametrize(
    ("shown", "options", "remote_m", "there"),
    [
        ({WEST: Light.PROTECTED_GREEN, SOUTH: Light.RED}, {}, 45.0, False),
        ({WEST: Light.PROTECTED_GREEN, SOUTH: Light.RED}, {}, 40.0, True),
        ({WEST: Light.PROTECTED_GREEN, SOUTH: Light.RED}, {"map_known": False}, 45.0, True),
        ({WEST: Light.PROTECTED_GREEN, SOUTH: Light.RED}, {"hosts": (1,)}, 45.0, True),
        ({WEST: Light.PROTECTED_GREEN, SOUTH: Light.RED}, {"ages_us": 1_100_000}, 45.0, True),
        ({WEST: Light.RED, SOUTH: Light.PROTECTED_GREEN}, {}, 45.0, True),
        ({WEST: Light.PROTECTED_GREEN, SOUTH: Light.YELLOW}, {}, 45.0, True),
    ],
)
def test_green_goes_first_for_those_who_know_the_lights(
    shown: dict[int, Light], options: dict[str, Any], remote_m: float, there: bool
) -> None:
    found = icw((40.0, remote_m), board=lights(ROAD, shown, **options))
    assert (found is not None) == there


@pytest.mark.parametrize(
    "params",
    [
        {"apart_s": 0.0},
        {"horizon_s": -1.0},
        {"release": 0.9},
        {"least_angle_deg": 150.0, "most_angle_deg": 30.0},
        {"yielding_mps2": float("nan")},
    ],
)
def test_impossible_thresholds_are_rejected(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(params))):
        IcwParams(**params)
