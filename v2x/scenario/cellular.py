"""The way through the network of a run: base stations, coverage, roadside units, joined."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from v2x.cellular.base import Network
from v2x.cellular.coverage import EdgeSamples, road_coverage
from v2x.cellular.door import UuDoor
from v2x.cellular.params import UuParams
from v2x.cellular.sites import base_stations
from v2x.cellular.uu import Uu, UuContext
from v2x.channel.base import PropagationModel
from v2x.channel.coverage import CoverageParams, coverage_of, links_of
from v2x.channel.obstacle_params import ObstacleParams
from v2x.errors import V2XError
from v2x.scenario.model import Scenario
from v2x.sim.clock import to_us
from v2x.world.road_map import RoadMap
from v2x.world.rsu_sites import RsuSites


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkParts:
    """The way through the network, ready to run.

    Attributes
    ----------
    network
        Carries packets; None if the scenario has no network.
    door
        Carries messages of services; None if the scenario has no network.
    n_cells
        Base stations.
    sites_m : (2, n_cells) float64
        Where they stand [m].
    """

    network: Network | None = None
    door: UuDoor | None = None
    n_cells: int = 0
    sites_m: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 0)))


def network_parts(
    scenario: Scenario,
    road_map: RoadMap,
    roadside: RsuSites,
    model: PropagationModel,
    *,
    n_rows: int,
    tick_us: int,
    seed: int,
) -> NetworkParts:
    """Return the way through the network that a scenario describes.

    Parameters
    ----------
    scenario, road_map
        What to run, and where.
    roadside, model
        Roadside units and the sidelink's path loss, for messages that go over them.
    n_rows
        Rows of the fleet.
    tick_us
        Time between two motions [µs].
    seed
        Of the run.

    Raises
    ------
    V2XError
        If the map has no place for base stations, their file is wrong, or messages should go over
        roadside units that are not there.
    """
    params = scenario.cellular.params
    if not isinstance(params, UuParams):
        return NetworkParts()
    if "v2i2v" in params.paths and roadside.n_sites == 0:
        raise V2XError(
            "v2i2v needs roadside units, and the scenario has none",
            file=None if scenario.source is None else str(scenario.source),
            key="cellular.paths",
            remedy="set roadside.placement, or leave v2i2v out",
        )
    obstacles = scenario.obstacles
    if scenario.world.flat:
        obstacles = replace(obstacles, decks=False, tunnels=False, terrain_method="none")
    stations = base_stations(road_map, params)
    coverage = road_coverage(road_map, stations, params, obstacles, scenario.weather, seed)
    units = None
    if "v2i2v" in params.paths:
        units = _roadside_units(scenario, road_map, roadside, model, coverage.samples, obstacles)
    context = UuContext(
        coverage=coverage,
        n_cells=stations.n,
        roadside=units,
        n_rows=n_rows,
        range_m=scenario.records.awareness_range_m,
        wrap_length_m=road_map.wrap_length_m,
        tick_us=tick_us,
        block_us=to_us(scenario.records.block_s),
        counted_from_us=to_us(scenario.warmup_s),
        seed=seed,
    )
    return NetworkParts(
        network=Uu(params, context),
        door=UuDoor(params, context),
        n_cells=stations.n,
        sites_m=np.array((stations.x_m, stations.y_m)),
    )


def _roadside_units(
    scenario: Scenario,
    road_map: RoadMap,
    roadside: RsuSites,
    model: PropagationModel,
    samples: EdgeSamples,
    obstacles: ObstacleParams,
) -> NDArray[np.int32]:
    """Return the roadside unit that covers each point of the roads, -1 for none, (n_samples,)."""
    reach = CoverageParams(
        max_distance_m=min(max(scenario.channel.interaction_range_m, 10.0), 20_000.0),
        carrier_ghz=scenario.radio.carrier_ghz,
        obstacles=obstacles,
    )
    links = links_of(road_map, roadside, samples.points, model, reach)
    every = np.arange(roadside.n_sites, dtype=np.int64)
    found = coverage_of(links, samples.points, every, reach.max_loss_db)
    return np.where(found.covered, found.site, -1).astype(np.int32)
