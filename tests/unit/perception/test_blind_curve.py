"""How far sensors see round the rock of the blind curves, against the closed form.

Along the middle of a lane of radius R, with the rock M beside it, the sight distance is
``S = 2 R acos(1 - M / R)`` (applications.md 8.1). R is that of the inner lane of the map, M is
measured on its terrain at the height of the ray.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.mobility.geometry import RoadGeometry
from v2x.perception.sensor_params import OnboardParams, SensorParams
from v2x.perception.sensors import Sensors
from v2x.world.store import builtin_map, load_map
from v2x.world.weather import WeatherParams

from ...simulation_parts import fleet_state

CAMERA = SensorParams(half_angle_deg=90.0, range_m=150.0, mount=0.0, height_m=1.3, detection=1.0)
PARAMS = OnboardParams(
    kinds=("camera",), camera=CAMERA, aim_share=0.8125, confirm_hits=1, confirm_of=1
)
#: Height of the ray, and that of the point it leads to: 0.8125 of a car of 1.6 m.
RAY_M = 1.3
HALF_LANE_M = 1.75


@pytest.fixture(scope="module")
def road_map():
    return load_map(builtin_map("blind-curve"))


def inner_lane(road_map, name: str) -> int:
    """Return the edge through a curve with the rock on its right: it drives in the inner lane."""
    geometry, terrain = RoadGeometry(road_map), road_map.terrain
    edges = [e for e in range(road_map.n_edges) if road_map.edge_name[e] == name]
    height = []
    for edge in edges:
        middle = np.array([0.5 * road_map.edge_length_m[edge]])
        x, y, _, _ = geometry.position(np.array([edge]), middle, np.array([12.0]))
        height.append(float(terrain.at(x, y)[0]))
    return edges[int(np.argmax(height))]


def clear_offset_m(road_map, edge: int, offset_m: float) -> float:
    """Return how far right of the lane's middle the rock is as high as the ray [m]."""
    geometry = RoadGeometry(road_map)
    right_m = np.arange(0.0, 15.0, 0.02)
    x, y, z, _ = geometry.position(
        np.full(len(right_m), edge), np.full(len(right_m), offset_m), HALF_LANE_M + right_m
    )
    return float(right_m[road_map.terrain.at(x, y) > z + RAY_M][0])


def sight_m(road_map, sensors: Sensors, edge: int, offset_m: float, ways_m: np.ndarray) -> float:
    """Return the way along the lane to the nearest car, each alone, that a camera misses [m]."""
    at = offset_m + np.append(0.0, ways_m)
    x, y, z, heading = RoadGeometry(road_map).position(
        np.full(len(at), edge), at, np.full(len(at), HALF_LANE_M)
    )
    for k in range(1, len(at)):
        both = [0, k]
        # The other one is new each time, so that nothing is remembered of it.
        fleet = fleet_state(
            k, x[both], y_m=y[both], z_m=z[both], heading_rad=heading[both], edge=edge, id=[0, k]
        )
        if not np.isin(1, sensors.see(fleet).object):
            return float(ways_m[k - 1])
    raise AssertionError("the curve hides nobody")


@pytest.mark.parametrize(
    ("name", "axis_m"),
    [("Blind Curve R30", 30.0), ("Blind Curve R60", 60.0), ("Blind Curve R125", 125.0)],
)
def test_sight_round_a_curve_is_that_of_the_closed_form(road_map, name, axis_m) -> None:
    edge, radius_m = inner_lane(road_map, name), axis_m - HALF_LANE_M
    stretch = axis_m / radius_m  # metres on the axis per metre in the lane
    sensors = Sensors(PARAMS, road_map, WeatherParams(), 1)
    ratio = []
    about_m = 2.0 * radius_m * math.acos(1.0 - 5.0 / radius_m)
    for offset_m in np.linspace(4.0, road_map.edge_length_m[edge] - 1.25 * about_m, 4):
        # The rock that ends the view is what reaches nearest about the middle of the way.
        middle_m = offset_m + stretch * 0.5 * about_m + np.arange(-6.0, 6.5)
        clear_m = min(clear_offset_m(road_map, edge, at) for at in middle_m.tolist())
        expected_m = 2.0 * radius_m * math.acos(1.0 - clear_m / radius_m)
        ways_m = np.arange(0.88, 1.12, 0.01) * expected_m
        seen_m = sight_m(road_map, sensors, edge, offset_m, stretch * ways_m) / stretch
        ratio.append(seen_m / expected_m)
    assert abs(np.median(ratio) - 1.0) < 0.05
    assert np.abs(np.array(ratio) - 1.0).max() < 0.06


def test_a_map_laid_flat_hides_nobody_in_the_curve(road_map) -> None:
    edge = inner_lane(road_map, "Blind Curve R60")
    sensors = Sensors(PARAMS, road_map, WeatherParams(), 1, solid=False)
    with pytest.raises(AssertionError, match="hides nobody"):
        sight_m(road_map, sensors, edge, 10.0, np.arange(40.0, 80.0, 10.0))
