"""Events on the road, who told of them when, and when it reached whom.

Rows of tables ``road_events`` and ``event_reach``, from which the way of an alert through a tunnel
is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.rows import columns_of
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.hazards.base import Hazard
from v2x.perception.board import Notice
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.units import US_PER_S

#: Values of the column `via`.
VIA_UNIT, VIA_VEHICLE = 0, 1
#: An event detected this near to a hazard of the scenario is of it [m].
_SAME_PLACE_M = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayedNotices(RoadNotices):
    """Notices that vehicles tell on.

    Attributes
    ----------
    told_us
        When they were told at first hand [µs].
    hops
        How often they have been told on.
    """

    told_us: int = 0
    hops: int = 0


@dataclass(slots=True)
class _Entry:
    """An event and what is recorded of it."""

    event: RoadEvent
    unit_id: int
    begin_s: float
    told_us: int
    length_m: float


class EventLog:
    """Numbers the events of a service and records their way.

    Parameters
    ----------
    topic
        Topic under which they are told.
    counted_from_us
        Events that are detected earlier have a number but no rows [µs].
    """

    def __init__(self, topic: Topic, counted_from_us: int) -> None:
        self._topic, self._counted_from_us = topic, counted_from_us
        self._entries: list[_Entry] = []
        self._reached: set[tuple[int, int]] = set()
        self._reach: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def event(self, number: int) -> RoadEvent:
        """Return the newest version of an event."""
        return self._entries[number].event

    def detected(self, event: RoadEvent, unit_id: int, begin_s: float = np.nan) -> RoadEvent:
        """Note a new event, and return it with its number.

        Parameters
        ----------
        event
            The event; its number is replaced.
        unit_id
            Stable id of who detected it.
        begin_s
            When it truly began [s], if that is known.
        """
        numbered = replace(event, number=len(self._entries))
        self._entries.append(_Entry(numbered, unit_id, begin_s, event.since_us, event.length_m))
        return numbered

    def update(self, event: RoadEvent) -> None:
        """Note that an event has moved or grown; its number stays."""
        entry = self._entries[event.number]
        entry.event = event
        entry.length_m = max(entry.length_m, event.length_m)

    def told(self, number: int, now_us: int) -> None:
        """Note that somebody tells of an event."""
        entry = self._entries[number]
        entry.told_us = max(entry.told_us, now_us)

    def watch(self, scene: Scene) -> None:
        """Note whom events have reached since the last tick."""
        for notice in scene.board.new(self._topic):
            if isinstance(notice.content, RoadNotices):
                for event in notice.content.events:
                    if self._is_mine(event):
                        self._note_reach(scene, notice, event)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return both tables, for :meth:`Service.tables`."""
        rows = [self._row(entry) for entry in self._entries if self._counts(entry)]
        return {
            "road_events": columns_of("road_events", rows),
            "event_reach": columns_of("event_reach", self._reach),
        }

    def _is_mine(self, event: RoadEvent) -> bool:
        """Whether an event is of this log; another service may use the same numbers."""
        if not 0 <= event.number < len(self._entries):
            return False
        mine = self._entries[event.number].event
        return (mine.code, mine.since_us) == (event.code, event.since_us)

    def _counts(self, entry: _Entry) -> bool:
        return entry.event.since_us >= self._counted_from_us

    def _note_reach(self, scene: Scene, notice: Notice, event: RoadEvent) -> None:
        fleet = scene.fleet
        new = [
            row
            for row in notice.host.tolist()
            if fleet.kind[row] <= NodeKind.BUS
            and (event.number, int(fleet.id[row])) not in self._reached
        ]
        if not new:
            return
        self._reached.update((event.number, int(fleet.id[row])) for row in new)
        if not self._counts(self._entries[event.number]):
            return
        rows = np.array(new, dtype=np.intp)
        ahead_m = way_to(scene, rows, event)
        from_unit = fleet.kind[notice.sender] == NodeKind.RSU
        hops = notice.content.hops if isinstance(notice.content, RelayedNotices) else 0
        for row, distance_m in zip(new, ahead_m.tolist(), strict=True):
            self._reach.append(
                {
                    "number": event.number,
                    "vehicle_id": int(fleet.id[row]),
                    "time_s": fleet.time_us / US_PER_S,
                    "distance_m": distance_m,
                    "straight_m": straight_m(scene, row, event),
                    "via": VIA_UNIT if from_unit else VIA_VEHICLE,
                    "hops": hops,
                }
            )

    def _row(self, entry: _Entry) -> dict[str, Any]:
        event = entry.event
        return {
            "number": event.number,
            "code": event.code,
            "unit_id": entry.unit_id,
            "x_m": event.x_m,
            "y_m": event.y_m,
            "z_m": event.z_m,
            "edge": event.edge,
            "offset_m": event.offset_m,
            "length_m": entry.length_m,
            "begin_s": entry.begin_s,
            "detected_s": event.since_us / US_PER_S,
            "end_s": entry.told_us / US_PER_S,
        }


def hazard_begin_s(hazard: Hazard | None, event: RoadEvent) -> float:
    """Return when the hazard at the place of a new event began [s], NaN if there is none."""
    for known in () if hazard is None else hazard.known(event.since_us):
        if np.hypot(known.x_m - event.x_m, known.y_m - event.y_m) <= _SAME_PLACE_M:
            return known.from_us / US_PER_S
    return float("nan")


def way_to(scene: Scene, rows: NDArray[np.intp], event: RoadEvent) -> NDArray[np.float64]:
    """Return how far ahead along the road an event begins, NaN if it is not ahead [m], (n,)."""
    fleet: FleetState = scene.fleet
    edge = np.full(len(rows), event.edge, dtype=np.int32)
    ahead_m = scene.outlook.ways.between(fleet.edge[rows], edge).ahead_m
    way_m = ahead_m + event.offset_m - fleet.offset_m[rows]
    return np.asarray(np.where(way_m >= -event.length_m, way_m, np.nan))


def straight_m(scene: Scene, row: int, event: RoadEvent) -> float:
    """Return the distance in plan from a road user to an event [m]."""
    dx = event.x_m - float(scene.fleet.x_m[row])
    period = scene.outlook.wrap_length_m
    if period:
        dx -= period * round(dx / period)
    return float(np.hypot(dx, event.y_m - float(scene.fleet.y_m[row])))
