"""What lies on lanes or bars them: rocks, and the barrier of a closed road."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.hazards.base import Hazard, KnownHazard, Scene, way_to
from v2x.mobility.hazards.params import ClosedRoadParams, RockfallParams
from v2x.mobility.hazards.place import Place, place_at
from v2x.mobility.vehicles import Mode
from v2x.world.road_map import IntArray

#: Nobody may be nearer than it needs to stop and this when an obstacle comes [m] and [s].
_MARGIN_M, _MARGIN_S = 10.0, 1.0
#: Depth of a barrier along the road [m].
BARRIER_M = 1.0
#: How often drivers look out for a way round a closed road [µs].
_LOOK_US = 1_000_000


class _Obstacles(Hazard):
    """Bodies without a driver, in rows of the kernel that are no vehicles of the fleet."""

    def __init__(
        self,
        name: str,
        params: RockfallParams | ClosedRoadParams,
        place: Place,
        scene: Scene,
        lanes: IntArray,
        length_m: float,
    ) -> None:
        super().__init__(name, params, place, scene)
        self._lanes = lanes
        self._length_m = length_m
        first = scene.first_obstacle
        self._rows = np.arange(first, first + len(lanes))

    def act(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Put the obstacle there when nobody is too near, and take it away in the end."""
        if self.since_us is None and self.is_time(now_us) and self._is_free():
            self._put()
            self.since_us = now_us
        elif self.since_us is not None and now_us >= self._end_us:
            self._scene.vehicles.stop[self._rows] = -1
            self.since_us = None

    def known(self, now_us: int) -> list[KnownHazard]:
        """Return one entry for each lane."""
        if self.since_us is None:
            return []
        places = [
            place_at(self._place.edge, self._place.offset_m, lane, self._scene.geometry)
            for lane in self._lanes.tolist()
        ]
        return [self._seen_at(place, self.since_us) for place in places]

    def _is_free(self) -> bool:
        """Return whether everybody is past the place or could still stop before it."""
        vehicles = self._scene.vehicles
        way_m, _ = way_to(self._place, self._scene)
        need_m = vehicles.stopping_m + _MARGIN_S * vehicles.speed_mps + _MARGIN_M
        passed = way_m < -(vehicles.length_m + self._length_m)
        return bool((passed | (way_m > need_m)).all())

    def _put(self) -> None:
        scene, vehicles = self._scene, self._scene.vehicles
        stop = int(np.flatnonzero(scene.book.edge == self._place.edge)[0])
        edge_m = float(scene.network.road_map.edge_length_m[self._place.edge])
        front_m = min(self._place.offset_m + self._length_m, float(np.nextafter(edge_m, 0.0)))
        for row, lane in zip(self._rows.tolist(), self._lanes.tolist(), strict=True):
            vehicles.put(row, stop, lane, front_m, 0.0)
            vehicles.mode[row] = Mode.STOPPING


class Rockfall(_Obstacles):
    """See :class:`~v2x.mobility.hazards.params.RockfallParams`."""

    def __init__(self, name: str, params: RockfallParams, place: Place, scene: Scene) -> None:
        lanes = rock_lanes(params, place, int(scene.network.road_map.edge_lanes[place.edge]))
        super().__init__(name, params, place, scene, lanes, params.length_m)


class ClosedRoad(_Obstacles):
    """See :class:`~v2x.mobility.hazards.params.ClosedRoadParams`."""

    def __init__(self, name: str, params: ClosedRoadParams, place: Place, scene: Scene) -> None:
        n_lanes = int(scene.network.road_map.edge_lanes[place.edge])
        begin = place_at(place.edge, 0.0, place.lane, scene.geometry)
        lanes = np.arange(n_lanes, dtype=np.int32)
        super().__init__(name, params, begin, scene, lanes, BARRIER_M)
        self._notice_m = params.notice_m
        self._looked_us = -_LOOK_US

    def act(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Bar the road, and send those elsewhere who see it and have another way."""
        super().act(now_us, identity)
        if self.since_us is None or now_us - self._looked_us < _LOOK_US:
            return
        self._looked_us = now_us
        way_m, _ = way_to(self._place, self._scene)
        near = (way_m > 0.0) & (way_m < self._notice_m)
        for row in np.flatnonzero(near[: self._scene.first_obstacle]).tolist():
            self._scene.reroute(row, frozenset((self._place.edge,)))


def rock_lanes(params: RockfallParams, place: Place, n_lanes: int) -> IntArray:
    """Return the lanes on which rocks lie."""
    return np.arange(place.lane, min(place.lane + params.n_lanes, n_lanes), dtype=np.int32)
