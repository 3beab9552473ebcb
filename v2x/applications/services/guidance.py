"""The service ``guidance``: traffic is led round a closed road."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.air_sizes import roadside_bytes
from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput, demands_of
from v2x.applications.services.roadside.sightings import EventCode
from v2x.applications.services.rows import columns_of
from v2x.applications.services.server import Mail, needed_network
from v2x.errors import V2XError
from v2x.messages.csae import rsi_rules
from v2x.messages.csae.elements import NodeReference, Position3D
from v2x.messages.csae.frame import size_bytes
from v2x.messages.csae.rsi_rules import Persistence, RoadLink, roadside_information
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.hazards.base import KnownHazard
from v2x.mobility.reactions import Action
from v2x.perception.contents import RoadEvent, RoadNotices
from v2x.perception.scene import Scene
from v2x.ranges import check_ranges
from v2x.units import US_PER_MS, US_PER_S

#: Name of the hazard that this service is about.
CLOSED = "closed-road"
#: Slower than this is queueing [m/s]; 5 km/h is usual (low confidence).
_QUEUES_MPS = 5.0 / 3.6
#: Who stands farther behind the one before is not in the queue [m]; our choice.
_QUEUE_GAP_M = 50.0
#: Values of the column `via`.
VIA_UNIT, VIA_NETWORK = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceParams:
    """Who is told of a closed road, how, and how soon.

    How many follow is ``reactions.compliance``; 0.3 to 0.8 is the range of the project.

    Parameters
    ----------
    over
        ``rsu``: all roadside units tell it by RSI; ``uu``: a server tells every vehicle with a
        device over the mobile network.
    known_after_s
        The server knows of it this long after it was closed [s]; our choice.
    repeat_s
        Time between RSI of a unit, or between attempts of the server to reach a vehicle that it
        has not reached yet [s].
    fibre_ms
        From the server to roadside units [ms]; estimate.
    """

    over: Literal["rsu", "uu"] = "rsu"
    known_after_s: float = 10.0
    repeat_s: float = 1.0
    fibre_ms: float = 5.0

    def __post_init__(self) -> None:
        """Reject impossible times."""
        if self.over not in ("rsu", "uu"):
            raise ValueError(f"over must be rsu or uu, got {self.over!r}")
        check_ranges(
            self,
            ("known_after_s", 0.0, 3600.0),
            ("repeat_s", 0.1, 60.0),
            ("fibre_ms", 0.0, 1000.0),
        )


class Guidance:
    """Mass guidance: detours round a closed road by RSI or over the mobile network.

    Works on the traffic of the run, vehicle by vehicle. An aggregated model of a whole city
    (5 000 to 20 000 vehicles) is out of its scope.

    Parameters
    ----------
    params
        How vehicles are told.
    context
        Traffic, hazard, mobile network.

    Raises
    ------
    V2XError
        If nobody can be sent elsewhere, or there is no mobile network to tell it over.
    """

    Params = GuidanceParams

    def __init__(self, params: GuidanceParams, context: ServiceContext) -> None:
        if context.vehicles is None:
            raise V2XError(
                "guidance needs traffic that can take another way",
                key="services.guidance",
                remedy="use traffic.type=routed",
            )
        self._params, self._context = params, context
        self._mobile = needed_network(context, "guidance") if params.over == "uu" else None
        self._n_driven = context.vehicles.n_rows
        self._mail: Mail[tuple[int, int]] = Mail()
        self._due_us = 0
        #: Edges that each vehicle knows to be closed, by its id.
        self._knows: dict[int, set[int]] = {}
        self._reached: list[dict[str, Any]] = []
        self._rows: list[dict[str, Any]] = []
        self._lost_s = 0.0

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Size of an RSI with the closed road; none if nothing goes over the sidelink."""
        return () if self._mobile is not None else (notice_bytes(),)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Tell what is closed, and ask those who heard it to go another way."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        closed = self._closed(now_us)
        self._hear(scene, closed)
        messages: list[Outgoing] = []
        if self._mobile is not None:
            self._mobile.follow(fleet)
        if closed and now_us >= self._due_us:
            self._due_us = now_us + round(self._params.repeat_s * US_PER_S)
            messages = self._tell(scene, closed)
        edges = {item.edge for item in closed}
        row_of = {
            who: row for row, who in enumerate(fleet.id[: self._n_driven].tolist()) if who >= 0
        }
        asked = [
            (row_of[who], Action.REROUTE, float(edge))
            for who, known in self._knows.items()
            if who in row_of
            for edge in sorted(known & edges)
        ]
        self._note(scene, closed, len(asked))
        return ServiceOutput(messages=messages, demands=demands_of(asked))

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``guidance`` and ``guidance_reach``."""
        return {
            "guidance": columns_of("guidance", self._rows),
            "guidance_reach": columns_of("guidance_reach", self._reached),
        }

    def _closed(self, now_us: int) -> list[KnownHazard]:
        """Return what the server knows to be closed."""
        road = self._context.road
        hazard = None if road is None else road.hazard
        if hazard is None:
            return []
        after_us = round(self._params.known_after_s * US_PER_S)
        return [
            item
            for item in hazard.known(now_us)
            if item.kind == CLOSED and now_us >= item.from_us + after_us
        ]

    def _hear(self, scene: Scene, closed: Sequence[KnownHazard]) -> None:
        """Let vehicles know what has reached them."""
        since_us = {item.edge: item.from_us for item in closed}
        row_of = {who: row for row, who in enumerate(scene.fleet.id.tolist()) if who >= 0}
        for _, (who, edge) in self._mail.arrived(scene.fleet.time_us):
            if who in row_of:
                self._know(scene, row_of[who], edge, VIA_NETWORK, since_us)
        for notice in scene.board.new(Topic.RSI):
            if isinstance(notice.content, RoadNotices):
                for event in notice.content.events:
                    if event.code == EventCode.IMPASSABLE:
                        for row in notice.host.tolist():
                            self._know(scene, row, event.edge, VIA_UNIT, since_us)

    def _know(
        self, scene: Scene, row: int, edge: int, via: int, since_us: Mapping[int, int]
    ) -> None:
        fleet = scene.fleet
        if fleet.kind[row] > NodeKind.BUS:
            return
        who = int(fleet.id[row])
        known = self._knows.setdefault(who, set())
        if edge in known:
            return
        known.add(edge)
        if fleet.time_us >= self._context.warmup_us and edge in since_us:
            self._reached.append(
                {
                    "vehicle_id": who,
                    "edge": edge,
                    "time_s": fleet.time_us / US_PER_S,
                    "after_s": (fleet.time_us - since_us[edge]) / US_PER_S,
                    "distance_m": self._way_m(scene, edge)[row],
                    "via": via,
                }
            )

    def _tell(self, scene: Scene, closed: Sequence[KnownHazard]) -> list[Outgoing]:
        fleet, now_us = scene.fleet, scene.fleet.time_us
        if self._mobile is None:
            notices = RoadNotices(events=tuple(_event(k, item) for k, item in enumerate(closed)))
            units = np.flatnonzero(fleet.active & (fleet.kind == NodeKind.RSU)).tolist()
            after_us = round(self._params.fibre_ms * US_PER_MS)
            return [
                Outgoing(
                    row=row,
                    topic=Topic.RSI,
                    content=notices,
                    size_bytes=notice_bytes(),
                    after_us=min(after_us, self._context.tick_us - 1),
                    part=_PART,
                    budget_us=self._context.tick_us,
                )
                for row in units
            ]
        for item in closed:
            may = fleet.active & scene.equipped & (fleet.kind <= NodeKind.BUS)
            ignorant = [item.edge not in self._knows.get(who, ()) for who in fleet.id.tolist()]
            rows = np.flatnonzero(may & np.array(ignorant, dtype=np.bool_))
            arrives_us = self._mobile.down(
                rows,
                np.full(len(rows), now_us, dtype=np.int64),
                np.full(len(rows), notice_bytes(), dtype=np.int32),
                stream="guidance",
            )
            self._mail.send(arrives_us, [(who, item.edge) for who in fleet.id[rows].tolist()])
        return []

    def _way_m(self, scene: Scene, edge: int) -> NDArray[np.float64]:
        """Return the way to the beginning of an edge, NaN if it is not ahead [m], (n_rows,)."""
        fleet = scene.fleet
        here = np.maximum(fleet.edge, 0)
        onward = scene.outlook.ways.between(here, np.full(fleet.n_rows, edge, dtype=np.int32))
        way_m = onward.ahead_m - fleet.offset_m
        return np.where((fleet.edge >= 0) & (way_m > 0.0), way_m, np.nan)

    def _note(self, scene: Scene, closed: Sequence[KnownHazard], n_asked: int) -> None:
        """Note the state of the traffic once in a second."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        driven = fleet.active & (fleet.kind <= NodeKind.BUS) & (fleet.edge >= 0)
        driven[self._n_driven :] = False
        limit_mps = scene.outlook.limit_mps[np.maximum(fleet.edge, 0)]
        lost = np.maximum(1.0 - fleet.speed_mps / limit_mps, 0.0)
        self._lost_s += float(lost[driven].sum()) * self._context.tick_us / US_PER_S
        if now_us % US_PER_S or now_us < self._context.warmup_us:
            return
        queue_m = self._queue_m(scene, fleet, driven)
        self._rows.append(
            {
                "time_s": now_us / US_PER_S,
                "n_vehicles": int(driven.sum()),
                "n_told": n_asked,
                "n_standing": int((driven & (fleet.speed_mps < _QUEUES_MPS)).sum()),
                "queue_m": queue_m,
                "lost_s": self._lost_s,
                "closed": bool(closed),
            }
        )
        self._lost_s = 0.0

    def _queue_m(self, scene: Scene, fleet: FleetState, driven: NDArray[np.bool_]) -> float:
        """Return how far back from what is truly closed somebody queues [m], 0 for nobody."""
        road = self._context.road
        hazard = None if road is None else road.hazard
        farthest_m = 0.0
        for item in () if hazard is None else hazard.known(fleet.time_us):
            if item.kind == CLOSED:
                way_m = self._way_m(scene, item.edge)
                waits = driven & (fleet.speed_mps < _QUEUES_MPS) & ~np.isnan(way_m)
                farthest_m = max(farthest_m, queue_end_m(way_m[waits]))
        return farthest_m


def queue_end_m(way_m: NDArray[np.float64]) -> float:
    """Return where a queue ends whose vehicles stand so far back, 0 if nobody is in it.

    Examples
    --------
    >>> queue_end_m(np.array([260.0, 9.0, 2.0]))
    9.0
    """
    end_m = 0.0
    for at_m in np.sort(way_m).tolist():
        if at_m - end_m > _QUEUE_GAP_M:
            break
        end_m = at_m
    return end_m


#: Tells these RSI from those of other services of the same unit.
_PART = 900_000


def _event(number: int, closed: KnownHazard) -> RoadEvent:
    return RoadEvent(
        number=number,
        code=int(EventCode.IMPASSABLE),
        edge=closed.edge,
        offset_m=0.0,
        length_m=0.0,
        x_m=closed.x_m,
        y_m=closed.y_m,
        z_m=closed.z_m,
        since_us=closed.from_us,
    )


@cache
def notice_bytes() -> int:
    """Return the size on the air of an RSI with one closed road [byte]."""
    place = Position3D(latitude_deg=0.0, longitude_deg=0.0)
    far = Position3D(latitude_deg=0.05, longitude_deg=0.05)
    node = NodeReference(node=0)
    event = rsi_rules.RoadEvent(
        event_id=0,
        event_type=0,
        persistence=Persistence.SEMI_STATIC,
        place=far,
        radius_m=100.0,
        priority=4,
        links=(RoadLink(upstream_node=node, downstream_node=node),),
    )
    (message, *_) = roadside_information(bytes(8), place, [event], minute_of_year=0)[
        Persistence.SEMI_STATIC
    ]
    return roadside_bytes(size_bytes(message), with_certificate=True)
