"""Events told on by vehicles: the farther from the sender the sooner, and not what others told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.test_roadside import NoMotion, scene_at
from tests.unit.perception.roads import WEST, fork_map
from v2x.applications.services.base import Outgoing, ServiceContext
from v2x.applications.services.event_log import EventLog, RelayedNotices
from v2x.applications.services.event_relay import EventRelay, RelayParams
from v2x.messages.topics import Topic
from v2x.mobility.junctions import lane_network
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.world.weather import WeatherParams

TICK_US = 100_000
EVENT = RoadEvent(
    number=0, code=103, edge=WEST, offset_m=195.0, length_m=5.0, x_m=195.0, y_m=0.0, z_m=0.0
)
#: A unit, and vehicles 50, 100 and 150 m behind it.
WHERE = [WEST] * 4, [190.0, 140.0, 90.0, 40.0]


def relay(**params: Any) -> EventRelay:
    context = ServiceContext(
        network=lane_network(fork_map()),
        mobility=NoMotion(),
        vehicles=None,
        weather=WeatherParams(),
        seed=1,
        tick_us=TICK_US,
        warmup_us=0,
    )
    return EventRelay(RelayParams(**({"dist_max_m": 200.0, "stretch": 4.0} | params)), context)


def hear(scene: Scene, sender: int, content: RoadNotices, hosts: list[int]) -> None:
    now_us = scene.fleet.time_us
    rows = np.array(hosts, dtype=np.intp)
    scene.board.take(Topic.RSI, sender, 0, now_us - 50_000, content, rows)


def run(service: EventRelay, n_ticks: int, words: dict[int, Any]) -> dict[int, list[Outgoing]]:
    """Return what is told on in each tick; `words` are (sender, content, hosts) by tick."""
    said = {}
    for tick in range(n_ticks):
        scene = scene_at(tick * TICK_US, *WHERE)
        for sender, content, hosts in words.get(tick, ()):
            hear(scene, sender, content, hosts)
        said[tick] = list(service.tick(scene).messages)
    return {tick: messages for tick, messages in said.items() if messages}


def test_waits_are_those_of_the_rule() -> None:
    params = RelayParams(stretch=1.0)
    assert params.wait_us(0.0) == 100_000
    assert params.wait_us(999.9) > 1000
    assert params.wait_us(1000.0) == params.wait_us(3000.0) == 1000


def test_the_farthest_tells_first() -> None:
    said = run(relay(), 6, {1: [(0, RoadNotices(events=(EVENT,)), [1, 2, 3])]})
    order = [(tick, message.row) for tick, messages in said.items() for message in messages]
    # 4 * (100 - 99 * d / 200) ms after the tick of the reception, for d of 150, 100 and 50 m.
    assert order == [(2, 3), (3, 2), (4, 1)]
    message = said[2][0]
    assert message.after_us == 4 * 25_750 - TICK_US
    assert message.topic is Topic.RSI
    assert (message.content.hops, message.content.told_us) == (1, 50_000)
    assert message.content.events == (EVENT,)


def test_who_hears_a_copy_keeps_quiet() -> None:
    copy = RelayedNotices(events=(EVENT,), told_us=50_000, hops=1)
    said = run(relay(), 6, {1: [(0, RoadNotices(events=(EVENT,)), [1, 2, 3])], 3: [(3, copy, [1])]})
    assert [m.row for messages in said.values() for m in messages] == [3, 2]


def test_the_origin_telling_again_is_no_copy() -> None:
    words = {tick: [(0, RoadNotices(events=(EVENT,)), [1, 2, 3])] for tick in range(1, 6)}
    said = run(relay(), 6, words)
    assert [m.row for messages in said.values() for m in messages] == [3, 2, 1]


def test_an_event_is_told_on_again_only_if_it_was_told_anew() -> None:
    copy = RelayedNotices(events=(EVENT,), told_us=50_000, hops=1)
    later = {
        1: [(0, RoadNotices(events=(EVENT,)), [3])],
        20: [(1, copy, [3])],
        22: [(0, RoadNotices(events=(EVENT,)), [3])],
    }
    said = run(relay(), 30, later)
    assert list(said) == [2, 23]


@pytest.mark.parametrize(("hops", "expected"), [(2, 1), (3, 0)])
def test_hops_are_limited(hops: int, expected: int) -> None:
    copy = RelayedNotices(events=(EVENT,), told_us=0, hops=hops)
    said = run(relay(max_hops=3), 6, {1: [(1, copy, [3])]})
    assert len(said) == expected


@pytest.mark.parametrize(("reach_m", "expected"), [(160.0, 1), (150.0, 0)])
def test_far_vehicles_do_not_tell(reach_m: float, expected: int) -> None:
    said = run(relay(reach_m=reach_m), 6, {1: [(0, RoadNotices(events=(EVENT,)), [3])]})
    assert len(said) == expected


def test_units_and_signs_are_left_alone() -> None:
    assert not run(relay(), 6, {1: [(1, RoadNotices(events=(EVENT,)), [0])]})
    assert not run(relay(), 6, {1: [(0, RoadNotices(), [1, 2, 3])]})


def test_the_log_tells_first_hand_from_hops_and_units_from_vehicles() -> None:
    log = EventLog(Topic.RSI, 0)
    event = log.detected(EVENT, 7)
    for tick, sender, content, hosts in (
        (1, 0, RoadNotices(events=(event,)), [1, 2]),
        (2, 1, RelayedNotices(events=(event,), told_us=0, hops=1), [2, 3]),
    ):
        scene = scene_at(tick * TICK_US, *WHERE)
        hear(scene, sender, content, hosts)
        log.watch(scene)
    reach = log.tables()["event_reach"]
    assert reach["vehicle_id"].tolist() == [1, 2, 3]
    assert reach["via"].tolist() == [0, 0, 1]
    assert reach["hops"].tolist() == [0, 0, 1]
    np.testing.assert_allclose(reach["distance_m"], [55.0, 105.0, 155.0])
    np.testing.assert_allclose(reach["time_s"], [0.1, 0.1, 0.2])


def test_events_of_another_service_with_the_same_number_are_not_counted() -> None:
    log = EventLog(Topic.RSI, 0)
    log.detected(EVENT, 7)
    other = RoadEvent(
        number=0, code=707, edge=WEST, offset_m=1.0, length_m=5.0, x_m=1.0, y_m=0.0, z_m=0.0
    )
    scene = scene_at(TICK_US, *WHERE)
    hear(scene, 0, RoadNotices(events=(other,)), [1, 2])
    log.watch(scene)
    assert len(log.tables()["event_reach"]["number"]) == 0
