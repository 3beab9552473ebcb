from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from v2x import rng
from v2x.errors import V2XError
from v2x.mobility.conditions import road_conditions
from v2x.mobility.demand import (
    DemandKind,
    check_amount,
    plan_trips,
    road_length_m,
    vehicle_count,
)
from v2x.mobility.junctions import lane_network
from v2x.mobility.placement import Spacing, place_vehicles
from v2x.mobility.routes import RouteBook, Router
from v2x.mobility.vehicle_classes import VehicleClasses
from v2x.mobility.vehicles import ClassTable
from v2x.world import synthetic
from v2x.world.road_map import RoadMap
from v2x.world.weather import WeatherParams

Maps = dict[str, Callable[..., RoadMap]]
CLASSES = ClassTable.of(VehicleClasses().by_kind())


def planned(road_map: RoadMap, kind: str = "auto", n_routes: int = 200, seed: int = 1):  # type: ignore[no-untyped-def]
    network = lane_network(road_map)
    router = Router(network)
    conditions = road_conditions(network, WeatherParams(), CLASSES.emergency_mps2)
    book = RouteBook(network, conditions)
    draw = rng.stream(seed, "mobility", "trips")
    trips = plan_trips(network, router, book, DemandKind(kind), n_routes, draw)
    return network, router, book, trips


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("directions", [1, 2])
def test_both_directions_of_a_highway_are_one_road(wrap: bool, directions: int) -> None:
    road = synthetic.highway(2000.0, wrap=wrap, directions=directions)
    assert road_length_m(road) == pytest.approx(2000.0)
    assert vehicle_count(road, None, 60.0) == 120
    assert vehicle_count(road, 7, None) == 7


def test_two_way_streets_count_once_and_ramps_whole(maps: Maps) -> None:
    grid = synthetic.manhattan(1, 1, 400.0, 300.0)
    assert road_length_m(grid) == pytest.approx(1400.0)
    ramp = maps["off-ramp"]()
    assert road_length_m(ramp) == pytest.approx(ramp.edge_length_m.sum())


def test_a_density_of_nobody_is_an_error(maps: Maps) -> None:
    with pytest.raises(V2XError, match=r"traffic.density_per_km: 0.1 vehicles per km"):
        vehicle_count(maps["ring"](), None, 0.1)


@pytest.mark.parametrize(
    ("n", "density", "message"),
    [
        (None, None, "set either n_vehicles or density_per_km"),
        (3, 4.0, "set either n_vehicles or density_per_km"),
        (0, None, "n_vehicles must be at least 1"),
        (None, -1.0, "density_per_km must be > 0"),
        (None, math.nan, "density_per_km must be > 0"),
    ],
)
def test_impossible_amounts(n: int | None, density: float | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_amount(n, density)


def test_through_traffic_goes_from_end_to_end(maps: Maps) -> None:
    network, _, book, trips = planned(maps["off-ramp"]())
    paths = {tuple(book.edge[a:b].tolist()) for a, b in ((0, 2), (2, 4))}
    assert paths == {(0, 1), (0, 2)}
    assert trips.weight.sum() == 200
    # Trips go to ends in proportion to their lanes, two to one: 4 sigma of a binomial.
    to_main = trips.weight[[book.edge[f + 1] == 1 for f in trips.first]].sum()
    assert abs(to_main - 200 * 2 / 3) < 4 * math.sqrt(200 * 2 / 9)
    assert not trips.circular
    assert network.n_movements == 2


def test_one_road_alone_is_through_traffic(map_of: Callable[..., RoadMap]) -> None:
    _, _, book, trips = planned(map_of([(0, 1, [(0.0, 0.0), (500.0, 0.0)], {})]))
    assert book.edge.tolist() == [0]
    assert not trips.circular


def test_a_grid_has_trips_inside() -> None:
    _, _, book, trips = planned(synthetic.manhattan(2, 2))
    assert len(trips.first) > 100
    last = np.append(trips.first[1:], book.n_stops) - 1
    assert (last > trips.first).all()


def test_rings_need_no_trips(maps: Maps) -> None:
    _, _, book, trips = planned(maps["ring"](lanes=2))
    assert trips.circular
    assert book.edge.tolist() == [0, 1, 2, 3]
    _, _, book, trips = planned(synthetic.highway(wrap=True))
    assert book.edge.tolist() == [0, 1, 2, 3]
    assert len(trips.first) == 2


def test_no_way_is_an_error() -> None:
    with pytest.raises(V2XError, match="no way leads from one end"):
        planned(synthetic.highway(), "internal")


def test_draws_follow_the_weights(maps: Maps) -> None:
    _, _, _, trips = planned(maps["off-ramp"]())
    draw = rng.stream(1, "test")
    n = 4000
    drawn = np.bincount(np.searchsorted(trips.first, [trips.draw(draw) for _ in range(n)]))
    share = trips.weight / trips.weight.sum()
    assert (np.abs(drawn - n * share) < 4 * np.sqrt(n * share * (1 - share))).all()


def placed(road_map: RoadMap, n: int, spacing: str, kind: int = 0, seed: int = 1):  # type: ignore[no-untyped-def]
    network, router, book, trips = planned(road_map)
    kinds = np.full(n, kind, dtype=np.int32)
    length = np.full(n, 13.0 if kind else 5.0)
    draw = rng.stream(seed, "mobility", "start")
    place = place_vehicles(
        network, book, trips, router, Spacing(spacing), kinds, length, CLASSES, draw
    )
    return network, book, place


def test_uniform_spacing_on_a_ring_is_exact(maps: Maps) -> None:
    network, book, place = placed(maps["ring"](1000.0), 20, "uniform")
    begin = np.concatenate([[0.0], np.cumsum(network.road_map.edge_length_m)])
    along = begin[book.edge[place.stop]] + place.offset_m
    assert along == pytest.approx(25.0 + 50.0 * np.arange(20))


def test_lanes_fill_evenly(maps: Maps) -> None:
    _, _, place = placed(maps["ring"](1000.0, 3), 60, "uniform")
    assert np.bincount(place.lane).tolist() == [20, 20, 20]


def test_vehicles_are_where_time_is_spent(map_of: Callable[..., RoadMap]) -> None:
    """A slow edge of equal length holds three times as many: 4 sigma of a binomial."""
    road = map_of(
        [
            (0, 1, [(0.0, 0.0), (9000.0, 0.0)], {"limit_mps": 30.0}),
            (1, 2, [(9000.0, 0.0), (18000.0, 0.0)], {"limit_mps": 10.0}),
        ]
    )
    n = 400
    _, book, place = placed(road, n, "random")
    slow = int((book.edge[place.stop] == 1).sum())
    assert abs(slow - 0.75 * n) < 4 * math.sqrt(n * 0.75 * 0.25)


@pytest.mark.parametrize("spacing", ["random", "uniform"])
def test_nobody_starts_on_another(spacing: str, maps: Maps) -> None:
    for seed in range(5):
        _, book, place = placed(maps["on-ramp"](), 100, spacing, seed=seed)
        order = np.lexsort((place.offset_m, place.lane, book.edge[place.stop]))
        key = np.stack([book.edge[place.stop], place.lane])[:, order]
        same = (np.diff(key, axis=1) == 0).all(axis=0)
        gap = np.diff(place.offset_m[order])[same] - 5.0
        assert gap.min() >= 2.0


@pytest.mark.parametrize(
    ("n", "density", "key"), [(10**9, None, "n_vehicles"), (None, 1e9, "density_per_km")]
)
def test_more_than_lanes_hold_is_refused_before_it_is_tried(
    maps: Maps, n: int | None, density: float | None, key: str
) -> None:
    with pytest.raises(V2XError, match=rf"traffic\.{key}: \d+ vehicles do not fit on \d"):
        vehicle_count(maps["ring"](1000.0), n, density)


def test_more_than_the_roads_hold_is_an_error(maps: Maps) -> None:
    with pytest.raises(V2XError, match=r"the roads in use hold \d+ vehicles, not 90"):
        placed(maps["ring"](1000.0), 90, "random", kind=1)
