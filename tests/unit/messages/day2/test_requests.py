"""Requests for cooperation: order, every timer, and whatever is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.messages.csae.day2.dialogues.answers import (
    answer_in_spat,
    answer_in_ssm,
    answers_in_rsc,
    answers_in_vir,
    coordination,
    merging,
    suggestion_for,
)
from v2x.messages.csae.day2.dialogues.requests import (
    MEMORY_US,
    Answer,
    GrantPhase,
    Grants,
    Manoeuvre,
    Phase,
    Request,
    RequestParams,
    advance,
    begin,
    heard,
    lapsed,
)
from v2x.messages.csae.day2.elements import CoordinationInfo, DriveBehaviour
from v2x.messages.csae.day2.rsc import RoadsideCoordination
from v2x.messages.csae.day2.vir import (
    ClearTheWayRequest,
    DriveRequest,
    DriveResponse,
    Movement,
    RequestStatus,
    SensorSharingRequest,
    SignalPriorityRequest,
    VehicleIntention,
)
from v2x.messages.csae.rsi import ReferencePath
from v2x.messages.csae.spat import (
    ControllerStatus,
    Countdown,
    IntersectionState,
    Light,
    PhaseState,
    SignalPhaseAndTiming,
)
from v2x.messages.csae.spat import (
    Phase as SignalPhase,
)

from .day2_samples import LANE, NODES, OTHER, PLACE, RSU, VEHICLE, offset, sensor_sharing

PARAMS = RequestParams()
STEP_US = 100_000
YES, NO = Answer(request_id=7, accepted=True), Answer(request_id=7, accepted=False)


def statuses(
    request: Request, moments: list[tuple[int, Answer | None, Manoeuvre]]
) -> tuple[Request, list[RequestStatus | None]]:
    said: list[RequestStatus | None] = []
    for ms, answer, manoeuvre in moments:
        request, entry = advance(request, 1000 * ms, answer, manoeuvre)
        said.append(None if entry is None else entry.status)
    return request, said


def lane_change() -> Request:
    return begin(PARAMS, 0, 7, LANE, target_vehicle=OTHER)


RUN, DONE, ABORT = Manoeuvre.RUNNING, Manoeuvre.DONE, Manoeuvre.ABORTED


def test_request_answer_confirmed_complete() -> None:
    """The order of applications.md 1.3; each word goes out at once and every 100 ms."""
    request, said = statuses(
        lane_change(),
        [
            (0, None, RUN),
            (50, None, RUN),
            (100, None, RUN),
            (130, YES, RUN),
            (180, None, RUN),
            (230, None, RUN),
            (300, None, DONE),
            (400, None, RUN),
            (500, None, RUN),
            (600, None, RUN),
        ],
    )
    ask, yes, end = RequestStatus.REQUEST, RequestStatus.CONFIRMED, RequestStatus.COMPLETE
    assert said == [ask, None, ask, yes, None, yes, end, end, end, None]
    assert request.phase is Phase.COMPLETE
    assert request.is_over


def test_only_the_first_words_tell_what_it_is_about() -> None:
    request, entry = advance(lane_change(), 0)
    assert entry is not None
    assert (entry.info, entry.target_vehicle, entry.life_time_s) == (LANE, OTHER, 8.0)
    _, entry = advance(request, 1_234_000, YES)
    assert entry is not None
    assert entry.info is None
    assert entry.life_time_s == 6.77


@pytest.mark.parametrize(
    ("moments", "phase", "last"),
    [
        ([(0, None, RUN), (1000, None, RUN)], Phase.EXPIRED, RequestStatus.CANCEL),
        ([(0, None, RUN), (999, None, RUN)], Phase.WAITING, RequestStatus.REQUEST),
        ([(0, None, RUN), (20, NO, RUN)], Phase.REFUSED, RequestStatus.CANCEL),
        ([(0, None, RUN), (20, None, ABORT)], Phase.CANCELLED, RequestStatus.CANCEL),
        ([(0, None, RUN), (20, YES, RUN), (90, None, ABORT)], Phase.CANCELLED, None),
        ([(0, None, RUN), (20, YES, RUN), (90, NO, RUN)], Phase.CANCELLED, None),
        ([(0, None, RUN), (20, YES, RUN), (8000, None, RUN)], Phase.CANCELLED, None),
        ([(0, None, RUN), (20, YES, RUN), (8000, None, DONE)], Phase.CANCELLED, None),
        ([(0, None, RUN), (20, None, DONE)], Phase.WAITING, None),
        ([(0, None, RUN), (20, replace(YES, request_id=6), RUN)], Phase.WAITING, None),
        ([(0, None, RUN), (20, replace(YES, request_id=None), RUN)], Phase.ACTING, None),
    ],
)
def test_every_way_out(
    moments: list[tuple[int, Answer | None, Manoeuvre]],
    phase: Phase,
    last: RequestStatus | None,
) -> None:
    request, said = statuses(lane_change(), moments)
    assert request.phase is phase
    assert last is None or said[-1] is last


def entry(status: RequestStatus, life_s: float = 5.0) -> DriveRequest:
    info = LANE if status is RequestStatus.REQUEST else None
    return DriveRequest(request_id=7, status=status, info=info, life_time_s=life_s)


ASK, CONFIRM, CANCEL, COMPLETE = (
    entry(RequestStatus.REQUEST),
    entry(RequestStatus.CONFIRMED),
    entry(RequestStatus.CANCEL),
    entry(RequestStatus.COMPLETE),
)


@pytest.mark.parametrize(
    ("words", "able", "phase"),
    [
        ([ASK], True, GrantPhase.PROMISED),
        ([ASK], False, GrantPhase.REFUSED),
        ([ASK, CONFIRM], True, GrantPhase.YIELDING),
        ([ASK, CONFIRM, COMPLETE], True, GrantPhase.DONE),
        ([ASK, COMPLETE], True, GrantPhase.DONE),
        ([ASK, CANCEL], True, GrantPhase.RELEASED),
        ([ASK, CONFIRM, CANCEL], True, GrantPhase.RELEASED),
        ([ASK, COMPLETE, ASK], True, GrantPhase.DONE),
        ([CANCEL, ASK], True, GrantPhase.RELEASED),
        ([ASK, CANCEL, CONFIRM], True, GrantPhase.RELEASED),
    ],
)
def test_what_a_grantor_makes_of_words(
    words: list[DriveRequest], able: bool, phase: GrantPhase
) -> None:
    grants: Grants = ()
    for word in words:
        grants, _ = heard(grants, 0, VEHICLE, word, able=able)
    assert [item.phase for item in grants] == [phase]


def test_answers_are_repeated_and_never_change() -> None:
    grants: Grants = ()
    for able in (False, True, True):
        grants, response = heard(grants, 0, VEHICLE, ASK, able=able)
        assert response == DriveResponse(requester_id=VEHICLE, request_id=7, accepted=False)
    grants, response = heard((), 0, VEHICLE, ASK, able=True)
    grants, response = heard(grants, 0, VEHICLE, ASK, able=False)
    assert response is not None
    assert response.accepted
    assert heard(grants, 0, VEHICLE, CONFIRM, able=True)[1] is None
    assert heard((), 0, VEHICLE, CONFIRM, able=True) == ((), None)


def test_a_promise_lapses_when_its_time_is_over_and_is_forgotten_later() -> None:
    grants, _ = heard((), 0, VEHICLE, ASK, able=True)
    assert lapsed(grants, 4_999_999)[0].phase is GrantPhase.PROMISED
    assert lapsed(grants, 5_000_000)[0].phase is GrantPhase.LAPSED
    late, _ = heard(grants, 5_500_000, VEHICLE, COMPLETE, able=True)
    assert late[0].phase is GrantPhase.DONE
    late, response = heard(grants, 5_500_000, VEHICLE, ASK, able=True)
    assert late[0].phase is GrantPhase.LAPSED
    assert response is None
    assert lapsed(grants, 5_000_000 + MEMORY_US) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"repeat_ms": 99},
        {"repeat_ms": 501},
        {"answer_ms": 50},
        {"life_time_s": 0.5},
        {"life_time_s": 700.0},
        {"n_farewells": 0},
    ],
)
def test_timers_that_cannot_work_are_rejected(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changes))):
        RequestParams(**changes)  # type: ignore[arg-type]


@dataclass
class Air:
    """A channel that loses and delays by a list of numbers."""

    fates: list[int]
    on_the_way: list[tuple[int, object]] = field(default_factory=list)

    def send(self, now_us: int, what: object) -> None:
        fate = self.fates.pop() if self.fates else 1
        if fate:
            self.on_the_way.append((now_us + fate * 30_000, what))

    def take(self, now_us: int) -> list[object]:
        due = [what for at, what in self.on_the_way if at <= now_us]
        self.on_the_way = [item for item in self.on_the_way if item[0] > now_us]
        return due


@given(
    to=st.lists(st.integers(0, 4), max_size=120),
    back=st.lists(st.integers(0, 4), max_size=120),
    able=st.booleans(),
    done_ms=st.integers(100, 9000),
    abort_ms=st.integers(100, 20_000),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_whatever_is_lost_nobody_acts_without_a_promise(
    to: list[int], back: list[int], able: bool, done_ms: int, abort_ms: int
) -> None:
    """Messages come late, out of order or not at all (0), in both directions.

    At every moment a requester that acts has a promise that holds. In the end both are at rest,
    and never does one believe "complete" and the other "cancelled" or "refused".
    """
    there, here = Air(to), Air(back)
    request, grants = lane_change(), ()
    acted_us = None
    for now_us in range(0, 22_000_001, STEP_US // 2):
        answers = here.take(now_us)
        acting_for = None if acted_us is None else now_us - acted_us
        manoeuvre = RUN
        if acting_for is not None and acting_for >= 1000 * done_ms:
            manoeuvre = DONE
        elif now_us >= 1000 * abort_ms:
            manoeuvre = ABORT
        for answer in answers or [None]:
            request, word = advance(request, now_us, answer, manoeuvre)  # type: ignore[arg-type]
            if word is not None:
                there.send(now_us, word)
        if request.phase is Phase.ACTING and acted_us is None:
            acted_us = now_us
        for word in there.take(now_us):
            grants, response = heard(grants, now_us, VEHICLE, word, able=able)  # type: ignore[arg-type]
            if response is not None:
                answer = Answer(request_id=response.request_id, accepted=response.accepted)
                here.send(now_us, answer)
        grants = lapsed(grants, now_us)
        phases = [item.phase for item in grants]
        if request.phase is Phase.ACTING:
            assert any(item.holds for item in grants)
        if request.phase is Phase.COMPLETE:
            assert not {GrantPhase.RELEASED, GrantPhase.REFUSED} & set(phases)
        if request.phase in (Phase.CANCELLED, Phase.EXPIRED, Phase.REFUSED):
            assert GrantPhase.DONE not in phases
    assert request.is_over
    assert not any(item.holds for item in grants)


def test_without_loss_both_know_the_end() -> None:
    request, grants = lane_change(), ()
    answer = None
    for now_us in range(0, 3_000_001, STEP_US):
        acting = request.phase is Phase.ACTING
        request, word = advance(request, now_us, answer, DONE if acting else RUN)
        if word is not None:
            grants, response = heard(grants, now_us, VEHICLE, word, able=True)
            if response is not None:
                answer = Answer(request_id=7, accepted=response.accepted)
    assert request.phase is Phase.COMPLETE
    assert [item.phase for item in grants] == [GrantPhase.DONE]


def test_the_answer_of_a_target_vehicle() -> None:
    response = DriveResponse(requester_id=VEHICLE, request_id=7, accepted=True)
    message = VehicleIntention(
        count=0, sender_id=OTHER, second_ms=0, position=PLACE, responses=(response,)
    )
    assert answers_in_vir(message, VEHICLE) == (YES,)
    assert answers_in_vir(message, OTHER) == ()


@pytest.mark.parametrize("accepted", [True, False])
def test_merging_over_an_rsu(accepted: bool) -> None:
    """applications.md 8.9: the ramp gets its answer, the main road is asked to make a gap."""
    response = DriveResponse(requester_id=VEHICLE, request_id=7, accepted=accepted)
    message = RoadsideCoordination(
        count=0,
        sender_id=RSU,
        second_ms=0,
        position=PLACE,
        vehicles=merging(response, OTHER, 5.0),
    )
    assert answers_in_rsc(message, VEHICLE) == (YES if accepted else NO,)
    assert answers_in_rsc(message, OTHER) == ()
    advice = suggestion_for(message, OTHER)
    assert (advice is not None) == accepted
    assert advice is None or advice.behaviour is DriveBehaviour.SLOW_DOWN
    assert suggestion_for(message, RSU) is None


CROSSING = SignalPriorityRequest(
    intersection=NODES[0], movement=Movement(remote_node=NODES[1], phase_id=3), arrival_s=8.0
)


@pytest.mark.parametrize(
    ("status", "light", "phase_id", "granted"),
    [
        (ControllerStatus.SIGNAL_PRIORITY, Light.PROTECTED_GREEN, 3, True),
        (ControllerStatus.PREEMPTION, Light.PERMISSIVE_GREEN, 3, True),
        (ControllerStatus.FIXED_TIME, Light.PROTECTED_GREEN, 3, False),
        (ControllerStatus.SIGNAL_PRIORITY, Light.RED, 3, False),
        (ControllerStatus.SIGNAL_PRIORITY, Light.PROTECTED_GREEN, 4, False),
    ],
)
def test_signal_priority_over_spat(
    status: ControllerStatus, light: Light, phase_id: int, granted: bool
) -> None:
    state = PhaseState(light=light, timing=Countdown(start_s=0.0, likely_end_s=20.0))
    message = SignalPhaseAndTiming(
        count=0,
        intersections=(
            IntersectionState(
                node=NODES[0],
                status=status,
                phases=(SignalPhase(phase_id=phase_id, states=(state,)),),
            ),
        ),
    )
    answer = answer_in_spat(message, CROSSING)
    assert (answer is not None) == granted
    request = begin(PARAMS, 0, 7, CROSSING, target_rsu=RSU)
    assert (advance(request, 0, answer)[0].phase is Phase.ACTING) == granted
    elsewhere = replace(CROSSING, intersection=NODES[1])
    assert answer_in_spat(message, elsewhere) is None


def test_the_service_that_an_rsc_names() -> None:
    response = DriveResponse(requester_id=VEHICLE, request_id=7, accepted=True)
    clear = ClearTheWayRequest(upstream_node=NODES[0], downstream_node=NODES[1], target_lane=1)
    for info, service in (
        (LANE, CoordinationInfo.LANE_CHANGE),
        (CROSSING, CoordinationInfo.SIGNAL_PRIORITY),
        (clear, CoordinationInfo.LANE_RESERVATION),
    ):
        said = coordination(response, info, 5.0)
        assert (said.info, said.request_id, said.vehicle_id) == (service, 7, VEHICLE)
        assert said.suggestion is not None
    assert coordination(replace(response, accepted=False), LANE).suggestion is None


def test_shared_perception_is_the_answer_to_the_wish_for_it() -> None:
    area = ReferencePath(points=(offset(),), radius_m=50.0)
    wish = SensorSharingRequest(areas=(area,))
    assert answer_in_ssm(sensor_sharing(1), RSU, wish) == Answer(request_id=None, accepted=True)
    assert answer_in_ssm(sensor_sharing(1), OTHER, wish) is None
    assert answer_in_ssm(sensor_sharing(1), RSU, LANE) is None
