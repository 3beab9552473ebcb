"""Bends of the road, found in its polylines, and how fast they are taken.

A map draws a bend as a few straight pieces. Points within a tolerance of the line through
their neighbours say nothing about it and are left out first, such as those that only carry
heights. What remains at a vertex is a turn by an angle θ between runs of known length; the road
is an arc that touches both runs, as wide as they have room for, and nowhere farther from the
drawn corner than a map is wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from v2x.units import GRAVITY_MPS2
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Arcs are found for turns sharper than this cosine (a quarter of a degree) ...
_STRAIGHT = 1.0 - 1e-5
#: ... and for no sharper one than this: turning back.
_BACK = -0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveParams:
    r"""How fast drivers take bends.

    .. math:: v = \sqrt{R\,g\,(f + e)}

    with the side friction *f* they claim and the superelevation *e*. The defaults give the
    design speeds of the least radii of JTG D20 to 10 % (40 km/h at 60 m, 58 at 125, 82 at 250)
    and 19 km/h on a hairpin of 14 m.

    Parameters
    ----------
    side_friction
        Side friction that drivers find comfortable; 0.15. AASHTO design (from memory) has it at
        72 km/h and more at lower speeds, 0.38 at 16 km/h.
    superelevation
        Cross slope of bends towards their inside; 0.06 (assumption).
    friction_share
        Share of the road's friction that drivers claim at most (assumption); decides on
        slippery roads.
    drawn_within_m
        How far a drawn corner may lie from the road it means [m]; 4, about a lane (assumption).
    tolerance_m
        Points this near to the line through their neighbours are no corners [m]
        (assumption).
    least_radius_m
        No road is built tighter; what is drawn so is drawn badly [m] (assumption).
    """

    side_friction: float = 0.15
    superelevation: float = 0.06
    friction_share: float = 0.5
    drawn_within_m: float = 4.0
    tolerance_m: float = 0.25
    least_radius_m: float = 10.0

    def __post_init__(self) -> None:
        """Reject values the model is not defined for."""
        for item in fields(self):
            value = getattr(self, item.name)
            least = 0.0 if item.name == "superelevation" else 1e-3
            if not least <= value <= 1e6:
                raise ValueError(f"{item.name} must be >= {least}, got {value}")
        if self.friction_share > 1:
            raise ValueError(f"friction_share must be at most 1, got {self.friction_share}")


@dataclass(frozen=True, slots=True)
class Bends:
    """Arcs within the edges of a map, and where one edge goes over into another.

    Attributes
    ----------
    edge : (n_bends,) int32
        Edge, ascending.
    begin_m, end_m : (n_bends,) float64
        Where the arc begins and ends along the edge [m].
    radius_m : (n_bends,) float64
        Radius in plan [m].
    first_xy, last_xy : (n_edges, 2) float64
        First and last run of each edge in plan, without the points that say nothing [m].
    """

    edge: IntArray
    begin_m: FloatArray
    end_m: FloatArray
    radius_m: FloatArray
    first_xy: FloatArray
    last_xy: FloatArray


def bend_speed_mps(radius_m: FloatArray, friction: FloatArray, params: CurveParams) -> FloatArray:
    """Return the speed at which bends are taken [m/s].

    Parameters
    ----------
    radius_m, friction : (n,) float64
        Radius of the bend [m]; friction of the road.
    params
        What drivers claim of it.

    Examples
    --------
    On a wet ramp of 60 m it is 40 km/h, as tabulated:

    >>> speed = bend_speed_mps(np.array([60.0]), np.array([0.3]), CurveParams())
    >>> (speed * 3.6).round()
    array([40.])
    """
    side = np.minimum(params.side_friction, params.friction_share * friction)
    return np.sqrt(radius_m * GRAVITY_MPS2 * (side + params.superelevation))


def find_bends(road_map: RoadMap, params: CurveParams) -> Bends:
    """Return the bends of a map."""
    first = road_map.first_point.tolist()
    xy = np.column_stack((road_map.point_x_m, road_map.point_y_m))
    parts = [a + corners(xy[a:b], params.tolerance_m) for a, b in pairwise(first)]
    count = np.array([len(part) for part in parts])
    kept = np.concatenate(parts)
    begins = np.cumsum(count) - count
    run = np.diff(xy[kept], axis=0, append=0.0)
    last = begins + count - 1
    inner = np.setdiff1d(np.arange(len(kept)), np.concatenate([begins, last]))
    radius = arc_radius_m(run[inner - 1], run[inner], params)
    bent = np.isfinite(radius)
    inner, radius = inner[bent], radius[bent]
    before, after = run[inner - 1], run[inner]
    before_m, after_m = np.hypot(before[:, 0], before[:, 1]), np.hypot(after[:, 0], after[:, 1])
    # An arc as wide as there is room for takes half of both runs, a tighter one less.
    touch_m = radius * _half_tangent(cosine(before, after))
    share = np.minimum(2.0 * touch_m / (before_m + after_m), 0.5)
    at = road_map.point_offset_m[kept[inner]]
    return Bends(
        edge=np.repeat(np.arange(road_map.n_edges, dtype=np.int32), count)[inner],
        begin_m=at - share * before_m,
        end_m=at + share * after_m,
        radius_m=radius,
        first_xy=run[begins],
        last_xy=run[last - 1],
    )


def cosine(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return the cosine of the turn between runs, both (n, 2); 1 where one has no length."""
    norm = np.hypot(one[:, 0], one[:, 1]) * np.hypot(other[:, 0], other[:, 1])
    dot = (one * other).sum(axis=1)
    return np.asarray(np.divide(dot, norm, out=np.ones_like(dot), where=norm > 0.0))


def _half_tangent(turn_cosine: FloatArray) -> FloatArray:
    """Return the tangent of half a turn with this cosine."""
    c = np.clip(turn_cosine, _BACK, 1.0)
    return np.asarray(np.sqrt((1.0 - c) / (1.0 + c)))


def arc_radius_m(before: FloatArray, after: FloatArray, params: CurveParams) -> FloatArray:
    r"""Return the radius of the bend that two runs stand for [m], infinite if they are straight.

    Parameters
    ----------
    before, after : (n, 2) float64
        Runs of the polyline before and after the corner, in plan [m].
    params
        How well roads are drawn, and the least radius.

    Notes
    -----
    .. math::

        R = \min\left(\frac{l_1 + l_2}{4\tan(\theta/2)},\; \frac{w}{1/\cos(\theta/2) - 1}\right)

    The first is that of the polygon of an arc, whatever its sides; the second keeps the arc
    within *w* of the corner.

    Examples
    --------
    A street that turns by 90 degrees, and a turn by 12 degrees every 10 m:

    >>> west, north = np.array([[100.0, 0.0]]), np.array([[0.0, 100.0]])
    >>> arc_radius_m(west, north, CurveParams()).round(1)
    array([10.])
    >>> turned = 10.0 * np.array([[math.cos(math.radians(12.0)), math.sin(math.radians(12.0))]])
    >>> arc_radius_m(np.array([[10.0, 0.0]]), turned, CurveParams()).round(1)
    array([47.6])
    """
    turn = cosine(before, after)
    bent = turn < _STRAIGHT
    c = np.clip(np.where(bent, turn, 0.0), _BACK, 1.0)
    room = np.hypot(before[:, 0], before[:, 1]) + np.hypot(after[:, 0], after[:, 1])
    near = params.drawn_within_m / (np.sqrt(2.0 / (1.0 + c)) - 1.0)
    radius = np.minimum(0.25 * room / _half_tangent(c), near)
    return np.where(bent, np.maximum(radius, params.least_radius_m), np.inf)


def corners(xy: FloatArray, tolerance_m: float) -> NDArray[np.intp]:
    """Return the points of a polyline that its course needs (Douglas and Peucker 1973).

    Parameters
    ----------
    xy : (n, 2) float64
        Points, at least two [m].
    tolerance_m
        No point left out is farther than this from the line that remains [m].

    Returns
    -------
    (n_kept,) int
        Indices, ascending; the ends are always among them.

    Examples
    --------
    >>> corners(np.array([[0.0, 0.0], [5.0, 0.1], [10.0, 0.0], [10.0, 9.0]]), 0.25)
    array([0, 2, 3])
    """
    last = len(xy) - 1
    kept = np.zeros(len(xy), dtype=np.bool_)
    kept[[0, last]] = True
    spans = [(0, last)]
    while spans:
        a, b = spans.pop()
        if b - a < 2:
            continue
        along = xy[b] - xy[a]
        inner = xy[a + 1 : b] - xy[a]
        length = math.sqrt(float(along @ along))
        if length > 0.0:
            across = np.abs(inner[:, 0] * along[1] - inner[:, 1] * along[0]) / length
        else:
            across = np.hypot(inner[:, 0], inner[:, 1])
        far = int(np.argmax(across))
        if across[far] > tolerance_m:
            middle = a + 1 + far
            kept[middle] = True
            spans += [(a, middle), (middle, b)]
    return np.flatnonzero(kept)
