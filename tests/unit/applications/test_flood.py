"""Copies of the state messages of attackers."""

from __future__ import annotations

import numpy as np

from tests.simulation_parts import fleet_state
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import PacketBatch
from v2x.applications.flood import Flooding
from v2x.mobility.fleet import NodeKind

KINDS = [NodeKind.CAR, NodeKind.CAR, NodeKind.VRU]


def batches(rate: int, share: float = 1.0, from_us: int = 0) -> list[PacketBatch]:
    said = Awareness(AwarenessParams(rate_hz=10, size_bytes=300), 1)
    flood = Flooding(said, rate=rate, share=share, from_us=from_us, seed=1)
    return [
        flood.packets(t, t + 100_000, fleet_state(t, [0.0, 50.0, 90.0], kind=KINDS))
        for t in range(0, 500_000, 100_000)
    ]


def test_attackers_send_so_many_where_others_send_one() -> None:
    for batch in batches(4):
        originals = batch.tx_row[~batch.event]
        copies = batch.tx_row[batch.event]
        vehicles = originals[originals < 2]
        assert sorted(copies) == sorted(np.repeat(vehicles, 3))
        assert (np.diff(batch.generated_us) >= 0).all()
        assert (batch.deadline_us[batch.event] - batch.generated_us[batch.event] == 25_000).all()


def test_copies_stay_in_their_time_and_are_evenly_spaced() -> None:
    for k, batch in enumerate(batches(5)):
        of_first = np.sort(batch.generated_us[batch.tx_row == 0])
        assert (batch.generated_us // 100_000 == k).all()
        assert set(np.diff(of_first)) == {20_000}


def test_nobody_floods_before_its_time_or_without_attackers() -> None:
    assert not any(batch.event.any() for batch in batches(4, share=0.0))
    assert [bool(batch.event.any()) for batch in batches(4, from_us=300_000)] == [
        False,
        False,
        False,
        True,
        True,
    ]
