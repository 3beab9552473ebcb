"""Print the tables of ``docs/positioning.md``: how often vehicles take the wrong deck.

Run from the checkout:  python docs/make_positioning.py
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace

import numpy as np
from pyproj import Transformer
from scipy.spatial import cKDTree
from scipy.stats import norm

from v2x.mobility.fleet import FleetState
from v2x.mobility.geometry import RoadGeometry
from v2x.mobility.positioning import Positioning, PositioningParams
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import FloatArray, IntArray, RoadMap
from v2x.world.store import builtin_map, load_map

#: Middle of the five-level interchange (WGS-84) and the radius that is looked at [m].
LATITUDE_DEG, LONGITUDE_DEG, RADIUS_M = 29.588, 106.601, 500.0
#: Decks of the stack in ``applications.md`` 8.2 [m].
DECK_M = (0.0, 8.0, 15.0, 22.0, 30.0)
#: Vehicles at each place.
COPIES = 20
SEED = 1


def standing(road_map: RoadMap, edge: IntArray, offset_m: FloatArray, lane: IntArray) -> FleetState:
    """Return cars whose front bumpers are at these places."""
    road = RoadGeometry(road_map)
    x, y, z, heading = road.position(edge, offset_m, road.lane_lateral_m(edge, lane))
    n = len(edge)
    return FleetState(
        time_us=0,
        id=np.arange(n, dtype=np.int64),
        kind=np.zeros(n, dtype=np.int32),
        x_m=x - 2.5 * np.cos(heading),
        y_m=y - 2.5 * np.sin(heading),
        z_m=z,
        heading_rad=heading,
        speed_mps=np.zeros(n),
        acceleration_mps2=np.zeros(n),
        edge=edge,
        lane=lane,
        offset_m=offset_m,
        level=road.level(edge),
        tunnel=road.tunnel(edge),
        length_m=np.full(n, 5.0),
        width_m=np.full(n, 2.0),
        height_m=np.full(n, 1.6),
        antenna_height_m=np.full(n, 1.6),
        leader=np.full(n, -1, dtype=np.int32),
        gap_m=np.full(n, np.inf),
    )


def stack() -> RoadMap:
    """Return straight roads one exactly above the other."""
    n = len(DECK_M)
    return road_map_of(
        name="stack",
        edge_from=np.arange(n),
        edge_to=np.arange(n) + n,
        edge_lanes=np.ones(n),
        edge_limit_mps=np.full(n, 16.7),
        edge_level=np.arange(n),
        edge_class=np.zeros(n),
        class_names=("trunk",),
        edge_name=("",) * n,
        polylines=Polylines(
            2 * np.arange(n + 1), np.tile([0.0, 1000.0], n), np.zeros(2 * n), np.repeat(DECK_M, 2)
        ),
    )


def wrong_in_stack(sigma_z_m: float) -> float:
    """Return the chance that the nearest deck in height is not the own one, mean of all decks."""
    tail = norm.sf(0.5 * np.diff(DECK_M) / sigma_z_m)
    return float(2.0 * tail.sum() / len(DECK_M))


def stack_table() -> list[str]:
    """Return a table that compares matching in the stack with the closed form."""
    road_map = stack()
    n = 50_000
    edge = np.arange(n, dtype=np.int32) % len(DECK_M)
    fleet = standing(road_map, edge, np.full(n, 500.0), np.zeros(n, dtype=np.int32))
    lines = [
        "| vertical sigma [m] | wrong without height | wrong with height | closed form |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for sigma_z_m in (1.0, 2.6, 5.0, 8.75):
        params = PositioningParams(
            open_sigma_m=sigma_z_m / 1.75,
            deck_sigma_m=sigma_z_m / 1.75,
            map_height_sigma_m=0.0,
        )
        believed = Positioning(params, road_map, SEED).believe(fleet)
        plan = np.mean(believed.level_by_plan != fleet.level)
        height = np.mean(believed.level_by_height != fleet.level)
        closed = wrong_in_stack(sigma_z_m)
        lines.append(f"| {sigma_z_m:g} | {plan:.3f} | {height:.3f} | {closed:.3f} |")
    return lines


def interchange(road_map: RoadMap) -> tuple[FleetState, dict[str, np.ndarray]]:
    """Return cars every 5 m of the interchange, and which of them stand where roads are stacked."""
    to_map = Transformer.from_crs(4326, road_map.crs, always_xy=True)
    x, y = to_map.transform(LONGITUDE_DEG, LATITUDE_DEG)
    centre = x - road_map.origin_x_m, y - road_map.origin_y_m
    n_places = np.maximum(1, np.ceil(road_map.edge_length_m / 5.0)).astype(np.int64)
    edge = np.repeat(np.arange(road_map.n_edges, dtype=np.int32), n_places)
    rank = np.arange(len(edge)) - np.repeat(np.cumsum(n_places) - n_places, n_places)
    offset_m = (rank + 0.5) / n_places[edge] * road_map.edge_length_m[edge]
    lane = (rank % road_map.edge_lanes[edge]).astype(np.int32)
    fleet = standing(road_map, edge, offset_m, lane)
    near = np.hypot(fleet.x_m - centre[0], fleet.y_m - centre[1]) < RADIUS_M
    edge, offset_m, lane = edge[near], offset_m[near], lane[near]
    fleet = standing(road_map, edge, offset_m, lane)
    a, b = (
        cKDTree(np.stack([fleet.x_m, fleet.y_m], axis=1)).query_pairs(12.0, output_type="ndarray").T
    )
    apart = np.abs(fleet.z_m[a] - fleet.z_m[b]) >= 3.0
    alike = np.cos(fleet.heading_rad[a] - fleet.heading_rad[b]) > math.cos(math.radians(30.0))
    places = {"everywhere": np.ones(len(edge), dtype=np.bool_)}
    for name, pair in (
        ("another deck within 12 m", apart),
        ("and within 30 degrees", apart & alike),
    ):
        places[name] = np.zeros(len(edge), dtype=np.bool_)
        places[name][np.concatenate([a[pair], b[pair]])] = True
    crowd = standing(road_map, *(np.tile(part, COPIES) for part in (edge, offset_m, lane)))
    return crowd, {name: np.tile(there, COPIES) for name, there in places.items()}


def interchange_table() -> list[str]:
    """Return how often each way of matching picks a wrong level or edge."""
    road_map = load_map(builtin_map("chongqing-central"))
    fleet, places = interchange(road_map)
    lines = [
        "| place | horizontal sigma [m] | n | level: distance | with height | with direction "
        "| with both | edge: distance | with both |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for sigma_m in (1.5, 5.0, 10.0):
        params = PositioningParams(open_sigma_m=sigma_m, deck_sigma_m=sigma_m)
        one = Positioning(params, road_map, SEED).believe(fleet)
        params = replace(params, match_heading_sigma_deg=1e6)
        blind = Positioning(params, road_map, SEED).believe(fleet)
        wrong = [
            blind.level_by_plan != fleet.level,
            blind.level_by_height != fleet.level,
            one.level_by_plan != fleet.level,
            one.level_by_height != fleet.level,
            blind.edge_by_plan != fleet.edge,
            one.edge_by_height != fleet.edge,
        ]
        for name, there in places.items():
            shares = " | ".join(f"{np.mean(column[there]):.3f}" for column in wrong)
            lines.append(f"| {name} | {sigma_m:g} | {there.sum()} | {shares} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join([*stack_table(), "", *interchange_table(), ""]))
