"""Whole simulations on the unslotted side without a scenario file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from v2x.access.congestion.base import CongestionControl
from v2x.access.ieee80211p import Ieee80211pParams
from v2x.access.unslotted import MEMORY_US, UnslottedParams
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import Application
from v2x.channel.base import PropagationModel
from v2x.channel.channel_params import ChannelParams
from v2x.channel.link_table import LinkTable
from v2x.mobility.base import MobilityModel
from v2x.phy.ofdm.frame_reception import FrameReceiver
from v2x.phy.radio import PhyParams, RadioParams
from v2x.sim.clock import to_us
from v2x.sim.contention import UnslottedMedium
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import Recorder, RecordParams
from v2x.sim.region import CountedRegion
from v2x.sim.simulation import SimulationParts
from v2x.sim.unslotted import UnslottedSimulation
from v2x.world.road_map import RoadMap
from v2x.world.synthetic import highway

from .simulation_parts import TICK_US, Finished, SteppedLoss


def build(
    mobility: MobilityModel,
    *,
    access: UnslottedParams | None = None,
    application: Application | None = None,
    propagation: PropagationModel | None = None,
    channel: ChannelParams | None = None,
    radio: RadioParams | None = None,
    phy: PhyParams | None = None,
    receiver: Callable[[FrameReceiver], FrameReceiver] = lambda receiver: receiver,
    records: RecordParams | None = None,
    road_map: RoadMap | None = None,
    congestion: CongestionControl | None = None,
    duration_s: float = 1.0,
    warmup_s: float = 0.0,
    seed: int = 1,
) -> UnslottedSimulation:
    """Join parts as ``scenario/air.py`` does, with quiet and simple ones by default."""
    access = Ieee80211pParams() if access is None else access
    radio = radio or RadioParams(antenna_gain_dbi=0.0)
    records = records or RecordParams()
    road_map = road_map or highway()
    links = LinkTable(
        channel or ChannelParams(line_of_sight="always"),
        propagation or SteppedLoss(),
        antenna_gain_dbi=radio.antenna_gain_dbi,
        n_rows=mobility.n_rows,
        wrap_length_m=road_map.wrap_length_m,
        corridors=None,
        seed=seed,
    )
    packets = PacketLog(capacity=64)
    warmup_us = to_us(warmup_s)
    waveform = access.waveform()
    medium = UnslottedMedium(
        access.contention(),
        waveform,
        receiver(waveform.receiver(radio, phy or PhyParams())),
        np.full(mobility.n_rows, 10.0 ** (radio.tx_power_dbm / 10.0), dtype=np.float32),
        links,
        packets,
        records,
        counted_from_us=warmup_us,
        seed=seed,
    )
    parts = SimulationParts(
        mobility=mobility,
        application=application or Awareness(AwarenessParams(size_bytes=190), seed),
        access=None,
        medium=medium,
        history=None,
        packets=packets,
        recorder=Recorder(records, warmup_us=warmup_us),
        records=records,
        region=CountedRegion(road_map, records.edge_margin_m),
        neighbours=NeighbourRoads(road_map, records.awareness_range_m),
        duration_us=to_us(duration_s),
        warmup_us=warmup_us,
        mobility_period_us=TICK_US,
        slot_us=MEMORY_US,
        congestion=congestion,
    )
    return UnslottedSimulation(parts, medium)


def simulate(mobility: MobilityModel, **options: Any) -> Finished:
    """Run parts joined by :func:`build` to their end."""
    simulation = build(mobility, **options)
    simulation.run()
    parts = simulation._parts
    return Finished(parts.recorder.tables(0), parts)
