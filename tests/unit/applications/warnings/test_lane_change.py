"""BSW and LCW: the zone beside a car, and who comes up in the next lane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import (
    ABOVE,
    BEYOND,
    THERE,
    Alert,
    alert,
    judge,
    street,
)
from tests.unit.perception.roads import STRAIGHT, WEST, fork_map, on_roads, scene_of
from v2x.applications.warnings.base import Stage
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck

ROAD = street()


def beside(
    name: str,
    ahead_m: float,
    speeds_mps: tuple[float, float] = (20.0, 20.0),
    *,
    turn: int = 0,
    lanes: tuple[int, int] = (1, 2),
    check: LevelCheck = LevelCheck.MAP,
    ages_us: int = 0,
    params: dict[str, Any] | None = None,
    **columns: Any,
) -> Alert | None:
    """Return what a driver is told of a car of 5 m whose middle is a way ahead of its own."""
    values = {"edge": [THERE, THERE], "offset_m": [300.0, 300.0 + ahead_m]} | columns
    fleet = on_roads(
        ROAD,
        values.pop("edge"),
        values.pop("offset_m"),
        speed_mps=list(speeds_mps),
        lane=list(lanes),
        turn=[turn, 0],
        time_us=2_000_000,
        **values,
    )
    scene = scene_of(fleet, ROAD, check, ages_us=ages_us)
    return alert(judge(name, scene, ROAD, **(params or {})))


# Blind spot --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_m", "raised"),
    [
        (3.4, True),  # its rear is 0.9 m ahead of the middle
        (3.6, False),
        (4.4, False),  # a standing alert goes on for a metre
        (4.6, None),
        (-9.4, True),  # its front is 6.9 m behind it
        (-9.6, False),
        (-10.6, None),
    ],
)
def test_the_zone(ahead_m: float, raised: bool | None) -> None:
    found = beside("bsw", ahead_m)
    assert (None if found is None else found.raised) == raised
    if found is not None:
        assert (found.stage, found.action) == (Stage.INFORM, Action.INFORM)


@pytest.mark.parametrize(("ahead_m", "raised"), [(-15.9, True), (-16.1, False), (7.4, True)])
def test_the_zone_of_a_truck_begins_as_far_behind_its_rear(ahead_m: float, raised: bool) -> None:
    """18 m long: 6.5 m more at both ends. Its front is 300 m along the road as ever."""
    shift_m = 0.5 * (18.0 - 5.0)  # from its middle to that of a car whose front is there
    found = beside("bsw", ahead_m - shift_m, length_m=[18.0, 5.0])
    assert found is not None
    assert found.raised == raised


@pytest.mark.parametrize("name", ["bsw", "lcw"])
@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, True),
        ({"lanes": (1, 1)}, False),
        ({"lanes": (0, 2)}, False),
        ({"edge": [THERE, ABOVE]}, False),
        ({"edge": [THERE, BEYOND], "offset_m": [300.0, 700.0]}, False),
        ({"kind": [0, NodeKind.VRU]}, False),
        ({"ages_us": 1_100_000}, False),
        ({"check": LevelCheck.NONE, "y_m": [0.0, 1.8]}, True),
        ({"check": LevelCheck.NONE, "y_m": [0.0, 1.7]}, False),  # in its own lane
        ({"check": LevelCheck.NONE, "y_m": [0.0, 5.2]}, True),
        ({"check": LevelCheck.NONE, "y_m": [0.0, 5.3]}, False),  # two lanes away
        ({"check": LevelCheck.NONE, "y_m": [0.0, 3.5], "heading_rad": [0.0, np.pi]}, False),
        ({"check": LevelCheck.GATE, "y_m": [0.0, 3.5], "z_m": [0.0, 3.6]}, False),
    ],
)
def test_who_is_beside(name: str, given: dict[str, Any], there: bool) -> None:
    turn = 1 if name == "lcw" else 0
    assert (beside(name, -2.0, turn=turn, **given) is not None) == there


def test_the_zone_reaches_over_a_node() -> None:
    road = fork_map()
    fleet = on_roads(road, [STRAIGHT, WEST], [3.0, 198.0], lane=[0, 1], speed_mps=20.0)
    found = alert(judge("bsw", scene_of(fleet, road), road))
    assert found is not None
    assert found.raised


@pytest.mark.parametrize(
    ("turn", "lane", "names"),
    [
        (0, 2, {"bsw"}),
        (1, 2, {"lcw"}),  # indicates to it
        (-1, 2, {"bsw"}),  # indicates away from it
        (-1, 0, {"lcw"}),
        (1, 0, {"bsw"}),
    ],
)
def test_one_of_both_tells(turn: int, lane: int, names: set[str]) -> None:
    told = {n for n in ("bsw", "lcw") if beside(n, -2.0, turn=turn, lanes=(1, lane)) is not None}
    assert told == names


def test_a_driver_may_be_asked_to_keep_its_lane() -> None:
    found = beside("bsw", -2.0, params={"keep_lane": True})
    assert found is not None
    assert (found.stage, found.action) == (Stage.INFORM, Action.KEEP_LANE)


# Lane change -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap_m", "speeds_mps", "raised"),
    [
        (34.9, (20.0, 30.0), True),  # 10 m/s nearer: 3.5 s
        (35.1, (20.0, 30.0), False),
        (38.4, (20.0, 30.0), False),  # the zone, 4.5 m behind the rear, and a metre longer
        (40.6, (20.0, 30.0), None),
        (10.0, (20.0, 20.0), None),  # it does not come nearer
        (10.0, (30.0, 20.0), None),
    ],
)
def test_who_comes_up_from_behind(
    gap_m: float, speeds_mps: tuple[float, float], raised: bool | None
) -> None:
    found = beside("lcw", -5.0 - gap_m, speeds_mps, turn=1)
    assert (None if found is None else found.raised) == raised
    if found is not None:
        assert (found.stage, found.action) == (Stage.WARN, Action.KEEP_LANE)
        assert found.distance_m == pytest.approx(gap_m)
        assert found.closing_mps == pytest.approx(10.0)


@pytest.mark.parametrize(("ahead_m", "stage"), [(-2.0, Stage.IMMINENT), (3.6, Stage.WARN)])
def test_somebody_beside_is_imminent(ahead_m: float, stage: Stage) -> None:
    found = beside("lcw", ahead_m, turn=1)
    assert found is not None
    assert (found.stage, found.action, found.raised) == (
        stage,
        Action.KEEP_LANE,
        stage == Stage.IMMINENT,
    )


def test_who_comes_up_without_an_indicator_on_is_nobodys_concern() -> None:
    assert beside("lcw", -30.0, (20.0, 30.0), turn=0) is None
    assert beside("bsw", -30.0, (20.0, 30.0), turn=0) is None
