"""The traffic kernel against plain twins: numpy on one road, brute force on networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x._kernels.car_following import CarFollowing
from v2x.mobility.base import MobilityContext
from v2x.mobility.car_following import idm_acceleration_mps2
from v2x.mobility.conditions import RoadConditions, road_conditions
from v2x.mobility.control import Controls
from v2x.mobility.dynamics import on_slope_mps2
from v2x.mobility.junctions import LaneNetwork, lane_network
from v2x.mobility.lane_change import LaneChangeParams, mobil_gain_mps2
from v2x.mobility.routed import RoutedTraffic
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicle_classes import VehicleClasses
from v2x.mobility.vehicles import ClassTable, Mode, Settings, Vehicles, Workspace
from v2x.world import synthetic
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.osm_tags import DRIVE_CLASSES
from v2x.world.road_map import RoadMap, Structure
from v2x.world.weather import WeatherParams

CLASSES = VehicleClasses().by_kind()
CLEARANCE_M, VIEW_M, VIEW_S = 0.3, 60.0, 8.0
LENGTH_M = np.array([5.0, 13.0, 13.0])
LIMIT_MPS, ROAD_M, STEP_S, GRAVITY = 30.0, 2000.0, 0.1, 9.81
#: Rise over run of each hundred metres of the hilly road.
HILLS = np.tile([0.04, 0.04, -0.06, 0.0, 0.08, -0.08, -0.08, 0.02, 0.0, -0.05], 2)
UPHILL = np.full(20, 0.04)
LEVEL = np.zeros(20)


def one_road(lanes: int = 1, grade: Any = UPHILL) -> RoadMap:
    """Return a straight road of two edges, the second in a tunnel, with points every 100 m."""
    run = ROAD_M / 20 / np.sqrt(1.0 + grade**2)
    x = np.concatenate([[0.0], np.cumsum(run)])
    z = np.concatenate([[0.0], np.cumsum(run * grade)])
    at = np.concatenate([np.arange(11), np.arange(10, 21)])
    return road_map_of(
        name="slope",
        edge_from=[0, 1],
        edge_to=[1, 2],
        edge_lanes=[lanes] * 2,
        edge_limit_mps=[LIMIT_MPS] * 2,
        edge_structure=[0, int(Structure.TUNNEL)],
        edge_class=[0, 0],
        class_names=DRIVE_CLASSES,
        edge_name=["", ""],
        polylines=Polylines(np.array([0, 11, 22]), x[at], np.zeros(22), z[at]),
    )


def without_stretches(conditions: RoadConditions) -> RoadConditions:
    """Return conditions in which only grip and grade count."""
    none = np.zeros(0)
    return replace(
        conditions,
        first_station=np.zeros_like(conditions.first_station),
        station_m=none,
        cap_mps=none,
        reach_mps=none,
    )


class Bench:
    """A kernel on a map, with its arrays at hand."""

    def __init__(
        self,
        road_map: RoadMap,
        kind: Any,
        paths: Any,
        weather: WeatherParams | None = None,
        plain: bool = True,
        only_sight: bool = False,
        **lane_change: float,
    ) -> None:
        self.network: LaneNetwork = lane_network(road_map)
        self.classes = ClassTable.of(CLASSES)
        conditions = road_conditions(
            self.network, weather or WeatherParams(), self.classes.emergency_mps2
        )
        self.conditions = without_stretches(conditions) if plain else conditions
        self.book = RouteBook(self.network, self.conditions)
        self.book.add(paths)
        kinds = np.asarray(kind, dtype=np.int32)
        self.vehicles = Vehicles.empty(kinds, LENGTH_M[kinds])
        self.work = Workspace.of(self.network, len(kinds), len(CLASSES))
        self.green = np.zeros(self.network.n_movements, dtype=np.uint8)
        self.kernel = CarFollowing(
            self.network,
            self.conditions,
            self.book,
            self.classes,
            self.vehicles,
            self.work,
            Settings(
                step_s=STEP_S,
                grade_compensation=0.5,
                courtesy_s=5.0,
                longest_m=13.0,
                lane_change=LaneChangeParams(**lane_change),
                only_sight=only_sight,
            ),
        )

    def look(self) -> None:
        self.kernel.arrange()
        self.kernel.look(0, self.green)


class Twin:
    """The road as one line, and what brakes do along it, in plain steps from piece to piece."""

    def __init__(self, grade: Any, friction: float) -> None:
        self.grade = grade
        self.grip = np.where(np.arange(20) < 10, friction / 0.75, 1.0)

    def piece(self, x: float) -> int:
        return min(int(x // 100.0), 19)

    def braking(self, x: float, kind: int, held: float) -> float:
        k = self.piece(x)
        emergency = CLASSES[kind].driver.emergency_mps2
        hold = emergency * min(self.grip[k], held)
        return max(float(hold + GRAVITY * self.grade[k]), 0.3)

    def work(self, x: float, to: float, kind: int, held: float) -> float:
        """Return what brakes can take up between two points [J/kg]."""
        done = 0.0
        while x < to:
            end = min(100.0 * (self.piece(x) + 1), to) if x < ROAD_M - 100.0 else to
            done += (end - x) * self.braking(x, kind, held)
            x = end
        return done

    def stop(self, x: float, speed: float, kind: int, held: float = 1.0) -> float:
        """Return the distance to a stop, by bisection of the work."""
        low, high = 0.0, speed * speed / 0.5 + 1.0
        for _ in range(60):
            middle = 0.5 * (low + high)
            enough = self.work(x, x + middle, kind, held) >= 0.5 * speed * speed
            low, high = (low, middle) if enough else (middle, high)
        return high

    def bounded(
        self, x: float, speed: float, wanted: float, available: float, kind: int, held: float
    ) -> tuple[float, float]:
        """Return the fastest speed after a step from which it can stop in time, and the way."""
        room = self.work(x, x + min(available, 3000.0), kind, held)

        def is_safe(after: float) -> bool:
            way = 0.5 * (speed + after) * STEP_S
            return self.work(x, x + way, kind, held) + 0.5 * after * after <= room

        if not is_safe(0.0):
            return 0.0, min(0.5 * speed * STEP_S, max(available, 0.0))
        low, high = (wanted, wanted) if is_safe(wanted) else (0.0, wanted)
        while high - low > 1e-9:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if is_safe(middle) else (low, middle)
        return low, 0.5 * (speed + low) * STEP_S


def towards(speed: float, wanted: float, a: float, ease: float) -> float:
    """Return the acceleration with which a driver takes up a speed as its limit."""
    if wanted <= 0.0:
        return -ease
    return max(a * (1.0 - (speed / wanted) ** 4), -ease)


def twin_step(
    road: Twin,
    kind: Any,
    lane: Any,
    x: Any,
    speed: Any,
    factor: Any,
    held: Any,
    asked: Controls | None = None,
) -> dict[str, Any]:
    """Return what one step on the road does, vehicle by vehicle; `x` counts along both edges."""
    asked = Controls.none(len(kind)) if asked is None else asked
    n = len(kind)
    leader = np.full(n, -1)
    gap, available = np.full(n, np.inf), np.full(n, np.inf)
    stopping, after, moved = np.empty(n), np.empty(n), np.empty(n)
    for f in range(n):
        own, k = CLASSES[kind[f]], road.piece(x[f])
        ahead = [g for g in range(n) if lane[g] == lane[f] and x[g] > x[f]]
        stopping[f] = road.stop(x[f], speed[f], kind[f], held[f])
        near = stopping[f] + speed[f] * STEP_S + 5.0
        if ahead:
            g = min(ahead, key=lambda row: x[row])
            distance = x[g] - LENGTH_M[kind[g]] - x[f]
            if distance <= max(VIEW_M + VIEW_S * speed[f], near):
                leader[f], gap[f] = g, distance
                shorter = min(road.stop(x[g], speed[g], kind[row]) for row in (f, g))
                available[f] = distance - CLEARANCE_M + shorter
        v0 = min(own.driver.desired_speed_mps, factor[f] * LIMIT_MPS)
        closing = speed[f] - (speed[leader[f]] if leader[f] >= 0 else 0.0)
        brake = road.braking(x[f], kind[f], held[f])
        # What is comfortable is less where the road or hot brakes do not hold.
        ease = min(own.driver.deceleration_mps2, 0.5 * brake)
        driver = replace(own.driver, deceleration_mps2=ease)
        wish = idm_acceleration_mps2(speed[f], gap[f], closing, v0, driver)
        grade, grip = float(road.grade[k]), float(road.grip[k])
        a = float(on_slope_mps2(wish, speed[f], grade, own.engine, 0.5, grip))
        if not np.isnan(asked.cacc_mps2[f]):
            # A controller needs no help on a slope.
            a = float(on_slope_mps2(asked.cacc_mps2[f], speed[f], grade, own.engine, 1.0, grip))
        if np.isfinite(asked.speed_mps[f]):
            pull = own.driver.acceleration_mps2
            a = min(a, towards(speed[f], asked.speed_mps[f], pull, ease))
        a = min(a, asked.ceiling_mps2[f])
        wanted = max(speed[f] + max(a, -brake) * STEP_S, 0.0)
        new, moved[f] = road.bounded(x[f], speed[f], wanted, available[f], kind[f], held[f])
        after[f] = min(new, max(factor[f] * LIMIT_MPS, speed[f] - brake * STEP_S))
    return {
        "leader": leader,
        "gap_m": gap,
        "available_m": available,
        "stopping_m": stopping,
        "x": x + moved,
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
    speed = random.uniform(0.0, 32.0, n)
    factor = random.uniform(0.9, 1.1, n)
    keep = []
    for f in range(n):
        # Not closer than the clearance to the one behind in the lane.
        behind = [g for g in keep if lane[g] == lane[f]]
        if not behind or offset[f] - LENGTH_M[kind[f]] - offset[behind[-1]] > CLEARANCE_M:
            keep.append(f)
    order = random.permutation(keep).astype(np.int64)
    return lanes, kind[order], lane[order], offset[order], speed[order], factor[order]


@given(
    platoons(),
    st.sampled_from([LEVEL, UPHILL, HILLS]),
    st.sampled_from([0.75, 0.45, 0.1]),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_one_step_is_that_of_the_twin(
    platoon: tuple[Any, ...], grade: Any, friction: float, hot: bool
) -> None:
    """Hills, slippery roads that lead into a dry tunnel, and brakes of 330 °C, which give 65 %."""
    lanes, kind, lane, x, speed, factor = platoon
    # Nobody changes lanes for less than the threshold.
    bench = Bench(
        one_road(lanes, grade),
        kind,
        [[0, 1]],
        WeatherParams(friction=friction),
        threshold_mps2=1e9,
    )
    vehicles = bench.vehicles
    inside = x >= 1000.0
    vehicles.stop[:], vehicles.offset_m[:] = inside, np.where(inside, x - 1000.0, x)
    vehicles.lane[:], vehicles.speed_mps[:], vehicles.speed_factor[:] = lane, speed, factor
    heavy = (kind > 0) & hot
    vehicles.brake_rise_k[:] = np.where(heavy, 310.0, 0.0)
    held = np.where(heavy, 0.65, 1.0)
    twin = twin_step(Twin(grade, friction), kind, lane, x, speed, factor, held)
    bench.look()
    for name in ("leader", "gap_m", "available_m", "stopping_m"):
        assert getattr(vehicles, name) == pytest.approx(twin[name], abs=1e-7), name
    bench.kernel.move(STEP_S)
    on = vehicles.stop >= 0
    assert on.all() or (twin["x"][~on] >= ROAD_M).all()
    moved = {"x": vehicles.offset_m + 1000.0 * vehicles.stop, "speed_mps": vehicles.speed_mps}
    for name, values in moved.items():
        # Within a step that leads from one piece to the next the kernel finds it by iteration.
        assert values[on] == pytest.approx(twin[name][on], abs=2e-4), name
    assert vehicles.acceleration_mps2[on] == pytest.approx(
        (vehicles.speed_mps[on] - speed[on]) / STEP_S, abs=1e-9
    )


@given(platoons(), st.sampled_from([LEVEL, HILLS]), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_what_is_asked_is_done_as_by_the_twin(
    platoon: tuple[Any, ...], grade: Any, seed: int
) -> None:
    """Ceilings, advised speeds and controllers, each for half of the vehicles."""
    lanes, kind, lane, x, speed, factor = platoon
    bench = Bench(one_road(lanes, grade), kind, [[0, 1]], threshold_mps2=1e9)
    vehicles, n = bench.vehicles, len(kind)
    inside = x >= 1000.0
    vehicles.stop[:], vehicles.offset_m[:] = inside, np.where(inside, x - 1000.0, x)
    vehicles.lane[:], vehicles.speed_mps[:], vehicles.speed_factor[:] = lane, speed, factor
    random = np.random.default_rng(seed)
    asked = vehicles.controls
    half = random.random((3, n)) < 0.5
    asked.ceiling_mps2[half[0]] = random.uniform(-12.0, 1.0, n)[half[0]]
    asked.speed_mps[half[1]] = random.choice([0.0, 5.0, 15.0, 30.0], n)[half[1]]
    asked.cacc_mps2[half[2]] = random.uniform(-6.0, 3.0, n)[half[2]]
    asked.alerted[:] = 1
    twin = twin_step(Twin(grade, 0.75), kind, lane, x, speed, factor, np.ones(n), asked)
    bench.look()
    bench.kernel.move(STEP_S)
    on = vehicles.stop >= 0
    moved = {"x": vehicles.offset_m + 1000.0 * vehicles.stop, "speed_mps": vehicles.speed_mps}
    for name, values in moved.items():
        assert values[on] == pytest.approx(twin[name][on], abs=2e-4), name


@given(
    st.sampled_from([LEVEL, HILLS]),
    st.sampled_from([Mode.STOPPING, Mode.BRAKELESS]),
    st.floats(0.0, 1800.0),
    st.floats(0.0, 35.0),
    st.floats(0.5, 12.0),
    st.integers(0, 2),
)
@settings(max_examples=200, deadline=None)
def test_without_a_driver_brakes_or_the_slope_decide(
    grade: Any, mode: Mode, x: float, speed: float, forced: float, kind: int
) -> None:
    """A wall 1 m ahead makes no difference, nor does the limit."""
    bench = Bench(one_road(1, grade), [kind, 0], [[0, 1]])
    vehicles, road = bench.vehicles, Twin(grade, 0.75)
    ahead = x + 6.0
    vehicles.stop[:] = [x >= 1000.0, ahead >= 1000.0]
    vehicles.offset_m[:] = np.array([x, ahead]) - 1000.0 * vehicles.stop
    vehicles.speed_mps[:], vehicles.mode[0], vehicles.forced_mps2[0] = [speed, 0.0], mode, forced
    bench.look()
    bench.kernel.move(STEP_S)
    engine, slope = CLASSES[kind].engine, float(grade[road.piece(x)])
    a = -min(forced, road.braking(x, kind, 1.0))
    if mode == Mode.BRAKELESS:
        drag = 0.6 * engine.drag_area_m2 / engine.mass_kg
        a = -GRAVITY * (0.007 + slope) - drag * speed * speed
    after = max(speed + a * STEP_S, 0.0)
    way = 0.5 * (speed + after) * STEP_S if after > 0.0 else 0.5 * speed**2 / max(-a, 1e-9)
    assert vehicles.speed_mps[0] == pytest.approx(after, abs=1e-9)
    here = vehicles.offset_m[0] + 1000.0 * vehicles.stop[0]
    assert here == pytest.approx(x + way, abs=1e-9)


@pytest.mark.parametrize(("only_sight", "seen"), [(False, True), (True, False)])
def test_sight_alone_hides_even_what_one_could_not_stop_before(
    only_sight: bool, seen: bool
) -> None:
    """At 30 m/s a car needs 56 m; it sees 40 m, and somebody stands 50 m ahead."""
    bench = Bench(one_road(1, LEVEL), [0, 0], [[0, 1]], only_sight=only_sight)
    vehicles = bench.vehicles
    vehicles.stop[:], vehicles.offset_m[:], vehicles.speed_mps[:] = 0, [100.0, 155.0], [30.0, 0.0]
    bench.kernel.arrange()
    vehicles.sight_m[:] = 40.0
    bench.kernel.look(0, bench.green)
    assert (vehicles.leader[0] == 1) == seen
    assert np.isfinite(vehicles.available_m[0]) == seen


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("wish", [-1, 0, 1])
def test_lane_wishes_are_fulfilled_if_the_lane_may_be_left(wish: int, keeps: bool) -> None:
    bench = Bench(one_road(3, LEVEL), [0], [[0, 1]], threshold_mps2=1e9)
    vehicles = bench.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.lane[0] = 0, 100.0, 1
    vehicles.speed_mps[0] = 20.0
    vehicles.controls.lane_wish[0], vehicles.controls.keep_lane[0] = wish, keeps
    bench.look()
    assert vehicles.lane[0] == (1 if keeps else 1 + wish)
    assert vehicles.from_side[0] == (0 if keeps else -wish)


def test_a_lane_wish_waits_for_a_gap() -> None:
    """Beside it is a car: nobody pushes in."""
    bench = Bench(one_road(2, LEVEL), [0, 0], [[0, 1]])
    vehicles = bench.vehicles
    vehicles.stop[:], vehicles.offset_m[:], vehicles.lane[:] = 0, [100.0, 102.0], [0, 1]
    vehicles.speed_mps[:] = 20.0
    vehicles.controls.lane_wish[0] = 1
    bench.look()
    assert vehicles.lane[0] == 0


def test_a_step_from_ice_into_a_dry_tunnel_uses_both() -> None:
    """At the last moment, 1 m before the mouth: the brakes of ice for 1 m, then dry ones.

    A car stands 30 m ahead, so the kinetic energy is what both can take up on the way.
    """
    kind, x = np.zeros(2, dtype=int), np.array([999.0, 1034.0])
    lane, factor, held = np.zeros(2, dtype=int), np.ones(2), np.ones(2)
    way = 30.0 - CLEARANCE_M
    speed = np.array([math.sqrt(2.0 * (8.0 * 0.1 / 0.75 + 8.0 * (way - 1.0))), 0.0])
    bench = Bench(one_road(1, LEVEL), kind, [[0, 1]], WeatherParams(road="ice"))
    vehicles = bench.vehicles
    vehicles.stop[:], vehicles.offset_m[:], vehicles.speed_mps[:] = [0, 1], [999.0, 34.0], speed
    twin = twin_step(Twin(LEVEL, 0.1), kind, lane, x, speed, factor, held)
    bench.look()
    assert vehicles.stopping_m[0] == pytest.approx(way)
    bench.kernel.move(STEP_S)
    assert vehicles.speed_mps[0] == pytest.approx(twin["speed_mps"][0], abs=1e-4)
    assert vehicles.offset_m[0] == pytest.approx(twin["x"][0] - 1000.0, abs=1e-4)
    bench.kernel.arrange()
    # The point at which it stops has not moved.
    assert vehicles.offset_m[0] + vehicles.stopping_m[0] == pytest.approx(way - 1.0, abs=1e-3)


def test_no_vehicles_at_all() -> None:
    bench = Bench(one_road(), [], [[0]])
    bench.look()
    bench.kernel.move(STEP_S)
    assert bench.work.first_present.tolist() == [0, 0, 0]


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
            bench.conditions,
            bench.book,
            bench.classes,
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
    offset = 500.0 + np.array([0.0, *random.uniform(20, 90, 2), *random.uniform(-90, -20, 2)])
    speed = random.uniform(5.0, 25.0, 5)
    bench = Bench(one_road(2, LEVEL), kind, [[0]])
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
