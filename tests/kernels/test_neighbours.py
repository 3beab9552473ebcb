"""Structure of the link table: who is near whom, and what links carry along."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links

from .twin_links import (
    Table,
    as_table,
    carry_positions,
    neighbours,
    pairs,
    replace_neighbours,
)

#: Distances are compared in float32: nearer to the limit than this, both answers are right.
ROUNDING_M = 1e-3


def cells(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    active: NDArray[np.bool_],
    size_m: float,
    wrap_m: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], int, int]:
    """Return cell of each node, where each cell's list begins, the lists, columns and rows."""
    n_x = max(int(wrap_m // size_m), 1) if wrap_m else int(max(x, default=0.0) // size_m) + 1
    n_y = int(max(y, default=0.0) // size_m) + 1
    width = wrap_m / n_x if wrap_m else size_m
    members: list[list[int]] = [[] for _ in range(n_x * n_y)]
    cell = np.full(len(x), -1, dtype=np.int32)
    for i in np.flatnonzero(active).tolist():
        cell[i] = int(y[i] // size_m) * n_x + min(int(x[i] // width), n_x - 1)
        members[cell[i]].append(i)
    start = np.cumsum([0, *map(len, members)]).astype(np.int32)
    return cell, start, np.array([i for m in members for i in m], dtype=np.int32), n_x, n_y


def kernel_table(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    active: NDArray[np.bool_],
    reach_m: float,
    wrap_m: float,
    cell_m: float,
) -> Table:
    """Count, then list; the list gets a sentinel behind its end."""
    cell, start, nodes, n_x, n_y = cells(x, y, active, cell_m, wrap_m)
    grid = (
        x.astype(np.float32),
        y.astype(np.float32),
        cell,
        start,
        nodes,
        n_x,
        n_y,
        reach_m,
        wrap_m,
    )
    row_start = np.full(len(x) + 1, -5, dtype=np.int32)
    links.neighbours(*grid, row_start, np.zeros(0, dtype=np.int32))
    counted = row_start.copy()
    neighbour = np.full(int(row_start[-1]) + 3, -5, dtype=np.int32)
    if row_start[-1]:
        links.neighbours(*grid, row_start, neighbour)
    assert np.array_equal(row_start, counted)
    assert np.all(neighbour[-3:] == -5)
    return row_start, neighbour[:-3]


@settings(max_examples=120, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 25),
    reach_m=st.sampled_from([15.0, 60.0, 140.0]),
    cell_factor=st.sampled_from([1.0, 1.7]),
    wrap_m=st.sampled_from([0.0, 281.0, 300.0, 430.0]),
    height_m=st.sampled_from([1.0, 200.0]),
)
def test_neighbours_are_all_pairs_within_reach(
    seed: int, n: int, reach_m: float, cell_factor: float, wrap_m: float, height_m: float
) -> None:
    """Two or three columns round the period need as much care as many."""
    g = rng.stream(seed, "neighbours")
    x = g.uniform(0.0, wrap_m or 400.0, n).astype(np.float32).astype(np.float64)
    y = g.uniform(0.0, height_m, n).astype(np.float32).astype(np.float64)
    active = g.random(n) < 0.85
    start, neighbour = kernel_table(x, y, active, reach_m, wrap_m, reach_m * cell_factor)
    links_found = pairs((start, neighbour))
    certain = set(pairs(as_table(neighbours(x, y, active, reach_m - ROUNDING_M, wrap_m))))
    possible = set(pairs(as_table(neighbours(x, y, active, reach_m + ROUNDING_M, wrap_m))))
    assert certain <= set(links_found) <= possible
    assert links_found == sorted(set(links_found)), "rows must ascend and name nobody twice"
    assert {(j, i) for i, j in links_found} == set(links_found)


def test_nodes_at_one_place_are_neighbours_and_nobody_is_his_own() -> None:
    x = np.array([5.0, 5.0, 5.0])
    start, neighbour = kernel_table(x, x, np.ones(3, dtype=bool), 10.0, 0.0, 10.0)
    assert start.tolist() == [0, 2, 4, 6]
    assert neighbour.tolist() == [1, 2, 0, 2, 0, 1]


def test_inactive_and_lonely_nodes_have_empty_rows() -> None:
    x = np.array([0.0, 5.0, 8.0, 500.0])
    active = np.array([True, False, True, True])
    start, neighbour = kernel_table(x, np.zeros(4), active, 10.0, 0.0, 10.0)
    assert start.tolist() == [0, 1, 1, 2, 2]
    assert neighbour.tolist() == [2, 0]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 12), kept=st.sampled_from([0.0, 0.5, 1.0]))
def test_links_carry_over_like_a_dictionary(seed: int, n: int, kept: float) -> None:
    g = rng.stream(seed, "carry")

    def table(share: float) -> Table:
        near = np.triu(g.random((n, n)) < share, 1)
        near |= near.T
        return as_table({i: np.flatnonzero(near[i]).tolist() for i in range(n)})

    old, new = table(0.5), table(kept)
    fresh = g.random(n) < 0.2
    source = np.full(len(new[1]), -9, dtype=np.int32)
    links.carry_positions(*old, *new, fresh.view(np.uint8), source)
    assert source.tolist() == carry_positions(old, new, fresh)


def test_empty_tables_carry_nothing() -> None:
    """All links are new where there were none, and none is left where there are none now."""
    none, all_three = as_table({i: [] for i in range(3)}), as_table({0: [1, 2], 1: [0], 2: [0]})
    fresh = np.zeros(3, np.uint8)
    source = np.full(4, -9, dtype=np.int32)
    links.carry_positions(*none, *all_three, fresh, source)
    assert source.tolist() == [-1, -1, -1, -1]
    links.carry_positions(*all_three, *none, fresh, source[:0])
    assert source.tolist() == [-1, -1, -1, -1]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 14),
    share=st.sampled_from([0.0, 0.2, 1.0]),
    wrap_m=st.sampled_from([0.0, 300.0]),
)
def test_nodes_are_replaced_like_in_a_dictionary(
    seed: int, n: int, share: float, wrap_m: float
) -> None:
    """The others' links stay, whatever their distance; links find their old numbers."""
    g = rng.stream(seed, "replace")
    x, y = (g.uniform(0.0, 300.0, n).astype(np.float32) for _ in range(2))
    near = np.triu(g.random((n, n)) < 0.5, 1)
    near |= near.T
    old = as_table({i: np.flatnonzero(near[i]).tolist() for i in range(n)})
    active = g.random(n) < 0.85
    replaced = np.flatnonzero(g.random(n) < share).astype(np.int32)
    fresh = (g.random(n) < 0.5) & np.isin(np.arange(n), replaced)
    start = np.full(n + 1, -5, dtype=np.int32)
    neighbour = np.full(len(old[1]) + 2 * len(replaced) * n, -5, dtype=np.int32)
    runs = np.full((n * (2 * len(replaced) + 1), 3), -5, dtype=np.int32)
    n_links, n_runs = links.replace_neighbours(
        *old,
        x,
        y,
        active.view(np.uint8),
        replaced,
        fresh.view(np.uint8),
        140.0,
        wrap_m,
        start,
        neighbour,
        runs,
    )
    rows, source = replace_neighbours(
        old,
        x.astype(np.float64),
        y.astype(np.float64),
        active,
        set(replaced.tolist()),
        fresh,
        140.0,
        wrap_m,
    )
    expected = as_table(rows)
    assert start.tolist() == expected[0].tolist()
    assert neighbour[:n_links].tolist() == expected[1].tolist()

    carried = np.full(n_links, -3, dtype=np.int64)
    before = np.arange(len(old[1]), dtype=np.int64)
    fill = np.array([-1], dtype=np.int64)
    links.carry_runs(
        runs, n_runs, before.view(np.uint8), carried.view(np.uint8), fill.view(np.uint8)
    )
    assert carried.tolist() == source
