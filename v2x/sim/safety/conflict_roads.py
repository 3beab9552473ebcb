"""Which roads meet, and what they are like where two road users come close."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.conditions import edge_friction
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import lane_network
from v2x.world.geometry import twin_edges
from v2x.world.grades import point_grades
from v2x.world.road_map import FloatArray, IntArray, RoadMap
from v2x.world.weather import WeatherParams

#: Nodes joined by edges shorter than this are one junction [m]; our own choice.
JUNCTION_M = 30.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Square cells over a map.

    Attributes
    ----------
    west_m, south_m, cell_m
        Corner and size [m].
    columns, rows
        Cells in x and in y.
    period_m
        Period in x, `columns` cells long [m]; 0 on maps that have ends.
    """

    west_m: float
    south_m: float
    cell_m: float
    columns: int
    rows: int
    period_m: float


def grid(road_map: RoadMap, cell_m: float) -> Grid:
    """Return cells of about `cell_m` [m], never smaller, over the nodes and bends of a map."""
    west, east = float(road_map.point_x_m.min()), float(road_map.point_x_m.max())
    south, north = float(road_map.point_y_m.min()), float(road_map.point_y_m.max())
    period = road_map.wrap_length_m
    if period:
        columns = max(int(period // cell_m), 1)
        cell_m = period / columns
    else:
        columns = math.floor((east - west) / cell_m) + 1
    return Grid(west, south, cell_m, columns, math.floor((north - south) / cell_m) + 1, period)


class ConflictRoads:
    """Roads as conflicts see them.

    Two edges are of one *road* if one goes on as the other at a node where nothing else meets, or
    if they are the two directions of one carriageway; of one *way* if the direction is the same,
    too. Nodes joined by short edges are one *junction*.

    Parameters
    ----------
    road_map
        The map.
    weather
        Gives the friction.

    Attributes
    ----------
    joints : (n_edges, 6) int32
        Road, way, junctions at the beginning and at the end; the only edge on which this one goes
        on, -1 if there are none or several, and its lane less the lane here.
    surface : (n_edges, 2) float64
        Length [m] and friction.
    structure : (n_edges,) int32
        A :class:`~v2x.world.road_map.Structure`.
    first_point, point_offset_m, point_grade
        Polylines of the edges, as of the map, and the grades from their points on.
    """

    def __init__(self, road_map: RoadMap, weather: WeatherParams) -> None:
        road, way = _roads(road_map)
        junction = _junctions(road_map)
        onto, shift = _onward(road_map)
        ends = (junction[road_map.edge_from], junction[road_map.edge_to])
        self.joints: IntArray = np.stack([road, way, *ends, onto, shift], axis=1)
        self.surface: FloatArray = np.stack(
            [road_map.edge_length_m, edge_friction(road_map, weather)], axis=1
        )
        self.structure = road_map.edge_structure
        self.first_point = road_map.first_point
        self.point_offset_m = road_map.point_offset_m
        self.point_grade = point_grades(road_map)
        self._geometry = RoadGeometry(road_map)

    def lane_middle(
        self, edge: IntArray, lane: IntArray, offset_m: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return x, y [m] and direction [rad] in the middle of lanes, each (n,)."""
        lateral_m = self._geometry.lane_lateral_m(edge, lane)
        x, y, _, heading = self._geometry.position(edge, offset_m, lateral_m)
        return x, y, heading

    def on_one_edge(
        self, edge: IntArray, lane: IntArray, goal: IntArray
    ) -> tuple[IntArray, IntArray]:
        """Return edges and lanes of vehicles, those whose road goes on as `goal` as if on it.

        Lanes of two edges are told apart by their numbers only on one of them, as the road may
        gain or lose some in between. All (n,).
        """
        at = np.maximum(edge, 0)
        goes = (edge >= 0) & (self.joints[at, 4] == goal) & (edge != goal)
        return np.where(goes, goal, edge), np.where(goes, lane + self.joints[at, 5], lane)

    def lane_lateral_m(self, edge: IntArray, lane: IntArray) -> FloatArray:
        """Return how far to the right of the polylines the middles of lanes lie [m], (n,)."""
        return self._geometry.lane_lateral_m(edge, lane)

    def lateral_m(
        self, edge: IntArray, offset_m: FloatArray, x_m: FloatArray, y_m: FloatArray
    ) -> FloatArray:
        """Return how far to the right of the polylines of their edges places lie [m], (n,).

        `offset_m` is about where along the edge, a little beyond its ends if need be.
        """
        x, y, _, heading = self._geometry.position(edge, offset_m, np.zeros(len(edge)))
        dx = x_m - x
        period = self._geometry.road_map.wrap_length_m
        if period:
            dx -= period * np.round(dx / period)
        return np.asarray(dx * np.sin(heading) - (y_m - y) * np.cos(heading))


def _roads(road_map: RoadMap) -> tuple[IntArray, IntArray]:
    """Return the road and the way of each edge."""
    twin = twin_edges(road_map)
    n_edges, n_nodes = road_map.n_edges, road_map.n_nodes
    # The neighbours of a node, each once, tell whether the road just goes on there.
    ends = np.stack([road_map.edge_from, road_map.edge_to])
    both = np.concatenate([ends, ends[::-1]], axis=1)
    pairs = np.unique(both, axis=1)
    goes_on = np.bincount(pairs[0], minlength=n_nodes) == 2
    leaving: dict[int, list[int]] = {}
    for edge in np.flatnonzero(goes_on[road_map.edge_from]).tolist():
        leaving.setdefault(int(road_map.edge_from[edge]), []).append(edge)
    one, other = [], []
    for edge in np.flatnonzero(goes_on[road_map.edge_to]).tolist():
        for onto in leaving.get(int(road_map.edge_to[edge]), ()):
            if road_map.edge_to[onto] != road_map.edge_from[edge]:
                one.append(edge)
                other.append(onto)
    way = _components(n_edges, one, other)
    paired = np.flatnonzero(twin >= 0)
    road = _components(n_edges, [*one, *paired.tolist()], [*other, *twin[paired].tolist()])
    return road, way


def _onward(road_map: RoadMap) -> tuple[IntArray, IntArray]:
    """Return the only edge on which each edge goes on, or -1, and the shift of its lanes."""
    network = lane_network(road_map)
    first = network.first_movement[:-1]
    single = np.diff(network.first_movement) == 1
    onto = np.full(road_map.n_edges, -1, dtype=np.int32)
    shift = np.zeros(road_map.n_edges, dtype=np.int32)
    onto[single] = network.to_edge[first[single]]
    shift[single] = network.lane_shift[first[single]]
    return onto, shift


def _junctions(road_map: RoadMap) -> IntArray:
    """Return the junction of each node."""
    short = road_map.edge_length_m < JUNCTION_M
    return _components(
        road_map.n_nodes, road_map.edge_from[short].tolist(), road_map.edge_to[short].tolist()
    )


def _components(n: int, one: list[int], other: list[int]) -> NDArray[np.int32]:
    """Return which connected component each of `n` things is in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)
