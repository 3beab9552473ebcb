"""Each kind of value: limits, codes, rounding, refusals."""

from __future__ import annotations

import doctest
import math
import types
from enum import IntEnum, IntFlag
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.messages.coding import wire
from v2x.messages.coding.structure import Choice, ListOf, layout
from v2x.messages.coding.symbols import ChineseText, Enumerated, Flags, Ia5Text, Octets
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError
from v2x.messages.coding.wire import (
    BEYOND,
    STRAIGHT,
    UNAVAILABLE,
    Integer,
    Scaled,
    Steps,
    WireType,
)
from v2x.messages.csae import chords, offsets, tangent
from v2x.messages.csae.elements import Position3D

from .samples import record_types


def coded(kind: WireType, value: Any) -> str:
    """Return the bits of a value as text, having checked it and its size."""
    kind.check(value)
    writer = BitWriter()
    kind.encode(value, writer)
    assert writer.n_bits == kind.size_bits(value)
    n_bits = writer.n_bits
    return f"{int.from_bytes(writer.to_bytes(), 'big') >> (-n_bits % 8):0{n_bits}b}"


def read(kind: WireType, text: str) -> Any:
    """Return the value of bits written as text."""
    padded = text + "0" * (-len(text) % 8)
    return kind.decode(BitReader(int(padded, 2).to_bytes(len(padded) // 8, "big")))


@pytest.mark.parametrize("module", [wire, offsets, chords, tangent])
def test_doctests(module: types.ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_integers() -> None:
    kind = Integer(-2, 5)
    assert [coded(kind, value) for value in (-2, 0, 5)] == ["000", "010", "111"]
    for value in (-3, 6, 1.0, True, "1", None):
        with pytest.raises(MessageError):
            kind.check(value)
    with pytest.raises(MessageError, match="bit 0: 3 is more than 2"):
        read(Integer(0, 2), "11")


SPEED = Scaled(0, 8191, (1, 50), codes={8191: UNAVAILABLE})


def test_scaled_limits_and_codes() -> None:
    assert coded(SPEED, 0.0) == "0" * 13
    assert coded(SPEED, 163.8) == f"{8190:013b}"
    assert coded(SPEED, UNAVAILABLE) == "1" * 13
    assert read(SPEED, "1" * 13) is UNAVAILABLE
    assert SPEED.limits == (0.0, 163.8)


@pytest.mark.parametrize(
    ("value", "steps"),
    [(0.0099, 0), (0.0101, 1), (0.03, 2), (0.05, 2), (0.0501, 3), (163.809, 8190), (-0.0099, 0)],
)
def test_the_nearest_step_is_sent_and_of_two_the_even_one(value: float, steps: int) -> None:
    """0.03 m/s lies halfway between 1 and 2 steps, 0.05 m/s between 2 and 3."""
    assert coded(SPEED, value) == f"{steps:013b}"


@pytest.mark.parametrize("value", [163.82, -0.011, math.nan, math.inf, "1", True, None, 10**400])
def test_nothing_is_clamped(value: Any) -> None:
    with pytest.raises(MessageError):
        SPEED.check(value)


def test_refusals_name_the_range_and_the_codes() -> None:
    with pytest.raises(MessageError, match=r"must be within 0 and 163\.8, got 200"):
        SPEED.check(200.0)
    with pytest.raises(MessageError, match="must be a finite number or 'unavailable', got 'fast'"):
        SPEED.check("fast")
    with pytest.raises(MessageError, match="cannot be 'straight'"):
        SPEED.check(STRAIGHT)


def test_other_codes() -> None:
    radius = Scaled(-32_767, 32_767, (1, 10), codes={32_767: STRAIGHT})
    assert read(radius, coded(radius, STRAIGHT)) is STRAIGHT
    assert radius.limits == (-3276.7, 3276.6)
    mark = Scaled(0, 36_001, (1, 10), codes={36_000: BEYOND, 36_001: UNAVAILABLE})
    assert mark.limits == (0.0, 3599.9)
    assert [mark.from_plain(mark.to_plain(code)) for code in (BEYOND, UNAVAILABLE)] == [
        BEYOND,
        UNAVAILABLE,
    ]


def test_reserved_numbers_are_read_as_unknown() -> None:
    """Milliseconds in the minute: 60000 and more are not known (T/CSAE 53, DE_DSecond)."""
    moment = Scaled(0, 65_535, (1, 1), codes={65_535: UNAVAILABLE}, unknown_from=60_000)
    assert moment.limits == (0, 59_999)
    reader = BitReader((60_000).to_bytes(2, "big"))
    assert moment.decode(reader) is UNAVAILABLE
    assert reader.lossy
    with pytest.raises(MessageError):
        moment.check(60_000)


def test_steps() -> None:
    kind = Steps((UNAVAILABLE, 10.0, 2.0, 0.5))
    assert [coded(kind, value) for value in kind.values] == ["00", "01", "10", "11"]
    assert [kind.coarser(value) for value in (20.0, 10.0, 3.0, 0.5, 0.1)] == [
        UNAVAILABLE,
        10.0,
        10.0,
        0.5,
        0.5,
    ]
    for value in (1.0, None, [], STRAIGHT):
        with pytest.raises(MessageError, match=r"must be one of unavailable, 10, 2, 0\.5"):
            kind.check(value)


class Colour(IntEnum):
    NONE = 0
    RED = 1
    GREEN = 2


def test_enumerations() -> None:
    closed, open_ = Enumerated(Colour), Enumerated(Colour, later=Colour.NONE)
    assert (coded(closed, Colour.GREEN), coded(open_, Colour.GREEN)) == ("10", "010")
    with pytest.raises(MessageError, match="bit 0: 3 is more than 2"):
        read(closed, "11")
    assert read(open_, "1" + "0000000") is Colour.NONE
    for value in (1, "red", None):
        with pytest.raises(MessageError):
            closed.check(value)
    with pytest.raises(MessageError, match=r"unknown name 'gren'; did you mean 'green'\?"):
        closed.from_plain("gren")


class Lamp(IntFlag):
    LEFT = 1 << 0
    RIGHT = 1 << 3


def test_flags_travel_with_bit_0_first() -> None:
    closed, open_ = Flags(Lamp, 4), Flags(Lamp, 4, extensible=True)
    assert coded(closed, Lamp.LEFT) == "1000"
    assert coded(open_, Lamp.RIGHT) == "00001"
    assert closed.to_plain(Lamp(0b1101)) == ["left", "bit_2", "right"]
    assert closed.from_plain(["left", "bit_2", "right"]) == Lamp(0b1101)
    for value in (Lamp(16), 1, None):
        with pytest.raises(MessageError):
            closed.check(value)
    for plain in ("left", ["lef"], ["bit_4"], [3]):
        with pytest.raises(MessageError):
            closed.from_plain(plain)


def test_longer_bit_strings_of_later_versions_keep_the_known_bits() -> None:
    kind = Flags(Lamp, 4, extensible=True)
    assert read(kind, "1" + "00000110" + "100111") == Lamp.LEFT | Lamp.RIGHT
    for n_bits in (3, 65):
        with pytest.raises(MessageError, match=f"a bit string of {n_bits} bits"):
            read(kind, "1" + f"{n_bits:08b}" + "1" * n_bits)


def test_octets() -> None:
    fixed, free = Octets(2, 2), Octets(1, 4)
    assert coded(fixed, b"\x0f\xf0") == "0000111111110000"
    assert coded(free, b"\x0f") == "00" + "00001111"
    assert read(free, "01" + "00001111" * 2) == b"\x0f\x0f"
    with pytest.raises(MessageError, match="must have 2 octets, got 1"):
        fixed.check(b"1")
    with pytest.raises(MessageError, match="must have 1 to 4 octets, got 5"):
        free.check(b"12345")
    for plain in ("0", "zz", 5):
        with pytest.raises(MessageError):
            fixed.from_plain(plain)


def test_ia5_signs_take_seven_bits() -> None:
    kind = Ia5Text(1, 63)
    assert coded(kind, "A") == "000000" + "1000001"
    assert read(kind, "000001" + "1000001" * 2) == "AA"
    for value in ("", "x" * 64, "é", 5):
        with pytest.raises(MessageError):
            kind.check(value)


@given(st.binary(min_size=2, max_size=12))
def test_chinese_text_keeps_every_octet(octets: bytes) -> None:
    kind = ChineseText(2, 512)
    assert kind.from_plain(kind.to_plain(octets)) == octets


def test_chinese_text_is_text_in_json() -> None:
    kind = ChineseText(2, 512)
    assert kind.to_plain("急弯".encode("gb2312")) == "急弯"
    assert kind.to_plain(b"\xff\xff") == "0xffff"
    for plain in ("😀", 5, "0xz"):
        with pytest.raises(MessageError):
            kind.from_plain(plain)


def test_lists() -> None:
    kind = ListOf(Integer(0, 3), 1, 4)
    assert coded(kind, (3, 0)) == "01" + "11" + "00"
    with pytest.raises(MessageError, match=r"\[1\]: must be within 0 and 3, got 4"):
        kind.check((0, 4))
    for value in ((), (0,) * 5, [0]):
        with pytest.raises(MessageError):
            kind.check(value)
    with pytest.raises(MessageError):
        kind.from_plain({})


def test_choices() -> None:
    kind = Choice({"number": Integer(0, 3), "text": Ia5Text(1, 2)}, (int, str), extensible=True)
    assert coded(kind, 3) == "00" + "11"
    assert read(kind, "01" + "0" + "1000001") == "A"
    assert kind.from_plain({"text": "A"}) == "A"
    with pytest.raises(MessageError, match="must be one of int, str; got bytes"):
        kind.check(b"")
    for plain in ({}, {"number": 1, "text": "A"}, "text", {"txt": "A"}):
        with pytest.raises(MessageError):
            kind.from_plain(plain)
    later = "1" + "0000011" + "00000001" + "11111111"
    with pytest.raises(
        MessageError, match=r"bit 0: alternative 3 of a later version \(1 octets\); known: number"
    ):
        read(kind, later)


def test_records_refuse_what_cannot_be_sent_when_they_are_made() -> None:
    with pytest.raises(MessageError, match=r"latitude_deg: must be within -90 and 90, got 91"):
        Position3D(latitude_deg=91.0, longitude_deg=0.0)
    with pytest.raises(MessageError, match="latitude_deg: must be a finite number"):
        Position3D(latitude_deg=None, longitude_deg=0.0)  # type: ignore[arg-type]
    kind = layout(Position3D)
    with pytest.raises(MessageError, match="must be a Position3D"):
        kind.check(5)
    with pytest.raises(MessageError, match="longitude_deg: is missing"):
        kind.from_plain({"latitude_deg": 1.0})
    with pytest.raises(MessageError, match=r"lattitude_deg: unknown field; did you mean 'latitu"):
        kind.from_plain({"lattitude_deg": 1.0})


def test_additions_of_a_later_version_are_passed_over() -> None:
    """A path prediction with one addition of two octets."""
    from v2x.messages.csae.bsm import PathPrediction

    kind = layout(PathPrediction)
    plain = PathPrediction(radius_m=100.0, confidence=0.5)
    text = coded(kind, plain)
    assert text[0] == "0"
    reader_bits = "1" + text[1:] + "0000000" + "1" + "00000010" + "1" * 16
    assert read(kind, reader_bits) == plain


FIELDS = [
    pytest.param(record, item, id=f"{record.kind.__name__}.{item.name}")
    for record in record_types()
    for item in record.fields
    if isinstance(item.wire, (Scaled, Integer))
]


@pytest.mark.parametrize(("record", "item"), FIELDS)
def test_every_field_at_its_limits(record: Any, item: Any) -> None:
    """Lowest, highest and every code travel; one step beyond is refused; names say the unit."""
    kind = item.wire
    if isinstance(kind, Integer):
        low, high, beyond, codes = kind.low, kind.high, 1, []
    else:
        low, high = kind.limits
        beyond = kind.step[0] / kind.step[1]
        codes = list(kind.codes.values())
        is_ratio = item.name == "confidence"
        assert is_ratio or item.name.rpartition("_")[2] in UNITS, item.name
    for value in (low, high, *codes):
        assert read(kind, coded(kind, value)) == value
        assert kind.from_plain(kind.to_plain(value)) == value
    for value in (low - beyond, high + beyond):
        with pytest.raises(MessageError):
            kind.check(value)


UNITS = {"m", "mps", "mps2", "deg", "degps", "s", "ms", "minute", "year"}


def test_no_field_was_forgotten() -> None:
    assert len(FIELDS) > 80


@pytest.mark.parametrize("kind", record_types(), ids=lambda kind: kind.kind.__name__)
def test_names_in_docstrings(kind: Any) -> None:
    """Every field is described where its record is."""
    for item in kind.fields:
        assert item.name in kind.kind.__doc__, item.name
