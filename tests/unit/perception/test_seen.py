"""What sensors see, as knowledge: on the right place of the road, seams of a ring included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.simulation_parts import fleet_state
from tests.unit.perception.looking import SURE, params
from v2x.perception.own_state import OwnStates
from v2x.perception.seen import SensorView
from v2x.perception.sensors import Sensors
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

RING = highway(length_m=2000.0, wrap=True)
#: Errors in the distance of 1 m, so that some measurements fall beyond the seam.
ROUGH = replace(SURE, range_sigma_m=1.0)


def test_who_is_seen_across_the_seam_keeps_its_place_on_the_road() -> None:
    """The leader is 0.1 m behind the seam, and before it by half of the measurements."""
    view = SensorView(
        Sensors(params(ROUGH), RING, WeatherParams(), 1, solid=True), RING.wrap_length_m
    )
    own = OwnStates(RING, by_height=False)
    offset_m, x_m = [], []
    for time_us in range(0, 4_000_000, 100_000):
        fleet = fleet_state(
            time_us, [1970.0, 0.1], y_m=-6.0, edge=[1, 0], offset_m=[972.5, 2.6], lane=1
        )
        known = view.known(fleet, own.of(fleet, None))
        seen = known.take(np.flatnonzero(known.remote == 1))
        offset_m.extend(seen.states.offset_m.tolist())
        x_m.extend(seen.states.x_m.tolist())
    assert min(x_m) < 100.0 < max(x_m), "both sides of the seam are measured"
    np.testing.assert_allclose(offset_m, 2.6, atol=6.0)
