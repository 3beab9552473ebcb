"""Tables and pictures of ``docs/findings.md``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from finding_figures import REACHED_AT_M
from finding_study import DIFFERENCE
from study import Measured, Row, table, text

from v2x.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The place of a row in tables: study, variant and figure.
Found = Mapping[tuple[str, str, str], Row]
DPI = 110
TUNNEL = "tunnel_truck"
#: What safety tables show: name of the figure, digits.
SAFETY = {
    "rear-end collisions": 1,
    "conflicts per 1000 km": 0,
    "serious conflicts per 1000 km": 0,
    "hard brakes": 1,
    "mean speed [km/h]": 1,
    "alerts": 0,
}
IN_LANE = (
    "in its lane: told in time",
    "in its lane: margin of the alert [m]",
    "in its lane: leaves it at [m]",
    "in its lane: hardest braking [m/s²]",
    "in its lane: brakes hard",
    "in its lane: collides",
)


def tables(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the tables of the page by name."""
    found = {(row.study, row.variant, row.figure): row for row in rows}
    studies = dict.fromkeys(row.study for row in rows)
    variants = {s: list(dict.fromkeys(r.variant for r in rows if r.study == s)) for s in studies}
    made = {f"safety of {name}": _safety(found, name, variants[name]) for name in studies}
    made |= {
        f"differences of {name}": _differences(found, name, variants[name]) for name in studies
    }
    if TUNNEL in variants:
        made["way of the alert"] = _way(found, variants[TUNNEL])
        made["braking in time"] = _in_time(found, variants[TUNNEL])
    return made


def pictures(measured: Sequence[Measured], folder: Path) -> None:
    """Draw the pictures."""
    mine = [one for one in measured if one.study == TUNNEL]
    if mine:
        style.write(way_figure(mine), folder / "tunnel_truck.png", dpi=DPI)


def _safety(found: Found, name: str, variants: Sequence[str]) -> list[str]:
    lines = (
        [
            variant,
            *(text(found.get((name, variant, key)), digits) for key, digits in SAFETY.items()),
        ]
        for variant in variants
    )
    return table(("variant", *SAFETY), lines, 1)


def _differences(found: Found, name: str, variants: Sequence[str]) -> list[str]:
    """Return the paired differences from the reference, which has none itself."""
    shown = {key: digits for key, digits in SAFETY.items() if key != "alerts"}
    lines = []
    for variant in variants:
        cells = [found.get((name, variant, f"{key}: {DIFFERENCE}")) for key in shown]
        if any(cells):
            each = zip(cells, shown.values(), strict=True)
            lines.append([variant, *(text(cell, digits) for cell, digits in each)])
    return table(("variant", *shown), lines, 1)


def _way(found: Found, variants: Sequence[str]) -> list[str]:
    """Return how soon vehicles with a device knew, and who told them, by distance."""

    def lines() -> Iterator[list[str]]:
        for variant in variants:
            for at_m in REACHED_AT_M:
                name = f"alert known at {at_m:g} m [s]"
                median, p95, reached, unit = (
                    found.get((TUNNEL, variant, figure))
                    for figure in (
                        f"{name}: median",
                        f"{name}: p95",
                        f"{name}: share finite",
                        f"told by a unit at {at_m:g} m: mean of all",
                    )
                )
                if median is None:
                    continue
                where = "portal" if at_m == REACHED_AT_M[-1] else f"{at_m:g} m"
                times = (
                    "never" if r and np.isinf(r.value) else text(_bare(r)) for r in (median, p95)
                )
                shares = (text(_bare(row)) for row in (reached, unit))
                yield [variant, where, str(median.n), *times, *shares]

    header = ("devices, units", "upstream", "n", "median [s]", "p95 [s]", "reached", "by a unit")
    return table(header, lines())


def _in_time(found: Found, variants: Sequence[str]) -> list[str]:
    """Return who was told in time, and what those in the lane of the truck did."""

    def value(variant: str, figure: str) -> str:
        return text(_bare(found.get((TUNNEL, variant, figure))))

    def lines() -> Iterator[list[str]]:
        for variant in variants:
            many = found.get((TUNNEL, variant, f"{IN_LANE[0]}: mean of all"))
            yield [
                variant,
                value(variant, "approach"),
                value(variant, "told"),
                str(many.n) if many else "-",
                value(variant, f"{IN_LANE[0]}: mean of all"),
                *(value(variant, f"{figure}: median") for figure in IN_LANE[1:4]),
                *(value(variant, f"{figure}: mean of all") for figure in IN_LANE[4:]),
            ]

    header = (
        "devices, units",
        "approach per run",
        "told",
        "n in its lane",
        "told in time",
        "margin, median [m]",
        "leave it at, median [m]",
        "hardest braking, median [m/s²]",
        "brake hard",
        "collide",
    )
    return table(header, lines(), 1)


def _bare(row: Row | None) -> Row | None:
    """Return a row without its limits."""
    if row is None:
        return None
    nan = float("nan")
    return Row(row.study, row.variant, row.figure, row.value, nan, nan, row.n)


@style.styled
def way_figure(measured: Sequence[Measured]) -> Figure:
    """Draw when the alert of the truck was known, by distance, with and without units."""
    figure = style.new_figure(2.8)
    axes = figure.subplots(1, 2, sharey=True)
    colours = (style.SKY, style.BLUE, style.GREEN, style.VERMILLION)
    for axis, infrastructure in zip(axes, ("no units", "units"), strict=True):
        for at_m, colour in zip(REACHED_AT_M, colours, strict=True):
            delays = np.sort(
                [
                    one.value
                    for one in measured
                    if one.variant.endswith(f"%, {infrastructure}")
                    and one.figure == f"alert known at {at_m:g} m [s]"
                ]
            )
            if not len(delays):
                continue
            share = np.arange(1, len(delays) + 1) / len(delays)
            label = "portal, 1500 m" if at_m == REACHED_AT_M[-1] else f"{at_m:g} m"
            axis.step(delays, share, where="post", color=colour, label=label)
        title = "roadside units every 500 m" if infrastructure == "units" else "vehicles only"
        axis.set(title=title, xlabel="time since the truck stands [s]", xlim=(0.0, 1.0))
    axes[0].set(ylabel="vehicles with a device that know", ylim=(0.0, 1.02))
    axes[1].legend(title="upstream")
    return figure
