"""One feedback occasion after another, with dictionaries and in double precision.

Chance enters through the hashes of the kernel; where an energy falls so close to the threshold,
or to its rival, that float32 may decide otherwise, the twin says so.
"""

from __future__ import annotations

import cmath
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from v2x.phy.nr.psfch import ACK_SHIFT, SEQUENCE_LENGTH, SHIFTS, PsfchGrid, leak

from .twin_math import hashed, normal_pair, uniform

SILENT, ACK, NACK = range(3)
TALLIES = ("asked", "lacked", "sent", "unsent", "silent", "missed", "needless")


@dataclass(frozen=True, slots=True)
class Path:
    """What one node is to another."""

    gain: float
    distance_m: float
    fades: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A transmission that asks for feedback, and what its receivers have to say."""

    slot: int
    node: int
    packet: int
    priority: int
    first: int
    width: int
    answers: tuple[tuple[int, int, int], ...]


@dataclass
class Channel:
    """Twin of :class:`v2x._kernels.feedback.FeedbackChannel`."""

    grid: PsfchGrid
    paths: Mapping[int, Mapping[int, Path]]
    word: Sequence[int]
    expected: Sequence[int]
    nack_only: bool
    ties_send: bool
    most_sent: int
    power_mw: float
    noise_mw: float
    threshold: float
    shifts_per_m: float
    shift_offset: float
    key: int
    waiting: list[Asked] = field(default_factory=list)
    tally: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    undecided: bool = False

    def conclude(self, slot: int) -> list[tuple[int, int, bool]]:
        """Return node, packet and conclusion of everybody who listens in `slot`."""
        asked = [a for a in self.waiting if self.grid.occasion(a.slot) == slot]
        self.waiting = [a for a in self.waiting if self.grid.occasion(a.slot) > slot]
        sending = self._sending(asked)
        sent = self._on_air(asked, sending)
        verdicts = []
        for k, a in enumerate(asked):
            tally = self.tally[a.packet]
            tally["sent"] += sum((k, m) in sent for m in range(len(a.answers)))
            tally["unsent"] += sum((k, m) not in sent for m in range(len(a.answers)))
            deaf = a.node in sending
            members = [m for m in range(32) if self.expected[a.node] >> m & 1]
            acked = {member for _, member, value in a.answers if value == ACK}
            if self.nack_only:
                lacked = any(value == NACK for _, _, value in a.answers)
                good = deaf or self._detect(slot, a, 0, sent, asked) != NACK
            else:
                lacked = not acked.issuperset(members)
                heard = [SILENT if deaf else self._detect(slot, a, m, sent, asked) for m in members]
                tally["silent"] += heard.count(SILENT)
                good = all(value == ACK for value in heard)
            tally["asked"] += 1
            tally["lacked"] += lacked
            tally["missed"] += good and lacked
            tally["needless"] += not good and not lacked
            verdicts.append((a.node, a.packet, good))
        return verdicts

    def _sending(self, asked: list[Asked]) -> set[int]:
        """Return who sends instead of listening (TS 38.213 16.2.4.2)."""
        to_hear: dict[int, int] = {}
        to_send: dict[int, int] = {}
        for a in asked:
            to_hear[a.node] = min(to_hear.get(a.node, 9), a.priority)
            for node, _, _ in a.answers:
                to_send[node] = min(to_send.get(node, 9), a.priority)
        return {
            node
            for node, priority in to_send.items()
            if priority < to_hear.get(node, 9) or (priority == to_hear.get(node) and self.ties_send)
        }

    def _on_air(self, asked: list[Asked], sending: set[int]) -> dict[tuple[int, int], int]:
        """Return the answers that are sent, by transmission and place; values are their nodes."""
        per_node: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for k, a in enumerate(asked):
            for m, (node, _, _) in enumerate(a.answers):
                if node in sending:
                    per_node[node].append((a.priority, k, m))
        return {
            (k, m): node
            for node, queue in per_node.items()
            for _, k, m in sorted(queue)[: self.most_sent]
        }

    def _detect(
        self, slot: int, a: Asked, member: int, sent: dict[tuple[int, int], int], asked: list[Asked]
    ) -> int:
        own = self._resource(a, member)
        total, other = [0j, 0j], [0.0, 0.0]
        n_sent = Counter(sent.values())
        for (k, m), node in sent.items():
            path = self.paths[a.node].get(node)
            _, place, value = asked[k].answers[m]
            block, shift = self._resource(asked[k], place)
            if path is None or block != own[0]:
                continue
            power = self.power_mw / n_sent[node] * path.gain
            late = self.shift_offset + self.shifts_per_m * path.distance_m
            h = hashed(self.key, self.word[a.node], self.word[node], slot)
            for q in range(2):
                apart = (shift + ACK_SHIFT * (value == ACK) - own[1] - ACK_SHIFT * q) % 12
                share = power * leak(apart + late)
                if apart:
                    other[q] += share
                elif path.fades:
                    total[q] += math.sqrt(share / 2) * complex(*normal_pair(h, hashed(h, 1)))
                else:
                    total[q] += math.sqrt(share) * cmath.exp(2j * math.pi * uniform(h))
        h = hashed(self.key, self.word[a.node], slot, 16 * own[0] + own[1])
        energy = [
            self._energy(total[q] * math.sqrt(SEQUENCE_LENGTH / (self.noise_mw + other[q])), h, q)
            for q in range(1 if self.nack_only else 2)
        ]
        if max(energy) <= self.threshold:
            return SILENT
        return ACK if energy[-1] > energy[0] else NACK

    def _resource(self, a: Asked, member: int) -> tuple[int, int]:
        place = self.grid.resource(a.slot, a.first, a.width, self.word[a.node] & 255, member)
        assert place.shift in SHIFTS[self.grid.n_shifts]
        return place

    def _energy(self, signal: complex, h: int, q: int) -> float:
        h = hashed(h, 2 * q)
        noise = complex(*normal_pair(h, hashed(h, 1))) / math.sqrt(2)
        energy = abs(signal + noise) ** 2
        if abs(energy - self.threshold) < 1e-3 * (abs(signal) + abs(noise)) ** 2:
            self.undecided = True
        return energy
