"""Who carries out the runs: this process, processes of this machine, or a cluster.

The first does without dask; everything else is one path through ``dask.distributed``, whose
scheduler gives the runs of a lost worker to others.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from v2x.batch.work import Finished, Task, carry_out, ignore_progress
from v2x.errors import V2XError
from v2x.scenario.assemble import Progress

if TYPE_CHECKING:
    from distributed import Client

#: Workers that a run may kill before it counts as failed.
ALLOWED_DEATHS = 3
#: A process that has loaded everything and simulated nothing holds a fifth of this [GiB].
LEAST_MEMORY_GIB = 0.5
_CONNECT_S = 20.0
_GIB = 1024**3
_SLURM_MEMORY_GIB = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerParams:
    """Who carries out a batch.

    Parameters
    ----------
    workers
        Number of workers; None takes one a core, or for SLURM as many as there are cores here. One
        worker, with neither `scheduler` nor `slurm`, is this process itself.
    memory_gib
        What a worker may use [GiB], at least 0.5, before it is ended and its run given to
        another; None shares the memory of this machine. Does not bound this process itself, nor
        workers of `scheduler`, which have their own bound.
    scheduler
        Address of a running dask scheduler.
    slurm
        Whether workers are jobs of SLURM, one core each.
    """

    workers: int | None = None
    memory_gib: float | None = None
    scheduler: str | None = None
    slurm: bool = False

    def __post_init__(self) -> None:
        """Reject what nobody could carry out."""
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")
        if self.memory_gib is not None and not self.memory_gib >= LEAST_MEMORY_GIB:
            raise ValueError(
                f"memory_gib must be at least {LEAST_MEMORY_GIB:g}, which a worker takes to start, "
                f"got {self.memory_gib:g}"
            )
        if self.scheduler is not None and self.slurm:
            raise ValueError("scheduler and slurm exclude each other")


class Pool(Protocol):
    """Workers that wait for runs."""

    #: What the workers are and how much memory each may use, in words.
    description: str

    def n_workers(self) -> int:
        """Return how many runs are carried out at the same time."""

    def results(self, tasks: Sequence[Task]) -> Iterator[Finished]:
        """Carry out `tasks` and yield how each ended, as they end."""


class ThisProcess:
    """Runs one after the other, here.

    Parameters
    ----------
    progress
        Called with how far the run is.
    """

    description = "1 worker, this process, memory not bounded"

    def __init__(self, progress: Callable[[Progress], None] = ignore_progress) -> None:
        self._progress = progress

    def n_workers(self) -> int:
        """Return one."""
        return 1

    def results(self, tasks: Sequence[Task]) -> Iterator[Finished]:
        """Carry out `tasks` in their order."""
        for task in tasks:
            yield carry_out(task, self._progress)


class DaskPool:
    """Workers of a dask scheduler.

    Parameters
    ----------
    client
        Connected to the scheduler.
    description
        What the workers are, in words.
    """

    def __init__(self, client: Client, description: str) -> None:
        self._client = client
        self.description = description

    def n_workers(self) -> int:
        """Return the threads of the workers there are now, at least one."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def results(self, tasks: Sequence[Task]) -> Iterator[Finished]:
        """Carry out `tasks`; runs of a lost worker go to others, :data:`ALLOWED_DEATHS` times."""
        from distributed import as_completed

        futures = {
            self._client.submit(carry_out, task, key=f"v2x-{task.key}", pure=False): task.key
            for task in tasks
        }
        for future in as_completed(futures, loop=self._client.loop, raise_errors=False):
            yield _result(future, futures[future])


@contextmanager
def open_pool(
    params: WorkerParams, progress: Callable[[Progress], None] = ignore_progress
) -> Iterator[Pool]:
    """Yield the workers, and end those that were started.

    Parameters
    ----------
    params
        Who they are.
    progress
        Called with how far the one run is, where this process is the worker.

    Raises
    ------
    V2XError
        If there is no such scheduler, or no dask-jobqueue for SLURM.
    """
    if params.scheduler is not None:
        with _connected(params.scheduler) as pool:
            yield pool
    elif params.slurm:
        with _slurm(params) as pool:
            yield pool
    elif _n_local(params) == 1:
        yield ThisProcess(progress)
    else:
        with _local(params) as pool:
            yield pool


def _n_local(params: WorkerParams) -> int:
    return params.workers or len(os.sched_getaffinity(0))


@contextmanager
def _local(params: WorkerParams) -> Iterator[Pool]:
    import dask
    from distributed import Client, LocalCluster
    from distributed.system import MEMORY_LIMIT

    n = _n_local(params)
    memory = MEMORY_LIMIT // n if params.memory_gib is None else int(params.memory_gib * _GIB)
    settings = {
        "distributed.scheduler.allowed-failures": ALLOWED_DEATHS - 1,
        # A worker that must swap or pause is worse than one that is ended and started again.
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=n,
            threads_per_worker=1,
            processes=True,
            memory_limit=memory,
            # Any free port: two batches may run beside each other.
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield DaskPool(client, f"{n} workers of this machine, at most {_gib(memory)} each")


@contextmanager
def _connected(address: str) -> Iterator[Pool]:
    from distributed import Client

    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise V2XError(
            f"no dask scheduler answers at {address!r}: {error}",
            file="--scheduler",
            remedy="start one with  dask scheduler  and give the address that it prints",
        ) from error
    with client:
        limits = {w["memory_limit"] for w in client.scheduler_info(-1)["workers"].values()}
        bound = ", ".join(_gib(limit) for limit in sorted(limits)) if limits else "not known yet"
        yield DaskPool(client, f"workers of {address}, memory of each: {bound}")


@contextmanager
def _slurm(params: WorkerParams) -> Iterator[Pool]:
    import dask
    from distributed import Client

    try:
        from dask_jobqueue import SLURMCluster  # type: ignore[import-not-found]
    except ImportError as error:
        raise V2XError(
            "dask-jobqueue is not installed",
            file="--slurm",
            remedy="run  pip install 'v2x[cluster]'  on the machine that submits jobs",
        ) from error
    n = _n_local(params)
    memory_gib = params.memory_gib or _SLURM_MEMORY_GIB
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": ALLOWED_DEATHS - 1}),
        SLURMCluster(cores=1, processes=1, memory=f"{memory_gib:g}GiB") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        cluster.scale(jobs=n)
        yield DaskPool(client, f"{n} jobs of SLURM, at most {memory_gib:g} GiB each")


def _result(future: Any, key: str) -> Finished:
    """Return how a task ended whose worker may have died."""
    if future.status == "finished":
        result: Finished = future.result()
        return result
    if future.status == "error":
        error = future.exception()
        name = type(error).__name__
        if name == "KilledWorker":
            told = f"{ALLOWED_DEATHS} workers died of it, perhaps for want of memory (--memory)"
            return Finished(key=key, error=told)
        return Finished(key=key, error=f"{name}: {error}")
    raise V2XError(
        "lost the scheduler of the workers",
        remedy="run the same command again; it goes on where this one ended",
    )


def _gib(n_bytes: int) -> str:
    return f"{n_bytes / _GIB:.1f} GiB"
