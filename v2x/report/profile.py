"""The vertical section under a link: ground, decks, Fresnel zone, diffraction edges, losses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from v2x.channel.base import LinkState
from v2x.channel.profile import LinkProfile, Spans
from v2x.metrics.statistics import FloatArray
from v2x.report import style
from v2x.report.style import styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GROUND, _WATER = "#CFC4B2", "#9CC9E3"
_DECK, _BUILDING = style.DARK_GREY, "#B9A88F"
_ZONE_POINTS = 201
#: Decks and buildings are drawn at least this wide and this thick, in shares of the axes.
_LEAST_WIDTH, _LEAST_HEIGHT = 0.012, 0.016
#: Decks that begin or end this near to an antenna are under it [m].
_AT_END_M = 0.5
#: Labels of edges this near to an antenna, in shares of the link, go below them.
_NEAR_END = 0.08
#: Parts of the loss that would be written as 0.0 are left out.
_LEAST_SHOWN_DB = 0.05
_STATES = {
    LinkState.LOS: "line of sight",
    LinkState.NLOSV: "behind vehicles",
    LinkState.NLOS: "behind buildings",
    LinkState.TUNNEL: "through a tunnel",
    LinkState.DECK: "behind a deck",
    LinkState.TERRAIN: "behind the ground",
    LinkState.BLOCKED: "blocked",
}


@styled
def profile_figure(profile: LinkProfile, *, attribution: str = "") -> Figure:
    """Draw the section under a link with everything that costs it power.

    Parameters
    ----------
    profile
        The section and its losses.
    attribution
        Sentence owed to the makers of the map; "" if none is.

    Notes
    -----
    Heights are exaggerated as much as the figure needs. The band around the ray is 0.6 of the
    first Fresnel zone, which must be free for a path to count as free.
    """
    from matplotlib.patches import Patch

    figure = style.new_figure(3.4)
    axes, beside = figure.subplots(1, 2, width_ratios=[2.0, 1.05])
    x_m = np.linspace(0.0, profile.length_m, _ZONE_POINTS)
    ray_m, zone_m = profile.ray_m(x_m), profile.fresnel_m(x_m)
    low, high = _limits(profile, ray_m, zone_m)
    axes.set(
        xlim=(-0.02 * profile.length_m, 1.02 * profile.length_m),
        ylim=(low, high),
        xlabel="Distance from A [m]",
        ylabel="Height [m]",
    )
    handles = _draw_ground(axes, profile, low)
    handles += _draw_spans(axes, profile.buildings, _BUILDING, "building")
    handles += _draw_spans(axes, profile.decks, _DECK, "deck")
    if profile.buildings.cuts.any() or profile.decks.cuts.any():
        handles.append(Patch(facecolor="none", edgecolor=style.VERMILLION, label="in the way"))
    handles.append(
        axes.fill_between(
            x_m,
            ray_m - zone_m,
            ray_m + zone_m,
            facecolor=style.SKY,
            alpha=0.45,
            linewidth=0,
            zorder=1.8,
            label="0.6 of the first Fresnel zone",
        )
    )
    handles += axes.plot(
        x_m, ray_m, color=style.BLUE, linewidth=1.1, zorder=4.0, label="straight line"
    )
    handles += _draw_edges(axes, profile)
    _draw_antennas(axes, profile)
    _write_losses(beside, profile)
    if attribution:
        figure.supxlabel(attribution, x=0.995, ha="right", fontsize=7, color=style.DARK_GREY)
    figure.legend(handles=handles, loc="outside upper left", ncols=4)
    return figure


def _limits(profile: LinkProfile, ray_m: FloatArray, zone_m: FloatArray) -> tuple[float, float]:
    """Return the heights between which everything lies, with room for labels [m]."""
    tops = [ray_m + zone_m, profile.ground_m, profile.edges.height_m]
    tops += [spans.top_m for spans in (profile.decks, profile.buildings)]
    bottoms = [ray_m - zone_m, profile.ground_m, profile.decks.bottom_m]
    high = max(float(values.max()) for values in tops if len(values))
    low = min(float(values.min()) for values in bottoms if len(values))
    span_m = max(high - low, 10.0)
    return low - 0.12 * span_m, low + 1.18 * span_m


def _draw_ground(axes: Axes, profile: LinkProfile, floor_m: float) -> list[Artist]:
    d, ground = profile.distance_m, profile.ground_m
    handles: list[Artist] = [
        axes.fill_between(
            d, floor_m, ground, facecolor=_GROUND, linewidth=0, zorder=1.0, label="ground"
        )
    ]
    axes.plot(d, ground, color="#8A7B64", linewidth=0.9, zorder=1.2)
    if profile.water.any():
        handles.append(
            axes.fill_between(
                d,
                floor_m,
                ground,
                where=profile.water.tolist(),
                facecolor=_WATER,
                linewidth=0,
                zorder=1.1,
                label="water",
            )
        )
    return handles


def _draw_spans(axes: Axes, spans: Spans, colour: str, label: str) -> list[Artist]:
    """Draw decks or buildings as boxes, those that cut the straight line with a red rim."""
    from matplotlib.patches import Patch

    if not spans.n_spans:
        return []
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    width_m = np.maximum(spans.to_m - spans.from_m, _LEAST_WIDTH * (right - left))
    height_m = np.maximum(spans.top_m - spans.bottom_m, _LEAST_HEIGHT * (high - low))
    rims = np.where(spans.cuts, style.VERMILLION, colour)
    axes.bar(
        0.5 * (spans.from_m + spans.to_m),
        height_m,
        width=width_m,
        bottom=spans.top_m - height_m,
        color=colour,
        edgecolor=rims.tolist(),
        linewidth=np.where(spans.cuts, 0.9, 0.0).tolist(),
        zorder=2.0,
    )
    return [Patch(facecolor=colour, label=label)]


def _draw_edges(axes: Axes, profile: LinkProfile) -> list[Artist]:
    """Draw the way over the diffraction edges and write the loss of each."""
    edges = profile.edges
    if not len(edges.loss_db):
        return []
    axes.plot(
        [0.0, *edges.distance_m, profile.length_m],
        [profile.height_a_m, *edges.height_m, profile.height_b_m],
        color=style.VERMILLION,
        linewidth=0.9,
        linestyle=(0, (4.0, 2.0)),
        zorder=4.5,
    )
    for x, y, loss in zip(edges.distance_m, edges.height_m, edges.loss_db, strict=True):
        axes.annotate(
            f"{loss:.1f} dB",
            (float(x), float(y)),
            xytext=(0, 6) if _NEAR_END < x / profile.length_m < 1.0 - _NEAR_END else (0, -14),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            zorder=6.0,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8},
        )
    return [
        axes.scatter(
            edges.distance_m,
            edges.height_m,
            s=34,
            marker="^",
            facecolor=style.VERMILLION,
            edgecolor="white",
            linewidth=0.6,
            zorder=5.5,
            label=f"diffraction edge ({edges.method.capitalize()})",
        )
    ]


def _draw_antennas(axes: Axes, profile: LinkProfile) -> None:
    for name, x, y, ground in (
        ("A", 0.0, profile.height_a_m, profile.ground_m[0]),
        ("B", profile.length_m, profile.height_b_m, profile.ground_m[-1]),
    ):
        foot = _foot_m(profile, x, y, float(ground))
        axes.plot([x, x], [foot, y], color=style.BLACK, linewidth=1.0, zorder=4.8)
        axes.plot([x], [y], "o", color=style.BLACK, markersize=4.0, zorder=5.0)
        axes.annotate(
            name,
            (x, y),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            weight="bold",
            zorder=6.0,
        )


def _foot_m(profile: LinkProfile, x: float, y: float, ground_m: float) -> float:
    """Return the top of what carries an antenna: the highest deck or ground under it [m].

    Inside a tunnel nothing known does, and the antenna stands on no mast.
    """
    decks = profile.decks
    here = (decks.from_m <= x + _AT_END_M) & (decks.to_m >= x - _AT_END_M)
    tops = [ground_m, *decks.top_m[here].tolist()]
    return max((top for top in tops if top <= y), default=y)


def _write_losses(axes: Axes, profile: LinkProfile) -> None:
    """Write the state, each part of the loss that is not nil, and their sum."""
    axes.set_axis_off()
    parts = [
        (name, f"{value:.1f} dB")
        for name, value in profile.loss_db.items()
        if abs(value) >= _LEAST_SHOWN_DB
    ]
    total = "no link" if math.isinf(profile.total_db) else f"{profile.total_db:.1f} dB"
    lines = [(_STATES[profile.state].capitalize(), ""), *parts, ("Total loss", total)]
    for i, (name, value) in enumerate(lines):
        weight = "bold" if i in (0, len(lines) - 1) else "normal"
        for text, x, side in ((name, 0.0, "left"), (value, 1.0, "right")):
            axes.text(
                x,
                1.0 - 0.075 * i,
                text,
                transform=axes.transAxes,
                ha=side,
                va="top",
                fontsize=8,
                weight=weight,
            )
