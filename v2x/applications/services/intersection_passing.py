"""Cooperative intersection passing: a roadside unit in place of traffic lights (VIR, RSC)."""

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
from v2x.messages.csae.day2.elements import LONGEST_OFFSET_S, CoordinationInfo
from v2x.messages.csae.day2.vir import Movement, SignalPriorityRequest, Turn
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.signs import turning
from v2x.perception.scene import Scene
from v2x.units import US_PER_S

#: Indicators as turns of a message.
_TURNS = {1: Turn.LEFT, 0: Turn.STRAIGHT, -1: Turn.RIGHT}


@dataclass(frozen=True, slots=True, kw_only=True)
class PassingParams:
    """Turns at junctions without traffic lights.

    Parameters
    ----------
    clear_s
        Time between one vehicle leaving the junction and another one on a conflicting way
        entering it [s] (assumption).
    follow_s
        Time between the fronts of two vehicles out of the same lane [s] (assumption).
    through_mps
        Speed at which vehicles are taken to cross at most [m/s] (assumption); less where their
        turn or the limit asks for it.
    roadside
        How units coordinate; only vehicles within its zone on the last road to the junction.
    """

    clear_s: float = 1.0
    follow_s: float = 1.5
    through_mps: float = 10.0
    roadside: CoordinationParams = field(
        default_factory=lambda: CoordinationParams(serve_m=100.0, zone_m=200.0)
    )

    def __post_init__(self) -> None:
        """Reject values the rule is not defined for."""
        if not self.clear_s >= 0.0:
            raise ValueError(f"clear_s must be >= 0, got {self.clear_s}")
        for name in ("follow_s", "through_mps"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")


class CrossingRule:
    """Junctions without traffic lights whose ways cross: everybody asks, by what it will do.

    Only who has told where it goes has a window; the others pass by the right of way.

    Parameters
    ----------
    params
        Time gaps.
    network
        Lanes and movements.
    """

    info = CoordinationInfo.UNSIGNALLED_INTERSECTION

    def __init__(self, params: PassingParams, network: LaneNetwork) -> None:
        self._params, self._network = params, network
        self._turn = turning(network)
        self.clear_us = round(params.clear_s * US_PER_S)
        self.follow_us = round(params.follow_s * US_PER_S)
        self.nodes = nodes_where(network, self._is_crossing)

    def _is_crossing(self, movements: NDArray[np.intp]) -> bool:
        network = self._network
        return bool(network.crosses[movements].any() and (network.signal[movements] < 0).all())

    def asks(self, movement: int) -> bool:
        """Whether a vehicle asks: everybody does."""
        return True

    def request(self, movement: int, distance_m: float, arrival_s: float) -> SignalPriorityRequest:
        """Return the request that names junction and movement; the set has none for this alone."""
        network = self._network
        onto = int(network.road_map.edge_to[network.to_edge[movement]])
        return SignalPriorityRequest(
            intersection=node_of(int(network.node[movement])),
            movement=Movement(remote_node=node_of(onto), turn=_TURNS[int(self._turn[movement])]),
            arrival_s=min(max(arrival_s, 0.01), LONGEST_OFFSET_S),
            distance_m=min(distance_m, 1000.0),
        )

    def movement_of(self, vehicle: Approaching, told: int) -> int:
        """Return what a vehicle has told that it will do, if it is on the road for that."""
        if told < 0 or int(self._network.from_edge[told]) != vehicle.edge:
            return -1
        return told

    def hold_us(self, movement: int, length_m: float) -> int:
        """Return the time until the rear has left the crossing area [µs]."""
        network = self._network
        limit = float(network.road_map.edge_limit_mps[network.to_edge[movement]])
        speed = min(self._params.through_mps, float(network.speed_mps[movement]), limit)
        way_m = 2.0 * float(network.radius_m[movement]) + length_m
        return round(way_m / speed * US_PER_S)

    def way_m(self, movement: int, distance_m: float) -> float:
        """Return the way to the edge of the crossing area [m]."""
        return distance_m - float(self._network.radius_m[movement])


class IntersectionPassing:
    """A roadside unit lets vehicles pass a junction without lights one after the other.

    Who hears the unit tells it where it goes (VIR); who comes first gets the junction first, and
    everybody is advised a speed to arrive when its turn comes (RSC). Ways that do not cross or
    join are used at once. Whoever is not heard, or does not hear, goes by the right of way.

    Parameters
    ----------
    params
        Time gaps, and how units coordinate.
    context
        Map, vehicles and seed.
    """

    Params = PassingParams

    def __init__(self, params: PassingParams, context: ServiceContext) -> None:
        rule = CrossingRule(params, context.network)
        self.coordination = NodeCoordination(params.roadside, rule, context, "intersection passing")

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
