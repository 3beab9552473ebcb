"""Random selection: the baseline."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from v2x.access.random_access import RandomAccess, RandomAccessParams

from ...access_loop import Offered, drive, make, periodic


def chi_square(counts: Counter[int], values: range) -> float:
    expected = sum(counts.values()) / len(values)
    return sum((counts[value] - expected) ** 2 / expected for value in values)


@pytest.mark.parametrize(("t1", "t2"), [(1, 100), (4, 100), (1, 20), (10, 10)])
@pytest.mark.parametrize("length", [1, 3])
def test_uniform_over_window_and_subchannels(t1: int, t2: int, length: int) -> None:
    """Chi square over slots and over positions, within four standard deviations of its mean."""
    params = RandomAccessParams(n_subchannels=5, t1_ms=t1, t2_ms=t2)
    technology, _ = make(RandomAccess, params, n_nodes=5000, grant_subchannels=length)
    driven = drive(technology, periodic(5000, 1, first=100, budget=1000), 400)
    assert len(driven.sent) == 5000
    slots, positions = range(99 + t1, 99 + t2 + 1), range(5 - length + 1)
    by_slot = Counter(sent.slot for sent in driven.sent)
    by_position = Counter(sent.first_subchannel for sent in driven.sent)
    assert set(by_slot) <= set(slots)
    assert set(by_position) == set(positions)
    for counts, values in ((by_slot, slots), (by_position, positions)):
        degrees = len(values) - 1
        assert chi_square(counts, values) <= degrees + 4.0 * math.sqrt(2.0 * degrees)


def test_nothing_is_reserved() -> None:
    technology, _ = make(RandomAccess, n_nodes=100)
    driven = drive(technology, periodic(100, 50), 5200)
    assert {sent.reservation_ms for sent in driven.sent} == {0}
    assert len(driven.sent) == 5000


def test_each_packet_is_drawn_anew() -> None:
    """The slot of a packet says nothing of the next one's: correlation within 4 / sqrt(n)."""
    technology, _ = make(RandomAccess, n_nodes=100)
    driven = drive(technology, periodic(100, 50), 5200)
    offset = np.array(
        [[s.slot - 100 * k for k, s in enumerate(sent)] for sent in driven.initial().values()]
    )
    pairs = offset[:, :-1].ravel(), offset[:, 1:].ravel()
    assert abs(np.corrcoef(*pairs)[0, 1]) < 4.0 / math.sqrt(len(pairs[0]))


@pytest.mark.parametrize("budget", [4, 20, 60])
def test_the_deadline_shortens_the_window(budget: int) -> None:
    technology, _ = make(RandomAccess, n_nodes=2000)
    driven = drive(technology, periodic(2000, 1, first=100, budget=budget), 400)
    assert {sent.slot for sent in driven.sent} == set(range(99 + 4, 99 + budget + 1))


def test_a_deadline_before_t1_cannot_be_met() -> None:
    technology, _ = make(RandomAccess)
    driven = drive(technology, [Offered(100, 0, 102), Offered(200, 0, 299)], 400)
    assert driven.replaced == [(200, 0)]
    assert [sent.packet for sent in driven.sent] == [1]


def test_a_newer_packet_takes_the_place_of_the_older() -> None:
    technology, _ = make(RandomAccess, n_nodes=50)
    packets = [Offered(10, node, 109) for node in range(50)]
    newer = [Offered(12, node, 111) for node in range(50)]
    driven = drive(technology, [*packets, *newer], 300)
    assert sorted(packet for _, packet in driven.replaced) == list(range(50))
    assert sorted(sent.packet for sent in driven.sent) == list(range(50, 100))


def test_seeds_differ_and_repeat() -> None:
    sent = []
    for seed in (1, 1, 2):
        technology, _ = make(RandomAccess, n_nodes=50, seed=seed)
        sent.append(drive(technology, periodic(50, 3), 400).sent)
    assert sent[0] == sent[1]
    assert sent[0] != sent[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"t1_ms": 0},
        {"t1_ms": 20, "t2_ms": 19},
        {"t2_ms": 1001},
        {"blind_retransmissions": 2},
        {"n_subchannels": 21},
        {"subchannel_rb": 101},
    ],
)
def test_impossible_parameters_are_rejected(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=str(changes[list(changes)[-1]])):
        RandomAccessParams(**changes)
