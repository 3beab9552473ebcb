"""R5: periods of CAMs at 10, 20 and 45 m/s, in a curve, and at a stop (applications.md 8.12)."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.applications.cam import Cam, CamParams
from v2x.messages.etsi.cam_rules import CamGeneration, CamGenerationParams

from ..simulation_parts import fleet_state

TICK_US = 100_000


def times_s(
    x_m: np.ndarray, speed_mps: np.ndarray, heading_deg: np.ndarray | None = None
) -> np.ndarray:
    """Return when one car sends whose state in each tick of 100 ms is given [s]."""
    rules, row = CamGeneration(CamGenerationParams()), np.zeros(1, dtype=np.int32)
    heading = np.zeros(len(x_m)) if heading_deg is None else np.radians(heading_deg)
    sent = []
    for k, (x, speed, angle) in enumerate(zip(x_m, speed_mps, heading, strict=True)):
        fleet = fleet_state(k * TICK_US, [x], speed_mps=speed, heading_rad=angle)
        if rules.check(np.array([k * TICK_US]), row, fleet).due[0]:
            sent.append(k / 10)
    return np.array(sent)


@pytest.mark.parametrize(
    ("speed_mps", "period_s"), [(10.0, 0.4), (20.0, 0.2), (39.0, 0.2), (45.0, 0.1), (3.0, 1.0)]
)
def test_constant_speed(speed_mps: float, period_s: float) -> None:
    """max(0.1, ceil(4 / v / 0.1) 0.1), and never more than a second."""
    k = np.arange(100)
    sent = times_s(k * speed_mps / 10, np.full(100, speed_mps))
    assert np.allclose(np.diff(sent), period_s)
    assert len(sent) > 8


@pytest.mark.parametrize(("turn_degps", "period_s"), [(8.0, 0.5), (13.0, 0.4), (30.0, 0.2)])
def test_turning_on_the_spot(turn_degps: float, period_s: float) -> None:
    """4 degrees are 0.5 s at 8 degrees per second, and after 0.31 s at 13 comes the fourth tick."""
    k = np.arange(100)
    sent = times_s(np.zeros(100), np.zeros(100), k * turn_degps / 10)
    assert np.allclose(np.diff(sent), period_s)


def test_braking_to_a_stop() -> None:
    """By 0.5 m/s every tick at 6 m/s²; then three more by the last interval, and each second."""
    k = np.arange(120)
    speed = np.maximum(15.0 - 0.6 * k, 0.0)
    sent = times_s(np.concatenate([[0.0], np.cumsum(speed[:-1] / 10)]), speed)
    braking = sent[sent <= 2.5]
    assert np.allclose(np.diff(braking), 0.1)
    after = sent[sent > 2.5]
    assert np.allclose(after[:3], [2.6, 2.7, 2.8])
    assert np.allclose(np.diff(after[2:]), 1.0)


@pytest.mark.parametrize(("speed_mps", "rate_hz"), [(10.0, 2.5), (20.0, 5.0), (45.0, 10.0)])
def test_the_application_of_a_scenario(speed_mps: float, rate_hz: float) -> None:
    application = Cam(CamParams(), 1)
    n_sent = 0
    for k in range(120):
        fleet = fleet_state(k * TICK_US, [k * speed_mps / 10], speed_mps=speed_mps)
        batch = application.packets(k * TICK_US, (k + 1) * TICK_US, fleet)
        n_sent += int((batch.generated_us >= 2_000_000).sum())
    assert n_sent == round(10 * rate_hz)
