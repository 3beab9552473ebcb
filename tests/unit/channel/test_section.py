"""The section under one link: what it crosses, its edges, its budget."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.channel.base import LinkState
from v2x.channel.obstacle_map import obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import link_obstacles
from v2x.channel.pathloss_formulas import tr37885_nlos_db
from v2x.channel.profile import LinkProfile
from v2x.channel.section import link_profile
from v2x.world.road_map import Structure
from v2x.world.weather import WeatherParams

from .hills import Road, antennas, house, map_of, terrain_of

BRIDGE, TUNNEL = Structure.BRIDGE, Structure.TUNNEL
PLAIN = Road(points=[(-500, -500, 0), (-490, -500, 0)])


def section(road_map, a, b, weather=None, **params) -> LinkProfile:
    obstacles = obstacle_map_of(road_map)
    found = link_profile(
        obstacles,
        ObstacleParams(**params),
        a,
        b,
        feet_m=(0.0, 0.0),
        carrier_ghz=5.9,
        weather=weather,
    )
    losses = link_obstacles(
        obstacles, ObstacleParams(**params), a, b, carrier_ghz=5.9, weather=weather
    )
    # Whatever is shown, the parts beyond the base law are those of the reference.
    if found.state not in (LinkState.BLOCKED, LinkState.NLOS):
        base = "tunnel law" if found.state == LinkState.TUNNEL else "free space"
        beyond = found.total_db - found.loss_db[base]
        assert beyond == pytest.approx(losses.extra_db[0], abs=1e-9)
    return found


@pytest.mark.parametrize("method", ["bullington", "deygout"])
def test_a_ridge_with_its_edges(method: str) -> None:
    terrain = terrain_of(lambda x, y: np.maximum(0.0, 30.0 - np.abs(x)))
    found = section(
        map_of(PLAIN, terrain=terrain),
        antennas((-100, 0, 1.6)),
        antennas((100, 0, 1.6)),
        terrain_method=method,
    )
    assert found.state == LinkState.TERRAIN
    assert found.loss_db["free space"] == pytest.approx(93.88, abs=0.01)
    assert found.length_m == 200.0
    assert found.ground_m.max() == pytest.approx(30.0)
    assert len(found.distance_m) == 21
    assert found.edges.method == method
    assert np.all(np.diff(found.edges.distance_m) > 0)
    top = int(np.argmax(found.edges.loss_db))
    assert found.edges.distance_m[top] == pytest.approx(100.0)
    assert found.edges.height_m[top] >= 30.0
    assert found.edges.loss_db[top] == pytest.approx(41.0, abs=1.0)


def test_decks_over_and_under_the_ray() -> None:
    decks = [
        Road(points=[(x, -60, z), (x, 60, z)], structure=BRIDGE, lanes=2)
        for x, z in ((30, 25.0), (-30, 3.0), (0, 10.0))
    ]
    found = section(map_of(*decks), antennas((-50, 0, 1.6)), antennas((50, 0, 19.6)))
    assert found.state == LinkState.DECK
    assert found.decks.from_m == pytest.approx([16.5, 46.5, 76.5])
    assert found.decks.to_m == pytest.approx([23.5, 53.5, 83.5])
    assert found.decks.top_m == pytest.approx([3.0, 10.0, 25.0])
    assert found.decks.bottom_m == pytest.approx([2.75, 9.75, 24.75])
    # At 20, 50 and 80 m the ray is at 5.2, 10.6 and 16 m: nothing but level 10 m is near, and
    # the ray passes 10 m at 46.7 m, over the deck.
    assert found.decks.cuts.tolist() == [False, True, False]
    assert found.loss_db["decks"] > 5.0


def test_a_building_in_the_way_has_the_law_of_tr_37885() -> None:
    found = section(
        map_of(PLAIN, buildings=house(10, 0, 20, 15)), antennas((-50, 3, 2)), antennas((50, 3, 2))
    )
    assert found.state == LinkState.NLOS
    assert found.total_db == pytest.approx(float(tr37885_nlos_db(np.array([100.0]), 5.9)[0]))
    assert (found.buildings.from_m[0], found.buildings.to_m[0]) == pytest.approx((50.0, 70.0))
    assert found.buildings.top_m.tolist() == [15.0]
    assert found.buildings.cuts.tolist() == [True]


def test_weather_and_tunnels_have_their_names() -> None:
    rain = WeatherParams(rain_mm_h=100.0)
    outside = section(map_of(PLAIN), antennas((0, 0, 2)), antennas((500, 0, 2)), rain)
    assert outside.state == LinkState.LOS
    assert outside.loss_db["rain"] == pytest.approx(0.318, abs=1e-3)
    tube = map_of(
        Road(points=[(-200, 0, 0), (0, 0, 0)]),
        Road(points=[(0, 0, 0), (400, 0, 0)], structure=TUNNEL),
        Road(points=[(400, 0, 0), (500, 0, 0)]),
    )
    within = section(tube, antennas((50, 0, 2), tube=0), antennas((150, 0, 2), tube=0), rain)
    assert within.state == LinkState.TUNNEL
    assert within.loss_db["tunnel law"] == pytest.approx(83.86, abs=0.01)
    assert "rain" not in within.loss_db
    through = section(tube, antennas((50, 0, 2), tube=0), antennas((-50, 0, 2)))
    assert through.loss_db["portal"] == 3.0
    behind = section(tube, antennas((50, 0, 2), tube=0), antennas((50, 0, 40)))
    assert behind.state == LinkState.BLOCKED
    assert behind.total_db == math.inf


def test_straight_above() -> None:
    deck = Road(points=[(-30, 0, 10), (30, 0, 10)], structure=BRIDGE, lanes=2)
    found = section(map_of(deck), antennas((1, 0, 1.6)), antennas((1, 0, 11.6)))
    assert found.state == LinkState.DECK
    assert found.length_m > 0.0
    assert found.decks.cuts.tolist() == [True]
