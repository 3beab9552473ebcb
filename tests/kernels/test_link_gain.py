"""Path gain and correlated shadowing of links."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links

from .twin_links import (
    NOT_DRAWN,
    Law,
    Table,
    complete_table,
    fresh_normals,
    pairs,
    separation,
)

KEY = 77

#: Invented, with other values in every place: two, three and one pieces, blockage in every
#: second code; the codes from 4 on repeat the first four, each with another intercept.
_LIKE = np.arange(10) % 4
LAW = Law(
    start_m=np.array(
        [
            [0.0, 60.0, 1e9, 1e9],
            [0.0, 20.0, 300.0, 1e9],
            [0.0, 5.0, 50.0, 500.0],
            [0.0, 1e9, 1e9, 1e9],
        ]
    )[_LIKE],
    intercept_db=np.array([[40, 5, 0, 0], [45, 41, 12, 0], [30, 33, 36, 39], [37, 0, 0, 0.0]])[
        _LIKE
    ]
    + 0.7 * np.arange(10)[:, None],
    slope_db=np.array([[20, 40, 0, 0], [22, 25, 37, 0], [16.7, 21, 30, 33], [30, 0, 0, 0.0]])[
        _LIKE
    ],
    min_distance_m=np.array([3.0, 1.0, 10.0, 1.0])[_LIKE],
    sigma_db=np.array([3.0, 3.5, 4.0, 6.0])[_LIKE],
    decorrelation_m=np.array([25.0, 10.0, 13.0, 50.0])[_LIKE],
    block_mean_db=np.array([-np.inf, 5.0, 9.0, -np.inf])[_LIKE],
    block_sigma_db=np.array([0.0, 4.0, 4.5, 0.0])[_LIKE],
)
QUIET = replace(LAW, sigma_db=np.zeros(10), block_sigma_db=np.zeros(10))


@dataclass
class Links:
    """Columns of a link table as the kernel changes them, filled with sentinels.

    Attributes
    ----------
    table
        Rows; the columns have three spare places behind their end.
    """

    table: Table
    law: Law = LAW
    range_m: float = 1e6
    wrap_m: float = 0.0
    key: int = KEY
    code: NDArray[np.uint8] = field(init=False)
    extra: NDArray[np.float32] = field(init=False)
    shadow: NDArray[np.float32] = field(init=False)
    block: NDArray[np.float32] = field(init=False)
    gain: NDArray[np.float32] = field(init=False)
    distance: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        """Make columns in which nothing was drawn."""
        n = len(self.table[1]) + 3
        self.code = np.zeros(n, dtype=np.uint8)
        self.extra = np.zeros(n, dtype=np.float32)
        self.shadow, self.block = np.full((2, n), NOT_DRAWN)
        self.gain, self.distance = np.full((2, n), np.float32(-5.0))

    def update(
        self,
        tick: int,
        position: NDArray[np.float64],
        moved: NDArray[np.float64] | None = None,
        identity: NDArray[np.uint32] | None = None,
        antenna_dbi: NDArray[np.float64] | None = None,
    ) -> None:
        """Advance one tick; nobody has moved and row numbers are identities unless given."""
        n = position.shape[1]
        moved = np.zeros((3, n)) if moved is None else moved
        links.update(
            *self.table,
            np.ascontiguousarray(position, dtype=np.float32),
            np.ascontiguousarray(moved, dtype=np.float32),
            np.zeros(n, np.float32) if antenna_dbi is None else antenna_dbi.astype(np.float32),
            np.arange(n, dtype=np.uint32) if identity is None else identity,
            self.key,
            tick,
            *self.law.tables(),
            self.range_m,
            self.wrap_m,
            np.zeros(n, dtype=np.uint32),
            np.zeros(n, dtype=np.int32),
            self.code,
            self.extra,
            self.shadow,
            self.block,
            self.gain,
            self.distance,
        )
        for column in (self.gain, self.distance):
            assert np.all(column[-3:] == -5.0)
        assert np.all(self.shadow[-3:] == NOT_DRAWN)

    def gain_db(self) -> dict[tuple[int, int], float]:
        """Return the gain of every ordered pair [dB]; -inf where there is none."""
        with np.errstate(divide="ignore"):
            gain = 10.0 * np.log10(self.gain[:-3].astype(np.float64))
        return dict(zip(pairs(self.table), gain.tolist(), strict=True))

    def normals(self) -> NDArray[np.float64]:
        """Return shadowing and blockage of each pair from its lower row, shape (n_pairs, 2)."""
        lower = np.array([i < j for i, j in pairs(self.table)], dtype=bool)
        return np.column_stack([self.shadow[:-3][lower], self.block[:-3][lower]]).astype(np.float64)

    def symmetric_codes(self, seed: int) -> None:
        """Give every pair a code, and in its lower row a loss by obstacles."""
        ends = np.array(pairs(self.table)).reshape(-1, 2)
        drawn = rng.stream(seed, "codes").integers(0, 10, (ends.max(initial=0) + 1,) * 2)
        low, high = ends.min(axis=1), ends.max(axis=1)
        self.code[:-3] = drawn[low, high]
        self.extra[:-3] = np.where(ends[:, 0] == low, 3.0 * ((7 * low + high) % 5) - 4.0, np.nan)


def obstacles_db(i: int, j: int) -> float:
    """Return the loss that :meth:`Links.symmetric_codes` gives the pair."""
    return 3.0 * ((7 * min(i, j) + max(i, j)) % 5) - 4.0


def random_positions(seed: int, n: int, size_m: float) -> NDArray[np.float64]:
    g = rng.stream(seed, "positions")
    box = np.array([size_m, 0.3 * size_m, 0.02 * size_m])
    return (g.random((3, n)) * box[:, None]).astype(np.float32).astype(np.float64)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 12),
    size_m=st.sampled_from([8.0, 120.0, 1500.0]),
    wrap_m=st.sampled_from([0.0, 1700.0]),
)
def test_gain_without_chance_is_the_law(seed: int, n: int, size_m: float, wrap_m: float) -> None:
    """Within 1e-4 dB: a loss near 150 dB has float32 steps of 1.5e-5 dB, the logarithm an error
    of 1e-6 octaves of 12 dB, and the exponential doubles both.
    """
    position = random_positions(seed, n, size_m)
    antenna = rng.stream(seed, "antenna").uniform(-3.0, 6.0, n).astype(np.float32)
    table = Links(complete_table(n), QUIET, wrap_m=wrap_m)
    table.symmetric_codes(seed)
    table.update(0, position, antenna_dbi=antenna.astype(np.float64))
    gain = table.gain_db()
    for k, (i, j) in enumerate(pairs(table.table)):
        d = float(np.linalg.norm(separation(position[:, i], position[:, j], wrap_m)))
        assert table.distance[k] == pytest.approx(d, rel=1e-6, abs=1e-4)
        edges = [*QUIET.start_m[table.code[k]], QUIET.min_distance_m[table.code[k]]]
        if min(abs(d - edge) for edge in edges) < 1e-3:
            continue  # pieces need not meet
        loss = QUIET.loss_db(int(table.code[k]), d, 0.0, 0.0) + obstacles_db(i, j)
        expected = float(antenna[i]) + float(antenna[j]) - loss
        assert gain[i, j] == pytest.approx(expected, abs=1e-4), (i, j, d)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(2, 8), wrap_m=st.sampled_from([0.0, 900.0]))
def test_gain_with_shadowing_is_the_autoregressive_process(
    seed: int, n: int, wrap_m: float
) -> None:
    """Three ticks of motion: s ← r s + sqrt(1 - r²) w with r = exp(-Δ/D), w from the hash.

    Δ is the change of the vector between the two ends; D that of the present state.
    """
    g = rng.stream(seed, "motion")
    identity = g.integers(0, 2**32, n).astype(np.uint32)
    position = random_positions(seed, n, 800.0)
    moved = np.zeros((3, n))
    table = Links(complete_table(n), wrap_m=wrap_m)
    state: dict[tuple[int, int], NDArray[np.float64]] = {}
    for tick in range(3):
        table.symmetric_codes(seed + tick)
        table.update(tick, position, moved, identity)
        gain = table.gain_db()
        for k, (i, j) in enumerate(pairs(table.table)):
            code = int(table.code[k])
            if i < j:
                step = float(np.linalg.norm(moved[:, j] - moved[:, i]))
                r = math.exp(-step / LAW.decorrelation_m[code]) if tick else 0.0
                draw = np.array(fresh_normals(KEY, tick, (int(identity[i]), int(identity[j]))))
                state[i, j] = r * state.get((i, j), np.zeros(2)) + math.sqrt(1 - r * r) * draw
            shadow, block = state[min(i, j), max(i, j)]
            d = float(np.linalg.norm(separation(position[:, i], position[:, j], wrap_m)))
            loss = LAW.loss_db(code, d, shadow, block) + obstacles_db(i, j)
            # 1e-4 dB of the law, and 1e-5 of a normal number times at most 6 dB, twice
            assert gain[i, j] == pytest.approx(-loss, abs=3e-4), (tick, i, j)
        moved = g.normal(0.0, 5.0, (3, n)).astype(np.float32).astype(np.float64)
        position = (position + moved).astype(np.float32).astype(np.float64)


def crowd(n: int) -> Links:
    """Return a table in which everybody is everybody's neighbour, all in line of sight."""
    return Links(complete_table(n))


def test_shadowing_is_stationary_standard_normal() -> None:
    """After one and after many steps: mean, variance and kurtosis of 79 800 pairs.

    Normal numbers of different pairs are independent, hence the usual standard errors.
    """
    n = 400
    table = crowd(n)
    position = random_positions(1, n, 500.0)
    moved = rng.stream(1, "moved").normal(0.0, 4.0, (3, n))
    for tick in range(12):
        table.update(tick, position, moved)
        if tick in (0, 1, 11):
            for z in table.normals().T:
                assert abs(z.mean()) < 4 / math.sqrt(z.size)
                assert abs(z.var() - 1.0) < 4 * math.sqrt(2 / z.size)
                assert abs((z**4).mean() - 3.0) < 4 * math.sqrt(96 / z.size)


@pytest.mark.parametrize("code", [0, 1, 2, 3])
@pytest.mark.parametrize("step_m", [0.5, 10.0, 40.0])
def test_autocorrelation_falls_exponentially_with_distance(code: int, step_m: float) -> None:
    """Every second node moves `step_m`; the correlation r has standard error (1 - r²)/sqrt(n)."""
    n = 240
    table = crowd(n)
    table.code[:] = code
    position = random_positions(2, n, 500.0)
    moved = np.zeros((3, n))
    moved[1, ::2] = step_m
    table.update(0, position)
    before = table.normals()
    n_steps = 3
    for tick in range(1, n_steps + 1):
        table.update(tick, position, moved)
    after = table.normals()
    relative = np.array([(i + j) % 2 for i, j in pairs(table.table) if i < j], dtype=bool)
    r = math.exp(-n_steps * step_m / LAW.decorrelation_m[code])
    for a, b in zip(before.T, after.T, strict=True):
        measured = np.corrcoef(a[relative], b[relative])[0, 1]
        assert abs(measured - r) < 4 * (1 - r * r) / math.sqrt(relative.sum())
        # Those who moved alike, or not at all, keep their shadowing to the bit of rounding.
        assert np.allclose(a[~relative], b[~relative], atol=1e-6)


def test_pairs_are_independent_of_each_other() -> None:
    """Links that share an end, both numbers of a link, one link at two ticks: no correlation."""
    n = 401
    table = crowd(n)
    position = random_positions(3, n, 500.0)
    table.update(0, position)
    lower = [(i, j) for i, j in pairs(table.table) if i < j]
    first = np.zeros((n, n))
    first[tuple(np.array(lower).T)] = table.normals()[:, 0]
    first += first.T
    shuffled = np.roll(np.arange(n), 1)
    samples = {
        "shadow and blockage": tuple(table.normals().T),
        "a common end": (first[0::2, :][:200].ravel(), first[1::2, :][:200].ravel()),
        "shifted rows": (first.ravel(), first[shuffled][:, shuffled].ravel()),
    }
    far = np.full((3, n), 1e6) * np.arange(n)
    table.update(1, position, far)
    second_tick = table.normals()[:, 0]
    samples["two ticks"] = (np.array([first[p] for p in lower]), second_tick)
    for name, (a, b) in samples.items():
        # a symmetric matrix holds every number twice
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 * math.sqrt(2 / a.size), name


def test_both_directions_are_equal_to_the_bit() -> None:
    n = 30
    table = crowd(n)
    table.symmetric_codes(4)
    for tick in range(3):
        table.update(tick, random_positions(4 + tick, n, 900.0), np.full((3, n), 1.5))
        both = zip(table.gain[:-3], table.distance[:-3], strict=True)
        value = dict(zip(pairs(table.table), both, strict=True))
        assert all(value[i, j] == value[j, i] for i, j in value)
        assert len({gain for gain, _ in value.values()}) == len(value) // 2


def test_other_nodes_and_rows_change_no_bit() -> None:
    """A link's gain depends on its two ends alone, wherever their rows are."""
    g = rng.stream(5, "subset")
    n = 23
    identity = g.integers(0, 2**32, n).astype(np.uint32)
    position = random_positions(5, n, 900.0)
    moved = g.normal(0.0, 3.0, (2, 3, n))
    everybody = crowd(n)
    chosen = g.permutation(n)[:14]
    some = crowd(len(chosen))
    for tick in range(2):
        everybody.update(tick, position, moved[tick], identity)
        some.update(tick, position[:, chosen], moved[tick][:, chosen], identity[chosen])
    reference = everybody.gain_db()
    for (a, b), gain in some.gain_db().items():
        assert gain == reference[chosen[a], chosen[b]]


def test_keys_and_ticks_draw_anew() -> None:
    position = random_positions(6, 10, 300.0)
    drawn = []
    for key, tick in ((1, 0), (1, 1), (2, 0)):
        table = Links(complete_table(10), key=key)
        table.update(tick, position)
        drawn.append(table.normals())
    assert not np.isclose(drawn[0], drawn[1]).any()
    assert not np.isclose(drawn[0], drawn[2]).any()


def test_links_beyond_the_range_carry_no_power_and_forget() -> None:
    """Range in three dimensions; a pair that comes back draws as if it were new."""
    table = Links(complete_table(2), range_m=100.0)
    near, far = np.zeros((3, 2)), np.zeros((3, 2))
    near[:, 1] = (60.0, 0.0, 79.0)
    far[:, 1] = (60.0, 0.0, 81.0)
    table.update(0, near)
    assert np.all(table.gain[:2] > 0)
    assert np.all(np.abs(table.normals()) < 6)
    table.update(1, far)
    assert table.gain[:2].tolist() == [0.0, 0.0]
    assert np.all(table.normals() == NOT_DRAWN)
    assert table.distance[0] == pytest.approx(math.hypot(60.0, 81.0))
    table.update(2, near)
    assert np.allclose(table.normals(), fresh_normals(KEY, 2, (0, 1)), atol=5e-6)


def test_blockage_is_clamped_at_zero_and_grows_beyond_541_m() -> None:
    """Moments of what is drawn: share of zeros and mean of max(0, N(5, 4²)) at 100 m.

    E max(0, X) = μ Φ(μ/σ) + σ φ(μ/σ); P(X <= 0) = Φ(-μ/σ).
    """
    n = 300
    law = replace(LAW, sigma_db=np.zeros(10), decorrelation_m=np.full(10, 10.0))
    table = Links(complete_table(n), law)
    table.code[:] = 1
    side = np.arange(n) % 2
    position = np.zeros((3, n))
    for distance_m, mean in ((100.0, 5.0), (1000.0, 5.0 + 45.0 - 41.0)):
        position[0] = side * distance_m
        table.update(0, position)
        law_db = replace(law, block_mean_db=np.full(10, -np.inf)).loss_db(1, distance_m, 0, 0)
        across = [
            -g - law_db for (i, j), g in table.gain_db().items() if i < j and side[i] != side[j]
        ]
        blocked = np.array(across)
        m, z = blocked.size, mean / 4.0
        zeros = 0.5 * math.erfc(z / math.sqrt(2.0))
        expected = mean * (1 - zeros) + 4.0 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        assert blocked.min() > -1e-3
        assert abs((blocked < 1e-3).mean() - zeros) < 4 * math.sqrt(zeros * (1 - zeros) / m)
        assert abs(blocked.mean() - expected) < 4 * 4.0 / math.sqrt(m)
        table.shadow[:] = table.block[:] = NOT_DRAWN


@pytest.mark.parametrize("n", [0, 1, 3])
def test_tables_without_links_are_accepted(n: int) -> None:
    table = Links((np.zeros(n + 1, dtype=np.int32), np.zeros(0, dtype=np.int32)))
    table.update(0, np.zeros((3, n)))
    assert np.all(table.gain == -5.0)
