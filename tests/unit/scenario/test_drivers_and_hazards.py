"""Sections ``drivers`` and ``hazard`` of a scenario, and the runs they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.mobility.control import controlled
from v2x.mobility.drivers.params import FlawlessParams, HumanParams
from v2x.mobility.hazards.params import FogBankParams, NoHazard
from v2x.mobility.routed import RoutedTraffic
from v2x.scenario.assemble import assemble, load_road_map, simulate
from v2x.scenario.schema import load_scenario

TEXT = """\
duration_s: 3
warmup_s: 0.5
world: {synthetic: junction, arm_m: 300}
traffic: {type: routed, n_vehicles: 10}
messages: {rate_hz: 2}
"""


def scenario(tmp_path: Path, *overrides: tuple[str, str]) -> Any:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return load_scenario(file, overrides)


def test_drivers_are_flawless_and_nothing_happens_by_default(tmp_path: Path) -> None:
    one = scenario(tmp_path)
    assert one.drivers.params == FlawlessParams()
    assert one.hazard.params == NoHazard()


def test_keys_reach_the_traffic(tmp_path: Path) -> None:
    one = scenario(
        tmp_path,
        ("drivers.type", "human"),
        ("drivers.sight_trust", "2"),
        ("drivers.crash.clear_after_s", "30"),
        ("hazard.type", "fog-bank"),
        ("hazard.visibility_m", "40"),
    )
    assert isinstance(one.drivers.params, HumanParams)
    assert (one.drivers.params.sight_trust, one.drivers.params.crash.clear_after_s) == (2, 30)
    assert isinstance(one.hazard.params, FogBankParams)
    run = assemble(one, load_road_map(one))
    model = controlled(run.parts.mobility)
    assert isinstance(model, RoutedTraffic)
    assert model.hazard is not None
    (known,) = model.hazard.known(0)
    assert known.kind == "fog-bank"


@pytest.mark.parametrize(
    "hazard",
    [
        "stopped-vehicle",
        "slow-vehicle",
        "brake-failure",
        "rockfall",
        "closed-road",
        "slippery",
        "fog-bank",
    ],
)
def test_every_hazard_runs(tmp_path: Path, hazard: str) -> None:
    records = simulate(
        scenario(tmp_path, ("hazard.type", hazard), ("drivers.type", "human"), ("duration_s", "2"))
    )
    assert len(records.tables["packets"]["tx_id"]) > 0


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    options = (("hazard.type", "rockfall"), ("drivers.type", "human"), ("seed", "4"))
    one, other = (simulate(scenario(tmp_path, *options)).tables for _ in range(2))
    for name, table in one.items():
        for key, values in table.items():
            assert np.array_equal(values, other[name][key], equal_nan=values.dtype.kind == "f")


@pytest.mark.parametrize(("key", "value"), [("drivers.type", "human"), ("hazard.type", "rockfall")])
def test_vehicles_that_move_as_they_are_told_refuse(tmp_path: Path, key: str, value: str) -> None:
    one = scenario(
        tmp_path,
        ("world.synthetic", "highway"),
        ("traffic.type", "constant-speed"),
        (key, value),
    )
    with pytest.raises(V2XError, match="moves as it is told") as failure:
        assemble(one, load_road_map(one))
    assert failure.value.key == key


def test_unknown_names_and_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match="did you mean 'stopped-vehicle'"):
        scenario(tmp_path, ("hazard.type", "stoped-vehicle"))
    with pytest.raises(V2XError, match=r"must be in \[1, 100\]"):
        scenario(tmp_path, ("drivers.type", "human"), ("drivers.sight_trust", "0"))
