"""Oncoming traffic is too near to pass the vehicle ahead: do not pass warning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    Stage,
    WarningContext,
    of_pairs,
)
from v2x.applications.warnings.targets import OncomingTraffic, are_vehicles
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.world.geometry import twin_edges

#: Longest time that passing is reckoned to take [s].
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DnpwParams:
    """When a driver is told not to pass (T/CSAE 53, DNPW).

    Parameters
    ----------
    reserve_m
        Way that is to be left between both when the host is back in its lane [m] (assumption).
    return_m
        Gap ahead of the passed vehicle at which the host returns [m] (assumption).
    acceleration_mps2
        Acceleration of a driver who passes [m/s²] (assumption).
    over_limit
        Share of the limit by which it goes faster meanwhile (assumption).
    unknown_s
        How long passing takes if the vehicle ahead is not known [s] (assumption).
    turning_m
        This near before a node whoever indicates to the left turns there [m]; 50 as indicators
        are used here.
    advise
        Whether drivers behind a slow vehicle are told before they indicate.
    slow_share, follow_s
        A vehicle ahead that is slower than this share of the limit is slow, and a driver within
        this time gap of it [s] may want to pass (assumptions).
    release
        The alert stands until there is this many times the way that is needed (proposal).
    """

    reserve_m: float = 50.0
    return_m: float = 10.0
    acceleration_mps2: float = 1.5
    over_limit: float = 0.1
    unknown_s: float = 10.0
    turning_m: float = 50.0
    advise: bool = True
    slow_share: float = 0.8
    follow_s: float = 3.0
    release: float = 1.2

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("reserve_m", 0.0, 1000.0),
            ("return_m", 0.0, 100.0),
            ("acceleration_mps2", 0.1, 10.0),
            ("over_limit", 0.0, 1.0),
            ("unknown_s", 0.0, _LONGEST_S),
            ("turning_m", 0.0, 1000.0),
            ("slow_share", 0.0, 1.0),
            ("follow_s", 0.0, 30.0),
            ("release", 1.0, 100.0),
        )


class DoNotPassWarning:
    """DNPW: the oncoming lane is not free for as long as passing takes.

    It concerns drivers in the leftmost lane of a road without a median: those who indicate to
    the left between nodes are asked to keep their lane, and those close behind a slow vehicle are
    told.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map.
    """

    Params = DnpwParams

    def __init__(self, params: DnpwParams, context: WarningContext) -> None:
        self._params = params
        road_map = context.network.road_map
        self._oncoming = OncomingTraffic(road_map)
        self._two_way: BoolArray = twin_edges(road_map) >= 0
        self._lanes, self._length_m = road_map.edge_lanes, road_map.edge_length_m

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of whom."""
        params = self._params
        gap_m = np.where(self._is_in_next_lane(scene), self._oncoming.gap_m(scene, 1), np.nan)
        leader = _Leaders(scene)
        signals = self._wants_to_pass(scene)
        advised = self._may_want_to_pass(scene, leader) & ~signals
        needed_m = self._needed_m(scene, leader)
        short = gap_m < params.release * needed_m
        pair = np.flatnonzero((signals | advised) & short)
        signals, gap_m, needed_m = signals[pair], gap_m[pair], needed_m[pair]
        return of_pairs(
            scene,
            pair,
            raised=gap_m < needed_m,
            stage=np.where(signals, Stage.WARN, Stage.INFORM).astype(np.int32),
            action=np.where(signals, Action.KEEP_LANE, Action.INFORM).astype(np.int32),
            distance_m=gap_m,
            closing_mps=(scene.host_states.speed_mps + scene.remote_states.speed_mps)[pair],
            needed_m=needed_m,
        )

    def _is_in_next_lane(self, scene: Scene) -> BoolArray:
        """Return whether remote ones drive in the lane that would be used, if lanes are known."""
        other = scene.remote_states
        return np.asarray(~scene.follows_map | (other.lane == self._lanes[other.edge] - 1))

    def _is_beside_oncoming(self, scene: Scene) -> BoolArray:
        """Return whether hosts are in the leftmost lane of an undivided road, by the map."""
        mine = scene.host_states
        leftmost = self._two_way[mine.edge] & (mine.lane == self._lanes[mine.edge] - 1)
        return np.asarray(~scene.follows_map | leftmost)

    def _wants_to_pass(self, scene: Scene) -> BoolArray:
        mine = scene.host_states
        turns = self._length_m[mine.edge] - mine.offset_m <= self._params.turning_m
        between = ~scene.follows_map | ~turns
        return np.asarray((mine.turn == 1) & between & self._is_beside_oncoming(scene))

    def _may_want_to_pass(self, scene: Scene, leader: _Leaders) -> BoolArray:
        params, mine = self._params, scene.host_states
        if not params.advise:
            return np.zeros(scene.n_pairs, dtype=np.bool_)
        slow = leader.speed_mps < params.slow_share * self._limits_mps(scene)
        close = leader.gap_m < params.follow_s * mine.speed_mps
        return np.asarray(slow & close & self._is_beside_oncoming(scene))

    def _limits_mps(self, scene: Scene) -> FloatArray:
        """Return the limits of hosts; off the road their speed [m/s], (n_pairs,)."""
        mine = scene.host_states
        return np.where(mine.edge >= 0, scene.outlook.limit_mps[mine.edge], mine.speed_mps)

    def _needed_m(self, scene: Scene, leader: _Leaders) -> FloatArray:
        """Return the way to the oncoming vehicle that passing takes [m], (n_pairs,)."""
        params, length_m = self._params, scene.fleet.length_m
        own_mps = scene.host_states.speed_mps
        gain_m = leader.gap_m + leader.length_m + length_m[scene.host] + params.return_m
        fastest = np.maximum(own_mps, (1.0 + params.over_limit) * self._limits_mps(scene))
        known = np.isfinite(leader.gap_m)
        time_s = passing_s(
            np.where(known, gain_m, 0.0),
            np.where(known, own_mps - leader.speed_mps, 0.0),
            np.where(known, fastest - leader.speed_mps, 1.0),
            params.acceleration_mps2,
        )
        time_s = np.where(known, np.minimum(time_s, _LONGEST_S), params.unknown_s)
        own_m = np.where(known, leader.speed_mps * time_s + gain_m, own_mps * time_s)
        return own_m + scene.remote_states.speed_mps * time_s + params.reserve_m


class _Leaders:
    """The vehicle ahead of the host of each pair, as far as it is known.

    Attributes
    ----------
    gap_m, speed_mps, length_m : (n_pairs,) float64
        Gap to it, its speed and its length; infinite, NaN and NaN if none is known.
    """

    def __init__(self, scene: Scene) -> None:
        pair = np.flatnonzero(scene.in_path & are_vehicles(scene))
        pair = pair[np.lexsort((scene.gap_m[pair], scene.host[pair]))]
        hosts, first = np.unique(scene.host[pair], return_index=True)
        nearest: IntArray = np.full(scene.fleet.n_rows, -1, dtype=np.int32)
        nearest[hosts] = pair[first]
        of = nearest[scene.host]
        length_m = scene.fleet.length_m[scene.remote]
        self.gap_m: FloatArray = np.where(of >= 0, scene.gap_m[of], np.inf)
        self.speed_mps: FloatArray = np.where(of >= 0, scene.remote_states.speed_mps[of], np.nan)
        self.length_m: FloatArray = np.where(of >= 0, length_m[of], np.nan)


def passing_s(
    gain_m: FloatArray, faster_mps: FloatArray, fastest_mps: FloatArray, acceleration_mps2: float
) -> FloatArray:
    r"""Return how long it takes to gain a way on somebody with constant speed [s].

    Parameters
    ----------
    gain_m : (n,) float64
        Way to be gained [m].
    faster_mps, fastest_mps : (n,) float64
        Difference of the speeds now and at most [m/s].
    acceleration_mps2
        With which the first becomes the second [m/s²].

    Notes
    -----
    While the speed rises :math:`s = \Delta v\,t + a t^2/2`, from then on
    :math:`s = s_1 + \Delta v_{max} (t - t_1)`; infinite if nobody can be faster.

    Examples
    --------
    From equal speeds to 10 m/s faster takes 5 s and gains 25 m:

    >>> passing_s(np.array([25.0, 45.0]), np.zeros(2), np.full(2, 10.0), 2.0)
    array([5., 7.])
    """
    most = np.maximum(fastest_mps, 0.0)
    now = np.clip(faster_mps, 0.0, most)
    rise_s = (most - now) / acceleration_mps2
    risen_m = 0.5 * (now + most) * rise_s
    rising_s = (np.sqrt(now**2 + 2.0 * acceleration_mps2 * gain_m) - now) / acceleration_mps2
    later_s = np.full(np.shape(gain_m), np.inf)
    np.divide(gain_m - risen_m, most, out=later_s, where=most > 0.0)
    return np.where(risen_m >= gain_m, rising_s, rise_s + later_s)
