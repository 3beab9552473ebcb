"""Events of a run: put beside what road users say with a period."""

from __future__ import annotations

from v2x.applications.base import Application
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.scenario.grants import subchannels_of
from v2x.scenario.model import Scenario


def with_events(scenario: Scenario, application: Application, seed: int) -> Application:
    """Return what is said with a period and, where the scenario has events, of those."""
    told: Application = scenario.events.params.around(application, seed)
    return told


def event_subchannels(scenario: Scenario, pool: SidelinkPool, service_bytes: int) -> int | None:
    """Return the subchannels that messages which go once need, None if there are none.

    Parameters
    ----------
    scenario
        May have events.
    pool
        What they must fit into.
    service_bytes
        Largest message of a service [byte], 0 if none says anything.

    Raises
    ------
    V2XError
        If one does not fit the pool.
    """
    event_bytes = scenario.events.params.message_bytes
    widths = []
    if event_bytes is not None:
        widths.append(subchannels_of(scenario, event_bytes, pool, key="events.size_bytes"))
    if service_bytes:
        key = "what the messages of `services` hold"
        widths.append(subchannels_of(scenario, service_bytes, pool, key=key))
    return max(widths, default=None)
