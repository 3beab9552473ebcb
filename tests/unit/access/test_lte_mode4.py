"""LTE mode 4 as the simulation sees it: windows, deadlines, replacement, memory."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4, LteMode4Params

from ...access_loop import Offered, drive, make, periodic
from .by_hand import Sensed, reservation


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("n_subchannels", 0),
        ("subchannel_rb", 3),
        ("reservation_ms", 30),
        ("allowed_periods_ms", (100, 250)),
        ("t1_ms", 0),
        ("t1_ms", 5),
        ("t2_ms", 19),
        ("t2_ms", 101),
        ("keep_probability", -0.1),
        ("keep_probability", 1.1),
        ("keep_ratio", 0.0),
        ("keep_ratio", 1.1),
        ("sensing_window_ms", 99),
        ("sensing_window_ms", 1001),
        ("reselect_after", 0),
        ("reselect_after", 10),
        ("blind_retransmissions", 2),
    ],
)
def test_parameters_outside_the_standard_are_rejected(key: str, value: object) -> None:
    """The message names the value; it names the key, but for the periods, which share one."""
    with pytest.raises(ValueError, match=r"got|must be|need") as error:
        LteMode4Params(**{key: value})
    shown = "250" if key == "allowed_periods_ms" else str(value)
    assert shown in str(error.value)


@pytest.mark.parametrize(("t1", "t2"), [(1, 20), (4, 20), (4, 100), (2, 50)])
@pytest.mark.parametrize("length", [1, 3])
def test_resources_lie_in_the_selection_window(t1: int, t2: int, length: int) -> None:
    """Ready in slot s means arrived in n = s - 1, so the window is [s - 1 + T1, s - 1 + T2]."""
    params = LteMode4Params(n_subchannels=4, t1_ms=t1, t2_ms=t2)
    technology, _ = make(LteMode4, params, n_nodes=2000, grant_subchannels=length)
    driven = drive(technology, periodic(2000, 1, first=500, budget=1000), 700)
    slots = {sent.slot for sent in driven.sent}
    assert slots == set(range(499 + t1, 499 + t2 + 1))
    assert {s.first_subchannel for s in driven.sent} == set(range(4 - length + 1))
    assert {s.n_subchannels for s in driven.sent} == {length}


@pytest.mark.parametrize("budget", [4, 5, 30, 99])
def test_a_short_budget_shortens_the_window(budget: int) -> None:
    """T2 shall keep the latency requirement: nothing is sent after the deadline."""
    technology, _ = make(LteMode4, n_nodes=1500)
    driven = drive(technology, periodic(1500, 1, first=300, budget=budget), 600)
    assert {sent.slot for sent in driven.sent} == set(range(299 + 4, 299 + budget + 1))


@pytest.mark.parametrize("budget", [1, 3])
def test_an_impossible_budget_gives_no_grant(budget: int) -> None:
    """Nothing can be sent before T1; the packet comes back when the next one replaces it."""
    technology, _ = make(LteMode4, n_nodes=1)
    hopeless = Offered(100, 0, 99 + budget)
    driven = drive(technology, [hopeless, Offered(200, 0, 299)], 400)
    assert driven.replaced == [(200, 0)]
    assert [sent.packet for sent in driven.sent] == [1]
    assert driven.dropped == []


def test_a_late_opportunity_is_given_up() -> None:
    """A packet that cannot wait for the grant's next slot makes the node select again."""
    technology, _ = make(LteMode4, LteMode4Params(keep_probability=1.0), n_nodes=300)
    first = periodic(300, 1)
    opportunity = {s.node: s.slot + 200 for s in drive(technology, first, 100).sent}
    # It is ready 50 slots before the opportunity and may wait 20.
    urgent = [Offered(slot - 50, node, slot - 30) for node, slot in opportunity.items()]
    sent = drive(technology, urgent, 500, start=100).initial()
    for node, slot in opportunity.items():
        assert slot - 50 + 3 <= sent[node][0].slot <= slot - 30


def test_a_newer_packet_takes_the_place_of_the_older() -> None:
    """Two packets before one opportunity: the older comes back, the newer is sent."""
    technology, _ = make(LteMode4, n_nodes=200)
    older = [Offered(10, node, 109) for node in range(200)]
    newer = [Offered(13, node, 112) for node in range(200)]
    driven = drive(technology, [*older, *newer], 200)
    assert driven.replaced == [(13, node) for node in range(200)]
    assert sorted(sent.packet for sent in driven.sent) == list(range(200, 400))
    assert {sent.slot for sent in driven.sent} <= set(range(13, 110))


def test_forgetting_returns_the_waiting_packet() -> None:
    technology, _ = make(LteMode4, n_nodes=2)
    technology.enqueue(10, 0, 7, 109, 5)
    technology.enqueue(10, 1, 8, 109, 5)
    assert technology.forget(0) == 7
    assert technology.forget(0) == -1
    sent = [
        packet
        for slot in range(10, 200)
        for packet in technology.transmissions(slot)[0]["packet"].tolist()
    ]
    assert sent == [8]


def test_a_newcomer_does_not_inherit_a_grant() -> None:
    """After `forget` the row's next packet selects a resource of its own."""
    technology, _ = make(LteMode4, LteMode4Params(keep_probability=1.0), n_nodes=200)
    before = {s.node: s for s in drive(technology, periodic(200, 1), 100).sent}
    for node in range(200):
        assert technology.forget(node) == -1
    technology.bind(np.arange(1000, 1200, dtype=np.uint32))
    after = {s.node: s for s in drive(technology, periodic(200, 1, first=100), 300, start=100).sent}
    assert len(after) == 200
    same = [after[k].slot == before[k].slot + 100 for k in range(200)]
    # One in 97 by chance.
    assert sum(same) < 10


def test_sensing_keeps_away_from_what_it_heard() -> None:
    """A node that decodes 80 % of the resources as reserved chooses among the others."""
    params = LteMode4Params(n_subchannels=5, t1_ms=1)
    now = 2000
    free = {now - 1 + y for y in range(3, 101, 5)}
    sensed = Sensed(
        heard=[
            reservation(slot - 100, 0, width=5)
            for slot in range(now, now + 100)
            if slot not in free and slot - 100 < now - 1
        ]
    )
    technology, history = make(LteMode4, params, n_nodes=300)
    for node in range(300):
        sensed.write(history, node)
    driven = drive(technology, periodic(300, 1, first=now, budget=100), now + 100, start=now)
    # The slot n + 100 can be reserved only by what node n hears in the slot of its packet.
    assert {sent.slot for sent in driven.sent} <= free | {now + 99}
    assert len(driven.sent) == 300


def test_priority_and_packet_travel_with_the_transmission() -> None:
    technology, _ = make(LteMode4, n_nodes=3)
    packets = [Offered(10, node, 109, priority) for node, priority in enumerate((1, 5, 8))]
    sent = {s.packet: s for s in drive(technology, packets, 200).sent}
    assert {k: s.priority for k, s in sent.items()} == {0: 1, 1: 5, 2: 8}
    assert all((s.attempt, s.n_attempts, s.gap_slots) == (0, 1, 0) for s in sent.values())


def test_the_same_node_chooses_the_same_whoever_else_is_there() -> None:
    """Draws belong to identities: 3 of 40 nodes act alike when the other 37 are gone."""
    params = LteMode4Params(keep_probability=0.4)
    many, _ = make(LteMode4, params, n_nodes=40)
    everybody = drive(many, periodic(40, 60), 6000)
    few, _ = make(LteMode4, params, n_nodes=3, identity=np.array([5, 17, 39], dtype=np.uint32))
    alone = drive(few, periodic(3, 60), 6000)
    for row, node in enumerate((5, 17, 39)):
        wanted = [(s.slot, s.first_subchannel, s.reservation_ms) for s in everybody.of(node)]
        assert [(s.slot, s.first_subchannel, s.reservation_ms) for s in alone.of(row)] == wanted


def test_another_seed_chooses_otherwise() -> None:
    slots = []
    for seed in (1, 2):
        technology, _ = make(LteMode4, n_nodes=100, seed=seed)
        slots.append([s.slot for s in drive(technology, periodic(100, 1), 100).sent])
    assert slots[0] != slots[1]
