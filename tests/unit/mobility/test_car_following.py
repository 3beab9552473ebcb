from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.mobility.car_following import (
    IdmParams,
    desired_gap_m,
    equilibrium_gap_m,
    equilibrium_speed_mps,
    idm_acceleration_mps2,
    safe_speed_mps,
)

DRIVER = IdmParams()


def test_acceleration_on_an_empty_road() -> None:
    speed = np.array([0.0, 16.65, 33.3])
    a = idm_acceleration_mps2(speed, np.inf, 0.0, 33.3, DRIVER)
    assert a == pytest.approx([1.2, 1.2 * (1 - 0.5**4), 0.0])


def test_standing_queue_is_at_rest() -> None:
    assert idm_acceleration_mps2(0.0, DRIVER.min_gap_m, 0.0, 33.3, DRIVER) == pytest.approx(0.0)


def test_opening_gap_never_asks_for_less_than_the_queue_gap() -> None:
    assert desired_gap_m(20.0, -100.0, DRIVER) == DRIVER.min_gap_m


@given(st.floats(0.0, 33.0), st.floats(0.5, 200.0), st.floats(-20.0, 20.0))
def test_acceleration_falls_with_closing_speed_and_rises_with_gap(
    speed: float, gap: float, closing: float
) -> None:
    def a(gap_m: float, closing_mps: float) -> float:
        return float(idm_acceleration_mps2(speed, gap_m, closing_mps, 33.3, DRIVER))

    assert a(gap, closing + 1.0) <= a(gap, closing)
    assert a(gap + 1.0, closing) >= a(gap, closing)


@given(st.floats(2.0, 500.0), st.floats(5.0, 40.0))
def test_equilibrium_speed_inverts_the_gap(gap: float, desired: float) -> None:
    speed = float(equilibrium_speed_mps(gap, desired, DRIVER))
    assert 0.0 <= speed <= desired
    if 0.0 < speed < 0.999 * desired:
        assert equilibrium_gap_m(speed, desired, DRIVER) == pytest.approx(gap, rel=1e-9)
        assert idm_acceleration_mps2(speed, gap, 0.0, desired, DRIVER) == pytest.approx(
            0.0, abs=1e-9
        )


def test_no_equilibrium_above_the_desired_speed_or_below_the_queue_gap() -> None:
    assert np.isinf(equilibrium_gap_m(33.3, 33.3, DRIVER))
    assert equilibrium_speed_mps(1.0, 33.3, DRIVER) == 0.0


@given(st.floats(0.0, 40.0), st.floats(0.0, 300.0), st.sampled_from([5.0, 8.0]))
def test_safe_speed_stops_in_the_available_distance(
    speed: float, available: float, brake: float
) -> None:
    after = float(safe_speed_mps(speed, available, brake, 0.1))
    used = 0.05 * (speed + after) + after**2 / (2 * brake)
    if after > 0.0:
        assert used == pytest.approx(available, abs=1e-9)
    else:
        assert 0.05 * speed >= available - 1e-9


@given(st.floats(0.0, 40.0), st.sampled_from([5.0, 8.0]))
def test_who_can_stop_once_always_can(speed: float, brake: float) -> None:
    """Braking along the safe speed needs no more than the emergency deceleration."""
    available = speed**2 / (2 * brake)
    while speed > 0.0:
        after = float(safe_speed_mps(speed, available, brake, 0.1))
        assert after >= speed - brake * 0.1 - 1e-6
        available -= 0.05 * (speed + after) if after else min(0.05 * speed, available)
        speed = after
    assert available >= -1e-9


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (IdmParams, "headway_s", 0.0),
        (IdmParams, "min_gap_m", -1.0),
        (IdmParams, "emergency_mps2", 1.0),
        (IdmParams, "desired_speed_mps", math.nan),
    ],
)
def test_bad_parameters_are_named(kind: type, field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        kind(**{field: value})
