"""NR-V2X PC5 mode 2: sensing, random choice, re-evaluation, pre-emption (TS 38.214 8.1.4)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.grants import REVIEW_COLUMNS
from v2x._kernels.sensing import CandidateSelector
from v2x.access.base import AccessContext, SlotTransmissions
from v2x.access.nr.coordination import Selecting
from v2x.access.nr.coordination_schemes import coordination_of
from v2x.access.nr.overheard import Resource
from v2x.access.nr.params import LONGEST_WINDOW_MS, NrMode2Params
from v2x.access.nr.partial_sensing import Plan, SensingTiming
from v2x.access.nr.resource_sets import Wanted
from v2x.access.nr.selection import selection_by_kind
from v2x.access.sidelink_sps import SidelinkSps, reselection_counter_range
from v2x.phy.nr.numerology import numerology
from v2x.phy.nr.sci import RESERVATION_WINDOW_SLOTS

#: Conflicts of a packet that are heeded: what an SCI reserves, twice.
_MOST_CONFLICTS = 8
#: Stands for no limit on priorities: all of 1 to 8 are below it.
_ANY_PRIORITY = 9


class NrMode2(SidelinkSps):
    """Each vehicle senses, draws from what is free, and looks again before it transmits.

    Grants, counters and repetitions are those of every sidelink (the grant book); the sensing of
    TS 38.214 8.1.4 shares its exclusion with LTE. See ``docs/nr_mode2.md`` for the clauses.

    Attributes
    ----------
    n_reevaluated, n_preempted, n_resolved
        Resources given up so far before they were announced, after that, and because others told
        of a conflict.
    coordination
        What others tell.
    """

    Params = NrMode2Params

    def __init__(self, params: NrMode2Params, context: AccessContext) -> None:
        timing = numerology(params.scs_khz)
        per_ms = timing.slots_per_ms
        persistent = params.grant == "sps"
        period_ms = params.period_ms(context.period_ms) if persistent else LONGEST_WINDOW_MS
        counter_range = reselection_counter_range(period_ms) if persistent else (1, 1)
        reach = RESERVATION_WINDOW_SLOTS - 1
        n_attempts = 1 + params.blind_retransmissions
        self._t2 = per_ms * (LONGEST_WINDOW_MS if params.t2_ms is None else params.t2_ms)
        coordinated = params.coordination.scheme != "none"
        reviews = params.reevaluation or params.preemption or coordinated
        super().__init__(
            context,
            period_ms=period_ms,
            counter_range=counter_range,
            keep_probability=params.keep_probability if persistent else 0.0,
            reselect_after=params.reselect_after,
            horizon_ms=max(period_ms, self._t2 // per_ms) + n_attempts * reach // per_ms,
            max_attempts=n_attempts,
            max_reserve=params.max_reserve,
            look_back=False,
            review_slots=timing.t_proc1_slots if reviews else 0,
        )
        self._params = params
        self._t1 = timing.t_proc1_slots if params.t1_slots is None else params.t1_slots
        self._reach, self._n_attempts = reach, n_attempts
        # Attempts stay clear of those of the next packet, whatever moves.
        self._span = self._period - 1
        # C_resel = 10 RC; the least counter looks past every candidate's window already.
        self._n_periods = 10 * counter_range[0] if persistent else 1
        own_periods = (period_ms,) if persistent else ()
        periods_ms = np.array(params.allowed_periods_ms or own_periods, dtype=np.int32)
        # reviewed resources may lie beyond the window of a new selection
        farthest = max(self._t2, timing.t_proc1_slots + params.max_reserve * reach)
        n_candidates = (farthest + 1) * params.n_subchannels
        sensing_slots = min(per_ms * params.sensing_window_ms, context.history.window - 1)
        self._schemes = selection_by_kind(
            params,
            SensingTiming(
                lag=timing.t_proc0_slots,
                lead=timing.t_proc1_slots,
                window=sensing_slots,
                periods=tuple((periods_ms * per_ms).tolist()),
                slots_per_ms=per_ms,
            ),
            n_nodes=context.n_nodes,
            ring=context.history.window,
            key=rng.key32(context.seed, "access", "candidates"),
        )
        monitored = self._schemes.monitored
        self.selector = CandidateSelector(
            context.history.words,
            context.history.powers,
            noise_mw=context.noise_mw,
            thresholds_dbm=params.thresholds_dbm(),
            periods_slots=periods_ms * np.int32(per_ms),
            step_slots=100 * per_ms,
            keep_ratio=params.keep_percent / 100.0,
            key=rng.key32(context.seed, "access", "selection"),
            sensing_slots=sensing_slots,
            lag_slots=timing.t_proc0_slots,
            scale_by_window=True,
            waive_unheard=True,
            longest_slots=int(periods_ms.max(initial=1)) * per_ms,
            further=context.history.further,
            urgency=context.history.urgency,
            monitored=None if monitored is None else monitored.slot,
            in_part=self._schemes.in_part,
            least_gap=params.least_gap_slots(),
            excess=np.zeros(n_candidates, dtype=np.float32),
            energy=np.zeros(n_candidates, dtype=np.float32),
            tie=np.zeros(n_candidates, dtype=np.uint32),
            order=np.zeros(n_candidates, dtype=np.int32),
        )
        n_rows = 2 * max(context.n_nodes, 1) * self._n_processes
        self._requests = np.zeros((n_rows, REVIEW_COLUMNS + 3 * params.max_reserve), np.int32)
        self._lost = np.zeros(n_rows, dtype=np.int32)
        self._places = np.zeros(2 * n_attempts, dtype=np.int32)
        self._reviewed = np.zeros(n_rows, dtype=np.int32)
        # first slot in which a process could listen for its packet
        self._since = np.zeros(n_rows, dtype=np.int32)
        self._no_candidates: NDArray[np.uint8] = np.zeros(0, dtype=np.uint8)
        self._nothing: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self.n_reevaluated = self.n_preempted = self.n_resolved = 0
        self.coordination = coordination_of(params, context, self._free_resources)
        # room for the slots in which the own resources are told to collide
        self._busy = np.zeros(len(self._busy) + _MOST_CONFLICTS, dtype=np.int32)

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        """Return what goes on air in `slot`, and the packets dropped instead."""
        self.coordination.act(slot)
        for row, plan, priority in self._schemes.due(slot):
            self._select(row, slot, plan, priority)
            self._grant_chosen(row)
        self._review(slot)
        sent, dropped = super().transmissions(slot)
        self.coordination.sent(slot, sent)
        return sent, dropped

    def next_active(self, slot: int, limit: int) -> int:
        """Return the first slot in [slot, limit) in which something is due, or `limit`."""
        limit = self.coordination.next_due(self._schemes.next_due(limit))
        return super().next_active(slot, max(slot, limit))

    def bind(self, identity: NDArray[np.uint32]) -> None:
        """Take the hash word of each node's identity, shape (n_nodes,)."""
        super().bind(identity)
        self.coordination.bind(identity)

    def forget(self, node: int) -> int:
        """Clear all state of a node that left; returns its waiting packet, or -1."""
        self._schemes.forget(node)
        self.coordination.forget(node)
        for row in range(node * self._n_processes, (node + 1) * self._n_processes):
            self._schemes.cancel(row)
        return super().forget(node)

    def settle(self, verdicts: NDArray[np.int32]) -> NDArray[np.int32]:
        """Take feedback on packets; see :meth:`FeedbackAccess.settle`."""
        released = np.empty(len(verdicts), dtype=np.int32)
        self._book.settle(verdicts, released)
        return released

    def classify(self, kind: NDArray[np.int32]) -> None:
        """Take the kind of each node, shape (n_nodes,)."""
        self._schemes.classify(kind)

    def take_monitored(self, slot: int) -> tuple[int, NDArray[np.int64]]:
        """Return the slots since the last call, and in how many each node had to listen."""
        return self._schemes.take_monitored(slot)

    def _accept(self, row: int, slot: int, packet: int, deadline_slot: int, priority: int) -> int:
        if self._process(row).recurs:
            self.coordination.expects(self._process(row).node, slot, deadline_slot, priority)
        return super()._accept(row, slot, packet, deadline_slot, priority)

    def _choose(self, row: int, slot: int, deadline_slot: int, priority: int) -> None:
        self._chosen[:] = -1
        self._schemes.cancel(row)
        node = self._process(row).node
        first, last = slot + self._t1, min(slot + self._t2, deadline_slot)
        if first > last:
            return
        foreseen = self._params.grant == "sps" and self._process(row).recurs
        self._since[row] = 0 if foreseen else slot
        plan = self._schemes.of(node).plan(
            int(self._identity[node]), slot, first, last, int(self._since[row])
        )
        if plan.decide > slot:
            self._schemes.postpone(row, plan, priority)
        else:
            self._select(row, slot, plan, priority)

    def _select(self, row: int, slot: int, plan: Plan, priority: int) -> None:
        """Draw the resources of a packet into `_chosen`."""
        self._chosen[:] = -1
        node = self._process(row).node
        self._schemes.listen(node, self._schemes.of(node).before_selection(plan))
        self._find_busy(row, plan.last)
        self._draw(row, slot, (plan.first, plan.last), priority, 0, self._n_attempts)

    def _draw(
        self,
        row: int,
        slot: int,
        window: tuple[int, int],
        priority: int,
        n_fixed: int,
        n_wanted: int,
    ) -> int:
        """Draw into `_chosen`, keeping its first `n_fixed` pairs; returns how many there are."""
        process = self._process(row)
        n_positions = self._params.n_subchannels - process.n_subchannels + 1
        barred, n_least = None, 1
        advice = self.coordination.advice(
            slot, Selecting(process.node, *window, process.n_subchannels, n_positions)
        )
        if advice is not None:
            barred, one_is_enough = advice
            if not one_is_enough:
                n_least = math.ceil(self._params.keep_percent / 100.0 * len(barred) - 1e-9)
        return self.selector.select_any(
            process.node,
            int(self._identity[process.node]),
            slot,
            window[0] - slot,
            window[1] - slot,
            process.n_subchannels,
            process.period,
            self._n_periods if process.recurs else 1,
            priority,
            self._reach,
            self._span if process.recurs else process.period,
            self._busy,
            self._chosen,
            n_fixed,
            n_wanted,
            self._no_candidates,
            barred,
            n_least,
        )

    def _free_resources(self, node: int, slot: int, wanted: Wanted) -> list[Resource]:
        """Return S_A of a node for the window of another one (8.1.4A)."""
        first, last = max(wanted.first, slot + self._t1), wanted.last
        process = self._process(node * self._n_processes)
        width, n_positions = process.n_subchannels, self._params.n_subchannels
        n_positions += 1 - width
        if first > last:
            return []
        last = min(last, first + self._t2 - self._t1)
        free = np.zeros((last - first + 1) * n_positions, dtype=np.uint8)
        self.selector.select_any(
            node, int(self._identity[node]), slot, first - slot, last - slot, width,
            process.period, self._n_periods, wanted.priority, self._reach, self._span,
            self._nothing, self._nothing, 0, 0, free,
        )  # fmt: skip
        return [
            Resource(first + place // n_positions, place % n_positions, width)
            for place in np.flatnonzero(free).tolist()
        ]

    def _review(self, slot: int) -> None:
        """Re-evaluation and pre-emption of everything that goes on air T3 from now."""
        n = self._book.reviews(slot, self._t2, self._requests)
        if n:
            self._reviewed[:n] = self._requests[:n, 0]
            self._requests[:n, 0] //= self._n_processes
            if self._schemes.monitored is not None:
                self._listen_before_use(slot, n)
            if self._find_lost(slot, n):
                for review in np.flatnonzero(self._lost[:n]).tolist():
                    self._replace(slot, review)
        self._book.plan_reviews(slot)

    def _find_lost(self, slot: int, n: int) -> bool:
        """Find which resources of `n` reviews are lost; returns whether there may be any."""
        level = 0
        if self._params.preemption:
            level = self._params.preemption_level or _ANY_PRIORITY
        lost = self.selector.review(
            slot, self._t1, self._n_periods, level, self._requests, n, self._lost
        )
        if self._params.coordination.scheme == "none":
            return bool(lost)
        self._heed(n)
        return True

    def _heed(self, n: int) -> None:
        """Count resources as lost of which others told that they collide."""
        for review in range(n):
            conflicts = self.coordination.conflicts(int(self._requests[review, 0]))
            if not conflicts:
                continue
            *_, n_reviewed = self._requests[review, :REVIEW_COLUMNS].tolist()
            slots = self._requests[review, REVIEW_COLUMNS : REVIEW_COLUMNS + 3 * n_reviewed : 3]
            for k, slot in enumerate(slots.tolist()):
                if slot in conflicts:
                    self._lost[review] |= 1 << k

    def _listen_before_use(self, slot: int, n: int) -> None:
        """Let nodes with partial sensing listen for their reviews, and narrow these to that."""
        for row in np.flatnonzero(self._schemes.in_part[self._requests[:n, 0]]).tolist():
            node, _, _, _, last, n_reviewed, *resources = self._requests[row].tolist()
            slots = np.array(resources[: 3 * n_reviewed : 3], dtype=np.int32)
            scheme = self._schemes.of(node)
            since = int(self._since[self._reviewed[row]])
            self._schemes.listen(node, scheme.before_use(slot, slots, since))
            self._requests[row, 4] = scheme.review_last(slot + self._t1, last, int(slots[-1]))

    def _replace(self, slot: int, review: int) -> None:
        """Draw others for the resources of a review that were lost, if there are any."""
        row = int(self._reviewed[review])
        node, _, _, priority, _, n_reviewed, *resources = self._requests[review].tolist()
        announced = resources[2 : 3 * n_reviewed : 3]
        lost = {
            k
            for k, known in enumerate(announced)
            if self._lost[review] >> k & 1 and (known or self._params.reevaluation)
        }
        repeating = self._book.busy_slot(row) == resources[0]
        first = slot + self._t1
        if repeating:
            first = max(first, self._book.last_sent(row) + self._params.least_gap_slots())
        last = min(slot + self._t2, self._book.last_slot_of(row, repeating))
        if self._schemes.in_part[node]:
            last = min(last, int(self._requests[review, 4]))
        if not lost or last < first:
            return
        n_lost = len(lost)
        n = self._book.remaining(row, repeating, self._places)
        pairs = self._places[: 2 * n].reshape(n, 2)
        kept = np.delete(pairs, sorted(lost), axis=0)
        self._chosen[: kept.size] = kept.ravel()
        self._find_busy(row, last, repeating=repeating)
        told = self._keep_clear_of(self.coordination.conflicts(node))
        if self._draw(row, slot, (first, last), priority, len(kept), n) < n:
            return
        self._book.move(row, repeating, self._chosen, n)
        lost = {k for k in lost if resources[3 * k] not in told}
        self.n_resolved += n_lost - len(lost)
        n_preempted = sum(announced[k] for k in lost)
        self.n_preempted += n_preempted
        self.n_reevaluated += len(lost) - n_preempted

    def _keep_clear_of(self, slots: frozenset[int]) -> frozenset[int]:
        """Add slots to those that must not be chosen, as many as fit; returns them."""
        free = np.flatnonzero(self._busy < 0)
        added = sorted(slots)[: len(free)]
        self._busy[free[: len(added)]] = added
        return frozenset(added)
