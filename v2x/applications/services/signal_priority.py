"""The service ``signal-priority``: buses and emergency vehicles ask traffic lights for green."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.air_sizes import from_octets, octets, rows_by_id
from v2x.applications.services.approaches import units_of_nodes
from v2x.applications.services.asking import Asking
from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput
from v2x.applications.services.dialogue_log import DialogueLog
from v2x.applications.services.words import (
    Advice,
    Coordination,
    Intention,
    coordination_bytes,
    intention_bytes,
    node_of,
)
from v2x.messages.csae.day2.dialogues.requests import (
    Answer,
    Grants,
    Manoeuvre,
    RequestParams,
    heard,
)
from v2x.messages.csae.day2.elements import CoordinationInfo
from v2x.messages.csae.day2.vir import (
    DriveRequest,
    Movement,
    RequestStatus,
    SignalPriorityRequest,
)
from v2x.messages.topics import Topic
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.mobility.intentions import Intentions, intentions_of
from v2x.mobility.signals.base import Answer as LightAnswer
from v2x.mobility.signals.base import SignalControl
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.units import US_PER_S

Asks = Literal["bus", "emergency"]
#: Vehicles that one RSC answers.
_MOST_ANSWERS = 4
#: Statuses of requests for which the lights are asked.
_OPEN = (RequestStatus.REQUEST, RequestStatus.CONFIRMED)
#: Who is slower is taken to come with this speed [m/s].
_LEAST_MPS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPriorityParams:
    """Who asks for green, when, and whom.

    Parameters
    ----------
    kinds
        ``bus``, and ``emergency`` for vehicles with the siren on.
    distance_m
        Who is nearer to the stop line [m]; our choice ...
    eta_s
        ... and will be there sooner [s] asks; our choice.
    serve_m
        A unit answers for lights within this distance of it [m].
    again_s
        Time before a vehicle asks again after a refusal, or in vain [s]; our choice.
    requests
        Timers of the dialogue.
    """

    kinds: tuple[Asks, ...] = ("bus", "emergency")
    distance_m: float = 250.0
    eta_s: float = 20.0
    serve_m: float = 200.0
    again_s: float = 5.0
    requests: RequestParams = field(
        default_factory=lambda: RequestParams(repeat_ms=200, life_time_s=60.0)
    )

    def __post_init__(self) -> None:
        """Reject distances and times that mean nothing."""
        for kind in self.kinds:
            if kind not in get_args(Asks):
                raise ValueError(f"kinds must be of {', '.join(get_args(Asks))}, got {kind!r}")
        check_ranges(
            self,
            ("distance_m", 1.0, 1000.0),
            ("eta_s", 0.1, 600.0),
            ("serve_m", 1.0, 5000.0),
            ("again_s", 0.0, 600.0),
        )


@dataclass(frozen=True, slots=True)
class _Coming:
    """A vehicle on its way to lights that a unit serves.

    Attributes
    ----------
    node, movement, unit
        Node, what it will do there, and row of the unit.
    distance_m, eta_s
        To the stop line [m], [s].
    """

    node: int
    movement: int
    unit: int
    distance_m: float
    eta_s: float


class SignalPriority:
    """Vehicles ask by VIR, the unit at the junction asks the lights and answers by RSC.

    What the lights can do is their matter (section ``signals``). A vehicle says "complete" when it
    has passed. In the baseline every request is granted in words, and the lights are not asked.
    """

    Params = SignalPriorityParams

    def __init__(self, params: SignalPriorityParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._control = None if context.road is None else context.road.lights.control
        self._log = DialogueLog(context.warmup_us)
        self._asking = Asking(params.requests, self._log)
        self._asked_node: dict[int, int] = {}
        self._grants: dict[int, Grants] = {}
        #: What was asked of a unit: movement, and when the vehicle will be there [µs].
        self._wanted: dict[tuple[int, bytes, int], tuple[int, int]] = {}

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Largest VIR and RSC [byte]."""
        return intention_bytes(1, 0), coordination_bytes(_MOST_ANSWERS)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Return what vehicles and units say now."""
        self._log.tick(scene.fleet.time_us)
        if self._control is None:
            return ServiceOutput()
        messages = list(self._units(scene, self._control))
        return ServiceOutput(messages + list(self._vehicles(scene, self._control)))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return table ``dialogues``."""
        return {"dialogues": self._log.table()}

    def _vehicles(self, scene: Scene, control: SignalControl) -> Iterator[Outgoing]:
        """Yield what vehicles ask for."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        there = rows_by_id(fleet.id)
        self._asking.forget(there, now_us)
        intentions = intentions_of(self._context.vehicles, fleet.n_rows)
        coming = self._coming(scene, control, intentions)
        rest_us = round(self._params.again_s * US_PER_S)
        for row, item in coming.items():
            who = int(fleet.id[row])
            near = item.distance_m <= self._params.distance_m and item.eta_s <= self._params.eta_s
            if near and not self._asking.rests(now_us, who, rest_us):
                unit = int(fleet.id[item.unit])
                self._asking.begin(now_us, who, self._request(item), unit=unit)
                self._asked_node[who] = item.node
        manoeuvres = {
            who: Manoeuvre.DONE
            for who, node in self._asked_node.items()
            if who in there and self._node_ahead(scene, there[who]) != node
        }
        said = self._asking.advance(now_us, self._answers(scene), manoeuvres)
        for who, words in said.items():
            movement = int(intentions.movement[there[who]])
            yield Outgoing(
                row=there[who],
                topic=Topic.VIR,
                content=Intention(sender_id=octets(who), requests=(words,), movement=movement),
                size_bytes=intention_bytes(1, 0),
            )

    def _coming(
        self, scene: Scene, control: SignalControl, intentions: Intentions
    ) -> dict[int, _Coming]:
        """Return the vehicles that may ask, by row, and what is ahead of them."""
        network, own, fleet = self._context.network, scene.own, scene.fleet
        movement = intentions.movement
        asks = scene.equipped & (own.edge >= 0) & (movement >= 0) & self._may_ask(scene)
        rows = np.flatnonzero(asks)
        rows = rows[control.phase[movement[rows]] >= 0]
        nodes = sorted({int(node) for node in network.node[movement[rows]]})
        units = units_of_nodes(fleet, network, nodes, self._params.serve_m)
        found: dict[int, _Coming] = {}
        for row in rows.tolist():
            step = int(movement[row])
            node = int(network.node[step])
            if node not in units:
                continue
            length_m = float(network.road_map.edge_length_m[own.edge[row]])
            distance_m = length_m - float(own.offset_m[row]) - float(network.radius_m[step])
            if distance_m >= 0.0:
                eta_s = distance_m / max(float(own.speed_mps[row]), _LEAST_MPS)
                found[row] = _Coming(node, step, units[node], distance_m, eta_s)
        return found

    def _may_ask(self, scene: Scene) -> NDArray[np.bool_]:
        kinds, fleet = self._params.kinds, scene.fleet
        siren = (scene.own.flags & int(KeyEvent.SIREN)) != 0
        bus = fleet.kind == NodeKind.BUS
        return np.asarray((bus & ("bus" in kinds)) | (siren & ("emergency" in kinds)))

    def _node_ahead(self, scene: Scene, row: int) -> int:
        edge = int(scene.own.edge[row])
        return -1 if edge < 0 else int(self._context.network.road_map.edge_to[edge])

    def _request(self, item: _Coming) -> SignalPriorityRequest:
        network = self._context.network
        remote = int(network.road_map.edge_to[network.to_edge[item.movement]])
        phase = None if self._control is None else int(self._control.phase[item.movement])
        return SignalPriorityRequest(
            intersection=node_of(item.node),
            movement=Movement(remote_node=node_of(remote), phase_id=phase),
            arrival_s=max(round(item.eta_s, 2), 0.01),
            distance_m=min(round(item.distance_m, 1), 1000.0),
        )

    def _answers(self, scene: Scene) -> dict[int, list[Answer]]:
        """Return what vehicles have heard from units since the last tick."""
        found: dict[int, list[Answer]] = {}
        for notice in scene.board.new(Topic.RSC):
            content = notice.content
            if not isinstance(content, Coordination):
                continue
            if content.info is not CoordinationInfo.SIGNAL_PRIORITY:
                continue
            hosts = set(scene.fleet.id[notice.host].tolist())
            for advice in content.advices:
                who = from_octets(advice.vehicle_id)
                if who in hosts:
                    answer = Answer(request_id=advice.request_id, accepted=advice.accepted)
                    found.setdefault(who, []).append(answer)
        return found

    def _units(self, scene: Scene, control: SignalControl) -> Iterator[Outgoing]:
        """Yield what units answer to the requests that they have heard."""
        answers: dict[int, list[Advice]] = {}
        nodes: dict[int, set[int]] = {}
        for notice in scene.board.new(Topic.VIR):
            content = notice.content
            if not isinstance(content, Intention) or content.movement < 0:
                continue
            for unit in notice.host[scene.fleet.kind[notice.host] == NodeKind.RSU].tolist():
                for request in content.requests:
                    advice = self._asked(scene, control, unit, content, request)
                    if advice is not None:
                        answers.setdefault(unit, []).append(advice)
                        node = int(self._context.network.node[content.movement])
                        nodes.setdefault(unit, set()).add(node)
        for unit, advices in answers.items():
            told = tuple(advices[:_MOST_ANSWERS])
            yield Outgoing(
                row=unit,
                topic=Topic.RSC,
                content=Coordination(
                    info=CoordinationInfo.SIGNAL_PRIORITY,
                    nodes=tuple(sorted(nodes[unit])),
                    advices=told,
                ),
                size_bytes=coordination_bytes(len(told)),
            )

    def _asked(
        self,
        scene: Scene,
        control: SignalControl,
        unit: int,
        content: Intention,
        request: DriveRequest,
    ) -> Advice | None:
        """Return what a unit answers to a request, None if it is not for it or needs no answer."""
        now_us, name = scene.fleet.time_us, int(scene.fleet.id[unit])
        if request.target_rsu != octets(name):
            return None
        key = (name, content.sender_id, request.request_id)
        info = request.info
        if isinstance(info, SignalPriorityRequest) and isinstance(info.arrival_s, int | float):
            arrive_us = now_us + round(info.arrival_s * US_PER_S)
            self._wanted.setdefault(key, (content.movement, arrive_us))
        if key not in self._wanted:
            return None
        movement, arrive_us = self._wanted[key]
        able = request.status in _OPEN and self._ask_lights(
            control, movement, max(arrive_us - now_us, 0), content.sender_id
        )
        grants = self._grants.get(name, ())
        self._grants[name], response = heard(grants, now_us, content.sender_id, request, able=able)
        if response is None:
            return None
        return Advice(
            vehicle_id=content.sender_id,
            speed_mps=None,
            arrive_us=arrive_us,
            request_id=response.request_id,
            accepted=response.accepted,
        )

    def _ask_lights(
        self, control: SignalControl, movement: int, eta_us: int, vehicle_id: bytes
    ) -> bool:
        """Return whether the lights do what they can; in the baseline they are not asked."""
        if not self._context.acts:
            return True
        node = int(self._context.network.node[movement])
        answer = control.request(node, movement, eta_us / US_PER_S, from_octets(vehicle_id))
        return answer is not LightAnswer.REFUSED
