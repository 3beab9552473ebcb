"""Extrapolation and memory of what road users say of themselves."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tests.simulation_parts import fleet_state
from v2x.perception.ldm import Heard, LocalDynamicMap, Source, newest
from v2x.perception.states import StateRing, States

_WHOLE = ("edge", "lane", "level", "turn", "flags")


def states(n: int, **columns: ArrayLike) -> States:
    values: dict[str, Any] = {}
    for item in fields(States):
        dtype = np.int32 if item.name in _WHOLE else np.float64
        values[item.name] = np.array(np.broadcast_to(columns.get(item.name, 0), n), dtype=dtype)
    return States(**values)


def test_speed_and_bend_go_on() -> None:
    later = states(1, speed_mps=10.0, acceleration_mps2=2.0, offset_m=5.0).after(np.array([0.5]))
    assert later.x_m[0] == pytest.approx(10.0 * 0.5 + 0.5 * 2.0 * 0.25)
    assert later.speed_mps[0] == pytest.approx(11.0)
    assert later.offset_m[0] == pytest.approx(5.0 + 5.25)


def test_a_bend_is_followed_as_its_circle() -> None:
    radius, speed, seconds = 50.0, 10.0, 0.6
    later = states(1, speed_mps=speed, yaw_rate_radps=speed / radius).after(np.array([seconds]))
    angle = speed * seconds / radius
    assert later.x_m[0] == pytest.approx(radius * np.sin(angle), rel=2e-3)
    assert later.y_m[0] == pytest.approx(radius * (1.0 - np.cos(angle)), rel=2e-3)
    assert later.heading_rad[0] == pytest.approx(angle)


def test_who_brakes_comes_to_a_stand_and_not_backwards() -> None:
    later = states(1, speed_mps=3.0, acceleration_mps2=-6.0).after(np.array([1.0]))
    assert later.speed_mps[0] == 0.0
    assert later.x_m[0] == pytest.approx(3.0**2 / (2.0 * 6.0))


def test_acceleration_lasts_for_a_second() -> None:
    later = states(1, speed_mps=10.0, acceleration_mps2=1.0).after(np.array([2.0]))
    assert later.speed_mps[0] == pytest.approx(11.0)
    assert later.x_m[0] == pytest.approx(10.5 + 11.0)


def test_who_is_off_the_road_has_no_offset() -> None:
    assert states(1, speed_mps=10.0, edge=-1).after(np.array([1.0])).offset_m[0] == 0.0


def test_the_ring_returns_the_tick_before_a_message_of_the_same_sender() -> None:
    ring = StateRing(2, 5, 100_000)
    for tick in range(4):
        ring.put(fleet_state(tick * 100_000, [0.0, 0.0]), states(2, x_m=[10.0 * tick, -1.0]))
    ring.put(fleet_state(400_000, [0.0, 0.0], id=[0, 9]), states(2, x_m=[40.0, 0.0]))
    row, identity = np.array([0, 0, 1, 1]), np.array([0, 0, 9, 9])
    generated = np.array([250_000, 399_999, 400_000, 300_000])
    said, time_us, remembered = ring.said(row, identity, generated)
    assert said.x_m[:3].tolist() == [20.0, 30.0, 0.0]
    assert time_us.tolist() == [200_000, 300_000, 400_000, 300_000]
    assert remembered.tolist() == [True, True, True, False]


def test_the_ring_forgets() -> None:
    ring = StateRing(1, 4, 100_000)
    for tick in range(6):
        ring.put(fleet_state(tick * 100_000, [0.0]), states(1))
    _, _, remembered = ring.said(np.array([0, 0]), np.array([0, 0]), np.array([100_000, 200_000]))
    assert remembered.tolist() == [False, True]


def test_the_map_holds_what_arrived_where_it_is_by_now() -> None:
    ldm = LocalDynamicMap(2, 1_000_000, 100_000)
    fleet = fleet_state(0, [0.0, 50.0])
    ldm.tell(fleet, states(2, x_m=[0.0, 50.0], speed_mps=20.0))
    for tick in range(1, 4):
        fleet = fleet_state(tick * 100_000, [0.0, 50.0])
        ldm.tell(fleet, states(2, speed_mps=0.0))
    heard = Heard(np.array([1], np.int32), np.array([0], np.int32), np.array([60_000]))
    known = ldm.known(fleet, heard)
    assert known.host.tolist() == [0]
    assert known.remote.tolist() == [1]
    assert known.age_s[0] == pytest.approx(0.24)
    assert known.states.x_m[0] == pytest.approx(50.0 + 20.0 * 0.3)
    assert known.source[0] == Source.MESSAGE


@pytest.mark.parametrize(
    ("age_us", "is_known"), [(1_000_000, True), (1_000_001, False), (-1, False)]
)
def test_what_is_too_old_or_not_yet_said_is_not_known(age_us: int, is_known: bool) -> None:
    ldm = LocalDynamicMap(1, 1_000_000, 100_000)
    for tick in range(21):
        fleet = fleet_state(tick * 100_000, [0.0])
        ldm.tell(fleet, states(1))
    heard = Heard(
        np.array([0], np.int32), np.array([0], np.int32), np.array([fleet.time_us - age_us])
    )
    assert (len(ldm.known(fleet, heard)) == 1) == is_known


def test_of_two_sources_the_newer_one_counts() -> None:
    ldm = LocalDynamicMap(3, 1_000_000, 100_000)
    for tick in range(5):
        fleet = fleet_state(tick * 100_000, [0.0, 1.0, 2.0])
        ldm.tell(fleet, states(3))

    def heard(pairs: list[tuple[int, int]], generated: list[int]) -> Heard:
        remote, host = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
        return Heard(remote, host, np.array(generated, dtype=np.int64))

    first = ldm.known(fleet, heard([(1, 0), (2, 0)], [100_000, 300_000]))
    second = ldm.known(fleet, heard([(1, 0), (2, 0), (0, 1)], [200_000, 300_000, 0]))
    both = newest(first, second, 3)
    found = {(h, r): g for h, r, g in zip(both.host, both.remote, both.generated_us, strict=True)}
    assert found == {(0, 1): 200_000, (0, 2): 300_000, (1, 0): 0}
