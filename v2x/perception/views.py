"""What bodies leave of each other's view: rays from an eye to the width of every body.

Everything is seen from the host: angles are counter-clockwise from the axis of the eye, distances
are in plan. A body is an upright box; a ray goes from the eye to one of a few points across the
silhouette of the body that is looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x.perception.states import RowArray

#: A tenth of a millimetre at 1 km, and half the time.
FloatArray = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

Real = TypeVar("Real", np.float32, np.float64)

#: Rays to each body.
N_RAYS = 3
#: Where they end, as shares of the way from the right to the left side of the silhouette.
_RAY_SHARE = ((np.arange(N_RAYS, dtype=np.float32) + 0.5) / N_RAYS)[:, None]
#: Sides of the four corners of a box, along and across.
_ALONG = np.array([[1.0], [1.0], [-1.0], [-1.0]], dtype=np.float32)
_ACROSS = np.array([[1.0], [-1.0], [1.0], [-1.0]], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Bodies near hosts, from an eye of each host: middle, direction and size.

    Attributes
    ----------
    host : (n,) intp
        Whose eye it is; those of one host stand together.
    ahead_m, across_m : (n,) float32
        Middle of the body from the eye, along its axis and to the left [m].
    turn_cos, turn_sin : (n,) float32
        Direction of the body from the axis.
    half_length_m, half_width_m : (n,) float32
        Half sizes of the body [m].
    bottom_m, top_m, aim_m : (n,) float32
        Heights of the road below, of the top, and of the point that is looked at [m].
    """

    host: RowArray
    ahead_m: FloatArray
    across_m: FloatArray
    turn_cos: FloatArray
    turn_sin: FloatArray
    half_length_m: FloatArray
    half_width_m: FloatArray
    bottom_m: FloatArray
    top_m: FloatArray
    aim_m: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Silhouettes of boxes in plan, and the rays to them.

    Attributes
    ----------
    boxes
        The bodies.
    middle_rad, half_rad : (n,) float32
        Direction of the middle between the sides of the silhouette, and half the angle [rad].
    near_m, far_m : (n,) float32
        Distance of the nearest corner, and of the farthest [m].
    ray_rad, ray_m : (N_RAYS, n) float32
        Directions and lengths of the rays [rad], [m].
    """

    boxes: Boxes
    middle_rad: FloatArray
    half_rad: FloatArray
    near_m: FloatArray
    far_m: FloatArray
    ray_rad: FloatArray
    ray_m: FloatArray

    def __len__(self) -> int:
        return len(self.middle_rad)


@dataclass(frozen=True, slots=True)
class Shadows:
    """Rays that pass over or through another body in plan, and where.

    Attributes
    ----------
    ray, body, blocker : (n,) intp
        Number of the ray, the body that it leads to, the body that may stand in its way.
    """

    ray: RowArray
    body: RowArray
    blocker: RowArray


def single(values: NDArray[np.float64]) -> FloatArray:
    """Return numbers in the precision of views."""
    return values.astype(np.float32)


def wrapped(angle_rad: NDArray[Real]) -> NDArray[Real]:
    """Return angles between -pi and pi [rad]."""
    turns = np.rint(angle_rad * (0.5 / math.pi))
    return np.asarray(angle_rad - turns * (2.0 * math.pi), dtype=angle_rad.dtype)


def views_of(boxes: Boxes) -> Views:
    """Return how bodies look in plan."""
    along, across = _ALONG * boxes.half_length_m, _ACROSS * boxes.half_width_m
    corner_x = boxes.ahead_m + along * boxes.turn_cos - across * boxes.turn_sin
    corner_y = boxes.across_m + along * boxes.turn_sin + across * boxes.turn_cos
    # Tangents of the angles between the middle and the corners.
    turned = boxes.ahead_m * corner_y - boxes.across_m * corner_x
    onward = boxes.ahead_m * corner_x + boxes.across_m * corner_y
    square = corner_x * corner_x + corner_y * corner_y
    # Who stands around the eye, or touches it, fills half of the view.
    np.maximum(onward, 1e-9, out=onward)
    tangent = turned / onward
    right, right_square = _extreme(np.less, tangent, square)
    left, left_square = _extreme(np.greater, tangent, square)
    from_rad, to_rad = np.arctan(right), np.arctan(left)
    from_m, to_m = np.sqrt(right_square), np.sqrt(left_square)
    bearing = np.arctan2(boxes.across_m, boxes.ahead_m)
    width = to_rad - from_rad
    half_rad = width * np.float32(0.5)
    return Views(
        boxes=boxes,
        middle_rad=bearing + from_rad + half_rad,
        half_rad=half_rad,
        near_m=np.sqrt(square.min(axis=0)),
        far_m=np.sqrt(square.max(axis=0)),
        ray_rad=bearing + from_rad + _RAY_SHARE * width,
        ray_m=from_m + _RAY_SHARE * (to_m - from_m),
    )


def _extreme(
    beyond: np.ufunc, tangent: FloatArray, square: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the outermost of the corners' tangents, (4, n) to (n,), and the square there."""
    outer, outer_square = tangent[0], square[0]
    for corner in (1, 2, 3):
        farther = beyond(tangent[corner], outer)
        outer = np.where(farther, tangent[corner], outer)
        outer_square = np.where(farther, square[corner], outer_square)
    return outer, outer_square


def shadows_of(views: Views) -> Shadows:
    """Return the rays in whose way another body of the same host's view stands, in plan."""
    body, blocker = _overlapping(views)
    away = views.ray_rad.take(body, axis=1) - views.middle_rad[blocker]
    if _goes_round(views):
        away = wrapped(away)
    within = np.abs(away) < views.half_rad[blocker]
    within &= views.ray_m.take(body, axis=1) > views.near_m[blocker]
    ray, pair = np.divmod(np.flatnonzero(within), max(len(body), 1))
    body, blocker = body[pair], blocker[pair]
    # A body that reaches beyond the end of the ray may stand beside or behind it.
    unsure = np.flatnonzero(views.ray_m[ray, body] < views.far_m[blocker])
    meets = np.ones(len(ray), dtype=np.bool_)
    meets[unsure] = _meets_plan(views, ray[unsure], body[unsure], blocker[unsure])
    return Shadows(ray[meets], body[meets], blocker[meets])


def free_rays(views: Views, shadows: Shadows, eye_m: FloatArray) -> BoolArray:
    """Return which rays from eyes at a height reach their bodies, (N_RAYS, n).

    Parameters
    ----------
    views, shadows
        What there is in plan.
    eye_m : (n,) float32
        Height of the eye [m].

    Notes
    -----
    A ray ends at a body if it is between road and roof anywhere between the nearest corner and
    the farthest.
    """
    boxes, body, blocker = views.boxes, shadows.body, shadows.blocker
    free = np.ones((N_RAYS, len(views)), dtype=np.bool_)
    length = views.ray_m[shadows.ray, body]
    start = eye_m[body]
    rise = (boxes.aim_m[body] - start) / length
    entry = start + rise * views.near_m[blocker]
    leave = start + rise * np.minimum(views.far_m[blocker], length)
    ends = np.minimum(entry, leave) < boxes.top_m[blocker]
    ends &= np.maximum(entry, leave) > boxes.bottom_m[blocker]
    free[shadows.ray[ends], body[ends]] = False
    return free


def _goes_round(views: Views) -> bool:
    """Return whether a silhouette may reach past straight behind the axis."""
    return bool(len(views)) and bool((np.abs(views.middle_rad) + views.half_rad).max() > np.pi)


def _overlapping(views: Views) -> tuple[RowArray, RowArray]:
    """Return bodies, and others of the same host that overlap them and begin before their end."""
    host, middle, half = views.boxes.host, views.middle_rad, views.half_rad
    round_ = _goes_round(views)
    parts: list[tuple[RowArray, RowArray]] = [(np.zeros(0, dtype=np.intp),) * 2]
    for lag in range(1, len(host)):
        same = host[lag:] == host[:-lag]
        if not same.any():
            break
        apart = np.abs(middle[lag:] - middle[:-lag])
        if round_:
            apart = np.minimum(apart, np.abs(2.0 * math.pi - apart))
        same &= apart < half[lag:] + half[:-lag]
        first = np.flatnonzero(same)
        parts.append((first + lag, first))
    later = np.concatenate([a for a, _ in parts])
    first = np.concatenate([b for _, b in parts])
    # Bodies stand nearer first, by their middles: few of the later ones begin before the first end.
    before = np.flatnonzero(views.near_m[first] < views.far_m[later])
    after = np.flatnonzero(views.near_m[later] < views.far_m[first])
    return (
        np.concatenate([later[before], first[after]]),
        np.concatenate([first[before], later[after]]),
    )


def _meets_plan(views: Views, ray: RowArray, body: RowArray, blocker: RowArray) -> BoolArray:
    """Return whether rays enter bodies before they end, in plan."""
    boxes = views.boxes
    bearing, length = views.ray_rad[ray, body], views.ray_m[ray, body]
    x, y = length * np.cos(bearing), length * np.sin(bearing)
    cos, sin = boxes.turn_cos[blocker], boxes.turn_sin[blocker]
    ahead, across = boxes.ahead_m[blocker], boxes.across_m[blocker]
    enter, leave = np.zeros_like(x), np.ones_like(x)
    for start, way, half in (
        (-ahead * cos - across * sin, x * cos + y * sin, boxes.half_length_m[blocker]),
        (ahead * sin - across * cos, y * cos - x * sin, boxes.half_width_m[blocker]),
    ):
        step = np.where(np.abs(way) < 1e-9, 1e-9, way)
        one, other = (-half - start) / step, (half - start) / step
        enter = np.maximum(enter, np.minimum(one, other))
        leave = np.minimum(leave, np.maximum(one, other))
    return np.asarray(enter < leave)
