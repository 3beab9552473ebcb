"""How well roadside units and vehicles hear each other, and how full the channel is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from v2x.metrics.load import mean_cbr
from v2x.metrics.reliability import ReliabilityCurve, reliability
from v2x.metrics.statistics import CONFIDENCE, Interval
from v2x.records.tables import Direction, RunRecords


@dataclass(frozen=True, slots=True)
class RoadsideFigures:
    """Reception between vehicles and roadside units (RSUs).

    Attributes
    ----------
    n_roadside
        RSUs of the run.
    uplink, downlink
        From vehicles to RSUs, and from RSUs to vehicles.
    cbr
        Mean channel busy ratio that the RSUs measured.
    """

    n_roadside: int
    uplink: ReliabilityCurve
    downlink: ReliabilityCurve
    cbr: Interval

    def by_direction(self) -> Mapping[str, ReliabilityCurve]:
        """Return the curves by their names in ``summary.json``."""
        return {"vehicle_to_roadside": self.uplink, "roadside_to_vehicle": self.downlink}


def roadside_figures(
    records: RunRecords, *, confidence: float = CONFIDENCE
) -> RoadsideFigures | None:
    """Return the figures of the roadside units, None for a run without any.

    Parameters
    ----------
    records
        Uses tables ``links`` and ``load`` and the fact ``n_roadside``.
    confidence
        Of the limits.
    """
    n_roadside = int(records.facts.get("n_roadside", 0))
    if n_roadside == 0:
        return None
    return RoadsideFigures(
        n_roadside=n_roadside,
        uplink=reliability(records, direction=Direction.V2I, confidence=confidence),
        downlink=reliability(records, direction=Direction.I2V, confidence=confidence),
        cbr=mean_cbr(records, roadside=True, confidence=confidence),
    )
