"""A road map as an undirected graph of places: what heights are solved on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Roads that turn by less than this at a node run on there without a kink in height.
STRAIGHT_ON_DEG = 45.0


@dataclass(frozen=True, slots=True)
class Links:
    """Stretches between neighbouring places, each once whatever runs on it.

    Attributes
    ----------
    a, b : (n_links,) int32
        Places at the ends.
    edge : (n_links,) int32
        An edge that runs along it.
    run_m : (n_links,) float64
        Plan length [m].
    """

    a: IntArray
    b: IntArray
    edge: IntArray
    run_m: FloatArray


@dataclass(frozen=True, slots=True)
class PointGraph:
    """Places where a road has one height, and how roads run through them.

    Attributes
    ----------
    place : (n_points,) int64
        Place of each polyline point; the same where edges meet and on both directions of a
        street.
    x_m, y_m : (n_places,) float64
        Positions [m].
    links
        Stretches between neighbouring places.
    bend : (3, n_bends) int64
        Consecutive places through which a road runs on.
    bend_m : (2, n_bends) float64
        Plan distances between them [m].
    """

    place: NDArray[np.int64]
    x_m: FloatArray
    y_m: FloatArray
    links: Links
    bend: NDArray[np.int64]
    bend_m: FloatArray

    @property
    def n_places(self) -> int:
        """Number of places."""
        return len(self.x_m)

    def at_places(self, value: FloatArray) -> FloatArray:
        """Return the values of polyline points at their places, shape (n_places,)."""
        result = np.empty(self.n_places)
        result[self.place[::-1]] = value[::-1]
        return result


def point_graph(road_map: RoadMap) -> PointGraph:
    """Return the graph of the polyline points of a map."""
    first = road_map.first_point
    twin = twin_edges(road_map)
    number = np.arange(road_map.n_edges, dtype=np.int32)
    # Of an edge and its twin the first leads; edges drawn twice the same way stay apart.
    leads = (twin < 0) | (twin > number) | (twin[twin] != number)
    label = np.arange(len(road_map.point_x_m), dtype=np.int64) + road_map.n_nodes
    for edge in np.flatnonzero(~leads).tolist():
        other = twin[edge]
        label[first[edge] : first[edge + 1]] = label[first[other] : first[other + 1]][::-1]
    label[first[:-1]] = road_map.edge_from
    label[first[1:] - 1] = road_map.edge_to
    _, point, place = np.unique(label, return_index=True, return_inverse=True)
    edge_of = np.repeat(number, np.diff(first))
    onward = leads[edge_of]
    onward[first[1:] - 1] = False
    start = np.flatnonzero(onward)
    run_m = np.hypot(
        road_map.point_x_m[start + 1] - road_map.point_x_m[start],
        road_map.point_y_m[start + 1] - road_map.point_y_m[start],
    )
    links = Links(
        place[start].astype(np.int32), place[start + 1].astype(np.int32), edge_of[start], run_m
    )
    along = start[np.flatnonzero(start[1:] == start[:-1] + 1)]
    bend, bend_m = _bends(
        road_map, place, np.concatenate([_turns(road_map), [along + 1, along + 1]], axis=1)
    )
    return PointGraph(
        place, road_map.point_x_m[point], road_map.point_y_m[point], links, bend, bend_m
    )


def _turns(road_map: RoadMap) -> NDArray[np.int64]:
    """Return the last and the first point of each edge and each that may follow it, (2, n)."""
    first = road_map.first_point.tolist()
    arriving: dict[int, list[int]] = {}
    for edge, node in enumerate(road_map.edge_to.tolist()):
        arriving.setdefault(node, []).append(first[edge + 1] - 1)
    turns = [
        (point, first[edge])
        for edge, node in enumerate(road_map.edge_from.tolist())
        for point in arriving.get(node, ())
    ]
    return np.array(turns, dtype=np.int64).reshape(-1, 2).T


def _bends(
    road_map: RoadMap, place: NDArray[np.int64], middle: NDArray[np.int64]
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return places and distances of bends around middle points (arriving, leaving), each once."""
    x, y = road_map.point_x_m, road_map.point_y_m
    into, out = middle
    ax, ay = x[into] - x[into - 1], y[into] - y[into - 1]
    bx, by = x[out + 1] - x[out], y[out + 1] - y[out]
    before_m, after_m = np.hypot(ax, ay), np.hypot(bx, by)
    least = np.cos(np.radians(STRAIGHT_ON_DEG)) * before_m * after_m
    on = (into == out) | (ax * bx + ay * by > least)
    bend = np.stack([place[into - 1], place[into], place[out + 1]])[:, on]
    bend_m = np.stack([before_m, after_m])[:, on]
    # Both directions of a street see the same bend.
    ends = np.sort(bend[[0, 2]], axis=0)
    _, once = np.unique(np.stack([ends[0], bend[1], ends[1]]), axis=1, return_index=True)
    once.sort()
    return bend[:, once], bend_m[:, once]
