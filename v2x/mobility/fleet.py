"""Where every road user is at one instant: the form in which mobility hands it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


class NodeKind(IntEnum):
    """What a node is."""

    CAR = 0
    TRUCK = 1
    BUS = 2
    VRU = 3
    RSU = 4
    GNB = 5


class KeyEvent(IntFlag):
    """What a vehicle tells about itself beside its motion.

    The low bits are key events of a basic safety message at their places on the wire
    (GB/T 45315-2025, ``VehicleEventFlags`` of T/CSAE 53); those above bit 12 belong to the
    simulation and are never sent as such.
    """

    HAZARD_LIGHTS = 1 << 0
    STOP_LINE_VIOLATION = 1 << 1
    ABS = 1 << 2
    TRACTION_LOSS = 1 << 3
    STABILITY_CONTROL = 1 << 4
    HARD_BRAKING = 1 << 7
    DISABLED_VEHICLE = 1 << 11
    AIR_BAG = 1 << 12
    SIREN = 1 << 16


def no_integers() -> IntArray:
    """Return the default of a column that a model does not know: zeros when it is used."""
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetState:
    """All road users and roadside nodes at one instant, one row each.

    The number of rows is fixed for a run. When a vehicle leaves, its row is empty
    (``id == -1``) until another vehicle, with a new id, takes it. Arrays are read-only.

    Attributes
    ----------
    time_us : int
        Time of the state [µs].
    id : (n_rows,) int64
        Stable identity, never used again; -1 for an empty row.
    kind : (n_rows,) int32
        A :class:`NodeKind`.
    x_m, y_m, z_m : (n_rows,) float64
        Centre of the vehicle at road height [m]; the antenna is `antenna_height_m` above z.
    heading_rad : (n_rows,) float64
        Direction of travel, counter-clockwise from east [rad].
    speed_mps, acceleration_mps2 : (n_rows,) float64
        Along the road [m/s], [m/s²].
    edge, lane : (n_rows,) int32
        Road edge and lane (0 is rightmost); -1 off the road.
    offset_m : (n_rows,) float64
        Distance of the vehicle's front bumper along its edge [m].
    level : (n_rows,) int32
        Deck level of the edge (OpenStreetMap layer).
    tunnel : (n_rows,) int32
        Edge index if the edge is a tunnel, else -1.
    length_m, width_m, height_m, antenna_height_m : (n_rows,) float64
        Dimensions; the antenna's height above the road [m].
    leader : (n_rows,) int32
        Row of the next vehicle ahead on the own path, -1 if none within view.
    gap_m : (n_rows,) float64
        Bumper-to-bumper distance to the leader [m], infinite without one, negative on overlap.
    turn : (n_rows,) int32
        Indicator: +1 left, -1 right, 0 off; 0 everywhere if the model does not know.
    flags : (n_rows,) int32
        Bits of :class:`KeyEvent`; 0 everywhere if the model does not know.
    """

    time_us: int
    id: NDArray[np.int64]
    kind: IntArray
    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    heading_rad: FloatArray
    speed_mps: FloatArray
    acceleration_mps2: FloatArray
    edge: IntArray
    lane: IntArray
    offset_m: FloatArray
    level: IntArray
    tunnel: IntArray
    length_m: FloatArray
    width_m: FloatArray
    height_m: FloatArray
    antenna_height_m: FloatArray
    leader: IntArray
    gap_m: FloatArray
    turn: IntArray = field(default_factory=no_integers)
    flags: IntArray = field(default_factory=no_integers)

    def __post_init__(self) -> None:
        """Fill what was not given, and make every array read-only."""
        for name in ("turn", "flags"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.zeros(len(self.id), dtype=np.int32))
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def n_rows(self) -> int:
        """Number of rows, empty ones included."""
        return len(self.id)

    @property
    def active(self) -> NDArray[np.bool_]:
        """Rows that hold a road user."""
        return self.id >= 0
