"""What a server knows of the traffic by reports: speeds of edges, and incidents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from v2x.applications.services.event_log import EventLog
from v2x.applications.services.probes.params import IncidentRules
from v2x.applications.services.roadside.sightings import EventCode
from v2x.perception.contents import RoadEvent
from v2x.units import US_PER_S
from v2x.world.road_map import FloatArray, IntArray

#: Number that stands for the server where a unit is named.
SERVER_ID = -1
#: Incidents of one sort on one edge that lie no farther apart are one [m]; our choice.
_SAME_M = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What one vehicle reports of itself.

    Attributes
    ----------
    vehicle_id
        Who; a name that lasts, since the server follows vehicles that stand.
    edge, offset_m
        Where it believes to be.
    x_m, y_m, z_m
        The same on the map [m].
    speed_mps
        How fast it is.
    measured_us
        When [µs].
    """

    vehicle_id: int
    edge: int
    offset_m: float
    x_m: float
    y_m: float
    z_m: float
    speed_mps: float
    measured_us: int


class SpeedMap:
    """Speeds of edges: the mean over vehicles of the newest report of each within a window.

    Parameters
    ----------
    n_edges
        Edges of the map.
    window_us
        A report counts for this long [µs].
    """

    def __init__(self, n_edges: int, window_us: int) -> None:
        self._n_edges, self._window_us = n_edges, window_us
        self._newest: dict[int, ProbeReport] = {}
        self._standing_us: dict[int, int] = {}

    def take(self, report: ProbeReport, standing_mps: float) -> None:
        """Take a report; one that was overtaken by a newer one counts for nothing."""
        who = report.vehicle_id
        before = self._newest.get(who)
        if before is not None and before.measured_us >= report.measured_us:
            return
        moved = before is None or before.edge != report.edge
        if moved or report.speed_mps >= standing_mps:
            self._standing_us.pop(who, None)
        if report.speed_mps < standing_mps:
            self._standing_us.setdefault(who, report.measured_us)
        self._newest[who] = report

    def reports(self, now_us: int) -> Sequence[ProbeReport]:
        """Return the newest report of each vehicle within the window; drop the others."""
        old = [
            who
            for who, report in self._newest.items()
            if report.measured_us < now_us - self._window_us
        ]
        for who in old:
            del self._newest[who]
            self._standing_us.pop(who, None)
        return list(self._newest.values())

    def stood_us(self, report: ProbeReport) -> int:
        """Return for how long the reports of a vehicle say that it stands [µs]."""
        since_us = self._standing_us.get(report.vehicle_id, report.measured_us)
        return report.measured_us - since_us

    def speeds(self, reports: Sequence[ProbeReport]) -> tuple[NDArray[np.int64], FloatArray]:
        """Return number of vehicles and mean speed [m/s] of each edge, NaN for none."""
        return edge_means(
            np.array([item.edge for item in reports], dtype=np.int32),
            np.array([item.speed_mps for item in reports], dtype=np.float64),
            self._n_edges,
        )


def edge_means(
    edge: IntArray, speed_mps: FloatArray, n_edges: int
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return how many vehicles are on each edge and their mean speed [m/s], NaN for none.

    Examples
    --------
    >>> n, mean_mps = edge_means(np.array([1, 1], np.int32), np.array([4.0, 6.0]), 2)
    >>> n.tolist(), mean_mps.tolist()
    ([0, 2], [nan, 5.0])
    """
    n = np.bincount(edge, minlength=n_edges)
    total = np.bincount(edge, weights=speed_mps, minlength=n_edges)
    mean = np.full(n_edges, np.nan)
    np.divide(total, n, out=mean, where=n > 0)
    return n, mean


class IncidentFinder:
    """Finds stopped vehicles and jams in reports, and numbers them.

    Parameters
    ----------
    rules
        When something is one.
    log
        Records them.
    limit_mps, length_m : (n_edges,) float64
        Speed limits [m/s] and lengths of the edges [m].
    to_junction : (n_edges,) bool
        Whether an edge leads to a junction.
    """

    def __init__(
        self,
        rules: IncidentRules,
        log: EventLog,
        *,
        limit_mps: FloatArray,
        length_m: FloatArray,
        to_junction: NDArray[np.bool_],
    ) -> None:
        self._rules, self._log, self._limit_mps = rules, log, limit_mps
        #: Up to where reports of an edge count.
        self._last_m = np.where(to_junction, length_m - rules.queue_m, np.inf)
        self._slow_us: dict[int, int] = {}
        #: When each incident that goes on was last seen [µs], by its number.
        self._seen_us: dict[int, int] = {}

    def going_on(self) -> list[RoadEvent]:
        """Return the incidents that go on, by number."""
        return [self._log.event(number) for number in sorted(self._seen_us)]

    def look(
        self,
        now_us: int,
        speeds: SpeedMap,
        reports: Sequence[ProbeReport],
        began_s: Callable[[RoadEvent], float],
    ) -> None:
        """Look for incidents; `began_s` says when what is new truly began, for the record."""
        counting = [item for item in reports if item.offset_m < self._last_m[item.edge]]
        found = [*self._stopped(now_us, speeds, counting), *self._jams(now_us, speeds, counting)]
        for event in found:
            number = self._number_of(event)
            if number is None:
                number = self._log.detected(event, SERVER_ID, began_s(event)).number
            else:
                since_us = self._log.event(number).since_us
                self._log.update(replace(event, number=number, since_us=since_us))
            self._log.told(number, now_us)
            self._seen_us[number] = now_us
        oldest_us = now_us - self._rules.clear_s * US_PER_S
        self._seen_us = {n: seen for n, seen in self._seen_us.items() if seen >= oldest_us}

    def _number_of(self, event: RoadEvent) -> int | None:
        """Return the number of the same incident if it goes on: same sort, edge and stretch."""
        for known in self.going_on():
            apart_m = max(known.offset_m, event.offset_m) - min(
                known.offset_m + known.length_m, event.offset_m + event.length_m
            )
            if (known.code, known.edge) == (event.code, event.edge) and apart_m <= _SAME_M:
                return known.number
        return None

    def _stopped(
        self, now_us: int, speeds: SpeedMap, reports: Sequence[ProbeReport]
    ) -> Iterator[RoadEvent]:
        least_us = self._rules.stopped_s * US_PER_S
        for report in reports:
            stands = report.speed_mps < self._rules.stopped_mps
            if stands and speeds.stood_us(report) >= least_us:
                yield _event(EventCode.INCIDENT, now_us, (report,))

    def _jams(
        self, now_us: int, speeds: SpeedMap, reports: Sequence[ProbeReport]
    ) -> Iterator[RoadEvent]:
        n, mean_mps = speeds.speeds(reports)
        with np.errstate(invalid="ignore"):
            slow = mean_mps < self._rules.drop_share * self._limit_mps
        slow &= n >= self._rules.drop_vehicles
        edges = np.flatnonzero(slow).tolist()
        self._slow_us = {edge: self._slow_us.get(edge, now_us) for edge in edges}
        for edge, since_us in self._slow_us.items():
            if now_us - since_us >= self._rules.drop_s * US_PER_S:
                on = sorted((r for r in reports if r.edge == edge), key=lambda r: r.offset_m)
                yield _event(EventCode.JAM, now_us, on)


def _event(code: EventCode, now_us: int, reports: Sequence[ProbeReport]) -> RoadEvent:
    """Return an event from the first to the last of reports in the order of their edge."""
    first, last = reports[0], reports[-1]
    return RoadEvent(
        number=0,
        code=int(code),
        edge=first.edge,
        offset_m=first.offset_m,
        length_m=last.offset_m - first.offset_m,
        x_m=first.x_m,
        y_m=first.y_m,
        z_m=first.z_m,
        since_us=now_us,
    )
