"""Places of a road map on the Earth, as messages tell them."""

from __future__ import annotations

from v2x.errors import V2XError
from v2x.messages.coding.wire import Code, Quantity
from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.tangent import TangentPlane
from v2x.world.projection import to_degrees
from v2x.world.road_map import LOCAL_CRS, FloatArray, RoadMap


class EarthPlaces:
    """Turns local metres into latitude, longitude and height.

    Parameters
    ----------
    road_map
        The map.
    anchor
        Place of the origin of maps that have none on the Earth; its elevation is added to
        their heights.

    Raises
    ------
    V2XError
        If the map has no place on the Earth and none is given.
    """

    def __init__(self, road_map: RoadMap, anchor: Position3D | None = None) -> None:
        self._map = road_map
        self._raised_m = 0.0
        if road_map.crs != LOCAL_CRS:
            return
        if anchor is None:
            raise V2XError(
                f"map {road_map.name!r} has no place on the Earth", remedy="give an anchor"
            )
        self._plane = TangentPlane(
            latitude_deg=known(anchor.latitude_deg), longitude_deg=known(anchor.longitude_deg)
        )
        if anchor.elevation_m is not None:
            self._raised_m = known(anchor.elevation_m)

    def at(self, x_m: FloatArray, y_m: FloatArray, z_m: FloatArray) -> list[Position3D]:
        """Return places; (n,) [m] each."""
        if self._map.crs == LOCAL_CRS:
            latitude, longitude = self._plane.to_degrees(x_m, y_m)
        else:
            latitude, longitude = to_degrees(self._map, x_m, y_m)
        return [
            Position3D(latitude_deg=lat, longitude_deg=lon, elevation_m=z + self._raised_m)
            for lat, lon, z in zip(latitude.tolist(), longitude.tolist(), z_m.tolist(), strict=True)
        ]


def known(value: Quantity) -> float:
    """Return a coordinate of an anchor.

    Raises
    ------
    ValueError
        If it is not known.
    """
    if isinstance(value, Code):
        raise ValueError("anchor must be a place that is known")
    return value
