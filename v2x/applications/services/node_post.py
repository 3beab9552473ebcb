"""What a roadside unit knows of the traffic at a node, and what it advises.

Kept apart from who speaks when: see :mod:`v2x.applications.services.coordination`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from v2x.applications.services.air_sizes import from_octets, octets
from v2x.applications.services.approaches import Approaches, Approaching
from v2x.applications.services.base import ServiceContext
from v2x.applications.services.timetable import Arrival, Window, earliest_s, in_order, plan
from v2x.applications.services.words import MOST_ADVISED, Advice, Intention
from v2x.messages.csae.day2.dialogues.requests import Grants, RequestParams, heard, lapsed
from v2x.messages.csae.day2.elements import CoordinationInfo
from v2x.messages.csae.day2.vir import RequestInfo
from v2x.perception.scene import Scene
from v2x.units import US_PER_MS, US_PER_S

#: Somebody who arrives this much before its window is advised to [s].
_EARLY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinationParams:
    """How roadside units coordinate vehicles on their way to a node.

    Parameters
    ----------
    serve_m
        Distance from a node at which a unit looks after it [m] (assumption).
    zone_m
        Way to the node on which vehicles are coordinated [m]; T/CSAE 157 has ranges of 400
        (merging) and 200 (intersections), recalled.
    own_m
        Last way to the node on which drivers go by the right of way alone [m] (assumption): who has
        it, and is held back by advice there, would hold up everybody.
    period_ms
        Time between RSC of a unit while somebody comes, 100 to 500 [ms].
    idle_ms
        The same while nobody comes [ms] (assumption).
    speed_up_mps2
        How vehicles are taken to speed up towards the limit [m/s²] (assumption).
    most_advised
        Vehicles that one RSC names: those who wait for an answer, then those nearest to the node;
        at most 16. Every message of the
        services is given the width on the air that the largest needs.
    again_s
        Time before a vehicle asks again after a refusal, or in vain [s] (assumption).
    requests
        Timers of the dialogue.
    """

    serve_m: float = 200.0
    zone_m: float = 300.0
    own_m: float = 15.0
    period_ms: int = 200
    idle_ms: int = 500
    speed_up_mps2: float = 1.0
    most_advised: int = 8
    again_s: float = 2.0
    requests: RequestParams = field(
        default_factory=lambda: RequestParams(repeat_ms=200, life_time_s=60.0)
    )

    def __post_init__(self) -> None:
        """Reject values the rule is not defined for."""
        for name in ("serve_m", "zone_m", "speed_up_mps2"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        if not 0.0 <= self.own_m < self.zone_m:
            raise ValueError(f"own_m must be within 0 and zone_m ({self.zone_m}), got {self.own_m}")
        if not 100 <= self.period_ms <= 500:
            raise ValueError(f"period_ms must be within 100 and 500, got {self.period_ms}")
        if not self.period_ms <= self.idle_ms <= 1000:
            raise ValueError(
                f"idle_ms must be within period_ms ({self.period_ms}) and 1000, got {self.idle_ms}"
            )
        if not 1 <= self.most_advised <= MOST_ADVISED:
            raise ValueError(
                f"most_advised must be within 1 and {MOST_ADVISED}, got {self.most_advised}"
            )
        if not self.again_s >= 0.0:
            raise ValueError(f"again_s must be >= 0, got {self.again_s}")


class NodeRule(Protocol):
    """What is coordinated, and how closely vehicles may follow each other.

    Attributes
    ----------
    info
        Service that messages name.
    nodes
        Nodes where there is something to coordinate.
    clear_us, follow_us
        Time between windows of conflicting movements, and between beginnings in a lane [µs].
    """

    info: CoordinationInfo
    nodes: tuple[int, ...]
    clear_us: int
    follow_us: int

    def asks(self, movement: int) -> bool:
        """Whether a vehicle that makes a movement asks."""

    def request(self, movement: int, distance_m: float, arrival_s: float) -> RequestInfo:
        """Return what it asks for."""

    def movement_of(self, vehicle: Approaching, told: int) -> int:
        """Return what a vehicle will do, by what it `told` (-1 nothing); -1 if unknown."""

    def hold_us(self, movement: int, length_m: float) -> int:
        """Return for how long a vehicle has the node [µs]."""

    def way_m(self, movement: int, distance_m: float) -> float:
        """Return the way to where its window begins [m]."""


class Post:
    """One node and the unit that looks after it: all that this unit has learnt.

    Attributes
    ----------
    node, unit
        Node, and row of the unit.
    windows
        Who has the node when.
    """

    def __init__(
        self, context: ServiceContext, params: CoordinationParams, node: int, unit: int
    ) -> None:
        self._context, self._params = context, params
        self.node, self.unit = node, unit
        self._approaches = Approaches(context.network, node, params.zone_m)
        self._since_us: dict[int, int] = {}
        self._told: dict[int, tuple[int, int]] = {}
        self._answers: dict[int, tuple[int, bool]] = {}
        self._grants: Grants = ()
        self._sent_us: int | None = None
        self.windows: dict[int, Window] = {}

    def hear(self, scene: Scene, rule: NodeRule, intentions: Sequence[Intention]) -> None:
        """Take requests of vehicles that want to pass the node."""
        now_us, fleet = scene.fleet.time_us, scene.fleet
        self._grants = lapsed(self._grants, now_us)
        if not intentions:
            return
        near = {octets(int(fleet.id[item.row])) for item in self._known(scene)}
        for intention in intentions:
            identity = from_octets(intention.sender_id)
            if intention.movement < 0 or self._node_of(intention.movement) != self.node:
                continue
            self._told[identity] = (intention.movement, now_us)
            for request in intention.requests:
                self._grants, response = heard(
                    self._grants,
                    now_us,
                    intention.sender_id,
                    request,
                    able=intention.sender_id in near,
                )
                if response is not None:
                    self._answers[identity] = (response.request_id, response.accepted)

    def schedule(self, scene: Scene, rule: NodeRule) -> list[Approaching]:
        """Give everybody known a window, and return who is on the way, the nearest first."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        known = self._known(scene)
        arrivals = [
            item
            for vehicle in known
            if (item := self._arrival(scene, rule, vehicle, int(fleet.id[vehicle.row])))
        ]
        here = {item.identity for item in arrivals}
        # Who has just left the approach may still be on the node.
        standing = [
            window
            for identity, window in self.windows.items()
            if identity not in here and window.begin_us <= now_us < window.end_us
        ]
        windows = plan(
            in_order(arrivals),
            standing,
            self._context.network,
            clear_us=rule.clear_us,
            follow_us=rule.follow_us,
        )
        self.windows = {item.identity: item for item in (*standing, *windows)}
        near = {int(fleet.id[vehicle.row]) for vehicle in known}
        self._since_us = {key: at for key, at in self._since_us.items() if key in near}
        self._told = {key: told for key, told in self._told.items() if key in near}
        return sorted(known, key=lambda item: (item.distance_m, item.row))

    def is_due(self, now_us: int, busy: bool) -> bool:
        """Whether the unit says something now."""
        period_ms = self._params.period_ms if busy or self._answers else self._params.idle_ms
        if self._sent_us is not None and now_us - self._sent_us < period_ms * US_PER_MS:
            return False
        self._sent_us = now_us
        return True

    def advices(
        self, scene: Scene, rule: NodeRule, near: Sequence[Approaching]
    ) -> tuple[Advice, ...]:
        """Return what is said to those with a window, and to those who have asked."""
        fleet, said = scene.fleet, []
        # Answers go first; they are said once.
        for vehicle in sorted(near, key=lambda item: int(fleet.id[item.row]) not in self._answers):
            identity = int(fleet.id[vehicle.row])
            window = self.windows.get(identity)
            answer = self._answers.get(identity)
            if window is None and answer is None:
                continue
            speed = None
            if window is not None:
                way_m = rule.way_m(window.movement, vehicle.distance_m)
                speed = self._speed_mps(scene, vehicle, way_m, window.begin_us)
            said.append(
                Advice(
                    vehicle_id=octets(identity),
                    speed_mps=speed,
                    arrive_us=-1 if window is None else window.begin_us,
                    request_id=None if answer is None else answer[0],
                    accepted=answer is None or answer[1],
                )
            )
        said = said[: self._params.most_advised]
        for advice in said:
            self._answers.pop(from_octets(advice.vehicle_id), None)
        return tuple(said)

    def _known(self, scene: Scene) -> list[Approaching]:
        return self._approaches.known_to(scene, self.unit)

    def _node_of(self, movement: int) -> int:
        return int(self._context.network.node[movement])

    def _arrival(
        self, scene: Scene, rule: NodeRule, vehicle: Approaching, identity: int
    ) -> Arrival | None:
        told, _ = self._told.get(identity, (-1, 0))
        movement = rule.movement_of(vehicle, told)
        if movement < 0:
            return None
        now_us = scene.fleet.time_us
        since_us = self._since_us.setdefault(identity, now_us)
        limit = float(scene.outlook.limit_mps[vehicle.edge])
        way_m = max(rule.way_m(movement, vehicle.distance_m), 0.0)
        soon_s = earliest_s(way_m, vehicle.speed_mps, limit, self._params.speed_up_mps2)
        return Arrival(
            identity=identity,
            movement=movement,
            since_us=since_us,
            edge=vehicle.edge,
            lane=vehicle.lane,
            distance_m=vehicle.distance_m,
            earliest_us=now_us + round(soon_s * US_PER_S),
            hold_us=rule.hold_us(movement, float(scene.fleet.length_m[vehicle.row])),
        )

    def _speed_mps(
        self, scene: Scene, vehicle: Approaching, way_m: float, begin_us: int
    ) -> float | None:
        """Return the speed at which a vehicle arrives as its window begins; None if it is free."""
        limit = float(scene.outlook.limit_mps[vehicle.edge])
        left_s = (begin_us - scene.fleet.time_us) / US_PER_S
        soon_s = earliest_s(max(way_m, 0.0), vehicle.speed_mps, limit, self._params.speed_up_mps2)
        if way_m <= 0.0 or left_s <= soon_s + _EARLY_S:
            return None
        return min(way_m / left_s, limit)
