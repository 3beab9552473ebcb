"""What road users know of themselves: where they believe to be, and on which road."""

from __future__ import annotations

from typing import Any

import numpy as np

from v2x.mobility.fleet import FleetState, FloatArray, IntArray, NodeKind
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.positioning import BelievedState
from v2x.perception.states import States
from v2x.perception.ways import Projection
from v2x.units import US_PER_S
from v2x.world.road_map import RoadMap


class LanePlaces:
    """Finds the places of vehicles along roads that are already matched.

    Parameters
    ----------
    road_map
        Roads that positions are matched with.
    """

    def __init__(self, road_map: RoadMap) -> None:
        self._level = road_map.edge_level
        self._projection, self._geometry = Projection(road_map), RoadGeometry(road_map)

    def of(
        self,
        edge: IntArray,
        x_m: FloatArray,
        y_m: FloatArray,
        heading_rad: FloatArray,
        length_m: FloatArray,
    ) -> tuple[FloatArray, IntArray, IntArray]:
        """Return where vehicles are on edges.

        Parameters
        ----------
        edge : (n,) int32
            Matched edges, -1 off the road.
        x_m, y_m, heading_rad, length_m : (n,) float64
            Centres [m], directions [rad] and lengths [m].

        Returns
        -------
        offset_m : (n,) float64
            Of the front bumper along the edge [m].
        lane, level : (n,) int32
            As in :class:`~v2x.perception.states.States`.
        """
        offset, lane = np.zeros(len(edge)), np.full(len(edge), -1, dtype=np.int32)
        on = np.flatnonzero(edge >= 0)
        ahead = 0.5 * length_m[on]
        heading = heading_rad[on]
        offset[on], right = self._projection.onto(
            edge[on], x_m[on] + ahead * np.cos(heading), y_m[on] + ahead * np.sin(heading)
        )
        lane[on] = self._geometry.lane_at(edge[on], right)
        level = np.where(edge >= 0, self._level[edge], 0).astype(np.int32)
        return offset, lane, level


class OwnStates:
    """Works out what everybody believes of itself, tick after tick.

    Parameters
    ----------
    road_map
        Roads that positions are matched with.
    by_height
        Whether height helps to find the road.
    """

    def __init__(self, road_map: RoadMap, *, by_height: bool) -> None:
        self._places, self._by_height = LanePlaces(road_map), by_height
        self._before: FleetState | None = None

    def of(self, fleet: FleetState, believed: BelievedState | None) -> States:
        """Return the states of all rows; without positioning everybody knows where it is."""
        yaw_rate = self._yaw_rate(fleet)
        self._before = fleet
        common: dict[str, Any] = {
            "heading_rad": fleet.heading_rad,
            "yaw_rate_radps": yaw_rate,
            "speed_mps": fleet.speed_mps,
            "acceleration_mps2": fleet.acceleration_mps2,
            "turn": fleet.turn,
            "flags": fleet.flags,
        }
        if believed is None:
            return States(
                x_m=fleet.x_m,
                y_m=fleet.y_m,
                z_m=fleet.z_m,
                offset_m=fleet.offset_m,
                edge=fleet.edge,
                lane=fleet.lane,
                level=fleet.level,
                **common,
            )
        edge = (believed.edge_by_height if self._by_height else believed.edge_by_plan).copy()
        # Roadside units have been surveyed; walkers keep to the edge of their pavement.
        other = fleet.active & (fleet.kind > NodeKind.BUS)
        edge[other] = fleet.edge[other]
        offset, lane, level = self._places.of(
            edge, believed.x_m, believed.y_m, fleet.heading_rad, fleet.length_m
        )
        lane[other] = -1
        return States(
            x_m=believed.x_m,
            y_m=believed.y_m,
            z_m=believed.z_m,
            offset_m=offset,
            edge=edge,
            lane=lane,
            level=level,
            **common,
        )

    def _yaw_rate(self, fleet: FleetState) -> FloatArray:
        """Return how fast everybody turned since the last tick [rad/s]; newcomers go straight."""
        before = self._before
        if before is None or fleet.time_us == before.time_us:
            return np.zeros(fleet.n_rows)
        turned = np.angle(np.exp(1j * (fleet.heading_rad - before.heading_rad)))
        rate = turned * (US_PER_S / (fleet.time_us - before.time_us))
        return np.where(fleet.id == before.id, rate, 0.0)
