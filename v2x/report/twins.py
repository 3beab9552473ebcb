"""What height does: a run in the mountains beside its flat twin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from v2x.errors import V2XError
from v2x.metrics.statistics import FloatArray
from v2x.records.tables import OUTCOME_NAMES
from v2x.report import style
from v2x.report.figures import STACK
from v2x.report.style import styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOOKS = (("mountain", style.VERMILLION, "solid"), ("flat", style.BLUE, (0, (4.0, 1.5))))


@styled
def twin_figure(mountain: Mapping[str, Any], flat: Mapping[str, Any]) -> Figure:
    """Draw the PRR of a run and of its flat twin against distance, and the causes of both.

    Parameters
    ----------
    mountain, flat
        Summaries of both runs (``summary.json``), with the same distance bins.

    Raises
    ------
    V2XError
        If the bins differ.
    """
    upper_m = np.array(mountain["prr"]["bin_upper_m"], dtype=np.float64)
    if not np.array_equal(upper_m, flat["prr"]["bin_upper_m"]):
        raise V2XError(
            "the two runs have different distance bins",
            key="records",
            remedy="give both the same records.bin_width_m and records.max_distance_m",
        )
    middle_m = upper_m - 0.5 * np.diff(upper_m, prepend=0.0)
    figure = style.new_figure(5.2)
    grid = figure.add_gridspec(2, 2, height_ratios=[1.15, 1.0])
    curves = figure.add_subplot(grid[0, :])
    curves.set(ylabel="Packet reception ratio", xlim=(0, upper_m[-1]), ylim=(0, 1.02))
    curves.set_xlabel("Distance between transmitter and receiver [m]")
    for (label, colour, dashes), summary in zip(_LOOKS, (mountain, flat), strict=True):
        prr = summary["prr"]
        low, high, value = (_numbers(prr[key]) for key in ("ci_low", "ci_high", "value"))
        curves.fill_between(middle_m, low, high, color=colour, alpha=0.25, linewidth=0)
        curves.plot(middle_m, value, color=colour, linestyle=dashes, label=label)
    curves.legend(loc="lower left", title="band: 95 % confidence", title_fontsize=8)
    panels = (figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1]))
    named: dict[str, Artist] = {}
    for axes, (label, _, _), summary in zip(panels, _LOOKS, (mountain, flat), strict=True):
        named |= _draw_causes(axes, middle_m, upper_m[-1], summary["outcomes"])
        axes.set_title(f"{label}: what happened to packets", loc="left")
        axes.set_xlabel("Distance [m]")
    panels[0].set_ylabel("Share of pairs")
    panels[1].tick_params(labelleft=False)
    figure.legend(handles=list(named.values()), loc="outside lower center", ncols=4)
    return figure


def _draw_causes(
    axes: Axes, middle_m: FloatArray, end_m: float, outcomes: Mapping[str, Any]
) -> dict[str, Artist]:
    """Draw the stacked shares of the outcomes; return those that occur by name."""
    axes.set(xlim=(0, end_m), ylim=(0, 1))
    x_m = np.concatenate([[0.0], middle_m, [end_m]])
    below = np.zeros(len(x_m))
    drawn: dict[str, Artist] = {}
    for outcome in STACK:
        share = _numbers(outcomes[OUTCOME_NAMES[outcome]])
        above = below + np.concatenate([share[:1], share, share[-1:]])
        if np.any(share > 0):
            name = outcome.name.capitalize().replace("_", " ")
            drawn[name] = axes.fill_between(
                x_m,
                below,
                above,
                facecolor=style.OUTCOME_COLOURS[outcome],
                edgecolor="white",
                linewidth=0.3,
                label=name,
            )
        below = above
    return drawn


def _numbers(values: list[float | None]) -> FloatArray:
    """Return the numbers of a summary, NaN for null."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
