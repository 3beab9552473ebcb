"""Conflicts: how often they were how near, and where they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2x.metrics.conflicts import SEVERITIES, Exceedance, exceedance, severity
from v2x.records.tables import CONFLICT_KIND_NAMES, ConflictKind, RunRecords
from v2x.report import style
from v2x.report.frame import finish_map, new_map, whole
from v2x.report.maps import draw_ground, draw_plain_roads
from v2x.report.style import note, styled
from v2x.world.road_map import RoadMap

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STEPS = 301
#: Longest PET shown [s].
_PET_SHOWN_S = 3.0
_COLOURS = dict(
    zip(SEVERITIES, (style.BLACK, style.VERMILLION, style.ORANGE, style.SKY), strict=True)
)
_MARKERS = {
    ConflictKind.FOLLOWING: "o",
    ConflictKind.CROSSING: "X",
    ConflictKind.HEAD_ON: "D",
    ConflictKind.MERGING: "^",
}


def has_exposure(records: RunRecords) -> bool:
    """Return whether a run watched for conflicts."""
    return bool(len(records.tables["exposure"]["vehicle_s"]))


@styled
def exceedance_figure(records: RunRecords) -> Figure:
    """Draw how many conflicts per 1000 km were nearer than a TTC, and than a PET.

    Parameters
    ----------
    records
        Of one run; bands are over its replications, or over time batches of a single one.
    """
    figure = style.new_figure(2.8)
    panels = figure.subplots(1, 2)
    ttc_s = float(records.facts["conflict_ttc_s"])
    for axes, column, longest_s, name, colour in (
        (panels[0], "min_ttc_s", ttc_s, "Smallest TTC of a conflict [s]", style.BLUE),
        (panels[1], "pet_s", _PET_SHOWN_S, "Post-encroachment time (PET) [s]", style.VERMILLION),
    ):
        axes.set(xlabel=f"{name}", xlim=(0, longest_s))
        curve = exceedance(records, column, np.linspace(0.0, longest_s, _STEPS))
        _draw_curve(axes, curve, colour)
    panels[0].set_ylabel("Conflicts nearer than this\nper 1000 vehicle-km")
    return figure


def _draw_curve(axes: Axes, curve: Exceedance, colour: str) -> None:
    if curve.n == 0:
        axes.set(ylim=(0, 1), yticks=[])
        note(axes, "None.")
        return
    known = np.isfinite(curve.low)
    if known.any():
        axes.fill_between(
            curve.value_s,
            np.where(known, np.maximum(curve.low, 0.0), np.nan),
            np.where(known, curve.high, np.nan),
            color=colour,
            alpha=0.22,
            linewidth=0,
            label=f"95 % over {curve.over}",
        )
    axes.plot(curve.value_s, curve.per_1000_km, color=colour, label=f"{curve.n} conflicts")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")


@styled
def conflict_map_figure(
    road_map: RoadMap, records: RunRecords, *, attribution: str | None = None
) -> Figure:
    """Draw where conflicts were, by severity (colour) and kind (shape), the worst on top.

    Parameters
    ----------
    road_map
        The network.
    records
        Uses table ``conflicts``.
    attribution
        Sentence owed to the makers of the map; None for that of `road_map`.
    """
    from matplotlib.lines import Line2D

    window = whole(road_map)
    figure, axes = new_map(window)
    draw_ground(axes, road_map, window)
    draw_plain_roads(axes, road_map)
    table = records.tables["conflicts"]
    level = severity(table)
    handles: list[Artist] = []
    for rank, name in enumerate(SEVERITIES):
        n = int(np.count_nonzero(level == rank))
        if n:
            label = f"{name} ({n})"
            handles.append(
                Line2D([], [], color=_COLOURS[name], marker="s", linestyle="", label=label)
            )
    for kind, marker in _MARKERS.items():
        of_kind = table["kind"] == kind
        if not of_kind.any():
            continue
        for rank, name in enumerate(SEVERITIES):
            at = of_kind & (level == rank)
            axes.scatter(
                table["x_m"][at],
                table["y_m"][at],
                s=26,
                marker=marker,
                facecolor=_COLOURS[name],
                edgecolor="white",
                linewidth=0.5,
                zorder=7.0 - 0.1 * rank,
            )
        label = CONFLICT_KIND_NAMES[kind].replace("_", " ")
        handles.append(
            Line2D([], [], color=style.DARK_GREY, marker=marker, linestyle="", label=label)
        )
    if not len(level):
        note(axes, "No conflict.")
    finish_map(axes, window, road_map.attribution if attribution is None else attribution)
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure
