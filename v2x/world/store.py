"""Compiled road maps on disk, found by path or, for those of the package, by name.

A compiled map (``.v2xmap``) is a zip archive of ``header.json`` and one ``.npy`` file for each
array, those of terrain and buildings in folders. Lengths and offsets follow from the polylines
and are not stored. Heights of terrain that are whole decimetres, as those of
:mod:`v2x.world.ground` are, are stored as their second differences, which pack to a fifth of
their size. Equal maps give equal bytes.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import v2x
from v2x.errors import V2XError, nearest
from v2x.world.buildings import Buildings
from v2x.world.elevation import Elevation
from v2x.world.geometry import Polylines, flatten, road_map_of
from v2x.world.ground import QUANTUM_M, quantised
from v2x.world.road_map import MapReport, RoadMap
from v2x.world.summary import summary
from v2x.world.terrain import Terrain

__all__ = [
    "SUFFIX",
    "builtin_map",
    "builtin_maps",
    "flatten",
    "load_map",
    "map_bytes",
    "save_map",
    "summary",
]

#: Ending of the names of compiled maps.
SUFFIX = ".v2xmap"
#: Name under which a run folder keeps its map.
RUN_MAP = "map.v2xmap"
FORMAT = "v2x road map"
#: Raised when a reader of the previous version could not read or would misread a file.
VERSION = 2

_ARRAYS = {
    "node_osm_id": "<i8",
    "node_signal": "|b1",
    "edge_from": "<i4",
    "edge_to": "<i4",
    "edge_lanes": "<i4",
    "edge_limit_mps": "<f8",
    "edge_structure": "<i4",
    "edge_level": "<i4",
    "edge_class": "<i4",
    "edge_osm_way": "<i8",
    "first_point": "<i4",
    "point_x_m": "<f8",
    "point_y_m": "<f8",
    "point_z_m": "<f8",
}
_OPTIONAL_ARRAYS = {"corridor_x": "<i4", "corridor_y": "<i4"}
#: Members of the terrain and of the buildings, if the map has them.
_TERRAIN = {"height_m": "<f4", "water": "|b1"}
_PACKED_HEIGHT = "terrain/packed_height.npy"
_BUILDINGS = {
    "first_corner": "<i4",
    "corner_x_m": "<f8",
    "corner_y_m": "<f8",
    "base_m": "<f8",
    "top_m": "<f8",
}
_GRID = ("west_m", "south_m", "step_m")
_FACTS = (
    "name", "attribution", "crs", "origin_x_m", "origin_y_m", "class_names", "edge_name",
    "lane_width_m", "wrap_length_m",
)  # fmt: skip
#: The first moment a zip archive can name; the real one would make equal maps differ.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def map_bytes(road_map: RoadMap) -> bytes:
    """Return the content of the compiled map file of a map."""
    header: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    header |= {fact: getattr(road_map, fact) for fact in _FACTS}
    header["report"] = {
        "defaults_used": dict(road_map.report.defaults_used),
        "dropped": dict(road_map.report.dropped),
        "notes": road_map.report.notes,
    }
    terrain, buildings = road_map.terrain, road_map.buildings
    if terrain is not None:
        header["terrain"] = {name: getattr(terrain, name) for name in _GRID}
    members = {"header.json": json.dumps(header, ensure_ascii=False, indent=1).encode()}
    for name, dtype in (_ARRAYS | _OPTIONAL_ARRAYS).items():
        values: NDArray[Any] | None = getattr(road_map, name)
        if values is not None:
            members[f"{name}.npy"] = _npy(values, dtype)
    for part, owner, arrays in (
        ("terrain", terrain, _TERRAIN),
        ("buildings", buildings, _BUILDINGS),
    ):
        if owner is not None:
            for name, dtype in arrays.items():
                members[f"{part}/{name}.npy"] = _npy(getattr(owner, name), dtype)
    if terrain is not None and (packed := _packed_height(terrain.height_m)) is not None:
        del members["terrain/height_m.npy"]
        members[_PACKED_HEIGHT] = _npy(packed, "<i2")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            out.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
    return archive.getvalue()


def _npy(values: NDArray[Any], dtype: str) -> bytes:
    content = io.BytesIO()
    np.save(content, values.astype(dtype), allow_pickle=False)
    return content.getvalue()


def _packed_height(height_m: NDArray[np.float32]) -> NDArray[np.int16] | None:
    """Return second differences of heights in decimetres, None unless they hold every bit."""
    decimetre = np.rint(height_m.astype(np.float64) / QUANTUM_M)
    if not np.array_equal(quantised(height_m.astype(np.float64)), height_m):
        return None
    step = np.diff(np.diff(decimetre, axis=0, prepend=0.0), axis=1, prepend=0.0)
    limits = np.iinfo(np.int16)
    if step.min() < limits.min or step.max() > limits.max:
        return None
    return step.astype(np.int16)


def _unpacked_height(packed: NDArray[np.int16]) -> NDArray[np.float32]:
    decimetre = packed.astype(np.int64).cumsum(axis=1).cumsum(axis=0)
    return quantised(decimetre * QUANTUM_M)


def save_map(road_map: RoadMap, path: Path | str) -> None:
    """Write a compiled map.

    Raises
    ------
    V2XError
        If the name does not end in ``.v2xmap`` or the file cannot be written.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise V2XError(
            f"a compiled map must be named *{SUFFIX}",
            file=str(path),
            remedy=f"write to {path.stem or 'NAME'}{SUFFIX}",
        )
    content = map_bytes(road_map)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise V2XError(
            f"cannot be written: {error.strerror}", file=str(path), remedy="check folder and rights"
        ) from error


def load_map(path: Path | str, *, elevation: Elevation | Path | str | None = None) -> RoadMap:
    """Return the map in a file, whatever its form.

    Parameters
    ----------
    path
        Compiled map (``.v2xmap``) or what :func:`v2x.world.osm.import_osm` reads.
    elevation
        Height of the terrain for files without heights; as in ``import_osm``.

    Raises
    ------
    V2XError
        If the file is of no known kind or cannot be read, or if `elevation` is given for a
        compiled map, which has its heights already.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        from v2x.world.osm import IMPORT_SUFFIXES, import_osm

        if path.name.lower().endswith(IMPORT_SUFFIXES):
            return import_osm(path, elevation=elevation)
        raise V2XError(
            "not a kind of map file that is known",
            file=str(path),
            remedy=f"give one of {', '.join((SUFFIX, *IMPORT_SUFFIXES))}",
        )
    if elevation is not None:
        raise V2XError(
            "a compiled map has its heights already",
            file=str(path),
            remedy="leave the elevation out, or give the .osm file the map was made from",
        )
    try:
        return _decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise V2XError(
            f"cannot be read: {error.strerror}", file=str(path), remedy="check the path"
        ) from error


def _decoded(content: bytes, file: str) -> RoadMap:
    remedy = "compile it again from its .osm file with  v2x map import"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            header = json.loads(archive.read("header.json"))
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise ValueError("header of another kind of file")
            if header["version"] != VERSION:
                raise V2XError(
                    f"compiled map of version {header['version']}, not {VERSION}",
                    file=file,
                    remedy=remedy,
                )
            present = set(archive.namelist())
            arrays = {
                name: _array(archive.read(f"{name}.npy"), dtype)
                for name, dtype in (_ARRAYS | _OPTIONAL_ARRAYS).items()
                if name in _ARRAYS or f"{name}.npy" in present
            }
            terrain = buildings = None
            if "terrain" in header:
                terrain = _terrain(archive, header["terrain"])
            if "buildings/base_m.npy" in present:
                buildings = Buildings(**_members(archive, "buildings", _BUILDINGS, 1))
            return replace(_assembled(header, arrays), terrain=terrain, buildings=buildings)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError) as error:
        raise V2XError(
            f"not a compiled map, or a damaged one ({error})", file=file, remedy=remedy
        ) from error


def _terrain(archive: zipfile.ZipFile, grid: dict[str, Any]) -> Terrain:
    facts: dict[str, Any] = {name: float(grid[name]) for name in _GRID}
    arrays = dict(_TERRAIN)
    if _PACKED_HEIGHT in archive.namelist():
        del arrays["height_m"]
        facts["height_m"] = _unpacked_height(_array(archive.read(_PACKED_HEIGHT), "<i2", 2))
    return Terrain(**facts, **_members(archive, "terrain", arrays, 2))


def _members(
    archive: zipfile.ZipFile, part: str, arrays: dict[str, str], ndim: int
) -> dict[str, Any]:
    return {
        name: _array(archive.read(f"{part}/{name}.npy"), dtype, ndim)
        for name, dtype in arrays.items()
    }


def _array(content: bytes, dtype: str, ndim: int = 1) -> NDArray[Any]:
    values: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    if values.dtype != np.dtype(dtype) or values.ndim != ndim:
        raise ValueError(
            f"array of {values.dtype} in {values.ndim} dimensions, not {dtype} in {ndim}"
        )
    return values


def _assembled(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> RoadMap:
    facts: dict[str, Any] = {fact: header[fact] for fact in _FACTS}
    facts["class_names"] = tuple(facts["class_names"])
    facts["edge_name"] = tuple(facts["edge_name"])
    report = header["report"]
    polylines = Polylines(
        first_point=arrays.pop("first_point"),
        x_m=arrays.pop("point_x_m"),
        y_m=arrays.pop("point_y_m"),
        z_m=arrays.pop("point_z_m"),
    )
    n_edges = len(arrays["edge_from"])
    lengths = {name: len(values) for name, values in arrays.items() if name[:4] in ("edge", "corr")}
    if set(lengths.values()) | {len(facts["edge_name"])} != {n_edges}:
        raise ValueError(f"arrays of edges have different lengths {lengths}")
    if len(polylines.first_point) != n_edges + 1 or polylines.first_point[-1] != len(polylines.x_m):
        raise ValueError("polylines do not match the edges")
    attributes: dict[str, Any] = facts | arrays
    return road_map_of(
        **attributes,
        polylines=polylines,
        report=MapReport(report["defaults_used"], report["dropped"], tuple(report["notes"])),
    )


def builtin_maps() -> dict[str, Path]:
    """Return the maps that come with the package, name to file, sorted."""
    files = sorted(_bundled_folder().glob(f"*{SUFFIX}"))
    return {file.name.removesuffix(SUFFIX): file for file in files}


def builtin_map(name: str) -> Path:
    """Return the file of a map that comes with the package, such as "chongqing-central".

    Raises
    ------
    V2XError
        If there is no such map, with the nearest name.
    """
    known = builtin_maps()
    if name not in known:
        close = nearest(name, known)
        remedy = f"did you mean {close!r}?" if close else f"built in: {', '.join(known) or 'none'}"
        raise V2XError(f"there is no file or built-in map {name!r}", remedy=remedy)
    return known[name]


def _bundled_folder() -> Path:
    """Return ``maps/`` of the checkout this package runs from, else of the package."""
    package = Path(v2x.__file__).resolve().parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "maps").is_dir():
        return checkout / "maps"
    return package / "maps"
