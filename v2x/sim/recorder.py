"""Collects what happened while a run is under way and turns it into tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from v2x.access.congestion.base import ControlState
from v2x.mobility.fleet import FleetState, FloatArray, NodeKind
from v2x.mobility.positioning import BelievedState
from v2x.records.tables import N_OUTCOMES, SCHEMAS, Direction, empty_table
from v2x.sim.position_counts import PositionCounts
from v2x.units import US_PER_S

#: Pairs that would touch within this time go into the safety table [s] ...
_WATCHED_TTC_S = 8.0
#: ... and so do pairs closer than this [m].
_WATCHED_GAP_M = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordParams:
    """What is counted, and how finely.

    Parameters
    ----------
    bin_width_m
        Width of the distance bins (lower, upper] [m]; TR 36.885 uses 20.
    max_distance_m
        Receivers farther away are not intended receivers [m]; a whole number of bins.
    awareness_range_m
        Pairs farther apart do not count for IPG and AoI [m].
    block_s
        Length of the time blocks over which receptions are aggregated [s]; confidence
        intervals of a single replication come from these blocks.
    trajectory_period_s
        Time between stored positions [s]; a multiple of the mobility period.
    cbr_period_s
        Time between CBR measurements of every node [s]; each looks back 100 ms.
    known_within_s
        A neighbour is known if it was heard no longer ago than this [s]; 1 s is the longest
        time between two CAMs (EN 302 637-2, T_GenCamMax).
    awareness_period_s
        Time between counts of known neighbours [s].
    edge_margin_m
        Vehicles closer than this to an open end of the map neither count as senders nor as
        receivers [m]; they still transmit and interfere. Wrap-around maps have no ends.
    """

    bin_width_m: float = 20.0
    max_distance_m: float = 500.0
    awareness_range_m: float = 300.0
    block_s: float = 1.0
    trajectory_period_s: float = 0.5
    cbr_period_s: float = 0.5
    known_within_s: float = 1.0
    awareness_period_s: float = 1.0
    edge_margin_m: float = 0.0

    def __post_init__(self) -> None:
        """Reject sizes that cannot be counted with."""
        for name in (
            "bin_width_m",
            "max_distance_m",
            "awareness_range_m",
            "block_s",
            "trajectory_period_s",
            "cbr_period_s",
            "known_within_s",
            "awareness_period_s",
        ):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if self.edge_margin_m < 0:
            raise ValueError(f"edge_margin_m must be >= 0, got {self.edge_margin_m}")
        if self.max_distance_m < self.bin_width_m:
            raise ValueError(
                f"max_distance_m ({self.max_distance_m}) must hold at least one bin of "
                f"bin_width_m ({self.bin_width_m})"
            )
        bins = self.max_distance_m / self.bin_width_m
        if abs(bins - round(bins)) > 1e-6:
            raise ValueError(
                f"max_distance_m ({self.max_distance_m}) must be a multiple of bin_width_m "
                f"({self.bin_width_m})"
            )


class FleetWatch(Protocol):
    """Fills tables of its own from the states of the fleet."""

    def observe(self, fleet: FleetState) -> None:
        """Take the next state."""

    def tables(self) -> Mapping[str, dict[str, NDArray[Any]]]:
        """Return the tables so far, without the column ``replication``."""


class Recorder:
    """Gathers pieces of tables during a run.

    Parameters
    ----------
    params
        What is counted.
    warmup_us
        Nothing before this time is recorded, except where rows say their time [µs].
    roadside
        Whether the run has roadside units.
    watches
        Who else looks at the states, such as for conflicts.
    """

    def __init__(
        self,
        params: RecordParams,
        *,
        warmup_us: int,
        roadside: bool = False,
        watches: Sequence[FleetWatch] = (),
    ) -> None:
        self._params = params
        self._watches = tuple(watches)
        self._roadside = roadside
        self._warmup_us = warmup_us
        self._pieces: dict[str, list[dict[str, NDArray[Any]]]] = defaultdict(list)
        self._next_trajectory_us = 0
        self._positions = PositionCounts()
        self.vehicles_seen: set[int] = set()

    def observe_fleet(self, fleet: FleetState) -> None:
        """Note positions when they are due, and every close pair."""
        if fleet.time_us < self._warmup_us:
            return
        self.vehicles_seen.update(fleet.id[fleet.active & (fleet.kind <= NodeKind.BUS)].tolist())
        self._observe_pairs(fleet)
        for watch in self._watches:
            watch.observe(fleet)
        if fleet.time_us >= self._next_trajectory_us:
            period = round(self._params.trajectory_period_s * US_PER_S)
            self._next_trajectory_us = fleet.time_us + period
            rows = np.flatnonzero(fleet.active)
            names = [name for name in SCHEMAS["trajectories"] if hasattr(fleet, name)]
            piece: dict[str, NDArray[Any]] = {name: getattr(fleet, name)[rows] for name in names}
            piece["time_s"] = np.full(len(rows), fleet.time_us / US_PER_S)
            self._pieces["trajectories"].append(piece)

    def _observe_pairs(self, fleet: FleetState) -> None:
        follower = np.flatnonzero(fleet.active & (fleet.leader >= 0))
        if len(follower) == 0:
            return
        gap = fleet.gap_m[follower]
        leader = fleet.leader[follower]
        closing = fleet.speed_mps[follower] - fleet.speed_mps[leader]
        watched = (gap < _WATCHED_GAP_M) | (gap < _WATCHED_TTC_S * closing)
        watched[gap.argmin()] = True
        follower, leader, gap = follower[watched], leader[watched], gap[watched]
        self._pieces["safety"].append(
            {
                "time_s": np.full(len(gap), fleet.time_us / US_PER_S),
                "follower_id": fleet.id[follower],
                "leader_id": fleet.id[leader],
                "gap_m": gap,
                "follower_speed_mps": fleet.speed_mps[follower],
                "leader_speed_mps": fleet.speed_mps[leader],
            }
        )

    def observe_believed(self, fleet: FleetState, believed: BelievedState) -> None:
        """Note how far off vehicles believe to be, and how many are on the wrong road."""
        if fleet.time_us >= self._warmup_us:
            self._pieces["positions"].append(self._positions.observe(fleet, believed))

    def observe_load(self, time_us: int, node_id: NDArray[np.int64], cbr: FloatArray) -> None:
        """Note the channel busy ratio of nodes; those that measured nothing are left out."""
        if time_us < self._warmup_us:
            return
        measured = np.isfinite(cbr)
        self._pieces["load"].append(
            {
                "time_s": np.full(int(measured.sum()), time_us / US_PER_S),
                "node_id": node_id[measured],
                "cbr": cbr[measured],
            }
        )

    def observe_congestion(
        self,
        time_us: int,
        node_id: NDArray[np.int64],
        counted: NDArray[np.bool_],
        state: ControlState,
    ) -> None:
        """Note what congestion control does to the nodes that count."""
        if time_us < self._warmup_us:
            return
        self._pieces["congestion"].append(
            {
                "time_s": np.full(int(counted.sum()), time_us / US_PER_S),
                "node_id": node_id[counted],
                "cr": state.cr[counted],
                "interval_ms": state.interval_ms[counted],
                "n_offered": state.n_offered[counted],
                "n_suppressed": state.n_suppressed[counted],
                "n_adapted": state.n_adapted[counted],
                "tx_power_dbm": state.power_dbm[counted],
            }
        )

    def observe_sensing(
        self,
        time_us: int,
        fleet: FleetState,
        counted: NDArray[np.bool_],
        n_slots: int,
        n_monitored: NDArray[np.int64],
    ) -> None:
        """Note in how many of `n_slots` slots sensing needed the receivers, by kind of node."""
        if time_us < self._warmup_us:
            return
        kind = fleet.kind[counted]
        kinds, n_nodes = np.unique(kind, return_counts=True)
        heard = np.bincount(kind, weights=n_monitored[counted], minlength=1)
        self._pieces["sensing"].append(
            {
                "time_s": np.full(len(kinds), time_us / US_PER_S),
                "kind": kinds,
                "n_slots": n_slots * n_nodes,
                "n_monitored": heard[kinds].astype(np.int64) if len(kinds) else kinds,
            }
        )

    def observe_link_states(self, time_us: int, counts: NDArray[np.int64]) -> None:
        """Note how many links are in each state."""
        if time_us < self._warmup_us:
            return
        self._pieces["link_states"].append(
            {
                "time_s": np.full(len(counts), time_us / US_PER_S),
                "state": np.arange(len(counts), dtype=np.int32),
                "n": counts,
            }
        )

    def observe_awareness(self, time_us: int, known: NDArray[np.int64]) -> None:
        """Note who knows of whom, shape (n_bins, n_figures) as of :meth:`Medium.known`."""
        if time_us < self._warmup_us:
            return
        names = [name for name in SCHEMAS["awareness"] if name.startswith("n_")]
        piece: dict[str, NDArray[Any]] = dict(zip(names, known.T, strict=True))
        piece["time_s"] = np.full(len(known), time_us / US_PER_S)
        piece["bin_upper_m"] = (np.arange(len(known)) + 1) * self._params.bin_width_m
        self._pieces["awareness"].append(piece)

    def close_block(self, start_us: int, outcomes: NDArray[np.int64]) -> None:
        """Take the counts of a time block, (n_directions, n_bins, n_outcomes), and clear them.

        Directions other than V2V are noted where there are roadside units only.
        """
        n_bins = outcomes.shape[1]
        upper = (np.arange(n_bins) + 1) * self._params.bin_width_m
        for direction in Direction if self._roadside else (Direction.V2V,):
            self._pieces["links"].append(
                {
                    "block_start_s": np.full(n_bins * N_OUTCOMES, start_us / US_PER_S),
                    "direction": np.full(n_bins * N_OUTCOMES, direction, dtype=np.int32),
                    "bin_upper_m": np.repeat(upper, N_OUTCOMES),
                    "outcome": np.tile(np.arange(N_OUTCOMES, dtype=np.int32), n_bins),
                    "n": outcomes[direction].ravel().copy(),
                }
            )
        outcomes[:] = 0

    def take_freshness(self, gaps_ms: NDArray[np.int64], ages_ms: NDArray[np.int64]) -> None:
        """Take the histograms of inter-packet gaps and ages, both by millisecond."""
        for quantity, histogram in enumerate((gaps_ms, ages_ms)):
            filled = np.flatnonzero(histogram)
            self._pieces["freshness"].append(
                {
                    "quantity": np.full(len(filled), quantity, dtype=np.int32),
                    "value_ms": filled.astype(np.float64),
                    "n": histogram[filled],
                }
            )

    def take_packets(self, table: dict[str, NDArray[Any]]) -> None:
        """Take the packet table."""
        self._pieces["packets"].append(table)

    def take_feedback(self, table: dict[str, NDArray[Any]]) -> None:
        """Take the table of feedback."""
        self._pieces["feedback"].append(table)

    def take_tables(self, tables: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        """Take tables that others have filled, by name."""
        for name, table in tables.items():
            self._pieces[name].append(dict(table))

    def tables(self, replication: int) -> dict[str, dict[str, NDArray[Any]]]:
        """Return all tables, typed as their schemas say."""
        self._pieces["position_errors"] = [self._positions.errors()]
        for watch in self._watches:
            for name, table in watch.tables().items():
                self._pieces[name] = [table]
        return {name: self._table(name, replication) for name in SCHEMAS}

    def _table(self, name: str, replication: int) -> dict[str, NDArray[Any]]:
        pieces = self._pieces[name]
        if not pieces:
            return empty_table(name)
        table: dict[str, NDArray[Any]] = {}
        for key, column in SCHEMAS[name].items():
            if key != "replication":
                parts = [piece[key] for piece in pieces]
                table[key] = np.concatenate(parts).astype(column.dtype, copy=False)
        n = len(next(iter(table.values())))
        return {"replication": np.full(n, replication, dtype=np.int32), **table}
