"""Draw the example pictures of the documentation.

Run from the checkout:  python docs/make_pictures.py

Writes ``docs/pictures/*.png`` (each less than 300 kB) from the built-in map of central Chongqing.
"""

from __future__ import annotations

from pathlib import Path

from v2x.cli.map_profile import profile
from v2x.cli.places import local_place
from v2x.report import style
from v2x.report.frame import around
from v2x.report.maps import map_figure
from v2x.report.stack import stack_figure
from v2x.world.store import builtin_map, load_map

FOLDER = Path(__file__).parent / "pictures"
#: Sharp enough for a screen, and less than 300 kB each.
DPI = 110
#: The middle of the Huangjuewan interchange.
HUANGJUEWAN = "29.5877,106.6015"
#: Two roads of an interchange east of the ridge, with decks and a slope between.
LINK = ("--from", "29.55903,106.65968", "--to", "29.55524,106.65452", "--method", "deygout")


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(exist_ok=True)
    road_map = load_map(builtin_map("chongqing-central"))
    x_m, y_m = local_place(road_map, HUANGJUEWAN, option="HUANGJUEWAN")
    for name, figure in (
        ("chongqing-central", map_figure(road_map)),
        ("huangjuewan", map_figure(road_map, window=around(x_m, y_m, 400.0))),
        ("huangjuewan-side", stack_figure(road_map, x_m, y_m, 250.0)),
    ):
        style.write(figure, FOLDER / f"{name}.png", dpi=DPI)
    link = ("chongqing-central", *LINK, "--out", str(FOLDER / "link-profile.png"))
    profile(link, standalone_mode=False)


if __name__ == "__main__":
    main()
