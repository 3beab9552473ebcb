"""Polylines of a road map: put together, subdivided, lifted and flattened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.world.buildings import Buildings
from v2x.world.road_map import LOCAL_CRS, FloatArray, IntArray, MapReport, RoadMap
from v2x.world.terrain import Terrain


@dataclass(frozen=True, slots=True)
class Polylines:
    """Polylines of all edges, one after the other.

    Attributes
    ----------
    first_point : (n_edges + 1,) int
        Where each begins.
    x_m, y_m, z_m : (n_points,) float64
        Positions [m].
    """

    first_point: NDArray[np.integer]
    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray

    def offset_m(self) -> FloatArray:
        """Return the three-dimensional distance of each point from the start of its edge [m]."""
        step_m = np.zeros(len(self.x_m))
        step_m[1:] = np.sqrt(
            np.diff(self.x_m) ** 2 + np.diff(self.y_m) ** 2 + np.diff(self.z_m) ** 2
        )
        # Summed edge by edge: offsets of one edge must not depend on the others.
        step_m[self.first_point[:-1]] = 0.0
        offset_m = np.empty_like(step_m)
        bounds = self.first_point.tolist()
        for begin, end in pairwise(bounds):
            np.cumsum(step_m[begin:end], out=offset_m[begin:end])
        return offset_m


def road_map_of(
    *,
    name: str,
    attribution: str = "",
    crs: str = LOCAL_CRS,
    origin_x_m: float = 0.0,
    origin_y_m: float = 0.0,
    node_osm_id: ArrayLike | None = None,
    node_signal: ArrayLike | None = None,
    edge_from: ArrayLike,
    edge_to: ArrayLike,
    edge_lanes: ArrayLike,
    edge_limit_mps: ArrayLike,
    edge_structure: ArrayLike | None = None,
    edge_level: ArrayLike | None = None,
    edge_class: ArrayLike,
    class_names: Sequence[str],
    edge_name: Sequence[str],
    edge_osm_way: ArrayLike | None = None,
    polylines: Polylines,
    lane_width_m: float = 3.5,
    wrap_length_m: float = 0.0,
    corridor_x: ArrayLike | None = None,
    corridor_y: ArrayLike | None = None,
    terrain: Terrain | None = None,
    buildings: Buildings | None = None,
    report: MapReport | None = None,
) -> RoadMap:
    """Return the road map with these edges; nodes, lengths and offsets follow from them.

    A node lies where the first edge that begins there begins, else where the first that ends
    there ends. Attributes not given are those of plain roads on the ground without an
    OpenStreetMap origin. The others are described at :class:`~v2x.world.road_map.RoadMap`.
    """
    begin = _int32(edge_from)
    end = _int32(edge_to)
    n_nodes = int(max(begin.max(), end.max())) + 1
    n_edges = len(begin)
    first_point = _int32(polylines.first_point)
    node_m = np.full((3, n_nodes), np.nan)
    points = np.stack([polylines.x_m, polylines.y_m, polylines.z_m])
    # Written backwards, so that the first edge has the last word, starts after ends.
    node_m[:, end[::-1]] = points[:, first_point[1:][::-1] - 1]
    node_m[:, begin[::-1]] = points[:, first_point[:-1][::-1]]
    offset_m = polylines.offset_m()
    return RoadMap(
        name=name,
        attribution=attribution,
        crs=crs,
        origin_x_m=origin_x_m,
        origin_y_m=origin_y_m,
        node_x_m=node_m[0].copy(),
        node_y_m=node_m[1].copy(),
        node_z_m=node_m[2].copy(),
        node_osm_id=_filled(node_osm_id, n_nodes, -1).astype(np.int64),
        node_signal=_filled(node_signal, n_nodes, False).astype(np.bool_),
        edge_from=begin,
        edge_to=end,
        edge_length_m=offset_m[first_point[1:] - 1],
        edge_lanes=_int32(edge_lanes),
        edge_limit_mps=np.array(edge_limit_mps, dtype=np.float64),
        edge_structure=_filled(edge_structure, n_edges, 0).astype(np.int32),
        edge_level=_filled(edge_level, n_edges, 0).astype(np.int32),
        edge_class=_int32(edge_class),
        class_names=tuple(class_names),
        edge_name=tuple(edge_name),
        edge_osm_way=_filled(edge_osm_way, n_edges, -1).astype(np.int64),
        first_point=first_point,
        point_x_m=polylines.x_m.copy(),
        point_y_m=polylines.y_m.copy(),
        point_z_m=polylines.z_m.copy(),
        point_offset_m=offset_m,
        lane_width_m=lane_width_m,
        wrap_length_m=wrap_length_m,
        corridor_x=None if corridor_x is None else _int32(corridor_x),
        corridor_y=None if corridor_y is None else _int32(corridor_y),
        terrain=terrain,
        buildings=buildings,
        report=report or MapReport(),
    )


def _int32(values: ArrayLike) -> IntArray:
    return np.array(values, dtype=np.int32)


def _filled(values: ArrayLike | None, length: int, default: int | bool) -> NDArray[np.generic]:
    return np.full(length, default) if values is None else np.array(values)


def polylines_of(road_map: RoadMap) -> Polylines:
    """Return the polylines of a map."""
    return Polylines(
        road_map.first_point, road_map.point_x_m, road_map.point_y_m, road_map.point_z_m
    )


def point_stretches(road_map: RoadMap) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the edge of each polyline point and the distance to the next one of that edge [m].

    Both have the shape (n_points,); the distance is 0 at the last point of an edge.
    """
    edge = np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point))
    length_m: FloatArray = np.diff(road_map.point_offset_m, append=0.0)
    length_m[road_map.first_point[1:] - 1] = 0.0
    return edge, length_m


def with_polylines(road_map: RoadMap, polylines: Polylines) -> RoadMap:
    """Return the map with the polylines of its edges replaced, end nodes following them."""
    begin = polylines.first_point[:-1]
    end = polylines.first_point[1:] - 1
    node_z_m = np.empty(road_map.n_nodes)
    node_z_m[road_map.edge_to[::-1]] = polylines.z_m[end[::-1]]
    node_z_m[road_map.edge_from[::-1]] = polylines.z_m[begin[::-1]]
    offset_m = polylines.offset_m()
    return replace(
        road_map,
        node_z_m=node_z_m,
        edge_length_m=offset_m[end],
        first_point=_int32(polylines.first_point),
        point_x_m=polylines.x_m,
        point_y_m=polylines.y_m,
        point_z_m=polylines.z_m,
        point_offset_m=offset_m,
    )


def flatten(road_map: RoadMap) -> RoadMap:
    """Return the flat twin of a map: the same plan, all heights 0, lengths along the plan.

    Structures and levels stay, so that only the third dimension of the geometry is missing; the
    ground is level everywhere and buildings stand on it.
    """
    polylines = polylines_of(road_map)
    flat = with_polylines(road_map, replace(polylines, z_m=np.zeros(len(polylines.z_m))))
    buildings = road_map.buildings
    if buildings is not None:
        height_m = buildings.top_m - buildings.base_m
        buildings = replace(buildings, base_m=np.zeros(len(height_m)), top_m=height_m)
    return replace(flat, terrain=None, buildings=buildings)


def twin_edges(road_map: RoadMap) -> IntArray:
    """Return for each edge the one that runs back along the same polyline, -1 if there is none.

    The two directions of an undivided street are twins: their polyline is the middle of the
    street and each has its lanes on its own right. An edge without a twin is a carriageway of
    its own and its polyline is the middle of its lanes.
    """
    first = road_map.first_point.tolist()
    drawn: dict[tuple[int, int, bytes, bytes], int] = {}
    ends = list(zip(road_map.edge_from.tolist(), road_map.edge_to.tolist(), strict=True))
    slices = [slice(a, b) for a, b in pairwise(first)]
    for edge, ((begin, end), at) in enumerate(zip(ends, slices, strict=True)):
        x, y = road_map.point_x_m[at], road_map.point_y_m[at]
        drawn.setdefault((begin, end, x.tobytes(), y.tobytes()), edge)
    twin = np.full(road_map.n_edges, -1, dtype=np.int32)
    for edge, ((begin, end), at) in enumerate(zip(ends, slices, strict=True)):
        x, y = road_map.point_x_m[at][::-1], road_map.point_y_m[at][::-1]
        twin[edge] = drawn.get((end, begin, x.tobytes(), y.tobytes()), -1)
    return twin


def subdivide(road_map: RoadMap, spacing_m: float) -> RoadMap:
    """Return the map with points at most `spacing_m` apart along every edge.

    Points are added at equal distances between neighbours, in plan, and rounded to the
    millimetre; twins get the same ones. Heights between neighbours are linear.
    """
    first = road_map.first_point
    points = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    following = np.roll(points, -1, axis=1)
    following[:, first[1:] - 1] = points[:, first[1:] - 1]
    onward = following - points
    step_m = np.hypot(onward[0], onward[1])
    parts = np.maximum(1, np.ceil(step_m / spacing_m - 1e-9)).astype(np.int64)
    step = np.repeat(np.arange(len(parts)), parts)
    done = np.arange(len(step)) - (np.cumsum(parts) - parts)[step]
    # Counting from the western end, whichever way the edge runs, makes twins equal to the bit.
    back = (onward[0] < 0) | ((onward[0] == 0) & (onward[1] < 0))
    west = np.where(back, following, points)
    span = np.where(back, -onward, onward)
    share = np.where(back[step], parts[step] - done, done) / parts[step]
    fine = np.where(done == 0, points[:, step], np.round(west[:, step] + share * span[:, step], 3))
    begin = np.concatenate([[0], np.cumsum(parts)])
    return with_polylines(road_map, Polylines(begin[first], fine[0], fine[1], fine[2]))
