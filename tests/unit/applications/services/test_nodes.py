"""Merging and intersection passing: what units learn, say, and bring about."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from tests.unit.applications.services.closed_loop import (
    Arrives,
    Loop,
    Posts,
    always,
    closed_loop,
    line_up,
    losing,
    never,
)
from tests.unit.mobility.conftest import make_map, on_ramp
from v2x.applications.services.approaches import Approaching
from v2x.applications.services.intersection_passing import (
    CrossingRule,
    IntersectionPassing,
    PassingParams,
)
from v2x.applications.services.merging import CooperativeMerging, MergeRule, MergingParams
from v2x.applications.services.node_post import CoordinationParams
from v2x.applications.services.timetable import in_conflict
from v2x.messages.topics import Topic
from v2x.mobility.junctions import lane_network
from v2x.mobility.vehicle_classes import Mix
from v2x.perception.information import Knowledge
from v2x.world.road_map import RoadMap
from v2x.world.synthetic import junction

CARS = Mix(car=1.0, truck=0.0, bus=0.0)
MAIN, RAMP, OUT = range(3)
RAMP_ROAD = on_ramp(main_lanes=1, out_lanes=1)
BESIDE_THE_MERGE = Posts([0.0], [-10.0])


def crossing() -> RoadMap:
    """Return four arms of 300 m without traffic lights; edges 0, 2, 4, 6 lead to node 0."""
    road, edges = {"limit_mps": 14.0}, []
    for k, (x, y) in enumerate([(300.0, 0.0), (0.0, 300.0), (-300.0, 0.0), (0.0, -300.0)], 1):
        edges.append((k, 0, [(x, y), (0.0, 0.0)], road))
        edges.append((0, k, [(0.0, 0.0), (x, y)], road))
    return make_map(edges)


def merging(
    n: int = 22, *, seed: int = 2, posts: Posts | None = BESIDE_THE_MERGE, **options: Any
) -> Loop:
    traffic = {"n_vehicles": n, "mix": CARS}
    params = CooperativeMerging.Params()
    return closed_loop(
        RAMP_ROAD,
        lambda context: CooperativeMerging(params, context),
        seed=seed,
        posts=posts,
        traffic=traffic,
        **options,
    )


def passing(n: int = 12, *, seed: int = 2, **options: Any) -> Loop:
    params = IntersectionPassing.Params()
    return closed_loop(
        crossing(),
        lambda context: IntersectionPassing(params, context),
        seed=seed,
        posts=Posts([8.0], [8.0]),
        traffic={"n_vehicles": n, "mix": CARS},
        **options,
    )


def windows(loop: Loop) -> list[Any]:
    posts = loop.services._parts.services[0].coordination.posts  # type: ignore[attr-defined]
    return [window for post in posts for window in post.windows.values()]


def vehicle(edge: int, lane: int = 0) -> Approaching:
    return Approaching(row=0, edge=edge, lane=lane, distance_m=50.0, speed_mps=10.0)


def test_merges_and_crossings_are_told_apart() -> None:
    ramp, cross = lane_network(RAMP_ROAD), lane_network(crossing())
    assert MergeRule(MergingParams(), ramp).nodes == (1,)
    assert CrossingRule(PassingParams(), ramp).nodes == ()
    assert MergeRule(MergingParams(), cross).nodes == ()
    assert CrossingRule(PassingParams(), cross).nodes == (0,)
    # Traffic lights need no turns.
    assert CrossingRule(PassingParams(), lane_network(junction())).nodes == ()


def test_only_the_ramp_asks_and_only_shared_lanes_count() -> None:
    network = lane_network(on_ramp(main_lanes=2, out_lanes=2))
    rule = MergeRule(MergingParams(), network)
    main, ramp = network.movement(MAIN, OUT), network.movement(RAMP, OUT)
    assert rule.asks(ramp)
    assert not rule.asks(main)
    assert rule.movement_of(vehicle(MAIN, 0), -1) == main
    assert rule.movement_of(vehicle(MAIN, 1), -1) == -1
    assert rule.movement_of(vehicle(RAMP, 0), -1) == ramp
    # A ramp with a lane of its own merges with nobody.
    apart = MergeRule(MergingParams(), lane_network(on_ramp(main_lanes=2, out_lanes=3)))
    assert apart.nodes == ()


def test_at_a_crossing_only_who_has_told_counts() -> None:
    network = lane_network(crossing())
    rule = CrossingRule(PassingParams(), network)
    movement = int(network.first_movement[0])
    assert rule.movement_of(vehicle(0), -1) == -1
    assert rule.movement_of(vehicle(0), movement) == movement
    assert rule.movement_of(vehicle(2), movement) == -1
    assert rule.hold_us(movement, 15.0) > rule.hold_us(movement, 5.0) > 0


@pytest.mark.parametrize("arrives", [always, losing(0.5)], ids=["all", "half"])
@pytest.mark.parametrize("make", [merging, passing])
def test_windows_of_conflicting_ways_never_overlap(
    make: Callable[..., Loop], arrives: Arrives
) -> None:
    loop = make(arrives=arrives)
    network = lane_network(RAMP_ROAD if make is merging else crossing())
    n_compared = 0
    for _ in range(50):
        loop.run(0.4)
        for one, other in combinations(windows(loop), 2):
            if in_conflict(network, one.movement, other.movement):
                n_compared += 1
                first, second = sorted((one, other), key=lambda item: item.begin_us)
                assert second.begin_us >= first.end_us
    assert n_compared > 20


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_requests_are_answered_and_end_with_complete(share: float) -> None:
    loop = passing(arrives=losing(share))
    loop.run(30.0)
    table = loop.tables()["dialogues"]
    answer_s = table["answer_s"] - table["begin_s"]
    assert np.nanmax(answer_s) < (0.5 if share == 0.0 else 1.1)
    over = table["outcome"] > 0
    assert over.sum() >= 5
    assert (table["outcome"][over] == 1).mean() > 0.8
    assert (table["partner_id"] == 1_000_000).all()
    assert (table["n_messages"][over] >= 3).all()


@pytest.mark.parametrize("make", [merging, passing])
def test_without_messages_nothing_is_asked_of_anybody(make: Callable[..., Loop]) -> None:
    loop = make(arrives=never)
    loop.run(5.0)
    assert {message.topic for _, message in loop.sent} == {Topic.RSC}
    assert np.isinf(loop.model.controls.speed_mps).all()
    assert len(loop.tables()["dialogues"]["number"]) == 0


def test_a_node_without_a_unit_is_not_coordinated() -> None:
    for posts in (None, Posts([0.0], [-400.0])):
        loop = merging(posts=posts)
        loop.run(2.0)
        assert not loop.sent


def slowed(arrives: Arrives, knowledge: Knowledge = Knowledge.MESSAGES) -> set[int]:
    """Return who was told to slow down when two vehicles would meet at the merge."""
    loop = merging(2, arrives=arrives, knowledge=knowledge)
    line_up(loop, [520.0, 205.0], 15.0, stop=_stops(loop))
    rows: set[int] = set()
    for _ in range(40):
        loop.run(0.1)
        rows |= set(np.flatnonzero(np.isfinite(loop.model.controls.speed_mps)).tolist())
    return rows


def _stops(loop: Loop) -> list[int]:
    """Return stops of routes on the main road and on the ramp."""
    edge, after = loop.model._book.edge, loop.model._book.after
    return [
        next(k for k in range(len(edge)) if edge[k] == wanted and after[k] >= 0)
        for wanted in (MAIN, RAMP)
    ]


def test_one_of_two_who_would_meet_is_slowed_down() -> None:
    assert len(slowed(always)) == 1
    assert slowed(never) == set()
    assert slowed(always, Knowledge.NONE) == set()


def test_the_same_seed_gives_the_same_motion_and_the_baseline_another() -> None:
    def motion(knowledge: Knowledge) -> bytes:
        loop = merging(knowledge=knowledge)
        loop.run(12.0)
        return b"".join(state.offset_m.tobytes() for state in loop.states)

    assert motion(Knowledge.MESSAGES) == motion(Knowledge.MESSAGES)
    assert motion(Knowledge.MESSAGES) != motion(Knowledge.NONE)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (CoordinationParams, {"period_ms": 50}),
        (CoordinationParams, {"own_m": 300.0}),
        (CoordinationParams, {"most_advised": 17}),
        (MergingParams, {"headway_s": 0.0}),
        (PassingParams, {"clear_s": -1.0}),
    ],
)
def test_impossible_parameters_are_rejected(kind: Any, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        kind(**values)
