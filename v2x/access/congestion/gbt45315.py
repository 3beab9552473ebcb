"""GB/T 45315-2025 Annex C, method 1: the period of BSMs by busy ratio and speed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.access.congestion.base import ChannelView, CongestionContext
from v2x.access.congestion.interval import IntervalControl
from v2x.mobility.fleet import FleetState
from v2x.units import US_PER_MS

_KMH_PER_MPS = 3.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Gbt45315Params:
    """The table of GB/T 45315-2025 Annex C; ranges include their upper ends.

    Parameters
    ----------
    cbr_bounds
        Upper ends of the lower ranges of the CBR.
    speed_bounds_kmh
        Upper ends of the lower ranges of the speed [km/h].
    periods_ms
        Period of regular BSMs [ms] by range of the CBR, and in it by range of the speed.
    hold_messages
        Messages for which a changed period is kept at least.
    """

    cbr_bounds: tuple[float, ...] = (0.3, 0.6, 0.8)
    speed_bounds_kmh: tuple[float, ...] = (5.0, 10.0, 25.0)
    periods_ms: tuple[tuple[int, ...], ...] = (
        (100, 100, 100, 100),
        (100, 100, 100, 100),
        (1000, 500, 200, 100),
        (1000, 500, 400, 100),
    )
    hold_messages: int = 10

    def __post_init__(self) -> None:
        """Reject tables that are no tables."""
        for name in ("cbr_bounds", "speed_bounds_kmh"):
            bounds = getattr(self, name)
            if not all(a < b for a, b in zip((0.0, *bounds), bounds, strict=False)):
                raise ValueError(f"{name} must ascend from above 0, got {bounds}")
        shape = {len(row) for row in self.periods_ms}
        if len(self.periods_ms) != len(self.cbr_bounds) + 1 or shape != {
            len(self.speed_bounds_kmh) + 1
        }:
            raise ValueError(
                "periods_ms must have one row more than cbr_bounds, each with one value more than "
                f"speed_bounds_kmh, got {self.periods_ms}"
            )
        if not all(1 <= period <= 10_000 for row in self.periods_ms for period in row):
            raise ValueError(f"periods_ms must be within 1 and 10000, got {self.periods_ms}")
        if self.hold_messages < 0:
            raise ValueError(f"hold_messages must be >= 0, got {self.hold_messages}")

    def period_ms(
        self, cbr: NDArray[np.float64] | float, speed_kmh: NDArray[np.float64] | float
    ) -> NDArray[np.int64]:
        """Return the period [ms] at a CBR and a speed [km/h].

        Examples
        --------
        >>> Gbt45315Params().period_ms(np.array([0.6, 0.7, 0.9]), 20.0)
        array([100, 200, 400])
        """
        rows = np.searchsorted(self.cbr_bounds, cbr)
        columns = np.searchsorted(self.speed_bounds_kmh, speed_kmh)
        return np.asarray(np.array(self.periods_ms, dtype=np.int64)[rows, columns])


class Gbt45315(IntervalControl):
    """Slow vehicles on a busy channel speak less often (GB/T 45315-2025 Annex C, method 1)."""

    Params = Gbt45315Params

    def __init__(self, params: Gbt45315Params, context: CongestionContext) -> None:
        super().__init__(context)
        self._params = params
        self._start_us = params.periods_ms[0][0] * US_PER_MS
        self.interval_us[:] = self._start_us
        self._n_sent = np.full(context.n_nodes, params.hold_messages, dtype=np.int64)

    def observe(self, now_us: int, fleet: FleetState, channel: ChannelView) -> None:
        """Look the period up; a changed one stays for some messages."""
        self._take_busy_ratio(channel.busy_ratio())
        wanted_us = self._params.period_ms(self.cbr, fleet.speed_mps * _KMH_PER_MPS) * US_PER_MS
        changed = (wanted_us != self.interval_us) & (self._n_sent >= self._params.hold_messages)
        self.interval_us[changed] = wanted_us[changed]
        self._n_sent[changed] = 0

    def forget(self, node: int) -> None:
        """Clear all state of a node that left."""
        super().forget(node)
        self.interval_us[node] = self._start_us
        self._n_sent[node] = self._params.hold_messages

    def _note_sent(self, row: NDArray[np.int32]) -> None:
        self._n_sent[row] += 1
