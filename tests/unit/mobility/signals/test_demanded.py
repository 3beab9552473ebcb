"""Lights with detectors: gap, longest and shortest green, phases left out, priority."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.mobility.signals.base import Answer
from v2x.mobility.signals.demanded import DemandedNode
from v2x.mobility.signals.lights import GREENS, Light
from v2x.mobility.signals.sequence import PhaseTimes, PriorityParams

S = 1_000_000


def node(n: int = 2, priority: PriorityParams | None = None) -> DemandedNode:
    item = PhaseTimes(
        light=Light.PROTECTED_GREEN,
        green_us=40 * S,
        least_us=8 * S,
        yellow_us=3 * S,
        clear_us=2 * S,
    )
    return DemandedNode([item] * n, 3 * S, priority or PriorityParams())


def run(
    lights: DemandedNode,
    until_s: float,
    waits: list[bool],
    passing: list[tuple[int, float]] = (),  # type: ignore[assignment]
    from_s: float = 0.0,
) -> None:
    """Advance in steps of a tenth; `passing` are phases and times of vehicles over detectors."""
    for tenth in range(round(10 * from_s), round(10 * until_s) + 1):
        passes = np.zeros(len(waits), dtype=np.bool_)
        for phase, at_s in passing:
            passes[phase] |= tenth == round(10 * at_s)
        lights.advance(tenth * S // 10, np.array(waits), passes)


def test_a_green_ends_after_three_seconds_without_traffic() -> None:
    for until_s, going in ((12.9, 0), (13.0, -1)):
        lights = node()
        run(lights, until_s, [False, True], [(0, 8.0), (0, 10.0)])
        assert lights.going == going


def test_traffic_within_three_seconds_keeps_it() -> None:
    lights = node()
    run(lights, 15.8, [False, True], [(0, 7.0), (0, 9.9), (0, 12.9)])
    assert lights.going == 0
    lights = node()
    run(lights, 15.8, [False, True], [(0, 7.0), (0, 10.1), (0, 12.9)])
    assert lights.going != 0


def test_a_green_lasts_at_least_its_shortest_time() -> None:
    for until_s, going in ((7.9, 0), (8.0, -1)):
        lights = node()
        run(lights, until_s, [False, True])
        assert lights.going == going


def test_a_green_ends_when_somebody_has_waited_for_its_longest_time() -> None:
    steady = [(0, 0.5 * k) for k in range(300)]
    lights = node()
    run(lights, 20.0, [True, False], steady)
    run(lights, 60.0, [True, True], steady, from_s=20.1)
    assert lights.going == 0
    run(lights, 60.1, [True, True], steady, from_s=60.1)
    assert lights.going == -1


def test_without_demand_elsewhere_it_stays() -> None:
    lights = node()
    run(lights, 300.0, [False, False])
    assert lights.going == 0
    (red,) = lights.outlook()[1].spans
    assert (red.light, red.likely_end_us, red.max_end_us) == (Light.RED, None, None)
    assert lights.outlook()[0].spans[0].likely_end_us is None


def test_phases_without_demand_are_left_out() -> None:
    lights = node(4)
    run(lights, 13.0, [False, False, True, False])
    assert lights.going == 2


def test_what_is_told_bounds_what_happens() -> None:
    """Ends lie between the earliest and the latest that SPAT tells of the present light."""
    draw = np.random.default_rng(5)
    lights = node(3)
    told: list[tuple[int, int, int, int]] = []
    light = [-1, -1, -1]
    for tenth in range(6000):
        now = tenth * S // 10
        before = [item.spans[0] for item in lights.outlook()] if tenth else []
        lights.advance(now, draw.random(3) < 0.7, draw.random(3) < 0.05)
        for k, item in enumerate(lights.outlook()):
            if tenth and item.spans[0].light != light[k] and before[k].light in GREENS:
                span = before[k]
                assert span.min_end_us is not None
                told.append((k, span.min_end_us, now, span.max_end_us or now))
            light[k] = item.spans[0].light
    assert len(told) > 25
    for _, least_us, now, most_us in told:
        assert least_us <= now <= most_us + S // 10


def test_detectors_are_needed() -> None:
    with pytest.raises(ValueError, match="detectors"):
        node().advance(0, None, None)


# Priority ------------------------------------------------------------------------------------

GRANTED = PriorityParams(granted=True)


def test_a_request_ends_other_greens_at_their_shortest() -> None:
    steady = [(0, 0.5 * k) for k in range(300)]
    lights = node(2, GRANTED)
    run(lights, 5.0, [True, False], steady)
    assert lights.request(1, 4 * S, 7) is Answer.EARLIER
    run(lights, 8.1, [True, False], steady, from_s=5.1)
    assert lights.going == -1
    run(lights, 13.1, [True, False], steady, from_s=8.2)
    assert lights.going == 1


@pytest.mark.parametrize(("eta_s", "answer"), [(44.0, Answer.EXTENDED), (44.2, Answer.REFUSED)])
def test_a_green_is_extended_by_ten_seconds_beyond_its_longest(
    eta_s: float, answer: Answer
) -> None:
    """At 5 s, with somebody waiting from 0 s: 40 + 10 s, less one of margin and the 5 gone."""
    lights = node(2, GRANTED)
    run(lights, 5.0, [False, True])
    assert lights.request(0, round(eta_s * S), 7) is answer


def test_two_cycles_pass_before_the_next_is_served() -> None:
    lights = node(2, GRANTED)
    run(lights, 5.0, [False, False])
    assert lights.request(1, 4 * S, 7) is Answer.EARLIER
    assert lights.request(0, 4 * S, 8) is Answer.REFUSED
    turns, was, at = 0, lights.going, 5.1
    served = False
    while True:
        run(lights, at, [True, True], from_s=at)
        if lights.going >= 0 and lights.going != was:
            turns += served
            was = lights.going
        served |= lights.going == 1
        if served and lights.going == 0:
            answer = lights.request(1, 4 * S, 8)
            if answer is not Answer.REFUSED:
                break
        at = round(at + 0.1, 1)
        assert at < 300
    # Four turns are two cycles of two phases.
    assert 4 <= turns <= 5
