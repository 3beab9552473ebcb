"""How long the DENMs of vehicles are; their content does not decide it, only its shape does."""

from __future__ import annotations

from functools import cache

from v2x.messages.etsi.denm import (
    ActionId,
    Cause,
    EnvironmentalNotification,
    Location,
    Management,
    Notification,
    RelevanceDirection,
    RelevanceDistance,
    Situation,
    Termination,
)
from v2x.messages.etsi.elements import (
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
from v2x.messages.etsi.frame import message_on_air_bytes

#: Events of RSI and DENM share one numbering: causes of DENMs count from here.
FIRST_CAUSE = 10_000
_PLACE = ReferencePosition(latitude_deg=29.563, longitude_deg=106.55)
_POINT = PathPoint(
    position=DeltaPosition(latitude_deg=0.0001, longitude_deg=-0.0001, altitude_m=1.0),
    delta_time_s=0.5,
)


@cache
def denm_bytes(trace_points: int, *, over: bool) -> int:
    """Return what the access layer is given for a DENM [byte].

    Parameters
    ----------
    trace_points
        Points of the one path that leads to the event.
    over
        Whether it says that the event is over: then it has its first container only.

    Examples
    --------
    >>> denm_bytes(5, over=False), denm_bytes(0, over=True)
    (414, 360)
    """
    management = Management(
        action=ActionId(originator_id=0, sequence=0),
        detection_ms=0,
        reference_ms=0,
        termination=Termination.CANCELLATION if over else None,
        position=_PLACE,
        relevance_distance=RelevanceDistance.UNDER_1_KM,
        relevance_direction=RelevanceDirection.UPSTREAM,
        validity_s=60,
        transmission_interval_ms=1000,
        station_type=StationType.CAR,
    )
    situation = Situation(cause=CauseCode(cause=Cause.STATIONARY_VEHICLE))
    location = Location(
        speed=Speed(value_mps=0.0),
        heading=Heading(value_deg=90.0),
        traces=((_POINT,) * trace_points,),
    )
    notification = Notification(
        management=management,
        situation=None if over else situation,
        location=None if over else location,
    )
    header = ItsPduHeader(message_id=MessageId.DENM, station_id=0)
    message = EnvironmentalNotification(header=header, notification=notification)
    return message_on_air_bytes(message, with_certificate=True)
