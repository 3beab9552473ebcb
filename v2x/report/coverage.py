"""Where roadside units are heard, and where packets get through, over the hills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.places import PlaceReliability
from v2x.metrics.statistics import FloatArray
from v2x.report import style
from v2x.report.frame import Window, finish_map, new_map, whole
from v2x.report.maps import Sites, draw_ground, draw_plain_roads, draw_sites
from v2x.report.style import note, styled
from v2x.world.road_map import RoadMap

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Limits of the classes of PRR.
_PRR_LIMITS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
#: Squares with fewer pairs are drawn empty: their ratio says little.
LEAST_PAIRS = 30
_COLOUR_MAP = "viridis"
#: The dark end of the colour map is left to places that hear nothing.
_DARKEST_SHARE = 0.35
_POINT_PT = (2.0, 6.0)


@styled
def coverage_figure(
    road_map: RoadMap,
    x_m: FloatArray,
    y_m: FloatArray,
    *,
    covered: NDArray[np.bool_],
    rsrp_dbm: FloatArray | None = None,
    loss_db: FloatArray | None = None,
    sites: Sites | None = None,
    window: Window | None = None,
    attribution: str | None = None,
) -> Figure:
    """Draw which places on the roads hear a roadside unit, and how strongly.

    Parameters
    ----------
    road_map
        The network.
    x_m, y_m : (n_places,) float64
        Places on the roads, evenly spaced [m].
    covered : (n_places,) bool
        Whether the place is served.
    rsrp_dbm, loss_db : (n_places,) float64
        Power received there from the best unit [dBm], -inf for none, or loss of the link to it
        [dB], inf for none; give one to colour by it, or neither to draw served and dark places
        only.
    sites
        Roadside units.
    window
        The part to show; None for all roads.
    attribution
        Sentence owed to the makers of the map; None for that of `road_map`.
    """
    window = window or whole(road_map)
    figure, axes = new_map(window)
    handles = draw_ground(axes, road_map, window)
    draw_plain_roads(axes, road_map)
    size = float(np.clip(12.0 * window.points_per_m, *_POINT_PT)) ** 2
    places: list[Artist] = []
    if rsrp_dbm is not None:
        values = np.where(covered, rsrp_dbm, np.nan)
        label = "Power from the best unit [dBm]"
        _draw_values(axes, x_m, y_m, size, values, label, more_is_better=True)
    elif loss_db is not None:
        values = np.where(covered, loss_db, np.nan)
        label = "Loss of the link to the best unit [dB]"
        _draw_values(axes, x_m, y_m, size, values, label, more_is_better=False)
    else:
        places.append(_draw_dots(axes, x_m[covered], y_m[covered], size, style.GREEN, "covered"))
    dark = ~covered
    if dark.any():
        label = f"dark ({100.0 * float(np.mean(dark)):.1f} % of the places)"
        places.append(_draw_dots(axes, x_m[dark], y_m[dark], size, style.BLACK, label))
    if sites is not None and len(sites.x_m):
        places.append(draw_sites(axes, sites))
    finish_map(axes, window, road_map.attribution if attribution is None else attribution)
    handles = places + handles
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure


def _draw_values(
    axes: Axes,
    x_m: FloatArray,
    y_m: FloatArray,
    size: float,
    values: FloatArray,
    label: str,
    *,
    more_is_better: bool,
) -> None:
    """Draw places coloured by a value, the best ones light and on top, with a colour bar.

    Places without a finite value are left out; the better end of the bar is above.
    """
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    colours = colormaps[_COLOUR_MAP](np.linspace(_DARKEST_SHARE, 1.0, 256))
    rows = np.flatnonzero(np.isfinite(values))
    if not len(rows):
        return
    rows = rows[np.argsort(values[rows] if more_is_better else -values[rows], kind="stable")]
    drawn = axes.scatter(
        x_m[rows],
        y_m[rows],
        s=size,
        c=values[rows],
        cmap=ListedColormap(colours if more_is_better else colours[::-1]),
        linewidth=0,
        zorder=4,
    )
    bar = axes.figure.colorbar(drawn, ax=axes, label=label, fraction=0.035, pad=0.02)
    bar.ax.yaxis.set_inverted(not more_is_better)


def _draw_dots(
    axes: Axes, x_m: FloatArray, y_m: FloatArray, size: float, colour: str, label: str
) -> Artist:
    """Draw places of one colour; return what the legend shows, large enough to see."""
    from matplotlib.lines import Line2D

    axes.scatter(x_m, y_m, s=size, color=colour, linewidth=0, zorder=4.5)
    return Line2D([], [], color=colour, marker="o", markersize=4.5, linestyle="", label=label)


@styled
def places_figure(
    road_map: RoadMap, places: PlaceReliability, *, attribution: str | None = None
) -> Figure:
    """Draw the packet reception ratio by the place of the sender.

    Parameters
    ----------
    road_map
        The network.
    places
        Squares with their receptions.
    attribution
        Sentence owed to the makers of the map; None for that of `road_map`.
    """
    from matplotlib import colormaps
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    window = whole(road_map)
    figure, axes = new_map(window)
    handles = draw_ground(axes, road_map, window)
    enough = places.n_intended >= LEAST_PAIRS
    classes = len(_PRR_LIMITS) - 1
    scale = ListedColormap(colormaps[_COLOUR_MAP](np.linspace(0.0, 1.0, classes)))
    corner = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    at = np.column_stack([places.column, places.row])[:, np.newaxis, :]
    squares = places.cell_m * (at + corner)
    drawn = PolyCollection(
        squares[enough],
        array=places.prr[enough],
        cmap=scale,
        norm=BoundaryNorm(_PRR_LIMITS, classes),
        linewidths=0,
        zorder=3.0,
    )
    few = PolyCollection(
        squares[~enough], facecolors="none", edgecolors=style.MID_GREY, linewidths=0.4, zorder=2.9
    )
    for squares_drawn in (few, drawn):
        axes.add_collection(squares_drawn, autolim=False)
    draw_plain_roads(axes, road_map)
    figure.colorbar(
        drawn,
        ax=axes,
        label="Packet reception ratio",
        fraction=0.035,
        pad=0.02,
        spacing="uniform",
        ticks=list(_PRR_LIMITS),
        format="{x:g}",
    )
    if not len(places.n_intended):
        note(axes, "No packet had an intended receiver.")
    if not enough.all():
        few_pairs = f"fewer than {LEAST_PAIRS} pairs"
        handles.append(
            Patch(facecolor="none", edgecolor=style.MID_GREY, linewidth=0.6, label=few_pairs)
        )
    finish_map(axes, window, road_map.attribution if attribution is None else attribution)
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
    return figure
