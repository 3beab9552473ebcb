"""A small network with a fork, a junction and a bridge, and scenes on it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tests.simulation_parts import fleet_state
from tests.unit.mobility.conftest import make_map
from v2x.mobility.fleet import FleetState
from v2x.mobility.junctions import lane_network
from v2x.perception.board import Board
from v2x.perception.ldm import Heard, LocalDynamicMap
from v2x.perception.own_state import OwnStates
from v2x.perception.scene import LevelCheck, Outlook, Scene
from v2x.perception.seen import nothing_seen
from v2x.perception.ways import Ways
from v2x.world.road_map import RoadMap

#: Edges: 0 west to fork, 1 fork straight on, 2 fork to the right, 3 from the south over the joint
#: node of 1, 4 bridge across edge 0 on level 1, 5 the other way beside edge 0, 6 after the joint.
WEST, STRAIGHT, RIGHT, SOUTH, BRIDGE, BACK, EAST = range(7)


def fork_map() -> RoadMap:
    two = {"lanes": 2}
    return make_map(
        [
            (0, 1, [(0.0, 0.0), (200.0, 0.0)], two),
            (1, 2, [(200.0, 0.0), (300.0, 0.0)], two),
            (1, 3, [(200.0, 0.0), (260.0, -80.0)], {}),
            (4, 2, [(300.0, -150.0), (300.0, 0.0)], {}),
            (5, 6, [(100.0, -100.0, 8.0), (100.0, 100.0, 8.0)], {"structure": 1, "level": 1}),
            (1, 0, [(200.0, 0.0), (0.0, 0.0)], two),
            (2, 7, [(300.0, 0.0), (450.0, 0.0)], two),
        ]
    )


def outlook_of(
    road_map: RoadMap, check: LevelCheck = LevelCheck.MAP, gate_m: float = 3.5
) -> Outlook:
    n = road_map.n_edges
    return Outlook(
        ways=Ways(lane_network(road_map), 500.0),
        level_check=check,
        gate_m=gate_m,
        lane_width_m=road_map.lane_width_m,
        wrap_length_m=road_map.wrap_length_m,
        friction=np.full(n, 0.7),
        grade=np.zeros(n),
        limit_mps=road_map.edge_limit_mps,
    )


def scene_of(
    fleet: FleetState,
    road_map: RoadMap,
    check: LevelCheck = LevelCheck.MAP,
    *,
    ages_us: ArrayLike = 0,
    board: Board | None = None,
) -> Scene:
    """Return a scene in which everybody knows everybody by messages of these ages.

    Everybody is taken to have said all along what it is now.
    """
    n = fleet.n_rows
    own = OwnStates(road_map, by_height=False).of(fleet, None)
    pair = np.array([(i, j) for i in range(n) for j in range(n) if i != j], dtype=np.int32)
    sender, receiver = pair.reshape(-1, 2).T
    ldm = LocalDynamicMap(n, 1_000_000, 100_000)
    for ago_us in range(min(fleet.time_us, 1_000_000), -1, -100_000):
        ldm.tell(replace(fleet, time_us=fleet.time_us - ago_us), own)
    generated = fleet.time_us - np.broadcast_to(np.asarray(ages_us, dtype=np.int64), len(sender))
    known = ldm.known(fleet, Heard(sender, receiver, generated))
    board = Board(n, 1_000_000) if board is None else board
    seen = nothing_seen(fleet.time_us)
    return Scene(fleet, own, known, seen, board, fleet.active, outlook_of(road_map, check))


def on_roads(
    road_map: RoadMap, edge: list[int], offset_m: list[float], **columns: Any
) -> FleetState:
    """Return cars whose fronts are at places on straight edges; on lane 0 unless said otherwise."""
    edges = np.array(edge)
    first, last = road_map.first_point[edges], road_map.first_point[edges + 1] - 1
    dx = road_map.point_x_m[last] - road_map.point_x_m[first]
    dy = road_map.point_y_m[last] - road_map.point_y_m[first]
    heading, length = np.arctan2(dy, dx), np.hypot(dx, dy)
    middle = np.array(offset_m) - 2.5
    values: dict[str, Any] = {
        "y_m": road_map.point_y_m[first] + middle * dy / length,
        "z_m": road_map.point_z_m[first],
        "heading_rad": heading,
        "edge": edges,
        "offset_m": offset_m,
        "level": road_map.edge_level[edges],
    }
    x = road_map.point_x_m[first] + middle * dx / length
    return fleet_state(columns.pop("time_us", 0), x, **(values | columns))


def pair_of(scene: Scene, host: int, remote: int) -> int:
    """Return the number of a pair of rows in a scene."""
    (found,) = np.flatnonzero((scene.host == host) & (scene.remote == remote))
    return int(found)
