from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.osm_xml import read_osm_xml

ROAD = {"highway": "residential"}


@pytest.mark.parametrize("name", ["town.osm", "town.osm.gz", "plain_inside.osm.gz", "zipped.osm"])
def test_plain_and_compressed_files_are_told_apart_by_content(
    osm_file: Callable[..., Path], name: str
) -> None:
    path = osm_file({1: (0, 0), 2: (100, 0)}, {7: ([1, 2], ROAD)}, name)
    if name == "plain_inside.osm.gz":
        path.write_bytes(gzip.decompress(path.read_bytes()))
    if name == "zipped.osm":
        path.write_bytes(gzip.compress(path.read_bytes()))
    extract = read_osm_xml(path)
    assert extract.node_id.tolist() == [1, 2]
    assert [(way.id, way.node_ids) for way in extract.ways] == [(7, (1, 2))]


def test_tags_of_nodes_and_ways(osm_file: Callable[..., Path]) -> None:
    nodes = {
        1: (0, 0, {"ele": "241.5 m"}),
        2: (100, 0, {"highway": "traffic_signals", "ele": "unknown"}),
        -3: (200, 0),
    }
    ways = {
        7: ([1, 2, -3], {"highway": "trunk", "name": 'Straße "Ö" & 黄桷湾立交 <1>'}),
        8: ([1, 2], {"waterway": "river"}),
    }
    extract = read_osm_xml(osm_file(nodes, ways))
    assert extract.signal.tolist() == [False, True, False]
    np.testing.assert_array_equal(extract.ele_m, [241.5, np.nan, np.nan])
    assert extract.latitude_deg == pytest.approx([29.5] * 3)
    assert [way.id for way in extract.ways] == [7]
    assert extract.ways[0].tags["name"] == 'Straße "Ö" & 黄桷湾立交 <1>'


def test_what_editors_deleted_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "edited.osm"
    path.write_text(
        '<osm version="0.6">'
        '<node id="1" lat="29.5" lon="106.5"/><node id="2" lat="29.6" lon="106.5"/>'
        '<node id="3" visible="false"/><node id="4" lat="1" lon="1" action="delete"/>'
        '<way id="7"><nd ref="1"/><nd/><nd ref="2"/><tag k="highway" v="road"/></way>'
        '<way id="8" visible="false"><nd ref="1"/><tag k="highway" v="road"/></way></osm>'
    )
    extract = read_osm_xml(path)
    assert extract.node_id.tolist() == [1, 2]
    assert [way.node_ids for way in extract.ways] == [(1, 2)]


NODE = '<node id="1" lat="29.5" lon="106.5"/>'
WAY = '<way id="1"><nd ref="1"/><tag k="highway" v="road"/></way>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not well-formed XML"),
        ("hello", "not well-formed XML"),
        (f"<osm>{NODE}", "not well-formed XML"),
        ("<html><body/></html>", "root element is <html>"),
        ("<osm/>", "no node"),
        (f"<osm>{WAY}</osm>", "no node"),
        (f"<osm>{NODE}</osm>", "no way with a highway tag"),
        (f'<osm>{NODE}<way id="2"><nd ref="1"/></way></osm>', "no way with a highway tag"),
        (f'<osm><node id="1" lat="29.5"/>{WAY}</osm>', "unreadable attribute"),
        (f'<osm><node id="x" lat="1" lon="2"/>{WAY}</osm>', "unreadable attribute"),
        (f'<osm><node id="1" lat="nan" lon="2"/>{WAY}</osm>', "unreadable attribute"),
        (f'<osm><node id="1" lat="95" lon="2"/>{WAY}</osm>', "unreadable attribute"),
        (f'<osm>{NODE}<way id="1"><nd ref="a"/><tag k="highway" v="x"/></way></osm>', "unreadable"),
        ('<?xml version="1.0" encoding="klingon"?><osm/>', "unknown encoding: klingon"),
        (f"<osm>{NODE.replace('1', str(2**63), 1)}{WAY}</osm>", f"id {2**63} of a node"),
        (f"<osm>{NODE}{WAY.replace('1', str(10**30), 1)}</osm>", f"id {10**30} of a way"),
    ],
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "bad.osm"
    path.write_text(content)
    with pytest.raises(V2XError, match=words) as caught:
        read_osm_xml(path)
    assert caught.value.file == str(path)
    assert caught.value.remedy


def test_damaged_compression_is_one_clear_error(osm_file: Callable[..., Path]) -> None:
    path = osm_file({1: (0, 0), 2: (100, 0)}, {7: ([1, 2], ROAD)}, "town.osm.gz")
    whole = path.read_bytes()
    for damaged in (whole[:-20], whole[:30] + b"\0\0\0\0" + whole[34:]):
        path.write_bytes(damaged)
        with pytest.raises(V2XError, match=r"damaged gzip data|not well-formed"):
            read_osm_xml(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.osm", tmp_path):
        with pytest.raises(V2XError, match="cannot be read"):
            read_osm_xml(path)


def test_outlines_of_buildings_and_water_are_read_and_nothing_else(
    osm_file: Callable[..., Path],
) -> None:
    nodes = {1: (0, 0), 2: (50, 0), 3: (50, 50), 4: (0, 50)}
    ring = [1, 2, 3, 4, 1]
    ways = {
        10: ([1, 2], {"highway": "residential"}),
        11: (ring, {"building": "yes", "height": "7"}),
        12: (ring, {"natural": "water"}),
        13: (ring, {"natural": "wood"}),
        14: ([1, 2, 3, 4], {"building": "yes"}),
        15: (ring, {"highway": "pedestrian", "building": "yes"}),
    }
    extract = read_osm_xml(osm_file(nodes, ways))
    assert [way.id for way in extract.areas] == [11, 12]
    assert extract.areas[0].node_ids == tuple(ring)
    assert extract.areas[0].tags["height"] == "7"
    assert [way.id for way in extract.ways] == [10, 15]
    assert extract.n_relations == 0
