"""``v2x map side``: a stack of roads from the side."""

from __future__ import annotations

from pathlib import Path

import click

from v2x.cli.options import FiniteRange, examples
from v2x.errors import V2XError


@click.command(
    "side",
    epilog=examples(
        "v2x map side chongqing-central --at 29.5877,106.6015 --out huangjuewan.png",
        "v2x map side chongqing-central --at 29.5877,106.6015 --radius 120 --view 0 --out n.png",
    ),
)
@click.argument("source", metavar="MAP")
@click.option(
    "--at", required=True, metavar="LAT,LON", help="Place to look at; X,Y [m] on local maps."
)
@click.option(
    "--radius",
    "radius_m",
    type=FiniteRange(10.0, 5000.0),
    default=250.0,
    show_default=True,
    help="Show roads within this distance [m].",
)
@click.option(
    "--view",
    "azimuth_deg",
    type=FiniteRange(0.0, 360.0),
    help="Look in this direction, clockwise from north [degree]; best one if not given.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Picture to write (.png, .pdf, .svg).",
)
def side(source: str, at: str, radius_m: float, azimuth_deg: float | None, out: Path) -> None:
    """Draw the roads around a place on MAP from the side, with their clearances.

    MAP is a map file or the name of a built-in map.
    """
    from v2x.cli.outputs import check_picture
    from v2x.cli.places import local_place
    from v2x.cli.progress import working
    from v2x.report.stack import stack_figure
    from v2x.report.style import write
    from v2x.world.store import builtin_map, load_map

    check_picture(out)
    path = Path(source)
    with working(f"loading {source}"):
        road_map = load_map(path if path.exists() else builtin_map(source))
    x_m, y_m = local_place(road_map, at, option="--at")
    with working(f"drawing {source}"):
        figure = stack_figure(road_map, x_m, y_m, radius_m, azimuth_deg)
        try:
            write(figure, out)
        except (OSError, ValueError) as error:
            raise V2XError(f"cannot be written: {error}", file=str(out)) from error
    click.echo(f"written to {out}")
