"""Carry out a plan: only what is missing, whoever the workers are, until all is tried."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from v2x.batch.chance import mean_interval
from v2x.batch.flat import rows_of
from v2x.batch.folder import BatchFolder, Failure
from v2x.batch.plan import Plan, Run, Until, Variant
from v2x.batch.results import Batch
from v2x.batch.results import Run as StoredRun
from v2x.batch.work import Finished, Task, ignore_progress
from v2x.batch.workers import Pool, WorkerParams, open_pool
from v2x.errors import unknown_name
from v2x.scenario.assemble import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """How far a batch is.

    Attributes
    ----------
    workers
        Who works, in words; "" while nobody does.
    total, done, failed
        Runs of the batch; those that are there; those that failed in this attempt.
    running
        Runs at work.
    remaining_s
        Estimated time left [s], NaN before the first run has ended.
    """

    workers: str
    total: int
    done: int
    failed: int
    running: int
    remaining_s: float


Show = Callable[[BatchProgress], None]


def ignore_batch(progress: BatchProgress) -> None:
    """Show nothing."""


def run_batch(
    plan: Plan,
    folder: Path,
    workers: WorkerParams,
    *,
    show: Show = ignore_batch,
    simulated: Callable[[Progress], None] = ignore_progress,
) -> BatchProgress:
    """Carry out what a batch lacks, and write its tables.

    Parameters
    ----------
    plan
        What the batch should hold.
    folder
        Where it is. Runs that are there are not repeated; runs that failed are tried again.
    workers
        Who carries it out.
    show
        Called with how far the batch is, whenever that changes.
    simulated
        Called with how far the one run is, if this process is the worker.

    Returns
    -------
    BatchProgress
        How it ended.

    Raises
    ------
    V2XError
        If the folder is taken or the workers cannot be reached. A run that fails raises nothing.
    """
    files = BatchFolder(folder)
    with files.at_work(plan), ExitStack() as stack:
        # Workers are started for the first run that is missing, not for a batch that is whole.
        counts = _Counts(files, show, lambda: stack.enter_context(open_pool(workers, simulated)))
        replications = [plan.replications] * len(plan.variants)
        while True:
            runs = _runs(plan.variants, replications)
            files.write_index(plan, runs)
            counts.carry_out(runs)
            if plan.until is None:
                break
            enough = [
                _enough(plan, plan.until, files, variant, n)
                for variant, n in zip(plan.variants, replications, strict=True)
            ]
            if enough == replications:
                break
            replications = enough
        Batch(files.path).write_tables()
        return counts.progress(running=0)


def _runs(variants: Sequence[Variant], replications: Sequence[int]) -> list[Run]:
    """Return the runs of a batch: the first replication of every variant, then the second."""
    return [
        variant.run(replication)
        for replication in range(max(replications))
        for variant, n in zip(variants, replications, strict=True)
        if replication < n
    ]


class _Counts:
    """Gives runs to the workers and counts how they end."""

    def __init__(self, files: BatchFolder, show: Show, open_workers: Callable[[], Pool]) -> None:
        self._files = files
        self._show = show
        self._open = open_workers
        self._pool: Pool | None = None
        self._keys: set[str] = set()
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._started_s = 0.0
        self._n_before = 0

    def carry_out(self, runs: Sequence[Run]) -> None:
        """Carry out those of `runs` that are neither there nor failed in this attempt."""
        # Variants that resolve to the same scenario share their runs.
        new = {run.key: run for run in runs if run.key not in self._keys}
        self._keys |= new.keys()
        self._done |= {key for key in new if self._files.is_done(key)}
        missing = [run for key, run in new.items() if key not in self._done]
        for key in new:
            self._files.forget_failure(key)
        if not missing:
            self._show(self.progress(running=0))
            return
        if self._pool is None:
            self._show(self.progress(running=0))
            self._pool = self._open()
        self._started_s, self._n_before = time.monotonic(), len(self._done) + len(self._failed)
        self._show(self.progress(running=min(self._pool.n_workers(), self._left())))
        for finished in self._pool.results([self._task(run) for run in missing]):
            self._note(finished)
            self._show(self.progress(running=min(self._pool.n_workers(), self._left())))

    def progress(self, *, running: int) -> BatchProgress:
        """Return how far the batch is."""
        ended = len(self._done) + len(self._failed) - self._n_before
        spent_s = time.monotonic() - self._started_s
        return BatchProgress(
            workers=self._pool.description if self._pool else "",
            total=len(self._keys),
            done=len(self._done),
            failed=len(self._failed),
            running=running,
            remaining_s=spent_s / ended * self._left() if ended > 0 else math.nan,
        )

    def _left(self) -> int:
        return len(self._keys) - len(self._done) - len(self._failed)

    def _task(self, run: Run) -> Task:
        return Task(key=run.key, scenario=run.scenario, folder=self._files.run_folder(run.key))

    def _note(self, finished: Finished) -> None:
        if finished.error is None:
            self._done.add(finished.key)
            return
        self._failed.add(finished.key)
        self._files.note_failure(
            Failure(key=finished.key, error=finished.error, traceback=finished.traceback)
        )


def _enough(plan: Plan, until: Until, files: BatchFolder, variant: Variant, n: int) -> int:
    """Return how many replications a variant should have, at least `n`.

    The width of an interval falls with the root of n, so that the replications it takes can be
    foreseen; their number is at most doubled at a time, as a few runs say little of the spread.
    What is asked for follows from the runs alone, so that a batch that is resumed asks the same.
    """
    limit = max(n, until.max_replications)
    keys = [variant.run(replication).key for replication in range(n)]
    values = [_figure(plan, until, files, key) for key in keys if files.is_done(key)]
    mean, low, _, n_known = mean_interval(np.array(values))
    if not values or n_known < 2:
        return n if not values else min(max(n + 1, 2), limit)
    half = mean - low
    if half <= until.half_width:
        return n
    wanted = math.ceil(n * (half / until.half_width) ** 2)
    return min(max(wanted, n + 1), 2 * n, limit)


def _figure(plan: Plan, until: Until, files: BatchFolder, key: str) -> float:
    """Return the figure of a run that the rule looks at."""
    rows = list(rows_of(StoredRun(files.run_folder(key)).figures))
    place = {"file": str(plan.source), "key": "until.metric"}
    known = dict.fromkeys(row.metric for row in rows)
    if until.metric not in known:
        raise unknown_name("metric", until.metric, known, **place)
    bins = {row.bin: row.value for row in rows if row.metric == until.metric}
    wanted = math.nan if until.bin is None else until.bin
    for upper, value in bins.items():
        if upper == wanted or (math.isnan(upper) and math.isnan(wanted)):
            return value
    upper_ends = [f"{upper:g}" for upper in bins if not math.isnan(upper)]
    raise unknown_name(
        f"bin of {until.metric}",
        "null" if until.bin is None else f"{until.bin:g}",
        upper_ends or ["null"],
        file=str(plan.source),
        key="until.bin",
    )
