"""Basic safety message: what a vehicle says of itself (T/CSAE 53-2020, Msg_BSM)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Enumerated, Flags
from v2x.messages.coding.wire import (
    STRAIGHT,
    UNAVAILABLE,
    Integer,
    Quantity,
    Scaled,
)
from v2x.messages.csae.elements import (
    Acceleration4Way,
    BodySize,
    CoarseHeading,
    Confidence,
    Gear,
    Heading,
    Identity,
    MessageCount,
    MillisecondInMinute,
    MotionConfidence,
    Position3D,
    PositionalAccuracy,
    PositionConfidence,
    Speed,
    SteeringAngle,
    TimeAccuracy,
    VehicleClassification,
)
from v2x.messages.csae.offsets import PositionOffset


class VehicleEvent(IntFlag):
    """VehicleEventFlags; bit 6 is reserved."""

    HAZARD_LIGHTS = 1 << 0
    STOP_LINE_VIOLATION = 1 << 1
    ABS_ACTIVATED = 1 << 2
    TRACTION_CONTROL_LOSS = 1 << 3
    STABILITY_CONTROL_ACTIVATED = 1 << 4
    HAZARDOUS_MATERIALS = 1 << 5
    HARD_BRAKING = 1 << 7
    LIGHTS_CHANGED = 1 << 8
    WIPERS_CHANGED = 1 << 9
    FLAT_TIRE = 1 << 10
    DISABLED_VEHICLE = 1 << 11
    AIR_BAG_DEPLOYMENT = 1 << 12


class ExteriorLight(IntFlag):
    """ExteriorLights that are on."""

    LOW_BEAM = 1 << 0
    HIGH_BEAM = 1 << 1
    LEFT_TURN_SIGNAL = 1 << 2
    RIGHT_TURN_SIGNAL = 1 << 3
    HAZARD_SIGNAL = 1 << 4
    AUTOMATIC_LIGHT_CONTROL = 1 << 5
    DAYTIME_RUNNING = 1 << 6
    FOG = 1 << 7
    PARKING = 1 << 8


class WheelBrake(IntFlag):
    """BrakeAppliedStatus: wheels whose brake is applied."""

    UNAVAILABLE = 1 << 0
    LEFT_FRONT = 1 << 1
    LEFT_REAR = 1 << 2
    RIGHT_FRONT = 1 << 3
    RIGHT_REAR = 1 << 4


class GnssStatus(IntFlag):
    """GNSSstatus of a receiver."""

    UNAVAILABLE = 1 << 0
    HEALTHY = 1 << 1
    MONITORED = 1 << 2
    BASE_STATION = 1 << 3
    PDOP_UNDER_5 = 1 << 4
    IN_VIEW_UNDER_5 = 1 << 5
    LOCAL_CORRECTIONS = 1 << 6
    NETWORK_CORRECTIONS = 1 << 7


class Switch(IntEnum):
    """Whether something is pressed or applied."""

    UNAVAILABLE = 0
    OFF = 1
    ON = 2


class Control(IntEnum):
    """State of a control that may be on without acting."""

    UNAVAILABLE = 0
    OFF = 1
    ON = 2
    ENGAGED = 3


class AuxiliaryBrake(IntEnum):
    """AuxiliaryBrakeStatus, mostly the parking brake."""

    UNAVAILABLE = 0
    OFF = 1
    ON = 2
    RESERVED = 3


class ResponseType(IntEnum):
    """What an emergency or service vehicle is doing."""

    NOT_IN_USE = 0
    EMERGENCY = 1
    NON_EMERGENCY = 2
    PURSUIT = 3
    STATIONARY = 4
    SLOW_MOVING = 5
    STOP_AND_GO = 6


class Siren(IntEnum):
    """SirenInUse."""

    UNAVAILABLE = 0
    NOT_IN_USE = 1
    IN_USE = 2
    RESERVED = 3


class LightBar(IntEnum):
    """LightbarInUse."""

    UNAVAILABLE = 0
    NOT_IN_USE = 1
    IN_USE = 2
    YELLOW_CAUTION = 3
    SCHOOL_BUS = 4
    ARROW_SIGNS = 5
    SLOW_MOVING = 6
    FREQUENT_STOPS = 7


ControlState = Annotated[Control, Enumerated(Control)]
SwitchState = Annotated[Switch, Enumerated(Switch)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeStatus(Record):
    """State of the brakes (DF_BrakeSystemStatus).

    Attributes
    ----------
    pedal
        Whether the pedal is pressed (``brakePadel``).
    wheels
        Wheels whose brake is applied.
    traction, abs, stability
        State of traction control, anti-lock brakes and stability control (``scs``).
    boost
        Whether the brake booster acts.
    auxiliary
        State of the parking brake.
    """

    pedal: SwitchState | None = None
    wheels: Annotated[WheelBrake, Flags(WheelBrake, 5)] | None = None
    traction: ControlState | None = None
    abs: ControlState | None = None
    stability: ControlState | None = None
    boost: SwitchState | None = None
    auxiliary: Annotated[AuxiliaryBrake, Enumerated(AuxiliaryBrake)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UtcTime(Record):
    """A moment (DF_DDateTime).

    Attributes
    ----------
    year, month, day, hour, minute
        Parts of the moment as far as they are known; 0, 0, 0, 24 and 60 mean that they are not.
    second_ms
        Milliseconds within the minute.
    zone_min
        Minutes ahead of UTC; 721 means that it is not known.
    """

    year: Annotated[int, Integer(0, 4095)] | None = None
    month: Annotated[int, Integer(0, 12)] | None = None
    day: Annotated[int, Integer(0, 31)] | None = None
    hour: Annotated[int, Integer(0, 24)] | None = None
    minute: Annotated[int, Integer(0, 60)] | None = None
    second_ms: MillisecondInMinute | None = None
    zone_min: Annotated[int, Integer(-720, 721)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FullPosition(Record):
    """Complete state at a moment (DF_FullPositionVector).

    Attributes
    ----------
    time
        The moment.
    position, heading_deg, transmission, speed_mps
        State at that moment.
    position_accuracy, position_confidence, time_accuracy_s, motion_confidence
        How well it is known.
    """

    EXTENSIBLE: ClassVar[bool] = True
    time: UtcTime | None = None
    position: Position3D
    heading_deg: Heading | None = None
    transmission: Gear | None = None
    speed_mps: Speed | None = None
    position_accuracy: PositionalAccuracy | None = None
    position_confidence: PositionConfidence | None = None
    time_accuracy_s: TimeAccuracy | None = None
    motion_confidence: MotionConfidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPoint(Record):
    """A place where the vehicle has been (DF_PathHistoryPoint).

    Attributes
    ----------
    offset
        Relative to the position of the message, or of the history if that has one.
    age_s
        How long ago, in steps of 0.01 s; 655.34 means that or more.
    speed_mps, heading_deg
        Motion there; the heading in steps of 1.5 degree.
    confidence
        How well the place is known.
    """

    EXTENSIBLE: ClassVar[bool] = True
    offset: PositionOffset
    age_s: Annotated[Quantity, Scaled(1, 65_535, (1, 100), codes={65_535: UNAVAILABLE})]
    speed_mps: Speed | None = None
    confidence: PositionConfidence | None = None
    heading_deg: CoarseHeading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathHistory(Record):
    """Where the vehicle came from (DF_PathHistory).

    Attributes
    ----------
    initial_position
        What the offsets count from, if not from the position of the message.
    gnss_status
        State of the satellite receiver.
    points
        1 to 23 places, the newest first.
    """

    EXTENSIBLE: ClassVar[bool] = True
    initial_position: FullPosition | None = None
    gnss_status: Annotated[GnssStatus, Flags(GnssStatus, 8)] | None = None
    points: Annotated[tuple[PathPoint, ...], ListOf(PathPoint, 1, 23)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPrediction(Record):
    """Where the vehicle is going to (DF_PathPrediction).

    Attributes
    ----------
    radius_m
        Radius of the curve, to the right positive, in steps of 0.1 m; or straight.
    confidence
        0 to 1.
    """

    EXTENSIBLE: ClassVar[bool] = True
    radius_m: Annotated[Quantity, Scaled(-32_767, 32_767, (1, 10), codes={32_767: STRAIGHT})]
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyExtension(Record):
    """What matters in some messages only (DF_VehicleSafetyExtensions).

    Attributes
    ----------
    events
        Events that are going on.
    path_history, path_prediction
        Where the vehicle came from and is going to.
    lights
        Lights that are on.
    """

    EXTENSIBLE: ClassVar[bool] = True
    events: Annotated[VehicleEvent, Flags(VehicleEvent, 13, extensible=True)] | None = None
    path_history: PathHistory | None = None
    path_prediction: PathPrediction | None = None
    lights: Annotated[ExteriorLight, Flags(ExteriorLight, 9, extensible=True)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyExtension(Record):
    """What an emergency or service vehicle is doing (DF_VehicleEmergencyExtensions).

    Attributes
    ----------
    response
        Kind of its mission; kinds of later versions are read as "not in use".
    siren, light_bar
        Signals it gives.
    """

    EXTENSIBLE: ClassVar[bool] = True
    response: (
        Annotated[ResponseType, Enumerated(ResponseType, later=ResponseType.NOT_IN_USE)] | None
    ) = None
    siren: Annotated[Siren, Enumerated(Siren)] | None = None
    light_bar: Annotated[LightBar, Enumerated(LightBar)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicSafetyMessage(Record):
    """State of a vehicle, every 100 ms and at events.

    Attributes
    ----------
    count
        Running number of the sender's BSM, 0 to 127.
    sender_id
        Temporary identity of the sender.
    second_ms
        Millisecond within the minute (``secMark``).
    time_accuracy_s, position_accuracy, position_confidence, motion_confidence
        How well time, position and motion are known.
    position
        Of the centre of the vehicle.
    transmission
        The gear.
    speed_mps
        In steps of 0.02 m/s.
    heading_deg
        In steps of 0.0125 degree.
    steering_angle_deg
        Of the steering wheel, right positive, in steps of 1.5 degree.
    acceleration, brakes, size, vehicle_class
        Motion, brakes and kind of the vehicle.
    safety, emergency
        What matters in some messages only.
    """

    EXTENSIBLE: ClassVar[bool] = True
    count: MessageCount
    sender_id: Identity
    second_ms: MillisecondInMinute
    time_accuracy_s: TimeAccuracy | None = None
    position: Position3D
    position_accuracy: PositionalAccuracy | None = None
    position_confidence: PositionConfidence | None = None
    transmission: Gear
    speed_mps: Speed
    heading_deg: Heading
    steering_angle_deg: SteeringAngle | None = None
    motion_confidence: MotionConfidence | None = None
    acceleration: Acceleration4Way
    brakes: BrakeStatus
    size: BodySize
    vehicle_class: VehicleClassification
    safety: SafetyExtension | None = None
    emergency: EmergencyExtension | None = None
