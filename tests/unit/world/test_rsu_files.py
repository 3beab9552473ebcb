"""Files of roadside units."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.road_map import RoadMap, Structure
from v2x.world.roadside_params import RoadsideParams
from v2x.world.rsu_files import csv_of, geojson_of, read_sites
from v2x.world.rsu_sites import sites

from ..channel.hills import Road, map_of


def over_and_under() -> RoadMap:
    """Return a bridge over a road in a tunnel under a road, all through the origin's x axis."""
    ends = [(-500.0, 0.0), (500.0, 0.0)]
    return map_of(
        Road(points=[(*xy, 0.0) for xy in ends]),
        Road(points=[(*xy, 12.0) for xy in ends], structure=Structure.BRIDGE, level=1),
        Road(points=[(*xy, -20.0) for xy in ends], structure=Structure.TUNNEL, level=-1),
    )


def on_earth(road_map: RoadMap) -> RoadMap:
    """Return the map moved to Chongqing."""
    return replace(road_map, crs="EPSG:32648", origin_x_m=653_000.0, origin_y_m=3_271_000.0)


def written(tmp_path: Path, text: str, name: str = "rsu.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_local_metres(tmp_path: Path) -> None:
    """The nearest road outside tunnels, unless level or tunnel say otherwise."""
    file = written(
        tmp_path,
        "x_m,y_m,height_m,level,tunnel,name\n"
        "100,-6,,,,pole\n"
        "200,6,8.5,1,false,deck\n"
        "300,3,4,,true,wall\n",
    )
    found = read_sites(file, over_and_under(), default_height_m=5.0)
    assert found.name == ("pole", "deck", "wall")
    assert found.antenna_height_m.tolist() == [5.0, 8.5, 4.0]
    assert found.z_m.tolist() == [0.0, 12.0, -20.0]
    assert found.edge.tolist() == [0, 1, 2]
    assert found.tunnel.tolist() == [-1, -1, 2]
    np.testing.assert_allclose(found.offset_m, [600.0, 700.0, 800.0])
    np.testing.assert_allclose(found.lateral_m, [6.0, -6.0, -3.0])


def test_degrees_agree_with_the_projection(tmp_path: Path) -> None:
    """Where the central meridian of zone 48 meets the equator, UTM has closed forms.

    A small angle of longitude is 0.9996 a there and one of latitude 0.9996 a (1 - e^2), with
    a = 6378137 m and e^2 = 0.00669438.
    """
    road = replace(over_and_under(), crs="EPSG:32648", origin_x_m=500_000.0, origin_y_m=0.0)
    file = written(tmp_path, "lat,lon\n0.0005,105.001\n")
    found = read_sites(file, road, default_height_m=5.0)
    scale = 0.9996 * 6_378_137.0 * np.radians(1.0)
    assert found.x_m[0] == pytest.approx(0.001 * scale, abs=0.001)
    assert found.y_m[0] == pytest.approx(0.0005 * scale * (1 - 0.00669438), abs=0.001)


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    road = on_earth(over_and_under())
    plan = sites(road, RoadsideParams(placement="spacing", spacing_m=200.0, height_m=6.5))
    for name, text in (("p.geojson", geojson_of(plan, road)), ("p.csv", csv_of(plan))):
        back = read_sites(written(tmp_path, text, name), road, default_height_m=5.0)
        assert back.n_sites == plan.n_sites > 3
        for column in ("x_m", "y_m", "z_m", "antenna_height_m", "lateral_m"):
            np.testing.assert_allclose(getattr(back, column), getattr(plan, column), atol=0.02)
        assert back.tunnel.tolist() == plan.tunnel.tolist()
        assert back.level.tolist() == plan.level.tolist()
        assert back.name == plan.name


def test_geojson_is_in_degrees_and_counts_nothing_but_points() -> None:
    road = on_earth(over_and_under())
    plan = sites(road, RoadsideParams(placement="spacing", spacing_m=500.0))
    content = json.loads(geojson_of(plan, road, {"name": "x"}))
    assert content["type"] == "FeatureCollection"
    longitude, latitude = content["features"][0]["geometry"]["coordinates"]
    assert 106.5 < longitude < 106.6
    assert 29.5 < latitude < 29.6


def test_a_map_without_a_place_on_the_earth_takes_metres_only(tmp_path: Path) -> None:
    road = over_and_under()
    with pytest.raises(V2XError, match="only local metres"):
        read_sites(written(tmp_path, "lat,lon\n29,106\n"), road, default_height_m=5.0)
    plan = sites(road, RoadsideParams(placement="spacing"))
    file = tmp_path / "plan.geojson"
    file.write_text(geojson_of(plan, road), encoding="utf-8")
    assert json.loads(file.read_text("utf-8"))["coordinates_in"] == "metres of the map"
    again = read_sites(file, road, default_height_m=9.0)
    np.testing.assert_allclose(again.x_m, plan.x_m, atol=0.006)
    np.testing.assert_allclose(again.y_m, plan.y_m, atol=0.006)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "x_m,y_m\n0,101.5\n", r"a\.csv:2.*no road outside tunnels.*102 m away"),
        ("a.csv", "x_m,y_m,level\n0,0,7\n", "of level 7: there is none"),
        ("a.csv", "x_m,y_m\n0,0\n5,up\n", r"a\.csv:3: y_m: is 'up'"),
        ("a.csv", "x_m,y_m,height_m\n0,0,0.1\n", r"a\.csv:2: height_m: is '0\.1'"),
        ("a.csv", "x_m,y_m,tunnel\n0,0,maybe\n", "write true or false"),
        ("a.csv", "x_m,y_m,level\n0,0,0.5\n", r"a\.csv:2: level: is '0\.5'; write a whole"),
        ("a.csv", "x_m,y_m,x_m\n0,0,5\n", "column 'x_m' appears twice"),
        ("a.csv", f"x_m,y_m\n{'1' * 200_000},0\n", r"a\.csv: is no table \(field larger"),
        ("a.csv", "lat,long\n1,2\n", "did you mean 'lon'"),
        ("a.csv", "name\nx\n", "no columns of positions"),
        ("a.csv", "x_m,y_m\n", "holds no site"),
        ("a.txt", "", "no file of sites"),
        ("a.geojson", "{}", "no GeoJSON"),
        ("a.geojson", "[1", "no GeoJSON"),
        ("a.geojson", "[" * 100_000, "no GeoJSON"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(V2XError, match=message):
        read_sites(written(tmp_path, text, name), over_and_under(), default_height_m=5.0)


def test_what_is_no_text_says_so(tmp_path: Path) -> None:
    picture = tmp_path / "a.csv"
    picture.write_bytes(b"\x89PNG")
    with pytest.raises(V2XError, match=r"a\.csv: is not text: byte 0 is not UTF-8; write it with"):
        read_sites(picture, over_and_under(), default_height_m=5.0)
    # The name alone says what is no file of sites.
    with pytest.raises(V2XError, match=r"a\.v2xmap: is no file of sites; give a \.csv"):
        read_sites(tmp_path / "a.v2xmap", over_and_under(), default_height_m=5.0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match=r"gone\.csv: cannot be read"):
        read_sites(tmp_path / "gone.csv", over_and_under(), default_height_m=5.0)
