"""DNPW: whether there is room to pass before the next oncoming vehicle comes."""

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
from tests.unit.perception.roads import on_roads, scene_of
from v2x.applications.warnings.base import Stage
from v2x.applications.warnings.do_not_pass import passing_s
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import LevelCheck

ROAD = street(lanes=1, limit_mps=25.0)
WIDE = street(lanes=2, limit_mps=25.0)
HOST, LEADER, ONCOMING = range(3)

#: Host 15 m/s, 20 m behind a car with 10 m/s that is 5 m long: it gains 20 + 5 + 5 + 10 = 40 m,
#: from 5 m/s faster with 1.5 m/s²: (sqrt(25 + 120) - 5) / 1.5 s. An oncoming vehicle has 20 m/s.
TIME_S = (np.sqrt(145.0) - 5.0) / 1.5
NEEDED_M = 10.0 * TIME_S + 40.0 + 20.0 * TIME_S + 50.0


def dnpw(
    gap_m: float,
    *,
    turn: int = 1,
    leader_mps: float = 10.0,
    leader_gap_m: float = 20.0,
    host_offset_m: float = 100.0,
    oncoming: int = BACK,
    lanes: tuple[int, int] = (0, 0),
    wide: bool = False,
    check: LevelCheck = LevelCheck.MAP,
    ages_us: int = 0,
    params: dict[str, Any] | None = None,
    **columns: Any,
) -> Alert | None:
    """Return what a driver at 100 m is told of an oncoming car whose front is a gap away."""
    road = WIDE if wide else ROAD
    x_m = host_offset_m + gap_m
    fleet = on_roads(
        road,
        [THERE, THERE, oncoming],
        [
            host_offset_m,
            host_offset_m + leader_gap_m + 5.0,
            x_m if oncoming == ABOVE else 1000.0 - x_m,
        ],
        speed_mps=[15.0, leader_mps, 20.0],
        lane=[lanes[0], lanes[0], lanes[1]],
        turn=[turn, 0, 0],
        time_us=2_000_000,
        **columns,
    )
    scene = scene_of(fleet, road, check, ages_us=ages_us)
    return alert(judge("dnpw", scene, road, **(params or {})), HOST, ONCOMING)


@pytest.mark.parametrize(
    ("share", "raised"), [(0.999, True), (1.001, False), (1.199, False), (1.201, None)]
)
def test_room_to_pass(share: float, raised: bool | None) -> None:
    found = dnpw(share * NEEDED_M)
    assert (None if found is None else found.raised) == raised
    if found is not None:
        assert (found.stage, found.action) == (Stage.WARN, Action.KEEP_LANE)
        assert found.needed_m == pytest.approx(NEEDED_M)
        assert found.distance_m == pytest.approx(share * NEEDED_M)
        assert found.closing_mps == pytest.approx(35.0)


@pytest.mark.parametrize(
    ("given", "there"),
    [
        ({}, True),
        ({"turn": -1, "params": {"advise": False}}, False),
        ({"oncoming": BEYOND}, False),  # behind a median
        ({"oncoming": ABOVE}, False),  # on the bridge, and the same way
        ({"kind": [0, 0, NodeKind.RSU]}, False),
        ({"ages_us": 1_100_000}, False),
        ({"wide": True, "lanes": (1, 1)}, True),
        ({"wide": True, "lanes": (1, 0)}, False),  # in the outer lane
        ({"wide": True, "lanes": (0, 1)}, False),  # a lane is free
        ({"check": LevelCheck.NONE, "y_m": [0.0, 0.0, 3.5]}, True),
        ({"check": LevelCheck.NONE, "y_m": [0.0, 0.0, 7.0]}, False),
        ({"check": LevelCheck.GATE, "y_m": [0.0, 0.0, 3.5], "z_m": [0.0, 0.0, 4.0]}, False),
    ],
)
def test_who_counts(given: dict[str, Any], there: bool) -> None:
    assert (dnpw(150.0, **given) is not None) == there


@pytest.mark.parametrize(("rest_m", "signals"), [(50.1, True), (49.9, False)])
def test_who_turns_at_a_node_does_not_pass(rest_m: float, signals: bool) -> None:
    """There the left indicator is for the node. The oncoming vehicle comes from it."""
    found = dnpw(
        rest_m - 1.0, host_offset_m=1000.0 - rest_m, params={"advise": False}, leader_gap_m=5.0
    )
    assert (found is not None) == signals


@pytest.mark.parametrize(
    ("leader_mps", "leader_gap_m", "there"),
    [
        (19.9, 44.0, True),  # 80 % of 25 m/s
        (20.1, 44.0, False),
        (10.0, 44.9, True),  # 3 s
        (10.0, 45.1, False),
    ],
)
def test_advice_behind_a_slow_vehicle(leader_mps: float, leader_gap_m: float, there: bool) -> None:
    found = dnpw(100.0, turn=0, leader_mps=leader_mps, leader_gap_m=leader_gap_m)
    assert (found is not None) == there
    if found is not None:
        assert (found.stage, found.action) == (Stage.INFORM, Action.INFORM)
    silent = {"advise": False}
    assert dnpw(100.0, turn=0, leader_mps=leader_mps, params=silent) is None


def test_without_a_known_vehicle_ahead_passing_takes_ten_seconds() -> None:
    fleet = on_roads(ROAD, [THERE, BACK], [100.0, 499.0], speed_mps=[15.0, 20.0], turn=[1, 0])
    found = alert(judge("dnpw", scene_of(fleet, ROAD), ROAD))
    assert found is not None
    assert found.needed_m == pytest.approx(10.0 * 35.0 + 50.0)
    assert found.distance_m == pytest.approx(401.0)
    assert not found.raised


def test_who_cannot_be_faster_than_the_one_ahead_must_not_pass() -> None:
    found = dnpw(850.0, leader_mps=30.0, params={"advise": False})
    assert found is not None
    assert found.raised


@pytest.mark.parametrize(
    ("gain_m", "faster_mps", "fastest_mps", "expected_s"),
    [
        # With 2 m/s² from 5 to 10 m/s faster it takes 2.5 s, in which 18.75 m are gained.
        (18.75, 5.0, 10.0, 2.5),
        (38.75, 5.0, 10.0, 4.5),
        (6.0, 5.0, 10.0, 1.0),
        (20.0, 10.0, 10.0, 2.0),
        (20.0, 0.0, 0.0, np.inf),
        (16.0, -3.0, 10.0, 4.0),  # who is slower begins with equal speeds
    ],
)
def test_passing_time(
    gain_m: float, faster_mps: float, fastest_mps: float, expected_s: float
) -> None:
    arrays = (np.array([value]) for value in (gain_m, faster_mps, fastest_mps))
    assert passing_s(*arrays, 2.0)[0] == pytest.approx(expected_s)
