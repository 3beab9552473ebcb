"""Where events lie for hosts: along the road, across nodes, in which lane, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tests.unit.applications.warnings.judging import ABOVE, BACK, BEYOND, THERE, street
from tests.unit.applications.warnings.telling import DRIVER, NOW_US, board_with, drive, event
from tests.unit.mobility.conftest import off_ramp
from tests.unit.perception.roads import (
    BRIDGE,
    EAST,
    RIGHT,
    SOUTH,
    STRAIGHT,
    WEST,
    fork_map,
)
from v2x.applications.warnings.notices import NoticeBoard
from v2x.messages.topics import Topic
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import LevelCheck, Scene
from v2x.world.road_map import RoadMap
from v2x.world.synthetic import highway


@dataclass(frozen=True)
class Place:
    """Where one event lies for the driver."""

    begin_m: float
    end_m: float
    lane: int
    subject: int
    generated_us: int


def places(road: RoadMap, scene: Scene) -> list[Place]:
    def events(content: object) -> tuple[RoadEvent, ...]:
        assert isinstance(content, RoadNotices)
        return content.events

    found = NoticeBoard(road).placed(scene, (Topic.RSI,), events)
    return [
        Place(
            float(found.begin_m[k]),
            float(found.end_m[k]),
            int(found.lane[k]),
            int(found.subject[k]),
            int(found.generated_us[k]),
        )
        for k in np.flatnonzero(found.host == DRIVER)
    ]


def place(
    road: RoadMap,
    at: tuple[int, float],
    zone: tuple[int, float, float],
    check: LevelCheck = LevelCheck.MAP,
    **columns: object,
) -> tuple[float, float, int] | None:
    """Return begin, end and lane of a zone (edge, offset, length) for a driver, None for none."""
    board = board_with(event(408, *zone))
    found = places(road, drive(road, board, *at, 20.0, check=check, **columns))
    assert len(found) <= 1
    return (found[0].begin_m, found[0].end_m, found[0].lane) if found else None


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        ((WEST, 150.0), (WEST, 180.0, 30.0), (30.0, 60.0, 1)),  # ahead on the same edge
        ((WEST, 190.0), (WEST, 180.0, 30.0), (-10.0, 20.0, 1)),  # in it
        ((WEST, 190.0), (WEST, 100.0, 30.0), (-90.0, -60.0, 1)),  # past it
        ((WEST, 150.0), (STRAIGHT, 40.0, 30.0), (90.0, 120.0, 1)),  # on the likely way on
        ((WEST, 150.0), (EAST, 10.0, 30.0), (160.0, 190.0, 1)),  # two nodes on
        ((WEST, 150.0), (RIGHT, 40.0, 30.0), None),  # where the road turns off
        ((STRAIGHT, 20.0), (WEST, 180.0, 60.0), (-40.0, 20.0, 1)),  # it reaches over the node
        ((RIGHT, 20.0), (WEST, 180.0, 60.0), None),  # and not into the turn
        ((SOUTH, 20.0), (WEST, 180.0, 60.0), None),  # the road only joins
        ((WEST, 50.0), (BRIDGE, 50.0, 60.0), None),  # above
    ],
)
def test_zones_follow_the_road(
    at: tuple[int, float],
    zone: tuple[int, float, float],
    expected: tuple[float, float, int] | None,
) -> None:
    found = place(fork_map(), at, zone, lane=1)
    assert found == (None if expected is None else pytest.approx(expected))


def test_who_indicates_may_turn_off() -> None:
    found = place(fork_map(), (WEST, 150.0), (RIGHT, 40.0, 30.0), turn=[-1, 0])
    assert found is not None
    assert found[:2] == pytest.approx((90.0, 120.0))


def test_lanes_are_those_to_which_the_own_lane_leads() -> None:
    """Of three lanes the right one leaves for a ramp; the others are 0 and 1 behind it."""
    road = off_ramp()
    ahead = place(road, (0, 1150.0), (1, 20.0, 50.0), lane=2)
    inside = place(road, (1, 20.0), (0, 1150.0, 100.0), lane=1)
    assert ahead == pytest.approx((70.0, 120.0, 1))
    assert inside == pytest.approx((-70.0, 30.0, 2))


@pytest.mark.parametrize(
    ("edge", "check", "told"),
    [
        (THERE, LevelCheck.MAP, True),
        (THERE, LevelCheck.NONE, True),
        (THERE, LevelCheck.GATE, True),
        (ABOVE, LevelCheck.MAP, False),
        (ABOVE, LevelCheck.NONE, True),  # what a receiver without levels takes for its own road
        (ABOVE, LevelCheck.GATE, False),
        (BACK, LevelCheck.MAP, False),
        (BACK, LevelCheck.NONE, False),
        (BEYOND, LevelCheck.MAP, False),
        (BEYOND, LevelCheck.NONE, False),
    ],
)
def test_other_decks_and_carriageways(edge: int, check: LevelCheck, told: bool) -> None:
    road = street()
    offset_m = 200.0 if edge in (THERE, ABOVE) else 800.0
    found = place(road, (THERE, 100.0), (edge, offset_m, 50.0), check)
    assert (found is not None) == told
    if told:
        assert found is not None
        assert found[0] == pytest.approx(100.0)
        assert found[2] == (0 if check is LevelCheck.MAP else -1)


@pytest.mark.parametrize(("left_m", "told"), [(10.4, True), (10.6, False)])
def test_without_a_map_the_zone_is_as_wide_as_its_road_to_each_side(
    left_m: float, told: bool
) -> None:
    """Three lanes of 3.5 m."""
    road = street()
    board = board_with(event(408, THERE, 200.0))
    scene = drive(road, board, THERE, 100.0, 20.0, check=LevelCheck.NONE, y_m=left_m)
    assert bool(places(road, scene)) == told


def test_without_a_map_it_is_found_across_the_seam_of_a_ring() -> None:
    ring = highway(length_m=1000.0, wrap=True)
    board = board_with(event(408, 0, 30.0))
    (found,) = places(ring, drive(ring, board, 0, 990.0, 20.0, check=LevelCheck.NONE))
    assert found.begin_m == pytest.approx(40.0)


def test_one_event_of_two_units_counts_once_and_the_newest_does() -> None:
    road = street()
    board = board_with(
        event(408, THERE, 200.0), event(408, THERE, 210.0), ages_us=[300_000, 200_000]
    )
    (found,) = places(road, drive(road, board, THERE, 100.0, 20.0))
    assert (found.begin_m, found.generated_us) == (pytest.approx(110.0), NOW_US - 200_000)


def test_events_of_the_same_number_and_other_codes_are_two() -> None:
    road = street()
    board = board_with(event(408, THERE, 200.0), event(501, THERE, 210.0))
    found = places(road, drive(road, board, THERE, 100.0, 20.0))
    assert [item.subject for item in found] == [(408 << 32) + 4, (501 << 32) + 4]


@pytest.mark.parametrize(("ago_us", "told"), [(990_000, True), (1_010_000, False)])
def test_what_is_too_old_does_not_count(ago_us: int, told: bool) -> None:
    road = street()
    board = board_with(event(408, THERE, 200.0), ages_us=[ago_us])
    assert bool(places(road, drive(road, board, THERE, 100.0, 20.0))) == told


@pytest.mark.parametrize("column", ["speed_mps", "offset_m"])
def test_who_does_not_know_its_own_state_is_not_told(column: str) -> None:
    road = street()
    scene = drive(road, board_with(event(408, THERE, 200.0)), THERE, 100.0, 20.0)
    values = getattr(scene.own, column).copy()
    values[DRIVER] = np.nan
    object.__setattr__(scene.own, column, values)
    assert not places(road, scene)


def test_walkers_and_units_are_not_told() -> None:
    road = street()
    scene = drive(road, board_with(event(408, THERE, 200.0)), THERE, 100.0, 20.0, kind=[3, 4])
    assert not places(road, scene)


def test_zones_off_the_road_are_for_nobody() -> None:
    road = street()
    assert not places(road, drive(road, board_with(event(408, -1, 0.0)), THERE, 100.0, 20.0))
