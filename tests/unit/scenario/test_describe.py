"""Docstrings as the only explanation of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest

from v2x.scenario.describe import field_docs, parameter_docs, summary, type_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """Nested parameters.

    Parameters
    ----------
    depth_m
        Depth, see :func:`~v2x.units.noise_dbm` and :data:`X.y` [m].
    """

    depth_m: float = 1.0


class Kind(StrEnum):
    """Two words."""

    ONE = "one"
    TWO = "two"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Two sentences. Of which the first line is the summary.

    More words.

    Parameters
    ----------
    power_dbm
        Power over `bandwidth` [dBm]; a long explanation that
        goes on (TS 36.101 6.2.2).
    low_m, high_m
        Ends of the bin (low, high] [m], one clause.
    plain : int
        Without a unit (or so; we think). And more.

    Notes
    -----
    power_dbm
        Not an explanation.
    """

    power_dbm: float = 23.0
    low_m: float
    high_m: float
    plain: int = 1
    undocumented: bool = False
    inner: Inner = Inner(depth_m=2.0)


def test_texts_units_and_sources_come_from_the_docstring() -> None:
    docs = field_docs(Example)
    assert list(docs) == ["power_dbm", "low_m", "high_m", "plain"]
    power = docs["power_dbm"]
    assert power.text == (
        "Power over bandwidth [dBm]; a long explanation that goes on (TS 36.101 6.2.2)."
    )
    assert (power.unit, power.source) == ("dBm", "TS 36.101 6.2.2")
    assert power.brief == "Power over bandwidth [dBm]"
    assert docs["high_m"].brief == "Ends of the bin (low, high] [m]"
    assert docs["high_m"].unit == "m"
    assert (docs["plain"].brief, docs["plain"].unit) == ("Without a unit (or so; we think)", "")


def test_parameters_carry_type_and_default() -> None:
    docs = {item.name: item for item in parameter_docs(Example)}
    assert (docs["power_dbm"].type, docs["power_dbm"].default) == ("a number", 23.0)
    assert docs["low_m"].required
    assert not docs["plain"].required
    assert docs["undocumented"].doc.text == ""


def test_nested_parameters_have_dotted_names_and_the_defaults_of_their_place() -> None:
    (inner,) = (item for item in parameter_docs(Example) if "." in item.name)
    assert (inner.name, inner.default) == ("inner.depth_m", 2.0)
    assert inner.doc.text == "Depth, see noise_dbm and X.y [m]."


def test_the_summary_is_the_first_line() -> None:
    assert summary(Example) == "Two sentences. Of which the first line is the summary."


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (float, "a number"),
        (int | None, "a whole number or null"),
        (bool, "true or false"),
        (Literal["a", "b"], "'a' or 'b'"),
        (Kind | None, "'one' or 'two' or null"),
        (tuple[float, ...], "a list of numbers"),
        (tuple[int, float], "a list of 2 values (a whole number, a number)"),
        (list[str], "a list of names"),
        (Mapping[str, float], "a mapping of names to numbers"),
        (Path, "a file name"),
        (Example, "a section"),
        (int | tuple[int, ...] | None, "a whole number or a list of whole numbers or null"),
    ],
)
def test_types_are_said_in_words(hint: Any, words: str) -> None:
    assert type_in_words(hint) == words
