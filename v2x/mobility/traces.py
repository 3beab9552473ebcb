"""Road users on recorded tracks: floating car data of SUMO, or the same in a CSV table."""

from __future__ import annotations

import csv
import gzip
import heapq
import io
import logging
import math
import zlib
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, TypeVar, cast
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.vehicle_classes import SIZES
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray, RoadMap

_log = logging.getLogger(__name__)

T = TypeVar("T", bound=np.generic)

#: A road user farther than this from every road is off the road [m].
ON_ROAD_M = 20.0
#: Where lanes are not known to be the same, a leader is looked for within this distance [m].
VIEW_M = 100.0
#: Roads one above the other are told apart by this difference in height [m].
DECK_M = 3.0
#: Positions farther than this from the map's origin are a mistake [m].
FARTHEST_M = 1e6
#: Distance between the points that stand for a road [m].
_ROAD_STEP_M = 5.0
#: Distance that a road in the opposite direction counts as farther away [m].
_OPPOSITE_M = 40.0
#: Distance that a metre of height counts, where heights are recorded [m].
_HEIGHT_WEIGHT = 3.0
#: Slower than this, the direction of motion is not a heading [m/s].
_STANDING_MPS = 0.1
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
_X, _Y, _Z, _SPEED, _HEADING, _LANE = range(6)


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


class TraceReplay:
    """Road users move as recorded in a file, on straight lines between the samples.

    A file holds positions of everybody at a sequence of times. Who is missing at the next
    time leaves at the last sample; who comes back later is somebody new. Before the first and
    after the last time the road is empty. Identities count up in the order of appearance.

    Positions are those of SUMO: the middle of the front bumper in metres, angles in degrees
    clockwise from north, speeds in m/s. The state holds centres, half a length back along the
    heading. Sizes are those of the kind: truck, bus or two-wheeler if `type` or `vClass` says
    so, a person for ``<person>`` elements, else a car. What the file leaves out is filled in:
    speed and heading from the positions before and after (east, if it never moves); height, deck,
    edge and lane from the road within 20 m that is nearest in position and direction (and height,
    if all samples have it), else 0 and -1. A lane number of the file goes first if that edge
    has such a lane.

    Columns of a table, separated by commas or semicolons, in any order: ``time, id, x, y`` and
    optionally ``z, speed, angle, lane, type``; or those of SUMO, such as ``timestep_time``,
    ``vehicle_id``, ``person_x``. Rows are in the order of time; further columns are ignored.

    Parameters
    ----------
    params
        File and its place in time and space.
    context
        Map, length of the run, and the folder of relative names. Chance plays no part.

    Raises
    ------
    V2XError
        If the file cannot be read or is wrong, with the line; or if nobody is in it during
        the run.
    """

    Params = TraceParams

    def __init__(self, params: TraceParams, context: MobilityContext) -> None:
        path = Path(context.base_dir) / Path(params.file).expanduser()
        samples = _read(path, params, context.duration_us)
        self._road_map = context.road_map
        self._geometry = RoadGeometry(context.road_map)
        self._split(samples, context.duration_us, path)
        self._fill_motion()
        self._row, self._n_rows = _assign_rows(self._first_step, self._last_step)
        sizes = [SIZES[NodeKind(kind)] for kind in range(NodeKind.VRU + 1)]
        self._sizes = {
            name: np.array([getattr(size, name) for size in sizes])
            for name in ("length_m", "width_m", "height_m", "antenna_height_m")
        }
        self._roads = _Roads(context.road_map, bool(np.isfinite(self._value[_Z]).all()))
        begin = self._value[:, self._first_sample]
        if (self._roads.match(begin)[0] < 0).all():
            _log.warning(
                "%s: nobody begins within %g m of a road of map %r; check traffic.offset_x_m "
                "and traffic.offset_y_m",
                path,
                ON_ROAD_M,
                context.road_map.name,
            )

    @property
    def n_rows(self) -> int:
        """Rows of every state: the largest number present at once."""
        return self._n_rows

    def _split(self, samples: _Samples, duration_us: int, path: Path) -> None:
        """Cut the samples into tracks without absence, in order of first appearance."""
        order = np.lexsort((samples.step, samples.who))
        who, step = samples.who[order], samples.step[order]
        begins = np.ones(len(order), dtype=np.bool_)
        begins[1:] = (who[1:] != who[:-1]) | (step[1:] != step[:-1] + 1)
        if len(samples.step_us) > 2 and begins.all():
            raise V2XError(
                f"nobody is present at two successive of its {len(samples.step_us)} times",
                file=str(path),
                remedy="give the positions of all vehicles at the same times",
            )
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(order)) - 1
        seen = (samples.step_us[step[last]] >= 0) & (samples.step_us[step[first]] <= duration_us)
        if not seen.any():
            raise V2XError(
                f"nobody is there in the {duration_us / US_PER_S:g} s of the run",
                file=str(path),
                remedy="set traffic.start_s to the time in the file at which the run begins",
            )
        first, last = first[seen], last[seen]
        by_appearance = np.argsort(order[first])
        first, last = first[by_appearance], last[by_appearance]
        count = last - first + 1
        self._step_us = samples.step_us
        self._first_step, self._last_step = step[first], step[last]
        self._first_sample = np.cumsum(count) - count
        self._track = np.repeat(np.arange(len(first)), count)
        taken = order[np.repeat(first - self._first_sample, count) + np.arange(len(self._track))]
        self._kind: IntArray = samples.kind[order[first]].astype(np.int32)
        self._value = samples.value[:, taken]
        self._sample_us = samples.step_us[samples.step[taken]]

    def _fill_motion(self) -> None:
        """Fill in speeds and headings that the file does not give, from the positions."""
        value = self._value
        n = len(self._track)
        here = np.arange(n)
        begin = self._first_sample[self._track]
        end = begin + (self._last_step - self._first_step)[self._track]
        before, after = np.maximum(here - 1, begin), np.minimum(here + 1, end)
        span_s = np.maximum(self._sample_us[after] - self._sample_us[before], 1) / US_PER_S
        vx = self._across_m(value[_X, after] - value[_X, before]) / span_s
        vy = (value[_Y, after] - value[_Y, before]) / span_s
        speed = np.hypot(vx, vy)
        value[_SPEED] = np.where(np.isnan(value[_SPEED]), speed, value[_SPEED])
        known = np.isfinite(value[_HEADING])
        moving = ~known & (speed > _STANDING_MPS)
        value[_HEADING, moving] = np.arctan2(vy, vx)[moving]
        # Who stands looks where it last went, or else where it will go.
        known |= moving
        latest = np.maximum.accumulate(np.where(known, here, -1))
        coming = np.minimum.accumulate(np.where(known, here, n)[::-1])[::-1]
        source = np.where(latest >= begin, latest, coming)
        found = (source >= begin) & (source <= end)
        heading = value[_HEADING, np.where(found, source, here)]
        value[_HEADING] = np.where(found, heading, 0.0)

    def _across_m(self, dx_m: FloatArray) -> FloatArray:
        """Return differences in x [m], by the shorter way around a wrap-around map."""
        period = self._road_map.wrap_length_m
        return np.asarray(dx_m - period * np.round(dx_m / period)) if period else dx_m

    def _at(self, time_us: int) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
        """Return the tracks present, their interpolated values, and accelerations [m/s²]."""
        step = int(np.searchsorted(self._step_us, time_us, side="right")) - 1
        goes_on = self._last_step > step
        stays = goes_on | ((self._last_step == step) & (self._step_us[step] == time_us))
        present = np.flatnonzero((self._first_step <= step) & stays)
        sample = self._first_sample[present] + step - self._first_step[present]
        following = sample + goes_on[present]
        one, other = self._value[:, sample], self._value[:, following]
        span_us = self._sample_us[following] - self._sample_us[sample]
        share = (time_us - self._sample_us[sample]) / np.maximum(span_us, 1)
        change = other - one
        change[_X] = self._across_m(change[_X])
        change[_HEADING] = _turn(change[_HEADING])
        change[_LANE] = 0.0
        value = one + share * change
        value[_X] = self._geometry.wrapped(value[_X])
        value[_HEADING] = _turn(value[_HEADING])
        return present, value, change[_SPEED] * US_PER_S / np.maximum(span_us, 1)

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs]."""
        present, value, acceleration = self._at(time_us)
        edge, offset, lateral = self._roads.match(value)
        kind = self._kind[present]
        half_m = 0.5 * self._sizes["length_m"][kind]
        heading = value[_HEADING]
        lane = np.full(len(present), -1, dtype=np.int32)
        on = np.flatnonzero((edge >= 0) & (kind <= NodeKind.BUS))
        recorded = value[_LANE, on]
        fits = recorded < self._road_map.edge_lanes[edge[on]]
        drawn = self._geometry.lane_at(edge[on], lateral[on])
        lane[on] = np.where(fits, recorded, drawn)
        z = value[_Z]
        low = np.flatnonzero(np.isnan(z))
        z[low] = 0.0
        low = low[edge[low] >= 0]
        middle_m = offset[low] - half_m[low]
        z[low] = self._geometry.position(edge[low], middle_m, np.zeros(len(low)))[2]

        row = self._row[present]
        all_kinds = self._in_rows(row, kind, 0)
        on_edge = self._in_rows(row, edge, -1)
        n = self._n_rows
        state = FleetState(
            time_us=time_us,
            id=self._in_rows(row, present, -1),
            kind=all_kinds,
            x_m=self._in_rows(
                row, self._geometry.wrapped(value[_X] - half_m * np.cos(heading)), 0.0
            ),
            y_m=self._in_rows(row, value[_Y] - half_m * np.sin(heading), 0.0),
            z_m=self._in_rows(row, z, 0.0),
            heading_rad=self._in_rows(row, heading, 0.0),
            speed_mps=self._in_rows(row, value[_SPEED], 0.0),
            acceleration_mps2=self._in_rows(row, acceleration, 0.0),
            edge=on_edge,
            lane=self._in_rows(row, lane, -1),
            offset_m=self._in_rows(row, offset, 0.0),
            level=self._geometry.level(on_edge),
            tunnel=self._geometry.tunnel(on_edge),
            leader=np.full(n, -1, dtype=np.int32),
            gap_m=np.full(n, np.inf),
            **{name: size[all_kinds] for name, size in self._sizes.items()},
        )
        leader, gap = leaders(state, self._road_map)
        return replace(state, leader=leader, gap_m=gap)

    def _in_rows(self, row: NDArray[np.int64], values: NDArray[T], empty: float) -> NDArray[T]:
        column = np.full(self._n_rows, empty, dtype=values.dtype)
        column[row] = values
        return column


def _turn(angle_rad: FloatArray) -> FloatArray:
    """Return angles in [-π, π) [rad]."""
    return np.asarray(np.mod(angle_rad + np.pi, 2.0 * np.pi) - np.pi)


def _assign_rows(
    first_step: NDArray[np.int64], last_step: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int]:
    """Return a row for each track, free again after its last step, and the number of rows."""
    row = np.empty(len(first_step), dtype=np.int64)
    taken: list[tuple[int, int]] = []
    free: list[int] = []
    n_rows = 0
    for track, (first, last) in enumerate(
        zip(first_step.tolist(), last_step.tolist(), strict=True)
    ):
        while taken and taken[0][0] < first:
            heapq.heappush(free, heapq.heappop(taken)[1])
        if free:
            row[track] = heapq.heappop(free)
        else:
            row[track] = n_rows
            n_rows += 1
        heapq.heappush(taken, (last, int(row[track])))
    return row, n_rows


class _Roads:
    """Finds the road under a position.

    Roads are stood for by points 5 m apart in a space of position, direction and, on request,
    height; the nearest of them names a piece of a polyline, onto which the position is
    projected.

    Parameters
    ----------
    road_map
        The map.
    by_height
        Whether heights tell roads apart.
    """

    def __init__(self, road_map: RoadMap, by_height: bool) -> None:
        from scipy.spatial import cKDTree

        self._by_height = by_height
        xyz = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
        begin = np.delete(np.arange(xyz.shape[1]), road_map.first_point[1:] - 1)
        step = xyz[:, begin + 1] - xyz[:, begin]
        self._edge: IntArray = np.repeat(
            np.arange(road_map.n_edges, dtype=np.int32), np.diff(road_map.first_point) - 1
        )
        self._begin, self._step = xyz[:, begin], step
        self._run_m = np.maximum(np.hypot(step[0], step[1]), 1e-9)
        self._offset_m = road_map.point_offset_m[begin]
        self._length_m = road_map.point_offset_m[begin + 1] - self._offset_m
        parts = np.maximum(1, np.ceil(self._length_m / _ROAD_STEP_M)).astype(np.int64)
        self._piece = np.repeat(np.arange(len(begin)), parts)
        rank = np.arange(len(self._piece)) - np.repeat(np.cumsum(parts) - parts, parts)
        at = self._begin[:, self._piece] + (rank + 0.5) / parts[self._piece] * step[:, self._piece]
        heading = np.arctan2(step[1], step[0])[self._piece]
        self._tree = cKDTree(self._features(at[0], at[1], at[2], heading))

    def _features(
        self, x: FloatArray, y: FloatArray, z: FloatArray, heading: FloatArray
    ) -> FloatArray:
        weight = 0.5 * _OPPOSITE_M
        columns = [x, y, weight * np.cos(heading), weight * np.sin(heading)]
        return np.stack([*columns, _HEIGHT_WEIGHT * z] if self._by_height else columns, axis=1)

    def match(self, value: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """Return edges (-1 off the road), offsets along them and to the right of them [m]."""
        x, y = value[_X], value[_Y]
        _, nearest = self._tree.query(self._features(x, y, value[_Z], value[_HEADING]))
        piece = self._piece[nearest]
        along = self._step[:2, piece] / self._run_m[piece]
        dx, dy = x - self._begin[0, piece], y - self._begin[1, piece]
        run = self._run_m[piece]
        done = np.clip(dx * along[0] + dy * along[1], 0.0, run)
        away = np.hypot(dx - done * along[0], dy - done * along[1])
        on = away <= ON_ROAD_M
        offset = self._offset_m[piece] + done / run * self._length_m[piece]
        lateral = dx * along[1] - dy * along[0]
        edge = np.where(on, self._edge[piece], -1).astype(np.int32)
        return edge, np.where(on, offset, 0.0), np.where(on, lateral, 0.0)


def leaders(state: FleetState, road_map: RoadMap) -> tuple[IntArray, FloatArray]:
    """Return who drives ahead of whom, judged by position.

    The leader is the next vehicle in the same lane of the same edge. Failing that it is the
    nearest one off that edge within 100 m, on the same deck, in about the same direction
    (within 60°) and not farther aside than half a lane: across the joint of two edges, and off
    the road. So in a bend a leader beyond the joint may be missed. Persons and two-wheelers
    neither lead nor follow.

    Parameters
    ----------
    state
        Everybody, with leaders still unknown.
    road_map
        Lane width and period.

    Returns
    -------
    leader : (n_rows,) int32
        Row of the leader, -1 without one.
    gap_m : (n_rows,) float64
        Bumper-to-bumper distance [m], infinite without a leader.
    """
    leader = np.full(state.n_rows, -1, dtype=np.int32)
    gap = np.full(state.n_rows, np.inf)
    drives = state.active & (state.kind <= NodeKind.BUS)
    on = np.flatnonzero(drives & (state.edge >= 0))
    order = on[np.lexsort((state.offset_m[on], state.lane[on], state.edge[on]))]
    behind, ahead = order[:-1], order[1:]
    same = state.edge[behind] == state.edge[ahead]
    same &= state.lane[behind] == state.lane[ahead]
    behind, ahead = behind[same], ahead[same]
    leader[behind] = ahead
    gap[behind] = state.offset_m[ahead] - state.length_m[ahead] - state.offset_m[behind]

    behind, ahead, along = _straight_ahead(state, np.flatnonzero(drives), road_map)
    open_road = leader[behind] < 0
    behind, ahead, along = behind[open_road], ahead[open_road], along[open_road]
    order = np.lexsort((ahead, along, behind))
    behind, first = np.unique(behind[order], return_index=True)
    ahead, along = ahead[order[first]], along[order[first]]
    leader[behind] = ahead
    gap[behind] = along - 0.5 * (state.length_m[behind] + state.length_m[ahead])
    return leader, gap


def _straight_ahead(
    state: FleetState, row: NDArray[np.int64], road_map: RoadMap
) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray]:
    """Return pairs of rows, one straight ahead of the other on another edge, and how far [m]."""
    from scipy.spatial import cKDTree

    period = road_map.wrap_length_m
    x = state.x_m[row] - float(road_map.point_x_m.min())
    if period:
        x[x >= period] = 0.0  # where rounding put a wrapped position onto the end
    tree = cKDTree(np.stack([x, state.y_m[row]], axis=1), boxsize=np.array([period, 0.0]))
    pairs = row[tree.query_pairs(VIEW_M, output_type="ndarray")]
    behind, ahead = np.concatenate([pairs, pairs[:, ::-1]]).T
    dx, dy = state.x_m[ahead] - state.x_m[behind], state.y_m[ahead] - state.y_m[behind]
    if period:
        dx -= period * np.round(dx / period)
    cos, sin = np.cos(state.heading_rad[behind]), np.sin(state.heading_rad[behind])
    along, aside = dx * cos + dy * sin, np.abs(dx * sin - dy * cos)
    fits = (along > 0.0) & (aside <= 0.5 * road_map.lane_width_m)
    fits &= np.cos(state.heading_rad[ahead] - state.heading_rad[behind]) > 0.5
    fits &= state.level[ahead] == state.level[behind]
    fits &= np.abs(state.z_m[ahead] - state.z_m[behind]) < DECK_M
    fits &= (state.edge[ahead] != state.edge[behind]) | (state.edge[behind] < 0)
    return behind[fits], ahead[fits], along[fits]


@dataclass(frozen=True, slots=True)
class _Samples:
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


def _read(path: Path, params: TraceParams, duration_us: int) -> _Samples:
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

    def samples(self) -> _Samples:
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
        return _Samples(np.array(self._step_us, dtype=np.int64), step, who, kind, value)

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
