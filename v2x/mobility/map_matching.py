r"""Which road a vehicle believes to be on, from its position with and without height.

Among the roads near the believed position that run its way, the likeliest is taken. With
*lateral* the distance from the middle of the carriageway (of width *W*), *beyond* that past the
end of a straight piece, and :math:`\psi` the difference of directions, minus twice the logarithm
of the likelihood is

.. math:: \frac{\mathrm{lateral}^2 + \mathrm{beyond}^2}{v} + \ln v
          + \frac{2 (1 - \cos\psi)}{\sigma_\psi^2},
          \qquad v = \frac{\sigma^2}{2} + \frac{W^2}{12},

because vehicles are spread evenly over the width and half of the horizontal variance lies across
the road. Height adds :math:`(z - z_\mathrm{road})^2 / \sigma_z^2`, which tells decks apart that are
the same place in plan. Nothing is remembered from one state to the next: a receiver that follows
the road it was on does better.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FloatArray, IntArray
from v2x.world.geometry import twin_edges
from v2x.world.road_map import RoadMap

#: Side of the cells by which roads are found [m].
_CELL_M = 25.0
#: Rows of the table of pieces.
_X, _Y, _ALONG_X, _ALONG_Y, _RUN, _MIDDLE, _SPREAD2, _Z, _CLIMB = range(9)


class MapMatcher:
    """Finds the likeliest road under believed positions.

    Parameters
    ----------
    road_map
        The map that vehicles carry; it is exact but for `height_sigma_m`.
    radius_m
        Roads farther away are not matched [m].
    heading_sigma_deg
        Difference of directions that weighs one sigma [degree].
    height_sigma_m
        Error of the heights in the map [m].
    """

    def __init__(
        self, road_map: RoadMap, radius_m: float, heading_sigma_deg: float, height_sigma_m: float
    ) -> None:
        self._radius_m = radius_m
        self._heading_weight = 2.0 / math.radians(heading_sigma_deg) ** 2
        self._height_sigma_m = height_sigma_m
        self._edge, self._piece = _pieces(road_map)
        self._west_m = float(road_map.point_x_m.min())
        self._south_m = float(road_map.point_y_m.min())
        self._wrap_length_m = road_map.wrap_length_m
        self._build_cells()

    def _build_cells(self) -> None:
        """List for every cell near a road the pieces that may lie within the radius of it."""
        x, y, along_x, along_y, run = self._piece[[_X, _Y, _ALONG_X, _ALONG_Y, _RUN]]
        reach = self._radius_m + _CELL_M * math.sqrt(0.5)
        n_steps = np.ceil(run / _CELL_M).astype(np.int64) + 1
        piece = np.repeat(np.arange(len(run)), n_steps)
        rank = np.arange(len(piece)) - (np.cumsum(n_steps) - n_steps)[piece]
        done = rank / (n_steps[piece] - 1) * run[piece]
        column = self._column(x[piece] + done * along_x[piece])
        row = self._row(y[piece] + done * along_y[piece])
        # Half a step from the nearest of these points on, and half a cell from its middle.
        n_around = math.ceil((reach + 0.5 * _CELL_M) / _CELL_M)
        around = np.arange(-n_around, n_around + 1)
        self._stride = int(column.max()) + 4 * n_around + 2
        cell = (row + 2 * n_around)[:, None, None] + around[:, None]
        cell = cell * self._stride + (column + 2 * n_around)[:, None, None] + around
        self._margin = 2 * n_around
        pair = (cell.reshape(len(piece), -1) * len(run) + piece[:, None]).ravel()
        # Sorted in place: np.unique would hash millions of pairs, and take longer.
        pair.sort()
        cell, piece = np.divmod(pair[np.flatnonzero(np.diff(pair, prepend=-1))], len(run))
        middle_x = (cell % self._stride - self._margin + 0.5) * _CELL_M + self._west_m
        middle_y = (cell // self._stride - self._margin + 0.5) * _CELL_M + self._south_m
        dx, dy = middle_x - x[piece], middle_y - y[piece]
        done = np.clip(dx * along_x[piece] + dy * along_y[piece], 0.0, run[piece])
        away = np.hypot(dx - done * along_x[piece], dy - done * along_y[piece])
        cell, self._candidate = cell[away <= reach], piece[away <= reach]
        self._cell, begin = np.unique(cell, return_index=True)
        self._begin = np.append(begin, len(cell))

    def _column(self, x_m: FloatArray) -> NDArray[np.int64]:
        return np.floor((x_m - self._west_m) / _CELL_M).astype(np.int64)

    def _row(self, y_m: FloatArray) -> NDArray[np.int64]:
        return np.floor((y_m - self._south_m) / _CELL_M).astype(np.int64)

    def match(
        self,
        x_m: FloatArray,
        y_m: FloatArray,
        z_m: FloatArray,
        heading_rad: FloatArray,
        horizontal_sigma_m: FloatArray,
        vertical_sigma_m: FloatArray,
    ) -> tuple[IntArray, IntArray]:
        """Return the likeliest edges without and with height, -1 where no road is near.

        Parameters
        ----------
        x_m, y_m, z_m : (n,) float64
            Believed positions at road height [m].
        heading_rad : (n,) float64
            Directions of travel [rad].
        horizontal_sigma_m, vertical_sigma_m : (n,) float64
            How far the positions may be off [m].

        Returns
        -------
        by_plan, by_height : (n,) int32
            Edges; of equally likely ones the first of the map.
        """
        n = len(x_m)
        if self._wrap_length_m:
            x_m = x_m - np.floor((x_m - self._west_m) / self._wrap_length_m) * self._wrap_length_m
        owner, piece, agrees = self._candidates(x_m, y_m, np.cos(heading_rad), np.sin(heading_rad))
        along_x, along_y = self._piece[_ALONG_X][piece], self._piece[_ALONG_Y][piece]
        dx, dy = x_m[owner] - self._piece[_X][piece], y_m[owner] - self._piece[_Y][piece]
        along = dx * along_x + dy * along_y
        done = np.clip(along, 0.0, self._piece[_RUN][piece])
        aside = dx * along_y - dy * along_x
        beyond2 = (along - done) ** 2
        variance = (0.5 * horizontal_sigma_m**2)[owner] + self._piece[_SPREAD2][piece]
        cost = ((aside - self._piece[_MIDDLE][piece]) ** 2 + beyond2) / variance
        cost += np.log(variance) + self._heading_weight * (1.0 - agrees)
        cost[aside**2 + beyond2 > self._radius_m**2] = np.inf
        by_plan = self._likeliest(cost, owner, piece, n)
        above = z_m[owner] - self._piece[_Z][piece] - done * self._piece[_CLIMB][piece]
        cost += above**2 / (vertical_sigma_m**2 + self._height_sigma_m**2 + 1e-6)[owner]
        return by_plan, self._likeliest(cost, owner, piece, n)

    def _candidates(
        self, x: FloatArray, y: FloatArray, east: FloatArray, north: FloatArray
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
        """Return pairs of a position and a piece that runs its way, and how well it does.

        The last is the cosine of the difference of their directions.
        """
        column, row = self._column(x) + self._margin, self._row(y) + self._margin
        inside = (column >= 0) & (column < self._stride) & (row >= 0)
        cell = np.where(inside, row * self._stride + column, -1)
        at = np.minimum(np.searchsorted(self._cell, cell), len(self._cell) - 1)
        n_pieces = np.where(self._cell[at] == cell, self._begin[at + 1] - self._begin[at], 0)
        owner = np.repeat(np.arange(len(x)), n_pieces)
        last = np.cumsum(n_pieces)
        rank = np.arange(len(owner)) + np.repeat(self._begin[at] - last + n_pieces, n_pieces)
        piece = self._candidate[rank]
        agrees = east[owner] * self._piece[_ALONG_X][piece]
        agrees += north[owner] * self._piece[_ALONG_Y][piece]
        same_way = np.flatnonzero(agrees > 0.0)
        return owner[same_way], piece[same_way], agrees[same_way]

    def _likeliest(
        self, cost: FloatArray, owner: NDArray[np.intp], piece: NDArray[np.intp], n: int
    ) -> IntArray:
        edge = np.full(n, -1, dtype=np.int32)
        if not len(cost):
            return edge
        begin = np.flatnonzero(np.diff(owner, prepend=-1))
        least = np.repeat(np.minimum.reduceat(cost, begin), np.diff(begin, append=len(cost)))
        hit = np.flatnonzero((cost == least) & np.isfinite(cost))[::-1]
        # Written backwards, so that the first of equal ones has the last word.
        edge[owner[hit]] = self._edge[piece[hit]]
        return edge


def _pieces(road_map: RoadMap) -> tuple[IntArray, FloatArray]:
    """Return the edge of every straight piece and its column of the table."""
    begin = np.delete(np.arange(len(road_map.point_x_m)), road_map.first_point[1:] - 1)
    n_pieces = np.diff(road_map.first_point) - 1
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n_pieces)
    xyz = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    start, step = xyz[:, begin], xyz[:, begin + 1] - xyz[:, begin]
    run = np.hypot(step[0], step[1])
    kept = run > 0.0
    edge, start, step, run = edge[kept], start[:, kept], step[:, kept], run[kept]
    width = (road_map.lane_width_m * road_map.edge_lanes)[edge]
    # Both directions of a street share its middle line and keep to the right of it.
    shared = (twin_edges(road_map) >= 0)[edge]
    middle = np.where(shared, 0.5 * width, 0.0)
    along_x, along_y, climb = step / run
    x, y, z = start
    return edge, np.stack([x, y, along_x, along_y, run, middle, width**2 / 12.0, z, climb])
