"""Measure how often somebody on another deck is taken for a danger, and compare with theory.

Run from the checkout:  python docs/make_wrong_deck.py [--tables]

Writes ``docs/decks/wrong_deck.csv`` and ``.png`` and the tables of ``docs/decks.md``; with
``--tables`` the latter two from the file. Takes five minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from deck_sightings import (
    APART_M,
    CHECKS,
    GATE_M,
    REPLICATIONS,
    SIGMA_Z_M,
    Watcher,
    figure_of,
    near_pairs,
    row_of,
    sightings,
    stack_rows,
    traffic_rows,
)
from study import Row, read_rows, table, text, with_tables, write_rows

from v2x.metrics.statistics import ratio_interval
from v2x.metrics.wrong_deck import gate_accepts
from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.scenario.assemble import load_road_map, simulate
from v2x.scenario.schema import load_scenario
from v2x.world.road_map import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE = Path(__file__).parent / "decks.md"
FOLDER = PAGE.with_suffix("")
DPI = 110
COLOURS = {"gate": style.VERMILLION, "map": style.BLUE, "map and heights": style.GREEN}
#: What runs differ in, the warnings they have, and a figure of theirs.
VARIANTS = tuple(
    f"{positioning}, {check}"
    for positioning in ("none", "gnss")
    for check in ("none", "gate", "map", "map-height")
)
WARNINGS = ("fcw", "icw")
FALSE = "false per 1000 encounters"
#: Runs with alerts: drivers do not follow them, so that the motion is the same in all.
QUIET = (
    *((f"warnings.{name}", "") for name in WARNINGS),
    ("reactions.compliance", "0"),
    ("records.trajectory_period_s", "0.5"),
    ("replications", str(REPLICATIONS)),
)


def alert_rows() -> Iterator[Row]:
    """Yield false alerts per 1000 encounters by decks, and true ones that a check loses."""
    encounters: dict[str, FloatArray] = {}
    plain: RunRecords | None = None
    for variant in VARIANTS:
        positioning, check = variant.split(", ")
        ways = (("positioning.type", positioning), ("information.level_check", check))
        records = simulate(load_scenario("interchange", (*QUIET, *ways)))
        encounters = encounters or encounters_by_decks(records)
        plain = records if plain is None or check == "none" else plain
        for place, hits in false_by_decks(records, encounters).items():
            share = ratio_interval(1000.0 * hits, encounters[place], over="replications")
            yield row_of("alerts", f"{variant}, {place}", FALSE, share)
        yield from _true_alerts(variant, records, plain)


def _true_alerts(variant: str, records: RunRecords, plain: RunRecords) -> Iterator[Row]:
    """Yield how many alerts are about somebody on a road that meets, and which of 2-D are lost."""
    for k, name in enumerate(records.facts["warnings"]):
        with_check, without = (_told(run, k) for run in (records, plain))
        told = f"{variant}, {name}"
        yield figure_of("alerts", told, "true alerts", float(len(with_check)))
        lost = len(without - with_check) / max(len(without), 1)
        yield figure_of("alerts", told, "lost of 2-D", lost, len(without))


def _told(records: RunRecords, application: int) -> set[tuple[int, ...]]:
    """Return of whom drivers are told who is not on another deck."""
    found = records.tables["warnings"]
    rows = (found["application"] == application) & ~found["other_deck"]
    columns = (found[name][rows].tolist() for name in ("replication", "vehicle_id", "other_id"))
    return set(zip(*columns, strict=True))


def encounters_by_decks(records: RunRecords) -> dict[str, FloatArray]:
    """Return how many vehicles come near another one on a deck that does not meet, by decks.

    Each of the two counts, and each pair once. By replication.
    """
    watcher = Watcher(load_road_map(load_scenario("interchange", [])))
    states = records.tables["trajectories"]
    met: dict[str, list[set[tuple[int, int]]]] = {}
    for replication in range(REPLICATIONS):
        mine = states["replication"] == replication
        for time_s in np.unique(states["time_s"][mine]):
            now = mine & (states["time_s"] == time_s) & (states["edge"] >= 0)
            pairs = near_pairs(states["x_m"], states["y_m"], now)
            apart, _ = watcher.truly(states["edge"], states["level"], pairs)
            for host, remote in np.stack(pairs, axis=1)[apart]:
                place = _decks(states["level"][host], states["level"][remote])
                found = met.setdefault(place, [set() for _ in range(REPLICATIONS)])
                found[replication].add((int(states["id"][host]), int(states["id"][remote])))
    counts = {place: np.array([float(len(part)) for part in met[place]]) for place in sorted(met)}
    return counts | {"all decks": np.sum(list(counts.values()), axis=0)}


def _decks(level: int, other: int) -> str:
    """Return the name of two decks, as in the rows of the traffic."""
    return f"{min(level, other)} and {max(level, other)}"


def false_by_decks(records: RunRecords, places: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the alerts about somebody on a deck that does not meet, by decks and replication."""
    states, found = records.tables["trajectories"], records.tables["warnings"]
    counts = {place: np.zeros(REPLICATIONS) for place in places}
    for k in np.flatnonzero(found["other_deck"]):
        replication = found["replication"][k]
        same = np.flatnonzero(
            (states["replication"] == replication) & (states["id"] == found["other_id"][k])
        )
        at = same[np.argmin(np.abs(states["time_s"][same] - found["begin_s"][k]))]
        place = _decks(found["level"][k], states["level"][at])
        for name in {place, "all decks"} & counts.keys():
            counts[name][replication] += 1.0
    return counts


@style.styled
def figure(rows: Sequence[Row], file: Path) -> None:
    """Draw the gate in the stack, and false alerts of the interchange by decks."""
    picture = style.new_figure(2.9)
    left, right = picture.subplots(1, 2, width_ratios=(1.0, 1.4))
    _draw_stack(left, rows)
    _draw_decks(right, rows)
    style.write(picture, file, dpi=DPI)


def _draw_stack(axes: Axes, rows: Sequence[Row]) -> None:
    apart_m = np.linspace(0.0, 20.0, 200)
    colours = (style.BLUE, style.GREEN, style.ORANGE, style.VERMILLION)
    for sigma_m, colour in zip(SIGMA_Z_M, colours, strict=True):
        chance = gate_accepts(apart_m, sigma_m, sigma_m, GATE_M)
        axes.plot(apart_m, chance, color=colour, label=f"{sigma_m:g} m")
        for row in rows:
            for at_m in APART_M:
                if row.variant == f"{at_m:g} m, sigma {sigma_m:g} m, gate" and row.n:
                    axes.plot(at_m, row.value, "o", color=colour, markersize=4.0)
    axes.set(xlim=(0, 20), ylim=(0, 1), xlabel="Distance of the decks [m]")
    axes.set(ylabel=f"Taken for one deck (gate {GATE_M:g} m)")
    axes.legend(title="Vertical sigma", loc="upper right", title_fontsize=8.0)


def _draw_decks(axes: Axes, rows: Sequence[Row]) -> None:
    found = {(row.variant, row.figure): row for row in rows if row.study == "traffic"}
    places = _deck_pairs(rows)
    at = np.arange(len(places))
    for k, (check, colour) in enumerate(COLOURS.items()):
        shown = [found[f"{place}, {check}", "instant"] for place in places]
        share, low, high = np.array([[row.value, row.low, row.high] for row in shown]).T
        axes.bar(
            at + 0.27 * (k - 1),
            share,
            width=0.25,
            color=colour,
            label=check,
            yerr=(share - low, high - share),
            error_kw={"linewidth": 0.8},
        )
    closed = [found[place, "closed form"].value for place in places]
    axes.plot(at - 0.27, closed, "_", color=style.BLACK, markersize=9.0, label="gate, closed form")
    axes.set(xticks=at, xticklabels=[place.replace(" and ", "/") for place in places])
    axes.set(xlabel="Levels of both decks", ylabel="Taken for one deck", ylim=(0, 0.8))
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper right", ncols=2)


def _deck_pairs(rows: Sequence[Row]) -> list[str]:
    """Return the pairs of decks that met in the traffic."""
    places = [row.variant for row in rows if row.figure == "distance of decks m"]
    return [place for place in places if place != "all decks"]


def tables(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the tables of the page."""
    by = {(row.study, row.variant, row.figure): row for row in rows}
    stack = [
        [
            f"{apart_m:g}",
            f"{sigma_m:g}",
            *(
                f"{by['stack', f'{apart_m:g} m, sigma {sigma_m:g} m, {check}', figure].value:.3f}"
                for check in CHECKS
                for figure in ("closed form", "taken for one deck")
                if check not in ("2-D", "map")
            ),
        ]
        for apart_m in APART_M
        for sigma_m in SIGMA_Z_M
    ]
    places = [key[1] for key in by if key[0] == "traffic" and key[2] == "distance of decks m"]
    traffic = [
        [
            place,
            _distances(by["traffic", place, "distance of decks m"]),
            f"{by['traffic', place, 'closed form'].value:.3f}",
            *(text(by["traffic", f"{place}, {check}", "instant"], 3) for check in list(CHECKS)[1:]),
        ]
        for place in places
    ]
    once = [
        "all decks, at least once",
        "",
        "",
        *(text(by["traffic", f"all decks, {c}", "at least once"], 3) for c in list(CHECKS)[1:]),
    ]
    roads = [key[1] for key in by if key[2] == "climb above gate"]
    missed = [
        [
            place,
            f"{by['traffic', place, 'climb above gate'].value:.3f}",
            f"{by['traffic', place, 'closed form'].value:.3f}",
            *(text(by["traffic", f"{place}, {check}", "missed"], 3) for check in list(CHECKS)[1:]),
        ]
        for place in roads
    ]
    return {
        "stack": table(
            [
                "decks apart [m]",
                "vertical sigma [m]",
                "gate: closed form",
                "measured",
                "map and heights: closed form",
                "measured",
                "map, own height: closed form",
                "measured",
            ],
            stack,
            0,
        ),
        "traffic": table(
            [
                "levels",
                "apart [m]",
                "gate: closed form",
                *(f"{c}: measured" for c in list(CHECKS)[1:]),
            ],
            [*traffic, once],
            1,
        ),
        "missed": table(
            [
                "pairs",
                "true climb ≥ gate",
                "gate: closed form",
                *(f"{c}: lost" for c in list(CHECKS)[1:]),
            ],
            missed,
            1,
        ),
        "alerts": _alert_table(by, _deck_pairs(rows)),
        "by decks": _deck_table(by, _deck_pairs(rows)),
    }


def _distances(row: Row) -> str:
    return f"{row.value:.1f} ({row.low:.1f} to {row.high:.1f})"


def _alert_table(by: Mapping[tuple[str, str, str], Row], places: Sequence[str]) -> list[str]:
    lines = []
    for variant in VARIANTS:
        false = by["alerts", f"{variant}, all decks", FALSE]
        fcw, icw = (by["alerts", f"{variant}, {name}", "true alerts"].value for name in WARNINGS)
        lost = by["alerts", f"{variant}, fcw", "lost of 2-D"].value
        positioning, check = variant.split(", ")
        gated, uncertain = check == "gate", positioning == "gnss"
        lines.append(
            [
                f"`{positioning}`",
                f"`{check}`",
                text(false, 0),
                f"{_expected(by, places):.0f}" if gated and uncertain else "",
                f"{fcw:.0f}",
                f"{lost:.2f}" if gated else "",
                f"{icw:.0f}",
            ]
        )
    header = ["positioning", "check", FALSE, "closed form", "FCW, own road"]
    return table([*header, "lost of `none`", "ICW, roads that meet"], lines)


def _expected(by: Mapping[tuple[str, str, str], Row], places: Sequence[str]) -> float:
    """Return what the gate leaves of the 2-D alerts at each pair of decks, per 1000 encounters."""
    plain = [by["alerts", f"gnss, none, {place}", FALSE] for place in places]
    chance = [by["traffic", place, "closed form"].value for place in places]
    left = sum(row.value * row.n * share for row, share in zip(plain, chance, strict=True))
    return left / by["alerts", "gnss, none, all decks", FALSE].n


def _deck_table(by: Mapping[tuple[str, str, str], Row], places: Sequence[str]) -> list[str]:
    shown = ("none, none", "none, gate", "gnss, none", "gnss, gate", "gnss, map")
    lines = []
    for place in places:
        found = [by["alerts", f"{variant}, {place}", FALSE] for variant in shown]
        lines.append([place, f"{found[0].n}", *(text(row, 0) for row in found)])
    names = (f"`{variant}`".replace(", ", "`, `") for variant in shown)
    return table(["levels", "encounters", *names], lines, 1)


def main() -> None:
    """Run everything and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", action="store_true", help="only the page and the picture")
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / "wrong_deck.csv"
    if not parser.parse_args().tables:
        write_rows(file, [*stack_rows(), *traffic_rows(sightings()), *alert_rows()], "study")
    rows = read_rows(file)
    figure(rows, file.with_suffix(".png"))
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
