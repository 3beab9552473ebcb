"""From a hazard's parameters to the hazard itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from v2x.mobility.conditions import RoadConditions
from v2x.mobility.curves import CurveParams
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.hazards.base import Hazard, Scene
from v2x.mobility.hazards.obstacles import BARRIER_M, ClosedRoad, Rockfall, rock_lanes
from v2x.mobility.hazards.params import (
    HAZARDS,
    BrakeFailureParams,
    ClosedRoadParams,
    FogBankParams,
    HazardParams,
    NoHazard,
    RockfallParams,
    SlipperyParams,
    SlowVehicleParams,
    StoppedVehicleParams,
)
from v2x.mobility.hazards.place import Place, find_place
from v2x.mobility.hazards.road import ConditionsInFog, FogBank, Slippery, fog_stretches
from v2x.mobility.hazards.vehicles import BrakeFailure, SlowVehicle, StoppedVehicle
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook

_NAMES = {params: name for name, params in HAZARDS.items()}
_MAKERS: dict[type, Callable[..., Hazard]] = {
    StoppedVehicleParams: StoppedVehicle,
    SlowVehicleParams: SlowVehicle,
    BrakeFailureParams: BrakeFailure,
    RockfallParams: Rockfall,
    ClosedRoadParams: ClosedRoad,
    SlipperyParams: Slippery,
}


@dataclass(frozen=True, slots=True)
class HazardPlan:
    """What has to be known of a hazard before there is traffic.

    Attributes
    ----------
    params, place
        What happens where.
    conditions : RoadConditions
        Conditions of the roads in a form that the hazard can change.
    obstacle_m : list of float
        Lengths of the obstacles that it needs rows for [m].
    in_fog
        Conditions by the visibility in the bank of fog, if it is one.
    """

    params: HazardParams
    place: Place
    conditions: RoadConditions
    obstacle_m: list[float]
    in_fog: ConditionsInFog

    def make(self, scene: Scene, fog_delay_s: float) -> Hazard:
        """Return the hazard in its traffic.

        Parameters
        ----------
        scene
            The traffic.
        fog_delay_s
            How much later drivers react in dense fog [s].
        """
        name = _NAMES[type(self.params)]
        if isinstance(self.params, FogBankParams):
            return FogBank(name, self.params, self.place, scene, self.in_fog, fog_delay_s)
        return _MAKERS[type(self.params)](name, self.params, self.place, scene)


def plan_hazard(
    params: NoHazard | HazardParams,
    network: LaneNetwork,
    geometry: RoadGeometry,
    curves: CurveParams,
    book: RouteBook,
    roads: Callable[..., RoadConditions],
) -> HazardPlan | None:
    """Return where a hazard is and what it needs, None if there is none.

    Parameters
    ----------
    params
        What the scenario says.
    network, geometry, curves
        The map.
    book
        Routes of the traffic.
    roads
        Returns the conditions of the map; takes ``fog``.
    """
    if isinstance(params, NoHazard):
        return None
    used = np.zeros(network.road_map.n_edges, dtype=np.bool_)
    used[book.edge] = True
    place = find_place(params, network, geometry, curves, used)
    in_fog: ConditionsInFog = partial(_in_fog, params, place, geometry, roads)
    n_lanes = int(network.road_map.edge_lanes[place.edge])
    # Braking is not the same everywhere, or will not be.
    conditions = replace(in_fog(np.inf), level=False)
    return HazardPlan(params, place, conditions, _obstacles_m(params, place, n_lanes), in_fog)


def _in_fog(
    params: HazardParams,
    place: Place,
    geometry: RoadGeometry,
    roads: Callable[..., RoadConditions],
    visibility_m: float,
) -> RoadConditions:
    if not isinstance(params, FogBankParams):
        return roads()
    return roads(fog=fog_stretches(place, params.radius_m, visibility_m, geometry))


def _obstacles_m(params: HazardParams, place: Place, n_lanes: int) -> list[float]:
    """Return the lengths of the obstacles that a hazard needs rows for [m]."""
    if isinstance(params, RockfallParams):
        return [params.length_m] * len(rock_lanes(params, place, n_lanes))
    if isinstance(params, ClosedRoadParams):
        return [BARRIER_M] * n_lanes
    return []
