"""Perfect sensors on small fleets: what they see is what the geometry shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from v2x.perception.sensor_params import OnboardParams, SensorParams
from v2x.perception.sensors import Sensors
from v2x.world.road_map import RoadMap
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

from ...simulation_parts import fleet_state

#: A front sensor at the middle of the bumper that misses nothing.
SURE = SensorParams(detection=1.0)
OPEN = highway(length_m=2000.0)


def params(sensor: SensorParams = SURE, **changes: Any) -> OnboardParams:
    """Return one perfect sensor per vehicle, whose first hit counts."""
    values: dict[str, Any] = {
        "kinds": ("front_radar",),
        "front_radar": sensor,
        "confirm_hits": 1,
        "confirm_of": 1,
        "lose_after": 1,
    }
    return OnboardParams(**(values | changes))


def look(
    x_m: Any,
    *,
    sensor: SensorParams = SURE,
    road_map: RoadMap = OPEN,
    weather: WeatherParams | None = None,
    seed: int = 1,
    solid: bool = True,
    onboard: dict[str, Any] | None = None,
    **columns: Any,
) -> set[tuple[int, int]]:
    """Return who sees whom at one instant, as pairs of rows."""
    sensors = Sensors(
        params(sensor, **(onboard or {})),
        road_map,
        weather or WeatherParams(),
        seed,
        solid=solid,
    )
    found = sensors.see(fleet_state(0, x_m, **columns))
    return set(zip(found.host.tolist(), found.object.tolist(), strict=True))


def sees(*args: Any, **options: Any) -> bool:
    """Return whether row 0 sees row 1."""
    return (0, 1) in look(*args, **options)


def with_view(**changes: Any) -> SensorParams:
    """Return the sure sensor with other properties."""
    return replace(SURE, **changes)


def around(distance_m: float, bearing_deg: float, from_x_m: float = 0.0) -> tuple[float, float]:
    """Return a place seen from (from_x_m, 0) [m]."""
    angle = np.radians(bearing_deg)
    return from_x_m + distance_m * float(np.cos(angle)), distance_m * float(np.sin(angle))
