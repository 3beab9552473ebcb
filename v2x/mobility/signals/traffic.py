"""The lights as routed traffic meets them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.demand import Trips
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook, Router
from v2x.mobility.signals.approaches import Approaching, approaching, detection, inattentive
from v2x.mobility.signals.base import SignalControl
from v2x.mobility.vehicles import Vehicles
from v2x.rng import key32
from v2x.world.road_map import FloatArray

#: How much longer than on empty roads trips take, in the flows that plans are made for
#: (assumption).
SLOWER = 1.5


def expected_flows_per_s(
    network: LaneNetwork, router: Router, book: RouteBook, trips: Trips, n_vehicles: int
) -> FloatArray:
    """Return how many vehicles per second will make each movement, (n_movements,) [1/s].

    So many vehicles are always under way; each trip takes half as long again as on empty roads.
    """
    count = np.zeros(network.n_movements)
    time_s = 0.0
    for first, weight in zip(trips.first.tolist(), trips.weight.tolist(), strict=True):
        stop = first
        while stop >= 0:
            time_s += weight * float(router.time_s[book.edge[stop]])
            if book.movement[stop] >= 0:
                count[book.movement[stop]] += weight
            stop = int(book.after[stop])
            if stop == first:
                break
    return count * (n_vehicles / (SLOWER * time_s)) if time_s > 0 else count


class TrafficLights:
    """Runs lights in step with traffic and tells the kernel who may go.

    Parameters
    ----------
    control
        The lights.
    network, book, vehicles
        State of the traffic, owned by the model.
    seed
        Seed of the run.
    """

    def __init__(
        self,
        control: SignalControl,
        network: LaneNetwork,
        book: RouteBook,
        vehicles: Vehicles,
        seed: int,
    ) -> None:
        self.control = control
        self._network = network
        self._book = book
        self._vehicles = vehicles
        self._key = key32(seed, "mobility", "signals", "runners")

    def at(self, time_us: int, identity: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return whether each movement may be made at `time_us` [µs], (n_movements,).

        Parameters
        ----------
        time_us
            Time [µs], not before the last one.
        identity : (n_rows,) int64
            Stable id of each vehicle.
        """
        control, vehicles = self.control, self._vehicles
        watched, missed = control.detector_m > 0.0, control.runner_share > 0.0
        seen = None
        if watched or missed:
            there = approaching(self._network, self._book, vehicles)
            if watched:
                seen = detection(
                    there, vehicles.length_m, control.detector_m, self._network.n_movements
                )
            if missed:
                self._overlook(there, identity)
        control.advance(time_us, seen)
        return control.green

    def _overlook(self, there: Approaching, identity: NDArray[np.int64]) -> None:
        """Let those drive on who have not noticed the lights, nor are told to brake."""
        vehicles = self._vehicles
        ignores = vehicles.ignores
        ignores[ignores >= 0] = -1
        rows, nodes = inattentive(
            there,
            identity,
            vehicles.speed_mps,
            self._network.node,
            self.control.runner_share,
            self._key,
        )
        alone = (ignores[rows] == -1) & (vehicles.controls.ceiling_mps2[rows] >= 0.0)
        ignores[rows[alone]] = nodes[alone]
