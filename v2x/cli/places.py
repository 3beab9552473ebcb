"""Places on a map as words of the command line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from v2x.errors import V2XError

if TYPE_CHECKING:
    from v2x.world.road_map import RoadMap

#: No local map reaches as far from its origin [m].
_FARTHEST_M = 1e7


def local_place(road_map: RoadMap, text: str, *, option: str) -> tuple[float, float]:
    """Return the local position that an option names.

    Parameters
    ----------
    road_map
        Map that the place is on.
    text
        "LAT,LON" [degree, WGS-84]; on maps that lie nowhere on the Earth "X,Y" [m].
    option
        Name of the option, for messages.

    Returns
    -------
    x_m, y_m : float
        Local position [m].

    Raises
    ------
    V2XError
        If the text is not two numbers, or the numbers are no latitude and longitude.
    """
    from v2x.world.projection import to_local
    from v2x.world.road_map import LOCAL_CRS

    if road_map.crs == LOCAL_CRS:
        remedy = f"map {road_map.name!r} is local: write X,Y in metres"
        x_m, y_m = _two_numbers(text, option, remedy)
        if max(abs(x_m), abs(y_m)) > _FARTHEST_M:
            raise V2XError(f"{text!r} is no place on the map", file=option, remedy=remedy)
        return x_m, y_m
    remedy = "write latitude,longitude in degrees, such as 29.588,106.601"
    latitude, longitude = _two_numbers(text, option, remedy)
    if not (abs(latitude) <= 90.0 and abs(longitude) <= 180.0):
        raise V2XError(f"{text!r} is no latitude and longitude", file=option, remedy=remedy)
    x_m, y_m = (float(v) for v in to_local(road_map, latitude, longitude))
    if not (math.isfinite(x_m) and math.isfinite(y_m)):
        raise V2XError(
            f"{text!r} has no place in the coordinates of map {road_map.name!r} ({road_map.crs})",
            file=option,
            remedy="name a place on the map",
        )
    return x_m, y_m


def _two_numbers(text: str, option: str, remedy: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError:
        raise V2XError(f"{text!r} is not two numbers", file=option, remedy=remedy) from None
    if not (math.isfinite(first) and math.isfinite(second)):
        raise V2XError(f"{text!r} is not two numbers", file=option, remedy=remedy)
    return first, second
