"""What roadside units tell of others, followed message by message on the sidelink itself.

Once per mobility tick, after its receptions and before anybody moves, the watch works out whom the
units have heard, what their messages of the tick hold, and who has decoded them. It reads the
memory of the links for it and changes nothing that anybody sends or receives.

A *state* is what a road user said of itself in one message, named by the time at which that was
generated. A unit holds a state from the end of its decoding on; with fibre between units, what
another unit holds comes a fixed delay later. A message holds what the unit holds when the message
is generated, only states that are newer than what the unit last told of the same road user, and
those first of whom it told the oldest state: if states were taken by their own age, those with the
same phases would be told in a full message each time, and the others never.

The memory of a link knows the newest reception only, so on the slotted side the watch looks at the
links from and to units every :data:`LOOK_US`. Of two messages of one sender that a receiver decodes
between two looks it sees the second; at 50 Hz they are 20 ms apart unless a sender has just changed
its resource. Without slots it looks once per tick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.sim.packet_log import PacketLog
from v2x.sim.relay_states import (
    BoolArray,
    HeardStates,
    HeldStates,
    IntArray,
    RowArray,
    ToldMessage,
)
from v2x.sim.relay_tally import RelayTally

#: A message tells of 16 participants at most, and the unit is one of them (T/CSAE 53, RSM).
MOST_STATES = 15
#: Time between two looks [µs]: half of the shortest period of messages.
LOOK_US = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayParams:
    """What units tell, and what of it is counted.

    Attributes
    ----------
    state_bytes, overhead_bytes
        Size of a state, and of a message without any [byte].
    linked
        Whether units share what they hear.
    fibre_us
        Time after which the others have it [µs].
    known_within_us
        Older states are not told [µs].
    range_m
        Pairs farther apart do not count, and units tell of no road user farther away that
        another unit heard [m].
    decode_us
        From the end of a reception until its content is known [µs].
    slot_us
        Unit of the column ``last_slot`` of links [µs].
    counted_from_us
        States generated earlier belong to the warm-up [µs].
    block_us
        Length of the time blocks [µs].
    wrap_length_m
        Period of the map in x, 0 without [m].
    """

    state_bytes: int
    overhead_bytes: int
    linked: bool
    fibre_us: int
    known_within_us: int
    range_m: float
    decode_us: int
    slot_us: int
    counted_from_us: int
    block_us: int
    wrap_length_m: float = 0.0

    def room(self, size_bytes: int) -> int:
        """Return how many states a message of this size holds."""
        return min(max(size_bytes - self.overhead_bytes, 0) // self.state_bytes, MOST_STATES)


class RelayWatch:
    """Follows states from the sender over roadside units to receivers, and counts them.

    Parameters
    ----------
    params
        See :class:`RelayParams`.
    links
        Gets one more column, ``last_relayed``: the newest state that the receiver got by relay.
    packets
        Where the messages of the units are noted.
    """

    def __init__(self, params: RelayParams, links: LinkTable, packets: PacketLog) -> None:
        self._params, self._links, self._packets = params, links, packets
        links.add_column("last_relayed", np.int64, -1)
        self._tally = RelayTally(params.block_us)
        self._id = np.zeros(0, dtype=np.int64)
        self._unit_row = np.zeros(0, dtype=np.intp)
        self._unit_of = np.zeros(0, dtype=np.intp)
        self._own, self._shared = HeldStates(0), HeldStates(0)
        self._told_us = np.zeros((0, 0), dtype=np.int64)
        self._near = np.zeros((0, 0), dtype=np.bool_)
        self._heard = HeardStates()
        self._pending: list[ToldMessage] = []
        self._n_packets = 0
        self._watched = self._sender = np.zeros(0, dtype=np.intp)
        self._seen_slot: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self._seen_us = np.zeros(0, dtype=np.int64)
        self._looks: list[IntArray] = []
        self._fleet: FleetState | None = None

    def begin(self, fleet: FleetState) -> None:
        """Note what is known at the beginning of a tick, when the links have moved."""
        if len(self._id) == 0:
            self._take_rows(fleet)
        changed = np.flatnonzero(fleet.id != self._id)
        n = fleet.n_rows
        self._own.state_us.reshape(-1, n)[:, changed] = -1
        self._shared.state_us[changed] = -1
        self._told_us[:, changed] = -1
        self._heard.keep(~np.isin(self._heard.row, changed))
        self._id = fleet.id.copy()
        if self._params.linked:
            self._near = self._near_units(fleet)
        self._slot_before = self._links.column("last_slot").copy()
        self._generated_before = self._links.column("last_generated").copy()
        self._watch_links(fleet)
        self._fleet = fleet

    def look(self) -> None:
        """Note what was decoded over the links from and to units since the last look."""
        slot = self._links.column("last_slot")[self._watched]
        generated_us = self._links.column("last_generated")[self._watched]
        again = (generated_us == self._seen_us) & (self._seen_slot >= 0)
        new = np.flatnonzero((slot != self._seen_slot) & ~again)
        if len(new):
            self._looks.append(np.stack([new, generated_us[new], slot[new]]))
        self._seen_slot, self._seen_us = slot, generated_us

    def observe(self, now_us: int, counted: BoolArray) -> None:
        """Follow what the tick that ends at `now_us` has brought to `counted` road users."""
        fleet = self._fleet
        if fleet is None:
            return
        self._fleet = None
        self.look()
        news = np.concatenate([np.zeros((3, 0), dtype=np.int64), *self._looks], axis=1)
        end_us = (news[2] + 1) * self._params.slot_us
        sender, receiver = self._sender[news[0]], self._links.neighbour[self._watched[news[0]]]
        up = self._unit_of[receiver] >= 0
        self._heard.append(
            self._unit_of[receiver[up]],
            sender[up],
            news[1, up],
            end_us[up] + self._params.decode_us,
        )
        self._tell(now_us)
        down = np.flatnonzero(counted[receiver] & ~up)
        down = down[np.argsort(sender[down], kind="stable")]
        received = np.stack([sender[down], receiver[down], news[1, down], end_us[down]])
        self._deliver(fleet, counted, received)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what was counted, as columns of the tables ``relay`` and ``relay_latency``."""
        return self._tally.tables()

    def _take_rows(self, fleet: FleetState) -> None:
        """Find the units, which never change, and make room for what they hold."""
        n = fleet.n_rows
        self._unit_row = np.flatnonzero(fleet.kind == NodeKind.RSU)
        n_units = len(self._unit_row)
        self._unit_of = np.full(n, -1, dtype=np.intp)
        self._unit_of[self._unit_row] = np.arange(n_units)
        self._own, self._shared = HeldStates(n_units * n), HeldStates(n)
        self._told_us = np.full((n_units, n), -1, dtype=np.int64)
        self._id = np.full(n, -1, dtype=np.int64)

    def _near_units(self, fleet: FleetState) -> BoolArray:
        """Return who is within range of which unit, (n_units, n_rows)."""
        dx = np.abs(fleet.x_m[self._unit_row, None] - fleet.x_m)
        if self._params.wrap_length_m > 0:
            dx = np.minimum(dx, np.abs(self._params.wrap_length_m - dx))
        dy = fleet.y_m[self._unit_row, None] - fleet.y_m
        return np.asarray(np.hypot(dx, dy) <= self._params.range_m)

    def _watch_links(self, fleet: FleetState) -> None:
        """Watch the links between units and road users, both ways, until links move again."""
        links = self._links
        unit = fleet.kind == NodeKind.RSU
        up = np.flatnonzero(unit[links.neighbour])
        rows = [np.arange(links.row_start[r], links.row_start[r + 1]) for r in self._unit_row]
        self._watched = np.concatenate([up, *rows])
        self._sender = np.searchsorted(links.row_start, self._watched, side="right") - 1
        mixed = unit[self._sender] != unit[links.neighbour[self._watched]]
        self._watched, self._sender = self._watched[mixed], self._sender[mixed]
        self._seen_slot = self._slot_before[self._watched]
        self._seen_us = self._generated_before[self._watched]
        self._looks = []

    def _tell(self, now_us: int) -> None:
        """Fill the messages that units generated in the tick, in their order."""
        packets = self._packets
        new = slice(self._n_packets, packets.n_packets)
        unit_id = self._id[self._unit_row]
        tx_id, generated_us = packets["tx_id"][new], packets["generated_us"][new]
        mine = np.flatnonzero(np.isin(tx_id, unit_id))
        mine = mine[np.argsort(generated_us[mine], kind="stable")]
        units = np.searchsorted(unit_id, tx_id[mine])
        for k, unit in zip(mine.tolist(), units.tolist(), strict=True):
            self._settle(int(generated_us[k]))
            message = self._fill(self._n_packets + k, unit)
            if len(message.row):
                self._pending.append(message)
        self._n_packets = packets.n_packets
        self._settle(now_us)
        heard = self._heard
        done = min(heard.n_own, heard.n_shared) if self._params.linked else heard.n_own
        heard.keep(np.arange(len(heard.row)) >= done)

    def _settle(self, until_us: int) -> None:
        """Let units hold what has come to them by `until_us`."""
        heard, n = self._heard, len(self._id)
        end = int(np.searchsorted(heard.heard_us, until_us, side="right"))
        own = slice(heard.n_own, end)
        if end > heard.n_own:
            at = heard.unit[own] * n + heard.row[own]
            self._own.keep_newest(at, heard.state_us[own], heard.heard_us[own])
            heard.n_own = end
        if not self._params.linked:
            return
        end = int(np.searchsorted(heard.heard_us, until_us - self._params.fibre_us, side="right"))
        shared = slice(heard.n_shared, end)
        if end > heard.n_shared:
            self._shared.keep_newest(
                heard.row[shared], heard.state_us[shared], heard.heard_us[shared]
            )
            heard.n_shared = end

    def _fill(self, packet: int, unit: int) -> ToldMessage:
        """Return a message of a unit with the states that it has to tell at its generation."""
        params, n, now_us = self._params, len(self._id), self._packets["generated_us"][packet]
        own = slice(unit * n, (unit + 1) * n)
        state_us, heard_us = self._own.state_us[own], self._own.heard_us[own]
        fibre_us = np.zeros(n, dtype=np.int64)
        if params.linked:
            over = self._near[unit] & (self._shared.state_us > state_us)
            state_us = np.where(over, self._shared.state_us, state_us)
            heard_us = np.where(over, self._shared.heard_us, heard_us)
            fibre_us[over] = params.fibre_us
        told_us = self._told_us[unit]
        row = np.flatnonzero((state_us > told_us) & (state_us >= now_us - params.known_within_us))
        order = np.lexsort((state_us[row], told_us[row]))
        row = row[order[: params.room(int(self._packets["size_bytes"][packet]))]]
        told_us[row] = state_us[row]
        return ToldMessage(
            packet,
            int(self._unit_row[unit]),
            int(now_us),
            row,
            self._id[row],
            state_us[row],
            heard_us[row],
            fibre_us[row],
        )

    def _deliver(self, fleet: FleetState, counted: BoolArray, received: IntArray) -> None:
        """Count what was decoded of the messages of units, and let go of those that are over.

        `received`, (4, n), has the unit's row, in ascending order, the receiver's, when the message
        was generated and when it ended [µs].
        """
        begin = np.searchsorted(received[0], self._unit_row)
        end = np.searchsorted(received[0], self._unit_row, side="right")
        pieces: list[IntArray] = []
        for message in self._pending:
            unit = self._unit_of[message.unit_row]
            mine = received[:, begin[unit] : end[unit]]
            mine = mine[:, mine[2] == message.generated_us]
            still = np.flatnonzero((fleet.id[message.row] == message.id) & counted[message.row])
            a, b = np.repeat(still, mine.shape[1]), np.tile(mine, len(still))
            pieces.append(
                np.stack(
                    [
                        message.row[a],
                        b[1],
                        message.state_us[a],
                        message.heard_us[a],
                        message.fibre_us[a],
                        b[2],
                        b[3],
                    ]
                )
            )
        if pieces:
            self._count(np.concatenate(pieces, axis=1))
        resolved = self._packets["resolved"]
        self._pending = [m for m in self._pending if not resolved[m.packet]]

    def _count(self, told: IntArray) -> None:
        """Count what is new to the receivers within range; (7, n) as `_deliver` stacks it."""
        params, links = self._params, self._links
        pair, found = self._links_of(told[0], told[1])
        told, pair = told[:, found], pair[found]
        relayed_us = links.column("last_relayed")
        new = _new_to_receiver(pair, told[2], told[6], relayed_us[pair])
        told, pair = told[:, new], pair[new]
        _, _, state_us, heard_us, fibre_us, message_us, end_us = told
        np.maximum.at(relayed_us, pair, state_us)
        late = state_us >= params.counted_from_us
        parts_us = np.stack(
            [
                heard_us - state_us,
                fibre_us,
                message_us - heard_us - fibre_us,
                end_us + params.decode_us - message_us,
            ],
            axis=1,
        )
        newer = state_us > self._heard_directly_us(pair, end_us)
        self._tally.count(state_us[late], parts_us[late], newer[late])

    def _links_of(self, sender: IntArray, receiver: IntArray) -> tuple[RowArray, BoolArray]:
        """Return the links of pairs, and which pairs have one and are within range; (n,) each."""
        links, n = self._links, len(self._id)
        if links.n_links == 0:
            return np.zeros(len(sender), dtype=np.intp), np.zeros(len(sender), dtype=np.bool_)
        row = np.repeat(np.arange(n, dtype=np.int64), np.diff(links.row_start))
        name = row * n + links.neighbour
        wanted = sender * n + receiver
        at = np.minimum(np.searchsorted(name, wanted), links.n_links - 1)
        found = (name[at] == wanted) & (links.distance[at] <= self._params.range_m)
        return at, np.asarray(found)

    def _heard_directly_us(self, pair: RowArray, end_us: IntArray) -> IntArray:
        """Return the newest state that receivers had from the senders at `end_us`, -1 for none."""
        slot, generated = (self._links.column(name) for name in ("last_slot", "last_generated"))
        before = np.where(self._slot_before[pair] >= 0, self._generated_before[pair], -1)
        heard = (slot[pair] >= 0) & (
            (slot[pair].astype(np.int64) + 1) * self._params.slot_us <= end_us
        )
        return np.where(heard, generated[pair], before)


def _new_to_receiver(
    pair: RowArray, state_us: IntArray, end_us: IntArray, had_us: IntArray
) -> RowArray:
    """Return which deliveries bring a pair a newer state than all before; arguments (n,).

    Several units may tell the same: the first to arrive counts.
    """
    if len(pair) == 0:
        return np.zeros(0, dtype=np.intp)
    order = np.lexsort((-state_us, end_us, pair))
    _, group = np.unique(pair[order], return_inverse=True)
    span_us = int(max(state_us.max(), had_us.max())) + 2
    # Larger in each pair than in all pairs before, so that one running maximum serves them all.
    key = group * span_us + state_us[order] + 1
    best = np.maximum.accumulate(key)
    first = np.ones(len(key), dtype=np.bool_)
    first[1:] = key[1:] > best[:-1]
    return np.asarray(order[first & (state_us > had_us)[order]])
