"""Vehicles before a junction, and the lights that they know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.unit.mobility.conftest import make_map
from tests.unit.perception.roads import on_roads, scene_of
from v2x.messages.topics import Topic
from v2x.mobility.junctions import lane_network
from v2x.mobility.signals.lights import Light
from v2x.perception.board import Board
from v2x.perception.contents import JunctionMap, SignalForecast
from v2x.perception.scene import LevelCheck, Scene
from v2x.world.road_map import RoadMap
from v2x.world.synthetic import junction

#: Edges of :func:`crossroads`, towards the junction, 300 m long, and away from it.
EAST, EAST_OUT, NORTH, NORTH_OUT, WEST, WEST_OUT, SOUTH, SOUTH_OUT = range(8)
ARM_M = 300.0
#: Half the extent of the crossing area: one lane of 3.5 m on each side.
RADIUS_M = 3.5
NOW_US = 2_000_000


def crossroads(lanes: int = 1) -> RoadMap:
    """Return a junction with lights."""
    return junction(lanes_per_direction=lanes)


def priority_road() -> RoadMap:
    """Return the same without lights, and with a faster road from west to east."""
    fast, slow = {"limit_mps": 25.0, "name": "a"}, {"limit_mps": 10.0}
    arms = [
        ((ARM_M, 0.0), fast),
        ((0.0, ARM_M), slow),
        ((-ARM_M, 0.0), fast),
        ((0.0, -ARM_M), slow),
    ]
    edges: list[Any] = []
    for node, (end, options) in enumerate(arms, start=1):
        edges += [(node, 0, [end, (0.0, 0.0)], options), (0, node, [(0.0, 0.0), end], options)]
    return make_map(edges)


def lights(
    road_map: RoadMap,
    shown: dict[int, Light],
    *,
    hosts: Sequence[int] = (0, 1),
    ages_us: int = 0,
    map_known: bool = True,
    changes_s: float | None = None,
    green_s: tuple[float, float | None] | None = None,
    n_rows: int = 2,
) -> Board:
    """Return what hosts were told of the lights at node 0, by a unit on row 0.

    Parameters
    ----------
    shown
        Light by edge; the same for all movements out of it.
    changes_s, green_s
        When it changes, and begin and end of the green, from now [s].
    """
    network = lane_network(road_map)
    movement = np.flatnonzero(np.isin(network.from_edge, list(shown))).astype(np.int32)
    n = len(movement)

    def at(seconds: float | None) -> Any:
        value = -1 if seconds is None else NOW_US + round(seconds * 1e6)
        return np.full(n, value, dtype=np.int64)

    begin, end = (None, None) if green_s is None else green_s
    content = SignalForecast(
        node=0,
        movement=movement,
        light=np.array([shown[e] for e in network.from_edge[movement]], dtype=np.int32),
        changes_us=at(changes_s),
        green_begin_us=at(begin),
        green_end_us=at(end),
    )
    board = Board(n_rows, 1_000_000)
    rows = np.array(hosts, dtype=np.intp)
    said_us = NOW_US - ages_us
    board.begin(said_us, np.zeros(n_rows, dtype=np.bool_))
    board.take(Topic.SPAT, 0, 0, said_us, content, rows)
    if map_known:
        board.take(Topic.MAP, 0, 0, said_us, JunctionMap(nodes=(0,)), rows)
    board.begin(NOW_US, np.zeros(n_rows, dtype=np.bool_))
    return board


def before(
    road_map: RoadMap,
    edges: Sequence[int],
    to_node_m: Sequence[float],
    speeds_mps: Sequence[float],
    *,
    check: LevelCheck = LevelCheck.MAP,
    board: Board | None = None,
    ages_us: int = 0,
    **columns: Any,
) -> Scene:
    """Return cars whose fronts are so far before the ends of edges."""
    offset = [float(road_map.edge_length_m[e]) - d for e, d in zip(edges, to_node_m, strict=True)]
    fleet = on_roads(
        road_map, list(edges), offset, speed_mps=list(speeds_mps), **({"time_us": NOW_US} | columns)
    )
    return scene_of(fleet, road_map, check, board=board, ages_us=ages_us)
