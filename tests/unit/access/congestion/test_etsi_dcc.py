"""TS 102 687: the states of reactive DCC, and where adaptive DCC settles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.access.congestion.etsi_dcc import (
    EtsiDccAdaptive,
    EtsiDccAdaptiveParams,
    EtsiDccReactive,
    EtsiDccReactiveParams,
)

from .channel import context, observe, release


@pytest.mark.parametrize(
    ("cbr", "state"),
    [
        (0.0, 0),
        (0.29, 0),
        (0.30, 1),
        (0.31, 1),
        (0.40, 2),
        (0.50, 3),
        (0.60, 3),
        (0.61, 4),
        (1.0, 4),
    ],
)
def test_states_by_busy_ratio(cbr: float, state: int) -> None:
    assert EtsiDccReactiveParams().state(np.array([cbr])).tolist() == [state]


def test_one_step_per_evaluation_up_and_down() -> None:
    """From relaxed to restrictive takes four evaluations of 200 ms, and as many back."""
    control = EtsiDccReactive(EtsiDccReactiveParams(), context())
    states, tick = [], 0
    for cbr, n in ((0.9, 10), (0.0, 10)):
        for _ in range(n):
            tick = observe(control, cbr, start=tick)
            states.append(int(control.state[0]))
    assert states == [1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0]


def test_a_short_peak_moves_by_one_state_only() -> None:
    """What hysteresis there is: the state follows a step at a time, so a peak is forgotten."""
    control = EtsiDccReactive(EtsiDccReactiveParams(), context())
    tick = observe(control, 0.35, 4)
    tick = observe(control, 0.95, 2, start=tick)
    assert control.state.tolist() == [2]
    observe(control, 0.35, 2, start=tick)
    assert control.state.tolist() == [1]


def test_intervals_belong_to_states() -> None:
    control = EtsiDccReactive(EtsiDccReactiveParams(), context(2))
    seen = [control.interval_ms()[0]]
    tick = 0
    for _ in range(4):
        tick = observe(control, [0.9, 0.0], 2, start=tick)
        seen.append(control.interval_ms()[0])
    assert seen == [100.0, 200.0, 400.0, 500.0, 1000.0]
    assert control.interval_ms()[1] == 100.0
    control.forget(0)
    assert control.interval_ms()[0] == 100.0


def test_stations_do_not_evaluate_in_step() -> None:
    control = EtsiDccReactive(EtsiDccReactiveParams(), context(2))
    tick = observe(control, [0.9, 0.9])
    assert control.state.tolist() == [1, 0]
    observe(control, [0.9, 0.9], start=tick)
    assert control.state.tolist() == [1, 1]


def test_what_measured_nothing_keeps_its_busy_ratio() -> None:
    control = EtsiDccReactive(EtsiDccReactiveParams(), context())
    tick = observe(control, 0.35, 2)
    observe(control, np.nan, 4, start=tick)
    assert control.state.tolist() == [1]


def test_the_gate_holds_messages_back() -> None:
    """Active 1: every other message of 10 Hz; one that comes 50 ms too soon waits."""
    control = EtsiDccReactive(EtsiDccReactiveParams(), context())
    observe(control, 0.35)
    assert [release(control, ms) for ms in (0, 100, 200, 300, 350)] == [
        0,
        -1,
        200_000,
        -1,
        400_000,
    ]


@pytest.mark.parametrize(
    ("params", "changes", "message"),
    [
        (EtsiDccReactiveParams(), {"cbr_bounds": (0.3, 0.2, 0.5, 0.6)}, "cbr_bounds must ascend"),
        (EtsiDccReactiveParams(), {"intervals_ms": (100, 200)}, "intervals_ms must have one"),
        (EtsiDccReactiveParams(), {"intervals_ms": (0, 1, 2, 3, 4)}, "intervals_ms must be with"),
        (EtsiDccReactiveParams(), {"evaluation_ms": 150}, "evaluation_ms must be a multiple"),
        (EtsiDccAdaptiveParams(), {"target_cbr": 1.0}, "target_cbr must be within"),
        (EtsiDccAdaptiveParams(), {"alpha": 0.0}, "alpha must be within"),
        (EtsiDccAdaptiveParams(), {"min_share": 0.1}, "min_share must be above 0"),
        (EtsiDccAdaptiveParams(), {"time_on_air_ms": 0.0}, "time_on_air_ms must be > 0"),
    ],
)
def test_tables_that_are_none(params: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(params, **changes)


def test_a_constant_busy_ratio_is_its_own_mean() -> None:
    """Weights of 0.5, 0.25 and 0.25: not the half of it that one public simulator settles at."""
    params, smooth = EtsiDccAdaptiveParams(), np.array([0.0])
    for _ in range(40):
        smooth = params.smoothed(smooth, np.array([0.42]), np.array([0.42]))
    assert smooth[0] == pytest.approx(0.42)


def test_changes_and_shares_are_limited() -> None:
    params = EtsiDccAdaptiveParams()
    share = np.array([0.01])
    # beta (0.68 - 0) = 0.000816 is cut to 0.0005, beta (0.68 - 1) = -0.000384 to -0.00025
    assert params.next_share(share, np.array([0.0]))[0] == pytest.approx(0.984 * 0.01 + 0.0005)
    assert params.next_share(share, np.array([1.0]))[0] == pytest.approx(0.984 * 0.01 - 0.00025)
    assert params.next_share(np.array([0.031]), np.array([0.0]))[0] == 0.03
    assert params.next_share(np.array([0.0006]), np.array([1.0]))[0] == 0.0006


def settle(n_stations: int, n_evaluations: int = 2000, **changes: Any) -> tuple[float, float]:
    """Let stations share a channel; returns busy ratio and share of each in the end."""
    params = replace(EtsiDccAdaptiveParams(), **changes)
    control = EtsiDccAdaptive(params, context(n_stations))
    tick, cbr = 0, 0.0
    for _ in range(2 * n_evaluations):
        cbr = min(float(control.share.sum()), 1.0)
        tick = observe(control, np.full(n_stations, cbr), start=tick)
    assert control.share == pytest.approx(control.share[0], rel=1e-3)
    return cbr, float(control.share[0])


@pytest.mark.parametrize("n_stations", [25, 50, 150, 400])
def test_stations_settle_where_the_closed_form_says(n_stations: int) -> None:
    r"""Fixed point of delta = (1 - alpha) delta + beta (CBR_t - K delta).

    delta = beta CBR_t / (alpha + beta K), for K stations whose shares add up to the CBR.
    """
    cbr, share = settle(n_stations)
    expected = 0.0012 * 0.68 / (0.016 + 0.0012 * n_stations)
    assert 0.0006 < expected < 0.03
    assert share == pytest.approx(expected, rel=2e-3)
    assert cbr == pytest.approx(n_stations * expected, rel=2e-3)


def test_too_many_stations_speak_as_little_as_they_may() -> None:
    _, share = settle(1200, n_evaluations=200)
    assert share == 0.0006


def test_the_gate_opens_after_time_on_air_over_share() -> None:
    """One of five subchannels for a slot: 0.2 ms on air; 0.0006 of the time is once in 333 ms."""
    control = EtsiDccAdaptive(EtsiDccAdaptiveParams(), context())
    assert control.interval_ms()[0] == pytest.approx(0.2 / 0.0006, abs=1e-3)
    slow = EtsiDccAdaptive(EtsiDccAdaptiveParams(time_on_air_ms=1.0), context())
    assert slow.interval_ms()[0] == 1000.0
    fast = EtsiDccAdaptive(EtsiDccAdaptiveParams(min_share=0.03), context())
    assert fast.interval_ms()[0] == 25.0
    # gates at 0, 333.3, 666.7: the messages of 300 and 600 wait, those between are not generated
    answers = [release(control, ms) for ms in range(0, 700, 100)]
    gate = int(control.interval_us[0])
    assert answers == [0, -1, -1, gate, -1, -1, 2 * gate]


def test_a_newcomer_takes_the_first_measurement_for_those_before() -> None:
    control = EtsiDccAdaptive(EtsiDccAdaptiveParams(evaluation_ms=100), context(2))
    tick = observe(control, [0.68, 0.68], 20)
    control.forget(1)
    assert control.share[1] == 0.0006
    before = control.share.copy()
    observe(control, [0.68, 0.68], start=tick)
    assert control.share[0] == pytest.approx(max(0.984 * before[0], 0.0006))
    assert control.share[1] == 0.0006
