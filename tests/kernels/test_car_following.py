"""The traffic kernel against plain twins: numpy on one road, brute force on networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x._kernels.car_following import CarFollowing
from v2x.mobility.base import MobilityContext
from v2x.mobility.car_following import idm_acceleration_mps2, on_slope_mps2, safe_speed_mps
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.lane_change import LaneChangeParams, mobil_gain_mps2
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.routes import LIMIT_DECELERATION_MPS2, RouteBook
from v2x.mobility.vehicle_classes import VehicleClasses
from v2x.mobility.vehicles import ClassTable, Settings, Vehicles, Workspace
from v2x.world import synthetic
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap

CLASSES = VehicleClasses().by_kind()
CLEARANCE_M, VIEW_M, VIEW_S = 0.3, 60.0, 8.0
LENGTH_M = np.array([5.0, 13.0, 13.0])
LIMIT_MPS, GRADE, ROAD_M, STEP_S = 30.0, 0.04, 2000.0, 0.1


def one_road(lanes: int = 1) -> RoadMap:
    """Return a straight road that rises by 4 %, with points every 100 m."""
    x = np.linspace(0.0, ROAD_M / math.hypot(1.0, GRADE), 21)
    return road_map_of(
        name="slope",
        edge_from=[0],
        edge_to=[1],
        edge_lanes=[lanes],
        edge_limit_mps=[LIMIT_MPS],
        edge_class=[0],
        class_names=DRIVE_CLASSES,
        edge_name=[""],
        polylines=Polylines(np.array([0, 21]), x, np.zeros(21), GRADE * x),
    )


class Bench:
    """A kernel on a map, with its arrays at hand."""

    def __init__(self, road_map: RoadMap, kind: Any, paths: Any, **lane_change: float) -> None:
        self.network: LaneNetwork = lane_network(road_map)
        self.book = RouteBook(self.network)
        self.book.add(paths)
        kinds = np.asarray(kind, dtype=np.int32)
        self.vehicles = Vehicles.empty(kinds, LENGTH_M[kinds])
        self.work = Workspace.of(self.network, len(kinds))
        self.kernel = CarFollowing(
            self.network,
            self.book,
            ClassTable.of(CLASSES),
            self.vehicles,
            self.work,
            Settings(
                step_s=STEP_S,
                grade_compensation=0.5,
                courtesy_s=5.0,
                longest_m=13.0,
                lane_change=LaneChangeParams(**lane_change),
            ),
        )

    def look(self) -> None:
        self.kernel.arrange()
        self.kernel.look(0, 0)


def twin_step(kind: Any, lane: Any, offset: Any, speed: Any, factor: Any) -> dict[str, Any]:
    """Return what one step on the one road does, vehicle by vehicle in numpy."""
    n = len(kind)
    leader = np.full(n, -1)
    gap, available = np.full(n, np.inf), np.full(n, np.inf)
    after, moved = np.empty(n), np.empty(n)
    for f in range(n):
        own = CLASSES[kind[f]]
        ahead = [g for g in range(n) if lane[g] == lane[f] and offset[g] > offset[f]]
        if ahead:
            g = min(ahead, key=lambda row: offset[row])
            distance = offset[g] - LENGTH_M[kind[g]] - offset[f]
            hardest = max(own.driver.emergency_mps2, CLASSES[kind[g]].driver.emergency_mps2)
            if distance <= VIEW_M + VIEW_S * speed[f]:
                leader[f], gap[f] = g, distance
                available[f] = distance - CLEARANCE_M + speed[g] ** 2 / (2 * hardest)
        v0 = min(own.driver.desired_speed_mps, factor[f] * LIMIT_MPS)
        closing = speed[f] - (speed[leader[f]] if leader[f] >= 0 else 0.0)
        wish = idm_acceleration_mps2(speed[f], gap[f], closing, v0, own.driver)
        a = max(
            float(on_slope_mps2(wish, speed[f], GRADE, own.engine, 0.5)),
            -own.driver.emergency_mps2,
        )
        new = max(speed[f] + a * STEP_S, 0.0)
        bound = float(safe_speed_mps(speed[f], available[f], own.driver.emergency_mps2, STEP_S))
        if available[f] - 0.5 * speed[f] * STEP_S > 0.0:
            new = min(new, bound)
            moved[f] = 0.5 * (speed[f] + new) * STEP_S
        else:
            new = 0.0
            moved[f] = min(0.5 * speed[f] * STEP_S, max(available[f], 0.0))
        rest = max(ROAD_M - offset[f] - moved[f], 0.0)
        cap = math.sqrt(LIMIT_MPS**2 + 2 * LIMIT_DECELERATION_MPS2 * rest)
        after[f] = min(new, factor[f] * min(LIMIT_MPS, cap))
    return {
        "leader": leader,
        "gap_m": gap,
        "available_m": available,
        "offset_m": offset + moved,
        "speed_mps": after,
        "acceleration_mps2": (after - speed) / STEP_S,
    }


@st.composite
def platoons(draw: st.DrawFn) -> tuple[Any, ...]:
    """Return kinds, lanes, fronts, speeds and speed factors of vehicles that can all stop."""
    n = draw(st.integers(0, 12))
    lanes = draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, n)
    lane = random.integers(0, lanes, n)
    reach = draw(st.sampled_from([300.0, 1900.0]))
    offset = np.sort(random.uniform(20.0, reach, n))
    speed = random.uniform(0.0, 27.0, n)
    factor = random.uniform(0.9, 1.1, n)
    keep = []
    for f in range(n):
        # Not closer than the clearance to the one behind in the lane.
        behind = [g for g in keep if lane[g] == lane[f]]
        if not behind or offset[f] - LENGTH_M[kind[f]] - offset[behind[-1]] > CLEARANCE_M:
            keep.append(f)
    order = random.permutation(keep).astype(np.int64)
    return lanes, kind[order], lane[order], offset[order], speed[order], factor[order]


@given(platoons())
@settings(max_examples=150, deadline=None)
def test_one_step_is_that_of_the_twin(platoon: tuple[Any, ...]) -> None:
    lanes, kind, lane, offset, speed, factor = platoon
    # Nobody changes lanes for less than the threshold.
    bench = Bench(one_road(lanes), kind, [[0]], threshold_mps2=1e9)
    vehicles = bench.vehicles
    vehicles.stop[:] = 0
    vehicles.lane[:], vehicles.offset_m[:] = lane, offset
    vehicles.speed_mps[:], vehicles.speed_factor[:] = speed, factor
    twin = twin_step(kind, lane, offset, speed, factor)
    bench.look()
    for name in ("leader", "gap_m", "available_m"):
        assert getattr(vehicles, name) == pytest.approx(twin[name], abs=1e-9), name
    bench.kernel.move(STEP_S)
    on = vehicles.stop >= 0
    assert on.all() or (twin["offset_m"][~on] >= ROAD_M).all()
    for name in ("offset_m", "speed_mps", "acceleration_mps2"):
        assert getattr(vehicles, name)[on] == pytest.approx(twin[name][on], abs=1e-9), name


def test_no_vehicles_at_all() -> None:
    bench = Bench(one_road(), [], [[0]])
    bench.look()
    bench.kernel.move(STEP_S)
    assert bench.work.first_present.tolist() == [0, 0]


def test_empty_rows_are_not_touched() -> None:
    bench = Bench(one_road(), [0, 0], [[0]])
    vehicles = bench.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 100.0, 10.0
    vehicles.offset_m[1], vehicles.speed_mps[1], vehicles.lane[1] = -77.0, -77.0, -77
    bench.look()
    bench.kernel.move(STEP_S)
    assert (vehicles.offset_m[1], vehicles.speed_mps[1], vehicles.lane[1]) == (-77.0, -77.0, -77)
    assert (vehicles.leader[1], vehicles.gap_m[1]) == (-1, np.inf)
    assert vehicles.offset_m[0] > 100.0


def test_wrong_lengths_and_steps_are_refused() -> None:
    bench = Bench(one_road(), [0], [[0]])
    with pytest.raises(ValueError, match="step_s must be in"):
        bench.kernel.move(0.2)
    other = Vehicles.empty(np.zeros(1, dtype=np.int32), np.zeros(2))
    with pytest.raises(ValueError, match="length_m has 2 elements, not 1"):
        CarFollowing(
            bench.network,
            bench.book,
            ClassTable.of(CLASSES),
            other,
            bench.work,
            Settings(0.1, 0.5, 5.0, 13.0, LaneChangeParams()),
        )


# Lane changes ------------------------------------------------------------------------------


def pull(follower: int, leader: int, kind: Any, offset: Any, speed: Any) -> float:
    """Return the IDM acceleration of one vehicle behind another, alone for leader -1."""
    driver = CLASSES[kind[follower]].driver
    v0 = min(driver.desired_speed_mps, LIMIT_MPS)
    if leader < 0:
        return float(idm_acceleration_mps2(speed[follower], np.inf, 0.0, v0, driver))
    gap = offset[leader] - LENGTH_M[kind[leader]] - offset[follower]
    closing = speed[follower] - speed[leader]
    return float(idm_acceleration_mps2(speed[follower], gap, closing, v0, driver))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_lane_changes_are_those_of_mobil(seed: int) -> None:
    """Own vehicle 0, leaders 1 and 2 and followers 3 and 4 in its own and the other lane."""
    random = np.random.default_rng(seed)
    params = LaneChangeParams()
    kind = random.integers(0, 3, 5)
    own, other = (0, 1) if random.random() < 0.5 else (1, 0)
    lane = np.array([own, own, other, own, other])
    offset = 1000.0 + np.array([0.0, *random.uniform(20, 90, 2), *random.uniform(-90, -20, 2)])
    speed = random.uniform(5.0, 25.0, 5)
    bench = Bench(one_road(2), kind, [[0]])
    vehicles = bench.vehicles
    vehicles.stop[:], vehicles.settled_s[:] = 0, 0.0
    vehicles.settled_s[0] = 1e3
    vehicles.lane[:], vehicles.offset_m[:], vehicles.speed_mps[:] = lane, offset, speed
    bench.look()

    def accel(follower: int, leader: int) -> float:
        return pull(follower, leader, kind, offset, speed)

    def can_stop(follower: int, leader: int) -> bool:
        brake = [CLASSES[kind[k]].driver.emergency_mps2 for k in (follower, leader)]
        gap = offset[leader] - LENGTH_M[kind[leader]] - offset[follower] - CLEARANCE_M
        need = speed[follower] ** 2 / (2 * brake[0]) + 0.5 * speed[follower]
        return bool(gap >= 0 and need <= gap + speed[leader] ** 2 / (2 * max(brake)))

    safe = (
        can_stop(0, 2)
        and can_stop(4, 0)
        and accel(0, 2) >= -params.safe_deceleration_mps2
        and accel(4, 0) >= -params.safe_deceleration_mps2
    )
    follower = (accel(4, 2), accel(4, 0)) if other > own else (accel(3, 0), accel(3, 1))
    gain = mobil_gain_mps2(
        (accel(0, 1), accel(0, 2)), follower, to_right=other < own, params=params
    )
    wanted = safe and gain > params.threshold_mps2
    assert vehicles.lane[0] == (other if wanted else own)
    assert vehicles.from_side[0] == (own - other if wanted else 0)
    assert vehicles.lane[1:].tolist() == lane[1:].tolist()


# Leaders on networks, by brute force -------------------------------------------------------


def taken(model: RoutedTraffic) -> list[tuple[int, int, int, float, float, int]]:
    """Return (edge, lane, edge before, rear, front, row) of everybody on every edge."""
    vehicles, book, network = model.vehicles, model._book, model.network
    found = []
    for row in np.flatnonzero(vehicles.stop >= 0).tolist():
        stop, lane = int(vehicles.stop[row]), int(vehicles.lane[row])
        side = int(vehicles.from_side[row])
        front = float(vehicles.offset_m[row])
        rear = front - float(vehicles.length_m[row])
        while True:
            before = int(book.before[stop])
            came = int(book.edge[before]) if before >= 0 else -1
            edge = int(book.edge[stop])
            found += [(edge, lane + s, came, rear, front, row) for s in {0, side}]
            if rear > 0 or before < 0:
                break
            lane -= int(network.lane_shift[book.movement[before]])
            length = float(network.road_map.edge_length_m[book.edge[before]])
            rear, front, stop = rear + length, front + length, before
    return found


def brute_leader(model: RoutedTraffic, bodies: list[Any], row: int) -> tuple[float, set[int]]:
    """Return the least gap on the way of a vehicle, infinite if out of view, and who has it."""
    vehicles, book, network = model.vehicles, model._book, model.network
    view = VIEW_M + VIEW_S * float(vehicles.speed_mps[row])
    stop, lane = int(vehicles.stop[row]), int(vehicles.lane[row])
    lanes = {lane, lane + int(vehicles.from_side[row])}
    start, came = -float(vehicles.offset_m[row]), -1
    gaps: dict[int, float] = {}
    while start <= view:
        edge = int(book.edge[stop])
        for at, in_lane, before, rear, front, other in bodies:
            if at != edge or in_lane not in lanes or other == row or start + front <= 0:
                continue
            if rear < 0 and came >= 0 and before != came:
                rear = 0.0
            gaps[other] = min(gaps.get(other, math.inf), start + rear)
        start += float(network.road_map.edge_length_m[edge])
        m = int(book.movement[stop])
        if m < 0 or not network.lane_low[m] <= lane <= network.lane_high[m]:
            break
        shift = int(network.lane_shift[m])
        lane, lanes = lane + shift, {k + shift for k in lanes}
        came, stop = edge, int(book.after[stop])
    least = min(gaps.values(), default=math.inf)
    if least > view:
        return math.inf, set()
    return least, {k for k, gap in gaps.items() if gap <= least + 1e-6}


@pytest.mark.parametrize(
    ("make", "n"),
    [
        (lambda: synthetic.manhattan(2, 2, 60.0, 50.0, 2), 30),
        (lambda: synthetic.junction(lanes_per_direction=2), 30),
        (lambda: synthetic.highway(1000.0, wrap=True), 80),
    ],
)
def test_leaders_are_those_of_brute_force(make: Callable[[], RoadMap], n: int) -> None:
    context = MobilityContext(make(), 3, 10**9, ".")
    model = RoutedTraffic(RoutedTraffic.Params(n_vehicles=n), context)
    seen = 0
    for k in range(400):
        state = model.advance(k * 100_000)
        if k % 10:
            continue
        bodies = taken(model)
        for row in np.flatnonzero(state.active).tolist():
            gap, leaders = brute_leader(model, bodies, row)
            assert state.gap_m[row] == pytest.approx(gap, abs=1e-9)
            assert (int(state.leader[row]) in leaders) if leaders else state.leader[row] == -1
            seen += bool(leaders)
    assert seen > 300


def test_presences_are_sorted_and_complete() -> None:
    context = MobilityContext(synthetic.manhattan(2, 2, 60.0, 50.0, 2), 3, 10**9, ".")
    model = RoutedTraffic(RoutedTraffic.Params(n_vehicles=30), context)
    for k in range(100):
        model.advance(k * 100_000)
        model._kernel.arrange()
        work, book, vehicles = model._work, model._book, model.vehicles
        expected = sorted({(edge, row) for edge, *_, row in taken(model)})
        listed = []
        for edge in range(model.network.road_map.n_edges):
            at = slice(*work.first_present[edge : edge + 2].tolist())
            assert (np.diff(work.front_m[at]) >= 0).all()
            listed += [(edge, row) for row in work.row[at].tolist()]
        own = np.flatnonzero(vehicles.stop >= 0)
        assert {(int(book.edge[vehicles.stop[row]]), int(row)) for row in own} <= set(listed)
        assert sorted(listed) == expected
