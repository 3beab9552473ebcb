"""All messages there and back, and octets that are no message."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2x.errors import V2XError
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError
from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.frame import (
    FRAME,
    Message,
    decode,
    encode,
    from_json,
    read_message,
    size_bits,
    size_bytes,
    to_json,
)
from v2x.messages.csae.offsets import offset_from, place_at

from .samples import GOLDEN, REAL_MAP, REAL_RSI, REAL_RSM, REAL_SPAT, messages, steps_apart

ORDINARY = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FRAMES = [bytes.fromhex(text) for text in (*GOLDEN.values(), REAL_RSM, REAL_MAP, REAL_SPAT)]


@pytest.mark.parametrize("name", ["bsm", "map", "rsm", "spat", "rsi"])
def test_every_message_there_and_back(name: str) -> None:
    @ORDINARY
    @given(messages(name))
    def check(message: Message) -> None:
        octets = encode(message)
        assert decode(octets) == message
        assert encode(decode(octets)) == octets
        assert size_bytes(message) == len(octets)
        assert from_json(to_json(message)) == message

    check()


@ORDINARY
@given(messages(between=True))
def test_what_lies_between_steps_comes_back_within_half_a_step(message: Message) -> None:
    octets = encode(message)
    found = decode(octets)
    assert steps_apart(FRAME, message, found) <= 0.5 + 1e-6
    assert encode(found) == octets
    assert size_bytes(message) == len(octets)


@ORDINARY
@given(messages())
def test_the_size_is_that_of_the_encoding(message: Message) -> None:
    writer = BitWriter()
    FRAME.encode(message, writer)
    assert size_bits(message) == writer.n_bits


@given(st.floats(-90, 90), st.floats(-179.9, 180), st.floats(-409, 6143), st.floats(-0.4, 0.4))
@settings(deadline=None, derandomize=True)
def test_places_come_back_within_half_a_step(
    latitude: float, longitude: float, elevation: float, apart: float
) -> None:
    """1e-7 degree and 0.1 m are the steps; offsets of any form name the same step."""
    place = Position3D(
        latitude_deg=latitude, longitude_deg=max(longitude - abs(apart), -179), elevation_m=10.0
    )
    near = Position3D(latitude_deg=latitude, longitude_deg=longitude, elevation_m=elevation)
    back = place_at(place, offset_from(place, near))
    assert isinstance(back.latitude_deg, (int, float))
    assert isinstance(back.longitude_deg, (int, float))
    assert isinstance(back.elevation_m, (int, float))
    assert abs(back.latitude_deg - latitude) <= 0.5e-7 + 1e-13
    assert abs(back.longitude_deg - longitude) <= 0.5e-7 + 1e-13
    assert abs(back.elevation_m - elevation) <= 0.05 + 1e-9


def refusal(octets: bytes) -> MessageError | None:
    """Return why octets are no message, None if they are one.

    Anything but a message or this one kind of error fails the test that calls.
    """
    reader = BitReader(octets)
    try:
        message = read_message(reader)
    except MessageError as error:
        return error
    again = encode(message)
    assert size_bytes(message) == len(again)
    # What nothing was passed over in has one encoding only.
    assert reader.lossy or again == octets
    assert decode(again) == message
    return None


def accept(octets: bytes) -> bool:
    """Return whether octets are a message; refusals must name the bit."""
    error = refusal(octets)
    if error is None:
        return True
    assert isinstance(error, V2XError)
    assert error.bit is not None
    assert 0 <= error.bit <= 8 * len(octets)
    assert f"bit {error.bit}: " in str(error)
    return False


@given(st.binary(max_size=300))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_random_octets(octets: bytes) -> None:
    accept(octets)


@given(st.sampled_from(FRAMES), st.data())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_flipped_bits(frame: bytes, data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.integers(0, 8 * len(frame) - 1), min_size=1, max_size=8))
    bits = int.from_bytes(frame, "big")
    for flip in flips:
        bits ^= 1 << flip
    accept(bits.to_bytes(len(frame), "big"))


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{len(frame)} bytes")
def test_every_truncation_is_refused(frame: bytes) -> None:
    assert accept(frame)
    for length in range(len(frame)):
        assert not accept(frame[:length])
    assert not accept(frame + b"\x00")


def test_every_single_flip_of_a_golden_vector() -> None:
    for name in ("G2", "G4", "G5"):
        frame = bytes.fromhex(GOLDEN[name])
        bits = int.from_bytes(frame, "big")
        for flip in range(8 * len(frame)):
            accept((bits ^ 1 << flip).to_bytes(len(frame), "big"))


def test_errors_name_the_field_and_the_bit() -> None:
    """R14: a truncated frame is a clean error."""
    with pytest.raises(MessageError) as caught:
        decode(bytes.fromhex(GOLDEN["G5"])[:6])
    assert caught.value.key == "spat.intersections[0].node.node"
    assert caught.value.bit == 41
    assert str(caught.value).startswith("spat.intersections[0].node.node: bit 41: ")


def test_day_2_frames_are_refused_by_name() -> None:
    """R14: the alternative of a later version holds an open type of three octets."""
    writer = BitWriter()
    for value, n_bits in ((1, 1), (0, 7), (3, 8), (0x0D0102, 24)):
        writer.write(value, n_bits)
    with pytest.raises(MessageError, match=r"alternative 0 of a later version \(3 octets\)"):
        decode(writer.to_bytes())


def test_the_largest_counts_end_at_once() -> None:
    """Lists that claim all they can in a message of ones or zeros read no more than there is."""
    began = time.perf_counter()
    for fill in (b"\xff", b"\x00", b"\x1f", b"\x55", b"\x15"):
        for length in (1, 40, 4000, 100_000):
            accept(fill * length)
    assert time.perf_counter() - began < 10.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "1e999",
        '{"bsm": NaN}',
        '{"bsm": {}, "map": {}}',
        '{"bsn": {}}',
        '{"bsm": {"count": 1, "count": 2}}',
        '{"bsm": {"count": "1"}}',
        "[" * 100_000,
        f'{{"bsm": {{"count": {"9" * 5000}}}}}',
    ],
)
def test_json_that_is_no_message(text: str) -> None:
    with pytest.raises(MessageError):
        from_json(text)


@pytest.mark.parametrize("frame", [REAL_RSI, GOLDEN["G1"]])
@given(st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_altered_json_ends_in_one_kind_of_error(frame: str, data: st.DataObject) -> None:
    text = to_json(decode(bytes.fromhex(frame)))
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(['"', "{", "}", "[", "]", ",", "9", "-", "null", "x", "1e400"]))
    with contextlib.suppress(MessageError):
        encode(from_json(text[:at] + put + text[at + 1 :]))
