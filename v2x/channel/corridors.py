"""Street canyons: which streets a position lies in, for maps whose blocks are built up."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.world.road_map import IntArray, RoadMap


class Corridors:
    """East-west and north-south streets of a grid, and who stands in them.

    TR 37.885 6.2.1 leaves NLOS to the geometry of buildings: vehicles on different streets of
    the grid do not see each other, those at a crossing see along both of its streets.

    Parameters
    ----------
    road_map
        A map with corridors.
    sidewalk_m
        Open width beside the outer lanes [m] (TR 36.885 A.1.2: 3 m).
    """

    def __init__(self, road_map: RoadMap, sidewalk_m: float = 3.0) -> None:
        if road_map.corridor_x is None or road_map.corridor_y is None:
            raise ValueError(f"map {road_map.name!r} has no street corridors")
        middle = 0.5 * (road_map.edge_from_xy + road_map.edge_to_xy)
        half_width = float(road_map.edge_lanes.max(initial=1)) * road_map.lane_width_m + sidewalk_m
        self._y_of = _street_coordinate(road_map.corridor_x, middle[:, 1])
        self._x_of = _street_coordinate(road_map.corridor_y, middle[:, 0])
        self._half_width_m = half_width

    def of(self, fleet: FleetState) -> tuple[IntArray, IntArray]:
        """Return the east-west and the north-south street of every row, -1 for none."""
        return (
            _nearest_street(self._y_of, fleet.y_m, self._half_width_m),
            _nearest_street(self._x_of, fleet.x_m, self._half_width_m),
        )


def _street_coordinate(corridor: IntArray, coordinate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean coordinate of each street's edges, by street index."""
    inside = corridor >= 0
    counts = np.bincount(corridor[inside])
    return np.asarray(
        np.bincount(corridor[inside], weights=coordinate[inside]) / np.maximum(counts, 1)
    )


def _nearest_street(
    streets: NDArray[np.float64], coordinate: NDArray[np.float64], half_width_m: float
) -> IntArray:
    if len(streets) == 0:
        return np.full(len(coordinate), -1, dtype=np.int32)
    away = np.abs(coordinate[:, None] - streets[None, :])
    street: IntArray = away.argmin(axis=1).astype(np.int32)
    street[away.min(axis=1) > half_width_m] = -1
    return street
