"""What a service is: it sees a scene each tick, sends messages with a content, and acts.

A service is a class with a ``Params`` attribute, built by ``Service(params, context)`` and named in
the entry point group ``v2x.services``. Unlike a warning it has a memory and may speak: what it
hands on as :class:`Outgoing` goes over the air as a packet of that size and priority, and its
content reaches those who decode it as it is, for nothing is encoded in a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from v2x.messages.topics import Topic
from v2x.mobility.base import MobilityModel
from v2x.mobility.control import ControlledMobility
from v2x.mobility.fleet import FleetState, FloatArray
from v2x.mobility.hazards.base import Hazard
from v2x.mobility.junctions import LaneNetwork
from v2x.mobility.reactions import Action, Demands
from v2x.mobility.signals.traffic import TrafficLights
from v2x.perception.scene import Scene
from v2x.world.weather import WeatherParams


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to be sent.

    Attributes
    ----------
    row
        Row of the sender.
    topic
        What it is about; not :attr:`~v2x.messages.topics.Topic.STATE`.
    content
        What it says; shared by all who receive it, so it must not be changed.
    size_bytes
        Size handed to the access layer, security and network header included [byte].
    after_us
        Time after the tick at which it is generated [µs], less than a tick.
    part
        Messages of one sender and topic that do not replace each other have different parts, such
        as static and dynamic information.
    priority, budget_us
        PPPP and delay budget [µs]; None for those of the topic.
    valid_us
        For how long receivers may use it after it was generated [µs]; None for the time after
        which everything is forgotten (``information.forget_s``).
    """

    row: int
    topic: Topic
    content: Any
    size_bytes: int
    after_us: int = 0
    part: int = 0
    priority: int | None = None
    budget_us: int | None = None
    valid_us: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceOutput:
    """What a service does in a tick.

    Attributes
    ----------
    messages
        To be sent before the next tick.
    demands
        What drivers are asked for; they react as to a warning.
    orders
        Manoeuvres that vehicles have decided upon themselves: done at once, whoever drives.
    wanted_mps2 : (n_rows,) float64 or None
        Accelerations that controllers want in place of drivers [m/s²], NaN for none; None from
        services that have no controllers. Only one service of a run may have them.
    """

    messages: Sequence[Outgoing] = ()
    demands: Demands = field(default_factory=Demands.none)
    orders: Demands = field(default_factory=Demands.none)
    wanted_mps2: FloatArray | None = None


@runtime_checkable
class WatchedRoad(Protocol):
    """Traffic whose lights can be asked and whose hazard can be seen."""

    lights: TrafficLights

    @property
    def hazard(self) -> Hazard | None:
        """What goes wrong, None if nothing does."""


class MobileNetwork(Protocol):
    """Carries messages between vehicles and a server of services, each by itself."""

    def follow(self, fleet: FleetState) -> None:
        """Let cells serve everybody where they are now; comes first in every tick."""

    def covered(self) -> NDArray[np.bool_]:
        """Return which rows have coverage now, (n_rows,)."""

    def up(
        self,
        rows: NDArray[np.intp],
        generated_us: NDArray[np.int64],
        size_bytes: NDArray[np.int32],
        *,
        stream: str,
        uplink_rb: int | None = None,
    ) -> NDArray[np.int64]:
        """Return when messages of vehicles are at the server [µs], -1 for those lost; all (n,).

        `stream` names the draws, `uplink_rb` is the width of a message on the air if it is not
        the usual one.
        """

    def down(
        self,
        rows: NDArray[np.intp],
        generated_us: NDArray[np.int64],
        size_bytes: NDArray[np.int32],
        *,
        stream: str,
    ) -> NDArray[np.int64]:
        """Return when messages of the server reach vehicles [µs], -1 for those lost; all (n,)."""


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a service is built from, besides its own parameters.

    Attributes
    ----------
    network
        Lanes and movements of the map.
    mobility
        Everybody who moves, and what stands beside the road.
    vehicles
        The vehicles that can be told what to do; None if none can.
    weather
        What wheels and eyes meet.
    road
        Lights and hazard of the traffic; None if it has neither.
    acts
        Whether anything may come of what is said. In the baseline (``information.knowledge=none``)
        devices speak and listen as ever, but must not touch vehicles or lights.
    mobile
        The mobile network; None if the scenario has none.
    seed
        Seed of the run.
    tick_us
        Time between ticks [µs].
    warmup_us
        What happens earlier is not counted [µs].
    """

    network: LaneNetwork
    mobility: MobilityModel
    vehicles: ControlledMobility | None
    weather: WeatherParams
    seed: int
    tick_us: int
    warmup_us: int
    road: WatchedRoad | None = None
    acts: bool = True
    mobile: MobileNetwork | None = None


class Service(Protocol):
    """Speaks and acts; see the module."""

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Every size that its messages may have, or at least the largest [byte]."""

    def tick(self, scene: Scene) -> ServiceOutput:
        """Return what it does now. ``scene.board`` holds what others have said."""

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what it counted, as columns of tables, without ``replication``."""


def demands_of(asked: Sequence[tuple[int, Action, float]]) -> Demands:
    """Return what is asked as columns, from rows of the fleet, actions and values."""
    row, action, value = zip(*asked, strict=True) if asked else ((), (), ())
    return Demands(
        row=np.array(row, dtype=np.int32),
        action=np.array(action, dtype=np.int32),
        value=np.array(value, dtype=np.float64),
    )


def phase_us(key: int, identity: int, period_us: int) -> int:
    """Return a time within a period that belongs to a sender and a key [µs]."""
    from v2x import rng

    draw = rng.uniform_by_id(key, np.array([identity], dtype=np.int64), 0)
    return int(draw[0] * period_us)
