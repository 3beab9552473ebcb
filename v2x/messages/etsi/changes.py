"""When a motion has changed enough to be told again: the thresholds that CAM, VAM, CPM share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.messages.etsi.memory import angle_between_deg
from v2x.mobility.fleet import FloatArray

#: A change this near to a threshold counts as having reached it, in the unit of the threshold.
#: Vehicles of constant speed stand on it exactly: 4.0 m after 0.4 s at 10 m/s.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Where road users are and how they move.

    Attributes
    ----------
    x_m, y_m : (n,) float64
        Place [m].
    heading_rad : (n,) float64
        Direction, counter-clockwise from east [rad].
    speed_mps : (n,) float64
        Speed [m/s].
    """

    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeThresholds:
    """How much a motion changes before it is told again.

    Parameters
    ----------
    position_m
        Change of place [m].
    speed_mps
        Change of speed [m/s].
    heading_deg
        Change of direction [degree].
    """

    position_m: float = 4.0
    speed_mps: float = 0.5
    heading_deg: float = 4.0

    def __post_init__(self) -> None:
        """Reject thresholds that always or never are reached."""
        for name, most in (("position_m", 1000.0), ("speed_mps", 100.0), ("heading_deg", 180.0)):
            value = getattr(self, name)
            if not 0.0 < value <= most:
                raise ValueError(f"{name} must be > 0 and at most {most:g}, got {value}")

    def reached(self, told: Motion, present: Motion) -> NDArray[np.bool_]:
        """Return where a motion differs enough from what was told, shape (n,).

        Notes
        -----
        The standards say "exceeds". A change equal to the threshold counts here, as in the
        periods of applications.md 2.1 (0.4 s at 10 m/s); positions on the wire are rounded to
        1 cm in any case.
        """
        moved = np.hypot(present.x_m - told.x_m, present.y_m - told.y_m)
        faster = np.abs(present.speed_mps - told.speed_mps)
        turned = angle_between_deg(present.heading_rad, told.heading_rad)
        return np.asarray(
            (moved >= self.position_m - ROUNDING)
            | (faster >= self.speed_mps - ROUNDING)
            | (turned >= self.heading_deg - ROUNDING)
        )
