"""Which road and which deck a believed position is matched to."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from v2x import rng
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.map_matching import MapMatcher
from v2x.world import synthetic
from v2x.world.geometry import twin_edges
from v2x.world.road_map import RoadMap
from v2x.world.store import builtin_map, load_map

MakeMap = Callable[..., RoadMap]
#: Decks of applications.md 8.2 [m].
DECK_M = (0.0, 8.0, 15.0, 22.0, 30.0)


def matcher(road_map: RoadMap, radius_m: float = 60.0) -> MapMatcher:
    return MapMatcher(road_map, radius_m, heading_sigma_deg=10.0, height_sigma_m=0.0)


def match(
    made: MapMatcher,
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    heading: FloatArray,
    sigma_m: float = 1.5,
    sigma_z_m: float = 2.6,
) -> tuple[IntArray, IntArray]:
    x, y, z, heading = np.broadcast_arrays(x, y, z, heading)
    n = len(x)
    return made.match(x, y, z, heading, np.full(n, sigma_m), np.full(n, sigma_z_m))


@pytest.fixture(scope="module")
def chongqing() -> RoadMap:
    return load_map(builtin_map("chongqing-central"))


def stack(map_of: MakeMap) -> RoadMap:
    return map_of(
        [
            (2 * k, 2 * k + 1, [(0.0, 0.0, z), (1000.0, 0.0, z)], {"level": k})
            for k, z in enumerate(DECK_M)
        ]
    )


@pytest.mark.parametrize("sigma_z_m", [1.0, 2.625, 5.0, 8.75])
def test_the_wrong_deck_is_taken_as_often_as_half_the_spacing_is_exceeded(
    map_of: MakeMap, sigma_z_m: float
) -> None:
    """P(error > half the gap above) + P(error < -half the gap below), mean of the decks."""
    n = 20_000
    true = np.arange(n) % len(DECK_M)
    z = np.array(DECK_M)[true] + sigma_z_m * rng.stream(5, "heights").standard_normal(n)
    x = np.full(n, 500.0)
    zero = np.zeros(n)
    by_plan, by_height = match(matcher(stack(map_of)), x, zero, z, zero, 1.5, sigma_z_m)
    tail = sum(1.0 - NormalDist(sigma=sigma_z_m).cdf(0.5 * gap) for gap in np.diff(DECK_M).tolist())
    expected = 2.0 * tail / len(DECK_M)
    bound = 4.0 * math.sqrt(expected * (1.0 - expected) / n)
    assert abs(np.mean(by_height != true) - expected) <= bound
    assert set(by_plan.tolist()) == {0}


def test_exact_positions_find_their_edge(chongqing: RoadMap) -> None:
    """Where carriageways run into each other, even an exact position is on both."""
    draw = rng.stream(1, "places")
    n = 3000
    length = chongqing.edge_length_m
    edge = draw.choice(chongqing.n_edges, n, p=length / length.sum()).astype(np.int32)
    lane = (draw.random(n) * chongqing.edge_lanes[edge]).astype(np.int32)
    road = RoadGeometry(chongqing)
    x, y, z, heading = road.position(
        edge, draw.random(n) * length[edge], road.lane_lateral_m(edge, lane)
    )
    by_plan, by_height = match(matcher(chongqing), x, y, z, heading, 0.1, 0.1)
    assert np.mean(by_plan == edge) > 0.985
    assert np.mean(by_height == edge) > 0.985
    level = chongqing.edge_level
    assert np.mean(level[by_height] == level[edge]) > 0.999


def by_hand(
    road_map: RoadMap, x: float, y: float, z: float, heading: float, sigma: tuple[float, float]
) -> tuple[int, int]:
    """The likeliest edge with and without height, from every piece of the map in turn."""
    twin = twin_edges(road_map)
    best = [(math.inf, -1), (math.inf, -1)]
    for edge in range(road_map.n_edges):
        width = road_map.lane_width_m * int(road_map.edge_lanes[edge])
        variance = 0.5 * sigma[0] ** 2 + width**2 / 12.0
        for k in range(int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]) - 1):
            ax, bx = road_map.point_x_m[k : k + 2].tolist()
            ay, by = road_map.point_y_m[k : k + 2].tolist()
            az, bz = road_map.point_z_m[k : k + 2].tolist()
            if max(abs(x - ax), abs(y - ay)) > 100.0:  # pieces are 25 m long
                continue
            run = math.hypot(bx - ax, by - ay)
            cosine, sine = (bx - ax) / run, (by - ay) / run
            along = (x - ax) * cosine + (y - ay) * sine
            done = min(max(along, 0.0), run)
            right = (x - ax) * sine - (y - ay) * cosine
            agrees = math.cos(heading) * cosine + math.sin(heading) * sine
            if agrees <= 0 or math.hypot(right, along - done) > 60.0:
                continue
            right -= 0.5 * width if twin[edge] >= 0 else 0.0
            cost = (right**2 + (along - done) ** 2) / variance + math.log(variance)
            cost += 2.0 * (1.0 - agrees) / math.radians(10.0) ** 2
            above = z - az - done / run * (bz - az)
            best[0] = min(best[0], (cost, edge))
            best[1] = min(best[1], (cost + above**2 / (sigma[1] ** 2 + 1e-6), edge))
    return best[0][1], best[1][1]


def test_cells_find_what_a_look_at_every_piece_finds(chongqing: RoadMap) -> None:
    """Round the five-level interchange, with errors up to the radius and beyond."""
    draw = rng.stream(2, "places")
    n = 60
    x, y = chongqing.point_x_m, chongqing.point_y_m
    near = draw.choice(np.flatnonzero(np.hypot(x + 1213.0, y - 3189.0) < 500.0), n)
    x, y = x[near] + draw.uniform(-45.0, 45.0, n), y[near] + draw.uniform(-45.0, 45.0, n)
    z, heading = chongqing.point_z_m[near] + draw.normal(0.0, 8.0, n), draw.uniform(-3.1, 3.1, n)
    found = match(matcher(chongqing), x, y, z, heading, 5.0, 8.0)
    expected = [
        by_hand(chongqing, *place, (5.0, 8.0)) for place in zip(x, y, z, heading, strict=True)
    ]
    assert list(zip(*(edges.tolist() for edges in found), strict=True)) == expected
    assert len(set(expected)) > 15
    assert any(plan != height for plan, height in expected)
    assert (-1, -1) in expected


def test_each_direction_keeps_to_its_side(map_of: MakeMap) -> None:
    line = [(0.0, 0.0), (500.0, 0.0)]
    road_map = map_of([(0, 1, line, {}), (1, 0, line[::-1], {})])
    heading = np.array([0.0, math.pi, 0.2])
    edges, _ = match(matcher(road_map), np.full(3, 200.0), np.zeros(3), np.zeros(3), heading)
    assert edges.tolist() == [0, 1, 0]


def test_the_middle_of_a_street_is_not_the_middle_of_its_lanes(map_of: MakeMap) -> None:
    """A lane 3 m right of a street's middle line, against a one-way road 2 m farther right."""
    line = [(0.0, 0.0), (500.0, 0.0)]
    ramp = [(0.0, -7.0), (500.0, -7.0)]
    road_map = map_of([(0, 1, line, {"lanes": 2}), (1, 0, line[::-1], {}), (2, 3, ramp, {})])
    y = np.array([-1.0, -3.5, -4.5, -6.0])
    edges, _ = match(matcher(road_map), np.full(4, 200.0), y, np.zeros(4), np.zeros(4), 1.0)
    assert edges.tolist() == [0, 0, 0, 2]


def test_height_tells_decks_apart_and_plan_does_not(map_of: MakeMap) -> None:
    z = np.array([-2.0, 3.9, 4.1, 19.0, 40.0])
    by_plan, by_height = match(matcher(stack(map_of)), np.full(5, 500.0), 0 * z, z, 0 * z)
    assert by_plan.tolist() == [0] * 5
    assert by_height.tolist() == [0, 0, 1, 3, 4]


def test_height_follows_the_grade(map_of: MakeMap) -> None:
    road_map = map_of(
        [(0, 1, [(0.0, 0.0, 0.0), (500.0, 0.0, 40.0)], {}), (2, 3, [(0.0, 0.0), (500.0, 0.0)], {})]
    )
    x = np.array([100.0, 100.0, 450.0])
    z = np.array([3.9, 4.1, 30.0])
    assert match(matcher(road_map), x, 0 * x, z, 0 * x)[1].tolist() == [1, 0, 0]


def test_vehicles_spread_over_the_width_of_a_road(map_of: MakeMap) -> None:
    """Over the middle of both, a narrow road is likelier than a wide one; aside the wide one."""
    wide, narrow = [(0.0, 0.0, 0.0), (500.0, 0.0, 0.0)], [(0.0, 0.0, 8.0), (500.0, 0.0, 8.0)]
    road_map = map_of([(0, 1, wide, {"lanes": 4}), (2, 3, narrow, {})])
    y = np.array([-4.0, 0.0, 4.0])
    by_plan, _ = match(matcher(road_map), np.full(3, 200.0), y, 0 * y, 0 * y)
    assert by_plan.tolist() == [0, 1, 0]


def test_where_no_road_is_near_nothing_is_matched(map_of: MakeMap) -> None:
    road_map = map_of([(0, 1, [(0.0, 0.0), (500.0, 0.0)], {})])
    made = matcher(road_map, radius_m=40.0)
    x = np.array([250.0, 250.0, 250.0, -39.0, -41.0, 1e6, -1e6, 250.0])
    y = np.array([39.0, 41.0, 90.0, 0.0, 0.0, 0.0, -1e6, -1e6])
    for edges in match(made, x, y, 0 * x, 0 * x):
        assert edges.tolist() == [0, -1, -1, 0, -1, -1, -1, -1]
    backwards = match(made, x[:1], y[:1], x[:1], np.array([math.pi]))
    assert [edges.tolist() for edges in backwards] == [[-1], [-1]]
    nobody = np.empty(0)
    assert [len(edges) for edges in match(made, nobody, nobody, nobody, nobody)] == [0, 0]


def test_a_wrapped_road_has_no_end() -> None:
    road_map = synthetic.highway(wrap=True)
    assert road_map.wrap_length_m == 2000.0
    y = np.full(4, -10.0)
    x = np.array([-3.0, 1.0, 1999.0, 2003.0])
    edges, _ = match(matcher(road_map), x, y, 0 * x, 0 * x)
    assert edges.tolist() == [1, 0, 1, 0]
