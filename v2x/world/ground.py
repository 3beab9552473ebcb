"""The raster of the ground around the roads of a map: sampled, then cut and filled for them.

A height raster knows nothing of roads: its cells are wider than a cutting, and roads have been
smoothed besides. A link between two vehicles would meet ground that is not there. Around roads
on the ground the terrain therefore takes their height, and it never stands above a deck;
tunnels leave it alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x.world.elevation import Bounded, Elevation, KnowsWater, bilinear
from v2x.world.geometry import subdivide, twin_edges
from v2x.world.projection import to_degrees
from v2x.world.road_map import FloatArray, RoadMap, Structure
from v2x.world.terrain import Terrain

#: Steps of a raster that need not be coarser, finest first, and the most points it has then.
FINE_STEPS = ((10.0, 1_000_000), (20.0, 4_000_000))
MAX_POINTS = 4_000_000
DEFAULT_MARGIN_M = 500.0
#: Heights are kept to this [m]; finer than any source, coarse enough to pack well.
QUANTUM_M = 0.1
#: Grid points sampled at a time, which bounds the memory that a source needs.
_BLOCK_POINTS = 1 << 16

HeightAt = Callable[[FloatArray, FloatArray], FloatArray]
WaterAt = Callable[[FloatArray, FloatArray], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the points of a raster lie in the local metres of a map.

    Attributes
    ----------
    west_m, south_m
        Position of the first point of the first row [m].
    step_m
        Distance between points [m].
    n_rows, n_columns
        Points from south to north and from west to east.
    """

    west_m: float
    south_m: float
    step_m: float
    n_rows: int
    n_columns: int

    def rows(self, first: int, last: int) -> tuple[FloatArray, FloatArray]:
        """Return x and y of the points of some rows [m], shapes (last - first, n_columns)."""
        x, y = np.meshgrid(
            self.west_m + self.step_m * np.arange(self.n_columns),
            self.south_m + self.step_m * np.arange(first, last),
        )
        return x, y


@dataclass(frozen=True, slots=True)
class Strips:
    """Points along roads of one structure, close enough to stand for the whole road.

    Attributes
    ----------
    xy_m : (n, 2) float64
        Positions on the axis [m].
    z_m : (n,) float64
        Heights of the road [m].
    half_width_m : (n,) float64
        Half the width of the carriageway [m].
    """

    xy_m: FloatArray
    z_m: FloatArray
    half_width_m: FloatArray


def terrain_of(
    road_map: RoadMap,
    elevation: Elevation,
    *,
    step_m: float | None = None,
    margin_m: float = DEFAULT_MARGIN_M,
) -> Terrain:
    """Return the ground around the roads of a map from a source of heights.

    Parameters
    ----------
    road_map
        Map with its heights solved, in a projected reference system.
    elevation
        Height of the ground. Where the margin reaches beyond the source, the nearest height
        inside it holds. If it knows its water, so does the terrain.
    step_m
        Distance between points [m]; None for 10 m on maps of a few kilometres, 20 m on those of
        a city, and more where that would exceed :data:`MAX_POINTS`.
    margin_m
        How far it reaches beyond the outermost roads [m].
    """

    def height_at(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        latitude, longitude = to_degrees(road_map, x_m, y_m)
        if not isinstance(elevation, Bounded):
            return elevation.height_m(latitude, longitude)
        inside = elevation.covers(latitude, longitude)
        height_m = np.full(x_m.shape, np.nan)
        height_m[inside] = elevation.height_m(latitude[inside], longitude[inside])
        return height_m

    def water_at(x_m: FloatArray, y_m: FloatArray) -> NDArray[np.bool_]:
        if not isinstance(elevation, KnowsWater):
            return np.zeros(x_m.shape, dtype=np.bool_)
        return elevation.is_water(*to_degrees(road_map, x_m, y_m))

    return terrain_from(road_map, height_at, water_at, step_m=step_m, margin_m=margin_m)


def terrain_from(
    road_map: RoadMap,
    height_at: HeightAt,
    water_at: WaterAt | None = None,
    *,
    step_m: float | None = None,
    margin_m: float = DEFAULT_MARGIN_M,
) -> Terrain:
    r"""Return the ground around the roads of a map from functions of its local metres.

    Parameters
    ----------
    road_map
        Map with its heights solved.
    height_at
        Height of the natural ground [m] at positions x, y [m] of one shape; NaN where it is not
        known, which the nearest known height then fills.
    water_at
        Whether water stands there; None for dry land.
    step_m, margin_m
        As in :func:`terrain_of`.

    Notes
    -----
    Within half the carriageway and :math:`\sqrt 2` steps of the axis of a road on the ground,
    so that all corners of every cell under it are meant, points take the height of the nearest
    stretch of road; over one more step they return to the natural ground. Under decks they are
    cut down to the deck, never filled. Where a lower road runs beside a higher one, closer than
    the grid can show, the cells under the lower one are lowered to it: a road that floats over
    the grid hides nothing, one that is buried in it is deaf.
    """
    grid = grid_around(road_map, step_m, margin_m)
    height_m = _sampled(grid, height_at)
    water = np.zeros(height_m.shape, dtype=np.bool_)
    if water_at is not None:
        for first, last in _blocks(grid):
            water[first:last] = water_at(*grid.rows(first, last))
    bridges = strips(road_map, Structure.BRIDGE, grid.step_m / 5.0)
    share, deck_m = _nearest_road(grid, bridges)
    height_m = height_m - share * np.maximum(0.0, height_m - deck_m)
    ground = strips(road_map, Structure.GROUND, grid.step_m / 5.0)
    share, road_m = _nearest_road(grid, ground)
    height_m = height_m + share * (road_m - height_m)
    for roads in (bridges, ground):
        _uncover(height_m, grid, roads)
    return Terrain(
        west_m=grid.west_m,
        south_m=grid.south_m,
        step_m=grid.step_m,
        height_m=quantised(height_m),
        water=water & (share < 1.0),
    )


def quantised(height_m: FloatArray) -> NDArray[np.float32]:
    """Return heights rounded to :data:`QUANTUM_M`, as compiled maps keep them."""
    return (np.rint(height_m / QUANTUM_M) * QUANTUM_M).astype(np.float32)


def grid_around(road_map: RoadMap, step_m: float | None, margin_m: float) -> Grid:
    """Return the raster around the roads of a map; its points lie on multiples of its step."""
    if step_m is not None and not step_m > 0:
        raise ValueError(f"step_m must be > 0, got {step_m}")
    if not margin_m >= 0:
        raise ValueError(f"margin_m must be >= 0, got {margin_m}")
    x, y = road_map.point_x_m, road_map.point_y_m
    west, south = float(x.min()) - margin_m, float(y.min()) - margin_m
    east, north = float(x.max()) + margin_m, float(y.max()) + margin_m

    def at(step: float) -> Grid:
        column, row = math.floor(west / step), math.floor(south / step)
        return Grid(
            column * step,
            row * step,
            step,
            max(1, math.ceil(north / step) - row) + 1,
            max(1, math.ceil(east / step) - column) + 1,
        )

    if step_m is not None:
        return at(step_m)
    for step, most in FINE_STEPS:
        fine = at(step)
        if fine.n_rows * fine.n_columns <= most:
            return fine
    step = FINE_STEPS[-1][0]
    while (grid := at(step)).n_rows * grid.n_columns > MAX_POINTS:
        step += 10.0
    return grid


def strips(road_map: RoadMap, structure: Structure, spacing_m: float) -> Strips:
    """Return the roads of one structure as points at most `spacing_m` apart."""
    fine = subdivide(road_map, spacing_m)
    twin = twin_edges(road_map)
    lanes = road_map.edge_lanes + np.where(twin >= 0, road_map.edge_lanes[twin], 0)
    # Of the two directions of a street the first is drawn.
    wanted = (road_map.edge_structure == structure) & (
        (twin < 0) | (twin > np.arange(road_map.n_edges))
    )
    edge = np.repeat(np.arange(fine.n_edges), np.diff(fine.first_point))
    here = wanted[edge]
    return Strips(
        np.column_stack([fine.point_x_m[here], fine.point_y_m[here]]),
        fine.point_z_m[here],
        0.5 * road_map.lane_width_m * lanes[edge[here]],
    )


def with_water(terrain: Terrain, outlines: Sequence[FloatArray]) -> Terrain:
    """Return the terrain with the points inside some outlines on water.

    Parameters
    ----------
    terrain
        Ground.
    outlines
        Closed rings of positions [m], each (n_corners, 2); what lies inside two is still water.
    """
    if not outlines:
        return terrain
    import shapely  # type: ignore[import-untyped]

    water = terrain.water.copy()
    n_rows, n_columns = water.shape
    west, south, step = terrain.west_m, terrain.south_m, terrain.step_m
    for outline in outlines:
        shape = shapely.Polygon(outline)
        left, bottom, right, top = shape.bounds
        first_column = max(0, math.ceil((left - west) / step))
        last_column = min(n_columns, math.floor((right - west) / step) + 1)
        first_row = max(0, math.ceil((bottom - south) / step))
        last_row = min(n_rows, math.floor((top - south) / step) + 1)
        if first_column >= last_column or first_row >= last_row:
            continue
        x, y = np.meshgrid(
            west + step * np.arange(first_column, last_column),
            south + step * np.arange(first_row, last_row),
        )
        inside = shapely.contains_xy(shape, x, y)
        water[first_row:last_row, first_column:last_column] |= inside
    return replace(terrain, water=water)


def _blocks(grid: Grid) -> list[tuple[int, int]]:
    rows = max(1, _BLOCK_POINTS // grid.n_columns)
    return [(first, min(first + rows, grid.n_rows)) for first in range(0, grid.n_rows, rows)]


def _sampled(grid: Grid, height_at: HeightAt) -> FloatArray:
    """Return the natural ground at the points of a grid; the unknown takes the nearest known."""
    height_m = np.empty((grid.n_rows, grid.n_columns))
    for first, last in _blocks(grid):
        height_m[first:last] = height_at(*grid.rows(first, last))
    unknown = np.isnan(height_m)
    if unknown.any():
        from scipy.ndimage import distance_transform_edt

        _, nearest = distance_transform_edt(unknown, return_indices=True)
        height_m = height_m[nearest[0], nearest[1]]
    return height_m


def _nearest_road(grid: Grid, roads: Strips) -> tuple[FloatArray, FloatArray]:
    """Return how much each point of a grid belongs to a road, 0 to 1, and that road's height."""
    share = np.zeros((grid.n_rows, grid.n_columns))
    road_m = np.zeros(share.shape)
    if not len(roads.z_m):
        return share, road_m
    from scipy.spatial import cKDTree

    tree = cKDTree(roads.xy_m)
    reach_m = float(roads.half_width_m.max()) + (1.0 + math.sqrt(2.0)) * grid.step_m
    for first, last in _blocks(grid):
        x, y = grid.rows(first, last)
        found = tree.query(np.column_stack([x.ravel(), y.ravel()]), distance_upper_bound=reach_m)
        distance_m, index = (np.asarray(column) for column in found)
        near = np.flatnonzero(np.isfinite(distance_m))
        road = index[near]
        flat_m = roads.half_width_m[road] + math.sqrt(2.0) * grid.step_m
        share[first:last].reshape(-1)[near] = np.clip(
            1.0 - (distance_m[near] - flat_m) / grid.step_m, 0.0, 1.0
        )
        road_m[first:last].reshape(-1)[near] = roads.z_m[road]
    return share, road_m


def _uncover(height_m: FloatArray, grid: Grid, roads: Strips) -> None:
    """Lower the corners of the cells in which a road is buried by as much as it is."""
    row = (roads.xy_m[:, 1] - grid.south_m) / grid.step_m
    column = (roads.xy_m[:, 0] - grid.west_m) / grid.step_m
    buried_m = bilinear(height_m, row, column) - roads.z_m
    deep = np.flatnonzero(buried_m > QUANTUM_M)
    before_m = height_m.copy()
    bottom, left = row[deep].astype(np.intp), column[deep].astype(np.intp)
    for up in (0, 1):
        for right in (0, 1):
            corner = (
                np.minimum(bottom + up, grid.n_rows - 1),
                np.minimum(left + right, grid.n_columns - 1),
            )
            np.minimum.at(height_m, corner, before_m[corner] - buried_m[deep])
