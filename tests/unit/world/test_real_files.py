"""Real extracts and elevation tiles of the reference data; figures from their README."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from v2x.world.connectivity import strong_parts
from v2x.world.osm import import_osm
from v2x.world.osm_tags import DRIVE_CLASSES, road_attributes
from v2x.world.osm_xml import OsmExtract, read_osm_xml
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import summary

Find = Callable[[str], Path]


def raw_drive_edges(extract: OsmExtract) -> tuple[int, int]:
    """Count drive nodes and directed edges between neighbouring nodes, reversible ways twice."""
    nodes: set[int] = set()
    n_edges = 0
    for way in extract.ways:
        if way.tags["highway"] not in DRIVE_CLASSES:
            continue
        road = road_attributes(way.tags)
        directions = (road.lanes_forward > 0) + (road.lanes_backward > 0)
        if way.tags.get("oneway") == "reversible":
            directions = 2
        nodes.update(way.node_ids)
        n_edges += directions * (len(way.node_ids) - 1)
    return len(nodes), n_edges


@pytest.mark.parametrize(
    ("name", "n_nodes", "n_highways", "n_drive_nodes", "n_drive_edges"),
    [
        ("andorra-2013", 69_385, 1_614, 15_985, 30_622),
        ("monaco-2012", 13_739, 866, 2_651, 4_228),
        ("seattle-i5-exit-ramp", 1_157, 136, 156, 259),
        ("arizona-highways", 2_025, 76, 179, 190),
        ("chongqing-central", 4_540, 890, 4_540, 4_600),
    ],
)
def test_counts_of_the_files(
    shared_file: Find,
    name: str,
    n_nodes: int,
    n_highways: int,
    n_drive_nodes: int,
    n_drive_edges: int,
) -> None:
    extract = read_osm_xml(shared_file(f"{name}.osm.gz"))
    assert len(extract.node_id) == n_nodes
    assert len(extract.ways) == n_highways
    assert raw_drive_edges(extract) == (n_drive_nodes, n_drive_edges)


def whole_km(road_map: RoadMap) -> float:
    """Return the directed length of a map with the parts that were left out [km]."""
    left_out = road_map.report.dropped.get("km_in_smaller_parts", 0.0)
    return float(road_map.edge_length_m.sum()) / 1000.0 + left_out


def check_buildings(road_map: RoadMap, n_buildings: int) -> None:
    """All closed ways tagged building; the two old files map neither heights nor storeys."""
    houses = road_map.buildings
    assert houses is not None
    assert houses.n_buildings == n_buildings
    assert road_map.report.defaults_used["building_height"] == n_buildings
    assert houses.top_m - houses.base_m == pytest.approx(9.0)


def check_ground(road_map: RoadMap) -> None:
    """Roads on the ground lie on the terrain, and no deck lies below it."""
    assert road_map.terrain is not None
    x, y = road_map.point_x_m, road_map.point_y_m
    above_m = road_map.point_z_m - road_map.terrain.at(x, y)
    structure = np.repeat(road_map.edge_structure, np.diff(road_map.first_point))
    on_ground = above_m[structure == Structure.GROUND]
    assert on_ground.min() > -0.3
    assert np.percentile(on_ground, 95) < 2.0
    assert above_m[structure == Structure.BRIDGE].min() > -0.3


def test_andorra_with_its_terrain(shared_file: Find) -> None:
    """A whole country: 753.7 km, bridges 6.3 km, grades p50 6 %, p95 10.5 to 11.5 %."""
    road_map = import_osm(
        shared_file("andorra-2013.osm.gz"), elevation=shared_file("N42E001.hgt.zip")
    )
    figures = summary(road_map)
    assert figures["n_nodes"] == pytest.approx(1_451, rel=0.02)
    assert figures["n_edges"] == pytest.approx(2_883, rel=0.02)
    assert whole_km(road_map) == pytest.approx(753.7, rel=0.005)
    assert figures["bridge_km"] == pytest.approx(6.3, abs=0.05)
    bridges = road_map.edge_structure == Structure.BRIDGE
    tunnels = road_map.edge_structure == Structure.TUNNEL
    assert int(bridges.sum()) == pytest.approx(209, abs=4)
    assert int(tunnels.sum()) == pytest.approx(19, abs=1)
    assert figures["levels"] == [-1, 3]
    grades = figures["grade_percentiles"]
    assert grades["p50"] == pytest.approx(0.06, abs=0.01)
    assert 0.10 < grades["p95"] < 0.12
    assert figures["max_grade"] < 0.205
    # Valley floor to the highest pass, the Port d'Envalira at 2,408 m.
    assert 800 < road_map.point_z_m.min() < 900
    assert road_map.point_z_m.max() == pytest.approx(2_408, abs=30)
    assert "7652 void cells" in road_map.report.notes[0]
    assert np.bincount(strong_parts(road_map)).max() > 0.98 * road_map.n_nodes
    # Untagged lanes are nearly all; posted limits a fifth.
    assert figures["defaults_used"]["lanes"] > 2_700
    check_buildings(road_map, 292)
    assert figures["voids_filled"] == 7652
    assert figures["n_stacked_pairs"] == 16
    assert figures["min_stack_clearance_m"] >= 6.0
    assert figures["grade_violations"]["edges"] == 0
    # 589 m of decks lie below the raster, which is cut; galleries stand above it.
    assert figures["terrain"]["decks_below_km"] == 0.0
    assert figures["terrain"]["tunnels_above_km"] < 0.5
    assert figures["terrain"]["step_m"] == 20.0
    check_ground(road_map)
    # 82 lakes, 9 stretches of river banks and 7 reservoirs, of 620 square kilometres.
    assert figures["terrain"]["water"] == pytest.approx(0.0026, abs=5e-4)
    assert 2_200 < figures["defaults_used"]["maxspeed"] < 2_600


def test_monaco_with_its_terrain(shared_file: Find) -> None:
    """A town on a slope: 85.4 km, grades p50 4.9 %, p95 13.8 %."""
    road_map = import_osm(
        shared_file("monaco-2012.osm.gz"), elevation=shared_file("N43E007.hgt.zip")
    )
    figures = summary(road_map)
    assert figures["n_nodes"] == pytest.approx(427, rel=0.02)
    assert figures["n_edges"] == pytest.approx(790, rel=0.02)
    assert whole_km(road_map) == pytest.approx(85.4, rel=0.005)
    assert int((road_map.edge_structure == Structure.BRIDGE).sum()) == 19
    assert int((road_map.edge_structure == Structure.TUNNEL).sum()) == 80
    assert figures["levels"] == [-2, 2]
    assert figures["n_signals"] == 7
    grades = figures["grade_percentiles"]
    assert grades["p50"] == pytest.approx(0.049, abs=0.015)
    assert grades["p95"] == pytest.approx(0.138, abs=0.025)
    check_buildings(road_map, 960)
    assert figures["min_stack_clearance_m"] >= 6.0
    assert figures["terrain"]["step_m"] == 10.0
    check_ground(road_map)
    # The tunnels keep to half the height of the rock above them.
    assert road_map.point_z_m.min() > -5
    assert road_map.point_z_m.max() < 600


def test_seattle_without_terrain(shared_file: Find) -> None:
    """A freeway exit beside a high bridge; the extract falls into parts of which one is kept."""
    road_map = import_osm(shared_file("seattle-i5-exit-ramp.osm.gz"))
    assert whole_km(road_map) == pytest.approx(8.84, abs=0.05)
    assert road_map.report.dropped["edges_in_smaller_parts"] == 20
    assert "the ground is level" in road_map.report.notes[0]
    defaults = dict(road_map.report.defaults_used)
    assert road_map.buildings is not None
    assert (defaults.pop("building_height"), road_map.buildings.n_buildings) == (24, 47)
    assert defaults == {"maxspeed": 3, "oneway": 6}
    mph = road_map.edge_limit_mps / 0.44704
    assert set(mph[road_map.edge_limit_mps > 11.2].round(6)) <= {60.0, 40.0 / 1.609344}
    assert int(road_map.node_signal.sum()) == 2


def test_arizona_without_terrain(shared_file: Find) -> None:
    road_map = import_osm(shared_file("arizona-highways.osm.gz"))
    assert whole_km(road_map) == pytest.approx(6.72, abs=0.03)
    assert int(road_map.node_signal.sum()) == 9
    defaults = dict(road_map.report.defaults_used)
    assert defaults.pop("building_height") == 8
    assert defaults == {"maxspeed": 31}
    assert set((road_map.edge_limit_mps / 0.44704).round(4)) >= {45.0}


def test_chongqing_is_one_piece_with_its_entries_and_exits(shared_file: Find) -> None:
    """osmnx: 953 nodes, 1,013 edges, the weak part 939 nodes, 275.5 km, longest edge 2,485 m."""
    road_map = import_osm(shared_file("chongqing-central.osm.gz"), elevation="chongqing")
    figures = summary(road_map)
    dropped = road_map.report.dropped
    assert figures["n_nodes"] == pytest.approx(939, abs=3)
    assert figures["n_edges"] + dropped["edges_in_smaller_parts"] == pytest.approx(1_013, abs=3)
    assert whole_km(road_map) == pytest.approx(275.5, rel=0.002)
    assert (figures["n_mainline_entries"], figures["n_mainline_exits"]) == (14, 14)
    assert int((road_map.edge_structure == Structure.BRIDGE).sum()) == pytest.approx(337, abs=2)
    assert int((road_map.edge_structure == Structure.TUNNEL).sum()) == 47
    assert np.bincount(strong_parts(road_map)).max() == pytest.approx(343, abs=2)
    assert road_map.edge_length_m.max() == pytest.approx(2_485, abs=5)
    ways_left_out = 890 - 882
    assert dropped["edges_in_smaller_parts"] == ways_left_out
