"""A platoon in time, with delayed and lost messages.

A test bench for control laws and headways. In runs with radio and roads the same law is applied by
:mod:`v2x.mobility.cooperative.platoon_drive`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.mobility.cooperative.gap_laws import (
    PloegParams,
    gap_error_m,
    gap_error_rate_mps,
    ploeg_command_mps2,
    ploeg_target_mps2,
)
from v2x.mobility.cooperative.string_stability import VehicleLag

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioLink:
    """How accelerations reach the vehicle behind.

    Parameters
    ----------
    delay_s
        From measurement to use [s].
    period_s
        Between two messages [s]; the receiver goes by the last one.
    loss
        Probability that a message is lost, independently of others; 1 without radio.
    """

    delay_s: float = 0.02
    period_s: float = 0.1
    loss: float = 0.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        if not self.delay_s >= 0:
            raise ValueError(f"delay_s must be >= 0, got {self.delay_s}")
        if not self.period_s > 0:
            raise ValueError(f"period_s must be > 0, got {self.period_s}")
        if not 0 <= self.loss <= 1:
            raise ValueError(f"loss must be in [0, 1], got {self.loss}")


@dataclass(frozen=True, slots=True)
class PlatoonTrace:
    """What the vehicles of a platoon did.

    Attributes
    ----------
    time_s : (n_steps,) float64
        Time [s].
    speed_mps, acceleration_mps2 : (n_steps, n_vehicles) float64
        Motion, the leader first.
    gap_m, gap_error_m : (n_steps, n_vehicles - 1) float64
        Gaps to the vehicle ahead, and by how much they are longer than wanted [m].
    """

    time_s: FloatArray
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    gap_m: FloatArray
    gap_error_m: FloatArray


@dataclass(frozen=True, slots=True)
class PlatoonFigures:
    """How well a platoon stays together.

    Attributes
    ----------
    amplification : (n_vehicles - 1,) float64
        Largest acceleration or braking of each follower over that of the leader.
    gap_error_p95_m
        95th percentile of the size of the gap errors [m].
    settled_s
        Time from which on all gap errors are small [s]; infinite if they never are.
    least_gap_m
        Smallest gap [m].
    """

    amplification: FloatArray
    gap_error_p95_m: float
    settled_s: float
    least_gap_m: float


def simulate_platoon(
    leader_mps2: FloatArray,
    *,
    n_followers: int,
    law: PloegParams,
    lag: VehicleLag,
    link: RadioLink,
    speed_mps: float = 25.0,
    step_s: float = 0.01,
    seed: int = 1,
) -> PlatoonTrace:
    """Return how a platoon follows a leader, starting at equal speeds and wanted gaps.

    Parameters
    ----------
    leader_mps2 : (n_steps,) float64
        Acceleration that the leader wants and tells [m/s²]; it lags like the others, and nobody
        rolls backwards.
    n_followers
        Vehicles behind it.
    law, lag, link
        Control, vehicles and radio of all followers.
    speed_mps
        Speed at the beginning [m/s].
    step_s
        Time between two elements of `leader_mps2` [s].
    seed
        Losses are drawn by vehicle and message from the stream ``"platoon", "losses"``.
    """
    n_steps, n = len(leader_mps2), n_followers
    dead_steps, radio_steps = round(lag.delay_s / step_s), round(link.delay_s / step_s)
    period_steps = max(round(link.period_s / step_s), 1)
    key = rng.key32(seed, "platoon", "losses")
    sender = np.arange(n)
    speed = np.full((n_steps, n + 1), speed_mps)
    acceleration = np.zeros((n_steps, n + 1))
    gap = np.empty((n_steps, n))
    error = np.empty((n_steps, n))
    command = np.zeros((n_steps, n + 1))
    heard = np.zeros(n)
    v, a = speed[0].copy(), np.zeros(n + 1)
    s = np.full(n, law.standstill_m + law.headway_s * speed_mps)
    reaction = -np.expm1(-step_s / lag.lag_s)
    for k in range(n_steps):
        message, phase = divmod(k - radio_steps, period_steps)
        if k >= radio_steps and phase == 0:
            arrives = rng.uniform_by_id(key, sender, message) >= link.loss
            heard = np.where(arrives, command[k - radio_steps, :-1], heard)
        speed[k], acceleration[k], gap[k] = v, a, s
        error[k] = gap_error_m(v[1:], s, law.headway_s, law.standstill_m)
        rate = gap_error_rate_mps(v[1:], a[1:], v[:-1], law.headway_s)
        target = ploeg_target_mps2(error[k], rate, heard, law)
        last = command[max(k - 1, 0), 1:]
        command[k, 0] = leader_mps2[k]
        command[k, 1:] = ploeg_command_mps2(last, target, law.headway_s, step_s)
        asked = command[k - dead_steps] if k >= dead_steps else np.zeros(n + 1)
        after = v + a * step_s
        a += reaction * (asked - a)
        stands = after <= 0.0
        after[stands] = 0.0
        a[stands] = np.maximum(a[stands], 0.0)
        s = s + 0.5 * step_s * ((v[:-1] - v[1:]) + (after[:-1] - after[1:]))
        v = after
    time_s: FloatArray = np.arange(n_steps, dtype=np.float64) * step_s
    return PlatoonTrace(time_s, speed, acceleration, gap, error)


def platoon_figures(trace: PlatoonTrace, *, small_m: float = 0.2) -> PlatoonFigures:
    """Return how well a platoon stayed together; gap errors up to `small_m` [m] are small."""
    largest = np.abs(trace.acceleration_mps2).max(axis=0)
    size = np.abs(trace.gap_error_m)
    late = np.flatnonzero((size > small_m).any(axis=1))
    after = 0 if len(late) == 0 else int(late[-1]) + 1
    return PlatoonFigures(
        amplification=largest[1:] / largest[0],
        gap_error_p95_m=float(np.quantile(size, 0.95)),
        settled_s=float(trace.time_s[after]) if after < len(trace.time_s) else float("inf"),
        least_gap_m=float(trace.gap_m.min()),
    )
