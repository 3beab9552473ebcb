"""People on their way over streets, step by step with the traffic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.crossings.gaps import Oncoming, oncoming
from v2x.mobility.crossings.params import CrossingParams
from v2x.mobility.crossings.places import LINE_M, Crossing, crossings_of
from v2x.mobility.fleet import NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
from v2x.mobility.signals.base import SignalControl, movement_lights
from v2x.mobility.signals.lights import Light
from v2x.mobility.vehicle_classes import TWO_WHEELER_SIZE, VRU_SIZE
from v2x.mobility.vehicles import Vehicles
from v2x.records.tables import FIRST_PEDESTRIAN_ID
from v2x.rng import key32, uniform_by_id
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray

#: Identity of the first who crosses; those on the pavements come before.
FIRST_CROSSER_ID = FIRST_PEDESTRIAN_ID + (1 << 24)
#: Where people appear before the kerb and vanish behind the other [m].
APPROACH_M = 8.0
#: They wait so far before the lanes [m].
KERB_M = 0.5
#: Nobody walks slower [m/s].
SLOWEST_MPS = 0.5


class Crossers:
    """Everybody who crosses a street of the map, as last rows of a fleet (:class:`LastRows`).

    People come to each crossing at random, wait for their light or for a gap, and walk straight
    over. From the kerb until somebody has left the lanes of a direction of traffic, the vehicles of
    that direction have to stop at the line before the crossing: the kernel of the traffic takes
    that like a red light from which there is no way.

    Who comes when, how fast, and whether on wheels belongs to the stable id.

    Parameters
    ----------
    params
        How many, and what they mind.
    network, book, vehicles
        State of the traffic, owned by the model.
    control
        The lights.
    seed
        Seed of the run.

    Attributes
    ----------
    crossings : tuple of Crossing
        Where they cross.
    first_line, line_m, used : arrays
        Lines of the kernel: the first of each edge, (n_edges + 1,) int32; where they are, and
        whether vehicles have to stop there, (n_lines,) float64 [m] and uint8.
    n_crossed : int
        People so far who have reached the other side.
    """

    def __init__(
        self,
        params: CrossingParams,
        network: LaneNetwork,
        book: RouteBook,
        vehicles: Vehicles,
        control: SignalControl,
        seed: int,
    ) -> None:
        self._params = params
        self._network = network
        self._book = book
        self._vehicles = vehicles
        self._control = control
        self._geometry = RoadGeometry(network.road_map)
        self.crossings: tuple[Crossing, ...] = crossings_of(network, params)
        self._place_lines()
        n = len(self.crossings) * params.most_waiting
        self._key = {
            name: key32(seed, "crossings", name)
            for name in ("arrival", "speed", "side", "wheels", "jaywalks")
        }
        self._n_come = np.zeros(len(self.crossings), dtype=np.int64)
        self._next_us = [self._interval_us(k, 0) for k in range(len(self.crossings))]
        self._id: NDArray[np.int64] = np.full(n, -1, dtype=np.int64)
        self._at: IntArray = np.zeros(n, dtype=np.int32)
        #: Way since the kerb: negative before it, beyond the width behind the other.
        self._way_m: FloatArray = np.zeros(n)
        self._speed_mps: FloatArray = np.zeros(n)
        self._moves: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._from_right: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._wheels: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._jaywalks: NDArray[np.bool_] = np.zeros(n, dtype=np.bool_)
        self._width_m = np.array([c.width_m for c in self.crossings])
        self.n_crossed = 0

    def _place_lines(self) -> None:
        """Sort the lines of all crossings by edge and place."""
        lines = sorted(
            (edge, at_m, k, part)
            for k, crossing in enumerate(self.crossings)
            for part, (edge, at_m, _, _) in enumerate(crossing.lines)
        )
        edges = np.array([line[0] for line in lines], dtype=np.int64)
        n_edges = self._network.road_map.n_edges
        self.first_line: IntArray = np.searchsorted(edges, np.arange(n_edges + 1)).astype(np.int32)
        self.line_m: FloatArray = np.array([line[1] for line in lines], dtype=np.float64)
        self.used: NDArray[np.uint8] = np.zeros(len(lines), dtype=np.uint8)
        self._line_at = {(line[2], line[3]): row for row, line in enumerate(lines)}

    @property
    def n_rows(self) -> int:
        """For how many there is room."""
        return len(self._id)

    def _interval_us(self, place: int, number: int) -> int:
        """Return the time between two arrivals at a crossing [µs]."""
        draw = float(uniform_by_id(self._key["arrival"], place, number))
        return math.ceil(-math.log1p(-draw) * 3600.0 / self._params.rate_per_h * US_PER_S)

    def step(self, time_us: int, step_s: float) -> None:
        """Move everybody to `time_us` [µs] and set which lines are in use."""
        self._arrive(time_us)
        there = np.flatnonzero(self._id >= 0)
        if not len(there):
            self.used[:] = 0
            return
        way = self._way_m[there]
        ahead = way + self._speed_mps[there] * step_s
        held = (way <= -KERB_M) & (ahead > -KERB_M)
        self._moves[there] = True
        self._way_m[there] = ahead
        waiting = there[held]
        if len(waiting):
            self._decide(waiting, time_us)
        gone = there[self._way_m[there] > self._width_m[self._at[there]] + APPROACH_M]
        self.n_crossed += len(gone)
        self._id[gone] = -1
        self._mark()

    def _arrive(self, time_us: int) -> None:
        """Let those appear whose time has come, where there is room for them."""
        for place in range(len(self.crossings)):
            while self._next_us[place] <= time_us:
                rows = slice(
                    place * self._params.most_waiting, (place + 1) * self._params.most_waiting
                )
                free = np.flatnonzero(self._id[rows] < 0)
                if not len(free):
                    break
                self._appear(rows.start + int(free[0]), place)
                self._next_us[place] += self._interval_us(place, int(self._n_come[place]))

    def _appear(self, row: int, place: int) -> None:
        params = self._params
        number = int(self._n_come[place])
        self._n_come[place] += 1
        identity = FIRST_CROSSER_ID + place + len(self.crossings) * number

        def drawn(name: str, counter: int = 0) -> float:
            return float(uniform_by_id(self._key[name], identity, counter))

        self._id[row] = identity
        self._at[row] = place
        self._way_m[row] = -KERB_M - APPROACH_M
        self._from_right[row] = drawn("side") < 0.5
        self._wheels[row] = drawn("wheels") < params.two_wheeler_share
        self._jaywalks[row] = drawn("jaywalks") < params.jaywalker_share
        normal = math.sqrt(-2.0 * math.log1p(-drawn("speed"))) * math.cos(
            2.0 * math.pi * drawn("speed", 1)
        )
        walk = params.speed_mps + params.speed_sigma_mps * normal
        self._speed_mps[row] = (
            params.two_wheeler_mps
            if self._wheels[row]
            else min(max(walk, SLOWEST_MPS), 2.0 * params.speed_mps)
        )

    def _decide(self, waiting: NDArray[np.int64], time_us: int) -> None:
        """Let those go who may; the others stay at the kerb."""
        traffic = oncoming(self._network, self._book, self._vehicles)
        lights = None
        for row in waiting.tolist():
            crossing = self.crossings[self._at[row]]
            obeys = bool(crossing.movements) and not self._jaywalks[row]
            if obeys and lights is None:
                lights = movement_lights(self._control, self._network)
            if obeys and lights is not None:
                movements = list(crossing.movements)
                over_us = (crossing.width_m + KERB_M) / self._speed_mps[row] * US_PER_S
                free = bool((lights.light[movements] == Light.RED).all())
                free &= bool((lights.opens_us[movements] >= time_us + over_us).all())
                free &= self._is_clear(row, crossing, traffic, only_turning=True)
            else:
                free = self._is_clear(row, crossing, traffic, only_turning=False)
            if not free:
                self._way_m[row] = -KERB_M
                self._moves[row] = False

    def _is_clear(
        self, row: int, crossing: Crossing, traffic: Oncoming, *, only_turning: bool
    ) -> bool:
        """Return whether the gaps in traffic are long enough, or vehicles can let one go first.

        At lights only those who turn onto the street count, as the others have red.
        """
        speed = float(self._speed_mps[row])
        jaywalks = bool(self._jaywalks[row])
        margin_s = self._params.jaywalker_margin_s if jaywalks else self._params.margin_s
        for edge, line_m, low_m, high_m in crossing.lines:
            if traffic.covers(edge, line_m + LINE_M):
                return False
            if only_turning and edge == crossing.edge:
                continue
            # The far end of the lanes of this direction, as seen from where one starts.
            end_m = crossing.right_m - low_m if self._from_right[row] else high_m - crossing.left_m
            need_s = (KERB_M + end_m) / speed + margin_s
            if not traffic.leaves(edge, line_m, need_s, expects_to_be_let=not jaywalks):
                return False
        return True

    def _mark(self) -> None:
        """Note which lines vehicles must not pass."""
        self.used[:] = 0
        for row in np.flatnonzero((self._id >= 0) & (self._way_m > -KERB_M)).tolist():
            crossing = self.crossings[self._at[row]]
            from_right = bool(self._from_right[row])
            for part, (_, _, low_m, high_m) in enumerate(crossing.lines):
                end_m = crossing.right_m - low_m if from_right else high_m - crossing.left_m
                if self._way_m[row] <= end_m + KERB_M:
                    self.used[self._line_at[int(self._at[row]), part]] = 1

    def holds(self, edge: int) -> bool:
        """Return whether vehicles have to stop somewhere on an edge, so that none may appear."""
        return bool(self.used[self.first_line[edge] : self.first_line[edge + 1]].any())

    def columns(self, time_us: int) -> dict[str, NDArray[Any]]:
        """Return every column of the fleet for them at `time_us` [µs], the last one stepped to."""
        del time_us
        n = self.n_rows
        here = self._id >= 0
        edge = np.array([c.edge for c in self.crossings], dtype=np.int32)[self._at]
        offset = np.array([c.offset_m for c in self.crossings])[self._at]
        right = np.array([c.right_m for c in self.crossings])[self._at]
        left = np.array([c.left_m for c in self.crossings])[self._at]
        lateral = np.where(self._from_right, right - self._way_m, left + self._way_m)
        x, y, z, heading = self._geometry.position(edge, offset, lateral)
        heading = heading + np.where(self._from_right, 0.5, -0.5) * np.pi
        wheels = self._wheels & here

        def size(name: str) -> FloatArray:
            sizes: FloatArray = np.where(
                wheels, getattr(TWO_WHEELER_SIZE, name), getattr(VRU_SIZE, name)
            )
            return sizes

        def real(values: FloatArray) -> FloatArray:
            return np.where(here, values, 0.0)

        return {
            "id": self._id.copy(),
            "kind": np.full(n, NodeKind.VRU, dtype=np.int32),
            "x_m": real(x),
            "y_m": real(y),
            "z_m": real(z),
            "heading_rad": real(heading),
            "speed_mps": real(self._speed_mps * self._moves),
            "acceleration_mps2": np.zeros(n),
            "edge": np.where(here, edge, np.int32(-1)),
            "lane": np.full(n, -1, dtype=np.int32),
            "offset_m": real(offset),
            "level": np.where(here, self._geometry.level(edge), 0).astype(np.int32),
            "tunnel": np.full(n, -1, dtype=np.int32),
            "length_m": size("length_m"),
            "width_m": size("width_m"),
            "height_m": size("height_m"),
            "antenna_height_m": size("antenna_height_m"),
            "leader": np.full(n, -1, dtype=np.int32),
            "gap_m": np.full(n, np.inf),
            "turn": np.zeros(n, dtype=np.int32),
            "flags": np.zeros(n, dtype=np.int32),
        }
