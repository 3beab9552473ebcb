"""What the programs that measure for the documentation share: figures of a run, files, tables."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import (
    Clusters,
    Interval,
    clusters,
    proportion_interval,
    ratio_interval,
)
from v2x.records.tables import Direction, Outcome, RunRecords

#: PRR is taken at these distances, give or take so much [m].
PRR_AT_M, PRR_WITHIN_M = (100.0, 200.0, 300.0), 25.0

#: A key of a scenario and its value, as ``--set`` takes them.
Change = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of a variant of a study.

    Attributes
    ----------
    study, variant
        What was run.
    figure
        Which figure, its unit last.
    value, low, high
        It and its 95 % limits over replications, NaN if there are none.
    n
        Samples behind it.
    """

    study: str
    variant: str
    figure: str
    value: float
    low: float
    high: float
    n: int


def clustered(table: Mapping[str, NDArray[Any]], block_s: float) -> Clusters:
    """Return the replications of a table's rows, or batches of time if there is only one."""
    time_s = table["block_start_s"] if "block_start_s" in table else table["time_s"]
    return clusters(table["replication"], time_s, block_s)


def prr(records: RunRecords, at_m: float) -> Interval:
    """Return the PRR between road users about `at_m` apart, in three dimensions."""
    return share(records, Outcome.RECEIVED, at_m - PRR_WITHIN_M, at_m + PRR_WITHIN_M)


def share(records: RunRecords, outcome: Outcome, from_m: float, to_m: float) -> Interval:
    """Return the share of an outcome between road users at these distances."""
    links = records.tables["links"]
    upper_m = links["bin_upper_m"]
    here = (upper_m > from_m) & (upper_m <= to_m) & (links["direction"] == Direction.V2V)
    cluster = clustered(links, float(records.facts["block_s"]))
    n = np.where(here, links["n"], 0)
    these = np.where(links["outcome"] == outcome, n, 0)
    return proportion_interval(cluster.sums(these), cluster.sums(n), over=cluster.over)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], n_words: int = 2) -> list[str]:
    """Return a table of a page; its first columns are words."""
    rule = ["---" if i < n_words else "---:" for i in range(len(header))]
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]


def text(row: Row | None, digits: int = 2) -> str:
    """Return a figure with half the width of its limits, where it has any."""
    if row is None or not math.isfinite(row.value):
        return "-"
    half = 0.5 * (row.high - row.low)
    spread = f" ± {half:.{digits}f}" if math.isfinite(half) else ""
    return f"{row.value:.{digits}f}{spread}"


def with_tables(page: str, made: Mapping[str, Sequence[str]]) -> str:
    """Return the page with these tables between their marks."""
    for name, lines in made.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        head, rest = page.split(begin)
        page = "\n".join([head + begin, *lines, end]) + rest.split(end)[1]
    return page


def read_rows(file: Path) -> list[Row]:
    """Return the rows of an earlier file, none if there is none."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)
        return [Row(*words(line[:3]), *numbers(line[3:6]), int(line[6])) for line in lines]


def words(cells: Sequence[str]) -> tuple[str, str, str]:
    """Return three cells as they are."""
    first, second, third = cells
    return first, second, third


def numbers(cells: Sequence[str]) -> Iterator[float]:
    """Yield the numbers in cells; what is empty is not known."""
    return (float(cell or "nan") for cell in cells)


def write_rows(file: Path, rows: Iterable[Row], first: str) -> None:
    """Write rows; `first` names their first column, and what is not known stays empty."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow((first, "variant", "figure", "value", "ci_low", "ci_high", "n"))
        for row in rows:
            cells = (
                ("" if math.isnan(cell) else f"{cell:.5g}") if isinstance(cell, float) else cell
                for cell in astuple(row)
            )
            out.writerow(cells)


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of one run.

    Attributes
    ----------
    study, variant
        What was run.
    seed
        Seed of the run; runs of the same seed share their random numbers.
    figure
        Which figure, its unit last. A figure may have several values in a run: samples.
    value
        Its value; infinite for what never happened, NaN for what there was nothing of.
    """

    study: str
    variant: str
    seed: int
    figure: str
    value: float


def read_measured(file: Path) -> list[Measured]:
    """Return the figures of earlier runs, none if there is no file."""
    if not file.is_file():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        lines = csv.reader(stream)
        next(lines)
        return [Measured(a, b, int(seed), c, float(value)) for a, b, seed, c, value in lines]


def write_measured(file: Path, measured: Iterable[Measured]) -> None:
    """Write the figures of runs."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(("study", "variant", "seed", "figure", "value"))
        out.writerows(
            (one.study, one.variant, one.seed, one.figure, f"{one.value:.6g}") for one in measured
        )


def mean_over_seeds(values: NDArray[np.float64]) -> Interval:
    """Return the mean of a figure over runs with Student-t limits; runs with NaN had none.

    It is infinite, without limits, if that of a run is.

    Examples
    --------
    >>> r = mean_over_seeds(np.array([1.0, 2.0, 3.0, np.nan]))
    >>> r.value, round(r.low, 3), r.n
    (2.0, -0.484, 3)
    """
    known = values[~np.isnan(values)]
    if np.isinf(known).any():
        return Interval(math.inf, math.nan, math.nan, len(known), "none")
    return ratio_interval(known, np.ones(len(known)), over="replications")


def paired_difference(twin: Mapping[int, float], reference: Mapping[int, float]) -> Interval:
    """Return the mean difference of two twins over the seeds that both have, with t limits.

    Twins share their random numbers, so what they have in common drops out. Seeds for which
    either is not finite are left out.

    Parameters
    ----------
    twin, reference
        Seed to the figure of its run.

    Examples
    --------
    >>> r = paired_difference({1: 3.0, 2: 5.0}, {1: 2.0, 2: 4.0, 3: 9.0})
    >>> r.value, r.low, r.high, r.n
    (1.0, 1.0, 1.0, 2)
    """
    both = sorted(twin.keys() & reference.keys())
    finite = [seed for seed in both if math.isfinite(twin[seed]) and math.isfinite(reference[seed])]
    return mean_over_seeds(np.array([twin[seed] - reference[seed] for seed in finite]))


def pooled_quantile(samples: Mapping[int, NDArray[np.float64]], quantile: float) -> Interval:
    """Return a quantile of the samples of all runs, limits by leaving out a run at a time.

    The limits are the least and greatest of these quantiles: a range, not a confidence interval.
    """
    runs = [values for values in samples.values() if len(values)]
    if not runs:
        return Interval(math.nan, math.nan, math.nan, 0, "none")
    every = np.concatenate(runs)
    value = _quantile(every, quantile)
    if len(runs) == 1:
        return Interval(value, math.nan, math.nan, len(every), "none")
    without = [
        _quantile(np.concatenate([*runs[:k], *runs[k + 1 :]]), quantile) for k in range(len(runs))
    ]
    return Interval(value, min(without), max(without), len(every), "range without one run")


def _quantile(values: NDArray[np.float64], quantile: float) -> float:
    """Return the smallest value with at least this share at or below it; may be infinite."""
    return float(np.quantile(values, quantile, method="inverted_cdf"))
