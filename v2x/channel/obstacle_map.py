"""The map as waves meet it: decks, walls, ground, tubes, in flat arrays made once.

The exact reference (:mod:`v2x.channel.obstacles`) and the kernel read the same arrays, so that
they can differ only in arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from v2x.channel.cell_index import CellIndex, index_cells
from v2x.world.geometry import twin_edges
from v2x.world.road_map import FloatArray, IntArray, RoadMap, Structure
from v2x.world.tubes import find_tubes


@dataclass(frozen=True, slots=True, kw_only=True)
class ObstacleMap:
    """Everything on a map that may stand between two antennas. All arrays are read-only.

    Attributes
    ----------
    terrain_west_m, terrain_south_m, terrain_step_m
        South-western point of the terrain grid and the distance of its points [m].
    terrain_height_m : (n_rows, n_columns) float64
        Height of the ground [m], rows northward; of size (0, 0) without terrain.
    terrain_water : (n_rows, n_columns) uint8
        Whether the point lies on water.
    deck_x0_m, deck_y0_m, deck_z0_m, deck_x1_m, deck_y1_m, deck_z1_m : (n_decks,) float64
        Ends of the middle line of each deck segment, at the height of the road [m]. A segment
        reaches from one point of a bridge's polyline to the next; the two directions of an
        undivided bridge are one deck.
    deck_half_width_m : (n_decks,) float64
        Distance from the middle line to either long edge [m].
    deck_edge : (n_decks,) int32
        Edge of the map that the segment belongs to, of twins the lower one.
    wall_x0_m, wall_y0_m, wall_x1_m, wall_y1_m : (n_walls,) float64
        Ends of each wall of a building [m].
    wall_top_m : (n_walls,) float64
        Height of the roof above it [m].
    wall_building : (n_walls,) int32
        Building that the wall belongs to.
    edge_tube : (n_edges,) int32
        Tube of each edge of the map, -1 outside tunnels.
    edge_width_m : (n_edges,) float64
        Width of the carriageway that the edge is part of [m], both directions if undivided.
    n_tubes
        Number of tubes.
    portal_tube : (n_portals,) int32
        Tube that opens there.
    portal_x_m, portal_y_m, portal_z_m : (n_portals,) float64
        Middle of the mouth at road height [m].
    portal_out_x, portal_out_y : (n_portals,) float64
        Unit vector out of the tube, in plan.
    portal_half_width_m : (n_portals,) float64
        Half the width of the carriageway in the mouth [m].
    decks, walls
        Where deck segments (their whole width) and walls are.
    """

    terrain_west_m: float
    terrain_south_m: float
    terrain_step_m: float
    terrain_height_m: FloatArray
    terrain_water: NDArray[np.uint8]
    deck_x0_m: FloatArray
    deck_y0_m: FloatArray
    deck_z0_m: FloatArray
    deck_x1_m: FloatArray
    deck_y1_m: FloatArray
    deck_z1_m: FloatArray
    deck_half_width_m: FloatArray
    deck_edge: IntArray
    wall_x0_m: FloatArray
    wall_y0_m: FloatArray
    wall_x1_m: FloatArray
    wall_y1_m: FloatArray
    wall_top_m: FloatArray
    wall_building: IntArray
    edge_tube: IntArray
    edge_width_m: FloatArray
    n_tubes: int
    portal_tube: IntArray
    portal_x_m: FloatArray
    portal_y_m: FloatArray
    portal_z_m: FloatArray
    portal_out_x: FloatArray
    portal_out_y: FloatArray
    portal_half_width_m: FloatArray
    decks: CellIndex
    walls: CellIndex

    def __post_init__(self) -> None:
        """Make every array read-only."""
        for holder in (self, self.decks, self.walls):
            for name in holder.__slots__:
                value = getattr(holder, name)
                if isinstance(value, np.ndarray):
                    value.flags.writeable = False

    @property
    def has_terrain(self) -> bool:
        """Whether the height of the ground is known."""
        return self.terrain_height_m.size > 0

    @property
    def n_decks(self) -> int:
        """Number of deck segments."""
        return len(self.deck_edge)

    @property
    def n_walls(self) -> int:
        """Number of walls."""
        return len(self.wall_building)

    @property
    def n_portals(self) -> int:
        """Number of portals."""
        return len(self.portal_tube)


def obstacle_map_of(road_map: RoadMap) -> ObstacleMap:
    """Return the obstacles of a map."""
    twin = twin_edges(road_map)
    lanes = road_map.edge_lanes.astype(np.float64)
    width_m = (lanes + np.where(twin >= 0, lanes[twin], 0.0)) * road_map.lane_width_m
    deck_end, deck_half_width_m, deck_edge = _deck_segments(road_map, twin, width_m)
    wall_end, wall_top_m, wall_building = _walls(road_map)
    terrain = road_map.terrain
    tubes = find_tubes(road_map)
    height_m, water = np.zeros((0, 0)), np.zeros((0, 0), dtype=np.uint8)
    if terrain is not None:
        height_m, water = terrain.height_m.astype(np.float64), terrain.water.astype(np.uint8)
    return ObstacleMap(
        terrain_west_m=0.0 if terrain is None else float(terrain.west_m),
        terrain_south_m=0.0 if terrain is None else float(terrain.south_m),
        terrain_step_m=1.0 if terrain is None else float(terrain.step_m),
        terrain_height_m=height_m,
        terrain_water=water,
        deck_x0_m=deck_end[0].copy(),
        deck_y0_m=deck_end[1].copy(),
        deck_z0_m=deck_end[2].copy(),
        deck_x1_m=deck_end[3].copy(),
        deck_y1_m=deck_end[4].copy(),
        deck_z1_m=deck_end[5].copy(),
        deck_half_width_m=deck_half_width_m,
        deck_edge=deck_edge,
        wall_x0_m=wall_end[0].copy(),
        wall_y0_m=wall_end[1].copy(),
        wall_x1_m=wall_end[2].copy(),
        wall_y1_m=wall_end[3].copy(),
        wall_top_m=wall_top_m,
        wall_building=wall_building,
        edge_tube=tubes.edge_tube.copy(),
        edge_width_m=width_m,
        n_tubes=tubes.n_tubes,
        portal_tube=tubes.portal_tube.copy(),
        portal_x_m=tubes.portal_x_m.copy(),
        portal_y_m=tubes.portal_y_m.copy(),
        portal_z_m=tubes.portal_z_m.copy(),
        portal_out_x=tubes.portal_out_x.copy(),
        portal_out_y=tubes.portal_out_y.copy(),
        portal_half_width_m=0.5 * tubes.portal_width_m,
        decks=index_cells(deck_end[[0, 1, 3, 4]], deck_half_width_m),
        walls=index_cells(wall_end, np.zeros(len(wall_top_m))),
    )


def _deck_segments(
    road_map: RoadMap, twin: IntArray, width_m: FloatArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return ends (6, n), half width and edge of the segments of bridges."""
    bridge = road_map.edge_structure == Structure.BRIDGE
    # Of two twins, one direction stands for the deck; a twin that is no bridge stands for none.
    once = (twin < 0) | (twin > np.arange(road_map.n_edges)) | ~bridge[twin]
    n_points = np.diff(road_map.first_point)
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n_points)
    points = np.stack([road_map.point_x_m, road_map.point_y_m, road_map.point_z_m])
    starts = np.flatnonzero((edge[:-1] == edge[1:]) & (bridge & once)[edge[:-1]])
    ends = np.concatenate([points[:, starts], points[:, starts + 1]])
    long = np.hypot(ends[3] - ends[0], ends[4] - ends[1]) > 0.0
    of_edge = edge[starts][long]
    return ends[:, long], 0.5 * width_m[of_edge], of_edge


def _walls(road_map: RoadMap) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return ends (4, n), top and building of the walls of all outlines."""
    buildings = road_map.buildings
    if buildings is None:
        return np.zeros((4, 0)), np.zeros(0), np.zeros(0, dtype=np.int32)
    n_corners = np.diff(buildings.first_corner)
    building = np.repeat(np.arange(buildings.n_buildings, dtype=np.int32), n_corners)
    onward = np.arange(1, len(building) + 1)
    occupied = n_corners > 0
    onward[buildings.first_corner[1:][occupied] - 1] = buildings.first_corner[:-1][occupied]
    x, y = buildings.corner_x_m, buildings.corner_y_m
    ends = np.stack([x, y, x[onward], y[onward]])
    long = np.hypot(ends[2] - ends[0], ends[3] - ends[1]) > 0.0
    return ends[:, long], buildings.top_m[building][long], building[long]
