"""What is kept of fates, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from v2x.channel.link_table import LinkTable
from v2x.sim.fates import N_FATES, NOTHING, FateMemory, fates_of


class Road:
    """Three nodes in a row of which the outer two are 200 m apart, and what they remember."""

    def __init__(self, *, kept_s: float = 5.0) -> None:
        self.word = np.full(6, NOTHING, dtype=np.uint64)
        self.links = cast(
            LinkTable,
            SimpleNamespace(
                row_start=np.array([0, 2, 4, 6], dtype=np.int32),
                neighbour=np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
                distance=np.array([100, 200, 100, 100, 200, 100], dtype=np.float32),
                column=lambda name: {"fates": self.word}[name],
            ),
        )
        self.memory = FateMemory(3, range_m=150.0, kept_s=kept_s)
        self.identity = np.array([30, 20, 10], dtype=np.uint32)
        self._packet = 0

    def finish(self, node: int, fate: int, times: int = 1) -> list[int]:
        """Let a node finish packets, as the kernels do."""
        memory, packets = self.memory, []
        for _ in range(times):
            memory.recent[node, memory.n_finished[node] % N_FATES] = self._packet
            memory.n_finished[node] += 1
            row = slice(2 * node, 2 * node + 2)
            self.word[row] = (self.word[row] << np.uint64(4)) | np.uint64(fate)
            packets.append(self._packet)
            self._packet += 1
        return packets

    def follow(self, time_us: int, identity: Any = None) -> None:
        new = self.identity if identity is None else np.array(identity, dtype=np.uint32)
        self.memory.follow(self.links, self.identity, new, time_us)
        self.identity = new


def test_words_are_kept_before_they_run_over() -> None:
    road = Road()
    road.finish(0, 0, 7)
    road.follow(100_000)
    assert not road.memory.kept
    road.finish(0, 4)
    road.follow(200_000)
    (kept,) = road.memory.kept
    assert (kept.number, kept.time_us) == (1, 200_000)
    assert kept.n_new.tolist() == [8, 0, 0]
    assert kept.packet[0, :8].tolist() == list(range(7, -1, -1))
    assert kept.packet[0, 8] == -1


def test_and_after_a_second_at_the_latest() -> None:
    road = Road()
    road.finish(2, 0)
    road.follow(999_999)
    assert not road.memory.kept
    road.follow(1_000_000)
    assert [one.n_new.tolist() for one in road.memory.kept] == [[0, 0, 1]]
    road.follow(1_900_000)
    road.follow(2_000_000)
    assert [one.n_new.tolist() for one in road.memory.kept] == [[0, 0, 1], [0, 0, 0]]


def test_short_links_are_kept_in_the_order_of_identities() -> None:
    road = Road()
    road.finish(1, 4)
    road.follow(1_000_000)
    (kept,) = road.memory.kept
    ends = [(int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in kept.pair]
    assert ends == [(10, 20), (20, 10), (20, 30), (30, 20)]
    assert kept.sender.tolist() == [2, 1, 1, 0]
    assert kept.receiver.tolist() == [1, 2, 0, 1]
    assert fates_of(kept.word)[:, 0].tolist() == [15, 4, 4, 15]


def test_those_of_who_leaves_are_kept_and_forgotten() -> None:
    """Only links with it; what the others have finished is kept later, and once."""
    road = Road()
    road.finish(2, 3)
    road.finish(1, 4)
    road.follow(300_000, [30, 20, 11])
    (kept,) = road.memory.kept
    assert kept.sender.tolist() == [2, 1]
    assert kept.n_new.tolist() == [0, 1, 1]
    assert road.memory.n_finished.tolist() == [0, 1, 0]
    assert (road.memory.recent[2] == -1).all()
    road.follow(1_000_000)
    assert road.memory.kept[1].n_new.tolist() == [0, 1, 0]


def test_a_newcomer_counts_from_nothing() -> None:
    road = Road()
    road.finish(0, 0, 12)
    road.follow(100_000)
    road.follow(200_000, [31, 20, 10])
    road.finish(0, 0, 8)
    road.follow(300_000)
    assert road.memory.kept[-1].n_new.tolist() == [8, 0, 0]


def test_what_is_old_is_dropped() -> None:
    road = Road(kept_s=2.0)
    for second in range(1, 7):
        road.follow(second * 1_000_000)
    assert [one.time_us for one in road.memory.kept] == [4_000_000, 5_000_000, 6_000_000]
