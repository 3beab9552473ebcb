"""What drivers see: fog, the way round the next bend, and the dark behind a tunnel's mouth."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from v2x.units import kmh_to_mps
from v2x.world.road_map import FloatArray

#: Sight for stopping that roads of a design speed [km/h] have [m]; JTG D20-2017. Below 40 km/h
#: from memory: confidence low.
_ROAD_SIGHT = (
    (0.0, 0.0),
    (40.0, 40.0),
    (60.0, 75.0),
    (80.0, 110.0),
    (100.0, 160.0),
    (120.0, 210.0),
)
#: Speed limit on expressways in fog [km/h] below a visibility [m]; regulation on the
#: implementation of the Road Traffic Safety Law of China, article 81.
_FOG_RULE = ((50.0, 20.0), (100.0, 40.0), (200.0, 60.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class EyesParams:
    """How drivers go by what they see.

    Parameters
    ----------
    reaction_s
        Reaction time that drivers reckon with when they cannot see far [s]; 2.5, the design
        value of JTG D20 and AASHTO.
    comfort_share
        Share of the braking the road allows that drivers like to use; less than their
        comfortable deceleration on slippery roads only (assumption).
    fog_below_m
        Visibility below which drivers react later and the fog rule holds [m].
    fog_delay_s
        How much later they react, added to the time gap they keep [s] (assumption,
        confidence low).
    fog_rule_share
        Speed on motorways in fog relative to what the law of China allows there (60, 40 and
        20 km/h below 200, 100 and 50 m); 0.85 is a proposal for obedient drivers, null for
        drivers who only go by what they see.
    portal_sight_m
        How far into a tunnel drivers see from its mouth, by day [m]; 60, confidence low.
    portal_reaction_s
        Reaction time that they reckon with there [s]; 1.25 for the unexpected (Green) and 0.5
        more (assumption).
    portal_adaptation_s
        Time until the eyes are used to the dark [s]; 4 to 10, confidence low.
    portal_delay_s
        How much later drivers react meanwhile, added to the time gap they keep [s]
        (assumption, confidence low).
    portal_shortest_m
        Tunnels shorter than this are never dark [m]; infinite for no dark tunnels at all
        (assumption).
    """

    reaction_s: float = 2.5
    comfort_share: float = 0.5
    fog_below_m: float = 200.0
    fog_delay_s: float = 0.5
    fog_rule_share: float | None = None
    portal_sight_m: float = 60.0
    portal_reaction_s: float = 1.75
    portal_adaptation_s: float = 6.0
    portal_delay_s: float = 0.5
    portal_shortest_m: float = 100.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None and not value >= 0:
                raise ValueError(f"{item.name} must be >= 0, got {value}")
        if not 0.1 <= self.comfort_share <= 1:
            raise ValueError(f"comfort_share must be in [0.1, 1], got {self.comfort_share}")
        if not self.portal_sight_m >= 5:
            raise ValueError(f"portal_sight_m must be >= 5, got {self.portal_sight_m}")
        if self.fog_rule_share is not None and not 0.1 <= self.fog_rule_share <= 3:
            raise ValueError(f"fog_rule_share must be in [0.1, 3], got {self.fog_rule_share}")


def road_sight_m(limit_mps: ArrayLike) -> FloatArray:
    """Return how far a road with a speed limit can be seen along: what its design demands [m].

    The limit is taken for the design speed. Beyond the table the sight grows as at its end.

    Examples
    --------
    >>> road_sight_m(np.array([60.0, 90.0, 140.0]) / 3.6).round(6)
    array([ 75., 135., 260.])
    """
    speed, sight = np.array(_ROAD_SIGHT).T
    limit = 3.6 * np.asarray(limit_mps, dtype=np.float64)
    slope = (sight[-1] - sight[-2]) / (speed[-1] - speed[-2])
    beyond = np.maximum(limit - speed[-1], 0.0)
    return np.asarray(np.interp(limit, speed, sight) + slope * beyond)


def fog_rule_mps(visibility_m: float) -> float:
    """Return the speed that the law of China allows on expressways in fog [m/s].

    Examples
    --------
    >>> [round(fog_rule_mps(sight) * 3.6) for sight in (30.0, 80.0, 199.0)]
    [20, 40, 60]
    >>> fog_rule_mps(200.0)
    inf
    """
    for below_m, limit_kmh in _FOG_RULE:
        if visibility_m < below_m:
            return kmh_to_mps(limit_kmh)
    return float("inf")
