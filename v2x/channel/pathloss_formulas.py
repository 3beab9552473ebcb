"""Path loss formulas of 3GPP TR 37.885 and WINNER+ B1, as printed.

Distances are three-dimensional, losses without antenna gains and shadowing. The models that a
scenario chooses from are built of these in :mod:`v2x.channel.pathloss`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.units import SPEED_OF_LIGHT_MPS

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LogLaw:
    """A loss that is linear in the logarithms of distance and carrier frequency.

    Attributes
    ----------
    constant_db
        Loss at 1 m and 1 GHz [dB].
    slope_db
        Growth per decade of distance [dB].
    carrier_slope_db
        Growth per decade of carrier frequency [dB].
    """

    constant_db: float
    slope_db: float
    carrier_slope_db: float

    def intercept_db(self, carrier_ghz: float) -> float:
        """Return the loss at 1 m [dB]."""
        return self.constant_db + self.carrier_slope_db * math.log10(carrier_ghz)

    def loss_db(self, distance_m: ArrayLike, carrier_ghz: float) -> FloatArray:
        """Return the loss [dB] at `distance_m` [m], any shape."""
        log_distance = np.log10(np.asarray(distance_m, dtype=np.float64))
        return np.asarray(self.intercept_db(carrier_ghz) + self.slope_db * log_distance)


#: TR 37.885 Table 6.2.1-1, LOS and NLOSv.
TR37885_HIGHWAY_LOS = LogLaw(32.4, 20.0, 20.0)
TR37885_URBAN_LOS = LogLaw(38.77, 16.7, 18.2)
#: TR 37.885 Table 6.2.1-1, NLOS in both environments.
TR37885_NLOS = LogLaw(36.85, 30.0, 18.9)
#: WINNER+ D5.3, B1 below the breakpoint, and the free space that bounds it from below.
B1_NEAR = LogLaw(27.0, 22.7, 20.0)
B1_FREE_SPACE = LogLaw(46.4 - 20.0 * math.log10(5.0), 20.0, 20.0)


def b1_far(effective_antenna_height_m: float) -> LogLaw:
    """Return the law of WINNER+ B1 beyond the breakpoint."""
    log_h = math.log10(effective_antenna_height_m)
    return LogLaw(7.56 - 17.3 * log_h - 17.3 * log_h, 40.0, 2.7)


def b1_nlos(antenna_height_m: float, offset_db: float) -> LogLaw:
    """Return the law of WINNER+ B1 out of sight, without a street grid."""
    log_h = math.log10(antenna_height_m)
    return LogLaw(5.83 * log_h + 18.38 + offset_db, 44.9 - 6.55 * log_h, 23.0)


class BlockageCase(IntEnum):
    """Height of a blocking vehicle against the two antennas (TR 37.885 6.2.1)."""

    #: The blocker is below both antennas.
    BELOW_BOTH = 1
    #: The blocker is above both antennas.
    ABOVE_BOTH = 2
    #: The blocker is between, or as high as one of them.
    BETWEEN = 3


#: Standard deviation of the blockage loss [dB] by case (TR 37.885 6.2.1).
BLOCKAGE_SIGMA_DB: Mapping[BlockageCase, float] = {
    BlockageCase.BELOW_BOTH: 0.0,
    BlockageCase.ABOVE_BOTH: 4.5,
    BlockageCase.BETWEEN: 4.0,
}
_BLOCKAGE_FLOOR_DB = {BlockageCase.ABOVE_BOTH: 9.0, BlockageCase.BETWEEN: 5.0}


def tr37885_highway_los_db(distance_m: ArrayLike, carrier_ghz: float) -> FloatArray:
    r"""Path loss of a highway link in line of sight or blocked by vehicles.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    carrier_ghz
        Carrier frequency [GHz].

    Returns
    -------
    float64, shape of `distance_m`
        Path loss [dB] without shadowing and without the loss by blockage.

    Notes
    -----
    .. math:: PL = 32.4 + 20\log_{10} d + 20\log_{10} f_c

    TR 37.885 Table 6.2.1-1.

    Examples
    --------
    >>> tr37885_highway_los_db([100.0], 5.9).round(3)
    array([87.817])
    """
    return TR37885_HIGHWAY_LOS.loss_db(distance_m, carrier_ghz)


def tr37885_urban_los_db(distance_m: ArrayLike, carrier_ghz: float) -> FloatArray:
    r"""Path loss of an urban link in line of sight or blocked by vehicles.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    carrier_ghz
        Carrier frequency [GHz].

    Returns
    -------
    float64, shape of `distance_m`
        Path loss [dB] without shadowing and without the loss by blockage.

    Notes
    -----
    .. math:: PL = 38.77 + 16.7\log_{10} d + 18.2\log_{10} f_c

    TR 37.885 Table 6.2.1-1. The street guides the wave: beyond about 32 m at 5.9 GHz the loss is
    below that of free space.

    Examples
    --------
    >>> tr37885_urban_los_db([100.0], 5.9).round(3)
    array([86.2])
    """
    return TR37885_URBAN_LOS.loss_db(distance_m, carrier_ghz)


def tr37885_nlos_db(distance_m: ArrayLike, carrier_ghz: float) -> FloatArray:
    r"""Path loss of a link blocked by buildings.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    carrier_ghz
        Carrier frequency [GHz].

    Returns
    -------
    float64, shape of `distance_m`
        Path loss [dB] without shadowing.

    Notes
    -----
    .. math:: PL = 36.85 + 30\log_{10} d + 18.9\log_{10} f_c

    TR 37.885 Table 6.2.1-1.

    Examples
    --------
    >>> tr37885_nlos_db([100.0], 5.9).round(3)
    array([111.419])
    """
    return TR37885_NLOS.loss_db(distance_m, carrier_ghz)


def tr37885_highway_p_los(distance_m: ArrayLike) -> FloatArray:
    """Probability that no vehicle blocks a highway link.

    Parameters
    ----------
    distance_m : array_like of float64
        Distance between the antennas [m].

    Returns
    -------
    float64, shape of `distance_m`
        Probability of line of sight; the rest is NLOSv.

    Notes
    -----
    TR 37.885 6.2: a parabola to 475 m and a straight line from there to zero at 1015 m.
    """
    d = np.asarray(distance_m, dtype=np.float64)
    near = 2.1013e-6 * d**2 - 0.002 * d + 1.0193
    far = 0.54 - 0.001 * (d - 475.0)
    return np.asarray(np.clip(np.where(d <= 475.0, near, far), 0.0, 1.0))


def tr37885_urban_p_los(distance_m: ArrayLike) -> FloatArray:
    """Probability that no vehicle blocks an urban link along one street.

    Parameters
    ----------
    distance_m : array_like of float64
        Distance between the antennas [m].

    Returns
    -------
    float64, shape of `distance_m`
        Probability of line of sight; the rest is NLOSv (TR 37.885 6.2).
    """
    d = np.asarray(distance_m, dtype=np.float64)
    return np.asarray(np.minimum(1.0, 1.05 * np.exp(-0.0114 * d)))


def vehicle_blockage_mean_db(distance_m: ArrayLike, case: BlockageCase) -> FloatArray:
    r"""Mean loss by a blocking vehicle, before it is cut off at zero.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    case
        Height of the blocker against the antennas.

    Returns
    -------
    float64, shape of `distance_m`
        Mean of the loss [dB].

    Notes
    -----
    .. math:: \mu = \mu_0 + \max(0, 15\log_{10} d - 41)

    with 9 dB above both antennas and 5 dB between them; a blocker below both costs nothing
    (TR 37.885 6.2.1). The loss of a link is :math:`\max(0, N(\mu, \sigma^2))` dB with sigma from
    :data:`BLOCKAGE_SIGMA_DB`. The report calls it log-normal: it is Gaussian *in decibels*.

    Examples
    --------
    >>> vehicle_blockage_mean_db([100.0, 1000.0], BlockageCase.ABOVE_BOTH)
    array([ 9., 13.])
    """
    growth = np.maximum(0.0, 15.0 * np.log10(np.asarray(distance_m, dtype=np.float64)) - 41.0)
    if case == BlockageCase.BELOW_BOTH:
        return np.zeros_like(growth)
    return np.asarray(_BLOCKAGE_FLOOR_DB[case] + growth)


def free_space_b1_db(distance_m: ArrayLike, carrier_ghz: float) -> FloatArray:
    r"""Free-space loss in the rounding of WINNER+, the floor under its B1 laws.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    carrier_ghz
        Carrier frequency [GHz].

    Returns
    -------
    float64, shape of `distance_m`
        Path loss [dB]:

    .. math:: PL = 20\log_{10} d + 46.4 + 20\log_{10}(f_c / 5)
    """
    return B1_FREE_SPACE.loss_db(distance_m, carrier_ghz)


def winner_b1_breakpoint_m(
    carrier_ghz: float,
    effective_antenna_height_m: float,
    *,
    light_mps: float = SPEED_OF_LIGHT_MPS,
) -> float:
    """Distance at which the ground reflection begins to cancel the direct ray.

    Parameters
    ----------
    carrier_ghz
        Carrier frequency [GHz].
    effective_antenna_height_m
        Effective height of both antennas [m].
    light_mps
        Speed of light [m/s]. Some published models round it to 3e8, which moves the breakpoint
        by 0.07 %: the loss changes between the two places only, by less than 0.03 dB.

    Returns
    -------
    float
        ``4 h'_BS h'_MS f / c`` [m].

    Examples
    --------
    >>> round(winner_b1_breakpoint_m(5.9, 1.5), 1)
    177.1
    """
    return 4.0 * effective_antenna_height_m**2 * carrier_ghz * 1e9 / light_mps


def winner_b1_los_db(
    distance_m: ArrayLike,
    *,
    carrier_ghz: float,
    effective_antenna_height_m: float,
    min_distance_m: float = 3.0,
    light_mps: float = SPEED_OF_LIGHT_MPS,
) -> FloatArray:
    """Path loss of WINNER+ B1 in line of sight, at least that of free space.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    carrier_ghz
        Carrier frequency [GHz].
    effective_antenna_height_m
        Effective height of both antennas [m]; see :class:`WinnerB1Params`.
    min_distance_m
        Shorter links are evaluated at this distance [m] (TR 36.885 Annex A: 3 m).
    light_mps
        Speed of light in the breakpoint [m/s].

    Returns
    -------
    float64, shape of `distance_m`
        Path loss [dB] without shadowing. At the breakpoint the two branches do not meet exactly;
        the step is part of the formula.

    Notes
    -----
    WINNER+ D5.3, B1, as taken over by TR 36.885 Annex A.

    Examples
    --------
    >>> winner_b1_los_db([300.0], carrier_ghz=5.9, effective_antenna_height_m=0.5).round(3)
    array([119.142])
    """
    d = np.maximum(np.asarray(distance_m, dtype=np.float64), min_distance_m)
    breakpoint_m = winner_b1_breakpoint_m(
        carrier_ghz, effective_antenna_height_m, light_mps=light_mps
    )
    branch = np.where(
        d < breakpoint_m,
        B1_NEAR.loss_db(d, carrier_ghz),
        b1_far(effective_antenna_height_m).loss_db(d, carrier_ghz),
    )
    return np.asarray(np.maximum(branch, free_space_b1_db(d, carrier_ghz)))


def winner_b1_nlos_db(
    distance_m: ArrayLike,
    *,
    carrier_ghz: float,
    antenna_height_m: float = 1.5,
    offset_db: float = 0.0,
    min_distance_m: float = 3.0,
) -> FloatArray:
    r"""Path loss of WINNER+ B1 out of sight where streets form no grid.

    Parameters
    ----------
    distance_m : array_like of float64
        Three-dimensional distance between the antennas [m].
    carrier_ghz
        Carrier frequency [GHz].
    antenna_height_m
        Real, not effective, height of the antenna that stands for the base station [m].
    offset_db
        Added to the loss [dB]; TR 36.843 uses -5.
    min_distance_m
        Shorter links are evaluated at this distance [m].

    Returns
    -------
    float64, shape of `distance_m`
        Path loss [dB] without shadowing.

    Notes
    -----
    .. math:: PL = (44.9 - 6.55\log_{10} h)\log_{10} d + 5.83\log_{10} h + 18.38
              + 23\log_{10} f_c

    Examples
    --------
    >>> winner_b1_nlos_db([100.0], carrier_ghz=5.9).round(3)
    array([124.629])
    """
    d = np.maximum(np.asarray(distance_m, dtype=np.float64), min_distance_m)
    return b1_nlos(antenna_height_m, offset_db).loss_db(d, carrier_ghz)


def winner_b1_manhattan_db(
    d1_m: ArrayLike,
    d2_m: ArrayLike,
    *,
    carrier_ghz: float,
    effective_antenna_height_m: float,
    corner_loss_db: float = 17.3,
    half_street_m: float = 10.0,
) -> FloatArray:
    """Path loss of WINNER+ B1 around one corner of a street grid.

    Parameters
    ----------
    d1_m, d2_m : array_like of float64
        Distances of the two antennas from the corner along their streets [m]; they broadcast.
    carrier_ghz
        Carrier frequency [GHz].
    effective_antenna_height_m
        Effective height of both antennas [m].
    corner_loss_db
        Constant of the formula [dB]: 17.3 in WINNER+, 17.9 in ITU-R M.2135.
    half_street_m
        An antenna this close to the corner [m] still sees into the other street: the
        line-of-sight law holds at ``d1 + d2``.

    Returns
    -------
    float64, broadcast shape
        Path loss [dB] without shadowing, the smaller of both ways round; reciprocal.
    """
    d1, d2 = np.broadcast_arrays(
        np.asarray(d1_m, dtype=np.float64), np.asarray(d2_m, dtype=np.float64)
    )

    def los_db(distance: FloatArray) -> FloatArray:
        return winner_b1_los_db(
            distance,
            carrier_ghz=carrier_ghz,
            effective_antenna_height_m=effective_antenna_height_m,
        )

    def one_way_db(own: FloatArray, other: FloatArray) -> FloatArray:
        n_j = np.maximum(2.8 - 0.0024 * own, 1.84)
        turn = corner_loss_db - 12.5 * n_j + 10.0 * n_j * np.log10(other)
        return los_db(own) + turn + 3.0 * math.log10(carrier_ghz)

    sees_the_corner = np.minimum(d1, d2) <= half_street_m
    # Keep the unused branch finite where an antenna stands on the corner itself.
    far1, far2 = np.maximum(d1, half_street_m), np.maximum(d2, half_street_m)
    around = np.minimum(one_way_db(far1, far2), one_way_db(far2, far1))
    return np.asarray(np.where(sees_the_corner, los_db(d1 + d2), around))
