"""Files of roadside units: CSV and GeoJSON, in WGS-84 or in the local metres of a map."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from v2x.errors import V2XError, nearest
from v2x.world.projection import to_degrees, to_local
from v2x.world.road_map import LOCAL_CRS, IntArray, RoadMap, Structure
from v2x.world.rsu_sites import RsuSites

#: A site farther than this from every road of its kind is a mistake [m].
FARTHEST_M = 100.0
_COLUMNS = ("lat", "lon", "x_m", "y_m", "height_m", "tunnel", "level", "name")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}
_HIGHEST_M = 100.0
_LOCAL_METRES = "metres of the map"
_WRITE_IT = "write it with  v2x map plan-rsu"


@dataclass(frozen=True, slots=True)
class _Row:
    """One site of a file; `place` is where it stands there."""

    place: str
    east: float
    north: float
    geographic: bool
    height_m: float
    tunnel: bool
    level: int | None
    name: str


def read_sites(file: str | Path, road_map: RoadMap, *, default_height_m: float) -> RsuSites:
    """Return the roadside units in a file.

    Parameters
    ----------
    file
        ``.csv`` with columns lat, lon [degree, WGS-84] or x_m, y_m [m, local], and optionally
        height_m [m above the road], tunnel (true or false), level and name; or ``.geojson``, a
        collection of points with properties of the same names.
    road_map
        The map; the road nearest to a site gives its height.
    default_height_m
        Antenna above the road where the file does not say [m].

    Raises
    ------
    V2XError
        If the file cannot be read, has none or a wrong value, or a site is off the roads.
    """
    path = Path(file)
    rows_of = _READERS.get(path.suffix.lower())
    if rows_of is None:
        raise V2XError(
            "is no file of sites", file=str(file), remedy="give a .csv or a .geojson file"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise V2XError(
            f"is not text: byte {error.start} is not UTF-8", file=str(file), remedy=_WRITE_IT
        ) from error
    except OSError as error:
        raise V2XError(
            f"cannot be read: {error.strerror}", file=str(file), remedy="check the path"
        ) from error
    rows = rows_of(text, str(file), default_height_m)
    if not rows:
        raise V2XError("holds no site", file=str(file), remedy="add one, or use placement: none")
    return _on_roads(rows, road_map)


def geojson_of(
    sites: RsuSites, road_map: RoadMap, properties: Mapping[str, Any] | None = None
) -> str:
    """Return a GeoJSON collection of the sites, as :func:`read_sites` reads it.

    Positions are in WGS-84, or in local metres for a map that has no place on the Earth; the
    member ``coordinates_in`` then says so.

    Parameters
    ----------
    sites, road_map
        The sites and their map.
    properties
        Further members of the collection, for readers.
    """
    local = road_map.crs == LOCAL_CRS
    if local:
        first, second, digits = sites.x_m, sites.y_m, 2
    else:
        second, first = to_degrees(road_map, sites.x_m, sites.y_m)
        digits = 7
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [round(float(first[k]), digits), round(float(second[k]), digits)],
            },
            "properties": {
                "name": sites.name[k],
                "height_m": round(float(sites.antenna_height_m[k]), 2),
                "tunnel": bool(sites.tunnel[k] >= 0),
                "level": int(sites.level[k]),
            },
        }
        for k in range(sites.n_sites)
    ]
    content: dict[str, Any] = {"type": "FeatureCollection", **(properties or {})}
    if local:
        content["coordinates_in"] = _LOCAL_METRES
    content["features"] = features
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def csv_of(sites: RsuSites) -> str:
    """Return a table of the sites in local metres, as :func:`read_sites` reads it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("x_m", "y_m", "height_m", "tunnel", "level", "name"))
    for k in range(sites.n_sites):
        writer.writerow(
            (
                f"{sites.x_m[k]:.2f}",
                f"{sites.y_m[k]:.2f}",
                f"{sites.antenna_height_m[k]:.2f}",
                "true" if sites.tunnel[k] >= 0 else "false",
                int(sites.level[k]),
                sites.name[k],
            )
        )
    return out.getvalue()


def _csv_rows(text: str, file: str, default_height_m: float) -> list[_Row]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        lines = list(reader)
    except csv.Error as error:
        raise V2XError(f"is no table ({error})", file=file, remedy=_WRITE_IT) from error
    for name in header:
        if name not in _COLUMNS:
            close = nearest(name, _COLUMNS)
            raise V2XError(
                f"unknown column {name!r}",
                file=file,
                remedy=f"did you mean {close!r}?" if close else f"known: {', '.join(_COLUMNS)}",
            )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise V2XError(f"column {twice!r} appears twice", file=file, remedy="keep one of them")
    if not ({"lat", "lon"} <= set(header) or {"x_m", "y_m"} <= set(header)):
        raise V2XError("has no columns of positions", file=file, remedy="add lat, lon or x_m, y_m")
    return [
        _row(values, f"{file}:{line}", default_height_m)
        for line, values in enumerate(lines, start=2)
    ]


def _geojson_rows(text: str, file: str, default_height_m: float) -> list[_Row]:
    try:
        content = json.loads(text)
        features = content["features"]
        local = content.get("coordinates_in") == _LOCAL_METRES
        rows = []
        for k, feature in enumerate(features):
            if feature["geometry"]["type"] != "Point":
                continue
            first, second = feature["geometry"]["coordinates"][:2]
            values = {
                key: value
                for key, value in (feature.get("properties") or {}).items()
                if key in _COLUMNS and value is not None
            }
            values |= {"x_m": first, "y_m": second} if local else {"lat": second, "lon": first}
            rows.append(_row(values, f"{file}: feature {k}", default_height_m))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise V2XError(
            f"is no GeoJSON collection of points ({type(error).__name__}: {error})",
            file=file,
            remedy=_WRITE_IT,
        ) from error
    return rows


#: What reads a file by the ending of its name.
_READERS = {".csv": _csv_rows, ".geojson": _geojson_rows, ".json": _geojson_rows}


def _row(values: Mapping[str, Any], place: str, default_height_m: float) -> _Row:
    geographic = values.get("lat") not in (None, "")
    if geographic:
        north = _number(values, "lat", place, -90.0, 90.0)
        east = _number(values, "lon", place, -180.0, 180.0)
    else:
        north = _number(values, "y_m", place, -1e7, 1e7)
        east = _number(values, "x_m", place, -1e7, 1e7)
    height_m = default_height_m
    if str(values.get("height_m") or "").strip():
        height_m = _number(values, "height_m", place, 0.5, _HIGHEST_M)
    level = None
    if str(values.get("level", "") if values.get("level") is not None else "").strip():
        number = _number(values, "level", place, -20.0, 20.0)
        level = int(number)
        if level != number:
            raise V2XError(
                f"is {values.get('level')!r}",
                file=place,
                key="level",
                remedy="write a whole number",
            )
    word = str(values.get("tunnel") or "").strip().lower()
    if word not in _WORDS:
        raise V2XError(f"is {word!r}", file=place, key="tunnel", remedy="write true or false")
    name = str(values.get("name") or "")
    return _Row(place, east, north, geographic, height_m, _WORDS[word], level, name)


def _number(values: Mapping[str, Any], key: str, place: str, low: float, high: float) -> float:
    try:
        value = float(values.get(key, ""))
    except (TypeError, ValueError):
        value = math.nan
    if not low <= value <= high:
        raise V2XError(
            f"is {values.get(key)!r}",
            file=place,
            key=key,
            remedy=f"write a number from {low:g} to {high:g}",
        )
    return value


def _on_roads(rows: list[_Row], road_map: RoadMap) -> RsuSites:
    """Return the sites with the road that each belongs to."""
    x = np.array([row.east for row in rows])
    y = np.array([row.north for row in rows])
    geographic = np.array([row.geographic for row in rows])
    if geographic.any():
        x[geographic], y[geographic] = to_local(road_map, y[geographic], x[geographic])
    pieces = _Pieces(road_map)
    n = len(rows)
    edge: IntArray = np.zeros(n, dtype=np.int32)
    z, heading, offset_m, lateral_m = (np.zeros(n) for _ in range(4))
    for k, row in enumerate(rows):
        found = pieces.nearest(float(x[k]), float(y[k]), tunnel=row.tunnel, level=row.level)
        if found is None or found.away_m > FARTHEST_M:
            away = "there is none" if found is None else f"the nearest is {found.away_m:.0f} m away"
            kind = "tunnel" if row.tunnel else "road outside tunnels"
            of_level = "" if row.level is None else f" of level {row.level}"
            raise V2XError(
                f"stands at no {kind}{of_level}: {away}",
                file=row.place,
                remedy="check map, coordinates (WGS-84, not GCJ-02) and the columns tunnel, level",
            )
        edge[k], z[k], heading[k] = found.edge, found.z_m, found.heading_rad
        offset_m[k], lateral_m[k] = found.offset_m, found.lateral_m
    inside = road_map.edge_structure[edge] == Structure.TUNNEL
    return RsuSites(
        x_m=x,
        y_m=y,
        z_m=z,
        antenna_height_m=np.array([row.height_m for row in rows]),
        heading_rad=heading,
        edge=edge,
        tunnel=np.where(inside, edge, -1).astype(np.int32),
        level=road_map.edge_level[edge],
        offset_m=offset_m,
        lateral_m=lateral_m,
        name=tuple(row.name or f"RSU {k + 1}" for k, row in enumerate(rows)),
    )


@dataclass(frozen=True, slots=True)
class _Foot:
    """The point of a road nearest to a site."""

    edge: int
    away_m: float
    z_m: float
    heading_rad: float
    offset_m: float
    lateral_m: float


class _Pieces:
    """Straight pieces of all roads, searched by plan distance."""

    def __init__(self, road_map: RoadMap) -> None:
        self._map = road_map
        begin = np.delete(np.arange(len(road_map.point_x_m)), road_map.first_point[1:] - 1)
        self._begin = begin
        self._edge = np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point) - 1)
        self._x, self._y = road_map.point_x_m[begin], road_map.point_y_m[begin]
        self._dx = road_map.point_x_m[begin + 1] - self._x
        self._dy = road_map.point_y_m[begin + 1] - self._y
        self._run2 = np.maximum(self._dx**2 + self._dy**2, 1e-12)

    def nearest(self, x: float, y: float, *, tunnel: bool, level: int | None) -> _Foot | None:
        """Return the nearest point of a road of that kind, None if there is no such road."""
        m = self._map
        fits = (m.edge_structure[self._edge] == Structure.TUNNEL) == tunnel
        if level is not None:
            fits &= m.edge_level[self._edge] == level
        if not fits.any():
            return None
        ax, ay = x - self._x, y - self._y
        share = np.clip((ax * self._dx + ay * self._dy) / self._run2, 0.0, 1.0)
        away = np.hypot(ax - share * self._dx, ay - share * self._dy)
        k = int(np.where(fits, away, np.inf).argmin())
        p, t = int(self._begin[k]), float(share[k])
        run = math.sqrt(float(self._run2[k]))
        return _Foot(
            edge=int(self._edge[k]),
            away_m=float(away[k]),
            z_m=float(m.point_z_m[p] + t * (m.point_z_m[p + 1] - m.point_z_m[p])),
            heading_rad=math.atan2(float(self._dy[k]), float(self._dx[k])),
            offset_m=float(
                m.point_offset_m[p] + t * (m.point_offset_m[p + 1] - m.point_offset_m[p])
            ),
            lateral_m=float(ax[k] * self._dy[k] - ay[k] * self._dx[k]) / run,
        )
