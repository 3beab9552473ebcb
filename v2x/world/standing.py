"""The height of a place of which only the plan is known: on which deck, or on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.errors import V2XError
from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

#: Farther than this from every road, one stands on the ground [m].
ON_ROAD_M = 15.0
#: Roads within this much of the nearest one are as near [m].
_AS_NEAR_M = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A place with a height.

    Attributes
    ----------
    x_m, y_m, z_m
        Position of the feet [m].
    edge
        Edge of the map, -1 on the ground.
    heading_rad
        Direction of the edge there, counter-clockwise from east [rad].
    """

    x_m: float
    y_m: float
    z_m: float
    edge: int = -1
    heading_rad: float = 0.0


def stand_on_ground(road_map: RoadMap, x_m: float, y_m: float) -> Standing:
    """Return the ground at a local position, whatever road is there."""
    if road_map.terrain is None:
        raise V2XError(
            f"map {road_map.name!r} has no terrain",
            remedy=f"name a place within {ON_ROAD_M:g} m of a road, or import it with --elevation",
        )
    ground = road_map.terrain
    if not ground.covers(x_m, y_m):
        raise V2XError(
            f"lies off map {road_map.name!r}",
            remedy="name a place nearer to its roads",
        )
    z_m = float(ground.at(np.array([x_m]), np.array([y_m]))[0])
    return Standing(x_m=x_m, y_m=y_m, z_m=z_m)


def stand_at(road_map: RoadMap, x_m: float, y_m: float, level: int | None = None) -> Standing:
    """Return the road at a local position, or the ground if no road is near.

    Parameters
    ----------
    road_map
        The map.
    x_m, y_m
        Position [m]. Beside a carriageway it moves to the middle of it.
    level
        Level of the road to stand on; by default the top-most of those whose carriageways lie
        under the position, else the nearest within 15 m. Roads in tunnels count only if nothing
        else is there.

    Raises
    ------
    V2XError
        If no road of that level is near, or there is neither road nor terrain.
    """
    edge, x, y, z, away, heading = _nearest_points(road_map, x_m, y_m)
    near = away <= ON_ROAD_M
    if level is not None:
        wanted = near & (road_map.edge_level[edge] == level)
        if not wanted.any():
            levels = sorted({int(value) for value in road_map.edge_level[edge[near]]})
            there = ", ".join(map(str, levels)) or "none"
            raise V2XError(
                f"no road of level {level} within {ON_ROAD_M:g} m",
                remedy=f"levels there: {there}",
            )
        near = wanted
    if not near.any():
        return stand_on_ground(road_map, x_m, y_m)
    tunnel = road_map.edge_structure[edge] == Structure.TUNNEL
    if (near & ~tunnel).any():
        near &= ~tunnel
    half_width = 0.5 * _width_m(road_map)[edge]
    upon = near & (away <= half_width)
    candidates = upon if upon.any() else near & (away <= away[near].min() + _AS_NEAR_M)
    best = int(np.argmax(np.where(candidates, z, -np.inf)))
    on_carriageway = bool(upon[best])
    return Standing(
        x_m=x_m if on_carriageway else float(x[best]),
        y_m=y_m if on_carriageway else float(y[best]),
        z_m=float(z[best]),
        edge=int(edge[best]),
        heading_rad=float(heading[best]),
    )


def _nearest_points(
    road_map: RoadMap, x_m: float, y_m: float
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return, for each piece of a polyline, its edge and its point nearest to a position.

    The point as x, y, z, its plan distance [m] and the direction of the piece [rad].
    """
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), np.diff(road_map.first_point))
    start = np.flatnonzero(edge[:-1] == edge[1:])
    x, y, z = road_map.point_x_m, road_map.point_y_m, road_map.point_z_m
    dx, dy, dz = (values[start + 1] - values[start] for values in (x, y, z))
    length2 = np.maximum(dx**2 + dy**2, 1e-12)
    share = np.clip(((x_m - x[start]) * dx + (y_m - y[start]) * dy) / length2, 0.0, 1.0)
    at_x, at_y = x[start] + share * dx, y[start] + share * dy
    away = np.hypot(at_x - x_m, at_y - y_m)
    return edge[start], at_x, at_y, z[start] + share * dz, away, np.arctan2(dy, dx)


def _width_m(road_map: RoadMap) -> FloatArray:
    """Return the width of the carriageway that each edge is part of [m]."""
    twin = twin_edges(road_map)
    lanes = road_map.edge_lanes.astype(np.float64)
    return (lanes + np.where(twin >= 0, lanes[twin], 0.0)) * road_map.lane_width_m
