import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from v2x import registry
from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.constant_speed import ConstantSpeed, ConstantSpeedParams
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.vehicle_classes import Mix
from v2x.world import synthetic
from v2x.world.road_map import RoadMap

S = 1_000_000
CAR_M, TRUCK_M, LEAST_GAP_M = 5.0, 13.0, 2.0


def one_lane(length_m: float = 2000.0, **options: Any) -> RoadMap:
    return synthetic.highway(length_m, lanes_per_direction=1, directions=1, **options)


def model_on(road_map: RoadMap, seed: int = 1, **params: Any) -> ConstantSpeed:
    return ConstantSpeed(ConstantSpeedParams(**params), MobilityContext(road_map, seed, 10**9, "."))


def state_at(model: ConstantSpeed, time_us: int) -> FleetState:
    """Return the state some time after the start."""
    model.advance(0)
    return model.advance(time_us)


def lanes_of(state: FleetState) -> dict[tuple[bool, int], np.ndarray]:
    """Return rows by direction (eastbound?) and lane, in the order of travel."""
    east = np.cos(state.heading_rad) > 0
    order = np.argsort(np.where(east, 1.0, -1.0) * state.x_m, kind="stable")
    keys = set(zip(east.tolist(), state.lane.tolist(), strict=True))
    return {
        key: order[(east[order] == key[0]) & (state.lane[order] == key[1])] for key in sorted(keys)
    }


def test_it_is_the_model_named_constant_speed() -> None:
    assert registry.load("v2x.mobility", "constant-speed") is ConstantSpeed


# Where vehicles begin ----------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize(("lanes", "directions"), [(1, 1), (3, 2), (2, 1)])
def test_uniform_vehicles_stand_at_multiples_of_the_distance(
    wrap: bool, lanes: int, directions: int
) -> None:
    """At 60 vehicles per km, vehicle i is i / 60 km from the west end, in whichever lane."""
    road_map = synthetic.highway(
        2000.0, lanes_per_direction=lanes, directions=directions, wrap=wrap
    )
    state = model_on(road_map, density_per_km=60, spacing="uniform").advance(0)
    assert state.n_rows == 120
    np.testing.assert_allclose(state.x_m % 2000.0, np.arange(120) * 1000 / 60, rtol=0, atol=1e-9)
    # One direction after the other, then the next lane.
    assert state.lane.tolist() == [(i // directions) % lanes for i in range(120)]
    assert (np.cos(state.heading_rad) > 0).tolist() == [i % directions == 0 for i in range(120)]


def test_a_number_of_uniform_vehicles_shares_the_road_evenly() -> None:
    state = model_on(one_lane(), n_vehicles=7, spacing="uniform").advance(0)
    np.testing.assert_allclose(state.x_m, np.arange(7) * 2000 / 7, atol=1e-9)
    # 33.3 per km of 2 km are 67 vehicles, which is more than fit at 1 / 33.3 km.
    state = model_on(one_lane(), density_per_km=33.3, spacing="uniform").advance(0)
    np.testing.assert_allclose(state.x_m, np.arange(67) * 2000 / 67, atol=1e-9)
    # 33.2 per km are 66; the distance stays what the density says.
    state = model_on(one_lane(), density_per_km=33.2, spacing="uniform").advance(0)
    np.testing.assert_allclose(state.x_m, np.arange(66) * 1000 / 33.2, atol=1e-9)


@pytest.mark.parametrize("wrap", [False, True])
def test_random_gaps_keep_two_metres_and_meet_the_density(wrap: bool) -> None:
    """Gaps of a lane are 2 m and more; with all rest of the lane, their mean is exact."""
    length_m, n = 2000.0, 150
    state = model_on(one_lane(wrap=wrap), n_vehicles=n).advance(0)
    front = np.sort(np.mod(state.x_m + 0.5 * CAR_M, length_m))
    gap = np.diff(np.append(front, front[0] + length_m)) - CAR_M
    assert gap.min() >= LEAST_GAP_M - 1e-9
    assert gap.mean() == pytest.approx(length_m / n - CAR_M)


def test_random_gaps_are_exponential_and_short_ones_two_metres() -> None:
    """Raised to 2 m are the gaps that an exponential law makes shorter; the others keep it.

    100 cars on a ring of 2 km leave 15 m each, of which exp(-2/15) are longer than 2 m. What
    these have above 2 m has a coefficient of variation of 1, whose estimate from N draws has a
    standard deviation of about 1/sqrt(N).
    """
    gaps = [
        model_on(one_lane(wrap=True), seed, n_vehicles=100).advance(0).gap_m for seed in range(20)
    ]
    excess = np.concatenate(gaps) - LEAST_GAP_M
    longer = excess > 1e-6
    share = math.exp(-LEAST_GAP_M / 15)
    assert abs(longer.mean() - share) < 4 * math.sqrt(share * (1 - share) / len(excess))
    drawn = excess[longer]
    assert abs(drawn.std() / drawn.mean() - 1) < 4 / math.sqrt(len(drawn))
    tail = math.exp(-1)
    above = (drawn > drawn.mean()).mean()
    assert abs(above - tail) < 4 * math.sqrt(tail * (1 - tail) / len(drawn))


def test_the_least_gap_is_a_parameter() -> None:
    road_map = one_lane(wrap=True)
    state = model_on(road_map, n_vehicles=100, min_gap_m=9.0).advance(0)
    assert state.gap_m.min() == pytest.approx(9.0)
    assert state.gap_m.mean() == pytest.approx(15.0)
    assert model_on(road_map, n_vehicles=100, min_gap_m=0.0).advance(0).gap_m.min() < 1.0


def test_random_starts_cover_the_whole_road() -> None:
    """One vehicle alone begins anywhere, uniformly: P(x < q) = q on a road of length 1."""
    n, road_map = 400, one_lane(1000.0)
    start = np.array(
        [model_on(road_map, seed, n_vehicles=1).advance(0).x_m[0] for seed in range(n)]
    )
    assert ((start >= 0) & (start < 1000)).all()
    for q in (0.1, 0.5, 0.9):
        assert abs((start < 1000 * q).mean() - q) < 4 * math.sqrt(q * (1 - q) / n)


def test_both_directions_and_all_lanes_get_the_same_share() -> None:
    road_map = synthetic.highway(2000.0, lanes_per_direction=3)
    state = model_on(road_map, n_vehicles=120).advance(0)
    lanes = lanes_of(state)
    assert {key: len(rows) for key, rows in lanes.items()} == {
        (east, lane): 20 for east in (True, False) for lane in range(3)
    }
    for (east, lane), rows in lanes.items():
        # Lane 0 is the outermost; lanes are 4 m wide and the directions meet at y = 0.
        side = -1 if east else 1
        np.testing.assert_allclose(state.y_m[rows], side * (10 - 4 * lane))
        assert len(set(state.edge[rows].tolist())) == 1
    assert np.abs(np.sin(state.heading_rad)).max() < 1e-12


def test_density_counts_both_directions_together() -> None:
    road_map = synthetic.highway(2000.0, lanes_per_direction=2)
    assert model_on(road_map, density_per_km=33).n_rows == 66
    assert model_on(one_lane(), density_per_km=33).n_rows == 66


# Motion ------------------------------------------------------------------------------------


def test_vehicles_keep_speed_and_lane() -> None:
    road_map = synthetic.highway(2000.0, wrap=True)
    model = model_on(road_map, n_vehicles=60, speed_kmh=72)
    first, later = model.advance(0), model.advance(round(7.3 * S))
    moved = (later.x_m - first.x_m) * np.sign(np.cos(first.heading_rad))
    np.testing.assert_allclose(np.mod(moved, 2000.0), 20 * 7.3, atol=1e-6)
    for name in ("id", "kind", "lane", "y_m", "heading_rad", "speed_mps"):
        np.testing.assert_array_equal(getattr(first, name), getattr(later, name))
    assert (later.speed_mps == 20.0).all()
    assert (later.acceleration_mps2 == 0.0).all()
    np.testing.assert_allclose(first.gap_m, later.gap_m)


def test_each_direction_may_have_its_speed() -> None:
    for given, east_mps, west_mps in [
        ({}, 140 / 3.6, 140 / 3.6),
        ({"speed_kmh": 72}, 20.0, 20.0),
        ({"speed_kmh": 72, "back_speed_kmh": 36}, 20.0, 10.0),
        ({"speed_kmh": 72, "back_speed_kmh": 0}, 20.0, 0.0),
    ]:
        model = model_on(synthetic.highway(wrap=True), n_vehicles=30, **given)
        first, later = model.advance(0), model.advance(S)
        east = np.cos(first.heading_rad) > 0
        speed = np.where(east, east_mps, west_mps)
        np.testing.assert_allclose(later.speed_mps, speed)
        moved = (later.x_m - first.x_m) * np.where(east, 1.0, -1.0)
        np.testing.assert_allclose(moved % 2000.0, speed, atol=1e-6)


def test_speed_zero_freezes_the_drop() -> None:
    model = model_on(synthetic.highway(), n_vehicles=50, speed_kmh=0)
    first, later = model.advance(0), model.advance(1000 * S)
    assert later.time_us == 1000 * S
    for item in fields(FleetState):
        if item.name != "time_us":
            np.testing.assert_array_equal(getattr(first, item.name), getattr(later, item.name))


@pytest.mark.parametrize("wrap", [False, True])
def test_vehicles_begin_again_at_the_end_of_the_road(wrap: bool) -> None:
    """Two kilometres at 40 m/s take 50 s: then everybody is where they began, with their id."""
    road_map = one_lane(wrap=wrap)
    model = model_on(road_map, n_vehicles=40, speed_kmh=144)
    first = model.advance(0)
    previous = first
    n_returns = 0
    for tenth in range(1, 501):
        state = model.advance(tenth * S // 10)
        assert (state.id == first.id).all()
        assert (
            (state.offset_m >= 0) & (state.offset_m <= road_map.edge_length_m[state.edge])
        ).all()
        step = state.x_m - previous.x_m
        back = step < 0
        n_returns += int(back.sum())
        np.testing.assert_allclose(step, np.where(back, 4.0 - 2000.0, 4.0), atol=1e-6)
        previous = state
    assert n_returns == 40
    np.testing.assert_allclose(previous.x_m, first.x_m, atol=1e-6)


def test_the_joint_of_a_ring_is_no_place() -> None:
    """A ring is two edges a direction; offsets begin anew on the second, positions go on."""
    road_map = one_lane(wrap=True)
    model = model_on(road_map, n_vehicles=1, speed_kmh=36, spacing="uniform")
    edges, fronts = [], []
    model.advance(0)
    for time_s in (99, 101, 199, 201):
        state = model.advance(time_s * S)
        edges.append(int(state.edge[0]))
        fronts.append(float(state.offset_m[0]))
        assert state.x_m[0] == pytest.approx(10 * time_s % 2000)
    assert edges == [0, 1, 1, 0]
    np.testing.assert_allclose(fronts, [992.5, 12.5, 992.5, 12.5])


# Leaders -----------------------------------------------------------------------------------


def test_on_a_ring_everybody_follows_somebody() -> None:
    road_map = synthetic.highway(2000.0, lanes_per_direction=2, wrap=True)
    state = state_at(model_on(road_map, n_vehicles=43, mix=Mix(car=2, truck=1, bus=0)), 12 * S)
    for (east, _), rows in lanes_of(state).items():
        ahead = np.roll(rows, -1)
        assert state.leader[rows].tolist() == ahead.tolist()
        distance = (state.x_m[ahead] - state.x_m[rows]) * (1 if east else -1) % 2000.0
        gap = distance - 0.5 * (state.length_m[ahead] + state.length_m[rows])
        np.testing.assert_allclose(state.gap_m[rows], gap, atol=1e-6)
        assert (gap >= LEAST_GAP_M - 1e-6).all()


def test_on_an_open_road_the_first_of_each_lane_follows_nobody() -> None:
    road_map = synthetic.highway(2000.0, lanes_per_direction=2)
    state = state_at(model_on(road_map, n_vehicles=42, mix=Mix(car=2, truck=1, bus=0)), 12 * S)
    lanes = lanes_of(state)
    assert len(lanes) == 4
    for (east, _), rows in lanes.items():
        behind, ahead = rows[:-1], rows[1:]
        assert state.leader[rows].tolist() == [*ahead.tolist(), -1]
        assert state.gap_m[rows[-1]] == np.inf
        distance = (state.x_m[ahead] - state.x_m[behind]) * (1 if east else -1)
        gap = distance - 0.5 * (state.length_m[ahead] + state.length_m[behind])
        np.testing.assert_allclose(state.gap_m[behind], gap, atol=1e-6)


@pytest.mark.parametrize("wrap", [False, True])
def test_who_is_alone_in_a_lane_follows_nobody(wrap: bool) -> None:
    state = model_on(synthetic.highway(wrap=wrap), n_vehicles=6).advance(0)
    assert (state.leader == -1).all()
    assert np.isinf(state.gap_m).all()


# Composition, determinism ------------------------------------------------------------------


def test_the_mix_sets_kinds_and_sizes() -> None:
    mix = Mix(car=0.5, truck=0.3, bus=0.2)
    state = model_on(synthetic.highway(), n_vehicles=100, mix=mix).advance(0)
    assert np.bincount(state.kind, minlength=3).tolist() == [50, 30, 20]
    heavy = state.kind != NodeKind.CAR
    for name, light, big in [
        ("length_m", CAR_M, TRUCK_M),
        ("width_m", 2.0, 2.6),
        ("height_m", 1.6, 3.0),
        ("antenna_height_m", 1.6, 3.0),
    ]:
        np.testing.assert_array_equal(getattr(state, name), np.where(heavy, big, light))
    cars = model_on(synthetic.highway(), n_vehicles=10).advance(0)
    assert (cars.kind == NodeKind.CAR).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    def run(seed: int) -> list[bytes]:
        mix = Mix(car=1, truck=1, bus=1)
        state = state_at(model_on(synthetic.highway(), seed, n_vehicles=50, mix=mix), 3 * S)
        names = [item.name for item in fields(FleetState) if item.name != "time_us"]
        return [getattr(state, name).tobytes() for name in names]

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_the_state_does_not_depend_on_how_often_it_is_asked_for() -> None:
    often, once = (model_on(synthetic.highway(), n_vehicles=50) for _ in range(2))
    for tenth in range(100):
        state = often.advance(tenth * S // 10)
    np.testing.assert_array_equal(state.x_m, state_at(once, 99 * S // 10).x_m)


def test_states_are_read_only_and_apart() -> None:
    model = model_on(synthetic.highway(), n_vehicles=5)
    one, other = model.advance(0), model.advance(S)
    for item in fields(FleetState):
        if item.name != "time_us":
            assert not getattr(one, item.name).flags.writeable
            assert not np.shares_memory(getattr(one, item.name), getattr(other, item.name))


# Mistakes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [synthetic.junction, synthetic.manhattan])
def test_maps_with_junctions_are_refused(build: Any) -> None:
    with pytest.raises(V2XError, match=r"traffic\.type: .*has junctions; use type: routed"):
        model_on(build(), n_vehicles=5)


def test_roads_that_merge_or_part_are_refused(maps: Any) -> None:
    for name in ("on-ramp", "off-ramp"):
        with pytest.raises(V2XError, match="has junctions"):
            model_on(maps[name](), n_vehicles=5)


def test_roads_of_several_edges_are_one_road(maps: Any) -> None:
    """A circle of four edges: the gaps go on across its joints."""
    ring = maps["ring"](1000.0)
    state = state_at(model_on(ring, n_vehicles=20, spacing="uniform", speed_kmh=36), 10 * S)
    assert np.bincount(state.edge).tolist() == [5, 5, 5, 5]
    np.testing.assert_allclose(
        np.hypot(state.x_m, state.y_m), np.hypot(*ring.edge_from_xy[0]), rtol=2e-3
    )


@pytest.mark.parametrize(
    ("n", "params", "words"),
    [
        (142, {}, ""),  # 142 (5 + 2) m = 994 m
        (143, {}, "1000 m cannot hold 143 vehicles at least 2.0 m apart"),
        (143, {"min_gap_m": 1.5}, ""),
        (200, {"spacing": "uniform"}, ""),
        (201, {"spacing": "uniform"}, "would overlap by 0.02 m"),
        (66, {"mix": Mix(car=0, truck=1, bus=0)}, ""),  # 66 (13 + 2) m = 990 m
        (
            67,
            {"mix": Mix(car=0, truck=1, bus=0)},
            "1000 m cannot hold 67 vehicles at least 2.0 m apart",
        ),
    ],
)
def test_a_lane_takes_no_more_vehicles_than_fit(n: int, params: dict[str, Any], words: str) -> None:
    road_map = one_lane(1000.0)
    if not words:
        assert model_on(road_map, n_vehicles=n, **params).n_rows == n
        return
    with pytest.raises(V2XError, match=rf"traffic: .*{words}; ask for fewer vehicles"):
        model_on(road_map, n_vehicles=n, **params)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "n_vehicles"),
        ({"n_vehicles": 5, "density_per_km": 5.0}, "n_vehicles"),
        ({"n_vehicles": 0}, "n_vehicles"),
        ({"density_per_km": -1.0}, "density_per_km"),
        ({"n_vehicles": 5, "speed_kmh": -1.0}, "speed_kmh"),
        ({"n_vehicles": 5, "speed_kmh": 1001.0}, "speed_kmh"),
        ({"n_vehicles": 5, "back_speed_kmh": -1.0}, "back_speed_kmh"),
        ({"n_vehicles": 5, "min_gap_m": -1.0}, "min_gap_m"),
        ({"n_vehicles": 5, "spacing": "even"}, "even"),
    ],
)
def test_impossible_parameters_are_refused(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ConstantSpeedParams(**params)
