"""What every congestion control keeps, built in or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x import registry
from v2x.access.congestion.base import CongestionContext, CongestionControl, HeardLinks
from v2x.access.congestion.controlled_access import ControlledAccess
from v2x.access.lte_mode4 import LteMode4, LteMode4Params
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.rate_control import RateControlled

from ..access_loop import Offered, drive, make, periodic
from ..simulation_parts import fleet_state

NAMES = registry.names("v2x.congestion")
N = 20
TICK_US = 100_000


class Busy:
    """A channel with the same CBR everywhere, on which everybody hears everybody."""

    def __init__(self, cbr: float, slot: int) -> None:
        self._cbr, self._slot = cbr, slot

    def busy_ratio(self) -> NDArray[np.float64]:
        return np.full(N, self._cbr)

    def heard_within(self, range_m: float) -> HeardLinks:
        sender, receiver = (a.ravel().astype(np.int32) for a in np.mgrid[:N, :N])
        return HeardLinks(sender, receiver, np.full(N * N, self._slot, dtype=np.int32))


def built(name: str) -> CongestionControl:
    technology = registry.load("v2x.congestion", name)
    context = CongestionContext(
        n_nodes=N, slot_us=1000, n_subchannels=5, grant_subchannels=3, period_ms=100, seed=1
    )
    control: CongestionControl = technology(technology.Params(), context)
    return control


def run(control: CongestionControl, cbr: float, n_ticks: int = 60) -> tuple[Any, list[Offered]]:
    """Run vehicles on a channel of which they measure `cbr`; returns what was done, and asked."""
    application = RateControlled(Awareness(AwarenessParams(size_bytes=300), 3), control)
    params = LteMode4Params(n_subchannels=5, blind_retransmissions=1)
    inner, _ = make(LteMode4, params, n_nodes=N, grant_subchannels=3)
    access = ControlledAccess(inner, control)
    packets: list[Offered] = []
    for tick in range(n_ticks):
        now_us = tick * TICK_US
        fleet = fleet_state(now_us, np.arange(N) * 10.0, speed_mps=2.0)
        control.observe(now_us, fleet, Busy(cbr, 100 * tick - 1))
        batch = application.packets(now_us, now_us + TICK_US, fleet)
        assert np.all((batch.generated_us >= now_us) & (batch.generated_us < now_us + TICK_US))
        slots = -(-batch.generated_us // 1000)
        packets += [
            Offered(int(slot), int(node), int(deadline) // 1000)
            for slot, node, deadline in zip(slots, batch.tx_row, batch.deadline_us, strict=True)
        ]
    return (access, packets), packets


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cbr", [0.0, 0.7, 0.95])
def test_every_message_is_held_back_or_meets_its_fate_once(name: str, cbr: float) -> None:
    control = built(name)
    (access, packets), _ = run(control, cbr)
    driven = drive(access, packets, 6200)
    waiting = [packet for node in range(N) if (packet := access.forget(node)) >= 0]
    first = {sent.packet for sent in driven.sent if sent.attempt == 0}
    fates = [
        *first,
        *(packet for _, packet in driven.dropped),
        *(packet for _, packet in driven.replaced),
        *waiting,
    ]
    assert sorted(fates) == list(range(len(packets)))
    assert 0 < len(packets) <= 60 * N


@pytest.mark.parametrize("name", NAMES)
def test_a_quiet_channel_is_left_alone_and_a_busy_one_never_gets_more(name: str) -> None:
    quiet, _ = run(built(name), 0.0)
    busy, _ = run(built(name), 0.95)
    n_quiet, n_busy = (len(drive(*load, 6200).sent) for load in (quiet, busy))
    assert n_busy <= n_quiet
    if name not in ("none", "etsi-dcc-adaptive", "j2945", "gbt45315-density"):
        assert n_busy < 0.8 * n_quiet  # adaptive starts slowly, the others go by density


@pytest.mark.parametrize("name", NAMES)
def test_states_and_leaving(name: str) -> None:
    control = built(name)
    (access, packets), _ = run(control, 0.95, 20)
    drive(access, packets, 2000)
    state = control.take_state(2000)
    for values in (state.cr, state.interval_ms, state.n_offered, state.n_suppressed):
        assert values.shape == (N,)
    assert np.all((state.cr >= 0.0) & (state.cr <= 1.0))
    assert state.cr.any()
    assert np.all((state.n_suppressed >= 0) & (state.n_suppressed <= state.n_offered))
    for node in range(N):
        access.forget(node)
    assert not control.take_state(2000).cr.any()


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_decisions(name: str) -> None:
    first, second = (drive(*run(built(name), 0.7)[0], 6200) for _ in range(2))
    assert first == second


def test_none_is_transparent() -> None:
    inner, _ = make(LteMode4, n_nodes=N)
    bare, _ = make(LteMode4, n_nodes=N)
    packets = periodic(N, 10)
    assert drive(ControlledAccess(inner, built("none")), packets, 1200) == drive(
        bare, packets, 1200
    )


def test_what_only_some_technologies_have_is_reached() -> None:
    inner, _ = make(registry.load("v2x.access", "scheduled"), n_nodes=2)
    wrapped = ControlledAccess(inner, built("none"))
    wrapped.locate(np.array([0.0, 5.0]), np.zeros(2))
    assert inner._map.position.tolist() == [[0.0, 5.0], [0.0, 0.0]]
    autonomous, _ = make(LteMode4, n_nodes=2)
    assert not hasattr(ControlledAccess(autonomous, built("none")), "locate")
