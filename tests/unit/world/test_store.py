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
from v2x.errors import V2XError
from v2x.world import store, synthetic
from v2x.world.road_map import MapReport, RoadMap, Structure
from v2x.world.store import builtin_map, load_map, map_bytes, save_map, summary


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
        report=MapReport({"lanes": 3}, {"km_in_smaller_parts": 1.5}, ("one", "zwei – 二")),
    )


MAPS = {
    "manhattan": synthetic.manhattan(),
    "wrapped": synthetic.highway(wrap=True),
    "described": described(synthetic.junction()),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_survives_the_disk_to_the_bit(name: str, tmp_path: Path) -> None:
    road_map = MAPS[name]
    path = tmp_path / f"some.map{store.SUFFIX}"
    save_map(road_map, path)
    again = load_map(path)
    for field in fields(RoadMap):
        one, two = getattr(road_map, field.name), getattr(again, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two, err_msg=field.name)
        else:
            assert one == two, field.name
    assert path.read_bytes() == map_bytes(again) == map_bytes(road_map)
    with zipfile.ZipFile(path) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_name_must_say_what_the_file_is(tmp_path: Path) -> None:
    with pytest.raises(V2XError, match=r"must be named \*\.v2xmap.*town\.v2xmap"):
        save_map(MAPS["wrapped"], tmp_path / "town.npz")
    with pytest.raises(V2XError, match="cannot be written"):
        save_map(MAPS["wrapped"], tmp_path / "nowhere" / "town.v2xmap")
    with pytest.raises(V2XError, match="not a kind of map file that is known"):
        load_map(tmp_path / "town.shp")
    with pytest.raises(V2XError, match="cannot be read"):
        load_map(tmp_path / "missing.v2xmap")


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
        (lambda header, _: header.update(version=99), "version 99, not 1"),
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
        "defaults_used": {"lanes": 2},
        "dropped": {"edges_in_smaller_parts": 4},
    }
    json.dumps(summary(MAPS["manhattan"]))


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
