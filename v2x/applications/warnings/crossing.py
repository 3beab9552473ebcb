"""Who gets to a place first, who goes first there, and who stops before it anyway."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.applications.warnings.base import BoolArray, Judgement, Stage, of_pairs
from v2x.applications.warnings.braking import (
    BrakingNeed,
    BrakingParams,
    hardest_mps2,
    stopping_need,
)
from v2x.applications.warnings.junctions import Junctions, Meeting
from v2x.applications.warnings.lights import forecast
from v2x.mobility.fleet import FloatArray, NodeKind
from v2x.mobility.reactions import Action
from v2x.mobility.signals.lights import Light
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray

#: Who is slower than this stands [m/s].
STANDING_MPS = 0.5
#: Who slows down by less than this does not brake [m/s²].
_BRAKING_MPS2 = 0.5
#: Who comes to a stand at most so far behind the line stops before it [m].
_OVERSHOOT_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingTimes:
    """When hosts and remote ones get to the places where their ways cross, pair by pair.

    Attributes
    ----------
    host_s, remote_s : (n,) float64
        Time to it at the present speed [s]; infinite for who stands.
    """

    host_s: FloatArray
    remote_s: FloatArray

    @property
    def apart_s(self) -> FloatArray:
        """Time between both [s]; infinite if one of them stands."""
        apart = np.full(len(self.host_s), np.inf)
        both = np.isfinite(self.host_s) & np.isfinite(self.remote_s)
        np.subtract(self.host_s, self.remote_s, out=apart, where=both)
        return np.asarray(np.abs(apart))

    @property
    def first_s(self) -> FloatArray:
        """Time until the first gets there [s]."""
        return np.minimum(self.host_s, self.remote_s)


@dataclass(frozen=True, slots=True)
class StopBefore:
    """Hosts that may be asked to stop before a place, pair by pair.

    Attributes
    ----------
    scene
        The scene.
    pair : (n,) intp
        Numbers of the pairs.
    room_m : (n,) float64
        Way to the place [m], positive.
    braking
        How a warned driver brakes.
    need
        What hosts need to stop there.
    """

    scene: Scene
    pair: RowArray
    room_m: FloatArray
    braking: BrakingParams
    need: BrakingNeed

    @classmethod
    def of(
        cls, scene: Scene, pair: RowArray, room_m: FloatArray, braking: BrakingParams
    ) -> StopBefore:
        """Return what stopping there takes."""
        hardest = hardest_mps2(scene, pair, braking)
        speed = scene.host_states.speed_mps[pair]
        return cls(scene, pair, room_m, braking, stopping_need(speed, room_m, hardest, braking))

    def judged(self, threatens: BoolArray, stays: BoolArray) -> Judgement:
        """Return that hosts are to stop where others `threatens`, as long as it `stays` so.

        No alert begins while a host brakes so that it stops there anyway.
        """
        mine, kept = self.scene.host_states, np.flatnonzero(stays)
        speed = mine.speed_mps[self.pair]
        brakes = stops_anyway(speed, mine.acceleration_mps2[self.pair], self.room_m)
        stage = np.maximum(self.need.stage(self.braking), Stage.WARN)
        return of_pairs(
            self.scene,
            self.pair[kept],
            raised=(threatens & ~brakes)[kept],
            stage=stage[kept],
            action=Action.BRAKE,
            value=self.need.asked_mps2(stage, self.braking)[kept],
            distance_m=self.room_m[kept],
            closing_mps=speed[kept],
            needed_m=self.need.needed_m[kept],
        )


def times_s(distance_m: FloatArray, speed_mps: FloatArray) -> FloatArray:
    """Return times to places ahead [s]: 0 on them, infinite for who stands."""
    times = np.full(len(distance_m), np.inf)
    np.divide(np.maximum(distance_m, 0.0), speed_mps, out=times, where=speed_mps >= STANDING_MPS)
    return times


def driven(scene: Scene) -> BoolArray:
    """Return whether hosts are vehicles that somebody drives, (n_pairs,)."""
    return np.asarray(scene.fleet.kind[scene.host] <= NodeKind.BUS)


def stops_anyway(
    speed_mps: FloatArray, acceleration_mps2: FloatArray, line_m: FloatArray
) -> BoolArray:
    """Return who comes to a stand before a line if it brakes on as it does, (n,)."""
    braking = np.maximum(-acceleration_mps2, 0.0)
    way = np.full(len(speed_mps), np.inf)
    np.divide(speed_mps**2, 2.0 * braking, out=way, where=braking >= _BRAKING_MPS2)
    return np.asarray(way <= line_m + _OVERSHOOT_M)


def waits_for_host(
    scene: Scene, pair: RowArray, meeting: Meeting, junctions: Junctions, yielding_mps2: float
) -> BoolArray:
    """Return which remote ones have to wait for the hosts, as these know, and still can.

    Lights decide where the host knows them from MAP and SPAT: it has green and the other red. Where
    there are none, the more important road does. Otherwise nobody has to wait.

    Parameters
    ----------
    scene, pair : (n,)
        Pairs of a scene, by their numbers.
    meeting
        Where their ways cross.
    junctions
        Movements of the map.
    yielding_mps2
        Who would have to brake harder than this before the junction is not relied on [m/s²].
    """
    network = junctions.network
    mine, other = meeting.host_movement, meeting.remote_movement
    if not network.n_movements:
        return np.zeros(len(pair), dtype=np.bool_)
    known = (mine >= 0) & (other >= 0)
    dark = known & (network.signal[mine] < 0)
    by_rank = dark & (network.rank[mine] > network.rank[other])
    host = scene.host[pair]
    first, second = (forecast(scene, network, host, item) for item in (mine, other))
    by_light = known & first.is_green & (second.light == Light.RED)
    line = meeting.remote_line_m
    speed = scene.remote_states.speed_mps[pair]
    needs = np.full(len(pair), np.inf)
    np.divide(speed**2, 2.0 * line, out=needs, where=line > 0.0)
    return np.asarray((by_rank | by_light) & (needs <= yielding_mps2))
