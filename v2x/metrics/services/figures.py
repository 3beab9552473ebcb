"""The figures of all services of a run, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from v2x.metrics.services.dialogues import parking_figures, payment_figures
from v2x.metrics.services.traffic import guidance_figures, traffic_state_figures
from v2x.metrics.services.vehicles import remote_figures, tracking_figures
from v2x.records.tables import RunRecords

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: Figures of a service by its name: of the records, and its place in the fact ``services``.
_FIGURES: Mapping[
    str, Callable[[RunRecords, int], DataclassInstance | Mapping[str, DataclassInstance]]
] = {
    "probe-data": traffic_state_figures,
    "guidance": lambda records, _: guidance_figures(records),
    "payment": payment_figures,
    "parking": lambda records, _: parking_figures(records),
    "remote-driving": lambda records, _: remote_figures(records),
    "tracking": lambda records, _: tracking_figures(records),
}


def service_figures(
    records: RunRecords,
) -> dict[str, DataclassInstance | Mapping[str, DataclassInstance]]:
    """Return the figures of the services of a run that have any, in the order of the scenario."""
    names = records.facts.get("services") or []
    return {
        name: _FIGURES[name](records, place) for place, name in enumerate(names) if name in _FIGURES
    }
