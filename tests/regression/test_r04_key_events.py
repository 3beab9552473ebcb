"""R4: a key event is told within 100 ms, and its flag stands for a second at least.

GB/T 45315-2025 (applications.md 1.8): a key-event BSM goes immediately when a trigger becomes true,
the pending regular BSM is cancelled, then one goes every 100 ms from that instant while the flag
stands; a new event restarts the phase; each carries its certificate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from v2x.access.lte_mode4 import LteMode4
from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import PacketBatch, merged
from v2x.applications.key_events import KeyEventParams, KeyEvents
from v2x.mobility.fleet import FleetState, KeyEvent, NodeKind
from v2x.scenario.assemble import simulate
from v2x.scenario.schema import load_scenario

from ..simulation_parts import ScheduledPackets, every, fleet_state
from ..simulation_parts import simulate as run

TICK_US = 100_000
BRAKES, LIGHTS, ABS = KeyEvent.HARD_BRAKING, KeyEvent.HAZARD_LIGHTS, KeyEvent.ABS
#: Each tick's flags of row 0, from the first tick on.
Flags = Sequence[int]


def play(
    flags: Flags, *, regular_at_us: int = 30_000, least_s: float = 1.0, **columns: Any
) -> list[tuple[int, bool]]:
    """Return times [µs] and sorts of what row 0 says, asked tick by tick; row 1 has no event."""
    plan = every(100_000, 40, regular_at_us, 0) + every(100_000, 40, 50_000, 1)
    said = KeyEvents(ScheduledPackets(plan), KeyEventParams(least_s=least_s))
    out: list[tuple[int, bool]] = []
    for tick, flag in enumerate(flags):
        fleet = fleet_state(tick * TICK_US, [0.0, 50.0], flags=[flag, 0], **columns)
        batch = said.packets(tick * TICK_US, (tick + 1) * TICK_US, fleet)
        mine = batch.tx_row == 0
        assert batch.generated_us[~mine].tolist() == [tick * TICK_US + 50_000]
        assert (np.diff(batch.generated_us) >= 0).all()
        out += zip(batch.generated_us[mine].tolist(), batch.event[mine].tolist(), strict=True)
    return out


def times(said: list[tuple[int, bool]], *, event: bool) -> list[int]:
    return [t // 1000 for t, is_event in said if is_event == event]


def test_r04_an_event_is_told_at_once_and_the_pending_message_cancelled() -> None:
    """Braking from 200 to 1500 ms: 200, 300, ... 1400; regular ones at 30, 130, and 1530 on."""
    said = play([0, 0, *[BRAKES] * 13, *[0] * 5])
    assert times(said, event=True) == list(range(200, 1500, 100))
    assert times(said, event=False) == [30, 130, *range(1530, 2000, 100)]


def test_r04_a_flag_stands_for_a_second() -> None:
    """Braking that is over after one tick is told for a second, no longer."""
    said = play([0, BRAKES, *[0] * 15])
    assert times(said, event=True) == list(range(100, 1100, 100))
    assert times(said, event=False) == [30, *range(1130, 1700, 100)]


def test_a_flag_that_comes_and_goes_within_the_second_is_one_event() -> None:
    said = play([BRAKES, 0, BRAKES, 0, *[0] * 12])
    assert times(said, event=True) == list(range(0, 1000, 100))


def test_r04_the_flag_stays_while_any_stands() -> None:
    """Lights go on while the brakes are told: the second counts from then."""
    said = play([BRAKES, 0, 0, 0, 0, LIGHTS, *[0] * 15])
    assert times(said, event=True) == list(range(0, 1500, 100))


def test_r04_a_new_event_restarts_the_phase() -> None:
    """Asked at other instants than every 100 ms: the rhythm is that of the newest event."""
    said = KeyEvents(ScheduledPackets([]), KeyEventParams())
    out: list[int] = []
    for start, end, flags in (
        (0, 60_000, BRAKES),
        (60_000, 130_000, BRAKES | ABS),
        (130_000, 400_000, BRAKES | ABS),
    ):
        batch = said.packets(start, end, fleet_state(start, [0.0], flags=[int(flags)]))
        out += batch.generated_us.tolist()
    assert out == [0, 60_000, 160_000, 260_000, 360_000]


def test_r04_every_key_event_message_has_its_certificate() -> None:
    """46 B and one of flags in the envelope with certificate: 304 B, 50 ms, PPPP 2."""
    said = KeyEvents(ScheduledPackets([]), KeyEventParams())
    for tick in range(4):
        fleet = fleet_state(tick * TICK_US, [0.0], flags=[int(BRAKES)])
        batch = said.packets(tick * TICK_US, (tick + 1) * TICK_US, fleet)
        assert (batch.size_bytes.tolist(), batch.priority.tolist()) == ([304], [2])
        assert (batch.deadline_us - batch.generated_us).tolist() == [50_000]
        assert batch.event.tolist() == [True]
        assert batch.topic.tolist() == [0]


@pytest.mark.parametrize(
    ("flags", "columns"),
    [
        (int(KeyEvent.SIREN), {}),
        (int(KeyEvent.STOP_LINE_VIOLATION), {}),
        (int(BRAKES), {"kind": [NodeKind.VRU, NodeKind.CAR]}),
    ],
)
def test_what_is_no_key_event(flags: int, columns: dict[str, Any]) -> None:
    assert times(play([flags] * 4, **columns), event=True) == []


def test_a_stranger_in_the_row_has_no_events() -> None:
    said = KeyEvents(ScheduledPackets([]), KeyEventParams())
    first = said.packets(0, TICK_US, fleet_state(0, [0.0], flags=[int(BRAKES)]))
    after = said.packets(TICK_US, 2 * TICK_US, fleet_state(TICK_US, [0.0], id=[9]))
    assert (len(first), len(after)) == (1, 0)


def test_messages_with_a_topic_and_other_events_stay() -> None:
    """Only what tells of states with a period is replaced."""

    class Others:
        sizes_bytes, period_ms = (190,), 100

        def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
            state, told = (ScheduledPackets([(start_us + t, 0)]) for t in (10_000, 20_000))
            batch = told.packets(start_us, end_us, fleet)
            columns = {name: getattr(batch, name) for name in PacketBatch.__slots__}
            columns["topic"] = np.array([4], dtype=np.int32)
            return merged(state.packets(start_us, end_us, fleet), PacketBatch(**columns))

    said = KeyEvents(Others(), KeyEventParams())
    batch = said.packets(0, TICK_US, fleet_state(0, [0.0], flags=[int(BRAKES)]))
    assert batch.generated_us.tolist() == [0, 20_000]
    assert batch.topic.tolist() == [0, 4]


@dataclass(frozen=True)
class Flagged:
    """Vehicles that stand still and raise flags: {tick: {row: flags}}."""

    n_rows: int
    plan: Mapping[int, Mapping[int, int]] = field(default_factory=dict)

    def advance(self, time_us: int) -> FleetState:
        flags = np.zeros(self.n_rows, dtype=np.int32)
        for row, flag in self.plan.get(time_us // TICK_US, {}).items():
            flags[row] = flag
        return fleet_state(time_us, 20.0 * np.arange(self.n_rows), flags=flags)


def test_r04_the_next_transmission_is_within_100_ms() -> None:
    """On the air of LTE mode 4, where regular messages of the others go on."""
    plan = {tick: {tick % 20: int(BRAKES)} for tick in range(10, 25)}
    said = KeyEvents(Awareness(AwarenessParams(size_bytes=190), 1), KeyEventParams(size_bytes=190))
    finished = run(
        Flagged(20, plan), technology=LteMode4, application=said, duration_s=4.0, warmup_s=0.0
    )
    packets = finished.tables["packets"]
    for tick, raised in plan.items():
        (row,) = raised
        mine = (packets["tx_id"] == row) & packets["event"]
        first_us = packets["generated_us"][mine].min()
        sent_us = packets["first_slot_us"][mine][packets["generated_us"][mine] == first_us]
        assert first_us == tick * TICK_US
        assert first_us <= sent_us[0] <= first_us + 100_000
        assert np.count_nonzero(mine) == 10


def test_detected_events_are_a_choice_of_the_scenario() -> None:
    """Nobody brakes hard here, so nothing is told, and the run is the one without events."""
    quick = [("duration_s", "2"), ("warmup_s", "1"), ("world.length_m", "600")]
    records = simulate(load_scenario("highway_3gpp", [*quick, ("events.type", "detected")]))
    assert not records.tables["packets"]["event"].any()
    plain = simulate(load_scenario("highway_3gpp", quick))
    for name in ("packets", "links"):
        for column, values in plain.tables[name].items():
            assert values.tobytes() == records.tables[name][column].tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_bytes": 0}, "size_bytes must be within 1"),
        ({"priority": 0}, "priority must be within 1"),
        ({"latency_budget_ms": 0.0}, "latency_budget_ms must be within 1"),
        ({"least_s": -1.0}, "least_s must be within 0"),
    ],
)
def test_what_cannot_be_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KeyEventParams(**changes)
