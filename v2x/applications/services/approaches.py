"""Nodes that roadside units look after, and who is on the way to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.junctions import LaneNetwork
from v2x.perception.scene import Scene
from v2x.perception.states import States
from v2x.perception.ways import Ways


@dataclass(frozen=True, slots=True)
class Approaching:
    """A road user on its way to a node, as somebody knows it.

    Attributes
    ----------
    row
        Row of the fleet.
    edge, lane
        Edge into the node on its way, and the lane there if it changes none.
    distance_m
        Way of its front to the node [m].
    speed_mps
        Speed [m/s].
    """

    row: int
    edge: int
    lane: int
    distance_m: float
    speed_mps: float


def units_of_nodes(
    fleet: FleetState, network: LaneNetwork, nodes: Sequence[int], within_m: float
) -> dict[int, int]:
    """Return the row of the nearest roadside unit of each node that has one on its level.

    Parameters
    ----------
    fleet
        Where units stand.
    network
        The map.
    nodes
        Nodes that want one.
    within_m
        Farther ones do not look after a node [m].
    """
    road_map = network.road_map
    units = np.flatnonzero((fleet.kind == NodeKind.RSU) & fleet.active)
    found: dict[int, int] = {}
    for node in nodes:
        levels = road_map.edge_level[(road_map.edge_to == node) | (road_map.edge_from == node)]
        away = np.hypot(
            fleet.x_m[units] - road_map.node_x_m[node], fleet.y_m[units] - road_map.node_y_m[node]
        )
        away = np.where(np.isin(fleet.level[units], levels), away, np.inf)
        if len(units) and away.min() <= within_m:
            found[node] = int(units[away.argmin()])
    return found


def nodes_where(
    network: LaneNetwork, is_wanted: Callable[[NDArray[np.intp]], bool]
) -> tuple[int, ...]:
    """Return the nodes of whose movements something is true."""
    nodes = np.unique(network.node).tolist()
    return tuple(node for node in nodes if is_wanted(np.flatnonzero(network.node == node)))


class Approaches:
    """Finds who is on the way to a node.

    Parameters
    ----------
    network
        The map.
    node
        The node.
    zone_m
        Whoever has farther to go does not matter yet [m].
    """

    def __init__(self, network: LaneNetwork, node: int, zone_m: float) -> None:
        self._zone_m = zone_m
        road_map = network.road_map
        self._length_m = road_map.edge_length_m
        self._edges = np.flatnonzero(road_map.edge_to == node).astype(np.int32)

    def known_to(self, scene: Scene, unit: int) -> list[Approaching]:
        """Return those of whom a unit knows, by the map and so on the right deck."""
        pairs = np.flatnonzero(scene.host == unit)
        states = scene.remote_states.take(pairs)
        return self._of(scene.outlook.ways, scene.remote[pairs], states)

    def of_rows(self, scene: Scene, rows: NDArray[np.intp]) -> list[Approaching]:
        """Return those of some rows, by what they know of themselves."""
        return self._of(scene.outlook.ways, rows, scene.own.take(rows))

    def _of(self, ways: Ways, row: NDArray[np.intp], states: States) -> list[Approaching]:
        best = np.full(len(row), np.inf)
        edge = np.full(len(row), -1, dtype=np.int32)
        lane = np.full(len(row), -1, dtype=np.int32)
        for onto in self._edges.tolist():
            way = ways.between(states.edge, np.full(len(row), onto, dtype=np.int32))
            rest = way.ahead_m + self._length_m[onto] - states.offset_m
            nearer = (states.lane >= 0) & way.likely & (rest < best) & (rest <= self._zone_m)
            best[nearer], edge[nearer] = rest[nearer], onto
            lane[nearer] = states.lane[nearer] + way.lane_shift[nearer]
        known = np.isfinite(best) & np.isfinite(states.speed_mps)
        return [
            Approaching(
                row=int(row[k]),
                edge=int(edge[k]),
                lane=int(lane[k]),
                distance_m=float(best[k]),
                speed_mps=float(states.speed_mps[k]),
            )
            for k in np.flatnonzero(known).tolist()
        ]
