"""Whom an event concerns (EN 302 637-3, relevanceDistance and relevanceTrafficDirection)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.messages.etsi.denm import RelevanceDirection, RelevanceDistance
from v2x.mobility.fleet import FloatArray

#: The event matters nearer than this [m], by RelevanceDistance; the last has no limit.
_NEARER_THAN_M = np.array([50.0, 100.0, 200.0, 500.0, 1000.0, 5000.0, 10_000.0, np.inf])


def relevance_class(distance_m: float) -> RelevanceDistance:
    """Return the smallest class that covers a distance [m].

    Examples
    --------
    >>> relevance_class(199.0).name, relevance_class(200.0).name
    ('UNDER_200_M', 'UNDER_500_M')
    """
    return RelevanceDistance(int(np.searchsorted(_NEARER_THAN_M, distance_m, side="right")))


def is_relevant(
    east_m: FloatArray,
    north_m: FloatArray,
    heading_rad: FloatArray,
    event_heading_rad: FloatArray,
    distance: NDArray[np.int64],
    direction: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Return whether an event concerns somebody, shape (n,).

    Parameters
    ----------
    east_m, north_m : (n,) float64
        Where they are, from the event [m].
    heading_rad : (n,) float64
        Where they go, counter-clockwise from east [rad].
    event_heading_rad : (n,) float64
        Where the traffic at the event goes [rad].
    distance, direction : (n,) int64
        A :class:`~v2x.messages.etsi.denm.RelevanceDistance` and a
        :class:`~v2x.messages.etsi.denm.RelevanceDirection`.

    Notes
    -----
    Upstream is who goes the same way and has the event ahead, downstream who has it behind.
    Straight directions decide, not roads: behind a hairpin the map has to.
    """
    near = np.hypot(east_m, north_m) < _NEARER_THAN_M[distance]
    same_way = np.cos(heading_rad - event_heading_rad) > 0.0
    beyond = east_m * np.cos(event_heading_rad) + north_m * np.sin(event_heading_rad) > 0.0
    meant = np.select(
        [
            direction == RelevanceDirection.UPSTREAM,
            direction == RelevanceDirection.DOWNSTREAM,
            direction == RelevanceDirection.OPPOSITE,
        ],
        [same_way & ~beyond, same_way & beyond, ~same_way],
        default=True,
    )
    return np.asarray(near & meant)
