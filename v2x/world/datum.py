"""Whether coordinates are in the datum they were declared to be in: what water can tell.

Nothing in a coordinate says its datum, and the importer does not guess. But a source of heights
that knows its rivers knows them in WGS-84: if roads on the ground run through them, and would not
had the other datum been declared, the reader should hear of it. Water of the OpenStreetMap file
itself proves nothing, for it is shifted with the roads.
"""

from __future__ import annotations

from v2x.world.elevation import Elevation, KnowsWater
from v2x.world.gcj02 import gcj02_to_wgs84, in_china, wgs84_to_gcj02
from v2x.world.geometry import point_stretches
from v2x.world.projection import to_degrees
from v2x.world.road_map import FloatArray, RoadMap, Structure

#: Datums in which coordinates of a file may be.
DATUMS = ("wgs84", "gcj02")
#: Length of road on the ground that must lie in rivers before the datum is doubted [m].
DOUBT_FROM_M = 500.0
#: And it must be so many times as long as with the other datum.
DOUBT_RATIO = 2.0


def wet_roads_m(
    road_map: RoadMap, elevation: Elevation | None, datum: str
) -> tuple[float, float] | None:
    """Return the length of road on the ground that would lie in rivers with either datum.

    Parameters
    ----------
    road_map
        Map in a projected reference system.
    elevation
        Source of heights.
    datum
        What the input was declared to be; "gcj02" has been converted already.

    Returns
    -------
    (declared, other) : tuple of float, or None
        With the declared datum and with the other one [m]; None if the source knows no rivers or
        the map is not in China.
    """
    if not isinstance(elevation, KnowsWater):
        return None
    latitude, longitude = to_degrees(road_map, road_map.point_x_m, road_map.point_y_m)
    if not in_china(latitude, longitude).all():
        return None
    convert = gcj02_to_wgs84 if datum == "wgs84" else wgs84_to_gcj02
    length_m = _ground_lengths_m(road_map)
    declared = length_m[elevation.is_water(latitude, longitude)].sum()
    other = length_m[elevation.is_water(*convert(latitude, longitude))].sum()
    return float(declared), float(other)


def datum_notes(road_map: RoadMap, elevation: Elevation | None, datum: str) -> list[str]:
    """Return a sentence if the roads fit the rivers much better with the other datum."""
    wet = wet_roads_m(road_map, elevation, datum)
    if wet is None or wet[0] < DOUBT_FROM_M or wet[0] < DOUBT_RATIO * wet[1]:
        return []
    other = next(name for name in DATUMS if name != datum)
    return [
        f"{wet[0]:.0f} m of roads on the ground lie in rivers, and only {wet[1]:.0f} m would if "
        f"the file were in {other}: is {datum} its datum?"
    ]


def _ground_lengths_m(road_map: RoadMap) -> FloatArray:
    """Return the length that each polyline point stands for, 0 off the ground, (n_points,)."""
    edge, length_m = point_stretches(road_map)
    length_m[road_map.edge_structure[edge] != Structure.GROUND] = 0.0
    return length_m
