"""ETSI messages with the contents whose sizes applications.md 2.1 to 2.4 gives."""

from __future__ import annotations

from typing import Any

from v2x.messages.etsi.cam import (
    BasicContainer,
    CamParameters,
    CooperativeAwareness,
    VehicleHighFrequency,
    VehicleLength,
    VehicleLowFrequency,
)
from v2x.messages.etsi.cpm import (
    CollectivePerception,
    Container,
    CpmManagement,
    CpmPayload,
    Objects,
    OriginatingVehicle,
)
from v2x.messages.etsi.cpm_objects import (
    Angle,
    CartesianVelocity,
    Classification,
    Coordinate,
    ObjectPosition,
    Orientation,
    PerceivedObject,
    VehicleKind,
    VelocityComponent,
)
from v2x.messages.etsi.denm import (
    ActionId,
    Alacarte,
    Cause,
    EnvironmentalNotification,
    Location,
    Management,
    Notification,
    RelevanceDirection,
    RelevanceDistance,
    RoadType,
    Situation,
    StationarySince,
    StationaryVehicle,
)
from v2x.messages.etsi.elements import (
    Acceleration,
    CauseCode,
    DeltaPosition,
    Heading,
    ItsPduHeader,
    MessageId,
    PathPoint,
    ReferencePosition,
    Speed,
    StationType,
)
from v2x.messages.etsi.special_vehicles import SpecialVehicle
from v2x.messages.etsi.vam import VamParameters, VruAwareness, VruHighFrequency

PLACE = ReferencePosition(latitude_deg=29.563, longitude_deg=106.55)
POINT = PathPoint(
    position=DeltaPosition(latitude_deg=0.0001, longitude_deg=-0.0001, altitude_m=1.0),
    delta_time_s=0.5,
)


def header(kind: MessageId) -> ItsPduHeader:
    return ItsPduHeader(message_id=kind, station_id=4711)


def cam(n_points: int | None = None, special: SpecialVehicle | None = None) -> CooperativeAwareness:
    """Return a CAM; with a path of `n_points`, or without the low-frequency container."""
    low = None if n_points is None else VehicleLowFrequency(path_history=(POINT,) * n_points)
    return CooperativeAwareness(
        header=header(MessageId.CAM),
        generation_time_ms=1000,
        parameters=CamParameters(
            basic=BasicContainer(station_type=StationType.CAR, position=PLACE),
            high_frequency=VehicleHighFrequency(
                heading=Heading(value_deg=90.0),
                speed=Speed(value_mps=20.0),
                length=VehicleLength(value_m=4.5),
                width_m=1.8,
                longitudinal_acceleration=Acceleration(value_mps2=0.5),
            ),
            low_frequency=low,
            special=special,
        ),
    )


MANAGEMENT = Management(
    action=ActionId(originator_id=4711, sequence=1),
    detection_ms=700_000_000_000,
    reference_ms=700_000_000_000,
    position=PLACE,
    relevance_distance=RelevanceDistance.UNDER_1_KM,
    relevance_direction=RelevanceDirection.UPSTREAM,
    validity_s=60,
    transmission_interval_ms=1000,
    station_type=StationType.CAR,
)
SITUATION = Situation(cause=CauseCode(cause=Cause.STATIONARY_VEHICLE, sub_cause=2))
ALACARTE = Alacarte(
    lane=1,
    temperature_degc=20,
    stationary_vehicle=StationaryVehicle(since=StationarySince.UNDER_1_MIN),
)


def location(n_points: int) -> Location:
    return Location(
        speed=Speed(value_mps=0.0),
        heading=Heading(value_deg=90.0),
        traces=((POINT,) * n_points,),
        road_type=RoadType.RURAL_SEPARATED,
    )


def denm(**containers: Any) -> EnvironmentalNotification:
    return EnvironmentalNotification(
        header=header(MessageId.DENM),
        notification=Notification(**{"management": MANAGEMENT, **containers}),
    )


def perceived(object_id: int = 1) -> PerceivedObject:
    """Return an object of which only the place is told."""
    return PerceivedObject(
        object_id=object_id,
        measured_ms=-20,
        position=ObjectPosition(east=Coordinate(value_m=30.0), north=Coordinate(value_m=-3.0)),
    )


def full_object(object_id: int = 1) -> PerceivedObject:
    """Return an object with height, velocity, orientation, age, quality and class."""
    component = VelocityComponent(value_mps=10.0)
    return PerceivedObject(
        object_id=object_id,
        measured_ms=-20,
        position=ObjectPosition(
            east=Coordinate(value_m=30.0),
            north=Coordinate(value_m=-3.0),
            up=Coordinate(value_m=0.5),
        ),
        velocity=CartesianVelocity(east=component, north=component),
        orientation=Orientation(yaw=Angle(value_deg=90.0)),
        age_ms=1500,
        quality=7,
        classification=(
            Classification(kind=VehicleKind(station_type=StationType.CAR), confidence_percent=90),
        ),
    )


def cpm(objects: tuple[PerceivedObject, ...] = (), *more: Container) -> CollectivePerception:
    containers: list[Container] = [OriginatingVehicle(heading=Heading(value_deg=90.0)), *more]
    if objects:
        containers.append(Objects(n_perceived=len(objects), objects=objects))
    return CollectivePerception(
        header=header(MessageId.CPM),
        payload=CpmPayload(
            management=CpmManagement(reference_ms=700_000_000_000, position=PLACE),
            containers=tuple(containers),
        ),
    )


def vam(**containers: Any) -> VruAwareness:
    return VruAwareness(
        header=header(MessageId.VAM),
        generation_time_ms=1000,
        parameters=VamParameters(
            basic=BasicContainer(station_type=StationType.PEDESTRIAN, position=PLACE),
            high_frequency=VruHighFrequency(
                heading=Heading(value_deg=90.0),
                speed=Speed(value_mps=1.4),
                longitudinal_acceleration=Acceleration(value_mps2=0.0),
            ),
            **containers,
        ),
    )
