"""What lies ahead along the road."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from tests.unit.perception.roads import (
    BRIDGE,
    EAST,
    RIGHT,
    SOUTH,
    STRAIGHT,
    WEST,
    fork_map,
)
from v2x.mobility.junctions import lane_network
from v2x.perception.ways import Projection, Ways
from v2x.world.store import load_map
from v2x.world.synthetic import highway

MAPS = Path(__file__).parents[3] / "maps"


@pytest.fixture
def ways() -> Ways:
    return Ways(lane_network(fork_map()), 500.0)


def edges(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int32)


def test_distances_run_along_the_road_and_the_straightest_way_is_likely(ways: Ways) -> None:
    onward = ways.between(edges(WEST, WEST, WEST, WEST), edges(WEST, STRAIGHT, RIGHT, EAST))
    np.testing.assert_allclose(onward.ahead_m, [0.0, 200.0, 200.0, 300.0])
    assert onward.likely.tolist() == [True, True, False, True]


def test_nothing_is_ahead_of_who_is_off_the_road_or_on_another_way(ways: Ways) -> None:
    onward = ways.between(edges(-1, WEST, STRAIGHT, WEST), edges(WEST, -1, WEST, BRIDGE))
    assert np.isnan(onward.ahead_m).all()
    assert not onward.likely.any()


def test_ways_end_beyond_the_reach() -> None:
    near = Ways(lane_network(fork_map()), 50.0)
    onward = near.between(edges(WEST, WEST), edges(STRAIGHT, EAST))
    assert onward.ahead_m[0] == 200.0
    assert np.isnan(onward.ahead_m[1])


def test_roads_meet_at_their_common_node_and_a_bridge_meets_nothing_below(ways: Ways) -> None:
    mine, theirs = ways.meeting(edges(WEST, SOUTH, BRIDGE), edges(SOUTH, WEST, WEST))
    np.testing.assert_allclose(mine[:2], [300.0, 150.0])
    np.testing.assert_allclose(theirs[:2], [150.0, 300.0])
    assert np.isnan([mine[2], theirs[2]]).all()


def test_lanes_shift_as_movements_lead(ways: Ways) -> None:
    network = lane_network(fork_map())
    m = network.movement(WEST, RIGHT)
    onward = ways.between(edges(WEST), edges(RIGHT))
    assert onward.lane_shift[0] == network.lane_shift[m]


def test_on_a_ring_the_road_goes_on_for_ever_but_counts_once() -> None:
    ring = Ways(lane_network(highway(length_m=400.0, wrap=True)), 1000.0)
    onward = ring.between(edges(0, 1), edges(1, 0))
    np.testing.assert_allclose(onward.ahead_m, [200.0, 200.0])


def test_positions_are_projected_onto_their_edge() -> None:
    projection = Projection(fork_map())
    offset, right = projection.onto(
        edges(WEST, RIGHT, SOUTH), np.array([50.0, 230.0, 303.0]), np.array([-2.0, -40.0, -50.0])
    )
    np.testing.assert_allclose(offset, [50.0, 50.0, 100.0])
    np.testing.assert_allclose(right, [2.0, 0.0, 3.0], atol=1e-9)


def test_projection_takes_the_nearest_copy_of_a_ring() -> None:
    ring = highway(length_m=400.0, wrap=True)
    offset, _ = Projection(ring).onto(edges(0), np.array([410.0]), np.array([-6.0]))
    assert offset[0] == pytest.approx(10.0)


@pytest.mark.parametrize("name", ["huangjuewan", "chongqing-central"])
def test_ways_on_a_real_map_are_shortest_ways(name: str) -> None:
    """Against scipy, over movements: lengths, what is within reach, and where roads meet."""
    road_map = load_map(MAPS / f"{name}.v2xmap")
    network, n, length = lane_network(road_map), road_map.n_edges, road_map.edge_length_m
    cost = csr_matrix((length[network.from_edge], (network.from_edge, network.to_edge)), (n, n))
    some = np.random.default_rng(1).choice(n, 40, replace=False).astype(np.int32)
    way_m = dijkstra(cost, indices=some)
    way_m[way_m > (500.0 + length[some])[:, None]] = np.nan
    found = Ways(network, 500.0)
    everywhere = np.arange(n, dtype=np.int32)
    for edge, expected in zip(some, way_m, strict=True):
        ahead_m = found.between(np.full(n, edge), everywhere).ahead_m
        np.testing.assert_allclose(ahead_m, expected, atol=1e-6)
    ends_m = np.full((len(some), road_map.n_nodes), np.inf)
    for k in range(len(some)):
        np.fmin.at(ends_m[k], road_map.edge_to, way_m[k] + length)
    first, second = (index.ravel() for index in np.meshgrid(range(40), range(40)))
    least_m = (ends_m[first] + ends_m[second]).min(axis=1)
    mine, theirs = found.meeting(some[first], some[second])
    np.testing.assert_allclose(mine + theirs, np.where(np.isinf(least_m), np.nan, least_m))
    assert np.isfinite(least_m).sum() > 40
