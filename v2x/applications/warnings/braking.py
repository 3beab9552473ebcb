"""What braking a danger ahead asks for, and how that becomes the stage of an alert."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.applications.warnings.base import Stage
from v2x.mobility.collision_warning import required_braking_mps2
from v2x.mobility.fleet import FloatArray, IntArray
from v2x.mobility.surrogates import braking_on_grade_mps2
from v2x.mobility.timeliness import NUISANCE_BRAKING_MPS2, required_distance_m
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges

#: Least braking that is ever reckoned with [m/s²], where a slope leaves none.
_LEAST_MPS2 = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakingParams:
    """How a warned driver is reckoned to brake.

    Parameters
    ----------
    reaction_s
        From the alert to the brakes [s]; CAMP 1.52.
    comfort_mps2
        Braking that is asked for at most at stage warn, and beyond which the stage is imminent
        [m/s²] (proposal; 3 to 4 counts as hard braking).
    friction_share
        Share of what friction and grade of the road give that is asked for at most (proposal).
    standstill_m
        Gap that is to be left at the end [m] (proposal).
    gentle_mps2
        Braking with which a driver who is told early slows down [m/s²]; 1.5 as for the approach
        to a speed limit (proposal).
    """

    reaction_s: float = 1.52
    comfort_mps2: float = 3.0
    friction_share: float = 0.75
    standstill_m: float = 2.0
    gentle_mps2: float = 1.5

    def __post_init__(self) -> None:
        """Reject drivers who cannot be."""
        check_ranges(
            self,
            ("reaction_s", 0.0, 10.0),
            ("comfort_mps2", 0.5, 10.0),
            ("friction_share", 0.05, 1.0),
            ("standstill_m", 0.0, 50.0),
            ("gentle_mps2", 0.1, 10.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakingNeed:
    """Braking that avoids running into somebody ahead, pair by pair.

    Attributes
    ----------
    now_mps2 : (n,) float64
        If it begins at once [m/s²]; 0 where none is needed, infinite without any room.
    later_mps2 : (n,) float64
        If it begins after the reaction to an alert [m/s²].
    hardest_mps2 : (n,) float64
        That is asked for at most on this road [m/s²].
    needed_m : (n,) float64
        Gap that a warned driver needs, braking with that [m].
    """

    now_mps2: FloatArray
    later_mps2: FloatArray
    hardest_mps2: FloatArray
    needed_m: FloatArray

    def stage(self, params: BrakingParams) -> IntArray:
        """Return stages by what a reacting driver needs: 0.1 g, and comfort, are the limits."""
        stage = np.full(len(self.now_mps2), Stage.INFORM, dtype=np.int32)
        stage[self.later_mps2 >= NUISANCE_BRAKING_MPS2] = Stage.WARN
        stage[self.later_mps2 > self._comfort(params)] = Stage.IMMINENT
        return stage

    def asked_mps2(self, stage: IntArray, params: BrakingParams) -> FloatArray:
        """Return the braking to ask for: what is needed, up to comfort or to what the road gives.

        Asked anew at every tick, what is needed stays the same while it is done.
        """
        most = np.where(stage == Stage.IMMINENT, self.hardest_mps2, self._comfort(params))
        return np.asarray(np.clip(self.now_mps2, _LEAST_MPS2, most))

    def _comfort(self, params: BrakingParams) -> FloatArray:
        return np.minimum(params.comfort_mps2, self.hardest_mps2)


def hardest_mps2(scene: Scene, pair: RowArray, params: BrakingParams) -> FloatArray:
    """Return the braking that is asked for at most on the hosts' roads [m/s²], (n,)."""
    return hardest_on_mps2(scene.friction[pair], scene.grade[pair], params)


def hardest_on_mps2(friction: FloatArray, grade: FloatArray, params: BrakingParams) -> FloatArray:
    """Return the braking that is asked for at most on roads [m/s²], (n,)."""
    given = braking_on_grade_mps2(friction, grade)
    return np.maximum(params.friction_share * given, _LEAST_MPS2)


def stopping_need(
    speed_mps: FloatArray, room_m: FloatArray, hardest_mps2: FloatArray, params: BrakingParams
) -> BrakingNeed:
    """Return the braking that hosts need to stop within some room, (n,) each.

    Parameters
    ----------
    speed_mps, room_m : (n,) float64
        Speed now [m/s], and way to the place at which to stand [m].
    hardest_mps2 : (n,) float64
        That is asked for at most [m/s²].
    params
        The driver.
    """
    later = required_braking_mps2(speed_mps, 0.0, 0.0, room_m, params.reaction_s)
    return BrakingNeed(
        now_mps2=required_braking_mps2(speed_mps, 0.0, 0.0, room_m),
        later_mps2=later,
        hardest_mps2=hardest_mps2,
        needed_m=required_distance_m(speed_mps, 0.0, 0.0, params.reaction_s, hardest_mps2),
    )


def braking_need(
    scene: Scene, pair: RowArray, params: BrakingParams, taken_m: FloatArray | float = 0.0
) -> BrakingNeed:
    """Return the braking that hosts need because of remote ones ahead of them.

    The remote ones are taken to go on as they do until they rest, but not to speed up.

    Parameters
    ----------
    scene, pair : (n,)
        Pairs of a scene, by their numbers.
    params
        The driver.
    taken_m : (n,) float64
        Room that others between the two need at a stand [m], see
        :func:`~v2x.applications.warnings.targets.taken_m`.
    """
    speed = scene.host_states.speed_mps[pair]
    closing = scene.closing_mps[pair]
    # A remote one that comes towards the host counts as standing: it is not braked for.
    leader = np.maximum(speed - closing, 0.0)
    slowing = np.minimum(scene.remote_states.acceleration_mps2[pair], 0.0)
    gap = scene.gap_m[pair]
    # Who is nearer than twice the gap at a stand may use up half of what there is.
    room = gap - np.minimum(params.standstill_m, 0.5 * gap) - taken_m
    hardest = hardest_mps2(scene, pair, params)
    return BrakingNeed(
        now_mps2=required_braking_mps2(speed, leader, slowing, room),
        later_mps2=required_braking_mps2(speed, leader, slowing, room, params.reaction_s),
        hardest_mps2=hardest,
        needed_m=required_distance_m(speed, leader, slowing, params.reaction_s, hardest),
    )


def gentle_speed_mps(
    scene: Scene, pair: RowArray, params: BrakingParams, taken_m: FloatArray | float = 0.0
) -> FloatArray:
    r"""Return the speed from which gentle braking reaches that of the remote one in time [m/s].

    :math:`v_l + \sqrt{2 b s}`: far away it holds nobody up, and it falls on the way.
    """
    room = np.maximum(scene.gap_m[pair] - params.standstill_m - taken_m, 0.0)
    leader = np.maximum(scene.host_states.speed_mps[pair] - scene.closing_mps[pair], 0.0)
    return np.asarray(leader + np.sqrt(2.0 * params.gentle_mps2 * room))
