"""Sensing by hand for NR mode 2, and the clause to compare with (TS 38.214 8.1.4)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from v2x._kernels.sensing import CandidateSelector
from v2x.access.nr.partial_sensing import MonitoredSlots
from v2x.phy.sensing_history import ControlInformation, SensingHistory

#: A resource: slot and first subchannel.
Resource = tuple[int, int]

IDLE_MW = 2.0**-36


@dataclass(frozen=True)
class Heard:
    """Control information decoded by the node: where, what and how strong."""

    slot: int
    subchannel: int
    sci: ControlInformation
    rsrp_dbm: float


def heard(
    slot: int,
    subchannel: int = 0,
    *,
    period_ms: int = 0,
    width: int = 1,
    priority: int = 5,
    rsrp_dbm: float = -80.0,
    gaps: tuple[tuple[int, int], ...] = (),
) -> Heard:
    """Return what a node hears of somebody; `gaps` are slots and subchannel of further ones."""
    further = [v for gap in (*gaps, (0, 0), (0, 0))[:2] for v in gap]
    return Heard(
        slot, subchannel, ControlInformation(period_ms, width, priority, *further), rsrp_dbm
    )


def write(history: SensingHistory, node: int, memory: list[Heard], own: list[int]) -> None:
    """Write what a node remembers into its ring, as reception does."""
    n, ring = history.n_subchannels, history.window
    for slot in sorted({h.slot for h in memory} | set(own)):
        words, powers = history.words[node, slot % ring], history.powers[node, slot % ring]
        words[0] = slot
        powers[1 : 1 + n] = -1.0 if slot in own else IDLE_MW
        powers[1 + n : 1 + 2 * n] = 0.0
        words[1 + 2 * n :] = 0
    for h in memory:
        at = h.slot % ring
        if h.slot not in own and history.words[node, at, 0] == h.slot:  # not older than the ring
            history.powers[node, at, 1 + n + h.subchannel] = 10.0 ** (h.rsrp_dbm / 10.0)
            history.words[node, at, 1 + 2 * n + h.subchannel] = h.sci.pack()
            history.further[node, at, h.subchannel] = h.sci.pack_further()


@dataclass(kw_only=True)
class Situation:
    """What one node remembers, and what it asks for; letters are those of the clause.

    Attributes
    ----------
    per_ms
        Slots in a millisecond.
    n, t1, t2
        Slot of the request and selection window [n + t1, n + t2].
    t0, t_proc0
        Sensing window [n - t0, n - t_proc0).
    length, period, c_resel, priority
        L_subCH, P'_TX [slots], C_resel and prio_TX.
    periods_ms
        sl-ResourceReservePeriodList.
    thresholds_dbm
        By own and received priority; `threshold_dbm` where none is given.
    x
        Least share of candidates.
    monitored
        Slots of step 2; None for all of the sensing window.
    """

    n_subchannels: int = 3
    per_ms: int = 2
    n: int = 5000
    t1: int = 5
    t2: int = 44
    t0: int = 2200
    t_proc0: int = 1
    length: int = 1
    period: int = 200
    c_resel: int = 50
    priority: int = 5
    periods_ms: tuple[int, ...] = (100,)
    threshold_dbm: float = -110.0
    thresholds_dbm: dict[tuple[int, int], float] = field(default_factory=dict)
    x: float = 0.2
    heard: list[Heard] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    monitored: frozenset[int] | None = None

    def senses(self, m: int) -> bool:
        """Step 2."""
        within = self.n - self.t0 <= m < self.n - self.t_proc0
        return within and (self.monitored is None or m in self.monitored)

    def candidates(self) -> set[Resource]:
        """Step 1."""
        return {
            (slot, first)
            for slot in range(self.n + self.t1, self.n + self.t2 + 1)
            for first in range(self.n_subchannels - self.length + 1)
        }

    def s_a(self) -> tuple[set[Resource], int]:
        """Steps 2 to 7 as they read: S_A, and how often the thresholds were raised."""
        everything = self.candidates()
        needed = self.x * len(everything) - 1e-9
        unheard: set[Resource] = set()
        for m in self.own:
            if self.senses(m):
                for period_ms in self.periods_ms:
                    unheard |= self._met(m, [(0, 0)], self.n_subchannels, period_ms, set())
        if len(everything - unheard) < needed:  # step 5a
            unheard = set()
        reserved = self.reserved()
        highest = max((excess for excess, _ in reserved), default=-math.inf)
        raises = 0
        while True:
            left = everything - unheard
            for excess, places in reserved:
                if excess > 3.0 * raises:
                    left -= places
            if len(left) >= needed or highest <= 3.0 * raises:
                return left, raises
            raises += 1

    def reserved(self) -> list[tuple[float, set[Resource]]]:
        """Step 6: for each SCI its RSRP over the threshold [dB], and what it excludes."""
        found = []
        for h in self.heard:
            if h.slot in self.own or not self.senses(h.slot):
                continue
            sci = h.sci
            resources = [(0, h.subchannel)]
            if sci.gap_slots:
                resources.append((sci.gap_slots, sci.other_subchannel))
            if sci.gap2_slots:
                resources.append((sci.gap2_slots, sci.other2_subchannel))
            places = self._met(h.slot, resources, sci.n_subchannels, sci.reservation_ms, {0})
            found.append((h.rsrp_dbm - self._threshold(sci.priority), places))
        return found

    def _met(
        self,
        m: int,
        resources: list[tuple[int, int]],
        width: int,
        period_ms: int,
        repeats: set[int],
    ) -> set[Resource]:
        """Return R(x, y) of which some R(x, y + j P'_TX) meets what an SCI in slot m reserves."""
        period = period_ms * self.per_ms
        if period:
            t_scal_ms = self.t2 / self.per_ms
            scaled = period_ms < t_scal_ms and self.n - m <= period
            q_last = math.ceil(t_scal_ms / period_ms) if scaled else 1
            repeats = repeats | set(range(1, q_last + 1))
        return {
            (y, x)
            for gap, first in resources
            for q in repeats
            for j in range(self.c_resel)
            if self.t1 <= (y := m + gap + q * period - j * self.period) - self.n <= self.t2
            for x in range(self.n_subchannels - self.length + 1)
            if first < x + self.length and x < first + width
        }

    def _threshold(self, received: int) -> float:
        return self.thresholds_dbm.get((self.priority, received), self.threshold_dbm)


class Selector:
    """The kernel over one situation."""

    def __init__(self, situation: Situation, key: int = 3) -> None:
        self.situation = s = situation
        self.n_positions = s.n_subchannels - s.length + 1
        capacity = (s.t2 + 200) * s.n_subchannels
        history = SensingHistory(1, s.t0 + 1, s.n_subchannels, reserves_two=True)
        write(history, 0, s.heard, s.own)
        thresholds = np.full((8, 8), s.threshold_dbm, dtype=np.float32)
        for (own, received), value in s.thresholds_dbm.items():
            thresholds[own - 1, received - 1] = value
        self.order = np.zeros(capacity, dtype=np.int32)
        urgency = np.full(history.window, 9, dtype=np.int32)
        for h in s.heard:
            at = h.slot % history.window
            urgency[at] = min(urgency[at], h.sci.priority)
        monitored = MonitoredSlots(1, s.t0 + 1)
        known = [m for m in sorted(s.monitored or ()) if s.n - s.t0 <= m < s.n]
        monitored.listen(0, np.array(known, dtype=np.int32))
        self.kernel = CandidateSelector(
            history.words,
            history.powers,
            noise_mw=IDLE_MW,
            thresholds_dbm=thresholds,
            periods_slots=np.array(s.periods_ms, dtype=np.int32) * s.per_ms,
            step_slots=100 * s.per_ms,
            keep_ratio=s.x,
            key=key,
            sensing_slots=s.t0,
            lag_slots=s.t_proc0,
            scale_by_window=True,
            waive_unheard=True,
            longest_slots=max(s.periods_ms) * s.per_ms,
            further=history.further,
            urgency=urgency,
            monitored=monitored.slot,
            in_part=np.array([s.monitored is not None], dtype=np.uint8),
            excess=np.zeros(capacity, dtype=np.float32),
            energy=np.zeros(capacity, dtype=np.float32),
            tie=np.zeros(capacity, dtype=np.uint32),
            order=self.order,
        )

    def draw(
        self,
        n_wanted: int = 1,
        *,
        identity: int = 1,
        reach: int = 31,
        span: int = 199,
        busy: tuple[int, ...] = (),
        fixed: tuple[Resource, ...] = (),
    ) -> list[Resource]:
        """Return the resources drawn, with those that were given."""
        s = self.situation
        chosen = np.full(2 * n_wanted, -7, dtype=np.int32)
        chosen[: 2 * len(fixed)] = [v for pair in fixed for v in pair]
        self.members = np.zeros(len(s.candidates()), dtype=np.uint8)
        n = self.kernel.select_any(
            0, identity, s.n, s.t1, s.t2, s.length, s.period, s.c_resel, s.priority, reach, span,
            np.array(busy, dtype=np.int32), chosen, len(fixed), n_wanted, self.members,
        )  # fmt: skip
        assert (chosen[2 * n :] == -1).all()
        return [(int(a), int(b)) for a, b in chosen[: 2 * n].reshape(n, 2)]

    def s_a(self) -> set[Resource]:
        """Return S_A as the kernel finds it."""
        self.draw()
        start = self.situation.n + self.situation.t1
        return {
            (start + int(c) // self.n_positions, int(c) % self.n_positions)
            for c in np.flatnonzero(self.members)
        }

    def lost(self, *resources: tuple[int, int, bool], level: int = 9) -> list[bool]:
        """Review resources given as slot, subchannel and whether announced."""
        s = self.situation
        row: list[Any] = [0, s.length, s.period, s.priority, s.n + s.t2, len(resources)]
        row += [int(v) for resource in resources for v in resource]
        lost = np.zeros(1, dtype=np.int32)
        n = self.kernel.review(
            s.n, s.t1, s.c_resel, level, np.array([row], dtype=np.int32), 1, lost
        )
        assert n == (lost[0] != 0)
        return [bool(lost[0] >> k & 1) for k in range(len(resources))]
