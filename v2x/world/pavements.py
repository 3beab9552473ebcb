"""Where people walk: the pavements beside streets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

#: Classes of roads that nobody walks along.
NO_PAVEMENT = ("motorway", "motorway_link", "trunk", "trunk_link")
#: Middle of a pavement beside the outer lane [m]: half of the 3 m of TR 36.885 A.1.2.
BESIDE_M = 1.5
#: Shorter ones are left out [m].
_SHORTEST_M = 5.0
#: A carriageway this near on the left and in the other direction leaves only a median there [m].
_MEDIAN_M = 30.0
#: Distance of the points at which that is looked for [m].
_STEP_M = 20.0


@dataclass(frozen=True, slots=True)
class Pavements:
    """Pavements, one row each.

    Attributes
    ----------
    edge : (n,) int32
        Edge beside which it lies.
    lateral_m : (n,) float64
        Its middle to the right of the polyline of the edge [m], negative to the left.
    begin_m, length_m : (n,) float64
        Where it begins along the edge, and its length [m]. It ends as far before the nodes as it
        lies beside the polyline, so that it keeps clear of streets like its own.
    """

    edge: IntArray
    lateral_m: FloatArray
    begin_m: FloatArray
    length_m: FloatArray


def pavements(road_map: RoadMap) -> Pavements:
    """Return the pavements of a map: both sides of all streets on the ground.

    Motorways and trunk roads have none, nor have bridges and tunnels, nor is there one between
    the carriageways of one road.
    """
    barred = [k for k, name in enumerate(road_map.class_names) if name in NO_PAVEMENT]
    walkable = (road_map.edge_structure == Structure.GROUND) & ~np.isin(road_map.edge_class, barred)
    right = np.flatnonzero(walkable)
    alone = twin_edges(road_map) < 0
    left = np.flatnonzero(walkable & alone & ~_beside_a_median(road_map))
    width = road_map.edge_lanes * road_map.lane_width_m
    # the polyline is the middle of a carriageway of its own, or of the street that twins share
    outside = np.where(alone, 0.5 * width, width) + BESIDE_M
    edge = np.concatenate([right, left]).astype(np.int32)
    lateral = np.concatenate([outside[right], -outside[left]])
    begin = np.abs(lateral)
    length = road_map.edge_length_m[edge] - 2.0 * begin
    long = length >= _SHORTEST_M
    return Pavements(edge[long], lateral[long], begin[long], length[long])


def _beside_a_median(road_map: RoadMap) -> NDArray[np.bool_]:
    """Return for each edge whether another carriageway runs back on its left, (n_edges,)."""
    edge, x, y, heading = _samples(road_map)
    beside = np.zeros(road_map.n_edges, dtype=np.bool_)
    if not len(edge):
        return beside
    pairs = cKDTree(np.column_stack([x, y])).query_pairs(_MEDIAN_M, output_type="ndarray")
    one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
    back = np.cos(heading[one] - heading[other]) < -0.8
    across = np.cos(heading[one]) * (y[other] - y[one]) - np.sin(heading[one]) * (x[other] - x[one])
    beside[edge[one[back & (across > 1.0)]]] = True
    return beside


def _samples(road_map: RoadMap) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Return edge, x, y [m] and direction [rad] of points along all edges."""
    pieces = []
    for edge in range(road_map.n_edges):
        at = slice(road_map.first_point[edge], road_map.first_point[edge + 1])
        offset, length = road_map.point_offset_m[at], road_map.edge_length_m[edge]
        n = max(int(length / _STEP_M), 1)
        along = (np.arange(n) + 0.5) / n * length
        x = np.interp(along, offset, road_map.point_x_m[at])
        y = np.interp(along, offset, road_map.point_y_m[at])
        later = np.minimum(along + 1.0, length)
        before = later - 1.0
        heading = np.arctan2(
            np.interp(later, offset, road_map.point_y_m[at])
            - np.interp(before, offset, road_map.point_y_m[at]),
            np.interp(later, offset, road_map.point_x_m[at])
            - np.interp(before, offset, road_map.point_x_m[at]),
        )
        pieces.append(np.stack([np.full(n, edge), x, y, heading]))
    if not pieces:
        none = np.zeros(0)
        return none.astype(np.int32), none, none, none
    edges, x, y, heading = np.concatenate(pieces, axis=1)
    return edges.astype(np.int32), x, y, heading
