"""What stood between the antennas: states of links over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from v2x.channel.base import LinkState
from v2x.metrics.statistics import FloatArray
from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.report.style import note, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS = {
    LinkState.LOS: ("line of sight", style.LIGHT_GREY),
    LinkState.NLOSV: ("behind vehicles", style.YELLOW),
    LinkState.NLOS: ("behind buildings", style.ORANGE),
    LinkState.TUNNEL: ("in or into a tunnel", style.PURPLE),
    LinkState.DECK: ("behind a deck", style.BLUE),
    LinkState.TERRAIN: ("behind the ground", style.GREEN),
    LinkState.BLOCKED: ("blocked by rock", style.BLACK),
}


def has_obstructed_links(records: RunRecords) -> bool:
    """Return whether a run saw a link that was not in line of sight."""
    table = records.tables["link_states"]
    return bool(np.any(table["n"][table["state"] != LinkState.LOS]))


def state_counts(records: RunRecords) -> tuple[FloatArray, FloatArray]:
    """Return times [s], (n_times,), and links by state then, (n_states, n_times).

    Replications are added up; states of the warm-up do not count.
    """
    late = records.tables["link_states"]["time_s"] > records.facts["warmup_s"]
    table = {name: values[late] for name, values in records.tables["link_states"].items()}
    time_s, at = np.unique(table["time_s"], return_inverse=True)
    count = np.zeros((len(LinkState), len(time_s)))
    np.add.at(count, (table["state"], at), table["n"])
    return time_s, count


@styled
def link_states_figure(records: RunRecords) -> Figure:
    """Draw the share of links in each state over time, and in the legend over the whole run.

    Parameters
    ----------
    records
        Of one run; uses table ``link_states``.
    """
    time_s, count = state_counts(records)
    figure = style.new_figure(2.8)
    axes = figure.add_subplot()
    axes.set(xlabel="Simulated time [s]", ylabel="Share of links", ylim=(0, 1))
    total = count.sum(axis=0)
    if not total.any():
        note(axes, "No link was within the evaluated distance.")
        return figure
    time_s, count = time_s[total > 0], count[:, total > 0]
    share, over_run = count / count.sum(axis=0), count.sum(axis=1) / count.sum()
    if len(time_s) == 1:
        time_s, share = np.array([time_s[0], time_s[0] + 1.0]), np.repeat(share, 2, axis=1)
    seen = [state for state in LinkState if over_run[state] > 0]
    areas = axes.stackplot(
        time_s,
        share[seen],
        colors=[_LOOKS[state][1] for state in seen],
        labels=[f"{_LOOKS[state][0]} {share_text(float(over_run[state]))}" for state in seen],
        edgecolor="white",
        linewidth=0.3,
    )
    axes.set_xlim(time_s[0], time_s[-1])
    figure.legend(handles=areas[::-1], loc="outside right upper")
    return figure


def state_name(name: str) -> str:
    """Return what a reader calls a link state of the records, such as "nlosv"."""
    return _LOOKS[LinkState[name.upper()]][0]


def share_text(share: float) -> str:
    """Return a share in per cent; small ones are not rounded to none.

    Examples
    --------
    >>> share_text(0.0001)
    '< 0.1 %'
    """
    return f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"
