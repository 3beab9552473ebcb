"""The map: roads with their grades, bridges and tunnels, and the vehicles on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from v2x.metrics.statistics import FloatArray
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import Table
from v2x.report import style
from v2x.report.style import styled
from v2x.world.road_map import RoadMap, Structure

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

#: Limits of the classes of absolute grade [%]; a last class lies above.
_GRADE_LIMITS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0)
_GRADE_COLOURS = ("#B9C4CE", "#E8C468", "#E69F00", "#D55E00", "#9C2A00", "#4A0A0A")
_WIDTH_PT = 1.5
_CASING_PT = 1.1
_TUNNEL_DASHES = (0, (1.6, 1.0))
_MAX_ASPECT = 6.0
_MIN_SPAN_M = 100.0
_MARKERS = {
    NodeKind.CAR: ("car", "o", style.BLUE),
    NodeKind.TRUCK: ("truck", "s", style.BLACK),
    NodeKind.BUS: ("bus", "D", style.GREEN),
    NodeKind.VRU: ("pedestrian or cyclist", "v", style.PURPLE),
    NodeKind.RSU: ("roadside unit", "^", style.VERMILLION),
    NodeKind.GNB: ("base station", "*", style.VERMILLION),
}


def mean_absolute_grade(road_map: RoadMap) -> FloatArray:
    """Return the mean of the absolute grade along each edge, (n_edges,), 0.05 for 5 %.

    Absolute, so that a crest inside an edge does not cancel.
    """
    dx, dy, dz = (
        np.diff(values) for values in (road_map.point_x_m, road_map.point_y_m, road_map.point_z_m)
    )
    # A difference across the end of an edge joins two polylines and counts for none.
    inside = np.ones(len(dx), dtype=np.bool_)
    inside[road_map.first_point[1:-1] - 1] = False
    edge = np.repeat(np.arange(road_map.n_edges), np.diff(road_map.first_point))[:-1]
    run_m = np.bincount(edge[inside], np.hypot(dx, dy)[inside], road_map.n_edges)
    climb_m = np.bincount(edge[inside], np.abs(dz)[inside], road_map.n_edges)
    return np.where(run_m > 0, climb_m / np.maximum(run_m, 1e-9), 0.0)


@styled
def map_figure(
    road_map: RoadMap, trajectories: Table | None = None, *, attribution: str | None = None
) -> Figure:
    """Draw the roads coloured by grade, and where the vehicles were at the end.

    Parameters
    ----------
    road_map
        The network.
    trajectories
        Table ``trajectories``; the last state of the first replication is drawn.
    attribution
        Sentence owed to the makers of the map; None for that of `road_map`.

    Notes
    -----
    Levels are drawn from the lowest to the highest, so that decks cover what is under them.
    Bridges have a black casing, tunnels are dashed. A map much longer than wide is stretched
    across, and says so.
    """
    width_m, height_m = float(np.ptp(road_map.point_x_m)), float(np.ptp(road_map.point_y_m))
    stretched = max(width_m, height_m) > _MAX_ASPECT * min(width_m, height_m)
    ratio = float(np.clip(height_m / max(width_m, 1.0), 0.35, 1.1))
    figure = style.new_figure(1.2 + 5.6 * ratio)
    axes = figure.add_subplot()
    axes.set_aspect("auto" if stretched else "equal")
    axes.margins(0.05)
    colours = _draw_roads(axes, road_map)
    figure.colorbar(
        colours, ax=axes, label="Absolute grade [%]", extend="max", fraction=0.035, pad=0.02
    )
    handles = _road_legend(road_map)
    if trajectories is not None and len(trajectories["time_s"]):
        handles += _draw_vehicles(axes, trajectories)
    axes.autoscale_view()
    _widen(axes)
    _draw_frame(axes, stretched=stretched)
    figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 6))
    owed = road_map.attribution if attribution is None else attribution
    if owed:
        axes.set_xlabel(owed, loc="right", fontsize=7, color=style.DARK_GREY)
    return figure


def _draw_roads(axes: Axes, road_map: RoadMap) -> LineCollection:
    """Draw every edge, the lowest level first; return one collection for the colour bar."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colours = ListedColormap(_GRADE_COLOURS)
    norm = BoundaryNorm(_GRADE_LIMITS, colours.N, extend="max")
    grade_percent = 100.0 * mean_absolute_grade(road_map)
    lines = _polylines(road_map)
    drawn = LineCollection([], cmap=colours, norm=norm)
    for level in np.unique(road_map.edge_level):
        for structure in (Structure.TUNNEL, Structure.GROUND, Structure.BRIDGE):
            edges = np.flatnonzero(
                (road_map.edge_level == level) & (road_map.edge_structure == structure)
            )
            if not len(edges):
                continue
            zorder = 2.0 + 0.01 * (int(level) + 50)
            segments = [lines[edge] for edge in edges]
            if structure == Structure.BRIDGE:
                casing = LineCollection(
                    segments, colors=style.BLACK, linewidths=_WIDTH_PT + _CASING_PT, zorder=zorder
                )
                axes.add_collection(casing)
            drawn = LineCollection(
                segments,
                array=grade_percent[edges],
                cmap=colours,
                norm=norm,
                linewidths=_WIDTH_PT,
                linestyles=[_TUNNEL_DASHES] if structure == Structure.TUNNEL else "solid",
                zorder=zorder,
            )
            axes.add_collection(drawn)
    return drawn


def _polylines(road_map: RoadMap) -> list[FloatArray]:
    """Return the points of each edge, (n, 2), from its western end on.

    The two directions of a street then have their dashes in step.
    """
    points = np.column_stack([road_map.point_x_m, road_map.point_y_m])
    lines = np.split(points, road_map.first_point[1:-1])
    return [line if tuple(line[0]) <= tuple(line[-1]) else line[::-1] for line in lines]


def _road_legend(road_map: RoadMap) -> list[Artist]:
    """Return what the legend shows for the structures on the map."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    colour = _GRADE_COLOURS[0]
    casing = [Stroke(linewidth=3.0 + 1.5, foreground=style.BLACK), Normal()]
    shown: dict[Structure, Artist] = {
        Structure.GROUND: Line2D([], [], color=colour, linewidth=3.0, label="road"),
        Structure.BRIDGE: Line2D(
            [], [], color=colour, linewidth=3.0, label="bridge", path_effects=casing
        ),
        Structure.TUNNEL: Line2D(
            [], [], color=colour, linewidth=3.0, label="tunnel", linestyle=_TUNNEL_DASHES
        ),
    }
    return [artist for kind, artist in shown.items() if np.any(road_map.edge_structure == kind)]


def _draw_vehicles(axes: Axes, trajectories: Table) -> list[Artist]:
    """Draw the last state of the first replication; return what the legend shows."""
    first = trajectories["replication"] == trajectories["replication"].min()
    end_s = trajectories["time_s"][first].max()
    last = first & (trajectories["time_s"] == end_s)
    handles: list[Artist] = []
    for kind, (label, marker, colour) in _MARKERS.items():
        rows = last & (trajectories["kind"] == kind)
        if rows.any():
            handles.append(
                axes.scatter(
                    trajectories["x_m"][rows],
                    trajectories["y_m"][rows],
                    s=14,
                    marker=marker,
                    facecolor=colour,
                    edgecolor="white",
                    linewidth=0.4,
                    zorder=5,
                    label=f"{label} at {end_s:g} s",
                )
            )
    return handles


def _widen(axes: Axes) -> None:
    """Make the axes at least :data:`_MIN_SPAN_M` wide and high around their middle."""
    for limits, apply in ((axes.get_xlim(), axes.set_xlim), (axes.get_ylim(), axes.set_ylim)):
        missing_m = max(_MIN_SPAN_M - (limits[1] - limits[0]), 0.0)
        apply(limits[0] - missing_m / 2, limits[1] + missing_m / 2)


def _draw_frame(axes: Axes, *, stretched: bool) -> None:
    """Add scale bar and north arrow in place of axes, or axes where the scales differ."""
    axes.grid(visible=False)
    if stretched:
        axes.set_title("Not to scale: stretched across", loc="right", color=style.DARK_GREY)
        axes.tick_params(labelsize=7)
        axes.set_ylabel("North [m]")
        axes.xaxis.set_major_formatter("{x:g} m")
    else:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        _draw_scale_bar(axes)
    axes.annotate(
        "",
        xy=(0.02, 0.93),
        xytext=(0, -22),
        xycoords="axes fraction",
        textcoords="offset points",
        arrowprops={"arrowstyle": "-|>", "color": style.BLACK, "linewidth": 1.2},
    )
    axes.text(0.02, 0.93, "N", transform=axes.transAxes, ha="center", va="bottom", weight="bold")


def _draw_scale_bar(axes: Axes) -> None:
    """Draw a bar of 1, 2 or 5 times a power of ten, about a fifth of the width."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    length_m = round_length_m((right - left) / 5)
    x, y = left + 0.02 * (right - left), bottom - 0.02 * (top - bottom)
    tick = 0.008 * (top - bottom)
    axes.plot(
        [x, x, x + length_m, x + length_m],
        [y + tick, y, y, y + tick],
        color=style.BLACK,
        linewidth=1.2,
        solid_capstyle="butt",
        clip_on=False,
    )
    label = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    axes.text(x + length_m / 2, y - tick, label, ha="center", va="top", fontsize=8)
    axes.set(xlim=(left, right), ylim=(bottom - 0.08 * (top - bottom), top))


def round_length_m(length_m: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not longer.

    Examples
    --------
    >>> round_length_m(730.0)
    500.0
    """
    power = 10.0 ** math.floor(math.log10(length_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= length_m)
