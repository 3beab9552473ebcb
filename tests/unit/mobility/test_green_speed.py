"""Advice for green lights: by hand, and that who follows it arrives in the green."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.mobility.dynamics import EngineParams, crawl_speed_mps
from v2x.mobility.green_speed import (
    GreenSpeedParams,
    arrival_s,
    climbing_ability,
    cruise_speed_mps,
    green_speed,
    speed_interval_mps,
)

PARAMS = GreenSpeedParams()


def advise(distance: float, speed: float, start: Any, end: Any, **options: Any) -> Any:
    """Return the advice to one vehicle with a limit of 60 km/h."""
    one = green_speed([distance], [speed], [60 / 3.6], [start], [end], PARAMS, **options)
    return float(one.speed_mps[0]), int(one.window[0]), float(one.arrival_s[0])


def test_interval() -> None:
    """300 m, green from 20 to 40 s: 7.5 to 15 m/s, cut by the limits; empty beyond them."""
    low, high = speed_interval_mps(300.0, [20.0, 20.0, 10.0, -5.0], [40.0, 40.0, 15.0, 5.0], 8, 14)
    assert low == pytest.approx([8.0, 8.0, 20.0, 60.0])
    assert high == pytest.approx([14.0, 14.0, 14.0, 14.0])
    assert (low <= high).tolist() == [True, True, False, False]


def test_a_green_that_lasts_is_taken_at_the_limit() -> None:
    speed, window, arrival = advise(300.0, 60 / 3.6, [-10.0], [30.0])
    assert (speed, window) == (pytest.approx(60 / 3.6), 0)
    assert arrival == pytest.approx(18.0)


def test_who_would_be_early_slows_down_just_enough() -> None:
    """300 m in 25 s from 60 km/h with 1.5 m/s²: D = v t + (v - v0)²/(2 b)."""
    speed, _, arrival = advise(300.0, 60 / 3.6, [25.0], [40.0])
    assert arrival == pytest.approx(25.0)
    assert speed * 25.0 + (60 / 3.6 - speed) ** 2 / 3.0 == pytest.approx(300.0)


@pytest.mark.parametrize(("end_s", "window"), [(18.01, 0), (17.99, 1)])
def test_each_side_of_the_end_of_green(end_s: float, window: int) -> None:
    """18 s to the line at the limit; else the next green counts."""
    assert advise(300.0, 60 / 3.6, [-1.0, 30.0], [end_s, 50.0])[1] == window


@pytest.mark.parametrize(("start_s", "window"), [(35.5, 0), (37.5, -1)])
def test_each_side_of_the_least_speed(start_s: float, window: int) -> None:
    """300 m at 30 km/h take 36 s, a little less with the braking before."""
    speed, found, arrival = advise(300.0, 30 / 3.6, [start_s], [start_s + 5.0])
    assert found == window
    assert np.isnan(speed) == np.isnan(arrival) == (window < 0)


def test_queues_clear_first() -> None:
    """Six waiting vehicles: 12 s more."""
    assert advise(300.0, 15.0, [10.0], [40.0], n_waiting=[6])[2] == pytest.approx(22.0)
    assert advise(300.0, 15.0, [10.0], [21.0], n_waiting=[6])[1] == -1


def test_who_cannot_speed_up_on_a_slope_arrives_later() -> None:
    """A truck at 6 % of grade crawls at 47 km/h or less and has no power to spare."""
    truck = EngineParams(power_w=260e3, mass_kg=25e3, drag_area_m2=6.0)
    up, limit = climbing_ability([10.0, 10.0], [60 / 3.6] * 2, [0.0, 0.06], truck, PARAMS)
    assert limit == pytest.approx([60 / 3.6, crawl_speed_mps(0.06, truck)])
    assert up[0] > 3.0 * up[1]
    ends = [[22.0], [22.0]]
    found = green_speed(
        [300.0] * 2, [10.0] * 2, limit, [[-1.0]] * 2, ends, PARAMS, acceleration_mps2=up
    )
    assert found.window.tolist() == [0, -1]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    distance=st.floats(20.0, 600.0),
    speed=st.floats(0.0, 20.0),
    start=st.floats(-20.0, 60.0),
    length=st.floats(1.0, 40.0),
    waiting=st.integers(0, 5),
)
def test_who_follows_the_advice_arrives_in_the_green(
    distance: float, speed: float, start: float, length: float, waiting: int
) -> None:
    """Moved in small steps; and no speed 2 % higher would do."""
    limit = 60 / 3.6
    advice, window, _ = advise(distance, speed, [start], [start + length], n_waiting=[waiting])
    opens = max(start, 0.0) + 2.0 * waiting
    if window < 0:
        return
    assert PARAMS.least_speed_mps <= advice <= limit + 1e-9

    def arrival(target: float) -> float:
        x, v, time, step = 0.0, speed, 0.0, 1e-3
        while x < distance:
            most = PARAMS.acceleration_mps2 if target > v else PARAMS.deceleration_mps2
            after = v + np.clip(target - v, -most * step, most * step)
            x, v, time = x + 0.5 * step * (v + after), after, time + step
        return time

    assert opens - 0.05 <= arrival(advice) <= start + length + 0.05
    if advice < limit / 1.02 and arrival(advice * 1.02) < arrival(advice) - 0.1:
        assert arrival(advice * 1.02) < opens + 0.05


def test_cruise_speed_is_the_inverse_of_the_arrival() -> None:
    speed = cruise_speed_mps(300.0, [15.0, 20.0, 30.0], 15.0, 1.2, 1.5)
    assert arrival_s(300.0, 15.0, speed, 1.2, 1.5) == pytest.approx([15.0, 20.0, 30.0])
    assert speed[1] == pytest.approx(15.0)
    assert np.isnan(cruise_speed_mps([300.0, 20.0], [5.0, 60.0], 15.0, 1.2, 1.5)).all()


@pytest.mark.parametrize(
    "change",
    [
        {"least_speed_mps": 0.0},
        {"clearing_s": -1.0},
        {"acceleration_mps2": 0.0},
        {"deceleration_mps2": np.nan},
    ],
)
def test_bad_parameters_are_named(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        GreenSpeedParams(**change)
