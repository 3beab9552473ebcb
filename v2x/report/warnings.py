"""Warnings: of what they were, and how much way they left."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.warnings import confirmed_alerts
from v2x.records.tables import RunRecords, Table
from v2x.report import style
from v2x.report.style import note, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class _Sort(IntEnum):
    """What alerts turn out to be, from the left of a bar to its right."""

    IN_TIME = 0
    LATE = 1
    CONFLICT = 2
    NO_CONFLICT = 3
    NOT_WATCHED = 4
    OTHER_DECK = 5
    ROAD = 6


_LABELS: Mapping[_Sort, tuple[str, str]] = {
    _Sort.IN_TIME: ("conflict, in time", style.GREEN),
    _Sort.LATE: ("conflict, late", style.YELLOW),
    _Sort.CONFLICT: ("conflict, way unknown", style.ORANGE),
    _Sort.NO_CONFLICT: ("no conflict followed", style.SKY),
    _Sort.NOT_WATCHED: ("conflicts not watched", style.MID_GREY),
    _Sort.OTHER_DECK: ("other deck", style.VERMILLION),
    _Sort.ROAD: ("about the road", style.LIGHT_GREY),
}
#: Shares of alerts with a smaller margin: ends of the lines, of the bars, and the mark.
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Room beside the lines [m].
_LEAST_ROOM_M = 2.0


def has_warnings(records: RunRecords) -> bool:
    """Return whether a run warned drivers of anything."""
    return bool(records.facts.get("warnings"))


@styled
def warnings_figure(records: RunRecords) -> Figure:
    """Draw what the alerts of each sort turned out to be, and the margins that they left.

    Parameters
    ----------
    records
        Of a run with warnings; whether a conflict followed is known where conflicts were watched.
    """
    names: list[str] = list(records.facts["warnings"])
    table = records.tables["warnings"]
    figure = style.new_figure(max(2.6, 1.4 + 0.24 * len(names)))
    bars, margins = figure.subplots(1, 2, sharey=True, width_ratios=(1.3, 1.0))
    _draw_sorts(bars, names, table["application"], _sort_of(records))
    _draw_margins(margins, names, table)
    return figure


def _sort_of(records: RunRecords) -> NDArray[np.int64]:
    """Return the :class:`_Sort` of each alert, (n_alerts,)."""
    table = records.tables["warnings"]
    margin_m = table["distance_m"] - table["needed_m"]
    conflict = np.where(margin_m >= 0.0, _Sort.IN_TIME, _Sort.LATE)
    conflict = np.where(np.isnan(margin_m), _Sort.CONFLICT, conflict)
    watched = len(records.tables["exposure"]["vehicle_s"]) > 0
    confirmed = confirmed_alerts(table, records.tables["conflicts"])
    sort = np.where(confirmed, conflict, _Sort.NO_CONFLICT if watched else _Sort.NOT_WATCHED)
    sort = np.where(table["other_deck"], _Sort.OTHER_DECK, sort)
    return np.where(table["other_id"] < 0, _Sort.ROAD, sort)


def _draw_sorts(
    axes: Axes, names: list[str], application: NDArray[np.int32], sort: NDArray[np.int64]
) -> None:
    counts = np.zeros((len(names), len(_Sort)))
    np.add.at(counts, (application, sort), 1.0)
    total = counts.sum(axis=1)
    place = np.arange(len(names))
    left = np.zeros(len(names))
    for k in np.flatnonzero(counts.any(axis=0)).tolist():
        label, colour = _LABELS[_Sort(k)]
        share = np.divide(counts[:, k], total, out=np.zeros(len(names)), where=total > 0)
        axes.barh(place, share, left=left, color=colour, label=label, height=0.7)
        left += share
    for y, n in zip(place.tolist(), total.astype(int).tolist(), strict=True):
        axes.text(1.02, y, f"{n}", va="center", fontsize=8.0)
    axes.set(yticks=place, yticklabels=names, xlim=(0, 1), xlabel="Share of alerts (number beside)")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    if total.any():
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, columnspacing=1.0)


def _draw_margins(axes: Axes, names: list[str], table: Table) -> None:
    """Draw the median of each sort, the middle half of its alerts and the middle 90 %."""
    margin_m = table["distance_m"] - table["needed_m"]
    drawn = [0.0]
    for k in range(len(names)):
        values = margin_m[(table["application"] == k) & ~np.isnan(margin_m)]
        if not len(values):
            continue
        low, lower, median, upper, high = np.quantile(values, _QUANTILES).tolist()
        axes.plot([low, high], [k, k], color=style.DARK_GREY, linewidth=1.0)
        axes.plot([lower, upper], [k, k], color=style.BLUE, linewidth=5.0, solid_capstyle="butt")
        axes.plot(median, k, "o", color="white", markeredgecolor=style.BLACK, markersize=5.0)
        drawn += [low, high]
    axes.axvline(0.0, color=style.DARK_GREY, linewidth=0.8)
    axes.set(xlabel="Margin: way left less way needed [m]")
    axes.tick_params(axis="y", length=0.0, labelleft=False)
    if len(drawn) == 1:
        note(axes, "No alert knows the way needed.")
        return
    room = max(0.08 * (max(drawn) - min(drawn)), _LEAST_ROOM_M)
    axes.set(xlim=(min(drawn) - room, max(drawn) + room))
    axes.set_title("90 % and half of the alerts, and their median", fontsize=8.0)
