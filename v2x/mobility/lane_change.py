"""Why a driver changes lanes: MOBIL by choice, and the route by necessity.

The formula is stated here; ``v2x._kernels.car_following`` applies it to a fleet, one vehicle
after the other, so that two never take the same gap.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChangeParams:
    """MOBIL (Kesting, Treiber, Helbing 2007) and the manoeuvre itself.

    A change is made only if everybody concerned could still stop behind everybody. Lanes that
    the route needs within 800 m are taken as soon as a gap allows, whatever the incentive.

    Parameters
    ----------
    politeness
        Weight p of what the follower in the left lane gains or loses, 0 to 1.
    threshold_mps2
        Gain below which nobody changes lanes [m/s²].
    right_bias_mps2
        Advantage that the right lane has for the keep-right rule [m/s²].
    safe_deceleration_mps2
        Hardest braking a change may cause, b_safe [m/s²].
    duration_s
        Time in which a moving vehicle crosses to the next lane; it blocks both meanwhile [s].
    settle_s
        Time before the same vehicle changes by choice again [s] (assumption).
    """

    politeness: float = 0.2
    threshold_mps2: float = 0.2
    right_bias_mps2: float = 0.3
    safe_deceleration_mps2: float = 4.0
    duration_s: float = 3.0
    settle_s: float = 5.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not value >= 0:
                raise ValueError(f"{item.name} must be >= 0, got {value}")
        if not self.politeness <= 1:
            raise ValueError(f"politeness must be in [0, 1], got {self.politeness}")
        if not (self.safe_deceleration_mps2 > 0 and self.duration_s > 0):
            raise ValueError("safe_deceleration_mps2 and duration_s must be > 0")


def mobil_gain_mps2(
    own: tuple[float, float],
    follower: tuple[float, float],
    *,
    to_right: bool,
    params: LaneChangeParams,
) -> float:
    r"""Return what a change of lanes gains [m/s²]; it is made if this exceeds the threshold.

    Parameters
    ----------
    own, follower
        Acceleration before and after the change [m/s²] of the vehicle itself and of the one
        behind it in the left of the two lanes: the new follower of a change to the left, the old
        one of a change to the right. (0, 0) where there is nobody.
    to_right
        Whether the new lane is the right one.
    params
        Politeness and bias.

    Notes
    -----
    The form for the keep-right rule: nobody moves to the left to be overtaken on the right.

    .. math:: a'_c - a_c + p\,(a'_f - a_f) \pm \Delta a_\text{bias}

    Examples
    --------
    A gain of 1 m/s² at the cost of 1 m/s² for the new follower:

    >>> pair = (-1.0, 0.0)
    >>> mobil_gain_mps2(pair, (0.5, -0.5), to_right=False, params=LaneChangeParams())
    0.5
    """
    bias = params.right_bias_mps2 if to_right else -params.right_bias_mps2
    return own[1] - own[0] + params.politeness * (follower[1] - follower[0]) + bias
