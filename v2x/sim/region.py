"""Which road users count: those far enough from the open ends of the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.world.road_map import RoadMap


class CountedRegion:
    """The part of a map in which nodes count as senders and receivers.

    Near an open end of a road half of the interferers are missing, which flatters every
    figure. The region is the map's bounding box less a margin, along each axis on which the map
    is longer than four margins and so has an inside; wrap-around maps have no ends in x.

    Parameters
    ----------
    road_map
        The map.
    margin_m
        Width of the margin that was asked for [m].

    Attributes
    ----------
    margin_m
        Width of the margin in force [m]: 0 if the map has an inside along neither axis.
    """

    def __init__(self, road_map: RoadMap, margin_m: float) -> None:
        bounds = []
        for coordinate, wrapped in (
            (road_map.point_x_m, road_map.wrap_length_m > 0),
            (road_map.point_y_m, False),
        ):
            low, high = float(coordinate.min(initial=0.0)), float(coordinate.max(initial=0.0))
            if wrapped or margin_m == 0 or high - low <= 4 * margin_m:
                bounds.append((-np.inf, np.inf))
            else:
                bounds.append((low + margin_m, high - margin_m))
        self._bounds = bounds
        self.margin_m = margin_m if np.isfinite(bounds).any() else 0.0

    def counted(self, fleet: FleetState) -> NDArray[np.bool_]:
        """Return which rows of `fleet` count, shape (n_rows,)."""
        (low_x, high_x), (low_y, high_y) = self._bounds
        return (
            fleet.active
            & (fleet.x_m >= low_x)
            & (fleet.x_m <= high_x)
            & (fleet.y_m >= low_y)
            & (fleet.y_m <= high_y)
        )
