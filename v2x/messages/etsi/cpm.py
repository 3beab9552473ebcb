"""Collective perception message: what somebody sees of others (TS 103 324, Release 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from v2x.messages.coding.structure import ListOf, Record, layout
from v2x.messages.coding.uper import BitReader, BitWriter, MessageError
from v2x.messages.coding.wire import Integer, WireType
from v2x.messages.etsi.cpm_objects import Angle, PerceivedObject
from v2x.messages.etsi.elements import (
    Heading,
    HeadingValue,
    ItsPduHeader,
    ReferencePosition,
    Timestamp,
)
from v2x.messages.etsi.road_users import N_SHAPES, RADIAL, Byte, Length
from v2x.messages.etsi.wire import Alternative, Extensible, NotModelled, OpenType

#: Objects that one container can hold.
MOST_OBJECTS = 255
#: Messages that one perception can be split into (CardinalNumber3b).
MOST_SEGMENTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector(Record):
    """What a sensor covers (RadialShape).

    Attributes
    ----------
    reference
        Not modelled.
    range_m
        In steps of 0.1 m.
    begin_deg, end_deg
        Directions between which it sees.
    vertical_begin, vertical_end
        Not modelled.
    """

    reference: Annotated[None, NotModelled()] | None = None
    range_m: Length
    begin_deg: HeadingValue
    end_deg: HeadingValue
    vertical_begin: Annotated[None, NotModelled()] | None = None
    vertical_end: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor(Record):
    """A sensor and what it covers (SensorInformation); no measured size covers it.

    Attributes
    ----------
    sensor_id
        Its number.
    kind
        SensorType: 1 radar, 2 lidar, 3 mono video, 12 fused and so on.
    region
        What it covers.
    confidence_percent
        That the region is seen.
    shadowing
        Whether objects hide what is behind them: 0 or 1.
    """

    EXTENSIBLE: ClassVar[bool] = True
    sensor_id: Byte
    kind: Annotated[int, Integer(0, 31)]
    region: Annotated[Sector, Alternative(layout(Sector), RADIAL, N_SHAPES)] | None = None
    confidence_percent: Annotated[int, Integer(1, 101)] | None = None
    shadowing: Annotated[int, Integer(0, 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginatingVehicle(Record):
    """Attitude of the vehicle that sees (OriginatingVehicleContainer).

    Attributes
    ----------
    heading
        Where it points.
    pitch, roll
        Of its body.
    trailers
        Not modelled.
    """

    EXTENSIBLE: ClassVar[bool] = True
    heading: Heading
    pitch: Angle | None = None
    roll: Angle | None = None
    trailers: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginatingRsu(Record):
    """Map that an RSU refers to (OriginatingRsuContainer).

    Attributes
    ----------
    map_reference
        Not modelled.
    """

    EXTENSIBLE: ClassVar[bool] = True
    map_reference: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors(Record):
    """What the sender can see (SensorInformationContainer).

    Attributes
    ----------
    sensors
        1 to 128.
    """

    sensors: Annotated[tuple[Sensor, ...], Extensible(ListOf(Sensor, 1, 128))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects(Record):
    """What the sender sees (PerceivedObjectContainer).

    Attributes
    ----------
    n_perceived
        Objects that it sees, those left out counted.
    objects
        Those that it tells of.
    """

    EXTENSIBLE: ClassVar[bool] = True
    n_perceived: Byte
    objects: Annotated[
        tuple[PerceivedObject, ...], Extensible(ListOf(PerceivedObject, 0, MOST_OBJECTS))
    ]


Container = OriginatingVehicle | OriginatingRsu | Sensors | Objects
_IDS: dict[type, int] = {OriginatingVehicle: 1, OriginatingRsu: 2, Sensors: 3, Objects: 5}


class _Container(WireType):
    """A container behind its number, as an open type (WrappedCpmContainer)."""

    number = Integer(1, 16)
    types = {kind: OpenType(layout(kind)) for kind in _IDS}  # noqa: RUF012

    def check(self, value: Any) -> None:
        """Refuse what is no container."""
        if type(value) not in self.types:
            known = ", ".join(kind.__name__ for kind in _IDS)
            raise MessageError(f"must be one of {known}; got {value!r}")

    def encode(self, value: Any, writer: BitWriter) -> None:
        """Append the number and the container."""
        self.number.encode(_IDS[type(value)], writer)
        self.types[type(value)].encode(value, writer)

    def decode(self, reader: BitReader) -> Any:
        """Take a container."""
        begin = reader.position
        number = self.number.decode(reader)
        for kind, known in _IDS.items():
            if known == number:
                return self.types[kind].decode(reader)
        raise MessageError(f"container {number} is not modelled", bit=begin)

    def size_bits(self, value: Any) -> int:
        """Return the length of number and container."""
        return self.number.n_bits + self.types[type(value)].size_bits(value)

    def to_plain(self, value: Any) -> Any:
        """Return the container under the name of its kind."""
        return {type(value).__name__: self.types[type(value)].to_plain(value)}

    def from_plain(self, plain: Any) -> Any:
        """Return the container of a kind."""
        by_name = {kind.__name__: wire for kind, wire in self.types.items()}
        if not isinstance(plain, dict) or len(plain) != 1 or not set(plain) <= set(by_name):
            raise MessageError(f"must be an object with one of {', '.join(by_name)}")
        ((name, part),) = plain.items()
        return by_name[name].from_plain(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Record):
    """Which part of a perception a message is (MessageSegmentationInfo).

    Attributes
    ----------
    n_messages
        1 to 8.
    this_message
        From 0.
    """

    n_messages: Annotated[int, Integer(1, MOST_SEGMENTS)]
    this_message: Annotated[int, Integer(0, MOST_SEGMENTS - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CpmManagement(Record):
    """When and where (ManagementContainer).

    Attributes
    ----------
    reference_ms
        Time that measurements count from.
    position
        Place that objects count from.
    segment
        Given if the perception needs several messages.
    rate_range
        Not modelled.
    """

    EXTENSIBLE: ClassVar[bool] = True
    reference_ms: Timestamp
    position: ReferencePosition
    segment: Segment | None = None
    rate_range: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CpmPayload(Record):
    """Management and containers (CpmPayload).

    Attributes
    ----------
    management
        When and where.
    containers
        1 to 8 of :class:`OriginatingVehicle`, :class:`OriginatingRsu`, :class:`Sensors` and
        :class:`Objects`.
    """

    EXTENSIBLE: ClassVar[bool] = True
    management: CpmManagement
    containers: Annotated[tuple[Container, ...], Extensible(ListOf(_Container(), 1, 8))]


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectivePerception(Record):
    """What somebody sees (CPM).

    Attributes
    ----------
    header
        Message 14 and the pseudonym of the sender.
    payload
        Management and containers.
    """

    header: ItsPduHeader
    payload: CpmPayload
