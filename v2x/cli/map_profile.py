"""``v2x map profile``: one link from the side, and what every obstacle costs it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from v2x.cli.options import FiniteRange, examples
from v2x.errors import V2XError

if TYPE_CHECKING:
    from v2x.channel.antenna import Antennas
    from v2x.channel.obstacle_map import ObstacleMap
    from v2x.channel.profile import LinkProfile, Spans
    from v2x.world.road_map import RoadMap
    from v2x.world.standing import Standing

_HEIGHT = FiniteRange(0.1, 200.0)
#: Decks that end and begin this near each other are one to the reader [m].
_JOINT_M = 1.0
_INDENT = "  "


def _level(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> int | str | None:
    """Return a level of the map, or "ground"."""
    if value is None or value == "ground":
        return value
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is neither a whole number nor 'ground'", context, parameter
        ) from None


@dataclass(frozen=True, slots=True)
class _End:
    """One end of the link as the user named it."""

    option: str
    place: str
    height_m: float
    level: int | str | None


@click.command(
    "profile",
    epilog=examples(
        "v2x map profile chongqing-central --from 29.5877,106.6015 --to 29.5890,106.6040",
        "v2x map profile chongqing-central --from 29.5540,106.6080 --to 29.5550,106.6130 "
        "--height-to 5 --rain 50 --json",
    ),
)
@click.argument("source", metavar="MAP")
@click.option(
    "--from", "from_", required=True, metavar="LAT,LON", help="One end; X,Y [m] on local maps."
)
@click.option("--to", required=True, metavar="LAT,LON", help="The other end.")
@click.option(
    "--height-from",
    type=_HEIGHT,
    default=1.6,
    show_default=True,
    help="Antenna above road or ground at --from [m].",
)
@click.option(
    "--height-to",
    type=_HEIGHT,
    default=1.6,
    show_default=True,
    help="Antenna above road or ground at --to [m].",
)
@click.option(
    "--level",
    callback=_level,
    metavar="LEVEL",
    help="Stand on roads of this level, or on the 'ground', instead of the top-most road.",
)
@click.option("--from-level", callback=_level, metavar="LEVEL", help="The same for --from alone.")
@click.option("--to-level", callback=_level, metavar="LEVEL", help="The same for --to alone.")
@click.option(
    "--carrier-ghz",
    type=FiniteRange(1.0, 54.0),
    default=5.9,
    show_default=True,
    help="Carrier frequency [GHz].",
)
@click.option(
    "--method",
    type=click.Choice(["bullington", "deygout", "none"]),
    default="bullington",
    show_default=True,
    help="How the ground becomes a loss.",
)
@click.option(
    "--rain",
    "rain_mm_h",
    type=FiniteRange(0.0, 300.0),
    default=0.0,
    show_default=True,
    help="Rain rate [mm/h].",
)
@click.option(
    "--visibility",
    "visibility_m",
    type=FiniteRange(5.0, 100_000.0),
    default=10_000.0,
    show_default=True,
    help="Meteorological visibility [m]; fog below 1000.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--out", type=click.Path(path_type=Path), help="Picture to write (.png, .pdf, .svg).")
def profile(
    source: str,
    from_: str,
    to: str,
    height_from: float,
    height_to: float,
    level: int | str | None,
    from_level: int | str | None,
    to_level: int | str | None,
    carrier_ghz: float,
    method: str,
    rain_mm_h: float,
    visibility_m: float,
    as_json: bool,
    out: Path | None,
) -> None:
    """Print the terrain profile and the losses of one link on MAP.

    MAP is a map file or the name of a built-in map. Both ends stand on the road that lies under
    them, the top-most of several, or is nearest within 15 m; elsewhere on the ground. Vehicles
    in the way and shadowing are not counted.
    """
    from v2x.channel.obstacle_map import obstacle_map_of
    from v2x.channel.obstacle_params import ObstacleParams
    from v2x.channel.section import link_profile
    from v2x.cli.outputs import check_picture
    from v2x.cli.progress import working
    from v2x.world.store import builtin_map, load_map
    from v2x.world.weather import WeatherParams

    if out is not None:
        check_picture(out)
    path = Path(source)
    with working(f"loading {source}"):
        road_map = load_map(path if path.exists() else builtin_map(source))
        obstacles = obstacle_map_of(road_map)
    ends = (
        _End("--from", from_, height_from, level if from_level is None else from_level),
        _End("--to", to, height_to, level if to_level is None else to_level),
    )
    feet = [_stand(road_map, end) for end in ends]
    a, b = (_antenna(obstacles, foot, end) for foot, end in zip(feet, ends, strict=True))
    if float(abs(a.position_m - b.position_m).max()) < 0.01:
        raise V2XError("is the same place as --from", file="--to", remedy="name another place")
    section = link_profile(
        obstacles,
        ObstacleParams(terrain_method=method),
        a,
        b,
        feet_m=(feet[0].z_m, feet[1].z_m),
        carrier_ghz=carrier_ghz,
        weather=WeatherParams(rain_mm_h=rain_mm_h, visibility_m=visibility_m),
    )
    if out is not None:
        _draw(section, road_map, out)
    facts = _facts(road_map, obstacles, section, feet, ends, carrier_ghz)
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        _print(facts)
        if out is not None:
            click.echo(f"written to {out}")


def _stand(road_map: RoadMap, end: _End) -> Standing:
    from v2x.cli.places import local_place
    from v2x.world.standing import stand_at, stand_on_ground

    x_m, y_m = local_place(road_map, end.place, option=end.option)
    try:
        if isinstance(end.level, str):
            return stand_on_ground(road_map, x_m, y_m)
        return stand_at(road_map, x_m, y_m, end.level)
    except V2XError as error:
        raise V2XError(
            f"{end.place}: {error.message}", file=end.option, remedy=error.remedy
        ) from None


def _antenna(obstacles: ObstacleMap, foot: Standing, end: _End) -> Antennas:
    import numpy as np

    from v2x.channel.antenna import Antennas

    on_road = foot.edge >= 0
    return Antennas(
        position_m=np.array([[foot.x_m], [foot.y_m], [foot.z_m + end.height_m]]),
        tube=obstacles.edge_tube[[foot.edge]] if on_road else np.array([-1], dtype=np.int32),
        axis_rad=np.array([foot.heading_rad]),
        width_m=obstacles.edge_width_m[[foot.edge]] if on_road else np.zeros(1),
        roadside=np.zeros(1, dtype=np.bool_),
    )


def _draw(section: LinkProfile, road_map: RoadMap, out: Path) -> None:
    from v2x.report.profile import profile_figure
    from v2x.report.style import write

    figure = profile_figure(section, attribution=road_map.attribution)
    try:
        write(figure, out)
    except (OSError, ValueError) as error:
        raise V2XError(f"cannot be written: {error}", file=str(out)) from error


def _facts(
    road_map: RoadMap,
    obstacles: ObstacleMap,
    section: LinkProfile,
    feet: list[Standing],
    ends: tuple[_End, _End],
    carrier_ghz: float,
) -> dict[str, Any]:
    """Return everything there is to say about the link, ready for JSON."""
    from v2x.channel.attenuation import gas_db_per_km

    heights_m = section.height_a_m, section.height_b_m
    distance_m = math.hypot(section.length_m, heights_m[1] - heights_m[0])
    edges = section.edges
    return {
        "map": road_map.name,
        "carrier_ghz": carrier_ghz,
        "from": _place(road_map, obstacles, feet[0], ends[0]),
        "to": _place(road_map, obstacles, feet[1], ends[1]),
        "distance_m": round(distance_m, 2),
        "plan_distance_m": round(section.length_m, 2),
        "state": section.state.name.lower(),
        # Adding zero turns a negative one into a plain one.
        "loss_db": {name: round(loss, 3) + 0.0 for name, loss in section.loss_db.items()},
        "total_db": round(section.total_db, 3) if math.isfinite(section.total_db) else None,
        "not_counted_db": {"gases": round(sum(gas_db_per_km(carrier_ghz)) * distance_m / 1e3, 5)},
        "edges": [
            {"distance_m": round(d, 2), "height_m": round(h, 2), "loss_db": round(loss, 3)}
            for d, h, loss in zip(
                edges.distance_m.tolist(),
                edges.height_m.tolist(),
                edges.loss_db.tolist(),
                strict=True,
            )
        ],
        "edge_method": edges.method,
        "decks": _spans(section.decks),
        "buildings": _spans(section.buildings),
        "profile": {
            "distance_m": section.distance_m.round(2).tolist(),
            "ground_m": section.ground_m.round(2).tolist(),
            "ray_m": section.ray_m(section.distance_m).round(2).tolist(),
            "water": section.water.tolist(),
        },
        "attribution": road_map.attribution,
    }


def _place(road_map: RoadMap, obstacles: ObstacleMap, foot: Standing, end: _End) -> dict[str, Any]:
    from v2x.world.road_map import Structure

    place = {
        "x_m": round(foot.x_m, 2),
        "y_m": round(foot.y_m, 2),
        "z_m": round(foot.z_m, 2),
        "antenna_height_m": end.height_m,
        "on": "ground",
        "level": None,
        "street": None,
        "tube": None,
    }
    if foot.edge >= 0:
        tube = int(obstacles.edge_tube[foot.edge])
        place |= {
            "on": Structure(road_map.edge_structure[foot.edge]).name.lower() + " road",
            "level": int(road_map.edge_level[foot.edge]),
            "street": road_map.edge_name[foot.edge] or None,
            "tube": None if tube < 0 else tube,
        }
    return place


def _spans(spans: Spans) -> list[dict[str, Any]]:
    return [
        {
            "from_m": round(float(spans.from_m[k]), 2),
            "to_m": round(float(spans.to_m[k]), 2),
            "bottom_m": round(float(spans.bottom_m[k]), 2),
            "top_m": round(float(spans.top_m[k]), 2),
            "cuts": bool(spans.cuts[k]),
        }
        for k in range(spans.n_spans)
    ]


def _print(facts: dict[str, Any]) -> None:
    click.secho(f"{facts['map']}, {facts['carrier_ghz']:g} GHz", bold=True)
    for end in ("from", "to"):
        place = facts[end]
        street = f" {place['street']}" if place["street"] else ""
        level = "" if place["level"] is None else f", level {place['level']}"
        click.echo(
            f"{_INDENT}{end:<5}{place['on']}{street}{level}: {place['z_m']:.1f} m, antenna "
            f"{place['antenna_height_m']:g} m above"
        )
    click.echo(f"{_INDENT}{facts['distance_m']:.1f} m apart, {_in_words(facts['state'])}")
    ground, ray = facts["profile"]["ground_m"], facts["profile"]["ray_m"]
    clear_m, at_m = min(
        (over - under, at)
        for over, under, at in zip(ray, ground, facts["profile"]["distance_m"], strict=True)
    )
    click.echo(
        f"{_INDENT}ground {min(ground):.1f} to {max(ground):.1f} m, ray {clear_m:+.1f} m over it "
        f"at {at_m:.0f} m"
    )
    for edge in facts["edges"]:
        click.echo(
            f"{_INDENT}{facts['edge_method']} edge at {edge['distance_m']:.0f} m, "
            f"{edge['height_m']:.1f} m high: {edge['loss_db']:.1f} dB"
        )
    for key, name in (("decks", "deck"), ("buildings", "building")):
        for span in _joined(facts[key]):
            click.echo(
                f"{_INDENT}{name} from {span['from_m']:.0f} to {span['to_m']:.0f} m, top "
                f"{span['top_m']:.1f} m{', in the way' if span['cuts'] else ''}"
            )
    losses = facts["loss_db"]
    for name, loss in losses.items():
        click.echo(f"{_INDENT}{name:<28}{loss:8.2f} dB")
    total = facts["total_db"]
    click.echo(f"{_INDENT}{'total':<28}" + (f"{total:8.2f} dB" if total is not None else "no link"))
    if facts["attribution"]:
        click.echo(f"{_INDENT}{facts['attribution']}")


def _joined(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return spans with those that go on from each other, at one height, made one."""
    joined: list[dict[str, Any]] = []
    for span in spans:
        last = joined[-1] if joined else None
        if (
            last is not None
            and abs(span["from_m"] - last["to_m"]) < _JOINT_M
            and abs(span["top_m"] - last["top_m"]) < _JOINT_M
        ):
            joined[-1] = last | {
                "to_m": span["to_m"],
                "top_m": max(last["top_m"], span["top_m"]),
                "cuts": last["cuts"] or span["cuts"],
            }
        else:
            joined.append(span)
    return joined


def _in_words(state: str) -> str:
    return {
        "los": "nothing in the way",
        "nlos": "behind buildings",
        "tunnel": "through a tunnel",
        "deck": "behind a deck",
        "terrain": "behind the ground",
        "blocked": "rock between",
    }[state]
