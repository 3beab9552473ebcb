"""A line drawn with few points: path histories, and the centre lines of MAP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def longest_chord(points_m: FloatArray, begin: int, end: int, max_error_m: float) -> int:
    """Return the farthest point whose chord stays near to the line.

    Parameters
    ----------
    points_m : (n, d) float64
        Points of the line in their order, in two or three dimensions [m].
    begin, end
        Where the chord begins, and the first point it may not reach.
    max_error_m
        No point of the line in between may be farther from the chord [m].

    Returns
    -------
    int
        At least ``begin + 1``. Points are tried in their order until the first that fails.
    """
    last = begin + 1
    for candidate in range(begin + 2, end):
        if _distance_m(points_m, begin, candidate) > max_error_m:
            break
        last = candidate
    return last


def chord_points(points_m: FloatArray, max_error_m: float) -> list[int]:
    """Return the points of a line that are needed to draw it with an error bound.

    Parameters
    ----------
    points_m : (n, d) float64
        Points of the line, at least two [m].
    max_error_m
        No point may be farther from the line drawn [m].

    Returns
    -------
    list of int
        Indices, the first and the last point among them.

    Examples
    --------
    >>> corner = np.array([[0.0, 0.0], [5.0, 0.1], [10.0, 0.0], [10.0, 10.0]])
    >>> chord_points(corner, 0.5)
    [0, 2, 3]
    """
    kept = [0]
    while kept[-1] < len(points_m) - 1:
        kept.append(longest_chord(points_m, kept[-1], len(points_m), max_error_m))
    return kept


def _distance_m(points_m: FloatArray, begin: int, end: int) -> float:
    """Return the largest distance of the points in between from a chord [m]."""
    chord = points_m[end] - points_m[begin]
    between = points_m[begin + 1 : end] - points_m[begin]
    length2 = float(chord @ chord)
    share = np.clip(between @ chord / length2, 0.0, 1.0) if length2 else np.zeros(len(between))
    apart = between - share[:, None] * chord
    return float(np.sqrt((apart * apart).sum(axis=1).max()))
