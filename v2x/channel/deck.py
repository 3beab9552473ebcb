"""Decks of bridges between two antennas: through the slab, or round its two long edges.

A panel is a stretch of deck between two points of its middle line: a rectangle in plan, sloping
along the line. All functions take one antenna pair per panel; shapes are (3, n) for points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.channel.diffraction import knife_edge_db
from v2x.channel.slab import Material as SlabMaterial
from v2x.channel.slab import slab_db
from v2x.units import SPEED_OF_LIGHT_MPS

FloatArray = NDArray[np.float64]

#: A coordinate that changes less than this along a line does not change [m].
_STILL_M = 1e-9


@dataclass(frozen=True, slots=True)
class Panels:
    """Stretches of deck.

    Attributes
    ----------
    start_m, end_m : (3, n) float64
        Ends of the middle lines at road height [m], apart in plan.
    half_width_m : (n,) float64
        Distance from the middle line to either long edge [m].
    """

    start_m: FloatArray
    end_m: FloatArray
    half_width_m: FloatArray

    def surface_m(self, point_m: FloatArray) -> FloatArray:
        """Return the height of each deck at one plan point, shape (2, n) to (n,) [m]."""
        axis = self.end_m - self.start_m
        along = np.sum((point_m - self.start_m[:2]) * axis[:2], axis=0)
        return np.asarray(self.start_m[2] + axis[2] * along / np.sum(axis[:2] ** 2, axis=0))


def crossing_share(a_m: FloatArray, b_m: FloatArray, panels: Panels) -> FloatArray:
    """Where lines pass through panels.

    Parameters
    ----------
    a_m, b_m : (3, n) float64
        Ends of the lines [m].
    panels
        One for each line.

    Returns
    -------
    (n,) float64
        Share of the way from a to b at which the line pierces the panel, NaN if it does not. A
        line that touches the panel, or runs in it, does not pierce it.
    """
    enter, leave = shares_over(a_m, b_m, panels)
    over = ~np.isnan(enter)
    enter, leave = np.where(over, enter, 0.0), np.where(over, leave, 0.0)
    first, last = (
        a_m[2] + share * (b_m[2] - a_m[2]) - panels.surface_m(a_m[:2] + share * (b_m - a_m)[:2])
        for share in (enter, leave)
    )
    pierced = over & (first * last < 0.0)
    share = enter + (leave - enter) * first / np.where(pierced, first - last, 1.0)
    return np.where(pierced, share, np.nan)


def shares_over(a_m: FloatArray, b_m: FloatArray, panels: Panels) -> tuple[FloatArray, FloatArray]:
    """Where lines run over or under panels, in plan.

    Parameters
    ----------
    a_m, b_m : (3, n) float64
        Ends of the lines [m].
    panels
        One for each line.

    Returns
    -------
    enter, leave : (n,) float64
        Shares of the way from a to b between which the line is within the rectangle; NaN if it
        never is.
    """
    axis = panels.end_m[:2] - panels.start_m[:2]
    length = np.hypot(axis[0], axis[1])
    east, north = axis / length
    (along_a, side_a), (along_b, side_b) = (
        (east * dx + north * dy, east * dy - north * dx)
        for dx, dy in (end[:2] - panels.start_m[:2] for end in (a_m, b_m))
    )
    enter_s, leave_s = _within(along_a, along_b, np.zeros_like(length), length)
    enter_w, leave_w = _within(side_a, side_b, -panels.half_width_m, panels.half_width_m)
    enter = np.maximum(np.maximum(enter_s, enter_w), 0.0)
    leave = np.minimum(np.minimum(leave_s, leave_w), 1.0)
    over = enter <= leave
    return np.where(over, enter, np.nan), np.where(over, leave, np.nan)


def ways_db(
    a_m: FloatArray,
    b_m: FloatArray,
    panels: Panels,
    *,
    material: SlabMaterial,
    thickness_m: float,
    carrier_ghz: float,
) -> FloatArray:
    r"""Loss of the three ways past a deck that a line pierces.

    Parameters
    ----------
    a_m, b_m : (3, n) float64
        Antennas [m].
    panels
        One for each pair.
    material, thickness_m
        The slab: what it is made of, its thickness [m].
    carrier_ghz
        Carrier frequency [GHz].

    Returns
    -------
    (3, n) float64
        Loss through the slab, taken as level (ITU-R P.2040, the electric field of vertical
        antennas lies in the plane of incidence), and over its left and its right edge [dB].

    Notes
    -----
    An edge is an infinite straight line. The shortest way from a over it to b is longer than the
    straight line by :math:`\Delta`, and its loss is that of a knife edge with
    :math:`\nu = 2\sqrt{\Delta/\lambda}`, which is the parameter of ITU-R P.526 4.1 in its
    general form.
    """
    straight = np.linalg.norm(b_m - a_m, axis=0)
    rise = np.abs(b_m[2] - a_m[2])
    incidence = np.arccos(np.clip(rise / np.maximum(straight, 1e-9), 0.0, 1.0))
    through = slab_db(material, thickness_m, incidence, carrier_ghz)
    wavelength_m = SPEED_OF_LIGHT_MPS / (carrier_ghz * 1e9)
    around = [
        knife_edge_db(2.0 * np.sqrt(_detour_m(a_m, b_m, panels, side) / wavelength_m))
        for side in (1.0, -1.0)
    ]
    return np.stack([through, *around])


def power_sum_db(way_db: FloatArray) -> FloatArray:
    """Return the loss of several ways together, shape (n_ways, n) to (n,) [dB], at least 0."""
    return np.asarray(np.maximum(0.0, -10.0 * np.log10(np.sum(10.0 ** (-0.1 * way_db), axis=0))))


def _within(
    from_m: FloatArray, to_m: FloatArray, low_m: FloatArray, high_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the shares of the way between which a coordinate stays within bounds."""
    step = to_m - from_m
    still = np.abs(step) < _STILL_M
    inside = (from_m >= low_m) & (from_m <= high_m)
    safe = np.where(still, 1.0, step)
    one, other = (low_m - from_m) / safe, (high_m - from_m) / safe
    enter = np.where(still, np.where(inside, -np.inf, np.inf), np.minimum(one, other))
    leave = np.where(still, np.where(inside, np.inf, -np.inf), np.maximum(one, other))
    return enter, leave


def _detour_m(a_m: FloatArray, b_m: FloatArray, panels: Panels, side: float) -> FloatArray:
    """Return by how much the way over an edge is longer than the straight line [m]."""
    axis = panels.end_m - panels.start_m
    across = np.stack([-axis[1], axis[0], np.zeros_like(axis[0])])
    across *= side * panels.half_width_m / np.hypot(axis[0], axis[1])
    edge = panels.start_m + across
    direction = axis / np.linalg.norm(axis, axis=0)
    foot_a, foot_b = (np.sum((p - edge) * direction, axis=0) for p in (a_m, b_m))
    away_a = np.linalg.norm(a_m - edge - foot_a * direction, axis=0)
    away_b = np.linalg.norm(b_m - edge - foot_b * direction, axis=0)
    bent = np.hypot(away_a + away_b, foot_a - foot_b)
    return np.asarray(np.maximum(bent - np.linalg.norm(b_m - a_m, axis=0), 0.0))
