"""Roadside units as rows of the fleet, behind those of the road users."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.base import MobilityModel
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.records.tables import FIRST_ROADSIDE_ID
from v2x.world.rsu_sites import RsuSites

_ARRAYS = tuple(item.name for item in fields(FleetState) if item.name != "time_us")


class WithRoadside:
    """A mobility model whose fleet ends with roadside units that never move.

    Their ids count up from :data:`~v2x.records.tables.FIRST_ROADSIDE_ID`, in the order of the
    sites, so they are the same whoever drives. They have no body: nothing is blocked by them.

    Parameters
    ----------
    mobility
        Moves the road users.
    sites
        Where the roadside units stand.
    """

    def __init__(self, mobility: MobilityModel, sites: RsuSites) -> None:
        self._mobility = mobility
        self._rows = _constant_columns(sites)

    @property
    def n_rows(self) -> int:
        """Rows of every state: road users first, then the sites."""
        return self._mobility.n_rows + len(self._rows["id"])

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs], not earlier than the last one asked for."""
        road_users = self._mobility.advance(time_us)
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(road_users, name), self._rows[name]]) for name in _ARRAYS
        }
        return replace(road_users, **columns)


def without_roadside(fleet: FleetState, n_sites: int) -> FleetState:
    """Return the road users alone of a fleet that ends with `n_sites` roadside units."""
    return _rows(fleet, slice(0, fleet.n_rows - n_sites))


def only_roadside(fleet: FleetState, n_sites: int) -> FleetState:
    """Return the `n_sites` roadside units alone with which a fleet ends."""
    return _rows(fleet, slice(fleet.n_rows - n_sites, fleet.n_rows))


def _rows(fleet: FleetState, rows: slice) -> FleetState:
    columns: dict[str, Any] = {name: getattr(fleet, name)[rows] for name in _ARRAYS}
    return replace(fleet, **columns)


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
    }
