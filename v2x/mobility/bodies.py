"""Where the bodies of vehicles are, given their front bumpers and lanes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import Vehicles
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray

#: Way on which a vehicle comes back to the middle of its lane after a corner [m].
CORNER_M = 12.0


class Bodies:
    """Moves vehicles sideways and smoothly round corners.

    Parameters
    ----------
    geometry
        Positions on the map.
    vehicles, book
        State of the traffic and its routes, owned by the model.
    lane_change_s
        Time in which a vehicle crosses to the next lane [s].
    """

    def __init__(
        self, geometry: RoadGeometry, vehicles: Vehicles, book: RouteBook, lane_change_s: float
    ) -> None:
        n = vehicles.n_rows
        self._geometry = geometry
        self._vehicles = vehicles
        self._book = book
        self._drift_mps = geometry.road_map.lane_width_m / lane_change_s
        self._lateral_m = np.zeros(n)
        self._corner_m = np.zeros((2, n))
        self._last_edge: IntArray = np.full(n, -1, dtype=np.int32)
        self._last_id: NDArray[np.int64] = np.full(n, -1, dtype=np.int64)
        self._last_us = 0

    def settle(self, rows: NDArray[np.integer]) -> None:
        """Put vehicles into the middles of their lanes."""
        edge = self._book.edge[self._vehicles.stop[rows]]
        self._lateral_m[rows] = self._geometry.lane_lateral_m(edge, self._vehicles.lane[rows])

    def drift(self, step_s: float) -> None:
        """Move vehicles that roll towards the middles of their lanes for `step_s` [s]."""
        vehicles = self._vehicles
        goal_m = self._geometry.lane_lateral_m(self._book.edge[vehicles.stop], vehicles.lane)
        most_m = self._drift_mps * step_s * np.minimum(1.0, 0.5 * vehicles.speed_mps)
        self._lateral_m += np.clip(goal_m - self._lateral_m, -most_m, most_m)

    def locate(
        self, identity: NDArray[np.int64], time_us: int
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return the middles of the vehicles at `time_us` [µs].

        Parameters
        ----------
        identity : (n_rows,) int64
            Identity of the vehicle in each row, -1 for an empty row.
        time_us
            Time, not before the last one asked for.

        Returns
        -------
        x_m, y_m, z_m, heading_rad : (n_rows,) float64
            Positions [m] and directions; meaningless in empty rows.
        """
        middle_m, stop = self._middles()
        edge = self._book.edge[stop]
        x, y, z, heading = self._geometry.position(edge, middle_m, self._lateral_m)
        self._round_corners(identity, edge, time_us)
        x = self._geometry.wrapped(x + self._corner_m[0])
        return x, y + self._corner_m[1], z, heading

    def _middles(self) -> tuple[FloatArray, IntArray]:
        """Return offset and stop of the vehicles' middles, perhaps on edges already left."""
        book, length_m = self._book, self._geometry.road_map.edge_length_m
        middle_m = self._vehicles.offset_m - 0.5 * self._vehicles.length_m
        at = np.maximum(self._vehicles.stop, 0)
        while True:
            back = np.flatnonzero(middle_m < 0.0)
            back = back[book.before[at[back]] >= 0]
            if not len(back):
                return middle_m, at
            at[back] = book.before[at[back]]
            middle_m[back] += length_m[book.edge[at[back]]]

    def _round_corners(self, identity: NDArray[np.int64], edge: IntArray, time_us: int) -> None:
        """Keep vehicles from jumping where the next edge has another direction.

        Lanes lie beside the polylines, across whose corners at nodes they would jump. The jump
        is taken back at once and let out over the next metres.
        """
        moved_m = self._vehicles.speed_mps * ((time_us - self._last_us) / US_PER_S)
        self._corner_m *= np.maximum(1.0 - moved_m / CORNER_M, 0.0)
        same = (self._last_id == identity) & (identity >= 0)
        self._corner_m[:, ~same] = 0.0
        turned = np.flatnonzero(same & (edge != self._last_edge))
        self._corner_m[:, turned] += self._geometry.corner_jump(
            self._last_edge[turned], edge[turned], self._lateral_m[turned]
        )
        self._last_edge, self._last_id, self._last_us = edge, identity.copy(), time_us
