from __future__ import annotations

import pytest

from v2x.units import kmh_to_mps
from v2x.world.osm_tags import (
    DEFAULT_LIMIT_KMH,
    DRIVE_CLASSES,
    ele_m,
    height_m,
    is_drivable_class,
    is_open_to_motor_vehicles,
    limit_mps,
    road_attributes,
    slope,
)
from v2x.world.road_map import Structure


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50.0),
        ("90;30;90;30;90;30", 30.0),
        ("30 mph", 48.28032),
        ("25mph", 40.2336),
        ("50 km/h", 50.0),
        ("20 knots", 37.04),
        ("none", 130.0),
        ("walk", 7.0),
        ("DE:walk", 7.0),
        ("CN:urban", 50.0),
        ("CN:rural", 70.0),
        ("AT:motorway", 120.0),
        ("DE:zone:30", 30.0),
        ("DE:zone30", 30.0),
        ("80|100|100", 80.0),
        (" 70 ", 70.0),
        ("30 mph;variable", 48.28032),
    ],
)
def test_limit_is_read(text: str, kmh: float) -> None:
    limit = limit_mps(text)
    assert limit is not None
    assert limit == pytest.approx(kmh_to_mps(kmh))


@pytest.mark.parametrize(
    "text", ["", "signals", "variable", "fast", "0", "-50", "5 furlongs", ";", "1000", "130 knots"]
)
def test_limit_that_says_nothing_is_none(text: str) -> None:
    assert limit_mps(text) is None


@pytest.mark.parametrize(
    ("text", "metres"),
    [("1250", 1250.0), ("1,250.5 m", 1250.5), ("12,5", 12.5), ("-3 m", -3.0), ("100 ft", 30.48)],
)
def test_height_is_read(text: str, metres: float) -> None:
    assert height_m(text) == pytest.approx(metres)


@pytest.mark.parametrize("text", ["high", "281500", "9001", "-501"])
def test_ground_that_no_road_lies_on_is_none(text: str) -> None:
    assert ele_m(text) is None
    assert ele_m("8900") == 8900.0


@pytest.mark.parametrize("text", ["", "high", "10-20", "1.2.3"])
def test_height_that_is_no_number_is_none(text: str) -> None:
    assert height_m(text) is None


def test_slope_in_percent_degrees_and_words() -> None:
    assert slope("8%") == (0.08, 1)
    assert slope("-0,5 %") == (-0.005, -1)
    assert slope("0.41%") == (pytest.approx(0.0041), 1)
    assert slope("5°") == (pytest.approx(0.0875, abs=1e-4), 1)
    assert slope("up") == (None, 1)
    assert slope("Down") == (None, -1)
    assert slope("0%") == (0.0, 0)
    assert slope("steep") == (None, 0)


@pytest.mark.parametrize(
    ("tags", "forward", "backward"),
    [
        ({}, True, True),
        ({"oneway": "yes"}, True, False),
        ({"oneway": "1"}, True, False),
        ({"oneway": "true"}, True, False),
        ({"oneway": "-1"}, False, True),
        ({"oneway": "no"}, True, True),
        ({"oneway": "alternating"}, True, True),
        ({"oneway": "reversible"}, True, False),
        ({"junction": "roundabout"}, True, False),
        ({"junction": "circular"}, True, False),
        ({"junction": "roundabout", "oneway": "-1"}, False, True),
        ({"highway": "motorway"}, True, False),
        ({"highway": "motorway", "oneway": "no"}, True, True),
        ({"highway": "motorway_link"}, True, True),
        ({"oneway": "sometimes"}, True, True),
    ],
)
def test_direction_of_travel(tags: dict[str, str], forward: bool, backward: bool) -> None:
    road = road_attributes({"highway": "secondary", "lanes": "2", "maxspeed": "50"} | tags)
    assert (road.lanes_forward > 0, road.lanes_backward > 0) == (forward, backward)
    assert (road.limit_forward_mps > 0, road.limit_backward_mps > 0) == (forward, backward)
    assert ("oneway" in road.defaulted) == (tags.get("oneway") in ("reversible", "sometimes"))


@pytest.mark.parametrize(
    ("tags", "lanes", "defaulted"),
    [
        ({"oneway": "yes", "lanes": "3"}, (3, 0), False),
        ({"oneway": "-1", "lanes": "3"}, (0, 3), False),
        ({"lanes": "4"}, (2, 2), False),
        ({"lanes": "3"}, (2, 1), False),
        ({"lanes": "1"}, (1, 1), False),
        ({"lanes": "3", "lanes:forward": "1"}, (1, 2), False),
        ({"lanes": "3", "lanes:backward": "2"}, (1, 2), False),
        ({"lanes:forward": "2", "lanes:backward": "1"}, (2, 1), False),
        ({"lanes:forward": "2"}, (2, 1), True),
        ({"lanes": "2;3", "oneway": "yes"}, (2, 0), False),
        ({"lanes": "2.5", "oneway": "yes"}, (2, 0), False),
        ({"lanes": "many"}, (1, 1), True),
        ({"lanes": "0"}, (1, 1), True),
        ({"lanes": "-2"}, (1, 1), True),
        ({"lanes": "nan"}, (1, 1), True),
        ({"lanes": "1e9"}, (1, 1), True),
        ({"lanes": "99999999999999999999", "oneway": "yes"}, (1, 0), True),
        ({"lanes": "24", "oneway": "yes"}, (24, 0), False),
        ({}, (1, 1), True),
        ({"highway": "trunk", "oneway": "yes"}, (2, 0), True),
        ({"highway": "motorway"}, (2, 0), True),
        ({"highway": "motorway_link", "oneway": "yes"}, (1, 0), True),
    ],
)
def test_lanes(tags: dict[str, str], lanes: tuple[int, int], defaulted: bool) -> None:
    road = road_attributes({"highway": "primary", "maxspeed": "50"} | tags)
    assert (road.lanes_forward, road.lanes_backward) == lanes
    assert ("lanes" in road.defaulted) == defaulted


def test_limits_by_direction_and_default() -> None:
    road = road_attributes(
        {"highway": "primary", "maxspeed": "50", "maxspeed:backward": "30", "lanes": "2"}
    )
    assert road.limit_forward_mps == pytest.approx(50 / 3.6)
    assert road.limit_backward_mps == pytest.approx(30 / 3.6)
    assert not road.defaulted
    for road_class in DRIVE_CLASSES:
        road = road_attributes({"highway": road_class, "oneway": "no"})
        expected = 40.0 if road_class.endswith("_link") else DEFAULT_LIMIT_KMH[road_class]
        assert road.limit_forward_mps == pytest.approx(expected / 3.6)
        assert "maxspeed" in road.defaulted


@pytest.mark.parametrize(
    ("tags", "structure", "level", "defaulted"),
    [
        ({}, Structure.GROUND, 0, False),
        ({"bridge": "viaduct", "layer": "3"}, Structure.BRIDGE, 3, False),
        ({"bridge": "yes"}, Structure.BRIDGE, 1, True),
        ({"bridge": "no"}, Structure.GROUND, 0, False),
        ({"tunnel": "yes"}, Structure.TUNNEL, -1, True),
        ({"tunnel": "yes", "layer": "-4"}, Structure.TUNNEL, -4, False),
        ({"tunnel": "building_passage"}, Structure.GROUND, 0, False),
        ({"bridge": "yes", "tunnel": "yes", "layer": "-1"}, Structure.TUNNEL, -1, False),
        ({"bridge": "yes", "tunnel": "yes"}, Structure.BRIDGE, 1, True),
        ({"layer": "2"}, Structure.GROUND, 2, False),
        ({"bridge": "yes", "layer": "up"}, Structure.BRIDGE, 1, True),
        ({"layer": "99999999999"}, Structure.GROUND, 0, False),
        ({"layer": "inf"}, Structure.GROUND, 0, False),
    ],
)
def test_structure_and_level(
    tags: dict[str, str], structure: Structure, level: int, defaulted: bool
) -> None:
    road = road_attributes({"highway": "trunk"} | tags)
    assert (road.structure, road.level) == (structure, level)
    assert ("layer" in road.defaulted) == defaulted


def test_classes_and_access() -> None:
    assert is_drivable_class({"highway": "living_street"})
    assert not is_drivable_class({"highway": "footway"})
    assert not is_drivable_class({"highway": "service"})
    assert not is_drivable_class({"highway": "residential", "area": "yes"})
    assert not is_drivable_class({})
    assert is_open_to_motor_vehicles({})
    assert is_open_to_motor_vehicles({"access": "permissive"})
    assert is_open_to_motor_vehicles({"access": "private", "motorcar": "yes"})
    assert not is_open_to_motor_vehicles({"access": "yes", "motor_vehicle": "no"})
    assert not is_open_to_motor_vehicles({"access": "private"})


def test_drawing_a_road_the_other_way_twice_changes_nothing() -> None:
    road = road_attributes(
        {"highway": "primary", "lanes": "3", "maxspeed:forward": "60", "incline": "-4%"}
    )
    turned = road.reversed()
    assert (turned.lanes_forward, turned.lanes_backward) == (1, 2)
    assert (turned.incline, turned.incline_sign) == (0.04, 1)
    assert turned.limit_backward_mps == pytest.approx(60 / 3.6)
    assert turned.reversed() == road
