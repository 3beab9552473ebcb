"""Which vehicles count near the open ends of a map."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.sim.region import CountedRegion
from v2x.world.synthetic import highway, manhattan

from ...simulation_parts import fleet_state

X = np.array([0.0, 249.0, 250.0, 1000.0, 1750.0, 1751.0, 2000.0])


def test_a_margin_at_both_ends_of_a_road() -> None:
    """The road is 2 km along x and 24 m wide: the margin is taken off x alone."""
    region = CountedRegion(highway(2000.0), 250.0)
    counted = region.counted(fleet_state(0, X, y_m=-6.0))
    assert counted.tolist() == [False, False, True, True, True, False, False]
    assert region.margin_m == 250.0


def test_empty_rows_never_count() -> None:
    region = CountedRegion(highway(2000.0), 0.0)
    counted = region.counted(fleet_state(0, X, id=[0, -1, 2, -1, 4, 5, 6]))
    assert counted.tolist() == [True, False, True, False, True, True, True]


def test_no_margin_counts_everybody() -> None:
    counted = CountedRegion(highway(2000.0), 0.0).counted(fleet_state(0, X - 500.0))
    assert counted.all()


def test_a_wrapped_road_has_no_ends() -> None:
    region = CountedRegion(highway(2000.0, wrap=True), 250.0)
    assert region.counted(fleet_state(0, X)).all()
    assert region.margin_m == 0.0


@pytest.mark.parametrize(("margin_m", "inside"), [(499.0, True), (500.0, False)])
def test_short_maps_have_no_inside(margin_m: float, inside: bool) -> None:
    """A margin of a quarter of the map or more would leave less than half: everybody counts."""
    region = CountedRegion(highway(2000.0), margin_m)
    assert region.counted(fleet_state(0, X)).all() != inside
    assert region.margin_m == (margin_m if inside else 0.0)


def test_both_axes_of_a_grid() -> None:
    grid = manhattan()
    low_x, high_x = grid.point_x_m.min(), grid.point_x_m.max()
    low_y, high_y = grid.point_y_m.min(), grid.point_y_m.max()
    margin = 0.1 * min(high_x - low_x, high_y - low_y)
    region = CountedRegion(grid, margin)
    middle_x, middle_y = 0.5 * (low_x + high_x), 0.5 * (low_y + high_y)
    fleet = fleet_state(
        0, [low_x + 1.0, middle_x, middle_x, high_x - 1.0], y_m=[middle_y, low_y, middle_y, high_y]
    )
    assert region.counted(fleet).tolist() == [False, False, True, False]
