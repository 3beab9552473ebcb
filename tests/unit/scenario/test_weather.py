"""The section ``weather``: from the file to the roads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from v2x.scenario.assemble import assemble, load_road_map
from v2x.scenario.schema import ScenarioError, json_schema, load_scenario
from v2x.world.weather import WeatherParams


def test_weather_is_dry_and_clear_unless_given(write: Callable[[str], Path], example: str) -> None:
    path = write(example)
    assert load_scenario(path).weather == WeatherParams()
    wet = load_scenario(path, [("weather.road", "wet"), ("weather.visibility_m", "80")])
    assert wet.weather == WeatherParams(road="wet", visibility_m=80.0)


def test_an_unknown_road_is_answered_with_the_known_ones(
    write: Callable[[str], Path], example: str
) -> None:
    with pytest.raises(
        ScenarioError, match=r"weather.road: must be 'dry' or .*'ice', got \"damp\""
    ):
        load_scenario(write(example + "weather:\n  road: damp\n"))
    with pytest.raises(ScenarioError, match=r"weather\.visibility_m: must be within 5 and 100000"):
        load_scenario(write(example + "weather:\n  visibility_m: 1\n"))


def test_the_schema_knows_weather(toys: type) -> None:
    weather = json_schema()["properties"]["weather"]["properties"]
    assert weather["road"]["enum"] == ["dry", "moist", "wet", "flooded", "snow", "ice"]
    assert weather["visibility_m"]["default"] == 10_000.0


def test_weather_reaches_the_roads() -> None:
    """A wet scenario has wet roads; the default has dry ones."""
    grip = []
    for overrides in ([], [("weather.road", "wet")]):
        common = [("traffic.type", "routed"), ("traffic.n_vehicles", "5")]
        scenario = load_scenario("highway_3gpp", [*common, *overrides])
        run = assemble(scenario, load_road_map(scenario))
        grip.append(run.parts.mobility.conditions.edge_grip)  # type: ignore[attr-defined]
    assert (grip[0] == 1.0).all()
    assert grip[1] == pytest.approx(0.6)
