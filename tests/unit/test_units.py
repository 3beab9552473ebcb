"""Conversions between units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x import units


@given(st.floats(-300.0, 300.0))
def test_decibels_there_and_back(value_db: float) -> None:
    assert float(units.linear_to_db(units.db_to_linear(value_db))) == pytest.approx(
        value_db, abs=1e-9
    )


def test_decibels_of_arrays_keep_their_shape() -> None:
    ratio = np.array([[1.0, 10.0], [0.5, 0.0]])
    expected = np.array([[0.0, 10.0], [10.0 * math.log10(0.5), -math.inf]])
    np.testing.assert_allclose(units.linear_to_db(ratio), expected)
    np.testing.assert_allclose(units.db_to_linear(expected), ratio)


def test_noise() -> None:
    """kTB at 290 K is -174 dBm/Hz: 50 resource blocks with 9 dB make -95.46 dBm."""
    assert units.noise_dbm(1.0, 0.0) == -174.0
    assert units.noise_dbm(50 * units.LTE_RB_HZ, 9.0) == pytest.approx(-95.46, abs=0.005)
    boltzmann_dbm = 10.0 * math.log10(1.380649e-23 * 290.0 * 1e3)
    assert pytest.approx(boltzmann_dbm, abs=0.03) == units.THERMAL_NOISE_DBM_PER_HZ


def test_constants() -> None:
    assert units.SPEED_OF_LIGHT_MPS == 299_792_458.0
    assert units.US_PER_S == 1000 * units.US_PER_MS == 1_000_000
    assert units.LTE_RB_HZ == 12 * 15_000.0
    assert units.kmh_to_mps(36.0) == 10.0
