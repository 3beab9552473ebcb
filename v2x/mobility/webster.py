"""Timing of fixed-time signals: cycle, green and delay after Webster (1958)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

#: Vehicles that pass a line in an hour of green, one lane, on the level.
SATURATION_PER_H = 1800.0
#: Loss of saturation flow per rise over run: 3 % for each per cent (confidence low).
SATURATION_LOSS = 3.0


def saturation_flow_per_s(grade: ArrayLike = 0.0, lanes: ArrayLike = 1) -> FloatArray:
    """Return the flow that a green line lets through [1/s]; uphill it is less.

    Examples
    --------
    >>> saturation_flow_per_s([0.0, 0.05]).round(3)
    array([0.5  , 0.425])
    """
    uphill = np.maximum(np.asarray(grade, dtype=np.float64), 0.0)
    share = np.maximum(1.0 - SATURATION_LOSS * uphill, 0.0)
    return np.asarray(SATURATION_PER_H / 3600.0 * share * np.asarray(lanes))


def webster_cycle_s(lost_s: float, flow_ratio: ArrayLike) -> float:
    """Return the cycle with the least delay, C = (1.5 L + 5)/(1 - Y) [s].

    Parameters
    ----------
    lost_s
        Time L lost in a cycle: yellow, all red, starting up [s].
    flow_ratio : (n_phases,) array_like
        Flow over saturation flow y of the critical lane of each phase; Y is their sum.

    Raises
    ------
    ValueError
        If the phases together are asked for more than the junction can give.

    Examples
    --------
    >>> webster_cycle_s(10.0, [0.3, 0.2])
    40.0
    """
    total = float(np.sum(np.asarray(flow_ratio, dtype=np.float64)))
    if not 0 <= total < 1:
        raise ValueError(f"flow_ratio must sum to less than 1, got {total:g}")
    return (1.5 * lost_s + 5.0) / (1.0 - total)


def green_splits_s(cycle_s: float, lost_s: float, flow_ratio: ArrayLike) -> FloatArray:
    """Return the green of each phase, y/Y (C - L) [s], (n_phases,).

    Examples
    --------
    >>> green_splits_s(40.0, 10.0, [0.3, 0.2])
    array([18., 12.])
    """
    y = np.asarray(flow_ratio, dtype=np.float64)
    if not y.sum() > 0:
        raise ValueError("flow_ratio must not be zero for all phases")
    if not cycle_s > lost_s:
        raise ValueError(f"cycle_s ({cycle_s:g}) must be longer than lost_s ({lost_s:g})")
    return np.asarray(y / y.sum() * (cycle_s - lost_s))


def webster_delay_s(
    cycle_s: ArrayLike, green_s: ArrayLike, flow_per_s: ArrayLike, saturation_per_s: ArrayLike
) -> FloatArray:
    r"""Return the mean delay of a vehicle [s]; infinite where more come than can pass.

    Parameters
    ----------
    cycle_s, green_s : array_like
        Cycle C and effective green g [s].
    flow_per_s, saturation_per_s : array_like
        Arrivals q and saturation flow s [1/s].

    Notes
    -----
    .. math:: d = 0.9\left[\frac{C (1 - \lambda)^2}{2 (1 - \lambda x)}
              + \frac{x^2}{2 q (1 - x)}\right], \quad \lambda = g/C, \quad x = q/(\lambda s)

    Examples
    --------
    >>> webster_delay_s(60.0, 30.0, 0.2, 0.5).round(2)
    np.float64(18.45)
    """
    cycle, green, q, s = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(cycle_s, green_s, flow_per_s, saturation_per_s)
    )
    share = green / cycle
    full = np.full(q.shape, np.inf)
    degree = np.divide(q, share * s, out=full, where=share * s > 0.0)
    passes = degree < 1.0
    uniform = cycle * (1.0 - share) ** 2
    delay = np.full(q.shape, np.inf)
    np.divide(uniform, 2.0 * (1.0 - q / np.maximum(s, 1e-12)), out=delay, where=passes)
    random = np.zeros(q.shape)
    known = np.where(passes, degree, 0.0)
    np.divide(known * known, 2.0 * q * (1.0 - known), out=random, where=passes & (q > 0.0))
    return np.asarray(0.9 * (delay + random))
