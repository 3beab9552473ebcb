"""Stretches of road that are slippery or in fog."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.conditions import FogStretch, RoadConditions
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.hazards.base import Hazard, Scene
from v2x.mobility.hazards.params import FogBankParams, SlipperyParams
from v2x.mobility.hazards.place import Place, straight_on
from v2x.units import US_PER_S
from v2x.world.road_map import Structure
from v2x.world.weather import DRY_FRICTION

#: Distance of the points at which roads are asked whether they lie in fog [m].
_STEP_M = 10.0
#: Visibility from which fog comes up [m]: where it begins by name.
_CLEAR_M = 1000.0
#: Steps in which fog comes up.
_STAGES = 5


class Slippery(Hazard):
    """See :class:`~v2x.mobility.hazards.params.SlipperyParams`."""

    def __init__(self, name: str, params: SlipperyParams, place: Place, scene: Scene) -> None:
        super().__init__(name, params, place, scene)
        length_m = scene.network.road_map.edge_length_m
        every = set(range(len(length_m)))
        chain = straight_on(scene.network, place.edge, every)
        begins_m = np.cumsum(length_m[chain]) - length_m[chain] - place.offset_m
        self._edges = np.array(chain)[begins_m < params.length_m]
        self._grip = params.friction / DRY_FRICTION
        self._usual = scene.conditions.edge_grip[self._edges].copy()

    def act(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Take the grip away, and give it back in the end."""
        grip = self._scene.conditions.edge_grip
        if self.since_us is None and self.is_time(now_us):
            grip[self._edges] = np.minimum(self._usual, self._grip)
            self.since_us = now_us
        elif self.since_us is not None and now_us >= self._end_us:
            grip[self._edges] = self._usual
            self.since_us = None


#: Conditions of the map with fog of a visibility [m] in the bank, with the same stations always.
ConditionsInFog = Callable[[float], RoadConditions]


class FogBank(Hazard):
    """See :class:`~v2x.mobility.hazards.params.FogBankParams`.

    Parameters
    ----------
    in_fog
        Returns the conditions of the map for a visibility in the bank.
    delay_s
        How much later drivers react in dense fog [s].
    """

    def __init__(
        self,
        name: str,
        params: FogBankParams,
        place: Place,
        scene: Scene,
        in_fog: ConditionsInFog,
        delay_s: float,
    ) -> None:
        super().__init__(name, params, place, scene)
        self._params = params
        self._in_fog = in_fog
        self._delay_s = delay_s
        road_map = scene.network.road_map
        self._open = road_map.edge_structure != Structure.TUNNEL
        self._visibility_m = np.inf
        self.act(0, np.empty(0, dtype=np.int64))

    def act(self, now_us: int, identity: NDArray[np.int64]) -> None:
        """Let the fog come up or go away by a step if it is time."""
        visibility_m = self.visibility_m(now_us)
        if visibility_m == self._visibility_m:
            return
        self._visibility_m = visibility_m
        self.since_us = None if np.isinf(visibility_m) else self._begin_us
        now, then = self._scene.conditions, self._in_fog(visibility_m)
        now.cap_mps[:], now.reach_mps[:] = then.cap_mps, then.reach_mps
        self._scene.book.renew(now)

    def blur(self) -> None:
        """Shorten sight in the bank, and into it for those who drive towards it."""
        if np.isinf(self._visibility_m):
            return
        vehicles, book = self._scene.vehicles, self._scene.book
        rows = np.flatnonzero(vehicles.stop >= 0)
        edge = book.edge[vehicles.stop[rows]]
        none = np.zeros(len(rows))
        x, y, _, heading = self._scene.geometry.position(edge, vehicles.offset_m[rows], none)
        dx, dy = self._place.x_m - x, self._place.y_m - y
        outside_m = np.hypot(dx, dy) - self._params.radius_m
        nears = dx * np.cos(heading) + dy * np.sin(heading) > 0.0
        sees_fog = self._open[edge] & ((outside_m <= 0.0) | nears)
        seen_m = np.where(sees_fog, np.maximum(outside_m, 0.0) + self._visibility_m, np.inf)
        vehicles.sight_m[rows] = np.minimum(vehicles.sight_m[rows], seen_m)
        inside = self._open[edge] & (outside_m <= 0.0)
        vehicles.delay_s[rows[inside]] += self._delay_s

    def visibility_m(self, now_us: int) -> float:
        """Return the visibility in the bank at `now_us` [µs], infinite without fog [m]."""
        rise_us = round(self._params.rise_s * US_PER_S)
        if now_us < self._begin_us or now_us >= self._end_us + rise_us:
            return np.inf
        up = down = 1.0
        if self._begin_us > 0 and rise_us > 0:
            up = min((now_us - self._begin_us) / rise_us, 1.0)
        if now_us >= self._end_us and rise_us > 0:
            down = 1.0 - (now_us - self._end_us) / rise_us
        share = np.ceil(min(up, down) * _STAGES) / _STAGES
        return float(_CLEAR_M ** (1.0 - share) * self._params.visibility_m**share)


def fog_stretches(
    place: Place, radius_m: float, sight_m: float, geometry: RoadGeometry
) -> list[FogStretch]:
    """Return the stretches of open road within a disc around a place.

    Parameters
    ----------
    place, radius_m
        The disc.
    sight_m
        Visibility in it [m].
    geometry
        The map.
    """
    road_map = geometry.road_map
    found = []
    for edge in np.flatnonzero(road_map.edge_structure != Structure.TUNNEL).tolist():
        length_m = float(road_map.edge_length_m[edge])
        at_m = np.linspace(0.0, length_m, max(2, round(length_m / _STEP_M) + 1))
        x, y, _, _ = geometry.position(
            np.full(len(at_m), edge, dtype=np.int32), at_m, np.zeros(len(at_m))
        )
        inside = np.hypot(x - place.x_m, y - place.y_m) <= radius_m
        if not inside.any():
            continue
        # The hull of what is inside: a road that leaves a disc and comes back is rare.
        first, last = np.flatnonzero(inside)[[0, -1]].tolist()
        if last > first:
            found.append(FogStretch(edge, float(at_m[first]), float(at_m[last]), sight_m))
    return found
