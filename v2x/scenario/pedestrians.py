"""Pedestrians of a run: joined to its fleet and its messages."""

from __future__ import annotations

from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import Application
from v2x.applications.joined import JoinedMessages
from v2x.messages.sizes import VAM_BYTES, signed_cycle
from v2x.mobility.base import MobilityModel
from v2x.mobility.crossings.crossers import Crossers
from v2x.mobility.joined import JoinedFleet, LastRows, SeveralLastRows
from v2x.mobility.pedestrians import PedestrianParams, Pedestrians
from v2x.rng import key32
from v2x.scenario.air import Air
from v2x.scenario.model import Scenario
from v2x.scenario.own_messages import OwnMessages
from v2x.world.road_map import RoadMap


def pedestrians_of(
    scenario: Scenario, road_map: RoadMap, vehicles: MobilityModel, seed: int
) -> LastRows | None:
    """Return who walks beside the streets or crosses them, None if nobody does.

    Those who cross belong to the model that moves the vehicles; all say the same.
    """
    parts: list[LastRows] = []
    if scenario.pedestrians.are_there:
        parts.append(Pedestrians(scenario.pedestrians, road_map, seed))
    crossers: Crossers | None = getattr(vehicles, "crossers", None)
    if crossers is not None:
        parts.append(crossers)
    return SeveralLastRows(parts) if parts else None


def with_pedestrians(mobility: MobilityModel, walkers: LastRows | None) -> MobilityModel:
    """Return the fleet with the pedestrians behind the vehicles."""
    return mobility if walkers is None else JoinedFleet(mobility, walkers)


def with_their_messages(
    scenario: Scenario, application: Application, walkers: LastRows | None, air: Air, seed: int
) -> Application:
    """Return what vehicles and pedestrians say.

    Raises
    ------
    V2XError
        If `air` does not take what pedestrians would send beside the vehicles.
    """
    if walkers is None:
        return application
    params = scenario.pedestrians
    own: Application | None = None
    if params.rate_hz > 0.0:
        own = Awareness(_psm(params), key32(seed, "pedestrians"))
        air.check_own(
            OwnMessages(
                section="pedestrians",
                rate_hz=params.rate_hz,
                size_bytes=max(own.sizes_bytes),
            ),
            application,
        )
    return JoinedMessages(application, own, walkers.n_rows)


def _psm(params: PedestrianParams) -> AwarenessParams:
    size: int | tuple[int, ...] | None = params.size_bytes
    if size is None:
        size = signed_cycle(VAM_BYTES, 1000.0 / params.rate_hz)
    return AwarenessParams(rate_hz=params.rate_hz, size_bytes=size, priority=params.priority)
