"""A road too full for its channel, with and without congestion control."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

HIGHWAY = Path(__file__).resolve().parents[2] / "scenarios" / "highway_3gpp.yaml"


@cache
def crowded(*overrides: tuple[str, str]) -> dict[str, Any]:
    """Return the summary of 400 vehicles/km for some seconds."""
    changes = [
        ("traffic.density_per_km", "400"),
        ("world.length_m", "1000"),
        ("duration_s", "9"),
        ("warmup_s", "5"),
        ("records.cbr_period_s", "0.1"),
        *overrides,
    ]
    return summarise(simulate(load_scenario(HIGHWAY, changes)), scenario_name="x", seed=1)


def prr(summary: dict[str, Any], upper_m: float) -> float:
    bins: list[float] = summary["prr"]["bin_upper_m"]
    return float(summary["prr"]["value"][bins.index(upper_m)])


def test_without_control_the_channel_is_full() -> None:
    assert crowded()["cbr"]["mean"] > 0.85


def test_adaptive_dcc_holds_the_busy_ratio_below_its_target() -> None:
    """The fixed point lies below 0.68 by alpha / beta of one station's share (test_etsi_dcc.py).

    With K the busy ratio that a share of one at every station would make, CBR = CBR_t beta K /
    (alpha + beta K); the mean occupancy ratio stands for the share.
    """
    summary = crowded(("congestion.type", "etsi-dcc-adaptive"))
    cbr, share = summary["cbr"]["mean"], summary["congestion"]["cr"]["mean"]
    gain = 0.0012 * cbr / share
    assert cbr == pytest.approx(0.68 * gain / (0.016 + gain), abs=0.03)
    assert summary["cbr"]["p90"] - summary["cbr"]["p10"] < 0.2
    assert prr(summary, 200) > 2 * prr(crowded(), 200)


def test_cr_limits_hold_the_busy_ratio_near_their_last_bound() -> None:
    """Above 0.8 half of the messages go, below all: the channel settles in between, there."""
    summary = crowded(("congestion.type", "ts103574"))
    assert summary["cbr"]["mean"] == pytest.approx(0.8, abs=0.06)
    assert summary["congestion"]["cr"]["max"] <= 0.006
    assert 0.1 < summary["congestion"]["share_suppressed"]["mean"] < 0.5


@pytest.mark.parametrize("control", ["etsi-dcc-reactive", "j2945", "gbt45315-density"])
def test_others_relieve_the_channel(control: str) -> None:
    summary = crowded(("congestion.type", control))
    assert summary["cbr"]["mean"] < 0.6
    assert prr(summary, 100) > prr(crowded(), 100)
    assert prr(summary, 200) > 2 * prr(crowded(), 200)


def test_gbt_table_spares_fast_vehicles_and_slows_slow_ones() -> None:
    fast = crowded(("congestion.type", "gbt45315"))
    assert fast["congestion"]["share_suppressed"]["mean"] == 0.0
    jam = crowded(("congestion.type", "gbt45315"), ("traffic.speed_kmh", "4"))
    assert jam["congestion"]["share_suppressed"]["mean"] > 0.5
    assert jam["cbr"]["mean"] < 0.7


def test_shares_of_outcomes_still_sum_to_one() -> None:
    summary = crowded(("congestion.type", "ts103574"))
    total = np.sum([np.array(share, dtype=float) for share in summary["outcomes"].values()], axis=0)
    np.testing.assert_allclose(total, 1.0, atol=1e-9)
    dropped = np.array(summary["outcomes"]["out_of_budget"], dtype=float)
    share = summary["congestion"]["share_suppressed"]["mean"]
    np.testing.assert_allclose(dropped, share, atol=0.05)


def test_narrower_messages_are_fewer_losses_than_dropped_ones() -> None:
    """TS 103 574 in a crowd: who raises his MCS holds less back, and keeps the same limits."""
    limited = ("congestion.type", "ts103574")
    narrow = (("congestion.reaction", "adapt"), ("congestion.max_mcs", "17"))
    drop = crowded(limited)["congestion"]
    adapt = crowded(limited, *narrow)["congestion"]
    assert drop["n_adapted"] == 0 < adapt["n_adapted"]
    assert adapt["share_suppressed"]["mean"] < 0.4 * drop["share_suppressed"]["mean"]
    assert adapt["cr"]["max"] <= 0.006


def test_a_raised_mcs_needs_more_signal() -> None:
    """On an empty road: one subchannel has 4.8 dB more density than three, MCS 16 needs more."""
    alone = (
        ("traffic.density_per_km", "10"),
        ("congestion.type", "ts103574"),
        ("congestion.reaction", "adapt"),
        ("congestion.max_mcs", "17"),
        ("congestion.cr_limit_pppp_3_5", "[0.0021, 0.0021, 0.0021, 0.0021]"),
    )
    raised = crowded(*alone)
    plain = crowded(("traffic.density_per_km", "10"))
    assert raised["congestion"]["n_adapted"] > 100
    assert prr(raised, 100) > 0.99
    assert prr(raised, 440) < prr(plain, 440) - 0.05


def test_power_falls_with_the_busy_ratio() -> None:
    """Between 50 and 80 % of a full channel the wanted power is 20 to 10 dBm (SAE J2945/1)."""
    free = crowded(("congestion.type", "j2945"), ("traffic.density_per_km", "40"))
    assert free["congestion"]["tx_power_dbm"] == pytest.approx(20.0, abs=0.1)
    full = crowded(("congestion.type", "j2945"), ("congestion.density_limit", "10000"))
    cbr, power_dbm = full["cbr"]["mean"], full["congestion"]["tx_power_dbm"]
    assert power_dbm == pytest.approx(20.0 - 10.0 * (cbr - 0.5) / 0.3, abs=1.0)


def test_adapting_with_one_error_curve_is_refused() -> None:
    with pytest.raises(V2XError, match="more than one MCS"):
        crowded(
            ("congestion.type", "ts103574"),
            ("congestion.reaction", "adapt"),
            ("phy.error_curve", "r1-160284-qpsk-r0.5"),
        )
