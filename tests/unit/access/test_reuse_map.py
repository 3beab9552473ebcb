"""Where a scheduler puts its vehicles: pressure, choice, the order of the road."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.scheduling.reuse_map import Grid, ReuseMap


def road(
    x_m: list[float], *, grid: Grid | None = None, wrap_m: float = 0.0, reuse_m: float = 1000.0
) -> ReuseMap:
    grid = grid or Grid(n_slots=10, n_subchannels=1, length=1)
    places = ReuseMap(len(x_m), grid, reuse_distance_m=reuse_m, wrap_length_m=wrap_m)
    places.move(np.array(x_m), np.zeros(len(x_m)))
    return places


def test_pressure_is_the_overlap_over_the_fourth_power_of_the_distance() -> None:
    places = road([0.0, 100.0, 300.0], grid=Grid(n_slots=2, n_subchannels=5, length=3))
    places.place[:] = [-1, 0, 2]  # slot 0, starts 0 and 2; the first looks for a place
    pressure, n_neighbours = places.around(0)
    near, far = 100.0**-4, 300.0**-4
    assert pressure[0] == pytest.approx(
        [near + far / 3, near * 2 / 3 + far * 2 / 3, near / 3 + far]
    )
    assert pressure[1] == pytest.approx([0.0, 0.0, 0.0])
    assert n_neighbours.tolist() == [2, 0]


def test_nobody_is_nearer_than_ten_metres() -> None:
    places = road([0.0, 1.0], grid=Grid(n_slots=1, n_subchannels=1, length=1))
    places.place[:] = [-1, 0]
    assert places.around(0)[0][0] == pytest.approx([1e-4])


def test_other_subchannels_of_a_slot_leak() -> None:
    """TS 36.101 6.5.2.3: 30 dB below."""
    places = road([0.0, 100.0], grid=Grid(n_slots=1, n_subchannels=2, length=1))
    places.place[:] = [-1, 0]
    assert places.around(0)[0][0] == pytest.approx([1e-8, 1e-11])


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seed=st.integers(0, 10_000), wrap_m=st.sampled_from([0.0, 3000.0]))
def test_pressure_of_all_is_that_of_each(seed: int, wrap_m: float) -> None:
    draw = np.random.default_rng(seed)
    places = road(
        draw.uniform(0.0, 3000.0, 20).tolist(),
        grid=Grid(n_slots=4, n_subchannels=5, length=2),
        wrap_m=wrap_m,
    )
    places.place[:] = draw.integers(-1, places.grid.n_places, 20)
    together = places.pressures(places.place)
    for node in range(20):
        own = int(places.place[node])
        expected = places.around(node)[0].flat[own] if own >= 0 else 0.0
        assert together[node] == pytest.approx(expected)


def test_order_of_preference() -> None:
    """Free, fewest neighbours, soonest; if none is free the least pressure; late ones never."""
    places = road([0.0, 1.0])
    limit = places.limit
    pressure = np.array([[0.0], [0.0], [0.0], [2 * limit], [0.0]])
    neighbours = np.array([1, 0, 0, 0, 0])
    wait = np.array([0, 2, 1, 0, 0])
    in_time = np.array([True, True, True, True, False])
    assert places.best(pressure, neighbours, in_time, wait) == 2
    full = pressure + np.array([5, 3, 4, 2, 0])[:, None] * limit
    assert places.best(full, neighbours, in_time, wait) == 1
    assert places.best(full, neighbours, np.zeros(5, dtype=np.bool_), wait) == 4


@pytest.mark.parametrize(
    ("n_subchannels", "length", "starts"),
    [(5, 3, [0, 2]), (5, 2, [0, 2, 1, 3]), (5, 1, [0, 1, 2, 3, 4]), (4, 2, [0, 2]), (5, 5, [0])],
)
def test_laps_alternate_between_the_edges_of_the_pool(
    n_subchannels: int, length: int, starts: list[int]
) -> None:
    grid = Grid(n_slots=1, n_subchannels=n_subchannels, length=length)
    assert grid.lap_starts() == starts


@pytest.mark.parametrize("n_nodes", [40, 50, 70])
def test_in_the_order_of_a_ring_nobody_can_be_farther_from_a_sharer(n_nodes: int) -> None:
    """Ten slots on a ring: n vehicles in L = ceil(n / 10) laps share n / L vehicles apart.

    No allocation does better than floor(n / L): L sharers of a place divide the ring.
    """
    length_m = 20.0 * n_nodes
    places = road((20.0 * np.arange(n_nodes)).tolist(), wrap_m=length_m)
    places.place[:] = 0
    slot = places.in_road_order()
    apart = np.abs(np.arange(n_nodes)[:, None] - np.arange(n_nodes))
    apart = np.minimum(apart, n_nodes - apart)
    sharing = (slot[:, None] == slot) & (apart > 0)
    assert apart[sharing].min() == n_nodes // -(-n_nodes // 10)


def test_directions_share_nothing() -> None:
    """Along a slanted road, half of the vehicles drive each way: five slots for each."""
    along = np.arange(20.0) * 30.0
    places = ReuseMap(
        20, Grid(n_slots=10, n_subchannels=1, length=1), reuse_distance_m=1e3, wrap_length_m=0.0
    )
    places.move(along * 0.8, along * 0.6)
    way = np.where(np.arange(20) % 2, 1.0, -1.0)
    places.move(along * 0.8 + way * 0.8, along * 0.6 + way * 0.6)
    places.place[:] = 0
    slot = places.in_road_order()
    forwards, backwards = slot[1::2], slot[::2]
    assert not set(forwards.tolist()) & set(backwards.tolist())
    for way_slots in (forwards, backwards):  # consecutive, up or down the road
        assert set(np.abs(np.diff(way_slots)).tolist()) <= {1, 4}


def test_rows_that_change_hands_have_no_motion() -> None:
    places = road([0.0, 0.0])
    places.forget(1)
    places.move(np.array([10.0, 5000.0]), np.zeros(2))
    assert places.step.tolist() == [[10.0, 0.0], [0.0, 0.0]]
