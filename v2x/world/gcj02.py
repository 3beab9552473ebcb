"""WGS-84 and GCJ-02, the shifted datum of Chinese web maps.

Data taken from AMap, Tencent and most Chinese apps carry GCJ-02 coordinates, which lie some
hundred metres beside the WGS-84 ones of OpenStreetMap, GNSS and height rasters: 480 m in central
Chongqing, 320 m south and 357 m east. Nothing in a coordinate says which of the two it is. The
shift has never been published by its makers; the formula here is the one that is in public use,
and it agrees with those maps to some metres.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.errors import V2XError

FloatArray = NDArray[np.float64]

#: Where the shift applies: a rectangle around China [degree].
LATITUDE_RANGE_DEG = (0.8293, 55.8271)
LONGITUDE_RANGE_DEG = (72.004, 137.8347)

#: Krasovsky ellipsoid of 1940: semi-major axis [m] and square of the eccentricity.
_AXIS_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.006693421622965943
#: Point around which the shift is a polynomial with waves [degree].
_CENTRE_DEG = (35.0, 105.0)

# The shift north and east [m] is a polynomial in the degrees x east and y north of the centre plus
# sines: coefficients of 1, x, y, y^2 (north) or x^2 (east), xy and sqrt|x|, then amplitudes [m]
# and waves per degree of the sines along x or y. All amplitudes come with the factor 2 / 3.
_NORTH = (-100.0, 2.0, 3.0, 0.2, 0.1, 0.2)
_NORTH_WAVES_X = ((20.0, 3.0), (20.0, 1.0))
_NORTH_WAVES_Y = ((20.0, 0.5), (40.0, 1.0 / 6.0), (160.0, 1.0 / 24.0), (320.0, 1.0 / 60.0))
_EAST = (300.0, 1.0, 2.0, 0.1, 0.1, 0.1)
_EAST_WAVES_X = (
    (20.0, 3.0),
    (20.0, 1.0),
    (20.0, 0.5),
    (40.0, 1.0 / 6.0),
    (150.0, 1.0 / 24.0),
    (300.0, 1.0 / 60.0),
)
#: Inversion ends when no coordinate moves by more than this [degree], a tenth of a millimetre.
_CLOSE_DEG = 1e-9
_MAX_ROUNDS = 30


def in_china(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
    """Return whether positions lie in the rectangle in which GCJ-02 is in use."""
    latitude, longitude = _positions(latitude_deg, longitude_deg)
    south, north = LATITUDE_RANGE_DEG
    west, east = LONGITUDE_RANGE_DEG
    inside = (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)
    return np.asarray(inside, dtype=np.bool_)


def wgs84_to_gcj02(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 latitudes and longitudes of WGS-84 positions [degree], any common shape.

    Raises
    ------
    V2XError
        If a position lies outside China, where there is no GCJ-02.

    Examples
    --------
    >>> latitude, longitude = wgs84_to_gcj02(29.557, 106.577)
    >>> round(float(latitude) - 29.557, 5), round(float(longitude) - 106.577, 5)
    (-0.00289, 0.00369)
    """
    latitude, longitude = _positions(latitude_deg, longitude_deg)
    outside = ~in_china(latitude, longitude)
    if outside.any():
        raise V2XError(
            f"{int(outside.sum())} positions lie outside China, where there is no GCJ-02",
            remedy="declare the datum wgs84",
        )
    north_deg, east_deg = _shift_deg(latitude, longitude)
    return latitude + north_deg, longitude + east_deg


def gcj02_to_wgs84(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return WGS-84 latitudes and longitudes of GCJ-02 positions [degree], any common shape.

    The inverse of :func:`wgs84_to_gcj02`, by iteration, to a tenth of a millimetre.
    """
    latitude, longitude = _positions(latitude_deg, longitude_deg)
    found_latitude, found_longitude = latitude, longitude
    for _ in range(_MAX_ROUNDS):
        back_latitude, back_longitude = wgs84_to_gcj02(found_latitude, found_longitude)
        missing = latitude - back_latitude, longitude - back_longitude
        found_latitude, found_longitude = found_latitude + missing[0], found_longitude + missing[1]
        if max(float(np.abs(part).max(initial=0.0)) for part in missing) <= _CLOSE_DEG:
            break
    return found_latitude, found_longitude


def _positions(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
    latitude, longitude = np.broadcast_arrays(
        np.asarray(latitude_deg, dtype=np.float64), np.asarray(longitude_deg, dtype=np.float64)
    )
    return latitude, longitude


def _shift_deg(latitude: FloatArray, longitude: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return GCJ-02 minus WGS-84, north and east [degree]."""
    y, x = latitude - _CENTRE_DEG[0], longitude - _CENTRE_DEG[1]
    north_m = _polynomial(_NORTH, x, y, squared=y)
    north_m = north_m + _waves(_NORTH_WAVES_X, x) + _waves(_NORTH_WAVES_Y, y)
    east_m = _polynomial(_EAST, x, y, squared=x) + _waves(_EAST_WAVES_X, x)
    sine = np.sin(np.radians(latitude))
    flattening = 1.0 - _ECCENTRICITY_SQUARED * sine * sine
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / flattening**1.5
    parallel_m = _AXIS_M / np.sqrt(flattening) * np.cos(np.radians(latitude))
    return np.degrees(north_m / meridian_m), np.degrees(east_m / parallel_m)


def _polynomial(
    coefficients: tuple[float, ...], x: FloatArray, y: FloatArray, squared: FloatArray
) -> FloatArray:
    one, along, up, square, product, root = coefficients
    plane: FloatArray = one + along * x + up * y
    return plane + square * squared * squared + product * x * y + root * np.sqrt(np.abs(x))


def _waves(waves: tuple[tuple[float, float], ...], at_deg: FloatArray) -> FloatArray:
    total = np.zeros(at_deg.shape)
    for amplitude_m, per_degree in waves:
        total = total + 2.0 / 3.0 * amplitude_m * np.sin(2.0 * math.pi * per_degree * at_deg)
    return total
