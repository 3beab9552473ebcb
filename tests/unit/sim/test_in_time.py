"""Until when a message would still have let somebody stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.mobility.surrogates import braking_on_grade_mps2
from v2x.records.tables import ConflictKind
from v2x.sim.safety.in_time import WarnedDriverParams, decision_s

DRIVER = WarnedDriverParams(hmi_s=0.2, reaction_s=1.0, deceleration_mps2=4.0)


def latest(*, of_other: bool = False, driver: WarnedDriverParams = DRIVER, **changes: Any) -> float:
    row: dict[str, Any] = {
        "kind": ConflictKind.FOLLOWING,
        "worst_s": 20.0,
        "min_ttc_s": 2.0,
        "speed_mps": 24.0,
        "other_speed_mps": 8.0,
        "closing_mps": 16.0,
        "friction": 0.75,
        "grade": 0.0,
    } | changes
    table = {name: np.array([value]) for name, value in row.items()}
    return float(decision_s(table, driver, of_other=of_other)[0])


def test_behind_somebody_the_closing_speed_has_to_go() -> None:
    """Contact at 22 s; from 16 m/s at 4 m/s² half of 4 s are lost on the way; then 1.2 s."""
    assert latest() == pytest.approx(22.0 - 2.0 - 1.2)
    assert latest(kind=ConflictKind.MERGING) == pytest.approx(18.8)


def test_the_margin_is_zero_at_the_last_moment() -> None:
    """The distance left at the decision is that of reaction and braking: M = s - v t - v²/(2 b)."""
    left_m = 16.0 * (22.0 - latest())
    assert left_m == pytest.approx(16.0 * 1.2 + 16.0**2 / (2 * 4.0))


@pytest.mark.parametrize("kind", [ConflictKind.CROSSING, ConflictKind.HEAD_ON])
def test_across_everybody_has_to_stop(kind: ConflictKind) -> None:
    assert latest(kind=kind) == pytest.approx(22.0 - 3.0 - 1.2)
    assert latest(kind=kind, of_other=True) == pytest.approx(22.0 - 1.0 - 1.2)


def test_who_is_ahead_cannot_help_by_braking() -> None:
    assert np.isnan(latest(of_other=True))


def test_ice_and_grade_take_their_time() -> None:
    available = float(braking_on_grade_mps2(0.3, -0.06))
    assert available < 4.0
    assert latest(friction=0.3, grade=-0.06) == pytest.approx(22.0 - 8.0 / available - 1.2)
    assert np.isnan(latest(friction=0.05, grade=-0.06))


def test_a_crossing_without_ttc_is_at_its_own_time() -> None:
    crossing = {"kind": ConflictKind.CROSSING, "min_ttc_s": np.inf}
    assert latest(**crossing) == pytest.approx(20.0 - 3.0 - 1.2)


def test_who_does_not_close_in_needs_no_brakes() -> None:
    assert latest(closing_mps=-1.0) == pytest.approx(22.0 - 1.2)


@pytest.mark.parametrize(
    "changes", [{"hmi_s": -0.1}, {"reaction_s": 11.0}, {"deceleration_mps2": 0.0}]
)
def test_drivers_that_nobody_is(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(changes))} must be within"):
        WarnedDriverParams(**changes)
