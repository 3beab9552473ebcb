"""Warnings and services of a run: joined to its fleet, its air and its drivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x import registry
from v2x.applications.base import Application
from v2x.applications.equipped import Equipment, EquippedOnly
from v2x.applications.services.base import MobileNetwork, Service, ServiceContext, WatchedRoad
from v2x.applications.warnings.base import DriverWarning, WarningContext
from v2x.errors import V2XError
from v2x.mobility.base import MobilityModel
from v2x.mobility.conditions import edge_friction
from v2x.mobility.control import controlled
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.reactions import Reactions
from v2x.perception.information import Knowledge
from v2x.perception.own_state import OwnStates
from v2x.perception.scene import LevelCheck, Outlook
from v2x.perception.seen import SensorView
from v2x.perception.ways import Ways
from v2x.scenario.attack import liars_of, vetting_of
from v2x.scenario.model import Scenario
from v2x.scenario.sensors import sensors_of
from v2x.security.signing import Signing
from v2x.sim.clock import to_us
from v2x.sim.link_memory import LinkMemory
from v2x.sim.services.knowledge import KnowledgeBase
from v2x.sim.services.services import ServiceParts, Services
from v2x.world.road_map import FloatArray, RoadMap

#: Shortest way ahead that a navigation map tells of [m]; farther where others are of interest.
_REACH_M = 500.0


@dataclass(frozen=True, slots=True)
class Cooperation:
    """Warnings and services before the air is there.

    Attributes
    ----------
    equipment
        Who has a device.
    network
        Lanes and movements of the map.
    mobility
        Moves everybody.
    warnings, services
        Those in use.
    """

    equipment: Equipment
    network: LaneNetwork
    mobility: MobilityModel
    warnings: tuple[DriverWarning, ...]
    services: tuple[Service, ...]

    @property
    def once_bytes(self) -> int:
        """Largest message of a service [byte], 0 if none says anything."""
        return max((size for service in self.services for size in service.sizes_bytes), default=0)


def with_equipment(scenario: Scenario, application: Application, seed: int) -> Application:
    """Return what those with a device say; everybody says it where all have one."""
    if scenario.information.equipped >= 1.0:
        return application
    return EquippedOnly(application, Equipment(scenario.information.equipped, seed))


def cooperation_of(
    scenario: Scenario,
    road_map: RoadMap,
    mobility: MobilityModel,
    *,
    mobile: MobileNetwork | None,
    tick_us: int,
    seed: int,
) -> Cooperation | None:
    """Return the warnings and services that a scenario names; None if it names none."""
    if not (scenario.warnings or scenario.services):
        return None
    _check_reach(scenario)
    network = lane_network(road_map)
    vehicles = controlled(mobility)
    service_context = ServiceContext(
        network=network,
        mobility=mobility,
        vehicles=vehicles,
        weather=scenario.weather,
        road=vehicles if isinstance(vehicles, WatchedRoad) else None,
        acts=scenario.information.knowledge is not Knowledge.NONE,
        mobile=mobile,
        seed=seed,
        tick_us=tick_us,
        warmup_us=to_us(scenario.warmup_s),
    )
    warning_context = WarningContext(network=network, weather=scenario.weather, seed=seed)
    return Cooperation(
        equipment=Equipment(scenario.information.equipped, seed),
        network=network,
        mobility=mobility,
        warnings=tuple(
            registry.load("v2x.warnings", item.type)(item.params, warning_context)
            for item in scenario.warnings
        ),
        services=tuple(
            registry.load("v2x.services", item.type)(item.params, service_context)
            for item in scenario.services
        ),
    )


def services_of(
    scenario: Scenario,
    road_map: RoadMap,
    cooperation: Cooperation | None,
    medium: LinkMemory,
    *,
    tick_us: int,
    seed: int,
    signing: Signing | None = None,
) -> Services | None:
    """Return what runs warnings and services on a medium; None if there are none."""
    if cooperation is None:
        return None
    information, n_rows = scenario.information, cooperation.mobility.n_rows
    sensors = sensors_of(scenario, road_map, seed)
    vehicles = controlled(cooperation.mobility)
    return Services(
        ServiceParts(
            information=information,
            equipment=cooperation.equipment,
            medium=medium,
            knowledge=KnowledgeBase(
                information,
                medium,
                n_rows=n_rows,
                tick_us=tick_us,
                sensors=None if sensors is None else SensorView(sensors, road_map.wrap_length_m),
                signing=signing,
                liars=liars_of(scenario, road_map, n_rows=n_rows, tick_us=tick_us, seed=seed),
                vetting=vetting_of(scenario, road_map, n_rows=n_rows, tick_us=tick_us),
            ),
            own_states=OwnStates(
                road_map, by_height=information.level_check is LevelCheck.MAP_HEIGHT
            ),
            outlook=_outlook(scenario, road_map, cooperation.network),
            warnings=cooperation.warnings,
            services=cooperation.services,
            vehicles=vehicles,
            reactions=Reactions(
                scenario.reactions, seed, None if vehicles is None else vehicles.reroute
            ),
            n_rows=n_rows,
            warmup_us=to_us(scenario.warmup_s),
        )
    )


def _outlook(scenario: Scenario, road_map: RoadMap, network: LaneNetwork) -> Outlook:
    information = scenario.information
    return Outlook(
        ways=Ways(network, max(_REACH_M, information.range_m)),
        level_check=information.level_check,
        gate_m=information.gate_m,
        lane_width_m=road_map.lane_width_m,
        wrap_length_m=road_map.wrap_length_m,
        friction=edge_friction(road_map, scenario.weather),
        grade=_mean_grade(road_map),
        limit_mps=road_map.edge_limit_mps,
    )


def _mean_grade(road_map: RoadMap) -> FloatArray:
    """Return rise over length of each edge, (n_edges,)."""
    first, last = road_map.first_point[:-1], road_map.first_point[1:] - 1
    rise = road_map.point_z_m[last] - road_map.point_z_m[first]
    return np.asarray(rise / np.maximum(road_map.edge_length_m, 1e-6))


def _check_reach(scenario: Scenario) -> None:
    """Raise V2XError if others are of interest whom nobody remembers to have heard."""
    information, records = scenario.information, scenario.records
    if information.range_m > records.awareness_range_m:
        raise V2XError(
            f"{information.range_m:g} m is beyond records.awareness_range_m "
            f"({records.awareness_range_m:g} m), within which is remembered what was heard",
            file=None if scenario.source is None else str(scenario.source),
            key="information.range_m",
            remedy="lower it or raise records.awareness_range_m",
        )
