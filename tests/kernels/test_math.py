"""Logarithm, exponential and random numbers of the kernels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from v2x import rng
from v2x._kernels import links

from .twin_math import UNIFORM_STEPS, hashed, mix, normal_pair, second, uniform

KEYS = (0, 1, 2, 0xFFFFFFFF, rng.key32(1, "channel", "shadowing"))


def _log2(x: NDArray[np.float32]) -> NDArray[np.float64]:
    out = np.empty_like(x)
    links.log2_of(x, out)
    return out.astype(np.float64)


def _exp2(x: NDArray[np.float32]) -> NDArray[np.float64]:
    out = np.empty_like(x)
    links.exp2_of(x, out)
    return out.astype(np.float64)


def _normals(key: int, n: int) -> NDArray[np.float64]:
    out = np.empty((n, 2), dtype=np.float32)
    links.normals(key, out)
    return out.astype(np.float64)


def _uniforms(key: int, n: int, m: int) -> NDArray[np.float64]:
    out = np.empty((n, m), dtype=np.float32)
    links.uniforms(key, out)
    return out.astype(np.float64)


def test_log2_error_below_3e7_and_half_a_step_of_float32() -> None:
    """The polynomial's error, plus rounding of the sum with the exponent (half an ulp of it)."""
    mantissa = np.linspace(1.0, 2.0, 20_001, dtype=np.float32)[:-1]
    for exponent in range(-126, 128):
        x = np.ldexp(mantissa[:: 1 if abs(exponent) < 2 else 20], exponent).astype(np.float32)
        exact = np.log2(x.astype(np.float64))
        bound = 3e-7 + 0.5 * np.spacing(np.abs(exact).astype(np.float32))
        assert np.all(np.abs(_log2(x) - exact) <= bound), exponent


def test_log2_is_exact_at_powers_of_two() -> None:
    exponent = np.arange(-126, 128)
    assert np.array_equal(_log2(np.ldexp(np.float32(1.0), exponent)), exponent)


def test_log2_of_zero_and_subnormals_is_about_minus_127() -> None:
    assert np.all(np.abs(_log2(np.array([0.0, 1e-40, 1e-44], dtype=np.float32)) + 127) < 1.1)


def test_exp2_relative_error_below_2e7() -> None:
    x = np.linspace(-126.0, 126.0, 400_001, dtype=np.float32)
    exact = np.exp2(x.astype(np.float64))
    assert np.abs(_exp2(x) / exact - 1.0).max() < 2e-7


def test_exp2_is_exact_at_integers_and_clamped() -> None:
    whole = np.arange(-126, 127)
    assert np.array_equal(_exp2(whole.astype(np.float32)), np.exp2(whole.astype(np.float64)))
    ends = np.array([-1e30, -127.0, 127.0, 1e30], dtype=np.float32)
    assert np.array_equal(_exp2(ends), [2.0**-126, 2.0**-126, 2.0**126, 2.0**126])


def test_results_do_not_depend_on_place_in_the_array() -> None:
    """Vector lanes and the scalar rest of a loop compute the same bits."""
    x = rng.stream(1, "lanes").uniform(0.1, 50.0, 37).astype(np.float32)
    for start in range(9):
        assert np.array_equal(_log2(x[start:].copy()), _log2(x)[start:])
        assert np.array_equal(_exp2(x[start:].copy()), _exp2(x)[start:])


def test_empty_arrays_are_accepted() -> None:
    assert _log2(np.zeros(0, np.float32)).size == _exp2(np.zeros(0, np.float32)).size == 0
    assert _normals(1, 0).shape == (0, 2)
    assert _uniforms(1, 0, 5).size == _uniforms(1, 5, 0).size == 0


def test_mix_maps_words_one_to_one() -> None:
    """Odd factors and shifted exclusive-ors can be undone; a sample must not collide."""
    words = [*range(1 << 14), *((k << 18) for k in range(1, 1 << 14))]
    assert len({mix(word) for word in words}) == len(words)


@pytest.mark.parametrize("key", KEYS)
def test_uniforms_equal_their_twin(key: int) -> None:
    kernel = _uniforms(key, 40, 30)
    twin = [[uniform(hashed(key, i, j)) for j in range(30)] for i in range(40)]
    assert np.array_equal(kernel, twin)


@pytest.mark.parametrize("key", KEYS)
def test_normals_equal_their_twin(key: int) -> None:
    """Error of the logarithm 3e-7 under the root, of the sine 2e-7, times at most 5.8."""
    kernel = _normals(key, 3000)
    words = [hashed(key, i) for i in range(3000)]
    twin = np.array([normal_pair(word, second(word)) for word in words])
    assert np.abs(kernel - twin).max() < 5e-6


def test_uniform_numbers_stay_inside_zero_and_one() -> None:
    """Neither a logarithm of zero nor a probability of one can occur."""
    assert uniform(0) == 0.5 / UNIFORM_STEPS
    assert uniform(0xFFFFFFFF) == 1.0 - 0.5 / UNIFORM_STEPS
    assert np.float32(uniform(0xFFFFFFFF)) < 1.0
    largest = math.sqrt(-2.0 * math.log(uniform(0)))
    assert np.abs(_normals(3, 100_000)).max() < largest < 5.78


@pytest.mark.parametrize("key", KEYS)
def test_uniforms_have_the_moments_and_bins_of_a_uniform_distribution(key: int) -> None:
    u = _uniforms(key, 400, 500).ravel()
    n = u.size
    assert abs(u.mean() - 0.5) < 4 * math.sqrt(1 / 12 / n)
    # Var (u - 1/2)² = 1/80 - 1/144
    assert abs(u.var() - 1 / 12) < 4 * math.sqrt((1 / 80 - 1 / 144) / n)
    counts = np.bincount((u * 256).astype(int), minlength=256)
    chi2 = float(((counts - n / 256) ** 2).sum() / (n / 256))
    assert abs(chi2 - 255) < 4 * math.sqrt(2 * 255)


@pytest.mark.parametrize("key", KEYS)
def test_neighbouring_counters_give_unrelated_uniforms(key: int) -> None:
    """Correlation of n pairs of independent numbers has standard deviation 1/sqrt(n).

    And pairs must fill the square evenly: a lattice would not show in the correlation.
    """
    u = _uniforms(key, 400, 500)
    other = _uniforms(key ^ 1, 400, 500)
    pairs = {
        "first counter": (u[:-1], u[1:]),
        "second counter": (u[:, :-1], u[:, 1:]),
        "both counters": (u[:-1, :-1], u[1:, 1:]),
        "swapped counters": (
            u[:400, :400][np.triu_indices(400, 1)],
            u[:400, :400].T[np.triu_indices(400, 1)],
        ),
        "neighbouring keys": (u, other),
    }
    for name, (a, b) in pairs.items():
        a, b = a.ravel(), b.ravel()
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / math.sqrt(a.size), name
        cells = np.bincount((a * 16).astype(int) * 16 + (b * 16).astype(int), minlength=256)
        chi2 = float(((cells - a.size / 256) ** 2).sum() / (a.size / 256))
        assert abs(chi2 - 255) < 4 * math.sqrt(2 * 255), name


@pytest.mark.parametrize("key", KEYS)
def test_normals_have_the_moments_of_a_normal_distribution(key: int) -> None:
    """Standard errors of mean, variance, skewness and kurtosis: 1, 2, 6 and 24 over n, roots."""
    z = _normals(key, 100_000).ravel()
    n = z.size
    assert abs(z.mean()) < 4 * math.sqrt(1 / n)
    assert abs(z.var() - 1.0) < 4 * math.sqrt(2 / n)
    assert abs(stats.skew(z)) < 4 * math.sqrt(6 / n)
    assert abs(stats.kurtosis(z)) < 4 * math.sqrt(24 / n)
    # Kolmogorov and Smirnov: the largest difference exceeds 2.1 / sqrt(n) once in 3000 samples.
    assert stats.kstest(z, "norm").statistic < 2.1 / math.sqrt(n)


@pytest.mark.parametrize("key", KEYS)
def test_normals_of_a_pair_and_of_neighbouring_counters_are_unrelated(key: int) -> None:
    z = _normals(key, 100_000)
    for a, b in ((z[:, 0], z[:, 1]), (z[:-1, 0], z[1:, 0]), (z[:-1, 1], z[1:, 0])):
        for power in (1, 2):
            r = np.corrcoef(a**power, b**power)[0, 1]
            assert abs(r) < 4 / math.sqrt(a.size), power
