"""Section ``sensors`` of a scenario: read, refused, shown, and joined to its map."""

from __future__ import annotations

import pytest

from v2x.errors import V2XError
from v2x.perception.sensor_params import NoSensors, OnboardParams
from v2x.perception.sensors import Sensors
from v2x.scenario.assemble import load_road_map
from v2x.scenario.schema import json_schema, load_scenario
from v2x.scenario.sensors import sensors_of
from v2x.scenario.strategies import list_strategies


def test_nobody_has_sensors_unless_the_scenario_says_so() -> None:
    scenario = load_scenario("highway_3gpp")
    assert isinstance(scenario.sensors.params, NoSensors)
    assert sensors_of(scenario, load_road_map(scenario), 1) is None


def test_kinds_and_their_sizes_can_be_set() -> None:
    changes = [
        ("sensors.type", "onboard"),
        ("sensors.kinds", "[camera, lidar]"),
        ("sensors.camera.range_m", "77"),
        ("sensors.camera.azimuth_deg", "[0, 180]"),
    ]
    scenario = load_scenario("highway_3gpp", changes)
    params = scenario.sensors.params
    assert isinstance(params, OnboardParams)
    assert [kind.range_m for kind in params.of_vehicles()] == [77.0, params.lidar.range_m]
    # What is not set keeps the value of its kind.
    assert params.camera.half_angle_deg == OnboardParams().camera.half_angle_deg
    assert isinstance(sensors_of(scenario, load_road_map(scenario), 1), Sensors)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sensors.kinds", "[sonar]"),
        ("sensors.camera.range_m", "-1"),
        ("sensors.camera.rnage_m", "50"),
        ("sensors.confirm_hits", "9"),
    ],
)
def test_mistakes_are_named_by_key(key: str, value: str) -> None:
    with pytest.raises(V2XError) as error:
        load_scenario("highway_3gpp", [("sensors.type", "onboard"), (key, value)])
    assert error.value.key == key


def test_list_and_schema_show_the_section() -> None:
    found = {doc.name: doc for doc in list_strategies() if doc.section == "sensors"}
    assert set(found) == {"none", "onboard"}
    assert found["none"].is_default
    names = {parameter.name for parameter in found["onboard"].parameters}
    assert {"front_radar.range_m", "corner_radar.half_angle_deg", "camera.fog_share"} <= names
    assert "sensors" in json_schema()["properties"]
