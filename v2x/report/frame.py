"""The frame of a map: what part of it is shown at which scale, north arrow, scale bar, owners."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.metrics.statistics import FloatArray
from v2x.report import style
from v2x.world.road_map import RoadMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_ASPECT = 6.0
_MIN_SPAN_M = 100.0
_MARGIN = 0.04
#: Room for a map in a figure across both columns, beside its colour bar [inch].
_ROOM_IN = 5.8
_HEIGHT_PER_WIDTH = (0.35, 1.1)
_POINTS_PER_INCH = 72.0


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a map that a figure shows, in local metres."""

    west_m: float
    east_m: float
    south_m: float
    north_m: float

    @property
    def width_m(self) -> float:
        """West to east [m]."""
        return self.east_m - self.west_m

    @property
    def height_m(self) -> float:
        """South to north [m]."""
        return self.north_m - self.south_m

    @property
    def stretched(self) -> bool:
        """Whether the window is too long and narrow to be drawn to scale."""
        long, short = sorted((self.width_m, self.height_m), reverse=True)
        return long > _MAX_ASPECT * short

    @property
    def height_in(self) -> float:
        """Height of the map in a figure [inch]."""
        return _ROOM_IN * float(np.clip(self.height_m / self.width_m, *_HEIGHT_PER_WIDTH))

    @property
    def points_per_m(self) -> float:
        """Typographic points that a metre of the map takes [pt/m]."""
        across = _ROOM_IN / self.width_m
        return _POINTS_PER_INCH * min(across, self.height_in / self.height_m)

    def holds(self, x_m: FloatArray, y_m: FloatArray) -> NDArray[np.bool_]:
        """Return which places lie in the window, any common shape."""
        inside = (x_m >= self.west_m) & (x_m <= self.east_m)
        return np.asarray(inside & (y_m >= self.south_m) & (y_m <= self.north_m))


def whole(road_map: RoadMap) -> Window:
    """Return the window that holds all roads of a map, at least 100 m wide and high."""
    limits = []
    for values in (road_map.point_x_m, road_map.point_y_m):
        low, high = float(values.min()), float(values.max())
        span_m = max((1.0 + 2.0 * _MARGIN) * (high - low), _MIN_SPAN_M)
        limits += [0.5 * (low + high - span_m), 0.5 * (low + high + span_m)]
    return Window(*limits)


def around(x_m: float, y_m: float, radius_m: float) -> Window:
    """Return the square window of a radius around a place."""
    return Window(x_m - radius_m, x_m + radius_m, y_m - radius_m, y_m + radius_m)


def new_map(window: Window) -> tuple[Figure, Axes]:
    """Return an empty figure whose axes show `window`, and these axes."""
    figure = style.new_figure(0.75 + window.height_in)
    axes = figure.add_subplot()
    axes.set_aspect("auto" if window.stretched else "equal")
    axes.set(xlim=(window.west_m, window.east_m), ylim=(window.south_m, window.north_m))
    return figure, axes


def finish_map(axes: Axes, window: Window, attribution: str) -> None:
    """Add scale bar and north arrow in place of axes, or axes where the scales differ.

    Parameters
    ----------
    axes
        Of :func:`new_map`, everything drawn.
    window
        What they show.
    attribution
        Sentence owed to the makers of the map; "" if none is.
    """
    axes.grid(visible=False)
    # What was drawn may reach beyond the window.
    axes.set(xlim=(window.west_m, window.east_m), ylim=(window.south_m, window.north_m))
    if window.stretched:
        axes.set_title("Not to scale: stretched across", loc="right", color=style.DARK_GREY)
        axes.tick_params(labelsize=7)
        axes.set_ylabel("North [m]")
        axes.xaxis.set_major_formatter("{x:g} m")
    else:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        _draw_scale_bar(axes, window)
    _draw_north(axes)
    if attribution:
        axes.set_xlabel(attribution, loc="right", fontsize=7, color=style.DARK_GREY)


def _draw_north(axes: Axes) -> None:
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.5, foreground="white")]
    axes.annotate(
        "N",
        xy=(0.025, 0.93),
        xytext=(0, -24),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="top",
        weight="bold",
        zorder=9,
        path_effects=halo,
        arrowprops={
            "arrowstyle": "-|>",
            "color": style.BLACK,
            "linewidth": 1.2,
            "shrinkA": 0.0,
            "shrinkB": 0.0,
            "path_effects": halo,
        },
    )


def _draw_scale_bar(axes: Axes, window: Window) -> None:
    """Draw a bar of 1, 2 or 5 times a power of ten, about a fifth of the width, below the map."""
    length_m = round_length_m(window.width_m / 5)
    share = length_m / window.width_m
    left = 0.01
    # Beside the attribution, in shares of the axes, so that it covers no road.
    axes.plot(
        [left, left, left + share, left + share],
        [-0.015, -0.03, -0.03, -0.015],
        transform=axes.transAxes,
        color=style.BLACK,
        linewidth=1.2,
        solid_capstyle="butt",
        clip_on=False,
    )
    label = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    axes.text(
        left + share + 0.01,
        -0.0225,
        label,
        transform=axes.transAxes,
        ha="left",
        va="center",
        fontsize=8,
    )


def round_length_m(length_m: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not longer.

    Examples
    --------
    >>> round_length_m(730.0)
    500.0
    """
    power = 10.0 ** math.floor(math.log10(length_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= length_m)
