"""A long bridge over a wide river, with roads along both banks and ramps down to them."""

from __future__ import annotations

import numpy as np

from v2x.world.mountain.alignment import Axis, plan, rounded
from v2x.world.mountain.draft import (
    Road,
    Stretch,
    assembled,
    bridge,
    carriageways,
    station_on,
)
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.mountain.interchange import SLOW_DOWN_M, SPEED_UP_M
from v2x.world.road_map import FloatArray, RoadMap

NAME = "river-bridge"
NOTES = (
    "a bridge of 1,120 m with a main span of 520 m, six lanes and 60 km/h, after the published "
    "crossings of the Yangtze in Chongqing (length 600 to 1,750 m, main span 250 to 600 m, 4 to "
    "8 lanes, 40 to 80 km/h)",
    "water at 172 m (usual summer 165 to 178 m), 560 m wide (400 to 900 m); the deck is 54 to 60 m "
    "above it (25 to 60 m over high, 50 to 85 m over low water)",
    "roads along both banks at 192 to 194 m, after Nanbin and Beibin Road (185 to 215 m, 50 km/h); "
    "ramps of 3 to 6 % between them and the bridge",
)
WATER_M = 172.0
RIVER_HALF_WIDTH_M = 280.0
#: The bank rises by this much over this distance to the terrace on which the bridge lands [m].
BANK_M, BANK_WIDTH_M = 56.0, 290.0
ABUTMENT_M, SPAN_M = 560.0, 520.0
END_M = 1900.0
CARRIAGEWAYS_APART_M = 12.0
BANK_ROAD_M, BANK_ROAD_HALF_LENGTH_M = 390.0, 1300.0
#: Where ramps leave and join the road to the bridge, from its middle [m].
FAR_M, NEAR_M = 1400.0, 780.0
#: Corners of the ramps between the bridge road and the bank road, the outer and the inner one:
#: distances from the middle of the river and from the bridge, and radii [m].
FAR_CORNERS = ((1230.0, 20.0, 150.0), (1080.0, 260.0, 100.0), (800.0, 660.0, 80.0))
NEAR_CORNERS = ((960.0, 22.0, 60.0), (640.0, 400.0, 60.0))
#: They stay at the height of the bridge road as long as they run beside it [m].
BESIDE_M = 170.0
#: Where they meet the bank road, from the bridge [m].
FAR_FOOT_M, NEAR_FOOT_M = 690.0, 420.0


def _river_x_m(y_m: FloatArray) -> FloatArray:
    """Return the middle of the river, which bends a little."""
    return 110.0 * (y_m / 1400.0) ** 2


def natural_m(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Return the height of the ground before anything was built, of the river its bed [m]."""
    away = np.abs(x_m - _river_x_m(y_m))
    rise = np.clip((away - RIVER_HALF_WIDTH_M) / BANK_WIDTH_M, 0.0, 1.0)
    bank = BANK_M * (0.75 * rise + 0.25 * rise * rise * (3.0 - 2.0 * rise))
    beyond = np.maximum(away - RIVER_HALF_WIDTH_M - BANK_WIDTH_M, 0.0)
    knolls = 9.0 * np.sin(x_m / 330.0 + 0.6) * np.sin(y_m / 290.0) * np.clip(beyond / 500.0, 0, 1)
    bed = np.minimum(away - RIVER_HALF_WIDTH_M, 0.0) / 14.0
    height: FloatArray = WATER_M + bed + bank + 0.016 * beyond + knolls
    return height


def make() -> RoadMap:
    """Return the map."""
    centre = plan(-END_M, 0.0, 0.0, [(2.0 * END_M, 0.0)])
    centre = centre.graded(
        [
            (0.0, 246.0),
            (END_M - ABUTMENT_M - 100.0, 226.0),
            (END_M, 232.5),
            (END_M + ABUTMENT_M + 100.0, 226.0),
            (2.0 * END_M, 246.0),
        ],
        200.0,
    )
    pylons_m = (END_M - 0.5 * SPAN_M, END_M + 0.5 * SPAN_M)
    # The deck from the west to the east: side span, main span, side span.
    deck = (
        bridge(END_M - ABUTMENT_M, END_M + ABUTMENT_M),
        Stretch(begin_m=END_M - ABUTMENT_M, end_m=pylons_m[0], name="River Bridge side span"),
        Stretch(begin_m=pylons_m[0], end_m=pylons_m[1], name="River Bridge main span"),
        Stretch(begin_m=pylons_m[1], end_m=END_M + ABUTMENT_M, name="River Bridge side span"),
    )
    forks_m = [END_M + side * at for side in (-1.0, 1.0) for at in (FAR_M, NEAR_M)]
    pair = carriageways(
        centre,
        CARRIAGEWAYS_APART_M,
        name="Bridge Avenue",
        lanes=3,
        limit_kmh=60.0,
        road_class="trunk",
        both=deck,
        along=_side_lanes(1.0),
        against=_side_lanes(-1.0),
        along_cuts_m=forks_m,
        against_cuts_m=forks_m,
    )
    banks = {side: _bank_road(side) for side in (-1.0, 1.0)}
    roads = [*pair, *banks.values()]
    signals = []
    for road, south in ((pair[0], 1.0), (pair[1], -1.0)):
        for side, bank in banks.items():
            far, near = _ramps(road.axis, centre, bank.axis, side, -south)
            signals.append(far.at(far.length_m))
            # Before the bridge the outer ramp leaves and the inner one joins; behind it they
            # change places.
            down, up = (far, near) if side == -south else (near, far)
            roads += [_ramp(down, "exit"), _ramp(up.reversed(), "entry")]
    return with_ground(
        assembled(NAME, roads, notes=NOTES, signals=signals),
        natural_m,
        Earthworks(step_m=10.0, margin_m=250.0, headroom_m=4.0),
        water_m=WATER_M,
    )


def _side_lanes(way: float) -> list[Stretch]:
    """Return the lanes for slowing down and speeding up of the traffic to one side."""
    lanes = []
    for exit_m, entry_m in ((-FAR_M, -NEAR_M), (NEAR_M, FAR_M)):
        for at, length_m in ((exit_m, -SLOW_DOWN_M), (entry_m, SPEED_UP_M)):
            ends = sorted((END_M + way * at, END_M + way * (at + length_m)))
            lanes.append(Stretch(begin_m=ends[0], end_m=ends[1], extra_lanes=1))
    return lanes


def _bank_road(side: float) -> Road:
    """Return the road along the western (-1) or the eastern bank, drawn to the north."""
    y = np.linspace(-BANK_ROAD_HALF_LENGTH_M, BANK_ROAD_HALF_LENGTH_M, 209)
    x = _river_x_m(y) + side * BANK_ROAD_M
    axis = Axis(x, y, 193.0 + 1.2 * np.cos(y / 420.0))
    feet = [way * at for way in (-1.0, 1.0) for at in (FAR_FOOT_M, NEAR_FOOT_M)]
    return Road(
        axis=axis,
        name="West Bank Road" if side < 0 else "East Bank Road",
        road_class="secondary",
        lanes=2,
        limit_kmh=50.0,
        two_way=True,
        cuts_m=tuple(float(np.interp(at, y, axis.station_m)) for at in feet),
    )


def _ramps(main: Axis, centre: Axis, bank: Axis, side: float, north: float) -> tuple[Axis, Axis]:
    """Return the outer and the inner ramp of one carriageway on one bank, drawn down."""
    ramps = []
    for fork_m, corners, foot_m in (
        (FAR_M, FAR_CORNERS, FAR_FOOT_M),
        (NEAR_M, NEAR_CORNERS, NEAR_FOOT_M),
    ):
        fork = main.at(station_on(main, centre, END_M + side * fork_m))
        foot = bank.at(float(np.interp(north * foot_m, bank.y_m, bank.station_m)))
        line = rounded(
            [
                (fork.x_m, fork.y_m, 0.0),
                *((side * x, north * y, radius_m) for x, y, radius_m in corners),
                (foot.x_m, foot.y_m, 0.0),
            ]
        )
        end_m = line.length_m
        # Both run beside the bridge road to their first corner, one inward and one outward.
        beside_m = fork_m + (BESIDE_M if corners[0][0] > fork_m else -BESIDE_M)
        profile = [
            (0.0, fork.z_m),
            (BESIDE_M, main.at(station_on(main, centre, END_M + side * beside_m)).z_m),
            (end_m - 40.0, foot.z_m),
            (end_m, foot.z_m),
        ]
        ramps.append(line.graded(profile, 60.0))
    return ramps[0], ramps[1]


def _ramp(axis: Axis, kind: str) -> Road:
    return Road(
        axis=axis, name=f"Bank Ramp {kind}", road_class="trunk_link", lanes=1, limit_kmh=40.0
    )
