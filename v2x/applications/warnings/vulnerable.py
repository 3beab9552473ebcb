"""Somebody on foot or on two wheels gets into the way: vulnerable road user collision warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    WarningContext,
    nobody,
)
from v2x.applications.warnings.braking import BrakingParams
from v2x.applications.warnings.crossing import (
    STANDING_MPS,
    StopBefore,
    driven,
    times_s,
)
from v2x.applications.warnings.junctions import Junctions
from v2x.mobility.fleet import FloatArray, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.perception.ways import Projection
from v2x.ranges import check_ranges
from v2x.world.geometry import twin_edges
from v2x.world.road_map import RoadMap

#: Who walks within this angle of the road goes along it; sine of 30 degrees.
_ALONG_SINE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class VrucwParams:
    """When a driver is warned of somebody on foot or on two wheels (T/CSAE 53, VRUCW).

    Parameters
    ----------
    apart_s
        The vehicle gets to where the ways cross within this time of the other [s]; 2 as for ICW
        (proposal).
    spread_s
        The other may get there so much earlier or later [s]; 1 is a proposal.
    horizon_s
        The first gets there within this time [s]; 4 to 5 is a proposal.
    need_mps2
        Braking that stops the host before the other, above which it counts [m/s²]; 2 is a
        proposal.
    margin_m
        Room beside the vehicle that belongs to its way [m] (assumption).
    release
        An alert stands until times are above this many times these limits, or the need below this
        part of its limit (proposal).
    braking
        How a warned driver brakes.
    """

    apart_s: float = 2.0
    spread_s: float = 1.0
    horizon_s: float = 4.5
    need_mps2: float = 2.0
    margin_m: float = 0.5
    release: float = 1.5
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("apart_s", 0.1, 30.0),
            ("spread_s", 0.0, 30.0),
            ("horizon_s", 0.1, 30.0),
            ("need_mps2", 0.0, 10.0),
            ("margin_m", 0.0, 5.0),
            ("release", 1.0, 10.0),
        )


class VulnerableRoadUserWarning:
    """VRUCW: somebody on foot or on two wheels is in the way, or will be.

    People go straight on. A vehicle does so too, but one that is to turn at the next junction is
    followed into the street that it turns into. Nobody is warned of those who have left the way of
    the vehicle, who stand beside it, who walk along the street beyond its lanes, or who are on
    another deck; an alert does not begin either while the host brakes as it needs.

    Parameters
    ----------
    params
        Thresholds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = VrucwParams

    def __init__(self, params: VrucwParams, context: WarningContext) -> None:
        self._params = params
        self._junctions = Junctions(context.network)
        self._pavements = _BesideRoads(context.network.road_map)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to warn of whom."""
        params = self._params
        found = driven(scene) & (scene.fleet.kind[scene.remote] == NodeKind.VRU) & ~scene.apart
        pair = np.flatnonzero(found & (scene.host_states.speed_mps >= STANDING_MPS))
        pair = pair[~self._pavements.holds(scene, pair)]
        way, other_s = self._meeting(scene, pair)
        room = way - params.braking.standstill_m
        kept = np.flatnonzero((room > 0.0) & np.isfinite(other_s))
        if not len(kept):
            return nobody()
        pair, way, room, other_s = pair[kept], way[kept], room[kept], other_s[kept]
        speed = scene.host_states.speed_mps[pair]
        own_s = times_s(way, speed)
        apart = np.maximum(np.abs(own_s - other_s) - params.spread_s, 0.0)
        first = np.minimum(own_s, np.maximum(other_s - params.spread_s, 0.0))
        stop = StopBefore.of(scene, pair, room, params.braking)

        def threatens(margin: float) -> BoolArray:
            near = (apart < params.apart_s * margin) & (first < params.horizon_s * margin)
            return near & (stop.need.now_mps2 > params.need_mps2 / margin)

        return stop.judged(threatens(1.0), threatens(params.release))

    def _meeting(self, scene: Scene, pair: RowArray) -> tuple[FloatArray, FloatArray]:
        """Return the hosts' ways to the others' [m], and when these get into theirs [s].

        0 s for who is in the way now; infinite for who will not get there.
        """
        length, width = scene.fleet.length_m, scene.fleet.width_m
        host, remote = scene.host[pair], scene.remote[pair]
        other = scene.remote_states.take(pair)
        way = scene.to_conflict_m[pair]
        centre = scene.remote_to_conflict_m[pair] + 0.5 * length[remote]
        turned, behind = self._after_turn(scene, pair)
        beyond = np.isfinite(turned)
        way, centre = np.where(beyond, turned, way), np.where(beyond, behind, centre)
        half = 0.5 * (width[host] + length[remote]) + self._params.margin_m
        times = times_s(centre - half, other.speed_mps)
        times = np.where(centre > -half, times, np.inf)
        inside = np.abs(scene.off_path_m[pair]) < scene.half_widths_m[pair] + self._params.margin_m
        gap = scene.ahead_m[pair] - scene.half_lengths_m[pair]
        inside &= (gap > 0.0) & ~beyond
        return np.where(inside, gap, way), np.where(inside, 0.0, times)

    def _after_turn(self, scene: Scene, pair: RowArray) -> tuple[FloatArray, FloatArray]:
        """Return the ways of hosts that will turn, and those of the others' centres [m]."""
        if not scene.outlook.level_check.uses_map:
            return np.full(len(pair), np.nan), np.full(len(pair), np.nan)
        other = scene.remote_states.take(pair)
        return self._junctions.crossing_after_turn(
            scene.host_states.take(pair), other.x_m, other.y_m, other.heading_rad
        )


class _BesideRoads:
    """Finds people who walk along a street, beside its lanes.

    Parameters
    ----------
    road_map
        The map.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self._projection, self._geometry = Projection(road_map), RoadGeometry(road_map)
        lane_m, lanes = road_map.lane_width_m, road_map.edge_lanes
        twin = twin_edges(road_map)
        shared = twin >= 0
        self._right_m = np.where(shared, 1.0, 0.5) * lanes * lane_m
        self._left_m = np.where(shared, lanes[twin], 0.5 * lanes) * lane_m

    def holds(self, scene: Scene, pair: RowArray) -> BoolArray:
        """Return which remote ones walk there, as the map that the scene follows has it, (n,)."""
        found = np.zeros(len(pair), dtype=np.bool_)
        other = scene.remote_states.take(pair)
        rows = np.flatnonzero((other.edge >= 0) & scene.outlook.level_check.uses_map)
        edge = other.edge[rows]
        offset, right = self._projection.onto(edge, other.x_m[rows], other.y_m[rows])
        *_, heading = self._geometry.position(edge, offset, np.zeros(len(rows)))
        along = np.abs(np.sin(other.heading_rad[rows] - heading)) < _ALONG_SINE
        beside = (right > self._right_m[edge]) | (right < -self._left_m[edge])
        found[rows] = along & beside
        return found
