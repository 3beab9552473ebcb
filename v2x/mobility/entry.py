"""How a new vehicle comes onto a road on which others are."""

from __future__ import annotations

import math
from dataclasses import dataclass

from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import LIMIT_DECELERATION_MPS2, RouteBook
from v2x.mobility.vehicles import ClassTable, Vehicles, Workspace
from v2x.world.road_map import FloatArray, IntArray

#: Braking that a newcomer may cause behind it and may need itself [m/s²].
COMFORT_MPS2 = 1.5
#: Gap that stays even under the hardest braking [m].
CLEARANCE_M = 0.5
#: Time in hand before a newcomer or who follows it has to brake [s].
REACTION_S = 0.5


@dataclass(frozen=True, slots=True)
class Entry:
    """A vehicle that wants to enter.

    Attributes
    ----------
    row
        Its row, empty so far.
    stop
        First stop of its route.
    speed_factor
        What it makes of speed limits.
    """

    row: int
    stop: int
    speed_factor: float


def place_at_entry(
    entry: Entry,
    network: LaneNetwork,
    book: RouteBook,
    classes: ClassTable,
    vehicles: Vehicles,
    work: Workspace,
) -> bool:
    """Put a vehicle at the beginning of its route if that disturbs nobody.

    It appears with its whole length on the first edge: at its beginning where a road enters
    the map, else also farther along it, as if out of a driveway. Its speed is what the gap ahead,
    the end of the edge and the limit allow at comfortable braking.

    Returns
    -------
    bool
        Whether there was room.
    """
    row, stop = entry.row, entry.stop
    edge, movement = int(book.edge[stop]), int(book.movement[stop])
    road_map = network.road_map
    length_m, edge_m = float(vehicles.length_m[row]), float(road_map.edge_length_m[edge])
    kept_m = float(network.radius_m[movement]) + 5.0 if movement >= 0 else 0.0
    first, end = work.first_present[edge : edge + 2].tolist()
    there = work.row[first:end]
    front_m = work.front_m[first:end]
    lane_there = vehicles.lane[there] - work.shift[first:end]
    side = vehicles.from_side[there]
    low, high = int(book.lane_low[stop]), int(book.lane_high[stop])
    # Inside the map, clear of the node behind it.
    inside = bool((network.to_edge == edge).any())
    start_m = length_m + 15.0 if inside else length_m
    for offset_m in (start_m, 0.5 * edge_m):
        rest_m = edge_m - offset_m - kept_m
        if rest_m <= 0.0 or offset_m < start_m:
            continue
        exit_mps = float(book.exit_speed_mps[stop])
        limit_mps = min(
            float(road_map.edge_limit_mps[edge]),
            math.sqrt(exit_mps**2 + 2.0 * LIMIT_DECELERATION_MPS2 * (edge_m - offset_m)),
        )
        free_mps = min(
            entry.speed_factor * limit_mps,
            float(classes.desired_speed_mps[vehicles.kind[row]]),
            math.sqrt(2.0 * COMFORT_MPS2 * rest_m),
        )
        for lane in range(low, high + 1):
            mine = (lane_there == lane) | (lane_there + side == lane)
            reach_m = float(work.lane_reach_m[network.lane_base[edge] + lane])
            speed = _speed_between(
                entry, offset_m, free_mps, there[mine], front_m[mine], reach_m, classes, vehicles
            )
            if speed is not None:
                vehicles.put(row, stop, lane, offset_m, speed)
                vehicles.speed_factor[row] = entry.speed_factor
                return True
    return False


def _speed_between(
    entry: Entry,
    offset_m: float,
    free_mps: float,
    there: IntArray,
    front_m: FloatArray,
    reach_m: float,
    classes: ClassTable,
    vehicles: Vehicles,
) -> float | None:
    """Return the speed at which the vehicle fits in between those in its lane, or None."""
    row = entry.row
    rear_m = offset_m - float(vehicles.length_m[row])
    speed = free_mps
    ahead = front_m > offset_m
    for other, front in zip(there[ahead].tolist(), front_m[ahead].tolist(), strict=True):
        gap_m = front - float(vehicles.length_m[other]) - offset_m
        pace = float(vehicles.speed_mps[other])
        while not _follows_well(row, speed, other, pace, gap_m, classes, vehicles):
            speed *= 0.9
            if speed < 0.5:
                return None
    behind = ~ahead
    if not behind.any():
        return speed if reach_m <= rear_m - CLEARANCE_M else None
    for other, front in zip(there[behind].tolist(), front_m[behind].tolist(), strict=True):
        pace = float(vehicles.speed_mps[other])
        if not _follows_well(other, pace, row, speed, rear_m - front, classes, vehicles):
            return None
    return speed


def _follows_well(
    follower: int,
    speed_mps: float,
    leader: int,
    pace_mps: float,
    gap_m: float,
    classes: ClassTable,
    vehicles: Vehicles,
) -> bool:
    """Return whether one vehicle can follow another at these speeds without braking hard."""
    k = int(vehicles.kind[follower])
    brake = float(classes.emergency_mps2[k])
    hardest = max(brake, float(classes.emergency_mps2[vehicles.kind[leader]]))
    stop_m = speed_mps * speed_mps / (2.0 * brake) + REACTION_S * speed_mps
    if stop_m > gap_m - CLEARANCE_M + pace_mps * pace_mps / (2.0 * hardest):
        return False
    a, b = float(classes.acceleration_mps2[k]), float(classes.deceleration_mps2[k])
    dynamic = speed_mps * float(classes.headway_s[k])
    dynamic += speed_mps * (speed_mps - pace_mps) / (2.0 * math.sqrt(a * b))
    near = (float(classes.min_gap_m[k]) + max(dynamic, 0.0)) / max(gap_m, CLEARANCE_M)
    return a * (1.0 - near * near) >= -COMFORT_MPS2
