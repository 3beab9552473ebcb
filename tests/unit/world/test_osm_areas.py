"""Buildings and water of hand-made extracts; test_real_files.py has those of real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from v2x.world.osm import import_osm
from v2x.world.osm_areas import BuildingParams, building_height_m, is_building, is_water
from v2x.world.osm_xml import read_osm_xml

STREET = {"highway": "residential", "lanes": "2", "maxspeed": "30"}
#: A street, a house of 20 by 10 m north of it, and a pond of 200 by 100 m.
NODES: dict[int, Any] = {
    1: (0, 0), 2: (600, 0), 10: (100, 50), 11: (120, 50), 12: (120, 60), 13: (100, 60),
    20: (300, 60), 21: (500, 60), 22: (500, 160), 23: (300, 160),
}  # fmt: skip
HOUSE = [10, 11, 12, 13, 10]
POND = [20, 21, 22, 23, 20]


class Slope:
    """Ground that rises by 10 % to the east from 300 m."""

    description = "slope"

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.float64]:
        east_m = (np.asarray(longitude_deg) - 106.5) * 96_950.0
        return np.asarray(300.0 + 0.10 * east_m + 0.0 * np.asarray(latitude_deg))


@pytest.mark.parametrize(
    ("tags", "height_m", "is_default"),
    [
        ({"height": "12.5"}, 12.5, False),
        ({"height": "40 ft"}, 12.192, False),
        ({"height": "12", "building:levels": "9"}, 12.0, False),
        ({"building:levels": "4"}, 12.0, False),
        ({"building:levels": "2.5"}, 7.5, False),
        ({"height": "tall", "building:levels": "3"}, 9.0, False),
        ({"height": "0"}, 9.0, True),
        ({"height": "99999"}, 9.0, True),
        ({"building:levels": "900"}, 9.0, True),
        ({"height": "828"}, 828.0, False),
        ({"building:levels": "-1"}, 9.0, True),
        ({"building:levels": "nan"}, 9.0, True),
        ({"building:levels": "many"}, 9.0, True),
        ({}, 9.0, True),
    ],
)
def test_heights_of_buildings(tags: dict[str, str], height_m: float, is_default: bool) -> None:
    found = building_height_m(tags, BuildingParams())
    assert found == (pytest.approx(height_m), is_default)


def test_what_is_a_building_and_what_is_water() -> None:
    assert is_building({"building": "yes"})
    assert is_building({"building": "church"})
    for tags in ({}, {"building": "no"}, {"building": "roof"}, {"building": "construction"}):
        assert not is_building(tags)
    assert is_water({"natural": "water"})
    assert is_water({"waterway": "riverbank", "name": "嘉陵江"})
    assert is_water({"landuse": "reservoir"})
    assert not is_water({"waterway": "river"})
    assert not is_water({"natural": "wood"})


@pytest.mark.parametrize("name", ["level_m", "default_m"])
def test_heights_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be > 0"):
        BuildingParams(**{name: 0.0})


def test_a_house_stands_on_the_lowest_ground_at_its_corners(osm_file: Callable[..., Path]) -> None:
    ways = {5: ([1, 2], STREET), 6: (HOUSE, {"building": "house", "building:levels": "5"})}
    road_map = import_osm(osm_file(NODES, ways), elevation=Slope())
    houses = road_map.buildings
    assert houses is not None
    assert houses.n_buildings == 1
    assert houses.first_corner.tolist() == [0, 4]
    # Lowest at its western wall, 100 m east.
    assert houses.base_m == pytest.approx([310.0], abs=0.3)
    assert houses.top_m - houses.base_m == pytest.approx([15.0])
    west_m = road_map.point_x_m.min()
    assert houses.corner_x_m - west_m == pytest.approx([100, 120, 120, 100], abs=1.0)
    assert "building_height" not in road_map.report.defaults_used


def test_without_terrain_a_house_stands_at_the_height_of_the_road(
    osm_file: Callable[..., Path],
) -> None:
    ways = {5: ([1, 2], STREET), 6: (HOUSE, {"building": "yes"})}
    road_map = import_osm(osm_file(NODES, ways))
    assert road_map.terrain is None
    assert road_map.buildings is not None
    assert road_map.buildings.base_m.tolist() == [0.0]
    assert road_map.buildings.top_m.tolist() == [9.0]
    assert road_map.report.defaults_used["building_height"] == 1


def test_outlines_that_are_none_are_counted(osm_file: Callable[..., Path]) -> None:
    ways = {
        5: ([1, 2], STREET),
        6: ([10, 11, 12, 99, 10], {"building": "yes"}),
        7: ([10, 11, 10, 11, 10], {"building": "yes"}),
        8: ([10, 11, 12], {"building": "yes"}),
        9: (HOUSE, {"building": "yes", **STREET}),
    }
    road_map = import_osm(osm_file(NODES, ways))
    assert road_map.buildings is None
    assert road_map.report.dropped["buildings_with_missing_nodes"] == 1
    assert road_map.report.dropped["buildings_without_area"] == 1


def test_a_pond_is_water_of_the_terrain(osm_file: Callable[..., Path]) -> None:
    ways = {5: ([1, 2], STREET), 6: (POND, {"natural": "water"})}
    road_map = import_osm(osm_file(NODES, ways), elevation=Slope())
    terrain = road_map.terrain
    assert terrain is not None
    assert terrain.water.sum() * terrain.step_m**2 == pytest.approx(200 * 100, rel=0.15)
    west_m, south_m = road_map.point_x_m.min(), road_map.point_y_m.min()
    assert terrain.is_water(west_m + 400, south_m + 110)
    assert not terrain.is_water(west_m + 250, south_m + 110)
    assert road_map.buildings is None


def test_relations_are_counted_and_said_to_be_missing(osm_file: Callable[..., Path]) -> None:
    path = osm_file(NODES, {5: ([1, 2], STREET)})
    relation = (
        '<relation id="3"><member type="way" ref="5" role="outer"/>'
        '<tag k="type" v="multipolygon"/><tag k="natural" v="water"/></relation>'
        '<relation id="4"><tag k="route" v="bus"/></relation></osm>'
    )
    path.write_text(path.read_text().replace("</osm>", relation))
    assert read_osm_xml(path).n_relations == 1
    assert import_osm(path).report.notes[-1].startswith("1 buildings and waters outlined by")
