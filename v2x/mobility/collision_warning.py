"""When a forward collision warning is due: distances and rules of published algorithms.

Everything is vectorised: arguments broadcast against each other. Grades are rise over run, uphill
positive; `closing` is the speed of the follower less that of the leader. Which messages a warning
may use, and who is shown it, is for :mod:`v2x.applications`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.mobility.surrogates import braking_on_grade_mps2

FloatArray = NDArray[np.float64]

#: Speeds [m/s] and accelerations [m/s²] below this are none.
_STEADY = 1e-9


class WarningStage(IntEnum):
    """How urgent a warning is."""

    NONE = 0
    INFORM = 1
    WARN = 2
    IMMINENT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CampParams:
    """The regression of the Crash Avoidance Metrics Partnership (Kiefer et al. 1999).

    In metric units; :math:`a = c_0 + c_1 a_l + c_2 [v_l > 0] + c_3 (v_f - v_l)`.

    Parameters
    ----------
    constant_mps2
        c_0 [m/s²].
    per_leader_braking
        c_1, of the acceleration of the leader.
    moving_mps2
        c_2, added while the leader moves [m/s²].
    per_closing_per_s
        c_3, of the closing speed [1/s].
    reaction_s
        Time from the alert to braking [s].
    friction_share
        Braking is never assumed harder than this share of what road and grade allow (our own
        choice).
    """

    constant_mps2: float = -1.618
    per_leader_braking: float = 0.685
    moving_mps2: float = 0.783
    per_closing_per_s: float = -0.086
    reaction_s: float = 1.52
    friction_share: float = 0.75

    def __post_init__(self) -> None:
        """Reject values with which nobody brakes."""
        if not self.constant_mps2 + self.moving_mps2 < 0:
            raise ValueError(
                f"constant_mps2 ({self.constant_mps2}) and moving_mps2 ({self.moving_mps2}) must "
                "leave braking"
            )
        if not self.per_leader_braking >= 0 or not self.per_closing_per_s <= 0:
            raise ValueError("per_leader_braking must be >= 0 and per_closing_per_s <= 0")
        if not self.reaction_s >= 0:
            raise ValueError(f"reaction_s must be >= 0, got {self.reaction_s}")
        if not 0 < self.friction_share <= 1:
            raise ValueError(f"friction_share must be in (0, 1], got {self.friction_share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TtcStages:
    """Times to collision at which the stages of a warning begin (our own choice).

    Parameters
    ----------
    inform_s, warn_s, imminent_s
        Time to collision [s], falling.
    """

    inform_s: float = 4.0
    warn_s: float = 2.7
    imminent_s: float = 1.8

    def __post_init__(self) -> None:
        """Reject stages in the wrong order."""
        values = [getattr(self, item.name) for item in fields(self)]
        if not values[0] >= values[1] >= values[2] > 0:
            raise ValueError(f"inform_s, warn_s and imminent_s must fall and be > 0, got {values}")


def camp_acceleration_mps2(
    speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    leader_mps2: ArrayLike,
    params: CampParams,
    *,
    friction: ArrayLike | None = None,
    grade: ArrayLike = 0.0,
) -> FloatArray:
    """Return the acceleration at which drivers are content to brake, negative [m/s²].

    Parameters
    ----------
    speed_mps, leader_speed_mps, leader_mps2 : array_like
        Of the follower and the leader. A leader that speeds up counts as steady, one that
        draws away as equally fast: there is nothing to be braked for.
    params
        The regression.
    friction
        Of the road; None if it does not limit anybody.
    grade : array_like
        Of the road.

    Examples
    --------
    >>> camp_acceleration_mps2(20.0, 20.0, -4.0, CampParams()).round(3)
    np.float64(-3.575)
    """
    leader = np.asarray(leader_speed_mps, dtype=np.float64)
    braking = np.minimum(np.asarray(leader_mps2, dtype=np.float64), 0.0)
    closing = np.maximum(np.asarray(speed_mps, dtype=np.float64) - leader, 0.0)
    wanted = params.constant_mps2 + params.per_leader_braking * braking
    wanted = wanted + params.moving_mps2 * (leader > 0.0) + params.per_closing_per_s * closing
    if friction is not None:
        hardest = params.friction_share * braking_on_grade_mps2(friction, grade)
        wanted = np.maximum(wanted, -hardest)
    return np.asarray(wanted)


def braking_range_m(
    speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    leader_mps2: ArrayLike,
    braking_mps2: ArrayLike,
    delay_s: ArrayLike,
) -> FloatArray:
    r"""Return the gap from which braking after a delay just avoids contact [m].

    Parameters
    ----------
    speed_mps : array_like
        Of the follower, which goes on with it during the delay [m/s].
    leader_speed_mps, leader_mps2 : array_like
        Of the leader, which goes on with its acceleration until it rests.
    braking_mps2 : array_like
        Braking of the follower, > 0 [m/s²].
    delay_s : array_like
        Until braking begins [s].

    Notes
    -----
    After the delay the leader has the speed :math:`v_l'` and the gap has shrunk by the difference
    of both ways. From there on the follower, with braking *b*, needs

    * :math:`(v_f - v_l')^2 / (2 (b + a_l))` if the leader still moves when both are equally
      fast, nothing if it is already faster;
    * :math:`v_f^2/(2 b) - v_l'^2/(-2 a_l)` if the leader rests before that (a leader that
      stands: :math:`v_f^2/(2 b)`).

    Examples
    --------
    Lead braking with 4 m/s² from the same 20 m/s:

    >>> braking_range_m(20.0, 20.0, -4.0, 3.575, 1.62).round(1)
    np.float64(38.3)
    """
    v_f, v_l, a_l, b, t = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(
            speed_mps, leader_speed_mps, leader_mps2, braking_mps2, delay_s
        )
    )
    brakes = a_l < -_STEADY
    to_rest_s = np.full(v_l.shape, np.inf)
    np.divide(v_l, -a_l, out=to_rest_s, where=brakes)
    moves_s = np.minimum(t, to_rest_s)
    lost = v_f * t - (v_l * moves_s + 0.5 * a_l * moves_s * moves_s)
    later = np.where(t < to_rest_s, v_l + a_l * moves_s, 0.0)
    closing = np.maximum(v_f - later, 0.0)
    spare = b + a_l
    meets_s = np.full(v_f.shape, np.inf)
    np.divide(closing, spare, out=meets_s, where=spare > _STEADY)
    rests_first = (later <= 0.0) | (later + a_l * meets_s < 0.0)
    moving = np.zeros(v_f.shape)
    np.divide(closing * closing, 2.0 * spare, out=moving, where=spare > _STEADY)
    leader_way = np.zeros(v_f.shape)
    np.divide(later * later, -2.0 * a_l, out=leader_way, where=brakes)
    resting = v_f * v_f / (2.0 * b) - leader_way
    way = np.maximum(np.where(rests_first, resting, moving), 0.0)
    return np.asarray(np.maximum(lost + way, 0.0))


def required_braking_mps2(
    speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    leader_mps2: ArrayLike,
    gap_m: ArrayLike,
    delay_s: ArrayLike = 0.0,
) -> FloatArray:
    r"""Return the braking that just avoids contact [m/s²], the inverse of :func:`braking_range_m`.

    Parameters
    ----------
    speed_mps : array_like
        Of the follower, which goes on with it during the delay [m/s].
    leader_speed_mps, leader_mps2 : array_like
        Of the leader, which goes on with its acceleration until it rests.
    gap_m : array_like
        Gap now [m].
    delay_s : array_like
        Until braking begins [s].

    Returns
    -------
    array of float64
        0 where nothing needs to be done, infinite where the gap is gone when braking begins.

    Notes
    -----
    With the gap :math:`s'` and the leader's speed :math:`v_l'` after the delay,
    :math:`(v_f - v_l')^2/(2 s') - a_l` if both are equally fast before the leader rests,
    else :math:`v_f^2/(2 (s' + v_l'^2/(-2 a_l)))`.

    Examples
    --------
    >>> required_braking_mps2(20.0, [20.0, 10.0, 0.0], [-4.0, 0.0, 0.0], 40.0).round(2)
    array([2.22, 1.25, 5.  ])
    """
    v_f, v_l, a_l, gap, t = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(speed_mps, leader_speed_mps, leader_mps2, gap_m, delay_s)
    )
    brakes = a_l < -_STEADY
    to_rest_s = np.full(v_l.shape, np.inf)
    np.divide(v_l, -a_l, out=to_rest_s, where=brakes)
    moves_s = np.minimum(t, to_rest_s)
    left = gap + v_l * moves_s + 0.5 * a_l * moves_s * moves_s - v_f * t
    later = np.where(t < to_rest_s, v_l + a_l * moves_s, 0.0)
    closing = np.maximum(v_f - later, 0.0)
    there = left > 0.0
    moving = np.full(v_f.shape, np.inf)
    np.divide(closing * closing, 2.0 * left, out=moving, where=there)
    # Both are equally fast 2 s'/Δv after the delay.
    meets_s = np.zeros(v_f.shape)
    np.divide(2.0 * left, closing, out=meets_s, where=there & (closing > _STEADY))
    rests_first = (later <= 0.0) | (later + np.minimum(a_l, 0.0) * meets_s < 0.0)
    # Nobody who is not faster yet has to brake before a braking leader rests.
    rests_first |= brakes & (closing <= _STEADY)
    leader_way = np.zeros(v_f.shape)
    np.divide(later * later, -2.0 * a_l, out=leader_way, where=brakes)
    resting = np.full(v_f.shape, np.inf)
    np.divide(v_f * v_f, 2.0 * (left + leader_way), out=resting, where=there)
    braking = np.where(rests_first, resting, np.where(there, moving - a_l, np.inf))
    idle = there & (closing <= _STEADY) & ~brakes
    return np.asarray(np.where(idle, 0.0, np.maximum(braking, 0.0)))


def camp_range_m(
    speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    leader_mps2: ArrayLike,
    params: CampParams,
    *,
    system_delay_s: ArrayLike = 0.1,
    friction: ArrayLike | None = None,
    grade: ArrayLike = 0.0,
) -> FloatArray:
    """Return the gap at which CAMP's warning is due [m].

    Parameters
    ----------
    speed_mps, leader_speed_mps, leader_mps2, params, friction, grade
        As of :func:`camp_acceleration_mps2`.
    system_delay_s : array_like
        Latency until the alert is shown, added to the driver's reaction [s].

    Examples
    --------
    >>> camp_range_m(20.0, [10.0, 0.0], 0.0, CampParams()).round(1)
    array([45.7, 92.3])
    """
    wanted = camp_acceleration_mps2(
        speed_mps, leader_speed_mps, leader_mps2, params, friction=friction, grade=grade
    )
    delay = params.reaction_s + np.asarray(system_delay_s, dtype=np.float64)
    # Where a slope leaves no braking there is no gap that is wide enough.
    braking = np.maximum(-wanted, 1e-3)
    return braking_range_m(speed_mps, leader_speed_mps, leader_mps2, braking, delay)


def stop_distance_m(
    speed_mps: ArrayLike,
    leader_speed_mps: ArrayLike,
    reaction_s: ArrayLike,
    braking_mps2: ArrayLike,
    leader_braking_mps2: ArrayLike,
    margin_m: ArrayLike,
) -> FloatArray:
    """Return the gap below which a stop-distance algorithm (JAMA) warns [m].

    v t + v²/(2 b) - v_l²/(2 b_l) + d_0: as if the leader braked to a stop now, with `braking`
    and `leader_braking` [m/s²] and the margin d_0 [m] left.
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    own = v * np.asarray(reaction_s) + v * v / (2.0 * np.asarray(braking_mps2))
    leader = np.asarray(leader_speed_mps, dtype=np.float64)
    way = own - leader * leader / (2.0 * np.asarray(leader_braking_mps2))
    return np.asarray(way + np.asarray(margin_m))


def mazda_range_m(speed_mps: ArrayLike, closing_mps: ArrayLike) -> FloatArray:
    """Return the gap below which Mazda's algorithm brakes [m].

    (v²/6 - (v - Δv)²/8)/2 + 0.1 v + 0.6 Δv + 5; from memory, confidence low.
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    closing = np.asarray(closing_mps, dtype=np.float64)
    way = 0.5 * (v * v / 6.0 - (v - closing) ** 2 / 8.0)
    return np.asarray(way + 0.1 * v + 0.6 * closing + 5.0)


def honda_range_m(closing_mps: ArrayLike) -> FloatArray:
    """Return the gap below which Honda's algorithm warns, 2.2 Δv + 6.2 [m].

    From memory, confidence low.
    """
    return np.asarray(2.2 * np.asarray(closing_mps, dtype=np.float64) + 6.2)


def berkeley_range_m(speed_mps: ArrayLike, closing_mps: ArrayLike) -> FloatArray:
    """Return the gap at which the warning of the Berkeley algorithm begins [m].

    (v² - (v - Δv)²)/12 + 1.2 v + 5; from memory, confidence low.
    """
    v = np.asarray(speed_mps, dtype=np.float64)
    closing = np.asarray(closing_mps, dtype=np.float64)
    return np.asarray(0.5 * (v * v - (v - closing) ** 2) / 6.0 + 1.2 * v + 5.0)


def berkeley_index(
    gap_m: ArrayLike, warning_range_m: ArrayLike, braking_range_m: ArrayLike
) -> FloatArray:
    """Return the Berkeley warning index (s - d_br)/(d_w - d_br).

    Above 1 there is nothing to warn of, below 0 only braking helps. For d_w see
    :func:`berkeley_range_m`; d_br is the caller's, the sources we have do not state it.
    """
    least = np.asarray(braking_range_m, dtype=np.float64)
    span = np.asarray(warning_range_m, dtype=np.float64) - least
    return np.asarray((np.asarray(gap_m, dtype=np.float64) - least) / span)


def ttc_stage(ttc_s: ArrayLike, stages: TtcStages) -> NDArray[np.int32]:
    """Return the :class:`WarningStage` of times to collision [s]; a limit belongs to its stage.

    Examples
    --------
    >>> ttc_stage([4.1, 4.0, 2.7, 1.8, 0.0], TtcStages())
    array([0, 1, 2, 3, 3], dtype=int32)
    """
    ttc = np.asarray(ttc_s, dtype=np.float64)
    return np.asarray(
        (ttc <= stages.inform_s).astype(np.int32)
        + (ttc <= stages.warn_s)
        + (ttc <= stages.imminent_s),
        dtype=np.int32,
    )
