"""Height of the ground: rasters, scattered points, and the interface they share."""

from __future__ import annotations

import gzip
import math
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.errors import V2XError

FloatArray = NDArray[np.float64]
#: Value of a raster cell without data in SRTM files.
SRTM_VOID = -32768
#: Surfaces that need no file, by the name that stands for one.
SURFACES = ("chongqing",)


class Elevation(Protocol):
    """Height of the ground above sea level, wherever a map needs it."""

    @property
    def description(self) -> str:
        """Sentence for the report of a map: source, resolution, gaps filled."""

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
        """Return the height [m] at WGS-84 positions [degree], in their common shape.

        Raises
        ------
        V2XError
            If a position lies outside the source.
        """


@runtime_checkable
class Bounded(Protocol):
    """An :class:`Elevation` that ends somewhere and can say where."""

    def covers(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether the height is known at WGS-84 positions [degree]."""


@runtime_checkable
class KnowsWater(Protocol):
    """An :class:`Elevation` that knows where water stands."""

    def is_water(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether WGS-84 positions [degree] lie on water, in their common shape."""


@runtime_checkable
class FillsVoids(Protocol):
    """An :class:`Elevation` made of cells of which some had no data."""

    @property
    def n_filled(self) -> int:
        """Number of cells that got their height from their neighbours."""


def bilinear(grid: FloatArray, row: FloatArray, column: FloatArray) -> FloatArray:
    """Interpolate a grid between its cells.

    Parameters
    ----------
    grid : (n_rows, n_columns) float64
        Values at whole rows and columns.
    row, column : (n,) float64
        Where to interpolate; outside the grid its rim holds.

    Examples
    --------
    >>> bilinear(np.array([[0.0, 2.0], [4.0, 6.0]]), np.array([0.5]), np.array([0.25]))
    array([2.5])
    """
    row = np.clip(row, 0.0, grid.shape[0] - 1.0)
    column = np.clip(column, 0.0, grid.shape[1] - 1.0)
    top = np.minimum(row.astype(np.intp), grid.shape[0] - 2)
    left = np.minimum(column.astype(np.intp), grid.shape[1] - 2)
    down, right = row - top, column - left
    upper = grid[top, left] * (1.0 - right) + grid[top, left + 1] * right
    lower = grid[top + 1, left] * (1.0 - right) + grid[top + 1, left + 1] * right
    height: FloatArray = upper * (1.0 - down) + lower * down
    return height


def fill_voids(grid: FloatArray) -> tuple[FloatArray, int]:
    """Fill cells that are NaN from their neighbours, rim first.

    Each pass gives every void cell beside known ones the mean of its known neighbours (of
    eight), so values grow inward until none is left.

    Returns
    -------
    filled : (n_rows, n_columns) float64
        The grid without NaN.
    n_filled : int
        Number of cells that were void.
    """
    void = np.argwhere(np.isnan(grid))
    n_filled = len(void)
    if n_filled == grid.size:
        raise ValueError("a grid of voids alone cannot be filled")
    padded = np.pad(grid, 1, constant_values=np.nan)
    neighbours = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2) if (i, j) != (1, 1)]
    while len(void):
        around = np.stack([padded[void[:, 0] + i, void[:, 1] + j] for i, j in neighbours])
        known = ~np.isnan(around)
        rim = known.any(axis=0)
        mean = np.where(known, around, 0.0).sum(axis=0)[rim] / known.sum(axis=0)[rim]
        padded[void[rim, 0] + 1, void[rim, 1] + 1] = mean
        void = void[~rim]
    return padded[1:-1, 1:-1], n_filled


@dataclass(frozen=True, slots=True)
class HgtTile:
    """One SRTM tile of a degree by a degree.

    Attributes
    ----------
    south_deg, west_deg
        Corner that names the tile [degree].
    height_m : (n, n) float64
        Heights [m], north first; n is 1201 (3 arc seconds) or 3601 (1 arc second).
    n_filled
        Cells that were void.
    """

    south_deg: int
    west_deg: int
    height_m: FloatArray
    n_filled: int


class HgtElevation:
    """Heights from SRTM tiles (``N29E106.hgt``, also zipped or gzipped).

    Parameters
    ----------
    paths
        Tile files; their names say where they lie.
    """

    def __init__(self, paths: Iterable[Path | str]) -> None:
        tiles = [read_hgt(Path(path)) for path in paths]
        self._tiles = {(tile.south_deg, tile.west_deg): tile for tile in tiles}
        if not self._tiles:
            raise V2XError("no elevation tile given", remedy="name at least one .hgt file")

    @property
    def description(self) -> str:
        """Tiles, spacing, and voids filled."""
        names = ", ".join(_tile_name(*corner) for corner in sorted(self._tiles))
        cells = sum(tile.height_m.size for tile in self._tiles.values())
        seconds = sorted({3600 // (len(t.height_m) - 1) for t in self._tiles.values()})
        return (
            f"heights from SRTM {names} at {'/'.join(map(str, seconds))} arc seconds, bilinear; "
            f"{self.n_filled} void cells of {cells} ({100.0 * self.n_filled / cells:.2f} %) "
            "filled from their neighbours"
        )

    @property
    def n_filled(self) -> int:
        """Void cells of all tiles."""
        return sum(tile.n_filled for tile in self._tiles.values())

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
        """Return the height [m]; see :class:`Elevation`."""
        latitude, longitude = _positions(latitude_deg, longitude_deg)
        height = np.empty(latitude.shape)
        # A position on the border belongs to both tiles and is the same in both.
        todo = np.ones(latitude.shape, dtype=np.bool_)
        for (south, west), tile in sorted(self._tiles.items()):
            up, along = latitude - south, longitude - west
            here = todo & (up >= 0) & (up <= 1) & (along >= 0) & (along <= 1)
            last = len(tile.height_m) - 1
            height[here] = bilinear(tile.height_m, (1.0 - up[here]) * last, along[here] * last)
            todo &= ~here
        if todo.any():
            corners = zip(np.floor(latitude[todo]), np.floor(longitude[todo]), strict=True)
            wanted = sorted({_tile_name(int(south), int(west)) for south, west in corners})
            raise V2XError(
                f"{int(todo.sum())} points of the map lie outside the elevation tiles",
                file=", ".join(_tile_name(*corner) for corner in sorted(self._tiles)),
                remedy=f"add the tile(s) {', '.join(wanted)}",
            )
        return height

    def covers(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether a tile holds each position; see :class:`Bounded`."""
        latitude, longitude = _positions(latitude_deg, longitude_deg)
        inside = np.zeros(latitude.shape, dtype=np.bool_)
        for south, west in self._tiles:
            up, along = latitude - south, longitude - west
            inside |= (up >= 0) & (up <= 1) & (along >= 0) & (along <= 1)
        return inside


def _positions(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
    latitude, longitude = np.broadcast_arrays(
        np.asarray(latitude_deg, dtype=np.float64), np.asarray(longitude_deg, dtype=np.float64)
    )
    return latitude, longitude


def _tile_name(south: int, west: int) -> str:
    north_south, east_west = "S" if south < 0 else "N", "W" if west < 0 else "E"
    return f"{north_south}{abs(south):02d}{east_west}{abs(west):03d}"


def read_hgt(path: Path) -> HgtTile:
    """Read an SRTM tile; voids are filled from their neighbours.

    Raises
    ------
    V2XError
        If the file is missing, damaged, not named after its corner, or not of a known size.
    """
    if not path.exists():
        raise V2XError("cannot be read: no such file", file=str(path), remedy="check the path")
    match = re.match(r"([NS])(\d{2})([EW])(\d{3})", path.name, re.IGNORECASE)
    if not match:
        raise V2XError(
            "the name of an elevation tile must begin with its south-west corner",
            file=str(path),
            remedy="name it like N29E106.hgt",
        )
    data = _tile_bytes(path)
    side = math.isqrt(len(data) // 2)
    if len(data) != 2 * side * side or side not in (1201, 3601):
        raise V2XError(
            f"{len(data)} bytes are not a tile of 1201 x 1201 or 3601 x 3601 cells",
            file=str(path),
            remedy="download the tile again",
        )
    grid = np.frombuffer(data, dtype=">i2").reshape(side, side).astype(np.float64)
    grid[grid == SRTM_VOID] = np.nan
    if np.isnan(grid).all():
        raise V2XError("all cells are void", file=str(path), remedy="use another source")
    filled, n_filled = fill_voids(grid)
    south = int(match[2]) * (-1 if match[1].upper() == "S" else 1)
    west = int(match[4]) * (-1 if match[3].upper() == "W" else 1)
    return HgtTile(south, west, filled, n_filled)


def _tile_bytes(path: Path) -> bytes:
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                inside = [name for name in archive.namelist() if name.lower().endswith(".hgt")]
                if len(inside) != 1:
                    raise V2XError(
                        f"{len(inside)} .hgt files in the archive",
                        file=str(path),
                        remedy="give an archive with one tile",
                    )
                return archive.read(inside[0])
        if path.name.lower().endswith(".gz"):
            return gzip.decompress(path.read_bytes())
        return path.read_bytes()
    except (
        zipfile.BadZipFile,
        gzip.BadGzipFile,
        EOFError,
        zlib.error,
        RuntimeError,
    ) as error:  # RuntimeError: an encrypted archive, or packed in an unknown way
        raise V2XError(
            f"damaged archive ({error})", file=str(path), remedy="download the tile again"
        ) from error
    except OSError as error:
        raise V2XError(
            f"cannot be read: {error.strerror}", file=str(path), remedy="check the path"
        ) from error


class RasterElevation:
    """Heights from a GeoTIFF (or any raster that GDAL reads), first band.

    Cells without data are filled from their neighbours. Needs the extra ``v2x[dem]``.

    Parameters
    ----------
    path
        Raster with a coordinate reference system.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        try:
            import rasterio  # type: ignore[import-untyped]
        except ImportError as error:
            raise V2XError(
                "reading a raster needs the package rasterio, which is not installed",
                file=str(path),
                remedy="install it with  pip install 'v2x[dem]',  or give SRTM .hgt tiles",
            ) from error
        try:
            with rasterio.open(self._path) as source:
                band = source.read(1, masked=True).astype(np.float64)
                self._crs: Any = source.crs
                self._to_cell: tuple[float, ...] = tuple(~source.transform)
        except rasterio.errors.RasterioIOError as error:
            raise V2XError(
                f"cannot be read as a raster ({error})", file=str(path), remedy="check the file"
            ) from error
        if self._crs is None:
            raise V2XError(
                "the raster does not say where it lies",
                file=str(path),
                remedy="assign its coordinate reference system, for example with gdal_edit.py",
            )
        grid = np.where(np.ma.getmaskarray(band), np.nan, band.data)
        if min(grid.shape) < 2 or np.isnan(grid).all():
            raise V2XError(
                "the raster has no data or less than two rows or columns",
                file=str(path),
                remedy="use another raster",
            )
        self._grid, self.n_filled = fill_voids(grid)

    @property
    def description(self) -> str:
        """File, cells, and voids filled."""
        cells = self._grid.size
        return (
            f"heights from {self._path.name}, bilinear; {self.n_filled} cells without data of "
            f"{cells} ({100.0 * self.n_filled / cells:.2f} %) filled from neighbours"
        )

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
        """Return the height [m]; see :class:`Elevation`."""
        row, column = self._cells(latitude_deg, longitude_deg)
        outside = ~self._holds(row, column)
        if outside.any():
            raise V2XError(
                f"{int(outside.sum())} points of the map lie outside the raster",
                file=str(self._path),
                remedy="use a raster that covers the whole map",
            )
        # Values stand for the middles of cells.
        height_m = bilinear(self._grid, row.ravel() - 0.5, column.ravel() - 0.5)
        return height_m.reshape(row.shape)

    def covers(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether the raster holds each position; see :class:`Bounded`."""
        return self._holds(*self._cells(latitude_deg, longitude_deg))

    def _cells(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Return rows and columns of positions, fractional, from the corner of the raster."""
        from pyproj import Transformer

        latitude, longitude = _positions(latitude_deg, longitude_deg)
        transformer = Transformer.from_crs("EPSG:4326", self._crs.to_wkt(), always_xy=True)
        x, y = transformer.transform(longitude, latitude)
        a, b, c, d, e, f = self._to_cell[:6]
        return d * np.asarray(x) + e * np.asarray(y) + f, a * np.asarray(x) + b * np.asarray(y) + c

    def _holds(self, row: FloatArray, column: FloatArray) -> NDArray[np.bool_]:
        n_rows, n_columns = self._grid.shape
        inside = (row >= 0) & (row <= n_rows) & (column >= 0) & (column <= n_columns)
        return np.asarray(inside, dtype=np.bool_)


class PointElevation:
    """Heights between scattered points, such as nodes tagged with ``ele``.

    The height is the mean of the four nearest points weighted by the inverse square of their
    distance, and exact at each of them.

    Parameters
    ----------
    latitude_deg, longitude_deg : (n_points,) float
        WGS-84 positions [degree].
    height_m : (n_points,) float
        Heights [m].
    """

    def __init__(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, height_m: ArrayLike
    ) -> None:
        from scipy.spatial import cKDTree

        latitude, longitude = _positions(latitude_deg, longitude_deg)
        self._known = np.asarray(height_m, dtype=np.float64)
        if not len(self._known):
            raise V2XError("no point with a height", remedy="give an elevation file instead")
        self._east = math.cos(math.radians(float(np.mean(latitude))))
        self._tree = cKDTree(np.column_stack([longitude * self._east, latitude]))

    @property
    def description(self) -> str:
        """Number of points."""
        return f"heights interpolated between {len(self._known)} nodes with a tag ele"

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
        """Return the height [m]; see :class:`Elevation`."""
        latitude, longitude = _positions(latitude_deg, longitude_deg)
        where = np.column_stack([longitude.ravel() * self._east, latitude.ravel()])
        count = min(4, len(self._known))
        distance, index = self._tree.query(where, k=[*range(1, count + 1)])
        # 1e-7 degree, the resolution of OpenStreetMap, is one centimetre.
        weight = 1.0 / np.maximum(distance, 1e-9) ** 2
        height = (weight * self._known[index]).sum(axis=1) / weight.sum(axis=1)
        return np.asarray(height, dtype=np.float64).reshape(latitude.shape)


def load_elevation(source: Path | str) -> Elevation:
    """Return the elevation a file, a folder of tiles, or a built-in name stands for.

    Parameters
    ----------
    source
        ``.hgt``, ``.hgt.zip`` or ``.hgt.gz`` tile, a folder with such tiles, a GeoTIFF
        (``.tif``, ``.tiff``, ``.vrt``), or ``chongqing`` for the analytic surface.

    Raises
    ------
    V2XError
        If it is none of these.
    """
    if str(source) in SURFACES:
        from v2x.world.chongqing_terrain import ChongqingSurface

        return ChongqingSurface()
    path = Path(source)
    if path.is_dir():
        tiles = sorted(p for p in path.iterdir() if ".hgt" in p.name.lower())
        if not tiles:
            raise V2XError(
                "no .hgt file in the folder", file=str(path), remedy="name the folder of the tiles"
            )
        return HgtElevation(tiles)
    if path.name.lower().endswith((".hgt", ".hgt.zip", ".hgt.gz")):
        return HgtElevation([path])
    if path.suffix.lower() in (".tif", ".tiff", ".vrt"):
        return RasterElevation(path)
    raise V2XError(
        "not a kind of elevation file that is known",
        file=str(source),
        remedy="give .hgt, .hgt.zip, .tif, a folder of .hgt tiles, or the name 'chongqing'",
    )
