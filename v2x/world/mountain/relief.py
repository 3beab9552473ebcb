"""Shapes that natural surfaces along a road are put together from."""

from __future__ import annotations

import numpy as np

from v2x.world.mountain.alignment import Axis
from v2x.world.road_map import FloatArray

#: Ridges strike so much to the east on their way north; N 11 degrees E.
STRIKE = 0.2


class Corridor:
    """Places around a road that leads eastward, seen from the road.

    Parameters
    ----------
    line
        Axis; x grows all along it.
    """

    def __init__(self, line: Axis) -> None:
        self._x, self._y, self._z, self._station = line.x_m, line.y_m, line.z_m, line.station_m

    def seen(self, x_m: FloatArray, y_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return where along the road a ridge through a place crosses it, and how far left it is.

        Parameters
        ----------
        x_m, y_m : any common shape
            Places [m].

        Returns
        -------
        (station_m, left_m)
            Same shape [m]; beyond the ends of the road its ends.
        """
        left_m = y_m - np.interp(x_m, self._x, self._y)
        station_m: FloatArray = np.interp(x_m - STRIKE * left_m, self._x, self._station)
        return station_m, left_m

    def road_m(self, station_m: FloatArray) -> FloatArray:
        """Return the height of the road at stations [m]."""
        height: FloatArray = np.interp(station_m, self._station, self._z)
        return height


def bump(station_m: FloatArray, begin_m: float, end_m: float) -> FloatArray:
    """Return half a wave that is 0 outside a stretch and 1 in the middle of it."""
    share = np.clip((station_m - begin_m) / (end_m - begin_m), 0.0, 1.0)
    wave: FloatArray = np.sin(np.pi * share)
    return wave


def nearness_m(station_m: FloatArray, places_m: list[float]) -> FloatArray:
    """Return the distance to the nearest of some places along a road [m]."""
    away_m: FloatArray = np.abs(station_m[..., np.newaxis] - np.array(places_m)).min(axis=-1)
    return away_m
