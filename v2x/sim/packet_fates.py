"""What became of the messages of two road users before they came near each other.

Fates of short links are kept for some seconds (:class:`~v2x.sim.fates.FateMemory`). When a conflict
begins, those of its pair are taken from there, and from then on as they come. This looks at all
links now and then (about once a second) and at those of pairs in conflict only besides, which is
less than following each link that might matter some day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.channel.link_table import LinkTable
from v2x.mobility.fleet import FleetState, FloatArray, IntArray
from v2x.records.tables import OUTCOME_NAMES, Outcome, Table
from v2x.sim.fates import N_FATES, Fate, FateMemory, KeptFates, directed, fates_of
from v2x.sim.packet_log import PacketLog
from v2x.sim.safety.conflicts import ConflictWatch
from v2x.sim.safety.in_time import decision_s
from v2x.sim.safety.params import SafetyParams
from v2x.units import US_PER_S

#: Fates are kept so much longer than they are asked for: they are not kept at once [s].
_SPARE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FateTimes:
    """Times of a run that fates are measured by.

    Attributes
    ----------
    period_us
        Time between two states of the fleet [µs].
    known_after_us
        From the start of a transmission until what it carries is known [µs]: air and decoding.
    counted_from_us
        Packets generated earlier belong to the warm-up [µs].
    duration_us
        End of the run [µs].
    """

    period_us: int
    known_after_us: int
    counted_from_us: int
    duration_us: int


def fate_memory(params: SafetyParams, n_nodes: int) -> FateMemory | None:
    """Return an empty memory that reaches far enough; None if nobody asks for messages."""
    if not params.messages:
        return None
    return FateMemory(n_nodes, range_m=params.messages_range_m, kept_s=_kept_s(params))


def _kept_s(params: SafetyParams) -> float:
    """Return how long fates are of use [s]; a crossing becomes known when it is over."""
    return params.messages_window_s + params.pet_s + _SPARE_S


class PacketFates:
    """Fills tables ``conflict_messages`` and ``conflict_knowledge``.

    Parameters
    ----------
    params
        How far back, and who would have been warned.
    watch
        Knows the conflicts; it must be shown each state before this.
    memory, links, packets
        Fates, the links they belong to, and the packets they are of.
    times
        See :class:`FateTimes`.
    n_rows
        Rows of every state.
    wrap_length_m
        Period of the map in x [m], 0 without.
    """

    def __init__(
        self,
        params: SafetyParams,
        watch: ConflictWatch,
        memory: FateMemory,
        links: LinkTable,
        packets: PacketLog,
        times: FateTimes,
        *,
        n_rows: int,
        wrap_length_m: float,
    ) -> None:
        self._params, self._watch, self._memory = params, watch, memory
        self._links, self._packets, self._times = links, packets, times
        self._window_us = round(params.messages_window_s * US_PER_S)
        n_ring = round(_kept_s(params) * US_PER_S / times.period_us) + 2
        self._track = _Track(n_ring, n_rows, times.period_us, wrap_length_m)
        self._n_events = self._n_seen = 0
        self._identity = np.zeros(n_rows, dtype=np.uint32)
        self._pieces: list[_Messages] = []

    def observe(self, fleet: FleetState) -> None:
        """Take the next state, and what was kept since the last one."""
        self._track.observe(fleet)
        self._identity = fleet.id.astype(np.uint32)
        self._collect()

    def _collect(self) -> None:
        pair, event, begin_s = self._watch.under_way()
        new = event >= self._n_events
        for kept in self._memory.kept:
            chosen = new if kept.number <= self._n_seen else np.ones_like(new)
            if chosen.any():
                self._take(kept, pair[chosen], event[chosen], begin_s[chosen])
        self._n_events = max(self._n_events, int(event.max(initial=-1)) + 1)
        self._n_seen = self._memory.kept[-1].number if self._memory.kept else 0

    def _take(
        self,
        kept: KeptFates,
        pair: NDArray[np.uint64],
        event: IntArray,
        begin_s: FloatArray,
    ) -> None:
        """Take what was kept of pairs, in both directions."""
        low, high = pair >> np.uint64(32), pair & np.uint64(0xFFFFFFFF)
        wanted = np.concatenate((directed(low, high), directed(high, low)))
        events, begins_s = np.tile(event, 2), np.tile(begin_s, 2)
        at = np.searchsorted(kept.pair, wanted)
        inside = np.flatnonzero(at < len(kept.pair))
        found = inside[kept.pair[at[inside]] == wanted[inside]]
        at = at[found]
        sender, receiver = kept.sender[at], kept.receiver[at]
        link, place = np.nonzero(np.arange(N_FATES) < kept.n_new[sender, None])
        packet = kept.packet[sender[link], place]
        generated_us = self._packets["generated_us"][packet]
        first_us = np.maximum(
            begins_s[found][link] * US_PER_S - self._window_us, self._times.counted_from_us
        )
        outcome = fates_of(kept.word[at])[link, place]
        chosen = (generated_us >= first_us) & (outcome != Fate.NO_LINK)
        link = link[chosen]
        self._pieces.append(
            _Messages(
                event=events[found][link].astype(np.int64),
                packet=packet[chosen].astype(np.int64),
                sender_id=(wanted[found][link] >> np.uint64(32)).astype(np.int64),
                receiver_id=(wanted[found][link] & np.uint64(0xFFFFFFFF)).astype(np.int64),
                generated_us=generated_us[chosen],
                outcome=outcome[chosen],
                distance_m=self._track.distance_m(
                    sender[link], receiver[link], generated_us[chosen]
                ),
            )
        )

    def tables(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return both tables so far, without the column ``replication``."""
        self._memory.keep(self._links, self._identity, self._times.duration_us)
        self._collect()
        conflicts = self._watch.tables()["conflicts"]
        found = _joined(self._pieces)
        until_us = np.rint(conflicts["worst_s"] * US_PER_S)[found.event]
        found = found.rows(np.flatnonzero(found.generated_us <= until_us))
        found = found.rows(np.lexsort((found.receiver_id, found.packet, found.event)))
        last_us = self._packets["last_slot_us"][found.packet]
        sent_us = np.where(last_us >= 0, last_us, found.generated_us)
        known_s = (sent_us + self._times.known_after_us) / US_PER_S
        by_other = found.receiver_id == conflicts["other_id"][found.event]
        needed_s = np.stack(
            [decision_s(conflicts, self._params.warned, of_other=o) for o in (False, True)], axis=1
        )
        in_time = known_s <= needed_s[found.event, by_other.astype(np.intp)]
        messages = {item.name: getattr(found, item.name) for item in fields(_Messages)}
        return {
            "conflict_messages": messages | {"in_time": in_time},
            "conflict_knowledge": _knowledge(
                conflicts, found, 2 * found.event + by_other, known_s, in_time, needed_s
            ),
        }


@dataclass(frozen=True, slots=True)
class _Messages:
    """Columns of table ``conflict_messages``, (n,) each."""

    event: NDArray[np.int64]
    packet: NDArray[np.int64]
    sender_id: NDArray[np.int64]
    receiver_id: NDArray[np.int64]
    generated_us: NDArray[np.int64]
    outcome: IntArray
    distance_m: FloatArray

    def rows(self, chosen: NDArray[np.intp]) -> _Messages:
        """Return some of the rows."""
        return _Messages(*(getattr(self, item.name)[chosen] for item in fields(self)))


def _joined(pieces: list[_Messages]) -> _Messages:
    if not pieces:
        none = np.zeros(0, dtype=np.int64)
        return _Messages(none, none, none, none, none, none.astype(np.int32), np.zeros(0))
    return _Messages(
        *(np.concatenate([getattr(p, item.name) for p in pieces]) for item in fields(_Messages))
    )


def _knowledge(
    conflicts: Table,
    found: _Messages,
    group: NDArray[np.int64],
    known_s: FloatArray,
    in_time: NDArray[np.bool_],
    needed_s: FloatArray,
) -> dict[str, NDArray[Any]]:
    """Return table ``conflict_knowledge``: two rows a conflict, first the vehicle, then the other.

    `group` is the row of that table to which each message belongs.
    """
    n = 2 * len(conflicts["event"])
    ids = np.stack((conflicts["vehicle_id"], conflicts["other_id"]), axis=1).astype(np.int64)
    received = found.outcome == Outcome.RECEIVED
    generated_s = found.generated_us / US_PER_S

    def age_s(when_s: FloatArray) -> FloatArray:
        """Return the age of what was known at times, one for each row."""
        latest = np.full(n, np.nan)
        there = np.flatnonzero(received & (known_s <= when_s[group]))
        np.fmax.at(latest, group[there], generated_s[there])
        return np.asarray(when_s - latest)

    def number(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return how many of these messages each row has."""
        return np.bincount(group[which], minlength=n).astype(np.int64)

    worst_s = np.repeat(conflicts["worst_s"], 2)
    table: dict[str, NDArray[Any]] = {
        "event": np.repeat(conflicts["event"], 2),
        "receiver_id": ids.ravel(),
        "sender_id": ids[:, ::-1].ravel(),
        "decision_s": needed_s.ravel(),
        "age_begin_s": age_s(np.repeat(conflicts["begin_s"], 2)),
        "age_decision_s": age_s(np.minimum(needed_s.ravel(), worst_s)),
        "age_worst_s": age_s(worst_s),
        "n_messages": number(np.ones_like(received)),
        "n_in_time": number(in_time),
        "n_in_time_received": number(in_time & received),
    }
    for outcome, name in enumerate(OUTCOME_NAMES):
        table[f"n_{name}"] = number(found.outcome == outcome)
    return table


class _Track:
    """Where everybody was at the last ticks."""

    def __init__(self, n_ring: int, n_rows: int, period_us: int, wrap_length_m: float) -> None:
        self._n_ring, self._period_us, self._wrap_m = n_ring, period_us, wrap_length_m
        self._tick = np.full(n_ring, -1, dtype=np.int64)
        self._id = np.full((n_ring, n_rows), -1, dtype=np.int64)
        self._position = np.zeros((n_ring, n_rows, 3))

    def observe(self, fleet: FleetState) -> None:
        tick = fleet.time_us // self._period_us
        at = tick % self._n_ring
        self._tick[at] = tick
        self._id[at] = fleet.id
        self._position[at] = np.stack((fleet.x_m, fleet.y_m, fleet.z_m), axis=1)

    def distance_m(self, one: IntArray, other: IntArray, time_us: NDArray[np.int64]) -> FloatArray:
        """Return distances between rows at the last tick before times [m], NaN if unknown."""
        tick = time_us // self._period_us
        at = tick % self._n_ring
        apart = self._position[at, one] - self._position[at, other]
        if self._wrap_m > 0:
            apart[:, 0] -= self._wrap_m * np.round(apart[:, 0] / self._wrap_m)
        there = (self._tick[at] == tick) & (self._id[at, one] >= 0) & (self._id[at, other] >= 0)
        return np.where(there, np.sqrt((apart * apart).sum(axis=1)), np.nan)
