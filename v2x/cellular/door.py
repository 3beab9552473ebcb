"""Messages between vehicles and the server of services, each by itself, over 5G.

The network of :mod:`v2x.cellular.uu` carries what everybody says to everybody near, to compare
paths. Services ask for something else: one vehicle and a server, up or down, now. Coverage,
handovers, radio and transport are the same; draws and load are of their own, since messages that
are carried on every path for comparison are not there for services.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.cellular.attachment import Attached, Attachment
from v2x.cellular.capacity import CellLoad, LinkBudget, Queues
from v2x.cellular.edge import route
from v2x.cellular.params import UuParams, log_sigma
from v2x.cellular.uu import UuContext, uu_clock
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.records.tables import NETWORK_PARTS, NETWORK_PATH_NAMES, NetworkOutcome, NetworkPath
from v2x.units import US_PER_MS

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int32]
TimeArray = NDArray[np.int64]
RowArray = NDArray[np.intp]
FloatArray = NDArray[np.float64]

#: Arrival of what does not arrive.
LOST = -1


class UuDoor:
    """Carries messages of services between vehicles and their server.

    Cells serve as they do for all other messages. Loads of the cells are those of the messages
    that went through the door in the ticks before, so all messages of a tick meet the same queue.

    Parameters
    ----------
    params
        Section ``cellular`` of the scenario.
    context
        As for :class:`~v2x.cellular.uu.Uu`.
    """

    def __init__(self, params: UuParams, context: UuContext) -> None:
        self._params, self._context = params, context
        radio = params.radio
        self._budget = LinkBudget(radio)
        self._clock = uu_clock(params, context.seed, "services")
        self._attachment = Attachment(
            context.coverage,
            params.scheduling,
            max_loss_db=self._budget.max_loss_db,
            n_rows=context.n_rows,
            seed=context.seed,
        )
        self._route = route(NetworkPath(NETWORK_PATH_NAMES.index(params.server)), params.backhaul)
        frame, limit = radio.frame, params.scheduling.max_load
        blocks_per_us = radio.n_rb / frame.slot_us
        self._up = CellLoad(context.n_cells, blocks_per_us * frame.uplink_share, limit)
        self._down = CellLoad(context.n_cells, blocks_per_us * frame.downlink_share, limit)
        self._asked_up: list[tuple[IntArray, FloatArray]] = []
        self._asked_down: list[tuple[IntArray, FloatArray]] = []
        rounds = radio.error_target ** np.arange(radio.retransmissions + 1)
        self._transmissions = float(rounds.sum())
        self._share_key = rng.key32(context.seed, "cellular", "share")
        self._key = rng.key32(context.seed, "cellular", "server")
        self._time_us = -1
        self._identity = np.full(context.n_rows, -1, dtype=np.int64)
        self._attached: Attached | None = None
        self._queues = (_empty(context.n_cells), _empty(context.n_cells))

    def follow(self, fleet: FleetState) -> None:
        """Let cells serve everybody where they are now; once in each tick counts."""
        if fleet.time_us == self._time_us:
            return
        user = fleet.active & (fleet.kind <= NodeKind.VRU)
        user &= rng.uniform_by_id(self._share_key, fleet.id, 0) < self._params.share
        self._attached = self._attachment.move(
            fleet.time_us, fleet.id, fleet.edge, fleet.offset_m, user
        )
        self._time_us, self._identity = fleet.time_us, fleet.id
        tick_us = self._context.tick_us
        self._queues = (
            _observed(self._up, self._asked_up, tick_us),
            _observed(self._down, self._asked_down, tick_us),
        )

    def covered(self) -> BoolArray:
        """Return which rows have coverage at the tick that is followed, (n_rows,)."""
        return np.asarray(self._now().cell >= 0)

    def up(
        self,
        rows: RowArray,
        generated_us: TimeArray,
        size_bytes: IntArray,
        *,
        stream: str,
        uplink_rb: int | None = None,
    ) -> TimeArray:
        """Return when messages of vehicles reach the server and are worked through.

        Parameters
        ----------
        rows, generated_us, size_bytes : (n,)
            Sender, generation time in this tick [µs] and size [byte] of each.
        stream
            Names the draws: messages of one vehicle and time differ by it.
        uplink_rb
            Resource blocks that a message takes in an uplink slot, such as for video; null takes
            those of the radio.

        Returns
        -------
        (n,) int64
            Arrival [µs], -1 for what is lost: no coverage, cell full, or retransmissions failed.
        """
        attached = self._now()
        budget = self._budget
        if uplink_rb is not None:
            width = min(uplink_rb, self._params.radio.n_rb)
            budget = LinkBudget(replace(self._params.radio, uplink_rb=width))
        arrived_us = np.full(len(rows), LOST, dtype=np.int64)
        on = np.flatnonzero(attached.cell[rows] >= 0)
        row, cell, at_us = rows[on], attached.cell[rows[on]], generated_us[on]
        n_slots = budget.uplink_slots(attached.loss_db[row], size_bytes[on])
        blocks = np.asarray(n_slots * (budget.radio.uplink_rb * self._transmissions), np.float64)
        self._asked_up.append((cell, blocks))
        queue = self._queues[0]
        parts_us = np.empty((len(on), len(NETWORK_PARTS)))
        outcome: NDArray[np.uint8] = np.empty(len(on), dtype=np.uint8)
        self._clock.uplink(
            at_us,
            self._words(row, stream),
            attached.available_us[row],
            n_slots,
            queue.busy[cell],
            queue.mean_us[cell],
            queue.overload[cell],
            np.full(len(on), budget.radio.error_target),
            parts_us,
            outcome,
        )
        backhaul = self._params.backhaul
        server_us = self._log_normal(
            row,
            at_us,
            f"{stream} server",
            backhaul.server_median_ms * US_PER_MS,
            log_sigma(backhaul.server_median_ms, backhaul.server_p99_ms),
        )
        way_us = self._transport_us(row, at_us, f"{stream} up")
        total_us = at_us + np.rint(parts_us.sum(axis=1) + way_us + server_us).astype(np.int64)
        arrived_us[on] = np.where(outcome == NetworkOutcome.DELIVERED, total_us, LOST)
        return arrived_us

    def down(
        self,
        rows: RowArray,
        generated_us: TimeArray,
        size_bytes: IntArray,
        *,
        stream: str,
    ) -> TimeArray:
        """Return when messages of the server reach vehicles; see :meth:`up`."""
        attached = self._now()
        arrived_us = np.full(len(rows), LOST, dtype=np.int64)
        on = np.flatnonzero(attached.cell[rows] >= 0)
        row, cell, at_us = rows[on], attached.cell[rows[on]], generated_us[on]
        blocks = self._budget.downlink_blocks(attached.loss_db[row], size_bytes[on])
        self._asked_down.append((cell, np.asarray(blocks * self._transmissions, np.float64)))
        way_us = np.rint(self._transport_us(row, at_us, f"{stream} down")).astype(np.int64)
        queue = self._queues[1]
        n = len(on)
        parts_us = np.empty((n, len(NETWORK_PARTS)))
        outcome: NDArray[np.uint8] = np.empty(n, dtype=np.uint8)
        word = self._words(row, stream)
        self._clock.downlink(
            at_us + way_us,
            word,
            np.zeros((n, len(NETWORK_PARTS))),
            np.arange(n, dtype=np.int32),
            word,
            attached.available_us[row],
            np.zeros(n, dtype=np.uint8),
            (-(-blocks // self._params.radio.n_rb)).astype(np.int32),
            queue.busy[cell],
            queue.mean_us[cell],
            queue.overload[cell],
            np.full(n, self._params.radio.error_target),
            up_us=0.0,
            down_us=0.0,
            across_us=0.0,
            internet_us=0.0,
            internet_sigma=0.0,
            compute_us=0.0,
            compute_sigma=0.0,
            parts=parts_us,
            outcome=outcome,
        )
        total_us = at_us + way_us + np.rint(parts_us.sum(axis=1)).astype(np.int64)
        arrived_us[on] = np.where(outcome == NetworkOutcome.DELIVERED, total_us, LOST)
        return arrived_us

    def _now(self) -> Attached:
        if self._attached is None:
            raise RuntimeError("follow() comes before the first message")
        return self._attached

    def _words(self, row: RowArray, stream: str) -> NDArray[np.uint32]:
        """Return the words by which the draws of vehicles and a stream differ, (n,)."""
        word = self._identity[row].astype(np.uint32)
        return np.asarray(word ^ np.uint32(rng.key32(self._key, stream)))

    def _transport_us(self, row: RowArray, at_us: TimeArray, draws: str) -> FloatArray:
        way = self._route
        internet_us = self._log_normal(row, at_us, draws, way.internet_us, way.internet_sigma)
        return way.one_way_us + internet_us

    def _log_normal(
        self, row: RowArray, at_us: TimeArray, draws: str, median: float, sigma: float
    ) -> FloatArray:
        if median == 0.0 or sigma == 0.0:
            return np.full(len(row), median)
        from scipy.special import ndtri

        share = rng.uniform_by_id(rng.key32(self._key, draws), self._identity[row], at_us)
        normal = np.asarray(ndtri(share + 2.0**-54), dtype=np.float64)
        return np.asarray(median * np.exp(sigma * normal))


def _empty(n_cells: int) -> Queues:
    return Queues(busy=np.zeros(n_cells), mean_us=np.zeros(n_cells), overload=np.zeros(n_cells))


def _observed(load: CellLoad, asked: list[tuple[IntArray, FloatArray]], tick_us: int) -> Queues:
    """Return the queues under what was asked for since the last tick, and forget it."""
    cell = np.concatenate([np.zeros(0, dtype=np.int32), *(item[0] for item in asked)])
    blocks = np.concatenate([np.zeros(0), *(item[1] for item in asked)])
    asked.clear()
    return load.observe(cell, blocks, tick_us)
