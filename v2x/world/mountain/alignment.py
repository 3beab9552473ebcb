"""Axes of roads as engineers draw them: straights and arcs in plan, grades in profile."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from v2x.world.road_map import FloatArray

#: Points of an axis are at most so far apart [m], and chords at most so far from their arc [m].
SPACING_M = 15.0
SAGITTA_M = 0.05


@dataclass(frozen=True, slots=True)
class Pose:
    """A place on an axis.

    Attributes
    ----------
    x_m, y_m, z_m
        Position [m].
    heading_rad
        Direction of travel, anticlockwise from east [rad].
    grade
        Rise over run in the direction of travel.
    """

    x_m: float
    y_m: float
    z_m: float
    heading_rad: float
    grade: float = 0.0

    def turned(self, angle_deg: float) -> Pose:
        """Return the same place with the heading turned anticlockwise [degree]."""
        return replace(self, heading_rad=self.heading_rad + math.radians(angle_deg))

    def moved(self, onward_m: float, left_m: float) -> Pose:
        """Return the pose moved along and across its heading, at the same height [m]."""
        c, s = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return replace(
            self,
            x_m=self.x_m + onward_m * c - left_m * s,
            y_m=self.y_m + onward_m * s + left_m * c,
        )


@dataclass(frozen=True, slots=True)
class Axis:
    """A line in space along which a road runs.

    Attributes
    ----------
    x_m, y_m, z_m : (n_points,) float64
        Points [m], no two neighbours at the same place.
    """

    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray

    @property
    def station_m(self) -> FloatArray:
        """Distance along the plan from the first point to each, shape (n_points,) [m]."""
        step_m = np.hypot(np.diff(self.x_m), np.diff(self.y_m))
        station_m: FloatArray = np.concatenate([[0.0], np.cumsum(step_m)])
        return station_m

    @property
    def length_m(self) -> float:
        """Length in plan [m]."""
        return float(self.station_m[-1])

    def at(self, station_m: float) -> Pose:
        """Return the pose at a station, that is at a distance along the plan [m]."""
        station = self.station_m
        k = int(np.clip(np.searchsorted(station, station_m, "right") - 1, 0, len(station) - 2))
        run_m = station[k + 1] - station[k]
        share = (station_m - station[k]) / run_m
        dx, dy, dz = (float(v[k + 1] - v[k]) for v in (self.x_m, self.y_m, self.z_m))
        return Pose(
            x_m=float(self.x_m[k]) + share * dx,
            y_m=float(self.y_m[k]) + share * dy,
            z_m=float(self.z_m[k]) + share * dz,
            heading_rad=math.atan2(dy, dx),
            grade=dz / float(run_m),
        )

    def part(self, begin_m: float, end_m: float) -> Axis:
        """Return the stretch between two stations [m]."""
        station = self.station_m
        # Pieces shorter than this would owe their direction and grade to rounding.
        inner = (station > begin_m + 0.5) & (station < end_m - 0.5)
        first, last = self.at(begin_m), self.at(end_m)
        return Axis(
            np.concatenate([[first.x_m], self.x_m[inner], [last.x_m]]),
            np.concatenate([[first.y_m], self.y_m[inner], [last.y_m]]),
            np.concatenate([[first.z_m], self.z_m[inner], [last.z_m]]),
        )

    def reversed(self) -> Axis:
        """Return the axis in the other direction."""
        return Axis(self.x_m[::-1], self.y_m[::-1], self.z_m[::-1])

    def joined(self, after: Axis) -> Axis:
        """Return this axis continued by one that begins where it ends."""
        return Axis(
            np.concatenate([self.x_m, after.x_m[1:]]),
            np.concatenate([self.y_m, after.y_m[1:]]),
            np.concatenate([self.z_m, after.z_m[1:]]),
        )

    def shifted(self, left_m: float | FloatArray) -> Axis:
        """Return the axis moved to its left, point by point [m]; negative to its right."""
        dx, dy = np.gradient(self.x_m), np.gradient(self.y_m)
        run_m = np.hypot(dx, dy)
        return replace(self, x_m=self.x_m - left_m * dy / run_m, y_m=self.y_m + left_m * dx / run_m)

    def graded(self, points: Sequence[tuple[float, float]], curve_m: float) -> Axis:
        """Return the axis with the heights of a profile.

        Parameters
        ----------
        points
            Station and height [m] of the intersections of straight grades, in order. Beyond
            the ends the outer grades go on.
        curve_m
            Length of the parabola that rounds each intersection [m].
        """
        return replace(self, z_m=profile_m(self.station_m, points, curve_m))


def profile_m(
    station_m: FloatArray, points: Sequence[tuple[float, float]], curve_m: float
) -> FloatArray:
    """Return heights of straight grades that meet in parabolas of equal length.

    Parameters
    ----------
    station_m : (n,) float64
        Where [m].
    points, curve_m
        As in :meth:`Axis.graded`.

    Returns
    -------
    (n,) float64
        Height [m].

    Notes
    -----
    The mean of a broken line over a sliding window is that line with each corner replaced by a
    parabola as long as the window.

    Examples
    --------
    A crest between 5 % up and 5 % down, rounded over 100 m, is lower by 100 m * 10 % / 8:

    >>> profile_m(np.array([200.0]), [(0.0, 0.0), (200.0, 10.0), (400.0, 0.0)], 100.0)
    array([8.75])
    """
    knot, height = (np.array(values) for values in zip(*points, strict=True))
    grade = np.diff(height) / np.diff(knot)
    reach = float(np.ptp(station_m)) + float(np.ptp(knot)) + curve_m
    height = np.concatenate(
        [[height[0] - reach * grade[0]], height, [height[-1] + reach * grade[-1]]]
    )
    knot = np.concatenate([[knot[0] - reach], knot, [knot[-1] + reach]])
    grade = np.diff(height) / np.diff(knot)
    area = np.concatenate([[0.0], np.cumsum(0.5 * (height[1:] + height[:-1]) * np.diff(knot))])

    def integral(at: FloatArray) -> FloatArray:
        k = np.clip(np.searchsorted(knot, at, "right") - 1, 0, len(grade) - 1)
        u = at - knot[k]
        total: FloatArray = area[k] + u * (height[k] + 0.5 * grade[k] * u)
        return total

    half = 0.5 * curve_m
    return (integral(station_m + half) - integral(station_m - half)) / curve_m


def plan(x_m: float, y_m: float, heading_deg: float, pieces: Sequence[tuple[float, float]]) -> Axis:
    """Return the level axis that runs through straights and arcs one after the other.

    Parameters
    ----------
    x_m, y_m, heading_deg
        Where and in which direction it begins.
    pieces
        Of a straight its length [m] and 0; of an arc the angle [degree], positive to the left,
        and its radius [m].
    """
    x, y, heading = [x_m], [y_m], math.radians(heading_deg)
    for amount, radius_m in pieces:
        if radius_m == 0.0:
            n = max(1, math.ceil(amount / SPACING_M))
            x += [x[-1] + amount * math.cos(heading) * k / n for k in range(1, n + 1)]
            y += [y[-1] + amount * math.sin(heading) * k / n for k in range(1, n + 1)]
            continue
        angle = math.radians(amount)
        side = math.copysign(1.0, angle)
        chord_m = min(SPACING_M, math.sqrt(8.0 * radius_m * SAGITTA_M))
        n = max(2, math.ceil(abs(angle) * radius_m / chord_m))
        centre_x = x[-1] - side * radius_m * math.sin(heading)
        centre_y = y[-1] + side * radius_m * math.cos(heading)
        for k in range(1, n + 1):
            at = heading + angle * k / n
            x.append(centre_x + side * radius_m * math.sin(at))
            y.append(centre_y - side * radius_m * math.cos(at))
        heading += angle
    return Axis(np.array(x), np.array(y), np.zeros(len(x)))


def rounded(corners: Sequence[tuple[float, float, float]]) -> Axis:
    """Return the level axis from the first to the last corner, rounded at those between.

    Parameters
    ----------
    corners
        x, y and radius of the arc at the corner [m]; the radii of the ends are not used.

    Raises
    ------
    ValueError
        If an arc does not fit between its neighbours.
    """
    xy = np.array([corner[:2] for corner in corners])
    pieces: list[tuple[float, float]] = []
    headings = [math.atan2(*(b - a)[::-1]) for a, b in pairwise(xy)]
    spare_m = 0.0
    for k, (a, b) in enumerate(pairwise(xy)):
        run_m = float(np.hypot(*(b - a))) - spare_m
        turn, radius_m = 0.0, 0.0
        if k + 1 < len(headings):
            turn = math.remainder(headings[k + 1] - headings[k], 2.0 * math.pi)
            radius_m = corners[k + 1][2]
        spare_m = radius_m * abs(math.tan(0.5 * turn))
        if run_m < spare_m:
            raise ValueError(f"the arc at corner {k + 1} does not fit before it")
        if run_m > spare_m + 0.01:
            pieces.append((run_m - spare_m, 0.0))
        if radius_m:
            pieces.append((math.degrees(turn), radius_m))
    return plan(float(xy[0, 0]), float(xy[0, 1]), math.degrees(headings[0]), pieces)


def swung(begin: Pose, end: Pose, reach: float = 1.0) -> Axis:
    """Return a smooth curve from one pose to another, such as a ramp.

    Plan and heights are cubic, with the headings and grades of both ends.

    Parameters
    ----------
    begin, end
        Ends.
    reach
        How far the ends hold their headings, relative to a plain cubic.
    """
    t = np.linspace(0.0, 1.0, 201)
    far_m = reach * math.hypot(end.x_m - begin.x_m, end.y_m - begin.y_m)
    x_m = _cubic(t, begin.x_m, end.x_m, *(far_m * math.cos(p.heading_rad) for p in (begin, end)))
    y_m = _cubic(t, begin.y_m, end.y_m, *(far_m * math.sin(p.heading_rad) for p in (begin, end)))
    fine = Axis(x_m, y_m, np.zeros(len(t)))
    station = fine.station_m
    share = station / station[-1]
    z_m = _cubic(share, begin.z_m, end.z_m, begin.grade * station[-1], end.grade * station[-1])
    n = max(2, math.ceil(station[-1] / (0.4 * SPACING_M)))
    at = np.linspace(0.0, station[-1], n + 1)
    return Axis(*(np.interp(at, station, values) for values in (x_m, y_m, z_m)))


def _cubic(t: FloatArray, a: float, b: float, slope_a: float, slope_b: float) -> FloatArray:
    """Return Hermite's cubic from `a` to `b` at shares `t`."""
    s = 1.0 - t
    return a * s * s * (1 + 2 * t) + b * t * t * (3 - 2 * t) + t * s * (slope_a * s - slope_b * t)


def radii_m(axis: Axis, base_m: float = 10.0) -> FloatArray:
    """Return the radius of the circle through each station and those `base_m` before and after.

    Returns
    -------
    (n,) float64
        Radii at stations every `base_m` [m], infinite on straights.
    """
    station = axis.station_m
    at = np.arange(0.0, station[-1], base_m)
    x, y = np.interp(at, station, axis.x_m), np.interp(at, station, axis.y_m)
    ax, ay = np.diff(x)[:-1], np.diff(y)[:-1]
    bx, by = np.diff(x)[1:], np.diff(y)[1:]
    cross = np.abs(ax * by - ay * bx)
    sides = np.hypot(ax, ay) * np.hypot(bx, by) * np.hypot(ax + bx, ay + by)
    radius: FloatArray = np.divide(
        sides, 2.0 * cross, out=np.full(len(cross), np.inf), where=cross > 1e-9
    )
    return radius
