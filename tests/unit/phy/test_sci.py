"""Coding of SCI format 1 fields."""

from __future__ import annotations

import math

import pytest

from v2x.phy.sci import (
    RESERVATION_MS,
    SCI_BITS,
    decode_reservation,
    decode_riv,
    encode_reservation,
    encode_riv,
    frequency_location_bits,
    n_allocations,
)


def test_riv_vectors() -> None:
    assert encode_riv(2, 3, 10) == 22
    # L - 1 = 7 > 5: N (N - L + 1) + (N - 1 - n) = 10 * 3 + 8.
    assert encode_riv(1, 8, 10) == 38
    assert decode_riv(22, 10) == (2, 3)
    assert decode_riv(38, 10) == (1, 8)


@pytest.mark.parametrize("n_total", [1, 2, 3, 4, 5, 8, 9, 10, 15, 20])
def test_riv_numbers_every_allocation_once(n_total: int) -> None:
    allocations = [(first, n) for n in range(1, n_total + 1) for first in range(n_total - n + 1)]
    values = [encode_riv(first, n, n_total) for first, n in allocations]
    assert sorted(values) == list(range(n_allocations(n_total)))
    assert [decode_riv(value, n_total) for value in values] == allocations
    assert max(values) < 2 ** frequency_location_bits(n_total)


@pytest.mark.parametrize(("first", "n", "n_total"), [(0, 0, 5), (-1, 2, 5), (4, 2, 5), (0, 6, 5)])
def test_allocations_outside_the_pool_are_rejected(first: int, n: int, n_total: int) -> None:
    with pytest.raises(ValueError, match="are not within 0 and 4"):
        encode_riv(first, n, n_total)


@pytest.mark.parametrize("riv", [-1, 15])
def test_rivs_of_no_allocation_are_rejected(riv: int) -> None:
    with pytest.raises(ValueError, match="riv must be within 0 and 14"):
        decode_riv(riv, 5)


def test_frequency_location_bits_follow_the_clause() -> None:
    for n_total in range(1, 21):
        expected = math.ceil(math.log2(n_total * (n_total + 1) / 2))
        assert frequency_location_bits(n_total) == expected
    # priority 3, reservation 4, time gap 4, MCS 5, retransmission index 1 and this field.
    assert 17 + frequency_location_bits(20) <= SCI_BITS
    with pytest.raises(ValueError, match="n_total must be at least 1"):
        frequency_location_bits(0)


def test_reservation_field() -> None:
    assert RESERVATION_MS == (0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 50, 20)
    for field, interval_ms in enumerate(RESERVATION_MS):
        assert encode_reservation(interval_ms) == field
        assert decode_reservation(field) == interval_ms


def test_impossible_reservations_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"one of 0, 20, 50, 100, .* ms, got 30"):
        encode_reservation(30)
    for field in (-1, 13, 15):
        with pytest.raises(ValueError, match=f"got {field}"):
            decode_reservation(field)
