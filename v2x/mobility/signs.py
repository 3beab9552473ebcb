"""What vehicles show and tell of themselves: indicators and key events."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.conditions import RoadConditions
from v2x.mobility.curves import CurveParams, find_bends
from v2x.mobility.fleet import KeyEvent
from v2x.mobility.intentions import Intentions
from v2x.mobility.junctions import TURN_COSINE, LaneNetwork, directions_rad
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import ClassTable, Mode, Vehicles
from v2x.units import GRAVITY_MPS2
from v2x.world.road_map import FloatArray, IntArray
from v2x.world.weather import DRY_FRICTION

#: Way before a node on which drivers indicate a turn [m].
INDICATE_M = 50.0
#: Way before the end of a lane on which those who have to leave it indicate [m]: there they take
#: the smallest gaps.
_LEAVE_M = 200.0
#: Deceleration beyond which braking counts as hard [m/s²]; GB/T 45315 sets the flag above 4.
HARD_BRAKING_MPS2 = 4.0
#: Below this speed brakes that lock are no event [m/s] (assumption).
_ROLLING_MPS = 3.0
#: Who still brakes hard at this speed comes to a rapid stop, and warns until it drives on faster
#: or somebody stands this near behind it [m/s], [m], or so slow there [m/s] (assumptions).
_RAPID_STOP_MPS, _COVERED_M, _STANDS_MPS = 8.0, 15.0, 1.0


class Signs:
    """Reads indicators and key events off the state of the traffic.

    Parameters
    ----------
    network, conditions, book, classes, vehicles
        Parts of the traffic model, read only.
    curves
        How bends are found, and their superelevation.
    """

    def __init__(
        self,
        network: LaneNetwork,
        conditions: RoadConditions,
        book: RouteBook,
        classes: ClassTable,
        vehicles: Vehicles,
        curves: CurveParams,
    ) -> None:
        road_map = network.road_map
        self._length_m = road_map.edge_length_m
        self._grip = conditions.edge_grip
        self._book = book
        self._classes = classes
        self._vehicles = vehicles
        self._superelevation = curves.superelevation
        # One more for those who make no movement.
        self._turns = np.append(turning(network), 0).astype(np.int32)
        bends = find_bends(road_map, curves)
        self._bend_edge, self._bend_begin_m = bends.edge, bends.begin_m
        self._radius_m = bends.radius_m
        self._base_m = np.concatenate([[0.0], np.cumsum(self._length_m[:-1] + 1000.0)])
        self._axis_m = self._base_m[bends.edge] + bends.end_m
        self._id: NDArray[np.int64] = np.full(vehicles.n_rows, -1, dtype=np.int64)
        self._warns: NDArray[np.bool_] = np.zeros(vehicles.n_rows, dtype=np.bool_)

    def turn(self) -> IntArray:
        """Return the indicators, (n_rows,): +1 left, -1 right, 0 off.

        On are those of vehicles that change lanes, that have to or are asked to, and that turn
        at a node within 50 m. Off are those of empty rows.
        """
        vehicles, book = self._vehicles, self._book
        stop = vehicles.stop
        rest_m = self._length_m[book.edge[stop]] - vehicles.offset_m
        turns = np.where(rest_m <= INDICATE_M, self._turns[book.movement[stop]], 0)
        must, left_m = self._must()
        wants = np.where((left_m < _LEAVE_M) & (must != 0), must, vehicles.controls.lane_wish)
        shown = np.where(vehicles.from_side != 0, -np.sign(vehicles.from_side), wants)
        shown = np.where(shown != 0, shown, turns)
        return np.where(stop >= 0, shown, 0).astype(np.int32)

    def intentions(self) -> Intentions:
        """Return the next movements on the routes, and the lane changes that they need."""
        vehicles, book = self._vehicles, self._book
        stop, on = vehicles.stop, vehicles.stop >= 0
        must, left_m = self._must()
        return Intentions(
            movement=np.where(on, book.movement[stop], -1).astype(np.int32),
            side=np.where(on, must, 0).astype(np.int32),
            left_m=np.where(on & (must != 0), left_m, np.inf),
        )

    def _must(self) -> tuple[IntArray, FloatArray]:
        """Return to which side who is in a lane that does not lead on must go, and by when [m]."""
        vehicles, book = self._vehicles, self._book
        stop = vehicles.stop
        low, high = book.lane_low[stop], book.lane_high[stop]
        left_m = self._length_m[book.edge[stop]] - vehicles.offset_m + book.lane_view_m[stop]
        must = (vehicles.lane < low).astype(np.int32) - (vehicles.lane > high)
        return must, left_m

    def flags(self, identity: NDArray[np.int64]) -> IntArray:
        """Return the :class:`~v2x.mobility.fleet.KeyEvent` bits, (n_rows,); 0 in empty rows.

        Parameters
        ----------
        identity : (n_rows,) int64
            Who is in which row, -1 for nobody.
        """
        vehicles, classes = self._vehicles, self._classes
        on = vehicles.stop >= 0
        edge, kind = self._book.edge[vehicles.stop], vehicles.kind
        speed, grip = vehicles.speed_mps, self._grip[edge]
        wish = np.minimum(vehicles.wish_mps2, vehicles.controls.ceiling_mps2)
        wish = np.where(vehicles.mode == Mode.STOPPING, -vehicles.forced_mps2, wish)
        brakes = (vehicles.mode != Mode.BRAKELESS) & (speed > _ROLLING_MPS)
        flags = vehicles.events.copy()
        _set(flags, KeyEvent.HARD_BRAKING, vehicles.acceleration_mps2 < -HARD_BRAKING_MPS2)
        _set(flags, KeyEvent.ABS, brakes & (wish < -classes.emergency_mps2[kind] * grip))
        _set(flags, KeyEvent.TRACTION_LOSS, wish > classes.traction_mps2[kind] * grip)
        _set(flags, KeyEvent.STABILITY_CONTROL, self._skids(edge, speed, grip))
        _set(flags, KeyEvent.HAZARD_LIGHTS, self._at_end_of_queue(identity))
        return np.where(on, flags, 0).astype(np.int32)

    def _at_end_of_queue(self, identity: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return who has come to a rapid stop and has nobody standing behind it yet."""
        vehicles = self._vehicles
        speed = vehicles.speed_mps
        rapid = (vehicles.acceleration_mps2 < -HARD_BRAKING_MPS2) & (speed < _RAPID_STOP_MPS)
        self._warns &= (self._id == identity) & (speed < _RAPID_STOP_MPS)
        self._warns |= rapid & (vehicles.stop >= 0)
        behind = (vehicles.gap_m < _COVERED_M) & (speed < _STANDS_MPS) & (vehicles.leader >= 0)
        self._warns[vehicles.leader[behind]] = False
        self._id = identity.copy()
        return self._warns

    def _skids(self, edge: IntArray, speed: FloatArray, grip: FloatArray) -> NDArray[np.bool_]:
        """Return whose bend needs more side friction than there is: v²/R > g (μ + e)."""
        if not len(self._axis_m):
            return np.zeros(len(edge), dtype=np.bool_)
        offset_m = self._vehicles.offset_m
        k = np.searchsorted(self._axis_m, self._base_m[edge] + offset_m, side="right")
        k = np.minimum(k, len(self._axis_m) - 1)
        inside = (self._bend_edge[k] == edge) & (self._bend_begin_m[k] <= offset_m)
        holds = GRAVITY_MPS2 * (DRY_FRICTION * grip + self._superelevation)
        return np.asarray(inside & (speed * speed > self._radius_m[k] * holds))


def _set(flags: IntArray, event: KeyEvent, where: NDArray[np.bool_]) -> None:
    flags[where] |= event


def turning(network: LaneNetwork) -> IntArray:
    """Return the direction that a driver indicates for each movement, (n_movements,).

    +1 to the left and -1 to the right of the straightest way out of the edge; 0 for that one,
    unless it is itself a turn beside which other ways lead on.
    """
    out_rad, in_rad = (np.array(values) for values in directions_rad(network.road_map))
    angle = out_rad[network.to_edge] - in_rad[network.from_edge]
    angle = np.arctan2(np.sin(angle), np.cos(angle))
    turns = np.zeros(network.n_movements, dtype=np.int32)
    for first, end in zip(
        network.first_movement[:-1].tolist(), network.first_movement[1:].tolist(), strict=True
    ):
        if end - first < 2:
            continue
        ways = angle[first:end]
        straight = ways[np.abs(ways).argmin()]
        beside = np.sign(np.where(np.abs(ways - straight) > 1e-9, ways - straight, 0.0))
        sharp = np.cos(ways) < TURN_COSINE
        turns[first:end] = np.where(sharp, np.sign(ways), beside)
    return turns
