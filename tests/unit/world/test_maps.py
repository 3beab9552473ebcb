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
from v2x.world.structures import clearances

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
    """Up to 2 mm in height, for another machine may round a sum differently."""
    made = maker().make()
    for name in ("point_x_m", "point_y_m", "edge_from", "edge_to", "edge_lanes", "edge_level"):
        np.testing.assert_array_equal(getattr(made, name), getattr(road_map, name))
    assert made.point_z_m == pytest.approx(road_map.point_z_m, abs=2e-3)
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
    assert max_grade(road_map) == pytest.approx(0.082, abs=0.002)
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
    for name in ("峡江路", "包茂高速", "嘉华隧道", "石黄隧道"):
        tube_m = heights_m(road_map, name, Structure.TUNNEL)
        assert tube_m.min() > 220
        assert tube_m.max() < 320


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
    assert (found.gap_m > 5.99).all()
    assert (found.gap_m < 6.0 * found.levels - 0.1).sum() == 2
    assert (found.gap_m > 6.0 * found.levels - 0.3).all()
    assert found.n_unordered == 0
