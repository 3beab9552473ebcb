"""What a run states about itself is what was in force, not what was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from v2x.metrics.summary import summarise
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

SCENARIO = """\
world: {synthetic: highway, length_m: 1000, lanes_per_direction: 1}
traffic: {type: constant-speed, n_vehicles: 4, speed_kmh: 0}
messages: {size_bytes: 190}
channel: {line_of_sight: always}
duration_s: 0.2
warmup_s: 0
"""


def summary(folder: Path, *changes: tuple[str, str]) -> dict[str, Any]:
    """Return the summary of a run of 0.2 s."""
    path = folder / "short.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    scenario = load_scenario(path, list(changes))
    return summarise(simulate(scenario), scenario_name=scenario.name, seed=scenario.seed)


@pytest.mark.parametrize(
    ("asked_m", "wrap", "in_force_m"),
    [
        (0, "false", 0),
        (200, "false", 200),
        # A road of 1 km has no inside beyond margins of a quarter of it ...
        (250, "false", 0),
        # ... and one without ends has nothing to leave out.
        (200, "true", 0),
    ],
)
def test_the_margin_stated_is_the_margin_in_force(
    tmp_path: Path, asked_m: int, wrap: str, in_force_m: int
) -> None:
    made = summary(tmp_path, ("records.edge_margin_m", str(asked_m)), ("world.wrap", wrap))
    assert made["exclusions"]["edge_margin_m"] == in_force_m


@pytest.mark.parametrize(
    ("changes", "height_m"),
    [
        ([("channel.pathloss", "winner-b1")], 0.5),
        ([("channel.pathloss", "winner-b1"), ("channel.effective_antenna_height_m", "1.5")], 1.5),
        ([("channel.pathloss", "tr37885-highway")], None),
    ],
)
def test_the_effective_antenna_height_is_stated_where_the_law_has_one(
    tmp_path: Path, changes: list[tuple[str, str]], height_m: float | None
) -> None:
    assert summary(tmp_path, *changes)["effective_antenna_height_m"] == height_m
