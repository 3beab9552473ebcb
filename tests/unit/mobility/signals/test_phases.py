"""Phases never let ways meet that cross, on drawn and on real junctions."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.mobility.junctions import LaneNetwork, directions_rad, lane_network
from v2x.mobility.signals.lights import Light
from v2x.mobility.signals.phases import (
    FACING_COSINE,
    LeftTurns,
    NodePhases,
    phase_column,
    signal_phases,
)
from v2x.world import store, synthetic
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap


def star(angles: list[float], lanes: list[int], one_way: list[int]) -> RoadMap:
    """Return a junction with lights in the middle of arms; 1 leads only in, 2 only out, 0 both."""
    strips = []
    for arm, (angle, n) in enumerate(zip(angles, lanes, strict=True), start=1):
        end = (100.0 * np.cos(angle), 100.0 * np.sin(angle))
        if one_way[arm - 1] != 2:
            strips.append((arm, 0, [end, (0.0, 0.0)], n))
        if one_way[arm - 1] != 1:
            strips.append((0, arm, [(0.0, 0.0), end], n))
    points = np.array([p for _, _, line, _ in strips for p in line])
    return road_map_of(
        name="star",
        edge_from=[s[0] for s in strips],
        edge_to=[s[1] for s in strips],
        edge_lanes=[s[3] for s in strips],
        edge_limit_mps=[15.0] * len(strips),
        edge_class=[DRIVE_CLASSES.index("secondary")] * len(strips),
        class_names=DRIVE_CLASSES,
        edge_name=[""] * len(strips),
        node_signal=[True] + [False] * len(angles),
        polylines=Polylines(
            2 * np.arange(len(strips) + 1), *points.T.copy(), np.zeros(len(points))
        ),
    )


def meets(one: int, other: int, network: LaneNetwork) -> tuple[bool, bool]:
    """Return whether two movements cross, and whether they enter the same lanes."""
    bit = int(network.bit[other])
    return bool(int(network.crosses[one]) & bit), bool(int(network.merges[one]) & bit)


def check_all(network: LaneNetwork, phases: tuple[NodePhases, ...]) -> None:
    """Every movement with lights is in one phase, and no two of a phase meet."""
    column = phase_column(network, phases)
    assert np.array_equal(column >= 0, network.signal >= 0)
    for item in phases:
        listed = sorted(m for members in item.members for m in members)
        assert listed == np.flatnonzero(network.node == item.node).tolist()
        for members in item.members:
            for one, other in combinations(members, 2):
                if network.from_edge[one] != network.from_edge[other]:
                    assert meets(one, other, network) == (False, False)


@pytest.mark.parametrize("name", ["chongqing-central", "hill-streets", "huangjuewan"])
def test_real_junctions(name: str) -> None:
    """Every node of the maps that come with the package, as if it had lights."""
    road_map = store.load_map(store.builtin_map(name))
    road_map = replace(road_map, node_signal=np.ones(road_map.n_nodes, dtype=np.bool_))
    network = lane_network(road_map)
    phases = signal_phases(network)
    assert len(phases) > 20
    check_all(network, phases)


@pytest.mark.parametrize("kind", ["junction", "hill-arterial"])
@pytest.mark.parametrize("lanes", [1, 2, 3, 4])
def test_drawn_junctions(kind: str, lanes: int) -> None:
    network = lane_network(synthetic.build(kind, lanes_per_direction=lanes))
    phases = signal_phases(network)
    check_all(network, phases)
    assert {light for item in phases for light in item.lights} == {Light.PROTECTED_GREEN}


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_junction(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 6))
    jitter = data.draw(st.lists(st.floats(-0.25, 0.25), min_size=n, max_size=n))
    angles = [2.0 * np.pi * k / n + jitter[k] for k in range(n)]
    lanes = data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))
    one_way = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    if 2 in one_way and 0 not in one_way and 1 not in one_way:
        one_way[0] = 0
    if not any(k != 2 for k in one_way) or not any(k != 1 for k in one_way):
        one_way = [0] * n
    network = lane_network(star(angles, lanes, one_way))
    check_all(network, signal_phases(network))


def test_turns_of_a_shared_lane_go_together() -> None:
    network = lane_network(synthetic.build("junction"))
    (item,) = signal_phases(network)
    assert [len(members) for members in item.members] == [3, 3, 3, 3]
    for members in item.members:
        assert len({int(network.from_edge[m]) for m in members}) == 1


def test_turns_with_lanes_of_their_own_make_the_usual_four_phases() -> None:
    network = lane_network(synthetic.build("hill-arterial", n_signals=1))
    (item,) = signal_phases(network)
    assert [len(members) for members in item.members] == [4, 3, 3, 2]


def test_permissive_turns_wait_only_for_those_from_ahead() -> None:
    network = lane_network(synthetic.build("junction", lanes_per_direction=2))
    (item,) = signal_phases(network, LeftTurns.PERMISSIVE)
    assert len(item.members) == 2
    assert item.lights == (Light.PERMISSIVE_GREEN, Light.PERMISSIVE_GREEN)
    _, heading = directions_rad(network.road_map)
    for members in item.members:
        for one, other in combinations(members, 2):
            edges = int(network.from_edge[one]), int(network.from_edge[other])
            if edges[0] != edges[1] and any(meets(one, other, network)):
                assert np.cos(heading[edges[0]] - heading[edges[1]]) < FACING_COSINE
