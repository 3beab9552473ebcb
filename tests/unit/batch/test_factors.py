from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.batch.factors import RangeParams, bind_factors
from v2x.scenario.binding import Problems
from v2x.scenario.yaml_file import Document


def settings(factors: Any) -> list[dict[str, Any]]:
    problems = Problems(Document({}))
    found = bind_factors(factors, ("factors",), problems)
    problems.raise_if_any()
    return found


def test_kinds_are_crossed_and_each_does_what_it_says() -> None:
    found = settings(
        {
            "list": [{"a": 1, "b": 2}, {"a": 3, "b": 4}],
            "zip": {"c": [5, 6], "d": [7, 8]},
            "grid": {"e": [9, 10], "f": [11]},
        }
    )

    assert len(found) == 2 * 2 * 2
    assert found[0] == {"a": 1, "b": 2, "c": 5, "d": 7, "e": 9, "f": 11}
    assert found[-1] == {"a": 3, "b": 4, "c": 6, "d": 8, "e": 10, "f": 11}


def test_without_factors_there_is_one_variant() -> None:
    assert settings(None) == [{}]


def test_each_stratum_of_a_latin_hypercube_holds_one_point() -> None:
    n = 20
    found = settings(
        {
            "latin-hypercube": {
                "samples": n,
                "ranges": {"x": {"low": 0, "high": 1}, "y": {"low": 1, "high": 1000, "log": True}},
            }
        }
    )

    x = np.array([one["x"] for one in found])
    y = np.log10([one["y"] for one in found]) / 3
    assert sorted(np.floor(x * n).astype(int)) == list(range(n))
    assert sorted(np.floor(y * n).astype(int)) == list(range(n))
    assert np.corrcoef(x, y)[0, 1] ** 2 < 0.5  # not the diagonal


@pytest.mark.parametrize("kind", ["random", "latin-hypercube"])
def test_samples_follow_from_their_seed_and_not_from_the_order_of_keys(kind: str) -> None:
    x, y = {"low": 0, "high": 1}, {"low": 5, "high": 9, "whole": True}
    first = settings({kind: {"samples": 6, "seed": 3, "ranges": {"x": x, "y": y}}})
    again = settings({kind: {"samples": 6, "seed": 3, "ranges": {"y": y, "x": x}}})
    other = settings({kind: {"samples": 6, "seed": 4, "ranges": {"x": x, "y": y}}})

    assert first == again
    assert first != other
    assert all(5 <= one["y"] <= 9 and isinstance(one["y"], int) for one in first)


def test_more_random_samples_keep_those_there_are() -> None:
    ranges = {"x": {"low": 0, "high": 1}}
    few = settings({"random": {"samples": 3, "ranges": ranges}})
    many = settings({"random": {"samples": 8, "ranges": ranges | {"y": {"low": 0, "high": 1}}}})

    assert [one["x"] for one in many][:3] == [one["x"] for one in few]


def test_whole_numbers_are_drawn_alike() -> None:
    of = RangeParams(low=1, high=4, whole=True)
    drawn = [of.at(share) for share in np.linspace(0, 1, 400, endpoint=False)]

    assert [drawn.count(value) for value in (1, 2, 3, 4)] == [100] * 4
