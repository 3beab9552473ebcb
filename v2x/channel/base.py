"""What a propagation model promises: path loss laws by link state, and their statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class LinkState(IntEnum):
    """What stands between two antennas."""

    #: Nothing.
    LOS = 0
    #: Another vehicle.
    NLOSV = 1
    #: Buildings.
    NLOS = 2
    #: Nothing but the walls of the tunnel that both antennas, or one of them, are in.
    TUNNEL = 3
    #: The deck of a bridge.
    DECK = 4
    #: A ridge or a slope.
    TERRAIN = 5
    #: Rock: different tubes, or a tube and a place that none of its mouths looks at.
    BLOCKED = 6


#: The states for which a propagation model has a law; the others follow from obstacles.
ROAD_STATES = (LinkState.LOS, LinkState.NLOSV, LinkState.NLOS)


@dataclass(frozen=True, slots=True)
class LogDistanceLaw:
    """Path loss that is piecewise linear in the logarithm of distance.

    Piece k holds from ``start_m[k]`` to ``start_m[k + 1]`` (the last without end):
    ``intercept_db[k] + slope_db[k] * log10(d)``. Every standard V2X law has this form, and a
    kernel evaluates it with one logarithm.

    Attributes
    ----------
    start_m : (n_pieces,) float64
        Where each piece begins [m], ascending, the first 0.
    intercept_db, slope_db : (n_pieces,) float64
        Loss at 1 m [dB] and growth per decade [dB].
    min_distance_m
        Shorter links are evaluated at this distance [m].
    """

    start_m: FloatArray
    intercept_db: FloatArray
    slope_db: FloatArray
    min_distance_m: float

    def loss_db(self, distance_m: FloatArray) -> FloatArray:
        """Return the path loss [dB] at `distance_m` [m], any shape, without shadowing."""
        distance = np.maximum(np.asarray(distance_m, dtype=np.float64), self.min_distance_m)
        piece = np.searchsorted(self.start_m, distance, side="right") - 1
        return self.intercept_db[piece] + self.slope_db[piece] * np.log10(distance)


@dataclass(frozen=True, slots=True)
class ShadowingStatistics:
    """Log-normal shadowing of one link state.

    Attributes
    ----------
    sigma_db
        Standard deviation [dB].
    decorrelation_m
        Change of the link's relative position after which correlation is 1/e [m].
    """

    sigma_db: float
    decorrelation_m: float


class PropagationModel(Protocol):
    """Path loss and its statistics; knows distance and state, never positions.

    A model is a class with a ``Params`` attribute (a frozen dataclass; its fields are scenario
    keys of the ``channel`` section) and is built by ``Model(params, carrier_ghz)``.
    """

    #: "highway" or "urban": whose fading the error curves should contain.
    environment: str
    #: Whether links blocked by vehicles suffer the loss of TR 37.885 6.2.1 besides the law.
    vehicle_blockage: bool

    def laws(self) -> Mapping[LinkState, LogDistanceLaw]:
        """Return the path loss law of each of :data:`ROAD_STATES`."""

    def shadowing(self) -> Mapping[LinkState, ShadowingStatistics]:
        """Return the shadowing of each of :data:`ROAD_STATES`."""

    def p_los(self, distance_m: FloatArray) -> FloatArray:
        """Return the probability of line of sight where no building stands between."""
