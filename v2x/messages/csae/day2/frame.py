"""The frame of Day-2 messages: an extension alternative of the Day-1 frame.

The envelope, ``{messageId, open type}`` behind the extension bit, and the platoon message give
the one real frame that was found, byte for byte. The layout of all other messages is our own:
what this module encodes, other implementations of T/CSAE 157 will not read, nor the reverse. It
is there for sizes, files and tests; the simulation shares message objects.
"""

from __future__ import annotations

import json
import typing
from typing import Any

from v2x.messages.coding.structure import Choice, layout
from v2x.messages.coding.uper import (
    BitReader,
    BitWriter,
    MessageError,
    length_bits,
    read_length,
    read_small_number,
    write_length,
)
from v2x.messages.csae import frame as day1
from v2x.messages.csae.day2.clpmm import PlatoonManagement
from v2x.messages.csae.day2.pam import ParkingArea
from v2x.messages.csae.day2.psm import PersonalSafety
from v2x.messages.csae.day2.rsc import RoadsideCoordination
from v2x.messages.csae.day2.rtcm import RtcmCorrections
from v2x.messages.csae.day2.ssm import SensorSharing
from v2x.messages.csae.day2.vir import VehicleIntention
from v2x.messages.csae.day2.vpm import VehiclePayment
from v2x.messages.topics import Topic

Day2Message = (
    RtcmCorrections
    | RoadsideCoordination
    | SensorSharing
    | VehicleIntention
    | ParkingArea
    | PersonalSafety
    | PlatoonManagement
    | VehiclePayment
)
_KINDS = (
    RtcmCorrections,
    RoadsideCoordination,
    SensorSharing,
    VehicleIntention,
    ParkingArea,
    PersonalSafety,
    PlatoonManagement,
    VehiclePayment,
)
_NAMES = ("rtcm", "rsc", "ssm", "vir", "pam", "psm", "clpmm", "vpm")
#: Number of the first of them; the others follow in this order (applications.md 1.4). Those of
#: PAM and VPM are known by elimination only.
FIRST_MESSAGE_ID = 10
MESSAGE_IDS: dict[type, int] = {kind: FIRST_MESSAGE_ID + k for k, kind in enumerate(_KINDS)}
#: Topic of each kind of message.
TOPICS: dict[type, Topic] = {
    RtcmCorrections: Topic.RTCM,
    RoadsideCoordination: Topic.RSC,
    SensorSharing: Topic.RSM,
    VehicleIntention: Topic.VIR,
    ParkingArea: Topic.PAM,
    PersonalSafety: Topic.STATE,
    PlatoonManagement: Topic.CLPMM,
    VehiclePayment: Topic.VPM,
}
#: Bits of the number of a message, and of the extension bit before it. The real frame would look
#: the same with sixteen bits and none.
_ID_BITS, _ID_EXTENSION_BITS = 15, 1
#: The Day-2 messages are the first addition to the Day-1 frame.
_ALTERNATIVE = 0
_ALTERNATIVE_BITS = 7


class _ExtensionFrame(Choice):
    """A message by its number, in two open types one in the other."""

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the whole frame."""
        index = self._index[type(value)]
        inner = BitWriter()
        self._types[index].encode(value, inner)
        octets = inner.to_bytes()
        writer.write(1, 1)
        writer.write(_ALTERNATIVE, _ALTERNATIVE_BITS)
        write_length(writer, self._extension_octets(len(octets)))
        writer.write(FIRST_MESSAGE_ID + index, _ID_EXTENSION_BITS + _ID_BITS)
        write_length(writer, len(octets))
        writer.write_bytes(octets)

    def decode(self, reader: BitReader) -> Any:
        """Take a message of a known number."""
        begin = reader.position
        if not reader.read(1):
            raise MessageError("a Day-1 frame where a Day-2 message is due", bit=begin)
        number = read_small_number(reader)
        if number != _ALTERNATIVE:
            raise MessageError(f"alternative {number} of a later version", bit=begin)
        extension = reader.within(read_length(reader))
        value = self._decode_extension(extension)
        extension.finish()
        reader.lossy |= extension.lossy
        return value

    def _decode_extension(self, reader: BitReader) -> Any:
        begin = reader.position
        if reader.read(_ID_EXTENSION_BITS):
            raise MessageError("additions of a later version to the frame", bit=begin)
        number = reader.read(_ID_BITS)
        index = number - FIRST_MESSAGE_ID
        if not 0 <= index < len(self._types):
            known = ", ".join(
                f"{FIRST_MESSAGE_ID + k} {name}" for k, name in enumerate(self._names)
            )
            raise MessageError(f"message {number} is not known; known: {known}", bit=begin)
        content = reader.within(read_length(reader))
        try:
            value = self._types[index].decode(content)
            content.finish()
        except MessageError as error:
            raise error.inside(self._names[index]) from None
        reader.lossy |= content.lossy
        return value

    def size_bits(self, value: Any) -> int:
        """Return the length of the whole frame."""
        n_octets = -(-self._types[self._index[type(value)]].size_bits(value) // 8)
        extension = self._extension_octets(n_octets)
        return 1 + _ALTERNATIVE_BITS + length_bits(extension) + 8 * extension

    @staticmethod
    def _extension_octets(n_octets: int) -> int:
        """Return the octets of number, length and content; all are whole ones."""
        return (_ID_EXTENSION_BITS + _ID_BITS + length_bits(n_octets)) // 8 + n_octets


FRAME = _ExtensionFrame(
    {name: layout(kind) for name, kind in zip(_NAMES, _KINDS, strict=True)},
    _KINDS,
    extensible=False,
)


#: The names of the messages of both days, for JSON.
_ANY = Choice(
    {**day1.FRAME.alternatives, **FRAME.alternatives},
    (*typing.get_args(day1.Message), *_KINDS),
    extensible=False,
)


def encode(message: Day2Message | day1.Message) -> bytes:
    """Return the bytes of a message of either day in its frame."""
    if isinstance(message, day1.Message):
        return day1.encode(message)
    writer = BitWriter()
    FRAME.encode(message, writer)
    return writer.to_bytes()


def decode(octets: bytes) -> Day2Message | day1.Message:
    """Return the message of a frame, of either day.

    Raises
    ------
    MessageError
        If the octets are no message, cut short, or followed by something; it names the field
        and the bit.
    """
    return read_message(BitReader(octets))


def read_message(reader: BitReader) -> Day2Message | day1.Message:
    """Take the one message that the reader holds."""
    is_day_2 = reader.n_bits > 0 and reader.read(1)
    reader.position = 0
    if not is_day_2:
        return day1.read_message(reader)
    message: Day2Message = FRAME.decode(reader)
    reader.finish()
    return message


def to_json(message: Day2Message | day1.Message) -> str:
    """Return a message of either day as JSON, units in the names of the fields."""
    return json.dumps(_ANY.to_plain(message), indent=2, ensure_ascii=False)


def from_json(text: str) -> Day2Message | day1.Message:
    """Return the message of a JSON text.

    Raises
    ------
    MessageError
        If the text is no JSON, or a field is missing, unknown or cannot be sent.
    """
    message: Day2Message | day1.Message = _ANY.from_plain(day1.plain_json(text))
    return message


def size_bytes(message: Day2Message | day1.Message) -> int:
    """Return the octets of the frame of a message of either day without encoding it.

    Examples
    --------
    >>> from v2x.messages.csae.day2.rtcm import CorrectionBlock
    >>> size_bytes(RtcmCorrections(count=0, blocks=(CorrectionBlock(payload=bytes(100)),)))
    109
    """
    if isinstance(message, day1.Message):
        return day1.size_bytes(message)
    return -(-FRAME.size_bits(message) // 8)
