"""How a new vehicle comes onto a road on which others are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from v2x._kernels.car_following import CarFollowing
from v2x.mobility.conditions import RoadConditions
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.routes import RouteBook
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


@dataclass(frozen=True, slots=True)
class EntryRoad:
    """The roads that newcomers enter, and who is on them.

    Attributes
    ----------
    network, conditions, book, classes, vehicles, work
        What the kernel works on.
    kernel
        Knows how fast one may go and where one stops.
    """

    network: LaneNetwork
    conditions: RoadConditions
    book: RouteBook
    classes: ClassTable
    vehicles: Vehicles
    work: Workspace
    kernel: CarFollowing


@dataclass(frozen=True, slots=True)
class _Body:
    """A vehicle on the road, or one that may come onto it.

    Attributes
    ----------
    kind, length_m
        Class and length [m].
    stop, offset_m
        Where its front is: stop of a route and distance along its edge [m].
    speed_mps
        Speed [m/s].
    """

    kind: int
    length_m: float
    stop: int
    offset_m: float
    speed_mps: float


def place_at_entry(entry: Entry, road: EntryRoad) -> bool:
    """Put a vehicle at the beginning of its route if that disturbs nobody.

    It appears with its whole length on the first edge: at its beginning where a road enters
    the map, else also farther along it, as if out of a driveway. Its speed is what the gap ahead,
    the end of the edge and the limit allow at comfortable braking.

    Returns
    -------
    bool
        Whether there was room.
    """
    network, book, vehicles, work = road.network, road.book, road.vehicles, road.work
    row, stop, kind = entry.row, entry.stop, int(road.vehicles.kind[entry.row])
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
        comfort = min(COMFORT_MPS2, float(road.conditions.approach_mps2[edge]))
        free_mps = min(
            road.kernel.fastest_mps(kind, entry.speed_factor, stop, offset_m),
            float(road.classes.desired_speed_mps[kind]),
            math.sqrt(2.0 * comfort * rest_m),
        )
        newcomer = _Body(kind, length_m, stop, offset_m, free_mps)
        for lane in range(low, high + 1):
            mine = (lane_there == lane) | (lane_there + side == lane)
            reach_m = float(work.lane_reach_m[network.lane_base[edge] + lane])
            speed = _speed_between(newcomer, there[mine], front_m[mine], reach_m, road)
            if speed is not None:
                vehicles.put(row, stop, lane, offset_m, speed)
                vehicles.speed_factor[row] = entry.speed_factor
                return True
    return False


def _speed_between(
    newcomer: _Body, there: IntArray, front_m: FloatArray, reach_m: float, road: EntryRoad
) -> float | None:
    """Return the speed at which the vehicle fits in between those in its lane, or None."""
    rear_m = newcomer.offset_m - newcomer.length_m
    ahead = front_m > newcomer.offset_m
    for row, front in zip(there[ahead].tolist(), front_m[ahead].tolist(), strict=True):
        other = _body(row, road.vehicles)
        gap_m = front - other.length_m - newcomer.offset_m
        while not _follows_well(newcomer, other, gap_m, road):
            newcomer = replace(newcomer, speed_mps=0.9 * newcomer.speed_mps)
            if newcomer.speed_mps < 0.5:
                return None
    behind = ~ahead
    if not behind.any():
        return newcomer.speed_mps if reach_m <= rear_m - CLEARANCE_M else None
    for row, front in zip(there[behind].tolist(), front_m[behind].tolist(), strict=True):
        if not _follows_well(_body(row, road.vehicles), newcomer, rear_m - front, road):
            return None
    return newcomer.speed_mps


def _body(row: int, vehicles: Vehicles) -> _Body:
    return _Body(
        int(vehicles.kind[row]),
        float(vehicles.length_m[row]),
        int(vehicles.stop[row]),
        float(vehicles.offset_m[row]),
        float(vehicles.speed_mps[row]),
    )


def _follows_well(follower: _Body, leader: _Body, gap_m: float, road: EntryRoad) -> bool:
    """Return whether one vehicle can follow another at these speeds without braking hard."""
    speed, k, classes = follower.speed_mps, follower.kind, road.classes
    stop_m = _stopping_m(follower, k, road) + REACTION_S * speed
    hardest_m = min(_stopping_m(leader, kind, road) for kind in (k, leader.kind))
    if stop_m > gap_m - CLEARANCE_M + hardest_m:
        return False
    a, b = float(classes.acceleration_mps2[k]), float(classes.deceleration_mps2[k])
    dynamic = speed * float(classes.headway_s[k])
    dynamic += speed * (speed - leader.speed_mps) / (2.0 * math.sqrt(a * b))
    near = (float(classes.min_gap_m[k]) + max(dynamic, 0.0)) / max(gap_m, CLEARANCE_M)
    return a * (1.0 - near * near) >= -COMFORT_MPS2


def _stopping_m(body: _Body, kind: int, road: EntryRoad) -> float:
    """Return where a vehicle stops with the brakes of a class [m ahead]."""
    return road.kernel.stopping_m(kind, body.stop, body.offset_m, body.speed_mps)
