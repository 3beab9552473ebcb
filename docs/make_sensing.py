"""Measure and draw what ``docs/sensing.md`` shows: what a car sees on two maps.

Run from the checkout:  python docs/make_sensing.py

Writes ``docs/sensing/views.png`` and prints the tables of the page.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from v2x.mobility.fleet import FleetState
from v2x.mobility.geometry import RoadGeometry
from v2x.perception.sensor_params import OnboardParams
from v2x.perception.sensors import Sensors
from v2x.report import style
from v2x.world.road_map import FloatArray, IntArray, RoadMap
from v2x.world.store import builtin_map, load_map
from v2x.world.synthetic import highway
from v2x.world.weather import WeatherParams

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = Path(__file__).parent / "sensing"
DPI = 110
SEED = 1
#: Distance of the cars on each lane, and half the side of the window drawn [m].
SPACING_M, WINDOW_M = 18.0, 120.0
#: Sensors that miss nothing, so that the picture shows the geometry.
SURE = OnboardParams()
SURE = replace(
    SURE,
    confirm_hits=1,
    confirm_of=1,
    lose_after=1,
    **{kind: replace(getattr(SURE, kind), detection=1.0) for kind in SURE.kinds},
)


def parked(road_map: RoadMap) -> FleetState:
    """Return cars every few metres on all lanes of a map."""
    edge, lane, offset = [], [], []
    for e in range(road_map.n_edges):
        for k in range(int(road_map.edge_lanes[e])):
            at = np.arange(6.0, float(road_map.edge_length_m[e]), SPACING_M)
            offset.append(at)
            edge.append(np.full(len(at), e, dtype=np.int32))
            lane.append(np.full(len(at), k, dtype=np.int32))
    return standing(road_map, np.concatenate(edge), np.concatenate(lane), np.concatenate(offset))


def standing(road_map: RoadMap, edge: IntArray, lane: IntArray, offset_m: FloatArray) -> FleetState:
    """Return cars whose middles are at these places."""
    road = RoadGeometry(road_map)
    x, y, z, heading = road.position(edge, offset_m, road.lane_lateral_m(edge, lane))
    n = len(edge)
    return FleetState(
        time_us=0,
        id=np.arange(n, dtype=np.int64),
        kind=np.zeros(n, dtype=np.int32),
        x_m=x,
        y_m=y,
        z_m=z,
        heading_rad=heading,
        speed_mps=np.zeros(n),
        acceleration_mps2=np.zeros(n),
        edge=edge,
        lane=lane,
        offset_m=offset_m,
        level=road.level(edge),
        tunnel=road.tunnel(edge),
        length_m=np.full(n, 5.0),
        width_m=np.full(n, 2.0),
        height_m=np.full(n, 1.6),
        antenna_height_m=np.full(n, 1.6),
        leader=np.full(n, -1, dtype=np.int32),
        gap_m=np.full(n, np.inf),
    )


def seen_by(sensors: Sensors, fleet: FleetState, host: int) -> set[int]:
    """Return which other cars a host sees."""
    found = sensors.see(fleet)
    return set(found.object[found.host == host].tolist())


def draw(axes: Axes, road_map: RoadMap, host: int, fleet: FleetState, title: str) -> None:
    """Draw the cars about a host by whether it sees them, and what hides the others."""
    weather = WeatherParams()
    by_all = seen_by(Sensors(SURE, road_map, weather, SEED), fleet, host)
    by_bodies = seen_by(Sensors(SURE, road_map, weather, SEED, solid=False), fleet, host)
    x0, y0 = float(fleet.x_m[host]), float(fleet.y_m[host])
    if road_map.terrain is not None:
        terrain = road_map.terrain
        n_rows, n_columns = terrain.height_m.shape
        x = terrain.west_m + terrain.step_m * np.arange(n_columns)
        y = terrain.south_m + terrain.step_m * np.arange(n_rows)
        columns, rows = np.abs(x - x0) < 1.2 * WINDOW_M, np.abs(y - y0) < 1.2 * WINDOW_M
        height = terrain.height_m[np.ix_(rows, columns)] - float(fleet.z_m[host])
        lines = axes.contour(
            x[columns] - x0,
            y[rows] - y0,
            height,
            levels=np.arange(-60.0, 80.0, 5.0),
            colors=style.MID_GREY,
            linewidths=0.4,
        )
        axes.clabel(lines, levels=np.arange(-60.0, 80.0, 20.0), fontsize=6, fmt="%d")
    for edge in range(road_map.n_edges):
        points = slice(*road_map.first_point[edge : edge + 2].tolist())
        axes.plot(
            road_map.point_x_m[points] - x0,
            road_map.point_y_m[points] - y0,
            color=style.LIGHT_GREY,
            linewidth=2.5,
            zorder=1,
        )
    others = np.array([k for k in range(fleet.n_rows) if k != host])
    kinds = (
        ("seen", style.GREEN, lambda k: k in by_all),
        ("hidden by ground or deck", style.VERMILLION, lambda k: k in by_bodies - by_all),
        (
            "hidden by vehicles, or not looked at",
            style.MID_GREY,
            lambda k: k not in by_bodies | by_all,
        ),
    )
    for label, colour, belongs in kinds:
        rows_of = np.array([k for k in others.tolist() if belongs(k)], dtype=np.intp)
        axes.scatter(
            fleet.x_m[rows_of] - x0,
            fleet.y_m[rows_of] - y0,
            s=7,
            color=colour,
            label=label,
            zorder=3,
        )
    heading = float(fleet.heading_rad[host])
    axes.quiver(
        0.0,
        0.0,
        np.cos(heading),
        np.sin(heading),
        color=style.BLUE,
        scale=12,
        width=0.012,
        zorder=4,
        label="host",
    )
    axes.set(
        xlim=(-WINDOW_M, WINDOW_M),
        ylim=(-WINDOW_M, WINDOW_M),
        aspect="equal",
        title=title,
        xlabel="east [m]",
        ylabel="north [m]",
    )


def nearest(fleet: FleetState, edges: NDArray[np.intp], x_m: float, y_m: float) -> int:
    """Return the car on one of some edges that is nearest to a place."""
    rows = np.flatnonzero(np.isin(fleet.edge, edges))
    away = np.hypot(fleet.x_m[rows] - x_m, fleet.y_m[rows] - y_m)
    return int(rows[away.argmin()])


@style.styled
def picture() -> None:
    """Draw both maps."""
    figure = style.new_figure(4.2)
    axes = figure.subplots(1, 2)
    curve = load_map(builtin_map("blind-curve"))
    fleet = parked(curve)
    named = np.flatnonzero([name == "Blind Curve R60" for name in curve.edge_name])
    # The direction with the rock on its right drives in the inner lane.
    inner = named[1:]
    rows = np.flatnonzero(np.isin(fleet.edge, inner))
    host = int(rows[fleet.offset_m[rows].argsort()[1]])
    draw(axes[0], curve, host, fleet, "blind curve, R 60 m, inner lane")
    stack = load_map(builtin_map("huangjuewan"))
    fleet = parked(stack)
    upper = np.flatnonzero(stack.edge_level >= 2)
    middle = upper[np.argmax(stack.edge_length_m[upper])]
    points = slice(*stack.first_point[middle : middle + 2].tolist())
    host = nearest(
        fleet,
        np.array([middle]),
        float(np.median(stack.point_x_m[points])),
        float(np.median(stack.point_y_m[points])),
    )
    draw(axes[1], stack, host, fleet, "interchange, upper deck")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    FOLDER.mkdir(exist_ok=True)
    style.write(figure, FOLDER / "views.png", dpi=DPI)


def cost(name: str, fleet: FleetState, road_map: RoadMap) -> None:
    """Print the processor time of a tick of the default sensors."""
    sensors = Sensors(OnboardParams(), road_map, WeatherParams(), SEED)
    spent = []
    for tick in range(30):
        begin = time.process_time()
        found = sensors.see(replace(fleet, time_us=tick * 100_000))
        spent.append(time.process_time() - begin)
    per_car = len(found) / fleet.n_rows
    sys.stdout.write(f"{name}: {1e3 * min(spent):.1f} ms per tick, {per_car:.1f} tracks per car\n")


def scattered(road_map: RoadMap, n: int) -> FleetState:
    """Return cars at random places of a map."""
    rng = np.random.default_rng(SEED)
    length = road_map.edge_length_m
    edge = rng.choice(road_map.n_edges, n, p=length / length.sum()).astype(np.int32)
    lane = (rng.random(n) * road_map.edge_lanes[edge]).astype(np.int32)
    return standing(road_map, edge, lane, rng.random(n) * length[edge])


def main() -> None:
    """Draw and print."""
    picture()
    for length_m in (2500.0, 10_000.0):
        road_map = highway(length_m=length_m)
        cost(f"highway, 300 cars on {length_m / 1e3:g} km", scattered(road_map, 300), road_map)
    for name in ("blind-curve", "huangjuewan", "chongqing-central"):
        road_map = load_map(builtin_map(name))
        cost(f"{name}, 300 cars", scattered(road_map, 300), road_map)


if __name__ == "__main__":
    main()
