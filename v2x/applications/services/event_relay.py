"""The service ``event-relay``: vehicles tell events on, those farthest from the sender first.

Contention-based forwarding (EN 302 636-4-1, figures of low confidence in applications.md 2.5): who
receives an event waits the shorter the farther it is from the sender, and tells it on unless it has
heard that from another vehicle before. So an alert runs through a tunnel without roadside units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput
from v2x.applications.services.event_log import RelayedNotices, straight_m
from v2x.messages.topics import Topic
from v2x.mobility.fleet import NodeKind
from v2x.perception.board import Notice
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.units import US_PER_MS, US_PER_S

#: What is told on.
_TOPICS = (Topic.RSI, Topic.DENM)
#: Events told on have parts behind those of own ones.
_FIRST_PART = 1 << 21


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayParams:
    """Timers of contention, and what is told on.

    Parameters
    ----------
    to_min_ms, to_max_ms
        Wait of who is `dist_max_m` away or farther, and of who is at the sender [ms]
        (applications.md 2.5, confidence C).
    dist_max_m
        Farthest that a message is expected to reach [m] (the same).
    stretch
        The waits are multiplied by this. A message waits for up to 100 ms for its place on the
        sidelink, so with 1 all waits end before any copy can be heard; 5 is our choice.
    repeat_s
        A vehicle tells an event on again if what it hears was told at first hand so much later
        than what it told last [s]; our choice.
    max_hops
        An event is told on so often at most (default hop limit of GeoNetworking, 10).
    reach_m
        Vehicles farther than this from an event do not tell it on [m]; our choice.
    size_bytes
        Size of a message on air [byte]. What is told on keeps the signature and certificate of
        its origin, so 400 holds an RSI of one event or a DENM.
    """

    to_min_ms: float = 1.0
    to_max_ms: float = 100.0
    dist_max_m: float = 1000.0
    stretch: float = 5.0
    repeat_s: float = 1.0
    max_hops: int = 10
    reach_m: float = 5000.0
    size_bytes: int = 400

    def __post_init__(self) -> None:
        """Reject timers that cannot work."""
        if not 0.0 <= self.to_min_ms <= self.to_max_ms <= 10_000.0:
            raise ValueError(
                f"to_min_ms must be at least 0 and at most to_max_ms, which is at most 10000; "
                f"got {self.to_min_ms} and {self.to_max_ms}"
            )
        check_ranges(
            self,
            ("dist_max_m", 1.0, 100_000.0),
            ("stretch", 0.1, 1000.0),
            ("repeat_s", 0.1, 600.0),
            ("max_hops", 1, 255),
            ("reach_m", 1.0, 1e6),
            ("size_bytes", 1, 10_000),
        )

    def wait_us(self, distance_m: float) -> int:
        """Return for how long who is at a distance from the sender [m] waits [µs].

        Examples
        --------
        >>> params = RelayParams(stretch=1.0)
        >>> [params.wait_us(distance_m) for distance_m in (0.0, 500.0, 1000.0, 2000.0)]
        [100000, 50500, 1000, 1000]
        """
        share = min(distance_m / self.dist_max_m, 1.0)
        wait_ms = self.to_max_ms + (self.to_min_ms - self.to_max_ms) * share
        return round(self.stretch * wait_ms * US_PER_MS)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event that a vehicle will tell on.

    Attributes
    ----------
    row
        Row of the vehicle.
    due_us
        When [µs].
    event, told_us, hops
        What it tells, when that was told at first hand, and how often it has been told on.
    """

    row: int
    due_us: int
    event: RoadEvent
    told_us: int
    hops: int


#: Vehicle, topic, sort, number and detection of an event.
_Key = tuple[int, Topic, int, int, int]


class EventRelay:
    """Vehicles tell the events of RSI and DENM on, with contention.

    A copy from another vehicle ends the wait of who has received the event already. Signs are not
    told on, nor is the end of an event: what is not told any more is soon forgotten.
    """

    Params = RelayParams

    def __init__(self, params: RelayParams, context: ServiceContext) -> None:
        self._params, self._tick_us = params, context.tick_us
        self._waiting: dict[_Key, _Waiting] = {}
        #: When the version that a vehicle has done with was told at first hand [µs].
        self._done_us: dict[_Key, int] = {}

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Size of its messages [byte]."""
        return (self._params.size_bytes,)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Return what vehicles tell on now."""
        now_us, identity = scene.fleet.time_us, scene.fleet.id
        there = set(identity.tolist())
        self._waiting = {
            key: item for key, item in self._waiting.items() if identity[item.row] == key[0]
        }
        self._done_us = {key: us for key, us in self._done_us.items() if key[0] in there}
        for topic in _TOPICS:
            for notice in scene.board.new(topic):
                if isinstance(notice.content, RoadNotices):
                    self._receive(scene, topic, notice)
        return ServiceOutput(list(self._due(now_us)))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return nothing: whose events they are records their way."""
        return {}

    def _receive(self, scene: Scene, topic: Topic, notice: Notice) -> None:
        """Let those who have received a message begin to wait, or have done."""
        fleet, content = scene.fleet, notice.content
        relayed = content if isinstance(content, RelayedNotices) else None
        told_us = notice.generated_us if relayed is None else relayed.told_us
        hops = 0 if relayed is None else relayed.hops
        hosts = notice.host[fleet.kind[notice.host] <= NodeKind.BUS]
        for event in content.events:
            for row in hosts.tolist():
                who = int(fleet.id[row])
                key = (who, topic, event.code, event.number, event.since_us)
                if key in self._waiting:
                    if hops > 0:
                        self._done_us[key] = self._waiting.pop(key).told_us
                elif hops < self._params.max_hops and self._is_newer(key, told_us):
                    if straight_m(scene, row, event) > self._params.reach_m:
                        continue
                    wait_us = self._params.wait_us(_apart_m(scene, row, notice.sender))
                    due_us = fleet.time_us + wait_us
                    self._waiting[key] = _Waiting(row, due_us, event, told_us, hops)

    def _is_newer(self, key: _Key, told_us: int) -> bool:
        """Return whether a version is so much newer than what was done that it is told on."""
        done_us = self._done_us.get(key)
        return done_us is None or told_us - done_us >= self._params.repeat_s * US_PER_S

    def _due(self, now_us: int) -> Iterator[Outgoing]:
        """Yield the messages of those who have waited long enough."""
        due = [key for key, item in self._waiting.items() if item.due_us < now_us + self._tick_us]
        for key in due:
            item = self._waiting.pop(key)
            self._done_us[key] = item.told_us
            content = RelayedNotices(events=(item.event,), told_us=item.told_us, hops=item.hops + 1)
            yield Outgoing(
                row=item.row,
                topic=key[1],
                content=content,
                size_bytes=self._params.size_bytes,
                after_us=max(item.due_us - now_us, 0),
                part=_FIRST_PART + item.event.number,
            )


def _apart_m(scene: Scene, row: int, sender: int) -> float:
    """Return the distance in plan of a vehicle from where a sender says to be [m]."""
    own, period = scene.own, scene.outlook.wrap_length_m
    dx = float(own.x_m[sender] - own.x_m[row])
    if period:
        dx -= period * round(dx / period)
    return float(np.hypot(dx, own.y_m[sender] - own.y_m[row]))
