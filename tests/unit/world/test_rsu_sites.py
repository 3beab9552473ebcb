"""Where roadside units stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.carriageways import carriageways
from v2x.world.road_map import RoadMap, Structure
from v2x.world.roadside_params import RoadsideParams
from v2x.world.rsu_sites import PORTAL_M, RsuSites, sites
from v2x.world.synthetic import highway, manhattan

from ..channel.hills import Road, map_of


def placed(road_map: RoadMap, placement: str, **params: object) -> RsuSites:
    return sites(road_map, RoadsideParams(placement=placement, **params))  # type: ignore[arg-type]


def ridge(tunnel_m: float = 1000.0) -> RoadMap:
    """Return a climb of 4 %, a tunnel of two lanes eastbound, and a road beyond."""
    a, b = (0.0, 0.0, 0.0), (500.0, 0.0, 20.0)
    c, d = (500.0 + tunnel_m, 0.0, 20.0), (1000.0 + tunnel_m, 0.0, 20.0)
    return map_of(
        Road(points=[a, b]), Road(points=[b, c], structure=Structure.TUNNEL), Road(points=[c, d])
    )


def test_no_placement_has_no_sites() -> None:
    assert sites(ridge(), RoadsideParams()).n_sites == 0


def test_sites_are_evenly_spaced_beside_the_road_and_on_its_height() -> None:
    road = map_of(Road(points=[(0.0, 0.0, 0.0), (1000.0, 0.0, 50.0)]))
    found = placed(road, "spacing", spacing_m=250.0, height_m=7.0)
    np.testing.assert_allclose(found.x_m, [125.0, 375.0, 625.0, 875.0], atol=0.01)
    np.testing.assert_allclose(found.z_m, 0.05 * found.x_m, atol=1e-6)
    # Two lanes of 3.5 m, the middle of which is the polyline, and 1.5 m to the pole.
    np.testing.assert_allclose(found.y_m, -5.0)
    np.testing.assert_allclose(found.antenna_height_m, 7.0)
    assert found.tunnel.tolist() == [-1] * 4


def test_carriageways_side_by_side_share_their_sites() -> None:
    """Of both directions of a highway only one gets sites, and a wrapped map has no seam."""
    for wrap in (False, True):
        found = placed(highway(length_m=2000.0, wrap=wrap), "spacing", spacing_m=400.0)
        assert found.n_sites == 5
        x = np.sort(found.x_m)
        gaps = np.diff(np.append(x, x[0] + 2000.0)) if wrap else np.diff(x)
        np.testing.assert_allclose(gaps, 400.0)


def test_no_point_of_a_street_grid_is_far_from_a_site() -> None:
    """Streets farther apart than the merging distance have their own sites."""
    grid = manhattan()
    found = placed(grid, "spacing", spacing_m=200.0)
    x = 0.5 * (grid.edge_from_xy + grid.edge_to_xy)
    away = np.hypot(x[:, :1] - found.x_m, x[:, 1:] - found.y_m).min(axis=1)
    assert away.max() < 1.1 * 200.0
    apart = np.hypot(found.x_m[:, None] - found.x_m, found.y_m[:, None] - found.y_m)
    assert apart[~np.eye(found.n_sites, dtype=bool)].min() > 0.55 * 200.0


def test_twin_tubes_have_walls_of_their_own() -> None:
    """Tunnels 30 m apart do not share sites, roads outside 30 m apart do."""
    roads = [
        Road(points=[(0.0, y, 0.0), (1200.0, y, 0.0)], structure=structure)
        for y, structure in ((0.0, Structure.TUNNEL), (30.0, Structure.TUNNEL))
    ]
    tunnels = placed(map_of(*roads), "spacing", spacing_m=400.0)
    assert tunnels.n_sites == 6
    assert sorted(set(tunnels.tunnel.tolist())) == [0, 1]
    open_roads = map_of(*[replace(road, structure=Structure.GROUND) for road in roads])
    assert placed(open_roads, "spacing", spacing_m=400.0).n_sites == 3


def test_portals_have_sites_on_the_axis_outside_and_the_tube_on_its_wall() -> None:
    road = ridge()
    found = placed(road, "portals", spacing_m=500.0)
    outside = found.tunnel < 0
    np.testing.assert_allclose(np.sort(found.x_m[outside]), [500.0 - PORTAL_M, 1500.0 + PORTAL_M])
    np.testing.assert_allclose(found.y_m[outside], 0.0, atol=1e-9)
    np.testing.assert_allclose(found.z_m[outside], 20.0)
    assert (found.antenna_height_m[outside] == 6.0).all()
    assert set(found.edge[outside].tolist()) == {0, 2}
    assert (found.tunnel[~outside] == 1).all()
    np.testing.assert_allclose(np.sort(found.x_m[~outside]), [750.0, 1250.0])
    np.testing.assert_allclose(found.y_m[~outside], -4.0)  # 3.5 m to the kerb, 0.5 m to the wall


def test_an_underpass_has_no_site_inside() -> None:
    found = placed(ridge(tunnel_m=60.0), "portals", spacing_m=400.0)
    assert found.n_sites == 2
    assert (found.tunnel < 0).all()


def test_gantries_hang_over_the_lanes_of_expressways() -> None:
    found = placed(highway(length_m=2000.0), "gantries", spacing_m=500.0)
    assert found.n_sites == 4
    assert (found.antenna_height_m == 6.0).all()
    assert (found.lateral_m == 0.0).all()
    slow = replace(highway(), class_names=("residential",) * 20, edge_limit_mps=np.full(2, 10.0))
    with pytest.raises(V2XError, match="no place for 'gantries'"):
        placed(slow, "gantries")


def test_junctions_near_each_other_share_the_site_of_the_one_with_lights() -> None:
    """Two T-junctions 40 m apart on one street; the second has lights."""
    street = [(0.0, 0.0, 0.0), (300.0, 0.0, 0.0), (340.0, 0.0, 0.0), (700.0, 0.0, 0.0)]
    legs = [Road(points=[a, b], two_way=True) for a, b in pairwise(street)]
    legs += [Road(points=[(x, 0.0, 0.0), (x, 200.0, 0.0)], two_way=True) for x in (300.0, 340.0)]
    road = map_of(*legs)
    signal = (road.node_x_m == 340.0) & (road.node_y_m == 0.0)
    for lit, expected in ((signal, 340.0), (np.zeros_like(signal), 300.0)):
        found = placed(replace(road, node_signal=lit), "junctions", merge_m=60.0)
        assert found.n_sites == 1
        assert abs(found.x_m[0] - expected) < 10.0
    assert placed(road, "junctions", merge_m=30.0).n_sites == 2
    with pytest.raises(V2XError, match="no place for 'junctions'"):
        placed(ridge(), "junctions")


def test_carriageways_go_straight_on_and_keep_out_of_tunnels() -> None:
    """The straight pair is joined, not the branch; an edge of another kind ends the line."""
    centre = (100.0, 0.0, 0.0)
    road = map_of(
        Road(points=[(0.0, 0.0, 0.0), centre]),
        Road(points=[centre, (200.0, 0.0, 0.0)]),
        Road(points=[centre, (180.0, 60.0, 0.0)]),
        Road(points=[(200.0, 0.0, 0.0), (300.0, 0.0, 0.0)], structure=Structure.TUNNEL),
    )
    kind = np.where(road.edge_structure == Structure.TUNNEL, 0, -1).astype(np.int32)
    lines = {tuple(line.edge.tolist()): line.length_m for line in carriageways(road, kind)}
    assert lines == {(0, 1): 200.0, (2,): 100.0, (3,): 100.0}


def test_a_line_is_followed_against_the_direction_of_its_edges_too() -> None:
    """Two edges that both lead to the node in the middle, as two-way streets are drawn."""
    road = map_of(
        Road(points=[(0.0, 0.0, 0.0), (100.0, 0.0, 0.0)], two_way=True),
        Road(points=[(300.0, 0.0, 0.0), (100.0, 0.0, 0.0)], two_way=True),
    )
    (line,) = carriageways(road, np.full(road.n_edges, -1, dtype=np.int32))
    assert line.length_m == 300.0
    edge, offset_m = line.at(np.array([50.0, 150.0, 299.0]))
    x = np.where(
        road.edge_from_xy[edge, 0] < road.edge_to_xy[edge, 0],
        road.edge_from_xy[edge, 0] + offset_m,
        road.edge_from_xy[edge, 0] - offset_m,
    )
    along = np.sort(x)
    assert along.tolist() in ([50.0, 150.0, 299.0], [1.0, 150.0, 250.0])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"placement": "file"}, "need each other"),
        ({"file": "x.csv"}, "need each other"),
        ({"spacing_m": 1.0}, "spacing_m must be"),
        ({"height_m": 0.0}, "height_m must be"),
        ({"antenna_gain_dbi": 99.0}, "antenna_gain_dbi must be"),
        ({"rate_hz": -1.0}, "rate_hz must be"),
        ({"size_bytes": 0}, "size_bytes must be"),
    ],
)
def test_wrong_parameters_are_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoadsideParams(**params)  # type: ignore[arg-type]


def test_relays_speak_ten_times_a_second_unless_told_otherwise() -> None:
    assert RoadsideParams().messages_per_s == 0.0
    assert RoadsideParams(relay=True).messages_per_s == 10.0
    assert RoadsideParams(relay=True, rate_hz=2.0).messages_per_s == 2.0
