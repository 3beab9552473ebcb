from __future__ import annotations

import numpy as np
import pytest

from v2x.world.geometry import (
    Polylines,
    flatten,
    polylines_of,
    road_map_of,
    subdivide,
    twin_edges,
    with_polylines,
)
from v2x.world.road_map import RoadMap, Structure


def two_way_and_one_way() -> RoadMap:
    """Edges 0 and 1 are a street and back, 2 is one-way, 3 runs back along another line."""
    x_m = [0.0, 30.1, 100.0, 100.0, 30.1, 0.0, 100.0, 200.0, 200.0, 150.0, 100.0]
    y_m = [0.0, 10.3, 0.0, 0.0, 10.3, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0]
    z_m = [0.0, 5.0, 2.0, 2.0, 5.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    return road_map_of(
        name="streets",
        edge_from=[0, 1, 1, 2],
        edge_to=[1, 0, 2, 1],
        edge_lanes=[1, 1, 2, 2],
        edge_limit_mps=[10.0] * 4,
        edge_class=[0] * 4,
        edge_structure=[0, 0, Structure.BRIDGE, 0],
        class_names=("residential",),
        edge_name=["a", "a", "b", "c"],
        polylines=Polylines(
            np.array([0, 3, 6, 8, 11]), np.array(x_m), np.array(y_m), np.array(z_m)
        ),
    )


def test_lengths_and_offsets_are_three_dimensional() -> None:
    road_map = two_way_and_one_way()
    first = np.hypot(np.hypot(30.1, 10.3), 5.0)
    second = np.hypot(np.hypot(69.9, 10.3), 3.0)
    assert road_map.point_offset_m[:3] == pytest.approx([0.0, first, first + second])
    assert road_map.edge_length_m == pytest.approx(
        [first + second, first + second, 100.0, 2 * np.hypot(50.0, 5.0)]
    )
    np.testing.assert_array_equal(
        road_map.edge_length_m, road_map.point_offset_m[road_map.first_point[1:] - 1]
    )
    assert road_map.node_x_m.tolist() == [0.0, 100.0, 200.0]
    assert road_map.node_z_m.tolist() == [0.0, 2.0, 2.0]


def test_arrays_are_read_only() -> None:
    road_map = two_way_and_one_way()
    with pytest.raises(ValueError, match="read-only"):
        road_map.point_z_m[0] = 1.0


def test_twins_share_a_polyline() -> None:
    assert twin_edges(two_way_and_one_way()).tolist() == [1, 0, -1, -1]


@pytest.mark.parametrize("spacing_m", [7.0, 25.0, 1000.0])
def test_subdivision_keeps_the_line_and_the_twins(spacing_m: float) -> None:
    road_map = two_way_and_one_way()
    fine = subdivide(road_map, spacing_m)
    first = fine.first_point
    step_m = np.hypot(np.diff(fine.point_x_m), np.diff(fine.point_y_m))
    step_m = np.delete(step_m, first[1:-1] - 1)
    assert step_m.max() <= spacing_m + 1e-3
    assert fine.edge_length_m == pytest.approx(road_map.edge_length_m, abs=0.02)
    assert twin_edges(fine).tolist() == [1, 0, -1, -1]
    for edge in range(road_map.n_edges):
        old = slice(road_map.first_point[edge], road_map.first_point[edge + 1])
        new = slice(first[edge], first[edge + 1])
        points = set(zip(fine.point_x_m[new], fine.point_y_m[new], strict=True))
        assert points >= set(zip(road_map.point_x_m[old], road_map.point_y_m[old], strict=True))
        height = np.interp(
            fine.point_offset_m[new], road_map.point_offset_m[old], road_map.point_z_m[old]
        )
        assert fine.point_z_m[new] == pytest.approx(height, abs=0.01)
    np.testing.assert_array_equal(fine.node_x_m, road_map.node_x_m)


def test_flat_twin_has_the_plan_and_no_heights() -> None:
    road_map = two_way_and_one_way()
    flat = flatten(road_map)
    assert not flat.point_z_m.any()
    assert not flat.node_z_m.any()
    assert flat.edge_length_m[0] == pytest.approx(np.hypot(30.1, 10.3) + np.hypot(69.9, 10.3))
    np.testing.assert_array_equal(flat.point_x_m, road_map.point_x_m)
    np.testing.assert_array_equal(flat.edge_structure, road_map.edge_structure)
    again = with_polylines(flat, polylines_of(road_map))
    np.testing.assert_array_equal(again.edge_length_m, road_map.edge_length_m)
    np.testing.assert_array_equal(again.node_z_m, road_map.node_z_m)
