r"""Does a disturbance grow along a platoon? Frequency response of CACC and least headways.

With the plant :math:`G = e^{-\varphi s}/(s^2(\tau s + 1))`, the feedback :math:`K = k_p + k_d s`,
the spacing policy :math:`H = h s + 1` and the delay of the radio :math:`D = e^{-\theta s}`, the
motion of a vehicle over that of the one ahead is

.. math:: \Gamma = \frac{G K + D}{(1 + G K) H}

(Ploeg et al. 2011), and disturbances do not grow if :math:`|\Gamma(j\omega)| \le 1` for all
:math:`\omega`. Without radio :math:`D = 0`, which leaves an ACC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.mobility.cooperative.gap_laws import PloegParams

FloatArray = NDArray[np.float64]

#: Frequencies at which the response is looked at [rad/s]; finer changes no headway by 1 ms.
_OMEGA_RADPS = np.geomspace(1e-2, 1e2, 4000)
_LONGEST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleLag:
    """How late a vehicle does what it is told.

    Parameters
    ----------
    lag_s
        Time constant τ of engine and brakes [s]; 0.1 for cars, 0.5 for trucks.
    delay_s
        Dead time φ before them [s].
    """

    lag_s: float = 0.1
    delay_s: float = 0.2

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        if not self.lag_s > 0:
            raise ValueError(f"lag_s must be > 0, got {self.lag_s}")
        if not self.delay_s >= 0:
            raise ValueError(f"delay_s must be >= 0, got {self.delay_s}")


def string_response(
    omega_radps: ArrayLike,
    headway_s: float,
    radio_delay_s: float | None,
    gains: PloegParams,
    lag: VehicleLag,
) -> NDArray[np.complex128]:
    """Return Γ(jω), the motion of a vehicle over that of the one ahead.

    Parameters
    ----------
    omega_radps : array_like
        Angular frequencies [rad/s], positive.
    headway_s
        Time gap h [s].
    radio_delay_s
        Age of the acceleration that is received [s]; None without radio.
    gains
        k_p and k_d; its own headway does not count.
    lag
        The vehicle.
    """
    s = 1j * np.asarray(omega_radps, dtype=np.float64)
    plant = np.exp(-lag.delay_s * s) / (s * s * (lag.lag_s * s + 1.0))
    loop = plant * (gains.gap_gain_per_s2 + gains.rate_gain_per_s * s)
    told = np.zeros_like(s) if radio_delay_s is None else np.exp(-radio_delay_s * s)
    return np.asarray((loop + told) / ((1.0 + loop) * (headway_s * s + 1.0)))


def worst_response(
    headway_s: float, radio_delay_s: float | None, gains: PloegParams, lag: VehicleLag
) -> tuple[float, float]:
    """Return the largest |Γ| and the angular frequency at which it is reached [rad/s].

    Parameters as of :func:`string_response`.
    """
    size = np.abs(string_response(_OMEGA_RADPS, headway_s, radio_delay_s, gains, lag))
    at = int(size.argmax())
    return float(size[at]), float(_OMEGA_RADPS[at])


def least_headway_s(
    radio_delay_s: float | None,
    gains: PloegParams,
    lag: VehicleLag,
    *,
    tolerance: float = 1e-4,
) -> float:
    """Return the shortest time gap at which disturbances do not grow [s].

    Parameters
    ----------
    radio_delay_s
        Age of the acceleration that is received [s]; None without radio.
    gains, lag
        As of :func:`string_response`.
    tolerance
        How much |Γ| may exceed 1. It matters without radio only, where |Γ| nears 1 from above
        as the frequency falls: 1e-4 gives 3.13 s, none the limit √(2/k_p) = 3.16 s.

    Examples
    --------
    >>> round(least_headway_s(0.1, PloegParams(), VehicleLag()), 2)
    0.57
    """
    low, high = 0.0, _LONGEST_S
    for _ in range(30):
        middle = 0.5 * (low + high)
        grows = worst_response(middle, radio_delay_s, gains, lag)[0] > 1.0 + tolerance
        low, high = (middle, high) if grows else (low, middle)
    return high
