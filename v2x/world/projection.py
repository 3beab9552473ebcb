"""Between the local metres of a map and places on the Earth (WGS-84)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from v2x.errors import V2XError
from v2x.world.road_map import LOCAL_CRS, FloatArray, RoadMap

WGS84 = "EPSG:4326"


def to_degrees(road_map: RoadMap, x_m: ArrayLike, y_m: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return latitudes and longitudes of local positions [degree], in their common shape.

    Raises
    ------
    V2XError
        If the map has no place on the Earth.
    """
    _require_place(road_map)
    x, y = _together(x_m, y_m)
    longitude, latitude = _transformer(road_map.crs, WGS84).transform(
        x + road_map.origin_x_m, y + road_map.origin_y_m
    )
    return np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64)


def to_local(
    road_map: RoadMap, latitude_deg: ArrayLike, longitude_deg: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return local positions x, y [m] of latitudes and longitudes, in their common shape.

    Places outside the reference system of the map become infinite.

    Raises
    ------
    V2XError
        If the map has no place on the Earth.
    """
    _require_place(road_map)
    latitude, longitude = _together(latitude_deg, longitude_deg)
    x, y = _transformer(WGS84, road_map.crs).transform(longitude, latitude)
    return np.asarray(x) - road_map.origin_x_m, np.asarray(y) - road_map.origin_y_m


def _together(first: ArrayLike, second: ArrayLike) -> tuple[FloatArray, FloatArray]:
    one, other = np.broadcast_arrays(
        np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    )
    return one, other


@cache
def _transformer(source: str, target: str) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


def _require_place(road_map: RoadMap) -> None:
    if road_map.crs == LOCAL_CRS:
        raise V2XError(
            f"map {road_map.name!r} has no place on the Earth, only local metres",
            remedy="give positions as x_m and y_m",
        )
