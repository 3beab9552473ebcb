"""An arterial that climbs a hill past a row of traffic lights."""

from __future__ import annotations

import numpy as np

from v2x.units import kmh_to_mps
from v2x.world.mountain.alignment import Axis, Pose
from v2x.world.mountain.draft import Road, Stretch, assembled
from v2x.world.road_map import RoadMap

NAME = "hill-arterial"
#: Name of the street with the lights.
STREET = "Hill Arterial"
NOTES = (
    "an arterial with a row of lights on one constant grade, as in the scenario library of "
    "environment-friendly travel (5 to 8 signals, grade 6 %): one direction climbs, the other "
    "descends",
    "side streets along the contours; lanes of their own for turns before each junction",
)
#: Length of the lanes for turns [m], and how many there are, one on either side.
BAY_M, BAYS = 80.0, 2
#: Distance of points along the roads [m].
STEP_M = 10.0


def hill_arterial(
    n_signals: int = 6,
    spacing_m: float = 350.0,
    grade: float = 0.06,
    lanes_per_direction: int = 2,
    limit_mps: float = 50.0 / 3.6,
    side_m: float = 200.0,
    lane_width_m: float = 3.5,
) -> RoadMap:
    """Return the map: the arterial from west to east, the first direction uphill.

    Parameters
    ----------
    n_signals
        Junctions with lights.
    spacing_m
        Distance between them, and from the outer ones to the ends of the arterial [m].
    grade
        Rise over run towards the east; negative falls.
    lanes_per_direction
        Lanes of the arterial between junctions.
    limit_mps
        Limit of the arterial [m/s]; side streets have 40 km/h or this if it is less.
    side_m
        Length of the side streets [m].
    lane_width_m
        Width of a lane [m].
    """
    if n_signals < 1 or lanes_per_direction < 1:
        raise ValueError(
            f"n_signals and lanes_per_direction must be at least 1, "
            f"got {n_signals} and {lanes_per_direction}"
        )
    if spacing_m < 3.0 * BAY_M or side_m < BAY_M:
        raise ValueError(
            f"spacing_m must be at least {3.0 * BAY_M:g} and side_m {BAY_M:g}, "
            f"got {spacing_m} and {side_m}"
        )
    length_m = spacing_m * (n_signals + 1)
    axis = _straight((0.0, 0.0), (length_m, 0.0), grade)
    crossings_m = [spacing_m * (k + 1) for k in range(n_signals)]
    limit_kmh = limit_mps / kmh_to_mps(1.0)
    roads = _arterial(axis, crossings_m, lanes_per_direction, limit_kmh)
    signals: list[Pose] = []
    for k, at_m in enumerate(crossings_m):
        pose = axis.at(at_m)
        signals.append(pose)
        roads.append(
            Road(
                axis=Axis(
                    np.full(3, pose.x_m),
                    np.array([-side_m, 0.0, side_m]),
                    np.full(3, pose.z_m),
                ),
                name=f"Side Street {k + 1}",
                road_class="tertiary",
                lanes=1,
                limit_kmh=min(40.0, limit_kmh),
                two_way=True,
                cuts_m=(side_m,),
            )
        )
    return assembled(NAME, roads, notes=NOTES, signals=signals, lane_width_m=lane_width_m)


def _straight(begin: tuple[float, float], end: tuple[float, float], grade: float) -> Axis:
    length_m = float(np.hypot(end[0] - begin[0], end[1] - begin[1]))
    at_m = np.linspace(0.0, length_m, round(length_m / STEP_M) + 1)
    share = at_m / length_m
    return Axis(
        begin[0] + share * (end[0] - begin[0]), begin[1] + share * (end[1] - begin[1]), grade * at_m
    )


def _arterial(axis: Axis, crossings_m: list[float], lanes: int, limit_kmh: float) -> list[Road]:
    """Return both directions, with lanes for turns before each junction.

    Both are cut at the same places, so that they share one street.
    """
    length_m = axis.length_m
    cuts = [cut for at in crossings_m for cut in (at - BAY_M, at, at + BAY_M)]
    roads = []
    for along in (True, False):
        stations = crossings_m if along else [length_m - at for at in crossings_m]
        roads.append(
            Road(
                axis=axis if along else axis.reversed(),
                name=STREET,
                road_class="primary",
                lanes=lanes,
                limit_kmh=limit_kmh,
                stretches=tuple(
                    Stretch(begin_m=at - BAY_M, end_m=at, extra_lanes=BAYS) for at in stations
                ),
                cuts_m=tuple(cuts if along else [length_m - cut for cut in cuts]),
            )
        )
    return roads
