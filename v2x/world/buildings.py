"""Buildings beside the roads: prisms that radio does not pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.world.road_map import FloatArray, IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildings:
    """Outlines of buildings in the local metres of a map.

    Attributes
    ----------
    first_corner : (n_buildings + 1,) int32
        Where each outline begins in the corner arrays; it closes from its last corner to its
        first, which is not repeated.
    corner_x_m, corner_y_m : (n_corners,) float64
        Corners [m].
    base_m, top_m : (n_buildings,) float64
        Height of the ground at the building and of its roof, in the heights of the map [m].
    """

    first_corner: IntArray
    corner_x_m: FloatArray
    corner_y_m: FloatArray
    base_m: FloatArray
    top_m: FloatArray

    def __post_init__(self) -> None:
        """Reject outlines that do not fit their heights; make the arrays read-only."""
        n = len(self.base_m)
        if len(self.first_corner) != n + 1 or len(self.top_m) != n:
            raise ValueError("outlines and heights of buildings have different lengths")
        if self.first_corner[-1] != len(self.corner_x_m):
            raise ValueError("first_corner does not end at the last corner")
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def n_buildings(self) -> int:
        """Number of buildings."""
        return len(self.base_m)
