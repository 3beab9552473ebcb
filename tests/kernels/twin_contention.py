"""The contention kernel in plain Python: nothing incremental, everything from what is on air.

What a receiver hears is kept as a list of pieces with constant interference and judged at the end;
powers are summed anew at each event. Only the order of events and the draws are the kernel's.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x.records.tables import N_DIRECTIONS, N_OUTCOMES, Direction, Outcome

from .twin_math import hashed, uniform

CURVE_STEPS_PER_OCTAVE, CURVE_FIRST_LOG2, CURVE_POINTS = 128, -9, 29 * 128
N_QUEUES = 4
NOT_JUDGED = 14


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Arguments of the kernel."""

    slot_us: int = 13
    sensing_us: int = 8
    interframe_us: tuple[int, ...] = (58, 71, 110, 149)
    window: tuple[int, ...] = (3, 7, 15, 15)
    preamble_busy_mw: float = 10**-8.5
    energy_busy_mw: float = 10**-6.5
    above_mw: float = 10**-8.5
    noise_mw: float = 10**-9.5
    sensitivity_mw: float = 0.0
    preamble_sinr: float = 1.0
    capture_ratio: float = 10.0
    preamble_us: int = 32
    header_us: int = 8
    header_curve: NDArray[np.float32]
    data_curve: NDArray[np.float32]
    data_key: int = 11
    header_key: int = 22
    backoff_key: int = 33
    bin_width_m: float = 20.0
    awareness_m: float = 300.0
    memory_us: int = 1000
    counted_from_us: int = 0


@dataclass
class Packet:
    """A packet and its fate."""

    generated_us: int
    deadline_us: int
    air_us: int
    weight: float
    first_us: int = -1
    n_received: int = 0
    n_intended: int = 0
    resolved: bool = False
    topic: int = 0


@dataclass
class Frame:
    """A packet on air."""

    node: int
    packet: int
    queue: int
    start: int
    end: int
    header_read: bool = False


@dataclass
class Reception:
    """What a receiver hears of a frame: pieces (from, to, SINR)."""

    frame: Frame
    since: int
    pieces: list[tuple[int, int, float]] = field(default_factory=list)


@dataclass
class Node:
    """A station."""

    queues: list[deque[int]]
    ready: list[float] = field(default_factory=lambda: [math.inf] * N_QUEUES)
    backoff: list[int] = field(default_factory=lambda: [0] * N_QUEUES)
    idle_since: int = 0
    busy_since: int = 0
    busy: bool = False
    draws: int = 0
    sending: Frame | None = None
    sent_until: int = -1
    reception: Reception | None = None
    above_us: int = 0
    own_us: int = 0
    here_since: int = 0


@dataclass
class Twin:
    """One channel; `gain` and `distance` are (n, n) arrays, `gain` 0 where there is no link.

    Flags: 1 counted, 2 roadside.
    """

    rules: Rules
    gain: NDArray[np.float32]
    distance: NDArray[np.float32]
    word: list[int]
    flags: list[int]
    power_mw: list[float]
    queue_packets: int
    n_bins: int
    packets: list[Packet]

    def __post_init__(self) -> None:
        n = len(self.word)
        self.nodes = [Node([deque() for _ in range(N_QUEUES)]) for _ in range(n)]
        self.on_air: list[Frame] = []
        self.now = 0
        self.counts = np.zeros((N_DIRECTIONS, self.n_bins, N_OUTCOMES), dtype=np.int64)
        self.gaps = np.zeros(100, dtype=np.int64)
        # start and time of generation of what was last heard, by sender and receiver
        self.heard: dict[tuple[int, int], tuple[int, int]] = {}
        # packets that tell of states by sender, and their fates by sender and receiver
        self.finished: dict[int, list[int]] = defaultdict(list)
        self.fates: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.deliveries: list[tuple[int, int, int]] = []

    # what is heard

    def power(self, sender: int, receiver: int) -> float:
        return float(np.float32(self.power_mw[sender]) * self.gain[sender, receiver])

    def linked(self, sender: int, receiver: int) -> bool:
        return sender != receiver and self.distance[sender, receiver] < np.inf

    def energy(self, node: int) -> float:
        frames = [f.node for f in self.on_air if self.linked(f.node, node)]
        return sum(self.power(sender, node) for sender in frames)

    def pass_time(self, now: int) -> None:
        """Let everybody hear what is on air until `now`."""
        for j, node in enumerate(self.nodes):
            if node.sending is not None:
                node.own_us += now - self.now
            elif self.energy(j) > self.rules.above_mw:
                node.above_us += now - self.now
            if node.reception is not None and now > self.now:
                signal = self.power(node.reception.frame.node, j)
                other = max(self.energy(j) - signal, 0.0)
                sinr = signal / (other + self.rules.noise_mw)
                node.reception.pieces.append((self.now, now, sinr))
        self.now = now

    def curve(self, curve: NDArray[np.float32], sinr: float) -> float:
        at = np.float32(max(sinr, 2.0**CURVE_FIRST_LOG2)).view(np.int32)
        step = (int(at) - ((127 + CURVE_FIRST_LOG2) << 23)) >> 16
        return float(curve[min(max(step, 0), CURVE_POINTS - 1)])

    def log2_success(
        self, curve: NDArray[np.float32], start: int, end: int, reception: Reception
    ) -> float:
        total = 0.0
        for begin, until, sinr in reception.pieces:
            overlap = min(until, end) - max(begin, start)
            total += self.curve(curve, sinr) * max(overlap, 0) / (end - start)
        return total

    def header(self, frame: Frame) -> tuple[int, int]:
        start = frame.start + self.rules.preamble_us
        return start, start + self.rules.header_us

    def draw(self, key: int, frame: Frame, receiver: int) -> float:
        generated = self.packets[frame.packet].generated_us & 0xFFFFFFFF
        return uniform(hashed(key, self.word[frame.node], generated, self.word[receiver]))

    def is_busy(self, j: int) -> bool:
        node = self.nodes[j]
        if node.sending is not None or self.energy(j) >= self.rules.energy_busy_mw:
            return True
        if node.reception is None:
            return False
        return self.power(node.reception.frame.node, j) >= self.rules.preamble_busy_mw

    def look(self) -> None:
        """Let everybody see whether the channel is busy."""
        for j, node in enumerate(self.nodes):
            busy = self.is_busy(j)
            if busy == node.busy:
                continue
            node.busy = busy
            if busy:
                node.busy_since = self.now
                for k in range(N_QUEUES):
                    boundary = node.idle_since + self.rules.interframe_us[k]
                    while node.backoff[k] > 0 and boundary <= self.now:
                        node.backoff[k] -= 1
                        boundary += self.rules.slot_us
                    if node.ready[k] > self.now + self.rules.sensing_us:
                        node.ready[k] = math.inf
            else:
                node.idle_since = self.now
                for k in range(N_QUEUES):
                    if node.queues[k]:
                        node.ready[k] = self.countdown_end(node, k)

    # contention

    def countdown_end(self, node: Node, k: int) -> int:
        rules = self.rules
        return node.idle_since + rules.interframe_us[k] + node.backoff[k] * rules.slot_us

    def new_backoff(self, j: int, k: int) -> int:
        word = hashed(self.rules.backoff_key, self.word[j], self.nodes[j].draws)
        self.nodes[j].draws += 1
        return word * (self.rules.window[k] + 1) >> 32

    def arrive(self, j: int, packet: int, k: int) -> None:
        node, rules = self.nodes[j], self.rules
        if len(node.queues[k]) == self.queue_packets:  # its turn is that of the oldest
            self.give_up(j, node.queues[k].popleft())
            node.queues[k].append(packet)
            return
        node.queues[k].append(packet)
        if len(node.queues[k]) > 1:
            return
        node.ready[k] = math.inf
        if not node.busy:
            node.ready[k] = max(self.now, self.countdown_end(node, k))
        elif node.backoff[k] == 0:
            unaware = node.sending is None and self.now - node.busy_since <= rules.sensing_us
            if unaware and self.now >= node.idle_since + rules.interframe_us[k]:
                node.ready[k] = self.now
            else:
                node.backoff[k] = self.new_backoff(j, k)

    def give_up(self, j: int, packet: int) -> None:
        one = self.packets[packet]
        one.resolved = True
        for receiver in range(len(self.nodes)):
            if self.linked(j, receiver):
                self.count(one, j, receiver, Outcome.OUT_OF_BUDGET)
                if not one.topic:
                    self.fates[j, receiver].append(Outcome.OUT_OF_BUDGET)
        if not one.topic:
            self.finished[j].append(packet)

    def is_roadside(self, j: int) -> bool:
        return self.flags[j] in (2, 3)

    def count(self, packet: Packet, sender: int, receiver: int, outcome: Outcome) -> bool:
        """Count a fate if it enters the statistics; whether it does."""
        k = self.bin(sender, receiver)
        if packet.generated_us < self.rules.counted_from_us or k >= self.n_bins:
            return False
        if 1 not in (self.flags[sender], self.flags[sender] - 2):
            return False
        if 1 not in (self.flags[receiver], self.flags[receiver] - 2):
            return False
        direction = {
            (False, False): Direction.V2V,
            (False, True): Direction.V2I,
            (True, False): Direction.I2V,
            (True, True): Direction.I2I,
        }[self.is_roadside(sender), self.is_roadside(receiver)]
        self.counts[direction, k, outcome] += 1
        if not self.is_roadside(receiver):
            packet.n_intended += 1
            packet.n_received += outcome == Outcome.RECEIVED
        return True

    def bin(self, sender: int, receiver: int) -> int:
        return max(
            math.ceil(float(self.distance[sender, receiver]) / self.rules.bin_width_m) - 1, 0
        )

    def start_frames(self) -> None:
        started = []
        for j, node in enumerate(self.nodes):
            due = [k for k in range(N_QUEUES) if node.queues[k] and node.ready[k] <= self.now]
            sending: list[int] = []
            for k in due:
                node.ready[k] = math.inf
                while node.queues[k]:
                    if self.packets[node.queues[k][0]].deadline_us >= self.now:
                        sending.append(k)
                        break
                    self.give_up(j, node.queues[k].popleft())
            if sending:
                started.append((j, sending))
        for j, sending in started:
            node = self.nodes[j]
            packet = node.queues[sending[0]].popleft()
            one = self.packets[packet]
            one.first_us = self.now
            node.sending = Frame(j, packet, sending[0], self.now, self.now + one.air_us)
            node.reception = None
            self.on_air.append(node.sending)
        new = [self.nodes[j].sending for j, _ in started]
        for frame in new:
            assert frame is not None
            for j in range(len(self.nodes)):
                if self.linked(frame.node, j):
                    self.detect(frame, j)
        if started:
            self.look()
        for j, sending in started:
            self.nodes[j].ready = [math.inf] * N_QUEUES
            for k in sending[1:]:
                self.nodes[j].backoff[k] = self.new_backoff(j, k)

    def detect(self, frame: Frame, j: int) -> None:
        node, power = self.nodes[j], self.power(frame.node, j)
        if node.sending is not None or power <= 0.0 or power < self.rules.sensitivity_mw:
            return
        if node.reception is not None:
            former = node.reception.frame
            strength = self.power(former.node, j)
            if former.start == self.now:
                if power <= strength:
                    return
            elif power < self.rules.capture_ratio * strength:
                return
        noise = max(self.energy(j) - power, 0.0) + self.rules.noise_mw
        if power >= self.rules.preamble_sinr * noise:
            node.reception = Reception(frame, self.now)

    # ends

    def end_header(self, frame: Frame) -> None:
        frame.header_read = True
        for j, node in enumerate(self.nodes):
            if node.reception is not None and node.reception.frame is frame:
                success = self.log2_success(
                    self.rules.header_curve, *self.header(frame), node.reception
                )
                if self.draw(self.rules.header_key, frame, j) >= 2.0**success:
                    node.reception = None

    def finish(self, frame: Frame) -> None:
        rules, packet = self.rules, self.packets[frame.packet]
        for j, node in enumerate(self.nodes):
            if not self.linked(frame.node, j):
                continue
            if node.here_since > frame.start:
                if not packet.topic:
                    self.fates[frame.node, j].append(NOT_JUDGED)
                continue
            outcome = self.outcome(frame, j)
            self.remember(frame, j, outcome)
            if node.reception is not None and node.reception.frame is frame:
                node.reception = None
            counts = self.count(packet, frame.node, j, outcome)
            roadside = self.is_roadside(frame.node) or self.is_roadside(j)
            near = self.distance[frame.node, j] <= rules.awareness_m
            if outcome == Outcome.RECEIVED and not packet.topic and (near or roadside):
                if counts and not roadside and (frame.node, j) in self.heard:
                    gap = (frame.start - self.heard[frame.node, j][0]) // 1000
                    self.gaps[min(gap, len(self.gaps) - 1)] += 1
                self.heard[frame.node, j] = frame.start, packet.generated_us
        packet.resolved = True
        if not packet.topic:
            self.finished[frame.node].append(frame.packet)
        self.on_air.remove(frame)
        sender = self.nodes[frame.node]
        sender.sending, sender.sent_until = None, self.now
        sender.backoff[frame.queue] = self.new_backoff(frame.node, frame.queue)

    def remember(self, frame: Frame, j: int, outcome: Outcome) -> None:
        """Keep the fate of a state, or deliver what has a topic."""
        if self.packets[frame.packet].topic:
            if outcome == Outcome.RECEIVED:
                self.deliveries.append((frame.packet, j, self.now // self.rules.memory_us))
            return
        reception = self.nodes[j].reception
        within = self.distance[frame.node, j] <= self.n_bins * self.rules.bin_width_m
        listens = reception is not None and reception.frame is frame
        self.fates[frame.node, j].append(outcome if within or listens else NOT_JUDGED)

    def outcome(self, frame: Frame, j: int) -> Outcome:
        node, rules = self.nodes[j], self.rules
        power = self.power(frame.node, j)
        if node.sending is not None or node.sent_until > frame.start:
            return Outcome.HALF_DUPLEX
        if power <= 0.0 or power < rules.sensitivity_mw:
            return Outcome.BELOW_SENSITIVITY
        weight = self.packets[frame.packet].weight
        data = self.draw(rules.data_key, frame, j)
        header = self.draw(rules.header_key, frame, j)
        if node.reception is not None and node.reception.frame is frame:
            start = self.header(frame)[1]
            success = self.log2_success(rules.data_curve, start, frame.end, node.reception)
            if data < 2.0 ** (weight * success):
                return Outcome.RECEIVED
        snr = power / rules.noise_mw
        if data >= 2.0 ** (weight * self.curve(rules.data_curve, snr)):
            return Outcome.PROPAGATION
        found = snr >= rules.preamble_sinr
        if not found or header >= 2.0 ** self.curve(rules.header_curve, snr):
            return Outcome.CONTROL_LOST
        return Outcome.COLLISION

    # a tick

    def forget(self, j: int) -> None:
        """Let a node leave; a stranger stands in its row."""
        if (frame := self.nodes[j].sending) is not None:
            self.finish(frame)
            self.look()
        for queue in self.nodes[j].queues:
            for packet in queue:
                self.give_up(j, packet)
        self.nodes[j] = Node(
            [deque() for _ in range(N_QUEUES)], idle_since=self.now, here_since=self.now
        )

    def move(self, gain: NDArray[np.float32], distance: NDArray[np.float32]) -> None:
        self.gain, self.distance = gain, distance
        self.look()

    def run(self, arrivals: list[tuple[int, int, int, int]], until_us: int) -> None:
        """Play `arrivals` (time, node, packet, queue), ascending, and all before `until_us`."""
        coming = deque(arrivals)
        while True:
            ends = [f.end if f.header_read else self.header(f)[1] for f in self.on_air]
            ready = [min(node.ready) for node in self.nodes if any(node.queues)]
            now = min([*ends, *ready, coming[0][0] if coming else math.inf], default=math.inf)
            if now >= until_us:
                self.pass_time(until_us)
                return
            self.pass_time(int(now))
            for frame in self.on_air:
                if not frame.header_read and self.header(frame)[1] == now:
                    self.end_header(frame)
            self.look()
            for frame in [f for f in self.on_air if f.end == now]:
                self.finish(frame)
            self.look()
            while coming and coming[0][0] == now:
                _, node, packet, queue = coming.popleft()
                self.arrive(node, packet, queue)
            self.start_frames()

    def take_load(self, since_us: int) -> list[float]:
        """Return the busy ratio of each node since then, and count anew."""
        ratio = []
        for node in self.nodes:
            heard = self.now - since_us - node.own_us
            ratio.append(node.above_us / heard if heard > 0 else math.nan)
            node.above_us = node.own_us = 0
        return ratio
