"""Joining, following and leaving a platoon: the state of a member (CLPMM)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from v2x.messages.csae.day2.clpmm import PlatoonManagement, PlatoonRole, PlatoonStatus
from v2x.messages.csae.day2.dialogues.platoon_leader import PlatoonParams


class Place(IntEnum):
    """Where a vehicle is in the life of a member."""

    FREE = 0
    ASKING = 1
    JOINING = 2
    FOLLOWING = 3
    ASKING_TO_LEAVE = 4
    LEAVING = 5


class Driving(IntEnum):
    """What the driver or controller says."""

    NOTHING = 0
    IN_POSITION = 1
    WISH_TO_LEAVE = 2
    GAP_OPEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """A vehicle in its own eyes.

    Attributes
    ----------
    params
        Timers.
    vehicle_id, leader_id, platoon_id
        Itself, and whom it follows or asks.
    place
        Where it is in the life of a member.
    since_us
        Since when [µs].
    listed_us
        When the leader last named it [µs].
    is_member
        Whether it was a member in the last list; only then, and in FOLLOWING, may it drive close.
    is_tail
        Whether it was the last one there.
    group
        If the leader has let it go without being asked: those who go together, the front first.
    """

    params: PlatoonParams
    vehicle_id: bytes
    leader_id: bytes
    platoon_id: bytes
    place: Place
    since_us: int
    listed_us: int
    is_member: bool = False
    is_tail: bool = False
    group: tuple[bytes, ...] = ()

    @property
    def may_be_close(self) -> bool:
        """Whether it may keep the short gap of a platoon."""
        return self.is_member and self.place is Place.FOLLOWING

    @property
    def next_leader_id(self) -> bytes | None:
        """Who leads those that were split off: itself, or whom it should ask to join."""
        return self.group[0] if self.group else None


def ask_to_join(
    params: PlatoonParams, now_us: int, vehicle_id: bytes, leader_id: bytes, platoon_id: bytes
) -> Follower:
    """Return a vehicle that asks to join a platoon from now on."""
    return Follower(
        params=params,
        vehicle_id=vehicle_id,
        leader_id=leader_id,
        platoon_id=platoon_id,
        place=Place.ASKING,
        since_us=now_us,
        listed_us=now_us,
    )


def follow(
    follower: Follower,
    now_us: int,
    reports: Iterable[PlatoonManagement],
    driving: Driving = Driving.NOTHING,
) -> Follower:
    """Return a vehicle after a moment.

    Parameters
    ----------
    follower
        What the last call returned.
    now_us
        The present tick [µs].
    reports
        CLPMM received since then; only those of its leader matter.
    driving
        IN_POSITION once it has closed up, WISH_TO_LEAVE when it wants to go, GAP_OPEN once its
        gap is that of a vehicle without platoon.
    """
    for report in reports:
        if report.sender_id == follower.leader_id and follower.place is not Place.FREE:
            follower = _told(follower, now_us, report)
    return _elapsed(_driven(follower, now_us, driving), now_us)


def _moved(follower: Follower, place: Place, now_us: int) -> Follower:
    return replace(follower, place=place, since_us=now_us)


def _told(follower: Follower, now_us: int, report: PlatoonManagement) -> Follower:
    """Return what a vehicle makes of a message of its leader."""
    mine = report.management if report.platoon_id == follower.platoon_id else None
    if mine is None or report.role is not PlatoonRole.LEADER:
        return _let_off(follower, now_us)
    members = [item.vehicle_id for item in mine.members]
    joining = [item.vehicle_id for item in mine.joining or ()]
    leaving = tuple(item.vehicle_id for item in mine.leaving or ())
    me = follower.vehicle_id
    is_member = me in members
    follower = replace(follower, is_member=is_member, is_tail=members[-1] == me)
    if report.status is PlatoonStatus.BEGIN_TO_DISMISS:
        return _let_off(follower, now_us)
    if follower.place is Place.ASKING:
        # A list that still has it as a member is older than its asking.
        named = me in joining
        return (
            replace(_moved(follower, Place.JOINING, now_us), listed_us=now_us)
            if named
            else (follower)
        )
    if is_member or me in joining:
        follower = replace(follower, listed_us=now_us)
    if me in leaving and follower.place in (Place.FOLLOWING, Place.ASKING_TO_LEAVE):
        unasked = follower.place is Place.FOLLOWING
        follower = _moved(follower, Place.LEAVING, now_us)
        follower = replace(follower, group=leaving if unasked else ())
    return follower


def _let_off(follower: Follower, now_us: int) -> Follower:
    """Return a vehicle whose leader does not lead it any more."""
    if follower.place in (Place.ASKING, Place.JOINING):
        return _moved(follower, Place.FREE, now_us)
    if follower.place in (Place.FOLLOWING, Place.ASKING_TO_LEAVE):
        return _moved(follower, Place.LEAVING, now_us)
    return follower


def _driven(follower: Follower, now_us: int, driving: Driving) -> Follower:
    if driving is Driving.IN_POSITION and follower.place is Place.JOINING:
        return _moved(follower, Place.FOLLOWING, now_us)
    if driving is Driving.WISH_TO_LEAVE:
        if follower.place is Place.FOLLOWING:
            return _moved(follower, Place.ASKING_TO_LEAVE, now_us)
        if follower.place in (Place.ASKING, Place.JOINING):
            return _moved(follower, Place.FREE, now_us)
    if driving is Driving.GAP_OPEN and follower.place is Place.LEAVING:
        return replace(_moved(follower, Place.FREE, now_us), is_member=False)
    return follower


def _elapsed(follower: Follower, now_us: int) -> Follower:
    """Return a vehicle after what it waited for has not come."""
    waited_us = now_us - follower.since_us
    unlisted = now_us - follower.listed_us > 1000 * follower.params.silence_ms
    impatient = waited_us > 1000 * follower.params.answer_ms
    if follower.place is Place.ASKING and impatient:
        return _moved(follower, Place.FREE, now_us)
    if follower.place is Place.JOINING:
        too_slow = waited_us > 1000 * follower.params.join_ms
        return _moved(follower, Place.FREE, now_us) if unlisted or too_slow else follower
    if follower.place is Place.FOLLOWING and unlisted:
        return _moved(follower, Place.LEAVING, now_us)
    if follower.place is Place.ASKING_TO_LEAVE and (impatient or unlisted):
        return _moved(follower, Place.LEAVING, now_us)
    return follower


_STATUS = {
    Place.FREE: PlatoonStatus.NAVIGATING,
    Place.ASKING: PlatoonStatus.ASK_FOR_JOINING,
    Place.JOINING: PlatoonStatus.JOINING,
    Place.FOLLOWING: PlatoonStatus.FOLLOWING,
    Place.ASKING_TO_LEAVE: PlatoonStatus.ASK_FOR_LEAVING,
    Place.LEAVING: PlatoonStatus.LEAVING,
}


def follower_report(follower: Follower, *, count: int, second_ms: int) -> PlatoonManagement:
    """Return what a vehicle says; once it is free again, a few times suffice."""
    in_platoon = follower.place >= Place.FOLLOWING
    role = PlatoonRole.TAIL if follower.is_tail else PlatoonRole.FOLLOWER
    return PlatoonManagement(
        count=count,
        sender_id=follower.vehicle_id,
        second_ms=second_ms,
        platoon_id=follower.platoon_id,
        role=role if in_platoon else PlatoonRole.FREE,
        status=_STATUS[follower.place],
    )
