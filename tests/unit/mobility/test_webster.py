"""Fixed-time signals by hand."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.mobility.webster import (
    green_splits_s,
    saturation_flow_per_s,
    webster_cycle_s,
    webster_delay_s,
)


def test_cycle_and_splits() -> None:
    """L = 12 s, y = 0.35 and 0.25: (18 + 5)/0.4."""
    cycle = webster_cycle_s(12.0, [0.35, 0.25])
    assert cycle == pytest.approx(57.5)
    green = green_splits_s(cycle, 12.0, [0.35, 0.25])
    assert green == pytest.approx([45.5 * 35 / 60, 45.5 * 25 / 60])
    assert green.sum() + 12.0 == pytest.approx(cycle)


def test_the_cycle_has_the_least_delay() -> None:
    """Total delay of two phases over cycles: flat about Webster's, worse far from it."""
    flow, saturation, lost = np.array([0.15, 0.15]), 0.5, 10.0
    best = webster_cycle_s(lost, flow / saturation)

    def total(cycle: float) -> float:
        green = green_splits_s(cycle, lost, flow / saturation)
        return float((flow * webster_delay_s(cycle, green, flow, saturation)).sum())

    cycles = np.arange(27.0, 150.0, 1.0)
    delays = np.array([total(cycle) for cycle in cycles])
    assert total(best) < 1.05 * delays.min()
    assert total(0.6 * best) > 1.2 * total(best)
    assert total(3.0 * best) > 1.2 * total(best)


def test_delay() -> None:
    """C = 80, λ = 0.4, q = 0.15, s = 0.5: x = 0.75."""
    expected = 0.9 * (80 * 0.36 / (2 * (1 - 0.3)) + 0.75**2 / (2 * 0.15 * 0.25))
    assert webster_delay_s(80.0, 32.0, 0.15, 0.5) == pytest.approx(expected)
    assert webster_delay_s(80.0, 32.0, [0.2, 0.3], 0.5).tolist() == [np.inf, np.inf]
    assert webster_delay_s(80.0, 0.0, 0.1, 0.5) == np.inf
    assert webster_delay_s(80.0, 32.0, 0.0, 0.5) == pytest.approx(0.9 * 80 * 0.36 / 2)


def test_saturation_flow_falls_uphill_only() -> None:
    assert saturation_flow_per_s([-0.05, 0.0, 0.02]) == pytest.approx([0.5, 0.5, 0.47])
    assert saturation_flow_per_s(0.0, lanes=2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: webster_cycle_s(10.0, [0.6, 0.4]), "less than 1"),
        (lambda: green_splits_s(60.0, 10.0, [0.0, 0.0]), "must not be zero"),
        (lambda: green_splits_s(10.0, 10.0, [0.1]), "longer than lost_s"),
    ],
)
def test_impossible_junctions(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
