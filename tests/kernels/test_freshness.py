"""What is known of others: age of information and link states."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x._kernels.link_memory import count_states, sample_ages

from .twin_links import as_table, pairs

AWARENESS_M = 300.0
N_AGES = 50


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 9), count=st.booleans())
def test_ages_equal_a_loop_over_pairs(seed: int, n: int, count: bool) -> None:
    """Only counted ends are sampled; everybody beyond the range forgets."""
    g = rng.stream(seed, "ages")
    table = as_table({i: np.flatnonzero(g.random(n) < 0.7).tolist() for i in range(n)})
    m = len(table[1])
    distance = g.choice([10.0, 299.0, AWARENESS_M, 301.0, 900.0], m).astype(np.float32)
    counted = g.random(n) < 0.7
    now_us = 7_000_000_000
    last_slot = np.where(g.random(m) < 0.7, g.integers(0, 100, m), -1).astype(np.int32)
    last_generated = now_us - g.integers(0, 90_000, m)
    ages = np.zeros(N_AGES, dtype=np.int64)
    expected_ages, expected_slot = np.zeros(N_AGES, dtype=np.int64), last_slot.copy()
    for k, (i, j) in enumerate(pairs(table)):
        if distance[k] > AWARENESS_M:
            expected_slot[k] = -1
        elif last_slot[k] >= 0 and count and counted[i] and counted[j]:
            age_ms = (now_us - int(last_generated[k])) // 1000
            expected_ages[min(age_ms, N_AGES - 1)] += 1
    sample_ages(
        *table,
        distance,
        counted.view(np.uint8),
        AWARENESS_M,
        now_us,
        count,
        last_slot,
        last_generated,
        ages,
    )
    assert np.array_equal(ages, expected_ages)
    assert np.array_equal(last_slot, expected_slot)


def test_states_are_counted_within_the_distance() -> None:
    g = rng.stream(1, "states")
    row_start = np.array([0, 200, 200, 300], dtype=np.int32)
    code = g.integers(0, 4, 305).astype(np.uint8)
    distance = g.choice([50.0, 500.0, 500.1], 305).astype(np.float32)
    states = np.full(4, 1000, dtype=np.int64)
    count_states(row_start, code, distance, 500.0, states)
    near = code[:300][distance[:300] <= 500.0]
    assert states.tolist() == (1000 + np.bincount(near, minlength=4)).tolist()


def test_empty_tables_are_accepted() -> None:
    none = np.zeros(0, dtype=np.float32)
    start = np.zeros(1, dtype=np.int32)
    states, ages = np.zeros(4, dtype=np.int64), np.zeros(3, dtype=np.int64)
    count_states(start, np.zeros(0, dtype=np.uint8), none, 100.0, states)
    sample_ages(
        start,
        np.zeros(0, dtype=np.int32),
        none,
        np.zeros(0, dtype=np.uint8),
        100.0,
        0,
        True,
        np.zeros(0, dtype=np.int32),
        np.zeros(0, dtype=np.int64),
        ages,
    )
    assert not states.any()
    assert not ages.any()
