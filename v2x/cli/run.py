"""``v2x run``: from a scenario to a run folder and a short table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from v2x.cli.options import examples, set_option
from v2x.cli.results import draw_report
from v2x.cli.table import print_summary
from v2x.errors import V2XError


@click.command(
    epilog=examples(
        "v2x run", "v2x run highway_3gpp --seed 3 --duration 20 --set traffic.density_per_km=120"
    )
)
@click.argument("scenario", required=False)
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="Seed of every random stream.")
@click.option("--duration", metavar="SECONDS", type=float, help="Simulated time [s].")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Run folder to write; runs/NAME-SEED if not given.",
)
@click.option("--overwrite", is_flag=True, help="Replace the run that DIR holds.")
@click.option("--no-report", is_flag=True, help="Draw no figures; v2x report can do it later.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress and no table.")
def run(
    scenario: str | None,
    overrides: Sequence[tuple[str, str]],
    seed: int | None,
    duration: float | None,
    out: Path | None,
    overwrite: bool,
    no_report: bool,
    quiet: bool,
) -> None:
    """Simulate SCENARIO and write a run folder.

    SCENARIO is a file or the name of a bundled scenario; without it the default one runs.
    """
    from v2x.scenario.library import DEFAULT_SCENARIO
    from v2x.scenario.schema import load_scenario

    changes = [*overrides]
    changes += [("seed", str(seed))] if seed is not None else []
    changes += [("duration_s", repr(duration))] if duration is not None else []
    loaded = load_scenario(scenario or DEFAULT_SCENARIO, changes)
    folder = out or Path("runs") / f"{loaded.name}-{loaded.seed}"
    check_folder(folder, overwrite=overwrite)

    from v2x.cli.progress import simulation_progress
    from v2x.scenario.run_folder import simulate_into

    with simulation_progress(quiet=quiet) as progress:
        summary = simulate_into(loaded, folder, progress, overwrite=overwrite)
    if not quiet:
        print_summary(summary)
        click.echo(f"results in {folder}")
    if not no_report:
        page = draw_report(folder, quiet=quiet)[-1]
        if not quiet:
            click.echo(f"figures in {page}")


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder in which the run could not be kept, before hours are spent on it.

    Raises
    ------
    V2XError
        If `folder` holds something, unless it is a run and `overwrite` is set; or if nothing
        can be written there.
    """
    from v2x.records.store import is_run_folder

    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        if not is_run_folder(folder):
            raise V2XError("is not a run folder", file=str(folder), remedy="choose another --out")
        if not overwrite:
            raise V2XError(
                "holds a run already",
                file=str(folder),
                remedy="choose another --out, or replace it with --overwrite",
            )
    parent = next(parent for parent in folder.absolute().parents if parent.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        raise V2XError(
            f"cannot be written: {parent} is not a writable folder",
            file=str(folder),
            remedy="choose another --out",
        )
