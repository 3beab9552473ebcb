"""What a person types and reads: ``v2x batch``, ``batch status``, ``compare``, ``report``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.unit.batch.parts import PLAN, digests, write_plan
from v2x.batch import work
from v2x.cli import batch_progress, main

Told = pytest.CaptureFixture[str]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a plan in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return write_plan(tmp_path, "name: few\n" + PLAN.replace("replications: 5", "replications: 2"))


def test_a_batch_runs_tells_and_is_there(
    plan: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_progress, "_SECONDS_BETWEEN_LINES", 0.05)
    assert main(["batch", "plan.yaml", "--workers", "1"]) == 0
    told = capsys.readouterr()
    assert told.out == "4 of 4 runs done; results in batches/few\n"
    lines = told.err.splitlines()
    assert "1 worker, this process, memory not bounded" in lines
    assert any("of 4 done, 1 running, 0 failed, " in line for line in lines)

    before = digests(plan.parent / "batches" / "few")
    assert len([name for name in before if name.endswith(".csv")]) == 3
    assert main(["batch", "run", "plan.yaml", "--workers", "1", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert digests(plan.parent / "batches" / "few") == before


def test_status_counts_by_variant(
    plan: Path, capsys: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ValueError("no road")

    assert main(["batch", "plan.yaml", "--workers", "1", "--quiet"]) == 0
    batch = plan.parent / "batches" / "few"
    run = json.loads((batch / "batch.json").read_text())["runs"][-1]["key"]
    shutil.rmtree(batch / "runs" / run)
    monkeypatch.setattr(work, "simulate_into", broken)
    assert main(["batch", "plan.yaml", "--workers", "1"]) == 1
    told = capsys.readouterr()
    assert "3 of 4 runs done, 1 failed" in told.out
    assert "failed: access.keep_probability=0.8, replication 1: ValueError: no road" in told.err

    shutil.rmtree(batch / "runs" / json.loads((batch / "batch.json").read_text())["runs"][0]["key"])
    assert main(["batch", "status", str(batch)]) == 0
    told = capsys.readouterr()
    assert [line.split() for line in told.out.splitlines()] == [
        ["access.keep_probability", "done", "failed", "missing"],
        ["0.0", "1", "0", "1"],
        ["0.8", "1", "1", "0"],
        ["few:", "2", "done,", "1", "failed,", "1", "missing", "of", "4", "runs"],
    ]
    assert "no road" in told.err


def test_mistakes_end_with_status_2(plan: Path, capsys: Told) -> None:
    for words, told in (
        (["batch", "plan.yml"], "plan.yml: cannot be read"),
        (["batch", "plan.yaml", "--scheduler", "tcp://a:1", "--slurm"], "exclude each other"),
        (["batch", "status", "."], "this is not the folder of a batch"),
        (["compare", ".", "."], "holds neither a run nor a batch"),
        (["compare", ".", ".", "--csv", "x.txt"], "write to x.csv"),
    ):
        assert main(words) == 2
        assert told in capsys.readouterr().err


def test_compare_writes_and_tells(undisturbed: Path, tmp_path: Path, capsys: Told) -> None:
    runs = json.loads((undisturbed / "batch.json").read_text())["runs"]
    a, b = (str(undisturbed / "runs" / run["key"]) for run in runs[:2])
    csv = tmp_path / "all.csv"

    assert main(["compare", a, b, "--csv", str(csv)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("access.keep_probability: 0.0 -> 0.8\n")
    table = pd.read_csv(csv)
    named = int(table["more_than_chance"].sum())
    assert f"{named} of {len(table)} figures differ by more than chance" in told

    assert main(["compare", str(undisturbed), str(undisturbed)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("the scenarios are the same\n0 of ")


def test_a_report_of_a_batch_has_bands(undisturbed: Path, tmp_path: Path, capsys: Told) -> None:
    batch = tmp_path / "batch"
    shutil.copytree(undisturbed, batch)

    assert main(["report", str(batch)]) == 0
    files = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert files == ["prr.png", "prr.svg", "factors.png", "factors.svg"]
    assert all((batch / "figures" / file).stat().st_size > 5000 for file in files)


def test_help_names_the_commands(capsys: Told) -> None:
    assert main(["batch", "--help"]) == 0
    told = capsys.readouterr().out
    assert "status" in told
    assert "v2x batch PLAN" in told
