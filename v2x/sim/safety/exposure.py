"""How much was driven, and how much of it in danger: the rows of table ``exposure``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState, NodeKind
from v2x.records.tables import SCHEMAS
from v2x.sim.safety.conflict_pairs import Rates
from v2x.sim.safety.params import SafetyParams
from v2x.units import US_PER_S


class Exposure:
    """Sums over time blocks.

    Parameters
    ----------
    params
        Thresholds of hard braking and of jerks.
    n_rows
        Rows of every state.
    step_s, block_s
        Time between two states, and length of the blocks [s].
    """

    def __init__(self, params: SafetyParams, *, n_rows: int, step_s: float, block_s: float) -> None:
        self._params, self._step_s, self._block_s = params, step_s, block_s
        self._names = [name for name in SCHEMAS["exposure"] if name != "replication"]
        self._blocks: list[dict[str, float]] = []
        self._block = -1
        self._id: NDArray[np.int64] = np.full(n_rows, -1, dtype=np.int64)
        self._acceleration_mps2 = np.zeros(n_rows)
        self._braked = np.zeros(n_rows, dtype=np.bool_)
        self._jerked = np.zeros(n_rows, dtype=np.bool_)

    def observe(
        self, fleet: FleetState, rates: Iterable[Rates], *, n_below: int, short_s: float
    ) -> None:
        """Take a state, which stands for the time until the next one.

        Parameters
        ----------
        fleet
            The state.
        rates
            How pairs do.
        n_below, short_s
            Pairs below the threshold of TTC, and by how much, summed [s].
        """
        step = self._step_s
        sums = self._sums_of(fleet.time_us)
        vehicle = fleet.active & (fleet.kind <= NodeKind.BUS)
        sums["vehicle_s"] += step * int(vehicle.sum())
        sums["distance_m"] += step * float(fleet.speed_mps[vehicle].sum())
        sums["tet_s"] += step * n_below
        sums["tit_s2"] += step * short_s
        for rate in rates:
            sums["following_s"] += step * rate.following
            sums["rss_s"] += step * rate.unsafe
            sums["rss_opposite_s"] += step * rate.unsafe_opposite
            sums["rss_lateral_s"] += step * rate.unsafe_beside
            sums["cpi_s"] += step * rate.crash_probability
        self._observe_braking(fleet, vehicle, sums)

    def table(self) -> dict[str, NDArray[Any]]:
        """Return the rows of table ``exposure`` so far, without the column ``replication``."""
        return {name: np.array([block[name] for block in self._blocks]) for name in self._names}

    def _sums_of(self, time_us: int) -> dict[str, float]:
        """Return the sums of the block that a time lies in."""
        # A state a rounding error before the start of its block belongs to that block.
        block = int(time_us / US_PER_S / self._block_s + 1e-6)
        if block != self._block:
            self._block = block
            self._blocks.append(dict.fromkeys(self._names, 0.0))
            self._blocks[-1]["block_start_s"] = block * self._block_s
        return self._blocks[-1]

    def _observe_braking(
        self, fleet: FleetState, vehicle: NDArray[np.bool_], sums: dict[str, float]
    ) -> None:
        """Count who begins to brake hard, or to jerk; spells count once."""
        known = vehicle & (fleet.id == self._id)
        jerk = np.where(known, fleet.acceleration_mps2 - self._acceleration_mps2, 0.0)
        jerk = np.abs(jerk) / self._step_s
        brakes = vehicle & (fleet.acceleration_mps2 <= -self._params.hard_brake_mps2)
        jerks = jerk > self._params.jerk_mps3
        # Who is new and brakes has begun to, somewhere.
        sums["n_hard_brakes"] += int((brakes & known & ~self._braked).sum())
        sums["n_jerks"] += int((jerks & ~self._jerked).sum())
        sums["max_jerk_mps3"] = max(sums["max_jerk_mps3"], float(jerk.max(initial=0.0)))
        self._id, self._acceleration_mps2 = fleet.id, fleet.acceleration_mps2
        self._braked, self._jerked = brakes, jerks
