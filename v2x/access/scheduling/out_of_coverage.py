"""Who hears a scheduler, and what those do who hear none."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.access.base import AccessContext
from v2x.access.scheduling.params import ScheduledParams
from v2x.errors import V2XError
from v2x.units import US_PER_MS


class Coverage:
    """Who is near enough to a scheduler.

    Parameters
    ----------
    params, context
        Range, and where schedulers stand.

    Raises
    ------
    V2XError
        If the scenario has none of the sites that should schedule.
    """

    def __init__(self, params: ScheduledParams, context: AccessContext) -> None:
        self._range_m = params.coverage_range_m
        self._wrap_m = context.wrap_length_m
        self._sites_m: NDArray[np.float64] | None = None
        if params.coverage != "everywhere":
            self._sites_m = context.sites_m.get(params.coverage, np.zeros((2, 0)))
            if self._sites_m.shape[1] == 0:
                raise V2XError(
                    f"{params.coverage!r} should schedule, and the scenario has none",
                    key="access.coverage",
                    remedy="set roadside.placement or cellular.type, or access.coverage=everywhere",
                )

    def of(self, position_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return who is covered at the positions given, (2, n) [m]; (n,) bool."""
        n = position_m.shape[1]
        if self._sites_m is None:
            return np.ones(n, dtype=np.bool_)
        covered = np.zeros(n, dtype=np.bool_)
        for site in self._sites_m.T:
            dx, dy = np.abs(position_m - site[:, None])
            if self._wrap_m > 0.0:
                dx = np.minimum(dx, self._wrap_m - dx)
            covered |= dx * dx + dy * dy <= self._range_m**2
        return covered


class Attempt(NamedTuple):
    """Slot and first subchannel of a transmission."""

    slot: int
    start: int


class ExceptionalPool:
    """Resources that a vehicle without a scheduler takes at random.

    Parameters
    ----------
    params, context
        Window and subchannels.
    length
        Subchannels of a transmission.

    Attributes
    ----------
    identity : (n_nodes,) uint32
        Hash word of each node; the draws belong to it.
    """

    def __init__(self, params: ScheduledParams, context: AccessContext, length: int) -> None:
        n = context.pool.n_subchannels
        apart = params.exceptional_subchannels
        self._silent = params.out_of_coverage == "silent"
        self._first, self._last = (
            math.ceil(time_ms * US_PER_MS / context.pool.slot_us)
            for time_ms in (params.t1_ms, params.t2_ms)
        )
        self._lowest = n - apart if apart else 0
        self._n_starts = n - self._lowest - length + 1
        if self._n_starts < 1 or (apart and self._lowest < length):
            raise V2XError(
                f"neither part of {n} subchannels may be narrower than a grant of {length}",
                key="access.exceptional_subchannels",
                remedy="choose 0 to share all subchannels, or widen the pool",
            )
        self._keys = [
            rng.key32(context.seed, "access", "exceptional", k) for k in ("slot", "start")
        ]
        self.identity: NDArray[np.uint32] = np.zeros(context.n_nodes, dtype=np.uint32)

    def draw(self, node: int, slot: int, deadline_slot: int) -> Attempt | None:
        """Return where the packet of a node goes that arrived in `slot`; None for nowhere."""
        first, last = slot + self._first, min(slot + self._last, deadline_slot)
        if self._silent or last < first:
            return None
        chance_slot, chance_start = (
            float(rng.uniform_by_id(key, self.identity[node], slot)) for key in self._keys
        )
        return Attempt(
            first + int(chance_slot * (last - first + 1)),
            self._lowest + int(chance_start * self._n_starts),
        )
