"""Turning left before oncoming traffic: left turn assist."""

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
    StopBefore,
    driven,
    times_s,
    waits_for_host,
)
from v2x.applications.warnings.junctions import Junctions
from v2x.applications.warnings.lights import forecast
from v2x.applications.warnings.targets import are_vehicles
from v2x.mobility.fleet import FloatArray
from v2x.mobility.signals.lights import Light
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges

#: Without a map: who turns left here and now crosses lanes at most so far to the left [m].
_WIDEST_M = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LtaParams:
    """When a driver who turns left is warned of oncoming traffic (T/CSAE 53, LTA).

    Parameters
    ----------
    critical_s
        The oncoming vehicle gets to where the ways cross less than this after the host [s]; a
        critical gap of 4 to 5 is a proposal.
    passed_s
        One that gets there more than this before the host has passed [s] (assumption).
    horizon_s
        The host gets there within this time [s] (assumption).
    pull_away_mps2
        Acceleration with which a driver pulls away [m/s²] (assumption).
    least_angle_deg
        Directions of both differ by at least this [degree]; 150 to 210 is a proposal.
    yielding_mps2
        A host with green of its own, while the others have red, is warned only of vehicles that
        would have to brake harder than this [m/s²] (assumption); 0 warns of all.
    release
        An alert stands until times are above this many times these limits (proposal).
    braking
        How a warned driver brakes.
    """

    critical_s: float = 4.5
    passed_s: float = 1.0
    horizon_s: float = 5.0
    pull_away_mps2: float = 1.5
    least_angle_deg: float = 150.0
    yielding_mps2: float = 2.5
    release: float = 1.2
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("critical_s", 0.1, 30.0),
            ("passed_s", 0.0, 30.0),
            ("horizon_s", 0.1, 30.0),
            ("pull_away_mps2", 0.1, 10.0),
            ("least_angle_deg", 90.0, 180.0),
            ("yielding_mps2", 0.0, 20.0),
            ("release", 1.0, 10.0),
        )


class LeftTurnAssist:
    """LTA: the gap in oncoming traffic is too short to turn left.

    The host turns left by its indicator, or by a lane that leads nowhere else; the oncoming vehicle
    does not. Only who pulls away or comes up to the junction is warned, not who waits, has red as
    far as MAP and SPAT tell, or brakes so that it stops before the oncoming lanes. The warned
    driver stops before these, as one does who waits in the middle of the junction.

    Parameters
    ----------
    params
        Thresholds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = LtaParams

    def __init__(self, params: LtaParams, context: WarningContext) -> None:
        self._params = params
        self._junctions = Junctions(context.network)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to warn of whom."""
        params = self._params
        pair = self._oncoming(scene)
        host_m, remote_m, no_threat = self._ways(scene, pair)
        room = host_m - params.braking.standstill_m
        kept = np.flatnonzero((room > 0.0) & (remote_m > 0.0) & ~no_threat)
        if not len(kept):
            return nobody()
        pair, room, host_m, remote_m = pair[kept], room[kept], host_m[kept], remote_m[kept]
        mine = scene.host_states.take(pair)
        first_s = np.minimum(
            times_s(host_m, mine.speed_mps), np.sqrt(2.0 * host_m / params.pull_away_mps2)
        )
        gap_s = times_s(remote_m, scene.remote_states.speed_mps[pair]) - first_s

        def too_short(margin: float) -> BoolArray:
            soon = first_s < params.horizon_s * margin
            return soon & (gap_s > -params.passed_s) & (gap_s < params.critical_s * margin)

        stop = StopBefore.of(scene, pair, room, params.braking)
        return stop.judged(too_short(1.0), too_short(params.release))

    def _oncoming(self, scene: Scene) -> RowArray:
        """Return pairs of a vehicle that turns left and one that comes towards it."""
        angle = np.rad2deg(np.abs(scene.turned_rad))
        found = (angle >= self._params.least_angle_deg) & (scene.ahead_m > 0.0)
        found &= driven(scene) & are_vehicles(scene) & ~scene.apart
        mine, other = scene.host_states, scene.remote_states
        waits = (mine.speed_mps < STANDING_MPS) & (mine.acceleration_mps2 <= 0.0)
        found &= ~waits & (other.speed_mps >= STANDING_MPS)
        turns = np.where(scene.follows_map, True, (mine.turn > 0) & (other.turn <= 0))
        return np.flatnonzero(found & turns)

    def _ways(self, scene: Scene, pair: RowArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return the ways of both to where they cross [m], and where one of them waits for lights.

        Without a map the host turns where it is.
        """
        junctions = self._junctions
        meeting = junctions.meeting(scene, pair)
        left = junctions.side(meeting.host_movement) > 0
        left &= junctions.side(meeting.remote_movement) <= 0
        aside = scene.left_m[pair]
        beside = (aside > 0.0) & (aside < _WIDEST_M)
        by_map = scene.follows_map[pair]
        host_m = np.where(
            by_map, np.where(left, meeting.host_m, np.nan), np.where(beside, aside, np.nan)
        )
        ahead = scene.ahead_m[pair] - scene.half_lengths_m[pair]
        remote_m = np.where(by_map, meeting.remote_m, ahead)
        waits = waits_for_host(scene, pair, meeting, junctions, self._params.yielding_mps2)
        red = forecast(scene, junctions.network, scene.host[pair], meeting.host_movement).light
        return host_m, remote_m, waits | (red == Light.RED)
