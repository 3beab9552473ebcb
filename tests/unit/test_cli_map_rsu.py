"""``v2x map plan-rsu``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from v2x.cli.map_rsu import LIANGJIANG_PER_KM, plan_rsu
from v2x.errors import V2XError
from v2x.world.road_map import Structure
from v2x.world.rsu_files import read_sites
from v2x.world.store import load_map, save_map

from .channel.hills import Road, map_of


@pytest.fixture
def map_file(tmp_path: Path) -> Path:
    """Return a map of 3 km with a tunnel of 1 km, in Chongqing."""
    road = map_of(
        Road(points=[(0.0, 0.0, 0.0), (1000.0, 0.0, 0.0)]),
        Road(points=[(1000.0, 0.0, 0.0), (2000.0, 0.0, 0.0)], structure=Structure.TUNNEL),
        Road(points=[(2000.0, 0.0, 0.0), (3000.0, 0.0, 0.0)]),
    )
    path = tmp_path / "small.v2xmap"
    save_map(replace(road, crs="EPSG:32648", origin_x_m=653_000.0, origin_y_m=3_271_000.0), path)
    return path


def planned(map_file: Path, out: Path, *options: str) -> str:
    words = [str(map_file), "--out", str(out), *options]
    result = CliRunner().invoke(plan_rsu, words, catch_exceptions=False, standalone_mode=False)
    assert result.exception is None
    return result.stdout


def test_the_plan_covers_the_road_and_is_read_back(map_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "rsu.geojson"
    figures = json.loads(planned(map_file, out, "--json", "--target", "1", "--max-distance", "400"))
    assert figures["road_km"] == pytest.approx(3.0)
    assert figures["covered_km"] == pytest.approx(3.0)
    assert figures["dark_km"] == pytest.approx(0.0)
    assert figures["share"] == pytest.approx(1.0)
    assert figures["dark_stretches"] == []
    # 3 km at 800 m of reach: four at least.
    assert 4 <= figures["n_rsu"] <= 6
    assert figures["rsu_per_km"] == pytest.approx(figures["n_rsu"] / 3.0)
    assert figures["liangjiang_rsu_per_km"] == LIANGJIANG_PER_KM == pytest.approx(2.31, abs=0.01)
    back = read_sites(out, load_map(map_file), default_height_m=1.0)
    assert back.n_sites == figures["n_rsu"]
    assert (back.antenna_height_m >= 5.0).all()
    assert (back.tunnel >= 0).sum() == figures["n_in_tunnels"]


def test_what_stays_dark_is_named_with_its_place(map_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "rsu.csv"
    words = planned(map_file, out, "--max-loss", "85", "--target", "0.2", "--height", "6")
    assert "dark: " in words
    assert "29.5" in words
    assert "106.5" in words
    assert "(Liangjiang: 2.3)" in words
    found = read_sites(out, load_map(map_file), default_height_m=1.0)
    assert set(found.antenna_height_m.tolist()) == {6.0}


def test_the_same_map_gives_the_same_plan(map_file: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "a.geojson", tmp_path / "b.geojson"]
    for out in outs:
        planned(map_file, out)
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "1.5"], "1.5 is no share"),
        (["--max-loss", "10"], "plan-rsu: --max-loss: max_loss_db must be"),
        (["--spacing-candidates", "1"], "plan-rsu: --spacing-candidates: spacing_m must be"),
        (["--plot", "no/x.png"], "cannot be written: there is no folder 'no'"),
        (["--plot", "x.xyz"], "is no name of a picture"),
        (["--pathloss", "tr37885-highwai"], "did you mean 'tr37885-highway'"),
    ],
)
def test_mistakes_are_explained(
    map_file: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    with pytest.raises(V2XError, match=message):
        planned(map_file, tmp_path / "x.geojson", *options)
    assert [file.name for file in tmp_path.iterdir()] == [map_file.name]


def test_the_ending_decides_the_form(map_file: Path, tmp_path: Path) -> None:
    with pytest.raises(V2XError, match=r"no name of a file of sites"):
        planned(map_file, tmp_path / "x.kml")
