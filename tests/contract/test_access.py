"""What every access technology keeps, built in or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from v2x import registry
from v2x.access.base import TRANSMISSION
from v2x.access.nr.coordination import CoordinationParams
from v2x.phy.sci import RESERVATION_MS
from v2x.phy.sensing_history import ControlInformation, SensingHistory
from v2x.phy.sidelink_pool import SidelinkPool

from ..access_loop import IDLE_MW, Driven, Offered, Sent, drive, make
from .contributed import entry_point, register

#: Those that are asked slot by slot (:class:`AccessTechnology`), and the one of the guide.
NAMES = [
    *(
        name
        for name in registry.names("v2x.access")
        if hasattr(registry.load("v2x.access", name), "transmissions")
    ),
    entry_point().name,
]


@pytest.fixture(autouse=True)
def plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the plug-in of CONTRIBUTING.md beside what is installed."""
    register(monkeypatch)


def variants(technology: Any) -> list[Any]:
    """Return the default parameters and those of other pools and habits, where there are such."""
    default = technology.Params()
    known = {field.name for field in fields(default)}
    changes: list[dict[str, Any]] = [
        {},
        {"n_subchannels": 1, "subchannel_rb": 50},
        {"n_subchannels": 20, "subchannel_rb": 5},
        {"n_subchannels": 5, "subchannel_rb": 8, "adjacent": False},
        {"blind_retransmissions": 1, "n_subchannels": 3},
        {"t1_ms": 1, "t2_ms": 20, "keep_probability": 0.0},
        {"scs_khz": 15, "n_subchannels": 10, "blind_retransmissions": 1},
        {"scs_khz": 60, "blind_retransmissions": 5, "max_reserve": 2, "keep_percent": 50},
        {"grant": "dynamic", "blind_retransmissions": 3, "t1_slots": 0},
        {"reservation_ms": 10, "t2min_ms": 1, "t2_ms": 10, "blind_retransmissions": 2},
        {"radio": "nr", "scs_khz": 30, "n_subchannels": 5, "grant": "configured-1"},
        {"radio": "nr", "scs_khz": 60, "n_subchannels": 2, "subchannel_rb": 12, "pscch_rb": 12},
        {"grant": "dynamic", "sr_period_ms": 5.0},
        {"selection": "partial", "blind_retransmissions": 1},
        {"selection": "random", "vru_selection": "partial", "t2_ms": 20},
        {"coordination": CoordinationParams(scheme="set"), "blind_retransmissions": 1},
        {"coordination": CoordinationParams(scheme="conflict"), "psfch_period": 2},
        {"exceptional_subchannels": 3, "n_subchannels": 7},
        {"frame_slots": 7},
    ]
    return list(possible(default, [change for change in changes if known >= set(change)]))


def possible(default: Any, changes: list[dict[str, Any]]) -> Iterator[Any]:
    """Yield the parameters that the technology admits; not each has every size of pool."""
    for change in changes:
        with suppress(ValueError):
            yield replace(default, **change)


class EveryoneHears:
    """Writes into the history what everybody but the senders heard in the slots gone by."""

    def __init__(self, history: SensingHistory) -> None:
        self._history = history
        self.seen = 0

    def write(self, sent: list[Sent]) -> None:
        n = self._history.n_subchannels
        by_slot: dict[int, list[Sent]] = defaultdict(list)
        for one in sent[self.seen :]:
            by_slot[one.slot].append(one)
        self.seen = len(sent)
        for slot, here in by_slot.items():
            at = slot % self._history.words.shape[1]
            words, powers = self._history.words[:, at], self._history.powers[:, at]
            words[:, 0] = slot
            powers[:, 1 : 1 + n] = IDLE_MW
            powers[:, 1 + n : 1 + 2 * n] = 0.0
            words[:, 1 + 2 * n :] = 0
            further = self._history.further[:, at]
            for one in here:
                last = one.first_subchannel + one.n_subchannels
                powers[:, 1 + one.first_subchannel : 1 + last] += 1e-7
                powers[:, 1 + n + one.first_subchannel] = 1e-9
                control = ControlInformation(
                    one.reservation_ms,
                    one.n_subchannels,
                    one.priority,
                    one.gap_slots,
                    one.other_subchannel,
                    one.gap2_slots,
                    one.other2_subchannel,
                )
                words[:, 1 + 2 * n + one.first_subchannel] = control.pack()
                further[:, one.first_subchannel] = control.pack_further()
            for one in here:
                powers[one.node, 1 : 1 + n] = -1.0


def run(
    technology: Any,
    params: Any,
    packets: list[Offered],
    n_nodes: int,
    *,
    length: int = 1,
    until: int = 1600,
    seed: int = 1,
) -> tuple[Driven, dict[int, int]]:
    """Drive a technology whose nodes hear each other; returns what was still waiting, too."""
    built, history = make(technology, params, n_nodes=n_nodes, grant_subchannels=length, seed=seed)
    ears = EveryoneHears(history)
    driven = drive(built, packets, until, before_slot=lambda so_far: ears.write(so_far.sent))
    waiting = {node: built.forget(node) for node in range(n_nodes)}
    return driven, {node: packet for node, packet in waiting.items() if packet >= 0}


def check(
    driven: Driven,
    waiting: dict[int, int],
    packets: list[Offered],
    pool: SidelinkPool,
    length: int,
    settled: bool = True,
) -> None:
    """Check everything that must hold of any technology.

    Unless `settled`, it may take back what it announced.
    """
    by_packet: dict[int, list[Sent]] = defaultdict(list)
    last = (-1, -1)
    for sent in driven.sent:
        # Ascending slots and, within a slot, ascending nodes: none twice.
        assert (sent.slot, sent.node) > last
        last = (sent.slot, sent.node)
        by_packet[sent.packet].append(sent)
        assert sent.first_subchannel >= 0
        assert length <= sent.n_subchannels
        assert sent.first_subchannel + sent.n_subchannels <= pool.n_subchannels
        assert sent.reservation_ms in {*RESERVATION_MS, *range(100)}
        offered = packets[sent.packet]
        assert sent.node == offered.node
        assert sent.priority == offered.priority
        assert sent.slot >= offered.slot
    for packet, attempts in by_packet.items():
        n = attempts[0].n_attempts
        assert [a.attempt for a in attempts] == list(range(n))
        assert all(a.n_attempts == n for a in attempts)
        assert attempts[0].slot <= packets[packet].deadline_slot
        check_announcements(attempts, settled)
    fates = [
        *by_packet,
        *(packet for _, packet in driven.dropped),
        *(packet for _, packet in driven.replaced),
        *waiting.values(),
    ]
    # Each packet was transmitted, dropped, replaced or still waits, and only one of these.
    assert sorted(fates) == list(range(len(packets)))


def check_announcements(attempts: list[Sent], settled: bool) -> None:
    """Check that what an SCI says of other attempts is so, where nobody can be moved."""
    places = {one.slot: one.first_subchannel for one in attempts}
    for one in attempts:
        told = [(one.gap_slots, one.other_subchannel), (one.gap2_slots, one.other2_subchannel)]
        for gap, first in told:
            assert -31 <= gap <= 31
            assert gap != 0 or first == 0
        if len(attempts) == 1:
            assert told == [(0, 0), (0, 0)]
        if settled:
            assert all(places[one.slot + gap] == first for gap, first in told if gap)


@st.composite
def loads(draw: st.DrawFn, n_nodes: int) -> list[Offered]:
    """Packets at any time, with any budget and priority, often several in a row from a node."""
    slots = draw(st.lists(st.integers(0, 900), max_size=40))
    packets = []
    for slot in sorted(slots):
        node = draw(st.integers(0, n_nodes - 1))
        budget = draw(st.sampled_from((0, 1, 3, 19, 50, 99, 300)))
        packets.append(Offered(slot, node, slot + budget, draw(st.integers(1, 8))))
    # The numbers of packets follow the order in which they are offered.
    return sorted(packets, key=lambda p: (p.slot, p.node))


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_load(name: str, data: st.DataObject) -> None:
    technology = registry.load("v2x.access", name)
    params = data.draw(st.sampled_from(variants(technology)))
    pool = params.resource_pool()
    length = data.draw(st.integers(1, min(pool.n_subchannels, 3)))
    packets = data.draw(loads(4))
    driven, waiting = run(technology, params, packets, 4, length=length)
    # Higher priorities pre-empt announced resources.
    settled = not getattr(params, "preemption", False) or len({p.priority for p in packets}) == 1
    check(driven, waiting, packets, pool, length, settled)


def crowd(n_nodes: int, seed: int = 5) -> list[Offered]:
    """Return a second of a crowd at 10 Hz whose messages come up to 40 slots late."""
    draw = np.random.default_rng(seed)
    phase = draw.integers(0, 100, n_nodes)
    packets = [
        Offered(slot := int(phase[node] + 100 * k + draw.integers(0, 41)), node, slot + 99)
        for k in range(10)
        for node in range(n_nodes)
    ]
    return sorted(packets, key=lambda p: (p.slot, p.node))


@pytest.mark.parametrize("name", NAMES)
def test_a_crowd(name: str) -> None:
    technology = registry.load("v2x.access", name)
    packets = crowd(40)
    for params in variants(technology):
        driven, waiting = run(technology, params, packets, 40)
        check(driven, waiting, packets, params.resource_pool(), 1)
        assert len(driven.initial()) == 40
        assert len({sent.packet for sent in driven.sent}) > 0.5 * len(packets)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_choices(name: str) -> None:
    technology = registry.load("v2x.access", name)
    packets = crowd(20)
    first, _ = run(technology, technology.Params(), packets, 20, seed=3)
    second, _ = run(technology, technology.Params(), packets, 20, seed=3)
    assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_slots_that_are_not_announced_are_empty(name: str) -> None:
    """Asking in every slot gives what asking in the announced ones gives."""
    technology = registry.load("v2x.access", name)
    packets = crowd(20)
    announced, _ = make(technology, n_nodes=20)
    sent = drive(announced, packets, 1200).sent
    every, _ = make(technology, n_nodes=20)
    original = every.next_active
    every.next_active = lambda slot, limit: slot
    assert drive(every, packets, 1200).sent == sent
    for slot, limit in ((1200, 1200), (1300, 1301), (1400, 2000)):
        assert slot <= original(slot, limit) <= limit


@pytest.mark.parametrize("name", NAMES)
def test_the_history_is_only_read(name: str) -> None:
    technology = registry.load("v2x.access", name)
    built, history = make(technology, n_nodes=20)
    history.words[:, :, 0] = -7
    before = history.words.tobytes()
    drive(built, crowd(20), 1200)
    assert history.words.tobytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_those_who_left_are_silent(name: str) -> None:
    """After `forget` a row sends nothing until somebody new has a packet, and then only that."""
    technology = registry.load("v2x.access", name)
    built, _ = make(technology, n_nodes=20)
    packets = crowd(20)
    before = drive(built, packets, 500)
    sent = {s.packet for s in before.sent} | {packet for _, packet in before.replaced}
    for node in range(20):
        packet = built.forget(node)
        if packet >= 0:
            assert packets[packet].node == node
            assert packet not in sent
        assert built.forget(node) == -1
    built.bind(np.arange(100, 120, dtype=np.uint32))
    assert drive(built, [], 800, start=500).sent == []
    newcomers = [Offered(800 + node, node, 899 + node) for node in range(20)]
    after = drive(built, newcomers, 1200, start=800)
    assert {(s.node, s.packet) for s in after.sent} == {(node, node) for node in range(20)}


@pytest.mark.parametrize("name", NAMES)
def test_nobody_is_a_fleet_too(name: str) -> None:
    technology = registry.load("v2x.access", name)
    built, _ = make(technology, n_nodes=0)
    transmissions, dropped = built.transmissions(0)
    assert transmissions.dtype == TRANSMISSION
    assert len(transmissions) == len(dropped) == 0
    assert built.next_active(1, 100) == 100


@pytest.mark.parametrize("name", NAMES)
def test_parameters_describe_pool_and_window(name: str) -> None:
    technology = registry.load("v2x.access", name)
    params = technology.Params()
    assert isinstance(params.resource_pool(), SidelinkPool)
    assert 1 <= params.sensing_window_ms <= 10_000
    assert technology.Params.__dataclass_params__.frozen
