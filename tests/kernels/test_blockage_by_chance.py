"""What stands between two antennas by probability and by street corners."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links

from .twin_links import (
    Pair,
    complete_table,
    pairs,
    statistical_code,
)

STEP_M = 5.0


def p_los_table(range_m: float) -> NDArray[np.float32]:
    """Return a probability that falls with distance, every 5 m."""
    return np.exp(-np.arange(0.0, range_m + STEP_M, STEP_M) / 150.0).astype(np.float32)


def classify_by_chance(
    x: NDArray[np.float64],
    identity: NDArray[np.uint32],
    antenna: NDArray[np.float64],
    *,
    key: int = 5,
    p_los: NDArray[np.float32] | None = None,
    wrap_m: float = 0.0,
    tall_share: float = 0.3,
    code: NDArray[np.uint8] | None = None,
) -> dict[Pair, int]:
    """Run the kernel over vehicles on a line, everybody near everybody."""
    table = complete_table(len(x))
    if code is None:
        code = np.full(len(table[1]), 99, dtype=np.uint8)
    links.classify_statistical(
        *table,
        x.astype(np.float32),
        np.zeros(len(x), dtype=np.float32),
        antenna.astype(np.float32),
        identity,
        key,
        p_los_table(1000.0) if p_los is None else p_los,
        STEP_M,
        wrap_m,
        tall_share,
        1.5,
        3.0,
        code,
    )
    return dict(zip(pairs(table), code.tolist(), strict=True))


@pytest.mark.parametrize("wrap_m", [0.0, 900.0])
def test_codes_by_chance_equal_their_twin(wrap_m: float) -> None:
    """Equal unless the uniform number is within float32 of the probability."""
    g = rng.stream(3, "chance")
    n = 40
    x = g.uniform(0.0, 800.0, n).astype(np.float32).astype(np.float64)
    identity = g.integers(0, 2**32, n).astype(np.uint32)
    antenna = g.choice([0.75, 1.5, 2.0, 3.5], n)
    table = p_los_table(600.0)
    kernel = classify_by_chance(x, identity, antenna, p_los=table, wrap_m=wrap_m)
    compared = 0
    for (i, j), code in kernel.items():
        d = abs(x[i] - x[j])
        d = min(d, wrap_m - d) if wrap_m else d
        p = float(np.interp(d, STEP_M * np.arange(len(table)), table))
        ids, heights = (int(identity[i]), int(identity[j])), (antenna[i], antenna[j])
        expected, u = statistical_code(ids, heights, 5, p, 0.3, 1.5, 3.0)
        if abs(u - p) > 1e-6:
            compared += 1
            assert code == expected, (i, j)
    assert compared > 0.99 * len(kernel)


def codes_across(distance_m: float, antenna_m: float, n: int = 240) -> list[int]:
    """Return the codes of n²/4 pairs, each of one vehicle here and one `distance_m` away."""
    x = np.repeat([0.0, distance_m], n // 2)
    codes = classify_by_chance(x, np.arange(n, dtype=np.uint32), np.full(n, antenna_m))
    return [codes[i, j] for i in range(n // 2) for j in range(n // 2, n)]


@pytest.mark.parametrize("distance_m", [0.0, 52.5, 200.0, 400.0, 2000.0])
def test_share_of_line_of_sight_is_its_probability(distance_m: float) -> None:
    """The count is binomial; beyond the end of the table its last value holds."""
    table = p_los_table(1000.0).astype(np.float64)
    p = float(np.interp(distance_m, STEP_M * np.arange(len(table)), table))
    codes = codes_across(distance_m, antenna_m=1.0)
    n = len(codes)
    assert abs(codes.count(0) - n * p) <= 4 * math.sqrt(n * p * (1 - p))
    assert codes.count(2) == n - codes.count(0)  # all blockers are higher than 1 m


def test_share_of_high_blockers_is_that_of_high_vehicles() -> None:
    """Antennas at 2 m: blockers of 3 m, three in ten, hide them; those of 1.5 m do not."""
    codes = codes_across(2000.0, antenna_m=2.0)
    hidden = len(codes) * (1.0 - float(p_los_table(1000.0)[-1]))
    assert abs(codes.count(2) - 0.3 * hidden) <= 4 * math.sqrt(0.3 * 0.7 * hidden)
    assert codes.count(1) == 0


def test_a_link_changes_state_only_as_its_probability_passes_its_number() -> None:
    """Moving apart and back: once blocked, farther stays blocked; coming back is the same."""
    n = 60
    identity = np.arange(n, dtype=np.uint32)
    history = []
    for d in (10.0, 100.0, 250.0, 500.0, 250.0, 100.0, 10.0):
        x = np.repeat([0.0, d], n // 2)
        codes = classify_by_chance(x, identity, np.full(n, 1.0))
        history.append([codes[i, j] > 0 for i in range(30) for j in range(30, 60)])
    blocked = np.array(history)
    assert np.all(blocked[:3] <= blocked[1:4])
    assert np.array_equal(blocked[:3], blocked[:3:-1])


def test_codes_by_chance_follow_identities_not_rows() -> None:
    g = rng.stream(9, "rows")
    n = 25
    x, antenna = g.uniform(0.0, 500.0, n), g.choice([1.0, 2.0], n)
    identity = g.integers(0, 2**32, n).astype(np.uint32)
    order = g.permutation(n)
    before = classify_by_chance(x, identity, antenna)
    after = classify_by_chance(x[order], identity[order], antenna[order])
    assert after == {(a, b): before[order[a], order[b]] for a, b in after}
    assert all(before[j, i] == code for (i, j), code in before.items())
    other = classify_by_chance(x, identity, antenna, key=6)
    assert other != before


def test_chance_leaves_links_behind_buildings() -> None:
    code = np.full(4 * 3, 3, dtype=np.uint8)
    x, antenna = np.arange(4.0), np.ones(4)
    codes = classify_by_chance(x, np.arange(4, dtype=np.uint32), antenna, code=code)
    assert set(codes.values()) == {3}


def test_corridors_hide_whoever_shares_no_street() -> None:
    """-1 is no street: two nodes off every street do not share one."""
    g = rng.stream(2, "corridors")
    n = 40
    along, across = (g.integers(-1, 3, n).astype(np.int32) for _ in range(2))
    table = complete_table(n)
    code = np.full(len(table[1]), 99, dtype=np.uint8)
    links.classify_corridors(*table, along, across, code)
    for (i, j), c in zip(pairs(table), code.tolist(), strict=True):
        streets_i = {("x", along[i]), ("y", across[i])} - {("x", -1), ("y", -1)}
        streets_j = {("x", along[j]), ("y", across[j])}
        assert c == (0 if streets_i & streets_j else 3)
    assert 0.2 < np.mean(code == 3) < 0.9
