"""``v2x map``: import, describe and draw road networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v2x.cli.options import examples
from v2x.errors import V2XError

if TYPE_CHECKING:
    from collections.abc import Callable

    from v2x.world.elevation import Elevation
    from v2x.world.road_map import RoadMap

_FILE = click.Path(path_type=Path)
_ELEVATION_HELP = (
    "Terrain: SRTM .hgt or .hgt.zip, a folder of them, a GeoTIFF, or 'chongqing' for the analytic "
    "surface of its centre."
)


@click.group(
    "map",
    epilog=examples(
        "v2x map import andorra.osm.gz --elevation N42E001.hgt.zip --out andorra.v2xmap"
    ),
)
def map_group() -> None:
    """Import, describe and draw road networks."""


@map_group.command(
    "import",
    epilog=examples(
        "v2x map import andorra.osm.gz --elevation N42E001.hgt.zip --out andorra.v2xmap",
        "v2x map import --place Monaco --out monaco.v2xmap",
        "v2x map import --bbox 106.58,29.57,106.62,29.60 --out huangjuewan.v2xmap",
    ),
)
@click.argument("source", metavar="FILE", required=False)
@click.option("--place", help="Fetch the roads of a place by its name instead.")
@click.option("--bbox", metavar="W,S,E,N", help="Fetch the roads in a box [degree] instead.")
@click.option("--elevation", type=_FILE, help=_ELEVATION_HELP)
@click.option(
    "--datum",
    type=click.Choice(["wgs84", "gcj02"]),
    default="wgs84",
    show_default=True,
    help="Datum of FILE; gcj02 is that of Chinese web maps, 480 m off in Chongqing.",
)
@click.option("--out", required=True, type=_FILE, help="Map file to write, *.v2xmap.")
def import_(
    source: str | None,
    place: str | None,
    bbox: str | None,
    elevation: Path | None,
    datum: str,
    out: Path,
) -> None:
    """Turn an OpenStreetMap extract into a map.

    FILE is an .osm, .osm.gz or .graphml file. Places and boxes are fetched from the Overpass
    service, which needs a network.
    """
    if sum(origin is not None for origin in (source, place, bbox)) != 1:
        raise click.UsageError("give one of FILE, --place and --bbox")
    if source is None:
        if datum != "wgs84":
            raise click.UsageError("--datum is for files; OpenStreetMap answers in wgs84")
        _fetch(place, bbox, elevation, out)
        return

    from v2x.world import osm

    _compile(
        source, lambda: osm.import_osm(source, elevation=_elevation(elevation), datum=datum), out
    )


@map_group.command(
    epilog=examples(
        "v2x map fetch --place Monaco --elevation N43E007.hgt.zip --out monaco.v2xmap",
        "v2x map fetch --bbox 106.58,29.57,106.62,29.60 --elevation chongqing --out ring.v2xmap",
    )
)
@click.option("--place", help="Place by its name.")
@click.option("--bbox", metavar="W,S,E,N", help="Box [degree].")
@click.option("--elevation", type=_FILE, help=_ELEVATION_HELP)
@click.option("--out", required=True, type=_FILE, help="Map file to write, *.v2xmap.")
def fetch(place: str | None, bbox: str | None, elevation: Path | None, out: Path) -> None:
    """Fetch the roads of a place or box from OpenStreetMap and turn them into a map.

    The Overpass service is asked, which needs a network; answers are kept and used again.
    """
    if (place is None) == (bbox is None):
        raise click.UsageError("give one of --place and --bbox")
    _fetch(place, bbox, elevation, out)


def _fetch(place: str | None, bbox: str | None, elevation: Path | None, out: Path) -> None:
    from v2x.world import osm

    if bbox is not None:
        box = _box(bbox)
        _compile(bbox, lambda: osm.fetch_bbox(*box, elevation=_elevation(elevation)), out)
    elif place is not None:
        _compile(place, lambda: osm.fetch_place(place, elevation=_elevation(elevation)), out)


def _elevation(source: Path | None) -> Elevation | None:
    """Return the source of heights before anything else is read or asked for."""
    from v2x.world.elevation import load_elevation

    return None if source is None else load_elevation(source)


def _compile(what: str, make: Callable[[], RoadMap], out: Path) -> None:
    """Make a map, write it and say what it is."""
    from v2x.cli.outputs import check_output
    from v2x.cli.progress import working
    from v2x.world.store import SUFFIX, save_map, summary

    check_output(out, (SUFFIX,), "map")
    with working(f"importing {what}"):
        road_map = make()
        save_map(road_map, out)
    _print_summary(road_map, summary(road_map))
    click.echo(f"written to {out}")


@map_group.command(epilog=examples("v2x map info chongqing-central"))
@click.argument("source", metavar="MAP")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def info(source: str, as_json: bool) -> None:
    """Print size, structures, grades and defaults of MAP.

    MAP is a map file or the name of a built-in map.
    """
    from v2x.world.store import summary

    road_map = _load(source)
    figures = summary(road_map)
    if as_json:
        click.echo(json.dumps(figures, indent=2, ensure_ascii=False))
    else:
        _print_summary(road_map, figures)


@map_group.command(epilog=examples("v2x map plot chongqing-central --out chongqing.png"))
@click.argument("source", metavar="MAP")
@click.option("--out", required=True, type=_FILE, help="Picture to write (.png, .pdf, .svg).")
def plot(source: str, out: Path) -> None:
    """Draw MAP with its grades, bridges and tunnels."""
    from v2x.cli.outputs import check_picture
    from v2x.cli.progress import working
    from v2x.report.maps import map_figure
    from v2x.report.style import write

    check_picture(out)
    road_map = _load(source)
    with working(f"drawing {source}"):
        figure = map_figure(road_map)
        try:
            write(figure, out)
        except (OSError, ValueError) as error:
            raise V2XError(f"cannot be written: {error}", file=str(out)) from error
    click.echo(f"written to {out}")


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise V2XError(
            f"{text!r} is not four numbers", file="--bbox", remedy="write west,south,east,north"
        ) from None
    return west, south, east, north


def _load(source: str) -> RoadMap:
    from v2x.cli.progress import working
    from v2x.world.store import builtin_map, load_map

    path = Path(source)
    with working(f"loading {source}"):
        return load_map(path if path.exists() else builtin_map(source))


def _print_summary(road_map: RoadMap, figures: dict[str, Any]) -> None:
    click.secho(road_map.name, bold=True)
    for title, text in _lines(figures):
        click.echo(f"  {title:<10} {text}")
    for note in road_map.report.notes:
        click.echo(f"  {note}")
    if road_map.attribution:
        click.echo(f"  {road_map.attribution}")


def _lines(figures: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the figures of a map in words, with their titles."""
    lowest, highest = figures["levels"]
    steep, ground = figures["grade_violations"], figures["terrain"]
    stacks = f"{figures['n_stacked_pairs']} crossings above each other"
    if figures["min_stack_clearance_m"] is not None:
        stacks += f", the closest {figures['min_stack_clearance_m']:.1f} m apart"
    return [
        (
            "roads",
            f"{figures['km']:.1f} km in {figures['n_edges']} edges and {figures['n_nodes']} nodes, "
            f"{figures['strong_km']:.1f} km of them mutually reachable",
        ),
        (
            "ends",
            f"{figures['n_entries']} entries and {figures['n_exits']} exits, "
            f"{figures['n_mainline_entries']} and {figures['n_mainline_exits']} on main roads; "
            f"{figures['n_signals']} signals",
        ),
        ("bridges", f"{figures['bridge_km']:.1f} km"),
        (
            "tunnels",
            f"{figures['tunnel_km']:.1f} km in {figures['n_tubes']} tubes with "
            f"{figures['n_portals']} portals",
        ),
        (
            "levels",
            f"{lowest} to {highest}; {stacks}; {figures['n_unordered_crossings']} without an order",
        ),
        (
            "grades",
            f"{_percent(figures['grade_percentiles'])}; steepest {100 * figures['max_grade']:.1f} %"
            f"; {1000 * steep['km']:.0f} m on {steep['edges']} edges above design",
        ),
        ("terrain", "none" if ground is None else _ground_line(ground, figures["voids_filled"])),
        ("buildings", str(figures["n_buildings"])),
        ("defaults", _counts(figures["defaults_used"])),
        ("dropped", _counts(figures["dropped"])),
    ]


def _ground_line(ground: dict[str, float], voids: int) -> str:
    return (
        f"every {ground['step_m']:g} m over {ground['width_km']:.1f} x {ground['height_km']:.1f} km"
        f", {ground['lowest_m']:.0f} to {ground['highest_m']:.0f} m, "
        f"{100 * ground['water']:.1f} % water; {ground['decks_below_km']:.1f} km of decks below it "
        f"and {ground['tunnels_above_km']:.1f} km of tunnels above it; {voids} voids filled"
    )


def _percent(percentiles: dict[str, float]) -> str:
    return ", ".join(f"{name} {100 * grade:.1f} %" for name, grade in percentiles.items())


def _counts(counts: dict[str, float]) -> str:
    named = (f"{key.replace('_', ' ')} {amount:g}" for key, amount in counts.items())
    return ", ".join(named) or "none"
