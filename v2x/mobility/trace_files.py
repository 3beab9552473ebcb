"""Trace files: floating car data of SUMO and tables, read as samples of road users."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, TypeVar, cast
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.mobility.fleet import NodeKind
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray

T = TypeVar("T", bound=np.generic)

#: Positions farther than this from the map's origin are a mistake [m].
FARTHEST_M = 1e6
#: Parts of type names, the first that fits; other types are cars.
_KINDS = {
    "truck": NodeKind.TRUCK,
    "trailer": NodeKind.TRUCK,
    "bus": NodeKind.BUS,
    "pedestrian": NodeKind.VRU,
    "pedtype": NodeKind.VRU,
    "bicycle": NodeKind.VRU,
    "bike": NodeKind.VRU,
}


class TraceFormat(StrEnum):
    """How a trace is written; ``auto`` goes by the ending of the file's name."""

    AUTO = "auto"
    FCD = "fcd"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceParams:
    """A recorded trace and where it belongs.

    Parameters
    ----------
    file
        Floating car data of SUMO (.xml, .xml.gz) or a table (.csv, .csv.gz), relative to the
        scenario.
    format
        ``fcd``, ``csv``, or ``auto`` to go by the ending.
    start_s
        Time in the file at which the run begins [s].
    offset_x_m, offset_y_m
        Added to the coordinates of the file to get those of the map [m]. For a SUMO network in
        the map's projection: minus its netOffset minus the map's origin.
    """

    file: str = field(metadata={"file": True})
    format: TraceFormat = TraceFormat.AUTO
    start_s: float = 0.0
    offset_x_m: float = 0.0
    offset_y_m: float = 0.0

    def __post_init__(self) -> None:
        """Reject an empty name, unknown formats and numbers that are none."""
        if not self.file:
            raise ValueError("file must not be empty")
        TraceFormat(self.format)
        for name in ("start_s", "offset_x_m", "offset_y_m"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be finite, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Samples:
    """What a file says about the time of the run, in the order of the file.

    Attributes
    ----------
    step_us : (n_steps,) int64
        Times of the samples, from the start of the run [µs].
    step, who, kind : (n,) int64
        Of each sample: index of its time, number of its name, :class:`NodeKind`.
    value : (6, n) float64
        Front bumper x, y, z [m], speed [m/s], heading [rad], lane; NaN where not given.
    """

    step_us: NDArray[np.int64]
    step: NDArray[np.int64]
    who: NDArray[np.int64]
    kind: NDArray[np.int64]
    value: FloatArray


def read_samples(path: Path, params: TraceParams, duration_us: int) -> Samples:
    """Read what a file says about the time of the run."""
    written = TraceFormat(params.format)
    if written == TraceFormat.AUTO:
        name = path.name.lower().removesuffix(".gz")
        endings = {".xml": TraceFormat.FCD, ".csv": TraceFormat.CSV}
        known = endings.get(Path(name).suffix)
        if known is None:
            raise V2XError(
                "a trace whose name ends neither in .xml nor in .csv",
                file=str(path),
                remedy="rename it, or set traffic.format to fcd or csv",
            )
        written = known
    collector = _Collector(path, params, duration_us)
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as stream:
            read = _read_fcd if written == TraceFormat.FCD else _read_csv
            read(cast(BinaryIO, stream), collector)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise collector.mistake(f"damaged gzip data ({error})", remedy=_AGAIN) from error
    except OSError as error:
        raise V2XError(
            f"cannot be read: {error.strerror}", file=str(path), remedy="check traffic.file"
        ) from error
    return collector.samples()


_AGAIN = "write the file again"


class _Collector:
    """Takes the samples of a file one by one and refuses wrong ones.

    Of the times up to the start of the run only the latest is kept; the first one at its end or
    later is the last.

    Attributes
    ----------
    done
        Whether nothing that follows in the file matters.
    """

    def __init__(self, path: Path, params: TraceParams, duration_us: int) -> None:
        self._path = path
        self._start_us = round(params.start_s * US_PER_S)
        self._end_us = self._start_us + duration_us
        self._shift_m = {"x": params.offset_x_m, "y": params.offset_y_m}
        self._time_us: int | None = None
        self._step_us: list[int] = []
        self._present: set[tuple[bool, str]] = set()
        self._number_of: dict[tuple[bool, str], int] = {}
        self._kind_of: dict[str, int] = {}
        self._whole = array("q")
        self._real = array("d")
        self.done = False

    def mistake(
        self, message: str, line: int | None = None, key: str | None = None, *, remedy: str
    ) -> V2XError:
        """Return the error for what is wrong in a line."""
        place = str(self._path) if line is None else f"{self._path}:{line}"
        return V2XError(message, file=place, key=key, remedy=remedy)

    def begin(self, cells: Mapping[str, str], line: int, *, may_repeat: bool = False) -> None:
        """Go on to the time in `cells`."""
        time_us = round(self._number(cells, "time", line) * US_PER_S)
        before_us = self._time_us
        if before_us is not None and time_us <= before_us:
            if time_us == before_us and may_repeat:
                return
            raise self.mistake(
                f"{cells['time']} s comes after {before_us / US_PER_S:g} s",
                line,
                "time",
                remedy="put the samples in the order of time, each time once",
            )
        if before_us is not None and before_us >= self._end_us:
            self.done = True
            return
        if time_us <= self._start_us:
            del self._step_us[:], self._whole[:], self._real[:]
        self._time_us = time_us
        self._step_us.append(time_us - self._start_us)
        self._present.clear()

    def add(self, cells: Mapping[str, str], line: int, *, is_person: bool) -> None:
        """Take a sample at the current time."""
        name = cells.get("id", "")
        if not name.strip():
            raise self._missing("id", line)
        who = is_person, name
        if who in self._present:
            raise self.mistake(
                f"{name!r} is there twice at the same time", line, "id", remedy="remove one of them"
            )
        self._present.add(who)
        number = self._number_of.setdefault(who, len(self._number_of))
        type_name = f"{cells.get('type', '')} {cells.get('vClass', '')}".lower()
        kind = NodeKind.VRU if is_person else self._kind(type_name)
        self._whole.extend((len(self._step_us) - 1, number, kind))
        speed = self._optional(cells, "speed", line)
        if speed < 0:
            raise self.mistake(f"{speed:g} is negative", line, "speed", remedy="give m/s, >= 0")
        self._real.extend(
            (
                self._coordinate(cells, "x", line),
                self._coordinate(cells, "y", line),
                self._optional(cells, "z", line),
                speed,
                math.pi / 2 - math.radians(self._optional(cells, "angle", line)),
                self._lane(cells.get("lane", ""), line),
            )
        )

    def samples(self) -> Samples:
        """Return what was collected."""
        whole = np.array(self._whole, dtype=np.int64).reshape(-1, 3).T
        if whole.size == 0:
            what = "no time" if self._time_us is None else "nobody in the time of the run"
            raise self.mistake(
                f"holds {what}",
                remedy="traffic.start_s says at which time of the file the run begins",
            )
        value = np.array(self._real, dtype=np.float64).reshape(-1, 6).T.copy()
        step, who, kind = whole
        return Samples(np.array(self._step_us, dtype=np.int64), step, who, kind, value)

    def _missing(self, key: str, line: int) -> V2XError:
        return self.mistake("is missing", line, key, remedy=f"every sample needs its {key}")

    def _number(self, cells: Mapping[str, str], key: str, line: int) -> float:
        text = cells.get(key, "")
        try:
            value = float(text)
        except ValueError:
            if not text.strip():
                raise self._missing(key, line) from None
            value = math.nan
        if not math.isfinite(value):
            raise self.mistake(f"{text!r} is not a number", line, key, remedy="correct it")
        return value

    def _optional(self, cells: Mapping[str, str], key: str, line: int) -> float:
        return self._number(cells, key, line) if cells.get(key) else math.nan

    def _coordinate(self, cells: Mapping[str, str], key: str, line: int) -> float:
        value = self._number(cells, key, line) + self._shift_m[key]
        if abs(value) > FARTHEST_M:
            raise self.mistake(
                f"{value:g} m is more than {FARTHEST_M / 1000:g} km from the map's origin",
                line,
                key,
                remedy="move the trace onto the map with traffic.offset_x_m and offset_y_m",
            )
        return value

    def _lane(self, text: str, line: int) -> float:
        """Return the number at the end of a lane's name, such as 2 for ``edge_2`` or ``2``."""
        number = text.rpartition("_")[2]
        if number.isdecimal():
            return float(number)
        if text:
            raise self.mistake(
                f"lane {text!r} does not end in a number", line, "lane", remedy="write edge_number"
            )
        return math.nan

    def _kind(self, type_name: str) -> int:
        kind = self._kind_of.get(type_name)
        if kind is None:
            fits = (kind for part, kind in _KINDS.items() if part in type_name)
            kind = self._kind_of[type_name] = next(fits, NodeKind.CAR)
        return kind


def _read_fcd(stream: BinaryIO, collector: _Collector) -> None:
    """Read floating car data of SUMO, element by element."""
    parser = expat.ParserCreate()
    inside: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        line = parser.CurrentLineNumber
        if not inside and tag != "fcd-export":
            raise collector.mistake(
                f"not floating car data: its root element is <{tag}>",
                line,
                remedy="give a file that sumo --fcd-output wrote, or a .csv table",
            )
        if tag == "timestep" and not collector.done:
            collector.begin(attributes, line)
        elif tag in ("vehicle", "person") and not collector.done:
            if inside[-1] != "timestep":
                raise collector.mistake(f"<{tag}> outside a <timestep>", line, remedy=_AGAIN)
            collector.add(attributes, line, is_person=tag == "person")
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        while not collector.done and (chunk := stream.read(1 << 16)):
            parser.Parse(chunk)
        if not collector.done:
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise collector.mistake(
            f"not well-formed XML ({reason})", error.lineno, remedy=_AGAIN
        ) from error
    except (LookupError, UnicodeError) as error:
        raise collector.mistake(
            f"not readable text ({error})", remedy="save it as UTF-8"
        ) from error


def _read_csv(stream: BinaryIO, collector: _Collector) -> None:
    """Read a table, row by row."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    line = 1
    try:
        header = text.readline()
        delimiter = ";" if ";" in header else ","
        names = [name.strip() for name in header.replace('"', "").split(delimiter)]
        time, groups = _columns(names, collector)
        table = csv.reader(text, delimiter=delimiter, strict=True)
        for row in table:
            line = table.line_num + 1
            if not row:
                continue
            if len(row) != len(names):
                raise collector.mistake(
                    f"{len(row)} cells under {len(names)} columns", line, remedy="complete the row"
                )
            collector.begin({"time": row[time]}, line, may_repeat=True)
            if collector.done:
                return
            for prefix, places in groups.items():
                cells = {key: row[place].strip() for key, place in places.items()}
                # Where SUMO keeps vehicles and persons side by side, one of them may be empty.
                if not prefix or any(cells.values()):
                    collector.add(cells, line, is_person=prefix == "person_")
    except UnicodeError as error:
        raise collector.mistake(
            f"not readable text ({error})", remedy="save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise collector.mistake(f"not a table ({error})", line + 1, remedy=_AGAIN) from error
    finally:
        text.detach()


def _columns(names: list[str], collector: _Collector) -> tuple[int, dict[str, dict[str, int]]]:
    """Return the column of the time, and by prefix and key those of the samples."""
    remedy = "the header must hold time,id,x,y and may hold z,speed,angle,lane,type"
    if names == [""]:
        raise collector.mistake("is empty", 1, remedy=remedy)
    if len(set(names)) < len(names):
        raise collector.mistake("two columns with the same name", 1, remedy=remedy)
    place = {name: k for k, name in enumerate(names)}
    time = place.get("time", place.get("timestep_time", -1))
    groups: dict[str, dict[str, int]] = {}
    for prefix in ("", "vehicle_", "person_"):
        group = {
            name.removeprefix(prefix): k for name, k in place.items() if name.startswith(prefix)
        }
        if "id" in group:
            groups[prefix] = group
    wanted = [(["time"] if time < 0 else []), ([] if groups else ["id"])]
    wanted += [[prefix + key for key in "xy" if key not in g] for prefix, g in groups.items()]
    missing = [name for part in wanted for name in part]
    if missing:
        raise collector.mistake(f"no column {missing[0]!r}", 1, remedy=remedy)
    return time, groups
