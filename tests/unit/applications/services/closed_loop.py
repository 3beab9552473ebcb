"""Traffic, services and drivers in a closed loop over an air that loses what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.unit.perception.roads import outlook_of
from v2x import rng
from v2x.applications.base import PacketBatch
from v2x.applications.equipped import Equipment
from v2x.applications.services.base import Outgoing, Service, ServiceContext
from v2x.mobility.base import MobilityContext
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.junctions import lane_network
from v2x.mobility.reactions import ReactionParams, Reactions
from v2x.mobility.routed import RoutedTraffic
from v2x.perception.information import InformationParams, Knowledge
from v2x.perception.ldm import Heard
from v2x.perception.own_state import OwnStates
from v2x.sim.services.knowledge import KnowledgeBase
from v2x.sim.services.services import ServiceParts, Services
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

TICK_US = 100_000
#: Whether a message arrives, by its content, the row of a receiver and the time [µs].
Arrives = Callable[[Any, int, int], bool]


def always(content: Any, receiver: int, now_us: int) -> bool:
    return True


def never(content: Any, receiver: int, now_us: int) -> bool:
    return False


def losing(share: float, seed: int = 1) -> Arrives:
    """Return an air that loses a share of all messages, each and everywhere by itself."""
    key = rng.key32(seed, "tests", "losses")
    count = 0

    def arrives(content: Any, receiver: int, now_us: int) -> bool:
        nonlocal count
        count += 1
        drawn = rng.uniform_by_id(key, np.array([receiver], dtype=np.int64), count)
        return bool(drawn[0] >= share)

    return arrives


@dataclass(frozen=True)
class Posts:
    """Roadside units at places of the plane."""

    x_m: Sequence[float]
    y_m: Sequence[float]

    @property
    def n_rows(self) -> int:
        return len(self.x_m)

    def columns(self, time_us: int) -> Mapping[str, NDArray[Any]]:
        n = self.n_rows
        zero, none = np.zeros(n), np.full(n, -1, dtype=np.int32)
        return {
            "id": 1_000_000 + np.arange(n, dtype=np.int64),
            "kind": np.full(n, NodeKind.RSU, dtype=np.int32),
            "x_m": np.array(self.x_m, dtype=np.float64),
            "y_m": np.array(self.y_m, dtype=np.float64),
            "edge": none,
            "lane": none,
            "tunnel": none,
            "leader": none,
            "gap_m": np.full(n, np.inf),
            "antenna_height_m": np.full(n, 5.0),
            **{name: np.zeros(n, dtype=np.int32) for name in ("level", "turn", "flags")},
            **dict.fromkeys(
                (
                    *("z_m", "heading_rad", "speed_mps", "acceleration_mps2", "offset_m"),
                    *("length_m", "width_m", "height_m"),
                ),
                zero,
            ),
        }


class Air:
    """Stands for the medium: states always arrive after a tick, messages if a test lets them."""

    def __init__(self, n_rows: int, arrives: Arrives) -> None:
        pair = [(i, j) for i in range(n_rows) for j in range(n_rows) if i != j]
        self._sender, self._receiver = np.array(pair, dtype=np.int32).reshape(-1, 2).T
        self.arrives = arrives
        self.fleet: FleetState | None = None
        self._waiting: list[tuple[int, int, int]] = []

    def newest_states(self, range_m: float) -> Heard:
        assert self.fleet is not None
        fleet = self.fleet
        away = np.hypot(
            fleet.x_m[self._sender] - fleet.x_m[self._receiver],
            fleet.y_m[self._sender] - fleet.y_m[self._receiver],
        )
        near = fleet.active[self._sender] & fleet.active[self._receiver] & (away <= range_m)
        said_us = np.full(int(near.sum()), max(fleet.time_us - TICK_US, 0), dtype=np.int64)
        return Heard(self._sender[near], self._receiver[near], said_us)

    def send(self, packet: int, message: Outgoing, now_us: int) -> None:
        assert self.fleet is not None
        for row in np.flatnonzero(self.fleet.active).tolist():
            if row != message.row and self.arrives(message.content, row, now_us):
                self._waiting.append((packet, row, 0))

    def take_deliveries(self) -> NDArray[np.int64]:
        found = np.array(self._waiting, dtype=np.int64).reshape(-1, 3)
        self._waiting = []
        return found


@dataclass
class Loop:
    """Runs services on traffic, tick by tick.

    Attributes
    ----------
    states
        All states so far.
    sent
        All messages so far, with the time at which they were said [µs].
    """

    model: RoutedTraffic
    services: Services
    air: Air
    mobility: Any
    states: list[FleetState] = field(default_factory=list)
    sent: list[tuple[int, Outgoing]] = field(default_factory=list)
    before: Callable[[int], None] | None = None
    first_tick: int = 0

    def run(self, seconds: float) -> None:
        """Go on for a while."""
        begin = self.first_tick + len(self.states)
        for k in range(begin, begin + round(seconds * 1e6 / TICK_US)):
            now_us = k * TICK_US
            if self.before is not None:
                self.before(now_us)
            fleet = self.mobility.advance(now_us)
            self.states.append(fleet)
            self.air.fleet = fleet
            self.services.tick(fleet, None)
            outbox = self.services.outbox
            outbox.join(_nothing(), now_us, now_us + TICK_US, fleet)
            first = len(self.sent)
            outbox.sent(first, now_us)
            for packet in range(first, first + len(outbox.last())):
                item = outbox.content_of(packet)
                assert item is not None
                self.sent.append((now_us, item.message))
                self.air.send(packet, item.message, now_us)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what was recorded."""
        return self.services.tables()


def line_up(
    loop: Loop,
    offset_m: Sequence[float],
    speed_mps: float,
    *,
    stop: int | Sequence[int] = 0,
    lane: int | Sequence[int] = 0,
) -> None:
    """Put the vehicles where a test wants them, before the first tick of the loop."""
    loop.model.advance(0)
    vehicles, n = loop.model.vehicles, len(offset_m)
    vehicles.stop[:n], vehicles.lane[:n] = stop, lane
    vehicles.offset_m[:n], vehicles.speed_mps[:n] = offset_m, speed_mps
    loop.model.advance(TICK_US)
    loop.first_tick = 2


def _nothing() -> PacketBatch:
    columns = {
        "generated_us": np.int64,
        "tx_row": np.int32,
        "size_bytes": np.int32,
        "deadline_us": np.int64,
        "priority": np.int32,
        "event": np.bool_,
        "topic": np.int32,
    }
    names = {item.name for item in fields(PacketBatch)}
    return PacketBatch(
        **{name: np.empty(0, dtype=kind) for name, kind in columns.items() if name in names}
    )


def closed_loop(
    road_map: RoadMap,
    service: Callable[[ServiceContext], Service],
    *,
    seed: int = 1,
    arrives: Arrives = always,
    knowledge: Knowledge = Knowledge.MESSAGES,
    posts: Posts | None = None,
    reactions: ReactionParams | None = None,
    traffic: Mapping[str, Any],
) -> Loop:
    """Return a loop over a map with one service."""
    context = MobilityContext(road_map, seed, 10**10, ".")
    model = RoutedTraffic(RoutedTraffic.Params(**traffic), context)
    mobility = model if posts is None else JoinedFleet(model, posts)
    n_rows = mobility.n_rows
    air = Air(n_rows, arrives)
    information = InformationParams(knowledge=knowledge, range_m=400.0)
    made = service(
        ServiceContext(
            network=lane_network(road_map),
            mobility=mobility,
            vehicles=model,
            weather=WeatherParams(),
            acts=knowledge is not Knowledge.NONE,
            seed=seed,
            tick_us=TICK_US,
            warmup_us=0,
        )
    )
    outlook = outlook_of(road_map)
    services = Services(
        ServiceParts(
            information=information,
            equipment=Equipment(1.0, seed),
            medium=air,  # type: ignore[arg-type]
            knowledge=KnowledgeBase(information, air, n_rows=n_rows, tick_us=TICK_US),  # type: ignore[arg-type]
            own_states=OwnStates(road_map, by_height=False),
            outlook=replace(outlook, wrap_length_m=road_map.wrap_length_m),
            warnings=(),
            services=(made,),
            vehicles=model,
            reactions=Reactions(
                reactions or ReactionParams(automated_share=1.0), seed, model.reroute
            ),
            n_rows=n_rows,
            warmup_us=0,
        )
    )
    return Loop(model, services, air, mobility)
