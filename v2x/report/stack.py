"""A stack of roads from the side: decks above each other, their clearances, the ground."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.errors import V2XError
from v2x.metrics.statistics import FloatArray
from v2x.report import style
from v2x.report.style import styled
from v2x.world.crossings import find_crossings
from v2x.world.point_graph import PointGraph, point_graph
from v2x.world.road_map import IntArray, RoadMap, Structure
from v2x.world.terrain import Terrain

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours of levels, from the lowest to the highest, dark to light; longer stacks repeat them.
_LEVEL_COLOURS = ("#3B2A6B", "#0072B2", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#8A8A8A")
_GROUND, _SLOPE = "#CFC4B2", "#E9E3D9"
_MAX_LABELS = 12
_LABEL_SIZE_PT = (26.0, 10.0)
_SECTION_POINTS = 121
_EXAGGERATIONS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0, 10.0, 15.0, 20.0)
_AXES_IN = (6.3, 3.2)
_AROUND_IN = 1.15
_TUNNEL_DASHES = (0, (2.0, 1.2))
#: Thickness with which roads on the ground are drawn [m].
_PAVEMENT_M = 0.4


@dataclass(frozen=True, slots=True)
class Stack:
    """The roads around a place as seen from the side.

    Attributes
    ----------
    azimuth_deg
        Direction of view, clockwise from north [degree].
    along_m, depth_m, z_m : (2, n_stretches) float64
        Both ends of each stretch of road within the radius: distance to the right of the place,
        behind it, and height [m].
    edge, level, structure : (n_stretches,) int32
        Of the road; the stretches of an edge follow each other.
    cross_along_m, cross_low_m, cross_high_m : (n_crossings,) float64
        Where one road passes over another: distance to the right of the place, and heights of
        both road surfaces [m].
    """

    azimuth_deg: float
    along_m: FloatArray
    depth_m: FloatArray
    z_m: FloatArray
    edge: IntArray
    level: IntArray
    structure: IntArray
    cross_along_m: FloatArray
    cross_low_m: FloatArray
    cross_high_m: FloatArray

    @property
    def clearance_m(self) -> FloatArray:
        """Height of the upper road surface above the lower one at each crossing [m]."""
        return self.cross_high_m - self.cross_low_m


def stack_of(
    road_map: RoadMap, x_m: float, y_m: float, radius_m: float, azimuth_deg: float | None = None
) -> Stack:
    """Return the roads within a radius of a place, as seen from the side.

    Parameters
    ----------
    road_map
        The network.
    x_m, y_m
        The place, in local metres.
    radius_m
        Stretches of road are cut at this plan distance from it [m].
    azimuth_deg
        Direction of view, clockwise from north [degree]; None for the one in which the
        crossings lie farthest apart, or, with fewer than two of them, the roads.

    Raises
    ------
    V2XError
        If there is no road, or if radius or direction is no number.
    """
    for name, value in (("radius_m", radius_m), ("azimuth_deg", azimuth_deg)):
        if value is not None and not math.isfinite(value):
            raise V2XError(f"{name} is {value}, no number", remedy="give a finite number")
    graph = point_graph(road_map)
    links = graph.links
    # Relative to the place from here on.
    ends = np.stack([links.a, links.b])
    east, north = graph.x_m[ends] - x_m, graph.y_m[ends] - y_m
    z = graph.at_places(road_map.point_z_m)
    begin, end = _inside_circle(east, north, radius_m)
    near = np.flatnonzero(end > begin)
    if not len(near):
        raise V2XError(
            f"no road of {road_map.name} within {radius_m:g} m of the place",
            remedy="choose another place or a larger radius",
        )
    share = np.stack([begin[near], end[near]])
    east, north, height = (
        ends_of[0] + share * (ends_of[1] - ends_of[0])
        for ends_of in (east[:, near], north[:, near], z[ends[:, near]])
    )
    cross_east, cross_north, low_m, high_m = _crossings(road_map, graph, z, x_m, y_m)
    at = np.hypot(cross_east, cross_north) <= radius_m
    cross_east, cross_north = cross_east[at], cross_north[at]
    if azimuth_deg is None:
        many = len(cross_east) >= 2
        azimuth_deg = (
            _widest_view_deg(cross_east, cross_north)
            if many
            else _widest_view_deg(east.ravel(), north.ravel())
        )
    turn = math.radians(azimuth_deg)
    right = (math.cos(turn), -math.sin(turn))
    ahead = (math.sin(turn), math.cos(turn))
    edge = links.edge[near]
    return Stack(
        azimuth_deg=azimuth_deg,
        along_m=right[0] * east + right[1] * north,
        depth_m=ahead[0] * east + ahead[1] * north,
        z_m=height,
        edge=edge,
        level=road_map.edge_level[edge],
        structure=road_map.edge_structure[edge],
        cross_along_m=right[0] * cross_east + right[1] * cross_north,
        cross_low_m=low_m[at],
        cross_high_m=high_m[at],
    )


def _inside_circle(
    east: FloatArray, north: FloatArray, radius_m: float
) -> tuple[FloatArray, FloatArray]:
    """Return from which to which share each stretch lies within a circle around (0, 0).

    The end is not beyond the beginning for stretches outside.
    """
    de, dn = east[1] - east[0], north[1] - north[0]
    square = np.maximum(de**2 + dn**2, 1e-12)
    middle = -(east[0] * de + north[0] * dn) / square
    apart2 = (east[0] + middle * de) ** 2 + (north[0] + middle * dn) ** 2
    half = np.sqrt(np.maximum(radius_m**2 - apart2, 0.0) / square)
    begin, end = np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
    return begin, np.where(apart2 < radius_m**2, end, begin)


def _crossings(
    road_map: RoadMap, graph: PointGraph, z: FloatArray, x_m: float, y_m: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return east and north of the place, lower and upper height of all crossings [m]."""
    found, links = find_crossings(road_map, graph), graph.links

    def at(value: FloatArray, link: IntArray, share: FloatArray) -> FloatArray:
        a, b = value[links.a[link]], value[links.b[link]]
        return np.asarray(a + share * (b - a))

    return (
        at(graph.x_m, found.upper, found.upper_share) - x_m,
        at(graph.y_m, found.upper, found.upper_share) - y_m,
        at(z, found.lower, found.lower_share),
        at(z, found.upper, found.upper_share),
    )


def _widest_view_deg(east: FloatArray, north: FloatArray) -> float:
    """Return the direction of view, 0 to 180 degrees, across the longer axis of some places."""
    variance, axes = np.linalg.eigh(np.cov(np.stack([east, north])))
    longest = axes[:, int(np.argmax(variance))]
    bearing = math.degrees(math.atan2(longest[0], longest[1]))
    return round(bearing - 90.0) % 180.0


@styled
def stack_figure(
    road_map: RoadMap,
    x_m: float,
    y_m: float,
    radius_m: float,
    azimuth_deg: float | None = None,
    *,
    deck_thickness_m: float = 1.5,
    attribution: str | None = None,
) -> Figure:
    """Draw the roads within a radius of a place from the side, coloured by level.

    Parameters
    ----------
    road_map, x_m, y_m, radius_m, azimuth_deg
        As for :func:`stack_of`.
    deck_thickness_m
        Thickness with which decks are drawn [m]; 1.5 m is that with which importers stack them
        (:class:`~v2x.world.structures.HeightParams`).
    attribution
        Sentence owed to the makers of the map; None for that of `road_map`.

    Notes
    -----
    What is nearer covers what is behind. Each dotted line joins the two surfaces of a crossing;
    the figures beside the tightest ones are the clearances, from the lower surface to the
    underside of the deck. The ground is shaded up to its lowest point along each line of sight
    and, paler, up to its highest.
    """
    stack = stack_of(road_map, x_m, y_m, radius_m, azimuth_deg)
    along_m = np.linspace(-radius_m, radius_m, _SECTION_POINTS)
    ground = _ground(road_map.terrain, x_m, y_m, along_m, stack.azimuth_deg)
    low, high = float(stack.z_m.min()) - 2.0 * deck_thickness_m, float(stack.z_m.max())
    if ground is not None:
        low = min(low, float(ground[0].min()))
    span_m = max(high - low, 10.0)
    limits = (low - 0.06 * span_m, low + 1.08 * span_m)
    exaggeration = _exaggeration(2.0 * radius_m, limits[1] - limits[0])
    height_in = _AXES_IN[0] / (2.0 * radius_m) * (limits[1] - limits[0]) * exaggeration
    figure = style.new_figure(height_in + _AROUND_IN)
    axes = figure.add_subplot()
    handles = _draw_roads(axes, stack, deck_thickness_m)
    if ground is not None:
        handles += _draw_ground(axes, along_m, ground, limits[0])
    axes.set(
        xlim=(-radius_m, radius_m),
        ylim=limits,
        ylabel="Height [m]",
        xlabel=f"Distance across the view [m]; left is {_compass(stack.azimuth_deg - 90.0)}",
    )
    axes.set_aspect(exaggeration)
    _draw_clearances(axes, stack, deck_thickness_m, radius_m, exaggeration)
    axes.set_title(
        f"Looking {_compass(stack.azimuth_deg)} ({stack.azimuth_deg:g}°), "
        + ("to scale" if exaggeration == 1.0 else f"heights × {exaggeration:g}"),
        loc="left",
        color=style.DARK_GREY,
    )
    owed = road_map.attribution if attribution is None else attribution
    if owed:
        figure.supxlabel(owed, x=0.995, ha="right", fontsize=7, color=style.DARK_GREY)
    figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 7))
    return figure


def _ground(
    terrain: Terrain | None, x_m: float, y_m: float, along_m: FloatArray, azimuth_deg: float
) -> FloatArray | None:
    """Return the lowest and the highest ground along the lines of sight, (2, n) [m]."""
    if terrain is None:
        return None
    turn, radius_m = math.radians(azimuth_deg), float(along_m[-1])
    # Lines of sight end where the roads do: at the circle around the place.
    reach_m = np.sqrt(np.maximum(radius_m**2 - along_m**2, 0.0))
    depth_m = np.linspace(-1.0, 1.0, _SECTION_POINTS)[:, np.newaxis] * reach_m
    z_m = terrain.at(
        x_m + along_m * math.cos(turn) + depth_m * math.sin(turn),
        y_m - along_m * math.sin(turn) + depth_m * math.cos(turn),
    )
    return np.stack([z_m.min(axis=0), z_m.max(axis=0)])


def _exaggeration(width_m: float, height_m: float) -> float:
    """Return the greatest usual exaggeration with which heights fit the axes."""
    most = (_AXES_IN[1] / height_m) / (_AXES_IN[0] / width_m)
    return max((x for x in _EXAGGERATIONS if x <= most), default=1.0)


def _compass(azimuth_deg: float) -> str:
    names = ("north", "north-east", "east", "south-east")
    return (*names, "south", "south-west", "west", "north-west")[round(azimuth_deg / 45.0) % 8]


def _draw_ground(
    axes: Axes, along_m: FloatArray, ground_m: FloatArray, floor_m: float
) -> list[Artist]:
    return [
        axes.fill_between(
            along_m,
            floor_m,
            ground_m[0],
            facecolor=_GROUND,
            linewidth=0,
            zorder=0.5,
            label="ground",
        ),
        axes.fill_between(
            along_m,
            ground_m[0],
            ground_m[1],
            facecolor=_SLOPE,
            linewidth=0,
            zorder=0.4,
            label="its rise in depth",
        ),
    ]


def _draw_roads(axes: Axes, stack: Stack, deck_thickness_m: float) -> list[Artist]:
    """Draw all stretches, the farthest first; return what the legend shows."""
    from matplotlib.collections import PolyCollection
    from matplotlib.patches import Patch

    levels = np.unique(stack.level).tolist()
    colour = {level: _LEVEL_COLOURS[i % len(_LEVEL_COLOURS)] for i, level in enumerate(levels)}
    runs = sorted(_runs(stack), key=lambda run: -float(stack.depth_m[:, run].mean()))
    decks: list[FloatArray] = []
    deck_colours: list[str] = []
    for run in runs:
        along = np.append(stack.along_m[0, run], stack.along_m[1, run[-1]])
        top = np.append(stack.z_m[0, run], stack.z_m[1, run[-1]])
        structure, here = stack.structure[run[0]], colour[int(stack.level[run[0]])]
        if structure == Structure.TUNNEL:
            axes.plot(along, top, color=here, linewidth=1.6, linestyle=_TUNNEL_DASHES, zorder=1.5)
            continue
        thickness = deck_thickness_m if structure == Structure.BRIDGE else _PAVEMENT_M
        underside = np.column_stack([along[::-1], top[::-1] - thickness])
        decks.append(np.vstack([np.column_stack([along, top]), underside]))
        deck_colours.append(here)
    axes.add_collection(
        PolyCollection(
            decks, facecolors=deck_colours, edgecolors="white", linewidths=0.4, zorder=2.0
        ),
        autolim=False,
    )
    return [Patch(facecolor=colour[level], label=f"level {level}") for level in levels]


def _runs(stack: Stack) -> list[NDArray[np.intp]]:
    """Return the stretches of each edge, as many times as the circle cuts it apart."""
    joined = stack.edge[1:] == stack.edge[:-1]
    for ends in (stack.along_m, stack.depth_m):
        joined &= np.isclose(ends[1, :-1], ends[0, 1:], rtol=0.0, atol=1e-6)
    return np.split(np.arange(len(stack.edge)), np.flatnonzero(~joined) + 1)


def _draw_clearances(
    axes: Axes, stack: Stack, deck_thickness_m: float, radius_m: float, exaggeration: float
) -> None:
    """Join the surfaces of every crossing; write clearances beside those that have room.

    The tightest come first.
    """
    clear_m = stack.clearance_m - deck_thickness_m
    labelled: list[int] = []
    places = np.stack([stack.cross_along_m, stack.cross_low_m + 0.5 * clear_m], axis=1)
    metres_per_pt = 2.0 * radius_m / (72.0 * _AXES_IN[0])
    room = np.array(_LABEL_SIZE_PT) * metres_per_pt / (1.0, exaggeration)
    for i in np.argsort(clear_m, kind="stable").tolist():
        apart = np.abs(places[labelled] - places[i]) >= room
        if len(labelled) < _MAX_LABELS and np.all(apart.any(axis=1)):
            labelled.append(i)
    told = np.zeros(len(clear_m), dtype=np.bool_)
    told[labelled] = True
    for some, colour, width in ((~told, style.DARK_GREY, 0.5), (told, style.BLACK, 1.0)):
        axes.vlines(
            stack.cross_along_m[some],
            stack.cross_low_m[some],
            stack.cross_low_m[some] + clear_m[some],
            color=colour,
            linewidth=width,
            linestyle=(0, (1.0, 1.0)),
            zorder=3.0,
        )
    for i in labelled:
        # Away from the nearer side of the figure.
        outward = 1.0 if places[i, 0] < radius_m - room[0] else -1.0
        axes.annotate(
            f"{clear_m[i]:.1f} m",
            places[i].tolist(),
            xytext=(2.5 * outward, 0),
            textcoords="offset points",
            fontsize=7,
            ha="left" if outward > 0 else "right",
            va="center",
            zorder=4.0,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
        )
