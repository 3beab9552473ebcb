"""Going towards a place where a driver should be slower: how fast to be now, how hard to brake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from v2x.applications.warnings.base import BoolArray, Stage
from v2x.applications.warnings.braking import BrakingParams
from v2x.applications.warnings.notices import Placed
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.reactions import Action
from v2x.mobility.surrogates import braking_on_grade_mps2
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray

#: Least braking that is ever reckoned with [m/s²], where a slope leaves none.
_LEAST_MPS2 = 0.3
#: Whoever is this much faster than it should be is not too fast [m/s].
_STEADY_MPS = 0.1
#: ... and this much is too little to call for hard braking [m/s].
_LITTLE_MPS = 1.0
#: Drivers approach a limit ever more gently. To slow down with all of their comfort they take up
#: one that is lower than their speed by this share of it.
_LOWER = 0.375
#: Shares of gentle braking between which that comes in.
_FROM, _TO = 0.8, 1.0
#: Braking is harder than gentle beyond this multiple of it.
_HARDER = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How hosts have to slow down to be as fast as they should at a place, pair by pair.

    Attributes
    ----------
    speed_mps, target_mps : (n,) float64
        Their speeds now and as they should be there [m/s].
    gentle_mps : (n,) float64
        Speed now from which gentle braking reaches the target in time [m/s]; far away it holds
        nobody up, and it falls on the way.
    now_mps2, later_mps2 : (n,) float64
        Braking if it begins at once, and if those who do not brake yet begin after the reaction
        to an alert [m/s²]; 0 where none is needed, infinite without any room.
    room_m : (n,) float64
        Way that is left for it [m].
    hardest_mps2 : (n,) float64
        That is asked for at most on this road [m/s²].
    needed_m : (n,) float64
        Way that a warned driver needs, braking with that [m].
    """

    speed_mps: FloatArray
    target_mps: FloatArray
    gentle_mps: FloatArray
    now_mps2: FloatArray
    later_mps2: FloatArray
    room_m: FloatArray
    hardest_mps2: FloatArray
    needed_m: FloatArray

    @property
    def too_fast(self) -> BoolArray:
        """Whether hosts are faster than they should be there."""
        return np.asarray(self.speed_mps > self.target_mps + _STEADY_MPS)

    def asked_mps(self, params: BrakingParams) -> FloatArray:
        """Return the speed to ask for [m/s].

        Before it is time to slow down it is the one from which gentle braking is due, then one
        for which drivers brake gently all the way to the place. In it, it is the target.
        """
        share = np.minimum(self.now_mps2 / params.gentle_mps2, _TO)
        due = np.clip((share - _FROM) / (_TO - _FROM), 0.0, 1.0)
        due = np.where(self.too_fast & (self.room_m > 0.0), due, 0.0)
        lower = np.where(due > 0.0, (1.0 - _LOWER * due) * self.speed_mps, np.inf)
        return np.minimum(self.gentle_mps, lower)


def approach(
    scene: Scene,
    host: RowArray,
    way_m: FloatArray,
    target_mps: FloatArray,
    params: BrakingParams,
) -> Approach:
    r"""Return how hosts reach a place with a target speed.

    Parameters
    ----------
    scene
        The scene.
    host : (n,) intp
        Rows.
    way_m : (n,) float64
        Way to the place; not positive in it [m].
    target_mps : (n,) float64
        Speed there [m/s].
    params
        How the driver brakes. A stop ends `standstill_m` before the place.

    Notes
    -----
    :math:`b = (v^2 - v_t^2) / (2 (s - v t_r))`, with :math:`t_r = 0` at once.
    """
    own, outlook = scene.own, scene.outlook
    speed, edge = own.speed_mps[host], own.edge[host]
    friction = np.where(edge >= 0, outlook.friction[edge], 0.7)
    grade = np.where(edge >= 0, outlook.grade[edge], 0.0)
    hardest = np.maximum(
        params.friction_share * braking_on_grade_mps2(friction, grade), _LEAST_MPS2
    )
    room = np.maximum(way_m - np.where(target_mps > 0.0, 0.0, params.standstill_m), 0.0)
    squares = np.maximum(speed**2 - target_mps**2, 0.0)

    def braking(left_m: FloatArray) -> FloatArray:
        found = np.where(squares > 0.0, np.inf, 0.0)
        np.divide(squares, 2.0 * left_m, out=found, where=left_m > 0.0)
        return found

    now = braking(room)
    brakes = _brakes_mps2(scene, host) > 0.5 * np.minimum(now, params.gentle_mps2)
    reaction_m = np.where(brakes, 0.0, speed * params.reaction_s)
    return Approach(
        speed_mps=speed,
        target_mps=target_mps,
        gentle_mps=np.sqrt(target_mps**2 + 2.0 * params.gentle_mps2 * room),
        now_mps2=now,
        later_mps2=braking(room - reaction_m),
        room_m=room,
        hardest_mps2=hardest,
        needed_m=np.where(squares > 0.0, speed * params.reaction_s, 0.0) + squares / (2 * hardest),
    )


def can_turn_off(scene: Scene, placed: Placed[Any], found: Approach) -> BoolArray:
    """Return whether hosts may still take another way, (n,).

    The place is not on their edge, and gentle braking for it need not begin yet.
    """
    edge = placed.of("edge", np.int32)
    elsewhere = (edge != scene.own.edge[placed.host]) & placed.ahead
    return np.asarray(elsewhere & (found.gentle_mps > found.speed_mps))


def slowing(
    scene: Scene,
    placed: Placed[Any],
    found: Approach,
    near: BoolArray,
    params: BrakingParams,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return stage, action and value of alerts that ask drivers to slow down; (n,) each.

    Early they are told a speed that falls on the way; who is late brakes, with what it takes up
    to comfort, or up to what the road gives where it has to stop. Whoever is in a place slows
    down, and brakes no more.

    Parameters
    ----------
    scene, placed
        The scene; the places.
    found
        How hosts reach them.
    near : (n,) bool
        Whether the alert is a warning to those who are too fast.
    params
        How the driver brakes.
    """
    comfort = np.minimum(params.comfort_mps2, found.hardest_mps2)
    # Who has begun to brake because it was late goes on until gentle braking will do.
    brakes = _brakes_mps2(scene, placed.host) > _HARDER * params.gentle_mps2
    harder = found.now_mps2 > _HARDER * params.gentle_mps2
    much = found.speed_mps > found.target_mps + _LITTLE_MPS
    late = ((found.later_mps2 > comfort) | (brakes & harder)) & much & placed.ahead
    stage = np.full(len(placed), Stage.INFORM, dtype=np.int32)
    stage[near & found.too_fast] = Stage.WARN
    stage[late] = Stage.IMMINENT
    most = np.where(found.target_mps > 0.0, comfort, found.hardest_mps2)
    braking = np.clip(found.now_mps2, _LEAST_MPS2, most)
    action = np.where(late, Action.BRAKE, Action.SLOW).astype(np.int32)
    return stage, action, np.where(late, braking, found.asked_mps(params))


def _brakes_mps2(scene: Scene, host: RowArray) -> FloatArray:
    """Return how hard hosts brake [m/s²], 0 if they do not know it, (n,)."""
    return np.nan_to_num(np.maximum(-scene.own.acceleration_mps2[host], 0.0))
