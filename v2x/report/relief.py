"""The ground of a map: hill-shade, water and buildings, pale enough to draw on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import FloatArray
from v2x.report import style
from v2x.report.frame import Window
from v2x.world.buildings import Buildings
from v2x.world.terrain import Terrain

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

#: Where the sun of a map stands: readers see hills as hills only under light from above left.
SUN_AZIMUTH_DEG, SUN_ELEVATION_DEG = 315.0, 45.0
#: Lightness of level ground, and how much a full change of illumination changes it.
_LEVEL, _CONTRAST, _DARKEST = 0.88, 0.42, 0.58
_GROUND_RGB, _WATER_RGB = np.array([1.0, 0.985, 0.95]), np.array([0.70, 0.84, 0.93])
#: Heights are exaggerated until the steep slopes of a map reach this one, but not more than so.
_SHOWN_SLOPE, _MAX_EXAGGERATION = 0.6, 4.0
_STEEP_QUANTILE = 0.95
_MAX_PIXELS = 1600
_BUILDING_FACE, _BUILDING_EDGE = "#CFC8BE", "#8C857B"


def hill_shade(height_m: FloatArray, step_m: float, exaggeration: float = 1.0) -> FloatArray:
    """Return how much light falls on a surface.

    Parameters
    ----------
    height_m : (n_rows, n_columns) float64
        Heights [m]; rows run north, columns east.
    step_m
        Distance between grid points [m].
    exaggeration
        Factor on the heights.

    Returns
    -------
    (n_rows, n_columns) float64
        Cosine of the angle between the normal of the surface and the sun, 0 in its own shade.

    Examples
    --------
    >>> level = hill_shade(np.zeros((2, 2)), 10.0)
    >>> level.round(3)
    array([[0.707, 0.707],
           [0.707, 0.707]])
    """
    north, east = (exaggeration * slope for slope in np.gradient(height_m, step_m))
    azimuth, elevation = math.radians(SUN_AZIMUTH_DEG), math.radians(SUN_ELEVATION_DEG)
    sun_east = math.cos(elevation) * math.sin(azimuth)
    sun_north = math.cos(elevation) * math.cos(azimuth)
    light = math.sin(elevation) - sun_east * east - sun_north * north
    shade: FloatArray = np.maximum(light / np.sqrt(1.0 + east**2 + north**2), 0.0)
    return shade


def draw_relief(axes: Axes, terrain: Terrain, window: Window) -> None:
    """Draw the hill-shade of the part of a terrain that a window shows, and its water."""
    rows, columns = _shown(terrain, window)
    height_m = terrain.height_m[rows, columns].astype(np.float64)
    if min(height_m.shape) < 2:
        return
    step_m = terrain.step_m * rows.step
    west_m = terrain.west_m + terrain.step_m * columns.start
    south_m = terrain.south_m + terrain.step_m * rows.start
    axes.imshow(
        _colours(height_m, terrain.water[rows, columns], step_m),
        origin="lower",
        extent=(
            west_m - step_m / 2,
            west_m + step_m * (height_m.shape[1] - 0.5),
            south_m - step_m / 2,
            south_m + step_m * (height_m.shape[0] - 0.5),
        ),
        interpolation="bilinear",
        aspect="auto" if window.stretched else "equal",
        zorder=0.5,
    )


def shows_water(terrain: Terrain, window: Window) -> bool:
    """Return whether there is water in a window."""
    return bool(terrain.water[_shown(terrain, window)].any())


def _shown(terrain: Terrain, window: Window) -> tuple[slice, slice]:
    """Return the rows and columns of the grid that a window shows."""
    return (
        _cut(window.south_m, window.north_m, terrain.south_m, terrain, axis=0),
        _cut(window.west_m, window.east_m, terrain.west_m, terrain, axis=1),
    )


def _cut(low_m: float, high_m: float, origin_m: float, terrain: Terrain, *, axis: int) -> slice:
    """Return the grid points of one axis within limits and one beyond, thinned out if many."""
    n = terrain.height_m.shape[axis]
    first = min(max(math.floor((low_m - origin_m) / terrain.step_m), 0), n)
    last = min(max(math.ceil((high_m - origin_m) / terrain.step_m) + 1, first), n)
    # Both axes are thinned alike: by what the longer one of the whole terrain needs.
    return slice(first, last, max(1, math.ceil(max(terrain.height_m.shape) / _MAX_PIXELS)))


def _colours(height_m: FloatArray, water: NDArray[np.bool_], step_m: float) -> FloatArray:
    """Return red, green and blue of each grid point, (n_rows, n_columns, 3)."""
    slope = np.hypot(*np.gradient(height_m, step_m))
    steep = float(np.quantile(slope, _STEEP_QUANTILE))
    exaggeration = float(np.clip(_SHOWN_SLOPE / max(steep, 1e-9), 1.0, _MAX_EXAGGERATION))
    level = math.sin(math.radians(SUN_ELEVATION_DEG))
    light = _LEVEL + _CONTRAST * (hill_shade(height_m, step_m, exaggeration) - level)
    colours: FloatArray = np.clip(light, _DARKEST, 1.0)[..., np.newaxis] * _GROUND_RGB
    colours[water] = _WATER_RGB
    return colours


def draw_buildings(axes: Axes, buildings: Buildings) -> None:
    """Draw the outlines of buildings, filled."""
    from matplotlib.collections import PolyCollection

    corners = np.column_stack([buildings.corner_x_m, buildings.corner_y_m])
    axes.add_collection(
        PolyCollection(
            np.split(corners, buildings.first_corner[1:-1]),
            facecolors=_BUILDING_FACE,
            edgecolors=_BUILDING_EDGE,
            linewidths=0.4,
            zorder=1.5,
        ),
        autolim=False,
    )


def water_patch() -> Artist:
    """Return what a legend shows for water."""
    from matplotlib.patches import Patch

    red, green, blue = _WATER_RGB.tolist()
    return Patch(
        facecolor=(red, green, blue), edgecolor=style.MID_GREY, linewidth=0.4, label="water"
    )


def building_patch() -> Artist:
    """Return what a legend shows for buildings."""
    from matplotlib.patches import Patch

    return Patch(
        facecolor=_BUILDING_FACE, edgecolor=_BUILDING_EDGE, linewidth=0.4, label="building"
    )
