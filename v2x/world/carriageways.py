"""Carriageways: edges strung together to the long lines that a person sees as roads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap

#: Edges continue each other at a node if they bend by less than this there (cosine of 60°).
_STRAIGHT = 0.5
#: What an equal street name is worth against straightness, when a road could go on two ways.
_SAME_NAME = 0.3


@dataclass(frozen=True, slots=True)
class Carriageway:
    """Edges in a row; of the two directions of one street only one is there.

    Attributes
    ----------
    edge : (n,) int32
        Edges in the order of the line.
    forward : (n,) bool
        Whether the line follows the direction of the edge.
    end_m : (n,) float64
        Distance along the line at which each edge ends [m].
    """

    edge: IntArray
    forward: NDArray[np.bool_]
    end_m: FloatArray

    @property
    def length_m(self) -> float:
        """Length of the line [m]."""
        return float(self.end_m[-1])

    def at(self, along_m: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return edges and offsets along them [m] at distances along the line, shape (n,)."""
        piece = np.minimum(np.searchsorted(self.end_m, along_m, side="left"), len(self.edge) - 1)
        begin = np.concatenate([[0.0], self.end_m[:-1]])[piece]
        done, length = along_m - begin, self.end_m[piece] - begin
        return self.edge[piece], np.where(self.forward[piece], done, length - done)

    def evenly(self, spacing_m: float) -> tuple[IntArray, FloatArray]:
        """Return places about `spacing_m` apart [m], half of that from the ends.

        A line shorter than a quarter of the spacing has none.
        """
        n = round(self.length_m / spacing_m)
        if n == 0 and self.length_m >= 0.25 * spacing_m:
            n = 1
        share = (np.arange(n, dtype=np.float64) + 0.5) / max(n, 1)
        return self.at(np.asarray(share * self.length_m, dtype=np.float64))


def on_edges(
    road_map: RoadMap, edge: IntArray, offset_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return points on edges and the directions of the road there.

    Parameters
    ----------
    road_map
        The map.
    edge : (n,) int32
        Edges.
    offset_m : (n,) float64
        Distances along them [m]; those beyond an end are at the end.

    Returns
    -------
    place_m : (3, n) float64
        x, y and z [m].
    along : (2, n) float64
        Unit vectors of travel, in plan.
    """
    # Offsets of all edges on one axis, a metre apart, for one search.
    base = np.concatenate([[0.0], np.cumsum(road_map.edge_length_m[:-1] + 1.0)])
    axis = road_map.point_offset_m + np.repeat(base, np.diff(road_map.first_point))
    at = np.clip(offset_m, 0.0, road_map.edge_length_m[edge])
    piece = np.searchsorted(axis, base[edge] + at, side="right") - 1
    piece = np.clip(piece, road_map.first_point[edge], road_map.first_point[edge + 1] - 2)
    points = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    step = points[:, piece + 1] - points[:, piece]
    begin = road_map.point_offset_m[piece]
    length = np.maximum(road_map.point_offset_m[piece + 1] - begin, 1e-9)
    run = np.maximum(np.hypot(step[0], step[1]), 1e-9)
    share = np.clip((at - begin) / length, 0.0, 1.0)
    return points[:, piece] + share * step, step[:2] / run


def one_of_twins(road_map: RoadMap) -> IntArray:
    """Return the edges, of the two directions of one street only the first."""
    twin = twin_edges(road_map)
    edge = np.arange(road_map.n_edges, dtype=np.int32)
    return edge[(twin < 0) | (edge < twin)]


def carriageways(road_map: RoadMap, kind: IntArray) -> list[Carriageway]:
    """Return the carriageways of a map, the longest first.

    Parameters
    ----------
    road_map
        The map.
    kind : (n_edges,) int32
        Only edges of one kind continue each other, such as those in one tunnel tube.

    Notes
    -----
    At each node the pair of edges that continue each other most straightly is joined first,
    then the next of those left, as long as the bend is less than 60°.
    """
    edges = one_of_twins(road_map).tolist()
    partner = _joined_ends(road_map, kind, edges)
    lines: list[Carriageway] = []
    used: set[int] = set()
    ends = [(edge, side) for edge in edges for side in (0, 1)]
    # Lines that have an end are followed from it; what is left then are rings.
    for start in [end for end in ends if end not in partner] + ends:
        if start[0] in used:
            continue
        edge, side = start
        row: list[tuple[int, bool]] = []
        while edge not in used:
            used.add(edge)
            row.append((edge, side == 0))
            following = partner.get((edge, 1 - side))
            if following is None:
                break
            edge, side = following
        edge_of = np.array([e for e, _ in row], dtype=np.int32)
        lines.append(
            Carriageway(
                edge=edge_of,
                forward=np.array([forward for _, forward in row], dtype=np.bool_),
                end_m=np.cumsum(road_map.edge_length_m[edge_of]),
            )
        )
    return sorted(lines, key=lambda line: (-line.length_m, int(line.edge[0])))


_End = tuple[int, int]


def _joined_ends(road_map: RoadMap, kind: IntArray, edges: list[int]) -> dict[_End, _End]:
    """Return for each end (edge, 0 begin or 1 end) of an edge the end that continues it."""
    at_node: dict[int, list[_End]] = {}
    outward: dict[_End, tuple[float, float]] = {}
    for edge in edges:
        begin, last = int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]) - 1
        for side, node, here, inner in (
            (0, int(road_map.edge_from[edge]), begin, begin + 1),
            (1, int(road_map.edge_to[edge]), last, last - 1),
        ):
            dx = float(road_map.point_x_m[inner] - road_map.point_x_m[here])
            dy = float(road_map.point_y_m[inner] - road_map.point_y_m[here])
            run = max(float(np.hypot(dx, dy)), 1e-9)
            outward[edge, side] = (dx / run, dy / run)
            at_node.setdefault(node, []).append((edge, side))
    partner: dict[_End, _End] = {}
    for met in at_node.values():
        pairs = []
        for k, one in enumerate(met):
            for other in met[k + 1 :]:
                if kind[one[0]] != kind[other[0]]:
                    continue
                (ax, ay), (bx, by) = outward[one], outward[other]
                straight = -(ax * bx + ay * by)
                name = road_map.edge_name[one[0]]
                same = bool(name) and name == road_map.edge_name[other[0]]
                if straight > _STRAIGHT:
                    pairs.append((-straight - _SAME_NAME * same, one, other))
        for _, one, other in sorted(pairs):
            if one not in partner and other not in partner:
                partner[one], partner[other] = other, one
    return partner
