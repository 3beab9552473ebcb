"""Objects as a CPM describes them (TS 103 324, TS 102 894-2, Release 2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, ListOf, Record, layout
from v2x.messages.coding.symbols import Enumerated
from v2x.messages.coding.wire import BEYOND, UNAVAILABLE, Integer, Quantity, Scaled
from v2x.messages.etsi.elements import (
    AccelerationAccuracy,
    AccelerationValue,
    HeadingAccuracy,
    HeadingValue,
    Speed,
    SpeedAccuracy,
    StationTypeCode,
)
from v2x.messages.etsi.road_users import VruCluster, VruKind
from v2x.messages.etsi.wire import Extensible, NotModelled


class AngularSpeedAccuracy(IntEnum):
    """AngularSpeedConfidence [degree/s]."""

    WITHIN_1 = 0
    WITHIN_2 = 1
    WITHIN_5 = 2
    WITHIN_10 = 3
    WITHIN_20 = 4
    WITHIN_50 = 5
    BEYOND = 6
    UNAVAILABLE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate(Record):
    """One coordinate relative to the position of the message (CartesianCoordinateWithConfidence).

    Attributes
    ----------
    value_m
        In steps of 1 cm.
    accuracy_m
        95 %, 0.01 to 40.94 m.
    """

    value_m: Annotated[float, Scaled(-131_072, 131_071, (1, 100))]
    accuracy_m: Annotated[
        Quantity, Scaled(1, 4096, (1, 100), codes={4095: BEYOND, 4096: UNAVAILABLE})
    ] = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPosition(Record):
    """Where an object is (CartesianPosition3dWithConfidence).

    Attributes
    ----------
    east, north, up
        From the position of the message.
    """

    east: Coordinate
    north: Coordinate
    up: Coordinate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VelocityComponent(Record):
    """Velocity along one axis (VelocityComponent).

    Attributes
    ----------
    value_mps
        In steps of 0.01 m/s.
    accuracy_mps
        95 %, 0.01 to 1.25 m/s.
    """

    value_mps: Annotated[Quantity, Scaled(-16_383, 16_383, (1, 100), codes={16_383: UNAVAILABLE})]
    accuracy_mps: SpeedAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Angle(Record):
    """An angle counter-clockwise from east (CartesianAngle).

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
class PolarVelocity(Record):
    """Speed and direction (VelocityPolarWithZ).

    Attributes
    ----------
    speed, direction, up
        Over ground, and upwards.
    """

    speed: Speed
    direction: Angle
    up: VelocityComponent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CartesianVelocity(Record):
    """Velocity by its components (VelocityCartesian).

    Attributes
    ----------
    east, north, up
        The components.
    """

    east: VelocityComponent
    north: VelocityComponent
    up: VelocityComponent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccelerationComponent(Record):
    """Acceleration along one axis (AccelerationComponent).

    Attributes
    ----------
    value_mps2
        In steps of 0.1 m/s².
    accuracy_mps2
        95 %, 0 to 10 m/s².
    """

    value_mps2: AccelerationValue
    accuracy_mps2: AccelerationAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class CartesianAcceleration(Record):
    """Acceleration by its components (AccelerationCartesian).

    Attributes
    ----------
    east, north, up
        The components.
    """

    east: AccelerationComponent
    north: AccelerationComponent
    up: AccelerationComponent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccelerationMagnitude(Record):
    """Size of an acceleration (AccelerationMagnitude).

    Attributes
    ----------
    value_mps2
        In steps of 0.1 m/s², 0 to 15.9.
    accuracy_mps2
        95 %, 0 to 10 m/s².
    """

    value_mps2: Annotated[Quantity, Scaled(0, 161, (1, 10), codes={161: UNAVAILABLE})]
    accuracy_mps2: AccelerationAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class PolarAcceleration(Record):
    """Acceleration by size and direction (AccelerationPolarWithZ).

    Attributes
    ----------
    magnitude, direction, up
        Over ground, and upwards.
    """

    magnitude: AccelerationMagnitude
    direction: Angle
    up: AccelerationComponent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation(Record):
    """Which way an object points (EulerAnglesWithConfidence).

    Attributes
    ----------
    yaw, pitch, roll
        About the vertical, lateral and longitudinal axis.
    """

    yaw: Angle
    pitch: Angle | None = None
    roll: Angle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AngularVelocity(Record):
    """Rotation about the vertical axis (CartesianAngularVelocityComponent).

    Attributes
    ----------
    value_degps
        In steps of 1 degree/s, counter-clockwise positive.
    accuracy
        One of the accuracies that the standard lists.
    """

    value_degps: Annotated[Quantity, Scaled(-255, 256, (1, 1), codes={256: UNAVAILABLE})]
    accuracy: Annotated[AngularSpeedAccuracy, Enumerated(AngularSpeedAccuracy)] = (
        AngularSpeedAccuracy.UNAVAILABLE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension(Record):
    """One dimension of an object (ObjectDimension).

    Attributes
    ----------
    value_m
        In steps of 0.1 m, 0.1 to 25.5 m.
    accuracy_m
        95 %, 0.1 to 3 m.
    """

    value_m: Annotated[Quantity, Scaled(1, 256, (1, 10), codes={256: UNAVAILABLE})]
    accuracy_m: Annotated[Quantity, Scaled(1, 32, (1, 10), codes={31: BEYOND, 32: UNAVAILABLE})] = (
        UNAVAILABLE
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleKind(Record):
    """An object that is a vehicle.

    Attributes
    ----------
    station_type
        :class:`~v2x.messages.etsi.elements.StationType` as a number.
    """

    station_type: StationTypeCode


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherKind(Record):
    """An object that is neither vehicle nor road user (OtherSubClass).

    Attributes
    ----------
    sub_class
        0 unknown, 1 single object, 2 several, 3 bulk material.
    """

    sub_class: Annotated[int, Integer(0, 255)]


_OBJECT_KIND = Choice(
    {
        "vehicle": layout(VehicleKind),
        "vru": layout(VruKind),
        "group": layout(VruCluster),
        "other": layout(OtherKind),
    },
    (VehicleKind, VruKind, VruCluster, OtherKind),
    extensible=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification(Record):
    """What an object may be (ObjectClassWithConfidence).

    Attributes
    ----------
    kind
        Vehicle, vulnerable road user, group of them, or something else.
    confidence_percent
        1 to 100.
    """

    kind: Annotated[VehicleKind | VruKind | VruCluster | OtherKind, _OBJECT_KIND]
    confidence_percent: Annotated[Quantity, Scaled(1, 101, (1, 1), codes={101: UNAVAILABLE})] = (
        UNAVAILABLE
    )


_VELOCITY = Choice(
    {"polar": layout(PolarVelocity), "cartesian": layout(CartesianVelocity)},
    (PolarVelocity, CartesianVelocity),
    extensible=False,
)
_ACCELERATION = Choice(
    {"polar": layout(PolarAcceleration), "cartesian": layout(CartesianAcceleration)},
    (PolarAcceleration, CartesianAcceleration),
    extensible=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceivedObject(Record):
    """Something that was seen (PerceivedObject).

    Attributes
    ----------
    object_id
        Its number as long as it is followed.
    measured_ms
        When, relative to the reference time [ms].
    position, velocity, acceleration, orientation, angular_velocity
        Where it is and how it moves.
    correlation, map_position
        Not modelled.
    height, width, length
        Its dimensions.
    age_ms
        How long it has been followed [ms].
    quality
        Perception quality, 0 to 15.
    sensors
        Numbers of the sensors that see it.
    classification
        What it may be.
    """

    EXTENSIBLE: ClassVar[bool] = True
    object_id: Annotated[int, Integer(0, 65_535)] | None = None
    measured_ms: Annotated[int, Integer(-2048, 2047)]
    position: ObjectPosition
    velocity: Annotated[PolarVelocity | CartesianVelocity, _VELOCITY] | None = None
    acceleration: Annotated[PolarAcceleration | CartesianAcceleration, _ACCELERATION] | None = None
    orientation: Orientation | None = None
    angular_velocity: AngularVelocity | None = None
    correlation: Annotated[None, NotModelled()] | None = None
    height: Dimension | None = None
    width: Dimension | None = None
    length: Dimension | None = None
    age_ms: Annotated[int, Integer(0, 2047)] | None = None
    quality: Annotated[int, Integer(0, 15)] | None = None
    sensors: Annotated[tuple[int, ...], Extensible(ListOf(Integer(0, 255), 1, 128))] | None = None
    classification: (
        Annotated[tuple[Classification, ...], Extensible(ListOf(Classification, 1, 8))] | None
    ) = None
    map_position: Annotated[None, NotModelled()] | None = None
