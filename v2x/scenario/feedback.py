"""Addressed messages of a run, and the feedback on them."""

from __future__ import annotations

from v2x.channel.link_table import LinkTable
from v2x.errors import V2XError
from v2x.messages.cast import BROADCAST, GROUPCAST_NACK, CastParams
from v2x.phy.nr.psfch import PsfchDesign
from v2x.phy.nr.sci import SCI2A_BITS, SCI2B_BITS
from v2x.phy.reception import ReceiverDesign
from v2x.phy.sidelink_pool import SidelinkPool
from v2x.scenario.model import Scenario
from v2x.sim.audience import Audience
from v2x.sim.feedback import Feedback


def cast_of(scenario: Scenario) -> CastParams | None:
    """Return whom the messages of road users are for, None if they are broadcast."""
    params = scenario.messages.params
    return params if isinstance(params, CastParams) and params.cast != BROADCAST else None


def pool_of(scenario: Scenario) -> SidelinkPool:
    """Return the resource pool, with the second stage of control information that the cast asks.

    TS 38.212 8.4.1: format 2-B names zone and range for groupcast with NACK only, 2-A serves all
    else.
    """
    cast = cast_of(scenario)
    with_zone = cast is not None and cast.cast == GROUPCAST_NACK
    pool: SidelinkPool = scenario.access.params.resource_pool()
    return pool.with_second_stage(SCI2B_BITS if with_zone else SCI2A_BITS)


def second_stage_fails(scenario: Scenario) -> bool:
    """Return whether SCI-2 may fail by itself."""
    asked = scenario.phy.sci2_errors
    return cast_of(scenario) is not None if asked is None else asked


def audience_of(
    scenario: Scenario, links: LinkTable, n_nodes: int, wrap_length_m: float
) -> Audience | None:
    """Return who is addressed, None where everybody is.

    Raises
    ------
    V2XError
        If addressees may be out of everybody's reach.
    """
    cast = cast_of(scenario)
    if cast is None:
        return None
    if cast.range_m > scenario.channel.interaction_range_m:
        raise _misfit(
            scenario,
            f"{cast.range_m:g} m is beyond channel.interaction_range_m "
            f"({scenario.channel.interaction_range_m:g} m), where nothing is received",
            "messages.range_m",
            "lower it or raise channel.interaction_range_m",
        )
    return Audience(cast, links, n_nodes, wrap_length_m)


def feedback_of(
    scenario: Scenario, design: ReceiverDesign, audience: Audience | None, seed: int
) -> Feedback | None:
    """Return the feedback channel, None where retransmissions are blind.

    Raises
    ------
    V2XError
        If feedback is asked of broadcast messages, which have none.
    """
    psfch: PsfchDesign | None = getattr(scenario.access.params, "feedback_design", _no_feedback)()
    if psfch is None:
        return None
    if audience is None:
        raise _misfit(
            scenario,
            "broadcast messages have no feedback (TS 38.321 5.22.1.3)",
            "access.harq",
            "set messages.cast to unicast, groupcast-nack or groupcast-ack, or harq to blind",
        )
    return Feedback(psfch, design, audience, seed)


def _no_feedback() -> None:
    """Stand in for a technology that knows no feedback."""


def _misfit(scenario: Scenario, message: str, key: str, remedy: str) -> V2XError:
    file = None if scenario.source is None else str(scenario.source)
    return V2XError(message, file=file, key=key, remedy=remedy)
