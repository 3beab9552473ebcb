"""Loss of the ground: the profile method against P.526, and its own promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from v2x.channel.diffraction import (
    PathProfile,
    bullington_db,
    deygout_db,
    fresnel_parameter,
    knife_edge_db,
)
from v2x.channel.obstacle_map import ObstacleMap, obstacle_map_of
from v2x.channel.terrain import (
    Profiles,
    bullington_edge,
    equivalent_nu,
    ground_m,
    on_water,
    profiles_of,
    terrain_db,
)
from v2x.units import SPEED_OF_LIGHT_MPS
from v2x.world.terrain import Terrain

from .hills import Road, map_of, terrain_of

WAVELENGTH_M = SPEED_OF_LIGHT_MPS / 5.9e9


def obstacles_on(terrain: Terrain) -> ObstacleMap:
    return obstacle_map_of(map_of(Road(points=[(0, 0, 0), (10, 0, 0)]), terrain=terrain))


def points(*xyz: tuple[float, float, float]) -> np.ndarray:
    return np.array(xyz, dtype=np.float64).T.copy()


def profile(heights: list[float], length_m: float, a_m: float, b_m: float) -> Profiles:
    n = len(heights) + 1
    share = np.arange(1, n) / n
    return Profiles(
        n_links=1,
        link=np.zeros(len(heights), dtype=np.int64),
        share=share,
        length_m=np.array([length_m]),
        line_m=a_m + share * (b_m - a_m),
        ground_m=np.array(heights),
        plain_m=np.zeros(len(heights)),
        a_m=np.array([a_m]),
        b_m=np.array([b_m]),
    )


heights = st.lists(st.floats(-5.0, 40.0), min_size=1, max_size=12)
antenna = st.floats(0.5, 20.0)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(ground=heights, length_m=st.floats(30.0, 1500.0), a_m=antenna, b_m=antenna)
def test_the_short_form_is_the_method_of_p526(ground, length_m, a_m, b_m) -> None:
    links = profile(ground, length_m, a_m, b_m)
    edge = float(knife_edge_db(equivalent_nu(links, links.ground_m, WAVELENGTH_M))[0])
    found = edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02e-3 * length_m)
    path = links.path(0, links.ground_m)
    whole = bullington_db(path, WAVELENGTH_M, effective_earth_radius_m=math.inf)
    assert found == pytest.approx(whole, abs=1e-6)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    ground=heights,
    higher=st.lists(st.floats(0.0, 30.0), min_size=12, max_size=12),
    length_m=st.floats(30.0, 1500.0),
    a_m=antenna,
    b_m=antenna,
)
def test_more_ground_never_costs_less(ground, higher, length_m, a_m, b_m) -> None:
    low = profile(ground, length_m, a_m, b_m)
    raised = [h + more for h, more in zip(ground, higher, strict=False)]
    high = profile(raised, length_m, a_m, b_m)
    assert terrain_db(high, WAVELENGTH_M)[0] >= terrain_db(low, WAVELENGTH_M)[0] - 1e-9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(ground=heights, length_m=st.floats(30.0, 1500.0), a_m=antenna, b_m=antenna)
def test_the_profile_may_be_read_from_either_end(ground, length_m, a_m, b_m) -> None:
    for method in ("bullington", "deygout"):
        forth, back = (
            terrain_db(profile(*link), WAVELENGTH_M, method=method)[0]
            for link in ((ground, length_m, a_m, b_m), (ground[::-1], length_m, b_m, a_m))
        )
        # Two equal summits may be visited in either order.
        if method == "bullington" or len(set(ground)) == len(ground):
            assert forth == pytest.approx(back, abs=1e-9)


@pytest.mark.parametrize(
    ("rise_m", "loss_db"), [(1.0, 13.2), (3.0, 21.4), (10.0, 31.8), (30.0, 41.4)]
)
def test_ridge_midway_of_the_radio_sheet(rise_m: float, loss_db: float) -> None:
    links = profile([rise_m], 200.0, 0.0, 0.0)
    assert knife_edge_db(equivalent_nu(links, links.ground_m, WAVELENGTH_M)) == pytest.approx(
        [loss_db], abs=0.05
    )


@pytest.mark.parametrize("method", ["bullington", "deygout", "none"])
@pytest.mark.parametrize("level_m", [0.0, 231.7])
def test_level_ground_costs_exactly_nothing(method: str, level_m: float) -> None:
    obstacles = obstacles_on(terrain_of(lambda x, y: np.full(x.shape, level_m)))
    z = float(np.float32(level_m)) + 1.5
    rng = np.random.default_rng(3)
    a, b = (np.vstack([rng.uniform(-590, 590, (2, 200)), np.full(200, z)]) for _ in range(2))
    links = profiles_of(obstacles, a, b)
    assert np.array_equal(terrain_db(links, WAVELENGTH_M, method=method), np.zeros(200))
    assert not links.cut.any()


def test_inclined_ground_costs_nothing() -> None:
    obstacles = obstacles_on(terrain_of(lambda x, y: 0.06 * x - 0.03 * y))
    x, y = np.random.default_rng(4).uniform(-590, 590, (2, 2, 100))
    a, b = (np.stack([x[k], y[k], 0.06 * x[k] - 0.03 * y[k] + 1.6]) for k in (0, 1))
    links = profiles_of(obstacles, a, b)
    assert terrain_db(links, WAVELENGTH_M) == pytest.approx(np.zeros(100), abs=1e-3)


def test_a_ridge_in_the_grid_worked_by_hand() -> None:
    obstacles = obstacles_on(terrain_of(lambda x, y: np.maximum(0.0, 20.0 - np.abs(x))))
    a, b = points((-105, 0, 1.5)), points((95, 0, 1.5))
    links = profiles_of(obstacles, a, b)
    assert len(links.share) == 19
    assert links.length_m == pytest.approx([200.0])
    assert links.cut.tolist() == [True]
    heights = [max(0.0, 20.0 - abs(-105.0 + 10.0 * k)) for k in range(1, 20)]
    path = PathProfile(
        tx_height_m=1.5,
        rx_height_m=1.5,
        length_m=200.0,
        distance_m=10.0 * np.arange(1, 20),
        height_m=np.array(heights),
    )
    whole = bullington_db(path, WAVELENGTH_M, effective_earth_radius_m=math.inf)
    assert terrain_db(links, WAVELENGTH_M) == pytest.approx([whole])
    three = deygout_db(path, WAVELENGTH_M, deygout_c_db=4.0 + 0.04 * 0.2)
    found = terrain_db(links, WAVELENGTH_M, method="deygout", deygout_c_db=4.0)
    assert found == pytest.approx([three])
    distance_m, height_m, loss_db = bullington_edge(links, 0, WAVELENGTH_M)
    # The summits sampled are at 100 and 110 m, 13.5 m above the ray: slopes 0.135 and 0.15.
    assert distance_m == pytest.approx(200.0 * 0.15 / 0.285)
    assert height_m == pytest.approx(1.5 + 0.135 * distance_m)
    nu = fresnel_parameter(height_m - 1.5, distance_m, 200.0 - distance_m, WAVELENGTH_M)
    assert loss_db == pytest.approx(float(knife_edge_db(nu)))


def test_flat_ground_far_away_is_left_to_the_path_loss_law() -> None:
    """At 1 km level ground enters the Fresnel zone; the bare method would add 3 dB for it."""
    obstacles = obstacles_on(terrain_of(lambda x, y: np.zeros(x.shape)))
    links = profiles_of(obstacles, points((-500, 0, 1.5)), points((500, 0, 1.5)))
    path = links.path(0, links.ground_m)
    assert bullington_db(path, WAVELENGTH_M, effective_earth_radius_m=math.inf) > 2.0
    assert terrain_db(links, WAVELENGTH_M) == 0.0


def test_links_shorter_than_the_step_have_no_profile() -> None:
    obstacles = obstacles_on(terrain_of(lambda x, y: 5.0 * np.sin(x)))
    a = points((0, 0, 9), (0, 0, 9), (1, 2, 3))
    b = points((9.9, 0, 9), (35, 0, 9), (1, 2, 30))
    links = profiles_of(obstacles, a, b)
    assert links.link.tolist() == [1, 1, 1]
    assert terrain_db(links, WAVELENGTH_M)[[0, 2]] == pytest.approx([0.0, 0.0])


def test_ground_and_water_are_those_of_the_map() -> None:
    terrain = terrain_of(lambda x, y: 0.1 * x + np.sin(y), water=lambda x, y: np.abs(x) < 50)
    obstacles = obstacles_on(terrain)
    x, y = np.random.default_rng(5).uniform(-700, 700, (2, 300))
    assert ground_m(obstacles, x, y) == pytest.approx(terrain.at(x, y), abs=1e-9)
    assert np.array_equal(on_water(obstacles, x, y), terrain.is_water(x, y))
