"""Lights and crossings on foot in the traffic kernel, against the rules in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from v2x.mobility.car_following import idm_acceleration_mps2
from v2x.world import synthetic

from .test_car_following import CLASSES, LEVEL, LIMIT_MPS, Bench, one_road

CAR = CLASSES[0]
DRIVER = CAR.driver


def crossing_bench(offset_m: float, speed_mps: float, at_m: list[float], used: list[int]) -> Bench:
    """Return a car on the first of two edges of 1 km, with crossings on the first."""
    bench = Bench(one_road(1, LEVEL), [0], [[0, 1]])
    vehicles = bench.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, offset_m, speed_mps
    first = np.array([0, len(at_m), len(at_m)], dtype=np.int32)
    bench.kernel.use_crossings(first, np.array(at_m), np.array(used, dtype=np.uint8))
    bench.look()
    return bench


def twin(
    offset_m: float, speed_mps: float, at_m: list[float], used: list[int], ease_mps2: float
) -> tuple[float, float]:
    """Return where the car must be able to stop, and the acceleration it wants."""
    v0 = min(DRIVER.desired_speed_mps, LIMIT_MPS)
    zone_m = 2.0 * speed_mps + speed_mps**2 / (2.0 * ease_mps2) + 30.0
    free = float(idm_acceleration_mps2(speed_mps, np.inf, 0.0, v0, DRIVER))
    for at, is_used in zip(at_m, used, strict=True):
        gap = at - offset_m
        if is_used and 0.0 < gap <= zone_m:
            if speed_mps**2 / (2.0 * DRIVER.emergency_mps2) > gap:
                return np.inf, -DRIVER.emergency_mps2
            wish = float(idm_acceleration_mps2(speed_mps, gap, speed_mps, v0, DRIVER))
            return gap, min(free, wish)
    return np.inf, free


@given(
    st.floats(0.0, 400.0),
    st.floats(0.5, 25.0),
    st.lists(st.floats(1.0, 500.0), min_size=1, max_size=4, unique=True),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_crossings_agree_with_the_twin(
    offset: float, speed: float, places: list[float], data: st.DataObject
) -> None:
    at = sorted(places)
    used = data.draw(st.lists(st.integers(0, 1), min_size=len(at), max_size=len(at)))
    bench = crossing_bench(offset, speed, at, used)
    vehicles = bench.vehicles
    available, wish = twin(offset, speed, at, used, float(vehicles.ease_mps2[0]))
    assert vehicles.available_m[0] == pytest.approx(available)
    assert vehicles.wish_mps2[0] == pytest.approx(wish)


def test_a_crossing_beyond_the_node_counts() -> None:
    bench = Bench(one_road(1, LEVEL), [0], [[0, 1]])
    vehicles = bench.vehicles
    vehicles.stop[0], vehicles.offset_m[0], vehicles.speed_mps[0] = 0, 980.0, 10.0
    first = np.array([0, 0, 1], dtype=np.int32)
    bench.kernel.use_crossings(first, np.array([25.0]), np.ones(1, dtype=np.uint8))
    bench.look()
    assert vehicles.available_m[0] == pytest.approx(45.0)


def test_a_car_stops_before_a_crossing_and_goes_on_when_it_is_free() -> None:
    used = np.ones(1, dtype=np.uint8)
    bench = crossing_bench(100.0, 15.0, [200.0], [1])
    bench.kernel.use_crossings(np.array([0, 1, 1], dtype=np.int32), np.array([200.0]), used)
    for _ in range(400):
        bench.look()
        bench.kernel.move(0.1)
    assert 197.0 < bench.vehicles.offset_m[0] < 200.0
    used[0] = 0
    for _ in range(100):
        bench.look()
        bench.kernel.move(0.1)
    assert bench.vehicles.offset_m[0] > 220.0


def test_wrong_lengths_are_refused() -> None:
    bench = Bench(one_road(1, LEVEL), [0], [[0, 1]])
    with pytest.raises(ValueError, match="first must have 3 elements, the last 1"):
        bench.kernel.use_crossings(
            np.array([0, 0, 0], dtype=np.int32), np.zeros(1), np.zeros(1, dtype=np.uint8)
        )
    with pytest.raises(ValueError, match="used has 2 elements, not 1"):
        bench.kernel.use_crossings(
            np.array([0, 1, 1], dtype=np.int32), np.zeros(1), np.zeros(2, dtype=np.uint8)
        )
    with pytest.raises(ValueError, match="green has 7 elements"):
        bench.kernel.look(0, np.zeros(7, dtype=np.uint8))


# Lights --------------------------------------------------------------------------------------


def before_lights(distance_m: float, green: bool, ignores: int) -> tuple[Bench, int]:
    """Return a car before a junction with lights, and its movement."""
    bench = Bench(synthetic.build("junction"), [0], [[0, 5]])
    movement = int(bench.book.movement[0])
    vehicles = bench.vehicles
    vehicles.stop[0], vehicles.speed_mps[0] = 0, 10.0
    vehicles.offset_m[0] = 300.0 - float(bench.network.radius_m[movement]) - distance_m
    vehicles.ignores[0] = ignores
    bench.green[movement] = green
    bench.look()
    return bench, movement


@pytest.mark.parametrize(
    ("green", "ignores", "goes"),
    [
        (True, -1, True),
        (False, -1, False),
        (False, 0, True),  # has not noticed the lights of node 0
        (False, 3, False),  # nor those of another
        (False, -2, True),  # may pass all
    ],
)
def test_who_may_go(green: bool, ignores: int, goes: bool) -> None:
    bench, _ = before_lights(20.0, green, ignores)
    assert bool(bench.vehicles.cleared[0]) == goes
    assert (bench.vehicles.line_m[0] == pytest.approx(20.0)) != goes


@pytest.mark.parametrize("ignores", [-2, 0])
def test_only_who_has_not_noticed_drives_into_the_way_of_others(ignores: int) -> None:
    """Somebody with green crosses at the same time."""
    bench = Bench(synthetic.build("junction"), [0, 0], [[0, 5], [2, 7]])
    vehicles, green = bench.vehicles, bench.green
    first: NDArray[np.int32] = np.array([0, 2], dtype=np.int32)
    vehicles.stop[:] = first
    vehicles.speed_mps[:] = 10.0
    vehicles.offset_m[:] = [265.0, 275.0]
    green[bench.book.movement[2]] = 1
    bench.look()
    assert vehicles.cleared.tolist() == [0, 1]
    vehicles.ignores[0] = ignores
    bench.look()
    assert vehicles.cleared.tolist() == [1 if ignores == 0 else 0, 1]
