from __future__ import annotations

import numpy as np
import pytest

from v2x.world.geometry import Polylines, road_map_of
from v2x.world.incline import compare_inclines, terrain_from_inclines
from v2x.world.road_map import RoadMap


def chain(rise_m: list[float]) -> RoadMap:
    """Return one-way edges of 100 m in a row that rise by these heights."""
    n = len(rise_m)
    x_m = np.repeat(np.arange(n + 1) * 100.0, 2)[1:-1]
    z_m = np.repeat(np.concatenate([[0.0], np.cumsum(rise_m)]), 2)[1:-1]
    return road_map_of(
        name="chain",
        edge_from=np.arange(n),
        edge_to=np.arange(1, n + 1),
        edge_lanes=[1] * n,
        edge_limit_mps=[10.0] * n,
        edge_class=[0] * n,
        class_names=("road",),
        edge_name=[""] * n,
        polylines=Polylines(2 * np.arange(n + 1), x_m, np.zeros(2 * n), z_m),
    )


def test_heights_follow_mapped_slopes_and_are_level_elsewhere() -> None:
    road_map = chain([0.0] * 4)
    incline = np.array([0.05, np.nan, -0.02, np.nan])
    height_m = terrain_from_inclines(road_map, incline)
    assert np.diff(height_m)[::2] == pytest.approx([5.0, 0.0, -2.0, 0.0], abs=1e-3)
    assert np.unique(height_m.round(6)).mean() == pytest.approx(0.0, abs=3.0)


def test_a_ring_that_climbs_all_around_is_closed_by_least_squares() -> None:
    """Slopes of 3, 0 and 0 % around a triangle cannot be; each gives way by 1 %."""
    corner = np.array([[0.0, 0.0], [100.0, 0.0], [50.0, 50 * np.sqrt(3)]])
    order = [0, 1, 1, 2, 2, 0]
    road_map = road_map_of(
        name="ring",
        edge_from=[0, 1, 2],
        edge_to=[1, 2, 0],
        edge_lanes=[1] * 3,
        edge_limit_mps=[10.0] * 3,
        edge_class=[0] * 3,
        class_names=("road",),
        edge_name=[""] * 3,
        polylines=Polylines(
            np.array([0, 2, 4, 6]), corner[order, 0], corner[order, 1], np.zeros(6)
        ),
    )
    height_m = terrain_from_inclines(road_map, np.array([0.03, 0.0, 0.0]))
    assert np.diff(height_m)[::2] == pytest.approx([2.0, -1.0, -1.0], abs=1e-3)


def test_contradictions_are_counted_but_not_on_level_roads() -> None:
    road_map = chain([5.0, 5.0, 0.1, -5.0, 5.0])
    sign = np.array([1, -1, -1, -1, -1], dtype=np.int32)
    incline = np.array([0.04, -0.05, -0.03, np.nan, -0.001])
    assert compare_inclines(road_map, incline, sign) == (4, 1)
