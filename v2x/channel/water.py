"""Reflection from a water surface below a link, and the permittivity of water."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.units import SPEED_OF_LIGHT_MPS

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Imaginary permittivity of a conductivity of 1 S/m at 1 GHz: 1 / (2 pi epsilon_0 1e9).
_CONDUCTIVITY_FACTOR = 17.98


def water_permittivity(
    carrier_ghz: float, temperature_c: float, conductivity_s_per_m: float = 0.0
) -> complex:
    r"""Complex relative permittivity of fresh water.

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz], up to 1000.
    temperature_c
        Temperature of the water [degree Celsius].
    conductivity_s_per_m
        Ionic conductivity [S/m]; 0 for pure water, such as the droplets of fog.

    Returns
    -------
    complex
        Permittivity, its imaginary part negative.

    Notes
    -----
    Two Debye relaxations (ITU-R P.840 annex 1; ITU-R P.527 4.1 has the same static permittivity
    and relaxation frequencies):

    .. math:: \eta = \frac{\varepsilon_0 - \varepsilon_1}{1 + j f/f_p}
              + \frac{\varepsilon_1 - \varepsilon_2}{1 + j f/f_s} + \varepsilon_2

    with :math:`\vartheta = 300/T - 1`, :math:`\varepsilon_0 = 77.66 + 103.3\,\vartheta`,
    :math:`\varepsilon_1 = 0.0671\,\varepsilon_0`, :math:`\varepsilon_2 = 3.52`,
    :math:`f_p = 20.20 - 146\,\vartheta + 316\,\vartheta^2` GHz, :math:`f_s = 39.8 f_p`.

    Examples
    --------
    >>> water_permittivity(5.9, 20.0).real.__round__(1)
    72.0
    """
    theta = 300.0 / (273.15 + temperature_c) - 1.0
    eps0 = 77.66 + 103.3 * theta
    eps1, eps2 = 0.0671 * eps0, 3.52
    fp = 20.20 - 146.0 * theta + 316.0 * theta**2
    fs = 39.8 * fp
    relaxed = (eps0 - eps1) / (1.0 + 1j * carrier_ghz / fp)
    relaxed += (eps1 - eps2) / (1.0 + 1j * carrier_ghz / fs) + eps2
    return complex(relaxed - 1j * _CONDUCTIVITY_FACTOR * conductivity_s_per_m / carrier_ghz)


def vertical_reflection(permittivity: complex, grazing_rad: ArrayLike) -> ComplexArray:
    r"""Fresnel coefficient of a smooth surface for vertical polarisation.

    Parameters
    ----------
    permittivity
        Complex relative permittivity of what lies below.
    grazing_rad : array_like of float64
        Angle between ray and surface [rad].

    Returns
    -------
    complex128, shape of `grazing_rad`
        :math:`\Gamma = \frac{\eta\sin\psi - \sqrt{\eta - \cos^2\psi}}
        {\eta\sin\psi + \sqrt{\eta - \cos^2\psi}}`; -1 along the surface.
    """
    psi = np.asarray(grazing_rad, dtype=np.float64)
    root = np.sqrt(permittivity - np.cos(psi) ** 2 + 0j)
    up = permittivity * np.sin(psi)
    return np.asarray((up - root) / (up + root))


def ament_factor(roughness_m: float, grazing_rad: ArrayLike, wavelength_m: float) -> FloatArray:
    r"""Share of the reflected field that a rough surface leaves coherent.

    Parameters
    ----------
    roughness_m
        Standard deviation of the height of the surface [m].
    grazing_rad : array_like of float64
        Angle between ray and surface [rad].
    wavelength_m
        Wavelength [m].

    Returns
    -------
    float64, shape of `grazing_rad`
        :math:`\rho = e^{-2 (2\pi \sigma \sin\psi / \lambda)^2}` [1]_.

    References
    ----------
    .. [1] W. S. Ament, "Toward a theory of reflection by a rough surface", Proc. IRE 41, 1953.
    """
    phase = 2.0 * np.pi * roughness_m * np.sin(np.asarray(grazing_rad, float)) / wavelength_m
    return np.asarray(np.exp(-2.0 * phase**2))


def two_ray_db(
    length_m: ArrayLike,
    height_a_m: ArrayLike,
    height_b_m: ArrayLike,
    permittivity: complex,
    roughness_m: float,
    carrier_ghz: float,
    *,
    limit_db: float = 20.0,
) -> FloatArray:
    r"""Loss by the interference of the direct ray and the one that water reflects.

    Parameters
    ----------
    length_m : array_like of float64
        Distance of the antennas in plan [m].
    height_a_m, height_b_m : array_like of float64
        Heights of the antennas above the water [m], above 0; all broadcast.
    permittivity
        Permittivity of the water.
    roughness_m
        Standard deviation of the height of its surface [m].
    carrier_ghz
        Carrier frequency [GHz].
    limit_db
        Largest loss [dB].

    Returns
    -------
    float64, broadcast shape
        Loss against the direct ray alone [dB], down to -6 where both rays add up.

    Notes
    -----
    .. math:: L = -20\log_{10}\left|1 + \frac{d}{d_r}\,\rho\,\Gamma\,
              e^{-2\pi j (d_r - d)/\lambda}\right|

    d and :math:`d_r` are the lengths of the direct and the reflected ray. The antennas are taken
    to radiate evenly into both.
    """
    wavelength_m = SPEED_OF_LIGHT_MPS / (carrier_ghz * 1e9)
    length, ha, hb = (np.asarray(v, dtype=np.float64) for v in (length_m, height_a_m, height_b_m))
    direct = np.hypot(length, ha - hb)
    reflected = np.hypot(length, ha + hb)
    # Exact where d_r - d would lose digits: the difference of squares is 4 ha hb.
    detour = 4.0 * ha * hb / (direct + reflected)
    psi = np.arctan2(ha + hb, length)
    gamma = vertical_reflection(permittivity, psi) * ament_factor(roughness_m, psi, wavelength_m)
    field = 1.0 + direct / reflected * gamma * np.exp(-2j * np.pi * detour / wavelength_m)
    with np.errstate(divide="ignore"):
        loss = -20.0 * np.log10(np.abs(field))
    return np.asarray(np.minimum(loss, limit_db))
