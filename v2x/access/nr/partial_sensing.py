"""Which slots a node listens to before it selects, and which it selects from (Rel-17 mode 2).

TS 38.214 8.1.4 of release 17 knows three ways to a resource: full sensing of everything, partial
sensing of the slots that matter to a few candidates, and random selection. They differ in their
candidate slots and in what was monitored; exclusion and choice are the same procedure over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from v2x import rng

#: Slots of a node, ascending.
Slots = NDArray[np.int32]
#: Least and greatest length of the window of contiguous partial sensing [slots], TS 38.331
#: sl-CPS-WindowPeriodic and its default of 31.
CONTIGUOUS_SLOTS = (5, 31)
_NO_SLOTS: Slots = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialSensingParams:
    """What nodes with partial sensing listen to (TS 38.214 8.1.4).

    Parameters
    ----------
    candidate_slots
        Candidate slots of a selection, Y [slots]: a run of so many slots, placed at random in the
        selection window.
    min_candidate_slots
        Least of them [slots], sl-MinNumCandidateSlotsPeriodic, 1 to 32: so many are looked at
        again when a resource is replaced shortly before its use.
    occasions
        Occasions y - k P of each candidate slot and period that are monitored: 1 is the most
        recent one, 2 adds the one before it (sl-Additional-PBPS-Occasion).
    periods_ms
        Periods P whose occasions are monitored [ms], sl-PBPS-OccasionReservePeriodList; null
        for all that the pool allows.
    contiguous_slots
        Slots before the first candidate that are monitored as well [slots], M of contiguous
        partial sensing: 5 to 31 (sl-CPS-WindowPeriodic, 31 where it is not given), 0 for none.
    """

    candidate_slots: int = 32
    min_candidate_slots: int = 16
    occasions: int = 1
    periods_ms: tuple[int, ...] | None = None
    contiguous_slots: int = 31

    def __post_init__(self) -> None:
        """Reject windows that the standard does not have."""
        for name, low, high in (
            ("min_candidate_slots", 1, 32),
            ("candidate_slots", self.min_candidate_slots, 10_000),
            ("occasions", 1, 16),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must be within {low} and {high}, got {value}")
        low, high = CONTIGUOUS_SLOTS
        if self.contiguous_slots != 0 and not low <= self.contiguous_slots <= high:
            raise ValueError(
                f"contiguous_slots must be 0 or within {low} and {high}, "
                f"got {self.contiguous_slots}"
            )
        if self.periods_ms is not None and not self.periods_ms:
            raise ValueError("periods_ms must name a period, or be null for all of the pool")


@dataclass(frozen=True, slots=True)
class Plan:
    """Candidate slots of a selection, and when it can be made.

    Attributes
    ----------
    first, last
        Candidate slots [first, last].
    decide
        Slot of the selection; nothing later than T_proc,0 before it is known by then.
    since
        First slot in which the node could listen for it: 0 where it knew of the packet before,
        for that comes with a period; else the slot in which the packet came.
    """

    first: int
    last: int
    decide: int
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SensingTiming:
    """Times of a pool [slots].

    Attributes
    ----------
    lag
        Newest slots that are not evaluated yet, T_proc,0.
    lead
        From a selection to the resource, T_proc,1.
    window
        Sensing window, T0.
    periods
        Reservation periods of the pool.
    slots_per_ms
        Slots in a millisecond.
    """

    lag: int
    lead: int
    window: int
    periods: tuple[int, ...]
    slots_per_ms: int


class SelectionScheme(Protocol):
    """How a kind of node comes to its resources.

    Attributes
    ----------
    in_part
        Whether only slots of the scheme's are known; otherwise everything received is.
    """

    in_part: bool

    def plan(self, identity: int, slot: int, first: int, last: int, since: int) -> Plan:
        """Return the candidates of a selection asked for in `slot`, within [first, last]."""

    def before_selection(self, plan: Plan) -> Slots:
        """Return the slots that are monitored for a selection."""

    def before_use(self, slot: int, resources: Slots, since: int) -> Slots:
        """Return the slots that are monitored for a review in `slot` of planned resources."""

    def review_last(self, first: int, last: int, resource: int) -> int:
        """Return the last candidate of a review.

        Its candidates begin with `first`; its resources end with slot `resource`; what is
        still in time, with `last`.
        """


class FullSensing:
    """Every slot is monitored, and each of the selection window is a candidate."""

    in_part = False

    def plan(self, identity: int, slot: int, first: int, last: int, since: int) -> Plan:
        """Return the whole window; the selection is made at once."""
        return Plan(first, last, slot, since)

    def before_selection(self, plan: Plan) -> Slots:
        """Return nothing: nothing in particular is monitored."""
        return _NO_SLOTS

    def before_use(self, slot: int, resources: Slots, since: int) -> Slots:
        """Return nothing: nothing in particular is monitored."""
        return _NO_SLOTS

    def review_last(self, first: int, last: int, resource: int) -> int:
        """Return the whole window."""
        return last


class RandomSelection(FullSensing):
    """Nothing is monitored: every resource of the window is as good as another."""

    in_part = True


class PartialSensing:
    """A run of candidate slots; periodic occasions of each and the slots before it are monitored.

    Parameters
    ----------
    params
        What is listened to.
    timing
        Times of the pool.
    key
        Hash key of the places of the runs.
    """

    in_part = True

    def __init__(self, params: PartialSensingParams, timing: SensingTiming, *, key: int) -> None:
        self._params, self._timing, self._key = params, timing, key
        self._periods = timing.periods
        if params.periods_ms is not None:
            self._periods = tuple(period * timing.slots_per_ms for period in params.periods_ms)

    def plan(self, identity: int, slot: int, first: int, last: int, since: int) -> Plan:
        """Return a run of Y slots in [first, last], drawn uniformly.

        The selection waits until the slots before the run have been listened to. Where that
        begins with the packet, the run comes M slots later, if there is time.
        """
        length = min(self._params.candidate_slots, last - first + 1)
        contiguous = self._params.contiguous_slots
        first = max(first, min(since + contiguous, last - length + 1))
        n_places = last - length + 1 - first + 1
        draw = float(rng.uniform_by_id(self._key, identity, slot))
        start = first + min(int(draw * n_places), n_places - 1)
        decide = max(slot, start - self._timing.lead) if contiguous else slot
        return Plan(start, start + length - 1, decide, since)

    def before_selection(self, plan: Plan) -> Slots:
        """Return the occasions of all candidates, and the slots before the first."""
        candidates = np.arange(plan.first, plan.last + 1, dtype=np.int32)
        return self._listened(plan.decide, candidates, plan.since)

    def before_use(self, slot: int, resources: Slots, since: int) -> Slots:
        """Return the occasions of the resources, and the slots before the first."""
        return self._listened(slot, resources, since)

    def review_last(self, first: int, last: int, resource: int) -> int:
        """Return the least run of candidates that holds the resources."""
        return max(resource, min(last, first + self._params.min_candidate_slots - 1))

    def _listened(self, decide: int, candidates: Slots, since: int) -> Slots:
        end = decide - self._timing.lag  # the first slot that comes too late
        begin = max(since, decide - self._timing.window)
        contiguous = self._params.contiguous_slots
        runs = [np.arange(candidates[0] - contiguous, end, dtype=np.int32)] if contiguous else []
        for period in self._periods:
            # the most recent k P before the end, and those before it
            latest = candidates - ((candidates - end) // period + 1) * period
            runs += [latest - k * period for k in range(self._params.occasions)]
        slots = np.unique(np.concatenate(runs)) if runs else _NO_SLOTS
        return slots[(slots >= begin) & (slots < end)]


class MonitoredSlots:
    """What nodes with a reason to save energy listened to, and how much that was.

    Parameters
    ----------
    n_nodes, ring
        Rows of the fleet, and length of the sensing history.

    Attributes
    ----------
    slot : (n_nodes, ring) int32
        At its place in the ring, each slot that was monitored.
    n : (n_nodes,) int64
        How many.
    """

    def __init__(self, n_nodes: int, ring: int) -> None:
        self._ring = ring
        self.slot = np.full((n_nodes, ring), -1, dtype=np.int32)
        self.n = np.zeros(n_nodes, dtype=np.int64)

    def listen(self, node: int, slots: Slots) -> None:
        """Note that `node` listened in `slots`, each of them once."""
        at = slots % self._ring
        self.n[node] += np.count_nonzero(self.slot[node, at] != slots)
        self.slot[node, at] = slots

    def forget(self, node: int) -> None:
        """Clear what a node that left had monitored."""
        self.slot[node] = -1
        self.n[node] = 0
