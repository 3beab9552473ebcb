"""Obstacles of the map on every link of the table, judged again only where somebody moved.

A link is judged when either end enters another cell of ``obstacle_cell_m``, another edge or
another tube; in between it carries what was found. ``docs/channel3d.md`` says what that costs
in accuracy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from v2x._kernels import links
from v2x._kernels.obstacles import Grid, ObstacleTracer
from v2x.channel.attenuation import fog_db_per_km, rain_db_per_km
from v2x.channel.base import FloatArray, LogDistanceLaw, ShadowingStatistics
from v2x.channel.cell_index import CellIndex
from v2x.channel.obstacle_map import ObstacleMap, obstacle_map_of
from v2x.channel.obstacle_params import TERRAIN_METHODS, ObstacleParams
from v2x.channel.slab import MATERIALS, slab_db
from v2x.channel.water import ament_factor, vertical_reflection, water_permittivity
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.units import SPEED_OF_LIGHT_MPS
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

if TYPE_CHECKING:
    from v2x.channel.link_table import LinkTable

#: Entries of the tables over an angle.
_N_ANGLES = 1025
#: Carriageway assumed around nodes that stand on no road [m].
_OFF_ROAD_WIDTH_M = 10.0
#: Decorrelation of shadowing inside tubes [m], as on the highway of TR 37.885.
_TUNNEL_DECORRELATION_M = 25.0
#: Ways through a mouth longer than this many interaction ranges carry no power.
_LONGEST_DETOUR = 2.0
_METHOD = {"none": 0, "bullington": 1, "deygout": 2}
assert set(_METHOD) == set(TERRAIN_METHODS)


class ObstacleLinks:
    """Judges links by the obstacles of a map.

    Parameters
    ----------
    obstacles
        The map as waves meet it.
    params
        What its parts do to them.
    carrier_ghz
        Carrier frequency [GHz].
    longest_m
        Longest link [m].
    air_db_per_m
        Loss in rain and fog under the open sky [dB/m].
    reflection : (2, n) float64
        Reflection of water by the sine of the grazing angle, see :class:`ObstacleTracer`.

    Attributes
    ----------
    params
        As given.
    tracer
        The kernel, ready for this map.
    tunnel
        Law and shadowing inside tubes.
    tunnel_relief_db
        By how much vehicles block less there [dB].
    """

    #: Mark of links that have not been judged.
    UNKNOWN: ClassVar[int] = 255

    def __init__(
        self,
        obstacles: ObstacleMap,
        params: ObstacleParams,
        *,
        carrier_ghz: float,
        longest_m: float,
        air_db_per_m: float,
        reflection: FloatArray,
    ) -> None:
        free_space_1m_db = 20.0 * np.log10(4.0 * np.pi * carrier_ghz * 1e9 / SPEED_OF_LIGHT_MPS)
        self.tunnel = (
            LogDistanceLaw(
                start_m=np.zeros(1),
                intercept_db=np.array([free_space_1m_db]),
                slope_db=np.array([10.0 * params.tunnel_exponent]),
                min_distance_m=1.0,
            ),
            ShadowingStatistics(params.tunnel_sigma_db, _TUNNEL_DECORRELATION_M),
        )
        self.tunnel_relief_db = params.tunnel_relief_db
        self._obstacles, self.params = obstacles, params
        self.tracer = tracer_of(obstacles, params, carrier_ghz, longest_m, air_db_per_m, reflection)
        self._place: NDArray[np.int64] | None = None

    def judge(
        self,
        table: LinkTable,
        fleet: FleetState,
        position: NDArray[np.float32],
        newcomer: NDArray[np.bool_],
    ) -> None:
        """Set obstacle, extra loss and code of every link.

        `position` holds the antennas, shape (3, n_rows) [m]; `newcomer` the rows with another
        road user than before.
        """
        place = self._places(fleet, position)
        stale = np.ones(fleet.n_rows, dtype=np.bool_)
        if self._place is not None:
            stale = newcomer | (place != self._place).any(axis=0)
        self._place = place
        ground = np.empty(fleet.n_rows)
        self.tracer.ground(position[0], position[1], ground)
        width = np.full(fleet.n_rows, _OFF_ROAD_WIDTH_M)
        road = np.where(fleet.edge >= 0, fleet.edge, fleet.tunnel)
        width[road >= 0] = self._obstacles.edge_width_m[road[road >= 0]]
        self.tracer.judge(
            table.row_start,
            table.neighbour,
            position,
            ground,
            place[2].astype(np.int32),
            np.stack([np.cos(fleet.heading_rad), np.sin(fleet.heading_rad)]),
            width,
            (fleet.kind == NodeKind.RSU).view(np.uint8),
            stale.view(np.uint8),
            table.reach_m,
            table.column("obstacle"),
            table.column("extra"),
        )
        links.obstruct(
            table.row_start,
            table.neighbour,
            table.column("obstacle"),
            np.zeros(fleet.n_rows, dtype=np.int32),
            table.code,
        )

    def _places(self, fleet: FleetState, position: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return cell, tube and edge of every row: what may change its obstacles."""
        place = np.empty((4, fleet.n_rows), dtype=np.int64)
        place[:2] = np.floor(position[:2] / self.params.obstacle_cell_m)
        place[2] = -1
        inside = fleet.tunnel >= 0
        if self.params.tunnels:
            place[2, inside] = self._obstacles.edge_tube[fleet.tunnel[inside]]
        place[3] = fleet.edge
        return place


def obstacle_links_of(
    road_map: RoadMap,
    params: ObstacleParams,
    weather: WeatherParams,
    *,
    carrier_ghz: float,
    interaction_range_m: float,
) -> ObstacleLinks | None:
    """Return the obstacles of a map for its link table, None if nothing stands in any way.

    Wrap-around maps are level and open; rain and fog are left out there too.
    """
    obstacles = obstacle_map_of(road_map)
    empty = not (
        (obstacles.has_terrain and params.terrain_method != "none")
        or (obstacles.n_decks and params.decks)
        or (obstacles.n_tubes and params.tunnels)
        or (obstacles.n_walls and params.buildings)
    )
    air_db_per_km = rain_db_per_km(weather.rain_mm_h, carrier_ghz) + fog_db_per_km(
        weather.visibility_m, carrier_ghz, temperature_c=params.fog_temperature_c
    )
    if road_map.wrap_length_m > 0 or (empty and air_db_per_km == 0.0):
        return None
    return ObstacleLinks(
        obstacles,
        params,
        carrier_ghz=carrier_ghz,
        longest_m=interaction_range_m,
        air_db_per_m=float(air_db_per_km) / 1000.0,
        reflection=_water_reflection(params, carrier_ghz),
    )


def _water_reflection(params: ObstacleParams, carrier_ghz: float) -> FloatArray:
    """Return the reflection of rough water by the sine of the grazing angle, (2, n_angles)."""
    grazing = np.arcsin(np.linspace(0.0, 1.0, _N_ANGLES))
    permittivity = water_permittivity(
        carrier_ghz, params.water_temperature_c, params.water_conductivity_s_per_m
    )
    wavelength_m = SPEED_OF_LIGHT_MPS / (carrier_ghz * 1e9)
    coefficient = vertical_reflection(permittivity, grazing) * ament_factor(
        params.water_roughness_m, grazing, wavelength_m
    )
    return np.stack([coefficient.real, coefficient.imag])


def _grid(index: CellIndex) -> Grid:
    return Grid(
        west_m=index.west_m,
        south_m=index.south_m,
        cell_m=index.cell_m,
        n_columns=index.n_columns,
        n_rows=index.n_rows,
        first_item=index.first_item,
        item=index.item,
    )


def _range_by_cell(obstacles: ObstacleMap) -> FloatArray:
    """Return the lowest and highest deck in each cell of their index, shape (2, n_cells) [m]."""
    index = obstacles.decks
    n_cells = index.n_columns * index.n_rows
    cell = np.repeat(np.arange(n_cells), np.diff(index.first_item))
    ends_m = np.stack([obstacles.deck_z0_m, obstacles.deck_z1_m])[:, index.item]
    bounds = np.full((2, n_cells), np.inf)
    bounds[1] = -np.inf
    np.minimum.at(bounds[0], cell, ends_m.min(axis=0))
    np.maximum.at(bounds[1], cell, ends_m.max(axis=0))
    return bounds


def tracer_of(
    obstacles: ObstacleMap,
    params: ObstacleParams,
    carrier_ghz: float,
    longest_m: float,
    air_db_per_m: float,
    reflection: FloatArray,
) -> ObstacleTracer:
    """Return the kernel for the obstacles of a map; arguments as of :class:`ObstacleLinks`."""
    o = obstacles
    decks = np.column_stack(
        [
            o.deck_x0_m, o.deck_y0_m, o.deck_z0_m,
            o.deck_x1_m, o.deck_y1_m, o.deck_z1_m,
            o.deck_half_width_m,
        ]
    )  # fmt: skip
    walls = np.column_stack([o.wall_x0_m, o.wall_y0_m, o.wall_x1_m, o.wall_y1_m, o.wall_top_m])
    portals = np.column_stack(
        [
            o.portal_x_m, o.portal_y_m, o.portal_z_m,
            o.portal_out_x, o.portal_out_y, o.portal_half_width_m,
        ]
    )  # fmt: skip
    cosine = np.linspace(0.0, 1.0, _N_ANGLES)
    through_db = slab_db(
        MATERIALS[params.deck_material], params.deck_thickness_m, np.arccos(cosine), carrier_ghz
    )
    return ObstacleTracer(
        height=o.terrain_height_m.astype(np.float32),
        water=np.ascontiguousarray(o.terrain_water),
        west_m=o.terrain_west_m,
        south_m=o.terrain_south_m,
        step_m=o.terrain_step_m,
        decks=np.ascontiguousarray(decks[: len(decks) if params.decks else 0]),
        deck_grid=_grid(o.decks),
        deck_range=_range_by_cell(o),
        walls=np.ascontiguousarray(walls[: len(walls) if params.buildings else 0]),
        wall_grid=_grid(o.walls),
        portals=np.ascontiguousarray(portals),
        portal_tube=o.portal_tube,
        slab_db=np.minimum(through_db, 300.0),
        reflection=reflection if params.water else np.zeros((2, 1)),
        heights=np.zeros(int(_LONGEST_DETOUR * longest_m / o.terrain_step_m) + 4),
        seen=np.zeros(o.n_decks, dtype=np.int32),
        carrier_ghz=carrier_ghz,
        terrain_method=_METHOD[params.terrain_method],
        deygout_c_db=params.deygout_c_db,
        deck_cap_db=params.deck_cap_db,
        tunnel_exponent=params.tunnel_exponent,
        tunnel_bend_db_per_m=params.tunnel_bend_db_per_100m / 100.0,
        mouth_m=params.portal_mouth_m,
        on_axis_db=params.portal_on_axis_db,
        off_axis_low_db=params.portal_off_axis_db[0],
        off_axis_high_db=params.portal_off_axis_db[1],
        water_limit_db=params.water_limit_db,
        air_db_per_m=air_db_per_m,
        beamwidth_deg=params.rsu_beamwidth_deg,
        downtilt_deg=params.rsu_downtilt_deg,
        side_lobe_db=params.rsu_side_lobe_db,
    )
