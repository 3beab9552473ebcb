"""Conversions between the units that cross the package's borders.

Everything inside is SI, decibels and integer microseconds; the names of variables carry
the unit. Only these functions convert.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPEED_OF_LIGHT_MPS = 299_792_458.0
GRAVITY_MPS2 = 9.81
THERMAL_NOISE_DBM_PER_HZ = -174.0
LTE_RB_HZ = 180_000.0

US_PER_S = 1_000_000
US_PER_MS = 1_000


def db_to_linear(value_db: ArrayLike) -> NDArray[np.float64]:
    """Return the power ratio of a value in dB (or the power in mW of one in dBm)."""
    return np.asarray(np.power(10.0, np.asarray(value_db, dtype=np.float64) / 10.0))


def linear_to_db(value: ArrayLike) -> NDArray[np.float64]:
    """Return 10 log10 of a power ratio; zero gives minus infinity."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(np.asarray(value, dtype=np.float64)))


def kmh_to_mps(speed_kmh: float) -> float:
    """Return a speed in metres per second."""
    return speed_kmh / 3.6


def noise_dbm(bandwidth_hz: float, noise_figure_db: float) -> float:
    """Return the noise power of a receiver.

    Examples
    --------
    >>> round(noise_dbm(1.8e6, 9.0), 2)
    -102.45
    """
    return THERMAL_NOISE_DBM_PER_HZ + noise_figure_db + 10.0 * math.log10(bandwidth_hz)
