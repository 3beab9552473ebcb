"""The speed that meets the next green: green light optimal speed advice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from v2x.applications.warnings.base import Judgement, Stage, WarningContext, nobody, of_hosts
from v2x.applications.warnings.junctions import Junctions
from v2x.applications.warnings.lights import Forecast, forecast
from v2x.applications.warnings.targets import are_vehicles
from v2x.mobility.fleet import FloatArray, NodeKind
from v2x.mobility.green_speed import GreenSpeedParams, climbing_ability, green_speed
from v2x.mobility.reactions import Action
from v2x.mobility.vehicle_classes import BUS, CAR, TRUCK
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class GlosaParams:
    """When drivers get advice for the next light, and which (T/CSAE 53, GLOSA).

    Parameters
    ----------
    lead_m
        Advice begins so far before the stop line, no farther [m]; 300 to 500 is a proposal.
    nearest_m
        It ends so far before it [m] (assumption): there, eyes are better.
    moving_mps
        Who is slower gets none [m/s] (assumption).
    queued_mps
        A vehicle ahead that is slower belongs to the queue that has to clear first [m/s]
        (assumption).
    binding_mps
        Advice that is less than this below the limit asks for nothing [m/s] (assumption).
    speed
        How the speed is found.
    """

    lead_m: float = 300.0
    nearest_m: float = 10.0
    moving_mps: float = 1.0
    queued_mps: float = 2.0
    binding_mps: float = 0.3
    speed: GreenSpeedParams = field(default_factory=GreenSpeedParams)

    def __post_init__(self) -> None:
        """Reject values out of range."""
        if not 0.0 < self.nearest_m < self.lead_m <= 600.0:
            raise ValueError(
                f"0 < nearest_m < lead_m <= 600 is needed, got {self.nearest_m} and {self.lead_m}"
            )
        check_ranges(
            self,
            ("moving_mps", 0.1, 20.0),
            ("queued_mps", 0.1, 20.0),
            ("binding_mps", 0.0, 10.0),
        )


class GreenLightSpeedAdvice:
    """GLOSA: the highest speed that meets a green, or to stop gently where none does.

    The host needs the MAP and the SPAT message of the junction. Vehicles of which it knows that
    they stand in its lane before the line have to clear first; the grade and the usual engine of
    its class bound what it can reach. A driver slows down to the advice; who has to stop is asked
    to do so no harder than need be.

    Parameters
    ----------
    params
        Distances and speeds.
    context
        See :class:`~v2x.applications.warnings.base.WarningContext`.
    """

    Params = GlosaParams

    def __init__(self, params: GlosaParams, context: WarningContext) -> None:
        self._params = params
        self._junctions = Junctions(context.network)

    def judge(self, scene: Scene) -> Judgement:
        """Return whom to advise before which junction; its node is the subject."""
        params, network = self._params, self._junctions.network
        host = np.flatnonzero(
            scene.equipped
            & (scene.fleet.kind <= NodeKind.BUS)
            & (scene.own.speed_mps >= params.moving_mps)
            & (scene.own.edge >= 0)
        )
        ahead = self._junctions.approach(scene.own.take(host))
        near = np.flatnonzero((ahead.line_m > params.nearest_m) & (ahead.line_m <= params.lead_m))
        host, movement, line = host[near], ahead.movement[near], ahead.line_m[near]
        lights = forecast(scene, network, host, movement)
        start, end = _green(lights)
        told = np.flatnonzero(lights.is_known & ~np.isnan(start))
        if not len(told):
            return nobody()
        host, movement, line = host[told], movement[told], line[told]
        limit = scene.outlook.limit_mps[scene.own.edge[host]]
        advice = self._advice(scene, host, line, limit, start[told], end[told])
        slows = ~(advice >= limit - params.binding_mps)
        return of_hosts(
            host,
            network.node[movement].astype(np.int64),
            raised=np.ones(len(host), dtype=np.bool_),
            generated_us=lights.generated_us[told],
            stage=Stage.INFORM,
            action=np.where(slows, Action.SLOW, Action.INFORM).astype(np.int32),
            value=advice,
            distance_m=line,
            closing_mps=scene.own.speed_mps[host],
        )

    def _advice(
        self,
        scene: Scene,
        host: RowArray,
        line_m: FloatArray,
        limit_mps: FloatArray,
        start_s: FloatArray,
        end_s: FloatArray,
    ) -> FloatArray:
        """Return the advised speeds [m/s]."""
        params = self._params
        speed, grade = scene.own.speed_mps[host], scene.outlook.grade[scene.own.edge[host]]
        kind = scene.fleet.kind[host]
        ability, most = np.zeros(len(host)), limit_mps.copy()
        for of_kind, vehicle in enumerate((CAR, TRUCK, BUS)):
            rows = np.flatnonzero(kind == of_kind)
            ability[rows], most[rows] = climbing_ability(
                speed[rows], limit_mps[rows], grade[rows], vehicle.engine, params.speed
            )
        found = green_speed(
            line_m,
            speed,
            most,
            start_s[:, None],
            end_s[:, None],
            params.speed,
            n_waiting=self._n_waiting(scene, host, line_m),
            acceleration_mps2=ability,
        ).speed_mps
        stopping = np.sqrt(2.0 * params.speed.deceleration_mps2 * line_m)
        return np.where(np.isnan(found), np.minimum(stopping, limit_mps), found)

    def _n_waiting(self, scene: Scene, host: RowArray, line_m: FloatArray) -> FloatArray:
        """Return how many vehicles hosts know to stand between them and the line."""
        line = np.zeros(scene.fleet.n_rows)
        line[host] = line_m
        queued = scene.in_path & are_vehicles(scene) & (scene.gap_m < line[scene.host])
        queued &= scene.remote_states.speed_mps < self._params.queued_mps
        count = np.bincount(scene.host[queued], minlength=scene.fleet.n_rows)
        return count[host].astype(np.float64)


def _green(lights: Forecast) -> tuple[FloatArray, FloatArray]:
    """Return until the green that is known begins and ends [s]; NaN if none is.

    A next green of which nobody knows the end lasts; a present one may be over at once, so that
    counts for nothing.
    """
    present = np.where(np.isnan(lights.green_end_s), np.nan, 0.0)
    start = np.where(lights.is_green, present, lights.green_begin_s)
    end = np.where(np.isnan(lights.green_end_s), np.inf, lights.green_end_s)
    return start, end
