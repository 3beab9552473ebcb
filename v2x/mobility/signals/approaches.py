"""Vehicles before lights: who is over a detector, and who does not notice the light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
from v2x.mobility.signals.base import Detection
from v2x.mobility.vehicles import Vehicles
from v2x.rng import uniform_by_id
from v2x.world.road_map import FloatArray, IntArray

#: Length of a detector along the lane [m].
LOOP_M = 6.0
#: Who is slower than this has noticed the light [m/s].
NOTICES_MPS = 3.0


@dataclass(frozen=True, slots=True)
class Approaching:
    """Vehicles on edges that end at lights, one element each.

    Attributes
    ----------
    row : (n,) int64
        Row of the vehicle.
    movement : (n,) int32
        What it will do at the node.
    distance_m : (n,) float64
        From its front to the stop line [m]; negative if it has passed it.
    """

    row: NDArray[np.int64]
    movement: IntArray
    distance_m: FloatArray


def approaching(network: LaneNetwork, book: RouteBook, vehicles: Vehicles) -> Approaching:
    """Return who is on an edge that ends at lights."""
    movement = np.where(vehicles.stop >= 0, book.movement[vehicles.stop], -1)
    row = np.flatnonzero(movement >= 0)
    row = row[network.signal[movement[row]] >= 0]
    movement = movement[row].astype(np.int32)
    edge = book.edge[vehicles.stop[row]]
    length_m = network.road_map.edge_length_m[edge]
    distance_m = length_m - vehicles.offset_m[row] - network.radius_m[movement]
    return Approaching(row, movement, distance_m)


def detection(
    there: Approaching, length_m: FloatArray, detector_m: float, n_movements: int
) -> Detection:
    """Return what detectors so far before the stop lines [m] see.

    Parameters
    ----------
    there
        Who is before lights.
    length_m : (n_rows,) float64
        Length of each vehicle [m].
    """
    rear_m = there.distance_m + length_m[there.row]
    before = (there.distance_m <= detector_m + LOOP_M) & (there.distance_m >= 0.0)
    over = before & (rear_m >= detector_m)
    waits = np.zeros(n_movements, dtype=np.bool_)
    passes = np.zeros(n_movements, dtype=np.bool_)
    waits[there.movement[before]] = True
    passes[there.movement[over]] = True
    return Detection(waits, passes)


def inattentive(
    there: Approaching,
    identity: NDArray[np.int64],
    speed_mps: FloatArray,
    node: IntArray,
    share: float,
    key: int,
) -> tuple[NDArray[np.int64], IntArray]:
    """Return rows that have not noticed the lights before them, and the nodes of these.

    Parameters
    ----------
    there
        Who is before lights.
    identity, speed_mps : (n_rows,)
        Stable ids; speeds [m/s]. Whoever has stopped has noticed.
    node : (n_movements,) int32
        Node of each movement.
    share
        Share of drivers, drawn by vehicle and node.
    key
        Of the draws.
    """
    at = node[there.movement]
    drawn = uniform_by_id(key, identity[there.row], at) < share
    drawn &= speed_mps[there.row] >= NOTICES_MPS
    return there.row[drawn], at[drawn].astype(np.int32)
