"""What roadside messages say, in the form in which receivers use it.

The messages themselves (:mod:`v2x.messages.csae`) give sizes and wire formats; a receiver matches
what they say with its map once, and that is what is shared here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalForecast:
    """Content of a SPAT message: the lights of one junction, movement by movement.

    Attributes
    ----------
    node : int
        Node of the map.
    movement : (n,) int32
        Movements of the lane network.
    light : (n,) int32
        Light state now (T/CSAE 53: 3 red, 5 permissive green, 6 protected green, 7 yellow ...).
    changes_us : (n,) int64
        When it likely changes [µs].
    green_begin_us, green_end_us : (n,) int64
        The present green window, or else the next one, as far as it is likely [µs]; -1 if none is
        known.
    """

    node: int
    movement: IntArray
    light: IntArray
    changes_us: NDArray[np.int64]
    green_begin_us: NDArray[np.int64]
    green_end_us: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JunctionMap:
    """Content of a MAP message: receivers may match signals of these nodes with their lanes.

    Attributes
    ----------
    nodes
        Nodes of the map that it describes.
    """

    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadEvent:
    """An event of an RSI or DENM message, on the road.

    Attributes
    ----------
    number
        Stays the same as long as the event is the same; not negative.
    code
        Type of event (GB/T 29100 as in T/CSAE 159: 407 water, 408 slippery, 707 jam ...),
        or 10000 + cause code of a DENM.
    edge, offset_m
        Where it begins [m along the edge], for traffic in the direction of the edge.
    length_m
        How far it reaches on from there [m].
    lanes
        Lanes concerned; empty for all.
    x_m, y_m, z_m
        Position [m].
    speed_mps
        Advised speed [m/s], NaN for none.
    since_us
        When it was detected [µs].
    """

    number: int
    code: int
    edge: int
    offset_m: float
    length_m: float
    lanes: frozenset[int] = frozenset()
    x_m: float
    y_m: float
    z_m: float
    speed_mps: float = float("nan")
    since_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadSign:
    """A sign of an RSI message.

    Attributes
    ----------
    number
        Stays the same as long as the sign is the same; not negative.
    code
        Index of GB 5768.2 as in T/CSAE 159 (2 sharp bend, 17 slippery, 85 speed limit ...).
    edge, offset_m
        Where it begins to hold, in the direction of the edge [m].
    length_m
        How far it holds [m].
    value
        What it says, such as a speed limit [m/s]; NaN for nothing.
    """

    number: int
    code: int
    edge: int
    offset_m: float
    length_m: float
    value: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadNotices:
    """Content of an RSI message (:attr:`Topic.RSI`) or of a DENM (:attr:`Topic.DENM`).

    Attributes
    ----------
    events, signs
        What it tells; at most 8 and 16 in an RSI.
    """

    events: tuple[RoadEvent, ...] = ()
    signs: tuple[RoadSign, ...] = ()
