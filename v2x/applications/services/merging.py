"""Cooperative merging: a roadside unit makes gaps where two roads become one (VIR, RSC)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.approaches import Approaching, nodes_where
from v2x.applications.services.base import ServiceContext, ServiceOutput
from v2x.applications.services.coordination import NodeCoordination
from v2x.applications.services.node_post import CoordinationParams
from v2x.applications.services.words import node_of
from v2x.messages.csae.day2.elements import CoordinationInfo
from v2x.messages.csae.day2.vir import LaneChangeRequest
from v2x.mobility.junctions import LaneNetwork
from v2x.perception.scene import Scene
from v2x.units import US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class MergingParams:
    """Gaps at merges.

    Parameters
    ----------
    headway_s
        Time between the fronts of two vehicles of different roads at the merge [s] (assumption;
        drivers accept gaps of 2.5 to 4 s, within which the one that merges is the middle).
    follow_s
        The same of vehicles in one lane [s] (assumption).
    roadside
        How units coordinate.
    """

    headway_s: float = 1.8
    follow_s: float = 1.2
    roadside: CoordinationParams = field(default_factory=CoordinationParams)

    def __post_init__(self) -> None:
        """Reject times that are not positive."""
        for name in ("headway_s", "follow_s"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


class MergeRule:
    """Merges without traffic lights, where roads of different rank become one.

    Vehicles of the lower rank ask. Those on the main road are known from their state messages, and
    so is everybody else who has not been heard to ask: where it will go is told by its lane.

    Parameters
    ----------
    params
        Time gaps.
    network
        Lanes and movements.
    """

    info = CoordinationInfo.MERGING

    def __init__(self, params: MergingParams, network: LaneNetwork) -> None:
        self._network = network
        self.clear_us = 0
        self.follow_us = round(params.follow_s * US_PER_S)
        self._hold_us = round(params.headway_s * US_PER_S)
        self.nodes = nodes_where(network, self._is_merge)

    def _is_merge(self, movements: NDArray[np.intp]) -> bool:
        network = self._network
        merges = movements[network.merges[movements] != 0]
        ranks = np.unique(network.rank[merges])
        quiet = not network.crosses[movements].any() and (network.signal[movements] < 0).all()
        return bool(quiet) and len(ranks) > 1

    def asks(self, movement: int) -> bool:
        """Whether a vehicle comes from the road that has to wait."""
        network = self._network
        return bool(network.merges[movement]) and int(network.rank[movement]) < self._highest(
            int(network.node[movement])
        )

    def request(self, movement: int, distance_m: float, arrival_s: float) -> LaneChangeRequest:
        """Return a request for the lane that a vehicle ends in, as there is no other for merges."""
        network = self._network
        road_map, onto = network.road_map, int(network.to_edge[movement])
        lane = int(network.lane_low[movement] + network.lane_shift[movement])
        return LaneChangeRequest(
            upstream_node=node_of(int(road_map.edge_from[onto])),
            downstream_node=node_of(int(road_map.edge_to[onto])),
            # Messages count lanes from the left from 1.
            target_lane=int(road_map.edge_lanes[onto]) - lane,
        )

    def movement_of(self, vehicle: Approaching, told: int) -> int:
        """Return the movement out of a vehicle's lane, if that lane leads into a merge."""
        network = self._network
        first, end = network.first_movement[vehicle.edge : vehicle.edge + 2].tolist()
        for movement in range(first, end):
            low, high = int(network.lane_low[movement]), int(network.lane_high[movement])
            if told not in (-1, movement) or not low <= vehicle.lane <= high:
                continue
            if self._shares(movement, vehicle.lane + int(network.lane_shift[movement])):
                return movement
        return -1

    def hold_us(self, movement: int, length_m: float) -> int:
        """Return the time gap behind a vehicle [µs]."""
        return self._hold_us

    def way_m(self, movement: int, distance_m: float) -> float:
        """Return the way to the merge itself [m]."""
        return distance_m

    def _highest(self, node: int) -> int:
        return int(self._network.rank[self._network.node == node].max())

    def _shares(self, movement: int, lane: int) -> bool:
        """Whether another road leads into a lane that a movement leads into."""
        network = self._network
        others = np.flatnonzero(
            (network.to_edge == network.to_edge[movement])
            & (network.from_edge != network.from_edge[movement])
        )
        low = network.lane_low[others] + network.lane_shift[others]
        high = network.lane_high[others] + network.lane_shift[others]
        return bool(((low <= lane) & (lane <= high)).any())


class CooperativeMerging:
    """A roadside unit gives vehicles of two roads that merge their turns, and advises speeds.

    Vehicles on the ramp ask (VIR); the unit answers, and tells vehicles of both roads how fast to
    approach so that they arrive one after the other (RSC). The right of way stays as it is.

    Parameters
    ----------
    params
        Time gaps, and how units coordinate.
    context
        Map, vehicles and seed.
    """

    Params = MergingParams

    def __init__(self, params: MergingParams, context: ServiceContext) -> None:
        rule = MergeRule(params, context.network)
        self.coordination = NodeCoordination(params.roadside, rule, context, "merging")

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of VIR and of RSC."""
        return self.coordination.sizes_bytes

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let units and vehicles hear, decide and speak."""
        return self.coordination.tick(scene)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return table ``dialogues``."""
        return self.coordination.tables()
