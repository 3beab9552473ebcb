"""How long a resource is held: TS 36.321 5.14.1.1."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.access.sidelink_sps import reselection_counter_range

from ...access_loop import Driven, Offered, Sent, drive, make, periodic


def runs(driven: Driven) -> NDArray[np.int64]:
    """Return how many messages each finished grant carried: until no reservation is announced."""
    lengths = []
    for sent in driven.initial().values():
        last = [k for k, transmission in enumerate(sent) if transmission.reservation_ms == 0]
        lengths.extend(np.diff([-1, *last]).tolist())
    return np.array(lengths, dtype=np.int64)


def held(
    period_ms: int, keep: float, n_nodes: int, n_messages: int, seed: int = 1
) -> tuple[Driven, LteMode4Params]:
    """Drive nodes that always have a packet."""
    params = LteMode4Params(keep_probability=keep, t2_ms=min(period_ms, 100))
    technology, _ = make(LteMode4, params, n_nodes=n_nodes, period_ms=period_ms, seed=seed)
    budget = min(period_ms, 100)
    packets = periodic(n_nodes, n_messages, period_ms, budget)
    return drive(technology, packets, n_messages * period_ms), params


@pytest.mark.parametrize(
    ("period_ms", "low", "high"),
    [(1000, 5, 15), (200, 5, 15), (100, 5, 15), (50, 10, 30), (20, 25, 75)],
)
def test_counter_ranges(period_ms: int, low: int, high: int) -> None:
    assert reselection_counter_range(period_ms) == (low, high)


@pytest.mark.parametrize(("period_ms", "mean"), [(100, 10), (50, 20), (20, 50)])
def test_grants_carry_as_many_messages_as_the_counter_says(period_ms: int, mean: int) -> None:
    """RC is uniform on mean / 2 ... 3 mean / 2, so each length comes up equally often.

    Only the first grant of each node is looked at, because a run cut off by the end would favour
    short ones. Chi square stays within four standard deviations of its mean.
    """
    low, high = mean // 2, 3 * mean // 2
    n_nodes = 1200
    driven, _ = held(period_ms, 0.0, n_nodes, high + 1)
    first_runs = np.array(
        [
            next(k for k, sent in enumerate(sent_by_node, start=1) if sent.reservation_ms == 0)
            for sent_by_node in driven.initial().values()
        ]
    )
    assert len(first_runs) == n_nodes
    values, counts = np.unique(first_runs, return_counts=True)
    assert values.tolist() == list(range(low, high + 1))
    spread = math.sqrt(((high - low + 1) ** 2 - 1) / 12.0)
    assert abs(first_runs.mean() - mean) < 4.0 * spread / math.sqrt(n_nodes)
    expected = n_nodes / len(values)
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    degrees = len(values) - 1
    assert chi_square < degrees + 4.0 * math.sqrt(2.0 * degrees)


@pytest.mark.parametrize(("keep", "n_messages"), [(0.0, 120), (0.4, 200), (0.8, 500)])
def test_keeping_prolongs_grants_geometrically(keep: float, n_messages: int) -> None:
    """A grant carries N counters, N geometric: mean 10 / (1 - keep) messages.

    The rate at which grants end is counted, which a finite run does not bias after a warm-up of
    one mean grant: n messages hold n (1 - keep) / 10 ends. By renewal theory their number has the
    variance n Var(run) / mean³, with Var(run) = E[N] Var(RC) + Var(N) E[RC]², Var(RC) = 10.
    """
    n_nodes = 60
    mean = 10.0 / (1.0 - keep)
    variance = 10.0 / (1.0 - keep) + keep / (1.0 - keep) ** 2 * 100.0
    driven, _ = held(100, keep, n_nodes, n_messages)
    warm = 3 * round(mean)
    n_ends = n_counted = 0
    for sent in driven.initial().values():
        n_counted += len(sent[warm:])
        n_ends += sum(transmission.reservation_ms == 0 for transmission in sent[warm:])
    assert n_counted > 0.9 * n_nodes * (n_messages - warm)
    bound = 4.0 * math.sqrt(n_counted * variance / mean**3)
    assert abs(n_ends - n_counted / mean) < bound
    assert bound < 0.2 * n_counted / mean


def test_keeping_for_ever() -> None:
    driven, _ = held(100, 1.0, 20, 60)
    assert len(runs(driven)) == 0
    assert all(len({s.slot % 100 for s in sent}) == 1 for sent in driven.initial().values())


def test_a_grant_recurs_every_period_on_its_subchannels() -> None:
    """All messages of a grant sit in the same slot of the period and the same subchannels."""
    driven, params = held(100, 0.0, 50, 40)
    n_changes = 0
    for sent in driven.initial().values():
        for before, after in itertools.pairwise(sent):
            if before.reservation_ms:
                assert before.reservation_ms == 100
                assert after.slot == before.slot + 100
                assert after.first_subchannel == before.first_subchannel
            else:
                n_changes += (after.slot - before.slot, after.first_subchannel) != (
                    100,
                    before.first_subchannel,
                )
    # A fresh choice hits the old resource in 1 of 970 cases.
    assert n_changes > 0.95 * len(runs(driven))
    assert {s.first_subchannel for s in driven.sent} == set(range(params.n_subchannels))


def test_periods_of_applications_take_the_longest_fitting_reservation() -> None:
    assert [LteMode4Params().period_ms(p) for p in (1, 20, 49, 50, 99, 100, 250, 1000, 5000)] == [
        20,
        20,
        20,
        50,
        50,
        100,
        200,
        1000,
        1000,
    ]


@pytest.mark.parametrize("period_ms", [20, 50, 100, 300])
def test_the_period_is_announced(period_ms: int) -> None:
    driven, _ = held(period_ms, 0.4, 20, 80)
    announced = {sent.reservation_ms for sent in driven.sent}
    assert announced == {0, period_ms}


def returns_to_its_resource(
    n_unused: int, reselect_after: int, *, period_ms: int = 100, n_nodes: int = 200
) -> float:
    """Return the share of nodes that still use their grant after `n_unused` opportunities.

    Every node sends one packet and then has none for `n_unused` periods. Keeping for certain
    takes the counter out of the game.
    """
    params = LteMode4Params(keep_probability=1.0, reselect_after=reselect_after)
    technology, _ = make(LteMode4, params, n_nodes=n_nodes, period_ms=period_ms)
    first = periodic(n_nodes, 1)
    later = [
        Offered(packet.slot + (n_unused + 1) * period_ms, packet.node, packet.deadline_slot + 10**6)
        for packet in first
    ]
    driven = drive(technology, [*first, *later], 20 * period_ms + 200)
    again: list[tuple[Sent, Sent]] = [(s[0], s[1]) for s in driven.initial().values()]
    assert len(again) == n_nodes
    same = [
        b.slot == a.slot + (n_unused + 1) * period_ms and b.first_subchannel == a.first_subchannel
        for a, b in again
    ]
    return float(np.mean(same))


@pytest.mark.parametrize("reselect_after", [1, 2, 5, 9])
def test_unused_opportunities_end_a_grant(reselect_after: int) -> None:
    """sl-ReselectAfter: one fewer leaves the grant, as many end it."""
    assert returns_to_its_resource(reselect_after - 1, reselect_after) == 1.0
    # A fresh choice hits the old resource in 1 of 970 cases.
    assert returns_to_its_resource(reselect_after, reselect_after) < 0.05


@pytest.mark.parametrize(("period_ms", "n_allowed"), [(200, 4), (500, 1)])
def test_a_second_without_transmission_ends_a_grant(period_ms: int, n_allowed: int) -> None:
    """Neither transmission nor retransmission during the last second: reselect (5.14.1.1).

    With 500 ms the opportunities 500 and 1000 ms after the last transmission pass unused; the
    third would come after more than a second of silence.
    """
    assert returns_to_its_resource(n_allowed, 9, period_ms=period_ms) == 1.0
    assert returns_to_its_resource(1000 // period_ms, 9, period_ms=period_ms) < 0.05


def test_used_opportunities_start_the_count_again() -> None:
    """Every second opportunity is used: a grant that ends after two unused ones goes on."""
    params = LteMode4Params(keep_probability=1.0, reselect_after=2)
    technology, _ = make(LteMode4, params, n_nodes=100)
    packets = periodic(100, 20, period=200, budget=100)
    driven = drive(technology, packets, 4000)
    assert all(len({s.slot % 100 for s in sent}) == 1 for sent in driven.initial().values())


def test_counters_run_on_unused_opportunities() -> None:
    """RC counts opportunities: with every second one used, a grant carries half the messages.

    Of RC = 5 ... 15 opportunities the 1st, 3rd, ... carry a message; the last message announces
    no reservation only if it falls on the last opportunity.
    """
    params = LteMode4Params(keep_probability=0.0)
    technology, _ = make(LteMode4, params, n_nodes=400)
    driven = drive(technology, periodic(400, 12, period=200, budget=100), 2400)
    lengths = []
    for sent in driven.initial().values():
        place = [(s.slot % 100, s.first_subchannel) for s in sent]
        lengths.append(next((k for k, p in enumerate(place) if p != place[0]), len(place)))
    assert set(lengths) == {3, 4, 5, 6, 7, 8}
    # ceil(RC / 2) has the mean 58 / 11 and variance 2.56.
    assert abs(np.mean(lengths) - 58.0 / 11.0) < 4.0 * math.sqrt(2.56 / len(lengths)) + 0.02
