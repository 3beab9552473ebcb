"""Blind retransmissions: TS 36.213 14.1.1.7."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.random_access import RandomAccess, RandomAccessParams

from ...access_loop import Driven, Offered, Sent, drive, make, periodic
from .by_hand import IDLE_MW, Request, Selector, Sensed

TECHNOLOGIES = [
    (LteMode4, LteMode4Params(blind_retransmissions=1, keep_probability=0.0)),
    (RandomAccess, RandomAccessParams(blind_retransmissions=1)),
]


def attempts(driven: Driven) -> dict[int, list[Sent]]:
    by_packet: dict[int, list[Sent]] = defaultdict(list)
    for sent in driven.sent:
        by_packet[sent.packet].append(sent)
    return by_packet


def late_packets(n_nodes: int, n_each: int, jitter: int) -> list[Offered]:
    """Return packets every 100 slots, each late by up to `jitter` slots."""
    late = np.random.default_rng(3).integers(0, jitter + 1, n_nodes * n_each).tolist()
    return [
        Offered(p.slot + by, p.node, p.deadline_slot + by)
        for p, by in zip(periodic(n_nodes, n_each), late, strict=True)
    ]


@pytest.mark.parametrize(("technology", "params"), TECHNOLOGIES)
def test_every_packet_goes_out_twice_within_15_slots(technology: Any, params: Any) -> None:
    """0 < gap <= 15, and each control information points at the other transmission."""
    built, _ = make(technology, params, n_nodes=60, grant_subchannels=2)
    packets = periodic(60, 30)
    driven = drive(built, packets, 3200)
    by_packet = attempts(driven)
    assert len(by_packet) == len(packets)
    gaps = []
    for first, second in by_packet.values():
        gap = second.slot - first.slot
        gaps.append(gap)
        assert (first.attempt, second.attempt) == (0, 1)
        assert first.n_attempts == second.n_attempts == 2
        assert (first.gap_slots, second.gap_slots) == (gap, -gap)
        assert first.other_subchannel == second.first_subchannel
        assert second.other_subchannel == first.first_subchannel
        assert first.reservation_ms == second.reservation_ms
        assert first.n_subchannels == second.n_subchannels == 2
    assert set(gaps) == set(range(1, 16))


@pytest.mark.parametrize(("technology", "params"), TECHNOLOGIES)
def test_initial_transmissions_stay_in_the_window(technology: Any, params: Any) -> None:
    """Both transmissions lie in [n + T1, n + T2]; both ends are reached."""
    built, _ = make(technology, params, n_nodes=2000)
    driven = drive(built, periodic(2000, 1), 200)
    slots = {sent.slot for sent in driven.sent}
    assert slots == set(range(-1 + 4, -1 + 100 + 1))


def test_a_grant_repeats_its_pair_every_period() -> None:
    built, _ = make(LteMode4, LteMode4Params(blind_retransmissions=1), n_nodes=40)
    driven = drive(built, periodic(40, 40), 4200)
    for node in range(40):
        pair = {0: None, 1: None}
        for sent in driven.of(node):
            place = (sent.slot % 100, sent.first_subchannel, sent.gap_slots)
            if pair[sent.attempt] is not None:
                assert place == pair[sent.attempt]
            pair[sent.attempt] = place if sent.reservation_ms else None


@pytest.mark.parametrize(("technology", "params"), TECHNOLOGIES)
@pytest.mark.parametrize("jitter", [0, 17, 60])
def test_no_retransmission_is_forgotten(technology: Any, params: Any, jitter: int) -> None:
    """A packet announced with two transmissions gets both, also at the end of its grant.

    The initial transmission sits up to 100 slots after the packet and its repetition 15 later, so
    the repetition may be due when the next packet has already chosen a resource.
    """
    built, _ = make(technology, params, n_nodes=400)
    driven = drive(built, late_packets(400, 40, jitter), 40 * 100 + 300)
    incomplete = [
        sent[0].packet for sent in attempts(driven).values() if len(sent) != sent[0].n_attempts
    ]
    assert incomplete == []


@pytest.mark.parametrize(("technology", "params"), TECHNOLOGIES)
def test_never_two_transmissions_of_a_node_in_a_slot(technology: Any, params: Any) -> None:
    """Not even when a new resource is chosen while an older packet is still to be repeated.

    Right after its first transmission each node gets an urgent packet, which cannot wait for the
    next period. About one in 17 would choose the slot of the pending repetition.
    """
    params = replace(params, t1_ms=1, t2_ms=20)
    ordinary = periodic(400, 1)
    built, _ = make(technology, params, n_nodes=400)
    first = {node: sent[0].slot for node, sent in drive(built, ordinary, 100).initial().items()}
    urgent = [Offered(slot + 1, node, slot + 19) for node, slot in first.items()]
    built, _ = make(technology, params, n_nodes=400)
    driven = drive(built, [*ordinary, *urgent], 400)
    places = [(sent.slot, sent.node) for sent in driven.sent]
    assert len(places) == len(set(places))
    assert {sent.packet for sent in driven.sent} == set(range(800))


def test_the_retransmission_is_chosen_uniformly_within_reach() -> None:
    """From the other members of S_B within 15 slots; the pair is put in the order of time.

    With everything in S_B, a resource in the middle of the window has 30 other slots of 5
    subchannels. Chi square over those 30 offsets stays within four standard deviations. Later
    slots are louder, so that an order of S_B by energy is one by time.
    """
    request = Request(n=2000, keep_ratio=1.0, reach=15)
    louder = {1900 + y: [IDLE_MW * (1.0 + 0.01 * y)] * 5 for y in range(100)}
    selector = Selector(Sensed(s_rssi_mw=louder), request)
    middle = range(2000 + 4 + 15, 2000 + 100 - 15 + 1)
    offsets: list[int] = []
    centres: list[float] = []
    for identity in range(12_000):
        first, x, second, other = selector.choose(identity).tolist()
        assert first < second <= first + 15
        assert 0 <= x < 5
        assert 0 <= other < 5
        centres.append((first + second) / 2.0)
        if first in middle and second in middle:
            offsets.append(second - first)
    counts = np.bincount(offsets, minlength=16)[1:]
    # Pairs `gap` apart with both ends in the middle: one fewer for each slot of distance.
    weight = len(middle) - np.arange(1, 16)
    expected = len(offsets) * weight / weight.sum()
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    assert chi_square < 14 + 4.0 * np.sqrt(2 * 14)
    # Neither earlier nor later slots are preferred: the window is symmetric about its middle.
    assert abs(np.mean(centres) - (2000 + 52)) < 4.0 * np.std(centres) / np.sqrt(len(centres))


def test_without_a_second_resource_the_packet_goes_out_once() -> None:
    """S_B holds one slot only: there is nothing to repeat on."""
    quiet = {2040 - 100 * k: [1e-12] * 5 for k in range(1, 11)}
    loud = {slot: [1e-8] * 5 for slot in range(1000, 2000)} | quiet
    chosen = Selector(
        Sensed(s_rssi_mw=loud), Request(n=2000, keep_ratio=5 / 485, reach=15)
    ).choose()
    assert chosen[0] == 2040
    assert chosen[2:].tolist() == [-1, -1]


def test_without_blind_retransmissions_there_are_none() -> None:
    built, _ = make(LteMode4, n_nodes=50)
    driven = drive(built, periodic(50, 20), 2200)
    assert {(s.n_attempts, s.attempt, s.gap_slots) for s in driven.sent} == {(1, 0, 0)}
