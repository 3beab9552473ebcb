"""One link seen from the side: what stands under its ray, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from v2x.channel.base import LinkState
from v2x.channel.diffraction import first_fresnel_radius_m

FloatArray = NDArray[np.float64]

#: Share of the first Fresnel zone that must be clear for a path to count as free (P.526 4.1).
CLEAR_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Diffraction edges of a link, in the order of their distance.

    Attributes
    ----------
    distance_m, height_m : (n_edges,) float64
        Plan distance from the first antenna and height of the edge [m]. The equivalent edge of
        Bullington lies where the two horizon rays meet, above the ground.
    loss_db : (n_edges,) float64
        Loss of each edge [dB].
    method
        How they were found: "bullington", "deygout".
    """

    distance_m: FloatArray
    height_m: FloatArray
    loss_db: FloatArray
    method: str

    def __post_init__(self) -> None:
        """Reject columns of different lengths."""
        if not len(self.distance_m) == len(self.height_m) == len(self.loss_db):
            raise ValueError("distance_m, height_m and loss_db of edges differ in length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Bridge decks or buildings that the plan line of a link crosses.

    Attributes
    ----------
    from_m, to_m : (n_spans,) float64
        Plan distance from the first antenna at which each begins and ends [m].
    bottom_m, top_m : (n_spans,) float64
        Height of its lower and upper face in the middle of the crossing [m].
    cuts : (n_spans,) bool
        Whether it cuts the straight line between the antennas.
    """

    from_m: FloatArray
    to_m: FloatArray
    bottom_m: FloatArray
    top_m: FloatArray
    cuts: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Reject columns of different lengths."""
        if len({len(getattr(self, name)) for name in self.__slots__}) > 1:
            raise ValueError("the columns of spans differ in length")

    @property
    def n_spans(self) -> int:
        """Number of spans."""
        return len(self.from_m)


def no_spans() -> Spans:
    """Return spans of a link that crosses nothing."""
    none = np.empty(0)
    return Spans(from_m=none, to_m=none, bottom_m=none, top_m=none, cuts=np.empty(0, np.bool_))


def no_edges() -> Edges:
    """Return the edges of a link without diffraction."""
    none = np.empty(0)
    return Edges(distance_m=none, height_m=none, loss_db=none, method="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProfile:
    """The vertical section under one link, and its losses.

    Attributes
    ----------
    distance_m : (n_points,) float64
        Plan distance from the first antenna A to the second B [m]: ascending, first 0, last the
        plan length of the link.
    ground_m : (n_points,) float64
        Height of the ground there, in the heights of the map [m].
    water : (n_points,) bool
        Whether the point lies on water.
    height_a_m, height_b_m
        Heights of the antennas, in the heights of the map [m].
    wavelength_m
        Wavelength [m].
    decks, buildings
        What the plan line crosses.
    edges
        Diffraction edges.
    state
        What decides the link.
    loss_db
        Name of each part to its loss [dB], in the order in which a reader should see them, such
        as "path loss (TR 37.885)", "terrain", "decks", "rain"; their sum is the loss of the link.
    """

    distance_m: FloatArray
    ground_m: FloatArray
    water: NDArray[np.bool_]
    height_a_m: float
    height_b_m: float
    wavelength_m: float
    state: LinkState
    loss_db: Mapping[str, float]
    decks: Spans = field(default_factory=no_spans)
    buildings: Spans = field(default_factory=no_spans)
    edges: Edges = field(default_factory=no_edges)

    def __post_init__(self) -> None:
        """Reject profiles that no link can have."""
        d = self.distance_m
        if not (d.ndim == 1 and len(d) == len(self.ground_m) == len(self.water) >= 2):
            raise ValueError("a profile needs at least two points, equally many in each column")
        if d[0] != 0.0 or not bool(np.all(np.diff(d) > 0.0)):
            raise ValueError("distance_m must ascend from 0")
        if not self.wavelength_m > 0.0:
            raise ValueError(f"wavelength_m must be > 0, got {self.wavelength_m}")

    @property
    def length_m(self) -> float:
        """Plan length of the link [m]."""
        return float(self.distance_m[-1])

    @property
    def total_db(self) -> float:
        """Loss of the link [dB]; infinite if it is blocked."""
        return math.inf if self.state == LinkState.BLOCKED else sum(self.loss_db.values())

    def ray_m(self, distance_m: FloatArray) -> FloatArray:
        """Return the height of the straight line between the antennas [m], shape as given."""
        share = np.asarray(distance_m, dtype=np.float64) / self.length_m
        return self.height_a_m + share * (self.height_b_m - self.height_a_m)

    def fresnel_m(self, distance_m: FloatArray, share: float = CLEAR_SHARE) -> FloatArray:
        """Return `share` of the radius of the first Fresnel zone [m], shape as given."""
        d = np.asarray(distance_m, dtype=np.float64)
        return share * first_fresnel_radius_m(d, self.length_m - d, self.wavelength_m)
