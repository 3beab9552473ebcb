"""Drives an access technology slot by slot, as the simulation does, and notes what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x.access.base import AccessContext
from v2x.phy.sensing_history import SensingHistory

IDLE_MW = 2.0**-36


class Offered(NamedTuple):
    """A packet for the access layer; its place in the list is its number."""

    slot: int
    node: int
    deadline_slot: int
    priority: int = 5
    once: bool = False


class Sent(NamedTuple):
    """One transmission: the fields of ``TRANSMISSION`` and its slot."""

    slot: int
    node: int
    packet: int
    first_subchannel: int
    n_subchannels: int
    attempt: int
    n_attempts: int
    reservation_ms: int
    priority: int
    gap_slots: int
    other_subchannel: int
    gap2_slots: int = 0
    other2_subchannel: int = 0
    process: int = 0
    mcs_raise: int = 0
    power_offset_db: float = 0.0


class Driven(NamedTuple):
    """What a technology did: transmissions, and (slot, packet) dropped and replaced."""

    sent: list[Sent]
    dropped: list[tuple[int, int]]
    replaced: list[tuple[int, int]]

    def of(self, node: int) -> list[Sent]:
        """Return the transmissions of one node."""
        return [sent for sent in self.sent if sent.node == node]

    def initial(self) -> dict[int, list[Sent]]:
        """Return the initial transmissions of each node."""
        by_node: dict[int, list[Sent]] = {}
        for sent in self.sent:
            if sent.attempt == 0:
                by_node.setdefault(sent.node, []).append(sent)
        return by_node


def make(
    technology: Any,
    params: Any = None,
    *,
    n_nodes: int = 1,
    grant_subchannels: int = 1,
    period_ms: int = 100,
    seed: int = 1,
    identity: NDArray[np.uint32] | None = None,
    event_subchannels: int | None = None,
) -> tuple[Any, SensingHistory]:
    """Return a technology over an idle channel, and the history it senses."""
    params = technology.Params() if params is None else params
    pool = params.resource_pool()
    window = max(params.sensing_window_ms, 100) * 1000 // pool.slot_us
    history = SensingHistory(n_nodes, window + 1, pool.n_subchannels, pool.reserves_two)
    context = AccessContext(
        n_nodes=n_nodes,
        pool=pool,
        history=history,
        noise_mw=IDLE_MW,
        grant_subchannels=grant_subchannels,
        period_ms=period_ms,
        seed=seed,
        event_subchannels=event_subchannels,
    )
    built = technology(params, context)
    built.bind(np.arange(n_nodes, dtype=np.uint32) if identity is None else identity)
    return built, history


def drive(
    technology: Any,
    packets: Iterable[Offered],
    until: int,
    *,
    start: int = 0,
    before_slot: Callable[[Driven], None] | None = None,
) -> Driven:
    """Run `technology` over the slots [start, until).

    Only slots with a packet and those that it asks for by ``next_active`` are visited;
    `before_slot` is called in each of them first with what has happened so far.
    """
    waiting = sorted(enumerate(packets), key=lambda item: (item[1].slot, item[1].node))
    result = Driven([], [], [])
    slot = start
    while slot < until:
        if before_slot is not None:
            before_slot(result)
        while waiting and waiting[0][1].slot <= slot:
            number, offered = waiting.pop(0)
            enqueue = technology.enqueue_once if offered.once else technology.enqueue
            replaced = enqueue(slot, offered.node, number, offered.deadline_slot, offered.priority)
            if replaced >= 0:
                result.replaced.append((slot, replaced))
        transmissions, dropped = technology.transmissions(slot)
        result.sent.extend(Sent(slot, *row) for row in transmissions.tolist())
        result.dropped.extend((slot, packet) for packet in dropped.tolist())
        following = technology.next_active(slot + 1, until)
        assert slot < following <= until
        slot = min(following, waiting[0][1].slot) if waiting else following
    return result


def periodic(
    n_nodes: int, n_each: int, period: int = 100, budget: int = 100, first: int = 0
) -> list[Offered]:
    """Return packets of nodes in phase: ready in `first` + k `period`, to be sent in `budget`.

    A packet ready in slot s arrived during slot s - 1, so its budget ends in s - 1 + `budget`.
    """
    return [
        Offered(first + k * period, node, first + k * period - 1 + budget)
        for k in range(n_each)
        for node in range(n_nodes)
    ]
