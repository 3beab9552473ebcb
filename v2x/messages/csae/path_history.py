"""Path history of a BSM from the track of a vehicle (GB/T 45315-2025, Annex E)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2x.messages.coding.uper import MessageError
from v2x.messages.coding.wire import Code
from v2x.messages.csae.bsm import PathHistory, PathPoint
from v2x.messages.csae.chords import FloatArray, longest_chord
from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.offsets import offset_from
from v2x.messages.csae.tangent import TangentPlane

#: Most points of the message set (PathHistoryPointList), and ages it can name [s].
MOST_POINTS = 23
SHORTEST_AGE_S, LONGEST_AGE_S = 0.01, 655.34
#: Rounding of places on the wire, half a diagonal of 1e-7 degree [m].
_ROUNDING_M = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class PathHistoryParams:
    """How much of the past a BSM tells.

    Parameters
    ----------
    max_error_m
        No true point of the track is farther from the line of the history [m].
    min_length_m, max_length_m
        The history is as long as the first, if the track is, and never longer than the
        second [m].
    max_points
        Points at most; a track that needs more is told from its newest part.
    """

    max_error_m: float = 1.0
    min_length_m: float = 200.0
    max_length_m: float = 400.0
    max_points: int = 15

    def __post_init__(self) -> None:
        """Reject values that no history can keep."""
        if not self.max_error_m > _ROUNDING_M:
            raise ValueError(f"max_error_m must be > {_ROUNDING_M}, got {self.max_error_m}")
        if not 0 < self.min_length_m <= self.max_length_m:
            raise ValueError(
                f"min_length_m must be > 0 and at most max_length_m, "
                f"got {self.min_length_m} and {self.max_length_m}"
            )
        if not 1 <= self.max_points <= MOST_POINTS:
            raise ValueError(
                f"max_points must be within 1 and {MOST_POINTS}, got {self.max_points}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPoint:
    """Where a vehicle was.

    Attributes
    ----------
    position
        The place; without elevation, the history has none.
    time_s
        When [s].
    """

    position: Position3D
    time_s: float


def path_history(track: Sequence[TrackPoint], params: PathHistoryParams) -> PathHistory | None:
    """Return the concise history of a track.

    From the present place backwards, each chord reaches as far as all points of the track in
    between stay near to it, until the history is long enough.

    Parameters
    ----------
    track
        Oldest first; the last is the present place, from which the offsets count.
    params
        Error bound, length and number of points.

    Returns
    -------
    PathHistory or None
        Newest first; None if the vehicle has not been anywhere else.
    """
    if len(track) < 2:
        return None
    now = track[-1]
    newest_first = track[::-1]
    points_m = _around([point.position for point in newest_first])
    places = _history_indices(points_m, params)
    kept = []
    for index in places:
        age_s = now.time_s - newest_first[index].time_s
        if age_s < SHORTEST_AGE_S:
            continue
        kept.append(
            PathPoint(
                offset=offset_from(now.position, newest_first[index].position),
                age_s=min(age_s, LONGEST_AGE_S),
            )
        )
    return PathHistory(points=tuple(kept)) if kept else None


def _around(places: Sequence[Position3D]) -> FloatArray:
    """Return places in metres, shape (n, 2)."""
    if any(isinstance(place.latitude_deg, Code) for place in places):
        raise MessageError("a track has only places that are known")
    degrees = np.array([(place.latitude_deg, place.longitude_deg) for place in places])
    plane = TangentPlane(latitude_deg=degrees[0, 0], longitude_deg=degrees[0, 1])
    return np.column_stack(plane.to_metres(degrees[:, 0], degrees[:, 1]))


def _history_indices(points_m: FloatArray, params: PathHistoryParams) -> list[int]:
    """Return which points of a track, newest first, its history keeps."""
    kept: list[int] = []
    at, length_m = 0, 0.0
    while at < len(points_m) - 1 and len(kept) < params.max_points:
        left_m = params.max_length_m - length_m
        wanted_m = params.min_length_m - length_m
        reach_m = np.hypot(*(points_m[at + 1 :] - points_m[at]).T)
        within = int(np.argmax(reach_m > left_m)) if (reach_m > left_m).any() else len(reach_m)
        enough = np.flatnonzero(reach_m[:within] >= wanted_m)
        end = at + 1 + (int(enough[0]) + 1 if len(enough) else within)
        if end == at + 1:
            break
        onto = longest_chord(points_m, at, end, params.max_error_m - _ROUNDING_M)
        length_m += float(reach_m[onto - at - 1])
        kept.append(onto)
        at = onto
        if length_m >= params.min_length_m:
            break
    return kept
