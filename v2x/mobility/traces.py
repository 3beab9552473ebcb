"""Road users on recorded tracks: floating car data of SUMO, or the same in a CSV table."""

from __future__ import annotations

import heapq
import logging
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.road_matching import HEADING, LANE, ON_ROAD_M, SPEED, Roads, X, Y, Z, leaders
from v2x.mobility.trace_files import Samples, TraceParams, read_samples
from v2x.mobility.vehicle_classes import SIZES
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray

_log = logging.getLogger(__name__)

T = TypeVar("T", bound=np.generic)

#: Slower than this, the direction of motion is not a heading [m/s].
_STANDING_MPS = 0.1


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
        samples = read_samples(path, params, context.duration_us)
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
        self._roads = Roads(context.road_map, bool(np.isfinite(self._value[Z]).all()))
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

    def _split(self, samples: Samples, duration_us: int, path: Path) -> None:
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
        vx = self._across_m(value[X, after] - value[X, before]) / span_s
        vy = (value[Y, after] - value[Y, before]) / span_s
        speed = np.hypot(vx, vy)
        value[SPEED] = np.where(np.isnan(value[SPEED]), speed, value[SPEED])
        known = np.isfinite(value[HEADING])
        moving = ~known & (speed > _STANDING_MPS)
        value[HEADING, moving] = np.arctan2(vy, vx)[moving]
        # Who stands looks where it last went, or else where it will go.
        known |= moving
        latest = np.maximum.accumulate(np.where(known, here, -1))
        coming = np.minimum.accumulate(np.where(known, here, n)[::-1])[::-1]
        source = np.where(latest >= begin, latest, coming)
        found = (source >= begin) & (source <= end)
        heading = value[HEADING, np.where(found, source, here)]
        value[HEADING] = np.where(found, heading, 0.0)

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
        change[X] = self._across_m(change[X])
        change[HEADING] = _turn(change[HEADING])
        change[LANE] = 0.0
        value = one + share * change
        value[X] = self._geometry.wrapped(value[X])
        value[HEADING] = _turn(value[HEADING])
        return present, value, change[SPEED] * US_PER_S / np.maximum(span_us, 1)

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs]."""
        present, value, acceleration = self._at(time_us)
        edge, offset, lateral = self._roads.match(value)
        kind = self._kind[present]
        half_m = 0.5 * self._sizes["length_m"][kind]
        heading = value[HEADING]
        lane = np.full(len(present), -1, dtype=np.int32)
        on = np.flatnonzero((edge >= 0) & (kind <= NodeKind.BUS))
        recorded = value[LANE, on]
        fits = recorded < self._road_map.edge_lanes[edge[on]]
        drawn = self._geometry.lane_at(edge[on], lateral[on])
        lane[on] = np.where(fits, recorded, drawn)
        z = value[Z]
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
                row, self._geometry.wrapped(value[X] - half_m * np.cos(heading)), 0.0
            ),
            y_m=self._in_rows(row, value[Y] - half_m * np.sin(heading), 0.0),
            z_m=self._in_rows(row, z, 0.0),
            heading_rad=self._in_rows(row, heading, 0.0),
            speed_mps=self._in_rows(row, value[SPEED], 0.0),
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
