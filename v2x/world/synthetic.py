"""Maps made by rule: the straight highway and the street grid of 3GPP, and one junction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from v2x.errors import unknown_name
from v2x.units import kmh_to_mps
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.mountain.hill_arterial import hill_arterial
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap

#: x and y [m].
_Point = tuple[float, float]


def highway(
    length_m: float = 2000.0,
    lanes_per_direction: int = 3,
    lane_width_m: float = 4.0,
    limit_mps: float = 140.0 / 3.6,
    wrap: bool = False,
    directions: int = 2,
) -> RoadMap:
    """Return a straight highway along x.

    Carriageways lie side by side without a median, eastbound south of westbound, and meet at
    y = 0; the polyline of each is its middle.

    Parameters
    ----------
    length_m
        Length [m]; TR 36.885 A.1.2 asks for at least 2000 m.
    lanes_per_direction
        Lanes of each carriageway; 3 in TR 36.885.
    lane_width_m
        Width of a lane [m]; 4 m in TR 36.885.
    limit_mps
        Speed limit [m/s]; vehicles of TR 36.885 go 140 km/h or 70 km/h.
    wrap
        Whether the end joins the beginning. Each carriageway is then two edges of half the
        length, so that none begins where it ends; the last point of the closing edge lies one
        period away from its end node.
    directions
        2, or 1 for the eastbound carriageway alone.
    """
    _check(length_m=length_m, lane_width_m=lane_width_m, limit_mps=limit_mps)
    _check_lanes(lanes_per_direction)
    if directions not in (1, 2):
        raise ValueError(f"directions must be 1 or 2, got {directions}")
    middle_m = 0.5 * lanes_per_direction * lane_width_m
    strips: list[tuple[list[_Point], int, int]] = []
    for direction in range(directions):
        y_m = middle_m if direction else -middle_m
        stops = [0.0, 0.5 * length_m, length_m] if wrap else [0.0, length_m]
        if direction:
            stops.reverse()
        node = direction * 2
        for k, (start, end) in enumerate(pairwise(stops)):
            after = node + (k + 1) % 2
            strips.append(([(start, y_m), (end, y_m)], node + k, after))
    return _straight_map(
        "highway",
        strips,
        lanes=lanes_per_direction,
        limit_mps=limit_mps,
        road_class="motorway",
        lane_width_m=lane_width_m,
        wrap_length_m=length_m if wrap else 0.0,
        edge_name=["eastbound" if node < 2 else "westbound" for _, node, _ in strips],
    )


def manhattan(
    blocks_x: int = 3,
    blocks_y: int = 3,
    block_x_m: float = 433.0,
    block_y_m: float = 250.0,
    lanes_per_direction: int = 2,
    lane_width_m: float = 3.5,
    limit_mps: float = 60.0 / 3.6,
) -> RoadMap:
    """Return the street grid of TR 36.885 A.1.2, two-way streets around built-up blocks.

    Streets bound the grid on all sides, so every street goes on somewhere. East-west street
    *j* (from the south) is ``corridor_x`` *j*, north-south street *i* (from the west) is
    ``corridor_y`` *i*.

    Parameters
    ----------
    blocks_x, blocks_y
        Blocks from west to east and from south to north; 3 by 3 in TR 36.885.
    block_x_m, block_y_m
        Distances between the middles of streets [m]; 433 and 250 in TR 36.885.
    lanes_per_direction
        Lanes in each direction; 2 in TR 36.885.
    lane_width_m
        Width of a lane [m]; 3.5 in TR 36.885.
    limit_mps
        Speed limit [m/s]; vehicles of TR 36.885 go 60 km/h or 15 km/h.
    """
    _check(block_x_m=block_x_m, block_y_m=block_y_m, lane_width_m=lane_width_m, limit_mps=limit_mps)
    _check_lanes(lanes_per_direction)
    if blocks_x < 1 or blocks_y < 1:
        raise ValueError(f"a grid needs a block in x and in y, got {blocks_x} and {blocks_y}")
    strips: list[tuple[list[_Point], int, int]] = []
    corridor_x: list[int] = []
    corridor_y: list[int] = []
    names: list[str] = []

    def add(i: int, j: int, to_i: int, to_j: int) -> None:
        """Add both directions of the street between two crossings."""
        here, there = (i * block_x_m, j * block_y_m), (to_i * block_x_m, to_j * block_y_m)
        node, to_node = j * (blocks_x + 1) + i, to_j * (blocks_x + 1) + to_i
        strips.append(([here, there], node, to_node))
        strips.append(([there, here], to_node, node))
        corridor_x.extend([j, j] if j == to_j else [-1, -1])
        corridor_y.extend([i, i] if i == to_i else [-1, -1])
        names.extend([f"street {j}" if j == to_j else f"avenue {i}"] * 2)

    for j in range(blocks_y + 1):
        for i in range(blocks_x + 1):
            if i < blocks_x:
                add(i, j, i + 1, j)
            if j < blocks_y:
                add(i, j, i, j + 1)
    return _straight_map(
        "manhattan",
        strips,
        lanes=lanes_per_direction,
        limit_mps=limit_mps,
        road_class="secondary",
        lane_width_m=lane_width_m,
        edge_name=names,
        corridor_x=corridor_x,
        corridor_y=corridor_y,
    )


def junction(
    arm_m: float = 300.0,
    lanes_per_direction: int = 1,
    lane_width_m: float = 3.5,
    limit_mps: float = 50.0 / 3.6,
) -> RoadMap:
    """Return one junction with traffic lights at (0, 0) and four two-way arms.

    Node 0 is the junction; nodes 1 to 4 are the open ends in the east, north, west and south.
    There are no buildings.

    Parameters
    ----------
    arm_m
        Length of each arm [m].
    lanes_per_direction
        Lanes in each direction.
    lane_width_m
        Width of a lane [m].
    limit_mps
        Speed limit [m/s].
    """
    _check(arm_m=arm_m, lane_width_m=lane_width_m, limit_mps=limit_mps)
    _check_lanes(lanes_per_direction)
    strips: list[tuple[list[_Point], int, int]] = []
    ends = [(arm_m, 0.0), (0.0, arm_m), (-arm_m, 0.0), (0.0, -arm_m)]
    for node, end in enumerate(ends, start=1):
        strips.append(([end, (0.0, 0.0)], node, 0))
        strips.append(([(0.0, 0.0), end], 0, node))
    return _straight_map(
        "junction",
        strips,
        lanes=lanes_per_direction,
        limit_mps=limit_mps,
        road_class="secondary",
        lane_width_m=lane_width_m,
        edge_name=[name for name in ("east", "north", "west", "south") for _ in range(2)],
        node_signal=[True, False, False, False, False],
    )


_BUILDERS: Mapping[str, Callable[..., RoadMap]] = {
    "highway": highway,
    "manhattan": manhattan,
    "junction": junction,
    "hill-arterial": hill_arterial,
}


def build(kind: str, **params: Any) -> RoadMap:
    """Return the synthetic map called `kind`.

    Parameters
    ----------
    kind
        "highway", "manhattan", "junction" or "hill-arterial".
    params
        Parameters of the function of that name; ``limit_kmh`` may stand for ``limit_mps``.

    Raises
    ------
    V2XError
        If there is no such kind.
    """
    if kind not in _BUILDERS:
        raise unknown_name("synthetic map", kind, _BUILDERS)
    if "limit_kmh" in params:
        params["limit_mps"] = kmh_to_mps(params.pop("limit_kmh"))
    return _BUILDERS[kind](**params)


def _straight_map(
    name: str,
    strips: list[tuple[list[_Point], int, int]],
    *,
    lanes: int,
    limit_mps: float,
    road_class: str,
    edge_name: list[str],
    **attributes: Any,
) -> RoadMap:
    """Return the level map of straight edges between numbered nodes."""
    n_edges = len(strips)
    points = np.array([point for line, _, _ in strips for point in line], dtype=np.float64)
    return road_map_of(
        name=name,
        edge_from=[node for _, node, _ in strips],
        edge_to=[node for _, _, node in strips],
        edge_lanes=[lanes] * n_edges,
        edge_limit_mps=[limit_mps] * n_edges,
        edge_class=[DRIVE_CLASSES.index(road_class)] * n_edges,
        class_names=DRIVE_CLASSES,
        edge_name=edge_name,
        polylines=Polylines(
            first_point=2 * np.arange(n_edges + 1),
            x_m=points[:, 0],
            y_m=points[:, 1],
            z_m=np.zeros(len(points)),
        ),
        **attributes,
    )


def _check(**lengths: float) -> None:
    for name, value in lengths.items():
        if not value > 0:
            raise ValueError(f"{name} must be > 0, got {value}")


def _check_lanes(lanes_per_direction: int) -> None:
    if lanes_per_direction < 1:
        raise ValueError(f"lanes_per_direction must be at least 1, got {lanes_per_direction}")
