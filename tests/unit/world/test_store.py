from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import v2x
from v2x import rng
from v2x.errors import V2XError
from v2x.world import store, synthetic
from v2x.world.buildings import Buildings
from v2x.world.ground import quantised
from v2x.world.road_map import MapReport, RoadMap, Structure
from v2x.world.store import builtin_map, load_map, map_bytes, save_map, summary
from v2x.world.terrain import Terrain


def described(road_map: RoadMap) -> RoadMap:
    """Return the map with every field filled."""
    n = road_map.n_edges
    heights = np.linspace(0.0, 9.0, len(road_map.point_z_m))
    from v2x.world.geometry import polylines_of, with_polylines

    lifted = with_polylines(road_map, replace(polylines_of(road_map), z_m=heights))
    return replace(
        lifted,
        name="嘉陵江 east",
        attribution="© OpenStreetMap contributors",
        crs="EPSG:32648",
        origin_x_m=656270.0,
        origin_y_m=3271015.5,
        node_osm_id=np.arange(road_map.n_nodes) + 2**40,
        edge_structure=np.arange(n, dtype=np.int32) % 3,
        edge_level=np.arange(n, dtype=np.int32) - 4,
        terrain=hills(),
        buildings=Buildings(
            first_corner=np.array([0, 3, 7], dtype=np.int32),
            corner_x_m=np.array([0.0, 10.0, 10.0, 50.0, 60.0, 60.0, 50.0]),
            corner_y_m=np.array([0.0, 0.0, 10.0, 0.0, 0.0, 20.0, 20.25]),
            base_m=np.array([201.5, 203.0]),
            top_m=np.array([210.5, 263.125]),
        ),
        report=MapReport({"lanes": 3}, {"km_in_smaller_parts": 1.5}, ("one", "zwei – 二")),
    )


def hills(noise_m: float = 0.0) -> Terrain:
    """Return a terrain of 60 by 90 points between 160 m and 700 m; with noise, of no decimetres."""
    row, column = np.mgrid[0:60, 0:90]
    height_m = 430.0 + 270.0 * np.sin(row / 17.0) * np.cos(column / 23.0)
    height_m += noise_m * rng.stream(1, "hills").normal(size=height_m.shape)
    height_m = height_m.astype(np.float32) if noise_m else quantised(height_m)
    return Terrain(
        west_m=-900.0, south_m=-600.0, step_m=20.0, height_m=height_m, water=height_m < 200.0
    )


MAPS = {
    "manhattan": synthetic.manhattan(),
    "wrapped": synthetic.highway(wrap=True),
    "described": described(synthetic.junction()),
}


def assert_equal(one: Any, two: Any, name: str) -> None:
    """Assert that two members of a map are the same, to the bit and the type."""
    if isinstance(one, np.ndarray):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two, err_msg=name)
    elif isinstance(one, Terrain | Buildings):
        for field in fields(one):
            assert_equal(getattr(one, field.name), getattr(two, field.name), field.name)
    else:
        assert one == two, name


@pytest.mark.parametrize("name", MAPS)
def test_a_map_survives_the_disk_to_the_bit(name: str, tmp_path: Path) -> None:
    road_map = MAPS[name]
    path = tmp_path / f"some.map{store.SUFFIX}"
    save_map(road_map, path)
    again = load_map(path)
    for field in fields(RoadMap):
        one, two = getattr(road_map, field.name), getattr(again, field.name)
        assert_equal(one, two, field.name)
    assert path.read_bytes() == map_bytes(again) == map_bytes(road_map)
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_terrain_of_whole_decimetres_is_packed(tmp_path: Path) -> None:
    """Second differences take about a byte a point; what is no decimetre is kept as it is."""
    plain = MAPS["manhattan"]
    smooth = replace(plain, terrain=hills())
    rough = replace(plain, terrain=hills(noise_m=1.0))
    n_points = 60 * 90
    packed, unpacked = (
        len(map_bytes(road_map)) - len(map_bytes(plain)) for road_map in (smooth, rough)
    )
    assert packed < 1.2 * n_points
    assert unpacked > 2.5 * n_points
    for number, road_map in enumerate((smooth, rough)):
        path = tmp_path / f"{number}.v2xmap"
        save_map(road_map, path)
        assert_equal(road_map.terrain, load_map(path).terrain, "terrain")


def test_cliffs_too_high_to_pack_survive(tmp_path: Path) -> None:
    """A step of 4,000 m beside one back has second differences beyond 16 bits."""
    height_m = np.zeros((4, 5), dtype=np.float32)
    height_m[1::2, 1::2] = 4000.0
    cliff = Terrain(west_m=0.0, south_m=0.0, step_m=10.0, height_m=height_m, water=height_m > 1.0)
    save_map(replace(MAPS["manhattan"], terrain=cliff), tmp_path / "cliff.v2xmap")
    assert_equal(cliff, load_map(tmp_path / "cliff.v2xmap").terrain, "terrain")


def test_the_name_must_say_what_the_file_is(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match=r"must be named \*\.v2xmap.*town\.v2xmap"):
        save_map(MAPS["wrapped"], tmp_path / "town.npz")
    with pytest.raises(V2XError, match="cannot be written"):
        save_map(MAPS["wrapped"], tmp_path / "nowhere" / "town.v2xmap")
    with pytest.raises(V2XError, match="not a kind of map file that is known"):
        load_map(tmp_path / "town.shp")
    with pytest.raises(V2XError, match="cannot be read"):
        load_map(tmp_path / "missing.v2xmap")
    with pytest.raises(V2XError, match=r"must be named \*\.v2xmap.*NAME\.v2xmap"):
        save_map(MAPS["wrapped"], "")


def test_a_map_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "town.v2xmap").mkdir()
    with pytest.raises(V2XError, match="cannot be written"):
        save_map(MAPS["wrapped"], tmp_path / "town.v2xmap")
    assert [file.name for file in tmp_path.iterdir()] == ["town.v2xmap"]


def rewritten(change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> bytes:
    """Return a compiled map after a change of its header and its members."""
    content = io.BytesIO(map_bytes(MAPS["described"]))
    with zipfile.ZipFile(content) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members.pop("header.json"))
    change(header, members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def npy(values: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda header, _: header.update(version=99), "version 99, not 2"),
        (lambda header, _: header.update(format="photo album"), "another kind of file"),
        (lambda header, _: header.pop("crs"), "damaged one"),
        (lambda header, _: header["edge_name"].pop(), "different lengths"),
        (lambda _, members: members.pop("edge_lanes.npy"), "damaged one"),
        (lambda _, m: m.update({"edge_lanes.npy": npy(np.ones(8))}), "array of float64"),
        (
            lambda _, m: m.update({"edge_lanes.npy": npy(np.ones(3, dtype=np.int32))}),
            "different lengths",
        ),
        (
            lambda _, m: m.update({"point_x_m.npy": npy(np.ones(3))}),
            "polylines do not match",
        ),
        (lambda _, m: m.update({"edge_lanes.npy": b"no array"}), "damaged one"),
        (lambda _, m: m.pop("terrain/water.npy"), "damaged one"),
        (lambda _, m: m.pop("terrain/packed_height.npy"), "damaged one"),
        (lambda header, _: header["terrain"].pop("step_m"), "damaged one"),
        (lambda _, m: m.update({"terrain/water.npy": npy(np.zeros(9, bool))}), "1 dimensions"),
        (
            lambda _, m: m.update({"terrain/water.npy": npy(np.zeros((9, 9), bool))}),
            "different shapes",
        ),
        (lambda _, m: m.update({"buildings/top_m.npy": npy(np.zeros(5))}), "different lengths"),
    ],
)
def test_wrong_files_are_one_clear_error(tmp_path: Path, change: Any, words: str) -> None:
    path = tmp_path / "wrong.v2xmap"
    path.write_bytes(rewritten(change))
    with pytest.raises(V2XError, match=words) as caught:
        load_map(path)
    assert caught.value.file == str(path)
    assert "v2x map import" in str(caught.value.remedy)


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "wrong.v2xmap"
    whole = map_bytes(MAPS["described"])
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:100] + b"!" + whole[101:]):
        path.write_bytes(content)
        with pytest.raises(V2XError, match="not a compiled map, or a damaged one"):
            load_map(path)


def test_loading_decides_by_suffix(osm_file: Callable[..., Path], tmp_path: Path) -> None:
    source = osm_file({1: (0, 0), 2: (300, 0)}, {7: ([1, 2], {"highway": "trunk"})})
    road_map = load_map(source, elevation="chongqing")
    assert road_map.node_z_m.min() > 100
    save_map(road_map, tmp_path / "town.v2xmap")
    assert map_bytes(load_map(tmp_path / "town.v2xmap")) == map_bytes(road_map)
    with pytest.raises(V2XError, match="has its heights already"):
        load_map(tmp_path / "town.v2xmap", elevation="chongqing")


def test_summary_of_a_small_map() -> None:
    """Six edges: a ramp in, a bridge, a tunnel, a ramp out, and a street there and back."""
    from v2x.world.geometry import Polylines, road_map_of

    x_m = [0, 100, 100, 300, 300, 700, 700, 750, 700, 800, 800, 700]
    z_m = [0, 10, 10, 10, 10, 30, 30, 30, 30, 27, 27, 30]
    road_map = road_map_of(
        name="small",
        edge_from=[0, 1, 2, 3, 3, 5],
        edge_to=[1, 2, 3, 4, 5, 3],
        edge_lanes=[1] * 6,
        edge_limit_mps=[10.0] * 6,
        edge_structure=[0, Structure.BRIDGE, Structure.TUNNEL, 0, 0, 0],
        edge_level=[0, 2, -1, 0, 0, 0],
        edge_class=[1, 0, 0, 1, 0, 0],
        class_names=("trunk", "trunk_link"),
        edge_name=[""] * 6,
        node_signal=[False, True, False, False, False, False],
        polylines=Polylines(
            2 * np.arange(7), np.array(x_m, dtype=float), np.zeros(12), np.array(z_m, dtype=float)
        ),
        report=MapReport({"lanes": 2}, {"edges_in_smaller_parts": 4}),
    )
    figures = summary(road_map)
    length = [np.hypot(100, 10), 200, np.hypot(400, 20), 50, np.hypot(100, 3), np.hypot(100, 3)]
    assert figures.pop("km") == pytest.approx(sum(length) / 1000)
    assert figures.pop("tunnel_km") == pytest.approx(length[2] / 1000)
    assert figures.pop("strong_km") == pytest.approx(2 * length[4] / 1000)
    assert figures.pop("max_grade") == pytest.approx(0.1)
    # Of 950 m, 250 m are level, 200 m have 3 %, 400 m 5 % and 100 m 10 %.
    # Ramps are built at 8 %, trunk roads at 7 %: the first 100 m are too steep.
    assert figures.pop("grade_violations") == pytest.approx(
        {"edges": 1, "km": length[0] / 1000, "worst": 0.02}
    )
    percentiles = {"p50": 0.05, "p75": 0.05, "p90": 0.10, "p95": 0.10, "p99": 0.10}
    assert figures.pop("grade_percentiles") == pytest.approx(percentiles)
    assert figures.pop("point_grade_percentiles") == pytest.approx(percentiles)
    assert figures == {
        "n_nodes": 6,
        "n_edges": 6,
        "bridge_km": 0.2,
        "levels": [-1, 2],
        "n_entries": 1,
        "n_exits": 1,
        "n_mainline_entries": 0,
        "n_mainline_exits": 0,
        "n_signals": 1,
        "n_tubes": 1,
        "n_portals": 2,
        "n_stacked_pairs": 0,
        "min_stack_clearance_m": None,
        "n_unordered_crossings": 0,
        "terrain": None,
        "n_buildings": 0,
        "voids_filled": 0,
        "defaults_used": {"lanes": 2},
        "dropped": {"edges_in_smaller_parts": 4},
    }
    json.dumps(summary(MAPS["manhattan"]))


def test_summary_tells_of_ground_and_structures_on_the_wrong_side_of_it() -> None:
    """A deck at 10 m, the first half of it under ground at 15 m; a tunnel above ground at 5 m."""
    from v2x.world.geometry import Polylines, road_map_of

    road_map = road_map_of(
        name="wrong",
        edge_from=[0, 1],
        edge_to=[1, 2],
        edge_lanes=[2, 2],
        edge_limit_mps=[10.0, 10.0],
        edge_structure=[Structure.BRIDGE, Structure.TUNNEL],
        edge_class=[0, 0],
        class_names=("trunk",),
        edge_name=["", ""],
        polylines=Polylines(
            np.array([0, 3, 5]),
            np.array([0.0, 100.0, 200.0, 200.0, 500.0]),
            np.zeros(5),
            np.full(5, 10.0),
        ),
        report=MapReport({"terrain_voids": 12}),
    )
    height_m = np.full((3, 8), 5.0, dtype=np.float32)
    height_m[:, 0] = height_m[:, 1] = 15.0
    water = height_m < 0
    water[0, :6] = True
    terrain = Terrain(west_m=0.0, south_m=-100.0, step_m=100.0, height_m=height_m, water=water)
    # At 100 m the grid falls from 15 m; a point stands for the stretch that follows it.
    moved = replace(terrain, west_m=-50.0)
    figures = summary(replace(road_map, terrain=moved, buildings=MAPS["described"].buildings))
    assert figures["terrain"] == pytest.approx(
        {
            "step_m": 100.0, "width_km": 0.7, "height_km": 0.2, "lowest_m": 5.0,
            "highest_m": 15.0, "water": 0.25, "decks_below_km": 0.1, "tunnels_above_km": 0.3,
        }
    )  # fmt: skip
    assert figures["n_buildings"] == 2
    assert figures["voids_filled"] == 12
    json.dumps(figures)


def test_built_in_maps_are_found_and_typos_answered() -> None:
    path = builtin_map("chongqing-central")
    assert path.is_file()
    assert path.name == "chongqing-central.v2xmap"
    with pytest.raises(V2XError, match="did you mean 'chongqing-central'"):
        builtin_map("chongqing-centre")


def test_an_installed_package_has_its_maps_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "v2x"
    (package / "maps").mkdir(parents=True)
    (package / "maps" / "somewhere.v2xmap").write_bytes(b"")
    monkeypatch.setattr(v2x, "__file__", str(package / "__init__.py"))
    assert builtin_map("somewhere") == package / "maps" / "somewhere.v2xmap"
    with pytest.raises(V2XError, match="built in: somewhere"):
        builtin_map("xyz")
