"""``v2x map profile``: what it says about a link, in words, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from v2x.cli.map_profile import profile
from v2x.errors import V2XError
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import Structure
from v2x.world.store import save_map
from v2x.world.terrain import Terrain


@pytest.fixture(scope="module")
def valley(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valley road northward, a bridge 20 m over it, a ridge at x = 200 and a tunnel in it."""
    points = np.array(
        [
            [(0, -300, 0), (0, 300, 0)],
            [(-60, 0, 20), (60, 0, 20)],
            [(60, 100, 0), (150, 100, 0)],
            [(150, 100, 0), (250, 100, 0)],
        ],
        dtype=np.float64,
    )
    x, y, z = points.reshape(-1, 3).T
    coordinate = np.arange(-400.0, 401.0, 10.0)
    height = np.maximum(0.0, 30.0 - 0.6 * np.abs(coordinate - 200.0))
    terrain = Terrain(
        west_m=-400.0,
        south_m=-400.0,
        step_m=10.0,
        height_m=np.tile(height.astype(np.float32), (len(coordinate), 1)),
        water=np.zeros((len(coordinate),) * 2, dtype=np.bool_),
    )
    road_map = road_map_of(
        name="valley",
        attribution="drawn by hand",
        edge_from=[0, 2, 4, 5],
        edge_to=[1, 3, 5, 6],
        edge_lanes=[2] * 4,
        edge_limit_mps=[20.0] * 4,
        edge_structure=[Structure.GROUND, Structure.BRIDGE, Structure.GROUND, Structure.TUNNEL],
        edge_level=[0, 1, 0, -1],
        edge_class=[0] * 4,
        class_names=["trunk"],
        edge_name=["Valley Road", "High Bridge", "", "Ridge Tunnel"],
        polylines=Polylines(np.array([0, 2, 4, 6, 8]), x, y, z),
        terrain=terrain,
    )
    path = tmp_path_factory.mktemp("maps") / "valley.v2xmap"
    save_map(road_map, path)
    return path


def call(valley: Path, *words: str) -> Result:
    return CliRunner().invoke(profile, [str(valley), *words])


def figures(valley: Path, *words: str) -> dict[str, Any]:
    result = call(valley, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_ridge_in_words_and_figures(valley: Path) -> None:
    words = ("--from", "0,-200", "--to", "390,-200", "--rain", "100")
    found = figures(valley, *words)
    assert found["state"] == "terrain"
    assert found["distance_m"] == 390.0
    assert found["from"]["on"] == "ground road"
    assert found["from"]["street"] == "Valley Road"
    assert found["to"]["on"] == "ground"
    assert found["loss_db"]["terrain"] > 30.0
    assert found["loss_db"]["rain"] == pytest.approx(0.637 * 0.39, abs=1e-3)
    assert found["total_db"] == pytest.approx(sum(found["loss_db"].values()), abs=0.01)
    assert found["edges"][0]["distance_m"] == pytest.approx(195.0, abs=10.0)
    assert max(found["profile"]["ground_m"]) == pytest.approx(30.0, abs=0.5)
    said = call(valley, *words).stdout
    assert "behind the ground" in said
    assert "bullington edge at" in said
    assert "Valley Road" in said
    assert f"{found['total_db']:.2f} dB" in said
    assert "drawn by hand" in said


def test_the_top_most_deck_and_the_level_below(valley: Path) -> None:
    on_deck = figures(valley, "--from", "0,0", "--to", "50,0")
    assert (on_deck["from"]["level"], on_deck["state"]) == (1, "los")
    below = figures(valley, "--from", "0,0", "--to", "0,0", "--to-level", "0")
    assert (below["to"]["level"], below["state"]) == (0, "deck")
    assert below["decks"][0]["cuts"]
    assert below["loss_db"]["decks"] > 25.0
    both = figures(valley, "--from", "0,0", "--to", "0,60", "--level", "0")
    assert (both["from"]["level"], both["state"]) == (0, "los")
    said = call(valley, "--from", "0,0", "--to", "0,0", "--to-level", "0").stdout
    assert "deck from 0 to 0 m, top 20.0 m, in the way" in said


def test_inside_the_tunnel_and_on_the_ridge(valley: Path) -> None:
    buried = figures(valley, "--from", "200,100", "--to", "200,100", "--to-level", "ground")
    assert buried["from"]["on"] == "tunnel road"
    assert buried["to"]["on"] == "ground"
    assert buried["state"] == "blocked"
    assert buried["total_db"] is None
    out = figures(valley, "--from", "200,100", "--to", "100,100")
    assert out["state"] == "tunnel"
    assert out["loss_db"]["portal"] == 3.0
    said = call(valley, "--from", "200,100", "--to", "200,100", "--to-level", "ground").stdout
    assert "no link" in said


def test_heights_carrier_and_method_matter(valley: Path) -> None:
    ends = ("--from", "0,-200", "--to", "390,-200")
    plain = figures(valley, *ends)
    high = figures(valley, *ends, "--height-from", "40", "--height-to", "40")
    assert high["state"] == "los"
    assert high["loss_db"]["terrain"] < 1.0
    low = figures(valley, *ends, "--carrier-ghz", "1")
    assert low["loss_db"]["terrain"] < plain["loss_db"]["terrain"] - 6.0
    three = figures(valley, *ends, "--method", "deygout")
    assert three["edge_method"] == "deygout"
    assert figures(valley, *ends, "--method", "none")["loss_db"]["terrain"] == 0.0


def test_a_picture(valley: Path, tmp_path: Path) -> None:
    picture = tmp_path / "link.png"
    result = call(valley, "--from", "0,-200", "--to", "390,-200", "--out", str(picture))
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert f"written to {picture}" in result.stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--from", "0", "--to", "1,1"), "is not two numbers"),
        (("--from", "0,0", "--to", "0,0"), "is the same place as --from"),
        (("--from", "0,0", "--to", "0,60", "--to-level", "3"), "no road of level 3"),
        (("--from", "0,0", "--to", "900,0"), "900,0: lies off map 'valley'"),
        (("--from", "0,0", "--to", "1e9,1e9"), "'1e9,1e9' is no place on the map"),
        (("--from", "1e308,0", "--to", "0,0"), "'1e308,0' is no place on the map"),
    ],
)
def test_mistakes_are_named(valley: Path, words: tuple[str, ...], reason: str) -> None:
    result = call(valley, *words)
    assert isinstance(result.exception, V2XError)
    assert reason in str(result.exception)
    assert str(result.exception).startswith("--")


@pytest.mark.parametrize("option", ["--height-to", "--carrier-ghz", "--rain", "--visibility"])
def test_nan_is_no_number(valley: Path, option: str) -> None:
    result = call(valley, "--from", "0,0", "--to", "0,60", option, "nan")
    assert result.exit_code == 2
    assert f"'{option}': 'nan' is not a finite number" in result.output


@pytest.mark.parametrize("name", ["a", "a.xyz", "no/a.png", ""])
def test_a_picture_without_a_name_is_refused(valley: Path, tmp_path: Path, name: str) -> None:
    out = f"{tmp_path}/{name}"
    result = call(valley, "--from", "0,0", "--to", "0,60", "--out", out)
    assert isinstance(result.exception, V2XError)
    assert list(tmp_path.iterdir()) == []


def test_a_level_is_a_number_or_the_ground(valley: Path) -> None:
    result = call(valley, "--from", "0,0", "--to", "0,60", "--level", "sky")
    assert result.exit_code == 2
    assert "neither a whole number nor 'ground'" in result.output
