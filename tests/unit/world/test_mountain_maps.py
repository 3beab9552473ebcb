"""The Chongqing-like maps: sound as maps, and true to the published figures they are made from."""

from __future__ import annotations

import hashlib
import importlib.util
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.mobility.base import MobilityContext
from v2x.mobility.junctions import lane_network
from v2x.mobility.routed import RoutedParams, RoutedTraffic
from v2x.world.geometry import flatten
from v2x.world.grades import point_grades
from v2x.world.mountain import (
    blind_curve,
    expressway,
    hill_streets,
    ridge_crossing,
    river_bridge,
    twin_tunnel,
)
from v2x.world.mountain.alignment import Axis, radii_m
from v2x.world.mountain.draft import ATTRIBUTION
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import builtin_map, load_map
from v2x.world.structures import clearances
from v2x.world.terrain import Terrain
from v2x.world.tubes import find_tubes

MAPS = builtin_map("chongqing-central").parent
MODULES = {
    module.NAME: module
    for module in (
        blind_curve,
        expressway,
        hill_streets,
        ridge_crossing,
        river_bridge,
        twin_tunnel,
    )
}
DRAWN = tuple(MODULES)
ALL = (*DRAWN, "huangjuewan")
#: Steepest grade by limit [km/h]: JTG B01 to 100 km/h, CJJ 37 and mountain cities below (one per
#: cent more), and 12 % on old streets.
STEEPEST = {100.0: 0.04, 80.0: 0.052, 60.0: 0.06, 50.0: 0.07, 40.0: 0.09, 30.0: 0.12}


@pytest.fixture(scope="module")
def maps() -> dict[str, RoadMap]:
    return {name: load_map(builtin_map(name)) for name in ALL}


def terrain_of(road_map: RoadMap) -> Terrain:
    assert road_map.terrain is not None
    return road_map.terrain


def point_edges(road_map: RoadMap) -> NDArray[np.intp]:
    return np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point))


def line(road_map: RoadMap, name: str) -> Axis:
    """Return the first chain of edges of a name, those against its first edge left out."""
    edges = [e for e in range(road_map.n_edges) if road_map.edge_name[e] == name]
    chain = [edges[0]]
    for edge in edges[1:]:
        if road_map.edge_from[edge] == road_map.edge_to[chain[-1]] and (
            road_map.edge_to[edge] != road_map.edge_from[chain[-1]]
        ):
            chain.append(edge)
    points = np.concatenate(
        [np.arange(*road_map.first_point[e : e + 2])[k > 0 :] for k, e in enumerate(chain)]
    )
    return Axis(road_map.point_x_m[points], road_map.point_y_m[points], road_map.point_z_m[points])


def length_m(road_map: RoadMap, *names: str) -> float:
    named = np.array([name in names for name in road_map.edge_name])
    return float(road_map.edge_length_m[named].sum())


@pytest.mark.parametrize("name", DRAWN)
def test_the_makers_make_the_compiled_maps(name: str, maps: dict[str, RoadMap]) -> None:
    """Up to 2 mm and one step of the terrain, for another machine may round a sum differently."""
    made, kept = MODULES[name].make(), maps[name]
    for column in ("edge_from", "edge_to", "edge_lanes", "edge_structure", "node_signal"):
        np.testing.assert_array_equal(getattr(made, column), getattr(kept, column))
    for column in ("point_x_m", "point_y_m", "point_z_m"):
        np.testing.assert_allclose(getattr(made, column), getattr(kept, column), atol=2e-3)
    ours, theirs = terrain_of(made), terrain_of(kept)
    far = np.abs(ours.height_m - theirs.height_m) > 0.11
    assert far.mean() < 1e-3
    assert (ours.water == theirs.water).mean() > 0.999
    assert (made.edge_name, made.report) == (kept.edge_name, kept.report)


def maker(name: str) -> ModuleType:
    path = MAPS / f"{name}.py"
    if not path.is_file():
        pytest.skip("the makers are not installed")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_interchange_is_cut_out_of_the_map_of_the_centre(maps: dict[str, RoadMap]) -> None:
    made, kept = maker("make_huangjuewan").make(), maps["huangjuewan"]
    for column in ("edge_from", "edge_to", "edge_level", "point_x_m", "point_y_m"):
        np.testing.assert_array_equal(getattr(made, column), getattr(kept, column))
    np.testing.assert_allclose(made.point_z_m, kept.point_z_m, atol=2e-3)
    assert made.attribution == "© OpenStreetMap contributors"


def test_every_drawn_map_has_a_maker_by_name() -> None:
    assert set(maker("make_mountain_maps").MAKERS) == set(DRAWN)


def test_files_are_small_and_the_readme_knows_them() -> None:
    text = (MAPS / "README.md").read_text(encoding="utf-8")
    sizes = []
    for name in ALL:
        content = (MAPS / f"{name}.v2xmap").read_bytes()
        sizes.append(len(content))
        row = next(row for row in text.splitlines() if f"`{name}.v2xmap`" in row)
        assert hashlib.sha256(content).hexdigest() in row
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 4_000_000


@pytest.mark.parametrize("name", DRAWN)
def test_they_say_what_they_are(name: str, maps: dict[str, RoadMap]) -> None:
    road_map = maps[name]
    assert road_map.name == name
    assert road_map.attribution == ATTRIBUTION
    assert "no survey" in road_map.report.notes[0]
    assert len(road_map.report.notes) > 1


@pytest.mark.parametrize("name", ALL)
def test_every_edge_lies_between_an_entry_and_an_exit(name: str, maps: dict[str, RoadMap]) -> None:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    network = lane_network(maps[name])
    n = network.road_map.n_edges
    graph = csr_array(
        (np.ones(network.n_movements), (network.from_edge, network.to_edge)), shape=(n, n)
    )
    long = network.road_map.edge_length_m >= 30.0
    for way, ends in ((graph, network.to_edge), (graph.T.tocsr(), network.from_edge)):
        reached = np.zeros(n, dtype=np.bool_)
        for edge in np.flatnonzero((np.bincount(ends, minlength=n) == 0) & long).tolist():
            reached[breadth_first_order(way, edge, return_predecessors=False)] = True
        assert reached.all()


@pytest.mark.parametrize("name", ALL)
def test_edges_meet_in_space(name: str, maps: dict[str, RoadMap]) -> None:
    road_map = maps[name]
    for nodes, at in (
        (road_map.edge_from, road_map.first_point[:-1]),
        (road_map.edge_to, road_map.first_point[1:] - 1),
    ):
        for node, point in (
            (road_map.node_x_m, road_map.point_x_m),
            (road_map.node_y_m, road_map.point_y_m),
            (road_map.node_z_m, road_map.point_z_m),
        ):
            np.testing.assert_allclose(point[at], node[nodes], atol=2e-3)


@pytest.mark.parametrize("name", DRAWN)
def test_roads_lie_on_the_ground_decks_above_and_tunnels_below(
    name: str, maps: dict[str, RoadMap]
) -> None:
    road_map = maps[name]
    over_m = terrain_of(road_map).at(road_map.point_x_m, road_map.point_y_m) - road_map.point_z_m
    structure = road_map.edge_structure[point_edges(road_map)]
    ground = np.abs(over_m[structure == Structure.GROUND])
    # Where a ramp leaves, the raster cannot show two heights side by side.
    assert np.quantile(ground, 0.9) < 0.2
    assert ground.max() < 1.0
    assert over_m[structure == Structure.BRIDGE].max(initial=0.0) < 0.2
    tubes = find_tubes(road_map)
    inside = structure == Structure.TUNNEL
    mouth_m = np.hypot(
        road_map.point_x_m[inside, np.newaxis] - tubes.portal_x_m,
        road_map.point_y_m[inside, np.newaxis] - tubes.portal_y_m,
    ).min(axis=1, initial=np.inf)
    assert (over_m[inside][mouth_m > 80.0] > 8.0).all()


@pytest.mark.parametrize("name", DRAWN)
def test_grades_keep_to_the_limit(name: str, maps: dict[str, RoadMap]) -> None:
    road_map = maps[name]
    limit_kmh = (3.6 * road_map.edge_limit_mps).round(3)
    steep = np.array([STEEPEST[float(limit)] for limit in limit_kmh])[point_edges(road_map)]
    assert (np.abs(point_grades(road_map)) <= steep + 0.002).all()


@pytest.mark.parametrize("name", ALL)
def test_what_crosses_above_has_its_clearance(name: str, maps: dict[str, RoadMap]) -> None:
    found = clearances(maps[name])
    assert found.n_unordered == 0
    assert (found.gap_m > 5.9 * found.levels).all()


@pytest.mark.parametrize("name", ALL)
def test_traffic_flows(name: str, maps: dict[str, RoadMap]) -> None:
    context = MobilityContext(maps[name], 1, 10**9, ".")
    traffic = RoutedTraffic(RoutedParams(n_vehicles=60, demand="through"), context)  # type: ignore[arg-type]
    for second in range(0, 121, 2):
        fleet = traffic.advance(second * 1_000_000)
        assert (fleet.gap_m[fleet.edge >= 0] >= 0.0).all()
    assert traffic.n_given_up == 0
    assert traffic.n_arrived > 10
    assert (traffic.vehicles.stood_s < 100.0).all()
    assert fleet.speed_mps[fleet.edge >= 0].mean() > 4.0


@pytest.mark.parametrize("name", ALL)
def test_flat_twins_lose_height_and_ground(name: str, maps: dict[str, RoadMap]) -> None:
    flat = flatten(maps[name])
    assert not flat.point_z_m.any()
    assert flat.terrain is None
    np.testing.assert_array_equal(flat.edge_structure, maps[name].edge_structure)


def test_the_ridge_is_that_of_tongluoshan(maps: dict[str, RoadMap]) -> None:
    road_map = maps["ridge-crossing"]
    terrain = terrain_of(road_map)
    x = np.linspace(-2500.0, 2500.0, 501)
    crest = np.array(
        [terrain.at(x, np.full(x.shape, y)).max() for y in np.linspace(-900.0, 1200.0, 8)]
    )
    foot = terrain.at(np.array([-2500.0, 2500.0]), np.zeros(2)).mean()
    # Relief 300-450 m over 1-1.5 km, slopes of 15-35 %.
    assert ((crest - foot > 295.0) & (crest - foot < 450.0)).all()
    across = terrain.at(x, np.full(x.shape, -600.0))
    steep = np.abs(np.gradient(across, x))
    flank = (across > foot + 60.0) & (across < crest.max() - 60.0)
    assert 0.15 < np.median(steep[flank]) < 0.35
    # Twin tubes of 3-4 km with portals at 250-320 m and at least 1 km of approach.
    tubes = find_tubes(road_map)
    assert tubes.n_tubes == 2
    inside = road_map.edge_structure == Structure.TUNNEL
    assert road_map.edge_length_m[inside] == pytest.approx([3200.0, 3200.0], rel=0.01)
    assert ((tubes.portal_z_m > 250.0) & (tubes.portal_z_m < 320.0)).all()
    end_m = np.abs(road_map.node_x_m).max()
    assert end_m - np.abs(tubes.portal_x_m).max() > 1000.0


def test_the_hairpin_road_is_one(maps: dict[str, RoadMap]) -> None:
    road = line(maps["ridge-crossing"], "Ridge Road")
    x = np.interp(np.arange(0.0, road.length_m, 10.0), road.station_m, road.x_m)
    y = np.interp(np.arange(0.0, road.length_m, 10.0), road.station_m, road.y_m)
    heading = np.unwrap(np.arctan2(np.diff(y), np.diff(x)))
    turn = np.abs(heading[9:] - heading[:-9]) > np.radians(120.0)
    # 120 degrees within 90 m, five on each side.
    assert (np.diff(turn.astype(int)) == 1).sum() == 10
    assert 20.0 < radii_m(road, 9.0).min() < 24.0
    grade = np.abs(np.diff(road.z_m) / np.diff(road.station_m))
    assert 0.05 < np.median(grade) < 0.08
    assert road.z_m.max() - road.z_m.min() > 280.0


def test_the_bridge_is_a_long_span_high_above_the_water(maps: dict[str, RoadMap]) -> None:
    road_map = maps["river-bridge"]
    terrain = terrain_of(road_map)
    # Length 600-1750 m, main span 250-600 m, 4-8 lanes, deck 25-60 m above the water.
    assert length_m(road_map, "River Bridge main span") == pytest.approx(2 * 520.0, abs=1.0)
    deck = road_map.edge_structure == Structure.BRIDGE
    assert road_map.edge_length_m[deck].sum() == pytest.approx(2 * 1120.0, abs=2.0)
    assert (road_map.edge_lanes[deck] == 3).all()
    over = deck[point_edges(road_map)]
    x, y, z = road_map.point_x_m[over], road_map.point_y_m[over], road_map.point_z_m[over]
    wet = terrain.is_water(x, y)
    assert ((z - terrain.at(x, y))[wet] > 50.0).all()
    assert ((z - terrain.at(x, y))[wet] <= 60.1).all()
    # The river 400-900 m wide at 165-178 m, the banks 60-150 m higher within 200-600 m.
    across = terrain.water.sum(axis=1) * terrain.step_m
    assert ((across > 400.0) & (across < 900.0)).all()
    assert np.unique(terrain.height_m[terrain.water]).tolist() == [172.0]
    for name in ("West Bank Road", "East Bank Road"):
        road = line(road_map, name)
        assert ((road.z_m > 185.0) & (road.z_m < 215.0)).all()
    gap_m = clearances(road_map).gap_m
    assert len(gap_m) == 4
    assert (gap_m > 30.0).all()


def sight_m(road_map: RoadMap, road: Axis, middle_m: float, reach_m: float) -> float:
    """Return the shortest sight along the inner lane from an eye to an equal height, 1.2 m."""
    terrain = terrain_of(road_map)
    at = np.arange(middle_m - reach_m, middle_m + 3.0 * reach_m, 1.0)
    lane = road.shifted(1.75)
    station = lane.station_m
    x, y, z = (np.interp(at, station, values) for values in (lane.x_m, lane.y_m, lane.z_m))
    shortest = np.inf
    for k in range(0, int(2.0 * reach_m), 4):
        for far in range(k + 5, len(at)):
            share = np.linspace(0.0, 1.0, far - k + 1)
            ground = terrain.at(x[k] + share * (x[far] - x[k]), y[k] + share * (y[far] - y[k]))
            if (ground > z[k] + 1.2 + share * (z[far] - z[k])).any():
                shortest = min(shortest, float(at[far] - at[k]))
                break
    return shortest


@pytest.mark.parametrize(("piece", "radius_m"), [(3, 60.0), (7, 30.0), (11, 125.0)])
def test_rock_cuts_the_sight_in_blind_curves(
    piece: int, radius_m: float, maps: dict[str, RoadMap]
) -> None:
    """S = 2 R acos(1 - M / R) for a clear offset M of 3 to 5 m from the lane of radius R."""
    road = blind_curve.axis()
    begin_m, end_m = blind_curve.piece_ends_m(road)[piece : piece + 2]
    sight = sight_m(maps["blind-curve"], road, 0.5 * (begin_m + end_m), radius_m)
    lane_m = radius_m - 1.75
    least, most = (2.0 * lane_m * np.arccos(1.0 - m / lane_m) for m in (3.0, 5.0))
    assert least < sight < most


def test_the_blind_curve_map_is_a_mountain_road(maps: dict[str, RoadMap]) -> None:
    road_map = maps["blind-curve"]
    assert 2000.0 < 0.5 * road_map.edge_length_m.sum() < 3000.0
    assert np.abs(point_grades(road_map)).max() == pytest.approx(0.08, abs=1e-3)
    for name, radius_m in (("Blind Curve R60", 60.0), ("Blind Curve R30", 30.0)):
        assert np.median(radii_m(line(road_map, name), 15.0)) == pytest.approx(radius_m, rel=0.03)


def test_streets_lie_above_each_other_on_the_hill(maps: dict[str, RoadMap]) -> None:
    road_map = maps["hill-streets"]
    terrain = terrain_of(road_map)
    streets = [line(road_map, f"Terrace Street {k}") for k in range(1, 7)]
    middle_m = [float(np.interp(500.0, np.sort(s.x_m), s.z_m[np.argsort(s.x_m)])) for s in streets]
    assert all(14.0 < above - below < 24.0 for below, above in pairwise(middle_m))
    # One-way in turns; relief 15-35 %.
    assert [float(np.sign(s.x_m[-1] - s.x_m[0])) for s in streets] == [1, -1, 1, -1, 1, -1]
    outside = terrain.at(np.array([0.0, 0.0]), np.array([45.0, 435.0]))
    assert 0.15 < (outside[1] - outside[0]) / 390.0 < 0.35
    assert int(road_map.node_signal.sum()) == 6


def test_buildings_stand_between_the_streets(maps: dict[str, RoadMap]) -> None:
    import shapely  # type: ignore[import-untyped]

    road_map = maps["hill-streets"]
    buildings = road_map.buildings
    assert buildings is not None
    assert buildings.n_buildings > 150
    height_m = buildings.top_m - buildings.base_m
    assert (height_m >= 12.0 - 1e-6).all()
    assert (height_m <= 72.0 + 1e-6).all()
    corners = np.column_stack([buildings.corner_x_m, buildings.corner_y_m])
    tree = shapely.STRtree(
        [shapely.Polygon(corners[a:b]) for a, b in pairwise(buildings.first_corner.tolist())]
    )
    roads = [
        shapely.LineString(np.column_stack([road_map.point_x_m[a:b], road_map.point_y_m[a:b]]))
        for a, b in pairwise(road_map.first_point.tolist())
    ]
    # Free of the widest road: two lanes on each side of the avenue's axis.
    assert not len(tree.query(roads, predicate="dwithin", distance=7.5)[0])
    ground = terrain_of(road_map).at(buildings.corner_x_m, buildings.corner_y_m)
    first = buildings.first_corner[:-1]
    np.testing.assert_allclose(np.minimum.reduceat(ground, first), buildings.base_m, atol=0.02)


def test_the_expressway_window(maps: dict[str, RoadMap]) -> None:
    road_map = maps["expressway-20km"]
    road = line(road_map, "Two Ridges Expressway eastbound")
    assert road.length_m == pytest.approx(20_000.0, rel=0.005)
    inside = road_map.edge_structure == Structure.TUNNEL
    assert sorted(road_map.edge_length_m[inside].round(-2).tolist()) == [2500, 2500, 3100, 3100]
    grade = point_grades(road_map)
    in_tunnel = inside[point_edges(road_map)]
    assert np.abs(grade[in_tunnel]).max() < 0.03
    # 6 km downhill at 5 %, eastbound: all but the halves of two vertical curves.
    at = np.arange(0.0, road.length_m, 50.0)
    fall = -np.diff(np.interp(at, road.station_m, road.z_m)) / 50.0
    assert (fall > 0.049).sum() * 50.0 > 5500.0
    assert fall.max() < 0.051
    bridges = [n for n in road_map.edge_structure.tolist() if n == Structure.BRIDGE]
    assert len(bridges) == 2 * 3 + 2 * 2
    main = [e for e in range(road_map.n_edges) if "Expressway" in road_map.edge_name[e]]
    assert set(road_map.edge_lanes[main].tolist()) == {3, 4}
    assert radii_m(road, 100.0).min() > 700.0


def test_the_long_tunnel(maps: dict[str, RoadMap]) -> None:
    road_map = maps["twin-tunnel"]
    tubes = find_tubes(road_map)
    assert (tubes.n_tubes, len(tubes.portal_tube)) == (2, 4)
    inside = road_map.edge_structure == Structure.TUNNEL
    assert road_map.edge_length_m[inside] == pytest.approx([3500.0, 3500.0], rel=0.005)
    assert ((tubes.portal_z_m > 250.0) & (tubes.portal_z_m < 320.0)).all()
    road = line(road_map, "Tunnel Expressway eastbound")
    assert radii_m(road, 100.0).min() == pytest.approx(1500.0, rel=0.05)
    apart_m = np.abs(np.diff(tubes.portal_y_m[np.argsort(tubes.portal_x_m)])[[0, 2]])
    assert ((apart_m > 30.0) & (apart_m < 40.0)).all()


def test_the_interchange_has_five_levels_and_its_ramps(maps: dict[str, RoadMap]) -> None:
    road_map = maps["huangjuewan"]
    assert road_map.crs == "EPSG:32648"
    assert {0, 1, 2, 3} <= set(road_map.edge_level.tolist())
    over_m = road_map.point_z_m - terrain_of(road_map).at(road_map.point_x_m, road_map.point_y_m)
    # Published: the highest deck 37 m over ground. Layers are an order, not heights, and 6 m each
    # is the least, so the solved stack is lower.
    assert 20.0 < over_m.max() < 37.0
    ramps = np.array([road_map.class_names[k].endswith("_link") for k in road_map.edge_class])
    assert ramps.sum() > 40
    assert len(clearances(road_map).gap_m) > 50
    assert 1200.0 < np.ptp(road_map.point_x_m) <= 1500.0
    assert 1200.0 < np.ptp(road_map.point_y_m) <= 1500.0
