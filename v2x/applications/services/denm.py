"""The service ``denm``: vehicles tell of what happens to them, by the rules of EN 302 637-3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput
from v2x.applications.services.denm_content import FIRST_CAUSE, denm_bytes
from v2x.applications.services.event_log import EventLog, RelayedNotices, straight_m
from v2x.messages.etsi.denm import Cause
from v2x.messages.etsi.denm_events import EventTables, Heard, KeepAliveParams, nothing_heard
from v2x.messages.etsi.denm_origin import GOES_ON, Originators, Repetition
from v2x.messages.topics import Topic
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.perception.contents import RoadEvent
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.units import US_PER_MS, US_PER_S

_SLIPS = KeyEvent.ABS | KeyEvent.TRACTION_LOSS | KeyEvent.STABILITY_CONTROL
_BROKEN = KeyEvent.DISABLED_VEHICLE | KeyEvent.AIR_BAG
#: A message counts for so many repetitions, and for a second at least [µs].
_LASTING_REPETITIONS, _LEAST_US = 3, US_PER_S
#: Forwarded events have parts behind those of own ones.
_FORWARDED_PART = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DenmParams:
    """What vehicles tell of in DENMs, and how often.

    Typical repetitions are of low confidence (applications.md 2.2: emergency brake light 100 ms
    for 2 s, stationary vehicle and ice 1 s).

    Parameters
    ----------
    brake_ms, brake_s
        Hard braking (cause 99) is repeated with this period and for this long [ms], [s].
    standing_ms
        Period of broken-down vehicles that stand (94) and ends of queues (27), which are told as
        long as they last, and then cancelled [ms].
    slip_ms, slip_s
        Anti-lock brakes, traction or stability control (6) are repeated with this period and for
        this long [ms], [s].
    stopped_mps, queue_mps
        Slower than these is standing, or slow enough for hazard lights to mean the end of a queue
        [m/s]; our choice.
    trace_points
        Points of the path to the event that a message tells.
    keep_alive
        Whether vehicles in the area repeat what they have not heard for two periods.
    area_m
        Radius of the area in which they do [m].
    """

    brake_ms: int = 100
    brake_s: float = 2.0
    standing_ms: int = 1000
    slip_ms: int = 1000
    slip_s: float = 10.0
    stopped_mps: float = 0.5
    queue_mps: float = 3.0
    trace_points: int = 2
    keep_alive: bool = False
    area_m: float = 1000.0

    def __post_init__(self) -> None:
        """Reject repetitions that cannot be."""
        check_ranges(
            self,
            ("brake_ms", 100, 10_000),
            ("brake_s", 0.0, 600.0),
            ("standing_ms", 100, 10_000),
            ("slip_ms", 100, 10_000),
            ("slip_s", 0.0, 600.0),
            ("stopped_mps", 0.01, 5.0),
            ("queue_mps", 0.01, 20.0),
            ("trace_points", 0, 40),
            ("area_m", 1.0, 100_000.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DenmNotices(RelayedNotices):
    """Content of a DENM.

    Attributes
    ----------
    originator_id, sequence
        Name of the event.
    reference_us
        When this version was made [µs].
    termination
        A :class:`~v2x.messages.etsi.denm.Termination`, -1 while the event goes on.
    valid_until_us, interval_us
        End of validity, and how often its originator repeats it [µs].
    place
        The event; receivers of an end know by it what is over.
    """

    originator_id: int
    sequence: int
    reference_us: int
    termination: int
    valid_until_us: int
    interval_us: int
    place: RoadEvent


@dataclass(slots=True)
class _Own:
    """An event that a vehicle tells of."""

    event: RoadEvent
    sequence: int
    until_us: int
    stands: bool = True


@dataclass(slots=True)
class _Received:
    """Contents behind the numbers of :class:`~v2x.messages.etsi.denm_events.Heard`."""

    contents: list[DenmNotices] = field(default_factory=list)

    def put(self, content: DenmNotices) -> int:
        self.contents.append(content)
        return len(self.contents) - 1


class Denm:
    """Vehicles tell of hard braking, breakdowns, ends of queues and slipping in DENMs.

    An event begins when its condition does and no event of that cause is told; hard braking and
    slipping are told for a time, the others as long as they last.
    """

    Params = DenmParams

    def __init__(self, params: DenmParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._log = EventLog(Topic.DENM, context.warmup_us)
        self._originators = Originators()
        self._own: dict[tuple[int, Cause], _Own] = {}
        self._named: dict[tuple[int, int], RoadEvent] = {}
        self._tables = EventTables(KeepAliveParams(), context.seed)
        self._received = _Received()

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Sizes of DENMs of events that go on and that are over [byte]."""
        return denm_bytes(self._params.trace_points, over=False), denm_bytes(0, over=True)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Return what vehicles say now. ``scene.board`` holds what others have said."""
        self._log.watch(scene)
        for cause, rows in self._conditions(scene).items():
            self._follow(scene, cause, rows)
        messages = list(self._due(scene))
        if self._params.keep_alive:
            self._receive(scene)
            messages += self._forwarded(scene)
        return ServiceOutput(messages)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``road_events`` and ``event_reach``."""
        return self._log.tables()

    def _conditions(self, scene: Scene) -> dict[Cause, NDArray[np.bool_]]:
        """Return for each cause which rows have it now."""
        own, fleet = scene.own, scene.fleet
        tells = scene.equipped & (fleet.kind <= NodeKind.BUS) & (own.edge >= 0)
        flags, stands = own.flags, own.speed_mps < self._params.stopped_mps
        slow = own.speed_mps < self._params.queue_mps
        broken = (flags & int(_BROKEN)) != 0
        lights = (flags & int(KeyEvent.HAZARD_LIGHTS)) != 0
        return {
            Cause.DANGEROUS_SITUATION: tells & ((flags & int(KeyEvent.HARD_BRAKING)) != 0),
            Cause.STATIONARY_VEHICLE: tells & stands & broken,
            Cause.DANGEROUS_END_OF_QUEUE: tells & slow & lights & ~broken,
            Cause.ADHESION: tells & ((flags & int(_SLIPS)) != 0),
        }

    def _follow(self, scene: Scene, cause: Cause, rows: NDArray[np.bool_]) -> None:
        """Begin, go on with and end the events of one cause."""
        now_us, identity = scene.fleet.time_us, scene.fleet.id
        there = {int(identity[row]): row for row in np.flatnonzero(rows).tolist()}
        for who, row in there.items():
            if (who, cause) not in self._own:
                self._begin(scene, cause, row)
        repetition = Repetition(interval_ms=None, validity_s=self._validity_s(cause))
        present = set(identity.tolist())
        for key in [key for key in self._own if key[1] is cause]:
            who, own = key[0], self._own[key]
            own.stands &= who in there
            lasts = cause in (Cause.STATIONARY_VEHICLE, Cause.DANGEROUS_END_OF_QUEUE)
            over = not own.stands if lasts else now_us > own.until_us and who not in there
            if who not in present:
                del self._own[key]
            elif over:
                if lasts:
                    self._originators.cancel(now_us, who, own.sequence, repetition)
                del self._own[key]

    def _begin(self, scene: Scene, cause: Cause, row: int) -> None:
        now_us, own = scene.fleet.time_us, scene.own
        who = int(scene.fleet.id[row])
        lane = int(own.lane[row])
        event = self._log.detected(
            RoadEvent(
                number=0,
                code=FIRST_CAUSE + cause,
                edge=int(own.edge[row]),
                offset_m=max(float(own.offset_m[row] - scene.fleet.length_m[row]), 0.0),
                length_m=float(scene.fleet.length_m[row]),
                lanes=frozenset((lane,)) if lane >= 0 else frozenset(),
                x_m=float(own.x_m[row]),
                y_m=float(own.y_m[row]),
                z_m=float(own.z_m[row]),
                since_us=now_us,
            ),
            who,
            now_us / US_PER_S,
        )
        repetition = self._repetition(cause)
        (sequence,) = self._originators.trigger(
            now_us, np.array([row], dtype=np.int32), np.array([who]), repetition
        ).tolist()
        until_us = now_us + round(repetition.duration_s * US_PER_S)
        self._own[who, cause] = _Own(event, sequence, until_us)
        self._named[who, sequence] = event

    def _repetition(self, cause: Cause) -> Repetition:
        params = self._params
        interval_ms, duration_s = {
            Cause.DANGEROUS_SITUATION: (params.brake_ms, params.brake_s),
            Cause.ADHESION: (params.slip_ms, params.slip_s),
        }.get(cause, (params.standing_ms, self._validity_s(cause)))
        return Repetition(
            interval_ms=interval_ms, duration_s=duration_s, validity_s=self._validity_s(cause)
        )

    def _validity_s(self, cause: Cause) -> float:
        """Return for how long an event is valid; what lasts has the default of the standard."""
        params = self._params
        short = {Cause.DANGEROUS_SITUATION: params.brake_s, Cause.ADHESION: params.slip_s}
        return short[cause] if cause in short else Repetition().validity_s

    def _due(self, scene: Scene) -> Iterator[Outgoing]:
        """Yield the messages of events whose time has come."""
        fleet = scene.fleet
        events = self._originators.due(fleet.time_us, fleet.id)
        for k in range(len(events)):
            who, sequence = int(events.originator_id[k]), int(events.sequence[k])
            event = self._named[who, sequence]
            goes_on = int(events.termination[k]) == GOES_ON
            if goes_on:
                self._log.told(event.number, fleet.time_us)
            content = DenmNotices(
                events=(event,) if goes_on else (),
                told_us=fleet.time_us,
                originator_id=who,
                sequence=sequence,
                reference_us=int(events.reference_us[k]),
                termination=int(events.termination[k]),
                valid_until_us=int(events.valid_until_us[k]),
                interval_us=int(events.interval_us[k]),
                place=event,
            )
            yield self._message(int(events.station[k]), sequence + 1, content)

    def _message(self, row: int, part: int, content: DenmNotices) -> Outgoing:
        over = content.termination != GOES_ON
        interval_us = content.interval_us or self._params.standing_ms * US_PER_MS
        return Outgoing(
            row=row,
            topic=Topic.DENM,
            content=content,
            size_bytes=denm_bytes(0 if over else self._params.trace_points, over=over),
            part=part,
            valid_us=max(_LASTING_REPETITIONS * interval_us, _LEAST_US),
        )

    def _receive(self, scene: Scene) -> None:
        """Note what vehicles have received since the last tick."""
        fleet = scene.fleet
        for notice in scene.board.new(Topic.DENM):
            content = notice.content
            if not isinstance(content, DenmNotices):
                continue
            hosts = notice.host[fleet.kind[notice.host] <= NodeKind.BUS]
            hosts = hosts[fleet.id[hosts] != content.originator_id]
            if len(hosts):
                number = self._received.put(content)
                self._tables.receive(fleet.time_us, _heard(scene, hosts, content, number))

    def _forwarded(self, scene: Scene) -> Iterator[Outgoing]:
        """Yield what vehicles repeat because they have not heard it for long."""
        fleet = scene.fleet
        known = self._tables.known(fleet.time_us, fleet.id)
        contents = [self._received.contents[number] for number in known.content.tolist()]
        near = [
            straight_m(scene, row, content.place) <= self._params.area_m
            for row, content in zip(known.receiver.tolist(), contents, strict=True)
        ]
        sent = self._tables.forward(fleet.time_us, fleet.id, np.array(near, dtype=np.bool_))
        for row, number in zip(sent.receiver.tolist(), sent.content.tolist(), strict=True):
            content = self._received.contents[number]
            again = replace(content, hops=content.hops + 1)
            yield self._message(row, _FORWARDED_PART + content.place.number, again)


def _heard(scene: Scene, hosts: NDArray[np.intp], content: DenmNotices, number: int) -> Heard:
    """Return that hosts have received a message."""
    n = len(hosts)

    def filled(value: int) -> NDArray[np.int64]:
        return np.full(n, value, dtype=np.int64)

    return replace(
        nothing_heard(),
        receiver=hosts.astype(np.int32),
        receiver_id=scene.fleet.id[hosts],
        originator_id=filled(content.originator_id),
        sequence=filled(content.sequence),
        reference_us=filled(content.reference_us),
        termination=filled(content.termination),
        valid_until_us=filled(content.valid_until_us),
        interval_us=filled(content.interval_us),
        content=filled(number),
    )
