"""The table of links: who can hear whom, how far apart, behind what, and with what gain.

The table has compressed sparse rows. Its structure (who is near whom) is rebuilt only when
somebody has moved half the skin by which rows reach beyond the interaction range; its values
are recomputed at every mobility tick. Rows are in ascending order, so what a link carries from
one structure to the next (shadowing, what was last heard) follows by merging.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links
from v2x.channel.base import PropagationModel
from v2x.channel.channel_params import ChannelParams
from v2x.channel.corridors import Corridors
from v2x.channel.law_tables import law_tables
from v2x.channel.obstacle_links import ObstacleLinks
from v2x.channel.vehicle_blockage import VehicleBlockage
from v2x.mobility.fleet import FleetState

_NOT_DRAWN = np.float32(9e9)


class LinkTable:
    """Directed links between all nodes within the interaction range of each other.

    Parameters
    ----------
    params, model
        Channel options and propagation model.
    antenna_gain_dbi
        Gain of every antenna, or of each row's [dBi], counted at both ends.
    n_rows
        Rows of the fleet.
    wrap_length_m
        Period of the map in x, 0 without.
    corridors
        Street canyons of the map, or None where no blocks are modelled.
    obstacles
        Terrain, decks, tunnels and buildings of the map; None where there are none.
    seed
        Seed of the run.

    Attributes
    ----------
    row_start : (n_rows + 1,) int32
        Links of node i are entries ``row_start[i]`` to ``row_start[i + 1]`` (exclusive).
    neighbour : (n_links,) int32
        The other end, ascending within a row.
    gain : (n_links,) float32
        Power gain between the antenna connectors, linear; 0 beyond the interaction range.
    distance : (n_links,) float32
        Distance between the antennas in three dimensions [m].
    code : (n_links,) uint8
        Index into :data:`~v2x.channel.law_tables.LINK_CODES`.
    reach_m : float
        Longest link that carries power [m].
    version : int
        Grows whenever the arrays above are new ones.
    """

    def __init__(
        self,
        params: ChannelParams,
        model: PropagationModel,
        *,
        antenna_gain_dbi: float | NDArray[np.float64],
        n_rows: int,
        wrap_length_m: float,
        corridors: Corridors | None,
        obstacles: ObstacleLinks | None = None,
        seed: int,
    ) -> None:
        self._obstacles = obstacles
        if obstacles is None:
            self._law = law_tables(model, params)
        else:
            self._law = law_tables(model, params, obstacles.tunnel, obstacles.tunnel_relief_db)
        self._wrap_m = wrap_length_m
        self.reach_m = params.interaction_range_m
        if wrap_length_m > 0:
            # The nearest copy of a node is never farther than half a period in x.
            self.reach_m = min(self.reach_m, 0.5 * wrap_length_m)
        self._skin_m = max(0.1 * self.reach_m, 20.0)
        self._key = rng.key32(seed, "channel", "shadowing")
        self._blockage = VehicleBlockage(
            params,
            model,
            corridors,
            n_rows=n_rows,
            wrap_length_m=wrap_length_m,
            longest_m=params.interaction_range_m + self._skin_m,
            seed=seed,
        )
        self._gain_db = np.full(n_rows, antenna_gain_dbi, dtype=np.float32)
        self._word = np.zeros(n_rows, dtype=np.uint32)
        self._cursor = np.zeros(n_rows, dtype=np.int32)
        self._position: NDArray[np.float32] = np.zeros((3, n_rows), dtype=np.float32)
        self._built_at: NDArray[np.float32] | None = None
        self._id = np.full(n_rows, -1, dtype=np.int64)
        self._tick = 0
        self._carried: dict[str, tuple[NDArray[Any], Any]] = {}
        self._buffer: dict[str, NDArray[Any]] = {}
        self._spare: dict[str, NDArray[Any]] = {}
        # Columns that nobody writes to, as nothing is in the way of anybody.
        self._constant: dict[str, Any] = {} if obstacles else {"extra": 0.0, "obstacle": 0}
        self.version = 0
        self.row_start = np.zeros(n_rows + 1, dtype=np.int32)
        self.neighbour = np.zeros(0, dtype=np.int32)
        self.gain = np.zeros(0, dtype=np.float32)
        self.distance = np.zeros(0, dtype=np.float32)
        self.code = np.zeros(0, dtype=np.uint8)
        self.add_column("shadow", np.float32, _NOT_DRAWN)
        self.add_column("block", np.float32, _NOT_DRAWN)
        self.add_column("extra", np.float32, 0.0)
        self.add_column("obstacle", np.uint8, ObstacleLinks.UNKNOWN if obstacles else 0)

    @property
    def n_links(self) -> int:
        """Number of directed links, those in the skin included."""
        return len(self.neighbour)

    @property
    def longest_row(self) -> int:
        """Most links of any node."""
        return int(np.diff(self.row_start).max(initial=0))

    def add_column(self, name: str, dtype: Any, fill: Any) -> None:
        """Give every link one more number that it keeps as long as both ends stay in range."""
        self._carried[name] = (np.full(self.n_links, fill, dtype=dtype), fill)

    def column(self, name: str) -> NDArray[Any]:
        """Return the numbers that links carry under `name`, shape (n_links,)."""
        return self._carried[name][0]

    def update(self, fleet: FleetState) -> None:
        """Bring the table to the positions of `fleet`."""
        position = self._antenna_position(fleet)
        newcomer = fleet.id != self._id
        moved = position - self._position
        if self._wrap_m > 0:
            half = np.float32(0.5 * self._wrap_m)
            moved[0] -= np.float32(self._wrap_m) * (
                (moved[0] > half).astype(np.float32) - (moved[0] < -half).astype(np.float32)
            )
        moved[:, newcomer] = 0.0
        self._position = position
        displaced = newcomer | (moved[0] ** 2 + moved[1] ** 2 > (0.5 * self._skin_m) ** 2)
        if self._outgrown(displaced):
            self._rebuild(fleet, newcomer)
        elif displaced.any():
            self._replace(fleet, np.flatnonzero(displaced), newcomer)
        self._id = fleet.id.copy()
        self._blockage.classify(self, fleet, position)
        if self._obstacles is not None:
            self._obstacles.judge(self, fleet, position, newcomer)
        law = self._law
        links.update(
            self.row_start,
            self.neighbour,
            position,
            np.ascontiguousarray(moved),
            self._gain_db,
            fleet.id.astype(np.uint32),
            self._key,
            self._tick,
            law.start,
            law.intercept,
            law.slope,
            law.min_log2,
            law.sigma,
            law.decay,
            law.block_mean,
            law.block_sigma,
            self.reach_m,
            self._wrap_m,
            self._word,
            self._cursor,
            self.code,
            self.column("extra"),
            self.column("shadow"),
            self.column("block"),
            self.gain,
            self.distance,
        )
        self._tick += 1

    def _antenna_position(self, fleet: FleetState) -> NDArray[np.float32]:
        position = np.empty((3, fleet.n_rows), dtype=np.float32)
        position[0] = fleet.x_m
        position[1] = fleet.y_m
        position[2] = fleet.z_m + fleet.antenna_height_m
        # Empty rows stand out of everybody's reach, each alone.
        position[0, fleet.id < 0] = 1e12
        return position

    def _outgrown(self, displaced: NDArray[np.bool_]) -> bool:
        """Whether two nodes may have come within range since the structure was built.

        Those `displaced`, newcomers and whoever jumps, do not count unless they are many.
        """
        if self._built_at is None or 8 * int(displaced.sum()) > len(displaced):
            return True
        dx = np.abs(self._position[0] - self._built_at[0])
        if self._wrap_m > 0:
            dx = np.minimum(dx, np.abs(np.float32(self._wrap_m) - dx))
        dy = self._position[1] - self._built_at[1]
        moved = np.sqrt(dx * dx + dy * dy)
        furthest = float(moved[~displaced].max(initial=0.0))
        return 2.0 * furthest > self._skin_m

    def _replace(
        self, fleet: FleetState, rows: NDArray[np.intp], newcomer: NDArray[np.bool_]
    ) -> None:
        """Let `rows` stand where they are now; all else stays as it was built."""
        assert self._built_at is not None
        # Others count from where they stood when the structure was built, as in `_outgrown`.
        self._built_at[:, rows] = self._position[:, rows]
        n, n_replaced = fleet.n_rows, len(rows)
        row_start = np.zeros(n + 1, dtype=np.int32)
        neighbour = self._room("neighbour", self.n_links + 2 * n_replaced * n, np.int32)
        runs = np.empty((n * (2 * n_replaced + 1), 3), dtype=np.int32)
        n_links, n_runs = links.replace_neighbours(
            self.row_start,
            self.neighbour,
            self._built_at[0],
            self._built_at[1],
            fleet.active.view(np.uint8),
            rows.astype(np.int32),
            newcomer.view(np.uint8),
            self.reach_m + self._skin_m,
            self._wrap_m,
            row_start,
            neighbour,
            runs,
        )
        for name, (old, fill) in self._carried.items():
            new = self._room(name, n_links, old.dtype)
            if name in self._constant:
                self._carried[name] = (new, fill)
                continue
            value = np.array([fill], dtype=old.dtype)
            links.carry_runs(
                runs, n_runs, old.view(np.uint8), new.view(np.uint8), value.view(np.uint8)
            )
            self._carried[name] = (new, fill)
        self._take(row_start, neighbour[:n_links])

    def _room(self, name: str, n_links: int, dtype: Any) -> NDArray[Any]:
        """Return memory for a column that is not the one in use, which becomes the next spare."""
        spare = self._spare.get(name)
        if spare is None or len(spare) < n_links:
            spare = np.full(n_links + n_links // 8, self._constant.get(name, 0), dtype=dtype)
        self._spare[name] = self._buffer.get(name, np.empty(0, dtype=dtype))
        self._buffer[name] = spare
        return spare[:n_links]

    def _take(self, row_start: NDArray[np.int32], neighbour: NDArray[np.int32]) -> None:
        """Make this the structure of the table."""
        n_links = len(neighbour)
        self.row_start, self.neighbour = row_start, neighbour
        self.gain = self._room("gain", n_links, np.float32)
        self.distance = self._room("distance", n_links, np.float32)
        self.code = self._room("code", n_links, np.uint8)
        self.version += 1

    def _rebuild(self, fleet: FleetState, newcomer: NDArray[np.bool_]) -> None:
        x, y = self._position[0], self._position[1]
        reach = self.reach_m + self._skin_m
        active = fleet.active
        cell, cell_start, cell_node, n_x, n_y = _cells(x, y, active, reach, self._wrap_m)
        grid = (x, y, cell, cell_start, cell_node, n_x, n_y, reach, self._wrap_m)
        row_start = np.zeros(fleet.n_rows + 1, dtype=np.int32)
        links.neighbours(*grid, row_start, np.zeros(0, dtype=np.int32))
        neighbour = np.zeros(int(row_start[-1]), dtype=np.int32)
        if len(neighbour):
            links.neighbours(*grid, row_start, neighbour)
        source = np.empty(len(neighbour), dtype=np.int32)
        links.carry_positions(
            self.row_start, self.neighbour, row_start, neighbour, newcomer.view(np.uint8), source
        )
        unknown = np.flatnonzero(source < 0)
        kept = source.astype(np.intp)
        for name, (old, fill) in self._carried.items():
            if len(old) == 0:
                new = np.full(len(neighbour), fill, dtype=old.dtype)
            else:
                new = self._room(name, len(neighbour), old.dtype)
                old.take(kept, mode="clip", out=new)
                new[unknown] = fill
            self._carried[name] = (new, fill)
        self._built_at = self._position.copy()
        self._take(row_start, neighbour)


def _cells(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    active: NDArray[np.bool_],
    size_m: float,
    wrap_m: float,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], int, int]:
    """Sort the active nodes into square cells no smaller than `size_m`."""
    cell = np.full(len(x), -1, dtype=np.int32)
    rows = np.flatnonzero(active)
    if len(rows) == 0:
        return cell, np.zeros(2, dtype=np.int32), rows.astype(np.int32), 1, 1
    low_y = float(y[rows].min())
    if wrap_m > 0:
        n_x = max(int(wrap_m // size_m), 1)
        cell_x = np.minimum((x[rows] % wrap_m) * (n_x / wrap_m), n_x - 1).astype(np.int64)
    else:
        low_x = float(x[rows].min())
        cell_x = ((x[rows] - low_x) / size_m).astype(np.int64)
        n_x = int(cell_x.max()) + 1
    cell_y = ((y[rows] - low_y) / size_m).astype(np.int64)
    n_y = int(cell_y.max()) + 1
    cell[rows] = cell_y * n_x + cell_x
    order = np.argsort(cell[rows], kind="stable")
    start = np.searchsorted(cell[rows][order], np.arange(n_x * n_y + 1))
    return cell, start.astype(np.int32), rows[order].astype(np.int32), n_x, n_y
