"""How those of whom a road user knows lie to it: ahead, beside, crossing, on another deck."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, FloatArray, IntArray
from v2x.perception.board import Board
from v2x.perception.ldm import Known
from v2x.perception.states import RowArray, States
from v2x.perception.ways import Onward, Ways

BoolArray = NDArray[np.bool_]
#: An arc that would bend more than this on its way is not followed any farther [rad].
_MOST_BEND_RAD = 1.5


class LevelCheck(StrEnum):
    """How a receiver tells whether somebody is on another deck."""

    #: It does not: only the plan counts.
    NONE = "none"
    #: By the difference of the heights in both messages.
    GATE = "gate"
    #: By the roads that the map gives for both positions in plan.
    MAP = "map"
    #: The same, with the heights to choose among roads one above the other.
    MAP_HEIGHT = "map-height"

    @property
    def uses_map(self) -> bool:
        """Whether roads are compared."""
        return self in (LevelCheck.MAP, LevelCheck.MAP_HEIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What scenes of a run have in common.

    Attributes
    ----------
    ways
        Roads ahead.
    level_check
        How decks are told apart.
    gate_m
        Difference in height from which on two are on other decks [m].
    lane_width_m
        Width of a lane [m].
    wrap_length_m
        Period of the map in x, 0 without [m].
    friction : (n_edges,) float64
        Friction of each edge.
    grade : (n_edges,) float64
        Mean rise over run of each edge.
    limit_mps : (n_edges,) float64
        Speed limits [m/s].
    """

    ways: Ways
    level_check: LevelCheck
    gate_m: float
    lane_width_m: float
    wrap_length_m: float
    friction: FloatArray
    grade: FloatArray
    limit_mps: FloatArray


class Scene:
    """Pairs of a host and a remote road user, seen from the host, at one instant.

    Every property has one element per pair and is worked out when it is first asked for. Distances
    along the road are from bumper to bumper.

    A remote one that does not tell where it is, how fast or in which direction (codes
    "unavailable" of its message, NaN in :class:`~v2x.perception.states.States`) is in no pair, so
    nobody is warned of it. A height is only missed by receivers that tell decks apart by heights.
    The same holds for hosts that do not know their own state.

    Parameters
    ----------
    fleet
        Ids, kinds and sizes of all rows; positions are not taken from it.
    own
        What every row knows of itself.
    known
        What hosts know of remote ones.
    seen
        What sensors saw, those of roadside units included.
    board
        What else was said to hosts.
    equipped : (n_rows,) bool
        Who has a device.
    outlook
        What scenes have in common.
    """

    def __init__(
        self,
        fleet: FleetState,
        own: States,
        known: Known,
        seen: Known,
        board: Board,
        equipped: BoolArray,
        outlook: Outlook,
    ) -> None:
        self.fleet, self.own, self.outlook = fleet, own, outlook
        self.known = known.where(_are_told(own, known, outlook.level_check))
        self.seen, self.board, self.equipped = seen, board, equipped

    @property
    def n_pairs(self) -> int:
        """Number of pairs."""
        return len(self.known)

    @property
    def host(self) -> RowArray:
        """Rows of the hosts."""
        return self.known.host

    @property
    def remote(self) -> RowArray:
        """Rows of the remote ones."""
        return self.known.remote

    @cached_property
    def host_states(self) -> States:
        """What the hosts know of themselves."""
        return self.own.take(self.host)

    @property
    def remote_states(self) -> States:
        """What the hosts take for the states of the remote ones now."""
        return self.known.states

    @cached_property
    def _offset(self) -> tuple[FloatArray, FloatArray]:
        """Distance of the remote centre ahead of and to the left of the host's [m]."""
        mine, other = self.host_states, self.remote_states
        dx, dy = other.x_m - mine.x_m, other.y_m - mine.y_m
        period = self.outlook.wrap_length_m
        if period:
            dx = dx - period * np.round(dx / period)
        cos, sin = np.cos(mine.heading_rad), np.sin(mine.heading_rad)
        return dx * cos + dy * sin, dy * cos - dx * sin

    @property
    def ahead_m(self) -> FloatArray:
        """Distance of the centres in the direction of the host, negative behind [m]."""
        return self._offset[0]

    @property
    def left_m(self) -> FloatArray:
        """Distance of the centres to the left of the host [m]."""
        return self._offset[1]

    @cached_property
    def distance_m(self) -> FloatArray:
        """Distance of the centres in plan [m]."""
        return np.hypot(*self._offset)

    @cached_property
    def turned_rad(self) -> FloatArray:
        """Direction of the remote one less that of the host, -pi to pi [rad]."""
        turned = self.remote_states.heading_rad - self.host_states.heading_rad
        return np.asarray(np.angle(np.exp(1j * turned)))

    @cached_property
    def closing_mps(self) -> FloatArray:
        """Speed of the host less that of the remote one in the direction of the host [m/s]."""
        return self.host_states.speed_mps - self.remote_states.speed_mps * np.cos(self.turned_rad)

    @cached_property
    def half_lengths_m(self) -> FloatArray:
        """Half of both lengths [m]."""
        length = self.fleet.length_m
        return 0.5 * (length[self.host] + length[self.remote])

    @cached_property
    def half_widths_m(self) -> FloatArray:
        """Half of both widths [m]."""
        width = self.fleet.width_m
        return 0.5 * (width[self.host] + width[self.remote])

    @cached_property
    def onward(self) -> Onward:
        """How the road of the remote one lies ahead of that of the host."""
        return self.outlook.ways.between(self.host_states.edge, self.remote_states.edge)

    @cached_property
    def backward(self) -> Onward:
        """How the road of the host lies ahead of that of the remote one."""
        return self.outlook.ways.between(self.remote_states.edge, self.host_states.edge)

    @cached_property
    def road_ahead_m(self) -> FloatArray:
        """Gap along the road to a remote one that is ahead on it; NaN if it is not [m]."""
        mine, other = self.host_states, self.remote_states
        way = self.onward.ahead_m + other.offset_m - mine.offset_m
        way = np.where(way > 0.0, way, np.nan)
        return np.asarray(way - self.fleet.length_m[self.remote])

    @cached_property
    def road_behind_m(self) -> FloatArray:
        """Gap along the road to a remote one that is behind on it; NaN if it is not [m]."""
        mine, other = self.host_states, self.remote_states
        way = self.backward.ahead_m + mine.offset_m - other.offset_m
        way = np.where(way > 0.0, way, np.nan)
        return np.asarray(way - self.fleet.length_m[self.host])

    @cached_property
    def _meeting(self) -> tuple[FloatArray, FloatArray]:
        mine, other = self.host_states, self.remote_states
        to_meet, other_to_meet = self.outlook.ways.meeting(mine.edge, other.edge)
        return to_meet - mine.offset_m, other_to_meet - other.offset_m

    @property
    def to_meet_m(self) -> FloatArray:
        """Way of the host to where both roads meet, by the map; NaN if they do not [m]."""
        return self._meeting[0]

    @property
    def remote_to_meet_m(self) -> FloatArray:
        """The same of the remote one [m]."""
        return self._meeting[1]

    @cached_property
    def _crossing(self) -> tuple[FloatArray, FloatArray]:
        """Ways of both to where the straight lines that they drive cross, negative if passed."""
        ahead, left = self._offset
        sin, cos = np.sin(self.turned_rad), np.cos(self.turned_rad)
        slanted = np.abs(sin) > 0.17  # within 10 degrees lines have no sensible crossing
        theirs = np.full(self.n_pairs, np.nan)
        np.divide(-left, sin, out=theirs, where=slanted)
        return ahead + theirs * cos, theirs

    @cached_property
    def to_conflict_m(self) -> FloatArray:
        """Way of the host's front to where both ways cross or join [m]; NaN if they do not.

        By the map where both are on roads and it is used, else on straight lines.
        """
        straight = self._crossing[0] - 0.5 * self.fleet.length_m[self.host]
        return np.where(self.follows_map, self.to_meet_m, straight)

    @cached_property
    def remote_to_conflict_m(self) -> FloatArray:
        """The same of the remote one's front [m]."""
        straight = self._crossing[1] - 0.5 * self.fleet.length_m[self.remote]
        return np.where(self.follows_map, self.remote_to_meet_m, straight)

    @cached_property
    def apart(self) -> BoolArray:
        """Whether the host takes the remote one to be on another deck or in another tube."""
        check, mine, other = self.outlook.level_check, self.host_states, self.remote_states
        if check is LevelCheck.NONE:
            return np.zeros(self.n_pairs, dtype=np.bool_)
        if check is LevelCheck.GATE:
            return np.asarray(np.abs(other.z_m - mine.z_m) >= self.outlook.gate_m)
        matched = (mine.edge >= 0) & (other.edge >= 0)
        joined = ~np.isnan(self.onward.ahead_m) | ~np.isnan(self.backward.ahead_m)
        joined |= ~np.isnan(self.to_meet_m)
        return np.asarray(matched & (mine.level != other.level) & ~joined)

    @cached_property
    def follows_map(self) -> BoolArray:
        """Whether both are on roads, and roads are what the host goes by."""
        if not self.outlook.level_check.uses_map:
            return np.zeros(self.n_pairs, dtype=np.bool_)
        on = (self.host_states.edge >= 0) & (self.remote_states.edge >= 0)
        # Whoever is on a pavement is not in a lane.
        return on & (self.remote_states.lane >= 0) & (self.host_states.lane >= 0)

    @cached_property
    def lanes_left(self) -> IntArray:
        """Lanes by which a remote one ahead on the road is farther left; by the map."""
        way, mine, other = self.onward, self.host_states, self.remote_states
        return np.asarray(other.lane - mine.lane - way.lane_shift)

    @cached_property
    def lanes_left_behind(self) -> IntArray:
        """Lanes by which a remote one behind on the road is farther left; by the map."""
        way, mine, other = self.backward, self.host_states, self.remote_states
        return np.asarray(other.lane + way.lane_shift - mine.lane)

    @cached_property
    def off_path_m(self) -> FloatArray:
        """How far left of the arc that the host drives the remote one is [m]."""
        mine = self.host_states
        speed = np.maximum(mine.speed_mps, 1.0)
        curvature = np.clip(mine.yaw_rate_radps / speed, -0.1, 0.1)
        bend = np.clip(curvature * self.ahead_m, -_MOST_BEND_RAD, _MOST_BEND_RAD)
        return np.asarray(self.left_m - 0.5 * bend * self.ahead_m)

    @cached_property
    def same_direction(self) -> BoolArray:
        """Whether both drive in about the same direction (within 30 degrees, along bends)."""
        straight = np.abs(self.turned_rad) < np.pi / 6
        return np.where(self.follows_map, ~np.isnan(self.onward.ahead_m), straight)

    @cached_property
    def in_path(self) -> BoolArray:
        """Whether the remote one is ahead in the lane that the host drives in.

        By the map: on the likely way on, or on any while the host indicates a turn, and in the
        lane that its own leads to. Without it: within 0.5 m of touching the arc it drives, in the
        same direction within 30 degrees.
        """
        by_map = (self.road_ahead_m > 0.0) & (self.lanes_left == 0)
        by_map &= self.onward.likely | (self.host_states.turn != 0)
        near = np.abs(self.off_path_m) < self.half_widths_m + 0.5
        by_arc = near & (self.ahead_m > self.half_lengths_m) & self.same_direction
        return np.where(self.follows_map, by_map, by_arc) & ~self.apart

    @cached_property
    def gap_m(self) -> FloatArray:
        """Gap to a remote one ahead, along the road or else the straight line [m]."""
        straight = self.ahead_m - self.half_lengths_m
        along = np.where(np.isnan(self.road_ahead_m), straight, self.road_ahead_m)
        return np.asarray(np.where(self.follows_map, along, straight))

    @cached_property
    def friction(self) -> FloatArray:
        """Friction of the host's road."""
        return self._of_edge(self.outlook.friction, 0.7)

    @cached_property
    def grade(self) -> FloatArray:
        """Grade of the host's road, uphill positive."""
        return self._of_edge(self.outlook.grade, 0.0)

    def truly_apart(self, row: int, other: int) -> bool:
        """Whether two rows are on decks or in tubes that do not meet, whatever they believe."""
        fleet, ways = self.fleet, self.outlook.ways
        edge, away = fleet.edge[[row]], fleet.edge[[other]]
        if fleet.level[row] == fleet.level[other] or edge[0] < 0 or away[0] < 0:
            return False
        reached = [ways.between(edge, away).ahead_m, ways.between(away, edge).ahead_m]
        return bool(np.isnan([*reached, ways.meeting(edge, away)[0]]).all())

    def _of_edge(self, values: FloatArray, off_road: float) -> FloatArray:
        edge = self.host_states.edge
        return np.where(edge >= 0, values[edge], off_road)


def _are_told(own: States, known: Known, level_check: LevelCheck) -> BoolArray:
    """Return of which pairs both states are known as far as geometry needs them."""
    names = ["x_m", "y_m", "heading_rad", "speed_mps"]
    if level_check is LevelCheck.GATE:
        names.append("z_m")
    told = np.ones(len(known), dtype=np.bool_)
    for name in names:
        told &= np.isfinite(getattr(known.states, name))
        told &= np.isfinite(getattr(own, name))[known.host]
    return told
