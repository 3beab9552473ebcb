"""Measure what warnings and services change: scenarios and their twins, seed by seed.

Run from the checkout:  python docs/make_findings.py [NAME ...] [--processes N] [--tables]

Writes ``docs/findings/runs.csv`` (figures of each run), ``results.csv`` (means over seeds with
95 % limits, spread of a single seed, paired differences from the reference twin), the tables of
``docs/findings.md`` and the pictures. With names only these studies are run anew; with
``--tables`` nothing is run. All studies take some half an hour on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from finding_study import Study, rows_of
from finding_tables import pictures, tables
from mountain_studies import STUDIES as MOUNTAIN
from study import Measured, Row, read_measured, with_tables, write_measured, write_rows
from zone_studies import STUDIES as ZONE
from zone_tables import tables as zone_tables

PAGE = Path(__file__).parent / "findings.md"
FOLDER = PAGE.with_suffix("")
RUNS, RESULTS = FOLDER / "runs.csv", FOLDER / "results.csv"
STUDIES: dict[str, Study] = {study.name: study for study in (*MOUNTAIN, *ZONE)}


def one_run(name: str, variant: str, seed: int) -> list[Measured]:
    """Return the figures of a run."""
    return STUDIES[name].run(variant, seed)


def measure(names: Sequence[str], n_processes: int, seeds: int | None) -> Iterator[list[Measured]]:
    """Yield the figures of each run of studies as they come, in order."""
    jobs = [
        (name, variant, seed)
        for name in names
        for seed in STUDIES[name].seeds[:seeds]
        for variant in STUDIES[name].variants
    ]
    with ProcessPoolExecutor(n_processes) as pool:
        yield from pool.map(one_run, *zip(*jobs, strict=True))


def others(names: Sequence[str]) -> list[Measured]:
    """Return the figures of earlier runs of other studies."""
    return [one for one in read_measured(RUNS) if one.study not in names]


def in_order(measured: Iterable[Measured]) -> list[Measured]:
    """Return figures in the order of the studies."""
    order = {name: place for place, name in enumerate(STUDIES)}
    return sorted(measured, key=lambda one: order.get(one.study, len(order)))


def page_tables(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return all tables of the page by name."""
    mountain = {study.name for study in MOUNTAIN}
    return tables([row for row in rows if row.study in mountain]) | zone_tables(rows)


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure what warnings and services change.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STUDIES))
    parser.add_argument("--processes", type=int, default=1, help="runs at the same time")
    parser.add_argument("--seeds", type=int, help="only so many seeds of each study")
    parser.add_argument("--tables", action="store_true", help="only the page, from runs.csv")
    options = parser.parse_args()
    names = options.names or list(STUDIES)
    unknown = set(names) - set(STUDIES)
    if unknown:
        parser.error(f"no such study: {', '.join(sorted(unknown))}")
    FOLDER.mkdir(exist_ok=True)
    if not options.tables:
        made: list[Measured] = []
        for figures in measure(names, options.processes, options.seeds):
            made += figures
            write_measured(RUNS, in_order([*others(names), *made]))
    measured = read_measured(RUNS)
    rows = [
        row
        for study in STUDIES.values()
        for row in rows_of(study, [one for one in measured if one.study == study.name])
    ]
    write_rows(RESULTS, rows, "study")
    if PAGE.is_file():
        page = PAGE.read_text(encoding="utf-8")
        shown = {
            name: lines for name, lines in page_tables(rows).items() if f"<!-- {name} -->" in page
        }
        PAGE.write_text(with_tables(page, shown), encoding="utf-8")
    pictures(measured, FOLDER)


if __name__ == "__main__":
    main()
