"""Where the milliseconds went: the parts of the delay on every way that messages took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from v2x.metrics.latency import deliveries
from v2x.metrics.network import network_paths
from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.report.style import note, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What is drawn as one bar: its name, colour, and the parts of :data:`NETWORK_PARTS` and of the
#: sidelink that it holds.
GROUPS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("handover", style.BLACK, ("handover",), ()),
    ("request and grant", style.YELLOW, ("uplink_grant",), ()),
    (
        "wait for the uplink, or sidelink",
        style.SKY,
        ("uplink_queue", "uplink_wait"),
        ("wait_for_resource",),
    ),
    ("air", style.ORANGE, ("uplink_air", "downlink_air"), ("air",)),
    ("retransmission", style.VERMILLION, ("uplink_harq", "downlink_harq"), ("retransmission",)),
    ("processing", style.DARK_GREY, ("processing",), ("decode",)),
    ("transport", style.BLUE, ("transport",), ()),
    ("server", style.GREEN, ("compute",), ()),
    ("wait for the downlink", style.PURPLE, ("downlink_queue", "downlink_wait"), ()),
)


def has_network(records: RunRecords) -> bool:
    """Return whether messages also went through the network."""
    return len(records.tables["network"]["n"]) > 0


@styled
def network_figure(records: RunRecords) -> Figure:
    """Draw the mean parts of the delay of deliveries, a bar for each path and the sidelink."""
    paths = network_paths(records)
    sidelink = deliveries(records)
    bars: list[tuple[str, Mapping[str, float], str]] = [
        ("PC5", sidelink.part_means_ms(), "") if sidelink.n.any() else ("PC5", {}, "")
    ]
    bars += [
        (name, path.part_means_ms, f", {100 * path.delivered.value:.1f} % delivered")
        for name, path in paths.items()
    ]
    figure = style.new_figure(1.4 + 0.32 * len(bars))
    axes = figure.add_subplot()
    axes.set(xlabel="Mean delay of deliveries [ms]")
    axes.grid(visible=False, axis="y")
    if not paths:
        note(axes, "No message went through the network.")
        return figure
    left_ms = np.zeros(len(bars))
    for name, colour, parts, sidelink_parts in GROUPS:
        width_ms = np.array(
            [
                sum(means.get(part, 0.0) for part in (sidelink_parts if k == 0 else parts))
                for k, (_, means, _) in enumerate(bars)
            ]
        )
        width_ms = np.nan_to_num(width_ms)
        if width_ms.any():
            axes.barh(np.arange(len(bars)), width_ms, left=left_ms, color=colour, label=name)
        left_ms += width_ms
    for k, (_, _, share) in enumerate(bars):
        axes.annotate(
            f"{left_ms[k]:.1f} ms{share}",
            (left_ms[k], k),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.0,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
        )
    axes.set_yticks(np.arange(len(bars)), [name for name, _, _ in bars])
    axes.invert_yaxis()
    # Room for the words behind the longest bar.
    axes.set_xlim(0, 1.45 * max(float(left_ms.max()), 1.0))
    figure.legend(loc="outside lower center", ncols=4)
    return figure
