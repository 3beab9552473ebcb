"""Where base stations stand."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from v2x.cellular.params import UuParams
from v2x.errors import V2XError
from v2x.world.projection import to_local
from v2x.world.road_map import LOCAL_CRS, RoadMap
from v2x.world.roadside_params import RoadsideParams
from v2x.world.rsu_sites import sites as roadside_sites

FloatArray = NDArray[np.float64]

_COLUMNS = ("lat", "lon", "x_m", "y_m", "height_m", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseStations:
    """Base stations, one row each.

    Attributes
    ----------
    x_m, y_m : (n,) float64
        Position [m], local.
    ground_m : (n,) float64
        Height of the ground there, of the nearest road where no terrain is known [m].
    height_m : (n,) float64
        Antenna above it [m].
    """

    x_m: FloatArray
    y_m: FloatArray
    ground_m: FloatArray
    height_m: FloatArray

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in self.__slots__:
            getattr(self, name).flags.writeable = False

    @property
    def n(self) -> int:
        """Number of base stations."""
        return len(self.x_m)


def base_stations(road_map: RoadMap, params: UuParams) -> BaseStations:
    """Return the base stations of a scenario.

    Raises
    ------
    V2XError
        If there is none, or the file of sites is wrong.
    """
    if params.placement == "file":
        assert params.file is not None
        return _standing(road_map, *_read(params.file, road_map, params.height_m))
    if params.placement == "positions":
        place = np.array(params.positions, dtype=np.float64)
        return _standing(road_map, place[:, 0], place[:, 1], np.full(len(place), params.height_m))
    return _spaced(road_map, params)


def _spaced(road_map: RoadMap, params: UuParams) -> BaseStations:
    beside = roadside_sites(
        road_map, RoadsideParams(placement="spacing", spacing_m=params.spacing_m)
    )
    open_air = beside.take(np.flatnonzero(beside.tunnel < 0))
    if open_air.n_sites == 0:
        raise V2XError(
            f"map {road_map.name!r} has no road outside tunnels for a base station every "
            f"{params.spacing_m:g} m",
            key="cellular.spacing_m",
            remedy="shorten it, or give cellular.positions",
        )
    right_x, right_y = np.sin(open_air.heading_rad), -np.cos(open_air.heading_rad)
    return _standing(
        road_map,
        open_air.x_m + params.setback_m * right_x,
        open_air.y_m + params.setback_m * right_y,
        np.full(open_air.n_sites, params.height_m),
    )


def _standing(
    road_map: RoadMap, x_m: FloatArray, y_m: FloatArray, height_m: FloatArray
) -> BaseStations:
    """Return base stations on the ground, or on the level of the nearest road."""
    if road_map.terrain is not None:
        ground = road_map.terrain.at(x_m, y_m)
    else:
        from scipy.spatial import cKDTree

        tree = cKDTree(np.stack([road_map.point_x_m, road_map.point_y_m], axis=1))
        _, nearest = tree.query(np.stack([x_m, y_m], axis=1))
        ground = road_map.point_z_m[nearest]
    return BaseStations(
        x_m=np.array(x_m),
        y_m=np.array(y_m),
        ground_m=np.array(ground, dtype=np.float64),
        height_m=np.array(height_m),
    )


def _read(
    file: str, road_map: RoadMap, default_height_m: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return positions and heights of the base stations in a CSV file."""
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise V2XError(f"cannot be read: {error}", file=file) from error
    rows = csv.DictReader(text.splitlines())
    columns = [name.strip() for name in rows.fieldnames or []]
    rows.fieldnames = columns
    geographic = {"lat", "lon"} <= set(columns)
    if not geographic and not {"x_m", "y_m"} <= set(columns):
        raise V2XError(
            f"has columns {', '.join(columns) or 'none'}",
            file=file,
            remedy="give x_m and y_m, or lat and lon",
        )
    unknown = sorted(set(columns) - set(_COLUMNS))
    if unknown:
        known = ", ".join(_COLUMNS)
        raise V2XError("unknown column", file=file, key=unknown[0], remedy=f"known: {known}")
    first, second = ("lon", "lat") if geographic else ("x_m", "y_m")
    found = [
        (
            _number(row, first, None, f"{file}:{line}"),
            _number(row, second, None, f"{file}:{line}"),
            _number(row, "height_m", default_height_m, f"{file}:{line}"),
        )
        for line, row in enumerate(rows, start=2)
    ]
    if not found:
        raise V2XError("holds no base station", file=file, remedy="add one")
    east, north, height = np.array(found, dtype=np.float64).T
    if not ((height >= 3.0) & (height <= 150.0)).all():
        raise V2XError("must be within 3 and 150", file=file, key="height_m")
    if geographic:
        east, north = _local(road_map, east, north, file)
    return east, north, height


def _number(row: dict[str, str], name: str, default: float | None, place: str) -> float:
    text = (row.get(name) or "").strip()
    if not text and default is not None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise V2XError(f"must be a number, got {text!r}", file=place, key=name)
    return value


def _local(
    road_map: RoadMap, longitude: FloatArray, latitude: FloatArray, file: str
) -> tuple[FloatArray, FloatArray]:
    if road_map.crs == LOCAL_CRS:
        raise V2XError(
            f"map {road_map.name!r} has no place on the Earth",
            file=file,
            key="lat",
            remedy="give x_m and y_m",
        )
    return to_local(road_map, latitude, longitude)
