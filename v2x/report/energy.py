"""What a kilometre costs on each class of grades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2x.metrics.energy import GRADE_CLASS_NAMES, KIND_NAMES, by_grade
from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.report.style import note, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = dict(zip(KIND_NAMES, (style.BLUE, style.VERMILLION, style.GREEN), strict=True))
_MARKERS = dict(zip(KIND_NAMES, "osD", strict=True))
#: Kinds stand side by side, so that their bars do not hide each other.
_SHIFT = 0.12


def has_energy(records: RunRecords) -> bool:
    """Return whether a run recorded what driving costs."""
    return bool(len(records.tables["energy"]["duration_s"]))


@styled
def energy_figure(records: RunRecords) -> Figure:
    """Draw battery energy and CO2 per kilometre by class of grades and kind of vehicle.

    Parameters
    ----------
    records
        Of one run; bars are 95 % intervals over its replications, or over time batches of a
        single one, cut where they would leave no room for the values.
    """
    figure = style.new_figure(2.8)
    panels = figure.subplots(1, 2)
    _draw(panels[0], records, electric=True)
    _draw(panels[1], records, electric=False)
    panels[0].set_ylabel("Battery energy [kWh/km]")
    panels[1].set_ylabel("CO₂ [g/km]")
    for axes in panels:
        axes.set_xlabel("Grade, uphill positive [%]")
        axes.set_xticks(range(len(GRADE_CLASS_NAMES)), GRADE_CLASS_NAMES)
    return figure


def _draw(axes: Axes, records: RunRecords, *, electric: bool) -> None:
    at = np.arange(len(GRADE_CLASS_NAMES))
    drawn: list[float] = []
    for kind, name in enumerate(KIND_NAMES):
        found = by_grade(records, electric=electric, kind=kind)
        value = np.array([one.value for one in found])
        if not np.isfinite(value).any():
            continue
        drawn += value[np.isfinite(value)].tolist()
        sides = np.array([[one.value - one.low, one.high - one.value] for one in found]).T
        axes.errorbar(
            at + (kind - 1) * _SHIFT,
            value,
            yerr=np.nan_to_num(np.maximum(sides, 0.0)),
            color=_COLOURS[name],
            marker=_MARKERS[name],
            markersize=4,
            linestyle="",
            elinewidth=1.0,
            capsize=2,
            label=name,
        )
    if not drawn:
        axes.set(ylim=(0, 1), yticks=[])
        note(axes, "No such vehicle.")
        return
    axes.axhline(0.0, color=style.MID_GREY, linewidth=0.8)
    # Rare kinds have intervals that would leave no room for the others.
    low, high = min(*drawn, 0.0), max(*drawn, 0.0)
    margin = 0.3 * max(high - low, 1e-3)
    axes.set_ylim(low - margin if low < 0.0 else 0.0, high + margin)
    axes.legend(loc="upper left")
