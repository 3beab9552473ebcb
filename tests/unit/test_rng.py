"""Named streams, and numbers drawn by hashing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x import rng

Key = st.lists(st.integers(0, 2**32 - 1) | st.text(max_size=8), min_size=1, max_size=3).map(tuple)


@given(st.integers(0, 2**63), Key)
def test_a_stream_is_found_by_its_name(seed: int, key: tuple[str | int, ...]) -> None:
    assert rng.stream(seed, *key).random(3).tolist() == rng.stream(seed, *key).random(3).tolist()
    assert rng.key32(seed, *key) == rng.key32(seed, *key)
    assert 0 <= rng.key32(seed, *key) < 2**32


def test_streams_of_other_names_and_seeds_are_others() -> None:
    names = [("a",), ("b",), ("a", "b"), ("b", "a"), ("a", 0), ("a", 1), (0,), (1,)]
    drawn = {
        (seed, key): rng.stream(seed, *key).random(4).tobytes()
        for seed, key in itertools.product(range(5), names)
    }
    assert len(set(drawn.values())) == len(drawn)
    keys = {rng.key32(seed, *key) for seed, key in drawn}
    assert len(keys) == len(drawn)


def test_streams_do_not_follow_each_other() -> None:
    """Correlation of streams with neighbouring names and seeds, within 4 / sqrt(n)."""
    n = 20_000
    first = rng.stream(1, "vehicle", 0).random(n)
    for other in (rng.stream(1, "vehicle", 1), rng.stream(2, "vehicle", 0), rng.stream(1, 0)):
        assert abs(np.corrcoef(first, other.random(n))[0, 1]) < 4.0 / math.sqrt(n)


def test_negative_seeds_are_an_error() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        rng.stream(-1, "a")


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 2**40), min_size=1, max_size=20),
    st.integers(-5, 2**40),
)
def test_hashed_numbers_belong_to_identity_and_counter(
    key: int, identity: list[int], counter: int
) -> None:
    """One by one, all at once or in another order: the same numbers in [0, 1)."""
    together = rng.uniform_by_id(key, identity, np.int64(counter))
    alone = [float(rng.uniform_by_id(key, one, np.int64(counter))) for one in identity]
    assert together.tolist() == alone
    assert rng.uniform_by_id(key, identity[::-1], np.int64(counter)).tolist() == alone[::-1]
    assert ((together >= 0.0) & (together < 1.0)).all()


def test_one_number_may_be_asked_for() -> None:
    """Scalars hash like arrays, without a warning that the product runs over 64 bits."""
    assert float(rng.uniform_by_id(7, 2, 0)) == float(rng.uniform_by_id(7, [2], 0)[0])
    assert rng.uniform_by_id(7, 2**40, 2**40).shape == ()


@pytest.mark.parametrize("what", ["identity", "counter", "key"])
def test_hashed_numbers_are_uniform(what: str) -> None:
    """Mean, variance, chi square of 100 classes and serial correlation over 100,000 numbers.

    Bounds are four standard deviations. Along the key the number of draws is 5,000.
    """
    n = 100_000 if what != "key" else 5_000
    counting = np.arange(n)
    if what == "identity":
        u = rng.uniform_by_id(123, counting, 7)
    elif what == "counter":
        u = rng.uniform_by_id(123, 7, counting)
    else:
        u = np.array([float(rng.uniform_by_id(k, 7, 3)) for k in range(n)])
    assert abs(u.mean() - 0.5) < 4.0 * math.sqrt(1.0 / 12.0 / n)
    assert abs(u.var() - 1.0 / 12.0) < 4.0 * math.sqrt(1.0 / 180.0 / n)
    counts = np.bincount((u * 100).astype(int), minlength=100)
    chi_square = float(((counts - n / 100) ** 2 / (n / 100)).sum())
    assert chi_square < 99 + 4.0 * math.sqrt(2 * 99)
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4.0 / math.sqrt(n)


def test_identity_and_counter_do_not_add_up() -> None:
    """(identity, counter) pairs on a diagonal share nothing: all 40,000 numbers differ."""
    identity, counter = (grid.ravel() for grid in np.meshgrid(np.arange(200), np.arange(200)))
    assert len(np.unique(rng.uniform_by_id(5, identity, counter))) == 40_000
