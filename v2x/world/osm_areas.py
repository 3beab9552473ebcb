"""Buildings and water from closed OpenStreetMap ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.world.buildings import Buildings
from v2x.world.osm_tags import height_m
from v2x.world.projection import to_local
from v2x.world.road_map import FloatArray, RoadMap

if TYPE_CHECKING:
    from v2x.world.osm_xml import OsmExtract, OsmWay

#: Values of ``building`` under which radio passes, or where nothing stands.
_OPEN_BUILDINGS = frozenset({"no", "roof", "carport", "ruins", "construction", "proposed"})
_WATER_TAGS = frozenset({("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir")})
#: Outlines that enclose less than this are slips of the pen [m2].
_LEAST_AREA_M2 = 1.0
#: Heights above this are slips of the pen, too; the highest tower has 828 m [m].
MAX_HEIGHT_M = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingParams:
    """Heights of buildings that are not mapped with one.

    Parameters
    ----------
    level_m
        Height of a storey in ``building:levels`` [m] (OpenStreetMap wiki, "Simple 3D Buildings").
    default_m
        Height where neither height nor storeys are mapped [m]: three storeys. Low confidence;
        real towns have single storeys beside towers.
    """

    level_m: float = 3.0
    default_m: float = 9.0

    def __post_init__(self) -> None:
        """Reject heights that are not positive."""
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


def is_building(tags: Mapping[str, str]) -> bool:
    """Return whether an outline is that of a building with walls."""
    return "building" in tags and tags["building"] not in _OPEN_BUILDINGS


def is_water(tags: Mapping[str, str]) -> bool:
    """Return whether an outline is that of a water surface."""
    return any(tags.get(key) == value for key, value in _WATER_TAGS)


def building_height_m(tags: Mapping[str, str], params: BuildingParams) -> tuple[float, bool]:
    """Return the height of a building above its ground [m] and whether it is a default.

    Examples
    --------
    >>> building_height_m({"building": "yes", "building:levels": "5"}, BuildingParams())
    (15.0, False)
    """
    mapped = height_m(tags.get("height", ""))
    if mapped is not None and 0 < mapped <= MAX_HEIGHT_M:
        return mapped, False
    try:
        levels = float(tags.get("building:levels", ""))
    except ValueError:
        levels = 0.0
    if 0.0 < levels * params.level_m <= MAX_HEIGHT_M:
        return levels * params.level_m, False
    return params.default_m, True


def water_outlines(extract: OsmExtract, road_map: RoadMap) -> tuple[FloatArray, ...]:
    """Return the outlines of water in the local metres of a map, each (n_corners, 2)."""
    rings = _rings(extract, [way for way in extract.areas if is_water(way.tags)], road_map)
    return tuple(ring for _, ring in rings)


def buildings_of(
    extract: OsmExtract, road_map: RoadMap, params: BuildingParams | None = None
) -> tuple[Buildings | None, int, Counter[str]]:
    """Return the buildings of an extract on the ground of a map.

    A building stands on the lowest ground at its corners, as OpenStreetMap measures its height;
    on maps without terrain, on the height of the nearest road.

    Returns
    -------
    buildings
        None if there are none.
    n_defaults : int
        Buildings without a mapped height.
    dropped
        Reason to the number of outlines left out.
    """
    params = params or BuildingParams()
    outlines = [way for way in extract.areas if is_building(way.tags)]
    rings = _rings(extract, outlines, road_map)
    dropped = Counter({"buildings_with_missing_nodes": len(outlines) - len(rings)})
    solid = [(way, ring) for way, ring in rings if abs(_area_m2(ring)) >= _LEAST_AREA_M2]
    dropped["buildings_without_area"] = len(rings) - len(solid)
    if not solid:
        return None, 0, +dropped
    heights = [building_height_m(way.tags, params) for way, _ in solid]
    corners = np.concatenate([ring for _, ring in solid])
    first_corner = np.cumsum([0] + [len(ring) for _, ring in solid])
    base_m: FloatArray = np.minimum.reduceat(_ground_m(road_map, corners), first_corner[:-1])
    tall_m: FloatArray = np.array([height for height, _ in heights], dtype=np.float64)
    buildings = Buildings(
        first_corner=first_corner.astype(np.int32),
        corner_x_m=corners[:, 0].copy(),
        corner_y_m=corners[:, 1].copy(),
        base_m=base_m.round(2),
        top_m=(base_m + tall_m).round(2),
    )
    return buildings, sum(defaulted for _, defaulted in heights), +dropped


def _rings(
    extract: OsmExtract, ways: Sequence[OsmWay], road_map: RoadMap
) -> list[tuple[OsmWay, FloatArray]]:
    """Return ways with their corners in local metres, without those that lack a node."""
    row_of = {node: row for row, node in enumerate(extract.node_id.tolist())}
    whole = [way for way in ways if all(node in row_of for node in way.node_ids)]
    rings = []
    for way in whole:
        rows = [row_of[node] for node in way.node_ids[:-1]]
        ring = np.column_stack(
            to_local(road_map, extract.latitude_deg[rows], extract.longitude_deg[rows])
        )
        rings.append((way, np.round(ring, 2)))
    return rings


def _area_m2(ring: FloatArray) -> float:
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _ground_m(road_map: RoadMap, xy_m: FloatArray) -> NDArray[np.float64]:
    """Return the height of the ground at positions [m]."""
    if road_map.terrain is not None:
        return road_map.terrain.at(xy_m[:, 0], xy_m[:, 1])
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([road_map.point_x_m, road_map.point_y_m]))
    nearest = np.asarray(tree.query(xy_m)[1])
    return road_map.point_z_m[nearest]
