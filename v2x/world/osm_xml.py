"""OpenStreetMap XML files, read as they are: nodes and ways with their tags."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.world.osm_areas import is_building, is_water
from v2x.world.osm_tags import ele_m

#: Ids are 64-bit integers; those of objects never uploaded are negative.
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OsmWay:
    """One way: its id, the ids of its nodes in order, and its tags."""

    id: int
    node_ids: tuple[int, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OsmExtract:
    """Nodes, highway ways, and outlines of buildings and water of an extract.

    Attributes
    ----------
    node_id : (n_nodes,) int64
        Unique ids.
    latitude_deg, longitude_deg : (n_nodes,) float64
        WGS-84 [degree].
    ele_m : (n_nodes,) float64
        Height in the tag ``ele`` [m], NaN where there is none.
    signal : (n_nodes,) bool
        Whether the node is tagged ``highway=traffic_signals``.
    ways
        Ways with a ``highway`` tag, of every class, in the order of the file.
    areas
        Closed ways without one that outline a building or water.
    n_relations
        Relations that do so with several ways; these are not read.
    """

    node_id: NDArray[np.int64]
    latitude_deg: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    ele_m: NDArray[np.float64]
    signal: NDArray[np.bool_]
    ways: tuple[OsmWay, ...]
    areas: tuple[OsmWay, ...] = ()
    n_relations: int = 0


def read_osm_xml(path: Path) -> OsmExtract:
    """Read an OSM XML file, plain or compressed with gzip.

    Parameters
    ----------
    path
        File with the root element ``osm``; what is inside decides whether it is compressed.

    Raises
    ------
    V2XError
        If the file is missing, damaged, not OSM XML, or holds no node or no highway.
    """
    nodes: dict[int, tuple[float, float, float, bool]] = {}
    ways: dict[int, OsmWay] = {}
    areas: dict[int, OsmWay] = {}
    n_relations = 0
    try:
        with _open(path) as stream:
            for element in _elements(stream, path):
                if element.get("visible") == "false" or element.get("action") == "delete":
                    continue
                if element.tag == "node":
                    nodes[_id(element)] = _node(element)
                elif element.tag == "relation":
                    n_relations += is_building(tags := _tags(element)) or is_water(tags)
                elif "highway" in (way := _way(element)).tags:
                    ways[way.id] = way
                elif _is_area(way):
                    areas[way.id] = way
    except ET.ParseError as error:
        raise _damaged(path, f"not well-formed XML ({error})") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path, f"damaged gzip data ({error})") from error
    except (KeyError, ValueError) as error:
        raise _damaged(path, f"element with a missing or unreadable attribute ({error})") from error
    except LookupError as error:  # the encoding that the XML declares
        raise _damaged(path, str(error)) from error
    if not nodes or not ways:
        raise V2XError(
            "no node in the file" if not nodes else "no way with a highway tag in the file",
            file=str(path),
            remedy="export an area with roads, ways together with their nodes",
        )
    columns = np.array(list(nodes.values()), dtype=np.float64)
    return OsmExtract(
        node_id=np.fromiter(nodes, dtype=np.int64, count=len(nodes)),
        latitude_deg=columns[:, 0],
        longitude_deg=columns[:, 1],
        ele_m=columns[:, 2],
        signal=columns[:, 3] > 0,
        ways=tuple(ways.values()),
        areas=tuple(areas.values()),
        n_relations=n_relations,
    )


def _open(path: Path) -> BinaryIO:
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        return gzip.open(path) if compressed else path.open("rb")  # type: ignore[return-value]
    except OSError as error:
        raise V2XError(
            f"cannot be read: {error.strerror}", file=str(path), remedy="check the path"
        ) from error


def _damaged(path: Path, what: str) -> V2XError:
    return V2XError(what, file=str(path), remedy="export or download the extract again")


def _elements(stream: BinaryIO, path: Path) -> Iterator[ET.Element]:
    """Yield each complete node, way and relation element, freeing what was read."""
    events = ET.iterparse(stream, events=("start", "end"))
    root: ET.Element | None = None
    for event, element in events:
        if root is None:
            root = element
            if root.tag != "osm":
                raise V2XError(
                    f"not an OpenStreetMap file: its root element is <{root.tag}>",
                    file=str(path),
                    remedy="give an .osm, .osm.gz or .graphml file",
                )
        elif event == "end" and element.tag in ("node", "way", "relation"):
            yield element
            root.clear()


def _is_area(way: OsmWay) -> bool:
    closed = len(way.node_ids) > 3 and way.node_ids[0] == way.node_ids[-1]
    return closed and (is_building(way.tags) or is_water(way.tags))


def _tags(element: ET.Element) -> dict[str, str]:
    return {tag.attrib["k"]: tag.attrib["v"] for tag in element.iterfind("tag")}


def _id(element: ET.Element) -> int:
    """Return the id of an element; the caller turns errors into those of the file."""
    number = int(element.attrib["id"])
    if abs(number) > _LARGEST_ID:
        raise ValueError(f"id {element.attrib['id']} of a {element.tag}")
    return number


def _node(element: ET.Element) -> tuple[float, float, float, bool]:
    tags = _tags(element) if len(element) else {}
    latitude, longitude = float(element.attrib["lat"]), float(element.attrib["lon"])
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 180.0):
        raise ValueError(f"node {element.get('id')} at latitude {latitude}, longitude {longitude}")
    ele = ele_m(tags["ele"]) if "ele" in tags else None
    return (
        latitude,
        longitude,
        float("nan") if ele is None else ele,
        tags.get("highway") == "traffic_signals",
    )


def _way(element: ET.Element) -> OsmWay:
    refs = tuple(int(nd.attrib["ref"]) for nd in element.iterfind("nd") if "ref" in nd.attrib)
    return OsmWay(_id(element), refs, _tags(element))
