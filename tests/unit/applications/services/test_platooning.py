"""Platoons of trucks in a closed loop, with messages, with losses, and without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
from v2x.applications.services.platooning import Platooning
from v2x.errors import V2XError
from v2x.messages.csae.day2.dialogues.platoon_member import Place
from v2x.messages.topics import Topic
from v2x.metrics.platoons import platoon_figures
from v2x.mobility.cooperative.platoon_drive import PlatoonMode
from v2x.mobility.vehicle_classes import Mix
from v2x.perception.information import Knowledge

TRUCKS = Mix(car=0.0, truck=1.0, bus=0.0)
#: Gap at 23 m/s and a time gap of 0.6 s, and a truck [m].
GAP_M, TRUCK_M = 2.0 + 0.6 * 23.0, 13.0


def trucks(
    params: Platooning.Params | None = None,
    *,
    arrives: Arrives = always,
    knowledge: Knowledge = Knowledge.MESSAGES,
    gap_m: float = GAP_M,
    n: int = 4,
    mix: Mix = TRUCKS,
    lanes: int = 1,
) -> Loop:
    """Return trucks one behind the other at 23 m/s, on a road of 8 km."""
    road = {"limit_mps": 23.0, "road_class": MOTORWAY, "lanes": lanes}
    loop = closed_loop(
        make_map([(0, 1, [(0.0, 0.0), (8000.0, 0.0)], road)]),
        lambda context: Platooning(params or Platooning.Params(at_start=1), context),
        arrives=arrives,
        knowledge=knowledge,
        traffic={"n_vehicles": n, "mix": mix, "speed_factor_spread": 0.0, "demand": "through"},
    )
    line_up(loop, [500.0 - (gap_m + TRUCK_M) * k for k in range(n)], 23.0)
    return loop


def leader_does(loop: Loop, begin_s: float, end_s: float, mps2: Callable[[float], float]) -> None:
    """Let the leader brake."""

    def before(now_us: int) -> None:
        if begin_s <= now_us * 1e-6 < end_s:
            loop.model.controls.ceiling_mps2[0] = mps2(now_us * 1e-6 - begin_s)

    loop.before = before


def column(loop: Loop, name: str) -> Any:
    return np.array([getattr(state, name)[:4] for state in loop.states])


def test_members_follow_at_their_time_gap() -> None:
    loop = trucks()
    # Drivers held a longer gap for two ticks before the controllers took over.
    loop.run(35.0)
    speed, gap = column(loop, "speed_mps")[-1], column(loop, "gap_m")[-1]
    assert gap[1:] == pytest.approx(2.0 + 0.6 * speed[1:], abs=1.0)
    table = loop.tables()["platoons"]
    last = table["time_s"] == table["time_s"].max()
    assert table["rank"][last].tolist() == [0, 1, 2, 3]
    assert table["mode"][last].tolist() == [-1, *[PlatoonMode.CACC] * 3]
    assert (table["age_s"][last][1:] <= 0.2).all()


def test_a_swinging_leader_makes_no_follower_swing_more() -> None:
    loop = trucks()
    leader_does(loop, 2.0, 30.0, lambda t: -0.8 * np.sin(0.5 * t))
    loop.run(30.0)
    swing = np.abs(column(loop, "acceleration_mps2")[150:]).max(axis=0)
    # 0.6 s is a little short for accelerations that are 0.1 to 0.2 s old.
    assert (swing[1:] / swing[0] <= 1.05).all()
    table = loop.tables()["platoons"]
    late = table["time_s"] > 15.0
    figures = platoon_figures({name: values[late] for name, values in table.items()})
    assert [item.rank for item in figures.members] == [1, 2, 3]
    assert [item.close_share for item in figures.members] == [1.0, 1.0, 1.0]
    assert [item.amplification for item in figures.members] == pytest.approx(
        swing[1:] / swing[0], abs=0.01
    )
    assert figures.gap_error_p95_m < 1.0


@pytest.mark.parametrize("silent_from_s", [np.inf, 8.0, 8.8])
def test_an_emergency_brake_is_survived_with_messages_and_as_they_stop(
    silent_from_s: float,
) -> None:
    loop = trucks(arrives=lambda content, row, now_us: now_us * 1e-6 < silent_from_s)
    leader_does(loop, 9.0, 20.0, lambda t: -6.0)
    loop.run(19.0)
    assert column(loop, "speed_mps")[-1].max() < 2.0
    assert column(loop, "gap_m")[:, 1:].min() > 0.3
    assert loop.model.collisions == ()


def test_without_messages_members_fall_back_and_drive_for_themselves() -> None:
    loop = trucks(arrives=lambda content, row, now_us: now_us < 5_000_000)
    loop.run(25.0)
    table = loop.tables()["platoons"]
    modes = [set(table["mode"][table["time_s"] == t].tolist()) for t in (4.0, 6.0, 8.0)]
    assert PlatoonMode.CACC in modes[0]
    assert PlatoonMode.DCACC in modes[1] or PlatoonMode.ACC in modes[1]
    assert PlatoonMode.CACC not in modes[2]
    late = table["time_s"] == 8.0
    assert (table["place"][late][1:] == Place.LEAVING).all()
    # Time gaps grow, and do not jump.
    gap = column(loop, "gap_m")[:, 1:]
    assert gap[-1].min() > gap[0].max()
    assert np.abs(np.diff(column(loop, "acceleration_mps2")[:, 1:], axis=0)).max() < 2.0


def test_in_the_baseline_nobody_is_driven() -> None:
    loop = trucks(knowledge=Knowledge.NONE)
    loop.run(5.0)
    assert np.isnan(loop.model.controls.cacc_mps2).all()
    assert not loop.model.controls.keep_lane.any()
    assert len(loop.sent) > 0


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_trucks_find_each_other_and_join_whatever_is_lost(share: float) -> None:
    loop = trucks(Platooning.Params(), gap_m=45.0, n=2, arrives=losing(share))
    loop.run(30.0)
    table, dialogues = loop.tables()["platoons"], loop.tables()["dialogues"]
    assert 1 in dialogues["outcome"].tolist()
    assert dialogues["vehicle_id"][0] == 1
    assert dialogues["partner_id"][0] == 0
    assert dialogues["answer_s"][0] > dialogues["begin_s"][0]
    last = table["time_s"] == table["time_s"].max()
    assert table["place"][last].tolist() == [Place.FOLLOWING, Place.FOLLOWING]
    assert loop.states[-1].gap_m[1] < 40.0


@pytest.mark.parametrize(
    ("params", "gap_m", "mix"),
    [
        (Platooning.Params(join_m=40.0), 45.0, TRUCKS),
        (Platooning.Params(forms=False), 20.0, TRUCKS),
        (Platooning.Params(share=0.0), 20.0, TRUCKS),
        (Platooning.Params(), 20.0, Mix(car=1.0, truck=0.0, bus=0.0)),
    ],
)
def test_who_is_too_far_or_of_another_kind_forms_no_platoon(
    params: Platooning.Params, gap_m: float, mix: Mix
) -> None:
    loop = trucks(params, gap_m=gap_m, n=2, mix=mix)
    loop.run(3.0)
    assert not loop.sent


def test_nobody_joins_without_an_answer() -> None:
    loop = trucks(Platooning.Params(), gap_m=45.0, n=2, arrives=never)
    loop.run(5.0)
    assert len(loop.tables()["dialogues"]["number"]) == 0
    assert np.isnan(loop.model.controls.cacc_mps2).all()


def test_members_keep_their_lane() -> None:
    loop = trucks(lanes=2)
    loop.run(1.0)
    assert loop.model.controls.keep_lane.tolist() == [1, 1, 1, 1]


def test_a_stranger_in_between_is_followed_by_sight_and_ends_the_membership() -> None:
    loop = trucks(Platooning.Params(at_start=1, size=3, stranger_s=2.0), n=4, lanes=2)
    # The fourth truck cuts in before the third.
    loop.model.vehicles.lane[3] = 1
    loop.run(2.0)
    vehicles = loop.model.vehicles
    third = float(vehicles.offset_m[2])
    vehicles.offset_m[3], vehicles.speed_mps[3] = third + 13.5, vehicles.speed_mps[2]
    vehicles.offset_m[2] = third - 15.0
    vehicles.lane[3] = 0
    loop.run(4.0)
    table = loop.tables()["platoons"]
    of_third = table["member"] == 2
    assert PlatoonMode.ACC in table["mode"][of_third & (table["time_s"] > 2.3)].tolist()
    assert table["place"][of_third][-1] in (Place.ASKING_TO_LEAVE, Place.LEAVING)
    assert loop.model.collisions == ()


def test_messages_go_at_their_period() -> None:
    loop = trucks()
    loop.run(2.0)
    assert {message.topic for _, message in loop.sent} == {Topic.CLPMM}
    assert len(loop.sent) == 4 * 20


def test_who_cannot_be_told_what_to_do_drives_in_no_platoon() -> None:
    loop = trucks()
    context = loop.services._parts.services[0]._context  # type: ignore[attr-defined]
    with pytest.raises(V2XError, match="told what to do"):
        Platooning(Platooning.Params(), replace(context, vehicles=None))


@pytest.mark.parametrize(
    "values", [{"size": 6}, {"size": 1}, {"join_headway_s": 1.6}, {"share": 1.1}, {"join_m": 0.0}]
)
def test_impossible_platoons_are_rejected(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        Platooning.Params(**values)
