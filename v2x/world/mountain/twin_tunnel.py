"""A long twin-tube tunnel with its approaches and nothing else."""

from __future__ import annotations

import numpy as np

from v2x.world.mountain.alignment import Axis, plan, profile_m
from v2x.world.mountain.draft import assembled, carriageways, tunnel
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.mountain.relief import Corridor, bump
from v2x.world.road_map import FloatArray, RoadMap

NAME = "twin-tunnel"
NOTES = (
    "twin tubes of 3.5 km with three lanes each, 80 km/h, an S of two bends of 1500 m radius and "
    "grades of 0.5 %, portals at 287 m, after the published tunnels through Tongluoshan and "
    "Zhongliangshan (2.8 to 5.0 km, 6 lanes, 60 to 80 km/h, grades 0.3 to 3 %, roads cross the "
    "ridges at 250 to 320 m)",
    "the ridge over it is 380 m higher (relief 300 to 450 m); approaches of 1.3 km",
)
#: Straights (length, 0) and arcs (angle to the left, radius).
PIECES: tuple[tuple[float, float], ...] = (
    (1950.0, 0.0),
    (-28.0, 1500.0),
    (730.0, 0.0),
    (28.0, 1500.0),
    (1950.0, 0.0),
)
APPROACH_M, TUBE_M = 1300.0, 3500.0
#: Stations and heights of the intersections of grades [m].
PROFILE: tuple[tuple[float, float], ...] = (
    (0.0, 268.0),
    (1150.0, 286.0),
    (3000.0, 295.0),
    (4950.0, 286.0),
    (6100.0, 268.0),
)
RIDGE_M = 380.0
APART_M, TUBES_APART_M = 16.0, 36.0


def centre_line() -> Axis:
    """Return the line between the carriageways."""
    return plan(0.0, 0.0, 14.0, PIECES).graded(PROFILE, 300.0)


class Ground:
    """One ridge across the road.

    Parameters
    ----------
    line
        Line between the carriageways.
    """

    def __init__(self, line: Axis) -> None:
        self._corridor = Corridor(line)

    def __call__(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """Return the natural height [m]."""
        station, left = self._corridor.seen(x_m, y_m)
        crest = RIDGE_M + 25.0 * np.sin(left / 260.0)
        ridge = crest * bump(station, APPROACH_M - 60.0, APPROACH_M + TUBE_M + 60.0) ** 1.2
        height: FloatArray = self._corridor.road_m(station) - 1.0 + 0.02 * left + ridge
        return height


def make() -> RoadMap:
    """Return the map."""
    centre = centre_line()
    end_m = APPROACH_M + TUBE_M
    apart_m = [
        (0.0, APART_M),
        (APPROACH_M - 600.0, APART_M),
        (APPROACH_M - 150.0, TUBES_APART_M),
        (end_m + 150.0, TUBES_APART_M),
        (end_m + 600.0, APART_M),
        (centre.length_m, APART_M),
    ]
    pair = carriageways(
        centre,
        profile_m(centre.station_m, apart_m, 250.0),
        name="Tunnel Expressway",
        lanes=3,
        limit_kmh=80.0,
        both=[tunnel(APPROACH_M, end_m)],
    )
    road_map = assembled(NAME, pair, notes=NOTES)
    return with_ground(road_map, Ground(centre), Earthworks(step_m=10.0, margin_m=300.0))
