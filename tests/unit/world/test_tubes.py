"""Tubes and portals of hand-made tunnels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import RoadMap, Structure
from v2x.world.tubes import Tubes, find_tubes

G, B, T = Structure.GROUND, Structure.BRIDGE, Structure.TUNNEL
#: From-node, to-node, structure, lanes.
Edge = tuple[int, int, Structure, int]


def network(
    nodes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    bends: dict[int, list[tuple[float, float]]] | None = None,
) -> RoadMap:
    """Return a network of straight edges, or bent ones; node k stands at the height 10 k."""
    lines = []
    for number, (begin, end, _, _) in enumerate(edges):
        inner = [(*xy, 0.0) for xy in (bends or {}).get(number, [])]
        lines.append([(*nodes[begin], 10.0 * begin), *inner, (*nodes[end], 10.0 * end)])
    points = np.array([point for line in lines for point in line], dtype=float)
    first = np.cumsum([0] + [len(line) for line in lines])
    return road_map_of(
        name="tunnels",
        edge_from=[edge[0] for edge in edges],
        edge_to=[edge[1] for edge in edges],
        edge_lanes=[edge[3] for edge in edges],
        edge_limit_mps=[10.0] * len(edges),
        edge_structure=[edge[2] for edge in edges],
        edge_class=[0] * len(edges),
        class_names=("trunk",),
        edge_name=[""] * len(edges),
        polylines=Polylines(first, points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()),
    )


def portals(tubes: Tubes) -> list[tuple[int, float, float, float, float, float, float]]:
    """Return tube, x, y, z, direction and width of each portal, sorted by place."""
    rows = zip(
        tubes.portal_tube.tolist(), tubes.portal_x_m, tubes.portal_y_m, tubes.portal_z_m,
        tubes.portal_out_x, tubes.portal_out_y, tubes.portal_width_m, strict=True,
    )  # fmt: skip
    return sorted(
        [(row[0], *(round(float(v), 6) for v in row[1:])) for row in rows],
        key=lambda row: row[1:],
    )


def test_a_map_without_tunnels_has_no_tubes() -> None:
    tubes = find_tubes(network([(0, 0), (100, 0)], [(0, 1, G, 2), (1, 0, B, 2)]))
    assert tubes.n_tubes == 0
    assert tubes.edge_tube.tolist() == [-1, -1]
    assert len(tubes.portal_tube) == len(tubes.portal_width_m) == 0


def test_twin_tubes_of_an_expressway_stay_apart() -> None:
    """Two carriageways 30 m apart, each tunnel mapped as two edges because lanes change."""
    nodes = [(x, y) for y in (0, 30) for x in (0, 100, 200, 300, 400)]
    east = [(0, 1, G, 2), (1, 2, T, 2), (2, 3, T, 3), (3, 4, B, 3)]
    west = [(9, 8, G, 2), (8, 7, T, 2), (7, 6, T, 2), (6, 5, G, 2)]
    tubes = find_tubes(network(nodes, east + west))
    assert tubes.n_tubes == 2
    assert tubes.edge_tube.tolist() == [-1, 0, 0, -1, -1, 1, 1, -1]
    assert portals(tubes) == [
        (0, 100.0, 0.0, 10.0, -1.0, 0.0, 7.0),
        (1, 100.0, 30.0, 60.0, -1.0, 0.0, 7.0),
        (0, 300.0, 0.0, 30.0, 1.0, 0.0, 10.5),
        (1, 300.0, 30.0, 80.0, 1.0, 0.0, 7.0),
    ]


def test_carriageways_that_part_at_the_portal_are_two_tubes() -> None:
    """An undivided road splits exactly where the tunnels begin: nothing joins them inside."""
    nodes = [(0, 0), (100, 0), (300, 20), (300, -20), (400, 20), (400, -20)]
    edges = [
        (0, 1, G, 1), (1, 0, G, 1), (1, 2, T, 2), (2, 4, G, 2), (3, 1, T, 2), (5, 3, G, 2),
    ]  # fmt: skip
    tubes = find_tubes(network(nodes, edges))
    assert tubes.n_tubes == 2
    assert len(tubes.portal_tube) == 4


def test_both_directions_of_a_street_are_one_tube_with_one_mouth_at_each_end() -> None:
    nodes = [(0, 0), (0, 100), (0, 300), (0, 400)]
    edges = [(0, 1, G, 1), (1, 0, G, 1), (1, 2, T, 1), (2, 1, T, 2), (2, 3, G, 1), (3, 2, G, 1)]
    tubes = find_tubes(network(nodes, edges))
    assert tubes.n_tubes == 1
    assert tubes.edge_tube.tolist() == [-1, -1, 0, 0, -1, -1]
    assert portals(tubes) == [
        (0, 0.0, 100.0, 10.0, 0.0, -1.0, 10.5),
        (0, 0.0, 300.0, 20.0, 0.0, 1.0, 10.5),
    ]


def test_a_tube_that_branches_is_one_tube_with_three_portals() -> None:
    nodes = [(0, 0), (100, 0), (200, 0), (300, 0), (200, 100), (400, 0), (200, 200)]
    edges = [(0, 1, G, 2), (1, 2, T, 2), (2, 3, T, 2), (2, 4, T, 1), (3, 5, G, 2), (4, 6, G, 1)]
    tubes = find_tubes(network(nodes, edges))
    assert tubes.n_tubes == 1
    assert tubes.edge_tube.tolist() == [-1, 0, 0, 0, -1, -1]
    assert portals(tubes) == [
        (0, 100.0, 0.0, 10.0, -1.0, 0.0, 7.0),
        (0, 200.0, 100.0, 40.0, 0.0, 1.0, 3.5),
        (0, 300.0, 0.0, 30.0, 1.0, 0.0, 7.0),
    ]


def test_a_tunnel_at_the_end_of_the_map_opens_there() -> None:
    one_way = find_tubes(network([(0, 0), (100, 0), (200, 0)], [(0, 1, G, 2), (1, 2, T, 2)]))
    assert [row[1:6] for row in portals(one_way)] == [
        (100.0, 0.0, 10.0, -1.0, 0.0),
        (200.0, 0.0, 20.0, 1.0, 0.0),
    ]
    street = [(0, 1, G, 1), (1, 0, G, 1), (1, 2, T, 1), (2, 1, T, 1)]
    both_ways = find_tubes(network([(0, 0), (100, 0), (200, 0)], street))
    assert both_ways.n_tubes == 1
    assert [row[1:] for row in portals(both_ways)] == [
        (100.0, 0.0, 10.0, -1.0, 0.0, 7.0),
        (200.0, 0.0, 20.0, 1.0, 0.0, 7.0),
    ]


def test_two_tunnels_with_daylight_between_are_two_tubes() -> None:
    nodes = [(0, 0), (100, 0), (150, 0), (300, 0)]
    tubes = find_tubes(network(nodes, [(0, 1, T, 2), (1, 2, B, 2), (2, 3, T, 2)]))
    assert tubes.edge_tube.tolist() == [0, -1, 1]
    assert [row[0] for row in portals(tubes)] == [0, 0, 1, 1]


def test_a_mouth_looks_along_the_last_stretch_even_past_doubled_points() -> None:
    """The tube bends: its mouth looks south, not back to the other mouth."""
    nodes = [(0, 0), (100, 0), (200, -100), (200, -200)]
    edges = [(0, 1, G, 2), (1, 2, T, 2), (2, 3, G, 2)]
    tubes = find_tubes(network(nodes, edges, {1: [(200, 0), (200, -99.99), (200, -100)]}))
    assert portals(tubes)[1][1:6] == (200.0, -100.0, 20.0, 0.0, -1.0)
    length = np.hypot(tubes.portal_out_x, tubes.portal_out_y)
    assert length == pytest.approx(1.0)


def test_two_arms_of_a_tube_in_one_mouth_share_it() -> None:
    """A tunnel forks just behind its portal; the mouth looks between the arms."""
    nodes = [(0, 0), (100, 0), (200, 10), (200, -10), (300, 0), (400, 0)]
    edges = [
        (0, 1, G, 4), (1, 2, T, 2), (1, 3, T, 2), (2, 4, T, 2), (3, 4, T, 2), (4, 5, G, 4),
    ]  # fmt: skip
    tubes = find_tubes(network(nodes, edges))
    # The arms meet again only at the other portal: outside the map says nothing joins them.
    assert tubes.n_tubes == 2
    joined = [*edges, (2, 3, T, 1)]
    tubes = find_tubes(network(nodes, joined))
    assert tubes.n_tubes == 1
    assert [row[1:] for row in portals(tubes)] == [
        (100.0, 0.0, 10.0, -1.0, 0.0, 14.0),
        (300.0, 0.0, 40.0, 1.0, 0.0, 14.0),
    ]


def test_road_users_are_in_the_tube_of_their_tunnel() -> None:
    nodes = [(0, 0), (100, 0), (150, 0), (300, 0)]
    tubes = find_tubes(network(nodes, [(0, 1, T, 2), (1, 2, B, 2), (2, 3, T, 2)]))
    column = np.array([-1, 2, 0, -1, 2], dtype=np.int32)
    assert tubes.of_nodes(column).tolist() == [-1, 1, 0, -1, 1]
