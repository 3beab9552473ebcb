"""Emergency vehicles on duty, and those who hear them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.mobility.emergency_params import EmergencyParams
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import Vehicles
from v2x.units import US_PER_S
from v2x.world.road_map import IntArray

#: Number for every node in the column ``ignores`` of the vehicles.
ALL_NODES = -2


class EmergencyVehicles:
    """Makes some cars emergency vehicles while they are on duty.

    Parameters
    ----------
    params
        How many, and what they may.
    network, book, vehicles
        State of the traffic, owned by the model.
    n_rows
        Rows of the fleet: the first ones of the vehicles.
    seed
        Seed of the run; which cars they are is the stream ``"mobility", "emergency"``.

    Attributes
    ----------
    rows : (n,) int64
        Rows of the emergency vehicles.
    """

    def __init__(
        self,
        params: EmergencyParams,
        network: LaneNetwork,
        book: RouteBook,
        vehicles: Vehicles,
        n_rows: int,
        seed: int,
    ) -> None:
        self._params = params
        self._network = network
        self._book = book
        self._vehicles = vehicles
        cars = np.flatnonzero(vehicles.kind[:n_rows] == NodeKind.CAR)
        draw = rng.stream(seed, "mobility", "emergency")
        self.rows: NDArray[np.int64] = np.sort(draw.permutation(cars)[: params.n_vehicles])
        self._factor = np.ones(len(self.rows))
        self._on_duty = False
        #: Rows that heard a siren in the last step, and what they were asked for.
        self._asked: dict[int, int] = {}

    def step(self, time_us: int) -> None:
        """Set what emergency vehicles and those around them do until the next step."""
        params, vehicles = self._params, self._vehicles
        until_s = params.until_s
        on_duty = time_us >= params.from_s * US_PER_S
        on_duty &= until_s is None or time_us < until_s * US_PER_S
        rows = self.rows
        if on_duty:
            if not self._on_duty:
                self._factor[:] = vehicles.speed_factor[rows]
            vehicles.speed_factor[rows] = params.speed_factor
            vehicles.ignores[rows] = ALL_NODES if params.passes_red else -1
            vehicles.events[rows] |= KeyEvent.SIREN
        elif self._on_duty:
            vehicles.speed_factor[rows] = self._factor
            vehicles.ignores[rows] = -1
            vehicles.events[rows] &= ~KeyEvent.SIREN
        self._on_duty = on_duty
        self._give_way(on_duty)

    def _give_way(self, on_duty: bool) -> None:
        """Ask those who hear a siren to leave its lane, and the others to stay out of it."""
        controls = self._vehicles.controls
        for row, wish in self._asked.items():
            if controls.lane_wish[row] == wish:
                controls.lane_wish[row] = 0
            if wish == 0:
                controls.keep_lane[row] = 0
        self._asked = {}
        if not on_duty or self._params.hearing_m == 0.0:
            return
        for row in self.rows.tolist():
            if self._vehicles.stop[row] >= 0:
                self._call(row)
        for row, wish in self._asked.items():
            if wish == 0:
                controls.keep_lane[row] = 1
            elif controls.lane_wish[row] == 0:
                controls.lane_wish[row] = wish

    def _call(self, row: int) -> None:
        """Reach those ahead of one emergency vehicle on its own way."""
        vehicles, book, network = self._vehicles, self._book, self._network
        stop, lane = int(vehicles.stop[row]), int(vehicles.lane[row])
        ahead_m = -float(vehicles.offset_m[row])
        active = vehicles.stop >= 0
        at_edge: IntArray = np.where(active, book.edge[np.maximum(vehicles.stop, 0)], -1)
        while stop >= 0 and ahead_m < self._params.hearing_m:
            edge = int(book.edge[stop])
            distance = ahead_m + vehicles.offset_m
            hears = (at_edge == edge) & (distance > 0.0) & (distance <= self._params.hearing_m)
            lanes = int(network.road_map.edge_lanes[edge])
            for other in np.flatnonzero(hears).tolist():
                if other == row or vehicles.events[other] & KeyEvent.SIREN:
                    continue
                in_the_way = int(vehicles.lane[other]) == lane and lanes > 1
                self._asked[other] = 0 if not in_the_way else -1 if lane > 0 else 1
            ahead_m += float(network.road_map.edge_length_m[edge])
            movement = int(book.movement[stop])
            if movement >= 0:
                lane += int(network.lane_shift[movement])
            stop = int(book.after[stop])
