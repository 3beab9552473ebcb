"""Progress of long work: a bar on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from v2x.scenario.assemble import Progress

Callback: TypeAlias = "Callable[[Progress], None]"

_SECONDS_BETWEEN_LINES = 5.0
_QUIET_SECONDS = 2.0


@contextmanager
def simulation_progress(*, quiet: bool = False) -> Iterator[Callback]:
    """Yield the function that shows a simulation's progress; `quiet` shows nothing."""
    if quiet:
        yield _ignore
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _Lines()


@contextmanager
def working(what: str, *, quiet: bool = False) -> Iterator[None]:
    """Show that work of unknown length goes on: a spinner, or a line every few seconds."""
    if quiet:
        yield
        return
    if sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(f"{what} …"):
            yield
        return
    done = threading.Event()
    started = time.monotonic()

    def tell() -> None:
        wait_s = _QUIET_SECONDS
        while not done.wait(wait_s):
            click.echo(f"{what}  {time.monotonic() - started:.0f} s", err=True)
            wait_s = _SECONDS_BETWEEN_LINES

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _ignore(progress: Progress) -> None:
    """Show nothing."""


class _Lines:
    """Writes a line at each new phase and every few seconds."""

    def __init__(self) -> None:
        self._phase = ""
        self._next_s = 0.0

    def __call__(self, progress: Progress) -> None:
        now_s = time.monotonic()
        if progress.phase == self._phase and now_s < self._next_s:
            return
        self._phase = progress.phase
        self._next_s = now_s + _SECONDS_BETWEEN_LINES
        click.echo(f"{progress.phase}  {in_words(progress)}".rstrip(), err=True)


def in_words(progress: Progress) -> str:
    """Return how far a simulation is, or nothing while it has not begun."""
    if progress.simulated_s <= 0:
        return ""
    return (
        f"{progress.simulated_s:.1f} of {progress.total_s:g} s simulated, "
        f"{progress.realtime_factor:.1f} x real time, {duration(progress.remaining_s)} left"
    )


def duration(seconds: float) -> str:
    """Return a time to wait, as short as it is read.

    Examples
    --------
    >>> duration(7.2), duration(200), duration(float("inf"))
    ('7 s', '3:20 min', '?')
    """
    if not 0 <= seconds < 1e6:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"


@contextmanager
def _bar() -> Iterator[Callback]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description:<12}"),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.fields[words]}"),
    )
    console = Console(stderr=True)
    with rich_progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, words="")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description=progress.phase,
                completed=progress.simulated_s,
                total=progress.total_s,
                words=in_words(progress),
            )

        yield show
