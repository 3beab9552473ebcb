"""Events that units know: their own sightings, and what others share over fibre; and their RSI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from v2x.applications.services.air_sizes import octets
from v2x.applications.services.event_log import EventLog, hazard_begin_s
from v2x.applications.services.roadside.params import EventRules
from v2x.applications.services.roadside.sightings import PERSISTENCE, EventCode, Sighting
from v2x.applications.services.roadside.telling import ANCHOR, Told, node_reference
from v2x.messages.csae import rsi_rules
from v2x.messages.csae.frame import size_bytes
from v2x.messages.csae.places import EarthPlaces
from v2x.messages.csae.rsi_rules import MOST_EVENTS, Persistence, RoadLink, roadside_information
from v2x.messages.topics import Topic
from v2x.mobility.hazards.base import Hazard
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.units import US_PER_S
from v2x.world.road_map import RoadMap

#: DENM causes have no code of GB/T 29100 that is known; on the wire they count as 0.
_FIRST_CAUSE = 10_000


class EventBook:
    """Which events each unit knows of, and until when.

    That two sightings are of one event is recognised without error, by sort, edge and place:
    it has one number for all units.

    Parameters
    ----------
    rules
        How near sightings of one event are, and when it is over.
    log
        Numbers events and records them.
    share_range_m
        Units within this distance learn of sightings of each other [m]; 0 for none.
    share_us
        After this time [µs].
    hazard
        What truly happened, for the record.
    """

    def __init__(
        self,
        rules: EventRules,
        log: EventLog,
        *,
        share_range_m: float,
        share_us: int,
        hazard: Hazard | None,
    ) -> None:
        self._rules, self._log, self._hazard = rules, log, hazard
        self._share_range_m, self._share_us = share_range_m, share_us
        self._clear_us = round(rules.clear_s * US_PER_S)
        #: When each event was seen last, as far as each unit knows [µs], by its id.
        self._seen_us: dict[int, dict[int, int]] = {}
        #: Sightings on their way to each unit: arrival, event, when it was seen.
        self._on_the_way: dict[int, list[tuple[int, int, int]]] = {}
        self._active: dict[int, int] = {}

    def take(self, scene: Scene, units: RowArray, sightings: Sequence[Sighting]) -> None:
        """Note the sightings of a tick, and share them among the units that work."""
        now_us = scene.fleet.time_us
        self._arrive(now_us)
        self._active = {
            number: seen_us
            for number, seen_us in self._active.items()
            if seen_us >= now_us - self._clear_us
        }
        for item in sightings:
            number = self._number_of(scene, item)
            self._active[number] = now_us
            self._learn(int(scene.fleet.id[item.unit]), number, now_us)
            for other in self._linked(scene, units, item.unit):
                arrival = (now_us + self._share_us, number, now_us)
                self._on_the_way.setdefault(other, []).append(arrival)

    def known(self, unit: int, at_us: int) -> list[RoadEvent]:
        """Return the events that a unit (stable id) knows of at a time [µs], by number."""
        seen = dict(self._seen_us.get(unit, {}))
        for arrival_us, number, seen_us in self._on_the_way.get(unit, ()):
            if arrival_us <= at_us:
                seen[number] = max(seen.get(number, 0), seen_us)
        return [
            self._log.event(number)
            for number, seen_us in sorted(seen.items())
            if at_us - seen_us <= self._clear_us
        ]

    def _arrive(self, now_us: int) -> None:
        """Let units learn what has arrived."""
        for unit, coming in self._on_the_way.items():
            for arrival_us, number, seen_us in coming:
                if arrival_us <= now_us:
                    self._learn(unit, number, seen_us)
            self._on_the_way[unit] = [item for item in coming if item[0] > now_us]

    def _learn(self, unit: int, number: int, seen_us: int) -> None:
        seen = self._seen_us.setdefault(unit, {})
        seen[number] = max(seen.get(number, 0), seen_us)

    def _linked(self, scene: Scene, units: RowArray, unit: int) -> list[int]:
        """Return the ids of the other units that share with one."""
        if not self._share_range_m:
            return []
        fleet, others = scene.fleet, units[units != unit]
        dx = fleet.x_m[others] - fleet.x_m[unit]
        period = scene.outlook.wrap_length_m
        if period:
            dx = dx - period * np.round(dx / period)
        away_m = np.hypot(dx, fleet.y_m[others] - fleet.y_m[unit])
        return [int(item) for item in fleet.id[others[away_m <= self._share_range_m]]]

    def _number_of(self, scene: Scene, item: Sighting) -> int:
        """Return the number of what was sighted, a new one if it is new."""
        now_us = scene.fleet.time_us
        seen = RoadEvent(
            number=0,
            code=item.code,
            edge=item.edge,
            offset_m=item.offset_m,
            length_m=item.length_m,
            lanes=item.lanes,
            x_m=item.x_m,
            y_m=item.y_m,
            z_m=item.z_m,
            since_us=now_us,
        )
        for number in self._active:
            known = self._log.event(number)
            same = (known.code, known.edge) == (seen.code, seen.edge)
            # Stretches that touch are one, such as a jam whose tail grows.
            apart_m = max(known.offset_m, seen.offset_m) - min(
                known.offset_m + known.length_m, seen.offset_m + seen.length_m
            )
            if same and apart_m <= self._rules.merge_m:
                self._log.update(replace(seen, number=number, since_us=known.since_us))
                return number
        unit_id = int(scene.fleet.id[item.unit])
        return self._log.detected(seen, unit_id, hazard_begin_s(self._hazard, seen)).number


class EventTeller:
    """RSI of one class: the events of that class that each unit knows.

    Parameters
    ----------
    road_map
        The map.
    book, log
        Events; what is told is recorded.
    persistence
        The class.
    room_bytes
        Longest content of a message [byte].
    after_us
        How long after the tick the messages are generated [µs]: what arrives until then is told.
    """

    def __init__(
        self,
        road_map: RoadMap,
        book: EventBook,
        log: EventLog,
        persistence: Persistence,
        *,
        room_bytes: int,
        after_us: int,
    ) -> None:
        self._map, self._book, self._log = road_map, book, log
        self._class, self._room_bytes, self._after_us = persistence, room_bytes, after_us
        self._places = EarthPlaces(road_map, ANCHOR)

    def count(self, scene: Scene, row: int) -> int:
        """Return how many messages the unit in a row has; they go one in a tick."""
        return len(self._packed(scene, row))

    def tell(self, scene: Scene, row: int, place: int) -> Told:
        """Return one of them."""
        events = self._packed(scene, row)[place]
        for event in events:
            self._log.told(event.number, scene.fleet.time_us + self._after_us)
        content = RoadNotices(events=tuple(events))
        return Told(Topic.RSI, content, self._bytes(scene, row, events))

    def _packed(self, scene: Scene, row: int) -> list[list[RoadEvent]]:
        """Return the events that a unit tells of, message by message."""
        at_us = scene.fleet.time_us + self._after_us
        packed: list[list[RoadEvent]] = []
        for event in self._book.known(int(scene.fleet.id[row]), at_us):
            if PERSISTENCE[EventCode(event.code)] is not self._class:
                continue
            fits = packed and len(packed[-1]) < MOST_EVENTS
            if fits and self._bytes(scene, row, [*packed[-1], event]) <= self._room_bytes:
                packed[-1].append(event)
            else:
                packed.append([event])
        return packed

    def _bytes(self, scene: Scene, row: int, events: Sequence[RoadEvent]) -> int:
        fleet, at = scene.fleet, slice(row, row + 1)
        own = self._places.at(fleet.x_m[at], fleet.y_m[at], fleet.z_m[at])[0]
        places = self._places.at(
            np.array([event.x_m for event in events]),
            np.array([event.y_m for event in events]),
            np.array([event.z_m for event in events]),
        )
        told = [
            rsi_rules.RoadEvent(
                event_id=event.number % 256,
                event_type=event.code if event.code < _FIRST_CAUSE else 0,
                persistence=self._class,
                place=place,
                radius_m=min(event.length_m, 6000.0),
                priority=7 if self._class is Persistence.DYNAMIC else 4,
                links=(
                    RoadLink(
                        upstream_node=node_reference(self._map.edge_from[event.edge]),
                        downstream_node=node_reference(self._map.edge_to[event.edge]),
                    ),
                ),
            )
            for event, place in zip(events, places, strict=True)
        ]
        name = octets(int(fleet.id[row]))
        return size_bytes(roadside_information(name, own, told, minute_of_year=0)[self._class][0])
