"""Events of a run: put beside what road users say with a period."""

from __future__ import annotations

from v2x.applications.base import Application
from v2x.applications.events import EventParams, Events, WithEvents
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.scenario.grants import subchannels_of
from v2x.scenario.model import Scenario


def with_events(scenario: Scenario, application: Application, seed: int) -> Application:
    """Return what is said with a period and, where the scenario has events, of those."""
    params = scenario.events.params
    if not isinstance(params, EventParams):
        return application
    return WithEvents(application, Events(params, seed))


def event_subchannels(scenario: Scenario, pool: SidelinkPool) -> int | None:
    """Return the subchannels that a message of an event needs, None without events.

    Raises
    ------
    V2XError
        If it does not fit the pool.
    """
    params = scenario.events.params
    if not isinstance(params, EventParams):
        return None
    return subchannels_of(scenario, params.message_bytes, pool, key="events.size_bytes")
