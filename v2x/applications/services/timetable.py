"""Who passes a node when: windows of time, first come first served.

Nobody is let in while another one whose way crosses or joins its own has the node, so of two
windows of conflicting movements one ends before the other begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from v2x.mobility.junctions import LaneNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A vehicle on its way to a node.

    Attributes
    ----------
    identity
        Stable id.
    movement
        Movement of the lane network that it will make.
    since_us
        When it was first known of [µs]; who came first goes first.
    edge, lane
        Where it is; nobody overtakes in a lane.
    distance_m
        Way to the node [m].
    earliest_us
        When it could be there [µs].
    hold_us
        For how long it has the node [µs].
    """

    identity: int
    movement: int
    since_us: int
    edge: int
    lane: int
    distance_m: float
    earliest_us: int
    hold_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a vehicle has a node.

    Attributes
    ----------
    identity, movement
        The vehicle, and what it does.
    begin_us, end_us
        From when until when [µs].
    """

    identity: int
    movement: int
    begin_us: int
    end_us: int


def in_conflict(network: LaneNetwork, one: int, other: int) -> bool:
    """Return whether the ways of two movements of a node cross or join."""
    if one == other:
        return False
    mine = int(network.crosses[one]) | int(network.merges[one])
    theirs = int(network.crosses[other]) | int(network.merges[other])
    return bool(mine & int(network.bit[other])) or bool(theirs & int(network.bit[one]))


def in_order(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return vehicles in the order in which they came, but nobody before one ahead in its lane."""
    lanes: dict[tuple[int, int], list[Arrival]] = {}
    for item in sorted(arrivals, key=lambda item: (item.distance_m, item.identity)):
        lanes.setdefault((item.edge, item.lane), []).append(item)
    queues = list(lanes.values())
    order: list[Arrival] = []
    while queues:
        # Who waits behind another one counts with it: a late one in front holds up its lane.
        first = min(queues, key=lambda queue: (min(i.since_us for i in queue), queue[0].identity))
        order.append(first.pop(0))
        queues = [queue for queue in queues if queue]
    return order


def plan(
    arrivals: Sequence[Arrival],
    standing: Sequence[Window],
    network: LaneNetwork,
    *,
    clear_us: int,
    follow_us: int,
) -> list[Window]:
    """Return a window for each vehicle.

    Parameters
    ----------
    arrivals
        Vehicles, in the order in which they may choose.
    standing
        Windows that are not to be touched any more.
    network
        Which movements are in conflict.
    clear_us
        Time between the windows of conflicting movements [µs].
    follow_us
        Time between the beginnings of windows in the same lane [µs].
    """
    windows: list[Window] = list(standing)
    lanes = {item.identity: (item.edge, item.lane) for item in arrivals}
    added: list[Window] = []
    for item in arrivals:
        begin_us = item.earliest_us
        for window in windows:
            if in_conflict(network, item.movement, window.movement):
                begin_us = max(begin_us, window.end_us + clear_us)
            elif lanes.get(window.identity) == (item.edge, item.lane):
                begin_us = max(begin_us, window.begin_us + follow_us)
        found = Window(
            identity=item.identity,
            movement=item.movement,
            begin_us=begin_us,
            end_us=begin_us + item.hold_us,
        )
        windows.append(found)
        added.append(found)
    return added


def earliest_s(
    distance_m: float, speed_mps: float, limit_mps: float, acceleration_mps2: float
) -> float:
    """Return how soon a vehicle can be at a place if it speeds up to the limit [s].

    Examples
    --------
    >>> earliest_s(100.0, 20.0, 20.0, 1.0), earliest_s(100.0, 10.0, 20.0, 1.5)
    (5.0, 6.666666666666667)
    """
    speed, limit = min(speed_mps, limit_mps), max(limit_mps, 0.1)
    speeding_s = (limit - speed) / acceleration_mps2
    speeding_m = 0.5 * (speed + limit) * speeding_s
    if speeding_m >= distance_m:
        root = (speed * speed + 2.0 * acceleration_mps2 * distance_m) ** 0.5
        return float((root - speed) / acceleration_mps2)
    return speeding_s + (distance_m - speeding_m) / limit
