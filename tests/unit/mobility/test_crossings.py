"""People who cross: where, when, and that vehicles stop for them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from v2x.mobility.base import MobilityContext
from v2x.mobility.crossings.crossers import FIRST_CROSSER_ID, KERB_M, Crossers
from v2x.mobility.crossings.gaps import LET_MPS2, SHORT_M, Oncoming
from v2x.mobility.crossings.params import CrossingParams
from v2x.mobility.crossings.places import crossings_of
from v2x.mobility.fleet import NodeKind
from v2x.mobility.joined import JoinedFleet
from v2x.mobility.junctions import lane_network
from v2x.mobility.routed import RoutedParams, RoutedTraffic
from v2x.mobility.signals.base import movement_lights
from v2x.mobility.signals.fixed import FixedControl, FixedParams
from v2x.mobility.signals.lights import Light
from v2x.mobility.vehicle_classes import TWO_WHEELER_SIZE
from v2x.world import synthetic
from v2x.world.road_map import RoadMap


def junction() -> RoadMap:
    return synthetic.build("junction", lanes_per_direction=2)


def traffic(road_map: RoadMap, n: int = 25, seed: int = 1, **params: Any) -> RoutedTraffic:
    context = MobilityContext(
        road_map,
        seed,
        10**10,
        ".",
        signals=partial(FixedControl, FixedParams()),
        crossings=CrossingParams(**({"rate_per_h": 200.0} | params)),
    )
    return RoutedTraffic(RoutedParams(n_vehicles=n), context)


def crossers_of(model: RoutedTraffic) -> Crossers:
    assert model.crossers is not None
    return model.crossers


def on_road(crossers: Crossers) -> np.ndarray:
    return (
        (crossers._id >= 0)
        & (crossers._way_m > 0.0)
        & (crossers._way_m < crossers._width_m[crossers._at])
    )


# Places --------------------------------------------------------------------------------------


def test_every_road_into_lights_has_a_crossing_before_the_junction() -> None:
    network = lane_network(junction())
    found = crossings_of(network, CrossingParams(rate_per_h=1.0))
    assert [c.edge for c in found] == [0, 2, 4, 6]
    for crossing in found:
        assert crossing.width_m == 14.0
        assert crossing.offset_m == 300.0 - 7.0 - 0.75
        (edge, line, low, high), (back, back_line, back_low, back_high) = crossing.lines
        assert (edge, line, low, high) == (crossing.edge, 291.75, 0.0, 7.0)
        assert (back, back_line, back_low, back_high) == (crossing.edge + 1, 7.25, -7.0, 0.0)
        assert len(crossing.movements) == 3


def test_crossings_without_lights_lie_evenly_along_streets() -> None:
    network = lane_network(synthetic.build("manhattan"))
    found = crossings_of(network, CrossingParams(rate_per_h=1.0, every_m=100.0))
    along = [c.offset_m for c in found if c.edge == found[0].edge]
    length = float(network.road_map.edge_length_m[found[0].edge])
    assert np.diff(along) == pytest.approx([length / len(along)] * (len(along) - 1))
    assert all(not c.movements for c in found)
    # Both directions of a street share its crossings.
    assert len({frozenset(line[0] for line in c.lines) for c in found}) == 24


# Gaps ----------------------------------------------------------------------------------------


def approaching(distance_m: float, speed_mps: float) -> Oncoming:
    """Return one vehicle before a line at 100 m of edge 0."""
    return Oncoming(
        edge=np.array([0], dtype=np.int32),
        ahead_m=np.array([distance_m - 100.0]),
        speed_mps=np.array([speed_mps]),
        length_m=np.array([5.0]),
    )


def test_a_gap_is_long_enough_or_not() -> None:
    for distance_m, free in ((49.9, False), (50.1, True)):
        traffic = approaching(distance_m, 10.0)
        assert traffic.leaves(0, 100.0, 5.0, expects_to_be_let=False) == free
        assert traffic.leaves(1, 100.0, 5.0, expects_to_be_let=False)


def test_who_can_stop_comfortably_is_trusted_to() -> None:
    can_m = 10.0 + 10.0**2 / (2.0 * LET_MPS2) + SHORT_M
    for distance_m, free in ((can_m - 0.1, False), (can_m + 0.1, True)):
        assert approaching(distance_m, 10.0).leaves(0, 100.0, 9.0, expects_to_be_let=True) == free


def test_nobody_walks_into_a_vehicle_that_stands_on_the_crossing() -> None:
    for front_m, covers in ((-0.8, False), (-0.7, True), (5.7, True), (5.8, False)):
        assert approaching(-front_m, 0.0).covers(0, 100.0) == covers


# People --------------------------------------------------------------------------------------


def test_as_many_come_as_are_asked_for() -> None:
    """Within three standard deviations of a Poisson number; none is turned away here."""
    model = traffic(junction(), n=1, rate_per_h=600.0, most_waiting=20)
    for k in range(6000):
        model.advance(k * 100_000)
    come = int(crossers_of(model)._n_come.sum())
    expected = 4 * 600.0 / 6.0
    assert abs(come - expected) < 3.0 * np.sqrt(expected)
    assert crossers_of(model).n_crossed > 0.7 * come


def test_they_walk_on_red_for_the_vehicles_and_are_over_in_time() -> None:
    model = traffic(junction())
    crossers = crossers_of(model)
    control, network = model.lights.control, model.network
    started = walked = 0
    before = np.zeros(crossers.n_rows, dtype=np.bool_)
    for k in range(4000):
        model.advance(k * 100_000)
        on = on_road(crossers)
        light = movement_lights(control, network).light
        for row in np.flatnonzero(on).tolist():
            shown = light[list(crossers.crossings[crossers._at[row]].movements)]
            walked += 1
            started += int(not before[row])
            assert (shown == Light.RED).all()
        before = on
    assert started > 30
    assert walked > 1000


def test_jaywalkers_do_not_mind_the_light() -> None:
    model = traffic(junction(), jaywalker_share=1.0, n=5)
    crossers = crossers_of(model)
    green = 0
    for k in range(3000):
        model.advance(k * 100_000)
        light = movement_lights(model.lights.control, model.network).light
        for row in np.flatnonzero(on_road(crossers)).tolist():
            shown = light[list(crossers.crossings[crossers._at[row]].movements)]
            green += int((shown == Light.PROTECTED_GREEN).any())
    assert green > 20


def test_vehicles_stop_for_people_and_brake_gently() -> None:
    """On streets without lights: nobody is driven over, and nobody has to brake hard."""
    model = traffic(synthetic.build("manhattan"), n=150, rate_per_h=60.0, every_m=100.0)
    crossers = crossers_of(model)
    slowed = hits = 0
    for k in range(2000):
        state = model.advance(k * 100_000)
        assert state.acceleration_mps2.min() > -4.0
        theirs = crossers.columns(state.time_us)
        x, y = theirs["x_m"], theirs["y_m"]
        for row in np.flatnonzero(on_road(crossers)).tolist():
            dx, dy = x[row] - state.x_m, y[row] - state.y_m
            along = dx * np.cos(state.heading_rad) + dy * np.sin(state.heading_rad)
            across = -dx * np.sin(state.heading_rad) + dy * np.cos(state.heading_rad)
            inside = (abs(along) < 0.5 * state.length_m) & (abs(across) < 0.5 * state.width_m)
            hits += int((inside & state.active & (state.speed_mps > 1.0)).sum())
        slowed += int((state.active & (state.speed_mps < 0.1)).sum())
    assert crossers.n_crossed > 150
    assert hits == 0
    assert slowed > 300


def test_without_people_nothing_changes() -> None:
    road_map = junction()
    with_none = traffic(road_map, rate_per_h=0.0)
    assert with_none.crossers is None
    far = traffic(road_map, rate_per_h=1e-6)
    for k in range(300):
        one, other = with_none.advance(k * 100_000), far.advance(k * 100_000)
        assert np.array_equal(one.x_m, other.x_m)


def test_they_are_rows_of_the_fleet_with_an_identity_of_their_own() -> None:
    model = traffic(junction(), two_wheeler_share=0.5)
    fleet = JoinedFleet(model, crossers_of(model))
    seen: dict[int, tuple[float, float]] = {}
    for k in range(3000):
        state = fleet.advance(k * 100_000)
        last = slice(model.n_rows, None)
        theirs = state.active[last]
        assert (state.kind[last] == NodeKind.VRU).all()
        for identity, x, y, speed, length in zip(
            state.id[last][theirs].tolist(),
            state.x_m[last][theirs].tolist(),
            state.y_m[last][theirs].tolist(),
            state.speed_mps[last][theirs].tolist(),
            state.length_m[last][theirs].tolist(),
            strict=True,
        ):
            assert identity >= FIRST_CROSSER_ID
            if length == TWO_WHEELER_SIZE.length_m:
                assert speed in (0.0, 4.0)
            if identity in seen:
                moved = np.hypot(x - seen[identity][0], y - seen[identity][1])
                assert moved <= 0.1 * 4.0 + 1e-6
            seen[identity] = (x, y)
    assert len(seen) > 30


def test_the_same_seed_gives_the_same_people() -> None:
    states = []
    for _ in range(2):
        model = traffic(junction(), seed=5)
        for k in range(600):
            model.advance(k * 100_000)
        states.append(crossers_of(model).columns(0))
    for name, values in states[0].items():
        assert np.array_equal(values, states[1][name])


def test_they_wait_at_the_kerb() -> None:
    model = traffic(junction(), n=10)
    crossers = crossers_of(model)
    waited = 0
    for k in range(2000):
        model.advance(k * 100_000)
        there = crossers._id >= 0
        stands = there & ~crossers._moves
        assert np.allclose(crossers._way_m[stands], -KERB_M)
        assert (crossers.columns(0)["speed_mps"][stands] == 0.0).all()
        waited += int(stands.sum())
    assert waited > 100


@pytest.mark.parametrize(
    ("name", "value"),
    [("rate_per_h", -1.0), ("jaywalker_share", 1.1), ("every_m", 10.0), ("most_waiting", 0)],
)
def test_impossible_crossings_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        CrossingParams(**{name: value})  # type: ignore[arg-type]
