"""Scenarios of the eight application types run, and key figures stay where they were."""

from __future__ import annotations

import csv
import importlib
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from v2x.scenario.assemble import simulate
from v2x.scenario.library import builtin_scenarios
from v2x.scenario.schema import load_scenario

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "applications" / "results.csv"
NAMES = sorted(name for name in builtin_scenarios() if name.startswith("applications/"))
#: The variant of each study that is run again, if it is not "messages".
MAIN = {
    "road_network": "500 m",
    "intelligent_driving": "100 %",
    "traffic_state": "100 %",
    "resource_sharing": "all",
    "traffic_guidance": "80 %",
    "tracking": "both",
}
SIGMAS = 3.0


def test_there_are_eight_types() -> None:
    assert len(NAMES) == 8


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_runs(name: str) -> None:
    changes = [("duration_s", "1.5"), ("warmup_s", "0.5"), ("replications", "1")]
    records = simulate(load_scenario(name, changes))
    assert len(records.tables["packets"]["packet"]) > 0
    assert records.tables["exposure"]["distance_m"].sum() > 0


def documented() -> dict[tuple[str, str], dict[str, float]]:
    """Return the figures of each study and variant."""
    found: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    with RESULTS.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            found[row["study"], row["variant"]][row["figure"]] = float(row["value"] or "nan")
    return found


@pytest.fixture
def studies(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("zone_studies")


@pytest.mark.slow
def test_key_figures_stay_within_three_spreads(studies: ModuleType) -> None:
    """One seed of each study's main variant against mean and spread over the documented seeds."""
    expected = documented()
    for study in studies.STUDIES:
        variant = MAIN.get(study.name, "messages")
        figures = expected[study.name, variant]
        for one in study.run(variant, study.seeds[0]):
            spread = figures.get(f"{one.figure}: spread", np.nan)
            if np.isfinite([one.value, spread]).all():
                away = abs(one.value - figures[one.figure])
                assert away <= SIGMAS * spread + 1e-3 * abs(figures[one.figure]), one
