from __future__ import annotations

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.chongqing_terrain import (
    CONTROL_POINTS,
    LATITUDE_RANGE_DEG,
    LONGITUDE_RANGE_DEG,
    WATER_M,
    ChongqingSurface,
)

SURFACE = ChongqingSurface()


def test_control_points_are_met_as_the_docstring_says() -> None:
    residual = SURFACE.residual_m()
    published = np.array([not point.derived for point in CONTROL_POINTS])
    assert (published.sum(), (~published).sum()) == (18, 22)
    assert np.sqrt(np.mean(residual[published] ** 2)) == pytest.approx(8.0, abs=0.05)
    assert np.sqrt(np.mean(residual[~published] ** 2)) == pytest.approx(4.6, abs=0.05)
    assert np.median(np.abs(residual[published])) == pytest.approx(2.8, abs=0.05)
    outside = {
        point.name
        for point, rest in zip(CONTROL_POINTS, residual, strict=True)
        if not point.low_m <= point.height_m + rest <= point.high_m
    }
    assert outside == {
        "Chaotianmen, low-water sandbar",
        "Caiyuanba station square",
        "Nanshan, highest point",
        "Geleshan",
        "Jiangbei airport",
    }
    worst = CONTROL_POINTS[int(np.argmax(np.abs(residual)))]
    assert worst.name == "One-Tree lookout"
    assert residual.min() == pytest.approx(-27.7, abs=0.05)


def test_rivers_lie_low_and_ridges_run_north_by_east() -> None:
    # Mid-river under four bridges: Chaotianmen, Dafosi, Guojiatuo on the Yangtze, Huanghuayuan.
    latitude = [29.5884, 29.6064, 29.5664, 29.5706]
    longitude = [106.5782, 106.5824, 106.6721, 106.5630]
    assert SURFACE.height_m(latitude, longitude) == pytest.approx(WATER_M)
    # Along 29.52 N and 29.49 N the crest of Tongluoshan moves west as one goes south.
    longitude = np.linspace(106.58, 106.63, 501)
    crests = [
        longitude[np.argmax(SURFACE.height_m(latitude, longitude))] for latitude in (29.52, 29.49)
    ]
    east_m, north_m = (crests[0] - crests[1]) * 96_900, 0.03 * 110_860
    assert 10 <= np.degrees(np.arctan2(east_m, north_m)) <= 25
    assert SURFACE.height_m(29.52, longitude).max() > 480


def test_the_surface_is_continuous_and_the_same_in_any_shape() -> None:
    latitude, longitude = np.meshgrid(np.linspace(29.5, 29.6, 60), np.linspace(106.5, 106.7, 50))
    height = SURFACE.height_m(latitude, longitude)
    assert height.shape == (50, 60)
    one = SURFACE.height_m(latitude[3, 4], longitude[3, 4])
    assert one == pytest.approx(height[3, 4], abs=1e-9)
    nearby = SURFACE.height_m(latitude + 1e-6, longitude)
    assert np.abs(nearby - height).max() < 0.2
    assert np.array_equal(ChongqingSurface().height_m(latitude, longitude), height)


@pytest.mark.parametrize("beyond", [(-0.001, 0), (0.5, 0), (0, -0.001), (0, 0.5)])
def test_outside_its_range_it_says_so(beyond: tuple[float, float]) -> None:
    latitude = LATITUDE_RANGE_DEG[0] + beyond[0]
    longitude = LONGITUDE_RANGE_DEG[0] + beyond[1]
    with pytest.raises(V2XError, match="outside the analytic surface"):
        SURFACE.height_m(latitude, longitude)


def test_the_rivers_are_water_and_their_banks_are_not() -> None:
    # Yangtze off Chaotianmen and at Shibanpo, Jialing at Huanghuayuan; then squares of the city.
    wet = [(29.5720, 106.5905), (29.5480, 106.5597), (29.5706, 106.5630)]
    dry = [(29.559, 106.577), (29.568, 106.5855), (29.553, 106.540), (29.56, 106.63)]
    latitude, longitude = np.array(wet + dry).T
    found = SURFACE.is_water(latitude, longitude)
    assert found.tolist() == [True] * 3 + [False] * 4
    assert SURFACE.height_m(latitude, longitude)[found] == pytest.approx(WATER_M)
    assert SURFACE.is_water(29.5720, 106.5905).shape == ()


def test_it_knows_where_it_ends() -> None:
    found = SURFACE.covers([29.5, 29.5, 29.39, 29.77], [106.5, 106.81, 106.5, 106.5])
    assert found.tolist() == [True, False, False, False]
