"""Roadside units: periods, classes, signs, junctions, road users, sizes and failure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.unit.mobility.conftest import make_map
from tests.unit.perception.roads import STRAIGHT, WEST, fork_map, on_roads, scene_of
from v2x.applications.services.air_sizes import Certificates, roadside_bytes, room_bytes
from v2x.applications.services.base import Outgoing, ServiceContext
from v2x.applications.services.roadside.objects import empty_bits, participant_bits
from v2x.applications.services.roadside.params import RoadsideServiceParams
from v2x.applications.services.roadside.service import Roadside
from v2x.applications.services.roadside.signs import (
    SHARP_BEND,
    SPEED_LIMIT,
    STEEP_SLOPE,
    TUNNEL,
    sign_posts,
)
from v2x.applications.services.roadside.telling import ANCHOR
from v2x.messages.csae.elements import Position3D
from v2x.messages.csae.offset_widths import offset_widths
from v2x.messages.csae.offsets import offset_from
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, KeyEvent, NodeKind
from v2x.mobility.junctions import lane_network
from v2x.perception.contents import JunctionMap, RoadNotices
from v2x.perception.objects import PerceivedObjects
from v2x.perception.scene import Scene
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

ROAD = fork_map()
TICK_US = 100_000
UNIT = 0


class NoMotion:
    """Moves nobody; services ask it for nothing here."""

    n_rows = 0

    def advance(self, time_us: int) -> FleetState:
        raise AssertionError("services move nobody")


def service(road_map: RoadMap = ROAD, **params: Any) -> Roadside:
    context = ServiceContext(
        network=lane_network(road_map),
        mobility=NoMotion(),
        vehicles=None,
        weather=WeatherParams(),
        seed=1,
        tick_us=TICK_US,
        warmup_us=0,
    )
    return Roadside(RoadsideServiceParams(**params), context)


def scene_at(
    time_us: int, edge: Sequence[int], offset_m: Sequence[float], n_units: int = 1, **columns: Any
) -> Scene:
    """Return a scene whose first rows are units, in which everybody knows everybody."""
    kind = np.zeros(len(edge), dtype=np.int32)
    kind[:n_units] = NodeKind.RSU
    columns = {"kind": kind, "speed_mps": 15.0} | columns
    fleet = on_roads(ROAD, list(edge), list(offset_m), time_us=time_us, **columns)
    scene = scene_of(fleet, ROAD)
    scene.board.begin(time_us, np.zeros(fleet.n_rows, dtype=np.bool_))
    return scene


def run(roadside: Roadside, n_ticks: int, *where: Any, **columns: Any) -> list[list[Outgoing]]:
    """Return what units say in each tick."""
    said = []
    for tick in range(n_ticks):
        output = roadside.tick(scene_at(tick * TICK_US, *where, **columns))
        said.append(list(output.messages))
    return said


def test_messages_keep_their_periods() -> None:
    said = run(service(), 20, [WEST, WEST], [190.0, 100.0])
    count = dict.fromkeys(Topic, 0)
    for messages in said:
        for message in messages:
            count[message.topic] += 1
    signs = {m.part for tick in said for m in tick if m.topic is Topic.RSI}
    assert count[Topic.RSM] == 20
    assert count[Topic.MAP] == 2
    assert count[Topic.RSI] == 2 * len(signs)


@pytest.mark.parametrize(
    ("name", "value"),
    [("map_ms", 1100), ("spat_ms", 600), ("rsm_ms", 200), ("dynamic_ms", 150), ("static_ms", 50)],
)
def test_periods_beyond_the_standard_are_rejected(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        RoadsideServiceParams(**{name: value})


def test_messages_of_a_tick_follow_each_other() -> None:
    for messages in run(service(), 10, [WEST, WEST], [190.0, 100.0]):
        spans = sorted((m.after_us, m.after_us + (m.budget_us or 0)) for m in messages)
        assert all(m.budget_us == TICK_US // 4 for m in messages)
        slow = [m for m in messages if m.after_us == 75_000]
        assert len({begin for begin, _ in spans}) == len(spans) - max(len(slow) - 1, 0)


def test_priorities_are_those_of_the_classes() -> None:
    roadside = service(rules=_rules(stopped_s=0.0))
    said = run(roadside, 10, [WEST, WEST], [190.0, 60.0], speed_mps=[0.0, 0.0])
    found = {(m.topic, m.part // 1000): m.priority for tick in said for m in tick}
    assert found[Topic.RSM, 0] == 2
    assert found[Topic.MAP, 0] == 8
    assert found[Topic.RSI, 0] == 7
    assert found[Topic.RSI, 1] == 5


def _rules(**values: Any) -> Any:
    return replace(RoadsideServiceParams().rules, **values)


def test_a_message_has_events_of_one_class_only() -> None:
    flags = [0, *[int(KeyEvent.ABS)] * 2, int(KeyEvent.DISABLED_VEHICLE)]
    said = run(
        service(rules=_rules(stopped_s=0.0)),
        6,
        [WEST] * 4,
        [190.0, 40.0, 42.0, 20.0],
        speed_mps=[0.0, 15.0, 15.0, 0.0],
        flags=flags,
    )
    codes = {
        frozenset(event.code for event in m.content.events)
        for tick in said
        for m in tick
        if isinstance(m.content, RoadNotices) and m.content.events
    }
    assert codes == {frozenset({103}), frozenset({408})}


def test_junctions_within_the_range_are_told_and_others_are_not() -> None:
    near = run(service(range_m=90.0), 10, [WEST], [150.0])
    maps = [m.content for tick in near for m in tick if m.topic is Topic.MAP]
    assert maps == [] or all(2 not in content.nodes for content in maps)
    wide = run(service(range_m=300.0), 10, [WEST], [150.0])
    nodes = {
        node
        for tick in wide
        for m in tick
        if isinstance(m.content, JunctionMap)
        for node in m.content.nodes
    }
    assert 2 in nodes


def test_no_message_is_longer_than_asked_for_and_some_have_the_certificate() -> None:
    said = run(service(max_bytes=330), 20, [WEST] * 14, [190.0, *range(10, 140, 10)])
    sizes = [m.size_bytes for tick in said for m in tick]
    assert max(sizes) <= 330
    small = run(service(max_bytes=400), 10, [WEST], [190.0])
    rsm = [m.size_bytes for tick in small for m in tick if m.topic is Topic.RSM]
    assert rsm[0] - rsm[1] == 155


def test_the_certificate_goes_every_450_ms_with_what_has_room() -> None:
    certificates = Certificates(400)
    lengths = [certificates.on_air_bytes(tick * 100_000, 7, 39) for tick in range(11)]
    named = [
        k for k, size in enumerate(lengths) if size == roadside_bytes(39, with_certificate=True)
    ]
    assert named == [0, 5, 10]
    assert Certificates(400).on_air_bytes(0, 7, room_bytes(400)) == 400


def test_an_rsm_is_as_long_as_the_standard_one() -> None:
    assert empty_bits() == 8 * 39 - 1
    # 26 bytes for a participant of the figures of applications.md, found by its BSM in 14 bits.
    assert participant_bits(12, 7, heard=True) == pytest.approx(8 * 26, abs=8)
    assert participant_bits(14, 7, heard=True) - participant_bits(12, 7, heard=True) == 4
    assert participant_bits(12, 7, heard=True) - participant_bits(12, 7, heard=False) == 64


@pytest.mark.parametrize("away_deg", [1e-6, 2.047e-4, 2.048e-4, 2.049e-4, 9e-4, 0.01, 0.5])
@pytest.mark.parametrize("rise_m", [-6.4, -6.3, 0.0, 6.3, 6.4, 60.0, 400.0])
def test_widths_are_those_of_the_offsets_themselves(away_deg: float, rise_m: float) -> None:
    for sign in (1.0, -1.0):
        place = Position3D(
            latitude_deg=29.563 + sign * away_deg, longitude_deg=106.55, elevation_m=rise_m
        )
        offset = offset_from(ANCHOR, place)
        plan, height = offset_widths(ANCHOR, [place])
        assert offset.vertical is not None
        assert (plan[0], height[0]) == (offset.horizontal.bits, offset.vertical.bits)


def test_an_rsm_tells_fifteen_at_most_those_in_trouble_first_then_the_nearest() -> None:
    offsets = [190.0, *(180.0 - 8.0 * k for k in range(18))]
    speed = [0.0] + [15.0] * 17 + [0.0]
    said = run(service(max_bytes=2000), 1, [WEST] * 19, offsets, speed_mps=speed)
    (objects,) = [m.content for m in said[0] if m.topic is Topic.RSM]
    assert isinstance(objects, PerceivedObjects)
    assert objects.row.tolist() == [18, *range(1, 15)]


def test_an_rsm_tells_as_many_as_fit() -> None:
    offsets = [190.0, *(180.0 - 8.0 * k for k in range(18))]
    said = run(service(max_bytes=400), 1, [WEST] * 19, offsets)
    (message,) = [m for m in said[0] if m.topic is Topic.RSM]
    n = len(message.content.row)
    assert 8 <= n <= 10
    assert message.size_bytes <= 400


def test_receivers_carry_told_states_on_to_where_the_unit_knew_them() -> None:
    said = run(service(), 3, [WEST, WEST], [190.0, 100.0], acceleration_mps2=[0.0, 1.0])
    (objects,) = [m.content for m in said[2] if m.topic is Topic.RSM]
    age_s = (2 * TICK_US - objects.measured_us) / 1e6
    known = scene_at(2 * TICK_US, [WEST, WEST], [190.0, 100.0], acceleration_mps2=[0.0, 1.0]).known
    mine = known.host == UNIT
    np.testing.assert_allclose(objects.states.after(age_s).x_m, known.states.x_m[mine])


def test_heard_road_users_are_left_out_if_asked() -> None:
    said = run(service(repeat_bsm=False), 1, [WEST, WEST], [190.0, 100.0])
    (objects,) = [m.content for m in said[0] if m.topic is Topic.RSM]
    assert len(objects.row) == 0


def bent_road(radius_m: float) -> RoadMap:
    angle = np.linspace(0.0, np.pi / 2, 19)
    arc = [(radius_m * np.sin(a), radius_m * (1 - np.cos(a))) for a in angle]
    return make_map([(0, 1, arc, {})])


@pytest.mark.parametrize(("radius_m", "expected"), [(120.0, True), (130.0, False)])
def test_bends_tighter_than_the_limit_have_a_sign(radius_m: float, expected: bool) -> None:
    posts = sign_posts(lane_network(bent_road(radius_m)), RoadsideServiceParams())
    assert any(post.sign.code == SHARP_BEND for post in posts) == expected


@pytest.mark.parametrize(
    ("rise_m", "length_m", "expected"),
    [(5.2, 101.0, True), (4.9, 101.0, False), (5.2, 99.0, False)],
)
def test_long_steep_slopes_have_a_sign(rise_m: float, length_m: float, expected: bool) -> None:
    line = [(0.0, 0.0, 0.0), (length_m, 0.0, rise_m * length_m / 100.0), (400.0, 0.0, 5.0)]
    posts = sign_posts(lane_network(make_map([(0, 1, line, {})])), RoadsideServiceParams())
    assert any(post.sign.code == STEEP_SLOPE for post in posts) == expected


def test_limits_and_tunnels_have_a_sign_each() -> None:
    line = [(0.0, 0.0), (500.0, 0.0)]
    posts = sign_posts(
        lane_network(make_map([(0, 1, line, {"structure": 2, "limit_mps": 22.0})])),
        RoadsideServiceParams(),
    )
    assert {post.sign.code for post in posts} == {SPEED_LIMIT, TUNNEL}
    (limit,) = [post.sign for post in posts if post.sign.code == SPEED_LIMIT]
    assert (limit.value, limit.length_m) == (22.0, 500.0)


def test_units_that_fail_are_silent_from_then_on() -> None:
    said = run(service(dead_share=1.0, dead_from_s=0.5), 10, [WEST, STRAIGHT], [190.0, 20.0])
    assert all(said[k] for k in range(5))
    assert not any(said[k] for k in range(5, 10))
