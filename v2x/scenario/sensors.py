"""Sensors of a run, if the scenario has any."""

from __future__ import annotations

from v2x.perception.sensor_params import OnboardParams
from v2x.perception.sensors import Sensors
from v2x.scenario.model import Scenario
from v2x.world.road_map import RoadMap


def sensors_of(scenario: Scenario, road_map: RoadMap, seed: int) -> Sensors | None:
    """Return the sensors of a scenario, None if it has none."""
    params = scenario.sensors.params
    if not isinstance(params, OnboardParams):
        return None
    return Sensors(params, road_map, scenario.weather, seed, solid=not scenario.world.flat)
