"""Brings what the medium, sensors and others told to those who may use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState
from v2x.perception.board import Board
from v2x.perception.information import InformationParams, Knowledge
from v2x.perception.ldm import Heard, Known, LocalDynamicMap, Source, newest
from v2x.perception.objects import PerceivedObjects
from v2x.perception.seen import SensorView, nothing_seen
from v2x.perception.states import States
from v2x.security.signing import Signing
from v2x.sim.clock import to_us
from v2x.sim.link_memory import LinkMemory
from v2x.sim.services.liars import Liars, Told
from v2x.sim.services.vetting import Vetting
from v2x.units import US_PER_S


class KnowledgeBase:
    """Everybody's knowledge of everybody, tick by tick.

    Parameters
    ----------
    params
        What may be used.
    medium
        Remembers what was heard over each link.
    n_rows, tick_us
        Rows of the fleet, and time between ticks [µs].
    sensors
        What hosts see by themselves; None if nothing.
    signing
        Who can verify whom; None if every message counts as verified.
    liars
        Who lies about itself; None if nobody does. Who knows everything cannot be lied to.
    vetting
        Looks at messages before they are believed; None if nobody asks.
    """

    def __init__(
        self,
        params: InformationParams,
        medium: LinkMemory,
        *,
        n_rows: int,
        tick_us: int,
        sensors: SensorView | None = None,
        signing: Signing | None = None,
        liars: Liars | None = None,
        vetting: Vetting | None = None,
    ) -> None:
        self._params, self._medium, self._n_rows = params, medium, n_rows
        self._ldm = LocalDynamicMap(n_rows, to_us(params.forget_s), tick_us)
        self._forget_us = to_us(params.forget_s)
        #: What was seen in the last tick, whatever else was known.
        self.seen = nothing_seen(0)
        self._sensors, self._signing = sensors, signing
        perfect = params.knowledge is Knowledge.PERFECT
        self._liars, self._vetting = (None, None) if perfect else (liars, vetting)

    def known(
        self, fleet: FleetState, own: States, board: Board, equipped: NDArray[np.bool_]
    ) -> Known:
        """Return what those with devices know of others now."""
        self._tell(fleet, own, equipped)
        known = self._by_messages(fleet, own, equipped)
        told = [
            self._told(fleet, notice.content, notice.host)
            for notice in board.notices(Topic.RSM)
            if isinstance(notice.content, PerceivedObjects)
        ]
        for part in told:
            known = newest(known, part, self._n_rows)
        if self._sensors is None:
            self.seen = nothing_seen(fleet.time_us)
        else:
            self.seen = self._sensors.known(fleet, own)
            known = newest(known, self.seen, self._n_rows)
        return self._usable(known, fleet, equipped)

    def seen_alone(self, fleet: FleetState, equipped: NDArray[np.bool_]) -> Known:
        """Return what those with devices saw in the tick of the last :meth:`known`."""
        return self._usable(self.seen, fleet, equipped)

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return what became of certificates and lies, by table, without ``replication``."""
        tables: dict[str, Mapping[str, NDArray[Any]]] = {}
        if self._signing is not None:
            tables["certificates"] = self._signing.table()
        if self._vetting is not None:
            tables["detections"] = self._vetting.table()
        return tables

    @staticmethod
    def _usable(known: Known, fleet: FleetState, equipped: NDArray[np.bool_]) -> Known:
        there = fleet.active[known.remote] & (known.host != known.remote)
        return known.where(equipped[known.host] & there)

    def _tell(self, fleet: FleetState, own: States, equipped: NDArray[np.bool_]) -> None:
        """Note what everybody says of itself, and who does not say what it believes."""
        nobody = np.zeros(fleet.n_rows, dtype=np.bool_)
        told, attacks = Told(own, nobody), nobody
        if self._liars is not None:
            told = self._liars.told(fleet, own, equipped)
            attacks = self._liars.among(fleet) & equipped
        if self._vetting is not None:
            self._vetting.tell(fleet, told.forged, attacks)
        self._ldm.tell(fleet, told.states)

    def _by_messages(self, fleet: FleetState, own: States, equipped: NDArray[np.bool_]) -> Known:
        heard = self._medium.newest_states(self._params.range_m)
        both = equipped[heard.sender] & equipped[heard.receiver]
        generated_us = heard.generated_us
        if self._params.knowledge is Knowledge.PERFECT:
            generated_us = np.full(len(both), fleet.time_us, dtype=np.int64)
        else:
            both = both & (generated_us >= 0)
        pairs = np.flatnonzero(both)
        sender, receiver, said_us = heard.sender[pairs], heard.receiver[pairs], generated_us[pairs]
        if self._signing is not None and self._params.knowledge is not Knowledge.PERFECT:
            said_us = self._signing.newest(fleet.time_us, sender, receiver, said_us)
        heard = Heard(sender, receiver, said_us)
        if self._vetting is not None:
            heard = replace(
                heard, generated_us=self._vetting.believed(fleet, own, self._ldm, heard)
            )
        return self._ldm.known(fleet, heard)

    def _told(self, fleet: FleetState, objects: PerceivedObjects, host: NDArray[np.intp]) -> Known:
        """Return what hosts know by one message of perceived objects."""
        fresh = np.flatnonzero(
            (fleet.id[objects.row] == objects.identity)
            & (objects.measured_us >= fleet.time_us - self._forget_us)
        )
        n_hosts, n_objects = len(host), len(fresh)
        at = np.tile(fresh, n_hosts)
        age_s = (fleet.time_us - objects.measured_us[at]) / US_PER_S
        return Known(
            time_us=fleet.time_us,
            host=np.repeat(host, n_objects),
            remote=objects.row[at],
            generated_us=objects.measured_us[at],
            source=np.full(n_hosts * n_objects, Source.TOLD, dtype=np.int8),
            states=objects.states.take(at).after(age_s),
        )


def nearby(
    fleet: FleetState, sender: int, range_m: float, wrap_length_m: float
) -> NDArray[np.intp]:
    """Return the rows within range of a sender, itself left out."""
    dx = fleet.x_m - fleet.x_m[sender]
    if wrap_length_m:
        dx = dx - wrap_length_m * np.round(dx / wrap_length_m)
    near = np.hypot(dx, fleet.y_m - fleet.y_m[sender]) <= range_m
    near &= fleet.active
    near[sender] = False
    return np.flatnonzero(near)
