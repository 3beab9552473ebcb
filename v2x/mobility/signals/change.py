"""Between two greens: how long yellow and red for all last."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signals.sequence import to_us
from v2x.mobility.signals.webster import approach_grade
from v2x.units import GRAVITY_MPS2

#: Reaction to a light that turns [s], and what drivers keep from the line [m]; as in the kernel.
REACTION_S, SHORT_M = 1.0, 3.0
#: Yellow is never shorter [s] (low confidence).
LEAST_YELLOW_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeParams:
    """How one green is followed by another.

    Parameters
    ----------
    yellow_s
        Yellow [s]; null for as long as the last who cannot stop comfortably needs to the line.
    deceleration_mps2
        Braking that drivers accept at yellow [m/s²]; who would have to brake harder goes on. The
        usual formula takes 3.05; with less a light takes fewer by surprise (assumption).
    all_red_s
        Red for all behind the yellow [s] (assumption).
    """

    yellow_s: float | None = None
    deceleration_mps2: float = 2.0
    all_red_s: float = 2.0

    def __post_init__(self) -> None:
        """Reject times that are none."""
        if self.yellow_s is not None and self.yellow_s < 0:
            raise ValueError(f"yellow_s must be >= 0, got {self.yellow_s}")
        if not (self.deceleration_mps2 > 0 and self.all_red_s >= 0):
            raise ValueError(
                f"deceleration_mps2 must be > 0 and all_red_s >= 0, "
                f"got {self.deceleration_mps2} and {self.all_red_s}"
            )

    def yellow_us(self, network: LaneNetwork, edges: Iterable[int]) -> int:
        """Return the yellow of a phase for traffic from some edges [µs]."""
        if self.yellow_s is not None:
            return to_us(self.yellow_s)
        longest_s = max(
            yellow_s(
                float(network.road_map.edge_limit_mps[edge]),
                self.deceleration_mps2,
                approach_grade(network, edge),
            )
            for edge in edges
        )
        return to_us(math.ceil(10.0 * longest_s) / 10.0)

    @property
    def clear_us(self) -> int:
        """Red for all [µs]."""
        return to_us(self.all_red_s)


def yellow_s(speed_mps: float, deceleration_mps2: float, grade: float) -> float:
    r"""Return the yellow that leaves no dilemma [s], at least 3 s.

    Notes
    -----
    .. math:: t = t_r + \frac{v}{2 a} + \frac{3\,\mathrm{m}}{v}

    the time to the line at speed v from where one can just stop 3 m before it. Down a slope
    drivers brake less: the deceleration loses :math:`g\,|i|`, but no more than a half.

    Examples
    --------
    >>> round(yellow_s(13.9, 2.0, 0.0), 2)
    4.69
    """
    less = min(max(-grade, 0.0) * GRAVITY_MPS2, 0.5 * deceleration_mps2)
    braking = deceleration_mps2 - less
    return max(REACTION_S + speed_mps / (2.0 * braking) + SHORT_M / speed_mps, LEAST_YELLOW_S)
