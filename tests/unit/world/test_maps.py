"""The map that comes with the package."""

from __future__ import annotations

import hashlib
import importlib.util
from types import ModuleType

import numpy as np
import pytest

from v2x.world.connectivity import entry_nodes, exit_nodes, mainline_nodes
from v2x.world.grades import max_grade
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import builtin_map, load_map, summary
from v2x.world.structures import clearances, grade_violations
from v2x.world.tubes import find_tubes

MAPS = builtin_map("chongqing-central").parent


@pytest.fixture(scope="module")
def road_map() -> RoadMap:
    return load_map(builtin_map("chongqing-central"))


def maker() -> ModuleType:
    path = MAPS / "make_chongqing.py"
    if not path.is_file():
        pytest.skip("the maker is not installed")
    spec = importlib.util.spec_from_file_location("make_chongqing", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_maker_makes_the_compiled_map(road_map: RoadMap) -> None:
    """Up to 2 mm in height and a decimetre of terrain, for machines may round differently."""
    made = maker().make()
    for name in ("point_x_m", "point_y_m", "edge_from", "edge_to", "edge_lanes", "edge_level"):
        np.testing.assert_array_equal(getattr(made, name), getattr(road_map, name))
    assert made.point_z_m == pytest.approx(road_map.point_z_m, abs=2e-3)
    assert made.terrain.height_m == pytest.approx(road_map.terrain.height_m, abs=0.11)
    np.testing.assert_array_equal(made.terrain.water, road_map.terrain.water)
    assert (made.edge_name, made.report) == (road_map.edge_name, road_map.report)


def test_the_readme_knows_the_files() -> None:
    text = (MAPS / "README.md").read_text(encoding="utf-8")
    assert "© OpenStreetMap contributors" in text
    for path in (MAPS / "chongqing-central.osm.gz", MAPS / "chongqing-central.v2xmap"):
        line = next(line for line in text.splitlines() if f"`{path.name}`" in line)
        assert hashlib.sha256(path.read_bytes()).hexdigest() in line


def test_size_and_structures(road_map: RoadMap) -> None:
    figures = summary(road_map)
    assert road_map.attribution == "© OpenStreetMap contributors"
    assert (figures["n_nodes"], figures["n_edges"]) == (940, 1006)
    assert figures["km"] == pytest.approx(273.5, abs=0.1)
    assert figures["bridge_km"] == pytest.approx(77.8, abs=0.1)
    assert figures["tunnel_km"] == pytest.approx(27.3, abs=0.1)
    assert figures["levels"] == [-4, 4]
    assert (figures["n_mainline_entries"], figures["n_mainline_exits"]) == (14, 14)
    assert figures["n_signals"] == 2
    assert figures["defaults_used"] == {"lanes": 552, "maxspeed": 1003}


def test_every_mainline_exit_is_reached_from_every_mainline_entry(road_map: RoadMap) -> None:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = csr_array(
        (road_map.edge_length_m, (road_map.edge_from, road_map.edge_to)),
        shape=(road_map.n_nodes, road_map.n_nodes),
    )
    entries = mainline_nodes(road_map, entry_nodes(road_map))
    exits = mainline_nodes(road_map, exit_nodes(road_map))
    distance_m = dijkstra(graph, indices=entries)[:, exits]
    assert distance_m.shape == (14, 14)
    assert np.isfinite(distance_m).all()


def test_grades_are_those_of_expressways(road_map: RoadMap) -> None:
    figures = summary(road_map)
    assert max_grade(road_map) == pytest.approx(0.0837, abs=0.001)
    assert 0.01 < figures["grade_percentiles"]["p50"] < 0.02
    assert 0.035 < figures["grade_percentiles"]["p95"] < 0.05
    assert figures["point_grade_percentiles"]["p99"] < 0.08


def heights_m(road_map: RoadMap, name: str, structure: Structure) -> np.ndarray:
    """Return the heights of all points of the named bridge or tunnel."""
    edges = [
        e
        for e in range(road_map.n_edges)
        if road_map.edge_name[e] == name and road_map.edge_structure[e] == structure
    ]
    first = road_map.first_point
    return np.concatenate([road_map.point_z_m[first[e] : first[e + 1]] for e in edges])


@pytest.mark.parametrize(
    "bridge", ["朝天门大桥", "寸滩长江大桥", "郭家沱长江大桥", "石板坡长江大桥", "鹅公岩大桥"]
)
def test_river_bridges_stand_at_the_height_of_the_banks(road_map: RoadMap, bridge: str) -> None:
    deck_m = heights_m(road_map, bridge, Structure.BRIDGE)
    # Terraces at 210 to 250 m; the water is at 168 m.
    assert deck_m.min() > 210
    assert deck_m.max() < 255
    assert np.ptp(deck_m) < 25


def test_tunnels_run_level_under_the_ridges(road_map: RoadMap) -> None:
    """Portals at 210 to 320 m, the ridges up to 260 m above the road."""
    for name in ("峡江路", "包茂高速", "嘉华隧道", "石黄隧道"):
        tube_m = heights_m(road_map, name, Structure.TUNNEL)
        assert tube_m.min() > 210
        assert tube_m.max() < 320
    tubes = find_tubes(road_map)
    assert (tubes.n_tubes, len(tubes.portal_tube)) == (41, 84)
    assert 210 < tubes.portal_z_m.min() < tubes.portal_z_m.max() < 320


def test_roads_lie_on_the_ground_and_structures_do_not(road_map: RoadMap) -> None:
    terrain = road_map.terrain
    assert terrain is not None
    assert terrain.step_m == 20.0
    x, y = road_map.point_x_m, road_map.point_y_m
    above_m = road_map.point_z_m - terrain.at(x, y)
    edge = np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point))
    structure = road_map.edge_structure[edge]
    on_ground = above_m[structure == Structure.GROUND]
    assert on_ground.min() > -0.3
    assert np.percentile(on_ground, 95) < 1.5
    assert above_m[structure == Structure.BRIDGE].min() > -0.3
    # 2.0 and 2.5 km under the ridges.
    assert above_m[structure == Structure.TUNNEL].min() < -200
    figures = summary(road_map)["terrain"]
    assert figures["decks_below_km"] == 0.0
    assert figures["tunnels_above_km"] < 0.5
    # Two rivers 400 and 500 m wide in 23 by 17 km.
    assert 0.04 < figures["water"] < 0.08
    assert figures["lowest_m"] == pytest.approx(168.0)


def test_decks_stand_58_to_80_m_over_the_rivers(road_map: RoadMap) -> None:
    """Terraces at 210 to 250 m, water at 168 m; chongqing_facts.md 3 gives 50 to 85 m."""
    terrain = road_map.terrain
    assert terrain is not None
    edge = np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point))
    over = terrain.is_water(road_map.point_x_m, road_map.point_y_m)
    assert set(road_map.edge_structure[edge[over]].tolist()) == {int(Structure.BRIDGE)}
    over_water_m = road_map.point_z_m[over] - 168.0
    assert 50 < over_water_m.min() < over_water_m.max() < 85


def test_the_file_stays_small(road_map: RoadMap) -> None:
    assert builtin_map("chongqing-central").stat().st_size < 1_000_000


def test_the_five_levels_of_huangjuewan_lie_above_each_other(road_map: RoadMap) -> None:
    """Around 29.588 N, 106.601 E; each layer is on average higher above the lowest."""
    x_m = 656_270.0 - 1_000.0 - road_map.origin_x_m
    y_m = 3_274_300.0 - road_map.origin_y_m
    near = np.hypot(road_map.point_x_m - x_m, road_map.point_y_m - y_m) < 400
    edge = np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point))
    level = road_map.edge_level[edge]
    assert set(level[near].tolist()) >= {0, 1, 2, 3, 4}
    found = clearances(road_map)
    assert len(found.gap_m) == 349
    assert (found.gap_m >= 6.0 * found.levels).all()
    assert found.n_unordered == 0
    steep = grade_violations(road_map)
    assert steep.n_edges == 5
    assert steep.length_m == pytest.approx(378, abs=5)
    assert steep.worst < 0.005
    # The least that gauges ask for: the top deck is published at 37 m above the ground.
    top = near & (level == 4)
    assert road_map.point_z_m[top].max() - road_map.point_z_m[near].min() == pytest.approx(
        30.5, abs=0.5
    )
