"""Messages before a conflict, by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from v2x.applications.base import PacketBatch
from v2x.channel.link_table import LinkTable
from v2x.records.tables import ConflictKind, check_table
from v2x.sim.fates import NOTHING
from v2x.sim.packet_fates import FateTimes, PacketFates, fate_memory
from v2x.sim.packet_log import PacketLog
from v2x.sim.safety.conflicts import ConflictWatch
from v2x.sim.safety.in_time import WarnedDriverParams
from v2x.sim.safety.params import SafetyParams

from ...simulation_parts import fleet_state

TICK_US = 100_000
PARAMS = SafetyParams(
    messages=True,
    messages_window_s=1.0,
    warned=WarnedDriverParams(hmi_s=0.2, reaction_s=1.0, deceleration_mps2=4.0),
)
#: Vehicle 9 comes to within 2 s of vehicle 7 at 6.0 s, first noticed at 4.0 s: with 8 m/s to
#: brake, half of 2 s and 1.2 s before contact are the last moment, 5.8 s.
CONFLICT = {
    "event": 0,
    "kind": ConflictKind.FOLLOWING,
    "vehicle_id": 9,
    "other_id": 7,
    "begin_s": 4.0,
    "worst_s": 6.0,
    "min_ttc_s": 2.0,
    "speed_mps": 24.0,
    "other_speed_mps": 16.0,
    "closing_mps": 8.0,
    "friction": 0.75,
    "grade": 0.0,
}


class Run:
    """Rows 0 (id 7), 1 (id 9) and 2 (id 4); row 0 speaks 50 ms after each motion.

    Its fates at row 1 come from a plan; row 2 hears everything. Messages are on air 20 ms after
    they were generated, and known 4 ms later.
    """

    def __init__(self, fate_at: Any, *, known_from_s: float = 4.0, spacing_m: float = 40.0) -> None:
        self.fate_at = fate_at
        self.word = np.full(6, NOTHING, dtype=np.uint64)
        self.links = cast(
            LinkTable,
            SimpleNamespace(
                row_start=np.array([0, 2, 4, 6], dtype=np.int32),
                neighbour=np.array([1, 2, 0, 2, 0, 1], dtype=np.int32),
                distance=np.full(6, spacing_m, dtype=np.float32),
                column=lambda name: {"fates": self.word}[name],
            ),
        )
        self.packets = PacketLog()
        memory = fate_memory(PARAMS, 3)
        assert memory is not None
        self.memory = memory
        self.now_s = 0.0
        pair = np.array([(7 << 32) | 9], dtype=np.uint64)

        def under_way() -> Any:
            known = slice(0, 1 if self.now_s >= known_from_s - 1e-9 else 0)
            return pair[known], np.zeros(1, dtype=np.int32)[known], np.array([4.0])[known]

        table = {name: np.array([value]) for name, value in CONFLICT.items()}
        watch = SimpleNamespace(under_way=under_way, tables=lambda: {"conflicts": table})
        self.fates = PacketFates(
            PARAMS,
            cast(ConflictWatch, watch),
            self.memory,
            self.links,
            self.packets,
            FateTimes(
                period_us=TICK_US,
                known_after_us=4_000,
                counted_from_us=0,
                duration_us=7_000_000,
            ),
            n_rows=3,
            wrap_length_m=1000.0,
        )

    def play(self) -> dict[str, dict[str, Any]]:
        """Run for 7 s; row 1 draws near by 1 m in each tick, over the seam of the map."""
        identity = np.array([7, 9, 4], dtype=np.uint32)
        for tick in range(70):
            self.now_s = tick * 0.1
            self.memory.follow(self.links, identity, identity, tick * TICK_US)
            x = np.array([20.0, 920.0 + tick, 500.0])
            self.fates.observe(fleet_state(tick * TICK_US, x, id=[7, 9, 4]))
            self._speak(tick)
        tables = self.fates.tables()
        for name, columns in tables.items():
            n = len(next(iter(columns.values())))
            check_table(name, {"replication": np.zeros(n, dtype=np.int32), **columns})
        return tables

    def _speak(self, tick: int) -> None:
        generated = np.array([tick * TICK_US + 50_000], dtype=np.int64)
        packet = self.packets.append(
            PacketBatch(
                generated_us=generated,
                tx_row=np.zeros(1, dtype=np.int32),
                size_bytes=np.full(1, 190, dtype=np.int32),
                deadline_us=generated + TICK_US,
                priority=np.full(1, 5, dtype=np.int32),
            ),
            np.array([7]),
        )
        fate = self.fate_at(tick)
        self.packets["last_slot_us"][packet] = generated[0] + 20_000 if fate != 6 else -1
        self.memory.recent[0, self.memory.n_finished[0] % 16] = packet
        self.memory.n_finished[0] += 1
        self.word[:2] = (self.word[:2] << np.uint64(4)) | np.array([fate, 0], dtype=np.uint64)


def collision_from_five_seconds(tick: int) -> int:
    return 4 if tick >= 50 else 0


def test_messages_from_the_window_to_the_worst() -> None:
    """From 3.0 to 6.0 s one each 100 ms: 20 are received, ten collide."""
    messages = Run(collision_from_five_seconds).play()["conflict_messages"]
    assert messages["packet"].tolist() == list(range(30, 60))
    assert messages["outcome"].tolist() == [0] * 20 + [4] * 10
    assert set(messages["sender_id"]) == {7}
    assert set(messages["receiver_id"]) == {9}
    assert messages["generated_us"].tolist() == [50_000 + 100_000 * k for k in range(30, 60)]
    # 920 + 30 m and 20 m are 70 m apart on a ring of 1000 m
    assert messages["distance_m"] == pytest.approx(70.0 - np.arange(30))


def test_a_message_is_in_time_when_it_is_known_before_the_decision() -> None:
    """5.650 s is known at 5.674; 5.750 s at 5.774; both before 5.8 s, 5.850 s is not."""
    messages = Run(collision_from_five_seconds).play()["conflict_messages"]
    assert messages["in_time"].tolist() == [True] * 28 + [False] * 2


def test_knowledge_is_that_of_what_was_received() -> None:
    knowledge = Run(collision_from_five_seconds).play()["conflict_knowledge"]
    assert knowledge["receiver_id"].tolist() == [9, 7]
    assert knowledge["sender_id"].tolist() == [7, 9]
    assert knowledge["decision_s"] == pytest.approx([5.8, np.nan], nan_ok=True)
    # at 4.0 s the message of 3.95 s is known since 3.974; the last received is that of 4.95 s
    assert knowledge["age_begin_s"] == pytest.approx([0.05, np.nan], nan_ok=True)
    assert knowledge["age_decision_s"] == pytest.approx([0.85, np.nan], nan_ok=True)
    assert knowledge["age_worst_s"] == pytest.approx([1.05, np.nan], nan_ok=True)
    for name, value in (("n_messages", 30), ("n_received", 20), ("n_collision", 10)):
        assert knowledge[name].tolist() == [value, 0]
    assert knowledge["n_in_time"].tolist() == [28, 0]
    assert knowledge["n_in_time_received"].tolist() == [20, 0]


def test_what_is_not_yet_decoded_is_not_known() -> None:
    """At 4.0 s only 3.95 s could be the newest; lost, it leaves that of 3.85 s."""
    knowledge = Run(lambda tick: 3 if tick == 39 else 0).play()["conflict_knowledge"]
    assert knowledge["age_begin_s"][0] == pytest.approx(0.15)


def test_a_conflict_that_becomes_known_late_finds_what_was_before() -> None:
    late = Run(collision_from_five_seconds, known_from_s=6.5).play()["conflict_messages"]
    soon = Run(collision_from_five_seconds).play()["conflict_messages"]
    assert all(np.array_equal(late[name], soon[name]) for name in soon)


def test_dropped_messages_count_by_their_generation() -> None:
    messages = Run(lambda _: 6).play()["conflict_messages"]
    assert messages["outcome"].tolist() == [6] * 30
    assert messages["in_time"].tolist() == [True] * 28 + [False] * 2


def test_links_that_were_not_there_have_no_messages() -> None:
    assert len(Run(lambda _: 15).play()["conflict_messages"]["packet"]) == 0


def test_messages_from_far_away_are_left_out() -> None:
    tables = Run(collision_from_five_seconds, spacing_m=151.0).play()
    assert len(tables["conflict_messages"]["packet"]) == 0
    assert tables["conflict_knowledge"]["n_messages"].tolist() == [0, 0]


def test_nobody_asks() -> None:
    assert fate_memory(SafetyParams(), 3) is None
    with pytest.raises(ValueError, match="messages cannot be true while conflicts is false"):
        SafetyParams(messages=True, conflicts=False)
