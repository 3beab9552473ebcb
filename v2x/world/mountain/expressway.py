"""Twenty kilometres of an expressway over two ridges, with a long downhill."""

from __future__ import annotations

import numpy as np

from v2x.world.mountain.alignment import Axis, plan, profile_m
from v2x.world.mountain.draft import Stretch, assembled, bridge, carriageways, tunnel
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.mountain.interchange import Diamond, diamond_roads, overpass
from v2x.world.mountain.relief import Corridor, bump, nearness_m
from v2x.world.road_map import FloatArray, RoadMap

NAME = "expressway-20km"
NOTES = (
    "20 km of twin carriageways with three lanes each, 100 and 80 km/h, grades to 4 % at 100 and "
    "5 % at 80 km/h as the road standard allows, after the Chengdu-Chongqing expressways",
    "tunnels of 2.5 km (Jinyunshan: 2,529 and 2,478 m) and 3.1 km (Zhongliangshan: 3,165 and "
    "3,103 m), not steeper than 2 %",
    "eastbound 6 km downhill at 5 % (the scenario library's brake failure of a truck); an escape "
    "ramp is not drawn, for it would be an exit to which traffic is sent",
    "two diamond interchanges and three viaducts",
)
#: Straights (length, 0) and arcs (angle to the left, radius).
PIECES: tuple[tuple[float, float], ...] = (
    (2600.0, 0.0),
    (30.0, 1200.0),
    (900.0, 0.0),
    (-38.0, 1500.0),
    (2800.0, 0.0),
    (16.0, 3000.0),
    (1300.0, 0.0),
    (-14.0, 2500.0),
    (2200.0, 0.0),
    (28.0, 900.0),
    (800.0, 0.0),
    (-34.0, 1000.0),
    (700.0, 0.0),
    (26.0, 1100.0),
    (900.0, 0.0),
    (-14.0, 1500.0),
    (4000.0, 0.0),
)
LENGTH_M = 20_000.0
#: Stations and heights of the intersections of grades [m].
PROFILE: tuple[tuple[float, float], ...] = (
    (0.0, 330.0),
    (3200.0, 346.0),
    (5150.0, 424.0),
    (7900.0, 476.0),
    (9200.0, 528.0),
    (12_500.0, 544.0),
    (18_500.0, 244.0),
    (20_000.0, 236.5),
)
TUNNELS_M: tuple[tuple[float, float], ...] = ((5250.0, 7750.0), (9300.0, 12_400.0))
#: Heights of the ridges over the road [m].
RIDGES_M = (300.0, 340.0)
#: Viaducts: begin, end and depth of the gully under the middle of each [m].
GULLIES: tuple[tuple[float, float, float], ...] = (
    (4150.0, 4650.0, 45.0),
    (14_300.0, 14_900.0, 60.0),
    (16_200.0, 16_750.0, 50.0),
)
INTERCHANGES_M = (1500.0, 19_250.0)
#: From here to there it is steeper than 4 %, and the limit lower [m].
SLOW_M = (9000.0, 18_700.0)
APART_M, TUBES_APART_M = 16.0, 34.0


def centre_line() -> Axis:
    """Return the line between the carriageways."""
    line = plan(0.0, 0.0, -8.0, PIECES)
    return line.part(0.0, LENGTH_M).graded(PROFILE, 400.0)


class Ground:
    """Floor, ridges and gullies along the expressway.

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
        # No knolls near the portals and interchanges.
        quiet = [*INTERCHANGES_M, *(end for pair in TUNNELS_M for end in pair)]
        rough = np.clip((nearness_m(station, quiet) - 250.0) / 300.0, 0.0, 1.0)
        knolls = 7.0 * rough * np.sin(station / 170.0) * np.cos(left / 240.0)
        # One side of the road is higher, but not around the interchanges.
        away = nearness_m(station, list(INTERCHANGES_M))
        side_m = 15.0 + 65.0 * np.clip((away - 500.0) / 1200.0, 0.0, 1.0)
        tilt = side_m * np.tanh(left / 600.0) * np.sin(station / 2300.0)
        height = self._corridor.road_m(station) - 1.0 + knolls + tilt
        for (begin_m, end_m), ridge_m in zip(TUNNELS_M, RIDGES_M, strict=True):
            crest = ridge_m * (1.0 + 0.12 * np.sin(left / 420.0))
            height = height + crest * bump(station, begin_m - 60.0, end_m + 60.0) ** 1.2
        for begin_m, end_m, depth_m in GULLIES:
            height = height - depth_m * bump(station, begin_m - 30.0, end_m + 30.0) ** 2
        return height


def make() -> RoadMap:
    """Return the map."""
    centre = centre_line()
    ground = Ground(centre)
    diamonds = [Diamond(station_m=at) for at in INTERCHANGES_M]
    cuts_m = [cut for diamond in diamonds for cut in diamond.cuts_m]
    knots = [(0.0, APART_M)]
    for begin_m, end_m in TUNNELS_M:
        knots += [(begin_m - 600.0, APART_M), (begin_m - 150.0, TUBES_APART_M)]
        knots += [(end_m + 150.0, TUBES_APART_M), (end_m + 600.0, APART_M)]
    knots.append((LENGTH_M, APART_M))
    both = [Stretch(begin_m=SLOW_M[0], end_m=SLOW_M[1], limit_kmh=80.0)]
    both += [tunnel(begin_m, end_m) for begin_m, end_m in TUNNELS_M]
    both += [bridge(begin_m, end_m) for begin_m, end_m, _ in GULLIES]
    pair = carriageways(
        centre,
        profile_m(centre.station_m, knots, 250.0),
        name="Two Ridges Expressway",
        lanes=3,
        limit_kmh=100.0,
        both=both,
        along=[lane for diamond in diamonds for lane in diamond.along],
        against=[lane for diamond in diamonds for lane in diamond.against],
        along_cuts_m=cuts_m,
        against_cuts_m=cuts_m,
    )
    roads = list(pair)
    for diamond, side in zip(diamonds, ("West", "East"), strict=True):
        crossing = overpass(centre.at(diamond.station_m), ground)
        roads += diamond_roads(diamond, centre, pair, crossing, f"{side} Town")
    road_map = assembled(NAME, roads, notes=NOTES, lane_width_m=3.75)
    return with_ground(road_map, ground, Earthworks(step_m=15.0, margin_m=500.0, reach_m=150.0))
