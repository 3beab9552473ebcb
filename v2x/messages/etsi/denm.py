"""Decentralized environmental notification message: an event (EN 302 637-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Annotated, ClassVar

from v2x.messages.coding.structure import ListOf, Record
from v2x.messages.coding.symbols import Enumerated, Flags
from v2x.messages.coding.wire import Integer, Scaled
from v2x.messages.etsi.elements import (
    CauseCode,
    DeltaPosition,
    DeltaTime,
    Heading,
    ItsPduHeader,
    LanePosition,
    PathHistory,
    ReferencePosition,
    Speed,
    StationId,
    StationTypeCode,
    Timestamp,
)
from v2x.messages.etsi.wire import NotModelled

#: What is meant where a DENM names no validity [s].
DEFAULT_VALIDITY_S = 600
#: PathHistory as a list element of Traces: its own wire type.
_PATH_HISTORY = PathHistory.__metadata__[0]  # type: ignore[attr-defined]


class Cause(IntEnum):
    """CauseCodeType of the data dictionary (applications.md 2.2)."""

    TRAFFIC_CONDITION = 1
    ACCIDENT = 2
    ROAD_WORKS = 3
    IMPASSABILITY = 5
    ADHESION = 6
    AQUAPLANING = 7
    SURFACE_CONDITION = 9
    OBSTACLE = 10
    ANIMAL_ON_ROAD = 11
    HUMAN_ON_ROAD = 12
    WRONG_WAY_DRIVING = 14
    RESCUE_WORK = 15
    EXTREME_WEATHER = 17
    VISIBILITY = 18
    PRECIPITATION = 19
    SLOW_VEHICLE = 26
    DANGEROUS_END_OF_QUEUE = 27
    VEHICLE_BREAKDOWN = 91
    POST_CRASH = 92
    HUMAN_PROBLEM = 93
    STATIONARY_VEHICLE = 94
    EMERGENCY_VEHICLE_APPROACHING = 95
    DANGEROUS_CURVE = 96
    COLLISION_RISK = 97
    SIGNAL_VIOLATION = 98
    DANGEROUS_SITUATION = 99
    RAILWAY_CROSSING = 100


class Termination(IntEnum):
    """Why an event is over: its originator says so, or another station."""

    CANCELLATION = 0
    NEGATION = 1


class RelevanceDistance(IntEnum):
    """RelevanceDistance: the event matters nearer than this."""

    UNDER_50_M = 0
    UNDER_100_M = 1
    UNDER_200_M = 2
    UNDER_500_M = 3
    UNDER_1_KM = 4
    UNDER_5_KM = 5
    UNDER_10_KM = 6
    OVER_10_KM = 7


class RelevanceDirection(IntEnum):
    """RelevanceTrafficDirection: whom the event concerns."""

    ALL = 0
    UPSTREAM = 1
    DOWNSTREAM = 2
    OPPOSITE = 3


class RoadType(IntEnum):
    """RoadType; separated: a structure between the directions."""

    URBAN = 0
    URBAN_SEPARATED = 1
    RURAL = 2
    RURAL_SEPARATED = 3


class StationarySince(IntEnum):
    """StationarySince."""

    UNDER_1_MIN = 0
    UNDER_2_MIN = 1
    UNDER_15_MIN = 2
    OVER_15_MIN = 3


class Positioning(IntEnum):
    """PositioningSolutionType: satellites, differential ones, dead reckoning."""

    NONE = 0
    SATELLITES = 1
    DIFFERENTIAL = 2
    SATELLITES_AND_RECKONING = 3
    DIFFERENTIAL_AND_RECKONING = 4
    RECKONING = 5


class EnergyStorage(IntFlag):
    """EnergyStorageType."""

    HYDROGEN = 1 << 0
    ELECTRIC = 1 << 1
    LIQUID_PROPANE = 1 << 2
    COMPRESSED_GAS = 1 << 3
    DIESEL = 1 << 4
    GASOLINE = 1 << 5
    AMMONIA = 1 << 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionId(Record):
    """Name of an event (ActionID).

    Attributes
    ----------
    originator_id
        Station that told of it first.
    sequence
        Its number there, 0 to 65535.
    """

    originator_id: StationId
    sequence: Annotated[int, Integer(0, 65_535)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Management(Record):
    """Name, time and place of an event (ManagementContainer).

    Attributes
    ----------
    action
        Name of the event.
    detection_ms, reference_ms
        When it was detected, and when this version of it was made.
    termination
        Given if it is over.
    position
        Where it is.
    relevance_distance, relevance_direction
        Whom it concerns.
    validity_s
        How long after its detection it holds [s]; None for 600.
    transmission_interval_ms
        How often its originator repeats it [ms]; keep-alive forwarding needs it.
    station_type
        Of the originator.
    """

    EXTENSIBLE: ClassVar[bool] = True
    action: ActionId
    detection_ms: Timestamp
    reference_ms: Timestamp
    termination: Annotated[Termination, Enumerated(Termination)] | None = None
    position: ReferencePosition
    relevance_distance: Annotated[RelevanceDistance, Enumerated(RelevanceDistance)] | None = None
    relevance_direction: Annotated[RelevanceDirection, Enumerated(RelevanceDirection)] | None = None
    validity_s: Annotated[int, Integer(0, 86_400)] | None = None
    transmission_interval_ms: Annotated[int, Integer(1, 10_000)] | None = None
    station_type: StationTypeCode


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPoint(Record):
    """A place where an event was seen before (EventPoint).

    Attributes
    ----------
    position
        Relative to the event.
    delta_time_s
        How much earlier.
    quality
        InformationQuality, 0 to 7.
    """

    position: DeltaPosition
    delta_time_s: DeltaTime | None = None
    quality: Annotated[int, Integer(0, 7)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation(Record):
    """What the event is (SituationContainer).

    Attributes
    ----------
    quality
        InformationQuality, 0 (lowest) to 7.
    cause, linked_cause
        What happened, and what that led to.
    history
        Where it was seen before.
    """

    EXTENSIBLE: ClassVar[bool] = True
    quality: Annotated[int, Integer(0, 7)] = 0
    cause: CauseCode
    linked_cause: CauseCode | None = None
    history: Annotated[tuple[EventPoint, ...], ListOf(EventPoint, 1, 23)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Record):
    """Which way leads to the event (LocationContainer).

    Attributes
    ----------
    speed, heading
        Motion of the event.
    traces
        1 to 7 paths towards it.
    road_type
        Kind of the road.
    """

    EXTENSIBLE: ClassVar[bool] = True
    speed: Speed | None = None
    heading: Heading | None = None
    traces: Annotated[tuple[PathHistory, ...], ListOf(_PATH_HISTORY, 1, 7)]
    road_type: Annotated[RoadType, Enumerated(RoadType)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationaryVehicle(Record):
    """Of a vehicle that stands where it should not (StationaryVehicleContainer).

    Attributes
    ----------
    since
        For how long.
    cause
        Why.
    dangerous_goods, vehicle_identity
        Not modelled.
    n_occupants
        People aboard, 127 if it is not known.
    energy_storage
        What it carries to move on.
    """

    since: Annotated[StationarySince, Enumerated(StationarySince)] | None = None
    cause: CauseCode | None = None
    dangerous_goods: Annotated[None, NotModelled()] | None = None
    n_occupants: Annotated[int, Integer(0, 127)] | None = None
    vehicle_identity: Annotated[None, NotModelled()] | None = None
    energy_storage: Annotated[EnergyStorage, Flags(EnergyStorage, 7)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alacarte(Record):
    """What only some events have (AlacarteContainer).

    Attributes
    ----------
    lane
        Lane of the event.
    impact_reduction, road_works
        Not modelled.
    temperature_degc
        Of the air; -60 and 67 mean that or beyond.
    positioning
        How the place was found.
    stationary_vehicle
        The vehicle that stands.
    """

    EXTENSIBLE: ClassVar[bool] = True
    lane: LanePosition | None = None
    impact_reduction: Annotated[None, NotModelled()] | None = None
    temperature_degc: Annotated[float, Scaled(-60, 67, (1, 1))] | None = None
    road_works: Annotated[None, NotModelled()] | None = None
    positioning: Annotated[Positioning, Enumerated(Positioning, later=Positioning.NONE)] | None = (
        None
    )
    stationary_vehicle: StationaryVehicle | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification(Record):
    """The containers of a DENM.

    Attributes
    ----------
    management
        Name, time and place.
    situation, location, alacarte
        What the event is, which way leads there, and the rest; none of them where it is over.
    """

    management: Management
    situation: Situation | None = None
    location: Location | None = None
    alacarte: Alacarte | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentalNotification(Record):
    """An event, its update or its end (DENM).

    Attributes
    ----------
    header
        Message 1 and the pseudonym of the sender, which may be another than the originator.
    notification
        The containers.
    """

    header: ItsPduHeader
    notification: Notification
