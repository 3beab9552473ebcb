"""Tunnel tubes and their portals: which edges share one hollow space, and where it opens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure


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
    them in the map.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = road_map.n_edges
    tunnel = road_map.edge_structure == Structure.TUNNEL
    inside = np.flatnonzero(tunnel)
    edge_tube = np.full(n, -1, dtype=np.int32)
    ends = np.concatenate([road_map.edge_from[inside], road_map.edge_to[inside]])
    open_ends = np.zeros(road_map.n_nodes, dtype=np.bool_)
    open_ends[road_map.edge_from[~tunnel]] = True
    open_ends[road_map.edge_to[~tunnel]] = True
    # Tunnel edges and their closed end nodes form a graph whose components are tubes; at an open
    # end they meet only if they are the two directions of one carriageway.
    rows = np.tile(np.arange(len(inside)), 2)
    closed = ~open_ends[ends]
    twin = twin_edges(road_map)[inside]
    position = np.full(n, -1, dtype=np.int64)
    position[inside] = np.arange(len(inside))
    paired = np.flatnonzero(twin >= 0)
    first = np.concatenate([rows[closed], paired])
    second = np.concatenate([len(inside) + ends[closed], position[twin[paired]]])
    size = len(inside) + road_map.n_nodes
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    label = connected_components(graph, directed=False)[1][: len(inside)]
    names, edge_tube_inside = np.unique(label, return_inverse=True)
    edge_tube[inside] = edge_tube_inside.astype(np.int32)

    used = np.bincount(ends, minlength=road_map.n_nodes)
    mouths: dict[tuple[int, int], tuple[float, float, float]] = {}
    for edge in inside.tolist():
        begin, end = int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]) - 1
        width = float(road_map.edge_lanes[edge]) * road_map.lane_width_m
        for node, at, inner in (
            (int(road_map.edge_from[edge]), begin, begin + 1),
            (int(road_map.edge_to[edge]), end, end - 1),
        ):
            lone = used[node] == 1 or (used[node] == 2 and twin[position[edge]] >= 0)
            if not (open_ends[node] or lone):
                continue
            dx = float(road_map.point_x_m[at] - road_map.point_x_m[inner])
            dy = float(road_map.point_y_m[at] - road_map.point_y_m[inner])
            length = max(float(np.hypot(dx, dy)), 1e-9)
            key = (int(edge_tube[edge]), node)
            known = mouths.get(key)
            if known is None:
                mouths[key] = (dx / length, dy / length, width)
            else:
                mouths[key] = (known[0], known[1], known[2] + width)
    keys = list(mouths)
    nodes = np.array([node for _, node in keys], dtype=np.intp)
    facts = np.array([mouths[key] for key in keys], dtype=np.float64).reshape(-1, 3)
    return Tubes(
        n_tubes=len(names),
        edge_tube=edge_tube,
        portal_tube=np.array([tube for tube, _ in keys], dtype=np.int32),
        portal_x_m=road_map.node_x_m[nodes],
        portal_y_m=road_map.node_y_m[nodes],
        portal_z_m=road_map.node_z_m[nodes],
        portal_out_x=facts[:, 0],
        portal_out_y=facts[:, 1],
        portal_width_m=facts[:, 2],
    )
