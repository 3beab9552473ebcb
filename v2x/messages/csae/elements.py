"""Data elements and frames that several messages share (T/CSAE 53-2020, YD/T 3709-2020).

Field order, ranges, steps and codes are those of the public ASN.1 modules of 2019-07-24, with
which the golden vectors were made. Angles are in degrees, clockwise from north where they are
headings; everything else is SI.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Record
from v2x.messages.coding.symbols import Enumerated, Ia5Text, Octets
from v2x.messages.coding.wire import (
    BEYOND,
    UNAVAILABLE,
    Integer,
    Quantity,
    Scaled,
    Steps,
)

#: Standard gravity is 9.80665 m/s²; the vertical acceleration counts in 0.02 of it.
_VERTICAL_STEP = (196_133, 1_000_000)
_ACCURACY_M = (500.0, 200.0, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0)
_FINE_ACCURACY_M = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01)
_TIME_ACCURACY_S = (
    *(100.0, 50.0, 20.0, 10.0, 2.0, 1.0),
    *(float(f"{digit}e-{decade}") for decade in range(1, 12) for digit in (5, 2, 1)),
)
ACCURACY_STEPS = Steps((UNAVAILABLE, *_ACCURACY_M, *_FINE_ACCURACY_M))

#: MsgCount: 0 to 127, then 0 again.
MessageCount = Annotated[int, Integer(0, 127)]
#: Temporary identity of a vehicle, or identity of an RSU.
Identity = Annotated[bytes, Octets(8, 8)]
#: DSecond [ms] within the minute; 60000 and more mean that it is not known.
MillisecondInMinute = Annotated[
    Quantity, Scaled(0, 65_535, (1, 1), codes={65_535: UNAVAILABLE}, unknown_from=60_000)
]
#: MinuteOfTheYear [min] since the year began (UTC).
MinuteOfYear = Annotated[Quantity, Scaled(0, 527_040, (1, 1), codes={527_040: UNAVAILABLE})]
#: TimeMark [s], from now or within the hour (UTC); 36000 stands for more than an hour.
TimeMark = Annotated[
    Quantity, Scaled(0, 36_001, (1, 10), codes={36_000: BEYOND, 36_001: UNAVAILABLE})
]
#: TimeConfidence: better than this [s].
TimeAccuracy = Annotated[Quantity, Steps((UNAVAILABLE, *_TIME_ACCURACY_S))]
Latitude = Annotated[
    Quantity,
    Scaled(-900_000_000, 900_000_001, (1, 10_000_000), codes={900_000_001: UNAVAILABLE}),
]
Longitude = Annotated[
    Quantity,
    Scaled(-1_799_999_999, 1_800_000_001, (1, 10_000_000), codes={1_800_000_001: UNAVAILABLE}),
]
#: Elevation [m] above the ellipsoid.
Elevation = Annotated[Quantity, Scaled(-4096, 61_439, (1, 10), codes={-4096: UNAVAILABLE})]
#: PositionConfidence and ElevationConfidence [m], 95 %.
Accuracy = Annotated[Quantity, ACCURACY_STEPS]
#: Axes of the accuracy ellipse [m], one standard deviation; 12.7 means that or more.
EllipseAxis = Annotated[Quantity, Scaled(0, 255, (1, 20), codes={255: UNAVAILABLE})]
EllipseOrientation = Annotated[
    Quantity, Scaled(0, 65_535, (360, 65_535), codes={65_535: UNAVAILABLE})
]
Speed = Annotated[Quantity, Scaled(0, 8191, (1, 50), codes={8191: UNAVAILABLE})]
Heading = Annotated[Quantity, Scaled(0, 28_800, (1, 80), codes={28_800: UNAVAILABLE})]
CoarseHeading = Annotated[Quantity, Scaled(0, 240, (3, 2), codes={240: UNAVAILABLE})]
#: Steering wheel angle [degree], right positive; ±189 means that or more.
SteeringAngle = Annotated[Quantity, Scaled(-126, 127, (3, 2), codes={127: UNAVAILABLE})]
#: Acceleration [m/s²]; ±20 means that or more.
Acceleration = Annotated[Quantity, Scaled(-2000, 2001, (1, 100), codes={2001: UNAVAILABLE})]
#: Vertical acceleration [m/s²], downwards positive; the limits mean that or more.
VerticalAcceleration = Annotated[
    Quantity, Scaled(-127, 127, _VERTICAL_STEP, codes={-127: UNAVAILABLE})
]
#: Yaw rate [degree/s], clockwise positive; the standard has no code for "unavailable".
YawRate = Annotated[float, Scaled(-32_767, 32_767, (1, 100))]
SpeedAccuracy = Annotated[Quantity, Steps((UNAVAILABLE, 100.0, 10.0, 5.0, 1.0, 0.1, 0.05, 0.01))]
HeadingAccuracy = Annotated[Quantity, Steps((UNAVAILABLE, 10.0, 5.0, 1.0, 0.1, 0.05, 0.01, 0.0125))]
SteeringAccuracy = Annotated[Quantity, Steps((UNAVAILABLE, 2.0, 1.0, 0.02))]
#: Probability in half percents, 0 to 1.
Confidence = Annotated[float, Scaled(0, 200, (1, 200))]
#: Radius [m] of an event or around a path.
Radius = Annotated[float, Scaled(0, 65_535, (1, 10))]
DescriptiveName = Annotated[str, Ia5Text(1, 63)]
#: Phase of a signal, the link between MAP and SPAT; 0 if it is not known.
PhaseId = Annotated[int, Integer(0, 255)]


class Transmission(IntEnum):
    """TransmissionState: the gear."""

    NEUTRAL = 0
    PARK = 1
    FORWARD = 2
    REVERSE = 3
    RESERVED_1 = 4
    RESERVED_2 = 5
    RESERVED_3 = 6
    UNAVAILABLE = 7


Gear = Annotated[Transmission, Enumerated(Transmission)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position3D(Record):
    """A place on the Earth (DF_Position3D, WGS-84).

    Attributes
    ----------
    latitude_deg, longitude_deg
        In steps of 1e-7 degree, about 1 cm.
    elevation_m
        Above the ellipsoid, in steps of 0.1 m. GB/T 45315 does not let vehicles send it.
    """

    latitude_deg: Latitude
    longitude_deg: Longitude
    elevation_m: Elevation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionConfidence(Record):
    """95 % accuracy of a position (DF_PositionConfidenceSet).

    Attributes
    ----------
    horizontal_m, elevation_m
        One of the accuracies that the standard lists.
    """

    horizontal_m: Accuracy
    elevation_m: Accuracy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionalAccuracy(Record):
    """Ellipse of one standard deviation of a satellite fix (DF_PositionalAccuracy).

    Attributes
    ----------
    semi_major_m, semi_minor_m
        Half axes in steps of 0.05 m; 12.7 means that or more.
    orientation_deg
        Of the major axis, from true north, in steps of 360/65535 degree.
    """

    semi_major_m: EllipseAxis
    semi_minor_m: EllipseAxis
    orientation_deg: EllipseOrientation


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfidence(Record):
    """95 % accuracy of a motion (DF_MotionConfidenceSet).

    Attributes
    ----------
    speed_mps, heading_deg, steering_deg
        One of the accuracies that the standard lists.
    """

    speed_mps: SpeedAccuracy | None = None
    heading_deg: HeadingAccuracy | None = None
    steering_deg: SteeringAccuracy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceleration4Way(Record):
    """Acceleration along three axes and yaw rate (DF_AccelerationSet4Way).

    Attributes
    ----------
    longitudinal_mps2, lateral_mps2
        Forwards and to the right positive, in steps of 0.01 m/s².
    vertical_mps2
        Downwards positive, in steps of 0.02 g.
    yaw_rate_degps
        Clockwise positive, in steps of 0.01 degree/s.
    """

    longitudinal_mps2: Acceleration
    lateral_mps2: Acceleration
    vertical_mps2: VerticalAcceleration
    yaw_rate_degps: YawRate


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySize(Record):
    """Size of a vehicle or another participant (DF_VehicleSize).

    Attributes
    ----------
    width_m, length_m
        In steps of 1 cm.
    height_m
        In steps of 5 cm.
    """

    width_m: Annotated[Quantity, Scaled(0, 1023, (1, 100), codes={0: UNAVAILABLE})]
    length_m: Annotated[Quantity, Scaled(0, 4095, (1, 100), codes={0: UNAVAILABLE})]
    height_m: Annotated[Quantity, Scaled(0, 127, (1, 20), codes={0: UNAVAILABLE})] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleClassification(Record):
    """Class of a vehicle (DF_VehicleClassification).

    Attributes
    ----------
    basic
        BasicVehicleClass: 10 car, 20 light truck, 25 to 35 trucks, 40 motorcycle, 50 bus, 60 to
        69 emergency, 82 pedestrian, 85 bicycle, 91 fixed infrastructure; 0 if it is not known.
    fuel
        FuelType: 1 petrol, 3 diesel, 4 electric, 5 hybrid; 0 if it is not known.
    """

    EXTENSIBLE: ClassVar[bool] = True
    basic: Annotated[int, Integer(0, 255)]
    fuel: Annotated[int, Integer(0, 15)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReference(Record):
    """Name of a node of the map (DF_NodeReferenceID).

    Attributes
    ----------
    region
        Region that numbers its nodes; 0 is for tests.
    node
        Number within the region; 0 to 255 are for tests.
    """

    region: Annotated[int, Integer(0, 65_535)] | None = None
    node: Annotated[int, Integer(0, 65_535)]
