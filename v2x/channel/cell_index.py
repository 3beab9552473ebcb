"""Where many small things are, so that a line need not be tried against all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.world.road_map import FloatArray, IntArray

IndexArray = NDArray[np.int64]

#: Side of the cells that index decks and walls [m].
CELL_M = 50.0
#: Cells are entered this early and left this late, so that rounding misses none [m].
_SLACK_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class CellIndex:
    """Which of many small things may stand in which cell of a uniform grid.

    Cells are numbered row by row from the south-west: ``row * n_columns + column``. What lies
    outside the grid meets nothing.

    Attributes
    ----------
    west_m, south_m
        South-western corner of cell 0 [m].
    cell_m
        Side of a cell [m].
    n_columns, n_rows
        Size of the grid.
    first_item : (n_cells + 1,) int32
        Where the items of each cell begin.
    item : (n_entries,) int32
        Items, ascending within a cell; an item appears in every cell that it touches.
    """

    west_m: float
    south_m: float
    cell_m: float
    n_columns: int
    n_rows: int
    first_item: IntArray
    item: IntArray

    def candidates(
        self, ax_m: FloatArray, ay_m: FloatArray, bx_m: FloatArray, by_m: FloatArray
    ) -> tuple[IndexArray, IndexArray]:
        """Return which items share a cell with which straight lines.

        Parameters
        ----------
        ax_m, ay_m, bx_m, by_m : (n_lines,) float64
            Ends of the lines [m].

        Returns
        -------
        line, item : (n_candidates,) int64
            Pairs in ascending order, each once.
        """
        west, south = self.west_m, self.south_m
        left, right = (
            np.clip(np.floor((x - west) / self.cell_m), -1, self.n_columns).astype(np.int64)
            for x in (np.minimum(ax_m, bx_m) - _SLACK_M, np.maximum(ax_m, bx_m) + _SLACK_M)
        )
        line, column = _spread(left, right)
        # The part of each line within one column of cells spans some of its rows.
        dx, dy = bx_m - ax_m, by_m - ay_m
        low_x = west + column * self.cell_m - _SLACK_M
        steep = np.abs(dx[line]) < _SLACK_M
        step = np.where(steep, 1.0, dx[line])
        t0 = np.where(steep, 0.0, (low_x - ax_m[line]) / step)
        t1 = np.where(steep, 1.0, (low_x + self.cell_m + 2.0 * _SLACK_M - ax_m[line]) / step)
        y0 = ay_m[line] + np.clip(t0, 0.0, 1.0) * dy[line]
        y1 = ay_m[line] + np.clip(t1, 0.0, 1.0) * dy[line]
        below, above = (
            np.clip(np.floor((y - south) / self.cell_m), -1, self.n_rows).astype(np.int64)
            for y in (np.minimum(y0, y1) - _SLACK_M, np.maximum(y0, y1) + _SLACK_M)
        )
        strip, row = _spread(below, above)
        inside = (row >= 0) & (row < self.n_rows)
        inside &= (column[strip] >= 0) & (column[strip] < self.n_columns)
        cell = (row * self.n_columns + column[strip])[inside]
        line = line[strip][inside]
        first = self.first_item.astype(np.int64)
        at, entry = _spread(first[cell], first[cell + 1] - 1)
        pairs = np.unique(np.stack([line[at], self.item[entry].astype(np.int64)]), axis=1)
        return pairs[0], pairs[1]


def index_cells(end_m: FloatArray, half_width_m: FloatArray, cell_m: float = CELL_M) -> CellIndex:
    """Return the grid of rectangles.

    Parameters
    ----------
    end_m : (4, n_items) float64
        Ends x0, y0, x1, y1 of the middle lines [m], none of length zero.
    half_width_m : (n_items,) float64
        Half widths of the rectangles [m], 0 for plain lines.
    cell_m
        Side of a cell [m].
    """
    x0_m, y0_m, x1_m, y1_m = end_m
    if len(x0_m) == 0:
        return CellIndex(
            west_m=0.0,
            south_m=0.0,
            cell_m=cell_m,
            n_columns=1,
            n_rows=1,
            first_item=np.zeros(2, dtype=np.int32),
            item=np.zeros(0, dtype=np.int32),
        )
    along_x, along_y = x1_m - x0_m, y1_m - y0_m
    length = np.hypot(along_x, along_y)
    along_x, along_y = along_x / length, along_y / length
    reach_x = half_width_m * np.abs(along_y)
    reach_y = half_width_m * np.abs(along_x)
    low_x, high_x = np.minimum(x0_m, x1_m) - reach_x, np.maximum(x0_m, x1_m) + reach_x
    low_y, high_y = np.minimum(y0_m, y1_m) - reach_y, np.maximum(y0_m, y1_m) + reach_y
    west = cell_m * np.floor(low_x.min() / cell_m)
    south = cell_m * np.floor(low_y.min() / cell_m)
    left, right = (np.floor((x - west) / cell_m).astype(np.int64) for x in (low_x, high_x))
    below, above = (np.floor((y - south) / cell_m).astype(np.int64) for y in (low_y, high_y))
    n_columns, n_rows = int(right.max()) + 1, int(above.max()) + 1
    wide = right - left + 1
    count = wide * (above - below + 1)
    item = np.repeat(np.arange(len(x0_m)), count)
    step = np.arange(len(item)) - (np.cumsum(count) - count)[item]
    column = left[item] + step % wide[item]
    row = below[item] + step // wide[item]
    # A cell in the bounding box is touched unless the rectangle's own axes separate the two.
    from_x = west + (column + 0.5) * cell_m - 0.5 * (x0_m + x1_m)[item]
    from_y = south + (row + 0.5) * cell_m - 0.5 * (y0_m + y1_m)[item]
    ux, uy = along_x[item], along_y[item]
    reach = 0.5 * cell_m * (np.abs(ux) + np.abs(uy)) + _SLACK_M
    touched = np.abs(from_x * ux + from_y * uy) <= 0.5 * length[item] + reach
    touched &= np.abs(from_y * ux - from_x * uy) <= half_width_m[item] + reach
    cell = (row * n_columns + column)[touched]
    order = np.argsort(cell, kind="stable")
    first = np.searchsorted(cell[order], np.arange(n_columns * n_rows + 1))
    return CellIndex(
        west_m=float(west),
        south_m=float(south),
        cell_m=cell_m,
        n_columns=n_columns,
        n_rows=n_rows,
        first_item=first.astype(np.int32),
        item=item[touched][order].astype(np.int32),
    )


def _spread(low: IndexArray, high: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Return every whole number from ``low[k]`` to ``high[k]``, and its k."""
    count = high - low + 1
    k = np.repeat(np.arange(len(low)), count)
    return k, low[k] + np.arange(len(k)) - (np.cumsum(count) - count)[k]
