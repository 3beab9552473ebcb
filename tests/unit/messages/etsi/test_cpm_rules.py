"""Inclusion of objects on each side of its thresholds, times, and parts (TS 103 324, 6.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from v2x.messages.etsi.cpm import Objects, OriginatingVehicle, Sensor, Sensors
from v2x.messages.etsi.cpm_rules import (
    CpmDue,
    CpmGeneration,
    CpmGenerationParams,
    Seen,
    segments,
)
from v2x.messages.etsi.frame import size_bytes

from .samples import cpm, full_object

MS = 1000
STATION = np.array([0], dtype=np.int32)
SENSORS = Sensors(sensors=(Sensor(sensor_id=1, kind=1, shadowing=1),))


def seen(*objects: dict[str, Any]) -> Seen:
    """Return objects that station 0 sees, a vehicle at the origin unless said otherwise."""
    default = {"station": 0, "object_id": 1, "x_m": 0.0, "y_m": 0.0, "heading_rad": 0.0}
    default |= {"speed_mps": 10.0, "type_a": False, "quality": 7}
    types = {"station": np.int32, "object_id": np.int64, "type_a": np.bool_, "quality": np.int64}
    rows = [default | one for one in objects]
    return Seen(
        **{
            name: np.array([row[name] for row in rows], dtype=types.get(name, np.float64))
            for name in default
        }
    )


def check(rules: CpmGeneration, now_ms: int, *objects: dict[str, Any]) -> CpmDue:
    return rules.check(now_ms * MS, STATION, np.array([50]), seen(*objects))


@pytest.mark.parametrize(
    ("columns", "included"),
    [
        ({"x_m": 3.99}, False),
        ({"x_m": 4.01}, True),
        ({"speed_mps": 10.49}, False),
        ({"speed_mps": 10.51}, True),
        ({"heading_rad": np.radians(3.99)}, False),
        ({"heading_rad": np.radians(-4.01)}, True),
    ],
)
def test_vehicles_that_have_changed(columns: dict[str, Any], included: bool) -> None:
    rules = CpmGeneration(CpmGenerationParams())
    assert check(rules, 0, {}).included.tolist() == [True]  # new
    found = check(rules, 100, columns)
    assert found.included.tolist() == [included]
    assert found.due.tolist() == [included]


def test_vehicles_again_after_a_second() -> None:
    rules = CpmGeneration(CpmGenerationParams())
    check(rules, 0, {})
    assert not check(rules, 999, {}).included[0]
    assert check(rules, 1000, {}).included[0]


def test_all_walkers_once_one_is_old() -> None:
    """One is new at 0, one at 300 ms; at 500 ms the first is old, so both are told."""
    rules = CpmGeneration(CpmGenerationParams())
    first = {"object_id": 1, "type_a": True}
    second = {"object_id": 2, "type_a": True}
    assert check(rules, 0, first).included.tolist() == [True]
    assert check(rules, 300, first, second).included.tolist() == [False, True]
    moved = first | {"x_m": 20.0}
    assert check(rules, 499, moved, second).included.tolist() == [False, False]
    assert check(rules, 500, moved, second).included.tolist() == [True, True]
    assert check(rules, 999, moved, second).included.tolist() == [False, False]


def test_old_walkers_do_not_bring_vehicles_along() -> None:
    rules = CpmGeneration(CpmGenerationParams())
    both = ({"object_id": 1, "type_a": True}, {"object_id": 2})
    check(rules, 0, *both)
    assert check(rules, 500, *both).included.tolist() == [True, False]


@pytest.mark.parametrize(("quality", "included"), [(2, False), (3, True)])
def test_quality(quality: int, included: bool) -> None:
    rules = CpmGeneration(CpmGenerationParams())
    assert check(rules, 0, {"quality": quality}).included.tolist() == [included]


def test_an_object_that_gets_better_is_new() -> None:
    rules = CpmGeneration(CpmGenerationParams())
    check(rules, 0, {"quality": 0})
    assert check(rules, 100, {"quality": 5}).included[0]


def test_an_object_that_was_lost_is_new() -> None:
    rules = CpmGeneration(CpmGenerationParams())
    check(rules, 0, {})
    check(rules, 100)
    assert check(rules, 200, {}).included[0]


def test_sensors_once_per_second_and_never_two_messages_within_100_ms() -> None:
    rules = CpmGeneration(CpmGenerationParams())
    found = {ms: check(rules, ms) for ms in (0, 100, 999, 1000, 1099, 2000)}
    assert [ms for ms, one in found.items() if one.sensors[0]] == [0, 1000, 2000]
    assert [ms for ms, one in found.items() if one.due[0]] == [0, 1000, 2000]
    assert not check(rules, 2099, {}).due[0]
    waiting = check(rules, 2100, {})
    assert waiting.due[0]
    assert waiting.included[0]


def test_stations_remember_their_own_objects() -> None:
    rules = CpmGeneration(CpmGenerationParams())
    two, identity = np.array([0, 1], dtype=np.int32), np.array([50, 51])
    both = seen({"station": 0}, {"station": 1})
    assert rules.check(0, two[:1], identity, both).included.tolist() == [True, False]
    assert rules.check(100 * MS, two, identity, both).included.tolist() == [False, True]
    another = np.array([50, 52])
    assert rules.check(200 * MS, two, another, both).included.tolist() == [False, True]


def test_columns_have_one_length() -> None:
    with pytest.raises(ValueError, match="x_m"):
        Seen(**{name: getattr(seen({}), name) for name in Seen.__slots__} | {"x_m": np.zeros(2)})


def test_parts_are_complete_and_short_enough() -> None:
    message = cpm(tuple(full_object(k) for k in range(100)), SENSORS)
    parts = segments(message, 1100)
    assert len(parts) == 3
    assert all(size_bytes(part) <= 1100 for part in parts)
    told: list[int | None] = []
    for index, part in enumerate(parts):
        segment = part.payload.management.segment
        assert segment is not None
        assert (segment.this_message, segment.n_messages) == (index, 3)
        containers = part.payload.containers
        assert isinstance(containers[0], OriginatingVehicle)
        assert any(isinstance(one, Sensors) for one in containers) == (index == 0)
        (objects,) = (one for one in containers if isinstance(one, Objects))
        assert objects.n_perceived == 100
        told += [one.object_id for one in objects.objects]
    assert told == list(range(100))
    # No part but the last has room for one more.
    assert all(size_bytes(part) > 1100 - 31 for part in parts[:-1])


def test_what_fits_is_not_split() -> None:
    """35 full objects and their headers are 1079 bytes, 36 are 1109."""
    short, long = (cpm(tuple(full_object(k) for k in range(n))) for n in (35, 36))
    assert (size_bytes(short), size_bytes(long)) == (1079, 1109)
    assert segments(short) == (short,)
    assert len(segments(long)) == 2


def test_more_than_eight_parts_are_refused() -> None:
    message = cpm(tuple(full_object(k) for k in range(20)))
    with pytest.raises(ValueError, match="do not fit into 8 messages of 70 bytes"):
        segments(message, 70)
    with pytest.raises(ValueError, match="do not fit"):
        segments(message, 50)
    with pytest.raises(ValueError, match="without objects"):
        segments(cpm(), 20)


@pytest.mark.parametrize("wrong", [{"interval_ms": 49.0}, {"interval_ms": 1001.0}])
def test_what_the_standard_does_not_allow(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="interval_ms"):
        CpmGenerationParams(**wrong)  # type: ignore[arg-type]
