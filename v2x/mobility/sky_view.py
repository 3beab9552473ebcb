"""How much of the sky a road user sees: open, urban canyon, under a deck, tunnel.

Everything that hides the sky stands still, so the view is found once for points along every
edge; a state of the fleet then only looks it up by edge and offset.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.road_matching import DECK_M
from v2x.records.tables import Sky
from v2x.world.buildings import Buildings
from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure
from v2x.world.terrain import Terrain

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

#: Distance between the points of an edge whose view is known [m]; decks are wider.
_SPACING_M = 5.0
#: Every so many of them have their horizon computed, and share it with those around.
_PER_HORIZON = 5
#: Directions in which the horizon is found.
_N_DIRECTIONS = 16
#: Height of the antenna over the road [m].
_ANTENNA_M = 1.5
#: Distances at which the ground is looked at [m]: a quarter farther each time.
_GROUND_M = 10.0 * 1.25 ** np.arange(21)
#: Buildings farther away do not count [m]; at this distance 70 m of height are 20 degrees.
_BUILDING_RANGE_M = 200.0
#: Distance between the points that stand for a facade [m].
_FACADE_STEP_M = 5.0
#: Pairs of a place and a facade point held in memory at a time, about.
_CHUNK = 512
#: Who is off the road shares the view of the nearest road within this distance [m].
_BESIDE_ROAD_M = 30.0


class SkyView:
    """Sky above every road of a map.

    Parameters
    ----------
    road_map
        Roads, decks, terrain and buildings. On a map of street canyons (``corridor_x``) every
        street that is not under a deck or in a tunnel is an urban canyon.
    canyon_angle_deg
        Mean elevation of the horizon that makes an urban canyon [degree].
    """

    def __init__(self, road_map: RoadMap, canyon_angle_deg: float) -> None:
        length = road_map.edge_length_m
        self._n_samples = np.maximum(1, np.ceil(length / _SPACING_M)).astype(np.int64)
        self._first = np.cumsum(self._n_samples) - self._n_samples
        self._per_m = self._n_samples / np.maximum(length, 1e-9)
        edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), self._n_samples)
        rank = np.arange(len(edge)) - self._first[edge]
        offset = (rank + 0.5) / self._per_m[edge]
        x, y, z, _ = RoadGeometry(road_map).position(edge, offset, np.zeros(len(edge)))
        self._xyz = np.stack([x, y, z], axis=1)
        self._sky = np.full(len(edge), Sky.OPEN, dtype=np.int32)
        self._sky[_in_canyon(road_map, self._xyz, rank, canyon_angle_deg)] = Sky.CANYON
        self._sky[under_deck(road_map, x, y, z)] = Sky.DECK
        self._sky[road_map.edge_structure[edge] == Structure.TUNNEL] = Sky.TUNNEL
        self._tree: cKDTree | None = None

    def of(self, fleet: FleetState) -> IntArray:
        """Return the :class:`Sky` of every row, -1 for empty rows and roadside nodes."""
        on = np.flatnonzero(fleet.active & (fleet.kind <= NodeKind.VRU))
        sky = np.full(fleet.n_rows, -1, dtype=np.int32)
        off, on = on[fleet.edge[on] < 0], on[fleet.edge[on] >= 0]
        sky[on] = self.at(fleet.edge[on], fleet.offset_m[on])
        if len(off):
            sky[off] = self._beside(np.stack([fleet.x_m[off], fleet.y_m[off], fleet.z_m[off]], 1))
        return sky

    def at(self, edge: IntArray, offset_m: FloatArray) -> IntArray:
        """Return the :class:`Sky` at places along edges, both (n,)."""
        rank = (offset_m * self._per_m[edge]).astype(np.int64)
        found = self._sky[self._first[edge] + np.clip(rank, 0, self._n_samples[edge] - 1)]
        return np.asarray(found)

    def _beside(self, xyz: FloatArray) -> IntArray:
        if self._tree is None:
            from scipy.spatial import cKDTree

            self._outside = np.flatnonzero(self._sky != Sky.TUNNEL)
            self._tree = cKDTree(self._xyz[self._outside])
        distance, found = self._tree.query(xyz, distance_upper_bound=_BESIDE_ROAD_M)
        nearest = np.asarray(found)
        sky = np.full(len(xyz), Sky.OPEN, dtype=np.int32)
        near = np.isfinite(distance)
        sky[near] = self._sky[self._outside[nearest[near]]]
        return sky


def under_deck(
    road_map: RoadMap, x_m: FloatArray, y_m: FloatArray, z_m: FloatArray
) -> NDArray[np.bool_]:
    """Return whether a bridge passes over places on the road.

    A deck is as wide as its lanes, those of both directions where they share a polyline, and
    passes over what lies in its plan at least 3 m deeper.

    Parameters
    ----------
    road_map
        The map.
    x_m, y_m, z_m : (n,) float64
        Places [m].
    """
    import shapely  # type: ignore[import-untyped]

    edge, begin = _pieces(road_map)
    bridge = road_map.edge_structure[edge] == Structure.BRIDGE
    edge, begin = edge[bridge], begin[bridge]
    covered = np.zeros(len(x_m), dtype=np.bool_)
    if not len(edge) or not len(x_m):
        return covered
    xyz = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    start, step = xyz[:, begin], xyz[:, begin + 1] - xyz[:, begin]
    run2 = np.maximum(step[0] ** 2 + step[1] ** 2, 1e-12)
    twin = twin_edges(road_map)
    lanes = road_map.edge_lanes + np.where(twin >= 0, road_map.edge_lanes[twin], 0)
    half = 0.5 * road_map.lane_width_m * lanes[edge] / np.sqrt(run2)
    aside = np.stack([-step[1], step[0]]) * half
    low, high = start[:2], start[:2] + step[:2]
    corners = np.stack([low - aside, high - aside, high + aside, low + aside]).transpose(2, 0, 1)
    tree = shapely.STRtree(shapely.polygons(corners))
    place, piece = tree.query(shapely.points(x_m, y_m), predicate="intersects")
    along = (x_m[place] - start[0, piece]) * step[0, piece]
    along += (y_m[place] - start[1, piece]) * step[1, piece]
    deck_m = start[2, piece] + np.clip(along / run2[piece], 0.0, 1.0) * step[2, piece]
    covered[place[deck_m - z_m[place] >= DECK_M]] = True
    return covered


def mean_horizon_deg(
    terrain: Terrain | None, buildings: Buildings | None, xyz_m: FloatArray
) -> FloatArray:
    """Return the elevation of the horizon over antennas at road places, mean of all directions.

    In each of 16 directions it is the highest of the slopes of the ground, up to 870 m away, and
    of the roofs within 200 m; below the horizontal it counts as 0.

    Parameters
    ----------
    terrain, buildings
        What may hide the sky.
    xyz_m : (n, 3) float64
        Places at road height [m]; the antennas are 1.5 m above.
    """
    x, y, z = xyz_m.T + np.array([[0.0], [0.0], [_ANTENNA_M]])
    tangent = np.zeros((len(x), _N_DIRECTIONS))
    if terrain is not None:
        for direction in range(_N_DIRECTIONS):
            angle = 2.0 * math.pi * direction / _N_DIRECTIONS
            far_x = x[:, None] + _GROUND_M * math.cos(angle)
            far_y = y[:, None] + _GROUND_M * math.sin(angle)
            slope = (terrain.at(far_x, far_y) - z[:, None]) / _GROUND_M
            tangent[:, direction] = np.maximum(tangent[:, direction], slope.max(axis=1))
    if buildings is not None and buildings.n_buildings:
        _raise_by_roofs(tangent, buildings, x, y, z)
    return np.asarray(np.degrees(np.arctan(tangent)).mean(axis=1))


def _raise_by_roofs(
    tangent: FloatArray, buildings: Buildings, x: FloatArray, y: FloatArray, z: FloatArray
) -> None:
    from scipy.spatial import cKDTree

    facade_x, facade_y, top = _facade_points(buildings)
    facades = cKDTree(np.stack([facade_x, facade_y], axis=1))
    for begin in range(0, len(x), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        places = cKDTree(np.stack([x[part], y[part]], axis=1))
        near = places.sparse_distance_matrix(facades, _BUILDING_RANGE_M, output_type="ndarray")
        place, point = near["i"] + begin, near["j"]
        turn = np.arctan2(facade_y[point] - y[place], facade_x[point] - x[place])
        sector = np.rint(turn / (2.0 * math.pi / _N_DIRECTIONS)).astype(np.int64) % _N_DIRECTIONS
        # A facade nearer than a metre is the wall of the street; it hides no more than at one.
        slope = (top[point] - z[place]) / np.maximum(near["v"], 1.0)
        np.maximum.at(tangent, (place, sector), slope)


def _facade_points(buildings: Buildings) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return points along all outlines, and the height of their roofs."""
    first = buildings.first_corner
    x, y = buildings.corner_x_m, buildings.corner_y_m
    following = np.arange(1, len(x) + 1)
    following[first[1:] - 1] = first[:-1]
    parts = np.hypot(x[following] - x, y[following] - y) / _FACADE_STEP_M
    n_parts = np.maximum(1, np.ceil(parts)).astype(np.int64)
    corner = np.repeat(np.arange(len(x)), n_parts)
    share = (np.arange(len(corner)) - (np.cumsum(n_parts) - n_parts)[corner]) / n_parts[corner]
    top = np.repeat(buildings.top_m, np.diff(first))[corner]
    onward = following[corner]
    return (
        x[corner] + share * (x[onward] - x[corner]),
        y[corner] + share * (y[onward] - y[corner]),
        top,
    )


def _in_canyon(
    road_map: RoadMap, xyz: FloatArray, rank: NDArray[np.int64], canyon_angle_deg: float
) -> NDArray[np.bool_]:
    """Return whether the samples of all edges, `rank` along their own, are in a canyon."""
    if road_map.buildings is None and road_map.corridor_x is not None:
        return np.ones(len(xyz), dtype=np.bool_)
    asked = rank % _PER_HORIZON == 0
    horizon = mean_horizon_deg(road_map.terrain, road_map.buildings, xyz[asked])
    return np.asarray((horizon >= canyon_angle_deg)[np.cumsum(asked) - 1])


def _pieces(road_map: RoadMap) -> tuple[IntArray, NDArray[np.int64]]:
    """Return the edge of every straight piece of a polyline, and the point it begins at."""
    begin = np.delete(np.arange(len(road_map.point_x_m)), road_map.first_point[1:] - 1)
    n_pieces = np.diff(road_map.first_point) - 1
    return np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n_pieces), begin
