"""Where vehicles think they are: satellite navigation, dead reckoning, and a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.mobility.fleet import FleetState, FloatArray, IntArray, NodeKind
from v2x.mobility.map_matching import MapMatcher
from v2x.mobility.position_errors import PositionErrors
from v2x.mobility.positioning_params import PositioningParams
from v2x.mobility.sky_view import SkyView
from v2x.world.road_map import RoadMap


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedState:
    """What the rows of a :class:`~v2x.mobility.fleet.FleetState` believe at the same instant.

    Roadside nodes have been surveyed: they believe what is true, and so do empty rows. Only
    vehicles match their position with the map. Arrays are read-only.

    Attributes
    ----------
    time_us : int
        Time of the state [µs].
    x_m, y_m, z_m : (n_rows,) float64
        Centre of the vehicle at road height [m]; on a wrap-around map x may leave the period.
    horizontal_sigma_m, vertical_sigma_m : (n_rows,) float64
        How far it may be off: root mean square of the error in plan and in height [m].
    sky : (n_rows,) int32
        A :class:`~v2x.records.tables.Sky`; -1 for empty rows and roadside nodes.
    edge_by_plan, edge_by_height : (n_rows,) int32
        Road edge matched without and with height, -1 where none is near.
    level_by_plan, level_by_height : (n_rows,) int32
        Deck levels of these edges, 0 off the road.
    """

    time_us: int
    x_m: FloatArray
    y_m: FloatArray
    z_m: FloatArray
    horizontal_sigma_m: FloatArray
    vertical_sigma_m: FloatArray
    sky: IntArray
    edge_by_plan: IntArray
    edge_by_height: IntArray
    level_by_plan: IntArray
    level_by_height: IntArray

    def __post_init__(self) -> None:
        """Make every array read-only."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False


class Positioning:
    """Gives every road user a position to believe, state after state.

    Parameters
    ----------
    params
        See :class:`~v2x.mobility.positioning_params.PositioningParams`.
    road_map
        What hides the sky, and what vehicles match their positions with.
    seed
        Seed of the run.
    """

    Params = PositioningParams

    def __init__(self, params: PositioningParams, road_map: RoadMap, seed: int) -> None:
        self._level = road_map.edge_level
        self._sky_view = SkyView(road_map, params.canyon_angle_deg)
        self._errors = PositionErrors(params, road_map.wrap_length_m, seed)
        self._matcher = MapMatcher(
            road_map,
            params.match_radius_m,
            params.match_heading_sigma_deg,
            params.map_height_sigma_m,
        )

    def believe(self, fleet: FleetState) -> BelievedState:
        """Return what everybody believes; `fleet` is later than the last one."""
        sky = self._sky_view.of(fleet)
        self._errors.advance(fleet, sky)
        error_m = self._errors.error_m()
        horizontal_sigma_m, vertical_sigma_m = self._errors.sigma_m()
        x, y, z = fleet.x_m + error_m[0], fleet.y_m + error_m[1], fleet.z_m + error_m[2]
        by_plan = np.full(fleet.n_rows, -1, dtype=np.int32)
        by_height = by_plan.copy()
        on = np.flatnonzero(fleet.active & (fleet.kind <= NodeKind.BUS))
        # The edge of a vehicle is that of its front bumper.
        heading, ahead = fleet.heading_rad[on], 0.5 * fleet.length_m[on]
        by_plan[on], by_height[on] = self._matcher.match(
            x[on] + ahead * np.cos(heading),
            y[on] + ahead * np.sin(heading),
            z[on],
            heading,
            horizontal_sigma_m[on],
            vertical_sigma_m[on],
        )
        return BelievedState(
            time_us=fleet.time_us,
            x_m=x,
            y_m=y,
            z_m=z,
            horizontal_sigma_m=horizontal_sigma_m,
            vertical_sigma_m=vertical_sigma_m,
            sky=sky,
            edge_by_plan=by_plan,
            edge_by_height=by_height,
            level_by_plan=self._level_of(by_plan),
            level_by_height=self._level_of(by_height),
        )

    def _level_of(self, edge: IntArray) -> IntArray:
        return np.where(edge >= 0, self._level[edge], 0).astype(np.int32)
