from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2x.mobility.curves import CurveParams, arc_radius_m, bend_speed_mps, corners, find_bends
from v2x.world import synthetic
from v2x.world.geometry import subdivide
from v2x.world.road_map import RoadMap

PARAMS = CurveParams()


def arc(radius_m: float, degrees: float, spacing_m: float) -> list[tuple[float, float]]:
    """Return a straight of 200 m, a bend to the left and another straight of 200 m."""
    n = max(2, round(math.radians(degrees) * radius_m / spacing_m))
    angle = np.linspace(0.0, math.radians(degrees), n + 1)
    bend = [(radius_m * math.sin(a), radius_m * (1.0 - math.cos(a))) for a in angle]
    x, y = bend[-1]
    end = (x + 200.0 * math.cos(angle[-1]), y + 200.0 * math.sin(angle[-1]))
    return [(-200.0, 0.0), *bend, end]


@pytest.mark.parametrize(
    ("radius_m", "design_kmh"), [(650, 120), (400, 100), (250, 80), (125, 60), (60, 40), (15, 20)]
)
def test_least_radii_are_driven_at_their_design_speeds(radius_m: int, design_kmh: int) -> None:
    """JTG D20; the side friction is that of the comfort of passengers, so within 11 %."""
    speed = bend_speed_mps(np.array([float(radius_m)]), np.array([0.75]), PARAMS)
    assert 3.6 * speed[0] == pytest.approx(design_kmh, rel=0.11)


@pytest.mark.parametrize(("side", "kmh"), [(0.15, 40), (0.35, 56), (0.5, 65)])
def test_speeds_on_a_slippery_ramp(side: float, kmh: int) -> None:
    """R 60 m, superelevation 6 %, tabulated in whole km/h for three side frictions."""
    params = CurveParams(side_friction=side, friction_share=1.0)
    speed = bend_speed_mps(np.array([60.0]), np.array([1.0]), params)
    assert 3.6 * speed[0] == pytest.approx(kmh, abs=0.55)


def test_slippery_bends_are_slower() -> None:
    """On ice half of 0.1 is claimed, so the cross slope carries more than the tyres."""
    speed = bend_speed_mps(np.array([60.0, 60.0]), np.array([0.45, 0.1]), PARAMS)
    assert speed == pytest.approx([math.sqrt(60 * 9.81 * 0.21), math.sqrt(60 * 9.81 * 0.11)])


@pytest.mark.parametrize("radius_m", [15.0, 30.0, 60.0, 125.0, 400.0])
@pytest.mark.parametrize("spacing_m", [2.0, 5.0, 12.0])
def test_the_radius_of_an_arc_is_found(
    radius_m: float, spacing_m: float, map_of: Callable[..., RoadMap]
) -> None:
    road = map_of([(0, 1, arc(radius_m, 120.0, spacing_m), {})])
    bends = find_bends(road, PARAMS)
    # Where the straights begin, the drawing says little; within the arc it is right.
    inner = bends.radius_m < 1.5 * radius_m
    assert bends.radius_m[inner] == pytest.approx(np.full(inner.sum(), radius_m), rel=0.15)
    begin, end = bends.begin_m[inner], bends.end_m[inner]
    length_m = math.radians(120.0) * radius_m
    run_m = max(spacing_m, 2.0 * math.sqrt(2.0 * radius_m * PARAMS.tolerance_m))
    assert begin.min() == pytest.approx(200.0 + 0.5 * run_m, abs=0.5 * run_m + 1.0)
    assert end.max() == pytest.approx(200.0 + length_m - 0.5 * run_m, abs=0.5 * run_m + 1.0)
    assert (begin[1:] <= end[:-1] + 1.0).all()


def test_points_for_heights_change_nothing(map_of: Callable[..., RoadMap]) -> None:
    """A map with a point every 5 m, which round to the millimetre, has the bends of the drawing."""
    road = map_of([(0, 1, [(0.0, 0.0), (90.0, 0.0), (170.0, 60.0), (240.0, 60.0)], {})])
    coarse, fine = (find_bends(one, PARAMS) for one in (road, subdivide(road, 5.0)))
    assert len(coarse.radius_m) == 2
    for name in ("radius_m", "begin_m", "end_m"):
        assert getattr(fine, name) == pytest.approx(getattr(coarse, name), abs=0.05), name


def test_straight_roads_have_no_bends() -> None:
    for road in (synthetic.highway(), synthetic.manhattan(2, 2), synthetic.highway(wrap=True)):
        assert len(find_bends(road, PARAMS).edge) == 0
    jitter = np.random.default_rng(1).uniform(-0.12, 0.12, 101)
    xy = np.column_stack((np.linspace(0.0, 500.0, 101), jitter))
    assert corners(xy, 0.25).tolist() == [0, 100]


def test_a_corner_between_long_runs_is_tight_but_possible() -> None:
    def radius(degrees: float, run_m: float) -> float:
        a = math.radians(degrees)
        after = run_m * np.array([[math.cos(a), math.sin(a)]])
        return float(arc_radius_m(np.array([[run_m, 0.0]]), after, PARAMS)[0])

    # w/(1/cos(θ/2) - 1): the map is wrong by 4 m at most.
    assert radius(40.0, 300.0) == pytest.approx(4.0 / (1.0 / math.cos(math.radians(20.0)) - 1.0))
    assert radius(170.0, 300.0) == PARAMS.least_radius_m
    assert radius(60.0, 1.0) == PARAMS.least_radius_m
    assert radius(0.0, 300.0) == math.inf


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 5.0))
def test_what_is_left_out_is_near_what_remains(seed: int, tolerance_m: float) -> None:
    xy = np.cumsum(np.random.default_rng(seed).normal(3.0, 2.0, (40, 2)), axis=0)
    kept = corners(xy, tolerance_m)
    assert kept[0] == 0
    assert kept[-1] == 39
    for a, b in pairwise(kept):
        along = (xy[b] - xy[a]) / np.hypot(*(xy[b] - xy[a]))
        inner = xy[a:b] - xy[a]
        assert np.abs(inner[:, 0] * along[1] - inner[:, 1] * along[0]).max() <= tolerance_m + 1e-9


def test_bad_parameters_are_named() -> None:
    with pytest.raises(ValueError, match="side_friction must be >="):
        CurveParams(side_friction=0.0)
    with pytest.raises(ValueError, match="friction_share must be at most 1"):
        CurveParams(friction_share=1.2)
