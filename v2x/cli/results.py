"""``v2x report`` and ``bench``: look at a run, and at the speed of runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from v2x.cli.options import examples
from v2x.errors import V2XError


@click.command(epilog=examples("v2x report runs/highway_3gpp-1"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def report(folder: Path) -> None:
    """Draw the figures of the run or batch in DIR into it."""
    for file in draw_report(folder):
        click.echo(str(file))


def draw_report(folder: Path, *, quiet: bool = False) -> list[Path]:
    """Draw the figures of a run or a batch into its folder and return their files.

    The map is the one that the run kept; a run without it gets no figure of the map.
    """
    from v2x.cli.progress import working
    from v2x.records.store import is_run_folder

    if not is_run_folder(folder):
        return _draw_batch(folder, quiet=quiet)

    from v2x.report.page import write_report
    from v2x.world.store import RUN_MAP, load_map

    with working("drawing", quiet=quiet):
        kept = folder / RUN_MAP
        return write_report(folder, road_map=load_map(kept) if kept.exists() else None)


def _draw_batch(folder: Path, *, quiet: bool) -> list[Path]:
    from v2x.batch.folder import BatchFolder
    from v2x.batch.results import Batch
    from v2x.cli.progress import working
    from v2x.report.batch_figures import write_batch_figures

    if not BatchFolder(folder).exists():
        raise V2XError(
            "is not a run folder, nor that of a batch",
            file=str(folder),
            remedy="name a folder of  v2x run  or  v2x batch",
        )
    batch = Batch(folder)
    if batch.metrics.empty:
        raise V2XError("no run of the batch is done", file=str(folder), remedy="run it first")
    with working("drawing", quiet=quiet):
        return write_batch_figures(folder, batch.summary(), batch.factors)


@click.command(epilog=examples("v2x bench --quick"))
@click.option("--quick", is_flag=True, help="Small cases only, about ten seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def bench(quick: bool, as_json: bool) -> None:
    """Measure how fast this machine simulates."""
    from v2x.bench import run_cases
    from v2x.cli.progress import working

    with working("measuring"):
        cases = run_cases(quick=quick)
    if as_json:
        click.echo(json.dumps(cases, indent=2, ensure_ascii=False))
    else:
        _print_cases(cases)


#: Columns of the table of cases: key and heading.
_COLUMNS = {
    "name": "case",
    "realtime_factor": "x real time",
    "goal": "goal",
    "n_vehicles": "vehicles",
    "messages_per_s": "messages/s",
    "peak_memory_mb": "memory [MB]",
}


def _print_cases(cases: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for key, heading in _COLUMNS.items():
        table.add_column(heading, justify="left" if key == "name" else "right", no_wrap=True)
    for case in cases:
        if "realtime_factor" in case:
            table.add_row(*(_cell(case.get(key)) for key in _COLUMNS))
    Console(width=120).print(table)
    for case in cases:
        if "ns_per_link" in case:
            click.echo(f"{case['name']}: {case['ns_per_link']:.1f} (goal {case['goal']:g})")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    return "" if value is None else str(value)
