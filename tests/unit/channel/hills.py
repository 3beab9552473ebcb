"""Hand-made maps with height, and antennas on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from v2x.channel.antenna import Antennas
from v2x.world.buildings import Buildings
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import RoadMap, Structure
from v2x.world.terrain import Terrain


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A road through points (x, y, z); both directions if `two_way`."""

    points: Sequence[tuple[float, float, float]]
    structure: Structure = Structure.GROUND
    lanes: int = 2
    level: int = 0
    two_way: bool = False


def map_of(
    *roads: Road, terrain: Terrain | None = None, buildings: Buildings | None = None
) -> RoadMap:
    """Return the map of these roads; those that share an end point meet there."""
    nodes: dict[tuple[float, float, float], int] = {}
    drawn = []
    for road in roads:
        drawn.append((road, list(road.points)))
        if road.two_way:
            drawn.append((road, list(road.points)[::-1]))
    ends = [[nodes.setdefault(points[at], len(nodes)) for at in (0, -1)] for _, points in drawn]
    xyz = np.array([point for _, points in drawn for point in points], dtype=np.float64).T
    return road_map_of(
        name="hills",
        edge_from=[begin for begin, _ in ends],
        edge_to=[end for _, end in ends],
        edge_lanes=[road.lanes for road, _ in drawn],
        edge_limit_mps=[20.0] * len(drawn),
        edge_structure=[road.structure for road, _ in drawn],
        edge_level=[road.level for road, _ in drawn],
        edge_class=[0] * len(drawn),
        class_names=["trunk"],
        edge_name=[f"road {k}" for k in range(len(drawn))],
        polylines=Polylines(
            np.cumsum([0, *(len(points) for _, points in drawn)]), xyz[0], xyz[1], xyz[2]
        ),
        terrain=terrain,
        buildings=buildings,
    )


def terrain_of(
    height: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    water: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    half_m: float = 600.0,
    step_m: float = 10.0,
) -> Terrain:
    """Return a square terrain around the origin."""
    coordinate = np.arange(-half_m, half_m + step_m / 2, step_m)
    x, y = np.meshgrid(coordinate, coordinate)
    wet = np.zeros(x.shape, dtype=np.bool_) if water is None else water(x, y)
    return Terrain(
        west_m=-half_m,
        south_m=-half_m,
        step_m=step_m,
        height_m=np.broadcast_to(height(x, y), x.shape).astype(np.float32),
        water=wet,
    )


def house(x_m: float, y_m: float, side_m: float, top_m: float) -> Buildings:
    """Return one square building around a point."""
    h = side_m / 2.0
    return Buildings(
        first_corner=np.array([0, 4], dtype=np.int32),
        corner_x_m=np.array([x_m - h, x_m + h, x_m + h, x_m - h]),
        corner_y_m=np.array([y_m - h, y_m - h, y_m + h, y_m + h]),
        base_m=np.array([0.0]),
        top_m=np.array([top_m]),
    )


def antennas(
    *positions: tuple[float, float, float],
    tube: int | Sequence[int] = -1,
    axis_rad: float | Sequence[float] = 0.0,
    width_m: float = 7.0,
    roadside: bool = False,
) -> Antennas:
    """Return antennas at these positions."""
    n = len(positions)
    return Antennas(
        position_m=np.array(positions, dtype=np.float64).reshape(-1, 3).T.copy(),
        tube=np.full(n, tube, dtype=np.int32),
        axis_rad=np.full(n, axis_rad, dtype=np.float64),
        width_m=np.full(n, width_m),
        roadside=np.full(n, roadside, dtype=np.bool_),
    )
