"""On which roads neighbours are: whether decks and tubes keep two of them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.world.road_map import RoadMap
from v2x.world.tubes import find_tubes

_SOURCES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Routes:
    """Lengths of the ways along roads, either direction, between nodes not far apart.

    Attributes
    ----------
    start : (n_nodes + 1,) int32
        Ways from node u are entries ``start[u]`` to ``start[u + 1]``.
    node : (n_routes,) int32
        Where they lead, ascending; the node itself is among them.
    length_m : (n_routes,) float32
        Their lengths [m].
    """

    start: NDArray[np.int32]
    node: NDArray[np.int32]
    length_m: NDArray[np.float32]


class NeighbourRoads:
    """Tells the medium the level, the tube and the ways along roads of every node.

    Two road users are on other levels if their decks or tubes differ and the way from one to
    the other along roads is longer than twice the distance between them plus 50 m (our own
    choice): those on a bridge and on the ramp that leads onto it are on one road.

    Parameters
    ----------
    road_map
        The map.
    awareness_range_m
        Pairs farther apart are not asked for [m].
    relay
        Whether roadside units tell what they hear.
    linked
        Whether each tells what any of them hears.
    """

    def __init__(
        self,
        road_map: RoadMap,
        awareness_range_m: float,
        *,
        relay: bool = False,
        linked: bool = False,
    ) -> None:
        self.relay, self.linked = relay, linked
        self.routes = _routes(road_map, 2.0 * awareness_range_m + 50.0)
        self._tubes = find_tubes(road_map)
        self._ends = np.stack([road_map.edge_from, road_map.edge_to], axis=1)
        self._length_m = road_map.edge_length_m

    def of(self, fleet: FleetState) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return where everybody is on the road.

        Returns
        -------
        road : (n_rows, 4) int32
            Deck level, tube and end nodes of the edge, -1 for none.
        to_end_m : (n_rows, 2) float32
            Distances to the end nodes along the edge [m].
        """
        road = np.full((fleet.n_rows, 4), -1, dtype=np.int32)
        to_end_m = np.zeros((fleet.n_rows, 2), dtype=np.float32)
        road[:, 0] = fleet.level
        road[:, 1] = self._tubes.of_nodes(fleet.tunnel)
        on = fleet.active & (fleet.edge >= 0)
        edge = fleet.edge[on]
        offset_m = np.clip(fleet.offset_m[on], 0.0, self._length_m[edge])
        road[on, 2:] = self._ends[edge]
        to_end_m[on] = np.stack([offset_m, self._length_m[edge] - offset_m], axis=1)
        return road, to_end_m


def _routes(road_map: RoadMap, limit_m: float) -> Routes:
    """Return the ways not longer than `limit_m`; none on maps that are of one level."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    n = road_map.n_nodes
    if not road_map.edge_structure.any() and np.ptp(road_map.edge_level) == 0:
        none = np.zeros(0)
        return Routes(np.zeros(n + 1, np.int32), none.astype(np.int32), none.astype(np.float32))
    # Of parallel edges the shortest counts; a sum, as duplicates would give, is none.
    order = np.lexsort((road_map.edge_length_m, road_map.edge_to, road_map.edge_from))
    ends = np.stack([road_map.edge_from, road_map.edge_to])[:, order]
    first = np.concatenate([[True], (np.diff(ends, axis=1) != 0).any(axis=0)])
    length = np.maximum(road_map.edge_length_m[order][first], 1e-6)
    graph = csr_array((length, (ends[0, first], ends[1, first])), shape=(n, n))
    start, nodes, lengths = [0], [], []
    for begin in range(0, n, _SOURCES_AT_ONCE):
        sources = np.arange(begin, min(begin + _SOURCES_AT_ONCE, n))
        away = dijkstra(graph, directed=False, indices=sources, limit=limit_m)
        row, node = np.nonzero(np.isfinite(away))
        start.extend((start[-1] + np.cumsum(np.bincount(row, minlength=len(sources)))).tolist())
        nodes.append(node.astype(np.int32))
        lengths.append(away[row, node].astype(np.float32))
    return Routes(np.array(start, dtype=np.int32), np.concatenate(nodes), np.concatenate(lengths))
