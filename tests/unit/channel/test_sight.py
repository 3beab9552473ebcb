"""Straight lines that the map ends, against the exact reference of the radio channel."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.channel.antenna import Antennas
from v2x.channel.base import LinkState
from v2x.channel.obstacle_map import obstacle_map_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.obstacles import NOTHING, link_obstacles
from v2x.channel.sight import Ends, LineOfSight
from v2x.world.road_map import Structure
from v2x.world.store import builtin_map, load_map
from v2x.world.synthetic import highway

from .hills import Road, map_of, terrain_of

PLAIN = Road(points=[(-500, -500, 0), (-490, -500, 0)])


def ends(position_m: np.ndarray, tunnel: int = -1, axis_rad: float = 0.0) -> Ends:
    n = position_m.shape[1]
    return Ends(
        position_m=position_m,
        tunnel=np.full(n, tunnel, dtype=np.int32),
        axis_rad=np.full(n, axis_rad),
    )


@pytest.mark.parametrize("name", ["huangjuewan", "hill-streets"])
def test_lines_end_where_the_reference_of_radio_links_finds_an_obstacle(name: str) -> None:
    road_map = load_map(builtin_map(name))
    rng = np.random.default_rng(4)
    n = 600
    at = rng.integers(0, len(road_map.point_x_m), n)
    other = np.clip(at + rng.integers(-30, 30, n), 0, len(road_map.point_x_m) - 1)
    points = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    # Points that single precision holds, so that both are asked for the same lines.
    a, b = (p.astype(np.float32).astype(np.float64) for p in (points[:, at], points[:, other]))
    a[2] += 1.5
    b[2] += rng.choice([1.0, 3.0, 6.0], n)
    near = np.linalg.norm(b - a, axis=0) < 400.0
    a, b = a[:, near], b[:, near]
    losses = link_obstacles(
        obstacle_map_of(road_map),
        ObstacleParams(water=False),
        Antennas.outside(a),
        Antennas.outside(b),
        carrier_ghz=6e5,
    )
    expected = losses.state == NOTHING
    clear = LineOfSight(road_map, longest_m=450.0).clear(ends(a), ends(b))
    assert 0.1 < expected.mean() < 0.9
    # Rounding may decide for lines that just touch.
    assert (clear != expected).sum() <= 2
    assert {LinkState.TERRAIN, LinkState.NLOS, LinkState.DECK} & set(losses.state.tolist())


def test_sight_is_the_same_both_ways_and_ends_with_the_longest_line() -> None:
    road_map = map_of(PLAIN, terrain=terrain_of(lambda x, y: 0.1 * np.abs(x)))
    sight = LineOfSight(road_map, longest_m=200.0)
    a = np.array([[-90.0, -90.0], [0.0, 0.0], [10.0, 30.0]])
    b = np.array([[90.0, 120.0], [0.0, 0.0], [10.0, 30.0]])
    assert sight.clear(ends(a), ends(b)).tolist() == [True, False]
    assert sight.clear(ends(b), ends(a)).tolist() == [True, False]


def test_no_lines_and_open_maps() -> None:
    nothing = ends(np.zeros((3, 0)))
    assert len(LineOfSight(map_of(PLAIN), longest_m=100.0).clear(nothing, nothing)) == 0
    assert LineOfSight(highway(length_m=1000.0), longest_m=100.0).open
    road_map = map_of(PLAIN, terrain=terrain_of(lambda x, y: 0.0 * x))
    assert not LineOfSight(road_map, longest_m=100.0).open
    assert LineOfSight(road_map, longest_m=100.0, solid=False).open
    assert len(LineOfSight(road_map, longest_m=100.0).clear(nothing, nothing)) == 0


def test_in_a_bend_of_a_tube_the_view_ends_where_both_sides_hide_it() -> None:
    # R = 150 m and 7 m of carriageway: 2 sqrt(2 R w) = 91.7 m.
    angle = np.linspace(0.0, 1.2, 60)
    points = [(150.0 * np.sin(t), 150.0 * (1.0 - np.cos(t)), 0.0) for t in angle]
    road_map = map_of(Road(points=points, structure=Structure.TUNNEL, level=-1))
    sight = LineOfSight(road_map, longest_m=300.0)
    for chord_m, seen in ((88.0, True), (95.0, False)):
        turn = chord_m / 150.0
        far = np.array([[150.0 * np.sin(turn)], [150.0 * (1.0 - np.cos(turn))], [1.0]])
        here = np.array([[0.0], [0.0], [1.0]])
        assert sight.clear(ends(here, 0), ends(far, 0, turn))[0] == seen


@pytest.mark.parametrize(("bank_m", "seen"), [(1.4, True), (1.9, False)])
def test_a_bank_before_the_mouth_hides_what_a_radio_link_would_reach(
    bank_m: float, seen: bool
) -> None:
    # From the mouth, 2 m high at x = 0, to 1.2 m at x = 40: the line is 1.6 m high over the bank.
    road_map = map_of(
        Road(points=[(-200, 0, 0), (0, 0, 0)], structure=Structure.TUNNEL, level=-1),
        Road(points=[(0, 0, 0), (200, 0, 0)]),
        terrain=terrain_of(lambda x, y: np.where(np.abs(x - 20.0) < 1.0, bank_m, 0.0), step_m=5.0),
    )
    inside = ends(np.array([[-20.0], [0.0], [1.3]]), tunnel=0)
    outside = ends(np.array([[40.0], [0.0], [1.2]]))
    sight = LineOfSight(road_map, longest_m=200.0)
    assert sight.clear(inside, outside)[0] == seen
    assert sight.clear(outside, inside)[0] == seen
