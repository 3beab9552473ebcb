"""Lengths of typical ETSI messages, for applications that send sizes and share no contents."""

from __future__ import annotations

from functools import cache

from v2x.messages.coding.wire import UNAVAILABLE
from v2x.messages.etsi.cam import (
    BasicContainer,
    CamParameters,
    CooperativeAwareness,
    RsuHighFrequency,
    VehicleHighFrequency,
    VehicleLength,
    VehicleLowFrequency,
)
from v2x.messages.etsi.elements import (
    Acceleration,
    DeltaPosition,
    Heading,
    ItsPduHeader,
    LightSiren,
    MessageId,
    PathPoint,
    ReferencePosition,
    Speed,
    StationType,
)
from v2x.messages.etsi.frame import size_bytes
from v2x.messages.etsi.road_users import Circle, VruCluster, VruKind, VruProfile, VruProfiles
from v2x.messages.etsi.special_vehicles import EmergencyVehicle
from v2x.messages.etsi.vam import (
    ClusterInformation,
    ClusterJoin,
    ClusterOperation,
    VamParameters,
    VruAwareness,
    VruHighFrequency,
    VruLowFrequency,
)

_PLACE = ReferencePosition(latitude_deg=UNAVAILABLE, longitude_deg=UNAVAILABLE)
_HEADING = Heading(value_deg=UNAVAILABLE)
_SPEED = Speed(value_mps=UNAVAILABLE)
_ACCELERATION = Acceleration(value_mps2=UNAVAILABLE)
_POINT = PathPoint(
    position=DeltaPosition(latitude_deg=UNAVAILABLE, longitude_deg=UNAVAILABLE), delta_time_s=0.01
)


def _header(kind: MessageId) -> ItsPduHeader:
    return ItsPduHeader(message_id=kind, station_id=0)


@cache
def cam_bytes(n_path_points: int | None = None, *, on_duty: bool = False) -> int:
    """Return the length of the CAM of a vehicle [byte].

    Parameters
    ----------
    n_path_points
        Points of the path history, 0 to 40; None without the low-frequency container.
    on_duty
        Whether it has the special vehicle container of an emergency vehicle.

    Examples
    --------
    >>> cam_bytes(), cam_bytes(0), cam_bytes(10), cam_bytes(10, on_duty=True)
    (41, 43, 129, 130)
    """
    low = None
    if n_path_points is not None:
        low = VehicleLowFrequency(path_history=(_POINT,) * n_path_points)
    high = VehicleHighFrequency(
        heading=_HEADING,
        speed=_SPEED,
        length=VehicleLength(value_m=UNAVAILABLE),
        width_m=UNAVAILABLE,
        longitudinal_acceleration=_ACCELERATION,
    )
    return _cam_bytes(
        CamParameters(
            basic=BasicContainer(station_type=StationType.CAR, position=_PLACE),
            high_frequency=high,
            low_frequency=low,
            special=EmergencyVehicle(signals=LightSiren.BOTH) if on_duty else None,
        )
    )


@cache
def roadside_cam_bytes() -> int:
    """Return the length of the CAM of an RSU [byte].

    Examples
    --------
    >>> roadside_cam_bytes()
    26
    """
    return _cam_bytes(
        CamParameters(
            basic=BasicContainer(station_type=StationType.ROADSIDE_UNIT, position=_PLACE),
            high_frequency=RsuHighFrequency(),
        )
    )


def _cam_bytes(parameters: CamParameters) -> int:
    return size_bytes(
        CooperativeAwareness(
            header=_header(MessageId.CAM), generation_time_ms=0, parameters=parameters
        )
    )


@cache
def vam_bytes(*, low_frequency: bool = False, leads: bool = False, tells: bool = False) -> int:
    """Return the length of a VAM [byte].

    Parameters
    ----------
    low_frequency
        Whether it has the low-frequency container, with profile and size class.
    leads
        Whether it tells of a cluster, with a circle around its members.
    tells
        Whether it tells that its sender joins or leaves one.

    Examples
    --------
    >>> vam_bytes(), vam_bytes(low_frequency=True), vam_bytes(leads=True), vam_bytes(tells=True)
    (34, 36, 39, 37)
    """
    low = VruLowFrequency(kind=VruKind(profile=VruProfile.PEDESTRIAN), size_class=0)
    cluster = VruCluster(
        cluster_id=0,
        bounding_box=Circle(radius_m=0.0),
        n_members=0,
        profiles=VruProfiles.PEDESTRIAN,
    )
    operation = ClusterOperation(join=ClusterJoin(cluster_id=0, in_s=3.0))
    return size_bytes(
        VruAwareness(
            header=_header(MessageId.VAM),
            generation_time_ms=0,
            parameters=VamParameters(
                basic=BasicContainer(station_type=StationType.PEDESTRIAN, position=_PLACE),
                high_frequency=VruHighFrequency(
                    heading=_HEADING, speed=_SPEED, longitudinal_acceleration=_ACCELERATION
                ),
                low_frequency=low if low_frequency else None,
                cluster=ClusterInformation(cluster=cluster) if leads else None,
                cluster_operation=operation if tells else None,
            ),
        )
    )
