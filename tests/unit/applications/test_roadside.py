"""Messages of roadside units beside those of road users."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import PacketBatch
from v2x.applications.joined import JoinedMessages
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.joined import without_last
from v2x.records.tables import FIRST_ROADSIDE_ID

from ...simulation_parts import fleet_state

BSM = Awareness(AwarenessParams(size_bytes=190), 1)
RSM = Awareness(AwarenessParams(rate_hz=2.0, size_bytes=300, priority=2), 1)


def fleet() -> FleetState:
    """Return three road users and two roadside units."""
    ids = [4, 5, 6, FIRST_ROADSIDE_ID, FIRST_ROADSIDE_ID + 1]
    return fleet_state(0, np.arange(5.0), id=ids, kind=[0, 0, 0, NodeKind.RSU, NodeKind.RSU])


def sent(application: JoinedMessages) -> list[PacketBatch]:
    return [application.packets(t, t + 100_000, fleet()) for t in range(0, 1_000_000, 100_000)]


def test_units_that_only_listen_change_nothing() -> None:
    quiet = JoinedMessages(BSM, None, 2)
    assert quiet.sizes_bytes == (190,)
    for k, batch in enumerate(sent(quiet)):
        alone = BSM.packets(k * 100_000, (k + 1) * 100_000, without_last(fleet(), 2))
        for item in fields(PacketBatch):
            np.testing.assert_array_equal(getattr(batch, item.name), getattr(alone, item.name))


def test_units_send_their_own_messages_in_the_order_of_time() -> None:
    speaking = JoinedMessages(BSM, RSM, 2)
    assert speaking.sizes_bytes == (190, 300)
    assert speaking.period_ms == 100
    batches = sent(speaking)
    row = np.concatenate([batch.tx_row for batch in batches])
    size = np.concatenate([batch.size_bytes for batch in batches])
    priority = np.concatenate([batch.priority for batch in batches])
    assert np.bincount(row).tolist() == [10, 10, 10, 2, 2]
    assert (size == np.where(row >= 3, 300, 190)).all()
    assert (priority == np.where(row >= 3, 2, 5)).all()
    for batch in batches:
        assert (np.diff(batch.generated_us) >= 0).all()
        assert (batch.deadline_us > batch.generated_us).all()
