"""Streets on a hillside, one above the other, joined by ramps and a winding avenue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from v2x import rng
from v2x.world.buildings import Buildings
from v2x.world.mountain.alignment import Axis, Pose, rounded
from v2x.world.mountain.draft import Road, assembled
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.road_map import FloatArray, RoadMap

NAME = "hill-streets"
NOTES = (
    "six one-way streets along the contours of a slope of 18 to 30 %, 78 m apart in plan and 15 "
    "to 22 m in height, after the streets of Yuzhong (one-way pairs at different heights, 200 to "
    "360 m over 1 to 2 km, 5 to 9 %, 30 to 40 km/h; relief with slopes of 15 to 35 %)",
    "ten one-way ramps and a two-way avenue in zigzag between them, steeper than the 8 % of "
    "a new street of 30 km/h, as old streets of mountain cities are (9 to 12 %)",
    "buildings of 12 to 75 m between the streets are drawn at random with a fixed seed",
)
LENGTH_M = 1000.0
N_STREETS = 6
FIRST_M, APART_M = 45.0, 78.0
FOOT_M, SLOPE, LONG_SLOPE = 198.0, 0.24, 0.012
#: Where the avenue crosses even and odd streets, and how far it goes beyond the outer ones [m].
AVENUE_X_M = (375.0, 625.0)
AVENUE_BEYOND_M = 60.0
#: Where ramps leave, counted from where their street begins, those between the second and the
#: third street and every other pair farther on; length in plan, and where they turn in [m].
RAMP_FROM_M, RAMP_FARTHER_M = 60.0, 30.0
RAMP_M, RAMP_FOOT_M = 220.0, 26.0
#: Buildings: across and along the slope, between their fronts, and free of the roads' axes [m].
FOOTPRINT_M = (24.0, 17.0)
PITCH_M = 33.0
FREE_M = 9.0
STOREY_M = 3.0


def _bend_m(x_m: FloatArray) -> FloatArray:
    """Return how far the contours bend to the north."""
    return 18.0 * np.sin(2.0 * np.pi * x_m / 900.0)


def natural_m(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Return the height of the ground before anything was built [m]."""
    up = y_m - _bend_m(x_m)
    height: FloatArray = (
        FOOT_M + SLOPE * up + 4.0 * np.sin(2.0 * np.pi * up / 450.0) + LONG_SLOPE * x_m
    )
    return height


def _contour_m(k: int) -> float:
    """Return the distance up the slope of street `k` [m]."""
    return FIRST_M + APART_M * k


def _along(k: int, x_m: float) -> float:
    """Return x of a place on street `k` by its distance in x from where traffic enters."""
    return x_m if k % 2 == 0 else LENGTH_M - x_m


def _on_slope(corners: list[tuple[float, float, float]], begin: Pose, end: Pose) -> Axis:
    """Return an axis between two poses; corners are given in x and distance up the slope [m].

    It is bent as the contours are and level for the last metres of both ends.
    """
    line = rounded(corners)
    x_m, y_m = line.x_m.copy(), line.y_m + _bend_m(line.x_m)
    # The streets are chords of the contours, and the nodes lie on them.
    x_m[[0, -1]], y_m[[0, -1]] = (begin.x_m, end.x_m), (begin.y_m, end.y_m)
    line = Axis(x_m, y_m, np.zeros(len(x_m)))
    end_m, level_m = line.length_m, 12.0
    profile = [
        (0.0, begin.z_m),
        (level_m, begin.z_m),
        (end_m - level_m, end.z_m),
        (end_m, end.z_m),
    ]
    return line.graded(profile, 20.0)


class _Hill:
    """Streets in the making: where nodes lie on each."""

    def __init__(self) -> None:
        self.axes: list[Axis] = []
        self.cuts: list[list[float]] = [[] for _ in range(N_STREETS)]
        for k in range(N_STREETS):
            x = np.linspace(0.0, LENGTH_M, 101)
            y = _contour_m(k) + _bend_m(x)
            axis = Axis(x, y, natural_m(x, y))
            self.axes.append(axis if k % 2 == 0 else axis.reversed())

    def node(self, k: int, x_m: float) -> Pose:
        """Put a node on street `k` and return the pose of the street there."""
        axis = self.axes[k]
        order = slice(None) if k % 2 == 0 else slice(None, None, -1)
        station = float(np.interp(x_m, axis.x_m[order], axis.station_m[order]))
        self.cuts[k].append(station)
        return axis.at(station)

    def streets(self) -> list[Road]:
        """Return the streets, cut at the nodes."""
        return [
            Road(
                axis=axis,
                name=f"Terrace Street {k + 1}",
                road_class="tertiary" if k == 0 else "residential",
                lanes=2,
                limit_kmh=40.0 if k == 0 else 30.0,
                cuts_m=tuple(cuts),
            )
            for k, (axis, cuts) in enumerate(zip(self.axes, self.cuts, strict=True))
        ]


def make() -> RoadMap:
    """Return the map."""
    hill = _Hill()
    avenue, signals = _avenue(hill)
    ramps = [ramp for k in range(N_STREETS - 1) for ramp in _ramps(hill, k)]
    road_map = assembled(NAME, [*hill.streets(), *avenue, *ramps], notes=NOTES, signals=signals)
    works = Earthworks(step_m=4.0, margin_m=120.0, cut_slope=3.0, fill_slope=3.0, reach_m=40.0)
    road_map = with_ground(road_map, natural_m, works)
    return replace(road_map, buildings=_buildings(road_map))


def _ramps(hill: _Hill, k: int) -> Iterator[Road]:
    """Yield the ramps between street `k` and the next above it, up and down.

    Each leaves its street at a small angle, goes on beside it, and meets the other square.
    """
    begin_m = RAMP_FROM_M + RAMP_FARTHER_M * (k % 2)
    for low_first in (True, False):
        source, goal = (k, k + 1) if low_first else (k + 1, k)
        x_m = _along(source, begin_m), _along(source, begin_m + RAMP_M)
        begin, end = hill.node(source, x_m[0]), hill.node(goal, x_m[1])
        up_m, goal_m = _contour_m(source), _contour_m(goal)
        before_m = goal_m + (-RAMP_FOOT_M if low_first else RAMP_FOOT_M)
        corners = [(x_m[0], up_m, 0.0), (x_m[1], before_m, 16.0), (x_m[1], goal_m, 0.0)]
        yield Road(
            axis=_on_slope(corners, begin, end),
            name=f"Ramp {source + 1}-{goal + 1}",
            road_class="residential",
            lanes=1,
            limit_kmh=30.0,
        )


def _avenue(hill: _Hill) -> tuple[list[Road], list[Pose]]:
    """Return the avenue from below the lowest street to above the highest, and its crossings."""
    crossings = [hill.node(k, AVENUE_X_M[k % 2]) for k in range(N_STREETS)]
    low_m, high_m = _contour_m(0) - AVENUE_BEYOND_M, _contour_m(N_STREETS - 1) + AVENUE_BEYOND_M
    places = [
        (AVENUE_X_M[0], low_m),
        *((pose.x_m, _contour_m(k)) for k, pose in enumerate(crossings)),
        (AVENUE_X_M[(N_STREETS - 1) % 2], high_m),
    ]
    poses = [_open_end(*places[0]), *crossings, _open_end(*places[-1])]
    roads = []
    for k in range(len(places) - 1):
        (x, up), (next_x, next_up) = places[k], places[k + 1]
        corners = [(x, up, 0.0), (next_x, next_up, 0.0)]
        if abs(next_x - x) > 1.0:
            corners[1:1] = [(x, up + 22.0, 18.0), (next_x, next_up - 22.0, 18.0)]
        roads.append(
            Road(
                axis=_on_slope(corners, poses[k], poses[k + 1]),
                name="Zigzag Avenue",
                road_class="secondary",
                lanes=2,
                limit_kmh=30.0,
                two_way=True,
            )
        )
    return roads, crossings


def _open_end(x_m: float, up_m: float) -> Pose:
    """Return the end of the avenue on the natural ground, less steep than that."""
    beyond = up_m > _contour_m(0)
    street_m = _contour_m(N_STREETS - 1 if beyond else 0)
    x = np.array([x_m])
    near_m, far_m = (natural_m(x, at + _bend_m(x))[0] for at in (street_m, up_m))
    y_m = up_m + float(_bend_m(x)[0])
    return Pose(x_m, y_m, float(near_m + 0.25 * (far_m - near_m)), 0.5 * np.pi)


def _buildings(road_map: RoadMap) -> Buildings:
    """Return buildings in rows between the streets wherever no road is near."""
    import shapely  # type: ignore[import-untyped]

    terrain = road_map.terrain
    assert terrain is not None
    lines = [
        np.column_stack([road_map.point_x_m[a:b], road_map.point_y_m[a:b]])
        for a, b in pairwise(road_map.first_point.tolist())
    ]
    roads = shapely.union_all([shapely.LineString(line) for line in lines])
    draw = rng.stream(0, NAME, "buildings")
    corners, bases, tops = [], [], []
    for k in range(N_STREETS + 1):
        for row_m in (-55.0, -27.0):
            for x_m in np.arange(30.0, LENGTH_M - 20.0, PITCH_M).tolist():
                storeys = int(draw.integers(4, 25))
                outline = _outline(x_m, _contour_m(k) + row_m)
                if shapely.distance(shapely.Polygon(outline), roads) < FREE_M:
                    continue
                ground = terrain.at(outline[:, 0], outline[:, 1])
                corners.append(outline)
                bases.append(float(ground.min()))
                tops.append(float(ground.min()) + STOREY_M * storeys)
    xy = np.concatenate(corners)
    return Buildings(
        first_corner=np.arange(0, len(xy) + 1, 4, dtype=np.int32),
        corner_x_m=np.round(xy[:, 0], 2),
        corner_y_m=np.round(xy[:, 1], 2),
        base_m=np.round(np.array(bases), 2),
        top_m=np.round(np.array(tops), 2),
    )


def _outline(x_m: float, up_m: float) -> FloatArray:
    """Return the corners of a building around a place given in x and distance up the slope."""
    half_x, half_y = 0.5 * FOOTPRINT_M[0], 0.5 * FOOTPRINT_M[1]
    x = x_m + np.array([-half_x, half_x, half_x, -half_x])
    up = up_m + np.array([-half_y, -half_y, half_y, half_y])
    return np.column_stack([x, up + _bend_m(np.full(4, x_m))])
