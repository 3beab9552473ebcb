"""Congestion control of a run: chosen, and put around its messages or its access."""

from __future__ import annotations

from v2x import registry
from v2x.access.congestion.base import CongestionContext, CongestionControl, NoControl
from v2x.errors import V2XError
from v2x.scenario.model import Scenario


def congestion_of(scenario: Scenario, context: CongestionContext) -> CongestionControl | None:
    """Return the congestion control of a scenario, None where it has none.

    Raises
    ------
    V2XError
        If the control asks for what the run has not, or counts neighbours farther away than
        receptions are remembered.
    """
    choice = scenario.congestion
    try:
        control: CongestionControl = registry.load("v2x.congestion", choice.type)(
            choice.params, context
        )
    except ValueError as error:
        raise V2XError(
            str(error),
            file=None if scenario.source is None else str(scenario.source),
            key="congestion",
            remedy="choose otherwise, or a slotted access with phy.error_curve: auto",
        ) from error
    if control.heard_range_m > scenario.records.awareness_range_m:
        raise V2XError(
            f"{control.heard_range_m:g} m is beyond records.awareness_range_m "
            f"({scenario.records.awareness_range_m:g} m), where nobody remembers whom it heard",
            file=None if scenario.source is None else str(scenario.source),
            key="congestion.range_m",
            remedy="lower it or raise records.awareness_range_m",
        )
    return None if isinstance(control, NoControl) else control
