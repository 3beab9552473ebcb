"""What stands between two antennas, case by case, on maps made for the case."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from v2x.channel.attenuation import fog_db_per_km, rain_db_per_km
from v2x.channel.base import LinkState
from v2x.channel.obstacle_map import ObstacleMap, obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import NOTHING, PARTS, LinkLosses, link_obstacles
from v2x.channel.water import two_ray_db, water_permittivity
from v2x.world.road_map import Structure
from v2x.world.weather import WeatherParams

from .hills import Road, antennas, house, map_of, terrain_of

BRIDGE, TUNNEL = Structure.BRIDGE, Structure.TUNNEL
PLAIN = Road(points=[(-500, -500, 0), (-490, -500, 0)])


def judge(obstacles, a, b, weather=None, **params) -> LinkLosses:
    return link_obstacles(
        obstacles, ObstacleParams(**params), a, b, carrier_ghz=5.9, weather=weather
    )


def state(losses: LinkLosses, link: int = 0) -> int:
    return int(losses.state[link])


# --- under the sky -------------------------------------------------------------------------


def test_open_level_ground_is_exactly_as_if_there_were_no_map() -> None:
    terrain = terrain_of(lambda x, y: np.full(x.shape, 187.3))
    obstacles = obstacle_map_of(map_of(PLAIN, terrain=terrain))
    z = float(terrain.height_m[0, 0]) + 1.6
    rng = np.random.default_rng(1)
    a, b = (antennas(*[(x, y, z) for x, y in rng.uniform(-590, 590, (300, 2))]) for _ in range(2))
    for method in ("bullington", "deygout"):
        losses = judge(obstacles, a, b, terrain_method=method)
        assert np.array_equal(losses.extra_db, np.zeros(300))
        assert np.all(losses.state == NOTHING)


def test_a_ridge_hides_and_its_loss_is_added() -> None:
    terrain = terrain_of(lambda x, y: np.maximum(0.0, 30.0 - np.abs(x)))
    obstacles = obstacle_map_of(map_of(PLAIN, terrain=terrain))
    a, b = antennas((-100, 0, 1.6), (-100, 0, 1.6)), antennas((100, 0, 1.6), (-100, 300, 1.6))
    losses = judge(obstacles, a, b)
    assert state(losses) == LinkState.TERRAIN
    # P.526: 41 dB for the edge alone, and up to 10 of the terrain term of Bullington.
    assert 45.0 < losses.terrain_db[0] < 55.0
    assert state(losses, 1) == NOTHING
    assert losses.extra_db[1] == 0.0
    off = judge(obstacles, a, b, terrain_method="none")
    assert state(off) == NOTHING
    assert off.extra_db[0] == 0.0


def test_ground_just_below_the_ray_costs_without_hiding() -> None:
    terrain = terrain_of(lambda x, y: np.where(np.abs(x) < 15.0, 1.4, 0.0))
    obstacles = obstacle_map_of(map_of(PLAIN, terrain=terrain))
    losses = judge(obstacles, antennas((-100, 0, 1.6)), antennas((100, 0, 1.6)))
    assert state(losses) == NOTHING
    assert not losses.terrain_cuts[0]
    assert 6.0 < losses.terrain_db[0] < 15.0


def test_a_building_hides_only_what_passes_below_its_roof() -> None:
    obstacles = obstacle_map_of(map_of(PLAIN, buildings=house(0, 0, 20, 15)))
    a = antennas((-50, 3, 2), (-50, 3, 16), (-50, 30, 2), (-50, 0, 28))
    b = antennas((50, 3, 2), (50, 3, 16), (50, 30, 2), (50, 0, 2))
    losses = judge(obstacles, a, b)
    # The last ray is at 17.6 m over the near wall and at 12.4 m over the far one.
    assert losses.state.tolist() == [LinkState.NLOS, NOTHING, NOTHING, LinkState.NLOS]
    assert losses.building_cuts.tolist() == [True, False, False, True]
    assert np.array_equal(losses.extra_db, np.zeros(4))
    assert np.all(judge(obstacles, a, b, buildings=False).state == NOTHING)


def five_levels() -> ObstacleMap:
    """Five straight decks over each other in turned directions, 8 m apart, level 1 at 0 m."""
    roads = []
    for k in range(5):
        angle = 0.5 * k
        dx, dy = 200.0 * math.cos(angle), 200.0 * math.sin(angle)
        points = [
            (s * dx, s * dy, 8.0 * k) for s in np.round(np.linspace(-1.0, 1.0, 16), 4).tolist()
        ]
        structure = BRIDGE if k else Structure.GROUND
        roads.append(Road(points=points, structure=structure, lanes=3, level=k))
    terrain = terrain_of(lambda x, y: np.zeros(x.shape))
    return obstacle_map_of(map_of(*roads, terrain=terrain))


def test_straight_above_is_far_worse_than_as_far_on_the_own_deck() -> None:
    obstacles = five_levels()
    top, own = (0.0, 0.0, 33.6), (0.0, 0.0, 1.6)
    dx, dy = 32.0 * math.cos(2.0), 32.0 * math.sin(2.0)
    a = antennas(own, top, own)
    b = antennas(top, (dx, dy, 33.6), (32.0, 0.0, 1.6))
    losses = judge(obstacles, a, b)
    assert losses.state.tolist() == [LinkState.DECK, NOTHING, NOTHING]
    assert losses.n_decks.tolist() == [4, 0, 0]
    # Four decks of more than 26 dB each: the cap.
    assert losses.extra_db.tolist() == [35.0, 0.0, 0.0]
    uncapped = judge(obstacles, a, b, deck_cap_db=100.0)
    assert uncapped.extra_db[0] == 100.0
    assert judge(obstacles, a, b, decks=False).extra_db[0] == 0.0


def test_losses_of_several_decks_add() -> None:
    obstacles = five_levels()
    heights = [1.6, 9.6, 17.6]
    a = antennas(*[(0.0, 0.0, heights[0])] * 2, (0.0, 0.0, heights[1]))
    b = antennas((0.0, 0.0, heights[1]), (0.0, 0.0, heights[2]), (0.0, 0.0, heights[2]))
    one, two, upper = judge(obstacles, a, b, deck_cap_db=100.0).deck_db
    assert one > 25.0
    assert upper > 25.0
    assert two > 1.8 * min(one, upper)


def test_buildings_outrank_decks_and_decks_the_ground() -> None:
    """Only the law of NLOS holds what buildings cost; the other losses add to it."""
    deck = Road(points=[(-30, 40, 4), (30, 40, 4)], structure=BRIDGE, lanes=2)
    terrain = terrain_of(lambda x, y: np.maximum(0.0, 20.0 - np.abs(y)))
    whole = map_of(deck, terrain=terrain, buildings=house(0, 0, 20, 60))
    across = antennas((0, 55, 1.6)), antennas((0, -60, 20))
    all_three = judge(obstacle_map_of(whole), *across)
    assert state(all_three) == LinkState.NLOS
    assert all_three.terrain_db[0] > 6.0
    assert all_three.deck_db[0] > 6.0
    open_sided = obstacle_map_of(replace(whole, buildings=None))
    assert state(judge(open_sided, *across)) == LinkState.DECK
    assert state(judge(open_sided, *across, decks=False)) == LinkState.TERRAIN
    level = replace(whole, terrain=None)
    assert state(judge(obstacle_map_of(level), *across, decks=False)) == LinkState.NLOS


# --- water, weather, antennas --------------------------------------------------------------


def river(*roads: Road) -> ObstacleMap:
    """A river 200 m wide at 100 m above sea level, banks 40 m higher 60 m inland."""
    terrain = terrain_of(
        lambda x, y: 100.0 + np.clip((np.abs(x) - 100.0) / 60.0, 0.0, 1.0) * 40.0,
        water=lambda x, y: np.abs(x) <= 100.0,
    )
    return obstacle_map_of(map_of(*(roads or (PLAIN,)), terrain=terrain))


def test_water_reflects_between_the_banks() -> None:
    a, b = antennas((-100, 0, 106)), antennas((90, 30, 101.6))
    losses = judge(river(), a, b)
    assert state(losses) == NOTHING
    expected = two_ray_db(
        math.hypot(190, 30), 6.0, 1.6, water_permittivity(5.9, 18.0, 0.03), 0.05, 5.9
    )
    assert losses.water_db[0] == pytest.approx(float(expected), abs=1e-9)
    assert abs(losses.water_db[0]) > 0.3
    assert judge(river(), a, b, water=False).extra_db[0] == 0.0


def test_the_point_of_reflection_must_be_wet() -> None:
    # The lower end stands far inland: the reflection falls on the bank near it.
    a, b = antennas((-100, 0, 400)), antennas((200, 0, 141.6))
    assert judge(river(), a, b).water_db[0] == 0.0


def test_a_deck_hides_the_river_from_those_on_it() -> None:
    span = [(x, 0.0, 110.0) for x in np.linspace(-200.0, 200.0, 17).tolist()]
    bridged = river(Road(points=span, structure=BRIDGE, lanes=2))
    on_deck = antennas((-60, 1, 111.6)), antennas((60, -1, 111.6))
    assert judge(bridged, *on_deck).extra_db[0] == 0.0
    assert abs(judge(bridged, *on_deck, decks=False).water_db[0]) > 0.01


def test_weather_costs_by_the_kilometre_outside() -> None:
    obstacles = obstacle_map_of(map_of(PLAIN))
    weather = WeatherParams(rain_mm_h=100.0, visibility_m=50.0)
    losses = judge(obstacles, antennas((0, 0, 2)), antennas((300, 400, 2)), weather)
    assert losses.rain_db == pytest.approx([0.5 * float(rain_db_per_km(100.0, 5.9))])
    assert losses.fog_db == pytest.approx([0.5 * float(fog_db_per_km(50.0, 5.9, 10.0))])
    assert losses.extra_db[0] == pytest.approx(0.32, abs=0.02)
    assert state(losses) == NOTHING


def test_roadside_pattern_counts_at_its_own_end() -> None:
    obstacles = obstacle_map_of(map_of(PLAIN))
    vehicle, below = antennas((30, 0, 1.6)), math.atan2(6.0 - 1.6, 30.0)
    mast = antennas((0, 0, 6.0), roadside=True)
    lost = 12.0 * (math.degrees(below) / 65.0) ** 2
    assert judge(obstacles, mast, vehicle).pattern_db == pytest.approx([lost])
    assert judge(obstacles, vehicle, mast).pattern_db == pytest.approx([lost])
    assert judge(obstacles, mast, mast).extra_db == pytest.approx([0.0])
    tilted = judge(obstacles, mast, vehicle, rsu_downtilt_deg=math.degrees(below))
    assert tilted.extra_db == pytest.approx([0.0], abs=1e-12)


# --- tunnels -------------------------------------------------------------------------------


def mountain() -> ObstacleMap:
    """Two parallel tubes eastward under a ridge 80 m high, mouths at x = -300 and 300.

    The southern one (tube 0) has two lanes, its road runs on straight west of the mouth; the
    road over the ridge crosses above.
    """
    terrain = terrain_of(lambda x, y: 80.0 * np.clip(1.0 - np.abs(x) / 310.0, 0.0, 1.0))
    tubes = [
        road
        for y in (0.0, 30.0)
        for road in (
            Road(points=[(-500, y, 0), (-300, y, 0)]),
            Road(points=[(-300, y, 0), (0, y, 1), (300, y, 0)], structure=TUNNEL),
            Road(points=[(300, y, 0), (500, y, 0)]),
        )
    ]
    return obstacle_map_of(map_of(*tubes, terrain=terrain))


def inside(*positions: tuple[float, float, float], tube: int = 0):
    return antennas(*positions, tube=tube)


def test_fifty_metres_inside_and_on_the_ridge_above() -> None:
    losses = judge(mountain(), inside((-250, 0, 1.6)), antennas((-250, 0, 16.0)))
    assert state(losses) == LinkState.BLOCKED
    assert losses.extra_db[0] == math.inf
    further = judge(mountain(), inside((-250, 0, 1.6)), antennas((0, 0, 82.0)))
    assert state(further) == LinkState.BLOCKED


def test_tubes_do_not_hear_each_other() -> None:
    losses = judge(mountain(), inside((0, 0, 2.0)), inside((0, 30, 2.0), tube=1))
    assert state(losses) == LinkState.BLOCKED
    assert losses.extra_db[0] == math.inf


def test_within_a_straight_tube_only_its_law_counts() -> None:
    wet = WeatherParams(rain_mm_h=100.0)
    losses = judge(mountain(), inside((-250, 0, 1.6)), inside((250, 0, 1.6)), wet)
    assert state(losses) == LinkState.TUNNEL
    assert losses.extra_db[0] == 0.0


def test_a_bend_costs_what_lies_out_of_sight() -> None:
    a = antennas((0, 0, 2), tube=0, axis_rad=0.1, width_m=9.0)
    b = antennas((300, 0, 2), tube=0, axis_rad=0.1 + math.pi - 0.6, width_m=10.0)
    losses = judge(mountain(), a, b)
    hidden_m = 300.0 - 2.0 * math.sqrt(2.0 * (300.0 / 0.6) * 9.0)
    assert losses.bend_db == pytest.approx([0.06 * hidden_m])
    assert losses.extra_db == pytest.approx(losses.bend_db)
    assert judge(mountain(), b, a).bend_db == pytest.approx(losses.bend_db, abs=1e-9)


def test_straight_out_of_the_mouth() -> None:
    losses = judge(mountain(), inside((-250, 0, 1.6)), antennas((-400, 0, 1.6)))
    assert state(losses) == LinkState.TUNNEL
    assert losses.portal_db[0] == 3.0
    assert losses.portal[0] >= 0
    assert losses.terrain_db[0] == 0.0
    # Over the middle of the mouth, 2 m above the road, the way is hardly longer.
    bent = math.hypot(50, 0.4) + math.hypot(100, 0.4)
    assert losses.detour_db == pytest.approx([18.0 * math.log10(bent / 150.0)])
    assert losses.extra_db[0] == pytest.approx(3.0, abs=0.01)


def test_beside_the_mouth_the_angle_counts() -> None:
    # 30 degrees off the axis, 100 m from the mouth; the ray from 50 m inside misses the mouth.
    outer = (-300 - 100 * math.cos(math.pi / 6), -100 * math.sin(math.pi / 6), 2.0)
    losses = judge(mountain(), inside((-250, 0, 2.0)), antennas(outer))
    assert losses.portal_db[0] == pytest.approx(10.0 + 20.0 * 30.0 / 90.0)
    straight = math.dist(outer, (-250, 0, 2.0))
    assert losses.detour_db[0] == pytest.approx(18.0 * math.log10(150.0 / straight))
    near_axis = judge(mountain(), inside((-250, 0, 2.0)), antennas((-350, -3.0, 2.0)))
    assert near_axis.portal_db[0] == 3.0
    beyond = judge(mountain(), inside((-250, 0, 2.0)), antennas((-350, -8.0, 2.0)))
    assert beyond.portal_db[0] > 10.0


def test_the_better_mouth_is_taken() -> None:
    west = judge(mountain(), inside((-100, 0, 2)), antennas((-400, 0, 2)))
    east = judge(mountain(), inside((100, 0, 2)), antennas((400, 0, 2)))
    assert west.portal[0] != east.portal[0]
    assert west.extra_db == pytest.approx(east.extra_db, abs=1e-9)
    mouths = mountain()
    assert mouths.portal_x_m[west.portal[0]] == -300.0
    assert np.all(mouths.portal_tube[[west.portal[0], east.portal[0]]] == 0)


def test_ground_before_the_mouth_adds_up() -> None:
    hill = terrain_of(lambda x, y: np.maximum(0.0, 15.0 - np.abs(x + 400.0)))
    obstacles = obstacle_map_of(
        map_of(
            Road(points=[(-500, 0, 0), (-300, 0, 0)]),
            Road(points=[(-300, 0, 0), (300, 0, 0)], structure=TUNNEL),
            terrain=hill,
        )
    )
    losses = judge(obstacles, inside((-250, 0, 1.6)), antennas((-500, 0, 1.6)))
    assert state(losses) == LinkState.TUNNEL
    assert losses.terrain_db[0] > 30.0
    assert losses.extra_db[0] > losses.terrain_db[0] + 3.0


def test_tunnels_may_be_switched_off() -> None:
    losses = judge(mountain(), inside((0, 0, 2)), inside((0, 30, 2), tube=1), tunnels=False)
    assert state(losses) != LinkState.BLOCKED
    assert np.isfinite(losses.extra_db[0])


# --- all together --------------------------------------------------------------------------


def crowded() -> ObstacleMap:
    """Hills, a river, two bridges one over the other, a tunnel and a tower."""
    terrain = terrain_of(
        lambda x, y: np.where(
            np.abs(x + 200) < 80, -5.0, 12.0 * np.sin(x / 90.0) * np.cos(y / 70.0)
        ),
        water=lambda x, y: np.abs(x + 200) < 80,
    )
    low = [(x, 0.5 * x, 14.0) for x in np.linspace(-400.0, 100.0, 21).tolist()]
    high = [(x, 80.0 - 0.3 * x, 24.0 + 0.02 * x) for x in np.linspace(-400.0, 100.0, 21).tolist()]
    return obstacle_map_of(
        map_of(
            Road(points=low, structure=BRIDGE, two_way=True),
            Road(points=high, structure=BRIDGE, lanes=3, level=2),
            Road(points=[(100, 50, 14), (300, 60, 15)], structure=TUNNEL),
            Road(points=[(300, 60, 15), (400, 60, 15)]),
            terrain=terrain,
            buildings=house(150, -100, 40, 60),
        )
    )


def everywhere(seed: int, n: int):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-450, 450, (2, n))
    z = 12.0 * np.sin(x / 90.0) * np.cos(y / 70.0) + rng.uniform(0.5, 40.0, n)
    tube = np.where(rng.random(n) < 0.15, 0, -1)
    x[tube == 0] = rng.uniform(100, 300, int((tube == 0).sum()))
    y[tube == 0], z[tube == 0] = 50.0 + 0.05 * (x[tube == 0] - 100.0), 16.0
    ends = antennas(*zip(x, y, z, strict=True), tube=tube, axis_rad=rng.uniform(-3, 3, n))
    return replace(ends, roadside=rng.random(n) < 0.3)


@pytest.mark.parametrize("method", ["bullington", "deygout"])
def test_reciprocity(method: str) -> None:
    obstacles, n = crowded(), 1500
    a, b = everywhere(11, n), everywhere(12, n)
    weather = WeatherParams(rain_mm_h=50.0, visibility_m=100.0)
    forth, back = (
        judge(obstacles, *ends, weather, terrain_method=method) for ends in ((a, b), (b, a))
    )
    assert np.array_equal(forth.state, back.state)
    for part in PARTS:
        assert getattr(forth, part) == pytest.approx(getattr(back, part), abs=1e-9), part
    # The test has seen every state, and every part but bends at work.
    expected = {NOTHING, *(set(LinkState) - {LinkState.LOS, LinkState.NLOSV})}
    assert set(forth.state.tolist()) == expected
    assert all(np.any(getattr(forth, part) != 0.0) for part in PARTS)


def test_extra_loss_is_the_sum_of_its_parts_and_links_do_not_meet() -> None:
    obstacles, n = crowded(), 400
    a, b = everywhere(21, n), everywhere(22, n)
    losses = judge(obstacles, a, b)
    free = losses.state != LinkState.BLOCKED
    total = sum(getattr(losses, part) for part in PARTS)
    assert losses.extra_db[free] == pytest.approx(total[free], abs=1e-12)
    assert np.all(np.isinf(losses.extra_db[~free]))
    for k in (0, 17, 399):
        alone = judge(obstacles, a[np.array([k])], b[np.array([k])])
        assert alone.extra_db[0] == losses.extra_db[k]
        assert alone.state[0] == losses.state[k]


def test_no_links_and_uneven_ends() -> None:
    nobody = antennas()
    assert len(judge(crowded(), nobody, nobody).state) == 0
    with pytest.raises(ValueError, match="1 antennas at one end, 0"):
        judge(crowded(), antennas((0, 0, 0)), nobody)
