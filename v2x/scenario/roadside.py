"""Roadside units of a run: joined to its fleet, its messages and its antennas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from v2x.applications.awareness import Awareness, AwarenessParams
from v2x.applications.base import Application
from v2x.applications.roadside import WithRoadsideMessages
from v2x.errors import V2XError
from v2x.mobility.base import MobilityModel
from v2x.mobility.roadside import WithRoadside
from v2x.scenario.model import Scenario
from v2x.world.rsu_sites import RsuSites

#: PPPP of roadside safety messages: priority 208 of T/CSAE 159-2020, eight bands of 32 (rule of
#: low confidence).
RSM_PRIORITY = 2


def with_roadside(
    scenario: Scenario,
    sites: RsuSites,
    mobility: MobilityModel,
    application: Application,
    seed: int,
) -> tuple[MobilityModel, Application]:
    """Return fleet and messages with the roadside units; without any, those given.

    Raises
    ------
    V2XError
        If roadside units would send more often or more at once than the grants of the road
        users allow.
    """
    if sites.n_sites == 0:
        return mobility, application
    roadside = scenario.roadside
    own: Application | None = None
    if roadside.messages_per_s > 0.0:
        largest = max(application.sizes_bytes)
        size_bytes = largest if roadside.size_bytes is None else roadside.size_bytes
        rate_hz = roadside.messages_per_s
        fastest_hz = 1000.0 / application.period_ms
        if roadside.rate_hz == 0.0:
            rate_hz = min(rate_hz, fastest_hz)
        if rate_hz > fastest_hz + 1e-9:
            raise _misfit(
                scenario,
                f"{rate_hz:g} Hz is more often than road users send ({fastest_hz:g} Hz), whose "
                "reservation period all have",
                "rate_hz",
                "lower it or raise messages.rate_hz",
            )
        if size_bytes > largest:
            raise _misfit(
                scenario,
                f"{size_bytes} bytes are more than the largest message of road users "
                f"({largest} bytes), for which all grants are made",
                "size_bytes",
                "lower it (26 bytes for each participant) or raise messages.size_bytes",
            )
        own = Awareness(
            AwarenessParams(rate_hz=rate_hz, size_bytes=size_bytes, priority=RSM_PRIORITY), seed
        )
    return (
        WithRoadside(mobility, sites),
        WithRoadsideMessages(application, own, sites.n_sites),
    )


def antenna_gains_dbi(scenario: Scenario, n_rows: int, n_sites: int) -> NDArray[np.float64]:
    """Return the antenna gain of every row of the fleet [dBi], (n_rows,)."""
    gain = np.full(n_rows, scenario.radio.antenna_gain_dbi)
    if scenario.roadside.antenna_gain_dbi is not None:
        gain[n_rows - n_sites :] = scenario.roadside.antenna_gain_dbi
    return gain


def _misfit(scenario: Scenario, message: str, key: str, remedy: str) -> V2XError:
    file = None if scenario.source is None else str(scenario.source)
    return V2XError(message, file=file, key=f"roadside.{key}", remedy=remedy)
