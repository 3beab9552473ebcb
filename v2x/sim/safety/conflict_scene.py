"""Road users at one instant, in the rows in which kernels look for conflicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x._kernels import scene as kernel
from v2x.mobility.bodies import CORNER_M
from v2x.mobility.fleet import FleetState, FloatArray, IntArray, NodeKind
from v2x.sim.safety.conflict_roads import ConflictRoads

#: Slower moves sideways are none: vehicles drift, and polylines have corners [m/s].
_SIDEWAYS_MPS = 0.3
#: A heading that changes by more in a tick tells of a corner of the polyline [rad].
_CORNER_RAD = 1e-3
#: Who goes in the direction of the road to within this is bound to it [rad].
_BOUND_RAD = 1e-6


class Motion(IntEnum):
    """Columns of ``Scene.motion``; SI units, ``CLIMB`` is dz/dt and ``DRIFT`` to the left."""

    X = 0
    Y = 1
    Z = 2
    HX = 3
    HY = 4
    SPEED = 5
    ACCELERATION = 6
    CLIMB = 7
    HALF_LENGTH = 8
    HALF_WIDTH = 9
    HEIGHT = 10
    DRIFT = 11
    LEADER_GAP = 12
    OFFSET = 13
    EDGE_LENGTH = 14


class Place(IntEnum):
    """Columns of ``Scene.place``."""

    LEVEL = 0
    ROAD = 1
    WAY = 2
    BEGIN = 3
    END = 4
    LEADER = 5
    ON_WHEELS = 6
    ONTO = 7
    LANE_ONTO = 8


@dataclass(frozen=True, slots=True)
class Scene:
    """Vehicles and pedestrians at one instant, compactly.

    Attributes
    ----------
    fleet
        The state.
    row : (n,) int32
        Rows of the fleet, ascending.
    motion : (n, 15) float64
        Columns :class:`Motion`.
    place : (n, 9) int32
        Columns :class:`Place`; the leader as an index into `row`.
    grade, friction : (n,) float64
        Of the road.
    heavy : (n,) bool
        Trucks and buses.
    """

    fleet: FleetState
    row: IntArray
    motion: FloatArray
    place: IntArray
    grade: FloatArray
    friction: FloatArray
    heavy: NDArray[np.bool_]

    def angle_rad(self, one: NDArray[np.intp], other: NDArray[np.intp]) -> FloatArray:
        """Return the angles between the directions of pairs, 0 to pi [rad]."""
        hx, hy = self.motion[:, Motion.HX], self.motion[:, Motion.HY]
        cosine = hx[one] * hx[other] + hy[one] * hy[other]
        sine = hx[one] * hy[other] - hy[one] * hx[other]
        return np.asarray(np.abs(np.arctan2(sine, cosine)))


class SceneMaker:
    """Makes scenes of successive states.

    Parameters
    ----------
    roads
        The roads.
    open_friction
        Friction where there is no road.
    n_rows
        Rows of every state.
    step_s
        Time between two states [s].
    period_m
        Period of the map in x [m], 0 without.
    """

    def __init__(
        self,
        roads: ConflictRoads,
        open_friction: float,
        *,
        n_rows: int,
        step_s: float,
        period_m: float,
    ) -> None:
        self._roads = roads
        self._open_friction = open_friction
        self._step_s, self._period_m = step_s, period_m
        self._compact = np.empty(n_rows, dtype=np.int32)
        self._drift_mps = np.zeros(n_rows)
        self._last: FleetState | None = None

    def scene(self, fleet: FleetState) -> Scene:
        """Return the scene of the next state."""
        last = fleet if self._last is None else self._last
        self._last = fleet
        row = np.flatnonzero(fleet.active & (fleet.kind <= NodeKind.VRU)).astype(np.int32)
        n, roads, kind = len(row), self._roads, fleet.kind[row]
        motion = np.empty((n, kernel.MOTION_COLUMNS))
        place = np.empty((n, kernel.PLACE_COLUMNS), dtype=np.int32)
        grade, friction = np.empty(n), np.empty(n)
        kernel.fill_scene(
            row,
            fleet.id,
            fleet.kind,
            fleet.x_m,
            fleet.y_m,
            fleet.z_m,
            fleet.heading_rad,
            np.cos(fleet.heading_rad),
            np.sin(fleet.heading_rad),
            fleet.speed_mps,
            fleet.acceleration_mps2,
            fleet.edge,
            fleet.lane,
            fleet.offset_m,
            fleet.level,
            fleet.length_m,
            fleet.width_m,
            fleet.height_m,
            fleet.leader,
            fleet.gap_m,
            last.id,
            last.x_m,
            last.y_m,
            last.heading_rad,
            self._step_s,
            self._period_m,
            _SIDEWAYS_MPS,
            _CORNER_RAD,
            CORNER_M,
            NodeKind.BUS,
            self._open_friction,
            roads.joints,
            roads.surface,
            roads.first_point,
            roads.point_offset_m,
            roads.point_grade,
            self._drift_mps,
            self._compact,
            motion,
            place,
            grade,
            friction,
        )
        self._keep_in_lane(fleet, row, motion)
        return Scene(
            fleet=fleet,
            row=row,
            motion=motion,
            place=place,
            grade=grade,
            friction=friction,
            heavy=(kind == NodeKind.TRUCK) | (kind == NodeKind.BUS),
        )

    def _keep_in_lane(self, fleet: FleetState, row: IntArray, motion: FloatArray) -> None:
        """Put vehicles that have just turned into their lanes.

        Mobility turns vehicles at once at a node and lets them glide into their lanes over the
        next metres, through where oncoming ones wait. Who is not bound to the road, as on a trace,
        shows by another direction and stays where it is.
        """
        middle_m = motion[:, Motion.OFFSET]
        at = np.flatnonzero((middle_m >= 0.0) & (middle_m < CORNER_M))
        rows = row[at]
        bound = (fleet.lane[rows] >= 0) & (fleet.edge[rows] >= 0)
        at, rows = at[bound], rows[bound]
        if not len(at):
            return
        x, y, heading = self._roads.lane_middle(fleet.edge[rows], fleet.lane[rows], middle_m[at])
        bound = np.abs(heading - fleet.heading_rad[rows]) < _BOUND_RAD
        bound &= fleet.kind[rows] <= NodeKind.BUS
        motion[at[bound], Motion.X], motion[at[bound], Motion.Y] = x[bound], y[bound]
