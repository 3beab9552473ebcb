"""Danger in the own lane ahead: forward collision warning, by one of several algorithms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    Stage,
    WarningContext,
    of_pairs,
)
from v2x.applications.warnings.braking import BrakingParams, braking_need, hardest_mps2
from v2x.applications.warnings.targets import are_vehicles
from v2x.mobility.collision_warning import (
    CampParams,
    berkeley_range_m,
    camp_range_m,
    honda_range_m,
    mazda_range_m,
    stop_distance_m,
)
from v2x.mobility.fleet import FloatArray
from v2x.mobility.reactions import Action
from v2x.mobility.surrogates import braking_on_grade_mps2
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray

#: Time over which a change of the closing speed counts as coming near [s].
_SOON_S = 1.0


class FcwAlgorithm(StrEnum):
    """By which rule a forward collision warning is due."""

    #: Times to collision, one for each stage.
    TTC = "ttc"
    #: The regression of the Crash Avoidance Metrics Partnership.
    CAMP = "camp"
    #: The gap that is needed if the leader brakes to a stop now (JAMA).
    STOP_DISTANCE = "stop-distance"
    #: Braking distance of Mazda; from memory, confidence low.
    MAZDA = "mazda"
    #: Warning distance of Honda; from memory, confidence low.
    HONDA = "honda"
    #: Warning distance of the Berkeley algorithm; from memory, confidence low.
    BERKELEY = "berkeley"


@dataclass(frozen=True, slots=True, kw_only=True)
class FcwParams:
    """When a driver is warned of running into the vehicle ahead (T/CSAE 53, FCW).

    Parameters
    ----------
    algorithm
        ``ttc``, ``camp``, ``stop-distance`` (JAMA), ``mazda``, ``honda`` or ``berkeley``.
    inform_s, warn_s, imminent_s
        TTC below which an alert has this stage, with ``ttc`` [s]; 4, 2.7 and 1.8 (proposal).
    inform_share, imminent_share
        The same with the other algorithms, which have one distance, for stage warn: shares of
        it at which the other stages begin (proposal: the ratios of the times above).
    release
        An alert stands until the gap is this many times that of stage inform (proposal).
    least_closing_mps
        Slower approaches are none, now and a second ahead [m/s]; twice the speed error of 0.28
        that GB/T 45315-2025 allows.
    system_delay_s
        Latency until an alert is shown, with ``camp`` [s]; 0.1 as in its test vectors.
    margin_m
        Gap that ``stop-distance`` leaves [m] (assumption).
    braking_counts
        Whether no alert begins about somebody for whom the host already brakes hard enough:
        without this every ordinary stop ends with one, as TTC falls with the speed.
    camp
        The regression of ``camp``.
    braking
        How a warned driver brakes. Who can only be avoided with more than its hardest braking is
        an imminent danger, whatever the distance.
    """

    algorithm: FcwAlgorithm = FcwAlgorithm.TTC
    inform_s: float = 4.0
    warn_s: float = 2.7
    imminent_s: float = 1.8
    inform_share: float = 1.5
    imminent_share: float = 0.67
    release: float = 1.5
    least_closing_mps: float = 0.56
    system_delay_s: float = 0.1
    margin_m: float = 2.0
    braking_counts: bool = True
    camp: CampParams = field(default_factory=CampParams)
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject thresholds in the wrong order."""
        FcwAlgorithm(self.algorithm)
        if not 0.0 < self.imminent_s <= self.warn_s <= self.inform_s:
            raise ValueError(
                f"imminent_s, warn_s and inform_s must be positive and ascend, got "
                f"{self.imminent_s}, {self.warn_s} and {self.inform_s}"
            )
        if not 0.0 < self.imminent_share <= 1.0 <= self.inform_share:
            raise ValueError(
                f"imminent_share must be within 0 and 1 and inform_share >= 1, got "
                f"{self.imminent_share} and {self.inform_share}"
            )
        if not self.release >= 1.0:
            raise ValueError(f"release must be >= 1, got {self.release}")
        for name in ("least_closing_mps", "system_delay_s", "margin_m"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")


class ForwardCollisionWarning:
    """FCW: the vehicle ahead in the own lane comes near too fast.

    Parameters
    ----------
    params
        Thresholds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = FcwParams

    def __init__(self, params: FcwParams, context: WarningContext) -> None:
        self._params = params
        self._distances = _DISTANCES[FcwAlgorithm(params.algorithm)]

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to warn of whom."""
        params = self._params
        pair = np.flatnonzero(scene.in_path & are_vehicles(scene) & self._comes_near(scene))
        need = braking_need(scene, pair, params.braking)
        inform_m, warn_m, imminent_m = self._distances(params, scene, pair)
        gap = scene.gap_m[pair]
        stage = np.full(len(pair), Stage.INFORM, dtype=np.int32)
        stage[gap < warn_m] = Stage.WARN
        hard = need.now_mps2 > need.hardest_mps2
        stage[(gap < imminent_m) | hard] = Stage.IMMINENT
        raised = (gap < inform_m) | hard
        if params.braking_counts:
            raised &= need.now_mps2 > -scene.host_states.acceleration_mps2[pair]
        judgement = of_pairs(
            scene,
            pair,
            raised=raised,
            stage=stage,
            action=np.where(stage == Stage.INFORM, Action.INFORM, Action.BRAKE).astype(np.int32),
            value=need.asked_mps2(stage, params.braking),
            distance_m=gap,
            closing_mps=scene.closing_mps[pair],
            needed_m=need.needed_m,
        )
        return judgement.take(np.flatnonzero((gap < params.release * inform_m) | hard))

    def _comes_near(self, scene: Scene) -> BoolArray:
        """Return whether hosts close in, or will within a second as both speeds change now."""
        gain = scene.host_states.acceleration_mps2 - scene.remote_states.acceleration_mps2
        soon = scene.closing_mps + _SOON_S * gain
        return np.asarray(np.maximum(scene.closing_mps, soon) > self._params.least_closing_mps)


#: Gaps at which the stages inform, warn and imminent begin, (3, n) [m].
Distances = Callable[[FcwParams, Scene, RowArray], FloatArray]


def _by_ttc(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
    times_s = np.array([[params.inform_s], [params.warn_s], [params.imminent_s]])
    return times_s * scene.closing_mps[pair]


def _camp(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
    return camp_range_m(
        scene.host_states.speed_mps[pair],
        _leader_mps(scene, pair),
        scene.remote_states.acceleration_mps2[pair],
        params.camp,
        system_delay_s=params.system_delay_s,
        friction=scene.friction[pair],
        grade=scene.grade[pair],
    )


def _stop_distance(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
    # The leader may use all that the road gives, the warned driver a share of it.
    given = braking_on_grade_mps2(scene.friction[pair], scene.grade[pair])
    return stop_distance_m(
        scene.host_states.speed_mps[pair],
        _leader_mps(scene, pair),
        params.braking.reaction_s,
        hardest_mps2(scene, pair, params.braking),
        np.maximum(given, 0.3),
        params.margin_m,
    )


def _mazda(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
    return mazda_range_m(scene.host_states.speed_mps[pair], scene.closing_mps[pair])


def _honda(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
    return honda_range_m(scene.closing_mps[pair])


def _berkeley(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
    return berkeley_range_m(scene.host_states.speed_mps[pair], scene.closing_mps[pair])


def _leader_mps(scene: Scene, pair: RowArray) -> FloatArray:
    """Return the speeds of remote ones along those of the hosts, never backwards [m/s]."""
    return np.maximum(scene.host_states.speed_mps[pair] - scene.closing_mps[pair], 0.0)


def _in_stages(range_m: Distances) -> Distances:
    """Return an algorithm with one distance as one with three."""

    def distances(params: FcwParams, scene: Scene, pair: RowArray) -> FloatArray:
        shares = np.array([[params.inform_share], [1.0], [params.imminent_share]])
        return shares * range_m(params, scene, pair)

    return distances


_DISTANCES: Mapping[FcwAlgorithm, Distances] = {
    FcwAlgorithm.TTC: _by_ttc,
    FcwAlgorithm.CAMP: _in_stages(_camp),
    FcwAlgorithm.STOP_DISTANCE: _in_stages(_stop_distance),
    FcwAlgorithm.MAZDA: _in_stages(_mazda),
    FcwAlgorithm.HONDA: _in_stages(_honda),
    FcwAlgorithm.BERKELEY: _in_stages(_berkeley),
}
