"""What services say: put among the packets of a tick, and found again when it arrives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from v2x.applications.base import PacketBatch
from v2x.applications.services.base import Outgoing
from v2x.messages.topics import URGENCY
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS

#: For how long a packet may still be on its way [µs].
_ON_THE_WAY_US = 10_000_000
#: A message that others kept from going for so long is dropped [µs].
_HELD_US = 500_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way.

    Attributes
    ----------
    message
        What was sent.
    identity
        Stable id of the sender.
    generated_us
        When it was generated [µs].
    """

    message: Outgoing
    identity: int
    generated_us: int


class Outbox:
    """Holds messages from a service to the access layer and their contents until they arrive.

    The access layer keeps one waiting message of a sender beside those that recur. A message takes
    its sender from its generation to the end of its budget; of several whose times overlap, the
    most urgent goes in this tick and the others in the ticks after it.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Outgoing]] = []
        self._taken: list[Sent] = []
        self._place: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._on_the_way: dict[int, Sent] = {}

    def put(self, messages: Sequence[Outgoing], fleet: FleetState, now_us: int) -> None:
        """Take what services want to say in the coming tick."""
        for message in messages:
            self._waiting.append((now_us, int(fleet.id[message.row]), message))

    def join(
        self, batch: PacketBatch, start_us: int, end_us: int, fleet: FleetState
    ) -> PacketBatch:
        """Return a batch of packets with those of messages that are due in [start_us, end_us)."""
        self._taken = list(self._due(start_us, fleet))
        n, own = len(batch), self._taken
        if not own:
            self._place = np.zeros(0, dtype=np.intp)
            return batch
        priority, budget_us = zip(*(_urgency(item.message) for item in own), strict=True)
        generated = np.array([item.generated_us for item in own], dtype=np.int64)
        messages = PacketBatch(
            generated_us=np.minimum(generated, end_us - 1),
            tx_row=np.array([item.message.row for item in own], dtype=np.int32),
            size_bytes=np.array([item.message.size_bytes for item in own], dtype=np.int32),
            deadline_us=generated + np.array(budget_us, dtype=np.int64),
            priority=np.array(priority, dtype=np.int32),
            event=np.ones(len(own), dtype=np.bool_),
            topic=np.array([item.message.topic for item in own], dtype=np.int32),
        )
        columns = {
            item.name: np.concatenate([getattr(batch, item.name), getattr(messages, item.name)])
            for item in fields(PacketBatch)
        }
        order = np.lexsort((columns["tx_row"], columns["generated_us"]))
        place = np.empty(len(order), dtype=np.intp)
        place[order] = np.arange(len(order))
        self._place = place[n:]
        return PacketBatch(**{name: column[order] for name, column in columns.items()})

    def sent(self, first_packet: int, now_us: int) -> None:
        """Note under which numbers the messages of the last batch went."""
        for place, item in zip(self._place.tolist(), self._taken, strict=True):
            self._on_the_way[first_packet + place] = item
        old = [
            packet
            for packet, item in self._on_the_way.items()
            if item.generated_us < now_us - _ON_THE_WAY_US
        ]
        for packet in old:
            del self._on_the_way[packet]

    def content_of(self, packet: int) -> Sent | None:
        """Return the message of a packet, None if it is none of a service or too old."""
        return self._on_the_way.get(packet)

    def last(self) -> Sequence[Sent]:
        """Return the messages of the last batch."""
        return self._taken

    def _due(self, start_us: int, fleet: FleetState) -> Iterator[Sent]:
        """Take messages of each sender one after another: the most urgent, then the oldest."""
        ranked: list[tuple[int, int, int]] = []
        for place, (put_us, identity, message) in enumerate(self._waiting):
            if int(fleet.id[message.row]) == identity and put_us + _HELD_US > start_us:
                ranked.append((_urgency(message)[0], put_us, place))
        taken: dict[int, list[tuple[int, int]]] = {}
        chosen: set[int] = set()
        for _, _, place in sorted(ranked):
            message = self._waiting[place][2]
            begin_us = message.after_us
            end_us = begin_us + _urgency(message)[1]
            spans = taken.setdefault(message.row, [])
            if all(end_us <= begin or end <= begin_us for begin, end in spans):
                spans.append((begin_us, end_us))
                chosen.add(place)
        kept: list[tuple[int, int, Outgoing]] = []
        for place, item in enumerate(self._waiting):
            put_us, identity, message = item
            alive = int(fleet.id[message.row]) == identity
            if place in chosen:
                yield Sent(message, identity, max(put_us, start_us) + message.after_us)
            elif alive and put_us + _HELD_US > start_us:
                kept.append(item)
        self._waiting = kept


def _urgency(message: Outgoing) -> tuple[int, int]:
    """Return priority and delay budget of a message."""
    usual = URGENCY[message.topic]
    priority = usual.pppp if message.priority is None else message.priority
    budget_us = message.budget_us
    if budget_us is None:
        budget_us = usual.delay_budget_ms * US_PER_MS
    return priority, budget_us
