"""How a driver follows: the Intelligent Driver Model and a safe bound.

The functions here state the model in numpy. The compiled twin that moves a whole fleet is
``v2x._kernels.car_following``; both use additions, multiplications, divisions and square
roots only, which every x86-64 machine rounds alike.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

#: Gaps are evaluated as at least this long, so that a queue's bumpers give no infinity [m].
LEAST_GAP_M = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class IdmParams:
    """A driver of the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000).

    Parameters
    ----------
    desired_speed_mps
        Speed v0 on an empty road without a limit [m/s].
    headway_s
        Time gap T kept behind a leader [s].
    min_gap_m
        Gap s0 in a standing queue [m].
    acceleration_mps2
        Greatest acceleration a [m/s²].
    deceleration_mps2
        Comfortable deceleration b [m/s²].
    emergency_mps2
        Hardest braking [m/s²]; nobody brakes harder, and the safe distance relies on it.
        Mean of the available deceleration in the crash potential index: 8.45 for cars, 5.01
        for heavy vehicles. On a dry level road: it scales with friction, and slopes add to it.
    """

    desired_speed_mps: float = 33.3
    headway_s: float = 1.5
    min_gap_m: float = 2.0
    acceleration_mps2: float = 1.2
    deceleration_mps2: float = 1.5
    emergency_mps2: float = 8.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value > 0:
                raise ValueError(f"{item.name} must be > 0, got {value}")
        if self.emergency_mps2 <= self.deceleration_mps2:
            raise ValueError(
                f"emergency_mps2 ({self.emergency_mps2}) must exceed deceleration_mps2 "
                f"({self.deceleration_mps2})"
            )


def desired_gap_m(speed_mps: ArrayLike, closing_mps: ArrayLike, driver: IdmParams) -> FloatArray:
    r"""Return the gap s* that the driver wants at this speed and closing speed [m].

    Notes
    -----
    .. math:: s^* = s_0 + \max\left(0,\; v T + \frac{v\,\Delta v}{2\sqrt{a b}}\right)
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    root = 2.0 * np.sqrt(driver.acceleration_mps2 * driver.deceleration_mps2)
    dynamic = v * driver.headway_s + v * np.asarray(closing_mps, dtype=np.float64) / root
    return np.asarray(driver.min_gap_m + np.maximum(dynamic, 0.0))


def idm_acceleration_mps2(
    speed_mps: ArrayLike,
    gap_m: ArrayLike,
    closing_mps: ArrayLike,
    desired_speed_mps: ArrayLike,
    driver: IdmParams,
) -> FloatArray:
    r"""Return the acceleration of the Intelligent Driver Model [m/s²].

    Parameters
    ----------
    speed_mps, gap_m, closing_mps : array_like
        Own speed, bumper-to-bumper gap (infinite without a leader) and own speed minus the
        leader's; broadcast together.
    desired_speed_mps : array_like
        The driver's own desired speed or what the speed limit leaves of it.
    driver
        Parameters.

    Notes
    -----
    .. math:: \dot v = a\left[1 - (v/v_0)^4 - (s^*/s)^2\right]

    Slope and engine power are added by :func:`v2x.mobility.dynamics.on_slope_mps2`, the safe
    bound by :func:`safe_speed_mps`.

    Examples
    --------
    In equilibrium the acceleration vanishes:

    >>> driver = IdmParams(acceleration_mps2=1.0, desired_speed_mps=33.33)
    >>> gap = equilibrium_gap_m(20.0, 33.33, driver)
    >>> round(float(gap), 3), abs(idm_acceleration_mps2(20.0, gap, 0.0, 33.33, driver)) < 1e-12
    (34.301, np.True_)
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    gap = np.maximum(np.asarray(gap_m, dtype=np.float64), LEAST_GAP_M)
    free = v / np.asarray(desired_speed_mps, dtype=np.float64)
    free = free * free
    near = desired_gap_m(v, closing_mps, driver) / gap
    return np.asarray(driver.acceleration_mps2 * (1.0 - free * free - near * near))


def equilibrium_gap_m(
    speed_mps: ArrayLike, desired_speed_mps: ArrayLike, driver: IdmParams
) -> FloatArray:
    r"""Return the gap at which a platoon keeps its speed [m].

    Notes
    -----
    .. math:: s_e = \frac{s_0 + v T}{\sqrt{1 - (v/v_0)^4}}
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    free = v / np.asarray(desired_speed_mps, dtype=np.float64)
    free = free * free
    rest = 1.0 - free * free
    with np.errstate(divide="ignore"):
        gap = (driver.min_gap_m + v * driver.headway_s) / np.sqrt(np.maximum(rest, 0.0))
    return np.asarray(gap)


def equilibrium_speed_mps(
    gap_m: ArrayLike, desired_speed_mps: ArrayLike, driver: IdmParams
) -> FloatArray:
    """Return the speed that a platoon with this gap keeps [m/s]; 0 at the gap of a queue."""
    gap = np.asarray(gap_m, dtype=np.float64)
    desired = np.asarray(desired_speed_mps, dtype=np.float64)
    shape = np.broadcast_shapes(gap.shape, desired.shape)
    low = np.zeros(shape)
    high = np.broadcast_to(desired, shape).copy()
    for _ in range(52):
        middle = 0.5 * (low + high)
        roomy = equilibrium_gap_m(middle, desired, driver) <= gap
        low = np.where(roomy, middle, low)
        high = np.where(roomy, high, middle)
    return low


def safe_speed_mps(
    speed_mps: ArrayLike, available_m: ArrayLike, emergency_mps2: float, step_s: float
) -> FloatArray:
    r"""Return the fastest speed at the end of a step from which one can still stop in time.

    Parameters
    ----------
    speed_mps : array_like
        Speed at the beginning of the step [m/s].
    available_m : array_like
        Distance to the point before which one must be able to stop [m]: behind a leader its
        rear plus its own braking distance, before a closed junction the line.
    emergency_mps2
        Hardest braking [m/s²].
    step_s
        Duration of the step [s].

    Notes
    -----
    After a step of constant acceleration to v' the stopping point has moved to
    (v + v') dt/2 + v'²/(2 b); the largest v' for which this does not pass the available
    distance solves a quadratic. A leader that brakes with b leaves its stopping point where
    it is, so a follower that has once been able to stop behind it always is (the argument of
    Gipps 1981 and Krauss 1998, without a reaction time as the step is the reaction).
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    half = 0.5 * emergency_mps2 * step_s
    rest = np.asarray(available_m, dtype=np.float64) - 0.5 * v * step_s
    reach = half * half + 2.0 * emergency_mps2 * np.maximum(rest, 0.0)
    return np.where(rest > 0.0, np.sqrt(reach) - half, 0.0)
