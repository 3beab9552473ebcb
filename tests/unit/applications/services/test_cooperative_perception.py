"""Vehicles tell what they see: when, what fits, and what others gain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.test_roadside import NoMotion, scene_at
from tests.unit.perception.roads import WEST, fork_map
from v2x.applications.services.base import Outgoing, ServiceContext
from v2x.applications.services.cooperative_perception import (
    CooperativePerception,
    CooperativePerceptionParams,
)
from v2x.messages.topics import Topic
from v2x.mobility.junctions import lane_network
from v2x.perception.scene import Scene
from v2x.world.weather import WeatherParams

TICK_US = 100_000


def service(**params: Any) -> CooperativePerception:
    context = ServiceContext(
        network=lane_network(fork_map()),
        mobility=NoMotion(),
        vehicles=None,
        weather=WeatherParams(),
        seed=1,
        tick_us=TICK_US,
        warmup_us=0,
    )
    return CooperativePerception(CooperativePerceptionParams(**params), context)


def seeing(time_us: int, offset_m: list[float], hosts: list[int], **columns: Any) -> Scene:
    """Return a scene in which some see everybody, and nobody hears anything."""
    scene = scene_at(time_us, [WEST] * len(offset_m), offset_m, 0, **columns)
    scene.seen = scene.known.take(np.flatnonzero(np.isin(scene.known.host, hosts)))
    scene.known = scene.seen
    return scene


def run(made: CooperativePerception, n_ticks: int, speed_mps: float) -> dict[int, list[Outgoing]]:
    """Return what row 0 says of row 1 before it, which goes away from it with a speed."""
    said = {}
    for tick in range(n_ticks):
        offset_m = [40.0, 60.0 + speed_mps * tick / 10]
        scene = seeing(tick * TICK_US, offset_m, [0], speed_mps=speed_mps)
        said[tick] = list(made.tick(scene).messages)
    return {tick: messages for tick, messages in said.items() if messages}


def test_a_cpm_tells_an_object_that_has_moved_by_four_metres() -> None:
    said = run(service(), 9, 15.0)
    assert list(said) == [0, 3, 6]
    (message,) = said[3]
    assert message.topic is Topic.RSM
    assert message.content.row.tolist() == [1]


def test_an_ssm_tells_all_that_is_seen_every_period() -> None:
    assert list(run(service(message="ssm"), 5, 0.0)) == [0, 1, 2, 3, 4]
    assert list(run(service(message="ssm", interval_ms=200), 5, 0.0)) == [0, 2, 4]


@pytest.mark.parametrize("message", ["cpm", "ssm"])
def test_the_nearest_are_told_that_fit(message: str) -> None:
    offset_m = [40.0, *(60.0 + 6.0 * k for k in range(20))]
    (said,) = service(message=message, max_bytes=400).tick(seeing(0, offset_m, [0])).messages
    n = len(said.content.row)
    assert said.content.row.tolist() == list(range(1, n + 1))
    assert 370 < said.size_bytes <= 400
    (more,) = service(message=message, max_bytes=2000).tick(seeing(0, offset_m, [0])).messages
    assert len(more.content.row) == 20


def test_an_object_adds_thirty_bytes_to_a_cpm() -> None:
    one, two = (
        service().tick(seeing(0, [40.0, *offsets], [0])).messages[0].size_bytes
        for offsets in ([60.0], [60.0, 70.0])
    )
    # applications.md 2.3: 30 B for a full object, rounded to whole bytes.
    assert two - one == pytest.approx(30, abs=1)


def test_who_has_no_device_says_nothing() -> None:
    scene = seeing(0, [40.0, 60.0], [0])
    scene.equipped = np.array([False, True])
    assert not service().tick(scene).messages


def test_the_table_counts_seen_known_and_silent_pairs() -> None:
    made = service(range_m=100.0)
    scene = seeing(0, [40.0, 60.0, 120.0, 190.0], [0])
    known = scene_at(0, [WEST] * 4, [40.0, 60.0, 120.0, 190.0], 0).known
    scene.seen = scene.seen.take(np.flatnonzero(scene.seen.remote == 1))
    scene.known = known.take(np.flatnonzero((known.host == 0) & (known.remote == 2)))
    scene.equipped = np.array([True, True, False, True])
    made.tick(scene)
    table = {name: values.tolist() for name, values in made.tables()["perception"].items()}
    # Pairs within 100 m: 0-1, 0-2, 1-2 and 2-3; hosts with a device 0 (2), 1 (2) and 3 (1).
    assert table == {
        "time_s": [0.0],
        "n_pairs": [5],
        "n_seen": [1],
        "n_known": [2],
        "n_silent": [3],
        "n_silent_seen": [0],
        "n_silent_known": [1],
    }
