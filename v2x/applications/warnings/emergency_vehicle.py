"""An emergency vehicle comes up from behind: give way to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    Stage,
    WarningContext,
    of_pairs,
    together,
)
from v2x.applications.warnings.targets import ASIDE_M, tell
from v2x.mobility.fleet import FloatArray, IntArray, KeyEvent
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class EvwParams:
    """When a driver is told of an emergency vehicle with its siren on (T/CSAE 53, EVW).

    Parameters
    ----------
    range_m
        Distance along the road below which it counts [m]; 300 (proposal).
    arrival_s
        Time to its arrival below which it counts [s]; 30 (proposal).
    near_s
        Time to its arrival below which the alert is a warning [s] (assumption).
    behind_m
        Who has it this close behind gives way even if it does not come nearer, held up as it may
        be [m]; sirens are heard at 50 m (assumption).
    release
        The alert stands until distance or time are above this many times these limits.
    lanes_aside
        Without a map: lane widths beside the path within which it is on the same road.
    cross_s
        Where roads join, a driver who would get there within this time of it gives way [s]
        (assumption); 0 for nobody.
    clear_s
        Time that a warned driver needs to clear a lane, reaction included [s] (assumption).
    """

    range_m: float = 300.0
    arrival_s: float = 30.0
    near_s: float = 10.0
    behind_m: float = 50.0
    release: float = 1.2
    lanes_aside: int = 3
    cross_s: float = 5.0
    clear_s: float = 6.0

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("range_m", 1.0, 5000.0),
            ("arrival_s", 0.1, 600.0),
            ("near_s", 0.0, 600.0),
            ("behind_m", 0.0, 1000.0),
            ("release", 1.0, 100.0),
            ("lanes_aside", 0, 10),
            ("cross_s", 0.0, 60.0),
            ("clear_s", 0.0, 60.0),
        )


class EmergencyVehicleWarning:
    """EVW: an emergency vehicle on duty comes up from behind, or to where roads join.

    A driver in its lane clears it, to the right where there is a lane, else to the left; beside it
    a driver stays out of its lane, and where roads join it arrives later. On a road with one lane
    a driver is only told: going slower would hold it up. Those on another carriageway or deck are
    not told, as their roads do not lead to one another.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map.
    """

    Params = EvwParams

    def __init__(self, params: EvwParams, context: WarningContext) -> None:
        self._params = params
        self._lanes = context.network.road_map.edge_lanes

    def judge(self, scene: Scene) -> Judgement:
        """Return who has to give way to whom."""
        on_duty = tell(scene, KeyEvent.SIREN) & ~scene.apart
        # Those who are on duty themselves make their own way.
        on_duty &= (scene.host_states.flags & int(KeyEvent.SIREN)) == 0
        found = [self._behind(scene, on_duty)]
        if self._params.cross_s > 0.0:
            found.append(self._joining(scene, on_duty))
        return together(found)

    def _behind(self, scene: Scene, on_duty: BoolArray) -> Judgement:
        params = self._params
        gap_m = _gap_behind_m(scene, params.lanes_aside)
        closing = -scene.closing_mps
        arrival_s = np.full(scene.n_pairs, np.inf)
        np.divide(gap_m, closing, out=arrival_s, where=closing > 0.0)
        arrival_s[gap_m < params.behind_m] = 0.0
        wide = params.release
        kept = on_duty & (gap_m < wide * params.range_m) & (arrival_s < wide * params.arrival_s)
        pair = np.flatnonzero(kept)
        gap_m, closing, arrival_s = gap_m[pair], closing[pair], arrival_s[pair]
        action, side = self._way_out(scene, pair)
        return of_pairs(
            scene,
            pair,
            raised=(gap_m < params.range_m) & (arrival_s < params.arrival_s),
            stage=np.where(arrival_s < params.near_s, Stage.WARN, Stage.INFORM).astype(np.int32),
            action=action,
            value=side,
            distance_m=gap_m,
            closing_mps=closing,
            needed_m=np.maximum(closing, 0.0) * params.clear_s,
        )

    def _way_out(self, scene: Scene, pair: RowArray) -> tuple[IntArray, FloatArray]:
        """Return what those ahead of it do, and to which side."""
        mine = scene.host_states
        edge, lane = mine.edge[pair], mine.lane[pair]
        lanes = np.where(edge >= 0, self._lanes[edge], 1)
        beside_m = np.abs(scene.left_m) - scene.half_widths_m
        same = np.where(scene.follows_map, scene.lanes_left_behind == 0, beside_m < ASIDE_M)[pair]
        clears = same & (lanes > 1)
        action = np.select([clears, ~same], [Action.CHANGE_LANE, Action.KEEP_LANE], Action.INFORM)
        return action.astype(np.int32), np.where(lane > 0, -1.0, 1.0)

    def _joining(self, scene: Scene, on_duty: BoolArray) -> Judgement:
        """Let those whose way joins or crosses its way arrive after it."""
        params = self._params
        mine_m, other_m = scene.to_conflict_m, scene.remote_to_conflict_m
        pair = np.flatnonzero(on_duty & _is_aside(scene) & (mine_m > 0.0) & (other_m > 0.0))
        mine_m, other_m = mine_m[pair], other_m[pair]
        arrival_s = other_m / np.maximum(scene.remote_states.speed_mps[pair], 0.1)
        own_s = mine_m / np.maximum(scene.host_states.speed_mps[pair], 0.1)
        kept = (other_m < params.range_m) & (arrival_s < params.release * params.near_s)
        kept &= np.abs(own_s - arrival_s) < params.release * params.cross_s
        rows = np.flatnonzero(kept)
        pair, mine_m, arrival_s, own_s = pair[rows], mine_m[rows], arrival_s[rows], own_s[rows]
        return of_pairs(
            scene,
            pair,
            raised=(arrival_s < params.near_s) & (np.abs(own_s - arrival_s) < params.cross_s),
            stage=Stage.WARN,
            action=Action.SLOW,
            value=mine_m / (arrival_s + params.cross_s),
            distance_m=mine_m,
            closing_mps=scene.host_states.speed_mps[pair],
        )


def _gap_behind_m(scene: Scene, lanes_aside: int) -> FloatArray:
    """Return the gaps to remote ones behind on the same road or upstream [m], NaN for others."""
    likely = scene.backward.likely | (scene.remote_states.turn != 0)
    by_map = np.where(likely, scene.road_behind_m, np.nan)
    straight = -scene.ahead_m - scene.half_lengths_m
    wide_m = scene.half_widths_m + ASIDE_M + lanes_aside * scene.outlook.lane_width_m
    near = (np.abs(scene.left_m) < wide_m) & (straight > 0.0) & scene.same_direction
    return np.where(scene.follows_map, by_map, np.where(near, straight, np.nan))


def _is_aside(scene: Scene) -> BoolArray:
    """Return whether remote ones are on another road that is not oncoming either.

    By the map neither road leads to the other; in any case both directions differ by 10 to 150
    degrees.
    """
    turned = np.abs(scene.turned_rad)
    aside = (turned > np.deg2rad(10.0)) & (turned < np.deg2rad(150.0))
    led = ~np.isnan(scene.onward.ahead_m) | ~np.isnan(scene.backward.ahead_m)
    return np.asarray(aside & ~(scene.follows_map & led))
