"""Who leads and who follows: the platoon dialogues of all vehicles of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from v2x.applications.services.air_sizes import from_octets, octets
from v2x.applications.services.dialogue_log import DialogueLog, DialogueOutcome, Entry
from v2x.messages.csae.clock import COUNTS, MINUTE_US
from v2x.messages.csae.day2.clpmm import PlatoonManagement, PlatoonRole
from v2x.messages.csae.day2.dialogues.platoon_leader import (
    Platoon,
    dismissed,
    found,
    lead,
    leader_report,
)
from v2x.messages.csae.day2.dialogues.platoon_leader import PlatoonParams as PlatoonTimers
from v2x.messages.csae.day2.dialogues.platoon_member import (
    Driving,
    Follower,
    Place,
    ask_to_join,
    follow,
    follower_report,
)
from v2x.units import US_PER_MS

#: How often a vehicle says that it is free again.
_FAREWELLS = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """An open platoon that a vehicle has heard of.

    Attributes
    ----------
    leader_id, platoon_id
        Whom to ask.
    """

    leader_id: bytes
    platoon_id: bytes


@dataclass(frozen=True, slots=True)
class _Farewell:
    """The last word of a role that has ended, and how often it is said yet."""

    role: Platoon | Follower
    n_left: int


class PlatoonRoles:
    """Leaders and followers by stable id, each knowing only what it was told.

    Parameters
    ----------
    timers
        Of all dialogues.
    log
        Takes the dialogues of joining.

    Attributes
    ----------
    leading, following
        Platoons by the stable ids of their leaders, and followers by their own.
    order
        Members in the list that each follower has heard last, the leader first.
    free_us
        Since when a vehicle that has had a role has none [µs].
    """

    def __init__(self, timers: PlatoonTimers, log: DialogueLog) -> None:
        self._timers, self._log = timers, log
        self.leading: dict[int, Platoon] = {}
        self.following: dict[int, Follower] = {}
        self.order: dict[int, tuple[bytes, ...]] = {}
        self.free_us: dict[int, int] = {}
        self._alone_us: dict[int, int] = {}
        self._entries: dict[int, Entry] = {}
        self._farewells: dict[int, _Farewell] = {}
        self._numbers: dict[bytes, int] = {}
        self._counts: dict[int, int] = {}

    def begin(self, now_us: int, chain: Sequence[int]) -> None:
        """Let vehicles be a platoon from the start, the first one its leader."""
        names = tuple(octets(identity) for identity in chain)
        platoon = self._found(chain[0])
        rear = names[1:]
        self.leading[chain[0]] = Platoon(
            params=self._timers,
            leader_id=names[0],
            platoon_id=platoon.platoon_id,
            members=rear,
            heard_us=dict.fromkeys(rear, now_us),
        )
        for identity, name in zip(chain[1:], rear, strict=True):
            self.order[identity] = names
            self.following[identity] = Follower(
                params=self._timers,
                vehicle_id=name,
                leader_id=names[0],
                platoon_id=platoon.platoon_id,
                place=Place.FOLLOWING,
                since_us=now_us,
                listed_us=now_us,
                is_member=True,
                is_tail=name == names[-1],
            )

    def found(self, now_us: int, identity: int) -> None:
        """Let a vehicle offer to lead a platoon."""
        self._farewells.pop(identity, None)
        self.leading[identity] = self._found(identity)
        self._alone_us[identity] = now_us

    def ask(self, now_us: int, identity: int, offer: Offer) -> None:
        """Let a vehicle ask to join a platoon; it gives up its own if nobody is in it."""
        self._farewells.pop(identity, None)
        self.leading.pop(identity, None)
        name = octets(identity)
        self.following[identity] = ask_to_join(
            self._timers, now_us, name, offer.leader_id, offer.platoon_id
        )
        partner = from_octets(offer.leader_id)
        self._entries[identity] = self._log.begin(now_us, identity, partner)

    def is_free(self, identity: int) -> bool:
        """Whether a vehicle has no role, or leads nobody."""
        if identity in self.following:
            return False
        platoon = self.leading.get(identity)
        return platoon is None or not (platoon.members or platoon.joining)

    def advance(
        self,
        now_us: int,
        reports: Mapping[int, Sequence[PlatoonManagement]],
        driving: Mapping[int, Driving],
        *,
        dismissing: frozenset[int],
        give_up_us: int,
    ) -> None:
        """Let everybody go on.

        Parameters
        ----------
        now_us
            The present tick [µs].
        reports
            What reached each vehicle since the last tick.
        driving
            What followers do.
        dismissing
            Leaders that do not want to lead any more.
        give_up_us
            How long a leader waits for members [µs].
        """
        for identity in sorted(self.leading):
            platoon = lead(self.leading[identity], now_us, reports.get(identity, ()))
            if identity in dismissing:
                platoon = dismissed(platoon, now_us)
            if platoon.members or platoon.joining:
                self._alone_us[identity] = now_us
            elif now_us - self._alone_us.get(identity, now_us) > give_up_us:
                platoon = dismissed(platoon, now_us)
            self._alone_us.setdefault(identity, now_us)
            self.leading[identity] = platoon
            if platoon.over:
                self._free(now_us, identity, self.leading.pop(identity))
        for identity in sorted(self.following):
            before = self.following[identity]
            heard = reports.get(identity, ())
            follower = follow(before, now_us, heard, driving.get(identity, Driving.NOTHING))
            self.following[identity] = follower
            self._listen(identity, follower, heard)
            self._note(now_us, identity, before.place, follower.place)
            if follower.place is Place.FREE:
                self._free(now_us, identity, self.following.pop(identity))

    def forget(self, now_us: int, there: Mapping[int, int]) -> None:
        """Drop vehicles that have left."""
        for known in (self.leading, self.following, self.order, self.free_us, self._farewells):
            for identity in [identity for identity in known if identity not in there]:
                del known[identity]
        for identity in [identity for identity in self._entries if identity not in there]:
            self._entries.pop(identity).end(now_us, DialogueOutcome.FAILED)

    def said(self, now_us: int, identity: int) -> PlatoonManagement | None:
        """Return what a vehicle says now, None if it has nothing to say."""
        role: Platoon | Follower | None = self.leading.get(identity) or self.following.get(identity)
        if role is None:
            farewell = self._farewells.get(identity)
            if farewell is None:
                return None
            role = farewell.role
            self._farewells[identity] = _Farewell(role, farewell.n_left - 1)
            if farewell.n_left == 1:
                del self._farewells[identity]
        count = self._counts.get(identity, 0)
        self._counts[identity] = (count + 1) % COUNTS
        if identity in self._entries:
            self._entries[identity].n_messages += 1
        second_ms = now_us % MINUTE_US // US_PER_MS
        if isinstance(role, Platoon):
            return leader_report(role, count=count, second_ms=second_ms)
        return follower_report(role, count=count, second_ms=second_ms)

    def speakers(self) -> Iterator[int]:
        """Yield who has something to say."""
        yield from sorted({*self.leading, *self.following, *self._farewells})

    def number(self, platoon_id: bytes) -> int:
        """Return the running number of a platoon."""
        return self._numbers.setdefault(platoon_id, len(self._numbers))

    def _found(self, identity: int) -> Platoon:
        platoon_id = octets(identity) + len(self._numbers).to_bytes(9, "big")
        self.number(platoon_id)
        return found(self._timers, octets(identity), platoon_id)

    def _listen(
        self, identity: int, follower: Follower, heard: Sequence[PlatoonManagement]
    ) -> None:
        """Remember the last list of the leader."""
        for report in heard:
            if report.sender_id != follower.leader_id:
                continue
            if identity in self._entries:
                self._entries[identity].n_messages += 1
            mine = report.platoon_id == follower.platoon_id
            if mine and report.role is PlatoonRole.LEADER and report.management is not None:
                members = report.management.members
                self.order[identity] = tuple(item.vehicle_id for item in members)

    def _note(self, now_us: int, identity: int, before: Place, place: Place) -> None:
        """Note how far the dialogue of joining has come."""
        entry = self._entries.get(identity)
        if entry is None or place is before:
            return
        if place is Place.JOINING:
            entry.answer_us = now_us
            return
        if place is Place.FOLLOWING:
            entry.end(now_us, DialogueOutcome.COMPLETE)
        elif before is Place.ASKING:
            waited = now_us - entry.begin_us > self._timers.answer_ms * US_PER_MS
            entry.end(now_us, DialogueOutcome.NO_ANSWER if waited else DialogueOutcome.REFUSED)
        else:
            entry.end(now_us, DialogueOutcome.CANCELLED)
        del self._entries[identity]

    def _free(self, now_us: int, identity: int, role: Platoon | Follower) -> None:
        self.order.pop(identity, None)
        self._alone_us.pop(identity, None)
        self.free_us[identity] = now_us
        self._farewells[identity] = _Farewell(role, _FAREWELLS)
