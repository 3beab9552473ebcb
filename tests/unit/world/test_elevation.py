from __future__ import annotations

import builtins
import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.chongqing_terrain import ChongqingSurface
from v2x.world.elevation import (
    SRTM_VOID,
    HgtElevation,
    PointElevation,
    RasterElevation,
    bilinear,
    fill_voids,
    load_elevation,
    read_hgt,
)

SIDE = 1201


def plane(row: Any, column: Any) -> Any:
    """Heights that are a plane over the cells of a tile, so that interpolation is exact."""
    return 1000 + row - 2 * column


def write_tile(path: Path, grid: np.ndarray | None = None) -> Path:
    if grid is None:
        grid = plane(*np.mgrid[0:SIDE, 0:SIDE])
    path.write_bytes(grid.astype(">i2").tobytes())
    return path


def test_bilinear_is_exact_for_planes_and_at_cells() -> None:
    grid = np.array([[0.0, 1.0, 4.0], [10.0, 11.0, 14.0]])
    row, column = np.array([0.0, 1.0, 0.5, 0.25]), np.array([2.0, 0.0, 0.5, 1.5])
    assert bilinear(grid, row, column).tolist() == [4.0, 10.0, 5.5, 5.0]
    assert bilinear(grid, np.array([-3.0, 9.0]), np.array([9.0, -1.0])).tolist() == [4.0, 10.0]


def test_voids_are_filled_from_the_rim_inward() -> None:
    grid = np.full((5, 5), np.nan)
    grid[0], grid[-1] = 1.0, 3.0
    filled, n_filled = fill_voids(grid)
    assert n_filled == 15
    assert filled[1].tolist() == [1.0] * 5
    assert filled[2].tolist() == [2.0] * 5
    assert filled[3].tolist() == [3.0] * 5
    unchanged, none = fill_voids(filled)
    np.testing.assert_array_equal(unchanged, filled)
    assert none == 0
    with pytest.raises(ValueError, match="voids alone"):
        fill_voids(np.full((2, 2), np.nan))


@pytest.mark.parametrize("form", ["hgt", "zip", "gz", "folder"])
def test_tiles_in_every_form(tmp_path: Path, form: str) -> None:
    path = write_tile(tmp_path / "N29E106.hgt")
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "N29E106.hgt.zip", "w") as archive:
            archive.write(path, "N29E106.hgt")
        path = tmp_path / "N29E106.hgt.zip"
    elif form == "gz":
        packed = tmp_path / "N29E106.hgt.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    elif form == "folder":
        path = tmp_path
    elevation = load_elevation(path)
    # North-west corner, south-east corner, and off the cells in the middle.
    latitude = np.array([30.0, 29.0, 29.56789])
    longitude = np.array([106.0, 107.0, 106.54321])
    expected = plane((30 - latitude) * 1200, (longitude - 106) * 1200)
    assert elevation.height_m(latitude, longitude) == pytest.approx(expected, abs=1e-6)
    assert elevation.height_m(29.5, [[106.1], [106.2]]).shape == (2, 1)
    assert "SRTM N29E106 at 3 arc seconds" in elevation.description
    assert "0 void cells of 1442401" in elevation.description


def test_one_second_tiles(tmp_path: Path) -> None:
    path = write_tile(tmp_path / "S01W079.hgt", np.full((3601, 3601), 7))
    elevation = HgtElevation([path])
    assert elevation.height_m(-0.5, -78.5) == pytest.approx(7.0)
    assert "at 1 arc seconds" in elevation.description


def test_neighbouring_tiles_join(tmp_path: Path) -> None:
    east = plane(*np.mgrid[0:SIDE, SIDE - 1 : 2 * SIDE - 1])
    elevation = HgtElevation(
        [write_tile(tmp_path / "N29E106.hgt"), write_tile(tmp_path / "N29E107.hgt", east)]
    )
    longitude = np.linspace(106.9, 107.1, 201)
    expected = plane(600.0, (longitude - 106) * 1200)
    assert elevation.height_m(29.5, longitude) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(V2XError, match=r"2 points .* outside .*N28E106, N29E108"):
        elevation.height_m([28.5, 29.5, 29.5], [106.5, 108.5, 106.5])
    assert elevation.covers([28.5, 29.5, 29.5], [106.5, 108.5, 106.5]).tolist() == [False] * 2 + [
        True
    ]


def test_voids_of_a_tile_are_filled_and_counted(tmp_path: Path) -> None:
    grid = plane(*np.mgrid[0:SIDE, 0:SIDE])
    grid[600:604, 500:503] = SRTM_VOID
    tile = read_hgt(write_tile(tmp_path / "N29E106.hgt", grid))
    assert tile.n_filled == 12
    assert HgtElevation([tmp_path / "N29E106.hgt"]).n_filled == 12
    hole = tile.height_m[598:606, 498:505]
    assert np.abs(hole - plane(*np.mgrid[598:606, 498:505])).max() < 5.0
    assert tile.height_m.min() > -2000
    path = write_tile(tmp_path / "N30E106.hgt", np.full((SIDE, SIDE), SRTM_VOID))
    with pytest.raises(V2XError, match="all cells are void"):
        read_hgt(path)


def test_bad_tiles_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match="south-west corner"):
        read_hgt(write_tile(tmp_path / "andorra.hgt"))
    short = tmp_path / "N29E106.hgt"
    short.write_bytes(b"\0" * 1000)
    with pytest.raises(V2XError, match="1000 bytes are not a tile"):
        read_hgt(short)
    with pytest.raises(V2XError, match="cannot be read"):
        read_hgt(tmp_path / "N01E001.hgt")
    broken = tmp_path / "N29E106.hgt.zip"
    broken.write_bytes(b"PK nothing")
    with pytest.raises(V2XError, match="damaged archive"):
        read_hgt(broken)
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("readme.txt", "no tile")
    with pytest.raises(V2XError, match=r"0 \.hgt files"):
        read_hgt(broken)
    with pytest.raises(V2XError, match="no elevation tile"):
        HgtElevation([])


def test_unknown_kinds_of_elevation(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match=r"no \.hgt file in the folder"):
        load_elevation(tmp_path)
    with pytest.raises(V2XError, match="not a kind of elevation file"):
        load_elevation("heights.csv")
    assert isinstance(load_elevation("chongqing"), ChongqingSurface)


def test_points_are_met_exactly_and_between_them_the_nearest_counts_most() -> None:
    latitude, longitude = [29.50, 29.50, 29.51, 29.51], [106.50, 106.51, 106.50, 106.51]
    elevation = PointElevation(latitude, longitude, [100.0, 200.0, 300.0, 400.0])
    assert elevation.height_m(latitude, longitude) == pytest.approx([100, 200, 300, 400])
    assert elevation.height_m(29.505, 106.505) == pytest.approx(250.0)
    assert 100 < elevation.height_m(29.501, 106.501) < 120
    assert PointElevation([29.5], [106.5], [7.0]).height_m([28.0, 30.0], 106.0).tolist() == [7, 7]
    with pytest.raises(V2XError, match="no point"):
        PointElevation([], [], [])


def write_raster(path: Path, crs: str | None, **profile: Any) -> Path:
    """Write a raster of 0.01 degree cells around 29.5 N, 106.5 E, a plane with a hole."""
    rasterio = pytest.importorskip("rasterio")
    grid = plane(*np.mgrid[0:10, 0:20]).astype("float32")
    grid[4, 7] = -9999.0
    with rasterio.open(
        path, "w", driver="GTiff", height=10, width=20, count=1, dtype="float32", crs=crs,
        nodata=-9999.0, transform=rasterio.Affine(0.01, 0.0, 106.4, 0.0, -0.01, 29.55),
    ) as out:  # fmt: skip
        out.write(grid, 1)
    return path


def test_raster_values_stand_for_the_middles_of_cells(tmp_path: Path) -> None:
    elevation = load_elevation(write_raster(tmp_path / "dem.tif", "EPSG:4326"))
    assert isinstance(elevation, RasterElevation)
    assert elevation.height_m(29.545, 106.405) == pytest.approx(plane(0, 0))
    assert elevation.height_m(29.535, 106.425) == pytest.approx(plane(1, 2))
    assert elevation.height_m(29.530, 106.430) == pytest.approx(plane(1.5, 2.5))
    # The hole takes the mean of its neighbours, which on a plane is the plane.
    assert elevation.height_m(29.505, 106.475) == pytest.approx(plane(4, 7))
    assert "1 cells without data of 200" in elevation.description
    with pytest.raises(V2XError, match="1 points of the map lie outside the raster"):
        elevation.height_m([29.5, 29.7], [106.5, 106.5])
    assert elevation.covers([29.5, 29.7, 29.5], [106.5, 106.5, 106.39]).tolist() == [
        True,
        False,
        False,
    ]
    assert elevation.n_filled == 1
    square = elevation.height_m([[29.545, 29.535]], [[106.405], [106.425]])
    assert square.shape == (2, 2)
    assert np.diag(square) == pytest.approx([plane(0, 0), plane(1, 2)])


def test_raster_in_another_reference_system(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    path = tmp_path / "utm.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=3, width=3, count=1, dtype="float32", crs="EPSG:32648",
        transform=rasterio.Affine(1000.0, 0.0, 650_000.0, 0.0, -1000.0, 3_270_000.0),
    ) as out:  # fmt: skip
        out.write(np.arange(9, dtype="float32").reshape(3, 3), 1)
    # The middle of the raster, from UTM back to degrees.
    from pyproj import Transformer

    to_degrees = Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(651_500, 3_268_500)
    assert RasterElevation(path).height_m(latitude, longitude) == pytest.approx(4.0, abs=1e-6)


def test_bad_rasters_are_one_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"no raster")
    with pytest.raises(V2XError, match="cannot be read as a raster"):
        RasterElevation(broken)
    with pytest.raises(V2XError, match="does not say where it lies"):
        RasterElevation(write_raster(tmp_path / "nowhere.tif", None))


def test_without_rasterio_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "rasterio":
            raise ImportError(name)
        return find(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(V2XError, match=r"v2x\[dem\]"):
        RasterElevation(tmp_path / "dem.tif")
