"""Who knows of whom, directly and through roadside units: kernel against sets of pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x._kernels.link_memory import count_known

from .twin_links import as_table, pairs

AWARENESS_M, WIDTH_M, N_BINS = 300.0, 50.0, 6
COUNTED, ROADSIDE = 1, 2


N_PLACES = 4


def routes_of(ways: dict[tuple[int, int], float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ways between nodes of the road as compressed sparse rows."""
    ordered = sorted(ways)
    start = np.searchsorted([u for u, _ in ordered], np.arange(N_PLACES + 1))
    return (
        start.astype(np.int32),
        np.array([v for _, v in ordered], dtype=np.int32),
        np.array([ways[ends] for ends in ordered], dtype=np.float32),
    )


NO_ROUTES = routes_of({})


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(0, 10),
    relay=st.booleans(),
    linked=st.booleans(),
)
def test_known_pairs_equal_sets(seed: int, n: int, relay: bool, linked: bool) -> None:
    """`heard[j]` holds all that j heard of late; relay adds what units heard that j heard."""
    g = rng.stream(seed, "known")
    symmetric = g.random((n, n)) < 0.7
    symmetric |= symmetric.T
    table = as_table({i: [j for j in range(n) if j != i and symmetric[i, j]] for i in range(n)})
    ends = list(pairs(table))
    m = len(ends)
    distance = g.choice([0.0, 10.0, 50.0, 51.0, AWARENESS_M, 301.0], m).astype(np.float32)
    last_slot = g.choice([-1, 5, 99, 100, 150], m).astype(np.int32)
    flags = g.choice([0, 1, 1, 1, 2, 3], n).astype(np.uint8)
    road = g.integers(-1, N_PLACES, (n, 4)).astype(np.int32)
    to_end = g.choice([0.0, 20.0, 100.0], (n, 2)).astype(np.float32)
    ways = {
        (u, v): float(g.choice([0.0, 30.0, 200.0, 600.0]))
        for u in range(N_PLACES)
        for v in range(N_PLACES)
        if g.random() < 0.5
    }
    known = np.zeros((N_BINS, 5), dtype=np.int64)
    count_known(
        *table,
        distance,
        flags,
        last_slot,
        road,
        to_end,
        *routes_of(ways),
        AWARENESS_M,
        WIDTH_M,
        100,
        relay,
        linked,
        np.full(n, 7, dtype=np.int32),
        np.full(n, 7, dtype=np.uint8),
        known,
    )
    heard: dict[int, set[int]] = {j: set() for j in range(n)}
    for (i, j), slot in zip(ends, last_slot.tolist(), strict=True):
        if slot >= 100:
            heard[j].add(i)
    units = [r for r in range(n) if flags[r] & ROADSIDE]
    pool = set().union(*(heard[r] for r in units))
    expected = np.zeros_like(known)
    for (i, j), away in zip(ends, distance.tolist(), strict=True):
        if flags[i] != COUNTED or flags[j] != COUNTED or away > AWARENESS_M:
            continue
        own_units = [r for r in units if r in heard[j]]
        told = any(i in (pool if linked else heard[r]) for r in own_units)
        direct = i in heard[j]
        row = expected[max(math.ceil(away / WIDTH_M) - 1, 0)]
        row[0] += 1
        row[1] += direct
        row[2] += direct or (relay and told)
        way = min(
            to_end[i, a] + ways.get((road[i, 2 + a], road[j, 2 + b]), math.inf) + to_end[j, b]
            for a in (0, 1)
            for b in (0, 1)
        )
        if road[i, :2].tolist() != road[j, :2].tolist() and way > 2 * away + 50:
            row[3] += 1
            row[4] += direct
    assert np.array_equal(known, expected)


@pytest.mark.parametrize(("linked", "expected"), [(False, 0), (True, 1)])
def test_units_apart_need_a_fibre(linked: bool, expected: int) -> None:
    """Road users 0 and 1 hear one unit each, 2 and 3; 1 learns of 0 only over the fibre."""
    table = as_table({0: [1, 2], 1: [0, 3], 2: [0], 3: [1]})
    heard = {(0, 2), (3, 1)}
    last_slot = np.array([9 if ends in heard else -1 for ends in pairs(table)], dtype=np.int32)
    known = np.zeros((1, 5), dtype=np.int64)
    count_known(
        *table,
        np.full(len(last_slot), 40.0, dtype=np.float32),
        np.array([1, 1, 3, 2], dtype=np.uint8),
        last_slot,
        np.full((4, 4), -1, dtype=np.int32),
        np.zeros((4, 2), dtype=np.float32),
        *NO_ROUTES,
        50.0,
        50.0,
        0,
        True,
        linked,
        np.zeros(4, dtype=np.int32),
        np.zeros(4, dtype=np.uint8),
        known,
    )
    assert known.tolist() == [[2, 0, expected, 0, 0]]
