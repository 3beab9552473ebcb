"""The bundled scenarios in the mountains: what they promise at the top of their files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from v2x.scenario.library import builtin_scenario, builtin_scenarios
from v2x.scenario.schema import load_scenario
from v2x.world.store import builtin_map, load_map

MAPS = {
    "interchange": "huangjuewan",
    "tunnel": "twin-tunnel",
    "ridge": "ridge-crossing",
    "blind_curve": "blind-curve",
    "bridge_fog": "river-bridge",
    "hill_streets": "hill-streets",
    "expressway": "expressway-20km",
}


def header(file: Path) -> str:
    """Return the comment that opens a file, as one line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return " ".join(line.removeprefix("#").strip() for line in lines[:end])


@pytest.mark.parametrize("name", MAPS)
def test_the_header_has_a_question_a_finding_in_numbers_a_time_and_the_twin(name: str) -> None:
    parts = re.fullmatch(
        r"Question: (.+\?) Expected: (.+\.) Flat twin: (.+) Run time: (.+)",
        header(builtin_scenario(name)),
    )
    assert parts, "Question, Expected, Flat twin and Run time, in this order"
    _, expected, twin, time = parts.groups()
    assert re.search(r"\d", expected), "a finding without a number"
    assert f"v2x run {name} --set world.flat=true" in twin
    assert re.match(r"about \d+ s", time)


@pytest.mark.parametrize("name", MAPS)
def test_it_goes_by_the_name_of_its_file_and_plays_on_its_map(name: str) -> None:
    scenario = load_scenario(name)
    assert (scenario.name, scenario.world.map) == (name, MAPS[name])
    assert builtin_scenarios()[name].stem == name
    assert scenario.description
    assert 15.0 <= scenario.duration_s <= 30.0
    assert not scenario.world.flat
    twin = load_scenario(name, [("world.flat", "true")])
    assert twin.world.flat
    assert twin.traffic == scenario.traffic


def test_satellites_weather_and_units_are_where_they_matter() -> None:
    scenarios = {name: load_scenario(name) for name in MAPS}
    asked = {name for name, s in scenarios.items() if s.positioning.type == "gnss"}
    assert asked == {"interchange", "tunnel", "hill_streets"}
    foggy = {name for name, s in scenarios.items() if s.weather.visibility_m < 1000.0}
    assert foggy == {"bridge_fog"}
    fog = scenarios["bridge_fog"].weather
    assert 50.0 <= fog.visibility_m <= 100.0
    assert fog.road == "wet"
    roadside = scenarios["tunnel"].roadside
    assert roadside.placement == "portals"
    assert 300.0 <= roadside.spacing_m <= 600.0
    assert roadside.relay
    dark = load_scenario("tunnel", [("roadside.placement", "none")]).roadside
    assert dark.placement == "none"


@pytest.mark.parametrize("name", MAPS)
def test_obstacles_are_judged_as_finely_as_the_ground_is_drawn(name: str) -> None:
    terrain = load_map(builtin_map(MAPS[name])).terrain
    assert terrain is not None
    assert load_scenario(name).obstacles.obstacle_cell_m == (5.0 if terrain.step_m < 5 else 20.0)
