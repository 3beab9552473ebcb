"""SPAT of the lights that traffic obeys (T/CSAE 159-2020).

What a fixed plan shows next is certain, and told with one end; lights that follow the traffic tell
the earliest, the likely and the latest end. An end that nobody knows is told as "beyond".
"""

from __future__ import annotations

from v2x.messages.coding.wire import BEYOND, Quantity
from v2x.messages.csae.elements import NodeReference
from v2x.messages.csae.signal_plan import MOST_STAGES, from_now
from v2x.messages.csae.spat import (
    ControllerStatus,
    Countdown,
    IntersectionState,
    Phase,
    PhaseState,
)
from v2x.mobility.signals.base import PhaseOutlook, SignalControl, Span
from v2x.units import US_PER_S


def spat_of(
    control: SignalControl, node: int, time_us: int, *, region: int = 0
) -> IntersectionState:
    """Return what the lights of a node show and will show.

    Parameters
    ----------
    control
        The lights, advanced to `time_us`.
    node
        Node of the road map, also its number in MAP.
    time_us
        Now [µs].
    region
        Region of MAP.

    Raises
    ------
    KeyError
        If the node has no lights.
    """
    phases = control.outlook(node)
    certain = all(
        span.min_end_us == span.max_end_us is not None for phase in phases for span in phase.spans
    )
    return IntersectionState(
        node=NodeReference(region=region, node=node),
        status=ControllerStatus.FIXED_TIME if certain else ControllerStatus.TRAFFIC_DEPENDENT,
        phases=tuple(_phase(phase, time_us) for phase in phases),
    )


def _phase(phase: PhaseOutlook, time_us: int) -> Phase:
    return Phase(
        phase_id=phase.phase_id,
        states=tuple(
            PhaseState(light=span.light, timing=_timing(span, time_us))
            for span in phase.spans[:MOST_STAGES]
        ),
    )


def _timing(span: Span, time_us: int) -> Countdown:
    return Countdown(
        start_s=from_now(max(span.start_us - time_us, 0) / US_PER_S),
        min_end_s=_end(span.min_end_us, time_us),
        max_end_s=_end(span.max_end_us, time_us),
        likely_end_s=_end(span.likely_end_us, time_us),
    )


def _end(end_us: int | None, time_us: int) -> Quantity:
    return BEYOND if end_us is None else from_now(max(end_us - time_us, 0) / US_PER_S)
