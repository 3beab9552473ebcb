"""Day-2 messages there and back, their sizes, and octets that are none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2x.messages.coding.structure import RecordType
from v2x.messages.coding.symbols import Boolean
from v2x.messages.coding.uper import (
    BitReader,
    BitWriter,
    MessageError,
    length_bits,
    read_length,
    write_length,
)
from v2x.messages.csae import frame as day1
from v2x.messages.csae.bsm import BasicSafetyMessage
from v2x.messages.csae.day2.clpmm import PlatoonManagement, PlatoonRole, PlatoonStatus
from v2x.messages.csae.day2.elements import AccelerationConfidence
from v2x.messages.csae.day2.frame import (
    FRAME,
    MESSAGE_IDS,
    TOPICS,
    Day2Message,
    decode,
    encode,
    from_json,
    read_message,
    size_bytes,
    to_json,
)
from v2x.messages.csae.day2.rtcm import CorrectionBlock, RtcmCorrections
from v2x.messages.csae.elements import MotionConfidence
from v2x.messages.csae.offsets import VerticalOffset

from ..samples import GOLDEN, REAL_MAP, values
from .day2_samples import (
    LANE_CHANGE,
    MESSAGES,
    REAL_CLPMM,
    coordination,
    intention,
    offset,
    platoon,
    seen,
    sensor_sharing,
)

ORDINARY = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def test_the_real_platoon_message_both_ways() -> None:
    """44 bytes, 39 without the frame (applications.md 1.5)."""
    message = decode(bytes.fromhex(REAL_CLPMM))
    assert isinstance(message, PlatoonManagement)
    assert encode(message).hex() == REAL_CLPMM
    assert size_bytes(message) == 44
    assert message.sender_id == b"23330003"
    assert message.role is PlatoonRole.LEADER
    assert message.status is PlatoonStatus.NAVIGATING
    assert message.management is not None
    assert [item.vehicle_id for item in message.management.members] == [b"23330003"]
    assert message.management.capacity == 10
    assert message.management.open_to_join


@pytest.mark.parametrize("name", MESSAGES)
def test_ordinary_messages_there_and_back(name: str) -> None:
    message = MESSAGES[name]
    octets = encode(message)
    assert decode(octets) == message
    assert size_bytes(message) == len(octets)
    assert from_json(to_json(message)) == message


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_there_and_back(name: str) -> None:
    @ORDINARY
    @given(values(FRAME.alternatives[name]))
    def check(message: Day2Message) -> None:
        octets = encode(message)
        assert decode(octets) == message
        assert size_bytes(message) == len(octets)

    check()


def test_numbers_and_topics_of_messages() -> None:
    """applications.md 1.4: RTCM 10, RSC 11, SSM 12, VIR 13, PAM 14, PSM 15, CLPMM 16, VPM 17."""
    assert [(name, MESSAGE_IDS[type(message)]) for name, message in MESSAGES.items()] == [
        *(("rtcm", 10), ("rsc", 11), ("ssm", 12), ("vir", 13)),
        *(("pam", 14), ("psm", 15), ("clpmm", 16), ("vpm", 17)),
    ]
    assert set(TOPICS) == set(MESSAGE_IDS)


def test_sizes_lie_where_they_were_estimated() -> None:
    """applications.md 1.5: SSM 25 + 35 to 45 an object, VIR 40 to 150, RSC 40 to 250 bytes (D)."""
    assert abs(size_bytes(sensor_sharing(0)) - 25) <= 2
    told = seen(1)
    full = replace(
        told,
        acceleration_confidence=AccelerationConfidence(
            longitudinal_mps2=0.1, lateral_mps2=0.1, vertical_mps2=0.1, yaw_rate_degps=0.1
        ),
        standing_s=1.0,
        participant=replace(
            told.participant,
            offset=replace(offset(), vertical=VerticalOffset(0.0, 8)),
            motion_confidence=MotionConfidence(speed_mps=0.1, heading_deg=1.0),
        ),
    )
    many = replace(sensor_sharing(1), participants=(full,) * 16)
    per_object = (size_bytes(many) - size_bytes(sensor_sharing(0))) / 16
    assert 35 <= per_object <= 45
    lean = (size_bytes(sensor_sharing(16)) - size_bytes(sensor_sharing(0))) / 16
    assert 30 <= lean < per_object
    vir = [size_bytes(intention(LANE_CHANGE, n_points=n)) for n in (0, 5, 8)]
    assert 40 <= vir[0] < vir[1] < vir[2] <= 150
    rsc = [size_bytes(coordination(n, with_path=True)) for n in (1, 2)]
    assert 40 <= size_bytes(coordination(1)) < rsc[0] < rsc[1] <= 250
    assert size_bytes(platoon(1)) == 44


def test_long_messages_have_long_lengths() -> None:
    for n_octets in (100, 118, 119, 120, 121, 122, 130, 2000):
        message = RtcmCorrections(count=0, blocks=(CorrectionBlock(payload=bytes(n_octets)),))
        assert size_bytes(message) == len(encode(message))
        assert decode(encode(message)) == message
    for length in (0, 127, 128, 16_383):
        writer = BitWriter()
        write_length(writer, length)
        assert writer.n_bits == length_bits(length)
        assert read_length(BitReader(writer.to_bytes())) == length
    with pytest.raises(MessageError, match="at most 16383"):
        write_length(BitWriter(), 16_384)


def test_frames_of_day_1_are_read_as_well() -> None:
    frame = bytes.fromhex(GOLDEN["G1"])
    assert isinstance(decode(frame), BasicSafetyMessage)
    assert decode(frame) == day1.decode(frame)
    assert encode(decode(frame)) == frame
    assert size_bytes(decode(frame)) == len(frame)
    assert from_json(to_json(decode(frame))) == decode(frame)
    with pytest.raises(MessageError, match="Day-1 frame"):
        FRAME.decode(BitReader(frame))
    with pytest.raises(MessageError):
        decode(b"")


def test_truth_values() -> None:
    with pytest.raises(MessageError, match="true or false"):
        Boolean().check(1)
    for value in (False, True):
        writer = BitWriter()
        Boolean().encode(value, writer)
        assert writer.n_bits == Boolean().size_bits(value) == 1
        assert Boolean().decode(BitReader(writer.to_bytes())) is value


def is_clean(error: MessageError, octets: bytes) -> bool:
    """Return whether a refusal names a bit within the octets."""
    return error.bit is not None and 0 <= error.bit <= 8 * len(octets)


def accept(octets: bytes) -> bool:
    """Return whether octets are a message; a refusal must name its place in them."""
    reader = BitReader(octets)
    try:
        message = read_message(reader)
    except MessageError as error:
        refusal = error
    else:
        assert reader.lossy or encode(message) == octets
        return True
    assert is_clean(refusal, octets), refusal
    return False


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_random_octets(octets: bytes) -> None:
    accept(b"\x80" + octets)


FRAMES = [*(encode(message) for message in MESSAGES.values()), bytes.fromhex(REAL_MAP)]


@given(st.sampled_from(FRAMES), st.data())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_flipped_bits(frame: bytes, data: st.DataObject) -> None:
    flips = data.draw(st.lists(st.integers(0, 8 * len(frame) - 1), min_size=1, max_size=6))
    bits = int.from_bytes(frame, "big")
    for flip in flips:
        bits ^= 1 << flip
    accept(bits.to_bytes(len(frame), "big"))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_truncation_is_refused(name: str) -> None:
    frame = encode(MESSAGES[name])
    assert accept(frame)
    assert not any(accept(frame[:length]) for length in range(len(frame)))
    assert not accept(frame + b"\x00")


def test_an_inner_length_may_not_lie() -> None:
    """Content that reads on behind its own end is refused, although octets follow."""
    frame = bytearray.fromhex(REAL_CLPMM)
    assert frame[4] == 39
    frame[4] = 30
    with pytest.raises(MessageError, match="ends after 280 bits"):
        decode(bytes(frame))
    frame = bytearray.fromhex(REAL_CLPMM) + b"\x00"
    frame[1] += 1
    with pytest.raises(MessageError, match="bit 352: 1 octets follow"):
        decode(bytes(frame))


def test_all_records_are_documented_field_by_field() -> None:
    def visit(wire: object, found: dict[str, RecordType]) -> dict[str, RecordType]:
        if isinstance(wire, RecordType) and wire.kind.__name__ not in found:
            found[wire.kind.__name__] = wire
            for item in wire.fields:
                visit(item.wire, found)
        for part in [getattr(wire, "item", None), *getattr(wire, "alternatives", {}).values()]:
            if part is not None:
                visit(part, found)
        return found

    records = visit(FRAME, {})
    assert len(records) > 50
    for name, wire in records.items():
        text = wire.kind.__doc__ or ""
        assert [item.name for item in wire.fields if item.name not in text] == [], name
