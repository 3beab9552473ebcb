"""Roadside information: events and signs (T/CSAE 53-2020, Msg_RSI)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, Any, ClassVar

from v2x.messages.coding.structure import Choice, ListOf, Record, layout
from v2x.messages.coding.symbols import ChineseText, Enumerated, Flags, Ia5Text
from v2x.messages.coding.uper import BitReader, BitWriter
from v2x.messages.coding.wire import (
    Integer,
)
from v2x.messages.csae.elements import (
    Confidence,
    Identity,
    MessageCount,
    MinuteOfYear,
    NodeReference,
    Position3D,
    Radius,
    TimeAccuracy,
)
from v2x.messages.csae.offsets import PositionOffset


class EventSource(IntEnum):
    """Who tells of an event."""

    UNKNOWN = 0
    POLICE = 1
    GOVERNMENT = 2
    METEOROLOGICAL = 3
    INTERNET = 4
    DETECTION = 5


class ReferenceLane(IntFlag):
    """Lanes of a link, numbered as in MAP; bit 0 is reserved."""

    LANE_1 = 1 << 1
    LANE_2 = 1 << 2
    LANE_3 = 1 << 3
    LANE_4 = 1 << 4
    LANE_5 = 1 << 5
    LANE_6 = 1 << 6
    LANE_7 = 1 << 7
    LANE_8 = 1 << 8
    LANE_9 = 1 << 9
    LANE_10 = 1 << 10
    LANE_11 = 1 << 11
    LANE_12 = 1 << 12
    LANE_13 = 1 << 13
    LANE_14 = 1 << 14
    LANE_15 = 1 << 15


class _PriorityOctet(Integer):
    """A number of three bits in front of five reserved ones (RSIPriority)."""

    RESERVED_BITS = 5

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number and zero bits."""
        super().encode(value, writer)
        writer.write(0, self.RESERVED_BITS)

    def decode(self, reader: BitReader) -> int:
        """Take the number; the reserved bits are passed over."""
        value = super().decode(reader)
        reader.lossy |= reader.read(self.RESERVED_BITS) != 0
        return value

    def size_bits(self, value: Any) -> int:
        """Return the length of the octet."""
        return self.n_bits + self.RESERVED_BITS


#: 0 to 7, the highest the most urgent.
Priority = Annotated[int, _PriorityOctet(0, 7)]
_DESCRIPTION = Choice(
    {"ascii": Ia5Text(1, 512), "gb2312": ChineseText(2, 512)}, (str, bytes), extensible=False
)
#: ASCII as str, or octets of GB 2312 as bytes.
Description = Annotated[str | bytes, _DESCRIPTION]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveTime(Record):
    """When something holds (DF_RSITimeDetails).

    Attributes
    ----------
    start_minute, end_minute
        Minutes of the year.
    end_accuracy_s
        How well the end is known.
    """

    start_minute: MinuteOfYear | None = None
    end_minute: MinuteOfYear | None = None
    end_accuracy_s: TimeAccuracy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePath(Record):
    """Where something holds, along a line (DF_ReferencePath).

    Attributes
    ----------
    points
        1 to 32, upstream first, relative to the position of the message; one is a circle.
    radius_m
        How far from the line it holds, in steps of 0.1 m.
    """

    points: Annotated[tuple[PositionOffset, ...], ListOf(layout(PositionOffset), 1, 32)]
    radius_m: Radius


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceLink(Record):
    """Where something holds, by the names of MAP (DF_ReferenceLink).

    Attributes
    ----------
    upstream_node, downstream_node
        Ends of the link.
    lanes
        Lanes it holds for; all if left out.
    """

    upstream_node: NodeReference
    downstream_node: NodeReference
    lanes: Annotated[ReferenceLane, Flags(ReferenceLane, 16)] | None = None


ReferencePaths = Annotated[tuple[ReferencePath, ...], ListOf(ReferencePath, 1, 8)]
ReferenceLinks = Annotated[tuple[ReferenceLink, ...], ListOf(ReferenceLink, 1, 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficEvent(Record):
    """An event (DF_RTEData).

    Attributes
    ----------
    event_id
        Number that the RSU gave it, 0 to 255.
    event_type
        GB/T 29100-2012: class code × 100 + order number.
    source
        Who tells of it; sources of later versions are read as unknown.
    position, radius_m
        Where it is and how far it reaches.
    description, active_time, priority
        Text, time and urgency.
    paths, links
        Where it matters.
    confidence
        That it is so, 0 to 1.
    """

    EXTENSIBLE: ClassVar[bool] = True
    event_id: Annotated[int, Integer(0, 255)]
    event_type: Annotated[int, Integer(0, 65_535)]
    source: Annotated[EventSource, Enumerated(EventSource, later=EventSource.UNKNOWN)]
    position: PositionOffset | None = None
    radius_m: Radius | None = None
    description: Description | None = None
    active_time: ActiveTime | None = None
    priority: Priority | None = None
    paths: ReferencePaths | None = None
    links: ReferenceLinks | None = None
    confidence: Confidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSign(Record):
    """A sign (DF_RTSData).

    Attributes
    ----------
    sign_id
        Number that the RSU gave it, 0 to 255.
    sign_type
        Index of GB 5768.2; 0 is text.
    position
        Where it stands.
    description, active_time, priority
        Text, time and urgency.
    paths, links
        Where it holds.
    """

    EXTENSIBLE: ClassVar[bool] = True
    sign_id: Annotated[int, Integer(0, 255)]
    sign_type: Annotated[int, Integer(0, 65_535)]
    position: PositionOffset | None = None
    description: Description | None = None
    active_time: ActiveTime | None = None
    priority: Priority | None = None
    paths: ReferencePaths | None = None
    links: ReferenceLinks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsideInformation(Record):
    """Events and signs, every 100 ms to 1 s.

    Attributes
    ----------
    count
        Running number of the sender's RSI, 0 to 127.
    minute_of_year
        When the message was made.
    sender_id
        Identity of the RSU.
    position
        What all offsets count from.
    events
        1 to 8.
    signs
        1 to 16.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    minute_of_year: MinuteOfYear | None = None
    sender_id: Identity
    position: Position3D
    events: Annotated[tuple[TrafficEvent, ...], ListOf(TrafficEvent, 1, 8)] | None = None
    signs: Annotated[tuple[TrafficSign, ...], ListOf(TrafficSign, 1, 16)] | None = None
