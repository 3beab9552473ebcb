"""Interchanges: a road across an expressway, with the four ramps of a diamond."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from v2x.world.mountain.alignment import Axis, Pose, plan, swung
from v2x.world.mountain.draft import Road, Stretch, beside, bridge
from v2x.world.mountain.earthworks import Surface

#: Ramps leave and join at this angle, so that drivers and the lane model see a fork [degree].
FORK_DEG = 4.0
#: Lengths of the lanes for speeding up and slowing down [m] (150 to 200 m for 80 km/h).
SPEED_UP_M = 200.0
SLOW_DOWN_M = 150.0
#: Half length of the bridge over an expressway, and where ramps meet the road on it [m].
DECK_HALF_M, FOOT_M = 50.0, 70.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diamond:
    """Where the ramps of a diamond leave and join an expressway.

    Attributes
    ----------
    station_m
        Where the other road crosses, along the line between the carriageways [m].
    ramp_m
        Length of the ramps along the expressway [m].
    """

    station_m: float
    ramp_m: float = 300.0

    @property
    def cuts_m(self) -> tuple[float, float]:
        """Stations of the forks [m]."""
        return self.station_m - self.ramp_m, self.station_m + self.ramp_m

    @property
    def along(self) -> tuple[Stretch, Stretch]:
        """Lanes for slowing down and speeding up of the traffic along the axis."""
        return _side_lanes(*self.cuts_m)

    @property
    def against(self) -> tuple[Stretch, Stretch]:
        """The same of the traffic against the axis."""
        end, begin = self.cuts_m
        slow, fast = (begin, begin + SLOW_DOWN_M), (end - SPEED_UP_M, end)
        return (
            Stretch(begin_m=slow[0], end_m=slow[1], extra_lanes=1),
            Stretch(begin_m=fast[0], end_m=fast[1], extra_lanes=1),
        )


def _side_lanes(exit_m: float, entry_m: float) -> tuple[Stretch, Stretch]:
    return (
        Stretch(begin_m=exit_m - SLOW_DOWN_M, end_m=exit_m, extra_lanes=1),
        Stretch(begin_m=entry_m, end_m=entry_m + SPEED_UP_M, extra_lanes=1),
    )


def diamond_roads(
    diamond: Diamond,
    centre: Axis,
    pair: Sequence[Road],
    crossing: Axis,
    name: str,
    road_class: str = "secondary",
) -> list[Road]:
    """Return the road across an expressway and the four ramps between them, 40 km/h all.

    Parameters
    ----------
    diamond
        Where they fork.
    centre, pair
        Line between the carriageways and these, along it and against it.
    crossing
        Road across, as :func:`overpass` returns it.
    name
        Of the interchange; "Road" and the purposes of the ramps are added.
    road_class
        Class of the road across.
    """
    before, after = diamond.cuts_m
    middle_m = 0.5 * crossing.length_m
    feet_m = (middle_m - FOOT_M, middle_m + FOOT_M)
    roads = [
        Road(
            axis=crossing,
            name=f"{name} Road",
            road_class=road_class,
            lanes=1,
            limit_kmh=40.0,
            two_way=True,
            stretches=(bridge(middle_m - DECK_HALF_M, middle_m + DECK_HALF_M),),
            cuts_m=feet_m,
        )
    ]
    for road, foot_m, stations, side in (
        (pair[0], feet_m[0], (before, after), "eastbound"),
        (pair[1], feet_m[1], (after, before), "westbound"),
    ):
        leaves, joins = (beside(road, centre, at) for at in stations)
        foot = crossing.at(foot_m)
        square = foot.heading_rad - 0.5 * math.pi
        if road is pair[1]:
            square += math.pi
        meets = Pose(foot.x_m, foot.y_m, foot.z_m, square)
        for begin, end, kind in (
            (leaves.turned(-FORK_DEG), meets, "exit"),
            (meets, joins.turned(FORK_DEG), "entry"),
        ):
            roads.append(
                Road(
                    axis=swung(begin, end),
                    name=f"{name} {kind} {side}",
                    road_class="motorway_link",
                    lanes=1,
                    limit_kmh=40.0,
                )
            )
    return roads


def overpass(
    crossing: Pose, natural: Surface, *, half_length_m: float = 380.0, clearance_m: float = 7.5
) -> Axis:
    """Return the axis of a road square over an expressway, from its right side to its left.

    Parameters
    ----------
    crossing
        Pose of the expressway there.
    natural
        The ground, on which it ends.
    half_length_m
        How far it reaches to both sides [m].
    clearance_m
        Height of the one above the other [m].
    """
    start = crossing.turned(90.0).moved(-half_length_m, 0.0)
    end_m = 2.0 * half_length_m
    axis = plan(start.x_m, start.y_m, math.degrees(start.heading_rad), [(end_m, 0.0)])
    low_m, high_m = natural(axis.x_m[[0, -1]], axis.y_m[[0, -1]]).tolist()
    over_m = crossing.z_m + clearance_m
    return axis.graded(
        [
            (0.0, low_m),
            (half_length_m - DECK_HALF_M, over_m),
            (half_length_m + DECK_HALF_M, over_m),
            (end_m, high_m),
        ],
        60.0,
    )
