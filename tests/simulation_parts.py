"""Tiny parts from which tests build whole simulations without a scenario file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.access.base import TRANSMISSION, AccessContext, SlotTransmissions
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import Application, PacketBatch
from v2x.channel.base import LinkState, LogDistanceLaw, PropagationModel, ShadowingStatistics
from v2x.channel.channel_params import ChannelParams
from v2x.channel.link_table import LinkTable
from v2x.messages.cast import CastParams
from v2x.mobility.base import MobilityModel
from v2x.mobility.fleet import FleetState
from v2x.phy.radio import PhyParams, RadioParams
from v2x.phy.reception import CURVE_SINR_DB, ReceiverDesign, design_receiver
from v2x.phy.resource_pool import ResourcePool
from v2x.phy.sensing_history import SensingHistory
from v2x.records.tables import N_OUTCOMES, Outcome
from v2x.sim.audience import AddressedMessages, Audience
from v2x.sim.clock import to_us
from v2x.sim.feedback import Feedback
from v2x.sim.medium import Medium
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import Recorder, RecordParams
from v2x.sim.region import CountedRegion
from v2x.sim.simulation import Simulation, SimulationParts
from v2x.units import US_PER_MS
from v2x.world.road_map import RoadMap
from v2x.world.synthetic import highway

Tables = dict[str, dict[str, NDArray[Any]]]

TICK_US = 100_000
SLOT_US = 1_000


def fleet_state(time_us: int, x_m: ArrayLike, **columns: ArrayLike) -> FleetState:
    """Return cars on a plane, ids counting from 0; `columns` replace what a car would have."""
    x = np.asarray(x_m, dtype=np.float64)
    n = len(x)
    values: dict[str, tuple[Any, ArrayLike]] = {
        "id": (np.int64, np.arange(n)),
        "kind": (np.int32, 0),
        "x_m": (np.float64, x),
        "y_m": (np.float64, 0.0),
        "z_m": (np.float64, 0.0),
        "heading_rad": (np.float64, 0.0),
        "speed_mps": (np.float64, 0.0),
        "acceleration_mps2": (np.float64, 0.0),
        "edge": (np.int32, 0),
        "lane": (np.int32, 0),
        "offset_m": (np.float64, x),
        "level": (np.int32, 0),
        "tunnel": (np.int32, -1),
        "length_m": (np.float64, 5.0),
        "width_m": (np.float64, 2.0),
        "height_m": (np.float64, 1.6),
        "antenna_height_m": (np.float64, 1.6),
        "leader": (np.int32, -1),
        "gap_m": (np.float64, np.inf),
        "turn": (np.int32, 0),
        "flags": (np.int32, 0),
    }
    unknown = set(columns) - set(values)
    assert not unknown, unknown
    filled = {
        name: np.array(np.broadcast_to(columns.get(name, default), n), dtype=dtype)
        for name, (dtype, default) in values.items()
    }
    return FleetState(time_us=time_us, **filled)


@dataclass(frozen=True, kw_only=True)
class FrozenFleet:
    """Vehicles that stand still, or go along x at constant speed.

    Attributes
    ----------
    x_m, y_m, speed_mps : (n_rows,)
        Start [m] and speed along x [m/s]; y and speed may be one number for all.
    ids : (n_rows,) or None
        Identities, None for the row numbers.
    enters_us, leaves_us : (n_rows,) or None
        A row holds its vehicle in [enters, leaves) [µs]; None for the whole run.
    wrap_m
        Period in x [m], 0 for none.
    """

    x_m: Sequence[float] | NDArray[np.float64]
    y_m: ArrayLike = 0.0
    speed_mps: ArrayLike = 0.0
    ids: Sequence[int] | NDArray[np.int64] | None = None
    enters_us: Sequence[int] | None = None
    leaves_us: Sequence[int] | None = None
    wrap_m: float = 0.0

    @property
    def n_rows(self) -> int:
        return len(self.x_m)

    def advance(self, time_us: int) -> FleetState:
        n = self.n_rows
        x = np.asarray(self.x_m) + np.broadcast_to(self.speed_mps, n) * (time_us * 1e-6)
        if self.wrap_m > 0:
            x = x % self.wrap_m
        ids = np.array(np.arange(n) if self.ids is None else self.ids)
        if self.enters_us is not None:
            ids[time_us < np.asarray(self.enters_us)] = -1
        if self.leaves_us is not None:
            ids[time_us >= np.asarray(self.leaves_us)] = -1
        return fleet_state(time_us, x, y_m=self.y_m, speed_mps=self.speed_mps, id=ids)


def pairs_far_apart(n_pairs: int, gap_m: float = 10.0, spacing_m: float = 3000.0) -> FrozenFleet:
    """Return pairs of vehicles, rows 2k and 2k + 1, that hear each other and nobody else."""
    middle = np.repeat(np.arange(n_pairs) * spacing_m, 2)
    return FrozenFleet(x_m=middle + np.tile([0.0, gap_m], n_pairs))


@dataclass(frozen=True)
class SteppedLoss:
    """Path loss constant between distances: {from [m]: loss [dB]}; nothing else disturbs.

    Attributes
    ----------
    steps
        Where each step begins [m], the first 0, and its loss [dB].
    sigma_db
        Shadowing of every state [dB].
    """

    steps: Mapping[float, float] = field(default_factory=lambda: {0.0: 80.0})
    sigma_db: float = 0.0
    vehicle_blockage: bool = False
    environment: str = "highway"

    def laws(self) -> Mapping[LinkState, LogDistanceLaw]:
        start = np.array(list(self.steps))
        loss = np.array(list(self.steps.values()))
        law = LogDistanceLaw(start, loss, np.zeros(len(start)), 1.0)
        return dict.fromkeys(LinkState, law)

    def shadowing(self) -> Mapping[LinkState, ShadowingStatistics]:
        return dict.fromkeys(LinkState, ShadowingStatistics(self.sigma_db, 25.0))

    def p_los(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ones_like(distance_m)


#: A wall: neighbours within 150 m are heard at any SINR asked of them, others not at all.
HEARD_TO_150_M = SteppedLoss({0.0: 80.0, 150.0: 250.0})


@dataclass(frozen=True)
class ScheduledPackets:
    """An application with a plan: (time [µs], row) of every packet.

    Attributes
    ----------
    plan
        Generation times and sending rows, any order; rows that are empty then send nothing.
    budget_us
        From generation to the latest start of the first transmission [µs].
    """

    plan: Sequence[tuple[int, int]]
    size_bytes: int = 190
    budget_us: int = 100_000
    priority: int = 5
    period_ms: int = 100

    @property
    def sizes_bytes(self) -> tuple[int, ...]:
        return (self.size_bytes,)

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        due = sorted((t, row) for t, row in self.plan if start_us <= t < end_us)
        due = [(t, row) for t, row in due if fleet.id[row] >= 0]
        generated = np.array([t for t, _ in due], dtype=np.int64)
        return PacketBatch(
            generated_us=generated,
            tx_row=np.array([row for _, row in due], dtype=np.int32),
            size_bytes=np.full(len(due), self.size_bytes, dtype=np.int32),
            deadline_us=generated + self.budget_us,
            priority=np.full(len(due), self.priority, dtype=np.int32),
        )


def every(period_us: int, n: int, first_us: int, row: int) -> list[tuple[int, int]]:
    """Return the plan of `n` packets of `row`, `period_us` apart."""
    return [(first_us + k * period_us, row) for k in range(n)]


@dataclass(frozen=True, kw_only=True)
class ImmediateParams:
    """Where :class:`ImmediateAccess` sends.

    Attributes
    ----------
    first_subchannel
        First subchannel of each row, or one for all.
    length
        Subchannels of a transmission.
    gap_slots
        Slots to the retransmission, 0 for none.
    """

    n_subchannels: int = 5
    subchannel_rb: int = 10
    adjacent: bool = True
    first_subchannel: int | tuple[int, ...] = 0
    length: int = 1
    gap_slots: int = 0

    @property
    def sensing_window_ms(self) -> int:
        return 100

    def resource_pool(self) -> ResourcePool:
        return ResourcePool(
            n_subchannels=self.n_subchannels,
            subchannel_rb=self.subchannel_rb,
            adjacent=self.adjacent,
        )


class ImmediateAccess:
    """Sends every packet in the first slot that can carry it, on the sender's own subchannel.

    With it a test decides by its packets who is on air when.
    """

    Params = ImmediateParams

    def __init__(self, params: ImmediateParams, context: AccessContext) -> None:
        self._params = params
        self._first = np.broadcast_to(params.first_subchannel, context.n_nodes)
        self._due: dict[int, dict[int, tuple[int, int, int]]] = {}

    def bind(self, identity: NDArray[np.uint32]) -> None:
        pass

    def enqueue(self, slot: int, node: int, packet: int, deadline_slot: int, priority: int) -> int:
        replaced = self._due.setdefault(slot, {}).get(node, (-1, 0, 0))[0]
        self._due[slot][node] = (packet, 0, priority)
        if self._params.gap_slots:
            again = self._due.setdefault(slot + self._params.gap_slots, {})
            again[node] = (packet, 1, priority)
        return replaced

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        due = self._due.pop(slot, {})
        out = np.zeros(len(due), dtype=TRANSMISSION)
        gap = self._params.gap_slots
        for row, node in zip(out, sorted(due), strict=True):
            packet, attempt, priority = due[node]
            row["node"], row["packet"], row["priority"] = node, packet, priority
            row["first_subchannel"] = row["other_subchannel"] = self._first[node]
            row["n_subchannels"] = self._params.length
            row["attempt"], row["n_attempts"] = attempt, 2 if gap else 1
            row["gap_slots"] = -gap if attempt else gap
        return out, np.zeros(0, dtype=np.int32)

    def next_active(self, slot: int, limit: int) -> int:
        return min((s for s in self._due if slot <= s < limit), default=limit)

    def forget(self, node: int) -> int:
        for due in self._due.values():
            due.pop(node, None)
        return -1


def threshold_receiver(
    sinr_db: float, control_db: float = -np.inf
) -> Callable[[ReceiverDesign], ReceiverDesign]:
    """Return a change of design: data is decoded from `sinr_db` [dB] on, control from its own."""
    data, control = (np.where(limit > CURVE_SINR_DB, 1.0, 0.0) for limit in (sinr_db, control_db))
    return lambda design: _with_curves(design, data, control)


def lossy_receiver(loss: float) -> Callable[[ReceiverDesign], ReceiverDesign]:
    """Return a change of design: every block is lost with probability `loss`, whatever its SINR."""
    n = len(CURVE_SINR_DB)
    return lambda design: _with_curves(design, np.full(n, loss), np.zeros(n))


def _with_curves(
    design: ReceiverDesign, data: NDArray[np.float64], control: NDArray[np.float64]
) -> ReceiverDesign:
    curves = np.tile(data.astype(np.float32), (len(design.curves), 1))
    curves[design.control_curve] = control
    return replace(design, curves=curves)


@dataclass(frozen=True)
class Finished:
    """A run that has ended.

    Attributes
    ----------
    tables
        What the recorder left behind.
    parts
        What the run was made of.
    """

    tables: Tables
    parts: SimulationParts

    @property
    def outcomes(self) -> NDArray[np.int64]:
        """Packet-receiver pairs by outcome, over all distances, shape (n_outcomes,)."""
        links = self.tables["links"]
        total = np.bincount(links["outcome"], weights=links["n"], minlength=N_OUTCOMES)
        return total.astype(np.int64)

    def share(self, outcome: Outcome) -> float:
        """Return the share of an outcome among all packet-receiver pairs."""
        return float(self.outcomes[outcome] / self.outcomes.sum())

    def by_bin(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the upper ends of the bins [m] and pairs by bin and outcome."""
        links = self.tables["links"]
        upper, index = np.unique(links["bin_upper_m"], return_inverse=True)
        counts = np.zeros((len(upper), N_OUTCOMES), dtype=np.int64)
        np.add.at(counts, (index, links["outcome"]), links["n"])
        return upper, counts


def build(
    mobility: MobilityModel,
    *,
    technology: Any = ImmediateAccess,
    access: Any = None,
    application: Application | None = None,
    propagation: PropagationModel | None = None,
    channel: ChannelParams | None = None,
    radio: RadioParams | None = None,
    phy: PhyParams | None = None,
    receiver: Callable[[ReceiverDesign], ReceiverDesign] = lambda design: design,
    records: RecordParams | None = None,
    road_map: RoadMap | None = None,
    duration_s: float = 1.0,
    warmup_s: float = 0.0,
    tick_us: int = TICK_US,
    seed: int = 1,
    grant_subchannels: int = 1,
    cast: CastParams | None = None,
) -> SimulationParts:
    """Join parts as ``scenario/assemble.py`` does, with quiet and simple ones by default."""
    access = technology.Params() if access is None else access
    application = application or Awareness(AwarenessParams(size_bytes=190), seed)
    records = records or RecordParams()
    pool = access.resource_pool()
    design = receiver(
        design_receiver(
            radio or RadioParams(antenna_gain_dbi=0.0),
            phy or PhyParams(in_band_emission=False),
            pool,
            environment="highway",
            size_bytes=max(application.sizes_bytes),
        )
    )
    road_map = road_map or highway()
    window = max(access.sensing_window_ms, 100) * US_PER_MS // pool.slot_us
    history = SensingHistory(mobility.n_rows, window + 1, pool.n_subchannels, pool.reserves_two)
    links = LinkTable(
        channel or ChannelParams(line_of_sight="always"),
        propagation or SteppedLoss(),
        antenna_gain_dbi=0.0 if radio is None else radio.antenna_gain_dbi,
        n_rows=mobility.n_rows,
        wrap_length_m=road_map.wrap_length_m,
        corridors=None,
        seed=seed,
    )
    context = AccessContext(
        n_nodes=mobility.n_rows,
        pool=pool,
        history=history,
        noise_mw=design.idle_subchannel_mw,
        grant_subchannels=grant_subchannels,
        period_ms=application.period_ms,
        seed=seed,
    )
    packets = PacketLog(capacity=64)
    warmup_us = to_us(warmup_s)
    audience = None
    if cast is not None:
        audience = Audience(cast, links, mobility.n_rows, road_map.wrap_length_m)
        application = AddressedMessages(application, audience)
    psfch = getattr(access, "feedback_design", lambda: None)()
    feedback = None
    if psfch is not None:
        assert audience is not None
        feedback = Feedback(psfch, design, audience, seed)
    return SimulationParts(
        mobility=mobility,
        application=application,
        access=technology(access, context),
        medium=Medium(
            design,
            links,
            history,
            packets,
            records,
            counted_from_us=warmup_us,
            seed=seed,
            audience=audience,
            feedback=feedback,
        ),
        history=history,
        packets=packets,
        recorder=Recorder(records, warmup_us=warmup_us),
        records=records,
        region=CountedRegion(road_map, records.edge_margin_m),
        neighbours=NeighbourRoads(road_map, records.awareness_range_m),
        duration_us=to_us(duration_s),
        warmup_us=warmup_us,
        mobility_period_us=tick_us,
        slot_us=pool.slot_us,
    )


def simulate(mobility: MobilityModel, **options: Any) -> Finished:
    """Run parts joined by :func:`build` to their end."""
    parts = build(mobility, **options)
    Simulation(parts).run()
    return Finished(parts.recorder.tables(0), parts)
