"""Fixed plans: arithmetic of the cycle, what is told of it, and priority."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.mobility.signals.base import Answer
from v2x.mobility.signals.lights import GREENS, Light
from v2x.mobility.signals.planned import PlannedNode
from v2x.mobility.signals.sequence import PhaseTimes, PriorityParams

S = 1_000_000
GRANTED = PriorityParams(granted=True)


def times(green_s: float, least_s: float = 8.0) -> PhaseTimes:
    return PhaseTimes(
        light=Light.PROTECTED_GREEN,
        green_us=round(green_s * S),
        least_us=round(least_s * S),
        yellow_us=3 * S,
        clear_us=2 * S,
    )


def node(
    *greens_s: float, offset_s: float = 0.0, priority: PriorityParams = GRANTED
) -> PlannedNode:
    return PlannedNode([times(g) for g in greens_s], round(offset_s * S), priority)


def shown(plan: PlannedNode) -> list[Light]:
    return [phase.spans[0].light for phase in plan.outlook()]


def test_the_cycle_is_the_sum_of_its_parts_and_repeats() -> None:
    plan = node(20.0, 30.0)
    assert plan.cycle_us == 60 * S
    for k in range(3):
        for second, light in ((0, 6), (19, 6), (20, 7), (22, 7), (23, 3), (24, 3), (59, 3)):
            plan.advance((60 * k + second) * S, None, None)
            assert shown(plan)[0] == light
            assert (plan.going == 0) == (light == Light.PROTECTED_GREEN)


@pytest.mark.parametrize("offset_s", [0.0, 12.5, 59.9, -7.0, 600.0])
def test_the_offset_is_when_phase_1_begins(offset_s: float) -> None:
    plan = node(20.0, 30.0, offset_s=offset_s)
    begins = round(offset_s * S) % (60 * S)
    plan.advance(max(begins - 1, 0), None, None)
    assert (plan.going == 0) == (begins == 0)
    plan.advance(begins, None, None)
    assert plan.going == 0


@given(
    st.lists(st.floats(8.0, 60.0), min_size=1, max_size=5),
    st.floats(0.0, 300.0),
    st.floats(0.0, 200.0),
)
@settings(max_examples=60, deadline=None)
def test_what_is_told_is_what_happens(greens: list[float], offset: float, at: float) -> None:
    plan = node(*greens, offset_s=offset)
    plan.advance(round(at * S), None, None)
    told = plan.outlook()
    for phase in told:
        assert phase.spans[0].start_us <= round(at * S)
        for one, other in zip(phase.spans, phase.spans[1:], strict=False):
            assert one.likely_end_us == other.start_us
    ends = sorted(
        (span.start_us, span.light, k)
        for k, phase in enumerate(told)
        for span in phase.spans
        if span.start_us >= round(at * S)
    )
    for when, light, k in ends:
        if len(greens) > 1 or light is not Light.RED:
            plan.advance(when, None, None)
            assert shown(plan)[k] == light
            assert (plan.going == k) == (light in GREENS)


def test_minimum_maximum_and_likely_end_are_one() -> None:
    plan = node(20.0, 30.0)
    for phase in plan.outlook():
        for span in phase.spans:
            assert span.min_end_us == span.likely_end_us == span.max_end_us


# Priority ------------------------------------------------------------------------------------


def test_whoever_arrives_in_the_green_needs_nothing() -> None:
    plan = node(20.0, 30.0)
    plan.advance(5 * S, None, None)
    assert plan.request(0, 14 * S, 1) is Answer.NOT_NEEDED
    assert plan.request(1, 21 * S, 1) is Answer.NOT_NEEDED
    assert plan.late_us == 0


@pytest.mark.parametrize(
    ("eta_s", "answer", "end_s"),
    [
        (14.1, Answer.EXTENDED, 20.1),
        (24.0, Answer.EXTENDED, 30.0),
        (24.1, Answer.EARLIER, 20.0),
    ],
)
def test_a_green_is_extended_by_ten_seconds_at_most(
    eta_s: float, answer: Answer, end_s: float
) -> None:
    """Asked at 5 s: arrival plus one second of margin may be up to 30 s, ten after the end."""
    plan = node(20.0, 30.0)
    plan.advance(5 * S, None, None)
    assert plan.request(0, round(eta_s * S), 1) is answer
    assert plan.outlook()[0].spans[0].likely_end_us == round(end_s * S)


def test_repeated_requests_never_add_up_to_more() -> None:
    plan = node(20.0, 30.0)
    plan.advance(10 * S, None, None)
    assert plan.request(0, 15 * S, 1) is Answer.EXTENDED
    assert plan.request(0, 19 * S, 1) is Answer.EXTENDED
    assert plan.outlook()[0].spans[0].likely_end_us == 30 * S
    assert plan.request(0, 20 * S, 1) is not Answer.EXTENDED
    assert plan.outlook()[0].spans[0].likely_end_us == 30 * S


def test_an_early_green_cuts_the_others_no_shorter_than_allowed() -> None:
    plan = node(20.0, 30.0)
    plan.advance(26 * S, None, None)
    # Phase 2 has been green for a second; it keeps its eight.
    assert plan.request(0, 3 * S, 1) is Answer.EARLIER
    green = next(span for span in plan.outlook()[0].spans if span.light in GREENS)
    assert green.start_us == (25 + 8 + 5) * S
    assert plan.late_us == -22 * S


def test_an_early_green_is_no_earlier_than_needed() -> None:
    plan = node(20.0, 30.0)
    plan.advance(26 * S, None, None)
    assert plan.request(0, 30 * S, 1) is Answer.EARLIER
    green = next(span for span in plan.outlook()[0].spans if span.light in GREENS)
    assert green.start_us == 56 * S


@pytest.mark.parametrize("ask", [(5, 0, 24), (26, 0, 3), (26, 0, 20), (1, 1, 8)])
def test_the_plan_is_back_at_its_clock_after_two_cycles(ask: tuple[int, int, int]) -> None:
    at_s, phase, eta_s = ask
    plan, undisturbed = node(20.0, 30.0), node(20.0, 30.0)
    plan.advance(at_s * S, None, None)
    assert plan.request(phase, eta_s * S, 1) in (Answer.EXTENDED, Answer.EARLIER)
    shifted = abs(plan.late_us)
    assert shifted > 0
    greens = []
    was, since = -1, 0
    differs = 0
    last_difference = 0
    for tenth in range(10 * at_s, 4000):
        now = tenth * S // 10
        plan.advance(now, None, None)
        undisturbed.advance(now, None, None)
        if plan.going != was:
            if was >= 0 and since > at_s * S:
                greens.append(now - since)
            was, since = plan.going, now
        if plan.going != undisturbed.going:
            differs += 1
            last_difference = now
    assert differs
    assert min(greens) >= 8 * S - S // 10
    # The cycle in which the request is served, and two to recover.
    assert last_difference < (at_s + 3 * 60 + 30) * S
    assert plan.late_us == 0
    assert not plan.recovers


def test_nothing_is_granted_while_it_recovers_or_serves_another() -> None:
    plan = node(20.0, 30.0)
    plan.advance(5 * S, None, None)
    assert plan.request(0, 22 * S, 1) is Answer.EXTENDED
    assert plan.request(1, 3 * S, 2) is Answer.REFUSED
    plan.advance(40 * S, None, None)
    assert plan.recovers
    assert plan.request(0, 1 * S, 2) is Answer.REFUSED
    plan.advance(200 * S, None, None)
    assert not plan.recovers
    assert plan.request(1, 20 * S, 2) is not Answer.REFUSED


def test_without_priority_nothing_is_granted() -> None:
    plan = node(20.0, 30.0, priority=PriorityParams())
    plan.advance(5 * S, None, None)
    assert plan.request(0, 20 * S, 1) is Answer.REFUSED
    assert np.isclose(plan.late_us, 0)
