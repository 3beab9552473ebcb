"""Least headways, and whether platoons in time behave as the frequency response says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.mobility.cooperative.gap_laws import PloegParams
from v2x.mobility.cooperative.platoon_simulation import (
    PlatoonTrace,
    RadioLink,
    platoon_figures,
    simulate_platoon,
)
from v2x.mobility.cooperative.string_stability import (
    VehicleLag,
    least_headway_s,
    string_response,
    worst_response,
)

LAW, CAR, TRUCK = PloegParams(), VehicleLag(), VehicleLag(lag_s=0.5, delay_s=0.0)
DELAYS_S = (0.02, 0.05, 0.10, 0.15, 0.20, 0.30, 0.50, None)


@pytest.mark.parametrize(
    ("lag", "headways_s"),
    [
        (CAR, (0.25, 0.40, 0.57, 0.70, 0.81, 1.00, 1.31, 3.13)),
        (TRUCK, (0.27, 0.43, 0.61, 0.75, 0.87, 1.07, 1.41, 3.14)),
    ],
)
def test_least_headways(lag: VehicleLag, headways_s: tuple[float, ...]) -> None:
    """The table of the reference sheet, to the centisecond that it is printed with."""
    found = [least_headway_s(delay, LAW, lag) for delay in DELAYS_S]
    assert found == pytest.approx(headways_s, abs=0.006)


def test_the_limit_without_radio() -> None:
    """√(2/k_p): as the frequency falls |Γ|² nears 1 + (2/k_p - h²) ω²."""
    exact = least_headway_s(None, LAW, CAR, tolerance=0.0)
    assert exact == pytest.approx(np.sqrt(2.0 / LAW.gap_gain_per_s2), abs=5e-3)


@pytest.mark.parametrize("delay_s", [0.02, 0.2, None])
def test_on_each_side_of_the_least_headway(delay_s: float | None) -> None:
    least = least_headway_s(delay_s, LAW, CAR)
    assert worst_response(least - 0.01, delay_s, LAW, CAR)[0] > 1.0001
    assert worst_response(least + 0.01, delay_s, LAW, CAR)[0] <= 1.0001


def test_slow_motion_is_followed_exactly() -> None:
    assert abs(string_response(1e-6, 0.5, 0.1, LAW, CAR)) == pytest.approx(1.0)


def swing(
    headway_s: float, omega_radps: float, link: RadioLink, seconds: float = 60.0
) -> PlatoonTrace:
    """Let the leader swing with 1 m/s²."""
    time_s = np.arange(0.0, seconds, 0.01)
    return simulate_platoon(
        np.sin(omega_radps * time_s),
        n_followers=6,
        law=replace(LAW, headway_s=headway_s),
        lag=CAR,
        link=link,
    )


def gains(trace: PlatoonTrace) -> np.ndarray:
    """Return how much more each swings than the one ahead, after 30 s."""
    late = trace.acceleration_mps2[trace.time_s >= 30.0]
    size = np.sqrt((late**2).mean(axis=0))
    return size[1:] / size[:-1]


@pytest.mark.parametrize("headway_s", [0.4, 0.57, 0.9])
def test_time_and_frequency_agree(headway_s: float) -> None:
    """Messages at every step: followers swing as Γ says, size and phase, within 1 %."""
    omega = 2.0 * np.pi / 9.0
    trace = swing(headway_s, omega, RadioLink(delay_s=0.1, period_s=0.01), seconds=90.0)
    late = trace.time_s >= 63.0 - 1e-9
    wave = np.exp(-1j * omega * trace.time_s[late]) @ trace.acceleration_mps2[late]
    expected = complex(string_response(omega, headway_s, 0.1, LAW, CAR))
    found = wave[1:4] / wave[:3]
    assert np.abs(found / expected - 1.0).max() < 0.01


@pytest.mark.parametrize("loss", [0.0, 0.5, 0.7])
def test_lost_messages_make_short_headways_unstable(loss: float) -> None:
    """Losses age what is known: θ + T (1 + p)/(2 (1 - p)) decides about the headway."""
    link = RadioLink(delay_s=0.02, period_s=0.1, loss=loss)
    age_s = 0.02 + 0.05 * (1.0 + loss) / (1.0 - loss)
    least = least_headway_s(age_s, LAW, CAR)
    omega = worst_response(0.7 * least, age_s, LAW, CAR)[1]
    short, long = swing(0.7 * least, omega, link), swing(1.3 * least, omega, link)
    assert gains(short).min() > 1.0
    assert gains(long).max() < 1.0
    assert platoon_figures(short).amplification[-1] > 1.0
    assert platoon_figures(long).amplification[-1] < 1.0


def test_without_radio_a_platoon_of_half_a_second_is_an_unstable_string() -> None:
    assert gains(swing(0.5, 0.5, RadioLink(loss=1.0))).max() > 1.1


def test_figures_of_a_platoon() -> None:
    trace = PlatoonTrace(
        time_s=np.arange(4.0),
        speed_mps=np.zeros((4, 3)),
        acceleration_mps2=np.array([[0.0, 0, 0], [-2, -3, 1], [1, 0, 0], [0, 0, 0]]),
        gap_m=np.array([[5.0, 6], [4, 6], [5, 6], [5, 6]]),
        gap_error_m=np.array([[0.0, 0], [1, -0.5], [-0.3, 0], [0.1, 0.1]]),
    )
    found = platoon_figures(trace)
    assert found.amplification.tolist() == [1.5, 0.5]
    assert (found.settled_s, found.least_gap_m) == (3.0, 4.0)
    assert found.gap_error_p95_m == pytest.approx(
        np.quantile([0, 0, 1, 0.5, 0.3, 0, 0.1, 0.1], 0.95)
    )
    assert platoon_figures(trace, small_m=0.05).settled_s == np.inf
    assert platoon_figures(trace, small_m=2.0).settled_s == 0.0


def test_a_platoon_that_stops_stays_apart_and_stands() -> None:
    brake = np.where(np.arange(0.0, 20.0, 0.01) > 2.0, -4.0, 0.0)
    trace = simulate_platoon(brake, n_followers=5, law=LAW, lag=CAR, link=RadioLink())
    assert trace.speed_mps[-1] == pytest.approx(0.0, abs=0.05)
    assert platoon_figures(trace).least_gap_m > 1.0


@pytest.mark.parametrize(
    ("cls", "change"),
    [
        (VehicleLag, {"lag_s": 0.0}),
        (VehicleLag, {"delay_s": -0.1}),
        (RadioLink, {"delay_s": -0.1}),
        (RadioLink, {"period_s": 0.0}),
        (RadioLink, {"loss": 1.1}),
    ],
)
def test_bad_parameters_are_named(cls: Any, change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        cls(**change)
