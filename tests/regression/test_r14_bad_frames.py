"""R14 (applications.md 8.12): extensions, truncation and too much are clean errors.

Clean: one kind of error that names what is wrong and, in bytes, the bit; nothing else escapes, and
nothing is read or built beyond what the bytes hold.
"""

from __future__ import annotations

import pytest

from v2x.errors import V2XError
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError
from v2x.messages.csae import frame as day1
from v2x.messages.csae.day2 import frame as day2
from v2x.messages.csae.day2.rtcm import CorrectionBlock, RtcmCorrections
from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.map_data import MapData, Node

#: A BSM (G1), a SPAT (G5) and the platoon message of a public stack (CLPMM, message 16).
BSM = "00002626466686a6c6e7000c98e87bb6155981ebe345086407081f69f41fdfffc04b41c23c0500"
SPAT = "30020080fa000a02000008260000000258"
CLPMM = "802a0010274c1919999998181819c9f4991999999818181980000000100000000c80001919999998181819a6"


def refusal(octets: bytes, *, day: int = 2) -> MessageError:
    """Return the error that octets give."""
    with pytest.raises(V2XError) as caught:
        (day1 if day == 1 else day2).decode(octets)
    error = caught.value
    assert isinstance(error, MessageError)
    assert error.bit is not None
    assert 0 <= error.bit <= 8 * len(octets)
    assert f"bit {error.bit}: " in str(error)
    return error


def extension(*, alternative: int = 0, number: int = 16, content: bytes = b"\x00") -> bytes:
    """Return a frame with an extension alternative that holds a numbered message."""
    writer = BitWriter()
    writer.write(1, 1)
    writer.write(alternative, 7)
    writer.write(3 + len(content), 8)
    writer.write(number, 16)
    writer.write(len(content), 8)
    writer.write_bytes(content)
    return writer.to_bytes()


@pytest.mark.parametrize("day", [1, 2])
@pytest.mark.parametrize("text", [BSM, SPAT, CLPMM])
def test_every_truncation(text: str, day: int) -> None:
    octets = bytes.fromhex(text)
    for length in range(len(octets)):
        refusal(octets[:length], day=day)
    refusal(octets + b"\x00", day=day)


def test_day_2_frames_are_named_by_who_knows_day_1_only() -> None:
    """A receiver of the first stage passes by a frame of the second, and says what it was."""
    error = refusal(bytes.fromhex(CLPMM), day=1)
    assert "alternative 0 of a later version (42 octets)" in str(error)


def test_unknown_alternatives_and_numbers() -> None:
    assert "alternative 5 of a later version" in str(refusal(extension(alternative=5)))
    for number in (0, 9, 18, 32_767):
        assert f"message {number} is not known" in str(refusal(extension(number=number)))
    assert "additions of a later version" in str(refusal(extension(number=32_768)))


def test_the_error_names_the_field() -> None:
    error = refusal(bytes.fromhex(SPAT)[:6])
    assert error.key == "spat.intersections[0].node.node"
    cut = bytearray.fromhex(CLPMM)[:25]
    cut[1], cut[4] = 23, 20
    assert (refusal(bytes(cut)).key or "").startswith("clpmm.")


def test_additions_of_a_later_version_are_passed_over() -> None:
    """Known messages with an addition are read; the reader tells that something was left out."""
    known = bytes.fromhex(CLPMM)
    message = day2.decode(known)
    assert isinstance(message, day2.PlatoonManagement)
    inner = BitWriter()
    day2.FRAME.alternatives["clpmm"].encode(message, inner)
    old, n_bits = inner.to_bytes(), inner.n_bits
    added = BitWriter()
    added.write(int.from_bytes(old, "big") >> (8 * len(old) - n_bits) | 1 << n_bits - 1, n_bits)
    for value, width in ((0, 1), (0, 6), (1, 1), (2, 8), (0xBEEF, 16)):
        added.write(value, width)
    reader = BitReader(extension(content=added.to_bytes()))
    assert day2.read_message(reader) == message
    assert reader.lossy


@pytest.mark.parametrize("octet", [b"\x00", b"\xff", b"\x80", b"\x1f", b"\x15"])
def test_frames_that_claim_more_than_they_hold(octet: bytes) -> None:
    for length in (1, 3, 60, 2000):
        refusal(octet * length)
        refusal(octet * length, day=1)


def node(number: int) -> Node:
    place = Position3D(latitude_deg=29.563, longitude_deg=106.55)
    return Node(node=NodeReference(node=number), position=place)


def test_a_map_with_too_much_in_it() -> None:
    """63 nodes are the most: more cannot be made, and what claims them cannot be read."""
    largest = MapData(count=0, nodes=tuple(node(k) for k in range(63)))
    octets = day1.encode(largest)
    assert day1.decode(octets) == largest
    with pytest.raises(MessageError, match="must have 1 to 63 elements, got 64") as caught:
        MapData(count=0, nodes=tuple(node(k) for k in range(64)))
    assert caught.value.key == "nodes"
    # Frame 4 bits, extension and presence 2, count 7; then 62 for the 63 nodes.
    bits = int.from_bytes(octets, "big")
    shift = 8 * len(octets) - 4 - 2 - 7 - 6
    assert bits >> shift & 63 == 62
    error = refusal((bits | 63 << shift).to_bytes(len(octets), "big"), day=1)
    assert error.key == "map.nodes"
    assert "64 is more than 63" in str(error)


def test_a_day_2_message_that_no_length_can_tell() -> None:
    """Lengths beyond 16383 octets travel in fragments, which are neither written nor read."""
    block = CorrectionBlock(payload=bytes(2047))
    largest = RtcmCorrections(count=0, blocks=(block,) * 5)
    assert day2.decode(day2.encode(largest)) == largest
    fragment = b"\x80\xc1" + bytes(70_000)
    assert "a length in fragments" in str(refusal(fragment))
