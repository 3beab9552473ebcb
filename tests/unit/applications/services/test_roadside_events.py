"""Events of roadside units: what counts as one, how it is shared, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.test_roadside import TICK_US, scene_at, service
from tests.unit.mobility.conftest import make_map
from tests.unit.perception.roads import EAST, WEST, on_roads, scene_of
from v2x.applications.services.base import Outgoing
from v2x.applications.services.roadside.params import EventRules, RoadsideServiceParams
from v2x.applications.services.roadside.service import Roadside
from v2x.applications.services.roadside.sightings import EventCode, Sightings
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.mobility.junctions import lane_network
from v2x.perception.contents import RoadEvent, RoadNotices

ABS = int(KeyEvent.ABS)
BROKEN = int(KeyEvent.DISABLED_VEHICLE)


def events_of(messages: Sequence[Outgoing], unit: int = 0) -> list[RoadEvent]:
    return [
        event
        for message in messages
        if message.row == unit and isinstance(message.content, RoadNotices)
        for event in message.content.events
    ]


def codes_after(seconds: float, roadside: Roadside, *where: Any, **columns: Any) -> set[int]:
    """Return the events that are told in the last second of a standing scene."""
    last: set[int] = set()
    n_ticks = round(seconds * 10) + 1
    for tick in range(n_ticks):
        output = roadside.tick(scene_at(tick * TICK_US, *where, **columns))
        if tick >= n_ticks - 5:
            last |= {event.code for event in events_of(output.messages)}
    return last


def rules(**values: Any) -> EventRules:
    return replace(RoadsideServiceParams().rules, **values)


@pytest.mark.parametrize(("speed_mps", "expected"), [(0.4, True), (0.6, False)])
def test_who_is_slower_than_the_limit_has_stopped(speed_mps: float, expected: bool) -> None:
    told = codes_after(4.0, service(), [WEST, WEST], [190.0, 60.0], speed_mps=[0.0, speed_mps])
    assert (EventCode.INCIDENT in told) == expected


def test_a_stop_counts_after_three_seconds_and_a_breakdown_at_once() -> None:
    standing = {"speed_mps": [0.0, 0.0]}
    assert not codes_after(2.9, service(), [WEST, WEST], [190.0, 60.0], **standing)
    assert codes_after(3.0, service(), [WEST, WEST], [190.0, 60.0], **standing) == {103}
    told = codes_after(0.0, service(), [WEST, WEST], [190.0, 60.0], flags=[0, BROKEN], **standing)
    assert told == {103}


def test_who_has_moved_meanwhile_has_not_stood() -> None:
    roadside = service()
    for tick in range(60):
        speed = [0.0, 5.0 if tick == 25 else 0.0]
        output = roadside.tick(
            scene_at(tick * TICK_US, [WEST, WEST], [190.0, 60.0], speed_mps=speed)
        )
        if tick == 50:
            assert not events_of(output.messages)
    assert events_of(output.messages)


@pytest.mark.parametrize(("rest_m", "expected"), [(101.0, True), (99.0, False)])
def test_who_waits_before_a_crossing_has_not_stopped(rest_m: float, expected: bool) -> None:
    cross = make_map(
        [
            (0, 1, [(0.0, 0.0), (200.0, 0.0)], {}),
            (1, 2, [(200.0, 0.0), (400.0, 0.0)], {}),
            (3, 1, [(200.0, -200.0), (200.0, 0.0)], {}),
            (1, 4, [(200.0, 0.0), (200.0, 200.0)], {}),
        ]
    )
    sightings = Sightings(rules(stopped_s=0.0), lane_network(cross), None)
    fleet = on_roads(cross, [0, 0], [190.0, 200.0 - rest_m], kind=[NodeKind.RSU, 0])
    found = sightings.of(scene_of(fleet, cross), np.array([0]))
    assert bool(found) == expected


def test_a_queue_is_one_event_at_its_head() -> None:
    roadside, told = service(), []
    for tick in range(35):
        offset_m = [190.0, 120.0, 112.0, 40.0]
        scene = scene_at(tick * TICK_US, [WEST] * 4, offset_m, speed_mps=0.0)
        told = events_of(roadside.tick(scene).messages)
    assert [event.offset_m for event in told if event.code == 103] == [115.0, 35.0]


@pytest.mark.parametrize(
    ("speed_mps", "n", "seconds", "expected"),
    [(5.9, 5, 5.5, True), (6.1, 5, 5.5, False), (5.9, 4, 5.5, False), (5.9, 5, 4.0, False)],
)
def test_slow_traffic_is_a_jam(speed_mps: float, n: int, seconds: float, expected: bool) -> None:
    where = [WEST] * (n + 1), [190.0, *(80.0 - 10.0 * k for k in range(n))]
    told = codes_after(seconds, service(), *where, speed_mps=speed_mps)
    assert (EventCode.JAM in told) == expected


@pytest.mark.parametrize(("flags", "expected"), [([ABS, ABS], True), ([ABS, 0], False)])
def test_two_who_slip_make_a_slippery_road(flags: list[int], expected: bool) -> None:
    told = codes_after(0.5, service(), [WEST] * 3, [190.0, 40.0, 50.0], flags=[0, *flags])
    assert (EventCode.SLIPPERY in told) == expected


def test_slipping_on_other_stretches_or_long_ago_does_not_add_up() -> None:
    apart = codes_after(0.5, service(), [WEST] * 3, [190.0, 40.0, 140.0], flags=[0, ABS, ABS])
    assert not apart
    roadside = service(rules=rules(slip_s=1.0))
    told: set[int] = set()
    for tick in range(30):
        flags = [0, ABS if tick == 0 else 0, ABS if tick == 15 else 0]
        scene = scene_at(tick * TICK_US, [WEST] * 3, [190.0, 40.0, 50.0], flags=flags)
        told |= {event.code for event in events_of(roadside.tick(scene).messages)}
    assert not told


def test_an_event_ends_when_it_has_not_been_seen_for_a_while() -> None:
    roadside = service(rules=rules(clear_s=2.0))
    last = -1
    for tick in range(60):
        flags = [0, BROKEN if tick <= 10 else 0]
        speed = [0.0, 0.0 if tick <= 10 else 15.0]
        scene = scene_at(tick * TICK_US, [WEST, WEST], [190.0, 60.0], flags=flags, speed_mps=speed)
        if events_of(roadside.tick(scene).messages):
            last = tick
    # Told 25 ms after the tick, so the tick at which 2 s are full is over.
    assert last == 10 + 19
    table = roadside.tables()["road_events"]
    assert table["detected_s"].tolist() == [0.0]
    assert table["end_s"][0] == pytest.approx(last / 10 + 0.025)


def shared_first_tick(fibre_ms: float, **params: Any) -> int:
    """Return the tick in which the second unit tells what only the first can see."""
    roadside = service(fibre_ms=fibre_ms, cabinet_ms=5.0, **params)
    for tick in range(10):
        scene = scene_at(
            tick * TICK_US,
            [WEST, EAST, WEST],
            [190.0, 100.0, 60.0],
            2,
            speed_mps=0.0,
            flags=[0, 0, BROKEN],
        )
        known = scene.known
        scene.known = known.take(np.flatnonzero(known.host != 1))
        output = roadside.tick(scene)
        if events_of(output.messages, unit=1):
            return tick
    return -1


def test_linked_units_know_after_fibre_and_cabinet() -> None:
    # Dynamic events are told a quarter of a tick after it: what comes until then is in time.
    assert shared_first_tick(20.0) == 0
    assert shared_first_tick(21.0) == 1
    assert shared_first_tick(121.0) == 2


def test_units_beyond_the_range_do_not_share() -> None:
    assert shared_first_tick(5.0, share_range_m=200.0) == -1
    assert shared_first_tick(5.0, share_range_m=0.0) == -1


def test_two_units_that_see_one_event_give_it_one_number() -> None:
    roadside = service()
    scene = scene_at(
        0, [WEST, WEST, WEST], [190.0, 100.0, 60.0], 2, speed_mps=0.0, flags=[0, 0, BROKEN]
    )
    messages = roadside.tick(scene).messages
    numbers = [events_of(messages, unit)[0].number for unit in (0, 1)]
    assert numbers == [0, 0]
    assert len(roadside.tables()["road_events"]["number"]) == 1
