"""Base stations, and what they reach of the roads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from v2x.cellular import pathloss
from v2x.cellular.capacity import LinkBudget
from v2x.cellular.coverage import RoadCoverage, edge_samples, road_coverage
from v2x.cellular.params import UuParams, UuRadioParams
from v2x.cellular.sites import base_stations
from v2x.channel.obstacle_params import ObstacleParams
from v2x.errors import V2XError
from v2x.world.road_map import RoadMap, Structure
from v2x.world.store import load_map
from v2x.world.synthetic import highway
from v2x.world.terrain import Terrain
from v2x.world.weather import WeatherParams

CALM = UuRadioParams(environment="uma", shadowing=False)


def at(*positions: tuple[float, float], **changes: Any) -> UuParams:
    return UuParams(placement="positions", positions=positions, radio=CALM, **changes)


def road() -> RoadMap:
    return highway(length_m=2000.0, lanes_per_direction=2, wrap=False)


def covered(road_map: RoadMap, params: UuParams, seed: int = 1) -> RoadCoverage:
    stations = base_stations(road_map, params)
    return road_coverage(road_map, stations, params, ObstacleParams(), WeatherParams(), seed)


def test_points_lie_on_their_edges_and_are_found_again() -> None:
    road_map = road()
    samples = edge_samples(road_map, 20.0)
    assert np.diff(samples.first).tolist() == [100] * road_map.n_edges
    edge = np.array([0, 1, 0, -1], dtype=np.int32)
    place = samples.at(edge, np.array([0.0, 1999.0, 2500.0, 5.0]))
    assert place.tolist() == [0, 199, 99, -1]
    assert samples.points.x_m[place[0]] == pytest.approx(road_map.point_x_m.min() + 10.0)


def test_loss_is_that_of_the_law_of_sight_or_without_it() -> None:
    params = at((0.0, 100.0))
    found = covered(road(), params)
    points = found.samples.points
    plan = np.hypot(points.x_m - 0.0, points.y_m - 100.0)
    n = len(plan)
    ends = pathloss.Links(plan, np.hypot(plan, 23.5), np.full(n, 25.0), np.full(n, 1.5))
    los, nlos = pathloss.los_db("uma", ends, 3.5), pathloss.nlos_db("uma", ends, 3.5)
    loss = found.loss_db[:, 0]
    hidden = np.isclose(loss, nlos, atol=1e-6) & ~np.isclose(nlos, los)
    assert (hidden | np.isclose(loss, los, atol=1e-6)).all()
    # 200 correlated points: the share without sight is within 0.15 of the probability.
    expected = 1.0 - pathloss.p_los("uma", plan).mean()
    assert abs(hidden.mean() - expected) < 0.15


def test_shadowing_has_the_deviation_and_correlation_of_the_table() -> None:
    """Over 20 seeds of 200 points each; 37 m of decorrelation, points 20 m apart."""
    road_map = road()
    calm = at((0.0, 100.0))
    noisy = replace(calm, radio=replace(CALM, shadowing=True))
    draws = []
    for seed in range(20):
        quiet, loud = covered(road_map, calm, seed), covered(road_map, noisy, seed)
        draws.append((loud.loss_db - quiet.loss_db)[:, 0])
    field = np.array(draws)
    # Each point has 4 dB or 6 dB; the field is between, and never off by more.
    assert 3.5 < field.std() < 6.2
    along = field[:, :100]
    correlation = np.corrcoef(along[:, 1:].ravel(), along[:, :-1].ravel())[0, 1]
    assert abs(correlation - np.exp(-20 / 37)) < 0.06


def test_the_way_round_a_wrap_around_map_is_the_short_one() -> None:
    road_map = highway(length_m=2000.0, lanes_per_direction=2, wrap=True)
    west = float(road_map.point_x_m.min())
    found = covered(road_map, at((west + 100.0, 50.0)))
    points = found.samples.points
    east_end = np.flatnonzero(points.x_m > west + 1980.0)
    middle = np.flatnonzero(np.abs(points.x_m - west - 1100.0) < 20.0)
    assert found.loss_db[east_end].max() < found.loss_db[middle].min()


def test_a_ridge_takes_coverage_away() -> None:
    road_map = road()
    height = np.zeros((41, 61), dtype=np.float32)
    height[24:26] = 150.0  # a wall of rock 500 m north of the road
    grid: dict[str, Any] = {"west_m": -500.0, "south_m": -1000.0, "step_m": 50.0}
    grid["water"] = np.zeros(height.shape, dtype=np.bool_)
    ridge, level = Terrain(**grid, height_m=height), Terrain(**grid, height_m=0 * height)
    params = at((1000.0, 700.0), sample_m=100.0)
    behind = covered(replace(road_map, terrain=ridge), params)
    free = covered(replace(road_map, terrain=level), params)
    assert ((behind.loss_db - free.loss_db) > 15.0).all()


def test_tunnels_are_dark_but_at_their_mouths() -> None:
    road_map = load_map(Path(__file__).parents[3] / "maps" / "twin-tunnel.v2xmap")
    params = UuParams(radio=CALM, spacing_m=1000.0)
    found = covered(road_map, params)
    best = found.loss_db.min(axis=1)
    inside = road_map.edge_structure[found.samples.points.edge] == Structure.TUNNEL
    limit_db = LinkBudget(CALM).max_loss_db
    assert (best[~inside] < limit_db).all()
    assert 0.5 < (best[inside] > limit_db).mean() < 0.95


def test_stations_stand_along_roads_on_the_ground() -> None:
    stations = base_stations(road(), UuParams(spacing_m=500.0, setback_m=30.0))
    assert stations.n == 4
    assert np.diff(np.sort(stations.x_m)) == pytest.approx([500.0] * 3)
    assert (np.abs(stations.y_m) > 30.0).all()
    assert (stations.height_m == 25.0).all()


def test_stations_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sites.csv"
    file.write_text("name, x_m, y_m, height_m\nA, 10, 200, 35\nB, 900, -300,\n")
    stations = base_stations(road(), UuParams(placement="file", file=str(file)))
    assert stations.x_m.tolist() == [10.0, 900.0]
    assert stations.height_m.tolist() == [35.0, 25.0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "give x_m and y_m"),
        ("x_m,y_m\n", "no base station"),
        ("x_m,y_m,colour\n1,2,3\n", "colour"),
        ("x_m,y_m\n1,far\n", "must be a number, got 'far'"),
        ("x_m,y_m,height_m\n1,2,900\n", "within 3 and 150"),
        ("lat,lon\n29.5,106.5\n", "no place on the Earth"),
    ],
)
def test_wrong_files_are_rejected(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "sites.csv"
    file.write_text(text)
    with pytest.raises(V2XError, match=reason):
        base_stations(road(), UuParams(placement="file", file=str(file)))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(V2XError, match="cannot be read"):
        base_stations(road(), UuParams(placement="file", file="nowhere.csv"))
