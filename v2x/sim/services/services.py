"""The applications of a run, tick by tick: know, judge, act, speak.

At each tick, when everybody has moved and the links have followed:

1. What was received since the last tick goes onto the board and into the local dynamic map.
2. Warnings judge the scene; alerts begin, go on and end.
3. Services see the same scene, and say what they want to say before the next tick.
4. Drivers and automated vehicles react to the alerts that stand, and to what services ask.

So what is received between two ticks is used at the second, up to one tick late; the delay of the
display and of the driver comes on top of it.

In the baseline (``information.knowledge=none``) devices receive, know and speak as ever, so that
the air is that of the other twins as long as the motion is; but warnings see only what sensors
see, and what services ask for reaches nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.applications.base import Application, ApplicationFilter, PacketBatch
from v2x.applications.equipped import Equipment
from v2x.applications.services.base import Service
from v2x.applications.warnings.base import DriverWarning
from v2x.mobility.control import ControlledMobility
from v2x.mobility.fleet import FleetState
from v2x.mobility.positioning import BelievedState
from v2x.mobility.reactions import Demands, Reactions
from v2x.perception.board import Board
from v2x.perception.information import InformationParams, Knowledge
from v2x.perception.own_state import OwnStates
from v2x.perception.scene import Outlook, Scene
from v2x.records.tables import SCHEMAS
from v2x.sim.clock import to_us
from v2x.sim.link_memory import LinkMemory
from v2x.sim.services.alerts import AlertBook
from v2x.sim.services.devices import DeviceList
from v2x.sim.services.knowledge import KnowledgeBase, nearby
from v2x.sim.services.outbox import Outbox, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """What applications in a run are made of.

    Attributes
    ----------
    information
        What may be used.
    equipment
        Who has a device.
    medium
        Hands on what is received.
    knowledge
        What everybody knows of everybody.
    own_states
        What everybody knows of itself.
    outlook
        What scenes have in common.
    warnings, services
        Those in use.
    vehicles, reactions
        Who can be told what to do, and how that is done; None if nobody can.
    n_rows
        Rows of the fleet.
    warmup_us
        Nothing before this time is recorded [µs].
    """

    information: InformationParams
    equipment: Equipment
    medium: LinkMemory
    knowledge: KnowledgeBase
    own_states: OwnStates
    outlook: Outlook
    warnings: Sequence[DriverWarning]
    services: Sequence[Service]
    vehicles: ControlledMobility | None
    reactions: Reactions
    n_rows: int
    warmup_us: int


class Services:
    """Runs warnings and services; see the module.

    Parameters
    ----------
    parts
        See :class:`ServiceParts`.
    """

    def __init__(self, parts: ServiceParts) -> None:
        self._parts = parts
        self.outbox = Outbox()
        self._board = Board(parts.n_rows, to_us(parts.information.forget_s))
        self._alerts = AlertBook(len(parts.warnings), parts.warmup_us)
        self._devices = DeviceList()
        self._uses_messages = parts.information.knowledge is not Knowledge.NONE
        self._nothing_said = Board(parts.n_rows, 0)
        self._id = np.full(parts.n_rows, -1, dtype=np.int64)
        self._time_us = 0

    def tick(self, fleet: FleetState, believed: BelievedState | None) -> None:
        """Let everybody know, judge, act and speak at the time of `fleet`."""
        parts, now_us = self._parts, fleet.time_us
        changed = fleet.id != self._id
        self._id, self._time_us = fleet.id.copy(), now_us
        self._board.begin(now_us, changed)
        self._alerts.forget(changed, now_us)
        equipped = parts.equipment.of(fleet)
        if now_us >= parts.warmup_us:
            self._devices.observe(fleet, equipped)
        self._receive(fleet, changed, equipped)
        own = parts.own_states.of(fleet, believed)
        known = parts.knowledge.known(fleet, own, self._board, equipped)
        seen = parts.knowledge.seen
        scene = Scene(fleet, own, known, seen, self._board, equipped, parts.outlook)
        used = scene if self._uses_messages else self._without_messages(scene)
        for number, warning in enumerate(parts.warnings):
            self._alerts.observe(number, used, warning.judge(used))
        asked = [self._alerts.demands(0 if parts.vehicles is None else parts.vehicles.n_rows)]
        ordered: list[Demands] = []
        for service in parts.services:
            output = service.tick(scene)
            if self._uses_messages:
                asked.append(output.demands)
                ordered.append(output.orders)
                self._drive(output.wanted_mps2)
            self.outbox.put(output.messages, fleet, now_us)
        if parts.vehicles is not None:
            controls = parts.vehicles.controls
            parts.reactions.apply(now_us, fleet, _together(asked), controls)
            parts.reactions.obey(_together(ordered), controls)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what was recorded, by table, without ``replication``."""
        tables: dict[str, Mapping[str, NDArray[Any]]] = {
            "warnings": self._alerts.table(self._time_us),
            "devices": self._devices.table(),
        }
        tables |= self._parts.knowledge.tables()
        for number, service in enumerate(self._parts.services):
            for name, table in service.tables().items():
                tables[name] = joined_table(tables.get(name), name, table, number)
        return tables

    def _drive(self, wanted_mps2: NDArray[np.float64] | None) -> None:
        """Hand on what controllers want; one service at most may have any."""
        if wanted_mps2 is not None and self._parts.vehicles is not None:
            controls = self._parts.vehicles.controls
            controls.cacc_mps2[:] = wanted_mps2[: controls.n_rows]

    def _without_messages(self, scene: Scene) -> Scene:
        """Return a scene of those who use no messages: what their own sensors see."""
        alone = self._parts.knowledge.seen_alone(scene.fleet, scene.equipped)
        return Scene(
            scene.fleet,
            scene.own,
            alone,
            scene.seen,
            self._nothing_said,
            scene.equipped,
            scene.outlook,
        )

    def _receive(
        self, fleet: FleetState, changed: NDArray[np.bool_], equipped: NDArray[np.bool_]
    ) -> None:
        """Put onto the board what reached somebody who is still there and has a device."""
        deliveries = self._parts.medium.take_deliveries()
        perfect = self._parts.information.knowledge is Knowledge.PERFECT
        if perfect:
            self._receive_all(fleet, equipped)
        deliveries = deliveries[(equipped & ~changed)[deliveries[:, 1]]]
        order = np.argsort(deliveries[:, 0], kind="stable")
        packet, first = np.unique(deliveries[order, 0], return_index=True)
        receivers = np.split(deliveries[order, 1].astype(np.intp), first[1:])
        for number, rows in zip(packet.tolist(), receivers, strict=False):
            sent = self.outbox.content_of(number)
            if sent is not None and not changed[sent.message.row]:
                # Radio may reach farther than what is of interest.
                self._post(sent, self._lacking(sent, rows) if perfect else rows)

    def _receive_all(self, fleet: FleetState, equipped: NDArray[np.bool_]) -> None:
        """Let everybody within range have what was said in the last tick."""
        parts = self._parts
        for sent in self.outbox.last():
            row = sent.message.row
            if int(fleet.id[row]) == sent.identity:
                near = nearby(fleet, row, parts.information.range_m, parts.outlook.wrap_length_m)
                self._post(sent, near[equipped[near]])

    def _lacking(self, sent: Sent, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        message = sent.message
        return self._board.lacking(
            message.topic, message.row, message.part, sent.generated_us, rows
        )

    def _post(self, sent: Sent, rows: NDArray[np.intp]) -> None:
        if not len(rows):
            return
        message = sent.message
        self._board.take(
            message.topic,
            message.row,
            message.part,
            sent.generated_us,
            message.content,
            rows,
            message.valid_us,
        )


def joined_table(
    before: Mapping[str, NDArray[Any]] | None,
    name: str,
    table: Mapping[str, NDArray[Any]],
    service: int,
) -> Mapping[str, NDArray[Any]]:
    """Return a table with the rows that one more service adds.

    Parameters
    ----------
    before
        Rows so far; None for none.
    name
        Name of the table. If it has a column ``service``, the number of the service fills it.
    table
        Rows of the service.
    service
        Place of the service in the fact ``services`` of the run.
    """
    added = dict(table)
    if "service" in SCHEMAS[name]:
        n_rows = len(next(iter(added.values())))
        added["service"] = np.full(n_rows, service, dtype=SCHEMAS[name]["service"].dtype)
    if before is None:
        return added
    return {key: np.concatenate([before[key], added[key]]) for key in added}


def _together(demands: Sequence[Demands]) -> Demands:
    """Return all demands as one."""
    if not demands:
        return Demands.none()
    names = ("row", "action", "value")
    return Demands(*(np.concatenate([getattr(item, name) for item in demands]) for name in names))


class WithServices(ApplicationFilter):
    """Adds what services say to the packets of an application.

    Sizes and period are those of what recurs: messages of services go once, beside it.

    Parameters
    ----------
    application
        Says what recurs.
    outbox
        Holds the rest.
    """

    def __init__(self, application: Application, outbox: Outbox) -> None:
        super().__init__(application)
        self._outbox = outbox

    def packets(self, start_us: int, end_us: int, fleet: FleetState) -> PacketBatch:
        """Return the packets generated in [start_us, end_us), asked for without gaps."""
        batch = self._application.packets(start_us, end_us, fleet)
        return self._outbox.join(batch, start_us, end_us, fleet)
