"""A mountain road around spurs, whose rock hides what comes round the curve."""

from __future__ import annotations

import numpy as np

from v2x.world.mountain.alignment import Axis, plan
from v2x.world.mountain.draft import Road, Stretch, assembled
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.road_map import FloatArray, RoadMap

NAME = "blind-curve"
NOTES = (
    "a two-way mountain road of 2.4 km around three spurs, with blind curves of 60, 30 and 125 m "
    "radius (axis) and rock cut 4:1 on their inside, grades to 8 %, after the scenario library of "
    "the project (blind curve: R 30, 60 and 125 m, clear offset 3 to 5 m, grades of 6 %) and the "
    "published limits of mountain roads (8 % at 30 km/h, 7 % at 40 km/h)",
    "outside it the ground falls to a valley 110 m below: vehicles on both flanks of a gully see "
    "each other across it",
)
#: Straights (length, 0) and arcs (angle to the left, radius); the mountain is on the left.
PIECES: tuple[tuple[float, float], ...] = (
    (460.0, 0.0),
    (-55.0, 110.0),
    (130.0, 0.0),
    (110.0, 60.0),
    (150.0, 0.0),
    (-95.0, 60.0),
    (130.0, 0.0),
    (95.0, 30.0),
    (150.0, 0.0),
    (-85.0, 80.0),
    (120.0, 0.0),
    (70.0, 125.0),
    (-40.0, 150.0),
    (510.0, 0.0),
)
#: Names of the blind curves, by their place among the pieces.
BLIND = {3: "Blind Curve R60", 7: "Blind Curve R30", 11: "Blind Curve R125"}
#: Limit on the road and in the sharpest curve [km/h].
LIMIT_KMH, SHARP_LIMIT_KMH = 40.0, 30.0
#: Height at the beginning, and grades between stations [m].
START_M = 420.0
GRADES: tuple[tuple[float, float], ...] = (
    (500.0, 0.03),
    (1050.0, 0.06),
    (1380.0, 0.08),
    (1750.0, 0.05),
    (2150.0, -0.06),
    (2600.0, -0.03),
)
VALLEY_M = 110.0
#: Raster fine enough for a wall of rock beside the lane [m].
STEP_M = 2.0


def axis() -> Axis:
    """Return the axis of the road."""
    line = plan(0.0, 0.0, 0.0, PIECES)
    points = [(0.0, START_M)]
    for end_m, grade in GRADES:
        last_m, height_m = points[-1]
        points.append((end_m, height_m + grade * (end_m - last_m)))
    return line.graded(points, 80.0)


def piece_ends_m(line: Axis) -> list[float]:
    """Return the stations of the ends of the pieces [m], that of the beginning first."""
    nominal = [0.0]
    for amount, radius_m in PIECES:
        run_m = np.radians(abs(amount)) * radius_m if radius_m else amount
        nominal.append(nominal[-1] + float(run_m))
    # Chords are shorter than their arcs.
    return [at * line.length_m / nominal[-1] for at in nominal]


class Mountainside:
    """A slope along a road: rock above it on the left, a valley below it on the right.

    Parameters
    ----------
    line
        Axis of the road; it begins and ends eastbound.
    """

    def __init__(self, line: Axis) -> None:
        from scipy.spatial import cKDTree

        n = int(line.length_m / 2.0)
        at = np.linspace(0.0, line.length_m, n + 1)
        station = line.station_m
        x, y, z = (np.interp(at, station, values) for values in (line.x_m, line.y_m, line.z_m))
        # The slope goes on beyond the ends of the road.
        beyond = 2.0 * np.arange(1, 151)
        self._x = np.concatenate([x[0] - beyond[::-1], x, x[-1] + beyond])
        self._y = np.concatenate([np.full(150, y[0]), y, np.full(150, y[-1])])
        self._z = np.concatenate([np.full(150, z[0]), z, np.full(150, z[-1])])
        self._tree = cKDTree(np.column_stack([self._x, self._y]))

    def __call__(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """Return the natural height [m]."""
        at = np.column_stack([np.ravel(x_m), np.ravel(y_m)])
        away, nearest = self._tree.query(at)
        k = np.clip(nearest, 1, len(self._x) - 2)
        ahead_x, ahead_y = self._x[k + 1] - self._x[k - 1], self._y[k + 1] - self._y[k - 1]
        left = ahead_x * (at[:, 1] - self._y[nearest]) - ahead_y * (at[:, 0] - self._x[nearest])
        above = np.where(
            left > 0,
            # A steep face, then a slope that rounds off 120 m above the road.
            120.0 * (1.0 - np.exp(-away / 190.0)) + 8.0 * (1.0 - np.exp(-away / 12.0)),
            -VALLEY_M * (1.0 - np.exp(-away / 200.0)),
        )
        height: FloatArray = (self._along(at) + above).reshape(np.shape(x_m))
        return height

    def _along(self, at: FloatArray) -> FloatArray:
        """Return the height of the road around a place, so smooth that spurs have no cliffs."""
        sparse = slice(None, None, 10)
        dx = at[:, :1] - self._x[sparse]
        dy = at[:, 1:] - self._y[sparse]
        square = (dx**2 + dy**2) / (2.0 * 90.0**2)
        # Relative to the nearest, so that far away the weights do not vanish.
        weight = np.exp(square.min(axis=1, keepdims=True) - square)
        return np.asarray((weight @ self._z[sparse]) / weight.sum(axis=1))


def make() -> RoadMap:
    """Return the map."""
    line = axis()
    ends_m = piece_ends_m(line)
    curves = tuple(
        Stretch(
            begin_m=ends_m[k],
            end_m=ends_m[k + 1],
            name=name,
            limit_kmh=SHARP_LIMIT_KMH if PIECES[k][1] < 40.0 else None,
        )
        for k, name in BLIND.items()
    )
    road = Road(
        axis=line,
        name="Spur Road",
        road_class="secondary",
        lanes=1,
        limit_kmh=LIMIT_KMH,
        two_way=True,
        stretches=curves,
    )
    road_map = assembled(NAME, [road], notes=NOTES)
    works = Earthworks(step_m=STEP_M, margin_m=160.0, cut_slope=4.0, reach_m=60.0)
    return with_ground(road_map, Mountainside(line), works)
