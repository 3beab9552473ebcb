"""SPAT from signal plans (T/CSAE 159-2020)."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.messages.coding.wire import BEYOND
from v2x.messages.csae import signal_plan
from v2x.messages.csae.elements import NodeReference
from v2x.messages.csae.frame import decode, encode
from v2x.messages.csae.signal_plan import PhasePlan, Stage, intersection_state, two_axis_plan
from v2x.messages.csae.spat import Countdown, Light, PhaseState, SignalPhaseAndTiming, UtcTiming

NODE = NodeReference(region=500, node=20)
PLAN = PhasePlan(
    phase_id=3,
    stages=(
        Stage(light=Light.PROTECTED_GREEN, duration_s=30.0),
        Stage(light=Light.YELLOW, duration_s=3.0),
        Stage(light=Light.RED, duration_s=57.0),
    ),
    offset_s=10.0,
)


def states(plan: PhasePlan, time_s: float, *, utc: bool = False) -> tuple[PhaseState, ...]:
    (phase,) = intersection_state(NODE, [plan], time_s, utc=utc).phases
    assert phase.phase_id == plan.phase_id
    return phase.states


def test_doctests() -> None:
    assert doctest.testmod(signal_plan).failed == 0


def test_the_present_state_comes_first_and_all_others_follow() -> None:
    """Green began at 10 s; at 25 s it lasts 15 s more, then 3 s yellow, then 57 s red."""
    found = states(PLAN, 25.0)
    assert [state.light for state in found] == [Light.PROTECTED_GREEN, Light.YELLOW, Light.RED]
    timings = [state.timing for state in found]
    assert timings == [
        Countdown(
            start_s=start,
            min_end_s=end,
            max_end_s=end,
            likely_end_s=end,
            next_start_s=again,
            next_duration_s=duration,
        )
        for start, end, again, duration in (
            (0.0, 15.0, 75.0, 30.0),
            (15.0, 18.0, 105.0, 3.0),
            (18.0, 75.0, 108.0, 57.0),
        )
    ]


def test_utc_times_are_within_the_hour() -> None:
    """At 3590 s into the hour: the phase is 3580 s = 39 cycles and 70 s in, so it is red."""
    found = states(PLAN, 3590.0 + 7200.0, utc=True)
    assert found[0].light is Light.RED
    timing = found[0].timing
    assert isinstance(timing, UtcTiming)
    done_s = (3590.0 + 7200.0 - 10.0) % 90.0 - 33.0
    assert timing.start_s == pytest.approx(3590.0 - done_s)
    assert timing.likely_end_s == pytest.approx((3590.0 + 57.0 - done_s) % 3600.0)
    assert timing.min_end_s == timing.max_end_s == timing.likely_end_s


def test_a_constant_light_never_ends() -> None:
    """likelyEnd is 36000 on the wire (T/CSAE 159-2020)."""
    flashing = PhasePlan(phase_id=1, stages=(Stage(light=Light.FLASHING_YELLOW, duration_s=1.0),))
    for utc in (False, True):
        (state,) = states(flashing, 100.0, utc=utc)
        assert state.timing is not None
        assert state.timing.likely_end_s is BEYOND


def test_what_is_more_than_an_hour_away_is_beyond() -> None:
    slow = PhasePlan(
        phase_id=1,
        stages=(
            Stage(light=Light.PROTECTED_GREEN, duration_s=3599.0),
            Stage(light=Light.RED, duration_s=60.0),
        ),
    )
    green, red = states(slow, 0.0)
    assert isinstance(green.timing, Countdown)
    assert isinstance(red.timing, Countdown)
    assert green.timing.likely_end_s == 3599.0
    assert red.timing.likely_end_s is BEYOND
    assert green.timing.next_start_s is BEYOND


@given(
    st.lists(st.floats(0.5, 120.0), min_size=2, max_size=5),
    st.floats(-1e4, 1e5),
    st.floats(-500.0, 500.0),
    st.booleans(),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_plan_at_any_time_is_a_message(
    durations: list[float], time_s: float, offset_s: float, utc: bool
) -> None:
    plan = PhasePlan(
        phase_id=1,
        stages=tuple(
            Stage(light=Light(2 + k), duration_s=seconds) for k, seconds in enumerate(durations)
        ),
        offset_s=offset_s,
    )
    state = intersection_state(NODE, [plan, plan], time_s, utc=utc)
    message = SignalPhaseAndTiming(count=0, intersections=(state,))
    assert decode(encode(message)) == message
    if not utc:
        timings = [part.timing for part in state.phases[0].states]
        ends = [timing.likely_end_s for timing in timings if isinstance(timing, Countdown)]
        starts = [timing.start_s for timing in timings if isinstance(timing, Countdown)]
        assert starts[0] == 0.0
        assert starts[1:] == ends[:-1]


@pytest.mark.parametrize("utc", [False, True])
@pytest.mark.parametrize(
    ("duration_s", "end_s"), [(3599.9, 3599.9), (3599.96, BEYOND), (3600.0, BEYOND)]
)
def test_an_hour_begins_with_its_last_tenth(utc: bool, duration_s: float, end_s: object) -> None:
    """What would be told as a whole hour from now cannot be: the mark would be that of now."""
    plan = PhasePlan(
        phase_id=1,
        stages=(
            Stage(light=Light.RED, duration_s=duration_s),
            Stage(light=Light.PROTECTED_GREEN, duration_s=9.0),
        ),
    )
    timing = states(plan, 0.0, utc=utc)[0].timing
    assert timing is not None
    assert timing.likely_end_s == end_s


def test_the_plan_of_routed_traffic() -> None:
    """Never both green; each axis is green from its half of the cycle until its clearance."""
    plans = two_axis_plan(60.0, 4.0)
    assert [plan.phase_id for plan in plans] == [1, 2]
    for second in range(120):
        lights = [states(plan, float(second))[0].light for plan in plans]
        greens = [light is Light.PROTECTED_GREEN for light in lights]
        axis, phase = divmod(second % 60, 30)
        assert greens == [axis == k and phase < 26 for k in (0, 1)]
    assert len(two_axis_plan(60.0, 0.0)[0].stages) == 2


@pytest.mark.parametrize("duration_s", [0.0, -1.0, math.nan, math.inf])
def test_impossible_stages_are_refused(duration_s: float) -> None:
    with pytest.raises(ValueError, match="duration_s"):
        Stage(light=Light.RED, duration_s=duration_s)


def test_impossible_plans_are_refused() -> None:
    stage = Stage(light=Light.RED, duration_s=1.0)
    with pytest.raises(ValueError, match="stages"):
        PhasePlan(phase_id=1, stages=())
    with pytest.raises(ValueError, match="stages"):
        PhasePlan(phase_id=1, stages=(stage,) * 17)
    with pytest.raises(ValueError, match="offset_s"):
        PhasePlan(phase_id=1, stages=(stage,), offset_s=math.nan)
