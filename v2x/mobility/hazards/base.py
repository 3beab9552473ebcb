"""What a hazard sees of the traffic, and what it promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.conditions import RoadConditions
from v2x.mobility.fleet import NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.hazards.params import HazardParams
from v2x.mobility.hazards.place import Place, place_at
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
from v2x.mobility.vehicles import ClassTable, Mode, Vehicles
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray

#: Edges ahead on which the way of a vehicle to the place is followed.
_HOPS = 12


class KnownHazard(NamedTuple):
    """What somebody who watches the place can know of a hazard.

    Attributes
    ----------
    kind
        Name as in a scenario.
    x_m, y_m, z_m
        Where it is [m].
    edge, lane
        Road edge and lane.
    from_us
        Since when [µs].
    """

    kind: str
    x_m: float
    y_m: float
    z_m: float
    edge: int
    lane: int
    from_us: int


@dataclass(frozen=True, slots=True)
class Scene:
    """The traffic in which something goes wrong.

    Attributes
    ----------
    network, geometry, conditions, book, classes, vehicles
        Parts of the traffic model; a hazard may change conditions and vehicles.
    first_obstacle : int
        First row that is kept for obstacles.
    reroute
        Sends the vehicle of a row to its goal without some edges.
    """

    network: LaneNetwork
    geometry: RoadGeometry
    conditions: RoadConditions
    book: RouteBook
    classes: ClassTable
    vehicles: Vehicles
    first_obstacle: int
    reroute: Callable[[int, frozenset[int]], bool]


class Hazard:
    """Something that goes wrong at a place for some time; by itself it does nothing.

    Parameters
    ----------
    name
        Name in a scenario.
    params
        Place and time.
    place
        Where.
    scene
        The traffic around.
    """

    def __init__(self, name: str, params: HazardParams, place: Place, scene: Scene) -> None:
        self._name = name
        self._place = place
        self._scene = scene
        self._begin_us = round(params.from_s * US_PER_S)
        self._end_us = (
            np.iinfo(np.int64).max if params.until_s is None else round(params.until_s * US_PER_S)
        )
        #: Since when it is there [µs]; None before and after.
        self.since_us: int | None = None

    @property
    def place(self) -> Place:
        """Where it happens."""
        return self._place

    def act(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Do what is due at `now_us`, before vehicles look around.

        Parameters
        ----------
        now_us
            Time of the step [µs].
        identity : (n_rows,) int64
            Who is in which row.
        """

    def hold(self) -> None:
        """Ask of vehicles what has to be asked anew in every tick, before they move."""

    def blur(self) -> None:
        """Take from what vehicles see and can, after it has been noted for the step."""

    def known(self, now_us: int) -> list[KnownHazard]:
        """Return what can be known at `now_us` [µs] by watching the place."""
        return [] if self.since_us is None else [self._seen_at(self.where(), self.since_us)]

    def where(self) -> Place:
        """Return where it is now."""
        return self._place

    def is_time(self, now_us: int) -> bool:
        """Return whether it is between begin and end."""
        return self._begin_us <= now_us < self._end_us

    def _seen_at(self, place: Place, since_us: int) -> KnownHazard:
        return KnownHazard(
            self._name, place.x_m, place.y_m, place.z_m, place.edge, place.lane, since_us
        )


def way_to(place: Place, scene: Scene) -> tuple[FloatArray, IntArray]:
    """Return how far each vehicle has to go to a place, and in which lane it would come there.

    Returns
    -------
    way_m : (n_rows,) float64
        Distance of the front [m], negative on the same edge behind it; infinite for those
        whose way does not lead there within a dozen edges.
    lane : (n_rows,) int32
        Lane on the edge of the place if nobody changes lanes before.
    """
    book, vehicles, network = scene.book, scene.vehicles, scene.network
    length_m = network.road_map.edge_length_m
    way_m = np.full(vehicles.n_rows, np.inf)
    lane = vehicles.lane.copy()
    rows = np.flatnonzero(vehicles.stop >= 0)
    stop, start_m = vehicles.stop[rows], -vehicles.offset_m[rows]
    for _ in range(_HOPS):
        edge = book.edge[stop]
        there = edge == place.edge
        way_m[rows[there]] = start_m[there] + place.offset_m
        goes_on = ~there & (book.after[stop] >= 0)
        rows, stop, start_m = rows[goes_on], stop[goes_on], start_m[goes_on]
        if not len(rows):
            break
        start_m = start_m + length_m[book.edge[stop]]
        lane[rows] += network.lane_shift[book.movement[stop]]
        stop = book.after[stop]
    return way_m, lane


def of_kind(kind: str, scene: Scene) -> NDArray[np.bool_]:
    """Return which rows hold a vehicle of a kind, driven by its driver; ``any`` for all kinds."""
    vehicles = scene.vehicles
    driven = (vehicles.stop >= 0) & (vehicles.mode == Mode.DRIVEN)
    driven[scene.first_obstacle :] = False
    if kind == "any":
        return np.asarray(driven)
    return np.asarray(driven & (vehicles.kind == NodeKind[kind.upper()]))


def place_of_row(row: int, scene: Scene) -> Place:
    """Return where the front of a vehicle is."""
    vehicles = scene.vehicles
    edge = int(scene.book.edge[vehicles.stop[row]])
    return place_at(edge, float(vehicles.offset_m[row]), int(vehicles.lane[row]), scene.geometry)
