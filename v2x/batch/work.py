"""What a worker does: one run, whole or not at all, and never an exception."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from v2x.records.store import is_run_folder
from v2x.scenario.assemble import Progress
from v2x.scenario.model import Scenario
from v2x.scenario.run_folder import simulate_into


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run for a worker.

    Attributes
    ----------
    key
        Which run.
    scenario
        What it simulates.
    folder
        Where its run folder shall be, absolute and the same for all workers.
    """

    key: str
    scenario: Scenario
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a task ended.

    Attributes
    ----------
    key
        Which run.
    error
        What was wrong, on one line; None if the run is in its folder.
    traceback
        Where.
    """

    key: str
    error: str | None = None
    traceback: str = ""


def ignore_progress(progress: Progress) -> None:
    """Show nothing."""


def carry_out(task: Task, progress: Callable[[Progress], None] = ignore_progress) -> Finished:
    """Simulate a run into its folder, unless it is there already.

    Any failure of the run is its result: a batch goes on.
    """
    try:
        if not is_run_folder(task.folder):
            simulate_into(task.scenario, task.folder, progress, overwrite=False)
    except Exception as error:
        # Somebody who was thought dead may have finished the same run meanwhile.
        if is_run_folder(task.folder):
            return Finished(key=task.key)
        first_line = str(error).partition("\n")[0]
        return Finished(
            key=task.key,
            error=f"{type(error).__name__}: {first_line}",
            traceback=traceback.format_exc(),
        )
    return Finished(key=task.key)
