"""What vehicles know of their own routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from v2x.mobility.intentions import Intentions, intentions_of
from v2x.mobility.routed import RoutedTraffic

MapOf = Callable[..., Any]
ModelOn = Callable[..., RoutedTraffic]


def test_who_is_in_a_lane_that_ends_knows_side_and_way(map_of: MapOf, model_on: ModelOn) -> None:
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (1000.0, 0.0)], {"lanes": 2}),
            (1, 2, [(1000.0, 0.0), (2000.0, 0.0)], {"lanes": 1}),
        ]
    )
    model = model_on(road, n_vehicles=2, demand="through")
    model.advance(0)
    movement = model.network.movement(0, 1)
    leads = int(model.network.lane_low[movement])
    vehicles = model.vehicles
    vehicles.stop[:], vehicles.offset_m[:], vehicles.lane[:] = 0, [700.0, 600.0], [0, 1]
    known = intentions_of(model, 4)
    assert known.movement.tolist() == [movement, movement, -1, -1]
    wrong = 1 - leads
    assert known.side[leads] == 0
    assert known.side[wrong] == (1 if wrong < leads else -1)
    assert np.isinf(known.left_m[leads])
    way = float(known.left_m[wrong])
    assert way >= 1000.0 - float(vehicles.offset_m[wrong])
    assert known.sides_within(way + 1.0)[wrong] != 0
    assert known.sides_within(way - 1.0)[wrong] == 0


def test_nothing_is_known_of_models_without_routes() -> None:
    known = intentions_of(None, 3)
    assert isinstance(known, Intentions)
    assert (known.movement == -1).all()
    assert (known.side == 0).all()
    assert np.isinf(known.left_m).all()
