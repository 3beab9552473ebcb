"""When a BSM is sent and what it flags (GB/T 45315-2025 and its Annex B).

Pure functions: the state of a vehicle goes in, flags and times come out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from v2x.messages.coding.wire import STRAIGHT
from v2x.messages.csae.bsm import PathPrediction, VehicleEvent

#: Events that make a BSM a key-event BSM: it is sent at once, and always with the certificate.
KEY_EVENTS = (
    VehicleEvent.HAZARD_LIGHTS
    | VehicleEvent.ABS_ACTIVATED
    | VehicleEvent.TRACTION_CONTROL_LOSS
    | VehicleEvent.STABILITY_CONTROL_ACTIVATED
    | VehicleEvent.HARD_BRAKING
    | VehicleEvent.FLAT_TIRE
    | VehicleEvent.DISABLED_VEHICLE
    | VehicleEvent.AIR_BAG_DEPLOYMENT
)
NO_EVENTS = VehicleEvent(0)
#: Key-event BSMs come at this interval while the event lasts [µs].
KEY_EVENT_PERIOD_US = 100_000
#: Beyond this radius, or below this speed, a path counts as straight [m], [m/s].
STRAIGHT_RADIUS_M = 2500.0
STRAIGHT_SPEED_MPS = 1.0
#: Below this radius a prediction is not to be relied on [m].
SHARP_RADIUS_M = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventParams:
    """Thresholds of the event flags.

    Parameters
    ----------
    hard_braking_mps2
        A deceleration above this is hard braking [m/s²]; SAE J2945/1 takes 0.4 g.
    control_s
        Controls (ABS, traction, stability) count once they acted for longer than this [s].
    air_bag_s
        A deployed air bag is told for this time [s].
    """

    hard_braking_mps2: float = 4.0
    control_s: float = 0.1
    air_bag_s: float = 600.0

    def __post_init__(self) -> None:
        """Reject negative thresholds."""
        for name in ("hard_braking_mps2", "control_s", "air_bag_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleCondition:
    """What the sensors of a vehicle say.

    Attributes
    ----------
    acceleration_mps2
        Along the vehicle, forwards positive [m/s²].
    hazard_lights, tire_alarm, disabled
        Whether the hazard lights are on, a tyre lost pressure, the vehicle cannot go on.
    abs_s, traction_s, stability_s
        For how long the control has been acting; 0 if it is not [s].
    since_air_bag_s
        Time since an air bag deployed; infinite if none did [s].
    """

    acceleration_mps2: float = 0.0
    hazard_lights: bool = False
    tire_alarm: bool = False
    disabled: bool = False
    abs_s: float = 0.0
    traction_s: float = 0.0
    stability_s: float = 0.0
    since_air_bag_s: float = math.inf


def event_flags(condition: VehicleCondition, params: EventParams) -> VehicleEvent:
    """Return the key events that are going on.

    Examples
    --------
    >>> event_flags(VehicleCondition(acceleration_mps2=-4.5), EventParams()).name
    'HARD_BRAKING'
    """
    happening = {
        VehicleEvent.HAZARD_LIGHTS: condition.hazard_lights,
        VehicleEvent.ABS_ACTIVATED: condition.abs_s > params.control_s,
        VehicleEvent.TRACTION_CONTROL_LOSS: condition.traction_s > params.control_s,
        VehicleEvent.STABILITY_CONTROL_ACTIVATED: condition.stability_s > params.control_s,
        VehicleEvent.HARD_BRAKING: -condition.acceleration_mps2 > params.hard_braking_mps2,
        VehicleEvent.FLAT_TIRE: condition.tire_alarm,
        VehicleEvent.DISABLED_VEHICLE: condition.disabled,
        VehicleEvent.AIR_BAG_DEPLOYMENT: condition.since_air_bag_s < params.air_bag_s,
    }
    flags = NO_EVENTS
    for flag, is_so in happening.items():
        if is_so:
            flags |= flag
    return flags


@dataclass(frozen=True, slots=True, kw_only=True)
class BsmSchedule:
    """When the next BSM of a vehicle is due.

    Attributes
    ----------
    due_us
        Tick of the next BSM [µs].
    events
        Key events of the last look.
    """

    due_us: int
    events: VehicleEvent = NO_EVENTS


def bsm_due(
    schedule: BsmSchedule, now_us: int, flags: VehicleEvent, period_us: int
) -> tuple[bool, BsmSchedule]:
    """Return whether a BSM is sent now, and when the next is due.

    A new key event sends one at once, cancels the one that was due and restarts the phase.

    Parameters
    ----------
    schedule
        What the last call returned; at first, a random tick within the first period.
    now_us
        The present tick [µs].
    flags
        Events that are going on.
    period_us
        Time between BSMs [µs]; 100 ms, unless congestion control says otherwise. Key events
        come every 100 ms whatever it says.

    Examples
    --------
    >>> schedule = BsmSchedule(due_us=130_000)
    >>> bsm_due(schedule, 70_000, VehicleEvent.HARD_BRAKING, 100_000)[0]
    True
    """
    events = flags & KEY_EVENTS
    is_new = bool(events & ~schedule.events)
    if not is_new and now_us < schedule.due_us:
        return False, BsmSchedule(due_us=schedule.due_us, events=events)
    step_us = min(period_us, KEY_EVENT_PERIOD_US) if events else period_us
    begin_us = now_us if is_new else schedule.due_us
    late = max(now_us - begin_us, 0) // step_us
    return True, BsmSchedule(due_us=begin_us + (late + 1) * step_us, events=events)


def path_prediction(
    speed_mps: float, yaw_rate_degps: float, curve_confidence: float
) -> PathPrediction:
    """Return where a vehicle is going to by its speed and yaw rate.

    Parameters
    ----------
    speed_mps
        Speed [m/s].
    yaw_rate_degps
        Clockwise positive [degree/s].
    curve_confidence
        Confidence for radii of 100 to 2500 m, 0 to 1; the standard asks for 2 % of the radius
        there but leaves the figure to the vehicle.

    Returns
    -------
    PathPrediction
        Straight with confidence 1 beyond 2500 m or below 1 m/s; below 100 m the confidence
        is 0, so ramps and hairpins are not to be relied on.
    """
    turn = math.radians(abs(yaw_rate_degps))
    if speed_mps < STRAIGHT_SPEED_MPS or speed_mps > STRAIGHT_RADIUS_M * turn:
        return PathPrediction(radius_m=STRAIGHT, confidence=1.0)
    radius_m = speed_mps / turn
    confidence = 0.0 if radius_m < SHARP_RADIUS_M else curve_confidence
    return PathPrediction(radius_m=math.copysign(radius_m, yaw_rate_degps), confidence=confidence)
