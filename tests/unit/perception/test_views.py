"""Fields of view, ranges, fog, and bodies that hide what is behind them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from v2x.mobility.fleet import NodeKind
from v2x.perception.sensor_params import SensorParams, fog_share
from v2x.world.weather import WeatherParams

from .looking import around, look, sees, with_view

#: A point-like body, so that its middle alone decides.
TINY = {"length_m": [5.0, 0.01], "width_m": [2.0, 0.01]}
#: The eye of row 0 is at its front bumper.
BUMPER_M = 2.5


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("off_deg", "seen"), [(9.9, True), (10.1, False)])
def test_field_of_view_ends_on_each_side(side: float, off_deg: float, seen: bool) -> None:
    x, y = around(50.0, side * off_deg, BUMPER_M)
    assert sees([0.0, x], y_m=[0.0, y], **TINY) == seen


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_body_across_the_edge_of_the_field_needs_a_third_of_its_width_inside(side: float) -> None:
    # At 50 m the field ends 8.82 m off the axis; the innermost ray leads to 0.67 m before the
    # middle of a body of 2 m.
    edge_m = 50.0 * math.tan(math.radians(10.0))
    for across_m, seen in ((edge_m + 0.57, True), (edge_m + 0.77, False)):
        state = {"y_m": [0.0, side * across_m], "length_m": [5.0, 0.01]}
        assert sees([0.0, BUMPER_M + 50.0], **state) == seen


@pytest.mark.parametrize("heading_deg", [0.0, 90.0, 179.0, -120.0])
def test_the_field_of_view_turns_with_the_host(heading_deg: float) -> None:
    heading = math.radians(heading_deg)
    for off_deg, seen in ((9.0, True), (-9.0, True), (11.0, False), (180.0, False)):
        angle = heading + math.radians(off_deg)
        x = 2.5 * math.cos(heading) + 50.0 * math.cos(angle)
        y = 2.5 * math.sin(heading) + 50.0 * math.sin(angle)
        state = {"y_m": [0.0, y], "heading_rad": [heading, 0.0]}
        assert sees([0.0, x], **state, **TINY) == seen


@pytest.mark.parametrize(("bearing_deg", "seen"), [(59.0, False), (61.0, True), (180.0, True)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_units_that_look_back_sit_at_the_rear(side: float, bearing_deg: float, seen: bool) -> None:
    rear = with_view(azimuth_deg=(135.0, -135.0), half_angle_deg=75.0)
    x, y = around(30.0, side * bearing_deg, -BUMPER_M)
    assert sees([0.0, x], y_m=[0.0, y], sensor=rear, **TINY) == seen


@pytest.mark.parametrize(("gap_m", "seen"), [(199.9, True), (200.1, False)])
def test_range_ends_at_the_near_side_of_a_body(gap_m: float, seen: bool) -> None:
    assert sees([0.0, BUMPER_M + gap_m + 2.5]) == seen


def test_pedestrians_have_a_range_of_their_own() -> None:
    camera = with_view(range_m=120.0, vru_range_m=60.0)
    kind = [NodeKind.CAR, NodeKind.VRU]
    for distance_m, car, walker in ((59.0, True, True), (61.0, True, False), (121.0, False, False)):
        x = [0.0, BUMPER_M + distance_m]
        assert sees(x, sensor=camera, **TINY) == car
        assert sees(x, sensor=camera, kind=kind, **TINY) == walker


def test_fog_ends_the_view_of_a_camera_at_a_contrast_of_five_per_cent_and_leaves_radar() -> None:
    # Koschmieder: contrast falls as exp(-3.912 d / V), to 0.05 at 0.766 V.
    visibility_m, share = 100.0, fog_share(0.05)
    assert math.exp(-3.912 * share) == pytest.approx(0.05)
    fog = WeatherParams(visibility_m=visibility_m)
    camera = with_view(fog_share=share)
    for distance_m, seen in ((76.0, True), (77.0, False)):
        x = [0.0, BUMPER_M + distance_m]
        assert sees(x, sensor=camera, weather=fog, **TINY) == seen
        assert sees(x, weather=fog, **TINY)
        # The air in tunnels is clear.
        assert sees(x, sensor=camera, weather=fog, tunnel=0, solid=False, **TINY)


def test_night_shortens_the_view_outside_tunnels() -> None:
    camera = with_view(range_m=100.0, night_share=0.6)
    for distance_m, seen in ((59.0, True), (61.0, False)):
        x = [0.0, BUMPER_M + distance_m]
        assert sees(x, sensor=camera, onboard={"night": True}, **TINY) == seen
        assert sees(x, sensor=camera, onboard={"night": False}, **TINY)
        assert sees(x, sensor=camera, onboard={"night": True}, tunnel=0, solid=False, **TINY)


def test_a_body_hides_what_is_behind_it_and_nothing_before_or_beside() -> None:
    hidden = look([0.0, 30.0, 60.0])
    assert hidden == {(0, 1), (1, 2)}
    # In the next lane everybody is seen.
    assert look([0.0, 30.0, 60.0], y_m=[0.0, 3.5, 0.0]) == {(0, 1), (0, 2), (1, 2)}


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_shadow_ends_with_the_edge_of_the_body(side: float) -> None:
    # Eye 2.5 m ahead of row 0; the far corner of row 1 is 25 m from it, its side 1 m off the
    # axis: of a point at 55 m, the shadow ends 2.2 m off the axis (near corner, 20 m: 2.75 m).
    for across_m, seen in ((2.6, False), (2.9, True)):
        state = {"y_m": [0.0, 0.0, side * across_m], "width_m": [2.0, 2.0, 0.01]}
        pairs = look([0.0, 25.0, 57.5], length_m=[5.0, 5.0, 0.01], **state)
        assert ((0, 2) in pairs) == seen


def test_a_turned_body_hides_by_its_diagonal() -> None:
    # Across the road a car of 5 m hides 2.5 m on either side at its near side (24 m - 1 m).
    edge_m = 2.5 * (57.5 - 2.5) / (25.0 - 1.0 - 2.5)
    for across_m, seen in ((edge_m - 0.1, False), (edge_m + 0.1, True)):
        pairs = look(
            [0.0, 25.0, 57.5],
            y_m=[0.0, 0.0, across_m],
            heading_rad=[0.0, 0.5 * np.pi, 0.0],
            length_m=[5.0, 5.0, 0.01],
            width_m=[2.0, 2.0, 0.01],
        )
        assert ((0, 2) in pairs) == seen


def test_a_third_of_the_width_is_enough() -> None:
    # The shadow of row 1 ends 2.75 m off the axis at 55 m. Of three rays to a car of 2 m across,
    # the outermost leads to 0.67 m from its middle.
    for middle_m, seen in ((2.75 - 0.67 - 0.2, False), (2.75 - 0.67 + 0.2, True)):
        state = {"y_m": [0.0, 0.0, middle_m], "length_m": [5.0, 5.0, 0.01]}
        assert ((0, 2) in look([0.0, 25.0, 57.5], **state)) == seen
        strict = {"visible_share": 1.0}
        assert (0, 2) not in look([0.0, 25.0, 57.5], **state, onboard=strict)


def test_a_lorry_shows_above_a_car_and_not_the_other_way_round() -> None:
    # Eye 0.5 m, lorry aimed at 3 m and 57.5 m away: the ray is above 1.6 m from 25.3 m on.
    tall = {"height_m": [1.6, 1.6, 4.0]}
    assert (0, 2) in look([0.0, 35.0, 60.0], **tall)
    assert (0, 2) not in look([0.0, 25.0, 60.0], **tall)
    assert (0, 2) not in look([0.0, 35.0, 60.0], height_m=[1.6, 4.0, 1.6])


def test_bodies_on_another_deck_do_not_hide() -> None:
    # The bridge itself is not on this map: only the vehicle on it, 8 m above.
    assert (0, 2) in look([0.0, 30.0, 60.0], z_m=[0.0, 8.0, 0.0])
    assert (0, 2) in look([0.0, 30.0, 60.0], z_m=[0.0, -8.0, 0.0])


def test_a_long_body_beside_hides_only_what_its_side_covers() -> None:
    # A lorry of 18 m in the left lane, its rear beside the eye; a car ahead cuts half into it.
    lorry = {"length_m": [5.0, 18.0, 5.0], "y_m": [0.0, 3.5, 0.9], "height_m": [1.6, 4.0, 1.6]}
    whole, wide = {"visible_share": 1.0}, with_view(half_angle_deg=80.0)
    assert (0, 2) in look([0.0, 14.0, 13.0], sensor=wide, onboard=whole, **lorry)
    # In the lane beyond the lorry it is hidden.
    beyond = lorry | {"y_m": [0.0, 3.5, 7.0]}
    assert (0, 2) not in look([0.0, 14.0, 22.0], sensor=wide, **beyond)
    assert (0, 2) in look([0.0, -30.0, 22.0], sensor=wide, **beyond)


def test_nobody_sees_itself_and_rsus_have_no_body() -> None:
    kind = [NodeKind.CAR, NodeKind.RSU]
    assert look([0.0, 30.0], kind=kind, height_m=[1.6, 0.0]) == set()


def test_roadside_sensors_look_over_cars_and_both_ways() -> None:
    pole = SensorParams(
        azimuth_deg=(0.0, 180.0),
        half_angle_deg=30.0,
        mount=0.0,
        height_m=None,
        detection=1.0,
        range_m=100.0,
    )
    onboard = {"kinds": (), "roadside_kinds": ("roadside_radar",), "roadside_radar": pole}
    state = {
        "kind": [NodeKind.RSU] + [NodeKind.CAR] * 4,
        "height_m": [0.0, 1.6, 1.6, 1.6, 1.6],
        "length_m": [0.0, 5.0, 5.0, 5.0, 5.0],
        "width_m": [0.0, 2.0, 2.0, 2.0, 2.0],
        "y_m": [-7.0, 0.0, 0.0, 0.0, 0.0],
        "id": [3 << 30, 1, 2, 3, 4],
    }
    x = [0.0, 50.0, 70.0, -50.0, 115.0]
    assert look(x, onboard=onboard, antenna_height_m=6.0, **state) == {(0, 1), (0, 2), (0, 3)}
    # From a low pole in the lane, the first car hides the second.
    low = state | {"y_m": np.zeros(5)}
    assert look(x, onboard=onboard, antenna_height_m=1.0, **low) == {(0, 1), (0, 3)}


def test_who_is_equipped_does_not_depend_on_who_else_is_there() -> None:
    x = np.arange(200) * 1000.0
    x[1::2] = x[::2] + 30.0
    seen = look(x, onboard={"share": 0.3})
    hosts = {host for host, _ in seen}
    # Binomial of 100: within 4 sigma.
    assert abs(len(hosts) - 30) < 4 * math.sqrt(100 * 0.3 * 0.7)
    half = look(x[:100], onboard={"share": 0.3})
    assert half == {(a, b) for a, b in seen if a < 100}
    assert look(x, onboard={"share": 0.0}) == set()
