"""Many pairs of a host and a vehicle on another deck, seen through positioning, map and scene."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tests.simulation_parts import fleet_state
from v2x.mobility.fleet import FleetState
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.junctions import lane_network
from v2x.mobility.positioning import BelievedState, Positioning
from v2x.mobility.positioning_params import PositioningParams
from v2x.perception.board import Board
from v2x.perception.ldm import Heard, LocalDynamicMap
from v2x.perception.own_state import OwnStates
from v2x.perception.scene import LevelCheck, Outlook, Scene
from v2x.perception.seen import nothing_seen
from v2x.perception.ways import Ways
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import RoadMap, Structure

HALF_LENGTH_M = 2.5


def decks(lines: list[list[tuple[float, float, float]]], lanes: int = 1) -> RoadMap:
    """Return roads that never meet, each a bridge one level above the one before."""
    n = len(lines)
    points = np.array([point for line in lines for point in line])
    return road_map_of(
        name="decks",
        edge_from=2 * np.arange(n),
        edge_to=2 * np.arange(n) + 1,
        edge_lanes=np.full(n, lanes),
        edge_limit_mps=np.full(n, 20.0),
        edge_level=np.arange(n),
        edge_structure=np.full(n, Structure.BRIDGE),
        edge_class=np.zeros(n),
        class_names=("trunk",),
        edge_name=("",) * n,
        polylines=Polylines(np.cumsum([0, *map(len, lines)]), *points.T.copy()),
    )


def stack(apart_m: float, aside_m: float = 0.0) -> RoadMap:
    """Return two parallel straight roads 2 km long, one above the other or beside it too."""
    return decks(
        [
            [(0.0, 0.0, 0.0), (2000.0, 0.0, 0.0)],
            [(0.0, aside_m, apart_m), (2000.0, aside_m, apart_m)],
        ]
    )


def gnss(sigma_m: float, ratio: float, **others: float) -> PositioningParams:
    """Return positioning that is as good under a deck as under the sky."""
    return PositioningParams(
        open_sigma_m=sigma_m, deck_sigma_m=sigma_m, vertical_ratio=ratio, **others
    )


def standing(
    road_map: RoadMap, edge: ArrayLike, offset_m: ArrayLike, time_us: int = 0, **columns: Any
) -> FleetState:
    """Return cars in the middle of roads, with their front bumpers at these places."""
    edges, offsets = np.broadcast_arrays(np.asarray(edge, dtype=np.int32), np.asarray(offset_m))
    road = RoadGeometry(road_map)
    middle = road.lane_lateral_m(edges, np.zeros_like(edges))
    x, y, z, heading = road.position(edges, offsets.astype(np.float64), middle)
    return fleet_state(
        time_us,
        x - HALF_LENGTH_M * np.cos(heading),
        y_m=y - HALF_LENGTH_M * np.sin(heading),
        z_m=z,
        heading_rad=heading,
        edge=edges,
        offset_m=offsets,
        level=road.level(edges),
        **columns,
    )


def couples(
    road_map: RoadMap,
    edges: tuple[int, int],
    offsets_m: tuple[float, float],
    speeds_mps: tuple[float, float] = (20.0, 10.0),
    *,
    n: int,
) -> FleetState:
    """Return n hosts in the first rows and as many others in the rest, each couple alike."""
    return standing(
        road_map,
        np.repeat(edges, n),
        np.repeat(np.array(offsets_m, dtype=np.float64), n),
        speed_mps=np.repeat(np.array(speeds_mps, dtype=np.float64), n),
    )


def believed_of(
    fleet: FleetState, road_map: RoadMap, params: PositioningParams, seed: int = 1
) -> BelievedState:
    return Positioning(params, road_map, seed).believe(fleet)


def scene_of_couples(
    fleet: FleetState,
    road_map: RoadMap,
    believed: BelievedState | None,
    check: LevelCheck,
    gate_m: float = 3.5,
) -> Scene:
    """Return a scene in which the first half of the rows knows one of the second half each."""
    n = fleet.n_rows // 2
    own = OwnStates(road_map, by_height=check is LevelCheck.MAP_HEIGHT).of(fleet, believed)
    ldm = LocalDynamicMap(fleet.n_rows, 200_000, 100_000)
    ldm.tell(fleet, own)
    now = np.full(n, fleet.time_us, dtype=np.int64)
    host = np.arange(n, dtype=np.int32)
    known = ldm.known(fleet, Heard((host + n).astype(np.int32), host, now))
    outlook = Outlook(
        ways=Ways(lane_network(road_map), 300.0),
        level_check=check,
        gate_m=gate_m,
        lane_width_m=road_map.lane_width_m,
        wrap_length_m=road_map.wrap_length_m,
        friction=np.full(road_map.n_edges, 0.7),
        grade=np.zeros(road_map.n_edges),
        limit_mps=road_map.edge_limit_mps,
    )
    board, seen = Board(fleet.n_rows, 1_000_000), nothing_seen(fleet.time_us)
    return Scene(fleet, own, known, seen, board, fleet.active, outlook)
