"""Data elements and frames that the ETSI messages share (TS 102 894-2).

Ranges, steps and codes are those of the data dictionary as we know it; the measured sizes of
applications.md 2.1 to 2.4 come out of them. Headings are in degrees, clockwise from north.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Enumerated
from v2x.messages.coding.wire import BEYOND, UNAVAILABLE, Integer, Quantity, Scaled, Steps
from v2x.messages.etsi.wire import Extensible


class MessageId(IntEnum):
    """MessageID of the header."""

    DENM = 1
    CAM = 2
    CPM = 14
    VAM = 16


class StationType(IntEnum):
    """StationType, TrafficParticipantType."""

    UNKNOWN = 0
    PEDESTRIAN = 1
    CYCLIST = 2
    MOPED = 3
    MOTORCYCLE = 4
    CAR = 5
    BUS = 6
    LIGHT_TRUCK = 7
    HEAVY_TRUCK = 8
    TRAILER = 9
    SPECIAL = 10
    TRAM = 11
    ROADSIDE_UNIT = 15


_METRES = (1, 100)
_CENTIMETRE_CODES = {4094: BEYOND, 4095: UNAVAILABLE}
_ALTITUDE_ACCURACY_M = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0),
    *(BEYOND, UNAVAILABLE),
)
_DEGREE_ACCURACY = Scaled(1, 127, (1, 10), codes={126: BEYOND, 127: UNAVAILABLE})

#: StationID, a pseudonym.
StationId = Annotated[int, Integer(0, 2**32 - 1)]
#: StationType as a number; codes of later versions are numbers too.
StationTypeCode = Annotated[int, Integer(0, 255)]
#: TimestampIts: milliseconds since 2004-01-01 (TAI).
Timestamp = Annotated[int, Integer(0, 2**42 - 1)]
#: GenerationDeltaTime: the same modulo 65536.
GenerationTime = Annotated[int, Integer(0, 65_535)]
Latitude = Annotated[
    Quantity, Scaled(-900_000_000, 900_000_001, (1, 10_000_000), codes={900_000_001: UNAVAILABLE})
]
Longitude = Annotated[
    Quantity,
    Scaled(-1_800_000_000, 1_800_000_001, (1, 10_000_000), codes={1_800_000_001: UNAVAILABLE}),
]
#: SemiAxisLength [m], 95 %.
EllipseAxis = Annotated[Quantity, Scaled(0, 4095, _METRES, codes=_CENTIMETRE_CODES)]
HeadingValue = Annotated[Quantity, Scaled(0, 3601, (1, 10), codes={3601: UNAVAILABLE})]
HeadingAccuracy = Annotated[Quantity, _DEGREE_ACCURACY]
AltitudeValue = Annotated[
    Quantity, Scaled(-100_000, 800_001, _METRES, codes={800_001: UNAVAILABLE})
]
AltitudeAccuracy = Annotated[Quantity, Steps(_ALTITUDE_ACCURACY_M)]
SpeedValue = Annotated[Quantity, Scaled(0, 16_383, _METRES, codes={16_383: UNAVAILABLE})]
SpeedAccuracy = Annotated[Quantity, Scaled(1, 127, _METRES, codes={126: BEYOND, 127: UNAVAILABLE})]
#: Acceleration [m/s²]; ±16 means that or more.
AccelerationValue = Annotated[Quantity, Scaled(-160, 161, (1, 10), codes={161: UNAVAILABLE})]
AccelerationAccuracy = Annotated[
    Quantity, Scaled(0, 102, (1, 10), codes={101: BEYOND, 102: UNAVAILABLE})
]
#: LanePosition: -1 off the road, 0 hard shoulder, 1 outermost lane.
LanePosition = Annotated[int, Integer(-1, 14)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItsPduHeader(Record):
    """What every message begins with.

    Attributes
    ----------
    protocol_version
        2 for messages of Release 1 in use and for those of Release 2 here.
    message_id
        :class:`MessageId` as a number.
    station_id
        Pseudonym of the sender.
    """

    protocol_version: Annotated[int, Integer(0, 255)] = 2
    message_id: Annotated[int, Integer(0, 255)]
    station_id: StationId


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionEllipse(Record):
    """95 % ellipse of a position (PosConfidenceEllipse).

    Attributes
    ----------
    semi_major_m, semi_minor_m
        Half axes [m].
    orientation_deg
        Of the major axis.
    """

    semi_major_m: EllipseAxis
    semi_minor_m: EllipseAxis
    orientation_deg: HeadingValue


#: Ellipse of a position whose accuracy is not known.
UNKNOWN_ELLIPSE = PositionEllipse(
    semi_major_m=UNAVAILABLE, semi_minor_m=UNAVAILABLE, orientation_deg=UNAVAILABLE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Altitude(Record):
    """Height above the WGS-84 ellipsoid (Altitude).

    Attributes
    ----------
    value_m
        In steps of 1 cm.
    accuracy_m
        One of the accuracies that the standard lists.
    """

    value_m: AltitudeValue = UNAVAILABLE
    accuracy_m: AltitudeAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePosition(Record):
    """A place on the Earth (ReferencePosition, WGS-84).

    Attributes
    ----------
    latitude_deg, longitude_deg
        In steps of 1e-7 degree.
    ellipse
        How well it is known.
    altitude
        Its height.
    """

    latitude_deg: Latitude
    longitude_deg: Longitude
    ellipse: PositionEllipse = UNKNOWN_ELLIPSE
    altitude: Altitude = Altitude()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading(Record):
    """Direction of motion (Heading, Wgs84Angle).

    Attributes
    ----------
    value_deg
        In steps of 0.1 degree.
    accuracy_deg
        95 %, 0.1 to 12.5 degree.
    """

    value_deg: HeadingValue
    accuracy_deg: HeadingAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed(Record):
    """Speed over ground (Speed).

    Attributes
    ----------
    value_mps
        In steps of 0.01 m/s.
    accuracy_mps
        95 %, 0.01 to 1.25 m/s.
    """

    value_mps: SpeedValue
    accuracy_mps: SpeedAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration(Record):
    """Acceleration along one axis (LongitudinalAcceleration and the like).

    Attributes
    ----------
    value_mps2
        In steps of 0.1 m/s²; forwards, to the left and upwards positive.
    accuracy_mps2
        95 %, 0 to 10 m/s².
    """

    value_mps2: AccelerationValue
    accuracy_mps2: AccelerationAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseCode(Record):
    """What an event is (CauseCode).

    Attributes
    ----------
    cause
        Code of the data dictionary, see :class:`~v2x.messages.etsi.denm.Cause`.
    sub_cause
        Code within the cause; 0 if it is not known.
    """

    EXTENSIBLE: ClassVar[bool] = True
    cause: Annotated[int, Integer(0, 255)]
    sub_cause: Annotated[int, Integer(0, 255)] = 0


_DELTA_DEGREE = Scaled(-131_071, 131_072, (1, 10_000_000), codes={131_072: UNAVAILABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaPosition(Record):
    """A place relative to another one (DeltaReferencePosition).

    Attributes
    ----------
    latitude_deg, longitude_deg
        Difference of at most 0.0131 degree, in steps of 1e-7 degree.
    altitude_m
        Difference of -127 to 128 m, in steps of 1 cm.
    """

    latitude_deg: Annotated[Quantity, _DELTA_DEGREE]
    longitude_deg: Annotated[Quantity, _DELTA_DEGREE]
    altitude_m: Annotated[
        Quantity, Scaled(-12_700, 12_800, _METRES, codes={12_800: UNAVAILABLE})
    ] = UNAVAILABLE


#: PathDeltaTime [s]: time since the point before, in steps of 0.01 s.
DeltaTime = Annotated[float, Extensible(Scaled(1, 65_535, (1, 100)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPoint(Record):
    """A place on the path of a vehicle (PathPoint).

    Attributes
    ----------
    position
        Relative to the point before, the first to the position of the message.
    delta_time_s
        How much earlier than the point before.
    """

    position: DeltaPosition
    delta_time_s: DeltaTime | None = None


#: PathHistory: at most 40 points, the newest first.
PathHistory = Annotated[tuple[PathPoint, ...], ListOf(PathPoint, 0, 40)]
MOST_PATH_POINTS = 40


class LightSiren(IntEnum):
    """LightBarSirenInUse as the number of its two bits."""

    NONE = 0
    SIREN = 1
    LIGHT_BAR = 2
    BOTH = 3


LightSirenInUse = Annotated[LightSiren, Enumerated(LightSiren)]
