"""What units take for an event, from what they know of road users: one tick, all units.

Nothing here is known to a unit but its own map of road users (:attr:`Scene.known`) and its
instruments. That two sightings are of one event is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.roadside.params import EventRules
from v2x.messages.csae.rsi_rules import Persistence
from v2x.mobility.fleet import KeyEvent, NodeKind
from v2x.mobility.hazards.base import Hazard
from v2x.mobility.junctions import LaneNetwork
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.units import US_PER_S


class EventCode(IntEnum):
    """Codes of events: GB/T 29100 where known (applications.md 1.4), else 10000 + DENM cause."""

    INCIDENT = 103
    SLIPPERY = 408
    JAM = 707
    IMPASSABLE = 10_005
    ROCKFALL = 10_009
    FOG = 10_018


#: How fast each changes; the classes of T/CSAE 159-2020, what belongs where is our reading.
PERSISTENCE = {
    EventCode.INCIDENT: Persistence.DYNAMIC,
    EventCode.ROCKFALL: Persistence.DYNAMIC,
    EventCode.IMPASSABLE: Persistence.SEMI_STATIC,
    EventCode.SLIPPERY: Persistence.SEMI_STATIC,
    EventCode.JAM: Persistence.SEMI_STATIC,
    EventCode.FOG: Persistence.SEMI_STATIC,
}
#: Codes of what instruments find, by the name of the hazard.
WATCHED_CODES = {
    "rockfall": EventCode.ROCKFALL,
    "closed-road": EventCode.IMPASSABLE,
    "fog-bank": EventCode.FOG,
    "slippery": EventCode.SLIPPERY,
}
_BROKEN = int(KeyEvent.DISABLED_VEHICLE | KeyEvent.AIR_BAG)
_SLIPS = int(KeyEvent.ABS | KeyEvent.TRACTION_LOSS | KeyEvent.STABILITY_CONTROL)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a unit takes for an event now.

    Attributes
    ----------
    unit
        Row of the unit.
    code
        An :class:`EventCode`.
    edge, offset_m, length_m
        Where.
    lanes
        Lanes concerned; empty for all.
    x_m, y_m, z_m
        Position [m].
    """

    unit: int
    code: EventCode
    edge: int
    offset_m: float
    length_m: float
    lanes: frozenset[int]
    x_m: float
    y_m: float
    z_m: float


class Sightings:
    """Finds events tick by tick.

    Parameters
    ----------
    rules
        When something is one.
    network
        Lanes and movements.
    hazard
        What instruments may find; None for nothing.
    """

    def __init__(self, rules: EventRules, network: LaneNetwork, hazard: Hazard | None) -> None:
        self._rules, self._hazard = rules, hazard
        self._map = network.road_map
        crossing = (network.radius_m > 0.0) | (network.signal >= 0)
        self._to_junction = np.zeros(self._map.n_edges, dtype=np.bool_)
        self._to_junction[network.from_edge[crossing]] = True
        #: Since when a unit has seen a vehicle stand, and when it last did [µs], by their ids.
        self._standing: dict[tuple[int, int], tuple[int, int]] = {}
        #: Since when an edge has been slow in the eyes of a unit [µs].
        self._slow_us: dict[tuple[int, int], int] = {}
        #: When each vehicle slipped last [µs], by unit, edge and cell.
        self._slips: dict[tuple[int, int, int], dict[int, int]] = {}

    def of(self, scene: Scene, units: RowArray) -> list[Sighting]:
        """Return what units see now.

        Parameters
        ----------
        scene
            What everybody knows.
        units : (n,) intp
            Rows of the units that work.
        """
        self._forget(scene.fleet.time_us)
        found: list[Sighting] = []
        for unit in units.tolist():
            pairs = self._vehicles(scene, unit)
            found += self._stopped(scene, unit, pairs)
            found += self._jams(scene, unit, pairs)
            found += self._slippery(scene, unit, pairs)
            found += self._watched(scene, unit)
        return found

    def _forget(self, now_us: int) -> None:
        old_us = now_us - round(self._rules.clear_s * US_PER_S)
        self._standing = {key: times for key, times in self._standing.items() if times[1] >= old_us}

    @staticmethod
    def _vehicles(scene: Scene, unit: int) -> RowArray:
        """Return the pairs of a unit with vehicles on roads."""
        known = scene.known
        there = (known.host == unit) & (known.states.edge >= 0)
        return np.flatnonzero(there & (scene.fleet.kind[known.remote] <= NodeKind.BUS))

    def _queues(self, edge: NDArray[np.int32], offset_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return who is where people wait: before a junction."""
        rest_m = self._map.edge_length_m[edge] - offset_m
        return np.asarray(self._to_junction[edge] & (rest_m < self._rules.queue_m))

    def _stopped(self, scene: Scene, unit: int, pairs: RowArray) -> Iterator[Sighting]:
        """Yield the vehicles that have stopped, of a queue the first."""
        rules, states = self._rules, scene.known.states
        pairs = pairs[states.speed_mps[pairs] < rules.stopped_mps]
        broken = (states.flags[pairs] & _BROKEN) != 0
        waits = self._queues(states.edge[pairs], states.offset_m[pairs]) & ~broken
        long_enough = broken | (self._stood_s(scene, unit, pairs) >= rules.stopped_s)
        pairs = pairs[long_enough & ~waits]
        edge, offset_m = states.edge[pairs], states.offset_m[pairs]
        order = np.lexsort((-offset_m, edge))
        before: tuple[int, float] | None = None
        for pair in pairs[order].tolist():
            at, front_m = int(states.edge[pair]), float(states.offset_m[pair])
            if before is None or at != before[0] or before[1] - front_m > rules.merge_m:
                yield self._at_vehicle(scene, unit, pair)
            before = at, front_m - float(scene.fleet.length_m[scene.known.remote[pair]])

    def _stood_s(self, scene: Scene, unit: int, pairs: RowArray) -> NDArray[np.float64]:
        """Return for how long vehicles have been seen to stand [s]."""
        now_us, fleet = scene.fleet.time_us, scene.fleet
        name, stood_s = int(fleet.id[unit]), np.zeros(len(pairs))
        for k, remote in enumerate(scene.known.remote[pairs].tolist()):
            key = (name, int(fleet.id[remote]))
            since_us = self._standing.get(key, (now_us, now_us))[0]
            self._standing[key] = (since_us, now_us)
            stood_s[k] = (now_us - since_us) / US_PER_S
        # Who has moved again has not stood since then.
        known = scene.known
        moves = (known.host == unit) & (known.states.speed_mps >= self._rules.stopped_mps)
        for remote in known.remote[moves].tolist():
            self._standing.pop((name, int(fleet.id[remote])), None)
        return stood_s

    def _at_vehicle(self, scene: Scene, unit: int, pair: int) -> Sighting:
        states, remote = scene.known.states, int(scene.known.remote[pair])
        length_m = float(scene.fleet.length_m[remote])
        lane = int(states.lane[pair])
        return Sighting(
            unit=unit,
            code=EventCode.INCIDENT,
            edge=int(states.edge[pair]),
            offset_m=max(float(states.offset_m[pair]) - length_m, 0.0),
            length_m=length_m,
            lanes=frozenset((lane,)) if lane >= 0 else frozenset(),
            x_m=float(states.x_m[pair]),
            y_m=float(states.y_m[pair]),
            z_m=float(states.z_m[pair]),
        )

    def _jams(self, scene: Scene, unit: int, pairs: RowArray) -> Iterator[Sighting]:
        """Yield the edges on which the vehicles that a unit knows are slow."""
        rules, states, now_us = self._rules, scene.known.states, scene.fleet.time_us
        pairs = pairs[~self._queues(states.edge[pairs], states.offset_m[pairs])]
        edge = states.edge[pairs]
        name = int(scene.fleet.id[unit])
        slow: set[int] = set()
        for at in np.unique(edge).tolist():
            here = pairs[edge == at]
            limit_mps = rules.jam_share * float(self._map.edge_limit_mps[at])
            if len(here) < rules.jam_vehicles or states.speed_mps[here].mean() >= limit_mps:
                continue
            slow.add(at)
            since_us = self._slow_us.setdefault((name, at), now_us)
            if now_us - since_us >= rules.jam_s * US_PER_S:
                yield self._jam(scene, unit, here[states.speed_mps[here] < limit_mps])
        for key in [key for key in self._slow_us if key[0] == name and key[1] not in slow]:
            del self._slow_us[key]

    @staticmethod
    def _jam(scene: Scene, unit: int, pairs: RowArray) -> Sighting:
        states = scene.known.states
        tail = pairs[np.argmin(states.offset_m[pairs])]
        length_m = float(scene.fleet.length_m[scene.known.remote[tail]])
        begin_m = max(float(states.offset_m[tail]) - length_m, 0.0)
        return Sighting(
            unit=unit,
            code=EventCode.JAM,
            edge=int(states.edge[tail]),
            offset_m=begin_m,
            length_m=float(states.offset_m[pairs].max()) - begin_m,
            lanes=frozenset(),
            x_m=float(states.x_m[tail]),
            y_m=float(states.y_m[tail]),
            z_m=float(states.z_m[tail]),
        )

    def _slippery(self, scene: Scene, unit: int, pairs: RowArray) -> Iterator[Sighting]:
        """Yield the stretches on which several vehicles have slipped of late."""
        rules, states, now_us = self._rules, scene.known.states, scene.fleet.time_us
        name = int(scene.fleet.id[unit])
        for pair in pairs[(states.flags[pairs] & _SLIPS) != 0].tolist():
            edge, offset_m = int(states.edge[pair]), float(states.offset_m[pair])
            key = (name, edge, int(offset_m // rules.slip_cell_m))
            who = int(scene.fleet.id[scene.known.remote[pair]])
            self._slips.setdefault(key, {})[who] = now_us
        old_us = now_us - round(rules.slip_s * US_PER_S)
        for key in [key for key in self._slips if key[0] == name]:
            late = {who: us for who, us in self._slips[key].items() if us >= old_us}
            self._slips[key] = late
            if not late:
                del self._slips[key]
            elif len(late) >= rules.slip_vehicles:
                yield self._stretch(unit, key[1], key[2])

    def _stretch(self, unit: int, edge: int, cell: int) -> Sighting:
        road_map, cell_m = self._map, self._rules.slip_cell_m
        begin_m = cell * cell_m
        first = int(road_map.first_point[edge])
        points = slice(first, int(road_map.first_point[edge + 1]))
        offset_m = road_map.point_offset_m[points]
        return Sighting(
            unit=unit,
            code=EventCode.SLIPPERY,
            edge=edge,
            offset_m=begin_m,
            length_m=min(cell_m, float(road_map.edge_length_m[edge]) - begin_m),
            lanes=frozenset(),
            x_m=float(np.interp(begin_m, offset_m, road_map.point_x_m[points])),
            y_m=float(np.interp(begin_m, offset_m, road_map.point_y_m[points])),
            z_m=float(np.interp(begin_m, offset_m, road_map.point_z_m[points])),
        )

    def _watched(self, scene: Scene, unit: int) -> Iterator[Sighting]:
        """Yield what the instruments of a unit find."""
        fleet, hazard = scene.fleet, self._hazard
        if hazard is None:
            return
        period = scene.outlook.wrap_length_m
        for item in hazard.known(fleet.time_us):
            if item.kind not in self._rules.watched:
                continue
            dx = item.x_m - float(fleet.x_m[unit])
            dx -= period * round(dx / period) if period else 0.0
            if np.hypot(dx, item.y_m - float(fleet.y_m[unit])) > self._rules.watch_m:
                continue
            yield Sighting(
                unit=unit,
                code=WATCHED_CODES[item.kind],
                edge=item.edge,
                offset_m=hazard.where().offset_m,
                length_m=0.0,
                lanes=frozenset(),
                x_m=item.x_m,
                y_m=item.y_m,
                z_m=item.z_m,
            )
