"""Reception of a slot with dictionaries and loops, in double precision.

Outcomes depend on chance only through uniform numbers that are hashes of slot or packet,
transmitter and receiver; the twin takes the same numbers, and where one falls so close to an
error probability that float32 may decide otherwise, it says so.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x._kernels.reception import CURVE_FIRST_LOG2, CURVE_PER_OCTAVE, CURVE_POINTS

from .twin_math import MASK, hashed, uniform

FloatArray = NDArray[np.float64]

RECEIVED, HALF_DUPLEX, BELOW_SENSITIVITY, PROPAGATION, COLLISION, CONTROL_LOST = range(6)
OUT_OF_BUDGET, N_OUTCOMES = 6, 8
NOT_ADDRESSED, NOT_JUDGED, NO_LINK = 13, 14, 15

#: Relative error of a SINR by float32, before what subtracting a signal from a sum adds.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Radio and pool, in the words of :class:`v2x.phy.reception.ReceiverDesign`."""

    n_subchannels: int
    window: int
    profile: NDArray[np.float32]
    data_share: NDArray[np.float32]
    control_share: NDArray[np.float32]
    data_rb: float
    control_rb: float
    noise_mw: float
    sensitivity_mw: float
    power_mw: float
    curves: NDArray[np.float32]
    curve_row: NDArray[np.int32]
    control_curve: int
    data_key: int
    control_key: int
    bin_width_m: float
    awareness_m: float
    slot_us: int
    n_mcs: int = 1

    def power_of(self, tx: Tx) -> float:
        """Return the transmit power of one transmission [mW]."""
        return self.power_mw * 10.0 ** (tx.power_offset_db / 10.0)

    def curve_of(self, tx: Tx, code: int) -> int:
        """Return the error curve of a transmission over links of a code."""
        return int(self.curve_row.reshape(self.n_mcs, -1)[tx.mcs_raise, code])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx:
    """One transmission; the fields of :data:`v2x.access.base.TRANSMISSION`."""

    node: int
    packet: int
    first_subchannel: int
    n_subchannels: int
    attempt: int = 0
    n_attempts: int = 1
    reservation_ms: int = 100
    priority: int = 5
    gap_slots: int = 0
    other_subchannel: int = 0
    gap2_slots: int = 0
    other2_subchannel: int = 0
    process: int = 0
    mcs_raise: int = 0
    power_offset_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """What one node is to another."""

    gain: float
    distance_m: float
    code: int


@dataclass(frozen=True, slots=True)
class Record:
    """What a node measured in a slot.

    Attributes
    ----------
    s_rssi_mw
        By subchannel; None if the node transmitted.
    decoded
        RSRP per resource element [mW] and control information by subchannel.
    """

    s_rssi_mw: list[float] | None
    decoded: dict[int, tuple[float, Tx]]


@dataclass
class Memory:
    """What a node keeps of another: the last packet heard, and a packet half received."""

    last_slot: int = -1
    last_generated: int = 0
    soft: float = 0.0
    best: int = BELOW_SENSITIVITY


@dataclass
class Receiver:
    """Everything that follows from transmissions, by nodes and packets.

    Attributes
    ----------
    links
        By transmitter, then receiver.
    word, counted, roadside
        By node.
    generated_us
        By packet.
    """

    design: Design
    links: dict[int, dict[int, Link]]
    word: list[int]
    counted: list[bool]
    roadside: list[bool]
    generated_us: list[int]
    n_bins: int
    longest_gap_ms: int
    counted_from_us: int = 0
    counts: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    gaps: Counter[int] = field(default_factory=Counter)
    n_intended: Counter[int] = field(default_factory=Counter)
    n_received: Counter[int] = field(default_factory=Counter)
    n_received_first: Counter[int] = field(default_factory=Counter)
    memory: dict[tuple[int, int, int], Memory] = field(default_factory=lambda: defaultdict(Memory))
    records: dict[tuple[int, int], Record] = field(default_factory=dict)
    outcomes: dict[tuple[int, int, int], int] = field(default_factory=dict)
    undecided: bool = False
    topic: list[int] = field(default_factory=list)
    fates: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    finished: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    deliveries: list[tuple[int, int, int]] = field(default_factory=list)

    def receive(self, slot: int, transmissions: list[Tx]) -> None:
        """Receive a slot; `outcomes` gets slot, transmitter and receiver of every link."""
        d = self.design
        speaking = {tx.node for tx in transmissions}
        energy, noticed = self._energy(transmissions)
        for node in sorted(self._reached(transmissions)):
            rssi = [
                noticed[node][s] * d.data_rb
                + noticed[node][d.n_subchannels + s] * d.control_rb
                + d.noise_mw * (d.data_rb + d.control_rb)
                for s in range(d.n_subchannels)
            ]
            self.records[node, slot] = Record(None if node in speaking else rssi, {})
        for tx in transmissions:
            tells = self._tells(tx.packet)
            final = tx.attempt == tx.n_attempts - 1
            if final and not tells:
                self.finished[tx.node].append(tx.packet)
            for node, link in self.links[tx.node].items():
                outcome, heard, total = self._attempt(slot, tx, node, link, energy[node], speaking)
                if heard:
                    self._note(slot, tx, node, link)
                news = self._conclude(slot, tx, node, link, outcome, total)
                if tells and news:
                    self.deliveries.append((tx.packet, node, slot))
                elif final and not tells:
                    judged = link.distance_m <= self._limit_m(tx)
                    fate = self.outcomes[slot, tx.node, node] if judged else NOT_JUDGED
                    self.fates[tx.node, node].append(fate)

    def drop(self, node: int, packet: int) -> None:
        """Count a packet that was never sent at its intended receivers."""
        self.finished[node].append(packet)
        for other, link in self.links[node].items():
            self.fates[node, other].append(OUT_OF_BUDGET)
            if self._counts(node, packet, other, link):
                at = (self._direction(node, other), self.distance_bin(link.distance_m))
                self.counts[*at, OUT_OF_BUDGET] += 1
                self.n_intended[packet] += not self.roadside[other]

    def distance_bin(self, distance_m: float) -> int:
        """Return the bin (lower, upper] of a distance; 0 belongs to the first."""
        return max(math.ceil(distance_m / self.design.bin_width_m) - 1, 0)

    def _limit_m(self, tx: Tx) -> float:
        """Return how far a single transmission of a state is judged [m]."""
        if tx.n_attempts > 1 or any(self.roadside):
            return math.inf
        counts = self.generated_us[tx.packet] >= self.counted_from_us and self.counted[tx.node]
        counted_m = self.n_bins * self.design.bin_width_m if counts else 0.0
        return max(self.design.awareness_m, counted_m)

    def _tells(self, packet: int) -> bool:
        """Return whether a packet is to be delivered, rather than telling of a state."""
        return bool(self.topic) and self.topic[packet] > 0

    def _direction(self, sender: int, node: int) -> int:
        """Return 0 between road users, 1 to and 2 from a roadside unit, 3 between those."""
        return 2 * self.roadside[sender] + self.roadside[node]

    def _counts(self, sender: int, packet: int, node: int, link: Link) -> bool:
        return (
            self.generated_us[packet] >= self.counted_from_us
            and self.counted[sender]
            and self.counted[node]
            and self.distance_bin(link.distance_m) < self.n_bins
        )

    def _energy(self, transmissions: list[Tx]) -> tuple[list[FloatArray], list[FloatArray]]:
        """Return the power per resource block of each bin at each node: all, and noticed."""
        d = self.design
        n = len(self.word)
        energy, noticed = (np.zeros((n, d.profile.shape[2])) for _ in range(2))
        for tx in transmissions:
            profile = d.profile[tx.first_subchannel, tx.n_subchannels].astype(np.float64)
            for node, link in self.links[tx.node].items():
                power = d.power_of(tx) * link.gain
                energy[node] += power * profile
                if power >= d.sensitivity_mw:
                    noticed[node] += power * profile
        return list(energy), list(noticed)

    def _reached(self, transmissions: list[Tx]) -> set[int]:
        reached = {tx.node for tx in transmissions}
        for tx in transmissions:
            reached |= {node for node, link in self.links[tx.node].items() if link.gain > 0}
        return reached

    def _fails(self, u: float, curve: int, sinr: float, error: float) -> bool:
        """Return whether a block is lost; note when float32 might say otherwise."""
        low, high = (self._bler(curve, s) for s in (sinr * (1 + error), sinr / (1 + error)))
        if low - 1e-6 <= u <= high + 1e-6 and low != high:
            self.undecided = True
        return u < self._bler(curve, sinr)

    def _bler(self, curve: int, sinr: float) -> float:
        """Return the error probability of the step of the table in which `sinr` lies."""
        if sinr < 2.0**CURVE_FIRST_LOG2:
            return float(self.design.curves[curve, 0])
        octave = math.floor(math.log2(sinr))
        step = int((sinr / 2.0**octave - 1.0) * CURVE_PER_OCTAVE)
        k = (octave - CURVE_FIRST_LOG2) * CURVE_PER_OCTAVE + step
        return float(self.design.curves[curve, min(k, CURVE_POINTS - 1)])

    def _attempt(
        self, slot: int, tx: Tx, node: int, link: Link, energy: FloatArray, speaking: set[int]
    ) -> tuple[int, bool, float]:
        """Return outcome, whether control was decoded, and the SINR kept for the next attempt."""
        d = self.design
        before = self.memory[tx.node, node, tx.process].soft if tx.attempt else 0.0
        power = d.power_of(tx) * link.gain
        if node in speaking:
            return HALF_DUPLEX, False, before
        if power < d.sensitivity_mw or power <= 0:
            return BELOW_SENSITIVITY, False, before
        first = tx.first_subchannel
        signal = power * float(d.data_share[tx.n_subchannels])
        ratios, error = [], ROUNDING
        for b in range(first, first + tx.n_subchannels):
            other = max(float(energy[b]) - signal, 0.0) + d.noise_mw
            ratios.append(signal / other)
            # what is left of a sum of float32 after the signal is taken away
            error = max(error, ROUNDING + 3e-7 * float(energy[b]) / other)
        total = sum(ratios) / len(ratios) + before
        clear = signal / d.noise_mw + before
        sender = self.word[tx.node]
        generated = self.generated_us[tx.packet] & MASK
        u = uniform(hashed(d.data_key, sender, generated, self.word[node]))
        v = uniform(hashed(d.control_key, sender, slot, self.word[node]))
        control_lost = False
        share = float(d.control_share[tx.n_subchannels])
        if share > 0:
            at = d.n_subchannels + first
            other = max(float(energy[at]) - power * share, 0.0) + d.noise_mw
            control_error = ROUNDING + 3e-7 * float(energy[at]) / other
            control_lost = self._fails(v, d.control_curve, power * share / other, control_error)
        curve = d.curve_of(tx, link.code)
        collides, fades = (self._fails(u, curve, s, error) for s in (total, clear))
        kept = before if control_lost else total
        if fades:
            return PROPAGATION, not control_lost, kept
        if collides:
            return COLLISION, not control_lost, kept
        return (CONTROL_LOST if control_lost else RECEIVED), not control_lost, kept

    def _note(self, slot: int, tx: Tx, node: int, link: Link) -> None:
        """Keep the strongest control information of each subchannel."""
        d = self.design
        rsrp = d.power_of(tx) * float(d.data_share[tx.n_subchannels]) / 12.0 * link.gain
        decoded = self.records[node, slot].decoded
        if rsrp > decoded.get(tx.first_subchannel, (0.0, tx))[0]:
            decoded[tx.first_subchannel] = (rsrp, tx)

    def _conclude(
        self, slot: int, tx: Tx, node: int, link: Link, outcome: int, kept: float
    ) -> bool:
        """Merge attempts and count after the last; of two failures the one that came further.

        Returns whether the packet is received, and was not before.
        """
        memory = self.memory[tx.node, node, tx.process]
        newest = self.memory[tx.node, node, 0]
        news = outcome == RECEIVED
        early = tx.attempt > 0 and memory.best == RECEIVED
        if tx.n_attempts > 1:
            if early:
                news, outcome = False, RECEIVED
            elif tx.attempt > 0 and not news:
                outcome = max(outcome, memory.best)
            memory.best, memory.soft = outcome, kept
        self.outcomes[slot, tx.node, node] = outcome
        counts = self._counts(tx.node, tx.packet, node, link)
        if counts and tx.attempt == tx.n_attempts - 1:
            direction = self._direction(tx.node, node)
            self.counts[direction, self.distance_bin(link.distance_m), outcome] += 1
            if not self.roadside[node]:
                self.n_intended[tx.packet] += 1
                self.n_received[tx.packet] += outcome == RECEIVED
                self.n_received_first[tx.packet] += early or (news and tx.n_attempts == 1)
        with_roadside = self.roadside[tx.node] or self.roadside[node]
        near = with_roadside or link.distance_m <= self.design.awareness_m
        if news and near and not self._tells(tx.packet):
            if counts and newest.last_slot >= 0 and not with_roadside:
                gap_ms = (slot - newest.last_slot) * self.design.slot_us // 1000
                self.gaps[min(gap_ms, self.longest_gap_ms)] += 1
            newest.last_slot = slot
            newest.last_generated = self.generated_us[tx.packet]
        return news
