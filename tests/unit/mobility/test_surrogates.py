"""Surrogate safety measures against closed forms and tabulated values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from v2x.mobility.dynamics import stopping_distance_m
from v2x.mobility.surrogates import (
    BrakingSpreadParams,
    RssParams,
    braking_on_grade_mps2,
    crash_probability,
    modified_time_to_collision_s,
    rss_lateral_m,
    rss_longitudinal_m,
    rss_opposite_m,
)

#: Stopping distances [m] with 1.5 s: speed [km/h], then (friction, grade) -> distance.
STOPPING = {
    40: (25.7, 26.5, 32.4, 35.2, 49.8, 79.6),
    60: (45.2, 47.1, 60.4, 66.6, 99.5, 166.6),
    80: (69.3, 72.7, 96.3, 107.4, 165.8, 285.0),
    100: (97.8, 103.1, 140.0, 157.3, 248.7, 434.9),
}
ROADS = ((0.7, 0.0), (0.7, -0.06), (0.4, 0.0), (0.4, -0.06), (0.25, -0.06), (0.1, 0.0))


@pytest.mark.parametrize("speed_kmh", STOPPING)
def test_r11_stopping_distances(speed_kmh: int) -> None:
    """Regression R11: the stopping table within 1 %, with the exact deceleration on a grade."""
    friction, grade = np.array(ROADS).T
    braking = braking_on_grade_mps2(friction, grade)
    found = stopping_distance_m(speed_kmh / 3.6, 1.5, braking)
    np.testing.assert_allclose(found, STOPPING[speed_kmh], rtol=0.01)


@pytest.mark.parametrize(
    ("rear_kmh", "front_kmh", "grade", "safe_m"),
    [
        (80, 80, 0.0, 75.81),
        (100, 60, 0.0, 134.45),
        (80, 80, -0.06, 92.41),
        (80, 80, 0.06, 63.76),
    ],
)
def test_r11_rss_vectors(rear_kmh: float, front_kmh: float, grade: float, safe_m: float) -> None:
    """Regression R11: safe distances within 1 % (they agree to the centimetre)."""
    found = rss_longitudinal_m(rear_kmh / 3.6, front_kmh / 3.6, RssParams(), grade=grade)
    assert found == pytest.approx(safe_m, abs=0.006)


def test_rss_on_slippery_roads() -> None:
    """Friction 0.25 gives less than b_min: the rear one brakes with g (0.25 - 0.06)."""
    v, params = 80 / 3.6, RssParams()
    gain = 3.5 + 9.81 * 0.06
    rear = v + 0.5 * gain + (v + gain) ** 2 / (2 * 9.81 * 0.19)
    expected = rear - v**2 / (2 * (8.0 - 9.81 * 0.06))
    found = rss_longitudinal_m(v, v, params, friction=0.25, grade=-0.06)
    assert found == pytest.approx(expected)
    dry = rss_longitudinal_m(v, v, params, friction=0.75)
    assert dry == pytest.approx(rss_longitudinal_m(v, v, params))
    assert np.isfinite(rss_longitudinal_m(v, v, params, friction=0.05, grade=-0.1))


def test_rss_opposite_and_lateral() -> None:
    """Both speed up for a second and brake; sideways the same with a = 0.2, b = 0.8."""
    way = (10 + 13.5) / 2 + 13.5**2 / 8
    assert rss_opposite_m(10.0, 10.0, RssParams()) == pytest.approx(2 * way)
    # The left one comes over at 1 m/s, the right one stays.
    left = (1.0 + 1.2) / 2 + 1.2**2 / 1.6
    right = (0.0 - 0.2) / 2 - 0.2**2 / 1.6
    found = rss_lateral_m(1.0, 0.0, RssParams())
    assert found == pytest.approx(0.1 + left - right)
    assert rss_lateral_m(-2.0, 2.0, RssParams()) < found


def test_constants_are_checked() -> None:
    with pytest.raises(ValueError, match="response_s must be > 0"):
        RssParams(response_s=0.0)
    with pytest.raises(ValueError, match="deviation_mps2 must be > 0"):
        BrakingSpreadParams(deviation_mps2=-1.0)


@pytest.mark.parametrize(
    ("gap", "v_f", "v_l", "a_f", "a_l", "expected"),
    [
        (20, 20, 10, 0, 0, 2.0),  # TTC
        (20, 10, 20, 0, 0, math.inf),
        (20, 20, 20, 0, -4, math.sqrt(10)),  # the leader still rolls: t² = 2·20/4
        # Both roots are positive: closing at 10 with -2: 20 = 10 t - t².
        (20, 20, 10, -2, 0, 5 - math.sqrt(5)),
        (26, 20, 10, -2, 0, math.inf),  # 25 m would be enough for as fast as the leader
        (100, 20, 10, 0, -5, 110 / 20),  # the leader stands after 10 m
        (50, 10, 5, 1, 0, -5 + math.sqrt(125)),
        (5, 5, 0, -2, -1, (5 - math.sqrt(5)) / 2),  # the leader stands, and does not roll back
        (7, 5, 0, -2, -1, math.inf),  # stops after 6.25 m
        (-0.1, 0, 0, 0, 0, 0.0),
    ],
)
def test_modified_ttc(
    gap: float, v_f: float, v_l: float, a_f: float, a_l: float, expected: float
) -> None:
    assert modified_time_to_collision_s(gap, v_f, v_l, a_f, a_l) == pytest.approx(expected)


def test_late_contacts_do_not_count() -> None:
    assert modified_time_to_collision_s(30, 11, 10, 0, 0, within_s=20.0) == math.inf
    assert modified_time_to_collision_s(30, 11, 10, 0, 0, within_s=30.0) == pytest.approx(30.0)


@given(
    st.floats(0.5, 80),
    st.floats(0, 40),
    st.floats(0, 40),
    st.floats(-8, 3),
    st.floats(-8, 3),
)
def test_modified_ttc_is_when_the_distance_ends(
    gap: float, v_f: float, v_l: float, a_f: float, a_l: float
) -> None:
    """Against the motion itself: apart before, together then."""

    def moved(v: float, a: float, t: np.ndarray) -> np.ndarray:
        t = np.minimum(t, v / -a) if a < 0 else t
        return v * t + 0.5 * a * t * t

    found = float(modified_time_to_collision_s(gap, v_f, v_l, a_f, a_l, within_s=60.0))
    end = min(found, 60.0)
    t = np.linspace(0, end, 500)
    left = gap + moved(v_l, a_l, t) - moved(v_f, a_f, t)
    assert (left[:-1] > -1e-6).all()
    if found < math.inf:
        assert abs(left[-1]) < 1e-6 * max(gap, 1.0) + 1e-6 * end**2


def test_crash_probability() -> None:
    spread = BrakingSpreadParams()
    heavy = np.array([False, True, False, False])
    friction = np.array([0.75, 0.75, 0.375, 0.75])
    grade = np.array([0.0, 0.0, 0.0, -0.06])
    found = crash_probability(5.0, heavy, friction, grade, spread)
    fall = 9.81 * 0.06 / math.hypot(1.0, 0.06)
    expected = norm.cdf(
        [(5 - 8.45) / 1.4, (5 - 5.01) / 1.4, (5 - 4.225) / 0.7, (5 - 8.45 + fall) / 1.4]
    )
    np.testing.assert_allclose(found, expected)
    assert crash_probability(0.0, False, 0.05, -0.2, spread) == 0.0


def test_braking_on_a_grade_is_that_of_the_inclined_plane() -> None:
    theta = math.atan(-0.08)
    expected = 9.81 * (0.3 * math.cos(theta) + math.sin(theta))
    assert braking_on_grade_mps2(0.3, -0.08) == pytest.approx(expected)
    assert braking_on_grade_mps2(0.05, -0.08) == 0.0
