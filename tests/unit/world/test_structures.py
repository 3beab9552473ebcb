"""Heights of hand-made roads over invented terrain.

Extracts lie around 29.5 N, 106.5 E; `Slope` gives them a terrain in the same metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from v2x import rng
from v2x.world.geometry import polylines_of, subdivide, twin_edges, with_polylines
from v2x.world.grades import absolute_edge_grades, point_grade_percentiles, point_grades
from v2x.world.least_energy import HARD_WITHIN, BoundedEnergy
from v2x.world.network import build_network
from v2x.world.osm_xml import read_osm_xml
from v2x.world.road_map import RoadMap, Structure
from v2x.world.structures import (
    GradeViolations,
    HeightParams,
    clearances,
    edge_grades,
    grade_percentiles,
    grade_violations,
    max_grade,
    solve_heights,
    terrain_under,
    with_heights,
)

Build = Callable[[Any, Any], RoadMap]
STREET = {"highway": "residential", "lanes": "2", "maxspeed": "30"}
TRUNK = {"highway": "trunk", "lanes": "2", "maxspeed": "60", "oneway": "yes"}


class Terrain:
    """Heights as a function of metres east and north."""

    description = "invented"

    def __init__(self, height: Callable[[Any, Any], Any]) -> None:
        self._height = height

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.float64]:
        east = (np.asarray(longitude_deg) - 106.5) * 96_950.0
        north = (np.asarray(latitude_deg) - 29.5) * 110_850.0
        return np.asarray(self._height(east, north) + 0.0 * east, dtype=np.float64)


@pytest.fixture
def build(osm_file: Callable[..., Path]) -> Build:
    def from_parts(nodes: Any, ways: Any) -> RoadMap:
        path = osm_file(nodes, ways)
        return build_network(read_osm_xml(path), name="town", file="town.osm").road_map

    return from_parts


def points(road_map: RoadMap, edge: int) -> slice:
    return slice(int(road_map.first_point[edge]), int(road_map.first_point[edge + 1]))


def edge_of_way(road_map: RoadMap, way: int) -> int:
    return int(np.flatnonzero(road_map.edge_osm_way == way)[0])


def test_a_road_on_a_plane_lies_on_it(build: Build) -> None:
    flat = build({1: (0, 0), 2: (700, 300), 3: (900, -200)}, {7: ([1, 2, 3], STREET)})
    terrain = Terrain(lambda east, north: 200 + 0.05 * east - 0.03 * north)
    road_map = with_heights(flat, terrain)
    assert road_map.point_z_m == pytest.approx(terrain_under(road_map, terrain), abs=0.3)
    step = np.hypot(np.diff(road_map.point_x_m), np.diff(road_map.point_y_m))
    assert np.delete(step, road_map.first_point[1:-1] - 1).max() <= 25.001
    up, down = edge_grades(road_map)
    assert up == pytest.approx(-down)
    assert abs(up) == pytest.approx(0.05 * 900 / 1300.1 + 0.03 * 200 / 1300.1, rel=0.02)


def test_both_directions_of_a_street_have_the_same_heights(build: Build) -> None:
    flat = build({1: (0, 0), 2: (133, 71), 3: (400, -20)}, {7: ([1, 2, 3], STREET)})
    road_map = with_heights(flat, Terrain(lambda east, north: 10 * np.sin(east / 60)))
    assert twin_edges(road_map).tolist() == [1, 0]
    there, back = road_map.point_z_m[points(road_map, 0)], road_map.point_z_m[points(road_map, 1)]
    np.testing.assert_array_equal(there, back[::-1])
    np.testing.assert_array_equal(road_map.node_z_m, [there[0], there[-1]])


def test_noise_of_a_raster_gives_no_absurd_grades(build: Build) -> None:
    """White noise of 6 m at cells of 90 m over a slope of 5 %; 20 km of road."""
    nodes = {k: (500 * k, 0) for k in range(41)}
    flat = build(nodes, {7: (range(41), STREET)})
    noise_m = rng.stream(5, "noise").normal(0, 6, 300)

    def height(east: Any, _north: Any) -> Any:
        return 200 + 0.05 * east + np.interp(east / 90.0, np.arange(300), noise_m)

    smooth = with_heights(flat, Terrain(height))
    rough = with_heights(flat, Terrain(height), HeightParams(smoothing_m=1.0))
    # Draped, neighbouring cells differ by 6 m sqrt(2) in 90 m: 9.4 % on top of the slope.
    assert np.std(point_grades(rough)) == pytest.approx(np.hypot(0.094, 0.05), rel=0.1)
    assert np.std(point_grades(smooth)) < np.hypot(0.045, 0.05)
    assert point_grade_percentiles(rough)["p95"] > 0.19
    assert point_grade_percentiles(smooth)["p95"] < 0.13
    assert edge_grades(smooth)[0] == pytest.approx(0.05, abs=0.002)


def test_a_bridge_is_straight_between_its_ends(build: Build) -> None:
    """A valley 60 m deep under a bridge of two ways; the road falls by 4 m across it."""
    nodes = {1: (-400, 0), 2: (0, 0), 3: (300, 0), 4: (600, 0), 5: (1000, 0)}
    bridge = {**TRUNK, "bridge": "yes", "layer": "1"}
    flat = build(
        nodes, {6: ([1, 2], TRUNK), 7: ([2, 3], bridge), 8: ([3, 4], {**bridge, "lanes": "3"}),
                9: ([4, 5], TRUNK)},
    )  # fmt: skip

    def height(east: Any, _north: Any) -> Any:
        depth = 60 * np.clip(np.minimum(east - 20, 580 - east) / 50, 0, 1)
        return np.interp(east, [0, 600], [250, 246]) - depth

    terrain = Terrain(height)
    road_map = with_heights(flat, terrain)
    assert terrain_under(road_map, terrain).min() < 190
    for way in (7, 8):
        edge = edge_of_way(road_map, way)
        assert road_map.edge_structure[edge] == Structure.BRIDGE
        deck = points(road_map, edge)
        east = (road_map.point_x_m + road_map.origin_x_m)[deck]
        share = (east - east[0]) / (east[-1] - east[0])
        line = np.interp(share, [0, 1], [250, 248] if way == 7 else [248, 246])
        assert road_map.point_z_m[deck] == pytest.approx(line, abs=0.5)
        assert edge_grades(road_map)[edge] == pytest.approx(-4 / 600, abs=1.5e-3)


def test_a_tunnel_is_straight_under_a_mountain(build: Build) -> None:
    nodes = {1: (-500, 0), 2: (0, 0), 3: (2000, 0), 4: (2500, 0)}
    tunnel = {**TRUNK, "tunnel": "yes", "layer": "-1"}
    flat = build(nodes, {6: ([1, 2], TRUNK), 7: ([2, 3], tunnel), 8: ([3, 4], TRUNK)})

    def height(east: Any, _north: Any) -> Any:
        mountain = 400 * np.exp(-((np.clip(east, 0, 2000) - 1000) ** 2) / 2 / 250**2)
        return np.interp(east, [0, 2000], [260, 290]) + mountain

    road_map = with_heights(flat, Terrain(height))
    deep = points(road_map, edge_of_way(road_map, 7))
    share = np.linspace(0, 1, deep.stop - deep.start)
    assert road_map.point_z_m[deep] == pytest.approx(260 + 30 * share, abs=1.5)
    assert edge_grades(road_map)[edge_of_way(road_map, 7)] == pytest.approx(0.015, abs=1e-3)


CROSS = {
    1: (-600, 0), 2: (-60, 0), 3: (60, 0), 4: (600, 0),
    5: (0, -600), 6: (0, -60), 7: (0, 60), 8: (0, 600), 9: (600, 600),
}  # fmt: skip


def crossing(build: Build, upper: dict[str, str], lower: dict[str, str]) -> RoadMap:
    """Return an east-west road over a north-south one, joined far away."""
    ways = {
        11: ([1, 2], TRUNK), 12: ([2, 3], {**TRUNK, **upper, "name": "upper"}), 13: ([3, 4], TRUNK),
        14: ([5, 6], TRUNK), 15: ([6, 7], {**TRUNK, **lower, "name": "lower"}), 16: ([7, 8], TRUNK),
        17: ([4, 9, 8], STREET),
    }  # fmt: skip
    return build(CROSS, ways)


@pytest.mark.parametrize(
    ("upper", "lower", "levels"),
    [
        ({"bridge": "yes", "layer": "1"}, {}, 1),
        ({"bridge": "yes", "layer": "3"}, {}, 3),
        ({}, {"tunnel": "yes", "layer": "-1"}, 1),
        ({"bridge": "yes", "layer": "2"}, {"bridge": "yes", "layer": "1"}, 1),
        ({"bridge": "yes", "layer": "0"}, {}, 1),
        ({}, {"tunnel": "yes", "layer": "0"}, 1),
        ({"layer": "1"}, {}, 1),
    ],
)
def test_roads_on_different_levels_clear_each_other(
    build: Build, upper: dict[str, str], lower: dict[str, str], levels: int
) -> None:
    road_map = with_heights(crossing(build, upper, lower), None)
    found = clearances(road_map)
    assert found.levels.tolist() == [levels]
    assert found.gap_m == pytest.approx([6.0 * levels], abs=0.05)
    assert found.n_unordered == 0
    assert max_grade(road_map) < 0.0705
    over, under = edge_of_way(road_map, 12), edge_of_way(road_map, 15)
    middle = [np.mean(road_map.point_z_m[points(road_map, edge)]) for edge in (over, under)]
    assert middle[0] > middle[1] + 4.0 * levels


def test_enough_height_is_left_alone(build: Build) -> None:
    """Where the terrain keeps the roads 30 m apart, nothing is lifted."""
    flat = crossing(build, {"bridge": "yes", "layer": "1"}, {})

    def height(east: Any, north: Any) -> Any:
        return 100 - 30 * np.clip(1 - np.abs(east) / 50, 0, 1)

    road_map = with_heights(flat, Terrain(height))
    found = clearances(road_map)
    assert found.gap_m[0] > 20
    deck = points(road_map, edge_of_way(road_map, 12))
    assert road_map.point_z_m[deck] == pytest.approx(100.0, abs=0.3)


def test_crossings_that_nobody_ordered_are_counted(build: Build) -> None:
    found = clearances(with_heights(crossing(build, {}, {}), None))
    assert found.n_unordered == 1
    assert len(found.gap_m) == 0


def test_roads_that_meet_at_a_node_do_not_cross(build: Build) -> None:
    nodes = {1: (-100, 0), 2: (0, 0), 3: (100, 0), 4: (0, -100), 5: (0, 100)}
    bridge = {**STREET, "bridge": "yes", "layer": "2"}
    road_map = with_heights(build(nodes, {7: ([1, 2, 3], STREET), 8: ([4, 2, 5], bridge)}), None)
    found = clearances(road_map)
    assert len(found.gap_m) == 0
    assert found.n_unordered == 0
    assert np.abs(road_map.point_z_m).max() < 1e-3


@pytest.mark.parametrize(("road_class", "limit"), [("motorway", 0.06), ("residential", 0.20)])
def test_no_class_is_steeper_than_it_is_built(build: Build, road_class: str, limit: float) -> None:
    """A step of 60 m within 120 m, which a motorway climbs in 1000 m."""
    nodes = {k: (100 * k, 0) for k in range(31)}
    tags = {"highway": road_class, "lanes": "2", "maxspeed": "60", "oneway": "yes"}
    flat = build(nodes, {7: (range(31), tags)})
    step = Terrain(lambda east, _north: np.interp(east, [1440, 1560], [200, 260]))
    road_map = with_heights(flat, step)
    assert max_grade(road_map) == pytest.approx(limit, abs=2e-3)
    assert road_map.point_z_m[[0, -1]] == pytest.approx([200, 260], abs=1.0)


def test_the_seam_takes_a_map_and_terrain_heights(build: Build) -> None:
    flat = subdivide(build({1: (0, 0), 2: (500, 0)}, {7: ([1, 2], STREET)}), 25.0)
    terrain_m = np.linspace(10.0, 20.0, len(flat.point_x_m) // 2)
    terrain_m = np.concatenate([terrain_m, terrain_m[::-1]])
    height_m = solve_heights(flat, terrain_m)
    assert height_m.shape == flat.point_x_m.shape
    assert height_m == pytest.approx(terrain_m, abs=1e-4)


def test_a_map_of_bridges_alone_has_heights(build: Build) -> None:
    bridge = {**TRUNK, "bridge": "yes"}
    terrain = Terrain(lambda east, _north: 100.0 + 0 * east)
    road_map = with_heights(build({1: (0, 0), 2: (900, 0)}, {7: ([1, 2], bridge)}), terrain)
    assert road_map.point_z_m == pytest.approx(100.0, abs=0.1)


def test_percentiles_weigh_edges_with_their_length(build: Build) -> None:
    """600 m level, 300 m at 4 %, 100 m at 10 %, one way."""
    nodes = {1: (0, 0), 2: (600, 0), 3: (900, 0), 4: (1000, 0)}
    ways = {k: ([k, k + 1], {**STREET, "oneway": "yes", "name": str(k)}) for k in (1, 2, 3)}
    terrain = Terrain(lambda east, _n: np.interp(east, [0, 600, 900, 1000], [0, 0, 12, 22]))
    road_map = with_heights(build(nodes, ways), terrain, HeightParams(smoothing_m=1.0))
    assert edge_grades(road_map) == pytest.approx([0.0, 0.04, 0.10], abs=2e-3)
    found = grade_percentiles(road_map)
    assert found == pytest.approx(
        {"p50": 0.0, "p75": 0.04, "p90": 0.04, "p95": 0.10, "p99": 0.10}, abs=2e-3
    )


def test_a_crest_inside_an_edge_does_not_cancel(build: Build) -> None:
    flat = build({1: (0, 0), 2: (1000, 0)}, {7: ([1, 2], STREET)})
    crest = Terrain(lambda east, _north: 100 - 0.05 * np.abs(east - 500))
    road_map = with_heights(flat, crest)
    assert edge_grades(road_map) == pytest.approx(0.0, abs=1e-3)
    assert absolute_edge_grades(road_map) == pytest.approx(0.05, abs=5e-3)


@pytest.mark.parametrize("name", ["spacing_m", "smoothing_m", "clearance_m"])
def test_lengths_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be > 0"):
        HeightParams(**{name: 0.0})


def test_least_energy_is_that_of_a_general_solver() -> None:
    """A convex piecewise quadratic in 12 unknowns with 60 bounds, against BFGS."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_array

    draw = rng.stream(7, "least energy")
    root = draw.normal(size=(12, 12))
    problem = BoundedEnergy(
        energy=csr_array(root @ root.T + np.eye(12)).tocsc(),
        load=draw.normal(size=12),
        bound=csr_array(draw.normal(size=(60, 12))),
        least=draw.normal(size=60),
        weight=draw.uniform(0.5, 50.0, 60),
        hard=np.zeros(60, dtype=np.bool_),
    )
    found = problem.minimum()
    other = minimize(problem.value, np.zeros(12), method="BFGS", options={"gtol": 1e-7})
    assert problem.value(found) <= other.fun + 1e-9
    assert found == pytest.approx(other.x, abs=1e-4)


def test_hard_bounds_hold_whatever_soft_ones_cost() -> None:
    """Two heights drawn together, against each other's bounds, next to SLSQP."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_array

    rows = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, 0.0]])
    problem = BoundedEnergy(
        energy=csr_array(np.array([[2.0, -1.0], [-1.0, 2.0]])).tocsc(),
        load=np.array([0.3, -0.2]),
        bound=csr_array(rows),
        least=np.array([6.0, -2.0, 4.0]),
        weight=np.array([1.0, 1e3, 50.0]),
        hard=np.array([True, False, False]),
    )
    found = problem.minimum()
    assert found[0] - found[1] >= 6.0 - HARD_WITHIN

    def soft(z: NDArray[np.float64]) -> float:
        lack = np.maximum(0.0, problem.least - rows @ z)[1:]
        energy = 0.5 * z @ (problem.energy @ z) - problem.load @ z
        return float(energy + 0.5 * problem.weight[1:] @ lack**2)

    other = minimize(
        soft,
        np.array([6.0, 0.0]),
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda z: z[0] - z[1] - 6.0},
        options={"ftol": 1e-12},
    )
    assert found == pytest.approx(other.x, abs=1e-3)


def test_contradicting_hard_bounds_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    from scipy.sparse import csr_array

    problem = BoundedEnergy(
        energy=csr_array(np.eye(1)).tocsc(),
        load=np.zeros(1),
        bound=csr_array(np.array([[1.0], [-1.0]])),
        least=np.array([1.0, 1.0]),
        weight=np.array([10.0, 10.0]),
        hard=np.array([True, True]),
    )
    assert problem.minimum() == pytest.approx(0.0, abs=1e-6)
    assert "contradict each other by up to 1" in caplog.text


def test_clearance_is_kept_and_grades_give_way(build: Build) -> None:
    """A bridge on level 8 over a road that it leaves 150 m before: 7 % allow 35 m, not 48 m."""
    nodes = {1: (-900, 0), 2: (0, 0), 3: (130, 0), 4: (170, 0), 5: (300, 0), 6: (150, -150),
             7: (150, 150)}  # fmt: skip
    deck = {**TRUNK, "bridge": "yes", "layer": "8"}
    ways = {
        1: ([1, 2], TRUNK), 2: ([2, 3], TRUNK), 3: ([3, 4], deck), 4: ([4, 5], TRUNK),
        5: ([2, 6, 7, 5], TRUNK),
    }  # fmt: skip
    road_map = with_heights(build(nodes, ways), None)
    found = clearances(road_map)
    assert found.levels.tolist() == [8]
    assert 48.0 <= found.gap_m[0] <= 48.01
    steep = grade_violations(road_map)
    assert steep.n_edges >= 2
    assert 0.02 < steep.worst < 0.2


def test_ground_pushes_decks_up_and_tunnels_down(build: Build) -> None:
    """A swell of 20 m and 900 m under a long viaduct, a trough of the same size over a tunnel."""
    nodes = {1: (-500, 0), 2: (0, 0), 3: (3000, 0), 4: (3500, 0)}
    for tags, sign in (({"bridge": "yes"}, 1.0), ({"tunnel": "yes"}, -1.0)):
        flat = build(nodes, {6: ([1, 2], TRUNK), 7: ([2, 3], TRUNK | tags), 8: ([3, 4], TRUNK)})
        wave = np.pi / 900

        def height(east: Any, _n: Any, sign: float = sign, wave: float = wave) -> Any:
            swell = np.where(np.abs(east - 1500) < 450, np.cos(wave * (east - 1500)), 0.0)
            return 200 + sign * 20 * swell

        terrain = Terrain(height)
        road_map = with_heights(flat, terrain)
        inside = points(road_map, edge_of_way(road_map, 7))
        wrong_m = sign * (terrain_under(road_map, terrain) - road_map.point_z_m)[inside]
        assert wrong_m.max() < 1.0
        ends = road_map.point_z_m[inside][[0, -1]]
        assert ends == pytest.approx(200.0, abs=1.0)
        assert road_map.terrain is not None
        on_it = road_map.terrain.at(road_map.point_x_m[inside], road_map.point_y_m[inside])
        if sign > 0:
            assert (on_it <= road_map.point_z_m[inside] + 0.2).all()


def test_grade_violations_are_counted_by_edge_and_length(build: Build) -> None:
    """400 m at 10 % on a trunk road, which is built at 7 %, beside a street, which may."""
    nodes = {1: (0, 0), 2: (600, 0), 3: (1000, 0), 4: (1000, 400)}
    flat = build(nodes, {5: ([1, 2, 3], TRUNK), 6: ([3, 4], {**STREET, "oneway": "yes"})})
    lifted = replace(polylines_of(flat), z_m=np.interp(flat.point_x_m, [0, 600, 1000], [0, 0, 0]))
    assert grade_violations(with_polylines(flat, lifted)) == GradeViolations(0, 0.0, 0.0)
    east_m = flat.point_x_m - flat.point_x_m.min()
    north_m = flat.point_y_m - flat.point_y_m.min()
    z_m = 0.10 * np.maximum(0.0, east_m - 600.0) + 0.15 * north_m
    found = grade_violations(with_polylines(flat, replace(lifted, z_m=z_m)))
    assert found.n_edges == 1
    assert found.length_m == pytest.approx(np.hypot(400, 40), rel=2e-3)
    # The metres of the test are a hundredth beside those of the map.
    assert found.worst == pytest.approx(0.03, abs=3e-3)
