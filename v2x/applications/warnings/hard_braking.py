"""Somebody ahead brakes hard: emergency brake warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import Judgement, Stage, WarningContext, of_pairs
from v2x.applications.warnings.braking import BrakingParams, braking_need
from v2x.applications.warnings.targets import ahead_nearby, taken_m, tell
from v2x.mobility.fleet import FloatArray, KeyEvent
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EbwParams:
    """When a driver is told that somebody ahead brakes hard (T/CSAE 53, EBW).

    Parameters
    ----------
    relevance_s
        Time gap or TTC below which it concerns the driver [s]; SAE J2945/1 5.
    release
        It stands until both are above this many times that, or the flag is off (proposal).
    lanes_aside
        Lanes to each side in which braking counts too; the adjacent ones, as in the standard.
    braking
        How a warned driver brakes, in whose lane somebody does.
    """

    relevance_s: float = 5.0
    release: float = 1.5
    lanes_aside: int = 1
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        if not 0.0 < self.relevance_s <= 60.0:
            raise ValueError(f"relevance_s must be in (0, 60], got {self.relevance_s}")
        if not self.release >= 1.0:
            raise ValueError(f"release must be >= 1, got {self.release}")
        if not 0 <= self.lanes_aside <= 10:
            raise ValueError(f"lanes_aside must be within 0 and 10, got {self.lanes_aside}")


class EmergencyBrakeWarning:
    """EBW: a vehicle ahead brakes hard, several vehicles on and out of sight perhaps.

    In the own lane, what is asked for stops the host behind it and behind all that are known to
    be between, if the others stop too. Beside it a driver is only told.

    Parameters
    ----------
    params
        Thresholds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = EbwParams

    def __init__(self, params: EbwParams, context: WarningContext) -> None:
        self._params = params

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to tell of whom."""
        params = self._params
        braking = tell(scene, KeyEvent.HARD_BRAKING)
        pair = np.flatnonzero(braking & ahead_nearby(scene, params.lanes_aside))
        away_s = times_s(scene, pair)
        near = np.flatnonzero(away_s < params.release * params.relevance_s)
        pair, away_s = pair[near], away_s[near]
        taken = taken_m(scene, params.braking.standstill_m)[pair]
        need = braking_need(scene, pair, params.braking, taken)
        in_path = scene.in_path[pair]
        stage = np.where(in_path, need.stage(params.braking), Stage.INFORM).astype(np.int32)
        return of_pairs(
            scene,
            pair,
            raised=away_s < params.relevance_s,
            stage=stage,
            action=np.where(stage == Stage.INFORM, Action.INFORM, Action.BRAKE).astype(np.int32),
            value=need.asked_mps2(stage, params.braking),
            distance_m=scene.gap_m[pair],
            closing_mps=scene.closing_mps[pair],
            needed_m=np.where(in_path, need.needed_m, np.nan),
        )


def times_s(scene: Scene, pair: RowArray) -> FloatArray:
    """Return the shorter of time gap and TTC to remote ones ahead [s], (n,)."""
    speed = np.maximum(scene.host_states.speed_mps[pair], scene.closing_mps[pair])
    times = np.full(len(pair), np.inf)
    np.divide(np.maximum(scene.gap_m[pair], 0.0), speed, out=times, where=speed > 0.0)
    return times
