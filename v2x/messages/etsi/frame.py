"""How long ETSI messages are: their content, the network headers and the security envelope.

Sizes of contents are counted from the declarations of the messages. Bytes are not offered: the
declarations are checked against measured sizes only, never against another encoder.
"""

from __future__ import annotations

from enum import Enum

from v2x.messages.coding.structure import layout
from v2x.messages.envelope import ETSI, GENERATION_LOCATION_BYTES
from v2x.messages.etsi.cam import CooperativeAwareness
from v2x.messages.etsi.cpm import CollectivePerception
from v2x.messages.etsi.denm import EnvironmentalNotification
from v2x.messages.etsi.vam import VruAwareness

Message = CooperativeAwareness | EnvironmentalNotification | CollectivePerception | VruAwareness

#: Basic header of GeoNetworking, which is outside the envelope (TS 103 097, EN 302 636-4-1).
BASIC_HEADER_BYTES = 4
#: BTP-A and BTP-B (EN 302 636-5-1).
BTP_BYTES = 4
#: RLC, PDCP and MAC of the sidelink; typical, of low confidence (applications.md 1.6).
LAYER2_BYTES = 10
#: Destination ports of BTP (TS 103 248); those of DENM, CPM and VAM are of low confidence.
PORTS = {
    CooperativeAwareness: 2001,
    EnvironmentalNotification: 2002,
    CollectivePerception: 2009,
    VruAwareness: 2018,
}


class Transport(Enum):
    """GeoNetworking packets; the value is the length of their header, basic header included."""

    SINGLE_HOP = 40
    GEOCAST = 56
    UNICAST = 60


#: How each message travels: DENM to an area, all others to who hears them.
TRANSPORTS = {
    CooperativeAwareness: Transport.SINGLE_HOP,
    EnvironmentalNotification: Transport.GEOCAST,
    CollectivePerception: Transport.SINGLE_HOP,
    VruAwareness: Transport.SINGLE_HOP,
}


def size_bits(message: Message) -> int:
    """Return the length of a message in UPER [bit], without padding."""
    return layout(type(message)).size_bits(message)


def size_bytes(message: Message) -> int:
    """Return the length of a message in UPER [byte], without encoding it."""
    return -(-size_bits(message) // 8)


def on_air_bytes(
    content_bytes: int,
    transport: Transport,
    *,
    with_certificate: bool,
    with_location: bool = False,
    layer2_bytes: int = LAYER2_BYTES,
) -> int:
    """Return what the access layer is given for a signed message [byte].

    Parameters
    ----------
    content_bytes
        Length of the message.
    transport
        How it travels.
    with_certificate
        Whether the signer is named by certificate, not by digest.
    with_location
        Whether the envelope tells where it was signed, as that of a DENM does.
    layer2_bytes
        What the sidelink adds.

    Notes
    -----
    The envelope holds the headers behind the basic one, BTP and the message.

    Examples
    --------
    >>> [on_air_bytes(41, Transport.SINGLE_HOP, with_certificate=flag) for flag in (False, True)]
    [188, 330]
    """
    inside = transport.value - BASIC_HEADER_BYTES + BTP_BYTES + content_bytes
    signed = ETSI.signed_bytes(inside, with_certificate=with_certificate)
    location = GENERATION_LOCATION_BYTES if with_location else 0
    return BASIC_HEADER_BYTES + signed + location + layer2_bytes


def message_on_air_bytes(message: Message, *, with_certificate: bool) -> int:
    """Return what the access layer is given for a message [byte].

    A DENM is always signed by certificate and with the place where it was signed.
    """
    is_denm = isinstance(message, EnvironmentalNotification)
    return on_air_bytes(
        size_bytes(message),
        TRANSPORTS[type(message)],
        with_certificate=with_certificate or is_denm,
        with_location=is_denm,
    )
