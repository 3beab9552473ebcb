"""What a server knew of the traffic, and what guidance did to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from v2x.metrics.services.means import Rows
from v2x.metrics.statistics import Interval
from v2x.records.tables import RunRecords

#: Slower traffic is left out of the relative error [m/s]: by walking pace it says nothing.
LEAST_MPS = 1.0


@dataclass(frozen=True, slots=True)
class TrafficStateFigures:
    """Speeds of edges by probe data, and incidents; intervals are 95 %.

    Attributes
    ----------
    mape
        Mean absolute relative error of the speed of an edge, over edges and times with vehicles
        faster than 1 m/s and an estimate.
    known
        Share of edges and times with vehicles that have an estimate.
    n_incidents
        Incidents found.
    true_incidents
        Share of them at the place of a hazard; others are false, or what came of it farther back.
    detection_s
        Mean time from the beginning of a hazard to its first detection [s].
    """

    mape: Interval
    known: Interval
    n_incidents: int
    true_incidents: Interval
    detection_s: Interval


def traffic_state_figures(records: RunRecords, service: int) -> TrafficStateFigures:
    """Return how well a server knew the traffic.

    Parameters
    ----------
    records
        Uses tables ``traffic_state`` and ``road_events``.
    service
        Place of the service in the fact ``services``.
    """
    state, events = records.tables["traffic_state"], records.tables["road_events"]
    rows = Rows(records, state, "time_s")
    there = state["n_vehicles"] > 0
    true_mps = state["true_speed_mps"]
    moving = there & (np.nan_to_num(true_mps) >= LEAST_MPS)
    error = np.full(len(there), np.nan)
    np.divide(np.abs(state["speed_mps"] - true_mps), true_mps, out=error, where=moving)
    mine = events["service"] == service
    found = {name: column[mine] for name, column in events.items()}
    incidents = Rows(records, found, "detected_s")
    true = ~np.isnan(found["begin_s"])
    return TrafficStateFigures(
        mape=rows.mean(error),
        known=rows.share(~np.isnan(state["speed_mps"]), there),
        n_incidents=int(mine.sum()),
        true_incidents=incidents.share(true),
        detection_s=incidents.mean(found["detected_s"] - found["begin_s"], _first(found)),
    )


def _first(events: dict[str, np.ndarray]) -> np.ndarray:
    """Return which events are the first of their hazard, (n,) bool."""
    first = np.zeros(len(events["begin_s"]), dtype=np.bool_)
    seen: set[tuple[int, float]] = set()
    for row in np.argsort(events["detected_s"], kind="stable").tolist():
        hazard = (int(events["replication"][row]), float(events["begin_s"][row]))
        first[row] = hazard not in seen and not np.isnan(hazard[1])
        seen.add(hazard)
    return first


@dataclass(frozen=True, slots=True)
class GuidanceFigures:
    """What drivers knew of a closed road, and how the traffic fared; intervals are 95 %.

    Attributes
    ----------
    n_reached
        Vehicles that got to know of it.
    after_s
        Mean time from the closure until then [s].
    lost_share
        Share of the time driven that was lost against the limits.
    queue_m
        Mean length of the queue before the closed road [m].
    max_queue_m
        The longest [m], NaN without a row.
    """

    n_reached: int
    after_s: Interval
    lost_share: Interval
    queue_m: Interval
    max_queue_m: float


def guidance_figures(records: RunRecords) -> GuidanceFigures:
    """Return the figures of tables ``guidance`` and ``guidance_reach``."""
    table, reach = records.tables["guidance"], records.tables["guidance_reach"]
    rows, reached = Rows(records, table, "time_s"), Rows(records, reach, "time_s")
    # A row stands for the second before it, so vehicles on the roads are seconds driven.
    driven_s = table["n_vehicles"].astype(np.float64)
    share = np.divide(
        table["lost_s"], driven_s, out=np.full(len(driven_s), np.nan), where=driven_s > 0
    )
    queue_m = table["queue_m"]
    return GuidanceFigures(
        n_reached=len(reach["after_s"]),
        after_s=reached.mean(reach["after_s"]),
        lost_share=rows.mean(share),
        queue_m=rows.mean(queue_m),
        max_queue_m=float(queue_m.max()) if len(queue_m) else float("nan"),
    )
