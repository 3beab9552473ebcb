"""Whom a warning is about: vehicles ahead in this lane or the next, oncoming, with a flag set."""

from __future__ import annotations

import numpy as np

from v2x.applications.warnings.base import BoolArray
from v2x.mobility.fleet import FloatArray, IntArray, KeyEvent, NodeKind
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.world.geometry import twin_edges
from v2x.world.road_map import RoadMap

#: Without a map: a remote one may be this much beside the path, beyond both half widths [m].
ASIDE_M = 0.5
#: Without a map: somebody turned by more than this comes towards the host [rad].
_ONCOMING_RAD = np.deg2rad(150.0)


def are_vehicles(scene: Scene) -> BoolArray:
    """Return whether the remote ones are cars, trucks or buses, (n_pairs,)."""
    return np.asarray(scene.fleet.kind[scene.remote] <= NodeKind.BUS)


def tell(scene: Scene, events: KeyEvent) -> BoolArray:
    """Return whether remote ones tell any of some events, (n_pairs,)."""
    return np.asarray((scene.remote_states.flags & int(events)) != 0)


def ahead_nearby(scene: Scene, lanes_aside: int) -> BoolArray:
    """Return whether remote ones are vehicles ahead in the host's lane or some lanes beside it.

    As :attr:`~v2x.perception.scene.Scene.in_path`, but wider: by the map up to `lanes_aside`
    lanes from the one that the host's lane leads to, else as many lane widths from its arc.
    """
    by_map = (scene.road_ahead_m > 0.0) & (np.abs(scene.lanes_left) <= lanes_aside)
    by_map &= scene.onward.likely | (scene.host_states.turn != 0)
    wide_m = scene.half_widths_m + ASIDE_M + lanes_aside * scene.outlook.lane_width_m
    by_arc = (np.abs(scene.off_path_m) < wide_m) & (scene.ahead_m > scene.half_lengths_m)
    by_arc &= scene.same_direction
    found = np.where(scene.follows_map, by_map, by_arc)
    return np.asarray(found & ~scene.apart & are_vehicles(scene))


def taken_m(scene: Scene, standstill_m: float) -> FloatArray:
    """Return the room that known vehicles between host and remote one need at a stand [m].

    Only for pairs in one path; 0 for others, (n_pairs,). Each vehicle between takes its length and
    `standstill_m`.
    """
    rows = np.flatnonzero(scene.in_path & are_vehicles(scene))
    host = scene.host[rows]
    order = np.lexsort((scene.gap_m[rows], host))
    rows, host = rows[order], host[order]
    each_m = scene.fleet.length_m[scene.remote[rows]] + standstill_m
    before_m = np.cumsum(each_m) - each_m
    first = np.searchsorted(host, host)
    taken = np.zeros(scene.n_pairs)
    taken[rows] = before_m - before_m[first]
    return taken


class OncomingTraffic:
    """Finds vehicles that come towards a host on the same road.

    By the map these are on the edge that leads back along an edge ahead. Carriageways that are
    drawn apart, as where there is a median between them, have none.

    Parameters
    ----------
    road_map
        The map.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self._twin: IntArray = np.asarray(twin_edges(road_map), dtype=np.int32)
        self._length_m = road_map.edge_length_m

    def gap_m(self, scene: Scene, lanes_aside: int) -> FloatArray:
        """Return the gaps to vehicles that come towards hosts [m], NaN for others; (n_pairs,).

        Without a map oncoming is who is ahead, turned by more than 150 degrees and not more
        than `lanes_aside` lane widths beside the host's arc.
        """
        mine, other = scene.host_states, scene.remote_states
        back = np.where(other.edge >= 0, self._twin[other.edge], -1)
        ahead = scene.outlook.ways.between(mine.edge, back)
        along = ahead.ahead_m + self._length_m[back] - other.offset_m - mine.offset_m
        along = np.where(ahead.likely | (mine.turn != 0), along, np.nan)
        wide_m = scene.half_widths_m + ASIDE_M + lanes_aside * scene.outlook.lane_width_m
        near = (np.abs(scene.off_path_m) < wide_m) & (np.abs(scene.turned_rad) > _ONCOMING_RAD)
        straight = np.where(near, scene.ahead_m - scene.half_lengths_m, np.nan)
        gap = np.where(scene.follows_map, along, straight)
        there = (gap > 0.0) & ~scene.apart & are_vehicles(scene)
        return np.where(there, gap, np.nan)


def mean_speeds_mps(
    scene: Scene, pair: RowArray, limit_mps: FloatArray, least_known: int
) -> FloatArray:
    """Return the mean speeds on the remote ones' edges, the remote ones left out [m/s].

    Parameters
    ----------
    scene, pair : (n,)
        Pairs of a scene, by their numbers.
    limit_mps : (n_edges,) float64
        Speed limits, taken where fewer than `least_known` others are known on the edge.
    least_known
        How many vehicles make a mean, the host included if it is on that edge.

    Returns
    -------
    (n,) float64
        NaN for remote ones off the road.
    """
    edge, n_edges = scene.remote_states.edge, len(limit_mps)
    counted = np.flatnonzero((edge >= 0) & are_vehicles(scene))
    key = scene.host[counted] * n_edges + edge[counted]
    keys, at = np.unique(key, return_inverse=True)
    total = np.append(np.bincount(at, scene.remote_states.speed_mps[counted], len(keys)), 0.0)
    count = np.append(np.bincount(at, minlength=len(keys)), 0)
    on_edge = edge[pair]
    wanted = scene.host[pair] * n_edges + on_edge
    place = np.searchsorted(keys, wanted)
    along = np.flatnonzero(on_edge >= 0)
    found = np.full(len(pair), len(keys))
    found[along] = place[along]
    same = (scene.host_states.edge[pair] == on_edge) & (on_edge >= 0)
    own = np.where(same, scene.host_states.speed_mps[pair], 0.0)
    others = count[found] - 1 + same
    speed = total[found] - scene.remote_states.speed_mps[pair] + own
    known = (others >= max(least_known, 1)) & (on_edge >= 0)
    mean = np.where(on_edge >= 0, limit_mps[on_edge], np.nan)
    np.divide(speed, others, out=mean, where=known)
    return mean
