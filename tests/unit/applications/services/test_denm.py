"""DENMs of vehicles: triggers, repetition, cancellation, keep-alive, lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.test_roadside import NoMotion, scene_at
from tests.unit.perception.roads import WEST, fork_map
from v2x.applications.services.base import Outgoing, ServiceContext
from v2x.applications.services.denm import Denm, DenmNotices, DenmParams
from v2x.applications.services.denm_content import denm_bytes
from v2x.messages.etsi.denm import Cause, Termination
from v2x.messages.topics import Topic
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.junctions import lane_network
from v2x.world.weather import WeatherParams

TICK_US = 100_000


def denm(**params: Any) -> Denm:
    context = ServiceContext(
        network=lane_network(fork_map()),
        mobility=NoMotion(),
        vehicles=None,
        weather=WeatherParams(),
        seed=1,
        tick_us=TICK_US,
        warmup_us=0,
    )
    return Denm(DenmParams(**params), context)


def run(
    service: Denm, n_ticks: int, flags: KeyEvent, *, until: int, speed_mps: float = 15.0
) -> dict[int, list[Outgoing]]:
    """Return what the one vehicle says, whose flags stand for ticks before `until`."""
    said = {}
    for tick in range(n_ticks):
        on = tick < until
        speed = speed_mps if on else 15.0
        scene = scene_at(
            tick * TICK_US, [WEST], [60.0], 0, flags=int(flags) if on else 0, speed_mps=speed
        )
        said[tick] = list(service.tick(scene).messages)
    return {tick: messages for tick, messages in said.items() if messages}


def test_hard_braking_is_told_every_100_ms_for_two_seconds() -> None:
    said = run(denm(), 40, KeyEvent.HARD_BRAKING, until=1)
    assert list(said) == list(range(21))
    assert all(m.content.events[0].code == 10_099 for (m,) in said.values())
    assert {m.part for (m,) in said.values()} == {1}


def test_braking_again_later_is_a_new_event() -> None:
    service = denm(brake_s=0.5)
    for tick in range(30):
        flags = int(KeyEvent.HARD_BRAKING) if tick in (0, 20) else 0
        service.tick(scene_at(tick * TICK_US, [WEST], [60.0], 0, flags=flags))
    table = service.tables()["road_events"]
    np.testing.assert_allclose(table["detected_s"], [0.0, 2.0])
    assert table["code"].tolist() == [10_099, 10_099]


@pytest.mark.parametrize(("speed_mps", "expected"), [(0.4, True), (0.6, False)])
def test_a_broken_down_vehicle_tells_when_it_stands(speed_mps: float, expected: bool) -> None:
    said = run(denm(), 3, KeyEvent.DISABLED_VEHICLE, until=3, speed_mps=speed_mps)
    assert bool(said) == expected


def test_standing_is_told_every_second_and_cancelled_when_it_ends() -> None:
    said = run(denm(), 40, KeyEvent.DISABLED_VEHICLE, until=25, speed_mps=0.0)
    assert list(said) == [0, 10, 20, 25]
    (last,) = said[25]
    assert isinstance(last.content, DenmNotices)
    assert last.content.termination == Termination.CANCELLATION
    assert not last.content.events
    assert last.part == said[0][0].part
    assert last.size_bytes == denm_bytes(0, over=True)


@pytest.mark.parametrize(("speed_mps", "expected"), [(2.9, True), (3.1, False)])
def test_hazard_lights_at_low_speed_mean_the_end_of_a_queue(
    speed_mps: float, expected: bool
) -> None:
    said = run(denm(), 2, KeyEvent.HAZARD_LIGHTS, until=2, speed_mps=speed_mps)
    codes = {m.content.events[0].code for messages in said.values() for m in messages}
    assert codes == ({10_000 + Cause.DANGEROUS_END_OF_QUEUE} if expected else set())


@pytest.mark.parametrize("flag", [KeyEvent.ABS, KeyEvent.TRACTION_LOSS, KeyEvent.STABILITY_CONTROL])
def test_slipping_is_told_every_second_for_ten(flag: KeyEvent) -> None:
    said = run(denm(), 150, flag, until=1)
    assert list(said) == list(range(0, 101, 10))
    assert {m.content.events[0].code for (m,) in said.values()} == {10_006}


def test_without_a_flag_nothing_is_told() -> None:
    assert not run(denm(), 5, KeyEvent(0), until=5, speed_mps=0.0)


def test_lengths_are_those_of_the_message() -> None:
    # 45 and 63 + 8.6 a point unsigned, of which sizes in applications.md 2.2 are made.
    assert denm_bytes(2, over=False) <= 400
    assert denm_bytes(10, over=False) - denm_bytes(1, over=False) == pytest.approx(141 - 63, abs=2)
    assert denm().sizes_bytes == (denm_bytes(2, over=False), denm_bytes(0, over=True))


def keep_alive(area_m: float) -> list[int]:
    """Return when row 1 repeats an event of row 0, which it heard in tick 1 for the only time."""
    service, said = denm(keep_alive=True, area_m=area_m), []
    content: DenmNotices | None = None
    for tick in range(40):
        flags = [int(KeyEvent.DISABLED_VEHICLE), 0]
        scene = scene_at(
            tick * TICK_US, [WEST, WEST], [160.0, 60.0], 0, flags=flags, speed_mps=[0.0, 15.0]
        )
        if tick == 1 and content is not None:
            scene.board.take(Topic.DENM, 0, 1, 0, content, np.array([1]))
        for message in service.tick(scene).messages:
            if message.row == 0:
                content = message.content
            else:
                assert message.content.hops == 1
                said.append(tick)
    return said


def test_vehicles_in_the_area_keep_an_event_alive_after_two_periods() -> None:
    said = keep_alive(1000.0)
    # Two periods of 1 s and up to 150 ms after tick 1, seen at the next tick.
    assert 21 <= said[0] <= 23
    assert keep_alive(50.0) == []
