"""The service ``parking``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.air_sizes import octets
from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput
from v2x.applications.services.dialogue_log import DialogueLog, DialogueOutcome, Entry
from v2x.applications.services.parking.desk import (
    WISH,
    AreaWord,
    ParkingDesk,
    ParkingWord,
    area_bytes,
    request_bytes,
)
from v2x.applications.services.parking.garage import Garage, Search
from v2x.applications.services.parking.params import ParkingParams
from v2x.applications.services.rows import columns_of
from v2x.errors import V2XError
from v2x.messages.csae.day2.dialogues.requests import Answer, Request, advance, begin
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.perception.scene import Scene
from v2x.units import US_PER_MS, US_PER_S


@dataclass(slots=True)
class _Asking:
    """A vehicle on its way to the entrance that asks for a slot."""

    request: Request
    entry: Entry
    asked_us: int


class Parking:
    """Guidance in parking (GSPA): slots of a garage promised by VIR and PAM, against searching.

    A vehicle that wants to park and comes to the entrance goes on in the traffic, which has no
    exits to garages; its search is that of a garage beside it. The garage knows by its own
    sensors who has parked where.

    Parameters
    ----------
    params
        The garage, and who wants to park.
    context
        Seed, tick; streams ``"parking", "wanting"`` and those of the garage.
    """

    Params = ParkingParams

    def __init__(self, params: ParkingParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._log = DialogueLog(context.warmup_us)
        self._garage = Garage(params.garage, context.seed)
        self._desk = ParkingDesk(params)
        self._key = rng.key32(context.seed, "parking", "wanting")
        self._asking: dict[int, _Asking] = {}
        self._asked_us: dict[int, int] = {}
        self._inside: set[int] = set()
        self._area_us = 0

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of a request, and of the longest PAM."""
        params = self._params
        return (request_bytes(), area_bytes(params.garage.n_levels, params.most_guides))

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let vehicles ask and drive in, the unit answer, and those inside drive on."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        self._log.tick(now_us)
        gate = self._gate(fleet)
        for search in self._garage.tick(now_us):
            self._desk.parked(now_us, octets(search.vehicle_id))
        answers = self._hear(scene, gate)
        near_m = np.hypot(fleet.x_m - fleet.x_m[gate], fleet.y_m - fleet.y_m[gate])
        near_m = np.where(self._wants(fleet), near_m, np.inf)
        asks = scene.equipped & (near_m <= self._params.ask_m)
        messages = [
            *self._requests(fleet, gate, np.flatnonzero(asks).tolist(), answers),
            *self._area(now_us, gate),
        ]
        for row in np.flatnonzero(near_m <= self._params.gate_m).tolist():
            self._enter(now_us, int(fleet.id[row]))
        return ServiceOutput(messages=messages)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``parking`` and ``dialogues``."""
        counted_us = self._context.warmup_us
        rows = [self._row(item) for item in self._garage.searches if item.entered_us >= counted_us]
        return {"parking": columns_of("parking", rows), "dialogues": self._log.table()}

    def _gate(self, fleet: FleetState) -> int:
        units = np.flatnonzero(fleet.active & (fleet.kind == NodeKind.RSU))
        if self._params.gate >= len(units):
            raise V2XError(
                f"there are {len(units)} roadside units, none with the number {self._params.gate}",
                key="services.parking.gate",
                remedy="set roadside.placement, or another number",
            )
        return int(units[self._params.gate])

    def _wants(self, fleet: FleetState) -> NDArray[np.bool_]:
        """Return who wants to park and has not driven in yet."""
        drawn = rng.uniform_by_id(self._key, fleet.id, 0) < self._params.wanting
        drawn &= fleet.active & (fleet.kind == NodeKind.CAR)
        return np.asarray(drawn & ~np.isin(fleet.id, list(self._inside)))

    def _hear(self, scene: Scene, gate: int) -> dict[int, Answer]:
        """Let the unit hear requests, and return the answers that vehicles heard, by id."""
        now_us, answers = scene.fleet.time_us, {}
        for notice in scene.board.new(Topic.VIR):
            if isinstance(notice.content, ParkingWord) and gate in notice.host:
                self._desk.hear(now_us, notice.content, self._garage.occupied())
        for notice in scene.board.new(Topic.PAM):
            if isinstance(notice.content, AreaWord) and notice.sender == gate:
                for who in scene.fleet.id[notice.host].tolist():
                    answer = notice.content.answer_to(octets(who))
                    if answer is not None:
                        answers[who] = answer
        return answers

    def _requests(
        self, fleet: FleetState, gate: int, rows: Sequence[int], answers: Mapping[int, Answer]
    ) -> list[Outgoing]:
        """Return what those say who ask for a slot."""
        messages = []
        row_of = {int(fleet.id[row]): row for row in rows}
        now_us = fleet.time_us
        for who in row_of:
            if who not in self._asked_us:
                self._asked_us[who] = now_us
                self._asking[who] = _Asking(
                    request=begin(
                        self._params.request,
                        now_us,
                        1,
                        WISH,
                        target_rsu=octets(int(fleet.id[gate])),
                    ),
                    entry=self._log.begin(now_us, who, int(fleet.id[gate])),
                    asked_us=now_us,
                )
        for who, asking in list(self._asking.items()):
            if who not in row_of:
                # Neither inside nor in reach any more: it has turned off before the entrance.
                asking.entry.end(now_us, DialogueOutcome.CANCELLED)
                del self._asking[who]
                continue
            asking.request, said = advance(asking.request, now_us, answers.get(who))
            asking.entry.note(now_us, asking.request.phase)
            if said is not None:
                asking.entry.n_messages += 1
                messages.append(
                    Outgoing(
                        row=row_of[who],
                        topic=Topic.VIR,
                        content=ParkingWord(sender_id=octets(who), request=said),
                        size_bytes=request_bytes(),
                    )
                )
        return messages

    def _area(self, now_us: int, gate: int) -> list[Outgoing]:
        """Return the PAM that are due."""
        if now_us < self._area_us:
            return []
        self._area_us = now_us + round(self._params.area_ms * US_PER_MS)
        levels = self._params.garage.n_levels
        return [
            Outgoing(
                row=gate,
                topic=Topic.PAM,
                content=word,
                size_bytes=area_bytes(levels, len(word.guidance)),
                part=part,
                budget_us=self._context.tick_us,
            )
            for part, word in enumerate(self._desk.messages(now_us))
        ]

    def _enter(self, now_us: int, who: int) -> None:
        """Let a vehicle drive in; what it was promised counts if messages may be used."""
        self._inside.add(who)
        asking = self._asking.pop(who, None)
        promised = None
        if asking is not None:
            answer = asking.request.answer
            if answer is not None and answer.accepted and self._context.acts:
                promised = answer.slot
            asking.entry.end(
                now_us, DialogueOutcome.NO_ANSWER if answer is None else DialogueOutcome.COMPLETE
            )
        self._garage.enter(now_us, who, promised)

    def _row(self, search: Search) -> dict[str, Any]:
        entered_s = search.entered_us / US_PER_S
        asked_us = self._asked_us.get(search.vehicle_id)
        return {
            "vehicle_id": search.vehicle_id,
            "asked_s": np.nan if asked_us is None else asked_us / US_PER_S,
            "entered_s": entered_s,
            "guided": search.promised is not None,
            "over_s": np.nan if search.over_us < 0 else search.over_us / US_PER_S,
            "way_m": search.way_m,
            "slot": -1 if search.slot is None else search.slot,
            "level": -1 if search.slot is None else self._garage.level(search.slot),
            "conflict": search.conflict,
            "level_error": search.level_error,
        }
