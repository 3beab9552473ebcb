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

from v2x.errors import V2XError, unknown_name
from v2x.world.datum import DATUMS, datum_notes
from v2x.world.elevation import Elevation, FillsVoids, PointElevation, load_elevation
from v2x.world.gcj02 import gcj02_to_wgs84
from v2x.world.geometry import point_stretches, subdivide
from v2x.world.ground import with_water
from v2x.world.incline import compare_inclines, terrain_from_inclines
from v2x.world.network import FlatNetwork, build_network
from v2x.world.osm_areas import buildings_of, water_outlines
from v2x.world.osm_graph import extract_of_graph
from v2x.world.osm_xml import OsmExtract, read_osm_xml
from v2x.world.road_map import MapReport, RoadMap, Structure
from v2x.world.structures import (
    HeightParams,
    clearances,
    grade_violations,
    on_terrain,
    terrain_under,
    with_heights,
)

#: Endings of the names of files that can be imported.
IMPORT_SUFFIXES = (".osm", ".osm.gz", ".xml", ".xml.gz", ".graphml")
#: Share of the nodes of a map that must have a tag ``ele`` for it to be used.
ELE_SHARE = 0.5
#: A clearance may fall short by this much before it is reported [m].
SHORT_BY_M = 0.01
#: Ground must stand so far above a deck before the cut is worth a word [m].
CUT_FROM_M = 1.0

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
    datum: str = "wgs84",
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
    datum
        Datum of the coordinates in the file: "wgs84", which is that of OpenStreetMap, or
        "gcj02", that of Chinese web maps, which is converted.

    Raises
    ------
    V2XError
        If the file cannot be read, or holds no road; if the datum is unknown, or "gcj02"
        outside China.
    """
    path = Path(path)
    suffix = next((s for s in IMPORT_SUFFIXES if path.name.lower().endswith(s)), None)
    if suffix is None:
        raise V2XError(
            f"not a kind of map file that can be imported ({', '.join(IMPORT_SUFFIXES)})",
            file=str(path),
            remedy="convert it, for example with  osmium cat extract.osm.pbf -o extract.osm.gz",
        )
    if datum not in DATUMS:
        raise unknown_name("datum", datum, DATUMS)
    extract = _read_graphml(path) if suffix == ".graphml" else read_osm_xml(path)
    if datum == "gcj02":
        extract = _in_wgs84(extract, str(path))
    return _road_map(extract, elevation, name or path.name[: -len(suffix)], str(path), datum)


def _in_wgs84(extract: OsmExtract, file: str) -> OsmExtract:
    try:
        latitude, longitude = gcj02_to_wgs84(extract.latitude_deg, extract.longitude_deg)
    except V2XError as error:
        raise V2XError(error.message, file=file, remedy=error.remedy) from error
    return replace(extract, latitude_deg=latitude, longitude_deg=longitude)


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
    extract: OsmExtract,
    elevation: Elevation | Path | str | None,
    name: str,
    file: str,
    datum: str = "wgs84",
) -> RoadMap:
    if isinstance(elevation, Path | str):
        elevation = load_elevation(elevation)
    flat = build_network(extract, name=name, file=file)
    elevation = elevation or _ele_tags(extract, flat)
    if elevation is not None:
        road_map = with_heights(flat.road_map, elevation)
        notes = [elevation.description, *_cut_notes(road_map, elevation)]
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
    if road_map.terrain is not None:
        wet = with_water(road_map.terrain, water_outlines(extract, road_map))
        road_map = replace(road_map, terrain=wet)
    notes += datum_notes(road_map, elevation, datum)
    notes += _stacking_notes(road_map)
    road_map, more = _with_buildings(road_map, extract)
    report = replace(road_map.report, notes=(*notes, *more))
    if isinstance(elevation, FillsVoids) and elevation.n_filled:
        report = _defaulted(report, "terrain_voids", elevation.n_filled)
    return replace(road_map, report=report)


def _defaulted(report: MapReport, key: str, count: int) -> MapReport:
    return replace(report, defaults_used=dict(sorted({**report.defaults_used, key: count}.items())))


def _with_buildings(road_map: RoadMap, extract: OsmExtract) -> tuple[RoadMap, list[str]]:
    """Return the map with the buildings of the extract, and what is to be said about them."""
    buildings, n_defaults, dropped = buildings_of(extract, road_map)
    report = road_map.report
    report = replace(report, dropped=dict(sorted((dict(report.dropped) | dropped).items())))
    if n_defaults:
        report = _defaulted(report, "building_height", n_defaults)
    notes = []
    if extract.n_relations:
        notes.append(
            f"{extract.n_relations} buildings and waters outlined by several ways are left out"
        )
    return replace(road_map, buildings=buildings, report=report), notes


def _ele_tags(extract: OsmExtract, flat: FlatNetwork) -> PointElevation | None:
    """Return the elevation of nodes tagged with their height, if there are enough."""
    known = ~np.isnan(extract.ele_m)
    if known[flat.node_row].mean() < ELE_SHARE:
        return None
    return PointElevation(
        extract.latitude_deg[known], extract.longitude_deg[known], extract.ele_m[known]
    )


def _cut_notes(road_map: RoadMap, elevation: Elevation) -> list[str]:
    """Return what to say of decks that lie below the ground of the source."""
    edge, length_m = point_stretches(road_map)
    deck = road_map.edge_structure[edge] == Structure.BRIDGE
    cut_m = (terrain_under(road_map, elevation) - road_map.point_z_m)[deck]
    buried = cut_m > CUT_FROM_M
    if not buried.any():
        return []
    return [
        f"{length_m[deck][buried].sum():.0f} m of decks run up to {cut_m.max():.1f} m below the "
        "ground of the source, which is cut there"
    ]


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
    steep = grade_violations(road_map)
    if steep.n_edges:
        notes.append(
            f"{steep.length_m:.0f} m on {steep.n_edges} edges are up to "
            f"{100.0 * steep.worst:.1f} per cent steeper than their class is built"
        )
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
