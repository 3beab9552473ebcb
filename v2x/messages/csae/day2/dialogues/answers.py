"""Where answers to requests are found: VIR of the one asked, RSC, SPAT, SSM or PAM."""

from __future__ import annotations

from v2x.messages.coding.wire import Quantity
from v2x.messages.csae.day2.dialogues.requests import Answer
from v2x.messages.csae.day2.elements import CoordinationInfo, DriveBehaviour
from v2x.messages.csae.day2.pam import ParkingArea
from v2x.messages.csae.day2.rsc import DriveSuggestion, RoadsideCoordination, VehicleCoordination
from v2x.messages.csae.day2.ssm import SensorSharing
from v2x.messages.csae.day2.vir import (
    DriveResponse,
    LaneChangeRequest,
    RequestInfo,
    SensorSharingRequest,
    SignalPriorityRequest,
    VehicleIntention,
)
from v2x.messages.csae.spat import ControllerStatus, Light, SignalPhaseAndTiming

_GRANTED = ControllerStatus.SIGNAL_PRIORITY | ControllerStatus.PREEMPTION
_GREEN = (Light.PERMISSIVE_GREEN, Light.PROTECTED_GREEN)


def answers_in_vir(message: VehicleIntention, me: bytes) -> tuple[Answer, ...]:
    """Return what a vehicle answers to requests of `me`."""
    return tuple(
        Answer(request_id=item.request_id, accepted=item.accepted)
        for item in message.responses or ()
        if item.requester_id == me
    )


def answers_in_rsc(message: RoadsideCoordination, me: bytes) -> tuple[Answer, ...]:
    """Return what an RSU answers to requests of `me`; without a suggestion it refuses."""
    return tuple(
        Answer(request_id=item.request_id, accepted=item.suggestion is not None)
        for item in message.vehicles or ()
        if item.vehicle_id == me and item.request_id is not None
    )


def answer_in_spat(message: SignalPhaseAndTiming, info: SignalPriorityRequest) -> Answer | None:
    """Return whether a signal grants priority: it says so, and the phase asked for is green.

    A signal does not say to whom, so the answer does not name a request.
    """
    for junction in message.intersections:
        if junction.node != info.intersection or not junction.status & _GRANTED:
            continue
        for phase in junction.phases:
            wanted = info.movement.phase_id in (None, phase.phase_id)
            if wanted and phase.states[0].light in _GREEN:
                return Answer(request_id=None, accepted=True)
    return None


def answer_in_ssm(message: SensorSharing, target: bytes, info: RequestInfo) -> Answer | None:
    """Return that the one asked for its perception shares it."""
    shares = isinstance(info, SensorSharingRequest) and message.sender_id == target
    return Answer(request_id=None, accepted=True) if shares else None


def answers_in_pam(message: ParkingArea, me: bytes) -> tuple[Answer, ...]:
    """Return the slots that are kept for requests of `me`."""
    return tuple(
        Answer(request_id=item.request_id, accepted=True, slot=item.slot)
        for item in message.guidance or ()
        if item.vehicle_id == me and item.request_id is not None and item.slot is not None
    )


_SERVICES: dict[type, tuple[CoordinationInfo, DriveBehaviour]] = {
    LaneChangeRequest: (CoordinationInfo.LANE_CHANGE, DriveBehaviour.GO_STRAIGHT),
    SignalPriorityRequest: (CoordinationInfo.SIGNAL_PRIORITY, DriveBehaviour.CROSS_STRAIGHT),
}
_OTHERS = (CoordinationInfo.LANE_RESERVATION, DriveBehaviour.GO_STRAIGHT)


def coordination(
    response: DriveResponse,
    info: RequestInfo,
    life_time_s: Quantity | None = None,
    behaviour: DriveBehaviour | None = None,
) -> VehicleCoordination:
    """Return what an RSC says in answer to a request.

    Parameters
    ----------
    response
        The answer.
    info
        What was asked for.
    life_time_s
        For how long the advice holds [s].
    behaviour
        What the vehicle should do; left out, go on as it asked to.
    """
    service, usual = _SERVICES.get(type(info), _OTHERS)
    suggestion = DriveSuggestion(behaviour=behaviour or usual, life_time_s=life_time_s)
    return VehicleCoordination(
        vehicle_id=response.requester_id,
        suggestion=suggestion if response.accepted else None,
        info=service,
        request_id=response.request_id,
    )


def merging(
    response: DriveResponse, main_vehicle: bytes | None, life_time_s: Quantity | None = None
) -> tuple[VehicleCoordination, ...]:
    """Return what an RSC says to a vehicle on a ramp, and to the one that makes the gap.

    Parameters
    ----------
    response
        The answer to the vehicle on the ramp.
    main_vehicle
        The vehicle on the main road behind the gap; None if there is room anyway.
    life_time_s
        For how long the advice holds [s].
    """
    may = DriveSuggestion(behaviour=DriveBehaviour.RAMP_IN, life_time_s=life_time_s)
    entry = VehicleCoordination(
        vehicle_id=response.requester_id,
        suggestion=may if response.accepted else None,
        info=CoordinationInfo.MERGING,
        request_id=response.request_id,
    )
    if main_vehicle is None or not response.accepted:
        return (entry,)
    slow = DriveSuggestion(behaviour=DriveBehaviour.SLOW_DOWN, life_time_s=life_time_s)
    gap = VehicleCoordination(
        vehicle_id=main_vehicle, suggestion=slow, info=CoordinationInfo.MERGING
    )
    return (entry, gap)


def suggestion_for(message: RoadsideCoordination, me: bytes) -> DriveSuggestion | None:
    """Return what an RSU suggests to a vehicle, the first thing if several."""
    said = (item.suggestion for item in message.vehicles or () if item.vehicle_id == me)
    return next((item for item in said if item is not None), None)
