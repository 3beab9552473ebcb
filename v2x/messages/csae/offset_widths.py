"""How many bits offsets of many places take, without making them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.offsets import (
    ABSOLUTE_BITS,
    ELEVATION_BITS,
    HORIZONTAL_BITS,
    VERTICAL_BITS,
)

#: Steps of degrees and of heights in offsets.
_DEGREE_STEPS, _HEIGHT_STEPS = 1e7, 10.0


def offset_widths(
    reference: Position3D, places: Sequence[Position3D]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bits of the forms that :func:`~v2x.messages.csae.offsets.offset_from` chooses.

    Parameters
    ----------
    reference
        What offsets count from; with an elevation.
    places
        Places with an elevation.

    Returns
    -------
    horizontal, vertical : (n,) int64
        ``bits`` of both parts of each offset.

    Examples
    --------
    >>> here = Position3D(latitude_deg=29.563, longitude_deg=106.55, elevation_m=260.0)
    >>> there = Position3D(latitude_deg=29.5629, longitude_deg=106.5501, elevation_m=266.0)
    >>> [widths.tolist() for widths in offset_widths(here, [there])]
    [[12], [7]]
    """
    columns = (
        ("longitude_deg", _DEGREE_STEPS),
        ("latitude_deg", _DEGREE_STEPS),
        ("elevation_m", _HEIGHT_STEPS),
    )
    east, north, up = (
        np.rint(np.array([getattr(place, name) for place in places], dtype=np.float64) * steps)
        - np.rint(float(getattr(reference, name)) * steps)
        for name, steps in columns
    )
    # The lowest value of a form can be told in plan; in height it stands for "unavailable".
    plan = np.maximum(np.maximum(east, -east - 1), np.maximum(north, -north - 1))
    return (
        _width(plan, HORIZONTAL_BITS, ABSOLUTE_BITS),
        _width(np.abs(up), VERTICAL_BITS, ELEVATION_BITS),
    )


def _width(steps: NDArray[np.float64], forms: Sequence[int], otherwise: int) -> NDArray[np.int64]:
    """Return the narrowest form that holds each value."""
    most = np.array([(1 << bits - 1) - 1 for bits in forms], dtype=np.float64)
    return np.array([*forms, otherwise], dtype=np.int64)[np.searchsorted(most, steps)]
