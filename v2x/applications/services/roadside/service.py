"""The service ``roadside``: every unit tells maps, lights, signs, events and road users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.air_sizes import Certificates, room_bytes
from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput, phase_us
from v2x.applications.services.event_log import EventLog
from v2x.applications.services.roadside.events import EventBook, EventTeller
from v2x.applications.services.roadside.junctions import MapTeller, SignalTeller
from v2x.applications.services.roadside.objects import ObjectTeller
from v2x.applications.services.roadside.params import RoadsideServiceParams
from v2x.applications.services.roadside.sightings import Sightings
from v2x.applications.services.roadside.signs import SignTeller
from v2x.applications.services.roadside.telling import Teller
from v2x.messages.csae.rsi_rules import Persistence
from v2x.messages.topics import RSI_SEMI_STATIC, RSI_STATIC, URGENCY, Topic, Urgency
from v2x.mobility.fleet import NodeKind
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.units import US_PER_MS, US_PER_S

#: A unit sends so many messages in a tick at most, one after another.
N_TURNS = 4
#: What receivers know by messages counts for so many periods.
_LASTING_PERIODS = 3
#: Numbers of messages (``Outgoing.part``) that one sort may use.
_PARTS = 1000


@dataclass(frozen=True, slots=True)
class _Sort:
    """One sort of messages.

    Attributes
    ----------
    teller
        Has them.
    urgency
        Priority on air.
    period_ms
        Each goes once in this time, or later if there are more than ticks in it [ms].
    turn
        Which quarter of the tick they go in.
    first_part
        Tells their parts from those of other sorts.
    """

    teller: Teller
    urgency: Urgency
    period_ms: int
    turn: int
    first_part: int


class Roadside:
    """Roadside units tell MAP, SPAT, RSI and RSM by T/CSAE 159-2020.

    In a tick of 100 ms a unit sends at most four messages one after another, each with a quarter
    of the tick to go on air: RSM, dynamic RSI, SPAT, and one of the slow ones. If there is more to
    say of one sort than a message holds, its messages take turns.
    """

    Params = RoadsideServiceParams

    def __init__(self, params: RoadsideServiceParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        road = context.road
        hazard = None if road is None else road.hazard
        self._log = EventLog(Topic.RSI, context.warmup_us)
        self._book = EventBook(
            params.rules,
            self._log,
            share_range_m=params.share_range_m,
            share_us=params.share_us,
            hazard=hazard,
        )
        self._sightings = Sightings(params.rules, context.network, hazard)
        self._certificates = Certificates(params.max_bytes)
        self._turn_us = context.tick_us // N_TURNS
        self._sorts = list(self._all_sorts())
        self._phase_key = rng.key32(context.seed, "roadside", "phase")
        self._dead_key = rng.key32(context.seed, "roadside", "dead")

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Largest size that its messages may have [byte]."""
        return (self._params.max_bytes,)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Return what units say now. ``scene.board`` holds what others have said."""
        self._log.watch(scene)
        units = self._working(scene)
        self._book.take(scene, units, self._sightings.of(scene, units))
        messages = [message for row in units.tolist() for message in self._messages(scene, row)]
        return ServiceOutput(messages)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``road_events`` and ``event_reach``."""
        return self._log.tables()

    def _working(self, scene: Scene) -> RowArray:
        """Return the rows of the units that have not failed."""
        fleet, params = scene.fleet, self._params
        units = np.flatnonzero(fleet.active & (fleet.kind == NodeKind.RSU))
        if fleet.time_us < params.dead_from_s * US_PER_S:
            return units
        lives = rng.uniform_by_id(self._dead_key, fleet.id[units], 0) >= params.dead_share
        return units[lives]

    def _messages(self, scene: Scene, row: int) -> Iterator[Outgoing]:
        """Yield what the unit in a row says in this tick."""
        now_us, unit = scene.fleet.time_us, int(scene.fleet.id[row])
        tick_us = self._context.tick_us
        for number, sort in enumerate(self._sorts):
            n_told = sort.teller.count(scene, row)
            n_ticks = max(sort.period_ms * US_PER_MS // tick_us, n_told)
            begin = phase_us(self._phase_key + number, unit, n_ticks)
            place = (now_us // tick_us - begin) % n_ticks
            if place >= n_told:
                continue
            item = sort.teller.tell(scene, row, place)
            period_us = max(n_ticks * tick_us, sort.period_ms * US_PER_MS)
            yield Outgoing(
                row=row,
                topic=item.topic,
                content=item.content,
                size_bytes=self._certificates.on_air_bytes(now_us, unit, item.content_bytes),
                after_us=sort.turn * self._turn_us,
                part=sort.first_part + place,
                priority=sort.urgency.pppp,
                budget_us=self._turn_us,
                valid_us=max(_LASTING_PERIODS * period_us, US_PER_S),
            )

    def _all_sorts(self) -> Iterator[_Sort]:
        """Yield the sorts of messages that are asked for."""
        params, network = self._params, self._context.network
        room = room_bytes(params.max_bytes)
        road, road_map = self._context.road, network.road_map
        control = None if road is None else road.lights.control
        if params.rsm_ms:
            teller = ObjectTeller(
                road_map, params.participants, room, repeat_heard=params.repeat_bsm
            )
            yield _Sort(teller, URGENCY[Topic.RSM], params.rsm_ms, 0, 0)
        if params.dynamic_ms:
            yield self._rsi(Persistence.DYNAMIC, URGENCY[Topic.RSI], params.dynamic_ms, room, 1)
        if params.spat_ms and control is not None:
            signals = SignalTeller(network, control, params.range_m, room)
            yield _Sort(signals, URGENCY[Topic.SPAT], params.spat_ms, 2, 0)
        if params.semi_static_ms:
            period_ms = params.semi_static_ms
            yield self._rsi(Persistence.SEMI_STATIC, RSI_SEMI_STATIC, period_ms, room, 3)
        if params.static_ms:
            signs = SignTeller(network, params, room)
            yield _Sort(signs, RSI_STATIC, params.static_ms, 3, 0)
        if params.map_ms:
            maps = MapTeller(network, control, params.range_m, room)
            yield _Sort(maps, URGENCY[Topic.MAP], params.map_ms, 3, 0)

    def _rsi(
        self, persistence: Persistence, urgency: Urgency, period_ms: int, room: int, turn: int
    ) -> _Sort:
        """Return the events of one class; each class has messages and a priority of its own."""
        teller = EventTeller(
            self._context.network.road_map,
            self._book,
            self._log,
            persistence,
            room_bytes=room,
            after_us=turn * self._turn_us,
        )
        return _Sort(teller, urgency, period_ms, turn, _PARTS * turn)
