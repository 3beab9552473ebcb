"""Gaps in traffic as somebody at the kerb sees them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import Vehicles
from v2x.world.road_map import FloatArray, IntArray

#: What is farther away does not matter [m].
HORIZON_M = 300.0
#: Vehicles that can stop this gently are expected to [m/s²], after a reaction of a second.
LET_MPS2 = 2.0
#: Distance that they keep from the line [m].
SHORT_M = 3.0
#: Half of the width of a crossing that must be clear of vehicles [m].
CLEAR_M = 0.75


@dataclass(frozen=True, slots=True)
class Oncoming:
    """Where vehicles will be soon, one element per vehicle and edge of its way.

    Attributes
    ----------
    edge : (n,) int32
        Edge.
    ahead_m : (n,) float64
        From the front of the vehicle to the beginning of the edge [m]; negative on it.
    speed_mps, length_m : (n,) float64
        Speed [m/s] and length [m] of the vehicle.
    """

    edge: IntArray
    ahead_m: FloatArray
    speed_mps: FloatArray
    length_m: FloatArray

    def covers(self, edge: int, at_m: float) -> bool:
        """Return whether somebody stands or drives on a crossing, `at_m` along an edge [m]."""
        rows = self.edge == edge
        beyond = -(self.ahead_m[rows] + at_m)
        on = (beyond > -CLEAR_M) & (beyond - self.length_m[rows] < CLEAR_M)
        return bool(on.any())

    def leaves(self, edge: int, line_m: float, need_s: float, *, expects_to_be_let: bool) -> bool:
        """Return whether nobody will be at a line within a time, or whoever could will stop.

        Parameters
        ----------
        edge, line_m
            The line: how far along which edge [m].
        need_s
            Time for which it must be free [s].
        expects_to_be_let
            Whether vehicles that can stop comfortably are trusted to do so.
        """
        rows = self.edge == edge
        distance = self.ahead_m[rows] + line_m
        speed = self.speed_mps[rows]
        near = (distance >= 0.0) & (distance < speed * need_s)
        if expects_to_be_let:
            near &= distance < speed + speed * speed / (2.0 * LET_MPS2) + SHORT_M
            near &= speed > 0.1
        return not bool(near.any())


def oncoming(network: LaneNetwork, book: RouteBook, vehicles: Vehicles) -> Oncoming:
    """Return where every vehicle is and will be within the horizon."""
    edge_m: NDArray[np.float64] = network.road_map.edge_length_m
    row = np.flatnonzero(vehicles.stop >= 0)
    stop = vehicles.stop[row].astype(np.int64)
    ahead = -vehicles.offset_m[row]
    edges, aheads, rows = [], [], []
    while len(row):
        edges.append(book.edge[stop])
        aheads.append(ahead)
        rows.append(row)
        ahead = ahead + edge_m[book.edge[stop]]
        stop = book.after[stop].astype(np.int64)
        kept = (stop >= 0) & (ahead < HORIZON_M)
        row, stop, ahead = row[kept], stop[kept], ahead[kept]
    every = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    return Oncoming(
        edge=np.concatenate([np.zeros(0, dtype=np.int32), *edges]).astype(np.int32),
        ahead_m=np.concatenate([np.zeros(0), *aheads]),
        speed_mps=vehicles.speed_mps[every],
        length_m=vehicles.length_m[every],
    )
