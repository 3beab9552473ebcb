"""Where people cross: at lights, and in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.mobility.crossings.params import CrossingParams
from v2x.mobility.junctions import LaneNetwork
from v2x.world.geometry import twin_edges
from v2x.world.pavements import pavements
from v2x.world.road_map import RoadMap

#: The line before a crossing is so far from its middle [m]; vehicles stop at their gap before it.
LINE_M = 0.5
#: At lights the middle of a crossing lies so far before the stop line [m], between the ways over
#: the node and the fronts of those who wait at their gap.
BEFORE_M = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A way over a street.

    Attributes
    ----------
    edge, offset_m
        Where its middle is, along one direction of the street [m].
    right_m, left_m
        Where the lanes end to the right, and to the left of the polyline of `edge` (negative)
        [m].
    lines : tuple of (edge, line_m, low_m, high_m)
        Directions of traffic: the line at which it stops along its own edge [m], and the part of
        the crossing that belongs to it, to the right of the polyline of `edge` [m].
    movements : tuple of int
        Movements whose red lets people walk; none without lights.
    """

    edge: int
    offset_m: float
    right_m: float
    left_m: float
    lines: tuple[tuple[int, float, float, float], ...]
    movements: tuple[int, ...] = ()

    @property
    def width_m(self) -> float:
        """Width of the street [m]."""
        return self.right_m - self.left_m


def crossings_of(network: LaneNetwork, params: CrossingParams) -> tuple[Crossing, ...]:
    """Return the crossings of a map, those at lights first."""
    road_map = network.road_map
    twin = twin_edges(road_map)
    found: list[Crossing] = []
    if params.at_signals:
        found += _at_signals(network, twin.tolist())
    if params.every_m > 0.0:
        found += _between(road_map, twin.tolist(), params.every_m)
    return tuple(found)


def _street(
    road_map: RoadMap, edge: int, twin: int, at_m: float
) -> tuple[float, float, tuple[tuple[int, float, float, float], ...]]:
    """Return right and left end of a street, and the lines of its directions."""
    lane_m = road_map.lane_width_m
    line_m = at_m - LINE_M
    back_m = max(float(road_map.edge_length_m[edge]) - at_m - LINE_M, 0.0)
    width_m = float(road_map.edge_lanes[edge]) * lane_m
    if twin < 0:
        half_m = 0.5 * width_m
        return half_m, -half_m, ((edge, line_m, -half_m, half_m),)
    other_m = float(road_map.edge_lanes[twin]) * lane_m
    lines = ((edge, line_m, 0.0, width_m), (twin, back_m, -other_m, 0.0))
    return width_m, -other_m, lines


def _at_signals(network: LaneNetwork, twin: list[int]) -> list[Crossing]:
    """Return a crossing over each road into a node with lights."""
    road_map = network.road_map
    found = []
    for edge in np.unique(network.from_edge[network.signal >= 0]).tolist():
        first, end = network.first_movement[edge : edge + 2].tolist()
        length_m = float(road_map.edge_length_m[edge])
        radius_m = float(network.radius_m[first:end].max())
        at_m = length_m - radius_m - BEFORE_M
        right_m, left_m, lines = _street(road_map, edge, twin[edge], at_m)
        found.append(
            Crossing(
                edge=edge,
                offset_m=at_m,
                right_m=right_m,
                left_m=left_m,
                lines=lines,
                movements=tuple(range(first, end)),
            )
        )
    return found


def _between(road_map: RoadMap, twin: list[int], every_m: float) -> list[Crossing]:
    """Return crossings without lights, evenly along every street with pavements."""
    found = []
    for edge in np.unique(pavements(road_map).edge).tolist():
        if twin[edge] >= 0 and twin[edge] < edge:
            continue
        length_m = float(road_map.edge_length_m[edge])
        n = int(length_m / every_m)
        for k in range(n):
            at_m = (k + 0.5) * length_m / n
            right_m, left_m, lines = _street(road_map, edge, twin[edge], at_m)
            found.append(
                Crossing(edge=edge, offset_m=at_m, right_m=right_m, left_m=left_m, lines=lines)
            )
    return found
