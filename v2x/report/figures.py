"""The figures of a run: reliability, latency, freshness, load and safety."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2x.metrics.freshness import Quantity, freshness
from v2x.metrics.latency import PARTS, deliveries
from v2x.metrics.load import cbr_over_time
from v2x.metrics.reliability import reliability
from v2x.metrics.safety import CRITICAL_TTC_S, ttc_s
from v2x.metrics.statistics import FloatArray
from v2x.records.tables import Outcome, RunRecords
from v2x.report import style
from v2x.report.style import note, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Outcomes in stacked areas, from the bottom up. Causes that are rare everywhere are on top, clear
#: of the PRR line.
STACK = (
    Outcome.RECEIVED,
    Outcome.COLLISION,
    Outcome.PROPAGATION,
    Outcome.BELOW_SENSITIVITY,
    Outcome.CONTROL_LOST,
    Outcome.OUT_OF_BUDGET,
    Outcome.UNVERIFIED,
    Outcome.HALF_DUPLEX,
)
_PART_COLOURS = (style.SKY, style.ORANGE, style.DARK_GREY, style.GREEN)
_CDF_POINTS = 500
_LEAST_SHARE = 1e-5
#: Simulations record every pair with a TTC up to this [s].
TTC_SHOWN_S = 8.0
_TTC_BIN_S = 0.5


@styled
def reliability_figure(records: RunRecords, *, bin_width_m: float | None = None) -> Figure:
    """Draw the PRR with its 95 % band over the causes of loss, against distance.

    Parameters
    ----------
    records
        Of one run.
    bin_width_m
        Width of the distance bins [m], a whole multiple of the recorded one.
    """
    curve = reliability(records, bin_width_m=bin_width_m)
    figure = style.new_figure(3.6)
    axes = figure.add_subplot()
    axes.set(
        xlim=(0, curve.bin_upper_m[-1]),
        ylim=(0, 1),
        xlabel="Distance between transmitter and receiver [m]",
        ylabel="Share of packet–receiver pairs",
    )
    if not curve.n.any():
        note(axes, "No packet had an intended receiver.")
        return figure

    # The first and last bin extend to their outer ends, so that the areas fill the axes.
    centre_m = curve.bin_upper_m - curve.bin_width_m / 2
    x_m = np.concatenate([[0.0], centre_m, curve.bin_upper_m[-1:]])

    def extended(values: FloatArray) -> FloatArray:
        return np.concatenate([values[:1], values, values[-1:]])

    top = np.cumsum(curve.share[list(STACK)], axis=0)
    areas = []
    for i, outcome in enumerate(STACK):
        if not np.any(curve.n_outcome[outcome]):
            continue
        areas.append(
            axes.fill_between(
                x_m,
                extended(top[i] - curve.share[outcome]),
                extended(top[i]),
                facecolor=style.OUTCOME_COLOURS[outcome],
                edgecolor="white",
                linewidth=0.3,
                label=outcome.name.capitalize().replace("_", " "),
            )
        )
    band = axes.fill_between(
        x_m,
        extended(curve.prr_low),
        extended(curve.prr_high),
        facecolor=style.BLUE,
        alpha=0.35,
        linewidth=0,
        label="95 % confidence",
    )
    marker = "o" if len(centre_m) <= 60 else ""
    (line,) = axes.plot(
        centre_m,
        curve.prr,
        color=style.BLUE,
        linewidth=1.3,
        marker=marker,
        markersize=2.5,
        label="PRR",
    )
    figure.legend(handles=[line, band, *reversed(areas)], loc="outside right upper")
    return figure


@styled
def latency_figure(records: RunRecords) -> Figure:
    """Draw the distribution of the latency of deliveries above the means of its parts."""
    delivered = deliveries(records)
    figure = style.new_figure(3.6)
    cdf, parts = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    cdf.set(ylim=(0, 1.02), ylabel="Share of deliveries")
    parts.set(xlabel="Latency from generation to delivery [ms]", yticks=[], ylabel="mean")
    parts.grid(visible=False)
    if not delivered.n.any():
        note(cdf, "No packet was delivered.")
        return figure

    order = np.argsort(delivered.total_ms, kind="stable")
    total_ms, cumulative = delivered.total_ms[order], np.cumsum(delivered.n[order])
    x_ms = np.linspace(0.0, total_ms[-1], _CDF_POINTS)
    below = np.searchsorted(total_ms, x_ms, side="right")
    share = np.concatenate([[0], cumulative])[below] / cumulative[-1]
    cdf.plot(x_ms, share, color=style.BLUE, drawstyle="steps-post")
    for percent in (50, 95, 99):
        at_ms = delivered.quantile_ms(percent / 100)
        cdf.plot([at_ms], [percent / 100], "o", color=style.BLACK, markersize=3.5)
    quantiles = "\n".join(
        f"{label} {value:.1f} ms"
        for label, value in (
            ("mean", delivered.mean().value),
            *((f"{p} % within", delivered.quantile_ms(p / 100)) for p in (50, 95, 99)),
        )
    )
    cdf.text(
        0.99,
        0.06,
        quantiles,
        transform=cdf.transAxes,
        ha="right",
        va="bottom",
        fontsize=8.0,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )

    left_ms = 0.0
    for name, colour in zip(PARTS, _PART_COLOURS, strict=True):
        mean_ms = delivered.part_means_ms()[name]
        parts.barh(
            0,
            mean_ms,
            left=left_ms,
            color=colour,
            label=f"{name.replace('_', ' ')} {mean_ms:.1f} ms",
        )
        left_ms += mean_ms
    cdf.set_xlim(0, x_ms[-1] * 1.02)
    figure.legend(*parts.get_legend_handles_labels(), loc="outside lower center", ncols=len(PARTS))
    return figure


@styled
def freshness_figure(records: RunRecords) -> Figure:
    """Draw how often the inter-packet gap and the age of information exceed a time."""
    figure = style.new_figure(3.0)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, quantity, name, colour in (
        (panels[0], Quantity.IPG, "Inter-packet gap", style.BLUE),
        (panels[1], Quantity.AOI, "Age of information", style.VERMILLION),
    ):
        _draw_ccdf(axes, records, quantity, name, colour)
    panels[0].set_ylabel("Share above")
    return figure


def _draw_ccdf(axes: Axes, records: RunRecords, quantity: Quantity, name: str, colour: str) -> None:
    axes.set(xlabel=f"{name} [ms]", yscale="log", ylim=(_LEAST_SHARE, 1.3))
    histogram = freshness(records, quantity)
    value_ms, above = histogram.ccdf()
    shown = above >= _LEAST_SHARE
    if not shown.any():
        note(axes, "No pair within the awareness range." if not histogram.n_samples else "")
        return
    axes.plot(
        np.concatenate([[0.0], value_ms[shown]]),
        np.concatenate([[1.0], above[shown]]),
        color=colour,
        drawstyle="steps-post",
    )
    axes.set_xlim(left=0)
    mean_ms, p99_ms = histogram.mean(), histogram.quantile(0.99)
    axes.text(
        0.97,
        0.95,
        f"mean {mean_ms:.0f} ms\n99 % within {p99_ms:.0f} ms",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=8.0,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )


@styled
def load_figure(records: RunRecords) -> Figure:
    """Draw the channel busy ratio over time with the band that holds 80 % of the nodes."""
    series = cbr_over_time(records)
    figure = style.new_figure(2.6)
    axes = figure.add_subplot()
    axes.set(xlabel="Simulated time [s]", ylabel="Channel busy ratio", ylim=(0, 1))
    if not len(series.time_s):
        note(axes, "No node measured the channel.")
        return figure
    axes.fill_between(
        series.time_s,
        series.p10,
        series.p90,
        color=style.SKY,
        alpha=0.45,
        linewidth=0,
        label="10 to 90 % of nodes",
    )
    marker = "o" if len(series.time_s) <= 20 else ""
    axes.plot(
        series.time_s, series.mean, color=style.BLUE, marker=marker, markersize=3, label="mean"
    )
    axes.set_ylim(0, min(1.0, max(0.1, 1.25 * float(series.p90.max()))))
    figure.legend(loc="outside upper right", ncols=2)
    return figure


@styled
def safety_figure(records: RunRecords) -> Figure:
    """Draw how long vehicles followed at which time to collision, for TTC below 8 s."""
    figure = style.new_figure(2.6)
    axes = figure.add_subplot()
    axes.set(
        xlim=(0, TTC_SHOWN_S),
        xlabel="Time to collision (TTC) [s]",
        ylabel="Vehicle time\nper replication [s]",
    )
    edges_s = np.arange(0.0, TTC_SHOWN_S + _TTC_BIN_S / 2, _TTC_BIN_S)
    n = np.histogram(ttc_s(records), bins=edges_s)[0]
    if not n.any():
        note(axes, f"No vehicle had a TTC below {TTC_SHOWN_S:g} s.")
        return figure
    held_s = n * (records.facts["mobility_period_s"] / records.facts["replications"])
    critical = edges_s[:-1] < CRITICAL_TTC_S
    for where, colour, label in (
        (critical, style.VERMILLION, f"below {CRITICAL_TTC_S:g} s"),
        (~critical, style.SKY, "others"),
    ):
        axes.bar(
            edges_s[:-1][where],
            held_s[where],
            width=_TTC_BIN_S,
            align="edge",
            color=colour,
            edgecolor="white",
            linewidth=0.5,
            label=label,
        )
    axes.grid(visible=False, axis="x")
    figure.legend(loc="outside upper right", ncols=2)
    return figure
