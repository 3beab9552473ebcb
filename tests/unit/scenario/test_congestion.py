"""The section ``congestion`` and ``access.type=scheduled``, from the file to the summary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from v2x.access.congestion.base import NoControlParams
from v2x.errors import V2XError
from v2x.metrics.summary import summarise
from v2x.records.tables import RunRecords
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import dump_scenario, load_scenario
from v2x.scenario.strategies import list_strategies

ROAD = """
duration_s: 2
warmup_s: 1
seed: 5
world: {synthetic: highway, length_m: 600}
traffic: {type: constant-speed, density_per_km: 100, speed_kmh: 20}
messages: {type: awareness, size_bytes: 300}
access: {type: lte-mode4, n_subchannels: 5}
"""
CONTROLS = (
    "ts103574",
    "j2945",
    "gbt45315",
    "gbt45315-density",
    "etsi-dcc-reactive",
    "etsi-dcc-adaptive",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "road.yaml"
    file.write_text(ROAD)
    return file


def run(path: Path, *overrides: tuple[str, str]) -> RunRecords:
    return simulate(load_scenario(path, overrides))


def test_nothing_is_controlled_unless_told(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.congestion.type == "none"
    assert scenario.congestion.params == NoControlParams()
    summary = summarise(simulate(scenario), scenario_name="x", seed=5)
    assert "congestion" not in summary


def test_none_is_the_same_bytes(path: Path) -> None:
    silent, told = run(path), run(path, ("congestion.type", "none"))
    assert len(silent.tables["congestion"]["cr"]) == 0
    for name, table in silent.tables.items():
        for key, column in table.items():
            assert column.tobytes() == told.tables[name][key].tobytes(), f"{name}.{key}"


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_runs_from_the_command_line(path: Path, name: str) -> None:
    scenario = load_scenario(path, [("congestion.type", name)])
    assert f"  type: {name}" in dump_scenario(scenario)
    records = simulate(scenario)
    table = records.tables["congestion"]
    assert len(table["cr"]) == len(records.tables["load"]["cbr"])
    assert np.all((table["cr"] > 0.0) & (table["cr"] < 0.02))
    assert np.all(table["n_suppressed"] <= table["n_offered"])
    figures = summarise(records, scenario_name="x", seed=5)["congestion"]
    assert 0.0 < figures["cr"]["mean"] <= figures["cr"]["max"]
    assert (figures["interval_ms"] is None) == (name == "ts103574")


def test_controls_and_the_scheduler_are_listed_with_their_parameters() -> None:
    listed = {(s.section, s.name): s for s in list_strategies()}
    for name in (*CONTROLS, "none"):
        strategy = listed["congestion", name]
        assert strategy.summary
        assert strategy.is_default == (name == "none")
        assert all(parameter.doc.text for parameter in strategy.parameters)
    scheduled = {p.name: p for p in listed["access", "scheduled"].parameters}
    assert scheduled["reuse_distance_m"].doc.unit == "m"
    assert all(p.doc.text for p in scheduled.values() if p.name.endswith(("_m", "_ms")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([("congestion.type", "etsi-dcc")], r"unknown congestion 'etsi-dcc'; did you mean"),
        ([("congestion.spread", "true")], r"spread: unknown key; it is a key of type 'ts103574'"),
        (
            [("congestion.type", "ts103574"), ("congestion.cbr_weight", "0")],
            r"congestion\.cbr_weight: must be above 0",
        ),
        (
            [("access.type", "scheduled"), ("access.reuse_distance_m", "0")],
            r"must be within .*, got 0",
        ),
    ],
)
def test_mistakes_are_named(path: Path, changes: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(V2XError, match=message):
        load_scenario(path, changes)


def test_neighbours_beyond_memory_cannot_be_counted(path: Path) -> None:
    changes = [("congestion.type", "j2945"), ("congestion.range_m", "400")]
    with pytest.raises(V2XError, match=r"congestion\.range_m: 400 m is beyond records\.awareness"):
        simulate(load_scenario(path, changes))


def test_roadside_units_keep_their_rate(path: Path) -> None:
    """A table by the speed of vehicles does not silence who stands still on purpose."""
    records = run(
        path,
        ("congestion.type", "etsi-dcc-reactive"),
        ("congestion.cbr_bounds", "[0.01, 0.02, 0.03, 0.04]"),
        ("roadside.placement", "spacing"),
        ("roadside.spacing_m", "300"),
        ("roadside.rate_hz", "10"),
    )
    packets = records.tables["packets"]
    roadside = packets["tx_id"] >= 3 << 30
    n_each = np.unique(packets["tx_id"][roadside], return_counts=True)[1]
    n_vehicle = np.unique(packets["tx_id"][~roadside], return_counts=True)[1]
    assert n_each.min() >= 8
    assert n_vehicle.max() <= 4


def test_the_scheduler_learns_positions(path: Path) -> None:
    """60 vehicles, 100 resources of 3 of 5 subchannels: no collision once all have a grant."""
    records = run(path, ("access.type", "scheduled"), ("traffic.density_per_km", "100"))
    links = records.tables["links"]
    assert links["n"][links["outcome"] == 4].sum() == 0
    assert links["n"][links["outcome"] == 1].sum() == 0
    assert links["n"].sum() > 10_000
