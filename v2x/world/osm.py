"""Road maps from OpenStreetMap: files, and areas fetched from the Overpass service.

OSM XML is read with the standard library, some forty times faster than through osmnx; osmnx
reads GraphML and talks to Overpass. Its import takes seconds, so it waits until it is needed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from v2x.errors import V2XError
from v2x.world.elevation import Elevation, PointElevation, load_elevation
from v2x.world.geometry import subdivide
from v2x.world.incline import compare_inclines, terrain_from_inclines
from v2x.world.network import FlatNetwork, build_network
from v2x.world.osm_graph import extract_of_graph
from v2x.world.osm_xml import OsmExtract, read_osm_xml
from v2x.world.road_map import RoadMap
from v2x.world.structures import HeightParams, clearances, on_terrain, with_heights

#: Endings of the names of files that can be imported.
IMPORT_SUFFIXES = (".osm", ".osm.gz", ".xml", ".xml.gz", ".graphml")
#: Share of the nodes of a map that must have a tag ``ele`` for it to be used.
ELE_SHARE = 0.5
#: A clearance may fall short by this much before it is reported [m].
SHORT_BY_M = 0.1

_WAY_TAGS = (
    "access", "area", "bridge", "highway", "incline", "junction", "lanes", "lanes:backward",
    "lanes:forward", "layer", "maxspeed", "maxspeed:backward", "maxspeed:forward", "motor_vehicle",
    "motorcar", "name", "oneway", "tunnel", "vehicle",
)  # fmt: skip
_NODE_TAGS = ("ele", "highway")
_BY_HAND = (
    "get an extract by hand (the Export button of https://www.openstreetmap.org, or "
    "https://extract.bbbike.org) and import that .osm or .osm.gz file"
)


def import_osm(
    path: Path | str,
    *,
    elevation: Elevation | Path | str | None = None,
    name: str | None = None,
) -> RoadMap:
    """Import a road map from a file.

    Parameters
    ----------
    path
        OSM XML (``.osm``, ``.xml``, also ``.gz``) or a graph saved by osmnx (``.graphml``).
    elevation
        Height of the terrain, or what :func:`~v2x.world.elevation.load_elevation` takes. Without
        it the heights come from the tag ``ele`` if half of the nodes have one, else from mapped
        inclines, else the ground is level.
    name
        Name of the map; the name of the file if None.

    Raises
    ------
    V2XError
        If the file cannot be read, or holds no road.
    """
    path = Path(path)
    suffix = next((s for s in IMPORT_SUFFIXES if path.name.lower().endswith(s)), None)
    if suffix is None:
        raise V2XError(
            f"not a kind of map file that can be imported ({', '.join(IMPORT_SUFFIXES)})",
            file=str(path),
            remedy="convert it, for example with  osmium cat extract.osm.pbf -o extract.osm.gz",
        )
    extract = _read_graphml(path) if suffix == ".graphml" else read_osm_xml(path)
    return _road_map(extract, elevation, name or path.name[: -len(suffix)], str(path))


def fetch_place(
    place: str, *, elevation: Elevation | Path | str | None = None, name: str | None = None
) -> RoadMap:
    """Import the roads of a place that OpenStreetMap knows by name, such as "Monaco".

    Answers are kept in the user's cache folder and used again.

    Raises
    ------
    V2XError
        If the service cannot be reached or knows no such place.
    """
    extract = _fetched(
        f"the roads of {place!r}",
        lambda ox: ox.graph_from_place(
            place, network_type="drive", simplify=False, retain_all=True
        ),
    )
    return _road_map(extract, elevation, name or place, place)


def fetch_bbox(
    west: float,
    south: float,
    east: float,
    north: float,
    *,
    elevation: Elevation | Path | str | None = None,
    name: str | None = None,
) -> RoadMap:
    """Import the roads between two longitudes and two latitudes [degree].

    Answers are kept in the user's cache folder and used again.

    Raises
    ------
    V2XError
        If the box is empty or the service cannot be reached.
    """
    box = f"{west},{south},{east},{north}"
    if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
        raise V2XError(
            f"the box {box} is empty or not on the Earth",
            remedy="give west,south,east,north in degrees, west before east, south before north",
        )
    extract = _fetched(
        f"the roads in {box}",
        lambda ox: ox.graph_from_bbox(
            (west, south, east, north), network_type="drive", simplify=False, retain_all=True
        ),
    )
    return _road_map(extract, elevation, name or f"box {box}", box)


def _road_map(
    extract: OsmExtract, elevation: Elevation | Path | str | None, name: str, file: str
) -> RoadMap:
    if isinstance(elevation, Path | str):
        elevation = load_elevation(elevation)
    flat = build_network(extract, name=name, file=file)
    elevation = elevation or _ele_tags(extract, flat)
    if elevation is not None:
        road_map = with_heights(flat.road_map, elevation)
        notes = [elevation.description]
        compared, against = compare_inclines(road_map, flat.edge_incline, flat.edge_incline_sign)
        if compared:
            notes.append(f"{compared} edges have a mapped incline, {against} slope the other way")
    elif not np.isnan(flat.edge_incline).all():
        fine = subdivide(flat.road_map, HeightParams().spacing_m)
        road_map = on_terrain(fine, terrain_from_inclines(fine, flat.edge_incline))
        notes = ["no heights; slopes from mapped inclines, roads without one are rather level"]
    else:
        road_map = with_heights(flat.road_map, None)
        notes = ["no heights; the ground is level, and only bridges and underpasses rise and fall"]
    notes += _stacking_notes(road_map)
    return replace(road_map, report=replace(road_map.report, notes=tuple(notes)))


def _ele_tags(extract: OsmExtract, flat: FlatNetwork) -> PointElevation | None:
    """Return the elevation of nodes tagged with their height, if there are enough."""
    known = ~np.isnan(extract.ele_m)
    if known[flat.node_row].mean() < ELE_SHARE:
        return None
    return PointElevation(
        extract.latitude_deg[known], extract.longitude_deg[known], extract.ele_m[known]
    )


def _stacking_notes(road_map: RoadMap) -> list[str]:
    found = clearances(road_map)
    per_level_m = HeightParams().clearance_m
    short = found.gap_m < per_level_m * found.levels - SHORT_BY_M
    notes = []
    if len(found.gap_m):
        notes.append(
            f"roads cross above each other at {len(found.gap_m)} places, the closest "
            f"{found.gap_m.min():.1f} m apart; at {int(short.sum())} of them it is less than "
            f"{per_level_m:g} m for each level"
        )
    if found.n_unordered:
        notes.append(f"at {found.n_unordered} crossings without a node no layer says who is above")
    return notes


def _read_graphml(path: Path) -> OsmExtract:
    from xml.etree.ElementTree import ParseError

    if not path.is_file():
        raise V2XError("cannot be read: no such file", file=str(path), remedy="check the path")
    import networkx as nx  # type: ignore[import-untyped]
    import osmnx

    try:
        return extract_of_graph(osmnx.load_graphml(path))
    except (nx.NetworkXException, ParseError, KeyError, ValueError, TypeError) as error:
        raise V2XError(
            f"not a street graph that osmnx saved ({type(error).__name__}: {error})",
            file=str(path),
            remedy="save it with osmnx.save_graphml, or give the .osm file it came from",
        ) from error


def _fetched(what: str, ask: Callable[[Any], Any]) -> OsmExtract:
    """Return what Overpass answers; every way of not answering is one error."""
    import osmnx
    import requests

    with _settings(osmnx.settings):
        try:
            return extract_of_graph(ask(osmnx))
        except (requests.exceptions.RequestException, OSError) as error:
            raise V2XError(
                f"{what} cannot be fetched: OpenStreetMap is not reachable from here "
                f"({type(error).__name__})",
                remedy=_BY_HAND,
            ) from error
        except (ValueError, TypeError) as error:
            # Places that are not found, empty answers and refusals are all ValueErrors.
            raise V2XError(
                f"{what} cannot be fetched: {' '.join(str(error).split())}",
                remedy=f"check the name or box, try again later, or {_BY_HAND}",
            ) from error


@contextlib.contextmanager
def _settings(settings: Any) -> Iterator[None]:
    """Set what osmnx keeps and where it caches, and set it back."""
    wanted = {
        "useful_tags_way": list(_WAY_TAGS),
        "useful_tags_node": list(_NODE_TAGS),
        "use_cache": True,
        "cache_folder": str(cache_folder()),
    }
    before = {key: getattr(settings, key) for key in wanted}
    try:
        for key, value in wanted.items():
            setattr(settings, key, value)
        yield
    finally:
        for key, value in before.items():
            setattr(settings, key, value)


def cache_folder() -> Path:
    """Return the folder for answers of OpenStreetMap, in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "v2x" / "overpass"
