from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.geometry import twin_edges
from v2x.world.network import FlatNetwork, build_network
from v2x.world.osm_xml import read_osm_xml
from v2x.world.road_map import RoadMap, Structure

Build = Callable[..., FlatNetwork]
STREET = {"highway": "residential", "lanes": "2", "maxspeed": "30"}
ONE_WAY = {"highway": "trunk", "lanes": "3", "maxspeed": "60", "oneway": "yes"}
#: Five nodes in a row, 100 m apart, and one beside the third.
ROW = {1: (0, 0), 2: (100, 0), 3: (200, 0), 4: (300, 0), 5: (400, 0), 6: (200, 100)}


@pytest.fixture
def build(osm_file: Callable[..., Path]) -> Build:
    def from_parts(nodes: Any, ways: Any) -> FlatNetwork:
        return build_network(read_osm_xml(osm_file(nodes, ways)), name="town", file="town.osm")

    return from_parts


def edges(road_map: RoadMap) -> set[tuple[int, int]]:
    """Return the edges by the OpenStreetMap ids of their nodes."""
    osm_id = road_map.node_osm_id
    pairs = zip(osm_id[road_map.edge_from], osm_id[road_map.edge_to], strict=True)
    return {(int(a), int(b)) for a, b in pairs}


def test_a_two_way_street_is_two_edges_along_one_line(build: Build) -> None:
    road_map = build(ROW, {7: ([1, 2, 3], STREET)}).road_map
    assert edges(road_map) == {(1, 3), (3, 1)}
    assert twin_edges(road_map).tolist() == [1, 0]
    assert road_map.edge_lanes.tolist() == [1, 1]
    assert road_map.edge_length_m == pytest.approx([200.0, 200.0], rel=1e-3)
    assert road_map.edge_osm_way.tolist() == [7, 7]
    assert road_map.class_names[road_map.edge_class[0]] == "residential"
    assert road_map.crs == "EPSG:32648"
    assert road_map.attribution == "© OpenStreetMap contributors"


def test_chains_of_equal_ways_become_one_edge(build: Build) -> None:
    ways = {7: ([1, 2, 3], STREET), 8: ([5, 4, 3], STREET)}
    road_map = build(ROW, ways).road_map
    assert edges(road_map) == {(1, 5), (5, 1)}
    assert len(road_map.point_x_m) == 10
    # The first way of each direction of travel.
    assert sorted(road_map.edge_osm_way.tolist()) == [7, 8]


def test_one_way_chains_join_only_in_the_direction_of_travel(build: Build) -> None:
    against = {**ONE_WAY, "oneway": "-1"}
    road_map = build(ROW, {7: ([1, 2, 3], ONE_WAY), 8: ([5, 4, 3], against)}).road_map
    assert edges(road_map) == {(1, 5)}
    road_map = build(ROW, {7: ([1, 2, 3], ONE_WAY), 8: ([5, 4, 3], ONE_WAY)}).road_map
    assert edges(road_map) == {(1, 3), (5, 3)}


@pytest.mark.parametrize(
    "change",
    [
        {"bridge": "yes", "layer": "0"},
        {"tunnel": "yes", "layer": "0"},
        {"layer": "1"},
        {"lanes": "4"},
        {"maxspeed": "50"},
        {"name": "长江路"},
        {"highway": "unclassified"},
        {"incline": "5%"},
        {"oneway": "yes"},
    ],
)
def test_no_edge_runs_across_a_change(build: Build, change: dict[str, str]) -> None:
    ways = {7: ([1, 2, 3], STREET), 8: ([3, 4, 5], {**STREET, **change})}
    assert (1, 3) in edges(build(ROW, ways).road_map)


def test_a_change_of_other_tags_does_not_split(build: Build) -> None:
    ways = {
        7: ([1, 2, 3], STREET),
        8: ([3, 4, 5], {**STREET, "surface": "asphalt", "bridge": "no"}),
    }
    assert edges(build(ROW, ways).road_map) == {(1, 5), (5, 1)}


def test_signals_and_junctions_split(build: Build) -> None:
    nodes = {**ROW, 4: (300, 0, {"highway": "traffic_signals"})}
    road_map = build(nodes, {7: ([1, 2, 3, 4, 5], STREET), 8: ([3, 6], STREET)}).road_map
    pairs = {(1, 3), (3, 4), (4, 5), (3, 6)}
    assert edges(road_map) == pairs | {(b, a) for a, b in pairs}
    assert road_map.node_osm_id[road_map.node_signal].tolist() == [4]


def test_lanes_and_limits_follow_the_direction(build: Build) -> None:
    tags = {
        "highway": "primary",
        "lanes": "3",
        "lanes:forward": "1",
        "maxspeed:forward": "40",
        "maxspeed:backward": "60",
    }
    road_map = build(ROW, {7: ([1, 2, 3], tags)}).road_map
    forward = road_map.node_osm_id[road_map.edge_from] == 1
    assert road_map.edge_lanes[forward].tolist() == [1]
    assert road_map.edge_lanes[~forward].tolist() == [2]
    assert road_map.edge_limit_mps[forward] == pytest.approx([40 / 3.6])
    assert road_map.edge_limit_mps[~forward] == pytest.approx([60 / 3.6])


def test_inclines_turn_with_the_edge(build: Build) -> None:
    flat = build(ROW, {7: ([1, 2], {**STREET, "incline": "4%"}), 8: ([2, 3], STREET)})
    rising = {
        (int(a), int(b)): slope
        for a, b, slope in zip(
            flat.road_map.node_osm_id[flat.road_map.edge_from],
            flat.road_map.node_osm_id[flat.road_map.edge_to],
            flat.edge_incline,
            strict=True,
        )
    }
    assert rising[1, 2] == 0.04
    assert rising[2, 1] == -0.04
    assert np.isnan([rising[2, 3], rising[3, 2]]).all()
    assert sorted(flat.edge_incline_sign.tolist()) == [-1, 0, 0, 1]


def test_defaults_are_counted_by_edge(build: Build) -> None:
    ways = {
        7: ([1, 2], {"highway": "trunk", "oneway": "yes", "bridge": "yes"}),
        8: ([2, 3], {"highway": "residential", "lanes": "2"}),
        9: ([3, 4], {"highway": "residential", "oneway": "reversible", "maxspeed": "30"}),
    }
    report = build(ROW, ways).road_map.report
    assert dict(report.defaults_used) == {"lanes": 2, "layer": 1, "maxspeed": 3, "oneway": 1}


def test_what_is_not_for_motor_vehicles_is_dropped_and_counted(build: Build) -> None:
    ways = {
        6: ([1, 2], STREET),
        7: ([2, 3], {"highway": "footway"}),
        8: ([3, 4], {"highway": "construction"}),
        9: ([4, 5], {**STREET, "motor_vehicle": "no"}),
    }
    road_map = build(ROW, ways).road_map
    assert edges(road_map) == {(1, 2), (2, 1)}
    assert dict(road_map.report.dropped) == {
        "ways_closed_to_motor_vehicles": 1,
        "ways_of_other_classes": 2,
    }


def test_missing_nodes_cut_a_way(build: Build) -> None:
    ways = {7: ([98, 1, 2, 99, 3, 4, 5], STREET)}
    road_map = build(ROW, ways).road_map
    assert edges(road_map) == {(3, 5), (5, 3)}
    dropped = road_map.report.dropped
    assert dropped["way_nodes_missing"] == 2
    assert dropped["edges_in_smaller_parts"] == 2
    assert dropped["km_in_smaller_parts"] == pytest.approx(0.2, rel=1e-2)


def test_the_largest_part_is_kept_and_the_rest_reported(build: Build) -> None:
    ways = {7: ([1, 6], {**STREET, "oneway": "yes"}), 8: ([3, 4, 5], STREET), 9: ([4, 2], STREET)}
    road_map = build(ROW, ways).road_map
    assert 6 not in road_map.node_osm_id
    assert road_map.report.dropped["edges_in_smaller_parts"] == 1
    assert road_map.report.dropped["km_in_smaller_parts"] == pytest.approx(0.2236, rel=1e-2)


@pytest.mark.parametrize(
    "ways",
    [
        {7: ([1], STREET)},
        {7: ([], STREET)},
        {7: ([1, 1, 1], STREET)},
        {7: ([98, 99], STREET)},
        {7: ([1, 99, 2], STREET)},
        {7: ([1, 2], {"highway": "path"})},
        {7: ([1, 2], {**STREET, "access": "no"})},
    ],
)
def test_without_any_road_there_is_one_clear_error(build: Build, ways: Any) -> None:
    with pytest.raises(V2XError, match="no road in the file") as caught:
        build(ROW, ways)
    assert caught.value.file == "town.osm"


def test_ways_without_length_are_counted(build: Build) -> None:
    road_map = build(ROW, {7: ([1], STREET), 8: ([2, 2], STREET), 9: ([3, 4], STREET)}).road_map
    assert road_map.report.dropped["ways_without_length"] == 2


def test_two_ids_for_one_spot_are_one_node_if_a_way_joins_them(build: Build) -> None:
    nodes = {**ROW, 13: (200, 0)}
    road_map = build(nodes, {7: ([1, 2, 3, 13, 4], STREET), 8: ([13, 6], STREET)}).road_map
    assert edges(road_map) == {(1, 3), (3, 1), (3, 4), (4, 3), (3, 6), (6, 3)}
    assert road_map.edge_length_m.min() > 1.0


def test_two_ids_for_one_spot_stay_apart_on_different_ways(build: Build) -> None:
    """A bridge may have a node exactly over one of the street below."""
    nodes = {**ROW, 13: (200, 0), 7: (200, -100)}
    bridge = {**STREET, "bridge": "yes", "layer": "1"}
    ways = {7: ([1, 2, 3, 4, 5], STREET), 8: ([6, 13, 7], bridge), 9: ([1, 6], STREET)}
    road_map = build(nodes, ways).road_map
    assert 3 not in road_map.node_osm_id
    assert 13 not in road_map.node_osm_id


def test_loops_are_cut_so_that_no_edge_ends_where_it_begins(build: Build) -> None:
    nodes = {**ROW, 7: (500, 50), 8: (500, -50), 9: (550, 0)}
    ways = {7: ([1, 2, 3, 4, 5], STREET), 8: ([5, 7, 9, 8, 5], {**STREET, "oneway": "yes"})}
    road_map = build(nodes, ways).road_map
    assert edges(road_map) == {(1, 5), (5, 1), (5, 9), (9, 5)}
    assert (road_map.edge_from != road_map.edge_to).all()


def test_a_ring_without_junctions_and_a_way_there_and_back(build: Build) -> None:
    ring = build(ROW, {7: ([1, 2, 6, 1], {**STREET, "junction": "roundabout"})}).road_map
    assert ring.n_edges == 2
    assert ring.edge_from.tolist() == ring.edge_to.tolist()[::-1]
    back = build(ROW, {7: ([1, 2, 1], {**STREET, "oneway": "yes"})}).road_map
    assert edges(back) == {(1, 2), (2, 1)}


def test_a_ring_of_two_ways_keeps_its_whole_length(build: Build) -> None:
    ways = {7: ([1, 2, 3], ONE_WAY), 8: ([3, 6, 1], ONE_WAY)}
    road_map = build(ROW, ways).road_map
    assert road_map.edge_length_m.sum() == pytest.approx(200 + 100 + np.hypot(200, 100), rel=1e-3)
    assert (road_map.edge_from != road_map.edge_to).all()


def test_names_of_any_script_are_kept(build: Build) -> None:
    road_map = build(ROW, {7: ([1, 2], {**STREET, "name": " 黄桷湾立交 Ж ñ 🚗 "})}).road_map
    assert road_map.edge_name == ("黄桷湾立交 Ж ñ 🚗", "黄桷湾立交 Ж ñ 🚗")


def test_structure_and_level_reach_the_edges(build: Build) -> None:
    ways = {
        7: ([1, 2], ONE_WAY),
        8: ([2, 3], {**ONE_WAY, "bridge": "yes", "layer": "2"}),
        9: ([3, 4], {**ONE_WAY, "tunnel": "yes", "layer": "-3"}),
    }
    road_map = build(ROW, ways).road_map
    order = np.argsort(road_map.edge_osm_way)
    expected = [Structure.GROUND, Structure.BRIDGE, Structure.TUNNEL]
    assert road_map.edge_structure[order].tolist() == expected
    assert road_map.edge_level[order].tolist() == [0, 2, -3]


def test_southern_and_western_places_have_their_zone(tmp_path: Path) -> None:
    path = tmp_path / "south.osm"
    path.write_text(
        '<osm><node id="1" lat="-33.45" lon="-70.66"/><node id="2" lat="-33.46" lon="-70.66"/>'
        '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way></osm>'
    )
    road_map = build_network(read_osm_xml(path), name="s", file="s").road_map
    assert road_map.crs == "EPSG:32719"
    assert road_map.edge_length_m[0] == pytest.approx(1109.0, rel=2e-3)
