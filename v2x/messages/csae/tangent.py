"""Metres around a place: the plane that touches the Earth there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
#: Semi-major axis [m] and first eccentricity squared of WGS-84.
WGS84_AXIS_M = 6_378_137.0
WGS84_E2 = 6.694_379_990_14e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class TangentPlane:
    """East and north in metres of a place, good to 1 part in 1000 within 10 km of it.

    Parameters
    ----------
    latitude_deg, longitude_deg
        The place (WGS-84).
    """

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        """Reject places where east is not defined."""
        if not -89.0 <= self.latitude_deg <= 89.0:
            raise ValueError(f"latitude_deg must be within -89 and 89, got {self.latitude_deg}")
        if not -180.0 <= self.longitude_deg <= 180.0:
            raise ValueError(f"longitude_deg must be within ±180, got {self.longitude_deg}")

    @property
    def metres_per_degree(self) -> tuple[float, float]:
        """Length of a degree eastwards and northwards [m]."""
        latitude = math.radians(self.latitude_deg)
        squared = 1.0 - WGS84_E2 * math.sin(latitude) ** 2
        across = WGS84_AXIS_M / math.sqrt(squared)
        along = across * (1.0 - WGS84_E2) / squared
        return math.radians(across * math.cos(latitude)), math.radians(along)

    def to_metres(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Return east and north of the place [m], in the shape of the degrees."""
        east, north = self.metres_per_degree
        x = east * (np.asarray(longitude_deg, dtype=np.float64) - self.longitude_deg)
        y = north * (np.asarray(latitude_deg, dtype=np.float64) - self.latitude_deg)
        return np.asarray(x), np.asarray(y)

    def to_degrees(self, x_m: ArrayLike, y_m: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return latitudes and longitudes [degree], in the shape of the metres.

        Examples
        --------
        >>> plane = TangentPlane(latitude_deg=29.563, longitude_deg=106.55)
        >>> latitude, longitude = plane.to_degrees(0.0, 1108.5)
        >>> round(float(latitude), 3), float(longitude)
        (29.573, 106.55)
        """
        east, north = self.metres_per_degree
        latitude = self.latitude_deg + np.asarray(y_m, dtype=np.float64) / north
        longitude = self.longitude_deg + np.asarray(x_m, dtype=np.float64) / east
        return np.asarray(latitude), np.asarray(longitude)
