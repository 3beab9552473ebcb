"""Flat arrays of a map: decks merged, widths, walls, portals, ground."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.channel.obstacle_map import obstacle_map_of
from v2x.world.buildings import Buildings
from v2x.world.road_map import Structure

from .hills import Road, house, map_of, terrain_of

BRIDGE, TUNNEL = Structure.BRIDGE, Structure.TUNNEL


def test_twins_are_one_deck_of_their_whole_width() -> None:
    span = [(0, 0, 10), (30, 0, 11), (60, 10, 12)]
    obstacles = obstacle_map_of(
        map_of(
            Road(points=span, structure=BRIDGE, lanes=2, two_way=True),
            Road(points=[(0, 50, 8), (60, 50, 8)], structure=BRIDGE, lanes=3),
            Road(points=[(60, 10, 12), (90, 10, 12)], lanes=2),
        )
    )
    assert obstacles.n_decks == 3
    assert obstacles.deck_edge.tolist() == [0, 0, 2]
    assert obstacles.deck_half_width_m == pytest.approx([7.0, 7.0, 5.25])
    assert obstacles.deck_x0_m.tolist() == [0, 30, 0]
    assert obstacles.deck_z1_m.tolist() == [11, 12, 8]
    assert obstacles.edge_width_m == pytest.approx([14.0, 14.0, 10.5, 7.0])
    assert not obstacles.deck_x0_m.flags.writeable


def test_points_on_one_spot_make_no_deck() -> None:
    span = [(0, 0, 10), (30, 0, 10), (30, 0, 10), (60, 0, 10)]
    obstacles = obstacle_map_of(map_of(Road(points=span, structure=BRIDGE)))
    assert obstacles.n_decks == 2
    assert np.isfinite(obstacles.deck_half_width_m).all()


def test_outlines_close_into_walls() -> None:
    triangle = Buildings(
        first_corner=np.array([0, 4, 7], dtype=np.int32),
        corner_x_m=np.array([-5.0, 5.0, 5.0, -5.0, 100.0, 110.0, 100.0]),
        corner_y_m=np.array([-5.0, -5.0, 5.0, 5.0, 0.0, 0.0, 10.0]),
        base_m=np.array([0.0, 3.0]),
        top_m=np.array([20.0, 30.0]),
    )
    obstacles = obstacle_map_of(map_of(Road(points=[(0, 0, 0), (9, 0, 0)]), buildings=triangle))
    assert obstacles.n_walls == 7
    assert obstacles.wall_building.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert obstacles.wall_top_m.tolist() == [20.0] * 4 + [30.0] * 3
    # Each wall ends where the next of its building begins.
    for first, last in ((0, 4), (4, 7)):
        ends = obstacles.wall_x1_m[first:last], obstacles.wall_y1_m[first:last]
        starts = obstacles.wall_x0_m[first:last], obstacles.wall_y0_m[first:last]
        assert np.array_equal(np.roll(starts, -1, axis=1), ends)


def test_portals_look_out_of_their_tube() -> None:
    obstacles = obstacle_map_of(
        map_of(
            Road(points=[(-100, 0, 5), (0, 0, 5)], lanes=2),
            Road(points=[(0, 0, 5), (300, 0, 8)], structure=TUNNEL, lanes=2),
            Road(points=[(300, 0, 8), (400, 0, 8)], lanes=2),
        )
    )
    assert (obstacles.n_tubes, obstacles.n_portals) == (1, 2)
    order = np.argsort(obstacles.portal_x_m)
    assert obstacles.portal_out_x[order] == pytest.approx([-1.0, 1.0])
    assert obstacles.portal_z_m[order] == pytest.approx([5.0, 8.0])
    assert obstacles.portal_half_width_m == pytest.approx([3.5, 3.5])
    assert obstacles.edge_tube.tolist() == [-1, 0, -1]


def test_ground_is_copied_and_may_be_missing() -> None:
    road = Road(points=[(0, 0, 0), (10, 0, 0)])
    bare = obstacle_map_of(map_of(road))
    assert not bare.has_terrain
    assert (bare.n_decks, bare.n_walls, bare.n_portals) == (0, 0, 0)
    terrain = terrain_of(lambda x, y: 0.01 * x, water=lambda x, y: y > 100)
    hilly = obstacle_map_of(map_of(road, terrain=terrain, buildings=house(50, 0, 20, 15)))
    assert hilly.has_terrain
    assert hilly.terrain_height_m.dtype == np.float64
    assert hilly.terrain_water.sum() == terrain.water.sum()
