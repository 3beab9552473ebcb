"""The summary of a run as rows: one figure a row, whatever it is of.

Names are those of ``summary.json``, joined by dots; ``mean`` and ``value`` are left out, so that
``latency_ms`` is the mean latency and ``latency_ms.p95`` its 95th percentile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

#: What a summary says of the run instead of measuring it.
_NOT_MEASURED = frozenset(
    {
        "scenario",
        "seed",
        "replications",
        "simulated_s",
        "wall_s",
        "realtime_factor",
        "map",
        "exclusions",
        "awareness_range_m",
        "effective_antenna_height_m",
    }
)
_OWN = ("mean", "value")
_BINS = "bin_upper_m"
_BESIDE = frozenset({_BINS, "ci_low", "ci_high", "ci_method"})


class Row(NamedTuple):
    """A figure of a run.

    Attributes
    ----------
    metric
        Its name.
    bin
        Upper end of its bin [m], or its place in a list without bins; NaN if it has neither.
    value
        It, NaN where there was nothing to measure.
    low, high
        Its 95 % limits within the run, NaN if there are none.
    n
        Samples behind it, NaN if that is not known.
    """

    metric: str
    bin: float
    value: float
    low: float
    high: float
    n: float


def rows_of(summary: Mapping[str, Any]) -> Iterator[Row]:
    """Yield the figures of a summary.

    Examples
    --------
    >>> cbr = {"mean": 0.2, "ci_low": 0.1, "ci_high": 0.3, "ci_method": "…", "p50": 0.25}
    >>> for row in rows_of({"seed": 1, "cbr": cbr}):
    ...     print(row.metric, row.value, row.low, row.high)
    cbr 0.2 0.1 0.3
    cbr.p50 0.25 nan nan
    """
    # The shares of outcomes are over the bins of the PRR.
    bins = _bins(summary.get("prr"), None)
    for name, value in summary.items():
        if name not in _NOT_MEASURED:
            yield from _rows(name, value, bins)


def _bins(value: Any, otherwise: list[float] | None) -> list[float] | None:
    return value.get(_BINS, otherwise) if isinstance(value, Mapping) else otherwise


def _rows(name: str, value: Any, bins: list[float] | None) -> Iterator[Row]:
    if isinstance(value, Mapping):
        yield from _section(name, value, _bins(value, bins))
    else:
        yield from _figure(name, value, {}, bins)


def _section(name: str, section: Mapping[str, Any], bins: list[float] | None) -> Iterator[Row]:
    own = next((key for key in _OWN if key in section), None)
    beside = {*_BESIDE, own, "n"} if own else _BESIDE
    if own:
        yield from _figure(name, section[own], section, bins)
    for key, value in section.items():
        if key not in beside:
            yield from _rows(f"{name}.{key}", value, bins)


def _figure(
    name: str, value: Any, beside: Mapping[str, Any], bins: list[float] | None
) -> Iterator[Row]:
    """Yield the rows of a figure, whose limits and samples are in `beside`."""
    limits = [beside.get(key) for key in ("ci_low", "ci_high", "n")]
    if isinstance(value, list):
        fits = bins is not None and len(bins) == len(value)
        places = bins if fits and bins is not None else range(len(value))
        columns = [item if isinstance(item, list) else [item] * len(value) for item in limits]
        for place, item, *rest in zip(places, value, *columns, strict=True):
            if not isinstance(item, (str, Mapping, list)):
                yield Row(name, float(place), *map(_number, (item, *rest)))
    elif not isinstance(value, str):
        yield Row(name, math.nan, *map(_number, (value, *limits)))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
