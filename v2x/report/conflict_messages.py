"""What became of messages before conflicts, beside all messages at the same distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2x.metrics.conflict_messages import ConflictMessages, conflict_messages
from v2x.records.tables import OUTCOME_NAMES, Outcome, RunRecords
from v2x.report import style
from v2x.report.figures import STACK
from v2x.report.style import note, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Shares below this are not worth a place in the legend.
_LEAST_SHARE = 1e-4


def has_conflict_messages(records: RunRecords) -> bool:
    """Return whether a run followed the messages before its conflicts."""
    return bool(len(records.tables["conflict_knowledge"]["event"]))


@styled
def conflict_messages_figure(records: RunRecords) -> Figure:
    """Draw two stacked bars: why messages were lost before conflicts, and at these distances.

    Parameters
    ----------
    records
        Of one run that followed them; the bracket is the 95 % interval of the share lost.
    """
    found = conflict_messages(records)
    figure = style.new_figure(2.0)
    axes = figure.add_subplot()
    axes.set(ylim=(-0.6, 1.6), xlabel="Share of message–receiver pairs that was lost")
    if found is None or found.n_messages == 0:
        axes.set(xlim=(0, 1), yticks=[])
        note(axes, "No message before a conflict.")
        return figure
    before = np.array([found.share[name].value for name in OUTCOME_NAMES])
    usual = np.array([found.at_these_distances[name] for name in OUTCOME_NAMES])
    left = np.zeros(2)
    for outcome in STACK[1:]:
        width = np.array([before[outcome], usual[outcome]])
        if not np.nanmax(width) >= _LEAST_SHARE:
            continue
        axes.barh(
            [1, 0],
            np.nan_to_num(width),
            left=left,
            height=0.6,
            color=style.OUTCOME_COLOURS[outcome],
            edgecolor="white",
            linewidth=0.3,
            label=outcome.name.capitalize().replace("_", " "),
        )
        left += np.nan_to_num(width)
    _draw_interval(axes, found)
    axes.set_yticks([1, 0], [f"before conflicts ({found.n_conflicts})", "all, same distances"])
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0.0, min(max(1.15 * axes.get_xlim()[1], 0.01), 1.0))
    for y, received in ((1, before[Outcome.RECEIVED]), (0, usual[Outcome.RECEIVED])):
        if np.isfinite(received):
            axes.text(0.0, y + 0.34, f" {received:.1%} received", va="bottom", fontsize=8.0)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside right upper")
    return figure


def _draw_interval(axes: Axes, found: ConflictMessages) -> None:
    received = found.share["received"]
    if np.isfinite(received.low):
        axes.plot(
            [1.0 - received.high, 1.0 - received.low],
            [1, 1],
            color=style.BLUE,
            marker="|",
            label="95 %",
        )
