"""The side view shows roads where they are, as high as they are, with what is between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from v2x.errors import V2XError
from v2x.report import style
from v2x.report.stack import stack_figure, stack_of
from v2x.world.road_map import Structure
from v2x.world.terrain import Terrain


@pytest.fixture(scope="module")
def stack_map(make_map):
    """A level road to the east, a bridge to the north 8 m above it, a tunnel far away."""
    return make_map(
        ([(-400, 0, 100), (400, 0, 100)], Structure.GROUND, 0),
        ([(30, -300, 108), (30, 300, 108)], Structure.BRIDGE, 2),
        ([(5000, 0, 90), (5200, 0, 90)], Structure.TUNNEL, -1),
    )


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_roads_are_cut_at_the_radius(stack_map):
    stack = stack_of(stack_map, 0.0, 0.0, 50.0, 0.0)
    assert stack.level.tolist() == [0, 2]
    np.testing.assert_allclose(np.sort(stack.along_m[:, 0]), [-50, 50])
    # The chord at 30 m from the middle of a circle of 50 m is 80 m long.
    np.testing.assert_allclose(np.sort(stack.depth_m[:, 1]), [-40, 40])
    np.testing.assert_allclose(stack.z_m, [[100, 108], [100, 108]])


@pytest.mark.parametrize(
    ("azimuth_deg", "along_m"),
    # The crossing is 30 m east and 40 m north. Right of the view is east, south, west, north.
    [(0.0, 30.0), (90.0, -40.0), (180.0, -30.0), (270.0, 40.0), (45.0, -10.0 * np.sqrt(0.5))],
)
def test_crossing_is_where_the_view_shows_it(stack_map, azimuth_deg, along_m):
    stack = stack_of(stack_map, 0.0, -40.0, 60.0, azimuth_deg)
    np.testing.assert_allclose(stack.cross_along_m, [along_m], atol=1e-9)
    np.testing.assert_allclose(stack.clearance_m, [8.0])
    assert (stack.cross_low_m, stack.cross_high_m) == (pytest.approx([100]), pytest.approx([108]))


def test_crossings_outside_the_radius_do_not_count(stack_map):
    assert len(stack_of(stack_map, 0.0, 0.0, 20.0).cross_along_m) == 0


def test_best_view_is_across_the_longer_axis(make_map):
    road = make_map(
        ([(-100, -100, 0), (100, 100, 0)], Structure.GROUND, 0),
        ([(-20, 20, 6), (20, -20, 6)], Structure.BRIDGE, 1),
    )
    # The road runs north-east, so one looks south-east (or north-west).
    assert stack_of(road, 0.0, 0.0, 150.0).azimuth_deg == 135.0


def test_figure_says_view_clearance_and_scale(stack_map, tmp_path):
    figure = stack_figure(stack_map, 0.0, 0.0, 60.0, 0.0, deck_thickness_m=1.5)
    assert texts(figure) == ["6.5 m"]
    axes = figure.axes[0]
    title = axes.get_title(loc="left")
    assert title.startswith("Looking north (0°)")
    assert "[m]" in axes.get_ylabel()
    assert axes.get_xlabel().endswith("left is west")
    factor = float(axes.get_aspect())
    assert (f"heights × {factor:g}" if factor > 1 else "to scale") in title
    assert legend(figure) == ["level 0", "level 2"]
    assert "ODbL" in figure.get_supxlabel()
    style.save(figure, tmp_path, "stack")


def test_decks_hang_below_their_road(stack_map):
    axes = stack_figure(stack_map, 0.0, 0.0, 60.0, 90.0, deck_thickness_m=2.0).axes[0]
    (decks,) = (c for c in axes.collections if type(c) is PolyCollection)
    heights = sorted((np.ptp(p.vertices[:, 1]), p.vertices[:, 1].max()) for p in decks.get_paths())
    assert heights[-1] == (pytest.approx(2.0), pytest.approx(108.0))


def test_tunnels_are_dashed_lines(stack_map):
    axes = stack_figure(stack_map, 5100.0, 0.0, 60.0, 0.0).axes[0]
    (tube,) = axes.lines
    np.testing.assert_allclose(tube.get_xdata(), [-60, 60])
    assert tube.is_dashed()


def test_ground_is_shaded_from_its_lowest_to_its_highest_point(stack_map):
    rows, columns = np.mgrid[0:41, 0:41]
    # Rises by 0.1 to the north, so that lines of sight to the north cross 12 m of height.
    slope = Terrain(
        west_m=-200.0,
        south_m=-200.0,
        step_m=10.0,
        height_m=(90.0 + 1.0 * (rows - 20) + 0.0 * columns).astype(np.float32),
        water=np.zeros((41, 41), np.bool_),
    )
    figure = stack_figure(replace(stack_map, terrain=slope), 0.0, 0.0, 60.0, 0.0)
    assert legend(figure)[-2:] == ["ground", "its rise in depth"]
    rise = next(c for c in figure.axes[0].collections if c.get_label() == "its rise in depth")
    outline = rise.get_paths()[0].vertices
    middle = outline[np.isclose(outline[:, 0], 0.0), 1]
    np.testing.assert_allclose([middle.min(), middle.max()], [84.0, 96.0], atol=1e-4)


def test_labels_of_a_dense_stack_keep_apart(make_map):
    under = [([(x, -50, 0), (x, 50, 0)], Structure.GROUND, 0) for x in range(-40, 41, 2)]
    over = ([(-60, 0, 7), (60, 0, 9)], Structure.BRIDGE, 1)
    figure = stack_figure(make_map(*under, over), 0.0, 0.0, 70.0, 0.0)
    told = texts(figure)
    assert 2 <= len(told) <= 12
    assert "5.8 m" in told
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_no_road_is_the_users_mistake(stack_map):
    with pytest.raises(V2XError, match="no road of ridge within 50 m"):
        stack_of(stack_map, 2500.0, 0.0, 50.0)


def test_same_map_gives_same_bytes(stack_map, tmp_path):
    once = style.save(stack_figure(stack_map, 0.0, 0.0, 60.0), tmp_path, "once")
    again = style.save(stack_figure(stack_map, 0.0, 0.0, 60.0), tmp_path, "again")
    for a, b in zip(once, again, strict=True):
        assert a.read_bytes() == b.read_bytes()
