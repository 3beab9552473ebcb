"""How probe data are collected and what follows from them: keys of the service ``probe-data``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from v2x.ranges import check_ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRules:
    """When the server takes reports for an incident; all thresholds are our choice.

    Parameters
    ----------
    stopped_mps, stopped_s
        A vehicle that reports less for this long on one edge has stopped [m/s], [s]: code 103.
    drop_share, drop_vehicles, drop_s
        There is a jam, code 707, on an edge on which at least so many vehicles have a mean speed
        below this share of the limit for this long [s].
    queue_m
        Reports from this near before a junction count for neither [m]: there is often a queue.
    clear_s
        An incident that the reports of this time did not show is over [s].
    """

    stopped_mps: float = 0.5
    stopped_s: float = 10.0
    drop_share: float = 0.4
    drop_vehicles: int = 3
    drop_s: float = 5.0
    queue_m: float = 100.0
    clear_s: float = 10.0

    def __post_init__(self) -> None:
        """Reject thresholds that mean nothing."""
        check_ranges(
            self,
            ("stopped_mps", 0.01, 5.0),
            ("stopped_s", 0.0, 600.0),
            ("drop_share", 0.01, 1.0),
            ("drop_vehicles", 1, 1000),
            ("drop_s", 0.0, 600.0),
            ("queue_m", 0.0, 2000.0),
            ("clear_s", 0.1, 600.0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDataParams:
    """Who reports what how often, and what the server makes of it.

    Parameters
    ----------
    over
        ``uu``: each report goes over the mobile network to the server; ``rsu``: over the sidelink
        to any roadside unit that hears it, and on over fibre.
    period_s
        Time between reports of a vehicle [s]; 0.1 to 1 (T/CSAE 157 as recalled: 1 to 10 Hz).
    fibre_ms
        From a roadside unit to the server [ms]; estimate.
    window_s
        A report counts for this long in the estimate of its edge [s].
    estimate_s
        Time between estimates [s].
    incidents
        When reports are an incident.
    """

    over: Literal["uu", "rsu"] = "uu"
    period_s: float = 1.0
    fibre_ms: float = 5.0
    window_s: float = 5.0
    estimate_s: float = 1.0
    incidents: IncidentRules = field(default_factory=IncidentRules)

    def __post_init__(self) -> None:
        """Reject impossible times."""
        if self.over not in ("uu", "rsu"):
            raise ValueError(f"over must be uu or rsu, got {self.over!r}")
        check_ranges(
            self,
            ("period_s", 0.1, 60.0),
            ("fibre_ms", 0.0, 1000.0),
            ("window_s", 0.1, 600.0),
            ("estimate_s", 0.1, 600.0),
        )
