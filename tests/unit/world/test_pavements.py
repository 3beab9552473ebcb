"""Pavements beside streets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.pavements import BESIDE_M, pavements
from v2x.world.road_map import Structure
from v2x.world.synthetic import highway, manhattan


def test_both_sides_of_every_street() -> None:
    """A street of two directions: each has a pavement on its right, beyond its lanes."""
    town = manhattan()
    found = pavements(town)
    assert sorted(found.edge.tolist()) == list(range(town.n_edges))
    lanes_m = town.edge_lanes[found.edge] * town.lane_width_m
    np.testing.assert_allclose(found.lateral_m, lanes_m + BESIDE_M)
    # it stays clear of the streets at both ends, which are as wide as its own
    np.testing.assert_allclose(found.begin_m, lanes_m + BESIDE_M)
    np.testing.assert_allclose(found.length_m, town.edge_length_m[found.edge] - 2 * found.begin_m)


def test_a_street_of_one_direction_has_two() -> None:
    road = highway(directions=1, lanes_per_direction=2, lane_width_m=3.5)
    road = replace(road, edge_class=np.full_like(road.edge_class, DRIVE_CLASSES.index("primary")))
    found = pavements(road)
    assert found.edge.tolist() == [0, 0]
    assert found.lateral_m.tolist() == [3.5 + BESIDE_M, -3.5 - BESIDE_M]


def test_nobody_walks_between_two_carriageways() -> None:
    road = highway(directions=2, lanes_per_direction=2, lane_width_m=3.5)
    road = replace(road, edge_class=np.full_like(road.edge_class, DRIVE_CLASSES.index("primary")))
    found = pavements(road)
    assert sorted(found.edge.tolist()) == [0, 1]
    assert (found.lateral_m > 0).all()


def test_motorways_bridges_and_tunnels_have_none() -> None:
    assert not len(pavements(highway()).edge)
    town = manhattan()
    structure = town.edge_structure.copy()
    structure[0], structure[5] = Structure.BRIDGE, Structure.TUNNEL
    found = pavements(replace(town, edge_structure=structure))
    assert set(range(town.n_edges)) - set(found.edge.tolist()) == {0, 5}
