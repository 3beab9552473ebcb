"""The road network in three dimensions: the one form in which every other room sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from v2x.world.buildings import Buildings
    from v2x.world.terrain import Terrain

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
#: Reference system of maps that have no place on the Earth.
LOCAL_CRS = "local"


class Structure(IntEnum):
    """What carries an edge."""

    GROUND = 0
    BRIDGE = 1
    TUNNEL = 2


@dataclass(frozen=True, slots=True)
class MapReport:
    """What the import decided for the user; every figure is a count unless its key has a unit.

    Attributes
    ----------
    defaults_used
        Attribute ("lanes", "maxspeed", ...) to the number of edges that got a default;
        "building_height" counts buildings, "terrain_voids" cells of the height raster.
    dropped
        Reason to the amount left out ("edges_not_drivable", "km_not_between_entry_and_exit", ...).
    notes
        Sentences for the reader, such as the height source and the share of voids filled.
    """

    defaults_used: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadMap:
    """Directed road network in local metres.

    x points east, y north, z up. Edges are one-way; a two-way street is two edges. All arrays
    are read-only. Edge `e` has the polyline points ``first_point[e]`` to ``first_point[e + 1]``
    (exclusive); at least two, the first at its from-node and the last at its to-node.

    Attributes
    ----------
    name, attribution
        Name of the map; the sentence every figure of it must show (empty if none is owed).
    crs
        Coordinate reference system of x and y, such as "EPSG:32648"; "local" for synthetic maps.
    origin_x_m, origin_y_m
        Coordinates in `crs` of the local point (0, 0) [m].
    node_x_m, node_y_m, node_z_m : (n_nodes,) float64
        Position [m].
    node_osm_id : (n_nodes,) int64
        OpenStreetMap id, or -1.
    node_signal : (n_nodes,) bool
        Whether traffic lights control the node.
    edge_from, edge_to : (n_edges,) int32
        Nodes at the ends.
    edge_length_m : (n_edges,) float64
        Length along the polyline in three dimensions [m].
    edge_lanes : (n_edges,) int32
        Lanes in the direction of travel, at least 1; lane 0 is the rightmost.
    edge_limit_mps : (n_edges,) float64
        Speed limit [m/s].
    edge_structure : (n_edges,) int32
        A :class:`Structure`.
    edge_level : (n_edges,) int32
        OpenStreetMap layer: 0 on the ground, positive above, negative below.
    edge_class : (n_edges,) int32
        Index into `class_names`.
    edge_name : tuple of str
        Street name per edge, possibly empty.
    edge_osm_way : (n_edges,) int64
        First OpenStreetMap way of the edge, or -1.
    first_point : (n_edges + 1,) int32
        Where each edge's polyline begins in the point arrays.
    point_x_m, point_y_m, point_z_m : (n_points,) float64
        Polyline points [m].
    point_offset_m : (n_points,) float64
        Distance along the edge in three dimensions [m]; 0 at its first point.
    lane_width_m : float
        Width of a lane [m].
    wrap_length_m : float
        Length of the period in x of a wrap-around map [m]; 0 if the map has ends.
    corridor_x, corridor_y : (n_edges,) int32 or None
        For street canyons: index of the east-west and of the north-south street an edge lies
        in, -1 for none. Antennas see each other past buildings only if they share one.
        None means no buildings are modelled.
    terrain
        The ground around the roads; None if it is not known, or level.
    buildings
        Outlines of buildings; None if the map has none.
    report
        What the import defaulted and dropped.
    """

    name: str
    attribution: str
    crs: str
    origin_x_m: float
    origin_y_m: float
    node_x_m: FloatArray
    node_y_m: FloatArray
    node_z_m: FloatArray
    node_osm_id: NDArray[np.int64]
    node_signal: NDArray[np.bool_]
    edge_from: IntArray
    edge_to: IntArray
    edge_length_m: FloatArray
    edge_lanes: IntArray
    edge_limit_mps: FloatArray
    edge_structure: IntArray
    edge_level: IntArray
    edge_class: IntArray
    class_names: tuple[str, ...]
    edge_name: tuple[str, ...]
    edge_osm_way: NDArray[np.int64]
    first_point: IntArray
    point_x_m: FloatArray
    point_y_m: FloatArray
    point_z_m: FloatArray
    point_offset_m: FloatArray
    lane_width_m: float = 3.5
    wrap_length_m: float = 0.0
    corridor_x: IntArray | None = None
    corridor_y: IntArray | None = None
    terrain: Terrain | None = None
    buildings: Buildings | None = None
    report: MapReport = field(default_factory=MapReport)

    def __post_init__(self) -> None:
        """Make every array read-only."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.node_x_m)

    @property
    def n_edges(self) -> int:
        """Number of directed edges."""
        return len(self.edge_from)

    @property
    def edge_from_xy(self) -> FloatArray:
        """Plan position of each edge's from-node, shape (n_edges, 2) [m]."""
        return np.column_stack((self.node_x_m[self.edge_from], self.node_y_m[self.edge_from]))

    @property
    def edge_to_xy(self) -> FloatArray:
        """Plan position of each edge's to-node, shape (n_edges, 2) [m]."""
        return np.column_stack((self.node_x_m[self.edge_to], self.node_y_m[self.edge_to]))
