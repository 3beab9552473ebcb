"""How others lie to a host: in its path, beside, crossing, on another deck."""

from __future__ import annotations

import numpy as np
import pytest

from tests.simulation_parts import fleet_state
from tests.unit.perception.roads import (
    BACK,
    BRIDGE,
    EAST,
    RIGHT,
    SOUTH,
    STRAIGHT,
    WEST,
    fork_map,
    on_roads,
    pair_of,
    scene_of,
)
from v2x.perception.scene import LevelCheck
from v2x.world.synthetic import highway


def test_offsets_are_in_the_frame_of_the_host() -> None:
    fleet = fleet_state(0, [0.0, 3.0], y_m=[0.0, 10.0], heading_rad=[np.pi / 2, 0.0])
    scene = scene_of(fleet, fork_map(), LevelCheck.NONE)
    pair = pair_of(scene, 0, 1)
    assert scene.ahead_m[pair] == pytest.approx(10.0)
    assert scene.left_m[pair] == pytest.approx(-3.0)
    assert scene.turned_rad[pair] == pytest.approx(-np.pi / 2)
    assert scene.distance_m[pair] == pytest.approx(np.hypot(3.0, 10.0))


def test_a_ring_is_seen_across_its_seam() -> None:
    ring = highway(length_m=1000.0, wrap=True)
    scene = scene_of(fleet_state(0, [990.0, 10.0]), ring, LevelCheck.NONE)
    assert scene.ahead_m[pair_of(scene, 0, 1)] == pytest.approx(20.0)


def test_gaps_run_along_the_road_from_bumper_to_bumper() -> None:
    road = fork_map()
    scene = scene_of(on_roads(road, [WEST, STRAIGHT], [150.0, 30.0]), road)
    ahead, behind = pair_of(scene, 0, 1), pair_of(scene, 1, 0)
    assert scene.road_ahead_m[ahead] == pytest.approx(80.0 - 5.0)
    assert scene.road_behind_m[behind] == pytest.approx(80.0 - 5.0)
    assert np.isnan(scene.road_ahead_m[behind])
    assert scene.gap_m[ahead] == pytest.approx(75.0)


@pytest.mark.parametrize(
    ("edge", "offset_m", "lane", "turn", "expected"),
    [
        (WEST, 180.0, 0, 0, True),  # ahead on the same lane
        (WEST, 180.0, 1, 0, False),  # beside it
        (WEST, 120.0, 0, 0, False),  # behind
        (STRAIGHT, 40.0, 0, 0, True),  # on the likely way on
        (RIGHT, 40.0, 0, 0, False),  # on the way that turns off
        (RIGHT, 40.0, 0, -1, True),  # the host turns off too
        (BACK, 30.0, 0, 0, False),  # oncoming
        (BRIDGE, 100.0, 0, 0, False),  # above
        (EAST, 40.0, 0, 0, True),  # two edges on
    ],
)
def test_the_path_follows_the_map(
    edge: int, offset_m: float, lane: int, turn: int, expected: bool
) -> None:
    road = fork_map()
    fleet = on_roads(road, [WEST, edge], [150.0, offset_m], lane=[0, lane], turn=[turn, 0])
    scene = scene_of(fleet, road)
    assert bool(scene.in_path[pair_of(scene, 0, 1)]) == expected


@pytest.mark.parametrize(("left_m", "expected"), [(2.4, True), (2.6, False)])
def test_without_a_map_the_path_is_half_a_metre_wider_than_both(
    left_m: float, expected: bool
) -> None:
    fleet = fleet_state(0, [0.0, 50.0], y_m=[0.0, left_m], speed_mps=10.0)
    scene = scene_of(fleet, fork_map(), LevelCheck.NONE)
    assert bool(scene.in_path[pair_of(scene, 0, 1)]) == expected


@pytest.mark.parametrize(
    ("check", "height_m", "expected"),
    [
        (LevelCheck.NONE, 8.0, False),
        (LevelCheck.GATE, 3.4, False),
        (LevelCheck.GATE, 3.5, True),
        (LevelCheck.MAP, 0.0, True),  # by the road, whatever the height
    ],
)
def test_decks_are_told_apart_as_chosen(check: LevelCheck, height_m: float, expected: bool) -> None:
    road = fork_map()
    fleet = on_roads(road, [WEST, BRIDGE], [100.0, 100.0], z_m=[0.0, height_m])
    scene = scene_of(fleet, road, check)
    assert bool(scene.apart[pair_of(scene, 0, 1)]) == expected


def test_the_truth_about_decks_does_not_depend_on_the_check() -> None:
    road = fork_map()
    fleet = on_roads(road, [WEST, BRIDGE, SOUTH], [100.0, 100.0, 20.0])
    scene = scene_of(fleet, road, LevelCheck.NONE)
    assert scene.truly_apart(0, 1)
    assert not scene.truly_apart(0, 2)


def test_ways_cross_where_roads_meet() -> None:
    road = fork_map()
    scene = scene_of(on_roads(road, [WEST, SOUTH], [180.0, 100.0]), road)
    pair = pair_of(scene, 0, 1)
    assert scene.to_conflict_m[pair] == pytest.approx(120.0)
    assert scene.remote_to_conflict_m[pair] == pytest.approx(50.0)


def test_straight_lines_cross_where_there_is_no_map() -> None:
    fleet = fleet_state(0, [0.0, 40.0], y_m=[0.0, -30.0], heading_rad=[0.0, np.pi / 2])
    scene = scene_of(fleet, fork_map(), LevelCheck.NONE)
    pair = pair_of(scene, 0, 1)
    assert scene.to_conflict_m[pair] == pytest.approx(40.0 - 2.5)
    assert scene.remote_to_conflict_m[pair] == pytest.approx(30.0 - 2.5)


def test_parallel_lines_do_not_cross() -> None:
    fleet = fleet_state(0, [0.0, 40.0], y_m=[0.0, -30.0], heading_rad=[0.0, 0.1])
    scene = scene_of(fleet, fork_map(), LevelCheck.NONE)
    assert np.isnan(scene.to_conflict_m[pair_of(scene, 0, 1)])


def test_closing_counts_in_the_direction_of_the_host() -> None:
    fleet = fleet_state(0, [0.0, 50.0], heading_rad=[0.0, np.pi], speed_mps=[20.0, 15.0])
    scene = scene_of(fleet, fork_map(), LevelCheck.NONE)
    assert scene.closing_mps[pair_of(scene, 0, 1)] == pytest.approx(35.0)
