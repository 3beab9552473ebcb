"""What the tag ``incline`` is good for: heights where there are none, and a check of others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.world.grades import edge_grades
from v2x.world.point_graph import point_graph
from v2x.world.road_map import FloatArray, RoadMap

#: Pull of a road without the tag towards level, beside that of a road with it.
_LEVEL_WEIGHT = 0.05
#: Pull of every place towards height 0, per metre; it only fixes the mean.
_ANCHOR_WEIGHT = 1e-7


def terrain_from_inclines(road_map: RoadMap, edge_incline: FloatArray) -> FloatArray:
    """Return heights whose slopes are nearest to those mapped.

    Parameters
    ----------
    road_map
        Map in plan.
    edge_incline : (n_edges,) float64
        Mapped slope in the direction of travel (0.05 for 5 %), NaN where none is mapped.

    Returns
    -------
    (n_points,) float64
        Height at each polyline point [m], about 0 on average: the least squares of the
        difference of slopes along the roads, where roads without a slope are rather level.
    """
    from scipy.sparse import coo_array, diags_array
    from scipy.sparse.linalg import spsolve

    graph = point_graph(road_map)
    links, n = graph.links, graph.n_places
    row = np.tile(np.arange(len(links.a)), 2)
    one = np.ones(len(links.a))
    rise = coo_array(
        (np.concatenate([-one, one]), (row, np.concatenate([links.a, links.b]))),
        shape=(len(links.a), n),
    ).tocsr()
    run_m = np.maximum(links.run_m, 1e-3)
    incline = edge_incline[links.edge]
    weight = np.where(np.isnan(incline), _LEVEL_WEIGHT, 1.0) / run_m
    pull = diags_array(weight)
    matrix = rise.T @ pull @ rise + _ANCHOR_WEIGHT * diags_array(np.ones(n))
    height_m = spsolve(matrix.tocsc(), rise.T @ (weight * np.nan_to_num(incline) * run_m))
    return np.asarray(height_m, dtype=np.float64)[graph.place]


def compare_inclines(
    road_map: RoadMap, edge_incline: FloatArray, edge_incline_sign: NDArray[np.int32]
) -> tuple[int, int]:
    """Count the edges whose mapped slope has a sign, and those whose grade has the other one.

    Slopes below half a per cent, mapped or found, count as level and contradict nothing.

    Returns
    -------
    n_compared, n_contradicting : int
    """
    level = 0.005
    grade = edge_grades(road_map)
    mapped = (edge_incline_sign != 0) & ~(np.abs(edge_incline) < level)
    against = mapped & (np.abs(grade) >= level) & (np.sign(grade) != edge_incline_sign)
    return int(mapped.sum()), int(against.sum())
