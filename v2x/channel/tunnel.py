"""Waves in tunnels: waveguide modes, the law inside a tube, bends and portals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.channel.base import LogDistanceLaw
from v2x.units import SPEED_OF_LIGHT_MPS

FloatArray = NDArray[np.float64]

#: Decibels in the power of a neper of power: 10 log10(e).
_POWER_NEPER_DB = 4.343


def mode_db_per_m(
    width_m: float,
    height_m: float,
    permittivity: float,
    wavelength_m: float,
    *,
    mode: tuple[int, int] = (1, 1),
    polarisation: str = "vertical",
) -> float:
    r"""Loss of one mode of a rectangular tunnel with smooth, lossless walls.

    Parameters
    ----------
    width_m, height_m
        Cross-section [m]; an arched one is replaced by the rectangle of equal area and aspect.
    permittivity
        Relative permittivity of the walls.
    wavelength_m
        Wavelength [m], far below the cross-section.
    mode
        Half waves (m, n) across the width and across the height.
    polarisation
        "vertical", as V2X antennas are, or "horizontal".

    Returns
    -------
    float
        Loss [dB/m]; for vertical polarisation [1]_

        .. math:: \alpha = \frac{4.343\,\lambda^2}{\sqrt{\varepsilon_r - 1}}
                  \left(\frac{m^2}{a^3} + \frac{\varepsilon_r n^2}{b^3}\right)

    References
    ----------
    .. [1] A. G. Emslie, R. L. Lagace, P. F. Strong, "Theory of the propagation of UHF radio waves
       in coal mine tunnels", IEEE Trans. Antennas Propag. 23, 1975 (recalled).
    """
    if polarisation not in ("vertical", "horizontal"):
        raise ValueError(f"polarisation must be 'vertical' or 'horizontal', got {polarisation!r}")
    across = mode[0] ** 2 / width_m**3
    up = mode[1] ** 2 / height_m**3
    if polarisation == "vertical":
        up *= permittivity
    else:
        across *= permittivity
    return _POWER_NEPER_DB * wavelength_m**2 * (across + up) / math.sqrt(permittivity - 1.0)


def roughness_db_per_m(
    width_m: float, height_m: float, roughness_m: float, wavelength_m: float
) -> float:
    r"""Loss by walls that are uneven by `roughness_m` [m] rms.

    :math:`4.343\,\pi^2 h^2 \lambda (a^{-4} + b^{-4})` [dB/m], other arguments as in
    :func:`mode_db_per_m`.
    """
    shape = width_m**-4 + height_m**-4
    return _POWER_NEPER_DB * math.pi**2 * roughness_m**2 * wavelength_m * shape


def tilt_db_per_m(tilt_rad: float, wavelength_m: float) -> float:
    r"""Loss by walls out of line by `tilt_rad` [rad] rms: :math:`4.343\,\pi^2\theta^2/\lambda`.

    In dB/m. It outweighs the loss of the modes, and decides how far a long tunnel carries.
    """
    return _POWER_NEPER_DB * math.pi**2 * tilt_rad**2 / wavelength_m


def far_zone_m(width_m: float, height_m: float, wavelength_m: float) -> float:
    """Distance from which few modes are left and the tunnel is a waveguide [m].

    The larger of the squares of width and height, over the wavelength. A two-lane tunnel reaches
    it at 2 km: V2X lives in the near zone.
    """
    return max(width_m, height_m) ** 2 / wavelength_m


def free_space_db_at_1_m(carrier_ghz: float) -> float:
    """Return the free-space loss at one metre [dB], 47.86 at 5.9 GHz."""
    return 20.0 * math.log10(4.0 * math.pi * carrier_ghz * 1e9 / SPEED_OF_LIGHT_MPS)


def tunnel_law(carrier_ghz: float, exponent: float = 1.8) -> LogDistanceLaw:
    """Path loss between two antennas in one straight tube.

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz].
    exponent
        Growth with distance; 1.6 to 2.0 in the near zone (low to medium confidence).

    Returns
    -------
    LogDistanceLaw
        Free space at 1 m, then ``10 exponent log10(d)``.

    Examples
    --------
    >>> tunnel_law(5.9).loss_db(np.array([100.0])).round(2)
    array([83.86])
    """
    return LogDistanceLaw(
        start_m=np.array([0.0]),
        intercept_db=np.array([free_space_db_at_1_m(carrier_ghz)]),
        slope_db=np.array([10.0 * exponent]),
        min_distance_m=1.0,
    )


def line_of_sight_limit_m(radius_m: ArrayLike, width_m: ArrayLike) -> FloatArray:
    """Longest line of sight in a bend, both ends on its outer side.

    Parameters
    ----------
    radius_m
        Radius of the bend [m].
    width_m
        Width of the carriageway [m].

    Returns
    -------
    float64, broadcast shape
        ``2 sqrt(2 R w)`` [m].

    Examples
    --------
    >>> line_of_sight_limit_m([150.0, 800.0], 9.0).round()
    array([104., 240.])
    """
    radius, width = np.asarray(radius_m, float), np.asarray(width_m, float)
    return np.asarray(2.0 * np.sqrt(2.0 * radius * width))


def angle_between_axes_rad(axis_a_rad: ArrayLike, axis_b_rad: ArrayLike) -> FloatArray:
    """Return the angle between two lines, whichever way each is travelled, 0 to pi/2 [rad]."""
    turn = np.mod(np.asarray(axis_a_rad, float) - np.asarray(axis_b_rad, float), np.pi)
    return np.asarray(np.minimum(turn, np.pi - turn))


def bend_db(
    distance_m: ArrayLike, turn_rad: ArrayLike, width_m: ArrayLike, loss_db_per_100m: float
) -> FloatArray:
    """Loss behind a bend of the tube.

    Parameters
    ----------
    distance_m : array_like of float64
        Distance of the antennas [m].
    turn_rad : array_like of float64
        Angle between the road's axes at the antennas [rad]. With the distance it gives the radius
        of the bend, ``R = d / turn``; 0 for a straight tube.
    width_m : array_like of float64
        Width of the carriageway [m]; all broadcast.
    loss_db_per_100m
        Loss beyond :func:`line_of_sight_limit_m` [dB per 100 m] (low confidence: 2 to 10).

    Returns
    -------
    float64, broadcast shape
        Loss [dB].
    """
    d, turn, width = (np.asarray(v, dtype=np.float64) for v in (distance_m, turn_rad, width_m))
    bent = turn > 0.0
    radius = np.where(bent, d / np.where(bent, turn, 1.0), np.inf)
    hidden = np.maximum(0.0, d - line_of_sight_limit_m(radius, width))
    return np.asarray(0.01 * loss_db_per_100m * hidden)


def portal_db(
    on_axis: ArrayLike,
    off_axis_rad: ArrayLike,
    *,
    on_axis_db: float = 3.0,
    off_axis_db: tuple[float, float] = (10.0, 30.0),
) -> FloatArray:
    """Loss of the mouth of a tube between inside and outside.

    Parameters
    ----------
    on_axis : array_like of bool
        Whether the line between the antennas passes through the mouth.
    off_axis_rad : array_like of float64
        Angle between the way out and the outer antenna [rad], 0 to pi/2.
    on_axis_db
        Loss if it does [dB] (low confidence: 0 to 5).
    off_axis_db
        Loss otherwise, straight ahead and at right angles [dB] (low confidence: 10 to 30).

    Returns
    -------
    float64, broadcast shape
        Loss [dB], off the axis linear in the angle.
    """
    low, high = off_axis_db
    aside = low + (high - low) * np.asarray(off_axis_rad, dtype=np.float64) / (0.5 * np.pi)
    return np.asarray(np.where(on_axis, on_axis_db, aside))
