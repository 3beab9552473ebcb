"""GCJ-02 against published shifts, its own inverse, and the rivers of Chongqing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from v2x import rng
from v2x.errors import V2XError
from v2x.world.chongqing_terrain import ChongqingSurface
from v2x.world.datum import datum_notes, wet_roads_m
from v2x.world.gcj02 import gcj02_to_wgs84, in_china, wgs84_to_gcj02
from v2x.world.network import build_network
from v2x.world.osm import import_osm
from v2x.world.osm_xml import OsmExtract, read_osm_xml
from v2x.world.store import builtin_map

METRES_PER_DEGREE = 111_200.0


@pytest.mark.parametrize(
    ("latitude", "longitude", "north", "east"),
    [
        # Centre of Chongqing and Shapingba: reference/chongqing_facts.md 7.
        (29.557, 106.577, -0.00289, 0.00369),
        (29.556, 106.460, -0.00258, 0.00398),
        # Beijing and Shanghai, of which the shift is well known.
        (39.9042, 116.4074, 0.00140, 0.00624),
        (31.2304, 121.4737, -0.00194, 0.00452),
    ],
)
def test_published_shifts(latitude: float, longitude: float, north: float, east: float) -> None:
    found = wgs84_to_gcj02(latitude, longitude)
    assert found[0] - latitude == pytest.approx(north, abs=3e-5)
    assert found[1] - longitude == pytest.approx(east, abs=3e-5)


def plainly_shifted(latitude: float, longitude: float) -> tuple[float, float]:
    """Return the shifted position by the formula as it is usually printed, term by term."""
    x, y, pi = longitude - 105.0, latitude - 35.0, math.pi
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    north += (20 * math.sin(y * pi) + 40 * math.sin(y / 3 * pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * pi) + 320 * math.sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    east += (20 * math.sin(x * pi) + 40 * math.sin(x / 3 * pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * pi) + 300 * math.sin(x / 30 * pi)) * 2 / 3
    a, ee, phi = 6378245.0, 0.006693421622965943, math.radians(latitude)
    w = 1 - ee * math.sin(phi) ** 2
    return (
        latitude + north * 180 / (a * (1 - ee) / (w * math.sqrt(w)) * pi),
        longitude + east * 180 / (a / math.sqrt(w) * math.cos(phi) * pi),
    )


def test_the_formula_is_the_one_in_public_use() -> None:
    draw = rng.stream(4, "gcj02")
    for latitude, longitude in zip(
        draw.uniform(18, 53, 50), draw.uniform(74, 135, 50), strict=True
    ):
        found = wgs84_to_gcj02(latitude, longitude)
        expected = plainly_shifted(float(latitude), float(longitude))
        assert (float(found[0]), float(found[1])) == pytest.approx(expected, abs=1e-10)


def test_the_trap_is_480_m_wide() -> None:
    latitude, longitude = wgs84_to_gcj02(29.557, 106.577)
    south_m = (29.557 - float(latitude)) * METRES_PER_DEGREE
    east_m = (float(longitude) - 106.577) * METRES_PER_DEGREE * np.cos(np.radians(29.557))
    assert (south_m, east_m) == pytest.approx((320.0, 357.0), abs=2.0)
    assert np.hypot(south_m, east_m) == pytest.approx(480.0, abs=3.0)


def test_there_and_back_is_the_same_place() -> None:
    draw = rng.stream(3, "gcj02")
    latitude, longitude = draw.uniform(18.0, 53.0, (20, 10)), draw.uniform(74.0, 135.0, (20, 10))
    back = gcj02_to_wgs84(*wgs84_to_gcj02(latitude, longitude))
    assert back[0] == pytest.approx(latitude, abs=2e-9)
    assert back[1] == pytest.approx(longitude, abs=2e-9)
    one = wgs84_to_gcj02(latitude[3, 4], longitude[3, 4])
    many = wgs84_to_gcj02(latitude, longitude)
    assert (float(one[0]), float(one[1])) == (many[0][3, 4], many[1][3, 4])


def test_outside_china_there_is_no_such_datum() -> None:
    assert in_china([29.5, 43.7, -33.0], [106.5, 7.4, 151.0]).tolist() == [True, False, False]
    for convert in (wgs84_to_gcj02, gcj02_to_wgs84):
        with pytest.raises(V2XError, match=r"1 positions lie outside China.*wgs84"):
            convert([29.5, 43.7], [106.5, 7.4])


@pytest.fixture(scope="module")
def extract() -> OsmExtract:
    """Return the expressways of Chongqing, in WGS-84 as OpenStreetMap has them."""
    source = builtin_map("chongqing-central").with_name("chongqing-central.osm.gz")
    if not source.is_file():
        pytest.skip("the extract is not installed")
    return read_osm_xml(source)


def test_rivers_tell_the_datum_of_chongqing(extract: OsmExtract) -> None:
    """No road on the ground lies in a river; with the wrong datum kilometres would."""
    surface = ChongqingSurface()
    latitude, longitude = wgs84_to_gcj02(extract.latitude_deg, extract.longitude_deg)
    shifted = replace(extract, latitude_deg=latitude, longitude_deg=longitude)
    right = build_network(extract, name="right", file="right").road_map
    wrong = build_network(shifted, name="wrong", file="wrong").road_map
    wet = wet_roads_m(right, surface, "wgs84")
    assert wet is not None
    assert wet[0] == 0.0
    assert datum_notes(right, surface, "wgs84") == []
    wet = wet_roads_m(wrong, surface, "wgs84")
    assert wet is not None
    assert wet[0] > 1_000.0
    assert wet[1] == 0.0
    (note,) = datum_notes(wrong, surface, "wgs84")
    assert "is wgs84 its datum?" in note


def test_nothing_is_said_without_rivers_of_another_source(extract: OsmExtract) -> None:
    road_map = build_network(extract, name="right", file="right").road_map
    assert wet_roads_m(road_map, None, "wgs84") is None


def test_a_file_in_gcj02_becomes_the_map_of_its_wgs84_twin(osm_file: Callable[..., Path]) -> None:
    street = {"highway": "residential", "lanes": "2", "maxspeed": "30"}
    places = {1: (0.0, 0.0), 2: (400.0, 250.0), 3: (900.0, -100.0)}
    plain = import_osm(osm_file(places, {7: ([1, 2, 3], street)}, "plain.osm"))

    def moved(east_m: float, north_m: float) -> tuple[float, float]:
        latitude, longitude = wgs84_to_gcj02(29.5 + north_m / 110_850, 106.5 + east_m / 96_950)
        return (float(longitude) - 106.5) * 96_950, (float(latitude) - 29.5) * 110_850

    shifted = {number: moved(*place) for number, place in places.items()}
    path = osm_file(shifted, {7: ([1, 2, 3], street)}, "shifted.osm")
    converted = import_osm(path, datum="gcj02")
    for axis in ("x", "y"):
        ours = getattr(converted, f"point_{axis}_m") + getattr(converted, f"origin_{axis}_m")
        theirs = getattr(plain, f"point_{axis}_m") + getattr(plain, f"origin_{axis}_m")
        assert ours == pytest.approx(theirs, abs=2e-3)
    declared_wrong = import_osm(path)
    apart = np.hypot(
        declared_wrong.origin_x_m - plain.origin_x_m, declared_wrong.origin_y_m - plain.origin_y_m
    )
    assert apart == pytest.approx(480, abs=25)
    with pytest.raises(V2XError, match="unknown datum 'gcj2'; did you mean 'gcj02'"):
        import_osm(path, datum="gcj2")


def test_gcj02_outside_china_names_the_file(shared_file: Callable[[str], Path]) -> None:
    with pytest.raises(V2XError, match=r"monaco-2012\.osm\.gz: 13739 positions lie outside China"):
        import_osm(shared_file("monaco-2012.osm.gz"), datum="gcj02")
