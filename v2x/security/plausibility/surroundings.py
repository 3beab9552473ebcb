"""Checks of a claim against the map, against the signal, and against other claims."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from v2x.security.plausibility.heard import BoolArray, FloatArray, Heard
from v2x.security.plausibility.params import PlausibilityParams
from v2x.world.ground import strips
from v2x.world.road_map import RoadMap, Structure

#: Points on roads are so far apart [m], and so many next to a claim are looked at: two decks
#: that cross each give several within the width of a road.
_SPACING_M, _N_POINTS = 2.0, 24
#: Keeps claims at different receivers apart in a tree of places [m].
_APART_M = 1e6


class RoadSurface:
    """Where the carriageways of a map are, as every vehicle knows them.

    Wrap-around maps are taken as they are drawn.

    Parameters
    ----------
    road_map
        The map.
    """

    def __init__(self, road_map: RoadMap) -> None:
        parts = [strips(road_map, structure, _SPACING_M) for structure in Structure]
        self._tree = cKDTree(np.concatenate([part.xy_m for part in parts]))
        self._z_m = np.concatenate([part.z_m for part in parts])
        self._half_m = np.concatenate([part.half_width_m for part in parts])

    def off_road_and_deck(
        self, heard: Heard, limits: PlausibilityParams
    ) -> tuple[BoolArray, BoolArray]:
        """Return where a claim is beside all roads, and where on one but not at its height.

        Returns
        -------
        off_road, off_deck : (n,) bool
            What is beside all roads has no height to compare.
        """
        place = np.column_stack([heard.claim.x_m, heard.claim.y_m])
        n = min(_N_POINTS, len(self._z_m))
        away_m, point = self._tree.query(place, k=np.arange(1, n + 1))
        here = np.asarray(away_m - self._half_m[point] <= limits.off_road_m)
        off_m = np.abs(heard.claim.z_m[:, None] - self._z_m[point])
        on_road = np.any(here, axis=1)
        lowest_m = np.where(here, off_m, np.inf).min(axis=1)
        return np.asarray(~on_road), np.asarray(on_road & (lowest_m > limits.height_gate_m))


class SignalLaw:
    """What power a line of sight over a distance gives.

    Parameters
    ----------
    loss_db
        Path loss [dB] of distances [m].
    sent_dbm
        Transmit power and antenna gains of both ends [dBm].
    """

    def __init__(self, loss_db: Callable[[FloatArray], FloatArray], sent_dbm: float) -> None:
        self._loss_db, self._sent_dbm = loss_db, sent_dbm

    def expected_dbm(self, distance_m: FloatArray) -> FloatArray:
        """Return the power without shadowing [dBm], (n,)."""
        return np.asarray(self._sent_dbm - self._loss_db(distance_m))

    def unlikely(self, heard: Heard, limits: PlausibilityParams) -> BoolArray:
        """Return where the power does not fit the claimed distance, (n,)."""
        off_db = heard.signal_dbm - self.expected_dbm(heard.distance_m)
        return np.asarray((off_db > limits.stronger_db) | (off_db < -limits.weaker_db))


class Places:
    """Rectangles that vehicles claim to occupy now, at each receiver.

    Parameters
    ----------
    owner : (n,) int64
        The receiver that believes in them.
    pair : (n,) int64
        The pair of receiver and claimed sender.
    x_m, y_m, heading_rad : (n,) float64
        Middle and direction [m], [rad].
    half_length_m, half_width_m : (n,) float64
        Half of the sizes [m].
    """

    def __init__(
        self,
        owner: NDArray[np.int64],
        pair: NDArray[np.int64],
        x_m: FloatArray,
        y_m: FloatArray,
        heading_rad: FloatArray,
        half_length_m: FloatArray,
        half_width_m: FloatArray,
    ) -> None:
        self.pair = pair
        self.box = np.stack([x_m, y_m, heading_rad, half_length_m, half_width_m])
        self.place = np.column_stack([x_m, y_m, owner * _APART_M])
        self.reach_m = np.hypot(half_length_m, half_width_m)

    def overlapped_by(self, others: Places) -> BoolArray:
        """Return which of these overlap one of the `others` of another pair, (n,)."""
        hit = np.zeros(len(self.pair), dtype=np.bool_)
        if not len(self.pair) or not len(others.pair):
            return hit
        reach = float(self.reach_m.max() + others.reach_m.max())
        near = cKDTree(self.place).sparse_distance_matrix(
            cKDTree(others.place), reach, output_type="ndarray"
        )
        i, j, away_m = near["i"], near["j"], near["v"]
        close = (away_m <= self.reach_m[i] + others.reach_m[j]) & (self.pair[i] != others.pair[j])
        i, j = i[close], j[close]
        hit[i[rectangles_overlap(self.box[:, i], others.box[:, j])]] = True
        return hit


def rectangles_overlap(one: FloatArray, other: FloatArray) -> BoolArray:
    """Return whether rectangles overlap: no side of either parts them.

    Parameters
    ----------
    one, other : (5, n) float64
        Middle x and y [m], direction [rad], half length and half width [m].

    Examples
    --------
    >>> car = np.array([[0.0], [0.0], [0.0], [2.5], [1.0]])
    >>> beside = car + np.array([[0.0], [1.9], [0.0], [0.0], [0.0]])
    >>> rectangles_overlap(car, beside).tolist()
    [True]
    """
    dx, dy = other[0] - one[0], other[1] - one[1]
    cos, sin = np.abs(np.cos(other[2] - one[2])), np.abs(np.sin(other[2] - one[2]))
    overlap = np.ones(one.shape[1], dtype=np.bool_)
    for here, there in ((one, other), (other, one)):
        along = np.abs(dx * np.cos(here[2]) + dy * np.sin(here[2]))
        across = np.abs(dy * np.cos(here[2]) - dx * np.sin(here[2]))
        overlap &= along < here[3] + there[3] * cos + there[4] * sin
        overlap &= across < here[4] + there[3] * sin + there[4] * cos
    return overlap
