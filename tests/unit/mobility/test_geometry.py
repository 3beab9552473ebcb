from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.mobility.geometry import RoadGeometry
from v2x.world import synthetic
from v2x.world.road_map import RoadMap, Structure

MapOf = Callable[..., RoadMap]


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int32)


def reals(*values: float) -> Any:
    return np.array(values)


def test_lanes_of_a_carriageway_lie_on_both_sides_of_its_polyline(map_of: MapOf) -> None:
    road = map_of([(0, 1, [(0.0, 0.0), (100.0, 0.0)], {"lanes": 3})])
    geometry = RoadGeometry(road)
    lateral = geometry.lane_lateral_m(ints(0, 0, 0), ints(0, 1, 2))
    assert lateral.tolist() == [3.5, 0.0, -3.5]
    x, y, _, heading = geometry.position(ints(0, 0, 0), reals(10.0, 20.0, 30.0), lateral)
    # Driving east, the right lane is the southern one.
    assert x.tolist() == [10.0, 20.0, 30.0]
    assert y.tolist() == [-3.5, 0.0, 3.5]
    assert heading.tolist() == [0.0, 0.0, 0.0]


def test_lanes_of_a_two_way_street_lie_to_the_right_of_its_middle(map_of: MapOf) -> None:
    line = [(0.0, 0.0), (0.0, 100.0)]
    road = map_of([(0, 1, line, {"lanes": 2}), (1, 0, line[::-1], {"lanes": 1})])
    geometry = RoadGeometry(road)
    lateral = geometry.lane_lateral_m(ints(0, 0, 1), ints(0, 1, 0))
    assert lateral.tolist() == [5.25, 1.75, 1.75]
    x, _, _, heading = geometry.position(ints(0, 0, 1), reals(1.0, 1.0, 1.0), lateral)
    assert x == pytest.approx([5.25, 1.75, -1.75])
    assert heading == pytest.approx([math.pi / 2, math.pi / 2, -math.pi / 2])


@given(st.integers(1, 5), st.booleans())
def test_lane_at_inverts_the_lateral_offset(lanes: int, two_way: bool) -> None:
    road = (
        synthetic.junction(lanes_per_direction=lanes)
        if two_way
        else synthetic.highway(lanes_per_direction=lanes)
    )
    geometry = RoadGeometry(road)
    edge, lane = np.zeros(lanes, dtype=np.int32), np.arange(lanes)
    lateral = geometry.lane_lateral_m(edge, lane)
    assert geometry.lane_at(edge, lateral).tolist() == lane.tolist()
    assert geometry.lane_at(edge, lateral + 1.0).tolist() == lane.tolist()
    assert geometry.lane_at(ints(0, 0), reals(-99.0, 99.0)).tolist() == [lanes - 1, 0]


def test_offsets_count_in_three_dimensions(map_of: MapOf) -> None:
    road = map_of([(0, 1, [(0.0, 0.0, 0.0), (40.0, 0.0, 30.0), (80.0, 0.0, 0.0)], {})])
    assert road.edge_length_m.tolist() == [100.0]
    geometry = RoadGeometry(road)
    x, y, z, _ = geometry.position(ints(0, 0, 0, 0), reals(0.0, 25.0, 50.0, 75.0), np.zeros(4))
    assert x.tolist() == [0.0, 20.0, 40.0, 60.0]
    assert z.tolist() == [0.0, 15.0, 30.0, 15.0]
    assert y.tolist() == [0.0] * 4


def test_position_is_continuous_round_a_bend(map_of: MapOf) -> None:
    road = map_of([(0, 1, [(0.0, 0.0), (50.0, 0.0), (50.0, 50.0)], {})])
    geometry = RoadGeometry(road)
    offset = np.linspace(0.0, 100.0, 2001)
    edge = np.zeros(len(offset), dtype=np.int32)
    x, y, _, heading = geometry.position(edge, offset, np.full(len(offset), 2.0))
    assert np.hypot(np.diff(x), np.diff(y)).max() < 0.06
    # The lane's corner is the mitre of both legs: 2 m to the right of either.
    corner = np.argmin(np.abs(offset - 50.0))
    assert (x[corner], y[corner]) == pytest.approx((52.0, -2.0))
    assert heading[0] == 0.0
    assert heading[-1] == pytest.approx(math.pi / 2)


def test_every_edge_is_found_on_a_real_grid() -> None:
    grid = synthetic.manhattan(2, 2)
    geometry = RoadGeometry(grid)
    edge = np.arange(grid.n_edges, dtype=np.int32)
    for share in (0.0, 0.3, 1.0):
        x, y, _, _ = geometry.position(edge, share * grid.edge_length_m, np.zeros(len(edge)))
        a, b = grid.edge_from, grid.edge_to
        assert x == pytest.approx(grid.node_x_m[a] + share * (grid.node_x_m[b] - grid.node_x_m[a]))
        assert y == pytest.approx(grid.node_y_m[a] + share * (grid.node_y_m[b] - grid.node_y_m[a]))


def test_x_stays_in_the_first_period() -> None:
    road = synthetic.highway(wrap=True, length_m=2000.0)
    geometry = RoadGeometry(road)
    x, *_ = geometry.position(ints(1, 1), reals(1000.0, 999.0), np.zeros(2))
    assert x.tolist() == [0.0, 1999.0]


def test_level_and_tunnel_are_those_of_the_edge(map_of: MapOf) -> None:
    line = [(0.0, 0.0), (10.0, 0.0)]
    tunnel = {"structure": int(Structure.TUNNEL), "level": -1}
    bridge = {"structure": int(Structure.BRIDGE), "level": 3}
    road = map_of([(0, 1, line, tunnel), (2, 3, line, bridge)])
    geometry = RoadGeometry(road)
    assert geometry.level(ints(0, 1, -1)).tolist() == [-1, 3, 0]
    assert geometry.tunnel(ints(0, 1, -1)).tolist() == [0, -1, -1]


def test_corner_jump_is_what_the_lateral_offset_does_at_a_node(map_of: MapOf) -> None:
    road = map_of([(0, 1, [(0.0, 0.0), (50.0, 0.0)], {}), (1, 2, [(50.0, 0.0), (50.0, 50.0)], {})])
    geometry = RoadGeometry(road)
    end = geometry.position(ints(0), reals(50.0), reals(2.0))
    begin = geometry.position(ints(1), reals(0.0), reals(2.0))
    jump = geometry.corner_jump(ints(0), ints(1), reals(2.0))
    assert begin[0] + jump[0] == pytest.approx(end[0])
    assert begin[1] + jump[1] == pytest.approx(end[1])
