"""What others ask of the vehicles of a traffic model, tick by tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.base import MobilityModel
from v2x.mobility.fleet import FleetState
from v2x.mobility.joined import JoinedFleet
from v2x.world.road_map import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Controls:
    """Wishes that reach the drivers from outside, one row per vehicle.

    The arrays are mutable: warnings and services write to them after a mobility tick, the
    model obeys them until the next. Brakes, grip, grade and engine bound whatever is asked; as
    long as nothing is asked the motion is that of the model alone, byte for byte.

    Attributes
    ----------
    ceiling_mps2 : (n_rows,) float64
        Acceleration that is not exceeded [m/s²]; negative brakes, infinite asks for nothing.
    speed_mps : (n_rows,) float64
        Speed that the driver takes as a limit and approaches at comfort [m/s]; infinite for
        none.
    cacc_mps2 : (n_rows,) float64
        Acceleration that a controller wants in place of the driver [m/s²]; NaN for none.
    keep_lane : (n_rows,) uint8
        1 lets no lane change begin.
    lane_wish : (n_rows,) int32
        +1 or -1: change to the left or right as soon as it is safe, 0 for no wish.
    alerted : (n_rows,) uint8
        1 for a driver who expects trouble ahead, and so reacts faster when it shows.
    """

    ceiling_mps2: FloatArray
    speed_mps: FloatArray
    cacc_mps2: FloatArray
    keep_lane: NDArray[np.uint8]
    lane_wish: IntArray
    alerted: NDArray[np.uint8]

    @classmethod
    def none(cls, n_rows: int) -> Controls:
        """Return controls that ask for nothing."""
        return cls(
            ceiling_mps2=np.full(n_rows, np.inf),
            speed_mps=np.full(n_rows, np.inf),
            cacc_mps2=np.full(n_rows, np.nan),
            keep_lane=np.zeros(n_rows, dtype=np.uint8),
            lane_wish=np.zeros(n_rows, dtype=np.int32),
            alerted=np.zeros(n_rows, dtype=np.uint8),
        )

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.ceiling_mps2)

    def release(self, rows: NDArray[np.integer] | slice = slice(None)) -> None:
        """Ask for nothing any more, of everybody or of some rows, but what a controller wants."""
        self.ceiling_mps2[rows] = np.inf
        self.speed_mps[rows] = np.inf
        self.keep_lane[rows] = 0
        self.lane_wish[rows] = 0
        self.alerted[rows] = 0

    def clear(self, rows: NDArray[np.integer]) -> None:
        """Forget everything about rows that belong to another vehicle from now on."""
        self.release(rows)
        self.cacc_mps2[rows] = np.nan


@runtime_checkable
class ControlledMobility(Protocol):
    """A mobility model whose vehicles can be asked for something.

    Attributes
    ----------
    controls : Controls
        What is asked of each row.
    """

    controls: Controls

    @property
    def n_rows(self) -> int:
        """Rows of every state, fixed for the run."""

    def advance(self, time_us: int) -> FleetState:
        """Return the state at `time_us` [µs], see :class:`~v2x.mobility.base.MobilityModel`."""

    def reroute(self, row: int, avoid: frozenset[int]) -> bool:
        """Send a vehicle to its goal without these edges; return False if there is no way."""


def controlled(mobility: MobilityModel) -> ControlledMobility | None:
    """Return the part of a fleet whose vehicles can be asked for something, None if none can.

    Joined fleets begin with the rows of that part, so rows mean the same in both.
    """
    while isinstance(mobility, JoinedFleet):
        mobility = mobility.first
    return mobility if isinstance(mobility, ControlledMobility) else None
