from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import v2x
from v2x.batch.comparison import compare
from v2x.batch.results import Batch, Run
from v2x.errors import V2XError

KEEP = "access.keep_probability"


@pytest.fixture
def batch(undisturbed: Path) -> Batch:
    loaded = v2x.load(undisturbed)
    assert isinstance(loaded, Batch)
    return loaded


def test_metrics_are_tidy(batch: Batch) -> None:
    table = batch.metrics

    assert list(table.columns) == [
        *("metric", KEEP, "replication", "seed", "bin", "value", "low", "high", "n")
    ]
    assert not table.duplicated(["metric", KEEP, "replication", "bin"]).any()
    assert set(table["replication"]) == set(range(5))
    cbr = table[(table["metric"] == "cbr") & (table[KEEP] == 0.8) & (table["replication"] == 3)]
    run = batch.run(3, {KEEP: 0.8})
    assert cbr["value"].tolist() == [run.figures["cbr"]["mean"]]
    prr = table[(table["metric"] == "prr") & (table[KEEP] == 0.8) & (table["replication"] == 3)]
    assert prr["bin"].tolist() == run.figures["prr"]["bin_upper_m"]


def test_summary_has_the_interval_of_student(batch: Batch) -> None:
    metrics, summary = batch.metrics, batch.summary()

    values = metrics[(metrics["metric"] == "latency_ms") & (metrics[KEEP] == 0)]["value"]
    row = summary[(summary["metric"] == "latency_ms") & (summary[KEEP] == 0)].iloc[0]
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert (row["mean"], row["n"]) == (pytest.approx(values.mean()), 5)
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))


def test_differences_are_paired_by_seed(batch: Batch) -> None:
    found = batch.differences(KEEP, 0, 0.8)
    metrics = batch.metrics[batch.metrics["metric"] == "latency_ms"]
    by_seed = metrics.pivot_table(index="seed", columns=KEEP, values="value")
    row = found[found["metric"] == "latency_ms"].iloc[0]

    assert row["method"] == "paired t"
    assert row["n"] == 5
    assert row["difference"] == pytest.approx((by_seed[0.8] - by_seed[0.0]).mean())
    assert KEEP not in found.columns
    assert batch.pairs()["pair"].unique().tolist() == [f"{KEEP}: 0.8 - 0"]


def test_tables_of_all_runs_carry_their_factors(batch: Batch) -> None:
    table = batch.table("links", ["n", "outcome"])

    assert list(table.columns) == [KEEP, "replication", "seed", "n", "outcome"]
    assert len(table.drop_duplicates([KEEP, "replication"])) == 10
    one = batch.run(2, {KEEP: 0.8}).table("links")
    mine = table[(table[KEEP] == 0.8) & (table["replication"] == 2)]
    assert np.array_equal(mine["n"], one["n"])


def test_a_run_is_loaded_alike(batch: Batch) -> None:
    run = v2x.load(batch.run(1).folder)

    assert isinstance(run, Run)
    summary = run.summary().set_index("metric")
    cbr = run.figures["cbr"]
    assert summary.loc["cbr", ["mean", "low", "high"]].tolist() == [
        *(cbr["mean"], cbr["ci_low"], cbr["ci_high"])
    ]


def test_compare_names_what_was_changed_and_what_came_of_it(batch: Batch) -> None:
    a, b = batch.run(0, {KEEP: 0}), batch.run(0, {KEEP: 0.8})
    found = compare(a, b)

    assert found.scenario.to_dict("records") == [{"key": KEEP, "a": 0.0, "b": 0.8}]
    assert set(found.metrics["method"]) <= {"intervals of the runs", "none"}
    same = compare(batch, batch)
    assert same.scenario.empty
    assert not same.metrics["more_than_chance"].any()
    assert "paired t" in set(same.metrics["method"])


def test_runs_and_batches_do_not_compare(batch: Batch) -> None:
    with pytest.raises(V2XError, match="no variant in common"):
        compare(batch.run(0), batch)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda b: v2x.load(b.folder / "runs"), "neither a run nor a batch"),
        (lambda b: v2x.load(b.folder / "nothing"), "no such folder"),
        (lambda b: b.table("link"), "did you mean 'links'?"),
        (lambda b: b.table("links", ["m"]), "unknown column of links 'm'"),
        (lambda b: b.differences("access.keep", 0, 1), f"did you mean {KEEP!r}?"),
        (lambda b: b.differences(KEEP, 0, 0.5), "values: 0.0, 0.8"),
        (lambda b: b.run(9), "no finished run with replication=9"),
    ],
)
def test_questions_about_nothing_are_told(batch: Batch, ask: object, told: str) -> None:
    assert callable(ask)
    with pytest.raises(V2XError) as caught:
        ask(batch)

    assert told in str(caught.value)


def test_nobody_waits_for_tables_who_asks_for_none() -> None:
    code = "import sys, v2x; print({'pandas', 'numpy', 'distributed'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"
