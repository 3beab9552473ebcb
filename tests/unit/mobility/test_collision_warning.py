"""Forward collision warnings: ranges against motion worked out, rules by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.mobility.collision_warning import (
    CampParams,
    TtcStages,
    WarningStage,
    berkeley_index,
    berkeley_range_m,
    braking_range_m,
    camp_acceleration_mps2,
    camp_range_m,
    honda_range_m,
    mazda_range_m,
    required_braking_mps2,
    stop_distance_m,
    ttc_stage,
)

CAMP = CampParams()


def least_gap_m(gap: float, v_f: float, v_l: float, a_l: float, b: float, delay: float) -> float:
    """Return the smallest gap of two vehicles, moved in small steps."""
    step, least, time = 1e-3, gap, 0.0
    while v_f > 0.0 and time < 100.0:
        a_f = -b if time >= delay else 0.0
        next_f, next_l = max(v_f + a_f * step, 0.0), max(v_l + a_l * step, 0.0)
        gap += 0.5 * step * (v_l + next_l - v_f - next_f)
        v_f, v_l, time, least = next_f, next_l, time + step, min(least, gap)
        if v_l > v_f and time > delay and a_l >= -b:
            break
    return least


@settings(max_examples=25, derandomize=True, deadline=None)
@given(
    v_f=st.floats(1.0, 35.0),
    v_l=st.floats(0.0, 35.0),
    a_l=st.sampled_from([-8.0, -4.0, -1.0, 0.0]),
    b=st.floats(1.0, 8.0),
    delay=st.floats(0.0, 2.0),
)
def test_the_range_is_where_braking_just_avoids_contact(
    v_f: float, v_l: float, a_l: float, b: float, delay: float
) -> None:
    needed = float(braking_range_m(v_f, v_l, a_l, b, delay))
    assert least_gap_m(needed, v_f, v_l, a_l, b, delay) >= -0.1
    if needed > 0.5:
        assert least_gap_m(needed - 0.3, v_f, v_l, a_l, b, delay) < 0.05


def test_friction_and_grade_bound_the_braking_that_is_assumed() -> None:
    """0.75 g (0.4 cos θ - sin θ) at -6 %: 2.50 instead of 3.575 m/s²."""
    dry = camp_acceleration_mps2(20.0, 20.0, -4.0, CAMP, friction=0.75)
    wet = camp_acceleration_mps2(20.0, 20.0, -4.0, CAMP, friction=0.4, grade=-0.06)
    assert dry == pytest.approx(-3.575)
    assert wet == pytest.approx(-0.75 * 9.81 * 0.34 / np.hypot(1.0, 0.06))
    ranges = camp_range_m(20.0, 20.0, -4.0, CAMP, friction=np.array([0.75, 0.4]))
    assert ranges[1] > ranges[0]


def test_leaders_that_draw_away_need_no_warning() -> None:
    assert camp_acceleration_mps2(20.0, 30.0, 3.0, CAMP) == pytest.approx(-1.618 + 0.783)
    assert camp_range_m(20.0, 30.0, 0.0, CAMP) == 0.0


def test_stop_distance_by_hand() -> None:
    """20 · 1 + 400/10 - 100/8 + 2."""
    assert stop_distance_m(20.0, 10.0, 1.0, 5.0, 4.0, 2.0) == pytest.approx(49.5)


def test_rules_of_makers_by_hand() -> None:
    """v = 20 m/s towards 12 m/s."""
    assert mazda_range_m(20.0, 8.0) == pytest.approx(0.5 * (400 / 6 - 144 / 8) + 2.0 + 4.8 + 5.0)
    assert honda_range_m(8.0) == pytest.approx(23.8)
    assert berkeley_range_m(20.0, 8.0) == pytest.approx(0.5 * (400 - 144) / 6 + 24.0 + 5.0)
    index = berkeley_index([50.0, 30.0, 20.0, 10.0], 50.0, 20.0)
    assert index == pytest.approx([1.0, 1.0 / 3.0, 0.0, -1.0 / 3.0])


@pytest.mark.parametrize(
    ("ttc_s", "stage"),
    [
        (np.inf, WarningStage.NONE),
        (4.01, WarningStage.NONE),
        (4.0, WarningStage.INFORM),
        (2.71, WarningStage.INFORM),
        (2.7, WarningStage.WARN),
        (1.81, WarningStage.WARN),
        (1.8, WarningStage.IMMINENT),
    ],
)
def test_each_side_of_the_stages(ttc_s: float, stage: WarningStage) -> None:
    assert ttc_stage(ttc_s, TtcStages()) == stage


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (CampParams, {"constant_mps2": 0.0}, "must leave braking"),
        (CampParams, {"per_leader_braking": -0.1}, "per_leader_braking"),
        (CampParams, {"reaction_s": -1.0}, "reaction_s must be >= 0"),
        (CampParams, {"friction_share": 1.1}, "friction_share must be in"),
        (TtcStages, {"warn_s": 5.0}, "must fall"),
        (TtcStages, {"imminent_s": 0.0}, "must fall"),
    ],
)
def test_bad_parameters_are_named(cls: Any, change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(**change)


@settings(max_examples=200, derandomize=True)
@given(
    v_f=st.floats(0.0, 40.0),
    v_l=st.floats(0.0, 40.0),
    a_l=st.sampled_from([0.0, -0.5, -2.0, -6.0, 1.0]),
    gap=st.floats(0.5, 200.0),
    delay=st.floats(0.0, 2.0),
)
def test_required_braking_is_the_inverse_of_the_range(
    v_f: float, v_l: float, a_l: float, gap: float, delay: float
) -> None:
    a_l = a_l if v_l > 0.0 else 0.0
    braking = float(required_braking_mps2(v_f, v_l, a_l, gap, delay))
    if 1e-3 < braking < np.inf:
        back = braking_range_m(v_f, v_l, a_l, braking, delay)
        assert float(back) == pytest.approx(gap, rel=1e-6, abs=1e-6)
    elif braking <= 1e-3:
        assert float(braking_range_m(v_f, v_l, a_l, 2e-3, delay)) <= gap + 1e-6
    else:
        # No braking is hard enough: the gap is gone when it begins.
        assert float(braking_range_m(v_f, v_l, a_l, 1e9, delay)) >= gap - 1e-3


def test_required_braking_by_hand() -> None:
    # (20 - 10)²/(2 · 25); 20²/(2 · (25 + 20²/(2 · 4))); nothing; too late
    found = required_braking_mps2(20.0, [10.0, 20.0, 25.0, 0.0], [0.0, -4.0, 0.0, 0.0], 25.0)
    assert found.tolist() == pytest.approx([2.0, 400.0 / 150.0, 0.0, 8.0])
    assert np.isinf(required_braking_mps2(20.0, 0.0, 0.0, 25.0, 1.25))
