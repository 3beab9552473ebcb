"""The ground around the roads, as the radio and the pictures see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.elevation import FloatArray, bilinear


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """Heights of the ground on a regular grid in the local metres of a map.

    Roads on the ground lie on it: where they run in cuttings or on embankments, the grid is cut
    or filled, so that no road is buried in the coarse surface of its source.

    Attributes
    ----------
    west_m, south_m
        Position of the grid point ``height_m[0, 0]`` [m].
    step_m
        Distance between grid points, in x and in y [m].
    height_m : (n_rows, n_columns) float32
        Height of the ground [m]; rows run north, columns east; at least two of each.
    water : (n_rows, n_columns) bool
        Whether the point lies on water.
    """

    west_m: float
    south_m: float
    step_m: float
    height_m: NDArray[np.float32]
    water: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Reject grids without cells; make the arrays read-only."""
        if self.height_m.ndim != 2 or min(self.height_m.shape) < 2 or not self.step_m > 0:
            raise ValueError("a terrain needs at least 2 x 2 points and a positive step")
        if self.water.shape != self.height_m.shape:
            raise ValueError("water and height_m have different shapes")
        self.height_m.flags.writeable = False
        self.water.flags.writeable = False

    def at(self, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        """Return the height of the ground [m] at local positions, any common shape.

        Between the points it is bilinear; outside the grid its rim holds.
        """
        x, y = np.broadcast_arrays(np.asarray(x_m, float), np.asarray(y_m, float))
        row = (y.ravel() - self.south_m) / self.step_m
        column = (x.ravel() - self.west_m) / self.step_m
        return bilinear(self.height_m.astype(np.float64), row, column).reshape(x.shape)

    def covers(self, x_m: float, y_m: float) -> bool:
        """Return whether a local position lies on the grid, its rim included."""
        row, column = (y_m - self.south_m) / self.step_m, (x_m - self.west_m) / self.step_m
        n_rows, n_columns = self.height_m.shape
        return bool(0.0 <= row <= n_rows - 1 and 0.0 <= column <= n_columns - 1)

    def is_water(self, x_m: FloatArray, y_m: FloatArray) -> NDArray[np.bool_]:
        """Return whether the nearest grid point lies on water; outside the grid nothing does."""
        x, y = np.broadcast_arrays(np.asarray(x_m, float), np.asarray(y_m, float))
        row = np.rint((y - self.south_m) / self.step_m).astype(np.intp)
        column = np.rint((x - self.west_m) / self.step_m).astype(np.intp)
        n_rows, n_columns = self.water.shape
        inside = (row >= 0) & (row < n_rows) & (column >= 0) & (column < n_columns)
        wet = self.water[np.clip(row, 0, n_rows - 1), np.clip(column, 0, n_columns - 1)]
        return np.asarray(inside & wet, dtype=np.bool_)
