"""Coding of the control information of NR sidelink: TS 38.214 8.1.5, TS 38.212 8.3."""

from __future__ import annotations

import itertools

import pytest

from v2x.phy.nr.sci import (
    decode_friv,
    decode_triv,
    encode_friv,
    encode_triv,
    frequency_assignment_bits,
    sci1_bits,
)


def test_triv_vectors() -> None:
    assert encode_triv(7) == 7
    assert encode_triv(3, 10) == 30 * 6 + 3 + 31 == 214
    assert encode_triv(2, 28) == 30 * (31 - 28 + 2) + 62 - 2 == 210


def test_triv_numbers_every_pair_of_gaps_once() -> None:
    pairs = [(0, 0), *((t, 0) for t in range(1, 32)), *itertools.combinations(range(1, 32), 2)]
    values = [encode_triv(*pair) for pair in pairs]
    assert sorted(values) == list(range(len(pairs)))
    assert [decode_triv(value) for value in values] == pairs
    assert max(values) < 2**9


@pytest.mark.parametrize("gaps", [(32, 0), (-1, 0), (5, 5), (6, 5), (3, 32)])
def test_impossible_gaps(gaps: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="within 1 and 31 slots"):
        encode_triv(*gaps)


def test_impossible_triv() -> None:
    with pytest.raises(ValueError, match="got 497"):
        decode_triv(497)


def test_friv_by_the_formula() -> None:
    """N = 5, L = 3: n1 + (5 + 4), and n1 + 3 n2 + (25 + 16)."""
    assert encode_friv(3, 5, 2) == 2 + 9
    assert encode_friv(3, 5, 2, 1) == 2 + 3 + 41


@pytest.mark.parametrize("n_total", [1, 2, 5, 10, 27])
def test_friv_numbers_every_allocation_once(n_total: int) -> None:
    two = [(n, a, None) for n in range(1, n_total + 1) for a in range(n_total - n + 1)]
    three = [(n, a, b) for n, a, _ in two for b in range(n_total - n + 1)]
    for allocations, max_reserve in ((two, 2), (three, 3)):
        values = [encode_friv(n, n_total, a, b) for n, a, b in allocations]
        assert sorted(values) == list(range(len(allocations)))
        assert [decode_friv(v, n_total, max_reserve) for v in values] == allocations
        bits = frequency_assignment_bits(n_total, max_reserve)
        assert len(allocations) <= 2**bits < 2 * max(len(allocations), 1)


def test_impossible_frequencies() -> None:
    with pytest.raises(ValueError, match="not within 0 and 4"):
        encode_friv(2, 5, 4)
    with pytest.raises(ValueError, match="too large for 5"):
        decode_friv(15, 5, 2)
    with pytest.raises(ValueError, match="max_reserve"):
        decode_friv(0, 5, 4)


def test_bits_of_sci_1a() -> None:
    """3 + 6 + 9 + 0 + 2 + 2 + 2 + 1 + 5 + 2 for five subchannels, one period, three resources."""
    assert sci1_bits(5, max_reserve=3, n_periods=1) == 32
    # sixteen periods take four bits; two resources 4 + 5 bits instead of 6 + 9
    assert sci1_bits(5, max_reserve=2, n_periods=16) == 32 + 4 - 6
    assert sci1_bits(5, max_reserve=3, n_periods=0) == 32
    assert sci1_bits(5, max_reserve=3, n_periods=1, psfch_overhead=True) == 33
    with pytest.raises(ValueError, match="n_periods must be within 0 and 16, got 17"):
        sci1_bits(5, max_reserve=3, n_periods=17)
    with pytest.raises(ValueError, match="max_reserve must be 2 or 3, got 1"):
        sci1_bits(5, max_reserve=1, n_periods=1)
