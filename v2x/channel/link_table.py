"""The table of links: who can hear whom, how far apart, behind what, and with what gain.

The table has compressed sparse rows. Its structure (who is near whom) is rebuilt only when
somebody has moved half the skin by which rows reach beyond the interaction range; its values
are recomputed at every mobility tick. Rows are in ascending order, so what a link carries from
one structure to the next (shadowing, what was last heard) follows by merging.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x._kernels import links
from v2x.channel.base import FloatArray, LinkState, PropagationModel
from v2x.channel.corridors import Corridors
from v2x.mobility.fleet import FleetState, NodeKind

#: Link codes of the kernels, finer than :class:`LinkState`: two sorts of vehicle blockage.
LINK_CODES = (LinkState.LOS, LinkState.NLOSV, LinkState.NLOSV, LinkState.NLOS)

_N_PIECES = 4
_N_DIRECTIONS = 4096
_NOT_DRAWN = np.float32(9e9)
_TALL_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelParams:
    """What the channel decides besides the path loss law.

    Parameters
    ----------
    line_of_sight
        How vehicles block links: "geometric" by the vehicles really between the antennas,
        "statistical" by the probability of the propagation model, "always" never.
    interaction_range_m
        Longer links carry no power [m]. Beyond 1 km a transmission changes the interference
        on the 3GPP highway by less than the confidence interval of the PRR.
    blockage_mean_db
        Mean loss by a vehicle no higher, and by one higher than both antennas [dB]
        (TR 37.885 6.2.1 cases 3 and 2).
    blockage_sigma_db
        Their standard deviations [dB].
    level_gap_m
        A vehicle blocks only links whose near end is not farther above or below it than this,
        plus a tenth of the distance [m]; keeps vehicles of other decks apart.
    """

    line_of_sight: str = "geometric"
    interaction_range_m: float = 1000.0
    blockage_mean_db: tuple[float, float] = (5.0, 9.0)
    blockage_sigma_db: tuple[float, float] = (4.0, 4.5)
    level_gap_m: float = 3.0

    def __post_init__(self) -> None:
        """Reject unknown words and ranges."""
        if self.line_of_sight not in ("geometric", "statistical", "always"):
            raise ValueError(
                "line_of_sight must be 'geometric', 'statistical' or 'always', "
                f"got {self.line_of_sight!r}"
            )
        if not 10.0 <= self.interaction_range_m <= 20_000.0:
            raise ValueError(
                f"interaction_range_m must be within 10 and 20000, got {self.interaction_range_m}"
            )
        for name in ("blockage_mean_db", "blockage_sigma_db"):
            values = getattr(self, name)
            if len(values) != 2 or min(values) < 0:
                raise ValueError(f"{name} must be two values >= 0, got {values}")
        if self.level_gap_m <= 0:
            raise ValueError(f"level_gap_m must be > 0, got {self.level_gap_m}")


@dataclass(frozen=True, slots=True)
class _LawTables:
    """A propagation model as the kernel reads it; rows are link codes."""

    start: NDArray[np.float32]
    intercept: NDArray[np.float32]
    slope: NDArray[np.float32]
    min_log2: NDArray[np.float32]
    sigma: NDArray[np.float32]
    decay: NDArray[np.float32]
    block_mean: NDArray[np.float32]
    block_sigma: NDArray[np.float32]


def _law_tables(model: PropagationModel, params: ChannelParams) -> _LawTables:
    n = len(LINK_CODES)
    start = np.full((n, _N_PIECES), np.float32(1e30), dtype=np.float32)
    intercept = np.zeros((n, _N_PIECES), dtype=np.float32)
    slope = np.zeros((n, _N_PIECES), dtype=np.float32)
    min_log2 = np.zeros(n, dtype=np.float32)
    sigma = np.zeros(n, dtype=np.float32)
    decay = np.zeros(n, dtype=np.float32)
    laws, shadowing = model.laws(), model.shadowing()
    for code, state in enumerate(LINK_CODES):
        law, statistics = laws[state], shadowing[state]
        pieces = len(law.start_m)
        if pieces > _N_PIECES:
            raise ValueError(f"a path loss law has {pieces} pieces, at most {_N_PIECES} fit")
        with np.errstate(divide="ignore"):
            start[code, :pieces] = np.log2(law.start_m)
        start[code, 0] = -1e30
        intercept[code, :pieces] = law.intercept_db
        slope[code, :pieces] = law.slope_db * np.log10(2.0)
        min_log2[code] = np.log2(law.min_distance_m)
        sigma[code] = statistics.sigma_db
        distance = statistics.decorrelation_m
        decay[code] = 1.0 / (np.log(2.0) * distance) if distance > 0 else 1e9
    # A mean far below zero leaves no blockage after the clamp at 0 dB.
    block_mean = np.full(n, -1e6, dtype=np.float32)
    block_sigma = np.zeros(n, dtype=np.float32)
    if model.vehicle_blockage:
        block_mean[1:3] = params.blockage_mean_db
        block_sigma[1:3] = params.blockage_sigma_db
    return _LawTables(start, intercept, slope, min_log2, sigma, decay, block_mean, block_sigma)


class LinkTable:
    """Directed links between all nodes within the interaction range of each other.

    Parameters
    ----------
    params, model
        Channel options and propagation model.
    antenna_gain_dbi
        Gain of every antenna [dBi], counted at both ends.
    n_rows
        Rows of the fleet.
    wrap_length_m
        Period of the map in x, 0 without.
    corridors
        Street canyons of the map, or None where no buildings are modelled.
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
        Index into :data:`LINK_CODES`.
    version : int
        Grows whenever the arrays above are new ones.
    """

    def __init__(
        self,
        params: ChannelParams,
        model: PropagationModel,
        *,
        antenna_gain_dbi: float,
        n_rows: int,
        wrap_length_m: float,
        corridors: Corridors | None,
        seed: int,
    ) -> None:
        self._params = params
        self._law = _law_tables(model, params)
        self._corridors = corridors
        self._wrap_m = wrap_length_m
        self._reach_m = params.interaction_range_m
        if wrap_length_m > 0:
            # The nearest copy of a node is never farther than half a period in x.
            self._reach_m = min(self._reach_m, 0.5 * wrap_length_m)
        self._skin_m = max(0.1 * self._reach_m, 20.0)
        self._key = rng.key32(seed, "channel", "shadowing")
        self._los_key = rng.key32(seed, "channel", "line of sight")
        distances = np.arange(0.0, params.interaction_range_m + self._skin_m + 10.0, 1.0)
        self._p_los = model.p_los(distances).astype(np.float32)
        self._gain_db = np.full(n_rows, antenna_gain_dbi, dtype=np.float32)
        self._word = np.zeros(n_rows, dtype=np.uint32)
        self._cursor = np.zeros(n_rows, dtype=np.int32)
        self._nearest = np.zeros(0, dtype=np.float32)
        self._position: NDArray[np.float32] = np.zeros((3, n_rows), dtype=np.float32)
        self._built_at: NDArray[np.float32] | None = None
        self._id = np.full(n_rows, -1, dtype=np.int64)
        self._tick = 0
        self._carried: dict[str, tuple[NDArray[Any], Any]] = {}
        self.version = 0
        self.row_start = np.zeros(n_rows + 1, dtype=np.int32)
        self.neighbour = np.zeros(0, dtype=np.int32)
        self.gain = np.zeros(0, dtype=np.float32)
        self.distance = np.zeros(0, dtype=np.float32)
        self.code = np.zeros(0, dtype=np.uint8)
        self.add_column("shadow", np.float32, _NOT_DRAWN)
        self.add_column("block", np.float32, _NOT_DRAWN)

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
        if newcomer.any() or self._outgrown():
            self._rebuild(fleet, newcomer)
        self._id = fleet.id.copy()
        self._classify(fleet)
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
            self._reach_m,
            self._wrap_m,
            self._word,
            self._cursor,
            self.code,
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

    def _outgrown(self) -> bool:
        """Whether two nodes may have come within range since the structure was built."""
        if self._built_at is None:
            return True
        dx = np.abs(self._position[0] - self._built_at[0])
        if self._wrap_m > 0:
            dx = np.minimum(dx, np.abs(np.float32(self._wrap_m) - dx))
        dy = self._position[1] - self._built_at[1]
        furthest = float(np.sqrt(dx * dx + dy * dy).max(initial=0.0))
        return 2.0 * furthest > self._skin_m

    def _rebuild(self, fleet: FleetState, newcomer: NDArray[np.bool_]) -> None:
        x, y = self._position[0], self._position[1]
        reach = self._reach_m + self._skin_m
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
        unknown = source < 0
        for name, (old, fill) in self._carried.items():
            if len(old) == 0:
                new = np.full(len(neighbour), fill, dtype=old.dtype)
            else:
                new = old.take(source, mode="clip")
                new[unknown] = fill
            self._carried[name] = (new, fill)
        self.row_start, self.neighbour = row_start, neighbour
        self.gain = np.zeros(len(neighbour), dtype=np.float32)
        self.distance = np.zeros(len(neighbour), dtype=np.float32)
        self.code = np.zeros(len(neighbour), dtype=np.uint8)
        self._built_at = self._position.copy()
        self.version += 1

    def _classify(self, fleet: FleetState) -> None:
        """Decide what stands between the ends of every link."""
        if self._corridors is not None:
            corridor_x, corridor_y = self._corridors.of(fleet)
            links.classify_corridors(
                self.row_start, self.neighbour, corridor_x, corridor_y, self.code
            )
        if self._params.line_of_sight == "geometric":
            self._classify_geometric(fleet)
        elif self._params.line_of_sight == "statistical":
            self._classify_statistical(fleet)

    def _classify_geometric(self, fleet: FleetState) -> None:
        blocker = fleet.active & (fleet.height_m > 0) & (fleet.kind <= NodeKind.BUS)
        heights, height_class = _height_classes(fleet.height_m, blocker)
        if len(self._nearest) < _N_DIRECTIONS * max(len(heights), 1):
            self._nearest = np.zeros(_N_DIRECTIONS * max(len(heights), 1), dtype=np.float32)
        links.classify_geometric(
            self.row_start,
            self.neighbour,
            self._position[0],
            self._position[1],
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
            0.1,
            np.zeros((3, self.longest_row), dtype=np.int32),
            np.zeros(self.longest_row, dtype=np.float32),
            self._nearest,
            self._cursor,
            self.code,
        )

    def _classify_statistical(self, fleet: FleetState) -> None:
        vehicle = fleet.active & (fleet.kind <= NodeKind.BUS)
        tall = vehicle & (fleet.height_m > _TALL_M)
        low = vehicle & ~tall
        links.classify_statistical(
            self.row_start,
            self.neighbour,
            self._position[0],
            self._position[1],
            fleet.antenna_height_m.astype(np.float32),
            fleet.id.astype(np.uint32),
            self._los_key,
            self._p_los,
            1.0,
            self._wrap_m,
            float(tall.sum()) / max(int(vehicle.sum()), 1),
            float(fleet.height_m[low].mean()) if low.any() else 0.0,
            float(fleet.height_m[tall].mean()) if tall.any() else 0.0,
            self.code,
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
