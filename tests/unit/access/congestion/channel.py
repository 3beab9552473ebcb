"""A channel that shows controls what a test wants them to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from v2x.access.congestion.base import CongestionContext, HeardLinks
from v2x.mobility.fleet import FleetState

from ....simulation_parts import fleet_state


def context(n_nodes: int = 1, **changes: Any) -> CongestionContext:
    """Return a context of ``n_nodes``, five subchannels, and one for each message at 10 Hz."""
    values: dict[str, Any] = {
        "slot_us": 1000,
        "n_subchannels": 5,
        "grant_subchannels": 1,
        "period_ms": 100,
        "seed": 1,
    }
    return CongestionContext(n_nodes=n_nodes, **(values | changes))


@dataclass
class Channel:
    """Attributes are what is measured: CBR of each node, and (sender, receiver, last slot)."""

    cbr: ArrayLike = 0.0
    links: list[tuple[int, int, int]] = field(default_factory=list)

    def busy_ratio(self) -> NDArray[np.float64]:
        return np.atleast_1d(np.asarray(self.cbr, dtype=np.float64))

    def heard_within(self, range_m: float) -> HeardLinks:
        columns = np.array(self.links, dtype=np.int32).reshape(-1, 3).T
        return HeardLinks(*columns)


def still(n_nodes: int = 1, time_us: int = 0, **columns: ArrayLike) -> FleetState:
    """Return vehicles 10 m apart."""
    return fleet_state(time_us, np.arange(n_nodes) * 10.0, **columns)


def observe(control: Any, cbr: ArrayLike, n: int = 1, *, start: int = 0, **fleet: Any) -> int:
    """Show a control the same CBR `n` times, 100 ms apart; returns the next tick."""
    values = np.atleast_1d(np.asarray(cbr, dtype=np.float64))
    for tick in range(start, start + n):
        now_us = tick * 100_000
        control.observe(now_us, still(len(values), now_us, **fleet), Channel(values))
    return start + n


def release(control: Any, generated_ms: float, row: int = 0, **fleet: Any) -> int:
    """Ask for one message of a row; returns its generation time [µs], or -1."""
    time_us = round(generated_ms * 1000)
    state = still(row + 1, time_us // 100_000 * 100_000, **fleet)
    answer = control.release(np.array([time_us]), np.array([row], dtype=np.int32), state)
    return int(answer[0])
