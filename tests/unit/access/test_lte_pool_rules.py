"""What an LTE pool prescribes: periods, T2min, thresholds by pairs, sizes of subchannels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from v2x.access.lte_mode4 import RESERVATION_PERIODS_MS, LteMode4, LteMode4Params
from v2x.access.sidelink_sps import reselection_counter_range
from v2x.phy.resource_pool import (
    RRC_NUMBERS,
    RRC_SIZES_ADJACENT,
    RRC_SIZES_APART,
    ResourcePool,
)

from ...access_loop import Offered, drive, make, periodic
from .by_hand import Sensed, reservation

ALL_POOLS = [
    (n, size, adjacent)
    for adjacent, sizes in ((True, RRC_SIZES_ADJACENT), (False, RRC_SIZES_APART))
    for size in sizes
    for n in RRC_NUMBERS
    if n * (size if adjacent else size + 2) <= 100
]


@pytest.mark.parametrize("period_ms", RESERVATION_PERIODS_MS)
def test_every_period_is_reserved_and_kept(period_ms: int) -> None:
    """TS 36.331 restrictResourceReservationPeriod: 0.2, 0.5, 1 to 10, in 100 ms.

    The counter runs from 5 to 15 opportunities, scaled by 100 / max(20, P) below 100 ms; while
    it runs, one resource recurs and is announced with the period.
    """
    low, high = reselection_counter_range(period_ms)
    scale = 100 // min(period_ms, 100)
    assert (low, high) == (5 * scale, 15 * scale)
    params = LteMode4Params(n_subchannels=5, keep_probability=0.0)
    access, _ = make(LteMode4, params, n_nodes=6, period_ms=period_ms)
    budget = min(period_ms, 100)
    packets = periodic(6, 3 * high, period=period_ms, budget=budget)
    driven = drive(access, packets, 3 * high * period_ms)
    for node in range(6):
        sent = driven.of(node)
        runs = np.split(sent, np.flatnonzero([s.reservation_ms == 0 for s in sent]) + 1)
        assert all(low <= len(run) <= high for run in runs[:-1])
        for run in runs[:-1]:
            slots, places = run[:, 0], run[:, 3]
            assert (np.diff(slots) == period_ms).all()
            assert len(set(places.tolist())) == 1
            assert set(run[:-1, 7].tolist()) == {period_ms}


def test_a_pool_that_restricts_periods_restricts_the_own_one() -> None:
    params = LteMode4Params(allowed_periods_ms=(50, 200))
    assert [params.period_ms(ms) for ms in (20, 50, 100, 199, 200, 1000)] == [
        50,
        50,
        50,
        50,
        200,
        200,
    ]
    with pytest.raises(ValueError, match="must be among allowed_periods_ms"):
        LteMode4Params(reservation_ms=100, allowed_periods_ms=(50, 200))
    with pytest.raises(ValueError, match="must have 1 to 16 values"):
        LteMode4Params(allowed_periods_ms=())


@pytest.mark.parametrize("period_ms", [20, 50, 100])
def test_unheard_slots_count_with_every_allowed_period(period_ms: int) -> None:
    """Step 5: own transmission in n - 10; what 20, 50 or 100 ms later may be taken is left out.

    20 ms: n + 10, n + 30, ... (Q = 5 while n - z <= 20), 50 ms: n + 40, n + 90, 100 ms: n + 90.
    """
    params = LteMode4Params(
        n_subchannels=1, subchannel_rb=50, allowed_periods_ms=(period_ms, 1000), reservation_ms=1000
    )
    access, history = make(LteMode4, params, n_nodes=1)
    n = 2000
    Sensed(n_subchannels=1, window=history.words.shape[1], own=[n - 10]).write(history, 0)
    chosen = choices(access, n)
    excluded = {20: {10, 30, 50, 70, 90}, 50: {40, 90}, 100: {90}}[period_ms]
    assert set(range(4, 101)) - chosen == excluded


def choices(access: Any, n: int, priority: int = 5, budget: int = 100) -> set[int]:
    """Return after how many slots resources are chosen, over many identities."""
    chosen = set()
    for identity in range(3000):
        access.bind(np.array([identity], dtype=np.uint32))
        access.enqueue(n + 1, 0, identity, n + budget, priority)
        access.forget(0)
        chosen.add(int(access._chosen[0]) - n)
    return chosen


@pytest.mark.parametrize(("priority", "last"), [(1, 10), (2, 12), (3, 20), (8, 20)])
def test_the_window_of_a_priority_ends_no_sooner_than_its_t2min(priority: int, last: int) -> None:
    """TS 36.213 14.1.1.6 step 1: T2min(prio) <= T2, of 20 where the pool says nothing."""
    params = LteMode4Params(
        n_subchannels=1, subchannel_rb=50, t2_ms=10, t2min_ms=(10, 12, 20, 20, 20, 20, 20, 20)
    )
    access, _ = make(LteMode4, params, n_nodes=1)
    assert choices(access, 2000, priority) == set(range(4, last + 1))


def test_t2_goes_below_20_only_where_the_pool_allows() -> None:
    with pytest.raises(ValueError, match="t2_ms must be within 20 and 100, got 10"):
        LteMode4Params(t2_ms=10)
    with pytest.raises(ValueError, match="t2_ms must be within 12 and 100, got 11"):
        LteMode4Params(t2_ms=11, t2min_ms=(12,) * 8)
    with pytest.raises(ValueError, match="t2min_ms must be 8 values within 10 and 20"):
        LteMode4Params(t2min_ms=(9,) * 8)


def thresholds(own: int, received: int, value_dbm: float) -> tuple[float, ...]:
    """Return a list of 64, -128 dBm but for one pair: i = (a - 1) 8 + b, counted from 1."""
    values = [-128.0] * 64
    values[(own - 1) * 8 + received - 1] = value_dbm
    return tuple(values)


@pytest.mark.parametrize(
    ("own", "received", "value_dbm", "stays"),
    [
        (5, 2, -80.0, True),  # heard at -90 dBm
        (5, 2, -100.0, False),
        (2, 5, -80.0, False),  # the pair the other way round
        (5, 2, math.inf, True),
        (5, 2, -math.inf, False),
    ],
)
def test_thresholds_belong_to_pairs_of_priorities(
    own: int, received: int, value_dbm: float, stays: bool
) -> None:
    """Steps 3 and 6: PPPP 5 heard PPPP 2 in n - 60, which reserves n + 40."""
    params = LteMode4Params(
        n_subchannels=1, subchannel_rb=50, pair_thresholds_dbm=thresholds(own, received, value_dbm)
    )
    access, history = make(LteMode4, params, n_nodes=1)
    n = 2000
    heard = [reservation(n - 60, 0, rsrp_dbm=-90.0, priority=2)]
    Sensed(n_subchannels=1, window=history.words.shape[1], heard=heard).write(history, 0)
    assert (40 in choices(access, n)) == stays


def test_a_list_of_thresholds_has_64() -> None:
    with pytest.raises(ValueError, match="pair_thresholds_dbm must have 64 values, got 8"):
        LteMode4Params(pair_thresholds_dbm=(-110.0,) * 8)


@pytest.mark.parametrize(("n", "size", "adjacent"), ALL_POOLS)
def test_every_pool_of_the_standard_serves(n: int, size: int, adjacent: bool) -> None:
    """10 and 20 MHz, PSCCH adjacent or apart: all transmissions lie within the pool."""
    params = LteMode4Params(
        n_subchannels=n, subchannel_rb=size, adjacent=adjacent, rrc_values_only=True
    )
    pool = params.resource_pool()
    assert pool.channel_rb >= pool.pool_rb
    assert (pool.bandwidth_mhz == 20) == (pool.pool_rb > 75)
    width = min(n, 2)
    access, _ = make(LteMode4, params, n_nodes=2, grant_subchannels=width)
    driven = drive(access, [Offered(1, 0, 100), Offered(1, 1, 100)], 120)
    assert len(driven.sent) == 2
    for sent in driven.sent:
        assert 0 <= sent.first_subchannel <= n - width
        pieces = pool.occupied(sent.first_subchannel, width)
        assert all(first >= 0 and first + rb <= pool.pool_rb for first, rb in pieces)
        assert len(pieces) == (1 if adjacent else 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_subchannels": 4, "subchannel_rb": 12}, "n_subchannels must be one of"),
        ({"n_subchannels": 5, "subchannel_rb": 12}, "subchannel_rb must be one of .* with an"),
        (
            {"n_subchannels": 3, "subchannel_rb": 25, "adjacent": False},
            "subchannel_rb must be one of .* without an",
        ),
        ({"keep_probability": 0.5}, "keep_probability must be 0, 0.2"),
        ({"initial_threshold_dbm": -109.0}, "thresholds must be -128, -126"),
        ({"pair_thresholds_dbm": (2.0,) * 64}, "thresholds must be -128, -126"),
    ],
)
def test_values_without_a_code_point_are_refused_on_request(
    changes: dict[str, Any], message: str
) -> None:
    LteMode4Params(**changes)
    with pytest.raises(ValueError, match=message):
        LteMode4Params(**changes, rrc_values_only=True)
    LteMode4Params(pair_thresholds_dbm=(-math.inf, math.inf) * 32, rrc_values_only=True)


def test_the_default_pool_has_code_points() -> None:
    ResourcePool(n_subchannels=10, subchannel_rb=10).check_rrc_values()
    LteMode4Params(rrc_values_only=True)
