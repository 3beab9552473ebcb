"""What a plan varies: grids, rows of values side by side, lists, and samples of ranges.

Each kind of factor gives a list of settings, dotted keys of the scenario and their values; a plan
runs every combination of the kinds it has.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.scenario.binding import Problems, bind, init_fields, refuse_unknown
from v2x.scenario.yaml_file import KeyPath

#: Dotted keys of a scenario and their values.
Settings: TypeAlias = dict[str, Any]

T = TypeVar("T")

_SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeParams:
    """The values that a sampled key may take.

    Parameters
    ----------
    low, high
        Ends of the range.
    log
        Whether the logarithm of the value is evenly spread, instead of the value.
    whole
        Whether values are whole numbers, both ends among them.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        """Reject ranges that hold nothing."""
        if not self.high > self.low:
            raise ValueError(f"high must be above low ({self.low:g}), got {self.high:g}")
        if self.log and not self.low > 0:
            raise ValueError(f"low must be > 0 where log is true, got {self.low:g}")
        if self.whole and (self.low % 1 or self.high % 1):
            raise ValueError("whole wants whole numbers for low and high")

    def at(self, share: float) -> float | int:
        """Return the value that lies a share, in [0, 1), of the way from `low` to `high`.

        Rounded to six significant digits, so that it reads and writes the same.

        Examples
        --------
        >>> RangeParams(low=1, high=100, log=True).at(0.5)
        10.0
        >>> [RangeParams(low=1, high=3, whole=True).at(share) for share in (0.0, 0.5, 0.99)]
        [1, 2, 3]
        """
        high = self.high + 1 if self.whole else self.high
        if self.log:
            value = self.low * math.exp(share * math.log(high / self.low))
        else:
            value = self.low + share * (high - self.low)
        if self.whole:
            return min(math.floor(value), int(self.high))
        return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParams:
    """How many points are drawn from ranges.

    Parameters
    ----------
    samples
        Number of points.
    seed
        Seed of the draws; the same seed gives the same points.
    ranges
        Keys of the scenario, each with ``low`` and ``high``.
    """

    samples: int
    seed: int = 1
    ranges: dict[str, Any]

    def __post_init__(self) -> None:
        """Reject samples of nothing."""
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, got {self.samples}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")
        if not self.ranges:
            raise ValueError("ranges must name at least one key")


def bind_factors(values: Any, path: KeyPath, problems: Problems) -> list[Settings]:
    """Return every combination of the factors of a plan; one empty setting without factors.

    Parameters
    ----------
    values
        What the plan holds at `path`: any of :data:`KINDS`, each with its keys.
    problems
        Receives the mistakes; with any, what is returned must not be used.
    """
    if values is None:
        return [{}]
    if not isinstance(values, dict):
        problems.add(path, "must be a section", f"write any of {', '.join(KINDS)} into it")
        return [{}]
    refuse_unknown(values, KINDS, path, problems)
    by_kind: list[list[Settings]] = []
    owner: dict[str, str] = {}
    for kind, expand in KINDS.items():
        if kind not in values:
            continue
        settings = expand(values[kind], (*path, kind), problems)
        for key in dict.fromkeys(key for one in settings for key in one):
            if key in owner:
                problems.add((*path, kind), f"{key} is in {owner[key]} too", "keep one of them")
            owner[key] = kind
        by_kind.append(settings)
    combinations = itertools.product(*by_kind)
    return [{k: v for part in parts for k, v in part.items()} for parts in combinations]


def _grid(values: Any, path: KeyPath, problems: Problems) -> list[Settings]:
    columns = _columns(values, path, problems)
    return [
        dict(zip(columns, point, strict=True)) for point in itertools.product(*columns.values())
    ]


def _zip(values: Any, path: KeyPath, problems: Problems) -> list[Settings]:
    columns = _columns(values, path, problems)
    lengths = {key: len(column) for key, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} has {n}" for key, n in lengths.items())
        problems.add(path, f"its lists must be equally long: {told}", "use grid to cross them")
        return []
    return [dict(zip(columns, point, strict=True)) for point in zip(*columns.values(), strict=True)]


def _list(values: Any, path: KeyPath, problems: Problems) -> list[Settings]:
    if not (isinstance(values, list) and values and all(isinstance(v, dict) for v in values)):
        problems.add(path, "must be a list of settings", "write '- {key: value, ...}' a line")
        return []
    keys = set(values[0])
    for i, row in enumerate(values):
        if set(row) != keys:
            missing = ", ".join(sorted(keys ^ set(row)))
            problems.add((*path, str(i)), f"must have the keys of the first row, but for {missing}")
    return [dict(row) for row in values]


def _columns(values: Any, path: KeyPath, problems: Problems) -> dict[str, list[Any]]:
    if not (isinstance(values, dict) and values):
        problems.add(path, "must be keys of the scenario, each with a list of values")
        return {}
    columns: dict[str, list[Any]] = {}
    for key, column in values.items():
        if isinstance(column, list) and column:
            columns[key] = column
        else:
            problems.add((*path, key), "must be a list of values", f"write '{key}: [a, b]'")
    return columns


def _random(values: Any, path: KeyPath, problems: Problems) -> list[Settings]:
    bound = _sampling(values, path, problems)
    if bound is None:
        return []
    params, ranges = bound
    # A stream for each key: neither more samples nor another key move the points there are.
    shares = [rng.stream(params.seed, "batch", key).random(params.samples) for key in ranges]
    return _points(ranges, np.column_stack(shares))


def _latin_hypercube(values: Any, path: KeyPath, problems: Problems) -> list[Settings]:
    from scipy.stats import qmc

    bound = _sampling(values, path, problems)
    if bound is None:
        return []
    params, ranges = bound
    order = sorted(ranges)
    generator = rng.stream(params.seed, "batch", "latin hypercube")
    sampler = qmc.LatinHypercube(len(order), seed=generator)
    shares = sampler.random(params.samples)
    return _points({key: ranges[key] for key in order}, shares)


def _points(ranges: Mapping[str, RangeParams], shares: NDArray[np.float64]) -> list[Settings]:
    return [
        {key: of.at(float(share)) for (key, of), share in zip(ranges.items(), row, strict=True)}
        for row in shares
    ]


def _sampling(
    values: Any, path: KeyPath, problems: Problems
) -> tuple[SamplingParams, dict[str, RangeParams]] | None:
    params = bind_section(SamplingParams, values, path, problems)
    if params is None:
        return None
    ranges = {
        key: bind_section(RangeParams, written, (*path, "ranges", key), problems)
        for key, written in params.ranges.items()
    }
    known = {key: of for key, of in ranges.items() if of is not None}
    return (params, known) if len(known) == len(ranges) else None


def bind_section(cls: type[T], values: Any, path: KeyPath, problems: Problems) -> T | None:
    """Return a `cls` made of what is at `path`, or None with the reasons in `problems`."""
    names: Sequence[str] = list(init_fields(cls))
    if not isinstance(values, dict):
        problems.add(path, f"must be a section with keys such as {', '.join(names)}")
        return None
    refuse_unknown(values, names, path, problems)
    return bind(cls, {key: values[key] for key in values if key in names}, path, problems)


#: Kinds of factors, in the order in which they vary: the last one fastest.
KINDS: dict[str, Callable[[Any, KeyPath, Problems], list[Settings]]] = {
    "list": _list,
    "zip": _zip,
    "grid": _grid,
    "random": _random,
    "latin-hypercube": _latin_hypercube,
}
