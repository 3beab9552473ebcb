"""Margins of warnings by hand."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.mobility.timeliness import (
    alert_shift_s,
    distance_lost_m,
    is_nuisance,
    lead_time_s,
    margin_m,
    margin_s,
    required_distance_m,
)


def test_required_distance_of_a_slower_and_of_a_stopped_leader() -> None:
    """Δv t + Δv²/(2 b): 10 · 1.5 + 100/8, 20 · 1.5 + 400/8."""
    found = required_distance_m(20.0, [10.0, 0.0], 0.0, 1.5, 4.0)
    assert found == pytest.approx([27.5, 80.0])


def test_required_distance_of_a_braking_leader() -> None:
    """Both from 20 m/s with 4 m/s²: only the reaction counts, 20 · 1.5 m."""
    assert required_distance_m(20.0, 20.0, -4.0, 1.5, 4.0) == pytest.approx(30.0)


def test_margins_on_each_side_of_timely() -> None:
    margin = margin_m([80.1, 79.9, 60.0], 80.0)
    assert (margin >= 0.0).tolist() == [True, False, False]
    assert margin_s(margin, [20.0, 20.0, 0.0]) == pytest.approx([0.005, -0.005, -np.inf])
    assert margin_s(1.0, -1.0) == np.inf


def test_lead_times() -> None:
    assert lead_time_s([42.0, 42.0, 0.0], [20.0, 0.0, -1.0]).tolist() == [2.1, np.inf, 0.0]


@pytest.mark.parametrize(
    ("ttc_s", "braking_mps2", "annoys"),
    [(4.05, 3.0, False), (4.06, 3.0, True), (3.0, 0.982, False), (3.0, 0.98, True)],
)
def test_each_side_of_a_nuisance(ttc_s: float, braking_mps2: float, annoys: bool) -> None:
    """Above 1.5 · 2.7 s, or below 0.1 g."""
    assert bool(is_nuisance(ttc_s, 2.7, braking_mps2)) is annoys


def test_old_and_wrong_information() -> None:
    assert distance_lost_m(20.0, [0.1, 0.5]) == pytest.approx([2.0, 10.0])
    assert alert_shift_s([2.0, -2.0, 0.0, 1.0], [10.0, 10.0, 0.0, 0.0]) == pytest.approx(
        [0.2, -0.2, 0.0, np.inf]
    )
