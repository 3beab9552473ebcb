"""The closed forms themselves, against enumeration, printed figures and direct drawing."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from v2x.rng import stream

from .closed_forms import (
    half_duplex_share,
    ipg_exceeds,
    mean_aoi_s,
    mean_collision_run,
    mean_ipg_s,
    mean_peak_aoi_s,
    mean_reservation_run,
)

PERIOD_S = 0.1


def test_two_fresh_reservations_collide_8_18_messages() -> None:
    assert mean_collision_run() == Fraction(90, 11)
    # The same by the tail sum: E[min] = 5 + sum over k = 6...15 of P(RC >= k)².
    assert mean_collision_run() == 5 + Fraction(385, 121)
    assert float(mean_collision_run()) == pytest.approx(8.18, abs=0.005)


def test_collision_runs_drawn() -> None:
    n = 20_000
    counters = stream(1, "verification", "collision runs").integers(5, 16, size=(n, 2))
    runs = counters.min(axis=1)
    assert abs(runs.mean() - float(mean_collision_run())) < 4.0 * runs.std() / math.sqrt(n)


@pytest.mark.parametrize(("keep", "messages"), [(0.0, 10.0), (0.8, 50.0)])
def test_reservation_runs_drawn(keep: float, messages: float) -> None:
    assert mean_reservation_run(keep) == pytest.approx(messages)
    n = 10_000
    draw = stream(2, "verification", "reservation runs")
    n_counters = draw.geometric(1.0 - keep, size=n)
    runs = np.array([draw.integers(5, 16, size=k).sum() for k in n_counters])
    assert abs(runs.mean() - messages) < 4.0 * runs.std() / math.sqrt(n)


@pytest.mark.parametrize(
    ("loss", "aoi_s", "over_half_second"),
    [(0.0, 0.05, 0.0), (0.1, 0.061, 1e-5), (0.3, 0.093, 2.4e-3), (0.5, 0.15, 3.1e-2)],
)
def test_printed_figures(loss: float, aoi_s: float, over_half_second: float) -> None:
    assert mean_aoi_s(PERIOD_S, loss) == pytest.approx(aoi_s, abs=5e-4)
    assert ipg_exceeds(5, loss) == pytest.approx(over_half_second, rel=0.02)


@pytest.mark.parametrize("loss", [0.1, 0.3, 0.5])
def test_gaps_and_ages_of_lossy_messages_drawn(loss: float) -> None:
    n = 60_000
    received = np.flatnonzero(stream(3, "verification", "losses").random(n) >= loss)
    gap_s = PERIOD_S * np.diff(received)
    error_s = 4.0 * gap_s.std() / math.sqrt(gap_s.size)
    assert abs(gap_s.mean() - mean_ipg_s(PERIOD_S, loss)) < error_s
    for k in (1, 2, 3):
        p = ipg_exceeds(k, loss)
        share = float(np.mean(gap_s > (k + 0.5) * PERIOD_S))
        assert abs(share - p) < 4.0 * math.sqrt(p * (1.0 - p) / gap_s.size)
    # The age is a saw: area of the teeth over their length. Its error follows from the two
    # sums by the delta method.
    delay_s = 0.02
    tooth = gap_s**2 / 2.0
    age_s = tooth.sum() / gap_s.sum() + delay_s
    expected_s = mean_aoi_s(PERIOD_S, loss, delay_s)
    spread = (tooth - (expected_s - delay_s) * gap_s).std() / gap_s.mean()
    assert abs(age_s - expected_s) < 4.0 * spread / math.sqrt(gap_s.size)
    peak_s = gap_s.mean() + delay_s
    assert abs(peak_s - mean_peak_aoi_s(PERIOD_S, loss, delay_s)) < error_s


@pytest.mark.parametrize("rate_hz", [10, 20, 50])
def test_half_duplex_share_enumerated(rate_hz: int) -> None:
    # Sender and receiver each hold one of the slots of a period, independent and uniform.
    n_slots = 1000 // rate_hz
    same = sum(own == other for own in range(n_slots) for other in range(n_slots))
    assert half_duplex_share(rate_hz) == pytest.approx(same / n_slots**2)
