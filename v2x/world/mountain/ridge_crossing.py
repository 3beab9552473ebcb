"""A ridge with a twin-tube tunnel through it and a hairpin road over it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from v2x.world.mountain.alignment import Axis, Pose, profile_m, rounded, swung
from v2x.world.mountain.draft import Road, assembled, carriageways, tunnel
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.mountain.interchange import Diamond, diamond_roads, overpass
from v2x.world.mountain.winding import Descent, descend
from v2x.world.road_map import FloatArray, RoadMap

NAME = "ridge-crossing"
NOTES = (
    "a ridge 400 m high with a saddle 90 m lower and slopes to 31 %, as published for Tongluoshan "
    "(relief 300 to 450 m over 1 to 1.5 km, slopes 15 to 35 %)",
    "twin tubes of 3.2 km with three lanes each and a bend of 1500 m radius, portals at 281 m, "
    "limit 80 km/h, after the Jiangnan (4.1 km), Zhongliangshan (3.2 km) and Nanshan (2.8 km) "
    "tunnels",
    "a two-way road with hairpins of 22 m radius at 6.5 %, limit 40 km/h, after Chongwen Road "
    "(5 to 8 %, bends of 15 to 40 m radius); a road along the crest after Nanshan Road",
)
FOOT_M = 265.0
RELIEF_M = 400.0
SADDLE_M = 90.0
HALF_WIDTH_M = 2000.0
#: Where the hairpin road crosses the crest [m].
PASS_Y_M = 150.0
#: Half lengths in x of the expressway and its tunnel, and where roads cross over it [m].
END_M, PORTAL_M, CROSSING_M = 3200.0, 1600.0, 2400.0
TUBES_APART_M, APPROACH_APART_M = 36.0, 16.0
DESCENT = Descent()
#: Legs of the hairpin road from the pass down; the same on both sides [m].
LEGS_M = (420.0, 700.0, 760.0, 760.0, 760.0, 560.0)


def natural_m(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Return the height of the ground before anything was built [m]."""
    share = np.clip(np.abs(x_m - _crest_x_m(y_m)) / HALF_WIDTH_M, 0.0, 1.0)
    flank = np.cos(0.5 * np.pi * share) ** 2
    relief = RELIEF_M - SADDLE_M * np.exp(-(((y_m - PASS_Y_M) / 900.0) ** 2))
    # Spurs and gullies run down the flanks.
    spurs = 9.0 * np.sin(2.0 * np.pi * y_m / 520.0 + 0.4) * np.sin(np.pi * share) ** 2
    knolls = 5.0 * np.sin(x_m / 310.0) * np.sin(y_m / 260.0 + 1.0) * share**4
    height: FloatArray = FOOT_M + relief * flank + spurs + knolls
    return height


def _crest_x_m(y_m: FloatArray) -> FloatArray:
    """Return where the crest runs."""
    return 60.0 * np.sin(y_m / 700.0)


def make() -> RoadMap:
    """Return the map."""
    centre = rounded([(-END_M, 220.0, 0.0), (0.0, -230.0, 1500.0), (END_M, 220.0, 0.0)])
    middle_m = 0.5 * centre.length_m
    centre = centre.graded(
        [
            (middle_m - 3200.0, 264.0),
            (middle_m - 1700.0, 280.0),
            (middle_m, 289.0),
            (middle_m + 1700.0, 280.0),
            (middle_m + 3200.0, 266.0),
        ],
        300.0,
    )
    west, east = (Diamond(station_m=middle_m + side * CROSSING_M) for side in (-1.0, 1.0))
    cuts_m = [*west.cuts_m, *east.cuts_m]
    far_m, near_m = CROSSING_M - 350.0, PORTAL_M + 50.0
    apart_m = [
        (0.0, APPROACH_APART_M),
        (middle_m - far_m, APPROACH_APART_M),
        (middle_m - near_m, TUBES_APART_M),
        (middle_m + near_m, TUBES_APART_M),
        (middle_m + far_m, APPROACH_APART_M),
        (2.0 * middle_m, APPROACH_APART_M),
    ]
    pair = carriageways(
        centre,
        profile_m(centre.station_m, apart_m, 250.0),
        name="Ridge Expressway",
        lanes=3,
        limit_kmh=80.0,
        both=[tunnel(middle_m - PORTAL_M, middle_m + PORTAL_M)],
        along=[*west.along, *east.along],
        against=[*west.against, *east.against],
        along_cuts_m=cuts_m,
        against_cuts_m=cuts_m,
    )
    roads = list(pair)
    feet = []
    for diamond, side in ((west, "West"), (east, "East")):
        foot = overpass(centre.at(diamond.station_m), natural_m)
        feet.append(foot)
        roads += diamond_roads(diamond, centre, pair, foot, f"{side} Foot")
    ridge_road, pass_m = _ridge_road(feet[0], feet[1])
    roads.append(_street(ridge_road, "Ridge Road", cuts_m=(pass_m,)))
    roads += _crest_roads(ridge_road.at(pass_m))
    road_map = assembled(NAME, roads, notes=NOTES)
    return with_ground(road_map, natural_m, Earthworks(step_m=10.0, margin_m=250.0))


def _street(axis: Axis, name: str, cuts_m: tuple[float, ...] = ()) -> Road:
    return Road(
        axis=axis,
        name=name,
        road_class="secondary",
        lanes=1,
        limit_kmh=40.0,
        two_way=True,
        cuts_m=cuts_m,
    )


def _ridge_road(west: Axis, east: Axis) -> tuple[Axis, float]:
    """Return the hairpin road from one foot road to the other, and where the pass is [m]."""
    y = np.array([PASS_Y_M])
    top = Pose(float(_crest_x_m(y)[0]), PASS_Y_M, float(natural_m(_crest_x_m(y), y)[0]) - 5.0, 0.0)
    sides = []
    for heading_deg, side, foot in ((180.0, 1, west), (0.0, -1, east)):
        start = top.turned(heading_deg).moved(40.0, 0.0)
        down = descend(natural_m, start, side, LEGS_M, DESCENT)
        end = down.at(down.length_m)
        meets = foot.at(foot.length_m)
        arrives = replace(meets.turned(180.0), grade=-meets.grade)
        sides.append(down.joined(swung(end, arrives, reach=1.2)))
    starts = [side.at(0.0) for side in sides]
    over = Axis(
        np.array([starts[0].x_m, top.x_m, starts[1].x_m]),
        np.array([starts[0].y_m, top.y_m, starts[1].y_m]),
        np.array([starts[0].z_m, top.z_m, starts[1].z_m]),
    )
    up = sides[0].reversed()
    return up.joined(over).joined(sides[1]), up.length_m + 40.0


def _crest_roads(top: Pose) -> list[Road]:
    """Return the roads from the pass along the crest to the north and to the south."""
    roads = []
    for name, way in (("Crest Road North", 1.0), ("Crest Road South", -1.0)):
        y = PASS_Y_M + way * np.linspace(0.0, 900.0, 61)
        x = _crest_x_m(y)
        height = natural_m(x, y) - 5.0
        roads.append(_street(Axis(x, y, height), name))
    return roads
