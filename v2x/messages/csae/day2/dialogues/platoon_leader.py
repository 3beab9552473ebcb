"""Who is in a platoon: the list of its leader (CLPMM).

Every vehicle of a platoon says its state again and again, so no single message matters. Each side
drops the other after a silence, and that is what bounds how long they may disagree: a vehicle
that the leader does not list any more stops following, and a vehicle that is not heard is not
listed any more, both after `silence_ms`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from v2x.messages.csae.day2.clpmm import (
    MOST_MEMBERS,
    Member,
    MemberManagement,
    PlatoonManagement,
    PlatoonRole,
    PlatoonStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatoonParams:
    """Timers and size of a platoon.

    Parameters
    ----------
    period_ms
        Time between CLPMM of one vehicle, 100 to 1000 [ms].
    answer_ms
        A vehicle that asks to join or leave waits for this time, 1 to 2 s [ms].
    silence_ms
        Who was not heard for this time is gone, 1 to 2 s [ms].
    join_ms
        A vehicle that was let in must have closed up after this time [ms]; estimate.
    capacity
        Most vehicles, the leader among them.
    """

    period_ms: int = 100
    answer_ms: int = 2000
    silence_ms: int = 1000
    join_ms: int = 60_000
    capacity: int = 5

    def __post_init__(self) -> None:
        """Reject timers that cannot work."""
        for name, low, high in (
            ("period_ms", 100, 1000),
            ("answer_ms", 1000, 2000),
            ("silence_ms", 1000, 2000),
            ("capacity", 2, MOST_MEMBERS),
        ):
            if not low <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must be within {low} and {high}, got {getattr(self, name)}"
                )
        if self.silence_ms < 2 * self.period_ms:
            raise ValueError(
                f"silence_ms must be at least two periods, got {self.silence_ms} and "
                f"period_ms {self.period_ms}"
            )
        if self.join_ms < self.answer_ms:
            raise ValueError(f"join_ms must be at least answer_ms, got {self.join_ms}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platoon:
    """A platoon in the eyes of its leader.

    Attributes
    ----------
    params
        Timers and size.
    leader_id, platoon_id
        The leader, and the 17 octets that name the platoon.
    members
        Followers from the front to the rear, without the leader.
    joining, leaving
        Vehicles that are let in, one at a time, and members that are let go.
    heard_us
        When each of them was last heard [µs].
    joining_since_us
        When the joining vehicle was let in [µs].
    dismissed_us
        When the leader began to dismiss the platoon; None if it has not [µs].
    over
        Whether there is no platoon any more.
    """

    params: PlatoonParams
    leader_id: bytes
    platoon_id: bytes
    members: tuple[bytes, ...] = ()
    joining: tuple[bytes, ...] = ()
    leaving: tuple[bytes, ...] = ()
    heard_us: dict[bytes, int]
    joining_since_us: int = 0
    dismissed_us: int | None = None
    over: bool = False


def found(params: PlatoonParams, leader_id: bytes, platoon_id: bytes) -> Platoon:
    """Return a platoon of its leader alone."""
    return Platoon(params=params, leader_id=leader_id, platoon_id=platoon_id, heard_us={})


def dismissed(platoon: Platoon, now_us: int) -> Platoon:
    """Return a platoon that is being dismissed."""
    return platoon if platoon.dismissed_us is not None else replace(platoon, dismissed_us=now_us)


def split(platoon: Platoon, first_id: bytes) -> Platoon:
    """Return a platoon that lets go of a member and all behind it, who go on by themselves."""
    if first_id not in platoon.members:
        raise ValueError(f"{first_id!r} is no member of the platoon")
    rear = platoon.members[platoon.members.index(first_id) :]
    return replace(platoon, leaving=tuple(dict.fromkeys((*platoon.leaving, *rear))))


def lead(platoon: Platoon, now_us: int, reports: Iterable[PlatoonManagement]) -> Platoon:
    """Return a platoon after a moment.

    Parameters
    ----------
    platoon
        What the last call returned.
    now_us
        The present tick [µs].
    reports
        CLPMM received since then, in their order; those to other platoons are passed over.
    """
    if platoon.over:
        return platoon
    for report in reports:
        if report.platoon_id == platoon.platoon_id and report.sender_id != platoon.leader_id:
            platoon = _reported(platoon, now_us, report)
    platoon = _without(platoon, _gone(platoon, now_us))
    if platoon.dismissed_us is None:
        return platoon
    patience_us = 1000 * platoon.params.answer_ms
    is_over = not platoon.members or now_us >= platoon.dismissed_us + patience_us
    return replace(platoon, over=is_over, joining=())


def _gone(platoon: Platoon, now_us: int) -> set[bytes]:
    """Return who was not heard for too long, or did not close up in time."""
    silence_us = 1000 * platoon.params.silence_ms
    gone = {name for name, at_us in platoon.heard_us.items() if now_us - at_us > silence_us}
    if now_us - platoon.joining_since_us > 1000 * platoon.params.join_ms:
        gone |= set(platoon.joining)
    return gone


def _without(platoon: Platoon, gone: set[bytes]) -> Platoon:
    if not gone:
        return platoon

    def stay(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(name for name in names if name not in gone)

    return replace(
        platoon,
        members=stay(platoon.members),
        joining=stay(platoon.joining),
        leaving=stay(platoon.leaving),
        heard_us={name: at for name, at in platoon.heard_us.items() if name not in gone},
    )


def _reported(platoon: Platoon, now_us: int, report: PlatoonManagement) -> Platoon:
    name, status = report.sender_id, report.status
    if status is PlatoonStatus.ASK_FOR_JOINING:
        # A member that asks has dropped out on its side and begins anew.
        platoon = _without(platoon, {name} & set(platoon.members))
        platoon = _let_in(platoon, now_us, name)
    elif report.role is PlatoonRole.FREE and status is PlatoonStatus.NAVIGATING:
        platoon = _without(platoon, {name})
    elif status is PlatoonStatus.FOLLOWING and name in platoon.joining:
        platoon = replace(platoon, members=(*platoon.members, name), joining=())
    elif status in (PlatoonStatus.ASK_FOR_LEAVING, PlatoonStatus.LEAVING):
        platoon = _let_go(platoon, name)
    if name not in (*platoon.members, *platoon.joining):
        return platoon
    return replace(platoon, heard_us={**platoon.heard_us, name: now_us})


def _let_in(platoon: Platoon, now_us: int, name: bytes) -> Platoon:
    if platoon.joining or not _is_open(platoon):
        return platoon
    return replace(platoon, joining=(name,), joining_since_us=now_us)


def _let_go(platoon: Platoon, name: bytes) -> Platoon:
    if name in platoon.joining:
        return _without(platoon, {name})
    if name not in platoon.members or name in platoon.leaving:
        return platoon
    return replace(platoon, leaving=(*platoon.leaving, name))


def _is_open(platoon: Platoon) -> bool:
    n_vehicles = 1 + len(platoon.members) + len(platoon.joining)
    return platoon.dismissed_us is None and n_vehicles < platoon.params.capacity


def leader_report(platoon: Platoon, *, count: int, second_ms: int) -> PlatoonManagement:
    """Return what the leader says."""
    dismissing = platoon.dismissed_us is not None and not platoon.over
    management = MemberManagement(
        members=_listed((platoon.leader_id, *platoon.members)),
        joining=_listed(platoon.joining) or None,
        leaving=_listed(platoon.leaving) or None,
        capacity=platoon.params.capacity,
        open_to_join=_is_open(platoon),
    )
    return PlatoonManagement(
        count=count,
        sender_id=platoon.leader_id,
        second_ms=second_ms,
        platoon_id=platoon.platoon_id,
        role=PlatoonRole.FREE if platoon.over else PlatoonRole.LEADER,
        status=PlatoonStatus.BEGIN_TO_DISMISS if dismissing else PlatoonStatus.NAVIGATING,
        management=None if platoon.over else management,
    )


def _listed(names: tuple[bytes, ...]) -> tuple[Member, ...]:
    return tuple(Member(vehicle_id=name) for name in names)
