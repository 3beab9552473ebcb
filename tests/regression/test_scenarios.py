"""Scenario studies: every file runs, and key figures stay where the documented runs had them."""

from __future__ import annotations

import csv
import importlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from v2x.scenario.assemble import simulate
from v2x.scenario.library import builtin_scenarios
from v2x.scenario.schema import load_scenario

DOCS = Path(__file__).parents[2] / "docs"
RESULTS = DOCS / "findings" / "results.csv"
NAMES = sorted(
    name for name in builtin_scenarios() if name.startswith(("mountain/", "applications/"))
)
#: The variant of each study that is run again, if it is not "messages".
MAIN = {
    "road_network": "500 m",
    "intelligent_driving": "100 %",
    "traffic_state": "100 %",
    "resource_sharing": "all",
    "traffic_guidance": "80 %",
    "tracking": "both",
}
#: Figures that are held to the documented ones, and how many spreads of a seed they may be away.
KEY_FIGURES = ("collisions", "conflicts per 1000 km", "mean speed [km/h]", "alerts")
SIGMAS = 3.0


def test_there_are_eight_types_and_scenes_of_the_mountains() -> None:
    types = [name for name in NAMES if name.startswith("applications/")]
    assert len(types) == 8
    assert len(NAMES) > len(types)


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
def doc_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the programs of the documentation be imported."""
    monkeypatch.syspath_prepend(str(DOCS))


@pytest.mark.slow
@pytest.mark.usefixtures("doc_programs")
def test_key_figures_of_mountain_scenes_stay_within_three_spreads() -> None:
    """Each study's variant with messages, two of its seeds, against the mean of all seeds."""
    expected = documented()
    for study in importlib.import_module("mountain_studies").STUDIES:
        variant = next(name for name in study.variants if name in ("messages", "100 %, units"))
        figures = expected[study.name, variant]
        for seed in study.seeds[-2:]:
            measured = {one.figure: one.value for one in study.run(variant, seed)}
            for key in KEY_FIGURES:
                allowed = SIGMAS * figures[f"{key}: spread"]
                assert abs(measured[key] - figures[key]) <= allowed + 1e-3 * abs(figures[key]), key


@pytest.mark.slow
@pytest.mark.usefixtures("doc_programs")
def test_figures_of_the_eight_types_stay_within_three_spreads() -> None:
    """One seed of each study's main variant against mean and spread over the documented seeds."""
    expected = documented()
    for study in importlib.import_module("zone_studies").STUDIES:
        variant = MAIN.get(study.name, "messages")
        figures = expected[study.name, variant]
        for one in study.run(variant, study.seeds[0]):
            spread = figures.get(f"{one.figure}: spread", np.nan)
            if np.isfinite([one.value, spread]).all():
                away = abs(one.value - figures[one.figure])
                assert away <= SIGMAS * spread + 1e-3 * abs(figures[one.figure]), one
