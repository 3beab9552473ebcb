"""``v2x batch`` and ``v2x compare``: many runs, and what differs between them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v2x.cli.options import FiniteRange, examples
from v2x.errors import V2XError

if TYPE_CHECKING:
    from v2x.batch.folder import BatchFolder
    from v2x.batch.run import BatchProgress

_FAILURES_SHOWN = 5
_METRICS_SHOWN = 40


class _PlanOrCommand(click.Group):
    """Takes any first word but that of a command for a plan: ``v2x batch PLAN``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command that is meant before a plan."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(
    "batch",
    cls=_PlanOrCommand,
    epilog=examples(
        "v2x batch scenarios/batches/first.yaml --workers 2",
        "v2x batch status batches/first",
    ),
)
def batch_group() -> None:
    """Run many variants of a scenario: v2x batch PLAN.

    The same command again computes only what is missing. For its options see v2x batch run --help.
    """


@batch_group.command(
    "run",
    epilog=examples(
        "v2x batch plan.yaml",
        "v2x batch plan.yaml --workers 8 --memory 2",
        "v2x batch plan.yaml --scheduler tcp://head:8786 --out /shared/results",
        "v2x batch plan.yaml --slurm --workers 40",
    ),
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder of the batch; batches/NAME if not given.",
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="Workers; 1 is this process. One a core."
)
@click.option(
    "--memory",
    metavar="GIB",
    type=FiniteRange(min=0, min_open=True),
    help="Memory of a worker [GiB]; the machine's, shared out.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Use a running dask scheduler.")
@click.option("--slurm", is_flag=True, help="Submit the workers as jobs of SLURM.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def run_(
    context: click.Context,
    plan: Path,
    out: Path | None,
    workers: int | None,
    memory: float | None,
    scheduler: str | None,
    slurm: bool,
    quiet: bool,
) -> None:
    """Run what the batch of PLAN lacks.

    A run that fails is recorded and the others go on; the exit status is then 1. A batch that
    was interrupted, or whose plan has grown, repeats nothing.
    """
    from v2x.batch.folder import BatchFolder
    from v2x.batch.plan import load_plan
    from v2x.batch.run import run_batch
    from v2x.batch.workers import WorkerParams
    from v2x.cli.batch_progress import batch_progress

    try:
        params = WorkerParams(workers=workers, memory_gib=memory, scheduler=scheduler, slurm=slurm)
    except ValueError as error:
        raise V2XError(str(error), file="v2x batch", remedy="see  v2x batch run --help") from error
    loaded = load_plan(plan)
    folder = out or Path("batches") / loaded.name
    with batch_progress(quiet=quiet) as (show, simulated):
        ended = run_batch(loaded, folder, params, show=show, simulated=simulated)
    if not quiet:
        click.echo(f"{_counts(ended)}; results in {folder}")
    if ended.failed:
        _print_failures(BatchFolder(folder))
        context.exit(1)


@batch_group.command(epilog=examples("v2x batch status batches/first"))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def status(folder: Path) -> None:
    """Tell which runs of the batch in DIR are there, failed and missing."""
    from rich.console import Console
    from rich.table import Table

    from v2x.batch.folder import BatchFolder
    from v2x.batch.results import Batch

    files = BatchFolder(folder)
    batch = Batch(folder)
    runs = batch.runs
    by_variant: dict[tuple[str, ...], dict[str, int]] = {}
    for _, run in runs.iterrows():
        variant = tuple(str(run[key]) for key in batch.factors)
        counts = by_variant.setdefault(variant, dict.fromkeys(("done", "failed", "missing"), 0))
        counts[run["state"]] += 1
    table = Table(box=None, pad_edge=False)
    for heading in batch.factors:
        table.add_column(heading)
    for heading in ("done", "failed", "missing"):
        table.add_column(heading, justify="right")
    for variant, counts in by_variant.items():
        table.add_row(*variant, *map(str, counts.values()))
    Console().print(table)
    n = {state: int((runs["state"] == state).sum()) for state in ("done", "failed", "missing")}
    at_work = ", at work" if files.is_at_work() else ""
    told = ", ".join(f"{count} {state}" for state, count in n.items())
    click.echo(f"{batch.index.name}: {told} of {len(runs)} runs{at_work}")
    _print_failures(files)


@click.command(epilog=examples("v2x compare runs/lte runs/nr", "v2x compare batches/a batches/b"))
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="B", type=click.Path(path_type=Path))
@click.option("--csv", type=click.Path(path_type=Path), help="Write every figure to this file.")
def compare(a: Path, b: Path, csv: Path | None) -> None:
    """Tell what differs between the runs or batches A and B, and whether it is more than chance.

    Runs with the same seed are paired. Differences are B less A; of those that are named, at most
    one in twenty is expected to be chance.
    """
    from v2x.batch.comparison import compare as compare_
    from v2x.batch.results import load
    from v2x.cli.outputs import check_output

    if csv is not None:
        check_output(csv, (".csv",), "table")
    found = compare_(load(a), load(b))
    if csv is not None:
        found.metrics.to_csv(csv, index=False, lineterminator="\n")
    _print_scenario(found.scenario)
    _print_differences(found.metrics)


def _print_scenario(changes: Any) -> None:
    from v2x.scenario.dump import yaml_text

    if changes.empty:
        click.echo("the scenarios are the same")
    for key, a, b in changes.itertuples(index=False):
        click.echo(f"{key}: {yaml_text(a)} -> {yaml_text(b)}")


def _print_differences(metrics: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    named = metrics[metrics["more_than_chance"]]
    untold = int(metrics["p"].isna().sum())
    click.echo(
        f"{len(named)} of {len(metrics)} figures differ by more than chance"
        + (f"; {untold} have no interval: run more replications" if untold else "")
    )
    if named.empty:
        return
    others = list(named.columns[: list(named.columns).index("reference")])
    table = Table(box=None, pad_edge=False)
    for heading in (*others, "A", "B", "difference", "95 %", "n", "method"):
        table.add_column(heading)
    # Of a metric over many bins, the clearest one stands for all; --csv has the others.
    keys = [name for name in others if name != "bin"]
    clearest = named.sort_values("p", kind="stable").drop_duplicates(keys).sort_index()
    for row in clearest.head(_METRICS_SHOWN).to_dict("records"):
        table.add_row(
            *(_text(row[name]) for name in others),
            *(_text(row[name]) for name in ("reference", "value", "difference")),
            f"[{_text(row['low'])}, {_text(row['high'])}]",
            str(row["n"]),
            row["method"],
        )
    Console(width=160).print(table, markup=False)
    if len(clearest) > _METRICS_SHOWN:
        click.echo(f"and {len(clearest) - _METRICS_SHOWN} more; --csv FILE writes all")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value)


def _counts(progress: BatchProgress) -> str:
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"{progress.done} of {progress.total} runs done{failed}"


def _print_failures(files: BatchFolder) -> None:
    index = files.index()
    failures = {
        run.key: (run, failure)
        for run in index.runs
        if not files.is_done(run.key) and (failure := files.failure(run.key)) is not None
    }
    for run, failure in list(failures.values())[:_FAILURES_SHOWN]:
        settings = ", ".join(f"{key}={value}" for key, value in run.settings.items())
        click.echo(
            f"failed: {settings or files.path.name}, replication {run.replication}: "
            f"{failure.error}  (failed/{run.key}.json)",
            err=True,
        )
    if len(failures) > _FAILURES_SHOWN:
        click.echo(f"and {len(failures) - _FAILURES_SHOWN} more in failed/", err=True)
