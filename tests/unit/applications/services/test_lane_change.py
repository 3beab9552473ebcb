"""Cooperative lane change: who asks, who agrees, and what comes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.closed_loop import (
    Arrives,
    Loop,
    always,
    closed_loop,
    line_up,
    losing,
    never,
)
from tests.unit.mobility.conftest import MOTORWAY, make_map
from v2x.applications.services.lane_change import (
    CooperativeLaneChange,
    Gap,
    LaneChangeParams,
    can_let_in,
    gap_speed_mps,
)
from v2x.mobility.vehicle_classes import Mix
from v2x.perception.information import Knowledge

DONE, REFUSED, NO_ANSWER = 1, 3, 4


def lane_drop() -> Any:
    """Return 1 km with two lanes of which the right one ends."""
    road = {"limit_mps": 25.0, "road_class": MOTORWAY}
    return make_map(
        [
            (0, 1, [(0.0, 0.0), (1000.0, 0.0)], road | {"lanes": 2}),
            (1, 2, [(1000.0, 0.0), (2000.0, 0.0)], road | {"lanes": 1}),
        ]
    )


def pair(
    behind_m: float = 9.0,
    *,
    place_m: float = 810.0,
    lanes: tuple[int, int] | None = None,
    arrives: Arrives = always,
    knowledge: Knowledge = Knowledge.MESSAGES,
    **params: Any,
) -> Loop:
    """Return a car whose lane ends and one in the other lane, by whose front it is ahead."""
    loop = closed_loop(
        lane_drop(),
        lambda context: CooperativeLaneChange(LaneChangeParams(**params), context),
        arrives=arrives,
        knowledge=knowledge,
        traffic={
            "n_vehicles": 2,
            "mix": Mix(car=1.0, truck=0.0, bus=0.0),
            "speed_factor_spread": 0.0,
            "demand": "through",
        },
    )
    network = loop.model.network
    low = int(network.lane_low[network.movement(0, 1)])
    ends, leads = (1 - low, low) if lanes is None else lanes
    line_up(loop, [place_m, place_m - behind_m], 20.0, lane=[ends, leads])
    return loop


def outcomes(loop: Loop) -> list[int]:
    return loop.tables()["dialogues"]["outcome"].tolist()


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_who_is_asked_opens_a_gap_and_the_change_is_completed(share: float) -> None:
    loop = pair(arrives=losing(share))
    loop.run(4.0)
    assert outcomes(loop)[0] == DONE
    table = loop.tables()["dialogues"]
    assert (table["vehicle_id"][0], table["partner_id"][0]) == (0, 1)
    assert table["answer_s"][0] > table["begin_s"][0]
    assert loop.states[-1].lane[0] == loop.states[-1].lane[1]


def test_the_one_asked_brakes_for_it_where_drivers_alone_would_not() -> None:
    speeds = []
    for knowledge in (Knowledge.NONE, Knowledge.MESSAGES):
        # Farther than 200 m from the end of the lane drivers let nobody in by themselves.
        loop = pair(6.0, place_m=640.0, within_m=400.0, knowledge=knowledge)
        loop.run(1.5)
        speeds.append(float(loop.states[-1].speed_mps[1]))
    assert speeds[1] < speeds[0] - 1.0


@pytest.mark.parametrize(
    "options",
    [
        {"place_m": 700.0, "within_m": 200.0},
        {"behind_m": 70.0},
        {"behind_m": -30.0},
    ],
    ids=["too early", "too far behind", "ahead"],
)
def test_nobody_is_asked_without_need(options: dict[str, Any]) -> None:
    loop = pair(**options)
    loop.run(0.5)
    assert not loop.sent


def test_the_unwilling_refuse() -> None:
    loop = pair(courtesy=0.0)
    loop.run(1.5)
    assert outcomes(loop)[0] == REFUSED
    assert np.isinf(loop.model.controls.speed_mps).all()


def test_without_an_answer_the_request_ends() -> None:
    loop = pair(arrives=never, place_m=805.0, behind_m=2.0)
    loop.run(2.0)
    assert outcomes(loop)[0] in (NO_ANSWER, 2)
    assert np.isinf(loop.model.controls.speed_mps).all()


@pytest.mark.parametrize(
    ("gap", "speed", "able"),
    [
        (Gap(-3.0, 20.0), 20.0, True),
        (Gap(-3.0, 20.0), 21.0, False),
        (Gap(8.4, 20.0), 25.0, True),
        (Gap(8.2, 20.0), 25.0, False),
    ],
)
def test_who_would_have_to_brake_too_hard_refuses(gap: Gap, speed: float, able: bool) -> None:
    assert can_let_in(gap, speed, LaneChangeParams()) is able


def test_the_gap_is_opened_with_measure() -> None:
    params = LaneChangeParams()
    assert gap_speed_mps(Gap(60.0, 18.0), 20.0, params) == pytest.approx(18.5)
    assert gap_speed_mps(Gap(60.0, 19.0), 20.0, params) == pytest.approx(19.0)
    assert gap_speed_mps(Gap(0.0, 20.0), 20.0, params) == pytest.approx(18.5)
    assert gap_speed_mps(Gap(0.0, 0.0), 0.5, params) == 0.0


@pytest.mark.parametrize("values", [{"courtesy": 1.1}, {"headway_s": 0.0}, {"again_s": -1.0}])
def test_impossible_parameters_are_rejected(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        LaneChangeParams(**values)
