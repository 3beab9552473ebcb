"""How near a crash was: surrogate safety measures of motion, as plain formulas.

Everything is vectorised: arguments broadcast against each other. Grades are rise over run,
uphill positive. :mod:`v2x.sim.safety.conflicts` applies the formulas to a fleet, tick by tick.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.units import GRAVITY_MPS2
from v2x.world.weather import DRY_FRICTION

FloatArray = NDArray[np.float64]

#: Speeds [m/s] and accelerations [m/s²] below this are none.
_STEADY = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RssParams:
    """Constants of responsibility-sensitive safety (Shalev-Shwartz et al. 2017).

    Parameters
    ----------
    response_s
        Response time ρ of the rear vehicle [s]: human 1 to 2, automated 0.5.
    acceleration_mps2
        Hardest acceleration during the response time [m/s²].
    least_braking_mps2
        Braking that the rear vehicle applies at least, b_min [m/s²].
    hardest_braking_mps2
        Braking that the vehicle ahead applies at most, b_max [m/s²].
    lateral_acceleration_mps2
        Hardest acceleration sideways [m/s²].
    lateral_braking_mps2
        Braking sideways that both apply at least [m/s²].
    lateral_margin_m
        Distance μ that is left in the end [m]; 0.1 to 0.5.
    """

    response_s: float = 1.0
    acceleration_mps2: float = 3.5
    least_braking_mps2: float = 4.0
    hardest_braking_mps2: float = 8.0
    lateral_acceleration_mps2: float = 0.2
    lateral_braking_mps2: float = 0.8
    lateral_margin_m: float = 0.1

    def __post_init__(self) -> None:
        """Reject values the rules are not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"{item.name} must be > 0, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakingSpreadParams:
    """How the hardest deceleration on a dry level road is spread over vehicles (for the CPI).

    Normal distributions after Cunto and Saccomanno (2008).

    Parameters
    ----------
    car_mps2
        Mean of cars [m/s²].
    heavy_mps2
        Mean of trucks and buses [m/s²].
    deviation_mps2
        Standard deviation of both [m/s²].
    """

    car_mps2: float = 8.45
    heavy_mps2: float = 5.01
    deviation_mps2: float = 1.4

    def __post_init__(self) -> None:
        """Reject values no brake has."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"{item.name} must be > 0, got {value}")


def modified_time_to_collision_s(
    gap_m: ArrayLike,
    follower_speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    follower_acceleration_mps2: ArrayLike,
    leader_acceleration_mps2: ArrayLike,
    *,
    within_s: float = np.inf,
) -> FloatArray:
    r"""Return the time until the follower reaches the leader if both keep their accelerations.

    Parameters
    ----------
    gap_m : array_like
        Bumper-to-bumper distance [m].
    follower_speed_mps, leader_speed_mps : array_like
        Speeds [m/s].
    follower_acceleration_mps2, leader_acceleration_mps2 : array_like
        Accelerations [m/s²].
    within_s
        Later contacts count as none [s].

    Returns
    -------
    float64
        MTTC [s]: 0 on overlap, infinite without contact.

    Notes
    -----
    The smallest positive root of

    .. math:: s = \Delta v\,t + \tfrac12 \Delta a\,t^2

    (Ozbay et al. 2008), except that nobody rolls backwards: from the instant at which a vehicle
    has braked to a stop it stands, and the equation goes on from there.

    Examples
    --------
    A leader that brakes with 4 m/s² from 20 m/s, and a follower that goes on, 20 m behind: they
    touch before the leader stands. Equal speeds have no TTC.

    >>> modified_time_to_collision_s(20.0, 20.0, 20.0, 0.0, -4.0).round(4)
    array(3.1623)
    """
    gap, v_f, v_l, a_f, a_l = (
        np.array(values, dtype=np.float64)
        for values in np.broadcast_arrays(
            gap_m,
            follower_speed_mps,
            leader_speed_mps,
            follower_acceleration_mps2,
            leader_acceleration_mps2,
        )
    )
    passed = np.zeros(gap.shape)
    found = np.where(gap <= 0.0, 0.0, np.inf)
    for _ in range(3):  # until one stands, until both do, and after that
        stop_f, stop_l = _time_to_stop_s(v_f, a_f), _time_to_stop_s(v_l, a_l)
        over = np.isinf(passed)
        left = np.where(over, -1.0, within_s - np.where(over, 0.0, passed))
        step = np.minimum(np.minimum(stop_f, stop_l), left)
        root = _first_root(gap, v_f - v_l, a_f - a_l)
        here = np.isinf(found) & (root <= step)
        found = np.where(here, passed + root, found)
        known = np.where(np.isfinite(step), step, 0.0)
        gap = gap - known * (v_f - v_l + 0.5 * (a_f - a_l) * known)
        passed = passed + step
        stands_f, stands_l = stop_f <= step, stop_l <= step
        v_f, v_l = v_f + a_f * known, v_l + a_l * known
        v_f, a_f = np.where(stands_f, 0.0, v_f), np.where(stands_f, 0.0, a_f)
        v_l, a_l = np.where(stands_l, 0.0, v_l), np.where(stands_l, 0.0, a_l)
    return found


def _time_to_stop_s(speed_mps: FloatArray, acceleration_mps2: FloatArray) -> FloatArray:
    stop_s = np.full(speed_mps.shape, np.inf)
    np.divide(speed_mps, -acceleration_mps2, out=stop_s, where=acceleration_mps2 < -_STEADY)
    return np.asarray(np.maximum(stop_s, 0.0))


def _first_root(gap: FloatArray, closing: FloatArray, gain: FloatArray) -> FloatArray:
    """Return the smallest root >= 0 of gap = closing t + gain t²/2, or infinity."""
    even = np.abs(gain) < _STEADY
    root = np.full(gap.shape, np.inf)
    np.divide(gap, closing, out=root, where=even & (closing > _STEADY))
    square = closing * closing + 2.0 * gain * gap
    real = ~even & (square >= 0.0)
    # The form without cancellation; its partner root is the other sign of the square root.
    q = closing + np.copysign(np.sqrt(np.where(real, square, 0.0)), closing)
    one, other = np.full(gap.shape, np.inf), np.full(gap.shape, np.inf)
    np.divide(-q, gain, out=one, where=real)
    np.divide(2.0 * gap, q, out=other, where=real & (q != 0.0))
    for candidate in (one, other):
        root = np.where(real & (candidate >= 0.0), np.minimum(root, candidate), root)
    return root


def braking_on_grade_mps2(friction: ArrayLike, grade: ArrayLike = 0.0) -> FloatArray:
    r"""Return the deceleration that tyres can give on a grade [m/s²].

    :math:`b = g\,(\mu\cos\theta + \sin\theta)` with :math:`\tan\theta = i`, never negative.

    Examples
    --------
    >>> braking_on_grade_mps2(0.4, -0.06).round(3)
    array(3.33)
    """
    slope = np.asarray(grade, dtype=np.float64)
    cosine = 1.0 / np.sqrt(1.0 + slope * slope)
    held = GRAVITY_MPS2 * cosine * (np.asarray(friction, dtype=np.float64) + slope)
    return np.maximum(held, 0.0)


def crash_probability(
    drac_mps2: ArrayLike,
    heavy: ArrayLike,
    friction: ArrayLike,
    grade: ArrayLike,
    spread: BrakingSpreadParams,
) -> FloatArray:
    r"""Return the probability that a vehicle cannot brake as hard as it must.

    Parameters
    ----------
    drac_mps2 : array_like
        Deceleration that avoids the crash [m/s²]; 0 gives 0.
    heavy : array_like of bool
        Whether the vehicle is a truck or a bus.
    friction, grade : array_like
        Of the road.
    spread
        Distribution of the hardest deceleration on a dry level road.

    Notes
    -----
    P(MADR <= DRAC), whose sum over time is the crash potential index (CPI). MADR is normal with
    mean :math:`\bar b\,\mu/0.75 + g\sin\theta` and the deviation scaled by
    :math:`\mu/0.75`: on a slippery road all brakes are weaker, and a descent takes its share.

    Examples
    --------
    Half of the cars cannot brake with 8.45 m/s²:

    >>> crash_probability(8.45, False, 0.75, 0.0, BrakingSpreadParams())
    array(0.5)
    """
    from scipy.special import ndtr

    grip = np.asarray(friction, dtype=np.float64) / DRY_FRICTION
    slope = np.asarray(grade, dtype=np.float64)
    mean = np.where(heavy, spread.heavy_mps2, spread.car_mps2) * grip
    mean = mean + GRAVITY_MPS2 * slope / np.sqrt(1.0 + slope * slope)
    drac = np.asarray(drac_mps2, dtype=np.float64)
    below = ndtr((drac - mean) / (spread.deviation_mps2 * grip))
    return np.where(drac > 0.0, below, 0.0)


def rss_longitudinal_m(
    rear_speed_mps: ArrayLike,
    front_speed_mps: ArrayLike,
    params: RssParams,
    *,
    friction: ArrayLike | None = None,
    grade: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return the safe distance behind a vehicle in the same direction [m].

    Parameters
    ----------
    rear_speed_mps, front_speed_mps : array_like
        Speeds [m/s].
    params
        Constants.
    friction
        Of the road; None if it does not limit the rear vehicle.
    grade
        Rise over run, the same for both.

    Notes
    -----
    .. math:: d = \left[v_r\rho + \tfrac12 a\rho^2 + \frac{(v_r + \rho a)^2}{2 b_\min}
              - \frac{v_f^2}{2 b_\max}\right]^+

    On a grade *a* loses :math:`g i`, :math:`b_\min` is at most :math:`\mu g` and gains
    :math:`g i`, and so does :math:`b_\max`, which friction does not bound: the vehicle ahead may
    stand on a drier spot.

    Examples
    --------
    >>> v = 80 / 3.6
    >>> rss_longitudinal_m(v, v, RssParams(), grade=[0.0, -0.06, 0.06]).round(2)
    array([75.81, 92.41, 63.76])
    """
    pull = GRAVITY_MPS2 * np.asarray(grade, dtype=np.float64)
    gain = np.maximum(params.acceleration_mps2 - pull, 0.0)
    least = np.asarray(params.least_braking_mps2, dtype=np.float64)
    if friction is not None:
        least = np.minimum(least, GRAVITY_MPS2 * np.asarray(friction, dtype=np.float64))
    # Where brakes do not hold on the slope there is no safe distance; a millimetre per second
    # squared stands for that.
    rear_braking = np.maximum(least + pull, 1e-3)
    front_braking = np.maximum(params.hardest_braking_mps2 + pull, 1e-3)
    rear = np.asarray(rear_speed_mps, dtype=np.float64)
    front = np.asarray(front_speed_mps, dtype=np.float64)
    rho = params.response_s
    faster = rear + rho * gain
    way = rear * rho + 0.5 * gain * rho * rho + faster * faster / (2.0 * rear_braking)
    return np.maximum(way - front * front / (2.0 * front_braking), 0.0)


def rss_opposite_m(
    speed_mps: ArrayLike, oncoming_speed_mps: ArrayLike, params: RssParams
) -> FloatArray:
    """Return the safe distance between vehicles that drive towards each other [m].

    Both may speed up during the response time and then brake with the least braking. Speeds
    [m/s], both positive.
    """
    rho, gain = params.response_s, params.acceleration_mps2
    way: FloatArray = np.zeros(())
    for values in (speed_mps, oncoming_speed_mps):
        speed = np.asarray(values, dtype=np.float64)
        faster = speed + rho * gain
        braking = faster * faster / (2.0 * params.least_braking_mps2)
        way = way + 0.5 * (speed + faster) * rho + braking
    return way


def rss_lateral_m(
    left_speed_mps: ArrayLike, right_speed_mps: ArrayLike, params: RssParams
) -> FloatArray:
    r"""Return the safe distance between the sides of two vehicles beside each other [m].

    Parameters
    ----------
    left_speed_mps, right_speed_mps : array_like
        Sideways speeds of the left and of the right one, both counted to the right [m/s].
    params
        Constants.

    Notes
    -----
    With :math:`v_{1\rho} = v_1 + \rho a` and :math:`v_{2\rho} = v_2 - \rho a`,

    .. math:: d = \mu + \left[\frac{v_1 + v_{1\rho}}2\rho + \frac{v_{1\rho}^2}{2b}
              - \frac{v_2 + v_{2\rho}}2\rho + \frac{v_{2\rho}^2}{2b}\right]^+

    Examples
    --------
    Two that keep their lanes need 35 cm:

    >>> rss_lateral_m(0.0, 0.0, RssParams()).round(3)
    array(0.35)
    """
    rho, brake = params.response_s, params.lateral_braking_mps2
    push = rho * params.lateral_acceleration_mps2
    one = np.asarray(left_speed_mps, dtype=np.float64)
    two = np.asarray(right_speed_mps, dtype=np.float64)
    one_later, two_later = one + push, two - push
    way = 0.5 * (one + one_later) * rho + one_later * one_later / (2.0 * brake)
    way = way - 0.5 * (two + two_later) * rho + two_later * two_later / (2.0 * brake)
    return params.lateral_margin_m + np.maximum(way, 0.0)
