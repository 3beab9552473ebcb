"""Who is within reach of a message: road users near its sender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState

IntArray = NDArray[np.int32]
IndexArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Rows of the fleet near each row.

    Attributes
    ----------
    start : (n_rows + 1,) int64
        Neighbours of row i are entries ``start[i]`` to ``start[i + 1]``.
    row : (n,) int32
        Neighbours, ascending for each row.
    """

    start: IndexArray
    row: IntArray

    def receivers_of(self, tx_row: IntArray) -> tuple[IntArray, IntArray]:
        """Return packet and receiving row of all deliveries of packets sent by `tx_row`."""
        first = self.start[tx_row]
        n_each = self.start[tx_row + 1] - first
        packet = np.repeat(np.arange(len(tx_row), dtype=np.int32), n_each)
        within = np.arange(len(packet)) - np.repeat(np.cumsum(n_each) - n_each, n_each)
        return packet, self.row[np.repeat(first, n_each) + within]


def neighbours_of(
    fleet: FleetState, rows: IndexArray, range_m: float, wrap_length_m: float
) -> Neighbours:
    """Return which of `rows` are within `range_m` [m] of each other.

    Distances are in three dimensions between road positions, on wrap-around maps the short way.
    """
    from scipy.spatial import cKDTree

    x = fleet.x_m[rows]
    box = None
    if wrap_length_m:
        x = x % wrap_length_m
        x = np.where(x >= wrap_length_m, 0.0, x)
        box = np.array([wrap_length_m, 0.0, 0.0])
    place = np.stack([x, fleet.y_m[rows], fleet.z_m[rows]], axis=1)
    start = np.zeros(fleet.n_rows + 1, dtype=np.int64)
    if len(rows) < 2:
        return Neighbours(start, np.zeros(0, dtype=np.int32))
    pair = cKDTree(place, boxsize=box).query_pairs(range_m, output_type="ndarray")
    ends = rows[np.concatenate([pair, pair[:, ::-1]])]
    ends = ends[np.lexsort((ends[:, 1], ends[:, 0]))]
    start[1:] = np.cumsum(np.bincount(ends[:, 0], minlength=fleet.n_rows))
    return Neighbours(start, ends[:, 1].astype(np.int32))
