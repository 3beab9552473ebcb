"""Grants of the scheduler by radio and kind, and what happens where nobody gives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.access.base import AccessContext
from v2x.access.scheduling.params import ScheduledParams
from v2x.access.scheduling.scheduled import Scheduled
from v2x.errors import V2XError

from ...access_loop import Driven, Offered, drive, make, periodic


def build(
    n_nodes: int = 1,
    x_m: Any = 0.0,
    *,
    sites_m: dict[str, list[float]] | None = None,
    width: int = 1,
    wrap_m: float = 0.0,
    **params: Any,
) -> Scheduled:
    """Return a scheduler whose vehicles are on the x axis, as are the sites."""
    wanted = ScheduledParams(**({"n_subchannels": 5} | params))
    _, history = make(Scheduled, ScheduledParams(radio=wanted.radio), n_nodes=n_nodes)
    scheduler = Scheduled(
        wanted,
        AccessContext(
            n_nodes=n_nodes,
            pool=wanted.resource_pool(),
            history=history,
            noise_mw=1e-9,
            grant_subchannels=width,
            period_ms=100,
            seed=1,
            wrap_length_m=wrap_m,
            sites_m={k: np.array((x, np.zeros(len(x)))) for k, x in (sites_m or {}).items()},
        ),
    )
    scheduler.bind(np.arange(n_nodes, dtype=np.uint32))
    scheduler.locate(np.array(np.broadcast_to(x_m, n_nodes), dtype=float), np.zeros(n_nodes))
    return scheduler


def slots(driven: Driven) -> list[int]:
    return [sent.slot for sent in driven.sent]


# --- mode 1 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scs_khz", "request_ms", "grant_ms"),
    [
        # 3 slots + N2 + 2 N1, and 1 slot + N2; symbols of (2048 + 144) / 2048 / scs ms
        (15, 3.0 + (10 + 2 * 8) * 1.0703125 / 15, 1.0 + 10 * 1.0703125 / 15),
        (30, 1.5 + (12 + 2 * 10) * 1.0703125 / 30, 0.5 + 12 * 1.0703125 / 30),
        (60, 0.75 + (23 + 2 * 17) * 1.0703125 / 60, 0.25 + 23 * 1.0703125 / 60),
    ],
)
def test_delays_of_nr_follow_from_the_subcarrier_spacing(
    scs_khz: int, request_ms: float, grant_ms: float
) -> None:
    """N1 and N2 of TS 38.214 5.3 and 6.4, capability 1: 0.571/0.357/0.303 and 0.714/0.428/0.410."""
    params = ScheduledParams(radio="nr", scs_khz=scs_khz, n_subchannels=1)
    assert params.delays_ms() == pytest.approx((request_ms, grant_ms))
    assert ScheduledParams(radio="nr", request_ms=1.0, grant_ms=2.0).delays_ms() == (1.0, 2.0)


@pytest.mark.parametrize(
    ("grant", "expected"),
    [
        # request 2.64 ms and grant 0.93 ms are six and two slots of 500 µs
        ("configured-1", [10, 210, 410]),
        ("configured-2", [18, 218, 418]),
        ("dynamic", [18, 218, 418]),
    ],
)
def test_each_kind_of_grant_of_mode_1(grant: str, expected: list[int]) -> None:
    """Type 1 waits for nothing, type 2 once, dynamic grants each time."""
    packets = [Offered(10 + 200 * k, 0, 209 + 200 * k) for k in range(3)]
    assert slots(drive(build(radio="nr", grant=grant), packets, 800)) == expected


def test_a_configured_grant_recurs_where_messages_come_late() -> None:
    """Messages 40 slots late wait for the next opportunity; dynamic grants are asked for anew."""
    packets = [Offered(10, 0, 209), Offered(250, 0, 449)]
    assert slots(drive(build(radio="nr"), packets, 800)) == [18, 418]
    assert slots(drive(build(radio="nr", grant="dynamic"), packets, 800)) == [18, 258]


def test_a_dynamic_grant_is_gone_when_it_is_used() -> None:
    """Two vehicles one after the other get the same slot of the period, where two beside do not."""
    scheduler = build(2, radio="nr", grant="dynamic")
    packets = [Offered(10, 0, 209), Offered(210, 1, 409)]
    assert [slot % 200 for slot in slots(drive(scheduler, packets, 800))] == [18, 18]
    scheduler = build(2, radio="nr", grant="dynamic")
    packets = [Offered(10, 0, 209), Offered(10, 1, 209)]
    assert [slot % 200 for slot in slots(drive(scheduler, packets, 800))] == [18, 19]


def test_requests_wait_for_their_opportunity() -> None:
    """Every vehicle has one in each period, with a phase of its own: waits are spread over it."""
    scheduler = build(200, sr_period_ms=10.0, grant="dynamic", reuse_distance_m=1e-3)
    packets = [Offered(20, node, 119) for node in range(200)]
    waits = np.array([sent.slot - 28 for sent in drive(scheduler, packets, 200).sent])
    assert set(waits.tolist()) == set(range(10))
    # uniform on 0..9: mean 4.5, sigma of the mean 2.87 / sqrt(200)
    assert abs(waits.mean() - 4.5) < 4 * 2.87 / np.sqrt(200)
    again = drive(scheduler, [Offered(220, node, 319) for node in range(200)], 400, start=200)
    assert [s.slot - 200 for s in again.sent] == [wait + 28 for wait in sorted(waits)]


def test_a_review_by_rrc_takes_longer_than_by_dci() -> None:
    """After a change the new place counts from 10 ms on (RRC), or from one slot and N2 on (DCI)."""

    def first_changed(grant: str) -> int:
        scheduler = build(2, [0.0, 2000.0], radio="nr", grant=grant, review_ms=100.0)
        apart = drive(scheduler, periodic(2, 2, period=200, budget=199), 400)
        assert len({slot % 200 for slot in slots(apart)}) == 1
        scheduler.transmissions(400)
        scheduler.locate(np.array([0.0, 50.0]), np.zeros(2))
        return int(scheduler._from_slot.max()) - 400

    assert first_changed("configured-1") == 20
    assert first_changed("configured-2") == 2


def test_grants_hold_events_too() -> None:
    """They are as wide as the widest of both, and so is what goes without a grant."""
    params = ScheduledParams(n_subchannels=5, coverage="cells", out_of_coverage="random")
    _, history = make(Scheduled, n_nodes=2)
    scheduler = Scheduled(
        params,
        AccessContext(
            n_nodes=2,
            pool=params.resource_pool(),
            history=history,
            noise_mw=1e-9,
            grant_subchannels=2,
            event_subchannels=4,
            period_ms=100,
            seed=1,
            sites_m={"cells": np.zeros((2, 1))},
        ),
    )
    scheduler.bind(np.arange(2, dtype=np.uint32))
    scheduler.locate(np.array([0.0, 9000.0]), np.zeros(2))
    for sent in drive(scheduler, periodic(2, 5), 600).sent:
        assert (sent.n_subchannels, sent.first_subchannel in (0, 1)) == (4, True)


# --- coverage ---------------------------------------------------------------------------------


@pytest.mark.parametrize("coverage", ["roadside", "cells"])
def test_who_is_far_from_every_scheduler_is_silent(coverage: str) -> None:
    """300 m around sites at 0 and 2000 m; the packets of the others are out of budget, at once."""
    x_m = [0.0, 300.0, 301.0, 1699.0, 1700.0, 5000.0]
    sites = {coverage: [0.0, 2000.0]}
    scheduler = build(6, x_m, sites_m=sites, coverage=coverage, coverage_range_m=300.0)
    driven = drive(scheduler, periodic(6, 2, first=20), 300)
    assert {sent.node for sent in driven.sent} == {0, 1, 4}
    assert driven.dropped == [(20, 2), (20, 3), (20, 5), (120, 8), (120, 9), (120, 11)]


def test_coverage_reaches_over_the_seam_of_a_ring() -> None:
    for wrap_m, expected in ((2000.0, 1), (0.0, 0)):
        sites = {"roadside": [0.0]}
        scheduler = build(1, 1900.0, sites_m=sites, coverage="roadside", wrap_m=wrap_m)
        assert len(drive(scheduler, [Offered(20, 0, 119)], 200).sent) == expected


def test_who_leaves_coverage_leaves_its_place_to_others() -> None:
    sites = {"roadside": [0.0]}
    scheduler = build(2, [0.0, 0.0], sites_m=sites, coverage="roadside")
    drive(scheduler, [Offered(20, 0, 119)], 120)
    scheduler.locate(np.array([600.0, 0.0]), np.zeros(2))
    driven = drive(scheduler, [Offered(120, 0, 219), Offered(120, 1, 219)], 300, start=120)
    ((sent),) = driven.sent
    assert (sent.node, sent.slot, driven.dropped) == (1, 128, [(120, 0)])


@pytest.mark.parametrize("apart", [0, 2])
def test_the_exceptional_pool_is_drawn_from_uniformly(apart: int) -> None:
    """4 ms to the end of the budget, or of t2_ms; all subchannels, or those set apart."""
    n = 400
    scheduler = build(
        n,
        9000.0,
        sites_m={"roadside": [0.0]},
        coverage="roadside",
        out_of_coverage="random",
        exceptional_subchannels=apart,
        t2_ms=23.0,
    )
    packets = [*periodic(n, 1, first=20)]
    sent = drive(scheduler, packets, 200).sent
    wait = np.array([s.slot - 20 for s in sent])
    start = np.array([s.first_subchannel for s in sent])
    assert len(sent) == n
    assert (wait.min(), wait.max()) == (4, 23)
    assert set(start.tolist()) == ({3, 4} if apart else set(range(5)))
    # uniform on 20 slots: mean 13.5, sigma 5.77
    assert abs(wait.mean() - 13.5) < 4 * 5.77 / np.sqrt(n)
    short = drive(scheduler, [Offered(220, 0, 223), Offered(220, 1, 224)], 400, start=220)
    assert (slots(short), short.dropped) == ([224], [(220, 0)])


def test_grants_stay_out_of_the_exceptional_pool() -> None:
    scheduler = build(300, exceptional_subchannels=2)
    sent = drive(scheduler, periodic(300, 2), 300).sent
    assert {s.first_subchannel for s in sent} == {0, 1, 2}


def test_draws_belong_to_the_vehicle_and_not_to_its_row() -> None:
    def sent_by(identity: list[int]) -> dict[int, tuple[int, int]]:
        scheduler = build(
            2, 9000.0, sites_m={"cells": [0.0]}, coverage="cells", out_of_coverage="random"
        )
        scheduler.bind(np.array(identity, dtype=np.uint32))
        found = drive(scheduler, periodic(2, 1, first=20), 200).sent
        return {identity[s.node]: (s.slot, s.first_subchannel) for s in found}

    assert sent_by([7, 8]) == sent_by([8, 7])


@pytest.mark.parametrize(
    ("params", "width", "message"),
    [
        ({"coverage": "cells"}, 1, "'cells' should schedule, and the scenario has none"),
        ({"exceptional_subchannels": 1}, 2, "narrower than a grant of 2"),
        ({"exceptional_subchannels": 4}, 2, "narrower than a grant of 2"),
    ],
)
def test_what_does_not_fit_the_scenario(params: dict[str, Any], width: int, message: str) -> None:
    with pytest.raises(V2XError, match=message):
        build(1, width=width, **params)
