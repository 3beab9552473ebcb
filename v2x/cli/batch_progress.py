"""Progress of a batch: bars on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import click

from v2x.cli.progress import Callback, duration, in_words

if TYPE_CHECKING:
    from v2x.batch.run import BatchProgress, Show
    from v2x.scenario.assemble import Progress

Shows: TypeAlias = "tuple[Show, Callback]"

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def batch_progress(*, quiet: bool = False) -> Iterator[Shows]:
    """Yield what shows how far a batch is, and how far the run of this process is."""
    if quiet:
        yield _ignore_batch, _ignore_run
    elif sys.stderr.isatty():
        with _bars() as shows:
            yield shows
    else:
        with _lines() as shows:
            yield shows


def _ignore_batch(progress: BatchProgress) -> None:
    """Show nothing."""


def _ignore_run(progress: Progress) -> None:
    """Show nothing."""


def _words(progress: BatchProgress) -> str:
    left = "" if progress.running == 0 else f", {duration(progress.remaining_s)} left"
    return (
        f"{progress.done} of {progress.total} done, {progress.running} running, "
        f"{progress.failed} failed{left}"
    )


@contextmanager
def _lines() -> Iterator[Shows]:
    """Write who works, and a line every few seconds in which something was said."""
    latest: list[BatchProgress] = []
    told: set[str] = set()
    ended = threading.Event()

    def show(progress: BatchProgress) -> None:
        if progress.workers and progress.workers not in told:
            told.add(progress.workers)
            click.echo(progress.workers, err=True)
        latest[:] = [progress]

    def tell() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LINES):
            for progress in latest:
                click.echo(_words(progress), err=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield show, _ignore_run
    finally:
        ended.set()
        thread.join()


@contextmanager
def _bars() -> Iterator[Shows]:
    """Show a bar for the batch, and one for the run if this process simulates it."""
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description:<12}"),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.fields[words]}"),
        rich_progress.TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with rich_progress.Progress(*columns, console=console, transient=True) as bars:
        batch = bars.add_task("batch", total=None, words="starting workers")
        run = bars.add_task("run", total=None, words="", visible=False)
        told: set[str] = set()

        def show(progress: BatchProgress) -> None:
            if progress.workers and progress.workers not in told:
                told.add(progress.workers)
                console.print(progress.workers)
            ended = progress.done + progress.failed
            bars.update(batch, completed=ended, total=progress.total, words=_words(progress))

        def simulated(progress: Progress) -> None:
            bars.update(
                run,
                visible=True,
                description=progress.phase,
                completed=progress.simulated_s,
                total=progress.total_s,
                words=in_words(progress),
            )

        yield show, simulated
