"""The central scheduler: delays, reuse, half duplex, reviews."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.access.base import AccessContext
from v2x.access.scheduling.params import ScheduledParams
from v2x.access.scheduling.scheduled import Scheduled

from ...access_loop import Driven, Offered, drive, make, periodic


def build(
    n_nodes: int, x_m: Any = 0.0, *, width: int = 1, period_ms: int = 100, **params: Any
) -> Scheduled:
    """Return a scheduler with five subchannels that knows where its vehicles are."""
    built, _ = make(
        Scheduled,
        ScheduledParams(**({"n_subchannels": 5} | params)),
        n_nodes=n_nodes,
        grant_subchannels=width,
        period_ms=period_ms,
    )
    x = np.array(np.broadcast_to(x_m, n_nodes), dtype=np.float64)
    built.locate(x, np.zeros(n_nodes))
    scheduler: Scheduled = built
    return scheduler


def resources(driven: Driven, period: int = 1) -> dict[int, tuple[int, int]]:
    """Return (slot of the period, first subchannel) of the n-th message of each node."""
    return {
        node: (sent[period].slot % 100, sent[period].first_subchannel)
        for node, sent in driven.initial().items()
    }


@pytest.mark.parametrize(
    ("request_ms", "grant_ms", "first"), [(0.0, 0.0, 10), (4.0, 4.0, 18), (2.5, 0.1, 14)]
)
def test_the_first_message_waits_for_request_and_grant(
    request_ms: float, grant_ms: float, first: int
) -> None:
    """Delays are rounded up to slots; the next messages find the grant there, at once."""
    scheduler = build(1, request_ms=request_ms, grant_ms=grant_ms)
    packets = [Offered(10 + 100 * k, 0, 109 + 100 * k) for k in range(3)]
    assert [sent.slot for sent in drive(scheduler, packets, 400).sent] == [
        first,
        first + 100,
        first + 200,
    ]


def test_nothing_is_announced() -> None:
    (sent,) = drive(build(1), [Offered(0, 0, 99)], 100).sent
    assert (sent.reservation_ms, sent.attempt, sent.n_attempts, sent.gap_slots) == (0, 0, 1, 0)


@pytest.mark.parametrize(("width", "n_nodes"), [(1, 500), (2, 200), (3, 100), (5, 100)])
def test_as_many_vehicles_as_resources_share_none(width: int, n_nodes: int) -> None:
    scheduler = build(n_nodes, width=width)
    packets = [Offered(node % 50, node, node % 50 + 107) for node in range(n_nodes)]
    packets += [Offered(p.slot + 200, p.node, p.deadline_slot + 200) for p in packets]
    driven = drive(scheduler, sorted(packets, key=lambda p: (p.slot, p.node)), 600)
    found = resources(driven)
    assert len(set(found.values())) == len(found) == n_nodes


def test_neighbours_share_no_slot_while_there_are_others() -> None:
    """They would not hear each other: 100 vehicles, 100 slots, though 500 resources."""
    scheduler = build(100)
    driven = drive(scheduler, periodic(100, 3, budget=110), 500)
    assert len({slot for slot, _ in resources(driven).values()}) == 100


def test_the_soonest_of_equal_resources() -> None:
    scheduler = build(3)
    driven = drive(scheduler, [Offered(20, node, 119) for node in range(3)], 200)
    assert sorted(sent.slot for sent in driven.sent) == [28, 29, 30]


@pytest.mark.parametrize(("apart_m", "shared"), [(999.0, False), (1000.0, True)])
def test_resources_are_reused_from_the_reuse_distance_on(apart_m: float, shared: bool) -> None:
    scheduler = build(2, [0.0, apart_m])
    driven = drive(scheduler, [Offered(20, node, 119) for node in range(2)], 200)
    first, second = ((s.slot, s.first_subchannel) for s in driven.sent)
    assert (first == second) == shared


def test_a_road_without_ends_is_a_circle() -> None:
    params = ScheduledParams(n_subchannels=5)
    _, history = make(Scheduled, params, n_nodes=2)
    scheduler = Scheduled(
        params,
        AccessContext(
            n_nodes=2,
            pool=params.resource_pool(),
            history=history,
            noise_mw=1e-9,
            grant_subchannels=1,
            period_ms=100,
            seed=1,
            wrap_length_m=2400.0,
        ),
    )
    scheduler.locate(np.array([100.0, 2300.0]), np.zeros(2))  # 200 m across the seam
    driven = drive(scheduler, [Offered(20, node, 119) for node in range(2)], 200)
    assert driven.sent[0].slot != driven.sent[1].slot


def test_a_full_pool_reuses_what_is_farthest() -> None:
    """Ten vehicles 50 m apart hold all ten resources; one more before the first shares the last."""
    x_m = [*(50.0 * np.arange(10)), -10.0]
    scheduler = build(11, x_m, period_ms=10, n_subchannels=1, subchannel_rb=50)
    packets = [Offered(20 + node, node, 119) for node in range(11)]
    driven = drive(scheduler, packets, 200)
    phase = {sent.node: sent.slot % 10 for sent in driven.sent}
    assert len({phase[node] for node in range(10)}) == 10
    assert phase[10] == phase[9]


def test_those_who_must_share_a_slot_overlap_least() -> None:
    """One slot, five subchannels, three each: the two who are nearest take the two edges."""
    scheduler = build(3, [0.0, 200.0, 5000.0], period_ms=1, width=3)
    driven = drive(scheduler, [Offered(20 + node, node, 119) for node in range(3)], 200)
    starts = {sent.node: sent.first_subchannel for sent in driven.sent}
    assert {starts[0], starts[1]} == {0, 2}


def test_those_who_leave_release_their_resource() -> None:
    scheduler = build(2)
    (before,) = drive(scheduler, [Offered(20, 0, 119)], 100).sent
    assert scheduler.forget(0) == -1
    driven = drive(scheduler, [Offered(120, 1, 219)], 300, start=100)
    ((after),) = driven.sent
    assert (after.node, after.slot % 100, after.first_subchannel) == (1, before.slot, 0)


def test_a_grant_that_comes_too_late_is_asked_for_anew() -> None:
    """The grant is in slot 28 of each 100; a packet of slot 30 with 20 ms cannot wait for it."""
    scheduler = build(1)
    packets = [Offered(20, 0, 119), Offered(130, 0, 150), Offered(230, 0, 250)]
    assert [sent.slot for sent in drive(scheduler, packets, 400).sent] == [28, 138, 238]


def test_a_packet_too_urgent_for_any_grant_is_dropped() -> None:
    driven = drive(build(1), [Offered(20, 0, 24)], 200)
    assert (driven.sent, [packet for _, packet in driven.dropped]) == ([], [0])


def meet(review_ms: float) -> tuple[Driven, Driven]:
    """Let two vehicles that share a resource at 2 km come within 100 m."""
    scheduler = build(2, [0.0, 2000.0], review_ms=review_ms)
    apart = drive(scheduler, periodic(2, 3, first=20), 300)
    scheduler.locate(np.array([0.0, 100.0]), np.zeros(2))
    near = drive(scheduler, periodic(2, 3, first=320), 700, start=300)
    return apart, near


def test_a_review_parts_those_who_have_come_close() -> None:
    apart, near = meet(100.0)
    assert len(set(resources(apart).values())) == 1
    assert len(set(resources(near).values())) == 2
    assert len(near.sent) == 6
    _, unreviewed = meet(10_000.0)
    assert len(set(resources(unreviewed).values())) == 1


@pytest.mark.parametrize(("met_in", "parted"), [(300, True), (327, False)])
def test_a_review_does_not_make_a_waiting_packet_late(met_in: int, parted: bool) -> None:
    """Both have a packet for slot 328 and until 330: each goes in time and once.

    A new grant counts from four slots after the review, so in slot 327 it is too late for one.
    """
    scheduler = build(2, [0.0, 2000.0], review_ms=100.0)
    drive(scheduler, periodic(2, 3, first=20), 300)
    for node in range(2):
        scheduler.enqueue(300, node, 10 + node, 330, 5)
    assert len(scheduler.transmissions(met_in)[0]) == 0
    scheduler.locate(np.array([0.0, 100.0]), np.zeros(2))
    driven = drive(scheduler, [], 500, start=met_in + 1)
    assert sorted(sent.packet for sent in driven.sent) == [10, 11]
    assert all(sent.slot <= 330 for sent in driven.sent)
    assert (len({(sent.slot, sent.first_subchannel) for sent in driven.sent}) == 2) == parted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reuse_distance_m": 0.0}, "reuse_distance_m must be within 0.001 and 1000000, got 0"),
        ({"reuse_distance_m": 1e-300}, "reuse_distance_m must be within"),
        ({"reuse_distance_m": 1e300}, "reuse_distance_m must be within"),
        ({"review_ms": -1.0}, "review_ms must be within"),
        ({"review_ms": 1e307}, "review_ms must be within"),
        ({"request_ms": -1.0}, "request_ms must be within"),
        ({"grant_ms": 2000.0}, "grant_ms must be within"),
        ({"n_subchannels": 0}, "n_subchannels must be within"),
        ({"radio": "wifi"}, "radio must be one of"),
        ({"grant": "sps"}, "grant must be one of"),
        ({"grant": "configured-1"}, "grant 'configured-1' needs another radio than 'lte'"),
        ({"scs_khz": 15}, "scs_khz needs radio 'nr'"),
        ({"radio": "nr", "adjacent": False}, "adjacent needs radio 'lte'"),
        ({"radio": "nr", "subchannel_rb": 11}, "subchannel_rb must be one of"),
        ({"sr_period_ms": -1.0}, "sr_period_ms must be within"),
        ({"coverage": "half"}, "coverage must be one of"),
        ({"coverage_range_m": 0.0}, "coverage_range_m must be within"),
        ({"coverage_range_m": 1e300}, "coverage_range_m must be within"),
        ({"out_of_coverage": "shout"}, "out_of_coverage must be one of"),
        ({"exceptional_subchannels": 10}, "exceptional_subchannels must"),
        ({"t1_ms": 50.0, "t2_ms": 40.0}, r"^t1_ms must be at least 0 and below t2_ms \(40"),
        ({"t2_ms": 1001.0}, "at most 1000"),
    ],
)
def test_impossible_values(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScheduledParams(**changes)
