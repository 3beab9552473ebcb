"""What vehicles are going to do, as each of them knows of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from v2x.mobility.base import MobilityModel
from v2x.mobility.control import ControlledMobility
from v2x.world.road_map import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Intentions:
    """The next steps on everybody's route.

    Attributes
    ----------
    movement : (n_rows,) int32
        Movement of the lane network at the end of the edge that each is on; -1 if the route ends
        there, or if nobody knows.
    side : (n_rows,) int32
        Lane change that the route needs: +1 left, -1 right, 0 none.
    left_m : (n_rows,) float64
        Way on which it can be made [m]; infinite where none is needed.
    """

    movement: IntArray
    side: IntArray
    left_m: FloatArray

    def sides_within(self, way_m: float) -> IntArray:
        """Return the lane changes that are due on the next `way_m` [m], (n_rows,)."""
        return np.where(self.left_m < way_m, self.side, 0).astype(np.int32)


@runtime_checkable
class Intending(Protocol):
    """A mobility model whose vehicles know their routes."""

    def intentions(self) -> Intentions:
        """Return what everybody is going to do now."""


def intentions_of(mobility: MobilityModel | ControlledMobility | None, n_rows: int) -> Intentions:
    """Return what everybody is going to do, (n_rows,); nothing where the model does not know."""
    movement = np.full(n_rows, -1, dtype=np.int32)
    side = np.zeros(n_rows, dtype=np.int32)
    left_m = np.full(n_rows, np.inf)
    if isinstance(mobility, Intending):
        known = mobility.intentions()
        n = len(known.movement)
        movement[:n], side[:n], left_m[:n] = known.movement, known.side, known.left_m
    return Intentions(movement, side, left_m)
