"""Cooperative lane change: who must leave its lane asks whom it would cut in before (VIR)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.air_sizes import from_octets, octets, rows_by_id
from v2x.applications.services.asking import Asking
from v2x.applications.services.base import (
    Outgoing,
    ServiceContext,
    ServiceOutput,
    demands_of,
    phase_us,
)
from v2x.applications.services.dialogue_log import DialogueLog
from v2x.applications.services.words import (
    MOST_RESPONSES,
    Intention,
    answers_in,
    intention_bytes,
    node_of,
)
from v2x.messages.csae.day2.dialogues.requests import (
    Answer,
    Grants,
    Manoeuvre,
    Phase,
    RequestParams,
    heard,
    lapsed,
)
from v2x.messages.csae.day2.vir import DriveRequest, DriveResponse, LaneChangeRequest
from v2x.messages.topics import Topic
from v2x.mobility.intentions import Intentions, intentions_of
from v2x.mobility.reactions import Action
from v2x.perception.scene import Scene
from v2x.units import US_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneChangeParams:
    """Who asks for a gap, and who opens one.

    Parameters
    ----------
    within_m
        Way before the end of a lane that does not lead on from which a vehicle asks [m]; that of
        its indicator.
    behind_m
        Gap to whoever is behind in the other lane up to which it is asked [m] (assumption).
    headway_s
        Time gap to the one who asks that is opened for it [s] (MOBIL, cooperative: 2.0).
    standstill_m
        Gap that it has at rest [m] (assumption).
    most_mps2
        Hardest braking for it [m/s²] (1.5); who would have to brake harder refuses.
    close_s
        Time in which a gap that is too short is to grow [s] (assumption).
    courtesy
        Share of equipped vehicles that let others in, drawn by stable id (assumption).
    again_s
        Time before a vehicle asks again after a refusal, or in vain [s] (assumption).
    requests
        Timers of the dialogue.
    """

    within_m: float = 200.0
    behind_m: float = 60.0
    headway_s: float = 2.0
    standstill_m: float = 2.0
    most_mps2: float = 1.5
    close_s: float = 4.0
    courtesy: float = 1.0
    again_s: float = 2.0
    requests: RequestParams = field(default_factory=RequestParams)

    def __post_init__(self) -> None:
        """Reject values the rule is not defined for."""
        for name in ("within_m", "behind_m", "headway_s", "most_mps2", "close_s"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be > 0, got {getattr(self, name)}")
        for name in ("standstill_m", "again_s"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
        if not 0.0 <= self.courtesy <= 1.0:
            raise ValueError(f"courtesy must be within 0 and 1, got {self.courtesy}")


@dataclass(frozen=True, slots=True)
class Gap:
    """What a vehicle that is asked knows of who asks.

    Attributes
    ----------
    gap_m
        Gap ahead of it along the road, negative while both are beside each other [m].
    speed_mps
        Speed of who asks [m/s].
    """

    gap_m: float
    speed_mps: float


def can_let_in(gap: Gap, speed_mps: float, params: LaneChangeParams) -> bool:
    """Return whether a gap can be opened without braking too hard.

    Who is slower or as fast can always open one. Who is faster must get rid of the difference
    before it is there: Δv² <= 2 b s.

    Examples
    --------
    >>> params = LaneChangeParams()
    >>> can_let_in(Gap(10.0, 20.0), 25.0, params), can_let_in(Gap(8.0, 20.0), 25.0, params)
    (True, False)
    """
    closing = speed_mps - gap.speed_mps
    return closing <= 0.0 or closing * closing <= 2.0 * params.most_mps2 * max(gap.gap_m, 0.0)


def gap_speed_mps(gap: Gap, speed_mps: float, params: LaneChangeParams) -> float:
    """Return how fast to drive so that the gap grows to the one that is wanted [m/s].

    That of who asks, less what closes the lack in `close_s`; never less than a braking of
    `most_mps2` for a second allows.

    Examples
    --------
    >>> gap_speed_mps(Gap(42.0, 20.0), 20.0, LaneChangeParams())
    20.0
    >>> gap_speed_mps(Gap(38.0, 20.0), 20.0, LaneChangeParams())
    19.0
    """
    wanted_m = params.standstill_m + params.headway_s * speed_mps
    lack_m = max(wanted_m - gap.gap_m, 0.0)
    goal = gap.speed_mps - lack_m / params.close_s
    return max(goal, speed_mps - params.most_mps2, 0.0)


class CooperativeLaneChange:
    """A vehicle whose lane does not lead on asks the one behind in the other lane for a gap.

    Who is asked answers in a VIR of its own; if it accepts, its driver is asked to fall back. The
    vehicle then says "confirmed", changes lanes when that is safe, and ends with "complete", or
    with "cancel" when time is over. Who has nobody to ask changes lanes without.

    Parameters
    ----------
    params
        Who asks and who agrees.
    context
        Vehicles and seed; streams ``"lane change", "courtesy" | "phase"``.
    """

    Params = LaneChangeParams

    def __init__(self, params: LaneChangeParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._n_driven = 0 if context.vehicles is None else context.vehicles.n_rows
        self._courtesy_key = rng.key32(context.seed, "lane change", "courtesy")
        self._phase_key = rng.key32(context.seed, "lane change", "phase")
        self._log = DialogueLog(context.warmup_us)
        self._asking = Asking(params.requests, self._log)
        self._side: dict[int, int] = {}
        self._grants: dict[int, Grants] = {}

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of VIR with a request, with all answers that fit, and with both."""
        most = MOST_RESPONSES
        return (intention_bytes(1, 0), intention_bytes(0, 1), intention_bytes(1, most))

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let everybody hear, ask, answer and drive."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        rows = rows_by_id(fleet.id)
        self._log.tick(now_us)
        self._asking.forget(rows, now_us)
        intended = intentions_of(self._context.vehicles, fleet.n_rows)
        answers, questions = self._received(scene)
        responses = self._answer(scene, questions)
        self._ask(scene, intended)
        side = intended.sides_within(self._params.within_m)
        manoeuvres = {
            identity: self._manoeuvre(identity, int(side[rows[identity]]))
            for identity in self._side
            if identity in rows
        }
        said = self._asking.advance(now_us, answers, manoeuvres)
        self._side = {
            identity: side
            for identity, side in self._side.items()
            if self._asking.request(identity) is not None
        }
        return ServiceOutput(
            messages=self._messages(scene, rows, said, responses),
            demands=demands_of(self._openings(scene, rows)),
            orders=demands_of(
                [
                    (rows[identity], Action.CHANGE_LANE, float(wanted))
                    for identity, wanted in self._side.items()
                    if self._is_acting(identity)
                ]
            ),
        )

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return table ``dialogues``."""
        return {"dialogues": self._log.table()}

    def _received(
        self, scene: Scene
    ) -> tuple[dict[int, list[Answer]], dict[int, list[tuple[bytes, DriveRequest]]]]:
        """Return answers and requests that reached those they are for, by stable id."""
        answers: dict[int, list[Answer]] = {}
        questions: dict[int, list[tuple[bytes, DriveRequest]]] = {}
        for notice in scene.board.new(Topic.VIR):
            intention = notice.content
            for identity in scene.fleet.id[notice.host].tolist():
                me = octets(identity)
                answers.setdefault(identity, []).extend(answers_in(intention, me))
                for request in intention.requests:
                    if request.target_vehicle == me:
                        asked = questions.setdefault(identity, [])
                        asked.append((intention.sender_id, request))
        return answers, questions

    def _answer(
        self, scene: Scene, questions: Mapping[int, Sequence[tuple[bytes, DriveRequest]]]
    ) -> dict[int, list[DriveResponse]]:
        """Take requests, and return what is answered to them."""
        now_us = scene.fleet.time_us
        rows = rows_by_id(scene.fleet.id)
        kept = {
            identity: lapsed(grants, now_us)
            for identity, grants in self._grants.items()
            if identity in rows
        }
        self._grants = {identity: grants for identity, grants in kept.items() if grants}
        responses: dict[int, list[DriveResponse]] = {}
        for identity in sorted(questions):
            row = rows[identity]
            for requester, request in questions[identity]:
                grants = self._grants.get(identity, ())
                able = self._can(scene, row, identity, requester, grants)
                grants, response = heard(grants, now_us, requester, request, able=able)
                self._grants[identity] = grants
                if response is not None:
                    responses.setdefault(identity, []).append(response)
        return responses

    def _can(self, scene: Scene, row: int, identity: int, requester: bytes, grants: Grants) -> bool:
        """Whether a vehicle lets another in: it is able and willing, and does so for nobody."""
        if row >= self._n_driven or any(item.holds for item in grants):
            return False
        name = np.array([identity], dtype=np.int64)
        if rng.uniform_by_id(self._courtesy_key, name, 0)[0] >= self._params.courtesy:
            return False
        gap = _gap_to(scene, row, requester)
        speed = float(scene.own.speed_mps[row])
        return gap is not None and can_let_in(gap, speed, self._params)

    def _ask(self, scene: Scene, intended: Intentions) -> None:
        """Let those who must leave their lane ask who is behind in the other one."""
        fleet, own, now_us = scene.fleet, scene.own, scene.fleet.time_us
        rest_us = round(self._params.again_s * US_PER_S)
        side = intended.sides_within(self._params.within_m)
        side[self._n_driven :] = 0
        candidates = (side != 0) & scene.equipped & (own.edge >= 0)
        if not candidates.any():
            return
        behind = self._behind(scene, side)
        road_map = self._context.network.road_map
        for row in np.flatnonzero(candidates).tolist():
            identity = int(fleet.id[row])
            if row not in behind or self._asking.rests(now_us, identity, rest_us):
                continue
            edge, wanted = int(own.edge[row]), int(own.lane[row] + side[row])
            info = LaneChangeRequest(
                upstream_node=node_of(int(road_map.edge_from[edge])),
                downstream_node=node_of(int(road_map.edge_to[edge])),
                # Messages count lanes from the left from 1.
                target_lane=int(road_map.edge_lanes[edge]) - wanted,
            )
            self._asking.begin(now_us, identity, info, target=int(fleet.id[behind[row]]))
            self._side[identity] = int(side[row])

    def _behind(self, scene: Scene, side: NDArray[np.int32]) -> dict[int, int]:
        """Return whom each host knows next behind it in the lane that it wants."""
        near = scene.road_behind_m <= self._params.behind_m
        near &= (scene.lanes_left_behind == side[scene.host]) & (side[scene.host] != 0)
        pairs = np.flatnonzero(near & ~scene.apart)
        order = pairs[np.lexsort((scene.road_behind_m[pairs], scene.host[pairs]))][::-1]
        # The nearest comes last and stays.
        return dict(zip(scene.host[order].tolist(), scene.remote[order].tolist(), strict=True))

    def _manoeuvre(self, identity: int, side: int) -> Manoeuvre:
        """Return how far the change is: done once the lane leads on."""
        if side == self._side[identity]:
            return Manoeuvre.RUNNING
        return Manoeuvre.DONE if self._is_acting(identity) else Manoeuvre.ABORTED

    def _is_acting(self, identity: int) -> bool:
        request = self._asking.request(identity)
        return request is not None and request.phase is Phase.ACTING

    def _openings(self, scene: Scene, rows: Mapping[int, int]) -> list[tuple[int, Action, float]]:
        """Return how fast those drive who have promised a gap."""
        asked = []
        for identity, grants in sorted(self._grants.items()):
            row = rows[identity]
            for grant in grants:
                gap = _gap_to(scene, row, grant.requester_id) if grant.holds else None
                if gap is not None:
                    speed = float(scene.own.speed_mps[row])
                    asked.append((row, Action.SLOW, gap_speed_mps(gap, speed, self._params)))
        return asked

    def _messages(
        self,
        scene: Scene,
        rows: Mapping[int, int],
        said: Mapping[int, DriveRequest],
        responses: Mapping[int, Sequence[DriveResponse]],
    ) -> list[Outgoing]:
        """Return a VIR of each vehicle that asks or answers."""
        messages = []
        for identity in sorted({*said, *responses}):
            requests = (said[identity],) if identity in said else ()
            answers = tuple(responses.get(identity, ()))[:MOST_RESPONSES]
            messages.append(
                Outgoing(
                    row=rows[identity],
                    topic=Topic.VIR,
                    content=Intention(
                        sender_id=octets(identity), requests=requests, responses=answers
                    ),
                    size_bytes=intention_bytes(len(requests), len(answers)),
                    after_us=phase_us(self._phase_key, identity, self._context.tick_us),
                )
            )
        return messages


def _gap_to(scene: Scene, row: int, requester: bytes) -> Gap | None:
    """Return what a vehicle knows of who asks it; None if that one is not ahead on the road."""
    other = rows_by_id(scene.fleet.id).get(from_octets(requester), -1)
    pair = np.flatnonzero((scene.host == row) & (scene.remote == other))
    if len(pair) == 0 or np.isnan(scene.road_ahead_m[pair[0]]):
        return None
    k = int(pair[0])
    return Gap(float(scene.road_ahead_m[k]), float(scene.remote_states.speed_mps[k]))
