"""Vehicles that break down, creep or run away."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import KeyEvent
from v2x.mobility.hazards.base import Hazard, Scene, of_kind, place_of_row, way_to
from v2x.mobility.hazards.params import (
    BrakeFailureParams,
    SlowVehicleParams,
    StoppedVehicleParams,
)
from v2x.mobility.hazards.place import Place
from v2x.mobility.vehicles import Mode
from v2x.world.road_map import FloatArray

#: A vehicle is taken for one that passes the place up to so far behind it [m].
_PASSED_M = 30.0
#: Free road that somebody who is going to stop needs beyond the place where it stops [m].
_SPARE_M = 10.0
#: Nobody who is slower breaks down: it may stand in a queue [m/s].
_MOVES_MPS = 2.0
#: Deceleration with which a vehicle that has rolled out is held [m/s²].
_HELD_MPS2 = 3.0


class _OneVehicle(Hazard, ABC):
    """A hazard that a single vehicle is."""

    row: int = -1
    identity: int = -1

    def act(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Choose a vehicle, let it go on being a hazard, and release it in the end."""
        if self.row >= 0:
            if identity[self.row] != self.identity:
                # It has left the map, or was taken off the road.
                self.row, self.since_us = -1, None
                self._begin_us = self._end_us
            elif now_us >= self._end_us:
                self._release(self.row)
                self.row, self.since_us = -1, None
            else:
                self._go_on(self.row)
        elif self.is_time(now_us):
            row = self._chosen()
            if row is not None:
                self.row, self.identity, self.since_us = row, int(identity[row]), now_us
                self._begin(row)

    def where(self) -> Place:
        """Return where the vehicle is now."""
        return place_of_row(self.row, self._scene)

    @abstractmethod
    def _chosen(self) -> int | None:
        """Return the row that it strikes, None as long as none fits."""

    @abstractmethod
    def _begin(self, row: int) -> None:
        """Strike a row."""

    def _go_on(self, row: int) -> None:
        """Do what has to be done in every step."""

    def _release(self, row: int) -> None:
        vehicles = self._scene.vehicles
        vehicles.mode[row] = Mode.DRIVEN
        vehicles.events[row] &= ~(KeyEvent.HAZARD_LIGHTS | KeyEvent.DISABLED_VEHICLE)


class StoppedVehicle(_OneVehicle):
    """See :class:`~v2x.mobility.hazards.params.StoppedVehicleParams`."""

    def __init__(self, name: str, params: StoppedVehicleParams, place: Place, scene: Scene) -> None:
        super().__init__(name, params, place, scene)
        self._kind = params.kind
        self._deceleration_mps2 = params.deceleration_mps2

    def _chosen(self) -> int | None:
        vehicles = self._scene.vehicles
        way_m, lane = way_to(self._place, self._scene)
        speed = vehicles.speed_mps
        need_m = speed * speed / (2.0 * self._deceleration_mps2)
        in_step_m = 0.1 * speed
        # Now or never, in the right lane, and with a free road until it stands.
        fits = (way_m >= need_m - 1.0) & (way_m < need_m + in_step_m)
        fits &= (lane == self._place.lane) & (vehicles.from_side == 0)
        fits &= (vehicles.gap_m > need_m + _SPARE_M) & (speed > _MOVES_MPS)
        return _first(fits & of_kind(self._kind, self._scene), way_m)

    def _begin(self, row: int) -> None:
        vehicles = self._scene.vehicles
        vehicles.mode[row] = Mode.STOPPING
        vehicles.forced_mps2[row] = self._deceleration_mps2
        vehicles.events[row] |= KeyEvent.HAZARD_LIGHTS

    def _go_on(self, row: int) -> None:
        vehicles = self._scene.vehicles
        if vehicles.speed_mps[row] <= 0.0:
            vehicles.events[row] |= KeyEvent.DISABLED_VEHICLE


class SlowVehicle(_OneVehicle):
    """See :class:`~v2x.mobility.hazards.params.SlowVehicleParams`."""

    def __init__(self, name: str, params: SlowVehicleParams, place: Place, scene: Scene) -> None:
        super().__init__(name, params, place, scene)
        self._kind = params.kind
        self._speed_mps = params.speed_mps

    def _chosen(self) -> int | None:
        return _passing(self._kind, self._place, self._scene)

    def _begin(self, row: int) -> None:
        """Wait for the next tick."""

    def hold(self) -> None:
        """Go no faster, whatever others have asked in this tick."""
        if self.row >= 0:
            controls = self._scene.vehicles.controls
            controls.speed_mps[self.row] = min(float(controls.speed_mps[self.row]), self._speed_mps)

    def _release(self, row: int) -> None:
        self._scene.vehicles.controls.speed_mps[row] = np.inf


class BrakeFailure(_OneVehicle):
    """See :class:`~v2x.mobility.hazards.params.BrakeFailureParams`."""

    def __init__(self, name: str, params: BrakeFailureParams, place: Place, scene: Scene) -> None:
        super().__init__(name, params, place, scene)
        self._kind = params.kind
        self._temperature_c = params.temperature_c

    def _chosen(self) -> int | None:
        if self._temperature_c is None:
            return _passing(self._kind, self._place, self._scene)
        vehicles, classes = self._scene.vehicles, self._scene.classes
        heat_c = classes.ambient_c[vehicles.kind] + vehicles.brake_rise_k
        hot = of_kind(self._kind, self._scene) & (heat_c > self._temperature_c)
        return _first(hot, -heat_c)

    def _begin(self, row: int) -> None:
        vehicles = self._scene.vehicles
        vehicles.mode[row] = Mode.BRAKELESS
        vehicles.events[row] |= KeyEvent.HAZARD_LIGHTS

    def _go_on(self, row: int) -> None:
        vehicles = self._scene.vehicles
        if vehicles.mode[row] == Mode.BRAKELESS and vehicles.speed_mps[row] <= 0.0:
            # It has rolled out and is kept from rolling back.
            vehicles.mode[row] = Mode.STOPPING
            vehicles.forced_mps2[row] = _HELD_MPS2
            vehicles.events[row] |= KeyEvent.DISABLED_VEHICLE


def _passing(kind: str, place: Place, scene: Scene) -> int | None:
    """Return the vehicle that has just passed a place, in any lane."""
    way_m, _ = way_to(place, scene)
    passed = (way_m <= 0.0) & (way_m > -_PASSED_M)
    return _first(passed & of_kind(kind, scene), -way_m)


def _first(possible: NDArray[np.bool_], key: FloatArray) -> int | None:
    """Return the possible row with the smallest key, None if there is none."""
    rows = np.flatnonzero(possible)
    return int(rows[key[rows].argmin()]) if len(rows) else None
