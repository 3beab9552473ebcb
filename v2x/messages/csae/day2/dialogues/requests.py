"""A request for cooperation: lane change, merging, way clearing, signal priority, parking.

The requester repeats its request until it is answered, says "confirmed" while it acts, and ends
with "complete" or "cancel". Each message says for how much longer the requester needs what it
asks for; a grantor that agrees keeps its promise for that long from when it hears of it, whatever
is lost. So the promise never ends before the requester stops relying on it: the requester counts
from when it sent its first request, the grantor from when it received one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from v2x.messages.csae.day2.elements import LONGEST_OFFSET_S
from v2x.messages.csae.day2.vir import DriveRequest, DriveResponse, RequestInfo, RequestStatus


class Phase(IntEnum):
    """How far a request has come in the eyes of the requester."""

    WAITING = 0
    ACTING = 1
    COMPLETE = 2
    CANCELLED = 3
    REFUSED = 4
    EXPIRED = 5


class Manoeuvre(IntEnum):
    """What the driver says of what was asked for."""

    RUNNING = 0
    DONE = 1
    ABORTED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParams:
    """Timers of a request.

    Parameters
    ----------
    repeat_ms
        Time between messages while something is asked for or done, 100 to 500 [ms].
    answer_ms
        A request without answer is given up after this time [ms]; estimate.
    life_time_s
        From the first request on, all must be over after this time [s]; estimate.
    n_farewells
        How often "complete" or "cancel" is said.
    """

    repeat_ms: int = 100
    answer_ms: int = 1000
    life_time_s: float = 8.0
    n_farewells: int = 3

    def __post_init__(self) -> None:
        """Reject timers that cannot work."""
        if not 100 <= self.repeat_ms <= 500:
            raise ValueError(f"repeat_ms must be within 100 and 500, got {self.repeat_ms}")
        if self.answer_ms < self.repeat_ms:
            raise ValueError(f"answer_ms must be at least repeat_ms, got {self.answer_ms}")
        if not self.answer_ms / 1000 < self.life_time_s <= LONGEST_OFFSET_S:
            raise ValueError(
                f"life_time_s must be longer than answer_ms and at most {LONGEST_OFFSET_S}, "
                f"got {self.life_time_s}"
            )
        if self.n_farewells < 1:
            raise ValueError(f"n_farewells must be >= 1, got {self.n_farewells}")


#: Parking: the answer is in a PAM, once a second, and the way to the slot is long.
PARKING = RequestParams(repeat_ms=500, answer_ms=5000, life_time_s=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What another said to a request.

    Attributes
    ----------
    request_id
        The request; None for answers that do not name it, such as a green light.
    accepted
        Whether the request is granted.
    slot
        Parking slot that is kept.
    """

    request_id: int | None
    accepted: bool
    slot: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request in the eyes of who makes it.

    Attributes
    ----------
    params
        Timers.
    request_id, info, priority, target_vehicle, target_rsu
        What is asked for, and of whom.
    begun_us
        When it was first sent [µs].
    phase
        How far it has come.
    due_us
        When it is sent again [µs].
    answer
        What was said to it.
    n_left
        How often the last word will be said yet.
    """

    params: RequestParams
    request_id: int
    info: RequestInfo
    priority: int | None = None
    target_vehicle: bytes | None = None
    target_rsu: bytes | None = None
    begun_us: int
    phase: Phase = Phase.WAITING
    due_us: int
    answer: Answer | None = None
    n_left: int = 0

    @property
    def until_us(self) -> int:
        """When all must be over [µs]."""
        return self.begun_us + round(1e6 * self.params.life_time_s)

    @property
    def is_over(self) -> bool:
        """Whether nothing will be said any more."""
        return self.phase > Phase.ACTING and not self.n_left


def begin(
    params: RequestParams,
    now_us: int,
    request_id: int,
    info: RequestInfo,
    *,
    priority: int | None = None,
    target_vehicle: bytes | None = None,
    target_rsu: bytes | None = None,
) -> Request:
    """Return a request that is first sent now."""
    return Request(
        params=params,
        request_id=request_id,
        info=info,
        priority=priority,
        target_vehicle=target_vehicle,
        target_rsu=target_rsu,
        begun_us=now_us,
        due_us=now_us,
    )


def advance(
    request: Request,
    now_us: int,
    answer: Answer | None = None,
    manoeuvre: Manoeuvre = Manoeuvre.RUNNING,
) -> tuple[Request, DriveRequest | None]:
    """Return a request after a moment, and what is sent of it.

    Parameters
    ----------
    request
        What the last call returned.
    now_us
        The present tick [µs].
    answer
        What was heard since then; answers to other requests are passed over.
    manoeuvre
        What the driver says. Only in phase ACTING may anything be done; DONE counts only there,
        and ABORTED before it as well.

    Returns
    -------
    (Request, DriveRequest or None)
        The request, and its entry in a VIR that is due now.
    """
    request = _judged(request, now_us, answer, manoeuvre)
    if now_us < request.due_us or request.is_over:
        return request, None
    said = request
    due_us = max(request.due_us, now_us) + 1000 * request.params.repeat_ms
    request = replace(request, due_us=due_us, n_left=max(request.n_left - 1, 0))
    return request, _entry(said, now_us)


def _judged(request: Request, now_us: int, answer: Answer | None, manoeuvre: Manoeuvre) -> Request:
    """Return a request in the phase that follows from what is known now."""
    if request.phase > Phase.ACTING:
        return request
    if answer is not None and answer.request_id not in (None, request.request_id):
        answer = None
    refused = answer is not None and not answer.accepted
    waiting = request.phase is Phase.WAITING
    if waiting and refused:
        return _ended(request, Phase.REFUSED, now_us)
    if refused or manoeuvre is Manoeuvre.ABORTED or now_us >= request.until_us:
        return _ended(request, Phase.CANCELLED, now_us)
    if not waiting:
        done = manoeuvre is Manoeuvre.DONE
        return _ended(request, Phase.COMPLETE, now_us) if done else request
    if answer is not None:
        return replace(request, phase=Phase.ACTING, answer=answer, due_us=now_us)
    if now_us >= request.begun_us + 1000 * request.params.answer_ms:
        return _ended(request, Phase.EXPIRED, now_us)
    return request


def _ended(request: Request, phase: Phase, now_us: int) -> Request:
    return replace(request, phase=phase, due_us=now_us, n_left=request.params.n_farewells)


_STATUS = {
    Phase.WAITING: RequestStatus.REQUEST,
    Phase.ACTING: RequestStatus.CONFIRMED,
    Phase.COMPLETE: RequestStatus.COMPLETE,
}


def _entry(request: Request, now_us: int) -> DriveRequest:
    """Return what a VIR says of a request; only the first words tell what it is about."""
    # Rounded up, so that no promise ends early.
    hundredths = max(-(-(request.until_us - now_us) // 10_000), 1)
    return DriveRequest(
        request_id=request.request_id,
        status=_STATUS.get(request.phase, RequestStatus.CANCEL),
        priority=request.priority,
        target_vehicle=request.target_vehicle,
        target_rsu=request.target_rsu,
        info=request.info if request.phase is Phase.WAITING else None,
        life_time_s=min(hundredths / 100, LONGEST_OFFSET_S),
    )


class GrantPhase(IntEnum):
    """How far a request has come in the eyes of who was asked."""

    PROMISED = 0
    YIELDING = 1
    DONE = 2
    RELEASED = 3
    LAPSED = 4
    REFUSED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A request in the eyes of who was asked: a target vehicle or an RSU.

    Attributes
    ----------
    requester_id, request_id
        The request.
    info
        What is asked for.
    phase
        How far it has come; a promise holds in PROMISED and YIELDING.
    until_us
        When the promise ends if nothing more is heard [µs].
    """

    requester_id: bytes
    request_id: int
    info: RequestInfo | None
    phase: GrantPhase
    until_us: int

    @property
    def holds(self) -> bool:
        """Whether the promise holds."""
        return self.phase <= GrantPhase.YIELDING


#: A request that is over is remembered for this time, so that copies that come late do not make
#: a new one of it [µs].
MEMORY_US = 1_000_000
Grants = tuple[Grant, ...]


def heard(
    grants: Grants, now_us: int, requester_id: bytes, request: DriveRequest, *, able: bool
) -> tuple[Grants, DriveResponse | None]:
    """Return the promises after a request was received, and the answer.

    Parameters
    ----------
    grants
        Promises of before.
    now_us
        The present tick [µs].
    requester_id, request
        Who asks, and the entry in its VIR.
    able
        Whether what it asks for can be done; matters for new requests only. An answer once
        given stays.

    Returns
    -------
    (Grants, DriveResponse or None)
        The promises, and the answer to each copy of a request that is not over.
    """
    kept = lapsed(grants, now_us)
    key = (requester_id, request.request_id)
    known = next((item for item in kept if (item.requester_id, item.request_id) == key), None)
    others = tuple(item for item in kept if item is not known)
    life_s = request.life_time_s
    life_us = round(1e6 * life_s) if isinstance(life_s, int | float) else 0
    if known is None:
        known = _first_heard(request, requester_id, now_us + life_us, able=able)
        if known is None:
            return kept, None
    else:
        known = _heard_again(known, request.status, now_us + life_us)
    asked = request.status is RequestStatus.REQUEST
    answers = asked and (known.holds or known.phase is GrantPhase.REFUSED)
    response = DriveResponse(
        requester_id=requester_id, request_id=request.request_id, accepted=known.holds
    )
    return (*others, known), response if answers else None


def _first_heard(
    request: DriveRequest, requester_id: bytes, until_us: int, *, able: bool
) -> Grant | None:
    if request.status is RequestStatus.REQUEST:
        phase = GrantPhase.PROMISED if able else GrantPhase.REFUSED
    elif request.status is RequestStatus.CANCEL:
        phase = GrantPhase.RELEASED
    else:
        return None
    return Grant(
        requester_id=requester_id,
        request_id=request.request_id,
        info=request.info,
        phase=phase,
        until_us=until_us,
    )


def _heard_again(grant: Grant, status: RequestStatus, until_us: int) -> Grant:
    if grant.phase in (GrantPhase.DONE, GrantPhase.RELEASED, GrantPhase.REFUSED):
        return grant
    if status is RequestStatus.COMPLETE:
        return replace(grant, phase=GrantPhase.DONE)
    if status is RequestStatus.CANCEL:
        return replace(grant, phase=GrantPhase.RELEASED)
    if not grant.holds:
        return grant
    phase = GrantPhase.YIELDING if status is RequestStatus.CONFIRMED else grant.phase
    return replace(grant, phase=phase, until_us=max(grant.until_us, until_us))


def lapsed(grants: Grants, now_us: int) -> Grants:
    """Return the promises that are remembered now, those whose time is over lapsed."""
    return tuple(
        replace(item, phase=GrantPhase.LAPSED) if item.holds and now_us >= item.until_us else item
        for item in grants
        if now_us < item.until_us + MEMORY_US
    )
