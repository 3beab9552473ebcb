"""Adds up what vehicles need while a run is under way: the rows of table ``energy``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.mobility.energy import (
    GRADE_LIMITS,
    EnergyClass,
    EnergyParams,
    electric_power_w,
    fuel_g_per_s,
    grade_class,
    specific_power_kw_per_t,
    tractive_force_n,
)
from v2x.mobility.fleet import FleetState, FloatArray, NodeKind
from v2x.records.tables import SCHEMAS
from v2x.units import US_PER_S
from v2x.world.road_map import RoadMap

#: Columns that are summed; the others say of what.
_SUMS = (
    "duration_s",
    "distance_m",
    "drive_wh",
    "regen_wh",
    "aux_wh",
    "fuel_g",
    "co2_g",
    "n_stops",
    "delay_s",
    "jerk2_m2ps5",
)
_S_PER_H = 3600.0
#: Shorter ways in a tick tell nothing of the grade [m]: that of the tick before stays.
_LEAST_WAY_M = 0.05
#: No road is steeper; more is a jump of the position.
_STEEPEST = 0.3


@dataclass(frozen=True, slots=True)
class _Tick:
    """What vehicles did between two states, one element each.

    Attributes
    ----------
    row : (n,) intp
        Rows of the fleet.
    seconds
        Time between the states [s].
    speed_mps, acceleration_mps2, grade : (n,) float64
        Means over this time [m/s], [m/s²], rise over run.
    """

    row: NDArray[np.intp]
    seconds: float
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    grade: FloatArray


class EnergyWatch:
    """Fills table ``energy``: a row per vehicle, time block and class of grades.

    Speed, acceleration and grade are means between two states, found from their speeds and
    heights, so that the kinetic and potential energy of a way sum up to what lies between its
    ends. That needs no map and holds for traces too.

    Parameters
    ----------
    params
        Classes of vehicles, and when one stands.
    road_map
        Gives the speed limits that delays are measured against.
    n_rows
        Rows of every state.
    block_s
        Length of the time blocks [s].
    seed
        Who is electric is drawn by stable id from the stream ``"energy", "electric"``.
    """

    def __init__(
        self, params: EnergyParams, road_map: RoadMap, *, n_rows: int, block_s: float, seed: int
    ) -> None:
        self._params, self._block_s = params, block_s
        self._classes = params.by_kind()
        self._limit_mps = road_map.edge_limit_mps
        self._key = rng.key32(seed, "energy", "electric")
        self._sums = np.zeros((len(_SUMS), n_rows, len(GRADE_LIMITS) + 1))
        self._pieces: list[dict[str, NDArray[Any]]] = []
        self._block = -1
        self._last: FleetState | None = None
        self._electric = np.zeros(n_rows, dtype=np.bool_)
        self._moving = np.zeros(n_rows, dtype=np.bool_)
        self._grade = np.zeros(n_rows)
        #: Of the tick before; NaN for those who were not there.
        self._acceleration_mps2 = np.full(n_rows, np.nan)

    def observe(self, fleet: FleetState) -> None:
        """Take the next state and count the time since the last one."""
        last = self._last
        if last is None:
            self._welcome(fleet, np.ones(fleet.n_rows, dtype=np.bool_))
        else:
            # A state a rounding error before the start of its block belongs to that block.
            block = int(last.time_us / US_PER_S / self._block_s + 1e-6)
            if block != self._block:
                self._flush(np.ones(fleet.n_rows, dtype=np.bool_))
                self._block = block
            changed = fleet.id != last.id
            self._count(fleet, self._tick(last, fleet, ~changed))
            if changed.any():
                self._flush(changed)
                self._welcome(fleet, changed)
        self._last = fleet

    def tables(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Return table ``energy`` so far, without the column ``replication``."""
        if self._last is not None:
            self._flush(np.ones(self._last.n_rows, dtype=np.bool_))
        names = [name for name in SCHEMAS["energy"] if name != "replication"]
        return {
            "energy": {
                name: np.concatenate([piece[name] for piece in self._pieces])
                if self._pieces
                else np.zeros(0)
                for name in names
            }
        }

    def _welcome(self, fleet: FleetState, new: NDArray[np.bool_]) -> None:
        """Find out who takes new rows."""
        draw = rng.uniform_by_id(self._key, np.where(fleet.id[new] >= 0, fleet.id[new], 0), 0)
        share = np.array([item.electric_share for item in self._classes])
        kind = np.clip(fleet.kind[new], 0, len(share) - 1)
        self._electric[new] = draw < share[kind]
        self._moving[new] = fleet.speed_mps[new] >= self._params.stop_mps
        self._grade[new] = 0.0
        self._acceleration_mps2[new] = np.nan

    def _tick(self, last: FleetState, fleet: FleetState, same: NDArray[np.bool_]) -> _Tick:
        """Return what vehicles that are still there did since the last state."""
        row = np.flatnonzero(same & fleet.active & (fleet.kind <= NodeKind.BUS))
        seconds = (fleet.time_us - last.time_us) / US_PER_S
        before, after = last.speed_mps[row], fleet.speed_mps[row]
        speed = 0.5 * (before + after)
        way = speed * seconds
        rise = fleet.z_m[row] - last.z_m[row]
        known = way >= _LEAST_WAY_M
        grade = self._grade[row]
        grade[known] = np.clip(rise[known] / way[known], -_STEEPEST, _STEEPEST)
        self._grade[row] = grade
        return _Tick(row, seconds, speed, (after - before) / seconds, grade)

    def _count(self, fleet: FleetState, tick: _Tick) -> None:
        row, seconds = tick.row, tick.seconds
        amount = dict.fromkeys(_SUMS, np.zeros(len(row)))
        amount["duration_s"] = np.full(len(row), seconds)
        amount["distance_m"] = tick.speed_mps * seconds
        edge = fleet.edge[row]
        limit = np.where(edge >= 0, self._limit_mps[np.maximum(edge, 0)], np.inf)
        lost = np.where(np.isfinite(limit), 1.0 - tick.speed_mps / limit, 0.0)
        amount["delay_s"] = seconds * np.maximum(lost, 0.0)
        jerk = (tick.acceleration_mps2 - self._acceleration_mps2[row]) / seconds
        amount["jerk2_m2ps5"] = seconds * np.nan_to_num(jerk) ** 2
        self._acceleration_mps2[row] = tick.acceleration_mps2
        speed = fleet.speed_mps[row]
        halts = self._moving[row] & (speed < self._params.stop_mps)
        amount["n_stops"] = halts.astype(np.float64)
        self._moving[row] = (self._moving[row] & ~halts) | (speed > self._params.moving_mps)
        self._count_energy(fleet, tick, amount)
        into = grade_class(tick.grade)
        for column, name in enumerate(_SUMS):
            self._sums[column, row, into] += amount[name]

    def _count_energy(self, fleet: FleetState, tick: _Tick, amount: dict[str, FloatArray]) -> None:
        """Fill energy and fuel of all classes of vehicles into `amount`."""
        kind, electric = fleet.kind[tick.row], self._electric[tick.row]
        for name in ("drive_wh", "regen_wh", "aux_wh", "fuel_g", "co2_g"):
            amount[name] = np.zeros(len(kind))
        hours = tick.seconds / _S_PER_H
        for k, item in enumerate(self._classes):
            of_kind = kind == k
            at = np.flatnonzero(of_kind & electric)
            drawn, returned = _battery_w(tick, at, item)
            amount["drive_wh"][at] = drawn * hours
            amount["regen_wh"][at] = returned * hours
            amount["aux_wh"][at] = item.electric.auxiliary_w * hours
            at = np.flatnonzero(of_kind & ~electric)
            vsp = specific_power_kw_per_t(
                tick.speed_mps[at],
                tick.acceleration_mps2[at],
                tick.grade[at],
                item.vsp_coefficients,
            )
            amount["fuel_g"][at] = fuel_g_per_s(vsp, item.fuel) * tick.seconds
            amount["co2_g"][at] = amount["fuel_g"][at] * item.fuel.co2_per_fuel

    def _flush(self, rows: NDArray[np.bool_]) -> None:
        """Write down the sums of `rows` and clear them."""
        if self._last is None or self._block < 0:
            return
        row, into = np.nonzero((self._sums[0] > 0.0) & rows[:, None])
        if len(row) == 0:
            return
        piece: dict[str, NDArray[Any]] = {
            "block_start_s": np.full(len(row), self._block * self._block_s),
            "vehicle_id": self._last.id[row],
            "kind": self._last.kind[row],
            "electric": self._electric[row],
            "grade_class": into.astype(np.int32),
        }
        for column, name in enumerate(_SUMS):
            piece[name] = self._sums[column, row, into]
        self._pieces.append(piece)
        self._sums[:, rows] = 0.0


def _battery_w(
    tick: _Tick, at: NDArray[np.intp], item: EnergyClass
) -> tuple[FloatArray, FloatArray]:
    speed = tick.speed_mps[at]
    force = tractive_force_n(speed, tick.acceleration_mps2[at], tick.grade[at], item.load)
    return electric_power_w(speed, force, item.electric)
