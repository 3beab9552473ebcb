r"""Who follows a vehicle across a change of its pseudonym.

An eavesdropper who hears everything predicts, from the last message under each pseudonym that
falls silent, where its vehicle should be, and takes the new pseudonym that fits best. The fit is
the squared distance in position and speed in units of what a prediction is off,

.. math:: \left(\frac{\Delta p}{\sigma_p}\right)^2 + \left(\frac{\Delta v}{\sigma_v}\right)^2,

and of all ways to join old and new ones the cheapest is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from v2x.units import US_PER_S

FloatArray = NDArray[np.float64]
#: Stands for "does not fit at all"; far above every sum of fits that pass the gate.
_NO_FIT = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkingParams:
    """What the eavesdropper believes of motion.

    Parameters
    ----------
    window_s
        A new pseudonym is looked for this long after the old one fell silent [s].
    position_sigma_m, speed_sigma_mps
        How far predictions are off [m], [m/s] (ours, of low confidence).
    gate
        Worse fits are not believed, in units of sigma.
    """

    window_s: float = 1.0
    position_sigma_m: float = 2.0
    speed_sigma_mps: float = 1.0
    gate: float = 5.0

    def __post_init__(self) -> None:
        """Reject what links nothing."""
        for name in ("window_s", "position_sigma_m", "speed_sigma_mps", "gate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """First or last messages under pseudonyms, as an eavesdropper hears them.

    Attributes
    ----------
    time_us : (n,) int64
        Time of the message [µs].
    x_m, y_m, heading_rad, speed_mps : (n,) float64
        Its contents [m], [rad], [m/s].
    """

    time_us: NDArray[np.int64]
    x_m: FloatArray
    y_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.time_us)


def link(old: Sightings, new: Sightings, params: LinkingParams) -> NDArray[np.int64]:
    """Return for each old pseudonym the new one that is taken for it, or -1; shape (n_old,).

    Parameters
    ----------
    old
        Last message under each pseudonym that fell silent.
    new
        First message under each that appeared.
    params
        What the eavesdropper believes.
    """
    after_s = (new.time_us - old.time_us[:, None]) / US_PER_S
    ahead_m = old.speed_mps[:, None] * after_s
    off_x = old.x_m[:, None] + ahead_m * np.cos(old.heading_rad)[:, None] - new.x_m
    off_y = old.y_m[:, None] + ahead_m * np.sin(old.heading_rad)[:, None] - new.y_m
    faster = (new.speed_mps - old.speed_mps[:, None]) / params.speed_sigma_mps
    cost = (off_x**2 + off_y**2) / params.position_sigma_m**2 + faster**2
    fits = (after_s > 0.0) & (after_s <= params.window_s) & (cost <= params.gate**2)
    row, column = linear_sum_assignment(np.where(fits, cost, _NO_FIT))
    taken = np.full(len(old), -1, dtype=np.int64)
    good = fits[row, column]
    taken[row[good]] = column[good]
    return taken


def linked_share(taken: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """Return the share of old pseudonyms that were linked to their own vehicle.

    Parameters
    ----------
    taken, truth : (n,) int64
        What :func:`link` took, and the new pseudonym of the same vehicle (-1 if it left).

    Examples
    --------
    >>> linked_share(np.array([0, 2, -1]), np.array([0, 1, 2])).__round__(2)
    0.33
    """
    changed = truth >= 0
    return float((taken == truth)[changed].mean()) if changed.any() else 0.0
