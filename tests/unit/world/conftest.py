"""Hand-made extracts, and the real files beside the checkout."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

#: Extracts and tiles of the reference data, where the checkout has them beside it.
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "osm"

Way = tuple[Sequence[int], Mapping[str, str]]


def osm_text(
    nodes: Mapping[int, tuple[float, float] | tuple[float, float, Mapping[str, str]]],
    ways: Mapping[int, Way],
) -> str:
    """Return OSM XML; nodes are metres east and north of 29.5 N, 106.5 E, with optional tags."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    for number, (east_m, north_m, *tags) in nodes.items():
        latitude = 29.5 + north_m / 110_850.0
        longitude = 106.5 + east_m / 96_950.0
        lines.append(f'<node id="{number}" lat="{latitude:.9f}" lon="{longitude:.9f}">')
        lines += [_tag(key, value) for key, value in (tags[0] if tags else {}).items()]
        lines.append("</node>")
    for number, (node_ids, tags) in ways.items():
        lines.append(f'<way id="{number}">')
        lines += [f'<nd ref="{node}"/>' for node in node_ids]
        lines += [_tag(key, value) for key, value in tags.items()]
        lines.append("</way>")
    return "\n".join([*lines, "</osm>"])


def _tag(key: str, value: str) -> str:
    return f"<tag k={quoteattr(key)} v={quoteattr(value)}/>"


@pytest.fixture
def osm_file(tmp_path: Path) -> Callable[..., Path]:
    """Write an extract and return its path."""

    def write(nodes: Any, ways: Any, name: str = "town.osm") -> Path:
        path = tmp_path / name
        data = osm_text(nodes, ways).encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


@pytest.fixture(scope="session")
def shared_file() -> Callable[[str], Path]:
    """Return the path of a reference file, or skip the test."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.is_file():
            pytest.skip(f"reference file {name} is not beside the checkout")
        return path

    return find
