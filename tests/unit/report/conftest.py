"""A small map that has everything a map figure shows apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from v2x.world.road_map import RoadMap, Structure

ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"


def road_map(*edges: tuple[list[tuple[float, float, float]], Structure, int]) -> RoadMap:
    """Return a map of edges (points, structure, level) that share no nodes."""
    points = np.vstack([np.array(line, dtype=np.float64) for line, _, _ in edges])
    first = np.concatenate([[0], np.cumsum([len(line) for line, _, _ in edges])])
    ends = np.array([(line[0], line[-1]) for line, _, _ in edges], dtype=np.float64).reshape(-1, 3)
    n = len(edges)
    length_m = np.array(
        [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line, _, _ in edges]
    )
    return RoadMap(
        name="ridge",
        attribution=ATTRIBUTION,
        crs="local",
        origin_x_m=0.0,
        origin_y_m=0.0,
        node_x_m=ends[:, 0].copy(),
        node_y_m=ends[:, 1].copy(),
        node_z_m=ends[:, 2].copy(),
        node_osm_id=np.full(2 * n, -1, dtype=np.int64),
        node_signal=np.zeros(2 * n, dtype=np.bool_),
        edge_from=np.arange(0, 2 * n, 2, dtype=np.int32),
        edge_to=np.arange(1, 2 * n, 2, dtype=np.int32),
        edge_length_m=length_m,
        edge_lanes=np.ones(n, dtype=np.int32),
        edge_limit_mps=np.full(n, 20.0),
        edge_structure=np.array([structure for _, structure, _ in edges], dtype=np.int32),
        edge_level=np.array([level for _, _, level in edges], dtype=np.int32),
        edge_class=np.zeros(n, dtype=np.int32),
        class_names=("trunk",),
        edge_name=("",) * n,
        edge_osm_way=np.full(n, -1, dtype=np.int64),
        first_point=first.astype(np.int32),
        point_x_m=points[:, 0].copy(),
        point_y_m=points[:, 1].copy(),
        point_z_m=points[:, 2].copy(),
        point_offset_m=np.zeros(len(points)),
    )


@pytest.fixture(scope="session")
def make_map() -> Callable[..., RoadMap]:
    return road_map


@pytest.fixture(scope="session")
def ridge() -> RoadMap:
    """A street over a crest, a bridge of 3 % across it and a level tunnel under both."""
    return road_map(
        ([(0, 0, 0), (1000, 0, 50), (2000, 0, 0)], Structure.GROUND, 0),
        ([(2000, 0, 0), (1000, 0, 50), (0, 0, 0)], Structure.GROUND, 0),
        ([(1000, -600, 60), (1000, 600, 96)], Structure.BRIDGE, 1),
        ([(200, -500, 0), (1800, 500, 0)], Structure.TUNNEL, -1),
        ([(1800, 500, 0), (200, -500, 0)], Structure.TUNNEL, -1),
    )
