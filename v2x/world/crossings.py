"""Where one road passes over another without meeting it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.point_graph import Links, PointGraph
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure

#: Order of structures on the same level, in units that never outweigh a level.
_STANDING = {Structure.GROUND: 0, Structure.BRIDGE: 1, Structure.TUNNEL: -1}
_PER_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Crossings:
    """Places where two links cross in plan at different heights.

    Attributes
    ----------
    upper, lower : (n_crossings,) int32
        Links.
    upper_share, lower_share : (n_crossings,) float64
        Where along each link, 0 at its point `a`.
    levels : (n_crossings,) int32
        Difference of their levels, at least 1.
    n_unordered
        Crossings left out because neither level nor structure says which road is above.
    """

    upper: IntArray
    lower: IntArray
    upper_share: FloatArray
    lower_share: FloatArray
    levels: IntArray
    n_unordered: int


def find_crossings(road_map: RoadMap, graph: PointGraph) -> Crossings:
    """Return where links of a map cross that have no place in common.

    The higher level is above; on equal levels a bridge is above the ground and a tunnel below.
    """
    links = graph.links
    one, two = _touching_pairs(links, graph.x_m, graph.y_m)
    apart = np.ones(len(one), dtype=np.bool_)
    for p in (links.a, links.b):
        for q in (links.a, links.b):
            apart &= p[one] != q[two]
    one, two = one[apart], two[apart]
    share_one, share_two, proper = _shares(links, one, two, graph.x_m, graph.y_m)
    one, two = one[proper], two[proper]
    standing = np.array([_STANDING[structure] for structure in Structure], dtype=np.int32)
    rank = _PER_LEVEL * road_map.edge_level + standing[road_map.edge_structure]
    above = rank[links.edge[one]] - rank[links.edge[two]]
    ordered = above != 0
    one, two, above = one[ordered], two[ordered], above[ordered]
    share_one, share_two = share_one[ordered], share_two[ordered]
    first = above > 0
    level = road_map.edge_level[links.edge]
    return Crossings(
        upper=np.where(first, one, two).astype(np.int32),
        lower=np.where(first, two, one).astype(np.int32),
        upper_share=np.where(first, share_one, share_two),
        lower_share=np.where(first, share_two, share_one),
        levels=np.maximum(1, np.abs(level[one] - level[two])),
        n_unordered=int((~ordered).sum()),
    )


def _touching_pairs(
    links: Links, x_m: FloatArray, y_m: FloatArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs of links that touch in plan, each once, in order."""
    import shapely  # type: ignore[import-untyped]

    ends = np.stack([links.a, links.b], axis=1)
    lines = shapely.linestrings(np.stack([x_m[ends], y_m[ends]], axis=2))
    one, two = shapely.STRtree(lines).query(lines, predicate="intersects")
    once = one < two
    order = np.lexsort((two[once], one[once]))
    return one[once][order], two[once][order]


def _shares(
    links: Links,
    one: NDArray[np.intp],
    two: NDArray[np.intp],
    x_m: FloatArray,
    y_m: FloatArray,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Return where along each pair's links they cross, and which pairs are not parallel."""
    a, b, c, d = links.a[one], links.b[one], links.a[two], links.b[two]
    ux, uy, vx, vy = x_m[b] - x_m[a], y_m[b] - y_m[a], x_m[d] - x_m[c], y_m[d] - y_m[c]
    wx, wy = x_m[c] - x_m[a], y_m[c] - y_m[a]
    cross = ux * vy - uy * vx
    proper = np.abs(cross) > 1e-9 * links.run_m[one] * links.run_m[two]
    cross = cross[proper]
    share_one = ((wx * vy - wy * vx)[proper]) / cross
    share_two = ((wx * uy - wy * ux)[proper]) / cross
    return np.clip(share_one, 0.0, 1.0), np.clip(share_two, 0.0, 1.0), proper
