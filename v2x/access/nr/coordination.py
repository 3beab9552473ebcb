"""Inter-UE coordination of NR mode 2 (Rel-17): its parameters, and what selection asks of it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import SlotTransmissions
from v2x.access.nr.conflicts import Conflicts, SequenceDetection
from v2x.access.nr.overheard import Announcement, announcements
from v2x.phy.nr.psfch import PsfchGrid

#: Most resource combinations in an SCI 2-C, each of up to three resources.
MAX_COMBINATIONS = 2
NO_SLOTS: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationParams:
    """How nodes help each other to resources (TS 38.214 8.1.4A to 8.1.4C, TS 38.213 16.3.0).

    Parameters
    ----------
    scheme
        "none"; "set", scheme 1: a node tells another, in an SCI 2-C beside its own message, which
        resources suit or do not; "conflict", scheme 2: a node that sees two reservations collide
        tells the lower priority on the PSFCH, which needs `psfch_period`.
    condition
        When a conflict is told: "threshold", if the other node is heard with at least
        `threshold_dbm`; "difference", if it is heard with at least `difference_db` over the one
        that is told (options 1 and 2 of condition 2-A-1; medium confidence).
    threshold_dbm
        RSRP from which on another's reservation counts, in both schemes [dBm per resource
        element].
    difference_db
        RSRP of the other node over that of the one that is told [dB].
    set_type
        "preferred", resources that are free for the one that tells (TS 38.214 8.1.4A), or
        "non-preferred", those that others reserved, or in which it transmits itself (8.1.4B).
    trigger
        Who begins with scheme 1: "request", a node that is about to select asks the one it hears
        best; "condition", a node that sees two reservations collide tells without being asked.
    n_combinations
        Combinations of up to three resources in a set: 1 or 2 fit into an SCI 2-C.
    validity_ms
        Age from which on a set is not used any more [ms]; ours, low confidence.
    """

    scheme: Literal["none", "set", "conflict"] = "none"
    condition: Literal["threshold", "difference"] = "threshold"
    threshold_dbm: float = -110.0
    difference_db: float = 0.0
    set_type: Literal["preferred", "non-preferred"] = "non-preferred"
    trigger: Literal["request", "condition"] = "request"
    n_combinations: int = 2
    validity_ms: float = 200.0

    def __post_init__(self) -> None:
        """Reject what an SCI 2-C cannot carry."""
        if not 1 <= self.n_combinations <= MAX_COMBINATIONS:
            raise ValueError(
                f"n_combinations must be within 1 and {MAX_COMBINATIONS}, got {self.n_combinations}"
            )
        if self.trigger == "condition" and self.set_type == "preferred":
            raise ValueError(
                "trigger 'condition' tells of collisions: set_type must be non-preferred"
            )
        if not 1.0 <= self.validity_ms <= 10_000.0:
            raise ValueError(f"validity_ms must be within 1 and 10000, got {self.validity_ms}")

    @property
    def threshold_mw(self) -> float:
        """Least RSRP of another node at the one that tells of a conflict [mW per element]."""
        return 10.0 ** (self.threshold_dbm / 10.0) if self.condition == "threshold" else 0.0

    @property
    def least_ratio(self) -> float:
        """Least ratio of the same to the RSRP of the one that is told."""
        return 10.0 ** (self.difference_db / 10.0) if self.condition == "difference" else 0.0


class Selecting(NamedTuple):
    """A selection: of which node, among what, how wide, and for which packets.

    Attributes
    ----------
    node
        Who selects.
    first, last
        Slots of its candidates.
    width, n_positions
        Subchannels of a resource, and places for it in a slot.
    """

    node: int
    first: int
    last: int
    width: int
    n_positions: int


class Coordination(Protocol):
    """What others told a node about its resources."""

    def sent(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Take what goes on air in `slot`; messages of others may ride on it."""

    def act(self, slot: int) -> None:
        """Do what is due by `slot`."""

    def next_due(self, limit: int) -> int:
        """Return the next slot in which something is due, at most `limit`."""

    def expects(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        """Take note of a packet of a node: when it came and until when it may be sent."""

    def conflicts(self, node: int) -> frozenset[int]:
        """Return the slots in which resources of a node collide, as it was told."""

    def advice(self, slot: int, selecting: Selecting) -> tuple[NDArray[np.uint8], bool] | None:
        """Return the candidates that others advised against, and whether any of the rest will do.

        None without advice. Otherwise (n_slots * n_positions,) uint8; if the rest need not be a
        least share, one is enough.
        """

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity."""

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""


class Overheard:
    """SCIs by the slot in which they are acted upon.

    Parameters
    ----------
    slots_per_ms
        Slots in a millisecond.
    """

    def __init__(self, slots_per_ms: int) -> None:
        self._slots_per_ms = slots_per_ms
        self._by_slot: dict[int, list[Announcement]] = {}
        self._order: list[int] = []

    def add(self, due: int, slot: int, transmissions: SlotTransmissions) -> list[Announcement]:
        """Put what is sent in `slot` up for slot `due`; returns it."""
        found = announcements(slot, transmissions, self._slots_per_ms)
        if due not in self._by_slot:
            heapq.heappush(self._order, due)
        self._by_slot.setdefault(due, []).extend(found)
        return found

    def take(self, slot: int) -> list[tuple[int, list[Announcement]]]:
        """Return what is due by `slot`, by slots."""
        ready = []
        while self._order and self._order[0] <= slot:
            due = heapq.heappop(self._order)
            ready.append((due, self._by_slot.pop(due)))
        return ready

    def next_due(self, limit: int) -> int:
        """Return the next slot in which something is due, at most `limit`."""
        return min(self._order[0], limit) if self._order else limit


class NoCoordination:
    """Nobody tells anybody anything."""

    def sent(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Do nothing."""

    def act(self, slot: int) -> None:
        """Do nothing."""

    def next_due(self, limit: int) -> int:
        """Return `limit`."""
        return limit

    def expects(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        """Do nothing."""

    def conflicts(self, node: int) -> frozenset[int]:
        """Return none."""
        return NO_SLOTS

    def advice(self, slot: int, selecting: Selecting) -> tuple[NDArray[np.uint8], bool] | None:
        """Return none."""
        return None

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Do nothing."""

    def forget(self, node: int) -> None:
        """Do nothing."""


class ConflictIndications(NoCoordination):
    """Scheme 2: whoever sees reservations collide tells one of them.

    Parameters
    ----------
    conflicts
        Who was told what.
    channel
        Carries the indications.
    grid
        Occasions of the PSFCH.
    slots_per_ms
        Slots in a millisecond.
    """

    def __init__(
        self,
        conflicts: Conflicts,
        channel: SequenceDetection,
        grid: PsfchGrid,
        slots_per_ms: int,
    ) -> None:
        self.told, self._channel, self._grid = conflicts, channel, grid
        self._overheard = Overheard(slots_per_ms)

    def sent(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Put SCIs up for the occasions that answer them."""
        if len(transmissions):
            self._overheard.add(self._grid.occasion(slot), slot, transmissions)

    def act(self, slot: int) -> None:
        """Send and receive the indications of occasions up to `slot`."""
        for occasion, announced in self._overheard.take(slot):
            self.told.answer(occasion, announced)

    def next_due(self, limit: int) -> int:
        """Return the slot of the next occasion, at most `limit`."""
        return self._overheard.next_due(limit)

    def conflicts(self, node: int) -> frozenset[int]:
        """Return the slots in which resources of a node collide, as it was told."""
        return frozenset(self.told.told(node))

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity."""
        self._channel.identity = identity

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        self.told.forget(node)
