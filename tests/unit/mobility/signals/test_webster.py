"""Webster's formulas, and his delay against arrivals at random."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from v2x import rng
from v2x.mobility.junctions import lane_network
from v2x.mobility.signals import change, webster
from v2x.mobility.signals.phases import signal_phases
from v2x.mobility.signals.webster import SaturationParams, cycle_s, flow_ratios, greens_s
from v2x.mobility.webster import webster_delay_s
from v2x.world import synthetic


@pytest.mark.parametrize("module", [webster, change])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_the_cycle_stays_within_its_bounds() -> None:
    assert cycle_s(12.0, 0.5) == pytest.approx((1.5 * 12.0 + 5.0) / 0.5)
    assert cycle_s(12.0, 0.5, least_s=60.0) == 60.0
    assert cycle_s(12.0, 0.9, most_s=120.0) == 120.0
    assert cycle_s(12.0, 0.949, most_s=1e4) == pytest.approx(23.0 / 0.051)
    assert cycle_s(12.0, 0.951, most_s=1e4) == 1e4


def test_greens_fill_the_cycle_and_are_never_too_short() -> None:
    draw = rng.stream(7, "greens")
    for _ in range(200):
        n = int(draw.integers(1, 7))
        ratio = draw.random(n) * (draw.random(n) < 0.8)
        greens = greens_s(ratio.tolist(), 100.0, 8.0)
        assert sum(greens) == pytest.approx(100.0)
        assert min(greens) >= 8.0 - 1e-9
        long = [k for k in range(n) if greens[k] > 8.0 + 1e-9]
        if ratio.any():
            assert np.ptp([greens[k] / ratio[k] for k in long]) < 1e-6


def queue_delay_s(
    cycle: float, green: float, flow: float, saturation: float, cycles: int
) -> np.ndarray:
    """Return the delay of each vehicle: Poisson arrivals, one server that works in the green."""
    draw = rng.stream(3, "webster", round(1000 * flow))
    arrival = np.cumsum(draw.exponential(1.0 / flow, round(flow * cycle * cycles)))
    service = 1.0 / saturation
    free, left = 0.0, np.empty(len(arrival))
    for k, at in enumerate(arrival.tolist()):
        start = max(at, free)
        in_cycle = start % cycle
        # Whoever begins in the green is served; the last one may cross in the yellow.
        if in_cycle >= green:
            start += cycle - in_cycle
        left[k] = start
        free = start + service
    return left - arrival


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_delay_of_an_isolated_approach(load: float) -> None:
    """Within 12 % and three standard errors of blocks of 20 cycles."""
    cycle, green, saturation = 60.0, 30.0, 0.5
    flow = load * saturation * green / cycle
    delay = queue_delay_s(cycle, green, flow, saturation, 4000)
    blocks = np.array([part.mean() for part in np.array_split(delay, 200)])
    error = blocks.std(ddof=1) / np.sqrt(len(blocks))
    expected = float(webster_delay_s(cycle, green, flow, saturation))
    assert abs(delay.mean() - expected) < 0.12 * expected + 3.0 * error


def test_uphill_lanes_let_fewer_through() -> None:
    saturation = SaturationParams()
    assert saturation.per_s(0.0) == 0.5
    assert saturation.per_s(-0.06) == 0.5
    assert saturation.per_s(0.06) == pytest.approx(0.5 * 0.82)
    network = lane_network(synthetic.build("hill-arterial", n_signals=1, grade=0.06))
    (item,) = signal_phases(network)
    flow = np.where(network.signal >= 0, 0.1, 0.0)
    ratio = flow_ratios(item, network, flow, saturation)
    # The climbing direction decides: three lanes for straight on and right, one for the left.
    assert ratio[0] == pytest.approx(2 * 0.1 / (3 * 0.41))
    assert ratio[3] == pytest.approx(0.1 / 0.41)
    assert ratio[1] == pytest.approx(3 * 0.1 / 0.5)
