"""``v2x map side`` and the places of the command line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from v2x.cli.map_side import side
from v2x.cli.places import local_place
from v2x.errors import V2XError
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import save_map


@pytest.fixture(scope="module")
def crossing() -> RoadMap:
    """A road to the east and a bridge over it to the north."""
    return road_map_of(
        name="crossing",
        attribution="© nobody",
        edge_from=[0, 2],
        edge_to=[1, 3],
        edge_lanes=[2, 2],
        edge_limit_mps=[20.0, 20.0],
        edge_structure=[Structure.GROUND, Structure.BRIDGE],
        edge_level=[0, 1],
        edge_class=[0, 0],
        class_names=["trunk"],
        edge_name=["", ""],
        polylines=Polylines(
            np.array([0, 2, 4]),
            np.array([-200.0, 200.0, 0.0, 0.0]),
            np.array([0.0, 0.0, -200.0, 200.0]),
            np.array([0.0, 0.0, 7.0, 7.0]),
        ),
    )


@pytest.fixture(scope="module")
def map_file(crossing, tmp_path_factory):
    file = tmp_path_factory.mktemp("maps") / "crossing.v2xmap"
    save_map(crossing, file)
    return file


def run(*words: object):
    return CliRunner().invoke(side, [str(word) for word in words])


def test_a_picture_is_written(map_file, tmp_path):
    out = tmp_path / "side.png"
    result = run(map_file, "--at", "0,0", "--radius", 80, "--view", 45, "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(b"\x89PNG")
    assert f"written to {out}" in result.output


def test_a_place_without_roads_names_the_remedy(map_file, tmp_path):
    result = run(map_file, "--at", "5000,0", "--out", tmp_path / "a.png")
    assert isinstance(result.exception, V2XError)
    assert "larger radius" in str(result.exception)


def test_an_unknown_format_names_the_file(map_file, tmp_path):
    result = run(map_file, "--at", "0,0", "--out", tmp_path / "a.xyz")
    assert isinstance(result.exception, V2XError)
    assert "a.xyz" in str(result.exception)


@pytest.mark.parametrize("radius", ["0", "-5", "1e9"])
def test_radii_out_of_range_are_refused(map_file, tmp_path, radius):
    result = run(map_file, "--at", "0,0", "--radius", radius, "--out", tmp_path / "a.png")
    assert result.exit_code == 2
    assert "--radius" in result.output


@pytest.mark.parametrize("option", ["--radius", "--view"])
def test_what_is_no_number_is_refused(map_file, tmp_path, option):
    result = run(map_file, "--at", "0,0", option, "nan", "--out", tmp_path / "a.png")
    assert result.exit_code == 2
    assert f"'{option}': 'nan' is not a finite number" in result.output


def test_degrees_become_local_metres(crossing):
    """On the central meridian of a UTM zone the easting is 500 km, the northing 0.9996 times the
    meridian arc, whose series on WGS-84 is that of Snyder (1987), eq. 3-21.
    """
    latitude = np.radians(29.5)
    arc_m = 111132.9525 * 29.5 - 16038.5087 * np.sin(2 * latitude)
    arc_m += 16.8326 * np.sin(4 * latitude) - 0.0220 * np.sin(6 * latitude)
    utm = replace(
        crossing, crs="EPSG:32648", origin_x_m=499_900.0, origin_y_m=0.9996 * arc_m + 50.0
    )
    x_m, y_m = local_place(utm, "29.5, 105", option="--at")
    assert (x_m, y_m) == (pytest.approx(100.0, abs=0.01), pytest.approx(-50.0, abs=0.01))


def test_local_maps_take_metres(crossing):
    assert local_place(crossing, "12.5,-3", option="--at") == (12.5, -3.0)


@pytest.mark.parametrize("text", ["", "1", "1,2,3", "a,b", "nan,1", "inf,2", "95,10", "10,190"])
def test_what_is_no_place_is_explained(crossing, text):
    utm = replace(crossing, crs="EPSG:32648")
    with pytest.raises(V2XError, match=r"--at: .*latitude,longitude"):
        local_place(utm, text, option="--at")
