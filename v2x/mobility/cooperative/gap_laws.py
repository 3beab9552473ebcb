"""Laws by which automated vehicles keep their gaps, as plain formulas.

All are vectorised: arguments broadcast against each other. `gap_m` is from bumper to bumper,
`ahead` is the vehicle in front. What is done when messages stop coming is in
:mod:`v2x.mobility.cooperative.platoon_drive`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccParams:
    """Adaptive cruise control of PATH (Milanés and Shladover 2014).

    Parameters
    ----------
    gap_gain_per_s2
        Gain of the gap error [1/s²].
    speed_gain_per_s
        Gain of the speed difference [1/s].
    headway_s
        Time gap [s]; 1.1 to 1.6 in their cars.
    standstill_m
        Gap that is kept at rest [m]; none in the published law.
    """

    gap_gain_per_s2: float = 0.23
    speed_gain_per_s: float = 0.07
    headway_s: float = 1.4
    standstill_m: float = 0.0

    def __post_init__(self) -> None:
        """Reject values the law is not defined for."""
        _check(self, may_be_zero=("standstill_m",))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathCaccParams:
    """Cooperative adaptive cruise control of PATH (Milanés and Shladover 2014).

    Parameters
    ----------
    gap_gain
        Speed commanded per gap error [1/s].
    rate_gain
        Speed commanded per rate of the gap error.
    headway_s
        Time gap [s]; 0.6 to 0.9.
    standstill_m
        Gap that is kept at rest [m].
    response_s
        Time in which a commanded change of speed is to be reached, where an acceleration is
        asked for [s] (assumption).
    """

    gap_gain: float = 0.45
    rate_gain: float = 0.25
    headway_s: float = 0.6
    standstill_m: float = 2.0
    response_s: float = 0.5

    def __post_init__(self) -> None:
        """Reject values the law is not defined for."""
        _check(self, may_be_zero=("standstill_m",))


@dataclass(frozen=True, slots=True, kw_only=True)
class PloegParams:
    """Cooperative adaptive cruise control of Ploeg et al. (2011).

    Parameters
    ----------
    gap_gain_per_s2
        Gain k_p of the gap error [1/s²].
    rate_gain_per_s
        Gain k_d of its rate [1/s].
    headway_s
        Time gap h [s].
    standstill_m
        Gap r that is kept at rest [m].
    """

    gap_gain_per_s2: float = 0.2
    rate_gain_per_s: float = 0.7
    headway_s: float = 0.5
    standstill_m: float = 2.0

    def __post_init__(self) -> None:
        """Reject values the law is not defined for."""
        _check(self, may_be_zero=("standstill_m",))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacingParams:
    """Platoon at constant spacing, with the leader's motion known to all (Rajamani, PATH).

    Parameters
    ----------
    leader_share
        Weight C1 of the leader against the vehicle ahead, in (0, 1).
    damping
        Damping ratio ξ, at least 1.
    bandwidth_radps
        Bandwidth ω_n [rad/s].
    spacing_m
        Gap that is kept at any speed [m].
    """

    leader_share: float = 0.5
    damping: float = 1.0
    bandwidth_radps: float = 0.2
    spacing_m: float = 5.0

    def __post_init__(self) -> None:
        """Reject values the law is not defined for."""
        _check(self)
        if not self.leader_share < 1:
            raise ValueError(f"leader_share must be in (0, 1), got {self.leader_share}")
        if self.damping < 1:
            raise ValueError(f"damping must be at least 1, got {self.damping}")

    @property
    def gains(self) -> tuple[float, float, float, float, float]:
        """Gains α1 to α5 of accelerations, speed differences [1/s] and gap error [1/s²]."""
        c, omega = self.leader_share, self.bandwidth_radps
        root = self.damping + math.sqrt(self.damping**2 - 1.0)
        return (
            1.0 - c,
            c,
            -(2.0 * self.damping - c * root) * omega,
            -c * root * omega,
            -(omega**2),
        )


def acc_mps2(
    speed_mps: ArrayLike, gap_m: ArrayLike, ahead_speed_mps: ArrayLike, params: AccParams
) -> FloatArray:
    """Return the acceleration of ACC, k1 (s - h v) + k2 (v_l - v) [m/s²].

    Examples
    --------
    >>> acc_mps2(20.0, 30.0, 19.0, AccParams()).round(3)
    np.float64(0.39)
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    error = np.asarray(gap_m) - params.standstill_m - params.headway_s * v
    difference = np.asarray(ahead_speed_mps) - v
    return np.asarray(params.gap_gain_per_s2 * error + params.speed_gain_per_s * difference)


def path_cacc_speed_mps(
    command_mps: ArrayLike,
    gap_error_m: ArrayLike,
    gap_error_rate_mps: ArrayLike,
    params: PathCaccParams,
) -> FloatArray:
    """Return the next commanded speed, v + k_p e + k_d de/dt [m/s].

    `command_mps` is the one of the step before; for the error see :func:`gap_error_m`.
    """
    step = params.gap_gain * np.asarray(gap_error_m)
    step = step + params.rate_gain * np.asarray(gap_error_rate_mps)
    return np.asarray(np.asarray(command_mps) + step)


def gap_error_m(
    speed_mps: ArrayLike, gap_m: ArrayLike, headway_s: ArrayLike, standstill_m: float
) -> FloatArray:
    """Return by how much a gap is longer than wanted, e = s - r - h v [m]."""
    wanted = standstill_m + np.asarray(headway_s) * np.asarray(speed_mps, dtype=np.float64)
    return np.asarray(np.asarray(gap_m) - wanted)


def gap_error_rate_mps(
    speed_mps: ArrayLike,
    acceleration_mps2: ArrayLike,
    ahead_speed_mps: ArrayLike,
    headway_s: ArrayLike,
) -> FloatArray:
    """Return the rate of the gap error, de/dt = v_l - v - h a [m/s]."""
    difference = np.asarray(ahead_speed_mps, dtype=np.float64) - np.asarray(speed_mps)
    return np.asarray(difference - np.asarray(headway_s) * np.asarray(acceleration_mps2))


def ploeg_target_mps2(
    gap_error_m: ArrayLike,
    gap_error_rate_mps: ArrayLike,
    ahead_mps2: ArrayLike,
    params: PloegParams,
) -> FloatArray:
    """Return what the command of CACC tends to, k_p e + k_d de/dt + u_lead [m/s²].

    Parameters
    ----------
    gap_error_m, gap_error_rate_mps : array_like
        See :func:`gap_error_m` and :func:`gap_error_rate_mps`.
    ahead_mps2 : array_like
        Acceleration that the vehicle ahead has told of; 0 makes it an ACC.
    params
        Gains.
    """
    target = params.gap_gain_per_s2 * np.asarray(gap_error_m, dtype=np.float64)
    target = target + params.rate_gain_per_s * np.asarray(gap_error_rate_mps)
    return np.asarray(target + np.asarray(ahead_mps2))


def ploeg_command_mps2(
    command_mps2: ArrayLike, target_mps2: ArrayLike, headway_s: ArrayLike, step_s: float
) -> FloatArray:
    r"""Return the command after a step, with :math:`\dot u = (-u + u_\mathrm{target})/h` [m/s²].

    The exact solution for a target that does not change during the step.
    """
    u = np.asarray(command_mps2, dtype=np.float64)
    share = -np.expm1(-step_s / np.asarray(headway_s, dtype=np.float64))
    return np.asarray(u + share * (np.asarray(target_mps2) - u))


def constant_spacing_mps2(
    speed_mps: ArrayLike,
    gap_m: ArrayLike,
    ahead_speed_mps: ArrayLike,
    ahead_mps2: ArrayLike,
    leader_speed_mps: ArrayLike,
    leader_mps2: ArrayLike,
    params: SpacingParams,
) -> FloatArray:
    r"""Return the acceleration of a member of a platoon at constant spacing [m/s²].

    Notes
    -----
    .. math:: u = \alpha_1 u_{i-1} + \alpha_2 u_0 + \alpha_3 (v_i - v_{i-1})
              + \alpha_4 (v_i - v_0) + \alpha_5 (s_\mathrm{des} - s)

    Examples
    --------
    A gap 5 m too long: 0.04 /s² of it.

    >>> constant_spacing_mps2(20.0, 10.0, 20.0, 0.0, 20.0, 0.0, SpacingParams()).round(3)
    np.float64(0.2)
    """
    a1, a2, a3, a4, a5 = params.gains
    v = np.asarray(speed_mps, dtype=np.float64)
    told = a1 * np.asarray(ahead_mps2) + a2 * np.asarray(leader_mps2)
    speeds = a3 * (v - np.asarray(ahead_speed_mps)) + a4 * (v - np.asarray(leader_speed_mps))
    return np.asarray(told + speeds + a5 * (params.spacing_m - np.asarray(gap_m)))


def _check(params: Any, may_be_zero: tuple[str, ...] = ()) -> None:
    for item in fields(params):
        value = getattr(params, item.name)
        if not (value > 0 or (value == 0 and item.name in may_be_zero)):
            raise ValueError(f"{item.name} must be > 0, got {value}")
