"""Waves through a flat slab of building material, after ITU-R P.2040.

One homogeneous slab in air. Reinforcement, ribs and hollow boxes are not in it; a box girder is
two slabs and loses about twice as many decibels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.units import SPEED_OF_LIGHT_MPS

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Imaginary permittivity of a conductivity of 1 S/m at 1 GHz: 1 / (2 pi epsilon_0 1e9).
_CONDUCTIVITY_FACTOR = 17.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Electrical constants of a material, as powers of frequency.

    Attributes
    ----------
    a, b
        Real relative permittivity ``a * f**b``, f in GHz.
    c, d
        Conductivity ``c * f**d`` [S/m], f in GHz.
    """

    a: float
    b: float
    c: float
    d: float

    def permittivity(self, carrier_ghz: float) -> complex:
        """Return the complex relative permittivity, its imaginary part negative."""
        sigma = self.conductivity_s_per_m(carrier_ghz)
        return complex(self.a * carrier_ghz**self.b, -_CONDUCTIVITY_FACTOR * sigma / carrier_ghz)

    def conductivity_s_per_m(self, carrier_ghz: float) -> float:
        """Return the conductivity [S/m]."""
        return float(self.c * carrier_ghz**self.d)

    def bulk_db_per_m(self, carrier_ghz: float) -> float:
        """Return the loss inside the material, far from its faces [dB/m].

        The approximation for small losses, ``1636 sigma / sqrt(eta_r)``.
        """
        eta = self.permittivity(carrier_ghz).real
        return float(1636.0 * self.conductivity_s_per_m(carrier_ghz) / np.sqrt(eta))


#: Materials by name (ITU-R P.2040-2 and -3 Table 3; "concrete_old" P.2040-1; ground 1-10 GHz).
MATERIALS: Mapping[str, Material] = MappingProxyType(
    {
        "concrete": Material(a=5.24, b=0.0, c=0.0462, d=0.7822),
        "concrete_old": Material(a=5.31, b=0.0, c=0.0326, d=0.8095),
        "brick": Material(a=3.91, b=0.0, c=0.0238, d=0.16),
        "glass": Material(a=6.31, b=0.0, c=0.0036, d=1.3394),
        "wood": Material(a=1.99, b=0.0, c=0.0047, d=1.0718),
        "very_dry_ground": Material(a=3.0, b=0.0, c=0.00015, d=2.52),
        "medium_dry_ground": Material(a=15.0, b=-0.1, c=0.035, d=1.63),
        "wet_ground": Material(a=30.0, b=-0.4, c=0.15, d=1.3),
    }
)


def interface_reflection(
    permittivity: complex, incidence_rad: ArrayLike, *, polarisation: str = "TM"
) -> ComplexArray:
    r"""Reflection coefficient of the face of a material.

    Parameters
    ----------
    permittivity
        Complex relative permittivity of the material, imaginary part negative.
    incidence_rad : array_like of float64
        Angle of the ray from the normal of the face [rad], 0 to pi/2.
    polarisation
        "TM" if the electric field lies in the plane of incidence (a vertical antenna above a
        horizontal slab), "TE" if across it.

    Returns
    -------
    complex128, shape of `incidence_rad`
        :math:`R'_{TE} = \frac{\cos\theta - s}{\cos\theta + s}`,
        :math:`R'_{TM} = \frac{\eta\cos\theta - s}{\eta\cos\theta + s}`,
        :math:`s = \sqrt{\eta - \sin^2\theta}` (ITU-R P.2040).
    """
    if polarisation not in ("TM", "TE"):
        raise ValueError(f"polarisation must be 'TM' or 'TE', got {polarisation!r}")
    theta = np.asarray(incidence_rad, dtype=np.float64)
    s = np.sqrt(permittivity - np.sin(theta) ** 2 + 0j)
    inside = np.cos(theta) * (permittivity if polarisation == "TM" else 1.0)
    return np.asarray((inside - s) / (inside + s))


def slab_transmission(
    permittivity: complex,
    thickness_m: float,
    incidence_rad: ArrayLike,
    carrier_ghz: float,
    *,
    polarisation: str = "TM",
) -> ComplexArray:
    r"""Transmission coefficient of a slab, all reflections inside it added up.

    Parameters
    ----------
    permittivity
        Complex relative permittivity, such as :meth:`Material.permittivity`.
    thickness_m
        Thickness [m].
    incidence_rad : array_like of float64
        Angle of the ray from the normal of the slab [rad], 0 to pi/2.
    carrier_ghz
        Carrier frequency [GHz].
    polarisation
        As in :func:`interface_reflection`.

    Returns
    -------
    complex128, shape of `incidence_rad`
        :math:`T = \frac{(1 - R'^2)\,e^{-jq}}{1 - R'^2 e^{-2jq}}` with
        :math:`q = \frac{2\pi t}{\lambda}\sqrt{\eta - \sin^2\theta}` (ITU-R P.2040).
    """
    theta = np.asarray(incidence_rad, dtype=np.float64)
    r2 = interface_reflection(permittivity, theta, polarisation=polarisation) ** 2
    wavelength_m = SPEED_OF_LIGHT_MPS / (carrier_ghz * 1e9)
    q = 2.0 * np.pi * thickness_m / wavelength_m * np.sqrt(permittivity - np.sin(theta) ** 2 + 0j)
    through = np.exp(-1j * q)
    return np.asarray((1.0 - r2) * through / (1.0 - r2 * through**2))


def slab_db(
    material: Material,
    thickness_m: float,
    incidence_rad: ArrayLike,
    carrier_ghz: float,
    *,
    polarisation: str = "TM",
) -> FloatArray:
    """Loss of a ray through a slab.

    Parameters
    ----------
    material
        What the slab is made of.
    thickness_m, incidence_rad, carrier_ghz, polarisation
        As in :func:`slab_transmission`.

    Returns
    -------
    float64, shape of `incidence_rad`
        Loss against free space [dB]; infinite along the slab.

    Examples
    --------
    >>> slab_db(MATERIALS["concrete"], 0.25, [0.0], 5.9).round(1)
    array([34.5])
    """
    transmission = slab_transmission(
        material.permittivity(carrier_ghz),
        thickness_m,
        incidence_rad,
        carrier_ghz,
        polarisation=polarisation,
    )
    with np.errstate(divide="ignore"):
        return np.asarray(-20.0 * np.log10(np.abs(transmission)))
