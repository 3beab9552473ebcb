"""Loss in air: rain, fog, gases and leaves. At 5.9 GHz the weather is of no consequence.

150 mm/h of rain cost 0.6 dB on 500 m, the densest fog 0.01 dB; the terms are kept to show it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.channel.water import water_permittivity

FloatArray = NDArray[np.float64]

#: Fog begins below this visibility; above it, haze holds next to no liquid water [m].
FOG_VISIBILITY_M = 1000.0


@dataclass(frozen=True, slots=True)
class _Regression:
    """Sum of Gaussians in the logarithm of frequency, with a line (ITU-R P.838-3)."""

    a: tuple[float, ...]
    b: tuple[float, ...]
    c: tuple[float, ...]
    slope: float
    constant: float

    def at(self, carrier_ghz: float) -> float:
        f = math.log10(carrier_ghz)
        bells = sum(
            a * math.exp(-(((f - b) / c) ** 2))
            for a, b, c in zip(self.a, self.b, self.c, strict=True)
        )
        return bells + self.slope * f + self.constant


_RAIN_K = {
    "horizontal": _Regression(
        (-5.33980, -0.35351, -0.23789, -0.94158),
        (-0.10008, 1.26970, 0.86036, 0.64552),
        (1.13098, 0.45400, 0.15354, 0.16817),
        -0.18961,
        0.71147,
    ),
    "vertical": _Regression(
        (-3.80595, -3.44965, -0.39902, 0.50167),
        (0.56934, -0.22911, 0.73042, 1.07319),
        (0.81061, 0.51059, 0.11899, 0.27195),
        -0.16398,
        0.63297,
    ),
}
_RAIN_ALPHA = {
    "horizontal": _Regression(
        (-0.14318, 0.29591, 0.32177, -5.37610, 16.1721),
        (1.82442, 0.77564, 0.63773, -0.96230, -3.29980),
        (-0.55187, 0.19822, 0.13164, 1.47828, 3.43990),
        0.67849,
        -1.95537,
    ),
    "vertical": _Regression(
        (-0.07771, 0.56727, -0.20238, -48.2991, 48.5833),
        (2.33840, 0.95545, 1.14520, 0.791669, 0.791459),
        (-0.76284, 0.54039, 0.26809, 0.116226, 0.116479),
        -0.053739,
        0.83433,
    ),
}


def rain_coefficients(carrier_ghz: float, polarisation: str = "vertical") -> tuple[float, float]:
    """Return k and alpha of the rain law ``k R**alpha`` (ITU-R P.838-3).

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz], 1 to 1000.
    polarisation
        "vertical" or "horizontal", on a level path.
    """
    if polarisation not in _RAIN_K:
        raise ValueError(f"polarisation must be 'vertical' or 'horizontal', got {polarisation!r}")
    return 10.0 ** _RAIN_K[polarisation].at(carrier_ghz), _RAIN_ALPHA[polarisation].at(carrier_ghz)


def rain_db_per_km(
    rain_mm_h: ArrayLike, carrier_ghz: float, polarisation: str = "vertical"
) -> FloatArray:
    """Loss in rain.

    Parameters
    ----------
    rain_mm_h : array_like of float64
        Rain rate [mm/h].
    carrier_ghz, polarisation
        As in :func:`rain_coefficients`.

    Returns
    -------
    float64, shape of `rain_mm_h`
        Loss [dB/km] (ITU-R P.838-3).

    Examples
    --------
    >>> rain_db_per_km([25.0, 100.0], 5.9).round(3)
    array([0.071, 0.637])
    """
    k, alpha = rain_coefficients(carrier_ghz, polarisation)
    return np.asarray(k * np.asarray(rain_mm_h, dtype=np.float64) ** alpha)


def fog_water_g_m3(visibility_m: ArrayLike) -> FloatArray:
    r"""Liquid water in fog of a given visibility.

    Parameters
    ----------
    visibility_m : array_like of float64
        Meteorological visibility [m], at 2 % contrast.

    Returns
    -------
    float64, shape of `visibility_m`
        Liquid water [g/m³]; zero from 1000 m on, where fog ends.

    Notes
    -----
    :math:`3.912 / V = 144.7\,W^{0.88}` with V in km: the extinction that Kunkel fitted to
    measured droplets [1]_ and Koschmieder's law. It gives 0.50 g/m³ at 50 m and 0.065 g/m³ at
    300 m; ITU-R P.840 names 0.5 and 0.05 as typical there. Fogs differ by a factor of two or
    three at equal visibility.

    References
    ----------
    .. [1] B. A. Kunkel, "Parameterization of droplet terminal velocity and extinction coefficient
       in fog models", J. Climate Appl. Meteor. 23, 1984.
    """
    visibility = np.asarray(visibility_m, dtype=np.float64)
    water = (3912.0 / (144.7 * visibility)) ** (1.0 / 0.88)
    return np.asarray(np.where(visibility < FOG_VISIBILITY_M, water, 0.0))


def fog_db_per_km(
    visibility_m: ArrayLike, carrier_ghz: float, temperature_c: float = 10.0
) -> FloatArray:
    """Loss in fog.

    Parameters
    ----------
    visibility_m : array_like of float64
        Meteorological visibility [m].
    carrier_ghz
        Carrier frequency [GHz], below 200.
    temperature_c
        Temperature of the droplets [degree Celsius].

    Returns
    -------
    float64, shape of `visibility_m`
        Loss [dB/km], the product of :func:`fog_db_per_km_per_g_m3` and :func:`fog_water_g_m3`.
    """
    return fog_db_per_km_per_g_m3(carrier_ghz, temperature_c) * fog_water_g_m3(visibility_m)


def fog_db_per_km_per_g_m3(carrier_ghz: float, temperature_c: float) -> float:
    r"""Loss of droplets far smaller than the wave, per density.

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz], below 200.
    temperature_c
        Temperature of the droplets [degree Celsius].

    Returns
    -------
    float
        :math:`K_l = \frac{0.819 f}{\varepsilon''(1 + \eta^2)}`,
        :math:`\eta = (2 + \varepsilon')/\varepsilon''` [(dB/km)/(g/m³)] (ITU-R P.840).

    Examples
    --------
    >>> round(fog_db_per_km_per_g_m3(5.9, 0.0), 3)
    0.032
    """
    epsilon = water_permittivity(carrier_ghz, temperature_c)
    eta = (2.0 + epsilon.real) / -epsilon.imag
    return 0.819 * carrier_ghz / (-epsilon.imag * (1.0 + eta**2))


def gas_db_per_km(
    carrier_ghz: float, *, temperature_c: float = 15.0, vapour_g_m3: float = 7.5
) -> tuple[float, float]:
    """Loss in dry air and in water vapour at sea level.

    Free-space laws leave it out: 0.005 dB on 500 m at 5.9 GHz.

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz], 1 to 54; below the oxygen lines.
    temperature_c
        Temperature of the air [degree Celsius].
    vapour_g_m3
        Density of water vapour [g/m³].

    Returns
    -------
    dry, vapour
        Losses [dB/km] (ITU-R P.676-9 annex 2, at 1013 hPa; of the water lines only the one at
        22 GHz and the wings of those at 183 GHz and of the continuum at 1780 GHz).
    """
    if not 1.0 <= carrier_ghz <= 54.0:
        raise ValueError(f"carrier_ghz must be within 1 and 54, got {carrier_ghz}")
    f = carrier_ghz
    rt = 288.0 / (273.0 + temperature_c)
    dry = 7.2 * rt**2.8 / (f**2 + 0.34 * rt**1.6) + 0.62 / ((54.0 - f) ** 1.16 + 0.83)
    eta1 = 0.955 * rt**0.68 + 0.006 * vapour_g_m3
    eta2 = 0.735 * rt**0.5 + 0.0353 * rt**4 * vapour_g_m3
    line22 = 3.98 * eta1 * math.exp(2.23 * (1.0 - rt)) / ((f - 22.235) ** 2 + 9.42 * eta1**2)
    line22 *= 1.0 + ((f - 22.0) / (f + 22.0)) ** 2
    line183 = 11.96 * eta1 * math.exp(0.7 * (1.0 - rt)) / ((f - 183.31) ** 2 + 11.14 * eta1**2)
    wing = 8.3328e4 * eta2 * math.exp(0.99 * (1.0 - rt)) / (f - 1780.0) ** 2
    wing *= 1.0 + ((f - 1780.0) / (f + 1780.0)) ** 2
    vapour = (line22 + line183 + wing) * f**2 * rt**2.5 * vapour_g_m3 * 1e-4
    return dry * f**2 * 1e-3, vapour


def weissberger_db(foliage_m: ArrayLike, carrier_ghz: float) -> FloatArray:
    """Loss in leaves, after Weissberger's modified exponential decay.

    Parameters
    ----------
    foliage_m : array_like of float64
        Length of the path within foliage [m], up to 400.
    carrier_ghz
        Carrier frequency [GHz].

    Returns
    -------
    float64, shape of `foliage_m`
        Loss [dB]: ``1.33 f^0.284 d^0.588`` beyond 14 m, ``0.45 f^0.284 d`` up to there.
    """
    d = np.asarray(foliage_m, dtype=np.float64)
    far, near = 1.33 * d**0.588, 0.45 * d
    return np.asarray(carrier_ghz**0.284 * np.where(d > 14.0, far, near))


def early_itu_foliage_db(foliage_m: ArrayLike, carrier_ghz: float) -> FloatArray:
    """Loss in leaves, after the early ITU-R (CCIR) form ``0.2 f_MHz^0.3 d^0.6`` [dB].

    Parameters
    ----------
    foliage_m : array_like of float64
        Length of the path within foliage [m], below 400.
    carrier_ghz
        Carrier frequency [GHz].
    """
    d = np.asarray(foliage_m, dtype=np.float64)
    return np.asarray(0.2 * (1000.0 * carrier_ghz) ** 0.3 * d**0.6)
