"""Tunnel tubes and their portals: which edges share one hollow space, and where it opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

#: Points closer than this show no direction [m].
_LEAST_STEP_M = 0.05


@dataclass(frozen=True, slots=True)
class Tubes:
    """Tubes of a map and the portals in which they end.

    Attributes
    ----------
    n_tubes
        Number of tubes.
    edge_tube : (n_edges,) int32
        Tube of each edge, -1 outside tunnels. Edges share a tube if they meet in a tunnel or
        are the two directions of one carriageway.
    portal_tube : (n_portals,) int32
        Tube that opens there.
    portal_x_m, portal_y_m, portal_z_m : (n_portals,) float64
        Middle of the mouth at road height [m].
    portal_out_x, portal_out_y : (n_portals,) float64
        Unit vector along the road out of the tube, in plan.
    portal_width_m : (n_portals,) float64
        Width of the carriageway in the mouth [m].
    """

    n_tubes: int
    edge_tube: IntArray
    portal_tube: IntArray
    portal_x_m: FloatArray
    portal_y_m: FloatArray
    portal_z_m: FloatArray
    portal_out_x: FloatArray
    portal_out_y: FloatArray
    portal_width_m: FloatArray

    def of_nodes(self, tunnel: IntArray) -> IntArray:
        """Return the tube of road users whose column ``tunnel`` is given, -1 outside."""
        tube = np.full(len(tunnel), -1, dtype=np.int32)
        inside = tunnel >= 0
        tube[inside] = self.edge_tube[tunnel[inside]]
        return tube


def find_tubes(road_map: RoadMap) -> Tubes:
    """Return the tubes of a map.

    A portal is a node where a tunnel edge meets an edge outside, or where the map ends inside a
    tunnel. Parallel tubes for the two directions of an expressway stay apart: nothing joins
    them in the map. Where several edges of a tube end in one portal, its axis is the mean of
    their directions and its width the sum of their lanes.
    """
    inside = np.flatnonzero(road_map.edge_structure == Structure.TUNNEL)
    opens = _open_nodes(road_map)
    edge_tube, n_tubes = _joined(road_map, inside, opens)
    mouths: dict[tuple[int, int], FloatArray] = {}
    for edge in inside.tolist():
        width_m = float(road_map.edge_lanes[edge]) * road_map.lane_width_m
        for node, out in zip(*_ends(road_map, edge), strict=True):
            if opens[node]:
                key = (int(edge_tube[edge]), node)
                mouths.setdefault(key, np.zeros(3))[:] += (*out, width_m)
    portal_tube = np.array([tube for tube, _ in mouths], dtype=np.int32)
    portal_node = np.array([node for _, node in mouths], dtype=np.intp)
    facts = np.array(list(mouths.values()), dtype=np.float64).reshape(-1, 3)
    # Opposite directions, of a tube that passes its own portal, leave no axis.
    length = np.maximum(np.hypot(facts[:, 0], facts[:, 1]), 1e-9)
    return Tubes(
        n_tubes=n_tubes,
        edge_tube=edge_tube,
        portal_tube=portal_tube,
        portal_x_m=road_map.node_x_m[portal_node],
        portal_y_m=road_map.node_y_m[portal_node],
        portal_z_m=road_map.node_z_m[portal_node],
        portal_out_x=facts[:, 0] / length,
        portal_out_y=facts[:, 1] / length,
        portal_width_m=facts[:, 2],
    )


def _open_nodes(road_map: RoadMap) -> NDArray[np.bool_]:
    """Return at which nodes a tunnel edge that ends there would open, shape (n_nodes,).

    There is an edge outside, or a single road ends.
    """
    outside = road_map.edge_structure != Structure.TUNNEL
    opens = np.zeros(road_map.n_nodes, dtype=np.bool_)
    neighbours: list[set[int]] = [set() for _ in range(road_map.n_nodes)]
    for edge, (begin, end) in enumerate(
        zip(road_map.edge_from.tolist(), road_map.edge_to.tolist(), strict=True)
    ):
        if outside[edge]:
            opens[[begin, end]] = True
        # Both directions of a street lead to the same neighbour.
        neighbours[begin].add(end)
        neighbours[end].add(begin)
    lone = np.array([len(around) == 1 for around in neighbours], dtype=np.bool_)
    return opens | lone


def _joined(
    road_map: RoadMap, inside: NDArray[np.intp], opens: NDArray[np.bool_]
) -> tuple[IntArray, int]:
    """Return the tube of each edge, -1 outside, and the number of tubes.

    Tunnel edges and the closed nodes they end in form a graph whose components are tubes; at an
    open node they meet only if they are the two directions of one carriageway.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    position = np.full(road_map.n_edges, -1, dtype=np.int64)
    position[inside] = np.arange(len(inside))
    ends = np.concatenate([road_map.edge_from[inside], road_map.edge_to[inside]])
    closed = ~opens[ends]
    twin = twin_edges(road_map)[inside]
    other = np.where(twin >= 0, position[twin], -1)
    paired = np.flatnonzero(other >= 0)
    first = np.concatenate([np.tile(np.arange(len(inside)), 2)[closed], paired])
    second = np.concatenate([len(inside) + ends[closed], other[paired]])
    size = len(inside) + road_map.n_nodes
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    label = connected_components(graph, directed=False)[1][: len(inside)]
    names, tube = np.unique(label, return_inverse=True)
    edge_tube = np.full(road_map.n_edges, -1, dtype=np.int32)
    edge_tube[inside] = tube
    return edge_tube, len(names)


def _ends(
    road_map: RoadMap, edge: int
) -> tuple[tuple[int, int], tuple[tuple[float, float], tuple[float, float]]]:
    """Return the nodes at the ends of an edge and the unit vectors that lead out of it there."""
    points = slice(int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]))
    x, y = road_map.point_x_m[points], road_map.point_y_m[points]
    nodes = int(road_map.edge_from[edge]), int(road_map.edge_to[edge])
    return nodes, (_outward(x, y), _outward(x[::-1], y[::-1]))


def _outward(x_m: FloatArray, y_m: FloatArray) -> tuple[float, float]:
    """Return the direction in which a polyline leaves its first point backwards."""
    dx, dy = x_m[0] - x_m, y_m[0] - y_m
    length = np.hypot(dx, dy)
    # Points may lie on one spot; the first that does not shows the way.
    away = int(np.argmax(length >= _LEAST_STEP_M))
    return float(dx[away] / length[away]), float(dy[away] / length[away])
