"""How steep a map is: along its polylines, by edge, and in percentiles of its length."""

from __future__ import annotations

import numpy as np

from v2x.world.road_map import FloatArray, RoadMap

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0)


def point_grades(road_map: RoadMap) -> FloatArray:
    """Return the grade from each polyline point to the next, shape (n_points,).

    The last point of an edge has the grade of the stretch that leads to it.
    """
    run_m, rise_m = _steps_m(road_map)
    grade = np.divide(rise_m, run_m, out=np.zeros_like(run_m), where=run_m > 0)
    last = road_map.first_point[1:] - 1
    grade[last] = grade[last - 1]
    return grade


def edge_grades(road_map: RoadMap) -> FloatArray:
    """Return the mean grade of each edge, rise over run in the direction of travel.

    Returns
    -------
    (n_edges,) float64
        0.05 climbs 5 m in 100 m of plan distance; negative downhill.
    """
    return _per_edge(road_map, absolute=False)


def absolute_edge_grades(road_map: RoadMap) -> FloatArray:
    """Return the mean of the absolute grade along each edge, shape (n_edges,).

    Unlike in the mean grade, a crest or a dip inside an edge does not cancel.
    """
    return _per_edge(road_map, absolute=True)


def grade_percentiles(road_map: RoadMap) -> dict[str, float]:
    """Return percentiles of the absolute grade of edges, weighted with their plan length.

    Returns
    -------
    dict
        ``p50``, ``p75``, ``p90``, ``p95`` and ``p99``: this share of the network lies on edges
        that are on average at most so steep.
    """
    run_m, _ = _steps_m(road_map)
    return _percentiles(
        absolute_edge_grades(road_map), np.add.reduceat(run_m, road_map.first_point[:-1])
    )


def point_grade_percentiles(road_map: RoadMap) -> dict[str, float]:
    """Return the same percentiles of the stretches between polyline points."""
    run_m, _ = _steps_m(road_map)
    return _percentiles(np.abs(point_grades(road_map)), run_m)


def max_grade(road_map: RoadMap) -> float:
    """Return the absolute grade of the steepest stretch between two polyline points."""
    return float(np.abs(point_grades(road_map)).max())


def _steps_m(road_map: RoadMap) -> tuple[FloatArray, FloatArray]:
    """Return run and rise from each point to the next of its edge, 0 at the last [m]."""
    step_m = np.zeros((3, len(road_map.point_x_m)))
    points = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    step_m[:, :-1] = np.diff(points, axis=1)
    step_m[:, road_map.first_point[1:] - 1] = 0.0
    return np.hypot(step_m[0], step_m[1]), step_m[2]


def _per_edge(road_map: RoadMap, *, absolute: bool) -> FloatArray:
    run_m, rise_m = _steps_m(road_map)
    run_m = np.add.reduceat(run_m, road_map.first_point[:-1])
    climb_m = np.add.reduceat(np.abs(rise_m) if absolute else rise_m, road_map.first_point[:-1])
    return np.divide(climb_m, run_m, out=np.zeros_like(run_m), where=run_m > 0)


def _percentiles(grade: FloatArray, run_m: FloatArray) -> dict[str, float]:
    order = np.argsort(grade, kind="stable")
    length_m = np.cumsum(run_m[order])
    at = np.searchsorted(length_m, np.array(PERCENTILES) / 100.0 * length_m[-1])
    steep = grade[order][np.minimum(at, len(order) - 1)]
    return {f"p{p:g}": float(g) for p, g in zip(PERCENTILES, steep, strict=True)}
