"""Measure what height does: every mountain scenario beside its flat twin.

Run from the checkout:  python docs/make_mountains.py [NAME ...] [--replications N] [--pictures]

Writes ``docs/mountains/twins.csv``, the tables of ``docs/mountains.md`` and the pictures in
``docs/mountains``; with names only the rows and pictures of these scenarios are made anew, with
``--pictures`` only the maps, with ``--tables`` only the page. Takes some ten minutes on
one core.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from study import (
    PRR_AT_M,
    Change,
    Row,
    clustered,
    prr,
    read_rows,
    table,
    text,
    with_tables,
    write_rows,
)

from v2x.channel.base import LinkState
from v2x.metrics.load import mean_cbr
from v2x.metrics.statistics import Interval, proportion_interval, ratio_interval
from v2x.metrics.summary import summarise
from v2x.mobility.fleet import NodeKind
from v2x.records.tables import RunRecords
from v2x.report import style
from v2x.report.frame import Window
from v2x.report.maps import map_figure
from v2x.report.twins import twin_figure
from v2x.scenario.assemble import load_road_map, simulate
from v2x.scenario.schema import load_scenario
from v2x.world.road_map import RoadMap, Structure
from v2x.world.rsu_sites import sites

PAGE = Path(__file__).parent / "mountains.md"
FOLDER = PAGE.with_suffix("")
#: Sharp enough for a screen, and less than 300 kB each.
DPI = 100
#: Neighbours are counted up to these distances [m].
KNOWN_WITHIN_M = (150.0, 300.0, 800.0)
#: Scenarios whose place ``make_pictures.py`` draws.
DRAWN_ELSEWHERE = ("interchange",)
#: Twins that a sentence compares as well as a picture.
NO_PICTURE = ("bridge_fog", "expressway")
#: The part of the mountain road with its three blind curves.
BLIND_CURVES = Window(450.0, 1650.0, -230.0, 130.0)

MOUNTAIN: tuple[Change, ...] = ()
FLAT: tuple[Change, ...] = (("world.flat", "true"),)
NO_RSU: tuple[Change, ...] = (("roadside.placement", "none"),)
UNLINKED: tuple[Change, ...] = (("roadside.linked", "false"),)
LINKED: tuple[Change, ...] = (("roadside.linked", "true"),)
RSUS: tuple[Change, ...] = (
    ("roadside.placement", "spacing"),
    ("roadside.spacing_m", "150"),
    ("roadside.relay", "true"),
)
CLEAR: tuple[Change, ...] = (("weather.visibility_m", "10000"), ("weather.road", "dry"))
NO_DECKS: tuple[Change, ...] = (("obstacles.decks", "false"),)
NO_GROUND: tuple[Change, ...] = (("obstacles.terrain_method", "none"),)
NO_WATER: tuple[Change, ...] = (("obstacles.water", "false"),)
TWINS: dict[str, tuple[Change, ...]] = {"mountain": MOUNTAIN, "flat": FLAT}
#: Variants of each scenario; the flat twin is the second.
VARIANTS: dict[str, dict[str, tuple[Change, ...]]] = {
    "interchange": TWINS | {"decks let through": NO_DECKS, "ground lets through": NO_GROUND},
    "tunnel": TWINS
    | {"RSUs not linked": UNLINKED, "no RSUs": NO_RSU, "flat, no RSUs": (*FLAT, *NO_RSU)},
    "ridge": TWINS | {"ground lets through": NO_GROUND},
    "blind_curve": TWINS | {"RSUs every 150 m": RSUS, "RSUs every 150 m, linked": (*RSUS, *LINKED)},
    "bridge_fog": TWINS
    | {
        "clear and dry": CLEAR,
        "decks let through": NO_DECKS,
        "ground lets through": NO_GROUND,
        "water does not reflect": NO_WATER,
    },
    "hill_streets": TWINS | {"ground lets through": NO_GROUND},
    "expressway": TWINS,
}


def known(records: RunRecords, within_m: float, column: str) -> Interval:
    """Return the share of the neighbours within a distance that are known, by `column`."""
    table = records.tables["awareness"]
    cluster = clustered(table, float(records.facts["block_s"]))
    near = table["bin_upper_m"] <= within_m
    return proportion_interval(
        cluster.sums(np.where(near, table[column], 0)),
        cluster.sums(np.where(near, table["n_pairs"], 0)),
        over=cluster.over,
    )


def per_vehicle(records: RunRecords, column: str, within_m: float) -> Interval:
    """Return `column` of table ``awareness`` per counted road user."""
    table, load = records.tables["awareness"], records.tables["load"]
    trajectories = records.tables["trajectories"]
    rsu = np.unique(trajectories["id"][trajectories["kind"] == NodeKind.RSU])
    receives = np.isin(load["time_s"], table["time_s"]) & ~np.isin(load["node_id"], rsu)
    block_s = float(records.facts["block_s"])
    samples = clustered(table, block_s)
    vehicles = clustered({key: load[key][receives] for key in ("replication", "time_s")}, block_s)
    near = table["bin_upper_m"] <= within_m
    return ratio_interval(
        samples.sums(np.where(near, table[column], 0)),
        vehicles.sums(np.ones(int(receives.sum()))),
        over=samples.over,
    )


def other_level(records: RunRecords) -> Interval:
    """Return the share of the neighbours heard within the awareness range on another level."""
    table = records.tables["awareness"]
    cluster = clustered(table, float(records.facts["block_s"]))
    return proportion_interval(
        cluster.sums(table["n_other_level_known"]),
        cluster.sums(table["n_direct"]),
        over=cluster.over,
    )


def own_level(records: RunRecords) -> Interval:
    """Return the share of the neighbours not on another level that are known directly."""
    table = records.tables["awareness"]
    cluster = clustered(table, float(records.facts["block_s"]))
    return proportion_interval(
        cluster.sums(table["n_direct"] - table["n_other_level_known"]),
        cluster.sums(table["n_pairs"] - table["n_other_level"]),
        over=cluster.over,
    )


def speed_kmh(records: RunRecords, kind: NodeKind, edges: NDArray[np.bool_] | None) -> Interval:
    """Return the mean speed of a kind of vehicle [km/h], on some edges only if they are given."""
    table = records.tables["trajectories"]
    where = (table["kind"] == kind) & (table["time_s"] > records.facts["warmup_s"])
    if edges is not None:
        where &= edges[table["edge"]] & (table["edge"] >= 0)
    cluster = clustered(table, float(records.facts["block_s"]))
    return ratio_interval(
        cluster.sums(np.where(where, 3.6 * table["speed_mps"], 0.0)),
        cluster.sums(where),
        over=cluster.over,
    )


def figures(
    records: RunRecords, summary: dict[str, Any], road_map: RoadMap
) -> Iterator[tuple[str, Interval]]:
    """Yield the figures of a run by name."""
    for at_m in PRR_AT_M:
        yield f"PRR at {at_m:g} m", prr(records, at_m)
    range_m = float(records.facts["awareness_range_m"])
    for within_m in KNOWN_WITHIN_M:
        if within_m <= range_m:
            yield f"known within {within_m:g} m", known(records, within_m, "n_direct")
            if records.facts["n_roadside"]:
                relayed = known(records, within_m, "n_with_relay")
                yield f"known within {within_m:g} m with relay", relayed
    yield "own level known", own_level(records)
    yield "neighbours heard", per_vehicle(records, "n_direct", range_m)
    yield "neighbours on another level", per_vehicle(records, "n_other_level", range_m)
    yield "of these heard", per_vehicle(records, "n_other_level_known", range_m)
    yield "heard from another level", other_level(records)
    yield "CBR", mean_cbr(records)
    for kind in (NodeKind.CAR, NodeKind.TRUCK):
        yield f"speed of {kind.name.lower()}s [km/h]", speed_kmh(records, kind, None)
    bridges = road_map.edge_structure == Structure.BRIDGE
    yield "speed of cars on bridges [km/h]", speed_kmh(records, NodeKind.CAR, bridges)
    for state, share in summary["link_states"].items():
        yield f"links {state}", Interval(share, math.nan, math.nan, 0, "none")


def run(
    name: str, variant: str, changes: Iterable[Change], replications: int
) -> tuple[list[Row], dict[str, Any]]:
    """Return the figures and the summary of a variant of a scenario."""
    scenario = load_scenario(name, [*changes, ("replications", str(replications))])
    road_map = load_road_map(scenario)
    records = simulate(scenario, road_map=road_map)
    summary = summarise(records, scenario_name=name, seed=scenario.seed)
    rows = [
        Row(name, variant, figure, interval.value, interval.low, interval.high, interval.n)
        for figure, interval in figures(records, summary, road_map)
    ]
    return rows, summary


def tables(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the tables of the page by name."""
    found = {(row.study, row.variant, row.figure): row for row in rows}
    runs = list(dict.fromkeys((row.study, row.variant) for row in rows))
    twins = [(name, variant) for name, variant in runs if variant in ("mountain", "flat")]

    def lines(
        which: Iterable[tuple[str, str]], names: Sequence[str], digits: int = 2
    ) -> Iterator[list[str]]:
        for name, variant in which:
            cells = [text(found.get((name, variant, figure)), digits) for figure in names]
            yield [f"`{name}`", variant, *cells]

    reliable = [f"PRR at {at_m:g} m" for at_m in PRR_AT_M]
    reliable += ["known within 150 m", "known within 300 m", "CBR"]
    levels = ["neighbours on another level", "of these heard", "neighbours heard"]
    levels += ["heard from another level", "own level known"]
    states = [state.name.lower() for state in LinkState]
    parts = [*reliable, "of these heard"]
    taken_apart = {
        name for name, made in VARIANTS.items() if {NO_DECKS, NO_GROUND} & {*made.values()}
    }
    driven = [
        (name, variant)
        for name, variant in runs
        if name in ("bridge_fog", "expressway") and variant in ("mountain", "flat", "clear and dry")
    ]
    told = [f"known within {d} m{how}" for d in (300, 800) for how in ("", " with relay")]
    relay = ["own level known", *told, "CBR"]
    relayed = [at for at in runs if at[0] in ("tunnel", "blind_curve")]
    wheels = [f"speed of {kind} [km/h]" for kind in ("cars", "trucks", "cars on bridges")]
    first = ("scenario", "world")
    return {
        "twins": table((*first, *reliable), lines(twins, reliable)),
        "levels": table((*first, *levels), lines(twins, levels)),
        "states": table((*first, *states), lines(twins, [f"links {state}" for state in states])),
        "parts": table((*first, *parts), lines([at for at in runs if at[0] in taken_apart], parts)),
        "relay": table((*first, *relay), lines(relayed, relay, 3)),
        "wheels": table((*first, *wheels), lines(driven, wheels, 1)),
    }


def draw_place(name: str) -> None:
    """Draw the map on which a scenario plays."""
    if name in DRAWN_ELSEWHERE:
        return
    scenario = load_scenario(name)
    road_map = load_road_map(scenario)
    units = sites(road_map, scenario.roadside)
    window = BLIND_CURVES if name == "blind_curve" else None
    figure = map_figure(road_map, sites=units if units.n_sites else None, window=window)
    style.write(figure, FOLDER / f"{name}-map.png", dpi=DPI)


def measure(name: str, replications: int) -> list[Row]:
    """Return the figures of all variants of a scenario, and draw the twins."""
    rows, summaries = [], []
    for variant, changes in VARIANTS[name].items():
        figures_of_run, summary = run(name, variant, changes, replications)
        rows += figures_of_run
        summaries.append(summary)
    if name not in NO_PICTURE:
        style.write(twin_figure(*summaries[:2]), FOLDER / f"{name}-twins.png", dpi=DPI)
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure what height does.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--replications", type=int, default=5, help="runs of each variant")
    parser.add_argument("--pictures", action="store_true", help="only the maps")
    parser.add_argument("--tables", action="store_true", help="only the page, from twins.csv")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    names = options.names or list(VARIANTS)
    unknown = set(names) - set(VARIANTS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    file = FOLDER / "twins.csv"
    rows = {name: [row for row in read_rows(file) if row.study == name] for name in VARIANTS}
    for name in [] if options.tables else names:
        draw_place(name)
        if not options.pictures:
            rows[name] = measure(name, options.replications)
            write_rows(file, [row for of_name in rows.values() for row in of_name], "scenario")
    page = PAGE.read_text(encoding="utf-8")
    done = [row for of_name in rows.values() for row in of_name]
    PAGE.write_text(with_tables(page, tables(done)), encoding="utf-8")


if __name__ == "__main__":
    main()
