"""A batch that fails, grows, and is asked for what it has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.batch.parts import PLAN, digests
from v2x.batch import work
from v2x.batch.folder import BatchFolder
from v2x.batch.plan import Plan
from v2x.batch.run import BatchProgress, run_batch
from v2x.batch.workers import WorkerParams
from v2x.errors import V2XError

ReadPlan = Callable[[str], Plan]
HERE = WorkerParams(workers=1)


@pytest.fixture
def half_done(undisturbed: Path, tmp_path: Path) -> Path:
    """Return a copy of the batch of which every other run is missing, one of them half written."""
    folder = tmp_path / "half"
    shutil.copytree(undisturbed, folder)
    for file in folder.glob("*.csv"):
        file.unlink()
    for run in sorted(folder.glob("runs/*"))[::2]:
        shutil.rmtree(run)
    (folder / "runs" / ".1234.x.partial").mkdir()
    return folder


def test_what_is_there_is_not_repeated(
    half_done: Path, undisturbed: Path, plan_of: ReadPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    simulate_into = work.simulate_into

    def counted(*args: Any, **options: Any) -> dict[str, Any]:
        computed.append(args[1].name)
        return simulate_into(*args, **options)

    monkeypatch.setattr(work, "simulate_into", counted)
    there = {file.name for file in half_done.glob("runs/[!.]*")}
    seen: list[BatchProgress] = []
    ended = run_batch(plan_of(PLAN), half_done, HERE, show=seen.append)

    assert len(computed) == 5
    assert not there & set(computed)
    assert (seen[0].done, seen[0].total) == (5, 10)
    assert [progress.done for progress in seen if progress.workers] == [5, 6, 7, 8, 9, 10]
    assert (ended.done, ended.total, ended.failed, ended.running) == (10, 10, 0, 0)
    assert digests(half_done) == digests(undisturbed)
    assert not list(half_done.glob("runs/.*"))


def test_more_replications_compute_only_the_new(
    undisturbed: Path, tmp_path: Path, plan_of: ReadPlan
) -> None:
    fewer = tmp_path / "batch"
    run_batch(plan_of(PLAN.replace("replications: 5", "replications: 3")), fewer, HERE)
    before = {file: file.stat().st_mtime_ns for file in fewer.glob("runs/*/records.json")}
    assert len(before) == 6
    run_batch(plan_of(PLAN), fewer, HERE)

    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert digests(fewer) == digests(undisturbed)


def test_a_run_that_fails_is_recorded_and_tried_again(
    half_done: Path, undisturbed: Path, plan_of: ReadPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = sorted(
        {f.name for f in undisturbed.glob("runs/*")} - {f.name for f in half_done.glob("runs/*")}
    )
    simulate_into = work.simulate_into

    def broken(scenario: Any, folder: Path, *args: Any, **options: Any) -> dict[str, Any]:
        if folder.name == missing[0]:
            raise ZeroDivisionError("no\nluck")
        return simulate_into(scenario, folder, *args, **options)

    monkeypatch.setattr(work, "simulate_into", broken)
    ended = run_batch(plan_of(PLAN), half_done, HERE)
    assert (ended.done, ended.failed) == (9, 1)
    noted = json.loads((half_done / "failed" / f"{missing[0]}.json").read_text())
    assert noted["error"] == "ZeroDivisionError: no"
    assert "in broken" in noted["traceback"]

    monkeypatch.undo()
    ended = run_batch(plan_of(PLAN), half_done, HERE)
    assert (ended.done, ended.failed) == (10, 0)
    assert not list((half_done / "failed").iterdir())
    assert digests(half_done) == digests(undisturbed)


def test_variants_that_resolve_to_the_same_scenario_share_a_run(
    tmp_path: Path, plan_of: ReadPlan
) -> None:
    plan = plan_of("scenario: tiny.yaml\nfactors: {grid: {traffic.density_per_km: [40, 40.0]}}")
    ended = run_batch(plan, tmp_path / "batch", HERE)

    assert ended.total == 1
    assert len(BatchFolder(tmp_path / "batch").index().runs) == 2


def test_replications_are_added_until_the_interval_is_narrow(
    undisturbed: Path, tmp_path: Path, plan_of: ReadPlan
) -> None:
    # Messages that wait at random have a mean latency that differs between runs by some 0.1 ms.
    rule = "until: {metric: latency_ms, half_width: WIDTH, max_replications: 7}\n"
    text = PLAN.replace("replications: 5", "replications: 2") + rule

    wide = run_batch(plan_of(text.replace("WIDTH", "1e6")), tmp_path / "wide", HERE)
    narrow = run_batch(plan_of(text.replace("WIDTH", "1e-9")), tmp_path / "narrow", HERE)

    assert wide.total == 4
    assert narrow.total == 14
    again = run_batch(plan_of(text.replace("WIDTH", "1e-9")), tmp_path / "narrow", HERE)
    assert (again.total, again.done) == (14, 14)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{metric: latncy_ms, half_width: 1, max_replications: 7}", "did you mean 'latency_ms'?"),
        ("{metric: prr, bin: 31, half_width: 1, max_replications: 7}", "unknown bin of prr '31'"),
        ("{metric: prr, half_width: 1, max_replications: 7}", "unknown bin of prr 'null'"),
    ],
)
def test_a_rule_about_nothing_is_told(
    tmp_path: Path, plan_of: ReadPlan, rule: str, told: str
) -> None:
    with pytest.raises(V2XError, match=r"plan\.yaml") as caught:
        run_batch(plan_of(f"scenario: tiny.yaml\nuntil: {rule}\n"), tmp_path / "batch", HERE)

    assert told in str(caught.value)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, plan_of: ReadPlan) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("…", encoding="utf-8")

    with pytest.raises(V2XError, match="not the folder of a batch"):
        run_batch(plan_of(PLAN), folder, HERE)
    assert [file.name for file in folder.iterdir()] == ["thesis.tex"]


def test_runs_of_another_version_are_not_mixed(half_done: Path, plan_of: ReadPlan) -> None:
    index = json.loads((half_done / "batch.json").read_text())
    (half_done / "batch.json").write_text(json.dumps(index | {"v2x": "0.0.1"}))

    with pytest.raises(V2XError, match=r"holds runs of v2x 0\.0\.1"):
        run_batch(plan_of(PLAN), half_done, HERE)


def test_two_cannot_work_on_a_batch_at_once(half_done: Path, plan_of: ReadPlan) -> None:
    files = BatchFolder(half_done)
    assert not files.is_at_work()
    with files.at_work(plan_of(PLAN)):
        assert files.is_at_work()
        with pytest.raises(V2XError, match="somebody works"):
            run_batch(plan_of(PLAN), half_done, HERE)
    assert not files.is_at_work()
