"""Sections ``signals``, ``crossings`` and ``emergency``, and the runs they make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.mobility.crossings.crossers import FIRST_CROSSER_ID
from v2x.mobility.signals.actuated import ActuatedControl
from v2x.mobility.signals.fixed import FixedControl
from v2x.scenario.assemble import load_road_map, simulate
from v2x.scenario.schema import load_scenario
from v2x.scenario.traffic import mobility_of
from v2x.world.road_map import LOCAL_CRS

TEXT = """\
duration_s: 3
warmup_s: 0.5
world: {synthetic: hill-arterial, n_signals: 2, spacing_m: 300}
traffic: {type: routed, n_vehicles: 12}
access: {type: nr-mode2}
"""
PEOPLE = (("crossings.rate_per_h", "3600"), ("crossings.two_wheeler_share", "0.5"))


def scenario(tmp_path: Path, *overrides: tuple[str, str]) -> Any:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT)
    return load_scenario(file, overrides)


@pytest.mark.parametrize(
    ("kind", "control"), [("fixed", FixedControl), ("actuated", ActuatedControl)]
)
def test_lights_are_those_of_the_section(tmp_path: Path, kind: str, control: type) -> None:
    described = scenario(tmp_path, ("signals.type", kind), ("signals.left_turns", "permissive"))
    road_map = load_road_map(described)
    assert road_map.crs == LOCAL_CRS
    assert road_map.node_signal.sum() == 2
    model: Any = mobility_of(described, road_map, 1)
    assert isinstance(model.lights.control, control)
    assert model.lights.control.phase.max() == 2


def test_keys_inside_are_checked(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match="gap_s"):
        scenario(tmp_path, ("signals.type", "actuated"), ("signals.gap_s", "0"))
    with pytest.raises(V2XError, match="extend_s"):
        scenario(tmp_path, ("signals.type", "fixed"), ("signals.priority.extend_s", "-1"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("signals.type", "fixed"),
        ("signals.runner_share", "0.1"),
        ("crossings.rate_per_h", "10"),
        ("emergency.n_vehicles", "1"),
    ],
)
def test_vehicles_that_know_no_streets_refuse_them(tmp_path: Path, key: str, value: str) -> None:
    described = scenario(
        tmp_path,
        ("world.synthetic", "highway"),
        ("traffic.type", "constant-speed"),
        ("traffic.n_vehicles", "10"),
        (key, value),
    )
    with pytest.raises(V2XError, match=r"use traffic\.type=routed"):
        simulate(described)


def test_people_who_cross_speak_and_are_heard(tmp_path: Path) -> None:
    records = simulate(scenario(tmp_path, *PEOPLE))
    packets = records.tables["packets"]
    theirs = packets["tx_id"] >= FIRST_CROSSER_ID
    assert len(np.unique(packets["tx_id"][theirs])) >= 3
    assert (packets["n_attempts"][theirs] > 0).any()


def test_with_pedestrians_on_the_pavements_both_are_there(tmp_path: Path) -> None:
    records = simulate(scenario(tmp_path, *PEOPLE, ("pedestrians.n_pedestrians", "5")))
    # Room for four at each of the eight crossings, and five on the pavements.
    assert records.facts["n_pedestrians"] == 8 * 4 + 5
