"""Roadside units of a run: joined to its fleet, its messages and its antennas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import Application
from v2x.applications.joined import JoinedMessages
from v2x.channel.link_table import LinkTable
from v2x.mobility.base import MobilityModel
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.roadside import RoadsideRows
from v2x.scenario.air import Air
from v2x.scenario.model import Scenario
from v2x.scenario.own_messages import OwnMessages
from v2x.sim.clock import to_us
from v2x.sim.packet_log import PacketLog
from v2x.sim.relay import RelayParams, RelayWatch
from v2x.units import US_PER_MS
from v2x.world.rsu_sites import RsuSites

#: PPPP of roadside safety messages: priority 208 of T/CSAE 159-2020, eight bands of 32 (rule of
#: low confidence).
RSM_PRIORITY = 2


def with_roadside(
    scenario: Scenario,
    sites: RsuSites,
    mobility: MobilityModel,
    application: Application,
    air: Air,
    seed: int,
) -> tuple[MobilityModel, Application]:
    """Return fleet and messages with the roadside units; without any, those given.

    Raises
    ------
    V2XError
        If `air` does not take what roadside units would send beside the road users.
    """
    if sites.n_sites == 0:
        return mobility, application
    roadside = scenario.roadside
    own: Application | None = None
    if roadside.messages_per_s > 0.0:
        largest = max(application.sizes_bytes)
        size_bytes = largest if roadside.size_bytes is None else roadside.size_bytes
        rate_hz = roadside.messages_per_s
        fastest_hz = 1000.0 / application.period_ms
        if roadside.rate_hz == 0.0:
            rate_hz = min(rate_hz, fastest_hz)
        air.check_own(
            OwnMessages(
                section="roadside",
                rate_hz=rate_hz,
                size_bytes=size_bytes,
                size_advice="lower it (26 bytes for each participant)",
            ),
            application,
        )
        own = Awareness(
            AwarenessParams(rate_hz=rate_hz, size_bytes=size_bytes, priority=RSM_PRIORITY), seed
        )
    return (
        JoinedFleet(mobility, RoadsideRows(sites)),
        JoinedMessages(application, own, sites.n_sites),
    )


def relay_watch(
    scenario: Scenario,
    sites: RsuSites,
    links: LinkTable,
    packets: PacketLog,
    *,
    slot_us: int,
    wrap_length_m: float,
) -> RelayWatch | None:
    """Return what follows the messages of relaying units; None if there are none."""
    roadside, records = scenario.roadside, scenario.records
    if sites.n_sites == 0 or not roadside.relay:
        return None
    return RelayWatch(
        RelayParams(
            state_bytes=roadside.state_bytes,
            overhead_bytes=roadside.overhead_bytes,
            linked=roadside.linked,
            fibre_us=round(roadside.fibre_ms * US_PER_MS),
            known_within_us=to_us(records.known_within_s),
            range_m=records.awareness_range_m,
            decode_us=round(scenario.phy.decode_ms * US_PER_MS),
            slot_us=slot_us,
            counted_from_us=to_us(scenario.warmup_s),
            block_us=to_us(records.block_s),
            wrap_length_m=wrap_length_m,
        ),
        links,
        packets,
    )


def antenna_gains_dbi(
    scenario: Scenario, n_rows: int, n_pedestrians: int, n_sites: int
) -> NDArray[np.float64]:
    """Return the antenna gain of every row of the fleet [dBi], (n_rows,)."""
    gain = np.full(n_rows, scenario.radio.antenna_gain_dbi)
    n_vehicles = n_rows - n_sites - n_pedestrians
    gain[n_vehicles : n_rows - n_sites] = scenario.pedestrians.antenna_gain_dbi
    if scenario.roadside.antenna_gain_dbi is not None:
        gain[n_rows - n_sites :] = scenario.roadside.antenna_gain_dbi
    return gain
