from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.grades import edge_grades
from v2x.world.osm import cache_folder, fetch_bbox, fetch_place, import_osm
from v2x.world.road_map import RoadMap, Structure

STREET = {"highway": "residential", "lanes": "2", "maxspeed": "30"}
TOWN = {
    1: (0, 0), 2: (200, 0), 3: (400, 0, {"highway": "traffic_signals"}), 4: (600, 0),
    5: (400, 300), 6: (450, 400), 7: (200, -300), 8: (200, -150),
}  # fmt: skip
TOWN_WAYS = {
    11: ([1, 2, 3, 4], {**STREET, "highway": "secondary", "lanes": "4", "name": "长江路"}),
    12: ([3, 5, 6], {**STREET, "oneway": "yes", "incline": "4%"}),
    13: ([8, 2], {**STREET, "bridge": "yes", "layer": "1", "lanes": "3", "lanes:forward": "2"}),
    14: ([8, 7], {**STREET, "oneway": "-1", "lanes": "1"}),
}


def by_nodes(road_map: RoadMap) -> dict[tuple[int, int], dict[str, Any]]:
    """Return what is known of each edge, by the ids of its nodes."""
    ids = road_map.node_osm_id
    return {
        (int(ids[road_map.edge_from[e]]), int(ids[road_map.edge_to[e]])): {
            "length_m": round(float(road_map.edge_length_m[e]), 2),
            "lanes": int(road_map.edge_lanes[e]),
            "limit": round(float(road_map.edge_limit_mps[e]), 6),
            "structure": int(road_map.edge_structure[e]),
            "level": int(road_map.edge_level[e]),
            "class": road_map.class_names[road_map.edge_class[e]],
            "name": road_map.edge_name[e],
            "n_points": int(road_map.first_point[e + 1] - road_map.first_point[e]),
        }
        for e in range(road_map.n_edges)
    }


def test_import_of_a_file(osm_file: Callable[..., Path]) -> None:
    road_map = import_osm(osm_file(TOWN, TOWN_WAYS, "kleinstadt.osm.gz"))
    assert road_map.name == "kleinstadt"
    assert road_map.attribution == "© OpenStreetMap contributors"
    found = by_nodes(road_map)
    pairs = {(1, 2), (2, 1), (2, 3), (3, 2), (3, 4), (4, 3), (3, 6), (2, 8), (8, 2), (7, 8)}
    assert set(found) == pairs
    assert found[2, 8]["structure"] == Structure.BRIDGE
    assert (found[2, 8]["lanes"], found[8, 2]["lanes"]) == (1, 2)
    assert found[2, 3] | {"length_m": 0, "n_points": 0} == {
        "length_m": 0, "lanes": 2, "limit": round(30 / 3.6, 6), "structure": 0, "level": 0,
        "class": "secondary", "name": "长江路", "n_points": 0,
    }  # fmt: skip
    assert import_osm(osm_file(TOWN, TOWN_WAYS), name="my town").name == "my town"


@pytest.mark.parametrize("simplified", [False, True])
def test_a_graph_saved_by_osmnx_gives_the_same_map(
    osm_file: Callable[..., Path], tmp_path: Path, simplified: bool
) -> None:
    import osmnx

    source = osm_file(TOWN, TOWN_WAYS)
    before = list(osmnx.settings.useful_tags_way)
    osmnx.settings.useful_tags_way = [*before, "layer", "incline", "lanes:forward"]
    try:
        graph = osmnx.graph_from_xml(source, simplify=False, retain_all=True)
        if simplified:
            graph = osmnx.simplify_graph(
                graph, node_attrs_include=["highway"], edge_attrs_differ=["osmid"]
            )
        osmnx.save_graphml(graph, tmp_path / "town.graphml")
        osmnx.save_graphml(osmnx.project_graph(graph), tmp_path / "projected.graphml")
    finally:
        osmnx.settings.useful_tags_way = before
    expected = import_osm(source)
    for name in ("town", "projected"):
        road_map = import_osm(tmp_path / f"{name}.graphml")
        assert by_nodes(road_map) == by_nodes(expected)
        assert road_map.name == name
        ids = road_map.node_osm_id
        assert ids[road_map.node_signal].tolist() == [3]


def test_bad_graphs_are_one_clear_error(tmp_path: Path) -> None:
    for content in ("", "<graphml/>", "<osm/>", "not xml"):
        path = tmp_path / "bad.graphml"
        path.write_text(content)
        with pytest.raises(V2XError, match="not a street graph") as caught:
            import_osm(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(V2XError, match="no such file"):
        import_osm(tmp_path / "missing.graphml")


@pytest.mark.parametrize("name", ["town.osm.pbf", "town.geojson", "town"])
def test_other_files_are_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    with pytest.raises(V2XError, match=r"osmium cat"):
        import_osm(tmp_path / name)


def test_heights_from_ele_tags_if_half_of_the_nodes_have_one(osm_file: Callable[..., Path]) -> None:
    def tagged(share: float) -> dict[int, Any]:
        ends = {1: 100.0, 4: 130.0, 6: 131.0, 7: 95.0, 2: 110.0, 3: 120.0, 8: 109.0}
        count = round(share * len(ends))
        return TOWN | {k: (*TOWN[k][:2], {"ele": str(h)}) for k, h in list(ends.items())[:count]}

    road_map = import_osm(osm_file(tagged(1.0), TOWN_WAYS))
    assert "7 nodes with a tag ele" in road_map.report.notes[0]
    height = dict(zip(road_map.node_osm_id.tolist(), road_map.node_z_m, strict=True))
    assert height[4] == pytest.approx(130.0, abs=2.0)
    assert height[1] == pytest.approx(100.0, abs=2.0)
    road_map = import_osm(osm_file(tagged(0.2), TOWN_WAYS))
    assert "ele" not in road_map.report.notes[0]
    assert np.abs(road_map.point_z_m).max() < 20


def test_heights_from_inclines_where_there_is_nothing_else(osm_file: Callable[..., Path]) -> None:
    road_map = import_osm(osm_file(TOWN, TOWN_WAYS))
    ids = road_map.node_osm_id
    up = (ids[road_map.edge_from] == 3) & (ids[road_map.edge_to] == 6)
    assert edge_grades(road_map)[up] == pytest.approx([0.04], abs=4e-3)
    assert np.abs(edge_grades(road_map)[~up]).max() < 4e-3
    assert "slopes from mapped inclines" in road_map.report.notes[0]


def test_level_ground_without_any_height(osm_file: Callable[..., Path]) -> None:
    ways = TOWN_WAYS | {12: ([3, 5, 6], STREET)}
    road_map = import_osm(osm_file(TOWN, ways))
    assert not np.abs(road_map.point_z_m).any()
    assert "the ground is level" in road_map.report.notes[0]


def test_inclines_check_an_elevation(osm_file: Callable[..., Path]) -> None:
    class Falling:
        description = "falls to the north"

        def height_m(self, latitude_deg: Any, longitude_deg: Any) -> Any:
            return 500 - 0.03 * (np.asarray(latitude_deg) - 29.5) * 110_850 + 0 * longitude_deg

    road_map = import_osm(osm_file(TOWN, TOWN_WAYS), elevation=Falling())
    assert road_map.report.notes[0] == "falls to the north"
    assert "1 edges have a mapped incline, 1 slope the other way" in road_map.report.notes
    ways = TOWN_WAYS | {12: ([3, 5, 6], {**STREET, "oneway": "yes", "incline": "down"})}
    road_map = import_osm(osm_file(TOWN, ways), elevation=Falling())
    assert "1 edges have a mapped incline, 0 slope the other way" in road_map.report.notes


def test_an_elevation_may_be_named(osm_file: Callable[..., Path], tmp_path: Path) -> None:
    road_map = import_osm(osm_file(TOWN, TOWN_WAYS), elevation="chongqing")
    assert "analytic surface" in road_map.report.notes[0]
    assert 150 < road_map.point_z_m.mean() < 400
    with pytest.raises(V2XError, match="cannot be read"):
        import_osm(osm_file(TOWN, TOWN_WAYS), elevation=tmp_path / "N29E106.hgt")


def test_clearances_are_noted(osm_file: Callable[..., Path]) -> None:
    nodes = {**TOWN, 20: (100, -200), 21: (100, 300), 22: (100, -50), 23: (100, 50)}
    ways = TOWN_WAYS | {
        20: ([7, 20, 22], STREET),
        21: ([22, 23], {**STREET, "bridge": "yes", "layer": "1"}),
        22: ([23, 21], STREET),
    }
    notes = import_osm(osm_file(nodes, ways)).report.notes
    assert "above each other at 1 places, the closest 6.0 m apart; at 0 of them" in notes[-1]


@pytest.fixture
def overpass(monkeypatch: pytest.MonkeyPatch, osm_file: Callable[..., Path]) -> dict[str, Any]:
    """Answer requests for graphs from a file, or raise what the test wants; note the settings."""
    import osmnx

    seen: dict[str, Any] = {"error": None}

    def answer(*args: Any, **kwargs: Any) -> Any:
        seen.update(args=args, kwargs=kwargs)
        seen["settings"] = (osmnx.settings.cache_folder, list(osmnx.settings.useful_tags_way))
        if seen["error"] is not None:
            raise seen["error"]
        source = osm_file(TOWN, TOWN_WAYS)
        return osmnx.graph_from_xml(source, simplify=False, retain_all=True)

    monkeypatch.setattr(osmnx, "graph_from_place", answer)
    monkeypatch.setattr(osmnx, "graph_from_bbox", answer)
    return seen


def test_fetching_a_place_and_a_box(
    overpass: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import osmnx

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = (osmnx.settings.cache_folder, list(osmnx.settings.useful_tags_way))
    place = fetch_place("Kleinstadt")
    assert overpass["args"] == ("Kleinstadt",)
    folder, tags = overpass["settings"]
    assert Path(folder) == tmp_path / "cache" / "v2x" / "overpass" == cache_folder()
    assert {"layer", "incline", "lanes:forward"} <= set(tags)
    assert (osmnx.settings.cache_folder, list(osmnx.settings.useful_tags_way)) == before
    assert (place.name, place.n_edges) == ("Kleinstadt", 10)
    box = fetch_bbox(106.4, 29.4, 106.6, 29.6, name="box")
    assert overpass["args"] == ((106.4, 29.4, 106.6, 29.6),)
    assert by_nodes(box) == by_nodes(place)
    assert box.edge_level.max() == 1


def test_without_a_network_there_is_one_line_that_says_what_to_do(overpass: dict[str, Any]) -> None:
    import requests

    overpass["error"] = requests.exceptions.ConnectionError("Max retries\nexceeded with url")
    for ask in (lambda: fetch_place("Monaco"), lambda: fetch_bbox(7.40, 43.72, 7.44, 43.75)):
        with pytest.raises(V2XError) as caught:
            ask()
        text = str(caught.value)
        assert "not reachable" in text
        assert "get an extract by hand" in text
        assert "\n" not in text


def test_places_that_nobody_knows_and_refusals(overpass: dict[str, Any]) -> None:
    from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError

    overpass["error"] = InsufficientResponseError("Nominatim returned 0 results for 'Atlantis'")
    with pytest.raises(V2XError, match=r"'Atlantis'.*check the name"):
        fetch_place("Atlantis")
    overpass["error"] = ResponseStatusCodeError("429 Too Many Requests")
    with pytest.raises(V2XError, match=r"429 Too Many.*try again later"):
        fetch_place("Monaco")


@pytest.mark.parametrize("box", [(7, 44, 7, 45), (8, 43, 7, 44), (7, 44, 8, 43), (7, 43, 8, 95)])
def test_an_empty_box_is_refused_before_asking(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(V2XError, match="empty or not on the Earth"):
        fetch_bbox(*box)


def test_importing_the_module_imports_nothing_heavy() -> None:
    code = (
        "import sys; import v2x.world.osm, v2x.world.store, v2x.world.structures; "
        "print([m for m in ('osmnx', 'scipy', 'pyproj', 'shapely', 'pandas', 'rasterio') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
