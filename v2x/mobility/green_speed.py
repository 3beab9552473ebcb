"""Green light optimal speed advice (GLOSA): the speed that meets the next green.

Everything is vectorised over vehicles; a vehicle may choose among several green windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.mobility.dynamics import EngineParams, crawl_speed_mps, on_slope_mps2

FloatArray = NDArray[np.float64]

#: Slowest change of speed that counts as one [m/s²].
_LEAST_MPS2 = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class GreenSpeedParams:
    """How advice is found.

    Parameters
    ----------
    least_speed_mps
        Slowest speed that is advised [m/s]; 30 to 40 km/h.
    clearing_s
        Time after the start of green that each waiting vehicle takes to go [s]; 1.8 to 2.
    acceleration_mps2
        Acceleration that drivers like to use for it [m/s²] (assumption).
    deceleration_mps2
        The same for slowing down [m/s²] (assumption).
    """

    least_speed_mps: float = 30.0 / 3.6
    clearing_s: float = 2.0
    acceleration_mps2: float = 1.2
    deceleration_mps2: float = 1.5

    def __post_init__(self) -> None:
        """Reject values the advice is not defined for."""
        for name in ("least_speed_mps", "acceleration_mps2", "deceleration_mps2"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not self.clearing_s >= 0:
            raise ValueError(f"clearing_s must be >= 0, got {self.clearing_s}")


@dataclass(frozen=True, slots=True)
class GreenAdvice:
    """Advice to each vehicle.

    Attributes
    ----------
    speed_mps : (n,) float64
        Highest speed that meets a green [m/s]; NaN where none does and one has to stop.
    window : (n,) int32
        The green window that is met, -1 for none.
    arrival_s : (n,) float64
        Time until the line is reached [s]; NaN where one has to stop.
    """

    speed_mps: FloatArray
    window: NDArray[np.int32]
    arrival_s: FloatArray


def speed_interval_mps(
    distance_m: ArrayLike,
    start_s: ArrayLike,
    end_s: ArrayLike,
    least_mps: ArrayLike,
    most_mps: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Return the constant speeds that meet a green, [D/t_e, D/t_s] within limits [m/s].

    Parameters
    ----------
    distance_m : array_like
        To the line D [m].
    start_s, end_s : array_like
        Until green begins (0 or less if it is green) and ends [s].
    least_mps, most_mps : array_like
        Limits [m/s].

    Returns
    -------
    low, high : float64
        The interval; empty where low > high.

    Examples
    --------
    300 m before a light that is green from 20 s to 40 s from now:

    >>> low, high = speed_interval_mps(300.0, 20.0, 40.0, 8.0, 16.7)
    >>> float(low), float(high)
    (8.0, 15.0)
    """
    distance, start, end = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(distance_m, start_s, end_s)
    )
    slowest, fastest = np.full(distance.shape, np.inf), np.full(distance.shape, np.inf)
    np.divide(distance, end, out=slowest, where=end > 0.0)
    np.divide(distance, start, out=fastest, where=start > 0.0)
    return np.maximum(slowest, least_mps), np.minimum(fastest, most_mps)


def cruise_speed_mps(
    distance_m: ArrayLike,
    time_s: ArrayLike,
    speed_mps: ArrayLike,
    acceleration_mps2: ArrayLike,
    deceleration_mps2: ArrayLike,
) -> FloatArray:
    r"""Return the speed to change to and keep so as to cover a distance in a time [m/s].

    Parameters
    ----------
    distance_m, time_s : array_like
        Distance D [m] and time t > 0 [s].
    speed_mps : array_like
        Speed now, v_0 [m/s].
    acceleration_mps2, deceleration_mps2 : array_like
        With which the speed is changed, both positive [m/s²].

    Returns
    -------
    float64
        The speed; NaN if even changing it all the time is not enough.

    Notes
    -----
    :math:`D = v t \mp (v - v_0)^2/(2 a)`, the sign for speeding up and slowing down.
    """
    d, t, v_0, up, down = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(
            distance_m, time_s, speed_mps, acceleration_mps2, deceleration_mps2
        )
    )
    faster = d >= v_0 * t
    rate = np.maximum(np.where(faster, up, down), _LEAST_MPS2)
    change = np.abs(d - v_0 * t)
    # With w = |v - v0|: w t - w²/(2 a) = change.
    root = t * t - 2.0 * change / rate
    width = rate * (t - np.sqrt(np.maximum(root, 0.0)))
    speed = np.where(faster, v_0 + width, v_0 - width)
    return np.where((root >= 0.0) & (speed > 0.0), speed, np.nan)


def arrival_s(
    distance_m: ArrayLike,
    speed_mps: ArrayLike,
    target_mps: ArrayLike,
    acceleration_mps2: ArrayLike,
    deceleration_mps2: ArrayLike,
) -> FloatArray:
    """Return when a distance is covered by changing to a target speed > 0 and keeping it [s].

    Parameters as of :func:`cruise_speed_mps`; who has not reached the target by then arrives
    while still changing speed.
    """
    d, v_0, v, up, down = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(
            distance_m, speed_mps, target_mps, acceleration_mps2, deceleration_mps2
        )
    )
    rate = np.maximum(np.where(v >= v_0, up, down), _LEAST_MPS2)
    signed = np.where(v >= v_0, rate, -rate)
    changing_m = (v * v - v_0 * v_0) / (2.0 * signed)
    kept = np.abs(v - v_0) / rate + (d - changing_m) / v
    ends = np.sqrt(np.maximum(v_0 * v_0 + 2.0 * signed * d, 0.0))
    return np.where(d >= changing_m, kept, 2.0 * d / np.maximum(v_0 + ends, _LEAST_MPS2))


def green_speed(
    distance_m: ArrayLike,
    speed_mps: ArrayLike,
    limit_mps: ArrayLike,
    start_s: ArrayLike,
    end_s: ArrayLike,
    params: GreenSpeedParams,
    *,
    n_waiting: ArrayLike = 0,
    acceleration_mps2: ArrayLike | None = None,
) -> GreenAdvice:
    """Return the highest speed at which each vehicle meets a green, changes of speed included.

    Parameters
    ----------
    distance_m, speed_mps, limit_mps : (n,) array_like
        Distance to the line [m], speed now and highest speed allowed [m/s].
    start_s, end_s : (n, n_windows) array_like
        Until each green begins (0 or less if it is green) and ends [s].
    params
        Least speed, queues and comfort.
    n_waiting : (n,) array_like
        Vehicles that stand before the line and have to clear first.
    acceleration_mps2 : (n,) array_like or None
        Acceleration that is available, see :func:`climbing_ability`; None for comfort.

    Notes
    -----
    Within a window the highest speed arrives first, so of all windows the first that can be met
    gives the highest.
    """
    distance, speed, limit, waiting = np.broadcast_arrays(
        *(np.asarray(values, dtype=np.float64) for values in (distance_m, speed_mps, limit_mps)),
        np.asarray(n_waiting, dtype=np.float64),
    )
    start = np.atleast_2d(np.asarray(start_s, dtype=np.float64))
    end = np.atleast_2d(np.asarray(end_s, dtype=np.float64))
    wish = params.acceleration_mps2 if acceleration_mps2 is None else acceleration_mps2
    up = np.broadcast_to(np.asarray(wish, dtype=np.float64), distance.shape)
    down = params.deceleration_mps2
    # The queue clears from the start of green on, or from now on if it is green already.
    opens = np.maximum(start, 0.0) + params.clearing_s * waiting[:, None]
    n = len(distance)
    advised, arrives = np.full(n, np.nan), np.full(n, np.nan)
    window = np.full(n, -1, dtype=np.int32)
    fastest = arrival_s(distance, speed, limit, up, down)
    for k in range(start.shape[1]):
        later = np.maximum(opens[:, k], 1e-9)
        exact = cruise_speed_mps(distance, later, speed, up, down)
        target = np.where(fastest >= opens[:, k], limit, np.minimum(exact, limit))
        known = np.where(np.isfinite(target), target, 1.0)
        at = arrival_s(distance, speed, known, up, down)
        fits = np.isfinite(target) & (target >= params.least_speed_mps)
        fits &= (at <= end[:, k]) & (window < 0)
        advised = np.where(fits, known, advised)
        arrives = np.where(fits, at, arrives)
        window = np.where(fits, np.int32(k), window).astype(np.int32)
    return GreenAdvice(advised, window, arrives)


def climbing_ability(
    speed_mps: ArrayLike,
    limit_mps: ArrayLike,
    grade: ArrayLike,
    engine: EngineParams,
    params: GreenSpeedParams,
) -> tuple[FloatArray, FloatArray]:
    """Return the acceleration and the highest speed that a vehicle has on a grade.

    Parameters
    ----------
    speed_mps, limit_mps : (n,) array_like
        Speed now and highest speed allowed [m/s].
    grade : (n,) array_like
        Rise over run up to the line.
    engine
        Power, mass and drag.
    params
        Comfortable acceleration.

    Returns
    -------
    acceleration_mps2, limit_mps : (n,) float64
        Acceleration between the two speeds, at most the comfortable one [m/s²]; the limit, or
        the crawl speed where engine and grade allow no more [m/s].
    """
    speed, limit, slope = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(speed_mps, limit_mps, grade)
    )
    crawl = np.array([crawl_speed_mps(value, engine) for value in slope.ravel().tolist()])
    limit = np.minimum(limit, np.maximum(crawl.reshape(slope.shape), _LEAST_MPS2))
    middle = 0.5 * (speed + np.maximum(limit, speed))
    ability = on_slope_mps2(params.acceleration_mps2, middle, slope, engine, compensation=1.0)
    return np.maximum(ability, _LEAST_MPS2), limit
