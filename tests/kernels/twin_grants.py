"""Semi-persistent scheduling with one object per node and a walk through all of them per slot.

The rules are those of TS 36.321 5.14.1: a grant is an opportunity every period; the counter
falls with each opportunity, used or not; when it runs out the grant is kept with
probResourceKeep and counted anew, or ends, which its last transmission announces by reserving
nothing; and it ends after sl-ReselectAfter opportunities in a row that were not used, or a
second of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .twin_math import hashed, uniform
from .twin_reception import Tx


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet that waits for an opportunity."""

    packet: int
    deadline: int
    priority: int


@dataclass(slots=True)
class Grant:
    """A resource that recurs, and how often it still will."""

    slot: int
    first: int
    length: int
    period: int
    gap: int
    other: int
    counter: int
    unused: int = 0


@dataclass(kw_only=True)
class Book:
    """The grants of all nodes.

    Attributes
    ----------
    word
        Hash word of each node, or of the node of each process.
    draws
        Numbers drawn so far, by node.
    waiting, grants, repetitions
        By node; a repetition is its slot and what is sent then.
    """

    word: list[int]
    keep_probability: float
    counter_low: int
    counter_high: int
    reselect_after: int
    key: int
    slot_us: int
    draws: Counter[int] = field(default_factory=Counter)
    waiting: dict[int, Waiting] = field(default_factory=dict)
    grants: dict[int, Grant] = field(default_factory=dict)
    repetitions: dict[int, tuple[int, Tx]] = field(default_factory=dict)

    def offer(self, node: int, packet: int, deadline: int, priority: int) -> tuple[int, bool]:
        """Take a packet; returns the one it replaces, and whether a grant is needed."""
        old = self.waiting.get(node)
        self.waiting[node] = Waiting(packet, deadline, priority)
        grant = self.grants.get(node)
        if grant is not None and grant.slot > deadline:
            del self.grants[node]
            grant = None
        return -1 if old is None else old.packet, grant is None

    def grant(
        self,
        node: int,
        slot: int,
        first: int,
        length: int,
        period: int,
        other_slot: int,
        other_first: int,
    ) -> None:
        """Give a resource, with a repetition unless `other_slot` is -1."""
        twice = other_slot >= 0
        self.grants[node] = Grant(
            slot,
            first,
            length,
            period,
            other_slot - slot if twice else 0,
            other_first if twice else 0,
            self._new_counter(node) if period else 1,
        )

    def busy_slot(self, node: int) -> int:
        """Return the slot of the repetition to come, -1 for none."""
        return self.repetitions[node][0] if node in self.repetitions else -1

    def forget(self, node: int) -> int:
        """Drop everything of a node but its count of draws; returns the packet that waited."""
        self.grants.pop(node, None)
        self.repetitions.pop(node, None)
        old = self.waiting.pop(node, None)
        return -1 if old is None else old.packet

    def transmissions(self, slot: int) -> tuple[list[Tx], list[int]]:
        """Return what goes on air by node, and packets whose deadline is over."""
        on_air, dropped = [], []
        for node in range(len(self.word)):
            grant = self.grants.get(node)
            if grant is not None and grant.slot == slot:
                waiting = self.waiting.pop(node, None)
                if waiting is not None and waiting.deadline < slot:
                    dropped.append(waiting.packet)
                    waiting = None
                on_air += self._use(node, grant, waiting)
            elif self.busy_slot(node) == slot:
                on_air.append(self.repetitions.pop(node)[1])
        return on_air, dropped

    def next_due(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) in which a node may act, or `limit`."""
        due = [grant.slot for grant in self.grants.values()]
        due += [when for when, _ in self.repetitions.values()]
        return min([s for s in due if s >= slot], default=limit)

    def _uniform(self, node: int) -> float:
        self.draws[node] += 1
        return uniform(hashed(self.key, self.word[node], self.draws[node]))

    def _new_counter(self, node: int) -> int:
        span = self.counter_high - self.counter_low + 1
        return self.counter_low + int(self._uniform(node) * span)

    def _use(self, node: int, grant: Grant, waiting: Waiting | None) -> list[Tx]:
        """Spend one opportunity."""
        ends = False
        if grant.period == 0:
            ends = True
        elif grant.counter > 1:
            grant.counter -= 1
        elif self._uniform(node) <= self.keep_probability:
            grant.counter = self._new_counter(node)
        else:
            ends = True
        grant.unused = 0 if waiting is not None else grant.unused + 1
        slot = grant.slot
        second_unused = grant.unused * grant.period * self.slot_us >= 1_000_000
        if ends or grant.unused >= self.reselect_after or second_unused:
            del self.grants[node]
        grant.slot += grant.period
        if waiting is None:
            return []
        reservation_ms = 0 if ends else grant.period * self.slot_us // 1000
        if grant.gap:
            assert node not in self.repetitions, "the twin knows one repetition at a time"
            again = Tx(
                node=node,
                packet=waiting.packet,
                first_subchannel=grant.other,
                n_subchannels=grant.length,
                attempt=1,
                n_attempts=2,
                reservation_ms=reservation_ms,
                priority=waiting.priority,
                gap_slots=-grant.gap,
                other_subchannel=grant.first,
            )
            self.repetitions[node] = slot + grant.gap, again
        return [
            Tx(
                node=node,
                packet=waiting.packet,
                first_subchannel=grant.first,
                n_subchannels=grant.length,
                attempt=0,
                n_attempts=2 if grant.gap else 1,
                reservation_ms=reservation_ms,
                priority=waiting.priority,
                gap_slots=grant.gap,
                other_subchannel=grant.other,
            )
        ]
