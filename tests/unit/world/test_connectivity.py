from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.world.connectivity import (
    entry_nodes,
    exit_nodes,
    largest_weak_part,
    mainline_nodes,
    strong_parts,
)
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import RoadMap


def network(edges: list[tuple[int, int]], classes: list[int] | None = None) -> RoadMap:
    n = len(edges)
    return road_map_of(
        name="graph",
        edge_from=[a for a, _ in edges],
        edge_to=[b for _, b in edges],
        edge_lanes=[1] * n,
        edge_limit_mps=[10.0] * n,
        edge_class=classes or [0] * n,
        class_names=("trunk", "trunk_link"),
        edge_name=[""] * n,
        polylines=Polylines(
            2 * np.arange(n + 1), np.tile([0.0, 1.0], n), np.zeros(2 * n), np.zeros(2 * n)
        ),
    )


def test_largest_part_is_the_longest_not_the_one_with_most_edges() -> None:
    begin, end = [0, 1, 10, 20, 21, 22], [1, 2, 11, 21, 22, 23]
    kept = largest_weak_part(begin, end, [1.0, 1.0, 9.0, 2.0, 2.0, 2.0])
    assert kept.tolist() == [False, False, True, False, False, False]


def test_of_equally_long_parts_the_first_edge_decides() -> None:
    kept = largest_weak_part([8, 3], [9, 4], [0.1 + 0.2, 0.3])
    assert kept.tolist() == [True, False]


def test_entries_exits_and_mainline() -> None:
    # An expressway 0-1-2-3 with a ramp in (4-1), a ramp out (2-5) and a two-way spur 3-6.
    road_map = network(
        [(0, 1), (1, 2), (2, 3), (4, 1), (2, 5), (3, 6), (6, 3)], classes=[0, 0, 0, 1, 1, 0, 0]
    )
    assert entry_nodes(road_map).tolist() == [0, 4]
    assert exit_nodes(road_map).tolist() == [5]
    assert mainline_nodes(road_map, entry_nodes(road_map)).tolist() == [0]
    assert mainline_nodes(road_map, exit_nodes(road_map)).tolist() == []
    part = strong_parts(road_map)
    assert part[3] == part[6]
    assert len(set(part.tolist())) == 6


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25),
)
def test_every_edge_lies_between_an_entry_and_an_exit(edges: list[tuple[int, int]]) -> None:
    """What the module says of directed networks: nothing but joined parts is to be chosen."""
    nodes = sorted({node for edge in edges for node in edge})
    edges = [(nodes.index(a), nodes.index(b)) for a, b in edges]
    n = len(nodes)
    reach = np.eye(n, dtype=bool)
    for a, b in edges:
        reach[a, b] = True
    for k in range(n):
        reach |= np.outer(reach[:, k], reach[k])
    part = strong_parts(network(edges))
    together = part[:, None] == part[None, :]
    np.testing.assert_array_equal(together, reach & reach.T)
    # Sources and sinks: whatever reaches them (they reach) is of their own part.
    source = [v for v in range(n) if not (reach[:, v] & ~together[:, v]).any()]
    sink = [v for v in range(n) if not (reach[v] & ~together[v]).any()]
    for a, b in edges:
        assert reach[source, a].any()
        assert reach[b, sink].any()
