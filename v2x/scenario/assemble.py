"""From a described run to a running one: the only place that joins concrete classes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from v2x import registry, rng
from v2x.applications.base import Application
from v2x.applications.rate_control import RateControlled
from v2x.channel.base import LinkState, PropagationModel
from v2x.channel.corridors import Corridors
from v2x.channel.link_table import LinkTable
from v2x.channel.obstacle_links import ObstacleLinks, obstacle_links_of
from v2x.errors import V2XError
from v2x.mobility.positioning import Positioning
from v2x.mobility.positioning_params import PositioningParams
from v2x.records.tables import SCHEMAS, RunRecords
from v2x.scenario.air import AirContext, air_of
from v2x.scenario.attack import flood_bytes, with_flood
from v2x.scenario.cellular import network_parts
from v2x.scenario.conflict_messages import with_packet_fates
from v2x.scenario.congestion import congestion_of
from v2x.scenario.events import with_events
from v2x.scenario.feedback import audience_of
from v2x.scenario.model import Scenario
from v2x.scenario.pedestrians import pedestrians_of, with_pedestrians, with_their_messages
from v2x.scenario.roadside import antenna_gains_dbi, relay_watch, with_roadside
from v2x.scenario.security import signing_of, sizes_by_certificate, with_signatures
from v2x.scenario.services import cooperation_of, services_of, with_equipment
from v2x.scenario.traffic import mobility_of
from v2x.sim.audience import AddressedMessages
from v2x.sim.clock import to_us
from v2x.sim.energy_watch import EnergyWatch
from v2x.sim.link_memory import LONGEST_GAP_MS
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.packet_fates import fate_memory
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import FleetWatch, Recorder
from v2x.sim.region import CountedRegion
from v2x.sim.safety.conflicts import ConflictWatch
from v2x.sim.services.services import WithServices
from v2x.sim.simulation import Simulation, SimulationParts
from v2x.units import US_PER_S
from v2x.world import geometry, store, synthetic
from v2x.world.elevation import SURFACES, Elevation, load_elevation
from v2x.world.road_map import RoadMap
from v2x.world.rsu_sites import sites
from v2x.world.summary import summary

#: Time between two motions [µs]; TR 36.885 A.1.2 updates positions every 100 ms.
MOBILITY_PERIOD_US = 100_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation is.

    Attributes
    ----------
    phase
        What is being done.
    simulated_s, total_s
        Simulated time so far, and at the end, over all replications [s].
    realtime_factor
        Simulated seconds per second of the wall clock.
    remaining_s
        Estimated time left [s].
    """

    phase: str
    simulated_s: float
    total_s: float
    realtime_factor: float
    remaining_s: float


def load_road_map(scenario: Scenario) -> RoadMap:
    """Return the road network that a scenario describes."""
    world = scenario.world
    if scenario.synthetic is not None:
        road_map = synthetic.build(scenario.synthetic.type, **asdict(scenario.synthetic.params))
    else:
        assert world.map is not None
        road_map = store.load_map(_map_path(scenario, world.map), elevation=_elevation(scenario))
    return geometry.flatten(road_map) if world.flat else road_map


def _path(scenario: Scenario, name: str) -> Path:
    return scenario.source.parent / name if scenario.source is not None else Path(name)


def _elevation(scenario: Scenario) -> Elevation | None:
    name = scenario.world.elevation
    if name is None:
        return None
    return load_elevation(name if name in SURFACES else _path(scenario, name))


def _map_path(scenario: Scenario, name: str) -> Path:
    path = _path(scenario, name)
    return path if path.exists() else store.builtin_map(name)


def replication_seed(seed: int, replication: int) -> int:
    """Return the seed of a replication; the first has the seed of the run itself."""
    if replication == 0:
        return seed
    return rng.key32(seed, "replication", replication)


@dataclass(frozen=True, slots=True)
class Run:
    """One replication, ready to run.

    Attributes
    ----------
    simulation, recorder, parts
        The simulation, where it records, and what it is made of.
    curve_names
        Names of its error curves.
    n_roadside, n_pedestrians, n_cells
        Roadside units, pedestrians, and base stations.
    """

    simulation: Simulation
    recorder: Recorder
    parts: SimulationParts
    curve_names: tuple[str, ...]
    n_roadside: int
    n_pedestrians: int
    n_cells: int


def assemble(
    scenario: Scenario,
    road_map: RoadMap,
    replication: int = 0,
    on_tick: Callable[[int], None] | None = None,
) -> Run:
    """Return one replication of a scenario, ready to run.

    Raises
    ------
    V2XError
        If parts of the scenario do not fit together, such as packets wider than the pool.
    """
    seed = replication_seed(scenario.seed, replication)
    records = scenario.records
    vehicles = mobility_of(scenario, road_map, seed)
    walkers = pedestrians_of(scenario, road_map, vehicles, seed)
    n_pedestrians = 0 if walkers is None else walkers.n_rows
    mobility = with_pedestrians(vehicles, walkers)
    application: Application = registry.load("v2x.applications", scenario.messages.type)(
        scenario.messages.params, seed
    )
    state_sizes = sizes_by_certificate(application)
    application = with_equipment(scenario, application, seed)
    roadside = sites(road_map, scenario.roadside)
    air = air_of(scenario)
    congestion = congestion_of(
        scenario, air.congestion_context(application, mobility.n_rows + roadside.n_sites, seed)
    )
    if congestion is not None:  # pedestrians and roadside units follow rules of their own
        application = RateControlled(application, congestion)
    application = with_their_messages(scenario, application, walkers, air, seed)
    mobility, application = with_roadside(scenario, roadside, mobility, application, air, seed)
    application = with_events(scenario, application, seed)
    application = with_flood(scenario, application, seed)
    signing = signing_of(scenario, mobility.n_rows)
    application = with_signatures(signing, application, state_sizes, seed)
    _check_ranges(scenario)
    model: PropagationModel = registry.load("v2x.channel", scenario.pathloss.type)(
        scenario.pathloss.params, scenario.radio.carrier_ghz
    )
    through_network = network_parts(
        scenario,
        road_map,
        roadside,
        model,
        n_rows=mobility.n_rows,
        tick_us=MOBILITY_PERIOD_US,
        seed=seed,
    )
    cooperation = cooperation_of(
        scenario,
        road_map,
        mobility,
        mobile=through_network.door,
        tick_us=MOBILITY_PERIOD_US,
        seed=seed,
    )
    packets = PacketLog()
    links = LinkTable(
        scenario.channel,
        model,
        antenna_gain_dbi=antenna_gains_dbi(
            scenario, mobility.n_rows, n_pedestrians, roadside.n_sites
        ),
        n_rows=mobility.n_rows,
        wrap_length_m=road_map.wrap_length_m,
        corridors=None if road_map.corridor_x is None else Corridors(road_map),
        obstacles=_obstacles(scenario, road_map),
        seed=seed,
    )
    audience = audience_of(scenario, links, mobility.n_rows, road_map.wrap_length_m)
    if audience is not None:
        application = AddressedMessages(application, audience)
    warmup_us = to_us(scenario.warmup_s)
    fates = fate_memory(scenario.safety, mobility.n_rows)
    recorder = Recorder(
        records,
        warmup_us=warmup_us,
        roadside=roadside.n_sites > 0,
        watches=with_packet_fates(
            scenario,
            _watches(scenario, road_map, mobility.n_rows, seed),
            fates,
            links,
            packets,
            n_rows=mobility.n_rows,
            period_us=MOBILITY_PERIOD_US,
            slot_us=air.slot_us,
            wrap_length_m=road_map.wrap_length_m,
        ),
    )
    on_air = air.join(
        AirContext(
            application=application,
            congestion=congestion,
            audience=audience,
            links=links,
            packets=packets,
            environment=model.environment,
            n_nodes=mobility.n_rows,
            warmup_us=warmup_us,
            wrap_length_m=road_map.wrap_length_m,
            fates=fates,
            sites_m={
                "roadside": np.array((roadside.x_m, roadside.y_m)),
                "cells": through_network.sites_m,
            },
            once_bytes=max(
                flood_bytes(scenario, application),
                0 if cooperation is None else cooperation.once_bytes,
            ),
            seed=seed,
        )
    )
    services = services_of(
        scenario,
        road_map,
        cooperation,
        on_air.medium,
        tick_us=MOBILITY_PERIOD_US,
        seed=seed,
        signing=signing,
    )
    if services is not None:
        application = WithServices(application, services.outbox)
    parts = SimulationParts(
        mobility=mobility,
        application=application,
        services=services,
        access=on_air.access,
        medium=on_air.medium,
        history=on_air.history,
        packets=packets,
        recorder=recorder,
        records=records,
        region=CountedRegion(road_map, records.edge_margin_m),
        neighbours=NeighbourRoads(
            road_map,
            records.awareness_range_m,
            relay=scenario.roadside.relay,
            linked=scenario.roadside.linked,
        ),
        duration_us=to_us(scenario.duration_s),
        warmup_us=warmup_us,
        mobility_period_us=MOBILITY_PERIOD_US,
        slot_us=air.slot_us,
        positioning=_positioning(scenario, road_map, seed),
        congestion=congestion,
        network=through_network.network,
        relay=relay_watch(
            scenario,
            roadside,
            links,
            packets,
            slot_us=air.slot_us,
            wrap_length_m=road_map.wrap_length_m,
        ),
    )
    return Run(
        on_air.simulation(parts, on_tick),
        recorder,
        parts,
        on_air.curve_names,
        roadside.n_sites,
        n_pedestrians,
        through_network.n_cells,
    )


def _obstacles(scenario: Scenario, road_map: RoadMap) -> ObstacleLinks | None:
    params = scenario.obstacles
    if scenario.world.flat:
        params = replace(params, decks=False, tunnels=False, water=False, terrain_method="none")
    return obstacle_links_of(
        road_map,
        params,
        scenario.weather,
        carrier_ghz=scenario.radio.carrier_ghz,
        interaction_range_m=scenario.channel.interaction_range_m,
    )


def _positioning(scenario: Scenario, road_map: RoadMap, seed: int) -> Positioning | None:
    params = scenario.positioning.params
    return Positioning(params, road_map, seed) if isinstance(params, PositioningParams) else None


def _watches(
    scenario: Scenario, road_map: RoadMap, n_rows: int, seed: int
) -> tuple[FleetWatch, ...]:
    watches: list[FleetWatch] = []
    block_s = scenario.records.block_s
    if scenario.safety.conflicts:
        watches.append(
            ConflictWatch(
                scenario.safety,
                road_map,
                scenario.weather,
                n_rows=n_rows,
                period_us=MOBILITY_PERIOD_US,
                block_s=block_s,
            )
        )
    if scenario.energy.record:
        watches.append(
            EnergyWatch(scenario.energy, road_map, n_rows=n_rows, block_s=block_s, seed=seed)
        )
    return tuple(watches)


def _check_ranges(scenario: Scenario) -> None:
    records, channel = scenario.records, scenario.channel
    for name in ("max_distance_m", "awareness_range_m"):
        if getattr(records, name) > channel.interaction_range_m:
            raise V2XError(
                f"{getattr(records, name):g} m is beyond channel.interaction_range_m "
                f"({channel.interaction_range_m:g} m), where nothing is received",
                file=None if scenario.source is None else str(scenario.source),
                key=f"records.{name}",
                remedy="lower it or raise channel.interaction_range_m",
            )


def simulate(
    scenario: Scenario,
    progress: Callable[[Progress], None] | None = None,
    *,
    road_map: RoadMap | None = None,
) -> RunRecords:
    """Run all replications of a scenario.

    Parameters
    ----------
    scenario
        What to run.
    progress
        Called before the start and after every mobility tick.
    road_map
        The scenario's map, if it has been loaded before.

    Returns
    -------
    RunRecords
        Tables with one replication after the other, and the facts of the run.
    """
    started = time.perf_counter()
    total_s = scenario.duration_s * scenario.replications

    def report(phase: str, done_s: float, running_since: float) -> None:
        if progress is None:
            return
        elapsed = time.perf_counter() - running_since
        factor = done_s / elapsed if elapsed > 0 else 0.0
        remaining = (total_s - done_s) / factor if factor > 0 else float("inf")
        progress(Progress(phase, done_s, total_s, factor, remaining))

    if road_map is None:
        report("loading map", 0.0, started)
        road_map = load_road_map(scenario)
    pieces: list[dict[str, dict[str, Any]]] = []
    n_vehicles = 0
    running_since = time.perf_counter()
    run: Run | None = None
    for replication in range(scenario.replications):
        before_s = replication * scenario.duration_s

        def on_tick(time_us: int, before_s: float = before_s) -> None:
            report("simulating", before_s + time_us / US_PER_S, running_since)

        run = assemble(scenario, road_map, replication, on_tick)
        run.simulation.run()
        pieces.append(run.recorder.tables(replication))
        n_vehicles += len(run.recorder.vehicles_seen)
    assert run is not None
    wall_s = time.perf_counter() - running_since
    tables = {
        name: {key: np.concatenate([piece[name][key] for piece in pieces]) for key in SCHEMAS[name]}
        for name in SCHEMAS
    }
    return RunRecords(tables, _facts(scenario, road_map, run, tables, n_vehicles, wall_s))


def _facts(
    scenario: Scenario,
    road_map: RoadMap,
    run: Run,
    tables: dict[str, dict[str, Any]],
    n_vehicles: int,
    wall_s: float,
) -> dict[str, Any]:
    records = scenario.records
    return {
        "simulated_s": scenario.duration_s * scenario.replications,
        "wall_s": wall_s,
        "warmup_s": scenario.warmup_s,
        "n_vehicles": n_vehicles,
        "n_roadside": run.n_roadside,
        "n_pedestrians": run.n_pedestrians,
        "n_cells": run.n_cells,
        "replications": scenario.replications,
        "messages_sent": int((tables["packets"]["n_attempts"] > 0).sum()),
        "bin_width_m": records.bin_width_m,
        "max_distance_m": records.max_distance_m,
        "awareness_range_m": records.awareness_range_m,
        "edge_margin_m": run.parts.region.margin_m,
        "block_s": records.block_s,
        "conflict_ttc_s": scenario.safety.ttc_s if scenario.safety.conflicts else None,
        "mobility_period_s": MOBILITY_PERIOD_US / US_PER_S,
        **air_of(scenario).facts(tables["packets"]),
        "decode_ms": scenario.phy.decode_ms,
        "freshness_open_ms": float(LONGEST_GAP_MS),
        "access": scenario.access.type,
        "events": scenario.events.type != "none",
        "warnings": [item.type for item in scenario.warnings],
        "services": [item.type for item in scenario.services],
        "pathloss": scenario.pathloss.type,
        "effective_antenna_height_m": getattr(
            scenario.pathloss.params, "effective_antenna_height_m", None
        ),
        "error_curves": list(run.curve_names),
        "link_states": [state.name.lower() for state in LinkState],
        "attribution": road_map.attribution,
        "map": summary(road_map),
    }
