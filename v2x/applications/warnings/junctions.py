"""The next junctions: what a vehicle will do there, where it can stop, and whose way it crosses."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np

from v2x.applications.warnings.base import BoolArray
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import TURN_COSINE, LaneNetwork
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray, States
from v2x.perception.ways import end_headings

#: Turns by less than this are no reason to indicate [rad].
_SLIGHT_RAD = math.radians(10.0)
#: A way that turns by less than this at a node goes straight on [rad].
_STRAIGHT_RAD = math.acos(TURN_COSINE)
#: Farther ahead than this no two ways are sought to cross [m]: 5 s at 108 km/h.
_CROSSING_M = 150.0
#: Lines within this angle have no sensible crossing; sine of 10 degrees.
_LEAST_SINE = 0.17


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """The next junction ahead of vehicles, one element each.

    Attributes
    ----------
    movement : (n,) int32
        What each is expected to do there, -1 if there is no junction ahead.
    line_m : (n,) float64
        From its front to the stop line [m]; negative behind it, NaN without a junction.
    node_m : (n,) float64
        From its front to the middle of the junction [m].
    """

    movement: IntArray
    line_m: FloatArray
    node_m: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Where the ways of hosts and remote ones cross or join, one element per pair.

    Attributes
    ----------
    host_m, remote_m : (n,) float64
        From both fronts to that place [m]; NaN if there is none.
    host_line_m, remote_line_m : (n,) float64
        From both fronts to where the junction begins [m]: the stop line by the map, else half
        the width of the other one before its way.
    host_movement, remote_movement : (n,) int32
        What both are expected to do there, -1 without a map.
    """

    host_m: FloatArray
    remote_m: FloatArray
    host_line_m: FloatArray
    remote_line_m: FloatArray
    host_movement: IntArray
    remote_movement: IntArray

    def take(self, rows: RowArray) -> Meeting:
        """Return those of some pairs."""
        return Meeting(**{item.name: getattr(self, item.name)[rows] for item in fields(Meeting)})


class Junctions:
    """Looks up what vehicles will do at the junctions ahead.

    A vehicle is expected to go as its lane and its indicator say: with the indicator off as
    straight on as its lane allows.

    Parameters
    ----------
    network
        Lanes and movements of the map.
    reach_m
        Junctions farther ahead do not count [m].
    """

    def __init__(self, network: LaneNetwork, reach_m: float = 600.0) -> None:
        self._network = network
        self._geometry = RoadGeometry(network.road_map)
        leave, arrive = end_headings(network.road_map)
        turn = arrive[network.to_edge] - leave[network.from_edge]
        #: How far each movement turns to the left [rad], (n_movements,).
        self.turn_rad: FloatArray = np.asarray(np.angle(np.exp(1j * turn)))
        self._by_lane = self._movements_by_lane()
        self._is_junction = self._junction_movements()
        self._find_approaches(reach_m)
        self._ways: dict[int, dict[int, tuple[float, int]]] = {}
        self._places: dict[tuple[int, int], tuple[float, float, int, int]] = {}

    @property
    def network(self) -> LaneNetwork:
        """Lanes and movements of the map."""
        return self._network

    def side(self, movement: IntArray) -> IntArray:
        """Return +1 for movements that turn left, -1 right and 0 neither; 0 for -1, (n,)."""
        if not len(self.turn_rad):
            return np.zeros(len(movement), dtype=np.int32)
        turn = self.turn_rad[movement]
        side = np.sign(turn) * (np.abs(turn) > _STRAIGHT_RAD)
        return np.where(movement >= 0, side, 0).astype(np.int32)

    def next_movement(self, states: States) -> IntArray:
        """Return what vehicles will do at the end of their edges, -1 at ends and off roads."""
        return self._movement(states.edge, states.lane, states.turn)

    def approach(self, states: States) -> Approach:
        """Return the next junctions ahead of vehicles; on the straightest way up to them."""
        edge = states.edge
        last = np.where(edge >= 0, self._last_edge[edge], -1)
        lane = np.where(states.lane >= 0, states.lane + self._lane_shift[edge], -1)
        movement = self._movement(last, lane.astype(np.int32), states.turn)
        there = movement >= 0
        node_m = np.where(there, self._way_m[edge] - states.offset_m, np.nan)
        radius = np.zeros(len(edge))
        radius[there] = self._network.radius_m[movement[there]]
        return Approach(movement=movement, line_m=node_m - radius, node_m=node_m)

    def meeting(self, scene: Scene, pair: RowArray) -> Meeting:
        """Return where ways cross: by the map where the scene follows it, else straight lines.

        Parameters
        ----------
        scene, pair : (n,)
            Pairs of a scene, by their numbers.
        """
        mine, other = scene.host_states.take(pair), scene.remote_states.take(pair)
        by_map = scene.follows_map[pair]
        first = np.where(by_map, self.next_movement(mine), -1)
        second = np.where(by_map, self.next_movement(other), -1)
        key, at = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
        places = np.array(
            [self._place(one, two) for one, two in key.T.tolist()], dtype=np.float64
        ).reshape(key.shape[1], 4)[at.reshape(-1)]
        movements = places[:, 2:].astype(np.int32)
        width = scene.fleet.width_m
        host, remote = scene.host[pair], scene.remote[pair]
        host_m = np.where(by_map, places[:, 0] - mine.offset_m, scene.to_conflict_m[pair])
        remote_m = np.where(by_map, places[:, 1] - other.offset_m, scene.remote_to_conflict_m[pair])
        return Meeting(
            host_m=host_m,
            remote_m=remote_m,
            host_line_m=host_m - self._before_m(movements[:, 0], 0.5 * width[remote]),
            remote_line_m=remote_m - self._before_m(movements[:, 1], 0.5 * width[host]),
            host_movement=movements[:, 0],
            remote_movement=movements[:, 1],
        )

    def crossing_after_turn(
        self, states: States, x_m: FloatArray, y_m: FloatArray, heading_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return where vehicles that turn will cross straight lines behind the junction.

        Parameters
        ----------
        states : (n,)
            Vehicles.
        x_m, y_m, heading_rad : (n,) float64
            A point on each line [m], and its direction [rad].

        Returns
        -------
        along_m, line_m : (n,) float64
            From the vehicle's front, and from the point on the line to the crossing [m]; NaN
            for who does not turn, or where the crossing lies before the middle of the junction.
        """
        ahead = self.approach(states)
        along, line = np.full(len(x_m), np.nan), np.full(len(x_m), np.nan)
        rows = np.flatnonzero((self.side(ahead.movement) != 0) & (ahead.node_m >= 0.0))
        movement = ahead.movement[rows]
        onto = self._network.to_edge[movement]
        lane = states.lane[rows] + self._network.lane_shift[movement]
        lane = np.clip(lane, 0, self._network.road_map.edge_lanes[onto] - 1)
        lateral = self._geometry.lane_lateral_m(onto, lane)
        x, y, _, heading = self._geometry.position(onto, np.zeros(len(rows)), lateral)
        dx, dy = x_m[rows] - x, y_m[rows] - y
        forward = dx * np.cos(heading) + dy * np.sin(heading)
        left = dy * np.cos(heading) - dx * np.sin(heading)
        turned = heading_rad[rows] - heading
        slanted = np.abs(np.sin(turned)) > _LEAST_SINE
        theirs = np.full(len(rows), np.nan)
        np.divide(-left, np.sin(turned), out=theirs, where=slanted)
        mine = forward + theirs * np.cos(turned)
        behind = mine >= 0.0
        along[rows[behind]] = (ahead.node_m[rows] + mine)[behind]
        line[rows[behind]] = theirs[behind]
        return along, line

    def _before_m(self, movement: IntArray, otherwise_m: FloatArray) -> FloatArray:
        """Return how far before the place where ways cross the junction begins [m]."""
        if not self._network.n_movements:
            return otherwise_m
        return np.where(movement >= 0, self._network.radius_m[movement], otherwise_m)

    def _movement(self, edge: IntArray, lane: IntArray, turn: IntArray) -> IntArray:
        on = np.maximum(edge, 0)
        lanes = self._network.road_map.edge_lanes[on]
        # The last column of each turn is for those whose lane is not known.
        at = np.where(lane >= 0, np.minimum(lane, lanes - 1), lanes)
        found = self._by_lane[turn + 1, self._network.lane_base[on] + on + at]
        return np.where(edge >= 0, found, -1).astype(np.int32)

    def _movements_by_lane(self) -> IntArray:
        """Return the movement for each indicator (right, off, left) and lane.

        Columns are the lanes of each edge, then one for an unknown lane.
        """
        network = self._network
        lanes = network.road_map.edge_lanes
        n_columns = int(network.lane_base[-1]) + len(lanes)
        found = np.full((3, n_columns), -1, dtype=np.int32)
        if not network.n_movements:
            return found
        base = network.lane_base[:-1] + np.arange(len(lanes))
        n_lanes = network.lane_high - network.lane_low + 1
        by_lane = np.repeat(np.arange(network.n_movements), n_lanes)
        within = np.arange(len(by_lane)) - np.repeat(np.cumsum(n_lanes) - n_lanes, n_lanes)
        column = base[network.from_edge[by_lane]] + network.lane_low[by_lane] + within
        every = np.arange(network.n_movements)
        movement = np.concatenate([by_lane, every])
        column = np.concatenate([column, (base + lanes)[network.from_edge]])
        edge_of = np.repeat(np.arange(len(lanes)), lanes + 1)
        for row, turn in enumerate((-1, 0, 1)):
            angle = self.turn_rad[movement]
            odd = np.abs(angle)
            if turn:
                odd = np.where(turn * angle > _SLIGHT_RAD, -turn * angle, 10.0 + odd)
            order = np.lexsort((movement, odd, column))
            reached, first = np.unique(column[order], return_index=True)
            found[row, reached] = movement[order][first]
            # Whose lane ends will have to leave it.
            ends = found[row] < 0
            found[row, ends] = found[row, (base + lanes)[edge_of[ends]]]
        return found

    def _junction_movements(self) -> BoolArray:
        """Return which movements lead over a node with crossing traffic or lights."""
        network = self._network
        crossed = (network.radius_m > 0.0) | (network.signal >= 0)
        nodes = np.zeros(network.road_map.n_nodes, dtype=np.bool_)
        nodes[network.node[crossed]] = True
        return np.asarray(nodes[network.node])

    def _find_approaches(self, reach_m: float) -> None:
        """Follow the straightest way on from every edge to the next junction."""
        network = self._network
        length = network.road_map.edge_length_m
        n = len(length)
        unknown_lane = network.lane_base[:-1] + np.arange(n) + network.road_map.edge_lanes
        straight = self._by_lane[1, unknown_lane]
        last = np.arange(n)
        way, shift = length.copy(), np.zeros(n, dtype=np.int32)
        done = (straight < 0) | (self._is_junction[straight] if len(self._is_junction) else True)
        going = np.flatnonzero(~done)
        while len(going):
            movement = straight[last[going]]
            last[going] = network.to_edge[movement]
            shift[going] += network.lane_shift[movement]
            way[going] += length[last[going]]
            going = going[~done[last[going]] & (way[going] <= reach_m)]
        reached = straight[last]
        there = (reached >= 0) & (way <= reach_m + length)
        if len(self._is_junction):
            there &= self._is_junction[reached]
        self._last_edge = np.where(there, last, -1).astype(np.int32)
        self._way_m, self._lane_shift = way, shift

    def _place(self, first: int, second: int) -> tuple[float, float, int, int]:
        """Return where ways that begin with two movements cross, and the movements there.

        Distances are from the beginnings of the edges; NaN and -1 if they do not within reach.
        """
        if first < 0 or second < 0:
            return np.nan, np.nan, -1, -1
        if (first, second) not in self._places:
            mine, theirs = self._way(first), self._way(second)
            met = [
                (mine[node][0] + theirs[node][0], node)
                for node in mine.keys() & theirs.keys()
                if self._conflict(mine[node][1], theirs[node][1])
            ]
            place = (np.nan, np.nan, -1, -1)
            if met:
                node = min(met)[1]
                place = (mine[node][0], theirs[node][0], mine[node][1], theirs[node][1])
            self._places[first, second] = place
        return self._places[first, second]

    def _conflict(self, one: int, other: int) -> bool:
        network = self._network
        met = int(network.crosses[one]) | int(network.merges[one])
        return bool(met & int(network.bit[other])) and (
            network.from_edge[one] != network.from_edge[other]
        )

    def _way(self, movement: int) -> dict[int, tuple[float, int]]:
        """Return the nodes ahead: the way from the first edge [m], and the movement there."""
        if movement not in self._ways:
            network, found = self._network, dict[int, tuple[float, int]]()
            length, lanes = network.road_map.edge_length_m, network.road_map.edge_lanes
            at, way = movement, float(length[network.from_edge[movement]])
            begun = way
            while at >= 0 and way - begun <= _CROSSING_M:
                found.setdefault(int(network.node[at]), (way, at))
                onto = int(network.to_edge[at])
                at = int(self._by_lane[1, network.lane_base[onto] + onto + lanes[onto]])
                way += float(length[onto])
            self._ways[movement] = found
        return self._ways[movement]
