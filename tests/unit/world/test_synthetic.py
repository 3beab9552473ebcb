from __future__ import annotations

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world import synthetic
from v2x.world.connectivity import entry_nodes, exit_nodes, strong_parts
from v2x.world.geometry import twin_edges
from v2x.world.road_map import RoadMap


def ends(road_map: RoadMap, edge: int) -> tuple[float, float, float, float]:
    a, b = road_map.first_point[edge], road_map.first_point[edge + 1] - 1
    x, y = road_map.point_x_m, road_map.point_y_m
    return float(x[a]), float(y[a]), float(x[b]), float(y[b])


def test_straight_highway_has_two_carriageways_with_ends() -> None:
    road_map = synthetic.highway(2000.0, 3, 4.0, 38.9)
    assert [ends(road_map, e) for e in range(2)] == [
        (0.0, -6.0, 2000.0, -6.0),
        (2000.0, 6.0, 0.0, 6.0),
    ]
    assert road_map.edge_length_m.tolist() == [2000.0, 2000.0]
    assert road_map.edge_lanes.tolist() == [3, 3]
    assert road_map.edge_limit_mps.tolist() == [38.9, 38.9]
    assert (road_map.lane_width_m, road_map.wrap_length_m, road_map.crs) == (4.0, 0.0, "local")
    assert (len(entry_nodes(road_map)), len(exit_nodes(road_map))) == (2, 2)
    assert twin_edges(road_map).tolist() == [-1, -1]
    assert road_map.corridor_x is None
    assert road_map.attribution == ""


def test_highway_of_one_direction_is_a_single_road() -> None:
    road_map = synthetic.highway(500.0, lanes_per_direction=1, directions=1)
    assert (road_map.n_nodes, road_map.n_edges) == (2, 1)
    assert ends(road_map, 0) == (0.0, -2.0, 500.0, -2.0)


def test_wrapped_highway_joins_its_end_to_its_beginning() -> None:
    road_map = synthetic.highway(2000.0, wrap=True)
    assert road_map.wrap_length_m == 2000.0
    assert (road_map.n_nodes, road_map.n_edges) == (4, 4)
    assert [ends(road_map, e)[::2] for e in range(4)] == [
        (0.0, 1000.0),
        (1000.0, 2000.0),
        (2000.0, 1000.0),
        (1000.0, 0.0),
    ]
    # Each carriageway is a ring of its own.
    assert road_map.edge_from.tolist() == [0, 1, 2, 3]
    assert road_map.edge_to.tolist() == [1, 0, 3, 2]
    assert len(entry_nodes(road_map)) == 0
    assert sorted(np.bincount(strong_parts(road_map)).tolist()) == [2, 2]
    # A point after the end of an edge is where the next begins, modulo the period.
    for edge, follower in ((0, 1), (1, 0), (2, 3), (3, 2)):
        gap = ends(road_map, edge)[2] - ends(road_map, follower)[0]
        assert gap % road_map.wrap_length_m == 0.0


def test_manhattan_grid_has_the_blocks_and_corridors_of_tr_36_885() -> None:
    road_map = synthetic.manhattan()
    assert (road_map.n_nodes, road_map.n_edges) == (16, 48)
    assert np.ptp(road_map.node_x_m) == 3 * 433.0
    assert np.ptp(road_map.node_y_m) == 3 * 250.0
    assert road_map.edge_lanes.tolist() == [2] * 48
    assert road_map.lane_width_m == 3.5
    assert (twin_edges(road_map) >= 0).all()
    assert len(set(strong_parts(road_map).tolist())) == 1
    corridor_x, corridor_y = road_map.corridor_x, road_map.corridor_y
    assert corridor_x is not None
    assert corridor_y is not None
    for edge in range(road_map.n_edges):
        x0, y0, x1, y1 = ends(road_map, edge)
        if y0 == y1:
            assert (corridor_x[edge], corridor_y[edge]) == (round(y0 / 250), -1)
            assert abs(x1 - x0) == 433.0
        else:
            assert (corridor_x[edge], corridor_y[edge]) == (-1, round(x0 / 433))
            assert abs(y1 - y0) == 250.0
    # Edges begin and end at their nodes.
    np.testing.assert_array_equal(
        road_map.node_x_m[road_map.edge_to], road_map.point_x_m[road_map.first_point[1:] - 1]
    )


def test_manhattan_of_other_sizes() -> None:
    road_map = synthetic.manhattan(1, 2, 100.0, 50.0, lanes_per_direction=1)
    assert (road_map.n_nodes, road_map.n_edges) == (6, 14)
    assert (road_map.node_x_m.max(), road_map.node_y_m.max()) == (100.0, 100.0)


def test_junction_has_four_arms_and_a_signal() -> None:
    road_map = synthetic.junction(200.0, 2)
    assert (road_map.n_nodes, road_map.n_edges) == (5, 8)
    assert road_map.node_signal.tolist() == [True, False, False, False, False]
    assert road_map.edge_length_m.tolist() == [200.0] * 8
    assert np.bincount(road_map.edge_to).tolist() == [4, 1, 1, 1, 1]
    assert (twin_edges(road_map) >= 0).all()


def test_build_by_name() -> None:
    road_map = synthetic.build("highway", length_m=300.0, limit_kmh=72.0, wrap=True)
    assert road_map.edge_limit_mps == pytest.approx([20.0] * 4)
    assert synthetic.build("junction", arm_m=10.0).edge_length_m.max() == 10.0
    with pytest.raises(V2XError, match="did you mean 'highway'"):
        synthetic.build("highwy")


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("highway", {"length_m": 0.0}),
        ("highway", {"lanes_per_direction": 0}),
        ("highway", {"directions": 3}),
        ("highway", {"limit_mps": -1.0}),
        ("manhattan", {"blocks_x": 0}),
        ("manhattan", {"block_y_m": float("nan")}),
        ("junction", {"arm_m": -5.0}),
    ],
)
def test_roads_that_cannot_be_are_refused(kind: str, params: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|needs"):
        synthetic.build(kind, **params)
