"""What the section ``cellular`` refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from v2x.cellular.params import (
    BackhaulParams,
    RelayParams,
    SchedulingParams,
    UuParams,
    UuRadioParams,
)
from v2x.errors import V2XError
from v2x.scenario.assemble import assemble, load_road_map
from v2x.scenario.schema import ScenarioError, load_scenario


@pytest.mark.parametrize(
    ("cls", "change"),
    [
        (UuRadioParams, {"pattern": "DDD"}),
        (UuRadioParams, {"bandwidth_mhz": 70, "scs_khz": 15}),
        (UuRadioParams, {"uplink_rb": 274}),
        (UuRadioParams, {"error_target": 1.0}),
        (UuRadioParams, {"carrier_ghz": 28.0}),
        (SchedulingParams, {"handover_gap_ms": (50.0, 30.0)}),
        (SchedulingParams, {"gnb_processing_ms": -1.0}),
        (SchedulingParams, {"max_load": 1.0}),
        (BackhaulParams, {"server_p99_ms": 1.0}),
        (RelayParams, {"sidelink_last_ms": 2.0}),
        (UuParams, {"paths": ()}),
        (UuParams, {"paths": ("cloud", "cloud")}),
        (UuParams, {"placement": "file"}),
        (UuParams, {"positions": ((0.0, 0.0),)}),
        (UuParams, {"share": 1.5}),
    ],
)
def test_values_that_cannot_be_are_named(cls: type, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        cls(**change)


def test_periods_must_be_whole_patterns() -> None:
    with pytest.raises(ValueError, match=r"request_period_ms must be a whole number of patterns"):
        UuParams(scheduling=SchedulingParams(request_period_ms=4.0))


def test_a_scenario_names_the_nearest_key(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        "world: {synthetic: highway}\ncellular: {type: uu-5g, radio: {patern: DDDSU}}\n"
    )
    with pytest.raises(ScenarioError, match=r"cellular.radio.patern: unknown key; did you mean"):
        load_scenario(file)


def test_roadside_units_are_needed_to_relay(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(
        "world: {synthetic: highway}\n"
        "traffic: {type: constant-speed, n_vehicles: 2}\n"
        "cellular: {type: uu-5g, paths: [v2i2v]}\n"
    )
    scenario = load_scenario(file)
    with pytest.raises(V2XError, match=r"cellular.paths: v2i2v needs roadside units"):
        assemble(scenario, load_road_map(scenario))
