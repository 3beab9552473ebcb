"""The service ``tracking``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.base import ServiceContext, ServiceOutput
from v2x.applications.services.rows import columns_of
from v2x.applications.services.server import Mail, needed_network
from v2x.applications.services.tracking.eavesdropper import (
    Eavesdropper,
    Sighting,
    heard_by_units,
)
from v2x.applications.services.tracking.params import TrackingParams
from v2x.applications.services.words import intention_bytes
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.perception.scene import Scene
from v2x.security.pseudonyms import Gbt45315Policy, Pseudonyms
from v2x.units import US_PER_S

#: Values of the column `via`.
VIA_UNIT, VIA_NETWORK = 0, 1


@dataclass(frozen=True, slots=True)
class _Point:
    """Where the server last had the car: when [µs], where [m], whose place it was, and how."""

    time_us: int
    x_m: float
    y_m: float
    vehicle_id: int
    via: int


class Tracking:
    """Anti-theft tracking: a stolen car is followed by its box, roadside units and an authority.

    The air is that of the run; pseudonyms, jammer and exchanged devices are of this service alone
    and change nothing that others receive.

    Parameters
    ----------
    params
        Theft, sources, attack.
    context
        Mobile network, seed; streams ``"tracking", "stolen"`` and those of pseudonyms.

    Raises
    ------
    V2XError
        If the box reports over a mobile network that the scenario does not have.
    """

    Params = TrackingParams

    def __init__(self, params: TrackingParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._mobile = needed_network(context, "tracking") if params.probe_s > 0.0 else None
        policy = Gbt45315Policy(period_s=params.change_s, distance_m=params.change_m)
        self._pseudonyms = Pseudonyms(policy, context.mobility.n_rows, context.seed)
        self._eavesdropper = Eavesdropper(params.linking)
        self._key = rng.key32(context.seed, "tracking", "stolen")
        self._mail: Mail[_Point] = Mail()
        self._stolen_id = self._other_id = -1
        self._begin_us, self._reported_us = -1, -1
        self._home_m = (0.0, 0.0)
        #: When the authority was asked for a name, and which name the server follows.
        self._asked_us: dict[int, int] = {}
        self._followed = -1
        self._owner: dict[int, int] = {}
        self._point: _Point | None = None
        self._probe_us = 0
        self._rows: list[dict[str, Any]] = []

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Nothing goes over the sidelink but what vehicles say anyway."""
        return ()

    def tick(self, scene: Scene) -> ServiceOutput:
        """Steal, hear and follow."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        self._pseudonyms.advance(fleet)
        names = self._pseudonyms.identity
        for row in np.flatnonzero(fleet.active).tolist():
            self._owner[int(names[row])] = int(fleet.id[row])
        if self._mobile is not None:
            self._mobile.follow(fleet)
        if self._stolen_id < 0 and now_us >= self._params.stolen_s * US_PER_S:
            self._steal(scene)
        device = self._sounding(fleet)
        heard: list[Sighting] = []
        if self._params.units:
            heard = self._as_said(fleet, heard_by_units(scene, names), names, device)
            self._eavesdropper.take(now_us, heard, self._owner)
        if self._stolen_id >= 0:
            self._follow(scene, heard, device)
        return ServiceOutput()

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return tables ``tracking`` and ``pseudonym_links``."""
        watcher = self._eavesdropper
        links = [{"n_changes": watcher.n_changes, "n_linked": watcher.n_linked}]
        return {
            "tracking": columns_of("tracking", self._rows),
            "pseudonym_links": columns_of("pseudonym_links", links),
        }

    def _steal(self, scene: Scene) -> None:
        """Choose the car, and whose device it may exchange."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        may = fleet.active & scene.equipped & (fleet.kind == NodeKind.CAR) & (fleet.edge >= 0)
        rows = np.flatnonzero(may)
        if not len(rows):
            return
        row = int(rows[rng.uniform_by_id(self._key, fleet.id[rows], 0).argmin()])
        self._stolen_id = int(fleet.id[row])
        self._begin_us = now_us
        self._reported_us = now_us + round(self._params.reported_s * US_PER_S)
        self._home_m = (float(fleet.x_m[row]), float(fleet.y_m[row]))
        self._followed = int(self._pseudonyms.identity[row])

    def _attacks(self, now_us: int, kind: str) -> bool:
        """Return whether the thief does this now."""
        after_s = (now_us - self._begin_us) / US_PER_S - self._params.attack_after_s
        return self._params.attack == kind and 0.0 <= after_s < self._params.attack_lasts_s

    def _sounding(self, fleet: FleetState) -> int | None:
        """Return the row from which the device of the car speaks, None if it is not heard."""
        row = _row_of(fleet, self._stolen_id)
        if row is None or self._attacks(fleet.time_us, "jammer"):
            return None
        if not self._attacks(fleet.time_us, "id-swap"):
            return row
        other = _row_of(fleet, self._other_id)
        if other is None:
            cars = fleet.active & (fleet.kind == NodeKind.CAR)
            cars[row] = False
            rows = np.flatnonzero(cars)
            if not len(rows):
                return row
            away_m = np.hypot(fleet.x_m[rows] - fleet.x_m[row], fleet.y_m[rows] - fleet.y_m[row])
            other = int(rows[away_m.argmin()])
            self._other_id = int(fleet.id[other])
        return other

    def _as_said(
        self,
        fleet: FleetState,
        heard: Sequence[Sighting],
        names: NDArray[np.int64],
        device: int | None,
    ) -> list[Sighting]:
        """Return what units heard as the thief lets them hear it.

        A jammed car is not among it. Two that have exchanged their devices speak under each
        other's names, each from where it is.
        """
        own = _row_of(fleet, self._stolen_id)
        if own is None or device == own:
            return list(heard)
        if device is None:
            return [item for item in heard if item.row != own]
        swapped = {own: int(names[device]), device: int(names[own])}
        return [replace(item, name=swapped.get(item.row, item.name)) for item in heard]

    def _follow(self, scene: Scene, heard: Sequence[Sighting], row: int | None) -> None:
        fleet, now_us = scene.fleet, scene.fleet.time_us
        self._report(scene, row)
        for _, point in self._mail.arrived(now_us):
            if np.hypot(point.x_m - self._home_m[0], point.y_m - self._home_m[1]) > (
                self._params.fence_m
            ):
                self._reported_us = min(self._reported_us, now_us)
            self._take(now_us, point)
        own = _row_of(fleet, self._stolen_id)
        for sighting in heard:
            if self._is_followed(now_us, sighting.name):
                where = int(fleet.id[sighting.row])
                self._take(now_us, _Point(now_us, sighting.x_m, sighting.y_m, where, VIA_UNIT))
        if own is not None and now_us >= self._reported_us and now_us % US_PER_S == 0:
            self._note(fleet, own)

    def _is_followed(self, now_us: int, name: int) -> bool:
        """Return whether the server takes a name for that of the car."""
        if now_us < self._reported_us:
            return False
        if not self._params.authority:
            while self._followed in self._eavesdropper.successor:
                self._followed = self._eavesdropper.successor.pop(self._followed)
            return name == self._followed
        asked_us = self._asked_us.setdefault(name, now_us)
        known = now_us - asked_us >= self._params.resolve_s * US_PER_S
        return known and self._owner[name] == self._stolen_id

    def _report(self, scene: Scene, row: int | None) -> None:
        """Let the box report over the mobile network; it has gone with the device if swapped."""
        fleet, now_us = scene.fleet, scene.fleet.time_us
        if self._mobile is None or now_us < self._probe_us:
            return
        self._probe_us = now_us + round(self._params.probe_s * US_PER_S)
        if row is None:
            return
        arrives_us = self._mobile.up(
            np.array([row], dtype=np.intp),
            np.array([now_us], dtype=np.int64),
            np.array([intention_bytes(0, 0)], dtype=np.int32),
            stream="tracking",
        )
        own = scene.own
        who = int(fleet.id[row])
        point = _Point(now_us, float(own.x_m[row]), float(own.y_m[row]), who, VIA_NETWORK)
        self._mail.send(arrives_us, [point])

    def _take(self, now_us: int, point: _Point) -> None:
        if now_us >= self._reported_us and (
            self._point is None or point.time_us > self._point.time_us
        ):
            self._point = point

    def _note(self, fleet: FleetState, row: int) -> None:
        now_us, point = fleet.time_us, self._point
        age_s = np.nan if point is None else (now_us - point.time_us) / US_PER_S
        located = bool(age_s <= self._params.held_s)
        error_m = np.nan
        if point is not None and located:
            error_m = float(np.hypot(point.x_m - fleet.x_m[row], point.y_m - fleet.y_m[row]))
        if now_us < self._context.warmup_us:
            return
        self._rows.append(
            {
                "time_s": now_us / US_PER_S,
                "vehicle_id": self._stolen_id,
                "since_report_s": (now_us - self._reported_us) / US_PER_S,
                "located": located,
                "age_s": age_s,
                "error_m": error_m,
                "via": -1 if point is None else point.via,
                "false_track": located
                and point is not None
                and point.vehicle_id != self._stolen_id,
                "in_tunnel": bool(fleet.tunnel[row] >= 0),
            }
        )


def _row_of(fleet: FleetState, identity: int) -> int | None:
    """Return the row of a vehicle, None if it is not there."""
    if identity < 0:
        return None
    rows = np.flatnonzero(fleet.id == identity)
    return int(rows[0]) if len(rows) else None
