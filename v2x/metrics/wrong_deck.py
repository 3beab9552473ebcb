r"""How often somebody on another deck is taken for one on the own deck: closed forms.

They hold at one instant, for positioning errors that are normal and independent between vehicles,
as those of :mod:`v2x.mobility.position_errors` are. Over the seconds that two vehicles are near
each other errors hardly change, so the share of encounters in which the mistake is made at least
once lies a little above.

**Height gate** (``applications.md`` 8.2). Two vehicles on decks :math:`\Delta` apart are taken to
be on one deck if the difference of their heights, of standard deviation
:math:`\sigma_d = \sqrt{\sigma_1^2 + \sigma_2^2}`, is below *g*:
:math:`\Phi((g-\Delta)/\sigma_d) - \Phi((-g-\Delta)/\sigma_d)`. On one road that climbs,
:math:`\Delta` is the climb from one to the other, and one minus this the chance to miss a true
danger.

**Map.** Each is matched to the likeliest road (:mod:`v2x.mobility.map_matching`). Between two
parallel roads the difference of both costs is linear in the errors, so the chance of the wrong one
is a normal tail. Where roads cross at an angle, it is an integral over the error across the road.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

FloatArray = NDArray[np.float64]
#: Steps of the integral over the error across the road, and how far it goes [sigma].
_N_STEPS, _TAIL = 4001, 8.0


def gate_accepts(
    apart_m: ArrayLike, sigma_m: ArrayLike, other_sigma_m: ArrayLike, gate_m: float
) -> FloatArray:
    """Return the chance that a height gate takes two vehicles to be on one deck.

    Parameters
    ----------
    apart_m
        True difference of their heights [m].
    sigma_m, other_sigma_m
        Vertical standard deviations of both [m].
    gate_m
        Difference from which on they are taken for on other decks [m].
    """
    apart = np.asarray(apart_m, dtype=np.float64)
    spread = np.hypot(sigma_m, other_sigma_m)
    return np.asarray(ndtr((gate_m - apart) / spread) - ndtr((-gate_m - apart) / spread))


def near_in_plan(within_m: float, sigma_m: ArrayLike, other_sigma_m: ArrayLike) -> FloatArray:
    """Return the chance that somebody straight ahead in plan seems to be in the own path.

    Parameters
    ----------
    within_m
        Distance from the path up to which one is in it [m].
    sigma_m, other_sigma_m
        Horizontal sigmas of both [m]; half of their squares lies across the path.
    """
    across = np.hypot(sigma_m, other_sigma_m) * math.sqrt(0.5)
    return np.asarray(2.0 * ndtr(within_m / across) - 1.0)


def takes_parallel_road(
    aside_m: float,
    above_m: float,
    horizontal_sigma_m: ArrayLike,
    vertical_sigma_m: ArrayLike,
    *,
    width_m: float,
    map_height_sigma_m: float = 0.0,
    towards_m: float = 0.0,
) -> FloatArray:
    """Return the chance that a vehicle is matched to a parallel road of the same width.

    Parameters
    ----------
    aside_m, above_m
        Distance between both roads in plan and in height [m]; with an `above_m` of 0 this is
        matching without height. NaN for two roads at one place.
    horizontal_sigma_m, vertical_sigma_m
        Of the position [m].
    width_m
        Width of each carriageway [m].
    map_height_sigma_m
        What the matcher allows for errors of heights in the map [m]; here the map has none.
    towards_m
        How far the vehicle drives from the middle of its road towards the other one [m].
    """
    horizontal2 = 0.5 * np.square(np.asarray(horizontal_sigma_m, dtype=np.float64))
    vertical2 = np.square(np.asarray(vertical_sigma_m, dtype=np.float64))
    weight = aside_m / (horizontal2 + width_m**2 / 12.0)
    weight_z = above_m / (vertical2 + map_height_sigma_m**2)
    # Twice the difference of the costs is this less a normal number of this spread.
    mean = weight * (aside_m - 2.0 * towards_m) + weight_z * above_m
    spread = 2.0 * np.sqrt(weight**2 * horizontal2 + weight_z**2 * vertical2)
    ratio = np.full(np.shape(mean), np.nan)
    np.divide(mean, spread, out=ratio, where=spread > 0.0)
    return np.asarray(ndtr(-ratio))


def takes_crossing_road(
    before_m: float,
    angle_rad: float,
    horizontal_sigma_m: float,
    *,
    width_m: float,
    heading_sigma_rad: float,
) -> float:
    """Return the chance that a vehicle is matched, without height, to a road that crosses its own.

    Parameters
    ----------
    before_m
        From the vehicle to where both roads cross [m].
    angle_rad
        Between their directions, above 0 and below a right angle [rad]; from there on the road is
        no candidate.
    horizontal_sigma_m
        Of the position [m].
    width_m
        Width of each carriageway [m]; the vehicle drives in the middle.
    heading_sigma_rad
        Difference of directions that weighs one sigma in the matcher [rad].
    """
    sigma = horizontal_sigma_m * math.sqrt(0.5)
    handicap = 2.0 * (1.0 - math.cos(angle_rad)) / heading_sigma_rad**2
    least2 = handicap * (sigma**2 + width_m**2 / 12.0)
    y = np.linspace(-_TAIL * sigma, _TAIL * sigma, _N_STEPS)
    # The other road is taken if its distance squared is below y² by more than its handicap.
    reach = np.sqrt(np.maximum(y**2 - least2, 0.0))
    middle = y * math.cos(angle_rad) + before_m * math.sin(angle_rad)
    spread = sigma * math.sin(angle_rad)
    chance = ndtr((reach - middle) / spread) - ndtr((-reach - middle) / spread)
    density = np.exp(-0.5 * (y / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))
    return float(np.sum(chance * density) * (y[1] - y[0]))


def same_of_two(wrong: ArrayLike, other_wrong: ArrayLike) -> FloatArray:
    """Return the chance that two vehicles on two decks are matched to the same one.

    One of them must be matched wrongly; if both are, they are exchanged and still apart.
    """
    first, second = np.asarray(wrong, dtype=np.float64), np.asarray(other_wrong, dtype=np.float64)
    return np.asarray(first + second - 2.0 * first * second)
