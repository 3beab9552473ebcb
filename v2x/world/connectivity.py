"""What hangs together: entries, exits, and the parts of a directed network.

Every edge of a finite directed network lies on a way from a source part to a sink part: seen
as strongly connected parts the network has no cycle, so going back along any edge ends in a part
that nothing leads into, and going on ends in one that nothing leaves. Such a part is either a
single node, where traffic enters or leaves the map, or strongly connected, where it can start
and circulate. Keeping what lies between entries and exits therefore leaves only the choice
among the parts that are not joined at all, and the largest is kept.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.world.road_map import RoadMap


def largest_weak_part(
    edge_from: ArrayLike, edge_to: ArrayLike, edge_length_m: ArrayLike
) -> NDArray[np.bool_]:
    """Return which edges belong to the connected part with the greatest length.

    Parameters
    ----------
    edge_from, edge_to : (n_edges,) int
        Nodes; their numbers need not be consecutive.
    edge_length_m : (n_edges,) float
        Length [m].

    Returns
    -------
    (n_edges,) bool
        Of parts equally long, that of the first edge is taken.
    """
    ends = np.stack([np.asarray(edge_from), np.asarray(edge_to)])
    nodes, compact = np.unique(ends, return_inverse=True)
    compact = compact.reshape(ends.shape)
    part = _components(compact[0], compact[1], len(nodes), connection="weak")[compact[0]]
    length_m = np.bincount(part, weights=np.asarray(edge_length_m, dtype=np.float64))
    longest = np.isclose(length_m, length_m.max(), rtol=1e-12, atol=0.0)
    largest: NDArray[np.bool_] = part == part[np.argmax(longest[part])]
    return largest


def strong_parts(road_map: RoadMap) -> NDArray[np.int32]:
    """Return the number of the strongly connected part of each node, shape (n_nodes,)."""
    return _components(road_map.edge_from, road_map.edge_to, road_map.n_nodes, connection="strong")


def entry_nodes(road_map: RoadMap) -> NDArray[np.int32]:
    """Return the nodes that no edge leads into, where traffic enters the map."""
    arriving = np.bincount(road_map.edge_to, minlength=road_map.n_nodes)
    return np.flatnonzero(arriving == 0).astype(np.int32)


def exit_nodes(road_map: RoadMap) -> NDArray[np.int32]:
    """Return the nodes that no edge leaves, where traffic leaves the map."""
    leaving = np.bincount(road_map.edge_from, minlength=road_map.n_nodes)
    return np.flatnonzero(leaving == 0).astype(np.int32)


def mainline_nodes(road_map: RoadMap, nodes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return those of `nodes` that touch an edge which is not a ramp (``..._link``)."""
    ramp = np.array([name.endswith("_link") for name in road_map.class_names], dtype=np.bool_)
    mainline = ~ramp[road_map.edge_class]
    touched = np.union1d(road_map.edge_from[mainline], road_map.edge_to[mainline])
    return nodes[np.isin(nodes, touched)]


def _components(
    edge_from: NDArray[np.int32] | NDArray[np.intp],
    edge_to: NDArray[np.int32] | NDArray[np.intp],
    n_nodes: int,
    *,
    connection: Literal["weak", "strong"],
) -> NDArray[np.int32]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(edge_from), dtype=np.int8)
    graph = csr_array((ones, (edge_from, edge_to)), shape=(n_nodes, n_nodes))
    _, label = connected_components(graph, directed=True, connection=connection)
    return np.asarray(label, dtype=np.int32)
