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

from v2x.metrics.statistics import Clusters, Interval, clusters, proportion_interval
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
