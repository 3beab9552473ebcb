"""About to pass a red light: red light violation warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import (
    BoolArray,
    Judgement,
    Stage,
    WarningContext,
    nobody,
    of_hosts,
)
from v2x.applications.warnings.braking import BrakingParams, hardest_on_mps2, stopping_need
from v2x.applications.warnings.crossing import STANDING_MPS, stops_anyway, times_s
from v2x.applications.warnings.junctions import Junctions
from v2x.applications.warnings.lights import forecast
from v2x.mobility.fleet import NodeKind
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class RlvwParams:
    """When a driver is warned of a red light (T/CSAE 53, RLVW).

    Parameters
    ----------
    farthest_m
        Distance of the stop line within which drivers are warned [m]; 150 is the range of the
        application in T/CSAE 53 (confidence low).
    yellow_s
        Yellow behind a green, of which a SPAT message says nothing before it begins [s]; 3 is the
        usual least (confidence low).
    right_on_red
        Whether one may turn right at red, so that nobody is warned who is to do so.
    clears
        Whether drivers are told of the dilemma of who would pass the line before red, cannot
        stop with comfort, and would still be in the junction when red begins.
    short_m
        The driver stops so far before the line [m] (assumption; those of the traffic model keep
        3 m and drive on if they stand nearer).
    overshoot_m
        A driver who cannot stop at most so far behind the line is told, but not asked to brake
        [m] (assumption): to stand in the junction helps nobody.
    release
        An alert stands until the need is below this part of comfort (proposal).
    braking
        How a warned driver brakes; red is warned of where more than comfort is needed, reaction
        included.
    """

    farthest_m: float = 150.0
    yellow_s: float = 3.0
    right_on_red: bool = True
    clears: bool = True
    short_m: float = 3.5
    overshoot_m: float = 2.0
    release: float = 1.5
    braking: BrakingParams = field(default_factory=BrakingParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        check_ranges(
            self,
            ("farthest_m", 10.0, 600.0),
            ("yellow_s", 0.0, 10.0),
            ("short_m", 0.0, 10.0),
            ("overshoot_m", 0.0, 20.0),
            ("release", 1.0, 10.0),
        )


class RedLightViolationWarning:
    """RLVW: it will be red on arrival, and stopping takes more than comfort.

    The host needs a MAP and a SPAT message of the junction that are valid still. What it will do
    there follows from its lane and its indicator. No alert begins while it brakes so that it stops
    at the line.

    Parameters
    ----------
    params
        Thresholds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = RlvwParams

    def __init__(self, params: RlvwParams, context: WarningContext) -> None:
        self._params = params
        self._junctions = Junctions(context.network)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to warn of which junction; its node is the subject."""
        params, network = self._params, self._junctions.network
        host = np.flatnonzero(
            scene.equipped
            & (scene.fleet.kind <= NodeKind.BUS)
            & (scene.own.speed_mps >= STANDING_MPS)
            & (scene.own.edge >= 0)
        )
        ahead = self._junctions.approach(scene.own.take(host))
        kept = (ahead.line_m > 0.0) & (ahead.line_m <= params.farthest_m)
        if params.right_on_red:
            kept &= self._junctions.side(ahead.movement) >= 0
        host, movement, line = host[kept], ahead.movement[kept], ahead.line_m[kept]
        lights = forecast(scene, network, host, movement)
        speed, edge = scene.own.speed_mps[host], scene.own.edge[host]
        hardest = hardest_on_mps2(
            scene.outlook.friction[edge], scene.outlook.grade[edge], params.braking
        )
        room = np.maximum(line - params.short_m, 0.0)
        need = stopping_need(speed, room, hardest, params.braking)
        arrives = times_s(line, speed)
        red_begins, red_ends = lights.red_s(params.yellow_s)
        red = (arrives >= red_begins) & (arrives < red_ends)
        leaves_m = line + 2.0 * network.radius_m[movement] + scene.fleet.length_m[host]
        dilemma = ~red & (arrives < red_begins) & (times_s(leaves_m, speed) > red_begins)
        comfort = np.minimum(params.braking.comfort_mps2, hardest)

        def threatens(margin: float) -> BoolArray:
            late = need.later_mps2 > comfort / margin
            return lights.is_known & late & (red | (dilemma & params.clears))

        brakes = stops_anyway(speed, scene.own.acceleration_mps2[host], line)
        stays = np.flatnonzero(threatens(params.release))
        if not len(stays):
            return nobody()
        stage = np.where(red, need.stage(params.braking), Stage.INFORM).astype(np.int32)
        stage = np.where(red, np.maximum(stage, Stage.WARN), stage)
        hardest_of_all = hardest / params.braking.friction_share
        stops = speed**2 / (2.0 * hardest_of_all) <= line + params.overshoot_m
        action = np.where(red & stops, Action.BRAKE, Action.INFORM)
        return of_hosts(
            host[stays],
            network.node[movement[stays]].astype(np.int64),
            raised=(threatens(1.0) & ~brakes)[stays],
            generated_us=lights.generated_us[stays],
            stage=stage[stays],
            action=action[stays],
            value=need.asked_mps2(stage, params.braking)[stays],
            distance_m=line[stays],
            closing_mps=speed[stays],
            needed_m=need.needed_m[stays],
        )
