"""Hill-shade: light from the north-west, water flat, every grid point where it belongs."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from v2x.report.frame import Window
from v2x.report.relief import draw_relief, hill_shade, shows_water
from v2x.world.terrain import Terrain

LEVEL = np.sin(np.radians(45.0))


def plane(east: float, north: float) -> np.ndarray:
    """Return heights of a plane that rises so much per metre, at points 10 m apart."""
    rows, columns = np.mgrid[0:4, 0:5]
    return 10.0 * (north * rows + east * columns)


def terrain(height_m: np.ndarray, water: np.ndarray | None = None) -> Terrain:
    return Terrain(
        west_m=1000.0,
        south_m=2000.0,
        step_m=10.0,
        height_m=height_m.astype(np.float32),
        water=np.zeros(height_m.shape, np.bool_) if water is None else water,
    )


def drawn(ground: Terrain, window: Window):
    axes = Figure().add_subplot()
    draw_relief(axes, ground, window)
    return axes.images


@pytest.mark.parametrize(
    ("east", "north", "expected"),
    [
        (0.0, 0.0, LEVEL),
        # A slope of 45 degrees that faces the sun square is lit in full, its back not at all.
        (np.sqrt(0.5), -np.sqrt(0.5), 1.0),
        (-np.sqrt(0.5), np.sqrt(0.5), 0.0),
        # Slopes along the light are lit like level ground of the same tilt.
        (1.0, 1.0, LEVEL / np.sqrt(3.0)),
    ],
)
def test_planes(east, north, expected):
    np.testing.assert_allclose(hill_shade(plane(east, north), 10.0), expected, atol=1e-12)


def test_exaggeration_is_a_factor_on_heights():
    bump = np.random.default_rng(1).normal(size=(6, 7))
    np.testing.assert_allclose(hill_shade(bump, 10.0, 3.0), hill_shade(3.0 * bump, 10.0))


def test_points_lie_where_the_terrain_has_them_and_water_is_blue():
    height_m = np.zeros((8, 9))
    water = np.zeros(height_m.shape, np.bool_)
    water[5, 6] = True
    (image,) = drawn(terrain(height_m, water), Window(1021.0, 1068.0, 2032.0, 2058.0))
    west, _, south, _ = image.get_extent()
    colours = image.get_array()
    row, column = (2050.0 - south) / 10.0 - 0.5, (1060.0 - west) / 10.0 - 0.5
    assert (row, column) == pytest.approx((round(row), round(column)))
    blue = np.argwhere(colours[..., 2] > colours[..., 0])
    assert blue.tolist() == [[round(row), round(column)]]


def test_level_ground_has_one_colour():
    (image,) = drawn(terrain(np.full((4, 4), 300.0)), Window(1000.0, 1030.0, 2000.0, 2030.0))
    assert np.ptp(image.get_array().reshape(-1, 3), axis=0).max() == 0.0


def test_large_grids_are_thinned_out_without_moving():
    ramp = np.broadcast_to(0.1 * np.arange(4000), (10, 4000))
    (image,) = drawn(terrain(ramp), Window(1000.0, 41000.0, 2000.0, 2100.0))
    assert image.get_array().shape[1] == 1334
    west, east, _, _ = image.get_extent()
    assert (west, east) == pytest.approx((1000.0 - 15.0, 1000.0 + 1333 * 30.0 + 15.0))


def test_nothing_is_drawn_beyond_the_terrain():
    ground = terrain(np.zeros((4, 4)), np.ones((4, 4), np.bool_))
    far = Window(9000.0, 9100.0, 9000.0, 9100.0)
    assert len(drawn(ground, far)) == 0
    assert not shows_water(ground, far)
    assert shows_water(ground, Window(1000.0, 1010.0, 2000.0, 2010.0))
