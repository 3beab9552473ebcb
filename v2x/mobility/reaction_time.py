"""How long people take to react: lognormal times, drawn by who reacts to what."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from v2x.mobility.fleet import NodeKind
from v2x.rng import uniform_by_id
from v2x.world.road_map import FloatArray

#: Vehicles whose brakes are worked by air and take time to build up their force.
HEAVY_KINDS = (NodeKind.TRUCK, NodeKind.BUS)


def lognormal_shape(mean: float, deviation: float) -> tuple[float, float]:
    r"""Return mean and standard deviation of the logarithm of a lognormal number.

    Notes
    -----
    .. math:: \sigma_{\ln}^2 = \ln(1 + s^2/m^2), \qquad \mu_{\ln} = \ln m - \sigma_{\ln}^2/2

    Examples
    --------
    Braking by surprise, as tabulated:

    >>> mu, sigma = lognormal_shape(1.31, 0.61)
    >>> round(mu, 3), round(sigma, 3)
    (0.172, 0.443)
    """
    variance = math.log1p((deviation / mean) ** 2)
    return math.log(mean) - 0.5 * variance, math.sqrt(variance)


def lognormal_times_s(
    key: int, identity: ArrayLike, counter: ArrayLike, mean_s: ArrayLike, deviation_s: ArrayLike
) -> FloatArray:
    """Return a lognormal time for each identity and counter [s].

    The same share of drivers is quicker whatever the mean: who draws the median of one
    distribution draws that of another.

    Parameters
    ----------
    key
        From :func:`v2x.rng.key32`.
    identity, counter : (n,) or scalar, integer
        Who reacts, and how often it has before.
    mean_s, deviation_s : (n,) or scalar
        Mean and standard deviation [s], positive.

    Examples
    --------
    >>> times = lognormal_times_s(1, np.arange(100_000), 0, 1.31, 0.61)
    >>> times.mean().round(2), times.std().round(2), np.percentile(times, [50, 85, 95]).round(1)
    (np.float64(1.31), np.float64(0.61), array([1.2, 1.9, 2.5]))
    """
    mean = np.asarray(mean_s, dtype=np.float64)
    variance = np.log1p((np.asarray(deviation_s) / mean) ** 2)
    # The hash gives 53 bits from 0 on; half a step more keeps it off 0.
    uniform = uniform_by_id(key, identity, counter) + 2.0**-54
    return np.asarray(np.exp(np.log(mean) - 0.5 * variance + np.sqrt(variance) * ndtri(uniform)))
