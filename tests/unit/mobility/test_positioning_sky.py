"""What hides the sky, found from the geometry of small maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.mobility.fleet import NodeKind
from v2x.mobility.sky_view import SkyView, mean_horizon_deg, under_deck
from v2x.records.tables import Sky
from v2x.world import synthetic
from v2x.world.buildings import Buildings
from v2x.world.geometry import flatten
from v2x.world.road_map import RoadMap, Structure
from v2x.world.terrain import Terrain

from ...simulation_parts import fleet_state

MakeMap = Callable[..., RoadMap]
BRIDGE = {"structure": Structure.BRIDGE, "lanes": 2, "level": 1}


def crossing(map_of: MakeMap, *, height_m: float = 8.0, **deck: Any) -> RoadMap:
    """A road along x at z = 0 that ends in a tunnel, and a bridge 7 m wide along y at x = 100."""
    line = [(100.0, -200.0, height_m), (100.0, 200.0, height_m)]
    return map_of(
        [
            (0, 1, [(0.0, 0.0), (300.0, 0.0)], {}),
            (1, 2, [(300.0, 0.0), (500.0, 0.0)], {"structure": Structure.TUNNEL}),
            (3, 4, line, BRIDGE | deck),
        ]
    )


def along(view: SkyView, edge: int, offset_m: list[float]) -> list[int]:
    return view.at(np.full(len(offset_m), edge, dtype=np.int32), np.array(offset_m)).tolist()


def test_a_deck_hides_the_sky_where_it_passes(map_of: MakeMap) -> None:
    view = SkyView(crossing(map_of), 20.0)
    # Samples lie 2.5, 7.5, ... m along the road; the deck covers 96.5 to 103.5 m.
    assert along(view, 0, [94.0, 98.0, 102.0, 106.0]) == [Sky.OPEN, Sky.DECK, Sky.DECK, Sky.OPEN]
    assert set(along(view, 2, [0.0, 200.0, 399.0])) == {Sky.OPEN}
    assert set(along(view, 1, [1.0, 199.0])) == {Sky.TUNNEL}


def test_what_is_not_above_hides_nothing(map_of: MakeMap) -> None:
    assert along(SkyView(crossing(map_of, height_m=2.9), 20.0), 0, [100.0]) == [Sky.OPEN]
    assert along(SkyView(crossing(map_of, height_m=-8.0), 20.0), 0, [100.0]) == [Sky.OPEN]
    assert along(SkyView(crossing(map_of, structure=Structure.GROUND), 20.0), 0, [100.0]) == [0]
    assert along(SkyView(flatten(crossing(map_of)), 20.0), 0, [100.0]) == [Sky.OPEN]


def test_a_deck_is_as_wide_as_its_lanes_and_slopes(map_of: MakeMap) -> None:
    """Both directions share a polyline: 2 + 1 lanes of 3.5 m, 5.25 m to each side."""
    line = [(0.0, -200.0, 0.0), (0.0, 200.0, 20.0)]
    road_map = map_of(
        [
            (0, 1, line, BRIDGE),
            (1, 0, line[::-1], BRIDGE | {"lanes": 1}),
            (2, 3, [(-50.0, 50.0), (50.0, 50.0)], {}),
        ]
    )
    x = np.array([-5.3, -5.2, 5.2, 5.3, 0.0, 0.0, 0.0])
    y = np.array([50.0, 50.0, 50.0, 50.0, -141.0, -139.0, 201.0])
    # The deck is 12.5 m high at y = 50, and 3 m at y = -140.
    found = under_deck(road_map, x, y, np.zeros(7))
    assert found.tolist() == [False, True, True, False, False, True, False]


def test_a_fleet_looks_up_its_sky(map_of: MakeMap) -> None:
    view = SkyView(crossing(map_of), 20.0)
    edge = [0, 0, 1, 2, -1, -1, -1, 0, 0, 0]
    offset_m = [50.0, 100.0, 50.0, 200.0, 0.0, 0.0, 0.0, 100.0, 100.0, 302.0]
    x = [50.0, 100.0, 350.0, 100.0, 98.0, 98.0, 98.0, 100.0, 100.0, 302.0]
    y = [0.0, 0.0, 0.0, 0.0, 6.0, 40.0, 6.0, 0.0, 0.0, 0.0]
    z = [0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0]
    kind = np.zeros(10)
    kind[7] = NodeKind.RSU
    identity = np.arange(10)
    identity[8] = -1
    tunnel = np.where(np.array(edge) == 1, 1, -1)
    fleet = fleet_state(
        0, x, y_m=y, z_m=z, edge=edge, offset_m=offset_m, kind=kind, id=identity, tunnel=tunnel
    )
    # Row 4 walks beside the road under the deck, row 5 in the fields, row 6 on the deck.
    # Row 9 is a little beyond the end of its edge, as the front of a vehicle may be.
    expected = [Sky.OPEN, Sky.DECK, Sky.TUNNEL, Sky.OPEN, Sky.DECK, Sky.OPEN, Sky.OPEN, -1, -1, 0]
    assert view.of(fleet).tolist() == expected


def walls(height_m: float, distance_m: float, half_length_m: float) -> Buildings:
    """Two buildings 10 m deep along x, on both sides of the axis."""
    x = np.array([-1.0, 1.0, 1.0, -1.0]) * half_length_m
    near, far = distance_m, distance_m + 10.0
    y = np.array([near, near, far, far])
    return Buildings(
        first_corner=np.array([0, 4, 8], dtype=np.int32),
        corner_x_m=np.concatenate([x, x]),
        corner_y_m=np.concatenate([y, -y]),
        base_m=np.zeros(2),
        top_m=np.full(2, height_m),
    )


def test_horizon_of_a_street_canyon() -> None:
    """At the angle a from a street the wall, 200 m long each way, rises atan(h sin a / d).

    Along the street the horizon is free. The facade points stand 5 m apart and each fills its
    sixteenth of the circle, so a sector has the slope of its nearest point: at 67.5 degrees that
    may be the one 56.25 degrees aside, towards the middle of the wall.
    """
    height_m, distance_m = 21.5, 15.0
    found = mean_horizon_deg(None, walls(height_m, distance_m, 200.0), np.zeros((1, 3)))
    aside = 2.0 * math.pi * np.arange(16) / 16
    rise = (height_m - 1.5) / distance_m
    low = np.degrees(np.arctan(rise * np.abs(np.sin(aside)))).mean()
    nearest = np.abs(np.sin(aside))
    inner = np.minimum(np.abs(aside % math.pi - math.pi / 2), math.pi / 2)
    nearest = np.where(inner < 1.5, np.cos(np.maximum(inner - math.pi / 16, 0.0)), nearest)
    high = np.degrees(np.arctan(rise * nearest)).mean()
    assert low < found[0] <= high + 1.0


def test_outlines_close_on_themselves() -> None:
    """Towers 4 m wide, 15 m north and 100 m east, and nothing between them: two of 16 sectors."""
    square_x, square_y = np.array([-2.0, 2.0, 2.0, -2.0]), np.array([0.0, 0.0, 4.0, 4.0])
    towers = Buildings(
        first_corner=np.array([0, 4, 8], dtype=np.int32),
        corner_x_m=np.concatenate([square_x, square_x + 102.0]),
        corner_y_m=np.concatenate([square_y + 15.0, square_y - 2.0]),
        base_m=np.zeros(2),
        top_m=np.array([31.5, 51.5]),
    )
    north, east = math.degrees(math.atan(30.0 / 15.0)), math.degrees(math.atan(50.0 / 100.0))
    found = mean_horizon_deg(None, towers, np.zeros((1, 3)))
    assert found == pytest.approx([(north + east) / 16], rel=0.01)


def test_horizon_of_a_valley() -> None:
    """Slopes that rise by s per metre across the valley rise by s |sin a| at the angle a."""
    y = np.arange(-1000.0, 1001.0, 20.0)
    height = np.repeat((0.5 * np.abs(y))[:, None], len(y), axis=1).astype(np.float32)
    valley = Terrain(
        west_m=-1000.0, south_m=-1000.0, step_m=20.0, height_m=height, water=height < -1.0
    )
    place = np.array([[0.0, 0.0, -1.5]])
    aside = 2.0 * math.pi * np.arange(16) / 16
    expected = np.degrees(np.arctan(0.5 * np.abs(np.sin(aside)))).mean()
    assert mean_horizon_deg(valley, None, place) == pytest.approx([expected], abs=0.5)
    above = np.array([[0.0, 0.0, 600.0]])
    assert mean_horizon_deg(valley, None, above).tolist() == [0.0]


def test_buildings_make_a_canyon_as_far_as_they_reach(map_of: MakeMap) -> None:
    edges = [(0, 1, [(-400.0, 0.0), (400.0, 0.0)], {})]
    road_map = map_of(edges, buildings=walls(30.0, 15.0, 100.0))
    view = SkyView(road_map, 20.0)
    assert along(view, 0, [20.0, 400.0, 780.0]) == [Sky.OPEN, Sky.CANYON, Sky.OPEN]
    low = map_of(edges, buildings=walls(6.0, 15.0, 100.0))
    assert along(SkyView(low, 20.0), 0, [400.0]) == [Sky.OPEN]
    assert along(SkyView(low, 5.0), 0, [400.0]) == [Sky.CANYON]


def test_a_deck_counts_before_a_canyon_and_a_tunnel_before_both(map_of: MakeMap) -> None:
    tall = walls(60.0, 10.0, 600.0)
    view = SkyView(replace(crossing(map_of), buildings=tall), 20.0)
    assert along(view, 0, [50.0, 98.0]) == [Sky.CANYON, Sky.DECK]
    assert along(view, 1, [50.0]) == [Sky.TUNNEL]


def test_street_canyons_without_outlines_are_canyons() -> None:
    road_map = synthetic.manhattan()
    view = SkyView(road_map, 20.0)
    edge = np.arange(road_map.n_edges, dtype=np.int32)
    assert set(view.at(edge, 0.5 * road_map.edge_length_m).tolist()) == {Sky.CANYON}
    highway = synthetic.highway()
    edge = np.arange(highway.n_edges, dtype=np.int32)
    assert set(SkyView(highway, 20.0).at(edge, np.ones(len(edge))).tolist()) == {Sky.OPEN}
