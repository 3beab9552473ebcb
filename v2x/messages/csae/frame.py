"""The frame that all Day-1 messages travel in, and what can be done with one.

`encode` and `decode` are for files, tests and traffic with other programs. The simulation shares
message objects and asks only for `size_bits`, which counts without encoding.
"""

from __future__ import annotations

import json
from typing import Any

from v2x.messages.coding.structure import Choice, layout
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError
from v2x.messages.csae.bsm import BasicSafetyMessage
from v2x.messages.csae.map_data import MapData
from v2x.messages.csae.rsi import RoadsideInformation
from v2x.messages.csae.rsm import RoadsideSafetyMessage
from v2x.messages.csae.spat import SignalPhaseAndTiming

Message = (
    BasicSafetyMessage
    | MapData
    | RoadsideSafetyMessage
    | SignalPhaseAndTiming
    | RoadsideInformation
)
#: MessageFrame of T/CSAE 53: Day-2 messages are alternatives of a later version.
FRAME = Choice(
    {
        "bsm": layout(BasicSafetyMessage),
        "map": layout(MapData),
        "rsm": layout(RoadsideSafetyMessage),
        "spat": layout(SignalPhaseAndTiming),
        "rsi": layout(RoadsideInformation),
    },
    (
        BasicSafetyMessage,
        MapData,
        RoadsideSafetyMessage,
        SignalPhaseAndTiming,
        RoadsideInformation,
    ),
    extensible=True,
)


def encode(message: Message) -> bytes:
    """Return the UPER encoding of a message in its frame."""
    writer = BitWriter()
    FRAME.encode(message, writer)
    return writer.to_bytes()


def decode(octets: bytes) -> Message:
    """Return the message of an encoding.

    Additions of later versions are passed over; what a field cannot hold is refused.

    Raises
    ------
    MessageError
        If the octets are no message, cut short, or followed by something; it names the field
        and the bit.
    """
    return read_message(BitReader(octets))


def read_message(reader: BitReader) -> Message:
    """Take the one message that the reader holds."""
    message: Message = FRAME.decode(reader)
    reader.finish()
    return message


def size_bits(message: Message) -> int:
    """Return the length of the encoding without encoding it."""
    return FRAME.size_bits(message)


def size_bytes(message: Message) -> int:
    """Return the octets of the encoding without encoding it."""
    return -(-FRAME.size_bits(message) // 8)


def to_json(message: Message) -> str:
    """Return a message as JSON, units in the names of the fields."""
    return json.dumps(FRAME.to_plain(message), indent=2, ensure_ascii=False)


def from_json(text: str) -> Message:
    """Return the message of a JSON text.

    Raises
    ------
    MessageError
        If the text is no JSON, or a field is missing, unknown or cannot be sent.
    """
    message: Message = FRAME.from_plain(plain_json(text))
    return message


def plain_json(text: str) -> Any:
    """Return what a JSON text holds, without repeated names and numbers that are none.

    Raises
    ------
    MessageError
        If the text is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_object)
    except MessageError:
        raise
    except ValueError as error:
        raise MessageError(f"is no JSON: {error}") from None
    except RecursionError:
        raise MessageError("is no message: nested too deeply") from None


def _refuse(word: str) -> Any:
    raise MessageError(f"{word} is no number that can be sent")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise MessageError("is given twice").inside(name)
        found[name] = value
    return found
