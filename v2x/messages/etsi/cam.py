"""Cooperative awareness message: what a vehicle or an RSU says of itself (EN 302 637-2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import Choice, Record, layout
from v2x.messages.coding.symbols import Enumerated, Flags
from v2x.messages.coding.wire import BEYOND, UNAVAILABLE, Integer, Quantity, Scaled, Steps
from v2x.messages.etsi.elements import (
    Acceleration,
    GenerationTime,
    Heading,
    ItsPduHeader,
    LanePosition,
    PathHistory,
    ReferencePosition,
    Speed,
    StationTypeCode,
)
from v2x.messages.etsi.special_vehicles import SPECIAL_VEHICLE, SpecialVehicle
from v2x.messages.etsi.wire import NotModelled


class DriveDirection(IntEnum):
    """DriveDirection."""

    FORWARD = 0
    BACKWARD = 1
    UNAVAILABLE = 2


class TrailerPresence(IntEnum):
    """VehicleLengthConfidenceIndication."""

    NO_TRAILER = 0
    KNOWN_LENGTH = 1
    UNKNOWN_LENGTH = 2
    UNKNOWN = 3
    UNAVAILABLE = 4


class CurvatureMode(IntEnum):
    """CurvatureCalculationMode."""

    YAW_RATE_USED = 0
    YAW_RATE_NOT_USED = 1
    UNAVAILABLE = 2


class VehicleRole(IntEnum):
    """VehicleRole."""

    DEFAULT = 0
    PUBLIC_TRANSPORT = 1
    SPECIAL_TRANSPORT = 2
    DANGEROUS_GOODS = 3
    ROAD_WORK = 4
    RESCUE = 5
    EMERGENCY = 6
    SAFETY_CAR = 7
    AGRICULTURE = 8
    COMMERCIAL = 9
    MILITARY = 10
    ROAD_OPERATOR = 11
    TAXI = 12
    RESERVED_1 = 13
    RESERVED_2 = 14
    RESERVED_3 = 15


class ExteriorLights(IntFlag):
    """ExteriorLights that are on."""

    LOW_BEAM = 1 << 0
    HIGH_BEAM = 1 << 1
    LEFT_TURN_SIGNAL = 1 << 2
    RIGHT_TURN_SIGNAL = 1 << 3
    DAYTIME_RUNNING = 1 << 4
    REVERSE = 1 << 5
    FOG = 1 << 6
    PARKING = 1 << 7


LIGHTS_OFF = ExteriorLights(0)


class AccelerationControl(IntFlag):
    """AccelerationControl: what is engaged."""

    BRAKE_PEDAL = 1 << 0
    GAS_PEDAL = 1 << 1
    EMERGENCY_BRAKE = 1 << 2
    COLLISION_WARNING = 1 << 3
    ADAPTIVE_CRUISE = 1 << 4
    CRUISE_CONTROL = 1 << 5
    SPEED_LIMITER = 1 << 6


_CURVATURE_ACCURACY = (0.00002, 0.0001, 0.0005, 0.002, 0.01, 0.1, BEYOND, UNAVAILABLE)
_YAW_RATE_ACCURACY = (0.01, 0.05, 0.1, 1.0, 5.0, 10.0, 100.0, BEYOND, UNAVAILABLE)
CurvatureValue = Annotated[Quantity, Scaled(-1023, 1023, (1, 10_000), codes={1023: UNAVAILABLE})]
CurvatureAccuracy = Annotated[Quantity, Steps(_CURVATURE_ACCURACY)]
CurvatureModeCode = Annotated[
    CurvatureMode, Enumerated(CurvatureMode, later=CurvatureMode.UNAVAILABLE)
]
YawRateValue = Annotated[Quantity, Scaled(-32_766, 32_767, (1, 100), codes={32_767: UNAVAILABLE})]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicContainer(Record):
    """Who and where (BasicContainer).

    Attributes
    ----------
    station_type
        :class:`~v2x.messages.etsi.elements.StationType` as a number.
    position
        Of the middle of the front bumper.
    """

    EXTENSIBLE: ClassVar[bool] = True
    station_type: StationTypeCode
    position: ReferencePosition


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleLength(Record):
    """Length of a vehicle with its trailer (VehicleLength).

    Attributes
    ----------
    value_m
        In steps of 0.1 m, up to 102.1 m.
    trailer
        Whether there is a trailer.
    """

    value_m: Annotated[Quantity, Scaled(1, 1023, (1, 10), codes={1022: BEYOND, 1023: UNAVAILABLE})]
    trailer: Annotated[TrailerPresence, Enumerated(TrailerPresence)] = TrailerPresence.UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Curvature(Record):
    """Curvature of the path (Curvature).

    Attributes
    ----------
    value_per_m
        In steps of 1e-4 1/m, to the left positive.
    accuracy_per_m
        One of the accuracies that the standard lists.
    """

    value_per_m: CurvatureValue = UNAVAILABLE
    accuracy_per_m: CurvatureAccuracy = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class YawRate(Record):
    """Rotation about the vertical axis (YawRate).

    Attributes
    ----------
    value_degps
        In steps of 0.01 degree/s, to the left positive.
    accuracy_degps
        One of the accuracies that the standard lists.
    """

    value_degps: YawRateValue = UNAVAILABLE
    accuracy_degps: Annotated[Quantity, Steps(_YAW_RATE_ACCURACY)] = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringWheelAngle(Record):
    """Angle of the steering wheel (SteeringWheelAngle).

    Attributes
    ----------
    value_deg
        To the left positive, in steps of 1.5 degree.
    accuracy_deg
        95 %, 1.5 to 187.5 degree.
    """

    value_deg: Annotated[Quantity, Scaled(-511, 512, (3, 2), codes={512: UNAVAILABLE})]
    accuracy_deg: Annotated[
        Quantity, Scaled(1, 127, (3, 2), codes={126: BEYOND, 127: UNAVAILABLE})
    ] = UNAVAILABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleHighFrequency(Record):
    """What changes fast (BasicVehicleContainerHighFrequency).

    Attributes
    ----------
    heading, speed
        Motion over ground.
    drive_direction
        Forward or backward.
    length, width_m
        Size, the width in steps of 0.1 m.
    longitudinal_acceleration, lateral_acceleration, vertical_acceleration
        Forwards, to the left and upwards positive.
    curvature, curvature_mode, yaw_rate
        Of the path.
    acceleration_control, lane, steering_wheel, performance_class
        What few vehicles tell.
    tolling_zone
        Not modelled.
    """

    heading: Heading
    speed: Speed
    drive_direction: Annotated[DriveDirection, Enumerated(DriveDirection)] = DriveDirection.FORWARD
    length: VehicleLength
    width_m: Annotated[Quantity, Scaled(1, 62, (1, 10), codes={61: BEYOND, 62: UNAVAILABLE})]
    longitudinal_acceleration: Acceleration
    curvature: Curvature = Curvature()
    curvature_mode: CurvatureModeCode = CurvatureMode.UNAVAILABLE
    yaw_rate: YawRate = YawRate()
    acceleration_control: Annotated[AccelerationControl, Flags(AccelerationControl, 7)] | None = (
        None
    )
    lane: LanePosition | None = None
    steering_wheel: SteeringWheelAngle | None = None
    lateral_acceleration: Acceleration | None = None
    vertical_acceleration: Acceleration | None = None
    performance_class: Annotated[int, Integer(0, 7)] | None = None
    tolling_zone: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RsuHighFrequency(Record):
    """Of an RSU (RSUContainerHighFrequency).

    Attributes
    ----------
    protected_zones
        Not modelled.
    """

    EXTENSIBLE: ClassVar[bool] = True
    protected_zones: Annotated[None, NotModelled()] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleLowFrequency(Record):
    """What changes slowly (BasicVehicleContainerLowFrequency).

    Attributes
    ----------
    role
        What the vehicle is on the road for.
    lights
        Lights that are on.
    path_history
        At most 40 points, the newest first.
    """

    role: Annotated[VehicleRole, Enumerated(VehicleRole)] = VehicleRole.DEFAULT
    lights: Annotated[ExteriorLights, Flags(ExteriorLights, 8)] = LIGHTS_OFF
    path_history: PathHistory = ()


_HIGH_FREQUENCY = Choice(
    {"vehicle": layout(VehicleHighFrequency), "rsu": layout(RsuHighFrequency)},
    (VehicleHighFrequency, RsuHighFrequency),
    extensible=True,
)
_LOW_FREQUENCY = Choice(
    {"vehicle": layout(VehicleLowFrequency)}, (VehicleLowFrequency,), extensible=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CamParameters(Record):
    """The containers of a CAM (CamParameters).

    Attributes
    ----------
    basic
        Who and where; in every CAM.
    high_frequency
        Motion and size; in every CAM.
    low_frequency
        Role, lights and path; at most every 500 ms.
    special
        What the vehicle is on duty for; at most every 500 ms.
    """

    EXTENSIBLE: ClassVar[bool] = True
    basic: BasicContainer
    high_frequency: Annotated[VehicleHighFrequency | RsuHighFrequency, _HIGH_FREQUENCY]
    low_frequency: Annotated[VehicleLowFrequency, _LOW_FREQUENCY] | None = None
    special: Annotated[SpecialVehicle, SPECIAL_VEHICLE] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CooperativeAwareness(Record):
    """State of a vehicle or an RSU (CAM).

    Attributes
    ----------
    header
        Message 2 and the pseudonym of the sender.
    generation_time_ms
        When its position held, modulo 65536.
    parameters
        The containers.
    """

    header: ItsPduHeader
    generation_time_ms: GenerationTime
    parameters: CamParameters
