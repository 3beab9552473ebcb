"""What differs between two runs, or two batches: their scenarios, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from v2x.batch.chance import more_than_chance
from v2x.batch.results import Batch, Run, differences
from v2x.errors import V2XError
from v2x.scenario.yaml_file import parse_document

#: What says which run it is, not what it simulates.
_IDENTITY = frozenset({"name", "description", "seed"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between A and B.

    Attributes
    ----------
    scenario
        A row for each key that differs between runs of the same variant: ``key``, ``a``, ``b``.
    metrics
        Columns of :func:`v2x.batch.results.differences` (B less A), and ``more_than_chance``.
    """

    scenario: pd.DataFrame
    metrics: pd.DataFrame


def compare(a: Run | Batch, b: Run | Batch) -> Comparison:
    """Return what differs between two runs, or between the variants that two batches share.

    Runs of the same variant and seed are paired; see :mod:`v2x.batch.chance`. A run is a variant
    without settings.

    Raises
    ------
    V2XError
        If A and B have no variant in common.
    """
    ours, theirs = _variants(a), _variants(b)
    shared = [settings for settings in ours if settings in theirs]
    if not shared:
        raise V2XError(
            f"has no variant in common with {a.folder}",
            file=str(b.folder),
            remedy="compare two runs, or two batches with the same values of the same factors",
        )
    changed: dict[str, tuple[Any, Any]] = {}
    for settings in shared:
        changed |= dict(_changes(ours[settings].scenario_text, theirs[settings].scenario_text))
    factors = list(a.factors) if isinstance(a, Batch) else []
    table = differences(a.metrics, b.metrics, ["metric", *factors, "bin"])
    table["more_than_chance"] = more_than_chance(table["p"].to_numpy())
    scenario = [(key, *values) for key, values in changed.items()]
    return Comparison(pd.DataFrame(scenario, columns=["key", "a", "b"]), table)


def _variants(of: Run | Batch) -> dict[tuple[tuple[str, str], ...], Run]:
    """Return the first run of each variant, by the settings of the variant."""
    if isinstance(of, Run):
        return {(): of}
    done = of.runs[of.runs["state"] == "done"]
    first: dict[tuple[tuple[str, str], ...], Run] = {}
    for _, row in done.iterrows():
        settings = tuple((key, str(row[key])) for key in of.factors)
        first.setdefault(settings, Run(row["folder"]))
    return first


def _changes(a: str, b: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the keys of two resolved scenarios that differ, and their values."""
    left, right = (dict(_leaves(parse_document(text, "").data)) for text in (a, b))
    for key in dict.fromkeys((*left, *right)):
        values = (left.get(key), right.get(key))
        if values[0] != values[1] and key not in _IDENTITY:
            yield key, values


def _leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
