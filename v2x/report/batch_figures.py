"""Figures of a batch: what its factors change, with 95 % bands over replications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from v2x.metrics.statistics import FloatArray
from v2x.report import style
from v2x.report.style import note, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY)
#: More panels than these are no figure, and more curves than these no legend.
_MAX_PANELS, _MAX_CURVES = 9, 12
_N_COLUMNS = 3
#: Figures over all variants: metric and how its axis is called.
_SCALARS = {
    "cbr": "Channel busy ratio",
    "latency_ms": "Mean latency [ms]",
    "ipg_ms": "Mean inter-packet gap [ms]",
    "aoi_ms": "Mean age of information [ms]",
}


@dataclass(frozen=True, slots=True)
class Curve:
    """A figure of one combination of factors, against something.

    Attributes
    ----------
    label
        Which combination.
    x : (n_points,) any
        What it is drawn against, in ascending order where these are numbers.
    mean, low, high : (n_points,) float64
        The figure and its 95 % limits, NaN where there are none.
    """

    label: str
    x: Sequence[Any]
    mean: FloatArray
    low: FloatArray
    high: FloatArray


def curves(summary: pd.DataFrame, metric: str, x: str, by: Sequence[str]) -> Iterator[Curve]:
    """Yield a curve of a metric against column `x` for each combination of the columns `by`.

    Parameters
    ----------
    summary
        Table over replications: ``metric``, factors, ``bin``, ``mean``, ``low``, ``high``.
    metric
        Which figure.
    x
        A factor, or ``"bin"``.
    by
        The factors that tell curves apart.
    """
    table = summary[summary["metric"] == metric]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, key in enumerate(zip(*(table[name] for name in by), strict=True) if by else []):
        groups.setdefault(key, []).append(i)
    for key, rows in (groups or {(): list(range(len(table)))}).items():
        part = table.iloc[rows]
        if all(isinstance(value, (int, float)) for value in part[x]):
            part = part.sort_values(x, kind="stable")
        mean, low, high = (
            part[name].to_numpy(dtype=np.float64) for name in ("mean", "low", "high")
        )
        told = ", ".join(f"{_short(name)} {value}" for name, value in zip(by, key, strict=True))
        yield Curve(told, part[x].tolist(), mean, low, high)


@styled
def distance_figure(
    summary: pd.DataFrame, factors: Sequence[str], metric: str = "prr", label: str = "PRR"
) -> Figure:
    """Draw a metric against distance: a panel for each value of the first of several factors.

    Parameters
    ----------
    summary
        As for :func:`curves`.
    factors
        Columns that differ between variants.
    metric, label
        A share that has bins of distance, and how its axis is called.
    """
    n_apart = 1 if len(factors) > 1 else 0
    by_panel, by_curve = factors[:n_apart], factors[n_apart:]
    values = list(dict.fromkeys(summary[by_panel[0]])) if by_panel else [None]
    if len(values) > _MAX_PANELS:
        figure = style.new_figure(2.6)
        note(figure.add_subplot(), f"{len(values)} values of {by_panel[0]}: too many to draw.")
        return figure
    n_columns = min(_N_COLUMNS, len(values))
    n_rows = -(-len(values) // n_columns)
    figure = style.new_figure(0.7 + 2.4 * n_rows)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).flat
    drawn: dict[str, Any] = {}
    for axes, value in zip(panels, values, strict=False):
        part = summary if value is None else summary[[one == value for one in summary[by_panel[0]]]]
        if value is not None:
            axes.set_title(f"{_short(by_panel[0])} {value}")
        drawn |= _draw(axes, [_centred(c) for c in curves(part, metric, "bin", by_curve)])
        axes.set(ylim=(0, 1.02))
        axes.set_xlim(left=0)
    for axes in list(panels)[len(values) :]:
        axes.set_visible(False)
    figure.supxlabel("Distance between transmitter and receiver [m]", fontsize=9.0)
    figure.supylabel(label, fontsize=9.0)
    _legend(figure, drawn)
    return figure


@styled
def factor_figure(
    summary: pd.DataFrame, factors: Sequence[str], metrics: Mapping[str, str] = _SCALARS
) -> Figure:
    """Draw metrics without bins against the first factor whose values are numbers.

    Parameters
    ----------
    summary
        As for :func:`curves`.
    factors
        Columns that differ between variants, at least one.
    metrics
        Names of metrics, and how their axes are called.
    """
    x = next((name for name in factors if _is_numeric(summary[name])), factors[0])
    by = [name for name in factors if name != x]
    shown = {name: label for name, label in metrics.items() if name in set(summary["metric"])}
    figure = style.new_figure(0.7 + 2.2 * -(-len(shown) // 2))
    panels = list(figure.subplots(-(-len(shown) // 2), 2, sharex=True, squeeze=False).flat)
    drawn: dict[str, Any] = {}
    for axes, (metric, label) in zip(panels, shown.items(), strict=False):
        drawn |= _draw(axes, list(curves(summary, metric, x, by)), marker="o")
        axes.set_ylabel(label)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    figure.supxlabel(x, fontsize=9.0)
    _legend(figure, drawn)
    return figure


def write_batch_figures(folder: Path, summary: pd.DataFrame, factors: Sequence[str]) -> list[Path]:
    """Draw the figures of a batch into ``figures/`` of its folder and return their files."""
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    files = style.save(distance_figure(summary, factors), figures, "prr")
    if factors:
        files += style.save(factor_figure(summary, factors), figures, "factors")
    return files


def _centred(curve: Curve) -> Curve:
    """Return a curve over the upper ends of bins, moved to their centres."""
    upper = np.asarray(curve.x, dtype=np.float64)
    lower = np.concatenate([[0.0], upper[:-1]])
    return replace(curve, x=((lower + upper) / 2).tolist())


def _draw(axes: Axes, drawn: Sequence[Curve], marker: str = "") -> dict[str, Any]:
    """Draw curves with their bands; many of them are points with bars. Return lines by label."""
    lines: dict[str, Any] = {}
    for curve, colour in zip(drawn, cycle(_COLOURS), strict=False):
        if len(drawn) > _MAX_CURVES:
            spread = np.nan_to_num([curve.mean - curve.low, curve.high - curve.mean])
            axes.errorbar(
                curve.x, curve.mean, spread, fmt="o", color=style.BLUE, markersize=3, linewidth=0.8
            )
            continue
        (lines[curve.label],) = axes.plot(
            curve.x, curve.mean, color=colour, linewidth=1.3, marker=marker, markersize=3
        )
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.25, linewidth=0)
    return lines


def _legend(figure: Figure, lines: Mapping[str, Any]) -> None:
    if len(lines) > 1:
        figure.legend(lines.values(), lines.keys(), loc="outside upper right", ncols=3)


def _is_numeric(values: pd.Series) -> bool:
    known = list(dict.fromkeys(values))
    return len(known) > 1 and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in known
    )


def _short(key: str) -> str:
    """Return the last word of a key, as legends have little room."""
    return key.rpartition(".")[2]
