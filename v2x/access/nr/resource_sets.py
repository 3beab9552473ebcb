"""Inter-UE coordination scheme 1: one node tells another which resources suit it, or do not.

TS 38.214 8.1.4A (preferred set), 8.1.4B (non-preferred set), 8.1.4C (what the other does with
it), TS 38.321 5.22.1.9. Requests and sets travel in SCI 2-C, in place of the SCI 2-A of a message
that the node sends anyway: they cost room in its slot, for which every allocation is made
(:func:`v2x.phy.nr.sci.sci2c_bits`), and reach whom the control information of that message reaches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.base import SlotTransmissions
from v2x.access.nr.coordination import CoordinationParams, NoCoordination, Overheard, Selecting
from v2x.access.nr.overheard import (
    Announcement,
    Resource,
    best_heard,
    decoded_mw,
    heard_resources,
)
from v2x.phy.nr.sci import RESERVATION_WINDOW_SLOTS
from v2x.phy.sensing_history import SensingHistory

#: Resources of a combination: those that one time resource indication value can name.
_PER_COMBINATION = 3


class Wanted(NamedTuple):
    """What a node that asks will look for.

    Attributes
    ----------
    node
        Who asks.
    first, last
        Selection window.
    priority
        Priority of its packet.
    """

    node: int
    first: int
    last: int
    priority: int


class Told(NamedTuple):
    """A set of resources on its way, or received.

    Attributes
    ----------
    node
        For whom it is.
    resources
        The set.
    until
        Last slot in which it is used.
    """

    node: int
    resources: tuple[Resource, ...]
    until: int


class Addressed(NamedTuple):
    """What rides on a message."""

    receiver: int
    content: Wanted | Told


#: Node, slot and what is wanted, to the resources that are free for the node.
Survey = Callable[[int, int, Wanted], list[Resource]]


class ResourceSets(NoCoordination):
    """Who asked whom, who told what, and what of it still holds.

    Parameters
    ----------
    params
        Type of the set, and who begins.
    history
        What every node decoded.
    overheard
        SCIs that wait for being evaluated.
    survey
        Finds what is free for a node.
    lag
        Slots until a received slot is evaluated, T_proc,0.
    lead
        From a selection to the first resource, T_proc,1.
    period, validity
        Period of the packets, and lifetime of a set [slots].
    slots_per_ms
        Slots in a millisecond.
    key
        Hash key of what is picked for a set.

    Attributes
    ----------
    n_requests, n_sets, n_received, n_followed
        Requests and sets sent, sets that arrived, and selections that had one.
    """

    def __init__(
        self,
        params: CoordinationParams,
        history: SensingHistory,
        overheard: Overheard,
        survey: Survey,
        *,
        lag: int,
        lead: int,
        period: int,
        validity: int,
        slots_per_ms: int,
        key: int,
    ) -> None:
        self._params, self._history, self._overheard = params, history, overheard
        self._survey, self._lag, self._lead = survey, lag, lead
        self._period, self._validity, self._key = period, validity, key
        self._slots_per_ms = slots_per_ms
        self._reserved: dict[int, list[Announcement]] = defaultdict(list)
        self._latest: dict[int, Announcement] = {}
        # by slot, then by subchannel and word; None where several cannot be told apart
        self._senders: dict[int, dict[tuple[int, int], int | None]] = {}
        self._packets: dict[int, tuple[int, int, int]] = {}
        self._to_tell: dict[int, list[Wanted | Told]] = defaultdict(list)
        self._riding: dict[tuple[int, int], Addressed] = {}
        self._sets: dict[int, list[Told]] = defaultdict(list)
        self.n_requests = self.n_sets = self.n_received = self.n_followed = 0

    def expects(self, node: int, slot: int, deadline_slot: int, priority: int) -> None:
        """Take note of a packet of a node: the next one is expected a period later."""
        self._packets[node] = (slot, deadline_slot, priority)

    def sent(self, slot: int, transmissions: SlotTransmissions) -> None:
        """Let requests and sets ride on new messages, and put SCIs up for evaluation."""
        if not len(transmissions):
            return
        found = self._overheard.add(slot + self._lag + 1, slot, transmissions)
        here: dict[tuple[int, int], int | None] = {}
        for sci in found:
            sign = (sci.place.first, sci.word)
            here[sign] = None if sign in here else sci.node
        self._senders[slot] = here
        for sci, row in zip(found, transmissions, strict=True):
            self._latest[sci.node] = sci
            if row["attempt"] == 0:
                message = self._answer(slot, sci.node) or self._request(slot, sci)
                if message is not None:
                    self._riding[sci.node, slot] = message

    def _answer(self, slot: int, node: int) -> Addressed | None:
        """Return the set that a node has to tell, if it is still of use."""
        waiting = self._to_tell[node]
        while waiting:
            item = waiting.pop(0)
            told = item if isinstance(item, Told) else self._set_for(node, slot, item)
            if told.resources and told.resources[-1].slot > slot + self._lag:
                self.n_sets += 1
                return Addressed(told.node, told)
        return None

    def _request(self, slot: int, sci: Announcement) -> Addressed | None:
        """Return the request of a node whose grant ends, to whom it hears best."""
        if self._params.trigger != "request" or sci.periodic or sci.node not in self._packets:
            return None
        partner = self._best_heard(sci.node, slot)
        if partner is None:
            return None
        came, deadline, priority = self._packets[sci.node]
        first = came + self._period + self._lead
        self.n_requests += 1
        return Addressed(partner, Wanted(sci.node, first, deadline + self._period, priority))

    def _best_heard(self, node: int, slot: int) -> int | None:
        """Return whose SCI a node decoded with the highest RSRP in the last period."""
        found = best_heard(self._history, node, slot - self._period, slot - self._lag)
        return self._senders.get(found[0], {}).get(found[1:])

    def _set_for(self, node: int, slot: int, wanted: Wanted) -> Told:
        """Return what a node tells another of its selection window."""
        own = self._latest.get(node)
        busy = {one.slot for one in own.resources} if own is not None else set()
        if self._params.set_type == "preferred":
            free = self._survey(node, slot, wanted)
            found = [one for one in free if one.slot not in busy]
        else:
            asker = self._latest.get(wanted.node)
            theirs = () if asker is None else asker.resources
            found = heard_resources(
                self._history,
                node,
                (wanted.first, wanted.last),
                slot - self._lag,
                self._params.threshold_mw,
                self._slots_per_ms,
            )
            found = [one for one in found if one not in theirs]
            found += [] if own is None else own.resources
        return Told(wanted.node, self._combined(found, node, slot), slot + self._validity)

    def _combined(self, found: Iterable[Resource], node: int, slot: int) -> tuple[Resource, ...]:
        """Return what of some resources fits into the combinations of an SCI 2-C, by slots."""
        left, chosen = sorted(set(found)), list[Resource]()
        for k in range(self._params.n_combinations):
            if not left:
                break
            draw = float(rng.uniform_by_id(self._key, node, slot * self._params.n_combinations + k))
            start = left[min(int(draw * len(left)), len(left) - 1)]
            combination = {start.slot: start}
            for one in left:
                ahead = one.slot - start.slot
                if 0 < ahead < RESERVATION_WINDOW_SLOTS and len(combination) < _PER_COMBINATION:
                    combination.setdefault(one.slot, one)
            chosen += combination.values()
            left = [one for one in left if one not in chosen]
        return tuple(sorted(chosen))

    def act(self, slot: int) -> None:
        """Deliver what rode on messages, and look for collisions where that is the trigger."""
        for due, announced in self._overheard.take(slot):
            for sci in announced:
                self._deliver(due, sci)
            if self._params.trigger == "condition":
                for sci in announced:
                    for at in {one.slot for one in sci.resources}:
                        self._reserved[at].append(sci)
                for sci in announced:
                    self._tell_of_collisions(due, sci)
            for at in [at for at in self._reserved if at < due]:
                del self._reserved[at]
            for at in [at for at in self._senders if at < due - self._period - 2 * self._lag]:
                del self._senders[at]

    def _deliver(self, now: int, sci: Announcement) -> None:
        message = self._riding.pop((sci.node, sci.place.slot), None)
        alone = self._senders[sci.place.slot][sci.place.first, sci.word] == sci.node
        if message is None or not alone:
            return
        if _decoded_by(self._history, sci, message.receiver) <= 0.0:
            return
        if isinstance(message.content, Wanted):
            self._to_tell[message.receiver].append(message.content)
            return
        self.n_received += 1
        kept = [told for told in self._sets[message.receiver] if told.until >= now]
        self._sets[message.receiver] = [*kept, message.content]

    def _tell_of_collisions(self, now: int, sci: Announcement) -> None:
        """Let all who see what an SCI reserves collide prepare a set for its sender."""
        for resource in sci.resources:
            for other in self._reserved.get(resource.slot, ()):
                if other.node == sci.node or sci.place.hides(other.place):
                    continue
                if not any(map(resource.meets, other.resources)):
                    continue
                if (other.priority, other.place.slot, other.node) >= (
                    sci.priority, sci.place.slot, sci.node
                ):  # fmt: skip
                    continue
                theirs = decoded_mw(self._history, other) > self._params.threshold_mw
                sees = theirs & (decoded_mw(self._history, sci) > 0.0)
                sees[[sci.node, other.node]] = False
                told = Told(
                    sci.node,
                    tuple(sorted(other.resources))[: self._n_resources()],
                    now + self._validity,
                )
                for node in np.flatnonzero(sees).tolist():
                    self._to_tell[node].append(told)

    def _n_resources(self) -> int:
        return _PER_COMBINATION * self._params.n_combinations

    def next_due(self, limit: int) -> int:
        """Return the slot in which the next SCI is evaluated, at most `limit`."""
        return self._overheard.next_due(limit)

    def conflicts(self, node: int) -> frozenset[int]:
        """Return where what a node reserved meets what it was advised against."""
        mine = self._latest.get(node)
        if mine is None or self._params.set_type == "preferred":
            return frozenset()
        return frozenset(
            one.slot
            for told in self._sets.get(node, ())
            for one in told.resources
            if any(map(one.meets, mine.resources))
        )

    def advice(self, slot: int, selecting: Selecting) -> tuple[NDArray[np.uint8], bool] | None:
        """Return the candidates that others advised against (8.1.4C)."""
        first, last, width, n_positions = selecting[1:]
        preferred = self._params.set_type == "preferred"
        told = [
            one
            for received in self._sets.get(selecting.node, ())
            if received.until >= slot
            for one in received.resources
            if first <= one.slot <= last
        ]
        if not told:
            return None
        self.n_followed += 1
        barred = np.full((last - first + 1, n_positions), preferred, dtype=np.uint8)
        for one in told:
            if preferred:
                barred[one.slot - first, one.first] = 0
            else:
                low = max(one.first - width + 1, 0)
                barred[one.slot - first, low : one.first + one.width] = 1
        return barred.ravel(), preferred

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        for by_node in (self._latest, self._packets, self._to_tell, self._sets):
            by_node.pop(node, None)
        self._riding = {key: value for key, value in self._riding.items() if key[0] != node}
        for reserved in self._reserved.values():
            reserved[:] = [sci for sci in reserved if sci.node != node]


def _decoded_by(history: SensingHistory, sci: Announcement, node: int) -> float:
    """Return the RSRP with which one node decoded an SCI, 0 if it did not."""
    return float(decoded_mw(history, sci, node))
