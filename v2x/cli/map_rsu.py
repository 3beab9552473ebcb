"""``v2x map plan-rsu``: the fewest roadside units that cover the roads of a map."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v2x.cli.options import examples
from v2x.errors import V2XError

if TYPE_CHECKING:
    from v2x.channel.coverage import Coverage
    from v2x.world.road_map import RoadMap
    from v2x.world.rsu_sites import RsuSites

#: Liangjiang pilot zone, 2021: over 500 RSUs on 128 km of expressway and 88 km of streets.
LIANGJIANG_PER_KM = 500 / (128 + 88)
#: Parameters by the options that set them.
_OPTION_OF = {
    "spacing_m": "--spacing-candidates",
    "height_m": "--height",
    "max_loss_db": "--max-loss",
    "max_distance_m": "--max-distance",
}
_SHOWN_STRETCHES = 5
_SECONDS_BETWEEN_LINES = 5.0


@click.command(
    "plan-rsu",
    epilog=examples(
        "v2x map plan-rsu chongqing-central --out rsu.geojson",
        "v2x map plan-rsu my.v2xmap --target 0.9 --max-loss 110 --height 8 --out rsu.geojson",
        "v2x run my.yaml --set roadside.placement=file --set roadside.file=rsu.geojson",
    ),
)
@click.argument("source", metavar="MAP")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Sites to write: .geojson (WGS-84 where the map has it) or .csv (metres of the map).",
)
@click.option(
    "--spacing-candidates",
    default=100.0,
    show_default=True,
    metavar="M",
    help="Distance between places along the road from which sites are chosen [m].",
)
@click.option(
    "--max-loss",
    "--range-db",
    "max_loss_db",
    type=float,
    metavar="DB",
    help="Largest loss of a link that covers [dB]; by default what the link budget leaves with a "
    "lorry in the way and shadowing at 90 % of the places.",
)
@click.option(
    "--max-distance",
    "max_distance_m",
    default=500.0,
    show_default=True,
    metavar="M",
    help="Farther units do not count [m].",
)
@click.option(
    "--height", "height_m", default=5.0, show_default=True, metavar="M", help="Antennas [m]."
)
@click.option(
    "--target", default=0.95, show_default=True, metavar="SHARE", help="Share of road to cover."
)
@click.option(
    "--pathloss",
    default="tr37885-highway",
    show_default=True,
    metavar="NAME",
    help="Propagation model, as channel.pathloss of a scenario.",
)
@click.option(
    "--plot",
    "picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Map of what is covered and what stays dark (.png, .pdf, .svg).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def plan_rsu(
    source: str,
    out: Path,
    spacing_candidates: float,
    max_loss_db: float | None,
    max_distance_m: float,
    height_m: float,
    target: float,
    pathloss: str,
    picture: Path | None,
    as_json: bool,
) -> None:
    """Place the fewest roadside units that cover the roads of MAP.

    Sites are chosen from places along the roads, at junctions and at portals, by the link
    budget over the terrain, decks, tunnels and buildings of the map. The file is what a scenario
    takes as  roadside: {placement: file, file: FILE}.
    """
    if not 0.0 < target <= 1.0:
        raise V2XError(f"{target:g} is no share", file="--target", remedy="write 0 < SHARE <= 1")

    from v2x.cli.outputs import check_output, check_picture

    check_output(out, (".geojson", ".json", ".csv"), "file of sites")
    if picture is not None:
        check_picture(picture)

    from v2x.channel.coverage import CoverageParams, largest_loss_db, plan
    from v2x.world.roadside_params import RoadsideParams
    from v2x.world.rsu_files import csv_of, geojson_of
    from v2x.world.rsu_sites import candidate_sites

    try:
        placement = RoadsideParams(
            placement="spacing", spacing_m=spacing_candidates, height_m=height_m
        )
        params = CoverageParams(
            max_loss_db=largest_loss_db() if max_loss_db is None else max_loss_db,
            max_distance_m=max_distance_m,
        )
    except ValueError as error:
        option = _OPTION_OF.get(str(error).partition(" ")[0])
        raise V2XError(
            str(error), file="plan-rsu", key=option, remedy="see  v2x map plan-rsu --help"
        ) from error
    road_map = _load(source)
    candidates = candidate_sites(road_map, placement)
    with _counting("judging links") as progress:
        sites, coverage, reachable_km = plan(
            road_map,
            candidates,
            _model(pathloss, params.carrier_ghz),
            params,
            target=target,
            progress=progress,
        )
    figures = _figures(road_map, sites, coverage, reachable_km, target, candidates.n_sites)
    if out.suffix.lower() == ".csv":
        content = csv_of(sites)
    else:
        content = geojson_of(sites, road_map, {"name": f"RSUs of {road_map.name}"})
    try:
        out.write_text(content, encoding="utf-8")
    except OSError as error:
        raise V2XError(
            f"cannot be written: {error.strerror}", file=str(out), remedy="check folder and rights"
        ) from error
    if picture is not None:
        _draw(road_map, sites, coverage, picture)
    if as_json:
        click.echo(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        _print_figures(figures, out)


def _draw(road_map: RoadMap, sites: RsuSites, coverage: Coverage, picture: Path) -> None:
    from v2x.cli.progress import working
    from v2x.report.coverage import coverage_figure
    from v2x.report.style import write

    samples = coverage.samples
    with working(f"drawing {picture.name}"):
        figure = coverage_figure(
            road_map,
            samples.x_m,
            samples.y_m,
            covered=coverage.covered,
            loss_db=coverage.loss_db,
            sites=sites,
        )
        try:
            write(figure, picture)
        except (OSError, ValueError) as error:
            raise V2XError(f"cannot be written: {error}", file=str(picture)) from error


def _load(source: str) -> RoadMap:
    from v2x.cli.progress import working
    from v2x.world.store import builtin_map, load_map

    path = Path(source)
    with working(f"loading {source}"):
        return load_map(path if path.exists() else builtin_map(source))


def _model(name: str, carrier_ghz: float) -> Any:
    from v2x import registry

    model = registry.load("v2x.channel", name)
    return model(model.Params(), carrier_ghz)


def _figures(
    road_map: RoadMap,
    sites: RsuSites,
    coverage: Coverage,
    reachable_km: float,
    target: float,
    n_candidates: int,
) -> dict[str, Any]:
    """Return what the plan is worth, ready for JSON."""
    dark = coverage.dark_stretches(road_map)
    place = _places(road_map, [(stretch.x_m, stretch.y_m) for stretch in dark])
    return {
        "n_rsu": sites.n_sites,
        "n_in_tunnels": int((sites.tunnel >= 0).sum()),
        "n_candidates": n_candidates,
        "road_km": round(coverage.road_km, 3),
        "covered_km": round(coverage.covered_km, 3),
        "dark_km": round(coverage.road_km - coverage.covered_km, 3),
        "reachable_km": round(reachable_km, 3),
        "target": target,
        "share": coverage.covered_km / coverage.road_km,
        "max_loss_db": coverage.max_loss_db,
        "rsu_per_km": sites.n_sites / coverage.road_km,
        "liangjiang_rsu_per_km": LIANGJIANG_PER_KM,
        "dark_stretches": [
            {
                "name": stretch.name,
                "length_m": round(stretch.length_m, 1),
                "tunnel": stretch.tunnel,
                **at,
            }
            for stretch, at in zip(dark, place, strict=True)
        ],
    }


def _places(road_map: RoadMap, xy_m: list[tuple[float, float]]) -> list[dict[str, float]]:
    """Return positions as latitude and longitude, or in metres where the map has neither."""
    import numpy as np

    from v2x.world.projection import to_degrees
    from v2x.world.road_map import LOCAL_CRS

    xy = np.array(xy_m, dtype=np.float64).reshape(-1, 2)
    if road_map.crs == LOCAL_CRS:
        return [{"x_m": round(x, 1), "y_m": round(y, 1)} for x, y in xy.tolist()]
    latitude, longitude = to_degrees(road_map, xy[:, 0], xy[:, 1])
    return [
        {"lat": round(lat, 6), "lon": round(lon, 6)}
        for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True)
    ]


def _print_figures(figures: dict[str, Any], out: Path) -> None:
    rows = [
        ("roadside units", f"{figures['n_rsu']} ({figures['n_in_tunnels']} in tunnels)"),
        ("roads", f"{figures['road_km']:.1f} km of carriageways"),
        ("covered", f"{figures['covered_km']:.1f} km ({figures['share']:.1%})"),
        ("dark", f"{figures['dark_km']:.1f} km"),
        ("within reach of all places", f"{figures['reachable_km']:.1f} km"),
        ("largest loss", f"{figures['max_loss_db']:.1f} dB"),
        (
            "units per km",
            f"{figures['rsu_per_km']:.2f} (Liangjiang: {figures['liangjiang_rsu_per_km']:.1f})",
        ),
    ]
    for name, value in rows:
        click.echo(f"  {name:<28}{value}")
    for stretch in figures["dark_stretches"][:_SHOWN_STRETCHES]:
        kind = "tunnel" if stretch["tunnel"] else "road"
        place = (
            f"{stretch['lat']}, {stretch['lon']}"
            if "lat" in stretch
            else f"x {stretch['x_m']} m, y {stretch['y_m']} m"
        )
        click.echo(f"  dark: {stretch['length_m']:.0f} m {kind} {stretch['name']} at {place}")
    if figures["share"] < figures["target"]:
        click.echo(f"  the places within reach do not suffice for {figures['target']:.0%}")
    click.echo(f"written to {out}")


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how much of a number of things is done: a bar, or a line every few seconds."""
    if not sys.stderr.isatty():
        started = time.monotonic()
        due = [started + _SECONDS_BETWEEN_LINES]

        def tell(done: int, total: int) -> None:
            now = time.monotonic()
            if now >= due[0]:
                due[0] = now + _SECONDS_BETWEEN_LINES
                left_s = (now - started) * (total - done) / done
                click.echo(f"{what}  {done} of {total}, {left_s:.0f} s left", err=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield show
