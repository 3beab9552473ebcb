"""Messages over 5G beside the sidelink: vehicle, network, vehicle.

In each tick the packets of the tick go up to the cell of their sender, over every path to a
server, and down to each equipped road user within the awareness range. Nothing here is an event
of the clock: all delays of a tick are computed at once by the kernel
:class:`~v2x._kernels.latency.UuClock`, from the state at the start of the tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels.latency import UuClock
from v2x.cellular.attachment import Attached, Attachment
from v2x.cellular.capacity import CellLoad, LinkBudget, Queues
from v2x.cellular.coverage import RoadCoverage
from v2x.cellular.edge import route
from v2x.cellular.pairs import neighbours_of
from v2x.cellular.params import UuParams, log_sigma
from v2x.cellular.tally import NetworkTally
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.phy.nr.processing import N1_SYMBOLS, N2_SYMBOLS, processing_us
from v2x.records.tables import NETWORK_PARTS, NETWORK_PATH_NAMES, NetworkOutcome, NetworkPath
from v2x.units import US_PER_MS

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class UuContext:
    """What the network is built from, besides its parameters.

    Attributes
    ----------
    coverage
        What base stations reach.
    n_cells
        Base stations.
    roadside : (n_samples,) int32 or None
        Roadside unit that covers each point of `coverage`, -1 for none; needed by V2I2V.
    n_rows
        Rows of the fleet.
    range_m
        Road users within this distance are to hear a message [m].
    wrap_length_m
        Period of the map in x [m], 0 for none.
    tick_us, block_us, counted_from_us
        Length of a tick and of the blocks of the records, and end of the warm-up [µs].
    seed
        Seed of the run.
    """

    coverage: RoadCoverage
    n_cells: int
    roadside: IntArray | None
    n_rows: int
    range_m: float
    wrap_length_m: float
    tick_us: int
    block_us: int
    counted_from_us: int
    seed: int


def uu_clock(params: UuParams, seed: int, draws: str = "delay") -> UuClock:
    """Return the kernel that goes through the steps of a transmission; `draws` names its draws."""
    radio, scheduling = params.radio, params.scheduling
    frame, dynamic = radio.frame, scheduling.grant == "dynamic"
    wanted_ms = scheduling.request_period_ms if dynamic else scheduling.configured_period_ms
    period_us = max(round(wanted_ms * US_PER_MS), frame.period_us)
    mode = scheduling.capability - 1
    decode = processing_us(N1_SYMBOLS[radio.scs_khz][0], radio.scs_khz)
    base_ms = scheduling.gnb_processing_ms
    return UuClock(
        slot_us=frame.slot_us,
        uplink_wait=frame.wait_for_uplink(),
        downlink_wait=frame.wait_for_downlink(),
        occasion=frame.occasions(period_us if dynamic or wanted_ms > 0.0 else 0),
        occasion_period_us=period_us,
        dynamic=dynamic,
        request_us=scheduling.request_symbols * frame.symbol_us,
        control_us=scheduling.control_symbols * frame.symbol_us,
        base_us=decode if base_ms is None else base_ms * US_PER_MS,
        prepare_us=processing_us(N2_SYMBOLS[radio.scs_khz][mode], radio.scs_khz),
        decode_us=processing_us(N1_SYMBOLS[radio.scs_khz][mode], radio.scs_khz),
        max_retransmissions=radio.retransmissions,
        key=rng.key32(seed, "cellular", draws),
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """The packets of a tick whose senders have a modem; all arrays (n,), `parts_us` (n, 13)."""

    row: IntArray
    generated_us: NDArray[np.int64]
    size_bytes: IntArray
    word: NDArray[np.uint32]
    outcome: NDArray[np.uint8]
    parts_us: FloatArray


@dataclass(frozen=True, slots=True)
class _Deliveries:
    """Messages and the receivers they are meant for; all arrays (n,)."""

    packet: IntArray
    row: IntArray
    word: NDArray[np.uint32]


class Uu:
    """The way through the network; see the module.

    Parameters
    ----------
    params
        Section ``cellular`` of the scenario.
    context
        See :class:`UuContext`.
    """

    def __init__(self, params: UuParams, context: UuContext) -> None:
        self._params, self._context = params, context
        radio = params.radio
        self._paths = tuple(NetworkPath(NETWORK_PATH_NAMES.index(name)) for name in params.paths)
        self._budget = LinkBudget(radio)
        self._clock = uu_clock(params, context.seed)
        self._attachment = Attachment(
            context.coverage,
            params.scheduling,
            max_loss_db=self._budget.max_loss_db,
            n_rows=context.n_rows,
            seed=context.seed,
        )
        frame = radio.frame
        blocks_per_us = radio.n_rb / frame.slot_us
        limit = params.scheduling.max_load
        self._up = CellLoad(context.n_cells, blocks_per_us * frame.uplink_share, limit)
        self._down = CellLoad(context.n_cells, blocks_per_us * frame.downlink_share, limit)
        rounds = radio.error_target ** np.arange(radio.retransmissions + 1)
        self._transmissions = float(rounds.sum())
        self._tally = NetworkTally(self._paths, context.block_us)
        self._share_key = rng.key32(context.seed, "cellular", "share")
        self._handovers = np.zeros(context.n_cells + 1, dtype=np.int64)
        self._next_cells_us = context.counted_from_us

    def carry(
        self,
        fleet: FleetState,
        counted: BoolArray,
        tx_row: IntArray,
        generated_us: NDArray[np.int64],
        size_bytes: IntArray,
    ) -> None:
        """Carry the packets generated in the tick that begins with `fleet`."""
        user = fleet.active & (fleet.kind <= NodeKind.VRU)
        user &= rng.uniform_by_id(self._share_key, fleet.id, 0) < self._params.share
        attached = self._attachment.move(fleet.time_us, fleet.id, fleet.edge, fleet.offset_m, user)
        word = fleet.id.astype(np.uint32)
        mine = user[tx_row]
        row = tx_row[mine]
        sent = _Sent(
            row=row,
            generated_us=generated_us[mine],
            size_bytes=size_bytes[mine],
            word=word[row],
            outcome=np.full(len(row), NetworkOutcome.NO_UPLINK, dtype=np.uint8),
            parts_us=np.zeros((len(row), len(NETWORK_PARTS))),
        )
        self._go_up(sent, attached, user)
        near = neighbours_of(
            fleet, np.flatnonzero(user), self._context.range_m, self._context.wrap_length_m
        )
        packet, receiver = near.receivers_of(sent.row)
        meant = _Deliveries(packet, receiver, word[receiver])
        self._go_down(sent, meant, attached, counted)
        if NetworkPath.V2I2V in self._paths:
            self._over_roadside(fleet, sent, meant, counted)
        self._note_cells(fleet.time_us, attached, user)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what happened, as columns of the tables ``network...``."""
        return self._tally.tables()

    def _go_up(self, sent: _Sent, attached: Attached, user: BoolArray) -> None:
        """Fill the uplink parts and outcomes of packets whose senders have coverage."""
        on = np.flatnonzero(attached.cell[sent.row] >= 0)
        row = sent.row[on]
        n_slots = self._budget.uplink_slots(attached.loss_db[row], sent.size_bytes[on])
        queues = self._uplink_queues(attached, user, row, n_slots)
        cell = attached.cell[row]
        parts_us = np.empty((len(on), len(NETWORK_PARTS)))
        outcome: NDArray[np.uint8] = np.empty(len(on), dtype=np.uint8)
        self._clock.uplink(
            sent.generated_us[on],
            sent.word[on],
            attached.available_us[row],
            n_slots,
            queues.busy[cell],
            queues.mean_us[cell],
            queues.overload[cell],
            np.full(len(on), self._params.radio.error_target),
            parts_us,
            outcome,
        )
        sent.parts_us[on], sent.outcome[on] = parts_us, outcome

    def _uplink_queues(
        self, attached: Attached, user: BoolArray, row: IntArray, n_slots: IntArray
    ) -> Queues:
        """Return the queues of the uplink: of packets, or nothing but room for the grants."""
        tick_us, width = self._context.tick_us, self._params.radio.uplink_rb
        scheduling = self._params.scheduling
        if self._clock.dynamic or scheduling.configured_period_ms == 0.0:
            blocks = n_slots * (width * self._transmissions)
            queues = self._up.observe(attached.cell[row], blocks, tick_us)
            if self._clock.dynamic:
                return queues
            return Queues(np.zeros_like(queues.busy), queues.mean_us, queues.overload)
        holders = attached.cell[user & (attached.cell >= 0)]
        reserved = np.full(len(holders), width * tick_us / self._clock.occasion_period_us)
        room = self._up.observe(holders, reserved, tick_us)
        return Queues(np.zeros_like(room.busy), room.mean_us, room.overload)

    def _go_down(
        self, sent: _Sent, meant: _Deliveries, attached: Attached, counted: BoolArray
    ) -> None:
        """Carry what arrived at base stations to its receivers, over every path, and count it."""
        outcome = sent.outcome[meant.packet]
        reached = attached.cell[meant.row] >= 0
        outcome[(outcome == NetworkOutcome.DELIVERED) & ~reached] = NetworkOutcome.NO_DOWNLINK
        going = outcome == NetworkOutcome.DELIVERED
        cell = attached.cell[meant.row[going]]
        blocks = self._budget.downlink_blocks(
            attached.loss_db[meant.row[going]], sent.size_bytes[meant.packet[going]]
        )
        queues = self._downlink_queues(meant.packet[going], cell, blocks)
        shown = self._counted(sent, meant, counted)
        rows = np.flatnonzero(going & shown)
        packet, row = meant.packet[rows], meant.row[rows]
        cell = attached.cell[row]
        n_slots = -(-blocks[shown[going]] // self._params.radio.n_rb)
        generated_us = sent.generated_us[meant.packet[shown]]
        into = np.flatnonzero(going[shown])
        parts_us = np.zeros((len(generated_us), len(NETWORK_PARTS)))
        filled, fate = np.empty((len(rows), len(NETWORK_PARTS))), np.empty(len(rows), np.uint8)
        backhaul = self._params.backhaul
        for path in self._paths:
            if path == NetworkPath.V2I2V:
                continue
            way = route(path, backhaul)
            self._clock.downlink(
                sent.generated_us,
                sent.word,
                sent.parts_us,
                packet,
                meant.word[rows],
                attached.available_us[row],
                (attached.cell[sent.row[packet]] != cell).view(np.uint8),
                n_slots,
                queues.busy[cell],
                queues.mean_us[cell],
                queues.overload[cell],
                np.full(len(rows), self._params.radio.error_target),
                up_us=way.one_way_us,
                down_us=way.one_way_us,
                across_us=way.across_us,
                internet_us=way.internet_us,
                internet_sigma=way.internet_sigma,
                compute_us=backhaul.server_median_ms * US_PER_MS,
                compute_sigma=log_sigma(backhaul.server_median_ms, backhaul.server_p99_ms),
                parts=filled,
                outcome=fate,
            )
            ends = outcome[shown]
            ends[into], parts_us[into] = fate, filled
            self._tally.count(path, generated_us, ends, parts_us)

    def _downlink_queues(self, packet: IntArray, cell: IntArray, blocks: IntArray) -> Queues:
        """Return the queues of the downlink under deliveries (n,) with these resource blocks."""
        tick_us = self._context.tick_us
        if self._params.scheduling.downlink == "unicast" or len(packet) == 0:
            return self._down.observe(cell, blocks * self._transmissions, tick_us)
        group = packet.astype(np.int64) * self._context.n_cells + cell
        order = np.argsort(group, kind="stable")
        first = np.flatnonzero(np.diff(group[order], prepend=-1))
        receivers = np.diff(np.append(first, len(group)))
        radio = self._params.radio
        error = radio.error_target ** np.arange(1, radio.retransmissions + 1)
        # A round is repeated for all if any receiver has failed in it and all before.
        rounds = 1.0 + (1.0 - (1.0 - error[:, None]) ** receivers).sum(axis=0)
        widest = np.maximum.reduceat(blocks[order], first)
        return self._down.observe(cell[order][first], widest * rounds, tick_us)

    def _over_roadside(
        self, fleet: FleetState, sent: _Sent, meant: _Deliveries, counted: BoolArray
    ) -> None:
        """Carry messages over roadside units and fibre, and count them."""
        assert self._context.roadside is not None
        place = self._context.coverage.samples.at(fleet.edge, fleet.offset_m)
        unit = np.where(place >= 0, self._context.roadside[np.maximum(place, 0)], -1)
        rows = np.flatnonzero(self._counted(sent, meant, counted))
        packet, row = meant.packet[rows], meant.row[rows]
        outcome = np.where(
            unit[sent.row[packet]] < 0,
            NetworkOutcome.NO_UPLINK,
            np.where(unit[row] < 0, NetworkOutcome.NO_DOWNLINK, NetworkOutcome.DELIVERED),
        ).astype(np.uint8)
        relay, backhaul = self._params.relay, self._params.backhaul
        fibre_us = backhaul.fibre_us_per_km * relay.fibre_km
        parts_us = np.empty((len(rows), len(NETWORK_PARTS)))
        self._clock.relay(
            sent.generated_us,
            sent.word,
            packet,
            unit[row].astype(np.uint32),
            first_us=relay.sidelink_first_ms * US_PER_MS,
            span_us=(relay.sidelink_last_ms - relay.sidelink_first_ms) * US_PER_MS,
            air_us=relay.sidelink_air_ms * US_PER_MS,
            processing_us=relay.unit_ms * US_PER_MS,
            # A node at each end of the fibre, there and back.
            transport_us=2.0 * (fibre_us + backhaul.node_ms * US_PER_MS),
            compute_us=backhaul.server_median_ms * US_PER_MS,
            compute_sigma=log_sigma(backhaul.server_median_ms, backhaul.server_p99_ms),
            parts=parts_us,
        )
        self._tally.count(NetworkPath.V2I2V, sent.generated_us[packet], outcome, parts_us)

    def _counted(self, sent: _Sent, meant: _Deliveries, counted: BoolArray) -> BoolArray:
        """Return which deliveries enter the statistics."""
        late = sent.generated_us >= self._context.counted_from_us
        both = counted[sent.row[meant.packet]] & counted[meant.row]
        return np.asarray(both & late[meant.packet])

    def _note_cells(self, time_us: int, attached: Attached, user: BoolArray) -> None:
        n = self._context.n_cells + 1
        taken = attached.cell[attached.handed_over] + 1
        self._handovers += np.bincount(taken, minlength=n)
        if time_us < self._context.counted_from_us:
            self._handovers[:] = 0
        if time_us < self._next_cells_us:
            return
        self._next_cells_us += self._context.block_us
        self._tally.observe_cells(
            time_us,
            np.bincount(attached.cell[user] + 1, minlength=n),
            self._handovers.copy(),
            np.concatenate([[0.0], self._up.load]),
            np.concatenate([[0.0], self._down.load]),
        )
        self._handovers[:] = 0
