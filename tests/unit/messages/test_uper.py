"""Bits, lengths and extensions by the clauses of X.691."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.messages.coding import uper
from v2x.messages.coding.uper import (
    BitReader,
    BitWriter,
    MessageError,
    bits_for,
    read_length,
    read_small_number,
    skip_additions,
    skip_open_type,
)


def bits(text: str) -> BitReader:
    """Return a reader of bits written as text, padded with zeros."""
    digits = text.replace(" ", "")
    digits += "0" * (-len(digits) % 8)
    return BitReader(int(digits, 2).to_bytes(len(digits) // 8, "big"))


def test_doctests() -> None:
    assert doctest.testmod(uper).failed == 0


@given(
    st.lists(st.integers(0, 70).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 2**n - 1))))
)
def test_what_is_written_is_read(parts: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for n_bits, value in parts:
        writer.write(value, n_bits)
    total = sum(n_bits for n_bits, _ in parts)
    assert writer.n_bits == total
    octets = writer.to_bytes()
    assert len(octets) == -(-total // 8)
    reader = BitReader(octets)
    assert [reader.read(n_bits) for n_bits, _ in parts] == [value for _, value in parts]
    reader.finish()


@given(st.integers(0, 9), st.binary(max_size=200))
def test_octets_at_any_bit(shift: int, octets: bytes) -> None:
    writer = BitWriter()
    writer.write(0, shift)
    writer.write_bytes(octets)
    reader = BitReader(writer.to_bytes())
    reader.read(shift)
    assert reader.read_bytes(len(octets)) == octets


def test_reading_past_the_end_names_the_bit() -> None:
    reader = BitReader(b"\x00")
    reader.read(5)
    with pytest.raises(MessageError, match="bit 5: the message ends after 8 bits, 4 more"):
        reader.read(4)
    assert reader.position == 5


def test_only_zero_padding_may_follow() -> None:
    reader = BitReader(b"\x01")
    reader.read(7)
    with pytest.raises(MessageError, match="bit 7: the padding"):
        reader.finish()
    reader = BitReader(b"\x00\x00\x00")
    reader.read(8)
    with pytest.raises(MessageError, match="bit 8: 2 octets follow"):
        reader.finish()


def test_bits_of_a_range() -> None:
    """X.691 11.5.7.1: as few as hold the largest offset."""
    assert [bits_for(n) for n in (1, 2, 3, 4, 5, 256, 257, 65_536)] == [0, 1, 2, 2, 3, 8, 9, 16]


@pytest.mark.parametrize(
    ("text", "length"),
    [("0 0000000", 0), ("0 1111111", 127), ("10 00000010000000", 128), ("10" + "1" * 14, 16_383)],
)
def test_length_determinants(text: str, length: int) -> None:
    assert read_length(bits(text)) == length


@pytest.mark.parametrize("text", ["10 00000001111111", "11 000001"])
def test_long_or_wasteful_lengths_are_refused(text: str) -> None:
    with pytest.raises(MessageError):
        read_length(bits(text))


@pytest.mark.parametrize(
    ("text", "number"),
    [("0 000101", 5), ("1 00000001 01000000", 64), ("1 00000010 0000000100000000", 256)],
)
def test_small_numbers(text: str, number: int) -> None:
    assert read_small_number(bits(text)) == number


@pytest.mark.parametrize(
    "text", ["1 00000001 00000001", "1 00000011" + "1" * 24, "1 00000000", "1 00000010" + "0" * 16]
)
def test_other_small_numbers_are_refused(text: str) -> None:
    with pytest.raises(MessageError):
        read_small_number(bits(text))


def test_open_types_are_passed_over() -> None:
    reader = bits("00000010 11111111 11111111 1")
    assert skip_open_type(reader) == 2
    assert reader.position == 24
    assert reader.lossy


def test_additions_are_passed_over() -> None:
    """Two of three additions, of one and of two octets."""
    reader = bits("0 000010 101 00000001 10101010 00000010 11110000 11110000 1")
    skip_additions(reader)
    assert reader.position == 10 + 16 + 24
    assert reader.read(1) == 1


@pytest.mark.parametrize("text", ["1 000000", "0 000000 0"])
def test_impossible_additions_are_refused(text: str) -> None:
    with pytest.raises(MessageError):
        skip_additions(bits(text))


def test_an_open_type_longer_than_the_message_is_refused_at_once() -> None:
    with pytest.raises(MessageError, match="bit 16: the message ends after 16 bits, 131064 more"):
        skip_open_type(bits("10" + "1" * 14))


def test_errors_gather_the_names_of_fields() -> None:
    error = MessageError("is wrong", bit=7).inside("speed_mps").inside("[3]").inside("points")
    assert str(error.inside("bsm")) == "bsm.points[3].speed_mps: bit 7: is wrong"
