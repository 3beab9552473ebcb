"""Whom a vehicle could drive in a platoon with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.air_sizes import octets
from v2x.applications.services.platoon_params import PlatooningParams
from v2x.applications.services.platoon_roles import Offer
from v2x.applications.services.words import PlatoonWord
from v2x.messages.csae.day2.clpmm import PlatoonRole
from v2x.mobility.fleet import FleetState, FloatArray
from v2x.perception.scene import Scene


def open_ahead(
    heard: Mapping[int, PlatoonWord], fleet: FleetState, ahead: int | None
) -> Offer | None:
    """Return the open platoon whose last vehicle is ahead, None if there is none."""
    if ahead is None:
        return None
    last = octets(int(fleet.id[ahead]))
    for word in heard.values():
        told, lists = word.management, word.management.management
        if told.role is not PlatoonRole.LEADER or lists is None or not lists.open_to_join:
            continue
        if not lists.joining and lists.members[-1].vehicle_id == last:
            return Offer(told.sender_id, told.platoon_id)
    return None


def neighbours(scene: Scene, within_m: float) -> tuple[dict[int, int], dict[int, int]]:
    """Return whom each road user knows next ahead and behind in its lane within a gap [m]."""
    front = np.flatnonzero(scene.in_path & (scene.gap_m <= within_m))
    lane_behind = (scene.road_behind_m <= within_m) & (scene.lanes_left_behind == 0) & ~scene.apart
    rear = np.flatnonzero(lane_behind)

    def nearest(pairs: NDArray[np.intp], gap_m: FloatArray) -> dict[int, int]:
        order = pairs[np.lexsort((gap_m[pairs], scene.host[pairs]))][::-1]
        # The nearest comes last and stays.
        return dict(zip(scene.host[order].tolist(), scene.remote[order].tolist(), strict=True))

    return nearest(front, scene.gap_m), nearest(rear, scene.road_behind_m)


def chains(
    fleet: FleetState, able: NDArray[np.bool_], params: PlatooningParams
) -> list[tuple[int, ...]]:
    """Return rows of vehicles that drive behind each other, the first one in front."""
    behind = {
        int(fleet.leader[row]): row
        for row in np.flatnonzero(able & (fleet.leader >= 0)).tolist()
        if able[fleet.leader[row]]
        and fleet.gap_m[row] <= params.join_m
        and fleet.edge[row] == fleet.edge[fleet.leader[row]]
        and fleet.lane[row] == fleet.lane[fleet.leader[row]]
    }
    found: list[tuple[int, ...]] = []
    taken: set[int] = set()
    first_ones = set(behind) - set(behind.values())
    # On a ring nobody need be first: then whoever came first is.
    starts = sorted(behind, key=lambda row: (row not in first_ones, int(fleet.id[row])))
    for row in starts:
        chain: list[int] = []
        at: int | None = row
        while at is not None and at not in taken:
            taken.add(at)
            chain.append(at)
            at = behind.get(at)
        cuts = range(0, len(chain) - params.size + 1, params.size)
        found += [tuple(chain[first : first + params.size]) for first in cuts]
    return found
