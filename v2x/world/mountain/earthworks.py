"""The ground of a drawn map: a natural surface with the slopes of cuttings and embankments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from v2x.world.elevation import bilinear
from v2x.world.ground import Grid, Strips, grid_around, strips, terrain_from
from v2x.world.road_map import FloatArray, RoadMap, Structure

#: Natural height [m] at positions x and y [m], any common shape.
Surface = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earthworks:
    """How roads are laid into the ground.

    Parameters
    ----------
    step_m
        Distance between points of the raster [m].
    margin_m
        How far the raster reaches beyond the roads [m].
    cut_slope, fill_slope
        Rise over run of cuttings (1 is usual in rock) and of embankments (1 : 1.5).
    reach_m
        How far from its road a slope may go before it meets the natural ground [m].
    headroom_m
        Least height of a deck over ground without a road [m].
    """

    step_m: float = 10.0
    margin_m: float = 300.0
    cut_slope: float = 1.0
    fill_slope: float = 0.67
    reach_m: float = 120.0
    headroom_m: float = 3.0

    def __post_init__(self) -> None:
        """Reject what is not positive."""
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


def with_ground(
    road_map: RoadMap,
    natural: Surface,
    works: Earthworks | None = None,
    *,
    water_m: float = -np.inf,
) -> RoadMap:
    """Return the map with its terrain.

    Parameters
    ----------
    road_map
        Roads.
    natural
        Ground before anything was built.
    works
        How roads are laid into it.
    water_m
        Where the natural ground is lower there is water, its surface at this height [m].
    """
    works = works or Earthworks()
    grid = grid_around(road_map, works.step_m, works.margin_m)
    x, y = grid.rows(0, grid.n_rows)
    untouched = np.asarray(natural(x, y), dtype=np.float64)
    water = untouched < water_m
    height_m = np.maximum(untouched, water_m)
    decks = strips(road_map, Structure.BRIDGE, works.step_m)
    deep = replace(decks, z_m=decks.z_m - works.headroom_m)
    height_m = np.minimum(height_m, _slopes(grid, deep, works)[1])
    # A bank under a deck is dug away, but not below the water beside it.
    height_m = np.maximum(height_m, water_m)
    lower, upper = _slopes(grid, strips(road_map, Structure.GROUND, 0.5 * works.step_m), works)
    # Where a cutting undercuts an embankment a wall must hold; the cutting goes first.
    height_m = np.minimum(np.maximum(height_m, lower), upper)

    def place(x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (y_m - grid.south_m) / grid.step_m, (x_m - grid.west_m) / grid.step_m

    terrain = terrain_from(
        road_map,
        lambda x_m, y_m: bilinear(height_m, *place(x_m, y_m)),
        lambda x_m, y_m: bilinear(water.astype(np.float64), *place(x_m, y_m)) > 0.5,
        step_m=works.step_m,
        margin_m=works.margin_m,
    )
    # What a road has raised out of the water is dry.
    return replace(
        road_map,
        terrain=replace(terrain, water=terrain.water & (terrain.height_m <= water_m + 0.5)),
    )


def _slopes(grid: Grid, roads: Strips, works: Earthworks) -> tuple[FloatArray, FloatArray]:
    """Return the lowest and the highest ground that the slopes beside roads leave [m]."""
    shape = (grid.n_rows, grid.n_columns)
    upper, lower = np.full(shape, np.inf), np.full(shape, -np.inf)
    cells = int(np.ceil(works.reach_m / grid.step_m))
    # Level beside the lanes as far as the raster needs it to show the road.
    level_m = roads.half_width_m + 1.42 * grid.step_m
    for (x, y), z, flat_m in zip(
        roads.xy_m.tolist(), roads.z_m.tolist(), level_m.tolist(), strict=True
    ):
        column, row = (
            round((x - grid.west_m) / grid.step_m),
            round((y - grid.south_m) / grid.step_m),
        )
        rows = slice(max(row - cells, 0), min(row + cells + 1, grid.n_rows))
        columns = slice(max(column - cells, 0), min(column + cells + 1, grid.n_columns))
        dx = grid.west_m + grid.step_m * np.arange(columns.start, columns.stop) - x
        dy = grid.south_m + grid.step_m * np.arange(rows.start, rows.stop) - y
        away_m = np.hypot(dx[np.newaxis, :], dy[:, np.newaxis])
        near = away_m <= works.reach_m
        away_m = np.maximum(away_m - flat_m, 0.0)
        highest = np.where(near, z + works.cut_slope * away_m, np.inf)
        np.minimum(upper[rows, columns], highest, out=upper[rows, columns])
        lowest = np.where(near, z - works.fill_slope * away_m, -np.inf)
        np.maximum(lower[rows, columns], lowest, out=lower[rows, columns])
    return lower, upper
