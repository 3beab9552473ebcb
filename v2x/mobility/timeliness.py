"""Did a warning come in time? Distances and times between an alert and a crash.

Everything is vectorised: arguments broadcast against each other. Who was warned of what is for
:mod:`v2x.metrics`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.mobility.collision_warning import braking_range_m
from v2x.units import GRAVITY_MPS2

FloatArray = NDArray[np.float64]

#: Least lead times of the acceptance tests of the NHTSA's NCAP at 72 km/h [s].
NCAP_STOPPED_S, NCAP_BRAKING_S, NCAP_SLOWER_S = 2.1, 2.4, 2.0
#: An alert at a TTC this much above the threshold of its stage is a nuisance ...
NUISANCE_TTC_SHARE = 1.5
#: ... and so is one that asks for less braking than this [m/s²].
NUISANCE_BRAKING_MPS2 = 0.1 * GRAVITY_MPS2


def required_distance_m(
    speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    leader_mps2: ArrayLike,
    reaction_s: ArrayLike,
    braking_mps2: ArrayLike,
) -> FloatArray:
    r"""Return the gap at which an alert still prevents the crash [m].

    Parameters
    ----------
    speed_mps, leader_speed_mps, leader_mps2 : array_like
        Motion when the alert is shown [m/s], [m/s²].
    reaction_s : array_like
        From then until the brakes work [s].
    braking_mps2 : array_like
        Braking of the follower, with grade and friction, > 0 [m/s²].

    Notes
    -----
    :math:`\Delta v\,t_r + \Delta v^2/(2 b)` for a leader that stands or keeps its speed; see
    :func:`~v2x.mobility.collision_warning.braking_range_m` for one that brakes.

    Examples
    --------
    >>> required_distance_m(20.0, [10.0, 0.0], 0.0, 1.0, 5.0)
    array([20., 60.])
    """
    return braking_range_m(speed_mps, leader_speed_mps, leader_mps2, braking_mps2, reaction_s)


def margin_m(gap_m: ArrayLike, required_m: ArrayLike) -> FloatArray:
    """Return the distance to spare, M [m]; the warning is timely where it is not negative."""
    return np.asarray(np.asarray(gap_m, dtype=np.float64) - np.asarray(required_m))


def margin_s(margin_m: ArrayLike, closing_mps: ArrayLike) -> FloatArray:
    """Return the time to spare, M/Δv [s]; infinite, with the sign of M, if nobody closes in."""
    margin, closing = np.broadcast_arrays(
        np.asarray(margin_m, dtype=np.float64), np.asarray(closing_mps, dtype=np.float64)
    )
    spare = np.where(margin >= 0.0, np.inf, -np.inf)
    np.divide(margin, closing, out=spare, where=closing > 0.0)
    return spare


def lead_time_s(gap_m: ArrayLike, closing_mps: ArrayLike) -> FloatArray:
    """Return the time to collision at the alert [s]: 0 on contact, infinite if nobody closes in."""
    gap, closing = np.broadcast_arrays(
        np.asarray(gap_m, dtype=np.float64), np.asarray(closing_mps, dtype=np.float64)
    )
    time = np.full(gap.shape, np.inf)
    np.divide(gap, closing, out=time, where=closing > 0.0)
    return np.where(gap <= 0.0, 0.0, time)


def is_nuisance(
    ttc_s: ArrayLike, threshold_s: ArrayLike, required_braking_mps2: ArrayLike
) -> NDArray[np.bool_]:
    """Return whether alerts annoy rather than help.

    Parameters
    ----------
    ttc_s, threshold_s : array_like
        Time to collision at the alert, and the threshold of its stage [s].
    required_braking_mps2 : array_like
        Braking that avoids the crash [m/s²].

    Examples
    --------
    >>> is_nuisance([4.1, 4.0, 4.0], 2.7, [3.0, 3.0, 0.9])
    array([ True, False,  True])
    """
    early = np.asarray(ttc_s) > NUISANCE_TTC_SHARE * np.asarray(threshold_s)
    return np.asarray(early | (np.asarray(required_braking_mps2) < NUISANCE_BRAKING_MPS2))


def distance_lost_m(closing_mps: ArrayLike, age_s: ArrayLike) -> FloatArray:
    """Return the distance that old information costs, Δv times its age [m]."""
    return np.asarray(np.asarray(closing_mps, dtype=np.float64) * np.asarray(age_s))


def alert_shift_s(tracking_error_m: ArrayLike, closing_mps: ArrayLike) -> FloatArray:
    """Return by how much an error of the distance shifts an alert, e/Δv [s]; infinite at rest."""
    error, closing = np.broadcast_arrays(
        np.asarray(tracking_error_m, dtype=np.float64), np.asarray(closing_mps, dtype=np.float64)
    )
    shift = np.where(error == 0.0, 0.0, np.copysign(np.inf, error))
    np.divide(error, closing, out=shift, where=closing > 0.0)
    return shift
