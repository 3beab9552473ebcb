"""Axes, drafts, earthworks and cut-outs from which the Chongqing-like maps are made."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.errors import V2XError
from v2x.world.cut_out import Box, cut_out
from v2x.world.geometry import subdivide, twin_edges
from v2x.world.mountain.alignment import (
    Axis,
    Pose,
    plan,
    profile_m,
    radii_m,
    rounded,
    swung,
)
from v2x.world.mountain.draft import (
    Road,
    Stretch,
    assembled,
    beside,
    bridge,
    carriageways,
    tunnel,
)
from v2x.world.mountain.earthworks import Earthworks, with_ground
from v2x.world.mountain.winding import Descent, descend
from v2x.world.road_map import FloatArray, Structure
from v2x.world.synthetic import manhattan


def straight(length_m: float = 400.0, z_m: float = 0.0) -> Axis:
    axis = plan(0.0, 0.0, 0.0, [(length_m, 0.0)])
    return axis.graded([(0.0, z_m), (length_m, z_m)], 10.0)


def street(axis: Axis, **more: object) -> Road:
    return Road(axis=axis, name="s", road_class="secondary", lanes=1, limit_kmh=50.0, **more)  # type: ignore[arg-type]


def test_an_arc_has_its_radius_angle_and_length() -> None:
    axis = plan(0.0, 0.0, 0.0, [(100.0, 0.0), (90.0, 60.0)])
    assert (axis.x_m[-1], axis.y_m[-1]) == pytest.approx((160.0, 60.0))
    assert axis.at(axis.length_m).heading_rad == pytest.approx(0.5 * math.pi, abs=0.05)
    assert axis.length_m == pytest.approx(100.0 + 0.5 * math.pi * 60.0, abs=0.1)
    bend = radii_m(axis, 15.0)
    assert bend.min() == pytest.approx(60.0, rel=0.02)


def test_rounded_corners_keep_the_ends_and_reject_what_does_not_fit() -> None:
    axis = rounded([(0.0, 0.0, 0.0), (200.0, 0.0, 50.0), (200.0, 150.0, 0.0)])
    assert (axis.x_m[-1], axis.y_m[-1]) == pytest.approx((200.0, 150.0))
    assert axis.length_m == pytest.approx(350.0 - 100.0 + 0.5 * math.pi * 50.0, abs=0.1)
    with pytest.raises(ValueError, match="corner 1 does not fit"):
        rounded([(0.0, 0.0, 0.0), (200.0, 0.0, 250.0), (200.0, 150.0, 0.0)])


def test_the_profile_is_parabolic_at_corners_and_straight_elsewhere() -> None:
    at = np.array([100.0, 140.0, 150.0, 200.0, 250.0, 300.0, 500.0])
    height = profile_m(at, [(0.0, 0.0), (200.0, 10.0), (400.0, 0.0)], 100.0)
    # Off the crest by g (L/2 - |u|)^2 / (2 L) * 2 with g = 5 %, and 0 from half the length on.
    expected = [5.0, 7.0, 7.5, 8.75, 7.5, 5.0, -5.0]
    np.testing.assert_allclose(height, expected, atol=1e-9)


def test_a_ramp_has_the_headings_and_grades_of_its_ends() -> None:
    begin = Pose(0.0, 0.0, 10.0, 0.0, 0.03)
    end = Pose(300.0, 60.0, 16.0, 0.3, -0.01)
    ramp = swung(begin, end)
    for pose, at in ((begin, 0.0), (end, ramp.length_m)):
        here = ramp.at(at)
        assert here.heading_rad == pytest.approx(pose.heading_rad, abs=0.02)
        assert here.grade == pytest.approx(pose.grade, abs=0.003)
        assert (here.x_m, here.y_m, here.z_m) == pytest.approx((pose.x_m, pose.y_m, pose.z_m))


def test_shifting_an_arc_changes_its_radius() -> None:
    axis = plan(0.0, 0.0, 0.0, [(120.0, 100.0)])
    assert radii_m(axis.shifted(20.0), 40.0).min() == pytest.approx(80.0, rel=0.02)
    assert radii_m(axis.shifted(-20.0), 40.0).min() == pytest.approx(120.0, rel=0.02)


def test_roads_are_cut_where_something_changes_and_joined_where_they_meet() -> None:
    axis = straight()
    stretches = (
        bridge(100.0, 200.0),
        Stretch(begin_m=150.0, end_m=300.0, extra_lanes=1, limit_kmh=30.0, name="side"),
    )
    foot = axis.at(250.0)
    branch = swung(Pose(foot.x_m, foot.y_m, foot.z_m, 1.0), Pose(300.0, 90.0, 3.0, 1.5))
    road_map = assembled(
        "m",
        [street(axis, stretches=stretches, cuts_m=(250.0,)), street(branch, two_way=True)],
        notes=["note"],
        signals=[foot],
    )
    # 0, 100, 150, 200, 250, 300, 400 and the end of the branch.
    assert (road_map.n_nodes, road_map.n_edges) == (8, 8)
    np.testing.assert_array_equal(
        road_map.edge_structure[:6],
        [Structure.GROUND, *[Structure.BRIDGE] * 2, *[Structure.GROUND] * 3],
    )
    assert road_map.edge_lanes[:6].tolist() == [1, 1, 2, 2, 2, 1]
    assert road_map.edge_level[:6].tolist() == [0, 1, 1, 0, 0, 0]
    assert road_map.edge_name[:6] == ("s", "s", "side", "side", "side", "s")
    assert road_map.edge_limit_mps[2] == pytest.approx(30.0 / 3.6)
    assert twin_edges(road_map).tolist() == [-1] * 6 + [7, 6]
    joint = np.flatnonzero(road_map.node_signal)
    assert (road_map.edge_from == joint).sum() == 2
    assert (road_map.edge_to == joint).sum() == 2


def test_drafting_errors_are_named() -> None:
    with pytest.raises(ValueError, match="nodes of 's' at 100"):
        assembled("m", [street(straight(), cuts_m=(100.0, 101.0))], notes=())
    with pytest.raises(ValueError, match="no node at the traffic lights"):
        assembled("m", [street(straight())], notes=(), signals=[Pose(1.0, 2.0, 3.0, 0.0)])


def test_carriageways_lie_beside_the_line_and_keep_its_stations() -> None:
    centre = plan(0.0, 0.0, 0.0, [(300.0, 0.0), (60.0, 400.0), (300.0, 0.0)])
    pair = carriageways(
        centre, 20.0, name="E", lanes=2, limit_kmh=80.0, both=[tunnel(300.0, 500.0)]
    )
    for road, way in zip(pair, (1.0, -1.0), strict=True):
        for at in (0.0, 150.0, 400.0, 650.0):
            here, middle = beside(road, centre, at), centre.at(at)
            away = math.hypot(here.x_m - middle.x_m, here.y_m - middle.y_m)
            assert away == pytest.approx(10.0, abs=0.05)
            # On the right of the line, seen in the direction of the road.
            left = math.cos(middle.heading_rad) * (here.y_m - middle.y_m)
            left -= math.sin(middle.heading_rad) * (here.x_m - middle.x_m)
            assert left == pytest.approx(-10.0 * way, abs=0.05)
    road_map = assembled("m", pair, notes=())
    inside = road_map.edge_structure == Structure.TUNNEL
    # In the bend the right carriageway, outside it, is longer.
    assert np.diff(road_map.edge_length_m[inside])[0] == pytest.approx(-20.0 * 0.5, rel=0.02)


def hillside(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    return 0.3 * y_m + 0.0 * x_m


def test_earthworks_cut_and_fill_but_leave_the_rest_alone() -> None:
    road_map = assembled("m", [street(straight(z_m=10.0), two_way=True)], notes=())
    works = Earthworks(step_m=5.0, margin_m=200.0, cut_slope=1.0, fill_slope=0.5, reach_m=120.0)
    terrain = with_ground(road_map, hillside, works).terrain
    assert terrain is not None
    x = np.full(5, 200.0)
    level_m = 3.5 + 1.42 * 5.0
    # The bank goes down at 1 : 2 beside the level ground, to meet the hillside 86 m away.
    ground = terrain.at(x, np.array([0.0, level_m - 0.5, -60.0, -119.0, 150.0]))
    assert ground[:2] == pytest.approx([10.0, 10.0], abs=0.1)
    assert ground[2] == pytest.approx(10.0 - 0.5 * (60.0 - level_m), abs=0.3)
    assert ground[3] == pytest.approx(-0.3 * 119.0, abs=0.2)
    assert ground[4] == pytest.approx(45.0, abs=0.1)


def test_ground_under_decks_is_dug_away_and_water_stays() -> None:
    def valley(x_m: FloatArray, y_m: FloatArray) -> FloatArray:
        return np.where(np.abs(x_m - 200.0) < 60.0, -20.0, 9.0) + 0.0 * y_m

    road = street(straight(z_m=10.0), stretches=(bridge(50.0, 350.0),))
    road_map = assembled("m", [road], notes=())
    works = Earthworks(step_m=5.0, headroom_m=4.0)
    terrain = with_ground(road_map, valley, works, water_m=-8.0).terrain
    assert terrain is not None
    at = np.array([20.0, 100.0, 200.0])
    ground = terrain.at(at, np.zeros(3))
    assert ground == pytest.approx([10.0, 6.0, -8.0], abs=0.1)
    assert terrain.is_water(at, np.zeros(3)).tolist() == [False, False, True]


def test_earthworks_reject_lengths_that_are_not_positive() -> None:
    with pytest.raises(ValueError, match="cut_slope must be > 0"):
        Earthworks(cut_slope=0.0)


def test_a_descent_follows_a_plane_at_its_grade_and_turns_back() -> None:
    start = Pose(0.0, 0.0, 0.0, 0.0)
    how = Descent(grade=0.06, hairpin_grade=0.03, hairpin_radius_m=25.0)
    axis = descend(hillside, start, 1, [400.0, 400.0], how)
    station = axis.station_m
    leg = (station > 100.0) & (station < 350.0)
    grade = np.gradient(axis.z_m, station)
    assert grade[leg] == pytest.approx(-0.06, abs=1e-3)
    # On the first leg the ground falls as the road does.
    assert np.abs(hillside(axis.x_m, axis.y_m) - axis.z_m)[leg].max() < 2.0
    assert radii_m(axis, 9.0).min() == pytest.approx(25.0, rel=0.05)
    headings = np.diff(axis.x_m)
    assert headings[-10] < 0 < headings[10]


def test_a_descent_far_above_its_ground_does_not_climb() -> None:
    """Whoever flies 100 m over the slope waits for it nearly along the contour."""
    axis = descend(hillside, Pose(0.0, 0.0, 100.0, 0.0), 1, [300.0], Descent(grade=0.06))
    assert (np.diff(axis.y_m)[5:] < 0.0).all()
    assert (np.diff(axis.z_m) < 0.0).all()


def test_a_part_of_a_map_keeps_heights_nodes_and_twins() -> None:
    fine = subdivide(manhattan(2, 2, block_x_m=200.0, block_y_m=200.0), 10.0)
    part = cut_out(fine, Box(west_m=-5.0, south_m=-5.0, east_m=275.0, north_m=275.0), "part")
    # Four crossings and the four streets that the rim cuts 70 m beyond them.
    assert part.n_nodes == 8
    assert part.n_edges == 16
    assert (twin_edges(part) >= 0).all()
    stub = part.edge_length_m < 100.0
    assert part.edge_length_m[stub] == pytest.approx(70.0)
    small = cut_out(fine, Box(west_m=-5.0, south_m=-5.0, east_m=245.0, north_m=245.0), "part")
    assert (small.n_nodes, small.n_edges) == (4, 8)
    with pytest.raises(V2XError, match="no road of 'manhattan' lies in the box"):
        cut_out(fine, Box(west_m=20.0, south_m=20.0, east_m=90.0, north_m=90.0), "part")
