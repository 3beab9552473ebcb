"""Platoons: joining, leaving, splitting, dismissing, and how long both sides may disagree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.messages.csae.day2.clpmm import PlatoonManagement, PlatoonRole, PlatoonStatus
from v2x.messages.csae.day2.dialogues.platoon_leader import (
    Platoon,
    PlatoonParams,
    dismissed,
    found,
    lead,
    leader_report,
    split,
)
from v2x.messages.csae.day2.dialogues.platoon_member import (
    Driving,
    Follower,
    Place,
    ask_to_join,
    follow,
    follower_report,
)

LEADER, A, B, C = b"LEADER00", b"TRUCK00A", b"TRUCK00B", b"TRUCK00C"
NAME = LEADER + bytes(9)
PARAMS = PlatoonParams(join_ms=5000)
PERIOD_US = 100_000


@dataclass
class Road:
    """A platoon and vehicles that want in, with a message of each in every period."""

    platoon: Platoon = field(default_factory=lambda: found(PARAMS, LEADER, NAME))
    trucks: dict[bytes, Follower] = field(default_factory=dict)
    now_us: int = 0
    silent: set[bytes] = field(default_factory=set)

    def ask(self, name: bytes) -> None:
        self.trucks[name] = ask_to_join(PARAMS, self.now_us, name, LEADER, NAME)

    def period(self, driving: dict[bytes, Driving] | None = None) -> None:
        self.now_us += PERIOD_US
        said = [] if LEADER in self.silent else [report(self.platoon)]
        heard = [
            follower_report(truck, count=0, second_ms=0)
            for name, truck in self.trucks.items()
            if name not in self.silent
        ]
        for name, truck in self.trucks.items():
            wish = (driving or {}).get(name, Driving.NOTHING)
            self.trucks[name] = follow(truck, self.now_us, said, wish)
        self.platoon = lead(self.platoon, self.now_us, heard)

    def periods(self, n: int) -> None:
        for _ in range(n):
            self.period()

    def join(self, name: bytes) -> None:
        self.ask(name)
        self.periods(3)
        self.period({name: Driving.IN_POSITION})
        self.periods(3)

    def place(self, name: bytes) -> Place:
        return self.trucks[name].place


def report(platoon: Platoon) -> PlatoonManagement:
    return leader_report(platoon, count=0, second_ms=0)


def platoon_of(*names: bytes) -> Road:
    road = Road()
    for name in names:
        road.join(name)
    assert road.platoon.members == names
    return road


def test_joining_step_by_step() -> None:
    road = Road()
    road.ask(A)
    assert follower_report(road.trucks[A], count=0, second_ms=0).role is PlatoonRole.FREE
    road.period()
    assert road.platoon.joining == (A,)
    road.period()
    assert road.place(A) is Place.JOINING
    road.periods(10)
    assert road.platoon.members == ()
    road.period({A: Driving.IN_POSITION})
    assert road.place(A) is Place.FOLLOWING
    assert not road.trucks[A].may_be_close
    road.periods(2)
    assert road.platoon.members == (A,)
    assert road.trucks[A].may_be_close
    said = follower_report(road.trucks[A], count=0, second_ms=0)
    assert (said.role, said.status) == (PlatoonRole.TAIL, PlatoonStatus.FOLLOWING)


def test_one_joins_at_a_time_and_only_while_there_is_room() -> None:
    road = Road()
    road.ask(A)
    road.ask(B)
    road.periods(3)
    assert (road.platoon.joining, road.place(B)) == ((A,), Place.ASKING)
    small = replace(PARAMS, capacity=2)
    road = Road(platoon=found(small, LEADER, NAME))
    road.join(A)
    road.ask(B)
    road.periods(3)
    management = report(road.platoon).management
    assert management is not None
    assert not management.open_to_join
    assert road.place(B) is Place.ASKING
    road.periods(18)
    assert road.place(B) is Place.FREE


def test_asking_is_given_up_after_two_seconds() -> None:
    road = Road(silent={LEADER})
    road.ask(A)
    road.periods(20)
    assert road.place(A) is Place.ASKING
    road.period()
    assert road.place(A) is Place.FREE


def test_who_does_not_close_up_is_dropped_on_both_sides() -> None:
    road = Road()
    road.ask(A)
    road.periods(56)
    assert road.place(A) is Place.FREE
    road.periods(2)
    assert road.platoon.joining == ()


def test_leaving_step_by_step() -> None:
    road = platoon_of(A, B)
    road.period({A: Driving.WISH_TO_LEAVE})
    assert road.place(A) is Place.ASKING_TO_LEAVE
    road.periods(2)
    assert road.place(A) is Place.LEAVING
    assert road.platoon.leaving == (A,)
    assert not road.trucks[A].may_be_close
    assert road.trucks[A].next_leader_id is None
    road.period({A: Driving.GAP_OPEN})
    road.period()
    assert road.platoon.members == (B,)
    assert road.place(A) is Place.FREE
    assert road.place(B) is Place.FOLLOWING


def test_leaving_needs_no_permission() -> None:
    road = platoon_of(A)
    road.silent = {A}
    road.period({A: Driving.WISH_TO_LEAVE})
    road.periods(20)
    assert road.place(A) is Place.ASKING_TO_LEAVE
    road.period()
    assert road.place(A) is Place.LEAVING


@pytest.mark.parametrize("place", [Place.ASKING, Place.JOINING])
def test_who_has_not_joined_yet_may_go_at_once(place: Place) -> None:
    road = Road()
    road.ask(A)
    road.periods(2 if place is Place.JOINING else 0)
    assert road.place(A) is place
    road.period({A: Driving.WISH_TO_LEAVE})
    assert road.place(A) is Place.FREE
    road.periods(2)
    assert road.platoon.joining == ()


def test_a_silent_leader_is_left_and_a_silent_member_is_dropped() -> None:
    road = platoon_of(A, B)
    road.silent = {LEADER}
    road.periods(10)
    assert road.trucks[A].may_be_close
    road.period()
    assert (road.place(A), road.place(B)) == (Place.LEAVING, Place.LEAVING)
    road = platoon_of(A, B)
    road.silent = {A}
    road.periods(11)
    assert road.platoon.members == (B,)
    road.periods(11)
    assert road.place(A) is Place.LEAVING
    assert road.trucks[B].may_be_close


def test_splitting_makes_a_new_platoon_of_the_rear() -> None:
    road = platoon_of(A, B, C)
    road.platoon = split(road.platoon, B)
    road.periods(2)
    assert [road.place(name) for name in (A, B, C)] == [
        Place.FOLLOWING,
        Place.LEAVING,
        Place.LEAVING,
    ]
    assert road.trucks[B].next_leader_id == road.trucks[C].next_leader_id == B
    road.period({B: Driving.GAP_OPEN, C: Driving.GAP_OPEN})
    road.period()
    assert road.platoon.members == (A,)
    road.platoon = found(PARAMS, B, B + bytes(9))
    del road.trucks[A], road.trucks[B]
    road.trucks[C] = ask_to_join(PARAMS, road.now_us, C, B, B + bytes(9))
    road.periods(3)
    road.period({C: Driving.IN_POSITION})
    road.periods(2)
    assert road.platoon.members == (C,)
    with pytest.raises(ValueError, match="no member"):
        split(road.platoon, A)


@pytest.mark.parametrize("silent", [set(), {A, B}])
def test_dismissing(silent: set[bytes]) -> None:
    """All are told and go; who cannot be heard does not hold up the end beyond two seconds."""
    road = platoon_of(A, B)
    road.platoon = dismissed(road.platoon, road.now_us)
    assert report(road.platoon).status is PlatoonStatus.BEGIN_TO_DISMISS
    road.silent = silent
    road.period()
    assert (road.place(A), road.place(B)) == (Place.LEAVING, Place.LEAVING)
    road.period({A: Driving.GAP_OPEN, B: Driving.GAP_OPEN})
    road.period()
    assert road.platoon.over == (not silent)
    road.periods(18)
    assert road.platoon.over
    assert report(road.platoon).role is PlatoonRole.FREE
    assert lead(road.platoon, road.now_us, ()) is road.platoon


def test_who_missed_the_dismissal_goes_when_the_leader_is_none() -> None:
    road = platoon_of(A)
    road.platoon = replace(road.platoon, over=True)
    road.period()
    assert road.place(A) is Place.LEAVING


def test_a_member_that_asks_again_begins_anew() -> None:
    road = platoon_of(A, B)
    road.ask(A)
    road.period()
    assert (road.platoon.members, road.platoon.joining) == ((B,), (A,))


@pytest.mark.parametrize(
    "changes",
    [
        {"period_ms": 50},
        {"answer_ms": 2500},
        {"silence_ms": 500},
        {"capacity": 33},
        {"join_ms": 1000},
        {"period_ms": 800},
    ],
)
def test_timers_that_cannot_work_are_rejected(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        PlatoonParams(**changes)


@given(
    lost=st.lists(st.integers(0, 15), max_size=120),
    wishes=st.lists(st.sampled_from([*Driving, "ask", "dismiss"]), min_size=120, max_size=120),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_whatever_is_lost_both_sides_agree_soon(lost: list[int], wishes: list[object]) -> None:
    """Three trucks; in each period any of the messages may be lost, then none is.

    A vehicle follows closely only while the leader lists it, or has listed it within the last
    `silence_ms` and two periods; a vehicle that the leader lists has been in the platoon in its
    own eyes within the same time. When the channel is good again they agree.
    """
    road = Road()
    names = (A, B, C)
    listed_us, said_us = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    slack_us = 1000 * PARAMS.silence_ms + 2 * PERIOD_US
    for k in range(180):
        bits = lost[k] if k < len(lost) else 0
        road.silent = {name for i, name in enumerate((LEADER, *names)) if bits >> i & 1}
        name, wish = names[k % 3], wishes[k] if k < len(wishes) else Driving.NOTHING
        free = name not in road.trucks or road.place(name) is Place.FREE
        if wish == "ask" and free:
            road.ask(name)
        elif wish == "dismiss" and k % 5 == 0:
            road.platoon = dismissed(road.platoon, road.now_us)
        road.period({name: wish} if isinstance(wish, Driving) else None)
        for item, truck in road.trucks.items():
            if item in (*road.platoon.members, *road.platoon.joining) and not road.platoon.over:
                listed_us[item] = road.now_us
            if truck.place not in (Place.FREE, Place.LEAVING):
                said_us[item] = road.now_us
            if truck.may_be_close:
                assert road.now_us - listed_us[item] <= slack_us
            if item in road.platoon.members and item not in road.platoon.leaving:
                assert road.now_us - said_us[item] <= slack_us
    for item, truck in road.trucks.items():
        follows = truck.place is Place.FOLLOWING and truck.is_member
        stays = item in road.platoon.members and item not in road.platoon.leaving
        assert follows == (stays and not road.platoon.over)
        assert truck.place is not Place.ASKING
