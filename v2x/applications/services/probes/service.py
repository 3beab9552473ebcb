"""The service ``probe-data``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from v2x import rng
from v2x.applications.services.base import Outgoing, ServiceContext, ServiceOutput
from v2x.applications.services.event_log import EventLog, hazard_begin_s
from v2x.applications.services.probes.params import ProbeDataParams
from v2x.applications.services.probes.speed_map import (
    IncidentFinder,
    ProbeReport,
    SpeedMap,
    edge_means,
)
from v2x.applications.services.rows import joined_columns
from v2x.applications.services.server import Mail, needed_network
from v2x.applications.services.words import intention_bytes
from v2x.messages.topics import Topic
from v2x.mobility.fleet import FleetState, NodeKind
from v2x.perception.scene import Scene
from v2x.perception.states import RowArray
from v2x.units import US_PER_MS, US_PER_S


class ProbeData:
    """Probe data (PDC): a server learns speeds and incidents from reports of vehicles.

    Every vehicle with a device reports place and speed by a VIR without requests. The server
    estimates the speed of each edge, table ``traffic_state``, and finds stopped vehicles and jams,
    table ``road_events``.

    Parameters
    ----------
    params
        Who reports over what, and when it is an incident.
    context
        Map, mobile network, seed; stream ``"probe-data", "phase"``.

    Raises
    ------
    V2XError
        If reports go over a mobile network that the scenario does not have.
    """

    Params = ProbeDataParams

    def __init__(self, params: ProbeDataParams, context: ServiceContext) -> None:
        self._params, self._context = params, context
        self._mobile = needed_network(context, "probe-data") if params.over == "uu" else None
        self._key = rng.key32(context.seed, "probe-data", "phase")
        self._period_us = round(params.period_s * US_PER_S)
        self._mail: Mail[ProbeReport] = Mail()
        network = context.network
        road_map = network.road_map
        self._n_edges = road_map.n_edges
        self._speeds = SpeedMap(self._n_edges, round(params.window_s * US_PER_S))
        self._log = EventLog(Topic.PROBE, context.warmup_us)
        crossing = (network.radius_m > 0.0) | (network.signal >= 0)
        to_junction = np.zeros(self._n_edges, dtype=np.bool_)
        to_junction[network.from_edge[crossing]] = True
        self._incidents = IncidentFinder(
            params.incidents,
            self._log,
            limit_mps=road_map.edge_limit_mps,
            length_m=road_map.edge_length_m,
            to_junction=to_junction,
        )
        self._due_us = 0
        self._states: list[dict[str, NDArray[Any]]] = []

    @property
    def sizes_bytes(self) -> Sequence[int]:
        """Size of a report on the sidelink; none if reports do not go over it."""
        return () if self._mobile is not None else (self._report_bytes,)

    @property
    def _report_bytes(self) -> int:
        return intention_bytes(0, 0)

    def tick(self, scene: Scene) -> ServiceOutput:
        """Let vehicles report, and the server conclude."""
        now_us = scene.fleet.time_us
        self._hear_units(scene)
        for _, report in self._mail.arrived(now_us):
            self._speeds.take(report, self._params.incidents.stopped_mps)
        if now_us >= self._due_us:
            self._due_us += round(self._params.estimate_s * US_PER_S)
            self._conclude(scene)
        rows, after_us = self._reporting(scene)
        reports = reports_of(scene, rows)
        if self._mobile is None:
            size = self._report_bytes
            return ServiceOutput(
                messages=[
                    Outgoing(
                        row=row, topic=Topic.PROBE, content=report, size_bytes=size, after_us=after
                    )
                    for row, report, after in zip(
                        rows.tolist(), reports, after_us.tolist(), strict=True
                    )
                ]
            )
        self._mobile.follow(scene.fleet)
        size_bytes = np.full(len(rows), self._report_bytes, dtype=np.int32)
        arrives_us = self._mobile.up(rows, now_us + after_us, size_bytes, stream="probe-data")
        self._mail.send(arrives_us, reports)
        return ServiceOutput()

    def tables(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return table ``traffic_state``, and the events."""
        state = joined_columns("traffic_state", self._states)
        return {"traffic_state": state, **self._log.tables()}

    def _reporting(self, scene: Scene) -> tuple[RowArray, NDArray[np.int64]]:
        """Return who reports before the next tick, and when after this one [µs]."""
        fleet = scene.fleet
        may = fleet.active & scene.equipped & (fleet.kind <= NodeKind.BUS) & (scene.own.edge >= 0)
        rows = np.flatnonzero(may)
        phase_us = rng.uniform_by_id(self._key, fleet.id[rows], 0) * self._period_us
        after_us = (phase_us.astype(np.int64) - fleet.time_us) % self._period_us
        due = after_us < self._context.tick_us
        return rows[due], after_us[due]

    def _hear_units(self, scene: Scene) -> None:
        """Put on the fibre what roadside units have heard."""
        kind, fibre_us = scene.fleet.kind, round(self._params.fibre_ms * US_PER_MS)
        for notice in scene.board.new(Topic.PROBE):
            if (
                isinstance(notice.content, ProbeReport)
                and (kind[notice.host] == NodeKind.RSU).any()
            ):
                at_us = np.array([scene.fleet.time_us + fibre_us], dtype=np.int64)
                self._mail.send(at_us, [notice.content])

    def _conclude(self, scene: Scene) -> None:
        now_us = scene.fleet.time_us
        reports = self._speeds.reports(now_us)
        road = self._context.road
        hazard = None if road is None else road.hazard
        self._incidents.look(
            now_us, self._speeds, reports, lambda event: hazard_begin_s(hazard, event)
        )
        if now_us >= self._context.warmup_us:
            n_reports, speed_mps = self._speeds.speeds(reports)
            self._note(scene.fleet, n_reports, speed_mps)

    def _note(
        self, fleet: FleetState, n_reports: NDArray[np.int64], speed_mps: NDArray[np.float64]
    ) -> None:
        """Note the estimate beside the truth, of edges of which either says something."""
        there = fleet.active & (fleet.kind <= NodeKind.BUS) & (fleet.edge >= 0)
        n_true, true_mps = edge_means(fleet.edge[there], fleet.speed_mps[there], self._n_edges)
        edge = np.flatnonzero((n_reports > 0) | (n_true > 0))
        self._states.append(
            {
                "time_s": np.full(len(edge), fleet.time_us / US_PER_S),
                "edge": edge,
                "n_reports": n_reports[edge],
                "speed_mps": speed_mps[edge],
                "n_vehicles": n_true[edge],
                "true_speed_mps": true_mps[edge],
            }
        )


def reports_of(scene: Scene, rows: RowArray) -> list[ProbeReport]:
    """Return what vehicles report of themselves: what they believe at this tick."""
    own = scene.own
    return [
        ProbeReport(
            vehicle_id=int(scene.fleet.id[row]),
            edge=int(own.edge[row]),
            offset_m=float(own.offset_m[row]),
            x_m=float(own.x_m[row]),
            y_m=float(own.y_m[row]),
            z_m=float(own.z_m[row]),
            speed_mps=float(own.speed_mps[row]),
            measured_us=scene.fleet.time_us,
        )
        for row in rows.tolist()
    ]
