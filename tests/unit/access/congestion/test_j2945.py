"""SAE J2945/1: vectors, density, loss and tracking error; method 2 of GB/T 45315-2025."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.access.base import TRANSMISSION
from v2x.access.congestion.j2945 import J2945, Gbt45315Density, Gbt45315DensityParams, J2945Params

from ....simulation_parts import fleet_state
from .channel import Channel, context, still


@pytest.mark.parametrize(
    ("density", "itt_ms"),
    [(0, 100), (10, 100), (25, 100), (50, 200), (100, 400), (150, 600), (200, 600)],
)
def test_interval_by_density(density: float, itt_ms: float) -> None:
    assert J2945Params().max_itt_ms(np.array([float(density)])).tolist() == [itt_ms]


@pytest.mark.parametrize(
    ("error_m", "probability"),
    [(0.1, 0.0), (0.2, 0.0), (0.25, 0.171), (0.3, 0.528), (0.4, 0.950), (0.49, 0.998), (0.5, 1.0)],
)
def test_probability_by_tracking_error(error_m: float, probability: float) -> None:
    found = J2945Params().send_probability(np.array([error_m]))[0]
    assert found == pytest.approx(probability, abs=5e-4)


@pytest.mark.parametrize(("density", "itt_ms"), [(30, 100), (37, 100), (38, 200), (63, 300)])
def test_gbt_rounds_to_whole_periods(density: float, itt_ms: float) -> None:
    rule = Gbt45315DensityParams().rule()
    assert rule.max_itt_ms(np.array([float(density)])).tolist() == [itt_ms]
    assert (rule.jitter_ms, rule.reschedule_ms) == (0.0, 25.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"range_m": 0.0}, "range_m must be > 0"),
        ({"density_weight": 0.0}, "density_weight must be above 0"),
        ({"max_interval_ms": 50.0}, "max_interval_ms must be >= 100"),
        ({"interval_multiple_ms": 0.0}, "interval_multiple_ms must be > 0"),
        ({"error_min_m": 0.5}, "error_min_m must be at least 0"),
        ({"jitter_ms": 100.0}, "jitter_ms must be within"),
        ({"loss_limit": 1.0}, "loss_limit must be within"),
        ({"loss_window_s": 0}, "loss_window_s must be at least 1"),
    ],
)
def test_values_the_equations_do_not_take(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(J2945Params(), **changes)


def on_air(*nodes: int) -> np.ndarray:
    out = np.zeros(len(nodes), dtype=TRANSMISSION)
    out["node"], out["n_subchannels"], out["priority"] = nodes, 1, 5
    return out


def seconds(
    control: J2945,
    links: list[tuple[int, int, int | None]],
    n: int,
    *,
    start_s: int = 0,
    senders: tuple[int, ...] = (),
) -> int:
    """Let seconds pass: `senders` speak each 100 ms; a last slot of None means always heard."""
    n_nodes = len(control.density)
    for tick in range(10 * start_s + 1, 10 * (start_s + n) + 1):
        control.admit(100 * tick - 50, on_air(*senders), np.zeros(0, dtype=np.int32))
        seen = [(a, b, 100 * tick - 50 if last is None else last) for a, b, last in links]
        now_us = tick * 100_000
        control.observe(now_us, still(n_nodes, now_us), Channel(0.0, seen))
    return start_s + n


def crowd(n_heard: int) -> list[tuple[int, int, int | None]]:
    """Return links over which row 0 hears the next rows."""
    return [(sender, 0, None) for sender in range(1, n_heard + 1)]


def test_density_counts_those_heard_in_the_last_second() -> None:
    control = J2945(J2945Params(), context(80))
    assert control.interval_ms()[0] == 100.0
    done = seconds(control, [*crowd(50), (60, 0, -1)], 1)
    assert control.density[0] == 50.0  # the first count is not smoothed
    assert control.interval_ms()[0] == 200.0
    done = seconds(control, crowd(70), 1, start_s=done)
    assert control.density[0] == pytest.approx(0.05 * 70 + 0.95 * 50)
    seconds(control, [(1, 0, 1500)], 1, start_s=done)  # heard 1.5 s ago
    assert control.density[0] == pytest.approx(0.95 * 51.0)
    control.forget(0)
    assert control.interval_ms()[0] == 100.0


def test_vehicles_do_not_count_in_step() -> None:
    """Ten vehicles, each with a second that ends 100 ms after that of the one before."""
    control = J2945(J2945Params(), context(10))
    for tick in range(1, 30):
        now_us = tick * 100_000
        control.observe(now_us, still(10, now_us), Channel())
        assert np.isfinite(control.density).sum() == min(max(tick - 9, 0), 10)


def test_loss_is_what_was_missed_of_what_was_sent() -> None:
    """Two senders, one of them never heard: half is lost, capped at 0.3; without a cap 0.5."""
    links: list[tuple[int, int, int | None]] = [(1, 0, None), (2, 0, -1)]
    for limit, expected in ((0.3, 0.3), (0.9, 0.5)):
        control = J2945(J2945Params(loss_limit=limit), context(3))
        done = seconds(control, links, 1, senders=(1, 2))
        assert control.loss.tolist() == [expected, 0.0, 0.0]
        assert np.isnan(control.density[1:]).all()  # whose seconds end later
        # five seconds with the first alone push the losses out of the window
        seconds(control, links[:1], 5, start_s=done, senders=(1,))
        assert control.loss[0] == 0.0


def test_who_is_silent_is_not_missed() -> None:
    control = J2945(J2945Params(), context(3))
    seconds(control, [(1, 0, -1)], 2)
    assert control.loss[0] == 0.0


def sent_ms(control: J2945, path: Any, until_ms: int) -> list[int]:
    """Offer a message each 100 ms along ``path(s) -> x, speed``; returns when it sends [ms]."""
    sent = []
    for ms in range(0, until_ms, 100):
        x_m, speed_mps = path(ms / 1000.0)
        state = fleet_state(ms * 1000, [x_m], speed_mps=speed_mps)
        answer = control.release(np.array([ms * 1000]), np.zeros(1, dtype=np.int32), state)
        if answer[0] >= 0:
            sent.append(int(answer[0]) // 1000)
    return sent


def dense(density: float, params: J2945Params | None = None) -> J2945:
    control = J2945(params or J2945Params(), context(1))
    control.density[:] = density
    return control


def steady(s: float) -> tuple[float, float]:
    return 20.0 * s, 20.0


def test_a_steady_vehicle_in_a_crowd_speaks_at_the_longest_interval() -> None:
    assert sent_ms(dense(10), steady, 1000) == list(range(0, 1000, 100))
    assert sent_ms(dense(100), steady, 2000) == [0, 400, 800, 1200, 1600]
    assert sent_ms(dense(500), steady, 2000) == [0, 600, 1200, 1800]


def test_a_message_due_within_25_ms_goes_at_once() -> None:
    """Max_ITT 220 ms: 200 ms is 20 ms short, with jitter of 5 ms always enough; 230 is not."""
    assert sent_ms(dense(55), steady, 1000) == [0, 200, 400, 600, 800]
    assert sent_ms(dense(57.6), steady, 1000) == [0, 300, 600, 900]


def braking(s: float) -> tuple[float, float]:
    """Brake from 20 m/s at 6 m/s² after 2 s: after 0.4 s others are 0.48 m off, then more."""
    t = max(s - 2.0, 0.0)
    return 20.0 * s - 3.0 * t**2, 20.0 - 6.0 * t


def test_braking_makes_others_lose_track_and_speeds_messages_up() -> None:
    control = dense(500)
    sent = sent_ms(control, braking, 4000)
    before = [ms for ms in sent if ms <= 2000]
    during = [ms for ms in sent if ms > 2000]
    assert np.diff(before).tolist() == [600, 600, 600]
    # the error since the last message is 3 t²: 0.27 m after 300 ms, 0.48 m after 400 ms
    assert np.diff(during).max() <= 500
    assert np.diff(during).min() >= 300


def test_whoever_may_have_been_missed_is_presumed_unheard() -> None:
    """With a certain loss the state others know stays old, until three in a row were lost."""
    for until_ms, known_us in ((200, None), (300, 200_000)):
        control = dense(10, J2945Params(loss_limit=0.99))
        control.loss[:] = 1.0
        assert len(sent_ms(control, steady, until_ms)) == until_ms // 100
        assert (control._known.time_us[0] == known_us) == (known_us is not None)


def test_counts_of_messages_and_the_gbt_control() -> None:
    control = Gbt45315Density(Gbt45315DensityParams(), context(1))
    assert control.heard_range_m == 100.0
    control.density[:] = 60.0  # 240 ms, rounded to 200
    assert sent_ms(control, steady, 1000) == [0, 200, 400, 600, 800]
    state = control.take_state(1000)
    assert (state.n_offered[0], state.n_suppressed[0], state.interval_ms[0]) == (10, 5, 200.0)
