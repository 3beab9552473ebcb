"""The coordination schemes that the parameters of mode 2 ask for."""

from __future__ import annotations

from collections.abc import Callable

from v2x import rng
from v2x.access.base import AccessContext
from v2x.access.nr.conflicts import Conflicts, SequenceDetection
from v2x.access.nr.coordination import (
    ConflictIndications,
    Coordination,
    NoCoordination,
    Overheard,
)
from v2x.access.nr.params import NrMode2Params
from v2x.access.nr.resource_sets import ResourceSets, Survey
from v2x.phy.nr.numerology import numerology


def coordination_of(params: NrMode2Params, context: AccessContext, survey: Survey) -> Coordination:
    """Return the scheme.

    Parameters
    ----------
    params, context
        Of mode 2.
    survey
        Finds what is free for a node.
    """
    makers: dict[str, Callable[[], Coordination]] = {
        "none": NoCoordination,
        "set": lambda: _sets(params, context, survey),
        "conflict": lambda: _indications(params, context),
    }
    return makers[params.coordination.scheme]()


def _sets(params: NrMode2Params, context: AccessContext, survey: Survey) -> ResourceSets:
    timing = numerology(params.scs_khz)
    return ResourceSets(
        params.coordination,
        context.history,
        Overheard(timing.slots_per_ms),
        survey,
        lag=timing.t_proc0_slots,
        lead=timing.t_proc1_slots,
        period=context.period_ms * timing.slots_per_ms,
        validity=round(params.coordination.validity_ms * timing.slots_per_ms),
        slots_per_ms=timing.slots_per_ms,
        key=rng.key32(context.seed, "access", "coordination"),
    )


def _indications(params: NrMode2Params, context: AccessContext) -> ConflictIndications:
    timing, told = numerology(params.scs_khz), params.coordination
    grid = params.psfch_grid(params.n_subchannels, params.n_subchannels * params.subchannel_rb)
    assert grid is not None
    channel = SequenceDetection(
        noise_mw=context.noise_mw / (12 * params.subchannel_rb),
        block_ratio=params.subchannel_rb,
        false_alarm=params.psfch_false_alarm,
        key=rng.key32(context.seed, "access", "indications"),
        n_nodes=context.n_nodes,
    )
    conflicts = Conflicts(
        context.history,
        channel,
        lead=timing.t_proc1_slots,
        threshold_mw=told.threshold_mw,
        least_ratio=told.least_ratio,
    )
    return ConflictIndications(conflicts, channel, grid, timing.slots_per_ms)
