from __future__ import annotations

import numpy as np
import pytest

from v2x import rng
from v2x.mobility.fleet import NodeKind
from v2x.mobility.vehicle_classes import SIZES, Dimensions, Mix, VehicleClasses


def test_sizes_are_those_of_tr_37885() -> None:
    car, truck, bus = (item.size for item in VehicleClasses().by_kind())
    assert (car.length_m, car.width_m, car.height_m, car.antenna_height_m) == (5, 2.0, 1.6, 1.6)
    assert (truck.length_m, truck.width_m, truck.height_m, truck.antenna_height_m) == (
        13,
        2.6,
        3.0,
        3.0,
    )
    assert bus == truck
    assert SIZES[NodeKind.TRUCK] == truck


def test_classes_come_in_the_order_of_their_kind() -> None:
    classes = VehicleClasses()
    assert classes.by_kind()[NodeKind.CAR] is classes.car
    assert classes.by_kind()[NodeKind.TRUCK] is classes.truck
    assert classes.by_kind()[NodeKind.BUS] is classes.bus


def test_mix_is_exact_whatever_the_seed() -> None:
    for seed in range(5):
        kind = Mix(car=0.8, truck=0.15, bus=0.05).kinds(200, rng.stream(seed, "mix"))
        assert np.bincount(kind).tolist() == [160, 30, 10]


def test_mix_rounds_by_largest_remainder() -> None:
    kind = Mix(car=1, truck=1, bus=1).kinds(4, rng.stream(1, "mix"))
    assert sorted(np.bincount(kind).tolist()) == [1, 1, 2]
    assert len(Mix().kinds(0, rng.stream(1, "mix"))) == 0
    assert Mix(car=3, truck=1, bus=0).kinds(8, rng.stream(1, "mix")).sum() == 2


def test_order_is_random() -> None:
    a, b = (Mix().kinds(100, rng.stream(seed, "mix")) for seed in (1, 2))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("parts", [(-0.1, 1, 0), (0, 0, 0), (float("inf"), 0, 0)])
def test_impossible_mix(parts: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="shares of car, truck, bus"):
        Mix(car=parts[0], truck=parts[1], bus=parts[2])


def test_impossible_size() -> None:
    with pytest.raises(ValueError, match="width_m must be > 0"):
        Dimensions(length_m=5.0, width_m=0.0, height_m=1.0, antenna_height_m=1.0)
