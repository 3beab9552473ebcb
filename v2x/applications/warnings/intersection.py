"""Somebody comes out of another road: intersection collision warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    WarningContext,
    nobody,
)
from v2x.applications.warnings.braking import BrakingParams
from v2x.applications.warnings.crossing import (
    STANDING_MPS,
    CrossingTimes,
    StopBefore,
    driven,
    stops_anyway,
    times_s,
    waits_for_host,
)
from v2x.applications.warnings.junctions import Junctions, Meeting
from v2x.applications.warnings.targets import are_vehicles
from v2x.mobility.fleet import FloatArray
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class IcwParams:
    """When a driver is warned of a vehicle from another road (T/CSAE 53, ICW).

    Parameters
    ----------
    apart_s
        Both get to the place where their ways cross within this time of each other [s]; 2 is a
        proposal.
    horizon_s
        The first gets there within this time [s]; 4 to 5 is a proposal.
    need_mps2
        Braking that stops the host before the junction, above which it counts [m/s²]; 2 is a
        proposal.
    least_angle_deg, most_angle_deg
        Directions of both differ by this much [degree]; 30 to 150, 60 to 120 in the tests of the
        standard (proposal).
    yielding_mps2
        Who goes first, by lights or by the road, is warned only of others that would have to
        brake harder than this to wait [m/s²] (assumption); 0 warns of all.
    release
        An alert stands until times are above this many times these limits, or the need below this
        part of its limit (proposal).
    braking
        How a warned driver brakes.
    """

    apart_s: float = 2.0
    horizon_s: float = 4.5
    need_mps2: float = 2.0
    least_angle_deg: float = 30.0
    most_angle_deg: float = 150.0
    yielding_mps2: float = 2.5
    release: float = 1.5
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("apart_s", 0.1, 30.0),
            ("horizon_s", 0.1, 30.0),
            ("need_mps2", 0.0, 10.0),
            ("yielding_mps2", 0.0, 20.0),
            ("release", 1.0, 10.0),
        )
        if not 0.0 < self.least_angle_deg < self.most_angle_deg < 180.0:
            raise ValueError(
                f"0 < least_angle_deg < most_angle_deg < 180 is needed, "
                f"got {self.least_angle_deg} and {self.most_angle_deg}"
            )


class IntersectionCollisionWarning:
    """ICW: a vehicle from another road gets to the junction at the same time.

    By the map both are taken to do what lane and indicator say, and it counts whether these two
    movements cross or merge; without it, straight lines. Nobody is warned of a vehicle that
    stands, has passed, brakes so that it stops before the junction, or is on another deck. An
    alert does not begin either while the host brakes as it needs. Who is warned is asked to stop
    at the junction, or inside it before the way of the other.

    Parameters
    ----------
    params
        Thresholds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = IcwParams

    def __init__(self, params: IcwParams, context: WarningContext) -> None:
        self._params = params
        self._junctions = Junctions(context.network)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to warn of whom."""
        params = self._params
        pair = self._crossing(scene)
        meeting = self._junctions.meeting(scene, pair)
        room = room_m(scene, pair, meeting)
        kept = np.flatnonzero((room > 0.0) & ~self._lets_pass(scene, pair, meeting))
        if not len(kept):
            return nobody()
        pair, room, meeting = pair[kept], room[kept], meeting.take(kept)
        speed = scene.host_states.speed_mps[pair]
        times = CrossingTimes(
            host_s=times_s(meeting.host_m, speed),
            remote_s=times_s(meeting.remote_m, scene.remote_states.speed_mps[pair]),
        )
        stop = StopBefore.of(scene, pair, room, params.braking)

        def threatens(margin: float) -> BoolArray:
            near = (times.apart_s < params.apart_s * margin) & (
                times.first_s < params.horizon_s * margin
            )
            return near & (stop.need.now_mps2 > params.need_mps2 / margin)

        return stop.judged(threatens(1.0), threatens(params.release))

    def _crossing(self, scene: Scene) -> RowArray:
        """Return pairs of moving vehicles in directions that cross."""
        params = self._params
        angle = np.rad2deg(np.abs(scene.turned_rad))
        found = (angle >= params.least_angle_deg) & (angle <= params.most_angle_deg)
        found &= driven(scene) & are_vehicles(scene) & ~scene.apart
        found &= scene.host_states.speed_mps >= STANDING_MPS
        found &= scene.remote_states.speed_mps >= STANDING_MPS
        return np.flatnonzero(found)

    def _lets_pass(self, scene: Scene, pair: RowArray, meeting: Meeting) -> BoolArray:
        """Return which remote ones have passed, or will let the hosts pass."""
        states = scene.remote_states.take(pair)
        line = meeting.remote_line_m
        passed = ~(meeting.remote_m > -scene.fleet.length_m[scene.remote[pair]])
        stops = stops_anyway(states.speed_mps, states.acceleration_mps2, line) & (line > 0.0)
        waits = waits_for_host(scene, pair, meeting, self._junctions, self._params.yielding_mps2)
        return np.asarray(passed | stops | waits)


def room_m(scene: Scene, pair: RowArray, meeting: Meeting) -> FloatArray:
    """Return the way of hosts to where they should stop because of remote ones [m], (n,).

    That is where the junction begins; behind it the way of the remote one. Not positive where it
    is too late to stop before that.
    """
    box = meeting.host_m - 0.5 * scene.fleet.width_m[scene.remote[pair]]
    return np.where(meeting.host_line_m > 0.0, meeting.host_line_m, box)
