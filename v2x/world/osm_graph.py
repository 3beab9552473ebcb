"""Street graphs of osmnx as extracts: nodes and ways again, one way for each edge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from v2x.world.osm_tags import ele_m
from v2x.world.osm_xml import OsmExtract, OsmWay

#: Edge attributes of osmnx that are not tags.
_NOT_TAGS = frozenset({"osmid", "geometry", "length", "reversed", "grade", "grade_abs", "oneway"})


def extract_of_graph(graph: Any) -> OsmExtract:
    """Return the nodes and ways of an osmnx graph, simplified or not.

    Parameters
    ----------
    graph
        A ``networkx.MultiDiGraph``: nodes with x and y in ``graph.graph["crs"]``, edges with
        ``osmid``, ``highway`` and perhaps ``geometry``. The two directions of a street become
        one way. Of several values in an attribute, as simplification leaves them, the first
        holds; of lanes and limits the least.

    Raises
    ------
    KeyError, ValueError
        If it is not such a graph.
    """
    nodes = {int(node): data for node, data in graph.nodes(data=True)}
    place = {node: (float(data["x"]), float(data["y"])) for node, data in nodes.items()}
    inner: dict[tuple[int, float, float], int] = {}
    ways: list[OsmWay] = []
    seen: set[tuple[int, ...]] = set()
    free = min(0, *nodes)
    for u, v, data in graph.edges(data=True):
        way = int(_values(data["osmid"])[0])
        drawn = [int(u)]
        # Inner points have lost their ids; the same place on the same way is the same node.
        for x, y in list(data["geometry"].coords)[1:-1] if "geometry" in data else ():
            if (way, x, y) not in inner:
                free -= 1
                inner[way, x, y] = free
                place[free] = (x, y)
            drawn.append(inner[way, x, y])
        drawn.append(int(v))
        if data.get("reversed") is True:
            drawn.reverse()
        one_way = bool(data.get("oneway", True))
        if not one_way:
            street = min(tuple(drawn), tuple(reversed(drawn)))
            if street in seen:
                continue
            seen.add(street)
        tags = {key: _text(data[key]) for key in sorted(data.keys() - _NOT_TAGS)}
        tags["oneway"] = "yes" if one_way else "no"
        ways.append(OsmWay(way, tuple(drawn), {key: text for key, text in tags.items() if text}))
    longitude_deg, latitude_deg = _degrees(graph.graph["crs"], list(place.values()))
    return OsmExtract(
        node_id=np.fromiter(place, dtype=np.int64, count=len(place)),
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        ele_m=np.array([_ele_m(nodes.get(node, {})) for node in place], dtype=np.float64),
        signal=np.array(
            [nodes.get(node, {}).get("highway") == "traffic_signals" for node in place],
            dtype=np.bool_,
        ),
        ways=tuple(ways),
    )


def _values(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _text(value: Any) -> str:
    """Return an attribute as the text of a tag, "" if it is missing."""
    present = [v for v in _values(value) if v is not None and v == v]
    if present and all(str(v).replace(".", "").isdigit() for v in present):
        return ";".join(map(str, present))
    return str(present[0]) if present else ""


def _ele_m(node: dict[str, Any]) -> float:
    value = node.get("ele", node.get("elevation"))
    height = None if value is None else ele_m(str(value))
    return math.nan if height is None else height


def _degrees(crs: Any, place: list[tuple[float, float]]) -> tuple[Any, Any]:
    """Return longitudes and latitudes of places in a reference system [degree]."""
    from pyproj import Transformer

    columns = np.array(place, dtype=np.float64).reshape(-1, 2)
    transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude_deg, latitude_deg = transformer.transform(columns[:, 0], columns[:, 1])
    return np.asarray(longitude_deg), np.asarray(latitude_deg)
