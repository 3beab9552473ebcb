from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.routed import RoutedParams, RoutedTraffic
from v2x.mobility.vehicle_classes import Mix
from v2x.world.road_map import RoadMap, Structure

Maps = dict[str, Callable[..., RoadMap]]
ModelOn = Callable[..., RoutedTraffic]
CARS = Mix(car=1, truck=0, bus=0)


def run(model: RoutedTraffic, seconds: float, step_us: int = 100_000) -> FleetState:
    state = model.advance(0)
    for k in range(1, round(seconds * 1e6 / step_us) + 1):
        state = model.advance(k * step_us)
    return state


def same(one: FleetState, other: FleetState) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in FleetState.__slots__
    )


# The promise: nobody overlaps, jumps, speeds, or brakes harder than possible ---------------


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("name", "args", "n"),
    [
        ("ring", (1000.0, 1), 40),
        ("ring", (1000.0, 3), 150),
        ("on-ramp", (2, 2, 1), 90),
        ("on-ramp", (2, 3, 1), 90),
        ("on-ramp", (3, 2, 1), 90),
        ("off-ramp", (3, 2, 1), 90),
        ("off-ramp", (4, 2, 1), 60),
        ("roundabout", (), 45),
        ("grid", (2, 2, 200.0, 150.0, 2), 120),
        ("grid", (2, 2, 120.0, 120.0, 1), 50),
        ("junction", (), 30),
        ("highway", (), 200),
        ("highway", (2000.0, 3, 4.0, 38.0, True), 250),
    ],
)
def test_traffic_is_possible(
    name: str,
    args: tuple[Any, ...],
    n: int,
    seed: int,
    maps: Maps,
    model_on: ModelOn,
    auditor: type[Any],
) -> None:
    model = model_on(maps[name](*args), seed, n_vehicles=n)
    audit = auditor(model)
    for k in range(600):
        audit.look(model.advance(k * 100_000))
    # Emergency braking stays an exception even in dense traffic.
    assert audit.hardest_mps2 > -6.0
    assert model.n_given_up == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 8))
@pytest.mark.parametrize(("name", "n"), [("on-ramp", 100), ("roundabout", 50), ("grid", 500)])
def test_traffic_stays_possible_for_long(
    name: str, n: int, seed: int, maps: Maps, model_on: ModelOn, auditor: type[Any]
) -> None:
    model = model_on(maps[name](), seed, n_vehicles=n)
    audit = auditor(model)
    for k in range(6000):
        audit.look(model.advance(k * 100_000))
    assert model.n_given_up == 0


def test_bodies_do_not_touch_on_a_highway(maps: Maps, model_on: ModelOn) -> None:
    """Rectangles of the true sizes, half-way through lane changes too, along x and y."""
    road = maps["highway"](2000.0, 3, 4.0, 38.0, True)
    model = model_on(road, n_vehicles=220)
    changed = 0
    for k in range(600):
        state = model.advance(k * 100_000)
        changed += int((model.vehicles.from_side != 0).sum())
        dx = np.abs(state.x_m[:, None] - state.x_m)
        dx = np.minimum(dx, 2000.0 - dx)
        dy = np.abs(state.y_m[:, None] - state.y_m)
        near = dx < 0.5 * (state.length_m[:, None] + state.length_m)
        beside = dy < 0.5 * (state.width_m[:, None] + state.width_m)
        assert (near & beside).sum() == state.n_rows
    assert changed > 100


# Right of way ------------------------------------------------------------------------------


def test_a_ramp_lets_the_motorway_pass(maps: Maps, model_on: ModelOn) -> None:
    """Two vehicles that would meet: the one on the ramp follows the one on the main road."""
    model = model_on(maps["on-ramp"](1, 1, 1), n_vehicles=2, mix=CARS, speed_factor_spread=0.0)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    main, ramp = (int(np.flatnonzero(book.edge == edge)[0]) for edge in (0, 1))
    vehicles.stop[:] = [main, ramp]
    vehicles.offset_m[:] = [800.0 - 120.0, float(model.network.road_map.edge_length_m[1]) - 75.0]
    vehicles.speed_mps[:] = [24.0, 15.0]
    vehicles.lane[:], vehicles.cleared[:] = 0, 0
    slowest = 99.0
    for k in range(1, 120):
        state = model.advance(k * 100_000)
        slowest = min(slowest, float(state.speed_mps[0]))
        if (state.edge == 2).all():
            break
    assert (state.edge == 2).all()
    assert state.offset_m[0] > state.offset_m[1]
    assert state.leader.tolist() == [-1, 0]
    assert slowest > 22.0


def test_red_means_stop_and_green_means_go(maps: Maps, model_on: ModelOn) -> None:
    """The north-south axis is red in the first half of every cycle."""
    model = model_on(maps["junction"](), n_vehicles=1, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    # Straight on from the north arm (edge 2) to the south arm (edge 7).
    first = next(f for f in book.first if book.edge[f] == 2 and book.edge[f + 1] == 7)
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = first, 150.0, 10.0
    vehicles.lane[0] = vehicles.cleared[0] = 0
    waited = 0
    for k in range(1, 400):
        state = model.advance(k * 100_000)
        if k < 295:
            assert state.edge[0] == 2
            waited += bool(state.speed_mps[0] < 0.1)
    assert waited > 100
    assert state.edge[0] == 7


def test_a_vehicle_waits_outside_a_blocked_crossing(maps: Maps, model_on: ModelOn) -> None:
    """Behind the junction a queue stands; who comes keeps the crossing free."""
    model = model_on(maps["junction"](), n_vehicles=3, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    first = next(f for f in book.first if book.edge[f] == 0 and book.edge[f + 1] == 5)
    vehicles.stop[:] = [first, first + 1, first + 1]
    vehicles.offset_m[:] = [200.0, 12.0, 18.0]
    vehicles.speed_mps[:] = [10.0, 0.0, 0.0]
    vehicles.lane[:], vehicles.cleared[:] = 0, 0
    for k in range(1, 200):
        vehicles.offset_m[1:], vehicles.speed_mps[1:] = [12.0, 18.0], 0.0
        state = model.advance(k * 100_000)
    line_m = 300.0 - float(model.network.radius_m.max())
    assert state.edge[0] == 0
    assert line_m - 4.0 < state.offset_m[0] < line_m


def test_a_way_is_given_back_behind_one_who_waits(maps: Maps, model_on: ModelOn) -> None:
    """A vehicle changed lanes in front of one with a clear way, but has none itself."""
    model = model_on(maps["junction"](), n_vehicles=4, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    first = next(f for f in book.first if book.edge[f] == 0 and book.edge[f + 1] == 5)
    vehicles.stop[:] = [first, first, first + 1, first + 1]
    vehicles.offset_m[:] = [270.0, 290.0, 12.0, 18.0]
    vehicles.speed_mps[:], vehicles.lane[:] = 0.0, 0
    vehicles.cleared[:] = [1, 0, 0, 0]
    model._kernel.arrange()
    model._kernel.look(0, model.lights.control.green)
    assert vehicles.leader[0] == 1
    assert vehicles.cleared.tolist() == [0, 0, 0, 0]


def test_nobody_waits_for_ever_at_a_ramp(maps: Maps, model_on: ModelOn) -> None:
    """Slow traffic on the main road lets in who has waited; without that it would be minutes."""
    model = model_on(maps["on-ramp"](1, 1, 1), n_vehicles=70)
    longest, entered = 0.0, set()
    for k in range(3000):
        state = model.advance(k * 100_000)
        longest = max(longest, float(model.vehicles.waited_s.max()))
        entered |= set(state.id[(state.edge == 1)].tolist())
    assert longest < 45.0
    assert len(entered) > 40


# Coming and going --------------------------------------------------------------------------


def test_the_number_of_vehicles_stays(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["off-ramp"](), n_vehicles=40)
    active, ids = [], set()
    for k in range(1200):
        state = model.advance(k * 100_000)
        active.append(int(state.active.sum()))
        ids |= set(state.id[state.active].tolist())
    assert np.mean(active) > 39.5
    assert model.n_arrived > 40
    # Identities are never used again.
    assert ids == set(range(len(ids)))
    assert len(ids) == model.n_arrived + 40 - (40 - active[-1])
    assert state.n_rows == model.n_rows == 40


def test_who_enters_is_wholly_on_the_road(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["on-ramp"](), n_vehicles=60)
    last = model.advance(0)
    born = 0
    for k in range(1, 600):
        state = model.advance(k * 100_000)
        new = np.flatnonzero((state.id != last.id) & (state.id >= 0))
        born += len(new)
        assert (state.offset_m[new] >= state.length_m[new]).all()
        assert np.isin(state.edge[new], [0, 1]).all()
        last = state
    assert born > 20


def test_empty_rows_say_so(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["on-ramp"](), n_vehicles=3)
    model.advance(0)
    model.vehicles.stop[1] = -1
    model._id[1] = -1
    state = model._state(0)
    assert state.active.tolist() == [True, False, True]
    assert (state.edge[1], state.lane[1], state.leader[1], state.tunnel[1]) == (-1, -1, -1, -1)
    assert np.isinf(state.gap_m[1])


def test_who_stands_too_long_is_taken_away(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["highway"](), n_vehicles=5, patience_s=20.0)
    model.advance(0)
    for k in range(1, 260):
        if model.vehicles.stop[0] >= 0 and model._id[0] == 0:
            model.vehicles.speed_mps[0] = 0.0
            model.vehicles.available_m[0] = 0.0
        model.advance(k * 100_000)
    assert model.n_given_up == 1


def test_a_missed_exit_is_driven_past(maps: Maps, model_on: ModelOn) -> None:
    """Kept in the left lane to the end, a vehicle for the exit goes on to the other goal."""
    model = model_on(maps["off-ramp"](3, 2, 1), n_vehicles=1, mix=CARS)
    model.advance(0)
    vehicles, book = model.vehicles, model._book
    first = next(f for f in book.first if book.edge[f + 1] == 2)
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = first, 1198.0, 0.0
    vehicles.lane[0] = 2
    for k in range(1, 300):
        if k < 115:
            vehicles.settled_s[0] = 0.0
            vehicles.from_side[0] = 0
            vehicles.lane[0] = 2
        state = model.advance(k * 100_000)
    assert state.edge[0] == 1
    assert state.id[0] == 0


# State -------------------------------------------------------------------------------------


def test_every_field_is_filled(map_of: Callable[..., RoadMap], model_on: ModelOn) -> None:
    road = map_of(
        [
            (0, 1, [(0.0, 0.0, 10.0), (400.0, 0.0, 10.0)], {"lanes": 2}),
            (
                1,
                2,
                [(400.0, 0.0, 10.0), (800.0, 0.0, 30.0)],
                {"lanes": 2, "structure": int(Structure.TUNNEL), "level": -1},
            ),
        ]
    )
    model = model_on(road, n_vehicles=20, mix=Mix(car=2, truck=1, bus=1))
    state = run(model, 5.0)
    inside = state.edge == 1
    assert 0 < inside.sum() < 20
    assert np.array_equal(state.tunnel, np.where(inside, 1, -1))
    assert np.array_equal(state.level, np.where(inside, -1, 0))
    assert np.bincount(state.kind).tolist() == [10, 5, 5]
    truck = state.kind == NodeKind.TRUCK
    assert (state.length_m[truck] == 13.0).all()
    assert (state.antenna_height_m[truck] == 3.0).all()
    # The middle is half a length behind the front, at road height.
    middle = state.offset_m - 0.5 * state.length_m
    flat = ~inside
    assert state.x_m[flat] == pytest.approx(middle[flat])
    deep = inside & (middle > 0)
    slope = 20.0 / np.hypot(400.0, 20.0)
    assert state.z_m[deep] == pytest.approx(10.0 + middle[deep] * slope)
    assert (np.abs(np.abs(state.y_m) - 1.75) < 1.8).all()
    with pytest.raises(ValueError, match="read-only"):
        state.x_m[0] = 0.0


def test_gap_is_between_bumpers_across_edges(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["ring"](1000.0), n_vehicles=20, mix=CARS, spacing="uniform")
    state = model.advance(0)
    assert state.gap_m == pytest.approx(np.full(20, 45.0))
    assert sorted(state.leader.tolist()) == list(range(20))


def test_positions_are_smooth_round_corners(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["grid"](1, 1, 150.0, 150.0, 2), n_vehicles=4, mix=CARS)
    last = model.advance(0)
    turns = 0
    for k in range(1, 900):
        state = model.advance(k * 100_000)
        same_id = (state.id == last.id) & state.active
        moved = np.hypot(state.x_m - last.x_m, state.y_m - last.y_m)[same_id]
        assert (moved < 0.25 * np.maximum(state.speed_mps, last.speed_mps)[same_id] + 0.15).all()
        turns += int((state.edge != last.edge)[same_id].sum())
        last = state
    assert turns > 10


# Reproducibility ---------------------------------------------------------------------------


def test_same_seed_same_bytes(maps: Maps, model_on: ModelOn) -> None:
    one, other = (run(model_on(maps["grid"](2, 2), 5, n_vehicles=60), 30.0) for _ in range(2))
    assert same(one, other)
    assert not same(one, run(model_on(maps["grid"](2, 2), 6, n_vehicles=60), 30.0))


def test_long_ticks_are_made_of_short_steps(maps: Maps, model_on: ModelOn) -> None:
    """Asking every 100 ms or once a second gives the same motion."""
    fine = run(model_on(maps["ring"](1000.0, 2), n_vehicles=40), 20.0)
    coarse = run(model_on(maps["ring"](1000.0, 2), n_vehicles=40), 20.0, step_us=1_000_000)
    for name in ("offset_m", "speed_mps", "edge", "lane", "leader", "gap_m"):
        assert np.array_equal(getattr(fine, name), getattr(coarse, name)), name


def test_time_does_not_run_back(maps: Maps, model_on: ModelOn) -> None:
    model = model_on(maps["ring"](), n_vehicles=2)
    model.advance(1_000_000)
    with pytest.raises(ValueError, match="before the last state"):
        model.advance(0)


# Parameters --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"density_per_km": 10.0}, "set either n_vehicles or density_per_km"),
        ({"n_routes": 0}, "n_routes must be at least 1"),
        ({"speed_factor_spread": 0.5}, "speed_factor_spread must be in"),
        ({"grade_compensation": 1.1}, "grade_compensation must be in"),
        ({"patience_s": 5.0}, "patience_s >"),
        ({"signal_clear_s": 40.0}, "signal_clear_s must be less"),
        ({"step_s": 0.2}, "step_s must be in"),
        ({"spacing": "even"}, "even"),
        ({"demand": "everywhere"}, "everywhere"),
    ],
)
def test_impossible_parameters(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoutedParams(**({"n_vehicles": 10} | change))


def test_density_counts_both_directions(maps: Maps) -> None:
    params = RoutedParams(density_per_km=30.0)
    model = RoutedTraffic(params, MobilityContext(maps["highway"](), 1, 10**6, "."))
    assert model.n_rows == 60


def test_too_many_vehicles(maps: Maps, model_on: ModelOn) -> None:
    with pytest.raises(V2XError, match="the roads in use hold"):
        model_on(maps["ring"](), n_vehicles=500)
