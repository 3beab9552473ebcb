"""Who was there, and with a device or without."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState


class DeviceList:
    """Lists road users as they come."""

    def __init__(self) -> None:
        self._before: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._pieces: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]] = []

    def observe(self, fleet: FleetState, equipped: NDArray[np.bool_]) -> None:
        """Note who has come since the last tick."""
        new = fleet.active.copy()
        if len(self._before):
            new &= fleet.id != self._before
        self._before = fleet.id.copy()
        rows = np.flatnonzero(new)
        self._pieces.append((fleet.id[rows], fleet.kind[rows], equipped[rows]))

    def table(self) -> dict[str, NDArray[Any]]:
        """Return table ``devices``, without ``replication``."""
        empty = (np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.bool_))
        identity, kind, equipped = (
            np.concatenate(column) for column in zip(empty, *self._pieces, strict=True)
        )
        return {"id": identity, "kind": kind, "equipped": equipped}
