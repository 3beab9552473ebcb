"""Statistics that the programs which measure for the documentation share."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("study")


@pytest.fixture
def finding_study(study: ModuleType) -> ModuleType:
    return importlib.import_module("finding_study")


def test_pairs_drop_what_twins_have_in_common(study: ModuleType) -> None:
    """Seeds differ by 100, twins by 1: the difference is sure though means are not."""
    reference = {seed: 100.0 * seed for seed in range(5)}
    twin = {seed: value - 1.0 for seed, value in reference.items()}
    found = study.paired_difference(twin, reference)
    assert (found.value, found.low, found.high, found.n) == (-1.0, -1.0, -1.0, 5)
    assert study.mean_over_seeds(np.array(list(twin.values()))).low < 50.0


def test_limits_of_a_mean_are_those_of_student(study: ModuleType) -> None:
    """1, 2, 3: t(2, 0.975) = 4.3027, s / sqrt(3) = 0.5774."""
    found = study.mean_over_seeds(np.array([1.0, 2.0, 3.0]))
    assert found.low == pytest.approx(2.0 - 4.3027 * 0.57735, abs=1e-4)


def test_a_run_that_had_none_does_not_count(study: ModuleType) -> None:
    found = study.mean_over_seeds(np.array([2.0, math.nan, 2.0]))
    assert (found.value, found.n) == (2.0, 2)


def test_what_never_happened_is_infinitely_late(study: ModuleType) -> None:
    samples = {1: np.array([0.1, 0.2]), 2: np.array([0.3, math.inf])}
    assert study.pooled_quantile(samples, 0.5).value == 0.2
    assert study.pooled_quantile(samples, 0.95).value == math.inf


def test_measured_figures_survive_their_file(study: ModuleType, tmp_path: Path) -> None:
    measured = [
        study.Measured("s", "a, b", 3, "time [s]", 0.25),
        study.Measured("s", "a, b", 3, "time [s]", math.inf),
    ]
    study.write_measured(tmp_path / "runs.csv", measured)
    assert study.read_measured(tmp_path / "runs.csv") == measured


def test_figures_become_means_spreads_and_differences(
    study: ModuleType, finding_study: ModuleType
) -> None:
    twins = finding_study.Study(
        name="s",
        scenario="none",
        seeds=(1, 2),
        variants={"without": (), "with": ()},
        reference="without",
        figures=(),
    )
    values = {"without": {1: 4.0, 2: 8.0}, "with": {1: 3.0, 2: 7.0}}
    measured = [
        study.Measured("s", variant, seed, "collisions", value)
        for variant, by_seed in values.items()
        for seed, value in by_seed.items()
    ]
    rows = {(r.variant, r.figure): r.value for r in finding_study.rows_of(twins, measured)}
    assert rows["with", "collisions"] == 5.0
    assert rows["with", "collisions: spread"] == pytest.approx(math.sqrt(8.0))
    assert rows["with", "collisions: difference"] == -1.0
    assert ("without", "collisions: difference") not in rows
