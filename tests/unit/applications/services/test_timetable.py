"""Windows at a node: never two conflicting movements at once, whoever comes when."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.applications.services.timetable import (
    Arrival,
    Window,
    earliest_s,
    in_conflict,
    in_order,
    plan,
)
from v2x.mobility.junctions import lane_network
from v2x.world.synthetic import junction

NETWORK = lane_network(junction())
MOVEMENTS = st.integers(0, NETWORK.n_movements - 1)


@st.composite
def vehicles(draw: st.DrawFn) -> list[Arrival]:
    found = []
    for identity in range(draw(st.integers(1, 12))):
        movement = draw(MOVEMENTS)
        found.append(
            Arrival(
                identity=identity,
                movement=movement,
                since_us=draw(st.integers(0, 20)) * 100_000,
                edge=int(NETWORK.from_edge[movement]),
                lane=0,
                distance_m=draw(st.floats(0.0, 200.0)),
                earliest_us=draw(st.integers(0, 200)) * 100_000,
                hold_us=draw(st.integers(1, 50)) * 100_000,
            )
        )
    return found


@given(arrivals=vehicles(), clear_us=st.integers(0, 2_000_000), standing=vehicles())
def test_conflicting_movements_never_have_the_node_at_once(
    arrivals: list[Arrival], clear_us: int, standing: list[Arrival]
) -> None:
    fixed = plan(in_order(standing), (), NETWORK, clear_us=clear_us, follow_us=0)
    fixed = [
        Window(
            identity=100 + item.identity,
            movement=item.movement,
            begin_us=item.begin_us,
            end_us=item.end_us,
        )
        for item in fixed
    ]
    windows = plan(in_order(arrivals), fixed, NETWORK, clear_us=clear_us, follow_us=1_000_000)
    assert {item.identity for item in windows} == {item.identity for item in arrivals}
    for one, other in combinations([*fixed, *windows], 2):
        if in_conflict(NETWORK, one.movement, other.movement):
            first, second = sorted((one, other), key=lambda item: item.begin_us)
            assert second.begin_us >= first.end_us + clear_us


@given(arrivals=vehicles())
def test_nobody_is_early_and_nobody_overtakes_in_a_lane(arrivals: list[Arrival]) -> None:
    windows = plan(in_order(arrivals), (), NETWORK, clear_us=0, follow_us=700_000)
    begin = {item.identity: item.begin_us for item in windows}
    order = [item.identity for item in in_order(arrivals)]
    for item in arrivals:
        assert begin[item.identity] >= item.earliest_us
    for one, other in combinations(arrivals, 2):
        if one.edge == other.edge and one.distance_m < other.distance_m:
            assert order.index(one.identity) < order.index(other.identity)
            assert begin[other.identity] >= begin[one.identity] + 700_000


def arrival(identity: int, since_us: int, edge: int, distance_m: float) -> Arrival:
    return Arrival(
        identity=identity,
        movement=int(NETWORK.first_movement[edge]),
        since_us=since_us,
        edge=edge,
        lane=0,
        distance_m=distance_m,
        earliest_us=0,
        hold_us=1_000_000,
    )


def test_who_came_first_goes_first_but_not_through_the_one_ahead() -> None:
    late_in_front, early = arrival(1, 5, 0, 10.0), arrival(2, 1, 0, 30.0)
    other = arrival(3, 3, 2, 20.0)
    assert [item.identity for item in in_order([other, early, late_in_front])] == [1, 2, 3]


def test_ways_out_of_one_road_are_not_in_conflict() -> None:
    first, end = NETWORK.first_movement[0:2].tolist()
    for one in range(first, end):
        assert not any(in_conflict(NETWORK, one, other) for other in range(first, end))
    crossing = [m for m in range(NETWORK.n_movements) if NETWORK.crosses[m]]
    assert any(in_conflict(NETWORK, one, other) for one, other in combinations(crossing, 2))


@pytest.mark.parametrize(
    ("distance", "speed", "expected"),
    [(100.0, 20.0, 5.0), (2.0, 0.0, 2.0), (0.5 * 20.0 * 20.0 + 20.0, 0.0, 21.0)],
)
def test_earliest_arrival(distance: float, speed: float, expected: float) -> None:
    assert earliest_s(distance, speed, 20.0, 1.0) == pytest.approx(expected)
