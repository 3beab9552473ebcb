from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from v2x.mobility.conditions import LIMIT_DECELERATION_MPS2, road_conditions
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.routes import LANE_VIEW_M, RouteBook, Router
from v2x.world import synthetic
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

Maps = dict[str, Callable[..., RoadMap]]


def book_of(network: LaneNetwork, **weather: float) -> RouteBook:
    conditions = road_conditions(network, WeatherParams(**weather), np.array([8.0, 5.0]))
    return RouteBook(network, conditions)


def test_fastest_path_is_not_the_shortest(map_of: Callable[..., RoadMap]) -> None:
    slow, fast = {"limit_mps": 5.0}, {"limit_mps": 30.0}
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (100.0, 0.0)], fast),
            (1, 2, [(100.0, 0.0), (200.0, 0.0)], slow),
            (1, 3, [(100.0, 0.0), (150.0, 100.0)], fast),
            (3, 2, [(150.0, 100.0), (200.0, 0.0)], fast),
            (2, 4, [(200.0, 0.0), (300.0, 0.0)], fast),
        ]
    )
    router = Router(lane_network(road))
    assert router.path(0, 4) == [0, 2, 3, 4]
    assert router.path(1, 4) == [1, 4]
    assert router.path(4, 4) == [4]
    assert router.path(4, 0) is None


def test_paths_are_joined_and_consistent() -> None:
    """Every rest of a path to a goal is the path from there: two cars to one goal stay together."""
    grid = synthetic.manhattan(3, 3)
    network = lane_network(grid)
    router = Router(network)
    for origin, goal in ((0, 40), (7, 22), (31, 2), (12, 45)):
        path = router.path(origin, goal)
        assert path is not None
        for a, b in pairwise(path):
            network.movement(a, b)
        for k, edge in enumerate(path):
            assert router.path(edge, goal) == path[k:]


def test_book_links_stops(maps: Maps) -> None:
    network = lane_network(maps["off-ramp"]())
    book = book_of(network)
    assert book.add([[0, 1], [0, 2]]) == [0, 2]
    assert book.edge.tolist() == [0, 1, 0, 2]
    assert book.after.tolist() == [1, -1, 3, -1]
    assert book.before.tolist() == [-1, 0, -1, 2]
    assert book.goal.tolist() == [1, 1, 2, 2]
    assert book.movement.tolist() == [network.movement(0, 1), -1, network.movement(0, 2), -1]
    assert book.add([[1]]) == [4]
    assert book.first == [0, 2, 4]


def test_circular_routes_have_no_end(maps: Maps) -> None:
    book = book_of(lane_network(maps["ring"]()))
    book.add([[0, 1, 2, 3]], circular=True)
    assert book.after.tolist() == [1, 2, 3, 0]
    assert book.before.tolist() == [3, 0, 1, 2]
    assert (book.goal < 0).all()
    assert (book.movement >= 0).all()


def test_lower_limits_are_seen_from_afar(map_of: Callable[..., RoadMap]) -> None:
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (500.0, 0.0)], {"limit_mps": 30.0}),
            (1, 2, [(500.0, 0.0), (550.0, 0.0)], {"limit_mps": 30.0}),
            (2, 3, [(550.0, 0.0), (600.0, 0.0)], {"limit_mps": 10.0}),
        ]
    )
    book = book_of(lane_network(road))
    book.add([[0, 1, 2]])
    assert book.exit_speed_mps.tolist() == pytest.approx(
        [math.sqrt(100.0 + 2 * LIMIT_DECELERATION_MPS2 * 50.0), 10.0, 10.0]
    )


def test_lanes_are_known_ahead(map_of: Callable[..., RoadMap]) -> None:
    """The exit lane is compulsory from one lane view before the exit."""
    three = {"lanes": 3}
    road = map_of(
        [
            (0, 1, [(-2000.0, 0.0), (-900.0, 0.0)], three),
            (1, 2, [(-900.0, 0.0), (-300.0, 0.0)], three),
            (2, 3, [(-300.0, 0.0), (0.0, 0.0)], three),
            (3, 4, [(0.0, 0.0), (500.0, 0.0)], three),
            (3, 5, [(0.0, 0.0), (500.0, -60.0)], {}),
        ]
    )
    book = book_of(lane_network(road))
    book.add([[0, 1, 2, 4], [0, 1, 2, 3]])
    exits, stays = slice(0, 4), slice(4, 8)
    assert book.lane_low[exits].tolist() == [0, 0, 0, 0]
    assert book.lane_high[exits].tolist() == [2, 0, 0, 0]
    assert book.lane_view_m[exits].tolist()[:3] == [np.inf, 300.0, 0.0]
    assert 900.0 > LANE_VIEW_M > 300.0
    assert book.lane_high[stays].tolist() == [2, 2, 2, 2]


def test_a_lane_that_ends_is_not_on_the_way(maps: Maps) -> None:
    book = book_of(lane_network(maps["on-ramp"](3, 2, 1)))
    book.add([[0, 2]])
    assert (book.lane_low[0], book.lane_high[0], book.lane_view_m[0]) == (1, 2, 0.0)
