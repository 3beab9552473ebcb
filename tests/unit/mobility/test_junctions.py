from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.mobility.junctions import LaneNetwork, lane_network, lane_windows
from v2x.world import synthetic
from v2x.world.road_map import RoadMap

Maps = dict[str, Callable[..., RoadMap]]


def lanes_of(network: LaneNetwork, edge: int, onto: int) -> tuple[list[int], list[int]]:
    """Return the lanes of `edge` that lead to `onto`, and those they lead to."""
    m = network.movement(edge, onto)
    lanes = list(range(int(network.lane_low[m]), int(network.lane_high[m]) + 1))
    return lanes, [lane + int(network.lane_shift[m]) for lane in lanes]


@given(
    st.integers(1, 6),
    st.lists(st.integers(1, 4), min_size=1, max_size=5),
    st.integers(0, 4),
)
def test_windows_never_cross(n_lanes: int, wanted: list[int], main: int) -> None:
    windows = lane_windows(n_lanes, wanted, min(main, len(wanted) - 1))
    assert all(0 <= low <= high < n_lanes for low, high in windows)
    assert all(a[1] <= b[0] for a, b in pairwise(windows))


def test_exit_lane_and_option_lane() -> None:
    assert lane_windows(4, [2, 3], main=1) == [(0, 1), (1, 3)]
    assert lane_windows(2, [2, 2, 2], main=1) == [(0, 0), (0, 1), (1, 1)]
    assert lane_windows(3, [2, 2], main=0) == [(0, 1), (1, 2)]


def test_ramp_joins_the_right_lane(maps: Maps) -> None:
    network = lane_network(maps["on-ramp"](2, 2, 1))
    assert lanes_of(network, 0, 2) == ([0, 1], [0, 1])
    assert lanes_of(network, 1, 2) == ([0], [0])
    main, ramp = network.movement(0, 2), network.movement(1, 2)
    assert network.merges[main] == network.bit[ramp]
    assert network.merges[ramp] == network.bit[main]
    assert network.rank[main] > network.rank[ramp]
    assert not network.crosses.any()
    assert not network.radius_m.any()


def test_added_lane_is_the_ramps_own(maps: Maps) -> None:
    network = lane_network(maps["on-ramp"](2, 3, 1))
    assert lanes_of(network, 0, 2) == ([0, 1], [1, 2])
    assert lanes_of(network, 1, 2) == ([0], [0])
    assert not network.merges.any()


def test_dropped_lane_leads_nowhere(maps: Maps) -> None:
    network = lane_network(maps["on-ramp"](3, 2, 1))
    assert lanes_of(network, 0, 2) == ([1, 2], [0, 1])


def test_exit_takes_the_right_lane(maps: Maps) -> None:
    network = lane_network(maps["off-ramp"](3, 2, 1))
    assert lanes_of(network, 0, 1) == ([1, 2], [0, 1])
    assert lanes_of(network, 0, 2) == ([0], [0])
    assert not (network.merges | network.crosses).any()


def test_crossing_of_two_streets() -> None:
    """Right turns meet only what they merge with; a left turn crosses four ways."""
    road = synthetic.junction(lanes_per_direction=1)
    network = lane_network(road)
    # In the order east, north, west, south; even edges arrive, odd edges leave.
    east_in, north_out, west_out, south_out = 0, 3, 5, 7
    right, straight, left = (network.movement(east_in, e) for e in (north_out, west_out, south_out))

    def count(mask: np.uint64) -> int:
        return int(mask).bit_count()

    assert [count(network.crosses[m]) for m in (right, straight, left)] == [0, 4, 4]
    assert [count(network.merges[m]) for m in (right, straight, left)] == [2, 2, 2]
    assert network.rank[straight] > network.rank[left]
    assert network.n_movements == 12
    # Turns are slowed down for, going straight on is not.
    assert network.speed_mps[right] == pytest.approx(6.0)
    assert np.isinf(network.speed_mps[straight])
    assert set(network.signal.tolist()) == {0, 1}
    assert network.signal[straight] == 0


def test_crossing_and_merging_are_mutual() -> None:
    for road in (synthetic.manhattan(2, 2), synthetic.junction(lanes_per_direction=3)):
        network = lane_network(road)
        for masks in (network.crosses, network.merges):
            for m in range(network.n_movements):
                for other in range(network.n_movements):
                    if network.node[m] == network.node[other]:
                        there = bool(masks[m] & network.bit[other])
                        assert there == bool(masks[other] & network.bit[m])


def test_nobody_turns_back_on_the_spot() -> None:
    grid = synthetic.manhattan(1, 1)
    network = lane_network(grid)
    back = grid.edge_from[network.from_edge] == grid.edge_to[network.to_edge]
    assert not back.any()
    with pytest.raises(KeyError):
        network.movement(0, 1)


def test_circulating_traffic_has_priority(maps: Maps) -> None:
    network = lane_network(maps["roundabout"]())
    merging = np.flatnonzero(network.merges)
    assert len(merging) == 8
    circle = merging[network.from_edge[merging] < 8]
    assert (network.rank[circle] == 3).all()
    assert (network.rank[np.setdiff1d(merging, circle)] == 0).all()


def test_grade_is_rise_over_run(map_of: Callable[..., RoadMap]) -> None:
    road = map_of([(0, 1, [(0.0, 0.0, 0.0), (0.0, 40.0, 30.0), (30.0, 40.0, 30.0)], {})])
    assert lane_network(road).point_grade.tolist() == [0.75, 0.0, 0.0]


def test_wrap_around_highway_has_a_movement_at_each_end() -> None:
    network = lane_network(synthetic.highway(wrap=True))
    assert network.n_movements == 4
    assert not (network.merges | network.crosses).any()
    assert sorted(network.to_edge.tolist()) == [0, 1, 2, 3]
