"""Whoever computes a batch, and whoever is killed meanwhile: the bytes are the same."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import distributed
import pytest

from tests.unit.batch.parts import PLAN, digests, write_plan
from v2x.batch import workers
from v2x.batch.plan import Plan, load_plan
from v2x.batch.run import run_batch
from v2x.batch.workers import WorkerParams, open_pool
from v2x.errors import V2XError

ReadPlan = Callable[[str], Plan]
_PATIENCE_S = 60.0


@pytest.mark.parametrize("n", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_the_number_of_workers_changes_no_byte(
    undisturbed: Path, tmp_path: Path, plan_of: ReadPlan, n: int
) -> None:
    ended = run_batch(plan_of(PLAN), tmp_path / "batch", WorkerParams(workers=n, memory_gib=2))

    assert ended.workers == f"{n} workers of this machine, at most 2.0 GiB each"
    assert (ended.done, ended.failed) == (10, 0)
    assert digests(tmp_path / "batch") == digests(undisturbed)


def test_a_running_scheduler_is_used(undisturbed: Path, tmp_path: Path, plan_of: ReadPlan) -> None:
    # Its four workers are threads, so that they share all that a process has.
    with distributed.LocalCluster(
        n_workers=4,
        threads_per_worker=1,
        processes=False,
        dashboard_address="127.0.0.1:0",
        memory_limit=3 * 2**30,
        silence_logs=logging.CRITICAL,
    ) as cluster:
        address = cluster.scheduler_address
        ended = run_batch(plan_of(PLAN), tmp_path / "batch", WorkerParams(scheduler=address))

    assert ended.workers == f"workers of {address}, memory of each: 3.0 GiB"
    assert digests(tmp_path / "batch") == digests(undisturbed)


def test_a_scheduler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_CONNECT_S", 0.5)

    with (
        pytest.raises(
            V2XError, match=r"--scheduler: no dask scheduler answers at .*dask scheduler"
        ),
        open_pool(WorkerParams(scheduler="tcp://127.0.0.1:9")),
    ):
        pass


def test_without_dask_jobqueue_slurm_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)

    with (
        pytest.raises(V2XError, match=r"--slurm: dask-jobqueue is not installed.*v2x\[cluster\]"),
        open_pool(WorkerParams(slurm=True)),
    ):
        pass


def test_workers_of_slurm_are_jobs_of_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class SLURMCluster(distributed.LocalCluster):
        def __init__(self, **options: Any) -> None:
            asked.update(options)
            super().__init__(n_workers=0, processes=False, dashboard_address="127.0.0.1:0")

        def scale(self, jobs: int) -> None:
            asked.setdefault("jobs", jobs)  # it is scaled to none when it closes
            super().scale(0)

    @dataclass
    class Module:
        SLURMCluster: type

    monkeypatch.setitem(sys.modules, "dask_jobqueue", Module(SLURMCluster))  # type: ignore[arg-type]
    with open_pool(WorkerParams(slurm=True, workers=40, memory_gib=3)) as pool:
        assert pool.description == "40 jobs of SLURM, at most 3 GiB each"

    assert asked == {"cores": 1, "processes": 1, "memory": "3GiB", "jobs": 40}


def test_a_run_that_kills_every_worker_has_failed() -> None:
    @dataclass
    class Future:
        status: str = "error"

        def exception(self) -> Exception:
            return distributed.scheduler.KilledWorker("a task", None, 3)

    finished = workers._result(Future(), "abc")
    assert finished.key == "abc"
    assert finished.error is not None
    assert "3 workers died of it" in finished.error


def test_one_worker_is_this_process_without_dask(tmp_path: Path) -> None:
    plan = write_plan(tmp_path, "scenario: tiny.yaml\n")
    code = (
        "import sys; from v2x.cli import main\n"
        f"status = main(['batch', {str(plan)!r}, '--out', {str(tmp_path / 'b')!r},"
        " '--workers', '1'])\n"
        "print(status, 'distributed' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[-1] == "0 False"
    assert "this process" in told.stderr


@pytest.mark.parametrize(
    "values", [{"workers": 0}, {"memory_gib": 0}, {"scheduler": "tcp://a:1", "slurm": True}]
)
def test_workers_that_cannot_be_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        WorkerParams(**values)


#: Runs long enough that a kill hits somebody at work.
LONGER = "set: {duration_s: 12, traffic.density_per_km: 150}\n" + PLAN


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the digests of the batch of LONGER, undisturbed."""
    folder = tmp_path_factory.mktemp("longer")
    run_batch(load_plan(write_plan(folder, LONGER)), folder / "batch", WorkerParams(workers=1))
    return digests(folder / "batch")


@contextmanager
def _batch_of_two_workers(plan: Path, batch: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a process that computes a batch, once two of its runs are done."""
    code = "import sys; from v2x.cli import main; sys.exit(main())"
    words = ["batch", str(plan), "--out", str(batch), "--workers", "2", "--quiet"]
    process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE)
    try:
        _wait_until(lambda: len(_done(batch)) >= 2, process)
        yield process
    finally:
        process.kill()
        process.communicate()


def _done(batch: Path) -> list[Path]:
    return list(batch.glob("runs/[!.]*/records.json"))


def _wait_until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end_s = time.monotonic() + _PATIENCE_S
    while not happened():
        assert process.poll() is None, "the batch ended before it could be disturbed"
        assert time.monotonic() < end_s
        time.sleep(0.02)


def _workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the worker processes of a batch."""
    found = []
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        found += [int(word) for word in (task / "children").read_text().split()]
    return [child for child in found if "spawn_main" in _command_line(child)]


def _command_line(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text()
    return ""


def test_the_runs_of_a_killed_worker_are_given_to_another(
    tmp_path: Path, longer: dict[str, str]
) -> None:
    plan, batch = write_plan(tmp_path / "plans", LONGER), tmp_path / "batch"
    with _batch_of_two_workers(plan, batch) as process:
        first, second = _workers_of(process)
        os.kill(first, signal.SIGKILL)
        assert process.wait(_PATIENCE_S) == 0
    assert first != second

    assert not list(batch.glob("failed/*"))
    assert digests(batch) == longer


def test_a_killed_batch_goes_on_where_it_ended(tmp_path: Path, longer: dict[str, str]) -> None:
    plan, batch = write_plan(tmp_path / "plans", LONGER), tmp_path / "batch"
    with _batch_of_two_workers(plan, batch) as process:
        orphans = _workers_of(process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(_PATIENCE_S)
    end_s = time.monotonic() + _PATIENCE_S
    while any("spawn_main" in _command_line(orphan) for orphan in orphans):
        assert time.monotonic() < end_s, "workers outlive their batch"
        time.sleep(0.02)
    before = {file: file.stat().st_mtime_ns for file in _done(batch)}
    assert 2 <= len(before) < 10
    assert not list(batch.glob("*.csv"))

    ended = run_batch(load_plan(plan), batch, WorkerParams(workers=1))
    assert (ended.done, ended.failed) == (10, 0)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert digests(batch) == longer
