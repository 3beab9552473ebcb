"""The kernel of obstacles against the exact reference, on the maps of the package."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x import rng
from v2x.channel.base import LinkState
from v2x.channel.obstacle_links import ObstacleLinks, obstacle_links_of
from v2x.channel.obstacle_map import ObstacleMap, obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import NOTHING, Antennas, LinkLosses, link_obstacles
from v2x.world.road_map import RoadMap
from v2x.world.store import builtin_map, load_map
from v2x.world.weather import WeatherParams

CARRIER_GHZ = 5.9
RANGE_M = 600.0
N_NODES = 150
RAIN = WeatherParams(rain_mm_h=80.0)
BLOCKED_DB = 300.0


def antennas(road_map: RoadMap, obstacles: ObstacleMap, seed: int) -> Antennas:
    """Return vehicles and a few roadside units at random places of the roads."""
    g = rng.stream(seed, "antennas", road_map.name)
    share = road_map.edge_length_m / road_map.edge_length_m.sum()
    edge = g.choice(road_map.n_edges, N_NODES, p=share)
    first, after = road_map.first_point[edge], road_map.first_point[edge + 1]
    point = np.minimum(first + (g.random(N_NODES) * (after - first - 1)).astype(int), after - 2)
    along = g.random(N_NODES)

    def between(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values[point] + along * (values[point + 1] - values[point])

    roadside = g.random(N_NODES) < 0.1
    height_m = np.where(roadside, 5.0, g.choice([0.75, 1.6, 3.0], N_NODES))
    position = np.stack(
        [
            between(road_map.point_x_m) + g.uniform(-3.0, 3.0, N_NODES),
            between(road_map.point_y_m) + g.uniform(-3.0, 3.0, N_NODES),
            between(road_map.point_z_m) + height_m,
        ]
    )
    return Antennas(
        position_m=position.astype(np.float32).astype(np.float64),
        tube=obstacles.edge_tube[edge],
        axis_rad=g.uniform(-np.pi, np.pi, N_NODES),
        width_m=obstacles.edge_width_m[edge],
        roadside=roadside,
    )


def rows(position_m: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the link table of all pairs within reach, and of some beyond."""
    away = np.linalg.norm(position_m[:, :, None] - position_m[:, None, :], axis=0)
    near = (away < 1.1 * RANGE_M) & ~np.eye(N_NODES, dtype=np.bool_)
    start = np.concatenate([[0], np.cumsum(near.sum(axis=1))]).astype(np.int32)
    return start, np.nonzero(near)[1].astype(np.int32)


def judged(
    links: ObstacleLinks, nodes: Antennas, stale: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.float32], int]:
    """Return obstacle and extra loss of every entry, and how many links were judged."""
    start, neighbour = rows(nodes.position_m)
    obstacle = np.full(len(neighbour), ObstacleLinks.UNKNOWN, dtype=np.uint8)
    extra = np.zeros(len(neighbour), dtype=np.float32)
    position = nodes.position_m.astype(np.float32)
    ground = np.empty(len(nodes))
    links.tracer.ground(position[0], position[1], ground)
    everything = (
        start,
        neighbour,
        position,
        ground,
        nodes.tube if links.params.tunnels else np.full(len(nodes), -1, dtype=np.int32),
        np.stack([np.cos(nodes.axis_rad), np.sin(nodes.axis_rad)]),
        nodes.width_m,
        nodes.roadside.view(np.uint8),
    )
    if stale is not None:
        obstacle[:] = 0
    again = np.ones(len(nodes), dtype=np.bool_) if stale is None else stale
    n = links.tracer.judge(*everything, again.view(np.uint8), RANGE_M, obstacle, extra)
    return obstacle, extra, n


def reference(
    obstacles: ObstacleMap, params: ObstacleParams, nodes: Antennas
) -> tuple[LinkLosses, NDArray[np.intp]]:
    """Return the exact losses of the links within range, and which entries these are."""
    start, neighbour = rows(nodes.position_m)
    row = np.repeat(np.arange(N_NODES), np.diff(start))
    away = np.linalg.norm(nodes.position_m[:, row] - nodes.position_m[:, neighbour], axis=0)
    entry = np.flatnonzero((row < neighbour) & (away < RANGE_M - 0.01))
    losses = link_obstacles(
        obstacles,
        params,
        nodes[row[entry]],
        nodes[neighbour[entry]],
        carrier_ghz=CARRIER_GHZ,
        weather=RAIN,
    )
    return losses, entry


MAPS = (
    "chongqing-central",
    "huangjuewan",
    "ridge-crossing",
    "twin-tunnel",
    "river-bridge",
    "blind-curve",
    "hill-streets",
    "expressway-20km",
)
VARIANTS = {
    "everything": ObstacleParams(),
    "three edges": ObstacleParams(terrain_method="deygout", deck_material="brick"),
    "no ground": ObstacleParams(terrain_method="none", deck_cap_db=60.0),
    "no rock": ObstacleParams(tunnels=False, water=False),
    "ground only": ObstacleParams(decks=False, buildings=False, tunnels=False, water=False),
}


CASES = [
    *((name, "everything") for name in MAPS),
    *(("huangjuewan", variant) for variant in VARIANTS if variant != "everything"),
    *((name, "three edges") for name in ("ridge-crossing", "hill-streets")),
]


@pytest.mark.parametrize(("name", "variant"), CASES)
def test_the_kernel_is_the_reference(name: str, variant: str) -> None:
    """States are equal and losses within 0.01 dB.

    The kernel's logarithms are float32, and it reads the loss through a slab from a table.
    """
    params = VARIANTS[variant]
    road_map = load_map(builtin_map(name))
    obstacles = obstacle_map_of(road_map)
    nodes = antennas(road_map, obstacles, seed=3)
    links = obstacle_links_of(
        road_map, params, RAIN, carrier_ghz=CARRIER_GHZ, interaction_range_m=RANGE_M
    )
    assert links is not None
    obstacle, extra, _ = judged(links, nodes)
    exact, entry = reference(obstacles, params, nodes)
    assert len(entry) > 70
    expected = np.where(exact.state == NOTHING, 0, exact.state)
    np.testing.assert_array_equal(obstacle[entry], expected)
    loss = np.where(np.isinf(exact.extra_db), BLOCKED_DB, exact.extra_db)
    np.testing.assert_allclose(extra[entry], loss, rtol=0, atol=1e-2)


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("ridge-crossing", {LinkState.TUNNEL, LinkState.TERRAIN, LinkState.BLOCKED}),
        ("huangjuewan", {LinkState.DECK, LinkState.TERRAIN}),
        ("hill-streets", {LinkState.NLOS}),
        ("blind-curve", {LinkState.TERRAIN}),
    ],
)
def test_the_maps_hold_what_they_are_made_for(name: str, states: set[LinkState]) -> None:
    road_map = load_map(builtin_map(name))
    obstacles = obstacle_map_of(road_map)
    losses, _ = reference(obstacles, ObstacleParams(), antennas(road_map, obstacles, seed=3))
    assert states <= {LinkState(state) for state in losses.state[losses.state != NOTHING]}


def test_water_reflects_on_the_river_map() -> None:
    """Links across the river are reflected, and both signs of the interference appear."""
    road_map = load_map(builtin_map("river-bridge"))
    obstacles = obstacle_map_of(road_map)
    losses, _ = reference(obstacles, ObstacleParams(), antennas(road_map, obstacles, seed=3))
    assert losses.water_db.min() < -0.1
    assert losses.water_db.max() > 0.1


def test_only_links_of_nodes_that_moved_are_judged_again() -> None:
    road_map = load_map(builtin_map("blind-curve"))
    obstacles = obstacle_map_of(road_map)
    nodes = antennas(road_map, obstacles, seed=5)
    links = obstacle_links_of(
        road_map, ObstacleParams(), RAIN, carrier_ghz=CARRIER_GHZ, interaction_range_m=RANGE_M
    )
    assert links is not None
    stale = np.zeros(N_NODES, dtype=np.bool_)
    stale[7] = True
    all_states, _, n_all = judged(links, nodes)
    states, extra, n_stale = judged(links, nodes, stale)
    start, neighbour = rows(nodes.position_m)
    row = np.repeat(np.arange(N_NODES), np.diff(start))
    of_seven = ((row == 7) | (neighbour == 7)) & (row < neighbour)
    assert 0 < n_stale < n_all
    np.testing.assert_array_equal(states[of_seven], all_states[of_seven])
    assert not extra[~of_seven].any()


def test_level_ground_costs_exactly_nothing() -> None:
    """The promise that flat results do not change where the ground is flat, to the bit."""
    road_map = load_map(builtin_map("blind-curve"))
    assert road_map.terrain is not None
    level = replace(road_map.terrain, height_m=np.full_like(road_map.terrain.height_m, 412.3))
    obstacles = obstacle_map_of(road_map)
    nodes = antennas(road_map, obstacles, seed=5)
    position = nodes.position_m.copy()
    position[2] = np.float32(412.3) + np.where(nodes.roadside, 5.0, 1.6)
    links = obstacle_links_of(
        replace(road_map, terrain=level),
        replace(ObstacleParams(), rsu_side_lobe_db=0.0),
        WeatherParams(),
        carrier_ghz=CARRIER_GHZ,
        interaction_range_m=RANGE_M,
    )
    assert links is not None
    obstacle, extra, n = judged(links, replace(nodes, position_m=position))
    assert n > 1000
    assert set(obstacle[extra != 0.0].tolist()) == set()
