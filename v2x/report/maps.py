"""The map: roads with their grades, bridges and tunnels over the hills, and who is on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from v2x.metrics.statistics import FloatArray
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import Table
from v2x.report import style
from v2x.report.frame import Window, finish_map, new_map, whole
from v2x.report.relief import building_patch, draw_buildings, draw_relief, shows_water, water_patch
from v2x.report.style import styled
from v2x.world.road_map import IntArray, RoadMap, Structure
from v2x.world.tubes import find_tubes

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

#: Limits of the classes of absolute grade [%]; a last class lies above.
_GRADE_LIMITS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0)
#: From light to dark, so that print and colour-blind eyes see the order.
_GRADE_COLOURS = ("#FFFFFF", "#FBE38B", "#F5AE3D", "#D9620E", "#9C2A00", "#3B0707")
#: Width of a road is that of its lanes to scale, within these limits [pt].
_WIDTH_PT = (1.2, 7.0)
_OUTLINE_PT = 0.7
_CASING_PT = 2.0
_TUNNEL_DASHES = (1.8, 0.9)
#: Half the length of the bar at a portal [pt]; tubes so short that bars would hide them get none.
_PORTAL_PT = 3.6
_LEAST_TUBE_PT = 9.0
_MARKERS = {
    NodeKind.CAR: ("car", "o", style.BLUE),
    NodeKind.TRUCK: ("truck", "s", style.BLACK),
    NodeKind.BUS: ("bus", "D", style.GREEN),
    NodeKind.VRU: ("pedestrian or cyclist", "v", style.PURPLE),
    NodeKind.RSU: ("roadside unit", "^", style.VERMILLION),
    NodeKind.GNB: ("base station", "*", style.VERMILLION),
}


class Sites(Protocol):
    """Places of roadside units, such as :class:`~v2x.world.rsu_sites.RsuSites`."""

    @property
    def x_m(self) -> FloatArray:
        """East, local [m], (n_sites,)."""

    @property
    def y_m(self) -> FloatArray:
        """North, local [m], (n_sites,)."""


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
    road_map: RoadMap,
    trajectories: Table | None = None,
    *,
    sites: Sites | None = None,
    window: Window | None = None,
    attribution: str | None = None,
) -> Figure:
    """Draw the roads coloured by grade over the hills, and where the vehicles were at the end.

    Parameters
    ----------
    road_map
        The network.
    trajectories
        Table ``trajectories``; the last state of the first replication is drawn.
    sites
        Roadside units.
    window
        The part to show; None for all roads.
    attribution
        Sentence owed to the makers of the map; None for that of `road_map`.

    Notes
    -----
    Levels are drawn from the lowest to the highest, so that decks cover what is under them.
    Bridges have a black casing; tunnels are dashed and end in bars at their portals. A map much
    longer than wide is stretched across, and says so.
    """
    window = window or whole(road_map)
    figure, axes = new_map(window)
    handles = draw_ground(axes, road_map, window)
    colours = _draw_roads(axes, road_map, window)
    figure.colorbar(
        colours, ax=axes, label="Absolute grade [%]", extend="max", fraction=0.035, pad=0.02
    )
    portals = _draw_portals(axes, road_map, window)
    handles = _road_legend(road_map, window, portals=portals) + handles
    if sites is not None:
        handles.append(draw_sites(axes, sites))
    if trajectories is not None and len(trajectories["time_s"]):
        handles += _draw_vehicles(axes, trajectories)
    finish_map(axes, window, road_map.attribution if attribution is None else attribution)
    figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 6))
    return figure


def draw_ground(axes: Axes, road_map: RoadMap, window: Window) -> list[Artist]:
    """Draw hill-shade, water and buildings of a map; return what the legend shows of them."""
    handles: list[Artist] = []
    if road_map.terrain is not None:
        draw_relief(axes, road_map.terrain, window)
        if shows_water(road_map.terrain, window):
            handles.append(water_patch())
    if road_map.buildings is not None and road_map.buildings.n_buildings:
        draw_buildings(axes, road_map.buildings)
        handles.append(building_patch())
    return handles


def draw_plain_roads(axes: Axes, road_map: RoadMap) -> None:
    """Draw all roads as thin lines, tunnels dashed, for maps that show something else."""
    from matplotlib.collections import LineCollection

    lines = _polylines(road_map)
    for tunnel, dashes in ((True, (0, (3.0, 2.0))), (False, "solid")):
        edges = np.flatnonzero((road_map.edge_structure == Structure.TUNNEL) == tunnel)
        axes.add_collection(
            LineCollection(
                [lines[edge] for edge in edges],
                colors="#7A7A7A",
                linewidths=0.5,
                linestyles=[dashes],
                zorder=2.0,
            ),
            autolim=False,
        )


def draw_sites(axes: Axes, sites: Sites) -> Artist:
    """Draw roadside units; return what the legend shows."""
    label, marker, colour = _MARKERS[NodeKind.RSU]
    return axes.scatter(
        sites.x_m,
        sites.y_m,
        s=30,
        marker=marker,
        facecolor=colour,
        edgecolor="white",
        linewidth=0.6,
        zorder=6,
        label=label,
    )


def _draw_roads(axes: Axes, road_map: RoadMap, window: Window) -> LineCollection:
    """Draw every edge, the lowest level first; return one collection for the colour bar."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colours = ListedColormap(_GRADE_COLOURS)
    norm = BoundaryNorm(_GRADE_LIMITS, colours.N, extend="max")
    grade_percent = 100.0 * mean_absolute_grade(road_map)
    lines = _polylines(road_map)
    width_pt = _width_pt(road_map, window)
    drawn = LineCollection([], cmap=colours, norm=norm)
    for zorder, structure, edges in _layers(road_map):
        tunnel = structure == Structure.TUNNEL
        casing_pt = _CASING_PT if structure == Structure.BRIDGE else _OUTLINE_PT
        segments, inner_pt = [lines[edge] for edge in edges], width_pt[edges]
        # Dashes grow with the width of a line; those of the outline must not.
        outline = LineCollection(
            segments,
            colors=style.BLACK if structure == Structure.BRIDGE else style.DARK_GREY,
            linewidths=inner_pt + casing_pt,
            linestyles=_dashes(inner_pt / (inner_pt + casing_pt)) if tunnel else "solid",
            capstyle="butt",
            zorder=zorder,
        )
        drawn = LineCollection(
            segments,
            array=grade_percent[edges],
            cmap=colours,
            norm=norm,
            linewidths=inner_pt,
            linestyles=_dashes(np.ones(len(edges))) if tunnel else "solid",
            capstyle="butt" if tunnel else "round",
            zorder=zorder,
        )
        axes.add_collection(outline, autolim=False)
        axes.add_collection(drawn, autolim=False)
    return drawn


def _layers(road_map: RoadMap) -> list[tuple[float, Structure, IntArray]]:
    """Return z-order, structure and edges of what is drawn together, the lowest first."""
    layers = []
    for level in np.unique(road_map.edge_level).tolist():
        for structure in (Structure.TUNNEL, Structure.GROUND, Structure.BRIDGE):
            at = (road_map.edge_level == level) & (road_map.edge_structure == structure)
            edges = np.flatnonzero(at).astype(np.int32)
            if len(edges):
                layers.append((2.0 + 0.01 * (level + 50), structure, edges))
    return layers


def _width_pt(road_map: RoadMap, window: Window) -> FloatArray:
    """Return the width of each edge on paper [pt]."""
    width_m = road_map.edge_lanes * road_map.lane_width_m
    return np.clip(width_m * window.points_per_m, *_WIDTH_PT)


def _dashes(scale: FloatArray) -> list[tuple[float, tuple[float, float]]]:
    on, off = _TUNNEL_DASHES
    return [(0.0, (on * share, off * share)) for share in scale.tolist()]


def _polylines(road_map: RoadMap) -> list[FloatArray]:
    """Return the points of each edge, (n, 2), from its western end on.

    The two directions of a street then have their dashes in step.
    """
    points = np.column_stack([road_map.point_x_m, road_map.point_y_m])
    lines = np.split(points, road_map.first_point[1:-1])
    return [line if tuple(line[0]) <= tuple(line[-1]) else line[::-1] for line in lines]


def _draw_portals(axes: Axes, road_map: RoadMap, window: Window) -> bool:
    """Draw a bar across the road at the mouths of tunnels; return whether one is in view."""
    tubes = find_tubes(road_map)
    inside = tubes.edge_tube >= 0
    # Each direction of a carriageway adds its length: half the sum is right for most tubes, and
    # for a one-way tube the limit is merely twice as strict.
    length_m = 0.5 * np.bincount(
        tubes.edge_tube[inside], road_map.edge_length_m[inside], tubes.n_tubes
    )
    shown = length_m[tubes.portal_tube] * window.points_per_m > _LEAST_TUBE_PT
    shown &= window.holds(tubes.portal_x_m, tubes.portal_y_m)
    if not shown.any():
        return False
    axes.quiver(
        tubes.portal_x_m[shown],
        tubes.portal_y_m[shown],
        -tubes.portal_out_y[shown],
        tubes.portal_out_x[shown],
        angles="xy",
        pivot="mid",
        units="inches",
        width=1.2 / 72.0,
        scale_units="inches",
        scale=72.0 / (2.0 * _PORTAL_PT),
        headwidth=0,
        headlength=0,
        headaxislength=0,
        color=style.BLACK,
        zorder=3.5,
    )
    return True


def _road_legend(road_map: RoadMap, window: Window, *, portals: bool) -> list[Artist]:
    """Return what the legend shows for the structures in view."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import Normal, Stroke

    def line(label: str, extra_pt: float, colour: str, dashes: tuple[float, ...] = ()) -> Artist:
        drawn = Line2D([], [], color=_GRADE_COLOURS[1], linewidth=3.0, label=label)
        drawn.set_path_effects([Stroke(linewidth=3.0 + extra_pt, foreground=colour), Normal()])
        if dashes:
            drawn.set_linestyle((0.0, dashes))
        return drawn

    shown: dict[Structure, Artist] = {
        Structure.GROUND: line("road", _OUTLINE_PT, style.DARK_GREY),
        Structure.BRIDGE: line("bridge", _CASING_PT, style.BLACK),
        Structure.TUNNEL: line("tunnel", _OUTLINE_PT, style.DARK_GREY, _TUNNEL_DASHES),
    }
    point = window.holds(road_map.point_x_m, road_map.point_y_m)
    in_view = np.maximum.reduceat(point, road_map.first_point[:-1])
    seen = set(road_map.edge_structure[in_view].tolist())
    handles = [artist for kind, artist in shown.items() if kind in seen]
    if portals:
        portal = Line2D(
            [], [], color=style.BLACK, marker="|", markersize=9, linestyle="", label="portal"
        )
        portal.set_markeredgewidth(1.4)
        handles.append(portal)
    return handles


def _draw_vehicles(axes: Axes, trajectories: Table) -> list[Artist]:
    """Draw the last state of the first replication; return what the legend shows."""
    first = trajectories["replication"] == trajectories["replication"].min()
    end_s = trajectories["time_s"][first].max()
    last = first & (trajectories["time_s"] == end_s)
    handles: list[Artist] = []
    for kind, (label, marker, colour) in _MARKERS.items():
        rows = last & (trajectories["kind"] == kind)
        if rows.any():
            fixed = kind in (NodeKind.RSU, NodeKind.GNB)
            handles.append(
                axes.scatter(
                    trajectories["x_m"][rows],
                    trajectories["y_m"][rows],
                    s=30 if fixed else 9,
                    marker=marker,
                    facecolor=colour,
                    edgecolor="white",
                    linewidth=0.4,
                    zorder=6 if fixed else 5,
                    label=label if fixed else f"{label} at {end_s:g} s",
                )
            )
    return handles
