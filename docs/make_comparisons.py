"""Measure access technologies and their procedures beside each other.

Run from the checkout:  python docs/make_comparisons.py [STUDY ...] [--replications N] [--tables]

Writes ``docs/comparisons/*.csv``, the pictures beside them and the tables of
``docs/comparisons.md``; with names only these studies are measured anew, with ``--tables`` nothing
is measured and pictures and page follow the files. All of it takes about an hour on one core.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.progress import track
from study import PRR_AT_M, Change, Row, prr, read_rows, share, table, text, with_tables, write_rows

from v2x.metrics.freshness import Quantity, freshness, mean_freshness
from v2x.metrics.latency import deliveries
from v2x.metrics.load import mean_cbr
from v2x.metrics.statistics import Interval, clusters, ratio_interval
from v2x.records.tables import Outcome, RunRecords
from v2x.report import style
from v2x.scenario.assemble import load_road_map, simulate
from v2x.scenario.schema import load_scenario

PAGE = Path(__file__).parent / "comparisons.md"
FOLDER = PAGE.with_suffix("")
DPI = 110
#: Causes of loss are counted up to this distance [m].
WITHIN_M = 300.0
#: Length of a block of time where a run has no replications [s].
BLOCK_S = 1.0
CAUSES = {
    "collision": Outcome.COLLISION,
    "half duplex": Outcome.HALF_DUPLEX,
    "propagation": Outcome.PROPAGATION,
    "below sensitivity": Outcome.BELOW_SENSITIVITY,
    "control lost": Outcome.CONTROL_LOST,
    "out of budget": Outcome.OUT_OF_BUDGET,
}

#: Five subchannels of ten resource blocks at 15 kHz.
TEN_MHZ: Change = ("access.n_subchannels", "5")
LTE: tuple[Change, ...] = (("access.type", "lte-mode4"),)
NR: tuple[Change, ...] = (
    ("access.type", "nr-mode2"),
    ("access.scs_khz", "15"),
    TEN_MHZ,
)
NR_WIDE: tuple[Change, ...] = (("access.type", "nr-mode2"),)
COMMON_CURVE: tuple[Change, ...] = (("phy.error_curve", "r1-160284-qpsk-r0.5"),)
#: Everybody in 10 MHz with equal power, messages and antennas.
TECHNOLOGIES: dict[str, tuple[Change, ...]] = {
    "LTE mode 4": (*LTE, TEN_MHZ),
    "NR mode 2": NR,
    "NR mode 2, curve of LTE": NR + COMMON_CURVE,
    "802.11p": (("access.type", "ieee80211p"),),
    "scheduled": (("access.type", "scheduled"), TEN_MHZ),
    "random": (("access.type", "random"), TEN_MHZ),
}
LOOKS = (
    (style.BLUE, "o"),
    (style.VERMILLION, "s"),
    (style.ORANGE, "D"),
    (style.GREEN, "^"),
    (style.BLACK, "v"),
    (style.MID_GREY, "x"),
    (style.PURPLE, "P"),
    (style.SKY, "*"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Variants of a scenario over one parameter.

    Attributes
    ----------
    scenario
        The scenario that they vary.
    key, label, values
        Parameter on the axis, how the axis is called, and its values.
    variants
        Changes by name.
    changes
        Changes that all have.
    panels
        Figures that the picture shows, one panel each.
    columns
        Figures of the table on the page.
    n_colours
        Variants that have a colour of their own; those after them have the same, dashed.
    """

    scenario: str
    key: str
    label: str
    values: tuple[str, ...]
    variants: Mapping[str, tuple[Change, ...]]
    changes: tuple[Change, ...] = (("duration_s", "12"), ("warmup_s", "4"))
    panels: tuple[str, ...] = (
        "PRR at 100 m",
        "PRR at 300 m",
        "collision within 300 m",
        "latency p95 [ms]",
        "IPG p99 [ms]",
        "AoI mean [ms]",
    )
    columns: tuple[str, ...] = field(
        default=(
            "PRR at 100 m",
            "PRR at 200 m",
            "PRR at 300 m",
            "collision within 300 m",
            "half duplex within 300 m",
            "latency mean [ms]",
            "latency p95 [ms]",
            "IPG p99 [ms]",
            "AoI mean [ms]",
            "CBR",
        )
    )
    n_colours: int = 8


PER_KM = "Vehicles per kilometre of road"
_KEEP = {
    f"{name}, {density}/km": (*changes, ("traffic.density_per_km", density))
    for name, changes in (("LTE mode 4", LTE), ("NR mode 2", NR))
    for density in ("100", "200")
}
_REEVALUATION = {
    f"{grant}, {times}, {'on' if on == 'true' else 'off'}": (
        *NR_WIDE,
        ("access.grant", grant),
        ("access.blind_retransmissions", n),
        ("access.reevaluation", on),
    )
    for grant in ("sps", "dynamic")
    for times, n in (("once", "0"), ("twice", "1"))
    for on in ("true", "false")
}
_FEEDBACK: dict[str, tuple[Change, ...]] = {
    f"{cast}, {how}": (("messages.cast", name), *changes)
    for cast, name in (("NACK only", "groupcast-nack"), ("unicast", "unicast"))
    for how, changes in (
        ("once", (("access.blind_retransmissions", "0"),)),
        ("blind twice", (("access.harq", "blind"), ("access.blind_retransmissions", "1"))),
        ("feedback ≤ 2", (("access.blind_retransmissions", "1"),)),
        ("feedback ≤ 4", (("access.blind_retransmissions", "3"),)),
    )
}
STUDIES: dict[str, Study] = {
    "highway": Study(
        scenario="highway_3gpp",
        key="traffic.density_per_km",
        label=PER_KM,
        values=("50", "100", "200", "400"),
        variants=TECHNOLOGIES,
    ),
    "interchange": Study(
        scenario="interchange",
        key="traffic.density_per_km",
        label=PER_KM,
        values=("12.5", "25", "50", "100"),
        variants=TECHNOLOGIES,
    ),
    "keep": Study(
        scenario="highway_3gpp",
        key="access.keep_probability",
        label="Keep probability",
        values=("0", "0.4", "0.8"),
        variants=_KEEP,
        changes=(("duration_s", "24"), ("warmup_s", "4")),
    ),
    "reevaluation": Study(
        scenario="highway_3gpp",
        key="traffic.density_per_km",
        label=PER_KM,
        values=("100", "200"),
        variants=_REEVALUATION,
        n_colours=4,
    ),
    "feedback": Study(
        scenario="groupcast",
        key="traffic.density_per_km",
        label=PER_KM,
        values=("50", "123", "250"),
        variants=_FEEDBACK,
        n_colours=4,
        panels=(
            "received within 300 m",
            "transmissions of a packet",
            "collision within 300 m",
            "latency p95 [ms]",
            "AoI mean [ms]",
            "CBR",
        ),
        columns=(
            "received within 300 m",
            "transmissions of a packet",
            "collision within 300 m",
            "control lost within 300 m",
            "latency mean [ms]",
            "latency p95 [ms]",
            "AoI mean [ms]",
            "CBR",
        ),
    ),
}


def figures(records: RunRecords) -> Iterator[tuple[str, Interval]]:
    """Yield the figures of a run by name."""
    for at_m in PRR_AT_M:
        yield f"PRR at {at_m:g} m", prr(records, at_m)
    for name, outcome in CAUSES.items():
        yield f"{name} within {WITHIN_M:g} m", share(records, outcome, 0.0, WITHIN_M)
    yield f"received within {WITHIN_M:g} m", share(records, Outcome.RECEIVED, 0.0, WITHIN_M)
    yield "transmissions of a packet", transmissions(records)
    delivered = deliveries(records)
    yield "latency mean [ms]", delivered.mean()
    yield "latency p95 [ms]", alone(delivered.quantile_ms(0.95))
    for quantity in (Quantity.IPG, Quantity.AOI):
        name, histogram = ("IPG", "AoI")[quantity], freshness(records, quantity)
        yield f"{name} mean [ms]", mean_freshness(records, quantity)
        yield f"{name} p95 [ms]", alone(histogram.quantile(0.95))
        yield f"{name} p99 [ms]", alone(histogram.quantile(0.99))
    yield "CBR", mean_cbr(records)


def transmissions(records: RunRecords) -> Interval:
    """Return how often packets that were sent at all were sent."""
    packets = records.tables["packets"]
    sent = packets["n_attempts"] > 0
    cluster = clusters(packets["replication"], packets["generated_us"] / 1e6, BLOCK_S)
    return ratio_interval(
        cluster.sums(packets["n_attempts"]), cluster.sums(sent), over=cluster.over
    )


def alone(value: float) -> Interval:
    """Return a figure that has no limits."""
    return Interval(value, math.nan, math.nan, 0, "none")


def measure(name: str, study: Study, replications: int) -> Iterator[Row]:
    """Yield the figures of all variants of a study at all values."""
    runs = [(variant, value) for variant in study.variants for value in study.values]
    for variant, value in track(runs, description=name):
        changes = (*study.changes, *study.variants[variant], (study.key, value))
        scenario = load_scenario(study.scenario, [*changes, ("replications", str(replications))])
        records = simulate(scenario, road_map=load_road_map(scenario))
        for figure, interval in figures(records):
            limits = (interval.value, interval.low, interval.high)
            yield Row(f"{name} {value}", variant, figure, *limits, interval.n)


@style.styled
def picture(name: str, study: Study, rows: Sequence[Row]) -> Figure:
    """Draw the panels of a study."""
    found = {(row.study, row.variant, row.figure): row for row in rows}
    axis = [float(value) for value in study.values]
    figure = style.new_figure(5.4)
    grid = figure.subplots(2, (len(study.panels) + 1) // 2)
    for axes, panel in zip(grid.flat, study.panels, strict=True):
        lowest = 1.0
        for i, variant in enumerate(study.variants):
            colour, marker = LOOKS[i % study.n_colours]
            points = [found.get((f"{name} {value}", variant, panel)) for value in study.values]
            value, low, high = (
                np.array([math.nan if row is None else getattr(row, part) for row in points])
                for part in ("value", "low", "high")
            )
            axes.fill_between(axis, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(
                axis,
                value,
                color=colour,
                marker=marker,
                markersize=3.5,
                linewidth=1.2,
                linestyle="-" if i < study.n_colours else "--",
                label=variant,
            )
            lowest = min(lowest, np.nanmin(value))
        axes.set_title(panel[0].upper() + panel[1:], loc="left")
        axes.set_xticks(axis, study.values)
        if panel.startswith(("PRR", "received")):
            axes.set_ylim(0.0 if lowest < 0.8 else 0.1 * math.floor(10.0 * lowest), 1.005)
        else:
            axes.set_ylim(bottom=0)
    figure.supxlabel(study.label, fontsize=9.0)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4 if len(labels) > 6 else 3)
    return figure


def page_table(name: str, study: Study, rows: Sequence[Row]) -> list[str]:
    """Return the table of a study."""
    found = {(row.study, row.variant, row.figure): row for row in rows}

    def lines() -> Iterator[list[str]]:
        for variant in study.variants:
            for value in study.values:
                cells = (
                    text(
                        found.get((f"{name} {value}", variant, column)),
                        1 if "[ms]" in column else 3,
                    )
                    for column in study.columns
                )
                yield [variant, value, *cells]

    return table(("variant", study.label.lower(), *study.columns), lines())


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure access technologies side by side.")
    parser.add_argument("names", nargs="*", metavar="STUDY", help=", ".join(STUDIES))
    parser.add_argument("--replications", type=int, default=3, help="runs of each variant")
    parser.add_argument("--tables", action="store_true", help="only pictures and page")
    options = parser.parse_args()
    unknown = set(options.names) - set(STUDIES)
    if unknown:
        parser.error(f"no such study: {', '.join(sorted(unknown))}")
    FOLDER.mkdir(exist_ok=True)
    made = {}
    for name, study in STUDIES.items():
        file = FOLDER / f"{name}.csv"
        if not options.tables and (not options.names or name in options.names):
            write_rows(file, list(measure(name, study, options.replications)), "study")
        rows = read_rows(file)
        if rows:
            made[name] = page_table(name, study, rows)
            style.write(picture(name, study, rows), FOLDER / f"{name}.png", dpi=DPI)
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
