"""One run, from the first motion to the last reception.

Order of things at one instant
------------------------------
Time is integer microseconds; a slot begins at a multiple of its length. When several things
fall on the same instant, they happen in this order, tested in
``tests/unit/sim/test_order.py``:

1. **Measurements** that look back from here: channel busy ratio, link states, known
   neighbours, time blocks, what roadside units told; congestion control learns of the load.
2. **Motion**, if a mobility tick is due: vehicles move, links are updated, newcomers get empty
   memories, ages are sampled, vehicles find out where they think they are, warnings and services
   use what was received and ask drivers to react, packets of the coming tick are generated.
3. **Packets** whose generation time has come enter the access layer.
4. **Transmissions** of the slot are decided; packets that missed their deadline are dropped.
5. **Reception**: power, interference, outcomes, sensing, counts, in one kernel call.
6. **Feedback**, at the end of slots that have an occasion for it: answers to earlier slots; packets
   that need no further transmission are closed.

Measurements and motion come first because they are an urgent event of the clock; the rest is
one process that wakes only in slots that need it.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import simpy
from numpy.typing import NDArray

from v2x.access.base import AccessTechnology
from v2x.access.congestion.base import CongestionControl
from v2x.applications.base import Application, PacketBatch
from v2x.cellular.base import Network
from v2x.mobility.base import MobilityModel
from v2x.mobility.fleet import FleetState
from v2x.mobility.positioning import BelievedState, Positioning
from v2x.phy.sensing_history import SensingHistory
from v2x.sim.channel_view import ChannelMeasurement
from v2x.sim.clock import UrgentTimeout, first_slot_from, last_slot_until, to_us
from v2x.sim.link_memory import LinkMemory
from v2x.sim.medium import Medium
from v2x.sim.neighbours import NeighbourRoads
from v2x.sim.packet_log import PacketLog
from v2x.sim.recorder import Recorder, RecordParams
from v2x.sim.region import CountedRegion
from v2x.sim.relay import LOOK_US, RelayWatch
from v2x.sim.services.services import Services

#: A packet on its way to the access layer: slot from which it may be sent, node, packet, last slot
#: in which it may start, priority, whether it tells of an event. A plain tuple, as there are
#: thousands in a simulated second.
_Arrival = tuple[int, int, int, int, int, bool]
_Locate = Callable[[NDArray[np.float64], NDArray[np.float64]], None]
_Enqueue = Callable[[int, int, int, int, int], int]
_Settle = Callable[[NDArray[np.int32]], NDArray[np.int32]]
_Classify = Callable[[NDArray[np.int32]], None]
_TakeMonitored = Callable[[int], tuple[int, NDArray[np.int64]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationParts:
    """What a run is made of; only ``scenario/assemble.py`` chooses the concrete classes.

    Attributes
    ----------
    access, history
        Who transmits where, and what it senses; None on the unslotted side
        (:mod:`v2x.sim.unslotted`), where contention and reception are one.
    duration_us, warmup_us, mobility_period_us, slot_us
        Times [µs].
    positioning
        What vehicles believe of their positions; None if nobody asks.
    network
        Carries packets beside the sidelink; None if there is none.
    congestion
        What keeps the load in bounds; None if nothing does.
    relay
        Follows what roadside units tell of others; None if they tell nothing.
    services
        Warnings and services that use what is received; None if there are none.
    """

    mobility: MobilityModel
    application: Application
    access: AccessTechnology | None
    medium: LinkMemory
    history: SensingHistory | None
    packets: PacketLog
    recorder: Recorder
    records: RecordParams
    region: CountedRegion
    neighbours: NeighbourRoads
    duration_us: int
    warmup_us: int
    mobility_period_us: int
    slot_us: int
    positioning: Positioning | None = None
    network: Network | None = None
    congestion: CongestionControl | None = None
    relay: RelayWatch | None = None
    services: Services | None = None


class Simulation:
    """Runs its parts against each other on one simpy clock.

    Parameters
    ----------
    parts
        See :class:`SimulationParts`.
    on_tick
        Called with the simulated time [µs] after every mobility tick; raising in it ends the
        run.
    """

    def __init__(
        self, parts: SimulationParts, on_tick: Callable[[int], None] | None = None
    ) -> None:
        self._parts = parts
        self._on_tick = on_tick
        self._env = simpy.Environment()
        self._fleet: FleetState | None = None
        self._waiting: deque[_Arrival] = deque()
        self._next_tick_us = self._slot_start_us = 0
        self._next_block_us = self._block_us = to_us(parts.records.block_s)
        self._next_load_us = self._load_us = to_us(parts.records.cbr_period_s)
        self._next_awareness_us = self._awareness_us = to_us(parts.records.awareness_period_s)
        self._cbr = np.zeros(parts.mobility.n_rows)
        # Only a scheduler is told positions (`LocatedAccess`).
        self._locate: _Locate | None = getattr(parts.access, "locate", None)
        # Where events have no queue of their own (`EventAccess`), they go like other packets.
        self._enqueue_once: _Enqueue | None = getattr(parts.access, "enqueue_once", None)
        # Only with feedback do retransmissions depend on answers (`FeedbackAccess`).
        self._settle: _Settle | None = None
        if getattr(parts.medium, "has_feedback", False):
            self._settle = cast(Any, parts.access).settle
        # Kinds matter to some (`SelectiveAccess`).
        self._classify: _Classify | None = getattr(parts.access, "classify", None)
        self._take_monitored: _TakeMonitored | None = getattr(parts.access, "take_monitored", None)
        # Slot from which on the units' links are looked at again, if anybody does.
        self._look_slot = 0 if parts.relay is not None else sys.maxsize

    @property
    def now_us(self) -> int:
        """Simulated time [µs]: that of the clock, which stops at ticks, or of a later slot."""
        return max(int(self._env.now), self._slot_start_us)

    def run(self) -> None:
        """Run to the end and hand all counters to the recorder."""
        parts = self._parts
        self._env.process(self._motion())
        self._env.process(self._slots())
        self._env.run(until=parts.duration_us)
        self._measure(parts.duration_us)
        self._follow_relays(parts.duration_us)
        counts = parts.medium.counts
        if self._next_block_us - self._block_us < parts.duration_us:
            parts.recorder.close_block(self._next_block_us - self._block_us, counts.outcomes)
        parts.recorder.take_freshness(counts.gaps_ms, counts.ages_ms)
        packets = parts.packets.table(parts.warmup_us)
        parts.recorder.take_packets(packets)
        if self._settle is not None:
            medium = cast(Medium, parts.medium)
            parts.recorder.take_feedback(medium.feedback_table(packets["packet"]))
        if parts.network is not None:
            parts.recorder.take_tables(parts.network.tables())
        if parts.relay is not None:
            parts.recorder.take_tables(parts.relay.tables())
        if parts.services is not None:
            parts.recorder.take_tables(parts.services.tables())

    def _motion(self) -> Generator[simpy.Event, Any, None]:
        period = self._parts.mobility_period_us
        while True:
            self._measure(self.now_us)
            self._follow_relays(self.now_us)
            self._observe_channel(self.now_us)
            self._move(self.now_us)
            self._next_tick_us = self.now_us + period
            if self._on_tick is not None:
                self._on_tick(self.now_us)
            yield UrgentTimeout(self._env, period)

    def _measure(self, now_us: int) -> None:
        """Close what ended at or before `now_us`."""
        parts, fleet = self._parts, self._fleet
        while now_us >= self._next_block_us:
            if self._next_block_us > parts.warmup_us:
                start_us = self._next_block_us - self._block_us
                parts.recorder.close_block(start_us, parts.medium.counts.outcomes)
            self._next_block_us += self._block_us
        if now_us >= self._next_load_us and fleet is not None:
            self._next_load_us += self._load_us
            slot, counted = first_slot_from(now_us, parts.slot_us), parts.region.counted(fleet)
            parts.medium.busy_ratio(slot, counted, self._cbr)
            parts.recorder.observe_load(now_us, fleet.id, self._cbr)
            parts.recorder.observe_link_states(now_us, parts.medium.link_states())
            if self._take_monitored is not None:
                parts.recorder.observe_sensing(now_us, fleet, counted, *self._take_monitored(slot))
            if parts.congestion is not None:
                state = parts.congestion.take_state(slot)
                parts.recorder.observe_congestion(now_us, fleet.id, counted, state)
        if now_us >= self._next_awareness_us and fleet is not None:
            self._next_awareness_us += self._awareness_us
            known = parts.medium.known(now_us, fleet, parts.neighbours)
            parts.recorder.observe_awareness(now_us, known)

    def _follow_relays(self, now_us: int) -> None:
        """Count what roadside units told in the tick that ends."""
        parts, fleet = self._parts, self._fleet
        if parts.relay is not None and fleet is not None:
            parts.relay.observe(now_us, parts.region.counted(fleet))

    def _observe_channel(self, now_us: int) -> None:
        """Let congestion control measure what the tick that ends has brought."""
        parts, fleet = self._parts, self._fleet
        if parts.congestion is not None and fleet is not None:
            slot = first_slot_from(now_us, parts.slot_us)
            view = ChannelMeasurement(parts.medium, fleet, slot)
            parts.congestion.observe(now_us, fleet, view)

    def _move(self, now_us: int) -> None:
        parts = self._parts
        fleet = parts.mobility.advance(now_us)
        before = self._fleet
        changed = fleet.id >= 0 if before is None else fleet.id != before.id
        for node in np.flatnonzero(changed).tolist():
            self._forget(node)
        self._drop_arrivals_of(changed)
        self._fleet = fleet
        parts.medium.move(fleet, parts.region.counted(fleet))
        if parts.relay is not None:
            parts.relay.begin(fleet)
        if parts.access is not None:
            parts.access.bind(parts.medium.identity)
        if self._classify is not None:
            self._classify(fleet.kind)
        if self._locate is not None:
            self._locate(fleet.x_m, fleet.y_m)
        parts.recorder.observe_fleet(fleet)
        believed: BelievedState | None = None
        if parts.positioning is not None:
            believed = parts.positioning.believe(fleet)
            parts.recorder.observe_believed(fleet, believed)
        if parts.services is not None:
            parts.services.tick(fleet, believed)
        batch = parts.application.packets(now_us, now_us + parts.mobility_period_us, fleet)
        first = parts.packets.append(batch, fleet.id[batch.tx_row])
        if parts.services is not None:
            parts.services.outbox.sent(first, now_us)
        parts.medium.take_packets()
        self._accept(batch, first)
        if parts.network is not None:
            parts.network.carry(
                fleet,
                parts.region.counted(fleet),
                batch.tx_row,
                batch.generated_us,
                batch.size_bytes,
            )

    def _forget(self, node: int) -> None:
        """Clear what the access layer holds of a vehicle that left."""
        assert self._parts.access is not None
        while (packet := self._parts.access.forget(node)) >= 0:
            self._drop(node, packet)

    def _accept(self, batch: PacketBatch, first_packet: int) -> None:
        """Take the packets of the coming tick, whose rows in the log start at `first_packet`."""
        self._waiting.extend(_arrivals(batch, first_packet, self._parts.slot_us))

    def _drop_arrivals_of(self, changed: NDArray[np.bool_]) -> None:
        """Drop the packets of vehicles that left before these reached the access layer."""
        gone = [arrival for arrival in self._waiting if changed[arrival[1]]]
        for arrival in gone:
            _, node, packet, _, _, _ = arrival
            self._drop(node, packet)
            self._waiting.remove(arrival)

    def _slots(self) -> Generator[simpy.Event, Any, None]:
        """Wake after each mobility tick and go through its slots with packets or transmissions.

        Nothing else happens between two ticks, so the clock need not stop at each slot.
        """
        parts = self._parts
        assert parts.access is not None
        slot_us = parts.slot_us
        slot = first_slot_from(self.now_us, slot_us)
        while True:
            limit = first_slot_from(min(self._next_tick_us, parts.duration_us), slot_us)
            while slot < limit:
                self._slot_start_us = slot * slot_us
                if slot >= self._look_slot:
                    self._look(slot)
                self._slot(slot)
                following = parts.access.next_active(slot + 1, limit)
                if self._settle is not None:
                    following = cast(Medium, parts.medium).next_feedback(following)
                if self._waiting:
                    following = min(following, self._waiting[0][0])
                slot = max(following, slot + 1)
            yield self._env.timeout(slot * slot_us - int(self._env.now))

    def _look(self, slot: int) -> None:
        """See what units heard, and who heard them, before `slot` overwrites it."""
        assert self._parts.relay is not None
        self._parts.relay.look()
        self._look_slot = slot + max(LOOK_US // self._parts.slot_us, 1)

    def _slot(self, slot: int) -> None:
        parts, waiting = self._parts, self._waiting
        assert parts.access is not None
        while waiting and waiting[0][0] <= slot:
            _, node, packet, deadline_slot, priority, event = waiting.popleft()
            enqueue = (event and self._enqueue_once) or parts.access.enqueue
            replaced = enqueue(slot, node, packet, deadline_slot, priority)
            if replaced >= 0:
                self._drop(node, replaced)
        transmissions, dropped = parts.access.transmissions(slot)
        for packet in dropped.tolist():
            self._drop(self._sender_of(packet), packet)
        if len(transmissions):
            cast(Medium, parts.medium).receive(slot, transmissions)
        if self._settle is not None and cast(Medium, parts.medium).next_feedback(slot + 1) <= slot:
            self._take_feedback(slot, self._settle)

    def _take_feedback(self, slot: int, settle: _Settle) -> None:
        """Tell senders what they hear at the end of `slot`, and close packets that end so."""
        medium = cast(Medium, self._parts.medium)
        verdicts = medium.feedback(slot)
        medium.conclude(verdicts, settle(verdicts))

    def _drop(self, node: int, packet: int) -> None:
        if packet >= 0:
            self._parts.medium.drop(node, packet)

    def _sender_of(self, packet: int) -> int:
        """Return the row of the vehicle that a waiting packet belongs to."""
        assert self._fleet is not None
        return int(np.flatnonzero(self._fleet.id == self._parts.packets["tx_id"][packet])[0])


def _arrivals(batch: PacketBatch, first_packet: int, slot_us: int) -> Iterator[_Arrival]:
    return zip(
        first_slot_from(batch.generated_us, slot_us).tolist(),
        batch.tx_row.tolist(),
        range(first_packet, first_packet + len(batch)),
        last_slot_until(batch.deadline_us, slot_us).tolist(),
        batch.priority.tolist(),
        batch.event.tolist(),
        strict=True,
    )
