"""``v2x map``: import, describe and draw road networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v2x.cli.options import examples
from v2x.errors import V2XError

if TYPE_CHECKING:
    from v2x.world.road_map import RoadMap

_FILE = click.Path(path_type=Path)


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
@click.option("--elevation", type=_FILE, help="Terrain raster: SRTM .hgt, .hgt.zip or GeoTIFF.")
@click.option("--out", required=True, type=_FILE, help="Map file to write, *.v2xmap.")
def import_(
    source: str | None, place: str | None, bbox: str | None, elevation: Path | None, out: Path
) -> None:
    """Turn an OpenStreetMap extract into a map.

    FILE is an .osm, .osm.gz or .graphml file. Places and boxes are fetched from the Overpass
    service, which needs a network.
    """
    if sum(origin is not None for origin in (source, place, bbox)) != 1:
        raise click.UsageError("give one of FILE, --place and --bbox")
    box = None if bbox is None else _box(bbox)

    from v2x.cli.progress import working
    from v2x.world import osm
    from v2x.world.store import SUFFIX, save_map, summary

    if out.suffix != SUFFIX:
        raise V2XError(
            "is no name of a map", file=str(out), remedy=f"write to {out.with_suffix(SUFFIX).name}"
        )
    with working(f"importing {source or place or bbox}"):
        if box is not None:
            road_map = osm.fetch_bbox(*box, elevation=elevation)
        elif place is not None:
            road_map = osm.fetch_place(place, elevation=elevation)
        else:
            road_map = osm.import_osm(str(source), elevation=elevation)
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
    from v2x.cli.progress import working
    from v2x.report.maps import map_figure
    from v2x.report.style import write

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
    for key, value in figures.items():
        click.echo(f"  {key:<24} {_in_words(value)}")
    for note in road_map.report.notes:
        click.echo(f"  {note}")
    if road_map.attribution:
        click.echo(f"  {road_map.attribution}")


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return " to ".join(map(_in_words, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
