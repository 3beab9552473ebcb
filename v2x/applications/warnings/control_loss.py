"""Somebody near the path loses grip: control loss warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import (
    Judgement,
    Stage,
    WarningContext,
    of_pairs,
    together,
)
from v2x.applications.warnings.braking import (
    BrakingParams,
    braking_need,
    gentle_speed_mps,
)
from v2x.applications.warnings.hard_braking import times_s
from v2x.applications.warnings.targets import (
    OncomingTraffic,
    ahead_nearby,
    taken_m,
    tell,
)
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene

#: Events that tell of lost grip.
LOST_GRIP = KeyEvent.ABS | KeyEvent.TRACTION_LOSS | KeyEvent.STABILITY_CONTROL


@dataclass(frozen=True, slots=True, kw_only=True)
class ClwParams:
    """When a driver is told that somebody near its path loses grip (T/CSAE 53, CLW).

    Parameters
    ----------
    relevance_s
        Time gap or TTC below which it concerns the driver [s]; 5 (proposal).
    release
        It stands until both are above this many times that, or the flags are off (proposal).
    lanes_aside
        Lanes, or lane widths, to each side that count as near the path; those of oncoming
        traffic on the same road always do (assumption).
    oncoming
        Whether oncoming vehicles count.
    braking
        How a warned driver brakes, in whose lane somebody loses grip.
    """

    relevance_s: float = 5.0
    release: float = 1.5
    lanes_aside: int = 1
    oncoming: bool = True
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        if not 0.0 < self.relevance_s <= 60.0:
            raise ValueError(f"relevance_s must be in (0, 60], got {self.relevance_s}")
        if not self.release >= 1.0:
            raise ValueError(f"release must be >= 1, got {self.release}")
        if not 0 <= self.lanes_aside <= 10:
            raise ValueError(f"lanes_aside must be within 0 and 10, got {self.lanes_aside}")


class ControlLossWarning:
    """CLW: a vehicle ahead, beside the path or oncoming loses its grip, by its own word.

    Behind it a driver slows down gently or brakes; beside it and towards it, it keeps its lane.

    Parameters
    ----------
    params
        Thresholds.
    context
        The map.
    """

    Params = ClwParams

    def __init__(self, params: ClwParams, context: WarningContext) -> None:
        self._params = params
        self._oncoming = OncomingTraffic(context.network.road_map)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of whom."""
        found = [self._ahead(scene)]
        if self._params.oncoming:
            found.append(self._towards(scene))
        return together(found)

    def _ahead(self, scene: Scene) -> Judgement:
        params = self._params
        pair = np.flatnonzero(tell(scene, LOST_GRIP) & ahead_nearby(scene, params.lanes_aside))
        away_s = times_s(scene, pair)
        near = np.flatnonzero(away_s < params.release * params.relevance_s)
        pair, away_s = pair[near], away_s[near]
        taken = taken_m(scene, params.braking.standstill_m)[pair]
        need = braking_need(scene, pair, params.braking, taken)
        in_path = scene.in_path[pair]
        stage = np.where(in_path, need.stage(params.braking), Stage.INFORM).astype(np.int32)
        brakes, slows = in_path & (stage > Stage.INFORM), in_path & (stage == Stage.INFORM)
        gentle = gentle_speed_mps(scene, pair, params.braking, taken)
        return of_pairs(
            scene,
            pair,
            raised=away_s < params.relevance_s,
            stage=stage,
            action=np.select([brakes, slows], [Action.BRAKE, Action.SLOW], Action.KEEP_LANE),
            value=np.where(brakes, need.asked_mps2(stage, params.braking), gentle),
            distance_m=scene.gap_m[pair],
            closing_mps=scene.closing_mps[pair],
            needed_m=np.where(in_path, need.needed_m, np.nan),
        )

    def _towards(self, scene: Scene) -> Judgement:
        params = self._params
        gap_m = self._oncoming.gap_m(scene, params.lanes_aside)
        closing = scene.host_states.speed_mps + scene.remote_states.speed_mps
        meet_s = np.full(scene.n_pairs, np.inf)
        np.divide(gap_m, closing, out=meet_s, where=closing > 0.0)
        near = meet_s < params.release * params.relevance_s
        pair = np.flatnonzero(near & tell(scene, LOST_GRIP))
        return of_pairs(
            scene,
            pair,
            raised=meet_s[pair] < params.relevance_s,
            stage=Stage.WARN,
            action=Action.KEEP_LANE,
            distance_m=gap_m[pair],
            closing_mps=closing[pair],
        )
