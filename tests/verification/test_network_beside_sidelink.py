"""The way through the network changes nothing on the sidelink, and a seed gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from v2x.metrics.summary import summarise
from v2x.records.tables import SCHEMAS, RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

TEXT = """
duration_s: 1.5
warmup_s: 0.5
world: {synthetic: highway, length_m: 1000, wrap: true}
traffic: {type: constant-speed, n_vehicles: 30, speed_kmh: 70}
channel: {pathloss: winner-b1, line_of_sight: always}
roadside: {placement: spacing, spacing_m: 400}
records: {awareness_range_m: 200}
"""
NETWORK = tuple(name for name in SCHEMAS if name.startswith("network"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunRecords]:
    file: Path = tmp_path_factory.mktemp("scenario") / "one.yaml"
    file.write_text(TEXT)
    through = ("cellular.type", "uu-5g"), ("cellular.paths", "[mec-core, v2i2v]")
    return [simulate(load_scenario(file, keys)) for keys in ((), through, through)]


def test_the_sidelink_does_not_notice(runs: list[RunRecords]) -> None:
    without, with_network, _ = runs
    for name in set(SCHEMAS) - set(NETWORK):
        for key, column in without.tables[name].items():
            assert np.array_equal(column, with_network.tables[name][key], equal_nan=True)
    assert all(len(without.tables[name]["replication"]) == 0 for name in NETWORK)


def test_a_seed_gives_the_same_bytes(runs: list[RunRecords]) -> None:
    _, first, second = runs
    for name in NETWORK:
        assert len(first.tables[name]["replication"]) > 0
        for key, column in first.tables[name].items():
            assert column.tobytes() == second.tables[name][key].tobytes()


def test_the_summary_has_every_path(runs: list[RunRecords]) -> None:
    without, with_network, _ = runs
    plain = summarise(without, scenario_name="one", seed=1)
    assert "network" not in plain
    assert "cells" not in plain
    found = summarise(with_network, scenario_name="one", seed=1)
    json.dumps(found, allow_nan=False)
    assert set(found["network"]) == {"mec-core", "v2i2v"}
    path = found["network"]["mec-core"]
    assert sum(path["parts"].values()) == pytest.approx(path["mean"])
    assert sum(path["outcomes"].values()) == pytest.approx(1.0)
    assert path["p50"] <= path["p95"] <= path["p99"]
    assert found["cells"]["n_cells"] == with_network.facts["n_cells"] == 1
