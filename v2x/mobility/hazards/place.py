"""Where on the lanes of a map a hazard is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.mobility.curves import CurveParams, find_bends
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.hazards.params import HazardParams
from v2x.mobility.junctions import LaneNetwork
from v2x.world.road_map import Structure

#: Distance of the points at which lanes are looked at [m].
_STEP_M = 5.0
#: How far from a lane a given place may be [m].
_FARTHEST_M = 50.0


@dataclass(frozen=True, slots=True)
class Place:
    """A point on a lane.

    Attributes
    ----------
    edge, lane
        Edge and lane.
    offset_m
        Distance along the edge [m].
    x_m, y_m, z_m
        The same in space [m].
    """

    edge: int
    lane: int
    offset_m: float
    x_m: float
    y_m: float
    z_m: float


def find_place(
    params: HazardParams,
    network: LaneNetwork,
    geometry: RoadGeometry,
    curves: CurveParams,
    used: NDArray[np.bool_],
) -> Place:
    """Return the place of a hazard.

    Parameters
    ----------
    params
        What the scenario says about it.
    network, geometry, curves
        The map, and how bends are found on it.
    used : (n_edges,) bool
        Edges that lie on the route of anybody; others cannot be hit.

    Raises
    ------
    V2XError
        If there is no such place, or no traffic comes there.
    """
    edges = np.flatnonzero(used)
    if params.x_m is not None and params.y_m is not None:
        edge, offset_m, lane = _nearest(params.x_m, params.y_m, edges, geometry)
        return place_at(edge, offset_m, lane, geometry)
    edge, offset_m = _FINDERS[params.structure](params, network, edges, curves)
    return place_at(edge, offset_m, params.lane, geometry)


def place_at(edge: int, offset_m: float, lane: int, geometry: RoadGeometry) -> Place:
    """Return the place on an edge, in a lane that it has."""
    road_map = geometry.road_map
    lane = min(lane, int(road_map.edge_lanes[edge]) - 1)
    offset_m = min(max(offset_m, 0.0), float(road_map.edge_length_m[edge]))
    at = np.array([edge], dtype=np.int32)
    lateral_m = geometry.lane_lateral_m(at, np.array([lane]))
    x, y, z, _ = geometry.position(at, np.array([offset_m]), lateral_m)
    return Place(edge, lane, offset_m, float(x[0]), float(y[0]), float(z[0]))


def _nearest(
    x_m: float, y_m: float, edges: NDArray[np.intp], geometry: RoadGeometry
) -> tuple[int, float, int]:
    """Return edge, offset and lane nearest to a point in plan."""
    road_map = geometry.road_map
    best = (np.inf, -1, 0.0, 0)
    for edge in edges.tolist():
        length_m = float(road_map.edge_length_m[edge])
        along_m = np.linspace(0.0, length_m, max(2, round(length_m / _STEP_M) + 1))
        at = np.full(len(along_m), edge, dtype=np.int32)
        for lane in range(int(road_map.edge_lanes[edge])):
            lateral_m = geometry.lane_lateral_m(at, np.full(len(at), lane))
            x, y, _, _ = geometry.position(at, along_m, lateral_m)
            distance_m = np.hypot(x - x_m, y - y_m)
            k = int(distance_m.argmin())
            best = min(best, (float(distance_m[k]), edge, float(along_m[k]), lane))
    if best[0] > _FARTHEST_M:
        raise V2XError(
            f"no lane with traffic within {_FARTHEST_M:g} m of ({x_m:g}, {y_m:g})",
            key="hazard.x_m",
            remedy="give a point on a road that traffic uses",
        )
    return best[1], best[2], best[3]


def _within(
    name: str,
) -> Callable[[HazardParams, LaneNetwork, NDArray[np.intp], CurveParams], tuple[int, float]]:
    """Return the finder of a place in the longest structure of a name."""

    def found(
        params: HazardParams,
        network: LaneNetwork,
        edges: NDArray[np.intp],
        curves: CurveParams,
    ) -> tuple[int, float]:
        built = network.road_map.edge_structure == Structure[name.upper()]
        chain = _longest_chain(network, [edge for edge in edges.tolist() if built[edge]])
        if not chain:
            raise V2XError(
                f"no traffic comes through a {name} on the map {network.road_map.name!r}",
                key="hazard.structure",
                remedy="choose another structure, or give x_m and y_m",
            )
        return _along(chain, params.into_m, network)

    return found


def _on_road(
    params: HazardParams, network: LaneNetwork, edges: NDArray[np.intp], curves: CurveParams
) -> tuple[int, float]:
    """Return the place on the longest edge."""
    longest = int(edges[network.road_map.edge_length_m[edges].argmax()])
    return _along([longest], params.into_m, network)


def _in_bend(
    params: HazardParams, network: LaneNetwork, edges: NDArray[np.intp], curves: CurveParams
) -> tuple[int, float]:
    """Return the place in the tightest bend."""
    bends = find_bends(network.road_map, curves)
    there = np.flatnonzero(np.isin(bends.edge, edges))
    if not len(there):
        raise V2XError(
            f"the roads of the map {network.road_map.name!r} with traffic have no bends",
            key="hazard.structure",
            remedy="choose another structure, or give x_m and y_m",
        )
    k = int(there[bends.radius_m[there].argmin()])
    begin_m, end_m = float(bends.begin_m[k]), float(bends.end_m[k])
    into_m = 0.5 * (end_m - begin_m) if params.into_m is None else params.into_m
    return int(bends.edge[k]), min(begin_m + into_m, end_m)


_FINDERS: dict[
    str,
    Callable[[HazardParams, LaneNetwork, NDArray[np.intp], CurveParams], tuple[int, float]],
] = {
    "tunnel": _within("tunnel"),
    "bridge": _within("bridge"),
    "bend": _in_bend,
    "road": _on_road,
}


def _along(chain: list[int], into_m: float | None, network: LaneNetwork) -> tuple[int, float]:
    """Return the place so far into a chain of edges, at most at its end."""
    length_m = network.road_map.edge_length_m
    rest_m = 0.5 * float(length_m[chain].sum()) if into_m is None else into_m
    for edge in chain:
        if rest_m <= length_m[edge]:
            return edge, rest_m
        rest_m -= float(length_m[edge])
    return chain[-1], float(length_m[chain[-1]])


def straight_on(network: LaneNetwork, edge: int, among: set[int]) -> list[int]:
    """Return the edges of a set that follow an edge, at forks the longest one, once each."""
    length_m = network.road_map.edge_length_m
    chain = [edge]
    left = among - {edge}
    while True:
        first, end = network.first_movement[chain[-1] : chain[-1] + 2].tolist()
        onward = [int(onto) for onto in network.to_edge[first:end] if int(onto) in left]
        if not onward:
            return chain
        chain.append(max(onward, key=lambda onto: float(length_m[onto])))
        left.discard(chain[-1])


def _longest_chain(network: LaneNetwork, edges: list[int]) -> list[int]:
    """Return the longest run of edges that lead from one to the next."""
    among = set(edges)
    length_m = network.road_map.edge_length_m
    chains = [straight_on(network, edge, among) for edge in edges]
    return max(chains, key=lambda chain: float(length_m[chain].sum()), default=[])
