"""Where subchannels, control and data sit in a channel, and how power fills them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4Params
from v2x.phy.in_band_emission import EmissionParams
from v2x.phy.resource_pool import CHANNEL_RB, PowerProfile, ResourcePool, power_profile
from v2x.phy.sensing_history import ControlInformation, SensingHistory, unpack
from v2x.phy.transport_block import pssch_rb

POOLS = [
    ResourcePool(n_subchannels=n, subchannel_rb=size, adjacent=adjacent)
    for n, size, adjacent in [
        (10, 10, True),
        (5, 20, True),
        (4, 12, True),
        (5, 10, True),
        (1, 50, True),
        (20, 5, True),
        (8, 10, False),
        (4, 12, False),
        (3, 30, False),
        (16, 4, False),
    ]
]


@pytest.mark.parametrize("pool", POOLS)
def test_blocks_fill_the_pool_once(pool: ResourcePool) -> None:
    """Control and data blocks of all subchannels tile the pool without overlap."""
    blocks = [
        block
        for s in range(pool.n_subchannels)
        for block in itertools.chain(pool.control_blocks(s), pool.data_blocks(s))
    ]
    assert sorted(blocks) == list(range(pool.pool_rb))
    assert all(len(pool.control_blocks(s)) == 2 for s in range(pool.n_subchannels))


def test_adjacent_layout() -> None:
    """TS 36.213 14.2.4: the PSCCH takes the two lowest blocks of the first subchannel."""
    pool = ResourcePool(n_subchannels=5, subchannel_rb=10)
    assert pool.control_blocks(3) == range(30, 32)
    assert pool.data_blocks(3) == range(32, 40)
    assert (pool.pool_rb, pool.measured_rb) == (50, (8, 2))


def test_non_adjacent_layout() -> None:
    """The PSCCH of subchannel m sits in blocks 2m and 2m + 1 of a pool of its own below."""
    pool = ResourcePool(n_subchannels=5, subchannel_rb=8, adjacent=False)
    assert pool.control_blocks(3) == range(6, 8)
    assert pool.data_blocks(3) == range(10 + 24, 10 + 32)
    assert (pool.pool_rb, pool.measured_rb) == (50, (8, 0))


@pytest.mark.parametrize(
    ("n", "size", "adjacent", "mhz"),
    [(5, 10, True, 10), (4, 12, True, 10), (10, 10, True, 20), (5, 10, False, 15), (5, 5, True, 5)],
)
def test_the_narrowest_channel_is_taken(n: int, size: int, adjacent: bool, mhz: int) -> None:
    params = LteMode4Params(n_subchannels=n, subchannel_rb=size, adjacent=adjacent)
    pool = params.resource_pool()
    assert pool.bandwidth_mhz == mhz
    assert pool.channel_rb == CHANNEL_RB[mhz]


@pytest.mark.parametrize(
    ("n", "size", "adjacent", "message"),
    [
        (0, 10, True, "n_subchannels must be within 1 and 20, got 0"),
        (21, 4, True, "n_subchannels must be within 1 and 20, got 21"),
        (5, 3, True, "subchannel_rb must be within 4 and 100, got 3"),
        (5, 101, True, "subchannel_rb must be within 4 and 100, got 101"),
        (10, 11, True, "need 110, but the widest channel"),
        (10, 9, False, "need 110, but the widest channel"),
    ],
)
def test_pools_that_no_channel_holds(n: int, size: int, adjacent: bool, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LteMode4Params(n_subchannels=n, subchannel_rb=size, adjacent=adjacent)


def profile(pool: ResourcePool, **options: object) -> PowerProfile:
    wanted = {"mcs": 7, "control_boost_db": 3.0, "tx_power_dbm": 23.0, "emission": None}
    return power_profile(pool, **(wanted | options))  # type: ignore[arg-type]


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("boost_db", [None, 0.0, 3.0])
def test_control_and_data_share_the_power(pool: ResourcePool, boost_db: float | None) -> None:
    """Blocks times density add up to the transmit power; control is `boost_db` denser."""
    shares = profile(pool, control_boost_db=boost_db)
    for length in range(1, pool.n_subchannels + 1):
        n_rb = pssch_rb(length, pool.subchannel_rb, pool.adjacent)
        data, control = shares.data_share[length], shares.control_share[length]
        assert n_rb * data + 2 * control == pytest.approx(1.0, rel=1e-6)
        expected = 0.0 if boost_db is None else 10.0 ** (boost_db / 10.0)
        assert control == pytest.approx(expected * data, rel=1e-6)


@pytest.mark.parametrize("pool", POOLS)
def test_without_emission_others_get_nothing(pool: ResourcePool) -> None:
    n = pool.n_subchannels
    shares = profile(pool)
    for length in range(1, n + 1):
        for first in range(n - length + 1):
            row = shares.share[first, length]
            own = set(range(first, first + length)) | {n + first}
            if pool.adjacent:
                own |= set(range(n + first + 1, n + first + length))
            assert set(np.flatnonzero(row).tolist()) == own
            assert row[first] == shares.data_share[length]
            assert row[n + first] == shares.control_share[length]


@pytest.mark.parametrize("pool", POOLS)
def test_emission_reaches_every_block_below_the_signal(pool: ResourcePool) -> None:
    n = pool.n_subchannels
    shares = profile(pool, emission=EmissionParams())
    for first in range(n):
        row = shares.share[first, 1]
        outside = np.delete(row[:n], first)
        assert (outside > 0).all()
        assert (outside < 0.05 * row[first]).all()


@pytest.mark.parametrize("pool", POOLS)
def test_bins_are_padded_for_vectors(pool: ResourcePool) -> None:
    share = profile(pool).share
    assert share.shape[2] % 8 == 0
    assert share.shape[2] >= 2 * pool.n_subchannels
    assert (share[:, :, 2 * pool.n_subchannels :] == 0).all()


@pytest.mark.parametrize("gap", [-15, -1, 0, 1, 15])
def test_control_information_survives_packing(gap: int) -> None:
    for reservation_ms in (0, 20, 50, 100, 1000):
        for priority in (1, 8):
            sci = ControlInformation(reservation_ms, 20, priority, gap, 19)
            word = sci.pack()
            assert unpack(word) == sci
            assert 0 < word < 2**31


def test_the_history_begins_empty_and_forgets() -> None:
    history = SensingHistory(2, 100, 3)
    assert history.s_rssi_mw(0, 5) is None
    history.words[0, 5, 0] = 5
    history.powers[0, 5, 1:4] = [1.0, 2.0, 3.0]
    read = history.s_rssi_mw(0, 5)
    assert read is not None
    assert read.tolist() == [1.0, 2.0, 3.0]
    assert history.s_rssi_mw(1, 5) is None
    history.forget(0)
    assert history.s_rssi_mw(0, 5) is None
