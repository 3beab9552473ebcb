"""Vehicles between two antennas, by geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links

from .twin_links import (
    Pair,
    Scene,
    Table,
    as_table,
    blockage_codes,
    complete_table,
    neighbours,
    pairs,
)

#: The kernel takes the direction of a link for that of the middle of its bin, at most half a
#: bin away, and judges the silhouette there; the rest is rounding in float32. Half a bin is
#: 1/2048 of a quarter circle along the axes, 5 cm at 100 m, and twice that between them.
MARGIN_BINS = 0.55

CAR = (5.0, 2.0, 1.6, 1.6)
LOW_CAR = (5.0, 2.0, 1.6, 0.75)
TRUCK = (13.0, 2.6, 3.0, 3.0)
#: Length, width, height and antenna height [m] of the vehicles of TR 37.885, by rough share.
TYPES = np.array([CAR, CAR, CAR, LOW_CAR, TRUCK])


def classify(scene: Scene, table: Table, code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Run the kernel over `scene`; `code` is changed in place and returned."""
    start, neighbour = table
    heights = np.unique(scene.height[scene.height > 0])
    height_class = np.where(scene.height > 0, np.searchsorted(heights, scene.height), -1)
    longest = int(np.diff(start).max(initial=0))
    links.classify_geometric(
        start,
        neighbour,
        scene.x.astype(np.float32),
        scene.y.astype(np.float32),
        scene.z.astype(np.float32),
        np.cos(scene.heading).astype(np.float32),
        np.sin(scene.heading).astype(np.float32),
        (0.5 * scene.length).astype(np.float32),
        (0.5 * scene.width).astype(np.float32),
        scene.antenna.astype(np.float32),
        height_class.astype(np.int32),
        heights.astype(np.float32),
        scene.wrap_m,
        scene.level_gap_m,
        scene.max_grade,
        np.full((links.SIGHT_INTS, 2 * longest + 4), -7, dtype=np.int32),
        np.full((links.SIGHT_FLOATS, 2 * longest + 4), -7.0, dtype=np.float32),
        np.full(len(start) - 1, -7, dtype=np.int32),
        code,
    )
    return code


def codes_of(scene: Scene, table: Table | None = None) -> dict[Pair, int]:
    table = complete_table(scene.n) if table is None else table
    code = classify(scene, table, np.full(len(table[1]), 99, dtype=np.uint8))
    return dict(zip(pairs(table), code.tolist(), strict=True))


def scene_of(
    rows: Sequence[tuple[float, float, float, tuple[float, ...]]], **options: float
) -> Scene:
    """Return a scene of vehicles given by x, y, heading and type."""
    x, y, heading = (np.array([row[k] for row in rows]) for k in range(3))
    length, width, height, antenna = np.array([row[3] for row in rows]).T
    return Scene(
        x=x,
        y=y,
        z=np.zeros(len(rows)),
        heading=heading,
        length=length,
        width=width,
        height=height,
        antenna=antenna,
        **options,
    )


def random_scene(seed: int, n: int, spread_m: float, wrap_m: float) -> Scene:
    """Return vehicles thrown on a square, in any direction and on two decks."""
    g = rng.stream(seed, "scene")
    kind = TYPES[g.integers(len(TYPES), size=n)]
    width = wrap_m if wrap_m > 0 else spread_m
    return Scene(
        x=g.uniform(0.0, width, n).astype(np.float32).astype(np.float64),
        y=g.uniform(0.0, spread_m, n).astype(np.float32).astype(np.float64),
        z=g.choice([0.0, 0.5, 30.0], n, p=[0.6, 0.3, 0.1]),
        heading=g.uniform(-math.pi, math.pi, n),
        length=kind[:, 0],
        width=kind[:, 1],
        height=kind[:, 2] * (g.random(n) < 0.9),
        antenna=kind[:, 3],
        wrap_m=wrap_m,
    )


def highway(seed: int, n_lanes: int, vehicles_per_lane: int) -> Scene:
    """Return vehicles in lanes 4 m wide, one in five of them a truck."""
    g = rng.stream(seed, "highway")
    rows = []
    for lane in range(n_lanes):
        x = float(g.uniform(0.0, 30.0))
        for kind in TYPES[g.integers(len(TYPES), size=vehicles_per_lane)]:
            place = float(np.float32(x))
            rows.append((place, 4.0 * lane, math.pi * (lane % 2), tuple(kind)))
            x += 15.0 + float(g.exponential(20.0))
    return scene_of(rows)


def assert_agrees(scene: Scene, least_decided: float) -> None:
    """Compare the kernel with exact geometry wherever that decides."""
    kernel, twin = codes_of(scene), blockage_codes(scene, MARGIN_BINS)
    decided = {pair: code for pair, code in twin.items() if code is not None}
    assert len(decided) >= least_decided * len(twin)
    assert {pair: kernel[pair] for pair in decided} == decided


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 9),
    spread_m=st.sampled_from([40.0, 150.0, 700.0]),
    wrap_m=st.sampled_from([0.0, 600.0]),
)
def test_codes_equal_exact_geometry(seed: int, n: int, spread_m: float, wrap_m: float) -> None:
    assert_agrees(random_scene(seed, n, spread_m, wrap_m), least_decided=0.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_codes_of_a_highway_equal_exact_geometry(seed: int) -> None:
    """Traffic in lanes: narrow views along the road, and vehicles side by side."""
    scene = highway(seed, n_lanes=4, vehicles_per_lane=8)
    assert_agrees(scene, least_decided=0.9)
    assert set(codes_of(scene).values()) == {0, 1, 2}


def test_random_scenes_decide_most_links_and_hold_all_codes() -> None:
    """The comparison above has power: few links pass close to an edge."""
    seen = []
    for seed in range(8):
        seen += blockage_codes(random_scene(seed, 9, 100.0, 0.0), MARGIN_BINS).values()
    assert seen.count(None) < 0.15 * len(seen)
    assert min(seen.count(code) for code in (0, 1, 2)) > 10


@pytest.mark.parametrize("length_m", [5.0, 13.0, 18.0])
@pytest.mark.parametrize("ahead_m", [0.0, 3.0, -3.0])
def test_a_vehicle_alongside_hides_nobody_in_the_own_lane(length_m: float, ahead_m: float) -> None:
    """Lanes 3.5 m apart: between their middles stand only bodies of the lane itself.

    A silhouette computed as if the vehicle were far away would reach round a long one.
    """
    long_one = (length_m, 2.6, 3.0, 3.0)
    scene = scene_of(
        [
            (0.0, 0.0, 0.0, CAR),
            (60.0, 0.0, 0.0, CAR),
            (-60.0, 0.0, 0.0, CAR),
            (ahead_m, 3.5, 0.0, long_one),
            (ahead_m, -3.5, math.pi, long_one),
        ]
    )
    codes = codes_of(scene)
    assert codes[0, 1] == codes[0, 2] == 0
    assert codes[1, 2] == 1  # the car in the middle, of the height of the antennas


def test_side_by_side_vehicles_see_each_other() -> None:
    rows = [(0.0, 3.5 * lane, 0.0, TRUCK if lane == 1 else CAR) for lane in range(3)]
    codes = codes_of(scene_of(rows))
    assert codes[0, 1] == codes[1, 2] == 0
    assert codes[0, 2] == 2  # the truck between them


@pytest.mark.parametrize("turn", np.arange(16) * math.pi / 8)
def test_direction_of_the_row_does_not_matter(turn: float) -> None:
    """A queue of three, and one vehicle aside, turned round the whole circle of directions."""
    places = np.array([[0.0, 0.0], [30.0, 0.0], [80.0, 0.0], [75.0, 25.0]])
    cosine, sine = math.cos(turn), math.sin(turn)
    turned = places @ np.array([[cosine, sine], [-sine, cosine]])
    codes = codes_of(scene_of([(x, y, turn, CAR) for x, y in turned]))
    assert [codes[0, 1], codes[0, 2], codes[1, 2], codes[0, 3]] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("antennas", "top", "code"),
    [
        ((1.6, 3.0), 1.5, 0),  # case 1: both antennas above the blocker
        ((1.6, 1.6), 3.0, 2),  # case 2: both below
        ((0.75, 3.0), 1.6, 1),  # case 3: one above, one below
        ((1.6, 1.6), 1.6, 1),  # as high as the roof is neither above nor below
        ((1.6, 3.0), 1.6, 1),
        ((0.75, 1.6), 1.6, 1),
        ((3.0, 1.6), 3.0, 1),
    ],
)
def test_heights_follow_the_three_cases_of_tr_37885(
    antennas: tuple[float, float], top: float, code: int
) -> None:
    ends = [(0.0, 0.0, 0.0, (5.0, 2.0, 0.0, a)) for a in antennas]
    ends[1] = (100.0, *ends[1][1:])
    scene = scene_of([*ends, (50.0, 0.3, 0.0, (5.0, 2.0, top, 1.0))])
    codes = codes_of(scene)
    assert codes[0, 1] == codes[1, 0] == code


def test_the_highest_of_several_blockers_counts() -> None:
    rows = [(0.0, 0.0, 0.0, CAR), (40.0, 0.0, 0.0, TRUCK), (80.0, 0.0, 0.0, CAR)]
    low = [(20.0, 0.0, 0.0, (5.0, 2.0, 1.2, 1.0)), (60.0, 0.0, 0.0, (5.0, 2.0, 1.8, 1.0))]
    assert codes_of(scene_of([rows[0], rows[2], low[0]]))[0, 1] == 0
    assert codes_of(scene_of([rows[0], rows[2], *low]))[0, 1] == 2
    between_trucks = [(0.0, 0.0, 0.0, TRUCK), (80.0, 0.0, 0.0, TRUCK)]
    assert codes_of(scene_of([*between_trucks, *low]))[0, 1] == 0
    assert codes_of(scene_of([*between_trucks, *low, rows[1]]))[0, 1] == 1


def test_vehicles_of_another_deck_block_nothing() -> None:
    """The gap is 3 m plus a tenth of the distance, seen from the lower row."""
    rows = [(0.0, 0.0, 0.0, CAR), (90.0, 0.0, 0.0, CAR), (50.0, 0.0, 0.0, TRUCK)]
    scene = scene_of(rows)
    for z, code in ((0.0, 2), (7.9, 2), (-7.9, 2), (8.1, 0), (-8.1, 0)):
        scene.z[2] = z
        assert codes_of(scene)[0, 1] == code, z


def test_codes_do_not_depend_on_where_the_period_begins() -> None:
    scene = random_scene(11, 9, 150.0, 600.0)
    decided = {p for p, code in blockage_codes(scene, MARGIN_BINS).items() if code is not None}
    before = codes_of(scene)
    scene.x[:] = (scene.x + 300.0) % 600.0
    after = codes_of(scene)
    assert {p: before[p] for p in decided} == {p: after[p] for p in decided}


def test_codes_do_not_depend_on_the_order_of_rows() -> None:
    """Beyond the margin: the lower row looks, and sees the same as the other end."""
    scene = highway(4, n_lanes=4, vehicles_per_lane=7)
    order = rng.stream(4, "order").permutation(scene.n)
    codes, shuffled = codes_of(scene), codes_of(scene.permuted(order))
    twin = blockage_codes(scene, MARGIN_BINS)
    other = blockage_codes(scene.permuted(order), MARGIN_BINS)
    where = np.argsort(order)
    for (i, j), code in twin.items():
        if code is not None and other[where[i], where[j]] is not None:
            assert codes[i, j] == shuffled[where[i], where[j]]


def test_both_directions_agree_in_sparse_tables_too() -> None:
    scene = highway(5, n_lanes=4, vehicles_per_lane=12)
    everyone = np.ones(scene.n, dtype=bool)
    table = as_table(neighbours(scene.x, scene.y, everyone, 120.0, 0.0))
    codes = codes_of(scene, table)
    assert len(codes) == len(table[1])
    assert all(code in (0, 1, 2) and codes[j, i] == code for (i, j), code in codes.items())


def test_links_behind_buildings_stay_so() -> None:
    scene = highway(6, n_lanes=2, vehicles_per_lane=6)
    table = complete_table(scene.n)
    before = np.full(len(table[1]), 99, dtype=np.uint8)
    walled = {(i, j) for i, j in pairs(table) if (i + j) % 3 == 0}
    before[[pair in walled for pair in pairs(table)]] = 3
    codes = dict(zip(pairs(table), classify(scene, table, before).tolist(), strict=True))
    free = codes_of(scene)
    assert codes == {pair: 3 if pair in walled else free[pair] for pair in free}


@pytest.mark.parametrize("n", [0, 1, 4])
def test_nodes_without_neighbours_are_left_alone(n: int) -> None:
    scene = random_scene(1, n, 100.0, 0.0)
    table = (np.zeros(n + 1, dtype=np.int32), np.zeros(0, dtype=np.int32))
    assert classify(scene, table, np.zeros(0, dtype=np.uint8)).size == 0
