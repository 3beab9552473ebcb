"""Traffic of a run: who drives, by which lights, and what goes wrong."""

from __future__ import annotations

from functools import partial

from v2x import registry
from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext, MobilityModel
from v2x.mobility.control import ControlledMobility
from v2x.mobility.signals.base import MakeSignals
from v2x.scenario.model import Scenario
from v2x.sim.clock import to_us
from v2x.world.road_map import RoadMap


def mobility_of(scenario: Scenario, road_map: RoadMap, seed: int) -> MobilityModel:
    """Return what moves the vehicles of a scenario.

    Raises
    ------
    V2XError
        If lights, drivers or a hazard are asked for that these vehicles do not know.
    """
    base_dir = "." if scenario.source is None else str(scenario.source.parent)
    model: MobilityModel = registry.load("v2x.mobility", scenario.traffic.type)(
        scenario.traffic.params,
        MobilityContext(
            road_map,
            seed,
            to_us(scenario.duration_s),
            base_dir,
            weather=scenario.weather,
            signals=_signals(scenario),
            drivers=scenario.drivers.params,
            hazard=scenario.hazard.params,
            crossings=scenario.crossings,
            emergency=scenario.emergency,
        ),
    )
    for section in ("drivers", "hazard"):
        changed = getattr(scenario, section) != Scenario.__dataclass_fields__[section].default
        if changed and not isinstance(model, ControlledMobility):
            raise V2XError(
                f"traffic of type {scenario.traffic.type!r} moves as it is told and has no "
                f"{section}",
                file=None if scenario.source is None else str(scenario.source),
                key=f"{section}.type",
                remedy="leave it out, or use traffic.type=routed",
            )
    asked = {
        "signals.type": scenario.signals != Scenario.__dataclass_fields__["signals"].default,
        "crossings.rate_per_h": scenario.crossings.are_there,
        "emergency.n_vehicles": scenario.emergency.are_there,
    }
    for key in (key for key, is_asked in asked.items() if is_asked):
        if not isinstance(model, ControlledMobility):
            raise V2XError(
                f"traffic of type {scenario.traffic.type!r} does not know of {key.split('.')[0]}",
                file=None if scenario.source is None else str(scenario.source),
                key=key,
                remedy="leave it out, or use traffic.type=routed",
            )
    return model


def _signals(scenario: Scenario) -> MakeSignals:
    control = registry.load("v2x.signals", scenario.signals.type)
    return partial(control, scenario.signals.params)
