"""Zones by which a receiver knows how far a sender is (TS 38.331 5.8.11, TS 38.321 5.22.2.2.2).

SCI format 2-B names the zone of the sender, a square of one of few lengths whose numbers repeat
every 64 zones in both directions. A receiver takes the nearest of all zones of this number and
measures to its centre.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Zones in a row, and rows, before their numbers repeat.
ZONES = 64


def zone_id(x_m: ArrayLike, y_m: ArrayLike, length_m: float) -> NDArray[np.int64]:
    """Return the number of the zone of a position, 0 to 4095.

    Parameters
    ----------
    x_m, y_m : (n,) or scalar
        East and north of the origin of the map [m].
    length_m
        Side of a zone [m].

    Examples
    --------
    >>> zone_id([3210.0, -1.0], [160.0, 0.0], 50.0).tolist()
    [192, 63]
    """
    x, y = (np.floor(np.asarray(v, dtype=np.float64) / length_m) for v in (x_m, y_m))
    return np.asarray(y.astype(np.int64) % ZONES * ZONES + x.astype(np.int64) % ZONES)


def distance_to_zone_m(
    x_m: ArrayLike, y_m: ArrayLike, zone: ArrayLike, length_m: float
) -> NDArray[np.float64]:
    """Return the distance of a position from the centre of the nearest zone of a number [m].

    Parameters
    ----------
    x_m, y_m : (n,) or scalar
        Position of the receiver [m].
    zone : (n,) or scalar, integer
        Number of the sender's zone.
    length_m
        Side of a zone [m].

    Examples
    --------
    >>> distance_to_zone_m(10.0, 25.0, 192, 50.0).round(2).item()
    150.75
    """
    number = np.asarray(zone, dtype=np.int64)
    east = _to_nearest(np.asarray(x_m, dtype=np.float64), number % ZONES, length_m)
    north = _to_nearest(np.asarray(y_m, dtype=np.float64), number // ZONES, length_m)
    return np.asarray(np.hypot(east, north))


def _to_nearest(
    position_m: NDArray[np.float64], zone: NDArray[np.int64], length_m: float
) -> NDArray[np.float64]:
    """Return the way along one axis to the nearest centre of a zone, signed [m]."""
    period_m = ZONES * length_m
    way = (zone + 0.5) * length_m - position_m
    return np.asarray(way - period_m * np.round(way / period_m))
