"""Packets of events beside those that recur: TS 36.321 5.14.1.1, TS 38.321 5.22.1.1."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.nr.mode2 import NrMode2
from v2x.access.nr.params import NrMode2Params
from v2x.access.random_access import RandomAccess, RandomAccessParams

from ...access_loop import Driven, Offered, drive, make, periodic
from .by_hand import Sensed, reservation

N = 5
TECHNOLOGIES = [
    (LteMode4, LteMode4Params(n_subchannels=5)),
    (LteMode4, LteMode4Params(n_subchannels=5, blind_retransmissions=1)),
    (RandomAccess, RandomAccessParams(n_subchannels=5, blind_retransmissions=1)),
    (NrMode2, NrMode2Params(scs_khz=15, grant="dynamic", blind_retransmissions=1)),
    (NrMode2, NrMode2Params(scs_khz=15, blind_retransmissions=3, max_reserve=2)),
    (NrMode2, NrMode2Params(scs_khz=30, blind_retransmissions=1)),
]
#: Those that keep a grant for ever, so that nothing but events can change what recurs.
FAITHFUL = [
    (LteMode4, LteMode4Params(n_subchannels=5, keep_probability=1.0, blind_retransmissions=1)),
    (NrMode2, NrMode2Params(scs_khz=15, keep_probability=1.0, blind_retransmissions=2)),
]


def run(technology: Any, params: Any, packets: list[Offered], until: int, **kw: Any) -> Driven:
    access, _ = make(
        technology, params, **{"n_nodes": N, "grant_subchannels": 2, "event_subchannels": 3} | kw
    )
    return drive(access, packets, until)


def some_events(n: int, *, budget: int = 50, priority: int = 2) -> list[Offered]:
    return [
        Offered(slot, k % N, slot - 1 + budget, priority, once=True)
        for k in range(n)
        for slot in [213 + 97 * k]
    ]


@pytest.mark.parametrize(("technology", "params"), FAITHFUL)
def test_what_recurs_is_not_disturbed(technology: Any, params: Any) -> None:
    """The same resources, counters and reservations whether or not there are events."""
    calm = periodic(N, 40)
    bare = run(technology, params, calm, 4100, event_subchannels=None)
    both = run(technology, params, [*calm, *some_events(30)], 4100)
    assert [sent for sent in both.sent if sent.process == 0] == bare.sent
    assert len({sent.packet for sent in both.sent if sent.process == 1}) == 30


@pytest.mark.parametrize(("technology", "params"), TECHNOLOGIES)
def test_an_event_does_not_wait_for_the_grant(technology: Any, params: Any) -> None:
    """It goes within its budget, in the width of its own, and reserves nothing beyond itself."""
    per_ms = 1000 // params.resource_pool().slot_us
    budget = 20 * per_ms
    packets = [*periodic(N, 40 // per_ms, period=100 * per_ms), *some_events(30, budget=budget)]
    driven = run(technology, params, packets, 4100)
    events = [sent for sent in driven.sent if sent.process == 1]
    first = {sent.packet: sent for sent in events if sent.attempt == 0}
    assert len(first) == 30
    for number, sent in first.items():
        offered = packets[number]
        assert offered.slot <= sent.slot <= offered.deadline_slot
        assert (sent.node, sent.priority, sent.n_subchannels) == (offered.node, 2, 3)
    assert {sent.reservation_ms for sent in events} == {0}
    attempts = Counter(sent.packet for sent in events)
    assert all(attempts[packet] == sent.n_attempts for packet, sent in first.items())
    assert all(sent.n_subchannels == 2 for sent in driven.sent if sent.process == 0)
    assert not driven.dropped
    assert not driven.replaced


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_node_is_on_air_once_per_slot_and_loses_no_packet_silently(data: st.DataObject) -> None:
    """Also with a period of 20 ms, where five grants fall into the window of an event."""
    technology, params = data.draw(
        st.sampled_from(
            [
                (LteMode4, LteMode4Params(n_subchannels=3, blind_retransmissions=1)),
                (NrMode2, NrMode2Params(scs_khz=15, blind_retransmissions=2, n_subchannels=3)),
                (RandomAccess, RandomAccessParams(n_subchannels=3, blind_retransmissions=1)),
            ]
        )
    )
    period = data.draw(st.sampled_from((20, 50, 100)))
    gap = data.draw(st.integers(7, 60))
    budget = data.draw(st.integers(5, 100))
    calm = periodic(2, 1200 // period, period=period, budget=period)
    sudden = [
        Offered(slot, node, slot - 1 + budget, data.draw(st.integers(1, 8)), once=True)
        for node in range(2)
        for slot in range(31 + node, 1100, gap)
    ]
    packets = [*calm, *sudden]
    access, _ = make(
        technology,
        params,
        n_nodes=2,
        period_ms=period,
        event_subchannels=2,
        seed=data.draw(st.integers(0, 1000)),
    )
    driven = drive(access, packets, 1400)
    on_air = Counter((sent.slot, sent.node) for sent in driven.sent)
    assert max(on_air.values()) == 1
    pool = params.resource_pool()
    assert all(
        0 <= sent.first_subchannel <= pool.n_subchannels - sent.n_subchannels
        for sent in driven.sent
    )
    waiting = []
    for node in range(2):
        while (packet := access.forget(node)) >= 0:
            waiting.append(packet)
    first = [sent.packet for sent in driven.sent if sent.attempt == 0]
    fates = [
        *first,
        *(packet for _, packet in driven.dropped),
        *(packet for _, packet in driven.replaced),
        *waiting,
    ]
    assert sorted(fates) == list(range(len(packets)))


def test_a_new_grant_keeps_out_of_the_slots_of_an_event() -> None:
    """The event waits in the only slots before 10; what recurs is chosen after it, elsewhere."""
    params = LteMode4Params(n_subchannels=5, t2_ms=20)
    for seed in range(40):
        packets = [
            Offered(5, 0, 14, 2, once=True),
            Offered(6, 0, 16),
        ]
        driven = run(LteMode4, params, packets, 100, seed=seed, n_nodes=1)
        slots = [sent.slot for sent in driven.sent if sent.packet in (0, 1)]
        assert len(slots) == len(set(slots)) == 2


@pytest.mark.parametrize(
    ("technology", "params"),
    [
        (LteMode4, LteMode4Params(n_subchannels=5, t2_ms=100)),
        (NrMode2, NrMode2Params(scs_khz=15)),
    ],
)
def test_a_new_grant_keeps_out_of_the_phase_of_an_event(technology: Any, params: Any) -> None:
    """Every 20 ms: one phase in 17 would sooner or later meet an event that waits up to 99 ms."""
    for seed in range(150):
        packets = [
            Offered(1, 0, 100, 2, once=True),
            *(Offered(2 + 20 * k, 0, 21 + 20 * k) for k in range(5)),
        ]
        driven = run(technology, params, packets, 130, seed=seed, n_nodes=1, period_ms=20)
        slots = [sent.slot for sent in driven.sent]
        assert len(slots) == len(set(slots)) == 6


def test_forgetting_clears_both() -> None:
    access, _ = make(LteMode4, LteMode4Params(n_subchannels=5), n_nodes=2, event_subchannels=1)
    access.enqueue(10, 1, 7, 109, 5)
    access.enqueue_once(10, 1, 8, 59, 2)
    assert [access.forget(1) for _ in range(3)] == [7, 8, -1]
    assert all(len(access.transmissions(slot)[0]) == 0 for slot in range(11, 300))


def test_an_event_is_selected_as_a_single_transmission() -> None:
    """C_resel 1: what comes back only behind the window excludes nothing.

    A reservation of 1000 ms heard in n - 560 returns in n + 440: with grants of 100 ms and C_resel
    50 it stands in the way of n + 40, for one transmission it does not.
    """
    params = LteMode4Params(n_subchannels=1, subchannel_rb=50)
    access, history = make(LteMode4, params, n_nodes=1, event_subchannels=1)
    n = 2000
    window = history.words.shape[1]
    heard = [reservation(n - 560, 0, period_ms=1000)]
    Sensed(n_subchannels=1, window=window, heard=heard).write(history, 0)
    chosen: dict[bool, set[int]] = {True: set(), False: set()}
    for identity in range(800):
        access.bind(np.array([identity], dtype=np.uint32))
        for once in (True, False):
            enqueue = access.enqueue_once if once else access.enqueue
            enqueue(n + 1, 0, identity, n + 100, 2)
            assert access.forget(0) == identity
            chosen[once].add(int(access._chosen[0]))
    assert chosen[True] - chosen[False] == {n + 40}
