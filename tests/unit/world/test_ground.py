"""The raster of the ground around hand-made roads, in local metres."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from v2x.world import ground
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.ground import grid_around, quantised, terrain_from, terrain_of, with_water
from v2x.world.road_map import RoadMap, Structure

Road = tuple[Sequence[tuple[float, float, float]], Structure]


def roads(*parts: Road, lanes: int = 2, crs: str = "local") -> RoadMap:
    """Return one-way roads of 7 m that do not meet, each through points (x, y, z)."""
    points = np.array([point for road, _ in parts for point in road], dtype=float)
    first = np.cumsum([0] + [len(road) for road, _ in parts])
    n = len(parts)
    return road_map_of(
        name="roads",
        crs=crs,
        origin_x_m=650_000.0 if crs != "local" else 0.0,
        origin_y_m=3_270_000.0 if crs != "local" else 0.0,
        edge_from=2 * np.arange(n),
        edge_to=2 * np.arange(n) + 1,
        edge_lanes=[lanes] * n,
        edge_limit_mps=[10.0] * n,
        edge_structure=[structure for _, structure in parts],
        edge_class=[0] * n,
        class_names=("trunk",),
        edge_name=[""] * n,
        polylines=Polylines(first, points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()),
    )


def plane(x: Any, y: Any) -> Any:
    return 200.0 + 0.05 * x - 0.02 * y


LEVEL: Road = ([(-400.0, 0.0, 230.0), (400.0, 0.0, 230.0)], Structure.GROUND)


def test_the_grid_lies_on_multiples_of_its_step_around_the_roads() -> None:
    terrain = terrain_from(roads(LEVEL), plane, step_m=20.0, margin_m=305.0)
    assert (terrain.west_m, terrain.south_m, terrain.step_m) == (-720.0, -320.0, 20.0)
    n_rows, n_columns = terrain.height_m.shape
    assert terrain.west_m + 20.0 * (n_columns - 1) == 720.0
    assert terrain.south_m + 20.0 * (n_rows - 1) == 320.0
    assert not terrain.water.any()


def test_away_from_roads_it_is_the_source() -> None:
    terrain = terrain_from(roads(LEVEL), plane, step_m=20.0)
    x, y = np.meshgrid(np.linspace(-850, 850, 31), np.array([-400.0, -90.0, 90.0, 333.0]))
    assert terrain.at(x, y) == pytest.approx(plane(x, y), abs=0.06)


def test_roads_on_the_ground_cut_and_fill_it() -> None:
    """A level road at 230 m over ground from 180 m to 220 m and, shifted, through 240 m."""
    terrain = terrain_from(roads(LEVEL), plane, step_m=20.0)
    x = np.linspace(-400, 400, 41)
    for beside in (-3.5, 0.0, 3.5):
        assert terrain.at(x, np.full(41, beside)) == pytest.approx(230.0, abs=0.06)
    # 3.5 m of carriageway and a diagonal of the grid are flat, one step more is the slope.
    reach = 3.5 + (1 + np.sqrt(2)) * 20.0
    assert terrain.at(0.0, reach + 20.0) == pytest.approx(plane(0.0, reach + 20.0), abs=0.06)
    assert 200.0 < terrain.at(0.0, reach - 12.0) < 230.0
    cut = terrain_from(roads(LEVEL), lambda x, y: 240.0 + 0 * x, step_m=20.0)
    assert cut.at(x, 0 * x) == pytest.approx(230.0, abs=0.06)


def test_bridges_leave_a_valley_and_tunnels_a_mountain() -> None:
    def hills(x: Any, y: Any) -> Any:
        return np.where(x < 0, 150.0, 500.0) + 0 * y

    bridge: Road = ([(-400.0, 0.0, 230.0), (-30.0, 0.0, 230.0)], Structure.BRIDGE)
    tunnel: Road = ([(30.0, 0.0, 230.0), (400.0, 0.0, 230.0)], Structure.TUNNEL)
    terrain = terrain_from(roads(bridge, tunnel), hills, step_m=20.0)
    x = np.linspace(-390, 390, 40)
    away = np.abs(x) > 40
    assert terrain.at(x, 0 * x)[away] == pytest.approx(hills(x, 0 * x)[away])


def test_ground_never_stands_above_a_deck() -> None:
    bridge: Road = ([(-400.0, 0.0, 230.0), (400.0, 0.0, 230.0)], Structure.BRIDGE)
    terrain = terrain_from(roads(bridge), lambda x, y: 226.0 + 0.02 * x + 0 * y, step_m=20.0)
    x = np.linspace(-400, 400, 81)
    for beside in (-3.5, 0.0, 3.5):
        below = terrain.at(x, np.full(81, beside))
        assert (below <= 230.06).all()
        assert below[x < 180] == pytest.approx(226.0 + 0.02 * x[x < 180], abs=0.06)


def test_the_lower_of_two_close_roads_is_not_buried() -> None:
    """Two roads 15 m apart, one 8 m above the other, on a grid of 20 m."""
    lower: Road = ([(-400.0, 7.0, 222.0), (400.0, 7.0, 222.0)], Structure.GROUND)
    upper: Road = ([(-400.0, 22.0, 230.0), (400.0, 22.0, 230.0)], Structure.GROUND)
    terrain = terrain_from(roads(lower, upper), plane, step_m=20.0)
    x = np.linspace(-395, 395, 80)
    assert (terrain.at(x, np.full(80, 7.0)) <= 222.0 + 2 * ground.QUANTUM_M).all()
    assert (terrain.at(x, np.full(80, 22.0)) <= 230.0 + 2 * ground.QUANTUM_M).all()


def test_heights_are_whole_decimetres() -> None:
    terrain = terrain_from(roads(LEVEL), plane, step_m=20.0)
    assert terrain.height_m.dtype == np.float32
    np.testing.assert_array_equal(quantised(terrain.height_m.astype(float)), terrain.height_m)


def test_the_step_follows_the_size_of_the_map() -> None:
    def over(length_m: float) -> RoadMap:
        return roads(([(0.0, 0.0, 0.0), (length_m, length_m, 0.0)], Structure.GROUND))

    assert grid_around(over(5_000.0), None, 500.0).step_m == 10.0
    assert grid_around(over(20_000.0), None, 500.0).step_m == 20.0
    large = grid_around(over(100_000.0), None, 500.0)
    assert large.step_m > 20.0
    assert large.n_rows * large.n_columns <= ground.MAX_POINTS


@pytest.mark.parametrize("wrong", [{"step_m": 0.0}, {"margin_m": -1.0}])
def test_impossible_grids_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        terrain_from(roads(LEVEL), plane, **wrong)


def test_water_ends_where_a_road_is_filled() -> None:
    terrain = terrain_from(roads(LEVEL), plane, lambda x, y: np.abs(x) < 100.0 + 0 * y, step_m=20.0)
    assert terrain.is_water(0.0, 200.0)
    assert not terrain.is_water(200.0, 200.0)
    assert not terrain.is_water(0.0, 0.0)


def test_outlines_of_water_are_added() -> None:
    dry = terrain_from(roads(LEVEL), plane, step_m=20.0)
    pond = np.array([(100.0, 100.0), (300.0, 100.0), (300.0, 300.0)])
    far = np.array([(9_000.0, 9_000.0), (9_500.0, 9_000.0), (9_500.0, 9_500.0)])
    wet = with_water(dry, [pond, far])
    assert wet.is_water(np.array([280.0, 120.0, 200.0]), np.array([120.0, 280.0, 160.0])).tolist() \
        == [True, False, True]  # fmt: skip
    # Strictly inside a triangle with legs of ten steps.
    assert wet.water.sum() == 9 * 8 / 2
    assert not dry.water.any()
    assert with_water(dry, []) is dry


class Half:
    """Heights west of 106.55 E only, a river in the south."""

    description = "half"

    def height_m(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.float64]:
        assert self.covers(latitude_deg, longitude_deg).all()
        return 100.0 + 1e3 * (np.asarray(longitude_deg) - 106.5) + 0 * np.asarray(latitude_deg)

    def covers(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        return np.asarray(longitude_deg) + 0 * np.asarray(latitude_deg) < 106.55

    def is_water(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
        return np.asarray(latitude_deg) + 0 * np.asarray(longitude_deg) < 29.54


def test_beyond_the_source_the_nearest_height_holds_and_water_comes_along() -> None:
    from pyproj import Transformer

    there = Transformer.from_crs("EPSG:4326", "EPSG:32648", always_xy=True)
    east, north = there.transform(106.54, 29.545)
    x, y = east - 650_000.0, north - 3_270_000.0
    road: Road = ([(x, y, 140.0), (x, y + 100.0, 140.0)], Structure.GROUND)
    terrain = terrain_of(roads(road, crs="EPSG:32648"), Half(), step_m=50.0, margin_m=2_000.0)
    # 0.01 degree of longitude is 969 m.
    assert terrain.at(x - 1_000.0, y) == pytest.approx(129.7, abs=0.6)
    assert terrain.at(x + 1_500.0, y) == pytest.approx(150.0, abs=1.0)
    assert terrain.at(x + 1_999.0, y) == pytest.approx(150.0, abs=1.0)
    assert terrain.is_water(x, y - 1_000.0)
    assert not terrain.is_water(x, y + 1_000.0)


@pytest.mark.parametrize("structure", list(Structure))
def test_a_map_without_roads_of_a_structure_is_no_matter(structure: Structure) -> None:
    road: Road = ([(0.0, 0.0, 230.0), (50.0, 0.0, 230.0)], structure)
    at: Callable[[Any, Any], Any] = plane
    assert terrain_from(roads(road), at, step_m=25.0, margin_m=100.0).height_m.shape == (9, 11)
