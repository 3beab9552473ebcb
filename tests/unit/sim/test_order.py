"""Order of things at one instant, as the docstring of ``v2x.sim.simulation`` promises it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from v2x.access.base import SlotTransmissions
from v2x.applications.base import PacketBatch
from v2x.mobility.fleet import FleetState
from v2x.sim import channel_view
from v2x.sim.recorder import RecordParams
from v2x.sim.simulation import Simulation, SimulationParts

from ...simulation_parts import FrozenFleet, ScheduledPackets, build


@dataclass
class Diary:
    """What happened when: (time [µs], what)."""

    entries: list[tuple[int, str]] = field(default_factory=list)
    clock: Any = None

    def note(self, what: str) -> None:
        now = 0 if self.clock is None else self.clock.now_us
        self.entries.append((now, what))

    def at(self, time_us: int) -> list[str]:
        return [what for when, what in self.entries if when == time_us]


class Watched:
    """Passes everything on to a part, and notes the calls that matter."""

    def __init__(self, part: Any, diary: Diary, calls: dict[str, str]) -> None:
        self._part, self._diary, self._calls = part, diary, calls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if name not in self._calls:
            return value

        def call(*arguments: Any) -> Any:
            self._diary.note(self._calls[name])
            return value(*arguments)

        return call


def watch(parts: SimulationParts, monkeypatch: pytest.MonkeyPatch) -> tuple[SimulationParts, Diary]:
    """Return the parts under observation."""
    diary = Diary()
    ratio = channel_view.busy_ratio

    def noted_ratio(*arguments: Any) -> None:
        diary.note("busy ratio")
        ratio(*arguments)

    monkeypatch.setattr(channel_view, "busy_ratio", noted_ratio)
    parts = replace(
        parts,
        mobility=Watched(parts.mobility, diary, {"advance": "vehicles move"}),
        application=Watched(parts.application, diary, {"packets": "packets generated"}),
        access=Watched(
            parts.access,
            diary,
            {
                "forget": "access forgets",
                "bind": "access learns identities",
                "enqueue": "packet enters",
                "transmissions": "transmissions",
            },
        ),
        medium=Watched(
            parts.medium,
            diary,
            {
                "move": "links move",
                "receive": "reception",
                "drop": "drop",
                "link_states": "link states",
            },
        ),
        recorder=Watched(
            parts.recorder,
            diary,
            {
                "close_block": "block closes",
                "observe_fleet": "fleet recorded",
                "observe_load": "load recorded",
            },
        ),
    )
    return parts, diary


def run(parts: SimulationParts, diary: Diary) -> None:
    """Run to the end with the diary on the simulation's clock."""
    whole = Simulation(parts)
    diary.clock = whole
    whole.run()


RECORDS = RecordParams(block_s=0.2, cbr_period_s=0.2, trajectory_period_s=0.2)


def test_everything_at_one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 200 ms a block, a measurement, a tick, a packet and its transmission coincide."""
    plan = [(200_000, 0), (150_500, 1)]
    parts = build(
        FrozenFleet(x_m=[0.0, 50.0]),
        application=ScheduledPackets(plan),
        records=RECORDS,
        duration_s=0.3,
    )
    parts, diary = watch(parts, monkeypatch)
    run(parts, diary)
    assert diary.at(200_000) == [
        "block closes",
        "busy ratio",
        "load recorded",
        "link states",
        "vehicles move",
        "links move",
        "access learns identities",
        "fleet recorded",
        "packets generated",
        "packet enters",
        "transmissions",
        "reception",
    ]


def test_the_first_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start is a tick: vehicles first, then the packets of time 0; nothing to measure yet."""
    parts = build(FrozenFleet(x_m=[0.0, 50.0]), application=ScheduledPackets([(0, 0)]))
    parts, diary = watch(parts, monkeypatch)
    run(parts, diary)
    first = diary.at(0)
    assert [what for what in first if what != "access forgets"] == [
        "vehicles move",
        "links move",
        "access learns identities",
        "fleet recorded",
        "packets generated",
        "packet enters",
        "transmissions",
        "reception",
    ]


def test_all_packets_of_a_slot_enter_before_anybody_transmits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = [(10_001, 0), (10_500, 1), (10_999, 2), (11_000, 3), (11_001, 4)]
    parts = build(FrozenFleet(x_m=np.arange(5.0) * 10.0), application=ScheduledPackets(plan))
    parts, diary = watch(parts, monkeypatch)
    run(parts, diary)
    assert diary.at(11_000) == ["packet enters"] * 4 + ["transmissions", "reception"]
    assert diary.at(12_000) == ["packet enters", "transmissions", "reception"]


def test_quiet_slots_are_not_visited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between ticks only slots with a packet or a transmission cost anything."""
    parts = build(FrozenFleet(x_m=[0.0, 50.0]), application=ScheduledPackets([(36_200, 0)]))
    parts, diary = watch(parts, monkeypatch)
    run(parts, diary)
    visited = {when for when, what in diary.entries if what == "transmissions"}
    assert visited == {k * 100_000 for k in range(10)} | {37_000}


def test_those_who_leave_are_dropped_before_the_links_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their packets are counted at the receivers that they still had."""
    parts = build(
        FrozenFleet(x_m=[0.0, 50.0], leaves_us=[100_000, 10**9]),
        application=ScheduledPackets([(99_500, 0)]),
        duration_s=0.2,
    )
    parts, diary = watch(parts, monkeypatch)
    run(parts, diary)
    wanted = ["vehicles move", "access forgets", "drop", "links move"]
    assert [what for what in diary.at(100_000) if what in wanted] == wanted


@dataclass
class Stubborn:
    """An access technology that wants to be asked again in the slot it was just asked in."""

    part: Any
    asked: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.part, name)

    def transmissions(self, slot: int) -> tuple[SlotTransmissions, NDArray[np.int32]]:
        self.asked.append(slot)
        return self.part.transmissions(slot)

    def next_active(self, slot: int, limit: int) -> int:
        return slot - 1


def test_time_never_stands_still() -> None:
    parts = build(FrozenFleet(x_m=[0.0]), application=ScheduledPackets([]), duration_s=0.02)
    stubborn = Stubborn(parts.access)
    Simulation(replace(parts, access=stubborn)).run()
    assert stubborn.asked == list(range(20))


@dataclass
class Late:
    """An application that answers with the tick it is asked for."""

    asked: list[tuple[int, int]] = field(default_factory=list)
    sizes_bytes: tuple[int, ...] = (190,)
    period_ms: int = 100

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        self.asked.append((start_us, end_us))
        assert fleet.time_us == start_us
        return ScheduledPackets([]).packets(start_us, end_us, fleet)


@pytest.mark.parametrize("tick_us", [100_000, 33_333, 1_500])
def test_applications_are_asked_without_gaps(tick_us: int) -> None:
    application = Late()
    parts = build(FrozenFleet(x_m=[0.0]), application=application, tick_us=tick_us, duration_s=0.25)
    Simulation(parts).run()
    starts = [start for start, _ in application.asked]
    assert starts == list(range(0, 250_000, tick_us))
    assert all(end == start + tick_us for start, end in application.asked)


def test_progress_is_told_after_each_tick_and_may_stop_the_run() -> None:
    seen: list[int] = []

    def on_tick(time_us: int) -> None:
        seen.append(time_us)
        if time_us == 200_000:
            raise KeyboardInterrupt

    parts = build(FrozenFleet(x_m=[0.0]), duration_s=1.0)
    with pytest.raises(KeyboardInterrupt):
        Simulation(parts, on_tick).run()
    assert seen == [0, 100_000, 200_000]
