"""Local metres and places on the Earth, there and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.projection import to_degrees, to_local
from v2x.world.road_map import LOCAL_CRS
from v2x.world.store import builtin_map, load_map


def test_there_and_back() -> None:
    """The roads of central Chongqing lie where their extract says, and return to the millimetre."""
    road_map = load_map(builtin_map("chongqing-central"))
    latitude, longitude = to_degrees(road_map, road_map.point_x_m, road_map.point_y_m)
    assert 29.486 < latitude.min() < latitude.max() < 29.633
    assert 106.498 < longitude.min() < longitude.max() < 106.727
    x, y = to_local(road_map, latitude, longitude)
    np.testing.assert_allclose(x, road_map.point_x_m, atol=1e-3)
    np.testing.assert_allclose(y, road_map.point_y_m, atol=1e-3)


def test_shapes_are_kept_and_far_places_are_infinite() -> None:
    road_map = load_map(builtin_map("huangjuewan"))
    x, y = to_local(road_map, [[29.588], [29.589]], 106.601)
    assert x.shape == y.shape == (2, 1)
    assert y[1, 0] - y[0, 0] == pytest.approx(110.9, abs=0.5)
    assert not np.isfinite(to_local(road_map, 0.0, -163.0)[0])


@pytest.mark.parametrize("convert", [to_degrees, to_local])
def test_a_map_of_nowhere_says_so(convert) -> None:
    road_map = replace(load_map(builtin_map("huangjuewan")), crs=LOCAL_CRS)
    with pytest.raises(V2XError, match="no place on the Earth, only local metres"):
        convert(road_map, 0.0, 0.0)
