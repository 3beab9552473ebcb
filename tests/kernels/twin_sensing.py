"""Resource selection as TS 36.213 14.1.1.6 words it, step by step and candidate by candidate.

Letters are those of the clause: n the subframe in which selection is asked for, x and y first
subchannel and subframe of a candidate, P' the own reservation period, k a period in units of
100 ms, Q how often a reservation is taken to be repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x.phy.sensing_history import ControlInformation, SensingHistory

Resource = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sci:
    """Control information decoded on a subchannel, and its strength [dBm per element]."""

    subchannel: int
    rsrp_dbm: float
    control: ControlInformation


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a node asks for.

    Attributes
    ----------
    n, t1, t2
        Selection window [n + t1, n + t2].
    length, period, c_resel, priority
        Subchannels, P' [slots], how many periods ahead overlap is tested, own priority.
    reach
        Farthest repetition [slots], 0 for none.
    busy_slot
        Slot that the node cannot use, -1 for none.
    """

    n: int
    t1: int = 4
    t2: int = 100
    length: int = 1
    period: int = 100
    c_resel: int = 50
    priority: int = 5
    reach: int = 0
    busy_slot: int = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """S_A after step 7, mean energy of its members, least size of S_B, steps of 3 dB."""

    s_a: frozenset[Resource]
    energy_mw: dict[Resource, float]
    n_total: int
    n_needed: int
    n_raises: int


@dataclass
class Sensed:
    """What one node remembers of the slots of its sensing window.

    Attributes
    ----------
    window, ring
        Length of the sensing window, 10 P_step, and of the ring that holds it.
    own
        Slots in which it transmitted.
    heard
        Control information by slot.
    s_rssi_mw : (n_subchannels,) each
        By slot; `idle_mw` where a slot is missing.
    """

    n_subchannels: int
    thresholds_dbm: NDArray[np.float64]
    periods: tuple[int, ...] = (100,)
    window: int = 1000
    ring: int = 1000
    step: int = 100
    keep_ratio: float = 0.2
    idle_mw: float = 1e-10
    own: set[int] = field(default_factory=set)
    heard: dict[int, list[Sci]] = field(default_factory=dict)
    s_rssi_mw: dict[int, NDArray[np.float32]] = field(default_factory=dict)

    def history(self) -> SensingHistory:
        """Return the ring as reception would have written it, slot by slot."""
        n = self.n_subchannels
        history = SensingHistory(1, self.ring, n)
        for slot in sorted(self.own | set(self.heard) | set(self.s_rssi_mw)):
            words, powers = (a[0, slot % self.ring] for a in (history.words, history.powers))
            words[0] = slot
            powers[1 : 1 + n] = self.s_rssi_mw.get(slot, np.full(n, self.idle_mw))
            powers[1 + n : 1 + 2 * n] = 0.0
            words[1 + 2 * n :] = 0
            if slot in self.own:
                powers[1 : 1 + n] = -1.0
                continue
            for sci in self.heard.get(slot, []):
                powers[1 + n + sci.subchannel] = 10.0 ** (sci.rsrp_dbm / 10.0)
                words[1 + 2 * n + sci.subchannel] = sci.control.pack()
        return history

    def monitored(self, n: int) -> range:
        """Return the subframes of step 2, own transmissions included."""
        return range(max(n - self.window, 0), n)

    def select(self, request: Request) -> Selection:
        """Run steps 1 to 8."""
        everything = [
            (y, x)
            for y in range(request.n + request.t1, request.n + request.t2 + 1)
            for x in range(self.n_subchannels - request.length + 1)
        ]
        unmonitored = self._unmonitored(request)
        reserved = self._reserved(request)
        highest = max((excess for _, _, excess in reserved), default=-math.inf)
        n_raises = 0
        while True:
            limit = 3.0 * n_raises
            barred = self._barred(
                request, [(set_, width) for set_, width, excess in reserved if excess > limit]
            )
            s_a = [
                (y, x)
                for y, x in everything
                if y not in unmonitored and (y, x) not in barred and y != request.busy_slot
            ]
            if len(s_a) >= self.keep_ratio * len(everything) - 1e-9 or limit >= highest:
                break
            n_raises += 1
        return Selection(
            frozenset(s_a),
            {candidate: self._energy(request, *candidate) for candidate in s_a},
            len(everything),
            math.ceil(self.keep_ratio * len(everything) - 1e-9),
            n_raises,
        )

    def _repeats(self, ahead: int, since: int) -> range:
        """Return q = 1 … Q for a period of `ahead` slots and a subframe `since` slots ago."""
        k = ahead / self.step
        return range(1, (round(1 / k) if k < 1 and since <= self.step * k else 1) + 1)

    def _unmonitored(self, request: Request) -> set[int]:
        """Step 5: subframes y with y + j P' = z + P_step k q."""
        hit = {
            z + period * q
            for z in self.own & set(self.monitored(request.n))
            for period in self.periods
            for q in self._repeats(period, request.n - z)
        }
        return {
            y
            for y in range(request.n + request.t1, request.n + request.t2 + 1)
            if any(y + j * request.period in hit for j in range(request.c_resel))
        }

    def _reserved(self, request: Request) -> list[tuple[Resource, int, float]]:
        """Step 6: resources others reserved, their widths, and RSRP above the threshold [dB].

        An SCI determines its own resource and, with a gap, that of the other transmission
        (14.1.1.4C), both in the subframe of the SCI and in each in which it is repeated.
        """
        found = []
        for m in self.monitored(request.n):
            if m in self.own:
                continue
            for sci in self.heard.get(m, []):
                control = sci.control
                places = [(m, sci.subchannel)]
                if control.gap_slots:
                    places.append((m + control.gap_slots, control.other_subchannel))
                ahead = control.reservation_ms * self.step // 100
                shifts = [0]
                if ahead:
                    shifts += [q * ahead for q in self._repeats(ahead, request.n - m)]
                threshold = self.thresholds_dbm[request.priority - 1, control.priority - 1]
                found += [
                    ((slot + shift, first), control.n_subchannels, sci.rsrp_dbm - threshold)
                    for slot, first in places
                    for shift in shifts
                    if sci.rsrp_dbm > threshold
                ]
        return found

    def _barred(self, request: Request, reserved: list[tuple[Resource, int]]) -> set[Resource]:
        """Return the candidates that meet a reserved resource now or in a later period."""
        barred = set()
        for (slot, first), width in reserved:
            for j in range(request.c_resel):
                y = slot - j * request.period
                if y < request.n + request.t1:
                    break
                for x in range(self.n_subchannels - request.length + 1):
                    if x < first + width and first < x + request.length:
                        barred.add((y, x))
        return barred

    def _energy(self, request: Request, y: int, x: int) -> float:
        """Step 8: mean S-RSSI of the subchannels over the monitored y - stride j [mW]."""
        stride = self.step if request.period >= self.step else request.period
        past = [
            y - stride * j
            for j in range(1, (request.t2 + self.window) // stride + 1)
            if y - stride * j in self.monitored(request.n) and y - stride * j not in self.own
        ]
        if not past:
            return self.idle_mw
        idle = np.full(self.n_subchannels, self.idle_mw)
        rows = [self.s_rssi_mw.get(slot, idle)[x : x + request.length] for slot in past]
        return float(np.mean(np.array(rows, dtype=np.float64)))


def busy_ratio(sensed: Sensed, slot: int, n_slots: int, threshold_mw: float) -> float:
    """Return the share of subchannels above `threshold_mw` in [slot - n_slots, slot - 1]."""
    busy = [
        bool(power > threshold_mw)
        for m in range(max(slot - n_slots, 0), slot)
        if m not in sensed.own
        for power in sensed.s_rssi_mw.get(m, np.zeros(sensed.n_subchannels))
    ]
    return sum(busy) / len(busy) if busy else math.nan
