"""Coverage of roads by roadside units, and the choice of the fewest."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x import rng
from v2x.channel.coverage import (
    CoverageParams,
    coverage_of,
    largest_loss_db,
    links_of,
    plan,
)
from v2x.channel.obstacle_params import ObstacleParams
from v2x.channel.pathloss import Tr37885Highway, Tr37885Params
from v2x.channel.set_cover import Reach, greedy_cover
from v2x.world.road_map import RoadMap, Structure
from v2x.world.road_samples import sample_roads
from v2x.world.roadside_params import RoadsideParams
from v2x.world.rsu_sites import candidate_sites, sites

from .hills import Road, map_of, terrain_of

MODEL = Tr37885Highway(Tr37885Params(), 5.9)
#: Free space: 102.3 dB reach 525 m, so that distance decides at 500 m.
FREE = CoverageParams(
    max_loss_db=110.0,
    sample_m=10.0,
    carrier_ghz=5.9,
    # Roadside antennas that radiate alike at all elevations.
    obstacles=ObstacleParams(rsu_beamwidth_deg=360.0),
)


def reach_of(rows: list[list[int]]) -> Reach:
    return Reach(
        np.cumsum([0, *map(len, rows)]).astype(np.int64),
        np.array([k for row in rows for k in row], dtype=np.int64),
    )


def straight(length_m: float = 4000.0) -> RoadMap:
    half = length_m / 2
    return map_of(Road(points=[(-half, 0.0, 0.0), (half, 0.0, 0.0)]))


def served(rows: list[list[int]], chosen: list[int]) -> set[int]:
    return {k for c in chosen for k in rows[c]}


@settings(max_examples=100, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6), target=st.sampled_from([0.5, 0.8, 1.0]))
def test_greedy_reaches_the_target_and_is_near_the_best(seed: int, target: float) -> None:
    """Against all subsets: at most H(n) times the best choice (Chvatal 1979), n = 6 samples."""
    g = rng.stream(seed, "cover")
    rows = [np.flatnonzero(g.random(6) < 0.4).tolist() for _ in range(6)]
    weight = g.uniform(0.5, 2.0, 6)
    chosen = greedy_cover(reach_of(rows), weight, target)
    reachable = served(rows, list(range(6)))
    goal = min(target * weight.sum(), weight[list(reachable)].sum())
    assert weight[list(served(rows, chosen))].sum() >= goal - 1e-9
    assert len(set(chosen)) == len(chosen)
    best = min(
        size
        for size in range(7)
        for subset in itertools.combinations(range(6), size)
        if weight[list(served(rows, list(subset)))].sum() >= goal - 1e-9
    )
    assert len(chosen) <= 2.45 * best
    # Nobody in the choice is needless.
    for k in chosen:
        rest = [c for c in chosen if c != k]
        assert weight[list(served(rows, rest))].sum() < goal + 1e-9


def test_lazy_gains_choose_as_if_all_were_looked_at_again() -> None:
    """The big row first; then the heap's second, whose gain it halved, yields to the third."""
    rows = [[0, 1, 2, 3, 4], [2, 3, 4, 5], [6, 7]]
    assert greedy_cover(reach_of(rows), np.ones(8), 1.0) == [0, 2, 1]
    assert greedy_cover(reach_of(rows), np.ones(8), 0.8) == [0, 2]
    assert greedy_cover(reach_of([]), np.ones(3), 1.0) == []


def test_units_on_flat_ground_stand_two_ranges_apart() -> None:
    """4 km at 500 m range need four units, as near to that as places 100 m apart allow."""
    road = straight()
    candidates = candidate_sites(road, RoadsideParams(placement="spacing", spacing_m=100.0))
    chosen, coverage, reachable_km = plan(road, candidates, MODEL, FREE, target=1.0)
    assert coverage.road_km == pytest.approx(4.0)
    assert coverage.covered_km == pytest.approx(4.0)
    assert reachable_km == pytest.approx(4.0)
    assert 4 <= chosen.n_sites <= 5
    assert coverage.dark_stretches(road) == []
    fewer, partly, _ = plan(road, candidates, MODEL, FREE, target=0.5)
    assert fewer.n_sites == 2
    assert partly.covered_km == pytest.approx(2.0, abs=0.1)


def test_the_loss_limit_is_the_range() -> None:
    """A lone unit covers the road as far as 32.4 + 20 log d + 20 log 5.9 = 90 dB: 128.6 m."""
    road = straight(1000.0)
    params = replace(FREE, max_loss_db=90.0, sample_m=1.0)
    samples = sample_roads(road, params.sample_m)
    unit = sites(road, RoadsideParams(placement="spacing", spacing_m=1000.0))
    links = links_of(road, unit, samples, MODEL, params)
    coverage = coverage_of(links, samples, np.array([0]), params.max_loss_db)
    range_m = 10 ** ((90.0 - 32.4 - 20 * np.log10(5.9)) / 20)
    half_m = np.sqrt(range_m**2 - 5.0**2 - (5.0 - 1.5) ** 2)
    assert 1000 * coverage.covered_km == pytest.approx(2 * half_m, abs=2.0)
    dark = coverage.dark_stretches(road)
    assert [round(stretch.length_m) for stretch in dark] == pytest.approx([371, 371], abs=3)
    assert {stretch.name for stretch in dark} == {"road 0"}


def test_a_ridge_parts_what_flat_ground_joins() -> None:
    """A road over a ridge 40 m high: a unit at one foot does not reach the other."""
    x = np.linspace(-400.0, 400.0, 81)
    ridge = 40.0 * np.exp(-((x / 60.0) ** 2))
    ground = terrain_of(lambda east, north: 40.0 * np.exp(-((east / 60.0) ** 2)))
    points = [(float(a), 0.0, float(b)) for a, b in zip(x, ridge, strict=True)]
    over = map_of(Road(points=points), terrain=ground)
    flat = map_of(Road(points=[(-400.0, 0.0, 0.0), (400.0, 0.0, 0.0)]))
    covered = {}
    for name, road in (("over", over), ("flat", flat)):
        candidates = candidate_sites(road, RoadsideParams(placement="spacing", spacing_m=50.0))
        at_foot = candidates.take(np.array([int(np.argmin(np.abs(candidates.x_m + 200.0)))]))
        samples = sample_roads(road, 10.0)
        links = links_of(road, at_foot, samples, MODEL, FREE)
        coverage = coverage_of(links, samples, np.array([0]), FREE.max_loss_db)
        covered[name] = samples.x_m[coverage.covered]
    # The flat road is covered to 500 m from the unit at x = -200 m, the other to its crest.
    assert covered["flat"].max() == pytest.approx(300.0, abs=40.0)
    assert -20.0 < covered["over"].max() < 60.0


def test_a_tube_is_served_from_inside_or_its_mouth() -> None:
    """A unit on the mountain above a tunnel covers nothing of it."""
    road = map_of(
        Road(points=[(-1500.0, 0.0, 0.0), (-1000.0, 0.0, 0.0)]),
        Road(points=[(-1000.0, 0.0, 0.0), (1000.0, 0.0, 0.0)], structure=Structure.TUNNEL),
        Road(points=[(1000.0, 0.0, 0.0), (1500.0, 0.0, 0.0)]),
        Road(points=[(0.0, -400.0, 80.0), (0.0, 400.0, 80.0)]),
    )
    candidates = candidate_sites(road, RoadsideParams(placement="spacing", spacing_m=100.0))
    samples = sample_roads(road, FREE.sample_m)
    links = links_of(road, candidates, samples, MODEL, FREE)
    reach = links.reach(FREE.max_loss_db)
    above = np.flatnonzero(np.abs(candidates.y_m) > 20.0)
    assert len(above) >= 6
    for k in above.tolist():
        assert (samples.tube[reach.of(k)] == -1).all()
    # Inside, the law of tubes: free space at a metre and 18 dB a decade.
    k = int(np.flatnonzero(candidates.tunnel >= 0)[0])
    own = slice(int(links.row_start[k]), int(links.row_start[k + 1]))
    inside = samples.tube[links.sample[own]] == 0
    at = links.sample[own][inside]
    away = np.hypot(samples.x_m[at] - candidates.x_m[k], candidates.y_m[k])
    law_db = 20 * np.log10(4 * np.pi * 5.9e9 / 299_792_458.0) + 18 * np.log10(
        np.hypot(away, 5.0 - 1.5)
    )
    np.testing.assert_allclose(links.loss_db[own][inside], law_db, atol=0.15)  # of the pattern
    chosen, coverage, _ = plan(road, candidates, MODEL, FREE, target=1.0)
    assert coverage.covered_km == pytest.approx(coverage.road_km)
    assert ((chosen.tunnel >= 0) | (np.abs(chosen.x_m) > 1000.0)).sum() >= 2
    assert coverage.site.min() >= 0
    assert coverage.site.max() == chosen.n_sites - 1


def test_samples_stand_for_the_whole_length_of_one_direction() -> None:
    road = map_of(
        Road(points=[(0.0, 0.0, 0.0), (300.0, 0.0, 30.0), (430.0, 0.0, 30.0)], two_way=True),
        Road(points=[(430.0, 0.0, 30.0), (430.0, 7.0, 30.0)]),
    )
    samples = sample_roads(road, 20.0)
    one_way = road.edge_length_m[[0, 2]].sum()
    assert samples.length_m.sum() == pytest.approx(one_way)
    on_slope = samples.x_m < 300.0
    np.testing.assert_allclose(samples.z_m[on_slope], 0.1 * samples.x_m[on_slope], atol=1e-9)
    assert set(samples.edge.tolist()) == {0, 2}


def test_the_default_limit_leaves_room_for_a_lorry_and_shadowing() -> None:
    """23 + 6 + 90.4 = 119.4 dB less 9 and 1.28 times 5.41 dB."""
    assert largest_loss_db() == pytest.approx(119.4 - 9.0 - 1.28 * np.sqrt(9 + 4.5**2))
    assert CoverageParams().max_loss_db == largest_loss_db()


@pytest.mark.parametrize("name", ["max_loss_db", "max_distance_m", "sample_m", "carrier_ghz"])
def test_values_without_a_meaning_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        CoverageParams(**{name: 0.0})
