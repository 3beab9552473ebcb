"""Roads that wind down a mountainside at a constant grade, with hairpins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2x.world.mountain.alignment import Axis, Pose
from v2x.world.mountain.earthworks import Surface

_STEP_M = 1.0
#: A road that has left the natural ground comes back to it over this distance [m].
_RETURN_M = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """How a road comes down.

    Parameters
    ----------
    grade
        Fall over run on the legs.
    hairpin_grade
        The same in hairpins, where it is less.
    hairpin_radius_m
        Radius of the axis in hairpins [m].
    least_radius_m
        Least radius between them [m].
    """

    grade: float = 0.065
    hairpin_grade: float = 0.04
    hairpin_radius_m: float = 22.0
    least_radius_m: float = 60.0


def descend(
    natural: Surface, start: Pose, first_side: int, legs_m: Sequence[float], how: Descent
) -> Axis:
    """Return the axis of a road that follows the slope down, turning back after each leg.

    On a leg it keeps the angle to the line of steepest descent at which the ground falls as the
    road does, so that it bends around spurs and into gullies.

    Parameters
    ----------
    natural
        The ground.
    start
        Where it begins.
    first_side
        1 if the first leg has the mountain on its left, -1 on its right.
    legs_m
        Lengths of the legs [m]; between two of them there is a hairpin.
    how
        Grades and radii.

    Returns
    -------
    Axis
        With points at most 6 m apart, closer in hairpins.
    """
    x, y, z, heading = start.x_m, start.y_m, start.z_m, start.heading_rad
    points = [(x, y, z, 0.0)]
    side = first_side

    def wanted(grade: float) -> float:
        """Return the heading at which the ground falls as it should."""
        east = (_height(natural, x + 5.0, y) - _height(natural, x - 5.0, y)) / 10.0
        north = (_height(natural, x, y + 5.0) - _height(natural, x, y - 5.0)) / 10.0
        slope = max(math.hypot(east, north), 1e-6)
        fall = grade + (_height(natural, x, y) - z) / _RETURN_M
        # Never uphill, or the way round a hairpin would be the way up.
        cosine = min(max(fall, 0.2 * grade) / slope, 0.95)
        return math.atan2(-north, -east) + side * math.acos(cosine)

    def go(turn: float, grade: float) -> None:
        nonlocal x, y, z, heading
        heading += turn
        x += _STEP_M * math.cos(heading)
        y += _STEP_M * math.sin(heading)
        z -= _STEP_M * grade
        points.append((x, y, z, abs(turn)))

    for k, leg_m in enumerate(legs_m):
        if k:
            side = -side
            sharpest = _STEP_M / how.hairpin_radius_m
            while True:
                turn = math.remainder(wanted(how.hairpin_grade) - heading, 2.0 * math.pi)
                if abs(turn) < sharpest:
                    break
                go(math.copysign(sharpest, turn), how.hairpin_grade)
        most = _STEP_M / how.least_radius_m
        for _ in range(round(leg_m / _STEP_M)):
            turn = math.remainder(wanted(how.grade) - heading, 2.0 * math.pi)
            go(min(max(turn, -most), most), how.grade)
    return _thinned(points)


def _height(natural: Surface, x_m: float, y_m: float) -> float:
    return float(natural(np.array([x_m]), np.array([y_m]))[0])


def _thinned(points: list[tuple[float, float, float, float]]) -> Axis:
    """Keep every third point of hairpins and every sixth of the rest; smooth the grades."""
    every = np.array(points)
    kernel = np.ones(41) / 41.0
    z = every[:, 2]
    padded = np.concatenate([2 * z[0] - z[20:0:-1], z, 2 * z[-1] - z[-2:-22:-1]])
    every[:, 2] = np.convolve(padded, kernel, mode="valid")
    tight = np.convolve(every[:, 3] > 1.0 / 40.0, np.ones(7), mode="same") > 0
    index = np.arange(len(every))
    kept = np.where(tight, index % 3 == 0, index % 6 == 0)
    kept[0] = kept[-1] = True
    kept[-3:-1] = False
    return Axis(*every[kept, :3].T)
