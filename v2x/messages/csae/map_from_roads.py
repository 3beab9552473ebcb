"""MAP of a junction from the road map of the simulation (T/CSAE 159-2020).

Lanes are drawn along their middle from upstream to the stop line and numbered from the left;
what a node of MAP tells is the roads into it and where each of their lanes leads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from v2x.errors import V2XError
from v2x.messages.csae.chords import chord_points
from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.map_data import (
    ConnectingLane,
    Connection,
    Lane,
    LaneAttributes,
    Link,
    Maneuver,
    MapData,
    Movement,
    Node,
    RoadPoint,
    SpeedLimit,
    SpeedLimitType,
    VehicleLane,
)
from v2x.messages.csae.offsets import offset_from
from v2x.messages.csae.places import EarthPlaces, known
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import BACK_COSINE, LEG_M, TURN_COSINE, LaneNetwork
from v2x.world.road_map import IntArray, Structure

#: Points of a lane or link that MAP can hold (PointList).
MOST_POINTS = 31
#: Lanes are looked at in steps of this before they are drawn with few points [m].
STEP_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MapParams:
    """How a map is told.

    Parameters
    ----------
    region
        Region that numbers the nodes; 0 is for tests.
    reach_m
        Roads are drawn over this length before the junction, or from their beginning [m].
    lane_error_m, link_error_m
        No point of the road is farther from the line that is told, in space [m].
    anchor
        Place of the origin of maps that have none on the Earth; the elevation is added to
        their heights.
    """

    region: int = 0
    reach_m: float = 300.0
    lane_error_m: float = 0.5
    link_error_m: float = 2.0
    anchor: Position3D | None = None

    def __post_init__(self) -> None:
        """Reject values that no map can keep."""
        for name in ("reach_m", "lane_error_m", "link_error_m"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not 0 <= self.region <= 65_535:
            raise ValueError(f"region must be within 0 and 65535, got {self.region}")
        if self.anchor is not None:
            known(self.anchor.latitude_deg)
            known(self.anchor.longitude_deg)


class MapMaker:
    """Tells the nodes of a road map.

    Parameters
    ----------
    network
        Lanes and movements.
    params
        How they are told.
    phase : (n_movements,) int32
        Phase of each movement, as in SPAT, -1 without lights: that of the lights that traffic
        obeys (:attr:`~v2x.mobility.signals.base.SignalControl.phase`). None for the axes of
        ``two_axis_plan``.

    Raises
    ------
    V2XError
        If the map has no place on the Earth and the parameters give none.
    """

    def __init__(
        self, network: LaneNetwork, params: MapParams, phase: IntArray | None = None
    ) -> None:
        self._network = network
        self._phase_of = network.signal + (network.signal >= 0) if phase is None else phase
        self._map = network.road_map
        self._params = params
        self._geometry = RoadGeometry(network.road_map)
        self._places = EarthPlaces(network.road_map, params.anchor)

    def message(self, nodes: Sequence[int], count: int = 0) -> MapData:
        """Return a MAP of nodes of the road map, 1 to 63.

        Raises
        ------
        MessageError
            If a junction has more roads, lanes or ways than MAP can hold.
        V2XError
            If a lane cannot be drawn with the points that MAP can hold.
        """
        return MapData(count=count, nodes=tuple(self.node(node) for node in nodes))

    def node(self, node: int) -> Node:
        """Return a node of MAP with the roads into it."""
        road_map = self._map
        at = slice(node, node + 1)
        x, y, z = road_map.node_x_m[at], road_map.node_y_m[at], road_map.node_z_m[at]
        middle = self._places.at(x, y, z)[0]
        edges = np.flatnonzero(road_map.edge_to == node).tolist()
        links = tuple(self._link(edge, middle) for edge in edges)
        return Node(node=self._reference(node), position=middle, links=links or None)

    def _reference(self, node: int) -> NodeReference:
        return NodeReference(region=self._params.region, node=node)

    def _link(self, edge: int, middle: Position3D) -> Link:
        road_map, params = self._map, self._params
        n_lanes = int(road_map.edge_lanes[edge])
        movements = self._movements(edge)
        limit = SpeedLimit(
            kind=SpeedLimitType.VEHICLE_MAX, speed_mps=float(road_map.edge_limit_mps[edge])
        )
        of_lanes = self._geometry.lane_lateral_m(
            np.full(n_lanes, edge, dtype=np.int32), np.arange(n_lanes)
        )
        lanes = tuple(
            self._lane(edge, lane, float(of_lanes[lane]), movements, middle)
            for lane in reversed(range(n_lanes))
        )
        told: dict[tuple[int, int], Movement] = {}
        for movement in movements:
            onto, phase = self._onto(movement), self._phase(movement)
            told[onto, phase or 0] = Movement(remote_node=self._reference(onto), phase_id=phase)
        return Link(
            upstream_node=self._reference(int(road_map.edge_from[edge])),
            speed_limits=(limit,),
            width_m=n_lanes * road_map.lane_width_m,
            points=self._points(edge, float(of_lanes.mean()), params.link_error_m, middle),
            movements=tuple(told.values()) or None,
            lanes=lanes,
        )

    def _lane(
        self, edge: int, lane: int, lateral_m: float, movements: Sequence[int], middle: Position3D
    ) -> Lane:
        network, road_map = self._network, self._map
        connections, maneuvers = [], Maneuver(0)
        for movement in movements:
            if not network.lane_low[movement] <= lane <= network.lane_high[movement]:
                continue
            maneuver = self._maneuver(movement)
            maneuvers |= maneuver
            onto = int(network.to_edge[movement])
            entered = lane + int(network.lane_shift[movement])
            connections.append(
                Connection(
                    remote_node=self._reference(self._onto(movement)),
                    lane=ConnectingLane(
                        lane=int(road_map.edge_lanes[onto]) - entered, maneuver=maneuver
                    ),
                    phase_id=self._phase(movement),
                )
            )
        not_at_grade = road_map.edge_structure[edge] == Structure.BRIDGE
        return Lane(
            lane_id=int(road_map.edge_lanes[edge]) - lane,
            width_m=road_map.lane_width_m,
            attributes=LaneAttributes(
                kind=VehicleLane.FLY_OVER if not_at_grade else VehicleLane(0)
            ),
            maneuvers=maneuvers,
            connections=tuple(connections) or None,
            points=self._points(edge, lateral_m, self._params.lane_error_m, middle),
        )

    def _movements(self, edge: int) -> list[int]:
        first, end = self._network.first_movement[edge : edge + 2].tolist()
        return list(range(first, end))

    def _onto(self, movement: int) -> int:
        """Return the node at the end of the road that a movement leads onto."""
        return int(self._map.edge_to[self._network.to_edge[movement]])

    def _phase(self, movement: int) -> int | None:
        phase = int(self._phase_of[movement])
        return None if phase < 0 else phase

    def _maneuver(self, movement: int) -> Maneuver:
        before = self._heading_rad(int(self._network.from_edge[movement]), at_end=True)
        after = self._heading_rad(int(self._network.to_edge[movement]), at_end=False)
        turn = math.remainder(after - before, 2.0 * math.pi)
        if math.cos(turn) < BACK_COSINE:
            return Maneuver.U_TURN
        if math.cos(turn) >= TURN_COSINE:
            return Maneuver.STRAIGHT
        return Maneuver.LEFT if turn > 0 else Maneuver.RIGHT

    def _heading_rad(self, edge: int, *, at_end: bool) -> float:
        """Return the direction of an edge near one of its ends."""
        length = float(self._map.edge_length_m[edge])
        leg = min(LEG_M, length)
        ends = np.array([length - leg, length] if at_end else [0.0, leg])
        x, y, _, _ = self._geometry.position(np.full(2, edge, dtype=np.int32), ends, np.zeros(2))
        return math.atan2(y[1] - y[0], x[1] - x[0])

    def _points(
        self, edge: int, lateral_m: float, error_m: float, middle: Position3D
    ) -> tuple[RoadPoint, ...]:
        """Return the line of a lane or link, up to the stop line."""
        length_m = float(self._map.edge_length_m[edge])
        inner = [float(self._network.radius_m[m]) for m in self._movements(edge)]
        stop_m = max(length_m - max(inner, default=0.0), 0.5 * length_m)
        begin_m = max(stop_m - self._params.reach_m, 0.0)
        n_steps = max(math.ceil((stop_m - begin_m) / STEP_M), 1)
        along = np.linspace(begin_m, stop_m, n_steps + 1)
        x, y, z, _ = self._geometry.position(
            np.full(len(along), edge, dtype=np.int32), along, np.full(len(along), lateral_m)
        )
        kept = chord_points(np.column_stack((x, y, z)), error_m)
        if len(kept) > MOST_POINTS:
            raise V2XError(
                f"the road from node {self._map.edge_from[edge]} to {self._map.edge_to[edge]} "
                f"needs {len(kept)} points, MAP holds {MOST_POINTS}",
                remedy="lower reach_m or raise the error",
            )
        places = self._places.at(x[kept], y[kept], z[kept])
        return tuple(RoadPoint(offset=offset_from(middle, place)) for place in places)
