"""What stands between two antennas on the road: nothing, a vehicle, or a block of houses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links
from v2x.channel.base import FloatArray, PropagationModel
from v2x.channel.channel_params import ChannelParams
from v2x.channel.corridors import Corridors
from v2x.mobility.fleet import FleetState, NodeKind

if TYPE_CHECKING:
    from v2x.channel.link_table import LinkTable

_TALL_M = 2.0
#: Vehicles farther above or below a link than this share of their distance do not block it, as
#: no road is so steep.
_STEEPEST = 0.1


class VehicleBlockage:
    """Sets the link codes 0 to 3 of a table.

    Parameters
    ----------
    params, model
        Channel options and propagation model.
    corridors
        Street canyons of the map, or None where no blocks are modelled.
    n_rows, wrap_length_m
        Rows of the fleet; period of the map in x, 0 without [m].
    longest_m
        Longest link [m].
    seed
        Seed of the run.
    """

    def __init__(
        self,
        params: ChannelParams,
        model: PropagationModel,
        corridors: Corridors | None,
        *,
        n_rows: int,
        wrap_length_m: float,
        longest_m: float,
        seed: int,
    ) -> None:
        self._params, self._corridors, self._wrap_m = params, corridors, wrap_length_m
        self._key = rng.key32(seed, "channel", "line of sight")
        self._p_los = model.p_los(np.arange(0.0, longest_m + 10.0, 1.0)).astype(np.float32)
        self._cursor = np.zeros(n_rows, dtype=np.int32)

    def classify(self, table: LinkTable, fleet: FleetState, position: NDArray[np.float32]) -> None:
        """Decide what stands between the ends of every link.

        `position` holds the antennas, shape (3, n_rows) [m].
        """
        if self._corridors is not None:
            corridor_x, corridor_y = self._corridors.of(fleet)
            links.classify_corridors(
                table.row_start, table.neighbour, corridor_x, corridor_y, table.code
            )
        else:
            table.code.fill(0)
        if self._params.line_of_sight == "geometric":
            self._by_geometry(table, fleet, position)
        elif self._params.line_of_sight == "statistical":
            self._by_statistics(table, fleet, position)

    def _by_geometry(
        self, table: LinkTable, fleet: FleetState, position: NDArray[np.float32]
    ) -> None:
        blocker = fleet.active & (fleet.height_m > 0) & (fleet.kind <= NodeKind.BUS)
        heights, height_class = _height_classes(fleet.height_m, blocker)
        links.classify_geometric(
            table.row_start,
            table.neighbour,
            position[0],
            position[1],
            fleet.z_m.astype(np.float32),
            np.cos(fleet.heading_rad).astype(np.float32),
            np.sin(fleet.heading_rad).astype(np.float32),
            (0.5 * fleet.length_m).astype(np.float32),
            (0.5 * fleet.width_m).astype(np.float32),
            fleet.antenna_height_m.astype(np.float32),
            height_class,
            heights,
            self._wrap_m,
            self._params.level_gap_m,
            _STEEPEST,
            np.empty((links.SIGHT_INTS, 2 * table.longest_row + 4), dtype=np.int32),
            np.empty((links.SIGHT_FLOATS, 2 * table.longest_row + 4), dtype=np.float32),
            self._cursor,
            table.code,
        )

    def _by_statistics(
        self, table: LinkTable, fleet: FleetState, position: NDArray[np.float32]
    ) -> None:
        vehicle = fleet.active & (fleet.kind <= NodeKind.BUS)
        tall = vehicle & (fleet.height_m > _TALL_M)
        low = vehicle & ~tall
        links.classify_statistical(
            table.row_start,
            table.neighbour,
            position[0],
            position[1],
            fleet.antenna_height_m.astype(np.float32),
            fleet.id.astype(np.uint32),
            self._key,
            self._p_los,
            1.0,
            self._wrap_m,
            float(tall.sum()) / max(int(vehicle.sum()), 1),
            float(fleet.height_m[low].mean()) if low.any() else 0.0,
            float(fleet.height_m[tall].mean()) if tall.any() else 0.0,
            table.code,
        )


def _height_classes(
    height_m: FloatArray, blocker: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the distinct heights of blockers (at most 8, ascending) and each node's class."""
    heights = np.unique(height_m[blocker].astype(np.float32))
    if len(heights) > 8:
        heights = np.unique(np.quantile(heights, np.linspace(0, 1, 8)).astype(np.float32))
    nearest = np.abs(height_m.astype(np.float32)[:, None] - heights[None, :])
    height_class = np.full(len(height_m), -1, dtype=np.int32)
    if len(heights):
        height_class[blocker] = nearest[blocker].argmin(axis=1).astype(np.int32)
    return heights, height_class
