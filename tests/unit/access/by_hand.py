"""Sensing histories written by hand, selections over them, and the clause to compare with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x._kernels.sensing import CandidateSelector
from v2x.phy.sensing_history import ControlInformation, SensingHistory

#: A resource: slot and first subchannel.
Resource = tuple[int, int]

IDLE_MW = 2.0**-36
P_STEP = 100


@dataclass(frozen=True)
class Heard:
    """Control information decoded by the node: where, what and how strong."""

    slot: int
    subchannel: int
    sci: ControlInformation
    rsrp_dbm: float


def reservation(
    slot: int,
    subchannel: int = 0,
    *,
    period_ms: int = 100,
    width: int = 1,
    rsrp_dbm: float = -80.0,
    priority: int = 5,
    gap: int = 0,
    other: int = 0,
) -> Heard:
    """Return what a node hears of somebody who reserves."""
    return Heard(
        slot, subchannel, ControlInformation(period_ms, width, priority, gap, other), rsrp_dbm
    )


@dataclass
class Sensed:
    """What one node remembers, in the terms of the clause.

    Attributes
    ----------
    heard
        Decoded control information.
    own
        Slots in which the node transmitted itself.
    s_rssi_mw
        Slot to the S-RSSI of each subchannel [mW]; idle where a slot is missing.
    """

    n_subchannels: int = 5
    window: int = 1000
    heard: list[Heard] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    s_rssi_mw: dict[int, Sequence[float]] = field(default_factory=dict)

    def history(self) -> SensingHistory:
        """Return the ring that holds this, of one node."""
        history = SensingHistory(1, self.window, self.n_subchannels)
        self.write(history, 0)
        return history

    def write(self, history: SensingHistory, node: int) -> None:
        """Write this into the ring of a node, as reception does."""
        n, ring = self.n_subchannels, history.words.shape[1]
        slots = {h.slot for h in self.heard} | set(self.own) | set(self.s_rssi_mw)
        for slot in sorted(slots):
            words = history.words[node, slot % ring]
            powers = history.powers[node, slot % ring]
            words[0] = slot
            powers[1 : 1 + n] = self.s_rssi_mw.get(slot, [IDLE_MW] * n)
            powers[1 + n : 1 + 2 * n] = 0.0
            words[1 + 2 * n :] = 0
            if slot in self.own:
                powers[1 : 1 + n] = -1.0
        for h in self.heard:
            if h.slot not in self.own:
                at = h.slot % ring
                history.powers[node, at, 1 + n + h.subchannel] = 10.0 ** (h.rsrp_dbm / 10.0)
                history.words[node, at, 1 + 2 * n + h.subchannel] = h.sci.pack()


@dataclass(frozen=True, kw_only=True)
class Request:
    """A selection: arrival n, window [n + t1, n + t2], width, period, C_resel, priority."""

    n: int = 2000
    t1: int = 4
    t2: int = 100
    length: int = 1
    period: int = 100
    c_resel: int = 50
    priority: int = 5
    allowed_periods: tuple[int, ...] = (100,)
    thresholds_dbm: Mapping[tuple[int, int], float] = field(default_factory=dict)
    threshold_dbm: float = -110.0
    keep_ratio: float = 0.2
    reach: int = 0
    busy_slot: int = -1

    def threshold(self, received_priority: int) -> float:
        return self.thresholds_dbm.get((self.priority, received_priority), self.threshold_dbm)

    def candidates(self, n_subchannels: int) -> set[Resource]:
        """Step 1."""
        return {
            (slot, x)
            for slot in range(self.n + self.t1, self.n + self.t2 + 1)
            for x in range(n_subchannels - self.length + 1)
        }


@dataclass(frozen=True)
class Selection:
    """What the kernel chose: S_A after step 7, S_B after step 9, and the resources."""

    s_a: set[Resource]
    s_b: set[Resource]
    n_total: int
    n_raises: int
    chosen: Resource
    again: Resource


class Selector:
    """The selection kernel over one hand-made history, with all its scratch in sight."""

    def __init__(self, sensed: Sensed, request: Request, key: int = 77) -> None:
        self.request = request
        self._n_positions = sensed.n_subchannels - request.length + 1
        capacity = (request.t2 - request.t1 + 1) * sensed.n_subchannels
        thresholds = np.full((8, 8), request.threshold_dbm, dtype=np.float32)
        for (own, received), value in request.thresholds_dbm.items():
            thresholds[own - 1, received - 1] = value
        self._history = sensed.history()
        self._order = np.zeros(capacity, dtype=np.int32)
        self._members = np.zeros(capacity, dtype=np.uint8)
        self._chosen = np.zeros(4, dtype=np.int32)
        self.kernel = CandidateSelector(
            self._history.words,
            self._history.powers,
            noise_mw=IDLE_MW,
            thresholds_dbm=thresholds,
            periods_slots=np.array(request.allowed_periods, dtype=np.int32),
            step_slots=P_STEP,
            keep_ratio=request.keep_ratio,
            key=key,
            excess=np.zeros(capacity, dtype=np.float32),
            energy=np.zeros(capacity, dtype=np.float32),
            tie=np.zeros(capacity, dtype=np.uint32),
            order=self._order,
        )

    def choose(self, identity: int = 1) -> NDArray[np.int32]:
        """Return slot and subchannel of the resource and of its retransmission, (4,)."""
        r = self.request
        self.kernel.select(
            0,
            identity,
            r.n,
            r.t1,
            r.t2,
            r.length,
            r.period,
            r.c_resel,
            r.priority,
            r.reach,
            np.array([r.busy_slot], dtype=np.int32),
            self._chosen,
            self._members,
        )
        return self._chosen.copy()

    def select(self, identity: int = 1) -> Selection:
        """Return the whole selection."""
        slot, x, again_slot, again_x = self.choose(identity).tolist()
        return Selection(
            s_a=self._resources(self._order[: self.kernel.n_remaining]),
            s_b=self._resources(np.flatnonzero(self._members[: self.kernel.n_candidates])),
            n_total=self.kernel.n_candidates,
            n_raises=self.kernel.n_raises,
            chosen=(slot, x),
            again=(again_slot, again_x),
        )

    def _resources(self, index: NDArray[Any]) -> set[Resource]:
        start = self.request.n + self.request.t1
        return {(start + c // self._n_positions, c % self._n_positions) for c in index.tolist()}


def select(sensed: Sensed, **request: Any) -> Selection:
    """Select once over a hand-made history."""
    return Selector(sensed, Request(**request)).select()


# The clause, written down as it reads (TS 36.213 14.1.1.6); slow, and meant to be.


def clause_s_a(sensed: Sensed, request: Request) -> tuple[set[Resource], int]:
    """Return S_A after step 7 and the number of 3 dB steps."""
    needed = math.ceil(request.keep_ratio * len(request.candidates(sensed.n_subchannels)) - 1e-9)
    loudest = max((h.rsrp_dbm for h in sensed.heard), default=-math.inf)
    lowest = min([request.threshold_dbm, *request.thresholds_dbm.values()])
    raises = 0
    while True:
        s_a = _steps_4_to_6(sensed, request, 3.0 * raises)
        if len(s_a) >= needed or lowest + 3.0 * raises >= loudest:
            return s_a, raises
        raises += 1


def _steps_4_to_6(sensed: Sensed, request: Request, raised_db: float) -> set[Resource]:
    unheard: set[int] = set()
    for z in sensed.own:
        if request.n - sensed.window <= z <= request.n - 1:
            for ahead in request.allowed_periods:
                for q in range(1, _q(request.n, z, ahead) + 1):
                    unheard.add(z + q * ahead)
    reserved: set[Resource] = set()
    for h in sensed.heard:
        if not request.n - sensed.window <= h.slot <= request.n - 1 or h.slot in sensed.own:
            continue
        if h.rsrp_dbm <= request.threshold(h.sci.priority) + raised_db:
            continue
        repeats = [0]
        if h.sci.reservation_ms > 0:
            ahead = h.sci.reservation_ms
            repeats += [q * ahead for q in range(1, _q(request.n, h.slot, ahead) + 1)]
        for later in repeats:
            for s in range(h.sci.n_subchannels):
                reserved.add((h.slot + later, h.subchannel + s))
                if h.sci.gap_slots:
                    reserved.add((h.slot + h.sci.gap_slots + later, h.sci.other_subchannel + s))

    def free(slot: int, x: int) -> bool:
        if slot == request.busy_slot:
            return False
        for j in range(request.c_resel):
            later = slot + j * request.period
            if later in unheard:
                return False
            if any((later, x + k) in reserved for k in range(request.length)):
                return False
        return True

    return {c for c in request.candidates(sensed.n_subchannels) if free(*c)}


def _q(n: int, m: int, ahead: int) -> int:
    return P_STEP // ahead if ahead < P_STEP and n - m <= ahead else 1


def clause_energy(sensed: Sensed, request: Request, candidate: Resource) -> float:
    """Return E of step 8 [mW], summed over the candidate's subchannels."""
    slot, x = candidate
    stride = P_STEP if request.period >= P_STEP else request.period
    samples = [
        sum(sensed.s_rssi_mw.get(m, [IDLE_MW] * sensed.n_subchannels)[x : x + request.length])
        for m in range(slot - stride, max(request.n - sensed.window, 0) - 1, -stride)
        if m < request.n and m not in sensed.own
    ]
    return sum(samples) / len(samples) if samples else IDLE_MW * request.length
