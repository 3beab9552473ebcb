"""The grant book against one object per node, and what must hold whatever happens."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x._kernels.grants import N_ENTRIES, N_PLACES, N_STATE, GrantBook
from v2x.access.base import TRANSMISSION

from .twin_grants import Book
from .twin_reception import Tx

HORIZON = 200
#: The farthest repetition is nearer than the next opportunity of any grant.
PERIODS, LONGEST_GAP = (20, 50, 100), 15


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a book is made with."""

    n_nodes: int
    keep_probability: float = 0.5
    counters: tuple[int, int] = (2, 5)
    reselect_after: int = 2
    key: int = 12
    slot_us: int = 1000

    def words(self, seed: int) -> list[int]:
        """Return a hash word for each node."""
        return [int(w) for w in rng.stream(seed, "words").integers(0, 2**32, self.n_nodes)]

    def kernel(self, words: list[int], horizon: int = HORIZON, n_processes: int = 1) -> Kernel:
        return Kernel(self, words, horizon, n_processes)

    def twin(self, words: list[int]) -> Book:
        return Book(
            word=words,
            keep_probability=self.keep_probability,
            counter_low=self.counters[0],
            counter_high=self.counters[1],
            reselect_after=self.reselect_after,
            key=self.key,
            slot_us=self.slot_us,
        )


class Kernel:
    """The compiled book with buffers of its own."""

    def __init__(self, rules: Rules, words: list[int], horizon: int, n_processes: int = 1) -> None:
        n = rules.n_nodes * n_processes
        self.out = np.zeros(N_ENTRIES * n + 1, dtype=TRANSMISSION)
        self.dropped = np.full(N_ENTRIES * n + 1, -7, dtype=np.int32)
        self.book = GrantBook(
            n_nodes=rules.n_nodes,
            n_processes=n_processes,
            horizon=horizon,
            keep_probability=rules.keep_probability,
            counter_low=rules.counters[0],
            counter_high=rules.counters[1],
            reselect_after=rules.reselect_after,
            key=rules.key,
            slot_us=rules.slot_us,
            state=np.zeros((N_STATE, n), dtype=np.int32),
            places=np.zeros((N_PLACES, n, 2), dtype=np.int32),
            head=np.zeros(horizon, dtype=np.int32),
            calendar=np.zeros((3, N_ENTRIES * n), dtype=np.int32),
        )
        self.book.bind_nodes(np.array(words, dtype=np.uint32))

    def transmissions(self, slot: int) -> tuple[list[Tx], list[int]]:
        """Return what goes on air, and the packets dropped instead."""
        n_out, n_dropped = self.book.transmissions(slot, self.out, self.dropped)
        on_air = [
            Tx(**dict(zip(TRANSMISSION.names or (), row.item(), strict=True)))
            for row in self.out[:n_out]
        ]
        return on_air, self.dropped[:n_dropped].tolist()


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), keep=st.sampled_from([0.0, 0.6]))
def test_processes_of_a_node_are_nodes_of_the_twin(seed: int, keep: float) -> None:
    """Process 1 has grants for one packet; on air all bear the name of their node."""
    g = rng.stream(seed, "processes")
    n, horizon = 4, 400
    words = g.integers(0, 2**32, n).tolist()
    rules = Rules(n_nodes=n, keep_probability=keep, counters=(2, 4), reselect_after=3)
    kernel = rules.kernel(words, n_processes=2, horizon=horizon)
    twin = rules.twin(np.repeat(words, 2).tolist())
    packet = 0
    for slot in range(100, 600):
        for row in range(2 * n):
            if g.random() < 0.05:
                deadline = slot + int(g.integers(3, 60))
                answer = kernel.book.offer(row, packet, slot, deadline, 1 + row % 8)
                assert answer == twin.offer(row, packet, deadline, 1 + row % 8)
                packet += 1
                when = max(slot, kernel.book.busy_slot(row) + 1) + int(g.integers(0, 3))
                again = when + int(g.integers(1, 4)) if g.random() < 0.5 else -1
                if answer[1] and max(when, again) <= deadline:
                    args = (row, when, row % 3, 2, 0 if row % 2 else 20, again, 1)
                    give(kernel.book, *args)
                    twin.grant(*args)
        expected, lost = twin.transmissions(slot)
        named = [replace(tx, node=tx.node // 2, process=tx.node % 2) for tx in expected]
        assert kernel.transmissions(slot) == (named, lost), slot
        assert all(tx.reservation_ms == 0 for tx in named if tx.process)
    assert packet > 50


def test_slots_that_other_processes_take() -> None:
    """Of the recurring one all that falls into the window, and what a recurrence would meet."""
    kernel = Rules(n_nodes=2).kernel([1, 2], n_processes=2, horizon=400)
    book, out = kernel.book, np.zeros(40, dtype=np.int32)

    def busy(row: int, until: int, period: int) -> list[int]:
        book.busy_slots(row, False, out, until, period)
        return sorted(out[out >= 0].tolist())

    for row in (2, 3):
        book.offer(row, row, 100, 190, 5)
    give(book, 2, 110, 0, 1, 20, 113, 0)
    give(book, 3, 131, 0, 1, 0, 146, 0)
    assert busy(3, 155, 0) == [110, 113, 130, 133, 150, 153]
    # 131 and 146 themselves, and the phases from which a grant of 20 slots would come to them
    assert busy(2, 160, 20) == [106, 111, 126, 131, 146]
    # beyond the window, but not beyond what recurs
    assert busy(2, 125, 20) == [106, 111]
    assert busy(2, 125, 0) == []
    kernel.transmissions(110)
    assert busy(3, 155, 0) == [113, 130, 133, 150, 153]
    assert busy(0, 155, 20) == busy(1, 155, 0) == []
    with pytest.raises(ValueError, match="out is too short"):
        book.busy_slots(3, False, out[:3], 155, 0)


@dataclass(frozen=True)
class Log:
    """What became of every packet offered."""

    sent: list[tuple[int, Tx]]
    fate: Counter[int]
    offered: int
    left: set[int]


def give(
    book: GrantBook,
    node: int,
    slot: int,
    first: int,
    length: int,
    period: int,
    other_slot: int,
    other_first: int,
) -> None:
    """Give a node one resource, or two; `other_slot` is -1 without a repetition."""
    places = [slot, first, other_slot, other_first][: 4 if other_slot >= 0 else 2]
    book.grant(node, np.array(places, dtype=np.int32), len(places) // 2, length, period)


def drive(seed: int, rules: Rules, n_slots: int, *, overlap: bool, compare: bool) -> Log:
    """Run a random story: packets come, grants are given at random, nodes leave.

    Grants begin after the repetition to come; with `overlap` they need not, and packets come in
    quick succession. Slots in which the kernel has nothing to do are skipped in it. With
    `compare` every answer must be that of the twin.
    """
    g = rng.stream(seed, "story")
    words = rules.words(seed)
    kernel, twin = rules.kernel(words), rules.twin(words)
    sent: list[tuple[int, Tx]] = []
    fate: Counter[int] = Counter()
    waiting: dict[int, int] = {}
    left: set[int] = set()
    packet = 0
    first_slot = int(g.integers(0, 5000))
    period = int(g.choice(PERIODS))
    for slot in range(first_slot, first_slot + n_slots):
        for node in range(rules.n_nodes):
            if g.random() < 0.004:
                gone = kernel.book.forget(node)
                assert not compare or gone == twin.forget(node)
                fate[gone] += gone >= 0
                assert gone == waiting.pop(node, -1)
                left |= {tx.packet for when, tx in sent if tx.node == node and when > slot - 20}
            if g.random() < (6.0 if overlap else 1.2) / period:
                deadline = slot + int(g.integers(3, 120))
                priority = int(g.integers(1, 9))
                answer = kernel.book.offer(node, packet, slot, deadline, priority)
                assert not compare or answer == twin.offer(node, packet, deadline, priority)
                replaced, needs_grant = answer
                assert replaced == waiting.get(node, -1)
                fate[replaced] += replaced >= 0
                waiting[node] = packet
                packet += 1
                busy = kernel.book.busy_slot(node)
                assert not compare or busy == twin.busy_slot(node)
                earliest = slot if overlap else max(slot, busy + 1)
                slots = [s for s in range(earliest, min(deadline, slot + 100) + 1) if s != busy]
                if needs_grant and slots and g.random() < 0.95:
                    when = int(g.choice(slots[:15] if overlap else slots))
                    later = [s for s in slots if when < s <= when + LONGEST_GAP]
                    again = int(g.choice(later)) if later and g.random() < 0.6 else -1
                    where = [int(v) for v in g.integers(0, 4, 2)]
                    args = (node, when, where[0], 2, period, again, where[1])
                    give(kernel.book, *args)
                    if compare:
                        twin.grant(*args)
        expected = twin.transmissions(slot) if compare else ([], [])
        if kernel.book.next_due(slot, slot + 1) == slot:
            on_air, dropped = kernel.transmissions(slot)
        else:
            on_air, dropped = [], []
        if compare:
            assert (on_air, dropped) == expected, slot
            assert kernel.book.next_due(slot + 1, slot + 90) <= twin.next_due(slot + 1, slot + 90)
        for tx in on_air:
            sent.append((slot, tx))
            if tx.attempt == 0:
                assert waiting.pop(tx.node) == tx.packet
                fate[tx.packet] += 1
        for lost in dropped:
            node = next(k for k, v in waiting.items() if v == lost)
            del waiting[node]
            fate[lost] += 1
    fate.update(waiting.values())
    return Log(sent, fate, packet, left)


def assert_nothing_lost(log: Log, last_slot: int) -> None:
    """Each packet has one fate, a node one transmission a slot, and a repetition comes."""
    assert log.fate == Counter(range(log.offered))
    keys = Counter((slot, tx.node) for slot, tx in log.sent)
    assert max(keys.values(), default=1) == 1
    on_air = {(slot, tx.packet, tx.attempt): tx for slot, tx in log.sent}
    for (slot, packet, attempt), tx in on_air.items():
        if tx.n_attempts == 1:
            assert (attempt, tx.gap_slots) == (0, 0)
            continue
        other_slot = slot + tx.gap_slots
        if packet in log.left or other_slot > last_slot:
            continue
        other = on_air.get((other_slot, packet, 1 - attempt))
        assert other is not None, f"packet {packet} of slot {slot} was to come again"
        assert other.first_subchannel == tx.other_subchannel
        assert other.gap_slots == -tx.gap_slots
        assert other.reservation_ms == tx.reservation_ms


RULES = {
    "n_nodes": st.integers(1, 5),
    "keep": st.sampled_from([0.0, 0.5, 1.0]),
    "counters": st.sampled_from([(1, 1), (2, 5), (5, 15)]),
    "reselect_after": st.sampled_from([1, 2, 9]),
}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), slot_us=st.sampled_from([1000, 500]), **RULES)
def test_every_story_has_the_end_of_the_twin(
    seed: int,
    slot_us: int,
    n_nodes: int,
    keep: float,
    counters: tuple[int, int],
    reselect_after: int,
) -> None:
    rules = Rules(
        n_nodes=n_nodes,
        keep_probability=keep,
        counters=counters,
        reselect_after=reselect_after,
        slot_us=slot_us,
    )
    log = drive(seed, rules, 700, overlap=False, compare=True)
    assert log.fate == Counter(range(log.offered))


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), overlap=st.booleans(), **RULES)
def test_no_packet_and_no_repetition_is_lost(
    seed: int,
    overlap: bool,
    n_nodes: int,
    keep: float,
    counters: tuple[int, int],
    reselect_after: int,
) -> None:
    """Also where a new grant begins before the repetition of the packet before it."""
    rules = Rules(
        n_nodes=n_nodes, keep_probability=keep, counters=counters, reselect_after=reselect_after
    )
    log = drive(seed, rules, 700, overlap=overlap, compare=False)
    last = max((slot for slot, _ in log.sent), default=0)
    assert_nothing_lost(log, last)


def test_stories_hold_everything_that_can_happen() -> None:
    """The comparison above has power."""
    rules = Rules(n_nodes=4)
    logs = [drive(seed, rules, 700, overlap=False, compare=True) for seed in range(8)]
    sent = [tx for log in logs for _, tx in log.sent]
    assert sum(tx.attempt for tx in sent) > 50
    assert sum(tx.reservation_ms == 0 for tx in sent) > 20
    assert sum(log.offered for log in logs) > len([tx for tx in sent if tx.attempt == 0]) + 20
    assert any(log.left for log in logs)


def test_a_repetition_to_come_survives_a_new_grant() -> None:
    """Sent at 10 and to be repeated at 20; the grant ends; the next packet goes out at 15."""
    kernel = Rules(n_nodes=1, counters=(1, 1), keep_probability=0.0).kernel([7])
    kernel.book.offer(0, 0, 5, 90, 5)
    give(kernel.book, 0, 10, 1, 2, 100, 20, 3)
    sent = kernel.transmissions(10)[0]
    assert kernel.book.busy_slot(0) == 20
    kernel.book.offer(0, 1, 11, 100, 5)
    give(kernel.book, 0, 15, 0, 2, 100, 25, 2)
    for slot in range(11, 40):
        sent += kernel.transmissions(slot)[0]
    first = [tx for tx in sent if tx.packet == 0]
    assert [(tx.attempt, tx.first_subchannel) for tx in first] == [(0, 1), (1, 3)]
    second = [tx for tx in sent if tx.packet == 1]
    assert len(second) == second[0].n_attempts


def test_a_reservation_is_honoured_by_the_next_packet() -> None:
    """What is announced is used: same subchannels, exactly one period later."""
    rules = Rules(n_nodes=4, keep_probability=1.0, reselect_after=9)
    followed = 0
    for seed in range(4):
        log = drive(seed, rules, 700, overlap=False, compare=True)
        by_place = {(slot, tx.node): tx for slot, tx in log.sent if tx.attempt == 0}
        for (slot, node), tx in by_place.items():
            following = by_place.get((slot + tx.reservation_ms, node))
            if tx.reservation_ms and following is not None:
                followed += 1
                assert following.first_subchannel == tx.first_subchannel
                assert following.n_subchannels == tx.n_subchannels
    assert followed > 40


@pytest.mark.parametrize(("period", "slot_us", "opportunities"), [(500, 1000, 2), (1000, 500, 2)])
def test_a_grant_ends_after_a_second_without_use(
    period: int, slot_us: int, opportunities: int
) -> None:
    """Before sl-ReselectAfter, where opportunities are rare."""
    rules = Rules(n_nodes=1, counters=(15, 15), reselect_after=9, slot_us=slot_us)
    for unused in (opportunities - 1, opportunities):
        kernel = rules.kernel([1], horizon=2500)
        kernel.book.offer(0, 0, 0, 100, 5)
        give(kernel.book, 0, 50, 0, 1, period, -1, -1)
        now = 50 + period * unused + 1
        for slot in range(now):
            kernel.transmissions(slot)
        answer = kernel.book.offer(0, 1, now, now + 2 * period, 5)
        assert answer == (-1, unused == opportunities)


def test_transmissions_come_in_the_order_of_nodes() -> None:
    kernel = Rules(n_nodes=5).kernel([1, 2, 3, 4, 5])
    for packet, node in enumerate((3, 0, 4, 1)):
        kernel.book.offer(node, packet, 0, 50, 5)
        give(kernel.book, node, 7, 0, 1, 20, -1, -1)
    assert [tx.node for tx in kernel.transmissions(7)[0]] == [0, 1, 3, 4]


@pytest.mark.parametrize("slot", [0, HORIZON - 1, 5 * HORIZON + 3])
def test_next_due_finds_the_first_entry_within_the_limit(slot: int) -> None:
    kernel = Rules(n_nodes=2).kernel([1, 2])
    assert kernel.book.next_due(slot, slot + 50) == slot + 50
    kernel.book.offer(0, 0, slot, slot + 150, 5)
    give(kernel.book, 0, slot + 120, 0, 1, 20, -1, -1)
    assert kernel.book.next_due(slot, slot + 50) == slot + 50
    assert kernel.book.next_due(slot, slot + 500) == slot + 120
    assert kernel.book.next_due(slot + 120, slot + 500) == slot + 120
    assert kernel.book.next_due(slot + 121, slot + 200) == slot + 200


def test_a_node_that_left_owes_nothing() -> None:
    """Its row may be taken at once by another, who gets neither grant nor repetition."""
    kernel = Rules(n_nodes=1, counters=(5, 5)).kernel([1])
    kernel.book.offer(0, 0, 0, 50, 5)
    give(kernel.book, 0, 10, 0, 1, 20, 18, 1)
    kernel.transmissions(10)
    kernel.book.offer(0, 1, 11, 60, 5)
    assert kernel.book.forget(0) == 1
    assert kernel.book.forget(0) == -1
    assert kernel.book.busy_slot(0) == -1
    assert kernel.book.offer(0, 2, 12, 80, 5) == (-1, True)
    give(kernel.book, 0, 40, 3, 1, 20, -1, -1)
    sent = {slot: kernel.transmissions(slot)[0] for slot in range(11, 60)}
    assert [slot for slot, on_air in sent.items() if on_air] == [40]


def test_a_repetition_of_a_node_that_left_is_not_mistaken_for_a_new_one() -> None:
    """The newcomer's first transmission falls on the slot in which the old one was to repeat."""
    kernel = Rules(n_nodes=1, counters=(5, 5)).kernel([1])
    kernel.book.offer(0, 0, 0, 50, 5)
    give(kernel.book, 0, 10, 0, 1, 100, 18, 1)
    kernel.transmissions(10)
    kernel.book.forget(0)
    kernel.book.offer(0, 1, 12, 80, 5)
    give(kernel.book, 0, 18, 2, 1, 100, 25, 3)
    sent = [(slot, tx) for slot in range(11, 60) for tx in kernel.transmissions(slot)[0]]
    assert [(slot, tx.attempt, tx.first_subchannel) for slot, tx in sent] == [
        (18, 0, 2),
        (25, 1, 3),
    ]


def test_books_without_nodes_are_accepted() -> None:
    kernel = Rules(n_nodes=0).kernel([])
    assert kernel.transmissions(5) == ([], [])
    assert kernel.book.next_due(0, 10) == 10
    assert (kernel.book.n_nodes, kernel.book.horizon) == (0, HORIZON)
