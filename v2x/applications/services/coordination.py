"""A roadside unit that tells vehicles when to pass a node, and vehicles that go by it (VIR, RSC).

The unit says again and again which nodes it looks after. Vehicles that hear it and are on their
way to one of them ask it (VIR); the unit answers, and advises a speed to each so that one passes
after the other (RSC). It knows where they are from their state messages. Advice that does not
arrive, or is old, is not followed: then the right of way decides, as it does without the service.
An advised speed never takes the right of way from anybody either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.air_sizes import from_octets, octets, rows_by_id
from v2x.applications.services.approaches import Approaches, units_of_nodes
from v2x.applications.services.asking import Asking
from v2x.applications.services.base import (
    Outgoing,
    ServiceContext,
    ServiceOutput,
    demands_of,
    phase_us,
)
from v2x.applications.services.dialogue_log import DialogueLog
from v2x.applications.services.node_post import CoordinationParams, NodeRule, Post
from v2x.applications.services.words import (
    Coordination,
    Intention,
    coordination_bytes,
    intention_bytes,
)
from v2x.messages.csae.day2.dialogues.requests import Answer, Manoeuvre, Phase
from v2x.messages.csae.day2.vir import DriveRequest
from v2x.messages.topics import Topic
from v2x.mobility.intentions import intentions_of
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.units import US_PER_S


class NodeCoordination:
    """Units that coordinate, and vehicles that ask and go by what they are told.

    Parameters
    ----------
    params
        How.
    rule
        What is coordinated.
    context
        Map, vehicles and seed; stream ``"coordination", name, "phase"``.
    name
        Name of the service.

    Attributes
    ----------
    posts
        Nodes and their units, once the first state is known.
    """

    def __init__(
        self, params: CoordinationParams, rule: NodeRule, context: ServiceContext, name: str
    ) -> None:
        self._params, self._rule, self._context = params, rule, context
        self._n_driven = 0 if context.vehicles is None else context.vehicles.n_rows
        self._phase_key = rng.key32(context.seed, "coordination", name, "phase")
        self._log = DialogueLog(context.warmup_us)
        self._asking = Asking(params.requests, self._log)
        self._wanted: dict[int, int] = {}
        self._approaches: dict[int, Approaches] = {}
        self.posts: list[Post] | None = None

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of VIR and of RSC."""
        return (intention_bytes(1, 0), coordination_bytes(self._params.most_advised))

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let units and vehicles hear, decide and speak."""
        now_us = scene.fleet.time_us
        self._log.tick(now_us)
        if self.posts is None:
            served = units_of_nodes(
                scene.fleet, self._context.network, self._rule.nodes, self._params.serve_m
            )
            self.posts = [
                Post(self._context, self._params, node, unit)
                for node, unit in sorted(served.items())
            ]
        messages = [*self._of_units(scene), *self._of_vehicles(scene)]
        return ServiceOutput(messages=messages, demands=demands_of(self._advised(scene)))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return table ``dialogues``."""
        return {"dialogues": self._log.table()}

    def _of_units(self, scene: Scene) -> list[Outgoing]:
        """Let units hear, plan, and return what they say."""
        intentions: dict[int, list[Intention]] = {}
        for notice in scene.board.new(Topic.VIR):
            for host in notice.host.tolist():
                intentions.setdefault(host, []).append(notice.content)
        messages = []
        for post in self.posts or ():
            post.hear(scene, self._rule, intentions.get(post.unit, ()))
            near = post.schedule(scene, self._rule)
            if not post.is_due(scene.fleet.time_us, bool(near)):
                continue
            advices = post.advices(scene, self._rule, near)
            content = Coordination(info=self._rule.info, nodes=(post.node,), advices=advices)
            identity = int(scene.fleet.id[post.unit])
            messages.append(
                Outgoing(
                    row=post.unit,
                    topic=Topic.RSC,
                    content=content,
                    size_bytes=coordination_bytes(len(advices)),
                    after_us=phase_us(self._phase_key, identity, self._context.tick_us),
                    part=post.node,
                )
            )
        return messages

    def _of_vehicles(self, scene: Scene) -> list[Outgoing]:
        """Let vehicles ask, and return what they say."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        rows = rows_by_id(fleet.id)
        movement = intentions_of(self._context.vehicles, fleet.n_rows).movement
        self._asking.forget(rows, now_us)
        self._ask(scene, movement)
        manoeuvres = {
            identity: self._manoeuvre(scene, rows[identity], identity)
            for identity in self._wanted
            if identity in rows
        }
        said = self._asking.advance(now_us, self._answers(scene), manoeuvres)
        messages = [
            self._message(rows[identity], identity, request) for identity, request in said.items()
        ]
        self._wanted = {
            identity: wanted
            for identity, wanted in self._wanted.items()
            if self._asking.rests(now_us, identity, 0)
        }
        return messages

    def _message(self, row: int, identity: int, request: DriveRequest) -> Outgoing:
        content = Intention(
            sender_id=octets(identity), requests=(request,), movement=self._wanted[identity]
        )
        return Outgoing(
            row=row,
            topic=Topic.VIR,
            content=content,
            size_bytes=intention_bytes(1, 0),
            after_us=phase_us(self._phase_key, identity, self._context.tick_us),
        )

    def _answers(self, scene: Scene) -> dict[int, list[Answer]]:
        answers: dict[int, list[Answer]] = {}
        for notice in scene.board.new(Topic.RSC):
            if notice.content.info != self._rule.info:
                continue
            hosts = set(scene.fleet.id[notice.host].tolist())
            for advice in notice.content.advices:
                identity = from_octets(advice.vehicle_id)
                if advice.request_id is not None and identity in hosts:
                    answer = Answer(request_id=advice.request_id, accepted=advice.accepted)
                    answers.setdefault(identity, []).append(answer)
        return answers

    def _ask(self, scene: Scene, movement: NDArray[np.int32]) -> None:
        """Let those ask who hear of a node that lies ahead of them."""
        fleet, own, network = scene.fleet, scene.own, self._context.network
        now_us, rest_us = fleet.time_us, round(self._params.again_s * US_PER_S)
        for row, (node, unit) in sorted(self._coordinated(scene).items()):
            wanted, identity = int(movement[row]), int(fleet.id[row])
            if wanted < 0 or not self._rule.asks(wanted) or int(network.node[wanted]) != node:
                continue
            if self._asking.rests(now_us, identity, rest_us):
                continue
            edge = int(own.edge[row])
            if edge != int(network.from_edge[wanted]):
                continue
            distance_m = float(network.road_map.edge_length_m[edge] - own.offset_m[row])
            if not 0.0 < distance_m <= self._params.zone_m:
                continue
            arrival_s = distance_m / max(float(own.speed_mps[row]), 1.0)
            info = self._rule.request(wanted, distance_m, arrival_s)
            self._asking.begin(now_us, identity, info, unit=unit)
            self._wanted[identity] = wanted

    def _coordinated(self, scene: Scene) -> dict[int, tuple[int, int]]:
        """Return node and unit of which each driven vehicle has heard, of its next node."""
        heard_of: dict[int, tuple[int, int]] = {}
        movement = intentions_of(self._context.vehicles, scene.fleet.n_rows).movement
        node_of = self._context.network.node
        for notice in scene.board.notices(Topic.RSC):
            if notice.content.info != self._rule.info:
                continue
            unit = int(scene.fleet.id[notice.sender])
            for row in notice.host[notice.host < self._n_driven].tolist():
                node = int(node_of[movement[row]]) if movement[row] >= 0 else -1
                if node in notice.content.nodes:
                    heard_of[row] = (node, unit)
        return heard_of

    def _manoeuvre(self, scene: Scene, row: int, identity: int) -> Manoeuvre:
        """Return whether a vehicle has passed its node."""
        edge = int(scene.own.edge[row])
        if edge == int(self._context.network.from_edge[self._wanted[identity]]):
            return Manoeuvre.RUNNING
        request = self._asking.request(identity)
        acting = request is not None and request.phase is Phase.ACTING
        return Manoeuvre.DONE if acting else Manoeuvre.ABORTED

    def _advised(self, scene: Scene) -> list[tuple[int, Action, float]]:
        """Return the speeds that those have been told whom the newest RSC of a unit names."""
        rows = rows_by_id(scene.fleet.id)
        asked: list[tuple[int, Action, float]] = []
        for notice in scene.board.notices(Topic.RSC):
            if notice.content.info != self._rule.info:
                continue
            hosts = set(notice.host[notice.host < self._n_driven].tolist())
            for advice in notice.content.advices:
                row = rows.get(from_octets(advice.vehicle_id), -1)
                if advice.speed_mps is None or row not in hosts:
                    continue
                if self._is_on_its_way(scene, row, notice.content.nodes):
                    asked.append((row, Action.SLOW, advice.speed_mps))
        return sorted(asked)

    def _is_on_its_way(self, scene: Scene, row: int, nodes: Sequence[int]) -> bool:
        """Whether a vehicle still has a node before it, and has not come close to it."""
        for node in nodes:
            if node not in self._approaches:
                network = self._context.network
                self._approaches[node] = Approaches(network, node, self._params.zone_m)
            found = self._approaches[node].of_rows(scene, np.array([row], dtype=np.intp))
            if any(item.distance_m > self._params.own_m for item in found):
                return True
        return False
