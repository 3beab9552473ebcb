"""Which road, or ground, lies under a place."""

from __future__ import annotations

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.geometry import Polylines, road_map_of
from v2x.world.road_map import RoadMap, Structure
from v2x.world.standing import stand_at, stand_on_ground
from v2x.world.terrain import Terrain


def stacked(terrain: bool = True) -> RoadMap:
    """A street at 10 m eastward, a bridge northward 8 m over it, a tunnel under x = 80."""
    points = np.array(
        [
            [(-100, 0, 10), (100, 0, 12)],
            [(0, -100, 19), (0, 100, 19)],
            [(80, 40, 5), (80, 200, 5)],
        ],
        dtype=np.float64,
    )
    x, y, z = points.reshape(-1, 3).T
    ground = Terrain(
        west_m=-300.0,
        south_m=-300.0,
        step_m=100.0,
        height_m=np.full((7, 7), 9.0, dtype=np.float32),
        water=np.zeros((7, 7), dtype=np.bool_),
    )
    return road_map_of(
        name="stack",
        edge_from=[0, 2, 4],
        edge_to=[1, 3, 5],
        edge_lanes=[2, 2, 2],
        edge_limit_mps=[20.0] * 3,
        edge_structure=[Structure.GROUND, Structure.BRIDGE, Structure.TUNNEL],
        edge_level=[0, 1, -1],
        edge_class=[0] * 3,
        class_names=["trunk"],
        edge_name=["street", "bridge", "tunnel"],
        polylines=Polylines(np.array([0, 2, 4, 6]), x, y, z),
        terrain=ground if terrain else None,
    )


def test_the_top_most_deck_is_taken() -> None:
    place = stand_at(stacked(), 1.0, 1.0)
    assert (place.edge, place.z_m) == (1, 19.0)
    assert (place.x_m, place.y_m) == (1.0, 1.0)
    assert place.heading_rad == pytest.approx(np.pi / 2)


def test_another_level_may_be_asked_for() -> None:
    place = stand_at(stacked(), 1.0, 1.0, level=0)
    assert place.edge == 0
    assert place.z_m == pytest.approx(11.01)
    with pytest.raises(V2XError, match=r"no road of level 4 within 15 m; levels there: 0, 1"):
        stand_at(stacked(), 1.0, 1.0, level=4)


def test_the_road_underfoot_comes_before_a_higher_one_beside_it() -> None:
    assert stand_at(stacked(), 12.0, 1.0).edge == 0


def test_beside_the_road_one_steps_onto_it() -> None:
    place = stand_at(stacked(), 50.0, 14.0)
    assert place.edge == 0
    assert (place.x_m, place.y_m) == (50.0, 0.0)
    assert place.z_m == pytest.approx(11.5)


def test_off_the_road_one_is_on_the_ground() -> None:
    place = stand_at(stacked(), 50.0, 16.0)
    assert (place.edge, place.z_m) == (-1, 9.0)
    assert stand_on_ground(stacked(), 0.0, 0.0).edge == -1
    with pytest.raises(V2XError, match="has no terrain"):
        stand_at(stacked(terrain=False), 50.0, 16.0)


@pytest.mark.parametrize("place", [(-301.0, 0.0), (0.0, 301.0), (1e7, 1e7)])
def test_off_the_map_nobody_stands(place: tuple[float, float]) -> None:
    assert stand_on_ground(stacked(), -300.0, 300.0).z_m == 9.0
    with pytest.raises(V2XError, match="lies off map 'stack'"):
        stand_at(stacked(), *place)


def test_a_tunnel_is_entered_only_if_nothing_else_is_there() -> None:
    assert stand_at(stacked(), 80.0, 100.0).edge == 2
    # Where the street is 15 m away at most, it is taken before the tunnel.
    assert stand_at(stacked(), 80.0, 38.0).edge == 2
    assert stand_at(stacked(), 1.0, 1.0, level=1).edge == 1
