"""A vehicle ahead that stands or crawls where others drive: abnormal vehicle warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    Stage,
    WarningContext,
    of_pairs,
)
from v2x.applications.warnings.braking import (
    BrakingParams,
    braking_need,
    gentle_speed_mps,
)
from v2x.applications.warnings.targets import (
    ahead_nearby,
    mean_speeds_mps,
    taken_m,
    tell,
)
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class AvwParams:
    """When a driver is told of a vehicle that stands or crawls (T/CSAE 53, AVW).

    Parameters
    ----------
    inform_s, warn_s
        Time to reach it below which an alert begins, and is a warning [s]; 6 to 8 (proposal).
    release
        It stands until the time to reach it is this many times `inform_s` (proposal).
    speed_share
        Slower than this share of the mean speed on its road is abnormal (proposal).
    least_known
        How many vehicles must be known on its road to make a mean; with fewer the speed limit
        counts (proposal).
    flowing_mps
        Where the mean is below this all are slow, and only breakdowns and hazard lights are
        abnormal [m/s] (assumption).
    signal_m
        This near before a signal, or with an indicator on, a slow vehicle waits for its turn
        [m] (assumption).
    lanes_aside
        Lanes to each side of which a driver is told too (assumption).
    braking
        How a warned driver brakes.
    """

    inform_s: float = 8.0
    warn_s: float = 6.0
    release: float = 1.5
    speed_share: float = 0.2
    least_known: int = 3
    flowing_mps: float = 5.0
    signal_m: float = 50.0
    lanes_aside: int = 1
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        if not 0.0 < self.warn_s <= self.inform_s <= 60.0:
            raise ValueError(
                f"warn_s and inform_s must ascend within 0 and 60, got {self.warn_s} and "
                f"{self.inform_s}"
            )
        check_ranges(
            self,
            ("release", 1.0, 100.0),
            ("speed_share", 0.0, 1.0),
            ("least_known", 1, 1000),
            ("flowing_mps", 0.0, 50.0),
            ("signal_m", 0.0, 1000.0),
            ("lanes_aside", 0, 10),
        )


class AbnormalVehicleWarning:
    """AVW: a vehicle ahead stands, crawls or is broken down.

    A driver who is told early slows down gently, so that those behind need not brake hard; one
    who is told late brakes.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map, and where its signals are.
    """

    Params = AvwParams

    def __init__(self, params: AvwParams, context: WarningContext) -> None:
        self._params = params
        self._map = context.network.road_map

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of whom."""
        params = self._params
        pair = np.flatnonzero(ahead_nearby(scene, params.lanes_aside) & (scene.closing_mps > 0.0))
        pair = pair[self._abnormal(scene, pair)]
        reach_s = np.maximum(scene.gap_m[pair], 0.0) / scene.closing_mps[pair]
        near = np.flatnonzero(reach_s < params.release * params.inform_s)
        pair, reach_s = pair[near], reach_s[near]
        taken = taken_m(scene, params.braking.standstill_m)[pair]
        need = braking_need(scene, pair, params.braking, taken)
        in_path = scene.in_path[pair]
        stage = np.where(reach_s < params.warn_s, Stage.WARN, Stage.INFORM)
        stage[need.stage(params.braking) == Stage.IMMINENT] = Stage.IMMINENT
        stage = np.where(in_path, stage, Stage.INFORM).astype(np.int32)
        brakes, slows = in_path & (stage > Stage.INFORM), in_path & (stage == Stage.INFORM)
        gentle = gentle_speed_mps(scene, pair, params.braking, taken)
        return of_pairs(
            scene,
            pair,
            raised=reach_s < params.inform_s,
            stage=stage,
            action=np.select([brakes, slows], [Action.BRAKE, Action.SLOW], Action.INFORM),
            value=np.where(brakes, need.asked_mps2(stage, params.braking), gentle),
            distance_m=scene.gap_m[pair],
            closing_mps=scene.closing_mps[pair],
            needed_m=np.where(in_path, need.needed_m, np.nan),
        )

    def _abnormal(self, scene: Scene, pair: RowArray) -> BoolArray:
        """Return whether remote ones stand or crawl without a reason, or say so themselves."""
        params = self._params
        mean = mean_speeds_mps(scene, pair, scene.outlook.limit_mps, params.least_known)
        slow = scene.remote_states.speed_mps[pair] < params.speed_share * mean
        slow &= (mean >= params.flowing_mps) & ~self._waits(scene, pair)
        troubled = tell(scene, KeyEvent.DISABLED_VEHICLE | KeyEvent.HAZARD_LIGHTS)
        return np.asarray(slow | troubled[pair])

    def _waits(self, scene: Scene, pair: RowArray) -> BoolArray:
        """Return whether remote ones are near a signal ahead of them, or about to turn."""
        edge, road_map = scene.remote_states.edge[pair], self._map
        rest_m = road_map.edge_length_m[edge] - scene.remote_states.offset_m[pair]
        at_signal = road_map.node_signal[road_map.edge_to[edge]] & (rest_m < self._params.signal_m)
        turns = scene.remote_states.turn[pair] != 0
        return np.asarray(((edge >= 0) & at_signal) | turns)
