"""Control laws by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.mobility.cooperative.gap_laws import (
    AccParams,
    PathCaccParams,
    PloegParams,
    SpacingParams,
    acc_mps2,
    constant_spacing_mps2,
    gap_error_m,
    gap_error_rate_mps,
    path_cacc_speed_mps,
    ploeg_command_mps2,
    ploeg_target_mps2,
)


def test_acc_of_path() -> None:
    """0.23 (30 - 1.4 · 20) + 0.07 (18 - 20) = 0.46 - 0.14."""
    assert acc_mps2(20.0, 30.0, 18.0, AccParams()) == pytest.approx(0.32)
    assert acc_mps2(20.0, 30.0, 18.0, AccParams(standstill_m=2.0)) == pytest.approx(-0.14)


def test_cacc_of_path() -> None:
    """e = 15 - 0.6 · 20 - 2 = 1 m, de/dt = -1 - 0.6 · 0.5: 20 + 0.45 - 0.25 · 1.3."""
    error = gap_error_m(20.0, 15.0, 0.6, 2.0)
    rate = gap_error_rate_mps(20.0, 0.5, 19.0, 0.6)
    assert (float(error), float(rate)) == pytest.approx((1.0, -1.3))
    assert path_cacc_speed_mps(20.0, error, rate, PathCaccParams()) == pytest.approx(20.125)


def test_cacc_of_ploeg() -> None:
    """The target is 0.2 e + 0.7 de/dt + u; the command reaches 63.2 % of it in the time gap."""
    target = ploeg_target_mps2(1.0, -1.3, 0.8, PloegParams())
    assert target == pytest.approx(0.2 - 0.91 + 0.8)
    assert ploeg_command_mps2(0.0, 1.0, 0.5, 0.5) == pytest.approx(1.0 - np.exp(-1.0))
    half = ploeg_command_mps2(ploeg_command_mps2(0.3, 1.0, 0.5, 0.05), 1.0, 0.5, 0.05)
    assert ploeg_command_mps2(0.3, 1.0, 0.5, 0.1) == pytest.approx(float(half))


def test_gains_of_constant_spacing() -> None:
    """C1 0.5, ξ 1, ω 0.2: 0.5, 0.5, -(2 - 0.5) 0.2, -0.5 · 0.2, -0.04."""
    assert SpacingParams().gains == pytest.approx((0.5, 0.5, -0.3, -0.1, -0.04))
    got = constant_spacing_mps2(21.0, 6.0, 20.0, 0.4, 19.0, 1.0, SpacingParams())
    assert got == pytest.approx(0.5 * 0.4 + 0.5 - 0.3 - 0.2 + 0.04)
    wide = SpacingParams(damping=1.25, leader_share=0.4).gains
    assert wide == pytest.approx((0.6, 0.4, -(2.5 - 0.4 * 2.0) * 0.2, -0.4 * 2.0 * 0.2, -0.04))


def test_all_laws_are_at_rest_in_equilibrium() -> None:
    ploeg, path = PloegParams(), PathCaccParams()
    v = np.array([0.0, 10.0, 30.0])
    error = gap_error_m(v, ploeg.standstill_m + ploeg.headway_s * v, ploeg.headway_s, 2.0)
    assert ploeg_target_mps2(error, 0.0, 0.0, ploeg) == pytest.approx(0.0)
    assert path_cacc_speed_mps(v, error, 0.0, path) == pytest.approx(v)
    assert acc_mps2(v, 1.4 * v, v, AccParams()) == pytest.approx(0.0, abs=1e-12)
    assert constant_spacing_mps2(v, 5.0, v, 0.0, v, 0.0, SpacingParams()) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (AccParams, {"headway_s": 0.0}, "headway_s must be > 0"),
        (AccParams, {"standstill_m": -1.0}, "standstill_m must be > 0"),
        (PathCaccParams, {"gap_gain": -0.1}, "gap_gain"),
        (PloegParams, {"rate_gain_per_s": np.nan}, "rate_gain_per_s"),
        (SpacingParams, {"leader_share": 1.0}, "leader_share must be in"),
        (SpacingParams, {"damping": 0.9}, "damping must be at least 1"),
    ],
)
def test_bad_parameters_are_named(cls: Any, change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cls(**change)
