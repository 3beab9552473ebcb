"""The section ``positioning``, from the file to the summary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.mobility.positioning_params import NoPositioning, PositioningParams
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

ROAD = """
duration_s: 1.2
warmup_s: 0.4
seed: 5
world: {synthetic: highway, length_m: 600}
traffic: {type: constant-speed, density_per_km: 40}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "road.yaml"
    file.write_text(ROAD)
    return file


def test_nobody_asks_unless_told(path: Path) -> None:
    silent = load_scenario(path)
    assert silent.positioning.type == "none"
    assert silent.positioning.params == NoPositioning()
    asked = load_scenario(path, [("positioning.type", "gnss"), ("positioning.open_sigma_m", "3")])
    assert asked.positioning.params == PositioningParams(open_sigma_m=3.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("positioning.type", "gps")], r"unknown positioning 'gps'; .*gnss"),
        (
            [("positioning.type", "gnss"), ("positioning.deck_sigma", "3")],
            r"positioning\.deck_sigma: .*deck_sigma_m",
        ),
        ([("positioning.open_sigma_m", "3")], r"open_sigma_m.*'gnss'"),
        (
            [("positioning.type", "gnss"), ("positioning.sensor_rate_hz", "0")],
            r"sensor_rate_hz: must be > 0",
        ),
    ],
)
def test_mistakes_are_named(path: Path, changes: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(V2XError, match=message):
        load_scenario(path, changes)


def test_a_run_counts_positions_and_nothing_else_changes(path: Path) -> None:
    silent = simulate(load_scenario(path))
    asked = simulate(load_scenario(path, [("positioning.type", "gnss")]))
    for name, table in silent.tables.items():
        if name.startswith("position"):
            assert not len(table["replication"])
            continue
        for key, values in table.items():
            np.testing.assert_array_equal(values, asked.tables[name][key])
    # A tick every 100 ms from the end of the warm-up on: 0.4 to 1.1 s.
    assert np.unique(asked.tables["positions"]["time_s"]) == pytest.approx(np.arange(4, 12) / 10)
    figures = summarise(asked, scenario_name="road", seed=5)["positioning"]
    n = silent.facts["n_vehicles"]
    assert figures["open"]["n"] == figures["all"]["n"] == 8 * n
    # 24 vehicles, each an error of its own that hardly moves in a second.
    assert 0.8 < figures["open"]["rms_horizontal_m"] < 2.2
    assert summarise(silent, scenario_name="road", seed=5)["positioning"] is None
