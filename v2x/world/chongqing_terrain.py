"""Analytic surface of central Chongqing, for maps without an elevation raster.

The shape is that of the city's relief: a rolling floor, the parallel ridges of Zhongliangshan
and Tongluoshan (which carries Nanshan) running some 10 to 20 degrees east of north, and the
valleys of the Yangtze and the Jialing cut into it, which leave Yuzhong standing as a spur
between them. A smooth correction then draws it towards heights published or derived for
named places.

It is Chongqing-like, not a survey: right in its levels at the places of :data:`CONTROL_POINTS`
and in the sizes of its slopes, free in between.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.errors import V2XError
from v2x.world.elevation import FloatArray

LATITUDE_RANGE_DEG = (29.40, 29.76)
LONGITUDE_RANGE_DEG = (106.38, 106.80)
_ORIGIN_DEG = (29.557, 106.577)
_KM_PER_DEG_NORTH = 110.86
_KM_PER_DEG_EAST = 111.41 * math.cos(math.radians(_ORIGIN_DEG[0]))

FLOOR_M = 262.0
#: Surface of the rivers in an ordinary summer, 165 to 178 m.
WATER_M = 168.0
#: Reach of the correction around a control point [km].
CORRECTION_REACH_KM = 0.6
#: Standard deviation of the corrections [m].
CORRECTION_SIGMA_M = 60.0


@dataclass(frozen=True, slots=True)
class Ridge:
    """A ridge along a polyline.

    Attributes
    ----------
    axis
        Latitude and longitude of its crest [degree].
    height_m
        Height of the crest above the floor [m].
    width_km
        Distance from the crest at which 61 % of the height is left [km].
    """

    axis: tuple[tuple[float, float], ...]
    height_m: float
    width_km: float


@dataclass(frozen=True, slots=True)
class River:
    """A river along a polyline.

    Attributes
    ----------
    axis
        Latitude and longitude of its middle [degree].
    half_width_km
        Half the width of the water [km].
    bank_km
        Distance over which the bank rises from the water to the land [km].
    """

    axis: tuple[tuple[float, float], ...]
    half_width_km: float
    bank_km: float


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A place whose height is known.

    Attributes
    ----------
    name
        Place.
    latitude_deg, longitude_deg
        WGS-84 position [degree].
    low_m, high_m
        Range of its published or derived height above sea level [m].
    derived
        Whether the height follows from rules for roads here (bank terraces at 210 to 250 m carry
        the bridges, tunnels under the ridges begin at 250 to 320 m) instead of a publication.
    """

    name: str
    latitude_deg: float
    longitude_deg: float
    low_m: float
    high_m: float
    derived: bool = False

    @property
    def height_m(self) -> float:
        """Middle of the range [m]."""
        return 0.5 * (self.low_m + self.high_m)


RIDGES: tuple[Ridge, ...] = (
    # Zhongliangshan with Geleshan.
    Ridge(((29.40, 106.385), (29.57, 106.432), (29.76, 106.478)), 340.0, 0.75),
    # Tongluoshan: Zhenwushan and the western crest of Nanshan.
    Ridge(
        (
            (29.400, 106.578),
            (29.5105, 106.6045),
            (29.535, 106.6155),
            (29.550, 106.6095),
            (29.581, 106.6200),
            (29.680, 106.6480),
        ),
        250.0,
        0.48,
    ),
    # Tongluoshan: the eastern crest, from the highest point of Nanshan to Tieshanping.
    Ridge(((29.548, 106.626), (29.568, 106.641), (29.70, 106.688)), 250.0, 0.50),
    # Yuzhong: Daping, Eling, Pipashan.
    Ridge(
        ((29.5435, 106.517), (29.553, 106.540), (29.556, 106.549), (29.559, 106.561)), 110.0, 0.24
    ),
)

RIVERS: tuple[River, ...] = (
    # Yangtze, downstream from Lijiatuo past the mouth of the Jialing and Tongluoxia.
    River(
        (
            (29.400, 106.470),
            (29.460, 106.480),
            (29.480, 106.530),
            (29.500, 106.5285),
            (29.523, 106.5270),
            (29.537, 106.5340),
            (29.5465, 106.5475),
            (29.5478, 106.5597),
            (29.5520, 106.5750),
            (29.5606, 106.5875),
            (29.5660, 106.5903),
            (29.5720, 106.5910),
            (29.5800, 106.5840),
            (29.5884, 106.5782),
            (29.5980, 106.5782),
            (29.6064, 106.5824),
            (29.6160, 106.5940),
            (29.6198, 106.6070),
            (29.6190, 106.6280),
            (29.6080, 106.6480),
            (29.5850, 106.6600),
            (29.5664, 106.6721),
            (29.5580, 106.6900),
            (29.5660, 106.7150),
            (29.5950, 106.7380),
            (29.6200, 106.7600),
            (29.6300, 106.8000),
        ),
        0.25,
        0.28,
    ),
    # Jialing, down to its mouth at Chaotianmen.
    River(
        (
            (29.760, 106.440),
            (29.690, 106.500),
            (29.640, 106.460),
            (29.583, 106.463),
            (29.574, 106.485),
            (29.566, 106.505),
            (29.5610, 106.5190),
            (29.5610, 106.5300),
            (29.5625, 106.5405),
            (29.5668, 106.5530),
            (29.5708, 106.5630),
            (29.5698, 106.5780),
            (29.5730, 106.5890),
        ),
        0.20,
        0.24,
    ),
)

CONTROL_POINTS: tuple[ControlPoint, ...] = (
    ControlPoint("Chaotianmen, low-water sandbar", 29.571, 106.588, 160.0, 160.0),
    ControlPoint("Chaotianmen square", 29.568, 106.587, 195.0, 200.0),
    ControlPoint("Jiefangbei", 29.559, 106.577, 240.0, 260.0),
    ControlPoint("Eling, top of Yuzhong", 29.553, 106.540, 345.0, 379.0),
    ControlPoint("Caiyuanba station square", 29.552, 106.550, 195.0, 200.0),
    ControlPoint("Guanyinqiao", 29.576, 106.534, 270.0, 290.0),
    ControlPoint("Jiangbeizui", 29.573, 106.580, 195.0, 230.0),
    ControlPoint("Danzishi", 29.580, 106.594, 200.0, 260.0),
    ControlPoint("Huangjuewan interchange, ground", 29.588, 106.601, 240.0, 280.0),
    ControlPoint("CQUPT campus", 29.531, 106.606, 270.0, 400.0),
    ControlPoint("One-Tree lookout", 29.548, 106.604, 437.5, 511.1),
    ControlPoint("Huangjueya old street", 29.535, 106.615, 480.0, 500.0),
    ControlPoint("Nanshan, highest point", 29.56, 106.63, 681.5, 681.5),
    ControlPoint("Chayuan basin", 29.53, 106.66, 240.0, 300.0),
    ControlPoint("Geleshan", 29.57, 106.43, 678.0, 678.0),
    ControlPoint("Shapingba centre", 29.556, 106.460, 240.0, 260.0),
    ControlPoint("Lijia", 29.66, 106.53, 230.0, 340.0),
    ControlPoint("Jiangbei airport", 29.72, 106.64, 416.0, 416.0),
    ControlPoint("Zhenwushan tunnel, west", 29.5156, 106.5953, 250.0, 320.0, derived=True),
    ControlPoint("Zhenwushan tunnel, east", 29.5056, 106.6131, 250.0, 320.0, derived=True),
    ControlPoint("Cimushan tunnel 1, west", 29.5849, 106.6085, 250.0, 320.0, derived=True),
    ControlPoint("between the Cimushan tunnels", 29.5771, 106.6311, 250.0, 320.0, derived=True),
    ControlPoint("Cimushan tunnel 2, east", 29.5602, 106.6503, 250.0, 320.0, derived=True),
    ControlPoint("Shihuang tunnel, south", 29.5547, 106.5595, 210.0, 250.0, derived=True),
    ControlPoint("Shihuang tunnel, north", 29.5635, 106.5622, 210.0, 250.0, derived=True),
    ControlPoint("Jiahua bridge, south", 29.5556, 106.5170, 210.0, 250.0, derived=True),
    ControlPoint("Chaotianmen bridge, west", 29.5879, 106.5700, 210.0, 250.0, derived=True),
    ControlPoint("Chaotianmen bridge, east", 29.5888, 106.5863, 210.0, 250.0, derived=True),
    ControlPoint("Dafosi bridge, west", 29.6088, 106.5771, 210.0, 250.0, derived=True),
    ControlPoint("Dafosi bridge, east", 29.6042, 106.5878, 210.0, 250.0, derived=True),
    ControlPoint("Cuntan bridge, south", 29.6126, 106.6072, 210.0, 250.0, derived=True),
    ControlPoint("Cuntan bridge, north", 29.6269, 106.6067, 210.0, 250.0, derived=True),
    ControlPoint("Guojiatuo bridge, south", 29.5625, 106.6666, 210.0, 250.0, derived=True),
    ControlPoint("Guojiatuo bridge, north", 29.5704, 106.6775, 210.0, 250.0, derived=True),
    ControlPoint("Shibanpo bridges, north", 29.5527, 106.5588, 210.0, 250.0, derived=True),
    ControlPoint("Shibanpo bridges, south", 29.5429, 106.5602, 210.0, 250.0, derived=True),
    ControlPoint("Huanghuayuan bridge, south", 29.5661, 106.5624, 210.0, 250.0, derived=True),
    ControlPoint("Huanghuayuan bridge, north", 29.5751, 106.5637, 210.0, 250.0, derived=True),
    ControlPoint("Egongyan bridge, west", 29.5231, 106.5205, 210.0, 250.0, derived=True),
    ControlPoint("Egongyan bridge, east", 29.5231, 106.5337, 210.0, 250.0, derived=True),
)


class ChongqingSurface:
    """Analytic heights of central Chongqing; an :class:`~v2x.world.elevation.Elevation`.

    Notes
    -----
    Measured at :data:`CONTROL_POINTS`, against the middle of each range: root mean square 8.0 m
    at the 18 published heights (median of the absolute residuals 2.8 m) and 4.6 m at the 22
    derived ones. The greatest are -27.7 m at the One-Tree lookout (whose range is 74 m wide),
    -12.5 m at Jiangbeizui and -12.1 m at the northern end of the Shibanpo bridges. Outside their
    range are the low-water sandbar of Chaotianmen (8.0 m, for the water stands at
    :data:`WATER_M`), the summit of Nanshan (-6.5 m), the airport (-4.0 m), Geleshan (-2.5 m) and
    the station square of Caiyuanba (0.7 m beyond). Away from these places nothing is claimed;
    slopes have a median of 2.5 % and a 90th percentile of 23 %, and are steepest, up to 48 %
    in all but one place in a hundred, on the flanks of the ridges and on river banks.
    """

    def __init__(self) -> None:
        latitude_deg = np.array([point.latitude_deg for point in CONTROL_POINTS])
        longitude_deg = np.array([point.longitude_deg for point in CONTROL_POINTS])
        self._anchor_km = np.stack(_local_km(latitude_deg, longitude_deg))
        self._weight_m = np.zeros(len(CONTROL_POINTS))
        known_m = np.array([point.height_m for point in CONTROL_POINTS])
        east_km, north_km = self._anchor_km
        dry = _dryness(east_km, north_km)
        reach = dry[:, np.newaxis] * self._bells(east_km, north_km)
        missing_m = known_m - self.height_m(latitude_deg, longitude_deg)
        # The most probable correction if heights are as uncertain as their range, ten metres at
        # least, and corrections normally distributed: close places of unlike height raise no
        # towers.
        tolerance = np.array([max(10.0, 0.5 * (p.high_m - p.low_m)) for p in CONTROL_POINTS])
        sharp = reach / tolerance[:, np.newaxis]
        prior = np.eye(len(known_m)) / CORRECTION_SIGMA_M**2
        self._weight_m = np.linalg.solve(sharp.T @ sharp + prior, sharp.T @ (missing_m / tolerance))

    @property
    def description(self) -> str:
        """What it is and how many places anchor it."""
        published = sum(not point.derived for point in CONTROL_POINTS)
        return (
            f"heights from an analytic surface of central Chongqing anchored at {published} "
            f"published and {len(CONTROL_POINTS) - published} derived heights; not a survey"
        )

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> FloatArray:
        """Return the height [m]; see :class:`~v2x.world.elevation.Elevation`."""
        latitude, longitude = np.broadcast_arrays(
            np.asarray(latitude_deg, dtype=np.float64), np.asarray(longitude_deg, dtype=np.float64)
        )
        _check_inside(latitude, longitude)
        east_km, north_km = _local_km(latitude.ravel(), longitude.ravel())
        land_m = _land_m(east_km, north_km) + self._bells(east_km, north_km) @ self._weight_m
        height_m: FloatArray = WATER_M + _dryness(east_km, north_km) * (land_m - WATER_M)
        return height_m.reshape(latitude.shape)

    def covers(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether positions lie in the city; see :class:`~v2x.world.elevation.Bounded`."""
        latitude, longitude = np.broadcast_arrays(
            np.asarray(latitude_deg, dtype=np.float64), np.asarray(longitude_deg, dtype=np.float64)
        )
        return ~_outside(latitude, longitude)

    def is_water(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Return whether positions lie on a river, in :data:`WATER_M` above the sea.

        See :class:`~v2x.world.elevation.KnowsWater`.
        """
        latitude, longitude = np.broadcast_arrays(
            np.asarray(latitude_deg, dtype=np.float64), np.asarray(longitude_deg, dtype=np.float64)
        )
        east_km, north_km = _local_km(latitude, longitude)
        wet = np.zeros(latitude.shape, dtype=np.bool_)
        for river in RIVERS:
            wet |= _distance_km(east_km, north_km, river.axis) <= river.half_width_km
        return wet

    def residual_m(self) -> FloatArray:
        """Return the height at each control point minus the middle of its range [m]."""
        latitude_deg = [point.latitude_deg for point in CONTROL_POINTS]
        longitude_deg = [point.longitude_deg for point in CONTROL_POINTS]
        known_m: FloatArray = np.array([point.height_m for point in CONTROL_POINTS])
        return self.height_m(latitude_deg, longitude_deg) - known_m

    def _bells(self, east_km: FloatArray, north_km: FloatArray) -> FloatArray:
        """Return how much the correction of each control point is felt, (n, n_points)."""
        square = (east_km[:, np.newaxis] - self._anchor_km[0]) ** 2
        square += (north_km[:, np.newaxis] - self._anchor_km[1]) ** 2
        bells: FloatArray = np.exp(-0.5 * square / CORRECTION_REACH_KM**2)
        return bells


def _local_km(latitude_deg: FloatArray, longitude_deg: FloatArray) -> tuple[FloatArray, FloatArray]:
    return (
        (longitude_deg - _ORIGIN_DEG[1]) * _KM_PER_DEG_EAST,
        (latitude_deg - _ORIGIN_DEG[0]) * _KM_PER_DEG_NORTH,
    )


def _check_inside(latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]) -> None:
    outside = _outside(latitude_deg, longitude_deg)
    if outside.any():
        south, north = LATITUDE_RANGE_DEG
        west, east = LONGITUDE_RANGE_DEG
        raise V2XError(
            f"{int(outside.sum())} points of the map lie outside the analytic surface of central "
            f"Chongqing (latitude {south} to {north}, longitude {west} to {east})",
            remedy="give an elevation file that covers the map (.hgt or .tif)",
        )


def _outside(
    latitude_deg: NDArray[np.float64], longitude_deg: NDArray[np.float64]
) -> NDArray[np.bool_]:
    south, north = LATITUDE_RANGE_DEG
    west, east = LONGITUDE_RANGE_DEG
    outside = (latitude_deg < south) | (latitude_deg > north)
    return outside | (longitude_deg < west) | (longitude_deg > east)


def _distance_km(
    east_km: FloatArray, north_km: FloatArray, axis: tuple[tuple[float, float], ...]
) -> FloatArray:
    """Return the distance from a polyline of latitudes and longitudes [km]."""
    corner = np.stack(_local_km(*np.asarray(axis).T))
    nearest = np.full(east_km.shape, np.inf)
    for start, end in itertools.pairwise(corner.T):
        along = end - start
        share = (east_km - start[0]) * along[0] + (north_km - start[1]) * along[1]
        share = np.clip(share / (along @ along), 0.0, 1.0)
        gap = np.hypot(
            east_km - start[0] - share * along[0], north_km - start[1] - share * along[1]
        )
        nearest = np.minimum(nearest, gap)
    return nearest


def _land_m(east_km: FloatArray, north_km: FloatArray) -> FloatArray:
    """Return the land before rivers and correction: floor, knolls and ridges [m]."""
    # Knolls 15 m above and below the floor and some 2 km apart; numbers of waves per kilometre.
    knolls = np.zeros(east_km.shape)
    for east, north in ((0.33, 0.14), (-0.21, 0.37), (0.12, -0.48)):
        knolls += np.sin(2.0 * math.pi * (east * east_km + north * north_km))
    land_m = FLOOR_M + 7.0 * knolls
    for ridge in RIDGES:
        distance = _distance_km(east_km, north_km, ridge.axis) / ridge.width_km
        land_m = land_m + ridge.height_m * np.exp(-0.5 * distance**2)
    return land_m


def _dryness(east_km: FloatArray, north_km: FloatArray) -> FloatArray:
    """Return 0 on the rivers, 1 on the land, and between them on the banks."""
    dry = np.ones(east_km.shape)
    for river in RIVERS:
        distance = _distance_km(east_km, north_km, river.axis)
        rise = np.clip((distance - river.half_width_km) / river.bank_km, 0.0, 1.0)
        dry = dry * rise * rise * (3.0 - 2.0 * rise)
    return dry
