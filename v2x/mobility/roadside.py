"""Roadside units as rows of the fleet, behind those of the road users."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import NodeKind
from v2x.records.tables import FIRST_ROADSIDE_ID
from v2x.world.rsu_sites import RsuSites


class RoadsideRows:
    """Roadside units as last rows of a fleet (:class:`LastRows`), which never move.

    Their ids count up from :data:`~v2x.records.tables.FIRST_ROADSIDE_ID`, in the order of the
    sites, so they are the same whoever drives. They have no body: nothing is blocked by them.

    Parameters
    ----------
    sites
        Where the roadside units stand.
    """

    def __init__(self, sites: RsuSites) -> None:
        self._columns = _constant_columns(sites)

    @property
    def n_rows(self) -> int:
        """How many there are."""
        return len(self._columns["id"])

    def columns(self, time_us: int) -> dict[str, NDArray[Any]]:
        """Return every column of the fleet, the same at any time."""
        return self._columns


def _constant_columns(sites: RsuSites) -> dict[str, NDArray[Any]]:
    n = sites.n_sites
    zero = np.zeros(n)
    return {
        "id": FIRST_ROADSIDE_ID + np.arange(n, dtype=np.int64),
        "kind": np.full(n, NodeKind.RSU, dtype=np.int32),
        "x_m": sites.x_m,
        "y_m": sites.y_m,
        "z_m": sites.z_m,
        "heading_rad": sites.heading_rad,
        "speed_mps": zero,
        "acceleration_mps2": zero,
        "edge": sites.edge,
        "lane": np.full(n, -1, dtype=np.int32),
        "offset_m": sites.offset_m,
        "level": sites.level,
        "tunnel": sites.tunnel,
        "length_m": zero,
        "width_m": zero,
        "height_m": zero,
        "antenna_height_m": sites.antenna_height_m,
        "leader": np.full(n, -1, dtype=np.int32),
        "gap_m": np.full(n, np.inf),
        "turn": np.zeros(n, dtype=np.int32),
        "flags": np.zeros(n, dtype=np.int32),
    }
