"""The log of packets, and how it grows."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.applications.base import PacketBatch
from v2x.records.tables import check_table
from v2x.sim.packet_log import PacketLog


def batch(generated_us: list[int], size_bytes: int = 190) -> PacketBatch:
    n = len(generated_us)
    generated = np.array(generated_us, dtype=np.int64)
    return PacketBatch(
        generated_us=generated,
        tx_row=np.zeros(n, dtype=np.int32),
        size_bytes=np.full(n, size_bytes, dtype=np.int32),
        deadline_us=generated + 100_000,
        priority=np.full(n, 5, dtype=np.int32),
    )


@pytest.mark.parametrize("capacity", [1, 3, 4096])
def test_packets_keep_their_rows_while_the_log_grows(capacity: int) -> None:
    log = PacketLog(capacity)
    rows = [log.append(batch([k, k + 1, k + 2]), np.full(3, k)) for k in range(0, 300, 3)]
    assert rows == list(range(0, 300, 3))
    assert log.n_packets == 300
    assert log["generated_us"][:300].tolist() == list(range(300))
    assert log["tx_id"][:300].tolist() == np.repeat(np.arange(0, 300, 3), 3).tolist()
    assert (log["first_slot_us"][:300] == -1).all()
    assert (log["n_attempts"][:300] == 0).all()


def test_the_version_tells_when_columns_have_moved() -> None:
    log = PacketLog(4)
    held = log["n_received"]
    log.append(batch([1, 2, 3, 4]), np.zeros(4))
    assert log.version == 0
    assert log["n_received"] is held
    held[3] = 7
    log.append(batch([5]), np.zeros(1))
    assert log.version == 1
    assert log["n_received"] is not held
    assert log["n_received"][:5].tolist() == [0, 0, 0, 7, 0]


def test_one_batch_may_be_larger_than_everything_before() -> None:
    log = PacketLog(2)
    log.append(batch(list(range(1000))), np.zeros(1000))
    assert log["generated_us"][999] == 999


def test_topics_are_noted_from_the_first_on() -> None:
    log = PacketLog(2)
    log.append(batch([1, 2, 3]), np.zeros(3))
    assert not log.has_topics
    told = batch([4, 5])
    columns = {name: getattr(told, name) for name in PacketBatch.__slots__}
    columns["topic"] = np.array([0, 6], dtype=np.int32)
    log.append(PacketBatch(**columns), np.zeros(2))
    log.append(batch([6]), np.zeros(1))
    assert log.has_topics
    assert log["topic"][:6].tolist() == [0, 0, 0, 0, 6, 0]


def test_an_empty_batch_changes_nothing() -> None:
    log = PacketLog(2)
    assert log.append(batch([]), np.zeros(0)) == 0
    assert (log.n_packets, log.version) == (0, 0)


def test_the_table_holds_resolved_packets_after_the_warm_up() -> None:
    log = PacketLog(2)
    log.append(batch([0, 999, 1000, 1001, 2000]), np.array([4, 5, 6, 7, 8]))
    log["resolved"][[0, 1, 2, 4]] = True
    table = log.table(1000)
    assert table["packet"].tolist() == [2, 4]
    assert table["tx_id"].tolist() == [6, 8]
    n = len(table["packet"])
    check_table("packets", {"replication": np.zeros(n, dtype=np.int32), **table})
